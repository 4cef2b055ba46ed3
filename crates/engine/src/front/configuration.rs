//! Terraform and OpenTofu directories.
//!
//! Not for what a root is, which the front end says. Invariant: a value given for a variable that no
//! root declares is an error with the near name.

use super::{Input, relative};
use crate::near::near;
use crate::settle::Call;
use crate::unwind::guarded;
use crate::{Config, Discovery, Error, Options};
use overgrant_source::{FileId, Sources};
use overgrant_terraform::{self as terraform, Given};
use std::collections::BTreeSet;
use std::path::Path;

/// Evaluates the directories with what was given on the command line and in the configuration.
pub(super) fn read(
    input: &mut Input,
    sources: &Sources,
    found: &Discovery,
    config: &Config,
    options: &Options,
) -> Result<(), Error> {
    let mut values = Vec::new();
    for (roots, files) in &config.var_files {
        for dir in found.terraform.keys().filter(|dir| roots.is_match(dir)) {
            values.extend(files.iter().map(|path| Given::File {
                root: Some(dir.clone()),
                path: path.clone(),
            }));
        }
    }
    for text in &options.var_files {
        values.push(file(sources, text)?);
    }
    for text in &options.vars {
        values.push(value(text)?);
    }
    let dirs: Vec<String> = found.terraform.keys().cloned().collect();
    let given = terraform::Options {
        values,
        ..terraform::Options::default()
    };
    let output = match guarded("evaluating Terraform", || {
        terraform::evaluate(sources, &dirs, &given)
    }) {
        Ok(output) => output,
        Err(caught) => {
            input.diagnostics.push(caught);
            return Ok(());
        }
    };
    for value in &given.values {
        if let Given::Value { name, .. } = value
            && !output.variables.contains(name)
        {
            let near = near(name, output.variables.iter().map(|known| known.as_str()))
                .map_or_else(String::new, |near| format!("; did you mean `{near}`?"));
            return Err(Error::Value(format!(
                "--var {name}: no root module declares this variable{near}"
            )));
        }
    }
    accept(input, sources, output);
    Ok(())
}

/// Takes what the front end gave.
pub(super) fn accept(input: &mut Input, sources: &Sources, output: terraform::Output) {
    input.resources.extend(output.resources);
    input.outputs.extend(output.outputs);
    let calls = output.calls.into_iter().map(|call| Call {
        root: call.root,
        module: call.module,
        span: call.span,
    });
    input.calls.extend(calls);
    input.diagnostics.extend(output.diagnostics);
    let known: BTreeSet<FileId> = input.comments.iter().map(|(file, _)| *file).collect();
    for (path, comments) in output.comments {
        if let Ok(file) = sources.load(&path)
            && !known.contains(&file.id())
        {
            input.comments.push((file.id(), comments));
        }
    }
    let files = output.files.into_iter();
    input.files.extend(files.map(|path| path.as_str().into()));
}

/// `NAME=VALUE` or `ROOT//NAME=VALUE`.
fn value(text: &str) -> Result<Given, Error> {
    let wrong = || {
        Error::Value(format!(
            "--var {text}: write NAME=VALUE or ROOT//NAME=VALUE"
        ))
    };
    let (name, value) = text.split_once('=').ok_or_else(wrong)?;
    let (root, name) = match name.rsplit_once("//") {
        Some((root, name)) => (Some(root.to_owned()), name),
        None => (None, name),
    };
    if name.is_empty() {
        return Err(wrong());
    }
    Ok(Given::Value {
        root,
        name: name.into(),
        text: value.to_owned(),
    })
}

/// `FILE` or `ROOT//=FILE`.
fn file(sources: &Sources, text: &str) -> Result<Given, Error> {
    let (root, path) = match text.split_once("//=") {
        Some((root, path)) => (Some(root.to_owned()), path),
        None => (None, text),
    };
    Ok(Given::File {
        root,
        path: relative(sources, Path::new(path))?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_may_name_a_root() {
        let given = |root: Option<&str>, name: &str, text: &str| Given::Value {
            root: root.map(str::to_owned),
            name: name.into(),
            text: text.to_owned(),
        };
        assert_eq!(value("a=b=c").unwrap(), given(None, "a", "b=c"));
        assert_eq!(value("x/y//a=b").unwrap(), given(Some("x/y"), "a", "b"));
        assert!(value("a").is_err() && value("=b").is_err());
    }
}
