//! CDK assemblies: read through their manifest, evaluated by stack.
//!
//! Not for templates outside assemblies. Invariant: a finding in a generated template can be moved to
//! the construct that made the resource, where the assembly says which line that is.

use super::Input;
use super::templates::{accept, note};
use crate::Discovery;
use crate::settle::Call;
use crate::unwind::guarded;
use overgrant_cdk::Assembly;
use overgrant_source::Sources;
use rayon::prelude::*;
use std::sync::Arc;

/// Reads every assembly and evaluates its stacks.
pub(super) fn read(input: &mut Input, sources: &Arc<Sources>, found: &Discovery) {
    for directory in &found.assemblies {
        let what = format!("reading the assembly `{directory}`");
        match guarded(&what, || Assembly::read(Arc::clone(sources), directory)) {
            Ok(assembly) => one(input, &assembly),
            Err(caught) => input.diagnostics.push(caught.in_file(directory.as_str())),
        }
    }
}

fn one(input: &mut Input, assembly: &Assembly) {
    input
        .diagnostics
        .extend(assembly.diagnostics().iter().cloned());
    let ignores = note(input, assembly.templates());
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
                accept(input, &ignores, &found.resources);
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
}
