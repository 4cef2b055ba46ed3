//! Local values that refer to themselves, which Terraform refuses whoever uses them.
//!
//! Not for circles through variables, outputs or resources, which evaluation meets. Invariant: only
//! references count, in whatever branch they stand, as in Terraform's graph.

use super::Module;
use crate::syntax::tree::{Attribute, Expr, ExprKind, Key, Part, Step, StepKind};
use overgrant_source::{Diagnostic, Level, Sources};
use smol_str::SmolStr;
use std::collections::{BTreeMap, BTreeSet};

/// References followed in one module; circles beyond that are left to evaluation.
const MAX_STEPS: usize = 100_000;

/// Names on the way that a message lists.
const SHOWN: usize = 6;

/// Finds the circles of a module's local values, tells each at its first one, and remembers who is in
/// them.
pub(super) fn find(sources: &Sources, module: &mut Module) {
    let edges = edges(&module.locals);
    let mut steps = MAX_STEPS;
    let mut told: BTreeSet<SmolStr> = BTreeSet::new();
    for &name in edges.keys() {
        if told.contains(name) {
            continue;
        }
        let Some(way) = way_back(&edges, name, &mut steps) else {
            continue;
        };
        let names: Vec<String> = way
            .iter()
            .take(SHOWN)
            .map(|name| format!("`local.{name}`"))
            .collect();
        let more = way.len() - names.len();
        let through = match (names.join(", "), more) {
            (names, _) if names.is_empty() => String::new(),
            (names, 0) => format!(" through {names}"),
            (names, more) => format!(" through {names} and {more} more"),
        };
        told.insert(name.clone());
        told.extend(way.into_iter().cloned());
        let message = format!(
            "`local.{name}` refers to itself in a circle{through}; take one of the references out"
        );
        if let Some(attr) = module.locals.get(name)
            && let Some(file) = sources.get(attr.name_span.file)
        {
            module.diagnostics.push(
                Diagnostic::new(Level::Warning, "local-circle", message).at(&file, attr.name_span),
            );
        }
    }
    module.circles = told;
}

/// The local values to which others refer, of those that refer to any.
fn edges(locals: &BTreeMap<SmolStr, Attribute>) -> BTreeMap<&SmolStr, BTreeSet<&SmolStr>> {
    let mut edges: BTreeMap<&SmolStr, BTreeSet<&SmolStr>> = BTreeMap::new();
    for (name, attr) in locals {
        let mut found = BTreeSet::new();
        referred(&attr.value, &mut |other| {
            if let Some((other, _)) = locals.get_key_value(other) {
                found.insert(other);
            }
        });
        if !found.is_empty() {
            edges.insert(name, found);
        }
    }
    peel(&mut edges);
    edges
}

/// Takes out what refers to nothing that is left, until nothing more goes: the rest leads to circles.
fn peel(edges: &mut BTreeMap<&SmolStr, BTreeSet<&SmolStr>>) {
    let mut users: BTreeMap<&SmolStr, Vec<&SmolStr>> = BTreeMap::new();
    let mut open: BTreeMap<&SmolStr, usize> = BTreeMap::new();
    for (&name, others) in &*edges {
        open.insert(name, others.len());
        for &other in others {
            users.entry(other).or_default().push(name);
        }
    }
    let leaves = users
        .keys()
        .copied()
        .filter(|name| !open.contains_key(name));
    let mut gone: Vec<&SmolStr> = leaves.collect();
    while let Some(name) = gone.pop() {
        for user in users.remove(name).unwrap_or_default() {
            if let Some(count) = open.get_mut(user) {
                *count -= 1;
                if *count == 0 {
                    open.remove(user);
                    gone.push(user);
                }
            }
        }
    }
    edges.retain(|name, others| {
        others.retain(|other| open.contains_key(other));
        open.contains_key(name)
    });
}

/// What stands between a local value and itself on the shortest way; `None` where there is none, or
/// the steps are used up.
fn way_back<'a>(
    edges: &BTreeMap<&'a SmolStr, BTreeSet<&'a SmolStr>>,
    name: &'a SmolStr,
    steps: &mut usize,
) -> Option<Vec<&'a SmolStr>> {
    let mut before: BTreeMap<&SmolStr, &SmolStr> = BTreeMap::new();
    let mut queue = std::collections::VecDeque::from([name]);
    while let Some(at) = queue.pop_front() {
        for &next in edges.get(at).into_iter().flatten() {
            *steps = steps.checked_sub(1)?;
            if next == name {
                let mut way = Vec::new();
                let mut step = at;
                while step != name {
                    way.push(step);
                    step = before.get(step)?;
                }
                way.reverse();
                return Some(way);
            }
            if !before.contains_key(next) {
                before.insert(next, at);
                queue.push_back(next);
            }
        }
    }
    None
}

/// Calls `visit` for every `local.NAME` in an expression.
fn referred(expr: &Expr, visit: &mut dyn FnMut(&SmolStr)) {
    let mut next = vec![expr];
    while let Some(expr) = next.pop() {
        match &expr.kind {
            ExprKind::Null | ExprKind::Bool(_) | ExprKind::Number(_) | ExprKind::Root(_) => {}
            ExprKind::Template(parts) => parts_of(parts, &mut next),
            ExprKind::Wrap(inner) | ExprKind::Paren(inner) | ExprKind::Unary(_, inner) => {
                next.push(inner);
            }
            ExprKind::Tuple(items) => next.extend(items),
            ExprKind::Object(items) => {
                for item in items {
                    if let Key::Expr(key) = &item.key {
                        next.push(key);
                    }
                    next.push(&item.value);
                }
            }
            ExprKind::Traversal(base, steps) => {
                if let ExprKind::Root(root) = &base.kind
                    && root == "local"
                    && let Some(Step {
                        kind: StepKind::Attr(name),
                        ..
                    }) = steps.first()
                {
                    visit(name);
                }
                next.push(base);
                next.extend(steps.iter().filter_map(|step| match &step.kind {
                    StepKind::Index(index) => Some(index.as_ref()),
                    _ => None,
                }));
            }
            ExprKind::Call(call) => next.extend(&call.args),
            ExprKind::Conditional(three) => next.extend(three.iter()),
            ExprKind::Binary(_, two) => next.extend(two.iter()),
            ExprKind::For(of) => {
                next.push(&of.collection);
                // A variable of that name hides the local values.
                let hides = |name: &SmolStr| name == "local";
                if !hides(&of.value_var) && !of.key_var.as_ref().is_some_and(hides) {
                    next.extend(of.key.iter().chain([&of.value]).chain(of.cond.iter()));
                }
            }
        }
    }
}

/// The expressions in the parts of a template.
fn parts_of<'a>(parts: &'a [Part], next: &mut Vec<&'a Expr>) {
    let mut left: Vec<&Part> = parts.iter().collect();
    while let Some(part) = left.pop() {
        match part {
            Part::Literal(_) => {}
            Part::Interp(expr) => next.push(expr),
            Part::If(of) => {
                next.push(&of.cond);
                left.extend(of.then.iter().chain(&of.otherwise));
            }
            Part::For(of) => {
                next.push(&of.collection);
                left.extend(&of.body);
            }
        }
    }
}
