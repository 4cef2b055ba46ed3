//! Access keys written into arguments.
//!
//! Not for secrets of other systems. Invariant: the text of a key never leaves this file; the model
//! gets its place and the argument it stands in. Source: AWS, "Understanding unique ID prefixes"
//! (`AKIA`, `ASIA`); secret access keys are 40 characters of base64's alphabet.

use super::Lowering;
use crate::Resource;
use crate::node::CredentialKind;
use overgrant_value::{Data, Piece, Src, Text, Val};

/// Deepest value that is searched.
const MOST_LEVELS: usize = 32;

/// Keys of AWS's documentation, harmless everywhere.
const EXAMPLES: [&str; 2] = ["EXAMPLE", "AKIAIOSFODNN7"];

/// Whether a type has arguments for secrets.
pub(super) fn knows(kind: &str) -> bool {
    let secrets = if kind.contains("::") {
        super::generated::CLOUDFORMATION_SECRETS
    } else {
        super::generated::TERRAFORM_SECRETS
    };
    secrets.binary_search(&kind).is_ok()
}

pub(super) fn lower(lowering: &mut Lowering, resource: &Resource) {
    if !suspect(&resource.attrs, 0) {
        return;
    }
    let mut leaves = Vec::new();
    collect(&resource.attrs, "", 0, &mut leaves);
    // A secret is told from other random text by the key id beside it or by the argument's name.
    let ids = leaves.iter().any(|leaf| !key_ids(&leaf.text).is_empty());
    for leaf in &leaves {
        let mut found = key_ids(&leaf.text);
        if ids || names_a_secret(&leaf.attribute) {
            found.extend(secrets(&leaf.text));
        }
        for range in found {
            let src = leaf.rope.src_of(range).unwrap_or_else(|| leaf.src.clone());
            lowering.credential(
                resource,
                CredentialKind::Literal,
                None,
                src,
                leaf.attribute.as_str(),
            );
        }
    }
}

/// Whether a key id may stand in a value, or an argument may hold a secret: a look at the texts that
/// copies nothing, since nearly all resources have neither.
fn suspect(val: &Val, level: usize) -> bool {
    if level > MOST_LEVELS {
        return false;
    }
    match val.data() {
        Data::Str(text) => text.pieces().iter().any(|piece| match piece {
            Piece::Lit(lit) => {
                let text = lit.as_str();
                text.len() >= 16 && holds_key_prefix(text)
            }
            Piece::Json(inner) => suspect(inner, level + 1),
            Piece::Hole(_) => false,
        }),
        Data::Seq(seq) => seq.items.iter().any(|item| suspect(item, level + 1)),
        Data::Map(map) => map.entries.iter().any(|entry| {
            let named = entry
                .key
                .known_str()
                .is_some_and(|key| names_a_secret(&key));
            named || suspect(&entry.val, level + 1)
        }),
        Data::OneOf(alts) => alts.iter().any(|alt| suspect(&alt.val, level + 1)),
        Data::Null(_) | Data::Bool(_) | Data::Num(_) | Data::Unknown(_) => false,
    }
}

/// Whether `AKIA` or `ASIA` stands in the text: one search for a letter of both.
fn holds_key_prefix(text: &str) -> bool {
    let bytes = text.as_bytes();
    memchr::memchr_iter(b'I', bytes).any(|at| {
        at.checked_sub(2)
            .and_then(|from| bytes.get(from..at + 2))
            .is_some_and(|word| matches!(word, b"AKIA" | b"ASIA"))
    })
}

fn names_a_secret(attribute: &str) -> bool {
    // All such names end so.
    let end = attribute.len().saturating_sub(3);
    let end = attribute.as_bytes().get(end..).unwrap_or_default();
    if !end.eq_ignore_ascii_case(b"key") && !attribute.ends_with(['_', '-']) {
        return false;
    }
    let name = attribute.to_ascii_lowercase().replace(['_', '-'], "");
    name.ends_with("secretaccesskey") || name.ends_with("awssecretkey")
}

struct Leaf {
    attribute: String,
    /// The characters with a blank for every open part of the same text.
    text: String,
    rope: Text,
    src: Src,
}

fn collect(val: &Val, path: &str, level: usize, leaves: &mut Vec<Leaf>) {
    if level > MOST_LEVELS {
        return;
    }
    match val.data() {
        Data::Str(text) => leaf(text, val, path, level, leaves),
        Data::Seq(seq) => {
            for item in &seq.items {
                collect(item, path, level + 1, leaves);
            }
        }
        Data::Map(map) => {
            for entry in &map.entries {
                let name = entry.key.as_known().unwrap_or_default();
                let path = match path {
                    "" => name.to_string(),
                    _ => format!("{path}.{name}"),
                };
                collect(&entry.val, &path, level + 1, leaves);
            }
        }
        Data::OneOf(alts) => {
            for alt in alts {
                collect(&alt.val, path, level + 1, leaves);
            }
        }
        Data::Null(_) | Data::Bool(_) | Data::Num(_) | Data::Unknown(_) => {}
    }
}

fn leaf(text: &Text, val: &Val, path: &str, level: usize, leaves: &mut Vec<Leaf>) {
    for piece in text.pieces() {
        match piece {
            Piece::Lit(lit) => {
                let characters = lit.as_str();
                if characters.len() >= 16 {
                    leaves.push(Leaf {
                        attribute: path.to_owned(),
                        text: characters.to_owned(),
                        rope: Text::from(piece.clone()),
                        src: val.src().clone(),
                    });
                }
            }
            Piece::Json(inner) => collect(inner, path, level + 1, leaves),
            Piece::Hole(_) => {}
        }
    }
}

type Range = std::ops::Range<usize>;

/// Runs of characters of which keys are made, with their places.
fn words(text: &str, inside: impl Fn(u8) -> bool) -> Vec<(Range, &str)> {
    let mut found = Vec::new();
    let mut start = None;
    for (at, byte) in text.bytes().chain([b' ']).enumerate() {
        match (inside(byte), start) {
            (true, None) => start = Some(at),
            (false, Some(from)) => {
                if let Some(word) = text.get(from..at) {
                    found.push((from..at, word));
                }
                start = None;
            }
            _ => {}
        }
    }
    found
}

fn key_ids(text: &str) -> Vec<Range> {
    words(text, |byte| byte.is_ascii_alphanumeric())
        .into_iter()
        .filter(|(_, word)| {
            word.len() == 20
                && (word.starts_with("AKIA") || word.starts_with("ASIA"))
                && word
                    .bytes()
                    .all(|byte| byte.is_ascii_uppercase() || (b'2'..=b'7').contains(&byte))
                && !EXAMPLES.iter().any(|example| word.contains(example))
                && entropy(word) > 2.5
        })
        .map(|(range, _)| range)
        .collect()
}

fn secrets(text: &str) -> Vec<Range> {
    words(text, |byte| {
        byte.is_ascii_alphanumeric() || matches!(byte, b'/' | b'+')
    })
    .into_iter()
    .filter(|(_, word)| {
        let has = |class: fn(u8) -> bool| word.bytes().any(class);
        word.len() == 40
            && has(|byte| byte.is_ascii_uppercase())
            && has(|byte| byte.is_ascii_lowercase())
            && has(|byte| byte.is_ascii_digit())
            && !word.contains("EXAMPLE")
            && entropy(word) > 4.0
    })
    .map(|(range, _)| range)
    .collect()
}

/// Shannon entropy in bits per character.
fn entropy(word: &str) -> f64 {
    let mut counts = std::collections::BTreeMap::new();
    for byte in word.bytes() {
        *counts.entry(byte).or_insert(0_u32) += 1;
    }
    let all = f64::from(u32::try_from(word.len()).unwrap_or(u32::MAX));
    counts
        .values()
        .map(|count| {
            let share = f64::from(*count) / all;
            -share * share.log2()
        })
        .sum()
}
