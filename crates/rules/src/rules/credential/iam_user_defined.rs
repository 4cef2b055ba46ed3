//! `iam-user-defined`: an IAM user is defined.

use crate::{grants, names};
use crate::listed::is_listed;
use crate::{Context, Family, Scope};
use overgrant_finding::{Confidence, Severity};
use overgrant_ir::{CredentialKind, IdentityId, IdentityKind};

rule! {
    /// An IAM user is defined.
    ///
    /// Users of IAM have long-lived credentials. People sign in through IAM Identity Center or a federation,
    /// workloads take roles.
    ///
    /// ## Why
    /// Passwords and access keys of users leak and do not expire; a session of a role does.
    ///
    /// ## Bad
    /// ```terraform bad
    /// resource "aws_iam_user" "jane" { # <-- here
    ///   name = "jane.doe"
    /// }
    /// ```
    /// ```cloudformation bad
    /// Resources:
    ///   Jane: # <-- here
    ///     Type: AWS::IAM::User
    ///     Properties:
    ///       UserName: jane.doe
    /// ```
    /// Beside Identity Center a user with a password is a second door for the same people:
    /// ```terraform bad at:medium
    /// resource "aws_iam_user" "jane" { # <-- here
    ///   name = "jane.doe"
    /// }
    /// resource "aws_iam_user_login_profile" "jane" {
    ///   user = aws_iam_user.jane.name
    /// }
    /// resource "aws_ssoadmin_permission_set" "reader" {
    ///   name         = "reader"
    ///   instance_arn = "arn:aws:sso:::instance/ssoins-1234567890abcdef"
    /// }
    /// ```
    /// ## Good
    /// ```terraform good
    /// resource "aws_iam_group" "developers" {
    ///   name = "developers"
    /// }
    /// ```
    /// ```cloudformation good
    /// Resources:
    ///   Developers:
    ///     Type: AWS::IAM::Group
    ///     Properties:
    ///       GroupName: developers
    /// ```
    /// Users of the emergency and of a vendor that cannot assume roles stand in the configuration:
    /// ```terraform good break_glass:emergency-*,aws_iam_user.scanner
    /// resource "aws_iam_user" "emergency" {
    ///   name = "emergency-1"
    ///   path = "/break-glass/"
    /// }
    /// resource "aws_iam_user" "scanner" {
    ///   name = "vendor-scanner"
    /// }
    /// ```
    /// Sending mail by SMTP is only possible with a user:
    /// ```terraform good
    /// resource "aws_iam_user" "mail" {
    ///   name = "mail"
    /// }
    /// resource "aws_iam_group" "mail" {
    ///   name = "mail"
    /// }
    /// resource "aws_iam_user_group_membership" "mail" {
    ///   user   = aws_iam_user.mail.name
    ///   groups = [aws_iam_group.mail.name]
    /// }
    /// resource "aws_iam_group_policy" "mail" {
    ///   group = aws_iam_group.mail.name
    ///   policy = jsonencode({
    ///     Version   = "2012-10-17"
    ///     Statement = [{ Effect = "Allow", Action = "ses:SendRawEmail", Resource = "arn:aws:ses:eu-west-1:111122223333:identity/example.com" }]
    ///   })
    /// }
    /// ```
    /// ## How to fix
    /// Give people permission sets of IAM Identity Center and workloads roles. An emergency user belongs
    /// into `break_glass` of the configuration.
    pub(crate) static IAM_USER_DEFINED = Rule {
        id: "iam-user-defined",
        family: Family::Credential,
        severity: Severity::Low,
        confidence: Confidence::High,
        scope: Scope::Module,
        since: "0.1.0",
        cwe: &[798, 522],
        aliases: &["CKV_AWS_273", "iam_user_with_temporary_credentials"],
        mappings: &[
            ("CIS5", "1.20"),
            ("FSBP", "IAM.2"),
            ("NIST", "IA-5"),
            ("NIST", "AC-2"),
            ("NIST", "IA-2"),
            ("ATT&CK", "T1552.001"),
            ("ATT&CK", "T1078.004"),
            ("ATT&CK", "T1098.001"),
        ],
        references: &["https://docs.aws.amazon.com/IAM/latest/UserGuide/best-practices.html"],
        check: check,
    };
}

fn check(cx: &mut Context<'_>) {
    let model = cx.model;
    let center = model.of_kind(IdentityKind::PermissionSet).next().is_some();
    for (id, user) in model.of_kind(IdentityKind::User) {
        let place = &user.place;
        if is_listed(&cx.settings.break_glass, user) || grants::only_sends_mail(cx, id) {
            continue;
        }
        let name = names::plain(user);
        let mut report = cx
            .finding(place, &place.name_src, format!("IAM user `{name}` has long-lived credentials"))
            .cell("user")
            .principal(place)
            .help("use IAM Identity Center for people and roles for workloads");
        if center && signs_in(cx, id) {
            report = report
                .severity(Severity::Medium)
                .note("Identity Center is in use: who leaves keeps what this user has");
        }
        cx.report(report);
    }
}

/// Whether the user has a password, as people do.
fn signs_in(cx: &Context<'_>, user: IdentityId) -> bool {
    cx.model.credentials.iter().any(|one| {
        let owner = one.user.as_ref().and_then(|owner| cx.access.identity(&owner.text, &one.place.root));
        one.kind == CredentialKind::LoginProfile && owner == Some(user)
    })
}
