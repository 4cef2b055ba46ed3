//! Terraform and OpenTofu configuration: every root among the directories that were found.
//!
//! Not for which directories are roots, which the front end decides. Invariant: a value given for a
//! variable that no root declares is an error, never ignored.

use super::{Input, relative};
use crate::near::near;
use crate::unwind::guarded;
use crate::{Discovery, Error, Options};
use overgrant_source::Sources;
use overgrant_terraform::{self as terraform, Given};
use std::path::Path;

/// Evaluates the directories with configuration files.
pub(super) fn read(
    input: &mut Input,
    sources: &Sources,
    found: &Discovery,
    options: &Options,
) -> Result<(), Error> {
    let dirs: Vec<String> = found.terraform.keys().cloned().collect();
    let values = given(sources, options)?;
    if dirs.is_empty() {
        return undeclared(&values, &std::collections::BTreeSet::new());
    }
    let options = terraform::Options { values };
    let output = match guarded("evaluating Terraform", || terraform::evaluate(sources, &dirs, &options)) {
        Ok(output) => output,
        Err(caught) => {
            input.diagnostics.push(caught);
            return Ok(());
        }
    };
    undeclared(&options.values, &output.variables)?;
    for path in &output.files {
        input.files.insert(path.as_str().into());
    }
    for (path, comments) in output.comments {
        if let Ok(file) = sources.load(&path) {
            input.comments.push((file.id(), comments));
        }
    }
    input.resources.extend(output.resources);
    input.diagnostics.extend(output.diagnostics);
    Ok(())
}

/// `--var` and `--var-file` in the order given; files are read relative to the working directory.
fn given(sources: &Sources, options: &Options) -> Result<Vec<Given>, Error> {
    let mut values = Vec::new();
    for text in &options.var_files {
        let (root, file) = match text.split_once("//=") {
            Some((root, file)) => (Some(root.to_owned()), file),
            None => (None, text.as_str()),
        };
        values.push(Given::File {
            root,
            path: relative(sources, Path::new(file))?,
        });
    }
    for text in &options.vars {
        let Some((name, value)) = text.split_once('=') else {
            return Err(Error::Value(format!("`--var {text}` has no value; write NAME=VALUE")));
        };
        let (root, name) = match name.rsplit_once("//") {
            Some((root, name)) => (Some(root.to_owned()), name),
            None => (None, name),
        };
        values.push(Given::Value {
            root,
            name: name.into(),
            text: value.to_owned(),
        });
    }
    Ok(values)
}

fn undeclared(
    values: &[Given],
    declared: &std::collections::BTreeSet<smol_str::SmolStr>,
) -> Result<(), Error> {
    for value in values {
        let Given::Value { name, .. } = value else { continue };
        if !declared.contains(name) {
            let near = near(name, declared.iter().map(smol_str::SmolStr::as_str))
                .map_or_else(String::new, |near| format!(" (did you mean `{near}`?)"));
            return Err(Error::Value(format!("no root module declares the variable `{name}`{near}")));
        }
    }
    Ok(())
}
