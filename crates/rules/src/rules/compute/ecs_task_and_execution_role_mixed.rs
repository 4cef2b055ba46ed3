//! `ecs-task-and-execution-role-mixed`: the agent's role and the application's are one.

use crate::grants::{list_actions, writes};
use crate::{Context, Family, Scope, names};
use overgrant_access::AttachedSource;
use overgrant_catalog::Action;
use overgrant_finding::{Confidence, Severity};
use overgrant_ir::{IdentityId, Workload};
use std::collections::BTreeMap;

rule! {
    /// ECS task role and execution role are mixed up.
    ///
    /// The execution role is for the agent: it pulls the image, fetches secrets and writes logs. The task
    /// role is for the application. Here both are one role that does more than the agent needs, or the
    /// execution role holds rights of the application.
    ///
    /// ## Why
    /// With one role the application reads every secret that the agent fetches for any container, and
    /// pulls every image; and rights on the execution role are used by nobody and watched by nobody.
    ///
    /// ## Bad
    /// ```terraform bad
    /// resource "aws_iam_role" "app" {
    ///   name = "app"
    ///   assume_role_policy = jsonencode({
    ///     Version   = "2012-10-17"
    ///     Statement = [{ Effect = "Allow", Action = "sts:AssumeRole", Principal = { Service = "ecs-tasks.amazonaws.com" } }]
    ///   })
    /// }
    /// resource "aws_iam_role_policy_attachment" "agent" {
    ///   role       = aws_iam_role.app.name
    ///   policy_arn = "arn:aws:iam::aws:policy/service-role/AmazonECSTaskExecutionRolePolicy"
    /// }
    /// resource "aws_iam_role_policy" "app" {
    ///   role = aws_iam_role.app.name
    ///   policy = jsonencode({
    ///     Version   = "2012-10-17"
    ///     Statement = [{ Effect = "Allow", Action = "sqs:SendMessage", Resource = "arn:aws:sqs:eu-west-1:111122223333:orders" }]
    ///   })
    /// }
    /// resource "aws_ecs_task_definition" "app" {
    ///   family                = "app"
    ///   execution_role_arn    = aws_iam_role.app.arn
    ///   task_role_arn         = aws_iam_role.app.arn # <-- here
    ///   container_definitions = jsonencode([{ name = "app", image = "acme/app" }])
    /// }
    /// ```
    /// ```cloudformation bad
    /// Resources:
    ///   Agent:
    ///     Type: AWS::IAM::Role
    ///     Properties:
    ///       AssumeRolePolicyDocument:
    ///         Version: "2012-10-17"
    ///         Statement:
    ///           - Effect: Allow
    ///             Action: sts:AssumeRole
    ///             Principal:
    ///               Service: ecs-tasks.amazonaws.com
    ///       Policies:
    ///         - PolicyName: orders
    ///           PolicyDocument:
    ///             Version: "2012-10-17"
    ///             Statement:
    ///               - Effect: Allow
    ///                 Action: dynamodb:PutItem
    ///                 Resource: arn:aws:dynamodb:eu-west-1:111122223333:table/orders
    ///   App:
    ///     Type: AWS::ECS::TaskDefinition
    ///     Properties:
    ///       ExecutionRoleArn: !GetAtt Agent.Arn # <-- here
    ///       ContainerDefinitions:
    ///         - Name: app
    ///           Image: acme/app
    /// ```
    /// A role that the caller of a module may give instead is told with the one beside it:
    /// ```terraform bad
    /// variable "role_arn" {
    ///   type    = string
    ///   default = null
    /// }
    /// resource "aws_iam_role" "task" {
    ///   count = var.role_arn == null ? 1 : 0
    ///   assume_role_policy = jsonencode({
    ///     Version   = "2012-10-17"
    ///     Statement = [{ Effect = "Allow", Action = "sts:AssumeRole", Principal = { Service = "ecs-tasks.amazonaws.com" } }]
    ///   })
    ///   inline_policy {
    ///     name = "orders"
    ///     policy = jsonencode({
    ///       Version   = "2012-10-17"
    ///       Statement = [{ Effect = "Allow", Action = "sqs:SendMessage", Resource = "arn:aws:sqs:eu-west-1:111122223333:orders" }]
    ///     })
    ///   }
    /// }
    /// resource "aws_ecs_task_definition" "app" {
    ///   family                = "app"
    ///   container_definitions = "[]"
    ///   execution_role_arn    = var.role_arn != null ? var.role_arn : aws_iam_role.task[0].arn
    ///   task_role_arn         = var.role_arn != null ? var.role_arn : aws_iam_role.task[0].arn # <-- here
    /// }
    /// ```
    /// ## Good
    /// ```terraform good
    /// data "aws_iam_policy_document" "tasks" {
    ///   statement {
    ///     actions = ["sts:AssumeRole"]
    ///     principals {
    ///       type        = "Service"
    ///       identifiers = ["ecs-tasks.amazonaws.com"]
    ///     }
    ///   }
    /// }
    /// resource "aws_iam_role" "agent" {
    ///   name               = "agent"
    ///   assume_role_policy = data.aws_iam_policy_document.tasks.json
    /// }
    /// resource "aws_iam_role_policy_attachment" "agent" {
    ///   role       = aws_iam_role.agent.name
    ///   policy_arn = "arn:aws:iam::aws:policy/service-role/AmazonECSTaskExecutionRolePolicy"
    /// }
    /// resource "aws_iam_role" "app" {
    ///   name               = "app"
    ///   assume_role_policy = data.aws_iam_policy_document.tasks.json
    /// }
    /// resource "aws_ecs_task_definition" "app" {
    ///   family                = "app"
    ///   execution_role_arn    = aws_iam_role.agent.arn
    ///   task_role_arn         = aws_iam_role.app.arn
    ///   container_definitions = jsonencode([{ name = "app", image = "acme/app" }])
    /// }
    /// ```
    /// A task that calls no AWS service needs no role of its own:
    /// ```cloudformation good
    /// Resources:
    ///   App:
    ///     Type: AWS::ECS::TaskDefinition
    ///     Properties:
    ///       ExecutionRoleArn: arn:aws:iam::111122223333:role/ecsTaskExecutionRole
    ///       ContainerDefinitions:
    ///         - Name: app
    ///           Image: acme/app
    /// ```
    /// What starts containers fetches their images, secrets and parameters:
    /// ```terraform good
    /// resource "aws_iam_role" "agent" {
    ///   name = "agent"
    ///   assume_role_policy = jsonencode({
    ///     Version   = "2012-10-17"
    ///     Statement = [{ Effect = "Allow", Action = "sts:AssumeRole", Principal = { Service = "ecs-tasks.amazonaws.com" } }]
    ///   })
    /// }
    /// resource "aws_iam_role_policy" "agent" {
    ///   role = aws_iam_role.agent.name
    ///   policy = jsonencode({
    ///     Version = "2012-10-17"
    ///     Statement = [{
    ///       Effect = "Allow"
    ///       Action = ["secretsmanager:GetSecretValue", "ssm:GetParameters", "kms:Decrypt"]
    ///       Resource = [
    ///         "arn:aws:secretsmanager:eu-west-1:111122223333:secret:shop/db-a1B2c3",
    ///         "arn:aws:ssm:eu-west-1:111122223333:parameter/shop/token",
    ///         "arn:aws:kms:eu-west-1:111122223333:key/6d0f2f9e-5b7c-4e6f-9a33-0c1b7d2e4f58",
    ///       ]
    ///     }]
    ///   })
    /// }
    /// resource "aws_ecs_task_definition" "shop" {
    ///   family             = "shop"
    ///   execution_role_arn = aws_iam_role.agent.arn
    ///   container_definitions = jsonencode([
    ///     { name = "shop", image = "acme/shop", secrets = [{ name = "TOKEN", valueFrom = "arn:aws:ssm:eu-west-1:111122223333:parameter/shop/token" }] },
    ///     { name = "proxy", image = "acme/proxy" },
    ///   ])
    /// }
    /// ```
    /// An execution role that also sends metrics and traces, as the guide of the CloudWatch agent has it:
    /// ```cloudformation good
    /// Resources:
    ///   Start:
    ///     Type: AWS::IAM::Role
    ///     Properties:
    ///       AssumeRolePolicyDocument:
    ///         Version: "2012-10-17"
    ///         Statement:
    ///           - Effect: Allow
    ///             Action: sts:AssumeRole
    ///             Principal:
    ///               Service: ecs-tasks.amazonaws.com
    ///       ManagedPolicyArns:
    ///         - arn:aws:iam::aws:policy/service-role/AmazonECSTaskExecutionRolePolicy
    ///         - arn:aws:iam::aws:policy/CloudWatchAgentServerPolicy
    ///   Agent:
    ///     Type: AWS::ECS::TaskDefinition
    ///     Properties:
    ///       ExecutionRoleArn: !GetAtt Start.Arn
    /// ```
    /// ## How to fix
    /// Give the application a task role of its own, and leave the execution role what the agent needs.
    pub(crate) static ECS_TASK_AND_EXECUTION_ROLE_MIXED = Rule {
        id: "ecs-task-and-execution-role-mixed",
        family: Family::Compute,
        severity: Severity::Medium,
        confidence: Confidence::High,
        scope: Scope::Module,
        since: "0.1.0",
        cwe: &[250, 918],
        aliases: &["CKV_AWS_249"],
        mappings: &[
            ("NIST", "AC-6"),
            ("NIST", "AC-5"),
            ("ATT&CK", "T1552.005"),
            ("ATT&CK", "T1078.004"),
            ("ATT&CK", "T1610"),
        ],
        references: &[
            "https://docs.aws.amazon.com/AmazonECS/latest/developerguide/task_execution_IAM_role.html",
            "https://docs.aws.amazon.com/AmazonECS/latest/developerguide/task-iam-roles.html",
        ],
        check: check,
    };
}

/// Services that the agent works with.
const AGENT: [&str; 11] = [
    "ecr", "ecr-public", "ecs", "elasticfilesystem", "fsx", "kms", "logs", "s3", "secretsmanager", "ssm", "sts",
];

/// What sends metrics and traces. AWS's guide for the CloudWatch agent on ECS gives both roles
/// `CloudWatchAgentServerPolicy`.
const TELEMETRY: [&str; 3] = [
    "cloudwatch:PutMetricData", "xray:PutTelemetryRecords", "xray:PutTraceSegments",
];

const TASK: [&str; 2] = ["task_role_arn", "TaskRoleArn"];
const EXECUTION: [&str; 2] = ["execution_role_arn", "ExecutionRoleArn"];

fn check(cx: &mut Context<'_>) {
    let model = cx.model;
    let mut wide: BTreeMap<IdentityId, Vec<&Workload>> = BTreeMap::new();
    let mut mixed: Vec<(&Workload, Option<IdentityId>)> = Vec::new();
    for (index, execution) in model.workloads.iter().enumerate() {
        let definition = matches!(
            execution.place.kind.as_str(),
            "aws_ecs_task_definition" | "AWS::ECS::TaskDefinition"
        );
        if !definition || !EXECUTION.contains(&execution.attribute.as_str()) {
            continue;
        }
        let task = model.workloads.iter().find(|one| {
            TASK.contains(&one.attribute.as_str())
                && one.place.address == execution.place.address
                && one.place.root == execution.place.root
                && one.role.guard == execution.role.guard
        });
        let id = cx.access.role_of(index);
        match task {
            Some(task) if task.role.text.same_text(&execution.role.text) => mixed.push((task, id)),
            _ => {
                if let Some(id) = id {
                    wide.entry(id).or_default().push(execution);
                }
            }
        }
    }
    for (task, id) in &mixed {
        // The role that a caller may give instead of the one beside it is the same choice.
        let beside = |(other, of): &(&Workload, Option<IdentityId>)| {
            of.is_some() && (&other.place.root, &other.place.address) == (&task.place.root, &task.place.address)
        };
        if id.is_some() || !mixed.iter().any(beside) {
            both(cx, task, *id);
        }
    }
    for (id, executions) in wide {
        holds_more(cx, id, &executions);
    }
}

/// One role for the agent and the application.
fn both(cx: &mut Context<'_>, task: &Workload, id: Option<IdentityId>) {
    let role = id.and_then(|id| cx.model.identity(id));
    let more = id.map(|id| beyond(cx, id)).unwrap_or_default();
    let open = id.is_none_or(|id| {
        let policies = cx.access.policies(id);
        policies.iter().any(|one| one.source == AttachedSource::Unresolved)
    });
    // What only the agent needs does no harm in the application.
    let severity = if more.is_empty() && !open { Severity::Low } else { Severity::Medium };
    let name = role.map_or_else(|| format!("role `{}`", task.role.text), names::identity);
    let text = format!(
        "`{}` gives {name} to the application and to the agent that starts it",
        task.place.address
    );
    let mut report = cx
        .finding(&task.place, &task.role.src, text)
        .when(&task.role.guard)
        .cell(task.role.text.key())
        .severity(severity)
        .help("give the application a task role of its own");
    if let Some(role) = role {
        report = report.principal(&role.place);
    }
    cx.report(report);
}

/// An execution role with rights that no agent uses: one finding, whatever definitions start with it.
fn holds_more(cx: &mut Context<'_>, id: IdentityId, executions: &[&Workload]) {
    let (Some(role), [first, others @ ..]) = (cx.model.identity(id), executions) else {
        return;
    };
    // A role of something else besides is another's business.
    let alone = cx.access.workloads(id).iter().all(|index| {
        cx.model
            .workloads
            .get(*index)
            .is_some_and(|one| EXECUTION.contains(&one.attribute.as_str()))
    });
    let more = beyond(cx, id);
    if more.is_empty() || !alone {
        return;
    }
    let besides = match others.len() {
        0 => String::new(),
        count => format!(" and {count} more"),
    };
    let text = format!(
        "execution role `{}` of `{}`{besides} may use {}, which the agent never does",
        names::plain(role),
        first.place.address,
        list_actions(&more)
    );
    let mut report = cx
        .finding(&first.place, &first.role.src, text)
        .when(&first.role.guard)
        .cell(role.name.key())
        .principal(&role.place)
        .related(
            &role.place.name_src,
            format!("`{}`", role.place.address),
            Some(&role.place),
        )
        .help("move the rights of the application to its task role");
    for other in others {
        report = report.related(
            &other.role.src,
            format!("`{}` starts with it too", other.place.address),
            Some(&other.place),
        );
    }
    cx.report(report);
}

/// The writing actions of a role that the agent has no use for.
fn beyond(cx: &Context<'_>, id: IdentityId) -> Vec<Action<'static>> {
    cx.access
        .actions_on_something(id)
        .actions()
        .filter(|action| writes(*action) && !AGENT.contains(&action.service().prefix()))
        .filter(|action| !TELEMETRY.contains(&action.to_string().as_str()))
        .collect()
}
