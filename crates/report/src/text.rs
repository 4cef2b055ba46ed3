//! Text for a terminal, in the manner of rustc.
//!
//! Not for programs. Invariant: the caret stands under the primary place only; other places of the
//! same file are marked in the same excerpt, places of other files in their own.

use crate::Style;
use annotate_snippets::{Annotation, AnnotationKind, Group, Level, Renderer, Snippet};
use overgrant_engine::{Outcome, Reported};
use overgrant_finding::Severity;
use overgrant_source::{Diagnostic, SourceFile, Sources, Span};
use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;

/// Most notes of one kind that are shown.
const NOTES: usize = 2;

/// Findings, then problems with inputs. Of notes, which say that nothing went wrong, the first few
/// of a kind are enough.
pub(crate) fn render(outcome: &Outcome, style: &Style) -> String {
    let renderer = if style.color {
        Renderer::styled()
    } else {
        Renderer::plain()
    };
    let renderer = renderer.term_width(style.width);
    let mut out = String::new();
    let mut put = |text: String| {
        if !out.is_empty() {
            out.push('\n');
        }
        out.push_str(text.trim_end());
        out.push('\n');
    };
    for reported in &outcome.findings {
        put(finding(&renderer, &outcome.sources, reported));
    }
    if style.show_suppressed {
        for reported in &outcome.suppressed {
            put(finding(&renderer, &outcome.sources, reported));
        }
    }
    let mut notes: BTreeMap<&str, usize> = BTreeMap::new();
    for item in &outcome.diagnostics {
        if item.level == overgrant_source::Level::Note {
            let count = notes.entry(item.code).or_default();
            *count += 1;
            if *count > NOTES {
                continue;
            }
        }
        put(diagnostic(&renderer, &outcome.sources, item));
    }
    for (code, count) in notes {
        if count > NOTES {
            let words = format!("{} more of this kind; `-f json` lists them", count - NOTES);
            let title = Level::NOTE.primary_title(&words).id(code);
            put(renderer.render(&[Group::with_title(title)]));
        }
    }
    out
}

fn level(severity: Severity) -> Level<'static> {
    match severity {
        Severity::Critical | Severity::High => Level::ERROR,
        Severity::Medium => Level::WARNING,
        Severity::Low | Severity::Info => Level::NOTE,
    }
}

fn finding(renderer: &Renderer, sources: &Sources, reported: &Reported) -> String {
    let finding = &reported.finding;
    let title = level(finding.severity)
        .primary_title(&finding.message)
        .id(finding.rule);
    let mut group = Group::with_title(title);
    let mut marks = Vec::new();
    if let Some(span) = finding.primary {
        marks.push(Mark {
            span,
            label: finding.label.clone(),
            primary: true,
        });
    }
    for related in &finding.related {
        // One place is marked once; the primary mark has the first word.
        if !marks.iter().any(|mark| mark.span == related.span) {
            marks.push(Mark {
                span: related.span,
                label: Some(related.label.clone()),
                primary: false,
            });
        }
    }
    let excerpts = excerpts(sources, marks);
    for excerpt in &excerpts {
        group = group.element(excerpt.snippet());
    }
    if finding.primary.is_none() {
        group = group.element(annotate_snippets::Origin::path(&*reported.place.path));
    }
    for (name, text) in lines(sources, reported) {
        let message = Level::NOTE.with_name(name);
        group = group.element(message.message(text));
    }
    renderer.render(&[group])
}

/// The lines under the excerpt: (name, text).
fn lines(sources: &Sources, reported: &Reported) -> Vec<(String, String)> {
    let finding = &reported.finding;
    let mut lines = Vec::new();
    if let Some(flow) = flow(sources, reported) {
        lines.push(("flow".to_owned(), flow));
    }
    for note in &finding.notes {
        // A rule writes `path: …` where the line has a name of its own.
        let named = note
            .split_once(": ")
            .filter(|(name, _)| name.chars().all(|c| c.is_ascii_lowercase()));
        lines.push(match named {
            Some((name, text)) => (name.to_owned(), text.to_owned()),
            None => ("note".to_owned(), note.clone()),
        });
    }
    if let Some(help) = &finding.help {
        lines.push(("help".to_owned(), help.clone()));
    }
    let mut facts = vec![format!(
        "{} severity, {} confidence",
        finding.severity, finding.confidence
    )];
    if let Some(guard) = &finding.guard {
        facts.push(format!("only {}", only(guard)));
    }
    if !finding.instances.is_empty() {
        facts.push(format!(
            "{} and {} more",
            finding.address,
            crate::summary::plural(finding.instances.len(), "instance")
        ));
    }
    if let Some(suppressed) = &reported.suppressed {
        let reason = suppressed.reason.as_deref().unwrap_or("no reason given");
        facts.push(format!("suppressed at {}: {reason}", suppressed.origin));
    }
    facts.push(format!("overgrant explain {}", finding.rule));
    lines.push(("note".to_owned(), facts.join(" · ")));
    lines
}

/// A guard after "only": as it is where it begins with a preposition, else with "when".
fn only(guard: &str) -> String {
    if guard.starts_with("in ") || guard.starts_with("when ") {
        guard.to_owned()
    } else {
        format!("when {guard}")
    }
}

/// The way of the value in one line: `variable default (a.tf:3) → local.x (b.tf:9)`.
fn flow(sources: &Sources, reported: &Reported) -> Option<String> {
    let steps: Vec<String> = reported
        .finding
        .flow
        .iter()
        .filter_map(|step| {
            let (path, start, _) = sources.locate(step.span)?;
            Some(format!("{} ({path}:{})", step.label, start.line))
        })
        .collect();
    (!steps.is_empty()).then(|| steps.join(" → "))
}

fn diagnostic(renderer: &Renderer, sources: &Sources, item: &Diagnostic) -> String {
    let level = match item.level {
        overgrant_source::Level::Error => Level::ERROR,
        overgrant_source::Level::Warning => Level::WARNING,
        overgrant_source::Level::Note => Level::NOTE,
    };
    let mut group = Group::with_title(level.primary_title(&item.message).id(item.code));
    let marks = item.span.map(|span| Mark {
        span,
        label: None,
        primary: true,
    });
    let excerpts = excerpts(sources, marks.into_iter().collect());
    for excerpt in &excerpts {
        group = group.element(excerpt.snippet());
    }
    if let (None, Some(path)) = (item.span, &item.path) {
        group = group.element(annotate_snippets::Origin::path(&**path));
    }
    renderer.render(&[group])
}

struct Mark {
    span: Span,
    label: Option<String>,
    primary: bool,
}

/// The lines of one file that hold marks, with the marks as ranges in them.
struct Excerpt {
    path: String,
    text: String,
    first_line: usize,
    marks: Vec<(Range<usize>, Option<String>, bool)>,
}

impl Excerpt {
    fn snippet(&self) -> Snippet<'_, Annotation<'_>> {
        let annotations = self.marks.iter().map(|(range, label, primary)| {
            let kind = if *primary {
                AnnotationKind::Primary
            } else {
                AnnotationKind::Context
            };
            kind.span(range.clone()).label(label.as_deref())
        });
        Snippet::source(self.text.as_str())
            .path(self.path.as_str())
            .line_start(self.first_line)
            .fold(true)
            .annotations(annotations)
    }
}

/// Groups marks by file, the file of the primary mark first.
fn excerpts(sources: &Sources, marks: Vec<Mark>) -> Vec<Excerpt> {
    let mut by_file: Vec<(Arc<SourceFile>, Vec<Mark>)> = Vec::new();
    for mark in marks {
        let Some(file) = sources.get(mark.span.file) else {
            continue;
        };
        match by_file
            .iter_mut()
            .find(|(known, _)| known.id() == file.id())
        {
            Some((_, marks)) => marks.push(mark),
            None => by_file.push((file, vec![mark])),
        }
    }
    by_file
        .into_iter()
        .map(|(file, marks)| excerpt(&file, marks))
        .collect()
}

/// Bytes of an excerpt beyond which a mark far away gets no excerpt: files of one line can be huge.
const FAR: usize = 64 << 10;

fn excerpt(file: &SourceFile, marks: Vec<Mark>) -> Excerpt {
    let text = file.text();
    let anchor = marks
        .first()
        .map_or(0..0, |mark| first_line(text, mark.span));
    let ranges: Vec<(Range<usize>, Option<String>, bool)> = marks
        .into_iter()
        .map(|mark| (first_line(text, mark.span), mark.label, mark.primary))
        .filter(|(range, ..)| range.start.abs_diff(anchor.start) < FAR)
        .collect();
    let from = ranges
        .iter()
        .map(|(range, ..)| range.start)
        .min()
        .unwrap_or(0);
    let to = ranges
        .iter()
        .map(|(range, ..)| range.end)
        .max()
        .unwrap_or(0);
    let start = text
        .get(..from)
        .and_then(|before| before.rfind('\n'))
        .map_or(0, |at| at + 1);
    let end = text
        .get(to..)
        .and_then(|after| after.find('\n'))
        .map_or(text.len(), |at| to + at);
    Excerpt {
        path: file.path().to_owned(),
        text: text.get(start..end).unwrap_or("").to_owned(),
        first_line: file.lines().line_of(u32::try_from(start).unwrap_or(0)) as usize,
        marks: ranges
            .into_iter()
            .map(|(range, label, primary)| (range.start - start..range.end - start, label, primary))
            .collect(),
    }
}

/// The part of a span on its first line: a mark over a whole block says no more than its header.
fn first_line(text: &str, span: Span) -> Range<usize> {
    let range = span.range();
    let end = range.end.min(text.len());
    let start = range.start.min(end);
    let stop = text
        .get(start..end)
        .and_then(|part| part.find('\n'))
        .map_or(end, |at| start + at);
    start..stop
}
