//! JSON in a heredoc: its objects and lists with their bytes in the file.
//!
//! Not for values: a string is a leaf, and so is what an interpolation gives. Invariant: all ranges
//! are those of the file; what is not JSON, or is built by directives, has no nodes at all.

use super::flow::{Entry, Kind, Node};
use crate::syntax::tree::{Expr, Part};
use std::ops::Range;

/// How deep objects and lists may stand in each other.
const MAX_DEPTH: usize = 128;

/// The document in a heredoc.
pub(super) fn document(text: &str, expr: &Expr, parts: &[Part]) -> Option<Node> {
    let range = super::range(expr.span);
    let raw = text.get(range.clone())?;
    if !raw.starts_with("<<") {
        return None;
    }
    // Interpolations become digits, which stand in strings as well as for values.
    let mut bytes = raw.as_bytes().to_vec();
    for part in parts {
        match part {
            Part::Literal(_) => {}
            Part::Interp(inner) => {
                let sequence = sequence(text, super::range(inner.span))?;
                let from = sequence.start.checked_sub(range.start)?;
                let to = sequence.end.checked_sub(range.start)?;
                bytes.get_mut(from..to)?.fill(b'1');
            }
            Part::If(_) | Part::For(_) => return None,
        }
    }
    let body = raw.find('\n')? + 1;
    let end = raw.trim_end().rfind('\n')?;
    let mut reader = Reader {
        bytes: bytes.get(..end + 1)?,
        at: body,
        base: range.start,
    };
    let node = reader.value(0)?;
    reader.blanks();
    (reader.at == reader.bytes.len()).then_some(node)
}

/// The bytes of `${…}` around an expression.
fn sequence(text: &str, inner: Range<usize>) -> Option<Range<usize>> {
    let start = text.get(..inner.start)?.rfind("${")?;
    let between = text.get(start + 2..inner.start)?;
    let end = inner.end + text.get(inner.end..)?.find('}')? + 1;
    let behind = text.get(inner.end..end - 1)?;
    let blank = |text: &str| text.trim_matches(['~', ' ', '\t', '\r', '\n']).is_empty();
    (blank(between) && blank(behind)).then_some(start..end)
}

struct Reader<'t> {
    bytes: &'t [u8],
    at: usize,
    base: usize,
}

impl Reader<'_> {
    fn peek(&self) -> u8 {
        self.bytes.get(self.at).copied().unwrap_or(0)
    }

    fn blanks(&mut self) {
        while matches!(self.peek(), b' ' | b'\t' | b'\r' | b'\n') {
            self.at += 1;
        }
    }

    fn take(&mut self, wanted: u8) -> Option<()> {
        self.blanks();
        (self.peek() == wanted).then(|| self.at += 1)
    }

    fn node(&self, start: usize, kind: Kind) -> Node {
        Node {
            range: self.base + start..self.base + self.at,
            kind,
        }
    }

    fn value(&mut self, depth: usize) -> Option<Node> {
        if depth > MAX_DEPTH {
            return None;
        }
        self.blanks();
        let start = self.at;
        let kind = match self.peek() {
            b'{' => {
                self.at += 1;
                let mut entries = Vec::new();
                while self.take(b'}').is_none() {
                    if !entries.is_empty() {
                        self.take(b',')?;
                    }
                    self.blanks();
                    let from = self.at;
                    let key = self.string()?;
                    let key_range = self.base + from..self.base + self.at;
                    self.take(b':')?;
                    let value = self.value(depth + 1)?;
                    entries.push(Entry {
                        key,
                        key_range,
                        value,
                    });
                }
                Kind::Map(entries)
            }
            b'[' => {
                self.at += 1;
                let mut items = Vec::new();
                while self.take(b']').is_none() {
                    if !items.is_empty() {
                        self.take(b',')?;
                    }
                    items.push(self.value(depth + 1)?);
                }
                Kind::List(items)
            }
            b'"' => {
                self.string()?;
                Kind::Leaf
            }
            byte if byte.is_ascii_alphanumeric() || byte == b'-' => {
                let word = |byte: u8| byte.is_ascii_alphanumeric() || b"+-.".contains(&byte);
                while word(self.peek()) {
                    self.at += 1;
                }
                Kind::Leaf
            }
            _ => return None,
        };
        Some(self.node(start, kind))
    }

    /// A string; the text is that of keys, which have no escapes.
    fn string(&mut self) -> Option<String> {
        if self.peek() != b'"' {
            return None;
        }
        let start = self.at + 1;
        self.at = start;
        loop {
            match self.peek() {
                0 | b'\n' => return None,
                b'\\' => self.at += 2,
                b'"' => break,
                _ => self.at += 1,
            }
        }
        let text = self.bytes.get(start..self.at)?;
        self.at += 1;
        Some(String::from_utf8_lossy(text).into_owned())
    }
}
