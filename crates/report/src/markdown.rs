//! Markdown for a job summary or a comment.
//!
//! GitHub refuses a summary of more than 1 MiB as a whole. Invariant: the text stays below 900 kB
//! and says how much was left out.

use crate::escape::{markdown, uri};
use crate::{Style, summary_line};
use overgrant_engine::{Outcome, Reported};

/// Bytes of the whole text.
const BUDGET: usize = 900_000;

pub(crate) fn render(outcome: &Outcome, style: &Style) -> String {
    let mut findings: Vec<&Reported> = outcome.findings.iter().collect();
    findings.sort_by_key(|reported| std::cmp::Reverse(reported.finding.severity));
    if style.show_suppressed {
        findings.extend(&outcome.suppressed);
    }
    let mut entries: Vec<String> = findings.into_iter().map(entry).collect();
    for item in &outcome.diagnostics {
        let place = item
            .path
            .as_deref()
            .map_or_else(String::new, |path| format!(" (`{path}`)"));
        entries.push(format!(
            "- {} `{}`: {}{place}\n",
            item.level.as_str(),
            item.code,
            markdown(&item.message)
        ));
    }
    let mut out = format!(
        "### overgrant\n\n{}\n\n",
        markdown(&summary_line(outcome, None))
    );
    let total = entries.len();
    for (index, entry) in entries.into_iter().enumerate() {
        if out.len() + entry.len() > BUDGET {
            out.push_str(&format!("\n{} more are not shown here.\n", total - index));
            break;
        }
        out.push_str(&entry);
    }
    out
}

fn entry(reported: &Reported) -> String {
    let finding = &reported.finding;
    let place = &reported.place;
    let mut out = format!(
        "- **{}** `{}`: {}  \n  [{}:{}]({}#L{}) · `{}` · {} confidence",
        finding.severity,
        finding.rule,
        markdown(&finding.message),
        markdown(&place.path),
        place.line(),
        uri(&place.path),
        place.line(),
        finding.address.replace('`', ""),
        finding.confidence
    );
    if let Some(guard) = &finding.guard {
        out.push_str(&format!(" · only: {}", markdown(guard)));
    }
    if let Some(suppressed) = &reported.suppressed {
        out.push_str(&format!(
            " · suppressed at {}",
            markdown(&suppressed.origin)
        ));
    }
    if let Some(help) = &finding.help {
        out.push_str(&format!("  \n  {}", markdown(help)));
    }
    out.push('\n');
    out
}
