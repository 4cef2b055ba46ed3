//! `github-sub-open`: any repository on GitHub can assume a role.

use crate::federation::{Width, trusted};
use crate::skeleton::{Which, wildcard_src};
use crate::{Context, Family, Scope};
use overgrant_finding::{Confidence, Severity};

rule! {
    /// Any repository on GitHub can assume a role.
    ///
    /// The trust policy accepts tokens of GitHub Actions, and no condition limits the subject: `sub` is
    /// not tested, or its pattern (`*`, `repo:*`) takes in every repository.
    ///
    /// ## Why
    /// GitHub gives a token to every workflow of every user. An attacker writes a workflow in a repository
    /// of their own, asks for a token with the expected audience and assumes the role.
    ///
    /// ## Bad
    /// ```terraform bad
    /// resource "aws_iam_openid_connect_provider" "github" {
    ///   url            = "https://token.actions.githubusercontent.com"
    ///   client_id_list = ["sts.amazonaws.com"]
    /// }
    ///
    /// resource "aws_iam_role" "ci" {
    ///   name = "ci"
    ///   assume_role_policy = jsonencode({
    ///     Version = "2012-10-17"
    ///     Statement = [{
    ///       Effect    = "Allow"
    ///       Action    = "sts:AssumeRoleWithWebIdentity"
    ///       Principal = { Federated = aws_iam_openid_connect_provider.github.arn } # <-- here
    ///       Condition = {
    ///         StringEquals = { "token.actions.githubusercontent.com:aud" = "sts.amazonaws.com" }
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
    ///               Federated: !Sub "arn:aws:iam::${AWS::AccountId}:oidc-provider/token.actions.githubusercontent.com"
    ///             Condition:
    ///               StringEquals:
    ///                 token.actions.githubusercontent.com:aud: sts.amazonaws.com
    ///               StringLike:
    ///                 token.actions.githubusercontent.com:sub: "repo:*" # <-- here
    /// ```
    /// The same as a policy document of Terraform:
    /// ```terraform bad
    /// resource "aws_iam_openid_connect_provider" "github" {
    ///   url            = "https://token.actions.githubusercontent.com"
    ///   client_id_list = ["sts.amazonaws.com"]
    /// }
    ///
    /// data "aws_iam_policy_document" "ci" {
    ///   statement {
    ///     actions = ["sts:AssumeRoleWithWebIdentity"]
    ///     principals {
    ///       type        = "Federated"
    ///       identifiers = [aws_iam_openid_connect_provider.github.arn] # <-- here
    ///     }
    ///     condition {
    ///       test     = "StringEquals"
    ///       variable = "token.actions.githubusercontent.com:aud"
    ///       values   = ["sts.amazonaws.com"]
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
    /// resource "aws_iam_openid_connect_provider" "github" {
    ///   url            = "https://token.actions.githubusercontent.com"
    ///   client_id_list = ["sts.amazonaws.com"]
    /// }
    ///
    /// resource "aws_iam_role" "ci" {
    ///   name = "ci"
    ///   assume_role_policy = jsonencode({
    ///     Version = "2012-10-17"
    ///     Statement = [{
    ///       Effect    = "Allow"
    ///       Action    = "sts:AssumeRoleWithWebIdentity"
    ///       Principal = { Federated = aws_iam_openid_connect_provider.github.arn }
    ///       Condition = {
    ///         StringEquals = {
    ///           "token.actions.githubusercontent.com:aud" = "sts.amazonaws.com"
    ///           "token.actions.githubusercontent.com:sub" = "repo:acme/shop:environment:prod"
    ///         }
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
    ///               Federated: !Sub "arn:aws:iam::${AWS::AccountId}:oidc-provider/token.actions.githubusercontent.com"
    ///             Condition:
    ///               StringEquals:
    ///                 token.actions.githubusercontent.com:aud: sts.amazonaws.com
    ///                 token.actions.githubusercontent.com:sub: repo:acme/shop:ref:refs/heads/main
    /// ```
    /// ```cloudformation good
    /// Parameters:
    ///   Subjects:
    ///     Type: String
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
    ///                 token.actions.githubusercontent.com:sub: !Split [",", !Ref Subjects]
    /// ```
    /// The id of the repository binds the owner, whatever the subject:
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
    ///         StringEquals = {
    ///           "token.actions.githubusercontent.com:aud"           = "sts.amazonaws.com"
    ///           "token.actions.githubusercontent.com:repository_id" = "98765432"
    ///           "token.actions.githubusercontent.com:ref"           = "refs/heads/main"
    ///         }
    ///       }
    ///     }]
    ///   })
    /// }
    /// ```
    /// A test against a list that is empty by default lets nobody in:
    /// ```terraform good
    /// variable "repositories" {
    ///   type    = list(string)
    ///   default = []
    /// }
    /// data "aws_iam_policy_document" "ci" {
    ///   statement {
    ///     actions = ["sts:AssumeRoleWithWebIdentity"]
    ///     principals {
    ///       type        = "Federated"
    ///       identifiers = ["arn:aws:iam::111122223333:oidc-provider/token.actions.githubusercontent.com"]
    ///     }
    ///     condition {
    ///       test     = "StringLike"
    ///       variable = "token.actions.githubusercontent.com:sub"
    ///       values   = formatlist("repo:acme/%s:environment:prod", var.repositories)
    ///     }
    ///     condition {
    ///       test     = "StringEquals"
    ///       variable = "token.actions.githubusercontent.com:aud"
    ///       values   = ["sts.amazonaws.com"]
    ///     }
    ///   }
    /// }
    /// resource "aws_iam_role" "ci" {
    ///   name               = "ci"
    ///   assume_role_policy = data.aws_iam_policy_document.ci.json
    /// }
    /// ```
    /// ## How to fix
    /// Test `token.actions.githubusercontent.com:sub` with the repository and an environment or branch:
    /// `repo:OWNER/REPO:environment:ENV`.
    pub(crate) static GITHUB_SUB_OPEN = Rule {
        id: "github-sub-open",
        family: Family::Federation,
        severity: Severity::Critical,
        confidence: Confidence::High,
        scope: Scope::Module,
        since: "0.1.0",
        cwe: &[287, 863, 1220],
        aliases: &["CKV_AWS_358"],
        mappings: &[
            ("ATT&CK", "T1199"),
            ("NIST", "IA-2"),
            ("NIST", "IA-8"),
            ("NIST", "IA-9"),
            ("NIST", "AC-3"),
        ],
        references: &["https://docs.github.com/en/actions/reference/security/oidc"],
        check: check,
    };
}

fn check(cx: &mut Context<'_>) {
    let model = cx.model;
    for trusted in trusted(model) {
        if !trusted.is_github() || trusted.pins_github_tenant() {
            continue;
        }
        let role = trusted.role(model);
        let subject = trusted.github_subject();
        let report = match subject {
            Some(subject) if subject.width == Width::Everybody => cx
                .finding(
                    &trusted.document.place,
                    &wildcard_src(
                        subject.value.text(),
                        subject.value.pattern().src(),
                        Which::First,
                    ),
                    format!(
                        "any repository on GitHub can assume {role}: its subject is `{}`",
                        subject.value
                    ),
                )
                .when(subject.value.pattern().guard())
                .marks(subject.value.pattern().marks()),
            Some(_) => continue,
            None if has_other_claims(&trusted) => continue,
            None => cx.finding(
                &trusted.document.place,
                &trusted.src(),
                format!("any repository on GitHub can assume {role}: no condition limits the subject"),
            ),
        };
        let report = report
            .statement(trusted.statement)
            .when(trusted.principal.guard())
            .severity(trusted.severity(Severity::Critical))
            .help("test token.actions.githubusercontent.com:sub for repo:OWNER/REPO:environment:ENV");
        cx.report(report);
    }
}

/// Claims other than the audience are tested: `github-non-tenant-claims-only` judges them.
fn has_other_claims(trusted: &crate::federation::Trusted<'_>) -> bool {
    super::github_non_tenant_claims_only::CLAIMS
        .iter()
        .any(|claim| !trusted.limits(claim).is_empty())
}
