//! `permission-set-admin`: a permission set that administers.

use crate::listed::is_listed;
use crate::{Context, Family, Scope, names};
use overgrant_finding::{Confidence, Severity};
use overgrant_ir::{Identity, IdentityId, IdentityKind, Place};
use overgrant_policy::Answer;
use overgrant_value::Src;
use std::collections::BTreeSet;

rule! {
    /// Permission set administers every account it is assigned to.
    ///
    /// All policies of the set together, less what is denied and under its boundary, allow everything.
    /// The finding is high where the set is assigned to more than one account, or to the management account.
    ///
    /// ## Why
    /// People sign in with such a set for daily work. One stolen browser session is then enough to take
    /// over all these accounts.
    ///
    /// ## Bad
    /// ```terraform bad
    /// resource "aws_ssoadmin_permission_set" "ops" {
    ///   name         = "Ops"
    ///   instance_arn = "arn:aws:sso:::instance/ssoins-1111222233334444"
    /// }
    /// resource "aws_ssoadmin_managed_policy_attachment" "ops" {
    ///   instance_arn       = "arn:aws:sso:::instance/ssoins-1111222233334444"
    ///   permission_set_arn = aws_ssoadmin_permission_set.ops.arn
    ///   managed_policy_arn = "arn:aws:iam::aws:policy/AdministratorAccess" # <-- here
    /// }
    /// ```
    /// ```cloudformation bad
    /// Resources:
    ///   Ops:
    ///     Type: AWS::SSO::PermissionSet
    ///     Properties:
    ///       Name: Ops
    ///       InstanceArn: arn:aws:sso:::instance/ssoins-1111222233334444
    ///       InlinePolicy:
    ///         Version: "2012-10-17"
    ///         Statement:
    ///           - Effect: Allow
    ///             Action: "*" # <-- here
    ///             Resource: "*"
    /// ```
    /// ## Good
    /// One set for emergencies is listed under `break_glass`:
    /// ```terraform good break_glass:Emergency
    /// resource "aws_ssoadmin_permission_set" "emergency" {
    ///   name             = "Emergency"
    ///   instance_arn     = "arn:aws:sso:::instance/ssoins-1111222233334444"
    ///   session_duration = "PT1H"
    /// }
    /// resource "aws_ssoadmin_managed_policy_attachment" "emergency" {
    ///   instance_arn       = "arn:aws:sso:::instance/ssoins-1111222233334444"
    ///   permission_set_arn = aws_ssoadmin_permission_set.emergency.arn
    ///   managed_policy_arn = "arn:aws:iam::aws:policy/AdministratorAccess"
    /// }
    /// ```
    /// ```cloudformation good
    /// Resources:
    ///   Support:
    ///     Type: AWS::SSO::PermissionSet
    ///     Properties:
    ///       Name: Support
    ///       InstanceArn: arn:aws:sso:::instance/ssoins-1111222233334444
    ///       ManagedPolicies:
    ///         - arn:aws:iam::aws:policy/job-function/SupportUser
    /// ```
    /// ## How to fix
    /// Give each task a set of its own, with a boundary where it touches IAM; keep one administrator set
    /// with a short session for emergencies.
    ///
    /// ## Options
    /// `break_glass`: names or addresses of sets that are meant to administer.
    pub(crate) static PERMISSION_SET_ADMIN = Rule {
        id: "permission-set-admin",
        family: Family::IdentityCenter,
        severity: Severity::Medium,
        confidence: Confidence::High,
        scope: Scope::Module,
        since: "0.1.0",
        cwe: &[269],
        aliases: &["CKV_AWS_274"],
        mappings: &[("NIST", "AC-6"), ("CIS5", "1.15"), ("CIS7", "2.1.3"), ("ATT&CK", "T1078.004")],
        references: &["https://docs.aws.amazon.com/singlesignon/latest/userguide/permissionsetsconcept.html"],
        check: check,
    };
}

const ASSIGNMENTS: &[&str] = &["AWS::SSO::Assignment", "aws_ssoadmin_account_assignment"];

fn check(cx: &mut Context<'_>) {
    let model = cx.model;
    for (id, set) in model.of_kind(IdentityKind::PermissionSet) {
        let accepted = is_listed(&cx.settings.break_glass, set) || is_for_emergencies(set);
        if accepted || cx.access.is_admin(id) != Answer::Must {
            continue;
        }
        let accounts = accounts(cx, id);
        let where_to = match accounts.len() {
            0 => "the accounts that it is assigned to".to_owned(),
            1 => "the account that it is assigned to".to_owned(),
            count => format!("the {count} accounts that it is assigned to"),
        };
        let wide = accounts.len() > 1 || accounts.iter().any(|one| one.contains("master_account_id"));
        let (place, src) = cause(cx, id, set);
        let text = format!("{} may do everything in {where_to}", names::identity(set));
        let report = cx
            .finding(place, &src, text)
            .cell(set.name.key())
            .severity(if wide { Severity::High } else { Severity::Medium })
            .principal(&set.place)
            .help("give each task a set of its own; keep one administrator set for emergencies");
        cx.report(report);
    }
}

/// Whether name or description say that the set is for emergencies.
fn is_for_emergencies(set: &Identity) -> bool {
    let told = |text: &str| {
        let text = text.to_ascii_lowercase().replace(['-', '_', ' '], "");
        text.contains("breakglass") || text.contains("emergency")
    };
    let description = ["description", "Description"]
        .iter()
        .find_map(|name| set.attrs.get(name)?.as_str());
    told(&set.name.to_string()) || description.is_some_and(|text| told(&text))
}

/// The accounts that the set is assigned to.
fn accounts(cx: &Context<'_>, id: IdentityId) -> BTreeSet<String> {
    let named = |attrs: &overgrant_value::Val, names: [&str; 2]| {
        names
            .iter()
            .find_map(|name| attrs.get(name))
            .and_then(|val| val.to_text())
    };
    cx.model
        .settings_of(ASSIGNMENTS)
        .filter_map(|one| {
            let set = named(&one.attrs, ["permission_set_arn", "PermissionSetArn"])?;
            let kind = Some(IdentityKind::PermissionSet);
            let (linked, _) = cx.access.link(&set, &one.place.root, kind)?;
            let account = named(&one.attrs, ["target_id", "TargetId"])?;
            (linked == id).then(|| account.key())
        })
        .collect()
}

/// What makes the set an administrator: the action or attachment that grants everything, else the set.
fn cause<'a>(cx: &Context<'a>, id: IdentityId, set: &'a Identity) -> (&'a Place, Src) {
    for attached in cx.access.policies(id) {
        let all = attached
            .document
            .statements
            .iter()
            .find(|statement| statement.grants_admin() == Answer::Must);
        let (Some(statement), Some(place)) = (all, &attached.place) else {
            continue;
        };
        let holder = cx.model.documents.iter().map(|one| &one.place);
        let holder = holder
            .chain(cx.model.attachments.iter().map(|one| &one.place))
            .find(|known| known.address == place.address && known.root == place.root);
        let Some(holder) = holder else { continue };
        let item = statement
            .actions
            .listed()
            .items
            .iter()
            .find(|item| item.covers_all() == Answer::Must)
            .map(|item| item.pattern().src())
            .filter(|src| src.span.is_some());
        return (holder, item.unwrap_or(&attached.src).clone());
    }
    (&set.place, set.place.name_src.clone())
}
