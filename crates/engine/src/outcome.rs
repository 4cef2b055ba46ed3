//! What a run gives to the reports.
//!
//! Not for how it looks. Invariant: findings and diagnostics are in their final order; everything
//! that an output needs is here, so that reports read no file.

use overgrant_finding::{Finding, Severity};
use overgrant_ir::Model;
use overgrant_rules::Rule;
use overgrant_source::{Diagnostic, LineColumn, Sources, Span, TextEdit};
use std::sync::Arc;
use std::time::Duration;

/// A span as path, start and end (1-based, UTF-16 columns, end exclusive).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Located {
    /// Path relative to the base, forward slashes.
    pub path: Arc<str>,
    /// First place; `None` where the file as a whole is meant.
    pub start: Option<LineColumn>,
    /// One past the last place.
    pub end: Option<LineColumn>,
}

impl Located {
    /// The place of a span; `None` where the span is of another set of files.
    #[must_use]
    pub fn of(sources: &Sources, span: Span) -> Option<Self> {
        let (path, start, end) = sources.locate(span)?;
        Some(Self {
            path,
            start: Some(start),
            end: Some(end),
        })
    }

    /// The file as a whole.
    #[must_use]
    pub fn file(path: Arc<str>) -> Self {
        Self {
            path,
            start: None,
            end: None,
        }
    }

    /// 1-based first line, 1 for a file as a whole.
    #[must_use]
    pub fn line(&self) -> u32 {
        self.start.map_or(1, |start| start.line)
    }
}

/// Why a finding is not reported.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Suppressed {
    /// The words given with it.
    pub reason: Option<String>,
    /// Where it was said: `path:line`.
    pub origin: String,
    /// Whether it was said in the source (a comment or metadata), not in the configuration.
    pub in_source: bool,
}

/// A fix in the notation of the files that it changes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TextFix {
    /// What it does, as an order.
    pub title: String,
    /// Whether it neither grants anything nor takes away access that is used.
    pub safe: bool,
    /// The changes, which do not touch each other; all or none.
    pub edits: Vec<TextEdit>,
}

/// A finding with its place in lines and columns.
#[derive(Debug, Clone)]
pub struct Reported {
    /// The finding.
    pub finding: Finding,
    /// The rule it comes from.
    pub rule: &'static Rule,
    /// Its primary place.
    pub place: Located,
    /// Its fix, where it can be written as text.
    pub fix: Option<TextFix>,
    /// Set where it was suppressed.
    pub suppressed: Option<Suppressed>,
}

/// Number of findings by severity.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counts {
    /// Critical.
    pub critical: usize,
    /// High.
    pub high: usize,
    /// Medium.
    pub medium: usize,
    /// Low.
    pub low: usize,
    /// Info.
    pub info: usize,
}

impl Counts {
    /// Counts one more.
    pub fn add(&mut self, severity: Severity) {
        *self.slot(severity) += 1;
    }

    /// The number at one severity.
    #[must_use]
    pub fn of(&self, severity: Severity) -> usize {
        match severity {
            Severity::Critical => self.critical,
            Severity::High => self.high,
            Severity::Medium => self.medium,
            Severity::Low => self.low,
            Severity::Info => self.info,
        }
    }

    /// All together.
    #[must_use]
    pub fn total(&self) -> usize {
        Severity::ALL.into_iter().map(|grade| self.of(grade)).sum()
    }

    fn slot(&mut self, severity: Severity) -> &mut usize {
        match severity {
            Severity::Critical => &mut self.critical,
            Severity::High => &mut self.high,
            Severity::Medium => &mut self.medium,
            Severity::Low => &mut self.low,
            Severity::Info => &mut self.info,
        }
    }
}

/// How many policy documents were understood; one per place in the source.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Policies {
    /// All.
    pub total: usize,
    /// Nothing open that matters.
    pub resolved: usize,
    /// Statements known, some element not.
    pub partial: usize,
    /// The list of statements not known.
    pub unresolved: usize,
    /// What is open in those that are not resolved, each once, sorted.
    pub open: Vec<String>,
}

/// The figures of a run.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Summary {
    /// Files read as configuration.
    pub files: usize,
    /// Their bytes.
    pub bytes: u64,
    /// Instances of resources, data sources and providers that the front ends gave: those of types
    /// that say something about access.
    pub instances: usize,
    /// Files that look like configuration and could not be read.
    pub not_parsed: usize,
    /// Policy documents.
    pub policies: Policies,
    /// Findings shown.
    pub findings: Counts,
    /// Findings below the thresholds.
    pub hidden: Counts,
    /// Findings suppressed.
    pub suppressed: usize,
}

/// Time of one stage.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stage {
    /// Its name.
    pub name: &'static str,
    /// Wall time.
    pub time: Duration,
}

/// Everything a run found.
#[derive(Debug)]
pub struct Outcome {
    /// The files, for source lines in reports.
    pub sources: Arc<Sources>,
    /// Rules that ran, sorted by id.
    pub rules: Vec<&'static Rule>,
    /// Findings shown, sorted by path, start, rule, address.
    pub findings: Vec<Reported>,
    /// Findings suppressed, in the same order.
    pub suppressed: Vec<Reported>,
    /// Problems with inputs, sorted by path, place, code, message.
    pub diagnostics: Vec<Diagnostic>,
    /// The figures.
    pub summary: Summary,
    /// Times of the stages, in order.
    pub timing: Vec<Stage>,
    /// Times of the rules, in their order; what several need is in that of the first to ask for it.
    pub rule_timing: Vec<Stage>,
    /// Whether an error of ours was caught.
    pub internal: bool,
    /// The model, unless it was large, kept so that its owner decides when its memory is given back.
    pub(crate) _model: Option<Model>,
}
