//! Developer tasks: `cargo dev TASK`.
//!
//! Not for: the product; nothing of it may depend on this crate. One file per task under `tasks`;
//! a new task is a file there and a line in [`Task`].

mod repository;
mod tasks;

use clap::{Parser, Subcommand};
use std::io::Write as _;
use std::process::ExitCode;

#[derive(Parser)]
#[command(name = "cargo dev", about = "Developer tasks of overgrant")]
struct Arguments {
    #[command(subcommand)]
    task: Task,
}

#[derive(Subcommand)]
enum Task {
    /// Measure time and memory of runs over directories
    Bench(tasks::bench::Arguments),
    /// Measure the escalation graph of made models
    BenchModel(tasks::bench_model::Arguments),
    /// Write random policy cases with the decision that AWS documents
    Cases(tasks::cases::Arguments),
    /// Write the embedded AWS facts from testdata/catalog
    Catalog(tasks::catalog::Arguments),
    /// Tell which rules of the catalogue are built, and why the others are not
    Coverage(tasks::coverage::Arguments),
    /// Check the dependency arrows between our crates and the licences of all others
    Deps(tasks::deps::Arguments),
    /// Write the rules' pages to docs/rules
    Docs(tasks::docs::Arguments),
    /// Write the skeleton of a rule and its line in the registry
    NewRule(tasks::new_rule::Arguments),
    /// Write the lowering tables from testdata/surface
    Tables(tasks::tables::Arguments),
    /// Compare our decisions with recorded ones
    Oracle(tasks::oracle::Arguments),
    /// Compare findings on the seed samples with the expected ones
    Seeds(tasks::seeds::Arguments),
    /// Run what is too slow for every change: long random runs, brute force, cost of searches
    Slow(tasks::slow::Arguments),
    /// Ask the policy engine about plain JSON policies
    Policy(tasks::policy::Arguments),
}

/// As the program, so that what `bench` measures is the program.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    match run(&Arguments::parse().task) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // Nothing is left to do where even that cannot be written.
            let _ = writeln!(std::io::stderr(), "error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(task: &Task) -> anyhow::Result<()> {
    match task {
        Task::Bench(arguments) => tasks::bench::run(arguments),
        Task::BenchModel(arguments) => tasks::bench_model::run(arguments),
        Task::Cases(arguments) => tasks::cases::run(arguments),
        Task::Catalog(arguments) => tasks::catalog::run(arguments),
        Task::Coverage(arguments) => tasks::coverage::run(arguments),
        Task::Deps(arguments) => tasks::deps::run(arguments),
        Task::Docs(arguments) => tasks::docs::run(arguments),
        Task::NewRule(arguments) => tasks::new_rule::run(arguments),
        Task::Tables(arguments) => tasks::tables::run(arguments),
        Task::Oracle(arguments) => tasks::oracle::run(arguments),
        Task::Seeds(arguments) => tasks::seeds::run(arguments),
        Task::Slow(arguments) => tasks::slow::run(arguments),
        Task::Policy(arguments) => tasks::policy::run(arguments),
    }
}
