//! CloudFormation and SAM templates, evaluated by stack.
//!
//! Not for assemblies, nor for what is a template. Invariant: a stack that fails costs itself only.

use super::{Input, packaged, relative};
use crate::settle::MetadataIgnore;
use crate::unwind::guarded;
use crate::{Error, Options};
use overgrant_cloudformation::{
    self as cloudformation, Beside, ParameterValues, Project, Template,
};
use overgrant_ir::{Output, Resource};
use overgrant_source::{Sources, Span};
use overgrant_value::{Guard, Val};
use rayon::prelude::*;
use smol_str::{SmolStr, format_smolstr};
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

/// Evaluates every stack of `templates`.
pub(super) fn read(
    input: &mut Input,
    sources: &Arc<Sources>,
    templates: Vec<Template>,
    options: &Options,
) -> Result<(), Error> {
    let parameters = parameters(sources, &options.parameters)?;
    let ignores = note(input, &templates);
    let packaged = packaged::beside_source(&templates);
    let mut project = Project::new(Arc::clone(sources), templates);
    let is_source = |stack: &&SmolStr| packaged.iter().all(|(path, _)| path != stack.as_str());
    let stacks: Vec<SmolStr> = project.stacks().iter().filter(is_source).cloned().collect();
    input
        .diagnostics
        .extend(packaged.iter().map(|(_, note)| note.clone()));
    let mut beside = Beside::default();
    for stack in &stacks {
        let (mut values, told) = beside.values(sources, stack);
        input.diagnostics.extend(told);
        values.extend(parameters.clone());
        project = project.with_options(
            stack.clone(),
            cloudformation::Options {
                parameters: values,
                ..cloudformation::Options::default()
            },
        );
    }
    let results: Vec<_> = stacks
        .par_iter()
        .map(|stack| {
            guarded(&format!("evaluating `{stack}`"), || {
                project.evaluate_last(stack)
            })
        })
        .collect();
    for result in results {
        match result {
            Ok(evaluated) => {
                accept(input, &ignores, &evaluated.resources);
                input
                    .outputs
                    .extend(outputs(&evaluated.resources, evaluated.outputs));
                input.resources.extend(evaluated.resources);
                input.diagnostics.extend(evaluated.diagnostics);
            }
            Err(caught) => input.diagnostics.push(caught),
        }
    }
    Ok(())
}

/// Values from all parameter files; later files win.
fn parameters(sources: &Sources, files: &[PathBuf]) -> Result<ParameterValues, Error> {
    let mut values = ParameterValues::new();
    for path in files {
        let name = relative(sources, path)?;
        let file = sources
            .load(&name)
            .map_err(|error| Error::Value(error.to_string()))?;
        let read = cloudformation::parameter_values(&file)
            .map_err(|problem| Error::Value(format!("{name}: {}", problem.message)))?;
        values.extend(read);
    }
    Ok(values)
}

/// An ignore with the block that it stands in.
pub(super) struct BlockIgnore {
    block: Span,
    rule: String,
    reason: Option<String>,
    until: Option<String>,
    span: Span,
}

/// Takes files, comments, problems and ignores of templates.
pub(super) fn note<'a>(
    input: &mut Input,
    templates: impl IntoIterator<Item = &'a Template>,
) -> Vec<BlockIgnore> {
    let mut ignores = Vec::new();
    for template in templates {
        input.files.insert(template.file.path().into());
        input
            .comments
            .push((template.file.id(), template.comments.clone()));
        input.diagnostics.extend(template.diagnostics.clone());
        for resource in template
            .root
            .get("Resources")
            .into_iter()
            .flat_map(|all| all.entries())
        {
            let listed = resource
                .value
                .get("Metadata")
                .and_then(|metadata| metadata.get("overgrant"))
                .and_then(|ours| ours.get("ignore"));
            let Some(listed) = listed else {
                continue;
            };
            for item in listed.items() {
                let text = |key: &str| item.get(key).and_then(|node| node.text());
                let Some(rule) = text("rule").or_else(|| item.text()) else {
                    continue;
                };
                ignores.push(BlockIgnore {
                    block: resource.key_span.to(resource.value.span),
                    rule: rule.to_string(),
                    reason: text("reason").map(|reason| reason.to_string()),
                    until: text("until").map(|until| until.to_string()),
                    span: item.span,
                });
            }
        }
    }
    ignores
}

/// Gives the ignores to the resources that came out of their blocks.
pub(super) fn accept(input: &mut Input, ignores: &[BlockIgnore], resources: &[Resource]) {
    for ignore in ignores {
        for resource in resources {
            if resource
                .src
                .span
                .is_some_and(|span| ignore.block.contains(span))
            {
                input.metadata.push(MetadataIgnore {
                    root: SmolStr::clone(&resource.root),
                    address: resource.address.clone(),
                    rule: ignore.rule.clone(),
                    reason: ignore.reason.clone(),
                    until: ignore.until.clone(),
                    span: Some(ignore.span),
                });
            }
        }
    }
}

/// The outputs of a stack that makes secrets which one may carry.
pub(super) fn outputs(resources: &[Resource], outputs: BTreeMap<SmolStr, Val>) -> Vec<Output> {
    let Some(first) = resources
        .iter()
        .find(|resource| resource.kind == "AWS::IAM::AccessKey")
    else {
        return Vec::new();
    };
    outputs
        .into_iter()
        .map(|(name, val)| Output {
            root: first.root.clone(),
            address: format_smolstr!("Outputs.{name}"),
            format: first.format,
            src: val.src().clone(),
            val,
            guard: Guard::always(),
        })
        .collect()
}
