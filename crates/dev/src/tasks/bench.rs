//! `cargo dev bench DIR…`: how long a run takes, and how much memory.
//!
//! Every run is a process of its own, so that the peak of memory is that of one run. Not for
//! regressions in CI, where times vary. Invariant: the figures are those of the fastest run, and the
//! limits beside them are the ones that a run has to keep at one thread ([`Limits`]).

use anyhow::{Context as _, Result, bail};
use overgrant_engine::Stage;
use overgrant_report::{Format, Style};
use serde_json::{Value, json};
use std::path::{Path, PathBuf};
use std::process::Command;

/// Rules that are named as the slowest.
const SLOWEST: usize = 8;

#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// Directories to check, each by itself
    #[arg(required = true)]
    directories: Vec<PathBuf>,
    /// Runs of each directory
    #[arg(long, default_value_t = 5)]
    runs: usize,
    /// Threads of a run; one per processor by default
    #[arg(long)]
    threads: Option<usize>,
    /// Tell also which rules took longest
    #[arg(long)]
    rules: bool,
    /// Do one run here and print its figures as JSON
    #[arg(long, hide = true)]
    child: bool,
}

pub(crate) fn run(arguments: &Arguments) -> Result<()> {
    if arguments.child {
        let directory = arguments.directories.first().context("no directory")?;
        let figures = measure(directory, arguments.threads)?;
        return say(&figures.to_string());
    }
    if cfg!(debug_assertions) {
        say("note: a debug build; use `cargo run --release --package overgrant-dev -- bench DIR`")?;
    }
    for directory in &arguments.directories {
        let mut best: Option<Value> = None;
        for _ in 0..arguments.runs.max(1) {
            let figures = child(directory, arguments.threads)?;
            let faster = best
                .as_ref()
                .is_none_or(|known| number(&figures, "micros") < number(known, "micros"));
            if faster {
                best = Some(figures);
            }
        }
        if let Some(figures) = best {
            say(&describe(directory, &figures))?;
            if arguments.rules {
                say(&slowest(&figures))?;
            }
        }
    }
    Ok(())
}

/// Runs this program once more for one run.
fn child(directory: &Path, threads: Option<usize>) -> Result<Value> {
    let mut command = Command::new(std::env::current_exe()?);
    command.args(["bench", "--child"]).arg(directory);
    if let Some(threads) = threads {
        command.args(["--threads", &threads.to_string()]);
    }
    let output = command.output().context("cannot start a run")?;
    if !output.status.success() {
        bail!("{}", String::from_utf8_lossy(&output.stderr));
    }
    Ok(serde_json::from_slice(&output.stdout)?)
}

fn measure(directory: &Path, threads: Option<usize>) -> Result<Value> {
    let options = overgrant_engine::Options {
        paths: vec![directory.to_owned()],
        root: Some(directory.to_owned()),
        threads,
        ..overgrant_engine::Options::default()
    };
    let start = std::time::Instant::now();
    let outcome = overgrant_engine::check(&options)?;
    let checked = start.elapsed();
    let style = Style {
        version: env!("CARGO_PKG_VERSION"),
        iam_data: String::new(),
        color: false,
        width: 80,
        show_suppressed: false,
        timing: false,
    };
    let sarif = overgrant_report::render(Format::Sarif, &outcome, &style);
    let micros = start.elapsed().as_micros();
    let mut stages: Vec<Value> = outcome
        .timing
        .iter()
        .map(|stage| json!([stage.name, stage.time.as_micros()]))
        .collect();
    stages.push(json!(["report", (start.elapsed() - checked).as_micros()]));
    let mut rules: Vec<&Stage> = outcome.rule_timing.iter().collect();
    rules.sort_by_key(|rule| std::cmp::Reverse(rule.time));
    let rules: Vec<Value> = rules
        .into_iter()
        .take(SLOWEST)
        .map(|rule| json!([rule.name, rule.time.as_micros()]))
        .collect();
    Ok(json!({
        "rules": rules,
        "micros": micros,
        "files": outcome.summary.files,
        "not_parsed": outcome.summary.not_parsed,
        "bytes": outcome.summary.bytes,
        "instances": outcome.summary.instances,
        "findings": outcome.summary.findings.total(),
        "peak_kib": peak_kib(),
        "cpu_micros": cpu_micros(),
        "sarif_bytes": sarif.len(),
        "stages": stages,
    }))
}

/// The largest resident memory of this process so far, where the system says it.
fn peak_kib() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find(|line| line.starts_with("VmHWM:"))?;
    line.split_whitespace().nth(1)?.parse().ok()
}

/// The time that this process has worked so far, on all processors, where the system says it.
fn cpu_micros() -> Option<u64> {
    // Fields 14 and 15 of proc(5) `stat`, in hundredths of a second; 12 and 13 behind the name.
    let stat = std::fs::read_to_string("/proc/self/stat").ok()?;
    let (_, fields) = stat.rsplit_once(')')?;
    let ticks = |at: usize| -> Option<u64> { fields.split_whitespace().nth(at)?.parse().ok() };
    Some((ticks(11)? + ticks(12)?) * 10_000)
}

/// The same in MiB, 0 where the system does not say.
#[expect(clippy::cast_precision_loss, reason = "a figure for people")]
pub(super) fn peak_mib() -> f64 {
    peak_kib().unwrap_or(0) as f64 / 1024.0
}

fn number(figures: &Value, key: &str) -> u64 {
    figures.get(key).and_then(Value::as_u64).unwrap_or(0)
}

/// What a run may cost.
struct Limits {
    /// CPU time: 10 MB of parsed input a second, and 0.2 ms for each instance of a resource.
    cpu_seconds: f64,
    /// Memory: 64 MB and ten times the bytes of the parsed files.
    peak_megabytes: f64,
}

impl Limits {
    #[expect(clippy::cast_precision_loss, reason = "figures for people")]
    fn of(bytes: u64, instances: u64) -> Self {
        let megabytes = bytes as f64 / 1e6;
        Self {
            cpu_seconds: megabytes / 10.0 + instances as f64 * 0.2e-3,
            peak_megabytes: 64.0 + megabytes * 10.0,
        }
    }
}

/// Whether a figure keeps its limit, in a word.
fn verdict(figure: f64, limit: f64) -> &'static str {
    if figure <= limit { "within" } else { "OVER" }
}

#[expect(clippy::cast_precision_loss, reason = "figures for people")]
fn describe(directory: &Path, figures: &Value) -> String {
    let seconds = number(figures, "micros").max(1) as f64 / 1e6;
    let cpu = number(figures, "cpu_micros") as f64 / 1e6;
    let bytes = number(figures, "bytes");
    let instances = number(figures, "instances");
    let peak = number(figures, "peak_kib") as f64 * 1024.0 / 1e6;
    let limits = Limits::of(bytes, instances);
    let mut text = format!(
        "{}\n  {:.0} ms CPU of {:.0} ({:.2} MB, {instances} instances): {}; peak {:.1} MB of {:.1}: {}\n  {:.1} ms to SARIF, {} files ({} not parsed), {:.0} files/s, {:.1} MB/s, {} findings\n ",
        directory.display(),
        cpu * 1e3,
        limits.cpu_seconds * 1e3,
        bytes as f64 / 1e6,
        verdict(cpu, limits.cpu_seconds),
        peak,
        limits.peak_megabytes,
        verdict(peak, limits.peak_megabytes),
        seconds * 1e3,
        number(figures, "files"),
        number(figures, "not_parsed"),
        number(figures, "files") as f64 / seconds,
        bytes as f64 / seconds / 1e6,
        number(figures, "findings"),
    );
    text.push_str(&times(figures, "stages"));
    text
}

/// The rules that took longest.
fn slowest(figures: &Value) -> String {
    format!("  slowest rules:{}", times(figures, "rules"))
}

/// The names and times of a list.
#[expect(clippy::cast_precision_loss, reason = "figures for people")]
fn times(figures: &Value, list: &str) -> String {
    let mut text = String::new();
    let list = figures.get(list).and_then(Value::as_array);
    for one in list.into_iter().flatten() {
        if let (Some(name), Some(micros)) = (
            one.get(0).and_then(Value::as_str),
            one.get(1).and_then(Value::as_u64),
        ) {
            text.push_str(&format!(" {name} {:.1} ms", micros as f64 / 1e3));
        }
    }
    text
}

fn say(line: &str) -> Result<()> {
    use std::io::Write as _;
    writeln!(std::io::stdout(), "{line}").context("cannot write to standard output")
}
