//! `boundary-iam-denylist-incomplete`: a boundary that denies some ways to more rights and forgets others.

use crate::boundaries::{self, left_open};
use crate::grants::list_actions;
use crate::{Context, Family, Scope, fixes};
use overgrant_finding::{Confidence, Severity};

rule! {
    /// Permissions boundary denies some changes of identities and forgets others.
    ///
    /// The boundary allows widely (`*`, `iam:*`, `NotAction`) and takes single IAM actions away again.
    /// Other actions lead to the same end and stay open.
    ///
    /// ## Why
    /// Whoever holds a role under the boundary takes the way that was forgotten: a policy on a user in
    /// place of one on a role, a new version of a policy, another role's trust, a key for an administrator,
    /// or the removal of the boundary itself.
    ///
    /// ## Bad
    /// ```terraform bad
    /// resource "aws_iam_policy" "cap" {
    ///   name = "cap"
    ///   policy = jsonencode({
    ///     Version = "2012-10-17"
    ///     Statement = [
    ///       { Effect = "Allow", Action = "*", Resource = "*" },
    ///       {
    ///         Effect   = "Deny"
    ///         Action   = ["iam:CreateUser", "iam:AttachRolePolicy", "iam:PutRolePolicy"] # <-- here
    ///         Resource = "*"
    ///       },
    ///     ]
    ///   })
    /// }
    /// resource "aws_iam_role" "team" {
    ///   name                 = "team"
    ///   permissions_boundary = aws_iam_policy.cap.arn
    ///   assume_role_policy = jsonencode({
    ///     Version   = "2012-10-17"
    ///     Statement = [{ Effect = "Allow", Action = "sts:AssumeRole", Principal = { Service = "ec2.amazonaws.com" } }]
    ///   })
    /// }
    /// ```
    /// ```cloudformation bad
    /// Resources:
    ///   TeamBoundary:
    ///     Type: AWS::IAM::ManagedPolicy
    ///     Properties:
    ///       ManagedPolicyName: team-boundary
    ///       PolicyDocument:
    ///         Version: "2012-10-17"
    ///         Statement:
    ///           - Effect: Allow
    ///             NotAction: ["organizations:*", "account:*"]
    ///             Resource: "*"
    ///           - Effect: Deny
    ///             Action: iam:AttachUserPolicy # <-- here
    ///             Resource: "*"
    /// ```
    /// The same as JSON:
    /// ```terraform bad
    /// resource "aws_iam_policy" "cap" {
    ///   name = "cap"
    ///   policy = <<-JSON
    ///     {
    ///       "Version": "2012-10-17",
    ///       "Statement": [
    ///         {
    ///           "Effect": "Allow",
    ///           "Action": "*",
    ///           "Resource": "*"
    ///         },
    ///         {
    ///           "Effect": "Deny",
    ///           "Action": ["iam:CreateUser", "iam:AttachRolePolicy", "iam:PutRolePolicy"], # <-- here
    ///           "Resource": "*"
    ///         }
    ///       ]
    ///     }
    ///   JSON
    /// }
    /// resource "aws_iam_role" "team" {
    ///   name                 = "team"
    ///   permissions_boundary = aws_iam_policy.cap.arn
    ///   assume_role_policy = jsonencode({
    ///     Version   = "2012-10-17"
    ///     Statement = [{ Effect = "Allow", Action = "sts:AssumeRole", Principal = { Service = "ec2.amazonaws.com" } }]
    ///   })
    /// }
    /// ```
    /// ## Good
    /// An allow list without IAM needs no Deny:
    /// ```terraform good
    /// resource "aws_iam_policy" "cap" {
    ///   name = "team-boundary"
    ///   policy = jsonencode({
    ///     Version = "2012-10-17"
    ///     Statement = [
    ///       { Effect = "Allow", Action = ["s3:*", "dynamodb:*"], Resource = "*" },
    ///       { Effect = "Deny", Action = ["iam:CreateUser", "iam:CreateRole"], Resource = "*" },
    ///     ]
    ///   })
    /// }
    /// ```
    /// ```cloudformation good
    /// Resources:
    ///   TeamBoundary:
    ///     Type: AWS::IAM::ManagedPolicy
    ///     Properties:
    ///       ManagedPolicyName: team-boundary
    ///       PolicyDocument:
    ///         Version: "2012-10-17"
    ///         Statement:
    ///           - Effect: Allow
    ///             Action: "*"
    ///             Resource: "*"
    ///           - Effect: Deny
    ///             NotAction: ["s3:*", "sqs:*", "iam:Get*", "iam:List*"]
    ///             Resource: "*"
    /// ```
    /// ## How to fix
    /// Deny the actions that the finding lists too, or turn the boundary into a list of what is allowed.
    pub(crate) static BOUNDARY_IAM_DENYLIST_INCOMPLETE = Rule {
        id: "boundary-iam-denylist-incomplete",
        family: Family::Boundary,
        severity: Severity::Medium,
        confidence: Confidence::High,
        scope: Scope::Module,
        since: "0.1.0",
        cwe: &[269, 266],
        aliases: &[],
        mappings: &[("NIST", "AC-6(5)"), ("ATT&CK", "T1098.003")],
        references: &["https://docs.aws.amazon.com/IAM/latest/UserGuide/access_policies_boundaries.html"],
        check: check,
    };
}

fn check(cx: &mut Context<'_>) {
    for limit in boundaries::limits(cx) {
        let document = &limit.policy.document;
        let deny = document.denies().find(|one| boundaries::denies_iam(one));
        let Some(deny) = deny else { continue };
        let open = left_open(document);
        if open.is_empty() {
            continue;
        }
        let listed = deny.actions.listed();
        let src = match (listed.negated, listed.items.as_slice()) {
            (true, _) => &listed.key_src,
            (false, [one]) => one.pattern().src(),
            (false, _) => &listed.src,
        };
        let text = format!(
            "{} denies some changes of identities and leaves {} open",
            limit.subject(),
            list_actions(&open)
        );
        let all: Vec<String> = open.iter().map(ToString::to_string).collect();
        let mut report = cx
            .finding(&limit.policy.place, src, text)
            .statement(deny)
            .note(format!("open on every resource: {}", all.join(", ")))
            .fix(fixes::deny_too(deny, &open))
            .help("deny these too, or list what the boundary allows");
        for identity in &limit.limited {
            report = report.principal(&identity.place);
        }
        cx.report(report);
    }
}
