//! `user-direct-policy`: A policy is attached to a user directly.

use crate::{Context, Family, Scope};
use overgrant_finding::{Confidence, Severity};
use overgrant_ir::{DocumentRole, IdentityKind, Place};
use overgrant_value::{Src, Text};

rule! {
    /// A policy is attached to a user directly.
    ///
    /// Rights that hang on single users are overlooked when people change tasks or leave.
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
            report(cx, &document.place, &document.argument_src, "an inline policy", &target.text);
        }
    }
}

fn is_user(cx: &Context<'_>, text: &Text, place: &Place) -> bool {
    cx.access
        .identity(text, &place.root)
        .and_then(|id| cx.model.identity(id))
        .is_some_and(|identity| identity.kind == IdentityKind::User)
}

fn report(cx: &mut Context<'_>, place: &Place, src: &Src, what: &str, user: &Text) {
    let report = cx
        .finding(place, src, format!("{what} is attached to user `{user}` directly"))
        .cell(user.key())
        .help("attach it to a group or to a role that the user assumes");
    cx.report(report);
}
