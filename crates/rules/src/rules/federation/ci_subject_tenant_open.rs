//! `ci-subject-tenant-open`: a subject pattern of a CI service that leaves the tenant open.

use crate::federation::{Width, trusted};
use crate::skeleton::{Which, is_wild, wildcard_src};
use crate::workflow::with_jobs;
use crate::{Context, Family, Scope};
use overgrant_finding::{Confidence, Severity};

rule! {
    /// A subject pattern of a CI service leaves the tenant open.
    ///
    /// The issuer serves many customers, and the pattern for the claim that names the customer has a
    /// wildcard in or before the customer's part, as in `project_path:*` or `organization:acme*`.
    ///
    /// ## Why
    /// An attacker registers a group or organisation that fits the pattern, runs a job there and assumes
    /// the role.
    ///
    /// ## Bad
    /// ```terraform bad
    /// resource "aws_iam_role" "deploy" {
    ///   name = "deploy"
    ///   assume_role_policy = jsonencode({
    ///     Version = "2012-10-17"
    ///     Statement = [{
    ///       Effect    = "Allow"
    ///       Action    = "sts:AssumeRoleWithWebIdentity"
    ///       Principal = { Federated = "arn:aws:iam::111122223333:oidc-provider/gitlab.com" }
    ///       Condition = {
    ///         StringEquals = { "gitlab.com:aud" = "https://gitlab.com" }
    ///         StringLike   = { "gitlab.com:sub" = "project_path:acme*" } # <-- here
    ///       }
    ///     }]
    ///   })
    /// }
    /// ```
    /// ```cloudformation bad
    /// Resources:
    ///   Deploy:
    ///     Type: AWS::IAM::Role
    ///     Properties:
    ///       AssumeRolePolicyDocument:
    ///         Version: "2012-10-17"
    ///         Statement:
    ///           - Effect: Allow
    ///             Action: sts:AssumeRoleWithWebIdentity
    ///             Principal:
    ///               Federated: arn:aws:iam::111122223333:oidc-provider/app.terraform.io
    ///             Condition:
    ///               StringEquals:
    ///                 app.terraform.io:aud: aws.workload.identity
    ///               StringLike:
    ///                 app.terraform.io:sub: "organization:*:workspace:prod:run_phase:apply" # <-- here
    /// ```
    /// The same as a policy document of Terraform:
    /// ```terraform bad
    /// data "aws_iam_policy_document" "deploy" {
    ///   statement {
    ///     actions = ["sts:AssumeRoleWithWebIdentity"]
    ///     principals {
    ///       type        = "Federated"
    ///       identifiers = ["arn:aws:iam::111122223333:oidc-provider/gitlab.com"]
    ///     }
    ///     condition {
    ///       test     = "StringEquals"
    ///       variable = "gitlab.com:aud"
    ///       values   = ["https://gitlab.com"]
    ///     }
    ///     condition {
    ///       test     = "StringLike"
    ///       variable = "gitlab.com:sub"
    ///       values   = ["project_path:acme*"] # <-- here
    ///     }
    ///   }
    /// }
    /// resource "aws_iam_role" "deploy" {
    ///   name = "deploy"
    ///   assume_role_policy = data.aws_iam_policy_document.deploy.json
    /// }
    /// ```
    /// ## Good
    /// ```terraform good
    /// resource "aws_iam_role" "deploy" {
    ///   name = "deploy"
    ///   assume_role_policy = jsonencode({
    ///     Version = "2012-10-17"
    ///     Statement = [{
    ///       Effect    = "Allow"
    ///       Action    = "sts:AssumeRoleWithWebIdentity"
    ///       Principal = { Federated = "arn:aws:iam::111122223333:oidc-provider/gitlab.com" }
    ///       Condition = {
    ///         StringEquals = { "gitlab.com:aud" = "https://gitlab.com" }
    ///         StringLike   = { "gitlab.com:sub" = "project_path:acme/shop:ref_type:tag:ref:v*" }
    ///       }
    ///     }]
    ///   })
    /// }
    /// ```
    /// ```cloudformation good
    /// Resources:
    ///   Deploy:
    ///     Type: AWS::IAM::Role
    ///     Properties:
    ///       AssumeRolePolicyDocument:
    ///         Version: "2012-10-17"
    ///         Statement:
    ///           - Effect: Allow
    ///             Action: sts:AssumeRoleWithWebIdentity
    ///             Principal:
    ///               Federated: arn:aws:iam::111122223333:oidc-provider/app.terraform.io
    ///             Condition:
    ///               StringEquals:
    ///                 app.terraform.io:aud: aws.workload.identity
    ///               StringLike:
    ///                 app.terraform.io:sub: "organization:acme:project:web:workspace:prod:run_phase:*"
    /// ```
    /// An issuer with one URL per tenant names the tenant itself, and so does the id of a project:
    /// ```terraform good
    /// resource "aws_iam_role" "project" {
    ///   name = "project"
    ///   assume_role_policy = jsonencode({
    ///     Version = "2012-10-17"
    ///     Statement = [{
    ///       Effect    = "Allow"
    ///       Action    = "sts:AssumeRoleWithWebIdentity"
    ///       Principal = { Federated = "arn:aws:iam::111122223333:oidc-provider/gitlab.com" }
    ///       Condition = {
    ///         StringEquals = { "gitlab.com:aud" = "https://gitlab.com", "gitlab.com:project_id" = "31337" }
    ///         StringLike   = { "gitlab.com:sub" = "project_path:*:ref_type:branch:ref:main" }
    ///       }
    ///     }]
    ///   })
    /// }
    /// ```
    /// ```terraform good
    /// resource "aws_iam_role" "circle" {
    ///   name = "circle"
    ///   assume_role_policy = jsonencode({
    ///     Version = "2012-10-17"
    ///     Statement = [{
    ///       Effect    = "Allow"
    ///       Action    = "sts:AssumeRoleWithWebIdentity"
    ///       Principal = { Federated = "arn:aws:iam::111122223333:oidc-provider/oidc.circleci.com/org/11111111-2222-3333-4444-555555555555" }
    ///       Condition = {
    ///         StringEquals = { "oidc.circleci.com/org/11111111-2222-3333-4444-555555555555:aud" = "11111111-2222-3333-4444-555555555555" }
    ///         StringLike   = { "oidc.circleci.com/org/11111111-2222-3333-4444-555555555555:sub" = "org/11111111-2222-3333-4444-555555555555/project/66666666-7777-8888-9999-000000000000/user/*" }
    ///       }
    ///     }]
    ///   })
    /// }
    /// ```
    /// An issuer that is not known may be of one tenant:
    /// ```terraform good
    /// resource "aws_iam_role" "own" {
    ///   name = "own"
    ///   assume_role_policy = jsonencode({
    ///     Version = "2012-10-17"
    ///     Statement = [{
    ///       Effect    = "Allow"
    ///       Action    = "sts:AssumeRoleWithWebIdentity"
    ///       Principal = { Federated = "arn:aws:iam::111122223333:oidc-provider/ci.example.com" }
    ///       Condition = { StringEquals = { "ci.example.com:aud" = "sts.amazonaws.com", "ci.example.com:sub" = "shop" } }
    ///     }]
    ///   })
    /// }
    /// ```
    /// ## How to fix
    /// Write the tenant's part in full, up to the separator that ends it.
    pub(crate) static CI_SUBJECT_TENANT_OPEN = Rule {
        id: "ci-subject-tenant-open",
        family: Family::Federation,
        severity: Severity::Critical,
        confidence: Confidence::High,
        scope: Scope::Module,
        since: "0.1.0",
        cwe: &[1220],
        aliases: &["gitlab-subject-weak", "terraform-cloud-subject-weak", "CKV_AWS_358"],
        mappings: &[
            ("NIST", "IA-2"),
            ("NIST", "IA-8"),
            ("NIST", "IA-9"),
            ("NIST", "AC-3"),
            ("ATT&CK", "T1078.004"),
            ("ATT&CK", "T1199"),
            ("ATT&CK", "T1550.001"),
        ],
        references: &["https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_providers_oidc_secure-by-default.html"],
        check: check,
    };
}

/// Issuer, claim, and how the tenant stands in it: what comes before, and what ends it.
const TENANTS: &[(&str, &str, &[&str], char)] = &[
    ("gitlab.com", "sub", &["project_path:"], '/'),
    ("app.terraform.io", "sub", &["organization:"], ':'),
    ("agent.buildkite.com", "sub", &["organization:"], ':'),
    ("oidc.codefresh.io", "sub", &["account:"], ':'),
    ("scalr.io", "sub", &["account:"], ':'),
    ("api.pulumi.com/oidc", "aud", &["aws:", ""], ':'),
    ("oidc.vercel.com", "aud", &["https://vercel.com/"], '/'),
    ("proidc.upbound.io", "sub", &["mcp:"], '/'),
    ("studio.datachain.ai/api", "sub", &["credentials:"], '/'),
    ("tokens.cloud.shisho.dev", "sub", &["job:"], ':'),
    ("oidc.modal.com", "sub", &["modal:workspace_id:"], ':'),
    // Ids of accounts, without parts.
    ("accounts.google.com", "sub", &[""], ':'),
    ("sandboxes.cloud", "aud", &["https://sandboxes.cloud/"], '/'),
];

/// Ids that pin a tenant whatever the subject says.
const IDS: [&str; 5] = ["project_id", "namespace_id", "organization_id", "organization_slug", "pipeline_id"];

fn check(cx: &mut Context<'_>) {
    let model = cx.model;
    for trusted in trusted(model) {
        if !trusted.is_shared() || trusted.is_github() || trusted.is_cognito() {
            continue;
        }
        let row = TENANTS
            .iter()
            .find(|row| trusted.host.as_deref() == Some(row.0));
        let (claim, starts, end): (_, &[&str], _) =
            row.map_or(("sub", &[""], ':'), |(_, claim, starts, end)| (*claim, starts, *end));
        let Some(subject) = trusted
            .decisive(claim, |value| width(value, starts, end, row.is_some()))
            .filter(|subject| subject.width == Width::Everybody)
        else {
            continue;
        };
        if IDS.iter().any(|id| trusted.pins(id)) {
            continue;
        }
        let (value, role, name) = (subject.value, trusted.role(model), trusted.name());
        let mut report = cx
            .finding(
                &trusted.document.place,
                &wildcard_src(value.text(), value.pattern().src(), Which::First),
                format!("other customers of {name} can assume {role}: `{value}` does not pin the tenant"),
            )
            .statement(trusted.statement)
            .when(trusted.principal.guard())
            .when(value.pattern().guard())
            .marks(value.pattern().marks())
            .help("write the tenant's part in full, up to the separator that ends it");
        if let Some(issuer) = trusted.issuer
            && !issuer.safe_requirement.is_empty()
        {
            report = report.note(format!("what pins a tenant of {name}: {}", issuer.safe_requirement));
        }
        let report = with_jobs(cx, report, trusted.role_id(model));
        cx.report(report);
    }
}

/// Pinned where the tenant's part, from a known start to its separator, has no wildcard.
fn width(value: &str, starts: &[&str], end: char, known: bool) -> Width {
    if !is_wild(value) {
        return Width::Pinned;
    }
    let Some(rest) = starts.iter().find_map(|start| value.strip_prefix(start)) else {
        // Another form of subject, or a wildcard that swallows the start.
        let literal = value.split(['*', '?']).next().unwrap_or_default();
        let swallows = starts.iter().any(|start| start.starts_with(literal));
        return if swallows { Width::Everybody } else { Width::Pinned };
    };
    match rest.split_once(end) {
        Some((tenant, _)) if !is_wild(tenant) => Width::Pinned,
        // Where the grammar is not known, a literal start is taken for the tenant.
        _ if !known && !rest.starts_with(['*', '?']) => Width::Pinned,
        _ => Width::Everybody,
    }
}

#[cfg(test)]
mod tests {
    use super::{Width, width};

    #[test]
    fn the_tenant_ends_at_its_separator() {
        let gitlab = |value: &str| width(value, &["project_path:"], '/', true);
        assert_eq!(gitlab("project_path:*"), Width::Everybody);
        assert_eq!(gitlab("project_path:acme*"), Width::Everybody);
        assert_eq!(gitlab("project_path:acme*/shop:*"), Width::Everybody);
        assert_eq!(gitlab("proj*"), Width::Everybody);
        assert_eq!(gitlab("project_path:acme/*"), Width::Pinned);
        assert_eq!(gitlab("project_path:acme/shop:ref"), Width::Pinned);
        assert_eq!(width("*", &[""], ':', false), Width::Everybody);
        assert_eq!(width("team-7:*", &[""], ':', false), Width::Pinned);
    }
}
