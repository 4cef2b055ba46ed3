//! The front ends behind one door: from discovered files to evaluated resources.
//!
//! Not for what the formats mean. Invariant: an error of ours in one root or template becomes a
//! diagnostic and costs that root only; resources come in an order that does not depend on threads.

mod assemblies;
mod configuration;
mod documents;
mod packaged;
mod pipelines;
mod templates;
mod workflows;

use crate::settle::{Call, MetadataIgnore};
use crate::{Config, Discovery, Error, Options};
use overgrant_ir::{Accounts, Output, Resource};
use overgrant_source::{Comment, Diagnostic, FileId, Level, ReadError, Sources};
use smol_str::SmolStr;
use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;

/// What all front ends gave.
#[derive(Debug, Default)]
pub(crate) struct Input {
    pub(crate) resources: Vec<Resource>,
    /// Outputs that may carry secrets.
    pub(crate) outputs: Vec<Output>,
    pub(crate) diagnostics: Vec<Diagnostic>,
    /// Comments of every file read.
    pub(crate) comments: Vec<(FileId, Vec<Comment>)>,
    /// Ignores in the metadata of resources.
    pub(crate) metadata: Vec<MetadataIgnore>,
    /// Calls of Terraform modules, and constructs of the CDK.
    pub(crate) calls: Vec<Call>,
    /// Accounts of roots, where the input says them beside its resources.
    pub(crate) accounts: Vec<(SmolStr, SmolStr)>,
    /// Paths of the files read as configuration.
    pub(crate) files: BTreeSet<Arc<str>>,
}

impl Input {
    /// Adds what another part of a front end gave.
    fn append(&mut self, other: Self) {
        self.resources.extend(other.resources);
        self.outputs.extend(other.outputs);
        self.diagnostics.extend(other.diagnostics);
        self.comments.extend(other.comments);
        self.metadata.extend(other.metadata);
        self.calls.extend(other.calls);
        self.accounts.extend(other.accounts);
        self.files.extend(other.files);
    }

    /// What is known of accounts, for the model.
    pub(crate) fn frame(&mut self, config: &Config, accounts: &mut Accounts) {
        let own = config.settings.own_accounts.iter();
        accounts.own = own.map(|id| id.as_str().into()).collect();
        accounts.roots.extend(std::mem::take(&mut self.accounts));
    }
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
    configuration::read(&mut input, sources, found, config, options)?;
    let stacks = templates::Stacks::new(sources, options)?;
    // A template that is named beside its assembly is read through it.
    let assemblies = assemblies::read(sources, found);
    let templates = documents::read(&mut input, sources, found, &assemblies.files, &stacks);
    stacks.read(&mut input, templates);
    input.append(assemblies);
    workflows::read(&mut input, sources);
    pipelines::read(&mut input, sources);
    for path in &found.explicit {
        let told = input
            .diagnostics
            .iter()
            .any(|diagnostic| diagnostic.path.as_deref() == Some(path));
        if !input.files.contains(path.as_str()) && !told {
            let words = format!(
                "`{path}` is no Terraform file, CloudFormation template, plan or pipeline with a token; nothing in it was checked"
            );
            let diagnostic = Diagnostic::new(Level::Warning, "not-configuration", words);
            input.diagnostics.push(diagnostic.in_file(path.as_str()));
        }
    }
    Ok(input)
}

/// The diagnostic for a file that could not be read.
fn unreadable(path: &str, error: &ReadError) -> Diagnostic {
    Diagnostic::new(Level::Error, "unreadable", error.to_string())
        .in_file(path)
        .losing_file()
}

/// The path of a file given by the user, relative to the base.
fn relative(sources: &Sources, path: &Path) -> Result<String, Error> {
    let shown = path.display().to_string();
    let full = path
        .canonicalize()
        .map_err(|_| Error::MissingPath(shown.clone()))?;
    crate::discover::relative(sources.base(), &full).ok_or(Error::MissingPath(shown))
}
