//! `delegated-iam-without-boundary-condition`: principals can be made and given rights without a cap.

use crate::boundaries;
use crate::grants::{self, Grant, list_actions};
use crate::listed::is_listed;
use crate::{Context, Family, Scope};
use overgrant_catalog::{Action, catalog};
use overgrant_finding::{Confidence, Severity};
use overgrant_ir::{DocumentRole, PolicyDocument};
use overgrant_policy::{ActionSet, Answer, Statement};

rule! {
    /// Rights to make principals and give them rights lack a boundary condition.
    ///
    /// The policy lets its holder create roles or users and put policies on them, and does not demand
    /// `iam:PermissionsBoundary` for all of it.
    ///
    /// ## Why
    /// Whoever may create a role and attach any policy to it makes himself an administrator: the new role
    /// trusts him and holds everything. With the condition, what he makes can never do more than the
    /// boundary says; one action without it is enough to get around it.
    ///
    /// ## Bad
    /// ```terraform bad
    /// resource "aws_iam_policy" "pipeline" {
    ///   name = "pipeline"
    ///   policy = jsonencode({
    ///     Version = "2012-10-17"
    ///     Statement = [
    ///       {
    ///         Effect    = "Allow"
    ///         Action    = ["iam:CreateRole", "iam:PutRolePolicy"]
    ///         Resource  = "arn:aws:iam::111122223333:role/team-*"
    ///         Condition = { StringEquals = { "iam:PermissionsBoundary" = "arn:aws:iam::111122223333:policy/team-cap" } }
    ///       },
    ///       {
    ///         Effect   = "Allow"
    ///         Action   = "iam:AttachRolePolicy" # <-- here
    ///         Resource = "arn:aws:iam::111122223333:role/team-*"
    ///       },
    ///     ]
    ///   })
    /// }
    /// ```
    /// ```cloudformation bad
    /// Resources:
    ///   Pipeline:
    ///     Type: AWS::IAM::ManagedPolicy
    ///     Properties:
    ///       PolicyDocument:
    ///         Version: "2012-10-17"
    ///         Statement:
    ///           - Effect: Allow
    ///             Action:
    ///               - iam:CreateRole # <-- here
    ///               - iam:AttachRolePolicy
    ///             Resource: !Sub arn:aws:iam::${AWS::AccountId}:role/team-*
    /// ```
    /// The same as JSON:
    /// ```terraform bad
    /// resource "aws_iam_policy" "pipeline" {
    ///   name = "pipeline"
    ///   policy = <<-JSON
    ///     {
    ///       "Version": "2012-10-17",
    ///       "Statement": [
    ///         {
    ///           "Effect": "Allow",
    ///           "Action": ["iam:CreateRole", "iam:PutRolePolicy"],
    ///           "Resource": "arn:aws:iam::111122223333:role/team-*",
    ///           "Condition": {
    ///             "StringEquals": {"iam:PermissionsBoundary": "arn:aws:iam::111122223333:policy/team-cap"}
    ///           }
    ///         },
    ///         {
    ///           "Effect": "Allow",
    ///           "Action": "iam:AttachRolePolicy", # <-- here
    ///           "Resource": "arn:aws:iam::111122223333:role/team-*"
    ///         }
    ///       ]
    ///     }
    ///   JSON
    /// }
    /// ```
    /// ## Good
    /// ```terraform good
    /// resource "aws_iam_policy" "pipeline" {
    ///   name = "pipeline"
    ///   policy = jsonencode({
    ///     Version = "2012-10-17"
    ///     Statement = [{
    ///       Effect    = "Allow"
    ///       Action    = ["iam:CreateRole", "iam:AttachRolePolicy", "iam:PutRolePolicy", "iam:DetachRolePolicy"]
    ///       Resource  = "arn:aws:iam::111122223333:role/team-*"
    ///       Condition = { StringEquals = { "iam:PermissionsBoundary" = "arn:aws:iam::111122223333:policy/team-cap" } }
    ///     }]
    ///   })
    /// }
    /// ```
    /// A Deny for everything without the boundary does the same:
    /// ```terraform good
    /// resource "aws_iam_policy" "pipeline" {
    ///   name = "pipeline"
    ///   policy = jsonencode({
    ///     Version = "2012-10-17"
    ///     Statement = [
    ///       { Effect = "Allow", Action = ["iam:CreateRole", "iam:AttachRolePolicy"], Resource = "arn:aws:iam::111122223333:role/team-*" },
    ///       {
    ///         Effect    = "Deny"
    ///         Action    = ["iam:CreateRole", "iam:AttachRolePolicy"]
    ///         Resource  = "*"
    ///         Condition = { StringNotEquals = { "iam:PermissionsBoundary" = "arn:aws:iam::111122223333:policy/team-cap" } }
    ///       },
    ///     ]
    ///   })
    /// }
    /// ```
    /// Only certain policies can be attached, and only to one role:
    /// ```cloudformation good
    /// Resources:
    ///   Pipeline:
    ///     Type: AWS::IAM::ManagedPolicy
    ///     Properties:
    ///       PolicyDocument:
    ///         Version: "2012-10-17"
    ///         Statement:
    ///           - Effect: Allow
    ///             Action: iam:CreateRole
    ///             Resource: !Sub arn:aws:iam::${AWS::AccountId}:role/team-*
    ///           - Effect: Allow
    ///             Action: iam:AttachRolePolicy
    ///             Resource: !Sub arn:aws:iam::${AWS::AccountId}:role/team-*
    ///             Condition:
    ///               ArnEquals:
    ///                 iam:PolicyARN: arn:aws:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole
    /// ```
    /// Who administers the account delegates nothing:
    /// ```terraform good also:admin-star-star
    /// resource "aws_iam_role" "admin" {
    ///   name = "admin"
    ///   assume_role_policy = jsonencode({
    ///     Version   = "2012-10-17"
    ///     Statement = [{ Effect = "Allow", Action = "sts:AssumeRole", Principal = { Service = "codebuild.amazonaws.com" } }]
    ///   })
    /// }
    /// resource "aws_iam_role_policy" "admin" {
    ///   role = aws_iam_role.admin.name
    ///   policy = jsonencode({
    ///     Version   = "2012-10-17"
    ///     Statement = [{ Effect = "Allow", Action = "*", Resource = "*" }]
    ///   })
    /// }
    /// ```
    /// Actions that do not know the key cannot ask for it:
    /// ```terraform good
    /// resource "aws_iam_policy" "tags" {
    ///   name = "tags"
    ///   policy = jsonencode({
    ///     Version   = "2012-10-17"
    ///     Statement = [{ Effect = "Allow", Action = ["iam:TagRole", "iam:UpdateRoleDescription"], Resource = "arn:aws:iam::111122223333:role/team/*" }]
    ///   })
    /// }
    /// ```
    /// ## How to fix
    /// Add `StringEquals` on `iam:PermissionsBoundary` with the ARN of the boundary to every statement that
    /// creates principals or changes their policies.
    pub(crate) static DELEGATED_IAM_WITHOUT_BOUNDARY_CONDITION = Rule {
        id: "delegated-iam-without-boundary-condition",
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

/// Creation, and what gives the created one rights, for roles and for users.
const PAIRS: [(&str, [&str; 2]); 2] = [
    ("iam:CreateRole", ["iam:AttachRolePolicy", "iam:PutRolePolicy"]),
    ("iam:CreateUser", ["iam:AttachUserPolicy", "iam:PutUserPolicy"]),
];

fn check(cx: &mut Context<'_>) {
    let all = grants::grants(cx);
    let mut rest = all.as_slice();
    while let Some(first) = rest.first() {
        let count = rest
            .iter()
            .take_while(|grant| std::ptr::eq(grant.document, first.document))
            .count();
        let (of_document, others) = rest.split_at(count);
        rest = others;
        for (create, writes) in PAIRS {
            judge(cx, first.document, of_document, create, writes);
        }
    }
}

fn judge(
    cx: &mut Context<'_>,
    document: &PolicyDocument,
    grants: &[Grant<'_>],
    create: &str,
    writes: [&str; 2],
) {
    let trusted = grants.first().is_some_and(|grant| {
        !grant.holders.is_empty()
            && grant.holders.iter().all(|holder| {
                cx.access.is_admin(holder.id) == Answer::Must
                    || is_listed(&cx.settings.deployer_roles, holder.identity)
                    || is_listed(&cx.settings.break_glass, holder.identity)
            })
    });
    let closed = |name: &str| {
        document
            .document
            .denies()
            .any(|deny| boundaries::asks_for_boundary(deny) && deny.actions.select(name).possible())
    };
    if trusted || closed(create) {
        return;
    }
    // Whether the action is granted for several principals: free, or under a boundary condition.
    let granted = |name: &str, bound: bool| -> Option<(&Grant<'_>, Action<'static>)> {
        let action = catalog().find_action(name)?;
        let fits = |statement: &Statement| {
            let asks = boundaries::asks_for_boundary(statement);
            if bound {
                asks
            } else {
                !asks && !statement.conditions.narrows().possible() && !is_administration(statement)
            }
        };
        let grant = grants.iter().find(|grant| {
            let listed = grant.statement.actions.must();
            listed.contains(action.id())
                && (bound || grant.leaves(action))
                && fits(grant.statement)
                && names_several(grant.statement)
        })?;
        (bound || !closed(name)).then_some((grant, action))
    };
    let of_writes = |bound: bool| writes.iter().find_map(|name| granted(name, bound));
    let (free_create, free_write) = (granted(create, false), of_writes(false));
    let (bound_create, bound_write) = (granted(create, true), of_writes(true));
    let open: Vec<(&Grant<'_>, Action<'static>)> = match (free_create, free_write) {
        (Some(create), Some(write)) => vec![create, write],
        // The condition stands on one half: what lacks it is listed.
        (None, Some(_)) if bound_create.is_some() => writes
            .iter()
            .filter_map(|name| granted(name, false))
            .collect(),
        (Some(create), None) if bound_write.is_some() => vec![create],
        _ => return,
    };
    let Some((grant, first)) = open.first() else { return };
    let actions: Vec<Action<'static>> = open.iter().map(|(_, action)| *action).collect();
    let mut deed = format!("use {} without `iam:PermissionsBoundary`", list_actions(&actions));
    deed.push_str(if bound_create.is_some() || bound_write.is_some() {
        ", which other statements ask for"
    } else {
        ": what it makes can hold any right"
    });
    let mut report = grant
        .finding(cx, &grant.action_src(*first), deed)
        .help("ask for iam:PermissionsBoundary in every statement that creates principals or changes their policies");
    if grant.holders.is_empty() && document.role == DocumentRole::Managed {
        report = report
            .severity(Severity::Medium)
            .note("nothing in this code base is attached to it");
    }
    for (grant, action) in open.iter().skip(1) {
        let src = grant.action_src(*action);
        report = report.covers(&src).related(&src, "not bound either", None);
    }
    cx.report(report);
}

/// Whether the statement grants all of IAM, or everything but some of it: that is administration, and
/// no delegation.
fn is_administration(statement: &Statement) -> bool {
    statement.actions.listed().negated
        || statement
            .actions
            .must()
            .is_superset(&ActionSet::matching("iam:*"))
}

/// Whether the statement reaches more than principals that it names one by one.
fn names_several(statement: &Statement) -> bool {
    let listed = statement.resources.listed();
    listed.negated || listed.items.iter().any(|item| item.pattern().has_wildcard())
}
