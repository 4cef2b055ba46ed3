//! Where the repository is, and writing or comparing generated files in it.
//!
//! Not for: what is generated. Invariant: a check writes nothing.

use anyhow::{Context as _, Result, bail};
use std::fs;
use std::path::{Path, PathBuf};

/// The directory of the root manifest, from what cargo says about this package.
pub(crate) fn root() -> Result<PathBuf> {
    let own = std::env::var_os("CARGO_MANIFEST_DIR").context("run this through `cargo dev`")?;
    let root = Path::new(&own).ancestors().nth(2);
    Ok(root
        .context("the package is not two levels deep")?
        .to_owned())
}

/// A generated file: its path from the root, and its bytes.
pub(crate) type Generated = (String, Vec<u8>);

/// Writes the files that differ; says which.
pub(crate) fn write(root: &Path, files: &[Generated]) -> Result<Vec<String>> {
    let stale = stale(root, files);
    for (path, bytes) in files.iter().filter(|(path, _)| stale.contains(path)) {
        let path = root.join(path);
        if let Some(directory) = path.parent() {
            fs::create_dir_all(directory)?;
        }
        fs::write(&path, bytes).with_context(|| format!("cannot write {}", path.display()))?;
    }
    Ok(stale)
}

/// Fails if a file is missing or differs; `remedy` is the command that writes it.
pub(crate) fn check(root: &Path, files: &[Generated], remedy: &str) -> Result<()> {
    let stale = stale(root, files);
    if !stale.is_empty() {
        bail!("out of date: {}; run `{remedy}`", stale.join(", "));
    }
    Ok(())
}

fn stale(root: &Path, files: &[Generated]) -> Vec<String> {
    let differs = |(path, bytes): &&Generated| {
        fs::read(root.join(path)).map_or(true, |present| present != *bytes)
    };
    let paths = files.iter().filter(differs).map(|(path, _)| path.clone());
    paths.collect()
}
