//! `scp-imdsv2-guard-incomplete`: the guard for metadata tokens covers launches only, or all launches.

use crate::organization::{self, Chain};
use crate::{Context, Family, Scope, fixes, names};
use overgrant_finding::{Confidence, Fix, Severity};
use overgrant_ir::PolicyDocument;
use overgrant_policy::{Answer, Statement};

rule! {
    /// Service control policies demand metadata tokens at launch only.
    ///
    /// A statement denies launches without `ec2:MetadataHttpTokens` = `required`. Nothing denies to set a
    /// running instance back (`ec2:ModifyInstanceMetadataOptions`), nor the use of credentials that came
    /// without a token (`ec2:RoleDelivery` below 2). On `*` in place of `instance/*` the same statement
    /// denies every launch, since other resources of a launch never have the key.
    ///
    /// ## Why
    /// With tokens switched off again, a forged request through any web application on the instance gives
    /// an attacker the credentials of the instance's role.
    ///
    /// ## Bad
    /// ```terraform bad scope:module,organization
    /// resource "aws_organizations_policy" "tokens" {
    ///   name = "tokens"
    ///   content = jsonencode({
    ///     Version = "2012-10-17"
    ///     Statement = [{
    ///       Effect    = "Deny"
    ///       Action    = "ec2:RunInstances" # <-- here
    ///       Resource  = "arn:aws:ec2:*:*:instance/*"
    ///       Condition = { StringNotEquals = { "ec2:MetadataHttpTokens" = "required" } }
    ///     }]
    ///   })
    /// }
    /// resource "aws_organizations_policy_attachment" "tokens" {
    ///   policy_id = aws_organizations_policy.tokens.id
    ///   target_id = "ou-k3m9-p7q2r4s8"
    /// }
    /// ```
    /// ```cloudformation bad scope:module,organization
    /// Resources:
    ///   Tokens:
    ///     Type: AWS::Organizations::Policy
    ///     Properties:
    ///       Name: tokens
    ///       Type: SERVICE_CONTROL_POLICY
    ///       TargetIds: [ou-k3m9-p7q2r4s8]
    ///       Content:
    ///         Version: "2012-10-17"
    ///         Statement:
    ///           - Effect: Deny
    ///             Action: ec2:RunInstances # <-- here
    ///             Resource: arn:aws:ec2:*:*:instance/*
    ///             Condition:
    ///               StringNotEquals:
    ///                 ec2:MetadataHttpTokens: required
    /// ```
    /// The same as JSON:
    /// ```terraform bad scope:module,organization
    /// resource "aws_organizations_policy" "tokens" {
    ///   name = "tokens"
    ///   content = <<-JSON
    ///     {
    ///       "Version": "2012-10-17",
    ///       "Statement": [
    ///         {
    ///           "Effect": "Deny",
    ///           "Action": "ec2:RunInstances", # <-- here
    ///           "Resource": "arn:aws:ec2:*:*:instance/*",
    ///           "Condition": {
    ///             "StringNotEquals": {"ec2:MetadataHttpTokens": "required"}
    ///           }
    ///         }
    ///       ]
    ///     }
    ///   JSON
    /// }
    /// resource "aws_organizations_policy_attachment" "tokens" {
    ///   policy_id = aws_organizations_policy.tokens.id
    ///   target_id = "ou-k3m9-p7q2r4s8"
    /// }
    /// ```
    /// ## Good
    /// ```terraform good scope:module,organization also:scp-root-user-not-restricted,scp-cloudtrail-guard-incomplete,scp-detective-service-guard-incomplete
    /// resource "aws_organizations_policy" "tokens" {
    ///   name = "tokens"
    ///   content = jsonencode({
    ///     Version = "2012-10-17"
    ///     Statement = [
    ///       {
    ///         Effect    = "Deny"
    ///         Action    = "ec2:RunInstances"
    ///         Resource  = "arn:aws:ec2:*:*:instance/*"
    ///         Condition = { StringNotEquals = { "ec2:MetadataHttpTokens" = "required" } }
    ///       },
    ///       {
    ///         Effect    = "Deny"
    ///         Action    = "*"
    ///         Resource  = "*"
    ///         Condition = { NumericLessThan = { "ec2:RoleDelivery" = "2.0" } }
    ///       },
    ///     ]
    ///   })
    /// }
    /// resource "aws_organizations_policy_attachment" "tokens" {
    ///   policy_id = aws_organizations_policy.tokens.id
    ///   target_id = "ou-k3m9-p7q2r4s8"
    /// }
    /// ```
    /// ```cloudformation good
    /// Resources:
    ///   Tokens:
    ///     Type: AWS::Organizations::Policy
    ///     Properties:
    ///       Name: tokens
    ///       Type: SERVICE_CONTROL_POLICY
    ///       TargetIds: [ou-k3m9-p7q2r4s8]
    ///       Content:
    ///         Version: "2012-10-17"
    ///         Statement:
    ///           - Effect: Deny
    ///             Action: ec2:RunInstances
    ///             Resource: arn:aws:ec2:*:*:instance/*
    ///             Condition:
    ///               StringNotEquals:
    ///                 ec2:MetadataHttpTokens: required
    /// ```
    /// A declarative policy demands tokens of every new instance:
    /// ```terraform good scope:module,organization also:scp-root-user-not-restricted,scp-cloudtrail-guard-incomplete,scp-detective-service-guard-incomplete,org-policy-unattached-or-disabled
    /// resource "aws_organizations_policy" "metadata" {
    ///   name = "metadata"
    ///   type = "DECLARATIVE_POLICY_EC2"
    ///   content = jsonencode({
    ///     ec2_attributes = { instance_metadata_defaults = { http_tokens = { "@@assign" = "required" } } }
    ///   })
    /// }
    /// resource "aws_organizations_policy" "tokens" {
    ///   name = "tokens"
    ///   content = jsonencode({
    ///     Version = "2012-10-17"
    ///     Statement = [{
    ///       Effect    = "Deny"
    ///       Action    = "ec2:RunInstances"
    ///       Resource  = "arn:aws:ec2:*:*:instance/*"
    ///       Condition = { StringNotEquals = { "ec2:MetadataHttpTokens" = "required" } }
    ///     }]
    ///   })
    /// }
    /// resource "aws_organizations_policy_attachment" "tokens" {
    ///   policy_id = aws_organizations_policy.tokens.id
    ///   target_id = "ou-k3m9-p7q2r4s8"
    /// }
    /// ```
    /// ## How to fix
    /// Deny `ec2:ModifyInstanceMetadataOptions` to all but administrators, and everything where
    /// `ec2:RoleDelivery` is below 2.0; or demand tokens by a declarative EC2 policy.
    pub(crate) static SCP_IMDSV2_GUARD_INCOMPLETE = Rule {
        id: "scp-imdsv2-guard-incomplete",
        family: Family::Organization,
        severity: Severity::Medium,
        confidence: Confidence::High,
        scope: Scope::Organization,
        since: "0.1.0",
        cwe: &[285, 693],
        aliases: &[],
        mappings: &[
            ("FSBP", "EC2.8"),
            ("CIS5", "5.7"),
            ("NIST", "AC-3"),
            ("NIST", "AC-6"),
            ("NIST", "CM-7"),
            ("NIST", "AU-9"),
            ("ATT&CK", "T1562"),
            ("ATT&CK", "T1535"),
        ],
        references: &["https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/ExamplePolicies_EC2.html#iam-example-instance-metadata"],
        check: check,
    };
}

const TOKENS: &str = "ec2:MetadataHttpTokens";
const LAUNCH: &str = "ec2:RunInstances";

fn check(cx: &mut Context<'_>) {
    if organization::declares_tokens(cx) {
        return;
    }
    for chain in organization::chains(cx) {
        let launch = chain.denies().find(|(_, statement)| {
            statement.conditions.on(TOKENS).next().is_some()
                && statement.actions.select(LAUNCH).possible()
        });
        if let Some((policy, statement)) = launch {
            judge(cx, &chain, policy, statement);
        }
    }
}

fn judge(cx: &mut Context<'_>, chain: &Chain<'_>, policy: &PolicyDocument, statement: &Statement) {
    let name = names::document(policy);
    let units = chain.words();
    let src = statement
        .actions
        .pattern_for(LAUNCH)
        .map_or_else(|| organization::actions_src(statement), |item| item.pattern().src());
    let negated = statement
        .conditions
        .on(TOKENS)
        .all(|condition| condition.operator.is_negated() && !condition.operator.if_exists);
    let (src, text, fix) = if negated && statement.resources.covers_all() == Answer::Must {
        let star = statement.resources.star();
        (
            star.map_or(src, |star| star.pattern().src()),
            format!("{name} denies accounts under {units} every launch: only `instance/*` has `{TOKENS}`"),
            instances_only(statement),
        )
    } else if keeps_tokens(chain) {
        return;
    } else {
        (
            src,
            format!(
                "{name} demands metadata tokens at launch only: accounts under {units} may use \
                 `ec2:ModifyInstanceMetadataOptions` to switch them off"
            ),
            deny_tokenless(policy),
        )
    };
    let report = cx
        .finding(&policy.place, src, text)
        .statement(statement)
        .fix(fix)
        .help("deny ec2:ModifyInstanceMetadataOptions too, or everything where ec2:RoleDelivery is below 2.0");
    cx.report(chain.concern(report));
}

/// Instances in the place of everything that a launch touches; none where the statement denies more.
fn instances_only(statement: &Statement) -> Option<Fix> {
    let star = statement.resources.star()?.pattern().src();
    let launch = statement.actions.pattern_for(LAUNCH)?;
    let alone = statement.actions.listed().items.len() == 1 && !launch.pattern().has_wildcard();
    let edit = fixes::replace(star, "*", "arn:*:ec2:*:*:instance/*").filter(|_| alone)?;
    Some(fixes::changing("Demand tokens of instances only", [edit]))
}

/// Nothing for credentials that came without a token.
fn deny_tokenless(policy: &PolicyDocument) -> Option<Fix> {
    let old = ("NumericLessThan", "ec2:RoleDelivery", "2.0");
    let draft = fixes::denial(&["*"], vec!["*".into()], Some(old));
    let edit = fixes::append(&policy.document, draft).filter(|_| organization::has_room(policy))?;
    Some(fixes::changing("Deny calls with credentials from metadata without a token", [edit]))
}

/// Whether tokens stay demanded after the launch.
fn keeps_tokens(chain: &Chain<'_>) -> bool {
    chain
        .denies()
        .any(|(_, statement)| statement.conditions.on("ec2:RoleDelivery").next().is_some())
        || chain.denies().any(|(_, statement)| {
            statement
                .actions
                .select("ec2:ModifyInstanceMetadataOptions")
                .possible()
                && statement.conditions.items.iter().all(|condition| {
                    organization::spares(condition) || condition.key.is(TOKENS)
                        || condition.key.is("ec2:Attribute/HttpTokens")
                })
        })
}

