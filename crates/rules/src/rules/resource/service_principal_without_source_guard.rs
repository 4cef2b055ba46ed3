//! `service-principal-without-source-guard`: A service may use a resource for any of its customers.

use crate::caller::guards_source;
use crate::holder;
use crate::{Context, Family, Scope};
use overgrant_finding::{Confidence, Severity};

rule! {
    /// A service may use a resource for any of its customers.
    ///
    /// The resource policy allows a service that acts for its customers, and tests none of `aws:SourceArn`,
    /// `aws:SourceAccount`, `aws:SourceOrgID`.
    ///
    /// ## Why
    /// An attacker makes a bucket, rule or topic in an account of their own and points it at this resource:
    /// the service delivers on their behalf, with what they choose.
    ///
    /// ## Bad
    /// ```terraform bad
    /// resource "aws_lambda_permission" "s3" {
    ///   statement_id  = "s3"
    ///   action        = "lambda:InvokeFunction"
    ///   function_name = "thumbnails"
    ///   principal     = "s3.amazonaws.com" # <-- here
    /// }
    /// ```
    /// ```cloudformation bad
    /// Resources:
    ///   Alerts:
    ///     Type: AWS::SNS::Topic
    ///   AlertsPolicy:
    ///     Type: AWS::SNS::TopicPolicy
    ///     Properties:
    ///       Topics: [!Ref Alerts]
    ///       PolicyDocument:
    ///         Version: "2012-10-17"
    ///         Statement:
    ///           - Effect: Allow
    ///             Action: sns:Publish
    ///             Resource: !Ref Alerts
    ///             Principal:
    ///               Service: events.amazonaws.com # <-- here
    /// ```
    /// ## Good
    /// ```terraform good
    /// resource "aws_lambda_permission" "s3" {
    ///   statement_id   = "s3"
    ///   action         = "lambda:InvokeFunction"
    ///   function_name  = "thumbnails"
    ///   principal      = "s3.amazonaws.com"
    ///   source_arn     = "arn:aws:s3:::acme-uploads"
    ///   source_account = "111122223333"
    /// }
    /// ```
    /// ```cloudformation good
    /// Resources:
    ///   Alerts:
    ///     Type: AWS::SNS::Topic
    ///   AlertsPolicy:
    ///     Type: AWS::SNS::TopicPolicy
    ///     Properties:
    ///       Topics: [!Ref Alerts]
    ///       PolicyDocument:
    ///         Version: "2012-10-17"
    ///         Statement:
    ///           - Effect: Allow
    ///             Action: sns:Publish
    ///             Resource: !Ref Alerts
    ///             Principal:
    ///               Service: events.amazonaws.com
    ///             Condition:
    ///               ArnEquals:
    ///                 aws:SourceArn: !Sub "arn:aws:events:${AWS::Region}:${AWS::AccountId}:rule/nightly"
    /// ```
    /// ## How to fix
    /// Test `aws:SourceArn` with the ARN of the resource that sends, or `aws:SourceAccount` with your
    /// account. An S3 bucket's ARN has no account: test both there.
    pub(crate) static SERVICE_PRINCIPAL_WITHOUT_SOURCE_GUARD = Rule {
        id: "service-principal-without-source-guard",
        family: Family::Resource,
        severity: Severity::Medium,
        confidence: Confidence::Medium,
        scope: Scope::Module,
        since: "0.1.0",
        cwe: &[441],
        aliases: &["CKV_AWS_364"],
        mappings: &[("NIST", "AC-4"), ("ATT&CK", "T1530")],
        references: &["https://docs.aws.amazon.com/IAM/latest/UserGuide/confused-deputy.html"],
        check: check,
    };
}

/// Which services act for their customers on a resource of a service.
#[rustfmt::skip]
const DEPUTIES: &[(&str, &[&str])] = &[
    ("lambda", &["apigateway", "cognito-idp", "config", "events", "iot", "logs", "s3", "scheduler", "secretsmanager", "ses", "sns"]),
    ("sns", &["budgets", "cloudwatch", "codestar-notifications", "config", "events", "s3", "ses"]),
    ("sqs", &["events", "s3", "scheduler", "sns"]),
    ("s3", &["cloudfront", "cloudtrail", "config", "ses"]),
    ("kms", &["cloudfront", "cloudtrail"]),
    ("events", &["events", "sns"]),
];

/// Services whose deliveries are only logs.
const LOGS: &[&str] = &["delivery.logs", "logdelivery.elasticloadbalancing", "logging.s3", "cloudtrail", "config"];

fn check(cx: &mut Context<'_>) {
    let model = cx.model;
    for (policy, resource) in holder::resource_policies(model) {
        for statement in policy.document.allows() {
            if guards_source(&statement.conditions) {
                continue;
            }
            for principal in &statement.principals {
                let Some(service) = principal.service() else {
                    continue;
                };
                let name = service.strip_suffix(".amazonaws.com").unwrap_or(&service);
                let logs = resource == "s3" && LOGS.contains(&name);
                let acts = DEPUTIES
                    .iter()
                    .any(|(on, services)| *on == resource && services.contains(&name));
                if !acts && !logs {
                    continue;
                }
                let what = holder::target(policy, resource);
                let mut report = cx
                    .finding(
                        &policy.place,
                        principal.src(),
                        format!("`{service}` may use {what} for customers of any account"),
                    )
                    .statement(statement)
                    .when(principal.guard())
                    .help("test aws:SourceArn or aws:SourceAccount");
                if logs {
                    report = report.severity(Severity::Low);
                }
                cx.report(report);
            }
        }
    }
}
