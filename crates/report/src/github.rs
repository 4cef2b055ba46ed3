//! GitHub workflow commands: annotations on a pull request without code scanning.
//!
//! GitHub keeps ten errors, ten warnings and ten notices of a step and drops the rest without a
//! word. Invariant: what is dropped here is counted in a closing notice.

use crate::escape::{command_data, command_property};
use overgrant_engine::{Located, Outcome, Reported};
use overgrant_finding::Severity;
use overgrant_source::Level;

/// Annotations of one kind that GitHub keeps of a step.
const LIMIT: usize = 10;

pub(crate) fn render(outcome: &Outcome) -> String {
    let mut findings: Vec<&Reported> = outcome.findings.iter().collect();
    findings.sort_by_key(|reported| std::cmp::Reverse(reported.finding.severity));
    let mut lines: [Vec<String>; 3] = Default::default();
    for reported in findings {
        let kind = kind(reported.finding.severity);
        let words = words(reported);
        push(
            &mut lines,
            kind,
            command(kind, Some(&reported.place), reported.finding.rule, &words),
        );
    }
    for item in &outcome.diagnostics {
        if item.level == Level::Note {
            continue;
        }
        let place = item
            .span
            .and_then(|span| Located::of(&outcome.sources, span))
            .or_else(|| item.path.clone().map(Located::file));
        push(
            &mut lines,
            1,
            command(1, place.as_ref(), item.code, &item.message),
        );
    }
    let over = |lines: &[Vec<String>; 3], notices: usize| -> usize {
        let [errors, warnings, rest] = lines;
        errors.len().saturating_sub(LIMIT)
            + warnings.len().saturating_sub(LIMIT)
            + rest.len().saturating_sub(notices)
    };
    let dropped = if over(&lines, LIMIT) > 0 {
        over(&lines, LIMIT - 1)
    } else {
        0
    };
    let notices = if dropped > 0 { LIMIT - 1 } else { LIMIT };
    let mut out = String::new();
    for (kind, lines) in lines.iter().enumerate() {
        let limit = if kind == 2 { notices } else { LIMIT };
        for line in lines.iter().take(limit) {
            out.push_str(line);
            out.push('\n');
        }
    }
    if dropped > 0 {
        out.push_str(&command(
            2,
            None,
            "overgrant",
            &format!("{dropped} more in the job summary or the JSON report; GitHub shows {LIMIT} annotations of a kind"),
        ));
        out.push('\n');
    }
    out
}

fn push(lines: &mut [Vec<String>; 3], kind: usize, line: String) {
    if let Some(lines) = lines.get_mut(kind) {
        lines.push(line);
    }
}

/// 0 error, 1 warning, 2 notice.
fn kind(severity: Severity) -> usize {
    match severity {
        Severity::Critical | Severity::High => 0,
        Severity::Medium => 1,
        Severity::Low | Severity::Info => 2,
    }
}

fn words(reported: &Reported) -> String {
    let finding = &reported.finding;
    let mut words = format!(
        "{}.",
        finding.message.replace('`', "").trim_end_matches('.')
    );
    if let Some(guard) = &finding.guard {
        words.push_str(&format!(" Holds only: {guard}."));
    }
    if let Some(help) = &finding.help {
        words.push_str(&format!(
            " To fix: {}.",
            help.replace('`', "").trim_end_matches('.')
        ));
    }
    words
}

fn command(kind: usize, place: Option<&Located>, title: &str, words: &str) -> String {
    let name = ["error", "warning", "notice"]
        .get(kind)
        .unwrap_or(&"notice");
    let mut properties = Vec::new();
    if let Some(place) = place {
        properties.push(format!("file={}", command_property(&place.path)));
        if let (Some(start), Some(end)) = (place.start, place.end) {
            properties.push(format!("line={}", start.line));
            // Columns over several lines make GitHub drop the annotation.
            if start.line == end.line {
                properties.push(format!("col={}", start.column));
                properties.push(format!("endLine={}", end.line));
                properties.push(format!("endColumn={}", end.column.max(start.column)));
            } else {
                properties.push(format!("endLine={}", end.line));
            }
        } else {
            properties.push("line=1".to_owned());
        }
    }
    properties.push(format!("title={}", command_property(title)));
    format!("::{name} {}::{}", properties.join(","), command_data(words))
}

#[cfg(test)]
mod tests {
    use super::*;
    use overgrant_source::LineColumn;

    #[test]
    fn columns_only_within_one_line() {
        let at = |line, column| Some(LineColumn { line, column });
        let one = Located {
            path: "a,b.tf".into(),
            start: at(1, 2),
            end: at(1, 5),
        };
        assert_eq!(
            command(0, Some(&one), "r", "a\nb"),
            "::error file=a%2Cb.tf,line=1,col=2,endLine=1,endColumn=5,title=r::a%0Ab"
        );
        let two = Located {
            end: at(3, 1),
            ..one
        };
        assert_eq!(
            command(1, Some(&two), "r", "m"),
            "::warning file=a%2Cb.tf,line=1,endLine=3,title=r::m"
        );
    }
}
