//! `public-policy-weak-condition`: a public resource behind a condition that binds nobody.

use crate::caller::{Caller, caller, closed_by_deny};
use crate::exposure::{PublicBlock, Reach, can_be_public, public_block};
use crate::holder;
use crate::{Context, Family, Scope};
use overgrant_finding::{Confidence, Severity};

rule! {
    /// A resource policy allows everybody behind a condition that binds nobody.
    ///
    /// The policy allows `*`, and its conditions test only what strangers can send, arrange or lack: a
    /// referer, a user agent, transport security, a huge address range, a negated operator.
    ///
    /// ## Why
    /// The condition looks like a limit and is none. An attacker sends the header that is asked for, or
    /// calls over TLS as everybody does, and gets what the statement allows.
    ///
    /// ## Bad
    /// ```terraform bad
    /// resource "aws_sns_topic" "alerts" {
    ///   name = "alerts"
    /// }
    ///
    /// resource "aws_sns_topic_policy" "alerts" {
    ///   arn = aws_sns_topic.alerts.arn
    ///   policy = jsonencode({
    ///     Version = "2012-10-17"
    ///     Statement = [{
    ///       Effect    = "Allow"
    ///       Action    = "sns:Publish"
    ///       Resource  = aws_sns_topic.alerts.arn
    ///       Principal = "*"
    ///       Condition = { Bool = { "aws:SecureTransport" = "true" } } # <-- here
    ///     }]
    ///   })
    /// }
    /// ```
    /// ```cloudformation bad
    /// Resources:
    ///   Orders:
    ///     Type: AWS::SQS::Queue
    ///   OrdersPolicy:
    ///     Type: AWS::SQS::QueuePolicy
    ///     Properties:
    ///       Queues: [!Ref Orders]
    ///       PolicyDocument:
    ///         Version: "2012-10-17"
    ///         Statement:
    ///           - Effect: Allow
    ///             Action: sqs:SendMessage
    ///             Resource: !GetAtt Orders.Arn
    ///             Principal: "*"
    ///             Condition:
    ///               StringLike:
    ///                 aws:UserAgent: acme-client/* # <-- here
    /// ```
    /// The same as a policy document of Terraform:
    /// ```terraform bad
    /// resource "aws_sns_topic" "alerts" {
    ///   name = "alerts"
    /// }
    ///
    /// data "aws_iam_policy_document" "alerts" {
    ///   statement {
    ///     actions   = ["sns:Publish"]
    ///     resources = [aws_sns_topic.alerts.arn]
    ///     principals {
    ///       type        = "*"
    ///       identifiers = ["*"]
    ///     }
    ///     condition {
    ///       test     = "Bool"
    ///       variable = "aws:SecureTransport"
    ///       values   = ["true"] # <-- here
    ///     }
    ///   }
    /// }
    /// resource "aws_sns_topic_policy" "alerts" {
    ///   arn = aws_sns_topic.alerts.arn
    ///   policy = data.aws_iam_policy_document.alerts.json
    /// }
    /// ```
    /// ## Good
    /// ```terraform good
    /// resource "aws_sns_topic" "alerts" {
    ///   name = "alerts"
    /// }
    ///
    /// resource "aws_sns_topic_policy" "alerts" {
    ///   arn = aws_sns_topic.alerts.arn
    ///   policy = jsonencode({
    ///     Version = "2012-10-17"
    ///     Statement = [{
    ///       Effect    = "Allow"
    ///       Action    = "sns:Publish"
    ///       Resource  = aws_sns_topic.alerts.arn
    ///       Principal = "*"
    ///       Condition = {
    ///         StringEquals = { "AWS:SourceOwner" = "111122223333" }
    ///         Bool         = { "aws:SecureTransport" = "true" }
    ///       }
    ///     }]
    ///   })
    /// }
    /// ```
    /// Whoever subscribes, the messages go to the queue that is named:
    /// ```terraform good
    /// resource "aws_sns_topic" "orders" {
    ///   name = "orders"
    /// }
    ///
    /// resource "aws_sns_topic_policy" "orders" {
    ///   arn = aws_sns_topic.orders.arn
    ///   policy = jsonencode({
    ///     Version = "2012-10-17"
    ///     Statement = [{
    ///       Effect    = "Allow"
    ///       Action    = "sns:Subscribe"
    ///       Resource  = aws_sns_topic.orders.arn
    ///       Principal = "*"
    ///       Condition = {
    ///         StringLike = { "sns:Endpoint" = "arn:aws:sqs:eu-west-1:111122223333:orders" }
    ///       }
    ///     }]
    ///   })
    /// }
    /// ```
    /// ```cloudformation good
    /// Resources:
    ///   Orders:
    ///     Type: AWS::SQS::Queue
    ///   OrdersPolicy:
    ///     Type: AWS::SQS::QueuePolicy
    ///     Properties:
    ///       Queues: [!Ref Orders]
    ///       PolicyDocument:
    ///         Version: "2012-10-17"
    ///         Statement:
    ///           - Effect: Deny
    ///             Action: sqs:*
    ///             Resource: !GetAtt Orders.Arn
    ///             Principal: "*"
    ///             Condition:
    ///               Bool:
    ///                 aws:SecureTransport: "false"
    ///           - Effect: Allow
    ///             Action: sqs:SendMessage
    ///             Resource: !GetAtt Orders.Arn
    ///             Principal: "*"
    ///             Condition:
    ///               IpAddress:
    ///                 aws:SourceIp: 203.0.113.0/24
    /// ```
    /// A Deny in the same policy shuts out whom the weak condition lets in:
    /// ```terraform good
    /// resource "aws_sqs_queue_policy" "orders" {
    ///   queue_url = "https://sqs.eu-west-1.amazonaws.com/111122223333/orders"
    ///   policy = jsonencode({
    ///     Version = "2012-10-17"
    ///     Statement = [
    ///       {
    ///         Effect    = "Allow"
    ///         Action    = "sqs:SendMessage"
    ///         Resource  = "arn:aws:sqs:eu-west-1:111122223333:orders"
    ///         Principal = "*"
    ///         Condition = { Bool = { "aws:SecureTransport" = "true" } }
    ///       },
    ///       {
    ///         Effect    = "Deny"
    ///         Action    = "sqs:*"
    ///         Resource  = "arn:aws:sqs:eu-west-1:111122223333:orders"
    ///         Principal = "*"
    ///         Condition = { StringNotEquals = { "aws:PrincipalOrgID" = "o-a1b2c3d4e5" } }
    ///       },
    ///     ]
    ///   })
    /// }
    /// ```
    /// ## How to fix
    /// Test who calls: `aws:PrincipalOrgID`, `aws:PrincipalArn`, `aws:SourceAccount`, `aws:SourceVpce`.
    pub(crate) static PUBLIC_POLICY_WEAK_CONDITION = Rule {
        id: "public-policy-weak-condition",
        family: Family::Resource,
        severity: Severity::High,
        confidence: Confidence::High,
        scope: Scope::Module,
        since: "0.1.0",
        cwe: &[290],
        aliases: &[],
        mappings: &[
            ("FSBP", "S3.2"),
            ("NIST", "AC-3"),
            ("NIST", "AC-4"),
            ("NIST", "AC-6"),
            ("NIST", "SC-7"),
            ("ATT&CK", "T1530"),
            ("ATT&CK", "T1537"),
        ],
        references: &["https://docs.aws.amazon.com/AmazonS3/latest/userguide/access-control-block-public-access.html"],
        check: check,
    };
}

fn check(cx: &mut Context<'_>) {
    let model = cx.model;
    for (policy, service) in holder::resource_policies(model) {
        // File systems are reached over a network of their own.
        if !can_be_public(model, policy, service)
            || service == "elasticfilesystem"
            || cx.settings.is_public_ok(&policy.place.address)
        {
            continue;
        }
        for statement in policy.document.allows() {
            let Some(anyone) = statement.principals.anyone() else {
                continue;
            };
            let Caller::Weak(weak) = caller(&statement.conditions) else {
                continue;
            };
            let Some((condition, weakness)) = weak.first() else {
                continue;
            };
            let blocked = service == "s3" && public_block(model, policy) == PublicBlock::On;
            if blocked || closed_by_deny(&policy.document, statement) {
                continue;
            }
            let what = holder::target(policy, service);
            let verb = Reach::of(statement).verb(service);
            let report = cx
                .finding(
                    &policy.place,
                    &condition.src,
                    format!("anyone can {verb} {what}: {}", weakness.why(condition)),
                )
                .statement(statement)
                .when(anyone.guard())
                .related(anyone.src(), "allows everybody", Some(&policy.place))
                .help("test who calls: aws:PrincipalOrgID, aws:PrincipalArn, aws:SourceAccount or aws:SourceVpce");
            cx.report(report);
        }
    }
}
