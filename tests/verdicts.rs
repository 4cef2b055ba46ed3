//! Tables of trusts and resource policies with the rules that must fire on each row, in both formats.
//!
//! Not for places, severities and messages, which the examples of the rules hold. Invariant: a verdict is
//! decided by what AWS and the issuer do, with the reason in its row, and is exact for the families of
//! its table: a rule that fires beside the expected ones is as wrong as one that is silent.

use overgrant_engine::{Discovery, Options, Outcome, check_in};
use overgrant_rules::Family;
use overgrant_source::Sources;
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::sync::Arc;

/// What the run knows of the organization.
const CONFIGURATION: &str = "own_accounts: [\"111122223333\"]\norg_id: o-a1b2c3d4e5\n\
                             vendors: {\"777788889999\": a vendor}\n";

/// A row: cells by column, and the resources that it means.
struct Row {
    id: String,
    rules: BTreeSet<String>,
    reason: String,
    /// Type, end of the name, and arguments.
    terraform: Vec<(&'static str, &'static str, Value)>,
    cloudformation: Vec<(&'static str, &'static str, Value)>,
    /// Holds for the whole root, so that it cannot stand beside others.
    alone: bool,
}

/// The cells of a table, without its head.
fn lines(text: &'static str) -> impl Iterator<Item = Vec<&'static str>> {
    text.lines().skip(1).map(|line| line.split('\t').collect())
}

fn rules(cell: &str) -> BTreeSet<String> {
    let names = cell.split(", ").filter(|name| *name != "-");
    names.map(str::to_owned).collect()
}

fn document(statements: Vec<Value>) -> Value {
    json!({"Version": "2012-10-17", "Statement": statements})
}

/// A document as a string of a `.tf.json` file, where `${` begins a template.
fn quoted(document: &Value) -> Value {
    let text = document.to_string();
    json!(text.replace("${", "$${").replace("%{", "%%{"))
}

/// What roles may do, by the word in the table.
fn rights(word: &str) -> Option<Value> {
    let action = match word {
        "writes" => "s3:PutObject",
        "reads" => "s3:GetObject",
        "none" => return None,
        other => panic!("no such rights: {other}"),
    };
    let statement = json!({
        "Effect": "Allow", "Action": action, "Resource": "arn:aws:s3:::acme-artifacts/*"
    });
    Some(document(vec![statement]))
}

/// A role that trusts an identity provider; `~` in the trust is the provider, `~:` its keys.
fn role(cells: &[&str]) -> Row {
    let [id, issuer, word, trust, expected, reason] = cells else {
        panic!("six cells: {cells:?}")
    };
    let built_in = ["accounts.google.com", "cognito-identity.amazonaws.com"].contains(issuer);
    let provider = if built_in {
        (*issuer).to_owned()
    } else {
        format!("arn:aws:iam::111122223333:oidc-provider/{issuer}")
    };
    let text = trust
        .replace("\"~\"", &format!("\"{provider}\""))
        .replace("~:", &format!("{issuer}:"));
    let statement = |value: Value| {
        if value.get("Effect").is_some() {
            return value;
        }
        json!({
            "Effect": "Allow", "Action": "sts:AssumeRoleWithWebIdentity",
            "Principal": {"Federated": provider}, "Condition": value
        })
    };
    let trust = match serde_json::from_str(&text).unwrap() {
        Value::Array(statements) => document(statements.into_iter().map(statement).collect()),
        whole if whole.get("Version").is_some() => whole,
        conditions => document(vec![statement(conditions)]),
    };
    let mut row = Row {
        id: (*id).to_owned(),
        rules: rules(expected),
        reason: (*reason).to_owned(),
        terraform: vec![(
            "aws_iam_role",
            "",
            json!({"name": "role-#", "assume_role_policy": quoted(&trust)}),
        )],
        cloudformation: Vec::new(),
        alone: false,
    };
    let mut properties = json!({"RoleName": "role-#", "AssumeRolePolicyDocument": trust});
    if let Some(rights) = rights(word) {
        let policy = json!({"role": "role-#", "policy": quoted(&rights)});
        row.terraform.push(("aws_iam_role_policy", "", policy));
        properties["Policies"] = json!([{"PolicyName": "p", "PolicyDocument": rights}]);
    }
    row.cloudformation.push(("AWS::IAM::Role", "", properties));
    row
}

/// Where a resource policy stands: the word of the table, then type, argument and other arguments in
/// Terraform and in CloudFormation.
type Holder = (&'static str, [&'static str; 3], [&'static str; 3]);

#[rustfmt::skip]
const HOLDERS: &[Holder] = &[
    ("s3", ["aws_s3_bucket_policy", "policy", r##"{"bucket":"acme-#"}"##], ["AWS::S3::BucketPolicy", "PolicyDocument", r##"{"Bucket":"acme-#"}"##]),
    ("access-point", ["aws_s3_access_point", "policy", r##"{"bucket":"acme-#","name":"p-#"}"##], ["AWS::S3::AccessPoint", "Policy", r##"{"Bucket":"acme-#","Name":"p-#"}"##]),
    ("sqs", ["aws_sqs_queue_policy", "policy", r##"{"queue_url":"https://sqs.eu-west-1.amazonaws.com/111122223333/q-#"}"##], ["AWS::SQS::QueuePolicy", "PolicyDocument", r##"{"Queues":["https://sqs.eu-west-1.amazonaws.com/111122223333/q-#"]}"##]),
    ("sns", ["aws_sns_topic_policy", "policy", r##"{"arn":"arn:aws:sns:eu-west-1:111122223333:t-#"}"##], ["AWS::SNS::TopicPolicy", "PolicyDocument", r##"{"Topics":["arn:aws:sns:eu-west-1:111122223333:t-#"]}"##]),
    ("kms", ["aws_kms_key", "policy", "{}"], ["AWS::KMS::Key", "KeyPolicy", "{}"]),
    ("secret", ["aws_secretsmanager_secret_policy", "policy", r##"{"secret_arn":"arn:aws:secretsmanager:eu-west-1:111122223333:secret:s-#"}"##], ["AWS::SecretsManager::ResourcePolicy", "ResourcePolicy", r##"{"SecretId":"arn:aws:secretsmanager:eu-west-1:111122223333:secret:s-#"}"##]),
    ("ecr", ["aws_ecr_repository_policy", "policy", r##"{"repository":"r-#"}"##], ["AWS::ECR::Repository", "RepositoryPolicyText", r##"{"RepositoryName":"r-#"}"##]),
    ("bus", ["aws_cloudwatch_event_bus_policy", "policy", r##"{"event_bus_name":"b-#"}"##], ["AWS::Events::EventBus", "Policy", r##"{"Name":"b-#"}"##]),
    ("backup", ["aws_backup_vault_policy", "policy", r##"{"backup_vault_name":"v-#"}"##], ["AWS::Backup::BackupVault", "AccessPolicy", r##"{"BackupVaultName":"v-#"}"##]),
    ("glacier", ["aws_glacier_vault", "access_policy", r##"{"name":"v-#"}"##], ["", "", ""]),
    ("domain", ["aws_opensearch_domain", "access_policies", r##"{"domain_name":"d-#"}"##], ["AWS::OpenSearchService::Domain", "AccessPolicies", r##"{"DomainName":"d-#"}"##]),
    ("api", ["aws_api_gateway_rest_api_policy", "policy", r##"{"rest_api_id":"a#"}"##], ["AWS::ApiGateway::RestApi", "Policy", r##"{"Name":"a#"}"##]),
    ("efs", ["aws_efs_file_system_policy", "policy", r##"{"file_system_id":"fs-#"}"##], ["AWS::EFS::FileSystem", "FileSystemPolicy", "{}"]),
    ("glue", ["aws_glue_resource_policy", "policy", "{}"], ["", "", ""]),
    ("table", ["aws_dynamodb_resource_policy", "policy", r##"{"resource_arn":"arn:aws:dynamodb:eu-west-1:111122223333:table/t-#"}"##], ["", "", ""]),
    ("stream", ["aws_kinesis_resource_policy", "policy", r##"{"resource_arn":"arn:aws:kinesis:eu-west-1:111122223333:stream/s-#"}"##], ["AWS::Kinesis::ResourcePolicy", "ResourcePolicy", r##"{"ResourceArn":"arn:aws:kinesis:eu-west-1:111122223333:stream/s-#"}"##]),
    ("codeartifact", ["aws_codeartifact_domain_permissions_policy", "policy_document", r##"{"domain":"d-#"}"##], ["AWS::CodeArtifact::Domain", "PermissionsPolicyDocument", r##"{"DomainName":"d-#"}"##]),
    ("msk", ["aws_msk_cluster_policy", "policy", r##"{"cluster_arn":"arn:aws:kafka:eu-west-1:111122223333:cluster/c-#/1"}"##], ["AWS::MSK::ClusterPolicy", "Policy", r##"{"ClusterArn":"arn:aws:kafka:eu-west-1:111122223333:cluster/c-#/1"}"##]),
    ("endpoint", ["aws_vpc_endpoint", "policy", r##"{"vpc_id":"vpc-#","service_name":"com.amazonaws.eu-west-1.s3"}"##], ["AWS::EC2::VPCEndpoint", "PolicyDocument", r##"{"VpcId":"vpc-#","ServiceName":"com.amazonaws.eu-west-1.s3"}"##]),
];

/// The four settings of a public access block: names in both formats, and the words that switch one on.
#[rustfmt::skip]
const SETTINGS: [(&str, &str, &[&str]); 4] = [
    ("block_public_acls", "BlockPublicAcls", &["block", "account-block"]),
    ("block_public_policy", "BlockPublicPolicy", &["block", "account-block", "acls-open"]),
    ("ignore_public_acls", "IgnorePublicAcls", &["block", "account-block"]),
    ("restrict_public_buckets", "RestrictPublicBuckets", &["block", "account-block", "acls-open", "restrict"]),
];

/// Refuses plain requests to a bucket.
fn tls() -> Value {
    json!({
        "Effect": "Deny", "Principal": "*", "Action": "s3:*",
        "Resource": ["arn:aws:s3:::acme-#", "arn:aws:s3:::acme-#/*"],
        "Condition": {"Bool": {"aws:SecureTransport": "false"}}
    })
}

/// A resource with a policy, or with the arguments that the table gives.
fn exposed(cells: &[&'static str]) -> Row {
    let &[id, on, beside, policy, expected, reason] = cells else {
        panic!("six cells: {cells:?}")
    };
    let beside: Vec<&str> = beside.split(' ').collect();
    let mut row = Row {
        id: id.to_owned(),
        rules: rules(expected),
        reason: reason.to_owned(),
        terraform: Vec::new(),
        cloudformation: Vec::new(),
        alone: beside.contains(&"account-block"),
    };
    let Value::Array(mut statements) = serde_json::from_str(policy).unwrap() else {
        let resource = (on, "", serde_json::from_str(policy).unwrap());
        if on.contains("::") {
            row.cloudformation.push(resource);
        } else {
            row.terraform.push(resource);
        }
        return row;
    };
    if beside.contains(&"tls") {
        statements.push(tls());
    }
    let policy = document(statements);
    let (_, terraform, cloudformation) = HOLDERS.iter().find(|holder| holder.0 == on).unwrap();
    let arguments = |[_, name, others]: &[&str; 3], policy: Value| {
        let mut arguments: Value = serde_json::from_str(others).unwrap();
        arguments[*name] = policy;
        arguments
    };
    let mut here = arguments(terraform, quoted(&policy));
    if beside.contains(&"network") {
        here["vpc_options"] = json!({"subnet_ids": ["subnet-1"]});
    }
    row.terraform.push((terraform[0], "", here));
    if !cloudformation[0].is_empty() {
        let mut here = arguments(cloudformation, policy);
        if beside.contains(&"network") {
            here["VPCOptions"] = json!({"SubnetIds": ["subnet-1"]});
        }
        row.cloudformation.push((cloudformation[0], "", here));
    }
    let words = ["block", "open", "restrict", "acls-open", "account-block"];
    let Some(word) = words.iter().find(|word| beside.contains(word)) else {
        return row;
    };
    let on = |(_, _, words): &(&str, &str, &[&str])| words.contains(word);
    let mut block: Value = SETTINGS.iter().map(|one| (one.0, on(one))).collect();
    if row.alone {
        row.terraform
            .push(("aws_s3_account_public_access_block", "", block));
        row.cloudformation.clear();
        return row;
    }
    block["bucket"] = json!("acme-#");
    row.terraform
        .push(("aws_s3_bucket_public_access_block", "", block));
    let block: Value = SETTINGS.iter().map(|one| (one.1, on(one))).collect();
    let bucket = json!({"BucketName": "acme-#", "PublicAccessBlockConfiguration": block});
    row.cloudformation
        .push(("AWS::S3::Bucket", "Bucket", bucket));
    if let Some((_, _, policy)) = row.cloudformation.first_mut() {
        policy["Bucket"] = json!({"Ref": "R#Bucket"});
    }
    row
}

/// Arguments with the number of their row in the place of `#`.
fn numbered(arguments: &Value, number: usize) -> Value {
    serde_json::from_str(&arguments.to_string().replace('#', &number.to_string())).unwrap()
}

fn check(path: &str, text: &Value) -> Outcome {
    let sources = Sources::new("/nowhere/at/all");
    sources.add("overgrant.yaml", CONFIGURATION);
    sources.add(path, &text.to_string());
    let mut found = Discovery {
        selected: vec![String::new()],
        ..Discovery::default()
    };
    if path.ends_with(".tf.json") {
        found.terraform.insert(String::new(), vec![path.to_owned()]);
    } else {
        found.documents.push(path.to_owned());
    }
    let options = Options {
        min_severity: overgrant_finding::Severity::Info,
        min_confidence: overgrant_finding::Confidence::Low,
        threads: Some(1),
        ..Options::default()
    };
    check_in(&Arc::new(sources), &found, &options).unwrap()
}

fn in_terraform(rows: &[(usize, &Row)]) -> Outcome {
    let mut resources = json!({});
    for (number, row) in rows {
        for (kind, end, arguments) in &row.terraform {
            resources[*kind][format!("r{number}{end}")] = numbered(arguments, *number);
        }
    }
    check("main.tf.json", &json!({"resource": resources}))
}

fn in_cloudformation(rows: &[(usize, &Row)]) -> Outcome {
    let mut resources = json!({});
    for (number, row) in rows {
        for (kind, end, arguments) in &row.cloudformation {
            let properties = numbered(arguments, *number);
            resources[format!("R{number}{end}")] = json!({"Type": kind, "Properties": properties});
        }
    }
    let template = json!({"AWSTemplateFormatVersion": "2010-09-09", "Resources": resources});
    check("template.json", &template)
}

/// The rules of the families that fired, by the number in the resource's name.
fn fired(outcome: &Outcome, families: &[Family]) -> BTreeMap<usize, BTreeSet<String>> {
    let mut fired: BTreeMap<usize, BTreeSet<String>> = BTreeMap::new();
    let ours = outcome
        .findings
        .iter()
        .filter(|one| families.contains(&one.rule.family));
    for reported in ours {
        let name = reported.finding.holder.rsplit('.').next().unwrap();
        let digits: String = name
            .chars()
            .skip(1)
            .take_while(char::is_ascii_digit)
            .collect();
        let rules = fired.entry(digits.parse().unwrap()).or_default();
        rules.insert(reported.finding.rule.to_owned());
    }
    fired
}

/// How a run in one format: its name, the run, and whether a row has resources there.
type Run = (
    &'static str,
    fn(&[(usize, &Row)]) -> Outcome,
    fn(&Row) -> bool,
);

const RUNS: [Run; 2] = [
    ("Terraform", in_terraform, |row| !row.terraform.is_empty()),
    ("CloudFormation", in_cloudformation, |row| {
        !row.cloudformation.is_empty()
    }),
];

fn compare(rows: &[Row], families: &[Family]) {
    let names: BTreeSet<&str> = rows.iter().map(|row| row.id.as_str()).collect();
    assert_eq!(names.len(), rows.len(), "ids are unique");
    let mut wrong = String::new();
    for (format, run, has) in RUNS {
        let here: Vec<(usize, &Row)> = rows
            .iter()
            .enumerate()
            .filter(|(_, row)| has(row))
            .collect();
        let (alone, together): (Vec<_>, Vec<_>) =
            here.iter().copied().partition(|(_, row)| row.alone);
        let runs = std::iter::once(together).chain(alone.into_iter().map(|one| vec![one]));
        for part in runs {
            let outcome = run(&part);
            let unread: Vec<&str> = outcome
                .diagnostics
                .iter()
                .filter(|d| d.not_parsed)
                .map(|d| d.message.as_str())
                .collect();
            assert!(unread.is_empty(), "{unread:?}");
            let fired = fired(&outcome, families);
            for (number, row) in part {
                let got = fired.get(&number).cloned().unwrap_or_default();
                if got != row.rules {
                    let _ = writeln!(
                        wrong,
                        "{} in {format}: {got:?}, not {:?}: {}",
                        row.id, row.rules, row.reason
                    );
                }
            }
        }
    }
    assert!(
        wrong.is_empty(),
        "{} wrong verdicts:\n{wrong}",
        wrong.lines().count()
    );
}

#[test]
fn trusts_in_identity_providers() {
    let table = include_str!("../testdata/trusts/oidc.tsv");
    let rows: Vec<Row> = lines(table).map(|cells| role(&cells)).collect();
    assert!(rows.len() >= 120, "{}", rows.len());
    compare(&rows, &[Family::Federation, Family::Trust]);
}

#[test]
fn resource_policies_and_who_they_expose_to() {
    let table = include_str!("../testdata/exposure/policies.tsv");
    let rows: Vec<Row> = lines(table).map(|cells| exposed(&cells)).collect();
    assert!(rows.len() >= 150, "{}", rows.len());
    compare(&rows, &[Family::Resource]);
}
