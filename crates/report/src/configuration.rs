//! The configuration in force, for people and for programs.
//!
//! Invariant: the text is YAML that `overgrant.yaml` may hold and that means the same.

use overgrant_engine::{InForce, Origin};
use serde_json::{Map, Value, json};
use std::fmt::Write as _;

/// A JSON value on several lines, with a line end.
#[must_use]
pub fn pretty(value: &Value) -> String {
    format!("{value:#}\n")
}

/// One line a key, as YAML, with where it comes from as a comment.
#[must_use]
pub fn configuration_text(shown: &[InForce]) -> String {
    let mut text = String::new();
    for one in shown {
        let _ = writeln!(text, "# {} ({})", one.about, words(&one.origin));
        // Nothing was said, and nothing can be written for it.
        let off = if one.value.is_null() { "# " } else { "" };
        let _ = writeln!(text, "{off}{}: {}", one.key, one.value);
    }
    text
}

fn words(origin: &Origin) -> String {
    match origin {
        Origin::Default => "default".to_owned(),
        Origin::File { path, line } => {
            line.map_or_else(|| path.clone(), |line| format!("{path}:{line}"))
        }
    }
}

/// An object: by key, value and origin.
#[must_use]
pub fn configuration_json(shown: &[InForce]) -> String {
    let keys: Map<String, Value> = shown
        .iter()
        .map(|one| {
            let origin = match &one.origin {
                Origin::Default => Value::Null,
                Origin::File { path, line } => json!({ "path": path, "line": line }),
            };
            let entry = json!({ "value": one.value, "origin": origin, "about": one.about });
            (one.key.to_owned(), entry)
        })
        .collect();
    pretty(&json!({ "schema": 1, "config": keys }))
}
