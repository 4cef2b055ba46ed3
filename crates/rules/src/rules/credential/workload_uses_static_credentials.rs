//! `workload-uses-static-credentials`: code gets an access key in place of a role.

use crate::environment::{all_variables, variables};
use crate::{Context, Family, Scope};
use overgrant_finding::{Confidence, Severity};
use overgrant_ir::Setting;
use overgrant_value::{Sym, Val};
use std::collections::BTreeMap;

rule! {
    /// Function, task or build works with an access key in place of its role.
    ///
    /// `AWS_ACCESS_KEY_ID` or `AWS_SECRET_ACCESS_KEY` is set for it, in plain text or from a secret or
    /// parameter. The SDK then uses the key, and the role that the service gives is not used. So it is with the
    /// secret of an access key that the same configuration makes, under whatever name.
    ///
    /// ## Why
    /// A role's credentials end after hours and are made anew; a key lasts until somebody changes it, and
    /// stays with everybody who ever saw the environment, a log or a crash report.
    ///
    /// ## Bad
    /// ```terraform bad
    /// resource "aws_ecs_task_definition" "app" {
    ///   family = "app"
    ///   container_definitions = jsonencode([{
    ///     name  = "app"
    ///     image = "acme/app"
    ///     secrets = [
    ///       { name = "AWS_ACCESS_KEY_ID", valueFrom = "arn:aws:ssm:eu-west-1:111122223333:parameter/app/key-id" }, # <-- here
    ///       { name = "AWS_SECRET_ACCESS_KEY", valueFrom = "arn:aws:ssm:eu-west-1:111122223333:parameter/app/key" },
    ///     ]
    ///   }])
    /// }
    /// ```
    /// ```cloudformation bad
    /// Parameters:
    ///   KeyId:
    ///     Type: String
    ///   Key:
    ///     Type: String
    ///     NoEcho: true
    /// Resources:
    ///   Build:
    ///     Type: AWS::CodeBuild::Project
    ///     Properties:
    ///       Environment:
    ///         EnvironmentVariables:
    ///           - Name: AWS_ACCESS_KEY_ID
    ///             Type: PARAMETER_STORE
    ///             Value: /build/key-id # <-- here
    ///           - Name: AWS_SECRET_ACCESS_KEY
    ///             Type: PARAMETER_STORE
    ///             Value: /build/key
    /// ```
    /// The same as JSON:
    /// ```terraform bad
    /// resource "aws_ecs_task_definition" "app" {
    ///   family = "app"
    ///   container_definitions = <<-JSON
    ///     [
    ///       {
    ///         "name": "app",
    ///         "image": "acme/app",
    ///         "secrets": [
    ///           {
    ///             "name": "AWS_ACCESS_KEY_ID",
    ///             "valueFrom": "arn:aws:ssm:eu-west-1:111122223333:parameter/app/key-id" # <-- here
    ///           },
    ///           {
    ///             "name": "AWS_SECRET_ACCESS_KEY",
    ///             "valueFrom": "arn:aws:ssm:eu-west-1:111122223333:parameter/app/key"
    ///           }
    ///         ]
    ///       }
    ///     ]
    ///   JSON
    /// }
    /// ```
    /// ```terraform bad also:iam-access-key-resource
    /// resource "aws_iam_user" "reports" {
    ///   name = "reports"
    /// }
    /// resource "aws_iam_access_key" "reports" {
    ///   user = aws_iam_user.reports.name
    /// }
    /// resource "aws_elastic_beanstalk_environment" "app" {
    ///   name        = "app"
    ///   application = "app"
    ///   setting {
    ///     namespace = "aws:elasticbeanstalk:application:environment"
    ///     name      = "REPORTS_SECRET"
    ///     value     = aws_iam_access_key.reports.secret # <-- here
    ///   }
    /// }
    /// ```
    /// ## Good
    /// A key for another S3-compatible service is none of AWS:
    /// ```terraform good
    /// resource "aws_lambda_function" "sync" {
    ///   function_name = "sync"
    ///   role          = "arn:aws:iam::111122223333:role/sync"
    ///   environment {
    ///     variables = {
    ///       AWS_ENDPOINT_URL_S3   = "https://storage.example.com"
    ///       AWS_ACCESS_KEY_ID     = var.storage_key_id
    ///       AWS_SECRET_ACCESS_KEY = var.storage_key
    ///     }
    ///   }
    /// }
    /// variable "storage_key_id" {}
    /// variable "storage_key" {}
    /// ```
    /// The account is of another partition, which no role reaches:
    /// ```cloudformation good
    /// Resources:
    ///   Mirror:
    ///     Type: AWS::ECS::TaskDefinition
    ///     Properties:
    ///       ContainerDefinitions:
    ///         - Name: mirror
    ///           Image: acme/mirror
    ///           Environment:
    ///             - Name: AWS_DEFAULT_REGION
    ///               Value: cn-north-1
    ///           Secrets:
    ///             - Name: AWS_ACCESS_KEY_ID
    ///               ValueFrom: arn:aws:secretsmanager:eu-west-1:111122223333:secret:china-key
    ///             - Name: AWS_SECRET_ACCESS_KEY
    ///               ValueFrom: arn:aws:secretsmanager:eu-west-1:111122223333:secret:china-secret
    /// ```
    /// What begins as no key id does is none, but a stand-in for an emulator:
    /// ```cloudformation good
    /// Resources:
    ///   Sum:
    ///     Type: AWS::Lambda::Function
    ///     Properties:
    ///       Environment:
    ///         Variables:
    ///           AWS_ACCESS_KEY_ID: dummy
    ///           AWS_SECRET_ACCESS_KEY: dummy
    /// ```
    /// A host outside of AWS has no role to take:
    /// ```terraform good
    /// resource "aws_ecs_task_definition" "edge" {
    ///   family                   = "edge"
    ///   requires_compatibilities = ["EXTERNAL"]
    ///   container_definitions = jsonencode([{
    ///     name  = "edge"
    ///     image = "acme/edge"
    ///     secrets = [
    ///       { name = "AWS_ACCESS_KEY_ID", valueFrom = "arn:aws:ssm:eu-west-1:111122223333:parameter/edge/id" },
    ///       { name = "AWS_SECRET_ACCESS_KEY", valueFrom = "arn:aws:ssm:eu-west-1:111122223333:parameter/edge/key" },
    ///     ]
    ///   }])
    /// }
    /// ```
    /// ## How to fix
    /// Give the code a role (execution role, task role, service role) and delete the key and its user.
    pub(crate) static WORKLOAD_USES_STATIC_CREDENTIALS = Rule {
        id: "workload-uses-static-credentials",
        family: Family::Credential,
        severity: Severity::High,
        confidence: Confidence::High,
        scope: Scope::Module,
        since: "0.1.0",
        cwe: &[798, 522],
        aliases: &["CKV_AWS_45", "CKV_AWS_46", "AWS-0036", "AwsSolutions-ECS2"],
        mappings: &[
            ("CIS5", "1.17"),
            ("FSBP", "CodeBuild.2"),
            ("FSBP", "ECS.8"),
            ("NIST", "IA-5"),
            ("NIST", "AC-2"),
            ("NIST", "IA-2"),
            ("ATT&CK", "T1552.001"),
            ("ATT&CK", "T1078.004"),
            ("ATT&CK", "T1098.001"),
        ],
        references: &["https://docs.aws.amazon.com/IAM/latest/UserGuide/best-practices.html#bp-workloads-use-roles"],
        check: check,
    };
}

const KEYS: [&str; 2] = ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"];

fn check(cx: &mut Context<'_>) {
    let model = cx.model;
    let found: Vec<(&Setting, Val)> = model
        .settings
        .iter()
        .filter_map(|setting| Some((setting, key(setting)?)))
        .collect();
    let mut users: BTreeMap<String, usize> = BTreeMap::new();
    let name = |val: &Val| val.to_text().map(|text| text.key()).unwrap_or_default();
    for (_, val) in &found {
        *users.entry(name(val)).or_default() += 1;
    }
    for (setting, val) in &found {
        let text = format!(
            "`{}` works with a long-lived access key in place of its role",
            setting.place.address
        );
        let mut report = cx
            .finding(&setting.place, val.src(), text)
            .cell("static")
            .marks(val.marks())
            .help("give it a role, and delete the key and its user");
        let shared = users.get(&name(val)).copied().unwrap_or_default();
        if shared > 1 {
            report = report.note(format!("{shared} workloads share the key"));
        }
        cx.report(report);
    }
}

/// The value of the first key variable, where the key is for AWS itself.
fn key(setting: &Setting) -> Option<Val> {
    let variables = all_variables(setting);
    let elsewhere = variables.iter().any(|(name, val)| {
        let name = name.to_ascii_uppercase();
        let region = name.ends_with("REGION")
            && val
                .as_str()
                .is_some_and(|region| region.starts_with("cn-") || region.starts_with("us-gov-"));
        region || name.contains("ENDPOINT") || name.contains("MINIO") || name.contains("R2_")
    });
    let (_, val) = variables
        .into_iter()
        .find(|(name, val)| KEYS.contains(&name.as_str()) && !is_empty(val) || is_made_here(val))?;
    let no_key = elsewhere || is_on_premises(setting) || has_stand_in(setting);
    (!no_key).then_some(val)
}

/// Whether the key id is written out and cannot be one. Source: IAM, "Understanding unique ID prefixes".
fn has_stand_in(setting: &Setting) -> bool {
    variables(setting).iter().any(|(name, val)| {
        let known = val.as_str().filter(|text| !text.is_empty());
        name == "AWS_ACCESS_KEY_ID"
            && known.is_some_and(|text| !text.starts_with("AKIA") && !text.starts_with("ASIA"))
    })
}

/// Whether the value is the secret of an access key that the configuration makes, whatever the name.
fn is_made_here(val: &Val) -> bool {
    let text = val.to_text();
    text.iter().flat_map(|text| text.holes()).any(|hole| match &hole.sym {
        Sym::Attr { addr, path, .. } => {
            path == "SecretAccessKey" || path == "secret" && addr.contains("aws_iam_access_key.")
        }
        _ => false,
    })
}

/// Whether the task runs on hosts outside of AWS only.
fn is_on_premises(setting: &Setting) -> bool {
    ["requires_compatibilities", "RequiresCompatibilities"]
        .iter()
        .filter_map(|name| setting.attrs.get(name))
        .any(|kinds| {
            let kinds = kinds.listed();
            !kinds.is_empty()
                && kinds
                    .iter()
                    .all(|kind| kind.as_str().is_some_and(|kind| kind == "EXTERNAL"))
        })
}

/// Whether the variable is there to be empty.
fn is_empty(val: &Val) -> bool {
    val.is_null() || val.as_str().is_some_and(|text| text.is_empty())
}
