//! `password-policy-missing-or-weak`: what console passwords must be.

use crate::{Context, Family, Scope, fixes};
use overgrant_finding::{Confidence, Edit, Fix, Severity};
use overgrant_ir::{CredentialKind, IdentityKind, Place, Setting};
use overgrant_value::{Marks, Src};

rule! {
    /// Password policy of the account is weak or missing.
    ///
    /// The policy lets users have passwords of less than 14 characters, or use one of the last 24 again, or
    /// keeps them from changing their own. With `scope: account`, users with passwords and no policy at all
    /// are reported too.
    ///
    /// ## Why
    /// Short passwords and passwords that leaked elsewhere are guessed by anybody who knows the account's
    /// sign-in page.
    ///
    /// ## Bad
    /// ```terraform bad
    /// resource "aws_iam_account_password_policy" "strict" {
    ///   minimum_password_length   = 8 # <-- here
    ///   password_reuse_prevention = 24
    /// }
    /// ```
    /// What only the default of a variable says is less sure:
    /// ```terraform bad
    /// variable "length" {
    ///   default = 8 # <-- here
    /// }
    /// resource "aws_iam_account_password_policy" "account" {
    ///   minimum_password_length   = var.length
    ///   password_reuse_prevention = 24
    /// }
    /// ```
    /// CloudFormation has no type for the policy:
    /// ```cloudformation bad scope:module,account also:iam-user-defined
    /// Resources:
    ///   Ann:
    ///     Type: AWS::IAM::User
    ///     Properties:
    ///       UserName: ann
    ///       LoginProfile:
    ///         Password: "{{resolve:secretsmanager:ann}}" # <-- here
    /// ```
    /// ## Good
    /// Where people sign in through Identity Center and there are no users, it is a note:
    /// ```terraform good at:info
    /// resource "aws_iam_account_password_policy" "weak" {
    ///   minimum_password_length   = 8
    ///   password_reuse_prevention = 24
    /// }
    /// resource "aws_ssoadmin_permission_set" "reader" {
    ///   name         = "reader"
    ///   instance_arn = "arn:aws:sso:::instance/ssoins-1234567890abcdef"
    /// }
    /// ```
    /// ```terraform good
    /// resource "aws_iam_account_password_policy" "strict" {
    ///   minimum_password_length        = 14
    ///   password_reuse_prevention      = 24
    ///   allow_users_to_change_password = true
    /// }
    /// ```
    /// Without users with passwords no policy is needed:
    /// ```cloudformation good scope:module,account
    /// Resources:
    ///   Role:
    ///     Type: AWS::IAM::Role
    ///     Properties:
    ///       AssumeRolePolicyDocument:
    ///         Version: "2012-10-17"
    ///         Statement:
    ///           - Effect: Allow
    ///             Action: sts:AssumeRole
    ///             Principal:
    ///               Service: ec2.amazonaws.com
    /// ```
    /// ## How to fix
    /// Set a minimum length of 14 and a reuse prevention of 24. Better, let people sign in through Identity
    /// Center.
    pub(crate) static PASSWORD_POLICY_MISSING_OR_WEAK = Rule {
        id: "password-policy-missing-or-weak",
        family: Family::Credential,
        severity: Severity::Medium,
        confidence: Confidence::High,
        scope: Scope::Module,
        since: "0.1.0",
        cwe: &[521],
        aliases: &[
            "CKV_AWS_9",
            "CKV_AWS_10",
            "CKV_AWS_11",
            "CKV_AWS_12",
            "CKV_AWS_13",
            "CKV_AWS_14",
            "CKV_AWS_15",
            "AWS-0056",
            "AWS-0058",
            "AWS-0059",
            "AWS-0060",
            "AWS-0061",
            "AWS-0062",
            "AWS-0063",
        ],
        mappings: &[
            ("CIS5", "1.7"),
            ("CIS5", "1.8"),
            ("CIS3", "1.8"),
            ("CIS3", "1.9"),
            ("FSBP", "IAM.7"),
            ("FSBP", "IAM.10"),
            ("FSBP", "IAM.11"),
            ("FSBP", "IAM.12"),
            ("FSBP", "IAM.13"),
            ("FSBP", "IAM.14"),
            ("FSBP", "IAM.15"),
            ("FSBP", "IAM.16"),
            ("FSBP", "IAM.17"),
            ("NIST", "IA-5"),
            ("NIST", "AC-2"),
            ("NIST", "IA-2"),
            ("ATT&CK", "T1552.001"),
            ("ATT&CK", "T1078.004"),
            ("ATT&CK", "T1098.001"),
        ],
        references: &["https://docs.aws.amazon.com/IAM/latest/UserGuide/id_credentials_passwords_account-policy.html"],
        check: check,
    };
}

const POLICIES: &[&str] = &["aws_iam_account_password_policy"];

fn check(cx: &mut Context<'_>) {
    let model = cx.model;
    let mut policies = model.settings_of(POLICIES).peekable();
    if policies.peek().is_none() {
        missing(cx);
    }
    for policy in policies {
        let weak = weak(policy);
        let Some(first) = weak.first() else { continue };
        let words: Vec<&str> = weak.iter().map(|one| one.words.as_str()).collect();
        let edits: Option<Vec<_>> = weak.iter().map(|one| one.edit.clone()).collect();
        let text = format!("the account's password policy {}", words.join(" and "));
        let mut report = cx
            .finding(&policy.place, &first.src, text)
            .cell("weak")
            .marks(first.marks)
            .fix(edits.map(|edits| fixes::safe("Strengthen the password policy", edits)))
            .help("ask for 14 characters and refuse the last 24 passwords");
        if model.of_kind(IdentityKind::PermissionSet).next().is_some()
            && model.of_kind(IdentityKind::User).next().is_none()
        {
            report = report
                .severity(Severity::Info)
                .note("no user is defined, people sign in through Identity Center");
        }
        for one in weak.iter().skip(1) {
            report = report.related(&one.src, one.words.clone(), None);
        }
        cx.report(report);
    }
}

/// Something that the policy lets through.
struct Weakness {
    /// The argument that says so, or the block where none does.
    src: Src,
    words: String,
    /// What sets the argument as it should be.
    edit: Option<Edit>,
    /// How sure the value is.
    marks: Marks,
}

fn weak(policy: &Setting) -> Vec<Weakness> {
    let attrs = &policy.attrs;
    let header = || policy.place.name_src.clone();
    let mut found = Vec::new();
    let mut least = |name: &str, wanted: i64, absent: i64, words: &dyn Fn(i64) -> String| {
        let val = attrs.get(name).filter(|val| !val.is_null());
        let (value, src) = match &val {
            Some(val) => (val.as_i64(), val.src().clone()),
            None => (Some(absent), header()),
        };
        if let Some(value) = value.filter(|value| *value < wanted) {
            let edit = match val {
                Some(_) => fixes::replace(&src, &value.to_string(), &wanted.to_string()),
                None => fixes::set(&src, name, &wanted.to_string()),
            };
            found.push(Weakness {
                src,
                words: words(value),
                edit,
                marks: val.map_or(Marks::NONE, |val| val.marks()),
            });
        }
    };
    least("minimum_password_length", 14, 6, &|value| {
        format!("accepts passwords of {value} characters")
    });
    least("password_reuse_prevention", 24, 0, &|value| match value {
        0 => "lets users take an old password again".to_owned(),
        value => format!("only refuses the last {value} passwords"),
    });
    let change = attrs.get("allow_users_to_change_password");
    if let Some(change) = change.filter(|val| val.as_bool() == Some(false)) {
        found.push(Weakness {
            src: change.src().clone(),
            words: "keeps users from changing their own password".to_owned(),
            // Whoever may not do it today would be granted something.
            edit: None,
            marks: change.marks(),
        });
    }
    found
}

/// Users with passwords, and no policy in a code base that describes the account.
fn missing(cx: &mut Context<'_>) {
    if !cx.settings.speaks(Scope::Account) {
        return;
    }
    let model = cx.model;
    let mut profiles = model
        .credentials
        .iter()
        .filter(|one| one.kind == CredentialKind::LoginProfile);
    let Some(first) = profiles.next() else { return };
    let others = profiles.count();
    let who = match others {
        0 => "a user".to_owned(),
        more => format!("{} users", more + 1),
    };
    let text = format!("{who} may have any password that AWS accepts: no password policy is defined");
    let report = cx
        .finding(&first.place, &first.src, text)
        .cell("missing")
        .fix(define(&first.place))
        .help("define a password policy for the account, or let people sign in through Identity Center");
    cx.report(report);
}

/// A policy beside the password, unless that is in a module, which is no place for what an account has
/// once.
fn define(place: &Place) -> Option<Fix> {
    let root = place.format.is_terraform() && !place.address.starts_with("module.");
    let edit = Edit::AddResource {
        beside: place.name_src.span.filter(|_| root)?,
        kind: "aws_iam_account_password_policy",
        name: "account",
        arguments: vec![
            ("minimum_password_length", "14"),
            ("password_reuse_prevention", "24"),
        ],
    };
    Some(fixes::changing("Define a password policy", [edit]))
}
