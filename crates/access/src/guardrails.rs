//! Organization policies of the code base: which may bind which account.
//!
//! Not for policies that nothing attaches, which bind nobody. Invariant: a policy surely binds only
//! the account that it is attached to by its id; one on a root or unit may bind anybody, since the
//! code rarely says which unit an account is in, and principals of the management account are free
//! of it. Source: AWS Organizations user guide, "SCP evaluation", "Resource control policies".

use overgrant_ir::{DocumentId, DocumentRole, GuardrailKind, Identity, Model};
use overgrant_policy::{Answer, Arn, Effect};
use overgrant_value::{Piece, Sym, Text};
use smol_str::SmolStr;
use std::collections::BTreeMap;

/// One policy with what it is attached to.
#[derive(Debug)]
struct Cap {
    document: DocumentId,
    /// The accounts among its targets that are known.
    accounts: Vec<SmolStr>,
    /// Whether there are other targets.
    wide: bool,
}

/// All attached organization policies.
#[derive(Debug, Default)]
pub(crate) struct Guardrails {
    service: Vec<Cap>,
    resource: Vec<Cap>,
}

impl Guardrails {
    pub(crate) fn new(model: &Model) -> Self {
        let mut targets: BTreeMap<(&str, &str), Vec<Option<SmolStr>>> = BTreeMap::new();
        for guardrail in &model.guardrails {
            if guardrail.kind != GuardrailKind::OrganizationAttachment {
                continue;
            }
            let subject = guardrail.subject.as_ref().and_then(|one| owner(&one.text));
            let target = guardrail
                .target
                .as_ref()
                .and_then(|one| one.text.as_known());
            let account = target.filter(|text| is_account(text));
            if let Some(subject) = subject {
                targets.entry(subject).or_default().push(account);
            }
        }
        let mut all = Self::default();
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
            list.push(Cap {
                document: id,
                accounts: found.iter().flatten().cloned().collect(),
                wide: found.iter().any(Option::is_none),
            });
        }
        all
    }

    /// The SCPs that may bind a principal, with how sure that is.
    pub(crate) fn service_control<'a>(
        &'a self,
        identity: &'a Identity,
    ) -> impl Iterator<Item = (DocumentId, Answer)> + 'a {
        let account = Arn::parse(&identity.arn).and_then(|arn| arn.account.as_known());
        binding(&self.service, account)
    }

    /// The RCPs that may bind a resource of an account, where that is known.
    pub(crate) fn resource_control(
        &self,
        account: Option<SmolStr>,
    ) -> impl Iterator<Item = (DocumentId, Answer)> + '_ {
        binding(&self.resource, account)
    }

    /// Whether an SCP takes the action on the resource (on every resource where none is given) away
    /// from the principal.
    pub(crate) fn denies(
        &self,
        model: &Model,
        identity: &Identity,
        action: &str,
        resource: Option<&Text>,
    ) -> (Answer, Option<DocumentId>) {
        let mut worst = (Answer::No, None);
        if self.service.is_empty() {
            return worst;
        }
        for (id, binds) in self.service_control(identity) {
            let Some(document) = model.document(id) else {
                continue;
            };
            for statement in &document.document.statements {
                let denied = match resource {
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
                };
                let denied = denied.and(binds);
                if denied > worst.0 {
                    worst = (denied, Some(id));
                }
            }
        }
        worst
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
