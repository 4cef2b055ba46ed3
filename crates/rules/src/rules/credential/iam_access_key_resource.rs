//! `iam-access-key-resource`: A long-lived access key is made by the configuration.

use crate::grants::{self, list_actions, writes};
use crate::{Context, Family, Scope, escalate};
use overgrant_catalog::Action;
use overgrant_finding::{Confidence, Severity};
use overgrant_ir::{CredentialKind, IdentityId};

rule! {
    /// A long-lived access key is made by the configuration.
    ///
    /// The key has no end, and its secret is stored in the state or in the stack's outputs. The finding is
    /// high where the user may change something beside his own credentials, unless `pgp_key` keeps the secret
    /// out of the state.
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
    /// The user of this key writes:
    /// ```terraform bad at:high
    /// resource "aws_iam_user" "upload" {
    ///   name = "upload"
    /// }
    /// resource "aws_iam_user_policy" "upload" {
    ///   user = aws_iam_user.upload.name
    ///   policy = jsonencode({
    ///     Version   = "2012-10-17"
    ///     Statement = [{ Effect = "Allow", Action = "s3:PutObject", Resource = "arn:aws:s3:::acme-uploads/*" }]
    ///   })
    /// }
    /// resource "aws_iam_access_key" "upload" { # <-- here
    ///   user = aws_iam_user.upload.name
    /// }
    /// ```
    /// Encrypted for one person, the secret is not in the state, and the key still has no end:
    /// ```terraform bad at:medium
    /// resource "aws_iam_user" "upload" {
    ///   name = "upload"
    /// }
    /// resource "aws_iam_user_policy" "upload" {
    ///   user = aws_iam_user.upload.name
    ///   policy = jsonencode({
    ///     Version   = "2012-10-17"
    ///     Statement = [{ Effect = "Allow", Action = "s3:PutObject", Resource = "arn:aws:s3:::acme-uploads/*" }]
    ///   })
    /// }
    /// resource "aws_iam_access_key" "upload" { # <-- here
    ///   user    = aws_iam_user.upload.name
    ///   pgp_key = "keybase:acme"
    /// }
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
        let changes = owner.map_or_else(Vec::new, |owner| changes(cx, owner));
        let mut text = format!("`{}` makes a long-lived access key{user}", place.address);
        if owner.is_some_and(|owner| escalate::is_admin(cx, owner)) {
            text.push_str(", which is administrator");
        } else if changes.len() > MOST {
            text.push_str(", which may change nearly everything");
        } else if !changes.is_empty() {
            text.push_str(&format!(", which may use {}", list_actions(&changes)));
        }
        let encrypted = credential.attribute == "encrypted_secret";
        let severity = if changes.is_empty() || encrypted { Severity::Medium } else { Severity::High };
        let mut report = cx
            .finding(place, &place.name_src, text)
            .cell("access key")
            .severity(severity)
            .help("use a role: for services of AWS directly, for CI over OIDC, elsewhere over Roles Anywhere");
        if owner.is_some_and(|owner| escalate::reaches_admin(cx, owner)) {
            report = report.note("the user is administrator, or can become it");
        }
        cx.report(report);
    }
}

/// More actions than this are no list to read from: AWS has some 13,000 that change something.
const MOST: usize = 8_000;

/// What the user may change, his own credentials aside; what is worth most first.
fn changes(cx: &Context<'_>, user: IdentityId) -> Vec<Action<'static>> {
    let granted = cx.access.actions_on_something(user);
    let mut changes: Vec<Action<'static>> = granted
        .actions()
        .filter(|action| writes(*action) && reaches_others(cx, user, *action))
        .collect();
    changes.sort_by_key(|action| std::cmp::Reverse(action.level()));
    changes
}

/// Whether a policy grants the action on more than what bears the user's own name.
fn reaches_others(cx: &Context<'_>, user: IdentityId, action: Action<'_>) -> bool {
    if action.service().prefix() != "iam" {
        return true;
    }
    let name = action.to_string();
    let own = |pattern: String| pattern.to_ascii_lowercase().ends_with("/${aws:username}");
    cx.access.policies(user).iter().any(|attached| {
        attached.document.allows().any(|statement| {
            let listed = statement.resources.listed();
            statement.actions.select(&name).possible()
                && (listed.negated
                    || listed.items.iter().any(|item| !own(item.pattern().to_string())))
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{Scene, quoted};

    fn severity(statement: &str) -> Severity {
        let policy = format!(r#"{{"user":"u","policy":{}}}"#, quoted(statement));
        let found = Scene::new()
            .resource("aws_iam_user", "u", r#"{"name":"u"}"#)
            .resource("aws_iam_user_policy", "p", &policy)
            .resource("aws_iam_access_key", "k", r#"{"user":"u"}"#)
            .run(&IAM_ACCESS_KEY_RESOURCE);
        found[0].1.severity
    }

    #[test]
    fn what_changes_nearly_everything_is_not_listed() {
        let policy = quoted(r#"{"Effect":"Allow","NotAction":"iam:*","Resource":"*"}"#);
        let found = Scene::new()
            .resource("aws_iam_user", "u", r#"{"name":"u"}"#)
            .resource("aws_iam_user_policy", "p", &format!(r#"{{"user":"u","policy":{policy}}}"#))
            .resource("aws_iam_access_key", "k", r#"{"user":"u"}"#)
            .run(&IAM_ACCESS_KEY_RESOURCE);
        let message = &found[0].1.message;
        assert!(message.ends_with("may change nearly everything"), "{message}");
    }

    #[test]
    fn readers_and_own_credentials_are_no_writers() {
        let on = |action: &str, resource: &str| {
            severity(&format!(
                r#"{{"Effect":"Allow","Action":"{action}","Resource":"{resource}"}}"#
            ))
        };
        assert_eq!(on("s3:Get*", "*"), Severity::Medium);
        assert_eq!(on("iam:*AccessKey*", "arn:aws:iam::*:user/${aws:username}"), Severity::Medium);
        assert_eq!(on("iam:*AccessKey*", "*"), Severity::High);
        assert_eq!(on("sqs:SendMessage", "arn:aws:sqs:*:*:orders"), Severity::High);
    }
}
