//! Plans as JSON (`terraform show -json`), with the sources that they were made from.
//!
//! Format: developer.hashicorp.com/terraform/internals/json-format, versions 0.2 to 1.x. Values come
//! from the plan; where the configuration lies beside it, its evaluation gives the places and what
//! the plan calls known after apply. Not for state files. Invariant: a value that the plan knows is
//! the plan's.

mod overlay;
mod reference;

use crate::config::{Loader, ResourceKey};
use crate::eval::{Evaluator, Scope};
use crate::roots::{self, Evaluated};
use crate::{Options, Output};
use overgrant_ir::{Format, Mode, Resource};
use overgrant_source::{Diagnostic, Level, SourceFile, Sources};
use overgrant_value::{Data, Entry, Guard, Map, Src, Sym, Text, Val, json};
use reference::Configuration;
use smol_str::{SmolStr, format_smolstr};
use std::collections::BTreeMap;

/// Attributes that AWS gives and that say who a resource is.
const IDENTIFYING: &[&str] = &["arn", "id", "name", "url", "account_id"];

/// Whether a JSON text looks like a plan: it names its format and what is planned.
#[must_use]
pub fn is_plan(text: &str) -> bool {
    let has = |key: &str| text.contains(key);
    has("\"format_version\"")
        && (has("\"resource_changes\"") || has("\"planned_values\""))
        && !has("\"AWSTemplateFormatVersion\"")
}

/// Reads the plan in `file`; `None` where the file is something else.
#[must_use]
pub fn read(sources: &Sources, file: &SourceFile) -> Option<Output> {
    if !is_plan(file.text()) {
        return None;
    }
    let path = file.path();
    let mut output = Output {
        files: vec![path.to_owned()],
        roots: vec![path.into()],
        ..Output::default()
    };
    let plan = match json::parse_file(file, json::Options::default()) {
        Ok(plan) => plan,
        Err(error) => {
            let words = format!("this plan is not valid JSON: {}", error.message);
            let mut diagnostic = Diagnostic::new(Level::Error, "json-syntax", words);
            diagnostic = match error.span {
                Some(span) => diagnostic.at(file, span),
                None => diagnostic.in_file(path),
            };
            output.diagnostics.push(diagnostic.losing_file());
            return Some(output);
        }
    };
    let version = plan.get("format_version")?.as_str()?;
    if !(version.starts_with("1.") || version.starts_with("0.")) {
        let words = format!(
            "this plan has the format version {version}, which is not known; write it with Terraform 0.12 to 1.x"
        );
        let diagnostic = Diagnostic::new(Level::Error, "plan-version", words).in_file(path);
        output.diagnostics.push(diagnostic.losing_file());
        return Some(output);
    }
    let planned = planned(&plan, path);
    let evaluated = evaluate(sources, &plan, &planned, path, &mut output);
    let mut by_address: BTreeMap<SmolStr, &Resource> = BTreeMap::new();
    for resource in &evaluated {
        by_address.insert(resource.address.clone(), resource);
        by_address
            .entry(without_keys(&resource.address))
            .or_insert(resource);
    }
    for resource in planned {
        let of = by_address
            .get(&resource.address)
            .or_else(|| by_address.get(&without_keys(&resource.address)));
        output.resources.push(match of {
            Some(of) => Resource {
                attrs: overlay::values(Some(&of.attrs), &resource.attrs),
                src: of.src.clone(),
                name_src: of.name_src.clone(),
                ..resource
            },
            None => resource,
        });
    }
    let data = evaluated
        .into_iter()
        .filter(|resource| resource.mode == Mode::Data);
    output.resources.extend(data.map(|resource| Resource {
        format: Format::Plan,
        ..resource
    }));
    output.resources.sort_by(|a, b| a.address.cmp(&b.address));
    Some(output)
}

/// The members of an object; none of anything else.
fn members(val: Option<&Val>) -> &[Entry] {
    val.and_then(Val::as_map)
        .map_or(&[], |map| map.entries.as_slice())
}

/// An address without instance keys.
fn without_keys(address: &str) -> SmolStr {
    let mut out = String::new();
    let (mut inside, mut quoted, mut escaped) = (false, false, false);
    for c in address.chars() {
        match c {
            _ if escaped => escaped = false,
            '\\' if quoted => escaped = true,
            '"' if inside => quoted = !quoted,
            '[' if !inside => inside = true,
            ']' if inside && !quoted => inside = false,
            c if !inside => out.push(c),
            _ => {}
        }
    }
    out.into()
}

/// The resources of the plan as they will be, with places in the plan itself.
fn planned(plan: &Val, path: &str) -> Vec<Resource> {
    let account = own_account(plan);
    let changes = changes_of(plan);
    let configuration = Configuration::new(plan);
    let mut resources = Vec::new();
    for change in plan
        .get("resource_changes")
        .map_or_else(Vec::new, |all| all.listed().into_vec())
    {
        let text = |key: &str| change.get(key).and_then(|val| val.as_str());
        let (Some(address), Some(kind)) = (text("address"), text("type")) else {
            continue;
        };
        let Some(after) = change.at(&["change", "after"]).filter(|val| !val.is_null()) else {
            continue;
        };
        if text("mode").is_some_and(|mode| mode != "managed") || text("deposed").is_some() {
            continue;
        }
        let unknown = change.at(&["change", "after_unknown"]);
        let written = configuration.expressions(&address);
        let hole = |key: &str| {
            configuration
                .designates(&address, key)
                .map(|(addr, name)| refer(&changes, path, &addr, &name))
                .unwrap_or_else(|| {
                    Val::unknown(
                        Sym::Attr {
                            root: path.into(),
                            addr: address.clone(),
                            path: key.into(),
                        },
                        change.src().clone(),
                    )
                })
        };
        let attrs = attributes(
            &after,
            unknown.as_ref(),
            written.as_ref(),
            account.as_ref(),
            &hole,
        );
        resources.push(Resource {
            root: path.into(),
            address,
            kind,
            mode: Mode::Managed,
            format: Format::Plan,
            logical_id: None,
            origin: None,
            maker: overgrant_ir::Maker::Author,
            attrs,
            src: change.src().clone(),
            name_src: change
                .get("address")
                .map_or_else(Src::none, |val| val.src().clone()),
            guard: Guard::always(),
            maybe: false,
        });
    }
    resources
}

/// What the plan says of each resource, by address.
fn changes_of(plan: &Val) -> BTreeMap<SmolStr, Val> {
    plan.get("resource_changes")
        .map_or_else(Vec::new, |all| all.listed().into_vec())
        .into_iter()
        .filter_map(|change| Some((change.get("address")?.as_str()?, change)))
        .collect()
}

/// An attribute of another resource of the plan that is known after apply.
fn refer(resources: &BTreeMap<SmolStr, Val>, path: &str, addr: &SmolStr, name: &str) -> Val {
    let change = resources.get(addr);
    let src = change.map_or_else(Src::none, |change| change.src().clone());
    let kind = change.and_then(|change| change.get("type")?.as_str());
    let argument = |wanted: &str| {
        let val = change?.at(&["change", "after", wanted])?;
        (!val.is_null()).then(|| val.to_text()).flatten()
    };
    kind.and_then(|kind| overgrant_ir::identity::attribute(&kind, name, path, addr, &argument))
        .map_or_else(
            || {
                let sym = Sym::Attr {
                    root: path.into(),
                    addr: addr.clone(),
                    path: name.into(),
                };
                Val::unknown(sym, src.clone())
            },
            |text| Val::text(text, src.clone()),
        )
}

/// The account that the plan is for, where all ARNs of its resources agree on one.
fn own_account(plan: &Val) -> Option<SmolStr> {
    let mut accounts: Vec<SmolStr> = Vec::new();
    for change in plan.get("resource_changes")?.listed() {
        let arn = change
            .at(&["change", "after", "arn"])
            .and_then(|arn| arn.as_str());
        let account = arn.as_deref().and_then(|arn| arn.split(':').nth(4));
        if let Some(account) = account
            && account.len() == 12
            && account.bytes().all(|b| b.is_ascii_digit())
        {
            accounts.push(account.into());
        }
    }
    accounts.sort();
    accounts.dedup();
    match accounts.as_slice() {
        [only] => Some(only.clone()),
        _ => None,
    }
}

/// The arguments of one resource. What the provider computed is left out, as the configuration does
/// not say it, unless it says who the resource is.
fn attributes(
    after: &Val,
    unknown: Option<&Val>,
    written: Option<&Val>,
    account: Option<&SmolStr>,
    hole: &dyn Fn(&str) -> Val,
) -> Val {
    let Some(map) = after.as_map() else {
        return after.clone();
    };
    let is_written = |key: &str| written.is_none_or(|written| written.get(key).is_some());
    let mut entries = Vec::new();
    for entry in &map.entries {
        let Some(key) = entry.key.as_known() else {
            continue;
        };
        let blocks = entry.val.as_items().is_some_and(|items| {
            !items.is_empty() && items.iter().all(|item| item.as_map().is_some())
        });
        if !(blocks || is_written(&key) || IDENTIFYING.contains(&&*key)) {
            continue;
        }
        let below = unknown.and_then(|unknown| unknown.get(&key));
        let val = value(&entry.val, below.as_ref(), account, &|| hole(&key));
        entries.push(Entry {
            val,
            ..entry.clone()
        });
    }
    for entry in members(unknown) {
        let Some(key) = entry.key.as_known() else {
            continue;
        };
        let absent = !entries.iter().any(|known| known.key.is(&key));
        if absent && entry.val.as_bool() == Some(true) && written.is_some() && is_written(&key) {
            entries.push(Entry {
                val: hole(&key),
                ..entry.clone()
            });
        }
    }
    entries.sort_by_key(|entry| entry.key.key());
    Val::new(Data::Map(Map::object(entries)), after.src().clone())
}

/// A planned value with holes where it is known after apply, and the symbol of the own account.
fn value(
    val: &Val,
    unknown: Option<&Val>,
    account: Option<&SmolStr>,
    hole: &dyn Fn() -> Val,
) -> Val {
    if unknown.and_then(|unknown| unknown.as_bool()) == Some(true) {
        return hole();
    }
    let data = match val.data() {
        Data::Seq(seq) => {
            let below = unknown.map_or_else(Vec::new, |unknown| unknown.listed().into_vec());
            let mut items: Vec<Val> = Vec::new();
            for at in 0..seq.items.len().max(below.len()) {
                items.push(match seq.items.get(at) {
                    Some(item) => value(item, below.get(at), account, hole),
                    None => hole(),
                });
            }
            let mut seq = seq.clone();
            seq.items = items;
            Data::Seq(seq)
        }
        Data::Map(map) => {
            let mut map = map.clone();
            map.entries.retain(|entry| !entry.val.is_null());
            for entry in &mut map.entries {
                let key = entry.key.as_known();
                let below = unknown.and_then(|unknown| unknown.get(&key?));
                entry.val = value(&entry.val, below.as_ref(), account, hole);
            }
            for entry in members(unknown) {
                let absent = !map
                    .entries
                    .iter()
                    .any(|known| known.key.same_text(&entry.key));
                if absent && entry.val.as_bool() == Some(true) {
                    map.entries.push(Entry {
                        val: hole(),
                        ..entry.clone()
                    });
                }
            }
            map.entries.sort_by_key(|entry| entry.key.key());
            Data::Map(map)
        }
        Data::Str(text) => {
            let Some(account) = account else {
                return val.clone();
            };
            let needle = format_smolstr!(":{account}:");
            let with = Text::known(":")
                .concat(&Text::hole(Sym::Account, val.src().clone()))
                .concat(&Text::known(":"));
            match text.replace(&needle, &with) {
                Some(text) => Data::Str(text),
                None => return val.clone(),
            }
        }
        _ => return val.clone(),
    };
    Val::new(data, val.src().clone()).marked(val.marks())
}

/// The resources of the configuration beside the plan, evaluated with the plan's variables; none
/// where it is not the configuration that the plan was made from.
fn evaluate(
    sources: &Sources,
    plan: &Val,
    planned: &[Resource],
    path: &str,
    output: &mut Output,
) -> Vec<Resource> {
    let dir = path.rsplit_once('/').map_or("", |(dir, _)| dir);
    let loader = Loader::new(sources);
    let module = loader.module(dir);
    let in_root: Vec<SmolStr> = planned
        .iter()
        .filter(|resource| !resource.address.starts_with("module."))
        .map(|resource| without_keys(&resource.address))
        .collect();
    let declared = |address: &SmolStr| {
        let (kind, name) = address.split_once('.').unwrap_or_default();
        module.resources.contains_key(&ResourceKey {
            mode: Mode::Managed,
            kind: kind.into(),
            name: name.into(),
        })
    };
    let called = |resource: &Resource| {
        let call = resource.address.strip_prefix("module.")?;
        let name = call.split(['.', '[']).next()?;
        module.calls.get(name)
    };
    let fits = in_root.iter().all(declared)
        && planned
            .iter()
            .filter(|resource| resource.address.starts_with("module."))
            .all(|resource| called(resource).is_some());
    if module.files.is_empty() || planned.is_empty() || !fits {
        return Vec::new();
    }
    let scratch = Evaluator::new(&loader, dir, BTreeMap::new(), BTreeMap::new());
    let mut given = roots::given(sources, &module, &Options::default(), &mut Vec::new());
    let variables = plan.get("variables");
    for entry in members(variables.as_ref()) {
        let (Some(name), Some(val)) = (entry.key.as_known(), entry.val.get("value")) else {
            continue;
        };
        let Some(variable) = module.variables.get(&name) else {
            continue;
        };
        let default = variable.block.body.attribute("default");
        let written = given.get(&name).cloned().or_else(|| {
            let default = default?;
            scratch
                .expr(&Scope::bare(None), &default.value)
                .ok()
                .map(|val| val.through(default.span, format_smolstr!("default of var.{name}")))
        });
        let val = match written {
            Some(written) => overlay::values(Some(&written), &val),
            None => overlay::at(&val, variable.block.header),
        };
        given.insert(name, val);
    }
    let evaluator = Evaluator::new(&loader, dir, given, roots::installed(sources, dir)).named(path);
    let Evaluated {
        resources,
        outputs,
        calls,
        diagnostics,
        ..
    } = roots::evaluated(&evaluator, Vec::new());
    output.outputs = outputs;
    output.calls = calls;
    output.diagnostics.extend(diagnostics);
    for module in loader.all() {
        output.comments.extend(module.comments.iter().cloned());
    }
    resources
}
