//! The types that carry policies, grants and roles outside IAM: an interpreter for the rows that
//! `cargo dev tables` writes.
//!
//! Not for IAM's and Organizations' own types, which have code. Invariant: a row is the only thing
//! that a new type needs; look-alike policies have no row.

use super::read::{itself, members, named, references};
use super::{Holding, Lowering, generated, grant, iam, organization};
use crate::node::{ReferenceTo, ResourceGrant, Workload};
use crate::{DocumentRole, Place, Resource};
use overgrant_value::{Data, Guard, Val};

/// What an argument carries.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Carries {
    /// A policy on a resource; `service` is its IAM prefix.
    ResourcePolicy,
    /// One statement of such a policy, not a document.
    Statement,
    /// A VPC endpoint policy.
    EndpointPolicy,
    /// A session policy.
    SessionPolicy,
    /// An AWS IoT Core policy.
    IotPolicy,
    /// A role or instance profile that is used; `service` assumes it.
    Role,
    /// An argument that grants or decides access to a resource.
    Grant,
}

/// How a value is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Form {
    /// One value or a list.
    Plain,
    /// A map; its values count.
    Map,
}

/// One argument of one resource type.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Row {
    /// Resource type of either format.
    pub kind: &'static str,
    /// Path of the argument: names joined by dots; `*` is every member of a map.
    pub path: &'static str,
    /// What it carries.
    pub carries: Carries,
    /// How it is written.
    pub form: Form,
    /// The argument that names the resource concerned, `self` for the resource itself, empty where
    /// there is none.
    pub target: &'static str,
    /// IAM service prefix (policies, grants) or service principal (roles); empty where unknown.
    pub service: &'static str,
    /// Whether code or actions chosen by whoever configures it run with the role.
    pub compute: bool,
}

pub(super) const fn row(
    kind: &'static str,
    path: &'static str,
    carries: Carries,
    form: Form,
    target: &'static str,
    service: &'static str,
    compute: bool,
) -> Row {
    Row {
        kind,
        path,
        carries,
        form,
        target,
        service,
        compute,
    }
}

/// The rows of a resource type of either format.
pub fn rows(kind: &str) -> impl Iterator<Item = &'static Row> + use<> {
    let table = if kind.contains("::") {
        generated::CLOUDFORMATION
    } else {
        generated::TERRAFORM
    };
    let from = table.partition_point(|row| row.kind < kind);
    let to = table.partition_point(|row| row.kind <= kind);
    table.get(from..to).unwrap_or_default().iter()
}

pub(super) fn lower(lowering: &mut Lowering, resource: &Resource) {
    if iam::knows(&resource.kind) || organization::knows(&resource.kind) {
        return;
    }
    let mut granted = grant::knows(&resource.kind);
    for row in rows(&resource.kind) {
        let found = at_path(&resource.attrs, row.path);
        match row.carries {
            Carries::Role => {
                for (guard, val) in found {
                    role(lowering, resource, row, &guard, &val);
                }
            }
            Carries::Grant => {
                // One node per resource, whatever the number of its arguments.
                if !granted && !found.is_empty() {
                    granted = true;
                    lowering.model.grants.push(ResourceGrant {
                        place: Place::of(resource),
                        service: row.service.into(),
                        target: targets(resource, row.target).into_iter().next(),
                        document: None,
                        attrs: resource.attrs.clone(),
                    });
                }
            }
            _ => {
                for (guard, val) in found {
                    document(lowering, resource, row, guard, &val);
                }
            }
        }
    }
}

fn document(lowering: &mut Lowering, resource: &Resource, row: &Row, guard: Guard, val: &Val) {
    let service = row.service.into();
    let mut val = val.clone();
    let role = match row.carries {
        Carries::EndpointPolicy => DocumentRole::Endpoint,
        Carries::SessionPolicy => DocumentRole::Session,
        Carries::IotPolicy => DocumentRole::Iot,
        Carries::Statement => {
            // The language's version is not the author's to choose here.
            let src = val.src().clone();
            let version = Val::str("2012-10-17", src.clone());
            val = Val::object(vec![("Version", version), ("Statement", val)], src);
            DocumentRole::Resource { service }
        }
        _ => DocumentRole::Resource { service },
    };
    let mut holding = Holding::new(resource, role);
    holding.guard = guard;
    holding.targets = targets(resource, row.target);
    lowering.document(holding, &val);
}

fn role(lowering: &mut Lowering, resource: &Resource, row: &Row, guard: &Guard, val: &Val) {
    let values = match (row.form, val.data()) {
        (Form::Map, Data::Map(map)) => map.entries.iter().map(|e| e.val.under(val)).collect(),
        _ => vec![val.clone()],
    };
    for val in values {
        for mut reference in references(resource, &val) {
            let Some(both) = reference.guard.and(guard) else {
                continue;
            };
            if reference.text.is_empty() {
                // Modules write `""` for "no role".
                continue;
            }
            reference.guard = both;
            lowering.model.workloads.push(Workload {
                place: Place::of(resource),
                attribute: row.path.into(),
                role: reference,
                service: (!row.service.is_empty()).then(|| row.service.into()),
                compute: row.compute,
                attrs: resource.attrs.clone(),
            });
        }
    }
}

fn targets(resource: &Resource, target: &str) -> Vec<ReferenceTo> {
    match target {
        "" => Vec::new(),
        "self" => vec![itself(resource)],
        path if path.contains('.') => at_path(&resource.attrs, path)
            .into_iter()
            .flat_map(|(_, val)| references(resource, &val))
            .collect(),
        name => named(resource, &[name]),
    }
}

/// The values at a path through blocks, lists and maps, each under its guard.
fn at_path(attrs: &Val, path: &str) -> Vec<(Guard, Val)> {
    let mut here = vec![(Guard::always(), attrs.clone())];
    let mut steps = path.split('.').peekable();
    while let Some(step) = steps.next() {
        let last = steps.peek().is_none();
        let mut next = Vec::new();
        for (guard, val) in &here {
            for found in children(val, step) {
                if found.is_null() {
                    continue;
                }
                if last {
                    // Lists and alternatives stay whole: their readers keep the guards.
                    next.push((guard.clone(), found));
                    continue;
                }
                for (inner, found) in members(&found) {
                    if let Some(guard) = guard.and(&inner) {
                        next.push((guard, found));
                    }
                }
            }
        }
        here = next;
    }
    here
}

fn children(val: &Val, step: &str) -> Vec<Val> {
    match (step, val.as_map()) {
        ("*", Some(map)) => map.entries.iter().map(|e| e.val.under(val)).collect(),
        (name, Some(_)) => val.get(name).into_iter().collect(),
        // An unknown block may hold the argument, but says nothing about it.
        (_, None) => Vec::new(),
    }
}
