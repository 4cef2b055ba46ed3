//! `org-policy-unattached-or-disabled`: a policy of the organization that is in force nowhere.

use crate::organization::{self, attachments};
use crate::{Context, Family, Scope, names};
use overgrant_finding::{Confidence, Severity};
use overgrant_ir::{DocumentId, DocumentRole, Guardrail, PolicyDocument};
use overgrant_value::{Piece, Sym, Text};

rule! {
    /// Organization policy is in force nowhere.
    ///
    /// The policy is attached to no root, unit or account of this code base, or only to the management
    /// account, which service control policies do not bind; or its type is not enabled; or the target can
    /// be no id.
    ///
    /// ## Why
    /// Everybody believes in a guardrail that holds nobody back.
    ///
    /// ## Bad
    /// ```terraform bad scope:module,organization
    /// resource "aws_organizations_policy" "regions" { # <-- here
    ///   name = "regions"
    ///   content = jsonencode({
    ///     Version   = "2012-10-17"
    ///     Statement = [{ Effect = "Deny", Action = "ec2:*", Resource = "*" }]
    ///   })
    /// }
    /// ```
    /// ```cloudformation bad scope:module,organization
    /// Resources:
    ///   Regions:
    ///     Type: AWS::Organizations::Policy
    ///     Properties:
    ///       Name: regions
    ///       Type: SERVICE_CONTROL_POLICY
    ///       TargetIds:
    ///         - production # <-- here
    ///       Content:
    ///         Version: "2012-10-17"
    ///         Statement:
    ///           - Effect: Deny
    ///             Action: ec2:*
    ///             Resource: "*"
    /// ```
    /// ## Good
    /// ```terraform good scope:module,organization also:scp-root-user-not-restricted,scp-cloudtrail-guard-incomplete,scp-detective-service-guard-incomplete
    /// resource "aws_organizations_policy" "regions" {
    ///   name = "regions"
    ///   content = jsonencode({
    ///     Version   = "2012-10-17"
    ///     Statement = [{ Effect = "Deny", Action = "ec2:*", Resource = "*" }]
    ///   })
    /// }
    /// resource "aws_organizations_policy_attachment" "regions" {
    ///   policy_id = aws_organizations_policy.regions.id
    ///   target_id = "ou-k3m9-p7q2r4s8"
    /// }
    /// ```
    /// Where attachments cannot be read, any policy may be attached, and this is a note:
    /// ```terraform good at:info scope:module,organization also:scp-root-user-not-restricted,scp-cloudtrail-guard-incomplete,scp-detective-service-guard-incomplete
    /// variable "policies" { type = map(string) }
    /// resource "aws_organizations_policy" "regions" {
    ///   name = "regions"
    ///   content = jsonencode({
    ///     Version   = "2012-10-17"
    ///     Statement = [{ Effect = "Deny", Action = "ec2:*", Resource = "*" }]
    ///   })
    /// }
    /// resource "aws_organizations_policy_attachment" "all" {
    ///   for_each  = var.policies
    ///   policy_id = each.key
    ///   target_id = each.value
    /// }
    /// ```
    /// ```cloudformation good
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
    ///             Action: ec2:*
    ///             Resource: "*"
    /// ```
    /// ## How to fix
    /// Attach the policy to the root, a unit or an account, and enable its type on the root.
    pub(crate) static ORG_POLICY_UNATTACHED_OR_DISABLED = Rule {
        id: "org-policy-unattached-or-disabled",
        family: Family::Organization,
        severity: Severity::Medium,
        confidence: Confidence::High,
        scope: Scope::Organization,
        since: "0.1.0",
        cwe: &[285, 693],
        aliases: &[],
        mappings: &[("NIST", "CM-6"), ("ATT&CK", "T1562"), ("ATT&CK", "T1535")],
        references: &["https://docs.aws.amazon.com/organizations/latest/userguide/orgs_policies_attach.html"],
        check: check,
    };
}

const ORGANIZATIONS: &[&str] = &["aws_organizations_organization"];

fn check(cx: &mut Context<'_>) {
    let model = cx.model;
    let binding = model.all_documents().filter(|(_, policy)| {
        matches!(policy.role, DocumentRole::ServiceControl | DocumentRole::ResourceControl)
    });
    for (id, policy) in binding {
        let name = names::document(policy);
        if let Some(kind) = disabled(cx, policy) {
            let text = format!("{name} binds nobody: the organization does not enable `{kind}`");
            let place = &policy.place;
            let report = cx
                .finding(place, &place.name_src, text)
                .cell("disabled")
                .help("add the type to enabled_policy_types");
            cx.report(report);
            continue;
        }
        attachment(cx, id, policy, &name);
    }
    for guardrail in attachments(model) {
        let Some(target) = &guardrail.target else { continue };
        let known = target.text.as_known().filter(|text| !is_target(text));
        let Some(text) = known else { continue };
        let message = format!("`{}` attaches to `{text}`, which can be no target", guardrail.place.address);
        let report = cx
            .finding(&guardrail.place, &target.src, message)
            .when(&target.guard)
            .cell("target")
            .help("give the id of a root (r-…), a unit (ou-…) or an account (12 digits)");
        cx.report(report);
    }
}

fn attachment(cx: &mut Context<'_>, id: DocumentId, policy: &PolicyDocument, name: &str) {
    let model = cx.model;
    let own: Vec<&Guardrail> = attachments(model)
        .filter(|one| {
            let subject = one.subject.as_ref();
            subject
                .and_then(|subject| organization::policy_of(model, &subject.text))
                .is_some_and(|(known, _)| known == id)
        })
        .collect();
    // One whose policy is not known may be this one's.
    let open = attachments(model).any(|one| {
        one.subject.as_ref().is_none_or(|subject| {
            subject.text.as_known().is_none()
                && organization::policy_of(model, &subject.text).is_none()
        })
    });
    let place = &policy.place;
    let report = if own.is_empty() && !open {
        let text = format!("{name} binds nobody: nothing attaches it to a root, unit or account");
        cx.finding(place, &place.name_src, text)
    } else if own.is_empty() {
        let text = format!("{name} may bind nobody: only attachments of unknown policies are defined");
        cx.finding(place, &place.name_src, text)
            .severity(Severity::Info)
            .confidence(Confidence::Low)
    } else if let Some(first) = own.first().filter(|_| {
        policy.role == DocumentRole::ServiceControl
            && own.iter().all(|one| one.target.as_ref().is_some_and(|t| is_management(&t.text)))
    }) {
        let src = first.target.as_ref().map_or(&place.name_src, |target| &target.src);
        let text = format!("{name} binds nobody: it is attached to the management account only");
        cx.finding(&first.place, src, text)
    } else {
        return;
    };
    let report = report
        .cell("unattached")
        .help("attach it to the root, a unit or a member account");
    cx.report(report);
}

/// The type of the policy, where the organization of the model surely does not enable it.
fn disabled(cx: &Context<'_>, policy: &PolicyDocument) -> Option<&'static str> {
    let kind = match policy.role {
        DocumentRole::ServiceControl => "SERVICE_CONTROL_POLICY",
        _ => "RESOURCE_CONTROL_POLICY",
    };
    let organization = cx
        .model
        .settings_of(ORGANIZATIONS)
        .find(|one| one.place.root == policy.place.root)?;
    let enabled = match organization.attrs.get("enabled_policy_types") {
        None => Vec::new(),
        Some(list) if list.is_unknown() => return None,
        Some(list) => list.listed().into_vec(),
    };
    let may = enabled
        .iter()
        .any(|one| one.as_str().is_none_or(|one| one == kind));
    (!may && organization.place.guard.is_always() && !organization.place.maybe).then_some(kind)
}

/// Whether the target is the account that the organization belongs to.
fn is_management(target: &Text) -> bool {
    matches!(target.pieces(), [Piece::Hole(hole)] if matches!(&hole.sym,
        Sym::Attr { addr, path, .. }
            if addr.contains("aws_organizations_organization.") && path == "master_account_id"))
}

/// Whether a text has the form of a root, unit or account id.
fn is_target(text: &str) -> bool {
    let lower = |part: &str, least: usize| {
        part.len() >= least
            && part
                .bytes()
                .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit())
    };
    let account = text.len() == 12 && text.bytes().all(|byte| byte.is_ascii_digit());
    let root = text.strip_prefix("r-").is_some_and(|rest| lower(rest, 4));
    let unit = text
        .strip_prefix("ou-")
        .and_then(|rest| rest.split_once('-'))
        .is_some_and(|(root, unit)| lower(root, 4) && lower(unit, 8));
    account || root || unit
}

#[cfg(test)]
mod tests {
    use super::is_target;

    #[test]
    fn targets_have_forms() {
        for good in ["r-k3m9", "ou-k3m9-p7q2r4s8", "111122223333"] {
            assert!(is_target(good), "{good}");
        }
        for bad in ["production", "ou-k3m9", "1111", "r-K3M9", ""] {
            assert!(!is_target(bad), "{bad}");
        }
    }
}
