//! `boundary-policy-mutable`: who is under a boundary may change the boundary's policy.

use crate::boundaries::{self, Limit};
use crate::escalate::{self, Allowed};
use crate::{Context, Family, Scope, fixes, names};
use overgrant_finding::{Confidence, Severity};
use overgrant_ir::{Identity, IdentityId};
use overgrant_value::{Piece, Text};

rule! {
    /// Principal can change the policy that is its own permissions boundary.
    ///
    /// The principal may make a new version of the policy, choose an older one, or delete it.
    ///
    /// ## Why
    /// A boundary that its prisoner can rewrite is none: one new version that allows everything, and the
    /// policies that the boundary held back are in force, for every role that shares it.
    ///
    /// ## Bad
    /// ```terraform bad
    /// resource "aws_iam_policy" "cap" {
    ///   name = "cap"
    ///   policy = jsonencode({
    ///     Version   = "2012-10-17"
    ///     Statement = [{ Effect = "Allow", Action = ["s3:*", "iam:*PolicyVersion*"], Resource = "*" }]
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
    /// resource "aws_iam_role_policy" "team" {
    ///   role = aws_iam_role.team.name
    ///   policy = jsonencode({
    ///     Version = "2012-10-17"
    ///     Statement = [{
    ///       Effect   = "Allow"
    ///       Action   = "iam:CreatePolicyVersion" # <-- here
    ///       Resource = aws_iam_policy.cap.arn
    ///     }]
    ///   })
    /// }
    /// ```
    /// ```cloudformation bad
    /// Resources:
    ///   Cap:
    ///     Type: AWS::IAM::ManagedPolicy
    ///     Properties:
    ///       ManagedPolicyName: cap
    ///       PolicyDocument:
    ///         Version: "2012-10-17"
    ///         Statement:
    ///           - Effect: Allow
    ///             Action: ["s3:*", "iam:SetDefaultPolicyVersion"]
    ///             Resource: "*"
    ///   Team:
    ///     Type: AWS::IAM::Role
    ///     Properties:
    ///       PermissionsBoundary: !Ref Cap
    ///       AssumeRolePolicyDocument:
    ///         Version: "2012-10-17"
    ///         Statement:
    ///           - Effect: Allow
    ///             Action: sts:AssumeRole
    ///             Principal:
    ///               Service: ec2.amazonaws.com
    ///       Policies:
    ///         - PolicyName: versions
    ///           PolicyDocument:
    ///             Version: "2012-10-17"
    ///             Statement:
    ///               - Effect: Allow
    ///                 Action: iam:SetDefaultPolicyVersion # <-- here
    ///                 Resource: !Sub arn:aws:iam::${AWS::AccountId}:policy/*
    /// ```
    /// The same as a policy document of Terraform:
    /// ```terraform bad
    /// resource "aws_iam_policy" "cap" {
    ///   name = "cap"
    ///   policy = jsonencode({
    ///     Version   = "2012-10-17"
    ///     Statement = [{ Effect = "Allow", Action = ["s3:*", "iam:*PolicyVersion*"], Resource = "*" }]
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
    /// data "aws_iam_policy_document" "team" {
    ///   statement {
    ///     actions   = ["iam:CreatePolicyVersion"] # <-- here
    ///     resources = [aws_iam_policy.cap.arn]
    ///   }
    /// }
    /// resource "aws_iam_role_policy" "team" {
    ///   role = aws_iam_role.team.name
    ///   policy = data.aws_iam_policy_document.team.json
    /// }
    /// ```
    /// ## Good
    /// Policies of the team are under a path of their own, where the boundary is not:
    /// ```terraform good
    /// resource "aws_iam_policy" "cap" {
    ///   name = "cap"
    ///   path = "/boundaries/"
    ///   policy = jsonencode({
    ///     Version = "2012-10-17"
    ///     Statement = [
    ///       { Effect = "Allow", Action = "s3:*", Resource = "*" },
    ///       { Effect = "Allow", Action = "iam:*PolicyVersion*", Resource = "arn:aws:iam::*:policy/team/*" },
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
    /// resource "aws_iam_role_policy" "team" {
    ///   role = aws_iam_role.team.name
    ///   policy = jsonencode({
    ///     Version = "2012-10-17"
    ///     Statement = [{
    ///       Effect   = "Allow"
    ///       Action   = "iam:CreatePolicyVersion"
    ///       Resource = "arn:aws:iam::*:policy/team/*"
    ///     }]
    ///   })
    /// }
    /// ```
    /// Or the boundary itself denies it:
    /// ```cloudformation good
    /// Resources:
    ///   Cap:
    ///     Type: AWS::IAM::ManagedPolicy
    ///     Properties:
    ///       ManagedPolicyName: cap
    ///       PolicyDocument:
    ///         Version: "2012-10-17"
    ///         Statement:
    ///           - Effect: Allow
    ///             Action: ["s3:*", "iam:*PolicyVersion*"]
    ///             Resource: "*"
    ///           - Effect: Deny
    ///             Action: iam:*Polic*
    ///             Resource: !Sub arn:aws:iam::${AWS::AccountId}:policy/cap
    ///   Team:
    ///     Type: AWS::IAM::Role
    ///     Properties:
    ///       PermissionsBoundary: !Ref Cap
    ///       AssumeRolePolicyDocument:
    ///         Version: "2012-10-17"
    ///         Statement:
    ///           - Effect: Allow
    ///             Action: sts:AssumeRole
    ///             Principal:
    ///               Service: ec2.amazonaws.com
    /// ```
    /// ## How to fix
    /// Deny changes of the boundary's policy in the boundary, and keep boundaries under a path that the
    /// grant does not reach.
    pub(crate) static BOUNDARY_POLICY_MUTABLE = Rule {
        id: "boundary-policy-mutable",
        family: Family::Boundary,
        severity: Severity::High,
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

/// What changes which document a policy has.
const CHANGES: [&str; 4] = [
    "iam:CreatePolicyVersion",
    "iam:SetDefaultPolicyVersion",
    "iam:DeletePolicyVersion",
    "iam:DeletePolicy",
];

fn check(cx: &mut Context<'_>) {
    let limits = boundaries::limits(cx);
    let callers: Vec<(IdentityId, &Identity)> = escalate::callers(cx).collect();
    for limit in &limits {
        for (id, identity) in &callers {
            let prisoner = limit
                .limited
                .iter()
                .any(|limited| std::ptr::eq(*limited, *identity));
            if prisoner {
                judge(cx, limit, *id, identity);
            }
        }
    }
}

/// The ARN of a policy whose name is known, with `*` for what is not.
fn in_any_account(arn: &Text) -> Option<String> {
    let part = |piece: &Piece| match piece {
        Piece::Lit(lit) => lit.as_str().to_owned(),
        Piece::Hole(_) | Piece::Json(_) => "*".to_owned(),
    };
    let text: String = arn.pieces().iter().map(part).collect();
    let (_, name) = text.split_once(":policy/")?;
    (!name.contains('*')).then_some(text)
}

fn judge(cx: &mut Context<'_>, limit: &Limit<'_>, id: IdentityId, identity: &Identity) {
    let Some(arn) = &limit.policy.arn else { return };
    let found: Option<(&str, Allowed<'_>)> = CHANGES
        .iter()
        .find_map(|action| Some((*action, escalate::allowed(cx, id, action, Some(arn), None)?)));
    let Some((action, allowed)) = found else { return };
    let text = format!(
        "{} may use `{action}` on {}, its own permissions boundary",
        names::identity(identity),
        names::document(limit.policy)
    );
    let report = cx
        .finding(allowed.place.unwrap_or(&identity.place), &allowed.action_src(action), text)
        .statement(allowed.statement)
        .principal(&identity.place)
        .related(
            &limit.policy.place.name_src,
            "the boundary",
            Some(&limit.policy.place),
        )
        .help("deny changes of the boundary's policy in the boundary itself")
        .fix(in_any_account(arn).and_then(|arn| fixes::deny(&limit.policy.document, &CHANGES, &arn)));
    cx.report(report);
}
