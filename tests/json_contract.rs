//! The JSON that other programs rely on.

use crate::support::{ADMIN, Project, QUIET};
use serde_json::Value;

/// The keys of an object in their order.
fn keys(value: &Value) -> Vec<&str> {
    let mut keys: Vec<&str> = value
        .as_object()
        .unwrap()
        .keys()
        .map(String::as_str)
        .collect();
    keys.sort_unstable();
    keys
}

fn report() -> Value {
    let project = Project::new()
        .file("b.yaml", ADMIN)
        .file("a/t.yaml", ADMIN)
        .file(
            "broken.yaml",
            "AWSTemplateFormatVersion: x\nResources:\n  A: {Type: AWS::IAM::Role\n",
        );
    let ran = project.run(&[
        "check",
        "-f",
        "json",
        "--min-severity",
        "info",
        "--min-confidence",
        "low",
    ]);
    assert_eq!(ran.code, 1, "{}", ran.stderr);
    ran.json()
}

#[test]
fn all_keys_are_always_there() {
    let report = report();
    assert_eq!(
        keys(&report),
        ["diagnostics", "findings", "schema", "summary", "tool"]
    );
    assert_eq!(report["schema"], 1);
    assert_eq!(keys(&report["tool"]), ["iam_data", "name", "version"]);
    assert_eq!(
        keys(&report["summary"]),
        [
            "files",
            "findings",
            "not_parsed",
            "not_shown",
            "policies",
            "suppressed"
        ]
    );
    assert_eq!(report["summary"]["files"], 2);
    assert_eq!(report["summary"]["not_parsed"], 1);
    let policies = &report["summary"]["policies"];
    let number = |key: &str| policies[key].as_u64().unwrap();
    assert_eq!(
        number("total"),
        number("resolved") + number("partial") + number("unresolved")
    );
    for finding in report["findings"].as_array().unwrap() {
        assert_eq!(
            keys(finding),
            [
                "address",
                "aliases",
                "confidence",
                "end",
                "family",
                "fingerprint",
                "fix",
                "flow",
                "guard",
                "instances",
                "message",
                "path",
                "properties",
                "related",
                "root",
                "rule",
                "severity",
                "start",
                "statement"
            ]
        );
        assert_eq!(
            keys(&finding["properties"]),
            ["paths", "principals", "references"]
        );
        assert!(finding["fingerprint"].as_str().unwrap().starts_with("og1:"));
        for related in finding["related"].as_array().unwrap() {
            assert_eq!(keys(related), ["address", "end", "label", "path", "start"]);
        }
    }
    let diagnostics = report["diagnostics"].as_array().unwrap();
    assert!(!diagnostics.is_empty());
    for diagnostic in diagnostics {
        assert_eq!(
            keys(diagnostic),
            ["code", "end", "level", "message", "path", "start"]
        );
    }
}

#[test]
fn findings_are_sorted_by_path_start_rule_and_address() {
    let report = report();
    let places: Vec<_> = report["findings"]
        .as_array()
        .unwrap()
        .iter()
        .map(|finding| {
            (
                finding["path"].as_str().unwrap().to_owned(),
                finding["start"]["line"].as_u64(),
                finding["start"]["column"].as_u64(),
                finding["rule"].as_str().unwrap().to_owned(),
                finding["address"].as_str().unwrap().to_owned(),
            )
        })
        .collect();
    let mut sorted = places.clone();
    sorted.sort();
    assert_eq!(places, sorted);
    assert!(places.iter().any(|place| place.0 == "a/t.yaml"));
}

#[test]
fn threads_do_not_change_a_byte() {
    let mut project = Project::new().file("quiet.yaml", QUIET);
    for number in 0..20 {
        project = project.file(&format!("d{number}/t.yaml"), ADMIN);
    }
    for format in [
        "json",
        "sarif",
        "text",
        "github",
        "markdown",
        "junit",
        "gitlab-codequality",
    ] {
        let one = project
            .run(&["check", "-f", format, "--threads", "1"])
            .stdout;
        for _ in 0..3 {
            let four = project
                .run(&["check", "-f", format, "--threads", "4"])
                .stdout;
            assert_eq!(one, four, "{format}");
        }
        assert!(one.contains("admin-star-star"), "{format}");
    }
}

#[test]
fn timing_is_only_there_when_asked_for() {
    let project = Project::new().file("t.yaml", QUIET);
    let plain = project.run(&["check", "-f", "json"]).json();
    assert!(plain["summary"].get("timing").is_none());
    let timed = project.run(&["check", "-f", "json", "--timing"]).json();
    let stages: Vec<&str> = timed["summary"]["timing"]
        .as_array()
        .unwrap()
        .iter()
        .map(|stage| stage["stage"].as_str().unwrap())
        .collect();
    assert_eq!(
        stages,
        ["discover", "evaluate", "lower", "link", "check", "settle"]
    );
}

#[test]
fn suppressed_findings_are_counted_and_shown_on_demand() {
    let marked = ADMIN.replace(
        "            Principal: {AWS: \"*\"}\n",
        "            # overgrant:ignore[trust-anyone] a test account\n            Principal: {AWS: \"*\"}\n",
    );
    let project = Project::new().file("t.yaml", marked);
    let plain = project.run(&["check", "-f", "json"]).json();
    assert_eq!(plain["summary"]["suppressed"], 1);
    let rules = |report: &Value| -> Vec<String> {
        let findings = report["findings"].as_array().unwrap();
        findings
            .iter()
            .map(|f| f["rule"].as_str().unwrap().to_owned())
            .collect()
    };
    assert!(!rules(&plain).contains(&"trust-anyone".to_owned()));
    let all = project
        .run(&["check", "-f", "json", "--show-suppressed"])
        .json();
    let findings = all["findings"].as_array().unwrap();
    let found = findings
        .iter()
        .find(|f| f["rule"] == "trust-anyone")
        .unwrap();
    assert_eq!(found["suppressed"]["reason"], "a test account");
    assert_eq!(found["suppressed"]["where"], "t.yaml:10");
}

#[test]
fn metadata_and_configuration_suppress_too() {
    let with_metadata = ADMIN.replace(
        "    Type: AWS::IAM::Role\n",
        "    Type: AWS::IAM::Role\n    Metadata: {overgrant: {ignore: [{rule: trust-anyone, reason: r, until: 2999-01-01}, {rule: admin-star-star, until: 2000-01-01}]}}\n",
    );
    let project = Project::new()
        .file("a/t.yaml", with_metadata)
        .file("b/t.yaml", ADMIN)
        .file(
            "overgrant.yaml",
            "ignore: [{path: 'b/**', reason: legacy}]\n",
        );
    let report = project.run(&["check", "-f", "json"]).json();
    let rules: Vec<&str> = report["findings"]
        .as_array()
        .unwrap()
        .iter()
        .map(|finding| finding["rule"].as_str().unwrap())
        .collect();
    assert_eq!(rules, ["admin-star-star"], "{report:#}");
    assert!(report["diagnostics"].to_string().contains("ignore-ended"));
}
