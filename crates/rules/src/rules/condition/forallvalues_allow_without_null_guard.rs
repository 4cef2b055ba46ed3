//! `forallvalues-allow-without-null-guard`: an Allow with `ForAllValues` also passes when the key is absent.

use crate::caller::surely_present;
use crate::names;
use crate::{Context, Family, Scope, fixes};
use overgrant_finding::{Confidence, Severity};
use overgrant_policy::{Answer, Condition, Effect, SetOperator, Statement, Test};

rule! {
    /// An Allow with `ForAllValues` also passes when the key is absent.
    ///
    /// `ForAllValues` asks whether every value of the request is on the list. A request without the key has
    /// no value, and passes.
    ///
    /// ## Why
    /// A caller who leaves the key out, or an action that never carries it, gets the grant without any test.
    ///
    /// ## Bad
    /// ```terraform bad
    /// resource "aws_iam_policy" "p" {
    ///   name = "records"
    ///   policy = jsonencode({
    ///     Version = "2012-10-17"
    ///     Statement = [{
    ///       Effect   = "Allow"
    ///       Action   = "route53:ChangeResourceRecordSets"
    ///       Resource = "arn:aws:route53:::hostedzone/Z0123456789"
    ///       Condition = {
    ///         "ForAllValues:StringEquals" = { # <-- here
    ///           "route53:ChangeResourceRecordSetsRecordTypes" = ["TXT"]
    ///         }
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
    ///             Action: lambda:InvokeFunction
    ///             Resource: arn:aws:lambda:eu-west-1:111122223333:function:shop
    ///             Condition:
    ///               ForAllValues:StringEquals: # <-- here
    ///                 aws:CalledVia: cloudformation.amazonaws.com
    /// ```
    /// The same as a policy document of Terraform:
    /// ```terraform bad
    /// data "aws_iam_policy_document" "p" {
    ///   statement {
    ///     actions   = ["route53:ChangeResourceRecordSets"]
    ///     resources = ["arn:aws:route53:::hostedzone/Z0123456789"]
    ///     condition {
    ///       test     = "ForAllValues:StringEquals" # <-- here
    ///       variable = "route53:ChangeResourceRecordSetsRecordTypes"
    ///       values   = ["TXT"]
    ///     }
    ///   }
    /// }
    /// resource "aws_iam_policy" "p" {
    ///   name = "records"
    ///   policy = data.aws_iam_policy_document.p.json
    /// }
    /// ```
    /// ## Good
    /// ```terraform good
    /// resource "aws_iam_policy" "p" {
    ///   name = "records"
    ///   policy = jsonencode({
    ///     Version = "2012-10-17"
    ///     Statement = [{
    ///       Effect   = "Allow"
    ///       Action   = "route53:ChangeResourceRecordSets"
    ///       Resource = "arn:aws:route53:::hostedzone/Z0123456789"
    ///       Condition = {
    ///         "ForAllValues:StringEquals" = { "route53:ChangeResourceRecordSetsRecordTypes" = ["TXT"] }
    ///         Null                        = { "route53:ChangeResourceRecordSetsRecordTypes" = "false" }
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
    ///           - Effect: Allow
    ///             Action: ec2:CreateTags
    ///             Resource: arn:aws:ec2:eu-west-1:111122223333:instance/*
    ///             Condition:
    ///               ForAllValues:StringEquals:
    ///                 aws:TagKeys: [team, stage]
    ///               StringEquals:
    ///                 ec2:ResourceTag/team: shop
    /// ```
    /// A Deny is made wider by it, not narrower:
    /// ```terraform good
    /// resource "aws_iam_policy" "p" {
    ///   name = "no-shared-tags"
    ///   policy = jsonencode({
    ///     Version = "2012-10-17"
    ///     Statement = [{
    ///       Effect    = "Deny"
    ///       Action    = "dynamodb:GetItem"
    ///       Resource  = "*"
    ///       Condition = { "ForAllValues:StringEquals" = { "dynamodb:Attributes" = ["card"] } }
    ///     }]
    ///   })
    /// }
    /// ```
    /// A key that every such request carries needs no guard:
    /// ```terraform good
    /// resource "aws_iam_policy" "p" {
    ///   name = "own-tags"
    ///   policy = jsonencode({
    ///     Version = "2012-10-17"
    ///     Statement = [{
    ///       Effect    = "Allow"
    ///       Action    = "sqs:TagQueue"
    ///       Resource  = "arn:aws:sqs:eu-west-1:111122223333:shop-*"
    ///       Condition = { "ForAllValues:StringEquals" = { "aws:TagKeys" = ["team", "stage"] } }
    ///     }]
    ///   })
    /// }
    /// ```
    /// A request for an item always names its key, and one without tags writes none:
    /// ```terraform good
    /// resource "aws_iam_policy" "p" {
    ///   name = "orders"
    ///   policy = jsonencode({
    ///     Version = "2012-10-17"
    ///     Statement = [
    ///       {
    ///         Effect    = "Allow"
    ///         Action    = ["dynamodb:GetItem", "dynamodb:UpdateItem"]
    ///         Resource  = "arn:aws:dynamodb:eu-west-1:111122223333:table/orders"
    ///         Condition = { "ForAllValues:StringEquals" = { "dynamodb:Attributes" = ["orderId", "status"] } }
    ///       },
    ///       {
    ///         Effect    = "Allow"
    ///         Action    = "s3:PutObjectTagging"
    ///         Resource  = "arn:aws:s3:::acme-data/*"
    ///         Condition = { "ForAllValues:StringEquals" = { "s3:RequestObjectTagKeys" = ["scan"] } }
    ///       },
    ///     ]
    ///   })
    /// }
    /// ```
    /// ```terraform bad
    /// resource "aws_iam_policy" "p" {
    ///   name = "orders"
    ///   policy = jsonencode({
    ///     Version = "2012-10-17"
    ///     Statement = [{
    ///       Effect    = "Allow"
    ///       Action    = ["dynamodb:GetItem", "dynamodb:Scan"]
    ///       Resource  = "arn:aws:dynamodb:eu-west-1:111122223333:table/orders"
    ///       Condition = {
    ///         "ForAllValues:StringEquals" = { "dynamodb:LeadingKeys" = ["$${aws:userid}"] } # <-- here
    ///       }
    ///     }]
    ///   })
    /// }
    /// ```
    /// ## How to fix
    /// Add `Null` = `false` for the same key.
    pub(crate) static FORALLVALUES_ALLOW_WITHOUT_NULL_GUARD = Rule {
        id: "forallvalues-allow-without-null-guard",
        family: Family::Condition,
        severity: Severity::High,
        confidence: Confidence::High,
        scope: Scope::Module,
        since: "0.1.0",
        cwe: &[697],
        aliases: &[],
        mappings: &[("NIST", "AC-3(7)"), ("NIST", "AC-16"), ("ATT&CK", "T1548")],
        references: &["https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-single-vs-multi-valued-context-keys.html"],
        check: check,
    };
}

fn check(cx: &mut Context<'_>) {
    let model = cx.model;
    for document in &model.documents {
        for statement in &document.document.statements {
            if statement.effect != Effect::Allow || statement.conditions.open {
                continue;
            }
            let conditions = &statement.conditions;
            let Some(condition) = conditions
                .items
                .iter()
                .find(|condition| passes_when_absent(statement, condition))
            else {
                continue;
            };
            if conditions.items.iter().any(limits) {
                continue;
            }
            let report = cx
                .finding(
                    &document.place,
                    &condition.operator_src,
                    format!(
                        "`{}` in {} also passes when the request has no `{}`",
                        condition.operator.name,
                        names::document(document),
                        condition.key
                    ),
                )
                .statement(statement)
                .severity(severity(condition))
                .when(&condition.guard)
                .help(format!("add Null: false for {}", condition.key));
            let edit = fixes::condition(statement, "Null", &condition.key.to_string(), "false");
            cx.report(report.fix(edit.map(|edit| fixes::changing("Ask for the key to be there", [edit]))));
        }
    }
}

/// Who writes `IfExists` means requests without the key: it changes nothing on `ForAllValues` but to say so,
/// as where a service was renamed and a request carries the key by one of its two names.
fn severity(condition: &Condition) -> Severity {
    if condition.operator.if_exists {
        Severity::Low
    } else {
        Severity::High
    }
}

/// Keys that a request carries whenever it writes what they list.
const WRITTEN: [&str; 2] = ["aws:tagkeys", "s3:requestobjecttagkeys"];

/// Keys that every request for items carries: the key of an item is among its attributes. Source:
/// Amazon DynamoDB, "Using IAM policy conditions for fine-grained access control".
const OF_ITEMS: [&str; 2] = ["dynamodb:attributes", "dynamodb:leadingkeys"];

/// Requests for items that name no key.
const NAMES_NO_KEY: [&str; 2] = ["dynamodb:Scan", "dynamodb:PartiQLSelect"];

fn passes_when_absent(statement: &Statement, condition: &Condition) -> bool {
    let carried = |key: &str| {
        let names_items = OF_ITEMS.contains(&key)
            && NAMES_NO_KEY
                .iter()
                .all(|action| statement.actions.select(action) == Answer::No);
        WRITTEN.contains(&key) || names_items
    };
    condition.operator.set == Some(SetOperator::ForAllValues)
        && !condition.operator.is_negated()
        && condition
            .key
            .spelling()
            .is_some_and(|key| !carried(&key) && !surely_present(&statement.conditions, &key))
}

/// Another condition that fails when its key is absent.
fn limits(condition: &Condition) -> bool {
    !condition.operator.holds_without_key()
        && condition.operator.test != Test::Null
        && !condition.key.is("aws:SecureTransport")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::Scene;

    #[test]
    fn who_writes_if_exists_is_told_less_loudly() {
        for (operator, expected) in [
            ("ForAllValues:StringLike", Severity::High),
            ("ForAllValues:StringLikeIfExists", Severity::Low),
        ] {
            let found = Scene::new()
                .statements(&format!(
                    r#"{{"Effect":"Allow","Action":"codeconnections:UseConnection","Resource":"*",
                    "Condition":{{"{operator}":{{"codeconnections:FullRepositoryId":"acme/shop"}}}}}}"#
                ))
                .run(&FORALLVALUES_ALLOW_WITHOUT_NULL_GUARD);
            let severities: Vec<_> = found.iter().map(|(_, finding)| finding.severity).collect();
            assert_eq!(severities, [expected], "{operator}");
        }
    }
}
