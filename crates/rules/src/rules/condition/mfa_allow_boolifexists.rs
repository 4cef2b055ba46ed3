//! `mfa-allow-boolifexists`: an Allow that should ask for MFA passes without it.

use crate::caller::surely_present;
use crate::names;
use crate::{Context, Family, Scope, fixes};
use overgrant_finding::{Confidence, Severity};
use overgrant_policy::{Document, Effect, Operator, Test};

rule! {
    /// An Allow that should ask for MFA passes without it.
    ///
    /// `BoolIfExists` on `aws:MultiFactorAuthPresent` holds when the request lacks the key, and requests
    /// with long-lived access keys always lack it.
    ///
    /// ## Why
    /// Whoever steals an access key uses the grant without a second factor.
    ///
    /// ## Bad
    /// ```terraform bad
    /// resource "aws_iam_policy" "ops" {
    ///   name = "ops"
    ///   policy = jsonencode({
    ///     Version = "2012-10-17"
    ///     Statement = [{
    ///       Effect    = "Allow"
    ///       Action    = "ec2:StopInstances"
    ///       Resource  = "arn:aws:ec2:eu-west-1:111122223333:instance/*"
    ///       Condition = { BoolIfExists = { "aws:MultiFactorAuthPresent" = "true" } } # <-- here
    ///     }]
    ///   })
    /// }
    /// ```
    /// ```cloudformation bad
    /// Resources:
    ///   Ops:
    ///     Type: AWS::IAM::ManagedPolicy
    ///     Properties:
    ///       PolicyDocument:
    ///         Version: "2012-10-17"
    ///         Statement:
    ///           - Effect: Allow
    ///             Action: ec2:StopInstances
    ///             Resource: arn:aws:ec2:eu-west-1:111122223333:instance/*
    ///             Condition:
    ///               BoolIfExists: # <-- here
    ///                 aws:MultiFactorAuthPresent: "true"
    /// ```
    /// The same as a policy document of Terraform:
    /// ```terraform bad
    /// data "aws_iam_policy_document" "ops" {
    ///   statement {
    ///     actions   = ["ec2:StopInstances"]
    ///     resources = ["arn:aws:ec2:eu-west-1:111122223333:instance/*"]
    ///     condition {
    ///       test     = "BoolIfExists" # <-- here
    ///       variable = "aws:MultiFactorAuthPresent"
    ///       values   = ["true"]
    ///     }
    ///   }
    /// }
    /// resource "aws_iam_policy" "ops" {
    ///   name = "ops"
    ///   policy = data.aws_iam_policy_document.ops.json
    /// }
    /// ```
    /// ## Good
    /// ```terraform good
    /// resource "aws_iam_policy" "ops" {
    ///   name = "ops"
    ///   policy = jsonencode({
    ///     Version = "2012-10-17"
    ///     Statement = [{
    ///       Effect    = "Allow"
    ///       Action    = "ec2:StopInstances"
    ///       Resource  = "arn:aws:ec2:eu-west-1:111122223333:instance/*"
    ///       Condition = { Bool = { "aws:MultiFactorAuthPresent" = "true" } }
    ///     }]
    ///   })
    /// }
    /// ```
    /// ```cloudformation good
    /// Resources:
    ///   Ops:
    ///     Type: AWS::IAM::ManagedPolicy
    ///     Properties:
    ///       PolicyDocument:
    ///         Version: "2012-10-17"
    ///         Statement:
    ///           - Effect: Allow
    ///             Action: ec2:StopInstances
    ///             Resource: arn:aws:ec2:eu-west-1:111122223333:instance/*
    ///           - Effect: Deny
    ///             Action: "*"
    ///             Resource: "*"
    ///             Condition:
    ///               BoolIfExists:
    ///                 aws:MultiFactorAuthPresent: "false"
    /// ```
    /// A Deny beside it closes the gap:
    /// ```terraform good
    /// resource "aws_iam_policy" "ops" {
    ///   name = "ops"
    ///   policy = jsonencode({
    ///     Version = "2012-10-17"
    ///     Statement = [
    ///       {
    ///         Effect    = "Allow"
    ///         Action    = "ec2:StopInstances"
    ///         Resource  = "arn:aws:ec2:eu-west-1:111122223333:instance/*"
    ///         Condition = { BoolIfExists = { "aws:MultiFactorAuthPresent" = "true" } }
    ///       },
    ///       {
    ///         Effect    = "Deny"
    ///         Action    = "ec2:*"
    ///         Resource  = "*"
    ///         Condition = { BoolIfExists = { "aws:MultiFactorAuthPresent" = "false" } }
    ///       },
    ///     ]
    ///   })
    /// }
    /// ```
    /// ## How to fix
    /// Use `Bool` in an Allow; `BoolIfExists` with `false` belongs into a Deny.
    pub(crate) static MFA_ALLOW_BOOLIFEXISTS = Rule {
        id: "mfa-allow-boolifexists",
        family: Family::Condition,
        severity: Severity::High,
        confidence: Confidence::High,
        scope: Scope::Module,
        since: "0.1.0",
        cwe: &[697, 863],
        aliases: &["BAD_PATTERN_FOR_MFA"],
        mappings: &[("NIST", "IA-2(1)"), ("ATT&CK", "T1548")],
        references: &["https://docs.aws.amazon.com/IAM/latest/UserGuide/id_credentials_mfa_configure-api-require.html"],
        check: check,
    };
}

const KEYS: [&str; 2] = ["aws:MultiFactorAuthPresent", "aws:MultiFactorAuthAge"];

fn check(cx: &mut Context<'_>) {
    let model = cx.model;
    for document in &model.documents {
        for statement in &document.document.statements {
            if statement.effect != Effect::Allow || denies_without_mfa(&document.document) {
                continue;
            }
            let gap = KEYS.iter().find_map(|key| {
                let condition = statement
                    .conditions
                    .on(key)
                    .find(|condition| condition.operator.if_exists && asks(&condition.operator))?;
                let sure = surely_present(&statement.conditions, key)
                    || statement
                        .conditions
                        .on(key)
                        .any(|other| !other.operator.holds_without_key() && other.operator.test != Test::Null);
                (!sure).then_some(condition)
            });
            let Some(condition) = gap else {
                continue;
            };
            let wants = condition
                .values
                .iter()
                .all(|value| value.known().is_some_and(|known| !known.eq_ignore_ascii_case("false")));
            if !wants {
                continue;
            }
            let report = cx
                .finding(
                    &document.place,
                    &condition.operator_src,
                    format!(
                        "`{}` in {} lets access keys pass without MFA",
                        condition.operator.name,
                        names::document(document)
                    ),
                )
                .statement(statement)
                .when(&condition.guard)
                .help("use the operator without IfExists");
            let edit = fixes::operator(statement, condition, fixes::bare(&condition.operator));
            cx.report(report.fix(edit.map(|edit| fixes::changing("Ask for MFA in every case", [edit]))));
        }
    }
}

fn asks(operator: &Operator) -> bool {
    match &operator.test {
        Test::Bool => true,
        Test::Numeric(rest) => rest.starts_with("lessthan"),
        _ => false,
    }
}

/// A Deny of the same document that hits requests without MFA, access keys included.
fn denies_without_mfa(document: &Document) -> bool {
    document.denies().any(|deny| {
        deny.conditions.on("aws:MultiFactorAuthPresent").any(|condition| {
            condition.operator.test == Test::Bool
                && condition.operator.if_exists
                && condition
                    .values
                    .iter()
                    .any(|value| value.known().is_some_and(|known| known.eq_ignore_ascii_case("false")))
        })
    })
}
