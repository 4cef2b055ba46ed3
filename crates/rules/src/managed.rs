//! AWS-managed policies where they are attached.
//!
//! Not for their effect together with others, which the `access` crate knows. Invariant: a policy
//! counts only where its ARN names it; the document is that of the embedded data.

use crate::{Context, escalate, names};
use overgrant_access::Boundary;
use overgrant_catalog::{ManagedPolicy, catalog};
use overgrant_ir::{Attachment, Identity, IdentityId, IdentityKind};
use overgrant_policy::{Answer, Arn, Document, Effect, PrincipalKind};
use overgrant_value::Text;

/// An AWS-managed policy in an attachment.
pub(crate) struct Managed<'a> {
    /// The attachment.
    pub(crate) attachment: &'a Attachment,
    /// The policy.
    pub(crate) policy: ManagedPolicy<'static>,
    /// The identity, where it is in the model.
    pub(crate) identity: Option<(IdentityId, &'a Identity)>,
}

/// Policies that guides of AWS attach to the role that a service assumes. Sources: Amazon SageMaker AI, "How to
/// use SageMaker AI execution roles"; Amazon Redshift, "Getting started with Amazon Redshift Spectrum".
const PRESCRIBED: [(&str, &str); 2] = [
    ("redshift", "AWSGlueConsoleFullAccess"),
    ("sagemaker", "AmazonSageMakerFullAccess"),
];

/// What kind of use an identity has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Usage {
    /// A user or a group.
    People,
    /// A role that a service or a pipeline assumes.
    Workload,
    /// A role that principals of AWS or a directory assume.
    Assumed,
    /// A permission set, or not in the model.
    Other,
}

/// All AWS-managed policies that are attached.
pub(crate) fn attached<'a>(cx: &Context<'a>) -> Vec<Managed<'a>> {
    cx.model
        .attachments
        .iter()
        .filter_map(|attachment| {
            let identity = cx
                .access
                .link(
                    &attachment.identity.text,
                    &attachment.place.root,
                    attachment.identity_kind,
                )
                .and_then(|(id, _)| Some((id, cx.model.identity(id)?)));
            Some(Managed {
                attachment,
                policy: policy(&attachment.policy.text)?,
                identity,
            })
        })
        .collect()
}

/// The AWS-managed policy that an ARN means, in any partition.
fn policy(text: &Text) -> Option<ManagedPolicy<'static>> {
    let arn = Arn::parse(text)?;
    if !arn.account.is("aws") {
        return None;
    }
    let resource = arn.resource.as_known()?;
    let path = resource.strip_prefix("policy/")?;
    catalog().managed_policy(&format!("arn:aws:iam::aws:policy/{path}"))
}

impl Managed<'_> {
    /// ``role `ci` ``, else the address of the attachment.
    pub(crate) fn holder(&self) -> String {
        self.identity.map_or_else(
            || format!("`{}`", self.attachment.place.address),
            |(_, identity)| names::identity(identity),
        )
    }

    /// What the identity is used for.
    pub(crate) fn usage(&self, cx: &Context<'_>) -> Usage {
        let Some((id, identity)) = self.identity else {
            return match self.attachment.identity_kind {
                Some(IdentityKind::User | IdentityKind::Group) => Usage::People,
                _ => Usage::Other,
            };
        };
        match identity.kind {
            IdentityKind::User | IdentityKind::Group => Usage::People,
            IdentityKind::PermissionSet => Usage::Other,
            IdentityKind::Role if !cx.access.workloads(id).is_empty() => Usage::Workload,
            IdentityKind::Role => {
                let serves = cx.access.trust(id).is_some_and(|(_, trust)| {
                    trust
                        .document
                        .statements
                        .iter()
                        .filter(|statement| statement.effect == Effect::Allow)
                        // A directory, though the name of its provider is not known.
                        .filter(|statement| {
                            statement.actions.select("sts:AssumeRoleWithSAML") != Answer::Must
                        })
                        .flat_map(|statement| statement.principals.iter())
                        .any(|principal| match principal.kind() {
                            PrincipalKind::Service => true,
                            PrincipalKind::Federated => !principal.is_saml(),
                            _ => false,
                        })
                });
                if serves {
                    Usage::Workload
                } else {
                    Usage::Assumed
                }
            }
        }
    }

    /// Whether AWS made the policy for the service that runs as the identity and for no other:
    /// `AmazonEKSComputePolicy` on a role that only `eks.amazonaws.com` assumes.
    pub(crate) fn is_made_for_its_service(&self, cx: &Context<'_>) -> bool {
        !self.is_full_access() && self.serves_only(cx, |host| self.is_named_after(host))
    }

    /// Whether AWS made the policy for one of the services that run as the identity.
    pub(crate) fn is_for_a_service_of(&self, cx: &Context<'_>) -> bool {
        !self.is_full_access()
            && self
                .services(cx)
                .flatten()
                .any(|service| self.is_named_after(host(&service)))
    }

    fn is_full_access(&self) -> bool {
        self.policy
            .name()
            .to_ascii_lowercase()
            .ends_with("fullaccess")
    }

    /// Whether the service is in the title of the policy.
    fn is_named_after(&self, host: &str) -> bool {
        let name = self.policy.name().to_ascii_lowercase();
        // Of `drt.shield` the last part is the service.
        let label = host.rsplit('.').next().unwrap_or_default();
        name.strip_prefix("amazon")
            .or_else(|| name.strip_prefix("aws"))
            .is_some_and(|rest| rest.starts_with(label))
    }

    /// Whether AWS's guide attaches the policy to roles of the service, and that service alone assumes the
    /// identity, or principals of AWS that pass it on.
    pub(crate) fn is_prescribed(&self, cx: &Context<'_>) -> bool {
        let name = self.policy.name();
        PRESCRIBED.iter().any(|(service, policy)| {
            *policy == name && self.serves_only(cx, |host| host == *service)
        })
    }

    /// Whether services assume the identity and all of them suit; principals of AWS may pass it on beside.
    fn serves_only(&self, cx: &Context<'_>, suits: impl Fn(&str) -> bool) -> bool {
        let mut services = self.services(cx).peekable();
        services.peek().is_some()
            && services.all(|service| service.is_some_and(|one| suits(host(&one))))
    }

    /// The services that assume the identity, `None` for what else does besides principals of AWS.
    fn services(&self, cx: &Context<'_>) -> impl Iterator<Item = Option<String>> {
        let trust = self.identity.and_then(|(id, _)| cx.access.trust(id));
        trust
            .into_iter()
            .flat_map(|(_, trust)| trust.document.statements.iter())
            .flat_map(|statement| statement.principals.iter())
            .filter(|principal| {
                !matches!(
                    principal.kind(),
                    PrincipalKind::Account | PrincipalKind::Aws
                )
            })
            .map(|principal| principal.service().map(Into::into))
    }

    /// Whether a boundary limits the identity: one of AWS that allows everything does not.
    pub(crate) fn is_bounded(&self, cx: &Context<'_>) -> bool {
        let open = |document: &Document| {
            document
                .allows()
                .any(|statement| statement.grants_admin() == Answer::Must)
        };
        self.identity.is_some_and(|(id, identity)| {
            identity.boundary.is_some()
                && !matches!(cx.access.boundary(id), Boundary::AwsManaged { document, .. } if open(&document))
        })
    }
}

/// `glue` of `glue.amazonaws.com`.
fn host(service: &str) -> &str {
    service.split(".amazonaws.").next().unwrap_or_default()
}

/// The first way to more rights that a document opens on its own, on the whole account.
pub(crate) fn opens(document: &Document) -> Option<&'static overgrant_catalog::EscalationPath> {
    overgrant_catalog::escalation_paths()
        .iter()
        .find(|path| escalate::is_open(document, path))
}
