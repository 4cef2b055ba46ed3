//! `cargo dev oracle`: our decisions against recorded ones of another implementation.
//!
//! Not for running the other implementation: it writes a file first. Invariant: the last line is
//! `agree N disagree M`, and any disagreement makes the exit code 1. Differences that are known and
//! justified (see [`known`]) are counted apart, by name.

mod known;

use crate::tasks::policy::case::Case;
use anyhow::{Context as _, Result, bail};
use serde_json::Value;
use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::PathBuf;

/// Arguments of `cargo dev oracle`.
#[derive(clap::Args)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    subject: Subject,
}

#[derive(clap::Subcommand)]
enum Subject {
    /// Policy decisions: JSON lines with policies, a request and the expected decision in `expect`
    Policy {
        /// The cases
        file: PathBuf,
        /// Decisions by line (`{"id": 1, "decision": "Allowed"}`), where the cases have no `expect`
        #[arg(long)]
        decisions: Option<PathBuf>,
    },
}

/// Runs the task.
///
/// # Errors
/// Where a file cannot be read, a line is no case, or a decision differs.
pub(crate) fn run(arguments: &Arguments) -> Result<()> {
    let Subject::Policy { file, decisions } = &arguments.subject;
    let lines = |path: &PathBuf| -> Result<Vec<String>> {
        let file = std::fs::File::open(path).with_context(|| path.display().to_string())?;
        BufReader::new(file)
            .lines()
            .collect::<std::io::Result<_>>()
            .with_context(|| path.display().to_string())
    };
    let decisions = decisions.as_ref().map(lines).transpose()?;
    let readings = known::readings()?;
    let (mut agree, mut disagree) = (0_usize, 0_usize);
    let mut known: BTreeMap<String, usize> = BTreeMap::new();
    let mut out = std::io::stdout().lock();
    for (index, line) in lines(file)?.iter().enumerate() {
        if line.trim().is_empty() {
            continue;
        }
        let json: Value =
            serde_json::from_str(line).with_context(|| format!("line {}: no JSON", index + 1))?;
        let case = Case::of(&json).with_context(|| format!("line {}", index + 1))?;
        let expected = match &decisions {
            None => case.expect.clone(),
            Some(decisions) => match decisions.get(index) {
                Some(line) => serde_json::from_str::<Value>(line)?
                    .get("decision")
                    .and_then(|decision| decision.as_str().map(str::to_owned)),
                None => None,
            },
        };
        let Some(expected) = expected else { continue };
        let got = case.decide()?.verdict().as_str();
        if got == expected {
            agree += 1;
            continue;
        }
        let decide = |json: &Value| {
            let outcome = Case::of(json).ok()?.decide().ok()?;
            Some(outcome.verdict().as_str().to_owned())
        };
        if let Some(names) = known::explain(&readings, &json, &expected, decide) {
            *known.entry(names.join(" with ")).or_default() += 1;
            continue;
        }
        disagree += 1;
        if disagree <= 10 {
            writeln!(out, "case {}: expected {expected}, got {got}", case.id)?;
        }
    }
    let total: usize = known.values().sum();
    if total > 0 {
        writeln!(
            out,
            "known {total}, for reasons in testdata/oracles/policy/known.tsv:"
        )?;
        for (names, count) in &known {
            writeln!(out, "  {count} {names}")?;
        }
    }
    writeln!(out, "agree {agree} disagree {disagree}")?;
    if disagree > 0 {
        bail!("{disagree} decisions differ");
    }
    Ok(())
}
