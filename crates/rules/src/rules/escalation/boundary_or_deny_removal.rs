//! `boundary-or-deny-removal`: taking off the limit that one stands under.

use crate::escalate;
use crate::{Context, Family, Scope, fixes, names};
use overgrant_access::Boundary;
use overgrant_access::graph::{Edge, Node};
use overgrant_catalog::{EscalationPath, Precondition};
use overgrant_finding::{Confidence, Severity};
use overgrant_ir::{Identity, IdentityId};

rule! {
    /// Principal can take off the boundary or Deny that limits it.
    ///
    /// It may remove or replace its own permissions boundary, or that of a role which it may assume, or delete
    /// the policy that carries a Deny against it, and it has more rights once that is gone.
    ///
    /// ## Why
    /// A boundary or Deny holds only as long as whoever it binds cannot touch it. One call takes it off, and
    /// all that the policies below it grant is in force.
    ///
    /// ## Bad
    /// ```terraform bad
    /// resource "aws_iam_policy" "limit" {
    ///   name = "limit"
    ///   policy = jsonencode({
    ///     Version   = "2012-10-17"
    ///     Statement = [{ Effect = "Allow", Action = ["s3:GetObject", "iam:DeleteRolePermissionsBoundary"], Resource = "*" }]
    ///   })
    /// }
    /// resource "aws_iam_role" "dev" {
    ///   name                 = "dev"
    ///   permissions_boundary = aws_iam_policy.limit.arn
    ///   assume_role_policy = jsonencode({
    ///     Version   = "2012-10-17"
    ///     Statement = [{ Effect = "Allow", Action = "sts:AssumeRole", Principal = { Service = "ec2.amazonaws.com" } }]
    ///   })
    /// }
    /// resource "aws_iam_role_policy" "dev" {
    ///   role = aws_iam_role.dev.name
    ///   policy = jsonencode({
    ///     Version   = "2012-10-17"
    ///     Statement = [{ Effect = "Allow", Action = "*", Resource = "*" }] # <-- here
    ///   })
    /// }
    /// ```
    /// ```cloudformation bad
    /// Resources:
    ///   Dev:
    ///     Type: AWS::IAM::Role
    ///     Properties:
    ///       RoleName: dev
    ///       AssumeRolePolicyDocument:
    ///         Version: "2012-10-17"
    ///         Statement:
    ///           - { Effect: Allow, Action: sts:AssumeRole, Principal: { Service: ec2.amazonaws.com } }
    ///       Policies:
    ///         - PolicyName: work
    ///           PolicyDocument:
    ///             Version: "2012-10-17"
    ///             Statement:
    ///               - { Effect: Allow, Action: "dynamodb:*", Resource: "*" }
    ///               - { Effect: Deny, Action: "dynamodb:DeleteTable", Resource: "*" }
    ///               - Effect: Allow
    ///                 Action: iam:DeleteRolePolicy # <-- here
    ///                 Resource: !Sub arn:${AWS::Partition}:iam::${AWS::AccountId}:role/dev
    /// ```
    /// The same as JSON:
    /// ```terraform bad
    /// resource "aws_iam_policy" "limit" {
    ///   name = "limit"
    ///   policy = jsonencode({
    ///     Version   = "2012-10-17"
    ///     Statement = [{ Effect = "Allow", Action = ["s3:GetObject", "iam:DeleteRolePermissionsBoundary"], Resource = "*" }]
    ///   })
    /// }
    /// resource "aws_iam_role" "dev" {
    ///   name                 = "dev"
    ///   permissions_boundary = aws_iam_policy.limit.arn
    ///   assume_role_policy = jsonencode({
    ///     Version   = "2012-10-17"
    ///     Statement = [{ Effect = "Allow", Action = "sts:AssumeRole", Principal = { Service = "ec2.amazonaws.com" } }]
    ///   })
    /// }
    /// resource "aws_iam_role_policy" "dev" {
    ///   role = aws_iam_role.dev.name
    ///   policy = <<-JSON
    ///     {
    ///       "Version": "2012-10-17",
    ///       "Statement": [
    ///         {
    ///           "Effect": "Allow",
    ///           "Action": "*", # <-- here
    ///           "Resource": "*"
    ///         }
    ///       ]
    ///     }
    ///   JSON
    /// }
    /// ```
    /// ## Good
    /// A new boundary has to be as tight:
    /// ```terraform good
    /// resource "aws_iam_policy" "limit" {
    ///   name = "limit"
    ///   policy = jsonencode({
    ///     Version   = "2012-10-17"
    ///     Statement = [{ Effect = "Allow", Action = ["s3:GetObject", "iam:PutRolePermissionsBoundary"], Resource = "arn:aws:s3:::acme-data/*" }]
    ///   })
    /// }
    /// resource "aws_iam_role" "dev" {
    ///   name                 = "dev"
    ///   permissions_boundary = aws_iam_policy.limit.arn
    ///   assume_role_policy = jsonencode({
    ///     Version   = "2012-10-17"
    ///     Statement = [{ Effect = "Allow", Action = "sts:AssumeRole", Principal = { Service = "ec2.amazonaws.com" } }]
    ///   })
    /// }
    /// resource "aws_iam_role_policy" "dev" {
    ///   role = aws_iam_role.dev.name
    ///   policy = jsonencode({
    ///     Version = "2012-10-17"
    ///     Statement = [{
    ///       Effect    = "Allow"
    ///       Action    = "iam:PutRolePermissionsBoundary"
    ///       Resource  = aws_iam_role.dev.arn
    ///       Condition = { StringEquals = { "iam:PermissionsBoundary" = aws_iam_policy.limit.arn } }
    ///     }]
    ///   })
    /// }
    /// ```
    /// No boundary that could be taken off:
    /// ```cloudformation good
    /// Resources:
    ///   Dev:
    ///     Type: AWS::IAM::Role
    ///     Properties:
    ///       RoleName: dev
    ///       AssumeRolePolicyDocument:
    ///         Version: "2012-10-17"
    ///         Statement:
    ///           - { Effect: Allow, Action: sts:AssumeRole, Principal: { Service: ec2.amazonaws.com } }
    ///       Policies:
    ///         - PolicyName: work
    ///           PolicyDocument:
    ///             Version: "2012-10-17"
    ///             Statement:
    ///               - { Effect: Allow, Action: s3:GetObject, Resource: "arn:aws:s3:::acme-data/*" }
    ///               - Effect: Allow
    ///                 Action: iam:DeleteRolePermissionsBoundary
    ///                 Resource: !Sub arn:${AWS::Partition}:iam::${AWS::AccountId}:role/dev
    /// ```
    /// A boundary that cuts nothing away:
    /// ```terraform good
    /// resource "aws_iam_policy" "limit" {
    ///   name = "limit"
    ///   policy = jsonencode({
    ///     Version   = "2012-10-17"
    ///     Statement = [{ Effect = "Allow", Action = ["dynamodb:GetItem", "iam:DeleteRolePermissionsBoundary"], Resource = ["arn:aws:dynamodb:*:*:table/acme", "arn:aws:iam::*:role/dev"] }]
    ///   })
    /// }
    /// resource "aws_iam_role" "dev" {
    ///   name                 = "dev"
    ///   permissions_boundary = aws_iam_policy.limit.arn
    ///   assume_role_policy = jsonencode({
    ///     Version   = "2012-10-17"
    ///     Statement = [{ Effect = "Allow", Action = "sts:AssumeRole", Principal = { Service = "ec2.amazonaws.com" } }]
    ///   })
    /// }
    /// resource "aws_iam_role_policy" "dev" {
    ///   role = aws_iam_role.dev.name
    ///   policy = jsonencode({
    ///     Version = "2012-10-17"
    ///     Statement = [
    ///       { Effect = "Allow", Action = "dynamodb:GetItem", Resource = "arn:aws:dynamodb:*:*:table/acme" },
    ///       { Effect = "Allow", Action = "iam:DeleteRolePermissionsBoundary", Resource = aws_iam_role.dev.arn },
    ///     ]
    ///   })
    /// }
    /// ```
    /// ## How to fix
    /// Deny every change of boundaries in the boundary itself, and keep a Deny where those whom it binds cannot
    /// reach it: in an organization policy or a boundary.
    pub(crate) static BOUNDARY_OR_DENY_REMOVAL = Rule {
        id: "boundary-or-deny-removal",
        family: Family::Escalation,
        severity: Severity::High,
        confidence: Confidence::High,
        scope: Scope::Module,
        since: "0.1.0",
        cwe: &[269, 250],
        aliases: &[],
        mappings: &[
            ("NIST", "AC-6(5)"),
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

/// What takes boundaries off.
const DELETES: [&str; 2] = [
    "iam:DeleteRolePermissionsBoundary",
    "iam:DeleteUserPermissionsBoundary",
];

/// What puts others in their place.
const PUTS: [&str; 2] = ["iam:PutRolePermissionsBoundary", "iam:PutUserPermissionsBoundary"];

fn check(cx: &mut Context<'_>) {
    for (caller, identity) in escalate::callers(cx) {
        if escalate::is_exempt(cx, caller, identity) {
            continue;
        }
        let steps: Vec<(&EscalationPath, &Edge)> =
            escalate::steps(cx, caller, "boundary-or-deny-removal").collect();
        let found = steps.iter().find_map(|(path, edge)| Some((*edge, won(cx, caller, path, edge)?)));
        if let Some((edge, won)) = found {
            finding(cx, caller, identity, edge, &won, &steps);
        }
    }
}

/// What is won by the step, in words; `None` where the limit cuts nothing away.
fn won(cx: &Context<'_>, caller: IdentityId, path: &EscalationPath, edge: &Edge) -> Option<String> {
    if edge.to == Node::Admin {
        return Some("is administrator then".to_owned());
    }
    let subject = match edge.via {
        Some(Node::Identity(role)) => role,
        _ => caller,
    };
    let more = if path.preconditions.contains(&Precondition::PolicyCarriesDeny) {
        cx.access.actions_denied(subject)
    } else {
        let bounded = cx.access.actions_on_something(subject);
        cx.access.actions_without_boundary(subject).difference(&bounded)
    };
    let mut actions = more.actions();
    let first = actions.next()?;
    Some(match actions.count() {
        0 => format!("may use `{first}` then"),
        1 => format!("may use `{first}` and one more action then"),
        more => format!("may use `{first}` and {more} more actions then"),
    })
}

fn finding(
    cx: &mut Context<'_>,
    caller: IdentityId,
    identity: &Identity,
    edge: &Edge,
    won: &str,
    steps: &[(&EscalationPath, &Edge)],
) {
    let rights = escalate::rights(cx, edge);
    let Some((action, allowed)) = rights.iter().find(|(action, _)| *action != "sts:AssumeRole").copied() else {
        return;
    };
    let Some(place) = allowed.place else { return };
    let role = match edge.via {
        Some(Node::Identity(role)) if role != caller => cx.model.identity(role),
        _ => None,
    };
    let whose = role.map_or_else(|| "itself".to_owned(), names::identity);
    let what = if action.contains("Boundary") { "boundary" } else { "Deny" };
    let deed = format!("take the {what} off {whose} with `{action}`");
    let text = format!("{} can {deed}, and {won}", names::identity(identity));
    let limited = role.unwrap_or(identity);
    let subject = match edge.via {
        Some(Node::Identity(role)) => role,
        _ => caller,
    };
    let fix = match cx.access.boundary(subject) {
        Boundary::Document(policy) if what == "boundary" => {
            let put: &[&str] = if action.contains("Put") { &PUTS } else { &[] };
            let policy = cx.model.document(policy);
            policy.and_then(|policy| fixes::deny(&policy.document, &[&DELETES, put].concat(), "*"))
        }
        _ => None,
    };
    let mut report = cx
        .finding(place, &allowed.action_src(action), text)
        .statement(allowed.statement)
        .deed(deed)
        .fix(fix)
        .principal(&identity.place)
        .related(&limited.place.name_src, "stands under the limit", Some(&limited.place))
        .help("deny changes of boundaries in the boundary itself, and keep Denies out of reach of those whom they bind");
    let mut told: Vec<&str> = Vec::new();
    let mut best = Confidence::Low;
    for (path, _) in steps {
        best = best.max(escalate::confidence(path));
        if !told.contains(&path.id) {
            told.push(path.id);
            report = report.path(path.id);
        }
    }
    cx.report(report.confidence(best));
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{Scene, inline, quoted, trusting};

    fn found(policy: &str, boundary: &str) -> Vec<String> {
        let role = trusting("dev", r#"{"Service":"ec2.amazonaws.com"}"#);
        let bound = role.replacen('{', r#"{"permissions_boundary":"limit","#, 1);
        let limit = format!(r#"{{"name":"limit","policy":{}}}"#, quoted(boundary));
        Scene::new()
            .resource("aws_iam_policy", "limit", &limit)
            .resource("aws_iam_role", "dev", if boundary.is_empty() { &role } else { &bound })
            .resource("aws_iam_role_policy", "dev", &inline("dev", policy))
            .run(&BOUNDARY_OR_DENY_REMOVAL)
            .into_iter()
            .map(|(_, finding)| finding.message)
            .collect()
    }

    #[test]
    fn a_limit_counts_for_what_it_takes_away() {
        let own = r#"{"Effect":"Allow","Action":["iam:DeleteRolePermissionsBoundary","s3:GetObject"],"Resource":"*"}"#;
        let open = r#"{"Effect":"Allow","Action":["iam:*","s3:*"],"Resource":"*"}"#;
        let tight = r#"{"Effect":"Allow","Action":"iam:*","Resource":"*"}"#;
        let forbids = r#"{"Effect":"Allow","Action":"*","Resource":"*"},{"Effect":"Deny","Action":"iam:*Boundary","Resource":"*"}"#;
        assert_eq!(
            found(own, tight),
            ["role `dev` can take the boundary off itself with `iam:DeleteRolePermissionsBoundary`, and may use `s3:GetObject` then"]
        );
        assert_eq!(found(own, open).len(), 0, "nothing is won");
        assert_eq!(found(own, forbids).len(), 0, "the boundary keeps itself");
        assert_eq!(found(own, "").len(), 0, "there is none");
    }

    #[test]
    fn a_deny_goes_with_the_policy_that_carries_it() {
        let deny = |action: &str| {
            let text = format!(
                r#"{{"Effect":"Allow","Action":["s3:*","{action}"],"Resource":"*"}},{{"Effect":"Deny","Action":"s3:DeleteBucket","Resource":"*"}}"#
            );
            found(&text, "").len()
        };
        assert_eq!(deny("iam:DeleteRolePolicy"), 1);
        assert_eq!(deny("iam:DetachRolePolicy"), 0, "an inline policy cannot be detached");
    }
}
