//! Findings in modules that `terraform init` installed.
//!
//! Invariant tested: the primary place is in a file of the repository, the inner place in the flow.

#![expect(
    clippy::unwrap_used,
    reason = "a test may end at what it does not expect"
)]

use overgrant_engine::{Discovery, Options, Outcome, check_in};
use overgrant_source::Sources;
use std::sync::Arc;

const MANIFEST: &str = r#"{"Modules": [
  {"Key": "", "Source": "", "Dir": "."},
  {"Key": "ci", "Source": "registry.terraform.io/acme/role/aws", "Version": "1.0.0", "Dir": ".terraform/modules/ci"},
  {"Key": "ci.inner", "Source": "./inner", "Dir": ".terraform/modules/ci/inner"}
]}"#;
const OUTER: &str = r#"variable "actions" { type = list(string) }
module "inner" {
  source  = "./inner"
  actions = var.actions
}
"#;

/// Places of the rule's findings: path, text of the primary place, text of the flow's first step.
fn places(main: &str, inner: &str, rule: &str) -> Vec<(String, String, String)> {
    let sources = Arc::new(Sources::new("/nowhere/at/all"));
    sources.add("main.tf", main);
    sources.add(".terraform/modules/modules.json", MANIFEST);
    sources.add(".terraform/modules/ci/main.tf", OUTER);
    sources.add(".terraform/modules/ci/inner/main.tf", inner);
    let mut found = Discovery {
        selected: vec![String::new()],
        ..Discovery::default()
    };
    found
        .terraform
        .insert(String::new(), vec!["main.tf".to_owned()]);
    let options = Options {
        select: vec![rule.to_owned()],
        ..Options::default()
    };
    let outcome: Outcome = check_in(&sources, &found, &options).unwrap();
    outcome
        .findings
        .iter()
        .map(|reported| {
            let finding = &reported.finding;
            (
                reported.place.path.to_string(),
                sources.slice(finding.primary.unwrap()),
                finding
                    .flow
                    .first()
                    .map_or_else(String::new, |step| sources.slice(step.span)),
            )
        })
        .collect()
}

fn policy(action: &str) -> String {
    format!(
        "variable \"actions\" {{ type = list(string) }}\nresource \"aws_iam_role_policy\" \"p\" {{\n  role = \"r\"\n  policy = jsonencode({{\n    Version = \"2012-10-17\"\n    Statement = [{{ Effect = \"Allow\", Action = {action}, Resource = \"*\" }}]\n  }})\n}}\n"
    )
}

#[test]
fn a_literal_of_the_module_moves_to_the_source_of_the_call() {
    let main = "module \"ci\" {\n  source  = \"acme/role/aws\"\n  actions = []\n}\n";
    let found = places(main, &policy("\"*\""), "admin-star-star");
    assert_eq!(
        found,
        [(
            "main.tf".to_owned(),
            "source  = \"acme/role/aws\"".to_owned(),
            "\"*\"".to_owned()
        )]
    );
}

#[test]
fn a_literal_of_the_caller_stays_where_it_is() {
    let main = "module \"ci\" {\n  source  = \"acme/role/aws\"\n  actions = [\"*\"]\n}\n";
    let found = places(main, &policy("var.actions"), "admin-star-star");
    let [(path, text, _)] = found.as_slice() else {
        panic!("{found:?}");
    };
    assert_eq!((path.as_str(), text.as_str()), ("main.tf", "\"*\""));
}
