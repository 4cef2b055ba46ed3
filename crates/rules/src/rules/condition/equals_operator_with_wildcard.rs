//! `equals-operator-with-wildcard`: A wildcard stands under an operator that does not know wildcards.

use crate::names;
use crate::skeleton::{Which, wildcard_src};
use crate::{Context, Family, Scope, fixes};
use overgrant_finding::{Confidence, Severity};
use overgrant_policy::{Condition, Effect, Test, Value};

rule! {
    /// A wildcard stands under an operator that does not know wildcards.
    ///
    /// `StringEquals`, `StringNotEquals` and their `IgnoreCase` forms compare `*` as a character. The value
    /// matches only a text that holds a star.
    ///
    /// ## Why
    /// An Allow with it grants nothing, and the next person replaces it by something wider. A Deny with it
    /// never fires: the guardrail is dead. With `StringNotEquals` the Deny hits everybody.
    ///
    /// ## Bad
    /// ```terraform bad
    /// resource "aws_iam_policy" "deny" {
    ///   name = "deny-prod"
    ///   policy = jsonencode({
    ///     Version = "2012-10-17"
    ///     Statement = [{
    ///       Effect    = "Deny"
    ///       Action    = "s3:DeleteObject"
    ///       Resource  = "arn:aws:s3:::acme-*"
    ///       Condition = { StringEquals = { "aws:ResourceTag/stage" = "prod-*" } } # <-- here
    ///     }]
    ///   })
    /// }
    /// ```
    /// ```cloudformation bad
    /// Resources:
    ///   Deny:
    ///     Type: AWS::IAM::ManagedPolicy
    ///     Properties:
    ///       PolicyDocument:
    ///         Version: "2012-10-17"
    ///         Statement:
    ///           - Effect: Deny
    ///             Action: s3:DeleteObject
    ///             Resource: arn:aws:s3:::acme-*
    ///             Condition:
    ///               StringNotEquals:
    ///                 aws:PrincipalArn: arn:aws:iam::111122223333:role/ops-* # <-- here
    /// ```
    /// The same as JSON:
    /// ```terraform bad
    /// resource "aws_iam_policy" "deny" {
    ///   name = "deny-prod"
    ///   policy = <<-JSON
    ///     {
    ///       "Version": "2012-10-17",
    ///       "Statement": [
    ///         {
    ///           "Effect": "Deny",
    ///           "Action": "s3:DeleteObject",
    ///           "Resource": "arn:aws:s3:::acme-*",
    ///           "Condition": {
    ///             "StringEquals": {"aws:ResourceTag/stage": "prod-*"} # <-- here
    ///           }
    ///         }
    ///       ]
    ///     }
    ///   JSON
    /// }
    /// ```
    /// ## Good
    /// ```terraform good
    /// resource "aws_iam_policy" "list" {
    ///   name = "list"
    ///   policy = jsonencode({
    ///     Version = "2012-10-17"
    ///     Statement = [{
    ///       Effect    = "Allow"
    ///       Action    = "s3:ListBucket"
    ///       Resource  = "arn:aws:s3:::acme-home"
    ///       Condition = { StringLike = { "s3:prefix" = "home/*" } }
    ///     }]
    ///   })
    /// }
    /// ```
    /// ```cloudformation good
    /// Resources:
    ///   Deny:
    ///     Type: AWS::IAM::ManagedPolicy
    ///     Properties:
    ///       PolicyDocument:
    ///         Version: "2012-10-17"
    ///         Statement:
    ///           - Effect: Deny
    ///             Action: s3:DeleteObject
    ///             Resource: arn:aws:s3:::acme-*
    ///             Condition:
    ///               ArnNotEquals:
    ///                 aws:PrincipalArn: arn:aws:iam::111122223333:role/ops-*
    /// ```
    /// A `*` may be meant as it stands:
    /// ```terraform good
    /// resource "aws_iam_policy" "list" {
    ///   name = "list"
    ///   policy = jsonencode({
    ///     Version = "2012-10-17"
    ///     Statement = [{
    ///       Effect    = "Allow"
    ///       Action    = "s3:ListBucket"
    ///       Resource  = "arn:aws:s3:::acme-home"
    ///       Condition = { StringEquals = { "s3:delimiter" = "*" } }
    ///     }]
    ///   })
    /// }
    /// ```
    /// Cost and usage reports send this very text:
    /// ```terraform good
    /// resource "aws_s3_bucket_policy" "reports" {
    ///   bucket = "acme-reports"
    ///   policy = jsonencode({
    ///     Version = "2012-10-17"
    ///     Statement = [{
    ///       Effect    = "Allow"
    ///       Action    = "s3:PutObject"
    ///       Resource  = "arn:aws:s3:::acme-reports/*"
    ///       Principal = { Service = "billingreports.amazonaws.com" }
    ///       Condition = {
    ///         StringEquals = {
    ///           "aws:SourceAccount" = "111122223333"
    ///           "aws:SourceArn"     = "arn:aws:cur:us-east-1:111122223333:definition/*"
    ///         }
    ///       }
    ///     }]
    ///   })
    /// }
    /// ```
    /// ## How to fix
    /// Use `StringLike` or `StringNotLike`; for ARNs `ArnLike` or `ArnNotLike`.
    pub(crate) static EQUALS_OPERATOR_WITH_WILDCARD = Rule {
        id: "equals-operator-with-wildcard",
        family: Family::Condition,
        severity: Severity::High,
        confidence: Confidence::High,
        scope: Scope::Module,
        since: "0.1.0",
        cwe: &[697],
        aliases: &[],
        mappings: &[("NIST", "AC-3(7)"), ("NIST", "AC-16"), ("ATT&CK", "T1548")],
        references: &["https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html"],
        check: check,
    };
}

/// ARNs of sources that a service sends with the star: cost and usage reports. Source: AWS Cost Management,
/// "Setting up an Amazon S3 bucket for Cost and Usage Reports".
const SENT_WITH_STAR: [(&str, &str); 1] = [("cur", "definition/*")];

/// Whether the value is such an ARN.
fn is_sent(condition: &Condition, value: &Value) -> bool {
    let text = value.text().to_string();
    let mut parts = text.splitn(6, ':').skip(2);
    let (service, resource) = (parts.next(), parts.nth(2));
    condition.key.is("aws:SourceArn")
        && SENT_WITH_STAR
            .iter()
            .any(|(own, sent)| service == Some(own) && resource == Some(sent))
}

/// Keys in whose values a star is a character like others.
const LITERAL: [&str; 3] = ["s3:prefix", "s3:delimiter", "s3:versionid"];

fn check(cx: &mut Context<'_>) {
    let model = cx.model;
    for document in &model.documents {
        for statement in &document.document.statements {
            for condition in &statement.conditions.items {
                let Some(value) = condition
                    .values
                    .iter()
                    .find(|value| has_star(condition, value) && !is_sent(condition, value))
                else {
                    continue;
                };
                let negated = condition.operator.is_negated();
                let effect = match (statement.effect, negated) {
                    (Effect::Deny, false) => "so the Deny never fires",
                    (Effect::Deny, true) => "so the Deny hits everybody",
                    (_, true) => "so the condition always holds",
                    (_, false) => "so it matches nothing",
                };
                let mut report = cx
                    .finding(
                        &document.place,
                        &wildcard_src(value.text(), value.pattern().src(), Which::First),
                        format!(
                            "`*` is no wildcard under `{}`, {effect}: `{value}` in {}",
                            condition.operator.name,
                            names::document(document)
                        ),
                    )
                    .statement(statement)
                    .when(&condition.guard)
                    .when(value.pattern().guard())
                    .marks(value.pattern().marks())
                    .related(&condition.operator_src, "compares letter by letter", None)
                    .help(format!("use {}", like(condition)));
                if statement.effect == Effect::Allow && !negated {
                    report = report.severity(Severity::Medium);
                }
                // A comparison with wildcards holds more often: that must not let more in.
                let narrows = (statement.effect == Effect::Deny) != negated;
                let wanted = pattern_operator(condition).filter(|_| narrows);
                let edit = wanted.and_then(|wanted| fixes::operator(statement, condition, &wanted));
                cx.report(report.fix(edit.map(|edit| fixes::changing("Compare with wildcards", [edit]))));
            }
        }
    }
}

fn has_star(condition: &Condition, value: &Value) -> bool {
    let literal = condition
        .key
        .spelling()
        .is_some_and(|key| LITERAL.contains(&key.as_str()));
    let equality = matches!(
        condition.operator.test,
        Test::StringEquals
            | Test::StringNotEquals
            | Test::StringEqualsIgnoreCase
            | Test::StringNotEqualsIgnoreCase
    );
    // `${*}` is how the language itself spells a literal star.
    equality && !literal && {
        let shape = crate::skeleton::skeleton(value.text(), true).replace("${*}", "");
        shape.contains('*')
    }
}

/// The operator with wildcards in the place of the one that is there; none for those that ignore case.
fn pattern_operator(condition: &Condition) -> Option<String> {
    let known = match &condition.operator.test {
        Test::StringEquals => "StringEquals",
        Test::StringNotEquals => "StringNotEquals",
        _ => return None,
    };
    let (before, after) = condition.operator.name.split_once(known)?;
    Some(format!("{before}{}{after}", like(condition)))
}

fn like(condition: &Condition) -> &'static str {
    let arn = condition
        .values
        .iter()
        .any(|value| value.leading().starts_with("arn:"));
    match (arn, condition.operator.is_negated()) {
        (true, false) => "ArnLike",
        (true, true) => "ArnNotLike",
        (false, false) => "StringLike",
        (false, true) => "StringNotLike",
    }
}
