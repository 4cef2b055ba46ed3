//! CloudFormation and SAM front end of overgrant.
//!
//! Not for rules or reports: this crate turns templates into the shared model's resources.
//! Invariant: data flows `syntax` (spanned tree of a YAML or JSON file) to evaluation to resources.

pub mod syntax;
