//! Text of Terraform's native syntax to a syntax tree with a place for every node.
//!
//! Not for meaning: which blocks and names exist is the evaluator's business. Invariant: every
//! byte offset in the tree counts from the first byte of the file on disk, and one bad block costs
//! that block alone.

mod lower;
mod parse;
mod scan;
mod template;
pub mod tree;

pub(crate) use parse::parse_literal_body;
pub use parse::{File, parse_expression, parse_file, parse_literal_template, parse_template};
