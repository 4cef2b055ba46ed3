//! `github-non-tenant-claims-only`: a GitHub trust that tests only claims every repository can produce.

use crate::federation::{Width, trusted};
use crate::{Context, Family, Scope};
use overgrant_finding::{Confidence, Severity};

rule! {
    /// A GitHub trust tests only claims that every repository can produce.
    ///
    /// The conditions test a branch, an environment, a workflow name or a reusable workflow, and nothing
    /// that says whose repository it is.
    ///
    /// Whether the repository of a workflow is private is not in the code: a role for such a workflow goes on
    /// the list `ignore` of the configuration, with the reason.
    ///
    /// ## Why
    /// An attacker's repository has a branch `main` and an environment `production` too, and may call a
    /// public reusable workflow. Its token meets every condition.
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
    ///         StringEquals = {
    ///           "token.actions.githubusercontent.com:aud" = "sts.amazonaws.com"
    ///           "token.actions.githubusercontent.com:ref" = "refs/heads/main" # <-- here
    ///         }
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
    ///                 token.actions.githubusercontent.com:environment: production # <-- here
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
    ///       test     = "StringEquals"
    ///       variable = "token.actions.githubusercontent.com:ref"
    ///       values   = ["refs/heads/main"] # <-- here
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
    ///         StringEquals = {
    ///           "token.actions.githubusercontent.com:aud"                 = "sts.amazonaws.com"
    ///           "token.actions.githubusercontent.com:repository_owner_id" = "1234567"
    ///           "token.actions.githubusercontent.com:ref"                 = "refs/heads/main"
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
    ///               Federated: arn:aws:iam::111122223333:oidc-provider/token.actions.githubusercontent.com
    ///             Condition:
    ///               StringEquals:
    ///                 token.actions.githubusercontent.com:aud: sts.amazonaws.com
    ///                 token.actions.githubusercontent.com:environment: production
    ///                 token.actions.githubusercontent.com:sub: repo:acme/shop:environment:production
    /// ```
    /// ## How to fix
    /// Add `sub` with the repository, or `repository_owner_id` of your organisation.
    pub(crate) static GITHUB_NON_TENANT_CLAIMS_ONLY = Rule {
        id: "github-non-tenant-claims-only",
        family: Family::Federation,
        severity: Severity::Critical,
        confidence: Confidence::High,
        scope: Scope::Module,
        since: "0.1.0",
        cwe: &[863],
        aliases: &[],
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

/// Claims whose values any owner can reproduce.
pub(super) const CLAIMS: [&str; 13] = [
    "job_workflow_ref",
    "ref",
    "ref_type",
    "environment",
    "workflow",
    "workflow_ref",
    "actor",
    "event_name",
    "runner_environment",
    "base_ref",
    "head_ref",
    "repository_visibility",
    "run_attempt",
];

fn check(cx: &mut Context<'_>) {
    let model = cx.model;
    for trusted in trusted(model) {
        if !trusted.is_github() || trusted.pins_github_tenant() {
            continue;
        }
        let open = trusted
            .github_subject()
            .is_none_or(|subject| subject.width == Width::Everybody);
        let tested = CLAIMS
            .iter()
            .find_map(|claim| Some((*claim, trusted.limits(claim).into_iter().next()?)));
        let (claim, src) = match (open, tested, trusted.decisive("sub", template_width)) {
            (true, Some((claim, condition)), _) => (claim, &condition.src),
            (_, _, Some(subject)) if subject.width == Width::Everybody => {
                (first_claim(&subject.value.leading()).unwrap_or("sub"), subject.value.pattern().src())
            }
            _ => continue,
        };
        let role = trusted.role(model);
        let mut report = cx
            .finding(
                &trusted.document.place,
                src,
                format!(
                    "any repository on GitHub can assume {role}: `{claim}` does not say whose repository it is"
                ),
            )
            .statement(trusted.statement)
            .when(trusted.principal.guard())
            .severity(trusted.severity(Severity::Critical))
            .help("add sub with the repository, or repository_owner_id");
        if claim == "job_workflow_ref" {
            report = report
                .confidence(Confidence::Medium)
                .note("a reusable workflow that is public can be called from any repository");
        }
        cx.report(report);
    }
}

/// How far a subject of another template reaches: `claim:value:claim:value`. Everybody can make one
/// that names no repository or owner; a colon in a value is escaped, so that names cannot be forged.
fn template_width(subject: &str) -> Width {
    const TENANT: [&str; 7] = [
        "repo",
        "repository",
        "repository_id",
        "repository_owner",
        "repository_owner_id",
        "enterprise",
        "enterprise_id",
    ];
    let parts: Vec<&str> = subject.split(':').collect();
    let names_tenant = || {
        let pairs = parts.iter().zip(parts.iter().skip(1));
        pairs.into_iter().any(|(claim, value)| TENANT.contains(claim) && !value.starts_with(['*', '?']))
    };
    if first_claim(subject).is_some() && !names_tenant() {
        Width::Everybody
    } else {
        Width::Pinned
    }
}

/// The claim that a subject of another template begins with, if every owner can produce it.
fn first_claim(subject: &str) -> Option<&'static str> {
    let (first, _) = subject.split_once(':')?;
    CLAIMS.into_iter().find(|claim| *claim == first)
}
