//! `negated-operator-in-allow`: an Allow is limited only by what it excludes.

use crate::boundaries::{demanded, is_unheld_boundary};
use crate::names;
use crate::{Context, Family, Scope};
use overgrant_access::How;
use overgrant_finding::{Confidence, Severity};
use overgrant_ir::DocumentId;
use overgrant_policy::{Condition, Effect, PrincipalKind, Statement, Test, Value};

rule! {
    /// An Allow is limited only by what it excludes.
    ///
    /// All conditions are negated operators: the statement grants to every value but those listed, and to
    /// requests that lack the key.
    ///
    /// ## Why
    /// A list of exceptions is never complete. A new region, account, tag or network is allowed on the day
    /// it appears.
    ///
    /// ## Bad
    /// ```terraform bad
    /// resource "aws_iam_policy" "p" {
    ///   name = "ops"
    ///   policy = jsonencode({
    ///     Version = "2012-10-17"
    ///     Statement = [{
    ///       Effect   = "Allow"
    ///       Action   = "ec2:TerminateInstances"
    ///       Resource = "arn:aws:ec2:eu-west-1:111122223333:instance/*"
    ///       Condition = {
    ///         StringNotEquals = { "aws:ResourceTag/stage" = "prod" } # <-- here
    ///       }
    ///     }]
    ///   })
    /// }
    /// ```
    /// ```cloudformation bad
    /// Resources:
    ///   P:
    ///     Type: AWS::IAM::ManagedPolicy
    ///     Properties:
    ///       PolicyDocument:
    ///         Version: "2012-10-17"
    ///         Statement:
    ///           - Effect: Allow
    ///             Action: s3:GetObject
    ///             Resource: arn:aws:s3:::acme-data/*
    ///             Condition:
    ///               NotIpAddress: # <-- here
    ///                 aws:SourceIp: 203.0.113.0/24
    /// ```
    /// The same as a policy document of Terraform:
    /// ```terraform bad
    /// data "aws_iam_policy_document" "p" {
    ///   statement {
    ///     actions   = ["ec2:TerminateInstances"]
    ///     resources = ["arn:aws:ec2:eu-west-1:111122223333:instance/*"]
    ///     condition {
    ///       test     = "StringNotEquals" # <-- here
    ///       variable = "aws:ResourceTag/stage"
    ///       values   = ["prod"]
    ///     }
    ///   }
    /// }
    /// resource "aws_iam_policy" "p" {
    ///   name = "ops"
    ///   policy = data.aws_iam_policy_document.p.json
    /// }
    /// ```
    /// ## Good
    /// ```terraform good
    /// resource "aws_iam_policy" "p" {
    ///   name = "ops"
    ///   policy = jsonencode({
    ///     Version = "2012-10-17"
    ///     Statement = [{
    ///       Effect   = "Allow"
    ///       Action   = "ec2:TerminateInstances"
    ///       Resource = "arn:aws:ec2:eu-west-1:111122223333:instance/*"
    ///       Condition = {
    ///         StringEquals    = { "aws:ResourceTag/team" = "shop" }
    ///         StringNotEquals = { "aws:ResourceTag/stage" = "prod" }
    ///       }
    ///     }]
    ///   })
    /// }
    /// ```
    /// ```cloudformation good
    /// Resources:
    ///   P:
    ///     Type: AWS::IAM::ManagedPolicy
    ///     Properties:
    ///       PolicyDocument:
    ///         Version: "2012-10-17"
    ///         Statement:
    ///           - Effect: Deny
    ///             Action: s3:GetObject
    ///             Resource: arn:aws:s3:::acme-data/*
    ///             Condition:
    ///               NotIpAddress:
    ///                 aws:SourceIp: 203.0.113.0/24
    /// ```
    /// How an object is encrypted is about the request, and a test for presence excludes nothing:
    /// ```terraform good
    /// resource "aws_iam_policy" "p" {
    ///   name = "upload"
    ///   policy = jsonencode({
    ///     Version = "2012-10-17"
    ///     Statement = [
    ///       {
    ///         Effect    = "Allow"
    ///         Action    = "s3:PutObject"
    ///         Resource  = "arn:aws:s3:::acme-data/*"
    ///         Condition = { StringNotEquals = { "s3:x-amz-server-side-encryption" = "AES256" } }
    ///       },
    ///       {
    ///         Effect    = "Allow"
    ///         Action    = "ec2:StopInstances"
    ///         Resource  = "arn:aws:ec2:eu-west-1:111122223333:instance/*"
    ///         Condition = { Null = { "aws:ResourceTag/team" = "false" } }
    ///       },
    ///     ]
    ///   })
    /// }
    /// ```
    /// A tag that is only ever set to opt out has nothing that the list could lack:
    /// ```terraform good at:low
    /// resource "aws_iam_policy" "p" {
    ///   name = "scanner"
    ///   policy = jsonencode({
    ///     Version = "2012-10-17"
    ///     Statement = [{
    ///       Effect    = "Allow"
    ///       Action    = "ec2:CreateSnapshot"
    ///       Resource  = "arn:aws:ec2:*:111122223333:volume/*"
    ///       Condition = { StringNotEquals = { "aws:ResourceTag/AcmeScanner" = "false" } }
    ///     }]
    ///   })
    /// }
    /// ```
    /// A boundary only limits: what it leaves out is taken away, and the policies under it say what is granted:
    /// ```terraform good at:low
    /// resource "aws_iam_policy" "limit" {
    ///   name = "limit"
    ///   policy = jsonencode({
    ///     Version = "2012-10-17"
    ///     Statement = [{
    ///       Effect    = "Allow"
    ///       Action    = ["ec2:*", "s3:*"]
    ///       Resource  = "*"
    ///       Condition = { StringNotEquals = { "aws:ResourceTag/team" = "platform" } }
    ///     }]
    ///   })
    /// }
    /// resource "aws_iam_role" "app" {
    ///   name                 = "app"
    ///   permissions_boundary = aws_iam_policy.limit.arn
    ///   assume_role_policy = jsonencode({
    ///     Version   = "2012-10-17"
    ///     Statement = [{ Effect = "Allow", Action = "sts:AssumeRole", Principal = { Service = "lambda.amazonaws.com" } }]
    ///   })
    /// }
    /// ```
    /// ## How to fix
    /// Say what is allowed with a positive operator, or move the exception into a Deny.
    pub(crate) static NEGATED_OPERATOR_IN_ALLOW = Rule {
        id: "negated-operator-in-allow",
        family: Family::Condition,
        severity: Severity::Medium,
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

fn check(cx: &mut Context<'_>) {
    let model = cx.model;
    for (id, document) in model.all_documents() {
        for statement in &document.document.statements {
            let conditions = &statement.conditions;
            if statement.effect != Effect::Allow
                || conditions.open
                || statement.principals.anyone().is_some()
                || statement.principals.listed().negated
                || !conditions.items.iter().all(is_exception)
            {
                continue;
            }
            let Some(condition) = conditions
                .items
                .iter()
                .find(|condition| condition.operator.is_negated())
            else {
                continue;
            };
            if is_encryption(condition) || (tells_who(condition) && names_callers(statement)) {
                continue;
            }
            let report = cx
                .finding(
                    &document.place,
                    &condition.operator_src,
                    format!(
                        "{} allows everything but what `{}` lists for `{}`",
                        names::document(document),
                        condition.operator.name,
                        condition.key
                    ),
                )
                .statement(statement)
                .when(&condition.guard)
                .help("test what is allowed with a positive operator, or move the exception into a Deny");
            let low = is_switch(condition) || only_limits(cx, id);
            cx.report(if low { report.severity(Severity::Low) } else { report });
        }
    }
}

/// Whether the document is a boundary and nothing else: it grants nothing.
fn only_limits(cx: &Context<'_>, id: DocumentId) -> bool {
    let uses = cx.access.uses(id);
    if uses.is_empty() {
        return is_unheld_boundary(cx, &demanded(cx), id);
    }
    uses.iter().all(|one| one.how == How::Boundary)
}

/// Negated, or a test that holds for nearly everybody.
fn is_exception(condition: &Condition) -> bool {
    condition.operator.is_negated()
        || condition.operator.test == Test::Null
        || condition.key.is("aws:SecureTransport")
}

/// Checks of how an object is encrypted are about the request, not about who makes it.
fn is_encryption(condition: &Condition) -> bool {
    condition
        .key
        .spelling()
        .is_none_or(|key| key.contains("encryption"))
}

/// Values of a tag that is a switch.
const SWITCHED: [&str; 8] = ["false", "no", "off", "disabled", "true", "yes", "on", "enabled"];

/// Whether the key is a tag of the resource that is a switch: what is excluded has asked for it.
fn is_switch(condition: &Condition) -> bool {
    let known = |value: &Value| value.known().is_some_and(|text| SWITCHED.contains(&text.to_ascii_lowercase().as_str()));
    condition.key.spelling().is_some_and(|key| key.contains(":resourcetag/"))
        && !condition.open
        && !condition.values.is_empty()
        && condition.values.iter().all(known)
}

/// Whether the key is about the principal itself.
fn tells_who(condition: &Condition) -> bool {
    condition
        .key
        .spelling()
        .is_some_and(|key| key.starts_with("aws:principal") || key == "aws:userid")
}

/// Whether the statement names each principal, a role or user: nobody else is let in by what a
/// condition excludes. The root of an account stands for everybody in it.
fn names_callers(statement: &Statement) -> bool {
    let principals = statement.principals.listed();
    principals.present
        && !principals.open
        && !principals.items.is_empty()
        && principals
            .items
            .iter()
            .all(|principal| principal.kind() == PrincipalKind::Aws)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::Scene;

    #[test]
    fn an_exception_among_named_principals_lets_in_nobody_else() {
        let found = |principal: &str, key: &str| {
            Scene::new()
                .resource(
                    "aws_sns_topic_policy",
                    "t",
                    &format!(
                        r#"{{"arn":"arn:aws:sns:eu-west-1:123456789012:t","policy":"{{\"Statement\":{{\"Effect\":\"Allow\",\"Action\":\"sns:Publish\",\"Resource\":\"*\",\"Principal\":{{\"AWS\":\"arn:aws:iam::123456789012:{principal}\"}},\"Condition\":{{\"StringNotEquals\":{{\"{key}\":\"x\"}}}}}}}}"}}"#
                    ),
                )
                .places(&NEGATED_OPERATOR_IN_ALLOW)
                .len()
        };
        assert_eq!(found("role/app", "aws:PrincipalAccount"), 0);
        assert_eq!(found("root", "aws:PrincipalArn"), 1);
        assert_eq!(found("role/app", "sns:Protocol"), 1);
    }
}
