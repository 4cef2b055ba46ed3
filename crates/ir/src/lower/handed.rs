//! Policies handed to a module that is not installed.
//!
//! Not for modules that are there: what they attach is read as it is. Invariant: only what can be nothing but
//! an identity policy counts: its statements name no principals, and its argument no other kind of policy.

use super::read::members;
use super::{Holding, Lowering};
use crate::{DocumentRole, Resource};
use overgrant_policy::Document;
use overgrant_value::{Data, Val};

/// The type of a call whose module is not installed; its arguments are those of the call.
pub const ABSENT_MODULE: &str = "module.absent";

/// Parts of names of arguments and sources for policies that limit instead of granting.
const OTHERS: [&str; 7] = [
    "boundar",
    "control_polic",
    "deny",
    "endpoint",
    "organi",
    "scp",
    "session",
];

/// Deepest object in an argument that is searched.
const MOST_LEVELS: usize = 3;

/// Whether an argument of a module may take policies of identities, by its name.
#[must_use]
pub fn takes_policies(argument: &str) -> bool {
    argument.contains("polic") && !OTHERS.iter().any(|part| argument.contains(part))
}

/// Whether a module may attach policies to identities, by its source.
#[must_use]
pub fn may_attach(source: &str) -> bool {
    let source = source.to_ascii_lowercase().replace('-', "_");
    !OTHERS.iter().any(|part| source.contains(part))
}

pub(super) fn lower(lowering: &mut Lowering, resource: &Resource) {
    if resource.kind != ABSENT_MODULE {
        return;
    }
    let Some(arguments) = resource.attrs.as_map() else {
        return;
    };
    for entry in &arguments.entries {
        let Some(name) = entry.key.known_str().filter(|name| takes_policies(name)) else {
            continue;
        };
        let path = format!("{}.{name}", resource.address);
        search(lowering, resource, &path, &entry.val, 0);
    }
}

fn search(lowering: &mut Lowering, resource: &Resource, path: &str, val: &Val, level: usize) {
    for (at, (guard, val)) in members(val).into_iter().enumerate() {
        let path = match at {
            0 => path.to_owned(),
            _ => format!("{path}[{at}]"),
        };
        let document = Document::from_val(&val);
        if is_of_identity(&document) {
            let held = Resource {
                address: path.into(),
                maybe: true,
                ..resource.clone()
            };
            let holding = Holding {
                guard,
                ..Holding::new(&held, DocumentRole::Managed)
            };
            lowering.document(holding, &val);
        } else if let Data::Map(map) = val.data()
            && level < MOST_LEVELS
        {
            for entry in &map.entries {
                let key = entry.key.known_str().unwrap_or_default();
                search(
                    lowering,
                    resource,
                    &format!("{path}.{key}"),
                    &entry.val,
                    level + 1,
                );
            }
        }
    }
}

fn is_of_identity(document: &Document) -> bool {
    !document.statements.is_empty()
        && document.statements.iter().all(|statement| {
            !statement.principals.listed().present
                && statement.actions.listed().present
                && statement.resources.listed().present
        })
}
