//! `github-owner-not-anchored`: a GitHub subject that leaves the owner open.

use crate::federation::{Width, trusted};
use crate::skeleton::{Which, wildcard_src};
use crate::{Context, Family, Scope};
use overgrant_finding::{Confidence, Severity};

rule! {
    /// A GitHub subject leaves the owner open, so that strangers match it.
    ///
    /// The pattern in `sub` has a wildcard in the owner's part, as in `repo:acme*` or `repo:*/app:*`.
    /// A wildcard also crosses `/` and `:`.
    ///
    /// ## Why
    /// `repo:acme*` matches `repo:acme-evil/x:…`. An attacker registers an owner that fits, which is free,
    /// and assumes the role from a repository of their own.
    ///
    /// ## Bad
    /// ```terraform bad
    /// resource "aws_iam_role" "ci" {
    ///   name = "ci"
    ///   assume_role_policy = jsonencode({
    ///     Version = "2012-10-17"
    ///     Statement = [{
    ///       Effect    = "Allow"
    ///       Action    = "sts:AssumeRoleWithWebIdentity"
    ///       Principal = { Federated = "arn:aws:iam::111122223333:oidc-provider/token.actions.githubusercontent.com" }
    ///       Condition = {
    ///         StringEquals = { "token.actions.githubusercontent.com:aud" = "sts.amazonaws.com" }
    ///         StringLike   = { "token.actions.githubusercontent.com:sub" = "repo:acme*" } # <-- here
    ///       }
    ///     }]
    ///   })
    /// }
    /// ```
    /// ```cloudformation bad
    /// Resources:
    ///   Ci:
    ///     Type: AWS::IAM::Role
    ///     Properties:
    ///       AssumeRolePolicyDocument:
    ///         Version: "2012-10-17"
    ///         Statement:
    ///           - Effect: Allow
    ///             Action: sts:AssumeRoleWithWebIdentity
    ///             Principal:
    ///               Federated: arn:aws:iam::111122223333:oidc-provider/token.actions.githubusercontent.com
    ///             Condition:
    ///               StringEquals:
    ///                 token.actions.githubusercontent.com:aud: sts.amazonaws.com
    ///               StringLike:
    ///                 token.actions.githubusercontent.com:sub:
    ///                   - repo:acme/shop:environment:prod
    ///                   - repo:*/shop:environment:prod # <-- here
    /// ```
    /// The same as a policy document of Terraform:
    /// ```terraform bad
    /// data "aws_iam_policy_document" "ci" {
    ///   statement {
    ///     actions = ["sts:AssumeRoleWithWebIdentity"]
    ///     principals {
    ///       type        = "Federated"
    ///       identifiers = ["arn:aws:iam::111122223333:oidc-provider/token.actions.githubusercontent.com"]
    ///     }
    ///     condition {
    ///       test     = "StringEquals"
    ///       variable = "token.actions.githubusercontent.com:aud"
    ///       values   = ["sts.amazonaws.com"]
    ///     }
    ///     condition {
    ///       test     = "StringLike"
    ///       variable = "token.actions.githubusercontent.com:sub"
    ///       values   = ["repo:acme*"] # <-- here
    ///     }
    ///   }
    /// }
    /// resource "aws_iam_role" "ci" {
    ///   name = "ci"
    ///   assume_role_policy = data.aws_iam_policy_document.ci.json
    /// }
    /// ```
    /// ## Good
    /// ```terraform good
    /// resource "aws_iam_role" "ci" {
    ///   name = "ci"
    ///   assume_role_policy = jsonencode({
    ///     Version = "2012-10-17"
    ///     Statement = [{
    ///       Effect    = "Allow"
    ///       Action    = "sts:AssumeRoleWithWebIdentity"
    ///       Principal = { Federated = "arn:aws:iam::111122223333:oidc-provider/token.actions.githubusercontent.com" }
    ///       Condition = {
    ///         StringEquals = { "token.actions.githubusercontent.com:aud" = "sts.amazonaws.com" }
    ///         StringLike   = { "token.actions.githubusercontent.com:sub" = "repo:acme@*/shop@*:environment:prod" }
    ///       }
    ///     }]
    ///   })
    /// }
    /// ```
    /// ```cloudformation good
    /// Resources:
    ///   Ci:
    ///     Type: AWS::IAM::Role
    ///     Properties:
    ///       AssumeRolePolicyDocument:
    ///         Version: "2012-10-17"
    ///         Statement:
    ///           - Effect: Allow
    ///             Action: sts:AssumeRoleWithWebIdentity
    ///             Principal:
    ///               Federated: arn:aws:iam::111122223333:oidc-provider/token.actions.githubusercontent.com
    ///             Condition:
    ///               StringEquals:
    ///                 token.actions.githubusercontent.com:aud: sts.amazonaws.com
    ///                 token.actions.githubusercontent.com:sub: repo:acme/shop:ref:refs/heads/main
    ///               StringLike:
    ///                 token.actions.githubusercontent.com:job_workflow_ref: "*/.github/workflows/deploy.yml@*"
    /// ```
    /// ## How to fix
    /// Write the owner in full, followed by a slash: `repo:acme/shop:environment:prod`.
    pub(crate) static GITHUB_OWNER_NOT_ANCHORED = Rule {
        id: "github-owner-not-anchored",
        family: Family::Federation,
        severity: Severity::Critical,
        confidence: Confidence::High,
        scope: Scope::Module,
        since: "0.1.0",
        cwe: &[1220],
        aliases: &["CKV_AWS_358"],
        mappings: &[
            ("NIST", "IA-2"),
            ("NIST", "IA-8"),
            ("NIST", "IA-9"),
            ("NIST", "AC-3"),
            ("ATT&CK", "T1078.004"),
            ("ATT&CK", "T1199"),
            ("ATT&CK", "T1550.001"),
        ],
        references: &["https://docs.github.com/en/actions/reference/security/oidc"],
        check: check,
    };
}

fn check(cx: &mut Context<'_>) {
    let model = cx.model;
    for trusted in trusted(model) {
        let Some(subject) = trusted
            .github_subject()
            .filter(|subject| subject.width == Width::Owner)
        else {
            continue;
        };
        if !trusted.is_github() || trusted.pins_github_tenant() {
            continue;
        }
        let (value, role) = (subject.value, trusted.role(model));
        let report = cx
            .finding(
                &trusted.document.place,
                &wildcard_src(value.text(), value.pattern().src(), Which::First),
                format!("repositories of strangers can assume {role}: `{value}` does not pin the owner"),
            )
            .statement(trusted.statement)
            .when(trusted.principal.guard())
            .when(value.pattern().guard())
            .marks(value.pattern().marks())
            .severity(trusted.severity(Severity::Critical))
            .label("others can register an owner that matches")
            .help("write the owner in full, followed by a slash: repo:OWNER/REPO:environment:ENV");
        cx.report(report);
    }
}
