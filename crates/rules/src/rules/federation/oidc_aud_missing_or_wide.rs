//! `oidc-aud-missing-or-wide`: a trust in an OIDC provider that does not pin the audience.

use crate::federation::{Trusted, Width, trusted};
use crate::skeleton::{Which, is_star, wildcard_src};
use crate::{Context, Family, Scope, fixes};
use overgrant_finding::{Confidence, Severity};
use overgrant_ir::{Model, Provider};

rule! {
    /// A trust in an OIDC provider does not pin the audience.
    ///
    /// No condition tests `aud`, or its pattern is a wildcard, although the provider accepts more than
    /// one audience or its list is not in this configuration.
    ///
    /// ## Why
    /// A token that was issued for another service is accepted here too: whoever receives it there can
    /// present it to AWS.
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
    ///       Principal = { Federated = "arn:aws:iam::111122223333:oidc-provider/gitlab.com" } # <-- here
    ///       Condition = {
    ///         StringEquals = { "gitlab.com:sub" = "project_path:acme/shop:ref_type:branch:ref:main" }
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
    ///                 token.actions.githubusercontent.com:sub: repo:acme/shop:environment:prod
    ///               StringLike:
    ///                 token.actions.githubusercontent.com:aud: "*" # <-- here
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
    ///                 token.actions.githubusercontent.com:sub: repo:acme/shop:environment:prod
    /// ```
    /// A provider with one audience refuses other tokens itself:
    /// ```terraform good at:low
    /// resource "aws_iam_openid_connect_provider" "gitlab" {
    ///   url            = "https://gitlab.com"
    ///   client_id_list = ["https://gitlab.com"]
    /// }
    ///
    /// resource "aws_iam_role" "ci" {
    ///   name = "ci"
    ///   assume_role_policy = jsonencode({
    ///     Version = "2012-10-17"
    ///     Statement = [{
    ///       Effect    = "Allow"
    ///       Action    = "sts:AssumeRoleWithWebIdentity"
    ///       Principal = { Federated = aws_iam_openid_connect_provider.gitlab.arn }
    ///       Condition = {
    ///         StringEquals = { "gitlab.com:sub" = "project_path:acme/shop:ref_type:branch:ref:main" }
    ///       }
    ///     }]
    ///   })
    /// }
    /// ```
    /// A job may ask for a token with any audience, so that any name will do:
    /// ```terraform good
    /// resource "aws_iam_role" "ci" {
    ///   name = "ci"
    ///   assume_role_policy = jsonencode({
    ///     Version = "2012-10-17"
    ///     Statement = [{
    ///       Effect    = "Allow"
    ///       Action    = "sts:AssumeRoleWithWebIdentity"
    ///       Principal = { Federated = "arn:aws:iam::111122223333:oidc-provider/gitlab.com" }
    ///       Condition = {
    ///         StringEquals = {
    ///           "gitlab.com:aud" = "aws.acme.example"
    ///           "gitlab.com:sub" = "project_path:acme/shop:ref_type:branch:ref:main"
    ///         }
    ///       }
    ///     }]
    ///   })
    /// }
    /// ```
    /// Where the audience names the tenant, that is what is missing:
    /// ```terraform good also:shared-issuer-tenancy-claim-missing
    /// resource "aws_iam_role" "site" {
    ///   name = "site"
    ///   assume_role_policy = jsonencode({
    ///     Version = "2012-10-17"
    ///     Statement = [{
    ///       Effect    = "Allow"
    ///       Action    = "sts:AssumeRoleWithWebIdentity"
    ///       Principal = { Federated = "arn:aws:iam::111122223333:oidc-provider/oidc.vercel.com" }
    ///       Condition = {
    ///         StringEquals = { "oidc.vercel.com:sub" = "owner:acme:project:shop:environment:production" }
    ///       }
    ///     }]
    ///   })
    /// }
    /// ```
    /// Google names the audience in `oaud`:
    /// ```terraform good
    /// resource "aws_iam_role" "ci" {
    ///   name = "ci"
    ///   assume_role_policy = jsonencode({
    ///     Version = "2012-10-17"
    ///     Statement = [{
    ///       Effect    = "Allow"
    ///       Action    = "sts:AssumeRoleWithWebIdentity"
    ///       Principal = { Federated = "accounts.google.com" }
    ///       Condition = {
    ///         StringEquals = {
    ///           "accounts.google.com:oaud" = "acme-data-plane"
    ///           "accounts.google.com:sub"  = "112233445566778899001"
    ///         }
    ///       }
    ///     }]
    ///   })
    /// }
    /// ```
    /// ## How to fix
    /// Add `StringEquals` on the issuer's `aud` with the audience that the workload asks for.
    pub(crate) static OIDC_AUD_MISSING_OR_WIDE = Rule {
        id: "oidc-aud-missing-or-wide",
        family: Family::Federation,
        severity: Severity::Medium,
        confidence: Confidence::High,
        scope: Scope::Module,
        since: "0.1.0",
        cwe: &[287],
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
        references: &["https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_create_for-idp_oidc.html"],
        check: check,
    };
}

fn check(cx: &mut Context<'_>) {
    let model = cx.model;
    for trusted in trusted(model) {
        let provider = trusted.provider.or_else(|| beside(model, &trusted));
        let audiences = provider.map_or(0, |provider| provider.audiences.len());
        let judged = match trusted.issuer {
            // Where the audience names the tenant, other rules own it; some issuers have none.
            Some(issuer) => {
                !issuer.required_claims.contains(&"aud") && issuer.condition_keys.contains(&"aud")
            }
            // Of an issuer that is not known, only that its provider is open to several.
            None => audiences > 1,
        };
        if !judged {
            continue;
        }
        let role = trusted.role(model);
        let width = |value: &str| if is_star(value) { Width::Everybody } else { Width::Pinned };
        // Google's `oaud` is the audience, where `aud` is who asked for the token.
        let audience = trusted.decisive("aud", width).or_else(|| trusted.decisive("oaud", width));
        let (src, message) = match &audience {
            Some(audience) if audience.width == Width::Everybody => (
                wildcard_src(audience.value.text(), audience.value.pattern().src(), Which::First),
                format!("{role} accepts tokens of {} for any audience", trusted.name()),
            ),
            Some(_) => continue,
            None => (
                trusted.src(),
                format!("{role} accepts tokens of {} for any audience: no condition tests `aud`", trusted.name()),
            ),
        };
        // A provider with one audience checks it already, and so does a cluster's.
        let one = audiences == 1;
        let subject = !trusted.limits("sub").is_empty();
        let mut report = cx
            .finding(&trusted.document.place, &src, message)
            .statement(trusted.statement)
            .when(trusted.principal.guard())
            .help(format!("add StringEquals on {}:aud", trusted.host.as_deref().unwrap_or("the issuer")));
        if audience.is_none()
            && one
            && let Some(host) = &trusted.host
            && let Some(client) = provider
                .and_then(|provider| provider.audiences.first()?.text.as_known())
        {
            let edit = fixes::condition(trusted.statement, "StringEquals", &format!("{host}:aud"), &client);
            report = report.fix(edit.map(|edit| fixes::changing("Test the provider's audience", [edit])));
        }
        if subject && (one || trusted.is_cluster()) {
            report = report.severity(Severity::Low);
        }
        cx.report(report);
    }
}
/// The provider of the same issuer that the same root makes in another case: `var.exists ? "arn:…" : its.arn`.
fn beside<'a>(model: &'a Model, trusted: &Trusted<'_>) -> Option<&'a Provider> {
    let host = trusted.host.as_deref()?;
    model.providers.iter().find(|provider| {
        let url = provider.url.as_ref().and_then(|url| url.as_known());
        provider.place.root == trusted.document.place.root
            && url.is_some_and(|url| url.trim_start_matches("https://") == host)
    })
}

