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

use crate::syntax::parse_file;
use crate::syntax::tree::{Block, Body, Expr, ExprKind, Key, Part, StepKind};
use flow::{Flow, Node, Notation, Tree};
use overgrant_source::{Level, SourceFile, Span, TextEdit};
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
                several => Tree::List(several),
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
/// heredoc, or a policy document's block. `elements` are IAM's (`Sid`, `Effect`, `Action`,
/// `NotAction`, `Resource`, `NotResource`) with their values.
#[must_use]
pub fn append_statement(
    configuration: &Configuration,
    document: Span,
    elements: &[(&str, Vec<String>)],
) -> Option<TextEdit> {
    let text = configuration.file.text();
    let found = configuration.find(document);
    let edit = match found.or_else(|| configuration.written_in(document))? {
        Found::Block(block) => body::append_statement(text, block, elements),
        Found::Value(flow, node) => {
            let members = elements.iter().map(|(name, values)| {
                let leaf = match values.as_slice() {
                    [only] => Tree::Text(only),
                    several => Tree::List(several),
                };
                (*name, leaf)
            });
            flow.insert_item(text, node.get("Statement")?, &Tree::Map(members.collect()))
        }
    };
    configuration.sound(edit?)
}

/// Adds values behind the one at `beside`: an item of a list, or the only value of an element, which
/// becomes a list.
#[must_use]
pub fn add_items(
    configuration: &Configuration,
    beside: Span,
    values: &[String],
) -> Option<TextEdit> {
    let text = configuration.file.text();
    let own = range(beside);
    let mut found = None;
    configuration.nodes(&mut |flow, node| {
        let item = node.items().iter().any(|item| item.range == own);
        let mut entries = node.entries().unwrap_or_default().iter();
        let single = entries.any(|entry| entry.value.range == own);
        if found.is_none() && (item || single) {
            found = Some(flow.add_behind(text, node, own.clone(), item, values));
        }
    });
    configuration.sound(found??)
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
