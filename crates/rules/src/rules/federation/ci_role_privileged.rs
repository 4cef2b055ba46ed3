//! `ci-role-privileged`: pipelines run as administrator.

use crate::federation::{Trusted, trusted};
use crate::listed::is_listed;
use crate::{Context, Family, Scope, boundaries, escalate, names};
use overgrant_catalog::catalog;
use overgrant_finding::{Confidence, Severity};
use overgrant_ir::{IdentityId, IdentityKind};
use std::collections::BTreeSet;

rule! {
    /// Role that pipelines assume administers the account.
    ///
    /// A CI or deployment service may assume the role, and the role is administrator, can make itself
    /// administrator, or makes roles with any rights, without a permissions boundary that takes that away.
    ///
    /// ## Why
    /// Whoever gets a line into a build script, a dependency or an action of the pipeline runs it with this
    /// role, and has the account.
    ///
    /// ## Bad
    /// ```terraform bad
    /// resource "aws_iam_role" "deploy" {
    ///   name = "deploy"
    ///   assume_role_policy = jsonencode({
    ///     Version = "2012-10-17"
    ///     Statement = [{
    ///       Effect    = "Allow"
    ///       Action    = "sts:AssumeRoleWithWebIdentity"
    ///       Principal = { Federated = "arn:aws:iam::111122223333:oidc-provider/token.actions.githubusercontent.com" } # <-- here
    ///       Condition = { StringEquals = {
    ///         "token.actions.githubusercontent.com:aud" = "sts.amazonaws.com"
    ///         "token.actions.githubusercontent.com:sub" = "repo:acme/shop:environment:prod"
    ///       } }
    ///     }]
    ///   })
    /// }
    /// resource "aws_iam_role_policy_attachment" "deploy" {
    ///   role       = aws_iam_role.deploy.name
    ///   policy_arn = "arn:aws:iam::aws:policy/AdministratorAccess"
    /// }
    /// ```
    /// ```cloudformation bad
    /// Resources:
    ///   Deploy:
    ///     Type: AWS::IAM::Role
    ///     Properties:
    ///       AssumeRolePolicyDocument:
    ///         Version: "2012-10-17"
    ///         Statement:
    ///           - Effect: Allow
    ///             Action: sts:AssumeRoleWithWebIdentity
    ///             Principal:
    ///               Federated: arn:aws:iam::111122223333:oidc-provider/gitlab.com # <-- here
    ///             Condition:
    ///               StringEquals:
    ///                 gitlab.com:aud: https://gitlab.com
    ///                 gitlab.com:sub: project_path:acme/shop:ref_type:branch:ref:main
    ///       Policies:
    ///         - PolicyName: roles
    ///           PolicyDocument:
    ///             Version: "2012-10-17"
    ///             Statement:
    ///               - Effect: Allow
    ///                 Action: ["iam:CreateRole", "iam:AttachRolePolicy"]
    ///                 Resource: "*"
    /// ```
    /// The same as JSON:
    /// ```terraform bad
    /// resource "aws_iam_role" "deploy" {
    ///   name = "deploy"
    ///   assume_role_policy = <<-JSON
    ///     {
    ///       "Version": "2012-10-17",
    ///       "Statement": [
    ///         {
    ///           "Effect": "Allow",
    ///           "Action": "sts:AssumeRoleWithWebIdentity",
    ///           "Principal": {"Federated": "arn:aws:iam::111122223333:oidc-provider/token.actions.githubusercontent.com"}, # <-- here
    ///           "Condition": {
    ///             "StringEquals": {
    ///               "token.actions.githubusercontent.com:aud": "sts.amazonaws.com",
    ///               "token.actions.githubusercontent.com:sub": "repo:acme/shop:environment:prod"
    ///             }
    ///           }
    ///         }
    ///       ]
    ///     }
    ///   JSON
    /// }
    /// resource "aws_iam_role_policy_attachment" "deploy" {
    ///   role       = aws_iam_role.deploy.name
    ///   policy_arn = "arn:aws:iam::aws:policy/AdministratorAccess"
    /// }
    /// ```
    /// ## Good
    /// A boundary takes the rights away, or the role only deploys:
    /// ```terraform good also:managed-administratoraccess
    /// resource "aws_iam_policy" "cap" {
    ///   name = "cap"
    ///   policy = jsonencode({
    ///     Version   = "2012-10-17"
    ///     Statement = [{ Effect = "Allow", Action = ["s3:*", "lambda:*"], Resource = "*" }]
    ///   })
    /// }
    /// resource "aws_iam_role" "deploy" {
    ///   name                 = "deploy"
    ///   permissions_boundary = aws_iam_policy.cap.arn
    ///   assume_role_policy = jsonencode({
    ///     Version = "2012-10-17"
    ///     Statement = [{
    ///       Effect    = "Allow"
    ///       Action    = "sts:AssumeRoleWithWebIdentity"
    ///       Principal = { Federated = "arn:aws:iam::111122223333:oidc-provider/token.actions.githubusercontent.com" }
    ///       Condition = { StringEquals = {
    ///         "token.actions.githubusercontent.com:aud" = "sts.amazonaws.com"
    ///         "token.actions.githubusercontent.com:sub" = "repo:acme/shop:environment:prod"
    ///       } }
    ///     }]
    ///   })
    /// }
    /// resource "aws_iam_role_policy_attachment" "deploy" {
    ///   role       = aws_iam_role.deploy.name
    ///   policy_arn = "arn:aws:iam::aws:policy/AdministratorAccess"
    /// }
    /// ```
    /// ```cloudformation good
    /// Resources:
    ///   Deploy:
    ///     Type: AWS::IAM::Role
    ///     Properties:
    ///       AssumeRolePolicyDocument:
    ///         Version: "2012-10-17"
    ///         Statement:
    ///           - Effect: Allow
    ///             Action: sts:AssumeRoleWithWebIdentity
    ///             Principal:
    ///               Federated: arn:aws:iam::111122223333:oidc-provider/gitlab.com
    ///             Condition:
    ///               StringEquals:
    ///                 gitlab.com:aud: https://gitlab.com
    ///                 gitlab.com:sub: project_path:acme/shop:ref_type:branch:ref:main
    ///       Policies:
    ///         - PolicyName: publish
    ///           PolicyDocument:
    ///             Version: "2012-10-17"
    ///             Statement:
    ///               - Effect: Allow
    ///                 Action: s3:PutObject
    ///                 Resource: arn:aws:s3:::acme-site/*
    /// ```
    /// The role that sets up accounts is listed in the configuration:
    /// ```terraform good deployer_roles:bootstrap at:info
    /// resource "aws_iam_role" "bootstrap" {
    ///   name = "bootstrap"
    ///   assume_role_policy = jsonencode({
    ///     Version = "2012-10-17"
    ///     Statement = [{
    ///       Effect    = "Allow"
    ///       Action    = "sts:AssumeRoleWithWebIdentity"
    ///       Principal = { Federated = "arn:aws:iam::111122223333:oidc-provider/token.actions.githubusercontent.com" }
    ///       Condition = {
    ///         StringEquals = {
    ///           "token.actions.githubusercontent.com:aud" = "sts.amazonaws.com"
    ///           "token.actions.githubusercontent.com:sub" = "repo:acme/shop:environment:prod"
    ///         }
    ///       }
    ///     }]
    ///   })
    /// }
    /// resource "aws_iam_role_policy_attachment" "bootstrap" {
    ///   role       = aws_iam_role.bootstrap.name
    ///   policy_arn = "arn:aws:iam::aws:policy/AdministratorAccess"
    /// }
    /// ```
    /// ## How to fix
    /// Cap the role by a permissions boundary, split it into one that plans and one that applies, and let
    /// the latter only do what it deploys.
    ///
    /// ## Options
    /// `deployer_roles`: roles that are meant to administer; they give a notice each.
    pub(crate) static CI_ROLE_PRIVILEGED = Rule {
        id: "ci-role-privileged",
        family: Family::Federation,
        severity: Severity::High,
        confidence: Confidence::High,
        scope: Scope::Module,
        since: "0.1.0",
        cwe: &[269, 863],
        aliases: &[],
        mappings: &[("NIST", "AC-6"), ("ATT&CK", "T1195.002")],
        references: &["https://docs.aws.amazon.com/IAM/latest/UserGuide/best-practices.html#bp-permissions-boundaries"],
        check: check,
    };
}

fn check(cx: &mut Context<'_>) {
    let model = cx.model;
    let mut told: BTreeSet<IdentityId> = BTreeSet::new();
    for trusted in trusted(model) {
        let Some(id) = trusted.role_id(model).filter(|_| trusted.is_pipeline()) else {
            continue;
        };
        let Some(what) = rights(cx, id) else { continue };
        if told.insert(id) {
            report(cx, &trusted, id, what);
        }
    }
}

fn report(cx: &mut Context<'_>, trusted: &Trusted<'_>, id: IdentityId, what: &str) {
    let Some(role) = cx.model.identity(id) else { return };
    let text = format!("{} runs pipelines as {}, which {what}", trusted.name(), names::identity(role));
    let meant = is_listed(&cx.settings.deployer_roles, role);
    let mut report = cx
        .finding(&trusted.document.place, &trusted.src(), text)
        .statement(trusted.statement)
        .when(trusted.principal.guard())
        .principal(&role.place)
        .severity(if meant { Severity::Info } else { Severity::High })
        .help("cap the role by a permissions boundary, or let it only do what it deploys");
    for attached in cx.access.policies(id) {
        report = report.related(&attached.src, "its rights", attached.place.as_ref());
    }
    cx.report(report);
}

/// What makes the role too strong for a pipeline.
fn rights(cx: &Context<'_>, id: IdentityId) -> Option<&'static str> {
    if escalate::is_admin(cx, id) {
        return Some("is administrator");
    }
    if escalate::reaches_admin(cx, id) {
        return Some("can make itself administrator");
    }
    let all = cx.access.actions_on_everything(id);
    let has = |name: &str| {
        catalog()
            .find_action(name)
            .is_some_and(|action| all.contains(action.id()))
    };
    let makes = has("iam:CreateRole") && (has("iam:AttachRolePolicy") || has("iam:PutRolePolicy"));
    let kind = cx.model.identity(id).map(|role| role.kind);
    (makes && kind == Some(IdentityKind::Role) && !boundaries::is_limited(cx, id))
        .then_some("makes roles with any rights")
}
