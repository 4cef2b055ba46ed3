//! `mfa-deny-misses-long-term-keys`: A Deny without MFA does not reach access keys.

use crate::names;
use crate::{Context, Family, Scope, fixes};
use overgrant_finding::{Confidence, Severity};
use overgrant_ir::{DocumentId, IdentityKind};
use overgrant_policy::{Condition, Document, Effect, Test};

rule! {
    /// A Deny without MFA does not reach access keys.
    ///
    /// `Bool` on `aws:MultiFactorAuthPresent` = `false` needs the key in the request. Requests signed with
    /// long-lived access keys lack it, so the Deny does not match them.
    ///
    /// ## Why
    /// The policy promises that nothing works without MFA. A stolen access key works.
    ///
    /// ## Bad
    /// ```terraform bad
    /// resource "aws_iam_group_policy" "mfa" {
    ///   name  = "require-mfa"
    ///   group = "developers"
    ///   policy = jsonencode({
    ///     Version = "2012-10-17"
    ///     Statement = [{
    ///       Effect    = "Deny"
    ///       NotAction = ["iam:EnableMFADevice", "iam:CreateVirtualMFADevice", "sts:GetSessionToken"]
    ///       Resource  = "*"
    ///       Condition = { Bool = { "aws:MultiFactorAuthPresent" = "false" } } # <-- here
    ///     }]
    ///   })
    /// }
    /// ```
    /// ```cloudformation bad
    /// Resources:
    ///   Mfa:
    ///     Type: AWS::IAM::ManagedPolicy
    ///     Properties:
    ///       PolicyDocument:
    ///         Version: "2012-10-17"
    ///         Statement:
    ///           - Effect: Deny
    ///             NotAction: [iam:EnableMFADevice, sts:GetSessionToken]
    ///             Resource: "*"
    ///             Condition:
    ///               Bool: # <-- here
    ///                 aws:MultiFactorAuthPresent: false
    /// ```
    /// The same as JSON:
    /// ```terraform bad
    /// resource "aws_iam_group_policy" "mfa" {
    ///   name  = "require-mfa"
    ///   group = "developers"
    ///   policy = <<-JSON
    ///     {
    ///       "Version": "2012-10-17",
    ///       "Statement": [
    ///         {
    ///           "Effect": "Deny",
    ///           "NotAction": ["iam:EnableMFADevice", "iam:CreateVirtualMFADevice", "sts:GetSessionToken"],
    ///           "Resource": "*",
    ///           "Condition": {
    ///             "Bool": {"aws:MultiFactorAuthPresent": "false"} # <-- here
    ///           }
    ///         }
    ///       ]
    ///     }
    ///   JSON
    /// }
    /// ```
    /// ## Good
    /// ```terraform good
    /// resource "aws_iam_group_policy" "mfa" {
    ///   name  = "require-mfa"
    ///   group = "developers"
    ///   policy = jsonencode({
    ///     Version = "2012-10-17"
    ///     Statement = [{
    ///       Effect    = "Deny"
    ///       NotAction = ["iam:EnableMFADevice", "iam:CreateVirtualMFADevice", "sts:GetSessionToken"]
    ///       Resource  = "*"
    ///       Condition = { BoolIfExists = { "aws:MultiFactorAuthPresent" = "false" } }
    ///     }]
    ///   })
    /// }
    /// ```
    /// ```cloudformation good
    /// Resources:
    ///   Mfa:
    ///     Type: AWS::IAM::ManagedPolicy
    ///     Properties:
    ///       PolicyDocument:
    ///         Version: "2012-10-17"
    ///         Statement:
    ///           - Effect: Deny
    ///             NotAction: [iam:EnableMFADevice, sts:GetSessionToken]
    ///             Resource: "*"
    ///             Condition:
    ///               Bool:
    ///                 aws:MultiFactorAuthPresent: "false"
    ///           - Effect: Deny
    ///             NotAction: [iam:EnableMFADevice, sts:GetSessionToken]
    ///             Resource: "*"
    ///             Condition:
    ///               "Null":
    ///                 aws:MultiFactorAuthPresent: "true"
    /// ```
    /// A role has no access keys, so the key is always there:
    /// ```terraform good
    /// resource "aws_iam_role" "people" {
    ///   name = "people"
    ///   assume_role_policy = jsonencode({
    ///     Version = "2012-10-17"
    ///     Statement = [{
    ///       Effect    = "Allow"
    ///       Action    = "sts:AssumeRole"
    ///       Principal = { AWS = "arn:aws:iam::111122223333:root" }
    ///       Condition = { Bool = { "aws:MultiFactorAuthPresent" = "true" } }
    ///     }]
    ///   })
    /// }
    /// resource "aws_iam_role_policy" "people" {
    ///   role = aws_iam_role.people.name
    ///   policy = jsonencode({
    ///     Version = "2012-10-17"
    ///     Statement = [{
    ///       Effect    = "Deny"
    ///       Action    = "ec2:TerminateInstances"
    ///       Resource  = "*"
    ///       Condition = { Bool = { "aws:MultiFactorAuthPresent" = "false" } }
    ///     }]
    ///   })
    /// }
    /// ```
    /// ## How to fix
    /// Use `BoolIfExists`, which also holds when the key is absent.
    pub(crate) static MFA_DENY_MISSES_LONG_TERM_KEYS = Rule {
        id: "mfa-deny-misses-long-term-keys",
        family: Family::Condition,
        severity: Severity::High,
        confidence: Confidence::High,
        scope: Scope::Module,
        since: "0.1.0",
        cwe: &[697, 863],
        aliases: &["BAD_PATTERN_FOR_MFA"],
        mappings: &[("NIST", "IA-2(1)"), ("CIS5", "1.9"), ("ATT&CK", "T1548")],
        references: &["https://docs.aws.amazon.com/IAM/latest/UserGuide/id_credentials_mfa_configure-api-require.html"],
        check: check,
    };
}

fn check(cx: &mut Context<'_>) {
    let model = cx.model;
    for (id, document) in model.all_documents() {
        if !document.role.is_identity() || closes(&document.document) || is_for_roles(cx, id) {
            continue;
        }
        for statement in &document.document.statements {
            if statement.effect != Effect::Deny || statement.conditions.open {
                continue;
            }
            let Some(condition) = statement.conditions.items.iter().find(|condition| misses(condition)) else {
                continue;
            };
            let report = cx
                .finding(
                    &document.place,
                    &condition.operator_src,
                    format!(
                        "the Deny without MFA in {} does not reach access keys",
                        names::document(document)
                    ),
                )
                .statement(statement)
                .when(&condition.guard)
                .help(format!("use {}IfExists", condition.operator.name));
            let wanted = format!("{}IfExists", condition.operator.name);
            let edit = fixes::operator(statement, condition, &wanted);
            cx.report(report.fix(edit.map(|edit| fixes::changing("Deny requests without the key too", [edit]))));
        }
    }
}

/// Whether only roles hold the document: they have no access keys, and their sessions carry the key.
/// Source: IAM, "AWS global condition context keys" (`aws:MultiFactorAuthPresent`).
fn is_for_roles(cx: &Context<'_>, document: DocumentId) -> bool {
    let uses = cx.access.uses(document);
    !uses.is_empty()
        && uses.iter().all(|one| {
            let holder = cx.model.identity(one.identity);
            holder.is_some_and(|holder| holder.kind == IdentityKind::Role)
        })
}

fn misses(condition: &Condition) -> bool {
    let false_value = || {
        condition
            .values
            .iter()
            .any(|value| value.known().is_some_and(|known| known.eq_ignore_ascii_case("false")))
    };
    let plain = !condition.operator.if_exists && condition.operator.set.is_none();
    plain
        && match &condition.operator.test {
            Test::Bool => condition.key.is("aws:MultiFactorAuthPresent") && false_value(),
            Test::Numeric(rest) => {
                condition.key.is("aws:MultiFactorAuthAge") && rest.starts_with("greaterthan")
            }
            _ => false,
        }
}

/// Another Deny that matches requests without the key.
fn closes(document: &Document) -> bool {
    document.denies().any(|deny| {
        deny.conditions.items.iter().any(|condition| {
            let mfa = condition.key.is("aws:MultiFactorAuthPresent")
                || condition.key.is("aws:MultiFactorAuthAge");
            let null = condition.operator.test == Test::Null
                && condition
                    .values
                    .iter()
                    .any(|value| value.known().is_some_and(|known| known.eq_ignore_ascii_case("true")));
            mfa && (null || condition.operator.if_exists || condition.operator.is_negated())
        })
    })
}
