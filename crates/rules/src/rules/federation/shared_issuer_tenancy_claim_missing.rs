//! `shared-issuer-tenancy-claim-missing`: a shared identity provider without a condition on the tenant.

use crate::federation::{Trusted, trusted};
use crate::{Context, Family, Scope};
use overgrant_finding::{Confidence, Severity};

rule! {
    /// A role trusts a shared identity provider without saying which tenant.
    ///
    /// The issuer gives tokens to customers of all kinds, and no condition tests the claim that tells them
    /// apart (mostly `sub`, for some `aud`).
    ///
    /// ## Why
    /// An attacker signs up with the same provider, gets a token there and assumes the role.
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
    ///       Principal = { Federated = "arn:aws:iam::111122223333:oidc-provider/gitlab.com" } # <-- here
    ///       Condition = {
    ///         StringEquals = { "gitlab.com:aud" = "https://gitlab.com" }
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
    ///               Federated: arn:aws:iam::111122223333:oidc-provider/app.terraform.io # <-- here
    ///             Condition:
    ///               StringEquals:
    ///                 app.terraform.io:aud: aws.workload.identity
    /// ```
    /// The same as JSON:
    /// ```terraform bad
    /// resource "aws_iam_role" "deploy" {
    ///   name = "deploy"
    ///   assume_role_policy = <<-JSON
    ///     {
    ///       "Version": "2012-10-17",
    ///       "Statement": [
    ///         {
    ///           "Effect": "Allow",
    ///           "Action": "sts:AssumeRoleWithWebIdentity",
    ///           "Principal": {"Federated": "arn:aws:iam::111122223333:oidc-provider/gitlab.com"}, # <-- here
    ///           "Condition": {
    ///             "StringEquals": {"gitlab.com:aud": "https://gitlab.com"}
    ///           }
    ///         }
    ///       ]
    ///     }
    ///   JSON
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
    ///         StringEquals = {
    ///           "gitlab.com:aud" = "https://gitlab.com"
    ///           "gitlab.com:sub" = "project_path:acme/shop:ref_type:branch:ref:main"
    ///         }
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
    ///               Federated: arn:aws:iam::111122223333:oidc-provider/oidc.circleci.com/org/6f2a9d53-1b7e-4c58-9d3c-0a8e5f7b2c41
    ///             Condition:
    ///               StringEquals:
    ///                 oidc.circleci.com/org/6f2a9d53-1b7e-4c58-9d3c-0a8e5f7b2c41:aud: 6f2a9d53-1b7e-4c58-9d3c-0a8e5f7b2c41
    ///               StringLike:
    ///                 oidc.circleci.com/org/6f2a9d53-1b7e-4c58-9d3c-0a8e5f7b2c41:sub: org/6f2a9d53-1b7e-4c58-9d3c-0a8e5f7b2c41/project/b3f0c8de-52a7-4e19-8c46-d17f9a0b6e35/*
    /// ```
    /// ## How to fix
    /// Test the claim that names your tenant, with `StringEquals` or a `StringLike` pattern that pins it.
    pub(crate) static SHARED_ISSUER_TENANCY_CLAIM_MISSING = Rule {
        id: "shared-issuer-tenancy-claim-missing",
        family: Family::Federation,
        severity: Severity::Critical,
        confidence: Confidence::High,
        scope: Scope::Module,
        since: "0.1.0",
        cwe: &[287],
        aliases: &["CKV_AWS_358", "CKV_AWS_393"],
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

fn check(cx: &mut Context<'_>) {
    let model = cx.model;
    for trusted in trusted(model) {
        // GitHub and Cognito have rules of their own.
        if !trusted.is_shared() || trusted.is_github() || trusted.is_cognito() {
            continue;
        }
        let claims = tenancy_claims(&trusted);
        if claims.iter().any(|claim| is_tested(&trusted, claim)) {
            continue;
        }
        let (role, name) = (trusted.role(model), trusted.name());
        let mut report = cx
            .finding(
                &trusted.document.place,
                &trusted.src(),
                format!("any customer of {name} can assume {role}: no condition tests `{}`", claims.join("` or `")),
            )
            .statement(trusted.statement)
            .when(trusted.principal.guard())
            .help(format!("add a condition on {}", claims.join(" or ")));
        if let Some(issuer) = trusted.issuer {
            if !issuer.safe_requirement.is_empty() {
                report = report.note(format!("what pins a tenant of {name}: {}", issuer.safe_requirement));
            }
            if !issuer.required_claims.is_empty() {
                report = report.note("IAM refuses such a trust policy when it is new; one that exists stays in force");
            }
        }
        cx.report(report);
    }
}

/// The claims of which any tells tenants apart.
pub(super) fn tenancy_claims(trusted: &Trusted<'_>) -> Vec<&'static str> {
    let Some(issuer) = trusted.issuer else {
        return Vec::new();
    };
    match issuer.required_claims {
        [] => ["sub", "app_id", "oaud", "aud"]
            .into_iter()
            .filter(|claim| issuer.condition_keys.contains(claim))
            // An audience tells tenants apart only where nothing else is tested by convention.
            .filter(|claim| *claim != "aud" || issuer.condition_keys.contains(&"oaud"))
            .collect(),
        required => required
            .iter()
            .flat_map(|words| words.split([' ', '(']))
            .filter(|word| ["sub", "aud", "sts:RoleSessionName"].contains(word))
            .collect(),
    }
}

fn is_tested(trusted: &Trusted<'_>, claim: &str) -> bool {
    let ids = ["project_id", "namespace_id", "organization_id", "organization_slug", "pipeline_id", "google/organization_number"];
    if claim.contains(':') {
        return trusted.statement.conditions.on(claim).next().is_some();
    }
    !trusted.limits(claim).is_empty() || ids.iter().any(|id| trusted.pins(id))
}
