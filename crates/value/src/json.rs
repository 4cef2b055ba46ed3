//! JSON over ropes: one parser for files, heredocs, strings with holes and `jsonencode` results.
//!
//! Not for our own output. Invariants: every node's span covers its own bytes (quotes included);
//! duplicate keys are kept in order; a hole inside quotes stays a hole in that string, a hole in
//! the place of a value is an unknown value; nesting is bounded.

use crate::{Data, Entry, Hole, Lit, Map, Num, Piece, Seg, Src, Sym, Text, Val};
use overgrant_source::{SourceFile, Span};
use std::fmt::Write as _;
use std::sync::Arc;

/// Deepest nesting that is read.
pub const MAX_DEPTH: usize = 128;

/// Why a text is no JSON.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JsonError {
    /// What was expected or found.
    pub message: &'static str,
    /// The place in a source file, where the offending byte has one.
    pub span: Option<Span>,
    /// Whether an open part may be to blame, so that the text may still be JSON once it is known.
    pub near_hole: bool,
}

/// What [`parse_with`] tolerates beyond the standard.
#[derive(Debug, Clone, Copy, Default)]
pub struct Options {
    /// `//` and `/* */` comments.
    pub comments: bool,
    /// A comma before a closing bracket.
    pub trailing_commas: bool,
}

/// Reads one JSON document from a rope.
///
/// # Errors
/// At the first byte that does not fit the grammar, or when nesting exceeds [`MAX_DEPTH`].
pub fn parse(text: &Text) -> Result<Val, JsonError> {
    parse_with(text, Options::default())
}

/// As [`parse`], with tolerances.
///
/// # Errors
/// As [`parse`].
pub fn parse_with(text: &Text, options: Options) -> Result<Val, JsonError> {
    if let Some(val) = text.as_json() {
        return Ok(val.clone());
    }
    let mut parser = Parser {
        cursor: Cursor::new(text),
        options,
    };
    parser.blanks()?;
    let val = parser.value(0)?;
    parser.blanks()?;
    if parser.cursor.at_end() {
        Ok(val)
    } else {
        Err(parser.error("unexpected text after the document"))
    }
}

/// Reads a whole file (a byte order mark is skipped).
///
/// # Errors
/// As [`parse`].
pub fn parse_file(file: &SourceFile, options: Options) -> Result<Val, JsonError> {
    let text = file.text();
    let body = text.strip_prefix('\u{feff}').unwrap_or(text);
    let start = text.len() - body.len();
    parse_with(&Text::exact(body, file.span(start..text.len())), options)
}

/// Canonical JSON-like text of a value, equal for equal data; see [`Text::key`].
#[must_use]
pub fn to_key(val: &Val) -> String {
    let mut out = String::new();
    write(val, &mut out, true);
    out
}

/// JSON text of a value for people: holes as `${name}`, unknown values as `${name}`.
#[must_use]
pub fn to_string(val: &Val) -> String {
    let mut out = String::new();
    write(val, &mut out, false);
    out
}

fn write(val: &Val, out: &mut String, key: bool) {
    match val.data() {
        Data::Null(_) => out.push_str("null"),
        Data::Bool(value) => out.push_str(if *value { "true" } else { "false" }),
        Data::Num(num) => {
            let _ = write!(out, "{num}");
        }
        Data::Str(text) => write_text(text, out, key),
        Data::Seq(seq) => {
            out.push('[');
            for (index, item) in seq.items.iter().enumerate() {
                if index > 0 {
                    out.push(',');
                }
                write(item, out, key);
            }
            out.push(']');
        }
        Data::Map(map) => {
            out.push('{');
            for (index, entry) in map.entries.iter().enumerate() {
                if index > 0 {
                    out.push(',');
                }
                write_text(&entry.key, out, key);
                out.push(':');
                write(&entry.val, out, key);
            }
            out.push('}');
        }
        Data::Unknown(unknown) => {
            let _ = if key {
                write!(out, "${{{:?}}}", unknown.sym)
            } else {
                write!(out, "${{{}}}", unknown.sym)
            };
        }
        Data::OneOf(alts) => {
            out.push_str("${one of ");
            for (index, alt) in alts.iter().enumerate() {
                if index > 0 {
                    out.push_str(", ");
                }
                if key {
                    let _ = write!(out, "{:?}=>", alt.guard);
                }
                write(&alt.val, out, key);
            }
            out.push('}');
        }
    }
}

fn write_text(text: &Text, out: &mut String, key: bool) {
    let plain = if key { text.key() } else { text.to_string() };
    out.push('"');
    for c in plain.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            c if c < ' ' => {
                let _ = write!(out, "\\u{:04x}", u32::from(c));
            }
            c => out.push(c),
        }
    }
    out.push('"');
}

/// A place in a rope: the piece and the byte in it.
struct Cursor<'a> {
    pieces: &'a [Piece],
    piece: usize,
    byte: usize,
}

impl<'a> Cursor<'a> {
    fn new(text: &'a Text) -> Self {
        Self {
            pieces: text.pieces(),
            piece: 0,
            byte: 0,
        }
    }

    fn at_end(&self) -> bool {
        self.piece >= self.pieces.len()
    }

    fn lit(&self) -> Option<&'a Lit> {
        match self.pieces.get(self.piece) {
            Some(Piece::Lit(lit)) => Some(lit),
            _ => None,
        }
    }

    /// The next byte of a literal; `None` at a hole, a document or the end.
    fn peek(&self) -> Option<u8> {
        self.lit()?.as_str().as_bytes().get(self.byte).copied()
    }

    fn advance(&mut self, count: usize) {
        self.byte += count;
        if self
            .lit()
            .is_some_and(|lit| self.byte >= lit.as_str().len())
        {
            self.piece += 1;
            self.byte = 0;
        }
    }

    /// The open or structured piece here, stepping over it.
    fn take_piece(&mut self) -> Option<&'a Piece> {
        let piece = self.pieces.get(self.piece)?;
        self.piece += 1;
        self.byte = 0;
        Some(piece)
    }

    /// Source of one byte here.
    fn src(&self) -> Src {
        match self.pieces.get(self.piece) {
            Some(Piece::Lit(lit)) => lit
                .slice(self.byte..self.byte + 1)
                .or_else(|| lit.slice(self.byte..lit.as_str().len()))
                .map_or_else(Src::none, |cut| cut.src()),
            Some(Piece::Hole(hole)) => hole.src.clone(),
            Some(Piece::Json(val)) => val.src().clone(),
            None => match self.pieces.last() {
                Some(Piece::Lit(lit)) => lit.src(),
                Some(Piece::Hole(hole)) => hole.src.clone(),
                _ => Src::none(),
            },
        }
    }

    fn near_hole(&self) -> bool {
        let open = |index: Option<usize>| {
            index.is_some_and(|index| matches!(self.pieces.get(index), Some(Piece::Hole(_))))
        };
        open(Some(self.piece)) || open(self.piece.checked_sub(1))
    }
}

struct Parser<'a> {
    cursor: Cursor<'a>,
    options: Options,
}

impl Parser<'_> {
    fn error(&self, message: &'static str) -> JsonError {
        JsonError {
            message,
            span: self.cursor.src().span,
            near_hole: self.cursor.near_hole(),
        }
    }

    fn blanks(&mut self) -> Result<(), JsonError> {
        loop {
            match self.cursor.peek() {
                Some(b' ' | b'\t' | b'\n' | b'\r') => self.cursor.advance(1),
                Some(b'/') if self.options.comments => self.comment()?,
                _ => return Ok(()),
            }
        }
    }

    fn comment(&mut self) -> Result<(), JsonError> {
        self.cursor.advance(1);
        match self.cursor.peek() {
            Some(b'/') => {
                while !matches!(self.cursor.peek(), None | Some(b'\n')) {
                    self.cursor.advance(1);
                }
                Ok(())
            }
            Some(b'*') => {
                self.cursor.advance(1);
                let mut star = false;
                while let Some(byte) = self.cursor.peek() {
                    self.cursor.advance(1);
                    if star && byte == b'/' {
                        return Ok(());
                    }
                    star = byte == b'*';
                }
                Err(self.error("the comment is not closed"))
            }
            _ => Err(self.error("unexpected `/`")),
        }
    }

    fn value(&mut self, depth: usize) -> Result<Val, JsonError> {
        if depth > MAX_DEPTH {
            return Err(self.error("nested too deeply"));
        }
        match self.cursor.peek() {
            Some(b'"') => self.string().map(|(text, src)| Val::text(text, src)),
            Some(b'{') => self.object(depth),
            Some(b'[') => self.array(depth),
            Some(b'-' | b'0'..=b'9') => self.number(),
            Some(b't' | b'f' | b'n') => self.word(),
            Some(_) => Err(self.error("expected a value")),
            None => match self.cursor.take_piece() {
                Some(Piece::Hole(hole)) => {
                    // `${a}${b}` or `${a}x` outside quotes may be any text: the value is open.
                    Ok(Val::unknown(hole.sym.clone(), hole.src.clone()))
                }
                Some(Piece::Json(val)) => Ok(val.clone()),
                _ => Err(self.error("the document ends early")),
            },
        }
    }

    fn object(&mut self, depth: usize) -> Result<Val, JsonError> {
        let start = self.cursor.src();
        self.cursor.advance(1);
        let mut entries = Vec::new();
        loop {
            self.blanks()?;
            if self.cursor.peek() == Some(b'}')
                && (entries.is_empty() || self.options.trailing_commas)
            {
                break;
            }
            if self.cursor.peek() != Some(b'"') {
                return Err(self.error("expected a key in quotes"));
            }
            let (key, key_src) = self.string()?;
            self.blanks()?;
            if self.cursor.peek() != Some(b':') {
                return Err(self.error("expected `:` after the key"));
            }
            self.cursor.advance(1);
            self.blanks()?;
            let val = self.value(depth + 1)?;
            entries.push(Entry { key, key_src, val });
            self.blanks()?;
            match self.cursor.peek() {
                Some(b',') => self.cursor.advance(1),
                Some(b'}') => break,
                _ => return Err(self.error("expected `,` or `}`")),
            }
        }
        let src = joined(start, self.cursor.src());
        self.cursor.advance(1);
        Ok(Val::new(Data::Map(Map::object(entries)), src))
    }

    fn array(&mut self, depth: usize) -> Result<Val, JsonError> {
        let start = self.cursor.src();
        self.cursor.advance(1);
        let mut items = Vec::new();
        loop {
            self.blanks()?;
            if self.cursor.peek() == Some(b']')
                && (items.is_empty() || self.options.trailing_commas)
            {
                break;
            }
            items.push(self.value(depth + 1)?);
            self.blanks()?;
            match self.cursor.peek() {
                Some(b',') => self.cursor.advance(1),
                Some(b']') => break,
                _ => return Err(self.error("expected `,` or `]`")),
            }
        }
        let src = joined(start, self.cursor.src());
        self.cursor.advance(1);
        Ok(Val::tuple(items, src))
    }

    fn word(&mut self) -> Result<Val, JsonError> {
        let start = self.cursor.src();
        let mut word = String::new();
        let mut end = start.clone();
        while let Some(byte @ b'a'..=b'z') = self.cursor.peek() {
            word.push(char::from(byte));
            end = self.cursor.src();
            self.cursor.advance(1);
        }
        let src = joined(start, end);
        match word.as_str() {
            "true" => Ok(Val::bool(true, src)),
            "false" => Ok(Val::bool(false, src)),
            "null" => Ok(Val::null(src)),
            _ => Err(JsonError {
                message: "expected `true`, `false` or `null`",
                span: src.span,
                near_hole: self.cursor.near_hole(),
            }),
        }
    }

    fn number(&mut self) -> Result<Val, JsonError> {
        let start = self.cursor.src();
        let mut end = start.clone();
        let mut digits = String::new();
        while let Some(byte @ (b'0'..=b'9' | b'-' | b'+' | b'.' | b'e' | b'E')) = self.cursor.peek()
        {
            digits.push(char::from(byte));
            end = self.cursor.src();
            self.cursor.advance(1);
        }
        let src = joined(start, end);
        if matches!(
            self.cursor.pieces.get(self.cursor.piece),
            Some(Piece::Hole(_))
        ) && self.cursor.byte == 0
        {
            // Digits that go on in a hole.
            if let Some(Piece::Hole(hole)) = self.cursor.take_piece() {
                return Ok(Val::unknown(hole.sym.clone(), src));
            }
        }
        let leading_zero = digits.trim_start_matches('-').starts_with('0')
            && digits
                .trim_start_matches('-')
                .as_bytes()
                .get(1)
                .is_some_and(u8::is_ascii_digit);
        match Num::parse(&digits) {
            Some(num) if !leading_zero => Ok(Val::new(Data::Num(num), src)),
            _ => Err(JsonError {
                message: "not a number that JSON knows",
                span: src.span,
                near_hole: false,
            }),
        }
    }

    /// A string with its quotes: text and source.
    fn string(&mut self) -> Result<(Text, Src), JsonError> {
        let start = self.cursor.src();
        self.cursor.advance(1);
        let mut text = Text::empty();
        loop {
            match self.cursor.peek() {
                Some(b'"') => {
                    let src = joined(start, self.cursor.src());
                    self.cursor.advance(1);
                    return Ok((text, src));
                }
                Some(b'\\') => {
                    let piece = self.escape()?;
                    text.push(piece);
                }
                Some(0..=0x1f) => {
                    return Err(self.error("a control character must be escaped in a string"));
                }
                Some(_) => self.plain_run(&mut text),
                None => match self.cursor.take_piece() {
                    Some(piece @ Piece::Hole(_)) => text.push(piece.clone()),
                    Some(piece @ Piece::Json(_)) => text.push(piece.clone()),
                    _ => return Err(self.error("the string is not closed")),
                },
            }
        }
    }

    /// Everything up to the next quote, escape, control character or end of the literal.
    fn plain_run(&mut self, text: &mut Text) {
        let Some(lit) = self.cursor.lit() else { return };
        let from = self.cursor.byte;
        let bytes = lit.as_str().as_bytes();
        let length = bytes
            .iter()
            .skip(from)
            .position(|&byte| matches!(byte, b'"' | b'\\' | 0..=0x1f))
            .unwrap_or(bytes.len() - from);
        if let Some(cut) = lit.slice(from..from + length) {
            text.push(Piece::Lit(cut));
        }
        self.cursor.advance(length.max(1));
    }

    fn escape(&mut self) -> Result<Piece, JsonError> {
        let start = self.cursor.src();
        self.cursor.advance(1);
        let Some(byte) = self.cursor.peek() else {
            return Err(self.error("the escape is not finished"));
        };
        let mut end = self.cursor.src();
        self.cursor.advance(1);
        let c = match byte {
            b'"' | b'\\' | b'/' => char::from(byte),
            b'b' => '\u{8}',
            b'f' => '\u{c}',
            b'n' => '\n',
            b'r' => '\r',
            b't' => '\t',
            b'u' => {
                let high = self.hex(&mut end)?;
                match high {
                    0xD800..=0xDBFF => self.low_surrogate(high, &mut end)?,
                    _ => char::from_u32(high).unwrap_or('\u{fffd}'),
                }
            }
            _ => return Err(self.error("no such escape")),
        };
        let src = joined(start, end);
        let segs = src.span.map(|span| Seg {
            at: 0,
            len: u32::try_from(c.len_utf8()).unwrap_or(1),
            span,
            exact: false,
        });
        Ok(Piece::Lit(Lit::new(c.to_string(), segs)))
    }

    fn hex(&mut self, end: &mut Src) -> Result<u32, JsonError> {
        let mut value = 0;
        for _ in 0..4 {
            let digit = self
                .cursor
                .peek()
                .and_then(|byte| char::from(byte).to_digit(16));
            let Some(digit) = digit else {
                return Err(self.error("expected four hexadecimal digits"));
            };
            value = value * 16 + digit;
            *end = self.cursor.src();
            self.cursor.advance(1);
        }
        Ok(value)
    }

    fn low_surrogate(&mut self, high: u32, end: &mut Src) -> Result<char, JsonError> {
        if self.cursor.peek() != Some(b'\\') {
            return Ok('\u{fffd}');
        }
        self.cursor.advance(1);
        if self.cursor.peek() != Some(b'u') {
            return Err(self.error("expected the second half of a surrogate pair"));
        }
        self.cursor.advance(1);
        let low = self.hex(end)?;
        let combined = (0xDC00..=0xDFFF)
            .contains(&low)
            .then(|| 0x10000 + ((high - 0xD800) << 10) + (low - 0xDC00));
        Ok(combined.and_then(char::from_u32).unwrap_or('\u{fffd}'))
    }
}

/// From the first byte of `start` to the last of `end`, with the uses of `start`.
fn joined(start: Src, end: Src) -> Src {
    let span = match (start.span, end.span) {
        (Some(a), Some(b)) => Some(a.to(b)),
        (a, b) => a.or(b),
    };
    start.with_span(span)
}

/// A hole for an open part of a document, so that callers need not name the piece types.
#[must_use]
pub fn hole(sym: Sym, src: Src) -> Piece {
    Piece::Hole(Arc::new(Hole {
        shape: sym.shape(),
        sym,
        src,
    }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use overgrant_source::FileId;

    fn parse_str(text: &str) -> Result<Val, JsonError> {
        let end = u32::try_from(text.len()).unwrap();
        parse(&Text::exact(text, Span::new(FileId(0), 0, end)))
    }

    #[test]
    fn spans_cover_nodes() {
        let text = r#"{"a": ["s3:*", 12, true], "b\n": null}"#;
        let val = parse_str(text).unwrap();
        let cut = |val: &Val| text.get(val.span().unwrap().range()).unwrap();
        assert_eq!(cut(&val), text);
        let list = val.get("a").unwrap();
        assert_eq!(cut(&list), r#"["s3:*", 12, true]"#);
        let items = list.as_items().unwrap();
        assert_eq!(cut(&items[0]), r#""s3:*""#);
        assert_eq!(cut(&items[1]), "12");
        assert_eq!(cut(&items[2]), "true");
        let Data::Str(action) = items[0].data() else {
            panic!()
        };
        assert_eq!(text.get(action.span().unwrap().range()), Some("s3:*"));
        assert!(val.get("b\n").unwrap().is_null());
    }

    #[test]
    fn holes_stay_in_their_place() {
        let sym = Sym::Account;
        let mut text = Text::known(r#"{"R": "arn:"#);
        text.push(hole(sym.clone(), Src::none()));
        text.append(&Text::known(r#":x", "V": "#));
        text.push(hole(sym, Src::none()));
        text.append(&Text::known("}"));
        let val = parse(&text).unwrap();
        assert_eq!(
            val.get("R").unwrap().to_text().unwrap().to_string(),
            "arn:${the account id}:x"
        );
        assert!(val.get("V").unwrap().is_unknown());
    }

    #[test]
    fn duplicate_keys_are_kept_and_the_last_wins() {
        let val = parse_str(r#"{"a": 1, "a": 2}"#).unwrap();
        assert_eq!(val.as_map().unwrap().entries.len(), 2);
        assert_eq!(val.get("a").unwrap().as_i64(), Some(2));
    }

    #[test]
    fn refuses_what_is_no_json() {
        for text in [
            "",
            "{",
            "[1,]",
            "{\"a\":1,}",
            "01",
            "tru",
            "\"a",
            "\"\\x\"",
            "{a:1}",
            "1 2",
            "\"\t\"",
            "// x\n1",
        ] {
            assert!(parse_str(text).is_err(), "{text}");
        }
        let deep = "[".repeat(100_000);
        assert_eq!(parse_str(&deep).unwrap_err().message, "nested too deeply");
        let lenient = Options {
            comments: true,
            trailing_commas: true,
        };
        assert!(parse_with(&Text::known("[1, /* x */ 2, ] // end"), lenient).is_ok());
    }

    #[test]
    fn escapes_are_decoded_and_traced() {
        let text = r#""a\u00e9\ud83d\ude00\/b""#;
        let val = parse_str(text).unwrap();
        assert_eq!(val.as_str().unwrap(), "aé😀/b");
        let Data::Str(rope) = val.data() else {
            panic!()
        };
        let at = rope.src_of(1..3).unwrap().span.unwrap();
        assert_eq!(text.get(at.range()), Some(r"\u00e9"));
    }
}
