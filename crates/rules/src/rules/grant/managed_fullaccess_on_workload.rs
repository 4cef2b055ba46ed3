//! `managed-fullaccess-on-workload`: a whole service by AWS-managed policy.

use crate::grants;
use crate::managed::{self, Usage};
use crate::{Context, Family, Scope};
use overgrant_catalog::{ActionId, Service, catalog};
use overgrant_finding::{Confidence, Severity};
use overgrant_policy::{ActionSet, Answer, Document};
use std::collections::BTreeMap;

rule! {
    /// Workload or user has full access to a service by AWS managed policy.
    ///
    /// The attached policy of AWS allows nine in ten or more of the actions that change something in a
    /// service, on all its resources, and the principal is a user or a role that code runs with.
    ///
    /// Roles of a sandbox go on the list `ignore` of the configuration, by address.
    ///
    /// ## Why
    /// Code seldom needs more than a few actions on a few resources. Whoever gets hold of it can read,
    /// change and destroy everything of that service in the account.
    ///
    /// ## Bad
    /// ```terraform bad
    /// resource "aws_iam_role" "app" {
    ///   name = "app"
    ///   assume_role_policy = jsonencode({
    ///     Version   = "2012-10-17"
    ///     Statement = [{ Effect = "Allow", Action = "sts:AssumeRole", Principal = { Service = "lambda.amazonaws.com" } }]
    ///   })
    /// }
    /// resource "aws_iam_role_policy_attachment" "app" {
    ///   role       = aws_iam_role.app.name
    ///   policy_arn = "arn:aws:iam::aws:policy/AmazonS3FullAccess" # <-- here
    /// }
    /// ```
    /// ```cloudformation bad
    /// Resources:
    ///   App:
    ///     Type: AWS::IAM::Role
    ///     Properties:
    ///       AssumeRolePolicyDocument:
    ///         Version: "2012-10-17"
    ///         Statement:
    ///           - Effect: Allow
    ///             Action: sts:AssumeRole
    ///             Principal:
    ///               Service: lambda.amazonaws.com
    ///       ManagedPolicyArns:
    ///         - arn:aws:iam::aws:policy/AmazonSQSFullAccess # <-- here
    /// ```
    /// ## Good
    /// ```terraform good
    /// resource "aws_iam_role" "app" {
    ///   name = "app"
    ///   assume_role_policy = jsonencode({
    ///     Version   = "2012-10-17"
    ///     Statement = [{ Effect = "Allow", Action = "sts:AssumeRole", Principal = { Service = "lambda.amazonaws.com" } }]
    ///   })
    /// }
    /// resource "aws_iam_role_policy_attachment" "app" {
    ///   role       = aws_iam_role.app.name
    ///   policy_arn = "arn:aws:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole"
    /// }
    /// ```
    /// ```cloudformation good
    /// Resources:
    ///   App:
    ///     Type: AWS::IAM::Role
    ///     Properties:
    ///       AssumeRolePolicyDocument:
    ///         Version: "2012-10-17"
    ///         Statement:
    ///           - Effect: Allow
    ///             Action: sts:AssumeRole
    ///             Principal:
    ///               Service: lambda.amazonaws.com
    ///       ManagedPolicyArns:
    ///         - arn:aws:iam::aws:policy/service-role/AWSLambdaSQSQueueExecutionRole
    /// ```
    /// Policies that only read, and the least that a service needs:
    /// ```terraform good
    /// resource "aws_iam_role" "app" {
    ///   name = "app"
    ///   assume_role_policy = jsonencode({
    ///     Version   = "2012-10-17"
    ///     Statement = [{ Effect = "Allow", Action = "sts:AssumeRole", Principal = { Service = "lambda.amazonaws.com" } }]
    ///   })
    /// }
    /// resource "aws_iam_role_policy_attachment" "app" {
    ///   role       = aws_iam_role.app.name
    ///   policy_arn = "arn:aws:iam::aws:policy/AmazonSQSReadOnlyAccess"
    /// }
    /// ```
    /// A policy that also leads to more rights is reported for that:
    /// ```terraform good under:managed-escalation-capable
    /// resource "aws_iam_role" "app" {
    ///   name = "app"
    ///   assume_role_policy = jsonencode({
    ///     Version   = "2012-10-17"
    ///     Statement = [{ Effect = "Allow", Action = "sts:AssumeRole", Principal = { Service = "lambda.amazonaws.com" } }]
    ///   })
    /// }
    /// resource "aws_iam_role_policy_attachment" "app" {
    ///   role       = aws_iam_role.app.name
    ///   policy_arn = "arn:aws:iam::aws:policy/IAMFullAccess"
    /// }
    /// ```
    /// ## How to fix
    /// Write a policy with the actions that are used on the resources that are touched.
    pub(crate) static MANAGED_FULLACCESS_ON_WORKLOAD = Rule {
        id: "managed-fullaccess-on-workload",
        family: Family::Grant,
        severity: Severity::Medium,
        confidence: Confidence::High,
        scope: Scope::Module,
        since: "0.1.0",
        cwe: &[269],
        aliases: &["AWS-0345", "AwsSolutions-IAM4"],
        mappings: &[
            ("FSBP", "IAM.21"),
            ("NIST", "AC-6"),
            ("NIST", "AC-3"),
            ("ATT&CK", "T1078.004"),
        ],
        references: &[
            "https://docs.aws.amazon.com/IAM/latest/UserGuide/best-practices.html#bp-use-aws-defined-policies",
        ],
        check: check,
    };
}

/// Services whose control is most of the account's.
const WEIGHTY: [&str; 9] = [
    "ec2", "iam", "kms", "lambda", "organizations", "s3", "secretsmanager", "ssm", "sts",
];

fn check(cx: &mut Context<'_>) {
    let mut known: BTreeMap<&str, Option<Covered>> = BTreeMap::new();
    for one in managed::attached(cx) {
        let name = one.policy.path_and_name();
        if one.is_bounded() || !matches!(one.usage(cx), Usage::People | Usage::Workload) {
            continue;
        }
        let service = *known
            .entry(name)
            .or_insert_with(|| covered(&managed::document(one.policy), one.policy.name()));
        let Some(Covered { service, whole }) = service else {
            continue;
        };
        let most = if whole { "everything" } else { "nearly everything" };
        let severity = match (WEIGHTY.contains(&service), one.is_made_for_its_service(cx)) {
            (true, false) => Severity::High,
            (false, true) => Severity::Low,
            _ => Severity::Medium,
        };
        let text = format!(
            "{} may change {most} in `{service}`: it has `{}`",
            one.holder(),
            one.policy.name()
        );
        let mut report = cx
            .finding(&one.attachment.place, &one.attachment.policy.src, text)
            .cell(name)
            .when(&one.attachment.policy.guard)
            .severity(severity)
            .help("write a policy with the actions that are used on the resources that are touched");
        if let Some((_, identity)) = one.identity {
            report = report.principal(&identity.place);
        }
        cx.report(report);
    }
}

/// A service that a managed policy opens.
#[derive(Clone, Copy)]
struct Covered {
    service: &'static str,
    /// Whether no write of the service is left out.
    whole: bool,
}

/// The weightiest service whose writes the document covers on all resources, of equals the one
/// that the policy is named after; `None` too where it allows everything, which is another rule's.
fn covered(document: &Document, name: &str) -> Option<Covered> {
    if document
        .statements
        .iter()
        .any(|statement| statement.grants_admin() == Answer::Must)
    {
        return None;
    }
    let open = document
        .allows()
        .filter(|statement| {
            statement.resources.covers_all() == Answer::Must
                && !statement.conditions.narrows().possible()
        })
        .fold(ActionSet::empty(), |open, statement| open.union(&statement.actions.must()));
    let mut services: Vec<Service<'static>> = document
        .allows()
        .flat_map(|statement| &statement.actions.listed().items)
        .filter(|item| item.pattern().has_wildcard())
        .filter_map(|item| catalog().service(&item.service()?))
        .collect();
    services.sort_by_key(|service| service.prefix());
    services.dedup_by_key(|service| service.prefix());
    let mut found: Vec<Covered> = services
        .into_iter()
        .filter_map(|service| covers(&open, service))
        .collect();
    let name = name.to_ascii_lowercase();
    found.sort_by_key(|one| (!WEIGHTY.contains(&one.service), !name.contains(one.service)));
    found.first().copied()
}

/// The service, where nine in ten of its writes are among the actions open on all resources.
fn covers(open: &ActionSet, service: Service<'static>) -> Option<Covered> {
    let writes: Vec<ActionId> = service
        .actions()
        .map(ActionId)
        .filter(|id| {
            catalog()
                .action(*id)
                .is_some_and(|action| grants::writes(action) && !action.is_wildcard_only())
        })
        .collect();
    let count = writes.iter().filter(|id| open.contains(**id)).count();
    (!writes.is_empty() && count * 10 >= writes.len() * 9).then(|| Covered {
        service: service.prefix(),
        whole: count == writes.len(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::Scene;

    fn found(policy: &str) -> Vec<Severity> {
        Scene::new()
            .resource("aws_iam_user", "u", r#"{"name":"u"}"#)
            .resource(
                "aws_iam_user_policy_attachment",
                "u",
                &format!(r#"{{"user":"u","policy_arn":"arn:aws:iam::aws:policy/{policy}"}}"#),
            )
            .run(&MANAGED_FULLACCESS_ON_WORKLOAD)
            .into_iter()
            .map(|(_, finding)| finding.severity)
            .collect()
    }

    #[test]
    fn full_access_is_computed() {
        assert_eq!(found("AmazonS3FullAccess"), [Severity::High]);
        assert_eq!(found("AmazonSQSFullAccess"), [Severity::Medium]);
        for quiet in ["AmazonS3ReadOnlyAccess", "AdministratorAccess", "service-role/AWSLambdaBasicExecutionRole"] {
            assert_eq!(found(quiet), [], "{quiet}");
        }
    }
}
