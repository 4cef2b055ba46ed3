//! Bodies of blocks: arguments and nested blocks that are added, changed and taken out.
//!
//! Not for objects and lists, see `flow`. Invariant: what is added stands on lines of its own with
//! the indent of its neighbours; a block on one line becomes one on several.

use super::Configuration;
use super::flow::{Change, line_start, quoted};
use crate::syntax::tree::{Block, Body};
use overgrant_source::{Draft, Span, Word};
use std::ops::Range;

/// Names of a policy document's arguments by IAM's.
const ARGUMENTS: [(&str, &str, bool); 6] = [
    ("Sid", "sid", false),
    ("Effect", "effect", false),
    ("Action", "actions", true),
    ("NotAction", "not_actions", true),
    ("Resource", "resources", true),
    ("NotResource", "not_resources", true),
];

/// A block's text between its braces, and how its lines are written.
struct Inside<'t> {
    inner: Range<usize>,
    /// Blanks before the block and before what stands in it.
    outer: &'t str,
    indent: String,
    step: &'static str,
    newline: &'static str,
    lines: bool,
}

impl<'t> Inside<'t> {
    fn of(text: &'t str, block: &Block) -> Option<Self> {
        let header = block.header.end as usize;
        let open = header + text.get(header..)?.find('{')?;
        let close = (block.span.end as usize).checked_sub(1)?;
        let start = block.kind_span.start as usize;
        let outer = text.get(line_start(text, start)?..start)?;
        let step = if outer.contains('\t') { "\t" } else { "  " };
        let inner = open + 1..close;
        let content = text.get(inner.clone())?;
        let first = block
            .body
            .attributes
            .iter()
            .map(|attr| attr.span.start)
            .chain(block.body.blocks.iter().map(|block| block.span.start))
            .min();
        let own = first.and_then(|at| {
            let at = at as usize;
            let start = line_start(text, at)?;
            (start > open).then(|| text.get(start..at)).flatten()
        });
        Some(Self {
            indent: own.map_or_else(|| format!("{outer}{step}"), str::to_owned),
            inner,
            outer,
            step,
            newline: if content.contains("\r\n") {
                "\r\n"
            } else {
                "\n"
            },
            lines: content.contains('\n'),
        })
    }

    /// The change that writes lines at the end of the block.
    fn append(&self, text: &str, block: &Block, lines: &[String], apart: bool) -> Option<Change> {
        let (newline, indent) = (self.newline, &self.indent);
        let written: String = lines
            .iter()
            .map(|line| match line.as_str() {
                "" => newline.to_owned(),
                line => format!("{indent}{line}{newline}"),
            })
            .collect();
        if !self.lines {
            let inner = text.get(self.inner.clone())?.trim();
            let kept = match inner {
                "" => String::new(),
                inner => format!("{indent}{inner}{newline}"),
            };
            let gap = if apart && !kept.is_empty() {
                newline
            } else {
                ""
            };
            return Some(Change {
                range: self.inner.clone(),
                text: format!("{newline}{kept}{gap}{written}{}", self.outer),
            });
        }
        let at = line_start(text, self.inner.end)?;
        let empty = block.body.attributes.is_empty() && block.body.blocks.is_empty();
        let gap = if apart && !empty { newline } else { "" };
        Some(Change {
            range: at..at,
            text: format!("{gap}{written}"),
        })
    }
}

/// Adds a `condition` block to a statement.
pub(super) fn add_condition(
    text: &str,
    block: &Block,
    operator: &str,
    key: &str,
    values: &[String],
) -> Option<Change> {
    let is = |condition: &Block, name: &str, wanted: &str| {
        let attr = condition.body.attribute(name);
        attr.and_then(|attr| attr.value.literal())
            .is_some_and(|value| value.eq_ignore_ascii_case(wanted))
    };
    let there = block
        .body
        .blocks_of("condition")
        .any(|known| is(known, "test", operator) && is(known, "variable", key));
    if there {
        return None;
    }
    let inside = Inside::of(text, block)?;
    let step = inside.step;
    let lines = [
        "condition {".to_owned(),
        format!("{step}test     = {}", quoted(operator)),
        format!("{step}variable = {}", quoted(key)),
        format!("{step}values   = {}", list(values)),
        "}".to_owned(),
    ];
    inside.append(text, block, &lines, true)
}

/// Adds a `statement` block to a policy document.
pub(super) fn append_statement(
    configuration: &Configuration,
    block: &Block,
    draft: &Draft,
) -> Option<Change> {
    let text = configuration.file.text();
    let is_document = block.labels.first()?.text == "aws_iam_policy_document";
    if block.kind != "data" || !is_document {
        return None;
    }
    let inside = Inside::of(text, block)?;
    let step = inside.step;
    let mut arguments = Vec::new();
    let mut blocks = Vec::new();
    for (element, values) in &draft.elements {
        if *element == "Principal" {
            let everybody = values.as_slice() == [Word::from("*")];
            let names = [("type", quoted("*")), ("identifiers", "[\"*\"]".to_owned())];
            blocks.push(("principals", everybody.then_some(names)?.to_vec()));
            continue;
        }
        let (_, name, many) = ARGUMENTS.iter().find(|(of, ..)| of == element)?;
        let value = match (many, values.as_slice()) {
            (true, values) => configuration.list(values, block.span)?,
            (false, [Word::Text(only)]) => quoted(only),
            (false, _) => return None,
        };
        arguments.push((*name, value));
    }
    if let Some((operator, key, value)) = draft.condition {
        let test = [
            ("test", quoted(operator)),
            ("variable", quoted(key)),
            ("values", format!("[{}]", quoted(value))),
        ];
        blocks.push(("condition", test.to_vec()));
    }
    let mut lines = vec!["statement {".to_owned()];
    lines.extend(aligned(&arguments, step));
    for (kind, arguments) in blocks {
        lines.extend([String::new(), format!("{step}{kind} {{")]);
        lines.extend(aligned(&arguments, &step.repeat(2)));
        lines.push(format!("{step}}}"));
    }
    lines.push("}".to_owned());
    inside.append(text, block, &lines, true)
}

/// Arguments a line each, their equals signs below each other.
fn aligned(arguments: &[(&str, String)], indent: &str) -> Vec<String> {
    let names = arguments.iter().map(|(name, _)| name.len());
    let width = names.max().unwrap_or_default();
    let line = |(name, value): &(&str, String)| format!("{indent}{name:width$} = {value}");
    arguments.iter().map(line).collect()
}

/// A resource behind everything else in a file.
pub(super) fn resource(text: &str, kind: &str, name: &str, arguments: &[(&str, &str)]) -> Change {
    let newline = if text.contains("\r\n") { "\r\n" } else { "\n" };
    let arguments: Vec<(&str, String)> = arguments
        .iter()
        .map(|(name, value)| (*name, literal(value)))
        .collect();
    let mut lines = vec![format!("resource {} {} {{", quoted(kind), quoted(name))];
    lines.extend(aligned(&arguments, "  "));
    lines.push("}".to_owned());
    let gap = match text {
        "" => "",
        text if text.ends_with('\n') => newline,
        _ => "\n\n",
    };
    Change {
        range: text.len()..text.len(),
        text: format!("{gap}{}{newline}", lines.join(newline)),
    }
}

/// Sets an argument, through nested blocks that are made where they are missing.
pub(super) fn set(text: &str, block: &Block, names: &[&str], value: &str) -> Option<Change> {
    let (name, rest) = names.split_first()?;
    let attribute = block.body.attribute(name);
    let inside = Inside::of(text, block)?;
    if rest.is_empty() {
        if let Some(attr) = attribute {
            return Some(Change {
                range: super::range(attr.value.span),
                text: literal(value),
            });
        }
        let line = format!("{name} = {}", literal(value));
        return match block.body.attributes.last() {
            Some(last) if inside.lines => {
                let at = line_end(text, last.span.end as usize)?;
                Some(Change {
                    range: at..at,
                    text: format!("{}{}{line}", inside.newline, inside.indent),
                })
            }
            _ => inside.append(text, block, &[line], false),
        };
    }
    let dynamic = block.body.blocks_of("dynamic").any(|found| {
        found
            .labels
            .first()
            .is_some_and(|label| label.text == *name)
    });
    if attribute.is_some() || dynamic {
        return None;
    }
    let mut nested = block.body.blocks_of(name);
    match (nested.next(), nested.next()) {
        (Some(only), None) => set(text, only, rest, value),
        (None, _) => {
            let mut lines = Vec::new();
            let (last, outer) = names.split_last()?;
            for (depth, name) in outer.iter().enumerate() {
                lines.push(format!("{}{name} {{", inside.step.repeat(depth)));
            }
            let deep = inside.step.repeat(outer.len());
            lines.push(format!("{deep}{last} = {}", literal(value)));
            for depth in (0..outer.len()).rev() {
                lines.push(format!("{}}}", inside.step.repeat(depth)));
            }
            inside.append(text, block, &lines, true)
        }
        _ => None,
    }
}

/// Takes out the argument or block at `span`.
pub(super) fn remove(text: &str, body: &Body, span: Span) -> Option<Change> {
    for attr in &body.attributes {
        if attr.span == span || attr.name_span == span {
            return lines(text, super::range(attr.span));
        }
    }
    for block in &body.blocks {
        if block.span == span || block.header == span {
            let others = body
                .blocks
                .iter()
                .filter(|other| match other.kind.as_str() {
                    "dynamic" => other.labels.first().is_some_and(|l| l.text == block.kind),
                    kind => kind == block.kind,
                });
            if block.kind == "statement" && others.count() < 2 {
                return None;
            }
            return lines(text, super::range(block.span));
        }
        if block.span.contains(span) {
            return remove(text, &block.body, span);
        }
    }
    None
}

/// The lines of something, with the blank line before it where the next line is blank or closes.
fn lines(text: &str, own: Range<usize>) -> Option<Change> {
    let start = line_start(text, own.start)?;
    let end = line_end(text, own.end)?;
    let rest = text.get(end..)?;
    let end = end + rest.find('\n').map_or(rest.len(), |at| at + 1);
    let after = text.get(end..)?.lines().next().unwrap_or_default().trim();
    let before = text.get(..start)?;
    let gap = before.trim_end_matches([' ', '\t', '\r', '\n']).len();
    let blank = before.get(gap..)?.matches('\n').count() > 1;
    let start = match blank && (after.is_empty() || after == "}") {
        true => gap + before.get(gap..)?.find('\n')? + 1,
        false => start,
    };
    Some(Change {
        range: start..end,
        text: String::new(),
    })
}

/// The end of the line of `at`, if only blanks and a comment follow.
fn line_end(text: &str, at: usize) -> Option<usize> {
    let line = text.get(at..)?.split('\n').next()?;
    let tail = line.trim();
    let comment = tail.starts_with('#') || tail.starts_with("//");
    (tail.is_empty() || comment).then(|| at + line.trim_end_matches('\r').len())
}

/// A literal: truth values and numbers bare, text quoted.
fn literal(value: &str) -> String {
    let bare = matches!(value, "true" | "false")
        || (value.parse::<i64>().is_ok() && !value.starts_with('0') && value.len() < 10)
        || value == "0";
    match bare {
        true => value.to_owned(),
        false => quoted(value),
    }
}

fn list(values: &[String]) -> String {
    let values: Vec<String> = values.iter().map(|value| quoted(value)).collect();
    format!("[{}]", values.join(", "))
}
