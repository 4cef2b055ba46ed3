//! `cargo dev tables`: writes the lowering tables of `overgrant-ir` from `testdata/surface`, and what rules
//! know of AWS's own policies.
//!
//! Not for IAM's own types, which have code there. Invariant: every row of the inputs is either
//! written or left out by one of the reasons in [`generate`]; the same inputs give the same bytes.

mod published;

use crate::repository;
use anyhow::{Context as _, Result, ensure};
use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::fs;
use std::path::Path;

const REMEDY: &str = "cargo dev tables";
const TARGET: &str = "crates/ir/src/lower/generated";
const PUBLISHED: &str = "crates/rules/src/published.tsv";
const HEAD: &str = "// Written by `cargo dev tables` from `testdata/surface`; do not edit.\n";

#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// Write nothing; fail if the checked-in tables are out of date
    #[arg(long)]
    check: bool,
}

pub(crate) fn run(arguments: &Arguments) -> Result<()> {
    let root = repository::root()?;
    let files = generate(&root.join("testdata/surface"))?;
    if arguments.check {
        repository::check(&root, &files, REMEDY)
    } else {
        repository::write(&root, &files).map(drop)
    }
}

fn generate(inputs: &Path) -> Result<Vec<repository::Generated>> {
    let mut files = vec![(format!("{TARGET}/mod.rs"), INDEX.as_bytes().to_vec())];
    for (name, constant, input) in [
        ("terraform.rs", "TERRAFORM", "terraform_policy_attrs.tsv"),
        (
            "cloudformation.rs",
            "CLOUDFORMATION",
            "cfn_policy_props.tsv",
        ),
    ] {
        let path = inputs.join(input);
        let text =
            fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))?;
        let table = table(&text, constant).with_context(|| input.to_owned())?;
        files.push((format!("{TARGET}/{name}"), table.into_bytes()));
    }
    files.push((PUBLISHED.to_owned(), published::table().into_bytes()));
    Ok(files)
}

const INDEX: &str = "//! Written by `cargo dev tables` from `testdata/surface`; do not edit.

#[rustfmt::skip]
mod cloudformation;
#[rustfmt::skip]
mod terraform;

pub(super) use cloudformation::{CLOUDFORMATION, CLOUDFORMATION_SECRETS};
pub(super) use terraform::{TERRAFORM, TERRAFORM_SECRETS};
";

fn table(text: &str, constant: &str) -> Result<String> {
    let mut lines = text.lines();
    let head = lines.next().unwrap_or_default();
    ensure!(
        head == "resource_type\tattribute_path\tkind\tvalue_form\ttarget\tnotes",
        "unexpected columns: {head}"
    );
    let mut rows = Vec::new();
    let mut secrets = BTreeSet::new();
    for line in lines {
        let cells: Vec<&str> = line.split('\t').collect();
        let [kind, path, what, form, target, notes] = cells.as_slice() else {
            anyhow::bail!("not six cells: {line}");
        };
        if *what == "credential" {
            secrets.insert(*kind);
        }
        if let Some(row) = row(kind, path, what, form, target, notes)? {
            rows.push(((*kind).to_owned(), row));
        }
    }
    rows.sort();
    rows.dedup();
    let mut out = format!(
        "{HEAD}\nuse crate::lower::table::Carries::*;\nuse crate::lower::table::Form::*;\nuse crate::lower::table::{{Row, row}};\n\n\
         pub(in crate::lower) const {constant}: &[Row] = &[\n"
    );
    for (_, row) in rows {
        writeln!(out, "    {row},")?;
    }
    out.push_str("];\n");
    if !secrets.is_empty() {
        writeln!(
            out,
            "\n/// Types with arguments for secrets, where keys are looked for.\npub(in crate::lower) const {constant}_SECRETS: &[&str] = &["
        )?;
        for kind in secrets {
            writeln!(out, "    {kind:?},")?;
        }
        out.push_str("];\n");
    }
    Ok(out)
}

/// One row of the input as an expression, or `None` where it is not for the interpreter.
fn row(
    kind: &str,
    path: &str,
    what: &str,
    form: &str,
    target: &str,
    notes: &str,
) -> Result<Option<String>> {
    let plain = |text: &str| {
        !text.is_empty()
            && text
                .chars()
                .all(|c| c.is_ascii_alphanumeric() || "_.[]*:".contains(c))
    };
    // Other providers, markers instead of arguments, and documents in texts of other grammars.
    let ours = ["aws_", "AWS::", "Alexa::", "Custom::AWSCDK", "provider.aws"]
        .iter()
        .any(|front| kind.starts_with(front));
    let readable = ours
        && plain(&kind.replace('-', ""))
        && plain(path)
        && !(what == "role-ref" && (form.contains("json") || form.contains("yaml")))
        && !path.ends_with("external_id");
    if !readable {
        return Ok(None);
    }
    let form = if form == "map" && what == "role-ref" {
        "Map"
    } else {
        "Plain"
    };
    let mut service = String::new();
    let mut compute = false;
    let carries = match what {
        "resource-policy" => match kind {
            "aws_vpc_endpoint" | "aws_vpc_endpoint_policy" | "AWS::EC2::VPCEndpoint" => {
                "EndpointPolicy"
            }
            // Neither is a policy document: a template of one, and single properties of one.
            "AWS::RAM::Permission" | "AWS::EntityResolution::PolicyStatement" => return Ok(None),
            "AWS::Events::EventBusPolicy" => "Statement",
            _ => "ResourcePolicy",
        },
        "session-policy" if notes_say_document(form, path) => "SessionPolicy",
        "iot-policy" if path.eq_ignore_ascii_case("policy") || path == "PolicyDocument" => {
            "IotPolicy"
        }
        "role-ref" => "Role",
        "resource-grant" => "Grant",
        _ => return Ok(None),
    };
    if kind == "aws_iot_policy_attachment" {
        return Ok(None);
    }
    match carries {
        "Role" => {
            service = principal(kind, path, target, notes);
            compute = notes.starts_with("compute") || notes.contains("; compute");
        }
        "ResourcePolicy" | "Statement" | "Grant" => {
            service = prefix(kind)
                .with_context(|| format!("no IAM service prefix for {kind}"))?
                .to_owned();
        }
        _ => {}
    }
    let path = path.replace("[]", "");
    let target = if carries == "Role" {
        String::new()
    } else {
        argument(target, plain)
    };
    Ok(Some(format!(
        "row({kind:?}, {path:?}, {carries}, {form}, {target:?}, {service:?}, {compute})"
    )))
}

/// Session policies are documents or lists of ARNs; only documents are read.
fn notes_say_document(form: &str, path: &str) -> bool {
    form == "Plain" && !path.to_ascii_lowercase().contains("arn")
}

/// The argument that a target cell names.
fn argument(target: &str, plain: impl Fn(&str) -> bool) -> String {
    let first = target.split(['|', '+']).next().unwrap_or_default().trim();
    if first == "self" || first.starts_with("self ") {
        return "self".to_owned();
    }
    let descriptive = [
        "account",
        "catalog",
        "organization",
        "registry",
        "resource",
        "database",
    ];
    if plain(first) && !descriptive.contains(&first) {
        first.replace("[]", "")
    } else {
        String::new()
    }
}

/// The service principal in a cell such as `self (assumed by lambda.amazonaws.com)`.
fn principal(kind: &str, path: &str, target: &str, notes: &str) -> String {
    let leaf = path
        .rsplit('.')
        .next()
        .unwrap_or_default()
        .to_ascii_lowercase();
    let leaf = leaf.replace(['_', '[', ']'], "");
    // Cells that name several principals: which one depends on the argument.
    let chosen = match kind {
        "aws_apprunner_service" | "AWS::AppRunner::Service" => {
            if leaf.starts_with("instance") {
                "tasks.apprunner.amazonaws.com"
            } else {
                "build.apprunner.amazonaws.com"
            }
        }
        "aws_batch_compute_environment" | "AWS::Batch::ComputeEnvironment" => match leaf.as_str() {
            "instancerole" => "ec2.amazonaws.com",
            "servicerole" => "batch.amazonaws.com",
            _ => "spotfleet.amazonaws.com",
        },
        "aws_db_instance" | "aws_rds_cluster" | "AWS::RDS::DBCluster" | "AWS::RDS::DBInstance" => {
            if leaf.starts_with("monitoring") {
                "monitoring.rds.amazonaws.com"
            } else {
                "rds.amazonaws.com"
            }
        }
        "aws_ecs_express_gateway_service" => {
            if leaf.starts_with("infrastructure") {
                "ecs.amazonaws.com"
            } else {
                "ecs-tasks.amazonaws.com"
            }
        }
        "aws_mwaa_environment" | "AWS::MWAA::Environment" => "airflow-env.amazonaws.com",
        "aws_cognito_identity_pool_roles_attachment"
        | "AWS::Cognito::IdentityPoolRoleAttachment" => "cognito-identity.amazonaws.com",
        _ => "",
    };
    if !chosen.is_empty() {
        return chosen.to_owned();
    }
    let mut hosts = hosts(target);
    if hosts.is_empty() {
        hosts = self::hosts(notes);
    }
    hosts.dedup();
    match hosts.as_slice() {
        [one] => one.clone(),
        _ => String::new(),
    }
}

fn hosts(text: &str) -> Vec<String> {
    text.split(|c: char| !(c.is_ascii_alphanumeric() || ".-".contains(c)))
        .filter(|word| word.ends_with(".amazonaws.com"))
        .map(str::to_owned)
        .collect()
}

/// The IAM service prefix of a resource type.
fn prefix(kind: &str) -> Option<&'static str> {
    let namespace = kind
        .strip_prefix("AWS::")
        .and_then(|rest| rest.split("::").next());
    if let Some(namespace) = namespace {
        return NAMESPACES
            .iter()
            .find(|(name, _)| *name == namespace)
            .map(|(_, prefix)| *prefix);
    }
    let rest = kind.strip_prefix("aws_")?;
    FAMILIES
        .iter()
        .filter(|(family, _)| rest.starts_with(family))
        .max_by_key(|(family, _)| family.len())
        .map(|(_, prefix)| *prefix)
}

/// CloudFormation namespaces and IAM service prefixes (Service Authorization Reference).
const NAMESPACES: &[(&str, &str)] = &[
    ("ACMPCA", "acm-pca"),
    ("AIOps", "aiops"),
    ("APS", "aps"),
    ("ApiGateway", "execute-api"),
    ("ApiGatewayV2", "execute-api"),
    ("Backup", "backup"),
    ("Bedrock", "bedrock"),
    ("CloudTrail", "cloudtrail"),
    ("CodeArtifact", "codeartifact"),
    ("CodeGuruProfiler", "codeguru-profiler"),
    ("Comprehend", "comprehend"),
    ("DSQL", "dsql"),
    ("DataZone", "datazone"),
    ("DynamoDB", "dynamodb"),
    ("EC2", "ec2"),
    ("ECR", "ecr"),
    ("EFS", "elasticfilesystem"),
    ("Elasticsearch", "es"),
    ("EventSchemas", "schemas"),
    ("Events", "events"),
    ("FSx", "s3"),
    ("GlobalAccelerator", "globalaccelerator"),
    ("KMS", "kms"),
    ("Kinesis", "kinesis"),
    ("LakeFormation", "lakeformation"),
    ("Lambda", "lambda"),
    ("Lex", "lex"),
    ("LicenseManager", "license-manager"),
    ("Logs", "logs"),
    ("MSK", "kafka"),
    ("MediaPackageV2", "mediapackagev2"),
    ("MediaStore", "mediastore"),
    ("MediaTailor", "mediatailor"),
    ("ODB", "odb"),
    ("OSIS", "osis"),
    ("Oam", "oam"),
    ("Omics", "s3"),
    ("OpenSearchService", "es"),
    ("Organizations", "organizations"),
    ("QBusiness", "qbusiness"),
    ("RAM", "ram"),
    ("RUM", "rum"),
    ("Redshift", "redshift"),
    ("RedshiftServerless", "redshift-serverless"),
    ("S3", "s3"),
    ("S3Express", "s3express"),
    ("S3Files", "s3files"),
    ("S3ObjectLambda", "s3-object-lambda"),
    ("S3Outposts", "s3-outposts"),
    ("S3Tables", "s3tables"),
    ("S3Vectors", "s3vectors"),
    ("SMSVOICE", "sms-voice"),
    ("SNS", "sns"),
    ("SQS", "sqs"),
    ("SSM", "ssm"),
    ("SageMaker", "sagemaker"),
    ("SecretsManager", "secretsmanager"),
    ("SecurityLake", "securitylake"),
    ("ServiceCatalog", "servicecatalog"),
    ("Signer", "signer"),
    ("VpcLattice", "vpc-lattice"),
    ("XRay", "xray"),
];

/// Beginnings of Terraform types behind `aws_`, and IAM service prefixes; the longest counts.
const FAMILIES: &[(&str, &str)] = &[
    ("acmpca_", "acm-pca"),
    ("ami_", "ec2"),
    ("api_gateway_", "execute-api"),
    ("apigatewayv2_", "execute-api"),
    ("appsync_", "appsync"),
    ("backup_", "backup"),
    ("bedrockagentcore_", "bedrock-agentcore"),
    ("cloudsearch_", "cloudsearch"),
    ("cloudwatch_event_", "events"),
    ("cloudwatch_log_", "logs"),
    ("codeartifact_", "codeartifact"),
    ("codebuild_", "codebuild"),
    ("db_", "rds"),
    ("dsql_", "dsql"),
    ("dynamodb_", "dynamodb"),
    ("ecr_", "ecr"),
    ("ecrpublic_", "ecr-public"),
    ("efs_", "elasticfilesystem"),
    ("elasticsearch_", "es"),
    ("fsx_s3_access_point_", "s3"),
    ("glacier_", "glacier"),
    ("globalaccelerator_", "globalaccelerator"),
    ("glue_", "glue"),
    ("imagebuilder_", "imagebuilder"),
    ("kinesis_", "kinesis"),
    ("kms_", "kms"),
    ("lakeformation_", "lakeformation"),
    ("lambda_", "lambda"),
    ("licensemanager_", "license-manager"),
    ("media_store_", "mediastore"),
    ("msk_", "kafka"),
    ("networkfirewall_", "network-firewall"),
    ("oam_", "oam"),
    ("odb_", "odb"),
    ("opensearch_", "es"),
    ("organizations_", "organizations"),
    ("osis_", "osis"),
    ("pinpointsmsvoicev2_", "sms-voice"),
    ("prometheus_", "aps"),
    ("quicksight_", "quicksight"),
    ("ram_", "ram"),
    ("rds_", "rds"),
    ("redshift_", "redshift"),
    ("redshiftserverless_", "redshift-serverless"),
    ("s3_", "s3"),
    ("s3control_", "s3"),
    ("s3control_bucket_policy", "s3-outposts"),
    ("s3control_object_lambda_", "s3-object-lambda"),
    ("s3files_", "s3files"),
    ("s3tables_", "s3tables"),
    ("s3vectors_", "s3vectors"),
    ("sagemaker_", "sagemaker"),
    ("schemas_", "schemas"),
    ("secretsmanager_", "secretsmanager"),
    ("securitylake_", "securitylake"),
    ("servicecatalog_", "servicecatalog"),
    ("ses_", "ses"),
    ("sesv2_", "ses"),
    ("signer_", "signer"),
    ("snapshot_", "ec2"),
    ("sns_", "sns"),
    ("sqs_", "sqs"),
    ("ssm_", "ssm"),
    ("vpc_", "ec2"),
    ("vpclattice_", "vpc-lattice"),
    ("xray_", "xray"),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_checked_in_tables_are_up_to_date() {
        let root = repository::root().unwrap();
        let files = generate(&root.join("testdata/surface")).unwrap();
        repository::check(&root, &files, REMEDY).unwrap();
    }

    #[test]
    fn look_alikes_stay_out() {
        let row = |what: &str| row("aws_dlm_x", "policy", what, "json-string", "-", "").unwrap();
        assert_eq!(row("non-iam-policy"), None);
        assert_eq!(row("identity-policy"), None);
    }

    #[test]
    fn principals_by_argument() {
        let cell = "self (assumed by a.amazonaws.com, b.amazonaws.com)";
        assert_eq!(principal("aws_x", "role_arn", cell, ""), "");
        let one = "self (assumed by pods.eks.amazonaws.com (sts:AssumeRole + sts:TagSession))";
        assert_eq!(
            principal("aws_x", "role_arn", one, ""),
            "pods.eks.amazonaws.com"
        );
        assert_eq!(
            principal("aws_batch_compute_environment", "a.instance_role", cell, ""),
            "ec2.amazonaws.com"
        );
    }
}
