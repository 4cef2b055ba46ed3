//! What holds for every rule, whatever it checks.

use overgrant_rules::{ALL, Docs, ExampleKind, Family};
use std::collections::BTreeSet;
use std::path::Path;

#[test]
fn every_rule_file_is_registered() {
    let rules = Path::new(env!("CARGO_MANIFEST_DIR")).join("crates/rules/src/rules");
    let mut files = BTreeSet::new();
    for family in Family::ALL {
        let entries = std::fs::read_dir(rules.join(family.folder()));
        for entry in entries.into_iter().flatten().flatten() {
            let path = entry.path();
            let text = std::fs::read_to_string(&path).unwrap_or_default();
            if text.contains("rule! {") {
                let stem = path.file_stem().unwrap().to_str().unwrap();
                files.insert((family.as_str(), stem.replace('_', "-")));
            }
        }
    }
    let registered: BTreeSet<(&str, String)> = ALL
        .iter()
        .map(|rule| (rule.family.as_str(), rule.id.to_owned()))
        .collect();
    assert_eq!(files, registered);
}

#[test]
fn names_are_unique_and_docs_complete() {
    let mut names = BTreeSet::new();
    let mut wrong = Vec::new();
    for rule in ALL {
        if !names.insert(rule.id) {
            wrong.push(format!("{}: the id is used twice", rule.id));
        }
        let docs = Docs::of(rule);
        if docs.summary.is_empty() || docs.summary.chars().count() > 80 {
            wrong.push(format!("{}: summary `{}`", rule.id, docs.summary));
        }
        for section in ["Why", "Bad", "Good", "How to fix"] {
            if docs.section(section).is_none_or(str::is_empty) {
                wrong.push(format!("{}: no section {section}", rule.id));
            }
        }
        for kind in [ExampleKind::Bad, ExampleKind::Good] {
            if !docs.examples.iter().any(|example| example.kind == kind) {
                wrong.push(format!("{}: no {kind:?} example", rule.id));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
