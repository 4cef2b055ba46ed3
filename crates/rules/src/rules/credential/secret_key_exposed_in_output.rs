//! `secret-key-exposed-in-output`: the secret of an access key, written where others read it.

use crate::{Context, Family, Scope, fixes};
use overgrant_finding::{Confidence, Edit, Fix, Severity};
use overgrant_ir::{Credential, CredentialKind};
use overgrant_value::{Src, Sym, Text, Val};

rule! {
    /// The secret of an access key is written where others read it.
    ///
    /// An output or a plain SSM parameter carries the secret of a key that the configuration makes.
    ///
    /// ## Why
    /// Outputs and `String` parameters are readable by everybody who may describe stacks or parameters, and
    /// appear in logs. The reader has the key.
    ///
    /// ## Bad
    /// ```terraform bad
    /// resource "aws_iam_access_key" "ci" {
    ///   user = "ci"
    /// }
    ///
    /// resource "aws_ssm_parameter" "secret" {
    ///   name  = "/ci/secret"
    ///   type  = "String"
    ///   value = aws_iam_access_key.ci.secret # <-- here
    /// }
    /// ```
    /// ```cloudformation bad
    /// Resources:
    ///   CiKey:
    ///     Type: AWS::IAM::AccessKey
    ///     Properties:
    ///       UserName: ci
    ///   Secret:
    ///     Type: AWS::SSM::Parameter
    ///     Properties:
    ///       Name: /ci/secret
    ///       Type: String
    ///       Value: !GetAtt CiKey.SecretAccessKey # <-- here
    /// ```
    /// ```cloudformation bad also:iam-access-key-resource
    /// Resources:
    ///   CiKey:
    ///     Type: AWS::IAM::AccessKey
    ///     Properties:
    ///       UserName: ci
    /// Outputs:
    ///   Secret:
    ///     Value: !GetAtt CiKey.SecretAccessKey # <-- here
    /// ```
    /// ## Good
    /// ```terraform good also:iam-access-key-resource
    /// resource "aws_iam_access_key" "ci" {
    ///   user = "ci"
    /// }
    ///
    /// resource "aws_ssm_parameter" "secret" {
    ///   name  = "/ci/secret"
    ///   type  = "SecureString"
    ///   value = aws_iam_access_key.ci.secret
    /// }
    /// ```
    /// ```cloudformation good also:iam-access-key-resource
    /// Resources:
    ///   CiKey:
    ///     Type: AWS::IAM::AccessKey
    ///     Properties:
    ///       UserName: ci
    ///   Secret:
    ///     Type: AWS::SecretsManager::Secret
    ///     Properties:
    ///       SecretString: !GetAtt CiKey.SecretAccessKey
    /// ```
    /// A sensitive output is still in the state, which is a lesser finding:
    /// ```terraform good also:iam-access-key-resource at:low
    /// resource "aws_iam_access_key" "ci" {
    ///   user = "ci"
    /// }
    /// output "secret" {
    ///   value     = aws_iam_access_key.ci.secret
    ///   sensitive = true
    /// }
    /// ```
    /// ## How to fix
    /// Put the secret into Secrets Manager or a `SecureString`, or do without the key.
    pub(crate) static SECRET_KEY_EXPOSED_IN_OUTPUT = Rule {
        id: "secret-key-exposed-in-output",
        family: Family::Credential,
        severity: Severity::High,
        confidence: Confidence::High,
        scope: Scope::Module,
        since: "0.1.0",
        cwe: &[312],
        aliases: &[],
        mappings: &[
            ("NIST", "IA-5"),
            ("NIST", "AC-2"),
            ("NIST", "IA-2"),
            ("ATT&CK", "T1552.001"),
            ("ATT&CK", "T1078.004"),
            ("ATT&CK", "T1098.001"),
        ],
        references: &["https://docs.aws.amazon.com/IAM/latest/UserGuide/id_credentials_access-keys.html"],
        check: check,
    };
}

const PARAMETERS: [&str; 2] = ["aws_ssm_parameter", "AWS::SSM::Parameter"];

fn check(cx: &mut Context<'_>) {
    let model = cx.model;
    for credential in &model.credentials {
        if credential.kind != CredentialKind::Output {
            continue;
        }
        let address = &credential.place.address;
        let name = address.split_once('.').map_or(address.as_str(), |(_, name)| name);
        // What Terraform hides on the screen still stands in the state.
        let severity = match credential.attribute.as_str() {
            "sensitive value" => Severity::Low,
            _ => Severity::High,
        };
        let report = cx
            .finding(
                &credential.place,
                &credential.src,
                format!("output `{name}` carries the secret of an access key"),
            )
            .severity(severity)
            .cell("output")
            .fix((severity == Severity::High).then(|| hide(credential)).flatten())
            .help("put the secret into Secrets Manager, or do without the key");
        cx.report(report);
    }
    for setting in model.settings_of(&PARAMETERS) {
        let either = |names: [&str; 2]| names.iter().find_map(|name| setting.attrs.get(name));
        let kind = either(["type", "Type"]);
        let word = kind.as_ref().and_then(Val::as_str);
        let Some(word) = word.filter(|word| matches!(word.as_str(), "String" | "StringList")) else {
            continue;
        };
        let Some(value) = either(["value", "Value"]) else {
            continue;
        };
        let Some(key) = key_of(&value) else {
            continue;
        };
        let report = cx
            .finding(
                &setting.place,
                value.src(),
                format!("parameter `{}` carries the secret of `{key}` in plain text", setting.place.address),
            )
            .cell("parameter")
            .fix(kind.and_then(|kind| encrypt(kind.src(), &word)).filter(|_| setting.place.format.is_terraform()))
            .help("make it a SecureString, or do without the key");
        cx.report(report);
    }
}

/// A sensitive output in Terraform; a stack has no such outputs, so that it can only do without.
fn hide(credential: &Credential) -> Option<Fix> {
    let place = &credential.place;
    if place.format.is_terraform() {
        let edit = fixes::set(&place.name_src, "sensitive", "true")?;
        return Some(fixes::changing("Mark the output as sensitive", [edit]));
    }
    let span = place.src.span?;
    Some(fixes::changing("Remove the output", [Edit::Remove { span }]))
}

/// An encrypted parameter, which stacks cannot make.
fn encrypt(kind: &Src, word: &str) -> Option<Fix> {
    let edit = fixes::replace(kind, word, "SecureString")?;
    Some(fixes::changing("Encrypt the parameter", [edit]))
}

/// The access key whose secret a value carries.
fn key_of(value: &Val) -> Option<String> {
    let unknown = match value.data() {
        overgrant_value::Data::Unknown(unknown) => secret(&unknown.sym),
        _ => None,
    };
    unknown.or_else(|| {
        let text: Text = value.to_text()?;
        text.holes().find_map(|hole| secret(&hole.sym))
    })
}

fn secret(sym: &Sym) -> Option<String> {
    let Sym::Attr { addr, path, .. } = sym else {
        return None;
    };
    let terraform = addr.contains("aws_iam_access_key.")
        && matches!(path.as_str(), "secret" | "ses_smtp_password_v4");
    (terraform || path == "SecretAccessKey").then(|| addr.to_string())
}
