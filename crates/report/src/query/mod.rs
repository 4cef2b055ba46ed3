//! Answers to queries, for people and for programs.
//!
//! Not for asking. Invariant: the text says what the JSON says; places are `path:line`, as in reports
//! of findings; the same model gives the same bytes.

mod access;
mod can;
mod html;
mod paths;
mod picture;

pub use access::{access_json, access_text};
pub use can::{can_json, can_text, who_can_json, who_can_text};
pub use html::paths_html;
pub use paths::{paths_json, paths_text};
pub use picture::{paths_dot, paths_mermaid};

use overgrant_access::Access;
use overgrant_access::graph::Place;
use overgrant_engine::Located;
use overgrant_ir::IdentityId;
use overgrant_source::Sources;
use serde_json::{Value, json};

/// What answers are printed from.
#[derive(Debug, Clone, Copy)]
pub struct Asked<'a> {
    /// The linked model.
    pub access: &'a Access<'a>,
    /// The files, for places.
    pub sources: &'a Sources,
}

impl Asked<'_> {
    /// ` (path:line)`, or nothing.
    fn at(&self, place: Option<&Place>) -> String {
        let found = place.and_then(|place| Located::of(self.sources, place.span?));
        found.map_or_else(String::new, |found| {
            format!(" ({}:{})", found.path, found.line())
        })
    }

    /// A place as in findings: path, start, end, with the address.
    fn place(&self, place: Option<&Place>) -> Value {
        let Some(place) = place else {
            return Value::Null;
        };
        let found = place.span.and_then(|span| Located::of(self.sources, span));
        let point = |at: Option<overgrant_source::LineColumn>| {
            at.map(|at| json!({ "line": at.line, "column": at.column }))
        };
        json!({
            "address": place.address.as_str(),
            "root": place.root.as_str(),
            "statement": place.statement,
            "path": found.as_ref().map(|found| found.path.to_string()),
            "start": found.as_ref().and_then(|found| point(found.start)),
            "end": found.as_ref().and_then(|found| point(found.end)),
        })
    }

    /// ``role `x` ``.
    fn name(&self, id: IdentityId) -> String {
        self.access
            .describe(overgrant_access::graph::Node::Identity(id))
    }

    /// The address of an identity.
    fn address(&self, id: IdentityId) -> String {
        let identity = self.access.model().identity(id);
        identity.map_or_else(String::new, |one| self.access.address(&one.place))
    }
}

/// `a`, or `a and 3 more`.
fn some(list: &[String], most: usize) -> String {
    let shown = list
        .get(..most.min(list.len()))
        .unwrap_or_default()
        .join(", ");
    match list.len().saturating_sub(most) {
        0 => shown,
        more => format!("{shown} and {more} more"),
    }
}
