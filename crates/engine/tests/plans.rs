//! Plans as JSON, with and without the configuration that they were made from.
//!
//! Invariant tested: values are the plan's, places the configuration's where it is there.

#![expect(
    clippy::unwrap_used,
    reason = "a test may end at what it does not expect"
)]

use overgrant_engine::{Discovery, Options, Outcome, check_in};
use overgrant_finding::{Confidence, Severity};
use overgrant_source::Sources;
use std::collections::BTreeSet;
use std::sync::Arc;

/// A role with an inline policy whose actions come from a variable, and an attachment whose ARN is
/// known after apply.
const PLAN: &str = r#"{"format_version":"1.2","terraform_version":"1.11.4",
"variables":{"actions":{"value":["*"]}},
"resource_changes":[
 {"address":"aws_iam_role.r","mode":"managed","type":"aws_iam_role","name":"r","change":{"actions":["create"],"before":null,
  "after":{"assume_role_policy":"{\"Statement\":[{\"Action\":\"sts:AssumeRole\",\"Effect\":\"Allow\",\"Principal\":{\"Service\":\"ec2.amazonaws.com\"}}],\"Version\":\"2012-10-17\"}","name":"deploy","path":"/"},
  "after_unknown":{"arn":true,"id":true,"inline_policy":true,"managed_policy_arns":true}}},
 {"address":"aws_iam_role_policy.p[\"a\"]","mode":"managed","type":"aws_iam_role_policy","name":"p","index":"a","change":{"actions":["create"],"before":null,
  "after":{"name":"p","policy":"{\"Statement\":[{\"Action\":[\"*\"],\"Effect\":\"Allow\",\"Resource\":\"*\"}],\"Version\":\"2012-10-17\"}"},
  "after_unknown":{"id":true,"role":true}}},
 {"address":"aws_iam_policy.gone","mode":"managed","type":"aws_iam_policy","name":"gone","change":{"actions":["delete"],"before":{"policy":"{}"},"after":null,"after_unknown":{}}}
],
"configuration":{"root_module":{"resources":[
 {"address":"aws_iam_role.r","mode":"managed","type":"aws_iam_role","name":"r","expressions":{"assume_role_policy":{},"name":{"constant_value":"deploy"}}},
 {"address":"aws_iam_role_policy.p","mode":"managed","type":"aws_iam_role_policy","name":"p","expressions":{"name":{"constant_value":"p"},"policy":{"references":["var.actions"]},"role":{"references":["aws_iam_role.r.id","aws_iam_role.r"]}}}
]}}}"#;
const MAIN: &str = r#"variable "actions" { type = list(string) }
resource "aws_iam_role" "r" {
  name               = "deploy"
  assume_role_policy = jsonencode({
    Version   = "2012-10-17"
    Statement = [{ Effect = "Allow", Action = "sts:AssumeRole", Principal = { Service = "ec2.amazonaws.com" } }]
  })
}
resource "aws_iam_role_policy" "p" {
  for_each = toset(["a"])
  name     = "p"
  role     = aws_iam_role.r.id
  policy = jsonencode({
    Version   = "2012-10-17"
    Statement = [{ Effect = "Allow", Action = var.actions, Resource = "*" }]
  })
}
"#;

fn check(files: &[(&str, &str)]) -> Outcome {
    let sources = Arc::new(Sources::new("/nowhere/at/all"));
    for (path, text) in files {
        sources.add(path, text);
    }
    let found = Discovery {
        selected: vec![String::new()],
        documents: vec!["plan.json".to_owned()],
        explicit: BTreeSet::from(["plan.json".to_owned()]),
        ..Discovery::default()
    };
    let options = Options {
        select: vec!["admin-star-star".to_owned()],
        min_severity: Severity::Info,
        min_confidence: Confidence::Low,
        ..Options::default()
    };
    check_in(&sources, &found, &options).unwrap()
}

const ADDRESS: &str = "aws_iam_role_policy.p[\"a\"]";

fn place(path: &str, text: &str, address: &str) -> (String, String, String) {
    (path.to_owned(), text.to_owned(), address.to_owned())
}

/// Path, text of the primary place, address of each finding.
fn places(outcome: &Outcome) -> Vec<(String, String, String)> {
    let place = |reported: &overgrant_engine::Reported| {
        let finding = &reported.finding;
        (
            reported.place.path.to_string(),
            outcome.sources.slice(finding.primary.unwrap()),
            finding.address.to_string(),
        )
    };
    outcome.findings.iter().map(place).collect()
}

#[test]
fn without_sources_places_are_in_the_plan() {
    let outcome = check(&[("plan.json", PLAN)]);
    assert_eq!(outcome.diagnostics, []);
    assert_eq!(outcome.summary.policies.resolved, 2);
    assert_eq!(places(&outcome), [place("plan.json", "\\\"*\\\"", ADDRESS)]);
    // The role is known after apply: the configuration section says which one it is.
    assert!(
        outcome
            .findings
            .iter()
            .any(|reported| reported.finding.message.contains("deploy")),
        "{:?}",
        outcome
            .findings
            .iter()
            .map(|r| &r.finding.message)
            .collect::<Vec<_>>()
    );
}

#[test]
fn with_sources_places_are_in_them_and_values_in_the_plan() {
    let outcome = check(&[("plan.json", PLAN), ("main.tf", MAIN)]);
    assert_eq!(outcome.diagnostics, []);
    assert_eq!(
        places(&outcome),
        [place("main.tf", "variable \"actions\"", ADDRESS)]
    );
    let main = outcome
        .findings
        .iter()
        .flat_map(|reported| &reported.finding.flow);
    let steps: Vec<String> = main.map(|step| outcome.sources.slice(step.span)).collect();
    assert!(steps.iter().any(|step| step == "var.actions"), "{steps:?}");
}

#[test]
fn a_planned_value_stands_where_it_was_given() {
    let with = |main: &str, values: &str| {
        let files = [
            ("plan.json", PLAN),
            ("main.tf", main),
            ("terraform.tfvars", values),
        ];
        let found = places(&check(&files)).remove(0);
        (found.0, found.1)
    };
    let given = with(MAIN, "actions = [\"*\"]\n");
    assert_eq!(given, ("terraform.tfvars".to_owned(), "\"*\"".to_owned()));
    let fixed = MAIN.replace("var.actions", "[\"*\"]");
    let written = with(&fixed, "actions = []\n");
    assert_eq!(written, ("main.tf".to_owned(), "\"*\"".to_owned()));
}

#[test]
fn other_configuration_beside_the_plan_is_left_alone() {
    let other = "resource \"aws_iam_role\" \"other\" {\n  name = \"x\"\n}\n";
    let outcome = check(&[("plan.json", PLAN), ("main.tf", other)]);
    assert_eq!(places(&outcome).len(), 1);
    assert_eq!(outcome.summary.policies.total, 2);
}

#[test]
fn broken_plans_are_told() {
    for (text, code) in [
        (
            "{\"format_version\": \"1.2\", \"resource_changes\": [",
            "json-syntax",
        ),
        (
            "{\"format_version\": \"7.0\", \"resource_changes\": []}",
            "plan-version",
        ),
    ] {
        let outcome = check(&[("plan.json", text)]);
        let codes: Vec<&str> = outcome.diagnostics.iter().map(|d| d.code).collect();
        assert_eq!(codes, [code]);
        assert_eq!(outcome.summary.not_parsed, 1);
    }
}
