//! One module directory: its files with overrides as tables of declarations.
//!
//! Rules: developer.hashicorp.com/terraform/language/files and …/files/override; OpenTofu reads
//! `x.tofu` instead of `x.tf`. Invariant: a declaration is kept once; the first one of a name wins, as
//! a second one is an error in Terraform.

use super::{circles, json};
use crate::syntax::parse_file;
use crate::syntax::tree::{Attribute, Block, Body};
use overgrant_ir::Mode;
use overgrant_source::{Comment, Diagnostic, Level, Sources};
use smol_str::{SmolStr, format_smolstr};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

/// Mode, type and name of a resource or data source.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct ResourceKey {
    pub(crate) mode: Mode,
    pub(crate) kind: SmolStr,
    pub(crate) name: SmolStr,
}

impl ResourceKey {
    /// The address without module and instance key.
    pub(crate) fn address(&self) -> String {
        match self.mode {
            Mode::Managed => format!("{}.{}", self.kind, self.name),
            Mode::Data => format!("data.{}.{}", self.kind, self.name),
        }
    }
}

/// A `variable` block.
#[derive(Debug)]
pub(crate) struct Variable {
    pub(crate) block: Block,
}

/// What a directory declares.
#[derive(Debug, Default)]
pub(crate) struct Module {
    /// Relative to the base; empty for the base itself.
    pub(crate) dir: SmolStr,
    pub(crate) variables: BTreeMap<SmolStr, Variable>,
    pub(crate) locals: BTreeMap<SmolStr, Attribute>,
    pub(crate) outputs: BTreeMap<SmolStr, Block>,
    pub(crate) resources: BTreeMap<ResourceKey, Block>,
    pub(crate) calls: BTreeMap<SmolStr, Block>,
    /// Configured providers by `name` or `name.alias`.
    pub(crate) providers: BTreeMap<SmolStr, Block>,
    /// Local values that refer to themselves.
    pub(crate) circles: BTreeSet<SmolStr>,
    /// Whether something says that it is applied by itself.
    pub(crate) is_root: bool,
    /// Paths of files that were read.
    pub(crate) files: Vec<String>,
    /// Comments by file path.
    pub(crate) comments: Vec<(String, Vec<Comment>)>,
    pub(crate) diagnostics: Vec<Diagnostic>,
}

/// The modules of a run, each read once.
pub(crate) struct Loader<'a> {
    sources: &'a Sources,
    modules: Mutex<BTreeMap<SmolStr, Arc<OnceLock<Arc<Module>>>>>,
    /// What is left of those that were let go: files, comments and diagnostics.
    finished: Mutex<BTreeMap<SmolStr, Arc<Module>>>,
}

impl<'a> Loader<'a> {
    pub(crate) fn new(sources: &'a Sources) -> Self {
        Self {
            sources,
            modules: Mutex::default(),
            finished: Mutex::default(),
        }
    }

    pub(crate) fn sources(&self) -> &'a Sources {
        self.sources
    }

    /// The module in a directory (relative to the base, normalised).
    pub(crate) fn module(&self, dir: &str) -> Arc<Module> {
        let cell = {
            let mut modules = self.modules.lock().unwrap_or_else(PoisonError::into_inner);
            Arc::clone(modules.entry(dir.into()).or_default())
        };
        Arc::clone(cell.get_or_init(|| Arc::new(read(self.sources, dir))))
    }

    /// Lets go of the declarations of a module that nobody else needs: syntax trees are several
    /// times as large as their texts. Whoever asks all the same gets it by another reading.
    pub(crate) fn release(&self, dir: &str) {
        let mut modules = self.modules.lock().unwrap_or_else(PoisonError::into_inner);
        let cell = modules.remove(dir);
        drop(modules);
        // Another thread may be reading through the same cell; what is kept must not depend on that.
        let Some(module) = cell.as_ref().and_then(|cell| cell.get()) else {
            return;
        };
        let rest = Module {
            dir: module.dir.clone(),
            files: module.files.clone(),
            comments: module.comments.clone(),
            diagnostics: module.diagnostics.clone(),
            ..Module::default()
        };
        let mut finished = self.finished.lock().unwrap_or_else(PoisonError::into_inner);
        finished.insert(module.dir.clone(), Arc::new(rest));
    }

    /// All modules read so far, by directory; of those let go only what [`Self::release`] keeps.
    pub(crate) fn all(&self) -> Vec<Arc<Module>> {
        let modules = self.modules.lock().unwrap_or_else(PoisonError::into_inner);
        let finished = self.finished.lock().unwrap_or_else(PoisonError::into_inner);
        let mut all = finished.clone();
        let held = modules
            .iter()
            .filter_map(|(dir, cell)| Some((dir.clone(), cell.get().cloned()?)));
        all.extend(held);
        all.into_values().collect()
    }
}

/// The names of configuration files among `names`, those first that overrides change.
pub(crate) fn config_files(names: &[String]) -> (Vec<&str>, Vec<&str>) {
    let mut plain = Vec::new();
    let mut overrides = Vec::new();
    for name in names {
        if name.starts_with('.') || name.starts_with('#') || name.ends_with('~') {
            continue;
        }
        let shadow =
            |stem: &str, ext: &str| names.iter().any(|other| *other == format!("{stem}{ext}"));
        let stem = if let Some(stem) = name.strip_suffix(".tf.json") {
            if shadow(stem, ".tofu.json") {
                continue;
            }
            stem
        } else if let Some(stem) = name.strip_suffix(".tofu.json") {
            stem
        } else if let Some(stem) = name.strip_suffix(".tf") {
            if shadow(stem, ".tofu") {
                continue;
            }
            stem
        } else if let Some(stem) = name.strip_suffix(".tofu") {
            stem
        } else {
            continue;
        };
        if stem == "override" || stem.ends_with("_override") {
            overrides.push(name.as_str());
        } else {
            plain.push(name.as_str());
        }
    }
    (plain, overrides)
}

/// `dir/name`, or `name` in the base.
pub(crate) fn join(dir: &str, name: &str) -> String {
    if dir.is_empty() {
        name.to_owned()
    } else {
        format!("{dir}/{name}")
    }
}

fn read(sources: &Sources, dir: &str) -> Module {
    let mut module = Module {
        dir: dir.into(),
        ..Module::default()
    };
    let names = sources.list(dir);
    let (plain, overrides) = config_files(&names);
    for name in plain {
        if let Some(body) = read_file(sources, &join(dir, name), &mut module) {
            declare(sources, &mut module, body, false);
        }
    }
    for name in overrides {
        if let Some(body) = read_file(sources, &join(dir, name), &mut module) {
            declare(sources, &mut module, body, true);
        }
    }
    module.is_root |= names.iter().any(|name| {
        name == "terraform.tfvars"
            || name == "terraform.tfvars.json"
            || name.ends_with(".auto.tfvars")
            || name.ends_with(".auto.tfvars.json")
    });
    circles::find(sources, &mut module);
    module
}

fn read_file(sources: &Sources, path: &str, module: &mut Module) -> Option<Body> {
    let file = match sources.load(path) {
        Ok(file) => file,
        Err(error) => {
            module.diagnostics.push(
                Diagnostic::new(Level::Error, "unreadable-file", error.to_string())
                    .in_file(path)
                    .losing_file(),
            );
            return None;
        }
    };
    module.files.push(path.to_owned());
    let parsed = if path.ends_with(".json") {
        json::parse(&file)
    } else {
        parse_file(&file)
    };
    module.diagnostics.extend(parsed.diagnostics);
    module.comments.push((path.to_owned(), parsed.comments));
    Some(parsed.body)
}

fn declare(sources: &Sources, module: &mut Module, body: Body, over: bool) {
    for block in body.blocks {
        let label = |at: usize| block.labels.get(at).map(|label| label.text.clone());
        match block.kind.as_str() {
            "locals" => {
                for attr in block.body.attributes {
                    if over && !module.locals.contains_key(&attr.name) {
                        let name = format!("`local.{}`", attr.name);
                        nothing(sources, &mut module.diagnostics, &name, attr.name_span);
                    }
                    if over || !module.locals.contains_key(&attr.name) {
                        module.locals.insert(attr.name.clone(), attr);
                    } else {
                        twice(
                            sources,
                            module,
                            &format!("local.{}", attr.name),
                            attr.name_span,
                        );
                    }
                }
            }
            "variable" => {
                if let Some(name) = label(0) {
                    match module.variables.get_mut(&name) {
                        Some(known) if over => merge(&mut known.block, block),
                        Some(_) => twice(sources, module, &format!("var.{name}"), block.header),
                        None => {
                            if over {
                                let name = format!("`var.{name}`");
                                nothing(sources, &mut module.diagnostics, &name, block.header);
                            }
                            module.variables.insert(name, Variable { block });
                        }
                    }
                }
            }
            "output" => {
                if let Some(name) = label(0) {
                    put(
                        sources,
                        &mut module.diagnostics,
                        &mut module.outputs,
                        name,
                        block,
                        over,
                        "output",
                    );
                }
            }
            "module" => {
                if let Some(name) = label(0) {
                    put(
                        sources,
                        &mut module.diagnostics,
                        &mut module.calls,
                        name,
                        block,
                        over,
                        "module",
                    );
                }
            }
            "resource" | "data" | "ephemeral" => {
                let mode = if block.kind == "resource" {
                    Mode::Managed
                } else {
                    Mode::Data
                };
                if block.kind != "ephemeral"
                    && let (Some(kind), Some(name)) = (label(0), label(1))
                {
                    let key = ResourceKey { mode, kind, name };
                    put(
                        sources,
                        &mut module.diagnostics,
                        &mut module.resources,
                        key,
                        block,
                        over,
                        "resource",
                    );
                }
            }
            "terraform" => {
                module.is_root |= block
                    .body
                    .blocks
                    .iter()
                    .any(|inner| inner.kind == "backend" || inner.kind == "cloud");
                module.is_root |= ["backend", "cloud"]
                    .iter()
                    .any(|name| block.body.attribute(name).is_some());
            }
            "provider" => {
                module.is_root |= !block.body.blocks.is_empty()
                    || block
                        .body
                        .attributes
                        .iter()
                        .any(|attr| attr.name != "version");
                if let Some(name) = label(0) {
                    let alias = block.body.attribute("alias");
                    let name = match alias.and_then(|attr| attr.value.literal()) {
                        Some(alias) => format_smolstr!("{name}.{alias}"),
                        None => name,
                    };
                    match module.providers.get_mut(&name) {
                        Some(known) if over => merge(known, block),
                        Some(_) => {}
                        None => {
                            module.providers.insert(name, block);
                        }
                    }
                }
            }
            _ => {}
        }
    }
}

fn put<K: Ord>(
    sources: &Sources,
    diagnostics: &mut Vec<Diagnostic>,
    table: &mut BTreeMap<K, Block>,
    key: K,
    block: Block,
    over: bool,
    what: &str,
) {
    match table.get_mut(&key) {
        Some(known) if over => merge(known, block),
        Some(_) => {
            if let Some(file) = sources.get(block.header.file) {
                diagnostics.push(
                    Diagnostic::new(
                        Level::Warning,
                        "declared-twice",
                        format!("this {what} is declared twice in its directory; the first one counts, remove this one"),
                    )
                    .at(&file, block.header),
                );
            }
        }
        None => {
            if over {
                nothing(sources, diagnostics, &format!("this {what}"), block.header);
            }
            table.insert(key, block);
        }
    }
}

/// Tells of an override that has nothing to change; it counts as a declaration all the same.
fn nothing(
    sources: &Sources,
    diagnostics: &mut Vec<Diagnostic>,
    name: &str,
    span: overgrant_source::Span,
) {
    if let Some(file) = sources.get(span.file) {
        let message = format!(
            "{name} is declared in an override file only, which Terraform refuses; declare it in another file or rename this one"
        );
        diagnostics
            .push(Diagnostic::new(Level::Warning, "overrides-nothing", message).at(&file, span));
    }
}

fn twice(sources: &Sources, module: &mut Module, name: &str, span: overgrant_source::Span) {
    if let Some(file) = sources.get(span.file) {
        module.diagnostics.push(
            Diagnostic::new(
                Level::Warning,
                "declared-twice",
                format!("`{name}` is declared twice in its directory; the first one counts, remove this one"),
            )
            .at(&file, span),
        );
    }
}

/// An override block: its arguments and its types of blocks replace those of the original.
fn merge(known: &mut Block, over: Block) {
    for attr in over.body.attributes {
        match known
            .body
            .attributes
            .iter_mut()
            .find(|a| a.name == attr.name)
        {
            Some(old) => *old = attr,
            None => known.body.attributes.push(attr),
        }
    }
    let replaced: Vec<SmolStr> = over.body.blocks.iter().map(block_type).collect();
    known
        .body
        .blocks
        .retain(|block| !replaced.contains(&block_type(block)));
    known.body.blocks.extend(over.body.blocks);
}

/// The type of a nested block; that of its content for a dynamic one.
fn block_type(block: &Block) -> SmolStr {
    if block.kind == "dynamic"
        && let Some(label) = block.labels.first()
    {
        return label.text.clone();
    }
    block.kind.clone()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_let_go_while_it_is_in_use_keeps_its_files_and_comments() {
        let dir = tempfile::tempdir().unwrap();
        std::fs::write(dir.path().join("main.tf"), "# a word\nlocals {}\n").unwrap();
        let sources = Sources::new(dir.path());
        let loader = Loader::new(&sources);
        let module = loader.module("");
        let cell = loader.modules.lock().unwrap().get("").cloned();
        loader.release("");
        let all = loader.all();
        assert_eq!(all[0].files, module.files);
        assert_eq!(all[0].comments.len(), 1);
        drop(cell);
    }
}
