//! `overgrant access`: what a principal may do, by service and access level.
//!
//! Invariant: every line names where the grant is written.

use super::{Asked, some};
use crate::pretty;
use overgrant_access::query::{Granted, Limits};
use overgrant_ir::IdentityId;
use overgrant_policy::Answer;
use serde_json::{Value, json};
use std::fmt::Write as _;

/// Services from which on one statement of "everything" is one line.
const MANY: usize = 40;

/// For people: services in order, levels below.
#[must_use]
pub fn access_text(
    asked: &Asked<'_>,
    id: IdentityId,
    granted: &[Granted],
    limits: &Limits,
) -> String {
    let mut text = format!("{}\n", asked.name(id));
    match limits.admin {
        Answer::Must => text.push_str("  is administrator\n"),
        Answer::May => text.push_str("  may be administrator\n"),
        Answer::No => {}
    }
    if let Some(boundary) = &limits.boundary {
        let _ = writeln!(text, "  limited by boundary {boundary}");
    }
    for policy in &limits.session {
        let _ = writeln!(
            text,
            "  in a session, narrowed by the session policy of {policy}"
        );
    }
    for policy in &limits.organization {
        let _ = writeln!(text, "  may be limited by organization policy {policy}");
    }
    for policy in &limits.unread {
        let _ = writeln!(
            text,
            "  and whatever {policy} says, which is not in the code"
        );
    }
    for (words, place) in &limits.denies {
        let _ = writeln!(text, "  never {words}{}", asked.at(place.as_ref()));
    }
    let wide = wide(granted);
    for (place, from, resources, services) in &wide {
        let _ = writeln!(
            text,
            "\n{services} services\n  actions of all kinds on {resources}: {from}{}",
            asked.at(place.as_ref())
        );
    }
    let mut service = "";
    for one in granted {
        let is_wide = wide.iter().any(|(place, from, resources, _)| {
            (place, from, resources) == (&one.place, &one.from, &one.resources)
        });
        if is_wide {
            continue;
        }
        if one.service != service {
            service = &one.service;
            let _ = writeln!(text, "\n{service}");
        }
        let actions = if one.all {
            "all".to_owned()
        } else {
            some(&one.actions, 6)
        };
        let mut marks = String::new();
        if one.conditional {
            marks.push_str(", under conditions");
        }
        if !one.certain {
            marks.push_str(", perhaps");
        }
        let _ = writeln!(
            text,
            "  {:<22} {actions} on {}{marks}: {}{}",
            one.level.as_str(),
            one.resources,
            one.from,
            asked.at(one.place.as_ref())
        );
    }
    if granted.is_empty() {
        text.push_str("  may do nothing\n");
    }
    text
}

type Wide = (
    Option<overgrant_access::graph::Place>,
    String,
    String,
    usize,
);

/// Statements that grant something in very many services, with how many.
fn wide(granted: &[Granted]) -> Vec<Wide> {
    let mut found: Vec<(Wide, &str)> = Vec::new();
    for one in granted {
        let known = found.iter_mut().find(|((place, from, resources, _), _)| {
            (place, from, resources) == (&one.place, &one.from, &one.resources)
        });
        match known {
            Some(((_, _, _, count), last)) => {
                if *last != one.service {
                    *count += 1;
                    *last = &one.service;
                }
            }
            None => found.push((
                (
                    one.place.clone(),
                    one.from.clone(),
                    one.resources.clone(),
                    1,
                ),
                &one.service,
            )),
        }
    }
    found
        .into_iter()
        .map(|(wide, _)| wide)
        .filter(|(_, _, _, services)| *services >= MANY)
        .collect()
}

/// For programs: every grant with all its actions.
#[must_use]
pub fn access_json(
    asked: &Asked<'_>,
    id: IdentityId,
    granted: &[Granted],
    limits: &Limits,
) -> String {
    let grants: Vec<Value> = granted
        .iter()
        .map(|one| {
            json!({
                "service": one.service,
                "level": one.level.as_str(),
                "actions": one.actions,
                "all": one.all,
                "resources": one.resources,
                "conditional": one.conditional,
                "certain": one.certain,
                "from": one.from,
                "place": asked.place(one.place.as_ref()),
            })
        })
        .collect();
    let denies: Vec<Value> = limits
        .denies
        .iter()
        .map(|(words, place)| json!({ "what": words, "place": asked.place(place.as_ref()) }))
        .collect();
    pretty(&json!({
        "schema": 1,
        "principal": asked.address(id),
        "administrator": answer(limits.admin),
        "boundary": limits.boundary,
        "session_policies": limits.session,
        "organization_policies": limits.organization,
        "unread": limits.unread,
        "denies": denies,
        "grants": grants,
    }))
}

/// `yes`, `maybe`, `no`.
pub(super) fn answer(answer: Answer) -> &'static str {
    match answer {
        Answer::Must => "yes",
        Answer::May => "maybe",
        Answer::No => "no",
    }
}
