//! `star-resource-on-scopable-write`: writes on every resource although resources could be named.

use crate::grants::{self, Grant, Wide};
use crate::usual::Usual;
use crate::{Context, Family, Scope, whole};
use overgrant_catalog::{AccessLevel, Action, ResourceType};
use overgrant_finding::{Confidence, Severity};
use overgrant_policy::{Answer, Effect, Statement, has_name};

rule! {
    /// Write action is allowed on every resource.
    ///
    /// The statement allows actions that change, tag or share something, and that could be limited to
    /// named resources, on all resources of their type in the account.
    ///
    /// ## Why
    /// Whoever gets hold of the principal can change or destroy resources that have nothing to do with
    /// its work: other teams' instances, tables or queues, or the policies on them.
    ///
    /// ## Bad
    /// ```terraform bad
    /// resource "aws_iam_policy" "restart" {
    ///   name = "restart"
    ///   policy = jsonencode({
    ///     Version = "2012-10-17"
    ///     Statement = [{
    ///       Effect   = "Allow"
    ///       Action   = ["ec2:StopInstances", "ec2:StartInstances"]
    ///       Resource = "*" # <-- here
    ///     }]
    ///   })
    /// }
    /// ```
    /// ```cloudformation bad
    /// Resources:
    ///   Sender:
    ///     Type: AWS::IAM::ManagedPolicy
    ///     Properties:
    ///       PolicyDocument:
    ///         Version: "2012-10-17"
    ///         Statement:
    ///           - Effect: Allow
    ///             Action: sqs:SendMessage
    ///             Resource: "*" # <-- here
    /// ```
    /// The same as a policy document of Terraform:
    /// ```terraform bad
    /// data "aws_iam_policy_document" "restart" {
    ///   statement {
    ///     actions   = ["ec2:StopInstances", "ec2:StartInstances"]
    ///     resources = ["*"] # <-- here
    ///   }
    /// }
    /// resource "aws_iam_policy" "restart" {
    ///   name = "restart"
    ///   policy = data.aws_iam_policy_document.restart.json
    /// }
    /// ```
    /// What else the same statement opens, such as reads of data, is told along:
    /// ```terraform bad
    /// resource "aws_iam_policy" "worker" {
    ///   name = "worker"
    ///   policy = jsonencode({
    ///     Version = "2012-10-17"
    ///     Statement = [{
    ///       Effect   = "Allow"
    ///       Action   = ["s3:GetObject", "s3:PutObject"]
    ///       Resource = "*" # <-- here
    ///     }]
    ///   })
    /// }
    /// ```
    /// ## Good
    /// ```terraform good
    /// resource "aws_sqs_queue" "orders" {
    ///   name = "orders"
    /// }
    /// resource "aws_iam_policy" "sender" {
    ///   name = "sender"
    ///   policy = jsonencode({
    ///     Version = "2012-10-17"
    ///     Statement = [{
    ///       Effect   = "Allow"
    ///       Action   = "sqs:SendMessage"
    ///       Resource = aws_sqs_queue.orders.arn
    ///     }]
    ///   })
    /// }
    /// ```
    /// Actions that know no resources are only possible on `*`, and a tag may do what names cannot:
    /// ```terraform good
    /// resource "aws_iam_policy" "agent" {
    ///   name = "agent"
    ///   policy = jsonencode({
    ///     Version = "2012-10-17"
    ///     Statement = [
    ///       { Effect = "Allow", Action = ["xray:PutTraceSegments", "cloudwatch:PutMetricData"], Resource = "*" },
    ///       {
    ///         Effect    = "Allow"
    ///         Action    = ["ec2:StopInstances", "ec2:StartInstances"]
    ///         Resource  = "*"
    ///         Condition = { StringEquals = { "aws:ResourceTag/team" = "shop" } }
    ///       },
    ///       {
    ///         Effect    = "Allow"
    ///         Action    = "elasticloadbalancing:DeleteLoadBalancer"
    ///         Resource  = "*"
    ///         Condition = { Null = { "aws:ResourceTag/elbv2.k8s.aws/cluster" = "false" } }
    ///       },
    ///     ]
    ///   })
    /// }
    /// ```
    /// ```cloudformation good
    /// Resources:
    ///   Orders:
    ///     Type: AWS::SQS::Queue
    ///   Sender:
    ///     Type: AWS::IAM::ManagedPolicy
    ///     Properties:
    ///       PolicyDocument:
    ///         Version: "2012-10-17"
    ///         Statement:
    ///           - Effect: Allow
    ///             Action: sqs:SendMessage
    ///             Resource: !GetAtt Orders.Arn
    /// ```
    /// Log groups that are written to on every name are low:
    /// ```cloudformation good at:low
    /// Resources:
    ///   Writer:
    ///     Type: AWS::IAM::ManagedPolicy
    ///     Properties:
    ///       PolicyDocument:
    ///         Version: "2012-10-17"
    ///         Statement:
    ///           - Effect: Allow
    ///             Action: [logs:CreateLogGroup, logs:CreateLogStream, logs:PutLogEvents]
    ///             Resource: "*"
    /// ```
    /// So is a new thing whose id the service makes up:
    /// ```terraform good at:low
    /// resource "aws_iam_policy" "network" {
    ///   name = "network"
    ///   policy = jsonencode({
    ///     Version   = "2012-10-17"
    ///     Statement = [{ Effect = "Allow", Action = ["ec2:CreateVpc", "ec2:CreateInternetGateway"], Resource = "*" }]
    ///   })
    /// }
    /// ```
    /// So is what AWS itself grants to every role of the service:
    /// ```terraform good at:low
    /// resource "aws_iam_role" "fn" {
    ///   name = "fn"
    ///   assume_role_policy = jsonencode({
    ///     Version   = "2012-10-17"
    ///     Statement = [{ Effect = "Allow", Action = "sts:AssumeRole", Principal = { Service = "lambda.amazonaws.com" } }]
    ///   })
    /// }
    /// resource "aws_iam_role_policy" "fn" {
    ///   role = aws_iam_role.fn.name
    ///   policy = jsonencode({
    ///     Version   = "2012-10-17"
    ///     Statement = [{ Effect = "Allow", Action = ["ec2:CreateNetworkInterface", "ec2:DeleteNetworkInterface", "sqs:DeleteMessage"], Resource = "*" }]
    ///   })
    /// }
    /// ```
    /// An ARN that the plan will tell is not taken for everything:
    /// ```terraform good
    /// variable "queue_arn" { type = string }
    /// resource "aws_iam_policy" "sender" {
    ///   name = "sender"
    ///   policy = jsonencode({
    ///     Version   = "2012-10-17"
    ///     Statement = [{ Effect = "Allow", Action = "sqs:SendMessage", Resource = var.queue_arn }]
    ///   })
    /// }
    /// ```
    /// A catalog of which there is one is named beside the databases that are meant:
    /// ```terraform good
    /// resource "aws_iam_policy" "tables" {
    ///   name = "tables"
    ///   policy = jsonencode({
    ///     Version = "2012-10-17"
    ///     Statement = [{
    ///       Effect = "Allow"
    ///       Action = ["glue:CreateDatabase", "glue:CreateTable"]
    ///       Resource = [
    ///         "arn:aws:glue:*:111122223333:catalog",
    ///         "arn:aws:glue:*:111122223333:database/reports_*",
    ///         "arn:aws:glue:*:111122223333:table/reports_*/*",
    ///       ]
    ///     }]
    ///   })
    /// }
    /// ```
    /// What AWS publishes for its load balancer controller on everything is low:
    /// ```terraform good at:low
    /// resource "aws_iam_policy" "controller" {
    ///   name = "load-balancer-controller"
    ///   policy = jsonencode({
    ///     Version = "2012-10-17"
    ///     Statement = [
    ///       {
    ///         Effect   = "Allow"
    ///         Action   = ["waf-regional:AssociateWebACL", "waf-regional:DisassociateWebACL", "wafv2:AssociateWebACL"]
    ///         Resource = "*"
    ///       },
    ///       {
    ///         Effect   = "Allow"
    ///         Action   = ["elasticloadbalancing:SetWebAcl", "elasticloadbalancing:ModifyListener", "elasticloadbalancing:ModifyRule"]
    ///         Resource = "*"
    ///       },
    ///     ]
    ///   })
    /// }
    /// ```
    /// ## How to fix
    /// Name the resources, by reference where they are in the same code, or limit the statement by a tag
    /// that the action supports.
    pub(crate) static STAR_RESOURCE_ON_SCOPABLE_WRITE = Rule {
        id: "star-resource-on-scopable-write",
        family: Family::Grant,
        severity: Severity::Medium,
        confidence: Confidence::High,
        scope: Scope::Module,
        since: "0.1.0",
        cwe: &[269],
        aliases: &[
            "CKV_AWS_111",
            "CKV_AWS_290",
            "CKV_AWS_355",
            "CKV_AWS_356",
            "W11",
            "W12",
            "W13",
            "RESOURCE_STAR",
        ],
        mappings: &[("FSBP", "IAM.21"), ("NIST", "AC-6(1)"), ("ATT&CK", "T1078.004")],
        references: &[
            "https://docs.aws.amazon.com/service-authorization/latest/reference/reference_policies_actions-resources-contextkeys.html",
        ],
        check: check,
    };
}

fn check(cx: &mut Context<'_>) {
    let mut usual = Usual::default();
    for grant in grants::grants(cx) {
        let statement = grant.statement;
        // Complements are `allow-notaction`, everything is `admin-star-star`.
        if statement.effect != Effect::Allow
            || statement.actions.listed().negated
            || statement.actions.covers_all() == Answer::Must
            || !grants::may_be_wide(statement)
            || grant.is_narrowed()
        {
            continue;
        }
        let (granted, whole) = whole::others(&grant);
        let mut judged: Vec<(Severity, Wide, Action<'_>)> = granted
            .actions()
            .filter(|action| grants::writes(*action) && is_scopable(*action))
            .filter(|action| !is_of_named_sender(statement, *action))
            .filter_map(|action| {
                let wide = grant.wide(action)?;
                Some((severity(action), wide, action))
            })
            .collect();
        // A copy of a policy that AWS keeps has no bytes here.
        let copied = statement.src.span.is_none();
        for (severity, _, action) in &mut judged {
            if *severity == Severity::Medium && (copied || usual.is_usual(cx, &grant, *action)) {
                *severity = Severity::Low;
            }
        }
        judged.sort_by_key(|(severity, wide, _)| std::cmp::Reverse((*severity, *wide)));
        let Some((worst, wide, first)) = judged.first().copied() else {
            continue;
        };
        // A whole service on everything in the same statement is the same cause.
        if whole.is_some_and(|whole| whole >= worst) {
            continue;
        }
        // What is worth no finding of its own is not named, where something else is.
        let named: Vec<Action<'_>> = judged
            .iter()
            .filter(|(severity, _, _)| *severity >= worst.min(Severity::Medium))
            .map(|(_, _, action)| *action)
            .collect();
        finding(cx, &grant, worst, wide, first, &named);
    }
}

fn finding(
    cx: &mut Context<'_>,
    grant: &Grant<'_>,
    worst: Severity,
    wide: Wide,
    first: Action<'_>,
    named: &[Action<'_>],
) {
    let (severity, place) = match wide {
        Wide::Account => (worst, "on every resource"),
        Wide::Region => (worst.lower(), "on every resource of a region"),
    };
    let list = grants::list_actions(named);
    let mut report = grant
        .finding(cx, &grant.wide_src(first), format!("use {list} {place}"))
        .severity(severity)
        .help("name the resources, or limit the statement by a tag")
        .related(&grant.action_src(first), "these actions", None);
    for action in named {
        report = report.covers(&grant.action_src(*action));
    }
    cx.report(report);
}

/// Whether the action answers an invitation and the statement says whose: the account in the ARN is
/// the sender's, and the rest of it is made up by the service.
fn is_of_named_sender(statement: &Statement, action: Action<'_>) -> bool {
    let listed = statement.resources.listed();
    action.service().prefix() == "ram"
        && ["AcceptResourceShareInvitation", "RejectResourceShareInvitation"].contains(&action.name())
        && !listed.negated
        && listed.items.iter().all(|item| item.names_account())
}

/// Types of which a call takes one, although none is marked as required: objects of buckets and of access
/// points, rules of either bus, and what a session is opened on.
const EITHER: [(&str, &[&str]); 3] = [
    ("events", &["rule-on-custom-event-bus", "rule-on-default-event-bus"]),
    ("s3", &["accesspointobject", "object"]),
    ("ssm", &["document", "instance", "managed-instance", "task"]),
];

/// Whether some resource type of the action must be there, so that it can be named.
fn is_scopable(action: Action<'_>) -> bool {
    let either = |(service, types): &(&str, &[&str])| {
        action.service().prefix() == *service
            && action.resources().len() == types.len()
            && action.resources().all(|resource| types.contains(&resource.name()))
    };
    let named = |kind: ResourceType<'_>| has_name(kind.arn_pattern());
    let mut required = action.resources().filter(|resource| resource.is_required());
    required.any(|resource| resource.resource_type().is_none_or(named)) || EITHER.iter().any(either)
}

fn severity(action: Action<'_>) -> Severity {
    // An own MFA device has any name, a service-linked role is what AWS wrote it to be, and nobody
    // changes the password of another with the call for the own one.
    let harmless = ["ChangePassword", "CreateServiceLinkedRole", "CreateVirtualMFADevice"];
    if action.service().prefix() == "iam" && harmless.contains(&action.name()) {
        return Severity::Low;
    }
    // An address more does no harm to an interface.
    let addresses = ["AssignIpv6Addresses", "AssignPrivateIpAddresses"];
    if action.service().prefix() == "ec2" && addresses.contains(&action.name()) {
        return Severity::Low;
    }
    // A stack policy says which resources an update may touch, and grants nothing.
    if action.service().prefix() == "cloudformation" && action.name() == "SetStackPolicy" {
        return Severity::Medium;
    }
    // Nor do the description and the length of sessions of a role.
    let description = ["UpdateRole", "UpdateRoleDescription"];
    if action.service().prefix() == "iam" && description.contains(&action.name()) {
        return Severity::Medium;
    }
    // The access policy is one of many settings of a domain.
    let domain = ["UpdateDomainConfig", "UpdateElasticsearchDomainConfig"];
    if action.service().prefix() == "es" && domain.contains(&action.name()) {
        return Severity::Medium;
    }
    // What it creates grants nothing to anybody yet.
    if action.level() == AccessLevel::PermissionsManagement && !action.name().starts_with("Create") {
        return Severity::High;
    }
    let logs = action.service().prefix() == "logs"
        && ["CreateLogGroup", "CreateLogStream", "PutLogEvents"].contains(&action.name());
    if logs || makes_its_id(action) || action.level() == AccessLevel::Tagging {
        return Severity::Low;
    }
    Severity::Medium
}

/// Whether the action creates something whose ARN ends in an id that the service makes up: it
/// cannot be named before it exists.
fn makes_its_id(action: Action<'_>) -> bool {
    const VERBS: [&str; 9] = [
        "Allocate", "Build", "Copy", "Create", "Import", "Purchase", "Register", "Request", "Run",
    ];
    let creates = VERBS.iter().any(|verb| action.name().starts_with(verb));
    action
        .resources()
        .filter(|resource| resource.is_required() && (creates || is_job_started(action, resource.name())))
        .filter_map(|resource| resource.resource_type())
        .any(|kind| {
            let format = kind.arn_pattern();
            let placeholder = format
                .rsplit_once("${")
                .and_then(|(_, rest)| rest.strip_suffix('}'));
            placeholder.is_some_and(|name| name.ends_with("Id") || name.ends_with("ID"))
        })
}

/// Whether the action starts a new job of the type: `StartTopicsDetectionJob` makes a
/// `topics-detection-job`.
fn is_job_started(action: Action<'_>, kind: &str) -> bool {
    action.name().strip_prefix("Start").is_some_and(|job| {
        job.ends_with("Job") && job.eq_ignore_ascii_case(&kind.replace('-', ""))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::Scene;

    fn found(action: &str, resource: &str) -> Vec<(Severity, String)> {
        Scene::new()
            .statements(&format!(
                r#"{{"Effect":"Allow","Action":[{action}],"Resource":{resource}}}"#
            ))
            .run(&STAR_RESOURCE_ON_SCOPABLE_WRITE)
            .into_iter()
            .map(|(bytes, finding)| (finding.severity, bytes))
            .collect()
    }

    #[test]
    fn the_star_is_the_place() {
        assert_eq!(
            found(r#""sqs:SendMessage""#, r#"["arn:aws:sqs:*:*:q","*"]"#),
            [(Severity::Medium, r#""*""#.to_owned())]
        );
        let star = r#""arn:aws:iam::*:role/*""#;
        assert_eq!(
            found(r#""iam:PutRolePolicy","s3:GetObject""#, star),
            [(Severity::High, star.to_owned())]
        );
        for description in ["iam:UpdateRole", "iam:UpdateRoleDescription"] {
            let medium = [(Severity::Medium, star.to_owned())];
            assert_eq!(found(&format!(r#""{description}""#), star), medium, "{description}");
        }
    }

    #[test]
    fn types_of_which_a_call_takes_one() {
        for action in [
            "s3:PutObject",
            "s3:DeleteObject",
            "ssm:StartSession",
            "events:PutTargets",
            "comprehend:StopSentimentDetectionJob",
            "es:UpdateDomainConfig",
            "es:UpdateElasticsearchDomainConfig",
        ] {
            let star = [(Severity::Medium, r#""*""#.to_owned())];
            assert_eq!(found(&format!(r#""{action}""#), r#""*""#), star, "{action}");
        }
        assert!(found(r#""s3:PutObject""#, r#""arn:aws:s3:::acme/*""#).is_empty());
    }

    #[test]
    fn the_sender_of_an_invitation_is_a_limit() {
        let of = |account: &str| {
            let arn = format!(r#""arn:aws:ram:*:{account}:resource-share-invitation/*""#);
            found(r#""ram:AcceptResourceShareInvitation""#, &arn).len()
        };
        assert_eq!((of("*"), of("111122223333")), (1, 0));
    }

    #[test]
    fn what_aws_grants_its_own_roles_is_low() {
        let severity = |service: &str, action: &str| {
            let policy = format!(
                r#"{{\"Statement\":{{\"Effect\":\"Allow\",\"Action\":\"{action}\",\"Resource\":\"*\"}}}}"#
            );
            let trust = format!(
                r#"{{\"Statement\":{{\"Effect\":\"Allow\",\"Action\":\"sts:AssumeRole\",\"Principal\":{{\"Service\":\"{service}\"}}}}}}"#
            );
            Scene::new()
                .resource(
                    "aws_iam_role",
                    "r",
                    &format!(r#"{{"name":"r","assume_role_policy":"{trust}"}}"#),
                )
                .resource(
                    "aws_iam_role_policy",
                    "r",
                    &format!(r#"{{"role":"r","policy":"{policy}"}}"#),
                )
                .run(&STAR_RESOURCE_ON_SCOPABLE_WRITE)
                .first()
                .map(|(_, finding)| finding.severity)
        };
        for (service, action, expected) in [
            ("lambda", "ec2:DeleteNetworkInterface", Severity::Low),
            ("lambda", "ec2:DetachNetworkInterface", Severity::Low),
            ("edgelambda", "ec2:DeleteNetworkInterface", Severity::Low),
            ("ecs", "ec2:DeleteNetworkInterface", Severity::Low),
            ("application-autoscaling", "ecs:UpdateService", Severity::Low),
            ("codebuild", "ec2:DeleteNetworkInterface", Severity::Low),
            ("cognito-idp", "sns:Publish", Severity::Low),
            ("cognito-identity", "sns:Publish", Severity::Medium),
            ("lambda", "ecs:UpdateService", Severity::Medium),
            ("ec2", "ec2:DeleteNetworkInterface", Severity::Medium),
            ("ec2", "s3:PutObject", Severity::Medium),
            ("dlm", "ec2:DeleteSnapshot", Severity::Low),
            ("fis", "ec2:TerminateInstances", Severity::Low),
            ("backup", "dynamodb:CreateBackup", Severity::Low),
            ("lambda", "ec2:DeleteSnapshot", Severity::Medium),
            ("codedeploy", "ecs:DeleteTaskSet", Severity::Low),
            ("states", "ec2:DeleteNetworkInterface", Severity::Medium),
        ] {
            let service = format!("{service}.amazonaws.com");
            assert_eq!(severity(&service, action), Some(expected), "{service} {action}");
        }
    }

    #[test]
    fn what_cannot_be_named_is_silent_or_low() {
        let star = r#""*""#;
        for action in [
            "xray:PutTraceSegments",
            "cloudwatch:PutMetricData",
            "ecr:GetAuthorizationToken",
            "s3:GetObject",
            "ec2:DescribeInstances",
        ] {
            assert_eq!(found(&format!("\"{action}\""), star), [], "{action}");
        }
        for action in [
            "logs:PutLogEvents",
            "ec2:AllocateAddress",
            "ec2:AssignIpv6Addresses",
            "kms:CreateKey",
            "iam:CreateServiceLinkedRole",
            "iam:CreateVirtualMFADevice",
            "iam:ChangePassword",
            "comprehend:StartTopicsDetectionJob",
        ] {
            let severity = found(&format!("\"{action}\""), star);
            assert!(severity.iter().all(|(s, _)| *s == Severity::Low), "{action}");
        }
        assert_eq!(found(r#""sqs:SendMessage""#, r#""arn:aws:sqs:*:*:q""#), []);
    }
}
