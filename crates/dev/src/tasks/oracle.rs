//! `cargo dev oracle`: our decisions and expansions against recorded ones of another implementation.
//!
//! Not for running the other implementation: it writes a file first. Invariant: the last line is
//! `agree N disagree M`, and any disagreement makes the exit code 1. Differences that are known and
//! justified (see [`known`]) are counted apart, by name.

mod expansion;
mod history;
mod known;
mod syntax;
mod terraform;

use crate::tasks::policy::case::Case;
use anyhow::{Context as _, Result, bail};
use expansion::Layout;
use serde_json::Value;
use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::{Path, PathBuf};

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
    /// The versions of AWS-managed policies: what each version adds and takes away is checked request
    /// by request
    History {
        /// A map from policy names to `versions`, each with its `document`
        file: PathBuf,
    },
    /// Terraform's answers: a file like `cases.jsonl`, or a folder like `projects`
    Terraform {
        /// The file or folder; both recorded ones if it is left out
        path: Option<PathBuf>,
    },
    /// Which `.tf` files of a folder parse: ours against `terraform fmt`, which must be on the PATH
    Syntax {
        /// The folder
        dir: PathBuf,
    },
    /// SAM templates (`in/NAME.yaml`) and what they expand to (`out/NAME.json`, `out/NAME.error.txt`)
    Sam {
        /// The folder
        #[arg(default_value = "testdata/oracles/sam")]
        dir: PathBuf,
    },
    /// Templates with `Fn::ForEach` (`NAME.yaml`) and what they expand to (`NAME.expected.json`)
    Foreach {
        /// The folder
        #[arg(default_value = "testdata/oracles/foreach")]
        dir: PathBuf,
    },
}

/// Runs the task.
///
/// # Errors
/// Where a file cannot be read, a line is no case, or a decision differs.
pub(crate) fn run(arguments: &Arguments) -> Result<()> {
    match &arguments.subject {
        Subject::Policy { file, decisions } => policy(file, decisions.as_ref()),
        Subject::History { file } => history::compare(file),
        Subject::Terraform { path } => answers(path.as_deref()),
        Subject::Syntax { dir } => files(dir),
        Subject::Sam { dir } => expansions(Layout::Sam, dir),
        Subject::Foreach { dir } => expansions(Layout::Loops, dir),
    }
}

fn answers(path: Option<&Path>) -> Result<()> {
    let recorded = Path::new("testdata/oracles/terraform");
    let paths = match path {
        Some(path) => vec![path.to_owned()],
        None => ["cases.jsonl", "tfvars.jsonl", "projects"]
            .map(|name| recorded.join(name))
            .to_vec(),
    };
    let (mut agree, mut misses) = (0, 0);
    let mut out = std::io::stdout().lock();
    for path in paths {
        let tally = terraform::compare(&path)?;
        for (name, miss) in &tally.misses {
            writeln!(out, "{name}: {miss}")?;
        }
        for (reason, count) in &tally.known {
            writeln!(out, "known {count}: {reason}")?;
        }
        agree += tally.agree;
        misses += tally.misses.len();
    }
    writeln!(out, "agree {agree} disagree {misses}")?;
    if misses > 0 {
        bail!("{misses} answers differ");
    }
    Ok(())
}

fn files(dir: &Path) -> Result<()> {
    let tally = syntax::compare(dir)?;
    let mut out = std::io::stdout().lock();
    for (name, miss) in &tally.misses {
        writeln!(out, "{name}: {miss}")?;
    }
    let misses = tally.misses.len();
    writeln!(out, "{} refused by both", tally.refused)?;
    writeln!(out, "agree {} disagree {misses}", tally.agree)?;
    if misses > 0 {
        bail!("{misses} files differ");
    }
    Ok(())
}

fn expansions(layout: Layout, dir: &Path) -> Result<()> {
    let tally = expansion::compare(layout, dir)?;
    let mut out = std::io::stdout().lock();
    for (name, miss) in &tally.misses {
        writeln!(out, "{name}: {miss}")?;
    }
    let misses = tally.misses.len();
    writeln!(out, "agree {} disagree {misses}", tally.agree)?;
    if misses > 0 {
        bail!("{misses} expansions differ");
    }
    Ok(())
}

fn policy(file: &PathBuf, decisions: Option<&PathBuf>) -> Result<()> {
    let lines = |path: &PathBuf| -> Result<Vec<String>> {
        let file = std::fs::File::open(path).with_context(|| path.display().to_string())?;
        BufReader::new(file)
            .lines()
            .collect::<std::io::Result<_>>()
            .with_context(|| path.display().to_string())
    };
    let decisions = decisions.map(lines).transpose()?;
    let tally = compare(&lines(file)?, decisions.as_deref())?;
    let mut out = std::io::stdout().lock();
    for line in tally.first.iter() {
        writeln!(out, "{line}")?;
    }
    let total: usize = tally.known.values().sum();
    if total > 0 {
        writeln!(
            out,
            "known {total}, for reasons in testdata/oracles/policy/known.tsv:"
        )?;
        for (names, count) in &tally.known {
            writeln!(out, "  {count} {names}")?;
        }
    }
    writeln!(out, "agree {} disagree {}", tally.agree, tally.disagree)?;
    if tally.disagree > 0 {
        bail!("{} decisions differ", tally.disagree);
    }
    Ok(())
}

/// What came of a comparison.
#[derive(Default)]
struct Tally {
    agree: usize,
    disagree: usize,
    /// Known differences, by the names of their readings.
    known: BTreeMap<String, usize>,
    /// The first disagreements, for people.
    first: Vec<String>,
}

/// Compares our decision of each line with the one in `expect`, or in the decision on the same line.
fn compare(lines: &[String], decisions: Option<&[String]>) -> Result<Tally> {
    const SHOWN: usize = 10;
    let readings = known::readings()?;
    let mut tally = Tally::default();
    for (index, line) in lines.iter().enumerate() {
        if line.trim().is_empty() {
            continue;
        }
        let json: Value =
            serde_json::from_str(line).with_context(|| format!("line {}: no JSON", index + 1))?;
        let case = Case::of(&json).with_context(|| format!("line {}", index + 1))?;
        let expected = match decisions {
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
            tally.agree += 1;
        } else if let Some(names) = known::explain(&readings, &json, &expected, known::decide) {
            *tally.known.entry(names.join(" with ")).or_default() += 1;
        } else {
            tally.disagree += 1;
            if tally.first.len() < SHOWN {
                tally
                    .first
                    .push(format!("case {}: expected {expected}, got {got}", case.id));
            }
        }
    }
    Ok(tally)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Read as _;

    /// Recorded decisions: of random cases by the other implementation, and of our generator's cases
    /// by its table.
    #[test]
    fn recorded_cases_agree() {
        for (file, least) in [("random.jsonl.gz", 2_400), ("intended.jsonl.gz", 2_500)] {
            let path = crate::repository::root()
                .unwrap()
                .join("testdata/oracles/policy")
                .join(file);
            let mut text = String::new();
            let bytes = std::fs::read(path).unwrap();
            flate2::read::GzDecoder::new(bytes.as_slice())
                .read_to_string(&mut text)
                .unwrap();
            let lines: Vec<String> = text.lines().map(str::to_owned).collect();
            let tally = compare(&lines, None).unwrap();
            assert_eq!(tally.disagree, 0, "{:?}", tally.first);
            assert!(tally.agree >= least, "{} of {}", tally.agree, lines.len());
        }
    }
}
