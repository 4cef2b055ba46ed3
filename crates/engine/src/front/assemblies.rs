//! CDK assemblies: read through their manifest, evaluated by stack.
//!
//! Not for templates outside assemblies. Invariant: a finding in a generated template can be moved to
//! the construct that made the resource, where the assembly says which line that is.

use super::Input;
use super::templates::{accept, note, outputs};
use crate::Discovery;
use crate::settle::Call;
use crate::unwind::guarded;
use overgrant_cdk::Assembly;
use overgrant_source::{Diagnostic, Sources};
use rayon::prelude::*;
use std::sync::Arc;

/// Reads every assembly and evaluates its stacks.
pub(super) fn read(sources: &Arc<Sources>, found: &Discovery) -> Input {
    let mut input = Input::default();
    let results: Vec<Result<Input, Diagnostic>> = found
        .assemblies
        .par_iter()
        .map(|directory| {
            let what = format!("reading the assembly `{directory}`");
            guarded(&what, || Assembly::read(Arc::clone(sources), directory))
                .map(|assembly| one(&assembly))
                .map_err(|caught| caught.in_file(directory.as_str()))
        })
        .collect();
    for result in results {
        match result {
            Ok(found) => input.append(found),
            Err(caught) => input.diagnostics.push(caught),
        }
    }
    input
}

fn one(assembly: &Assembly) -> Input {
    let mut input = Input {
        diagnostics: assembly.diagnostics().to_vec(),
        ..Input::default()
    };
    let templates: Vec<_> = assembly.templates().collect();
    let ignores = note(&mut input, templates.iter().map(AsRef::as_ref));
    let results: Vec<_> = assembly
        .stacks()
        .par_iter()
        .map(|stack| {
            let found = guarded(&format!("evaluating `{}`", stack.root), || {
                assembly.evaluate(stack)
            });
            (stack, found)
        })
        .collect();
    for (stack, result) in results {
        match result {
            Ok(found) => {
                let account = stack.environment.account.clone();
                let known = account.map(|account| (stack.root.clone(), account));
                input.accounts.extend(known);
                accept(&mut input, &ignores, &found.resources);
                input
                    .outputs
                    .extend(outputs(&found.resources, found.outputs));
                let constructs = found.constructs.into_iter();
                input.calls.extend(constructs.map(|construct| Call {
                    root: stack.root.clone(),
                    module: construct.path,
                    span: construct.source,
                }));
                input.resources.extend(found.resources);
                input.diagnostics.extend(found.diagnostics);
            }
            Err(caught) => input.diagnostics.push(caught),
        }
    }
    input
}
