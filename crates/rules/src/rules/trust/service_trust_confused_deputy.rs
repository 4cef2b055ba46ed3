//! `service-trust-confused-deputy`: A service role does not say for which resource the service may act.

use crate::caller::guards_source;
use crate::holder;
use crate::{Context, Family, Scope, fixes};
use overgrant_finding::{Confidence, Severity};

rule! {
    /// A service role does not say for which resource the service may act.
    ///
    /// The trust policy names a service that assumes roles for resources of its customers, and tests none
    /// of `aws:SourceArn`, `aws:SourceAccount`, `aws:SourceOrgID`.
    ///
    /// ## Why
    /// Where a service can be told to use a role of another account, its other customers could point it at
    /// this one. `iam:PassRole` mostly prevents that; the condition closes what is left.
    ///
    /// ## Bad
    /// ```terraform bad
    /// resource "aws_iam_role" "pipe" {
    ///   name = "pipe"
    ///   assume_role_policy = jsonencode({
    ///     Version = "2012-10-17"
    ///     Statement = [{
    ///       Effect    = "Allow"
    ///       Action    = "sts:AssumeRole"
    ///       Principal = { Service = "scheduler.amazonaws.com" } # <-- here
    ///     }]
    ///   })
    /// }
    /// ```
    /// ```cloudformation bad
    /// Resources:
    ///   Pipe:
    ///     Type: AWS::IAM::Role
    ///     Properties:
    ///       AssumeRolePolicyDocument:
    ///         Version: "2012-10-17"
    ///         Statement:
    ///           - Effect: Allow
    ///             Action: sts:AssumeRole
    ///             Principal:
    ///               Service: bedrock.amazonaws.com # <-- here
    /// ```
    /// The same as a policy document of Terraform:
    /// ```terraform bad
    /// data "aws_iam_policy_document" "pipe" {
    ///   statement {
    ///     actions = ["sts:AssumeRole"]
    ///     principals {
    ///       type        = "Service"
    ///       identifiers = ["scheduler.amazonaws.com"] # <-- here
    ///     }
    ///   }
    /// }
    /// resource "aws_iam_role" "pipe" {
    ///   name = "pipe"
    ///   assume_role_policy = data.aws_iam_policy_document.pipe.json
    /// }
    /// ```
    /// ## Good
    /// ```terraform good
    /// data "aws_caller_identity" "this" {}
    ///
    /// resource "aws_iam_role" "pipe" {
    ///   name = "pipe"
    ///   assume_role_policy = jsonencode({
    ///     Version = "2012-10-17"
    ///     Statement = [{
    ///       Effect    = "Allow"
    ///       Action    = "sts:AssumeRole"
    ///       Principal = { Service = "scheduler.amazonaws.com" }
    ///       Condition = { StringEquals = { "aws:SourceAccount" = data.aws_caller_identity.this.account_id } }
    ///     }]
    ///   })
    /// }
    /// ```
    /// ```cloudformation good
    /// Resources:
    ///   Fn:
    ///     Type: AWS::IAM::Role
    ///     Properties:
    ///       AssumeRolePolicyDocument:
    ///         Version: "2012-10-17"
    ///         Statement:
    ///           - Effect: Allow
    ///             Action: sts:AssumeRole
    ///             Principal:
    ///               Service: [lambda.amazonaws.com, ec2.amazonaws.com, ecs-tasks.amazonaws.com]
    /// ```
    /// A service that sends no such keys cannot be asked for them, and AWS writes the trust of a service-linked role:
    /// ```terraform good
    /// resource "aws_iam_role" "monitoring" {
    ///   name = "monitoring"
    ///   assume_role_policy = jsonencode({
    ///     Version   = "2012-10-17"
    ///     Statement = [{ Effect = "Allow", Action = "sts:AssumeRole", Principal = { Service = "spotfleet.amazonaws.com" } }]
    ///   })
    /// }
    /// resource "aws_iam_service_linked_role" "scaling" {
    ///   aws_service_name = "autoscaling.amazonaws.com"
    /// }
    /// ```
    /// The ARN of a bucket has no account, so the account is asked for beside it:
    /// ```terraform good
    /// resource "aws_iam_role" "replicate" {
    ///   name = "replicate"
    ///   assume_role_policy = jsonencode({
    ///     Version = "2012-10-17"
    ///     Statement = [{
    ///       Effect    = "Allow"
    ///       Action    = "sts:AssumeRole"
    ///       Principal = { Service = "s3.amazonaws.com" }
    ///       Condition = {
    ///         ArnEquals    = { "aws:SourceArn" = "arn:aws:s3:::acme-data" }
    ///         StringEquals = { "aws:SourceAccount" = "111122223333" }
    ///       }
    ///     }]
    ///   })
    /// }
    /// ```
    /// ## How to fix
    /// Add `StringEquals` on `aws:SourceAccount` with your account id.
    pub(crate) static SERVICE_TRUST_CONFUSED_DEPUTY = Rule {
        id: "service-trust-confused-deputy",
        family: Family::Trust,
        severity: Severity::Low,
        confidence: Confidence::Low,
        scope: Scope::Module,
        since: "0.1.0",
        cwe: &[441],
        aliases: &["iam_role_cross_service_confused_deputy_prevention"],
        mappings: &[("NIST", "AC-4"), ("ATT&CK", "T1199"), ("ATT&CK", "T1078.004")],
        references: &["https://docs.aws.amazon.com/IAM/latest/UserGuide/confused-deputy.html"],
        check: check,
    };
}

/// Services that assume a role for a resource which their customer names, without `.amazonaws.com`.
#[rustfmt::skip]
const DEPUTIES: &[&str] = &[
    "apigateway", "appsync", "backup", "bedrock", "bedrock-agentcore", "cloudtrail", "codebuild",
    "codepipeline", "config", "datasync", "delivery.logs", "dms", "events", "firehose", "inspector2",
    "iot", "lakeformation", "logs", "pipes", "quicksight", "redshift", "s3", "sagemaker", "scheduler",
    "ssm", "states", "transfer", "vpc-flow-logs",
];

fn check(cx: &mut Context<'_>) {
    let model = cx.model;
    for (id, trust) in holder::trusts(model) {
        for statement in trust.document.allows() {
            if guards_source(&statement.conditions) {
                continue;
            }
            for principal in &statement.principals {
                let Some(service) = principal.service() else {
                    continue;
                };
                let name = service.strip_suffix(".amazonaws.com").unwrap_or(&service);
                if !DEPUTIES.contains(&name) {
                    continue;
                }
                let role = holder::role(model, id);
                let report = cx
                    .finding(
                        &trust.place,
                        principal.src(),
                        format!("{role} does not say for whose resources `{service}` may act"),
                    )
                    .statement(statement)
                    .when(principal.guard())
                    .fix(fixes::own_account(cx.settings, statement))
                    .help("add StringEquals on aws:SourceAccount with your account id");
                cx.report(report);
            }
        }
    }
}
