//! Helpers for this crate's tests.

use crate::{Evaluated, Project, TemplateRead, read};
use overgrant_source::Sources;
use overgrant_value::{Piece, json};
use std::sync::Arc;

/// A project of these files; all must be templates.
pub(crate) fn project(files: &[(&str, &str)]) -> Project {
    let sources = Arc::new(Sources::new("."));
    let templates = files
        .iter()
        .map(|(path, text)| match read(&sources.add(path, text)) {
            TemplateRead::Yes(template) => *template,
            other => panic!("{path}: {other:?}"),
        })
        .collect();
    Project::new(sources, templates)
}

/// One template, evaluated.
pub(crate) fn one(text: &str) -> Evaluated {
    project(&[("t.yaml", text)]).evaluate("t.yaml")
}

/// The property `V` of the resource `X` as JSON.
pub(crate) fn property(text: &str) -> String {
    let found = one(text);
    let resource = found.resources.iter().find(|r| r.address == "X").unwrap();
    json::to_string(&resource.get("V").unwrap())
}

/// The source text of each piece of the property `V` of the resource `X`.
pub(crate) fn spans(text: &str) -> Vec<String> {
    let found = one(text);
    let resource = found.resources.iter().find(|r| r.address == "X").unwrap();
    let val = resource.get("V").unwrap().to_text().unwrap();
    val.pieces()
        .iter()
        .map(|piece| {
            let span = match piece {
                Piece::Lit(lit) => lit.span(),
                Piece::Hole(hole) => hole.src.span,
                Piece::Json(val) => val.span(),
            };
            text.get(span.unwrap().range()).unwrap().to_owned()
        })
        .collect()
}
