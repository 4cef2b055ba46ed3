//! `resource-allow-notprincipal`: A resource policy allows everybody except the principals it names.

use crate::caller::{Caller, caller};
use crate::exposure::{PublicBlock, public_block};
use crate::holder;
use crate::{Context, Family, Scope};
use overgrant_finding::{Confidence, Severity};
use overgrant_policy::Effect;

rule! {
    /// A resource policy allows everybody except the principals it names.
    ///
    /// `NotPrincipal` with `Allow` grants to the complement of its list: every other principal of every
    /// account, anonymous callers included.
    ///
    /// ## Why
    /// The list was meant as a block list and makes the resource public.
    ///
    /// ## Bad
    /// ```terraform bad
    /// resource "aws_sqs_queue_policy" "orders" {
    ///   queue_url = "https://sqs.eu-west-1.amazonaws.com/111122223333/orders"
    ///   policy = jsonencode({
    ///     Version = "2012-10-17"
    ///     Statement = [{
    ///       Effect       = "Allow"
    ///       Action       = "sqs:SendMessage"
    ///       Resource     = "arn:aws:sqs:eu-west-1:111122223333:orders"
    ///       NotPrincipal = { AWS = "arn:aws:iam::111122223333:role/batch" } # <-- here
    ///     }]
    ///   })
    /// }
    /// ```
    /// ```cloudformation bad
    /// Resources:
    ///   OrdersPolicy:
    ///     Type: AWS::SQS::QueuePolicy
    ///     Properties:
    ///       Queues: ["https://sqs.eu-west-1.amazonaws.com/111122223333/orders"]
    ///       PolicyDocument:
    ///         Version: "2012-10-17"
    ///         Statement:
    ///           - Effect: Allow
    ///             Action: sqs:SendMessage
    ///             Resource: "*"
    ///             NotPrincipal: # <-- here
    ///               AWS: arn:aws:iam::111122223333:role/batch
    /// ```
    /// The same as JSON:
    /// ```terraform bad
    /// resource "aws_sqs_queue_policy" "orders" {
    ///   queue_url = "https://sqs.eu-west-1.amazonaws.com/111122223333/orders"
    ///   policy = <<-JSON
    ///     {
    ///       "Version": "2012-10-17",
    ///       "Statement": [
    ///         {
    ///           "Effect": "Allow",
    ///           "Action": "sqs:SendMessage",
    ///           "Resource": "arn:aws:sqs:eu-west-1:111122223333:orders",
    ///           "NotPrincipal": {"AWS": "arn:aws:iam::111122223333:role/batch"} # <-- here
    ///         }
    ///       ]
    ///     }
    ///   JSON
    /// }
    /// ```
    /// ## Good
    /// ```terraform good
    /// resource "aws_s3_bucket_policy" "logs" {
    ///   bucket = "acme-logs"
    ///   policy = jsonencode({
    ///     Version = "2012-10-17"
    ///     Statement = [{
    ///       Effect       = "Deny"
    ///       Action       = "s3:*"
    ///       Resource     = ["arn:aws:s3:::acme-logs", "arn:aws:s3:::acme-logs/*"]
    ///       NotPrincipal = { AWS = "arn:aws:iam::111122223333:root" }
    ///     }]
    ///   })
    /// }
    /// ```
    /// ```cloudformation good
    /// Resources:
    ///   OrdersPolicy:
    ///     Type: AWS::SQS::QueuePolicy
    ///     Properties:
    ///       Queues: ["https://sqs.eu-west-1.amazonaws.com/111122223333/orders"]
    ///       PolicyDocument:
    ///         Version: "2012-10-17"
    ///         Statement:
    ///           - Effect: Allow
    ///             Action: sqs:SendMessage
    ///             Resource: "*"
    ///             Principal: { AWS: !Sub "arn:aws:iam::${AWS::AccountId}:role/orders" }
    /// ```
    /// ## How to fix
    /// List the principals that need access under `Principal`.
    pub(crate) static RESOURCE_ALLOW_NOTPRINCIPAL = Rule {
        id: "resource-allow-notprincipal",
        family: Family::Resource,
        severity: Severity::Critical,
        confidence: Confidence::High,
        scope: Scope::Module,
        since: "0.1.0",
        cwe: &[284, 732],
        aliases: &["F7", "F8", "F9"],
        mappings: &[
            ("FSBP", "S3.6"),
            ("NIST", "AC-3"),
            ("NIST", "AC-4"),
            ("NIST", "AC-6"),
            ("NIST", "SC-7"),
            ("ATT&CK", "T1530"),
            ("ATT&CK", "T1537"),
        ],
        references: &["https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_notprincipal.html"],
        check: check,
    };
}

fn check(cx: &mut Context<'_>) {
    let model = cx.model;
    for (policy, service) in holder::resource_policies(model) {
        for statement in &policy.document.statements {
            let principals = statement.principals.listed();
            if statement.effect != Effect::Allow
                || !principals.negated
                || matches!(caller(&statement.conditions), Caller::Bound)
                || (service == "s3" && public_block(model, policy) == PublicBlock::On)
            {
                continue;
            }
            let what = holder::target(policy, service);
            let report = cx
                .finding(
                    &policy.place,
                    &principals.key_src,
                    format!("{what} is open to everybody except a few principals"),
                )
                .statement(statement)
                .help("list who needs access under Principal");
            cx.report(report);
        }
    }
}
