//! `scp-exemption-spoofable`: a guardrail spares a role name or tag that anybody in an account can take.

use crate::organization::{binds_everybody, is_organization};
use crate::{Context, Family, Scope, names};
use overgrant_finding::{Confidence, Severity};
use overgrant_ir::{DocumentRole, PolicyDocument};
use overgrant_policy::{Condition, Effect, Statement, Test, Value};

rule! {
    /// Guardrail exempts a role name or tag that account administrators can take.
    ///
    /// The Deny does not hold for principals with a certain role name in any account, or with a certain
    /// tag, and no service control policy of this code base keeps others from making such a role or from
    /// setting the tag.
    ///
    /// ## Why
    /// Whoever may create roles in a member account creates one of that name, assumes it, and the guardrail
    /// is gone for him.
    ///
    /// ## Bad
    /// ```terraform bad scope:module,organization
    /// resource "aws_organizations_policy" "trail" {
    ///   name = "trail"
    ///   content = jsonencode({
    ///     Version = "2012-10-17"
    ///     Statement = [{
    ///       Effect   = "Deny"
    ///       Action   = "cloudtrail:*"
    ///       Resource = "*"
    ///       Condition = {
    ///         ArnNotLike = { "aws:PrincipalArn" = "arn:aws:iam::*:role/Auditor" } # <-- here
    ///       }
    ///     }]
    ///   })
    /// }
    /// ```
    /// ```cloudformation bad scope:module,organization
    /// Resources:
    ///   Trail:
    ///     Type: AWS::Organizations::Policy
    ///     Properties:
    ///       Name: trail
    ///       Type: SERVICE_CONTROL_POLICY
    ///       Content:
    ///         Version: "2012-10-17"
    ///         Statement:
    ///           - Effect: Deny
    ///             Action: cloudtrail:*
    ///             Resource: "*"
    ///             Condition:
    ///               StringNotEquals:
    ///                 aws:PrincipalTag/Team: security # <-- here
    /// ```
    /// The same as a policy document of Terraform:
    /// ```terraform bad scope:module,organization
    /// data "aws_iam_policy_document" "trail" {
    ///   statement {
    ///     effect    = "Deny"
    ///     actions   = ["cloudtrail:*"]
    ///     resources = ["*"]
    ///     condition {
    ///       test     = "ArnNotLike"
    ///       variable = "aws:PrincipalArn"
    ///       values   = ["arn:aws:iam::*:role/Auditor"] # <-- here
    ///     }
    ///   }
    /// }
    /// resource "aws_organizations_policy" "trail" {
    ///   name = "trail"
    ///   content = data.aws_iam_policy_document.trail.json
    /// }
    /// ```
    /// ## Good
    /// Another statement protects the role:
    /// ```terraform good scope:module,organization also:org-policy-unattached-or-disabled
    /// resource "aws_organizations_policy" "trail" {
    ///   name = "trail"
    ///   content = jsonencode({
    ///     Version = "2012-10-17"
    ///     Statement = [
    ///       {
    ///         Effect    = "Deny"
    ///         Action    = "cloudtrail:*"
    ///         Resource  = "*"
    ///         Condition = { ArnNotLike = { "aws:PrincipalArn" = "arn:aws:iam::*:role/Auditor" } }
    ///       },
    ///       {
    ///         Effect    = "Deny"
    ///         Action    = ["iam:CreateRole", "iam:UpdateAssumeRolePolicy", "iam:PutRolePolicy", "iam:AttachRolePolicy"]
    ///         Resource  = "arn:aws:iam::*:role/Auditor"
    ///       },
    ///     ]
    ///   })
    /// }
    /// ```
    /// Roles under the path that AWS reserves, and roles of one account, cannot be taken by others:
    /// ```cloudformation good scope:module,organization also:org-policy-unattached-or-disabled
    /// Resources:
    ///   Trail:
    ///     Type: AWS::Organizations::Policy
    ///     Properties:
    ///       Name: trail
    ///       Type: SERVICE_CONTROL_POLICY
    ///       Content:
    ///         Version: "2012-10-17"
    ///         Statement:
    ///           - Effect: Deny
    ///             Action: cloudtrail:*
    ///             Resource: "*"
    ///             Condition:
    ///               ArnNotLike:
    ///                 aws:PrincipalArn:
    ///                   - arn:aws:iam::*:role/aws-reserved/sso.amazonaws.com/*
    ///                   - arn:aws:iam::111122223333:role/Auditor
    ///                   - arn:aws:iam::*:role/AWSControlTowerExecution
    /// ```
    /// ## How to fix
    /// Deny to create, change and assume the role in every account, use the path that Identity Center
    /// reserves, or exempt by account (`aws:PrincipalAccount`, `aws:PrincipalOrgPaths`).
    pub(crate) static SCP_EXEMPTION_SPOOFABLE = Rule {
        id: "scp-exemption-spoofable",
        family: Family::Organization,
        severity: Severity::High,
        confidence: Confidence::Medium,
        scope: Scope::Organization,
        since: "0.1.0",
        cwe: &[285, 693],
        aliases: &[],
        mappings: &[("NIST", "AC-6"), ("ATT&CK", "T1562")],
        references: &["https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html#condition-keys-principalarn"],
        check: check,
    };
}

const TAG: &str = "aws:principaltag/";

/// What makes a role of a name, or opens an existing one.
const TAKES: [&str; 2] = ["iam:CreateRole", "iam:UpdateAssumeRolePolicy"];

fn check(cx: &mut Context<'_>) {
    let policies: Vec<&PolicyDocument> = cx
        .model
        .documents
        .iter()
        .filter(|one| is_organization(one))
        .collect();
    for policy in &policies {
        let denies = policy.document.statements.iter();
        for statement in denies.filter(|one| one.effect == Effect::Deny) {
            judge(cx, &policies, policy, statement);
        }
    }
}

fn judge(
    cx: &mut Context<'_>,
    policies: &[&PolicyDocument],
    policy: &PolicyDocument,
    statement: &Statement,
) {
    let mut found: Vec<(&Value, String)> = Vec::new();
    for condition in &statement.conditions.items {
        let Some(key) = condition.key.spelling().filter(|_| exempts(condition)) else {
            continue;
        };
        if let Some(tag) = key.strip_prefix(TAG) {
            let value = condition.values.first();
            let value = value.filter(|_| !is_tag_protected(policies, tag));
            found.extend(value.map(|value| (value, format!("principals that carry the tag `{tag}`"))));
        } else if key == "aws:principalarn" {
            let names = condition.values.iter().filter_map(|value| {
                let role = role_anywhere(value)?;
                let free = !is_protected(policies, &role);
                free.then(|| (value, format!("every role named `{role}`, in any account")))
            });
            found.extend(names);
        }
    }
    let Some((first, who)) = found.first() else { return };
    let text = format!(
        "{} spares {who}: whoever may create or tag roles in a member account takes part in {}",
        names::document(policy),
        statement.actions
    );
    let mut report = cx
        .finding(&policy.place, first.pattern().src(), text)
        .statement(statement)
        .when(first.pattern().guard())
        .marks(first.pattern().marks())
        .help("protect the role by a policy of the organization, or exempt by account or reserved path");
    for (value, who) in found.iter().skip(1) {
        report = report.related(value.pattern().src(), format!("spares {who}"), None);
    }
    cx.report(report);
}

/// Whether a condition of a Deny spares what its values name.
fn exempts(condition: &Condition) -> bool {
    condition.operator.is_negated() && condition.operator.test != Test::Null
}

/// The role (with its path) that a pattern means in every account.
fn role_anywhere(value: &Value) -> Option<String> {
    let text = value.known()?;
    let parts: Vec<&str> = text.splitn(6, ':').collect();
    let [_, _, "iam" | "sts" | "*", _, account, resource] = parts.as_slice() else {
        return None;
    };
    let role = resource
        .strip_prefix("role/")
        .or_else(|| resource.strip_prefix("assumed-role/"))?;
    let reserved = role.starts_with("aws-reserved/") || role.starts_with("aws-service-role/");
    // Control Tower protects its roles by guardrails of its own.
    let tower = role.to_ascii_lowercase().contains("controltower");
    (account.contains('*') && !reserved && !tower).then(|| role.to_owned())
}

/// Whether a Deny of some service control policy keeps others from taking a role of the name.
fn is_protected(policies: &[&PolicyDocument], role: &str) -> bool {
    let arn = format!("arn:aws:iam::111122223333:role/{}", role.replace(['*', '?'], "x"));
    let arn = overgrant_value::Text::known(&arn);
    TAKES.iter().all(|action| {
        scp_denies(policies).any(|statement| {
            statement.actions.select(action).possible()
                && binds_everybody(statement)
                && statement.resources.select(&arn).possible()
                && !statement.resources.listed().negated
        })
    })
}

/// Whether a Deny of some service control policy keeps others from setting the tag.
fn is_tag_protected(policies: &[&PolicyDocument], tag: &str) -> bool {
    let request = format!("aws:RequestTag/{tag}");
    scp_denies(policies).any(|statement| {
        let by_tag = statement.conditions.on(&request).next().is_some()
            || statement.conditions.on("aws:TagKeys").next().is_some();
        by_tag && statement.actions.select("iam:TagRole").possible()
    })
}

fn scp_denies<'a>(policies: &'a [&'a PolicyDocument]) -> impl Iterator<Item = &'a Statement> {
    policies
        .iter()
        .filter(|policy| policy.role == DocumentRole::ServiceControl)
        .flat_map(|policy| policy.document.denies())
}
