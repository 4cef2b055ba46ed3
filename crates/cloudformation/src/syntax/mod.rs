//! Templates as text: one spanned tree for YAML and JSON, and the decision what is a template.
//!
//! Not for the meaning of intrinsics or types: scalars stay source text here. Invariant: every node
//! knows the bytes it was written with, and every scalar knows which bytes each part of its value
//! came from.

mod align;
mod block;
mod detect;
mod json;
pub(crate) mod make;
mod masked;
mod tree;
mod words;
mod yaml;

pub use detect::{Format, Template, TemplateRead, is_template, may_be_template, read};
pub use json::parse_json;
pub use tree::{Entry, Kind, Node, Parsed, Scalar, Style, Tag};
pub use yaml::{parse_yaml, parse_yaml_behind};

/// Nesting (aliases followed) that is still read; deeper input is refused with a diagnostic.
pub const MAX_DEPTH: usize = 128;
/// Nodes of one file, every use of an alias counted anew.
pub const MAX_NODES: u64 = 1_000_000;
