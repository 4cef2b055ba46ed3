//! The documents of AWS-managed policies, read once a process.
//!
//! Not for: finding a policy (the catalog does) or where it is attached. Invariant: a document is
//! that of the catalog which the policy comes from.

use crate::Document;
use overgrant_catalog::{ManagedPolicy, catalog};
use overgrant_value::{Src, Text, Val};
use std::sync::{Arc, OnceLock};

static READ: OnceLock<Box<[OnceLock<Arc<Document>>]>> = OnceLock::new();

/// The document of an AWS-managed policy; its places are nowhere. Those of the catalog in force are
/// read once, and shared.
#[must_use]
pub fn managed_document(policy: ManagedPolicy<'_>) -> Arc<Document> {
    let slots = READ.get_or_init(|| {
        let policies = catalog().managed_policies();
        policies.map(|_| OnceLock::new()).collect()
    });
    match slots.get(policy.number()) {
        Some(slot) if policy.is_in_force() => Arc::clone(slot.get_or_init(|| read(policy))),
        _ => read(policy),
    }
}

fn read(policy: ManagedPolicy<'_>) -> Arc<Document> {
    let text = Val::text(Text::known(policy.document()), Src::none());
    Arc::new(Document::from_val(&text))
}

#[cfg(test)]
mod tests {
    use super::*;
    use overgrant_catalog::Catalog;
    use overgrant_value::Answer;

    #[test]
    fn is_read_once_and_is_that_of_its_name() {
        let find = |name: &str| Catalog::embedded().managed_policy(name).unwrap();
        let admin = managed_document(find("AdministratorAccess"));
        assert!(Arc::ptr_eq(
            &admin,
            &managed_document(find("AdministratorAccess"))
        ));
        let covers = |document: &Document| document.statements[0].actions.covers_all();
        assert_eq!(covers(&admin), Answer::Must);
        assert_eq!(
            covers(&managed_document(find("ReadOnlyAccess"))),
            Answer::No
        );
    }
}
