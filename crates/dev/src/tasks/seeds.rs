//! `cargo dev seeds`: findings on the seed samples against the expected ones.
//!
//! `testdata/seeds` holds one small root a folder, one for each kind of policy that people meet first,
//! and `expected.tsv`: file (`*` for any of the folder), address with statement, rule, verdict,
//! reason. Not for the wording of findings. Invariant: an expected finding of a rule that exists is
//! found exactly once, a silent one never, and nothing else is found at medium severity or above.

use crate::repository;
use anyhow::{Context as _, Result, bail};
use overgrant_engine::{Discovery, Options, Outcome, Reported, check, check_in};
use overgrant_finding::{Confidence, Severity};
use overgrant_source::Sources;
use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;

const FOLDER: &str = "testdata/seeds";

#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// Only these folders
    folders: Vec<String>,
}

/// One line of `expected.tsv`.
struct Row<'a> {
    folder: &'a str,
    file: &'a str,
    at: &'a str,
    rule: &'a str,
    expected: bool,
}

/// What the samples gave.
#[derive(Default)]
struct Compared {
    differences: Vec<String>,
    found: usize,
    silent: usize,
    /// Expected findings of rules that do not exist yet.
    skipped: usize,
}

pub(crate) fn run(arguments: &Arguments) -> Result<()> {
    let compared = compare(&repository::root()?.join(FOLDER), &arguments.folders)?;
    #[expect(clippy::print_stdout, reason = "the task's answer")]
    {
        compared
            .differences
            .iter()
            .for_each(|line| println!("{line}"));
        println!(
            "{} expected findings found, {} silences kept, {} wait for their rule: {}",
            compared.found,
            compared.silent,
            compared.skipped,
            if compared.differences.is_empty() {
                "equal"
            } else {
                "different"
            }
        );
    }
    if !compared.differences.is_empty() {
        bail!("{} differences", compared.differences.len());
    }
    Ok(())
}

fn compare(root: &Path, only: &[String]) -> Result<Compared> {
    let text = std::fs::read_to_string(root.join("expected.tsv"))
        .with_context(|| format!("cannot read {FOLDER}/expected.tsv"))?;
    let rows = parse(&text)?;
    let folders: BTreeSet<&str> = rows.iter().map(|row| row.folder).collect();
    let mut compared = Compared::default();
    for folder in folders {
        if only.is_empty() || only.iter().any(|name| name == folder) {
            let outcome = outcome(&root.join(folder))?;
            let rows = rows.iter().filter(|row| row.folder == folder);
            judge(folder, &rows.collect::<Vec<_>>(), &outcome, &mut compared);
        }
    }
    Ok(compared)
}

fn parse(text: &str) -> Result<Vec<Row<'_>>> {
    let mut rows = Vec::new();
    for line in text.lines().skip(1) {
        let cells: Vec<&str> = line.split('\t').collect();
        let [
            path,
            at,
            rule,
            verdict @ ("expected" | "must-be-silent"),
            _reason,
        ] = *cells
        else {
            bail!("{FOLDER}/expected.tsv: `{line}` is no row");
        };
        let Some((folder, file)) = path.split_once('/') else {
            bail!("{FOLDER}/expected.tsv: `{path}` names no folder");
        };
        rows.push(Row {
            folder,
            file,
            at,
            rule,
            expected: verdict == "expected",
        });
    }
    Ok(rows)
}

/// Everything that a run over a folder finds. A folder with nothing but a policy document is read
/// through a policy resource that holds it.
fn outcome(folder: &Path) -> Result<Outcome> {
    let options = Options {
        paths: vec![folder.to_owned()],
        root: Some(folder.to_owned()),
        min_severity: Severity::Info,
        min_confidence: Confidence::Low,
        ..Options::default()
    };
    let documents: Vec<String> = std::fs::read_dir(folder)?
        .filter_map(|entry| entry.ok()?.file_name().into_string().ok())
        .collect();
    let [document] = documents.as_slice() else {
        return Ok(check(&options)?);
    };
    if !document.ends_with(".json") {
        return Ok(check(&options)?);
    }
    let sources = Sources::new(folder);
    let holder = format!("resource \"aws_iam_policy\" \"p\" {{ policy = file(\"{document}\") }}\n");
    sources.add("main.tf", &holder);
    let mut found = Discovery {
        selected: vec![String::new()],
        ..Discovery::default()
    };
    let files = vec!["main.tf".to_owned()];
    found.terraform.insert(String::new(), files);
    Ok(check_in(&Arc::new(sources), &found, &options)?)
}

fn judge(folder: &str, rows: &[&Row<'_>], outcome: &Outcome, compared: &mut Compared) {
    let findings = &outcome.findings;
    for row in rows {
        let at = |one: &&Reported| one.finding.rule == row.rule && is_at(row, one);
        let count = findings.iter().filter(at).count();
        let place = format!("{folder}/{} {} {}", row.file, row.at, row.rule);
        match (row.expected, count) {
            (true, 1) => compared.found += 1,
            (true, _) if overgrant_rules::find(row.rule).is_none_or(|rule| rule.id != row.rule) => {
                compared.skipped += 1;
            }
            (false, 0) => compared.silent += 1,
            (true, _) => compared
                .differences
                .push(format!("{place}: expected once, found {count} times")),
            (false, _) => compared
                .differences
                .push(format!("{place}: found, must be silent")),
        }
    }
    for reported in findings
        .iter()
        .filter(|one| one.finding.severity >= Severity::Medium)
    {
        let known = rows
            .iter()
            .any(|row| row.rule == reported.finding.rule && is_at(row, reported));
        if !known {
            compared.differences.push(format!(
                "{folder}/{}:{} {} {}: nobody expects {}",
                reported.place.path,
                reported.place.line(),
                reported.finding.address,
                reported.finding.rule,
                reported.finding.message
            ));
        }
    }
    for diagnostic in outcome.diagnostics.iter().filter(|one| one.not_parsed) {
        compared
            .differences
            .push(format!("{folder}: {}", diagnostic.message));
    }
}

/// Whether a finding stands where the row says: `ADDRESS`, `ADDRESS#STATEMENT`, `#STATEMENT`, a
/// target that the finding names, or `-` for no resource.
fn is_at(row: &Row<'_>, reported: &Reported) -> bool {
    let finding = &reported.finding;
    if row.file != "*" && *reported.place.path != *row.file {
        return false;
    }
    let (address, statement) = match row.at.split_once('#') {
        Some((address, statement)) => (address, Some(format!("#{statement}"))),
        None => (row.at, None),
    };
    let is_address = match address {
        "-" => finding.address.is_empty(),
        "" => true,
        _ => finding.address == address || finding.principals.iter().any(|name| name == address),
    };
    is_address && statement.is_none_or(|wanted| finding.statement.as_ref() == Some(&wanted))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn found_equals_expected() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("../..")
            .join(FOLDER);
        let compared = compare(&root, &[]).unwrap();
        assert!(
            compared.differences.is_empty(),
            "{}",
            compared.differences.join("\n")
        );
        assert!(compared.found > 0 && compared.silent > 50);
    }

    #[test]
    fn rows_are_checked() {
        assert!(parse("h\nonly\tthree\tcells\n").is_err());
        assert!(parse("h\na/b\t-\trule\tperhaps\twhy\n").is_err());
        assert!(parse("h\na/b\t-\trule\texpected\twhy\n").unwrap()[0].expected);
    }
}
