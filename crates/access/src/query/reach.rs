//! Policies on resources: which belong to a resource, whom they let in, and what they deny.
//!
//! Not for judging exposure: rules do. Invariant: a statement that may name the principal counts as
//! doubtful, not as absent. Source: AWS, "Policy evaluation logic", "How permissions and policies
//! provide access management".

use crate::Access;
use crate::account::Whose;
use overgrant_ir::{DocumentId, DocumentRole, IdentityId, IdentityKind, PolicyDocument};
use overgrant_policy::{Answer, Arn, Document, Effect, Principal, PrincipalKind, Statement};
use overgrant_value::{Marks, Text};

/// Somebody outside the model whom a resource policy lets in.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Outsider {
    /// Who, as the policy names it; `*` for anyone.
    pub who: String,
    /// Whether it is everybody.
    pub public: bool,
    /// Whether conditions bind the statement.
    pub conditional: bool,
    /// The document.
    pub document: DocumentId,
    /// Index of the statement, 0-based.
    pub statement: usize,
}

/// What the policies on a resource say about a principal.
pub(super) struct OnResource<'a> {
    /// The documents, for messages.
    pub(super) documents: Vec<(DocumentId, &'a PolicyDocument)>,
    /// Statements that let the principal in by themselves.
    pub(super) direct: Document,
    /// Statements that let in its role, under the role's boundary.
    pub(super) role: Document,
    /// Statements that let in whoever the account allows.
    pub(super) account: Answer,
    /// Denies that name it.
    pub(super) denies: Document,
}

impl<'a> OnResource<'a> {
    /// The policies on a resource, read for a principal and an action; `None` where the code holds
    /// none.
    pub(super) fn new(
        access: &Access<'a>,
        id: IdentityId,
        action: &str,
        resource: &Text,
    ) -> Option<Self> {
        let documents = of_resource(access, action, resource);
        let (_, first) = documents.first()?;
        let empty = Document {
            statements: Vec::new(),
            ..(*first.document).clone()
        };
        let mut found = Self {
            direct: empty.clone(),
            role: empty.clone(),
            account: Answer::No,
            denies: empty,
            documents: Vec::new(),
        };
        let is_role = access.model().identity(id).map(|one| one.kind) == Some(IdentityKind::Role);
        for (_, held) in &documents {
            for statement in &held.document.statements {
                found.statement(access, id, is_role, held, statement);
            }
        }
        found.documents = documents;
        Some(found)
    }

    fn statement(
        &mut self,
        access: &Access<'_>,
        id: IdentityId,
        is_role: bool,
        held: &PolicyDocument,
        statement: &Statement,
    ) {
        let root = &held.place.root;
        let listed = statement.principals.listed();
        let mut direct = Answer::No;
        let mut role = Answer::No;
        let mut account = Answer::No;
        for principal in &statement.principals {
            let naming = names(access, id, principal, root);
            match naming {
                Naming::Itself(answer) if is_role && !principal.is_anyone() => {
                    role = role.or(answer);
                }
                Naming::Itself(answer) => direct = direct.or(answer),
                Naming::Account(answer) => account = account.or(answer),
                Naming::Nobody => {}
            }
        }
        if listed.open {
            direct = direct.or(Answer::May);
        }
        if listed.negated {
            direct = direct.or(role).or(account).negate();
            role = Answer::No;
            account = Answer::No;
        }
        let copy = |answer: Answer| {
            let mut copy = statement.clone();
            copy.principals = super::stack::nobody();
            if answer != Answer::Must || held.place.maybe || !held.place.guard.is_always() {
                copy.marks = copy.marks.with(Marks::MAYBE);
            }
            copy
        };
        if statement.effect == Effect::Allow {
            if direct.possible() {
                self.direct.statements.push(copy(direct));
            }
            if role.possible() {
                self.role.statements.push(copy(role));
            }
            if account.possible() {
                let conditions = statement.conditions.narrows();
                self.account = self
                    .account
                    .or(account.and(conditions.negate().or(Answer::May)));
            }
        } else {
            let named = direct.or(role).or(account);
            if named.possible() {
                self.denies.statements.push(copy(named));
            }
        }
    }
}

enum Naming {
    Itself(Answer),
    Account(Answer),
    Nobody,
}

/// How a principal element names an identity.
fn names(access: &Access<'_>, id: IdentityId, principal: &Principal, root: &str) -> Naming {
    let sure = if principal.guard().is_always() {
        Answer::Must
    } else {
        Answer::May
    };
    match principal.kind() {
        PrincipalKind::Anyone => Naming::Itself(sure),
        PrincipalKind::Account => {
            let accounts = &access.links.accounts;
            let meant = match principal.account() {
                None => accounts.root(root),
                Some(id) => Whose::Known(id),
            };
            let own = access.whose.get(id.0);
            match own.map_or(Answer::May, |own| accounts.same(own, &meant)) {
                Answer::No => Naming::Nobody,
                answer => Naming::Account(answer.and(sure)),
            }
        }
        PrincipalKind::Aws | PrincipalKind::Unknown => {
            let kinds = [IdentityKind::Role, IdentityKind::User];
            let found = kinds.into_iter().find_map(|kind| {
                access
                    .link(principal.reference(), root, Some(kind))
                    .filter(|(one, _)| *one == id)
            });
            match found {
                Some((_, answer)) => Naming::Itself(answer.and(sure)),
                None if !principal.is_known()
                    && access.identity(principal.reference(), root).is_none()
                    && principal.kind() == PrincipalKind::Unknown =>
                {
                    Naming::Itself(Answer::May)
                }
                None => Naming::Nobody,
            }
        }
        PrincipalKind::UniqueId
        | PrincipalKind::Service
        | PrincipalKind::Federated
        | PrincipalKind::Canonical => Naming::Nobody,
    }
}

/// The resource policies of the code that are put on a resource: by its ARN, its name or address.
/// A trust policy is the resource policy of its role.
pub(super) fn of_resource<'a>(
    access: &Access<'a>,
    action: &str,
    resource: &Text,
) -> Vec<(DocumentId, &'a PolicyDocument)> {
    let service = action.split(':').next().unwrap_or_default();
    let model = access.model();
    if action.to_ascii_lowercase().starts_with("sts:assumerole") {
        let role = access.link(resource, "", Some(IdentityKind::Role));
        return role
            .and_then(|(id, _)| access.trust(id))
            .into_iter()
            .collect();
    }
    let Some(arn) = Arn::parse(resource) else {
        return Vec::new();
    };
    model
        .all_documents()
        .filter(|(_, held)| match &held.role {
            DocumentRole::Resource { service: own } => own.eq_ignore_ascii_case(service),
            _ => false,
        })
        .filter(|(_, held)| {
            held.targets
                .iter()
                .any(|target| is_on(&target.text, resource, &arn, &held.place))
        })
        .collect()
}

/// Whether a target (ARN, name, URL or a hole of its resource) means the resource, or the container
/// of it (the bucket of an object).
fn is_on(target: &Text, resource: &Text, arn: &Arn, place: &overgrant_ir::Place) -> bool {
    let (own, wanted) = (target.key(), resource.key());
    if own == wanted || wanted.starts_with(&format!("{own}/")) || place.own("arn").key() == wanted {
        return true;
    }
    if let Some(target) = Arn::parse(target) {
        // Account and region are mostly open on one side.
        let (a, b) = (target.resource.key(), arn.resource.key());
        return target.service.key() == arn.service.key()
            && (a == b || b.starts_with(&format!("{a}/")) || b.starts_with(&format!("{a}:")));
    }
    let name = own.rsplit('/').next().unwrap_or(&own);
    let resource = arn.resource.key();
    !name.is_empty()
        && (resource == name
            || resource.starts_with(&format!("{name}/"))
            || resource.ends_with(&format!("/{name}"))
            || resource.ends_with(&format!(":{name}"))
            || resource.contains(&format!(":{name}:")))
}

impl Access<'_> {
    /// Whom the policies on a resource let in from outside the model, for an action.
    #[must_use]
    pub fn outsiders(&self, action: &str, resource: &Text) -> Vec<Outsider> {
        let mut found = Vec::new();
        for (id, held) in of_resource(self, action, resource) {
            for statement in &held.document.statements {
                let on = if statement.resources.listed().present {
                    statement.resources.select(resource)
                } else {
                    Answer::Must
                };
                if statement.effect != Effect::Allow
                    || !statement.actions.select(action).and(on).possible()
                {
                    continue;
                }
                for principal in &statement.principals {
                    if self
                        .identity(principal.reference(), &held.place.root)
                        .is_some()
                    {
                        continue;
                    }
                    let own_account =
                        principal.kind() == PrincipalKind::Account && principal.account().is_none();
                    if own_account {
                        continue;
                    }
                    let negated = statement.principals.listed().negated;
                    found.push(Outsider {
                        who: if negated {
                            format!("everybody but {principal}")
                        } else {
                            principal.to_string()
                        },
                        public: negated || principal.is_anyone(),
                        conditional: statement.conditions.narrows().possible(),
                        document: id,
                        statement: statement.index,
                    });
                }
            }
        }
        found.sort();
        found.dedup();
        found
    }
}
