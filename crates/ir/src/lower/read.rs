//! Reading arguments: members of lists with their guards, and references.
//!
//! Not for what an argument means. Invariant: nothing is dropped but null and what cannot be under
//! any value of the guards; an unknown list is one open member.

use crate::node::{PolicyRef, ReferenceTo};
use crate::{Place, Resource};
use overgrant_value::{Data, Guard, Val};

/// The members of a list (or the one value where no list is written), each with its guard. Nulls
/// are left out, lists in the list are flattened.
pub(super) fn members(val: &Val) -> Vec<(Guard, Val)> {
    let mut found = Vec::new();
    collect(val, &Guard::always(), &mut found);
    found
}

fn collect(val: &Val, guard: &Guard, found: &mut Vec<(Guard, Val)>) {
    for (inner, val) in val.alternatives() {
        let Some(guard) = guard.and(&inner) else {
            continue;
        };
        match val.data() {
            Data::Null(_) => {}
            Data::Seq(_) => {
                for item in val.listed() {
                    collect(&item, &guard, found);
                }
            }
            _ => found.push((guard, val)),
        }
    }
}

/// The texts of a value or list as references, each under its guard and the resource's.
pub(super) fn references(resource: &Resource, val: &Val) -> Vec<ReferenceTo> {
    members(val)
        .into_iter()
        .filter_map(|(guard, val)| {
            Some(ReferenceTo {
                text: val.to_text()?,
                kind: None,
                src: val.src().clone(),
                guard: resource.guard.and(&guard)?,
            })
        })
        .collect()
}

/// The references of the first of several arguments that is set.
pub(super) fn named(resource: &Resource, names: &[&str]) -> Vec<ReferenceTo> {
    resource
        .get_any(names)
        .map(|val| references(resource, &val))
        .unwrap_or_default()
}

/// The same for policies.
pub(super) fn policies(resource: &Resource, names: &[&str]) -> Vec<PolicyRef> {
    named(resource, names)
        .into_iter()
        .map(PolicyRef::from)
        .collect()
}

impl From<ReferenceTo> for PolicyRef {
    fn from(reference: ReferenceTo) -> Self {
        Self {
            text: reference.text,
            src: reference.src,
            guard: reference.guard,
        }
    }
}

/// The reference of a resource to itself.
pub(super) fn itself(resource: &Resource) -> ReferenceTo {
    ReferenceTo {
        text: Place::of(resource).own("arn"),
        kind: None,
        src: resource.name_src.clone(),
        guard: resource.guard.clone(),
    }
}

/// The members of a nested block or list of objects, each with its guard.
pub(super) fn blocks(resource: &Resource, names: &[&str]) -> Vec<(Guard, Val)> {
    resource
        .get_any(names)
        .map(|val| members(&val))
        .unwrap_or_default()
}

/// The first of several members of an object that is neither absent nor null.
pub(super) fn member(object: &Val, names: &[&str]) -> Option<Val> {
    names
        .iter()
        .find_map(|name| object.get(name).filter(|val| !val.is_null()))
}
