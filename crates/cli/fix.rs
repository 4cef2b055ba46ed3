//! `overgrant check --fix`: changes files, or shows the changes, and reports what is left.
//!
//! Not for making fixes, which is the engine's. Invariant: with `--preview` no checked file is
//! written, and the exit code is that of a run without `--fix`.

use crate::arguments::{Check, Fixes};
use crate::check::{close, options, print, print_text, write_outputs};
use crate::exit::Exit;
use crate::progress::Progress;
use overgrant_engine::{Fixed, Fixing, Outcome};
use std::io::Write as _;
use std::time::Instant;

pub(crate) fn run(check: &Check, fixes: Fixes) -> anyhow::Result<Exit> {
    let start = Instant::now();
    let fixing = match fixes {
        Fixes::Safe => Fixing::Safe,
        Fixes::Unsafe => Fixing::All,
    };
    let progress = Progress::start(!check.quiet);
    let fixed = overgrant_engine::fix(&options(check), fixing);
    progress.stop();
    let fixed = fixed?;
    let (verb, outcome) = if check.preview {
        ("would fix", &fixed.before)
    } else {
        overgrant_engine::write(fixed.after.sources.base(), &fixed.changes)?;
        ("fixed", &fixed.after)
    };
    write_outputs(check, outcome)?;
    if check.preview {
        print_text(&overgrant_report::diff(&fixed.changes))?;
    } else {
        print(check, outcome)?;
    }
    if !check.quiet {
        writeln!(anstream::stderr(), "{verb} {}", told(&fixed, fixing)).ok();
    }
    Ok(close(check, outcome, start))
}

/// "2 findings in 1 file, 3 left (1 more with --fix=unsafe)".
fn told(fixed: &Fixed, fixing: Fixing) -> String {
    let plural = |number: usize, word: &str| match number {
        1 => format!("1 {word}"),
        _ => format!("{number} {word}s"),
    };
    let mut text = plural(fixed.count, "finding");
    if !fixed.changes.is_empty() {
        text.push_str(&format!(" in {}", plural(fixed.changes.len(), "file")));
    }
    text.push_str(&format!(", {} left", fixed.after.findings.len()));
    let more = fixable(&fixed.after);
    if fixing == Fixing::Safe && more > 0 {
        text.push_str(&format!(" ({more} more with --fix=unsafe)"));
    }
    text
}

/// Number of findings with a fix.
fn fixable(outcome: &Outcome) -> usize {
    let findings = outcome.findings.iter();
    findings.filter(|reported| reported.fix.is_some()).count()
}
