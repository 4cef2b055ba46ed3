//! `credentials-in-compute-env`: passwords and tokens in plain environment variables.

use crate::environment::variables;
use crate::{Context, Family, Scope};
use overgrant_finding::{Confidence, Severity};
use overgrant_ir::Place;
use overgrant_value::{Marks, Text, Val};

rule! {
    /// Secret stands in a plain environment variable.
    ///
    /// A password, token or key is written into the environment of a function, task, container or build
    /// project, or into a parameter that is not encrypted.
    ///
    /// ## Why
    /// Whoever may describe the resource reads it, and so does whoever sees the code, the state or the
    /// template; it is in the history for good and opens the database or service behind.
    ///
    /// ## Bad
    /// ```terraform bad
    /// resource "aws_lambda_function" "app" {
    ///   function_name = "app"
    ///   role          = "arn:aws:iam::123456789012:role/app"
    ///   handler       = "main.handler"
    ///   runtime       = "python3.13"
    ///   filename      = "app.zip"
    ///   environment {
    ///     variables = {
    ///       DB_PASSWORD = "x9vK2mQ7tR4w" # <-- here
    ///     }
    ///   }
    /// }
    /// ```
    /// ```cloudformation bad
    /// Resources:
    ///   App:
    ///     Type: AWS::Lambda::Function
    ///     Properties:
    ///       Role: arn:aws:iam::123456789012:role/app
    ///       Handler: main.handler
    ///       Runtime: python3.13
    ///       Code:
    ///         S3Bucket: acme-code
    ///         S3Key: app.zip
    ///       Environment:
    ///         Variables:
    ///           API_TOKEN: q8Zt1LwX0pNc53 # <-- here
    /// ```
    /// ## Good
    /// Names, ARNs and places of secrets are no secrets:
    /// ```terraform good
    /// resource "aws_lambda_function" "app" {
    ///   function_name = "app"
    ///   role          = "arn:aws:iam::123456789012:role/app"
    ///   handler       = "main.handler"
    ///   runtime       = "python3.13"
    ///   filename      = "app.zip"
    ///   environment {
    ///     variables = {
    ///       DB_PASSWORD_SECRET_ARN = "arn:aws:secretsmanager:eu-west-1:123456789012:secret:app/db-AbCdEf"
    ///       DB_PASSWORD_PARAMETER  = "/app/db/password"
    ///       TOKEN_TTL_SECONDS      = "3600"
    ///     }
    ///   }
    /// }
    /// ```
    /// ```cloudformation good
    /// Resources:
    ///   App:
    ///     Type: AWS::Lambda::Function
    ///     Properties:
    ///       Role: arn:aws:iam::123456789012:role/app
    ///       Handler: main.handler
    ///       Runtime: python3.13
    ///       Code:
    ///         S3Bucket: acme-code
    ///         S3Key: app.zip
    ///       Environment:
    ///         Variables:
    ///           API_TOKEN: "{{resolve:secretsmanager:app/api:SecretString:token}}"
    /// ```
    /// Placeholders and public keys are no secrets either:
    /// ```terraform good
    /// resource "aws_lambda_function" "app" {
    ///   function_name = "app"
    ///   role          = "arn:aws:iam::123456789012:role/app"
    ///   environment {
    ///     variables = {
    ///       DB_PASSWORD    = "changeme"
    ///       API_TOKEN      = "<token>"
    ///       JWT_PUBLIC_KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJ0t9f3s4u5v6w7x8y9z0a1b2c3d4e5f6g7h8i9j0k1l app"
    ///     }
    ///   }
    /// }
    /// ```
    /// ## How to fix
    /// Keep the secret in Secrets Manager or as SecureString, give the name or ARN to the code (`secrets`
    /// with `valueFrom` for tasks), and change the secret, which is known by now.
    pub(crate) static CREDENTIALS_IN_COMPUTE_ENV = Rule {
        id: "credentials-in-compute-env",
        family: Family::Compute,
        severity: Severity::Medium,
        confidence: Confidence::High,
        scope: Scope::Module,
        since: "0.1.0",
        cwe: &[312],
        aliases: &["CKV_AWS_45", "CKV_AWS_46", "AWS-0029", "AwsSolutions-ECS2"],
        mappings: &[
            ("FSBP", "ECS.8"),
            ("NIST", "AC-6"),
            ("NIST", "CM-7"),
            ("NIST", "SC-7"),
            ("NIST", "IA-9"),
            ("ATT&CK", "T1552.005"),
            ("ATT&CK", "T1078.004"),
            ("ATT&CK", "T1610"),
        ],
        references: &[
            "https://docs.aws.amazon.com/AmazonECS/latest/developerguide/specifying-sensitive-data.html",
            "https://docs.aws.amazon.com/lambda/latest/dg/with-secrets-manager.html",
        ],
        check: check,
    };
}

fn check(cx: &mut Context<'_>) {
    let model = cx.model;
    for setting in &model.settings {
        for (name, val) in variables(setting) {
            if is_secret_name(&name) && is_secret_value(&val) {
                finding(cx, &setting.place, &name, &val);
            }
        }
    }
}

/// Whether a variable of this name holds a secret, and not the name or a property of one.
fn is_secret_name(name: &str) -> bool {
    const SECRETS: [&str; 13] = [
        "password", "passwd", "pwd", "secret", "token", "apikey", "api_key", "private_key", "privatekey",
        "credential", "access_key", "auth_key", "passphrase",
    ];
    // What says where or how rather than what.
    const ABOUT: [&str; 34] = [
        "arn", "name", "id", "path", "url", "uri", "endpoint", "file", "parameter", "param", "prefix", "key_id",
        "ttl", "expiry", "expiration", "seconds", "minutes", "hours", "days", "length", "policy", "enabled", "type",
        "region", "version", "bucket", "table", "header", "issuer", "audience", "location", "ref", "alias", "count",
    ];
    let lower = name.to_ascii_lowercase().replace('-', "_");
    let last = lower.rsplit('_').next().unwrap_or_default();
    SECRETS.iter().any(|word| lower.contains(word))
        && !ABOUT.contains(&last)
        && !["public", "enable_", "use_", "require", "disable"]
            .iter()
            .any(|word| lower.contains(word))
}

/// Whether a value looks like the secret itself: a literal of some length without the shape of a
/// name, a place or a word that stands for one.
fn is_secret_value(val: &Val) -> bool {
    const STAND_INS: [&str; 15] = [
        "change", "replace", "example", "placeholder", "dummy", "your", "todo", "xxxx", "****", "test", "none", "null",
        "secret", "password", "redacted",
    ];
    const SHORTEST: usize = 8;
    let Some(text) = val.to_text().as_ref().and_then(Text::as_known) else {
        return false;
    };
    let lower = text.to_ascii_lowercase();
    let shaped = text.starts_with(['/', '<', '{', '$', '%'])
        || lower.starts_with("arn:")
        || lower.starts_with("alias/")
        || text.contains("{{resolve:")
        || text.contains("${")
        || text.contains(char::is_whitespace)
        || text.contains("://")
        || text.contains('/');
    let number = text.bytes().all(|byte| byte.is_ascii_digit());
    let word = text.bytes().all(|byte| byte.is_ascii_alphabetic() || byte == b'_' || byte == b'-')
        && lower == text.as_str();
    text.len() >= SHORTEST
        && !shaped
        && !number
        && !word
        && !STAND_INS.iter().any(|stand_in| lower.contains(stand_in))
}

fn finding(cx: &mut Context<'_>, place: &Place, name: &str, val: &Val) {
    let text = format!("`{}` holds a secret in plain text in `{name}`", place.address);
    let mut report = cx
        .finding(place, val.src(), text)
        .cell(name.to_ascii_lowercase())
        .marks(val.marks())
        .help("keep the secret in Secrets Manager and change it, since it is known by now");
    if val.marks().has(Marks::FROM_DEFAULT) {
        report = report.note("it is the default of a variable");
    }
    cx.report(report);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::Scene;

    fn found(name: &str, value: &str) -> usize {
        Scene::new()
            .resource(
                "aws_lambda_function",
                "f",
                &format!(r#"{{"environment":[{{"variables":{{"{name}":"{value}"}}}}]}}"#),
            )
            .places(&CREDENTIALS_IN_COMPUTE_ENV)
            .len()
    }

    #[test]
    fn secrets_are_told_from_their_names() {
        assert_eq!(found("DB_PASSWORD", "x9vK2mQ7tR4w"), 1);
        assert_eq!(found("GITHUB_TOKEN", "ghp_0a1B2c3D4e5F6g7H8"), 1);
        for (name, value) in [
            ("DB_PASSWORD", "changeme123"),
            ("DB_PASSWORD", "/app/db/password"),
            ("SECRET_ARN", "arn:aws:secretsmanager:eu-west-1:123456789012:secret:x-AbCdEf"),
            ("SECRET_NAME", "Prod7Database9"),
            ("TOKEN_TTL", "86400000"),
            ("TABLE_NAME", "Orders1234567"),
            ("PUBLIC_TOKEN", "pk1234567890A"),
            ("DB_SECRET", "my-database-secret"),
        ] {
            assert_eq!(found(name, value), 0, "{name}={value}");
        }
    }

    #[test]
    fn containers_and_builds_are_read() {
        let containers = r#"[{\"name\":\"a\",\"environment\":[{\"name\":\"API_KEY\",\"value\":\"q8Zt1LwX0pNc\"}]}]"#;
        let task = Scene::new()
            .resource(
                "aws_ecs_task_definition",
                "t",
                &format!(r#"{{"container_definitions":"{containers}"}}"#),
            )
            .places(&CREDENTIALS_IN_COMPUTE_ENV);
        assert_eq!(task.len(), 1);
        let build = r#"{"Environment":{"EnvironmentVariables":[
            {"Name":"TOKEN","Value":"q8Zt1LwX0pNc","Type":"PLAINTEXT"},
            {"Name":"TOKEN","Value":"app:token1234","Type":"SECRETS_MANAGER"}]}}"#;
        let build = Scene::new()
            .resource("AWS::CodeBuild::Project", "B", build)
            .places(&CREDENTIALS_IN_COMPUTE_ENV);
        assert_eq!(build.len(), 1);
    }

    #[test]
    fn the_value_is_never_shown() {
        let found = Scene::new()
            .resource(
                "aws_ssm_parameter",
                "p",
                r#"{"name":"/app/password","type":"String","value":"x9vK2mQ7tR4w"}"#,
            )
            .run(&CREDENTIALS_IN_COMPUTE_ENV);
        assert_eq!(found.len(), 1);
        assert!(!format!("{:?}", found[0].1).contains("x9vK2mQ7tR4w"));
    }
}
