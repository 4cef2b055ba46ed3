//! `assume-any-role`: every role that trusts the account.

use crate::grants::{self, Wide};
use crate::{Context, Family, Scope};
use overgrant_catalog::catalog;
use overgrant_finding::{Confidence, Severity};
use overgrant_policy::{Answer, Effect};

rule! {
    /// Any role can be assumed.
    ///
    /// `sts:AssumeRole` is allowed on every role, of the own account or of all accounts.
    ///
    /// ## Why
    /// Roles that trust the account as a whole, the way AWS's consoles set them up, are then open to
    /// this principal: who gets hold of it can take on each of them, in other accounts too.
    ///
    /// ## Bad
    /// ```terraform bad
    /// resource "aws_iam_policy" "hop" {
    ///   name = "hop"
    ///   policy = jsonencode({
    ///     Version = "2012-10-17"
    ///     Statement = [{
    ///       Effect   = "Allow"
    ///       Action   = "sts:AssumeRole"
    ///       Resource = "*" # <-- here
    ///     }]
    ///   })
    /// }
    /// ```
    /// ```cloudformation bad
    /// Resources:
    ///   Hop:
    ///     Type: AWS::IAM::ManagedPolicy
    ///     Properties:
    ///       PolicyDocument:
    ///         Version: "2012-10-17"
    ///         Statement:
    ///           - Effect: Allow
    ///             Action: sts:AssumeRole
    ///             Resource: arn:aws:iam::*:role/* # <-- here
    /// ```
    /// The same as JSON:
    /// ```terraform bad
    /// resource "aws_iam_policy" "hop" {
    ///   name = "hop"
    ///   policy = <<-JSON
    ///     {
    ///       "Version": "2012-10-17",
    ///       "Statement": [
    ///         {
    ///           "Effect": "Allow",
    ///           "Action": "sts:AssumeRole",
    ///           "Resource": "*" # <-- here
    ///         }
    ///       ]
    ///     }
    ///   JSON
    /// }
    /// ```
    /// A policy that is handed to a module of a registry, installed or not:
    /// ```terraform bad
    /// module "hop_policy" {
    ///   source = "terraform-aws-modules/iam/aws//modules/iam-policy"
    ///   policy = jsonencode({
    ///     Version = "2012-10-17"
    ///     Statement = [{
    ///       Effect   = "Allow"
    ///       Action   = "sts:AssumeRole"
    ///       Resource = "*" # <-- here
    ///     }]
    ///   })
    /// }
    /// ```
    /// ## Good
    /// ```terraform good
    /// resource "aws_iam_policy" "hop" {
    ///   name = "hop"
    ///   policy = jsonencode({
    ///     Version = "2012-10-17"
    ///     Statement = [{
    ///       Effect   = "Allow"
    ///       Action   = "sts:AssumeRole"
    ///       Resource = "arn:aws:iam::123456789012:role/deploy"
    ///     }]
    ///   })
    /// }
    /// ```
    /// A hub that assumes one role name in every account of the organization:
    /// ```terraform good
    /// resource "aws_iam_policy" "hub" {
    ///   name = "hub"
    ///   policy = jsonencode({
    ///     Version = "2012-10-17"
    ///     Statement = [{
    ///       Effect    = "Allow"
    ///       Action    = "sts:AssumeRole"
    ///       Resource  = "arn:aws:iam::*:role/inventory-reader"
    ///       Condition = { StringEquals = { "aws:ResourceOrgID" = "o-a1b2c3d4e5" } }
    ///     }]
    ///   })
    /// }
    /// ```
    /// ```cloudformation good
    /// Resources:
    ///   Hop:
    ///     Type: AWS::IAM::ManagedPolicy
    ///     Properties:
    ///       PolicyDocument:
    ///         Version: "2012-10-17"
    ///         Statement:
    ///           - Effect: Allow
    ///             Action: sts:AssumeRole
    ///             Resource: arn:aws:iam::123456789012:role/deploy
    /// ```
    /// Calls that are not signed need no grant, so that one gives nothing:
    /// ```terraform good also:star-resource-on-scopable-write
    /// resource "aws_iam_policy" "web" {
    ///   name = "web"
    ///   policy = jsonencode({
    ///     Version   = "2012-10-17"
    ///     Statement = [{ Effect = "Allow", Action = ["sts:AssumeRoleWithWebIdentity", "sts:AssumeRoleWithSAML"], Resource = "*" }]
    ///   })
    /// }
    /// ```
    /// A role that carries the tag of what may be scanned:
    /// ```terraform good
    /// resource "aws_iam_policy" "scan" {
    ///   name = "scan"
    ///   policy = jsonencode({
    ///     Version = "2012-10-17"
    ///     Statement = [{
    ///       Effect    = "Allow"
    ///       Action    = "sts:AssumeRole"
    ///       Resource  = "*"
    ///       Condition = { StringLike = { "iam:ResourceTag/ACME_SCANNER" = "*" } }
    ///     }]
    ///   })
    /// }
    /// ```
    /// ## How to fix
    /// Name the roles; where one name is assumed in many accounts, add `aws:ResourceOrgID`.
    pub(crate) static ASSUME_ANY_ROLE = Rule {
        id: "assume-any-role",
        family: Family::Grant,
        severity: Severity::High,
        confidence: Confidence::High,
        scope: Scope::Module,
        since: "0.1.0",
        cwe: &[269],
        aliases: &["iam_no_custom_policy_permissive_role_assumption"],
        mappings: &[("NIST", "AC-6"), ("ATT&CK", "T1550.001")],
        references: &[
            "https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_use_permissions-to-switch.html",
        ],
        check: check,
    };
}

fn check(cx: &mut Context<'_>) {
    let Some(assume) = catalog().find_action("sts:AssumeRole") else {
        return;
    };
    for grant in grants::grants(cx) {
        let statement = grant.statement;
        if statement.effect != Effect::Allow
            || statement.actions.covers_all() == Answer::Must
            || statement.actions.select("sts:AssumeRole") != Answer::Must
            || grant.is_narrowed()
            || grant.wide(assume) != Some(Wide::Account)
        {
            continue;
        }
        let deed = "assume any role that trusts its account".to_owned();
        let report = grant
            .finding(cx, &grant.wide_src(assume), deed)
            .label("every role")
            .help("name the roles that are assumed")
            .related(&grant.action_src(assume), "grants sts:AssumeRole", None);
        cx.report(report);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::Scene;

    fn count(action: &str, resource: &str, condition: &str) -> usize {
        Scene::new()
            .statements(&format!(
                r#"{{"Effect":"Allow","Action":"{action}","Resource":"{resource}"{condition}}}"#
            ))
            .places(&ASSUME_ANY_ROLE)
            .len()
    }

    #[test]
    fn only_star_sets_are_found() {
        assert_eq!(count("sts:AssumeRole", "*", ""), 1);
        assert_eq!(count("sts:Assume*", "arn:aws:iam::123456789012:role/*", ""), 1);
        assert_eq!(count("sts:AssumeRole", "arn:aws:iam::*:role/reader", ""), 0);
        assert_eq!(count("sts:AssumeRoleWithSAML", "*", ""), 0);
        let org = r#","Condition":{"StringEquals":{"aws:ResourceOrgID":"o-a1b2c3d4e5"}}"#;
        assert_eq!(count("sts:AssumeRole", "*", org), 0);
    }
}
