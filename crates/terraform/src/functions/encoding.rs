//! JSON, YAML, base64, URL and CSV.
//!
//! `jsonencode` keeps the structure of its argument, so that a policy is never written and read
//! again. Invariant: an encoded text equals
//! Terraform's byte for byte.

use super::collection::first;
use super::{Call, Function, Kind, Outcome, Stop, Takes, decode_json, function};
use crate::eval::limits::seats;
use crate::eval::text;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use overgrant_value::{Data, Text, Ty, Val};
use std::fmt::Write as _;

/// Most bytes that a compressed text may hold.
const MAX_INFLATED: usize = 8 << 20;

pub(super) const TABLE: &[Function] = &[
    function("jsonencode", (1, 1), Kind::String, Takes::All, jsonencode),
    function("jsondecode", (1, 1), Kind::Any, Takes::Known, jsondecode),
    function("yamlencode", (1, 1), Kind::String, Takes::All, yamlencode),
    function("yamldecode", (1, 1), Kind::Any, Takes::Known, yamldecode),
    function(
        "base64encode",
        (1, 1),
        Kind::String,
        Takes::Known,
        base64encode,
    ),
    function(
        "base64decode",
        (1, 1),
        Kind::String,
        Takes::Known,
        base64decode,
    ),
    function(
        "textencodebase64",
        (2, 2),
        Kind::String,
        Takes::Known,
        textencodebase64,
    ),
    function(
        "textdecodebase64",
        (2, 2),
        Kind::String,
        Takes::Known,
        textdecodebase64,
    ),
    function("base64gzip", (1, 1), Kind::String, Takes::Known, |_, _| {
        Err(Stop::Open)
    }),
    function(
        "base64gunzip",
        (1, 1),
        Kind::String,
        Takes::Known,
        base64gunzip,
    ),
    function("urldecode", (1, 1), Kind::String, Takes::Known, urldecode),
    function("urlencode", (1, 1), Kind::String, Takes::Known, urlencode),
    function("csvdecode", (1, 1), Kind::Any, Takes::Known, csvdecode),
];

fn infinite(val: &Val) -> bool {
    match val.data() {
        Data::Num(num) => !num.is_finite(),
        Data::Seq(seq) => seq.items.iter().any(infinite),
        Data::Map(map) => map.entries.iter().any(|entry| infinite(&entry.val)),
        _ => false,
    }
}

fn jsonencode(call: &Call<'_, '_>, args: &[Val]) -> Outcome {
    let val = first(args)?;
    if infinite(&val) {
        return Err("an infinite number has no JSON".into());
    }
    if val.is_unknown() {
        return Err(Stop::Open);
    }
    Ok(Val::text(Text::json(val), call.src()))
}

fn jsondecode(call: &Call<'_, '_>, args: &[Val]) -> Outcome {
    let val = first(args)?;
    let text = call.text(&val)?;
    let original = match val.data() {
        Data::Str(text) => text,
        _ => &text,
    };
    match decode_json(original) {
        Ok(decoded) => Ok(decoded.under(&val)),
        Err(_) if !text.is_known() => Err(Stop::Open),
        Err(message) => Err(message.into()),
    }
}

fn yamlencode(call: &Call<'_, '_>, args: &[Val]) -> Outcome {
    let val = first(args)?;
    let mut out = String::new();
    let written = match val.data() {
        Data::Seq(seq) if seq.items.is_empty() => {
            out.push_str("[]\n");
            Some(())
        }
        Data::Map(map) if map.entries.is_empty() => {
            out.push_str("{}\n");
            Some(())
        }
        Data::Seq(_) | Data::Map(_) => yaml(&val, 0, false, &mut out),
        _ => scalar(&val, 2, &mut out).map(|()| out.push('\n')),
    };
    match written {
        Some(()) => Ok(call.known(&out)),
        // The structure is still the same document.
        None if !val.is_unknown() => Ok(Val::text(Text::json(val), call.src())),
        None => Err(Stop::Open),
    }
}

fn scalar(val: &Val, indent: usize, out: &mut String) -> Option<()> {
    match val.data() {
        Data::Null(_) => out.push_str("null"),
        Data::Bool(value) => out.push_str(if *value { "true" } else { "false" }),
        Data::Num(num) => {
            let _ = write!(out, "{num}");
        }
        Data::Str(content) => {
            let known = text::known(content)?;
            let block = known.contains('\n')
                && known
                    .chars()
                    .all(|c| c == '\n' || c == '\t' || !c.is_control())
                && !known.starts_with(' ')
                && !known.starts_with('\n');
            if block {
                out.push('|');
                if !known.ends_with('\n') {
                    out.push('-');
                } else if known.ends_with("\n\n") {
                    out.push('+');
                }
                for line in known.strip_suffix('\n').unwrap_or(&known).split('\n') {
                    out.push('\n');
                    if !line.is_empty() {
                        out.push_str(&" ".repeat(indent));
                        out.push_str(line);
                    }
                }
            } else {
                quoted(&known, out);
            }
        }
        _ => return None,
    }
    Some(())
}

fn quoted(text: &str, out: &mut String) {
    out.push('"');
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\t' => out.push_str("\\t"),
            '\r' => out.push_str("\\r"),
            c => out.push(c),
        }
    }
    out.push('"');
}

fn yaml(val: &Val, indent: usize, inline: bool, out: &mut String) -> Option<()> {
    let pad = " ".repeat(indent);
    match val.data() {
        Data::Seq(seq) => {
            for (at, item) in seq.items.iter().enumerate() {
                if at > 0 || !inline {
                    out.push_str(&pad);
                }
                out.push_str("- ");
                member(item, indent + 2, true, out)?;
            }
        }
        Data::Map(map) => {
            for (at, entry) in map.entries.iter().enumerate() {
                if at > 0 || !inline {
                    out.push_str(&pad);
                }
                quoted(&text::known(&entry.key)?, out);
                out.push(':');
                match entry.val.data() {
                    Data::Seq(seq) if !seq.items.is_empty() => {
                        out.push('\n');
                        yaml(&entry.val, indent, false, out)?;
                    }
                    Data::Map(map) if !map.entries.is_empty() => {
                        out.push('\n');
                        yaml(&entry.val, indent + 2, false, out)?;
                    }
                    _ => {
                        out.push(' ');
                        member(&entry.val, indent + 2, false, out)?;
                    }
                }
            }
        }
        _ => return None,
    }
    Some(())
}

fn member(val: &Val, indent: usize, inline: bool, out: &mut String) -> Option<()> {
    match val.data() {
        Data::Seq(seq) if seq.items.is_empty() => out.push_str("[]\n"),
        Data::Map(map) if map.entries.is_empty() => out.push_str("{}\n"),
        Data::Seq(_) | Data::Map(_) => yaml(val, indent, inline, out)?,
        _ => {
            scalar(val, indent, out)?;
            out.push('\n');
        }
    }
    Some(())
}

fn yamldecode(call: &Call<'_, '_>, args: &[Val]) -> Outcome {
    let val = first(args)?;
    let text = call.text(&val)?;
    match super::yaml::parse(&text) {
        Ok(decoded) => Ok(decoded.under(&val)),
        Err(_) if !text.is_known() => Err(Stop::Open),
        Err(message) => Err(message.into()),
    }
}

fn base64encode(call: &Call<'_, '_>, args: &[Val]) -> Outcome {
    let text = call.string(&first(args)?)?;
    Ok(call.known(&STANDARD.encode(text.as_bytes())))
}

fn base64decode(call: &Call<'_, '_>, args: &[Val]) -> Outcome {
    let text = call.string(&first(args)?)?;
    let bytes = STANDARD
        .decode(text.as_bytes())
        .map_err(|_| "the text is not base64")?;
    let text = String::from_utf8(bytes).map_err(|_| "the decoded bytes are not UTF-8")?;
    Ok(call.known(&text))
}

fn encoding(name: &str) -> Option<bool> {
    match name.to_ascii_uppercase().as_str() {
        "UTF-8" | "UTF8" => Some(false),
        "UTF-16LE" => Some(true),
        _ => None,
    }
}

fn textencodebase64(call: &Call<'_, '_>, args: &[Val]) -> Outcome {
    let [text, name] = args else {
        return Err("two arguments are needed".into());
    };
    let text = call.string(text)?;
    let wide = encoding(&call.string(name)?).ok_or(Stop::Open)?;
    let bytes: Vec<u8> = if wide {
        text.encode_utf16().flat_map(u16::to_le_bytes).collect()
    } else {
        text.bytes().collect()
    };
    Ok(call.known(&STANDARD.encode(bytes)))
}

fn textdecodebase64(call: &Call<'_, '_>, args: &[Val]) -> Outcome {
    let [text, name] = args else {
        return Err("two arguments are needed".into());
    };
    let bytes = STANDARD
        .decode(call.string(text)?.as_bytes())
        .map_err(|_| "the text is not base64")?;
    let wide = encoding(&call.string(name)?).ok_or(Stop::Open)?;
    let text = if wide {
        let units: Vec<u16> = bytes
            .chunks_exact(2)
            .filter_map(|pair| <[u8; 2]>::try_from(pair).ok())
            .map(u16::from_le_bytes)
            .collect();
        String::from_utf16(&units).map_err(|_| "the decoded bytes are not UTF-16")?
    } else {
        String::from_utf8(bytes).map_err(|_| "the decoded bytes are not UTF-8")?
    };
    Ok(call.known(&text))
}

/// Inflates a gzip stream (RFC 1952): one member, its checksum not looked at.
fn gunzip(bytes: &[u8]) -> Option<Vec<u8>> {
    let (header, mut rest) = bytes.split_at_checked(10)?;
    let [0x1f, 0x8b, 8, flags, ..] = header else {
        return None;
    };
    if flags & 4 != 0 {
        let (length, after) = rest.split_at_checked(2)?;
        let length = u16::from_le_bytes(length.try_into().ok()?);
        rest = after.get(usize::from(length)..)?;
    }
    for flag in [8, 16] {
        if flags & flag != 0 {
            let end = rest.iter().position(|byte| *byte == 0)?;
            rest = rest.get(end + 1..)?;
        }
    }
    if flags & 2 != 0 {
        rest = rest.get(2..)?;
    }
    miniz_oxide::inflate::decompress_to_vec_with_limit(rest, MAX_INFLATED).ok()
}

fn base64gunzip(call: &Call<'_, '_>, args: &[Val]) -> Outcome {
    let text = call.string(&first(args)?)?;
    let bytes = STANDARD
        .decode(text.as_bytes())
        .map_err(|_| "the text is not base64")?;
    let plain = gunzip(&bytes).ok_or("the decoded bytes are no gzip stream")?;
    let plain = String::from_utf8(plain).map_err(|_| "the inflated bytes are not UTF-8")?;
    Ok(call.known(&plain))
}

fn urldecode(call: &Call<'_, '_>, args: &[Val]) -> Outcome {
    let text = call.string(&first(args)?)?;
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((byte, after)) = rest.split_first() {
        rest = after;
        match byte {
            b'+' => bytes.push(b' '),
            b'%' => {
                let digits = after.get(..2).and_then(|two| std::str::from_utf8(two).ok());
                let byte = digits
                    .filter(|two| two.bytes().all(|b| b.is_ascii_hexdigit()))
                    .and_then(|two| u8::from_str_radix(two, 16).ok())
                    .ok_or("a `%` is not followed by two hexadecimal digits")?;
                bytes.push(byte);
                rest = after.get(2..).unwrap_or_default();
            }
            byte => bytes.push(*byte),
        }
    }
    let text = String::from_utf8(bytes).map_err(|_| "the decoded bytes are not UTF-8")?;
    Ok(call.known(&text))
}

fn urlencode(call: &Call<'_, '_>, args: &[Val]) -> Outcome {
    let text = call.string(&first(args)?)?;
    let mut out = String::new();
    for byte in text.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => {
                out.push(char::from(byte))
            }
            b' ' => out.push('+'),
            _ => {
                let _ = write!(out, "%{byte:02X}");
            }
        }
    }
    Ok(call.known(&out))
}

/// One record of CSV (RFC 4180) and the rest of the text.
fn record(text: &str) -> Result<(Vec<String>, &str), Stop> {
    let mut fields = vec![String::new()];
    let mut chars = text.char_indices().peekable();
    let mut inside = false;
    let mut quoted = false;
    while let Some((at, c)) = chars.next() {
        let Some(field) = fields.last_mut() else {
            break;
        };
        match c {
            '"' if inside => {
                if chars.next_if(|(_, next)| *next == '"').is_some() {
                    field.push('"');
                } else {
                    inside = false;
                }
            }
            '"' if field.is_empty() && !quoted => {
                inside = true;
                quoted = true;
            }
            '"' => return Err("a quote stands inside a plain field".into()),
            ',' if !inside => {
                fields.push(String::new());
                quoted = false;
            }
            '\n' if !inside => {
                if field.ends_with('\r') {
                    field.pop();
                }
                return Ok((fields, text.get(at + 1..).unwrap_or("")));
            }
            c => field.push(c),
        }
    }
    if inside {
        return Err("a quoted field is never closed".into());
    }
    Ok((fields, ""))
}

fn csvdecode(call: &Call<'_, '_>, args: &[Val]) -> Outcome {
    let text = call.string(&first(args)?)?;
    if text.is_empty() {
        return Err("the text has no header".into());
    }
    let (header, mut rest) = record(&text)?;
    let mut names = header.clone();
    names.sort();
    names.dedup();
    if names.len() != header.len() {
        return Err("a column name is there twice".into());
    }
    let mut rows = Vec::new();
    while !rest.is_empty() {
        let (fields, after) = record(rest)?;
        rest = after;
        if fields.len() == 1 && fields.iter().all(String::is_empty) {
            continue;
        }
        if fields.len() != header.len() {
            return Err("a record has another number of fields than the header".into());
        }
        seats(rows.len())?;
        let mut entries: Vec<(&str, Val)> = header
            .iter()
            .map(String::as_str)
            .zip(fields.iter().map(|field| call.known(field)))
            .collect();
        entries.sort_by_key(|(name, _)| *name);
        rows.push(Val::object(entries, call.src()));
    }
    let elem = rows.first().map_or_else(
        || {
            Ty::Object(
                names
                    .iter()
                    .map(|name| overgrant_value::Field {
                        name: name.as_str().into(),
                        ty: Ty::String,
                        optional: false,
                    })
                    .collect(),
            )
        },
        crate::eval::types::type_of,
    );
    Ok(call.list(elem, rows))
}
