//! `ifexists-on-security-key-in-allow`: an Allow tests a security key with `IfExists`, so that its absence passes.

use crate::caller::surely_present;
use crate::names;
use crate::{Context, Family, Scope, fixes};
use overgrant_finding::{Confidence, Severity};
use overgrant_ir::DocumentRole;
use overgrant_policy::{Condition, Effect, PrincipalKind, Statement, Test};

rule! {
    /// An Allow tests a security key with `IfExists`, so that its absence passes.
    ///
    /// `…IfExists` holds when the request lacks the key. Network, organisation, external id and token
    /// claims are absent exactly in the requests that should be kept out.
    ///
    /// ## Why
    /// A call from outside the VPC has no `aws:SourceVpce`, a caller outside any organisation has no
    /// `aws:PrincipalOrgID`: both pass.
    ///
    /// ## Bad
    /// ```terraform bad
    /// resource "aws_iam_policy" "p" {
    ///   name = "from-vpc"
    ///   policy = jsonencode({
    ///     Version = "2012-10-17"
    ///     Statement = [{
    ///       Effect   = "Allow"
    ///       Action   = "s3:GetObject"
    ///       Resource = "arn:aws:s3:::acme-data/*"
    ///       Condition = {
    ///         StringEqualsIfExists = { "aws:SourceVpce" = "vpce-0a1b2c3d" } # <-- here
    ///       }
    ///     }]
    ///   })
    /// }
    /// ```
    /// ```cloudformation bad
    /// Resources:
    ///   Partner:
    ///     Type: AWS::IAM::Role
    ///     Properties:
    ///       AssumeRolePolicyDocument:
    ///         Version: "2012-10-17"
    ///         Statement:
    ///           - Effect: Allow
    ///             Action: sts:AssumeRole
    ///             Principal:
    ///               AWS: arn:aws:iam::111122223333:role/partner
    ///             Condition:
    ///               StringEqualsIfExists: # <-- here
    ///                 sts:ExternalId: partner-7
    /// ```
    /// The same as JSON:
    /// ```terraform bad
    /// resource "aws_iam_policy" "p" {
    ///   name = "from-vpc"
    ///   policy = <<-JSON
    ///     {
    ///       "Version": "2012-10-17",
    ///       "Statement": [
    ///         {
    ///           "Effect": "Allow",
    ///           "Action": "s3:GetObject",
    ///           "Resource": "arn:aws:s3:::acme-data/*",
    ///           "Condition": {
    ///             "StringEqualsIfExists": {"aws:SourceVpce": "vpce-0a1b2c3d"} # <-- here
    ///           }
    ///         }
    ///       ]
    ///     }
    ///   JSON
    /// }
    /// ```
    /// ## Good
    /// ```terraform good
    /// resource "aws_iam_policy" "p" {
    ///   name = "from-vpc"
    ///   policy = jsonencode({
    ///     Version = "2012-10-17"
    ///     Statement = [
    ///       {
    ///         Effect   = "Allow"
    ///         Action   = "s3:GetObject"
    ///         Resource = "arn:aws:s3:::acme-data/*"
    ///       },
    ///       {
    ///         Effect   = "Deny"
    ///         Action   = "s3:GetObject"
    ///         Resource = "arn:aws:s3:::acme-data/*"
    ///         Condition = {
    ///           StringNotEqualsIfExists = { "aws:SourceVpce" = "vpce-0a1b2c3d" }
    ///         }
    ///       },
    ///     ]
    ///   })
    /// }
    /// ```
    /// ```cloudformation good
    /// Resources:
    ///   Run:
    ///     Type: AWS::IAM::ManagedPolicy
    ///     Properties:
    ///       PolicyDocument:
    ///         Version: "2012-10-17"
    ///         Statement:
    ///           - Effect: Allow
    ///             Action: ec2:StartInstances
    ///             Resource: arn:aws:ec2:eu-west-1:111122223333:instance/*
    ///             Condition:
    ///               StringEqualsIfExists:
    ///                 ec2:InstanceType: [t3.micro, t3.small]
    /// ```
    /// MFA has a rule of its own:
    /// ```terraform good also:mfa-allow-boolifexists
    /// resource "aws_iam_policy" "p" {
    ///   name = "stop"
    ///   policy = jsonencode({
    ///     Version = "2012-10-17"
    ///     Statement = [{
    ///       Effect    = "Allow"
    ///       Action    = "ec2:StopInstances"
    ///       Resource  = "arn:aws:ec2:eu-west-1:111122223333:instance/i-0a1b2c3d4e5f60718"
    ///       Condition = { BoolIfExists = { "aws:MultiFactorAuthPresent" = "true" } }
    ///     }]
    ///   })
    /// }
    /// ```
    /// Another test that fails without its key binds the statement:
    /// ```terraform good
    /// resource "aws_iam_policy" "p" {
    ///   name = "read"
    ///   policy = jsonencode({
    ///     Version = "2012-10-17"
    ///     Statement = [{
    ///       Effect   = "Allow"
    ///       Action   = "s3:GetObject"
    ///       Resource = "arn:aws:s3:::acme-data/*"
    ///       Condition = {
    ///         StringEqualsIfExists = { "aws:SourceVpce" = "vpce-0a1b2c3d" }
    ///         StringEquals         = { "aws:PrincipalOrgID" = "o-a1b2c3d4e5" }
    ///       }
    ///     }]
    ///   })
    /// }
    /// ```
    /// Every request carries these keys, so there is no gap:
    /// ```terraform good
    /// resource "aws_iam_policy" "p" {
    ///   name = "region"
    ///   policy = jsonencode({
    ///     Version = "2012-10-17"
    ///     Statement = [{
    ///       Effect   = "Allow"
    ///       Action   = "s3:GetObject"
    ///       Resource = "arn:aws:s3:::acme-data/*"
    ///       Condition = {
    ///         ArnLikeIfExists      = { "aws:PrincipalArn" = "arn:aws:iam::111122223333:role/shop" }
    ///         StringEqualsIfExists = { "aws:PrincipalAccount" = "111122223333" }
    ///       }
    ///     }]
    ///   })
    /// }
    /// ```
    /// Starting instances touches resources that have no type, for which the key is not there:
    /// ```cloudformation good
    /// Resources:
    ///   Run:
    ///     Type: AWS::IAM::ManagedPolicy
    ///     Properties:
    ///       PolicyDocument:
    ///         Version: "2012-10-17"
    ///         Statement:
    ///           - Effect: Allow
    ///             Action: ec2:RunInstances
    ///             Resource:
    ///               - arn:aws:ec2:eu-west-1:111122223333:instance/*
    ///               - arn:aws:ec2:eu-west-1:111122223333:volume/*
    ///               - arn:aws:ec2:eu-west-1:111122223333:subnet/subnet-0a1b2c3d
    ///             Condition:
    ///               StringEqualsIfExists:
    ///                 ec2:InstanceType: [t3.micro, t3.small]
    /// ```
    /// A service that assumes the role sends the account where it acts for a resource:
    /// ```cloudformation good at:low
    /// Resources:
    ///   Pipeline:
    ///     Type: AWS::IAM::Role
    ///     Properties:
    ///       AssumeRolePolicyDocument:
    ///         Version: "2012-10-17"
    ///         Statement:
    ///           - Effect: Allow
    ///             Action: sts:AssumeRole
    ///             Principal:
    ///               Service: codepipeline.amazonaws.com
    ///             Condition:
    ///               StringEqualsIfExists:
    ///                 aws:SourceAccount: !Ref AWS::AccountId
    /// ```
    /// ## How to fix
    /// Drop `IfExists`; where some requests rightly lack the key, allow them in a statement of their own.
    pub(crate) static IFEXISTS_ON_SECURITY_KEY_IN_ALLOW = Rule {
        id: "ifexists-on-security-key-in-allow",
        family: Family::Condition,
        severity: Severity::High,
        confidence: Confidence::High,
        scope: Scope::Module,
        since: "0.1.0",
        cwe: &[697],
        aliases: &["BAD_PATTERN_FOR_MFA"],
        mappings: &[("NIST", "AC-3(7)"), ("NIST", "AC-16"), ("ATT&CK", "T1548")],
        references: &["https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html"],
        check: check,
    };
}

/// Keys that say where a call comes from or on whose behalf, and that a request may lack.
const KEYS: [&str; 14] = [
    "aws:principalorgid",
    "aws:principalorgpaths",
    "aws:sourceaccount",
    "aws:sourcearn",
    "aws:sourceip",
    "aws:sourceorgid",
    "aws:sourceorgpaths",
    "aws:sourcevpc",
    "aws:sourcevpce",
    "aws:vpceaccount",
    "aws:vpceorgid",
    "aws:vpcsourceip",
    "sts:externalid",
    "sts:sourceidentity",
];

fn check(cx: &mut Context<'_>) {
    let model = cx.model;
    for document in &model.documents {
        for statement in &document.document.statements {
            if statement.effect != Effect::Allow || statement.conditions.open {
                continue;
            }
            let conditions = &statement.conditions.items;
            let Some(condition) = conditions.iter().find(|condition| is_gap(condition)) else {
                continue;
            };
            let guarded = condition
                .key
                .spelling()
                .is_some_and(|key| surely_present(&statement.conditions, &key));
            if guarded || conditions.iter().any(limits) {
                continue;
            }
            let report = cx
                .finding(
                    &document.place,
                    &condition.operator_src,
                    format!(
                        "`{}` in {} also passes when the request has no `{}`",
                        condition.operator.name,
                        names::document(document),
                        condition.key
                    ),
                )
                .statement(statement)
                .when(&condition.guard)
                .severity(severity(&document.role, statement, condition))
                .help("drop IfExists");
            let edit = fixes::operator(statement, condition, fixes::bare(&condition.operator))
                .filter(|_| condition.operator.set.is_none());
            cx.report(report.fix(edit.map(|edit| fixes::changing("Ask for the key in every case", [edit]))));
        }
    }
}

/// How bad the gap is. A service that may act for others is no worse with a test that sometimes
/// passes than without one, which other rules grade.
fn severity(role: &DocumentRole, statement: &Statement, condition: &Condition) -> Severity {
    let key = condition.key.spelling().unwrap_or_default();
    let services = statement.principals.iter().next().is_some()
        && statement
            .principals
            .iter()
            .all(|principal| principal.kind() == PrincipalKind::Service);
    if services && key.starts_with("aws:source") {
        return match role {
            DocumentRole::Trust => Severity::Low,
            _ => Severity::Medium,
        };
    }
    if key.contains("tag/") {
        Severity::Medium
    } else {
        Severity::High
    }
}

fn is_gap(condition: &Condition) -> bool {
    condition.operator.if_exists
        && !condition.operator.is_negated()
        && condition.key.spelling().is_some_and(|key| {
            let claim = (key.ends_with(":sub") || key.ends_with(":aud")) && key.contains('.');
            KEYS.contains(&key.as_str()) || claim || key.starts_with("aws:principaltag/")
        })
}

/// Another condition that fails when its key is absent.
fn limits(condition: &Condition) -> bool {
    !condition.operator.holds_without_key()
        && condition.operator.test != Test::Null
        && !condition.key.is("aws:SecureTransport")
}
