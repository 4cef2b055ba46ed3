//! `trust-notprincipal-allow`: A role trusts everybody except the principals it names.

use crate::holder;
use crate::{Context, Family, Scope};
use overgrant_finding::{Confidence, Severity};
use overgrant_policy::Effect;

rule! {
    /// A role trusts everybody except the principals it names.
    ///
    /// `NotPrincipal` with `Allow` grants the role to the complement of its list: every other principal of
    /// every account.
    ///
    /// ## Why
    /// The list was meant as a block list and works as an open door: any account that is not on it may
    /// assume the role.
    ///
    /// ## Bad
    /// ```terraform bad
    /// resource "aws_iam_role" "ops" {
    ///   name = "ops"
    ///   assume_role_policy = jsonencode({
    ///     Version = "2012-10-17"
    ///     Statement = [{
    ///       Effect       = "Allow"
    ///       Action       = "sts:AssumeRole"
    ///       NotPrincipal = { AWS = "arn:aws:iam::111122223333:user/intern" } # <-- here
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
    ///             NotPrincipal: # <-- here
    ///               AWS: arn:aws:iam::111122223333:user/intern
    /// ```
    /// The same as JSON:
    /// ```terraform bad
    /// resource "aws_iam_role" "ops" {
    ///   name = "ops"
    ///   assume_role_policy = <<-JSON
    ///     {
    ///       "Version": "2012-10-17",
    ///       "Statement": [
    ///         {
    ///           "Effect": "Allow",
    ///           "Action": "sts:AssumeRole",
    ///           "NotPrincipal": {"AWS": "arn:aws:iam::111122223333:user/intern"} # <-- here
    ///         }
    ///       ]
    ///     }
    ///   JSON
    /// }
    /// ```
    /// ## Good
    /// ```terraform good
    /// resource "aws_iam_role" "ops" {
    ///   name = "ops"
    ///   assume_role_policy = jsonencode({
    ///     Version = "2012-10-17"
    ///     Statement = [{
    ///       Effect    = "Allow"
    ///       Action    = "sts:AssumeRole"
    ///       Principal = { Service = "ec2.amazonaws.com" }
    ///     }]
    ///   })
    /// }
    /// ```
    /// ```cloudformation good
    /// Resources:
    ///   Ops:
    ///     Type: AWS::IAM::Role
    ///     Properties:
    ///       AssumeRolePolicyDocument:
    ///         Version: "2012-10-17"
    ///         Statement:
    ///           - Effect: Allow
    ///             Action: sts:AssumeRole
    ///             Principal: { Service: ec2.amazonaws.com }
    /// ```
    /// In a Deny the element spares those it names:
    /// ```terraform good
    /// resource "aws_iam_role" "ops" {
    ///   name = "ops"
    ///   assume_role_policy = jsonencode({
    ///     Version = "2012-10-17"
    ///     Statement = [
    ///       { Effect = "Allow", Action = "sts:AssumeRole", Principal = { Service = "ec2.amazonaws.com" } },
    ///       { Effect = "Deny", Action = "sts:AssumeRole", NotPrincipal = { Service = "ec2.amazonaws.com" } },
    ///     ]
    ///   })
    /// }
    /// ```
    /// ## How to fix
    /// List the principals that need the role under `Principal`.
    pub(crate) static TRUST_NOTPRINCIPAL_ALLOW = Rule {
        id: "trust-notprincipal-allow",
        family: Family::Trust,
        severity: Severity::Critical,
        confidence: Confidence::High,
        scope: Scope::Module,
        since: "0.1.0",
        cwe: &[284, 863],
        aliases: &["F6", "NOTPRINCIPAL_WITH_ALLOW"],
        mappings: &[("NIST", "AC-3"), ("ATT&CK", "T1199"), ("ATT&CK", "T1078.004")],
        references: &["https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_notprincipal.html"],
        check: check,
    };
}

fn check(cx: &mut Context<'_>) {
    let model = cx.model;
    for (id, trust) in holder::trusts(model) {
        for statement in &trust.document.statements {
            let principals = statement.principals.listed();
            if statement.effect != Effect::Allow || !principals.negated {
                continue;
            }
            let role = holder::role(model, id);
            let report = cx
                .finding(
                    &trust.place,
                    &principals.key_src,
                    format!("{role} trusts everybody except {}", list(statement)),
                )
                .statement(statement)
                .help("list who needs the role under Principal");
            cx.report(report);
        }
    }
}

fn list(statement: &overgrant_policy::Statement) -> String {
    let names: Vec<String> = statement
        .principals
        .iter()
        .map(|principal| format!("`{principal}`"))
        .collect();
    if names.is_empty() {
        "an unknown list".to_owned()
    } else {
        names.join(", ")
    }
}
