//! `trust-policy-rewrite`: letting oneself into any role.

use crate::grants::{self, Grant};
use crate::listed::is_listed;
use crate::{Context, Family, Scope, escalate, names};
use overgrant_catalog::catalog;
use overgrant_finding::{Confidence, Severity};
use overgrant_ir::{DocumentRole, Identity, IdentityId, IdentityKind};
use overgrant_policy::{Answer, Effect};

rule! {
    /// Principal can rewrite the trust of stronger roles.
    ///
    /// `iam:UpdateAssumeRolePolicy` is allowed on every role, or on one that is administrator.
    ///
    /// ## Why
    /// A trust policy says who may become the role. Who may write it enters itself and assumes the role
    /// in the next call, administrator roles first.
    ///
    /// ## Bad
    /// ```terraform bad
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
    ///       Effect   = "Allow"
    ///       Action   = "iam:UpdateAssumeRolePolicy"
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
    ///             Action: iam:UpdateAssumeRolePolicy
    ///             Resource: "*" # <-- here
    /// ```
    /// A role that deploys, by the configuration, is a lesser finding:
    /// ```terraform bad deployer_roles:deploy at:high
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
    ///     Version   = "2012-10-17"
    ///     Statement = [{ Effect = "Allow", Action = "iam:UpdateAssumeRolePolicy", Resource = "*" }] # <-- here
    ///   })
    /// }
    /// ```
    /// The same as a policy document of Terraform:
    /// ```terraform bad
    /// resource "aws_iam_role" "deploy" {
    ///   name = "deploy"
    ///   assume_role_policy = jsonencode({
    ///     Version   = "2012-10-17"
    ///     Statement = [{ Effect = "Allow", Action = "sts:AssumeRole", Principal = { Service = "codebuild.amazonaws.com" } }]
    ///   })
    /// }
    /// data "aws_iam_policy_document" "deploy" {
    ///   statement {
    ///     actions   = ["iam:UpdateAssumeRolePolicy"]
    ///     resources = ["*"] # <-- here
    ///   }
    /// }
    /// resource "aws_iam_role_policy" "deploy" {
    ///   role = aws_iam_role.deploy.name
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
    ///       Effect   = "Allow"
    ///       Action   = "iam:UpdateAssumeRolePolicy"
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
    ///             Action: iam:UpdateAssumeRolePolicy
    ///             Resource: !Sub arn:${AWS::Partition}:iam::${AWS::AccountId}:role/app/*
    /// ```
    /// Who administers the account by another statement gains nothing:
    /// ```terraform good also:admin-star-star,star-resource-on-scopable-write
    /// resource "aws_iam_role" "admin" {
    ///   name = "admin"
    ///   assume_role_policy = jsonencode({
    ///     Version   = "2012-10-17"
    ///     Statement = [{ Effect = "Allow", Action = "sts:AssumeRole", Principal = { Service = "codebuild.amazonaws.com" } }]
    ///   })
    /// }
    /// resource "aws_iam_role_policy" "admin" {
    ///   role = aws_iam_role.admin.name
    ///   policy = jsonencode({
    ///     Version = "2012-10-17"
    ///     Statement = [
    ///       { Effect = "Allow", Action = "*", Resource = "*" },
    ///       { Effect = "Allow", Action = "iam:UpdateAssumeRolePolicy", Resource = "*" },
    ///     ]
    ///   })
    /// }
    /// ```
    /// ## How to fix
    /// Limit the statement to a path that holds no role stronger than the caller.
    pub(crate) static TRUST_POLICY_REWRITE = Rule {
        id: "trust-policy-rewrite",
        family: Family::Escalation,
        severity: Severity::Critical,
        confidence: Confidence::High,
        scope: Scope::Module,
        since: "0.1.0",
        cwe: &[269, 250],
        aliases: &[],
        mappings: &[
            ("ATT&CK", "T1098.003"),
            ("NIST", "AC-6(5)"),
            ("NIST", "AC-6(10)"),
            ("NIST", "AC-2(7)"),
        ],
        references: &[
            "https://docs.aws.amazon.com/IAM/latest/APIReference/API_UpdateAssumeRolePolicy.html",
            "https://pathfinding.cloud",
        ],
        check: check,
    };
}

const ACTION: &str = "iam:UpdateAssumeRolePolicy";

fn check(cx: &mut Context<'_>) {
    let Some(action) = catalog().find_action(ACTION) else {
        return;
    };
    for grant in grants::grants(cx) {
        let statement = grant.statement;
        if statement.effect != Effect::Allow
            || statement.actions.covers_all() == Answer::Must
            || statement.actions.select(ACTION) != Answer::Must
            || !grant.leaves(action)
            || grant.is_narrowed()
            || has_more(cx, &grant)
        {
            continue;
        }
        let (what, src) = if grant.wide(action).is_some() {
            ("any role".to_owned(), grant.wide_src(action))
        } else {
            let Some((id, role)) = stronger(cx, &grant) else { continue };
            let name = names::plain(role);
            let what = if escalate::is_admin(cx, id) {
                format!("the administrator `{name}`")
            } else {
                format!("`{name}`, which can become administrator,")
            };
            let mut items = statement.resources.listed().items.iter();
            let named = items.find(|item| item.matches(&role.arn) == Answer::Must);
            let src = named.map_or_else(|| grant.wide_src(action), |item| item.pattern().src().clone());
            (what, src)
        };
        let mut report = grant
            .finding(cx, &src, format!("rewrite the trust policy of {what} and assume it"))
            .path("PE-IAM-012")
            .help("limit the statement to a path without stronger roles");
        let listed = |list: &[String]| {
            !grant.holders.is_empty()
                && grant
                    .holders
                    .iter()
                    .all(|holder| is_listed(list, holder.identity))
        };
        if grant.holders.is_empty() && grant.document.role == DocumentRole::Managed {
            report = report
                .severity(Severity::High)
                .note("nothing in this code base is attached to it");
        } else if listed(&cx.settings.deployer_roles) {
            report = report
                .severity(Severity::High)
                .note("every holder is a declared deployer");
        }
        let report = grant
            .describe(report)
            .related(&grant.action_src(action), "grants the action", None);
        cx.report(report);
    }
}

/// Whether every holder is administrator by another statement.
fn has_more(cx: &Context<'_>, grant: &Grant<'_>) -> bool {
    !grant.holders.is_empty()
        && grant.holders.iter().all(|holder| {
            let mut policies = cx.access.policies(holder.id).iter();
            escalate::is_admin(cx, holder.id)
                && policies.any(|attached| {
                    let mut statements = attached.document.statements.iter();
                    statements.any(|statement| statement.grants_admin() == Answer::Must)
                })
        })
}

/// An administrator role of the model that the statement names and that does not hold it.
fn stronger<'a>(cx: &Context<'a>, grant: &Grant<'_>) -> Option<(IdentityId, &'a Identity)> {
    let model = cx.model;
    let resources = &grant.statement.resources;
    // The same role, as another way to deploy it makes it: a template beside a module. Where its name is left
    // open here, it may be any of those that the statement names.
    let is_twin = |role: &Identity| {
        grant.holders.iter().any(|holder| {
            let holder = holder.identity;
            holder.place.root != role.place.root
                && match holder.name.as_known() {
                    Some(name) => role.name.as_known() == Some(name),
                    None => resources.select(&holder.arn).possible(),
                }
        })
    };
    model
        .of_kind(IdentityKind::Role)
        .filter(|(_, role)| {
            !grant
                .holders
                .iter()
                .any(|holder| holder.identity.place.address == role.place.address)
        })
        .filter(|(_, role)| !is_twin(role))
        .filter(|(_, role)| grant.statement.resources.select(&role.arn) == Answer::Must)
        .find(|(id, _)| escalate::reaches_admin(cx, *id))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{Scene, inline, trusting};

    fn found(action: &str, resource: &str) -> Vec<Severity> {
        Scene::new()
            .statements(&format!(
                r#"{{"Effect":"Allow","Action":"{action}","Resource":"{resource}"}}"#
            ))
            .run(&TRUST_POLICY_REWRITE)
            .into_iter()
            .map(|(_, finding)| finding.severity)
            .collect()
    }

    /// How often the role `deploy` of one root is told of where another root has an administrator of this name.
    fn beside(holder: &str, admin: &str) -> usize {
        let rewrites = r#"{"Effect":"Allow","Action":"iam:UpdateAssumeRolePolicy","Resource":"arn:aws:iam::*:role/acme-*"}"#;
        let all = r#"{"Effect":"Allow","Action":"*","Resource":"*"}"#;
        let service = r#"{"Service":"codebuild.amazonaws.com"}"#;
        Scene::new()
            .resource("aws_iam_role", "deploy", &trusting(holder, service))
            .in_root("a")
            .resource("aws_iam_role_policy", "deploy", &inline(holder, rewrites))
            .in_root("a")
            .resource("aws_iam_role", "admin", &trusting(admin, service))
            .in_root("b")
            .resource("aws_iam_role_policy", "admin", &inline(admin, all))
            .in_root("b")
            .run(&TRUST_POLICY_REWRITE)
            .len()
    }

    #[test]
    fn the_same_role_of_another_root_is_no_target() {
        assert_eq!(beside("updater", "acme-admin"), 1);
        assert_eq!(beside("acme-updater", "acme-admin"), 1);
        assert_eq!(beside("acme-admin", "acme-admin"), 0);
    }

    #[test]
    fn every_role_is_too_much() {
        assert_eq!(found("iam:UpdateAssumeRolePolicy", "*"), [Severity::High]);
        assert_eq!(found("iam:Update*", "arn:aws:iam::123456789012:role/*"), [Severity::High]);
        assert_eq!(found("iam:UpdateAssumeRolePolicy", "arn:aws:iam::*:role/app/*"), []);
        assert_eq!(found("iam:UpdateRole", "*"), []);
    }
}
