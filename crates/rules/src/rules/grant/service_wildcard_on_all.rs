//! `service-wildcard-on-all`: all write actions of a service on all its resources.

use crate::grants::{self, Grant, Wide};
use crate::{Context, Family, Scope};
use overgrant_catalog::{Action, ActionId, Service, catalog};
use overgrant_finding::{Confidence, Severity};
use overgrant_policy::{ActionPattern, Answer, Effect};
use std::collections::BTreeSet;

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
        aliases: &["CKV_AWS_63", "CKV_AWS_289", "AWS-0345"],
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

/// Services whose control is most of the account's.
const WEIGHTY: [&str; 9] = [
    "ec2", "iam", "kms", "lambda", "organizations", "s3", "secretsmanager", "ssm", "sts",
];

/// Services that take in measurements and little else.
const TELEMETRY: [&str; 1] = ["xray"];

fn check(cx: &mut Context<'_>) {
    for grant in grants::grants(cx) {
        let statement = grant.statement;
        // Everything at once is `admin-star-star`, or for `NotAction` `allow-notaction`.
        if statement.effect != Effect::Allow
            || statement.actions.listed().negated
            || statement.actions.covers_all() == Answer::Must
            || grant.is_narrowed()
        {
            continue;
        }
        let services: BTreeSet<String> = statement
            .actions
            .listed()
            .items
            .iter()
            .filter(|item| item.pattern().has_wildcard())
            .filter_map(|item| item.service())
            .collect();
        let mut whole: Vec<Whole<'_>> = services
            .iter()
            .filter_map(|prefix| whole_service(&grant, catalog().service(prefix)?))
            .collect();
        // One statement is one finding: its worst service is the place.
        whole.sort_by_key(|one| std::cmp::Reverse((one.severity, one.width)));
        finding(cx, &grant, &whole);
    }
}

/// A service that a statement grants as a whole.
struct Whole<'a> {
    severity: Severity,
    width: Wide,
    /// The member that grants most of it.
    item: &'a ActionPattern,
    service: Service<'static>,
    /// An action with resources that could be named.
    scopable: Option<Action<'static>>,
}

fn whole_service<'a>(grant: &Grant<'a>, service: Service<'static>) -> Option<Whole<'a>> {
    let statement = grant.statement;
    let granted = statement.actions.must();
    let writes: Vec<Action<'static>> = service
        .actions()
        .filter_map(|id| catalog().action(ActionId(id)))
        .filter(|action| grants::writes(*action))
        .collect();
    if writes.is_empty() || !writes.iter().all(|action| granted.contains(action.id())) {
        return None;
    }
    let scopable: Vec<Action<'static>> = writes
        .iter()
        .copied()
        .filter(|action| !action.is_wildcard_only())
        .collect();
    let width = width(grant, &writes, &scopable)?;
    let item = statement
        .actions
        .listed()
        .items
        .iter()
        .filter(|item| item.service().is_some_and(|own| own == service.prefix()))
        .max_by_key(|item| item.set().len())?;
    let base = if TELEMETRY.contains(&service.prefix()) {
        Severity::Info
    } else if scopable.is_empty() {
        // There is nothing to name.
        Severity::Low
    } else if WEIGHTY.contains(&service.prefix()) {
        Severity::High
    } else {
        Severity::Medium
    };
    Some(Whole {
        severity: match width {
            Wide::Account => base,
            Wide::Region => base.lower(),
        },
        width,
        item,
        service,
        scopable: scopable.first().copied(),
    })
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
        format!("{} and {} more services", names.join(", "), whole.len() - SHOWN)
    } else {
        match names.pop() {
            Some(last) if !names.is_empty() => format!("{} and {last}", names.join(", ")),
            Some(only) => only,
            None => return,
        }
    };
    let place = match worst.width {
        Wide::Account => "on every resource",
        Wide::Region => "on every resource of a region",
    };
    let text = format!("{} use {list} {place}", grant.subject());
    let prefixes: Vec<&str> = whole.iter().map(|one| one.service.prefix()).collect();
    let report = cx
        .finding(&grant.document.place, worst.item.pattern().src(), text)
        .severity(worst.severity)
        .help("list the actions that are used and name the resources");
    let mut report = grant
        .describe(report)
        .cell(format!("{}|{}", prefixes.join(","), grant.statement.cell_key()));
    if let Some(first) = worst.scopable {
        report = report.related(&grant.wide_src(first), "on these resources", None);
    }
    cx.report(report);
}

/// How wide the statement is for the service: nine in ten of its scopable writes decide.
fn width(grant: &Grant<'_>, writes: &[Action<'_>], scopable: &[Action<'_>]) -> Option<Wide> {
    if grant.statement.resources.covers_all() == Answer::Must {
        return Some(Wide::Account);
    }
    let asked = if scopable.is_empty() { writes } else { scopable };
    let widths: Vec<Wide> = asked
        .iter()
        .filter_map(|action| grants::wide(grant.statement, *action))
        .collect();
    let most = |count: usize| count * 10 >= asked.len() * 9;
    let account = widths
        .iter()
        .filter(|width| **width == Wide::Account)
        .count();
    if most(account) {
        Some(Wide::Account)
    } else if most(widths.len()) {
        Some(Wide::Region)
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::Scene;

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
    fn less_is_silent() {
        assert_eq!(found(r#""s3:Get*""#, "*", ""), []);
        assert_eq!(found(r#""s3:*""#, "arn:aws:s3:::b", ""), []);
        assert_eq!(found(r#""*""#, "*", ""), []);
        let tagged = r#","Condition":{"StringEquals":{"aws:ResourceTag/team":"x"}}"#;
        assert_eq!(found(r#""ec2:*""#, "*", tagged), []);
    }
}
