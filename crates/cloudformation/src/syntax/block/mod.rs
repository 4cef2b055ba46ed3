//! The YAML that templates are made of, read in one pass over the bytes.
//!
//! Block and flow collections, plain, quoted and block scalars, tags and comments, in the plain
//! forms that people and tools write. Not for all of YAML: whatever is unusual (anchors, directives,
//! tabs, explicit keys, odd folds) and whatever is wrong is left to the full parser, which alone
//! reports errors. Invariant: what this gives is what the full parser gives, spans and comments
//! included.

mod flow;
mod scalar;

use super::MAX_DEPTH;
use super::tree::{self, Entry, Kind, Node, Parsed, Scalar, Style, Tag};
use overgrant_source::{Comment, Diagnostic, Level, SourceFile, Span};
use std::ops::Range;
use std::sync::Arc;

/// Longer texts could pass the limit of nodes, which only the full parser watches.
const MOST_BYTES: usize = 1_000_000;

/// Reads `text`, which is that of `file` without its byte order mark; `None` where the full parser
/// has to.
pub(super) fn read(file: &SourceFile, text: &str) -> Option<Parsed> {
    if text.len() > MOST_BYTES || !is_ordinary(text) {
        return None;
    }
    let mut reader = Reader {
        file,
        text,
        bytes: text.as_bytes(),
        shift: file.text().len() - text.len(),
        at: 0,
        line: 0,
        comments: Vec::new(),
        diagnostics: Vec::new(),
        entries: Vec::new(),
        items: Vec::new(),
    };
    let root = reader.document()?;
    Some(Parsed {
        root: Arc::new(root),
        comments: reader.comments,
        diagnostics: reader.diagnostics,
    })
}

/// Whether the text has none of the characters that YAML forbids or breaks lines at.
fn is_ordinary(text: &str) -> bool {
    let bytes = text.as_bytes();
    let plain = |byte: &u8| matches!(byte, b' '..=b'~' | b'\n' | b'\r');
    let ordinary = bytes.iter().all(plain)
        || text.chars().all(|c| match c {
            ' '..='~' | '\n' | '\r' | '\t' => true,
            '\u{a0}'..='\u{fdff}' => !matches!(c, '\u{2028}' | '\u{2029}'),
            '\u{10000}'.. => true,
            _ => false,
        });
    // A carriage return breaks a line too, but only before a line feed here.
    let alone = |pair: &[u8]| matches!(pair, [b'\r', next] if *next != b'\n');
    ordinary && (!bytes.contains(&b'\r') || !bytes.ends_with(b"\r") && !bytes.windows(2).any(alone))
}

struct Reader<'a> {
    file: &'a SourceFile,
    text: &'a str,
    bytes: &'a [u8],
    /// Bytes of the byte order mark in front of `text`.
    shift: usize,
    at: usize,
    /// Where the line of `at` begins.
    line: usize,
    comments: Vec<Comment>,
    diagnostics: Vec<Diagnostic>,
    /// Entries and items of the collections that are still open, the innermost last.
    entries: Vec<Entry>,
    items: Vec<Arc<Node>>,
}

/// What stands after a scalar on a line.
#[derive(PartialEq, Eq)]
enum After {
    Key,
    Value,
}

impl<'a> Reader<'a> {
    fn span(&self, range: Range<usize>) -> Span {
        tree::span(self.file.id(), self.shift, range)
    }

    fn byte(&self, at: usize) -> Option<u8> {
        self.bytes.get(at).copied()
    }

    fn peek(&self) -> Option<u8> {
        self.byte(self.at)
    }

    fn slice(&self, range: Range<usize>) -> Option<&'a str> {
        self.text.get(range)
    }

    fn column(&self) -> usize {
        self.at - self.line
    }

    /// Whether a blank, a line's end or the text's end stands at `at`.
    fn is_gap(&self, at: usize) -> bool {
        matches!(self.byte(at), None | Some(b' ' | b'\n' | b'\r'))
    }

    fn spaces(&mut self) {
        while self.peek() == Some(b' ') {
            self.at += 1;
        }
    }

    /// Skips blanks, comments and line ends.
    fn gap(&mut self) -> Option<()> {
        loop {
            self.spaces();
            match self.peek() {
                Some(b'\n') => {
                    self.at += 1;
                    self.line = self.at;
                }
                Some(b'\r') => self.at += 1,
                Some(b'#') => self.comment()?,
                Some(b'\t') => return None,
                _ => return Some(()),
            }
        }
    }

    fn comment(&mut self) -> Option<()> {
        let start = self.at;
        let before = self.slice(self.line..start)?;
        if !before.is_empty() && !before.ends_with(' ') {
            return None;
        }
        let rest = self.text.get(start..)?;
        let len = rest.find(['\r', '\n']).unwrap_or(rest.len());
        self.at = start + len;
        self.comments.push(Comment {
            span: self.span(start..self.at),
            text: self.slice(start + 1..self.at)?.trim().into(),
            trailing: !before.trim().is_empty(),
        });
        Some(())
    }

    /// The rest of a line after a value: nothing, or a comment.
    fn line_end(&mut self) -> Option<()> {
        let start = self.at;
        self.spaces();
        match self.peek() {
            None | Some(b'\n' | b'\r') => Some(()),
            Some(b'#') if self.at > start => self.comment(),
            _ => None,
        }
    }

    fn document(&mut self) -> Option<Node> {
        self.gap()?;
        if self.text.get(self.at..)?.starts_with("---") && self.column() == 0 {
            self.at += 3;
            self.line_end()?;
            self.gap()?;
        }
        self.peek()?;
        if self.column() != 0 {
            return None;
        }
        let root = self.fresh(None, 0)?;
        self.gap()?;
        let whole = self.at == self.bytes.len() && root.scalar().is_none();
        whole.then_some(root)
    }

    /// Whether a document's mark stands here, which ends everything.
    fn at_mark(&self) -> bool {
        self.column() == 0 && self.is_mark(self.at)
    }

    /// Whether the line that begins at `at` begins like a document's mark.
    fn is_mark(&self, at: usize) -> bool {
        let rest = self.text.get(at..);
        rest.is_some_and(|rest| rest.starts_with("---") || rest.starts_with("..."))
    }

    fn is_item(&self) -> bool {
        self.peek() == Some(b'-') && self.is_gap(self.at + 1)
    }

    /// A node whose first byte is here, with nothing but blanks or `- ` before it on its line;
    /// `parent` is the column of the collection around it.
    fn fresh(&mut self, parent: Option<usize>, depth: usize) -> Option<Node> {
        if depth + 1 >= MAX_DEPTH || self.at_mark() {
            return None;
        }
        match self.peek()? {
            _ if self.is_item() => self.sequence(depth),
            b'!' | b'[' | b'{' | b'|' | b'>' => self.inline(parent, false, depth),
            _ => {
                let (start, column) = (self.at, self.column());
                match self.scalar(parent)? {
                    (node, After::Value) => {
                        self.line_end()?;
                        Some(node)
                    }
                    (key, After::Key) => self.mapping(key, start, column, depth),
                }
            }
        }
    }

    /// A plain or quoted scalar of a block collection. `at` is left at its end, or at the colon where
    /// it is a key.
    fn scalar(&mut self, parent: Option<usize>) -> Option<(Node, After)> {
        let (start, line) = (self.at, self.line);
        let scalar = match self.peek()? {
            b'"' | b'\'' => self.quoted(parent)?,
            _ => self.plain(parent)?,
        };
        let end = self.at;
        let mut at = end;
        while self.byte(at) == Some(b' ') {
            at += 1;
        }
        let after = if self.byte(at) == Some(b':') {
            if !self.is_gap(at + 1) || self.line != line {
                return None;
            }
            self.at = at;
            After::Key
        } else {
            After::Value
        };
        let node = Node {
            kind: Kind::Scalar(scalar),
            tag: None,
            span: self.span(start..end),
        };
        Some((node, after))
    }

    /// A mapping whose first key has been read and whose colon stands here.
    fn mapping(&mut self, first: Node, start: usize, column: usize, depth: usize) -> Option<Node> {
        let mark = self.entries.len();
        let mut key = first;
        let mut span = self.span(start..start);
        loop {
            let key_text = key.scalar()?.text.clone();
            // A merge key.
            if key_text == "<<" {
                return None;
            }
            let value = self.value(column, depth + 1)?;
            span = span.to(key.span);
            let value_span = value.full_span();
            if value_span.start >= key.span.end && !value_span.is_empty() {
                span = span.to(value_span);
            }
            self.entries.push(Entry {
                key: key_text,
                key_span: key.span,
                value: Arc::new(value),
                merged: false,
            });
            self.gap()?;
            if self.peek().is_none() || self.column() < column {
                break;
            }
            if self.column() > column || self.line + column != self.at || self.at_mark() {
                return None;
            }
            if self.is_item() {
                return None;
            }
            let (next, After::Key) = self.scalar(Some(column))? else {
                return None;
            };
            key = next;
        }
        let entries: Vec<Entry> = self.entries.drain(mark..).collect();
        for (key, at) in tree::duplicates(&entries) {
            self.diagnostics
                .push(duplicate(key, "mapping").at(self.file, at));
        }
        Some(Node {
            kind: Kind::Map(entries),
            tag: None,
            span,
        })
    }

    fn sequence(&mut self, depth: usize) -> Option<Node> {
        let column = self.column();
        let mut span = self.span(self.at..self.at);
        let mark = self.items.len();
        while self.is_item() {
            self.at += 1;
            self.spaces();
            let item = match self.peek() {
                Some(b'#') => return None,
                None | Some(b'\n' | b'\r') => {
                    self.gap()?;
                    // An item without anything is rare.
                    if self.peek().is_none() || self.column() <= column {
                        return None;
                    }
                    self.fresh(Some(column), depth + 1)?
                }
                // Rare, and its place is hard to tell from that of the outer sequence.
                Some(b'-') if self.items.len() == mark => return None,
                Some(_) => self.fresh(Some(column), depth + 1)?,
            };
            span = span.to(item.full_span());
            self.items.push(Arc::new(item));
            self.gap()?;
            if self.peek().is_none() || self.column() < column {
                break;
            }
            if self.column() > column || self.at_mark() {
                return None;
            }
        }
        Some(Node {
            kind: Kind::Seq(self.items.drain(mark..).collect()),
            tag: None,
            span,
        })
    }

    /// The value of an entry, from its colon on; `column` is the mapping's.
    fn value(&mut self, column: usize, depth: usize) -> Option<Node> {
        let colon = self.at;
        self.at += 1;
        self.spaces();
        match self.peek() {
            None | Some(b'\n' | b'\r' | b'#') => self.below(column, true, colon, depth),
            Some(_) => self.inline(Some(column), true, depth),
        }
    }

    /// The node on the lines below, or nothing.
    fn below(&mut self, column: usize, entry: bool, end: usize, depth: usize) -> Option<Node> {
        self.gap()?;
        if self.peek().is_some() && !self.at_mark() {
            let here = self.column();
            if here > column || here == column && entry && self.is_item() {
                return self.fresh(Some(column), depth);
            }
        }
        Some(self.nothing(end))
    }

    /// The empty node behind a colon at `at`.
    fn nothing(&self, at: usize) -> Node {
        let span = self.span(at..at);
        let scalar = Scalar::placed("~".into(), Style::Plain, span, false);
        Node {
            kind: Kind::Scalar(scalar),
            tag: None,
            span,
        }
    }

    /// A value that begins on the line of its key, dash or tag.
    fn inline(&mut self, parent: Option<usize>, entry: bool, depth: usize) -> Option<Node> {
        if depth + 1 >= MAX_DEPTH {
            return None;
        }
        match self.peek()? {
            b'!' => {
                let tag = self.tag()?;
                let end = self.at;
                self.spaces();
                let mut node = match self.peek() {
                    None | Some(b'\n' | b'\r' | b'#') => self.below(parent?, entry, end, depth)?,
                    Some(b'!') => return None,
                    Some(_) => self.inline(parent, entry, depth)?,
                };
                if node.tag.is_some() {
                    return None;
                }
                // Behind a tag, nothing is an empty text.
                if node.span.is_empty() {
                    let span = self.span(end..end);
                    node.span = span;
                    node.kind = Kind::Scalar(Scalar::exact("".into(), Style::Plain, span));
                }
                node.tag = Some(Box::new(tag));
                Some(node)
            }
            b'[' | b'{' => {
                let node = self.flow(parent, depth)?;
                self.line_end()?;
                Some(node)
            }
            b'|' => self.literal(parent, Style::Literal),
            b'>' => self.literal(parent, Style::Folded),
            _ => {
                let (node, After::Value) = self.scalar(parent)? else {
                    return None;
                };
                self.line_end()?;
                Some(node)
            }
        }
    }

    fn tag(&mut self) -> Option<Tag> {
        let start = self.at;
        self.at += 1;
        while matches!(
            self.peek(),
            Some(b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b':')
        ) {
            self.at += 1;
        }
        let name = self.slice(start + 1..self.at)?;
        if name.is_empty() || !self.is_gap(self.at) {
            return None;
        }
        Some(Tag {
            name: name.into(),
            span: self.span(start..self.at),
        })
    }
}

/// The warning about a key that stands twice in a collection.
pub(super) fn duplicate(key: &str, collection: &str) -> Diagnostic {
    Diagnostic::new(
        Level::Warning,
        "duplicate-key",
        format!("`{key}` stands twice in one {collection}, and only the last counts; remove one"),
    )
}

#[cfg(test)]
mod tests;
