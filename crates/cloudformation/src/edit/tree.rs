//! Values as text: how an entry, an item or a scalar is written beside what stands there already.
//!
//! Not for finding the place. Invariant: what is written in flow style is valid in YAML and JSON.

use crate::syntax::{Entry, Kind, Node};
use overgrant_source::{SourceFile, TextEdit};

/// What is to be written, in either notation.
pub(super) enum Tree<'a> {
    Text(&'a str),
    /// A value in the notation already.
    Written(String),
    List(Vec<Self>),
    Map(Vec<(&'a str, Self)>),
}

impl<'a> Tree<'a> {
    /// A mapping of one entry.
    pub(super) fn entry(key: &'a str, value: Self) -> Self {
        Self::Map(vec![(key, value)])
    }

    /// A single value, or a list of several.
    pub(super) fn texts(values: &'a [String]) -> Self {
        match values {
            [only] => Self::Text(only),
            several => Self::List(several.iter().map(|value| Self::Text(value)).collect()),
        }
    }
}

pub(super) fn is_flow(file: &SourceFile, node: &Node) -> bool {
    file.slice(node.span).starts_with(['{', '['])
}

/// Whether the whole file is JSON.
pub(super) fn is_json(file: &SourceFile) -> bool {
    file.text()
        .trim_start_matches('\u{feff}')
        .trim_start()
        .starts_with('{')
}

/// The edit that adds an entry at the end of a mapping.
pub(super) fn insert(
    file: &SourceFile,
    map: &Node,
    key: &str,
    tree: &Tree<'_>,
) -> Option<TextEdit> {
    let written = written(map)?;
    if is_flow(file, map) {
        insert_flow(file, map, &written, key, tree)
    } else {
        insert_block(file, &written, key, tree)
    }
}

/// The entries of a mapping that stand in it and not where it is merged from.
fn written(map: &Node) -> Option<Vec<&Entry>> {
    let Kind::Map(entries) = &map.kind else {
        return None;
    };
    if map.tag.is_some() || entries.iter().any(|entry| entry.key.starts_with("Fn::")) {
        return None;
    }
    Some(entries.iter().filter(|entry| !entry.merged).collect())
}

/// The edit that adds an entry in front of the others of a mapping.
pub(super) fn insert_first(
    file: &SourceFile,
    map: &Node,
    key: &str,
    value: &str,
) -> Option<TextEdit> {
    let entries = written(map)?;
    let first = entries.first()?;
    let at = first.key_span.start as usize;
    let before = file.text().get(..at)?.rsplit('\n').next()?;
    let own_line = before.trim().is_empty();
    let text = if is_flow(file, map) {
        let behind = match own_line {
            true => format!(",\n{before}"),
            false => ", ".to_owned(),
        };
        format!("{}: {}{behind}", quoted(key), quoted(value))
    } else {
        let column = " ".repeat(before.chars().count());
        format!("{}: {}\n{column}", plain(key), quoted(value))
    };
    Some(TextEdit {
        span: file.span(at..at),
        text,
    })
}

fn insert_flow(
    file: &SourceFile,
    map: &Node,
    written: &[&Entry],
    key: &str,
    tree: &Tree<'_>,
) -> Option<TextEdit> {
    let entry = format!("{}: {}", quoted(key), flow(tree));
    let Some(last) = written.last() else {
        return Some(TextEdit {
            span: file.span(map.span.start as usize + 1..map.span.start as usize + 1),
            text: entry,
        });
    };
    let end = last.value.full_span().end.max(last.key_span.end) as usize;
    // As the entries before: each on its own line, or all on one.
    let between = match written {
        [.., before, last] => {
            let from = before.value.full_span().end.max(before.key_span.end) as usize;
            file.text().get(from..last.key_span.start as usize)?
        }
        [only] => {
            let from = map.span.start as usize + 1;
            file.text().get(from..only.key_span.start as usize)?
        }
        [] => " ",
    };
    let blanks = between.trim_start_matches([',', ' ', '\t']);
    let text = if blanks.starts_with(['\n', '\r']) && blanks.trim().is_empty() {
        format!(",{blanks}{entry}")
    } else {
        format!(", {entry}")
    };
    Some(TextEdit {
        span: file.span(end..end),
        text,
    })
}

fn insert_block(
    file: &SourceFile,
    written: &[&Entry],
    key: &str,
    tree: &Tree<'_>,
) -> Option<TextEdit> {
    let (first, last) = (written.first()?, written.last()?);
    let text = file.text();
    let before = text.get(..first.key_span.start as usize)?;
    let line = before.rsplit('\n').next().unwrap_or_default();
    // The column of the first key, whatever dash stands before it.
    let indent = " ".repeat(line.chars().count());
    if !line.trim_start_matches(['-', ' ']).is_empty() {
        return None;
    }
    let end = last.value.full_span().end.max(last.key_span.end) as usize;
    let rest = text.get(end..)?;
    let at = end + rest.find('\n').unwrap_or(rest.len());
    let tail = text.get(end..at)?.trim_start_matches(':').trim();
    if !tail.is_empty() && !tail.starts_with('#') {
        return None;
    }
    let at = text.get(..at)?.trim_end_matches('\r').len();
    let mut out = format!("\n{indent}{}:", plain(key));
    block(tree, &indent, &mut out);
    Some(TextEdit {
        span: file.span(at..at),
        text: out,
    })
}

/// A value on one line.
pub(super) fn flow(tree: &Tree<'_>) -> String {
    match tree {
        Tree::Text(text) => scalar(text, true),
        Tree::Written(text) => text.clone(),
        Tree::List(items) => {
            let items: Vec<String> = items.iter().map(flow).collect();
            format!("[{}]", items.join(", "))
        }
        Tree::Map(entries) => {
            let entries = entries.iter();
            let entries = entries.map(|(key, value)| format!("{}: {}", quoted(key), flow(value)));
            format!("{{{}}}", entries.collect::<Vec<_>>().join(", "))
        }
    }
}

/// Writes a value behind `key:`, indented below `indent`.
pub(super) fn block(tree: &Tree<'_>, indent: &str, out: &mut String) {
    match tree {
        Tree::Text(text) => {
            out.push(' ');
            out.push_str(&scalar(text, false));
        }
        Tree::Written(text) => {
            out.push(' ');
            out.push_str(text);
        }
        Tree::List(items) => {
            for item in items {
                out.push_str(&format!("\n{indent}  -"));
                block(item, &format!("{indent}    "), out);
            }
        }
        Tree::Map(entries) => {
            let indent = format!("{indent}  ");
            for (key, value) in entries {
                out.push_str(&format!("\n{indent}{}:", plain(key)));
                block(value, &indent, out);
            }
        }
    }
}

/// A literal: booleans and numbers bare, text quoted where it must be.
pub(super) fn scalar(text: &str, json: bool) -> String {
    let bare = matches!(text, "true" | "false")
        || (text.parse::<i64>().is_ok() && !text.starts_with('0') && text.len() < 10);
    if bare {
        text.to_owned()
    } else if json {
        quoted(text)
    } else {
        plain(text)
    }
}

/// A YAML scalar, quoted unless it is a plain word.
pub(super) fn plain(text: &str) -> String {
    let word = text.starts_with(|c: char| c.is_ascii_alphabetic())
        && text
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.' | '/'))
        && !matches!(
            text.to_ascii_lowercase().as_str(),
            "true" | "false" | "yes" | "no" | "on" | "off" | "null" | "y" | "n"
        );
    if word { text.to_owned() } else { quoted(text) }
}

/// A string in double quotes, valid in both notations.
pub(super) fn quoted(text: &str) -> String {
    let mut out = String::from("\"");
    for c in text.chars() {
        match c {
            '"' | '\\' => {
                out.push('\\');
                out.push(c);
            }
            c if c.is_control() => out.push_str(&format!("\\u{:04x}", u32::from(c))),
            c => out.push(c),
        }
    }
    out.push('"');
    out
}
