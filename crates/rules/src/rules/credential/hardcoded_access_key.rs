//! `hardcoded-access-key`: an AWS access key is written into the configuration.

use crate::{Context, Family, Scope};
use overgrant_finding::{Confidence, Severity};
use overgrant_ir::{Credential, CredentialKind};

rule! {
    /// An AWS access key is written into the configuration.
    ///
    /// An argument holds the id of an access key, mostly with its secret beside it: in provider settings,
    /// environment variables, user data, defaults.
    ///
    /// ## Why
    /// Everybody who reads the repository, its history, a state file or a build log holds the key and can
    /// use it from anywhere until it is deleted.
    ///
    /// ## Bad
    /// ```terraform bad
    /// resource "aws_lambda_function" "sync" {
    ///   function_name = "sync"
    ///   role          = "arn:aws:iam::111122223333:role/sync"
    ///   environment {
    ///     variables = {
    ///       AWS_ACCESS_KEY_ID     = "AKIAQ3EGRZ5LMVK7TWXB" # <-- here
    ///       AWS_SECRET_ACCESS_KEY = "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"
    ///     }
    ///   }
    /// }
    /// ```
    /// ```cloudformation bad
    /// Resources:
    ///   Sync:
    ///     Type: AWS::Lambda::Function
    ///     Properties:
    ///       Role: arn:aws:iam::111122223333:role/sync
    ///       Code: { S3Bucket: acme-code, S3Key: sync.zip }
    ///       Environment:
    ///         Variables:
    ///           AWS_ACCESS_KEY_ID: AKIAQ3EGRZ5LMVK7TWXB # <-- here
    ///           AWS_SECRET_ACCESS_KEY: 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
    /// ```
    /// ## Good
    /// ```terraform good
    /// resource "aws_lambda_function" "sync" {
    ///   function_name = "sync"
    ///   role          = "arn:aws:iam::111122223333:role/sync"
    ///   environment {
    ///     variables = {
    ///       EXAMPLE_KEY = "AKIAIOSFODNN7EXAMPLE"
    ///       BUCKET      = "acme-data"
    ///     }
    ///   }
    /// }
    /// ```
    /// ```cloudformation good
    /// Resources:
    ///   Sync:
    ///     Type: AWS::Lambda::Function
    ///     Properties:
    ///       Role: arn:aws:iam::111122223333:role/sync
    ///       Code: { S3Bucket: acme-code, S3Key: sync.zip }
    ///       Environment:
    ///         Variables:
    ///           BUCKET: acme-data
    /// ```
    /// Masks and the credentials of local test servers are no keys, and an id without its secret opens nothing:
    /// ```terraform good
    /// provider "aws" {
    ///   alias      = "local"
    ///   region     = "eu-west-1"
    ///   access_key = "test"
    ///   secret_key = "test"
    /// }
    /// resource "aws_lambda_function" "sync" {
    ///   function_name = "sync"
    ///   role          = "arn:aws:iam::111122223333:role/sync"
    ///   environment {
    ///     variables = { SECRET_KEY = "<your-secret-key>", TOKEN = "XXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXX" }
    ///   }
    /// }
    /// ```
    /// The id of a key alone opens nothing:
    /// ```terraform good at:low
    /// resource "aws_lambda_function" "sync" {
    ///   function_name = "sync"
    ///   role          = "arn:aws:iam::111122223333:role/sync"
    ///   environment {
    ///     variables = { KEY_ID = "AKIAQ3EGRZ5LMVK7TWXB" }
    ///   }
    /// }
    /// ```
    /// ## How to fix
    /// Delete the key in IAM first, then remove it here. Give the workload a role instead.
    pub(crate) static HARDCODED_ACCESS_KEY = Rule {
        id: "hardcoded-access-key",
        family: Family::Credential,
        severity: Severity::Critical,
        confidence: Confidence::High,
        scope: Scope::Module,
        since: "0.1.0",
        cwe: &[798],
        aliases: &[
            "CKV_AWS_41",
            "CKV_AWS_45",
            "CKV_AWS_46",
            "CKV_SECRET_2",
            "AWS-0029",
            "AWS-0122",
            "AWS-0129",
        ],
        mappings: &[
            ("CIS5", "1.17"),
            ("FSBP", "ECS.8"),
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

fn check(cx: &mut Context<'_>) {
    let model = cx.model;
    let literals: Vec<&Credential> = model
        .credentials
        .iter()
        .filter(|credential| credential.kind == CredentialKind::Literal)
        .collect();
    // One resource, one finding: its keys and secrets are one leak.
    let holders = literals.chunk_by(|a, b| {
        (&a.place.root, &a.place.address) == (&b.place.root, &b.place.address)
    });
    for parts in holders {
        let Some((first, rest)) = parts.split_first() else {
            continue;
        };
        let pair = !rest.is_empty();
        let mut report = cx
            .finding(
                &first.place,
                &first.src,
                if pair {
                    format!("`{}` holds an AWS access key and its secret in `{}`", first.place.address, first.attribute)
                } else {
                    format!("`{}` holds the id of an AWS access key in `{}`", first.place.address, first.attribute)
                },
            )
            .cell(first.attribute.as_str())
            .help("delete the key in IAM, then remove it here and use a role");
        if !pair {
            report = report
                .severity(Severity::Low)
                .note("no secret stands beside it; an id alone gives no access");
        }
        for part in rest {
            report = report.related(&part.src, format!("belongs to the key: `{}`", part.attribute), None);
        }
        cx.report(report);
    }
}
