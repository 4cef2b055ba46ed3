//! Our own JSON, schema 1: the contract with other programs.
//!
//! Invariant: all keys are always present, absent is null or an empty list; the order of keys and
//! entries never changes.

use crate::Style;
use overgrant_engine::{Counts, Located, Outcome, Reported, TextFix};
use overgrant_source::{Diagnostic, LineColumn, Sources, Span};
use serde::Serialize;

#[derive(Serialize)]
struct Report<'a> {
    schema: u32,
    tool: Tool<'a>,
    summary: Summary,
    findings: Vec<Finding<'a>>,
    diagnostics: Vec<DiagnosticOut<'a>>,
}

#[derive(Serialize)]
struct Tool<'a> {
    name: &'a str,
    version: &'a str,
    iam_data: &'a str,
}

#[derive(Serialize)]
struct Summary {
    files: usize,
    not_parsed: usize,
    policies: Policies,
    findings: Grades,
    not_shown: usize,
    suppressed: usize,
    #[serde(skip_serializing_if = "Option::is_none")]
    timing: Option<Vec<Stage>>,
}

#[derive(Serialize)]
struct Stage {
    stage: &'static str,
    micros: u64,
}

#[derive(Serialize)]
struct Policies {
    total: usize,
    resolved: usize,
    partial: usize,
    unresolved: usize,
}

#[derive(Serialize)]
struct Grades {
    critical: usize,
    high: usize,
    medium: usize,
    low: usize,
    info: usize,
}

impl From<&Counts> for Grades {
    fn from(counts: &Counts) -> Self {
        Self {
            critical: counts.critical,
            high: counts.high,
            medium: counts.medium,
            low: counts.low,
            info: counts.info,
        }
    }
}

#[derive(Serialize)]
struct Point {
    line: u32,
    column: u32,
}

impl From<LineColumn> for Point {
    fn from(place: LineColumn) -> Self {
        Self {
            line: place.line,
            column: place.column,
        }
    }
}

#[derive(Serialize)]
struct Place {
    path: String,
    start: Option<Point>,
    end: Option<Point>,
}

impl Place {
    fn of(sources: &Sources, span: Span) -> Option<Self> {
        Located::of(sources, span).map(|place| Self::from(&place))
    }
}

impl From<&Located> for Place {
    fn from(place: &Located) -> Self {
        Self {
            path: place.path.to_string(),
            start: place.start.map(Point::from),
            end: place.end.map(Point::from),
        }
    }
}

#[derive(Serialize)]
struct Finding<'a> {
    rule: &'a str,
    family: &'a str,
    severity: &'a str,
    confidence: &'a str,
    message: &'a str,
    #[serde(flatten)]
    place: Place,
    address: &'a str,
    root: &'a str,
    instances: Vec<&'a str>,
    statement: Option<&'a str>,
    guard: Option<&'a str>,
    related: Vec<Related<'a>>,
    flow: Vec<Step<'a>>,
    fix: Option<FixOut<'a>>,
    fingerprint: &'a str,
    aliases: &'a [&'a str],
    properties: Properties<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    suppressed: Option<Suppressed<'a>>,
}

#[derive(Serialize)]
struct Related<'a> {
    #[serde(flatten)]
    place: Place,
    label: &'a str,
    address: Option<&'a str>,
}

#[derive(Serialize)]
struct Step<'a> {
    #[serde(flatten)]
    place: Place,
    label: &'a str,
}

#[derive(Serialize)]
struct FixOut<'a> {
    title: &'a str,
    safe: bool,
    edits: Vec<EditOut<'a>>,
}

#[derive(Serialize)]
struct EditOut<'a> {
    #[serde(flatten)]
    place: Place,
    text: &'a str,
}

#[derive(Serialize)]
struct Properties<'a> {
    principals: Vec<&'a str>,
    paths: &'a [String],
    references: &'a [&'a str],
}

#[derive(Serialize)]
struct Suppressed<'a> {
    reason: Option<&'a str>,
    r#where: &'a str,
}

#[derive(Serialize)]
struct DiagnosticOut<'a> {
    level: &'a str,
    code: &'a str,
    message: &'a str,
    path: Option<&'a str>,
    start: Option<Point>,
    end: Option<Point>,
}

pub(crate) fn render(outcome: &Outcome, style: &Style) -> String {
    let summary = &outcome.summary;
    let suppressed = if style.show_suppressed {
        outcome.suppressed.as_slice()
    } else {
        &[]
    };
    let mut all: Vec<&Reported> = outcome.findings.iter().chain(suppressed).collect();
    all.sort_by(|a, b| {
        let key = |r: &Reported| (r.place.path.clone(), r.place.start);
        key(a)
            .cmp(&key(b))
            .then_with(|| a.finding.rule.cmp(b.finding.rule))
            .then_with(|| a.finding.address.cmp(&b.finding.address))
    });
    let report = Report {
        schema: 1,
        tool: Tool {
            name: "overgrant",
            version: style.version,
            iam_data: &style.iam_data,
        },
        summary: Summary {
            files: summary.files,
            not_parsed: summary.not_parsed,
            policies: Policies {
                total: summary.policies.total,
                resolved: summary.policies.resolved,
                partial: summary.policies.partial,
                unresolved: summary.policies.unresolved,
            },
            findings: Grades::from(&summary.findings),
            not_shown: summary.hidden.total(),
            suppressed: summary.suppressed,
            timing: style.timing.then(|| stages(outcome)),
        },
        findings: all
            .into_iter()
            .map(|reported| finding(&outcome.sources, reported))
            .collect(),
        diagnostics: outcome
            .diagnostics
            .iter()
            .map(|item| diagnostic(&outcome.sources, item))
            .collect(),
    };
    to_text(&report)
}

fn stages(outcome: &Outcome) -> Vec<Stage> {
    let stages = outcome.timing.iter();
    stages
        .map(|stage| Stage {
            stage: stage.name,
            micros: u64::try_from(stage.time.as_micros()).unwrap_or(u64::MAX),
        })
        .collect()
}

/// Indented JSON with a line end. Our types hold only what JSON has, so nothing can fail.
pub(crate) fn to_text(value: &impl Serialize) -> String {
    let mut text = serde_json::to_string_pretty(value).unwrap_or_default();
    text.push('\n');
    text
}

fn finding<'a>(sources: &Sources, reported: &'a Reported) -> Finding<'a> {
    let finding = &reported.finding;
    Finding {
        rule: finding.rule,
        family: reported.rule.family.as_str(),
        severity: finding.severity.as_str(),
        confidence: finding.confidence.as_str(),
        message: &finding.message,
        place: Place::from(&reported.place),
        address: &finding.address,
        root: &finding.root,
        instances: finding.instances.iter().map(|i| i.as_str()).collect(),
        statement: finding.statement.as_deref(),
        guard: finding.guard.as_deref(),
        related: finding
            .related
            .iter()
            .filter_map(|related| {
                Some(Related {
                    place: Place::of(sources, related.span)?,
                    label: &related.label,
                    address: related.address.as_deref(),
                })
            })
            .collect(),
        flow: finding
            .flow
            .iter()
            .filter_map(|step| {
                Some(Step {
                    place: Place::of(sources, step.span)?,
                    label: &step.label,
                })
            })
            .collect(),
        fix: reported.fix.as_ref().map(|found| fix(sources, found)),
        fingerprint: &finding.fingerprint,
        aliases: reported.rule.aliases,
        properties: Properties {
            principals: finding.principals.iter().map(|p| p.as_str()).collect(),
            paths: &finding.paths,
            references: reported.rule.references,
        },
        suppressed: reported.suppressed.as_ref().map(|s| Suppressed {
            reason: s.reason.as_deref(),
            r#where: &s.origin,
        }),
    }
}

fn fix<'a>(sources: &Sources, fix: &'a TextFix) -> FixOut<'a> {
    let edits = fix.edits.iter().filter_map(|edit| {
        Some(EditOut {
            place: Place::of(sources, edit.span)?,
            text: &edit.text,
        })
    });
    FixOut {
        title: &fix.title,
        safe: fix.safe,
        edits: edits.collect(),
    }
}

fn diagnostic<'a>(sources: &Sources, item: &'a Diagnostic) -> DiagnosticOut<'a> {
    let place = item.span.and_then(|span| Located::of(sources, span));
    DiagnosticOut {
        level: item.level.as_str(),
        code: item.code,
        message: &item.message,
        path: item.path.as_deref(),
        start: place.as_ref().and_then(|p| p.start).map(Point::from),
        end: place.as_ref().and_then(|p| p.end).map(Point::from),
    }
}
