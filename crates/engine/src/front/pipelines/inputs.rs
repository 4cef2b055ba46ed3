//! Files of GitLab CI/CD with a header: `spec` with inputs, and the configuration that uses them.
//!
//! Invariant: an input that is given by nobody at hand, or goes through a function, stays as it is written,
//! and the configuration counts as open. Source: GitLab, "CI/CD inputs".

use overgrant_cloudformation::syntax::{Entry, Kind, Node, Scalar};
use smol_str::SmolStr;
use std::collections::BTreeMap;
use std::sync::Arc;

/// How an input is written.
const OPEN: &str = "$[[";
const CLOSE: &str = "]]";

/// What inputs are.
pub(super) type Inputs = BTreeMap<SmolStr, Arc<Node>>;

/// The byte at which the document behind the header begins; `None` where there is no header.
pub(super) fn behind_header(text: &str) -> Option<usize> {
    let mut at = 0;
    let mut begun = false;
    for line in text.split_inclusive('\n') {
        let end = at + line.len();
        if line.trim_end() == "---" {
            if begun {
                return Some(end);
            }
        } else if line.starts_with("spec:") {
            begun = true;
        } else if !begun && !line.trim().is_empty() && !line.trim_start().starts_with('#') {
            return None;
        }
        at = end;
    }
    None
}

/// What a header's inputs are: given with the `include`, else by their defaults.
pub(super) fn inputs(header: &Node, given: &Inputs) -> Inputs {
    let spec = header.get("spec").and_then(|spec| spec.get("inputs"));
    let declared = spec.map(|inputs| inputs.entries()).unwrap_or_default();
    declared
        .iter()
        .filter_map(|input| {
            let value = given.get(&input.key).or_else(|| input.value.get("default"));
            Some((input.key.clone(), value?.clone()))
        })
        .collect()
}

/// The values that an `include` gives.
pub(super) fn given(include: &Node) -> Inputs {
    let inputs = include.get("inputs").map(|inputs| inputs.entries());
    let entries = inputs.unwrap_or_default().iter();
    entries
        .map(|input| (input.key.clone(), input.value.clone()))
        .collect()
}

/// A configuration with the inputs put in.
pub(super) fn fill(node: &Arc<Node>, inputs: &Inputs) -> Arc<Node> {
    let kind = match &node.kind {
        Kind::Scalar(scalar) => return filled(node, &scalar.text, inputs),
        Kind::Seq(items) => Kind::Seq(items.iter().map(|item| fill(item, inputs)).collect()),
        Kind::Map(entries) => Kind::Map(
            entries
                .iter()
                .map(|entry| Entry {
                    key: replaced(&entry.key, inputs).into(),
                    value: fill(&entry.value, inputs),
                    ..entry.clone()
                })
                .collect(),
        ),
    };
    Arc::new(Node {
        kind,
        tag: node.tag.clone(),
        span: node.span,
    })
}

/// Whether inputs are left that are not known.
pub(super) fn is_open(node: &Node) -> bool {
    match &node.kind {
        Kind::Scalar(scalar) => scalar.text.contains(OPEN),
        Kind::Seq(items) => items.iter().any(|item| is_open(item)),
        Kind::Map(entries) => entries
            .iter()
            .any(|entry| entry.key.contains(OPEN) || is_open(&entry.value)),
    }
}

/// A text with the inputs put in; one that is nothing but an input is the input itself.
fn filled(node: &Arc<Node>, text: &str, inputs: &Inputs) -> Arc<Node> {
    if !text.contains(OPEN) {
        return node.clone();
    }
    let whole = text
        .trim()
        .strip_prefix(OPEN)
        .and_then(|rest| rest.strip_suffix(CLOSE))
        .and_then(|name| value(name, inputs));
    if let Some(value) = whole {
        // It stands where it is used.
        return Arc::new(Node {
            span: node.span,
            ..(**value).clone()
        });
    }
    let Kind::Scalar(scalar) = &node.kind else {
        return node.clone();
    };
    let text = replaced(text, inputs).into();
    Arc::new(Node {
        kind: Kind::Scalar(Scalar::placed(text, scalar.style, node.span, false)),
        tag: node.tag.clone(),
        span: node.span,
    })
}

fn replaced(text: &str, inputs: &Inputs) -> String {
    let mut result = String::new();
    let mut rest = text;
    while let Some((before, tail)) = rest.split_once(OPEN) {
        let Some((name, after)) = tail.split_once(CLOSE) else {
            break;
        };
        result.push_str(before);
        match value(name, inputs).and_then(|node| node.text()) {
            Some(known) => result.push_str(known),
            None => result.extend([OPEN, name, CLOSE]),
        }
        rest = after;
    }
    result + rest
}

/// The value of `inputs.NAME`.
fn value<'i>(name: &str, inputs: &'i Inputs) -> Option<&'i Arc<Node>> {
    inputs.get(name.trim().strip_prefix("inputs.")?)
}
