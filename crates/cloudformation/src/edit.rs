//! Semantic edits as text: what to write into a template so that a statement gets a condition, a
//! property gets a value, an item goes.
//!
//! Not for deciding what to change, nor for writing files. Invariant: an edit is given only where the
//! place is a node of the template itself (not text inside a string), and the changed text still
//! parses; otherwise there is none.

use crate::syntax::{Entry, Kind, Node, Template};
use overgrant_source::{SourceFile, Span, TextEdit};
use std::sync::Arc;

/// What is to be written, in either notation.
enum Tree<'a> {
    Text(&'a str),
    List(&'a [String]),
    Map(&'a str, Box<Self>),
}

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
    let leaf = match values {
        [only] => Tree::Text(only),
        several => Tree::List(several),
    };
    let file = &template.file;
    let Some(condition) = node.get("Condition") else {
        let inner = Tree::Map(key, Box::new(leaf));
        return insert(
            file,
            node,
            "Condition",
            &Tree::Map(operator, Box::new(inner)),
        );
    };
    match condition.get(operator) {
        None => insert(file, condition, operator, &Tree::Map(key, Box::new(leaf))),
        Some(keys)
            if keys
                .entries()
                .iter()
                .any(|e| e.key.eq_ignore_ascii_case(key)) =>
        {
            None
        }
        Some(keys) => insert(file, keys, key, &leaf),
    }
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
            let tree = rest.iter().rev().fold(Tree::Text(value), |tree, name| {
                Tree::Map(name, Box::new(tree))
            });
            return insert(file, at, name, &tree);
        };
        at = next;
        names = rest;
    }
    let json = is_flow(file, at) || quoted_notation(file);
    Some(TextEdit {
        span: at.full_span(),
        text: scalar(value, json),
    })
}

/// Adds values behind the one at `beside`: an item of a list, or the only value of an element, which
/// becomes a list.
#[must_use]
pub fn add_items(template: &Template, beside: Span, values: &[String]) -> Option<TextEdit> {
    let file = &template.file;
    let Some((list, index)) = item_at(&template.root, beside) else {
        let only = value_at(&template.root, beside)?;
        let values: Vec<String> = values.iter().map(|value| quoted(value)).collect();
        return Some(TextEdit {
            span: only.full_span(),
            text: format!("[{}, {}]", file.slice(only.full_span()), values.join(", ")),
        });
    };
    let own = list.items().get(index)?.full_span();
    let end = own.end as usize;
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
    let text = values
        .iter()
        .map(|value| format!("{between}{}", scalar(value, json)));
    Some(TextEdit {
        span: file.span(end..end),
        text: text.collect(),
    })
}

/// Adds a statement behind the others of the document at `document` (the document's own bytes).
#[must_use]
pub fn append_statement(
    template: &Template,
    document: Span,
    elements: &[(&str, Vec<String>)],
) -> Option<TextEdit> {
    let file = &template.file;
    let list = map_at(&template.root, document)?.get("Statement")?;
    let last = list.items().last()?.full_span();
    let line = line_before(file, last)?;
    let end = last.end as usize;
    let leaf = |values: &[String]| match values {
        [only] => flow(&Tree::Text(only)),
        several => flow(&Tree::List(several)),
    };
    let members = elements.iter();
    let text = if is_flow(file, list) {
        let members = members.map(|(name, values)| format!("{}: {}", quoted(name), leaf(values)));
        let statement = format!("{{{}}}", members.collect::<Vec<_>>().join(", "));
        if line.trim().is_empty() {
            format!(",\n{line}{statement}")
        } else {
            format!(", {statement}")
        }
    } else {
        (line.trim() == "-").then_some(())?;
        let inner = " ".repeat(line.chars().count());
        let members = members.map(|(name, values)| format!("{name}: {}", leaf(values)));
        let members: Vec<String> = members.collect();
        format!("\n{line}{}", members.join(&format!("\n{inner}")))
    };
    Some(TextEdit {
        span: file.span(end..end),
        text,
    })
}

/// What stands before a place in its line.
fn line_before(file: &SourceFile, span: Span) -> Option<&str> {
    file.text().get(..span.start as usize)?.rsplit('\n').next()
}

/// The single value of a mapping at exactly these bytes.
fn value_at(node: &Arc<Node>, span: Span) -> Option<&Arc<Node>> {
    if !node.span.contains(span) {
        return None;
    }
    match &node.kind {
        Kind::Scalar(_) => None,
        Kind::Seq(items) => items.iter().find_map(|item| value_at(item, span)),
        Kind::Map(entries) => entries.iter().find_map(|entry| {
            let value = &entry.value;
            let here = value.span == span || value.full_span() == span;
            if here && matches!(value.kind, Kind::Scalar(_)) {
                return Some(value);
            }
            value_at(value, span)
        }),
    }
}

/// Removes the list item at `span` with what belongs to it; nothing where it is the only one.
#[must_use]
pub fn remove_item(template: &Template, span: Span) -> Option<TextEdit> {
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

fn is_flow(file: &SourceFile, node: &Node) -> bool {
    file.slice(node.span).starts_with(['{', '['])
}

fn quoted_notation(file: &SourceFile) -> bool {
    file.text()
        .trim_start_matches('\u{feff}')
        .trim_start()
        .starts_with('{')
}

/// The edit that adds an entry at the end of a mapping.
fn insert(file: &SourceFile, map: &Node, key: &str, tree: &Tree<'_>) -> Option<TextEdit> {
    let Kind::Map(entries) = &map.kind else {
        return None;
    };
    if map.tag.is_some() || entries.iter().any(|entry| entry.key.starts_with("Fn::")) {
        return None;
    }
    let written: Vec<&Entry> = entries.iter().filter(|entry| !entry.merged).collect();
    if is_flow(file, map) {
        insert_flow(file, map, &written, key, tree)
    } else {
        insert_block(file, &written, key, tree)
    }
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

fn flow(tree: &Tree<'_>) -> String {
    match tree {
        Tree::Text(text) => scalar(text, true),
        Tree::List(items) => {
            let items: Vec<String> = items.iter().map(|item| scalar(item, true)).collect();
            format!("[{}]", items.join(", "))
        }
        Tree::Map(key, inner) => format!("{{{}: {}}}", quoted(key), flow(inner)),
    }
}

/// Writes a value behind `key:`, indented below `indent`.
fn block(tree: &Tree<'_>, indent: &str, out: &mut String) {
    match tree {
        Tree::Text(text) => {
            out.push(' ');
            out.push_str(&scalar(text, false));
        }
        Tree::List(items) => {
            for item in *items {
                out.push_str(&format!("\n{indent}  - {}", scalar(item, false)));
            }
        }
        Tree::Map(key, inner) => {
            let indent = format!("{indent}  ");
            out.push_str(&format!("\n{indent}{}:", plain(key)));
            block(inner, &indent, out);
        }
    }
}

/// A literal: booleans and numbers bare, text quoted where it must be.
fn scalar(text: &str, json: bool) -> String {
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
fn plain(text: &str) -> String {
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
fn quoted(text: &str) -> String {
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::syntax::{TemplateRead, read};
    use overgrant_source::Sources;

    fn template(text: &str) -> Template {
        match read(&Sources::new(".").add("t", text)) {
            TemplateRead::Yes(template) => *template,
            other => panic!("{other:?}"),
        }
    }

    /// The text after an edit, which must still be a template.
    fn applied(text: &str, edit: Option<TextEdit>) -> String {
        let edit = edit.unwrap();
        let mut out = text.to_owned();
        out.replace_range(edit.span.range(), &edit.text);
        template(&out);
        out
    }

    fn statement(template: &Template) -> Span {
        let document = template
            .root
            .get("Resources")
            .and_then(|node| node.get("P"))
            .and_then(|node| node.get("Properties"))
            .and_then(|node| node.get("PolicyDocument"))
            .unwrap();
        let statement = document.get("Statement").unwrap();
        statement.items().first().unwrap_or(statement).span
    }

    fn with_condition(text: &str) -> String {
        let template = template(text);
        let values = ["lambda.amazonaws.com".to_owned()];
        let place = statement(&template);
        applied(
            text,
            add_condition(
                &template,
                place,
                "StringEquals",
                "iam:PassedToService",
                &values,
            ),
        )
    }

    const BLOCK: &str = "Resources:
  P:
    Type: AWS::IAM::ManagedPolicy
    Properties:
      PolicyDocument:
        Statement:
          - Effect: Allow
            Action: iam:PassRole # why
            Resource: '*' # all
          - Effect: Deny
            Action: x
            Resource: '*'
";

    #[test]
    fn a_condition_in_block_style() {
        assert_eq!(
            with_condition(BLOCK),
            BLOCK.replace(
                "            Resource: '*' # all\n",
                "            Resource: '*' # all\n            Condition:\n              StringEquals:\n                \"iam:PassedToService\": lambda.amazonaws.com\n"
            )
        );
    }

    #[test]
    fn a_condition_in_flow_style_and_json() {
        let text = "Resources: {P: {Type: AWS::IAM::ManagedPolicy, Properties: {PolicyDocument: {Statement: [{Effect: Allow, Action: a}]}}}}";
        assert!(with_condition(text).contains(
            r#"{Effect: Allow, Action: a, "Condition": {"StringEquals": {"iam:PassedToService": "lambda.amazonaws.com"}}}"#
        ));
        let text = "{\"Resources\": {\"P\": {\"Type\": \"AWS::IAM::ManagedPolicy\", \"Properties\": {\"PolicyDocument\": {\"Statement\": {\n  \"Effect\": \"Allow\",\n  \"Action\": \"a\"\n}}}}}}";
        assert!(with_condition(text).contains(
            "\"a\",\n  \"Condition\": {\"StringEquals\": {\"iam:PassedToService\": \"lambda.amazonaws.com\"}}\n}"
        ));
    }

    #[test]
    fn a_condition_joins_the_one_that_is_there() {
        let text = BLOCK.replace(
            "# all\n",
            "# all\n            Condition:\n              StringEquals:\n                a: b\n",
        );
        assert!(
            with_condition(&text)
                .contains("a: b\n                \"iam:PassedToService\": lambda.amazonaws.com\n")
        );
        let text = BLOCK.replace(
            "# all\n",
            "# all\n            Condition: {Bool: {a: true}}\n",
        );
        assert!(with_condition(&text).contains(r#"{Bool: {a: true}, "StringEquals": {"#));
        let text = text.replace(
            "{Bool: {a: true}}",
            "{StringEquals: {'iam:passedtoservice': x}}",
        );
        let template = template(&text);
        let values = ["y".to_owned()];
        let place = statement(&template);
        assert_eq!(
            add_condition(
                &template,
                place,
                "StringEquals",
                "iam:PassedToService",
                &values
            ),
            None
        );
    }

    #[test]
    fn text_inside_a_string_gets_no_edit() {
        let text = "Resources:\n  P:\n    Type: AWS::IAM::ManagedPolicy\n    Properties:\n      PolicyDocument: '{\"Statement\": {\"Effect\": \"Allow\"}}'\n";
        let template = template(text);
        let at = u32::try_from(text.find("{\"Effect").unwrap()).unwrap();
        let place = Span::new(template.file.id(), at, at + 19);
        assert_eq!(add_condition(&template, place, "Bool", "k", &[]), None);
    }

    #[test]
    fn properties_are_set_and_made() {
        let text = "Resources:
  I:
    Type: AWS::EC2::Instance
    Properties:
      A: !Ref X
      M:
        H: optional
  J:
    Type: AWS::EC2::Instance
";
        let template = template(text);
        let entries = template.root.get("Resources").unwrap().entries();
        let block = |n: usize| entries[n].key_span.to(entries[n].value.span);
        assert!(
            applied(text, set_property(&template, block(0), "M.H", "required"))
                .contains("H: required\n")
        );
        assert!(
            applied(text, set_property(&template, block(0), "A", "true")).contains("A: true\n")
        );
        assert!(
            applied(text, set_property(&template, block(0), "M.T", "1"))
                .contains("H: optional\n        T: 1\n")
        );
        assert!(
            applied(
                text,
                set_property(&template, entries[1].key_span, "M.T", "yes")
            )
            .ends_with(
                "    Type: AWS::EC2::Instance\n    Properties:\n      M:\n        T: \"yes\"\n"
            )
        );
        assert_eq!(set_property(&template, block(0), "A.B", "1"), None);
    }

    #[test]
    fn items_are_removed_with_what_belongs_to_them() {
        let place = |template: &Template, text: &str, item: &str| {
            let at = u32::try_from(text.find(item).unwrap()).unwrap();
            Span::new(
                template.file.id(),
                at,
                at + u32::try_from(item.len()).unwrap(),
            )
        };
        let text = "Resources:\n  A:\n    Type: X::Y\n    Properties:\n      L:\n        - one\n        - 'two' # c\n      M: [a, b, c]\n      O: [x]\n";
        let template = template(text);
        let removed = |item: &str| {
            let span = place(&template, text, item);
            remove_item(&template, span).map(|edit| applied(text, Some(edit)))
        };
        assert!(removed("'two'").unwrap().contains("- one\n      M"));
        assert!(
            removed("one")
                .unwrap()
                .contains("L:\n        - 'two' # c\n")
        );
        assert!(removed("b").unwrap().contains("[a, c]"));
        assert!(removed("c]").is_none());
        assert_eq!(removed("x"), None, "the only item stays");
    }
}
