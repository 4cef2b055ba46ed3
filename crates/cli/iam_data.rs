//! `--iam-data FILE`: other AWS facts than the embedded ones.
//!
//! Not for making such files: `cargo dev catalog --pack FILE` does. Invariant: the facts are in force
//! before anything asks for one, or the program ends with an error that names the remedy.

use anyhow::{Context as _, bail};
use overgrant_catalog::{Catalog, set_catalog};
use std::path::Path;

/// Most bytes of a file: 16 times the embedded tables.
const MOST: u64 = 32 * 1024 * 1024;

/// Puts the facts of a file in force.
pub(crate) fn load(path: &Path) -> anyhow::Result<()> {
    const REMEDY: &str = "use a file that `cargo dev catalog --pack FILE` of this version wrote, or leave the option out";
    let name = path.display();
    let size = std::fs::metadata(path)
        .with_context(|| format!("--iam-data: cannot read {name}"))?
        .len();
    if size > MOST {
        bail!("--iam-data: {name} is larger than any such file ({size} bytes); {REMEDY}");
    }
    let bytes = std::fs::read(path).with_context(|| format!("--iam-data: cannot read {name}"))?;
    let catalog = match Catalog::from_bytes(&bytes) {
        Ok(catalog) => catalog,
        Err(error) => bail!("--iam-data: {name}: {error}; {REMEDY}"),
    };
    set_catalog(catalog).context("--iam-data")
}
