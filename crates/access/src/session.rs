//! Sessions that the code narrows: a role with a session policy, by the resource that starts it.
//!
//! Not for the role's own rights. Invariant: a policy of the session that is not in the code is kept
//! as unresolved, so that it never widens a sure answer. Source: AWS IAM user guide, "Policies and
//! permissions: session policies"; Terraform AWS provider (`assume_role`), `AWS::RolesAnywhere::Profile`.

use crate::{Access, AttachedSource};
use overgrant_ir::{DocumentRole, IdentityId, Place};
use overgrant_policy::{ActionSet, Document};
use overgrant_value::Val;
use std::sync::Arc;

/// Arguments that list managed session policies: type, argument, and its block.
const LISTS: [(&str, &str, &str); 5] = [
    ("provider.aws", "policy_arns", "assume_role"),
    (
        "provider.aws",
        "policy_arns",
        "assume_role_with_web_identity",
    ),
    ("aws_rolesanywhere_profile", "managed_policy_arns", ""),
    ("AWS::RolesAnywhere::Profile", "ManagedPolicyArns", ""),
    ("awscc_rolesanywhere_profile", "managed_policy_arns", ""),
];

/// One policy of a session.
#[derive(Debug, Clone)]
pub(crate) struct SessionPolicy<'a> {
    pub(crate) document: Arc<Document>,
    /// The resource that holds it; `None` for one that AWS keeps, and for one that is not in the code.
    pub(crate) place: Option<&'a Place>,
    pub(crate) aws: Option<String>,
    /// Whether it surely applies.
    pub(crate) certain: bool,
}

/// A session of a role.
#[derive(Debug, Clone)]
pub struct Session<'a> {
    /// The role.
    pub identity: IdentityId,
    /// The resource that starts it.
    pub place: &'a Place,
    pub(crate) policies: Vec<SessionPolicy<'a>>,
}

impl Session<'_> {
    /// Whether a session policy narrows it.
    #[must_use]
    pub fn is_narrowed(&self) -> bool {
        !self.policies.is_empty()
    }

    /// The catalog's actions that its policies may leave: all where it has none.
    pub(crate) fn actions(&self) -> ActionSet {
        if self.policies.is_empty() {
            return ActionSet::all();
        }
        let mut left = ActionSet::empty();
        for policy in &self.policies {
            if policy.document.resolution == overgrant_policy::Resolution::Unresolved {
                return ActionSet::all();
            }
            for statement in policy.document.allows() {
                left = left.union(&statement.actions.may());
            }
        }
        left
    }
}

impl<'a> Access<'a> {
    /// The session that the resource at an address starts (`root//` in front where two roots hold it):
    /// its one role, under the session policies that stand there. `None` where it has no role, or
    /// several.
    #[must_use]
    pub fn session(&self, address: &str) -> Option<Session<'a>> {
        let model = self.model;
        let is = |place: &Place| {
            place.address == address
                || address
                    .strip_prefix(place.root.as_str())
                    .and_then(|rest| rest.strip_prefix("//"))
                    == Some(&place.address)
        };
        let workloads = model.workloads.iter().enumerate();
        let here: Vec<_> = workloads.filter(|(_, one)| is(&one.place)).collect();
        let (_, first) = here.first()?;
        let mut roles: Vec<IdentityId> = here
            .iter()
            .filter_map(|(at, _)| self.role_of(*at))
            .collect();
        roles.dedup();
        let [identity] = roles.as_slice() else {
            return None;
        };
        if here
            .iter()
            .any(|(_, one)| one.place.root != first.place.root)
        {
            return None;
        }
        let place = &first.place;
        let mut session = Session {
            identity: *identity,
            place,
            policies: Vec::new(),
        };
        let held = model.documents.iter().filter(|one| {
            one.role == DocumentRole::Session
                && one.place.root == place.root
                && one.place.address == place.address
        });
        session.policies.extend(held.map(|one| SessionPolicy {
            document: Arc::clone(&one.document),
            place: Some(&one.place),
            aws: None,
            certain: one.place.guard.is_always() && !one.place.maybe,
        }));
        for (_, argument, block) in LISTS.iter().filter(|(kind, ..)| *kind == place.kind) {
            let blocks = if block.is_empty() {
                first.attrs.listed()
            } else {
                let found = first.attrs.get(block);
                found.map(|val| val.listed()).unwrap_or_default()
            };
            let lists = blocks.iter().filter_map(|block| block.get(argument));
            for val in lists.filter(|val| !val.is_null()) {
                for item in val.listed() {
                    session
                        .policies
                        .push(self.managed_session_policy(place, &item));
                }
            }
        }
        Some(session)
    }

    fn managed_session_policy(&self, place: &'a Place, val: &Val) -> SessionPolicy<'a> {
        // Terraform's provider writes ARNs, CloudFormation may write objects with one.
        let val = val
            .get("Arn")
            .or_else(|| val.get("arn"))
            .unwrap_or(val.clone());
        let (source, document) = self
            .links
            .read(self.model, val.to_text(), &place.root, val.src());
        let (place, aws) = match source {
            AttachedSource::Model(id) => (self.model.document(id).map(|one| &one.place), None),
            AttachedSource::AwsManaged { name, .. } => (None, Some(name.to_string())),
            AttachedSource::Unresolved => (Some(place), None),
        };
        SessionPolicy {
            document,
            place,
            aws,
            certain: true,
        }
    }
}
