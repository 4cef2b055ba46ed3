//! `cargo dev slow`: what is too slow for every change.
//!
//! Long random runs of the policy engine against our generator's table and against itself, brute force
//! over small alphabets, and the cost of fixed questions against recorded figures. Not for wall times.
//! Invariant: every figure is the same on each machine with the same tool chain,
//! however this task itself was built.

use crate::repository;
use crate::tasks::cases;
use crate::tasks::policy::case::Case;
use anyhow::{Context as _, Result, bail, ensure};
use overgrant_catalog::Catalog;
use overgrant_policy::{Document, Stack, engine};
use overgrant_value::{Src, Text, Val};
use serde_json::Value;
use std::collections::BTreeMap;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Recorded cost of the fixed questions.
const COST: &str = "testdata/oracles/policy/cost.tsv";
/// Policies of the fixed questions: every nth managed policy.
const EVERY: usize = 16;

/// Arguments of `cargo dev slow`.
#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// Cases of each random run
    #[arg(long, default_value_t = 100_000)]
    cases: usize,
    /// Where the random sequences start
    #[arg(long, default_value_t = 1_000)]
    seed: u64,
    /// Write the figures of the fixed questions instead of comparing them
    #[arg(long)]
    record: bool,
    /// Only ask the fixed questions
    #[arg(long, hide = true)]
    child: bool,
}

/// Runs the task.
///
/// # Errors
/// Where a decision is not the intended one, a test fails, or a figure is out of its range.
pub(crate) fn run(arguments: &Arguments) -> Result<()> {
    if arguments.child {
        return steps().map(drop);
    }
    let root = repository::root()?;
    cost(&root, arguments.record)?;
    if arguments.record {
        return Ok(());
    }
    decisions(arguments)?;
    tests(&root, arguments)
}

fn say(line: &str) -> Result<()> {
    writeln!(std::io::stdout(), "{line}").context("cannot write to standard output")
}

/// Decides the cases of our generator.
fn decisions(arguments: &Arguments) -> Result<()> {
    for case in cases::cases(arguments.seed).take(arguments.cases) {
        let read = Case::of(&case)?;
        let got = read.decide()?.verdict().as_str();
        if read.expect.as_deref() != Some(got) {
            bail!("got {got} for {case}");
        }
    }
    say(&format!("decisions: {} as intended", arguments.cases))
}

/// The engines against each other and brute force, which are tests that take longer when asked to.
fn tests(root: &Path, arguments: &Arguments) -> Result<()> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let pairs = (arguments.cases / 10).max(1).to_string();
    let status = Command::new(cargo)
        .args(["test", "--release", "--package", "overgrant-policy", "--"])
        .args([
            "--include-ignored",
            "--skip",
            "figures",
            "--skip",
            "slowest",
        ])
        .env("OVERGRANT_CASES", pairs)
        .env("OVERGRANT_SEED", arguments.seed.to_string())
        .current_dir(root)
        .status()
        .context("cannot start cargo")?;
    ensure!(
        status.success(),
        "the slow tests of overgrant-policy failed"
    );
    Ok(())
}

/// Compares what the fixed questions cost with the recorded figures.
fn cost(root: &Path, record: bool) -> Result<()> {
    let mut figures: BTreeMap<&str, u64> = BTreeMap::new();
    figures.insert("steps", steps()?);
    match instructions(root)? {
        Some(count) => {
            figures.insert("instructions", count);
        }
        None => say("instructions: skipped, there is no valgrind")?,
    }
    let path = root.join(COST);
    if record {
        let mut text = "figure\tvalue\tpercent that it may grow\n".to_owned();
        for (name, value) in &figures {
            let percent = if *name == "steps" { 2 } else { 10 };
            text.push_str(&format!("{name}\t{value}\t{percent}\n"));
        }
        return std::fs::write(&path, text).with_context(|| path.display().to_string());
    }
    let text = std::fs::read_to_string(&path).with_context(|| path.display().to_string())?;
    for line in text.lines().skip(1) {
        let cells: Vec<&str> = line.split('\t').collect();
        let [name, value, percent] = cells.as_slice() else {
            bail!("{COST}: not three cells: {line:?}");
        };
        let Some(now) = figures.get(name) else {
            continue;
        };
        let (before, percent) = (value.parse::<u64>()?, percent.parse::<u64>()?);
        say(&format!("{name}: {now}, recorded {before}"))?;
        ensure!(
            now * 100 <= before * (100 + percent),
            "{name} grew by more than {percent} %; if that is worth it, `cargo dev slow --record`"
        );
    }
    Ok(())
}

/// Steps of the search over all pairs of some managed policies.
fn steps() -> Result<u64> {
    let documents: Vec<Document> = Catalog::embedded()
        .managed_policies()
        .step_by(EVERY)
        .map(|policy| Document::from_val(&Val::text(Text::known(policy.document()), Src::none())))
        .collect();
    let stacks: Vec<Stack<'_>> = documents
        .iter()
        .map(|document| Stack::identity(vec![document]))
        .collect();
    let prepared: Vec<engine::Prepared<'_>> = stacks.iter().map(engine::Prepared::new).collect();
    let limits = engine::Limits::default();
    let mut steps = 0;
    for new in &prepared {
        for old in &prepared {
            steps += engine::difference_prepared(new, old, &limits).steps as u64;
        }
    }
    ensure!(steps > 0, "no question took a step");
    Ok(steps)
}

/// Instructions of a process that asks the fixed questions; `None` without valgrind. The process is
/// always a release build: what an unoptimised one takes says nothing.
fn instructions(root: &Path) -> Result<Option<u64>> {
    if Command::new("valgrind").arg("--version").output().is_err() {
        return Ok(None);
    }
    let output = Command::new("valgrind")
        .args(["--tool=callgrind", "--callgrind-out-file=/dev/null"])
        .arg(released(root)?)
        .args(["slow", "--child"])
        .output()
        .context("cannot start valgrind")?;
    let told = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success(), "valgrind: {told}");
    let count = told
        .lines()
        .find_map(|line| line.split_once("Collected :"))
        .and_then(|(_, count)| count.trim().parse().ok());
    count.map(Some).context("valgrind names no figure")
}

/// The release build of this program, built where it is not up to date.
fn released(root: &Path) -> Result<PathBuf> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let output = Command::new(cargo)
        .args(["build", "--release", "--package", "overgrant-dev"])
        .arg("--message-format=json-render-diagnostics")
        .stderr(std::process::Stdio::inherit())
        .current_dir(root)
        .output()
        .context("cannot start cargo")?;
    ensure!(output.status.success(), "the release build failed");
    executable(&String::from_utf8_lossy(&output.stdout))
        .context("cargo names no executable of overgrant-dev")
}

/// The executable that cargo's messages name last.
fn executable(messages: &str) -> Option<PathBuf> {
    let made = messages.lines().rev().find_map(|line| {
        let message: Value = serde_json::from_str(line).ok()?;
        Some(message.get("executable")?.as_str()?.to_owned())
    });
    made.map(PathBuf::from)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cargo_tells_where_the_program_is() {
        let messages = r#"{"reason":"compiler-artifact","executable":null}
{"reason":"compiler-artifact","executable":"/t/release/overgrant-dev"}
{"reason":"build-finished","success":true}"#;
        let wanted = PathBuf::from("/t/release/overgrant-dev");
        assert_eq!(executable(messages), Some(wanted));
        assert_eq!(executable(""), None);
    }

    /// The cheap half of the guard runs with every change.
    #[test]
    fn steps_are_as_recorded() {
        let path = repository::root().unwrap().join(COST);
        let text = std::fs::read_to_string(path).unwrap();
        let line = text.lines().find_map(|line| line.strip_prefix("steps\t"));
        let before: u64 = line.unwrap().split('\t').next().unwrap().parse().unwrap();
        let now = steps().unwrap();
        assert!(now * 100 <= before * 102, "{now} steps, recorded {before}");
    }
}
