//! What GitHub code scanning demands of SARIF.

use crate::support::{ADMIN, Project};
use serde_json::Value;
use std::collections::BTreeSet;

fn run(project: &Project) -> Value {
    let sarif = project.run(&["check", "-f", "sarif"]).json();
    assert_eq!(sarif["version"], "2.1.0");
    assert_eq!(sarif["runs"].as_array().unwrap().len(), 1);
    sarif["runs"][0].clone()
}

#[test]
fn rules_are_complete_sorted_and_independent_of_findings() {
    let loud = run(&Project::new().file("t.yaml", ADMIN));
    let quiet = run(&Project::new().file("t.yaml", crate::support::QUIET));
    let rules = &loud["tool"]["driver"]["rules"];
    assert_eq!(*rules, quiet["tool"]["driver"]["rules"]);
    let rules = rules.as_array().unwrap();
    let ids: Vec<&str> = rules
        .iter()
        .map(|rule| rule["id"].as_str().unwrap())
        .collect();
    let sorted: BTreeSet<&str> = ids.iter().copied().collect();
    assert_eq!(ids, sorted.into_iter().collect::<Vec<_>>());
    for rule in rules {
        let id = &rule["id"];
        for text in [
            &rule["shortDescription"]["text"],
            &rule["fullDescription"]["text"],
            &rule["help"]["text"],
        ] {
            let text = text.as_str().unwrap_or_else(|| panic!("{id}"));
            assert!(!text.is_empty(), "{id}");
        }
        for text in [
            &rule["shortDescription"]["text"],
            &rule["fullDescription"]["text"],
        ] {
            assert!(text.as_str().unwrap().chars().count() <= 1024, "{id}");
        }
        let properties = &rule["properties"];
        if let Some(severity) = properties.get("security-severity") {
            assert!(
                ["9.5", "8.0", "5.5", "2.5"].contains(&severity.as_str().unwrap()),
                "{id}"
            );
        }
        let tags = properties["tags"].as_array().unwrap();
        assert!(
            tags.len() <= 10 && tags.contains(&"security".into()),
            "{id}"
        );
        assert!(
            ["note", "warning", "error"]
                .contains(&rule["defaultConfiguration"]["level"].as_str().unwrap())
        );
    }
}

/// The numbers of the links `[text](n)` in a message.
fn links(message: &str) -> Vec<i64> {
    let parts = message.split("](").skip(1);
    parts
        .filter_map(|part| part.split_once(')')?.0.parse().ok())
        .collect()
}

#[test]
fn results_have_what_is_read() {
    let run = run(&Project::new().file("a b/t.yaml", ADMIN));
    assert_eq!(run["columnKind"], "utf16CodeUnits");
    assert!(
        run["automationDetails"]["id"]
            .as_str()
            .unwrap()
            .ends_with('/')
    );
    assert_eq!(run["invocations"][0]["executionSuccessful"], true);
    let rules = run["tool"]["driver"]["rules"].as_array().unwrap();
    let results = run["results"].as_array().unwrap();
    assert!(results.len() >= 2);
    for result in results {
        let index = usize::try_from(result["ruleIndex"].as_u64().unwrap()).unwrap();
        assert_eq!(rules[index]["id"], result["ruleId"]);
        let place = &result["locations"][0]["physicalLocation"];
        assert_eq!(place["artifactLocation"]["uri"], "a%20b/t.yaml");
        assert_eq!(place["artifactLocation"]["uriBaseId"], "%SRCROOT%");
        for key in ["startLine", "startColumn", "endLine", "endColumn"] {
            assert!(place["region"][key].as_u64().unwrap() >= 1);
        }
        let logical = &result["locations"][0]["logicalLocations"][0]["fullyQualifiedName"];
        assert!(!logical.as_str().unwrap().is_empty());
        let prints = &result["partialFingerprints"];
        assert!(
            prints["primaryLocationLineHash"]
                .as_str()
                .unwrap()
                .contains(':')
        );
        assert!(prints["overgrant/v1"].as_str().unwrap().starts_with("og1:"));
        let related: Vec<i64> = result["relatedLocations"]
            .as_array()
            .into_iter()
            .flatten()
            .map(|place| place["id"].as_i64().unwrap())
            .collect();
        for link in links(result["message"]["text"].as_str().unwrap()) {
            assert!(related.contains(&link), "{result:#}");
        }
    }
}

#[test]
fn two_findings_of_one_rule_on_one_line_stay_two_alerts() {
    let statement = r#"{"Effect":"Allow","Principal":{"AWS":"*"},"Action":"sts:AssumeRole"}"#;
    let role = format!(
        r#"{{"Type":"AWS::IAM::Role","Properties":{{"AssumeRolePolicyDocument":{{"Version":"2012-10-17","Statement":[{statement}]}}}}}}"#
    );
    let text = format!(
        r#"{{"AWSTemplateFormatVersion":"2010-09-09","Resources":{{"A":{role},"B":{role}}}}}"#
    );
    let run = run(&Project::new().file("t.json", text));
    let hashes: Vec<&str> = run["results"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|result| result["ruleId"] == "trust-anyone")
        .map(|result| {
            result["partialFingerprints"]["primaryLocationLineHash"]
                .as_str()
                .unwrap()
        })
        .collect();
    assert_eq!(hashes.len(), 2);
    assert_ne!(hashes[0], hashes[1]);
}

#[test]
fn unread_files_are_notifications() {
    let broken = "AWSTemplateFormatVersion: x\nResources:\n  A: {Type: AWS::IAM::Role\n";
    let run = run(&Project::new()
        .file("t.yaml", ADMIN)
        .file("broken.yaml", broken));
    let notes = run["invocations"][0]["toolExecutionNotifications"]
        .as_array()
        .unwrap();
    let known: Vec<&Value> = run["tool"]["driver"]["notifications"]
        .as_array()
        .unwrap()
        .iter()
        .map(|descriptor| &descriptor["id"])
        .collect();
    assert_eq!(notes.len(), 1);
    assert!(known.contains(&&notes[0]["descriptor"]["id"]));
    assert_eq!(
        notes[0]["locations"][0]["physicalLocation"]["artifactLocation"]["uri"],
        "broken.yaml"
    );
}
