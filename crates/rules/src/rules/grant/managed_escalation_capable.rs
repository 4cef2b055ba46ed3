//! `managed-escalation-capable`: AWS-managed policies that lead to administration.

use crate::listed::is_listed;
use crate::managed::{self, Usage};
use crate::{Context, Family, Scope};
use overgrant_catalog::{Category, EscalationPath};
use overgrant_finding::{Confidence, Severity};
use overgrant_policy::{Answer, managed_document};
use std::collections::BTreeMap;

rule! {
    /// Attached AWS managed policy opens a way to more rights.
    ///
    /// The policy of AWS that is attached allows, on the whole account, the steps of a known way to gain
    /// rights: writing policies, making credentials, or running new compute with any role.
    ///
    /// ## Why
    /// Its name reads like rights in one service, but whoever gets hold of the principal can go on to
    /// other roles and users of the account, administrators first.
    ///
    /// ## Bad
    /// ```terraform bad
    /// resource "aws_iam_role" "app" {
    ///   name = "app"
    ///   assume_role_policy = jsonencode({
    ///     Version   = "2012-10-17"
    ///     Statement = [{ Effect = "Allow", Action = "sts:AssumeRole", Principal = { Service = "lambda.amazonaws.com" } }]
    ///   })
    /// }
    /// resource "aws_iam_role_policy_attachment" "app" {
    ///   role       = aws_iam_role.app.name
    ///   policy_arn = "arn:aws:iam::aws:policy/IAMFullAccess" # <-- here
    /// }
    /// ```
    /// ```cloudformation bad
    /// Resources:
    ///   App:
    ///     Type: AWS::IAM::Role
    ///     Properties:
    ///       AssumeRolePolicyDocument:
    ///         Version: "2012-10-17"
    ///         Statement:
    ///           - Effect: Allow
    ///             Action: sts:AssumeRole
    ///             Principal:
    ///               Service: lambda.amazonaws.com
    ///       ManagedPolicyArns:
    ///         - arn:aws:iam::aws:policy/IAMFullAccess # <-- here
    /// ```
    /// ## Good
    /// ```terraform good
    /// resource "aws_iam_role" "app" {
    ///   name = "app"
    ///   assume_role_policy = jsonencode({
    ///     Version   = "2012-10-17"
    ///     Statement = [{ Effect = "Allow", Action = "sts:AssumeRole", Principal = { Service = "lambda.amazonaws.com" } }]
    ///   })
    /// }
    /// resource "aws_iam_role_policy_attachment" "app" {
    ///   role       = aws_iam_role.app.name
    ///   policy_arn = "arn:aws:iam::aws:policy/SecurityAudit"
    /// }
    /// ```
    /// ```cloudformation good
    /// Resources:
    ///   App:
    ///     Type: AWS::IAM::Role
    ///     Properties:
    ///       AssumeRolePolicyDocument:
    ///         Version: "2012-10-17"
    ///         Statement:
    ///           - Effect: Allow
    ///             Action: sts:AssumeRole
    ///             Principal:
    ///               Service: lambda.amazonaws.com
    ///       ManagedPolicyArns:
    ///         - arn:aws:iam::aws:policy/SecurityAudit
    /// ```
    /// A service needs the policy that AWS made for it:
    /// ```terraform good
    /// resource "aws_iam_role" "cluster" {
    ///   name = "cluster"
    ///   assume_role_policy = jsonencode({
    ///     Version = "2012-10-17"
    ///     Statement = [{
    ///       Effect    = "Allow"
    ///       Action    = ["sts:AssumeRole", "sts:TagSession"]
    ///       Principal = { Service = "eks.amazonaws.com" }
    ///     }]
    ///   })
    /// }
    /// resource "aws_iam_role_policy_attachment" "compute" {
    ///   role       = aws_iam_role.cluster.name
    ///   policy_arn = "arn:aws:iam::aws:policy/AmazonEKSComputePolicy"
    /// }
    /// ```
    /// Execution roles of SageMaker are set up with a policy that passes roles to it; that is low:
    /// ```cloudformation good at:low
    /// Resources:
    ///   Notebook:
    ///     Type: AWS::IAM::Role
    ///     Properties:
    ///       AssumeRolePolicyDocument:
    ///         Version: "2012-10-17"
    ///         Statement:
    ///           - Effect: Allow
    ///             Action: sts:AssumeRole
    ///             Principal:
    ///               Service: sagemaker.amazonaws.com
    ///       ManagedPolicyArns:
    ///         - arn:aws:iam::aws:policy/AmazonSageMakerFullAccess
    /// ```
    /// A boundary closes the way:
    /// ```terraform good
    /// resource "aws_iam_policy" "limit" {
    ///   name = "limit"
    ///   policy = jsonencode({
    ///     Version   = "2012-10-17"
    ///     Statement = [{ Effect = "Allow", Action = ["s3:*", "iam:Get*"], Resource = "*" }]
    ///   })
    /// }
    /// resource "aws_iam_role" "app" {
    ///   name                 = "app"
    ///   permissions_boundary = aws_iam_policy.limit.arn
    ///   assume_role_policy = jsonencode({
    ///     Version   = "2012-10-17"
    ///     Statement = [{ Effect = "Allow", Action = "sts:AssumeRole", Principal = { Service = "lambda.amazonaws.com" } }]
    ///   })
    /// }
    /// resource "aws_iam_role_policy_attachment" "app" {
    ///   role       = aws_iam_role.app.name
    ///   policy_arn = "arn:aws:iam::aws:policy/IAMFullAccess"
    /// }
    /// ```
    /// A policy of AWS that is not in the data is not guessed at:
    /// ```terraform good
    /// resource "aws_iam_role" "new" {
    ///   name = "new"
    ///   assume_role_policy = jsonencode({
    ///     Version   = "2012-10-17"
    ///     Statement = [{ Effect = "Allow", Action = "sts:AssumeRole", Principal = { Service = "lambda.amazonaws.com" } }]
    ///   })
    /// }
    /// resource "aws_iam_role_policy_attachment" "new" {
    ///   role       = aws_iam_role.new.name
    ///   policy_arn = "arn:aws:iam::aws:policy/${var.policy}"
    /// }
    /// variable "policy" { type = string }
    /// ```
    /// ## How to fix
    /// Write a policy with the actions that are needed, and name the roles that are passed.
    pub(crate) static MANAGED_ESCALATION_CAPABLE = Rule {
        id: "managed-escalation-capable",
        family: Family::Grant,
        severity: Severity::High,
        confidence: Confidence::Medium,
        scope: Scope::Module,
        since: "0.1.0",
        cwe: &[269],
        aliases: &["CKV_AWS_275", "W44", "AwsSolutions-IAM4"],
        mappings: &[("FSBP", "IAM.1"), ("NIST", "AC-6(5)"), ("ATT&CK", "T1078.004")],
        references: &[
            "https://docs.aws.amazon.com/IAM/latest/UserGuide/access_policies_managed-vs-inline.html",
            "https://pathfinding.cloud",
        ],
        check: check,
    };
}

fn check(cx: &mut Context<'_>) {
    let mut known: BTreeMap<&str, Option<&'static EscalationPath>> = BTreeMap::new();
    for one in managed::attached(cx) {
        let name = one.policy.path_and_name();
        let path = *known.entry(name).or_insert_with(|| {
            let document = managed_document(one.policy);
            let everything = document
                .statements
                .iter()
                .any(|statement| statement.grants_admin() == Answer::Must);
            // That is `managed-administratoraccess`.
            if everything { None } else { managed::opens(&document) }
        });
        let Some(path) = path else { continue };
        let accepted = one.is_bounded(cx)
            || one.identity.is_some_and(|(_, identity)| {
                is_listed(&cx.settings.deployer_roles, identity)
                    || is_listed(&cx.settings.break_glass, identity)
            });
        // What a service role of AWS holds, AWS has weighed.
        let weighed = name.starts_with("service-role/")
            || name.starts_with("aws-service-role/")
            || one.is_made_for_its_service(cx);
        if accepted || weighed {
            continue;
        }
        let severity = match one.usage(cx) {
            _ if one.is_prescribed(cx) => Severity::Low,
            Usage::People | Usage::Workload => Severity::High,
            Usage::Assumed | Usage::Other => Severity::Medium,
        };
        let way = match path.category {
            Category::SelfEscalation => "can grant itself any right",
            // A member account has no permission sets to give.
            Category::PrincipalAccess if is_by_sets(path) => {
                "can give people any right where its account manages IAM Identity Center"
            }
            Category::PrincipalAccess => "can become other users or roles",
            _ => "can run code with any role that trusts the service",
        };
        let text = format!("{} {way}: it has `{}`", one.holder(), one.policy.name());
        let legs = path
            .legs
            .iter()
            .filter_map(|group| group.first())
            .map(|leg| leg.action)
            .collect::<Vec<_>>()
            .join(" + ");
        let mut report = cx
            .finding(&one.attachment.place, &one.attachment.policy.src, text)
            .cell(name)
            .when(&one.attachment.policy.guard)
            .severity(severity)
            .path(path.id)
            .note(format!("path: {legs} ({})", path.id))
            .help("write a policy with the actions that are needed, and name the roles that are passed");
        if let Some((_, identity)) = one.identity {
            report = report.principal(&identity.place);
        }
        cx.report(report);
    }
}

/// Whether the way leads over IAM Identity Center.
fn is_by_sets(path: &EscalationPath) -> bool {
    let mut legs = path.legs.iter().flat_map(|group| group.iter());
    legs.any(|leg| leg.action.starts_with("sso:"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::Scene;

    fn found(policy: &str) -> usize {
        Scene::new()
            .resource("aws_iam_user", "u", r#"{"name":"u"}"#)
            .resource(
                "aws_iam_user_policy_attachment",
                "u",
                &format!(r#"{{"user":"u","policy_arn":"arn:aws:iam::aws:policy/{policy}"}}"#),
            )
            .run(&MANAGED_ESCALATION_CAPABLE)
            .len()
    }

    #[test]
    fn documents_decide_and_not_names() {
        assert_eq!(found("IAMFullAccess"), 1);
        assert_eq!(found("AWSLambda_FullAccess"), 1);
        assert_eq!(found("PowerUserAccess"), 1);
        for quiet in ["ReadOnlyAccess", "SecurityAudit", "AmazonS3FullAccess", "AdministratorAccess"] {
            assert_eq!(found(quiet), 0, "{quiet}");
        }
    }
}
