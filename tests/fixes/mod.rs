//! `--fix`: every fix is proved by a second run over the fixed text.
//!
//! What holds for each: the finding is gone, no other of medium or above appears, and no document
//! allows more than before.

mod access;
mod examples;
mod json;
mod notations;
mod program;
mod table;
mod texts;

use crate::rule_examples::{EVERYTHING, check_with, show};
use overgrant_engine::{Fixed, Fixing, Outcome, Texts, fix_by};
use overgrant_finding::{Confidence, Severity};
use overgrant_rules::Example;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

fn fixed(rule: &str, example: &Example) -> Fixed {
    let select = [rule.to_owned()];
    fix_by(Fixing::All, &|texts| {
        Ok(check_with(texts, example, EVERYTHING, &select))
    })
    .unwrap()
}

/// Rules that mend documents which IAM refuses or reads otherwise than they are meant: their fixes let
/// the access begin that is written down.
const REPAIRS: [&str; 5] = [
    "action-resource-mismatch",
    "policy-grammar-invalid",
    "policy-variable-misuse",
    "policy-version-missing-or-old",
    "unknown-or-empty-action",
];

/// What speaks against the fixes of one text; `None` where it has none.
fn problems(rule: &str, example: &Example) -> Option<(bool, Vec<String>)> {
    let fixed = fixed(rule, example);
    if fixed.count == 0 {
        return None;
    }
    let mut wrong = Vec::new();
    let fixes = || fixed.before.findings.iter().filter(|one| one.fix.is_some());
    let gone: BTreeSet<String> = fixes().map(show).collect();
    let left = fixed.after.findings.iter().map(show);
    wrong.extend(
        left.filter(|one| gone.contains(one))
            .map(|one| format!("left: {one}")),
    );
    let texts: Texts = fixed
        .changes
        .iter()
        .map(|change| (Arc::clone(&change.path), Arc::clone(&change.after)))
        .collect();
    let shown = (Severity::Medium, Confidence::Medium);
    let all = |texts: &Texts| names(&check_with(texts, example, shown, &[]));
    let known = all(&Texts::new());
    for (name, shown) in all(&texts) {
        if !known.contains_key(&name) {
            wrong.push(format!("new: {shown}"));
        }
    }
    if !REPAIRS.contains(&rule) {
        wrong.extend(
            access::grown(rule, &texts, example)
                .iter()
                .map(|what| format!("allows more: {what}")),
        );
    }
    let safe = fixes().all(|one| one.fix.as_ref().is_some_and(|fix| fix.safe));
    Some((safe, wrong))
}

/// Rule and address of every finding, with what it says.
fn names(outcome: &Outcome) -> BTreeMap<(&'static str, String), String> {
    let findings = outcome.findings.iter();
    findings
        .map(|one| {
            (
                (one.finding.rule, one.finding.address.to_string()),
                show(one),
            )
        })
        .collect()
}
