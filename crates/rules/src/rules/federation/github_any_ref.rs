//! `github-any-ref`: a GitHub subject that pins no branch, tag or environment.

use crate::federation::{Rights, Width, trusted};
use crate::skeleton::{Which, wildcard_src};
use crate::{Context, Family, Scope};
use overgrant_finding::{Confidence, Severity};

rule! {
    /// Any branch, tag or pull request of a repository can assume a role.
    ///
    /// The subject is `repo:OWNER/REPO:*`: it names the repository and leaves open what runs in it.
    ///
    /// ## Why
    /// Who can push any branch, or open a pull request from inside the repository, runs a workflow with
    /// the role, before review and outside protected environments.
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
    ///         StringLike   = { "token.actions.githubusercontent.com:sub" = "repo:acme/shop:*" } # <-- here
    ///       }
    ///     }]
    ///   })
    /// }
    ///
    /// resource "aws_iam_role_policy" "ci" {
    ///   name = "deploy"
    ///   role = aws_iam_role.ci.id
    ///   policy = jsonencode({
    ///     Version = "2012-10-17"
    ///     Statement = [{
    ///       Effect   = "Allow"
    ///       Action   = "s3:PutObject"
    ///       Resource = "arn:aws:s3:::acme-site/*"
    ///     }]
    ///   })
    /// }
    /// ```
    /// ```cloudformation bad
    /// Parameters:
    ///   Org:
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
    ///                 token.actions.githubusercontent.com:sub: !Sub "repo:${Org}/shop:*" # <-- here
    ///       Policies:
    ///         - PolicyName: deploy
    ///           PolicyDocument:
    ///             Version: "2012-10-17"
    ///             Statement:
    ///               - Effect: Allow
    ///                 Action: s3:PutObject
    ///                 Resource: arn:aws:s3:::acme-site/*
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
    ///         StringEquals = {
    ///           "token.actions.githubusercontent.com:aud"         = "sts.amazonaws.com"
    ///           "token.actions.githubusercontent.com:environment" = "prod"
    ///         }
    ///         StringLike = { "token.actions.githubusercontent.com:sub" = "repo:acme/shop:*" }
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
    ///               StringLike:
    ///                 token.actions.githubusercontent.com:sub: repo:acme/shop:ref:refs/tags/v*
    /// ```
    /// ```terraform good
    /// resource "aws_iam_role" "plan" {
    ///   name = "plan"
    ///   assume_role_policy = jsonencode({
    ///     Version = "2012-10-17"
    ///     Statement = [{
    ///       Effect    = "Allow"
    ///       Action    = "sts:AssumeRoleWithWebIdentity"
    ///       Principal = { Federated = "arn:aws:iam::111122223333:oidc-provider/token.actions.githubusercontent.com" }
    ///       Condition = {
    ///         StringEquals = { "token.actions.githubusercontent.com:aud" = "sts.amazonaws.com" }
    ///         StringLike   = { "token.actions.githubusercontent.com:sub" = "repo:acme/shop:*" }
    ///       }
    ///     }]
    ///   })
    /// }
    ///
    /// resource "aws_iam_role_policy" "plan" {
    ///   name = "plan"
    ///   role = aws_iam_role.plan.id
    ///   policy = jsonencode({
    ///     Version = "2012-10-17"
    ///     Statement = [{
    ///       Effect   = "Allow"
    ///       Action   = ["ec2:DescribeVpcs", "ec2:DescribeSubnets"]
    ///       Resource = "*"
    ///     }]
    ///   })
    /// }
    /// ```
    /// A claim of its own may name the branch:
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
    ///           "token.actions.githubusercontent.com:aud" = "sts.amazonaws.com"
    ///           "token.actions.githubusercontent.com:ref" = "refs/heads/main"
    ///         }
    ///         StringLike = { "token.actions.githubusercontent.com:sub" = "repo:acme/shop:*" }
    ///       }
    ///     }]
    ///   })
    /// }
    ///
    /// resource "aws_iam_role_policy" "ci" {
    ///   name = "ci"
    ///   role = aws_iam_role.ci.id
    ///   policy = jsonencode({
    ///     Version   = "2012-10-17"
    ///     Statement = [{ Effect = "Allow", Action = "s3:PutObject", Resource = "arn:aws:s3:::acme-site/*" }]
    ///   })
    /// }
    /// ```
    /// A role that leads to administration is reported for that:
    /// ```terraform good under:external-entry-to-admin also:self-escalation-policy-write
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
    ///         StringLike   = { "token.actions.githubusercontent.com:sub" = "repo:acme/shop:*" }
    ///       }
    ///     }]
    ///   })
    /// }
    ///
    /// resource "aws_iam_role_policy" "ci" {
    ///   name = "ci"
    ///   role = aws_iam_role.ci.id
    ///   policy = jsonencode({
    ///     Version   = "2012-10-17"
    ///     Statement = [{ Effect = "Allow", Action = "iam:PutRolePolicy", Resource = "*" }]
    ///   })
    /// }
    /// ```
    /// ## How to fix
    /// End the subject with `:environment:prod` (and protect the environment) or `:ref:refs/heads/main`.
    pub(crate) static GITHUB_ANY_REF = Rule {
        id: "github-any-ref",
        family: Family::Federation,
        severity: Severity::Medium,
        confidence: Confidence::High,
        scope: Scope::Module,
        since: "0.1.0",
        cwe: &[287, 863, 1220],
        aliases: &["CKV_AWS_358"],
        mappings: &[
            ("NIST", "AC-6"),
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
            .filter(|subject| subject.width == Width::AnyRef)
        else {
            continue;
        };
        if !trusted.is_github() || trusted.says_what_runs() {
            continue;
        }
        let severity = match trusted.rights(cx.access) {
            // What a plan needs: pull requests are where it should run.
            Rights::Reads => continue,
            Rights::Unknown => Severity::Medium,
            Rights::Writes => trusted.severity(Severity::High),
        };
        let (value, role) = (subject.value, trusted.role(model));
        let report = cx
            .finding(
                &trusted.document.place,
                &wildcard_src(value.text(), value.pattern().src(), Which::Last),
                format!(
                    "any branch, tag or pull request of {} can assume {role}",
                    repository_of(&value.to_string())
                ),
            )
            .statement(trusted.statement)
            .when(trusted.principal.guard())
            .when(value.pattern().guard())
            .marks(value.pattern().marks())
            .severity(severity)
            .label("pins no ref or environment")
            .help("end the subject with :environment:prod or :ref:refs/heads/main");
        cx.report(report);
    }
}

/// The repository in `repo:OWNER/REPO:…`, in backticks.
fn repository_of(subject: &str) -> String {
    let rest = subject.strip_prefix("repo:").unwrap_or(subject);
    let repository = match rest.rsplit_once(':') {
        Some((repository, _)) => repository,
        None => rest,
    };
    format!("`{repository}`")
}

#[cfg(test)]
mod tests {
    use super::GITHUB_ANY_REF;
    use crate::testing::Scene;
    use overgrant_ir::DocumentRole;

    fn places(conditions: &str) -> Vec<String> {
        let text = format!(
            r#"{{"Version":"2012-10-17","Statement":[{{"Effect":"Allow",
            "Action":"sts:AssumeRoleWithWebIdentity",
            "Principal":{{"Federated":"arn:aws:iam::111122223333:oidc-provider/token.actions.githubusercontent.com"}},
            "Condition":{{{conditions}}}}}]}}"#
        );
        Scene::new()
            .document(DocumentRole::Trust, &text)
            .places(&GITHUB_ANY_REF)
    }

    #[test]
    fn the_widest_value_of_the_narrowest_condition_decides() {
        let sub = "token.actions.githubusercontent.com:sub";
        let wide = format!(r#""StringLike":{{"{sub}":["repo:acme/shop:environment:prod","repo:acme/shop:*"]}}"#);
        assert_eq!(places(&wide), ["*"]);
        let both = format!(
            r#""StringLike":{{"{sub}":"repo:acme/shop:*"}},
            "StringEquals":{{"{sub}":"repo:acme/shop:environment:prod"}}"#
        );
        assert!(places(&both).is_empty());
        let dead = format!(r#""StringEquals":{{"{sub}":"repo:acme/shop:*"}}"#);
        assert!(places(&dead).is_empty(), "accepts nothing");
    }
}
