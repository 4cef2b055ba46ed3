//! Pairs of action and resource that AWS writes in policies of its own.
//!
//! Not for what AWS's service roles may do on everything, which is `usual`. Invariant: the pair stands in one
//! Allow of a managed policy, letter by letter but for the partition.

use overgrant_catalog::{Action, catalog};
use overgrant_policy::{Answer, ResourcePattern, Statement, managed_document};

/// Whether AWS grants the action on all of these in a policy of its own.
pub(crate) fn is_published(action: Action<'_>, resources: &[ResourcePattern]) -> bool {
    let name = action.to_string();
    // Policies are only read where their text has the action.
    let quoted = format!("\"{name}\"");
    let ours: Vec<String> = resources.iter().map(text).collect();
    catalog()
        .managed_policies()
        .filter(|policy| policy.document().contains(&quoted))
        .any(|policy| {
            let document = managed_document(policy);
            let mut allows = document.allows();
            allows.any(|statement| {
                statement.actions.select(&name) == Answer::Must && names_all(statement, &ours)
            })
        })
}

fn names_all(statement: &Statement, ours: &[String]) -> bool {
    let theirs: Vec<String> = statement
        .resources
        .listed()
        .items
        .iter()
        .map(text)
        .collect();
    !statement.resources.listed().negated && ours.iter().all(|one| theirs.contains(one))
}

/// An ARN without its partition, which templates leave open.
fn text(resource: &ResourcePattern) -> String {
    let text = resource.pattern().to_string();
    let rest = text
        .strip_prefix("arn:")
        .and_then(|rest| rest.split_once(':'));
    rest.map_or_else(|| text.clone(), |(_, rest)| rest.to_owned())
}
