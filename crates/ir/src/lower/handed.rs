//! Policies handed to a module that is not installed: documents, and statements written as objects.
//!
//! Not for modules that are there: what they attach is read as it is. Invariant: only what can be nothing but
//! an identity policy counts: its statements name no principals, and its argument no other kind of policy.

use super::read::members;
use super::{Holding, Lowering};
use crate::{DocumentRole, Resource};
use overgrant_policy::Document;
use overgrant_value::{Data, Entry, Map, Src, Text, Val};

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
    (argument.contains("polic") || argument.contains("statement"))
        && !OTHERS.iter().any(|part| argument.contains(part))
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

/// Adds the policies in a value: documents, and statements as modules of registries take them.
fn search(lowering: &mut Lowering, resource: &Resource, path: &str, val: &Val, level: usize) {
    for (at, (guard, val)) in members(val).into_iter().enumerate() {
        let path = match at {
            0 => path.to_owned(),
            _ => format!("{path}[{at}]"),
        };
        let written = val.as_map().and_then(|map| statement(map, val.src()));
        let val = written.unwrap_or(val);
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

/// The elements of a statement as `aws_iam_policy_document` writes them, and as IAM does.
const ELEMENTS: [(&str, &str); 6] = [
    ("sid", "Sid"),
    ("effect", "Effect"),
    ("actions", "Action"),
    ("not_actions", "NotAction"),
    ("resources", "Resource"),
    ("not_resources", "NotResource"),
];

/// The document of a single statement that is written as an object with `actions` and `resources`.
fn statement(map: &Map, src: &Src) -> Option<Val> {
    let set = |name: &str| map.entry(name).filter(|entry| !is_nothing(&entry.val));
    let has = |names: [&str; 2]| names.iter().any(|name| set(name).is_some());
    if !has(["actions", "not_actions"])
        || !has(["resources", "not_resources"])
        || has(["principals", "not_principals"])
    {
        return None;
    }
    let mut entries: Vec<Entry> = Vec::new();
    if set("effect").is_none() {
        entries.push(entry(
            "Effect",
            src,
            Val::text(Text::known("Allow"), src.clone()),
        ));
    }
    for (name, element) in ELEMENTS {
        if let Some(found) = set(name) {
            entries.push(entry(element, &found.key_src, found.val.clone()));
        }
    }
    if let Some(found) = set("condition").or_else(|| set("conditions")) {
        let tests = conditions(&found.val).unwrap_or_else(|| {
            Val::unknown_because("conditions that are not written here", found.val.span())
        });
        entries.push(entry("Condition", &found.key_src, tests));
    }
    let one = Val::new(Data::Map(Map::object(entries)), src.clone());
    let document = entry("Statement", src, Val::tuple(vec![one], src.clone()));
    Some(Val::new(
        Data::Map(Map::object(vec![document])),
        src.clone(),
    ))
}

/// Whether a value is null or an empty list or object.
fn is_nothing(val: &Val) -> bool {
    match val.data() {
        Data::Map(map) => map.entries.is_empty(),
        _ => val.listed().is_empty(),
    }
}

fn entry(key: &str, key_src: &Src, val: Val) -> Entry {
    Entry {
        key: Text::known(key),
        key_src: key_src.clone(),
        val,
    }
}

/// Objects with `test`, `variable` and `values` as the conditions of IAM; nothing where one cannot be read.
fn conditions(val: &Val) -> Option<Val> {
    let mut tests: Vec<Entry> = Vec::new();
    let items: Vec<Val> = match val.data() {
        Data::Map(map) if val.get("test").is_none() => {
            map.entries.iter().map(|entry| entry.val.clone()).collect()
        }
        Data::Map(_) | Data::Seq(_) => val.listed().into_vec(),
        _ => return None,
    };
    for item in items {
        let (test, variable) = (item.get("test")?, item.get("variable")?);
        let key = Entry {
            key: variable.to_text()?,
            key_src: variable.src().clone(),
            val: item.get("values")?,
        };
        let operator = test.to_text()?;
        let src = test.src().clone();
        let known = tests
            .iter_mut()
            .find(|entry| entry.key.key() == operator.key());
        match known.map(|entry| &mut entry.val) {
            Some(keys) => {
                let mut all = keys.as_map()?.entries.clone();
                all.push(key);
                *keys = Val::new(Data::Map(Map::object(all)), src);
            }
            None => tests.push(Entry {
                key: operator,
                key_src: src.clone(),
                val: Val::new(Data::Map(Map::object(vec![key])), src),
            }),
        }
    }
    Some(Val::new(Data::Map(Map::object(tests)), val.src().clone()))
}
