//! Pairs of action and resource that AWS writes in policies of its own although the action does not know
//! the resource.
//!
//! Not for what fits: nobody asks about that. Invariant: the same catalog gives the same bytes.

use overgrant_catalog::catalog;
use overgrant_policy::{ActionPattern, managed_document};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

/// One line for each action, in order: the action and its ARNs without `arn:` and partition, in order,
/// divided by tabs.
pub(super) fn table() -> String {
    let mut pairs: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for policy in catalog().managed_policies() {
        let document = managed_document(policy);
        for statement in document.allows() {
            let resources = statement.resources.listed();
            if resources.negated {
                continue;
            }
            let actions = statement.actions.listed();
            if actions.negated {
                continue;
            }
            let actions = || actions.items.iter().filter_map(ActionPattern::action);
            for resource in &resources.items {
                let text = resource.pattern().to_string();
                let Some((_, rest)) = text
                    .strip_prefix("arn:")
                    .and_then(|arn| arn.split_once(':'))
                else {
                    continue;
                };
                for action in actions() {
                    if !resource.suits(action.id()) {
                        pairs
                            .entry(action.to_string())
                            .or_default()
                            .insert(rest.to_owned());
                    }
                }
            }
        }
    }
    let mut out = String::new();
    for (action, resources) in &pairs {
        out.push_str(action);
        for resource in resources {
            let _ = write!(out, "\t{resource}");
        }
        out.push('\n');
    }
    out
}
