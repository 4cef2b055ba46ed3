//! Pairs of action and resource that AWS writes in policies of its own.
//!
//! Not for what AWS's service roles may do on everything, which is `usual`, nor for pairs that fit. Invariant:
//! the pair stands in one Allow of a managed policy, letter by letter but for the partition.

use overgrant_catalog::Action;
use overgrant_policy::ResourcePattern;
use std::cmp::Ordering;

/// Written by `cargo dev tables` from the catalog's AWS-managed policies: a line for each action, with its
/// resources without `arn:` and partition, divided by tabs.
const PAIRS: &str = include_str!("published.tsv");

/// Whether AWS grants the action on each of these in policies of its own, although the action does not know
/// them.
pub(crate) fn is_published(action: Action<'_>, resources: &[ResourcePattern]) -> bool {
    let Some(published) = resources_of(&action.to_string()) else {
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

/// The resources in the line of an action: a search by halves.
fn resources_of(action: &str) -> Option<&'static str> {
    let (mut from, mut to) = (0, PAIRS.len());
    while from < to {
        let half = PAIRS.get(from..from + (to - from) / 2);
        let start = half?.rfind('\n').map_or(from, |at| from + at + 1);
        let line = PAIRS.get(start..to)?.lines().next()?;
        let (own, resources) = line.split_once('\t')?;
        match own.cmp(action) {
            Ordering::Equal => return Some(resources),
            Ordering::Less => from = start + line.len() + 1,
            Ordering::Greater => to = start,
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_line_is_found() {
        let mut last = "";
        for line in PAIRS.lines() {
            let (action, resources) = line.split_once('\t').unwrap();
            assert!(last < action, "{action}");
            assert_eq!(resources_of(action), Some(resources), "{action}");
            last = action;
        }
        for none in ["a:A", "s3:None", "zz:Z", ""] {
            assert_eq!(resources_of(none), None);
        }
    }
}
