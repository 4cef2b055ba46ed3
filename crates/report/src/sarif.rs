//! SARIF 2.1.0 as GitHub code scanning reads it.
//!
//! The only file that knows `serde-sarif`. Invariant: the rules are the active ones, sorted, whatever
//! fired; every link in a message has its related location; no absolute path and no clock value.

use crate::escape::uri;
use crate::{LineHashes, Style};
use overgrant_engine::{Located, Outcome, Reported, TextFix};
use overgrant_finding::{Confidence, Severity};
use overgrant_rules::{Docs, Rule};
use overgrant_source::{Diagnostic, FileId, Sources};
use serde_json::{Value, json};
use serde_sarif::sarif::{
    ArtifactChange, ArtifactContent, ArtifactLocation, CodeFlow, Fix, Invocation, Location,
    LogicalLocation, Message, MultiformatMessageString, Notification, PhysicalLocation,
    PropertyBag, Region, Replacement, ReportingConfiguration, ReportingDescriptor,
    ReportingDescriptorReference, Result as SarifResult, ResultLevel, Run, RunAutomationDetails,
    Sarif, Suppression, ThreadFlow, ThreadFlowLocation, Tool, ToolComponent,
};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// Results that GitHub shows of one run.
const RESULTS: usize = 5_000;
/// Characters of descriptions.
const DESCRIPTION: usize = 1_000;
const SCHEMA: &str = "https://json.schemastore.org/sarif-2.1.0.json";
const HOME: &str = "https://github.com/overgrant/overgrant";
const BASE: &str = "%SRCROOT%";

/// How many findings do not fit in one report, for a word on stderr.
#[must_use]
pub fn left_out(outcome: &Outcome) -> usize {
    outcome.findings.len().saturating_sub(RESULTS)
}

pub(crate) fn render(outcome: &Outcome, style: &Style) -> String {
    let mut chosen: Vec<&Reported> = outcome.findings.iter().collect();
    if chosen.len() > RESULTS {
        chosen.sort_by_key(|reported| std::cmp::Reverse(reported.finding.severity));
        chosen.truncate(RESULTS);
    }
    if style.show_suppressed {
        let room = RESULTS - chosen.len();
        chosen.extend(outcome.suppressed.iter().take(room));
    }
    let mut lines = Lines::default();
    let results: Vec<SarifResult> = chosen
        .iter()
        .map(|reported| result(outcome, &mut lines, reported))
        .collect();
    let mut driver = ToolComponent::builder()
        .name("overgrant")
        .version(style.version)
        .semantic_version(style.version)
        .information_uri(HOME)
        .rules(
            outcome
                .rules
                .iter()
                .map(|rule| descriptor(rule))
                .collect::<Vec<_>>(),
        )
        .notifications(notification_descriptors(outcome))
        .build();
    driver.properties = Some(bag([("iamData", json!(style.iam_data))]));
    let mut run = Run::builder()
        .tool(Tool::builder().driver(driver).build())
        .results(results)
        .invocations(vec![invocation(outcome)])
        .automation_details(RunAutomationDetails::builder().id("overgrant/").build())
        .build();
    run.column_kind = Some(json!("utf16CodeUnits"));
    run.original_uri_base_ids = Some(BTreeMap::from([(
        BASE.to_owned(),
        ArtifactLocation::builder()
            .description(text("The base of the run: the root of the repository"))
            .build(),
    )]));
    let sarif = Sarif::builder()
        .schema(SCHEMA)
        .version(json!("2.1.0"))
        .runs(vec![run])
        .build();
    crate::json::to_text(&sarif)
}

fn text(words: impl Into<String>) -> Message {
    Message::builder().text(words.into()).build()
}

fn bag<const N: usize>(entries: [(&str, Value); N]) -> PropertyBag {
    let entries = entries
        .into_iter()
        .filter(|(_, value)| !value.is_null())
        .map(|(key, value)| (key.to_owned(), value))
        .collect::<BTreeMap<String, Value>>();
    PropertyBag::builder()
        .additional_properties(entries)
        .build()
}

fn level(severity: Severity) -> ResultLevel {
    match severity {
        Severity::Critical | Severity::High => ResultLevel::Error,
        Severity::Medium => ResultLevel::Warning,
        Severity::Low | Severity::Info => ResultLevel::Note,
    }
}

fn level_word(severity: Severity) -> &'static str {
    match severity {
        Severity::Critical | Severity::High => "error",
        Severity::Medium => "warning",
        Severity::Low | Severity::Info => "note",
    }
}

fn precision(confidence: Confidence) -> &'static str {
    match confidence {
        Confidence::High => "very-high",
        Confidence::Medium => "high",
        Confidence::Low => "medium",
    }
}

/// The first `DESCRIPTION` characters.
fn short(words: &str) -> String {
    if words.chars().count() <= DESCRIPTION {
        return words.to_owned();
    }
    let mut cut: String = words.chars().take(DESCRIPTION - 1).collect();
    cut.push('…');
    cut
}

/// `admin-star-star` as `AdminStarStar`: SARIF wants the name to differ from the id.
fn pascal_case(id: &str) -> String {
    id.split('-')
        .map(|word| {
            let mut letters = word.chars();
            letters.next().map_or_else(String::new, |first| {
                first.to_uppercase().collect::<String>() + letters.as_str()
            })
        })
        .collect()
}

fn descriptor(rule: &Rule) -> ReportingDescriptor {
    let docs = Docs::of(rule);
    let words = |words: String| MultiformatMessageString::builder().text(words).build();
    let help = docs
        .section("How to fix")
        .unwrap_or(&docs.summary)
        .to_owned();
    let mut properties = bag([
        ("precision", json!(precision(rule.confidence))),
        (
            "problem.severity",
            json!(match rule.severity {
                Severity::Critical | Severity::High => "error",
                Severity::Medium => "warning",
                Severity::Low | Severity::Info => "recommendation",
            }),
        ),
        (
            "security-severity",
            json!(rule.severity.security_severity()),
        ),
    ]);
    properties.tags = Some(rule.tags());
    let mut configuration = ReportingConfiguration::builder().build();
    configuration.level = Some(json!(level_word(rule.severity)));
    ReportingDescriptor::builder()
        .id(rule.id)
        .name(pascal_case(rule.id))
        .short_description(words(short(&docs.summary)))
        .full_description(words(short(&docs.paragraph())))
        .help(
            MultiformatMessageString::builder()
                .text(help)
                .markdown(docs.markdown.clone())
                .build(),
        )
        .help_uri(format!("{HOME}/blob/main/docs/rules/{}.md", rule.id))
        .default_configuration(configuration)
        .properties(properties)
        .build()
}

fn region(place: &Located) -> Region {
    match (place.start, place.end) {
        (Some(start), Some(end)) => Region::builder()
            .start_line(i64::from(start.line))
            .start_column(i64::from(start.column))
            .end_line(i64::from(end.line))
            .end_column(i64::from(end.column))
            .build(),
        _ => Region::builder()
            .start_line(1)
            .start_column(1)
            .end_line(1)
            .end_column(1)
            .build(),
    }
}

fn artifact(place: &Located) -> ArtifactLocation {
    ArtifactLocation::builder()
        .uri(uri(&place.path))
        .uri_base_id(BASE)
        .build()
}

fn location(place: &Located) -> Location {
    Location::builder()
        .physical_location(
            PhysicalLocation::builder()
                .artifact_location(artifact(place))
                .region(region(place))
                .build(),
        )
        .build()
}

/// Line hashes by file, and how often each was used by a rule.
#[derive(Default)]
struct Lines {
    hashes: BTreeMap<FileId, LineHashes>,
    used: BTreeMap<(String, String, String), usize>,
}

impl Lines {
    /// GitHub tells alerts apart by rule, path and this hash: the second one of a line gets a suffix.
    fn hash(&mut self, sources: &Sources, reported: &Reported) -> String {
        let line = usize::try_from(reported.place.line()).unwrap_or(1);
        let hash = reported.finding.primary.and_then(|span| {
            let file = sources.get(span.file)?;
            let hashes = self
                .hashes
                .entry(span.file)
                .or_insert_with(|| LineHashes::new(file.shared_text()));
            hashes.line(line).map(|hash| hash.to_string())
        });
        let hash = hash.unwrap_or_else(|| reported.finding.fingerprint.replace("og1:", ""));
        let key = (
            reported.finding.rule.to_owned(),
            reported.place.path.to_string(),
            hash.clone(),
        );
        let used = self.used.entry(key).or_default();
        *used += 1;
        if *used == 1 {
            hash
        } else {
            format!("{hash}:{used}")
        }
    }
}

/// Text in a message must not look like a link by accident.
fn plain(words: &str) -> String {
    words
        .replace('\\', "\\\\")
        .replace('[', "\\[")
        .replace(']', "\\]")
}

fn result(outcome: &Outcome, lines: &mut Lines, reported: &Reported) -> SarifResult {
    let finding = &reported.finding;
    let sources = &outcome.sources;
    let mut related = Vec::new();
    let mut links = Vec::new();
    for (index, other) in finding.related.iter().enumerate() {
        let id = i64::try_from(index + 1).unwrap_or(i64::MAX);
        if let Some(place) = Located::of(sources, other.span) {
            let mut found = location(&place);
            found.id = Some(id);
            found.message = Some(text(&*other.label));
            related.push(found);
            links.push(format!("[{}]({id})", plain(&other.label)));
        }
    }
    let mut words = format!("{}.", plain(finding.message.trim_end_matches('.')));
    if let Some(guard) = &finding.guard {
        words.push_str(&format!(" Holds only: {}.", plain(guard)));
    }
    if let Some(help) = &finding.help {
        words.push_str(&format!(" To fix: {}.", plain(help.trim_end_matches('.'))));
    }
    if !links.is_empty() {
        words.push_str(&format!(" See {}.", links.join(", ")));
    }
    let mut main = location(&reported.place);
    main.logical_locations = Some(vec![
        LogicalLocation::builder()
            .fully_qualified_name(finding.address.as_str())
            .kind("resource")
            .build(),
    ]);
    let steps: Vec<ThreadFlowLocation> = finding
        .flow
        .iter()
        .filter_map(|step| {
            let mut at = location(&Located::of(sources, step.span)?);
            at.message = Some(text(&*step.label));
            Some(ThreadFlowLocation::builder().location(at).build())
        })
        .collect();
    let index = outcome
        .rules
        .iter()
        .position(|rule| rule.id == finding.rule);
    let mut result = SarifResult::builder()
        .rule_id(finding.rule)
        .level(level(finding.severity))
        .message(text(words))
        .locations(vec![main])
        .partial_fingerprints(BTreeMap::from([
            (
                "primaryLocationLineHash".to_owned(),
                lines.hash(sources, reported),
            ),
            ("overgrant/v1".to_owned(), finding.fingerprint.clone()),
        ]))
        .properties(bag([
            ("severity", json!(finding.severity.as_str())),
            ("confidence", json!(finding.confidence.as_str())),
            ("guard", json!(finding.guard)),
            ("paths", json!(finding.paths)),
        ]))
        .build();
    result.rule_index = index.and_then(|index| i64::try_from(index).ok());
    result.fixes = reported
        .fix
        .as_ref()
        .and_then(|found| Some(vec![fix(sources, found)?]));
    if !related.is_empty() {
        result.related_locations = Some(related);
    }
    if !steps.is_empty() {
        let flow = ThreadFlow::builder().locations(steps).build();
        result.code_flows = Some(vec![CodeFlow::builder().thread_flows(vec![flow]).build()]);
    }
    if let Some(suppressed) = &reported.suppressed {
        let kind = if suppressed.in_source {
            "inSource"
        } else {
            "external"
        };
        let mut suppression = Suppression::builder().kind(json!(kind)).build();
        suppression.justification = suppressed.reason.clone();
        result.suppressions = Some(vec![suppression]);
    }
    result
}

/// A fix, one change per file.
fn fix(sources: &Sources, found: &TextFix) -> Option<Fix> {
    let mut files: BTreeMap<Arc<str>, (ArtifactLocation, Vec<Replacement>)> = BTreeMap::new();
    for edit in &found.edits {
        let place = Located::of(sources, edit.span)?;
        let mut replacement = Replacement::builder()
            .deleted_region(region(&place))
            .build();
        if !edit.text.is_empty() {
            let content = ArtifactContent::builder().text(edit.text.as_str()).build();
            replacement.inserted_content = Some(content);
        }
        let file = files.entry(Arc::clone(&place.path));
        let (_, all) = file.or_insert_with(|| (artifact(&place), Vec::new()));
        all.push(replacement);
    }
    let changes = files.into_values().map(|(file, replacements)| {
        ArtifactChange::builder()
            .artifact_location(file)
            .replacements(replacements)
            .build()
    });
    Some(
        Fix::builder()
            .description(text(&*found.title))
            .artifact_changes(changes.collect::<Vec<_>>())
            .build(),
    )
}

const LEFT_OUT: &str = "results-left-out";

fn notification_descriptors(outcome: &Outcome) -> Vec<ReportingDescriptor> {
    let mut codes: BTreeSet<&str> = outcome.diagnostics.iter().map(|d| d.code).collect();
    if left_out(outcome) > 0 {
        codes.insert(LEFT_OUT);
    }
    let codes = codes.into_iter();
    codes
        .map(|code| {
            // GitHub's rules ask the same texts of notifications as of rules.
            let words = |words: String| MultiformatMessageString::builder().text(words).build();
            let summary = format!("Problem with an input: {}", code.replace('-', " "));
            ReportingDescriptor::builder()
                .id(code)
                .short_description(words(summary.clone()))
                .full_description(words(format!(
                    "{summary}. What it concerns was not checked, or not wholly."
                )))
                .help(words(
                    "The message of each notification names the place and what to do.".to_owned(),
                ))
                .build()
        })
        .collect()
}

fn invocation(outcome: &Outcome) -> Invocation {
    let mut notifications: Vec<Notification> = outcome
        .diagnostics
        .iter()
        .map(|item| notification(&outcome.sources, item))
        .collect();
    let missing = left_out(outcome);
    if missing > 0 {
        let words = format!(
            "{missing} findings of lesser severity are not in this report; code scanning shows {RESULTS}"
        );
        let mut note = Notification::builder().message(text(words)).build();
        note.level = Some(json!("warning"));
        note.descriptor = Some(ReportingDescriptorReference::builder().id(LEFT_OUT).build());
        notifications.push(note);
    }
    Invocation::builder()
        .execution_successful(!outcome.internal)
        .tool_execution_notifications(notifications)
        .build()
}

fn notification(sources: &Sources, item: &Diagnostic) -> Notification {
    let mut note = Notification::builder()
        .message(text(plain(&item.message)))
        .descriptor(
            ReportingDescriptorReference::builder()
                .id(item.code)
                .build(),
        )
        .build();
    note.level = Some(json!(item.level.as_str()));
    let place = item
        .span
        .and_then(|span| Located::of(sources, span))
        .or_else(|| item.path.clone().map(Located::file));
    note.locations = place.map(|place| vec![location(&place)]);
    note
}
