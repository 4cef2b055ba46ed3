//! The closing line: what was found, what was read, what was not understood.
//!
//! For stderr and the job summary. Invariant: everything that was not checked is counted.

use overgrant_engine::{Counts, Outcome};
use overgrant_finding::Severity;
use std::time::Duration;

/// The line, without a line end; `time` is left out where it is `None`.
#[must_use]
pub fn summary_line(outcome: &Outcome, time: Option<Duration>) -> String {
    let summary = &outcome.summary;
    let mut parts = Vec::new();
    let shown = counts(&summary.findings);
    let hidden = counts(&summary.hidden);
    let inside = match (shown.is_empty(), hidden.is_empty()) {
        (true, true) => String::new(),
        (false, true) => format!(" ({shown})"),
        (true, false) => format!(" ({hidden} not shown)"),
        (false, false) => format!(" ({shown}; {hidden} not shown)"),
    };
    let total = summary.findings.total();
    parts.push(format!("{}{inside}", plural(total, "finding")));
    let mut files = plural(summary.files, "file");
    if summary.not_parsed > 0 {
        files.push_str(&format!(", {} not parsed", summary.not_parsed));
    }
    parts.push(files);
    let policies = &summary.policies;
    if policies.total > 0 {
        let mut text = format!(
            "{}: {} resolved",
            if policies.total == 1 {
                "1 policy".to_owned()
            } else {
                format!("{} policies", policies.total)
            },
            policies.resolved
        );
        if policies.partial > 0 {
            text.push_str(&format!(", {} partly", policies.partial));
        }
        if policies.unresolved > 0 {
            text.push_str(&format!(", {} not", policies.unresolved));
        }
        if !policies.open.is_empty() {
            const NAMED: usize = 3;
            let mut names: Vec<String> = policies.open.iter().take(NAMED).cloned().collect();
            if policies.open.len() > NAMED {
                names.push(format!("{} more", policies.open.len() - NAMED));
            }
            text.push_str(&format!(" ({})", names.join(", ")));
        }
        parts.push(text);
    }
    if summary.suppressed > 0 {
        parts.push(format!("{} suppressed", summary.suppressed));
    }
    if let Some(time) = time {
        parts.push(format!("{} ms", time.as_millis()));
    }
    parts.join(" · ")
}

fn counts(counts: &Counts) -> String {
    let words: Vec<String> = Severity::ALL
        .into_iter()
        .filter(|grade| counts.of(*grade) > 0)
        .map(|grade| format!("{} {grade}", counts.of(grade)))
        .collect();
    words.join(", ")
}

pub(crate) fn plural(number: usize, word: &str) -> String {
    if number == 1 {
        format!("1 {word}")
    } else {
        format!("{number} {word}s")
    }
}
