//! The command line: arguments in, outputs and an exit code out.
//!
//! Not for checking: that is the engine's. Invariant: standard output carries results only; every
//! error is one line with its remedy on standard error.

mod arguments;
mod check;
mod complete;
mod config;
mod exit;
mod fix;
mod iam_data;
mod progress;
mod query;
mod rules;

use arguments::{Arguments, Command};
use clap::{CommandFactory as _, Parser as _};
use exit::Exit;
use std::io::Write as _;
use std::process::ExitCode;

/// Runs the program with the arguments of the process.
#[must_use]
pub fn main() -> ExitCode {
    // An error of ours becomes a diagnostic of the run; the default hook would print it twice.
    std::panic::set_hook(Box::new(|_| {}));
    // A shell that asks for names gets them, and nothing else happens.
    clap_complete::CompleteEnv::with_factory(Arguments::command).complete();
    let arguments = Arguments::parse();
    let result = arguments
        .iam_data
        .as_deref()
        .map_or(Ok(()), iam_data::load)
        .and_then(|()| match arguments.command {
            Command::Check(arguments) => check::run(&arguments),
            Command::Explain(arguments) => rules::explain(&arguments),
            Command::Rules(arguments) => rules::list(&arguments),
            Command::Config(arguments) => config::run(&arguments),
            Command::Access(arguments) => query::access(&arguments),
            Command::Can(arguments) => query::can(&arguments),
            Command::WhoCan(arguments) => query::who_can(&arguments),
            Command::Paths(arguments) => query::paths(&arguments),
        });
    let exit = match result {
        Ok(exit) => exit,
        Err(error) if is_closed_pipe(&error) => Exit::Clean,
        Err(error) => {
            writeln!(anstream::stderr(), "error: {error:#}").ok();
            Exit::Error
        }
    };
    exit.into()
}

/// Whether the reader of standard output went away, as `head` does.
fn is_closed_pipe(error: &anyhow::Error) -> bool {
    error
        .downcast_ref::<std::io::Error>()
        .is_some_and(|error| error.kind() == std::io::ErrorKind::BrokenPipe)
}
