//! The rules: one file each, with docs, examples and check.
//!
//! Rules read the model and ask the policy engine; they never see source text, HCL or YAML. Not for
//! formats and reports. Invariant: rules hold no state and run in any order.

#[macro_use]
mod declare;
mod accounts;
mod boundaries;
mod claims;
mod context;
mod docs;
mod environment;
mod escalate;
mod exposure;
mod federation;
mod fixes;
mod grants;
mod holder;
mod length;
mod listed;
mod managed;
mod names;
mod organization;
mod page;
mod published;
mod rule;
mod rules;
mod scopable;
mod service_accounts;
mod settings;
#[cfg(test)]
mod testing;
mod usual;
mod whole;
mod workflow;

use overgrant_access::{caller, cidr, skeleton};

pub use context::{Context, Report};
pub use docs::{Docs, Example, ExampleKind};
pub use page::page;
pub use rule::{Family, Mapping, Rule, Scope};
pub use rules::ALL;
pub use settings::{SessionMax, Settings};

/// The rule with this id, else the first with this alias.
#[must_use]
pub fn find(name: &str) -> Option<&'static Rule> {
    named(name).next()
}

/// The rule with this id, else all with this alias (letter case aside); other tools' ids often stand
/// for several of ours.
pub fn named(name: &str) -> impl Iterator<Item = &'static Rule> {
    let own = ALL.iter().copied().find(|rule| rule.id == name);
    ALL.iter().copied().filter(move |rule| match own {
        Some(own) => own.id == rule.id,
        None => rule
            .aliases
            .iter()
            .any(|alias| alias.eq_ignore_ascii_case(name)),
    })
}
