//! `passrole-new-compute`: a stronger role, run by something that the caller makes.

use crate::escalate::{self, Allowed, Gain, Granted};
use crate::grants;
use crate::{Context, Family, Scope, names};
use overgrant_access::graph::Node;
use overgrant_catalog::{Action, EscalationPath, Precondition, catalog};
use overgrant_finding::{Confidence, Severity};
use overgrant_ir::{Identity, IdentityId};
use overgrant_policy::{Answer, Condition, ResourcePattern};
use std::collections::BTreeMap;

rule! {
    /// Principal can run code of its own with a stronger role.
    ///
    /// It may pass a role of this code base to a service that the role trusts, and make something of
    /// that service that runs what it says: a function, an instance, a task, a build, a stack. The role
    /// has rights that the principal lacks; where none of them is dangerous, the finding is low. So it is for a
    /// role short of administrator that is passed by its name to CloudFormation alone, as a pipeline deploys.
    ///
    /// ## Why
    /// Who gets hold of the principal runs its own code as the stronger role and has its rights, up to
    /// administration of the account, in two or three calls.
    ///
    /// ## Bad
    /// ```terraform bad
    /// resource "aws_iam_role" "admin" {
    ///   name = "app-admin"
    ///   assume_role_policy = jsonencode({
    ///     Version   = "2012-10-17"
    ///     Statement = [{ Effect = "Allow", Action = "sts:AssumeRole", Principal = { Service = "lambda.amazonaws.com" } }]
    ///   })
    /// }
    /// resource "aws_iam_role_policy_attachment" "admin" {
    ///   role       = aws_iam_role.admin.name
    ///   policy_arn = "arn:aws:iam::aws:policy/AdministratorAccess"
    /// }
    /// resource "aws_iam_role" "ci" {
    ///   name = "ci-deploy"
    ///   assume_role_policy = jsonencode({
    ///     Version   = "2012-10-17"
    ///     Statement = [{ Effect = "Allow", Action = "sts:AssumeRole", Principal = { Service = "codebuild.amazonaws.com" } }]
    ///   })
    /// }
    /// resource "aws_iam_role_policy" "ci" {
    ///   role = aws_iam_role.ci.name
    ///   policy = jsonencode({
    ///     Version = "2012-10-17"
    ///     Statement = [{
    ///       Effect   = "Allow"
    ///       Action   = ["iam:PassRole", "lambda:CreateFunction", "lambda:InvokeFunction"]
    ///       Resource = "*" # <-- here
    ///     }]
    ///   })
    /// }
    /// ```
    /// ```cloudformation bad
    /// Resources:
    ///   Admin:
    ///     Type: AWS::IAM::Role
    ///     Properties:
    ///       AssumeRolePolicyDocument:
    ///         Version: "2012-10-17"
    ///         Statement:
    ///           - Effect: Allow
    ///             Action: sts:AssumeRole
    ///             Principal:
    ///               Service: cloudformation.amazonaws.com
    ///       ManagedPolicyArns:
    ///         - arn:aws:iam::aws:policy/AdministratorAccess
    ///   Deploy:
    ///     Type: AWS::IAM::Role
    ///     Properties:
    ///       AssumeRolePolicyDocument:
    ///         Version: "2012-10-17"
    ///         Statement:
    ///           - Effect: Allow
    ///             Action: sts:AssumeRole
    ///             Principal:
    ///               Service: codebuild.amazonaws.com
    ///       Policies:
    ///         - PolicyName: deploy
    ///           PolicyDocument:
    ///             Version: "2012-10-17"
    ///             Statement:
    ///               - Effect: Allow
    ///                 Action: cloudformation:CreateStack
    ///                 Resource: "*"
    ///               - Effect: Allow
    ///                 Action: iam:PassRole
    ///                 Resource: !GetAtt Admin.Arn # <-- here
    /// ```
    /// A service that takes no new customers counts less:
    /// ```terraform bad at:high
    /// resource "aws_iam_role" "pipeline" {
    ///   name = "pipeline"
    ///   assume_role_policy = jsonencode({
    ///     Version   = "2012-10-17"
    ///     Statement = [{ Effect = "Allow", Action = "sts:AssumeRole", Principal = { Service = ["datapipeline.amazonaws.com", "ec2.amazonaws.com"] } }]
    ///   })
    /// }
    /// resource "aws_iam_instance_profile" "pipeline" {
    ///   role = aws_iam_role.pipeline.name
    /// }
    /// resource "aws_iam_role_policy_attachment" "pipeline" {
    ///   role       = aws_iam_role.pipeline.name
    ///   policy_arn = "arn:aws:iam::aws:policy/AdministratorAccess"
    /// }
    /// resource "aws_iam_role" "ci" {
    ///   name = "ci"
    ///   assume_role_policy = jsonencode({
    ///     Version   = "2012-10-17"
    ///     Statement = [{ Effect = "Allow", Action = "sts:AssumeRole", Principal = { Service = "codebuild.amazonaws.com" } }]
    ///   })
    /// }
    /// resource "aws_iam_role_policy" "ci" {
    ///   role = aws_iam_role.ci.name
    ///   policy = jsonencode({
    ///     Version = "2012-10-17"
    ///     Statement = [
    ///       { Effect = "Allow", Action = ["datapipeline:CreatePipeline", "datapipeline:PutPipelineDefinition", "datapipeline:ActivatePipeline"], Resource = "*" },
    ///       { Effect = "Allow", Action = "iam:PassRole", Resource = aws_iam_role.pipeline.arn }, # <-- here
    ///     ]
    ///   })
    /// }
    /// ```
    /// The same as a policy document of Terraform:
    /// ```terraform bad
    /// resource "aws_iam_role" "admin" {
    ///   name = "app-admin"
    ///   assume_role_policy = jsonencode({
    ///     Version   = "2012-10-17"
    ///     Statement = [{ Effect = "Allow", Action = "sts:AssumeRole", Principal = { Service = "lambda.amazonaws.com" } }]
    ///   })
    /// }
    /// resource "aws_iam_role_policy_attachment" "admin" {
    ///   role       = aws_iam_role.admin.name
    ///   policy_arn = "arn:aws:iam::aws:policy/AdministratorAccess"
    /// }
    /// resource "aws_iam_role" "ci" {
    ///   name = "ci-deploy"
    ///   assume_role_policy = jsonencode({
    ///     Version   = "2012-10-17"
    ///     Statement = [{ Effect = "Allow", Action = "sts:AssumeRole", Principal = { Service = "codebuild.amazonaws.com" } }]
    ///   })
    /// }
    /// data "aws_iam_policy_document" "ci" {
    ///   statement {
    ///     actions   = ["iam:PassRole", "lambda:CreateFunction", "lambda:InvokeFunction"]
    ///     resources = ["*"] # <-- here
    ///   }
    /// }
    /// resource "aws_iam_role_policy" "ci" {
    ///   role = aws_iam_role.ci.name
    ///   policy = data.aws_iam_policy_document.ci.json
    /// }
    /// ```
    /// ## Good
    /// The role that is passed has no more rights than the one who passes it:
    /// ```terraform good
    /// resource "aws_iam_role" "fn" {
    ///   name = "app-fn"
    ///   assume_role_policy = jsonencode({
    ///     Version   = "2012-10-17"
    ///     Statement = [{ Effect = "Allow", Action = "sts:AssumeRole", Principal = { Service = "lambda.amazonaws.com" } }]
    ///   })
    /// }
    /// resource "aws_iam_role" "ci" {
    ///   name = "ci-deploy"
    ///   assume_role_policy = jsonencode({
    ///     Version   = "2012-10-17"
    ///     Statement = [{ Effect = "Allow", Action = "sts:AssumeRole", Principal = { Service = "codebuild.amazonaws.com" } }]
    ///   })
    /// }
    /// resource "aws_iam_role_policy" "ci" {
    ///   role = aws_iam_role.ci.name
    ///   policy = jsonencode({
    ///     Version = "2012-10-17"
    ///     Statement = [
    ///       { Effect = "Allow", Action = ["lambda:CreateFunction", "lambda:InvokeFunction"], Resource = "arn:aws:lambda:eu-west-1:123456789012:function:app-*" },
    ///       {
    ///         Effect    = "Allow"
    ///         Action    = "iam:PassRole"
    ///         Resource  = aws_iam_role.fn.arn
    ///         Condition = { StringEquals = { "iam:PassedToService" = "lambda.amazonaws.com" } }
    ///       },
    ///     ]
    ///   })
    /// }
    /// ```
    /// ```cloudformation good
    /// Resources:
    ///   Fn:
    ///     Type: AWS::IAM::Role
    ///     Properties:
    ///       AssumeRolePolicyDocument:
    ///         Version: "2012-10-17"
    ///         Statement:
    ///           - Effect: Allow
    ///             Action: sts:AssumeRole
    ///             Principal:
    ///               Service: lambda.amazonaws.com
    ///   Deploy:
    ///     Type: AWS::IAM::ManagedPolicy
    ///     Properties:
    ///       PolicyDocument:
    ///         Version: "2012-10-17"
    ///         Statement:
    ///           - Effect: Allow
    ///             Action: iam:PassRole
    ///             Resource: !GetAtt Fn.Arn
    ///             Condition:
    ///               StringEquals:
    ///                 iam:PassedToService: lambda.amazonaws.com
    /// ```
    /// The condition names another service, and the role that is strong trusts another:
    /// ```terraform good also:managed-administratoraccess
    /// resource "aws_iam_role" "strong" {
    ///   name = "strong"
    ///   assume_role_policy = jsonencode({
    ///     Version   = "2012-10-17"
    ///     Statement = [{ Effect = "Allow", Action = "sts:AssumeRole", Principal = { Service = "lambda.amazonaws.com" } }]
    ///   })
    /// }
    /// resource "aws_iam_role_policy_attachment" "strong" {
    ///   role       = aws_iam_role.strong.name
    ///   policy_arn = "arn:aws:iam::aws:policy/AdministratorAccess"
    /// }
    /// resource "aws_iam_role" "ci" {
    ///   name = "ci"
    ///   assume_role_policy = jsonencode({
    ///     Version   = "2012-10-17"
    ///     Statement = [{ Effect = "Allow", Action = "sts:AssumeRole", Principal = { Service = "codebuild.amazonaws.com" } }]
    ///   })
    /// }
    /// resource "aws_iam_role_policy" "ci" {
    ///   role = aws_iam_role.ci.name
    ///   policy = jsonencode({
    ///     Version = "2012-10-17"
    ///     Statement = [
    ///       { Effect = "Allow", Action = ["lambda:CreateFunction", "lambda:InvokeFunction"], Resource = "arn:aws:lambda:eu-west-1:123456789012:function:app-*" },
    ///       {
    ///         Effect    = "Allow"
    ///         Action    = "iam:PassRole"
    ///         Resource  = aws_iam_role.strong.arn
    ///         Condition = { StringEquals = { "iam:PassedToService" = "glue.amazonaws.com" } }
    ///       },
    ///     ]
    ///   })
    /// }
    /// ```
    /// The trust policy of the strong role has not the service that is used:
    /// ```terraform good also:managed-administratoraccess
    /// resource "aws_iam_role" "strong" {
    ///   name = "strong"
    ///   assume_role_policy = jsonencode({
    ///     Version   = "2012-10-17"
    ///     Statement = [{ Effect = "Allow", Action = "sts:AssumeRole", Principal = { Service = "glue.amazonaws.com" } }]
    ///   })
    /// }
    /// resource "aws_iam_role_policy_attachment" "strong" {
    ///   role       = aws_iam_role.strong.name
    ///   policy_arn = "arn:aws:iam::aws:policy/AdministratorAccess"
    /// }
    /// resource "aws_iam_role" "ci" {
    ///   name = "ci"
    ///   assume_role_policy = jsonencode({
    ///     Version   = "2012-10-17"
    ///     Statement = [{ Effect = "Allow", Action = "sts:AssumeRole", Principal = { Service = "codebuild.amazonaws.com" } }]
    ///   })
    /// }
    /// resource "aws_iam_role_policy" "ci" {
    ///   role = aws_iam_role.ci.name
    ///   policy = jsonencode({
    ///     Version = "2012-10-17"
    ///     Statement = [
    ///       { Effect = "Allow", Action = ["lambda:CreateFunction", "lambda:InvokeFunction"], Resource = "arn:aws:lambda:eu-west-1:123456789012:function:app-*" },
    ///       { Effect = "Allow", Action = "iam:PassRole", Resource = aws_iam_role.strong.arn },
    ///     ]
    ///   })
    /// }
    /// ```
    /// A boundary leaves the passed role only harmless rights, or a Deny takes the making away:
    /// ```terraform good at:low also:managed-administratoraccess
    /// resource "aws_iam_policy" "limit" {
    ///   name = "limit"
    ///   policy = jsonencode({
    ///     Version   = "2012-10-17"
    ///     Statement = [{ Effect = "Allow", Action = "sqs:SendMessage", Resource = "*" }]
    ///   })
    /// }
    /// resource "aws_iam_role" "strong" {
    ///   name                 = "strong"
    ///   permissions_boundary = aws_iam_policy.limit.arn
    ///   assume_role_policy = jsonencode({
    ///     Version   = "2012-10-17"
    ///     Statement = [{ Effect = "Allow", Action = "sts:AssumeRole", Principal = { Service = "lambda.amazonaws.com" } }]
    ///   })
    /// }
    /// resource "aws_iam_role_policy_attachment" "strong" {
    ///   role       = aws_iam_role.strong.name
    ///   policy_arn = "arn:aws:iam::aws:policy/AdministratorAccess"
    /// }
    /// resource "aws_iam_role" "ci" {
    ///   name = "ci"
    ///   assume_role_policy = jsonencode({
    ///     Version   = "2012-10-17"
    ///     Statement = [{ Effect = "Allow", Action = "sts:AssumeRole", Principal = { Service = "codebuild.amazonaws.com" } }]
    ///   })
    /// }
    /// resource "aws_iam_role_policy" "ci" {
    ///   role = aws_iam_role.ci.name
    ///   policy = jsonencode({
    ///     Version = "2012-10-17"
    ///     Statement = [
    ///       { Effect = "Allow", Action = ["lambda:CreateFunction", "lambda:InvokeFunction"], Resource = "arn:aws:lambda:eu-west-1:123456789012:function:app-*" },
    ///       { Effect = "Allow", Action = "iam:PassRole", Resource = aws_iam_role.strong.arn },
    ///     ]
    ///   })
    /// }
    /// ```
    /// ```terraform good also:managed-administratoraccess
    /// resource "aws_iam_role" "strong" {
    ///   name = "strong"
    ///   assume_role_policy = jsonencode({
    ///     Version   = "2012-10-17"
    ///     Statement = [{ Effect = "Allow", Action = "sts:AssumeRole", Principal = { Service = "lambda.amazonaws.com" } }]
    ///   })
    /// }
    /// resource "aws_iam_role_policy_attachment" "strong" {
    ///   role       = aws_iam_role.strong.name
    ///   policy_arn = "arn:aws:iam::aws:policy/AdministratorAccess"
    /// }
    /// resource "aws_iam_role" "ci" {
    ///   name = "ci"
    ///   assume_role_policy = jsonencode({
    ///     Version   = "2012-10-17"
    ///     Statement = [{ Effect = "Allow", Action = "sts:AssumeRole", Principal = { Service = "codebuild.amazonaws.com" } }]
    ///   })
    /// }
    /// resource "aws_iam_role_policy" "ci" {
    ///   role = aws_iam_role.ci.name
    ///   policy = jsonencode({
    ///     Version = "2012-10-17"
    ///     Statement = [
    ///       { Effect = "Allow", Action = "lambda:*", Resource = "arn:aws:lambda:eu-west-1:123456789012:function:app-*" },
    ///       { Effect = "Deny", Action = "lambda:CreateFunction", Resource = "*" },
    ///       { Effect = "Allow", Action = "iam:PassRole", Resource = aws_iam_role.strong.arn },
    ///     ]
    ///   })
    /// }
    /// ```
    /// Who administers the account gains nothing:
    /// ```terraform good also:managed-administratoraccess
    /// resource "aws_iam_role" "strong" {
    ///   name = "strong"
    ///   assume_role_policy = jsonencode({
    ///     Version   = "2012-10-17"
    ///     Statement = [{ Effect = "Allow", Action = "sts:AssumeRole", Principal = { Service = "lambda.amazonaws.com" } }]
    ///   })
    /// }
    /// resource "aws_iam_role_policy_attachment" "strong" {
    ///   role       = aws_iam_role.strong.name
    ///   policy_arn = "arn:aws:iam::aws:policy/AdministratorAccess"
    /// }
    /// resource "aws_iam_role" "ci" {
    ///   name = "ci"
    ///   assume_role_policy = jsonencode({
    ///     Version   = "2012-10-17"
    ///     Statement = [{ Effect = "Allow", Action = "sts:AssumeRole", Principal = { Service = "codebuild.amazonaws.com" } }]
    ///   })
    /// }
    /// resource "aws_iam_role_policy_attachment" "ci" {
    ///   role       = aws_iam_role.ci.name
    ///   policy_arn = "arn:aws:iam::aws:policy/AdministratorAccess"
    /// }
    /// resource "aws_iam_role_policy" "ci" {
    ///   role = aws_iam_role.ci.name
    ///   policy = jsonencode({
    ///     Version = "2012-10-17"
    ///     Statement = [
    ///       { Effect = "Allow", Action = ["lambda:CreateFunction", "lambda:InvokeFunction"], Resource = "arn:aws:lambda:eu-west-1:123456789012:function:app-*" },
    ///       { Effect = "Allow", Action = "iam:PassRole", Resource = aws_iam_role.strong.arn },
    ///     ]
    ///   })
    /// }
    /// ```
    /// ## How to fix
    /// Name the roles that are passed, none of them stronger than the caller, and add the condition
    /// `iam:PassedToService`.
    pub(crate) static PASSROLE_NEW_COMPUTE = Rule {
        id: "passrole-new-compute",
        family: Family::Escalation,
        severity: Severity::Critical,
        confidence: Confidence::High,
        scope: Scope::Module,
        since: "0.1.0",
        cwe: &[269, 250],
        aliases: &["CKV_AWS_110", "CKV_AWS_286"],
        mappings: &[
            ("FSBP", "IAM.21"),
            ("NIST", "AC-6(5)"),
            ("NIST", "AC-6(10)"),
            ("NIST", "AC-2(7)"),
            ("ATT&CK", "T1098.003"),
            ("ATT&CK", "T1548"),
        ],
        references: &[
            "https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_use_passrole.html",
            "https://pathfinding.cloud",
        ],
        check: check,
    };
}

fn check(cx: &mut Context<'_>) {
    let mut granted = Granted::default();
    for (caller, identity) in escalate::callers(cx) {
        if !escalate::is_exempt(cx, caller, identity)
            && let Some(found) = best(cx, &mut granted, caller) {
            finding(cx, identity, &found);
        }
    }
}

/// The strongest role that the caller can run, and by which paths.
struct Found<'a> {
    /// `None` for rights that are not dangerous.
    gain: Option<Gain>,
    /// These rights.
    lesser: Vec<Action<'static>>,
    role: &'a Identity,
    pass: Allowed<'a>,
    paths: Vec<(&'static EscalationPath, &'static str)>,
}

fn best<'a>(cx: &Context<'a>, granted: &mut Granted, caller: IdentityId) -> Option<Found<'a>> {
    let roles = passed(cx, caller);
    // An administrator ends the search, so those are looked for first.
    let admin = roles.iter().find(|(id, _)| escalate::reaches_admin(cx, **id));
    let mut order: Vec<_> = admin.into_iter().chain(&roles).collect();
    order.dedup_by_key(|(id, _)| **id);
    let mut best: Option<Found<'a>> = None;
    for (id, paths) in &order {
        if best.as_ref().is_some_and(|best| best.gain == Some(Gain::Admin)) {
            break;
        }
        let gain = granted.gain(cx, caller, **id);
        if gain.is_none() || best.as_ref().is_some_and(|best| gain <= best.gain) {
            continue;
        }
        best = found(cx, caller, **id, paths, gain, Vec::new()).or(best);
    }
    // What is wide or leads further has rules of its own.
    if best.is_none() && !escalate::reaches_admin(cx, caller) {
        best = order.iter().find_map(|(id, paths)| {
            let lesser = granted.lesser(cx, caller, **id);
            if lesser.is_empty() {
                return None;
            }
            found(cx, caller, **id, paths, None, lesser).filter(|found| names_roles(found.pass))
        });
    }
    best.filter(|found| found.pass.place.is_some())
}

/// Whether a statement lets some roles through, not all.
fn names_roles(pass: Allowed<'_>) -> bool {
    let action = catalog().action_id("iam:PassRole");
    let star = action.map(|action| pass.statement.resources.star_for(action));
    star.is_none_or(|star| !star.all().possible() && !star.regional().possible())
}

/// The role with the statement that lets the caller pass it.
fn found<'a>(
    cx: &Context<'a>,
    caller: IdentityId,
    id: IdentityId,
    paths: &Paths,
    gain: Option<Gain>,
    lesser: Vec<Action<'static>>,
) -> Option<Found<'a>> {
    let role = cx.model.identity(id)?;
    let pass = paths.iter().find_map(|(path, _)| {
        let all = path.services_all.iter().map(|one| one.principal);
        let mut services = path.services_any.iter().copied().chain(all);
        services.find_map(|service| {
            escalate::allowed(cx, caller, "iam:PassRole", Some(&role.arn), Some(service))
        })
    })?;
    Some(Found { gain, lesser, role, pass, paths: paths.clone() })
}

type Paths = Vec<(&'static EscalationPath, &'static str)>;

/// The roles that the caller surely can pass, with the paths and the action that makes the compute.
fn passed(cx: &Context<'_>, caller: IdentityId) -> BTreeMap<IdentityId, Paths> {
    let graph = cx.access.graph();
    let mut roles: BTreeMap<IdentityId, Paths> = BTreeMap::new();
    for (path, edge) in escalate::steps(cx, caller, "passrole-new-compute") {
        let made = edge.by.iter().map(|one| one.action);
        let Some(made) = made.into_iter().find(|action| *action != "iam:PassRole") else {
            continue;
        };
        let mut add = |node: Node| {
            if let Node::Identity(role) = node {
                roles.entry(role).or_default().push((path, made));
            }
        };
        add(edge.to);
        if matches!(edge.to, Node::Hub(_)) {
            let members = graph.from(edge.to).iter();
            members
                .filter(|member| member.answer == Answer::Must)
                .for_each(|member| add(member.to));
        }
    }
    roles
}

/// Whether the role is one that stacks are deployed with, passed by its name to CloudFormation alone: so AWS
/// has a pipeline deploy, whose own rights stay small, and there is nothing narrower to write. Source: AWS
/// CloudFormation, "AWS CloudFormation service role".
fn is_deployment(found: &Found<'_>) -> bool {
    let statement = found.pass.statement;
    let passed_to = |condition: &Condition| {
        condition.key.is("iam:PassedToService") && !condition.operator.is_negated()
    };
    let resources = statement.resources.listed();
    let named = |item: &ResourcePattern| {
        let text = item.pattern().to_string();
        let name = text.rsplit_once(":role/").map_or(text.as_str(), |(_, name)| name);
        !name.contains(['*', '?']) && item.matches(&found.role.arn) == Answer::Must
    };
    found.paths.iter().all(|(_, made)| made.starts_with("cloudformation:"))
        && !resources.negated
        && resources.items.iter().any(named)
        && statement.conditions.items.iter().any(passed_to)
}

fn finding(cx: &mut Context<'_>, caller: &Identity, found: &Found<'_>) {
    let (Some(place), Some((_, made))) = (found.pass.place, found.paths.first()) else {
        return;
    };
    let role = names::plain(found.role);
    let who = names::identity(caller);
    let (severity, text) = match found.gain {
        Some(Gain::Admin) => (
            Severity::Critical,
            format!("{who} can become administrator: it may pass role `{role}` and use `{made}`"),
        ),
        Some(Gain::More) => (
            if is_deployment(found) { Severity::Low } else { Severity::High },
            format!("{who} can take on rights of role `{role}`: it may pass it and use `{made}`"),
        ),
        None => (
            Severity::Low,
            format!(
                "{who} can use {} as role `{role}`: it may pass it and use `{made}`",
                grants::list_actions(&found.lesser)
            ),
        ),
    };
    let closed = |(path, _): &(&EscalationPath, _)| {
        path.preconditions.contains(&Precondition::ServiceClosed)
    };
    let severity = if found.paths.iter().all(closed) {
        severity.lower()
    } else {
        severity
    };
    // The member of the list that lets the role through.
    let resources = &found.pass.statement.resources;
    let src = resources
        .star()
        .or_else(|| {
            resources
                .listed()
                .items
                .iter()
                .find(|item| item.matches(&found.role.arn) == Answer::Must)
        })
        .map_or_else(
            || found.pass.action_src("iam:PassRole"),
            |item| item.pattern().src().clone(),
        );
    let confidence = found
        .paths
        .iter()
        .map(|(path, _)| escalate::confidence(path))
        .max()
        .unwrap_or(Confidence::Low);
    let mut report = cx
        .finding(place, &src, text)
        .statement(found.pass.statement)
        .severity(severity)
        .confidence(confidence)
        .label("lets the role through")
        .related(
            &found.pass.action_src("iam:PassRole"),
            "grants iam:PassRole",
            None,
        )
        .related(
            &found.role.place.name_src,
            format!("`{role}`, the role that is passed"),
            Some(&found.role.place),
        )
        .principal(&caller.place)
        .help("name the roles that are passed and add the condition iam:PassedToService");
    for (path, made) in &found.paths {
        report = report
            .path(path.id)
            .note(format!("path: iam:PassRole + {made} ({})", path.id));
    }
    cx.report(report);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::Scene;

    fn scene(passes: &str, admin: &str) -> Vec<Severity> {
        with("lambda.amazonaws.com", passes, admin)
    }

    /// A caller with the statements `passes`, and a role with `admin` that the service may assume.
    fn with(service: &str, passes: &str, admin: &str) -> Vec<Severity> {
        let trust = |service: &str| {
            format!(
                r#"{{\"Statement\":{{\"Effect\":\"Allow\",\"Action\":\"sts:AssumeRole\",\"Principal\":{{\"Service\":\"{service}\"}}}}}}"#
            )
        };
        let role = |name: &str, service: &str| {
            format!(r#"{{"name":"{name}","assume_role_policy":"{}"}}"#, trust(service))
        };
        let policy = |text: &str| format!(r#"{{\"Statement\":[{}]}}"#, text.replace('\n', " ").replace('"', "\\\""));
        Scene::new()
            .resource("aws_iam_role", "fn", &role("fn", service))
            .resource("aws_iam_instance_profile", "fn", r#"{"name":"fn","role":"fn"}"#)
            .resource(
                "aws_iam_role_policy",
                "fn",
                &format!(r#"{{"role":"fn","policy":"{}"}}"#, policy(admin)),
            )
            .resource("aws_iam_role", "ci", &role("ci", "codebuild.amazonaws.com"))
            .resource(
                "aws_iam_role_policy",
                "ci",
                &format!(r#"{{"role":"ci","policy":"{}"}}"#, policy(passes)),
            )
            .run(&PASSROLE_NEW_COMPUTE)
            .into_iter()
            .map(|(_, finding)| finding.severity)
            .collect()
    }

    const ADMIN: &str = r#"{"Effect":"Allow","Action":"*","Resource":"*"}"#;

    #[test]
    fn administration_is_critical() {
        let passes = r#"{"Effect":"Allow","Action":["iam:PassRole","lambda:*"],"Resource":"*"}"#;
        assert_eq!(scene(passes, ADMIN), [Severity::Critical]);
        let condition = r#"{"Effect":"Allow","Action":"iam:PassRole","Resource":"arn:aws:iam::*:role/f*",
            "Condition":{"StringEquals":{"iam:PassedToService":"lambda.amazonaws.com"}}},
            {"Effect":"Allow","Action":"lambda:*","Resource":"*"}"#;
        assert_eq!(scene(condition, ADMIN), [Severity::Critical]);
    }

    #[test]
    fn broken_chains_are_silent() {
        let none: [Severity; 0] = [];
        for passes in [
            r#"{"Effect":"Allow","Action":["iam:PassRole","ec2:*"],"Resource":"*"}"#,
            r#"{"Effect":"Allow","Action":["lambda:*"],"Resource":"*"}"#,
            r#"{"Effect":"Allow","Action":"lambda:*","Resource":"*"},
               {"Effect":"Allow","Action":"iam:PassRole","Resource":"*",
                "Condition":{"StringEquals":{"iam:PassedToService":"ec2.amazonaws.com"}}}"#,
        ] {
            assert_eq!(scene(passes, ADMIN), none, "{passes}");
        }
        let passes = r#"{"Effect":"Allow","Action":["iam:PassRole","lambda:*"],"Resource":"*"}"#;
        for action in ["logs:PutLogEvents", "ecr:GetAuthorizationToken"] {
            let weak = format!(r#"{{"Effect":"Allow","Action":"{action}","Resource":"*"}}"#);
            assert_eq!(scene(passes, &weak), none, "nothing is won by {action}");
        }
    }

    #[test]
    fn a_role_to_deploy_with_is_passed_by_name() {
        let more = r#"{"Effect":"Allow","Action":"iam:PutRolePolicy","Resource":"arn:aws:iam::*:role/shop-*"}"#;
        let on = |role: &str, condition: &str, target: &str| {
            let passes = format!(
                r#"{{"Effect":"Allow","Action":"iam:PassRole","Resource":"arn:aws:iam::*:role/{role}"{condition}}},
                {{"Effect":"Allow","Action":"cloudformation:CreateStack","Resource":"*"}}"#
            );
            with("cloudformation.amazonaws.com", &passes, target)
        };
        let only = r#","Condition":{"StringEquals":{"iam:PassedToService":"cloudformation.amazonaws.com"}}"#;
        assert_eq!(on("fn", only, more), [Severity::Low]);
        assert_eq!(on("fn", only, ADMIN), [Severity::Critical]);
        assert_eq!(on("f*", only, more), [Severity::High]);
        assert_eq!(on("fn", "", more), [Severity::High]);
    }

    #[test]
    fn an_instance_needs_an_image_too() {
        let on = |resources: &str| {
            let passes = format!(
                r#"{{"Effect":"Allow","Action":"iam:PassRole","Resource":"*"}},
                {{"Effect":"Allow","Action":"ec2:RunInstances","Resource":{resources}}}"#
            );
            with("ec2.amazonaws.com", &passes, ADMIN)
        };
        assert_eq!(on(r#""*""#), [Severity::Critical]);
        assert_eq!(on(r#""arn:aws:ec2:*:*:instance/*""#), []);
    }
}
