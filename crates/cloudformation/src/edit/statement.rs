//! A statement more in a policy document.
//!
//! Not for what it says. Invariant: it is written as the statements before it, one that stood alone
//! becomes the first of a list.

use super::tree::{Tree, block, flow, is_flow};
use super::word;
use super::{line_before, line_end, map_at, sound};
use crate::syntax::{Node, Template};
use overgrant_source::{Draft, SourceFile, Span, TextEdit};

/// Adds a statement behind the others of the document at `document` (the document's own bytes).
#[must_use]
pub fn append_statement(template: &Template, document: Span, draft: &Draft) -> Option<TextEdit> {
    let file = &template.file;
    let list = map_at(&template.root, document)?.get("Statement")?;
    let mut members = Vec::new();
    for (name, values) in &draft.elements {
        members.push((*name, word::leaf(template, values)?));
    }
    if let Some((operator, key, value)) = draft.condition {
        let test = Tree::entry(operator, Tree::entry(key, Tree::Text(value)));
        members.push(("Condition", test));
    }
    let statement = Tree::Map(members);
    let edit = match list.items() {
        [] if list.entries().is_empty() || list.tag.is_some() => return None,
        [] => beside_single(file, list, &statement)?,
        [.., last] => {
            let last = last.full_span();
            let line = line_before(file, last)?;
            let end = last.end as usize;
            let (end, text) = if is_flow(file, list) {
                let text = match line.trim() {
                    "" => format!(",\n{line}{}", flow(&statement)),
                    _ => format!(", {}", flow(&statement)),
                };
                (end, text)
            } else {
                (line.trim() == "-").then_some(())?;
                let text = format!("\n{line}{}", statement_block(&statement, line)?);
                (line_end(file, end)?, text)
            };
            TextEdit {
                span: file.span(end..end),
                text,
            }
        }
    };
    sound(template, edit)
}

/// A statement as lines below its first one, which begins in the column behind `line`.
fn statement_block(statement: &Tree<'_>, line: &str) -> Option<String> {
    let Tree::Map(members) = statement else {
        return None;
    };
    let indent = " ".repeat(line.chars().count());
    let mut out = String::new();
    for (index, (name, value)) in members.iter().enumerate() {
        if index > 0 {
            out.push_str(&format!("\n{indent}"));
        }
        out.push_str(name);
        out.push(':');
        match value {
            Tree::Map(_) => block(value, &indent, &mut out),
            value => {
                out.push(' ');
                out.push_str(&flow(value));
            }
        }
    }
    Some(out)
}

/// A statement that stands alone becomes the first of a list.
fn beside_single(file: &SourceFile, single: &Node, statement: &Tree<'_>) -> Option<TextEdit> {
    let mut span = single.span;
    let text = if is_flow(file, single) {
        format!("[{}, {}]", file.slice(span), flow(statement))
    } else {
        span = file.span(span.start as usize..line_end(file, span.end as usize)?);
        let indent = line_before(file, single.span)?;
        (indent.trim().is_empty() && !indent.is_empty()).then_some(())?;
        let own = file.slice(span).replace('\n', "\n  ");
        let line = format!("{indent}- ");
        format!("- {own}\n{line}{}", statement_block(statement, &line)?)
    };
    Some(TextEdit { span, text })
}
