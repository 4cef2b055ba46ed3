//! Functions with patterns: `regex`, `regexall`, `replace`.
//!
//! Patterns are RE2's, which the `regex` crate reads alike. Invariant: a pattern's compiled size is
//! bounded, and matching takes linear time.

use super::{Call, Function, Kind, Outcome, Stop, Takes, function};
use crate::eval::limits::{room, seats};
use crate::eval::ops;
use overgrant_value::{Alt, Answer, Data, Entry, Map, Piece, Seq, Sym, Text, Ty, Val};
use regex::{Regex, RegexBuilder};

/// Most patterns that are kept compiled.
const MAX_PATTERNS: usize = 256;

pub(super) const TABLE: &[Function] = &[
    function("regex", (2, 2), Kind::Any, Takes::Known, regex),
    function("regexall", (2, 2), Kind::Any, Takes::Known, regexall),
    function("replace", (3, 3), Kind::String, Takes::All, replace),
];

/// The compiled pattern; each one of a root is compiled once.
pub(super) fn compiled(call: &Call<'_, '_>, pattern: &str) -> Result<Regex, Stop> {
    if let Some(known) = call.evaluator.patterns.borrow().get(pattern) {
        return Ok(known.clone());
    }
    let regex = RegexBuilder::new(pattern)
        .size_limit(1 << 20)
        .build()
        .map_err(|_| "the pattern is not valid or too large")?;
    let mut patterns = call.evaluator.patterns.borrow_mut();
    if patterns.len() < MAX_PATTERNS {
        patterns.insert(pattern.into(), regex.clone());
    }
    Ok(regex)
}

/// The value of one match: a text, a tuple of groups, or an object of named groups.
fn matched(
    call: &Call<'_, '_>,
    regex: &Regex,
    found: &regex::Captures<'_>,
    text: &Text,
) -> Outcome {
    let part = |range: std::ops::Range<usize>| {
        text.slice(range)
            .map(|text| Val::text(text, call.src()))
            .unwrap_or_else(|| Val::null(call.src()))
    };
    let group = |at: usize| match found.get(at) {
        Some(group) => part(group.range()),
        None => Val::new(
            overgrant_value::Data::Null(overgrant_value::Ty::String),
            call.src(),
        ),
    };
    let names: Vec<Option<&str>> = regex.capture_names().skip(1).collect();
    if names.is_empty() {
        return Ok(group(0));
    }
    if names.iter().all(Option::is_none) {
        return Ok(Val::tuple(
            (1..=names.len()).map(group).collect(),
            call.src(),
        ));
    }
    if names.iter().any(Option::is_none) {
        return Err("a pattern cannot have both named and unnamed groups".into());
    }
    let entries = names
        .iter()
        .enumerate()
        .map(|(at, name)| Entry {
            key: Text::known(name.unwrap_or_default()),
            key_src: call.src(),
            val: group(at + 1),
        })
        .collect();
    Ok(Val::new(
        overgrant_value::Data::Map(Map::object(crate::eval::types::sorted(entries))),
        call.src(),
    ))
}

fn arguments(call: &Call<'_, '_>, args: &[Val]) -> Result<(Regex, Text, smol_str::SmolStr), Stop> {
    let [pattern, text] = args else {
        return Err("two arguments are needed".into());
    };
    let regex = compiled(call, &call.string(pattern)?)?;
    let text = call.text(text)?;
    let known = crate::eval::text::known(&text).ok_or(Stop::Open)?;
    Ok((regex, text, known))
}

fn regex(call: &Call<'_, '_>, args: &[Val]) -> Outcome {
    let (regex, text, known) = arguments(call, args)?;
    match regex.captures(&known) {
        Some(found) => matched(call, &regex, &found, &text),
        None => Err("the pattern does not match".into()),
    }
}

fn regexall(call: &Call<'_, '_>, args: &[Val]) -> Outcome {
    let [pattern, text] = args else {
        return Err("two arguments are needed".into());
    };
    let open = call.text(text)?;
    if crate::eval::text::known(&open).is_none() {
        return around(call, &call.string(pattern)?, open);
    }
    let (regex, text, known) = arguments(call, args)?;
    let mut items = Vec::new();
    for found in regex.captures_iter(&known) {
        seats(items.len())?;
        items.push(matched(call, &regex, &found, &text)?);
    }
    let elem = items
        .first()
        .map(crate::eval::types::type_of)
        .unwrap_or_else(|| group_type(&regex));
    Ok(call.list(elem, items))
}

/// The matches of `.*:sqs:.*` in a text with open parts, such as an ARN whose account is not known:
/// the whole text where its written parts have what stands between, none where nothing can have it.
fn around(call: &Call<'_, '_>, pattern: &str, text: Text) -> Outcome {
    let parts = pattern
        .strip_prefix(".*")
        .and_then(|rest| rest.strip_suffix(".*"))
        .ok_or(Stop::Open)?;
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, ':' | '/' | '-' | '_');
    let mut written = String::new();
    for piece in text.pieces() {
        match piece {
            Piece::Lit(lit) => written.push_str(lit.as_str()),
            // No plain character.
            Piece::Hole(_) => written.push(' '),
            Piece::Json(_) => return Err(Stop::Open),
        }
    }
    let (mut rest, mut all) = (Some(written.as_str()), Vec::new());
    for part in parts.split(".*") {
        if part.is_empty() || !part.chars().all(plain) || written.contains('\n') {
            return Err(Stop::Open);
        }
        rest = rest
            .and_then(|rest| rest.split_once(part))
            .map(|(_, after)| after);
        all.push(part);
    }
    if rest.is_some() {
        let whole = Val::text(text, call.src());
        return Ok(call.list(Ty::String, vec![whole]));
    }
    // A service between colons stands in no name that AWS makes up.
    let service = |part: &str| part.len() > 2 && part.starts_with(':') && part.ends_with(':');
    let absent = |part: &&str| match text.contains(part) {
        Answer::No => true,
        Answer::Must => false,
        Answer::May => service(part) && text.holes().all(|hole| is_made_up(&hole.sym)),
    };
    if all.iter().any(absent) {
        return Ok(call.list(Ty::String, Vec::new()));
    }
    Err(Stop::Open)
}

fn group_type(regex: &Regex) -> overgrant_value::Ty {
    use overgrant_value::{Field, Ty};
    let names: Vec<Option<&str>> = regex.capture_names().skip(1).collect();
    if names.is_empty() {
        return Ty::String;
    }
    if names.iter().all(Option::is_none) {
        return Ty::Tuple(vec![Ty::String; names.len()]);
    }
    let mut fields: Vec<Field> = names
        .iter()
        .map(|name| Field {
            name: name.unwrap_or_default().into(),
            ty: Ty::String,
            optional: false,
        })
        .collect();
    fields.sort_by(|a, b| a.name.cmp(&b.name));
    Ty::Object(fields)
}

fn replace(call: &Call<'_, '_>, args: &[Val]) -> Outcome {
    let [text, search, with] = args else {
        return Err("three arguments are needed".into());
    };
    // What is put in may be open.
    if text.is_unknown() || search.is_unknown() {
        return Err(Stop::Open);
    }
    let (text, search, with) = (call.text(text)?, call.string(search)?, call.text(with)?);
    let pattern = search
        .strip_prefix('/')
        .and_then(|inner| inner.strip_suffix('/'));
    if let Some(pattern) = pattern {
        let regex = compiled(call, pattern)?;
        let known = crate::eval::text::known(&text).ok_or(Stop::Open)?;
        let with = crate::eval::text::known(&with).ok_or(Stop::Open)?;
        let mut result = Text::empty();
        let (mut from, mut grown) = (0, 0);
        for found in regex.captures_iter(&known) {
            let Some(whole) = found.get(0) else { continue };
            result.append(&text.slice(from..whole.start()).ok_or(Stop::Open)?);
            let mut expanded = String::new();
            found.expand(&with, &mut expanded);
            grown += expanded.len();
            room(grown)?;
            result.append(&Text::derived(&expanded, call.span));
            from = whole.end();
        }
        result.append(&text.slice(from..known.len()).ok_or(Stop::Open)?);
        return Ok(Val::text(result, call.src()));
    }
    if search.is_empty() {
        let known = crate::eval::text::known(&text).ok_or(Stop::Open)?;
        let with = crate::eval::text::known(&with).ok_or(Stop::Open)?;
        room(known.len().saturating_mul(with.len()))?;
        let mut result = String::from(with.as_str());
        for c in known.chars() {
            result.push(c);
            result.push_str(&with);
        }
        return Ok(call.known(&result));
    }
    if let Some(document) = text.as_json()
        && is_word(&search)
    {
        let replaced = in_document(document, &search, &with).ok_or(Stop::Open)?;
        return Ok(Val::text(Text::json(replaced), call.src()));
    }
    let found: usize = text
        .pieces()
        .iter()
        .map(|piece| match piece {
            Piece::Lit(lit) => lit.as_str().matches(search.as_str()).count(),
            _ => 0,
        })
        .sum();
    room(found.saturating_mul(with.len()))?;
    in_text(&text, &search, &with)
        .map(|text| Val::text(text, call.src()))
        .ok_or(Stop::Open)
}

/// Whether a text can stand in JSON inside of texts only.
fn is_word(text: &str) -> bool {
    text.chars().all(|c| c.is_ascii_alphanumeric() || c == '_') && text.contains('_')
}

/// Whether AWS or the provider makes up what is not known.
fn is_made_up(sym: &Sym) -> bool {
    matches!(
        sym,
        Sym::Account | Sym::Region | Sym::Partition | Sym::UrlSuffix | Sym::Attr { .. }
    )
}

/// A text with a placeholder in capitals replaced. What AWS or the provider makes up (accounts,
/// regions, names that nobody gave) has neither capitals nor underscores.
fn in_text(text: &Text, search: &str, with: &Text) -> Option<Text> {
    let capitals = |c: char| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_';
    text.replace(search, with).or_else(|| {
        if !search.chars().all(capitals) || !text.holes().all(|hole| is_made_up(&hole.sym)) {
            return None;
        }
        let mut replaced = Text::empty();
        for piece in text.pieces() {
            match piece {
                Piece::Lit(lit) => {
                    replaced.append(&Text::from(Piece::Lit(lit.clone())).replace(search, with)?);
                }
                Piece::Hole(_) => replaced.push(piece.clone()),
                Piece::Json(_) => return None,
            }
        }
        Some(replaced)
    })
}

/// A document with a word replaced in all its texts.
fn in_document(val: &Val, search: &str, with: &Text) -> Option<Val> {
    let open = |ty: Ty| ops::call("replace", &[val], ty, val.src().clone());
    let data = match val.data() {
        Data::Str(text) => match in_text(text, search, with) {
            Some(text) => Data::Str(text),
            None => return Some(open(Ty::String)),
        },
        Data::Seq(seq) => {
            let items = seq.items.iter().map(|item| in_document(item, search, with));
            Data::Seq(Seq {
                items: items.collect::<Option<_>>()?,
                ..seq.clone()
            })
        }
        Data::Map(map) => {
            let mut map = map.clone();
            for entry in &mut map.entries {
                entry.key = in_text(&entry.key, search, with)?;
                entry.val = in_document(&entry.val, search, with)?;
            }
            Data::Map(map)
        }
        Data::Unknown(unknown) => return Some(open(unknown.ty.clone())),
        Data::OneOf(alts) => {
            let alts = alts.iter().map(|alt| {
                let val = in_document(&alt.val, search, with)?;
                Some(Alt {
                    guard: alt.guard.clone(),
                    val,
                })
            });
            Data::OneOf(alts.collect::<Option<_>>()?)
        }
        _ => return Some(val.clone()),
    };
    Some(Val::new(data, val.src().clone()).marked(val.marks()))
}
