//! GitLab Code Quality: an array of issues.
//!
//! Not GitLab SAST, whose schema demands clock values. Invariant: fingerprints are unique in a
//! report.

use overgrant_engine::{Outcome, Reported};
use overgrant_finding::Severity;
use serde::Serialize;
use std::collections::BTreeMap;

#[derive(Serialize)]
struct Issue<'a> {
    description: &'a str,
    check_name: &'a str,
    fingerprint: String,
    severity: &'static str,
    location: Location<'a>,
}

#[derive(Serialize)]
struct Location<'a> {
    path: &'a str,
    lines: Lines,
}

#[derive(Serialize)]
struct Lines {
    begin: u32,
}

pub(crate) fn code_quality(outcome: &Outcome) -> String {
    let mut seen: BTreeMap<&str, usize> = BTreeMap::new();
    let issues: Vec<Issue<'_>> = outcome
        .findings
        .iter()
        .map(|reported| issue(&mut seen, reported))
        .collect();
    crate::json::to_text(&issues)
}

fn issue<'a>(seen: &mut BTreeMap<&'a str, usize>, reported: &'a Reported) -> Issue<'a> {
    let finding = &reported.finding;
    let count = seen.entry(finding.fingerprint.as_str()).or_default();
    *count += 1;
    let fingerprint = if *count == 1 {
        finding.fingerprint.clone()
    } else {
        format!("{}-{count}", finding.fingerprint)
    };
    Issue {
        description: &finding.message,
        check_name: finding.rule,
        fingerprint,
        severity: match finding.severity {
            Severity::Critical => "blocker",
            Severity::High => "critical",
            Severity::Medium => "major",
            Severity::Low => "minor",
            Severity::Info => "info",
        },
        location: Location {
            path: &reported.place.path,
            lines: Lines {
                begin: reported.place.line(),
            },
        },
    }
}
