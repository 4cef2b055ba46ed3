//! `chained-path-to-admin`: administration in several steps.

use crate::escalate;
use crate::listed::is_listed;
use crate::{Context, Family, Scope, names};
use overgrant_access::graph::{Basis, Edge, Node, Route};
use overgrant_finding::{Confidence, Severity};
use overgrant_ir::{Identity, IdentityId, Place};
use overgrant_policy::{Answer, Principal, Statement};
use overgrant_value::Src;

rule! {
    /// Principal can become administrator in several steps.
    ///
    /// Each step is small: it assumes a role, which may pass another one or change what runs with it, which in
    /// the end is administrator or can make itself one. Every step is certain; the shortest chain is told.
    ///
    /// ## Why
    /// Nobody reads the policies of three roles together. Whoever gets hold of the first principal walks the
    /// chain in minutes, and no single policy looks wrong.
    ///
    /// ## Bad
    /// ```terraform bad
    /// resource "aws_iam_role" "web" {
    ///   name = "web"
    ///   assume_role_policy = jsonencode({
    ///     Version   = "2012-10-17"
    ///     Statement = [{ Effect = "Allow", Action = "sts:AssumeRole", Principal = { Service = "ecs-tasks.amazonaws.com" } }]
    ///   })
    /// }
    /// resource "aws_iam_role" "release" {
    ///   name = "release"
    ///   assume_role_policy = jsonencode({
    ///     Version   = "2012-10-17"
    ///     Statement = [{ Effect = "Allow", Action = "sts:AssumeRole", Principal = { AWS = aws_iam_role.web.arn } }] # <-- here
    ///   })
    /// }
    /// resource "aws_iam_role_policy" "release" {
    ///   role = aws_iam_role.release.name
    ///   policy = jsonencode({
    ///     Version   = "2012-10-17"
    ///     Statement = [{ Effect = "Allow", Action = "iam:PutRolePolicy", Resource = "*" }]
    ///   })
    /// }
    /// ```
    /// ```cloudformation bad
    /// Resources:
    ///   Admin:
    ///     Type: AWS::IAM::Role
    ///     Properties:
    ///       RoleName: app-admin
    ///       AssumeRolePolicyDocument:
    ///         Version: "2012-10-17"
    ///         Statement:
    ///           - { Effect: Allow, Action: sts:AssumeRole, Principal: { Service: lambda.amazonaws.com } }
    ///       ManagedPolicyArns:
    ///         - arn:aws:iam::aws:policy/AdministratorAccess
    ///   Deploy:
    ///     Type: AWS::IAM::Role
    ///     Properties:
    ///       RoleName: deploy
    ///       AssumeRolePolicyDocument:
    ///         Version: "2012-10-17"
    ///         Statement:
    ///           - { Effect: Allow, Action: sts:AssumeRole, Principal: { AWS: !Sub "arn:${AWS::Partition}:iam::${AWS::AccountId}:root" } }
    ///       Policies:
    ///         - PolicyName: run
    ///           PolicyDocument:
    ///             Version: "2012-10-17"
    ///             Statement:
    ///               - Effect: Allow
    ///                 Action: [iam:PassRole, lambda:CreateFunction, lambda:InvokeFunction]
    ///                 Resource: "*"
    ///   Helper:
    ///     Type: AWS::IAM::User
    ///     Properties:
    ///       Policies:
    ///         - PolicyName: deploy
    ///           PolicyDocument:
    ///             Version: "2012-10-17"
    ///             Statement:
    ///               - Effect: Allow
    ///                 Action: sts:AssumeRole # <-- here
    ///                 Resource: !GetAtt Deploy.Arn
    /// ```
    /// The same as a policy document of Terraform:
    /// ```terraform bad
    /// resource "aws_iam_role" "web" {
    ///   name = "web"
    ///   assume_role_policy = jsonencode({
    ///     Version   = "2012-10-17"
    ///     Statement = [{ Effect = "Allow", Action = "sts:AssumeRole", Principal = { Service = "ecs-tasks.amazonaws.com" } }]
    ///   })
    /// }
    /// data "aws_iam_policy_document" "release" {
    ///   statement {
    ///     actions = ["sts:AssumeRole"]
    ///     principals {
    ///       type        = "AWS"
    ///       identifiers = [aws_iam_role.web.arn] # <-- here
    ///     }
    ///   }
    /// }
    /// resource "aws_iam_role" "release" {
    ///   name = "release"
    ///   assume_role_policy = data.aws_iam_policy_document.release.json
    /// }
    /// resource "aws_iam_role_policy" "release" {
    ///   role = aws_iam_role.release.name
    ///   policy = jsonencode({
    ///     Version   = "2012-10-17"
    ///     Statement = [{ Effect = "Allow", Action = "iam:PutRolePolicy", Resource = "*" }]
    ///   })
    /// }
    /// ```
    /// ## Good
    /// The trust policy of a step does not let the principal in:
    /// ```terraform good also:self-escalation-policy-write,star-resource-on-scopable-write,compute-role-privileged
    /// resource "aws_iam_role" "web" {
    ///   name = "web"
    ///   assume_role_policy = jsonencode({
    ///     Version   = "2012-10-17"
    ///     Statement = [{ Effect = "Allow", Action = "sts:AssumeRole", Principal = { Service = "ecs-tasks.amazonaws.com" } }]
    ///   })
    /// }
    /// resource "aws_iam_role" "release" {
    ///   name = "release"
    ///   assume_role_policy = jsonencode({
    ///     Version   = "2012-10-17"
    ///     Statement = [{ Effect = "Allow", Action = "sts:AssumeRole", Principal = { Service = "codebuild.amazonaws.com" } }]
    ///   })
    /// }
    /// resource "aws_iam_role_policy" "web" {
    ///   role = aws_iam_role.web.name
    ///   policy = jsonencode({
    ///     Version   = "2012-10-17"
    ///     Statement = [{ Effect = "Allow", Action = "sts:AssumeRole", Resource = aws_iam_role.release.arn }]
    ///   })
    /// }
    /// resource "aws_iam_role_policy" "release" {
    ///   role = aws_iam_role.release.name
    ///   policy = jsonencode({
    ///     Version   = "2012-10-17"
    ///     Statement = [{ Effect = "Allow", Action = "iam:PutRolePolicy", Resource = "*" }]
    ///   })
    /// }
    /// ```
    /// A step that a condition narrows is not certain:
    /// ```cloudformation good also:self-escalation-policy-write,star-resource-on-scopable-write
    /// Resources:
    ///   Release:
    ///     Type: AWS::IAM::Role
    ///     Properties:
    ///       RoleName: release
    ///       AssumeRolePolicyDocument:
    ///         Version: "2012-10-17"
    ///         Statement:
    ///           - { Effect: Allow, Action: sts:AssumeRole, Principal: { AWS: !Sub "arn:${AWS::Partition}:iam::${AWS::AccountId}:root" } }
    ///       Policies:
    ///         - PolicyName: iam
    ///           PolicyDocument:
    ///             Version: "2012-10-17"
    ///             Statement:
    ///               - { Effect: Allow, Action: iam:PutRolePolicy, Resource: "*" }
    ///   Helper:
    ///     Type: AWS::IAM::User
    ///     Properties:
    ///       Policies:
    ///         - PolicyName: release
    ///           PolicyDocument:
    ///             Version: "2012-10-17"
    ///             Statement:
    ///               - Effect: Allow
    ///                 Action: sts:AssumeRole
    ///                 Resource: !GetAtt Release.Arn
    ///                 Condition:
    ///                   Bool: { aws:MultiFactorAuthPresent: "true" }
    /// ```
    /// The rights of a step are for another target than the one that is strong:
    /// ```terraform good
    /// resource "aws_iam_role" "web" {
    ///   name = "web"
    ///   assume_role_policy = jsonencode({
    ///     Version   = "2012-10-17"
    ///     Statement = [{ Effect = "Allow", Action = "sts:AssumeRole", Principal = { Service = "ecs-tasks.amazonaws.com" } }]
    ///   })
    /// }
    /// resource "aws_iam_role" "release" {
    ///   name = "release"
    ///   assume_role_policy = jsonencode({
    ///     Version   = "2012-10-17"
    ///     Statement = [{ Effect = "Allow", Action = "sts:AssumeRole", Principal = { AWS = aws_iam_role.web.arn } }]
    ///   })
    /// }
    /// resource "aws_iam_role_policy" "release" {
    ///   role = aws_iam_role.release.name
    ///   policy = jsonencode({
    ///     Version   = "2012-10-17"
    ///     Statement = [{ Effect = "Allow", Action = "iam:PutRolePolicy", Resource = "arn:aws:iam::123456789012:role/app/*" }]
    ///   })
    /// }
    /// ```
    /// A role that deploys, by the configuration, is told of only:
    /// ```terraform good deployer_roles:ci at:info also:self-escalation-policy-write
    /// resource "aws_iam_role" "ci" {
    ///   name = "ci"
    ///   assume_role_policy = jsonencode({
    ///     Version   = "2012-10-17"
    ///     Statement = [{ Effect = "Allow", Action = "sts:AssumeRole", Principal = { Service = "codebuild.amazonaws.com" } }]
    ///   })
    /// }
    /// resource "aws_iam_role" "release" {
    ///   name = "release"
    ///   assume_role_policy = jsonencode({
    ///     Version   = "2012-10-17"
    ///     Statement = [{ Effect = "Allow", Action = "sts:AssumeRole", Principal = { AWS = aws_iam_role.ci.arn } }]
    ///   })
    /// }
    /// resource "aws_iam_role_policy" "release" {
    ///   role = aws_iam_role.release.name
    ///   policy = jsonencode({
    ///     Version   = "2012-10-17"
    ///     Statement = [{ Effect = "Allow", Action = "iam:PutRolePolicy", Resource = "*" }]
    ///   })
    /// }
    /// ```
    /// A pipeline has to start the build that it names, and nobody else acts with its role; what the build can
    /// become is told of the build:
    /// ```terraform good at:low also:self-escalation-policy-write,star-resource-on-scopable-write
    /// resource "aws_iam_role" "build" {
    ///   name = "build"
    ///   assume_role_policy = jsonencode({
    ///     Version   = "2012-10-17"
    ///     Statement = [{ Effect = "Allow", Action = "sts:AssumeRole", Principal = { Service = "codebuild.amazonaws.com" } }]
    ///   })
    /// }
    /// resource "aws_iam_role_policy" "build" {
    ///   role = aws_iam_role.build.name
    ///   policy = jsonencode({
    ///     Version   = "2012-10-17"
    ///     Statement = [{ Effect = "Allow", Action = "iam:PutRolePolicy", Resource = "*" }]
    ///   })
    /// }
    /// resource "aws_codebuild_project" "release" {
    ///   name         = "release"
    ///   service_role = aws_iam_role.build.arn
    /// }
    /// resource "aws_iam_role" "pipeline" {
    ///   name = "pipeline"
    ///   assume_role_policy = jsonencode({
    ///     Version   = "2012-10-17"
    ///     Statement = [{ Effect = "Allow", Action = "sts:AssumeRole", Principal = { Service = "codepipeline.amazonaws.com" } }]
    ///   })
    /// }
    /// resource "aws_iam_role_policy" "pipeline" {
    ///   role = aws_iam_role.pipeline.name
    ///   policy = jsonencode({
    ///     Version   = "2012-10-17"
    ///     Statement = [{ Effect = "Allow", Action = "codebuild:StartBuild", Resource = aws_codebuild_project.release.arn }]
    ///   })
    /// }
    /// ```
    /// ## How to fix
    /// Cut the cheapest step: a trust policy that names one caller less, or a resource list without the role that
    /// comes next.
    ///
    /// ## Options
    /// `deployer_roles`: principals that are meant to administer; their chains give a notice each.
    pub(crate) static CHAINED_PATH_TO_ADMIN = Rule {
        id: "chained-path-to-admin",
        family: Family::Escalation,
        severity: Severity::High,
        confidence: Confidence::High,
        scope: Scope::Module,
        since: "0.1.0",
        cwe: &[269, 250],
        aliases: &[],
        mappings: &[
            ("ATT&CK", "T1548.005"),
            ("NIST", "AC-6(5)"),
            ("NIST", "AC-6(10)"),
            ("NIST", "AC-2(7)"),
        ],
        references: &[
            "https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_use_switch-role-api.html",
            "https://pathfinding.cloud",
        ],
        check: check,
    };
}

fn check(cx: &mut Context<'_>) {
    for (caller, identity) in escalate::callers(cx) {
        if escalate::is_admin(cx, caller) || is_listed(&cx.settings.break_glass, identity) {
            continue;
        }
        let Some(route) = cx.access.graph().route_to_admin(Node::Identity(caller)) else {
            continue;
        };
        if route.answer == Answer::Must && escalate::taken(cx, &route).len() > 1 {
            finding(cx, caller, identity, &route);
        }
    }
}

/// Where the first step is written: in a policy of the caller, or in the trust policy that names it.
struct Start<'a> {
    place: &'a Place,
    statement: &'a Statement,
    src: Src,
}

fn start<'a>(cx: &Context<'a>, caller: IdentityId, edge: &Edge) -> Option<Start<'a>> {
    let rights = escalate::rights(cx, edge);
    let own = rights.iter().find_map(|(action, allowed)| {
        Some(Start {
            place: allowed.place?,
            statement: allowed.statement,
            src: allowed.action_src(action),
        })
    });
    own.or_else(|| {
        edge.by.iter().find_map(|one| {
            let Basis::Trust(role, index) = one.basis else {
                return None;
            };
            let (_, held) = cx.access.trust(role)?;
            let statement = held.document.statements.get(index)?;
            let root = &held.place.root;
            let names = |one: &&Principal| cx.access.identity(one.reference(), root) == Some(caller);
            let named = statement.principals.iter().find(names);
            let src = named.map_or(&statement.src, |principal| principal.src()).clone();
            Some(Start {
                place: &held.place,
                statement,
                src,
            })
        })
    })
}

fn finding(cx: &mut Context<'_>, caller: IdentityId, identity: &Identity, route: &Route) {
    let taken = escalate::taken(cx, route);
    let Some(start) = taken.first().and_then(|edge| start(cx, caller, edge)) else {
        return;
    };
    let duty = escalate::only_starts_builds(cx, caller, route);
    let told = cx.access.explain(route);
    let text = format!(
        "{} can become administrator in {} steps",
        names::identity(identity),
        told.steps.len()
    );
    let meant = is_listed(&cx.settings.deployer_roles, identity);
    let cut = told.steps.iter().flat_map(|step| step.breaks.first());
    let mut report = cx
        .finding(start.place, &start.src, text)
        .statement(start.statement)
        .severity(match (meant, duty) {
            (true, _) => Severity::Info,
            (false, true) => Severity::Low,
            (false, false) => Severity::High,
        })
        .principal(&identity.place)
        .label("the first step")
        .help(format!(
            "cut one step: {}",
            cut.cloned().collect::<Vec<String>>().join(", or ")
        ));
    for (number, step) in told.steps.iter().enumerate() {
        report = report.note(format!("step {}: {}", number + 1, step.text));
    }
    for edge in &taken {
        report = edge.path.iter().fold(report, |report, path| report.path(path.id));
    }
    for node in route.nodes.iter().skip(1) {
        if let Node::Identity(id) = node
            && let Some(role) = cx.model.identity(*id)
        {
            report = report.related(&role.place.name_src, "on the way", Some(&role.place));
        }
    }
    let best = taken.iter().filter_map(|edge| edge.path).map(escalate::confidence).min();
    cx.report(report.confidence(best.unwrap_or(Confidence::High)));
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{Scene, inline, trusting};

    fn found(own: &str, trust: &str, end: &str) -> Vec<String> {
        Scene::new()
            .resource("aws_iam_role", "web", &trusting("web", r#"{"Service":"ec2.amazonaws.com"}"#))
            .resource("aws_iam_role_policy", "web", &inline("web", own))
            .resource("aws_iam_role", "ops", &trusting("ops", trust))
            .resource("aws_iam_role_policy", "ops", &inline("ops", end))
            .run(&CHAINED_PATH_TO_ADMIN)
            .into_iter()
            .map(|(_, finding)| finding.message)
            .collect()
    }

    #[test]
    fn two_certain_steps_are_a_chain() {
        let read = r#"{"Effect":"Allow","Action":"s3:GetObject","Resource":"*"}"#;
        let writes = r#"{"Effect":"Allow","Action":"iam:PutRolePolicy","Resource":"*"}"#;
        let all = r#"{"Effect":"Allow","Action":"*","Resource":"*"}"#;
        let web = r#"{"AWS":"web"}"#;
        assert_eq!(found(read, web, writes), ["role `web` can become administrator in 2 steps"]);
        assert_eq!(found(read, web, all).len(), 0, "one step");
        assert_eq!(found(read, web, read).len(), 0, "no end");
        assert_eq!(found(writes, web, writes).len(), 0, "it needs no chain");
        let deny = r#"{"Effect":"Deny","Action":"sts:AssumeRole","Resource":"*"}"#;
        assert_eq!(found(deny, web, writes).len(), 0);
    }
}
