//! Who may do something: the principals of the model that may, and outsiders whom the resource lets in.
//!
//! Invariant: a principal is left out only where [`Access::can`] says no.

use super::{Can, Question, Verdict};
use crate::Access;
use overgrant_ir::{IdentityId, IdentityKind};

/// A principal that may, or may under circumstances.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Able {
    /// Who.
    pub identity: IdentityId,
    /// The answer, never NO.
    pub can: Can,
}

impl Access<'_> {
    /// The users, roles and permission sets that may do what is asked, in the order of the model.
    #[must_use]
    pub fn who_can(&self, question: &Question) -> Vec<Able> {
        let model = self.model();
        let named = |id: IdentityId| {
            self.policies(id).iter().any(|attached| {
                let open = attached.document.resolution == overgrant_policy::Resolution::Unresolved;
                open || attached
                    .document
                    .allows()
                    .any(|one| one.actions.select(&question.action).possible())
            })
        };
        // Without a policy on the resource only those with a statement of their own can.
        let on_resource = question.resource.as_ref().is_some_and(|resource| {
            !super::reach::of_resource(self, &question.action, resource).is_empty()
        });
        (0..model.identities.len())
            .map(IdentityId)
            .filter(|id| {
                model
                    .identity(*id)
                    .is_some_and(|one| one.kind != IdentityKind::Group)
            })
            .filter(|id| on_resource || named(*id))
            .map(|identity| Able {
                identity,
                can: self.can(identity, question),
            })
            .filter(|able| able.can.verdict != Verdict::No)
            .collect()
    }
}
