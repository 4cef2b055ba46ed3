//! The characters of a text whose parts are all known, JSON parts written as Terraform writes them.
//!
//! Not for partly known texts, which stay ropes. Invariant: the JSON is byte for byte what
//! `jsonencode` gives (go-cty, `stdlib.JSONEncode`), and what is spelled out keeps the places of the
//! values: each literal stands where it was written, what encloses values where the list or object is.

use super::access::is_open;
use overgrant_value::{Data, Piece, Src, Text, Val};
use smol_str::SmolStr;
use std::fmt::Write as _;

/// All characters, if every part is known.
pub(crate) fn known(text: &Text) -> Option<SmolStr> {
    if let Some(known) = text.as_known() {
        return Some(known);
    }
    let mut out = String::new();
    for piece in text.pieces() {
        match piece {
            Piece::Lit(lit) => out.push_str(lit.as_str()),
            Piece::Json(val) => write(val, &mut out)?,
            Piece::Hole(_) => return None,
        }
    }
    Some(out.into())
}

/// The text with every fully known JSON part spelled out, the others kept.
pub(crate) fn spelled(text: &Text) -> Text {
    let mut out = Text::empty();
    for piece in text.pieces() {
        let mut document = Text::empty();
        match piece {
            Piece::Json(val) if spell(val, &mut document).is_some() => out.append(&document),
            _ => out.push(piece.clone()),
        }
    }
    out
}

/// Appends the JSON of a fully known value with the places of its parts; `None` where a part is open.
fn spell(val: &Val, out: &mut Text) -> Option<()> {
    let src = val.src();
    match val.data() {
        Data::Seq(_) | Data::Map(_) if is_open(val) => return None,
        Data::Str(text) => spell_string(text, src, out)?,
        Data::Seq(seq) => {
            place("[", src, out);
            for (index, item) in seq.items.iter().enumerate() {
                if index > 0 {
                    place(",", src, out);
                }
                spell(item, out)?;
            }
            place("]", src, out);
        }
        Data::Map(map) => {
            place("{", src, out);
            for (index, entry) in map.entries.iter().enumerate() {
                if index > 0 {
                    place(",", src, out);
                }
                spell_string(&entry.key, &entry.key_src, out)?;
                place(":", src, out);
                spell(&entry.val, out)?;
            }
            place("}", src, out);
        }
        _ => {
            let mut word = String::new();
            write(val, &mut word)?;
            place(&word, src, out);
        }
    }
    Some(())
}

fn spell_string(text: &Text, src: &Src, out: &mut Text) -> Option<()> {
    place("\"", src, out);
    for piece in text.pieces() {
        let Piece::Lit(lit) = piece else {
            let mut escaped = String::new();
            escape(&known(&Text::from(piece.clone()))?, &mut escaped);
            place(&escaped, src, out);
            continue;
        };
        let mut escaped = String::new();
        escape(lit.as_str(), &mut escaped);
        out.push(Piece::Lit(if escaped == lit.as_str() {
            lit.clone()
        } else {
            lit.mapped(escaped, false)
        }));
    }
    place("\"", src, out);
    Some(())
}

/// Appends characters that come from `src`.
fn place(chars: &str, src: &Src, out: &mut Text) {
    let text = match src.span {
        Some(span) => Text::derived(chars, span),
        None => Text::known(chars),
    };
    out.append(&text.under(src));
}

/// The characters of a value that is a known text, number or truth value.
pub(crate) fn of(val: &Val) -> Option<SmolStr> {
    known(&val.to_text()?)
}

/// Appends the JSON of a fully known value; `None` where a part is open.
pub(crate) fn write(val: &Val, out: &mut String) -> Option<()> {
    match val.data() {
        Data::Seq(_) | Data::Map(_) if is_open(val) => return None,
        Data::Null(_) => out.push_str("null"),
        Data::Bool(value) => out.push_str(if *value { "true" } else { "false" }),
        Data::Num(num) => {
            let _ = write!(out, "{num}");
        }
        Data::Str(text) => string(&known(text)?, out),
        Data::Seq(seq) => {
            out.push('[');
            for (index, item) in seq.items.iter().enumerate() {
                if index > 0 {
                    out.push(',');
                }
                write(item, out)?;
            }
            out.push(']');
        }
        Data::Map(map) => {
            out.push('{');
            for (index, entry) in map.entries.iter().enumerate() {
                if index > 0 {
                    out.push(',');
                }
                string(&known(&entry.key)?, out);
                out.push(':');
                write(&entry.val, out)?;
            }
            out.push('}');
        }
        Data::Unknown(_) | Data::OneOf(_) => return None,
    }
    Some(())
}

/// Appends a JSON string with the escapes of Go's `encoding/json`.
pub(crate) fn string(text: &str, out: &mut String) {
    out.push('"');
    escape(text, out);
    out.push('"');
}

/// Appends the characters with the escapes of Go's `encoding/json`.
fn escape(text: &str, out: &mut String) {
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            '\u{8}' => out.push_str("\\b"),
            '\u{c}' => out.push_str("\\f"),
            '<' | '>' | '&' | '\u{2028}' | '\u{2029}' | '\u{0}'..='\u{1f}' => {
                let _ = write!(out, "\\u{:04x}", u32::from(c));
            }
            c => out.push(c),
        }
    }
}
