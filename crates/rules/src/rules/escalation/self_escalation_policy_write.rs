//! `self-escalation-policy-write`: identities that can write their own policies.

use crate::escalate::{self, Allowed};
use crate::listed::is_listed;
use crate::{Context, Family, Scope, names};
use overgrant_access::graph::Node;
use overgrant_catalog::{EscalationPath, TargetKind};
use overgrant_finding::{Confidence, Severity};
use overgrant_ir::{Identity, IdentityId, IdentityKind};
use std::collections::BTreeSet;

rule! {
    /// Principal can widen its own rights.
    ///
    /// A role or user may write, attach or replace a policy that applies to itself, and so grant itself
    /// whatever it likes.
    ///
    /// ## Why
    /// Such a principal is an administrator in two steps, whatever the rest of its policies says: who gets
    /// hold of it takes over the account.
    ///
    /// ## Bad
    /// ```terraform bad
    /// resource "aws_iam_role" "deploy" {
    ///   name = "deploy"
    ///   assume_role_policy = jsonencode({
    ///     Version   = "2012-10-17"
    ///     Statement = [{ Effect = "Allow", Action = "sts:AssumeRole", Principal = { Service = "codebuild.amazonaws.com" } }]
    ///   })
    /// }
    /// resource "aws_iam_role_policy" "deploy" {
    ///   role = aws_iam_role.deploy.name
    ///   policy = jsonencode({
    ///     Version = "2012-10-17"
    ///     Statement = [{
    ///       Effect   = "Allow"
    ///       Action   = "iam:PutRolePolicy" # <-- here
    ///       Resource = "*"
    ///     }]
    ///   })
    /// }
    /// ```
    /// ```cloudformation bad
    /// Resources:
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
    ///         - PolicyName: attach
    ///           PolicyDocument:
    ///             Version: "2012-10-17"
    ///             Statement:
    ///               - Effect: Allow
    ///                 Action: iam:AttachRolePolicy # <-- here
    ///                 Resource: "*"
    /// ```
    /// The same as JSON:
    /// ```terraform bad
    /// resource "aws_iam_role" "deploy" {
    ///   name = "deploy"
    ///   assume_role_policy = jsonencode({
    ///     Version   = "2012-10-17"
    ///     Statement = [{ Effect = "Allow", Action = "sts:AssumeRole", Principal = { Service = "codebuild.amazonaws.com" } }]
    ///   })
    /// }
    /// resource "aws_iam_role_policy" "deploy" {
    ///   role = aws_iam_role.deploy.name
    ///   policy = <<-JSON
    ///     {
    ///       "Version": "2012-10-17",
    ///       "Statement": [
    ///         {
    ///           "Effect": "Allow",
    ///           "Action": "iam:PutRolePolicy", # <-- here
    ///           "Resource": "*"
    ///         }
    ///       ]
    ///     }
    ///   JSON
    /// }
    /// ```
    /// ## Good
    /// Another path than the role's own, and a condition on what is attached:
    /// ```terraform good
    /// resource "aws_iam_role" "deploy" {
    ///   name = "deploy"
    ///   path = "/ci/"
    ///   assume_role_policy = jsonencode({
    ///     Version   = "2012-10-17"
    ///     Statement = [{ Effect = "Allow", Action = "sts:AssumeRole", Principal = { Service = "codebuild.amazonaws.com" } }]
    ///   })
    /// }
    /// resource "aws_iam_role_policy" "deploy" {
    ///   role = aws_iam_role.deploy.name
    ///   policy = jsonencode({
    ///     Version = "2012-10-17"
    ///     Statement = [{
    ///       Effect    = "Allow"
    ///       Action    = "iam:PutRolePolicy"
    ///       Resource  = "arn:aws:iam::123456789012:role/app/*"
    ///       Condition = { StringEquals = { "iam:PermissionsBoundary" = "arn:aws:iam::123456789012:policy/app-boundary" } }
    ///     }]
    ///   })
    /// }
    /// ```
    /// ```cloudformation good
    /// Resources:
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
    ///         - PolicyName: attach
    ///           PolicyDocument:
    ///             Version: "2012-10-17"
    ///             Statement:
    ///               - Effect: Allow
    ///                 Action: iam:AttachRolePolicy
    ///                 Resource: !Sub arn:${AWS::Partition}:iam::${AWS::AccountId}:role/app/*
    ///                 Condition:
    ///                   ArnEquals:
    ///                     iam:PolicyARN: !Sub arn:${AWS::Partition}:iam::${AWS::AccountId}:policy/app-basic
    /// ```
    /// Who administers the account by another policy gains nothing:
    /// ```terraform good also:managed-administratoraccess,star-resource-on-scopable-write
    /// resource "aws_iam_role" "admin" {
    ///   name = "admin"
    ///   assume_role_policy = jsonencode({
    ///     Version   = "2012-10-17"
    ///     Statement = [{ Effect = "Allow", Action = "sts:AssumeRole", Principal = { Service = "codebuild.amazonaws.com" } }]
    ///   })
    /// }
    /// resource "aws_iam_role_policy_attachment" "admin" {
    ///   role       = aws_iam_role.admin.name
    ///   policy_arn = "arn:aws:iam::aws:policy/AdministratorAccess"
    /// }
    /// resource "aws_iam_role_policy" "admin" {
    ///   role = aws_iam_role.admin.name
    ///   policy = jsonencode({
    ///     Version   = "2012-10-17"
    ///     Statement = [{ Effect = "Allow", Action = "iam:PutRolePolicy", Resource = "*" }]
    ///   })
    /// }
    /// ```
    /// Actions on users do not change a role:
    /// ```terraform good also:star-resource-on-scopable-write
    /// resource "aws_iam_role" "people" {
    ///   name = "people"
    ///   assume_role_policy = jsonencode({
    ///     Version   = "2012-10-17"
    ///     Statement = [{ Effect = "Allow", Action = "sts:AssumeRole", Principal = { Service = "codebuild.amazonaws.com" } }]
    ///   })
    /// }
    /// resource "aws_iam_role_policy" "people" {
    ///   role = aws_iam_role.people.name
    ///   policy = jsonencode({
    ///     Version   = "2012-10-17"
    ///     Statement = [{ Effect = "Allow", Action = "iam:PutUserPolicy", Resource = "*" }]
    ///   })
    /// }
    /// ```
    /// The boundary has no such action, or a Deny takes it away:
    /// ```terraform good
    /// resource "aws_iam_policy" "limit" {
    ///   name = "limit"
    ///   policy = jsonencode({
    ///     Version   = "2012-10-17"
    ///     Statement = [{ Effect = "Allow", Action = ["s3:*", "iam:GetRole"], Resource = "*" }]
    ///   })
    /// }
    /// resource "aws_iam_role" "bounded" {
    ///   name                 = "bounded"
    ///   permissions_boundary = aws_iam_policy.limit.arn
    ///   assume_role_policy = jsonencode({
    ///     Version   = "2012-10-17"
    ///     Statement = [{ Effect = "Allow", Action = "sts:AssumeRole", Principal = { Service = "codebuild.amazonaws.com" } }]
    ///   })
    /// }
    /// resource "aws_iam_role_policy" "bounded" {
    ///   role = aws_iam_role.bounded.name
    ///   policy = jsonencode({
    ///     Version   = "2012-10-17"
    ///     Statement = [{ Effect = "Allow", Action = "iam:AttachRolePolicy", Resource = "*" }]
    ///   })
    /// }
    /// ```
    /// ```cloudformation good
    /// Resources:
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
    ///         - PolicyName: roles
    ///           PolicyDocument:
    ///             Version: "2012-10-17"
    ///             Statement:
    ///               - Effect: Allow
    ///                 Action: iam:PutRolePolicy
    ///                 Resource: "*"
    ///               - Effect: Deny
    ///                 Action: iam:PutRolePolicy
    ///                 Resource: "*"
    /// ```
    /// ## How to fix
    /// Limit the roles or users by a path that the principal itself is not in, and demand a permissions
    /// boundary with `iam:PermissionsBoundary` or a list of policies with `iam:PolicyARN`.
    pub(crate) static SELF_ESCALATION_POLICY_WRITE = Rule {
        id: "self-escalation-policy-write",
        family: Family::Escalation,
        severity: Severity::Critical,
        confidence: Confidence::High,
        scope: Scope::Module,
        since: "0.1.0",
        cwe: &[269, 250],
        aliases: &[
            "CKV_AWS_110",
            "CKV_AWS_286",
            "PRIVILEGE_ESCALATION",
            "iam_inline_policy_allows_privilege_escalation",
            "iam_policy_allows_privilege_escalation",
        ],
        mappings: &[
            ("CIS5", "1.15"),
            ("FSBP", "IAM.21"),
            ("NIST", "AC-6(5)"),
            ("NIST", "AC-6(10)"),
            ("NIST", "AC-2(7)"),
            ("ATT&CK", "T1098.003"),
            ("ATT&CK", "T1548"),
        ],
        references: &[
            "https://docs.aws.amazon.com/IAM/latest/UserGuide/access_policies_boundaries.html",
            "https://pathfinding.cloud",
        ],
        check: check,
    };
}

fn check(cx: &mut Context<'_>) {
    for (id, identity) in escalate::callers(cx) {
        if escalate::is_admin(cx, id) || is_listed(&cx.settings.break_glass, identity) {
            continue;
        }
        let writes = escalate::self_writes(cx, id);
        // Paths that are all in policies of AWS are those policies' findings.
        let Some((path, action, allowed)) = writes
            .iter()
            .find(|(_, _, allowed)| allowed.place.is_some())
        else {
            continue;
        };
        finding(cx, id, identity, (path, action), *allowed, &writes);
    }
}

/// Rules whose ways to administration are told with this one: a principal that has all of it wins
/// nothing more by them.
const FURTHER: [&str; 2] = ["passrole-new-compute", "existing-compute-code-injection"];

/// The further sure ways of the identity to administration, by id.
fn further(cx: &Context<'_>, id: IdentityId) -> BTreeSet<&'static str> {
    let admin = |end: Node| match end {
        Node::Admin => true,
        Node::Identity(role) => escalate::reaches_admin(cx, role),
        Node::Workload(at) => cx
            .access
            .role_of(at)
            .is_some_and(|role| escalate::reaches_admin(cx, role)),
        _ => false,
    };
    FURTHER
        .iter()
        .flat_map(|rule| escalate::steps(cx, id, rule))
        .filter(|(_, edge)| escalate::ends(cx, edge).into_iter().any(admin))
        .map(|(path, _)| path.id)
        .collect()
}

fn finding(
    cx: &mut Context<'_>,
    id: IdentityId,
    identity: &Identity,
    (path, action): (&EscalationPath, &str),
    allowed: Allowed<'_>,
    writes: &[(&'static EscalationPath, &'static str, Allowed<'_>)],
) {
    let Some(place) = allowed.place else { return };
    let on_policy = path
        .legs
        .iter()
        .flat_map(|legs| legs.iter())
        .any(|leg| leg.action == action && leg.target.kind == TargetKind::Policy);
    let own = match identity.kind {
        _ if on_policy => "a policy that it has",
        IdentityKind::User => "itself or its groups",
        _ => "itself",
    };
    let text = format!(
        "{} can grant itself any right: it may use `{action}` on {own}",
        names::identity(identity)
    );
    let mut report = cx
        .finding(place, &allowed.action_src(action), text)
        .statement(allowed.statement)
        .principal(&identity.place)
        .related(
            &identity.place.name_src,
            format!("`{}`", identity.place.address),
            Some(&identity.place),
        )
        .help("limit the roles and users by path and demand a permissions boundary");
    for (path, action, _) in writes {
        report = report.path(path.id).note(format!("path: `{action}` ({})", path.id));
    }
    for path in further(cx, id) {
        report = report.path(path);
    }
    cx.report(report);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::Scene;

    /// What is found of a role with these statements, inline or in a policy of its own.
    fn messages(policy: &str, inline: bool) -> Vec<String> {
        let trust = r#"{"Statement":{"Effect":"Allow","Action":"sts:AssumeRole","Principal":{"Service":"ec2.amazonaws.com"}}}"#;
        let trust = trust.replace('"', "\\\"");
        let policy = policy.replace('"', "\\\"");
        let role = format!(r#"{{"name":"ci","assume_role_policy":"{trust}"}}"#);
        let document = format!(r#"{{\"Statement\":[{policy}]}}"#);
        let scene = Scene::new().resource("aws_iam_role", "ci", &role);
        let scene = if inline {
            let policy = format!(r#"{{"role":"ci","policy":"{document}"}}"#);
            scene.resource("aws_iam_role_policy", "ci", &policy)
        } else {
            let arn = "arn:aws:iam::123456789012:policy/own";
            let policy = format!(r#"{{"name":"own","arn":"{arn}","policy":"{document}"}}"#);
            let link = format!(r#"{{"role":"ci","policy_arn":"{arn}"}}"#);
            scene
                .resource("aws_iam_policy", "own", &policy)
                .resource("aws_iam_role_policy_attachment", "own", &link)
        };
        scene
            .run(&SELF_ESCALATION_POLICY_WRITE)
            .into_iter()
            .map(|(_, finding)| finding.message)
            .collect()
    }

    fn found(policy: &str) -> Vec<String> {
        messages(policy, true)
    }

    #[test]
    fn a_policy_of_its_own_is_said_to_be_one() {
        assert_eq!(
            messages(r#"{"Effect":"Allow","Action":"iam:CreatePolicyVersion","Resource":"*"}"#, false),
            ["role `ci` can grant itself any right: it may use `iam:CreatePolicyVersion` on a policy that it has"]
        );
    }

    #[test]
    fn writes_to_itself_are_found() {
        assert_eq!(
            found(r#"{"Effect":"Allow","Action":"iam:Put*","Resource":"*"}"#),
            ["role `ci` can grant itself any right: it may use `iam:PutRolePolicy` on itself"]
        );
        assert_eq!(
            found(r#"{"Effect":"Allow","Action":"iam:AttachRolePolicy","Resource":"arn:aws:iam::*:role/c*"}"#).len(),
            1
        );
    }

    #[test]
    fn what_does_not_reach_itself_is_silent() {
        let none: Vec<String> = Vec::new();
        for policy in [
            r#"{"Effect":"Allow","Action":"*","Resource":"*"}"#,
            r#"{"Effect":"Allow","Action":"iam:PutUserPolicy","Resource":"*"}"#,
            r#"{"Effect":"Allow","Action":"iam:PutRolePolicy","Resource":"arn:aws:iam::*:role/app-*"}"#,
            r#"{"Effect":"Allow","Action":"iam:AttachRolePolicy","Resource":"*","Condition":{"ArnEquals":{"iam:PolicyARN":"arn:aws:iam::aws:policy/ReadOnlyAccess"}}}"#,
            r#"{"Effect":"Allow","Action":"iam:PutRolePolicy","Resource":"*"},{"Effect":"Deny","Action":"iam:PutRolePolicy","Resource":"*"}"#,
        ] {
            assert_eq!(found(policy), none, "{policy}");
        }
    }
}
