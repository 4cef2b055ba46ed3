//! Findings that their owner accepted, with the reason.
//!
//! Three ways: comments in the source, metadata of a CloudFormation resource, the configuration.
//! Not for thresholds. Invariant: a suppression names its rules; one that has ended, names no rule
//! that exists or matches nothing is told as a diagnostic.

use crate::config::{Ignore, is_date};
use crate::outcome::{Reported, Suppressed};
use crate::select::{named, near_rule};
use overgrant_ir::Resource;
use overgrant_source::{Comment, FileId};
use overgrant_source::{Diagnostic, Level, Marker, SourceFile, Sources, Span, markers};
use smol_str::SmolStr;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// One comment marker with what it covers.
#[derive(Debug)]
struct Line {
    file: Arc<SourceFile>,
    span: Span,
    /// 1-based line that it speaks of.
    line: u32,
    rules: BTreeSet<&'static str>,
    reason: Option<String>,
    used: bool,
}

/// The markers of all files.
#[derive(Debug, Default)]
pub(crate) struct Markers {
    lines: Vec<Line>,
    /// Blocks by file: (header line, whole block).
    blocks: BTreeMap<FileId, Vec<(u32, Span)>>,
}

/// An entry of `Metadata.overgrant.ignore` of a resource.
#[derive(Debug, Clone)]
pub(crate) struct MetadataIgnore {
    pub(crate) root: SmolStr,
    pub(crate) address: SmolStr,
    pub(crate) rule: String,
    pub(crate) reason: Option<String>,
    pub(crate) until: Option<String>,
    pub(crate) span: Option<Span>,
}

impl Markers {
    /// Reads the markers in the comments of all files. Unknown rules are told.
    pub(crate) fn new(
        sources: &Sources,
        comments: &[(FileId, Vec<Comment>)],
        resources: &[Resource],
        diagnostics: &mut Vec<Diagnostic>,
    ) -> Self {
        let mut lines = Vec::new();
        let mut marked: BTreeSet<FileId> = BTreeSet::new();
        for (id, comments) in comments {
            let found = markers(comments);
            let Some(file) = sources.get(*id).filter(|_| !found.is_empty()) else {
                continue;
            };
            marked.insert(*id);
            let comment_lines: BTreeSet<u32> = comments
                .iter()
                .filter(|comment| !comment.trailing)
                .flat_map(|comment| {
                    let last = comment.span.end.max(comment.span.start + 1) - 1;
                    file.lines().line_of(comment.span.start)..=file.lines().line_of(last)
                })
                .collect();
            for marker in found {
                lines.push(line(&file, &comment_lines, marker, diagnostics));
            }
        }
        let mut blocks: BTreeMap<FileId, Vec<(u32, Span)>> = BTreeMap::new();
        for resource in resources {
            if let Some(span) = resource.src.span
                && marked.contains(&span.file)
                && let Some(file) = sources.get(span.file)
            {
                let header = resource.name_src.span.unwrap_or(span).start;
                let entry = (file.lines().line_of(header), span);
                let known = blocks.entry(span.file).or_default();
                if !known.contains(&entry) {
                    known.push(entry);
                }
            }
        }
        Self { lines, blocks }
    }

    fn find(&mut self, reported: &Reported) -> Option<Suppressed> {
        let primary = reported.finding.primary?;
        let mut heads: Vec<u32> = vec![reported.place.line()];
        for (header, block) in self.blocks.get(&primary.file).into_iter().flatten() {
            if block.contains(primary) {
                heads.push(*header);
            }
        }
        let statement = reported.finding.judged.as_ref().and_then(|j| j.statement);
        let line = self.lines.iter_mut().find(|line| {
            line.file.id() == primary.file
                && line.rules.contains(reported.finding.rule)
                && (heads.contains(&line.line)
                    || statement.is_some_and(|statement| {
                        statement.contains(primary)
                            && line.file.lines().line_of(statement.start) == line.line
                    }))
        })?;
        line.used = true;
        Some(Suppressed {
            reason: line.reason.clone(),
            origin: origin(&line.file, line.span),
            in_source: true,
        })
    }
}

fn origin(file: &SourceFile, span: Span) -> String {
    format!("{}:{}", file.path(), file.place(span.start).line)
}

fn line(
    file: &Arc<SourceFile>,
    comment_lines: &BTreeSet<u32>,
    marker: Marker,
    diagnostics: &mut Vec<Diagnostic>,
) -> Line {
    let own = file.lines().line_of(marker.span.start);
    let mut line = own;
    if !marker.trailing {
        line = file.lines().line_of(marker.span.end.max(1) - 1) + 1;
        while comment_lines.contains(&line) {
            line += 1;
        }
    }
    let mut rules = BTreeSet::new();
    for name in &marker.rules {
        match named(name) {
            Ok(found) => rules.extend(found.iter().map(|rule| rule.id)),
            Err(_) => diagnostics.push(unknown(name).at(file, marker.span)),
        }
    }
    Line {
        file: Arc::clone(file),
        span: marker.span,
        line,
        rules,
        reason: marker.reason.map(|reason| reason.to_string()),
        used: false,
    }
}

fn unknown(name: &str) -> Diagnostic {
    let near = near_rule(name).map_or_else(
        || "`overgrant rules` lists them".to_owned(),
        |near| format!("did you mean `{near}`?"),
    );
    Diagnostic::new(
        Level::Warning,
        "ignore-unknown-rule",
        format!("the ignore names no rule: `{name}`; {near}"),
    )
}

/// Everything that suppresses findings.
pub(crate) struct Suppressions<'a> {
    pub(crate) markers: Markers,
    pub(crate) metadata: Vec<MetadataIgnore>,
    pub(crate) config: &'a [Ignore],
    pub(crate) config_path: &'a str,
    /// `YYYY-MM-DD`.
    pub(crate) today: &'a str,
    used: BTreeSet<usize>,
}

impl<'a> Suppressions<'a> {
    /// Puts the three sources together; entries that have ended are told and dropped.
    pub(crate) fn new(
        sources: &Sources,
        markers: Markers,
        metadata: Vec<MetadataIgnore>,
        config: (&'a str, &'a [Ignore]),
        today: &'a str,
        diagnostics: &mut Vec<Diagnostic>,
    ) -> Self {
        let mut kept = Vec::new();
        for entry in metadata {
            let at = |diagnostic: Diagnostic| match entry
                .span
                .and_then(|s| Some((sources.get(s.file)?, s)))
            {
                Some((file, span)) => diagnostic.at(&file, span),
                None => diagnostic,
            };
            if named(&entry.rule).is_err() {
                diagnostics.push(at(unknown(&entry.rule)));
            } else if entry.until.as_deref().is_some_and(|until| !is_date(until)) {
                diagnostics.push(at(Diagnostic::new(
                    Level::Warning,
                    "ignore-bad-date",
                    format!(
                        "the ignore of `{}` on {} has no valid `until`; write YYYY-MM-DD",
                        entry.rule, entry.address
                    ),
                )));
            } else if entry.until.as_deref().is_some_and(|until| until < today) {
                diagnostics.push(at(ended(&format!(
                    "of `{}` on {}",
                    entry.rule, entry.address
                ))));
            } else {
                kept.push(entry);
            }
        }
        let (config_path, entries) = config;
        for entry in entries {
            if entry.until.as_deref().is_some_and(|until| until < today) {
                let what = format!("entry {}", entry.number);
                diagnostics.push(ended(&what).in_file(config_path));
            }
        }
        Self {
            markers,
            metadata: kept,
            config: entries,
            config_path,
            today,
            used: BTreeSet::new(),
        }
    }

    /// What suppresses the finding, if anything does.
    pub(crate) fn find(&mut self, sources: &Sources, reported: &Reported) -> Option<Suppressed> {
        if let Some(found) = self.markers.find(reported) {
            return Some(found);
        }
        let finding = &reported.finding;
        let by_metadata = self.metadata.iter().find(|entry| {
            entry.root == finding.root
                && (entry.address == finding.address || entry.address == finding.holder)
                && named(&entry.rule).is_ok_and(|rules| rules.iter().any(|r| r.id == finding.rule))
        });
        if let Some(entry) = by_metadata {
            let place = entry
                .span
                .and_then(|span| Some((sources.get(span.file)?, span)));
            return Some(Suppressed {
                reason: entry.reason.clone(),
                origin: place.map_or_else(
                    || format!("metadata of {}", entry.address),
                    |(file, span)| origin(&file, span),
                ),
                in_source: true,
            });
        }
        let entry = self.config.iter().find(|entry| {
            let current = entry
                .until
                .as_deref()
                .is_none_or(|until| until >= self.today);
            current
                && (entry.rules.is_empty() || entry.rules.contains(&finding.rule))
                && entry
                    .path
                    .as_ref()
                    .is_none_or(|glob| glob.is_match(&*reported.place.path))
                && entry.address.as_ref().is_none_or(|glob| {
                    glob.is_match(finding.address.as_str())
                        || glob.is_match(finding.holder.as_str())
                })
        })?;
        self.used.insert(entry.number);
        Some(Suppressed {
            reason: entry.reason.clone(),
            origin: format!("{}, ignore entry {}", self.config_path, entry.number),
            in_source: false,
        })
    }

    /// Notes about comments that suppressed nothing, for rules that ran.
    pub(crate) fn unused(&self, ran: impl Fn(&str) -> bool) -> Vec<Diagnostic> {
        self.markers
            .lines
            .iter()
            .filter(|line| !line.used && !line.rules.is_empty())
            .filter(|line| line.rules.iter().all(|rule| ran(rule)))
            .map(|line| {
                let names: Vec<&str> = line.rules.iter().copied().collect();
                Diagnostic::new(
                    Level::Note,
                    "ignore-unused",
                    format!(
                        "nothing is ignored here: {} does not fire; remove the comment",
                        names.join(", ")
                    ),
                )
                .at(&line.file, line.span)
            })
            .collect()
    }
}

fn ended(what: &str) -> Diagnostic {
    Diagnostic::new(
        Level::Warning,
        "ignore-ended",
        format!("the ignore {what} has ended; fix the finding or set a later `until`"),
    )
}
