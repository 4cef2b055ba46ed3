//! `resource-cross-account-unknown`: A resource policy allows an account that nobody declared.

use crate::accounts::{Account, classify};
use crate::holder;
use crate::{Context, Family, Scope};
use overgrant_finding::{Confidence, Severity};

rule! {
    /// A resource policy allows an account that nobody declared.
    ///
    /// The principal is a literal account id that is neither one of `own_accounts` nor a declared vendor
    /// nor AWS's own.
    ///
    /// ## Why
    /// Accounts of former partners, copied examples and typing errors keep their access for years. Whoever
    /// holds that account, or gets into it, uses the resource.
    ///
    /// ## Bad
    /// ```terraform bad own_accounts:111122223333
    /// resource "aws_sqs_queue_policy" "orders" {
    ///   queue_url = "https://sqs.eu-west-1.amazonaws.com/111122223333/orders"
    ///   policy = jsonencode({
    ///     Version = "2012-10-17"
    ///     Statement = [{
    ///       Effect    = "Allow"
    ///       Action    = "sqs:SendMessage"
    ///       Resource  = "arn:aws:sqs:eu-west-1:111122223333:orders"
    ///       Principal = { AWS = "444455556666" } # <-- here
    ///     }]
    ///   })
    /// }
    /// ```
    /// ```cloudformation bad own_accounts:111122223333
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
    ///             Principal:
    ///               AWS: arn:aws:iam::444455556666:root # <-- here
    /// ```
    /// ## Good
    /// ```terraform good own_accounts:111122223333
    /// resource "aws_sqs_queue_policy" "orders" {
    ///   queue_url = "https://sqs.eu-west-1.amazonaws.com/111122223333/orders"
    ///   policy = jsonencode({
    ///     Version = "2012-10-17"
    ///     Statement = [{
    ///       Effect    = "Allow"
    ///       Action    = "sqs:SendMessage"
    ///       Resource  = "arn:aws:sqs:eu-west-1:111122223333:orders"
    ///       Principal = { AWS = "arn:aws:iam::111122223333:role/shop" }
    ///     }]
    ///   })
    /// }
    /// ```
    /// ```cloudformation good own_accounts:111122223333
    /// Resources:
    ///   Logs:
    ///     Type: AWS::S3::BucketPolicy
    ///     Properties:
    ///       Bucket: acme-lb-logs
    ///       PolicyDocument:
    ///         Version: "2012-10-17"
    ///         Statement:
    ///           - Effect: Allow
    ///             Action: s3:PutObject
    ///             Resource: arn:aws:s3:::acme-lb-logs/*
    ///             Principal:
    ///               AWS: arn:aws:iam::127311923021:root
    /// ```
    /// ## How to fix
    /// Add the account to `own_accounts` or `vendors` of the configuration, or remove the principal.
    pub(crate) static RESOURCE_CROSS_ACCOUNT_UNKNOWN = Rule {
        id: "resource-cross-account-unknown",
        family: Family::Resource,
        severity: Severity::Medium,
        confidence: Confidence::High,
        scope: Scope::Module,
        since: "0.1.0",
        cwe: &[284, 732],
        aliases: &[],
        mappings: &[("NIST", "AC-20"), ("ATT&CK", "T1530"), ("ATT&CK", "T1537")],
        references: &["https://docs.aws.amazon.com/IAM/latest/UserGuide/access_policies-cross-account-resource-access.html"],
        check: check,
    };
}

fn check(cx: &mut Context<'_>) {
    let model = cx.model;
    for (policy, service) in holder::resource_policies(model) {
        for statement in policy.document.allows() {
            if statement.principals.listed().negated {
                continue;
            }
            for principal in &statement.principals {
                let Some(id) = principal.account() else {
                    continue;
                };
                if classify(cx.settings, &id) != Account::Foreign {
                    continue;
                }
                let what = holder::target(policy, service);
                let report = cx
                    .finding(
                        &policy.place,
                        principal.src(),
                        format!("account `{id}`, which is not declared, has access to {what}"),
                    )
                    .statement(statement)
                    .when(principal.guard())
                    .help("add the account to own_accounts or vendors, or remove it");
                cx.report(report);
            }
        }
    }
}
