//! Fixing: rounds of checking and applying fixes in memory, then one write of each changed file.
//!
//! Not for how a fix is written in a format, nor for showing it. Invariant: files change only when
//! everything is decided, each as a whole, inside the base, and only if it still holds what was read.

use crate::outcome::{Outcome, Reported, TextFix};
use crate::run::check_over;
use crate::settle::touch;
use crate::{Error, Options};
use overgrant_source::{FileId, TextEdit};
use std::collections::BTreeMap;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Rounds until nothing is left to fix; a fix may uncover another.
const ROUNDS: usize = 10;

/// Texts in the place of what files hold on disk, by path relative to the base.
pub type Texts = BTreeMap<Arc<str>, Arc<str>>;

/// Which fixes to apply.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fixing {
    /// Those that neither grant anything nor take away access that is used.
    Safe,
    /// All.
    All,
}

/// A file with another text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// Path relative to the base, forward slashes.
    pub path: Arc<str>,
    /// The text that was read.
    pub before: Arc<str>,
    /// The text with the fixes.
    pub after: Arc<str>,
}

/// What fixing would do.
#[derive(Debug)]
pub struct Fixed {
    /// What was found in the files as they are.
    pub before: Outcome,
    /// What is found with the changes.
    pub after: Outcome,
    /// The changed files, sorted by path.
    pub changes: Vec<Change>,
    /// Number of findings whose fixes are applied.
    pub count: usize,
}

/// Checks what `options` name on disk, applies fixes in memory, and checks again until nothing more
/// can be fixed. Nothing is written.
///
/// # Errors
/// As [`crate::check`].
pub fn fix(options: &Options, fixing: Fixing) -> Result<Fixed, Error> {
    fix_by(fixing, &|texts| check_over(options, texts))
}

/// [`fix`] with any way of checking that takes texts in the place of files.
///
/// # Errors
/// Those of `check`.
pub fn fix_by(
    fixing: Fixing,
    check: &dyn Fn(&Texts) -> Result<Outcome, Error>,
) -> Result<Fixed, Error> {
    let mut originals = Texts::new();
    let mut texts = Texts::new();
    let before = check(&texts)?;
    let mut latest: Option<Outcome> = None;
    let mut count = 0;
    for _ in 0..ROUNDS {
        let known = latest.as_ref().unwrap_or(&before);
        let (edits, applied) = choose(&known.findings, fixing);
        if applied == 0 {
            break;
        }
        let mut next = texts.clone();
        for (file, edits) in edits {
            let Some(file) = known.sources.get(file) else {
                continue;
            };
            let path: Arc<str> = file.path().into();
            originals
                .entry(Arc::clone(&path))
                .or_insert_with(|| file.shared_text());
            next.insert(path, apply(file.text(), edits).into());
        }
        let outcome = check(&next)?;
        // A text that reads worse than the one before is not kept.
        if outcome.internal || outcome.summary.not_parsed > known.summary.not_parsed {
            break;
        }
        texts = next;
        latest = Some(outcome);
        count += applied;
    }
    let after = match latest {
        Some(outcome) => outcome,
        None => check(&texts)?,
    };
    let changes = texts
        .into_iter()
        .filter_map(|(path, after)| {
            let before = originals.remove(&path)?;
            Some(Change {
                path,
                before,
                after,
            })
        })
        .collect();
    Ok(Fixed {
        before,
        after,
        changes,
        count,
    })
}

/// The fixes that do not touch each other, the first of the order first, and the number of findings
/// that they are for. Equal fixes are one.
fn choose(findings: &[Reported], fixing: Fixing) -> (BTreeMap<FileId, Vec<TextEdit>>, usize) {
    let mut chosen: Vec<&TextFix> = Vec::new();
    let mut count = 0;
    for fix in findings.iter().filter_map(|reported| reported.fix.as_ref()) {
        if !fix.safe && fixing == Fixing::Safe {
            continue;
        }
        let same = chosen.iter().any(|other| other.edits == fix.edits);
        let free = fix.edits.iter().all(|edit| {
            let mut taken = chosen.iter().flat_map(|other| &other.edits);
            taken.all(|other| !touch(edit.span, other.span))
        });
        if !same && free {
            chosen.push(fix);
        }
        if same || free {
            count += 1;
        }
    }
    let mut files: BTreeMap<FileId, Vec<TextEdit>> = BTreeMap::new();
    for edit in chosen.into_iter().flat_map(|fix| &fix.edits) {
        files.entry(edit.span.file).or_default().push(edit.clone());
    }
    (files, count)
}

/// The text with the edits, which do not touch each other.
fn apply(text: &str, mut edits: Vec<TextEdit>) -> String {
    edits.sort_by_key(|edit| std::cmp::Reverse(edit.span.start));
    let mut text = text.to_owned();
    for edit in edits {
        if text.get(edit.span.range()).is_some() {
            text.replace_range(edit.span.range(), &edit.text);
        }
    }
    text
}

/// Writes the changed files below `base`, each by renaming a finished one over it. Nothing is written
/// where one of them lies elsewhere (links followed) or does not hold the text that was read.
///
/// # Errors
/// [`Error::Write`] with the file and the reason.
pub fn write(base: &Path, changes: &[Change]) -> Result<(), Error> {
    let base = base.canonicalize().unwrap_or_else(|_| base.to_owned());
    let mut targets = Vec::new();
    for change in changes {
        let failed = |reason: &str| Error::Write {
            path: change.path.to_string(),
            reason: reason.to_owned(),
        };
        let target = base
            .join(&*change.path)
            .canonicalize()
            .map_err(|error| failed(&error.to_string()))?;
        if !target.starts_with(&base) {
            return Err(failed("it lies outside the base of this run"));
        }
        let held = std::fs::read(&target).map_err(|error| failed(&error.to_string()))?;
        if held != change.before.as_bytes() {
            return Err(failed(
                "it is not the UTF-8 text that was checked; run again",
            ));
        }
        targets.push((target, change));
    }
    for (target, change) in targets {
        replace(&target, &change.after).map_err(|error| Error::Write {
            path: change.path.to_string(),
            reason: error.to_string(),
        })?;
    }
    Ok(())
}

fn replace(target: &Path, text: &str) -> std::io::Result<()> {
    let beside = beside(target);
    let finish = || {
        let mut file = std::fs::File::create_new(&beside)?;
        file.write_all(text.as_bytes())?;
        file.set_permissions(std::fs::metadata(target)?.permissions())?;
        file.sync_all()?;
        std::fs::rename(&beside, target)
    };
    finish().inspect_err(|_| {
        // Half a file is of no use to anybody.
        let _ = std::fs::remove_file(&beside);
    })
}

fn beside(target: &Path) -> PathBuf {
    let name = target.file_name().unwrap_or_default().to_string_lossy();
    target.with_file_name(format!(".{name}.{}.tmp", std::process::id()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn change(path: &str, before: &str) -> Change {
        Change {
            path: path.into(),
            before: before.into(),
            after: "new".into(),
        }
    }

    #[test]
    fn files_are_written_whole_or_not() {
        let dir = tempfile::tempdir().unwrap();
        let base = dir.path().join("base");
        std::fs::create_dir(&base).unwrap();
        std::fs::write(base.join("a"), "old").unwrap();
        std::fs::write(base.join("b"), "old").unwrap();
        std::fs::write(dir.path().join("c"), "old").unwrap();
        let held = |path: &str| std::fs::read_to_string(base.join(path)).unwrap();
        for wrong in [change("b", "other"), change("../c", "old"), change("d", "")] {
            let error = write(&base, &[change("a", "old"), wrong.clone()]).unwrap_err();
            assert!(matches!(&error, Error::Write { path, .. } if **path == *wrong.path));
            assert_eq!(held("a"), "old", "{error}");
        }
        write(&base, &[change("a", "old"), change("b", "old")]).unwrap();
        assert_eq!((held("a"), held("b")), ("new".into(), "new".into()));
        assert_eq!(std::fs::read_dir(&base).unwrap().count(), 2);
    }

    #[cfg(unix)]
    #[test]
    fn links_out_of_the_base_are_not_followed() {
        let dir = tempfile::tempdir().unwrap();
        let base = dir.path().join("base");
        std::fs::create_dir(&base).unwrap();
        std::fs::write(dir.path().join("c"), "old").unwrap();
        std::os::unix::fs::symlink(dir.path().join("c"), base.join("l")).unwrap();
        assert!(write(&base, &[change("l", "old")]).is_err());
        assert_eq!(std::fs::read(dir.path().join("c")).unwrap(), b"old");
    }
}
