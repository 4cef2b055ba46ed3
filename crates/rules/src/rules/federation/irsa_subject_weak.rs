//! `irsa-subject-weak`: a cluster's role that other service accounts can assume.

use crate::federation::{Decisive, Width, trusted};
use crate::service_accounts::{namespace, width};
use crate::skeleton::{Which, skeleton, wildcard_src};
use crate::{Context, Family, Scope};
use overgrant_finding::{Confidence, Severity};

rule! {
    /// Service accounts other than the intended one can assume a role.
    ///
    /// The role trusts the token issuer of a Kubernetes cluster, and the subject is not tested or has a
    /// wildcard where namespace or service account stand.
    ///
    /// ## Why
    /// Whoever can start a pod in the cluster, also in a namespace made for tests, gets a token that fits
    /// and the rights of the role.
    ///
    /// ## Bad
    /// ```terraform bad
    /// resource "aws_iam_role" "dns" {
    ///   name = "dns"
    ///   assume_role_policy = jsonencode({
    ///     Version = "2012-10-17"
    ///     Statement = [{
    ///       Effect    = "Allow"
    ///       Action    = "sts:AssumeRoleWithWebIdentity"
    ///       Principal = { Federated = "arn:aws:iam::111122223333:oidc-provider/oidc.eks.eu-west-1.amazonaws.com/id/0A1B2C3D4E5F" }
    ///       Condition = {
    ///         StringEquals = { "oidc.eks.eu-west-1.amazonaws.com/id/0A1B2C3D4E5F:aud" = "sts.amazonaws.com" }
    ///         StringLike   = { "oidc.eks.eu-west-1.amazonaws.com/id/0A1B2C3D4E5F:sub" = "system:serviceaccount:*" } # <-- here
    ///       }
    ///     }]
    ///   })
    /// }
    /// ```
    /// ```cloudformation bad
    /// Resources:
    ///   Dns:
    ///     Type: AWS::IAM::Role
    ///     Properties:
    ///       AssumeRolePolicyDocument:
    ///         Version: "2012-10-17"
    ///         Statement:
    ///           - Effect: Allow
    ///             Action: sts:AssumeRoleWithWebIdentity
    ///             Principal:
    ///               Federated: arn:aws:iam::111122223333:oidc-provider/oidc.eks.eu-west-1.amazonaws.com/id/0A1B2C3D4E5F # <-- here
    ///             Condition:
    ///               StringEquals:
    ///                 oidc.eks.eu-west-1.amazonaws.com/id/0A1B2C3D4E5F:aud: sts.amazonaws.com
    /// ```
    /// ## Good
    /// ```terraform good
    /// variable "issuer" {
    ///   type = string
    /// }
    ///
    /// resource "aws_iam_role" "dns" {
    ///   name = "dns"
    ///   assume_role_policy = jsonencode({
    ///     Version = "2012-10-17"
    ///     Statement = [{
    ///       Effect    = "Allow"
    ///       Action    = "sts:AssumeRoleWithWebIdentity"
    ///       Principal = { Federated = "arn:aws:iam::111122223333:oidc-provider/${var.issuer}" }
    ///       Condition = {
    ///         StringEquals = {
    ///           "${var.issuer}:aud" = "sts.amazonaws.com"
    ///           "${var.issuer}:sub" = ["system:serviceaccount:kube-system:external-dns", "system:serviceaccount:dns:external-dns"]
    ///         }
    ///       }
    ///     }]
    ///   })
    /// }
    /// ```
    /// ```cloudformation good
    /// Resources:
    ///   Dns:
    ///     Type: AWS::IAM::Role
    ///     Properties:
    ///       AssumeRolePolicyDocument:
    ///         Version: "2012-10-17"
    ///         Statement:
    ///           - Effect: Allow
    ///             Action: sts:AssumeRoleWithWebIdentity
    ///             Principal:
    ///               Federated: arn:aws:iam::111122223333:oidc-provider/oidc.eks.eu-west-1.amazonaws.com/id/0A1B2C3D4E5F
    ///             Condition:
    ///               StringEquals:
    ///                 oidc.eks.eu-west-1.amazonaws.com/id/0A1B2C3D4E5F:aud: sts.amazonaws.com
    ///                 oidc.eks.eu-west-1.amazonaws.com/id/0A1B2C3D4E5F:sub: system:serviceaccount:dns:external-dns
    /// ```
    /// Operators give the service accounts of one namespace names of their own:
    /// ```terraform good at:low
    /// resource "aws_iam_role" "jobs" {
    ///   name = "jobs"
    ///   assume_role_policy = jsonencode({
    ///     Version = "2012-10-17"
    ///     Statement = [{
    ///       Effect    = "Allow"
    ///       Action    = "sts:AssumeRoleWithWebIdentity"
    ///       Principal = { Federated = "arn:aws:iam::111122223333:oidc-provider/oidc.eks.eu-west-1.amazonaws.com/id/0A1B2C3D4E5F" }
    ///       Condition = {
    ///         StringEquals = { "oidc.eks.eu-west-1.amazonaws.com/id/0A1B2C3D4E5F:aud" = "sts.amazonaws.com" }
    ///         StringLike   = { "oidc.eks.eu-west-1.amazonaws.com/id/0A1B2C3D4E5F:sub" = "system:serviceaccount:analytics:emr-containers-sa-*-*-111122223333-jobs" }
    ///       }
    ///     }]
    ///   })
    /// }
    /// ```
    /// The same service account of several clusters:
    /// ```terraform good
    /// resource "aws_iam_role" "dns" {
    ///   name = "dns"
    ///   assume_role_policy = jsonencode({
    ///     Version = "2012-10-17"
    ///     Statement = [
    ///       {
    ///         Effect    = "Allow"
    ///         Action    = "sts:AssumeRoleWithWebIdentity"
    ///         Principal = { Federated = "arn:aws:iam::111122223333:oidc-provider/oidc.eks.eu-west-1.amazonaws.com/id/0A1B2C3D4E5F" }
    ///         Condition = { StringEquals = {
    ///           "oidc.eks.eu-west-1.amazonaws.com/id/0A1B2C3D4E5F:aud" = "sts.amazonaws.com"
    ///           "oidc.eks.eu-west-1.amazonaws.com/id/0A1B2C3D4E5F:sub" = "system:serviceaccount:dns:external-dns"
    ///         } }
    ///       },
    ///       {
    ///         Effect    = "Allow"
    ///         Action    = "sts:AssumeRoleWithWebIdentity"
    ///         Principal = { Federated = "arn:aws:iam::111122223333:oidc-provider/oidc.eks.eu-west-1.amazonaws.com/id/9F8E7D6C5B4A" }
    ///         Condition = { StringEquals = {
    ///           "oidc.eks.eu-west-1.amazonaws.com/id/9F8E7D6C5B4A:aud" = "sts.amazonaws.com"
    ///           "oidc.eks.eu-west-1.amazonaws.com/id/9F8E7D6C5B4A:sub" = "system:serviceaccount:dns:external-dns"
    ///         } }
    ///       },
    ///     ]
    ///   })
    /// }
    /// ```
    /// A role that leads to administration is reported for that:
    /// ```terraform good under:external-entry-to-admin also:self-escalation-policy-write
    /// resource "aws_iam_role" "deploy" {
    ///   name = "deploy"
    ///   assume_role_policy = jsonencode({
    ///     Version = "2012-10-17"
    ///     Statement = [{
    ///       Effect    = "Allow"
    ///       Action    = "sts:AssumeRoleWithWebIdentity"
    ///       Principal = { Federated = "arn:aws:iam::111122223333:oidc-provider/oidc.eks.eu-west-1.amazonaws.com/id/0A1B2C3D4E5F" }
    ///       Condition = {
    ///         StringEquals = { "oidc.eks.eu-west-1.amazonaws.com/id/0A1B2C3D4E5F:aud" = "sts.amazonaws.com" }
    ///         StringLike   = { "oidc.eks.eu-west-1.amazonaws.com/id/0A1B2C3D4E5F:sub" = "system:serviceaccount:*" }
    ///       }
    ///     }]
    ///   })
    /// }
    ///
    /// resource "aws_iam_role_policy" "deploy" {
    ///   name = "deploy"
    ///   role = aws_iam_role.deploy.id
    ///   policy = jsonencode({
    ///     Version   = "2012-10-17"
    ///     Statement = [{ Effect = "Allow", Action = "iam:PutRolePolicy", Resource = "*" }]
    ///   })
    /// }
    /// ```
    /// ## How to fix
    /// Test `sub` with `StringEquals` and the full name: `system:serviceaccount:NAMESPACE:NAME`.
    pub(crate) static IRSA_SUBJECT_WEAK = Rule {
        id: "irsa-subject-weak",
        family: Family::Federation,
        severity: Severity::High,
        confidence: Confidence::High,
        scope: Scope::Module,
        since: "0.1.0",
        cwe: &[287, 863, 1220],
        aliases: &[],
        mappings: &[
            ("NIST", "AC-6"),
            ("ATT&CK", "T1078.004"),
            ("ATT&CK", "T1199"),
            ("ATT&CK", "T1550.001"),
        ],
        references: &["https://docs.aws.amazon.com/eks/latest/userguide/associate-service-account-role.html"],
        check: check,
    };
}

fn check(cx: &mut Context<'_>) {
    let model = cx.model;
    for trusted in trusted(model) {
        if !trusted.is_cluster() {
            continue;
        }
        let role = trusted.role(model);
        let subject = trusted.decisive("sub", width);
        let report = match subject {
            None => cx.finding(
                &trusted.document.place,
                &trusted.src(),
                format!("any service account of the cluster can assume {role}: no condition tests `sub`"),
            ),
            Some(subject) if subject.width > Width::Pinned => {
                let value = subject.value;
                let severity = severity(&subject);
                let who = match subject.width {
                    Width::Everybody => "any service account of the cluster".to_owned(),
                    Width::Owner => "service accounts of several namespaces".to_owned(),
                    _ => format!("more than one service account of namespace `{}`", namespace(&value.to_string())),
                };
                cx.finding(
                    &trusted.document.place,
                    &wildcard_src(value.text(), value.pattern().src(), Which::First),
                    format!("{who} can assume {role}: its subject is `{value}`"),
                )
                .when(value.pattern().guard())
                .marks(value.pattern().marks())
                .severity(severity)
            }
            Some(_) => continue,
        };
        let report = report
            .statement(trusted.statement)
            .when(trusted.principal.guard())
            .help("test sub with StringEquals for system:serviceaccount:NAMESPACE:NAME");
        cx.report(report);
    }
}

/// A whole namespace is one step lower; names with a fixed start, as operators make them, are
/// hardly a gap.
fn severity(subject: &Decisive<'_>) -> Severity {
    match subject.width {
        Width::Organization => Severity::Medium,
        Width::AnyRef => Severity::Low,
        _ => {
            let shape = skeleton(subject.value.text(), true);
            if namespace(&shape).starts_with(['*', '?']) {
                Severity::High
            } else {
                Severity::Medium
            }
        }
    }
}
