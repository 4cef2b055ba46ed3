//! `sourceip-ineffective`: a test of the source address that limits nothing or matches nothing.

use crate::cidr::{Block, Reach};
use crate::names;
use crate::{Context, Family, Scope};
use overgrant_finding::{Confidence, Severity};
use overgrant_ir::DocumentRole;
use overgrant_policy::{Effect, Statement, Test};
use overgrant_value::Src;

rule! {
    /// A condition on the source address limits nothing, or matches nothing.
    ///
    /// The range in `aws:SourceIp` holds (nearly) the whole internet, or only private addresses, which
    /// calls to public endpoints never carry.
    ///
    /// ## Why
    /// With `0.0.0.0/0` the statement is open although it looks limited. With private ranges it matches
    /// nothing, and a Deny built on it hits everybody.
    ///
    /// ## Bad
    /// ```terraform bad
    /// resource "aws_iam_policy" "office" {
    ///   name = "office"
    ///   policy = jsonencode({
    ///     Version = "2012-10-17"
    ///     Statement = [{
    ///       Effect    = "Allow"
    ///       Action    = "s3:GetObject"
    ///       Resource  = "arn:aws:s3:::acme-data/*"
    ///       Condition = { IpAddress = { "aws:SourceIp" = ["0.0.0.0/1", "128.0.0.0/1"] } } # <-- here
    ///     }]
    ///   })
    /// }
    /// ```
    /// ```cloudformation bad
    /// Resources:
    ///   Office:
    ///     Type: AWS::IAM::ManagedPolicy
    ///     Properties:
    ///       PolicyDocument:
    ///         Version: "2012-10-17"
    ///         Statement:
    ///           - Effect: Allow
    ///             Action: s3:GetObject
    ///             Resource: arn:aws:s3:::acme-data/*
    ///             Condition:
    ///               IpAddress:
    ///                 aws:SourceIp: 10.20.0.0/16 # <-- here
    /// ```
    /// The same as a policy document of Terraform:
    /// ```terraform bad
    /// data "aws_iam_policy_document" "office" {
    ///   statement {
    ///     actions   = ["s3:GetObject"]
    ///     resources = ["arn:aws:s3:::acme-data/*"]
    ///     condition {
    ///       test     = "IpAddress"
    ///       variable = "aws:SourceIp"
    ///       values   = ["0.0.0.0/1", "128.0.0.0/1"] # <-- here
    ///     }
    ///   }
    /// }
    /// resource "aws_iam_policy" "office" {
    ///   name = "office"
    ///   policy = data.aws_iam_policy_document.office.json
    /// }
    /// ```
    /// ## Good
    /// ```terraform good
    /// resource "aws_iam_policy" "office" {
    ///   name = "office"
    ///   policy = jsonencode({
    ///     Version = "2012-10-17"
    ///     Statement = [{
    ///       Effect    = "Allow"
    ///       Action    = "s3:GetObject"
    ///       Resource  = "arn:aws:s3:::acme-data/*"
    ///       Condition = { IpAddress = { "aws:SourceIp" = ["203.0.113.0/24", "2001:db8:12::/48"] } }
    ///     }]
    ///   })
    /// }
    /// ```
    /// ```cloudformation good
    /// Resources:
    ///   Office:
    ///     Type: AWS::IAM::ManagedPolicy
    ///     Properties:
    ///       PolicyDocument:
    ///         Version: "2012-10-17"
    ///         Statement:
    ///           - Effect: Allow
    ///             Action: s3:GetObject
    ///             Resource: arn:aws:s3:::acme-data/*
    ///             Condition:
    ///               IpAddress:
    ///                 aws:VpcSourceIp: 10.20.0.0/16
    ///               StringEquals:
    ///                 aws:SourceVpc: vpc-0a1b2c3d
    /// ```
    /// A Deny that spares a private network and an endpoint:
    /// ```terraform good
    /// resource "aws_iam_policy" "network" {
    ///   name = "network"
    ///   policy = jsonencode({
    ///     Version = "2012-10-17"
    ///     Statement = [{
    ///       Effect   = "Deny"
    ///       Action   = "s3:GetObject"
    ///       Resource = "arn:aws:s3:::acme-data/*"
    ///       Condition = {
    ///         NotIpAddress    = { "aws:SourceIp" = ["203.0.113.0/24", "10.0.0.0/8"] }
    ///         StringNotEquals = { "aws:SourceVpce" = "vpce-0a1b2c3d" }
    ///       }
    ///     }]
    ///   })
    /// }
    /// ```
    /// ## How to fix
    /// List the public addresses of your network. For calls through a VPC endpoint test `aws:SourceVpce`, or
    /// `aws:VpcSourceIp` together with `aws:SourceVpc`.
    pub(crate) static SOURCEIP_INEFFECTIVE = Rule {
        id: "sourceip-ineffective",
        family: Family::Condition,
        severity: Severity::High,
        confidence: Confidence::High,
        scope: Scope::Module,
        since: "0.1.0",
        cwe: &[183],
        aliases: &[],
        mappings: &[("NIST", "SC-7"), ("ATT&CK", "T1548")],
        references: &["https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html"],
        check: check,
    };
}

fn check(cx: &mut Context<'_>) {
    let model = cx.model;
    for document in &model.documents {
        // Private addresses are right inside a network.
        let inside = match &document.role {
            DocumentRole::Endpoint => continue,
            DocumentRole::Resource { service } => matches!(service.as_str(), "es" | "execute-api"),
            _ => false,
        };
        // A value that several statements take from one place is one mistake.
        let mut told: Vec<&Src> = Vec::new();
        for statement in &document.document.statements {
            for condition in statement.conditions.on("aws:SourceIp") {
                let blocks: Vec<_> = condition
                    .values
                    .iter()
                    .filter_map(|value| Some((value, Block::parse(&value.known()?)?.reach())))
                    .collect();
                let limits = matches!(
                    (statement.effect, &condition.operator.test),
                    (Effect::Allow, Test::IpAddress) | (Effect::Deny, Test::NotIpAddress)
                );
                if !limits || condition.open {
                    continue;
                }
                let wide = blocks.iter().find(|(_, reach)| *reach == Reach::Everybody);
                let private = blocks.len() == condition.values.len()
                    && !blocks.is_empty()
                    && blocks.iter().all(|(_, reach)| *reach == Reach::Private);
                let (value, message, severity) = match (wide, blocks.first()) {
                    (Some((value, _)), _) => (
                        *value,
                        format!("`{value}` in `aws:SourceIp` limits nothing in {}", names::document(document)),
                        Severity::High,
                    ),
                    (None, Some((value, _))) if private && !inside && !has_network_key(statement) => (
                        *value,
                        format!(
                            "calls never come from `{value}`: {} tests private addresses with `aws:SourceIp`",
                            names::document(document)
                        ),
                        Severity::Medium,
                    ),
                    _ => continue,
                };
                let src = value.pattern().src();
                if src.span.is_some() && told.iter().any(|other| other.span == src.span) {
                    continue;
                }
                told.push(src);
                let report = cx
                    .finding(&document.place, src, message)
                    .statement(statement)
                    .when(&condition.guard)
                    .when(value.pattern().guard())
                    .marks(value.pattern().marks())
                    .severity(severity)
                    .help("list public addresses, or test aws:SourceVpce or aws:VpcSourceIp with aws:SourceVpc");
                cx.report(report);
            }
        }
    }
}

/// The statement also deals with calls through a VPC endpoint.
fn has_network_key(statement: &Statement) -> bool {
    ["aws:SourceVpc", "aws:SourceVpce", "aws:VpcSourceIp", "aws:ViaAWSService"]
        .iter()
        .any(|key| statement.conditions.on(key).next().is_some())
}
