//! Escalation paths: the ways by which a principal gains rights that it was not given.
//!
//! Not for: searching a model for them (`access` does that). Invariant: every row names actions and
//! words of closed vocabularies; a word outside them does not compile.
//! Source: pathfinding.cloud and the sources that each row names; rows of level `Own` are derived
//! from the services' semantics.

use crate::{Confidence, generated};

/// Declares a closed vocabulary with its spelling in the table.
macro_rules! vocabulary {
    ($(#[$meta:meta])* $name:ident { $($(#[$doc:meta])* $variant:ident = $word:literal,)* }) => {
        $(#[$meta])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum $name { $($(#[$doc])* $variant,)* }

        impl $name {
            /// All words, in the order of their declaration.
            pub const ALL: &[Self] = &[$(Self::$variant,)*];

            /// The word in the table.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $word,)* }
            }
        }
    };
}

vocabulary! {
    /// What kind of step a path is.
    Category {
        /// The caller widens itself.
        SelfEscalation = "self-escalation",
        /// The caller becomes another user or role.
        PrincipalAccess = "principal-access",
        /// Passes a role to something new.
        NewPassrole = "new-passrole",
        /// Uses something that already carries a role.
        ExistingPassrole = "existing-passrole",
        /// Passes another role to something that exists.
        PassroleSwap = "passrole-swap",
        /// Reaches stored secrets, data or credentials of one service.
        CredentialAccess = "credential-access",
        /// Removes what limits the caller.
        GuardrailRemoval = "guardrail-removal",
        /// Wins nothing by itself; never reported as a path.
        Latent = "latent",
    }
}

vocabulary! {
    /// Which kind of principal can walk a path.
    Caller {
        /// An IAM user.
        User = "user",
        /// A role.
        Role = "role",
        /// Either.
        Any = "any",
    }
}

vocabulary! {
    /// What is won.
    Gain {
        /// More rights for the caller.
        Own = "self",
        /// The rights of the role that is passed, assumed or bound.
        Role = "role",
        /// The rights of another user.
        User = "user",
        /// The rights of a group, permission set or account: administrator only if that is one.
        AdminIfTarget = "admin-if-target",
        /// Stored data, secrets or credentials of one service.
        Credentials = "credentials",
        /// The difference that the removed limit made.
        Guardrail = "guardrail",
    }
}

vocabulary! {
    /// How well a path is established.
    Level {
        /// Another source documents it.
        Proven = "proven",
        /// Derived from service semantics only.
        Own = "own",
        /// A step that wins nothing, or a role that does not reach the caller's code.
        Latent = "latent",
    }
}

vocabulary! {
    /// State outside the caller's rights that has to hold. One that the model shows false removes
    /// the path; one that it cannot show leaves it possible.
    Precondition {
        /// R or U is the caller itself.
        TargetIsCaller = "target-is-caller",
        /// The caller is a member of G.
        GroupMember = "group-member",
        /// P is attached to the caller (directly or by a group).
        PolicyAttached = "policy-attached",
        /// P is attached to the R of another leg, or to the role of F.
        PolicyAttachedToTarget = "policy-attached-to-target",
        /// P is the permissions boundary of the caller.
        PolicyIsBoundary = "policy-is-boundary",
        /// P has an older version with wider rights.
        PolicyHasStrongerVersion = "policy-has-stronger-version",
        /// The removed policy holds a Deny that limits the caller.
        PolicyCarriesDeny = "policy-carries-deny",
        /// U has a console password.
        UserHasLoginProfile = "user-has-login-profile",
        /// U has none.
        UserWithoutLoginProfile = "user-without-login-profile",
        /// U already has both access keys.
        UserHasTwoKeys = "user-has-two-keys",
        /// The secret of a disabled key is known.
        KeySecretKnown = "key-secret-known",
        /// The password of U is known or settable.
        PasswordKnown = "password-known",
        /// The trust policy of R admits the caller.
        RoleTrustsCaller = "role-trusts-caller",
        /// Some role trusts the identity provider F.
        RoleTrustsProvider = "role-trusts-provider",
        /// R has a Federated trust for Cognito that admits pool F.
        RoleTrustsIdentityPool = "role-trusts-identity-pool",
        /// That trust checks the audience only.
        ProviderTrustWeak = "provider-trust-weak",
        /// A StackSet execution role trusts R.
        ExecutionRoleTrustsAdminRole = "execution-role-trusts-admin-role",
        /// The stack set has an instance.
        StacksetInstancePresent = "stackset-instance-present",
        /// F (stack, deployment) carries its own service role.
        ServiceRolePresent = "service-role-present",
        /// The product has a launch constraint with a role.
        LaunchRolePresent = "launch-role-present",
        /// F runs with a role; in rows with an R leg, with that R.
        ComputeBoundToRole = "compute-bound-to-role",
        /// The caller can already run code or queries in F.
        CallerRunsCode = "caller-runs-code",
        /// Something other than the caller triggers F.
        FunctionEventSource = "function-event-source",
        /// A function takes the newest version of layer F.
        FunctionConsumesLayer = "function-consumes-layer",
        /// An event source exists that R can read.
        EventSourceReadableByRole = "event-source-readable-by-role",
        /// Objects of F are run or deployed by something with a stronger role.
        BucketFeedsCode = "bucket-feeds-code",
        /// F holds the state that a privileged deployment reads.
        BucketHoldsState = "bucket-holds-state",
        /// A mutable tag of repository F is run with a role.
        ImageFeedsCompute = "image-feeds-compute",
        /// Document F is run by an automation or association with a role.
        DocumentRunWithRole = "document-run-with-role",
        /// Launch template F is used in its default or latest version.
        TemplateUsedByConsumer = "template-used-by-consumer",
        /// Build project F has a batch configuration.
        BatchConfigured = "batch-configured",
        /// R is in an instance profile.
        InstanceProfilePresent = "instance-profile-present",
        /// Network path or connect endpoint to the instance.
        InstanceReachable = "instance-reachable",
        /// The instance is registered with Systems Manager.
        InstanceManagedBySsm = "instance-managed-by-ssm",
        /// Serial console access is on in the account.
        SerialConsoleEnabled = "serial-console-enabled",
        /// The task was started with command execution on.
        ExecEnabled = "exec-enabled",
        /// An ECS cluster exists.
        ClusterPresent = "cluster-present",
        /// The cluster has a registered container instance.
        ContainerInstancePresent = "container-instance-present",
        /// A job queue exists.
        JobQueuePresent = "job-queue-present",
        /// The EKS cluster accepts access entries.
        ClusterApiAuth = "cluster-api-auth",
        /// The caller can create pods in a namespace that gets the role.
        PodAssociation = "pod-association",
        /// An API exists to which the source or integration is added.
        ApiPresent = "api-present",
        /// A SageMaker domain exists.
        DomainPresent = "domain-present",
        /// A transfer server exists.
        FileServerPresent = "file-server-present",
        /// Devices of the deployment get role credentials.
        DeviceWithRole = "device-with-role",
        /// The development environment belongs to a stronger owner.
        EnvironmentShared = "environment-shared",
        /// The account is bootstrapped for CDK.
        CdkBootstrapPresent = "cdk-bootstrap-present",
        /// Permission set F is assigned to the caller.
        PermissionSetAssignedToCaller = "permission-set-assigned-to-caller",
        /// A stronger permission set or assignment exists.
        StrongerPermissionSetPresent = "stronger-permission-set-present",
        /// The caller controls a user or group of the identity store.
        IdentityStoreUserControlled = "identity-store-user-controlled",
        /// Identity Center uses its own directory.
        BuiltinDirectory = "builtin-directory",
        /// The caller is in the management or a delegated administrator account.
        ManagementAccount = "management-account",
        /// Central root access is on.
        RootSessionsEnabled = "root-sessions-enabled",
        /// The service or feature is closed to new customers: one severity lower, information only if retired.
        ServiceClosed = "service-closed",
    }
}

/// What kind of thing a leg acts on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum TargetKind {
    /// The role that is passed, changed or assumed (`R`).
    Role,
    /// The user acted on (`U`).
    User,
    /// The group acted on (`G`).
    Group,
    /// The managed or organisation policy acted on (`P`).
    Policy,
    /// Compute or another resource that exists (`F`).
    Existing,
    /// An object that the path creates: any resource that the caller can name freely (`N`).
    New,
    /// An action without resource types, authorised on `*`: joins with nothing.
    Any,
}

/// What a leg acts on. Equal targets in two legs of a row are one resource, its sub-resources
/// included.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Target {
    /// The kind of thing.
    pub kind: TargetKind,
    /// Which one of that kind: 1, or a higher number for a further, independent one.
    pub index: u8,
}

/// One action that the caller has to be allowed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Leg {
    /// `service:Name` in AWS's spelling.
    pub action: &'static str,
    /// What it acts on.
    pub target: Target,
}

/// A service that a role has to trust.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TrustedService {
    /// The service principal.
    pub principal: &'static str,
    /// The role.
    pub role: Target,
}

/// One way to gain rights.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EscalationPath {
    /// Stable, never reused: `PE-…`.
    pub id: &'static str,
    /// What kind of step it is.
    pub category: Category,
    /// Who can walk it.
    pub caller: Caller,
    /// All groups are needed; one leg of a group suffices.
    pub legs: &'static [&'static [Leg]],
    /// The passed role has to trust one of these, and `iam:PassedToService` has to admit it. At
    /// most one of this and `services_all` is filled.
    pub services_any: &'static [&'static str],
    /// Every one of these trusts is needed; one role may stand for two.
    pub services_all: &'static [TrustedService],
    /// State that has to hold as well, all of it.
    pub preconditions: &'static [Precondition],
    /// What is won.
    pub gain: Gain,
    /// How well it is established.
    pub level: Level,
    /// The highest confidence that a finding from this row may carry.
    pub confidence: Confidence,
    /// Actions that make it easier, never required.
    pub helpful: &'static [&'static str],
    /// The rule that reports it.
    pub rule: &'static str,
    /// Ids in pathfinding.cloud, those of its newer editions included.
    pub pathfinding: &'static [&'static str],
    /// Who else documents it.
    pub sources: &'static [&'static str],
    /// A remark for readers; empty where none.
    pub notes: &'static str,
}

/// All paths, in the order of the table.
#[must_use]
pub const fn escalation_paths() -> &'static [EscalationPath] {
    generated::ESCALATION_PATHS
}

/// The path of an id.
#[must_use]
pub fn escalation_path(id: &str) -> Option<&'static EscalationPath> {
    escalation_paths().iter().find(|path| path.id == id)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Catalog;

    #[test]
    fn every_row_is_whole() {
        assert_eq!(escalation_paths().len(), 181);
        let mut ids: Vec<&str> = escalation_paths().iter().map(|path| path.id).collect();
        ids.sort_unstable();
        ids.dedup();
        assert_eq!(ids.len(), 181, "an id is used twice");
        for path in escalation_paths() {
            assert!(!path.legs.is_empty(), "{}", path.id);
            assert!(
                path.legs.iter().all(|group| !group.is_empty()),
                "{}",
                path.id
            );
            assert!(path.services_any.is_empty() || path.services_all.is_empty());
            assert!(
                path.level != Level::Own || path.confidence == Confidence::Low,
                "{}",
                path.id
            );
        }
    }

    #[test]
    fn actions_and_principals_are_those_of_the_catalog() {
        let catalog = Catalog::embedded();
        for path in escalation_paths() {
            for leg in path.legs.iter().copied().flatten() {
                let action = catalog.find_action(leg.action);
                let action = action.unwrap_or_else(|| panic!("{}: {}", path.id, leg.action));
                assert_eq!(action.to_string(), leg.action, "{}", path.id);
                if leg.target.kind == TargetKind::Any {
                    assert!(action.is_wildcard_only(), "{}: {}", path.id, leg.action);
                }
            }
            for helpful in path.helpful {
                assert!(
                    catalog.action_id(helpful).is_some(),
                    "{}: {helpful}",
                    path.id
                );
            }
            let all = path.services_all.iter().map(|service| service.principal);
            for principal in path.services_any.iter().copied().chain(all) {
                assert!(
                    catalog.service_principal(principal).is_some(),
                    "{}: {principal}",
                    path.id
                );
            }
        }
    }

    #[test]
    fn a_row_with_alternatives() {
        let row = |id| escalation_path(id).unwrap();
        let runner = row("PE-APPRUNNER-001");
        assert_eq!(runner.legs[0][0].action, "iam:PassRole");
        assert_eq!(
            runner.legs[0][0].target,
            Target {
                kind: TargetKind::Role,
                index: 1
            }
        );
        assert_eq!(runner.services_any, ["tasks.apprunner.amazonaws.com"]);
        assert!(
            escalation_paths()
                .iter()
                .any(|path| path.legs.iter().any(|legs| legs.len() > 1))
        );
        let second = |path: &&EscalationPath| path.services_all.iter().any(|s| s.role.index == 2);
        assert!(escalation_paths().iter().any(|path| second(&path)));
        assert!(escalation_path("PE-NOPE").is_none());
    }
}
