//! Objects and lists in brackets, of HCL or JSON: where an entry or item is added and taken out.
//!
//! Not for finding them. Invariant: what is added is written as what stands beside it: on lines of its
//! own or on one line, with the same indent, quotes and sign between key and value.

use crate::syntax::tree::{Expr, ExprKind, Key};
use std::ops::Range;

/// A change of the text.
#[derive(Debug)]
pub(super) struct Change {
    pub(super) range: Range<usize>,
    pub(super) text: String,
}

/// How values are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Notation {
    Hcl,
    /// JSON in a heredoc.
    Json,
}

/// A value with its bytes.
#[derive(Debug, Clone)]
pub(super) struct Node {
    pub(super) range: Range<usize>,
    pub(super) kind: Kind,
}

/// What a value is.
#[derive(Debug, Clone)]
pub(super) enum Kind {
    Map(Vec<Entry>),
    List(Vec<Node>),
    Leaf,
}

/// An entry of an object.
#[derive(Debug, Clone)]
pub(super) struct Entry {
    pub(super) key: String,
    pub(super) key_range: Range<usize>,
    pub(super) value: Node,
}

/// What is to be written.
pub(super) enum Tree<'a> {
    Text(&'a str),
    /// A value in the notation already.
    Written(String),
    List(Vec<Self>),
    Map(Vec<(&'a str, Self)>),
}

/// The editor of one notation.
#[derive(Debug, Clone, Copy)]
pub(super) struct Flow {
    notation: Notation,
}

/// How the neighbours are written.
struct Style<'t> {
    /// The blanks before an entry on a line of its own; `None` where all stand on one line.
    indent: Option<&'t str>,
    step: &'static str,
    newline: &'static str,
    quoted: bool,
    colon: bool,
}

impl Node {
    /// An expression as far as it is written out.
    pub(super) fn of(expr: &Expr) -> Self {
        let kind = match &expr.kind {
            ExprKind::Tuple(items) => Kind::List(items.iter().map(Self::of).collect()),
            ExprKind::Object(items) => Kind::Map(
                items
                    .iter()
                    .map(|item| {
                        let (key, span) = match &item.key {
                            Key::Name(name) => (name.text.to_string(), name.span),
                            Key::Expr(expr) => {
                                (expr.literal().unwrap_or_default().into(), expr.span)
                            }
                        };
                        Entry {
                            key,
                            key_range: super::range(span),
                            value: Self::of(&item.value),
                        }
                    })
                    .collect(),
            ),
            _ => Kind::Leaf,
        };
        Self {
            range: super::range(expr.span),
            kind,
        }
    }

    pub(super) fn entries(&self) -> Option<&[Entry]> {
        match &self.kind {
            Kind::Map(entries) => Some(entries),
            _ => None,
        }
    }

    pub(super) fn items(&self) -> &[Self] {
        match &self.kind {
            Kind::List(items) => items,
            _ => &[],
        }
    }

    /// The item at exactly these bytes.
    pub(super) fn item(&self, own: &Range<usize>) -> Option<&Self> {
        self.items().iter().find(|item| item.range == *own)
    }

    /// Whether an item or the value of an entry stands at exactly these bytes.
    pub(super) fn holds(&self, own: &Range<usize>) -> bool {
        let mut entries = self.entries().unwrap_or_default().iter();
        self.item(own).is_some() || entries.any(|entry| entry.value.range == *own)
    }

    pub(super) fn get(&self, key: &str) -> Option<&Self> {
        let entry = self.entries()?.iter().find(|entry| entry.key == key)?;
        Some(&entry.value)
    }

    /// The value and all in it, the outer ones first.
    pub(super) fn walk(&self, visit: &mut dyn FnMut(&Self)) {
        visit(self);
        match &self.kind {
            Kind::Map(entries) => entries.iter().for_each(|entry| entry.value.walk(visit)),
            Kind::List(items) => items.iter().for_each(|item| item.walk(visit)),
            Kind::Leaf => {}
        }
    }
}

impl Flow {
    pub(super) fn new(notation: Notation) -> Self {
        Self { notation }
    }

    pub(super) fn notation(self) -> Notation {
        self.notation
    }

    /// Adds an entry behind the others of an object.
    pub(super) fn insert_entry(
        self,
        text: &str,
        map: &Node,
        key: &str,
        tree: &Tree<'_>,
    ) -> Option<Change> {
        let entries = map.entries()?;
        let (first, last) = match entries {
            [] => {
                let style = self.inline();
                let inner = map.range.start + 1..map.range.end.checked_sub(1)?;
                text.get(inner.clone())?.trim().is_empty().then_some(())?;
                return Some(Change {
                    range: inner,
                    text: format!(" {} ", self.entry(&style, key, tree)),
                });
            }
            [first, .., last] => (first, last),
            [only] => (only, only),
        };
        let between = text.get(last.key_range.end..last.value.range.start)?;
        let style = Style {
            indent: own_line(text, map.range.start, first.key_range.start),
            quoted: text.get(last.key_range.clone())?.starts_with('"'),
            colon: between.contains(':'),
            ..self.inline()
        };
        let written = |style: &Style<'_>| self.entry(style, key, tree);
        self.behind(text, last.value.range.end, style, &written)
    }

    /// Adds an entry in front of the others of an object.
    pub(super) fn insert_first(
        self,
        text: &str,
        map: &Node,
        key: &str,
        value: &str,
    ) -> Option<Change> {
        let first = map.entries()?.first()?;
        let at = first.key_range.start;
        let between = text.get(first.key_range.end..first.value.range.start)?;
        let style = Style {
            quoted: text.get(first.key_range.clone())?.starts_with('"'),
            colon: between.contains(':'),
            ..self.inline()
        };
        let entry = self.entry(&style, key, &Tree::Text(value));
        let behind = match (own_line(text, map.range.start, at), self.notation) {
            (Some(indent), Notation::Hcl) => format!("{}{indent}", newline(text)),
            (Some(indent), Notation::Json) => format!(",{}{indent}", newline(text)),
            (None, _) => ", ".to_owned(),
        };
        Some(Change {
            range: at..at,
            text: format!("{entry}{behind}"),
        })
    }

    /// Adds an item behind the others of a list; an object that stands alone becomes the first of one.
    pub(super) fn insert_item(self, text: &str, list: &Node, tree: &Tree<'_>) -> Option<Change> {
        let alone = list.entries().is_some();
        let (first, last) = match list.items() {
            [] if alone => (list, list),
            [first, .., last] => (first, last),
            [only] => (only, only),
            [] => return None,
        };
        let keys = last.entries().and_then(<[Entry]>::last);
        let quoted = keys
            .and_then(|entry| text.get(entry.key_range.clone()))
            .is_some_and(|key| key.starts_with('"'));
        let colon = keys
            .and_then(|entry| text.get(entry.key_range.end..entry.value.range.start))
            .is_some_and(|between| between.contains(':'));
        let style = Style {
            quoted,
            colon,
            ..self.inline()
        };
        if alone {
            let indent = line_indent(text, list.range.start);
            let spread = text.get(list.range.clone())?.contains('\n');
            let style = Style {
                indent: spread.then_some(indent),
                newline: newline(text),
                ..style
            };
            let written = self.tree(&style, tree);
            return Some(Change {
                range: list.range.clone(),
                text: format!("[{}, {written}]", text.get(list.range.clone())?),
            });
        }
        let style = Style {
            indent: own_line(text, list.range.start, first.range.start),
            ..style
        };
        let written = |style: &Style<'_>| self.tree(style, tree);
        self.behind(text, last.range.end, style, &written)
    }

    /// Adds values behind the one at `own`: an item of the list `node`, or a value of the object `node`.
    pub(super) fn add_behind(
        self,
        text: &str,
        node: &Node,
        own: Range<usize>,
        values: &[Tree<'_>],
    ) -> Option<Change> {
        let values = self.all(values);
        if node.item(&own).is_none() {
            let first = text.get(own.clone())?;
            return Some(Change {
                text: format!("[{first}, {}]", values.join(", ")),
                range: own,
            });
        }
        let between = between(text, node, &own);
        let text = values.iter().map(|value| format!("{between}{value}"));
        Some(Change {
            range: own.end..own.end,
            text: text.collect(),
        })
    }

    /// Puts values in the place of the one at `own`, as in [`Self::add_behind`].
    pub(super) fn replace_item(
        self,
        text: &str,
        node: &Node,
        own: Range<usize>,
        values: &[Tree<'_>],
    ) -> Change {
        let values = self.all(values);
        let text = match (node.item(&own), values.as_slice()) {
            (None, [_, _, ..]) => format!("[{}]", values.join(", ")),
            _ => values.join(&between(text, node, &own)),
        };
        Change { range: own, text }
    }

    fn all(self, values: &[Tree<'_>]) -> Vec<String> {
        let inline = self.inline();
        values
            .iter()
            .map(|value| self.tree(&inline, value))
            .collect()
    }

    /// Takes an item out of a list, unless it is the only one.
    pub(super) fn remove_item(self, text: &str, list: &Node, index: usize) -> Option<Change> {
        let items = list.items();
        let own = items.get(index)?.range.clone();
        let next = items.get(index + 1).map(|next| next.range.start);
        let before = index.checked_sub(1).and_then(|at| items.get(at));
        let range = match (next, before) {
            (None, None) => return None,
            // With its own line, where it has one.
            (Some(next), _) => match (line_start(text, own.start), line_start(text, next)) {
                (Some(from), Some(to)) if from != to => from..to,
                _ => own.start..next,
            },
            (None, Some(before)) => before.range.end..own.end,
        };
        // A comment in what goes is somebody's.
        let lost = text.get(range.start..own.start)?.to_owned() + text.get(own.end..range.end)?;
        (!lost.contains(['#', '/'])).then_some(Change {
            range,
            text: String::new(),
        })
    }

    /// The change that writes something behind what ends at `end`.
    fn behind(
        self,
        text: &str,
        end: usize,
        style: Style<'_>,
        written: &dyn Fn(&Style<'_>) -> String,
    ) -> Option<Change> {
        let Some(indent) = style.indent else {
            return Some(Change {
                range: end..end,
                text: format!(", {}", written(&style)),
            });
        };
        let rest = text.get(end..)?;
        let line = rest.split('\n').next().unwrap_or_default();
        let newline = if line.ends_with('\r') { "\r\n" } else { "\n" };
        let style = Style { newline, ..style };
        let tail = line.trim_end_matches('\r');
        let after = tail.trim_start();
        let (comma, after) = match after.strip_prefix(',') {
            Some(after) => (true, after.trim()),
            None => (false, after.trim()),
        };
        let comment = after.starts_with('#') || after.starts_with("//");
        let entry = written(&style);
        if self.notation == Notation::Json || !(after.is_empty() || comment) {
            if comma {
                return None;
            }
            return Some(Change {
                range: end..end,
                text: format!(",{newline}{indent}{entry}"),
            });
        }
        // In an object of HCL the line's end divides; in a list only the comma does.
        let at = end + tail.trim_end().len();
        let in_list = entry.starts_with('{');
        match (comma, in_list) {
            (true, _) => Some(Change {
                range: at..at,
                text: format!("{newline}{indent}{entry},"),
            }),
            (false, false) => Some(Change {
                range: at..at,
                text: format!("{newline}{indent}{entry}"),
            }),
            (false, true) if comment => None,
            (false, true) => Some(Change {
                range: end..end,
                text: format!(",{newline}{indent}{entry}"),
            }),
        }
    }

    fn inline(self) -> Style<'static> {
        Style {
            indent: None,
            step: "  ",
            newline: "\n",
            quoted: self.notation == Notation::Json,
            colon: self.notation == Notation::Json,
        }
    }

    fn entry(self, style: &Style<'_>, key: &str, tree: &Tree<'_>) -> String {
        let sign = match (self.notation, style.colon) {
            (Notation::Json, _) | (_, true) => ": ",
            _ => " = ",
        };
        let key = match style.quoted || !is_name(key) {
            true => self.quoted(key),
            false => key.to_owned(),
        };
        format!("{key}{sign}{}", self.tree(style, tree))
    }

    fn tree(self, style: &Style<'_>, tree: &Tree<'_>) -> String {
        match tree {
            Tree::Text(text) => self.quoted(text),
            Tree::Written(text) => text.clone(),
            Tree::List(items) => {
                let items: Vec<String> = items.iter().map(|item| self.tree(style, item)).collect();
                format!("[{}]", items.join(", "))
            }
            Tree::Map(entries) => {
                let Some(indent) = style.indent else {
                    let entries = entries
                        .iter()
                        .map(|(key, tree)| self.entry(style, key, tree));
                    return match self.notation {
                        Notation::Hcl => {
                            format!("{{ {} }}", entries.collect::<Vec<_>>().join(", "))
                        }
                        Notation::Json => {
                            format!("{{{}}}", entries.collect::<Vec<_>>().join(", "))
                        }
                    };
                };
                let step = if indent.contains('\t') {
                    "\t"
                } else {
                    style.step
                };
                let deeper = format!("{indent}{step}");
                let inner = Style {
                    indent: Some(&deeper),
                    ..*style
                };
                let comma = match self.notation {
                    Notation::Hcl => "",
                    Notation::Json => ",",
                };
                let lines: Vec<String> = entries
                    .iter()
                    .map(|(key, tree)| format!("{deeper}{}", self.entry(&inner, key, tree)))
                    .collect();
                let newline = style.newline;
                let lines = lines.join(&format!("{comma}{newline}"));
                format!("{{{newline}{lines}{newline}{indent}}}")
            }
        }
    }

    fn quoted(self, text: &str) -> String {
        match self.notation {
            Notation::Hcl => quoted(text),
            // The heredoc around it reads `${` and `%{` itself.
            Notation::Json => {
                let json = overgrant_value::json::to_string(&overgrant_value::Val::str(
                    text,
                    overgrant_value::Src::none(),
                ));
                json.replace("${", "$${").replace("%{", "%%{")
            }
        }
    }
}

/// A text as HCL's quoted string.
pub(super) fn quoted(text: &str) -> String {
    let mut out = String::from("\"");
    for c in text.chars() {
        match c {
            '"' | '\\' => {
                out.push('\\');
                out.push(c);
            }
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            c if c.is_control() => out.push_str(&format!("\\u{:04x}", u32::from(c))),
            c => out.push(c),
        }
    }
    out.push('"');
    out.replace("${", "$${").replace("%{", "%%{")
}

/// Whether a key needs no quotes in HCL.
fn is_name(key: &str) -> bool {
    key.starts_with(|c: char| c.is_ascii_alphabetic())
        && key
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b == b'_' || b == b'-')
}

/// What divides the items of a list: as the one at `own` is written.
fn between(text: &str, list: &Node, own: &Range<usize>) -> String {
    match own_line(text, list.range.start, own.start) {
        Some(indent) => format!(",{}{indent}", newline(text)),
        None => ", ".to_owned(),
    }
}

fn newline(text: &str) -> &'static str {
    if text.contains("\r\n") { "\r\n" } else { "\n" }
}

/// The blanks that the line of `at` begins with.
fn line_indent(text: &str, at: usize) -> &str {
    let before = text.get(..at).unwrap_or_default();
    let line = before.rsplit('\n').next().unwrap_or_default();
    let end = line.find(|c| c != ' ' && c != '\t').unwrap_or(line.len());
    line.get(..end).unwrap_or_default()
}

/// The blanks before `at`, if a line begins between `open` and it and nothing but blanks stand there.
fn own_line(text: &str, open: usize, at: usize) -> Option<&str> {
    let start = line_start(text, at)?;
    (start > open).then(|| text.get(start..at)).flatten()
}

/// The start of the line of `at`, if only blanks stand before it.
pub(super) fn line_start(text: &str, at: usize) -> Option<usize> {
    let before = text.get(..at)?;
    let start = before.rfind('\n').map_or(0, |at| at + 1);
    before
        .get(start..)?
        .trim_matches([' ', '\t'])
        .is_empty()
        .then_some(start)
}
