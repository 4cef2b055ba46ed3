//! `service-principal-without-source-guard`: A service may use a resource for any of its customers.

use crate::caller::guards_source;
use crate::holder;
use crate::{Context, Family, Scope, fixes};
use overgrant_finding::{Confidence, Severity};
use overgrant_policy::{Conditions, Principal, Statement};

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
    ///               Service: s3.amazonaws.com # <-- here
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
    ///               Service: s3.amazonaws.com
    ///             Condition:
    ///               ArnEquals:
    ///                 aws:SourceArn: arn:aws:s3:::acme-uploads
    ///               StringEquals:
    ///                 aws:SourceAccount: !Ref AWS::AccountId
    /// ```
    /// EventBridge sends no condition keys to a topic; a condition would stop its messages:
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
    /// ```
    /// Log groups of a region are bound by what is encrypted, and CloudFront by its distribution:
    /// ```terraform good
    /// resource "aws_kms_key" "logs" {
    ///   policy = jsonencode({
    ///     Version = "2012-10-17"
    ///     Statement = [
    ///       { Effect = "Allow", Action = "kms:*", Resource = "*", Principal = { AWS = "arn:aws:iam::111122223333:root" } },
    ///       {
    ///         Effect    = "Allow"
    ///         Action    = ["kms:Encrypt", "kms:Decrypt", "kms:GenerateDataKey*"]
    ///         Resource  = "*"
    ///         Principal = { Service = "logs.eu-west-1.amazonaws.com" }
    ///         Condition = { ArnLike = { "kms:EncryptionContext:aws:logs:arn" = "arn:aws:logs:eu-west-1:111122223333:log-group:*" } }
    ///       },
    ///     ]
    ///   })
    /// }
    /// resource "aws_s3_bucket_policy" "site" {
    ///   bucket = "acme-site"
    ///   policy = jsonencode({
    ///     Version = "2012-10-17"
    ///     Statement = [{
    ///       Effect    = "Allow"
    ///       Action    = "s3:GetObject"
    ///       Resource  = "arn:aws:s3:::acme-site/*"
    ///       Principal = { Service = "cloudfront.amazonaws.com" }
    ///       Condition = { StringEquals = { "aws:SourceArn" = "arn:aws:cloudfront::111122223333:distribution/E1A2B3C4D5E6F7" } }
    ///     }]
    ///   })
    /// }
    /// ```
    /// The ARN of a bucket has no account, which is a lesser gap:
    /// ```terraform good at:low
    /// resource "aws_sns_topic_policy" "uploads" {
    ///   arn = "arn:aws:sns:eu-west-1:111122223333:uploads"
    ///   policy = jsonencode({
    ///     Version = "2012-10-17"
    ///     Statement = [{
    ///       Effect    = "Allow"
    ///       Action    = "sns:Publish"
    ///       Resource  = "arn:aws:sns:eu-west-1:111122223333:uploads"
    ///       Principal = { Service = "s3.amazonaws.com" }
    ///       Condition = { ArnEquals = { "aws:SourceArn" = "arn:aws:s3:::acme-uploads" } }
    ///     }]
    ///   })
    /// }
    /// ```
    /// So are deliveries of logs:
    /// ```terraform good at:low
    /// resource "aws_s3_bucket_policy" "logs" {
    ///   bucket = "acme-logs"
    ///   policy = jsonencode({
    ///     Version   = "2012-10-17"
    ///     Statement = [{ Effect = "Allow", Action = "s3:PutObject", Resource = "arn:aws:s3:::acme-logs/*", Principal = { Service = "delivery.logs.amazonaws.com" } }]
    ///   })
    /// }
    /// ```
    /// An API by its ARN, and a service that sends no such keys:
    /// ```terraform good
    /// resource "aws_lambda_permission" "api" {
    ///   statement_id  = "api"
    ///   action        = "lambda:InvokeFunction"
    ///   function_name = "shop"
    ///   principal     = "apigateway.amazonaws.com"
    ///   source_arn    = "arn:aws:execute-api:eu-west-1:111122223333:a1b2c3d4e5/*/*/*"
    /// }
    /// resource "aws_kms_key" "mail" {
    ///   policy = jsonencode({
    ///     Version = "2012-10-17"
    ///     Statement = [
    ///       { Effect = "Allow", Action = "kms:*", Resource = "*", Principal = { AWS = "arn:aws:iam::111122223333:root" } },
    ///       { Effect = "Allow", Action = ["kms:Decrypt", "kms:GenerateDataKey*"], Resource = "*", Principal = { Service = "spotfleet.amazonaws.com" } },
    ///     ]
    ///   })
    /// }
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
        aliases: &["CKV_AWS_364", "AWS-0067"],
        mappings: &[("NIST", "AC-4"), ("ATT&CK", "T1530"), ("ATT&CK", "T1537")],
        references: &[
            "https://docs.aws.amazon.com/IAM/latest/UserGuide/confused-deputy.html",
            "https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-use-resource-based.html#eb-sns-permissions",
        ],
        check: check,
    };
}

/// Which services act for their customers on a resource of a service.
#[rustfmt::skip]
const DEPUTIES: &[(&str, &[&str])] = &[
    ("lambda", &["apigateway", "cognito-idp", "config", "events", "iot", "logs", "s3", "scheduler", "secretsmanager", "ses", "sns"]),
    ("sns", &["budgets", "cloudwatch", "codestar-notifications", "config", "s3", "ses"]),
    ("sqs", &["events", "s3", "scheduler", "sns"]),
    ("s3", &["cloudfront", "cloudtrail", "config", "ses"]),
    ("kms", &["cloudfront", "cloudtrail", "logs"]),
    ("events", &["events", "sns"]),
];

/// Services that act for their customers on a resource of a service and send none of the keys: a
/// condition would shut them out.
const SENDS_NO_KEYS: &[(&str, &str)] = &[("sns", "events")];

/// Services whose deliveries are only logs.
const LOGS: &[&str] = &["delivery.logs", "logdelivery.elasticloadbalancing", "logging.s3", "cloudtrail", "config"];

fn check(cx: &mut Context<'_>) {
    let model = cx.model;
    for (policy, resource) in holder::resource_policies(model) {
        for statement in policy.document.allows() {
            let guarded = guards_source(&statement.conditions);
            if guarded && !names_bucket_only(&statement.conditions) {
                continue;
            }
            let mut deputies = statement
                .principals
                .iter()
                .filter_map(|principal| Some((principal, deputy(principal, resource)?)));
            // The statement lacks one condition, however many services it names.
            let Some((principal, (service, severity))) = deputies.next() else {
                continue;
            };
            let more: Vec<_> = deputies.collect();
            let others = match more.len() {
                0 => String::new(),
                count => format!(" and {count} more"),
            };
            let what = holder::target(policy, resource);
            let worst = more
                .iter()
                .map(|(_, (_, other))| *other)
                .fold(severity, Severity::max);
            let alone = statement.principals.iter().all(|one| !sends_no_keys(one, resource));
            let help = if alone {
                "test aws:SourceArn or aws:SourceAccount"
            } else {
                "test aws:SourceArn or aws:SourceAccount, and leave events.amazonaws.com, which sends neither to a topic, in a statement of its own"
            };
            let worst = if only_looks(statement) { Severity::Low } else { worst };
            let (worst, text) = if guarded {
                let text = format!("`{service}`{others} may use {what} for whoever owns the bucket later");
                (Severity::Low, text)
            } else {
                (worst, format!("`{service}`{others} may use {what} for customers of any account"))
            };
            let mut report = cx
                .finding(&policy.place, principal.src(), text)
                .statement(statement)
                .when(principal.guard())
                .severity(worst)
                .fix(alone.then(|| fixes::own_account(cx.settings, statement)).flatten())
                .help(help);
            for (principal, (service, _)) in &more {
                report = report.related(principal.src(), format!("`{service}` too"), None);
            }
            cx.report(report);
        }
    }
}

/// Whether the service only learns what kind of resource it is.
fn only_looks(statement: &Statement) -> bool {
    const LOOKS: [&str; 3] = ["kms:DescribeKey", "s3:GetBucketAcl", "s3:GetBucketLocation"];
    let granted = statement.actions.may();
    !granted.is_empty() && granted.actions().all(|action| LOOKS.contains(&action.to_string().as_str()))
}

/// Whether buckets alone say who calls: their ARNs have no account, and a name that was given up may
/// be taken by others. Source: Amazon S3, "Granting permissions to publish event notification messages
/// to a destination".
fn names_bucket_only(conditions: &Conditions) -> bool {
    let mut keyed = conditions.items.iter().filter(|one| {
        let key = one.key.spelling();
        key.is_none_or(|key| key.starts_with("aws:source"))
    });
    let (Some(only), None) = (keyed.next(), keyed.next()) else {
        return false;
    };
    !conditions.open
        && !only.open
        && !only.values.is_empty()
        && only.values.iter().all(|value| {
            value.known().is_some_and(|arn| {
                let mut parts = arn.split(':').skip(2);
                parts.next() == Some("s3") && parts.next() == Some("") && parts.next() == Some("")
            })
        })
}

/// The name of a service that acts on such a resource for its customers, and how bad that is.
fn deputy(principal: &Principal, resource: &str) -> Option<(String, Severity)> {
    let service = principal.service()?;
    let name = label(&service);
    // CloudWatch Logs uses keys by a name for each region.
    let name = match name.split_once('.') {
        Some(("logs", _)) => "logs",
        _ => name,
    };
    if resource == "s3" && LOGS.contains(&name) {
        return Some((service.to_string(), Severity::Low));
    }
    DEPUTIES
        .iter()
        .any(|(on, services)| *on == resource && services.contains(&name))
        .then(|| (service.to_string(), Severity::Medium))
}

/// Whether the principal is a service that sends none of the keys to such a resource.
fn sends_no_keys(principal: &Principal, resource: &str) -> bool {
    principal
        .service()
        .is_some_and(|service| SENDS_NO_KEYS.contains(&(resource, label(&service))))
}

/// `s3` of `s3.amazonaws.com`.
fn label(service: &str) -> &str {
    service.strip_suffix(".amazonaws.com").unwrap_or(service)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::Scene;

    /// Whether there is a finding on a topic for the services, and whether it wants two statements.
    fn found(services: &str) -> Option<bool> {
        Scene::new()
            .resource(
                "aws_sns_topic_policy",
                "t",
                &format!(
                    r#"{{"arn":"arn:aws:sns:eu-west-1:123456789012:t","policy":"{{\"Statement\":{{\"Effect\":\"Allow\",\"Action\":\"sns:Publish\",\"Resource\":\"*\",\"Principal\":{{\"Service\":[{services}]}}}}}}"}}"#
                ),
            )
            .run(&SERVICE_PRINCIPAL_WITHOUT_SOURCE_GUARD)
            .first()
            .map(|(_, finding)| finding.help.as_deref().is_some_and(|help| help.contains("of its own")))
    }

    #[test]
    fn a_service_that_sends_no_keys_is_left_alone() {
        assert_eq!(found(r#"\"events.amazonaws.com\""#), None);
        assert_eq!(found(r#"\"s3.amazonaws.com\""#), Some(false));
        assert_eq!(found(r#"\"s3.amazonaws.com\",\"events.amazonaws.com\""#), Some(true));
    }
}
