//! `policy-write-plus-takeover-combo`: giving another role or user every right, and becoming it.

use crate::escalate;
use crate::{Context, Family, Scope, names};
use overgrant_access::graph::{Edge, Node};
use overgrant_catalog::EscalationPath;
use overgrant_finding::{Confidence, Severity};
use overgrant_ir::{Identity, IdentityId};

rule! {
    /// Principal can give another identity every right and take it over.
    ///
    /// Two rights meet on one target: writing the policies of a role or user, and becoming it, by assuming the
    /// role, rewriting its trust policy or making an access key of the user.
    ///
    /// ## Why
    /// Each right looks harmless beside the other: whoever only writes policies does not get the rights, whoever
    /// only assumes the role gets those that it has. Both together are administration in two calls.
    ///
    /// ## Bad
    /// ```terraform bad
    /// resource "aws_iam_role" "ci" {
    ///   name = "ci"
    ///   assume_role_policy = jsonencode({
    ///     Version   = "2012-10-17"
    ///     Statement = [{ Effect = "Allow", Action = "sts:AssumeRole", Principal = { Service = "codebuild.amazonaws.com" } }]
    ///   })
    /// }
    /// resource "aws_iam_role" "app" {
    ///   name = "app"
    ///   assume_role_policy = jsonencode({
    ///     Version   = "2012-10-17"
    ///     Statement = [{ Effect = "Allow", Action = "sts:AssumeRole", Principal = { AWS = aws_iam_role.ci.arn } }]
    ///   })
    /// }
    /// resource "aws_iam_role_policy" "ci" {
    ///   role = aws_iam_role.ci.name
    ///   policy = jsonencode({
    ///     Version = "2012-10-17"
    ///     Statement = [{
    ///       Effect   = "Allow"
    ///       Action   = ["iam:PutRolePolicy", "sts:AssumeRole"] # <-- here
    ///       Resource = aws_iam_role.app.arn
    ///     }]
    ///   })
    /// }
    /// ```
    /// ```cloudformation bad
    /// Resources:
    ///   Robot:
    ///     Type: AWS::IAM::User
    ///     Properties:
    ///       UserName: robot
    ///   Helper:
    ///     Type: AWS::IAM::User
    ///     Properties:
    ///       UserName: helper
    ///       Policies:
    ///         - PolicyName: keys
    ///           PolicyDocument:
    ///             Version: "2012-10-17"
    ///             Statement:
    ///               - Effect: Allow
    ///                 Action:
    ///                   - iam:AttachUserPolicy # <-- here
    ///                   - iam:CreateAccessKey
    ///                 Resource: !GetAtt Robot.Arn
    /// ```
    /// The same as JSON:
    /// ```terraform bad
    /// resource "aws_iam_role" "ci" {
    ///   name = "ci"
    ///   assume_role_policy = jsonencode({
    ///     Version   = "2012-10-17"
    ///     Statement = [{ Effect = "Allow", Action = "sts:AssumeRole", Principal = { Service = "codebuild.amazonaws.com" } }]
    ///   })
    /// }
    /// resource "aws_iam_role" "app" {
    ///   name = "app"
    ///   assume_role_policy = jsonencode({
    ///     Version   = "2012-10-17"
    ///     Statement = [{ Effect = "Allow", Action = "sts:AssumeRole", Principal = { AWS = aws_iam_role.ci.arn } }]
    ///   })
    /// }
    /// resource "aws_iam_role_policy" "ci" {
    ///   role = aws_iam_role.ci.name
    ///   policy = <<-JSON
    ///     {
    ///       "Version": "2012-10-17",
    ///       "Statement": [
    ///         {
    ///           "Effect": "Allow",
    ///           "Action": ["iam:PutRolePolicy", "sts:AssumeRole"], # <-- here
    ///           "Resource": "${aws_iam_role.app.arn}"
    ///         }
    ///       ]
    ///     }
    ///   JSON
    /// }
    /// ```
    /// ## Good
    /// No target that both rights reach:
    /// ```terraform good
    /// resource "aws_iam_role" "ci" {
    ///   name = "ci"
    ///   assume_role_policy = jsonencode({
    ///     Version   = "2012-10-17"
    ///     Statement = [{ Effect = "Allow", Action = "sts:AssumeRole", Principal = { Service = "codebuild.amazonaws.com" } }]
    ///   })
    /// }
    /// resource "aws_iam_role" "app" {
    ///   name = "app"
    ///   assume_role_policy = jsonencode({
    ///     Version   = "2012-10-17"
    ///     Statement = [{ Effect = "Allow", Action = "sts:AssumeRole", Principal = { Service = "ecs-tasks.amazonaws.com" } }]
    ///   })
    /// }
    /// resource "aws_iam_role" "tests" {
    ///   name = "tests"
    ///   assume_role_policy = jsonencode({
    ///     Version   = "2012-10-17"
    ///     Statement = [{ Effect = "Allow", Action = "sts:AssumeRole", Principal = { AWS = aws_iam_role.ci.arn } }]
    ///   })
    /// }
    /// resource "aws_iam_role_policy" "ci" {
    ///   role = aws_iam_role.ci.name
    ///   policy = jsonencode({
    ///     Version = "2012-10-17"
    ///     Statement = [
    ///       { Effect = "Allow", Action = "iam:PutRolePolicy", Resource = aws_iam_role.app.arn },
    ///       { Effect = "Allow", Action = "sts:AssumeRole", Resource = aws_iam_role.tests.arn },
    ///     ]
    ///   })
    /// }
    /// ```
    /// A trust policy that does not let the caller in:
    /// ```cloudformation good
    /// Resources:
    ///   App:
    ///     Type: AWS::IAM::Role
    ///     Properties:
    ///       AssumeRolePolicyDocument:
    ///         Version: "2012-10-17"
    ///         Statement:
    ///           - { Effect: Allow, Action: sts:AssumeRole, Principal: { Service: ecs-tasks.amazonaws.com } }
    ///   Builder:
    ///     Type: AWS::IAM::Role
    ///     Properties:
    ///       AssumeRolePolicyDocument:
    ///         Version: "2012-10-17"
    ///         Statement:
    ///           - { Effect: Allow, Action: sts:AssumeRole, Principal: { Service: codebuild.amazonaws.com } }
    ///       Policies:
    ///         - PolicyName: app
    ///           PolicyDocument:
    ///             Version: "2012-10-17"
    ///             Statement:
    ///               - Effect: Allow
    ///                 Action: [iam:PutRolePolicy, sts:AssumeRole]
    ///                 Resource: !GetAtt App.Arn
    /// ```
    /// A boundary of the target, which new policies do not pass:
    /// ```terraform good
    /// resource "aws_iam_policy" "limit" {
    ///   name = "limit"
    ///   policy = jsonencode({
    ///     Version   = "2012-10-17"
    ///     Statement = [{ Effect = "Allow", Action = "s3:GetObject", Resource = "arn:aws:s3:::acme-data/*" }]
    ///   })
    /// }
    /// resource "aws_iam_role" "ci" {
    ///   name = "ci"
    ///   assume_role_policy = jsonencode({
    ///     Version   = "2012-10-17"
    ///     Statement = [{ Effect = "Allow", Action = "sts:AssumeRole", Principal = { Service = "codebuild.amazonaws.com" } }]
    ///   })
    /// }
    /// resource "aws_iam_role" "app" {
    ///   name                 = "app"
    ///   permissions_boundary = aws_iam_policy.limit.arn
    ///   assume_role_policy = jsonencode({
    ///     Version   = "2012-10-17"
    ///     Statement = [{ Effect = "Allow", Action = "sts:AssumeRole", Principal = { AWS = aws_iam_role.ci.arn } }]
    ///   })
    /// }
    /// resource "aws_iam_role_policy" "ci" {
    ///   role = aws_iam_role.ci.name
    ///   policy = jsonencode({
    ///     Version   = "2012-10-17"
    ///     Statement = [{ Effect = "Allow", Action = ["iam:PutRolePolicy", "sts:AssumeRole"], Resource = aws_iam_role.app.arn }]
    ///   })
    /// }
    /// ```
    /// ## How to fix
    /// Let nobody who writes policies of a role become it, or give the role a permissions boundary and forbid
    /// taking it off.
    pub(crate) static POLICY_WRITE_PLUS_TAKEOVER_COMBO = Rule {
        id: "policy-write-plus-takeover-combo",
        family: Family::Escalation,
        severity: Severity::Critical,
        confidence: Confidence::High,
        scope: Scope::Module,
        since: "0.1.0",
        cwe: &[269, 250],
        aliases: &[],
        mappings: &[
            ("ATT&CK", "T1098.003"),
            ("NIST", "AC-6(5)"),
            ("NIST", "AC-6(10)"),
            ("NIST", "AC-2(7)"),
        ],
        references: &[
            "https://docs.aws.amazon.com/IAM/latest/UserGuide/access_policies_boundaries.html",
            "https://pathfinding.cloud",
        ],
        check: check,
    };
}

fn check(cx: &mut Context<'_>) {
    for (caller, identity) in escalate::callers(cx) {
        if !escalate::is_exempt(cx, caller, identity) {
            report(cx, caller, identity);
        }
    }
}

/// One finding a caller: the first target of the model's order, with every path that leads there.
fn report(cx: &mut Context<'_>, caller: IdentityId, identity: &Identity) {
    let steps: Vec<(&EscalationPath, &Edge)> =
        escalate::steps(cx, caller, "policy-write-plus-takeover-combo").collect();
    let target = |edge: &Edge| match edge.via {
        Some(Node::Identity(target)) => Some(target),
        _ => None,
    };
    let written = |edge: &Edge| escalate::rights(cx, edge).first().and_then(|(_, one)| one.place);
    let first = steps
        .iter()
        .filter(|(_, edge)| written(edge).is_some())
        .filter_map(|(_, edge)| Some((target(edge)?, *edge)))
        .min_by_key(|(target, _)| *target);
    let Some((id, edge)) = first else { return };
    let rights = escalate::rights(cx, edge);
    let (Some(target_identity), Some((action, allowed))) = (cx.model.identity(id), rights.first().copied()) else {
        return;
    };
    let Some(place) = allowed.place else { return };
    let actions: Vec<String> = rights.iter().map(|(action, _)| format!("`{action}`")).collect();
    let text = format!(
        "{} can become administrator through {}: it may use {} on it",
        names::identity(identity),
        names::identity(target_identity),
        actions.join(" and ")
    );
    let mut report = cx
        .finding(place, &allowed.action_src(action), text)
        .statement(allowed.statement)
        .principal(&identity.place)
        .related(
            &target_identity.place.name_src,
            format!("`{}`, which is taken over", names::plain(target_identity)),
            Some(&target_identity.place),
        )
        .help("let nobody who writes the policies of an identity become it, or cap it by a permissions boundary");
    for (action, other) in rights.iter().skip(1) {
        report = report.related(&other.action_src(action), format!("grants {action}"), other.place);
    }
    let mut told: Vec<&str> = Vec::new();
    let mut best = Confidence::Low;
    for (path, edge) in steps.iter().filter(|(_, edge)| target(edge) == Some(id)) {
        best = best.max(escalate::confidence(path));
        if !told.contains(&path.id) {
            told.push(path.id);
            let used: Vec<&str> = edge.by.iter().map(|one| one.action).collect();
            report = report.path(path.id).note(format!("path: {} ({})", used.join(" + "), path.id));
        }
    }
    cx.report(report.confidence(best));
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{Scene, inline, trusting};

    fn found(policy: &str, trust: &str) -> usize {
        Scene::new()
            .resource("aws_iam_role", "ci", &trusting("ci", r#"{"Service":"codebuild.amazonaws.com"}"#))
            .resource("aws_iam_role", "app", &trusting("app", trust))
            .resource("aws_iam_role_policy", "ci", &inline("ci", policy))
            .run(&POLICY_WRITE_PLUS_TAKEOVER_COMBO)
            .len()
    }

    #[test]
    fn both_rights_have_to_meet_on_one_role() {
        let both = |write: &str, take: &str| {
            format!(
                r#"{{"Effect":"Allow","Action":"{write}","Resource":"arn:aws:iam::*:role/app"}},
                   {{"Effect":"Allow","Action":"{take}","Resource":"arn:aws:iam::*:role/a*"}}"#
            )
        };
        let ci = r#"{"AWS":"ci"}"#;
        let lambda = r#"{"Service":"lambda.amazonaws.com"}"#;
        assert_eq!(found(&both("iam:PutRolePolicy", "iam:UpdateAssumeRolePolicy"), lambda), 1);
        assert_eq!(found(&both("iam:AttachRolePolicy", "sts:AssumeRole"), ci), 1);
        assert_eq!(found(&both("iam:PutRolePolicy", "sts:AssumeRole"), lambda), 0, "the trust lets nobody in");
        assert_eq!(found(&both("iam:GetRolePolicy", "sts:AssumeRole"), ci), 0);
        let apart = both("iam:PutRolePolicy", "iam:UpdateAssumeRolePolicy").replace("role/a*", "role/b*");
        assert_eq!(found(&apart, lambda), 0, "no role that both reach");
    }
}
