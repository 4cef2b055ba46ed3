//! State outside the caller's rights that a row needs.
//!
//! Invariant: NO only where the code shows that the state is not so; what the code cannot show is MAY.

use super::assume::Trust;
use super::target::{attached, plain};
use crate::{Access, Attached, AttachedSource};
use overgrant_catalog::Precondition;
use overgrant_ir::{CredentialKind, DocumentId, DocumentRole, IdentityId, IdentityKind, Workload};
use overgrant_policy::{Answer, Effect, PrincipalKind};
use overgrant_value::Text;
use smol_str::SmolStr;
use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};

/// What a step acts on, as far as it is chosen.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Chosen<'a> {
    pub(super) role: Option<IdentityId>,
    pub(super) user: Option<IdentityId>,
    pub(super) group: Option<IdentityId>,
    pub(super) policy: Option<DocumentId>,
    pub(super) workload: Option<&'a Workload>,
    /// The first right on it.
    pub(super) action: &'a str,
}

/// What the model shows of such state.
pub(super) struct State<'a, 'm> {
    access: &'a Access<'m>,
    /// One per identity.
    pub(super) trusts: Vec<Trust>,
    /// The roles whose trust policies name an identity.
    pub(super) naming: BTreeMap<IdentityId, Vec<IdentityId>>,
    /// Roles in an instance profile.
    profiles: BTreeSet<IdentityId>,
    /// (user, group).
    members: BTreeSet<(IdentityId, IdentityId)>,
    logins: BTreeSet<IdentityId>,
    keys: BTreeMap<IdentityId, usize>,
    /// Whether some role trusts an identity provider.
    federated: bool,
    /// Whom permissions to invoke functions name, with their roots.
    permitted: Vec<(String, SmolStr)>,
    /// Whether such a permission names a function, by root and address.
    invoked: RefCell<BTreeMap<(SmolStr, SmolStr), bool>>,
}

impl<'a, 'm> State<'a, 'm> {
    pub(super) fn new(access: &'a Access<'m>) -> Self {
        let model = access.model();
        let link = |text: &Text, root: &str, kind| {
            let found = access.link(text, root, Some(kind));
            found.map(|(id, _)| id)
        };
        let mut state = Self {
            access,
            trusts: (0..model.identities.len())
                .map(|id| Trust::new(access, IdentityId(id)))
                .collect(),
            naming: BTreeMap::new(),
            profiles: BTreeSet::new(),
            members: BTreeSet::new(),
            logins: BTreeSet::new(),
            keys: BTreeMap::new(),
            federated: false,
            permitted: model
                .grants
                .iter()
                .filter(|grant| grant.service == "lambda")
                .filter_map(|grant| {
                    let target = grant.target.as_ref()?;
                    Some((target.text.key(), grant.place.root.clone()))
                })
                .collect(),
            invoked: RefCell::default(),
        };
        for (role, trust) in state.trusts.iter().enumerate() {
            for (caller, _) in &trust.direct {
                let roles = state.naming.entry(*caller).or_default();
                roles.push(IdentityId(role));
            }
        }
        for profile in &model.profiles {
            let role = profile.role.as_ref();
            state.profiles.extend(
                role.and_then(|named| link(&named.text, &profile.place.root, IdentityKind::Role)),
            );
        }
        for one in &model.memberships {
            let root = &one.place.root;
            let user = link(&one.user.text, root, IdentityKind::User);
            let group = link(&one.group.text, root, IdentityKind::Group);
            state.members.extend(user.zip(group));
        }
        for one in &model.credentials {
            let named = one.user.as_ref();
            let user =
                named.and_then(|named| link(&named.text, &one.place.root, IdentityKind::User));
            match (one.kind, user) {
                (CredentialKind::LoginProfile, Some(user)) => {
                    state.logins.insert(user);
                }
                (CredentialKind::AccessKey, Some(user)) => {
                    *state.keys.entry(user).or_default() += 1
                }
                _ => {}
            }
        }
        state.federated = model.identities.iter().any(|role| {
            let trust = role.trust.and_then(|id| model.document(id));
            trust.is_some_and(|trust| {
                let mut named = trust
                    .document
                    .allows()
                    .flat_map(|one| one.principals.iter());
                named.any(|principal| principal.kind() == PrincipalKind::Federated)
            })
        });
        state
    }
    /// Whether something may invoke the function by a permission of its own.
    fn is_invoked(&self, function: &Workload) -> bool {
        let place = &function.place;
        let key = (place.root.clone(), place.address.clone());
        if let Some(known) = self.invoked.borrow().get(&key) {
            return *known;
        }
        let own = place.own("arn").key();
        let arn = super::target::arn(function, "lambda:InvokeFunction").key();
        let named = ["function_name", "FunctionName"]
            .iter()
            .find_map(|name| Some(function.attrs.get(name)?.to_text()?.key()));
        let invoked = self.permitted.iter().any(|(target, root)| {
            *target == own
                || *target == arn
                || *root == place.root && named.as_ref() == Some(target)
                || target.contains(place.address.as_str())
        });
        self.invoked.borrow_mut().insert(key, invoked);
        invoked
    }

    /// Whether the precondition holds for the caller and what it acts on.
    pub(super) fn holds(
        &self,
        precondition: Precondition,
        caller: IdentityId,
        chosen: &Chosen<'_>,
    ) -> Answer {
        use Precondition as P;
        let bool = Answer::from_bool;
        match precondition {
            P::TargetIsCaller => bool(chosen.role.or(chosen.user) == Some(caller)),
            P::GroupMember => bool(
                chosen
                    .group
                    .is_some_and(|group| self.members.contains(&(caller, group))),
            ),
            P::PolicyAttached => {
                let own = attached(self.access, caller);
                bool(chosen.policy.is_some_and(|policy| own.contains(&policy)))
            }
            P::PolicyAttachedToTarget => {
                let target = chosen.role.map(|role| attached(self.access, role));
                let theirs = target.unwrap_or_default();
                bool(chosen.policy.is_some_and(|policy| theirs.contains(&policy)))
            }
            P::PolicyIsBoundary => match self.access.boundary(caller) {
                crate::Boundary::Document(document) => bool(chosen.policy == Some(document)),
                crate::Boundary::None => Answer::No,
                _ => Answer::May,
            },
            P::PolicyCarriesDeny => bool(self.carries_deny(caller, chosen)),
            P::UserHasLoginProfile => {
                bool(chosen.user.is_some_and(|user| self.logins.contains(&user))).or(Answer::May)
            }
            P::UserWithoutLoginProfile => {
                bool(!chosen.user.is_some_and(|user| self.logins.contains(&user)))
            }
            P::UserHasTwoKeys => {
                let keys = chosen.user.and_then(|user| self.keys.get(&user)).copied();
                bool(keys.unwrap_or(0) > 1).or(Answer::May)
            }
            P::RoleTrustsCaller => chosen
                .role
                .map_or(Answer::No, |role| self.admits(role, caller)),
            // The row does not say which provider.
            P::RoleTrustsProvider | P::ProviderTrustWeak => bool(self.federated).at_most_may(),
            P::RoleTrustsIdentityPool => chosen.role.map_or(Answer::No, |role| {
                bool(self.names_issuer(role, "cognito-identity.amazonaws.com"))
            }),
            P::ExecutionRoleTrustsAdminRole => chosen.role.map_or(Answer::May, |role| {
                let model = self.access.model();
                let trusting = model.of_kind(IdentityKind::Role).any(|(other, _)| {
                    let trust = self.trusts.get(other.0);
                    other != role
                        && trust.is_some_and(|trust| trust.direct.iter().any(|(id, _)| *id == role))
                });
                bool(trusting).or(Answer::May)
            }),
            // Without one the row acts on what feeds compute, which is not in the model.
            P::ComputeBoundToRole | P::ServiceRolePresent | P::LaunchRolePresent => {
                bool(chosen.workload.is_some()).or(Answer::May)
            }
            P::InstanceProfilePresent => chosen
                .role
                .map_or(Answer::May, |role| bool(self.profiles.contains(&role))),
            P::InstanceManagedBySsm => chosen.role.map_or(Answer::May, |role| {
                let action = "ssm:UpdateInstanceInformation";
                self.access.allows(role, action, None).answer
            }),
            P::BatchConfigured => chosen.workload.map_or(Answer::May, |workload| {
                let names = ["build_batch_config", "BuildBatchConfig"];
                let set = names.iter().any(|name| {
                    let val = workload.attrs.get(name);
                    val.is_some_and(|val| {
                        !val.is_null()
                            && val.listed().len() + usize::from(val.as_map().is_some()) > 0
                    })
                });
                bool(set)
            }),
            P::ExecEnabled => self.exec_enabled(chosen),
            P::FunctionEventSource => chosen.workload.map_or(Answer::May, |function| {
                bool(self.is_invoked(function)).or(Answer::May)
            }),
            P::PermissionSetAssignedToCaller => bool(chosen.role == Some(caller)),
            P::StrongerPermissionSetPresent => {
                let sets = self.access.model().of_kind(IdentityKind::PermissionSet);
                let stronger = sets
                    .map(|(id, _)| self.access.is_admin(id))
                    .fold(Answer::No, Answer::or);
                stronger.or(Answer::May)
            }
            P::CdkBootstrapPresent => chosen.role.map_or(Answer::No, |role| {
                let name = self.access.model().identity(role).map(|role| &role.name);
                let is = name.is_some_and(|name| name.contains("cdk-hnb659fds-") == Answer::Must);
                bool(is).at_most_may()
            }),
            // The role that Organizations makes in each member account, by its default name.
            P::ManagementAccount => chosen.role.map_or(Answer::May, |role| {
                let name = self.access.model().identity(role).map(|role| &role.name);
                let is = name.is_some_and(|name| name.is("OrganizationAccountAccessRole"));
                bool(is).at_most_may()
            }),
            // Where there are tasks and jobs at all there are clusters and queues.
            P::ClusterPresent | P::JobQueuePresent | P::ServiceClosed => Answer::Must,
            P::PolicyHasStrongerVersion
            | P::KeySecretKnown
            | P::PasswordKnown
            | P::StacksetInstancePresent
            | P::CallerRunsCode
            | P::FunctionConsumesLayer
            | P::EventSourceReadableByRole
            | P::BucketFeedsCode
            | P::BucketHoldsState
            | P::ImageFeedsCompute
            | P::DocumentRunWithRole
            | P::TemplateUsedByConsumer
            | P::InstanceReachable
            | P::SerialConsoleEnabled
            | P::ContainerInstancePresent
            | P::ClusterApiAuth
            | P::PodAssociation
            | P::ApiPresent
            | P::DomainPresent
            | P::FileServerPresent
            | P::DeviceWithRole
            | P::EnvironmentShared
            | P::IdentityStoreUserControlled
            | P::BuiltinDirectory
            | P::RootSessionsEnabled => Answer::May,
        }
    }

    /// Whether the role is in an instance profile of the code.
    pub(super) fn is_in_profile(&self, role: IdentityId) -> bool {
        self.profiles.contains(&role)
    }

    /// Whether the trust policy of the role admits the caller, by name or by its account.
    pub(super) fn admits(&self, role: IdentityId, caller: IdentityId) -> Answer {
        let Some(trust) = self.trusts.get(role.0) else {
            return Answer::No;
        };
        let direct = trust.direct.iter().filter(|(id, _)| *id == caller);
        let direct = direct
            .map(|(_, held)| held.answer)
            .fold(Answer::No, Answer::or);
        let own = trust.account.as_ref().map_or(Answer::No, |held| {
            held.answer.and(self.access.same_account(role, caller))
        });
        let other = trust.other(self.access.account_of(caller).as_ref());
        direct.or(own).or(other)
    }

    /// The Denies are in inline policies, which are deleted, in managed ones, which are detached, or in
    /// any of the group that is left.
    fn carries_deny(&self, caller: IdentityId, chosen: &Chosen<'_>) -> bool {
        let model = self.access.model();
        let goes = |attached: &Attached| {
            let inline = match attached.source {
                AttachedSource::Model(id) => model
                    .document(id)
                    .is_some_and(|held| held.role == DocumentRole::Inline),
                _ => false,
            };
            if chosen.action.contains(":Delete") {
                inline
            } else if chosen.action.contains(":Detach") {
                !inline
            } else {
                true
            }
        };
        self.access.policies(caller).iter().any(|attached| {
            let own = attached.group == chosen.group && goes(attached);
            own && attached.source != AttachedSource::Unresolved
                && attached
                    .document
                    .statements
                    .iter()
                    .any(|statement| statement.effect == Effect::Deny)
        })
    }

    fn names_issuer(&self, role: IdentityId, issuer: &str) -> bool {
        self.access.trust(role).is_some_and(|(_, trust)| {
            let mut named = trust
                .document
                .allows()
                .flat_map(|one| one.principals.iter());
            named.any(|principal| principal.issuer().as_deref() == Some(issuer))
        })
    }

    /// Whether a service of the root has command execution on.
    fn exec_enabled(&self, chosen: &Chosen<'_>) -> Answer {
        let Some(workload) = chosen.workload else {
            return Answer::May;
        };
        let model = self.access.model();
        let mut seen = false;
        for setting in &model.settings {
            if plain(&setting.place.kind) != "ecsservice"
                || setting.place.root != workload.place.root
            {
                continue;
            }
            seen = true;
            let names = ["enable_execute_command", "EnableExecuteCommand"];
            let on = names.iter().find_map(|name| setting.attrs.get(name));
            if on.and_then(|val| val.as_bool()) == Some(true) {
                return Answer::Must;
            }
        }
        if seen { Answer::No } else { Answer::May }
    }
}
