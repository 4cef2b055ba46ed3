//! The finding points at the bytes that must change, however they reached the policy, and its flow
//! tells the way.

use crate::support::Project;
use serde_json::Value;

/// The finding of `rule`; there must be exactly one.
fn only<'r>(report: &'r Value, rule: &str) -> &'r Value {
    let found: Vec<&Value> = report["findings"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|finding| finding["rule"] == rule)
        .collect();
    assert_eq!(found.len(), 1, "{report:#}");
    found[0]
}

/// The text between the positions of a location in `text`.
fn pointed<'t>(text: &'t str, location: &Value) -> &'t str {
    let offset = |position: &Value| {
        let line = usize::try_from(position["line"].as_u64().unwrap()).unwrap();
        let column = usize::try_from(position["column"].as_u64().unwrap()).unwrap();
        let before: usize = text
            .split_inclusive('\n')
            .take(line - 1)
            .map(str::len)
            .sum();
        before + column - 1
    };
    let place = offset(&location["start"])..offset(&location["end"]);
    text.get(place).unwrap()
}

/// The steps of a flow as `path: label`.
fn way(finding: &Value) -> Vec<String> {
    finding["flow"]
        .as_array()
        .unwrap()
        .iter()
        .map(|step| {
            format!(
                "{}: {}",
                step["path"].as_str().unwrap(),
                step["label"].as_str().unwrap()
            )
        })
        .collect()
}

#[test]
fn a_wildcard_in_jsonencode_in_a_local_of_another_module() {
    let main = r#"module "policies" {
  source = "./policies"
}

resource "aws_iam_role" "ci" {
  name = "ci"
  assume_role_policy = jsonencode({
    Version   = "2012-10-17"
    Statement = [{ Effect = "Allow", Action = "sts:AssumeRole", Principal = { Service = "codebuild.amazonaws.com" } }]
  })
}

resource "aws_iam_role_policy" "ci" {
  role   = aws_iam_role.ci.id
  policy = module.policies.deploy
}
"#;
    let inner = r#"locals {
  deploy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        Effect   = "Allow"
        Action   = ["s3:GetObject", "*"]
        Resource = "*"
      },
    ]
  })
}

output "deploy" {
  value = local.deploy
}
"#;
    let project = Project::new()
        .file("main.tf", main)
        .file("policies/main.tf", inner);
    let report = project.run(&["check", "-f", "json"]).json();
    let finding = only(&report, "admin-star-star");
    assert_eq!(finding["path"], "policies/main.tf");
    assert_eq!(pointed(inner, finding), "\"*\"");
    assert_eq!(finding["start"]["line"], 7, "the action: {finding:#}");
    assert_eq!(
        way(finding),
        [
            "policies/main.tf: written here",
            "policies/main.tf: local.deploy",
            "policies/main.tf: output deploy of module.policies",
            "main.tf: module.policies.deploy",
        ]
    );
    let flow = finding["flow"].as_array().unwrap();
    let last = flow.last().unwrap();
    assert_eq!(pointed(main, last), "module.policies.deploy");
}

#[test]
fn what_sam_makes_of_a_function_is_one_use_of_it() {
    let head = "Transform: [AWS::LanguageExtensions, AWS::Serverless-2016-10-31]\nResources:\n";
    let function =
        "{Type: AWS::Serverless::Function, Properties: {FunctionUrlConfig: {AuthType: NONE}}}\n";
    for resources in [
        format!("  F: {function}"),
        format!("  Fn::ForEach::L: [N, [A, B], {{'F${{N}}': {function}    }}]\n"),
    ] {
        let project = Project::new().file("t.yaml", format!("{head}{resources}"));
        let report = project.run(&["check", "-f", "json"]).json();
        let finding = only(&report, "lambda-public-or-url-anonymous");
        assert_eq!(finding["guard"], Value::Null, "{resources}\n{report:#}");
    }
}

#[test]
fn an_event_of_the_workflow_that_calls_the_job() {
    let caller = "on: [push, issue_comment]
permissions:
  id-token: write
jobs:
  preview:
    uses: ./.github/workflows/deploy.yml
    with:
      role: arn:aws:iam::111122223333:role/preview
";
    let called = "on:
  workflow_call:
    inputs:
      role: {type: string}
jobs:
  deploy:
    runs-on: ubuntu-latest
    steps:
      - uses: aws-actions/configure-aws-credentials@v4
        with:
          role-to-assume: ${{ inputs.role }}
";
    let ran = Project::new()
        .file("main.tf", "")
        .file(".github/workflows/comment.yml", caller)
        .file(".github/workflows/deploy.yml", called)
        .run(&["check", "-f", "json"]);
    let report = ran.json();
    let finding = only(&report, "workflow-for-strangers-assumes-role");
    assert_eq!(finding["path"], ".github/workflows/comment.yml");
    assert_eq!(pointed(caller, finding), "issue_comment");
    let message = finding["message"].as_str().unwrap();
    assert!(message.contains("role/preview"), "{message}");
}

#[test]
fn the_included_file_that_names_the_role_of_a_job() {
    let main = r#"
resource "aws_iam_role" "deploy" {
  name = "deploy"
  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Action    = "sts:AssumeRoleWithWebIdentity"
      Principal = { Federated = "arn:aws:iam::111122223333:oidc-provider/gitlab.com" }
      Condition = { StringEquals = {
        "gitlab.com:aud" = "https://gitlab.com"
        "gitlab.com:sub" = ["project_path:acme/shop:ref_type:tag:ref:v1", "project_path:acme/shop:ref_type:branch:ref:main"]
      } }
    }]
  })
}
"#;
    let included = ".aws:
  id_tokens: {TOKEN: {aud: https://gitlab.com}}
  script:
    - >
      export $(aws sts assume-role-with-web-identity
      --role-arn arn:aws:iam::111122223333:role/deploy
      --web-identity-token ${TOKEN})
";
    let pipeline = "include: /ci/*.yml\ndeploy:\n  extends: .aws\n  only: [tags]\n";
    let project = Project::new()
        .file("infra/main.tf", main)
        .file(".gitlab-ci.yml", pipeline)
        .file("ci/aws.yml", included);
    let report = project
        .run(&["check", "-f", "json", "--min-severity", "low"])
        .json();
    let finding = only(&report, "pipeline-subject-matches-no-job");
    let branch = "\"project_path:acme/shop:ref_type:branch:ref:main\"";
    assert_eq!(pointed(main, finding), branch);
    let related = &finding["related"][0];
    assert_eq!(related["path"], "ci/aws.yml");
    let role = "arn:aws:iam::111122223333:role/deploy";
    assert_eq!(pointed(included, related), role);
}

#[test]
fn a_document_keeps_its_places_through_functions_of_texts() {
    let document = r#"data "aws_iam_policy_document" "d" {
  count = 1
  statement {
    actions   = ["ecr:PutImage"]
    resources = ["*"]
  }
}
"#;
    for policy in [
        r#"join("", data.aws_iam_policy_document.d.*.json)"#,
        r#"replace(data.aws_iam_policy_document.d[0].json, "ecr:Put", "ecr:Put")"#,
        r#"format("%s", element(concat(data.aws_iam_policy_document.d.*.json, [""]), 0))"#,
        r#"trimspace(data.aws_iam_policy_document.d[0].json)"#,
        r#"jsonencode(jsondecode(data.aws_iam_policy_document.d[0].json))"#,
        r#"coalesce(one(data.aws_iam_policy_document.d[*].json), "")"#,
    ] {
        let main =
            format!("{document}resource \"aws_iam_policy\" \"p\" {{\n  policy = {policy}\n}}\n");
        let project = Project::new().file("main.tf", &main);
        let report = project.run(&["check", "-f", "json"]).json();
        let finding = only(&report, "star-resource-on-scopable-write");
        assert_eq!(pointed(&main, finding), r#""*""#, "{policy}");
    }
}

#[test]
fn a_copy_of_an_aws_policy_points_at_who_chose_it() {
    let main = r#"data "aws_iam_policy" "all" {
  arn = "arn:aws:iam::aws:policy/AmazonSQSFullAccess"
}
resource "aws_iam_policy" "p" {
  policy = data.aws_iam_policy.all.policy
}
"#;
    let project = Project::new().file("main.tf", main);
    let report = project.run(&["check", "-f", "json"]).json();
    let finding = only(&report, "service-wildcard-on-all");
    let arn = r#""arn:aws:iam::aws:policy/AmazonSQSFullAccess""#;
    assert_eq!(pointed(main, finding), arn);
}

#[test]
fn a_literal_that_two_statements_share_is_told_once() {
    let template = r#"Resources:
  P:
    Type: AWS::IAM::ManagedPolicy
    Properties:
      PolicyDocument:
        Version: "2012-10-17"
        Statement:
          - Effect: Allow
            Action: &all "s3:*"
            Resource: &every "*"
          - Effect: Allow
            Action: *all
            Resource: *every
          - Effect: Allow
            Action: "sqs:*"
            Resource: *every
"#;
    let project = Project::new().file("t.yaml", template);
    let report = project.run(&["check", "-f", "json"]).json();
    let found: Vec<&str> = report["findings"]
        .as_array()
        .unwrap()
        .iter()
        .map(|finding| pointed(template, finding))
        .collect();
    assert_eq!(found, [r#""s3:*""#, r#""sqs:*""#]);
}

#[test]
fn a_nested_block_is_named_by_its_header() {
    let main = r#"data "aws_iam_policy_document" "trust" {
  statement {
    actions = ["sts:AssumeRole"]
    not_principals {
      type        = "AWS"
      identifiers = ["arn:aws:iam::111122223333:root"]
    }
  }
}
resource "aws_iam_role" "r" {
  assume_role_policy = data.aws_iam_policy_document.trust.json
}
"#;
    let project = Project::new().file("main.tf", main);
    let report = project.run(&["check", "-f", "json"]).json();
    let finding = only(&report, "trust-notprincipal-allow");
    assert_eq!(pointed(main, finding), "not_principals");
}
