//! What the configuration section of a plan says of references.
//!
//! The section lists what an expression refers to, not how it is written. Not for values.
//! Invariant: a reference is taken for the value only where the argument can name nothing else: a
//! role, user, group or ARN, with one resource behind it.

use overgrant_value::Val;
use smol_str::{SmolStr, format_smolstr};
use std::collections::{BTreeMap, BTreeSet};

/// How many outputs and variables a reference is followed through.
const MAX_HOPS: usize = 32;

/// The configuration of a plan.
pub(super) struct Configuration {
    root: Option<Val>,
    /// The resources by address without instance keys.
    resources: BTreeMap<SmolStr, Val>,
    /// Addresses of all resources of the plan.
    addresses: BTreeSet<SmolStr>,
}

/// A module of the configuration, with the path of its instance and who calls it.
#[derive(Clone)]
struct Place {
    module: Val,
    path: SmolStr,
    caller: Option<(Box<Self>, SmolStr)>,
}

impl Configuration {
    pub(super) fn new(plan: &Val) -> Self {
        let changes = plan.get("resource_changes");
        let root = plan.at(&["configuration", "root_module"]);
        let mut resources = BTreeMap::new();
        if let Some(root) = &root {
            collect(root, "", &mut resources);
        }
        Self {
            root,
            resources,
            addresses: changes
                .map_or_else(Vec::new, |all| all.listed().into_vec())
                .iter()
                .filter_map(|change| change.get("address")?.as_str())
                .collect(),
        }
    }

    /// The expressions of the resource with the address `address`.
    pub(super) fn expressions(&self, address: &str) -> Option<Val> {
        let resource = self.resources.get(&super::without_keys(address))?;
        resource.get("expressions")
    }

    /// Address and attribute of the one resource that the argument `key` must name.
    pub(super) fn designates(&self, address: &str, key: &str) -> Option<(SmolStr, SmolStr)> {
        let names = key.ends_with("arn")
            || key.ends_with("arns")
            || ["role", "user", "group", "roles", "users", "groups"].contains(&key)
            || ["permissions_boundary", "iam_instance_profile"].contains(&key);
        if !names {
            return None;
        }
        let expression = self.expressions(address)?.get(key)?;
        let place = self.place(address)?;
        let key = address.rfind('[').filter(|_| address.ends_with(']'));
        let key = key.and_then(|at| address.get(at..)).unwrap_or_default();
        self.follow(&place, &expression, key, 0)
    }

    /// The module of an address.
    fn place(&self, address: &str) -> Option<Place> {
        let mut place = Place {
            module: self.root.clone()?,
            path: SmolStr::default(),
            caller: None,
        };
        let mut rest = address;
        while let Some(call) = rest.strip_prefix("module.") {
            let end = step_end(call);
            let (step, after) = call.split_at_checked(end)?;
            let name = step.split('[').next()?;
            let module = place.module.at(&["module_calls", name, "module"])?;
            let path = joined(&place.path, &format_smolstr!("module.{step}"));
            place = Place {
                module,
                path,
                caller: Some((Box::new(place), name.into())),
            };
            rest = after.strip_prefix('.')?;
        }
        Some(place)
    }

    /// The one resource attribute behind an expression.
    fn follow(
        &self,
        place: &Place,
        expression: &Val,
        key: &str,
        hops: usize,
    ) -> Option<(SmolStr, SmolStr)> {
        if hops > MAX_HOPS {
            return None;
        }
        let all: Vec<SmolStr> = expression
            .get("references")?
            .listed()
            .iter()
            .filter_map(|val| val.as_str())
            .collect();
        // A reference is followed by its own shorter forms.
        let longest: BTreeSet<&SmolStr> = all
            .iter()
            .filter(|one| {
                !all.iter().any(|other| {
                    other
                        .strip_prefix(one.as_str())
                        .is_some_and(|rest| rest.starts_with(['.', '[']))
                })
            })
            .filter(|one| !one.starts_with("each.") && !one.starts_with("count."))
            .collect();
        let [only] = Vec::from_iter(longest)[..] else {
            return None;
        };
        if let Some(name) = only.strip_prefix("var.") {
            let (caller, call) = place.caller.as_ref()?;
            let name = name.split(['.', '[']).next()?;
            let argument = caller
                .module
                .at(&["module_calls", call, "expressions", name])?;
            return self.follow(caller, &argument, "", hops + 1);
        }
        if let Some(rest) = only.strip_prefix("module.") {
            let (step, output) = rest.split_at_checked(step_end(rest))?;
            let call = step.split('[').next()?;
            let output = output.strip_prefix('.')?.split(['.', '[']).next()?;
            let module = place.module.at(&["module_calls", call, "module"])?;
            let expression = module.at(&["outputs", output, "expression"])?;
            let inner = Place {
                module,
                path: joined(&place.path, &format_smolstr!("module.{step}")),
                caller: Some((Box::new(place.clone()), call.into())),
            };
            return self.follow(&inner, &expression, "", hops + 1);
        }
        if only.starts_with("data.") || only.starts_with("local.") {
            return None;
        }
        let (kind, rest) = only.split_once('.')?;
        let (name, attribute) = rest.split_at_checked(step_end(rest))?;
        let attribute = attribute.strip_prefix('.')?;
        let address = joined(&place.path, &format_smolstr!("{kind}.{name}"));
        let keyed = format_smolstr!("{address}{key}");
        let address = if self.addresses.contains(&address) {
            address
        } else if self.addresses.contains(&keyed) {
            keyed
        } else {
            let start = format_smolstr!("{address}[");
            let mut members = self
                .addresses
                .iter()
                .filter(|one| one.starts_with(start.as_str()));
            let only = members.next()?.clone();
            if members.next().is_some() {
                return None;
            }
            only
        };
        Some((address, attribute.into()))
    }
}

fn collect(module: &Val, path: &str, resources: &mut BTreeMap<SmolStr, Val>) {
    for resource in module
        .get("resources")
        .map_or_else(Vec::new, |all| all.listed().into_vec())
    {
        if let Some(address) = resource.get("address").and_then(|val| val.as_str()) {
            resources.insert(joined(path, &address), resource);
        }
    }
    let calls = module.get("module_calls");
    for call in super::members(calls.as_ref()) {
        if let (Some(name), Some(inner)) = (call.key.as_known(), call.val.get("module")) {
            let path = joined(path, &format_smolstr!("module.{name}"));
            collect(&inner, &path, resources);
        }
    }
}

fn joined(path: &str, step: &str) -> SmolStr {
    if path.is_empty() {
        step.into()
    } else {
        format_smolstr!("{path}.{step}")
    }
}

/// Where the first step of an address ends: at a dot outside of an instance key.
fn step_end(text: &str) -> usize {
    let (mut inside, mut quoted, mut escaped) = (false, false, false);
    for (at, c) in text.char_indices() {
        match c {
            _ if escaped => escaped = false,
            '\\' if quoted => escaped = true,
            '"' if inside => quoted = !quoted,
            '[' => inside = true,
            ']' if !quoted => inside = false,
            '.' if !inside => return at,
            _ => {}
        }
    }
    text.len()
}
