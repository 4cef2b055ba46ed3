//! One run: discover, read and evaluate, lower, link, check, settle.
//!
//! Not for printing. Invariant: stages run in this order and each gives all its results before the
//! next begins; only inside a stage is work parallel.

use crate::front::{self, Input};
use crate::outcome::{Counts, Outcome, Policies, Reported, Stage, Summary, Suppressed};
use crate::settle::{self, Markers, Suppressions};
use crate::unwind::{INTERNAL, guarded};
use crate::{Config, Discovery, Error, Options, Selection, Texts, config, discover};
use overgrant_access::Access;
use overgrant_finding::Finding;
use overgrant_ir::{DocumentRole, Model};
use overgrant_policy::Resolution;
use overgrant_rules::{Context, Rule};
use overgrant_source::{Diagnostic, Sources, Span};
use rayon::prelude::*;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::mem::{Discriminant, discriminant};
use std::sync::Arc;
use std::time::Instant;

/// Stack of a worker: evaluation and parsing recurse, with their own limits.
const STACK: usize = 16 << 20;

/// Checks what `options` name on disk.
///
/// # Errors
/// See [`Error`]; problems with single inputs are diagnostics of the outcome.
pub fn check(options: &Options) -> Result<Outcome, Error> {
    check_over(options, &Texts::new())
}

/// [`check`] with `texts` in the place of files.
///
/// # Errors
/// As [`check`].
pub(crate) fn check_over(options: &Options, texts: &Texts) -> Result<Outcome, Error> {
    let mut clock = Clock::new();
    let found = discover(options)?;
    let mut sources = Sources::new(&found.base);
    for dir in &options.allow {
        sources = sources.allow(dir);
    }
    for (path, text) in texts {
        sources.add(path, text);
    }
    clock.stage("discover");
    run(&Arc::new(sources), &found, options, clock)
}

/// Checks the files `found` of `sources`, which may hold texts that are on no disk.
///
/// # Errors
/// As [`check`].
pub fn check_in(
    sources: &Arc<Sources>,
    found: &Discovery,
    options: &Options,
) -> Result<Outcome, Error> {
    run(sources, found, options, Clock::new())
}

fn run(
    sources: &Arc<Sources>,
    found: &Discovery,
    options: &Options,
    clock: Clock,
) -> Result<Outcome, Error> {
    let selection = Selection::new(&options.select, &options.ignore)?;
    let config = read_configuration(sources, options)?;
    let work = move || stages(sources, found, options, &config, &selection, clock);
    pooled(options, work)
}

/// Runs `work` on the threads that the options ask for, with room for recursion.
pub(crate) fn pooled<T: Send>(options: &Options, work: impl FnOnce() -> T + Send) -> T {
    let pool = rayon::ThreadPoolBuilder::new()
        .num_threads(options.threads.unwrap_or(0))
        .stack_size(STACK)
        .build();
    match pool {
        Ok(pool) => pool.install(work),
        Err(_) => work(),
    }
}

/// The configuration that a run with these options would use.
///
/// # Errors
/// A PATH or root that is missing, and a file that cannot be read or is wrong.
pub fn configuration(options: &Options) -> Result<Config, Error> {
    let base = crate::discover::Base::of(options)?;
    read_configuration(&Sources::new(&base.base), options)
}

pub(crate) fn read_configuration(sources: &Sources, options: &Options) -> Result<Config, Error> {
    match &options.config {
        Some(path) => {
            let shown = path.display().to_string();
            let text = std::fs::read_to_string(path).map_err(|error| Error::Config {
                path: shown.clone(),
                message: format!("cannot be read: {error}"),
            })?;
            Config::read(&shown, &text)
        }
        None if sources.exists(config::NAME) => {
            let file = sources.load(config::NAME).map_err(|error| Error::Config {
                path: config::NAME.to_owned(),
                message: error.to_string(),
            })?;
            Config::read(config::NAME, file.text())
        }
        None => Ok(Config::default()),
    }
}

/// Resource instances from which on a model is given back before the findings are settled.
const LARGE: usize = 10_000;

fn stages(
    sources: &Arc<Sources>,
    found: &Discovery,
    options: &Options,
    config: &Config,
    selection: &Selection,
    mut clock: Clock,
) -> Result<Outcome, Error> {
    let mut diagnostics = found.diagnostics.clone();
    let mut input = front::read(sources, found, config, options)?;
    diagnostics.append(&mut input.diagnostics);
    clock.stage("evaluate");
    let uses = settle::Uses::new(&input.resources);
    let headers = settle::Headers::new(&input.resources);
    let framework = settle::Framework::new(&input.resources);
    let markers = Markers::new(sources, &input.comments, &input.resources, &mut diagnostics);
    drop(std::mem::take(&mut input.comments));
    let resources = std::mem::take(&mut input.resources);
    let instances = resources.len();
    let outputs = std::mem::take(&mut input.outputs);
    let lower = move || {
        let mut model = overgrant_ir::lower(resources);
        overgrant_ir::lower_outputs(&mut model, &outputs);
        model
    };
    let mut model = guarded("lowering", lower).unwrap_or_else(|caught| {
        diagnostics.push(caught);
        Model::default()
    });
    input.frame(config, &mut model.accounts);
    clock.stage("lower");
    let (mut findings, mut rule_timing) = (Vec::new(), Vec::new());
    let mut clock = {
        let access = guarded("linking", || Access::new(&model));
        clock.stage("link");
        match access {
            Ok(access) => {
                (findings, rule_timing) =
                    judge(selection.rules(), &access, config, &mut diagnostics);
            }
            Err(caught) => diagnostics.push(caught),
        }
        clock.stage("check");
        clock
    };
    let policies = policies(sources, found, &model);
    // A large model makes room for the findings; giving a small one back only costs time.
    let kept = (instances < LARGE).then_some(model);
    for finding in &mut findings {
        framework.soften(finding);
        if let Some(&severity) = config.severity.get(finding.rule) {
            finding.severity = severity;
        }
        settle::move_to_use(&headers, finding);
        settle::move_into_repository(sources, &found.assemblies, &input.calls, finding);
    }
    let findings = settle::subsume(settle::merge(findings, &uses));
    let today = today(options);
    let suppressions = Suppressions::new(
        sources,
        markers,
        std::mem::take(&mut input.metadata),
        (
            config.path.as_deref().unwrap_or(config::NAME),
            &config.ignore,
        ),
        &today,
        &mut diagnostics,
    );
    let (shown, suppressed, hidden, unused) =
        sift(sources, found, options, selection, findings, suppressions);
    diagnostics.extend(unused);
    let diagnostics = ordered(sources, found, diagnostics);
    let mut summary = summary(
        sources,
        &input,
        policies,
        &diagnostics,
        &shown,
        hidden,
        suppressed.len(),
    );
    summary.instances = instances;
    let internal = diagnostics.iter().any(|d| d.code == INTERNAL);
    clock.stage("settle");
    Ok(Outcome {
        sources: Arc::clone(sources),
        rules: selection.rules().to_vec(),
        findings: shown,
        suppressed,
        diagnostics,
        summary,
        timing: clock.stages,
        rule_timing,
        internal,
        _model: kept,
    })
}

/// Runs the rules in parallel, and tells how long each took; a panic costs one rule.
fn judge(
    rules: &[&'static Rule],
    access: &Access<'_>,
    config: &Config,
    diagnostics: &mut Vec<Diagnostic>,
) -> (Vec<Finding>, Vec<Stage>) {
    let results: Vec<(Stage, Result<Vec<Finding>, Diagnostic>)> = rules
        .par_iter()
        .filter(|rule| config.settings.speaks(rule.scope))
        .map(|rule| {
            let start = Instant::now();
            let found = guarded(&format!("rule {}", rule.id), || {
                Context::new(rule, access, &config.settings).run()
            });
            let stage = Stage {
                name: rule.id,
                time: start.elapsed(),
            };
            (stage, found)
        })
        .collect();
    let (mut findings, mut timing) = (Vec::new(), Vec::new());
    for (stage, result) in results {
        timing.push(stage);
        match result {
            Ok(found) => findings.extend(found),
            Err(caught) => diagnostics.push(caught),
        }
    }
    (findings, timing)
}

type Sifted = (Vec<Reported>, Vec<Reported>, Counts, Vec<Diagnostic>);

/// Places, fingerprints, suppressions and thresholds.
fn sift(
    sources: &Sources,
    found: &Discovery,
    options: &Options,
    selection: &Selection,
    findings: Vec<Finding>,
    mut suppressions: Suppressions<'_>,
) -> Sifted {
    let mut writer = settle::Writer::new(sources, &found.assemblies);
    let mut all: Vec<Reported> = findings
        .into_iter()
        .filter_map(|mut finding| {
            let rule = overgrant_rules::find(finding.rule)?;
            finding.message = one_line(&finding.message);
            let place = settle::located(sources, &finding);
            let chosen = found.selects(&place.path) || found.selects(&finding.root);
            chosen.then_some(Reported {
                fix: None,
                finding,
                rule,
                place,
                suppressed: None,
            })
        })
        .collect();
    settle::sort(&mut all);
    overgrant_finding::assign(all.iter_mut().map(|reported| &mut reported.finding));
    let (mut open, mut suppressed) = (Vec::new(), Vec::new());
    for mut reported in all {
        let reason: Option<Suppressed> = suppressions.find(sources, &reported);
        if reason.is_some() {
            reported.suppressed = reason;
            suppressed.push(reported);
        } else {
            open.push(reported);
        }
    }
    let (mut shown, mut hidden) = (Vec::new(), Counts::default());
    for mut reported in settle::once_each(settle::fold(open)) {
        let below = reported.finding.severity < options.min_severity
            || reported.finding.confidence < options.min_confidence;
        if below {
            hidden.add(reported.finding.severity);
        } else {
            reported.fix = writer.fix(&reported.finding);
            shown.push(reported);
        }
    }
    let unused = suppressions.unused(|id| selection.has(id));
    (shown, suppressed, hidden, unused)
}

/// A message of names from inputs must stay on its line.
fn one_line(text: &str) -> String {
    text.chars()
        .map(|c| if c.is_control() { ' ' } else { c })
        .collect()
}

/// Diagnostics of selected files and of none, sorted, each once.
fn ordered(sources: &Sources, found: &Discovery, diagnostics: Vec<Diagnostic>) -> Vec<Diagnostic> {
    let mut all: Vec<Diagnostic> = diagnostics
        .into_iter()
        .map(|mut diagnostic| {
            diagnostic.message = one_line(&diagnostic.message);
            diagnostic
        })
        .filter(|diagnostic| {
            let path = diagnostic.path.as_deref();
            path.is_none_or(|path| found.selects(path) || !settle::is_foreign(path))
        })
        .collect();
    all.sort_by_cached_key(|diagnostic| {
        let place = diagnostic
            .span
            .and_then(|span| sources.locate(span))
            .map(|(_, start, end)| (start, end));
        (
            diagnostic.path.clone(),
            place,
            diagnostic.code,
            diagnostic.message.clone(),
        )
    });
    all.dedup();
    all
}

fn summary(
    sources: &Sources,
    input: &Input,
    policies: Policies,
    diagnostics: &[Diagnostic],
    shown: &[Reported],
    hidden: Counts,
    suppressed: usize,
) -> Summary {
    let lost: BTreeSet<&str> = diagnostics
        .iter()
        .filter(|diagnostic| diagnostic.not_parsed)
        .filter_map(|diagnostic| diagnostic.path.as_deref())
        .collect();
    let mut findings = Counts::default();
    for reported in shown {
        findings.add(reported.finding.severity);
    }
    let read = sources.files();
    let bytes = read
        .iter()
        .filter(|file| input.files.contains(file.path()))
        .map(|file| file.text().len() as u64)
        .sum();
    let files = input.files.iter().filter(|path| !lost.contains(&***path));
    Summary {
        files: files.count(),
        bytes,
        instances: 0,
        not_parsed: lost.len(),
        policies,
        findings,
        hidden,
        suppressed,
    }
}

/// A block and what its document is for.
type Holding = (Span, Discriminant<DocumentRole>);

/// The rank of a context that stands for any number of instances.
const OPEN_INSTANCES: u8 = 2;

/// Counts documents by their place in the source. The worst of several contexts counts; one under a
/// guard counts where there is none without, and one that stands for any number of instances (a
/// wrapper over unknown items) where there is no other and something of it is written down.
fn policies(sources: &Sources, found: &Discovery, model: &Model) -> Policies {
    let mut places: BTreeMap<Span, (u8, Resolution, Option<Holding>)> = BTreeMap::new();
    // The best rank of each block for a role of documents: what a wrapper leaves open there has
    // another place than the document that other uses give.
    let mut blocks: HashMap<Holding, u8> = HashMap::new();
    let mut policies = Policies::default();
    let mut open: BTreeSet<String> = BTreeSet::new();
    for document in &model.documents {
        let span = document
            .document
            .src
            .span
            .or(document.argument_src.span)
            .or(document.place.src.span);
        let Some(span) = span else {
            continue;
        };
        let path = sources.get(span.file);
        if !path
            .is_some_and(|file| found.selects(file.path()) || found.selects(&document.place.root))
        {
            continue;
        }
        let resolution = document.document.resolution;
        let place = &document.place;
        let rank = match (place.maybe, place.guard.is_always()) {
            (false, true) => 0,
            (false, false) => 1,
            (true, _) => OPEN_INSTANCES,
        };
        let block = place
            .src
            .span
            .map(|span| (span, discriminant(&document.role)));
        if let Some(block) = block {
            let best = blocks.entry(block).or_insert(rank);
            *best = rank.min(*best);
        }
        let known = places.entry(span).or_insert((rank, resolution, block));
        if rank == known.0 {
            known.1 = resolution.max(known.1);
        } else if rank < known.0 {
            *known = (rank, resolution, block);
        }
        if resolution != Resolution::Resolved {
            open.extend(
                document
                    .document
                    .open
                    .iter()
                    .map(|sym| one_line(&sym.to_string())),
            );
        }
    }
    places.retain(|_, (rank, resolution, block)| {
        let best = block.and_then(|block| blocks.get(&block));
        let is_only = best.is_none_or(|best| *best == *rank);
        *rank < OPEN_INSTANCES || is_only && *resolution != Resolution::Unresolved
    });
    policies.total = places.len();
    for (_, resolution, _) in places.into_values() {
        match resolution {
            Resolution::Resolved => policies.resolved += 1,
            Resolution::Partial => policies.partial += 1,
            Resolution::Unresolved => policies.unresolved += 1,
        }
    }
    policies.open = open.into_iter().collect();
    policies
}

fn today(options: &Options) -> String {
    options
        .today
        .clone()
        .unwrap_or_else(|| jiff::Zoned::now().date().to_string())
}

/// Times of the stages.
struct Clock {
    last: Instant,
    stages: Vec<Stage>,
}

impl Clock {
    fn new() -> Self {
        Self {
            last: Instant::now(),
            stages: Vec::new(),
        }
    }

    /// Ends a stage.
    fn stage(&mut self, name: &'static str) {
        let now = Instant::now();
        self.stages.push(Stage {
            name,
            time: now.duration_since(self.last),
        });
        self.last = now;
    }
}
