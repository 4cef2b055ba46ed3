//! `scp-cloudtrail-guard-incomplete`: the guard of the trail leaves a way to blind it.

use crate::grants::list_actions;
use crate::organization::{self, Chain};
use crate::{Context, Family, Scope, fixes, names};
use overgrant_catalog::{Action, catalog};
use overgrant_finding::{Confidence, Severity};
use overgrant_policy::ResourcePattern;

rule! {
    /// Service control policies leave a way to switch the trail off.
    ///
    /// All policies that bind a unit are taken together. They deny some of what stops, deletes or narrows
    /// a trail, and leave the rest open, or name a trail that is not in this code base. With `scope:
    /// organization` a unit without any such guard is reported too. It is low where only insights and stores
    /// of events are left open, and a notice where the trail is the organization's, which member accounts
    /// cannot change.
    ///
    /// ## Why
    /// Who takes over an account blinds its trail first. `PutEventSelectors` that leaves out management
    /// events does so as well as `StopLogging`.
    ///
    /// ## Bad
    /// ```terraform bad scope:module,organization
    /// resource "aws_organizations_policy" "trail" {
    ///   name = "trail"
    ///   content = jsonencode({
    ///     Version = "2012-10-17"
    ///     Statement = [{
    ///       Effect   = "Deny"
    ///       Action   = ["cloudtrail:StopLogging", "cloudtrail:DeleteTrail"] # <-- here
    ///       Resource = "*"
    ///     }]
    ///   })
    /// }
    /// resource "aws_organizations_policy_attachment" "trail" {
    ///   policy_id = aws_organizations_policy.trail.id
    ///   target_id = "ou-k3m9-p7q2r4s8"
    /// }
    /// ```
    /// ```cloudformation bad scope:module,organization
    /// Resources:
    ///   Trail:
    ///     Type: AWS::Organizations::Policy
    ///     Properties:
    ///       Name: trail
    ///       Type: SERVICE_CONTROL_POLICY
    ///       TargetIds: [ou-k3m9-p7q2r4s8]
    ///       Content:
    ///         Version: "2012-10-17"
    ///         Statement:
    ///           - Effect: Deny
    ///             Action: cloudtrail:DeleteTrail # <-- here
    ///             Resource: "*"
    /// ```
    /// The same as a policy document of Terraform:
    /// ```terraform bad scope:module,organization
    /// data "aws_iam_policy_document" "trail" {
    ///   statement {
    ///     effect    = "Deny"
    ///     actions   = ["cloudtrail:StopLogging", "cloudtrail:DeleteTrail"] # <-- here
    ///     resources = ["*"]
    ///   }
    /// }
    /// resource "aws_organizations_policy" "trail" {
    ///   name = "trail"
    ///   content = data.aws_iam_policy_document.trail.json
    /// }
    /// resource "aws_organizations_policy_attachment" "trail" {
    ///   policy_id = aws_organizations_policy.trail.id
    ///   target_id = "ou-k3m9-p7q2r4s8"
    /// }
    /// ```
    /// ## Good
    /// Two policies that cover it together, with an exemption:
    /// ```terraform good scope:module,organization also:scp-root-user-not-restricted,scp-detective-service-guard-incomplete
    /// resource "aws_organizations_policy" "stop" {
    ///   name = "stop"
    ///   content = jsonencode({
    ///     Version = "2012-10-17"
    ///     Statement = [{
    ///       Effect    = "Deny"
    ///       Action    = ["cloudtrail:StopLogging", "cloudtrail:DeleteTrail"]
    ///       Resource  = "*"
    ///       Condition = { ArnNotLike = { "aws:PrincipalArn" = "arn:aws:iam::*:role/aws-reserved/sso.amazonaws.com/*" } }
    ///     }]
    ///   })
    /// }
    /// resource "aws_organizations_policy" "change" {
    ///   name = "change"
    ///   content = jsonencode({
    ///     Version   = "2012-10-17"
    ///     Statement = [{ Effect = "Deny", Action = ["cloudtrail:Put*", "cloudtrail:Update*", "cloudtrail:*EventDataStore*"], Resource = "*" }]
    ///   })
    /// }
    /// resource "aws_organizations_policy_attachment" "stop" {
    ///   policy_id = aws_organizations_policy.stop.id
    ///   target_id = "ou-k3m9-p7q2r4s8"
    /// }
    /// resource "aws_organizations_policy_attachment" "change" {
    ///   policy_id = aws_organizations_policy.change.id
    ///   target_id = "ou-k3m9-p7q2r4s8"
    /// }
    /// ```
    /// Without `scope: organization` nothing is said:
    /// ```cloudformation good
    /// Resources:
    ///   Trail:
    ///     Type: AWS::Organizations::Policy
    ///     Properties:
    ///       Name: trail
    ///       Type: SERVICE_CONTROL_POLICY
    ///       TargetIds: [ou-k3m9-p7q2r4s8]
    ///       Content:
    ///         Version: "2012-10-17"
    ///         Statement:
    ///           - Effect: Deny
    ///             Action: cloudtrail:DeleteTrail
    ///             Resource: "*"
    /// ```
    /// The trail of the organization belongs to the management account:
    /// ```terraform good at:info scope:module,organization also:scp-root-user-not-restricted,scp-detective-service-guard-incomplete,cloudtrail-trail-incomplete
    /// resource "aws_cloudtrail" "all" {
    ///   name                  = "all"
    ///   s3_bucket_name        = "acme-trail"
    ///   is_multi_region_trail = true
    ///   is_organization_trail = true
    /// }
    /// resource "aws_organizations_policy" "trail" {
    ///   name = "trail"
    ///   content = jsonencode({
    ///     Version   = "2012-10-17"
    ///     Statement = [{ Effect = "Deny", Action = "cloudtrail:DeleteTrail", Resource = "*" }]
    ///   })
    /// }
    /// resource "aws_organizations_policy_attachment" "trail" {
    ///   policy_id = aws_organizations_policy.trail.id
    ///   target_id = "ou-k3m9-p7q2r4s8"
    /// }
    /// ```
    /// ## How to fix
    /// Deny `StopLogging`, `DeleteTrail`, `UpdateTrail`, `PutEventSelectors` and `PutInsightSelectors` for
    /// every trail and the deletion of event data stores, and protect the bucket and key of the trail likewise.
    pub(crate) static SCP_CLOUDTRAIL_GUARD_INCOMPLETE = Rule {
        id: "scp-cloudtrail-guard-incomplete",
        family: Family::Organization,
        severity: Severity::Medium,
        confidence: Confidence::High,
        scope: Scope::Organization,
        since: "0.1.0",
        cwe: &[285, 693],
        aliases: &[],
        mappings: &[("CIS5", "3.1"), ("NIST", "AU-9"), ("ATT&CK", "T1562.008")],
        references: &["https://docs.aws.amazon.com/organizations/latest/userguide/orgs_manage_policies_scps_examples_cloudtrail.html"],
        check: check,
    };
}

/// What blinds a trail.
const BLINDS: [&str; 4] = [
    "cloudtrail:StopLogging",
    "cloudtrail:DeleteTrail",
    "cloudtrail:UpdateTrail",
    "cloudtrail:PutEventSelectors",
];

/// What takes away single records: insights, and stores of events.
const LESSENS: [&str; 3] = [
    "cloudtrail:PutInsightSelectors",
    "cloudtrail:DeleteEventDataStore",
    "cloudtrail:StopEventDataStoreIngestion",
];

const STORES: &[&str] = &["AWS::CloudTrail::EventDataStore", "aws_cloudtrail_event_data_store"];
const TRAILS: &[&str] = &["AWS::CloudTrail::Trail", "aws_cloudtrail"];

fn check(cx: &mut Context<'_>) {
    // Member accounts cannot change a trail of the organization.
    let of_organization = cx.model.settings_of(TRAILS).any(|trail| {
        ["is_organization_trail", "IsOrganizationTrail"]
            .iter()
            .any(|name| trail.attrs.get(name).and_then(|val| val.as_bool()) == Some(true))
    });
    for chain in organization::chains(cx) {
        let Some(report) = judge(cx, &chain) else { continue };
        let report = if of_organization {
            report
                .severity(Severity::Info)
                .note("member accounts cannot change the organization's trail")
        } else {
            report
        };
        cx.report(report);
    }
}

fn judge(cx: &Context<'_>, chain: &Chain<'_>) -> Option<crate::Report> {
    let names_trail = |item: &ResourcePattern| is_known_trail(cx, item);
    let open = |actions: &[&str]| -> Vec<Action<'static>> {
        actions
            .iter()
            .filter(|action| !chain.forbids(action, &names_trail))
            .filter_map(|action| catalog().find_action(action))
            .collect()
    };
    let (blinds, lessens) = (open(&BLINDS), open(&LESSENS));
    let severity = match (blinds.is_empty(), lessens.is_empty()) {
        (true, true) => return None,
        (true, false) if cx.model.settings_of(STORES).next().is_none() => Severity::Low,
        _ => Severity::Medium,
    };
    let open = [blinds, lessens].concat();
    let guard = chain
        .denies()
        .find(|(_, statement)| organization::guards(statement, &BLINDS));
    let left = list_actions(&open);
    let report = match guard {
        Some((policy, statement)) => {
            let text = format!(
                "{} lets accounts under {} use {left}",
                names::document(policy),
                chain.words()
            );
            let mut report = cx
                .finding(&policy.place, organization::actions_src(statement), text)
                .statement(statement)
                .fix(fixes::deny_too(statement, &open).filter(|_| organization::covers_all(statement)));
            let listed = statement.resources.listed();
            if !listed.negated && !organization::covers_all(statement) {
                report = report.note(format!(
                    "it protects {} only, which is no trail of this code base",
                    statement.resources
                ));
            }
            chain.concern(report)
        }
        None => chain.absence(
            cx,
            format!("accounts under {} may use {left}", chain.words()),
        )?,
    };
    let report = report.severity(severity);
    Some(report.help("deny what stops, deletes, updates and narrows trails, for every trail"))
}

/// Whether the pattern matches a trail of the model.
fn is_known_trail(cx: &Context<'_>, item: &ResourcePattern) -> bool {
    let text = item.pattern().to_string();
    let Some((_, name)) = text.split_once(":trail/").filter(|_| item.pattern().is_known()) else {
        // What is open may be one.
        return !item.pattern().is_known();
    };
    cx.model.settings_of(TRAILS).any(|trail| {
        ["name", "TrailName"].iter().any(|argument| {
            let known = trail.attrs.get(argument).and_then(|val| val.as_str());
            known.is_some_and(|known| crate::listed::matches(name, &known))
        })
    })
}
