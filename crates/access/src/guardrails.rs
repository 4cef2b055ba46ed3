//! Organization policies of the code base: which may bind which account, and what they leave.
//!
//! Not for policies that nothing attaches, which bind nobody. Invariant: a policy surely binds only
//! the account that it is attached to by its id; one on a root or unit may bind anybody, since the
//! code rarely says which unit an account is in, and principals of the management account are free
//! of it. A target to which policies with Allow statements are attached grants no more than these:
//! where none has one, the `FullAWSAccess` that AWS attaches everywhere is taken to be there still.
//! Source: AWS Organizations user guide, "SCP evaluation", "Resource control policies".

use overgrant_ir::{DocumentId, DocumentRole, GuardrailKind, Model, PolicyDocument};
use overgrant_policy::{ActionSet, Answer, Effect, Resolution, Statement};
use overgrant_value::{Piece, Sym, Text};
use smol_str::SmolStr;
use std::collections::BTreeMap;

/// The policy that AWS attaches to every root, unit and account.
const FULL: &str = "p-FullAWSAccess";

/// One policy with what it is attached to.
#[derive(Debug)]
struct Cap {
    document: DocumentId,
    /// The accounts among its targets that are known.
    accounts: Vec<SmolStr>,
    /// Whether there are other targets.
    wide: bool,
}

/// The SCPs of one root, unit or account that allow, where `FullAWSAccess` is not among them.
#[derive(Debug)]
pub(crate) struct Level {
    /// The account, where the target is one.
    account: Option<SmolStr>,
    /// The policies, in the order of the model.
    pub(crate) documents: Vec<DocumentId>,
}

/// All attached organization policies.
#[derive(Debug, Default)]
pub(crate) struct Guardrails {
    service: Vec<Cap>,
    resource: Vec<Cap>,
    levels: Vec<Level>,
}

/// Who is attached to what, by root and address of the policy.
type Targets<'m> = BTreeMap<(&'m str, &'m str), Vec<&'m Text>>;

impl Guardrails {
    pub(crate) fn new(model: &Model) -> Self {
        let mut targets: Targets<'_> = BTreeMap::new();
        let mut full: Vec<String> = Vec::new();
        for guardrail in &model.guardrails {
            if guardrail.kind != GuardrailKind::OrganizationAttachment {
                continue;
            }
            let (Some(subject), Some(target)) = (&guardrail.subject, &guardrail.target) else {
                continue;
            };
            if subject.text.is(FULL) {
                full.push(target.text.key());
            } else if let Some(subject) = owner(&subject.text) {
                targets.entry(subject).or_default().push(&target.text);
            }
        }
        let mut all = Self::default();
        let mut levels: BTreeMap<String, Level> = BTreeMap::new();
        for (id, document) in model.all_documents() {
            let list = match document.role {
                DocumentRole::ServiceControl => &mut all.service,
                DocumentRole::ResourceControl => &mut all.resource,
                _ => continue,
            };
            let place = &document.place;
            let Some(found) = targets.get(&(place.root.as_str(), place.address.as_str())) else {
                continue;
            };
            let account = |text: &Text| text.as_known().filter(|text| is_account(text));
            list.push(Cap {
                document: id,
                accounts: found.iter().filter_map(|text| account(text)).collect(),
                wide: found.iter().any(|text| account(text).is_none()),
            });
            if document.role == DocumentRole::ServiceControl {
                for target in found {
                    let level = levels.entry(target.key()).or_insert_with(|| Level {
                        account: account(target),
                        documents: Vec::new(),
                    });
                    level.documents.push(id);
                }
            }
        }
        let allows = |id: &DocumentId| {
            let held = model.document(*id);
            held.is_some_and(|held| held.document.allows().next().is_some())
        };
        all.levels = levels
            .into_iter()
            .filter(|(target, level)| !full.contains(target) && level.documents.iter().any(allows))
            .map(|(_, level)| level)
            .collect();
        all
    }

    /// Whether there is no organization policy for principals.
    pub(crate) fn is_empty(&self) -> bool {
        self.service.is_empty()
    }

    /// The SCPs that may bind a principal of an account, with how sure that is.
    pub(crate) fn service_control(
        &self,
        account: Option<SmolStr>,
    ) -> impl Iterator<Item = (DocumentId, Answer)> + '_ {
        binding(&self.service, account)
    }

    /// The RCPs that may bind a resource of an account, where that is known.
    pub(crate) fn resource_control(
        &self,
        account: Option<SmolStr>,
    ) -> impl Iterator<Item = (DocumentId, Answer)> + '_ {
        binding(&self.resource, account)
    }

    /// The levels that may bind a principal of an account and allow only what they list.
    pub(crate) fn levels(
        &self,
        account: Option<&SmolStr>,
    ) -> impl Iterator<Item = (&Level, Answer)> {
        self.levels.iter().filter_map(move |level| {
            let binds = match (&level.account, account) {
                (Some(target), Some(own)) if target == own => Answer::Must,
                (Some(_), Some(_)) => return None,
                _ => Answer::May,
            };
            Some((level, binds))
        })
    }

    /// Whether an SCP takes the action on the resource (on every resource where none is given) away
    /// from the principals of an account, by a Deny or because a level does not allow it.
    pub(crate) fn withholds(
        &self,
        model: &Model,
        account: Option<&SmolStr>,
        action: &str,
        resource: Option<&Text>,
    ) -> (Answer, Option<DocumentId>) {
        let mut worst = (Answer::No, None);
        for (id, binds) in self.service_control(account.cloned()) {
            let statements = model.document(id).map(|held| &held.document.statements);
            for statement in statements.into_iter().flatten() {
                let denied = denied(statement, action, resource).and(binds);
                if denied > worst.0 {
                    worst = (denied, Some(id));
                }
            }
        }
        for (level, binds) in self.levels(account) {
            let mut allowed = Answer::No;
            for held in level.held(model) {
                if held.document.resolution == Resolution::Unresolved {
                    allowed = allowed.or(Answer::May);
                }
                for statement in held.document.allows() {
                    allowed = allowed.or(statement.allows(action, resource));
                }
            }
            let withheld = allowed.negate().and(binds);
            if withheld > worst.0 {
                worst = (withheld, level.documents.first().copied());
            }
        }
        worst
    }

    /// The catalog's actions that the levels which surely bind an account may leave.
    pub(crate) fn leaves(&self, model: &Model, account: Option<&SmolStr>) -> ActionSet {
        let mut left = ActionSet::all();
        for (level, binds) in self.levels(account) {
            let readable =
                |held: &&PolicyDocument| held.document.resolution != Resolution::Unresolved;
            if binds != Answer::Must || !level.held(model).all(|held| readable(&held)) {
                continue;
            }
            let mut allowed = ActionSet::empty();
            for statement in level.held(model).flat_map(|held| held.document.allows()) {
                allowed = allowed.union(&statement.actions.may());
            }
            left = left.intersection(&allowed);
        }
        left
    }
}

impl Level {
    /// The policies themselves.
    pub(crate) fn held<'m>(&self, model: &'m Model) -> impl Iterator<Item = &'m PolicyDocument> {
        self.documents.iter().filter_map(|id| model.document(*id))
    }
}

fn denied(statement: &Statement, action: &str, resource: Option<&Text>) -> Answer {
    match resource {
        Some(resource) => statement.denies(action, resource),
        None if statement.effect == Effect::Allow => Answer::No,
        None => {
            let sure = statement.is_certain() && statement.conditions.is_empty();
            let answer = statement
                .actions
                .select(action)
                .and(statement.resources.covers_all());
            if sure { answer } else { answer.at_most_may() }
        }
    }
}

fn binding(
    caps: &[Cap],
    account: Option<SmolStr>,
) -> impl Iterator<Item = (DocumentId, Answer)> + '_ {
    caps.iter().filter_map(move |cap| {
        let named = account
            .as_ref()
            .is_some_and(|own| cap.accounts.contains(own));
        let answer = if named {
            Answer::Must
        } else if cap.wide || account.is_none() {
            Answer::May
        } else {
            return None;
        };
        Some((cap.document, answer))
    })
}

/// Root and address of the resource that a reference means.
fn owner(text: &Text) -> Option<(&str, &str)> {
    match text.pieces() {
        [Piece::Hole(hole)] => match &hole.sym {
            Sym::Attr { root, addr, .. } => Some((root.as_str(), addr.as_str())),
            _ => None,
        },
        _ => None,
    }
}

/// Whether the text is an account id.
pub(crate) fn is_account(text: &str) -> bool {
    text.len() == 12 && text.bytes().all(|byte| byte.is_ascii_digit())
}
