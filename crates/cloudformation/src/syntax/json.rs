//! JSON text to the spanned tree.
//!
//! Not for policies inside strings: those are read as values. Comments and trailing commas are read
//! with a note, since the service documents neither. Invariant: escapes are traced, so that every
//! byte of a string's value has its place.

use super::block::duplicate;
use super::tree::{self, Entry, Kind, Node, Parsed, Scalar, Style};
use super::{MAX_DEPTH, tree::clamp, words};
use overgrant_source::{Comment, Diagnostic, Level, SourceFile, Span};
use overgrant_value::{Seg, Segs};
use smol_str::SmolStr;
use std::ops::Range;
use std::sync::Arc;

/// Reads `file` as JSON.
///
/// # Errors
/// A `json-syntax` diagnostic that loses the file, also for nesting beyond [`MAX_DEPTH`].
pub fn parse_json(file: &SourceFile) -> Result<Parsed, Diagnostic> {
    let whole = file.text();
    let text = whole.strip_prefix('\u{feff}').unwrap_or(whole);
    let mut reader = Reader {
        file,
        text,
        shift: whole.len() - text.len(),
        at: 0,
        comments: Vec::new(),
        diagnostics: Vec::new(),
        relaxed: None,
        entries: Vec::new(),
        items: Vec::new(),
    };
    let root = reader.document().map_err(|(at, message)| {
        Diagnostic::new(
            Level::Error,
            "json-syntax",
            format!("not valid JSON: {message}"),
        )
        .at(file, reader.span(at..at))
        .losing_file()
    })?;
    if let Some(at) = reader.relaxed {
        reader.diagnostics.push(
            Diagnostic::new(
                Level::Note,
                "json-relaxed",
                "a comment or trailing comma is no JSON, and CloudFormation may refuse it; remove it",
            )
            .at(file, at),
        );
    }
    Ok(Parsed {
        root: Arc::new(root),
        comments: reader.comments,
        diagnostics: reader.diagnostics,
    })
}

type Failure = (usize, &'static str);

struct Reader<'a> {
    file: &'a SourceFile,
    text: &'a str,
    shift: usize,
    at: usize,
    comments: Vec<Comment>,
    diagnostics: Vec<Diagnostic>,
    /// The first comment or trailing comma.
    relaxed: Option<Span>,
    /// Entries and items of the collections that are still open, the innermost last: a finished
    /// collection takes its own, and no more room than they need.
    entries: Vec<Entry>,
    items: Vec<Arc<Node>>,
}

impl Reader<'_> {
    fn span(&self, range: Range<usize>) -> Span {
        tree::span(self.file.id(), self.shift, range)
    }

    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn fail<T>(&self, message: &'static str) -> Result<T, Failure> {
        Err((self.at, message))
    }

    fn document(&mut self) -> Result<Node, Failure> {
        self.skip()?;
        let root = self.value(0)?;
        self.skip()?;
        if self.at < self.text.len() {
            return self.fail("text after the value; remove it");
        }
        Ok(root)
    }

    /// Blanks and comments.
    fn skip(&mut self) -> Result<(), Failure> {
        loop {
            match self.peek() {
                Some(b' ') => self.at += words::blanks(self.text.as_bytes(), self.at),
                Some(b'\t' | b'\n' | b'\r') => self.at += 1,
                Some(b'/') => self.comment()?,
                _ => return Ok(()),
            }
        }
    }

    fn comment(&mut self) -> Result<(), Failure> {
        let start = self.at;
        let rest = self.text.get(start..).unwrap_or_default();
        let (len, text) = if let Some(body) = rest.strip_prefix("//") {
            let line = body.split('\n').next().unwrap_or_default();
            let line = line.strip_suffix('\r').unwrap_or(line);
            (line.len() + 2, line)
        } else if let Some(body) = rest.strip_prefix("/*") {
            let Some((inner, _)) = body.split_once("*/") else {
                return self.fail("a comment that does not end");
            };
            (inner.len() + 4, inner)
        } else {
            return self.fail("expected a value");
        };
        self.at = start + len;
        let line = self.text.get(..start).unwrap_or_default();
        let line = line.rsplit('\n').next().unwrap_or_default();
        let span = self.span(start..self.at);
        self.relaxed.get_or_insert(span);
        self.comments.push(Comment {
            span,
            text: text.trim().into(),
            trailing: !line.trim().is_empty(),
        });
        Ok(())
    }

    fn value(&mut self, depth: usize) -> Result<Node, Failure> {
        let start = self.at;
        let kind = match self.peek() {
            Some(b'{') => self.object(depth)?,
            Some(b'[') => self.array(depth)?,
            Some(b'"') => Kind::Scalar(self.string()?),
            Some(b'-' | b'0'..=b'9' | b't' | b'f' | b'n') => self.word()?,
            Some(_) => return self.fail("expected a value"),
            None => return self.fail("the text ends too early"),
        };
        Ok(Node {
            kind,
            tag: None,
            span: self.span(start..self.at),
        })
    }

    fn enter(&mut self, depth: usize) -> Result<(), Failure> {
        if depth >= MAX_DEPTH {
            return self.fail("nested too deeply");
        }
        self.at += 1;
        self.skip()
    }

    /// After an item: true when the collection goes on.
    fn more(&mut self, close: u8) -> Result<bool, Failure> {
        self.skip()?;
        match self.peek() {
            Some(b',') => {
                let comma = self.at;
                self.at += 1;
                self.skip()?;
                if self.peek() == Some(close) {
                    let span = self.span(comma..comma + 1);
                    self.relaxed.get_or_insert(span);
                    self.at += 1;
                    return Ok(false);
                }
                Ok(true)
            }
            Some(byte) if byte == close => {
                self.at += 1;
                Ok(false)
            }
            Some(_) => self.fail("expected a comma or the closing bracket"),
            None => self.fail("the text ends before the closing bracket"),
        }
    }

    fn object(&mut self, depth: usize) -> Result<Kind, Failure> {
        self.enter(depth)?;
        if self.peek() == Some(b'}') {
            self.at += 1;
            return Ok(Kind::Map(Vec::new()));
        }
        let mark = self.entries.len();
        loop {
            if self.peek() != Some(b'"') {
                return self.fail("expected a key in double quotes");
            }
            let start = self.at;
            let key = self.string()?.text;
            let key_span = self.span(start..self.at);
            self.skip()?;
            if self.peek() != Some(b':') {
                return self.fail("expected a colon after the key");
            }
            self.at += 1;
            self.skip()?;
            let value = Arc::new(self.value(depth + 1)?);
            self.entries.push(Entry {
                key,
                key_span,
                value,
                merged: false,
            });
            if !self.more(b'}')? {
                break;
            }
        }
        let entries: Vec<Entry> = self.entries.drain(mark..).collect();
        for (key, at) in tree::duplicates(&entries) {
            self.diagnostics
                .push(duplicate(key, "object").at(self.file, at));
        }
        Ok(Kind::Map(entries))
    }

    fn array(&mut self, depth: usize) -> Result<Kind, Failure> {
        self.enter(depth)?;
        if self.peek() == Some(b']') {
            self.at += 1;
            return Ok(Kind::Seq(Vec::new()));
        }
        let mark = self.items.len();
        loop {
            let item = Arc::new(self.value(depth + 1)?);
            self.items.push(item);
            if !self.more(b']')? {
                return Ok(Kind::Seq(self.items.drain(mark..).collect()));
            }
        }
    }

    /// A number or one of the three literals.
    fn word(&mut self) -> Result<Kind, Failure> {
        let rest = self.text.get(self.at..).unwrap_or_default();
        let len = rest
            .bytes()
            .take_while(|b| b.is_ascii_alphanumeric() || matches!(b, b'+' | b'-' | b'.'))
            .count();
        let word = rest.get(..len).unwrap_or_default();
        if !matches!(word, "true" | "false" | "null") && !is_number(word) {
            return self
                .fail("neither a number nor true, false or null; put text in double quotes");
        }
        let span = self.span(self.at..self.at + len);
        self.at += len;
        Ok(Kind::Scalar(Scalar::exact(word.into(), Style::Plain, span)))
    }

    fn string(&mut self) -> Result<Scalar, Failure> {
        let start = self.at + 1;
        let bytes = self.text.as_bytes();
        let mut end = words::end_of_plain(bytes, start);
        while let Some(byte) = bytes.get(end) {
            match byte {
                b'"' => {
                    let text = self.text.get(start..end).unwrap_or_default();
                    self.at = end + 1;
                    return Ok(Scalar::exact(
                        text.into(),
                        Style::Double,
                        self.span(start..end),
                    ));
                }
                b'\\' => return self.escaped(start, end),
                0..=0x1f if *byte != b'\t' => {
                    self.at = end;
                    return self.fail("a line break or control character inside a string");
                }
                // A tab.
                _ => end = words::end_of_plain(bytes, end + 1),
            }
        }
        self.at = end;
        self.fail("a string that does not end")
    }

    /// A string from its first escape at `end` on; `start` is behind the opening quote.
    fn escaped(&mut self, start: usize, mut end: usize) -> Result<Scalar, Failure> {
        let mut value = String::new();
        let mut segments = Vec::new();
        let mut run = start;
        loop {
            let byte = self.text.as_bytes().get(end).copied();
            let Some(byte) = byte else {
                self.at = end;
                return self.fail("a string that does not end");
            };
            match byte {
                b'"' | b'\\' => {
                    let text = self.text.get(run..end).unwrap_or_default();
                    self.segment(&mut segments, &value, text.len(), run..end, true);
                    value.push_str(text);
                    if byte == b'"' {
                        break;
                    }
                    let rest = self.text.get(end..).unwrap_or_default();
                    let Some((decoded, len)) = escape(rest) else {
                        self.at = end;
                        return self.fail("an escape that JSON does not know");
                    };
                    let width = decoded.len_utf8();
                    self.segment(&mut segments, &value, width, end..end + len, false);
                    value.push(decoded);
                    end += len;
                    run = end;
                }
                0..=0x1f if byte != b'\t' => {
                    self.at = end;
                    return self.fail("a line break or control character inside a string");
                }
                _ => end += 1,
            }
        }
        self.at = end + 1;
        Ok(Scalar {
            places: Segs::new(segments, value.len()),
            text: SmolStr::from(value),
            style: Style::Double,
        })
    }

    fn segment(
        &self,
        segments: &mut Vec<Seg>,
        value: &str,
        len: usize,
        range: Range<usize>,
        exact: bool,
    ) {
        if len > 0 {
            segments.push(Seg {
                at: clamp(value.len()),
                len: clamp(len),
                span: self.span(range),
                exact,
            });
        }
    }
}

/// The character an escape stands for and the escape's bytes; a lone surrogate becomes U+FFFD.
fn escape(text: &str) -> Option<(char, usize)> {
    let simple = |c| Some((c, 2));
    match text.as_bytes().get(1)? {
        b'"' => simple('"'),
        b'\\' => simple('\\'),
        b'/' => simple('/'),
        b'b' => simple('\u{8}'),
        b'f' => simple('\u{c}'),
        b'n' => simple('\n'),
        b'r' => simple('\r'),
        b't' => simple('\t'),
        b'u' => {
            let first = hex(text.get(2..6)?)?;
            if let Some(c) = char::from_u32(first) {
                return Some((c, 6));
            }
            let pair = text
                .get(6..)
                .and_then(|rest| rest.strip_prefix("\\u"))
                .and_then(|rest| hex(rest.get(..4)?))
                .filter(|second| (0xDC00..0xE000).contains(second) && first < 0xDC00);
            match pair {
                Some(second) => {
                    let code = 0x1_0000 + ((first - 0xD800) << 10) + (second - 0xDC00);
                    Some((char::from_u32(code)?, 12))
                }
                None => Some((char::REPLACEMENT_CHARACTER, 6)),
            }
        }
        _ => None,
    }
}

fn hex(digits: &str) -> Option<u32> {
    if digits.bytes().all(|b| b.is_ascii_hexdigit()) {
        u32::from_str_radix(digits, 16).ok()
    } else {
        None
    }
}

fn is_number(word: &str) -> bool {
    let digits = word.strip_prefix('-').unwrap_or(word);
    digits.bytes().next().is_some_and(|b| b.is_ascii_digit()) && digits.parse::<f64>().is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use overgrant_source::Sources;

    fn parse(text: &str) -> (Arc<SourceFile>, Result<Parsed, Diagnostic>) {
        let file = Sources::new(".").add("t.json", text);
        let parsed = parse_json(&file);
        (file, parsed)
    }

    #[test]
    fn spans_cover_each_node() {
        let (file, parsed) = parse("\u{feff}{\n\t\"a\" : [1, \"x\", {}],\n \"b\":null }\n");
        let root = parsed.unwrap().root;
        assert_eq!(file.slice(root.entries()[0].key_span), "\"a\"");
        let list = root.get("a").unwrap();
        assert_eq!(file.slice(list.span), "[1, \"x\", {}]");
        assert_eq!(file.slice(list.items()[1].span), "\"x\"");
        assert!(root.get("b").unwrap().is_null());
    }

    #[test]
    fn escapes_are_traced() {
        let text = r#"{"p": "{\"Action\": \"s3:*\"}", "u": "x\/y\ud83d\ude00z"}"#;
        let (file, parsed) = parse(text);
        let root = parsed.unwrap().root;
        let policy = root.get("p").unwrap().scalar().unwrap();
        assert_eq!(policy.text, r#"{"Action": "s3:*"}"#);
        let at = policy.text.find("s3:*").unwrap();
        assert_eq!(file.slice(policy.span_of(at..at + 4).unwrap()), "s3:*");
        let quote = policy.span_of(1..2).unwrap();
        assert_eq!(file.slice(quote), "\\\"");
        let u = root.get("u").unwrap().scalar().unwrap();
        assert_eq!(u.text, "x/y\u{1F600}z");
        assert_eq!(file.slice(u.span_of(7..8).unwrap()), "z");
    }

    #[test]
    fn comments_and_trailing_commas_give_one_note() {
        let (_, parsed) = parse("// top\n{\"a\": [1,], /* in */ \"b\": 2,\n}");
        let parsed = parsed.unwrap();
        assert_eq!(parsed.comments.len(), 2);
        assert!(!parsed.comments[0].trailing);
        assert!(parsed.comments[1].trailing);
        assert_eq!(parsed.diagnostics.len(), 1);
        assert_eq!(parsed.diagnostics[0].level, Level::Note);
    }

    #[test]
    fn duplicates_are_kept_and_told() {
        let (_, parsed) = parse(r#"{"a": 1, "a": 2}"#);
        let parsed = parsed.unwrap();
        assert_eq!(parsed.root.get("a").unwrap().text(), Some("2"));
        assert_eq!(parsed.diagnostics[0].code, "duplicate-key");
    }

    #[test]
    fn bad_text_is_a_diagnostic_with_its_place() {
        for (text, at) in [
            ("{\"a\" 1}", 5),
            ("{\"a\": 1} x", 9),
            ("{\"a\": yes}", 6),
            ("[1", 2),
            ("[\"a\nb\"]", 3),
            ("{\"a\": \"\\x\"}", 7),
            ("", 0),
            ("[-]", 1),
        ] {
            let lost = parse(text).1.unwrap_err();
            assert_eq!(lost.span.unwrap().start, at, "{text}");
            assert!(lost.not_parsed);
        }
        assert!(parse(&"[".repeat(200_000)).1.is_err());
    }

    #[test]
    fn numbers_keep_their_text() {
        let (_, parsed) = parse("[012345678901, 1e400, 123456789012345678901234567890]");
        let root = parsed.unwrap().root;
        assert_eq!(root.items()[0].text(), Some("012345678901"));
        assert_eq!(root.items()[2].text().unwrap().len(), 30);
    }
}
