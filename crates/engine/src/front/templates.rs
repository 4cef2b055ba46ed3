//! CloudFormation and SAM templates, evaluated by stack.
//!
//! Not for assemblies, nor for what is a template. Invariant: a stack that fails costs itself only; a
//! template that needs no other one is let go before the next is read.

use super::{Input, packaged, relative};
use crate::settle::MetadataIgnore;
use crate::unwind::guarded;
use crate::{Error, Options};
use overgrant_cloudformation::{
    self as cloudformation, Beside, Evaluated, Needs, ParameterValues, Project, Template,
    TemplateRead,
};
use overgrant_ir::{Output, Resource};
use overgrant_source::{Comment, Diagnostic, FileId, Sources, Span};
use overgrant_value::{Guard, Val};
use rayon::prelude::*;
use smol_str::{SmolStr, format_smolstr};
use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::Arc;

/// What one stack came to, and what is wrong with the files of its parameters.
type Done = (Vec<Diagnostic>, Result<Evaluated, Diagnostic>);

/// A template that was read.
pub(super) enum Read {
    /// One that others may have to do with.
    Joined(Box<Template>),
    /// One without needs, evaluated at once, so that its tree is gone before the next is read.
    Alone(Box<Alone>),
}

/// What is left of a template that was evaluated for itself.
pub(super) struct Alone {
    noted: Noted,
    exports: bool,
    done: Done,
}

/// The evaluation of all stacks of a run.
pub(super) struct Stacks<'s> {
    sources: &'s Arc<Sources>,
    parameters: ParameterValues,
    beside: Beside,
}

impl<'s> Stacks<'s> {
    /// With the values that the user gives.
    pub(super) fn new(sources: &'s Arc<Sources>, options: &Options) -> Result<Self, Error> {
        Ok(Self {
            sources,
            parameters: parameters(sources, &options.parameters)?,
            beside: Beside::default(),
        })
    }

    /// Evaluates a template that stands alone, and keeps another.
    pub(super) fn take(&self, template: Box<Template>) -> Read {
        if !cloudformation::stands_alone(&template) || packaged::is_packaged(&template) {
            return Read::Joined(template);
        }
        let noted = Noted::of(&template);
        let exports = cloudformation::may_export(&template);
        let (options, told) = self.options(&noted.path);
        let project = Project::new(Arc::clone(self.sources), vec![*template])
            .with_options(noted.path.clone(), options);
        // Nobody else asks this project: what it comes to is all that is wanted.
        let result = guarded(&evaluating(&noted.path), || project.evaluate(&noted.path));
        let done = (told, result);
        Read::Alone(Box::new(Alone {
            noted,
            exports,
            done,
        }))
    }

    /// Takes the templates, evaluating those that were not.
    pub(super) fn read(&self, input: &mut Input, read: Vec<Read>) {
        let (mut joined, mut alone) = (Vec::new(), Vec::new());
        for one in read {
            match one {
                Read::Joined(template) => joined.push(*template),
                Read::Alone(one) => alone.push(one),
            }
        }
        let needs = Needs::of(&joined);
        let mut ignores = note(input, &joined);
        let mut done: BTreeMap<SmolStr, Done> = BTreeMap::new();
        let mut again = Vec::new();
        for one in alone {
            let path = one.noted.path.clone();
            ignores.extend(one.noted.accept(input));
            let nested = needs.nest(&path);
            if nested || (needs.import() && one.exports) {
                again.push(path.clone());
            }
            if !nested {
                done.insert(path, one.done);
            }
        }
        for (path, note) in self.packaged(&joined, &done) {
            input.diagnostics.push(note);
            joined.retain(|template| template.file.path() != path);
        }
        let more = again.par_iter().filter_map(|path| self.again(path));
        joined.extend(more.collect::<Vec<Template>>());
        done.extend(self.evaluate(joined, &done));
        for (told, result) in done.into_values() {
            input.diagnostics.extend(told);
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
    }

    /// The templates that `sam package` wrote from others here.
    fn packaged(
        &self,
        joined: &[Template],
        done: &BTreeMap<SmolStr, Done>,
    ) -> Vec<(String, Diagnostic)> {
        let folders: BTreeSet<&str> = joined
            .iter()
            .filter(|template| packaged::is_packaged(template))
            .map(|template| packaged::folder(template.file.path()))
            .collect();
        if folders.is_empty() {
            return Vec::new();
        }
        let near = done
            .keys()
            .filter(|path| folders.contains(packaged::folder(path)));
        let near: Vec<Template> = near.filter_map(|path| self.again(path)).collect();
        packaged::beside_source(joined.iter().chain(&near))
    }

    /// A template that was let go, since others turned out to need it.
    fn again(&self, path: &str) -> Option<Template> {
        let file = self.sources.load(path).ok()?;
        match guarded(&format!("reading `{path}`"), || cloudformation::read(&file)) {
            Ok(TemplateRead::Yes(template)) => Some(*template),
            Ok(TemplateRead::Lost(_) | TemplateRead::No) | Err(_) => None,
        }
    }

    /// The stacks of templates that have to do with each other, without those that are done.
    fn evaluate(
        &self,
        templates: Vec<Template>,
        done: &BTreeMap<SmolStr, Done>,
    ) -> Vec<(SmolStr, Done)> {
        let mut project = Project::new(Arc::clone(self.sources), templates);
        let mut stacks = Vec::new();
        for path in project.stacks().to_vec() {
            let (options, told) = self.options(&path);
            project = project.with_options(path.clone(), options);
            if !done.contains_key(&path) {
                stacks.push((path, told));
            }
        }
        stacks
            .into_par_iter()
            .map(|(path, told)| {
                let result = guarded(&evaluating(&path), || project.evaluate_last(&path));
                (path, (told, result))
            })
            .collect()
    }

    fn options(&self, path: &str) -> (cloudformation::Options, Vec<Diagnostic>) {
        let (mut values, told) = self.beside.values(self.sources, path);
        values.extend(self.parameters.clone());
        let options = cloudformation::Options {
            parameters: values,
            ..cloudformation::Options::default()
        };
        (options, told)
    }
}

fn evaluating(stack: &str) -> String {
    format!("evaluating `{stack}`")
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

/// What a template says beside its resources.
struct Noted {
    path: SmolStr,
    file: FileId,
    comments: Vec<Comment>,
    diagnostics: Vec<Diagnostic>,
    ignores: Vec<BlockIgnore>,
}

impl Noted {
    fn of(template: &Template) -> Self {
        Self {
            path: template.file.path().into(),
            file: template.file.id(),
            comments: template.comments.clone(),
            diagnostics: template.diagnostics.clone(),
            ignores: ignores(template),
        }
    }

    /// Adds it to what the front ends gave, and gives the ignores.
    fn accept(self, input: &mut Input) -> Vec<BlockIgnore> {
        input.files.insert(self.path.as_str().into());
        input.comments.push((self.file, self.comments));
        input.diagnostics.extend(self.diagnostics);
        self.ignores
    }
}

/// Takes files, comments, problems and ignores of templates.
pub(super) fn note<'a>(
    input: &mut Input,
    templates: impl IntoIterator<Item = &'a Template>,
) -> Vec<BlockIgnore> {
    templates
        .into_iter()
        .flat_map(|template| Noted::of(template).accept(input))
        .collect()
}

fn ignores(template: &Template) -> Vec<BlockIgnore> {
    let mut ignores = Vec::new();
    let resources = template.root.get("Resources");
    for resource in resources.into_iter().flat_map(|all| all.entries()) {
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
