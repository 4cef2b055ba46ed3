//! Semantic edits as text: what to write into a `.tf` file so that a statement gets a condition, an
//! argument gets a value, an item goes.
//!
//! Statements are found by their own bytes: as object in `jsonencode`, as JSON in a heredoc, as
//! `statement` block of a policy document. Not for deciding what to change, nor for writing files or
//! aligning equals signs. Invariant: an edit is given only where the place is written out in the file
//! itself, it changes no other bytes, and the changed text still parses; otherwise there is none.

mod body;
mod flow;
mod json;
mod word;

use crate::syntax::parse_file;
use crate::syntax::tree::{Block, Body, Expr, ExprKind, Key, Part, StepKind};
use flow::{Flow, Node, Notation, Tree};
use overgrant_source::{Draft, Level, SourceFile, Span, TextEdit, Word};
use std::sync::Arc;

/// A file that can be edited.
#[derive(Debug)]
pub struct Configuration {
    file: Arc<SourceFile>,
    body: Body,
}

/// A file in HCL's own syntax as something to edit; `None` where a part of it does not parse.
#[must_use]
pub fn read(file: &Arc<SourceFile>) -> Option<Configuration> {
    let parsed = parse_file(file);
    let sound = parsed
        .diagnostics
        .iter()
        .all(|diagnostic| diagnostic.level != Level::Error);
    sound.then(|| Configuration {
        file: Arc::clone(file),
        body: parsed.body,
    })
}

/// What stands at a place.
enum Found<'c> {
    Block(&'c Block),
    /// An object, list or other value in a flow of brackets.
    Value(Flow, Node),
}

/// Adds a condition to the statement at `statement` (the statement's own bytes); nothing where the
/// statement already has a condition on that operator and key.
#[must_use]
pub fn add_condition(
    configuration: &Configuration,
    statement: Span,
    operator: &str,
    key: &str,
    values: &[String],
) -> Option<TextEdit> {
    let text = configuration.file.text();
    let edit = match configuration.find(statement)? {
        Found::Block(block) => {
            if block.kind != "statement" && block.kind != "content" {
                return None;
            }
            body::add_condition(text, block, operator, key, values)
        }
        Found::Value(flow, node) => {
            node.entries()?;
            let leaf = match values {
                [only] => Tree::Text(only),
                several => Tree::List(several.iter().map(|value| Tree::Text(value)).collect()),
            };
            match node.get("Condition") {
                None => {
                    let inner = Tree::Map(vec![(key, leaf)]);
                    let tests = Tree::Map(vec![(operator, inner)]);
                    flow.insert_entry(text, &node, "Condition", &tests)
                }
                Some(condition) => match condition.get(operator) {
                    None => {
                        let keys = Tree::Map(vec![(key, leaf)]);
                        flow.insert_entry(text, condition, operator, &keys)
                    }
                    Some(keys) => {
                        let there = |known: &flow::Entry| known.key.eq_ignore_ascii_case(key);
                        if keys.entries()?.iter().any(there) {
                            return None;
                        }
                        flow.insert_entry(text, keys, key, &leaf)
                    }
                },
            }
        }
    };
    configuration.sound(edit?)
}

/// Sets the argument at `path` (names joined by dots, through nested blocks) of the block at `block`
/// (its own bytes, or those of its header) to a literal.
#[must_use]
pub fn set_attribute(
    configuration: &Configuration,
    block: Span,
    path: &str,
    value: &str,
) -> Option<TextEdit> {
    let Found::Block(block) = configuration.find(block)? else {
        return None;
    };
    let names: Vec<&str> = path.split('.').collect();
    configuration.sound(body::set(configuration.file.text(), block, &names, value)?)
}

/// Adds a statement behind the others of the document at `document`: an object in `jsonencode` or a
/// heredoc, or a policy document's block.
#[must_use]
pub fn append_statement(
    configuration: &Configuration,
    document: Span,
    draft: &Draft,
) -> Option<TextEdit> {
    let text = configuration.file.text();
    let edit = match configuration.document(document)? {
        Found::Block(block) => body::append_statement(configuration, block, draft),
        Found::Value(flow, node) => {
            let mut members = Vec::new();
            for (name, values) in &draft.elements {
                let leaf = configuration.leaf(flow.notation(), values, document)?;
                members.push((*name, leaf));
            }
            if let Some((operator, key, value)) = draft.condition {
                let test = Tree::Map(vec![(key, Tree::Text(value))]);
                members.push(("Condition", Tree::Map(vec![(operator, test)])));
            }
            flow.insert_item(text, node.get("Statement")?, &Tree::Map(members))
        }
    };
    configuration.sound(edit?)
}

/// Adds an element in front of the others of the document at `document`, if it is an object.
#[must_use]
pub fn add_element(
    configuration: &Configuration,
    document: Span,
    name: &str,
    value: &str,
) -> Option<TextEdit> {
    let Found::Value(flow, node) = configuration.document(document)? else {
        return None;
    };
    node.get("Statement")?;
    let edit = flow.insert_first(configuration.file.text(), &node, name, value);
    configuration.sound(edit?)
}

/// Adds values behind the one at `beside`: an item of a list, or the only value of an element, which
/// becomes a list.
#[must_use]
pub fn add_items(configuration: &Configuration, beside: Span, values: &[Word]) -> Option<TextEdit> {
    let (flow, node) = configuration.holder(beside)?;
    let values = configuration.words(flow.notation(), values, beside)?;
    let edit = flow.add_behind(configuration.file.text(), &node, range(beside), &values);
    configuration.sound(edit?)
}

/// Puts values in the place of the one at `item`: an item of a list, or the only value of an element.
#[must_use]
pub fn replace_item(
    configuration: &Configuration,
    item: Span,
    values: &[String],
) -> Option<TextEdit> {
    let (flow, node) = configuration.holder(item)?;
    let values: Vec<Tree<'_>> = values.iter().map(|value| Tree::Text(value)).collect();
    configuration.sound(flow.replace_item(configuration.file.text(), &node, range(item), &values))
}

/// Puts other words in the place of a part of the literal at `span`, wherever it stands in it.
#[must_use]
pub fn replace_part(
    configuration: &Configuration,
    span: Span,
    from: &str,
    to: &str,
) -> Option<TextEdit> {
    let written = configuration.file.slice(span);
    // Either would be read by Terraform itself.
    let to = to.replace("${", "$${").replace("%{", "%%{");
    let text = written.replace(from, &to);
    let change = flow::Change {
        range: range(span),
        text,
    };
    (written != change.text).then(|| configuration.sound(change))?
}

/// Adds a resource behind everything else; nothing where the file has one of that type and name.
#[must_use]
pub fn add_resource(
    configuration: &Configuration,
    kind: &str,
    name: &str,
    arguments: &[(&str, &str)],
) -> Option<TextEdit> {
    let file = &configuration.file;
    let labels = |block: &Block| {
        let labels = block.labels.iter().map(|label| label.text.as_str());
        labels.eq([kind, name])
    };
    if configuration.body.blocks_of("resource").any(labels) {
        return None;
    }
    configuration.sound(body::resource(file.text(), kind, name, arguments))
}

/// Removes what stands at `span` with what belongs to it: an item of a list, an argument, a block.
/// Nothing where it is the only item, or the only statement of a document.
#[must_use]
pub fn remove(configuration: &Configuration, span: Span) -> Option<TextEdit> {
    let text = configuration.file.text();
    let mut found = None;
    configuration.nodes(&mut |flow, node| {
        if found.is_none()
            && let Some(index) = node
                .items()
                .iter()
                .position(|item| item.range == range(span))
        {
            found = Some((*flow, node.clone(), index));
        }
    });
    let edit = match found {
        Some((flow, list, index)) => flow.remove_item(text, &list, index),
        None => body::remove(text, &configuration.body, span),
    };
    configuration.sound(edit?)
}

fn range(span: Span) -> std::ops::Range<usize> {
    span.start as usize..span.end as usize
}

impl Configuration {
    fn find(&self, span: Span) -> Option<Found<'_>> {
        if span.file != self.file.id() {
            return None;
        }
        if let Some(block) = block_at(&self.body, span) {
            return Some(Found::Block(block));
        }
        let mut found = None;
        self.nodes(&mut |flow, node| {
            if found.is_none() && node.range == range(span) {
                found = Some((*flow, node.clone()));
            }
        });
        found.map(|(flow, node)| Found::Value(flow, node))
    }

    /// The document at these bytes, or the one that they hold.
    fn document(&self, span: Span) -> Option<Found<'_>> {
        self.find(span).or_else(|| self.written_in(span))
    }

    /// The object or list that a value stands in.
    fn holder(&self, value: Span) -> Option<(Flow, Node)> {
        let mut found = None;
        self.nodes(&mut |flow, node| {
            if found.is_none() && node.holds(&range(value)) {
                found = Some((*flow, node.clone()));
            }
        });
        found
    }

    /// The object that the `jsonencode` or the text at `span` holds.
    fn written_in(&self, span: Span) -> Option<Found<'_>> {
        let mut found = None;
        let text = self.file.text();
        expressions(&self.body, &mut |expr| {
            if found.is_some() || expr.span != span {
                return;
            }
            found = match &expr.kind {
                ExprKind::Call(call) if call.name == "jsonencode" => {
                    let object = call.args.first().map(Node::of);
                    object.map(|node| Found::Value(Flow::new(Notation::Hcl), node))
                }
                ExprKind::Template(parts) => json::document(text, expr, parts)
                    .map(|node| Found::Value(Flow::new(Notation::Json), node)),
                _ => None,
            };
        });
        found
    }

    /// Every object and list that is written out, the outer ones first.
    fn nodes(&self, visit: &mut dyn FnMut(&Flow, &Node)) {
        let text = self.file.text();
        expressions(&self.body, &mut |expr| match &expr.kind {
            ExprKind::Object(_) | ExprKind::Tuple(_) => {
                let node = Node::of(expr);
                visit(&Flow::new(Notation::Hcl), &node);
            }
            ExprKind::Template(parts) => {
                if let Some(node) = json::document(text, expr, parts) {
                    node.walk(&mut |node| visit(&Flow::new(Notation::Json), node));
                }
            }
            _ => {}
        });
    }

    /// The edit, if the text still parses with it.
    fn sound(&self, edit: flow::Change) -> Option<TextEdit> {
        let mut text = self.file.text().to_owned();
        text.replace_range(edit.range.clone(), &edit.text);
        let sources = overgrant_source::Sources::new("");
        let _ = read(&sources.add(self.file.path(), &text))?;
        Some(TextEdit {
            span: self.file.span(edit.range),
            text: edit.text,
        })
    }
}

fn block_at(body: &Body, span: Span) -> Option<&Block> {
    body.blocks.iter().find_map(|block| {
        if block.span == span || block.header == span {
            Some(block)
        } else {
            block_at(&block.body, span)
        }
    })
}

/// Every expression of a body, the outer ones first.
fn expressions(body: &Body, visit: &mut dyn FnMut(&Expr)) {
    for attr in &body.attributes {
        expression(&attr.value, visit);
    }
    for block in &body.blocks {
        expressions(&block.body, visit);
    }
}

fn expression(expr: &Expr, visit: &mut dyn FnMut(&Expr)) {
    visit(expr);
    match &expr.kind {
        ExprKind::Null | ExprKind::Bool(_) | ExprKind::Number(_) | ExprKind::Root(_) => {}
        ExprKind::Template(found) => parts(found, visit),
        ExprKind::Wrap(inner) | ExprKind::Paren(inner) | ExprKind::Unary(_, inner) => {
            expression(inner, visit);
        }
        ExprKind::Tuple(items) => items.iter().for_each(|item| expression(item, visit)),
        ExprKind::Object(items) => {
            for item in items {
                if let Key::Expr(key) = &item.key {
                    expression(key, visit);
                }
                expression(&item.value, visit);
            }
        }
        ExprKind::Traversal(base, steps) => {
            expression(base, visit);
            for step in steps {
                if let StepKind::Index(index) = &step.kind {
                    expression(index, visit);
                }
            }
        }
        ExprKind::Call(call) => call.args.iter().for_each(|arg| expression(arg, visit)),
        ExprKind::Conditional(branches) => {
            branches.iter().for_each(|branch| expression(branch, visit));
        }
        ExprKind::Binary(_, operands) => {
            operands.iter().for_each(|side| expression(side, visit));
        }
        ExprKind::For(found) => {
            let inner = [
                Some(&found.collection),
                found.key.as_ref(),
                Some(&found.value),
            ];
            for expr in inner.into_iter().flatten().chain(&found.cond) {
                expression(expr, visit);
            }
        }
    }
}

fn parts(found: &[Part], visit: &mut dyn FnMut(&Expr)) {
    for part in found {
        match part {
            Part::Literal(_) => {}
            Part::Interp(expr) => expression(expr, visit),
            Part::If(part) => {
                expression(&part.cond, visit);
                parts(&part.then, visit);
                parts(&part.otherwise, visit);
            }
            Part::For(part) => {
                expression(&part.collection, visit);
                parts(&part.body, visit);
            }
        }
    }
}
