//! `passrole-any-role-any-service`: any role to any service.

use crate::grants::{self, Grant, Wide};
use crate::{Context, Family, Scope};
use overgrant_catalog::catalog;
use overgrant_finding::{Confidence, Severity};
use overgrant_policy::{Answer, Conditions, Effect};

rule! {
    /// Any role can be passed to any service.
    ///
    /// `iam:PassRole` is allowed on every role of the account and without the condition
    /// `iam:PassedToService`.
    ///
    /// ## Why
    /// Who may also create something that runs with a role, be it a function, an instance, a task or a
    /// stack, can have it run with the strongest role that the service can assume, and so take on
    /// rights that nobody granted.
    ///
    /// ## Bad
    /// ```terraform bad
    /// resource "aws_iam_policy" "deploy" {
    ///   name = "deploy"
    ///   policy = jsonencode({
    ///     Version = "2012-10-17"
    ///     Statement = [{
    ///       Effect   = "Allow"
    ///       Action   = "iam:PassRole"
    ///       Resource = "*" # <-- here
    ///     }]
    ///   })
    /// }
    /// ```
    /// ```cloudformation bad
    /// Resources:
    ///   Deploy:
    ///     Type: AWS::IAM::ManagedPolicy
    ///     Properties:
    ///       PolicyDocument:
    ///         Version: "2012-10-17"
    ///         Statement:
    ///           - Effect: Allow
    ///             Action: iam:PassRole
    ///             Resource: !Sub arn:${AWS::Partition}:iam::${AWS::AccountId}:role/* # <-- here
    /// ```
    /// The same as a policy document of Terraform:
    /// ```terraform bad
    /// data "aws_iam_policy_document" "deploy" {
    ///   statement {
    ///     actions   = ["iam:PassRole"]
    ///     resources = ["*"] # <-- here
    ///   }
    /// }
    /// resource "aws_iam_policy" "deploy" {
    ///   name = "deploy"
    ///   policy = data.aws_iam_policy_document.deploy.json
    /// }
    /// ```
    /// ## Good
    /// ```terraform good
    /// resource "aws_iam_policy" "deploy" {
    ///   name = "deploy"
    ///   policy = jsonencode({
    ///     Version = "2012-10-17"
    ///     Statement = [{
    ///       Effect    = "Allow"
    ///       Action    = "iam:PassRole"
    ///       Resource  = "arn:aws:iam::123456789012:role/app-task"
    ///       Condition = { StringEquals = { "iam:PassedToService" = "ecs-tasks.amazonaws.com" } }
    ///     }]
    ///   })
    /// }
    /// ```
    /// A path or a name prefix limits the roles:
    /// ```terraform good
    /// resource "aws_iam_policy" "deploy" {
    ///   name = "deploy"
    ///   policy = jsonencode({
    ///     Version = "2012-10-17"
    ///     Statement = [{
    ///       Effect   = "Allow"
    ///       Action   = "iam:PassRole"
    ///       Resource = "arn:aws:iam::123456789012:role/app/*"
    ///     }]
    ///   })
    /// }
    /// ```
    /// ```cloudformation good
    /// Resources:
    ///   Deploy:
    ///     Type: AWS::IAM::ManagedPolicy
    ///     Properties:
    ///       PolicyDocument:
    ///         Version: "2012-10-17"
    ///         Statement:
    ///           - Effect: Allow
    ///             Action: iam:PassRole
    ///             Resource: !Sub arn:${AWS::Partition}:iam::${AWS::AccountId}:role/app-task
    ///             Condition:
    ///               StringEquals:
    ///                 iam:PassedToService: ecs-tasks.amazonaws.com
    /// ```
    /// A Deny takes it away, and so does a boundary without it:
    /// ```terraform good
    /// resource "aws_iam_policy" "limit" {
    ///   name = "limit"
    ///   policy = jsonencode({
    ///     Version   = "2012-10-17"
    ///     Statement = [{ Effect = "Allow", Action = ["ecs:*", "iam:Get*"], Resource = "*" }]
    ///   })
    /// }
    /// resource "aws_iam_role" "bounded" {
    ///   name                 = "bounded"
    ///   permissions_boundary = aws_iam_policy.limit.arn
    ///   assume_role_policy = jsonencode({
    ///     Version   = "2012-10-17"
    ///     Statement = [{ Effect = "Allow", Action = "sts:AssumeRole", Principal = { Service = "codebuild.amazonaws.com" } }]
    ///   })
    /// }
    /// resource "aws_iam_role_policy" "bounded" {
    ///   role = aws_iam_role.bounded.name
    ///   policy = jsonencode({
    ///     Version   = "2012-10-17"
    ///     Statement = [{ Effect = "Allow", Action = "iam:PassRole", Resource = "*" }]
    ///   })
    /// }
    /// ```
    /// ```terraform good
    /// resource "aws_iam_policy" "deploy" {
    ///   name = "deploy"
    ///   policy = jsonencode({
    ///     Version = "2012-10-17"
    ///     Statement = [
    ///       { Effect = "Allow", Action = ["iam:PassRole", "iam:GetRole"], Resource = "*" },
    ///       { Effect = "Deny", Action = "iam:PassRole", Resource = "*" },
    ///     ]
    ///   })
    /// }
    /// ```
    /// One service is another rule's:
    /// ```terraform good
    /// resource "aws_iam_policy" "deploy" {
    ///   name = "deploy"
    ///   policy = jsonencode({
    ///     Version = "2012-10-17"
    ///     Statement = [{
    ///       Effect    = "Allow"
    ///       Action    = "iam:PassRole"
    ///       Resource  = "*"
    ///       Condition = { StringEquals = { "iam:PassedToService" = "lambda.amazonaws.com" } }
    ///     }]
    ///   })
    /// }
    /// ```
    /// ## How to fix
    /// Name the roles that are passed and add the condition `iam:PassedToService` with the service that
    /// gets them. A condition on tags of the role is not reliable for this action.
    pub(crate) static PASSROLE_ANY_ROLE_ANY_SERVICE = Rule {
        id: "passrole-any-role-any-service",
        family: Family::Grant,
        severity: Severity::High,
        confidence: Confidence::High,
        scope: Scope::Module,
        since: "0.1.0",
        cwe: &[269],
        aliases: &["F38", "F39", "F40", "AWS-0342", "PASS_ROLE_WITH_STAR_IN_RESOURCE"],
        mappings: &[
            ("FSBP", "IAM.21"),
            ("ATT&CK", "T1098.003"),
            ("NIST", "AC-6"),
            ("NIST", "AC-3"),
        ],
        references: &[
            "https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_use_passrole.html",
        ],
        check: check,
    };
}

fn check(cx: &mut Context<'_>) {
    let Some(pass) = catalog().find_action("iam:PassRole") else {
        return;
    };
    for grant in grants::grants(cx) {
        let statement = grant.statement;
        if statement.effect != Effect::Allow
            || statement.actions.covers_all() == Answer::Must
            || statement.actions.select("iam:PassRole") != Answer::Must
            || is_limited(&grant)
            || grant.wide(pass) != Some(Wide::Account)
        {
            continue;
        }
        let deed = "pass any role in the account to any service".to_owned();
        let report = grant
            .finding(cx, &grant.wide_src(pass), deed)
            .label("on every role")
            .help("name the roles and add the condition iam:PassedToService")
            .related(&grant.action_src(pass), "grants iam:PassRole", None);
        cx.report(report);
    }
}

/// Whether a condition limits what is passed; tags of the role do not.
fn is_limited(grant: &Grant<'_>) -> bool {
    let conditions = &grant.statement.conditions;
    let others = Conditions {
        items: conditions
            .items
            .iter()
            .filter(|condition| {
                !condition
                    .key
                    .spelling()
                    .is_some_and(|key| key.starts_with("aws:resourcetag/") || key.starts_with("iam:resourcetag/"))
            })
            .cloned()
            .collect(),
        ..conditions.clone()
    };
    others.narrows().possible()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::Scene;

    fn found(action: &str, resource: &str, condition: &str) -> Vec<String> {
        Scene::new()
            .statements(&format!(
                r#"{{"Effect":"Allow","Action":"{action}","Resource":"{resource}"{condition}}}"#
            ))
            .places(&PASSROLE_ANY_ROLE_ANY_SERVICE)
    }

    #[test]
    fn every_spelling_is_found() {
        assert_eq!(found("iam:PassRole", "*", ""), [r#""*""#]);
        assert_eq!(found("IAM:Pass*", "arn:aws:iam::*:role/*", "").len(), 1);
        assert_eq!(found("iam:*", "arn:aws:iam::123456789012:role/*", "").len(), 1);
        let tag = r#","Condition":{"StringEquals":{"aws:ResourceTag/a":"b"}}"#;
        assert_eq!(found("iam:PassRole", "*", tag).len(), 1);
        let any = r#","Condition":{"StringLike":{"iam:PassedToService":"*"}}"#;
        assert_eq!(found("iam:PassRole", "*", any).len(), 1);
    }

    #[test]
    fn limits_are_heeded() {
        let to = r#","Condition":{"StringEquals":{"iam:PassedToService":"lambda.amazonaws.com"}}"#;
        let none: Vec<String> = Vec::new();
        assert_eq!(found("iam:PassRole", "*", to), none);
        assert_eq!(found("iam:PassRole", "arn:aws:iam::*:role/app-*", ""), none);
        assert_eq!(found("iam:GetRole", "*", ""), none);
    }
}
