//! Collections in brackets, over one or several lines.
//!
//! Not for pairs without braces, nor keys without values. Invariant: as in `scalar`.

use super::super::MAX_DEPTH;
use super::super::tree::{self, Entry, Kind, Node, Scalar, Style};
use super::scalar::starts_plain;
use super::{Reader, duplicate};
use overgrant_source::Span;
use smol_str::SmolStr;
use std::sync::Arc;

impl Reader<'_> {
    /// Blanks and line ends inside brackets, whose lines must be indented.
    fn flow_gap(&mut self, parent: Option<usize>) -> Option<()> {
        loop {
            self.spaces();
            match self.peek()? {
                b'\n' => {
                    self.at += 1;
                    self.line = self.at;
                }
                b'\r' => self.at += 1,
                b'#' => self.comment()?,
                b'\t' => return None,
                byte => {
                    let least = parent.map_or(0, |parent| {
                        parent + usize::from(!matches!(byte, b']' | b'}'))
                    });
                    return (self.column() >= least).then_some(());
                }
            }
        }
    }

    pub(super) fn flow(&mut self, parent: Option<usize>, depth: usize) -> Option<Node> {
        if depth + 1 >= MAX_DEPTH {
            return None;
        }
        let start = self.at;
        let open = self.peek()?;
        self.at += 1;
        let (first_item, first_entry) = (self.items.len(), self.entries.len());
        loop {
            self.flow_gap(parent)?;
            let close = if open == b'[' { b']' } else { b'}' };
            if self.peek()? == close {
                self.at += 1;
                break;
            }
            if open == b'[' {
                let item = Arc::new(self.flow_node(parent, depth + 1)?);
                self.items.push(item);
            } else {
                let key = self.flow_key(parent)?;
                self.flow_gap(parent)?;
                let value = Arc::new(self.flow_node(parent, depth + 1)?);
                self.entries.push(Entry {
                    key: key.0,
                    key_span: key.1,
                    value,
                    merged: false,
                });
            }
            self.flow_gap(parent)?;
            match self.peek()? {
                b',' => self.at += 1,
                byte if byte == close => {}
                _ => return None,
            }
        }
        let kind = if open == b'[' {
            Kind::Seq(self.items.drain(first_item..).collect())
        } else {
            let entries: Vec<Entry> = self.entries.drain(first_entry..).collect();
            for (key, at) in tree::duplicates(&entries) {
                self.diagnostics
                    .push(duplicate(key, "mapping").at(self.file, at));
            }
            Kind::Map(entries)
        };
        Some(Node {
            kind,
            tag: None,
            span: self.span(start..self.at),
        })
    }

    /// A key in braces with its colon.
    fn flow_key(&mut self, parent: Option<usize>) -> Option<(SmolStr, Span)> {
        let start = self.at;
        let scalar = match self.peek()? {
            b'"' | b'\'' => self.quoted(parent)?,
            _ => self.flow_plain()?,
        };
        let span = self.span(start..self.at);
        if self.peek()? != b':' || !self.is_gap(self.at + 1) || scalar.text == "<<" {
            return None;
        }
        self.at += 1;
        Some((scalar.text, span))
    }

    fn flow_node(&mut self, parent: Option<usize>, depth: usize) -> Option<Node> {
        let tag = if self.peek()? == b'!' {
            let tag = self.tag()?;
            self.flow_gap(parent)?;
            Some(tag)
        } else {
            None
        };
        let start = self.at;
        let mut node = match self.peek()? {
            b'[' | b'{' => self.flow(parent, depth)?,
            byte => {
                let scalar = if matches!(byte, b'"' | b'\'') {
                    self.quoted(parent)?
                } else {
                    self.flow_plain()?
                };
                let span = self.span(start..self.at);
                self.spaces();
                // A pair without braces.
                if self.peek() == Some(b':') {
                    return None;
                }
                Node {
                    kind: Kind::Scalar(scalar),
                    tag: None,
                    span,
                }
            }
        };
        node.tag = tag.map(Box::new);
        Some(node)
    }

    /// A plain scalar in brackets, on one line.
    fn flow_plain(&mut self) -> Option<Scalar> {
        let start = self.at;
        if !starts_plain(self.peek()?, self.byte(start + 1), true) {
            return None;
        }
        let (mut at, mut end) = (start, start);
        loop {
            match self.byte(at)? {
                b',' | b'[' | b']' | b'{' | b'}' | b'\n' | b'\r' => break,
                b'\t' => return None,
                b' ' => at += 1,
                b'#' if at > end => return None,
                b':' if self.is_gap(at + 1)
                    || matches!(self.byte(at + 1), Some(b',' | b'[' | b']' | b'{' | b'}')) =>
                {
                    if at != end {
                        return None;
                    }
                    break;
                }
                _ => {
                    at += 1;
                    end = at;
                }
            }
        }
        self.at = end;
        self.exact(start..end, Style::Plain)
    }
}
