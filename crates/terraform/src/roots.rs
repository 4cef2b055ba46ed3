//! Which directories are roots, what is given to them, and what comes out of them.
//!
//! A directory is a root if it holds a backend, a configured provider or tfvars, or if nobody calls
//! it; other directories are evaluated where they are called. Invariant: roots are independent of each other, and
//! the results are in the order of (root, address).

use crate::config::module::join;
use crate::config::{Loader, Module, ResourceKey, Variable, json};
use crate::eval::{Evaluator, Instance, Missing, Scope, is_read};
use crate::syntax::tree::{Block, Body, ExprKind};
use crate::syntax::{parse_expression, parse_file};
use crate::{Given, ModuleCall, Options, Output};
use overgrant_ir::{Output as ModuleOutput, Resource};
use overgrant_source::{Diagnostic, Level, Sources};
use overgrant_value::{Guard, Marks, Src, Text, Val};
use rayon::prelude::*;
use smol_str::{SmolStr, format_smolstr};
use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;
use std::sync::Arc;

/// Most resource instances of one root.
const MAX_RESOURCES: usize = if cfg!(test) { 5_000 } else { 20_000 };

/// A path with `.` and inner `..` taken out, as text.
pub(crate) fn normal(path: &str) -> String {
    let mut parts: Vec<&str> = Vec::new();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." => match parts.last() {
                Some(last) if *last != ".." => {
                    parts.pop();
                }
                _ => parts.push(".."),
            },
            part => parts.push(part),
        }
    }
    parts.join("/")
}

/// Evaluates all roots among `dirs`.
pub(crate) fn evaluate(sources: &Sources, dirs: &[String], options: &Options) -> Output {
    let loader = Loader::new(sources);
    let mut dirs: Vec<String> = dirs.iter().map(|dir| normal(dir)).collect();
    dirs.sort();
    dirs.dedup();
    // What says that it is a root is evaluated as soon as it is read, so that its tree is gone when the
    // next ones are there; for the others it takes all calls to know.
    let mut found: Vec<Found> = dirs
        .par_iter()
        .map(|dir| {
            let module = loader.module(dir);
            let mut found = Found::of(&module);
            if module.is_root && found.has_files {
                found.result = Some(one(&loader, &module, options));
                drop(module);
                loader.release(dir);
            }
            found
        })
        .collect();
    let roots: BTreeSet<SmolStr> = choose(&found).into_iter().map(SmolStr::from).collect();
    let called: BTreeSet<&str> = found.iter().flat_map(Found::calls).collect();
    let mut late: BTreeMap<SmolStr, Evaluated> = found
        .par_iter()
        .filter(|one| one.result.is_none() && roots.contains(&one.dir))
        .map(|root| {
            let result = one(&loader, &loader.module(&root.dir), options);
            if !called.contains(root.dir.as_str()) {
                loader.release(&root.dir);
            }
            (root.dir.clone(), result)
        })
        .collect();
    let mut output = Output::default();
    let mut results = Vec::new();
    for root in &mut found {
        if roots.contains(&root.dir) {
            output.variables.append(&mut root.variables);
            results.extend(root.result.take().or_else(|| late.remove(&root.dir)));
        }
    }
    output.roots = roots.into_iter().collect();
    let count = results.iter().map(|result| result.resources.len()).sum();
    output.resources.reserve_exact(count);
    let mut missing = BTreeSet::new();
    for result in results {
        output.resources.extend(result.resources);
        output.outputs.extend(result.outputs);
        output.calls.extend(result.calls);
        output.diagnostics.extend(result.diagnostics);
        missing.extend(result.missing);
    }
    output.diagnostics.extend(not_installed(sources, missing));
    for module in loader.all() {
        output.files.extend(module.files.iter().cloned());
        output.comments.extend(module.comments.iter().cloned());
        output
            .diagnostics
            .extend(module.diagnostics.iter().cloned());
    }
    output.diagnostics.sort_by(|a, b| {
        let place = |d: &Diagnostic| d.span.map(|span| (span.start, span.end));
        (&a.path, place(a), a.code, &a.message).cmp(&(&b.path, place(b), b.code, &b.message))
    });
    output.diagnostics.dedup();
    output
}

/// What is known of a directory once its files were read.
struct Found {
    dir: SmolStr,
    is_root: bool,
    has_files: bool,
    /// Directories that it calls.
    calls: Vec<String>,
    variables: BTreeSet<SmolStr>,
    /// What it came to, where it says itself that it is a root.
    result: Option<Evaluated>,
}

impl Found {
    fn of(module: &Module) -> Self {
        Self {
            dir: module.dir.clone(),
            is_root: module.is_root,
            has_files: !module.files.is_empty(),
            calls: local_calls(module),
            variables: module.variables.keys().cloned().collect(),
            result: None,
        }
    }

    fn calls(&self) -> impl Iterator<Item = &str> {
        self.calls.iter().map(String::as_str)
    }
}

/// The directories that are evaluated by themselves, in the order of `modules`.
fn choose(modules: &[Found]) -> Vec<&str> {
    let calls: BTreeMap<&str, Vec<&str>> = modules
        .iter()
        .map(|module| {
            let own = module.dir.as_str();
            (own, module.calls().filter(|dir| *dir != own).collect())
        })
        .collect();
    let called: BTreeSet<&str> = calls.values().flatten().copied().collect();
    let mut roots: BTreeSet<&str> = modules
        .iter()
        .filter(|module| module.is_root || !called.contains(module.dir.as_str()))
        .map(|module| module.dir.as_str())
        .collect();
    // Modules that only call each other in a circle are reached by none: the first of them counts.
    let mut reached: BTreeSet<&str> = BTreeSet::new();
    let reach = |from: &str, reached: &BTreeSet<&str>| {
        let mut queue: Vec<&str> = calls
            .get_key_value(from)
            .map(|(dir, _)| *dir)
            .into_iter()
            .collect();
        let mut found = BTreeSet::new();
        while let Some(dir) = queue.pop() {
            if found.insert(dir) {
                queue.extend(
                    calls
                        .get(dir)
                        .into_iter()
                        .flatten()
                        .copied()
                        .filter(|dir| calls.contains_key(dir))
                        .filter(|dir| !reached.contains(dir)),
                );
            }
        }
        found
    };
    for root in roots.clone() {
        let found = reach(root, &reached);
        reached.extend(found);
    }
    for module in modules {
        let dir = module.dir.as_str();
        if !reached.contains(dir) {
            let found = reach(dir, &reached);
            reached.extend(found);
            roots.insert(dir);
        }
    }
    modules
        .iter()
        .filter(|module| module.has_files && roots.contains(module.dir.as_str()))
        .map(|module| module.dir.as_str())
        .collect()
}

/// Directories that a module calls by a relative path written as a plain text.
fn local_calls(module: &Module) -> Vec<String> {
    module
        .calls
        .values()
        .filter_map(|block| block.body.attribute("source")?.value.literal())
        .filter(|source| source.starts_with('.'))
        .map(|source| normal(&join(&module.dir, &source)))
        .collect()
}

/// What one root gave.
pub(crate) struct Evaluated {
    pub(crate) resources: Vec<Resource>,
    pub(crate) outputs: Vec<ModuleOutput>,
    pub(crate) calls: Vec<ModuleCall>,
    pub(crate) diagnostics: Vec<Diagnostic>,
    missing: BTreeSet<Missing>,
}

fn one(loader: &Loader<'_>, root: &Arc<Module>, options: &Options) -> Evaluated {
    let mut diagnostics = Vec::new();
    let given = given(loader.sources(), root, options, &mut diagnostics);
    let evaluator = Evaluator::new(
        loader,
        &root.dir,
        given,
        installed(loader.sources(), &root.dir),
    );
    evaluated(&evaluator, diagnostics)
}

/// Everything that one root gives.
pub(crate) fn evaluated(evaluator: &Evaluator<'_>, mut diagnostics: Vec<Diagnostic>) -> Evaluated {
    let (mut resources, mut calls) = (Vec::new(), Vec::new());
    let root = evaluator.root_instance();
    collect(evaluator, &root, &mut resources, &mut calls);
    let outputs = outputs(evaluator, &root, &resources);
    diagnostics.extend(evaluator.take_diagnostics());
    resources.sort_by(|a, b| a.address.cmp(&b.address));
    Evaluated {
        resources,
        outputs,
        calls,
        diagnostics,
        missing: evaluator.missing.take(),
    }
}

/// The outputs of a root that makes secrets which one may carry.
fn outputs(
    evaluator: &Evaluator<'_>,
    root: &Rc<Instance>,
    resources: &[Resource],
) -> Vec<ModuleOutput> {
    const SECRET: [&str; 2] = ["aws_iam_access_key", "aws_iam_user_login_profile"];
    let Some(first) = resources
        .iter()
        .find(|resource| SECRET.contains(&resource.kind.as_str()))
    else {
        return Vec::new();
    };
    let one = |(name, block): (&SmolStr, &Block)| {
        let val = evaluator.settle(evaluator.output(root, name, block.header), block.header);
        let sensitive = block
            .body
            .attribute("sensitive")
            .is_some_and(|attr| matches!(attr.value.kind, ExprKind::Bool(true)));
        ModuleOutput {
            root: first.root.clone(),
            address: format_smolstr!("output.{name}"),
            format: first.format,
            val: if sensitive {
                val.marked(Marks::SENSITIVE)
            } else {
                val
            },
            src: Src::at(block.header),
            guard: Guard::always(),
        }
    };
    root.module.outputs.iter().map(one).collect()
}

/// One note a module source, at the first of its calls.
fn not_installed(sources: &Sources, missing: BTreeSet<Missing>) -> Vec<Diagnostic> {
    let mut calls: BTreeMap<String, BTreeMap<_, Missing>> = BTreeMap::new();
    for call in missing {
        if let Some(file) = sources.get(call.span.file) {
            calls
                .entry(call.source.clone())
                .or_default()
                .insert((file.path().to_owned(), call.span.start), call);
        }
    }
    let note = |(source, calls): (String, BTreeMap<_, Missing>)| {
        let first = calls.values().next()?;
        let file = sources.get(first.span.file)?;
        let more = match calls.len() - 1 {
            0 => String::new(),
            1 => " (called once more)".to_owned(),
            more => format!(" (called {more} times more)"),
        };
        let words = format!(
            "the module `{source}`{more} is not installed and its outputs are taken as unknown; run `terraform init` in the root that calls it to have it analysed"
        );
        Some(Diagnostic::new(Level::Note, "module-missing", words).at(&file, first.span))
    };
    calls.into_iter().filter_map(note).collect()
}

fn collect(
    evaluator: &Evaluator<'_>,
    instance: &Rc<Instance>,
    resources: &mut Vec<Resource>,
    calls: &mut Vec<ModuleCall>,
) {
    let keys: Vec<ResourceKey> = instance.module.resources.keys().cloned().collect();
    for key in keys {
        if resources.len() >= MAX_RESOURCES {
            break;
        }
        if !is_read(&key) {
            resources.extend(evaluator.unread(instance, &key));
            continue;
        }
        let Some(expanded) = evaluator.expanded_resource(instance, &key) else {
            continue;
        };
        for member in &expanded.members {
            if resources.len() >= MAX_RESOURCES {
                evaluator.report(
                    Level::Warning,
                    "too-many-resources",
                    format!("this root has more than {MAX_RESOURCES} resource instances; the others are left out"),
                    None,
                );
                return;
            }
            let address = instance.address(&format!("{}{}", key.address(), member.suffix));
            let target = evaluator.targets.borrow().get(&address).cloned();
            if let Some(target) = target
                && let Some(resource) = evaluator.resource(&target, &address)
            {
                resources.push(resource);
            }
        }
    }
    resources.extend(evaluator.providers(instance));
    for (call, block) in &instance.module.calls {
        if !evaluator.leads_to_read(instance, call) {
            resources.extend(evaluator.absent(instance, call, block));
            continue;
        }
        let Some(expanded) = evaluator.expanded_call(instance, call) else {
            continue;
        };
        let source = block.body.attribute("source");
        for member in &expanded.members {
            let Some(child) = evaluator.child(instance, call, &member.suffix) else {
                if evaluator.is_full() {
                    break;
                }
                continue;
            };
            calls.push(ModuleCall {
                root: evaluator.root.clone(),
                module: child.path.clone(),
                span: source.map_or(block.header, |attr| attr.span),
            });
            collect(evaluator, &child, resources, calls);
        }
    }
}

/// Values for the root's variables, in Terraform's order of precedence.
pub(crate) fn given(
    sources: &Sources,
    root: &Arc<Module>,
    options: &Options,
    diagnostics: &mut Vec<Diagnostic>,
) -> BTreeMap<SmolStr, Val> {
    let mut given = BTreeMap::new();
    for (name, text) in &options.environment {
        if let Some(variable) = root.variables.get(name) {
            let val = typed(sources, variable, name, text, diagnostics);
            given.insert(name.clone(), val);
        }
    }
    let names = sources.list(&root.dir);
    let mut files: Vec<String> = ["terraform.tfvars", "terraform.tfvars.json"]
        .iter()
        .filter(|wanted| names.iter().any(|name| name == *wanted))
        .map(|name| join(&root.dir, name))
        .collect();
    files.extend(
        names
            .iter()
            .filter(|name| name.ends_with(".auto.tfvars") || name.ends_with(".auto.tfvars.json"))
            .map(|name| join(&root.dir, name)),
    );
    for path in files {
        read_values(sources, &path, &mut given, diagnostics);
    }
    for value in &options.values {
        match value {
            Given::File { root: only, path } if applies(only, &root.dir) => {
                read_values(sources, path, &mut given, diagnostics);
            }
            Given::Value {
                root: only,
                name,
                text,
            } if applies(only, &root.dir) => {
                if let Some(variable) = root.variables.get(name.as_str()) {
                    let val = typed(sources, variable, name, text, diagnostics);
                    given.insert(name.clone(), val);
                }
            }
            Given::File { .. } | Given::Value { .. } => {}
        }
    }
    given
}

/// A value given as text: an expression, unless the variable is a text or has no type.
fn typed(
    sources: &Sources,
    variable: &Variable,
    name: &str,
    text: &str,
    diagnostics: &mut Vec<Diagnostic>,
) -> Val {
    let ty = variable.block.body.attribute("type");
    let is_text = match ty.map(|attr| &attr.value.kind) {
        None => true,
        Some(ExprKind::Root(name)) => name == "string",
        _ => false,
    };
    command_line(sources, name, text, is_text, diagnostics)
}

fn applies(only: &Option<String>, root: &str) -> bool {
    only.as_ref().is_none_or(|only| normal(only) == root)
}

fn command_line(
    sources: &Sources,
    name: &str,
    text: &str,
    is_text: bool,
    diagnostics: &mut Vec<Diagnostic>,
) -> Val {
    if is_text {
        return Val::text(Text::known(text), Src::none());
    }
    let file = sources.add(&format!("<variable {name}>"), text);
    match parse_expression(&file) {
        Ok((expr, _)) => {
            let loader = Loader::new(sources);
            let evaluator = Evaluator::new(&loader, "", BTreeMap::new(), BTreeMap::new());
            let val = evaluator.settle(evaluator.expr(&Scope::bare(None), &expr), expr.span);
            diagnostics.extend(evaluator.take_diagnostics());
            val
        }
        Err(problem) => {
            diagnostics.push(*problem);
            Val::unknown_because(format!("the value given for {name}"), None)
        }
    }
}

fn read_values(
    sources: &Sources,
    path: &str,
    given: &mut BTreeMap<SmolStr, Val>,
    diagnostics: &mut Vec<Diagnostic>,
) {
    let file = match sources.load(path) {
        Ok(file) => file,
        Err(error) => {
            let words =
                format!("{error}; the variables that it sets count as unknown or as their default");
            diagnostics.push(
                Diagnostic::new(Level::Error, "unreadable-file", words)
                    .in_file(path)
                    .losing_file(),
            );
            return;
        }
    };
    let parsed = if path.ends_with(".json") {
        json::values(&file)
    } else {
        parse_file(&file)
    };
    diagnostics.extend(parsed.diagnostics);
    let loader = Loader::new(sources);
    let evaluator = Evaluator::new(&loader, "", BTreeMap::new(), BTreeMap::new());
    let Body { attributes, .. } = parsed.body;
    for attr in attributes {
        let val = evaluator.settle(
            evaluator.expr(&Scope::bare(None), &attr.value),
            attr.value.span,
        );
        let label = format!("value of {} in {path}", attr.name);
        given.insert(attr.name.clone(), val.through(attr.span, label));
    }
    diagnostics.extend(evaluator.take_diagnostics());
}

/// Directories of installed modules by their keys, from `.terraform/modules/modules.json`.
pub(crate) fn installed(sources: &Sources, root: &str) -> BTreeMap<SmolStr, SmolStr> {
    let mut installed = BTreeMap::new();
    let path = join(root, ".terraform/modules/modules.json");
    let Ok(file) = sources.load(&path) else {
        return installed;
    };
    let Ok(manifest) =
        overgrant_value::json::parse_file(&file, overgrant_value::json::Options::default())
    else {
        return installed;
    };
    for record in manifest
        .get("Modules")
        .map(|val| val.listed())
        .unwrap_or_default()
    {
        let part = |name: &str| record.get(name).and_then(|val| val.as_str());
        if let (Some(key), Some(dir)) = (part("Key"), part("Dir"))
            && !key.is_empty()
        {
            installed.insert(key, normal(&join(root, &dir)).into());
        }
    }
    installed
}
