//! AWS Organizations policies and IAM Identity Center permission sets, in both formats.
//!
//! Not for resource policies of the organisation (`table`). Invariant: an organisation policy whose
//! type is not known is not read as IAM. Sources: AWS Organizations user guide, "Authorization
//! policies"; Terraform and CloudFormation references of the types named here.

use super::iam::attach;
use super::read::{itself, member, members, named, policies, references};
use super::{Holding, Lowering, identity_text};
use crate::node::{AttachmentStyle, GuardrailKind, Identity, PolicyRef};
use crate::{DocumentRole, IdentityKind, Place, Resource};
use overgrant_value::Text;

#[derive(Clone, Copy)]
enum Type {
    Policy,
    Attachment,
    PermissionSet,
    InlinePolicy,
    ManagedPolicy,
    CustomerPolicy,
    Boundary,
}

fn type_of(kind: &str) -> Option<Type> {
    Some(match kind {
        "aws_organizations_policy" | "AWS::Organizations::Policy" => Type::Policy,
        "aws_organizations_policy_attachment" => Type::Attachment,
        "aws_ssoadmin_permission_set" | "AWS::SSO::PermissionSet" => Type::PermissionSet,
        "aws_ssoadmin_permission_set_inline_policy" => Type::InlinePolicy,
        "aws_ssoadmin_managed_policy_attachment"
        | "aws_ssoadmin_managed_policy_attachments_exclusive" => Type::ManagedPolicy,
        "aws_ssoadmin_customer_managed_policy_attachment"
        | "aws_ssoadmin_customer_managed_policy_attachments_exclusive" => Type::CustomerPolicy,
        "aws_ssoadmin_permissions_boundary_attachment" => Type::Boundary,
        _ => return None,
    })
}

pub(super) fn knows(kind: &str) -> bool {
    type_of(kind).is_some()
}

pub(super) fn lower(lowering: &mut Lowering, resource: &Resource) {
    match type_of(&resource.kind) {
        Some(Type::Policy) => policy(lowering, resource),
        Some(Type::Attachment) => {
            let subject = named(resource, &["policy_id"]).into_iter().next();
            for target in named(resource, &["target_id"]) {
                lowering.guardrail(
                    resource,
                    GuardrailKind::OrganizationAttachment,
                    subject.clone(),
                    Some(target),
                    &resource.attrs,
                );
            }
        }
        Some(Type::PermissionSet) => permission_set(lowering, resource),
        Some(Type::InlinePolicy) => {
            if let Some(val) = resource.get("inline_policy") {
                let mut holding = Holding::new(resource, DocumentRole::Inline);
                holding.targets = named(resource, &["permission_set_arn"]);
                lowering.document(holding, &val);
            }
        }
        Some(Type::ManagedPolicy) => {
            let list = policies(resource, &["managed_policy_arn", "managed_policy_arns"]);
            to_permission_set(lowering, resource, list);
        }
        Some(Type::CustomerPolicy) => {
            let list = customer(resource, &["customer_managed_policy_reference"]);
            to_permission_set(lowering, resource, list);
        }
        Some(Type::Boundary) => boundary_attachment(lowering, resource),
        None => {}
    }
}

fn policy(lowering: &mut Lowering, resource: &Resource) {
    let role = match resource.get_any(&["type", "Type"]) {
        None => DocumentRole::ServiceControl,
        Some(val) => match val.as_str().as_deref() {
            Some("SERVICE_CONTROL_POLICY") => DocumentRole::ServiceControl,
            Some("RESOURCE_CONTROL_POLICY") => DocumentRole::ResourceControl,
            _ => DocumentRole::OtherOrganization,
        },
    };
    if let Some(val) = resource.get_any(&["content", "Content"]) {
        let mut holding = Holding::new(resource, role);
        holding.name = resource
            .get_any(&["name", "Name"])
            .and_then(|val| val.to_text());
        holding.targets = named(resource, &["TargetIds"]);
        lowering.document(holding, &val);
    }
    for target in named(resource, &["TargetIds"]) {
        lowering.guardrail(
            resource,
            GuardrailKind::OrganizationAttachment,
            Some(itself(resource)),
            Some(target),
            &resource.attrs,
        );
    }
}

fn permission_set(lowering: &mut Lowering, resource: &Resource) {
    let own = itself(resource);
    let place = Place::of(resource);
    let boundary = resource
        .get("PermissionsBoundary")
        .and_then(|val| boundary_of(resource, &val));
    lowering.add_identity(Identity {
        kind: IdentityKind::PermissionSet,
        name: resource
            .get_any(&["name", "Name"])
            .and_then(|val| val.to_text())
            .unwrap_or_else(|| place.own("name")),
        path: Text::known("/"),
        arn: identity_text(resource, "arn"),
        trust: None,
        boundary,
        max_session: resource.get_any(&["session_duration", "SessionDuration"]),
        attrs: resource.attrs.clone(),
        place,
    });
    if let Some(val) = resource.get("InlinePolicy") {
        let mut holding = Holding::new(resource, DocumentRole::Inline);
        holding.targets = vec![own.clone()];
        lowering.document(holding, &val);
    }
    let mut list = policies(resource, &["ManagedPolicies"]);
    list.extend(customer(resource, &["CustomerManagedPolicyReferences"]));
    for policy in list {
        attach(
            lowering,
            resource,
            policy,
            own.clone(),
            Some(IdentityKind::PermissionSet),
            AttachmentStyle::Shared,
        );
    }
}

fn to_permission_set(lowering: &mut Lowering, resource: &Resource, list: Vec<PolicyRef>) {
    let style = if resource.kind.ends_with("_exclusive") {
        AttachmentStyle::Exclusive
    } else {
        AttachmentStyle::Shared
    };
    for identity in named(resource, &["permission_set_arn"]) {
        for policy in list.clone() {
            attach(
                lowering,
                resource,
                policy,
                identity.clone(),
                Some(IdentityKind::PermissionSet),
                style,
            );
        }
    }
}

/// Customer managed policies are named, not given by ARN: they are looked up in each account.
fn customer(resource: &Resource, names: &[&str]) -> Vec<PolicyRef> {
    let Some(val) = resource.get_any(names) else {
        return Vec::new();
    };
    members(&val)
        .into_iter()
        .filter_map(|(guard, block)| {
            let name = member(&block, &["name", "Name"])?;
            let mut reference = references(resource, &name).into_iter().next()?;
            reference.guard = reference.guard.and(&guard)?;
            Some(PolicyRef::from(reference))
        })
        .collect()
}

fn boundary_of(resource: &Resource, val: &overgrant_value::Val) -> Option<PolicyRef> {
    let (guard, block) = members(val).into_iter().next()?;
    let named = member(&block, &["managed_policy_arn", "ManagedPolicyArn"]).or_else(|| {
        let inner = member(
            &block,
            &[
                "customer_managed_policy_reference",
                "CustomerManagedPolicyReference",
            ],
        )?;
        let (_, inner) = members(&inner).into_iter().next()?;
        member(&inner, &["name", "Name"])
    })?;
    let mut reference = references(resource, &named).into_iter().next()?;
    reference.guard = reference.guard.and(&guard)?;
    Some(PolicyRef::from(reference))
}

/// The boundary of a permission set is a resource of its own in Terraform; it is kept as an
/// attachment-like link and joined to the set once all resources are lowered.
fn boundary_attachment(lowering: &mut Lowering, resource: &Resource) {
    let Some(boundary) = resource
        .get("permissions_boundary")
        .and_then(|val| boundary_of(resource, &val))
    else {
        return;
    };
    for identity in named(resource, &["permission_set_arn"]) {
        lowering.model.boundaries.push((identity, boundary.clone()));
    }
}
