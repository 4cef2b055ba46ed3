//! `iam-access-key-resource`: A long-lived access key is made by the configuration.

use crate::grants;
use crate::{Context, Family, Scope};
use overgrant_finding::{Confidence, Severity};
use overgrant_ir::CredentialKind;

rule! {
    /// A long-lived access key is made by the configuration.
    ///
    /// The key has no end, and its secret is stored in the state or in the stack's outputs.
    ///
    /// ## Why
    /// Whoever reads the state, a log or the place the key is copied to works as the user, from anywhere,
    /// until somebody rotates the key by hand.
    ///
    /// ## Bad
    /// ```terraform bad
    /// resource "aws_iam_user" "ci" {
    ///   name = "ci"
    /// }
    ///
    /// resource "aws_iam_access_key" "ci" { # <-- here
    ///   user = aws_iam_user.ci.name
    /// }
    /// ```
    /// ```cloudformation bad
    /// Resources:
    ///   CiKey: # <-- here
    ///     Type: AWS::IAM::AccessKey
    ///     Properties:
    ///       UserName: ci
    /// ```
    /// ## Good
    /// ```terraform good
    /// resource "aws_iam_role" "ci" {
    ///   name = "ci"
    ///   assume_role_policy = jsonencode({
    ///     Version = "2012-10-17"
    ///     Statement = [{
    ///       Effect    = "Allow"
    ///       Action    = "sts:AssumeRole"
    ///       Principal = { Service = "codebuild.amazonaws.com" }
    ///     }]
    ///   })
    /// }
    /// ```
    /// ```cloudformation good
    /// Resources:
    ///   Ci:
    ///     Type: AWS::IAM::Role
    ///     Properties:
    ///       AssumeRolePolicyDocument:
    ///         Version: "2012-10-17"
    ///         Statement:
    ///           - Effect: Allow
    ///             Action: sts:AssumeRole
    ///             Principal: { Service: codebuild.amazonaws.com }
    /// ```
    /// Keys for sending mail are the only way of SMTP:
    /// ```terraform good
    /// resource "aws_iam_user" "mail" {
    ///   name = "mail"
    /// }
    /// resource "aws_iam_user_policy" "mail" {
    ///   user = aws_iam_user.mail.name
    ///   policy = jsonencode({
    ///     Version   = "2012-10-17"
    ///     Statement = [{ Effect = "Allow", Action = "ses:SendRawEmail", Resource = "arn:aws:ses:eu-west-1:111122223333:identity/example.com" }]
    ///   })
    /// }
    /// resource "aws_iam_access_key" "mail" {
    ///   user = aws_iam_user.mail.name
    /// }
    /// ```
    /// ## How to fix
    /// Give workloads in AWS a role, CI systems an OIDC trust, and machines elsewhere IAM Roles Anywhere.
    pub(crate) static IAM_ACCESS_KEY_RESOURCE = Rule {
        id: "iam-access-key-resource",
        family: Family::Credential,
        severity: Severity::Medium,
        confidence: Confidence::High,
        scope: Scope::Module,
        since: "0.1.0",
        cwe: &[798, 522],
        aliases: &[],
        mappings: &[
            ("CIS5", "1.10"),
            ("CIS5", "1.11"),
            ("CIS5", "1.12"),
            ("CIS5", "1.13"),
            ("FSBP", "IAM.3"),
            ("NIST", "IA-5"),
            ("NIST", "AC-2"),
            ("NIST", "IA-2"),
            ("ATT&CK", "T1552.001"),
            ("ATT&CK", "T1078.004"),
            ("ATT&CK", "T1098.001"),
        ],
        references: &["https://docs.aws.amazon.com/IAM/latest/UserGuide/best-practices.html"],
        check: check,
    };
}

fn check(cx: &mut Context<'_>) {
    let model = cx.model;
    for credential in &model.credentials {
        if credential.kind != CredentialKind::AccessKey {
            continue;
        }
        let place = &credential.place;
        let owner = credential
            .user
            .as_ref()
            .and_then(|user| cx.access.identity(&user.text, &place.root));
        if owner.is_some_and(|owner| grants::only_sends_mail(cx, owner)) {
            continue;
        }
        let user = credential
            .user
            .as_ref()
            .and_then(|user| user.text.as_known())
            .filter(|name| !name.is_empty())
            .map_or_else(String::new, |name| format!(" for user `{name}`"));
        let report = cx
            .finding(
                place,
                &place.name_src,
                format!("`{}` makes a long-lived access key{user}", place.address),
            )
            .cell("access key")
            .help("use a role: for services of AWS directly, for CI over OIDC, elsewhere over Roles Anywhere");
        cx.report(report);
    }
}
