//! `overgrant paths`: ways to more rights, step by step.
//!
//! Invariant: every step names its rights with their places, and what would break it.

use super::Asked;
use super::access::answer;
use crate::pretty;
use overgrant_access::graph::{Explained, Node};
use overgrant_policy::Answer;
use serde_json::{Value, json};
use std::fmt::Write as _;

/// For people.
#[must_use]
pub fn paths_text(asked: &Asked<'_>, paths: &[Explained]) -> String {
    let mut text = String::new();
    for path in paths {
        let sure = match path.answer {
            Answer::Must => "can become",
            _ => "may become",
        };
        let _ = writeln!(text, "{} {sure} {}", path.from, path.to);
        for (at, step) in path.steps.iter().enumerate() {
            let row = step.path.map_or_else(String::new, |id| format!(" [{id}]"));
            let _ = writeln!(text, "  {}. {}{row}", at + 1, step.text);
            for right in &step.rights {
                let _ = writeln!(
                    text,
                    "     {} by {}{}",
                    right.action,
                    right.from,
                    asked.at(right.place.as_ref())
                );
            }
            for one in &step.depends {
                let _ = writeln!(text, "     depends on {one}");
            }
            if !step.breaks.is_empty() {
                let _ = writeln!(
                    text,
                    "     any of these breaks it: {}",
                    step.breaks.join("; ")
                );
            }
        }
        text.push('\n');
    }
    if paths.is_empty() {
        text.push_str("no path\n");
    }
    text
}

/// For programs.
#[must_use]
pub fn paths_json(asked: &Asked<'_>, paths: &[Explained]) -> String {
    let paths: Vec<Value> = paths.iter().map(|path| path_value(asked, path)).collect();
    pretty(&json!({ "schema": 1, "paths": paths }))
}

fn path_value(asked: &Asked<'_>, path: &Explained) -> Value {
    let steps: Vec<Value> = path
        .steps
        .iter()
        .map(|step| {
            let rights: Vec<Value> = step
                .rights
                .iter()
                .map(|right| {
                    json!({
                        "action": right.action,
                        "from": right.from,
                        "place": asked.place(right.place.as_ref()),
                    })
                })
                .collect();
            json!({
                "text": step.text,
                "path": step.path,
                "kind": step.kind.as_str(),
                "from": node(asked, step.ends.0),
                "to": node(asked, step.ends.1),
                "rights": rights,
                "depends": step.depends,
                "breaks": step.breaks,
            })
        })
        .collect();
    json!({
        "from": path.from,
        "to": path.to,
        "certain": answer(path.answer),
        "steps": steps,
    })
}

/// A node: its kind and name.
pub(super) fn node(asked: &Asked<'_>, node: Node) -> Value {
    let model = asked.access.model();
    let (kind, name) = match node {
        Node::Identity(id) => (
            model
                .identity(id)
                .map_or("identity", |one| one.kind.as_str()),
            asked.address(id),
        ),
        Node::Workload(at) => {
            let place = model.workloads.get(at).map(|one| &one.place);
            (
                "workload",
                place.map_or_else(String::new, |place| asked.access.address(place)),
            )
        }
        Node::Entry(at) => {
            let entry = asked.access.graph().entries().get(at);
            entry.map_or(("entry", String::new()), |one| {
                (one.kind.as_str(), one.who.clone())
            })
        }
        Node::Hub(_) => ("group", asked.access.describe(node)),
        Node::Admin => ("administrator", "administrator".to_owned()),
        Node::Data => ("data", asked.access.describe(node)),
        Node::Unbound => ("unbound", asked.access.describe(node)),
    };
    json!({ "kind": kind, "name": name })
}
