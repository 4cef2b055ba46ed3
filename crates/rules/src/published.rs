//! Pairs of action and resource that AWS writes in policies of its own.
//!
//! Not for what AWS's service roles may do on everything, which is `usual`, nor for pairs that fit. Invariant:
//! the pair stands in one Allow of a managed policy, letter by letter but for the partition, and for a region and
//! an account where AWS writes `*`.

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
        arn.is_some_and(|(_, own)| published.split('\t').any(|one| is_same(one, own)))
    })
}

/// Whether a resource is one that AWS writes (both without `arn:` and partition), or that one in a region or an
/// account.
fn is_same(published: &str, own: &str) -> bool {
    let (mut theirs, mut ours) = (published.splitn(4, ':'), own.splitn(4, ':'));
    let mut pair = || theirs.next().zip(ours.next());
    let (service, region, account, resource) = (pair(), pair(), pair(), pair());
    let equal = |pair: Option<(&str, &str)>| pair.is_some_and(|(theirs, ours)| theirs == ours);
    let within = |pair: Option<(&str, &str)>| pair.is_some_and(|(theirs, _)| theirs == "*");
    published == own
        || equal(service)
            && equal(resource)
            && (equal(region) || within(region))
            && (equal(account) || within(account))
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
    fn a_region_and_an_account_narrow_what_aws_writes() {
        let of_aws = "ec2:*:*:subnet/*";
        assert!(is_same(of_aws, "ec2:*:*:subnet/*"));
        assert!(is_same(of_aws, "ec2:${the region}:111122223333:subnet/*"));
        assert!(!is_same(of_aws, "ec2:*:*:subnet/subnet-1"));
        assert!(!is_same("ec2:*:111122223333:subnet/*", "ec2:*:*:subnet/*"));
        assert!(!is_same(of_aws, "rds:*:*:subnet/*"));
    }

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
