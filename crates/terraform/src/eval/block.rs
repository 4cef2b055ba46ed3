//! Bodies of resources: arguments, nested and dynamic blocks, attributes that AWS gives.
//!
//! Not for policy documents, see `policy_document`. Invariant: a nested block is a list of objects
//! under its name, as in the provider's schema; what only AWS knows is a symbol of the resource.

use super::access::{self, Elements};
use super::expr::{Eval, at};
use super::instance::{Evaluator, Instance, Target};

use super::scope::Scope;
use crate::config::ResourceKey;
use crate::syntax::tree::{Attribute, Block, Body};
use overgrant_ir::{
    ABSENT_MODULE, Format, Mode, Resource, is_relevant, may_attach, takes_policies,
};
use overgrant_value::{Data, Entry, Guard, Map, Marks, Src, Sym, Text, Ty, Unknown, Val};
use smol_str::SmolStr;
use std::rc::Rc;

/// Arguments that Terraform itself reads.
const META: &[&str] = &["count", "for_each", "depends_on", "provider", "lifecycle"];
/// Blocks without which a policy document is not valid.
const POLICY_BLOCKS: &[&str] = &["statement", "principals", "not_principals"];
/// Blocks that Terraform itself reads.
const META_BLOCKS: &[&str] = &["lifecycle", "provisioner", "connection"];

impl Evaluator<'_> {
    /// A body as an object.
    pub(crate) fn body(&self, scope: &Scope, body: &Body, src: Src) -> Val {
        self.body_with(scope, body, src, |_| true)
    }

    /// What is `read` of a body, as an object.
    fn body_with(&self, scope: &Scope, body: &Body, src: Src, read: impl Fn(&str) -> bool) -> Val {
        let mut entries = Vec::new();
        let blocks = block_names(body);
        for attr in &body.attributes {
            if blocks.contains(&attr.name) {
                continue;
            }
            if META.contains(&attr.name.as_str()) || !read(&attr.name) {
                continue;
            }
            entries.push(Entry {
                key: Text::exact(&attr.name, attr.name_span),
                key_src: Src::at(attr.name_span),
                val: self.settle(self.expr(scope, &attr.value), attr.value.span),
            });
        }
        for name in blocks {
            if META_BLOCKS.contains(&name.as_str()) || !read(&name) {
                continue;
            }
            let first = body.blocks_of(&name).next();
            entries.push(Entry {
                key: Text::known(&name),
                key_src: first.map_or_else(|| src.clone(), |block| Src::at(block.header)),
                val: self.nested(scope, body, &name, &src),
            });
        }
        Val::new(Data::Map(Map::object(super::types::sorted(entries))), src)
    }

    /// All blocks `name` of a body, static and dynamic, in order.
    fn nested(&self, scope: &Scope, body: &Body, name: &str, src: &Src) -> Val {
        let mut items = Vec::new();
        let mut loops = false;
        // JSON syntax writes static blocks as an argument beside dynamic ones.
        if let Some(attr) = body.attribute(name) {
            items = self
                .settle(self.expr(scope, &attr.value), attr.value.span)
                .listed()
                .into_vec();
        }
        for block in &body.blocks {
            if block.kind == name {
                items.push(self.body(scope, &block.body, Src::at(block.span)));
            } else if block.kind == "dynamic"
                && block.labels.first().is_some_and(|label| label.text == name)
            {
                self.dynamic(scope, block, name, &mut items);
                loops = true;
            }
        }
        items.shrink_to_fit();
        // Other values make the parts of a policy that are missing here.
        let filled_later = loops && items.is_empty() && POLICY_BLOCKS.contains(&name);
        let list = Val::tuple(items, src.clone());
        if filled_later {
            list.marked(Marks::MAYBE)
        } else {
            list
        }
    }

    fn dynamic(&self, scope: &Scope, block: &Block, name: &str, items: &mut Vec<Val>) {
        let Some(content) = block.body.blocks_of("content").next() else {
            return;
        };
        let iterator = block.body.attribute("iterator").map_or_else(
            || SmolStr::from(name),
            |attr| self.sources().slice(attr.value.span).trim().into(),
        );
        let Some(attr) = block.body.attribute("for_each") else {
            return;
        };
        let collection = self.settle(self.expr(scope, &attr.value), attr.value.span);
        let alternatives = collection.alternatives();
        for (guard, collection) in alternatives {
            let rounds = match access::elements(&self.materialise(&collection)) {
                Ok(Elements::All(rounds) | Elements::Open(rounds)) => rounds,
                Err(message) => {
                    if !collection.is_null() {
                        self.settle(at(Err(message), attr.value.span), attr.value.span);
                    }
                    continue;
                }
            };
            for (key, item) in rounds {
                let maybe = item.marks().has(Marks::MAYBE);
                let each = Val::object(
                    vec![("key", key), ("value", access::present(&item))],
                    Src::none(),
                );
                let inner = scope.bind(&iterator, each);
                let mut val = self.body(&inner, &content.body, Src::at(content.span));
                if maybe {
                    val = val.marked(Marks::MAYBE);
                }
                if !guard.is_always() {
                    val = Val::one_of(
                        vec![(guard.clone(), val)],
                        "a block that may not exist",
                        Src::at(content.span),
                    );
                }
                items.push(val);
            }
        }
    }

    /// The scope in which a resource instance's arguments are evaluated.
    pub(crate) fn scope_of(&self, target: &Target) -> Scope {
        Scope::of(&target.instance).with_each(target.member.each.clone())
    }

    /// What is left of an instance's arguments when it exists.
    pub(crate) fn existing(&self, target: &Target, attrs: Val) -> Val {
        attrs.assuming(&self.guard_of(target)).unwrap_or(attrs)
    }

    /// An attribute as the configuration writes it.
    pub(crate) fn configured(&self, target: &Target, body: &Body, name: &str) -> Option<Eval> {
        let scope = self.scope_of(target);
        if block_names(body).iter().any(|known| known == name) {
            return Some(Ok(self.nested(&scope, body, name, &Src::none())));
        }
        body.attribute(name)
            .map(|attr| self.expr(&scope, &attr.value))
    }

    /// The value of an attribute of a resource instance, not remembered.
    pub(crate) fn attribute_of(&self, target: &Target, addr: &SmolStr, name: &str) -> Eval {
        let Some(block) = target.instance.module.resources.get(&target.key) else {
            return Ok(Val::unknown_because(
                "a resource that is not declared",
                None,
            ));
        };
        let src = Src::at(block.header);
        let key = &target.key;
        if key.mode == Mode::Data
            && let Some(val) = self.data_attribute(target, &block.body, addr, name, &src)
        {
            return val;
        }
        if !META.contains(&name)
            && let Some(result) = self.configured(target, &block.body, name)
        {
            let mut val = result?;
            if body_has_block(&block.body, name) {
                val = self.with_computed(&val, self.symbol(target, addr, name));
            }
            if !val.is_null() || key.kind == "terraform_data" {
                return Ok(val);
            }
        }
        if key.kind == "terraform_data" && name == "output" {
            return self
                .configured(target, &block.body, "input")
                .unwrap_or_else(|| Ok(Val::null(src)));
        }
        let argument = |wanted: &str| -> Option<Text> {
            match self.configured(target, &block.body, wanted) {
                Some(Ok(val)) if !val.is_null() => val
                    .to_text()
                    .or_else(|| Some(Text::hole(self.symbol(target, addr, wanted), src.clone()))),
                Some(Err(_)) => Some(Text::hole(self.symbol(target, addr, wanted), src.clone())),
                // A data source finds what it does not say.
                _ if key.mode == Mode::Data && wanted == "path" => {
                    Some(Text::hole(self.symbol(target, addr, wanted), src.clone()))
                }
                _ => None,
            }
        };
        if let Some(text) = self.identified(target, &block.body, addr, name, &argument) {
            return Ok(Val::text(text, src));
        }
        let ty = match name {
            "id" | "arn" | "name" => Ty::String,
            _ => Ty::Dyn,
        };
        Ok(Val::new(
            Data::Unknown(Box::new(Unknown {
                sym: self.symbol(target, addr, name),
                ty,
                not_null: matches!(name, "id" | "arn" | "name"),
            })),
            src,
        ))
    }

    /// Nested blocks as references see them: with attributes that only AWS knows.
    fn with_computed(&self, val: &Val, sym: Sym) -> Val {
        let items = val
            .listed()
            .iter()
            .map(|item| match item.data() {
                Data::Map(map) => {
                    let mut map = map.clone();
                    map.entries.push(Entry {
                        key: Text::hole(sym.clone(), item.src().clone()),
                        key_src: item.src().clone(),
                        val: Val::unknown(sym.clone(), item.src().clone()),
                    });
                    Val::new(Data::Map(map), item.src().clone()).marked(item.marks())
                }
                _ => item.clone(),
            })
            .collect();
        Val::tuple(items, val.src().clone())
    }

    pub(crate) fn symbol(&self, target: &Target, addr: &SmolStr, name: &str) -> Sym {
        self.symbol_of(&target.key, addr, name)
    }

    /// The symbol of an attribute of the resource with the address `addr`; of all of it without a
    /// name.
    pub(crate) fn symbol_of(&self, key: &ResourceKey, addr: &SmolStr, name: &str) -> Sym {
        let (root, addr, path) = (self.root.clone(), addr.clone(), SmolStr::from(name));
        match key.mode {
            Mode::Managed => Sym::Attr { root, addr, path },
            Mode::Data => Sym::Data { root, addr, path },
        }
    }

    /// The configured providers of AWS in a module, as resources of the type `provider.aws`: whom
    /// Terraform works as, and keys that are written there.
    pub(crate) fn providers(&self, instance: &Rc<Instance>) -> Vec<Resource> {
        let scope = Scope::of(instance);
        let blocks = instance.module.providers.iter();
        blocks
            .filter(|(name, _)| name.split('.').next() == Some("aws"))
            .map(|(name, block)| {
                let key = ResourceKey {
                    mode: Mode::Managed,
                    kind: "provider.aws".into(),
                    name: name.clone(),
                };
                let addr = instance.address(&format!("provider.{name}"));
                let attrs = self.body(&scope, &block.body, Src::at(block.span));
                let guard = instance.guard.clone();
                self.as_resource(&key, block, addr, attrs, guard, instance.maybe)
            })
            .collect()
    }

    /// The call of a module that is not installed, where it is handed policies: resources of the type
    /// `module.absent` with those arguments.
    pub(crate) fn absent(
        &self,
        instance: &Rc<Instance>,
        call: &str,
        block: &Block,
    ) -> Vec<Resource> {
        let takes = |attr: &Attribute| takes_policies(&attr.name);
        let is_handed = block.body.attributes.iter().any(takes)
            && self
                .absent_source(instance, call, block)
                .is_some_and(|source| may_attach(&source));
        if !is_handed {
            return Vec::new();
        }
        let key = ResourceKey {
            mode: Mode::Managed,
            kind: ABSENT_MODULE.into(),
            name: call.into(),
        };
        let Some(expanded) = self.expanded_call(instance, call) else {
            return Vec::new();
        };
        let members = expanded.members.iter();
        members
            .filter_map(|member| {
                let addr = instance.address(&format!("module.{call}{}", member.suffix));
                let scope = Scope::of(instance).with_each(member.each.clone());
                let src = Src::at(block.span);
                let attrs = self.off_default(member.off_default, || {
                    // What is wrong with the arguments of a module that is not there, nobody can tell.
                    self.quietly(|| self.body_with(&scope, &block.body, src, takes_policies))
                });
                let guard = instance.guard.and(&member.guard)?;
                Some(self.as_resource(&key, block, addr, attrs, guard, true))
            })
            .collect()
    }

    /// A block that no other crate reads, as one resource without instances and arguments: only its
    /// place counts.
    pub(crate) fn unread(&self, instance: &Instance, key: &ResourceKey) -> Option<Resource> {
        let block = instance.module.resources.get(key)?;
        let addr = instance.address(&key.address());
        let attrs = if is_relevant(&key.kind) {
            Val::unknown(self.symbol_of(key, &addr, ""), Src::at(block.span))
        } else {
            self.unread_arguments.clone()
        };
        let guard = instance.guard.clone();
        Some(self.as_resource(key, block, addr, attrs, guard, instance.maybe))
    }

    /// The resource as the other crates see it.
    pub(crate) fn resource(&self, target: &Target, addr: &SmolStr) -> Option<Resource> {
        let block = target.instance.module.resources.get(&target.key)?;
        if target.key.mode == Mode::Data {
            let guard = self.guard_of(target);
            let maybe = target.member.maybe || target.instance.maybe;
            let attrs = self.unread_arguments.clone();
            return Some(self.as_resource(&target.key, block, addr.clone(), attrs, guard, maybe));
        }
        let src = Src::at(block.span);
        let attrs = self.off_default(target.member.off_default, || {
            let read = overgrant_ir::read_of(&target.key.kind);
            self.body_with(&self.scope_of(target), &block.body, src.clone(), read)
        });
        let mut attrs = self.existing(target, attrs);
        if let Some(arn) = self.own_arn(target, &block.body, &attrs)
            && let Data::Map(map) = attrs.data()
        {
            let mut entries = Vec::with_capacity(map.entries.len() + 1);
            entries.extend(map.entries.iter().cloned());
            entries.push(Entry {
                key: Text::known("arn"),
                key_src: Src::at(block.header),
                val: Val::text(arn, Src::at(block.header)),
            });
            let map = Map {
                kind: map.kind,
                elem: map.elem.clone(),
                entries,
            };
            attrs = Val::new(Data::Map(map), src.clone()).marked(attrs.marks());
        }
        Some(self.as_resource(
            &target.key,
            block,
            addr.clone(),
            attrs,
            self.guard_of(target),
            target.member.maybe || target.instance.maybe,
        ))
    }

    fn as_resource(
        &self,
        key: &ResourceKey,
        block: &Block,
        address: SmolStr,
        attrs: Val,
        guard: Guard,
        maybe: bool,
    ) -> Resource {
        Resource {
            root: self.root.clone(),
            address,
            kind: key.kind.clone(),
            mode: key.mode,
            format: Format::Terraform,
            logical_id: None,
            origin: None,
            maker: overgrant_ir::Maker::Author,
            attrs,
            src: Src::at(block.span),
            name_src: Src::at(block.header),
            guard,
            maybe,
        }
    }
}

/// Whether other crates read the arguments of a resource. The other blocks are not even expanded; a
/// reference to one of them still evaluates what it needs.
pub(crate) fn is_read(key: &ResourceKey) -> bool {
    match key.mode {
        Mode::Managed => is_relevant(&key.kind),
        Mode::Data => key.kind == "aws_iam_policy_document",
    }
}

fn body_has_block(body: &Body, name: &str) -> bool {
    block_names(body).iter().any(|known| known == name)
}

/// The types of nested blocks in a body, each once, in order.
fn block_names(body: &Body) -> Vec<SmolStr> {
    let mut names: Vec<SmolStr> = Vec::new();
    for block in &body.blocks {
        let name = if block.kind == "dynamic" {
            match block.labels.first() {
                Some(label) => label.text.clone(),
                None => continue,
            }
        } else {
            block.kind.clone()
        };
        if !names.contains(&name) {
            names.push(name);
        }
    }
    names
}
