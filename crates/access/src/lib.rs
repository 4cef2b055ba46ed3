//! Who may do what: joins the model's nodes, and answers questions about effective access.
//!
//! Not for formats and judgement. Invariant: every positive answer names the statements that decide
//! it, and an open link gives MAY (then without a statement: see [`Decision::by`]).

mod attach;
mod decide;
mod link;

pub use attach::{Attached, AttachedSource, Boundary, How, Use};
pub use decide::{Decision, StatementRef};

use attach::Links;
use overgrant_ir::{DocumentId, DocumentRole, IdentityId, IdentityKind, Model, PolicyDocument};
use overgrant_policy::{Answer, Effect, Statement};
use overgrant_value::Text;

/// The linked model.
#[derive(Debug)]
pub struct Access<'a> {
    model: &'a Model,
    links: Links,
}

impl<'a> Access<'a> {
    /// Links a model.
    #[must_use]
    pub fn new(model: &'a Model) -> Self {
        Self {
            model,
            links: Links::new(model),
        }
    }

    /// The model behind it.
    #[must_use]
    pub fn model(&self) -> &'a Model {
        self.model
    }

    /// The identity that a text (ARN, name, id, or a hole of its resource) means, used in `root`:
    /// there first, then in any other root where one alone fits.
    #[must_use]
    pub fn identity(&self, text: &Text, root: &str) -> Option<IdentityId> {
        self.link(text, root, None).map(|(id, _)| id)
    }

    /// The same for one kind of identity, with how sure it is: a literal account that meets the
    /// account of the deployment, and a thing of another root, are MAY.
    #[must_use]
    pub fn link(
        &self,
        text: &Text,
        root: &str,
        kind: Option<IdentityKind>,
    ) -> Option<(IdentityId, Answer)> {
        let found = self.links.find(self.model, text, root, kind);
        found
            .first()
            .map(|found| (IdentityId(found.index), found.answer))
    }

    /// The identity-side policies of an identity: inline, managed here, kept by AWS, unresolved;
    /// for a user also those of its groups. In the order of the model.
    #[must_use]
    pub fn policies(&self, id: IdentityId) -> &[Attached] {
        self.links
            .policies
            .get(id.0)
            .map(Vec::as_slice)
            .unwrap_or_default()
    }

    /// The permissions boundary of an identity.
    #[must_use]
    pub fn boundary(&self, id: IdentityId) -> Boundary<'a> {
        self.links.boundary(self.model, id)
    }

    /// Who uses a document, and as what.
    #[must_use]
    pub fn uses(&self, id: DocumentId) -> &[Use] {
        self.links
            .uses
            .get(id.0)
            .map(Vec::as_slice)
            .unwrap_or_default()
    }

    /// The documents that act as identity policy: inline ones, and managed ones that are not used
    /// as a boundary only.
    pub fn identity_documents(&self) -> impl Iterator<Item = (DocumentId, &'a PolicyDocument)> {
        self.model
            .all_documents()
            .filter(|(id, document)| match document.role {
                DocumentRole::Inline => true,
                DocumentRole::Managed => {
                    let uses = self.uses(*id);
                    uses.is_empty() || uses.iter().any(|one| one.how == How::Policy)
                }
                _ => false,
            })
    }

    /// The policies on resources.
    pub fn resource_documents(&self) -> impl Iterator<Item = (DocumentId, &'a PolicyDocument)> {
        self.model
            .all_documents()
            .filter(|(_, document)| matches!(document.role, DocumentRole::Resource { .. }))
    }

    /// The trust policy of a role.
    #[must_use]
    pub fn trust(&self, id: IdentityId) -> Option<(DocumentId, &'a PolicyDocument)> {
        let trust = self.model.identity(id)?.trust?;
        Some((trust, self.model.document(trust)?))
    }

    /// What runs with a role, through instance profiles too: indices into `Model::workloads`.
    #[must_use]
    pub fn workloads(&self, id: IdentityId) -> &[usize] {
        self.links
            .workloads
            .get(id.0)
            .map(Vec::as_slice)
            .unwrap_or_default()
    }

    /// The role of a workload, by its index in `Model::workloads`.
    #[must_use]
    pub fn role_of(&self, workload: usize) -> Option<IdentityId> {
        self.links.roles.get(workload).copied().flatten()
    }

    /// The identity provider that a text (ARN, issuer, or a hole of its resource) means: index into
    /// `Model::providers`.
    #[must_use]
    pub fn provider(&self, text: &Text, root: &str) -> Option<usize> {
        let found = self.links.providers.find(text, root, &|_| true);
        found.first().map(|found| found.index)
    }

    /// Whether the identity may do `action` (`service:Name`) on `resource` (an ARN, perhaps with
    /// holes), or on some resource. Conditions make a MAY, and so does a boundary that is not known;
    /// a policy that could not be read makes a MAY of a NO.
    #[must_use]
    pub fn allows(&self, id: IdentityId, action: &str, resource: Option<&Text>) -> Decision {
        let mut decision = decide::policies(id, self.policies(id), action, resource);
        let bound = match self.boundary(id) {
            Boundary::None => Answer::Must,
            Boundary::Document(document) => self
                .model
                .document(document)
                .map_or(Answer::May, |document| {
                    decide::document(&document.document, action, resource)
                }),
            Boundary::AwsManaged { document, .. } => decide::document(&document, action, resource),
            Boundary::Unresolved(_) => Answer::May,
        };
        let bounded = decision.answer.and(bound);
        decision.bounded = bounded != decision.answer;
        decision.answer = bounded;
        decision
    }

    /// The statement behind a reference, and the policy it stands in.
    #[must_use]
    pub fn statement(&self, reference: &StatementRef) -> Option<(&Statement, &Attached)> {
        let attached = self.policies(reference.identity).get(reference.attached)?;
        let statement = attached.document.statements.get(reference.statement)?;
        Some((statement, attached))
    }

    /// Whether the identity is declared to do every action on every resource, by one statement,
    /// and neither a Deny nor a boundary takes something broad away.
    #[must_use]
    pub fn is_admin(&self, id: IdentityId) -> Answer {
        let declared = self
            .policies(id)
            .iter()
            .flat_map(|attached| {
                attached.document.statements.iter().map(move |statement| {
                    let answer = declares_everything(statement);
                    if attached.is_certain() {
                        answer
                    } else {
                        answer.at_most_may()
                    }
                })
            })
            .fold(Answer::No, Answer::or);
        if declared == Answer::No {
            return Answer::No;
        }
        // What an administrator is an administrator for: the right to change rights.
        let star = Text::known("*");
        let kept = self.allows(id, "iam:CreatePolicyVersion", Some(&star));
        declared.and(kept.answer)
    }
}

/// Whether a statement allows every action on every resource without a condition.
fn declares_everything(statement: &Statement) -> Answer {
    if statement.effect == Effect::Deny || !statement.conditions.is_empty() {
        return Answer::No;
    }
    let actions = statement.actions.listed();
    let resources = statement.resources.listed();
    let all_actions = if actions.negated {
        actions.present && actions.items.is_empty() && !actions.open
    } else {
        actions.items.iter().any(|item| {
            item.pattern().guard().is_always()
                && (item.pattern().is_star()
                    || item
                        .spelling()
                        .is_some_and(|text| text.split(':').all(only_stars)))
        })
    };
    let all_resources = statement
        .resources
        .star()
        .is_some_and(|item| item.pattern().guard().is_always())
        || (resources.negated && resources.items.is_empty() && !resources.open);
    let answer = Answer::from_bool(all_actions && all_resources);
    if statement.is_certain() {
        answer
    } else {
        answer.at_most_may()
    }
}

fn only_stars(part: &str) -> bool {
    !part.is_empty() && part.chars().all(|c| c == '*')
}

#[cfg(test)]
mod tests;
