//! Functions on texts; literal parts keep their places where the result has the same bytes.
//!
//! Lengths and offsets count grapheme clusters, as go-cty does. Not for patterns, see `regexes`.

use super::collection::first;
use super::{Call, Function, Kind, MANY, Outcome, Stop, Takes, function};
use crate::eval::limits::{room, seats};
use crate::eval::{Fail, ops};
use overgrant_value::{Answer, Marks, Piece, Text, Ty, Val};
use std::sync::Arc;
use unicode_segmentation::UnicodeSegmentation;

pub(super) const TABLE: &[Function] = &[
    function("lower", (1, 1), Kind::String, Takes::Known, lower),
    function("upper", (1, 1), Kind::String, Takes::Known, upper),
    function("title", (1, 1), Kind::String, Takes::Known, title),
    function("join", (1, MANY), Kind::String, Takes::Known, join),
    function("split", (2, 2), Kind::Strings, Takes::Known, split),
    function("substr", (3, 3), Kind::String, Takes::Known, substr),
    function("trim", (2, 2), Kind::String, Takes::Known, trim),
    function("trimspace", (1, 1), Kind::String, Takes::Known, trimspace),
    function("trimprefix", (2, 2), Kind::String, Takes::Known, trimprefix),
    function("trimsuffix", (2, 2), Kind::String, Takes::Known, trimsuffix),
    function("startswith", (2, 2), Kind::Bool, Takes::Known, startswith),
    function("endswith", (2, 2), Kind::Bool, Takes::Known, endswith),
    function("strcontains", (2, 2), Kind::Bool, Takes::Known, strcontains),
    function("strrev", (1, 1), Kind::String, Takes::Known, strrev),
    function("chomp", (1, 1), Kind::String, Takes::Known, chomp),
    function("indent", (2, 2), Kind::String, Takes::Known, indent),
];

fn two(args: &[Val]) -> Result<(&Val, &Val), Stop> {
    match args {
        [a, b, ..] => Ok((a, b)),
        _ => Err("an argument is missing".into()),
    }
}

/// Maps one character to one, as Go's `unicode.ToUpper` does.
fn simple(c: char, mapped: impl Iterator<Item = char>) -> char {
    let mut mapped = mapped;
    match (mapped.next(), mapped.next()) {
        (Some(one), None) => one,
        _ => c,
    }
}

/// A change of every literal; a hole becomes a call over the hole.
fn mapped(
    call: &Call<'_, '_>,
    args: &[Val],
    name: &str,
    change: impl Fn(&str) -> String,
) -> Outcome {
    let val = first(args)?;
    let text = call.text(&val)?;
    let mapped: Text = text
        .pieces()
        .iter()
        .map(|piece| match piece {
            Piece::Lit(lit) => {
                let text = change(lit.as_str());
                let same = text.len() == lit.as_str().len();
                Piece::Lit(lit.mapped(text, same))
            }
            Piece::Hole(hole) => {
                let mut hole = Arc::clone(hole);
                if !matches!(
                    hole.sym,
                    overgrant_value::Sym::Account
                        | overgrant_value::Sym::Region
                        | overgrant_value::Sym::Partition
                ) {
                    let own = Arc::make_mut(&mut hole);
                    own.sym = own.sym.changed_by(name);
                }
                Piece::Hole(hole)
            }
            Piece::Json(_) => piece.clone(),
        })
        .collect();
    if mapped
        .pieces()
        .iter()
        .any(|piece| matches!(piece, Piece::Json(_)))
    {
        return Err(Stop::Open);
    }
    Ok(Val::text(mapped, call.src()))
}

fn lower(call: &Call<'_, '_>, args: &[Val]) -> Outcome {
    mapped(call, args, "lower", |text| {
        text.chars()
            .map(|c| {
                if c == 'İ' {
                    'i'
                } else {
                    simple(c, c.to_lowercase())
                }
            })
            .collect()
    })
}

fn upper(call: &Call<'_, '_>, args: &[Val]) -> Outcome {
    let val = first(args)?;
    let text = call.text(&val)?;
    if !text.is_known() {
        return Err(Stop::Open);
    }
    mapped(call, args, "upper", |text| {
        text.chars().map(|c| simple(c, c.to_uppercase())).collect()
    })
}

fn title(call: &Call<'_, '_>, args: &[Val]) -> Outcome {
    let text = call.string(&first(args)?)?;
    let mut result = String::new();
    let mut inside = false;
    for c in text.chars() {
        result.push(if inside {
            c
        } else {
            simple(c, c.to_uppercase())
        });
        inside = c.is_alphanumeric() || c == '_';
    }
    Ok(call.known(&result))
}

fn join(call: &Call<'_, '_>, args: &[Val]) -> Outcome {
    let Some((separator, lists)) = args.split_first() else {
        return Err("an argument is missing".into());
    };
    let separator = call.text(separator)?;
    let mut items = Vec::new();
    for list in lists {
        items.extend(call.items(list)?);
    }
    let result = call.evaluator.spread(&items, |items| {
        let mut text = Text::empty();
        let mut bytes = 0;
        for (at, item) in items.iter().enumerate() {
            if at > 0 {
                text.append(&separator);
                bytes += separator.len();
            }
            match call.text(item) {
                Ok(part) => {
                    bytes += part.len();
                    at_most(call, bytes)?;
                    text.append(&part);
                }
                Err(Stop::Open) => {
                    return Ok(ops::call(
                        "join",
                        &args.iter().collect::<Vec<_>>(),
                        Ty::String,
                        call.src(),
                    ));
                }
                Err(Stop::Fail(mut fail)) => {
                    fail.message = format!("`join`: {}", fail.message);
                    fail.span = Some(call.span);
                    return Err(fail);
                }
            }
        }
        Ok(Val::text(text, call.src()))
    });
    Ok(result?)
}

/// Whether a text may have this many bytes, as a failure of the call.
fn at_most(call: &Call<'_, '_>, bytes: usize) -> Result<(), Fail> {
    room(bytes).map_err(|message| Fail {
        message: message.into(),
        span: Some(call.span),
        fixed: false,
    })
}

fn split(call: &Call<'_, '_>, args: &[Val]) -> Outcome {
    let (separator, text) = two(args)?;
    let separator = call.string(separator)?;
    let text = call.text(text)?;
    if separator.is_empty() {
        seats(text.len())?;
    }
    let parts: Vec<Text> = match crate::eval::text::known(&text) {
        Some(known) => {
            let cut = |range: std::ops::Range<usize>| text.slice(range).ok_or(Stop::Open);
            let mut parts = Vec::new();
            if separator.is_empty() {
                let mut at = 0;
                for c in known.chars() {
                    parts.push(cut(at..at + c.len_utf8())?);
                    at += c.len_utf8();
                }
            } else {
                let mut from = 0;
                for (at, found) in known.match_indices(separator.as_str()) {
                    seats(parts.len())?;
                    parts.push(cut(from..at)?);
                    from = at + found.len();
                }
                parts.push(cut(from..known.len())?);
            }
            parts
        }
        None => {
            let mut chars = separator.chars();
            let (Some(c), None) = (chars.next(), chars.next()) else {
                return Err(Stop::Open);
            };
            match text.split(c) {
                Some(parts) => parts,
                None => return open_split(call, args, &text, c),
            }
        }
    };
    let items = parts
        .into_iter()
        .map(|part| Val::text(part, call.src()))
        .collect();
    Ok(call.list(Ty::String, items))
}

/// A text with a hole that may hold the separator: the parts before the hole, then any number.
fn open_split(call: &Call<'_, '_>, args: &[Val], text: &Text, separator: char) -> Outcome {
    let mut mask = [0; 4];
    let separator_text = separator.encode_utf8(&mut mask);
    let before = text.pieces().iter().take_while(|piece| match piece {
        Piece::Lit(_) => true,
        other => Text::from((*other).clone()).contains(separator_text) == Answer::No,
    });
    let mut parts = before
        .cloned()
        .collect::<Text>()
        .split_where_known(separator);
    // The last part goes on in the hole.
    parts.pop();
    if parts.is_empty() {
        return Err(Stop::Open);
    }
    let refs: Vec<&Val> = args.iter().collect();
    let rest = |name: &str| ops::call(name, &refs, Ty::String, call.src());
    let mut items: Vec<Val> = parts
        .into_iter()
        .map(|part| Val::text(part, call.src()))
        .collect();
    items.push(rest("split"));
    items.push(rest("split further").marked(Marks::MAYBE));
    Ok(call.list(Ty::String, items).marked(Marks::MAYBE))
}

fn substr(call: &Call<'_, '_>, args: &[Val]) -> Outcome {
    let [text, offset, length] = args else {
        return Err("three arguments are needed".into());
    };
    let text = call.text(text)?;
    let (offset, length) = (call.integer(offset)?, call.integer(length)?);
    let Some(known) = crate::eval::text::known(&text) else {
        // A part of the known beginning can still be told.
        let head = text.leading();
        if offset >= 0 && length >= 0 && head.is_ascii() {
            let from = usize::try_from(offset).unwrap_or(usize::MAX);
            let to = from.saturating_add(usize::try_from(length).unwrap_or(usize::MAX));
            if to <= head.len() {
                let lits: Text = text
                    .pieces()
                    .iter()
                    .take_while(|piece| matches!(piece, Piece::Lit(_)))
                    .cloned()
                    .collect();
                return lits
                    .slice(from..to)
                    .map(|text| Val::text(text, call.src()))
                    .ok_or(Stop::Open);
            }
        }
        return Err(Stop::Open);
    };
    if length < -1 {
        return Err("the length is negative".into());
    }
    let clusters: Vec<(usize, &str)> = known.grapheme_indices(true).collect();
    let count = i64::try_from(clusters.len()).unwrap_or(i64::MAX);
    let from = if offset < 0 {
        (count + offset).max(0)
    } else {
        offset.min(count)
    };
    let to = if length < 0 {
        count
    } else {
        from.saturating_add(length).min(count)
    };
    let byte = |at: i64| {
        usize::try_from(at)
            .ok()
            .and_then(|at| clusters.get(at))
            .map_or(known.len(), |(at, _)| *at)
    };
    text.slice(byte(from)..byte(to))
        .map(|text| Val::text(text, call.src()))
        .ok_or(Stop::Open)
}

/// The part of a known text that `cut` leaves, with its places.
fn trimmed(
    call: &Call<'_, '_>,
    val: &Val,
    cut: impl Fn(&str) -> std::ops::Range<usize>,
) -> Outcome {
    let text = call.text(val)?;
    let known = crate::eval::text::known(&text).ok_or(Stop::Open)?;
    text.slice(cut(&known))
        .map(|text| Val::text(text, call.src()))
        .ok_or(Stop::Open)
}

fn trim(call: &Call<'_, '_>, args: &[Val]) -> Outcome {
    let (text, set) = two(args)?;
    let set = call.string(set)?;
    trimmed(call, text, |known| {
        let inner = known.trim_start_matches(|c| set.contains(c));
        let start = known.len() - inner.len();
        start..start + inner.trim_end_matches(|c| set.contains(c)).len()
    })
}

fn trimspace(call: &Call<'_, '_>, args: &[Val]) -> Outcome {
    let val = first(args)?;
    let text = call.text(&val)?;
    if !text.is_known() {
        // The blanks at known ends can go.
        let head = text.leading();
        let tail = text.trailing();
        let front = head.len() - head.trim_start().len();
        let back = tail.len() - tail.trim_end().len();
        let open_front = front == head.len();
        let open_back = back == tail.len();
        if open_front || open_back {
            let holes_ok = text
                .holes()
                .all(|hole| hole.shape.has(overgrant_value::Shape::WORD));
            if !holes_ok {
                return Err(Stop::Open);
            }
        }
        let cut = text
            .without_prefix(front)
            .and_then(|text| text.without_suffix(back));
        return cut
            .map(|text| Val::text(text, call.src()))
            .ok_or(Stop::Open);
    }
    trimmed(call, &val, |known| {
        let inner = known.trim_start();
        let start = known.len() - inner.len();
        start..start + inner.trim_end().len()
    })
}

fn trimprefix(call: &Call<'_, '_>, args: &[Val]) -> Outcome {
    let (text, prefix) = two(args)?;
    let (text, prefix) = (call.text(text)?, call.string(prefix)?);
    match text.starts_with(&prefix) {
        Answer::Must => text
            .without_prefix(prefix.len())
            .map(|text| Val::text(text, call.src()))
            .ok_or(Stop::Open),
        Answer::No => Ok(Val::text(text, call.src())),
        Answer::May => Err(Stop::Open),
    }
}

fn trimsuffix(call: &Call<'_, '_>, args: &[Val]) -> Outcome {
    let (text, suffix) = two(args)?;
    let (text, suffix) = (call.text(text)?, call.string(suffix)?);
    match text.ends_with(&suffix) {
        Answer::Must => text
            .without_suffix(suffix.len())
            .map(|text| Val::text(text, call.src()))
            .ok_or(Stop::Open),
        Answer::No => Ok(Val::text(text, call.src())),
        Answer::May => Err(Stop::Open),
    }
}

fn question(
    call: &Call<'_, '_>,
    args: &[Val],
    name: &str,
    ask: impl Fn(&Text, &str) -> Answer,
) -> Outcome {
    let (text, part) = two(args)?;
    let answer = ask(&call.text(text)?, &call.string(part)?);
    Ok(ops::answer(answer, name, &[text, part], call.src()))
}

fn startswith(call: &Call<'_, '_>, args: &[Val]) -> Outcome {
    question(call, args, "startswith", Text::starts_with)
}

fn endswith(call: &Call<'_, '_>, args: &[Val]) -> Outcome {
    question(call, args, "endswith", Text::ends_with)
}

fn strcontains(call: &Call<'_, '_>, args: &[Val]) -> Outcome {
    question(call, args, "strcontains", Text::contains)
}

fn strrev(call: &Call<'_, '_>, args: &[Val]) -> Outcome {
    let text = call.string(&first(args)?)?;
    let reversed: String = text.graphemes(true).rev().collect();
    Ok(call.known(&reversed))
}

fn chomp(call: &Call<'_, '_>, args: &[Val]) -> Outcome {
    let val = first(args)?;
    let text = call.text(&val)?;
    if !text.is_known() {
        let tail = text.trailing();
        let kept = tail.trim_end_matches(['\r', '\n']).len();
        if kept == 0 && !tail.is_empty() {
            return Err(Stop::Open);
        }
        return text
            .without_suffix(tail.len() - kept)
            .map(|text| Val::text(text, call.src()))
            .ok_or(Stop::Open);
    }
    trimmed(call, &val, |known| {
        let mut end = known;
        while let Some(cut) = end.strip_suffix("\r\n").or_else(|| end.strip_suffix('\n')) {
            end = cut;
        }
        0..end.len()
    })
}

fn indent(call: &Call<'_, '_>, args: &[Val]) -> Outcome {
    let (spaces, text) = two(args)?;
    let spaces = usize::try_from(call.integer(spaces)?).map_err(|_| "the number is negative")?;
    if spaces > 10_000 {
        return Err("too many spaces".into());
    }
    let text = call.text(text)?;
    let lines: usize = text
        .pieces()
        .iter()
        .map(|piece| match piece {
            Piece::Lit(lit) => lit.as_str().matches('\n').count(),
            _ => 0,
        })
        .sum();
    room(lines.saturating_mul(spaces).saturating_add(text.len()))?;
    let pad = format!("\n{}", " ".repeat(spaces));
    let mut result = Text::empty();
    for piece in text.pieces() {
        let Piece::Lit(lit) = piece else {
            result.push(piece.clone());
            continue;
        };
        let mut from = 0;
        for (at, _) in lit.as_str().match_indices('\n') {
            if let Some(cut) = lit.slice(from..at) {
                result.push(Piece::Lit(cut));
            }
            result.append(&Text::known(&pad));
            from = at + 1;
        }
        if let Some(cut) = lit.slice(from..lit.as_str().len()) {
            result.push(Piece::Lit(cut));
        }
    }
    Ok(Val::text(result, call.src()))
}
