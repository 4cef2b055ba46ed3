//! `scp-region-deny-breaks-global-services`: a Deny by region that catches services of one region.

use crate::organization::is_organization;
use crate::{Context, Family, Scope, fixes, names};
use overgrant_catalog::catalog;
use overgrant_finding::{Confidence, Edit, Fix, Severity};
use overgrant_policy::{Answer, Condition, Effect, Statement};
use overgrant_value::Src;

rule! {
    /// Deny by region shuts out services that exist in one region only.
    ///
    /// The statement denies calls outside a list of regions. IAM, Organizations, CloudFront, Route 53 and
    /// others are called in `us-east-1` wherever the account works; that region is not in the list, and
    /// the services are not left out.
    ///
    /// ## Why
    /// Nobody in the account can change roles, certificates or DNS any more, not even to answer an
    /// attack; such a policy is soon detached, and the guard is gone.
    ///
    /// ## Bad
    /// ```terraform bad
    /// resource "aws_organizations_policy" "regions" {
    ///   name = "regions"
    ///   content = jsonencode({
    ///     Version = "2012-10-17"
    ///     Statement = [{
    ///       Effect    = "Deny"
    ///       Action    = "*" # <-- here
    ///       Resource  = "*"
    ///       Condition = { StringNotEquals = { "aws:RequestedRegion" = ["eu-central-1", "eu-west-1"] } }
    ///     }]
    ///   })
    /// }
    /// ```
    /// ```cloudformation bad
    /// Resources:
    ///   Regions:
    ///     Type: AWS::Organizations::Policy
    ///     Properties:
    ///       Name: regions
    ///       Type: SERVICE_CONTROL_POLICY
    ///       Content:
    ///         Version: "2012-10-17"
    ///         Statement:
    ///           - Effect: Deny
    ///             NotAction: # <-- here
    ///               - iam:*
    ///               - organizations:*
    ///               - support:*
    ///             Resource: "*"
    ///             Condition:
    ///               StringNotEquals:
    ///                 aws:RequestedRegion: eu-central-1
    /// ```
    /// The same as a policy document of Terraform:
    /// ```terraform bad
    /// data "aws_iam_policy_document" "regions" {
    ///   statement {
    ///     effect    = "Deny"
    ///     actions   = ["*"] # <-- here
    ///     resources = ["*"]
    ///     condition {
    ///       test     = "StringNotEquals"
    ///       variable = "aws:RequestedRegion"
    ///       values   = ["eu-central-1", "eu-west-1"]
    ///     }
    ///   }
    /// }
    /// resource "aws_organizations_policy" "regions" {
    ///   name = "regions"
    ///   content = data.aws_iam_policy_document.regions.json
    /// }
    /// ```
    /// ## Good
    /// `us-east-1` is in the list:
    /// ```terraform good
    /// resource "aws_organizations_policy" "regions" {
    ///   name = "regions"
    ///   content = jsonencode({
    ///     Version = "2012-10-17"
    ///     Statement = [{
    ///       Effect    = "Deny"
    ///       Action    = "*"
    ///       Resource  = "*"
    ///       Condition = { StringNotEquals = { "aws:RequestedRegion" = ["eu-central-1", "us-east-1"] } }
    ///     }]
    ///   })
    /// }
    /// ```
    /// Another partition has other home regions, and a Deny of single services breaks none:
    /// ```cloudformation good
    /// Resources:
    ///   China:
    ///     Type: AWS::Organizations::Policy
    ///     Properties:
    ///       Name: china
    ///       Type: SERVICE_CONTROL_POLICY
    ///       Content:
    ///         Version: "2012-10-17"
    ///         Statement:
    ///           - Effect: Deny
    ///             Action: "*"
    ///             Resource: "*"
    ///             Condition:
    ///               StringNotEquals:
    ///                 aws:RequestedRegion: [cn-north-1, cn-northwest-1]
    ///           - Effect: Deny
    ///             Action: ["ec2:*", "rds:*"]
    ///             Resource: "*"
    ///             Condition:
    ///               StringNotEquals:
    ///                 aws:RequestedRegion: eu-central-1
    /// ```
    /// GovCloud has home regions of its own too:
    /// ```terraform good
    /// resource "aws_organizations_policy" "gov" {
    ///   name = "gov"
    ///   content = jsonencode({
    ///     Version = "2012-10-17"
    ///     Statement = [{
    ///       Effect    = "Deny"
    ///       Action    = "*"
    ///       Resource  = "*"
    ///       Condition = { StringNotEquals = { "aws:RequestedRegion" = ["us-gov-west-1", "us-gov-east-1"] } }
    ///     }]
    ///   })
    /// }
    /// ```
    /// ## How to fix
    /// Put the services that the finding names into `NotAction`, or add `us-east-1` to the regions.
    pub(crate) static SCP_REGION_DENY_BREAKS_GLOBAL_SERVICES = Rule {
        id: "scp-region-deny-breaks-global-services",
        family: Family::Organization,
        severity: Severity::Medium,
        confidence: Confidence::High,
        scope: Scope::Module,
        since: "0.1.0",
        cwe: &[285, 693],
        aliases: &["organizations_scp_check_deny_regions"],
        mappings: &[
            ("CIS7", "2.1.2"),
            ("Control Tower", "GR_REGION_DENY"),
            ("NIST", "AC-3"),
            ("NIST", "AC-6"),
            ("NIST", "CM-7"),
            ("NIST", "AU-9"),
            ("ATT&CK", "T1562"),
            ("ATT&CK", "T1535"),
        ],
        references: &["https://docs.aws.amazon.com/organizations/latest/userguide/orgs_manage_policies_scps_examples_general.html#example-scp-deny-region"],
        check: check,
    };
}

/// The region that services without regions of their own are called in.
const HOME: &str = "us-east-1";

/// An action of each such service, those without which an account is stuck first.
const CORE: [&str; 6] = [
    "iam:CreateRole",
    "organizations:DescribeOrganization",
    "route53:ChangeResourceRecordSets",
    "cloudfront:UpdateDistribution",
    "support:CreateCase",
    "sts:GetFederationToken",
];
const OTHERS: [&str; 5] = [
    "shield:CreateProtection",
    "health:DescribeEvents",
    "budgets:ModifyBudget",
    "ce:GetCostAndUsage",
    "waf:UpdateWebACL",
];

fn check(cx: &mut Context<'_>) {
    for policy in cx.model.documents.iter().filter(|one| is_organization(one)) {
        for statement in &policy.document.statements {
            let Some(region) = region(statement) else { continue };
            let denied = |names: &[&'static str]| -> Vec<&'static str> {
                let caught = |name: &&&str| statement.actions.select(name) == Answer::Must;
                names.iter().filter(caught).copied().collect()
            };
            // STS has endpoints in every region; it counts beside others only.
            let core = denied(&CORE);
            let alone = core.iter().all(|name| name.starts_with("sts:"));
            let (caught, severity) = if alone {
                (denied(&OTHERS), Severity::Low)
            } else {
                (core, Severity::Medium)
            };
            if caught.is_empty() {
                continue;
            }
            let services: Vec<String> = caught
                .iter()
                .filter_map(|name| catalog().find_action(name))
                .map(|action| format!("`{}`", action.service().prefix()))
                .collect();
            let text = format!(
                "{} denies {} everywhere: they are called in `{HOME}`, which {} not allow",
                names::document(policy),
                services.join(", "),
                if region.values.len() == 1 { "its region does" } else { "its regions do" },
            );
            let report = cx
                .finding(&policy.place, src(statement), text)
                .statement(statement)
                .severity(severity)
                .related(&region.src, "the regions", None)
                .fix(leave_out(statement, &[denied(&CORE), denied(&OTHERS)].concat()))
                .help("leave the global services out by NotAction, or allow us-east-1");
            cx.report(report);
        }
    }
}

/// The services of these actions left out of the Deny: behind those that are left out, or in the place
/// of everything.
fn leave_out(statement: &Statement, caught: &[&str]) -> Option<Fix> {
    let services = caught.iter().filter_map(|name| name.split_once(':'));
    let services: Vec<String> = services.map(|(service, _)| format!("{service}:*")).collect();
    let listed = statement.actions.listed();
    let edits: Vec<Edit> = match (listed.negated, listed.items.as_slice()) {
        (true, [.., last]) => vec![fixes::add(last.pattern().src(), services)?],
        (false, [only]) if only.pattern().is_star() => {
            vec![fixes::negate(&listed.key_src)?, fixes::instead(only.pattern().src(), services)?]
        }
        _ => return None,
    };
    Some(fixes::changing("Leave the global services out", edits))
}

/// The condition that denies by region and surely leaves the home region out.
fn region(statement: &Statement) -> Option<&Condition> {
    let mut conditions = statement.conditions.on("aws:RequestedRegion");
    let region = conditions.next()?;
    let sure = statement.effect == Effect::Deny
        && statement.is_certain()
        && region.operator.is_negated()
        && !region.open
        && !region.values.is_empty();
    let commercial = region.values.iter().all(|value| {
        value
            .known()
            .is_some_and(|name| !name.starts_with("cn-") && !name.starts_with("us-gov-") && !name.contains("iso"))
            && value.pattern().matches(HOME) == Answer::No
    });
    (sure && commercial && conditions.next().is_none()).then_some(region)
}

/// What has to change: the member that stands for everything, else the list of actions.
fn src(statement: &Statement) -> &Src {
    let listed = statement.actions.listed();
    listed
        .items
        .iter()
        .find(|item| !listed.negated && item.covers_all() == Answer::Must)
        .map_or_else(
            || crate::organization::actions_src(statement),
            |item| item.pattern().src(),
        )
}
