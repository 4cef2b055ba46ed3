//! Calls of modules: where they are, which instances they have, and what can be left alone.
//!
//! Not for arguments and outputs. Invariant: a module that calls itself ends, and one that is not
//! installed is remembered with its call.

use super::expand::Expanded;
use super::instance::{Block, Evaluator, Instance, Missing};
use super::is_read;
use super::limits::MAX_MODULES;
use super::scope::Scope;
use crate::config::Module;
use crate::config::module::join;
use crate::roots::normal;
use crate::syntax::tree::{self, Attribute};
use overgrant_source::Level;
use smol_str::{SmolStr, format_smolstr};
use std::rc::Rc;

impl Evaluator<'_> {
    /// The instances of a module call; `None` where it is not declared or being expanded.
    pub(crate) fn expanded_call(
        &self,
        instance: &Rc<Instance>,
        call: &str,
    ) -> Option<Rc<Expanded>> {
        let block = instance.module.calls.get(call)?;
        let address = instance.address(&format!("module.{call}"));
        self.remember_expansion(instance, Block::Module(call.into()), || {
            self.expand(&Scope::of(instance), &block.body, &address)
        })
    }

    /// The module instance behind a call; `None` where the module is not there.
    pub(crate) fn child(
        &self,
        instance: &Rc<Instance>,
        call: &str,
        suffix: &SmolStr,
    ) -> Option<Rc<Instance>> {
        let path = instance.address(&format!("module.{call}{suffix}"));
        self.remember_child(instance, &path, || {
            let block = instance.module.calls.get(call)?;
            let expanded = self.expanded_call(instance, call)?;
            let member = expanded.members.iter().find(|member| member.suffix == *suffix)?;
            let keys = called(&instance.keys, call);
            let dir = self.module_dir(instance, block, &keys)?;
            if instance.depth + 1 > MAX_MODULES || self.calls_itself(instance, &dir) {
                self.report(
                    Level::Error,
                    "module-recursion",
                    format!("module.{call} leads back to itself; the call is left out"),
                    Some(block.header),
                );
                return None;
            }
            if self.is_full() {
                self.report(
                    Level::Warning,
                    "too-many-modules",
                    "this root has too many module instances; the others are left out",
                    None,
                );
                return None;
            }
            let module = self.loader.module(&dir);
            if module.files.is_empty() {
                let named = if dir.is_empty() { "." } else { dir.as_str() };
                self.report(
                    Level::Warning,
                    "module-missing",
                    format!("module.{call} has no configuration in `{named}`; its outputs are taken as unknown"),
                    Some(block.header),
                );
                return None;
            }
            let guard = instance.guard.and(&member.guard).unwrap_or_default();
            let caller = (Rc::clone(instance), SmolStr::from(call), member.each.clone());
            Some(self.instance(&path, || {
                Instance::new(
                    module,
                    path.clone(),
                    keys,
                    Some(caller),
                    instance.depth + 1,
                    guard,
                    instance.maybe || member.maybe,
                )
            }))
        })
    }

    fn calls_itself(&self, instance: &Rc<Instance>, dir: &str) -> bool {
        let mut next = Some(instance);
        while let Some(ancestor) = next {
            if ancestor.module.dir == dir {
                return true;
            }
            next = ancestor.caller.as_ref().map(|(caller, ..)| caller);
        }
        false
    }

    fn module_dir(
        &self,
        instance: &Rc<Instance>,
        block: &tree::Block,
        keys: &SmolStr,
    ) -> Option<SmolStr> {
        let attr = block.body.attribute("source")?;
        let source = self
            .expr(&Scope::of(instance), &attr.value)
            .ok()
            .and_then(|val| val.as_str());
        if let Some(source) = &source
            && is_local(source)
        {
            return Some(normal(&join(&instance.module.dir, source)).into());
        }
        self.installed_dir(attr, source, keys)
    }

    /// The directory of an installed module; one that is not installed is remembered.
    fn installed_dir(
        &self,
        attr: &Attribute,
        source: Option<SmolStr>,
        keys: &SmolStr,
    ) -> Option<SmolStr> {
        let found = self.installed.get(keys).cloned();
        if found.is_none() {
            let shown = source.unwrap_or_else(|| self.sources().slice(attr.value.span).into());
            self.missing.borrow_mut().insert(Missing {
                source: source_name(&shown),
                span: attr.value.span,
            });
        }
        found
    }

    /// The source of a module of a registry or repository that is not installed.
    pub(crate) fn absent_source(
        &self,
        instance: &Instance,
        call: &str,
        block: &tree::Block,
    ) -> Option<SmolStr> {
        let source = block.body.attribute("source")?.value.literal()?;
        let is_here =
            is_local(&source) || self.installed.contains_key(&called(&instance.keys, call));
        (!is_here).then_some(source)
    }

    /// Whether a call leads to anything that other crates read. A call that does not is not even
    /// expanded, until something refers to it.
    pub(crate) fn leads_to_read(&self, instance: &Instance, call: &str) -> bool {
        let Some(block) = instance.module.calls.get(call) else {
            return false;
        };
        self.call_is_read(&instance.module, block, &called(&instance.keys, call))
    }

    fn call_is_read(&self, module: &Module, block: &tree::Block, keys: &SmolStr) -> bool {
        let Some(attr) = block.body.attribute("source") else {
            return false;
        };
        let Some(source) = attr.value.literal() else {
            return true;
        };
        let dir = if is_local(&source) {
            Some(normal(&join(&module.dir, &source)).into())
        } else {
            self.installed_dir(attr, Some(source), keys)
        };
        dir.is_some_and(|dir| {
            if let Some(call) = block.labels.first() {
                self.refuse_arguments(&call.text, block, &self.loader.module(&dir));
            }
            self.module_is_read(&dir, keys)
        })
    }

    fn module_is_read(&self, dir: &SmolStr, keys: &SmolStr) -> bool {
        if let Some(known) = self.read_modules.borrow().get(dir) {
            return *known;
        }
        if keys.matches('.').count() > MAX_MODULES {
            return true;
        }
        // What calls itself is looked at once.
        self.read_modules.borrow_mut().insert(dir.clone(), false);
        let module = self.loader.module(dir);
        // Every call is looked at, for those that are not installed. A directory without files is
        // told where the call is entered.
        let mut read = module.files.is_empty() || module.resources.keys().any(is_read);
        for (call, block) in &module.calls {
            read |= self.call_is_read(&module, block, &called(keys, call));
        }
        self.read_modules.borrow_mut().insert(dir.clone(), read);
        read
    }
}

/// The key of a call in `modules.json`.
fn called(keys: &SmolStr, call: &str) -> SmolStr {
    if keys.is_empty() {
        SmolStr::from(call)
    } else {
        format_smolstr!("{keys}.{call}")
    }
}

/// Whether a source is a directory beside the calling one.
fn is_local(source: &str) -> bool {
    source.starts_with("./") || source.starts_with("../") || matches!(source, "." | "..")
}

/// A module source without its version and without what it may hold of credentials.
fn source_name(source: &str) -> String {
    let source = source.split('?').next().unwrap_or_default();
    match source.split_once("://") {
        Some((scheme, rest)) => match rest.split_once('/') {
            Some((host, path)) => {
                let host = host.rsplit('@').next().unwrap_or_default();
                format!("{scheme}://{host}/{path}")
            }
            None => source.to_owned(),
        },
        None => source.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::source_name;

    #[test]
    fn sources_are_named_without_version_and_credentials() {
        for (source, name) in [
            ("cloudposse/label/null", "cloudposse/label/null"),
            (
                "git::https://user:secret@host.example/a/b.git//m?ref=v1",
                "git::https://host.example/a/b.git//m",
            ),
            ("git@github.com:a/b.git?ref=v1", "git@github.com:a/b.git"),
        ] {
            assert_eq!(source_name(source), name);
        }
    }
}
