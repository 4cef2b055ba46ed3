//! `unknown-account-trusted`: A role trusts an account that nobody declared.

use crate::accounts::{Account, classify};
use crate::holder;
use crate::{Context, Family, Scope};
use overgrant_finding::{Confidence, Severity};

rule! {
    /// A role trusts an account that nobody declared.
    ///
    /// The trust policy names a literal account id that is neither one of `own_accounts` nor a declared
    /// vendor. Without `own_accounts` this is one notice per run, since any id may be the user's own.
    ///
    /// ## Why
    /// Accounts of former partners, copied examples and typing errors keep their access for years. Whoever
    /// gets into such an account holds the role.
    ///
    /// ## Bad
    /// ```terraform bad own_accounts:111122223333
    /// resource "aws_iam_role" "audit" {
    ///   name = "audit"
    ///   assume_role_policy = jsonencode({
    ///     Version = "2012-10-17"
    ///     Statement = [{
    ///       Effect    = "Allow"
    ///       Action    = "sts:AssumeRole"
    ///       Principal = { AWS = "arn:aws:iam::444455556666:role/audit" } # <-- here
    ///       Condition = { StringEquals = { "sts:ExternalId" = "audit-2291" } }
    ///     }]
    ///   })
    /// }
    /// ```
    /// ```cloudformation bad own_accounts:111122223333
    /// Resources:
    ///   Audit:
    ///     Type: AWS::IAM::Role
    ///     Properties:
    ///       AssumeRolePolicyDocument:
    ///         Version: "2012-10-17"
    ///         Statement:
    ///           - Effect: Allow
    ///             Action: sts:AssumeRole
    ///             Principal:
    ///               AWS: arn:aws:iam::444455556666:role/audit # <-- here
    ///             Condition:
    ///               StringEquals:
    ///                 sts:ExternalId: audit-2291
    /// ```
    /// The same as a policy document of Terraform:
    /// ```terraform bad own_accounts:111122223333
    /// data "aws_iam_policy_document" "audit" {
    ///   statement {
    ///     actions = ["sts:AssumeRole"]
    ///     principals {
    ///       type        = "AWS"
    ///       identifiers = ["arn:aws:iam::444455556666:role/audit"] # <-- here
    ///     }
    ///     condition {
    ///       test     = "StringEquals"
    ///       variable = "sts:ExternalId"
    ///       values   = ["audit-2291"]
    ///     }
    ///   }
    /// }
    /// resource "aws_iam_role" "audit" {
    ///   name = "audit"
    ///   assume_role_policy = data.aws_iam_policy_document.audit.json
    /// }
    /// ```
    /// ## Good
    /// ```terraform good
    /// data "aws_caller_identity" "this" {}
    ///
    /// resource "aws_iam_role" "audit" {
    ///   name = "audit"
    ///   assume_role_policy = jsonencode({
    ///     Version = "2012-10-17"
    ///     Statement = [{
    ///       Effect    = "Allow"
    ///       Action    = "sts:AssumeRole"
    ///       Principal = { AWS = "arn:aws:iam::${data.aws_caller_identity.this.account_id}:role/audit" }
    ///     }]
    ///   })
    /// }
    /// ```
    /// ```cloudformation good own_accounts:111122223333
    /// Resources:
    ///   Audit:
    ///     Type: AWS::IAM::Role
    ///     Properties:
    ///       AssumeRolePolicyDocument:
    ///         Version: "2012-10-17"
    ///         Statement:
    ///           - Effect: Allow
    ///             Action: sts:AssumeRole
    ///             Principal:
    ///               AWS: arn:aws:iam::111122223333:role/audit
    /// ```
    /// Where the configuration names no accounts, one notice for the whole run tells so:
    /// ```terraform good at:info
    /// resource "aws_iam_role" "audit" {
    ///   name = "audit"
    ///   assume_role_policy = jsonencode({
    ///     Version   = "2012-10-17"
    ///     Statement = [{ Effect = "Allow", Action = "sts:AssumeRole", Principal = { AWS = "arn:aws:iam::444455556666:role/audit" } }]
    ///   })
    /// }
    /// ```
    /// The account that the provider is held to is the own one:
    /// ```terraform good own_accounts:111122223333
    /// provider "aws" {
    ///   region              = "eu-west-1"
    ///   allowed_account_ids = ["444455556666"]
    /// }
    /// resource "aws_iam_role" "audit" {
    ///   name = "audit"
    ///   assume_role_policy = jsonencode({
    ///     Version   = "2012-10-17"
    ///     Statement = [{ Effect = "Allow", Action = "sts:AssumeRole", Principal = { AWS = "arn:aws:iam::444455556666:role/audit" } }]
    ///   })
    /// }
    /// ```
    /// ## How to fix
    /// Add the account to `own_accounts` or `vendors` of the configuration, or remove it from the trust.
    pub(crate) static UNKNOWN_ACCOUNT_TRUSTED = Rule {
        id: "unknown-account-trusted",
        family: Family::Trust,
        severity: Severity::Medium,
        confidence: Confidence::Medium,
        scope: Scope::Module,
        since: "0.1.0",
        cwe: &[284, 863],
        aliases: &[],
        mappings: &[("NIST", "AC-20"), ("ATT&CK", "T1199"), ("ATT&CK", "T1078.004")],
        references: &["https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_common-scenarios_aws-accounts.html"],
        check: check,
    };
}

fn check(cx: &mut Context<'_>) {
    let model = cx.model;
    let mut noticed = false;
    for (id, trust) in holder::trusts(model) {
        for statement in trust.document.allows() {
            if statement.principals.listed().negated {
                continue;
            }
            for principal in &statement.principals {
                let Some(account) = principal.account() else {
                    continue;
                };
                let role = holder::role(model, id);
                let report = match classify(cx, &account) {
                    Account::Foreign => cx
                        .finding(
                            &trust.place,
                            principal.src(),
                            format!("{role} trusts account `{account}`, which is not declared"),
                        )
                        .help("add the account to own_accounts or vendors, or remove it"),
                    Account::Unclassified if !noticed => {
                        noticed = true;
                        cx.finding(
                            &trust.place,
                            principal.src(),
                            format!("whether account `{account}` is yours is not known: own_accounts is not configured"),
                        )
                        .severity(Severity::Info)
                        .note("this notice appears once per run, for the first literal account")
                        .help("list your account ids under own_accounts, so that foreign ones are found")
                    }
                    _ => continue,
                };
                cx.report(report.statement(statement).when(principal.guard()));
            }
        }
    }
}
