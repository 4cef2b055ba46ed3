//! Nodes that no template wrote: what transforms add, with the place that made them add it.
//!
//! Not for parsed nodes. Invariant: every made scalar's segment is inexact, so that nothing ever
//! claims that its text stands in the source.

use super::tree::{Entry, Kind, Node, Scalar, Style, Tag};
use overgrant_source::Span;
use smol_str::SmolStr;
use std::sync::Arc;

/// A string.
pub(crate) fn text(value: &str, span: Span) -> Arc<Node> {
    node(Kind::Scalar(scalar(value, span)), None, span)
}

fn scalar(value: &str, span: Span) -> Scalar {
    Scalar::placed(SmolStr::from(value), Style::Double, span, false)
}

/// A bare word: `true`, a number.
pub(crate) fn word(value: &str, span: Span) -> Arc<Node> {
    let mut scalar = scalar(value, span);
    scalar.style = Style::Plain;
    node(Kind::Scalar(scalar), None, span)
}

/// A sequence.
pub(crate) fn seq(items: Vec<Arc<Node>>, span: Span) -> Arc<Node> {
    node(Kind::Seq(items), None, span)
}

/// A sequence of strings.
pub(crate) fn texts<'a>(items: impl IntoIterator<Item = &'a str>, span: Span) -> Arc<Node> {
    seq(
        items.into_iter().map(|item| text(item, span)).collect(),
        span,
    )
}

/// One entry.
pub(crate) fn entry(key: &str, value: Arc<Node>, span: Span) -> Entry {
    Entry {
        key: key.into(),
        key_span: span,
        value,
        merged: false,
    }
}

/// A mapping; every key stands at `span`.
pub(crate) fn map<'a>(
    entries: impl IntoIterator<Item = (&'a str, Arc<Node>)>,
    span: Span,
) -> Arc<Node> {
    let entries = entries
        .into_iter()
        .map(|(key, value)| entry(key, value, span))
        .collect();
    node(Kind::Map(entries), None, span)
}

/// A mapping with these entries.
pub(crate) fn map_of(entries: Vec<Entry>, span: Span) -> Arc<Node> {
    node(Kind::Map(entries), None, span)
}

/// A call in short form: `!Sub text`, `!GetAtt [a, b]`.
pub(crate) fn call(function: &str, argument: &Node, span: Span) -> Arc<Node> {
    node(
        argument.kind.clone(),
        Some(Tag {
            name: function.into(),
            span,
        }),
        span,
    )
}

/// `!Ref name`.
pub(crate) fn reference(name: &str, span: Span) -> Arc<Node> {
    call("Ref", &text(name, span), span)
}

/// `!GetAtt [name, attribute]`.
pub(crate) fn attribute(name: &str, attribute: &str, span: Span) -> Arc<Node> {
    call("GetAtt", &texts([name, attribute], span), span)
}

/// `!Sub template`.
pub(crate) fn sub(template: &str, span: Span) -> Arc<Node> {
    call("Sub", &text(template, span), span)
}

fn node(kind: Kind, tag: Option<Tag>, span: Span) -> Arc<Node> {
    Arc::new(Node {
        kind,
        tag: tag.map(Box::new),
        span,
    })
}
