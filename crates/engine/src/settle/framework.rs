//! Findings in what a framework makes for its own ends, such as the handlers of the CDK's custom
//! resources: true, but for the framework's authors.
//!
//! Not for leaving them out. Invariant: such a finding is never more severe than low, unless the
//! configuration says so, and a note tells why.

use overgrant_finding::{Finding, Severity};
use overgrant_ir::{Maker, Resource};
use smol_str::SmolStr;
use std::collections::BTreeSet;

/// Roots and addresses of the resources that a framework made.
pub(crate) struct Framework(BTreeSet<(SmolStr, SmolStr)>);

impl Framework {
    pub(crate) fn new(resources: &[Resource]) -> Self {
        let made = resources
            .iter()
            .filter(|resource| resource.maker == Maker::Framework);
        Self(
            made.map(|resource| (resource.root.clone(), resource.address.clone()))
                .collect(),
        )
    }

    /// Lowers a finding in one of them.
    pub(crate) fn soften(&self, finding: &mut Finding) {
        let key = (finding.root.clone(), finding.holder.clone());
        if self.0.contains(&key) && finding.severity > Severity::Low {
            finding.severity = Severity::Low;
            finding
                .notes
                .push("made by the framework, whose authors can change it".to_owned());
        }
    }
}
