//! `user-direct-policy`: A policy is attached to a user directly.

use crate::listed::is_listed;
use crate::{Context, Family, Scope};
use overgrant_finding::{Confidence, Severity};
use overgrant_ir::{DocumentRole, Identity, IdentityId, IdentityKind, Place};
use overgrant_value::{Src, Text};

rule! {
    /// A policy is attached to a user directly.
    ///
    /// Rights that hang on single users are overlooked when people change tasks or leave. Users of tools that
    /// the configuration names (`security_roles`, `deployer_roles`, `break_glass`) may have one policy each.
    ///
    /// ## Why
    /// A user keeps rights that nobody reviews; whoever gets the user's key has them too.
    ///
    /// ## Bad
    /// ```terraform bad
    /// resource "aws_iam_user_policy_attachment" "ci" {
    ///   user       = "ci"
    ///   policy_arn = "arn:aws:iam::aws:policy/ReadOnlyAccess" # <-- here
    /// }
    /// ```
    /// ```cloudformation bad also:iam-user-defined
    /// Resources:
    ///   Ci:
    ///     Type: AWS::IAM::User
    ///     Properties:
    ///       ManagedPolicyArns:
    ///         - arn:aws:iam::aws:policy/ReadOnlyAccess # <-- here
    /// ```
    /// ## Good
    /// ```terraform good
    /// resource "aws_iam_group" "ci" {
    ///   name = "ci"
    /// }
    ///
    /// resource "aws_iam_group_policy_attachment" "ci" {
    ///   group      = aws_iam_group.ci.name
    ///   policy_arn = "arn:aws:iam::aws:policy/SecurityAudit"
    /// }
    /// ```
    /// ```cloudformation good
    /// Resources:
    ///   Ci:
    ///     Type: AWS::IAM::Group
    ///     Properties:
    ///       ManagedPolicyArns:
    ///         - arn:aws:iam::aws:policy/SecurityAudit
    /// ```
    /// A boundary limits and grants nothing:
    /// ```terraform good
    /// resource "aws_iam_user" "ci" {
    ///   name                 = "ci"
    ///   permissions_boundary = "arn:aws:iam::111122223333:policy/limit"
    /// }
    /// ```
    /// People look after their devices by a policy of their group:
    /// ```terraform good
    /// resource "aws_iam_group" "people" {
    ///   name = "people"
    /// }
    /// resource "aws_iam_group_policy" "own_mfa" {
    ///   group = aws_iam_group.people.name
    ///   policy = jsonencode({
    ///     Version = "2012-10-17"
    ///     Statement = [{
    ///       Effect   = "Allow"
    ///       Action   = ["iam:EnableMFADevice", "iam:ResyncMFADevice", "iam:ListMFADevices"]
    ///       Resource = "arn:aws:iam::*:user/$${aws:username}"
    ///     }]
    ///   })
    /// }
    /// resource "aws_iam_group_membership" "people" {
    ///   name  = "people"
    ///   group = aws_iam_group.people.name
    ///   users = ["ana"]
    /// }
    /// ```
    /// A scanner that signs in as a user, with the one policy it needs, is on the list of security tools:
    /// ```terraform good security_roles:aws_iam_user.scanner
    /// resource "aws_iam_user" "scanner" {
    ///   name = "scanner"
    /// }
    /// resource "aws_iam_user_policy_attachment" "scanner" {
    ///   user       = aws_iam_user.scanner.name
    ///   policy_arn = "arn:aws:iam::aws:policy/SecurityAudit"
    /// }
    /// ```
    /// ## How to fix
    /// Attach the policy to a group, or better to a role that the user assumes.
    pub(crate) static USER_DIRECT_POLICY = Rule {
        id: "user-direct-policy",
        family: Family::Credential,
        severity: Severity::Low,
        confidence: Confidence::High,
        scope: Scope::Module,
        since: "0.1.0",
        cwe: &[284],
        aliases: &[
            "CKV_AWS_40",
            "AWS-0143",
            "F10",
            "F11",
            "F12",
            "HIPAA.Security-IAMUserNoPolicies",
        ],
        mappings: &[
            ("CIS5", "1.14"),
            ("CIS3", "1.15"),
            ("FSBP", "IAM.2"),
            ("NIST", "IA-5"),
            ("NIST", "AC-2"),
            ("NIST", "IA-2"),
            ("ATT&CK", "T1552.001"),
            ("ATT&CK", "T1078.004"),
            ("ATT&CK", "T1098.001"),
        ],
        references: &["https://docs.aws.amazon.com/IAM/latest/UserGuide/access_policies_manage-attach-detach.html"],
        check: check,
    };
}

fn check(cx: &mut Context<'_>) {
    let model = cx.model;
    for attachment in &model.attachments {
        let is_user = attachment.identity_kind == Some(IdentityKind::User)
            || (attachment.identity_kind.is_none()
                && is_user(cx, &attachment.identity.text, &attachment.place));
        if is_user {
            let what = format!("policy `{}`", attachment.policy.text);
            report(cx, &attachment.place, &attachment.policy.src, &what, &attachment.identity.text);
        }
    }
    for document in &model.documents {
        if document.role != DocumentRole::Inline {
            continue;
        }
        let Some(target) = document.targets.first() else {
            continue;
        };
        let kind = document.place.kind.as_str();
        let is_user = matches!(kind, "aws_iam_user_policy" | "AWS::IAM::UserPolicy" | "AWS::IAM::User")
            || is_user(cx, &target.text, &document.place);
        if is_user {
            // A resource of its own goes as a whole.
            let src = if kind == "AWS::IAM::User" { &document.argument_src } else { &document.place.name_src };
            report(cx, &document.place, src, "an inline policy", &target.text);
        }
    }
}

fn identity<'a>(cx: &Context<'a>, text: &Text, place: &Place) -> Option<(IdentityId, &'a Identity)> {
    let id = cx.access.identity(text, &place.root)?;
    Some((id, cx.model.identity(id)?))
}

fn is_user(cx: &Context<'_>, text: &Text, place: &Place) -> bool {
    identity(cx, text, place).is_some_and(|(_, identity)| identity.kind == IdentityKind::User)
}

/// Whether the user is a tool of the configuration that has this policy alone.
fn is_tool(cx: &Context<'_>, text: &Text, place: &Place) -> bool {
    let settings = cx.settings;
    let lists = [&settings.security_roles, &settings.deployer_roles, &settings.break_glass];
    identity(cx, text, place).is_some_and(|(id, user)| {
        let direct = cx.access.policies(id).iter().filter(|one| one.group.is_none());
        lists.iter().any(|list| is_listed(list, user)) && direct.count() == 1
    })
}

fn report(cx: &mut Context<'_>, place: &Place, src: &Src, what: &str, user: &Text) {
    if is_tool(cx, user, place) {
        return;
    }
    let report = cx
        .finding(place, src, format!("{what} is attached to user `{user}` directly"))
        .cell(user.key())
        .help("attach it to a group or to a role that the user assumes");
    cx.report(report);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::Scene;

    #[test]
    fn a_tool_has_one_policy() {
        let found = |policies: &[&str]| {
            let mut scene = Scene::new().resource("aws_iam_user", "scan", r#"{"name":"scan"}"#);
            scene.settings.security_roles = vec!["arn:aws:iam::*:user/scan".to_owned()];
            for policy in policies {
                let attrs =
                    format!(r#"{{"user":"scan","policy_arn":"arn:aws:iam::aws:policy/{policy}"}}"#);
                scene = scene.resource("aws_iam_user_policy_attachment", policy, &attrs);
            }
            scene.places(&USER_DIRECT_POLICY).len()
        };
        assert_eq!(found(&["SecurityAudit"]), 0);
        assert_eq!(found(&["SecurityAudit", "ReadOnlyAccess"]), 2);
    }
}
