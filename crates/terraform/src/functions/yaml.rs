//! YAML texts to values, as `yamldecode` reads them (go-cty-yaml), over the events of
//! `granit-parser`.
//!
//! Not for templates of CloudFormation, which keep what is written. Invariant: a scalar keeps the
//! bytes it was written with, holes included; the work is bounded by the text's length, and what
//! aliases would expand to is counted against [`MAX_NODES`].

use crate::eval::types::{self, convert};
use granit_parser::{Event, Parser, ScalarStyle, Tag};
use overgrant_value::{Data, Entry, Map, Num, Piece, Shape, Src, Text, Ty, Val};
use std::collections::{BTreeMap, HashMap};
use std::ops::Range;

/// Most values of one text, aliases followed.
const MAX_NODES: u64 = 1_000_000;
/// Deepest nesting.
const MAX_DEPTH: usize = 128;
/// The first of the characters that stand for holes while the text is parsed.
const MARKER: u32 = 0xE000;
/// How many such characters there are.
const MARKERS: usize = 6_400;

/// Reads a text.
///
/// # Errors
/// What is wrong with it, in words.
pub(super) fn parse(text: &Text) -> Result<Val, String> {
    let flat = Flat::new(text).ok_or("the text has too many unknown parts")?;
    Builder {
        flat: &flat,
        frames: Vec::new(),
        anchors: HashMap::new(),
        root: None,
    }
    .run()
}

/// A rope as characters, with one character a hole.
struct Flat {
    text: String,
    /// Each part with the offset at which it begins.
    parts: BTreeMap<usize, Piece>,
    holes: Vec<Piece>,
}

impl Flat {
    fn new(text: &Text) -> Option<Self> {
        let mut flat = Self {
            text: String::new(),
            parts: BTreeMap::new(),
            holes: Vec::new(),
        };
        for piece in text.pieces() {
            match piece {
                Piece::Lit(lit) => {
                    flat.parts.insert(flat.text.len(), piece.clone());
                    flat.text.push_str(lit.as_str());
                }
                Piece::Hole(_) | Piece::Json(_) => {
                    let at = u32::try_from(flat.holes.len()).ok()?;
                    if flat.holes.len() >= MARKERS {
                        return None;
                    }
                    flat.text.push(char::from_u32(MARKER + at)?);
                    flat.holes.push(piece.clone());
                }
            }
        }
        Some(flat)
    }

    fn hole(&self, c: char) -> Option<&Piece> {
        let at = u32::from(c).checked_sub(MARKER)?;
        self.holes.get(usize::try_from(at).ok()?)
    }

    /// The characters of `range`, which holds no marker, with their places.
    fn slice(&self, range: Range<usize>) -> Text {
        let from = self
            .parts
            .range(..=range.start)
            .next_back()
            .map_or(0, |(at, _)| *at);
        self.parts
            .range(from..range.end)
            .filter_map(|(at, part)| {
                let Piece::Lit(lit) = part else { return None };
                let start = range.start.saturating_sub(*at);
                let end = range.end.saturating_sub(*at).min(lit.as_str().len());
                (start < end).then(|| lit.slice(start..end)).flatten()
            })
            .map(Piece::Lit)
            .collect()
    }

    /// The value of a scalar that stands in `range`: line by line with the bytes it was written
    /// with, where they are the same.
    fn placed(&self, value: &str, range: Range<usize>) -> Text {
        let mut out = Text::empty();
        let mut cursor = range.start;
        let mut rest = value;
        while let Some(first) = rest.chars().next() {
            if let Some(hole) = self.hole(first) {
                out.push(hole.clone());
                let written = self.text.get(cursor..range.end).unwrap_or_default();
                if let Some(at) = written.find(first) {
                    cursor += at + first.len_utf8();
                }
                rest = rest.get(first.len_utf8()..).unwrap_or_default();
                continue;
            }
            let line = rest.find('\n').map_or(rest.len(), |at| at + 1);
            let hole = rest.find(|c| self.hole(c).is_some()).unwrap_or(rest.len());
            let (run, after) = rest.split_at_checked(line.min(hole)).unwrap_or((rest, ""));
            let written = self.text.get(cursor..range.end).unwrap_or_default();
            match written.find(run) {
                Some(at) => {
                    out.append(&self.slice(cursor + at..cursor + at + run.len()));
                    cursor += at + run.len();
                }
                None => out.append(&match self.slice(range.clone()).span() {
                    Some(span) => Text::derived(run, span),
                    None => Text::known(run),
                }),
            }
            rest = after;
        }
        out
    }
}

/// A value with what it weighs once aliases are followed.
#[derive(Clone)]
struct Built {
    val: Val,
    nodes: u64,
    /// Whether it is a merge key.
    merge: bool,
}

struct Frame {
    anchor: usize,
    start: usize,
    items: Items,
    nodes: u64,
}

enum Items {
    Seq(Vec<Val>),
    Map {
        entries: Vec<Entry>,
        key: Option<Built>,
    },
}

struct Builder<'f> {
    flat: &'f Flat,
    frames: Vec<Frame>,
    anchors: HashMap<usize, Built>,
    root: Option<Built>,
}

impl Builder<'_> {
    fn run(mut self) -> Result<Val, String> {
        let options = granit_parser::options! { emit_unresolved_aliases: true };
        let flat = self.flat;
        for next in Parser::new_from_str_with_options(&flat.text, options) {
            let (event, place) =
                next.map_err(|error| format!("not valid YAML: {}", error.info()))?;
            let range = place.byte_range().unwrap_or(0..0);
            match event {
                Event::DocumentStart(..) if self.root.is_some() => {
                    return Err("the text has more than one document".into());
                }
                Event::Alias(id) => {
                    let known = self.anchors.get(&id).cloned();
                    self.finish(0, known.ok_or("an alias has no anchor")?)?;
                }
                Event::UnresolvedAlias(_) => return Err("an alias has no anchor".into()),
                Event::Scalar(value, style, anchor, tag) => {
                    let built = self.scalar(&value, style, tag.as_deref(), range)?;
                    self.finish(anchor, built)?;
                }
                Event::SequenceStart(_, anchor, tag) => {
                    self.open(anchor, tag.as_deref(), "seq", range, Items::Seq(Vec::new()))?;
                }
                Event::MappingStart(_, anchor, tag) => {
                    let items = Items::Map {
                        entries: Vec::new(),
                        key: None,
                    };
                    self.open(anchor, tag.as_deref(), "map", range, items)?;
                }
                Event::SequenceEnd | Event::MappingEnd => self.close(range)?,
                _ => {}
            }
        }
        match self.root {
            Some(root) => Ok(root.val),
            None => Err("the text has no document".into()),
        }
    }

    fn open(
        &mut self,
        anchor: usize,
        tag: Option<&Tag>,
        kind: &str,
        range: Range<usize>,
        items: Items,
    ) -> Result<(), String> {
        if tag.is_some_and(|tag| !tag.is_yaml_core_schema_tag(kind)) {
            return Err("a tag is not supported".into());
        }
        if self.frames.len() >= MAX_DEPTH {
            return Err("the text is nested too deeply".into());
        }
        self.frames.push(Frame {
            anchor,
            start: range.start,
            items,
            nodes: 1,
        });
        Ok(())
    }

    fn close(&mut self, range: Range<usize>) -> Result<(), String> {
        let Some(frame) = self.frames.pop() else {
            return Ok(());
        };
        let src = self.flat.slice(frame.start..range.end.max(frame.start));
        let src = src.span().map_or_else(Src::none, Src::at);
        let val = match frame.items {
            Items::Seq(items) => Val::tuple(items, src),
            Items::Map { entries, .. } => {
                Val::new(Data::Map(Map::object(types::sorted(entries))), src)
            }
        };
        let built = Built {
            val,
            nodes: frame.nodes,
            merge: false,
        };
        self.finish(frame.anchor, built)
    }

    /// Puts a complete value where it belongs.
    fn finish(&mut self, anchor: usize, built: Built) -> Result<(), String> {
        if anchor != 0 {
            self.anchors.insert(anchor, built.clone());
        }
        let Some(frame) = self.frames.last_mut() else {
            self.root = Some(built);
            return Ok(());
        };
        frame.nodes = frame.nodes.saturating_add(built.nodes);
        if frame.nodes > MAX_NODES {
            return Err("the text expands to too many values".into());
        }
        let (entries, key) = match &mut frame.items {
            Items::Seq(items) => {
                items.push(built.val);
                return Ok(());
            }
            Items::Map { entries, key } => (entries, key),
        };
        let Some(name) = key.take() else {
            *key = Some(built);
            return Ok(());
        };
        if name.merge {
            let Some(merged) = built.val.as_map() else {
                return Err("only a mapping can be merged with `<<`".into());
            };
            for entry in &merged.entries {
                if !entries.iter().any(|known| known.key.same_text(&entry.key)) {
                    entries.push(entry.clone());
                }
            }
            return Ok(());
        }
        if name.val.is_null() {
            return Err("the key of a mapping is null".into());
        }
        let text = convert(&name.val, &Ty::String)
            .ok()
            .and_then(|val| val.to_text())
            .ok_or("only texts can be keys of a mapping")?;
        entries.push(Entry {
            key: text,
            key_src: name.val.src().clone(),
            val: built.val,
        });
        Ok(())
    }

    fn scalar(
        &self,
        value: &str,
        style: ScalarStyle,
        tag: Option<&Tag>,
        range: Range<usize>,
    ) -> Result<Built, String> {
        let text = self.flat.placed(value, range);
        let src = text.span().map_or_else(Src::none, Src::at);
        let known = tag.and_then(|tag| tag.suffix_in_namespace("tag:yaml.org,2002:"));
        let is = |name: &str| known.as_deref() == Some(name);
        let local = tag.is_some_and(|tag| tag.handle().is_empty() && tag.suffix() == "!");
        let plain = match tag {
            None => style == ScalarStyle::Plain,
            Some(_)
                if ["int", "float", "bool", "null", "timestamp"]
                    .into_iter()
                    .any(is) =>
            {
                true
            }
            Some(_) if is("str") || is("binary") || local => false,
            Some(_) => return Err("a tag is not supported".into()),
        };
        let data = match text.pieces() {
            [Piece::Json(val)] if plain => val.data().clone(),
            [Piece::Hole(hole)] if plain && hole.sym.shape() == Shape::ANY => {
                Val::unknown(hole.sym.clone(), src.clone()).data().clone()
            }
            _ if plain && text.is_known() => resolve(value).unwrap_or(Data::Str(text)),
            _ => Data::Str(text),
        };
        Ok(Built {
            val: Val::new(data, src),
            nodes: 1,
            merge: plain && tag.is_none() && value == "<<",
        })
    }
}

/// What a plain scalar stands for; `None` for a text.
fn resolve(value: &str) -> Option<Data> {
    let data = match value {
        "" | "~" | "null" | "Null" | "NULL" => Data::Null(Ty::Dyn),
        "y" | "Y" | "yes" | "Yes" | "YES" | "on" | "On" | "ON" | "true" | "True" | "TRUE" => {
            Data::Bool(true)
        }
        "n" | "N" | "no" | "No" | "NO" | "off" | "Off" | "OFF" | "false" | "False" | "FALSE" => {
            Data::Bool(false)
        }
        ".inf" | ".Inf" | ".INF" | "+.inf" | "+.Inf" | "+.INF" => Data::Num(Num::infinity(false)),
        "-.inf" | "-.Inf" | "-.INF" => Data::Num(Num::infinity(true)),
        _ => return number(value).map(Data::Num).or_else(|| moment(value)),
    };
    Some(data)
}

fn number(value: &str) -> Option<Num> {
    if !value.starts_with(|c: char| c.is_ascii_digit() || matches!(c, '+' | '-' | '.')) {
        return None;
    }
    for (prefix, radix) in [("0x", 16), ("0o", 8), ("0b", 2)] {
        if let Some(digits) = value.strip_prefix(prefix) {
            return i128::from_str_radix(digits, radix).ok().map(Num::int);
        }
    }
    Num::parse(value)
}

/// A date or time in the form that it is written back in: RFC 3339 without fraction.
fn moment(value: &str) -> Option<Data> {
    let (year, _) = value.split_once('-')?;
    if year.len() != 4 || !year.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    let (date, time) = match value.split_once(['T', 't', ' ']) {
        Some((date, time)) => (date, Some(time)),
        None => (value, None),
    };
    let mut parts = date.split('-').map(|part| part.parse::<i8>());
    let year: i16 = parts.next().and(year.parse().ok())?;
    let (month, day) = (parts.next()?.ok()?, parts.next()?.ok()?);
    if parts.next().is_some() {
        return None;
    }
    let date = jiff::civil::Date::new(year, month, day).ok()?;
    let Some(time) = time else {
        return Some(Data::Str(Text::known(&format!("{date}T00:00:00Z"))));
    };
    let zoned = !value.contains(' ');
    let (clock, zone) = match time.find(['Z', '+', '-']) {
        Some(at) if zoned => time.split_at_checked(at)?,
        None if !zoned => (time, "Z"),
        _ => return None,
    };
    let whole = clock.split('.').next()?;
    let mut parts = whole.split(':').map(|part| part.parse::<i8>());
    let (hour, minute, second) = (
        parts.next()?.ok()?,
        parts.next()?.ok()?,
        parts.next()?.ok()?,
    );
    let time = jiff::civil::Time::new(hour, minute, second, 0).ok()?;
    let zone_fits = zone == "Z"
        || (zone.len() == 6
            && zone.get(1..)?.split_once(':').is_some_and(|(h, m)| {
                h.parse::<u8>().is_ok_and(|h| h < 24) && m.parse::<u8>().is_ok_and(|m| m < 60)
            }));
    zone_fits.then(|| Data::Str(Text::known(&format!("{date}T{time}{zone}"))))
}

#[cfg(test)]
mod tests {
    use super::*;
    use overgrant_source::{FileId, Span};
    use overgrant_value::{Sym, json};

    fn decoded(text: &str) -> String {
        match parse(&Text::known(text)) {
            Ok(val) => json::to_string(&val),
            Err(message) => message,
        }
    }

    #[test]
    fn scalars_are_those_of_yaml_1_1() {
        for (text, found) in [
            (
                "On: y\nVersion: 2012-10-17",
                r#"{"Version":"2012-10-17T00:00:00Z","true":true}"#,
            ),
            (
                "[0x10, 0o17, 017, 1_000, '1', ~]",
                r#"[16,15,17,"1_000","1",null]"#,
            ),
            (
                "2001-12-14t21:59:43.10-05:00",
                r#""2001-12-14T21:59:43-05:00""#,
            ),
            ("a: |\n  x\n  y\n", r#"{"a":"x\ny\n"}"#),
            (
                "d: &d {k: 1, j: 2}\ne:\n  <<: *d\n  k: 9",
                r#"{"d":{"j":2,"k":1},"e":{"j":2,"k":9}}"#,
            ),
            ("a: !custom x", "a tag is not supported"),
            ("a: 1\n---\nb: 2", "the text has more than one document"),
            ("? [a]\n: b", "only texts can be keys of a mapping"),
        ] {
            assert_eq!(decoded(text), found, "{text}");
        }
    }

    #[test]
    fn scalars_keep_their_bytes_and_holes() {
        let file = Span::new(FileId(0), 100, 130);
        let mut text = Text::exact("Action: \"s3:*\"\nArn: 'x-", Span { end: 123, ..file });
        text.append(&Text::hole(Sym::Account, Src::none()));
        text.append(&Text::known("'\n"));
        let val = parse(&text).unwrap();
        let action = val.get("Action").unwrap().to_text().unwrap();
        assert_eq!(
            action.span(),
            Some(Span {
                start: 109,
                end: 113,
                ..file
            })
        );
        let arn = val.get("Arn").unwrap().to_text().unwrap();
        assert_eq!(arn.to_string(), "x-${the account id}");
    }

    #[test]
    fn aliases_that_multiply_are_refused() {
        let mut text = String::from("a0: &a0 [x, x, x, x]\n");
        for n in 1..21 {
            let of = format!("*a{}", n - 1);
            text.push_str(&format!("a{n}: &a{n} [{of}, {of}, {of}, {of}]\n"));
        }
        assert_eq!(decoded(&text), "the text expands to too many values");
    }
}
