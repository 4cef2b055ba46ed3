//! `boundary-detachable`: delegated rights that can take boundaries off or change them.

use crate::boundaries;
use crate::grants::{self, Grant, list_actions};
use crate::{Context, Family, Scope, fixes};
use overgrant_access::Boundary;
use overgrant_catalog::{Action, catalog};
use overgrant_finding::{Confidence, Severity};
use overgrant_policy::Answer;

rule! {
    /// Delegated administrator can remove or replace permissions boundaries.
    ///
    /// The policy delegates IAM by means of a boundary (it tests `iam:PermissionsBoundary`, or its holder
    /// has a boundary), and it also allows to delete boundaries of roles or users, or to put any other
    /// one in their place.
    ///
    /// ## Why
    /// The boundary is all that keeps a delegated administrator, and whoever steals the session, from
    /// administering the account. One call takes it off a role that he made, and the role is free.
    ///
    /// ## Bad
    /// ```terraform bad
    /// resource "aws_iam_policy" "delegate" {
    ///   name = "delegate"
    ///   policy = jsonencode({
    ///     Version = "2012-10-17"
    ///     Statement = [
    ///       {
    ///         Effect    = "Allow"
    ///         Action    = ["iam:CreateRole", "iam:AttachRolePolicy", "iam:PutRolePolicy"]
    ///         Resource  = "arn:aws:iam::111122223333:role/team/*"
    ///         Condition = { StringEquals = { "iam:PermissionsBoundary" = "arn:aws:iam::111122223333:policy/team-cap" } }
    ///       },
    ///       {
    ///         Effect   = "Allow"
    ///         Action   = ["iam:DeleteRole", "iam:DeleteRolePermissionsBoundary"] # <-- here
    ///         Resource = "arn:aws:iam::111122223333:role/team/*"
    ///       },
    ///     ]
    ///   })
    /// }
    /// ```
    /// ```cloudformation bad
    /// Resources:
    ///   Delegate:
    ///     Type: AWS::IAM::ManagedPolicy
    ///     Properties:
    ///       PolicyDocument:
    ///         Version: "2012-10-17"
    ///         Statement:
    ///           - Effect: Allow
    ///             Action: [iam:CreateRole, iam:PutRolePolicy]
    ///             Resource: !Sub arn:aws:iam::${AWS::AccountId}:role/team/*
    ///             Condition:
    ///               StringEquals:
    ///                 iam:PermissionsBoundary: !Sub arn:aws:iam::${AWS::AccountId}:policy/team-cap
    ///           - Effect: Allow
    ///             Action: iam:PutRolePermissionsBoundary # <-- here
    ///             Resource: !Sub arn:aws:iam::${AWS::AccountId}:role/team/*
    /// ```
    /// The same as a policy document of Terraform:
    /// ```terraform bad
    /// data "aws_iam_policy_document" "delegate" {
    ///   statement {
    ///     actions   = ["iam:CreateRole", "iam:AttachRolePolicy", "iam:PutRolePolicy"]
    ///     resources = ["arn:aws:iam::111122223333:role/team/*"]
    ///     condition {
    ///       test     = "StringEquals"
    ///       variable = "iam:PermissionsBoundary"
    ///       values   = ["arn:aws:iam::111122223333:policy/team-cap"]
    ///     }
    ///   }
    ///   statement {
    ///     actions   = ["iam:DeleteRole", "iam:DeleteRolePermissionsBoundary"] # <-- here
    ///     resources = ["arn:aws:iam::111122223333:role/team/*"]
    ///   }
    /// }
    /// resource "aws_iam_policy" "delegate" {
    ///   name = "delegate"
    ///   policy = data.aws_iam_policy_document.delegate.json
    /// }
    /// ```
    /// ## Good
    /// Deletion is denied, and only the agreed boundary can be put on:
    /// ```terraform good
    /// resource "aws_iam_policy" "delegate" {
    ///   name = "delegate"
    ///   policy = jsonencode({
    ///     Version = "2012-10-17"
    ///     Statement = [
    ///       {
    ///         Effect    = "Allow"
    ///         Action    = ["iam:CreateRole", "iam:AttachRolePolicy", "iam:PutRolePolicy", "iam:PutRolePermissionsBoundary"]
    ///         Resource  = "arn:aws:iam::111122223333:role/team/*"
    ///         Condition = { StringEquals = { "iam:PermissionsBoundary" = "arn:aws:iam::111122223333:policy/team-cap" } }
    ///       },
    ///       { Effect = "Allow", Action = "iam:Delete*", Resource = "arn:aws:iam::111122223333:role/team/*" },
    ///       { Effect = "Deny", Action = ["iam:DeleteRolePermissionsBoundary", "iam:DeleteUserPermissionsBoundary"], Resource = "*" },
    ///     ]
    ///   })
    /// }
    /// ```
    /// An administrator who delegates nothing is another rule's:
    /// ```cloudformation good also:admin-equivalent-union,service-wildcard-on-all,self-escalation-policy-write,trust-policy-rewrite,credential-creation-for-others
    /// Resources:
    ///   Admins:
    ///     Type: AWS::IAM::ManagedPolicy
    ///     Properties:
    ///       PolicyDocument:
    ///         Version: "2012-10-17"
    ///         Statement:
    ///           - Effect: Allow
    ///             Action: iam:*
    ///             Resource: "*"
    /// ```
    /// So does a Deny in the boundary of who delegates:
    /// ```terraform good
    /// resource "aws_iam_policy" "limit" {
    ///   name = "limit"
    ///   policy = jsonencode({
    ///     Version = "2012-10-17"
    ///     Statement = [
    ///       { Effect = "Allow", Action = ["iam:CreateRole", "iam:Delete*", "iam:PutRolePolicy"], Resource = "arn:aws:iam::111122223333:role/team/*" },
    ///       { Effect = "Deny", Action = "iam:Delete*PermissionsBoundary", Resource = "*" },
    ///     ]
    ///   })
    /// }
    /// resource "aws_iam_role" "lead" {
    ///   name                 = "lead"
    ///   permissions_boundary = aws_iam_policy.limit.arn
    ///   assume_role_policy = jsonencode({
    ///     Version   = "2012-10-17"
    ///     Statement = [{ Effect = "Allow", Action = "sts:AssumeRole", Principal = { Service = "codebuild.amazonaws.com" } }]
    ///   })
    /// }
    /// resource "aws_iam_role_policy" "lead" {
    ///   role = aws_iam_role.lead.name
    ///   policy = jsonencode({
    ///     Version = "2012-10-17"
    ///     Statement = [
    ///       {
    ///         Effect    = "Allow"
    ///         Action    = ["iam:CreateRole", "iam:PutRolePolicy"]
    ///         Resource  = "arn:aws:iam::111122223333:role/team/*"
    ///         Condition = { StringEquals = { "iam:PermissionsBoundary" = "arn:aws:iam::111122223333:policy/team-cap" } }
    ///       },
    ///       { Effect = "Allow", Action = "iam:Delete*", Resource = "arn:aws:iam::111122223333:role/team/*" },
    ///     ]
    ///   })
    /// }
    /// ```
    /// ## How to fix
    /// Deny `iam:DeleteRolePermissionsBoundary` and `iam:DeleteUserPermissionsBoundary`, and let
    /// `iam:Put*PermissionsBoundary` only with `iam:PermissionsBoundary` equal to the boundary.
    pub(crate) static BOUNDARY_DETACHABLE = Rule {
        id: "boundary-detachable",
        family: Family::Boundary,
        severity: Severity::High,
        confidence: Confidence::High,
        scope: Scope::Module,
        since: "0.1.0",
        cwe: &[269, 266],
        aliases: &[],
        mappings: &[("NIST", "AC-6(5)"), ("ATT&CK", "T1098.003")],
        references: &["https://docs.aws.amazon.com/IAM/latest/UserGuide/access_policies_boundaries.html#access_policies_boundaries-delegate"],
        check: check,
    };
}

/// What removes a boundary or puts another in its place.
const CHANGES: [&str; 4] = [
    "iam:DeleteRolePermissionsBoundary",
    "iam:DeleteUserPermissionsBoundary",
    "iam:PutRolePermissionsBoundary",
    "iam:PutUserPermissionsBoundary",
];

fn check(cx: &mut Context<'_>) {
    for grant in grants::grants(cx) {
        if grant.is_narrowed() || !boundaries::is_delegated(cx, &grant) {
            continue;
        }
        let granted = grant.granted();
        let open: Vec<Action<'static>> = CHANGES
            .iter()
            .filter_map(|name| catalog().find_action(name))
            .filter(|action| granted.contains(action.id()) && !is_pinned_by_deny(&grant, *action))
            .collect();
        let Some(first) = open.first() else { continue };
        let text = format!(
            "{} use {} and so take a permissions boundary off",
            grant.subject(),
            list_actions(&open)
        );
        let unknown = grant
            .holders
            .iter()
            .any(|holder| matches!(cx.access.boundary(holder.id), Boundary::Unresolved(_)));
        // Who puts boundaries on others needs to be told which; nobody needs to take them off.
        let deletes = |action: &Action<'_>| action.name().starts_with("Delete");
        let names: Vec<String> = open.iter().map(ToString::to_string).collect();
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        let fix = open
            .iter()
            .all(deletes)
            .then(|| fixes::deny(&grant.document.document, &names, "*"))
            .flatten();
        let report = cx
            .finding(&grant.document.place, &grant.action_src(*first), text)
            .answer(if unknown { Answer::May } else { Answer::Must })
            .help("deny the deletion of boundaries, and pin iam:PermissionsBoundary where one is put on")
            .fix(fix);
        let report = grant.describe(report);
        cx.report(report);
    }
}

/// Whether a Deny of the same document, under a condition on the boundary, covers the action.
fn is_pinned_by_deny(grant: &Grant<'_>, action: Action<'_>) -> bool {
    grant.document.document.denies().any(|deny| {
        boundaries::asks_for_boundary(deny) && deny.actions.select(&action.to_string()).possible()
    })
}
