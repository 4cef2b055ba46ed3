//! Terraform plans as JSON: found by content.
//!
//! Not for plan files in Terraform's own format, which only Terraform reads. Invariant: a document
//! that is no plan costs one search.

use super::{Input, configuration};
use crate::Discovery;
use crate::unwind::guarded;
use overgrant_source::Sources;
use overgrant_terraform::plan;
use rayon::prelude::*;

/// Reads the plans among the documents.
pub(super) fn read(input: &mut Input, sources: &Sources, found: &Discovery) {
    let results: Vec<_> = found
        .documents
        .par_iter()
        .filter(|path| path.ends_with(".json"))
        .filter_map(|path| {
            let file = sources.load_if(path, plan::is_plan).ok()??;
            guarded(&format!("reading the plan `{path}`"), || {
                plan::read(sources, &file)
            })
            .map_err(|caught| caught.in_file(path.as_str()).losing_file())
            .transpose()
        })
        .collect();
    for result in results {
        match result {
            Ok(output) => configuration::accept(input, sources, output),
            Err(caught) => input.diagnostics.push(caught),
        }
    }
}
