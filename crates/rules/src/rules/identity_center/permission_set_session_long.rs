//! `permission-set-session-long`: sessions of a permission set last longer than a working day.

use crate::grants::writes;
use crate::{Context, Family, Scope, fixes, names};
use overgrant_finding::{Confidence, Severity};
use overgrant_ir::{IdentityId, IdentityKind};
use overgrant_policy::Answer;

rule! {
    /// Sessions of the permission set are long.
    ///
    /// Sessions last longer than `session_max.permission_set` of the configuration says, or without that
    /// setting longer than eight hours (four for administrators). Sets that only read may have longer ones.
    ///
    /// ## Why
    /// Credentials that are taken from a laptop work until the session ends, whatever is done to the
    /// person's sign-in.
    ///
    /// ## Bad
    /// ```terraform bad
    /// resource "aws_ssoadmin_permission_set" "ops" {
    ///   name             = "Ops"
    ///   instance_arn     = "arn:aws:sso:::instance/ssoins-1111222233334444"
    ///   session_duration = "PT12H" # <-- here
    /// }
    /// resource "aws_ssoadmin_managed_policy_attachment" "ops" {
    ///   instance_arn       = "arn:aws:sso:::instance/ssoins-1111222233334444"
    ///   permission_set_arn = aws_ssoadmin_permission_set.ops.arn
    ///   managed_policy_arn = "arn:aws:iam::aws:policy/job-function/NetworkAdministrator"
    /// }
    /// ```
    /// ```cloudformation bad session_max:permission_set=3600
    /// Resources:
    ///   Ops:
    ///     Type: AWS::SSO::PermissionSet
    ///     Properties:
    ///       Name: Ops
    ///       InstanceArn: arn:aws:sso:::instance/ssoins-1111222233334444
    ///       SessionDuration: PT2H # <-- here
    /// ```
    /// ## Good
    /// ```terraform good
    /// resource "aws_ssoadmin_permission_set" "ops" {
    ///   name             = "Ops"
    ///   instance_arn     = "arn:aws:sso:::instance/ssoins-1111222233334444"
    ///   session_duration = "PT4H"
    /// }
    /// ```
    /// Who only reads may do so all day:
    /// ```terraform good
    /// resource "aws_ssoadmin_permission_set" "audit" {
    ///   name             = "Audit"
    ///   instance_arn     = "arn:aws:sso:::instance/ssoins-1111222233334444"
    ///   session_duration = "PT12H"
    /// }
    /// resource "aws_ssoadmin_permission_set_inline_policy" "audit" {
    ///   instance_arn       = "arn:aws:sso:::instance/ssoins-1111222233334444"
    ///   permission_set_arn = aws_ssoadmin_permission_set.audit.arn
    ///   inline_policy = jsonencode({
    ///     Version   = "2012-10-17"
    ///     Statement = [{ Effect = "Allow", Action = ["ec2:Describe*", "s3:List*"], Resource = "*" }]
    ///   })
    /// }
    /// ```
    /// ```cloudformation good
    /// Resources:
    ///   Ops:
    ///     Type: AWS::SSO::PermissionSet
    ///     Properties:
    ///       Name: Ops
    ///       InstanceArn: arn:aws:sso:::instance/ssoins-1111222233334444
    /// ```
    /// ## How to fix
    /// Set a duration of one to four hours.
    ///
    /// ## Options
    /// `session_max.permission_set`: the longest session in seconds.
    pub(crate) static PERMISSION_SET_SESSION_LONG = Rule {
        id: "permission-set-session-long",
        family: Family::IdentityCenter,
        severity: Severity::Low,
        confidence: Confidence::High,
        scope: Scope::Module,
        since: "0.1.0",
        cwe: &[269],
        aliases: &[],
        mappings: &[("NIST", "AC-12"), ("ATT&CK", "T1078.004")],
        references: &["https://docs.aws.amazon.com/singlesignon/latest/userguide/howtosessionduration.html"],
        check: check,
    };
}

const HOUR: u64 = 3600;

fn check(cx: &mut Context<'_>) {
    let model = cx.model;
    for (id, set) in model.of_kind(IdentityKind::PermissionSet) {
        let Some(val) = &set.max_session else { continue };
        let Some(seconds) = val.as_str().and_then(|text| seconds(&text)) else {
            continue;
        };
        let wanted = cx.settings.session_max.permission_set;
        let most = wanted.unwrap_or(if cx.access.is_admin(id) == Answer::Must {
            4 * HOUR
        } else {
            8 * HOUR
        });
        if seconds <= most || (wanted.is_none() && only_reads(cx, id)) {
            continue;
        }
        let text = format!(
            "sessions of {} last {}, and {} are wanted at most",
            names::identity(set),
            words(seconds),
            words(most)
        );
        let report = cx
            .finding(&set.place, val.src(), text)
            .cell("session")
            .marks(val.marks())
            .principal(&set.place)
            .help("set a shorter session");
        let wanted = most.is_multiple_of(HOUR).then(|| format!("PT{}H", most / HOUR));
        let edit = wanted.and_then(|wanted| fixes::replace(val.src(), &val.as_str()?, &wanted));
        let title = format!("Let sessions last {}", words(most));
        cx.report(report.fix(edit.map(|edit| fixes::safe(title, [edit]))));
    }
}

/// Whether all that the set is known to grant is listing and reading.
fn only_reads(cx: &Context<'_>, id: IdentityId) -> bool {
    let granted = cx.access.actions_on_something(id);
    !granted.is_empty()
        && granted
            .actions()
            .all(|action| !writes(action))
}

fn words(seconds: u64) -> String {
    match (seconds / HOUR, seconds % HOUR / 60) {
        (hours, 0) => format!("{hours} hours"),
        (hours, minutes) => format!("{hours} hours {minutes} minutes"),
    }
}

/// The seconds of a duration of days, hours, minutes and seconds (`PT1H30M`, `P1D`).
fn seconds(text: &str) -> Option<u64> {
    let (days, times) = text.strip_prefix('P')?.split_once('T').unwrap_or((text.strip_prefix('P')?, ""));
    let mut total: u64 = 0;
    for (part, units) in [(days, &[('D', 24 * HOUR)] as &[(char, u64)]), (times, &[('H', HOUR), ('M', 60), ('S', 1)])] {
        let mut number = String::new();
        for c in part.chars() {
            if c.is_ascii_digit() {
                number.push(c);
                continue;
            }
            let (_, unit) = units.iter().find(|(letter, _)| *letter == c)?;
            total = total.checked_add(number.parse::<u64>().ok()?.checked_mul(*unit)?)?;
            number.clear();
        }
        if !number.is_empty() {
            return None;
        }
    }
    Some(total)
}

#[cfg(test)]
mod tests {
    use super::seconds;

    #[test]
    fn durations_are_read() {
        assert_eq!(seconds("PT12H"), Some(43_200));
        assert_eq!(seconds("PT1H30M"), Some(5_400));
        assert_eq!(seconds("P1DT1S"), Some(86_401));
        for wrong in ["12H", "PT", "PT12", "PTxH", "P1H"] {
            assert_ne!(seconds(wrong).unwrap_or(0), 43_200, "{wrong}");
        }
        assert_eq!(seconds("PT12"), None);
        assert_eq!(seconds("12H"), None);
    }
}
