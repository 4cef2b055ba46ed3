//! `privileged-role-externally-assumable`: an administrator role can be assumed from a foreign account.

use crate::accounts::{Account, classify};
use crate::listed::is_listed;
use crate::caller::{Caller, caller};
use crate::holder;
use crate::{Context, Family, Scope};
use overgrant_finding::{Confidence, Severity};
use overgrant_ir::IdentityKind;
use overgrant_policy::Answer;

rule! {
    /// An administrator role can be assumed from a foreign account.
    ///
    /// A role that may do everything, or may give itself every right, trusts an account of a vendor or of
    /// somebody else.
    ///
    /// ## Why
    /// Whoever controls that account, or breaks into it, controls this one.
    ///
    /// ## Bad
    /// ```terraform bad vendors:444455556666
    /// resource "aws_iam_role" "vendor" {
    ///   name = "vendor"
    ///   assume_role_policy = jsonencode({
    ///     Version = "2012-10-17"
    ///     Statement = [{
    ///       Effect    = "Allow"
    ///       Action    = "sts:AssumeRole"
    ///       Principal = { AWS = "arn:aws:iam::444455556666:root" } # <-- here
    ///       Condition = { StringEquals = { "sts:ExternalId" = "acme-7731" } }
    ///     }]
    ///   })
    /// }
    ///
    /// resource "aws_iam_role_policy_attachment" "vendor" {
    ///   role       = aws_iam_role.vendor.name
    ///   policy_arn = "arn:aws:iam::aws:policy/AdministratorAccess"
    /// }
    /// ```
    /// ```cloudformation bad vendors:444455556666
    /// Resources:
    ///   Vendor:
    ///     Type: AWS::IAM::Role
    ///     Properties:
    ///       ManagedPolicyArns: [arn:aws:iam::aws:policy/AdministratorAccess]
    ///       AssumeRolePolicyDocument:
    ///         Version: "2012-10-17"
    ///         Statement:
    ///           - Effect: Allow
    ///             Action: sts:AssumeRole
    ///             Principal:
    ///               AWS: arn:aws:iam::444455556666:root # <-- here
    ///             Condition:
    ///               StringEquals:
    ///                 sts:ExternalId: acme-7731
    /// ```
    /// MFA lowers it to medium:
    /// ```terraform bad vendors:444455556666 at:medium
    /// resource "aws_iam_role" "vendor" {
    ///   name = "vendor"
    ///   assume_role_policy = jsonencode({
    ///     Version = "2012-10-17"
    ///     Statement = [{
    ///       Effect    = "Allow"
    ///       Action    = "sts:AssumeRole"
    ///       Principal = { AWS = "arn:aws:iam::444455556666:root" } # <-- here
    ///       Condition = {
    ///         StringEquals = { "sts:ExternalId" = "acme-7731" }
    ///         Bool         = { "aws:MultiFactorAuthPresent" = "true" }
    ///       }
    ///     }]
    ///   })
    /// }
    /// resource "aws_iam_role_policy_attachment" "vendor" {
    ///   role       = aws_iam_role.vendor.name
    ///   policy_arn = "arn:aws:iam::aws:policy/AdministratorAccess"
    /// }
    /// ```
    /// The same as JSON:
    /// ```terraform bad vendors:444455556666
    /// resource "aws_iam_role" "vendor" {
    ///   name = "vendor"
    ///   assume_role_policy = <<-JSON
    ///     {
    ///       "Version": "2012-10-17",
    ///       "Statement": [
    ///         {
    ///           "Effect": "Allow",
    ///           "Action": "sts:AssumeRole",
    ///           "Principal": {"AWS": "arn:aws:iam::444455556666:root"}, # <-- here
    ///           "Condition": {
    ///             "StringEquals": {"sts:ExternalId": "acme-7731"}
    ///           }
    ///         }
    ///       ]
    ///     }
    ///   JSON
    /// }
    ///
    /// resource "aws_iam_role_policy_attachment" "vendor" {
    ///   role       = aws_iam_role.vendor.name
    ///   policy_arn = "arn:aws:iam::aws:policy/AdministratorAccess"
    /// }
    /// ```
    /// ## Good
    /// ```terraform good vendors:444455556666
    /// resource "aws_iam_role" "vendor" {
    ///   name = "vendor"
    ///   assume_role_policy = jsonencode({
    ///     Version = "2012-10-17"
    ///     Statement = [{
    ///       Effect    = "Allow"
    ///       Action    = "sts:AssumeRole"
    ///       Principal = { AWS = "arn:aws:iam::444455556666:root" }
    ///       Condition = { StringEquals = { "sts:ExternalId" = "acme-7731" } }
    ///     }]
    ///   })
    /// }
    ///
    /// resource "aws_iam_role_policy_attachment" "vendor" {
    ///   role       = aws_iam_role.vendor.name
    ///   policy_arn = "arn:aws:iam::aws:policy/SecurityAudit"
    /// }
    /// ```
    /// ```cloudformation good vendors:444455556666
    /// Resources:
    ///   Vendor:
    ///     Type: AWS::IAM::Role
    ///     Properties:
    ///       ManagedPolicyArns: [arn:aws:iam::aws:policy/SecurityAudit]
    ///       AssumeRolePolicyDocument:
    ///         Version: "2012-10-17"
    ///         Statement:
    ///           - Effect: Allow
    ///             Action: sts:AssumeRole
    ///             Principal:
    ///               AWS: arn:aws:iam::444455556666:root
    ///             Condition:
    ///               StringEquals:
    ///                 sts:ExternalId: acme-7731
    /// ```
    /// Roles that are meant for it stand in the configuration:
    /// ```terraform good vendors:444455556666 deployer_roles:landing-zone also:external-entry-to-admin
    /// resource "aws_iam_role" "landing" {
    ///   name = "landing-zone"
    ///   assume_role_policy = jsonencode({
    ///     Version = "2012-10-17"
    ///     Statement = [{
    ///       Effect    = "Allow"
    ///       Action    = "sts:AssumeRole"
    ///       Principal = { AWS = "arn:aws:iam::444455556666:root" }
    ///       Condition = { StringEquals = { "sts:ExternalId" = "acme-7731" } }
    ///     }]
    ///   })
    /// }
    /// resource "aws_iam_role_policy_attachment" "landing" {
    ///   role       = aws_iam_role.landing.name
    ///   policy_arn = "arn:aws:iam::aws:policy/AdministratorAccess"
    /// }
    /// ```
    /// Without a list of accounts an id may be the own one:
    /// ```terraform good
    /// resource "aws_iam_role" "admin" {
    ///   name = "admin"
    ///   assume_role_policy = jsonencode({
    ///     Version = "2012-10-17"
    ///     Statement = [{
    ///       Effect    = "Allow"
    ///       Action    = "sts:AssumeRole"
    ///       Principal = { AWS = "arn:aws:iam::444455556666:root" }
    ///     }]
    ///   })
    /// }
    /// resource "aws_iam_role_policy_attachment" "admin" {
    ///   role       = aws_iam_role.admin.name
    ///   policy_arn = "arn:aws:iam::aws:policy/AdministratorAccess"
    /// }
    /// ```
    /// ## How to fix
    /// Give the role the vendor's published minimal policy, or none that writes to IAM.
    pub(crate) static PRIVILEGED_ROLE_EXTERNALLY_ASSUMABLE = Rule {
        id: "privileged-role-externally-assumable",
        family: Family::Trust,
        severity: Severity::High,
        confidence: Confidence::High,
        scope: Scope::Module,
        since: "0.1.0",
        cwe: &[284, 863],
        aliases: &[],
        mappings: &[("NIST", "AC-20"), ("ATT&CK", "T1199"), ("ATT&CK", "T1078.004")],
        references: &["https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_common-scenarios_third-party.html"],
        check: check,
    };
}

fn check(cx: &mut Context<'_>) {
    let model = cx.model;
    for (id, role) in model.of_kind(IdentityKind::Role) {
        let meant = [&cx.settings.deployer_roles, &cx.settings.break_glass];
        if meant.iter().any(|list| is_listed(list, role)) {
            continue;
        }
        let Some((trust_id, trust)) = cx.access.trust(id) else {
            continue;
        };
        for statement in trust.document.allows() {
            if statement.principals.listed().negated {
                continue;
            }
            for principal in &statement.principals {
                let Some(account) = principal.account() else {
                    continue;
                };
                let class = classify(cx, &account);
                if !class.is_foreign() {
                    continue;
                }
                let admin = cx.access.is_admin(id);
                if admin == Answer::No {
                    continue;
                }
                let whose = match class {
                    Account::Vendor(name) => format!("{name} (account `{account}`)"),
                    _ => format!("foreign account `{account}`"),
                };
                let mut report = cx
                    .finding(
                        &trust.place,
                        principal.src(),
                        format!("{whose} can assume {}, which is administrator", holder::role(model, trust_id)),
                    )
                    .statement(statement)
                    .when(principal.guard())
                    .answer(admin)
                    .principal(&role.place)
                    .help("give the role only what the other account needs");
                if matches!(caller(&statement.conditions), Caller::Bound)
                    || statement.conditions.on("aws:MultiFactorAuthPresent").next().is_some()
                {
                    report = report.severity(Severity::Medium);
                }
                if statement.conditions.on("sts:ExternalId").next().is_none() {
                    report = report.note("no external id is asked for either");
                }
                cx.report(report);
            }
        }
    }
}
