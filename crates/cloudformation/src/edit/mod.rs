//! Semantic edits as text: what to write into a template so that a statement gets a condition, a
//! property gets a value, an item goes.
//!
//! Not for deciding what to change, nor for writing files. Invariant: an edit is given only where the
//! place is a node of the template itself (not text inside a string), and the changed text still
//! parses; otherwise there is none.

mod remove;
mod statement;
mod tree;
mod word;

use crate::syntax::{Kind, Node, Style, Template, TemplateRead, read};
use overgrant_source::{SourceFile, Span, TextEdit, Word};
pub use remove::remove;
pub use statement::append_statement;
use std::sync::Arc;
use tree::{Tree, flow, insert, insert_first, is_flow, is_json, quoted, scalar};

/// Adds a condition to the statement at `statement` (the statement's own bytes); nothing where the
/// statement already has a condition on that operator and key.
#[must_use]
pub fn add_condition(
    template: &Template,
    statement: Span,
    operator: &str,
    key: &str,
    values: &[String],
) -> Option<TextEdit> {
    let node = map_at(&template.root, statement)?;
    // A transform makes statements of what is none itself.
    let elements = ["Effect", "Action", "NotAction"];
    elements.iter().find(|name| node.get(name).is_some())?;
    let leaf = Tree::texts(values);
    let file = &template.file;
    let edit = match node.get("Condition") {
        None => {
            let inner = Tree::entry(key, leaf);
            insert(file, node, "Condition", &Tree::entry(operator, inner))
        }
        Some(condition) => match condition.get(operator) {
            None => insert(file, condition, operator, &Tree::entry(key, leaf)),
            Some(keys) => {
                let mut known = keys.entries().iter();
                if known.any(|known| known.key.eq_ignore_ascii_case(key)) {
                    return None;
                }
                insert(file, keys, key, &leaf)
            }
        },
    };
    sound(template, edit?)
}

/// Sets the property at `path` (names joined by dots) of the resource at `block` to a literal.
#[must_use]
pub fn set_property(template: &Template, block: Span, path: &str, value: &str) -> Option<TextEdit> {
    let resources = template.root.get("Resources")?;
    let resource = resources
        .entries()
        .iter()
        .find(|entry| entry.key_span == block || entry.key_span.to(entry.value.span) == block)?;
    let file = &template.file;
    let names: Vec<&str> = std::iter::once("Properties")
        .chain(path.split('.'))
        .collect();
    let mut at = &resource.value;
    let mut names = names.as_slice();
    while let [name, rest @ ..] = names {
        let Some(next) = at.get(name) else {
            let tree = rest
                .iter()
                .rev()
                .fold(Tree::Text(value), |tree, name| Tree::entry(name, tree));
            return sound(template, insert(file, at, name, &tree)?);
        };
        at = next;
        names = rest;
    }
    let json = is_flow(file, at) || is_json(file);
    Some(TextEdit {
        span: at.full_span(),
        text: scalar(value, json),
    })
}

/// Adds values behind the one at `beside`: an item of a list, or the only value of an element, which
/// becomes a list.
#[must_use]
pub fn add_items(template: &Template, beside: Span, values: &[Word]) -> Option<TextEdit> {
    let file = &template.file;
    let values = word::words(template, values)?;
    let edit = match item_at(&template.root, beside) {
        Some((list, index)) => {
            let own = list.items().get(index)?.full_span();
            let (between, json) = between(file, list, own)?;
            let end = match json {
                true => own.end as usize,
                false => line_end(file, own.end as usize)?,
            };
            let text = values
                .iter()
                .map(|value| format!("{between}{}", item(value, json)));
            TextEdit {
                span: file.span(end..end),
                text: text.collect(),
            }
        }
        None => {
            let only = value_at(&template.root, beside)?;
            let mut all = vec![in_list(file, only)?];
            all.extend(values.iter().map(flow));
            TextEdit {
                span: only.full_span(),
                text: format!("[{}]", all.join(", ")),
            }
        }
    };
    sound(template, edit)
}

/// Puts values in the place of the one at `item`: an item of a list, or the only value of an element.
#[must_use]
pub fn replace_item(template: &Template, item: Span, values: &[String]) -> Option<TextEdit> {
    let file = &template.file;
    let quote = |value: &String| quoted(value);
    let all: Vec<String> = values.iter().map(quote).collect();
    let (span, text) = match item_at(&template.root, item) {
        Some((list, index)) => {
            let own = list.items().get(index)?.full_span();
            (own, all.join(&between(file, list, own)?.0))
        }
        None => {
            let only = value_at(&template.root, item)?;
            (only.full_span(), format!("[{}]", all.join(", ")))
        }
    };
    sound(template, TextEdit { span, text })
}

/// Puts other words in the place of a part of the scalar at `span`, wherever it stands in it.
#[must_use]
pub fn replace_part(template: &Template, span: Span, from: &str, to: &str) -> Option<TextEdit> {
    let (node, substituted) = scalar_at(&template.root, span, false)?;
    let file = &template.file;
    let to = match substituted {
        true => to.replace("${", "${!"),
        false => to.to_owned(),
    };
    let written = file.slice(node.span);
    let text = written.replace(from, &to);
    let braces = node.scalar()?.style == Style::Plain && text.contains(['{', '}']);
    let text = match braces {
        // Braces mean something to YAML outside quotes.
        true => quoted(&text),
        false => text,
    };
    (written != text).then(|| {
        sound(
            template,
            TextEdit {
                span: node.span,
                text,
            },
        )
    })?
}

/// Adds an element in front of the others of the document at `document`.
#[must_use]
pub fn add_element(
    template: &Template,
    document: Span,
    name: &str,
    value: &str,
) -> Option<TextEdit> {
    let map = map_at(&template.root, document)?;
    // A transform makes documents of what is none itself.
    map.get("Statement")?;
    sound(template, insert_first(&template.file, map, name, value)?)
}

/// Adds a resource behind the others; nothing where the template has one of that name.
#[must_use]
pub fn add_resource(
    template: &Template,
    kind: &str,
    name: &str,
    properties: &[(&str, &str)],
) -> Option<TextEdit> {
    let resources = template.root.get("Resources")?;
    if resources.get(name).is_some() {
        return None;
    }
    let properties = properties.iter();
    let properties = properties.map(|(name, value)| (*name, Tree::Text(value)));
    let kind = match is_json(&template.file) {
        true => Tree::Text(kind),
        // As everybody writes types.
        false => Tree::Written(kind.to_owned()),
    };
    let resource = vec![
        ("Type", kind),
        ("Properties", Tree::Map(properties.collect())),
    ];
    let edit = insert(&template.file, resources, name, &Tree::Map(resource));
    sound(template, edit?)
}

/// The edit, if the text is still a template with it; lines end as those of the file.
fn sound(template: &Template, mut edit: TextEdit) -> Option<TextEdit> {
    let file = &template.file;
    if file.text().contains("\r\n") {
        edit.text = edit.text.replace("\r\n", "\n").replace('\n', "\r\n");
    }
    let mut text = file.text().to_owned();
    text.replace_range(edit.span.range(), &edit.text);
    let sources = overgrant_source::Sources::new("");
    let whole = read(&sources.add(file.path(), &text));
    matches!(whole, TemplateRead::Yes(_)).then_some(edit)
}

/// What divides the items of a list, and whether they are written in flow style.
fn between(file: &SourceFile, list: &Node, own: Span) -> Option<(String, bool)> {
    let line = line_before(file, own)?;
    let json = is_flow(file, list);
    let between = if !json {
        line.trim().eq("-").then_some(())?;
        format!("\n{line}")
    } else if line.trim().is_empty() && own.start > list.span.start {
        format!(",\n{line}")
    } else {
        ", ".to_owned()
    };
    Some((between, json))
}

/// An item of a list in flow or block style.
fn item(value: &Tree<'_>, json: bool) -> String {
    match value {
        Tree::Text(text) => scalar(text, json),
        value => flow(value),
    }
}

/// A value as it has to be written in a list in flow style.
fn in_list(file: &SourceFile, node: &Node) -> Option<String> {
    let written = file.slice(node.full_span());
    match &node.kind {
        Kind::Scalar(found)
            if found.style == Style::Plain && found.text.contains(['{', '}', '[', ']', ',']) =>
        {
            let tag = node.tag.as_ref().map(|tag| file.slice(tag.span));
            let space = if tag.is_some() { " " } else { "" };
            Some(format!(
                "{}{space}{}",
                tag.unwrap_or_default(),
                quoted(&found.text)
            ))
        }
        Kind::Scalar(found) => (!found.style.is_block()).then(|| written.to_owned()),
        _ => (is_flow(file, node)).then(|| written.to_owned()),
    }
}

/// The scalar at exactly these bytes, and whether `${…}` in it is replaced by the template.
fn scalar_at(node: &Arc<Node>, span: Span, substituted: bool) -> Option<(&Arc<Node>, bool)> {
    if !node.full_span().contains(span) {
        return None;
    }
    let substituted = match &node.tag {
        Some(tag) => tag.name == "Sub",
        None => substituted,
    };
    if let [only] = node.entries()
        && only.key == "Fn::Sub"
        && node.span == span
    {
        return scalar_at(&only.value, only.value.span, true);
    }
    match &node.kind {
        Kind::Scalar(_) => {
            let here = node.span == span || node.full_span() == span;
            here.then_some((node, substituted))
        }
        Kind::Seq(items) => items
            .iter()
            .find_map(|item| scalar_at(item, span, substituted)),
        Kind::Map(entries) => entries
            .iter()
            .find_map(|entry| scalar_at(&entry.value, span, entry.key == "Fn::Sub")),
    }
}

/// What stands before a place in its line.
fn line_before(file: &SourceFile, span: Span) -> Option<&str> {
    file.text().get(..span.start as usize)?.rsplit('\n').next()
}

/// The end of the line in which something ends, behind a comment; none where more stands there.
fn line_end(file: &SourceFile, end: usize) -> Option<usize> {
    let (before, rest) = file.text().split_at_checked(end)?;
    if before.ends_with('\n') {
        return Some(end);
    }
    let line = rest.split('\n').next().unwrap_or_default();
    let tail = line.trim();
    let free = tail.is_empty() || tail.starts_with('#');
    free.then(|| end + line.trim_end_matches('\r').len())
}

/// The value at exactly these bytes: a scalar or an intrinsic.
fn value_at(node: &Arc<Node>, span: Span) -> Option<&Arc<Node>> {
    if !node.full_span().contains(span) {
        return None;
    }
    let here = node.span == span || node.full_span() == span;
    if here && (!matches!(node.kind, Kind::Map(_)) || node.entries().len() == 1) {
        return Some(node);
    }
    match &node.kind {
        Kind::Scalar(_) => None,
        Kind::Seq(items) => items.iter().find_map(|item| value_at(item, span)),
        Kind::Map(entries) => entries
            .iter()
            .find_map(|entry| value_at(&entry.value, span)),
    }
}

/// The mapping written at exactly these bytes.
fn map_at(node: &Arc<Node>, span: Span) -> Option<&Arc<Node>> {
    if !node.span.contains(span) && !node.span.is_empty() {
        return None;
    }
    if node.span == span && matches!(node.kind, Kind::Map(_)) {
        return Some(node);
    }
    match &node.kind {
        Kind::Scalar(_) => None,
        Kind::Seq(items) => items.iter().find_map(|item| map_at(item, span)),
        Kind::Map(entries) => entries.iter().find_map(|entry| map_at(&entry.value, span)),
    }
}

/// The list with an item at exactly these bytes, and the item's index.
fn item_at(node: &Arc<Node>, span: Span) -> Option<(&Arc<Node>, usize)> {
    if !node.span.contains(span) {
        return None;
    }
    match &node.kind {
        Kind::Scalar(_) => None,
        Kind::Seq(items) => {
            let found = items
                .iter()
                .position(|item| item.span == span || item.full_span() == span);
            match found {
                Some(index) => Some((node, index)),
                None => items.iter().find_map(|item| item_at(item, span)),
            }
        }
        Kind::Map(entries) => entries.iter().find_map(|entry| item_at(&entry.value, span)),
    }
}

#[cfg(test)]
mod tests;
