//! `star-resource-on-scopable-write`: writes on every resource although resources could be named.

use crate::grants::{self, Grant, Wide};
use crate::scopable::{is_look, is_scopable, names_what_it_needs, severity};
use crate::usual::Usual;
use crate::{Context, Family, Scope, whole};
use overgrant_catalog::Action;
use overgrant_finding::{Confidence, Severity};
use overgrant_policy::{Answer, Effect, Statement};

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
    /// Roles that a service alone acts with may do what AWS's policy for them says, also where it hands out
    /// rights; any service removes the interfaces that it made:
    /// ```cloudformation good at:low
    /// Resources:
    ///   Snapshots:
    ///     Type: AWS::IAM::Role
    ///     Properties:
    ///       AssumeRolePolicyDocument:
    ///         Version: "2012-10-17"
    ///         Statement:
    ///           - Effect: Allow
    ///             Principal: { Service: dlm.amazonaws.com }
    ///             Action: sts:AssumeRole
    ///       Policies:
    ///         - PolicyName: snapshots
    ///           PolicyDocument:
    ///             Version: "2012-10-17"
    ///             Statement:
    ///               - Effect: Allow
    ///                 Action: [ec2:CreateSnapshot, ec2:DeleteSnapshot, ec2:ModifySnapshotAttribute]
    ///                 Resource: "*"
    ///   Index:
    ///     Type: AWS::IAM::Role
    ///     Properties:
    ///       AssumeRolePolicyDocument:
    ///         Version: "2012-10-17"
    ///         Statement:
    ///           - Effect: Allow
    ///             Principal: { Service: kendra.amazonaws.com }
    ///             Action: sts:AssumeRole
    ///       Policies:
    ///         - PolicyName: network
    ///           PolicyDocument:
    ///             Version: "2012-10-17"
    ///             Statement:
    ///               - Effect: Allow
    ///                 Action: [ec2:CreateNetworkInterface, ec2:DeleteNetworkInterface]
    ///                 Resource: "*"
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
        let (granted, whole) = whole::others(&grant, &usual.whole_services(cx, &grant));
        let mut judged: Vec<(Severity, Wide, Action<'_>)> = granted
            .actions()
            .filter(|action| grants::writes(*action) && is_scopable(*action))
            .filter(|action| !is_of_named_sender(statement, *action) && !is_look(&grant, *action))
            .filter_map(|action| {
                let wide = grant.wide(action)?;
                let named = names_what_it_needs(statement, action);
                (!named).then(|| (severity(action), wide, action))
            })
            .collect();
        // A copy of a policy that AWS keeps has no bytes here.
        let copied = statement.src.span.is_none();
        for (severity, _, action) in &mut judged {
            let usual = match *severity {
                Severity::Medium => copied || usual.is_usual(cx, &grant, *action),
                Severity::High => usual.is_usual_of_service(cx, &grant, *action),
                _ => false,
            };
            if usual {
                *severity = Severity::Low;
            }
        }
        judged.sort_by_key(|(severity, wide, _)| std::cmp::Reverse((*severity, *wide)));
        let Some((worst, wide, first)) = judged.first().copied() else {
            continue;
        };
        // A whole service on everything in the same statement is the same cause, and tells it along from
        // medium up.
        if worst < Severity::Medium && whole.is_some_and(|whole| whole >= worst) {
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
    let place = grant.extent(wide);
    let severity = match wide {
        Wide::Account => worst,
        Wide::Region => worst.lower(),
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{Scene, inline, trusting};

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
            "es:ESHttpPut",
            "iam:UploadServerCertificate",
        ] {
            let star = [(Severity::Medium, r#""*""#.to_owned())];
            assert_eq!(found(&format!(r#""{action}""#), r#""*""#), star, "{action}");
        }
        assert!(found(r#""s3:PutObject""#, r#""arn:aws:s3:::acme/*""#).is_empty());
    }

    #[test]
    fn what_a_call_must_name_decides() {
        let set = r#"["arn:aws:cloudformation:*:*:stackset/shop-*","arn:aws:cloudformation:*:*:type/resource/*"]"#;
        assert_eq!(found(r#""cloudformation:UpdateStackSet""#, set), []);
        let group = r#"["arn:aws:rds:*:*:db:shop-*","arn:aws:rds:*:*:pg:*"]"#;
        assert_eq!(found(r#""rds:ModifyDBInstance""#, group), []);
        let instances = r#"["arn:aws:rds:*:*:db:*","arn:aws:rds:*:*:pg:shop"]"#;
        assert_eq!(found(r#""rds:ModifyDBInstance""#, instances).len(), 1);
        let command = r#"["arn:aws:ssm:*:*:document/AWS-RunShellScript","arn:aws:ec2:*:*:instance/*"]"#;
        assert_eq!(found(r#""ssm:SendCommand""#, command).len(), 1);
    }

    #[test]
    fn an_assignment_hands_out_a_permission_set() {
        let star = [(Severity::High, r#""*""#.to_owned())];
        assert_eq!(found(r#""sso:CreateAccountAssignment""#, r#""*""#), star);
    }

    #[test]
    fn what_stands_beside_a_whole_service_is_told() {
        let beside = found(r#""s3:*","iam:DetachRolePolicy""#, r#""*""#);
        assert_eq!(beside, [(Severity::High, r#""*""#.to_owned())]);
        assert_eq!(found(r#""s3:*","s3:PutObject""#, r#""*""#), []);
    }

    #[test]
    fn a_statement_that_leaves_out_some_says_so() {
        let statement = r#"{"Effect":"Allow","Action":"sqs:SendMessage","NotResource":"arn:aws:sns:*:*:*"}"#;
        let messages = Scene::new()
            .statements(statement)
            .run(&STAR_RESOURCE_ON_SCOPABLE_WRITE);
        let [(_, one)] = messages.as_slice() else {
            panic!("{} findings", messages.len())
        };
        assert!(one.message.ends_with("but those it leaves out"), "{}", one.message);
    }

    #[test]
    fn patterns_of_reads_mean_reads() {
        assert_eq!(found(r#""states:Get*","states:List*","iot:Get*""#, r#""*""#), []);
        assert_eq!(found(r#""secretsmanager:ValidateResourcePolicy""#, r#""*""#), []);
        assert_eq!(found(r#""states:GetActivityTask""#, r#""*""#).len(), 1);
        assert_eq!(found(r#""redshift:Get*""#, r#""*""#).len(), 1);
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
            let quoted = |text: &str| format!("\"{text}\"");
            of_role(&quoted(service), &quoted(action)).first().copied()
        };
        for (service, action, expected) in [
            ("lambda", "ec2:DeleteNetworkInterface", Severity::Low),
            ("lambda", "ec2:DetachNetworkInterface", Severity::Low),
            ("edgelambda", "ec2:DeleteNetworkInterface", Severity::Low),
            ("edgelambda", "ec2:DetachNetworkInterface", Severity::Low),
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
            // What hands out rights, where the service alone acts with its role.
            ("dlm", "ec2:ModifySnapshotAttribute", Severity::Low),
            ("vmie", "ec2:ModifySnapshotAttribute", Severity::Low),
            ("backup", "s3:PutObjectAcl", Severity::Low),
            ("lambda", "ec2:ModifySnapshotAttribute", Severity::High),
            ("sagemaker", "ecr:SetRepositoryPolicy", Severity::High),
            ("bedrock", "bedrock:DeleteInferenceProfile", Severity::Low),
            ("lambda", "ecs:CreateCluster", Severity::Low),
            ("codepipeline", "codecommit:UploadArchive", Severity::Low),
            ("lambda", "codecommit:DeleteRepository", Severity::Medium),
            ("lambda", "cur:PutReportDefinition", Severity::Low),
            ("lambda", "config:StopConfigurationRecorder", Severity::Low),
            ("events", "batch:SubmitJob", Severity::Low),
            ("scheduler", "batch:SubmitJob", Severity::Medium),
            ("application-autoscaling", "cloudwatch:SetAlarmState", Severity::Low),
            ("ecs", "elasticloadbalancing:ModifyListener", Severity::Low),
            ("ecs-tasks", "elasticloadbalancing:ModifyListener", Severity::Medium),
            ("ecs-tasks", "logs:PutRetentionPolicy", Severity::Low),
            ("ec2", "aps:RemoteWrite", Severity::Low),
            ("ec2", "pcs:RegisterComputeNodeGroupInstance", Severity::Low),
            ("lambda", "logs:PutRetentionPolicy", Severity::Medium),
            ("codebuild", "dynamodb:PutItem", Severity::Medium),
        ] {
            let service = format!("{service}.amazonaws.com");
            assert_eq!(severity(&service, action), Some(expected), "{service} {action}");
        }
    }

    /// The severities of a role of the services (quoted, comma-separated) with a policy.
    fn of_role(services: &str, actions: &str) -> Vec<Severity> {
        let principal = format!(r#"{{"Service":[{services}]}}"#);
        let allow = format!(r#"{{"Effect":"Allow","Action":[{actions}],"Resource":"*"}}"#);
        Scene::new()
            .resource("aws_iam_role", "r", &trusting("r", &principal))
            .resource("aws_iam_role_policy", "r", &inline("r", &allow))
            .run(&STAR_RESOURCE_ON_SCOPABLE_WRITE)
            .into_iter()
            .map(|(_, finding)| finding.severity)
            .collect()
    }

    #[test]
    fn the_distribution_of_a_domain_name_is_that_of_aws() {
        let of = |action: &str| {
            let statements = format!(
                r#"{{"Effect":"Allow","Action":"{action}","Resource":"arn:aws:apigateway:*::/domainnames/*"}},
                {{"Effect":"Allow","Action":"cloudfront:UpdateDistribution","Resource":"*"}}"#
            );
            Scene::new()
                .resource("aws_iam_role", "r", &trusting("r", r#"{"AWS":"111122223333"}"#))
                .resource("aws_iam_role_policy", "r", &inline("r", &statements))
                .run(&STAR_RESOURCE_ON_SCOPABLE_WRITE)
                .into_iter()
                .filter(|(_, finding)| finding.message.contains("UpdateDistribution"))
                .map(|(_, finding)| finding.severity)
                .collect::<Vec<_>>()
        };
        assert_eq!(of("apigateway:POST"), [Severity::Low]);
        assert_eq!(of("apigateway:GET"), [Severity::Medium]);
    }

    #[test]
    fn interfaces_of_its_own_are_removed_by_any_service() {
        let pair = r#""ec2:CreateNetworkInterface","ec2:DeleteNetworkInterface""#;
        let build = r#""codebuild.amazonaws.com","events.amazonaws.com""#;
        for services in [build, r#""kendra.amazonaws.com""#, r#""states.amazonaws.com""#] {
            assert_eq!(of_role(services, pair), [Severity::Low], "{services}");
        }
        assert_eq!(of_role(r#""ec2.amazonaws.com""#, pair), [Severity::Medium]);
        let permission = r#""ec2:CreateNetworkInterface","ec2:DeleteNetworkInterfacePermission""#;
        assert_eq!(of_role(r#""sagemaker.amazonaws.com""#, permission), [Severity::Low]);
        let alone = r#""ec2:DeleteNetworkInterface""#;
        assert_eq!(of_role(build, alone), [Severity::Medium]);
    }

    #[test]
    fn an_own_service_does_not_hide_what_is_beside_it() {
        let glue = r#""glue.amazonaws.com""#;
        assert_eq!(of_role(glue, r#""glue:*","sqs:SendMessage""#), [Severity::Medium]);
    }

    #[test]
    fn marks_of_a_published_policy_are_listed_by_name() {
        let found = |marks: &str| {
            let all = format!(r#"{marks},"elasticloadbalancing:ModifyListener""#);
            found(&all, r#""*""#).into_iter().map(|(severity, _)| severity).max()
        };
        let listed = r#""elasticloadbalancing:SetWebAcl","waf-regional:AssociateWebACL""#;
        assert_eq!(found(listed), Some(Severity::Low));
        let pattern = r#""elasticloadbalancing:Set*","waf-regional:Associate*""#;
        assert_eq!(found(pattern), Some(Severity::Medium));
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
            "appconfig:StartConfigurationSession",
            "ec2:CreatePlacementGroup",
        ] {
            let severity = found(&format!("\"{action}\""), star);
            assert!(severity.iter().all(|(s, _)| *s == Severity::Low), "{action}");
        }
        assert_eq!(found(r#""sqs:SendMessage""#, r#""arn:aws:sqs:*:*:q""#), []);
    }
}
