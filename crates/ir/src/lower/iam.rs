//! The resource types of IAM itself, in both formats.
//!
//! Not for types that only point to IAM (`table`). Invariant: one function per thing, told apart by
//! field names; the name lists hold Terraform's name first, then CloudFormation's.
//! Sources: the Terraform AWS provider's and CloudFormation's references of the types named here.

use super::read::{blocks, itself, member, named, policies, references};
use super::{Holding, Lowering, Profile, identity_text};
use crate::node::{
    Attachment, AttachmentStyle, CredentialKind, Identity, IdentityId, Membership, PolicyRef,
    Provider, ProviderKind, ReferenceTo,
};
use crate::{DocumentRole, IdentityKind, Place, Resource};
use overgrant_value::Text;

/// What a type is.
#[derive(Clone, Copy)]
enum Type {
    Identity(IdentityKind),
    Managed,
    Inline,
    Attachment,
    Profile,
    Provider(ProviderKind),
    AccessKey,
    LoginProfile,
    Membership,
}

fn type_of(kind: &str) -> Option<Type> {
    Some(match kind {
        "aws_iam_role" | "AWS::IAM::Role" | "awscc_iam_role" => Type::Identity(IdentityKind::Role),
        "aws_iam_user" | "AWS::IAM::User" | "awscc_iam_user" => Type::Identity(IdentityKind::User),
        "aws_iam_group" | "AWS::IAM::Group" | "awscc_iam_group" => {
            Type::Identity(IdentityKind::Group)
        }
        "aws_iam_policy" | "AWS::IAM::ManagedPolicy" | "awscc_iam_managed_policy" => Type::Managed,
        "aws_iam_role_policy"
        | "aws_iam_user_policy"
        | "aws_iam_group_policy"
        | "AWS::IAM::Policy"
        | "AWS::IAM::RolePolicy"
        | "AWS::IAM::UserPolicy"
        | "AWS::IAM::GroupPolicy"
        | "awscc_iam_role_policy"
        | "awscc_iam_user_policy"
        | "awscc_iam_group_policy" => Type::Inline,
        "aws_iam_role_policy_attachment"
        | "aws_iam_user_policy_attachment"
        | "aws_iam_group_policy_attachment"
        | "aws_iam_policy_attachment"
        | "aws_iam_role_policy_attachments_exclusive"
        | "aws_iam_user_policy_attachments_exclusive"
        | "aws_iam_group_policy_attachments_exclusive" => Type::Attachment,
        "aws_iam_instance_profile" | "AWS::IAM::InstanceProfile" | "awscc_iam_instance_profile" => {
            Type::Profile
        }
        "aws_iam_openid_connect_provider"
        | "AWS::IAM::OIDCProvider"
        | "Custom::AWSCDKOpenIdConnectProvider"
        | "awscc_iam_oidc_provider" => Type::Provider(ProviderKind::Oidc),
        "aws_iam_saml_provider" | "AWS::IAM::SAMLProvider" | "awscc_iam_saml_provider" => {
            Type::Provider(ProviderKind::Saml)
        }
        "aws_iam_access_key" | "AWS::IAM::AccessKey" => Type::AccessKey,
        "aws_iam_user_login_profile" => Type::LoginProfile,
        "aws_iam_user_group_membership"
        | "aws_iam_group_membership"
        | "AWS::IAM::UserToGroupAddition" => Type::Membership,
        _ => return None,
    })
}

pub(super) fn knows(kind: &str) -> bool {
    type_of(kind).is_some()
}

pub(super) fn lower(lowering: &mut Lowering, resource: &Resource) {
    match type_of(&resource.kind) {
        Some(Type::Identity(kind)) => identity(lowering, resource, kind),
        Some(Type::Managed) => managed(lowering, resource),
        Some(Type::Inline) => inline(lowering, resource),
        Some(Type::Attachment) => attachment(lowering, resource),
        Some(Type::Profile) => profile(lowering, resource),
        Some(Type::Provider(kind)) => provider(lowering, resource, kind),
        Some(Type::AccessKey) => {
            let user = named(resource, &["user", "UserName"]).into_iter().next();
            let src = resource.name_src.clone();
            // With a key of PGP the state holds the encrypted secret alone.
            let encrypted = resource
                .attrs
                .get("pgp_key")
                .is_some_and(|key| !key.is_null());
            let attribute = if encrypted {
                "encrypted_secret"
            } else {
                "secret"
            };
            lowering.credential(resource, CredentialKind::AccessKey, user, src, attribute);
        }
        Some(Type::LoginProfile) => {
            let user = named(resource, &["user"]).into_iter().next();
            let src = resource.name_src.clone();
            lowering.credential(
                resource,
                CredentialKind::LoginProfile,
                user,
                src,
                "password",
            );
        }
        Some(Type::Membership) => membership(lowering, resource),
        None => {}
    }
}

/// The arguments that name identities, by the kind they name.
const PRINCIPALS: [(&[&str], IdentityKind); 3] = [
    (
        &["role", "roles", "role_name", "Roles", "RoleName"],
        IdentityKind::Role,
    ),
    (
        &["user", "users", "user_name", "Users", "UserName"],
        IdentityKind::User,
    ),
    (
        &["group", "groups", "group_name", "Groups", "GroupName"],
        IdentityKind::Group,
    ),
];

fn identity(lowering: &mut Lowering, resource: &Resource, kind: IdentityKind) {
    let own = itself(resource);
    let trust = (kind == IdentityKind::Role)
        .then(|| {
            let val = resource.get_any(&[
                "assume_role_policy",
                "AssumeRolePolicyDocument",
                "assume_role_policy_document",
            ])?;
            let mut holding = Holding::new(resource, DocumentRole::Trust);
            holding.targets = vec![own.clone()];
            lowering.document(holding, &val)
        })
        .flatten();
    let name = name_of(resource);
    lowering.model.identities.push(Identity {
        place: Place::of(resource),
        kind,
        name,
        path: resource
            .get_any(&["path", "Path"])
            .and_then(|val| val.to_text())
            .unwrap_or_else(|| Text::known("/")),
        arn: arn_of(resource),
        trust,
        boundary: policies(resource, &["permissions_boundary", "PermissionsBoundary"])
            .into_iter()
            .next(),
        max_session: resource.get_any(&["max_session_duration", "MaxSessionDuration"]),
        attrs: resource.attrs.clone(),
    });
    for (guard, block) in blocks(resource, &["inline_policy", "Policies", "policies"]) {
        let document = if block.is_unknown() {
            Some(block.clone())
        } else {
            member(&block, &["policy", "PolicyDocument", "policy_document"])
        };
        let Some(document) = document else { continue };
        let mut holding = Holding::new(resource, DocumentRole::Inline);
        holding.name =
            member(&block, &["name", "PolicyName", "policy_name"]).and_then(|val| val.to_text());
        holding.targets = vec![own.clone()];
        holding.guard = guard;
        lowering.document(holding, &document);
    }
    for policy in policies(resource, &["managed_policy_arns", "ManagedPolicyArns"]) {
        attach(
            lowering,
            resource,
            policy,
            own.clone(),
            Some(kind),
            AttachmentStyle::Shared,
        );
    }
    if kind == IdentityKind::User {
        for group in named(resource, &["Groups", "groups"]) {
            lowering.model.memberships.push(Membership {
                place: Place::of(resource),
                user: own.clone(),
                group,
            });
        }
        if let Some(profile) = resource.get_any(&["LoginProfile", "login_profile"]) {
            let src = profile.src().clone();
            lowering.credential(
                resource,
                CredentialKind::LoginProfile,
                Some(own),
                src,
                "LoginProfile",
            );
        }
    }
}

fn name_of(resource: &Resource) -> Text {
    let argument = crate::identity::row(&resource.kind).map_or("name", |row| {
        if row.terraform == resource.kind {
            row.name.0
        } else {
            row.name.1
        }
    });
    identity_text(resource, argument)
}

fn arn_of(resource: &Resource) -> Text {
    identity_text(
        resource,
        if resource.kind.starts_with("aws") {
            "arn"
        } else {
            "Arn"
        },
    )
}

fn managed(lowering: &mut Lowering, resource: &Resource) {
    let own = itself(resource);
    if let Some(val) = resource.get_any(&["policy", "PolicyDocument", "policy_document"]) {
        let mut holding = Holding::new(resource, DocumentRole::Managed);
        holding.name = Some(name_of(resource));
        holding.arn = Some(arn_of(resource));
        lowering.document(holding, &val);
    }
    for (names, kind) in PRINCIPALS {
        for identity in named(resource, names) {
            let policy = PolicyRef::from(ReferenceTo {
                guard: identity.guard.clone(),
                ..own.clone()
            });
            attach(
                lowering,
                resource,
                policy,
                identity,
                Some(kind),
                AttachmentStyle::Shared,
            );
        }
    }
}

fn inline(lowering: &mut Lowering, resource: &Resource) {
    let Some(val) = resource.get_any(&["policy", "PolicyDocument", "policy_document"]) else {
        return;
    };
    let mut holding = Holding::new(resource, DocumentRole::Inline);
    holding.name = resource
        .get_any(&["name", "PolicyName", "policy_name"])
        .and_then(|val| val.to_text());
    holding.targets = PRINCIPALS
        .into_iter()
        .flat_map(|(names, kind)| {
            let list = named(resource, names).into_iter();
            list.map(move |reference| ReferenceTo {
                kind: Some(kind),
                ..reference
            })
        })
        .collect();
    lowering.document(holding, &val);
}

fn attachment(lowering: &mut Lowering, resource: &Resource) {
    let style = match resource.kind.as_str() {
        "aws_iam_role_policy_attachment"
        | "aws_iam_user_policy_attachment"
        | "aws_iam_group_policy_attachment" => AttachmentStyle::Shared,
        _ => AttachmentStyle::Exclusive,
    };
    for policy in policies(resource, &["policy_arn", "policy_arns"]) {
        for (names, kind) in PRINCIPALS {
            for identity in named(resource, names) {
                attach(
                    lowering,
                    resource,
                    policy.clone(),
                    identity,
                    Some(kind),
                    style,
                );
            }
        }
    }
}

pub(super) fn attach(
    lowering: &mut Lowering,
    resource: &Resource,
    policy: PolicyRef,
    identity: ReferenceTo,
    identity_kind: Option<IdentityKind>,
    style: AttachmentStyle,
) {
    // Under contradictory guards the two never meet.
    if policy.guard.and(&identity.guard).is_some() {
        lowering.model.attachments.push(Attachment {
            place: Place::of(resource),
            policy,
            identity,
            identity_kind,
            style,
        });
    }
}

fn profile(lowering: &mut Lowering, resource: &Resource) {
    let profile = Profile {
        place: Place::of(resource),
        name: name_of(resource),
        arn: arn_of(resource),
        role: named(resource, &["role", "roles", "Roles"])
            .into_iter()
            .next(),
    };
    lowering.model.profiles.push(profile);
}

fn provider(lowering: &mut Lowering, resource: &Resource, kind: ProviderKind) {
    let names: &[&str] = match kind {
        ProviderKind::Oidc => &["url", "Url"],
        ProviderKind::Saml => &["name", "Name"],
    };
    let audiences = resource
        .get_any(&["client_id_list", "ClientIdList", "ClientIDList"])
        .map(|val| references(resource, &val))
        .unwrap_or_default();
    lowering.model.providers.push(Provider {
        place: Place::of(resource),
        kind,
        url: resource.get_any(names).and_then(|val| val.to_text()),
        arn: if resource.kind.starts_with("Custom::") {
            identity_text(resource, "Ref")
        } else {
            arn_of(resource)
        },
        audiences,
        attrs: resource.attrs.clone(),
    });
}

fn membership(lowering: &mut Lowering, resource: &Resource) {
    for user in named(resource, &["user", "users", "Users"]) {
        for group in named(resource, &["group", "groups", "GroupName"]) {
            lowering.model.memberships.push(Membership {
                place: Place::of(resource),
                user: user.clone(),
                group,
            });
        }
    }
}

impl Lowering {
    /// The permission set or other identity pushed last; for code that adds identities of its own.
    pub(super) fn add_identity(&mut self, identity: Identity) -> IdentityId {
        let id = IdentityId(self.model.identities.len());
        self.model.identities.push(identity);
        id
    }
}
