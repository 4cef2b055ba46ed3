//! Which files parse, against `terraform fmt`.
//!
//! Not for what the files mean. Invariant: a file agrees if both accept it or both refuse it; nothing
//! is written into the folder.

use anyhow::{Context as _, Result, ensure};
use overgrant_source::{Level, Sources};
use overgrant_terraform::syntax::parse_file;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;

/// What came of a comparison.
#[derive(Debug, Default)]
pub(super) struct Tally {
    pub(super) agree: usize,
    /// Files that both refuse.
    pub(super) refused: usize,
    /// File and difference.
    pub(super) misses: Vec<(String, String)>,
}

/// Compares every `.tf` file below a folder.
///
/// # Errors
/// Where the folder cannot be read or `terraform` cannot be started.
pub(super) fn compare(dir: &Path) -> Result<Tally> {
    let mut files = Vec::new();
    collect(dir, dir, &mut files)?;
    let refused = refused_by_terraform(dir)?;
    let mut tally = Tally::default();
    for name in files {
        let Ok(text) = std::fs::read_to_string(dir.join(&name)) else {
            // What is no UTF-8 is refused by both.
            match refused.contains(&name) {
                true => tally.refused += 1,
                false => tally
                    .misses
                    .push((name, "terraform reads this, we do not".into())),
            }
            continue;
        };
        let sources = Sources::new(dir);
        let parsed = parse_file(&sources.add(&name, &text));
        let ours = parsed
            .diagnostics
            .iter()
            .find(|diagnostic| diagnostic.level == Level::Error);
        match (ours, refused.contains(&name)) {
            (None, false) => tally.agree += 1,
            (Some(_), true) => {
                tally.agree += 1;
                tally.refused += 1;
            }
            (Some(ours), false) => tally.misses.push((name, ours.message.clone())),
            (None, true) => tally
                .misses
                .push((name, "terraform refuses this, we do not".into())),
        }
    }
    Ok(tally)
}

/// Names below `base` with `/`, in order; what `terraform fmt` skips is skipped.
fn collect(base: &Path, dir: &Path, files: &mut Vec<String>) -> Result<()> {
    let mut paths: Vec<PathBuf> = std::fs::read_dir(dir)
        .with_context(|| dir.display().to_string())?
        .map(|entry| entry.map(|entry| entry.path()))
        .collect::<std::io::Result<_>>()?;
    paths.sort();
    for path in paths {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        if name.starts_with('.') || path.is_symlink() {
            continue;
        }
        if path.is_dir() {
            collect(base, &path, files)?;
        } else if name.ends_with(".tf") {
            let relative = path.strip_prefix(base).unwrap_or(&path);
            files.push(relative.to_string_lossy().replace('\\', "/"));
        }
    }
    Ok(())
}

/// The files that `terraform fmt` names in an error.
fn refused_by_terraform(dir: &Path) -> Result<BTreeSet<String>> {
    let output = Command::new("terraform")
        .args(["fmt", "-check", "-write=false", "-list=false"])
        .args(["-recursive", "-no-color"])
        .current_dir(dir)
        .output()
        .context("`terraform` cannot be started; it must be on the PATH")?;
    ensure!(
        matches!(output.status.code(), Some(0 | 2 | 3)),
        "terraform fmt: {}",
        String::from_utf8_lossy(&output.stderr)
    );
    let text = String::from_utf8_lossy(&output.stderr);
    let named = |line: &str| {
        let place = line.trim().strip_prefix("on ")?;
        let (name, _) = place.split_once(" line ")?;
        Some(name.to_owned())
    };
    Ok(text.lines().filter_map(named).collect())
}
