//! Templates in YAML as JSON, so that every fix is tried in both.

use overgrant_cloudformation::syntax::{Kind, Node, Style};
use overgrant_cloudformation::{TemplateRead, read};
use overgrant_rules::Example;
use overgrant_source::Sources;
use std::fmt::Write as _;

/// The same example in JSON; `None` where it is no template.
pub(super) fn as_json(example: &Example) -> Option<Example> {
    if !matches!(example.language.as_str(), "cloudformation" | "sam") {
        return None;
    }
    let sources = Sources::new("/nowhere");
    let TemplateRead::Yes(template) = read(&sources.add("template.yaml", &example.text)) else {
        panic!("no template:\n{}", example.text);
    };
    let mut text = String::new();
    write(&template.root, "", &mut text);
    text.push('\n');
    Some(Example {
        text,
        marked: None,
        ..example.clone()
    })
}

fn write(node: &Node, indent: &str, out: &mut String) {
    let Some(tag) = &node.tag else {
        return untagged(node, indent, out);
    };
    let name = match tag.name.as_str() {
        name @ ("Ref" | "Condition") => name.to_owned(),
        name => format!("Fn::{name}"),
    };
    write!(out, "{{{}: ", quoted(&name)).unwrap();
    match node.scalar().and_then(|one| one.text.split_once('.')) {
        Some((of, attribute)) if tag.name == "GetAtt" => {
            write!(out, "[{}, {}]", quoted(of), quoted(attribute)).unwrap();
        }
        _ => untagged(node, indent, out),
    }
    out.push('}');
}

fn untagged(node: &Node, indent: &str, out: &mut String) {
    let deeper = format!("{indent}  ");
    match &node.kind {
        Kind::Scalar(scalar) => {
            let text = scalar.text.as_str();
            let bare = matches!(text, "true" | "false") || text.parse::<u32>().is_ok();
            match bare && scalar.style == Style::Plain {
                true => out.push_str(text),
                false => out.push_str(&quoted(text)),
            }
        }
        Kind::Seq(items) => {
            out.push('[');
            for (index, item) in items.iter().enumerate() {
                out.push_str(if index > 0 { ",\n" } else { "\n" });
                out.push_str(&deeper);
                write(item, &deeper, out);
            }
            write!(out, "\n{indent}]").unwrap();
        }
        Kind::Map(entries) => {
            out.push('{');
            for (index, entry) in entries.iter().enumerate() {
                out.push_str(if index > 0 { ",\n" } else { "\n" });
                write!(out, "{deeper}{}: ", quoted(&entry.key)).unwrap();
                write(&entry.value, &deeper, out);
            }
            write!(out, "\n{indent}}}").unwrap();
        }
    }
}

fn quoted(text: &str) -> String {
    serde_json::to_string(text).unwrap()
}
