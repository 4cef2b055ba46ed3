//! `allow-notaction`: grants of everything but a list.

use crate::grants;
use crate::{Context, Family, Scope};
use overgrant_catalog::{AccessLevel, Action};
use overgrant_finding::{Confidence, Severity};
use overgrant_policy::{Answer, Effect};

rule! {
    /// Statement allows everything but a list of actions.
    ///
    /// `Allow` with `NotAction` grants all actions that are not in the list, those of services that the
    /// author never thought of and those that AWS adds tomorrow included.
    ///
    /// ## Why
    /// What such a statement leaves open nearly always holds a way to more rights, for example through
    /// roles of compute services, so that whoever holds it can get what the list was meant to withhold.
    ///
    /// ## Bad
    /// ```terraform bad
    /// resource "aws_iam_policy" "developer" {
    ///   name = "developer"
    ///   policy = jsonencode({
    ///     Version = "2012-10-17"
    ///     Statement = [{
    ///       Effect    = "Allow"
    ///       NotAction = ["iam:*", "organizations:*"] # <-- here
    ///       Resource  = "*"
    ///     }]
    ///   })
    /// }
    /// ```
    /// ```cloudformation bad
    /// Resources:
    ///   Developer:
    ///     Type: AWS::IAM::ManagedPolicy
    ///     Properties:
    ///       PolicyDocument:
    ///         Version: "2012-10-17"
    ///         Statement:
    ///           - Effect: Allow
    ///             NotAction: iam:* # <-- here
    ///             Resource: "*"
    /// ```
    /// The same as a policy document of Terraform:
    /// ```terraform bad
    /// data "aws_iam_policy_document" "developer" {
    ///   statement {
    ///     not_actions = ["iam:*", "organizations:*"] # <-- here
    ///     resources   = ["*"]
    ///   }
    /// }
    /// resource "aws_iam_policy" "developer" {
    ///   name = "developer"
    ///   policy = data.aws_iam_policy_document.developer.json
    /// }
    /// ```
    /// ## Good
    /// In a Deny the element is a normal guardrail:
    /// ```terraform good
    /// resource "aws_iam_policy" "mfa" {
    ///   name = "mfa"
    ///   policy = jsonencode({
    ///     Version = "2012-10-17"
    ///     Statement = [{
    ///       Effect    = "Deny"
    ///       NotAction = ["iam:ListMFADevices", "iam:EnableMFADevice", "sts:GetSessionToken"]
    ///       Resource  = "*"
    ///       Condition = { BoolIfExists = { "aws:MultiFactorAuthPresent" = "false" } }
    ///     }]
    ///   })
    /// }
    /// ```
    /// Resources of one bucket limit the complement to what can be done with that bucket:
    /// ```terraform good
    /// resource "aws_iam_policy" "bucket" {
    ///   name = "bucket"
    ///   policy = jsonencode({
    ///     Version = "2012-10-17"
    ///     Statement = [{
    ///       Effect    = "Allow"
    ///       NotAction = ["s3:DeleteBucket", "s3:PutBucketPolicy"]
    ///       Resource  = ["arn:aws:s3:::acme-scratch", "arn:aws:s3:::acme-scratch/*"]
    ///     }]
    ///   })
    /// }
    /// ```
    /// ```cloudformation good
    /// Resources:
    ///   Developer:
    ///     Type: AWS::IAM::ManagedPolicy
    ///     Properties:
    ///       PolicyDocument:
    ///         Version: "2012-10-17"
    ///         Statement:
    ///           - Effect: Deny
    ///             NotAction: [iam:ListMFADevices, iam:EnableMFADevice]
    ///             Resource: "*"
    ///             Condition:
    ///               BoolIfExists:
    ///                 aws:MultiFactorAuthPresent: "false"
    /// ```
    /// What is left of these resources only reads:
    /// ```terraform good
    /// resource "aws_iam_policy" "health" {
    ///   name = "health"
    ///   policy = jsonencode({
    ///     Version = "2012-10-17"
    ///     Statement = [{
    ///       Effect    = "Allow"
    ///       NotAction = "health:DescribeAffectedEntities"
    ///       Resource  = "arn:aws:health:*::event/*"
    ///     }]
    ///   })
    /// }
    /// ```
    /// A permissions boundary grants nothing by itself:
    /// ```cloudformation good
    /// Resources:
    ///   Limit:
    ///     Type: AWS::IAM::ManagedPolicy
    ///     Properties:
    ///       PolicyDocument:
    ///         Version: "2012-10-17"
    ///         Statement:
    ///           - Effect: Allow
    ///             NotAction: [iam:*, organizations:*, account:*]
    ///             Resource: "*"
    ///   Batch:
    ///     Type: AWS::IAM::Role
    ///     Properties:
    ///       PermissionsBoundary: !Ref Limit
    ///       AssumeRolePolicyDocument:
    ///         Version: "2012-10-17"
    ///         Statement:
    ///           - Effect: Allow
    ///             Action: sts:AssumeRole
    ///             Principal:
    ///               Service: batch.amazonaws.com
    /// ```
    /// ## How to fix
    /// List the actions that are granted. To withhold actions from a wider grant, use a Deny or a
    /// permissions boundary.
    pub(crate) static ALLOW_NOTACTION = Rule {
        id: "allow-notaction",
        family: Family::Grant,
        severity: Severity::High,
        confidence: Confidence::High,
        scope: Scope::Module,
        since: "0.1.0",
        cwe: &[269],
        aliases: &["W14", "W15", "W16", "W17", "AwsSolutions-IAM5"],
        mappings: &[("CIS5", "1.15"), ("NIST", "AC-6"), ("NIST", "AC-3"), ("ATT&CK", "T1078.004")],
        references: &[
            "https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_notaction.html",
        ],
        check: check,
    };
}

fn check(cx: &mut Context<'_>) {
    for grant in grants::grants(cx) {
        let statement = grant.statement;
        let actions = statement.actions.listed();
        if statement.effect != Effect::Allow
            || !actions.negated
            || statement.actions.covers_all() == Answer::Must
            || grant.is_narrowed()
        {
            continue;
        }
        let everywhere = statement.resources.covers_all() == Answer::Must;
        let mut open: Vec<Action<'_>> = statement
            .actions
            .must()
            .actions()
            .filter(|action| grants::writes(*action))
            .filter(|action| everywhere || grant.wide(*action).is_some())
            .collect();
        if open.is_empty() {
            continue;
        }
        open.sort_by_key(|action| {
            let flags = action.flags();
            std::cmp::Reverse((
                flags.escalation(),
                action.level() == AccessLevel::PermissionsManagement,
                flags.credentials(),
                flags.exposure(),
            ))
        });
        let worst = open
            .iter()
            .take(5)
            .map(|action| format!("`{action}`"))
            .collect::<Vec<_>>()
            .join(", ");
        let text = format!("{} use {} on wide resources", grant.subject(), statement.actions);
        let report = cx
            .finding(&grant.document.place, &actions.src, text)
            .note(format!("{} write actions are left open, among them {worst}", open.len()))
            .help("list the actions that are granted");
        let report = grant.describe(report);
        cx.report(report);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::Scene;

    fn found(statement: &str) -> Vec<String> {
        Scene::new().statements(statement).places(&ALLOW_NOTACTION)
    }

    #[test]
    fn the_list_is_the_place() {
        assert_eq!(
            found(r#"{"Effect":"Allow","NotAction":["iam:*"],"Resource":"*"}"#),
            [r#"["iam:*"]"#]
        );
    }

    #[test]
    fn harmless_complements_are_silent() {
        for statement in [
            r#"{"Effect":"Deny","NotAction":"iam:*","Resource":"*"}"#,
            r#"{"Effect":"Allow","NotAction":"s3:DeleteBucket","Resource":"arn:aws:s3:::b"}"#,
            r#"{"Effect":"Allow","NotAction":[],"Resource":"*"}"#,
            r#"{"Effect":"Allow","Action":"iam:*","Resource":"*"}"#,
        ] {
            assert_eq!(found(statement), Vec::<String>::new(), "{statement}");
        }
    }

    #[test]
    fn the_worst_actions_come_first() {
        let found = Scene::new()
            .statements(r#"{"Effect":"Allow","NotAction":"ec2:*","Resource":"*"}"#)
            .run(&ALLOW_NOTACTION);
        assert!(found[0].1.notes[0].contains("write actions are left open"));
    }
}
