//! `overgrant check`: options from arguments, one run, all outputs.
//!
//! Not for the meaning of options, which is the engine's. Invariant: requested outputs are written
//! whatever was found, before the exit code is decided.

use crate::arguments::{Check, Color};
use crate::exit::{Exit, Verdict};
use crate::progress::Progress;
use anyhow::Context as _;
use overgrant_engine::{Options, Outcome};
use overgrant_report::{Style, render, summary_line};
use std::fmt::Write as _;
use std::io::{IsTerminal as _, Write as _};
use std::time::Instant;

/// Columns where the terminal does not say.
const WIDTH: usize = 140;

pub(crate) fn run(check: &Check) -> anyhow::Result<Exit> {
    if let Some(fixes) = check.fix {
        return crate::fix::run(check, fixes);
    }
    let start = Instant::now();
    let progress = Progress::start(!check.quiet);
    let outcome = overgrant_engine::check(&options(check));
    progress.stop();
    let outcome = outcome?;
    write_outputs(check, &outcome)?;
    print(check, &outcome)?;
    let exit = close(check, &outcome, start);
    // The program ends: the system takes the memory back at once, faster than piece by piece.
    std::mem::forget(outcome);
    Ok(exit)
}

/// The closing summary on standard error, and the exit code.
pub(crate) fn close(check: &Check, outcome: &Outcome, start: Instant) -> Exit {
    if !check.quiet {
        let mut closing = summary_line(outcome, Some(start.elapsed()));
        if check.timing {
            for stage in &outcome.timing {
                let _ = write!(
                    closing,
                    "\n  {:<10} {:>9.3} ms",
                    stage.name,
                    stage.time.as_secs_f64() * 1e3
                );
            }
        }
        writeln!(anstream::stderr(), "{closing}").ok();
    }
    let verdict = Verdict {
        fail_on: check.fail_on,
        exit_zero: check.exit_zero,
        strict: check.strict,
    };
    verdict.of(outcome)
}

/// What the arguments ask of the engine.
pub(crate) fn options(check: &Check) -> Options {
    Options {
        select: check.select.clone(),
        ignore: check.ignore.clone(),
        min_severity: check.min_severity,
        min_confidence: check.min_confidence,
        threads: check.threads.map(usize::from),
        ..check.reading.options(&check.paths)
    }
}

fn style(check: &Check, color: bool) -> Style {
    Style {
        version: env!("CARGO_PKG_VERSION"),
        iam_data: overgrant_catalog::catalog().date().to_owned(),
        color,
        width: width(),
        show_suppressed: check.show_suppressed,
        timing: check.timing,
    }
}

/// Writes the outputs that go to files.
pub(crate) fn write_outputs(check: &Check, outcome: &Outcome) -> anyhow::Result<()> {
    for output in &check.output {
        let text = render(output.format, outcome, &style(check, false));
        std::fs::write(&output.path, text)
            .with_context(|| format!("cannot write {}", output.path.display()))?;
    }
    Ok(())
}

/// Prints the findings.
pub(crate) fn print(check: &Check, outcome: &Outcome) -> anyhow::Result<()> {
    let color = match check.color {
        Color::Always => true,
        Color::Never => false,
        Color::Auto => {
            anstream::AutoStream::choice(&std::io::stdout()) != anstream::ColorChoice::Never
        }
    };
    print_text(&render(check.format, outcome, &style(check, color)))
}

/// Prints a result.
pub(crate) fn print_text(text: &str) -> anyhow::Result<()> {
    let mut out = std::io::stdout().lock();
    out.write_all(text.as_bytes())
        .context("cannot write to standard output")?;
    out.flush().context("cannot write to standard output")
}

/// The terminal's columns, or a fixed number, so that files and pipes do not depend on a terminal.
fn width() -> usize {
    if !std::io::stdout().is_terminal() {
        return WIDTH;
    }
    let columns = std::env::var("COLUMNS")
        .ok()
        .and_then(|text| text.parse().ok());
    columns.filter(|columns| *columns >= 40).unwrap_or(WIDTH)
}
