//! YAML, JSON and template files that may be anything: each is read once, told apart by its text, and
//! given to the reader of its kind.
//!
//! Not for assemblies, which their manifests lead to. Invariant: a document that is neither plan nor
//! template costs a few searches and no word, unless it was named on the command line.

use super::templates::{Read, Stacks};
use super::{Input, configuration, unreadable};
use crate::Discovery;
use crate::unwind::guarded;
use overgrant_cloudformation::{self as cloudformation, TemplateRead};
use overgrant_source::{Diagnostic, Sources};
use overgrant_terraform::{self as terraform, plan};
use rayon::prelude::*;
use std::collections::BTreeSet;
use std::sync::Arc;

/// What a document is.
enum Document {
    Plan(terraform::Output),
    Template(Read),
    Lost(Box<Diagnostic>),
    Other,
}

/// Reads the documents but the `known` ones: takes what the plans say, and gives the templates, those
/// that stand alone as what they come to.
pub(super) fn read(
    input: &mut Input,
    sources: &Sources,
    found: &Discovery,
    known: &BTreeSet<Arc<str>>,
    stacks: &Stacks<'_>,
) -> Vec<Read> {
    let documents: Vec<Document> = found
        .documents
        .par_iter()
        .filter(|path| !known.contains(path.as_str()))
        .map(|path| one(sources, found, stacks, path))
        .collect();
    let mut templates = Vec::new();
    for document in documents {
        match document {
            Document::Plan(output) => configuration::accept(input, sources, output),
            Document::Template(template) => templates.push(template),
            Document::Lost(diagnostic) => input.diagnostics.push(*diagnostic),
            Document::Other => {}
        }
    }
    templates
}

/// Whether the first bytes of a file that cannot be read look like a template's, in whatever encoding.
fn meant_as_template(sources: &Sources, path: &str) -> bool {
    const MOST: u64 = 64 << 10;
    let head = sources.head(path, MOST);
    let text: String = head
        .into_iter()
        .filter(|byte| *byte != 0)
        .map(char::from)
        .collect();
    cloudformation::may_be_template(&text)
}

fn one(sources: &Sources, found: &Discovery, stacks: &Stacks<'_>, path: &str) -> Document {
    let may_be_plan = |text: &str| path.ends_with(".json") && plan::is_plan(text);
    let wanted = |text: &str| may_be_plan(text) || cloudformation::may_be_template(text);
    let file = match sources.load_if(path, wanted) {
        Ok(Some(file)) => file,
        Ok(None) => return Document::Other,
        // A document may be anything: only one that was meant to be read is missed.
        Err(error)
            if found.explicit.contains(path)
                || path.ends_with(".template")
                || meant_as_template(sources, path) =>
        {
            return Document::Lost(Box::new(unreadable(path, &error)));
        }
        Err(_) => return Document::Other,
    };
    let lost = |caught: Diagnostic| Document::Lost(Box::new(caught.in_file(path).losing_file()));
    if may_be_plan(file.text()) {
        match guarded(&format!("reading the plan `{path}`"), || {
            plan::read(sources, &file)
        }) {
            Ok(Some(output)) => return Document::Plan(output),
            Ok(None) => {}
            Err(caught) => return lost(caught),
        }
    }
    match guarded(&format!("reading `{path}`"), || cloudformation::read(&file)) {
        Ok(TemplateRead::Yes(template)) => Document::Template(stacks.take(template)),
        Ok(TemplateRead::Lost(diagnostic)) => Document::Lost(Box::new(diagnostic.losing_file())),
        Ok(TemplateRead::No) => Document::Other,
        Err(caught) => lost(caught),
    }
}
