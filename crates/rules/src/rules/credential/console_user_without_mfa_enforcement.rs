//! `console-user-without-mfa-enforcement`: a password alone opens the console.

use crate::{Context, Family, Scope, names};
use overgrant_access::AttachedSource;
use overgrant_finding::{Confidence, Severity};
use overgrant_ir::{CredentialKind, DocumentRole, IdentityId};
use overgrant_policy::{Answer, Document, Effect, Statement, Test};

rule! {
    /// User with a console password is not made to use MFA.
    ///
    /// No policy that the user has, directly or by a group, and no service control policy of the code base
    /// denies calls without MFA. (A device in the configuration proves nothing: it has to be enrolled.)
    /// Only reported with `scope: account`.
    ///
    /// ## Why
    /// Whoever learns the password signs in.
    ///
    /// ## Bad
    /// ```terraform bad scope:module,account
    /// resource "aws_iam_user" "ann" {
    ///   name = "ann"
    /// }
    /// resource "aws_iam_user_login_profile" "ann" { # <-- here
    ///   user = aws_iam_user.ann.name
    /// }
    /// ```
    /// ```cloudformation bad scope:module,account
    /// Resources:
    ///   Ann:
    ///     Type: AWS::IAM::User
    ///     Properties:
    ///       UserName: ann
    ///       LoginProfile:
    ///         Password: "{{resolve:secretsmanager:ann}}" # <-- here
    /// ```
    /// A device in the code does not prove that it was enrolled:
    /// ```terraform bad scope:module,account also:iam-user-defined
    /// resource "aws_iam_user" "bob" {
    ///   name = "bob"
    /// }
    /// resource "aws_iam_user_login_profile" "bob" { # <-- here
    ///   user = aws_iam_user.bob.name
    /// }
    /// resource "aws_iam_virtual_mfa_device" "bob" {
    ///   virtual_mfa_device_name = "bob"
    /// }
    /// ```
    /// ## Good
    /// ```terraform good scope:module,account also:iam-user-defined,password-policy-missing-or-weak
    /// resource "aws_iam_user" "ann" {
    ///   name = "ann"
    /// }
    /// resource "aws_iam_user_login_profile" "ann" {
    ///   user = aws_iam_user.ann.name
    /// }
    /// resource "aws_iam_group" "staff" {
    ///   name = "staff"
    /// }
    /// resource "aws_iam_user_group_membership" "ann" {
    ///   user   = aws_iam_user.ann.name
    ///   groups = [aws_iam_group.staff.name]
    /// }
    /// resource "aws_iam_group_policy" "mfa" {
    ///   group = aws_iam_group.staff.name
    ///   policy = jsonencode({
    ///     Version = "2012-10-17"
    ///     Statement = [{
    ///       Effect    = "Deny"
    ///       NotAction = ["iam:CreateVirtualMFADevice", "iam:EnableMFADevice", "iam:ListMFADevices", "iam:GetUser", "iam:ChangePassword", "sts:GetSessionToken"]
    ///       Resource  = "*"
    ///       Condition = { BoolIfExists = { "aws:MultiFactorAuthPresent" = "false" } }
    ///     }]
    ///   })
    /// }
    /// ```
    /// A library of single users says nothing about their account:
    /// ```cloudformation good also:iam-user-defined
    /// Resources:
    ///   Ann:
    ///     Type: AWS::IAM::User
    ///     Properties:
    ///       UserName: ann
    ///       LoginProfile:
    ///         Password: "{{resolve:secretsmanager:ann}}"
    /// ```
    /// People who come from a directory have no password here:
    /// ```terraform good scope:module,account
    /// resource "aws_iam_saml_provider" "corp" {
    ///   name                   = "corp"
    ///   saml_metadata_document = file("corp.xml")
    /// }
    /// resource "aws_iam_role" "people" {
    ///   name = "people"
    ///   assume_role_policy = jsonencode({
    ///     Version = "2012-10-17"
    ///     Statement = [{
    ///       Effect    = "Allow"
    ///       Action    = "sts:AssumeRoleWithSAML"
    ///       Principal = { Federated = aws_iam_saml_provider.corp.arn }
    ///       Condition = { StringEquals = { "SAML:aud" = "https://signin.aws.amazon.com/saml" } }
    ///     }]
    ///   })
    /// }
    /// ```
    /// The organization may ask for MFA:
    /// ```terraform good scope:module,account also:password-policy-missing-or-weak
    /// resource "aws_iam_user" "ann" {
    ///   name = "ann"
    /// }
    /// resource "aws_iam_user_login_profile" "ann" {
    ///   user = aws_iam_user.ann.name
    /// }
    /// resource "aws_organizations_policy" "mfa" {
    ///   name = "mfa"
    ///   content = jsonencode({
    ///     Version = "2012-10-17"
    ///     Statement = [{
    ///       Effect    = "Deny"
    ///       NotAction = ["iam:CreateVirtualMFADevice", "iam:EnableMFADevice", "iam:ListMFADevices", "iam:GetUser", "iam:ChangePassword", "sts:GetSessionToken"]
    ///       Resource  = "*"
    ///       Condition = { BoolIfExists = { "aws:MultiFactorAuthPresent" = "false" } }
    ///     }]
    ///   })
    /// }
    /// ```
    /// ## How to fix
    /// Put the user into a group whose policy denies everything but the enrolment of a device without MFA,
    /// or move people to Identity Center.
    pub(crate) static CONSOLE_USER_WITHOUT_MFA_ENFORCEMENT = Rule {
        id: "console-user-without-mfa-enforcement",
        family: Family::Credential,
        severity: Severity::Medium,
        confidence: Confidence::Medium,
        scope: Scope::Account,
        since: "0.1.0",
        cwe: &[308],
        aliases: &["AWS-0123", "AWS-0145", "iam_user_mfa_enabled_console_access"],
        mappings: &[
            ("CIS5", "1.9"),
            ("FSBP", "IAM.5"),
            ("FSBP", "IAM.19"),
            ("NIST", "IA-5"),
            ("NIST", "AC-2"),
            ("NIST", "IA-2"),
            ("ATT&CK", "T1552.001"),
            ("ATT&CK", "T1078.004"),
            ("ATT&CK", "T1098.001"),
        ],
        references: &["https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_examples_aws_my-sec-creds-self-manage-mfa-only.html"],
        check: check,
    };
}

fn check(cx: &mut Context<'_>) {
    let model = cx.model;
    let by_organization = model.documents.iter().any(|policy| {
        policy.role == DocumentRole::ServiceControl && enforces(&policy.document)
    });
    if by_organization {
        return;
    }
    for profile in &model.credentials {
        if profile.kind != CredentialKind::LoginProfile {
            continue;
        }
        let user = profile.user.as_ref().and_then(|user| {
            let id = cx.access.identity(&user.text, &profile.place.root)?;
            Some((id, model.identity(id)?))
        });
        let Some((id, user)) = user else { continue };
        let answer = enforced(cx, id);
        if answer == Answer::Must {
            continue;
        }
        let text = format!(
            "{} signs in to the console with a password alone: no policy denies calls without MFA",
            names::identity(user)
        );
        let report = cx
            .finding(&profile.place, &profile.src, text)
            .cell(user.name.key())
            .principal(&user.place)
            .answer(answer.negate())
            .help("attach a policy that denies everything but enrolment without MFA");
        cx.report(report);
    }
}

/// Whether a policy of the user makes MFA necessary; MAY where one could not be read.
fn enforced(cx: &Context<'_>, id: IdentityId) -> Answer {
    let policies = cx.access.policies(id);
    if policies.iter().any(|one| enforces(&one.document)) {
        Answer::Must
    } else if policies.iter().any(|one| one.source == AttachedSource::Unresolved) {
        Answer::May
    } else {
        Answer::No
    }
}

/// Whether a document denies calls without MFA, and not only a few actions.
fn enforces(document: &Document) -> bool {
    let keyed = |statement: &Statement| {
        statement.conditions.items.iter().any(|condition| {
            condition.key.is("aws:MultiFactorAuthPresent")
                && matches!(condition.operator.test, Test::Bool | Test::Null)
        })
    };
    document.statements.iter().any(|statement| {
        let wide = statement.actions.listed().negated
            || statement.actions.covers_all() == Answer::Must
            || statement.actions.must().len() > 1000;
        let deny = statement.effect == Effect::Deny && wide;
        // Rights that exist with MFA only do the same where nothing else is granted.
        keyed(statement) && (deny || (statement.effect == Effect::Allow && document.statements.len() == 1))
    })
}
