//! Words that an edit writes: texts, and values that are another one but for their end.
//!
//! A value is read as literals and names, whether it is a scalar, `!Sub`, `!Ref`, `!GetAtt` or `!Join`,
//! and written as the shortest of these. Invariant: nothing else is copied, and its end is cut only
//! where it is a literal.

use super::tree::{Tree, is_json, quoted};
use super::value_at;
use crate::syntax::{Kind, Node, Template};
use overgrant_source::Word;
use std::sync::Arc;

/// A part of a value.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Piece {
    Text(String),
    /// What stands in `${…}`: a name, or a name and an attribute.
    Name(String),
}

/// A word in the notation of the template.
pub(super) fn word<'w>(template: &Template, word: &'w Word) -> Option<Tree<'w>> {
    let (place, end, to) = match word {
        Word::Text(text) => return Some(Tree::Text(text)),
        Word::Like { place, end, to } => (*place, end, to),
    };
    let node = value_at(&template.root, place)?;
    let mut pieces = pieces(node)?;
    if !end.is_empty() {
        let Some(Piece::Text(last)) = pieces.last_mut() else {
            return None;
        };
        *last = last.strip_suffix(end.as_str())?.to_owned();
    }
    pieces.push(Piece::Text(to.clone()));
    Some(Tree::Written(written(
        &joined(pieces),
        is_json(&template.file),
    )))
}

pub(super) fn words<'w>(template: &Template, words: &'w [Word]) -> Option<Vec<Tree<'w>>> {
    words.iter().map(|one| word(template, one)).collect()
}

/// A single word, or a list of several.
pub(super) fn leaf<'w>(template: &Template, several: &'w [Word]) -> Option<Tree<'w>> {
    match several {
        [only] => word(template, only),
        several => Some(Tree::List(words(template, several)?)),
    }
}

/// The pieces of a value.
fn pieces(node: &Arc<Node>) -> Option<Vec<Piece>> {
    let (function, value) = match (&node.tag, &node.kind) {
        (Some(tag), _) => (tag.name.as_str(), node),
        (None, Kind::Map(entries)) => match entries.as_slice() {
            [only] => (
                only.key.strip_prefix("Fn::").unwrap_or(&only.key),
                &only.value,
            ),
            _ => return None,
        },
        (None, _) => ("", node),
    };
    let text = value.scalar().filter(|one| !one.style.is_block());
    let text = text.map(|one| one.text.as_str());
    match function {
        "" => Some(vec![Piece::Text(text?.to_owned())]),
        "Ref" => Some(vec![Piece::Name(text?.to_owned())]),
        "GetAtt" => match (text, value.items()) {
            (Some(text), _) => Some(vec![Piece::Name(text.to_owned())]),
            (None, [name, attribute]) => Some(vec![Piece::Name(format!(
                "{}.{}",
                name.text()?,
                attribute.text()?
            ))]),
            _ => None,
        },
        "Sub" => substituted(text?),
        "Join" => {
            let [between, parts] = value.items() else {
                return None;
            };
            let parts = (parts.tag.is_none()).then(|| parts.items())?;
            let between = between.text()?;
            let mut out = Vec::new();
            for part in parts {
                if !out.is_empty() {
                    out.push(Piece::Text(between.to_owned()));
                }
                out.extend(pieces(part)?);
            }
            Some(out)
        }
        _ => None,
    }
}

/// The pieces of the text of a `!Sub`.
fn substituted(text: &str) -> Option<Vec<Piece>> {
    let mut out = Vec::new();
    let mut rest = text;
    while let Some((before, behind)) = rest.split_once("${") {
        let (name, after) = behind.split_once('}')?;
        out.push(Piece::Text(before.to_owned()));
        out.push(match name.strip_prefix('!') {
            Some(literal) => Piece::Text(format!("${{{literal}}}")),
            None => Piece::Name(name.to_owned()),
        });
        rest = after;
    }
    out.push(Piece::Text(rest.to_owned()));
    Some(out)
}

/// Neighbouring texts as one; empty ones gone.
fn joined(pieces: Vec<Piece>) -> Vec<Piece> {
    let mut out: Vec<Piece> = Vec::new();
    for piece in pieces {
        match (out.last_mut(), piece) {
            (_, Piece::Text(text)) if text.is_empty() => {}
            (Some(Piece::Text(last)), Piece::Text(text)) => last.push_str(&text),
            (_, piece) => out.push(piece),
        }
    }
    out
}

fn written(pieces: &[Piece], json: bool) -> String {
    match (pieces, json) {
        ([], _) => quoted(""),
        ([Piece::Text(text)], _) => quoted(text),
        ([Piece::Name(name)], true) => match name.split_once('.') {
            Some((name, attribute)) => format!(
                "{{\"Fn::GetAtt\": [{}, {}]}}",
                quoted(name),
                quoted(attribute)
            ),
            None => format!("{{\"Ref\": {}}}", quoted(name)),
        },
        ([Piece::Name(name)], false) => match name.contains('.') {
            true => format!("!GetAtt {name}"),
            false => format!("!Ref {}", quoted(name)),
        },
        (several, json) => {
            let parts = several.iter().map(|piece| match piece {
                Piece::Text(text) => text.replace("${", "${!"),
                Piece::Name(name) => format!("${{{name}}}"),
            });
            let text = quoted(&parts.collect::<String>());
            match json {
                true => format!("{{\"Fn::Sub\": {text}}}"),
                false => format!("!Sub {text}"),
            }
        }
    }
}
