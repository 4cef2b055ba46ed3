//! `permission-set-escalation-capable`: a permission set that can make itself more than it is.

use crate::boundaries::{self, leaves};
use crate::listed::is_listed;
use crate::{Context, Family, Scope, managed, names};
use overgrant_access::Attached;
use overgrant_catalog::{EscalationPath, catalog};
use overgrant_finding::{Confidence, Severity};
use overgrant_ir::{Identity, IdentityKind, Place};
use overgrant_policy::Answer;

rule! {
    /// Permission set opens a way to more rights and has no boundary.
    ///
    /// A policy of the set allows, on every resource, the steps of a known way to administration, to pass
    /// any role or to assume any role, and no permissions boundary caps the sessions.
    ///
    /// ## Why
    /// People with this set are one step from administering every account that it is assigned to, and so is
    /// whoever takes their session.
    ///
    /// ## Bad
    /// ```terraform bad
    /// resource "aws_ssoadmin_permission_set" "build" {
    ///   name         = "Build"
    ///   instance_arn = "arn:aws:sso:::instance/ssoins-1111222233334444"
    /// }
    /// resource "aws_ssoadmin_managed_policy_attachment" "build" {
    ///   instance_arn       = "arn:aws:sso:::instance/ssoins-1111222233334444"
    ///   permission_set_arn = aws_ssoadmin_permission_set.build.arn
    ///   managed_policy_arn = "arn:aws:iam::aws:policy/IAMFullAccess" # <-- here
    /// }
    /// ```
    /// ```cloudformation bad
    /// Resources:
    ///   Build:
    ///     Type: AWS::SSO::PermissionSet
    ///     Properties:
    ///       Name: Build
    ///       InstanceArn: arn:aws:sso:::instance/ssoins-1111222233334444
    ///       InlinePolicy:
    ///         Version: "2012-10-17"
    ///         Statement:
    ///           - Effect: Allow
    ///             Action: [iam:PassRole, lambda:CreateFunction, lambda:InvokeFunction] # <-- here
    ///             Resource: "*"
    /// ```
    /// ## Good
    /// ```terraform good
    /// resource "aws_ssoadmin_permission_set" "build" {
    ///   name         = "Build"
    ///   instance_arn = "arn:aws:sso:::instance/ssoins-1111222233334444"
    /// }
    /// resource "aws_ssoadmin_managed_policy_attachment" "build" {
    ///   instance_arn       = "arn:aws:sso:::instance/ssoins-1111222233334444"
    ///   permission_set_arn = aws_ssoadmin_permission_set.build.arn
    ///   managed_policy_arn = "arn:aws:iam::aws:policy/job-function/ViewOnlyAccess"
    /// }
    /// ```
    /// A boundary caps what comes of it:
    /// ```cloudformation good also:managed-escalation-capable
    /// Resources:
    ///   Build:
    ///     Type: AWS::SSO::PermissionSet
    ///     Properties:
    ///       Name: Build
    ///       InstanceArn: arn:aws:sso:::instance/ssoins-1111222233334444
    ///       ManagedPolicies:
    ///         - arn:aws:iam::aws:policy/IAMFullAccess
    ///       PermissionsBoundary:
    ///         CustomerManagedPolicyReference:
    ///           Name: team-cap
    /// ```
    /// A set that administers is another rule's:
    /// ```terraform good also:permission-set-admin
    /// resource "aws_ssoadmin_permission_set" "admin" {
    ///   name         = "admin"
    ///   instance_arn = "arn:aws:sso:::instance/ssoins-1111222233334444"
    /// }
    /// resource "aws_ssoadmin_managed_policy_attachment" "admin" {
    ///   instance_arn       = aws_ssoadmin_permission_set.admin.instance_arn
    ///   permission_set_arn = aws_ssoadmin_permission_set.admin.arn
    ///   managed_policy_arn = "arn:aws:iam::aws:policy/AdministratorAccess"
    /// }
    /// ```
    /// ## How to fix
    /// Attach a permissions boundary to the set, or name the roles that it passes and assumes.
    pub(crate) static PERMISSION_SET_ESCALATION_CAPABLE = Rule {
        id: "permission-set-escalation-capable",
        family: Family::IdentityCenter,
        severity: Severity::High,
        confidence: Confidence::High,
        scope: Scope::Module,
        since: "0.1.0",
        cwe: &[269],
        aliases: &[],
        mappings: &[("NIST", "AC-6(5)"), ("ATT&CK", "T1078.004")],
        references: &["https://docs.aws.amazon.com/singlesignon/latest/userguide/permissionsetcustom.html"],
        check: check,
    };
}

fn check(cx: &mut Context<'_>) {
    let model = cx.model;
    for (id, set) in model.of_kind(IdentityKind::PermissionSet) {
        let accepted = is_listed(&cx.settings.break_glass, set)
            || is_listed(&cx.settings.deployer_roles, set);
        if accepted || boundaries::is_limited(cx, id) || cx.access.is_admin(id) == Answer::Must {
            continue;
        }
        let found = cx
            .access
            .policies(id)
            .iter()
            .filter(|attached| attached.is_certain())
            .find_map(|attached| Some((attached, way(attached)?)));
        if let Some((attached, way)) = found {
            report(cx, set, attached, &way);
        }
    }
}

const ASSUME: &str = "assume any role that trusts its account";

/// What a policy opens.
struct Way {
    words: String,
    /// The first action of it.
    action: &'static str,
    path: Option<&'static EscalationPath>,
}

fn way(attached: &Attached) -> Option<Way> {
    let open = |name: &str| {
        catalog()
            .find_action(name)
            .is_some_and(|action| leaves(&attached.document, action))
    };
    if let Some(path) = managed::opens(&attached.document) {
        let steps: Vec<&str> = path
            .legs
            .iter()
            .filter_map(|group| group.first())
            .map(|leg| leg.action)
            .collect();
        let words = match steps.as_slice() {
            ["sts:AssumeRole"] => ASSUME.to_owned(),
            _ => format!("raise its rights by `{}`", steps.join("` and `")),
        };
        return Some(Way {
            words,
            action: steps.first().copied()?,
            path: Some(path),
        });
    }
    let single = |action: &'static str, words: &str| {
        open(action).then(|| Way {
            words: words.to_owned(),
            action,
            path: None,
        })
    };
    single("iam:PassRole", "pass any role in the account to any service")
        .or_else(|| single("sts:AssumeRole", ASSUME))
}

fn report(cx: &mut Context<'_>, set: &Identity, attached: &Attached, way: &Way) {
    let place: &Place = attached.place.as_ref().unwrap_or(&set.place);
    let src = attached
        .document
        .allows()
        .find_map(|statement| statement.actions.pattern_for(way.action))
        .map(|item| item.pattern().src())
        .filter(|src| src.span.is_some())
        .unwrap_or(&attached.src);
    let words = &way.words;
    let text = format!("{} may {words}, and has no permissions boundary", names::identity(set));
    let mut report = cx
        .finding(place, src, text)
        .when(&attached.guard)
        .cell(set.name.key())
        .principal(&set.place)
        .help("attach a permissions boundary to the set, or name the roles");
    if let Some(path) = way.path {
        report = report.path(path.id);
    }
    cx.report(report);
}
