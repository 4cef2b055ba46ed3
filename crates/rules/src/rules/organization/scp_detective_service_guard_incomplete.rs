//! `scp-detective-service-guard-incomplete`: services that watch can be switched off.

use crate::grants::list_actions;
use crate::organization::{self, Chain};
use crate::{Context, Family, Scope, fixes, names};
use overgrant_catalog::{Action, catalog};
use overgrant_finding::{Confidence, Severity};
use overgrant_policy::Answer;

rule! {
    /// Service control policies leave detection services to be switched off.
    ///
    /// All policies that bind a unit are taken together. For GuardDuty, Security Hub, Config and Access
    /// Analyzer (and for Macie and Inspector where they are used here) they must deny what switches the
    /// service off and what leaves its administrator; lists that name the old action
    /// (`DisassociateFromMasterAccount`) alone leave the new one open.
    ///
    /// ## Why
    /// Who takes over an account switches off what would report him, or detaches it from the security
    /// account that reads the reports.
    ///
    /// ## Bad
    /// ```terraform bad scope:module,organization
    /// resource "aws_organizations_policy" "guard" {
    ///   name = "guard"
    ///   content = jsonencode({
    ///     Version = "2012-10-17"
    ///     Statement = [{
    ///       Effect   = "Deny"
    ///       Action   = ["guardduty:DeleteDetector", "guardduty:DisassociateFromMasterAccount"] # <-- here
    ///       Resource = "*"
    ///     }]
    ///   })
    /// }
    /// resource "aws_organizations_policy_attachment" "guard" {
    ///   policy_id = aws_organizations_policy.guard.id
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
    ///       TargetIds:
    ///         - ou-k3m9-p7q2r4s8 # <-- here
    ///       Content:
    ///         Version: "2012-10-17"
    ///         Statement:
    ///           - Effect: Deny
    ///             Action: cloudtrail:*
    ///             Resource: "*"
    /// ```
    /// The same as JSON:
    /// ```terraform bad scope:module,organization
    /// resource "aws_organizations_policy" "guard" {
    ///   name = "guard"
    ///   content = <<-JSON
    ///     {
    ///       "Version": "2012-10-17",
    ///       "Statement": [
    ///         {
    ///           "Effect": "Deny",
    ///           "Action": ["guardduty:DeleteDetector", "guardduty:DisassociateFromMasterAccount"], # <-- here
    ///           "Resource": "*"
    ///         }
    ///       ]
    ///     }
    ///   JSON
    /// }
    /// resource "aws_organizations_policy_attachment" "guard" {
    ///   policy_id = aws_organizations_policy.guard.id
    ///   target_id = "ou-k3m9-p7q2r4s8"
    /// }
    /// ```
    /// ## Good
    /// ```terraform good scope:module,organization also:scp-root-user-not-restricted,scp-cloudtrail-guard-incomplete
    /// resource "aws_organizations_policy" "guard" {
    ///   name = "guard"
    ///   content = jsonencode({
    ///     Version = "2012-10-17"
    ///     Statement = [{
    ///       Effect = "Deny"
    ///       Action = [
    ///         "guardduty:Delete*", "guardduty:Disassociate*", "guardduty:Update*", "guardduty:StopMonitoringMembers",
    ///         "securityhub:Disable*", "securityhub:Disassociate*", "securityhub:DeleteMembers",
    ///         "config:Delete*", "config:StopConfigurationRecorder", "access-analyzer:DeleteAnalyzer",
    ///       ]
    ///       Resource = "*"
    ///     }]
    ///   })
    /// }
    /// resource "aws_organizations_policy_attachment" "guard" {
    ///   policy_id = aws_organizations_policy.guard.id
    ///   target_id = "ou-k3m9-p7q2r4s8"
    /// }
    /// ```
    /// ```cloudformation good
    /// Resources:
    ///   Guard:
    ///     Type: AWS::Organizations::Policy
    ///     Properties:
    ///       Name: guard
    ///       Type: SERVICE_CONTROL_POLICY
    ///       TargetIds: [ou-k3m9-p7q2r4s8]
    ///       Content:
    ///         Version: "2012-10-17"
    ///         Statement:
    ///           - Effect: Deny
    ///             Action: guardduty:DeleteDetector
    ///             Resource: "*"
    /// ```
    /// Nothing of Macie and Inspector is asked for where the code does not use them; auto-enabled members are
    /// locked by their service, and denied calls on top do no harm:
    /// ```cloudformation good scope:module,organization also:scp-root-user-not-restricted,scp-cloudtrail-guard-incomplete
    /// Resources:
    ///   Guard:
    ///     Type: AWS::Organizations::Policy
    ///     Properties:
    ///       Name: guard
    ///       Type: SERVICE_CONTROL_POLICY
    ///       TargetIds: [ou-k3m9-p7q2r4s8]
    ///       Content:
    ///         Version: "2012-10-17"
    ///         Statement:
    ///           - Effect: Deny
    ///             Action:
    ///               - guardduty:DeleteDetector
    ///               - guardduty:UpdateDetector
    ///               - guardduty:DisassociateFromAdministratorAccount
    ///               - securityhub:DisableSecurityHub
    ///               - securityhub:DisassociateFromAdministratorAccount
    ///               - config:StopConfigurationRecorder
    ///               - config:DeleteConfigurationRecorder
    ///               - access-analyzer:DeleteAnalyzer
    ///             Resource: "*"
    /// ```
    /// ## How to fix
    /// Deny the actions that the finding lists, with an exemption for the security account's role at most.
    pub(crate) static SCP_DETECTIVE_SERVICE_GUARD_INCOMPLETE = Rule {
        id: "scp-detective-service-guard-incomplete",
        family: Family::Organization,
        severity: Severity::Medium,
        confidence: Confidence::High,
        scope: Scope::Organization,
        since: "0.1.0",
        cwe: &[285, 693],
        aliases: &[],
        mappings: &[("NIST", "AU-9"), ("ATT&CK", "T1562.001")],
        references: &["https://docs.aws.amazon.com/organizations/latest/userguide/orgs_manage_policies_scps_examples_guardduty.html"],
        check: check,
    };
}

/// A service: its name, what switches it off or leaves its administrator, and the types whose use
/// makes it wanted (none: always).
struct Service {
    name: &'static str,
    off: &'static [&'static str],
    used_by: &'static [&'static str],
}

const SERVICES: [Service; 6] = [
    Service {
        name: "GuardDuty",
        off: &[
            "guardduty:DeleteDetector",
            "guardduty:UpdateDetector",
            "guardduty:DisassociateFromAdministratorAccount",
        ],
        used_by: &[],
    },
    Service {
        name: "Security Hub",
        off: &["securityhub:DisableSecurityHub", "securityhub:DisassociateFromAdministratorAccount"],
        used_by: &[],
    },
    Service {
        name: "Config",
        off: &["config:StopConfigurationRecorder", "config:DeleteConfigurationRecorder"],
        used_by: &[],
    },
    Service {
        name: "Access Analyzer",
        off: &["access-analyzer:DeleteAnalyzer"],
        used_by: &[],
    },
    Service {
        name: "Macie",
        off: &["macie2:DisableMacie", "macie2:DisassociateFromAdministratorAccount"],
        used_by: &["AWS::Macie::Session", "aws_macie2_account"],
    },
    Service {
        name: "Inspector",
        off: &["inspector2:Disable"],
        used_by: &["aws_inspector2_enabler"],
    },
];

fn check(cx: &mut Context<'_>) {
    for chain in organization::chains(cx) {
        if let Some(report) = judge(cx, &chain) {
            cx.report(report);
        }
    }
}

fn judge(cx: &Context<'_>, chain: &Chain<'_>) -> Option<crate::Report> {
    let mut open: Vec<Action<'static>> = Vec::new();
    let mut bare: Vec<&str> = Vec::new();
    for service in &SERVICES {
        let wanted =
            service.used_by.is_empty() || cx.model.settings_of(service.used_by).next().is_some();
        let left: Vec<Action<'static>> = service
            .off
            .iter()
            .filter(|action| wanted && !chain.forbids(action, &|_| false))
            .filter_map(|action| catalog().find_action(action))
            .collect();
        if !left.is_empty() && left.len() == service.off.len() {
            bare.push(service.name);
        }
        open.extend(left);
    }
    if open.is_empty() {
        return None;
    }
    let all: Vec<&str> = SERVICES.iter().flat_map(|service| service.off).copied().collect();
    // The statement to complete: one that guards a service of which something is left open, best one
    // that names the old action.
    let guard = chain
        .denies()
        .filter(|(_, statement)| organization::guards(statement, &all) || legacy(statement).is_some())
        .min_by_key(|(_, statement)| legacy(statement).is_none());
    let left = list_actions(&open);
    let mut report = match guard {
        Some((policy, statement)) => {
            let text = format!(
                "{} lets accounts under {} use {left}",
                names::document(policy),
                chain.words()
            );
            let src = legacy(statement).unwrap_or_else(|| organization::actions_src(statement));
            let fix = fixes::deny_too(statement, &open).filter(|_| organization::covers_all(statement));
            let report = cx.finding(&policy.place, src, text).statement(statement).fix(fix);
            chain.concern(report)
        }
        None => chain.absence(cx, format!("accounts under {} may use {left}", chain.words()))?,
    };
    if !bare.is_empty() {
        report = report.note(format!("not guarded at all: {}", bare.join(", ")));
    }
    Some(report.help("deny what switches these services off and what leaves their administrator"))
}

/// The member of a statement that names the action of which only a successor is called today, where the
/// statement lacks the successor.
fn legacy(statement: &overgrant_policy::Statement) -> Option<&overgrant_value::Src> {
    let prefix = statement.actions.listed().items.iter().find(|item| {
        item.action()
            .is_some_and(|action| action.name() == "DisassociateFromMasterAccount")
    })?;
    let successor = format!("{}:DisassociateFromAdministratorAccount", prefix.service()?);
    (statement.actions.select(&successor) == Answer::No).then(|| prefix.pattern().src())
}
