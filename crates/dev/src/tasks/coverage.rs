//! `cargo dev coverage`: which ideas of the catalogue of rules are built, and why the others are not.
//!
//! The catalogue is `testdata/rules.tsv`, one line for each idea: family, base severity, the release
//! wave that it belongs to, and the controls and other tools' ids that its rule must carry. Not for
//! what a rule does. Invariant: no line is left out of the answer.

use crate::repository;
use anyhow::{Context as _, Result, bail};
use overgrant_rules::{ALL, Rule, Scope};
use std::collections::BTreeMap;
use std::fmt::Write as _;

const TABLE: &str = "testdata/rules.tsv";
/// The wave of the first release.
const FIRST: &str = "1";

#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// Only families, e.g. grant
    families: Vec<String>,
    /// Only compare rules with the table, and fail where they differ
    #[arg(long)]
    check: bool,
}

/// One line of the table.
struct Row<'a> {
    name: &'a str,
    family: &'a str,
    severity: &'a str,
    confidence: &'a str,
    wave: &'a str,
    scope: &'a str,
    /// `evidence` or `suppressions`, where a part of it waits for those.
    needs: &'a str,
    aliases: Vec<&'a str>,
    mappings: Vec<&'a str>,
    cwe: Vec<&'a str>,
    /// Whether a fix is wanted: `yes`, `partly`, `no`; the tests of fixes hold it.
    fix: &'a str,
    /// Ids of other tools.
    peers: Vec<&'a str>,
    /// Why there is no rule, where the wave does not say it.
    reason: &'a str,
}

pub(crate) fn run(arguments: &Arguments) -> Result<()> {
    let path = repository::root()?.join(TABLE);
    let text = std::fs::read_to_string(&path).with_context(|| format!("cannot read {TABLE}"))?;
    let rows = parse(&text)?;
    let wrong = differences(&rows);
    if arguments.check {
        if !wrong.is_empty() {
            bail!("rules differ from {TABLE}:\n{}", wrong.join("\n"));
        }
        return Ok(());
    }
    #[expect(clippy::print_stdout, reason = "the task's answer")]
    {
        print!("{}", table(&rows, &arguments.families));
        wrong.iter().for_each(|line| println!("differs: {line}"));
    }
    Ok(())
}

fn parse(text: &str) -> Result<Vec<Row<'_>>> {
    let mut rows = Vec::new();
    for (number, line) in text.lines().enumerate().skip(1) {
        let cells: Vec<&str> = line.split('\t').collect();
        let [
            name,
            family,
            severity,
            confidence,
            wave,
            scope,
            needs,
            aliases,
            mappings,
            cwe,
            fix,
            peers,
            reason,
        ] = cells.as_slice()
        else {
            bail!("{TABLE}:{}: {} cells, not 13", number + 1, cells.len());
        };
        rows.push(Row {
            name,
            family,
            severity,
            confidence,
            wave,
            scope,
            needs,
            aliases: words(aliases),
            mappings: mappings
                .split("; ")
                .filter(|cell| !cell.is_empty())
                .collect(),
            cwe: words(cwe),
            fix,
            peers: words(peers),
            reason,
        });
    }
    Ok(rows)
}

/// The blank-separated words of a cell.
fn words(cell: &str) -> Vec<&str> {
    cell.split_whitespace().collect()
}

fn rule(name: &str) -> Option<&'static Rule> {
    ALL.iter().copied().find(|rule| rule.id == name)
}

/// What covers a row, or why nothing does.
fn state(row: &Row<'_>) -> (bool, String) {
    match (rule(row.name), row.wave) {
        (Some(_), _) if row.needs == "evidence" => {
            (true, "rule; its evidence files come later".to_owned())
        }
        (Some(_), _) => (true, "rule".to_owned()),
        (None, _) if !row.reason.is_empty() => (false, row.reason.to_owned()),
        (None, FIRST) => (false, "wave 1: not built".to_owned()),
        (None, wave) => (false, format!("wave {wave}")),
    }
}

/// All rows by family, and the counts.
fn table(rows: &[Row<'_>], families: &[String]) -> String {
    let mut text = String::new();
    let mut counts: BTreeMap<&str, (usize, usize)> = BTreeMap::new();
    let chosen =
        |row: &&Row<'_>| families.is_empty() || families.iter().any(|family| family == row.family);
    for row in rows.iter().filter(chosen) {
        let (built, words) = state(row);
        let count = counts.entry(row.wave).or_default();
        count.0 += usize::from(built);
        count.1 += 1;
        let _ = writeln!(text, "{:15} {:42} {words}", row.family, row.name);
    }
    for (wave, (built, all)) in counts {
        let _ = writeln!(text, "wave {wave}: {built} of {all} have a rule");
    }
    text
}

/// Where a rule says something else than its row, and rules without a row.
fn differences(rows: &[Row<'_>]) -> Vec<String> {
    let mut wrong: Vec<String> = rows
        .iter()
        .filter(|row| !matches!(row.fix, "yes" | "partly" | "no"))
        .map(|row| format!("{}: fix `{}`", row.name, row.fix))
        .collect();
    for rule in ALL {
        let Some(row) = rows.iter().find(|row| row.name == rule.id) else {
            wrong.push(format!("{}: no line", rule.id));
            continue;
        };
        let mappings: Vec<String> = rule
            .mappings
            .iter()
            .map(|(name, id)| format!("{name} {id}"))
            .collect();
        let cwe: Vec<String> = rule.cwe.iter().map(u16::to_string).collect();
        let mut differs = |what: &str, is: &str, wanted: &str| {
            if is != wanted {
                wrong.push(format!("{}: {what} `{is}`, not `{wanted}`", rule.id));
            }
        };
        differs("family", rule.family.as_str(), row.family);
        differs("severity", rule.severity.as_str(), row.severity);
        differs("confidence", rule.confidence.as_str(), row.confidence);
        // A rule that also judges what is there speaks everywhere and asks for the scope itself.
        if rule.scope != Scope::Module {
            differs("scope", rule.scope.as_str(), row.scope);
        }
        let missing = |have: &[String], wanted: &[&str]| -> Vec<String> {
            let lacks = |one: &&&str| !have.iter().any(|known| known == **one);
            wanted
                .iter()
                .filter(lacks)
                .map(|&one| one.to_owned())
                .collect()
        };
        let names: Vec<String> = rule.aliases.iter().map(|&alias| alias.to_owned()).collect();
        let mut lacks = missing(&mappings, &row.mappings);
        lacks.extend(missing(&cwe, &row.cwe));
        lacks.extend(missing(&names, &row.aliases));
        lacks.extend(missing(&names, &row.peers));
        if !lacks.is_empty() {
            wrong.push(format!("{}: lacks {}", rule.id, lacks.join(", ")));
        }
    }
    wrong
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = include_str!("../../../../testdata/rules.tsv");

    #[test]
    fn rules_say_what_the_table_says() {
        let wrong = differences(&parse(TEXT).unwrap());
        assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    }

    #[test]
    fn every_idea_of_the_first_wave_has_a_rule_or_a_reason() {
        let rows = parse(TEXT).unwrap();
        let silent: Vec<&str> = rows
            .iter()
            .filter(|row| row.wave == FIRST && row.reason.is_empty() && rule(row.name).is_none())
            .map(|row| row.name)
            .collect();
        assert!(silent.is_empty(), "{silent:?}");
        let all = table(&rows, &[]);
        assert!(rows.iter().all(|row| all.contains(row.name)));
    }

    #[test]
    fn a_difference_is_told() {
        let line = "admin-star-star\tgrant\tlow\thigh\t1\tmodule\t\t\tCIS5 9.9\t269\tno\t\t";
        let text = format!("head\n{line}\n");
        let wrong = differences(&parse(&text).unwrap());
        assert!(
            wrong
                .iter()
                .any(|one| one.contains("severity `critical`, not `low`"))
        );
        assert!(
            wrong
                .iter()
                .any(|one| one == "admin-star-star: lacks CIS5 9.9")
        );
        assert!(parse("head\na\tb\n").is_err());
    }
}
