//! The caller of rows that are walked by a permission set: the set with its policies in both formats.
//!
//! Invariant: the set is called `caller`, and its rights are those that are given.

use super::scene::{Change, EVERYTHING, Scene, allow, document};

/// Adds the set; its rights in one or two policies, under a boundary where the change has one.
pub(super) fn add(scene: &mut Scene, legs: &[String], change: Change) {
    let (inline, customer) = match change {
        Change::Split => legs.split_at(legs.len() / 2),
        _ => (legs, &legs[legs.len()..]),
    };
    let boundary = match change {
        Change::Narrow => Some(allow("s3:GetObject", "*")),
        Change::Wide => Some(EVERYTHING.to_owned()),
        _ => None,
    };
    for (name, statements) in [
        ("two", customer.to_vec()),
        ("bound", boundary.clone().into_iter().collect()),
    ] {
        if !statements.is_empty() {
            scene.managed("role", None, name, &statements);
        }
    }
    let own = document(inline);
    if scene.terraform {
        let of = r#""permission_set_arn":"caller""#;
        let mut part = |kind: &str, attrs: &str| {
            scene.add(kind, "", "caller", (&format!("{{{attrs}}}"), ""));
        };
        part("aws_ssoadmin_permission_set", r#""name":"caller""#);
        part(
            "aws_ssoadmin_permission_set_inline_policy",
            &format!(r#"{of},"inline_policy":{own:?}"#),
        );
        if !customer.is_empty() {
            part(
                "aws_ssoadmin_customer_managed_policy_attachment",
                &format!(r#"{of},"customer_managed_policy_reference":[{{"name":"two"}}]"#),
            );
        }
        if boundary.is_some() {
            part(
                "aws_ssoadmin_permissions_boundary_attachment",
                &format!(
                    r#"{of},"permissions_boundary":[{{"customer_managed_policy_reference":[{{"name":"bound"}}]}}]"#
                ),
            );
        }
        return;
    }
    let mut attrs = format!(r#""Name":"caller","InlinePolicy":{own}"#);
    if !customer.is_empty() {
        attrs += r#","CustomerManagedPolicyReferences":[{"Name":"two"}]"#;
    }
    if boundary.is_some() {
        attrs += r#","PermissionsBoundary":{"CustomerManagedPolicyReference":{"Name":"bound"}}"#;
    }
    let kind = "AWS::SSO::PermissionSet";
    scene.add("", kind, "caller", ("", &format!("{{{attrs}}}")));
}
