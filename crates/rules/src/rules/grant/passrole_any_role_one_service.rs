//! `passrole-any-role-one-service`: any role can be handed to a service, stronger ones too.

use crate::escalate::Gain;
use crate::grants::{self, Grant, Wide};
use crate::{Context, Family, Scope, escalate, names};
use overgrant_catalog::catalog;
use overgrant_finding::{Confidence, Severity};
use overgrant_ir::{Identity, IdentityKind};
use overgrant_policy::{Answer, Condition, Effect};

rule! {
    /// Statement passes any role to a service that has stronger roles.
    ///
    /// `iam:PassRole` is allowed on every role and `iam:PassedToService` limits the service. Some role of
    /// this code base that the service assumes has more rights than the holder, or the service itself is
    /// a pattern. Where neither is so the finding is a notice.
    ///
    /// ## Why
    /// Whoever may start something in the service gives it the strongest role that trusts the service, and
    /// works with that role's rights.
    ///
    /// ## Bad
    /// ```terraform bad also:passrole-new-compute
    /// data "aws_iam_policy_document" "lambda" {
    ///   statement {
    ///     actions = ["sts:AssumeRole"]
    ///     principals {
    ///       type        = "Service"
    ///       identifiers = ["lambda.amazonaws.com"]
    ///     }
    ///   }
    /// }
    /// resource "aws_iam_role" "rotate" {
    ///   name               = "rotate"
    ///   assume_role_policy = data.aws_iam_policy_document.lambda.json
    ///   inline_policy {
    ///     name = "rotate"
    ///     policy = jsonencode({
    ///       Version   = "2012-10-17"
    ///       Statement = [{ Effect = "Allow", Action = "iam:*", Resource = "*" }]
    ///     })
    ///   }
    /// }
    /// resource "aws_iam_role" "deploy" {
    ///   name = "deploy"
    ///   assume_role_policy = jsonencode({
    ///     Version   = "2012-10-17"
    ///     Statement = [{ Effect = "Allow", Action = "sts:AssumeRole", Principal = { Service = "codebuild.amazonaws.com" } }]
    ///   })
    /// }
    /// resource "aws_iam_role_policy" "deploy" {
    ///   role = aws_iam_role.deploy.name
    ///   policy = jsonencode({
    ///     Version = "2012-10-17"
    ///     Statement = [{
    ///       Effect    = "Allow"
    ///       Action    = "iam:PassRole"
    ///       Resource  = "*" # <-- here
    ///       Condition = { StringEquals = { "iam:PassedToService" = "lambda.amazonaws.com" } }
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
    ///             Resource: "*" # <-- here
    ///             Condition:
    ///               StringLike:
    ///                 iam:PassedToService: "*.amazonaws.com"
    /// ```
    /// ## Good
    /// Roles are limited by a path:
    /// ```terraform good
    /// resource "aws_iam_policy" "deploy" {
    ///   name = "deploy"
    ///   policy = jsonencode({
    ///     Version = "2012-10-17"
    ///     Statement = [{
    ///       Effect    = "Allow"
    ///       Action    = "iam:PassRole"
    ///       Resource  = "arn:aws:iam::111122223333:role/functions/*"
    ///       Condition = { StringEquals = { "iam:PassedToService" = "lambda.amazonaws.com" } }
    ///     }]
    ///   })
    /// }
    /// ```
    /// Or by the names that the roles of a team begin with:
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
    ///             Resource: !Sub arn:${AWS::Partition}:iam::${AWS::AccountId}:role/app-*
    ///             Condition:
    ///               StringEquals:
    ///                 iam:PassedToService: ecs-tasks.amazonaws.com
    /// ```
    /// Where no role of the code has more rights it is a note:
    /// ```terraform good at:info
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
    /// Name the roles, or give the roles of the service a path of their own and pass only those.
    pub(crate) static PASSROLE_ANY_ROLE_ONE_SERVICE = Rule {
        id: "passrole-any-role-one-service",
        family: Family::Grant,
        severity: Severity::Medium,
        confidence: Confidence::High,
        scope: Scope::Module,
        since: "0.1.0",
        cwe: &[269],
        aliases: &["AWS-0342"],
        mappings: &[("NIST", "AC-6(5)"), ("ATT&CK", "T1078.004")],
        references: &["https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_use_passrole.html"],
        check: check,
    };
}

const KEY: &str = "iam:PassedToService";

fn check(cx: &mut Context<'_>) {
    let Some(pass) = catalog().find_action("iam:PassRole") else {
        return;
    };
    for grant in grants::grants(cx) {
        let statement = grant.statement;
        if statement.effect != Effect::Allow
            || statement.actions.select("iam:PassRole") != Answer::Must
            || grant.wide(pass) != Some(Wide::Account)
        {
            continue;
        }
        let Some(condition) = statement.conditions.on(KEY).find(|one| !one.operator.is_negated())
        else {
            continue;
        };
        let services: Vec<String> = condition.values.iter().map(ToString::to_string).collect();
        let quoted: Vec<String> = services.iter().map(|service| format!("`{service}`")).collect();
        let listed = quoted.join(", ");
        let (deed, severity) = if let Some(wide) = pattern(condition) {
            (
                format!("pass any role in the account to every service that `{wide}` means"),
                Severity::Medium,
            )
        } else if let Some((role, holder, gain)) = stronger(cx, &grant, &services) {
            (
                format!(
                    "pass any role in the account to {listed}, {} too, which has rights that {} lacks",
                    names::identity(role),
                    names::identity(holder)
                ),
                // Credentials of a registry and the like are worth less than an account.
                match gain {
                    Gain::Admin => Severity::Medium,
                    Gain::More => Severity::Low,
                },
            )
        } else {
            (
                format!("pass any role in the account to {listed}"),
                Severity::Info,
            )
        };
        let report = grant
            .finding(cx, &grant.wide_src(pass), deed)
            .severity(severity)
            .label("on every role")
            .help("name the roles that are passed, or a path that only they are under")
            .related(&grant.action_src(pass), "grants iam:PassRole", None);
        cx.report(report);
    }
}

/// The value that means several services.
fn pattern(condition: &Condition) -> Option<String> {
    condition
        .values
        .iter()
        .find(|value| condition.operator.has_wildcards() && value.pattern().has_wildcard())
        .map(ToString::to_string)
}

/// A role that one of the services assumes and that has more rights than a holder; the strongest.
fn stronger<'a>(
    cx: &Context<'a>,
    grant: &Grant<'a>,
    services: &[String],
) -> Option<(&'a Identity, &'a Identity, Gain)> {
    let services: Vec<&str> = services.iter().map(String::as_str).collect();
    let holders = grant
        .holders
        .iter()
        .filter(|holder| !cx.access.is_admin(holder.id).possible());
    holders
        .flat_map(|holder| {
            cx.model
                .of_kind(IdentityKind::Role)
                .filter(|(role, _)| escalate::trusts_service(cx, *role, &services))
                .filter_map(|(id, role)| {
                    Some((role, holder.identity, escalate::gain(cx, holder.id, id)?))
                })
                .collect::<Vec<_>>()
        })
        .rev()
        .max_by_key(|(_, _, gain)| *gain)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::Scene;

    #[test]
    fn each_service_is_named_for_itself() {
        let services = r#"["ec2.amazonaws.com","ecs-tasks.amazonaws.com"]"#;
        let found = Scene::new()
            .statements(&format!(
                r#"{{"Effect":"Allow","Action":"iam:PassRole","Resource":"*","Condition":{{"StringEquals":{{"iam:PassedToService":{services}}}}}}}"#
            ))
            .run(&PASSROLE_ANY_ROLE_ONE_SERVICE);
        let named = |message: &str| message.ends_with("to `ec2.amazonaws.com`, `ecs-tasks.amazonaws.com`");
        assert!(found.iter().any(|(_, finding)| named(&finding.message)));
    }
}
