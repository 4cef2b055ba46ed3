//! The spanned tree that both notations end in.
//!
//! Not for values: a scalar is its text, and what `012345678901`, `yes` or `2012-10-17` mean is
//! decided by the property they stand in. Invariant: a node's span covers its own bytes (tag, colon
//! and following blanks excluded); aliases share the node they name.

use overgrant_source::{Comment, Diagnostic, FileId, Span};
use overgrant_value::{Seg, Segs};
use smol_str::SmolStr;
use std::ops::Range;
use std::sync::Arc;

/// One node of a template.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Node {
    /// What it is.
    pub kind: Kind,
    /// Its tag, if it has one of its own (`!Sub`); tags of the core schema (`!!str`) are dropped.
    /// Boxed, as few nodes have one.
    pub tag: Option<Box<Tag>>,
    /// Its own bytes: quotes of a quoted scalar included, the sign of a block scalar not.
    pub span: Span,
}

/// The three kinds of nodes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Kind {
    /// A scalar: string, number, boolean or null, told apart by its style and text.
    Scalar(Scalar),
    /// A sequence.
    Seq(Vec<Arc<Node>>),
    /// A mapping: entries in source order, duplicates kept.
    Map(Vec<Entry>),
}

/// One entry of a mapping.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// The key's text.
    pub key: SmolStr,
    /// The key's bytes, quotes included.
    pub key_span: Span,
    /// The value.
    pub value: Arc<Node>,
    /// Whether it came in through a YAML merge key (`<<`).
    pub merged: bool,
}

/// An application tag.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tag {
    /// The name without its `!`.
    pub name: SmolStr,
    /// The tag's bytes.
    pub span: Span,
}

/// How a scalar was written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Style {
    /// Without quotes; in JSON a number, `true`, `false` or `null`.
    Plain,
    /// In single quotes.
    Single,
    /// In double quotes.
    Double,
    /// A `|` block.
    Literal,
    /// A `>` block.
    Folded,
}

impl Style {
    /// Whether it is a `|` or `>` block.
    #[must_use]
    pub fn is_block(self) -> bool {
        matches!(self, Self::Literal | Self::Folded)
    }
}

/// A scalar's value and where each part of it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Scalar {
    /// The value: escapes decoded, lines folded, indentation removed; never typed.
    pub text: SmolStr,
    /// How it was written.
    pub style: Style,
    /// Where the value's parts stand, covering all of it without gaps.
    pub places: Segs,
}

/// What a parser gives back for a file it could read.
#[derive(Debug, Clone)]
pub struct Parsed {
    /// The root node.
    pub root: Arc<Node>,
    /// All comments, in source order.
    pub comments: Vec<Comment>,
    /// Problems that did not lose the file.
    pub diagnostics: Vec<Diagnostic>,
}

impl Node {
    /// The scalar, tagged or not.
    #[must_use]
    pub fn scalar(&self) -> Option<&Scalar> {
        match &self.kind {
            Kind::Scalar(scalar) => Some(scalar),
            Kind::Seq(_) | Kind::Map(_) => None,
        }
    }

    /// The text of a scalar without a tag.
    #[must_use]
    pub fn text(&self) -> Option<&str> {
        match (&self.kind, &self.tag) {
            (Kind::Scalar(scalar), None) => Some(&scalar.text),
            _ => None,
        }
    }

    /// The entries of a mapping; empty for the other kinds.
    #[must_use]
    pub fn entries(&self) -> &[Entry] {
        match &self.kind {
            Kind::Map(entries) => entries,
            Kind::Scalar(_) | Kind::Seq(_) => &[],
        }
    }

    /// The items of a sequence; empty for the other kinds.
    #[must_use]
    pub fn items(&self) -> &[Arc<Self>] {
        match &self.kind {
            Kind::Seq(items) => items,
            Kind::Scalar(_) | Kind::Map(_) => &[],
        }
    }

    /// The last entry named `key`, which is the one CloudFormation's parsers keep.
    #[must_use]
    pub fn entry(&self, key: &str) -> Option<&Entry> {
        self.entries().iter().rev().find(|entry| entry.key == key)
    }

    /// The value of [`Self::entry`].
    #[must_use]
    pub fn get(&self, key: &str) -> Option<&Arc<Self>> {
        self.entry(key).map(|entry| &entry.value)
    }

    /// Whether it is an untagged, unquoted null: nothing, `~`, `null`.
    #[must_use]
    pub fn is_null(&self) -> bool {
        self.tag.is_none()
            && self.scalar().is_some_and(|scalar| {
                scalar.style == Style::Plain
                    && matches!(&*scalar.text, "" | "~" | "null" | "Null" | "NULL")
            })
    }

    /// The bytes of the tag and the node together.
    #[must_use]
    pub fn full_span(&self) -> Span {
        match &self.tag {
            Some(tag) => tag.span.to(self.span),
            None => self.span,
        }
    }
}

impl Scalar {
    /// A scalar whose value stands as it is in the source, byte for byte, at `span`.
    #[must_use]
    pub fn exact(text: SmolStr, style: Style, span: Span) -> Self {
        Self::placed(text, style, span, true)
    }

    /// A scalar that comes from `span` as a whole; see [`Seg::exact`].
    #[must_use]
    pub fn placed(text: SmolStr, style: Style, span: Span, exact: bool) -> Self {
        let places = if text.is_empty() {
            Segs::none()
        } else {
            Segs::whole(span, exact)
        };
        Self {
            text,
            style,
            places,
        }
    }

    /// The value's parts in order, covering all of it without gaps.
    pub fn segments(&self) -> impl DoubleEndedIterator<Item = Seg> + '_ {
        self.places.iter(self.text.len())
    }

    /// From the first to the last part that agrees with the source byte for byte.
    pub(super) fn exact_span(&self) -> Option<Span> {
        let mut exact = self.segments().filter(|segment| segment.exact);
        let first = exact.next()?.span;
        Some(exact.next_back().map_or(first, |last| first.to(last.span)))
    }

    /// The smallest span that covers the value's bytes `range`; `None` where the range is empty or
    /// lies outside the value.
    #[must_use]
    pub fn span_of(&self, range: Range<usize>) -> Option<Span> {
        let (from, to) = (clamp(range.start), clamp(range.end));
        let mut found: Option<Span> = None;
        for segment in self.segments() {
            let (start, end) = (segment.at, segment.at.saturating_add(segment.len));
            if end <= from || start >= to {
                continue;
            }
            let part = if segment.exact {
                let first = segment.span.start + from.saturating_sub(start);
                let last = segment.span.start + (to.min(end) - start);
                Span::new(segment.span.file, first, last)
            } else {
                segment.span
            };
            found = Some(found.map_or(part, |span| span.to(part)));
        }
        found
    }
}

/// A `usize` offset as the `u32` that spans hold.
pub(super) fn clamp(n: usize) -> u32 {
    u32::try_from(n).unwrap_or(u32::MAX)
}

/// A span over `range` shifted by `shift` bytes.
pub(super) fn span(file: FileId, shift: usize, range: Range<usize>) -> Span {
    Span::of_range(file, range.start + shift..range.end + shift)
}

/// The keys that occur more than once, with the span of each later one.
pub(super) fn duplicates(entries: &[Entry]) -> Vec<(&SmolStr, Span)> {
    const SMALL: usize = 12;
    if entries.len() <= SMALL {
        let mut found = Vec::new();
        for (index, entry) in entries.iter().enumerate() {
            if entries.iter().take(index).any(|e| e.key == entry.key) {
                found.push((&entry.key, entry.key_span));
            }
        }
        return found;
    }
    let mut seen = std::collections::HashSet::with_capacity(entries.len());
    entries
        .iter()
        .filter(|entry| !seen.insert(&entry.key))
        .map(|entry| (&entry.key, entry.key_span))
        .collect()
}
