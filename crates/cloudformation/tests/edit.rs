//! Edits of templates written in every way people write them: what is not meant stays as it is.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test fails by panicking; clippy knows only functions marked as tests"
)]

use overgrant_cloudformation::edit::{add_condition, remove, set_property};
use overgrant_cloudformation::syntax::{Kind, Node};
use overgrant_cloudformation::{Template, TemplateRead, read};
use overgrant_source::{Sources, TextEdit};
use proptest::prelude::*;
use std::sync::Arc;

/// How a template is written.
#[derive(Debug, Clone)]
struct Writing {
    statements: usize,
    /// Blanks of one level.
    step: usize,
    /// Whether dashes stand deeper than the key above them.
    deep_dashes: bool,
    /// A comment behind each line, and lines of comments.
    comments: bool,
    quote: char,
    windows: bool,
    last_break: bool,
    /// Which statement has a condition already.
    condition: Option<usize>,
    notation: Notation,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Notation {
    Block,
    Flow,
    Json,
}

fn writings() -> impl Strategy<Value = Writing> {
    let notation = prop_oneof![
        4 => Just(Notation::Block),
        1 => Just(Notation::Flow),
        1 => Just(Notation::Json)
    ];
    (
        (1_usize..5, 1_usize..5, any::<bool>(), any::<bool>()),
        prop_oneof![Just(' '), Just('"'), Just('\'')],
        (any::<bool>(), any::<bool>()),
        proptest::option::of(0_usize..4),
        notation,
    )
        .prop_map(|(sizes, quote, ends, condition, notation)| Writing {
            statements: sizes.0,
            step: sizes.1,
            deep_dashes: sizes.2,
            comments: sizes.3,
            quote,
            windows: ends.0,
            last_break: ends.1,
            condition,
            notation,
        })
}

impl Writing {
    fn text(&self) -> String {
        let mut text = match self.notation {
            Notation::Block => self.block(),
            Notation::Flow => self.flow(""),
            Notation::Json => self.flow("\""),
        };
        if !self.last_break {
            text.truncate(text.trim_end().len());
        }
        if self.windows {
            text = text.replace('\n', "\r\n");
        }
        text
    }

    fn scalar(&self, value: &str) -> String {
        match self.quote {
            ' ' if !value.starts_with('*') => value.to_owned(),
            ' ' => format!("'{value}'"),
            quote => format!("{quote}{value}{quote}"),
        }
    }

    fn block(&self) -> String {
        let mut lines: Vec<(usize, String)> = vec![
            (0, "Resources:".into()),
            (1, "P:".into()),
            (
                2,
                format!("Type: {}", self.scalar("AWS::IAM::ManagedPolicy")),
            ),
            (2, "Properties:".into()),
            (3, "PolicyDocument:".into()),
            (4, format!("Version: {}", self.scalar("2012-10-17"))),
            (4, "Statement:".into()),
        ];
        let mut out = String::new();
        let line = |indent: usize, text: &str, out: &mut String| {
            if self.comments {
                out.push_str(&format!("{}# on {text:.4}\n", " ".repeat(indent)));
            }
            out.push_str(&" ".repeat(indent));
            out.push_str(text);
            out.push_str(if self.comments { "  # why\n" } else { "\n" });
        };
        for (level, text) in lines.drain(..) {
            line(level * self.step, &text, &mut out);
        }
        let dash = (4 + usize::from(self.deep_dashes)) * self.step;
        for index in 0..self.statements {
            line(
                dash,
                &format!("- Sid: {}", self.scalar(&format!("S{index}"))),
                &mut out,
            );
            let inside = dash + 2;
            line(inside, "Effect: Allow", &mut out);
            line(inside, "Action:", &mut out);
            line(
                inside,
                &format!("- {}", self.scalar("iam:PassRole")),
                &mut out,
            );
            if self.condition == Some(index) {
                line(inside, "Condition:", &mut out);
                line(inside + self.step, "Bool:", &mut out);
                let key = format!("aws:SecureTransport: {}", self.scalar("true"));
                line(inside + 2 * self.step, &key, &mut out);
            }
            line(inside, &format!("Resource: {}", self.scalar("*")), &mut out);
        }
        out
    }

    fn flow(&self, key: &str) -> String {
        let value = |text: &str| match (key, self.quote) {
            ("", '\'') => format!("'{text}'"),
            _ => format!("\"{text}\""),
        };
        let pad = if self.comments { "\n  " } else { "" };
        let statements: Vec<String> = (0..self.statements)
            .map(|index| {
                let condition = if self.condition == Some(index) {
                    format!(
                        "{key}Condition{key}: {{{key}Bool{key}: {{\"aws:SecureTransport\": {}}}}}, ",
                        value("true")
                    )
                } else {
                    String::new()
                };
                format!(
                    "{{{pad}{key}Sid{key}: {}, {condition}{pad}{key}Action{key}: [{}],{pad} {key}Resource{key}: {}}}",
                    value(&format!("S{index}")),
                    value("iam:PassRole"),
                    value("*")
                )
            })
            .collect();
        format!(
            "{{{key}Resources{key}: {{{key}P{key}: {{{key}Type{key}: {}, {key}Properties{key}: {{{key}PolicyDocument{key}: {{{key}Statement{key}: [{}]}}}}}}}}}}\n",
            value("AWS::IAM::ManagedPolicy"),
            statements.join(", ")
        )
    }
}

fn parsed(text: &str) -> Template {
    match read(&Sources::new(".").add("t", text)) {
        TemplateRead::Yes(template) => *template,
        other => panic!("{other:?}\n{text}"),
    }
}

/// A node's contents without places and styles.
fn shape(node: &Node) -> String {
    match &node.kind {
        Kind::Scalar(scalar) => scalar.text.to_string(),
        Kind::Seq(items) => {
            let items: Vec<String> = items.iter().map(|item| shape(item)).collect();
            format!("[{}]", items.join(" "))
        }
        Kind::Map(entries) => {
            let mut entries: Vec<String> = entries
                .iter()
                .map(|entry| format!("{}:{}", entry.key, shape(&entry.value)))
                .collect();
            entries.sort();
            format!("{{{}}}", entries.join(" "))
        }
    }
}

fn statements(template: &Template) -> Vec<Arc<Node>> {
    let mut node = &template.root;
    for key in [
        "Resources",
        "P",
        "Properties",
        "PolicyDocument",
        "Statement",
    ] {
        node = node.get(key).unwrap();
    }
    node.items().to_vec()
}

fn shapes(template: &Template) -> Vec<String> {
    statements(template)
        .iter()
        .map(|node| shape(node))
        .collect()
}

fn words(template: &Template) -> Vec<String> {
    let comments = template.comments.iter();
    comments.map(|comment| comment.text.to_string()).collect()
}

fn applied(text: &str, edit: &TextEdit) -> String {
    let mut out = text.to_owned();
    out.replace_range(edit.span.range(), &edit.text);
    out
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn a_condition_is_added_and_nothing_else_changes(writing in writings()) {
        let text = writing.text();
        let before = parsed(&text);
        for (index, statement) in statements(&before).iter().enumerate() {
            let values = ["ec2.amazonaws.com".to_owned(), "x y".to_owned()];
            let edit = add_condition(&before, statement.span, "StringEquals", "iam:PassedToService", &values);
            let edit = edit.unwrap_or_else(|| panic!("no edit of statement {index}\n{text}"));
            prop_assert!(edit.span.is_empty(), "bytes were replaced");
            let changed = applied(&text, &edit);
            let after = parsed(&changed);
            let (old, new) = (shapes(&before), shapes(&after));
            prop_assert_eq!(words(&before), words(&after), "{}", changed);
            for (other, (old, new)) in old.iter().zip(&new).enumerate() {
                if other == index {
                    let added = "StringEquals:{iam:PassedToService:[ec2.amazonaws.com x y]}";
                    prop_assert!(new.contains(added), "{}", changed);
                    let rest = new.replace(&format!(" {added}"), "").replace(&format!("Condition:{{{added}}} "), "");
                    prop_assert_eq!(&rest, old, "{}", changed);
                } else {
                    prop_assert_eq!(new, old, "{}", changed);
                }
            }
            prop_assert_eq!(old.len(), new.len());
        }
    }

    #[test]
    fn a_property_is_set_and_nothing_else_changes(writing in writings()) {
        let text = writing.text();
        let before = parsed(&text);
        let block = before.root.get("Resources").unwrap().entries()[0].key_span;
        let edit = set_property(&before, block, "ManagedPolicyName", "a: name").unwrap();
        prop_assert!(edit.span.is_empty());
        let after = parsed(&applied(&text, &edit));
        prop_assert_eq!(words(&before), words(&after));
        prop_assert_eq!(shapes(&before), shapes(&after));
        let properties = after.root.get("Resources").unwrap().get("P").unwrap().get("Properties").unwrap();
        prop_assert_eq!(properties.get("ManagedPolicyName").unwrap().text(), Some("a: name"));
    }

    #[test]
    fn a_statement_is_removed_and_the_others_stay(writing in writings()) {
        let text = writing.text();
        let before = parsed(&text);
        let all = statements(&before);
        for (index, statement) in all.iter().enumerate() {
            let Some(edit) = remove(&before, statement.full_span()) else {
                prop_assert_eq!(all.len(), 1, "{}", text);
                continue;
            };
            let changed = applied(&text, &edit);
            let mut wanted = shapes(&before);
            wanted.remove(index);
            prop_assert_eq!(shapes(&parsed(&changed)), wanted, "{}", changed);
        }
    }
}
