//! `service-wildcard-on-all`: all write actions of a service on all its resources.

use crate::grants::{self, Grant};
use crate::usual::Usual;
use crate::whole::Whole;
use crate::{Context, Family, Scope};
use overgrant_finding::{Confidence, Severity};

rule! {
    /// Statement allows a whole service on all its resources.
    ///
    /// A pattern such as `s3:*`, or several that add up to it, grants every action that changes
    /// something in a service, on every resource of that service in the account.
    ///
    /// ## Why
    /// Whoever gets hold of the principal can read, change and destroy everything of that service, and
    /// with services such as IAM, Lambda, Systems Manager or STS go on to other principals. New actions
    /// and new resources are included on the day they appear.
    ///
    /// ## Bad
    /// ```terraform bad
    /// resource "aws_iam_policy" "uploads" {
    ///   name = "uploads"
    ///   policy = jsonencode({
    ///     Version = "2012-10-17"
    ///     Statement = [{
    ///       Effect   = "Allow"
    ///       Action   = "s3:*" # <-- here
    ///       Resource = "*"
    ///     }]
    ///   })
    /// }
    /// ```
    /// ```cloudformation bad
    /// Resources:
    ///   Uploads:
    ///     Type: AWS::IAM::ManagedPolicy
    ///     Properties:
    ///       PolicyDocument:
    ///         Version: "2012-10-17"
    ///         Statement:
    ///           - Effect: Allow
    ///             Action: dynamodb:* # <-- here
    ///             Resource: "*"
    /// ```
    /// The same as a policy document of Terraform:
    /// ```terraform bad
    /// data "aws_iam_policy_document" "uploads" {
    ///   statement {
    ///     actions   = ["s3:*"] # <-- here
    ///     resources = ["*"]
    ///   }
    /// }
    /// resource "aws_iam_policy" "uploads" {
    ///   name = "uploads"
    ///   policy = data.aws_iam_policy_document.uploads.json
    /// }
    /// ```
    /// ## Good
    /// ```terraform good
    /// resource "aws_iam_policy" "uploads" {
    ///   name = "uploads"
    ///   policy = jsonencode({
    ///     Version = "2012-10-17"
    ///     Statement = [{
    ///       Effect   = "Allow"
    ///       Action   = ["s3:GetObject", "s3:PutObject"]
    ///       Resource = "arn:aws:s3:::acme-uploads/*"
    ///     }]
    ///   })
    /// }
    /// ```
    /// All actions on named resources are another matter:
    /// ```terraform good
    /// resource "aws_dynamodb_table" "orders" {
    ///   name         = "orders"
    ///   billing_mode = "PAY_PER_REQUEST"
    ///   hash_key     = "id"
    /// }
    /// resource "aws_iam_policy" "orders" {
    ///   name = "orders"
    ///   policy = jsonencode({
    ///     Version = "2012-10-17"
    ///     Statement = [{
    ///       Effect   = "Allow"
    ///       Action   = "dynamodb:*"
    ///       Resource = [aws_dynamodb_table.orders.arn, "${aws_dynamodb_table.orders.arn}/index/*"]
    ///     }]
    ///   })
    /// }
    /// ```
    /// A policy that is only a boundary grants nothing:
    /// ```terraform good
    /// resource "aws_iam_policy" "boundary" {
    ///   name = "deployer-boundary"
    ///   policy = jsonencode({
    ///     Version = "2012-10-17"
    ///     Statement = [{ Effect = "Allow", Action = ["s3:*", "lambda:*"], Resource = "*" }]
    ///   })
    /// }
    /// ```
    /// ```cloudformation good
    /// Resources:
    ///   Uploads:
    ///     Type: AWS::IAM::ManagedPolicy
    ///     Properties:
    ///       PolicyDocument:
    ///         Version: "2012-10-17"
    ///         Statement:
    ///           - Effect: Allow
    ///             Action: [s3:GetObject, s3:PutObject]
    ///             Resource: arn:aws:s3:::acme-uploads/*
    /// ```
    /// A condition on what is touched or on who calls narrows it:
    /// ```terraform good
    /// resource "aws_iam_policy" "fleet" {
    ///   name = "fleet"
    ///   policy = jsonencode({
    ///     Version = "2012-10-17"
    ///     Statement = [{
    ///       Effect    = "Allow"
    ///       Action    = "ec2:*"
    ///       Resource  = "*"
    ///       Condition = { StringEquals = { "aws:ResourceTag/team" = "shop" } }
    ///     }]
    ///   })
    /// }
    /// ```
    /// Services that only take measurements are a note:
    /// ```terraform good at:info
    /// resource "aws_iam_policy" "traces" {
    ///   name = "traces"
    ///   policy = jsonencode({
    ///     Version   = "2012-10-17"
    ///     Statement = [{ Effect = "Allow", Action = "xray:*", Resource = "*" }]
    ///   })
    /// }
    /// ```
    /// A service that only reads cannot change anything:
    /// ```terraform good
    /// resource "aws_iam_policy" "prices" {
    ///   name = "prices"
    ///   policy = jsonencode({
    ///     Version   = "2012-10-17"
    ///     Statement = [{ Effect = "Allow", Action = "pricing:*", Resource = "*" }]
    ///   })
    /// }
    /// ```
    /// A service that is one application of the account has administrators:
    /// ```terraform good at:low
    /// resource "aws_iam_policy" "dashboards" {
    ///   name = "dashboard-admins"
    ///   policy = jsonencode({
    ///     Version   = "2012-10-17"
    ///     Statement = [{ Effect = "Allow", Action = "quicksight:*", Resource = "*" }]
    ///   })
    /// }
    /// ```
    /// A role that only the service itself can use is low for that service:
    /// ```terraform good at:low
    /// resource "aws_iam_role" "scaling" {
    ///   name = "scaling"
    ///   assume_role_policy = jsonencode({
    ///     Version = "2012-10-17"
    ///     Statement = [{
    ///       Effect    = "Allow"
    ///       Action    = "sts:AssumeRole"
    ///       Principal = { Service = "application-autoscaling.amazonaws.com" }
    ///     }]
    ///   })
    /// }
    /// resource "aws_iam_role_policy" "scaling" {
    ///   role = aws_iam_role.scaling.name
    ///   policy = jsonencode({
    ///     Version   = "2012-10-17"
    ///     Statement = [{ Effect = "Allow", Action = "application-autoscaling:*", Resource = "*" }]
    ///   })
    /// }
    /// ```
    /// ## How to fix
    /// List the actions that are used (the last accessed information of IAM knows them) and name the
    /// resources.
    pub(crate) static SERVICE_WILDCARD_ON_ALL = Rule {
        id: "service-wildcard-on-all",
        family: Family::Grant,
        severity: Severity::High,
        confidence: Confidence::High,
        scope: Scope::Module,
        since: "0.1.0",
        cwe: &[269],
        aliases: &[
            "CKV_AWS_63",
            "CKV_AWS_289",
            "AWS-0345",
            "AWS-0057",
            "AwsSolutions-IAM5",
            "F3",
            "F4",
            "F5",
        ],
        mappings: &[
            ("FSBP", "IAM.21"),
            ("CIS5", "1.15"),
            ("NIST", "AC-6"),
            ("NIST", "AC-3"),
            ("ATT&CK", "T1078.004"),
        ],
        references: &[
            "https://docs.aws.amazon.com/IAM/latest/UserGuide/best-practices.html#grant-least-privilege",
            "https://docs.aws.amazon.com/IAM/latest/UserGuide/access_policies_last-accessed.html",
        ],
        check: check,
    };
}

fn check(cx: &mut Context<'_>) {
    let mut usual = Usual::default();
    for grant in grants::grants(cx) {
        // One statement is one finding: its worst service is the place.
        let mut whole = usual.whole_services(cx, &grant);
        whole.sort_by_key(|one| std::cmp::Reverse((one.severity, one.width)));
        finding(cx, &grant, &whole);
    }
}

/// Reports the services of a statement, worst first.
fn finding(cx: &mut Context<'_>, grant: &Grant<'_>, whole: &[Whole<'_>]) {
    const SHOWN: usize = 3;
    let Some(worst) = whole.first() else { return };
    let mut names: Vec<String> = whole
        .iter()
        .take(SHOWN)
        .map(|one| format!("`{}`", one.item))
        .collect();
    let list = if whole.len() > SHOWN {
        let more = whole.len() - SHOWN;
        let services = if more == 1 { "service" } else { "services" };
        format!("{} and {more} more {services}", names.join(", "))
    } else {
        match names.pop() {
            Some(last) if !names.is_empty() => format!("{} and {last}", names.join(", ")),
            Some(only) => only,
            None => return,
        }
    };
    let place = grant.extent(worst.width);
    let prefixes: Vec<&str> = whole.iter().map(|one| one.service.prefix()).collect();
    let mut report = grant
        .finding(cx, worst.item.pattern().src(), format!("use {list} {place}"))
        .severity(worst.severity)
        .help("list the actions that are used and name the resources")
        .cell(format!("{}|{}", prefixes.join(","), grant.statement.cell_key()));
    for one in whole {
        report = report.covers(one.item.pattern().src());
    }
    if let Some(first) = worst.scopable {
        report = report.related(&grant.wide_src(first), "on these resources", None);
    }
    cx.report(report);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{Scene, inline, trusting};

    fn found(action: &str, resource: &str, rest: &str) -> Vec<Severity> {
        Scene::new()
            .statements(&format!(
                r#"{{"Effect":"Allow","Action":{action},"Resource":"{resource}"{rest}}}"#
            ))
            .run(&SERVICE_WILDCARD_ON_ALL)
            .into_iter()
            .map(|(_, finding)| finding.severity)
            .collect()
    }

    #[test]
    fn services_have_their_weight() {
        assert_eq!(found(r#""s3:*""#, "*", ""), [Severity::High]);
        assert_eq!(found(r#""dynamodb:*""#, "*", ""), [Severity::Medium]);
        assert_eq!(found(r#""xray:*""#, "*", ""), [Severity::Info]);
        assert_eq!(found(r#""sqs:*""#, "arn:aws:sqs:*:*:*", ""), [Severity::Medium]);
        let region = "arn:aws:sqs:eu-west-1:123456789012:*";
        assert_eq!(found(r#""sqs:*""#, region, ""), [Severity::Low]);
        // One cause, one finding, with the worst of its services.
        assert_eq!(found(r#"["dynamodb:*","S3:*"]"#, "*", ""), [Severity::High]);
        assert_eq!(found(r#"["sqs:A*","sqs:?*"]"#, "*", "").len(), 1);
    }

    #[test]
    fn a_service_may_do_all_of_itself() {
        let of = |service: &str, action: &str| {
            let principal = format!(r#"{{"Service":"{service}.amazonaws.com"}}"#);
            let allow = format!(r#"{{"Effect":"Allow","Action":"{action}","Resource":"*"}}"#);
            Scene::new()
                .resource("aws_iam_role", "r", &trusting("r", &principal))
                .resource("aws_iam_role_policy", "r", &inline("r", &allow))
                .run(&SERVICE_WILDCARD_ON_ALL)
                .first()
                .map(|(_, finding)| finding.severity)
        };
        for (service, action, expected) in [
            ("elasticbeanstalk", "elasticbeanstalk:*", Severity::Low),
            ("application-autoscaling", "application-autoscaling:*", Severity::Low),
            // AWS grants it to all roles of the service.
            ("glue", "glue:*", Severity::Low),
            ("glue", "dynamodb:*", Severity::Medium),
            ("elasticbeanstalk", "dynamodb:*", Severity::Medium),
            ("states", "states:*", Severity::Medium),
            ("lambda", "lambda:*", Severity::High),
            ("lambda", "dynamodb:*", Severity::Medium),
        ] {
            assert_eq!(of(service, action), Some(expected), "{service} {action}");
        }
    }

    #[test]
    fn stack_sets_work_with_all_stacks() {
        let of = |name: &str, action: &str| {
            let statement = format!(r#"{{"Effect":"Allow","Action":"{action}","Resource":"*"}}"#);
            Scene::new()
                .resource("aws_iam_role", "r", &trusting(name, r#"{"AWS":"111122223333"}"#))
                .resource("aws_iam_role_policy", "r", &inline(name, &statement))
                .run(&SERVICE_WILDCARD_ON_ALL)
                .first()
                .map(|(_, finding)| finding.severity)
        };
        let role = "AWSCloudFormationStackSetExecutionRole";
        assert_eq!(of(role, "cloudformation:*"), Some(Severity::Low));
        assert_eq!(of("shop-stack-set-execution", "cloudformation:*"), Some(Severity::Low));
        assert_eq!(of(role, "events:*"), Some(Severity::Medium));
        assert_eq!(of("shop", "cloudformation:*"), Some(Severity::Medium));
    }

    #[test]
    fn less_is_silent() {
        assert_eq!(found(r#""s3:Get*""#, "*", ""), []);
        assert_eq!(found(r#""s3:*""#, "arn:aws:s3:::b", ""), []);
        assert_eq!(found(r#""*""#, "*", ""), []);
        let tagged = r#","Condition":{"StringEquals":{"aws:ResourceTag/team":"x"}}"#;
        assert_eq!(found(r#""ec2:*""#, "*", tagged), []);
    }
}
