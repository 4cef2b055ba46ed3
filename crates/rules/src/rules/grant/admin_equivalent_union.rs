//! `admin-equivalent-union`: administration without a statement that says so.

use crate::grants::{self, Grant};
use crate::listed::is_listed;
use crate::{Context, Family, Scope, escalate, names};
use overgrant_catalog::catalog;
use overgrant_finding::{Confidence, Severity};
use overgrant_ir::{Identity, IdentityId, IdentityKind};
use overgrant_policy::{ActionSet, Answer, Effect};
use std::cell::OnceCell;

rule! {
    /// Policies together make an administrator.
    ///
    /// No single statement allows everything, but all that is attached to the principal does together, or
    /// a statement allows all of IAM on everything, which comes to the same.
    ///
    /// ## Why
    /// Lists of many services look like limits and are none: whoever gets hold of the principal takes over
    /// the account.
    ///
    /// ## Bad
    /// ```terraform bad
    /// resource "aws_iam_role" "ops" {
    ///   name = "ops"
    ///   assume_role_policy = jsonencode({
    ///     Version   = "2012-10-17"
    ///     Statement = [{ Effect = "Allow", Action = "sts:AssumeRole", Principal = { Service = "ec2.amazonaws.com" } }]
    ///   })
    /// }
    /// resource "aws_iam_role_policy" "ops" {
    ///   role = aws_iam_role.ops.name
    ///   policy = jsonencode({
    ///     Version = "2012-10-17"
    ///     Statement = [{
    ///       Effect   = "Allow"
    ///       Action   = ["ec2:*", "iam:*"] # <-- here
    ///       Resource = "*"
    ///     }]
    ///   })
    /// }
    /// ```
    /// ```cloudformation bad
    /// Resources:
    ///   Ops:
    ///     Type: AWS::IAM::Role
    ///     Properties:
    ///       AssumeRolePolicyDocument:
    ///         Version: "2012-10-17"
    ///         Statement:
    ///           - Effect: Allow
    ///             Action: sts:AssumeRole
    ///             Principal:
    ///               Service: ec2.amazonaws.com
    ///       Policies:
    ///         - PolicyName: iam
    ///           PolicyDocument:
    ///             Version: "2012-10-17"
    ///             Statement:
    ///               - Effect: Allow
    ///                 Action: iam:* # <-- here
    ///                 Resource: "*"
    /// ```
    /// Several policies of one principal are one finding:
    /// ```terraform bad
    /// resource "aws_iam_role" "lead" {
    ///   name = "lead"
    ///   assume_role_policy = jsonencode({
    ///     Version   = "2012-10-17"
    ///     Statement = [{ Effect = "Allow", Action = "sts:AssumeRole", Principal = { Service = "ec2.amazonaws.com" } }]
    ///   })
    /// }
    /// resource "aws_iam_role_policy" "first" {
    ///   role = aws_iam_role.lead.name
    ///   policy = jsonencode({
    ///     Version   = "2012-10-17"
    ///     Statement = [{ Effect = "Allow", Action = "iam:*", Resource = "*" }] # <-- here
    ///   })
    /// }
    /// resource "aws_iam_role_policy" "second" {
    ///   role = aws_iam_role.lead.name
    ///   policy = jsonencode({
    ///     Version   = "2012-10-17"
    ///     Statement = [{ Effect = "Allow", Action = ["iam:*", "s3:*"], Resource = "*" }]
    ///   })
    /// }
    /// ```
    /// The same as a policy document of Terraform:
    /// ```terraform bad
    /// resource "aws_iam_role" "ops" {
    ///   name = "ops"
    ///   assume_role_policy = jsonencode({
    ///     Version   = "2012-10-17"
    ///     Statement = [{ Effect = "Allow", Action = "sts:AssumeRole", Principal = { Service = "ec2.amazonaws.com" } }]
    ///   })
    /// }
    /// data "aws_iam_policy_document" "ops" {
    ///   statement {
    ///     actions   = ["ec2:*", "iam:*"] # <-- here
    ///     resources = ["*"]
    ///   }
    /// }
    /// resource "aws_iam_role_policy" "ops" {
    ///   role = aws_iam_role.ops.name
    ///   policy = data.aws_iam_policy_document.ops.json
    /// }
    /// ```
    /// ## Good
    /// ```terraform good
    /// resource "aws_iam_role" "audit" {
    ///   name = "audit"
    ///   assume_role_policy = jsonencode({
    ///     Version   = "2012-10-17"
    ///     Statement = [{ Effect = "Allow", Action = "sts:AssumeRole", Principal = { Service = "ec2.amazonaws.com" } }]
    ///   })
    /// }
    /// resource "aws_iam_role_policy" "audit" {
    ///   role = aws_iam_role.audit.name
    ///   policy = jsonencode({
    ///     Version = "2012-10-17"
    ///     Statement = [{
    ///       Effect   = "Allow"
    ///       Action   = ["iam:Get*", "iam:List*"]
    ///       Resource = "*"
    ///     }]
    ///   })
    /// }
    /// ```
    /// ```cloudformation good
    /// Resources:
    ///   Audit:
    ///     Type: AWS::IAM::ManagedPolicy
    ///     Properties:
    ///       PolicyDocument:
    ///         Version: "2012-10-17"
    ///         Statement:
    ///           - Effect: Allow
    ///             Action: [iam:Get*, iam:List*]
    ///             Resource: "*"
    /// ```
    /// A statement that allows everything is another rule's:
    /// ```terraform good also:admin-star-star
    /// resource "aws_iam_role" "ops" {
    ///   name = "ops"
    ///   assume_role_policy = jsonencode({
    ///     Version   = "2012-10-17"
    ///     Statement = [{ Effect = "Allow", Action = "sts:AssumeRole", Principal = { Service = "codebuild.amazonaws.com" } }]
    ///   })
    /// }
    /// resource "aws_iam_role_policy" "ops" {
    ///   role = aws_iam_role.ops.name
    ///   policy = jsonencode({
    ///     Version = "2012-10-17"
    ///     Statement = [
    ///       { Effect = "Allow", Action = "iam:Get*", Resource = "*" },
    ///       { Effect = "Allow", Action = "*", Resource = "*" },
    ///     ]
    ///   })
    /// }
    /// ```
    /// A boundary counts, and so does a Deny:
    /// ```terraform good
    /// resource "aws_iam_policy" "limit" {
    ///   name = "limit"
    ///   policy = jsonencode({
    ///     Version   = "2012-10-17"
    ///     Statement = [{ Effect = "Allow", Action = ["ec2:*", "iam:Get*", "iam:List*"], Resource = "*" }]
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
    ///     Statement = [{ Effect = "Allow", Action = "iam:*", Resource = "*" }]
    ///   })
    /// }
    /// resource "aws_iam_role" "denied" {
    ///   name = "denied"
    ///   assume_role_policy = jsonencode({
    ///     Version   = "2012-10-17"
    ///     Statement = [{ Effect = "Allow", Action = "sts:AssumeRole", Principal = { Service = "codebuild.amazonaws.com" } }]
    ///   })
    /// }
    /// resource "aws_iam_role_policy" "denied" {
    ///   role = aws_iam_role.denied.name
    ///   policy = jsonencode({
    ///     Version = "2012-10-17"
    ///     Statement = [
    ///       { Effect = "Allow", Action = "iam:*", Resource = "*" },
    ///       { Effect = "Deny", NotAction = ["iam:Get*", "iam:List*"], Resource = "*" },
    ///     ]
    ///   })
    /// }
    /// ```
    /// AWS wrote what a service-linked role may do:
    /// ```terraform good
    /// resource "aws_iam_service_linked_role" "organizations" {
    ///   aws_service_name = "organizations.amazonaws.com"
    /// }
    /// ```
    /// ## How to fix
    /// Split the duties among several principals, and take the writing actions of IAM away or limit them by
    /// a permissions boundary.
    pub(crate) static ADMIN_EQUIVALENT_UNION = Rule {
        id: "admin-equivalent-union",
        family: Family::Grant,
        severity: Severity::Critical,
        confidence: Confidence::High,
        scope: Scope::Module,
        since: "0.1.0",
        cwe: &[269],
        aliases: &[],
        mappings: &[
            ("CIS5", "1.15"),
            ("FSBP", "IAM.1"),
            ("NIST", "AC-6"),
            ("NIST", "AC-3"),
            ("ATT&CK", "T1078.004"),
        ],
        references: &[
            "https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic.html",
        ],
        check: check,
    };
}

fn check(cx: &mut Context<'_>) {
    let writes: ActionSet = ActionSet::matching("iam:*")
        .actions()
        .filter(|action| grants::writes(*action))
        .map(|action| action.id())
        .collect();
    let all = OnceCell::new();
    for (id, identity) in escalate::callers(cx) {
        let alone = cx
            .access
            .policies(id)
            .iter()
            .flat_map(|attached| &attached.document.statements)
            .any(|statement| statement.grants_admin().possible());
        // One statement is `admin-star-star`, AWS's policies are `managed-administratoraccess`.
        if alone || is_listed(&cx.settings.break_glass, identity) {
            continue;
        }
        if !all_of_iam(cx, id, identity, &writes, &all) && escalate::is_admin(cx, id) {
            together(cx, identity);
        }
    }
    // A group may have its members from elsewhere.
    for (id, group) in cx.model.of_kind(IdentityKind::Group) {
        all_of_iam(cx, id, group, &writes, &all);
    }
}

/// A statement that surely allows all writing actions of IAM on everything.
fn all_of_iam<'a>(
    cx: &mut Context<'a>,
    id: IdentityId,
    identity: &Identity,
    writes: &ActionSet,
    all: &OnceCell<Vec<Grant<'a>>>,
) -> bool {
    // What a Deny or a boundary takes away counts.
    if !cx.access.actions_on_everything(id).is_superset(writes) {
        return false;
    }
    let Some(first) = catalog().find_action("iam:CreatePolicyVersion") else {
        return false;
    };
    for grant in all.get_or_init(|| grants::grants(cx)) {
        let statement = grant.statement;
        let own = grant
            .holders
            .iter()
            .any(|holder| holder.identity.place.address == identity.place.address);
        if !own
            || statement.effect != Effect::Allow
            || grant.is_narrowed()
            || statement.resources.covers_all() != Answer::Must
            || !statement.actions.must().is_superset(writes)
        {
            continue;
        }
        let text = format!(
            "{} is administrator: it may use all of IAM on every resource",
            names::identity(identity)
        );
        let report = cx
            .finding(&grant.document.place, &grant.action_src(first), text)
            .help("take the writing actions of IAM away or limit them by a permissions boundary");
        let report = grant.describe(report);
        cx.report(report);
        return true;
    }
    false
}

fn together(cx: &mut Context<'_>, identity: &Identity) {
    let text = format!(
        "{} is administrator by all its policies together",
        names::identity(identity)
    );
    let report = cx
        .finding(&identity.place, &identity.place.name_src, text)
        .cell("union")
        .principal(&identity.place)
        .help("split the duties and take the writing actions of IAM away");
    cx.report(report);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::Scene;

    fn found(statements: &str) -> Vec<String> {
        let text = statements.replace('"', "\\\"");
        Scene::new()
            .resource("aws_iam_role", "ops", r#"{"name":"ops"}"#)
            .resource(
                "aws_iam_role_policy",
                "ops",
                &format!(r#"{{"role":"ops","policy":"{{\"Statement\":[{text}]}}"}}"#),
            )
            .run(&ADMIN_EQUIVALENT_UNION)
            .into_iter()
            .map(|(_, finding)| finding.message)
            .collect()
    }

    #[test]
    fn all_of_iam_is_administration() {
        let iam = r#"{"Effect":"Allow","Action":["ec2:*","i?m:*"],"Resource":"*"}"#;
        assert_eq!(found(iam).len(), 1);
        let denied = format!(r#"{iam},{{"Effect":"Deny","Action":"iam:*Policy*","Resource":"*"}}"#);
        assert_eq!(found(&denied).len(), 0);
    }

    #[test]
    fn one_statement_is_another_rule() {
        assert_eq!(found(r#"{"Effect":"Allow","Action":"*","Resource":"*"}"#).len(), 0);
        assert_eq!(found(r#"{"Effect":"Allow","Action":"iam:Get*","Resource":"*"}"#).len(), 0);
    }

    #[test]
    fn halves_make_a_whole() {
        let halves = [
            r#"{"Effect":"Allow","NotAction":"iam:Put*","Resource":"*"}"#,
            r#"{"Effect":"Allow","Action":"iam:Put*","Resource":"*"}"#,
        ]
        .join(",");
        assert_eq!(
            found(&halves),
            ["role `ops` is administrator by all its policies together"]
        );
    }
}
