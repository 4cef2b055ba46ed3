//! Exit codes, stable from the first release.
//!
//! Not for what leads to them, but for their order. Invariant: error beats findings beats nothing
//! beats clean.

use overgrant_engine::Outcome;
use overgrant_finding::Severity;
use std::process::ExitCode;

/// How the program ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Exit {
    /// No shown finding at or above `--fail-on`.
    Clean,
    /// Such a finding exists.
    Findings,
    /// Usage, configuration or internal error; with `--strict` also a file that was not parsed.
    Error,
    /// Nothing to check was found.
    Nothing,
    /// A query that no answer fits in every case.
    Depends,
}

/// What decides the exit code beside the outcome.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Verdict {
    pub(crate) fail_on: Severity,
    pub(crate) exit_zero: bool,
    pub(crate) strict: bool,
}

impl Verdict {
    /// The exit code of a run.
    pub(crate) fn of(self, outcome: &Outcome) -> Exit {
        let summary = &outcome.summary;
        let fails = outcome
            .findings
            .iter()
            .any(|reported| reported.finding.severity >= self.fail_on);
        if outcome.internal || (self.strict && summary.not_parsed > 0) {
            Exit::Error
        } else if fails && !self.exit_zero {
            Exit::Findings
        } else if summary.files == 0 && summary.not_parsed == 0 {
            Exit::Nothing
        } else {
            Exit::Clean
        }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(match exit {
            Exit::Clean => 0,
            Exit::Findings => 1,
            Exit::Error => 2,
            Exit::Nothing => 3,
            Exit::Depends => 4,
        })
    }
}
