//! The rules: one file each, with docs, examples and check.
//!
//! Rules read the model and ask the policy engine; they never see source text, HCL or YAML. Not for
//! formats and reports. Invariant: rules hold no state and run in any order.

#[macro_use]
mod declare;
mod accounts;
mod caller;
mod cidr;
mod context;
mod docs;
mod escalate;
mod exposure;
mod federation;
mod grants;
mod holder;
mod listed;
mod managed;
mod names;
mod page;
mod rule;
mod rules;
mod settings;
mod skeleton;
#[cfg(test)]
mod testing;
mod whole;

pub use context::{Context, Report};
pub use docs::{Docs, Example, ExampleKind};
pub use page::page;
pub use rule::{Family, Mapping, Rule, Scope};
pub use rules::ALL;
pub use settings::{SessionMax, Settings};

/// The rule with this id or alias.
#[must_use]
pub fn find(name: &str) -> Option<&'static Rule> {
    ALL.iter()
        .copied()
        .find(|rule| rule.id == name)
        .or_else(|| {
            ALL.iter().copied().find(|rule| {
                rule.aliases
                    .iter()
                    .any(|alias| alias.eq_ignore_ascii_case(name))
            })
        })
}
