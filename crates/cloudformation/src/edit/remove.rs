//! What goes out of a template: an item of a list, an output.
//!
//! Not for what comes in its place. Invariant: what belongs to it goes too (its line, its comma, the
//! section that it alone was), and nothing else.

use super::tree::is_flow;
use super::{item_at, sound};
use crate::syntax::{Entry, Template};
use overgrant_source::{Span, TextEdit};

/// Removes what stands at `span` with what belongs to it: the output that holds it, or the item of a
/// list. Nothing where the item is the only one.
#[must_use]
pub fn remove(template: &Template, span: Span) -> Option<TextEdit> {
    let edit = remove_output(template, span).or_else(|| remove_item(template, span));
    sound(template, edit?)
}

/// Removes the output that holds `span`, with the section where it is the only one.
fn remove_output(template: &Template, span: Span) -> Option<TextEdit> {
    let file = &template.file;
    let section = template.root.entry("Outputs")?;
    let entries = section.value.entries();
    let is = |entry: &Entry| whole(entry).contains(span);
    let index = entries.iter().position(is)?;
    let (map, index) = match entries.len() {
        1 => {
            let sections = template.root.entries();
            let at = sections.iter().position(|entry| entry.key == "Outputs")?;
            (&template.root, at)
        }
        _ => (&section.value, index),
    };
    let entries = map.entries();
    let own = whole(entries.get(index)?);
    let text = file.text();
    let span = if is_flow(file, map) {
        match (
            entries.get(index + 1),
            index.checked_sub(1).and_then(|at| entries.get(at)),
        ) {
            (_, Some(before)) => Span::new(own.file, whole(before).end, own.end),
            (Some(next), None) => Span::new(own.file, own.start, next.key_span.start),
            (None, None) => return None,
        }
    } else {
        let start = text.get(..own.start as usize)?.rfind('\n')? + 1;
        text.get(start..own.start as usize)?
            .trim()
            .is_empty()
            .then_some(())?;
        let end = text
            .get(own.end as usize..)?
            .find('\n')
            .map_or(text.len(), |at| own.end as usize + at + 1);
        file.span(start..end)
    };
    Some(TextEdit {
        span,
        text: String::new(),
    })
}

/// Key and value of an entry.
fn whole(entry: &Entry) -> Span {
    entry.key_span.to(entry.value.full_span())
}

fn remove_item(template: &Template, span: Span) -> Option<TextEdit> {
    let (list, index) = item_at(&template.root, span)?;
    let file = &template.file;
    let items = list.items();
    if items.len() < 2 {
        return None;
    }
    if is_flow(file, list) {
        let own = items.get(index)?.full_span();
        let span = match items.get(index + 1) {
            Some(next) => Span::new(own.file, own.start, next.full_span().start),
            None => {
                let before = items.get(index.checked_sub(1)?)?.full_span();
                Span::new(own.file, before.end, own.end)
            }
        };
        return Some(TextEdit {
            span,
            text: String::new(),
        });
    }
    // A block item: from its line's start to the start of the line behind it.
    let own = items.get(index)?.full_span();
    let text = file.text();
    let start = text
        .get(..own.start as usize)?
        .rfind('\n')
        .map_or(0, |at| at + 1);
    let dash = text.get(start..own.start as usize)?;
    if dash.trim() != "-" {
        return None;
    }
    let end = match text.get(own.end as usize..)?.find('\n') {
        Some(at) => own.end as usize + at + 1,
        None => text.len(),
    };
    Some(TextEdit {
        span: file.span(start..end),
        text: String::new(),
    })
}
