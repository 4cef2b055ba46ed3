//! Pairs of action and resource that AWS writes in policies of its own.
//!
//! Not for what AWS's service roles may do on everything, which is `usual`, nor for pairs that fit. Invariant:
//! the pair stands in one Allow of a managed policy, letter by letter but for the partition.

use overgrant_catalog::Action;
use overgrant_policy::ResourcePattern;

/// Written by `cargo dev tables` from the catalog's AWS-managed policies: a line for each action, with its
/// resources without `arn:` and partition, divided by tabs.
const PAIRS: &str = include_str!("published.tsv");

/// Whether AWS grants the action on each of these in policies of its own, although the action does not know
/// them.
pub(crate) fn is_published(action: Action<'_>, resources: &[ResourcePattern]) -> bool {
    let line = format!("{action}\t");
    let Some(published) = PAIRS.lines().find_map(|one| one.strip_prefix(&line)) else {
        return false;
    };
    resources.iter().all(|resource| {
        let text = resource.pattern().to_string();
        let arn = text
            .strip_prefix("arn:")
            .and_then(|arn| arn.split_once(':'));
        arn.is_some_and(|(_, own)| published.split('\t').any(|one| one == own))
    })
}
