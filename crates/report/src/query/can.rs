//! `overgrant can` and `overgrant who-can`.
//!
//! Invariant: the first word of the text is the answer.

use super::{Asked, some};
use crate::pretty;
use overgrant_access::query::{Able, Can, Outsider, Question, Verdict};
use overgrant_ir::IdentityId;
use serde_json::{Value, json};
use std::fmt::Write as _;

/// `yes: …`, with the reasons behind.
#[must_use]
pub fn can_text(asked: &Asked<'_>, can: &Can) -> String {
    let mut clauses = Vec::new();
    if !can.on.is_empty() {
        clauses.push(format!("on {}", some(&can.on, 4)));
    }
    if !can.when.is_empty() {
        clauses.push(format!("allowed when {}", when(can)));
    }
    for reason in &can.reasons {
        clauses.push(format!(
            "{}{}",
            reason.text,
            asked.at(reason.place.as_ref())
        ));
    }
    format!(
        "{}: {}\n",
        can.verdict.as_str(),
        clauses.join(",\n         ")
    )
}

/// `aws:x is y and aws:z is absent`.
fn when(can: &Can) -> String {
    let words: Vec<String> = can
        .when
        .iter()
        .map(|(key, values)| {
            let key = overgrant_catalog::catalog()
                .condition_key(key)
                .map_or_else(|| key.clone(), |known| known.name().to_owned());
            match values.as_slice() {
                [] => format!("{key} is absent"),
                values => format!("{key} is {}", values.join(", ")),
            }
        })
        .collect();
    words.join(" and ")
}

fn can_value(asked: &Asked<'_>, id: IdentityId, can: &Can) -> Value {
    let reasons: Vec<Value> = can
        .reasons
        .iter()
        .map(|one| json!({ "text": one.text, "place": asked.place(one.place.as_ref()) }))
        .collect();
    let when: Vec<Value> = can
        .when
        .iter()
        .map(|(key, values)| json!({ "key": key, "values": values }))
        .collect();
    json!({
        "principal": asked.address(id),
        "answer": can.verdict.as_str(),
        "resources": can.on,
        "when": when,
        "reasons": reasons,
    })
}

fn question_value(question: &Question) -> Value {
    let context: serde_json::Map<String, Value> = question
        .context
        .iter()
        .map(|(key, values)| (key.clone(), json!(values)))
        .collect();
    json!({
        "action": question.action,
        "resource": question.resource.as_ref().map(ToString::to_string),
        "context": context,
    })
}

/// The same for programs.
#[must_use]
pub fn can_json(asked: &Asked<'_>, id: IdentityId, question: &Question, can: &Can) -> String {
    let mut value = can_value(asked, id, can);
    if let Some(fields) = value.as_object_mut() {
        fields.insert("schema".to_owned(), json!(1));
        fields.insert("question".to_owned(), question_value(question));
    }
    pretty(&value)
}

/// One line a principal.
#[must_use]
pub fn who_can_text(asked: &Asked<'_>, able: &[Able], outsiders: &[Outsider]) -> String {
    let mut text = String::new();
    for one in able {
        let mut more = String::new();
        if !one.can.on.is_empty() {
            let _ = write!(more, " on {}", some(&one.can.on, 3));
        }
        if !one.can.when.is_empty() {
            let _ = write!(more, ", when {}", when(&one.can));
        }
        let first = one.can.reasons.first();
        let by = first.map_or_else(String::new, |reason| {
            format!(": {}{}", reason.text, asked.at(reason.place.as_ref()))
        });
        let _ = writeln!(
            text,
            "{:<8} {}{more}{by}",
            one.can.verdict.as_str(),
            asked.name(one.identity)
        );
    }
    for one in outsiders {
        let word = if one.conditional {
            Verdict::Depends
        } else {
            Verdict::Yes
        };
        let who = if one.public { "anyone" } else { &one.who };
        let place = outsider_place(asked, one);
        let _ = writeln!(
            text,
            "{:<8} {who}, outside this code: the resource policy lets it in{}",
            word.as_str(),
            asked.at(place.as_ref())
        );
    }
    if text.is_empty() {
        text.push_str("nobody in this code\n");
    }
    text
}

fn outsider_place(asked: &Asked<'_>, one: &Outsider) -> Option<overgrant_access::graph::Place> {
    let held = asked.access.model().document(one.document)?;
    let statement = held.document.statements.get(one.statement)?;
    Some(overgrant_access::graph::Place {
        address: asked.access.address(&held.place).into(),
        root: held.place.root.clone(),
        statement: Some(statement.name()),
        span: statement
            .principals
            .listed()
            .src
            .span
            .or(statement.src.span),
    })
}

/// The same for programs.
#[must_use]
pub fn who_can_json(
    asked: &Asked<'_>,
    question: &Question,
    able: &[Able],
    outsiders: &[Outsider],
) -> String {
    let able: Vec<Value> = able
        .iter()
        .map(|one| can_value(asked, one.identity, &one.can))
        .collect();
    let outsiders: Vec<Value> = outsiders
        .iter()
        .map(|one| {
            json!({
                "who": one.who,
                "public": one.public,
                "conditional": one.conditional,
                "place": asked.place(outsider_place(asked, one).as_ref()),
            })
        })
        .collect();
    pretty(&json!({
        "schema": 1,
        "question": question_value(question),
        "principals": able,
        "outsiders": outsiders,
    }))
}
