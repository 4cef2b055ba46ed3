//! Size and count limits of AWS, with where each figure comes from.
//!
//! Not for: measuring. Invariant: values of one limit stand in ascending order; AWS raises some
//! limits on request, so inform at the first value and warn at the last.

use crate::{Confidence, generated};

/// One value of one limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Quota {
    /// The limit, ending in its unit: `iam.managed-policy.chars`.
    pub limit: &'static str,
    /// The value in that unit.
    pub value: u32,
    /// The day or month from which the source speaks, or `undated`.
    pub as_of: &'static str,
    /// Where the value was read.
    pub source: &'static str,
    /// How sure the value is.
    pub confidence: Confidence,
}

/// All values, grouped by limit.
#[must_use]
pub const fn quotas() -> &'static [Quota] {
    generated::QUOTAS
}

/// The values of one limit, ascending; none for an unknown limit.
pub fn quota(limit: &str) -> impl Iterator<Item = &'static Quota> {
    quotas().iter().filter(move |quota| quota.limit == limit)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_ascend_within_a_limit() {
        assert_eq!(quotas().len(), 32);
        for pair in quotas().windows(2) {
            assert!(pair[0].limit != pair[1].limit || pair[0].value < pair[1].value);
        }
        let trust: Vec<u32> = quota("iam.role-trust.chars").map(|q| q.value).collect();
        assert_eq!(trust, [2048, 4096, 8192]);
        assert_eq!(quota("iam.nothing").count(), 0);
    }
}
