//! The state of one root's evaluation: module instances, memo, budgets, diagnostics.
//!
//! Invariant: a memo cell is new, busy or done; asking for a busy one is a cycle, which is reported
//! with the place that closes it and gives an unknown value.

use super::expand::{Expanded, Member};
use super::expr::{Eval, Fail};
use super::frame::Frame;
use super::scope::Each;
use crate::config::{Loader, Module, ResourceKey};
use crate::syntax::tree::Expr;
use overgrant_source::{Diagnostic, FileId, Level, Sources, Span};
use overgrant_value::{Guard, Sym, Val};
use regex::Regex;
use rustc_hash::FxHashMap;
use smol_str::SmolStr;
use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;
use std::sync::Arc;

/// One use of a module: the root itself or a call with its instance key.
#[derive(Debug)]
pub(crate) struct Instance {
    pub(crate) module: Arc<Module>,
    /// `module.app["eu"].module.iam`; empty for the root.
    pub(crate) path: SmolStr,
    /// The names of the calls, joined by dots, as in `modules.json`.
    pub(crate) keys: SmolStr,
    /// Who calls, by which name, for which member of an expansion.
    pub(crate) caller: Option<(Rc<Self>, SmolStr, Option<Rc<Each>>)>,
    pub(crate) depth: usize,
    pub(crate) guard: Guard,
    pub(crate) maybe: bool,
    memo: RefCell<FxHashMap<Slot, Option<Val>>>,
    expansions: RefCell<FxHashMap<Block, Option<Rc<Expanded>>>>,
    children: RefCell<FxHashMap<SmolStr, Option<Rc<Self>>>>,
}

/// What is remembered of an instance.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) enum Slot {
    Variable(SmolStr),
    Local(SmolStr),
    Output(SmolStr),
    /// A resource, the key of its instance as printed, an attribute.
    Attribute(ResourceKey, SmolStr, SmolStr),
}

/// A block that can be expanded.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) enum Block {
    Resource(ResourceKey),
    Module(SmolStr),
}

/// One resource instance that references can lead to.
#[derive(Debug, Clone)]
pub(crate) struct Target {
    pub(crate) instance: Rc<Instance>,
    pub(crate) key: ResourceKey,
    pub(crate) member: Member,
}

/// A call of a module that is not in the repository.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Missing {
    /// The module's source as it is named to users.
    pub(crate) source: String,
    /// The `source` argument.
    pub(crate) span: Span,
}

/// Evaluates one root.
pub(crate) struct Evaluator<'a> {
    pub(crate) loader: &'a Loader<'a>,
    /// How symbols and resources name the root: its directory, or the plan that it is in.
    pub(crate) root: SmolStr,
    /// Directory of the root, relative to the base.
    pub(crate) dir: SmolStr,
    /// Values given for the root's variables.
    pub(crate) given: BTreeMap<SmolStr, Val>,
    /// Directories of installed modules by their keys (`modules.json`).
    pub(crate) installed: BTreeMap<SmolStr, SmolStr>,
    pub(crate) targets: RefCell<FxHashMap<SmolStr, Target>>,
    pub(crate) instances: RefCell<FxHashMap<SmolStr, Rc<Instance>>>,
    pub(crate) templates: RefCell<FxHashMap<FileId, Rc<Expr>>>,
    pub(crate) missing: RefCell<BTreeSet<Missing>>,
    /// Directories with what other crates read, in themselves or in what they call.
    pub(crate) read_modules: RefCell<FxHashMap<SmolStr, bool>>,
    /// Module calls whose arguments were looked at, by their headers.
    pub(super) checked: RefCell<BTreeSet<Span>>,
    pub(crate) patterns: RefCell<FxHashMap<SmolStr, Regex>>,
    /// Frames by module and provider; nothing while one is being read.
    pub(super) frames: RefCell<FxHashMap<(SmolStr, SmolStr), Option<Frame>>>,
    diagnostics: RefCell<Vec<Diagnostic>>,
    reported: RefCell<BTreeSet<(&'static str, Option<Span>, String)>>,
    pub(super) steps: Cell<u64>,
    pub(super) bytes: Cell<u64>,
    pub(super) depth: Cell<usize>,
    pub(super) templates_deep: Cell<usize>,
    tries: Cell<usize>,
    quiet: Cell<usize>,
    /// What stands for the arguments of all blocks of types that no other crate reads.
    pub(super) unread_arguments: Val,
    /// Whether the arguments of a resource that exists off a default only are being evaluated.
    pub(crate) off_default: Cell<bool>,
}

impl<'a> Evaluator<'a> {
    pub(crate) fn new(
        loader: &'a Loader<'a>,
        root: &str,
        given: BTreeMap<SmolStr, Val>,
        installed: BTreeMap<SmolStr, SmolStr>,
    ) -> Self {
        Self {
            loader,
            root: root.into(),
            dir: root.into(),
            given,
            installed,
            targets: RefCell::default(),
            instances: RefCell::default(),
            templates: RefCell::default(),
            missing: RefCell::default(),
            read_modules: RefCell::default(),
            checked: RefCell::default(),
            patterns: RefCell::default(),
            frames: RefCell::default(),
            diagnostics: RefCell::default(),
            reported: RefCell::default(),
            steps: Cell::new(0),
            bytes: Cell::new(0),
            depth: Cell::new(0),
            templates_deep: Cell::new(0),
            tries: Cell::new(0),
            quiet: Cell::new(0),
            unread_arguments: Val::unknown_because("arguments that are not read", None),
            off_default: Cell::new(false),
        }
    }

    /// With another name for the root.
    pub(crate) fn named(mut self, root: &str) -> Self {
        self.root = root.into();
        self
    }

    pub(crate) fn sources(&self) -> &'a Sources {
        self.loader.sources()
    }

    /// The root's own instance.
    pub(crate) fn root_instance(&self) -> Rc<Instance> {
        let module = self.loader.module(&self.dir);
        self.instance("", || {
            Instance::new(
                module,
                "".into(),
                "".into(),
                None,
                0,
                Guard::always(),
                false,
            )
        })
    }

    /// The instance at a path, made on first use.
    pub(crate) fn instance(&self, path: &str, make: impl FnOnce() -> Instance) -> Rc<Instance> {
        if let Some(known) = self.instances.borrow().get(path) {
            return Rc::clone(known);
        }
        let made = Rc::new(make());
        self.instances
            .borrow_mut()
            .insert(path.into(), Rc::clone(&made));
        made
    }

    /// Runs `f` while failures of single alternatives are kept for `try` and `can`.
    pub(crate) fn trying<T>(&self, f: impl FnOnce() -> T) -> T {
        self.tries.set(self.tries.get() + 1);
        let result = f();
        self.tries.set(self.tries.get().saturating_sub(1));
        result
    }

    pub(crate) fn is_trying(&self) -> bool {
        self.tries.get() > 0
    }

    /// Runs `f`, where references see what exists off a default only.
    pub(crate) fn off_default<T>(&self, off: bool, f: impl FnOnce() -> T) -> T {
        let before = self.off_default.replace(off || self.off_default.get());
        let result = f();
        self.off_default.set(before);
        result
    }

    /// Runs `f` without reporting.
    pub(crate) fn quietly<T>(&self, f: impl FnOnce() -> T) -> T {
        self.quiet.set(self.quiet.get() + 1);
        let result = f();
        self.quiet.set(self.quiet.get().saturating_sub(1));
        result
    }

    /// Whether problems are not reported for now.
    pub(crate) fn is_quiet(&self) -> bool {
        self.quiet.get() > 0
    }

    /// Reports a problem once.
    pub(crate) fn report(
        &self,
        level: Level,
        code: &'static str,
        message: impl Into<String>,
        span: Option<Span>,
    ) {
        if self.quiet.get() > 0 {
            return;
        }
        let message = message.into();
        if !self
            .reported
            .borrow_mut()
            .insert((code, span, message.clone()))
        {
            return;
        }
        let mut diagnostic = Diagnostic::new(level, code, message);
        if let Some(span) = span
            && let Some(file) = self.sources().get(span.file)
        {
            diagnostic = diagnostic.at(&file, span);
        }
        self.diagnostics.borrow_mut().push(diagnostic);
    }

    /// What was reported.
    pub(crate) fn take_diagnostics(&self) -> Vec<Diagnostic> {
        self.diagnostics.take()
    }

    /// A value, or a diagnostic and an unknown value.
    pub(crate) fn settle(&self, result: Eval, span: Span) -> Val {
        match result {
            Ok(val) => val,
            Err(error) => {
                let at = error.span.or(Some(span));
                self.report(
                    Level::Warning,
                    "terraform-evaluation",
                    format!("{}; what depends on it is taken as unknown", error.message),
                    at,
                );
                Val::unknown_because(error.message, at)
            }
        }
    }

    /// The remembered value of a slot, or that of `make`.
    pub(crate) fn remember(
        &self,
        instance: &Instance,
        slot: Slot,
        span: Span,
        make: impl FnOnce() -> Eval,
    ) -> Eval {
        {
            let memo = instance.memo.borrow();
            match memo.get(&slot) {
                Some(Some(val)) => return Ok(val.clone()),
                Some(None) => {
                    return Err(Fail {
                        message:
                            "this refers to itself in a circle; take one of the references out"
                                .into(),
                        span: Some(span),
                        fixed: true,
                    });
                }
                None => {}
            }
        }
        instance.memo.borrow_mut().insert(slot.clone(), None);
        let tries = self.tries.replace(0);
        let quiet = self.quiet.replace(0);
        let off_default = self.off_default.replace(false);
        let result = make();
        self.tries.set(tries);
        self.quiet.set(quiet);
        self.off_default.set(off_default);
        let mut memo = instance.memo.borrow_mut();
        match &result {
            Ok(val) => {
                memo.insert(slot, Some(val.clone()));
            }
            Err(_) => {
                memo.remove(&slot);
            }
        }
        result
    }

    /// The remembered expansion of a block, or that of `make`; `None` in a circle.
    pub(crate) fn remember_expansion(
        &self,
        instance: &Instance,
        block: Block,
        make: impl FnOnce() -> Expanded,
    ) -> Option<Rc<Expanded>> {
        if let Some(known) = instance.expansions.borrow().get(&block) {
            return known.clone();
        }
        instance.expansions.borrow_mut().insert(block.clone(), None);
        let tries = self.tries.replace(0);
        let off_default = self.off_default.replace(false);
        let made = Rc::new(make());
        self.tries.set(tries);
        self.off_default.set(off_default);
        instance
            .expansions
            .borrow_mut()
            .insert(block, Some(Rc::clone(&made)));
        Some(made)
    }

    /// The remembered child instance at a path, or that of `make`.
    pub(crate) fn remember_child(
        &self,
        instance: &Instance,
        path: &SmolStr,
        make: impl FnOnce() -> Option<Rc<Instance>>,
    ) -> Option<Rc<Instance>> {
        if let Some(known) = instance.children.borrow().get(path) {
            return known.clone();
        }
        let made = make();
        instance
            .children
            .borrow_mut()
            .insert(path.clone(), made.clone());
        made
    }

    /// The symbol of an input of a module instance.
    pub(crate) fn input(&self, instance: &Instance, name: &str) -> Sym {
        Sym::Input {
            root: self.root.clone(),
            module: instance.path.clone(),
            name: name.into(),
        }
    }
}

impl Drop for Evaluator<'_> {
    /// An instance and its children hold each other: without this, what a root remembers would stay
    /// until the end of the run.
    fn drop(&mut self) {
        let instances = self.instances.take();
        instances.values().for_each(|instance| {
            instance.children.take();
        });
    }
}

impl Instance {
    pub(crate) fn new(
        module: Arc<Module>,
        path: SmolStr,
        keys: SmolStr,
        caller: Option<(Rc<Self>, SmolStr, Option<Rc<Each>>)>,
        depth: usize,
        guard: Guard,
        maybe: bool,
    ) -> Self {
        Self {
            module,
            path,
            keys,
            caller,
            depth,
            guard,
            maybe,
            memo: RefCell::default(),
            expansions: RefCell::default(),
            children: RefCell::default(),
        }
    }

    /// An address in this instance.
    pub(crate) fn address(&self, local: &str) -> SmolStr {
        if self.path.is_empty() {
            local.into()
        } else {
            smol_str::format_smolstr!("{}.{local}", self.path)
        }
    }
}
