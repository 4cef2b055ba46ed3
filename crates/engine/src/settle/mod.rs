//! From what rules said to what is reported.
//!
//! Moving to places of the repository, merging of contexts, subsumption, suppression, thresholds,
//! order. Not for rules and outputs. Invariant: every finding of the rules ends as shown, hidden by
//! a threshold, suppressed with a reason, an instance of another, or silenced by a stronger one on
//! the same cause.

mod fold;
mod framework;
mod merge;
mod place;
mod repeat;
mod subsume;
mod suppress;
mod write;

pub(crate) use fold::fold;
pub(crate) use framework::Framework;
pub(crate) use merge::{Uses, merge};
pub(crate) use place::{Call, Headers, is_foreign, is_ours, move_into_repository, move_to_use};
pub(crate) use repeat::once_each;
pub(crate) use subsume::subsume;
pub(crate) use suppress::{Markers, MetadataIgnore, Suppressions};
pub(crate) use write::{Writer, touch};

use crate::outcome::{Located, Reported};
use overgrant_finding::Finding;
use overgrant_source::Sources;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};

/// The place of a finding; without bytes, its root as a whole.
pub(crate) fn located(sources: &Sources, finding: &Finding) -> Located {
    finding
        .primary
        .and_then(|span| Located::of(sources, span))
        .unwrap_or_else(|| Located::file(finding.root.as_str().into()))
}

/// Sorts findings by path, start, rule and address; what is left equal by end, root and message.
pub(crate) fn sort(findings: &mut [Reported]) {
    findings.sort_by(|a, b| {
        let by_place = (&a.place.path, a.place.start).cmp(&(&b.place.path, b.place.start));
        let (left, right) = (&a.finding, &b.finding);
        by_place
            .then_with(|| left.rule.cmp(right.rule))
            .then_with(|| left.address.cmp(&right.address))
            .then_with(|| a.place.end.cmp(&b.place.end))
            .then_with(|| left.root.cmp(&right.root))
            .then_with(|| left.message.cmp(&right.message))
    });
}

/// A hash by which the names of a run are told apart without keeping them.
fn name_hash(root: &str, address: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    (root, address).hash(&mut hasher);
    hasher.finish()
}
