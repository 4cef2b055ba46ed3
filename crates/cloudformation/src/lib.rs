//! CloudFormation and SAM front end of overgrant.
//!
//! Not for rules or reports: this crate turns templates into the shared model's resources.
//! Invariant: data flows one way, from `syntax` (the spanned tree of a file) through `expand`
//! (includes, loops, SAM: trees to trees) and `eval` (trees to values) to `stack` (resources).

mod beside;
mod construct;
pub mod edit;
mod eval;
mod expand;
mod fragment;
mod nested;
mod parameter_file;
mod project;
mod sam_config;
mod stack;
pub mod syntax;
#[cfg(test)]
mod testing;

pub use beside::Beside;
pub use eval::{Environment, ParameterValues};
pub use parameter_file::parameter_values;
pub use project::{Evaluated, Needs, Options, Project, may_export, stands_alone};
pub use syntax::{Template, TemplateRead, may_be_template, read};
