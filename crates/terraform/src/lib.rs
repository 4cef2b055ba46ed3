//! Terraform and OpenTofu front end: configuration to evaluated resources.
//!
//! [`evaluate`] reads directories, evaluates every root module among them with what it calls, and
//! gives one [`Resource`] per resource instance. Not for what resources mean (`ir`) nor for rules.
//! Invariant: bad input is a diagnostic, and what is not known is an unknown value.

mod config;
pub mod console;
pub mod edit;
mod eval;
mod functions;
pub mod plan;
mod roots;
pub mod syntax;
#[cfg(test)]
mod tests;

use overgrant_ir::Resource;
use overgrant_source::{Comment, Diagnostic, Sources, Span};
use smol_str::SmolStr;
use std::collections::{BTreeMap, BTreeSet};

/// A value given from outside, in the order of the command line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Given {
    /// `--var NAME=TEXT`.
    Value {
        /// The one root it is for; all that declare the name if `None`.
        root: Option<String>,
        /// The variable.
        name: SmolStr,
        /// The text: HCL, or plain text where the variable is a string.
        text: String,
    },
    /// `--var-file FILE`.
    File {
        /// The one root it is for; all if `None`.
        root: Option<String>,
        /// The file, relative to the base.
        path: String,
    },
}

/// What is given to the roots of a run.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// Values in the order in which they are given; later ones win.
    pub values: Vec<Given>,
    /// What `TF_VAR_` variables of the environment say, by variable; weaker than any file.
    pub environment: BTreeMap<SmolStr, String>,
}

/// A module call that was followed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ModuleCall {
    /// Directory of the root module.
    pub root: SmolStr,
    /// Address of the module instance in that root: `module.app["eu"].module.iam`.
    pub module: SmolStr,
    /// The `source` argument of the call; the header of the block where it has none.
    pub span: Span,
}

/// What comes out of a run.
#[derive(Debug, Default)]
pub struct Output {
    /// All resource instances, by root and address.
    pub resources: Vec<Resource>,
    /// The outputs of roots that make secrets of IAM, which one may carry.
    pub outputs: Vec<overgrant_ir::Output>,
    /// What was not understood, by file and place.
    pub diagnostics: Vec<Diagnostic>,
    /// Configuration files that were read, called modules included.
    pub files: Vec<String>,
    /// The comments of each file.
    pub comments: Vec<(String, Vec<Comment>)>,
    /// The calls of all roots, in the order of evaluation.
    pub calls: Vec<ModuleCall>,
    /// Directories that were evaluated as roots.
    pub roots: Vec<SmolStr>,
    /// Names of the variables that roots declare.
    pub variables: BTreeSet<SmolStr>,
}

/// Evaluates the roots among the directories `dirs` (relative to the base of `sources`).
#[must_use]
pub fn evaluate(sources: &Sources, dirs: &[String], options: &Options) -> Output {
    roots::evaluate(sources, dirs, options)
}

/// Whether a file name is one of Terraform's or OpenTofu's configuration files.
#[must_use]
pub fn is_config_file(name: &str) -> bool {
    let names = [name.to_owned()];
    let (plain, overrides) = config::module::config_files(&names);
    !plain.is_empty() || !overrides.is_empty()
}
