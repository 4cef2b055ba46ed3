//! Names for shells: principals, entries, actions and resources of the code in the current directory.
//!
//! `source <(COMPLETE=bash overgrant)` turns it on; zsh, fish, elvish and powershell have their own names.
//! Not for options, which the definition of the arguments completes. Invariant: nothing is printed but
//! candidates, and input that cannot be read gives none.

use clap_complete::engine::{ArgValueCompleter, CompletionCandidate};
use overgrant_access::Access;
use overgrant_engine::{Options, load, names};
use std::ffi::OsStr;
use std::path::PathBuf;

/// Candidates that begin like what was typed, and where there are none those that hold it.
fn matching(current: &OsStr, all: impl IntoIterator<Item = String>) -> Vec<CompletionCandidate> {
    let typed = current.to_string_lossy().to_ascii_lowercase();
    let all: Vec<(String, String)> = all
        .into_iter()
        .map(|name| (name.to_ascii_lowercase(), name))
        .collect();
    let pick = |fits: &dyn Fn(&str) -> bool| -> Vec<CompletionCandidate> {
        let found = all.iter().filter(|(lower, _)| fits(lower));
        found
            .map(|(_, name)| CompletionCandidate::new(name))
            .collect()
    };
    let found = pick(&|lower| lower.starts_with(&typed));
    if found.is_empty() {
        pick(&|lower| lower.contains(&typed))
    } else {
        found
    }
}

/// What a question about the code of the current directory gives.
fn ask(question: impl FnOnce(&Access<'_>) -> Vec<String>) -> Vec<String> {
    let options = Options {
        paths: vec![PathBuf::from(".")],
        ..Options::default()
    };
    let Ok(loaded) = load(&options) else {
        return Vec::new();
    };
    question(&Access::new(&loaded.model))
}

/// Principals, and what starts a session.
pub(crate) fn principals() -> ArgValueCompleter {
    ArgValueCompleter::new(|current: &OsStr| matching(current, ask(names)))
}

/// Principals, and entries from outside.
pub(crate) fn starts() -> ArgValueCompleter {
    let all = |access: &Access<'_>| {
        let mut all = names(access);
        let entries = access.graph().entries().iter();
        all.extend(entries.flat_map(|one| [one.kind.as_str().to_owned(), one.who.clone()]));
        all.sort();
        all.dedup();
        all
    };
    ArgValueCompleter::new(move |current: &OsStr| matching(current, ask(all)))
}

/// Principals, and administration.
pub(crate) fn goals() -> ArgValueCompleter {
    let all = |access: &Access<'_>| {
        let mut all = names(access);
        all.push("admin".to_owned());
        all
    };
    ArgValueCompleter::new(move |current: &OsStr| matching(current, ask(all)))
}

/// Actions of AWS: services first, then the actions of the one that is typed.
pub(crate) fn actions() -> ArgValueCompleter {
    ArgValueCompleter::new(|current: &OsStr| {
        let typed = current.to_string_lossy().to_ascii_lowercase();
        let catalog = overgrant_catalog::catalog();
        let names: Vec<String> = match typed.split_once(':') {
            Some((service, _)) => catalog
                .service(service)
                .into_iter()
                .flat_map(|service| service.actions())
                .filter_map(|id| catalog.action(overgrant_catalog::ActionId(id)))
                .map(|action| action.to_string())
                .collect(),
            None => catalog
                .services()
                .map(|service| format!("{}:", service.prefix()))
                .collect(),
        };
        matching(current, names)
    })
}

/// Resources of the code that have an ARN.
pub(crate) fn resources() -> ArgValueCompleter {
    ArgValueCompleter::new(|current: &OsStr| matching(current, ask(|access| access.addresses())))
}
