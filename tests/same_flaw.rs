//! One flaw in five notations is one finding: same rule, severity and words, at the expression that
//! must change in each.
//!
//! Each flaw is written once and rendered as Terraform, as a CloudFormation template in YAML and in
//! JSON, as SAM and as the output of `cdk synth`. Names of resources are the same everywhere; only
//! what stands before them in an address is left out of the comparison.

use overgrant_engine::{Discovery, Options, Outcome, check_in};
use overgrant_finding::{Confidence, Severity};
use overgrant_source::Sources;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::Arc;

/// What is wrong.
enum Flaw {
    /// Statements of the policy of a function's role.
    Statements(Value),
    /// The whole policy.
    Policy(Value),
    /// The trust policy of the function's role.
    Trust(Value),
    /// A managed policy of the function's role, by its ARN.
    Managed(&'static str),
    /// The policy of a bucket.
    Bucket(Value),
    /// The policy of a queue.
    Queue(Value),
    /// The policy of a key.
    Key(Value),
}

const BASIC: &str = "arn:aws:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole";

fn document(statements: &Value) -> Value {
    json!({"Version": "2012-10-17", "Statement": statements})
}

fn lambda_trust() -> Value {
    document(&json!([
        {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}
    ]))
}

impl Flaw {
    /// Trust, policy and managed policies of the function's role.
    fn role(&self) -> Option<(Value, Option<Value>, Vec<&str>)> {
        Some(match self {
            Self::Statements(statements) => {
                (lambda_trust(), Some(document(statements)), vec![BASIC])
            }
            Self::Policy(policy) => (lambda_trust(), Some(policy.clone()), vec![BASIC]),
            Self::Trust(trust) => (trust.clone(), None, vec![BASIC]),
            Self::Managed(arn) => (lambda_trust(), None, vec![BASIC, arn]),
            Self::Bucket(_) | Self::Queue(_) | Self::Key(_) => return None,
        })
    }

    fn terraform(&self) -> String {
        // Terraform's own templates are escaped.
        let hcl = |value: &Value| {
            let text = serde_json::to_string_pretty(value).unwrap();
            text.replace("${", "$${").replace("%{", "%%{")
        };
        let mut text = String::new();
        if let Some((trust, policy, managed)) = self.role() {
            let _ = writeln!(
                text,
                "resource \"aws_iam_role\" \"FnRole\" {{\n  assume_role_policy = jsonencode({})\n}}",
                hcl(&trust)
            );
            if let Some(policy) = policy {
                let _ = writeln!(
                    text,
                    "resource \"aws_iam_role_policy\" \"FnRole\" {{\n  name = \"FnRolePolicy0\"\n  role = aws_iam_role.FnRole.id\n  policy = jsonencode({})\n}}",
                    hcl(&policy)
                );
            }
            for (index, arn) in managed.iter().enumerate() {
                let _ = writeln!(
                    text,
                    "resource \"aws_iam_role_policy_attachment\" \"a{index}\" {{\n  role = aws_iam_role.FnRole.name\n  policy_arn = \"{arn}\"\n}}"
                );
            }
            text.push_str(
                "resource \"aws_lambda_function\" \"Fn\" {\n  function_name = \"fn\"\n  role = aws_iam_role.FnRole.arn\n}\n",
            );
            return text;
        }
        let (resource, name, policy, extra) = match self {
            Self::Bucket(policy) => ("aws_s3_bucket", "aws_s3_bucket_policy", policy, "bucket"),
            Self::Queue(policy) => ("aws_sqs_queue", "aws_sqs_queue_policy", policy, "queue_url"),
            Self::Key(policy) => {
                return format!(
                    "resource \"aws_kms_key\" \"Thing\" {{\n  enable_key_rotation = true\n  policy = jsonencode({})\n}}\n",
                    hcl(policy)
                );
            }
            _ => panic!("a role's flaw"),
        };
        format!(
            "resource \"{resource}\" \"Thing\" {{\n}}\nresource \"{name}\" \"ThingPolicy\" {{\n  {extra} = {resource}.Thing.id\n  policy = jsonencode({})\n}}\n",
            hcl(policy)
        )
    }

    fn resources(&self) -> Value {
        if let Some((trust, policy, managed)) = self.role() {
            let mut role = json!({"AssumeRolePolicyDocument": trust, "ManagedPolicyArns": managed});
            if let Some(policy) = policy {
                role["Policies"] =
                    json!([{"PolicyName": "FnRolePolicy0", "PolicyDocument": policy}]);
            }
            return json!({
                "FnRole": {"Type": "AWS::IAM::Role", "Properties": role},
                "Fn": {"Type": "AWS::Lambda::Function",
                       "Properties": {"FunctionName": "fn", "Role": {"Fn::GetAtt": ["FnRole", "Arn"]}}}
            });
        }
        match self {
            Self::Bucket(policy) => json!({
                "Thing": {"Type": "AWS::S3::Bucket"},
                "ThingPolicy": {"Type": "AWS::S3::BucketPolicy",
                                "Properties": {"Bucket": {"Ref": "Thing"}, "PolicyDocument": policy}}
            }),
            Self::Queue(policy) => json!({
                "Thing": {"Type": "AWS::SQS::Queue"},
                "ThingPolicy": {"Type": "AWS::SQS::QueuePolicy",
                                "Properties": {"Queues": [{"Ref": "Thing"}], "PolicyDocument": policy}}
            }),
            Self::Key(policy) => json!({
                "Thing": {"Type": "AWS::KMS::Key", "Properties": {"EnableKeyRotation": true, "KeyPolicy": policy}}
            }),
            _ => panic!("a role's flaw"),
        }
    }

    fn sam(&self) -> Value {
        let resources = match self.role() {
            None => self.resources(),
            Some((trust, policy, managed)) => {
                let mut policies: Vec<Value> = policy.into_iter().collect();
                policies.extend(managed.iter().skip(1).map(|arn| json!(arn)));
                json!({"Fn": {"Type": "AWS::Serverless::Function",
                    "Properties": {"FunctionName": "fn", "AssumeRolePolicyDocument": trust, "Policies": policies}}})
            }
        };
        json!({"Transform": "AWS::Serverless-2016-10-31", "Resources": resources})
    }

    fn cdk(&self) -> Value {
        let mut resources = self.resources();
        for (id, resource) in resources.as_object_mut().unwrap() {
            resource["Metadata"] = json!({"aws:cdk:path": format!("App/{id}/Resource")});
        }
        json!({"Resources": resources})
    }
}

/// Block style, with every string in double quotes.
fn yaml(value: &Value, indent: usize, out: &mut String) {
    let pad = " ".repeat(indent);
    match value {
        Value::Object(members) if !members.is_empty() => {
            for (key, value) in members {
                let _ = write!(out, "\n{pad}{key}:");
                yaml(value, indent + 2, out);
            }
        }
        Value::Array(items) if !items.is_empty() => {
            for item in items {
                let mut inner = String::new();
                yaml(item, indent + 2, &mut inner);
                let _ = write!(out, "\n{pad}- {}", inner.trim_start());
            }
        }
        other => {
            let _ = write!(out, " {other}");
        }
    }
}

fn check(rule: &str, files: &[(&str, String)], found: Discovery) -> Outcome {
    let sources = Sources::new("/nowhere/at/all");
    for (path, text) in files {
        sources.add(path, text);
    }
    let options = Options {
        min_severity: Severity::Info,
        min_confidence: Confidence::Low,
        // The rule alone: others may be stronger on the same cause.
        select: vec![rule.to_owned()],
        threads: Some(1),
        ..Options::default()
    };
    let found = Discovery {
        selected: vec![String::new()],
        ..found
    };
    check_in(&Arc::new(sources), &found, &options).unwrap()
}

fn in_terraform(rule: &str, flaw: &Flaw) -> Outcome {
    let found = Discovery {
        terraform: BTreeMap::from([(String::new(), vec!["main.tf".to_owned()])]),
        ..Discovery::default()
    };
    check(rule, &[("main.tf", flaw.terraform())], found)
}

fn in_template(rule: &str, path: &str, text: String) -> Outcome {
    let found = Discovery {
        documents: vec![path.to_owned()],
        ..Discovery::default()
    };
    check(rule, &[(path, text)], found)
}

fn in_assembly(rule: &str, template: &Value) -> Outcome {
    let manifest = json!({"version": "53.0.0", "artifacts": {"App": {
        "type": "aws:cloudformation:stack", "properties": {"templateFile": "App.template.json"}}}});
    let found = Discovery {
        assemblies: vec!["cdk.out".to_owned()],
        ..Discovery::default()
    };
    let text = serde_json::to_string_pretty(template).unwrap();
    let files = [
        ("cdk.out/cdk.out", "{\"version\":\"53.0.0\"}".to_owned()),
        ("cdk.out/manifest.json", manifest.to_string()),
        ("cdk.out/App.template.json", text),
    ];
    check(rule, &files, found)
}

/// Severity, words and the text at the place of each finding of the rule.
fn seen(outcome: &Outcome, rule: &str) -> Vec<String> {
    let mut all: Vec<String> = outcome
        .findings
        .iter()
        .filter(|reported| reported.finding.rule == rule)
        .map(|reported| {
            let finding = &reported.finding;
            let place = finding.primary.map(|span| outcome.sources.slice(span));
            let place = place.unwrap_or_default();
            // Notations differ in blanks, quotes, brackets and commas only.
            let lines = place
                .lines()
                .map(|line| line.trim_start().trim_start_matches("- "));
            let place: String = lines
                .flat_map(str::chars)
                .filter(|c| !c.is_whitespace() && !"\"[]{},".contains(*c))
                .collect();
            let place = place.replace("$$", "$");
            let message = finding
                .message
                .replace("App/", "")
                .replace("aws_iam_role.", "")
                .replace("aws_iam_role_policy.", "")
                .replace("aws_s3_bucket.", "")
                .replace("aws_sqs_queue.", "")
                .replace("aws_kms_key.", "");
            format!(
                "{} {}: {message} @ {place}",
                finding.severity, finding.confidence
            )
        })
        .collect();
    all.sort();
    all.dedup();
    all
}

fn allow(action: Value, resource: &str) -> Value {
    json!([{"Effect": "Allow", "Action": action, "Resource": resource}])
}

fn allow_if(action: &str, condition: Value) -> Value {
    json!([{"Effect": "Allow", "Action": action, "Resource": "*", "Condition": condition}])
}

fn trust(principal: Value, condition: Value) -> Flaw {
    Flaw::Trust(document(&json!([
        {"Effect": "Allow", "Principal": principal, "Action": "sts:AssumeRole", "Condition": condition}
    ])))
}

fn web_identity(provider: &str, condition: Value) -> Flaw {
    Flaw::Trust(document(&json!([{
        "Effect": "Allow",
        "Principal": {"Federated": provider},
        "Action": "sts:AssumeRoleWithWebIdentity",
        "Condition": condition
    }])))
}

const GITHUB: &str = "arn:aws:iam::111122223333:oidc-provider/token.actions.githubusercontent.com";
const AUD: &str = "token.actions.githubusercontent.com:aud";
const SUB: &str = "token.actions.githubusercontent.com:sub";

fn flaws() -> Vec<(&'static str, Flaw)> {
    use Flaw::{Bucket, Key, Managed, Policy, Queue, Statements};
    let star = |action: &str| Statements(allow(json!(action), "*"));
    let everyone = |action: &str, resource: &str| {
        document(&json!([
            {"Effect": "Allow", "Principal": "*", "Action": action, "Resource": resource}
        ]))
    };
    vec![
        ("admin-star-star", star("*")),
        ("admin-star-star", Statements(allow(json!(["*:*"]), "*"))),
        (
            "allow-notaction",
            Statements(json!([{"Effect": "Allow", "NotAction": ["iam:*"], "Resource": "*"}])),
        ),
        ("passrole-any-role-any-service", star("iam:PassRole")),
        ("star-resource-on-scopable-write", star("dynamodb:PutItem")),
        ("star-resource-on-data-read", star("s3:GetObject")),
        (
            "secrets-and-parameters-read-all",
            star("secretsmanager:GetSecretValue"),
        ),
        ("kms-decrypt-all-keys", star("kms:Decrypt")),
        ("assume-any-role", star("sts:AssumeRole")),
        ("self-escalation-policy-write", star("iam:PutRolePolicy")),
        (
            "credential-creation-for-others",
            star("iam:CreateAccessKey"),
        ),
        ("service-wildcard-on-all", star("s3:*")),
        ("trust-policy-rewrite", star("iam:UpdateAssumeRolePolicy")),
        (
            "unknown-or-empty-action",
            Statements(allow(json!("s3:GetObjekt"), "*")),
        ),
        (
            "action-resource-mismatch",
            Statements(allow(json!("s3:GetObject"), "arn:aws:s3:::bucket")),
        ),
        (
            "condition-key-unknown-or-unsupported",
            Statements(allow_if(
                "s3:ListBucket",
                json!({"StringEquals": {"aws:SourceIpp": "x"}}),
            )),
        ),
        (
            "equals-operator-with-wildcard",
            Statements(allow_if(
                "s3:ListBucket",
                json!({"StringEquals": {"aws:PrincipalArn": "arn:aws:iam::*:role/x"}}),
            )),
        ),
        (
            "policy-version-missing-or-old",
            Policy(
                json!({"Version": "2008-10-17", "Statement": allow(json!("s3:ListBucket"), "arn:aws:s3:::b")}),
            ),
        ),
        (
            "negated-operator-in-allow",
            Statements(allow_if(
                "s3:ListBucket",
                json!({"StringNotEquals": {"aws:PrincipalOrgID": "o-1234567890"}}),
            )),
        ),
        (
            "invalid-arn-or-account",
            Statements(allow(
                json!("sqs:SendMessage"),
                "arn:aws:sqs:eu-west-1:12345:q",
            )),
        ),
        (
            "policy-grammar-invalid",
            Statements(json!([{"Effect": "allow", "Action": "s3:ListBucket", "Resource": "*"}])),
        ),
        (
            "managed-administratoraccess",
            Managed("arn:aws:iam::aws:policy/AdministratorAccess"),
        ),
        (
            "managed-escalation-capable",
            Managed("arn:aws:iam::aws:policy/IAMFullAccess"),
        ),
        (
            "managed-fullaccess-on-workload",
            Managed("arn:aws:iam::aws:policy/AmazonS3FullAccess"),
        ),
        ("trust-anyone", trust(json!({"AWS": "*"}), json!({}))),
        (
            "trust-anyone-weak-condition",
            trust(
                json!({"AWS": "*"}),
                json!({"StringEquals": {"aws:UserAgent": "x"}}),
            ),
        ),
        (
            "github-sub-open",
            web_identity(GITHUB, json!({"StringEquals": {AUD: "sts.amazonaws.com"}})),
        ),
        (
            "github-org-wide",
            web_identity(
                GITHUB,
                json!({"StringEquals": {AUD: "sts.amazonaws.com"}, "StringLike": {SUB: "repo:acme/*"}}),
            ),
        ),
        (
            "github-any-ref",
            web_identity(
                GITHUB,
                json!({"StringEquals": {AUD: "sts.amazonaws.com"}, "StringLike": {SUB: "repo:acme/app:*"}}),
            ),
        ),
        (
            "public-resource-policy",
            Bucket(everyone("s3:GetObject", "arn:aws:s3:::bucket/*")),
        ),
        (
            "public-resource-policy",
            Queue(everyone("sqs:SendMessage", "*")),
        ),
        ("public-resource-policy", Key(everyone("kms:*", "*"))),
        (
            "resource-allow-notprincipal",
            Bucket(document(&json!([{
                "Effect": "Allow",
                "NotPrincipal": {"AWS": "arn:aws:iam::111122223333:root"},
                "Action": "s3:GetObject",
                "Resource": "arn:aws:s3:::bucket/*"
            }]))),
        ),
        (
            "service-principal-without-source-guard",
            Queue(document(&json!([{
                "Effect": "Allow",
                "Principal": {"Service": "sns.amazonaws.com"},
                "Action": "sqs:SendMessage",
                "Resource": "*"
            }]))),
        ),
    ]
}

#[test]
fn what_the_cdk_makes_for_itself_is_low() {
    let (rule, flaw) = ("admin-star-star", Flaw::Statements(allow(json!("*"), "*")));
    let mut template = flaw.cdk();
    let own = seen(&in_assembly(rule, &template), rule);
    assert!(own[0].starts_with("critical"), "{own:?}");
    for (id, resource) in template["Resources"].as_object_mut().unwrap() {
        let path = format!("App/Custom::XCustomResourceProvider/{id}");
        resource["Metadata"]["aws:cdk:path"] = json!(path);
    }
    let made = seen(&in_assembly(rule, &template), rule);
    assert!(made[0].starts_with("low"), "{made:?}");
}

#[test]
fn one_flaw_is_one_finding_in_every_notation() {
    let flaws = flaws();
    assert!(flaws.len() >= 30);
    let mut problems = Vec::new();
    for (rule, flaw) in &flaws {
        let wanted = seen(&in_terraform(rule, flaw), rule);
        if wanted.is_empty() {
            problems.push(format!("{rule}: silent in Terraform\n{}", flaw.terraform()));
            continue;
        }
        let template =
            json!({"AWSTemplateFormatVersion": "2010-09-09", "Resources": flaw.resources()});
        let mut block = String::new();
        yaml(&template, 0, &mut block);
        let mut sam = String::new();
        yaml(&flaw.sam(), 0, &mut sam);
        let text = serde_json::to_string_pretty(&template).unwrap();
        for (notation, outcome) in [
            ("YAML", in_template(rule, "t.yaml", block)),
            ("JSON", in_template(rule, "t.json", text)),
            ("SAM", in_template(rule, "sam.yaml", sam)),
            ("CDK", in_assembly(rule, &flaw.cdk())),
        ] {
            let found = seen(&outcome, rule);
            if found != wanted {
                problems.push(format!(
                    "{rule} in {notation}:\n  {}\nin Terraform:\n  {}",
                    found.join("\n  "),
                    wanted.join("\n  ")
                ));
            }
        }
    }
    assert!(
        problems.is_empty(),
        "{} problems:\n{}",
        problems.len(),
        problems.join("\n")
    );
}
