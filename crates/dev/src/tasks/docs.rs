//! `cargo dev docs`: the rules' pages under `docs/rules/`.
//!
//! Not for: their text, which stands in the rules. Invariant: a page without a rule is removed, or
//! reported by `--check`.

use crate::repository::{self, Generated};
use anyhow::{Context as _, Result, bail};
use overgrant_rules::{ALL, Docs, Family, page};
use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::path::Path;

const FOLDER: &str = "docs/rules";

#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// Only compare, and fail if something is out of date
    #[arg(long)]
    check: bool,
}

pub(crate) fn run(arguments: &Arguments) -> Result<()> {
    let root = repository::root()?;
    let files = files();
    let stray = stray(&root, &files)?;
    if arguments.check {
        if !stray.is_empty() {
            bail!(
                "pages without a rule: {}; run `cargo dev docs`",
                stray.join(", ")
            );
        }
        return repository::check(&root, &files, "cargo dev docs");
    }
    for path in &stray {
        std::fs::remove_file(root.join(path)).with_context(|| format!("cannot remove {path}"))?;
    }
    repository::write(&root, &files)?;
    Ok(())
}

fn files() -> Vec<Generated> {
    let mut files: Vec<Generated> = ALL
        .iter()
        .map(|rule| (format!("{FOLDER}/{}.md", rule.id), page(rule).into_bytes()))
        .collect();
    files.push((format!("{FOLDER}/README.md"), index().into_bytes()));
    files
}

/// All rules by family.
fn index() -> String {
    let mut text = format!(
        "# Rules\n\n{} rules. `overgrant explain RULE` shows a page in the terminal.\n",
        ALL.len()
    );
    for family in Family::ALL {
        let mut rules: Vec<_> = ALL.iter().filter(|rule| rule.family == family).collect();
        if rules.is_empty() {
            continue;
        }
        rules.sort_by_key(|rule| rule.id);
        let _ = write!(
            text,
            "\n## {}\n\n| rule | finds | severity |\n| --- | --- | --- |\n",
            family.as_str()
        );
        for rule in rules {
            let summary = Docs::of(rule).summary.replace('|', "\\|");
            let _ = writeln!(
                text,
                "| [{0}]({0}.md) | {summary} | {1} |",
                rule.id, rule.severity
            );
        }
    }
    text
}

fn stray(root: &Path, files: &[Generated]) -> Result<Vec<String>> {
    let known: BTreeSet<&str> = files.iter().map(|(path, _)| path.as_str()).collect();
    let folder = root.join(FOLDER);
    if !folder.exists() {
        return Ok(Vec::new());
    }
    let mut stray = Vec::new();
    for entry in std::fs::read_dir(folder)? {
        let path = format!("{FOLDER}/{}", entry?.file_name().to_string_lossy());
        if !known.contains(path.as_str()) {
            stray.push(path);
        }
    }
    stray.sort();
    Ok(stray)
}
