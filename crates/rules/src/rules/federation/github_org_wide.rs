//! `github-org-wide`: a role for every repository of a GitHub organisation.

use crate::federation::{Rights, Width, trusted};
use crate::skeleton::{Which, skeleton, wildcard_src};
use crate::{Context, Family, Scope};
use overgrant_finding::{Confidence, Severity};

rule! {
    /// Every repository of a GitHub organisation can assume a role.
    ///
    /// The subject is `repo:OWNER/*`: all repositories of the owner, those of tomorrow included.
    ///
    /// ## Why
    /// The weakest repository decides: a test project, a fork inside the organisation, or one that any
    /// member may create. Who can push a workflow there holds the role.
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
    ///         StringLike   = { "token.actions.githubusercontent.com:sub" = "repo:acme/*" } # <-- here
    ///       }
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
    ///                 token.actions.githubusercontent.com:sub: !Sub "repo:${Org}/*" # <-- here
    /// ```
    /// A role that only reads is a lesser finding:
    /// ```terraform bad at:medium
    /// resource "aws_iam_role" "pull" {
    ///   name = "pull"
    ///   assume_role_policy = jsonencode({
    ///     Version = "2012-10-17"
    ///     Statement = [{
    ///       Effect    = "Allow"
    ///       Action    = "sts:AssumeRoleWithWebIdentity"
    ///       Principal = { Federated = "arn:aws:iam::111122223333:oidc-provider/token.actions.githubusercontent.com" }
    ///       Condition = {
    ///         StringEquals = { "token.actions.githubusercontent.com:aud" = "sts.amazonaws.com" }
    ///         StringLike   = { "token.actions.githubusercontent.com:sub" = "repo:acme/*" } # <-- here
    ///       }
    ///     }]
    ///   })
    /// }
    /// resource "aws_iam_role_policy_attachment" "pull" {
    ///   role       = aws_iam_role.pull.name
    ///   policy_arn = "arn:aws:iam::aws:policy/AmazonEC2ContainerRegistryReadOnly"
    /// }
    /// ```
    /// The same as JSON:
    /// ```terraform bad
    /// resource "aws_iam_role" "ci" {
    ///   name = "ci"
    ///   assume_role_policy = <<-JSON
    ///     {
    ///       "Version": "2012-10-17",
    ///       "Statement": [
    ///         {
    ///           "Effect": "Allow",
    ///           "Action": "sts:AssumeRoleWithWebIdentity",
    ///           "Principal": {"Federated": "arn:aws:iam::111122223333:oidc-provider/token.actions.githubusercontent.com"},
    ///           "Condition": {
    ///             "StringEquals": {"token.actions.githubusercontent.com:aud": "sts.amazonaws.com"},
    ///             "StringLike": {"token.actions.githubusercontent.com:sub": "repo:acme/*"} # <-- here
    ///           }
    ///         }
    ///       ]
    ///     }
    ///   JSON
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
    ///         StringEquals = {
    ///           "token.actions.githubusercontent.com:aud"           = "sts.amazonaws.com"
    ///           "token.actions.githubusercontent.com:repository_id" = "98765432"
    ///           "token.actions.githubusercontent.com:environment"   = "prod"
    ///         }
    ///         StringLike = { "token.actions.githubusercontent.com:sub" = "repo:acme/*" }
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
    ///                 token.actions.githubusercontent.com:sub:
    ///                   - repo:acme/shop:environment:prod
    ///                   - repo:acme/site:environment:prod
    /// ```
    /// So does one workflow of the owner, with an environment:
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
    ///           "token.actions.githubusercontent.com:aud"              = "sts.amazonaws.com"
    ///           "token.actions.githubusercontent.com:environment"      = "prod"
    ///           "token.actions.githubusercontent.com:job_workflow_ref" = "acme/workflows/.github/workflows/deploy.yml@refs/heads/main"
    ///         }
    ///         StringLike = { "token.actions.githubusercontent.com:sub" = "repo:acme/*" }
    ///       }
    ///     }]
    ///   })
    /// }
    /// ```
    /// ## How to fix
    /// List the repositories, each with an environment or branch.
    pub(crate) static GITHUB_ORG_WIDE = Rule {
        id: "github-org-wide",
        family: Family::Federation,
        severity: Severity::High,
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
            .filter(|subject| subject.width == Width::Organization)
        else {
            continue;
        };
        if !trusted.is_github() || trusted.pins("job_workflow_ref") {
            continue;
        }
        let (value, role) = (subject.value, trusted.role(model));
        let shape = skeleton(value.text(), true);
        let owner = owner_of(&value.to_string());
        // A ref or environment behind the repository, or in a claim of its own, limits what runs.
        let limited = shape
            .split_once('/')
            .is_some_and(|(_, rest)| rest.contains(':') && !rest.ends_with(":*"))
            || ["environment", "ref"].iter().any(|claim| trusted.pins(claim));
        let severity = if limited || trusted.rights(cx.access) == Rights::Reads {
            Severity::Medium
        } else {
            trusted.severity(Severity::High)
        };
        let report = cx
            .finding(
                &trusted.document.place,
                &wildcard_src(value.text(), value.pattern().src(), Which::First),
                format!("every repository of {owner} can assume {role}"),
            )
            .statement(trusted.statement)
            .when(trusted.principal.guard())
            .when(value.pattern().guard())
            .marks(value.pattern().marks())
            .severity(severity)
            .label("pins no repository")
            .help("list the repositories, each with an environment or branch");
        cx.report(report);
    }
}

/// The owner in `repo:OWNER/…`, in backticks.
fn owner_of(subject: &str) -> String {
    let owner = subject
        .strip_prefix("repo:")
        .unwrap_or(subject)
        .split_once('/')
        .map_or(subject, |(owner, _)| owner);
    format!("`{owner}`")
}
