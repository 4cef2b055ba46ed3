//! What happens to a template before it is evaluated: included files, loops, SAM.
//!
//! Not for values: these are rewritings of nodes, whose results are evaluated like everything else.
//! Invariant: a rewritten node keeps the places it came from, a made one has the place that made it.

mod foreach;
mod include;
mod sam;

pub(crate) use include::{directory, is_local};

use crate::eval::Parameters;
use crate::syntax::{Entry, Node, Template, make};
use overgrant_source::{Diagnostic, Sources};
use smol_str::SmolStr;
use std::collections::BTreeMap;
use std::sync::Arc;

/// A template after its transforms.
#[derive(Debug, Clone)]
pub(crate) struct Expanded {
    pub(crate) root: Arc<Node>,
    /// Generated logical ids and the logical id of the entry that made them.
    pub(crate) origins: BTreeMap<SmolStr, SmolStr>,
    pub(crate) diagnostics: Vec<Diagnostic>,
}

/// Applies included files, `AWS::LanguageExtensions` and `AWS::Serverless-2016-10-31`.
pub(crate) fn expand(sources: &Sources, template: &Template, parameters: &Parameters) -> Expanded {
    let mut diagnostics = Vec::new();
    let mut root = Arc::clone(&template.root);
    if template.file.text().contains("AWS::Include") {
        root = include::expand(sources, &template.file, &root, &mut diagnostics);
    }
    if template.file.text().contains("DefinitionUri")
        || template.file.text().contains("BodyS3Location")
    {
        root = include::definitions(sources, &template.file, &root, &mut diagnostics);
    }
    if template.file.text().contains("Fn::ForEach") {
        root = foreach::expand(&template.file, &root, parameters, &mut diagnostics);
    }
    let mut origins = BTreeMap::new();
    if sam::applies(&root) {
        let made = sam::expand(&template.file, &root, &mut diagnostics);
        origins = made.origins;
        root = with_section(&root, "Resources", made.resources);
    }
    Expanded {
        root,
        origins,
        diagnostics,
    }
}

/// The same root with another value for one section.
fn with_section(root: &Arc<Node>, name: &str, value: Arc<Node>) -> Arc<Node> {
    let entries: Vec<Entry> = root
        .entries()
        .iter()
        .map(|entry| {
            if entry.key == name {
                Entry {
                    value: Arc::clone(&value),
                    ..entry.clone()
                }
            } else {
                entry.clone()
            }
        })
        .collect();
    make::map_of(entries, root.span)
}
