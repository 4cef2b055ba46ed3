//! References: `var.x`, `local.x`, `module.m.out`, `aws_x.y.arn`, `data.…`, `each.key` and the others.
//!
//! A resource, data source or module call is not evaluated as a whole: a reference to it is a symbol
//! with an empty path, and only a step into it evaluates the one attribute. Invariant: every use
//! adds itself to the way of the value.

use super::conditional::subject_of;
use super::expand::{Expanded, Shape};
use super::expr::{Eval, at, fixed};
use super::instance::{Block, Evaluator, Instance, Slot, Target};
use super::scope::{Each, Scope};
use crate::config::{ResourceKey, Variable};
use crate::syntax::tree::{Body, Expr, ExprKind, Step, StepKind};
use overgrant_ir::Mode;
use overgrant_source::Span;
use overgrant_value::{Data, Entry, Guard, Map, Marks, Relation, Src, Sym, Text, Ty, Unknown, Val};
use smol_str::{SmolStr, format_smolstr};
use std::rc::Rc;

impl Evaluator<'_> {
    /// The value of a name with the steps behind it.
    pub(crate) fn reference(
        &self,
        scope: &Scope,
        name: &SmolStr,
        span: Span,
        steps: &[Step],
    ) -> Eval {
        if let Some(val) = scope.bound(name) {
            return self.steps(scope, val, steps);
        }
        let first = attr_step(steps, 0);
        let Some(instance) = scope.instance.as_ref() else {
            return fixed(format!("the name `{name}` is not known here"), span);
        };
        let rest = |count: usize| steps.get(count..).unwrap_or_default();
        let whole = steps.first().map_or(span, |step| span.to(step.span));
        match name.as_str() {
            "var" => {
                let Some(first) = first else {
                    return fixed("`var` needs the name of a variable", span);
                };
                let mut val = self.variable(instance, first, whole)?;
                // Where a default is not taken, another that is empty is none to rely on.
                if self.off_default.get() && is_empty_default(&val) {
                    val = Val::unknown(self.input(instance, first), val.src().clone());
                }
                let val = self.steps(scope, val, rest(1))?;
                Ok(val.through(whole, format_smolstr!("var.{first}")))
            }
            "local" => {
                let Some(first) = first else {
                    return fixed("`local` needs the name of a local value", span);
                };
                let val = self.local(instance, first, whole)?;
                let val = self.steps(scope, val, rest(1))?;
                Ok(val.through(whole, format_smolstr!("local.{first}")))
            }
            "each" | "count" => {
                let val = match (scope.each.as_deref(), first) {
                    (Some(Each::Count(index)), Some("index")) => index.clone(),
                    (Some(Each::Pair(key, _)), Some("key")) => key.clone(),
                    (Some(Each::Pair(_, value)), Some("value")) => value.clone(),
                    _ => {
                        return self
                            .undeclared(format!("`{name}` has no meaning in this block"), span);
                    }
                };
                let label = format_smolstr!("{name}.{}", first.unwrap_or_default());
                let val = self.steps(scope, val, rest(1))?;
                Ok(val.through(whole, label))
            }
            "path" => {
                let text = match first {
                    Some("module") => module_path(&self.dir, &instance.module.dir),
                    Some("root") => ".".to_owned(),
                    Some("cwd") => {
                        let sym = Sym::Other {
                            what: "path.cwd".into(),
                            at: None,
                        };
                        let mut cwd = Text::hole(sym, Src::at(whole));
                        if !self.dir.is_empty() {
                            cwd.append(&Text::known(&format!("/{}", self.dir)));
                        }
                        return self.steps(scope, Val::text(cwd, Src::at(whole)), rest(1));
                    }
                    _ => return fixed("`path` has module, root and cwd", span),
                };
                self.steps(scope, Val::str(&text, Src::at(whole)), rest(1))
            }
            "terraform" | "tofu" => {
                let sym = Sym::Other {
                    what: format_smolstr!("terraform.{}", first.unwrap_or_default()),
                    at: None,
                };
                Ok(Val::unknown_of(sym, Ty::String, Src::at(whole)))
            }
            "self" => fixed(
                "`self` is for provisioners, connections and postconditions",
                span,
            ),
            "module" => {
                let Some(first) = first else {
                    return fixed("`module` needs the name of a call", span);
                };
                let val = self.module_value(instance, first, whole)?;
                self.steps(scope, val, rest(1))
            }
            "ephemeral" => {
                let (Some(kind), Some(second)) = (first, attr_step(steps, 1)) else {
                    return fixed("`ephemeral` needs a type and a name", span);
                };
                let sym = Sym::Data {
                    root: self.root.clone(),
                    addr: instance.address(&format!("ephemeral.{kind}.{second}")),
                    path: SmolStr::default(),
                };
                let val = Val::unknown(sym, Src::at(whole)).marked(Marks::EPHEMERAL);
                self.steps(scope, val, rest(2))
            }
            "data" | "resource" => {
                let (Some(kind), Some(second)) = (first, attr_step(steps, 1)) else {
                    return fixed(format!("`{name}` needs a type and a name"), span);
                };
                let key = ResourceKey {
                    mode: if name == "data" {
                        Mode::Data
                    } else {
                        Mode::Managed
                    },
                    kind: kind.into(),
                    name: second.into(),
                };
                let whole = steps.get(1).map_or(span, |step| span.to(step.span));
                let val = self.resource_value(instance, &key, whole)?;
                self.steps(scope, val, rest(2))
            }
            _ => {
                let Some(first) = first else {
                    return fixed(format!("the name `{name}` is not known here"), span);
                };
                let key = ResourceKey {
                    mode: Mode::Managed,
                    kind: name.clone(),
                    name: first.into(),
                };
                let val = self.resource_value(instance, &key, whole)?;
                self.steps(scope, val, rest(1))
            }
        }
    }

    /// A name that is not declared: Terraform refuses the whole configuration, whatever is done with
    /// the value. Here it costs no more than the place where it stands.
    fn undeclared(&self, message: String, span: Span) -> Eval {
        let refused = fixed(message, span);
        if self.is_quiet() {
            return refused;
        }
        Ok(self.settle(refused, span))
    }

    /// The value of a variable of a module instance.
    pub(crate) fn variable(&self, instance: &Rc<Instance>, name: &str, span: Span) -> Eval {
        let Some(variable) = instance.module.variables.get(name) else {
            return self.undeclared(format!("the variable `{name}` is not declared"), span);
        };
        self.remember(instance, Slot::Variable(name.into()), span, || {
            Ok(self.variable_value(instance, name, variable))
        })
    }

    fn variable_value(&self, instance: &Rc<Instance>, name: &str, variable: &Variable) -> Val {
        let body = &variable.block.body;
        let flag = |wanted: &str| {
            body.attribute(wanted)
                .and_then(|attr| self.expr(&Scope::bare(None), &attr.value).ok())
                .and_then(|val| val.as_bool())
        };
        let constraint = body
            .attribute("type")
            .and_then(|attr| self.constraint(&attr.value));
        let fit = |val: Val, span: Span| match &constraint {
            Some(constraint) => self.settle(at(constraint.apply(&val), span), span),
            None => val,
        };
        let nullable = flag("nullable") != Some(false);
        let given = match &instance.caller {
            None => self
                .given
                .get(name)
                .map(|val| fit(val.clone(), variable.block.header)),
            Some((caller, call, each)) => caller.module.calls.get(call).and_then(|block| {
                let attr = block.body.attribute(name)?;
                let scope = Scope::of(caller).with_each(each.clone());
                let val = self.settle(self.expr(&scope, &attr.value), attr.value.span);
                let val = val.through(
                    attr.span,
                    format_smolstr!("argument {name} of module.{call}"),
                );
                Some(fit(val, attr.value.span))
            }),
        };
        let mut val = match given {
            Some(val) if !val.is_null() || nullable => val,
            _ => match body.attribute("default") {
                Some(attr) => {
                    let val =
                        self.settle(self.expr(&Scope::bare(None), &attr.value), attr.value.span);
                    let val = fit(val, attr.value.span);
                    let val = val.through(attr.span, format_smolstr!("default of var.{name}"));
                    if instance.caller.is_none() {
                        val.marked(Marks::FROM_DEFAULT)
                    } else {
                        val
                    }
                }
                None => {
                    let ty = constraint.as_ref().map(|of| of.ty()).unwrap_or_default();
                    let src = Src::at(variable.block.header);
                    let unknown = Unknown {
                        sym: self.input(instance, name),
                        ty,
                        not_null: !nullable,
                    };
                    self.validated(body, name, &unknown.sym, &src)
                        .unwrap_or_else(|| Val::new(Data::Unknown(Box::new(unknown)), src))
                }
            },
        };
        if flag("sensitive") == Some(true) {
            val = val.marked(Marks::SENSITIVE);
        }
        val
    }

    /// What a variable without a value may be, where a validation names all that it may be:
    /// `contains([…], var.name)`.
    fn validated(&self, body: &Body, name: &str, sym: &Sym, src: &Src) -> Option<Val> {
        const MOST: usize = 8;
        let is_it = |expr: &Expr| match &expr.kind {
            ExprKind::Traversal(base, steps) => {
                matches!(&base.kind, ExprKind::Root(root) if root == "var")
                    && steps.len() == 1
                    && attr_step(steps, 0) == Some(name)
            }
            _ => false,
        };
        let allowed = body.blocks_of("validation").find_map(|block| {
            let ExprKind::Call(call) = &block.body.attribute("condition")?.value.kind else {
                return None;
            };
            match call.args.as_slice() {
                [list, of] if call.name == "contains" && is_it(of) => {
                    self.quietly(|| self.expr(&Scope::bare(None), list)).ok()
                }
                _ => None,
            }
        })?;
        let texts: Vec<SmolStr> = allowed
            .as_items()?
            .iter()
            .map(Val::as_str)
            .collect::<Option<_>>()?;
        if texts.is_empty() || texts.len() > MOST {
            return None;
        }
        let subject = subject_of(sym);
        let alternatives = texts.iter().map(|text| {
            let guard = Guard::atom(subject.clone(), Relation::Is(text.clone()));
            (guard, Val::str(text, src.clone()))
        });
        Some(Val::one_of(alternatives.collect(), name, src.clone()))
    }

    fn local(&self, instance: &Rc<Instance>, name: &str, span: Span) -> Eval {
        let Some(attr) = instance.module.locals.get(name) else {
            return self.undeclared(format!("the local value `{name}` is not declared"), span);
        };
        // Told where the module was read.
        if instance.module.circles.contains(name) {
            return Ok(Val::unknown_because(
                "a local value that refers to itself",
                Some(span),
            ));
        }
        self.remember(instance, Slot::Local(name.into()), span, || {
            self.expr(&Scope::of(instance), &attr.value)
        })
    }

    /// The value of an output of a module instance.
    pub(crate) fn output(&self, instance: &Rc<Instance>, name: &str, span: Span) -> Eval {
        let Some(block) = instance.module.outputs.get(name) else {
            return self.undeclared(format!("the module has no output `{name}`"), span);
        };
        self.remember(instance, Slot::Output(name.into()), span, || {
            let Some(attr) = block.body.attribute("value") else {
                return Ok(Val::null(Src::at(block.header)));
            };
            let val = self.expr(&Scope::of(instance), &attr.value)?;
            Ok(val.through(
                attr.span,
                format_smolstr!("output {name} of {}", instance.path),
            ))
        })
    }

    fn module_value(&self, instance: &Rc<Instance>, call: &str, span: Span) -> Eval {
        if !instance.module.calls.contains_key(call) {
            return self.undeclared(format!("the module call `{call}` is not declared"), span);
        }
        let Some(expanded) = self.expanded_call(instance, call) else {
            return fixed(format!("the module call `{call}` refers to itself"), span);
        };
        let address = instance.address(&format!("module.{call}"));
        Ok(self.members(
            &expanded,
            span,
            |suffix| Sym::Output {
                root: self.root.clone(),
                module: format_smolstr!("{address}{suffix}"),
                name: SmolStr::default(),
            },
            |suffix| {
                self.child(instance, call, suffix);
            },
        ))
    }

    fn resource_value(&self, instance: &Rc<Instance>, key: &ResourceKey, span: Span) -> Eval {
        let local = key.address();
        if !instance.module.resources.contains_key(key) {
            return self.undeclared(format!("`{local}` is not declared"), span);
        }
        let Some(expanded) = self.expanded_resource(instance, key) else {
            return fixed(format!("`{local}` refers to itself"), span);
        };
        let address = instance.address(&local);
        Ok(self.members(
            &expanded,
            span,
            |suffix| self.symbol_of(key, &format_smolstr!("{address}{suffix}"), ""),
            |_| {},
        ))
    }

    /// The value that a reference to an expanded block has: a symbol, or a collection of them.
    fn members(
        &self,
        expanded: &Expanded,
        span: Span,
        sym: impl Fn(&str) -> Sym,
        touch: impl Fn(&SmolStr),
    ) -> Val {
        let one = |position: usize| {
            expanded.members.get(position).map(|member| {
                touch(&member.suffix);
                let val = Val::new(
                    Data::Unknown(Box::new(Unknown {
                        sym: sym(&member.suffix),
                        ty: Ty::Dyn,
                        not_null: true,
                    })),
                    Src::at(span),
                );
                (
                    member,
                    if expanded.open {
                        val.marked(Marks::MAYBE)
                    } else {
                        val
                    },
                )
            })
        };
        let mut cases = Vec::new();
        let empty = expanded.cases.iter().all(|(_, of)| of.is_empty());
        let off: Vec<usize> = (0..expanded.members.len()).collect();
        let off = [(Guard::always(), off)];
        let seen = match self.off_default.get() && empty {
            true => &off[..],
            false => &expanded.cases,
        };
        for (guard, positions) in seen {
            let members: Vec<_> = positions
                .iter()
                .filter_map(|position| one(*position))
                .collect();
            let val = match expanded.shape {
                Shape::Single => match members.into_iter().next() {
                    Some((_, val)) => val,
                    None => continue,
                },
                Shape::Count => Val::tuple(
                    members.into_iter().map(|(_, val)| val).collect(),
                    Src::at(span),
                ),
                Shape::ForEach => {
                    let entries = members
                        .into_iter()
                        .map(|(member, val)| Entry {
                            key: member.key.clone().unwrap_or_default(),
                            key_src: Src::at(span),
                            val,
                        })
                        .collect();
                    Val::new(
                        Data::Map(Map::object(super::types::sorted(entries))),
                        Src::at(span),
                    )
                }
            };
            cases.push((guard.clone(), val));
        }
        let val = match cases.as_slice() {
            [(_, only)] => only.clone(),
            _ => Val::one_of(cases, "an unknown number of instances", Src::at(span)),
        };
        if expanded.open {
            val.marked(Marks::MAYBE)
        } else {
            val
        }
    }

    /// The instances of a resource; `None` where it is not declared or being expanded.
    pub(crate) fn expanded_resource(
        &self,
        instance: &Rc<Instance>,
        key: &ResourceKey,
    ) -> Option<Rc<Expanded>> {
        let block = instance.module.resources.get(key)?;
        let address = instance.address(&key.address());
        self.remember_expansion(instance, Block::Resource(key.clone()), || {
            let expanded = self.expand(&Scope::of(instance), &block.body, &address);
            let mut targets = self.targets.borrow_mut();
            for member in &expanded.members {
                targets.insert(
                    format_smolstr!("{address}{}", member.suffix),
                    Target {
                        instance: Rc::clone(instance),
                        key: key.clone(),
                        member: member.clone(),
                    },
                );
            }
            expanded
        })
    }

    /// A step into a resource, data source or module; `None` where the value is none of them.
    pub(crate) fn resolve(&self, val: &Val, name: &str, span: Span) -> Option<Eval> {
        let Data::Unknown(unknown) = val.data() else {
            return None;
        };
        let result = match &unknown.sym {
            Sym::Attr { root, addr, path } | Sym::Data { root, addr, path }
                if path.is_empty() && *root == self.root =>
            {
                let target = self.targets.borrow().get(addr).cloned()?;
                self.resource_attribute(&target, addr, name, span)
            }
            Sym::Output {
                root,
                module,
                name: path,
            } if path.is_empty() && *root == self.root => {
                let instance = self.instances.borrow().get(module).cloned()?;
                self.output(&instance, name, span)
            }
            _ => return None,
        };
        Some(result.map(|found| {
            let label = match &unknown.sym {
                Sym::Attr { addr, .. } | Sym::Data { addr, .. } => format_smolstr!("{addr}.{name}"),
                Sym::Output { module, .. } => format_smolstr!("{module}.{name}"),
                _ => SmolStr::from(name),
            };
            let place = val.span().map_or(span, |from| from.to(span));
            let found = found
                .through(place, label)
                .under(&val.unmarked(Marks::MAYBE));
            if val.marks().has(Marks::MAYBE) {
                found.marked(Marks::MAYBE)
            } else {
                found
            }
        }))
    }

    /// Whether a value is a resource, data source or module as a whole.
    pub(crate) fn is_object(&self, val: &Val) -> bool {
        match val.data() {
            Data::Unknown(unknown) => match &unknown.sym {
                Sym::Attr { path, .. } | Sym::Data { path, .. } => path.is_empty(),
                Sym::Output { name, .. } => name.is_empty(),
                _ => false,
            },
            _ => false,
        }
    }

    /// A module as an object of its outputs; other values as they are.
    pub(crate) fn materialise(&self, val: &Val) -> Val {
        let Data::Unknown(unknown) = val.data() else {
            return val.clone();
        };
        let Sym::Output { root, module, name } = &unknown.sym else {
            return val.clone();
        };
        if !name.is_empty() || *root != self.root {
            return val.clone();
        }
        let Some(instance) = self.instances.borrow().get(module).cloned() else {
            return val.clone();
        };
        let entries = instance
            .module
            .outputs
            .iter()
            .map(|(name, block)| Entry {
                key: Text::exact(name, block.header),
                key_src: Src::at(block.header),
                val: self.settle(self.output(&instance, name, block.header), block.header),
            })
            .collect();
        Val::new(Data::Map(Map::object(entries)), val.src().clone()).marked(val.marks())
    }

    /// The value of one attribute of a resource instance.
    fn resource_attribute(&self, target: &Target, addr: &SmolStr, name: &str, span: Span) -> Eval {
        let slot = Slot::Attribute(
            target.key.clone(),
            target.member.suffix.clone(),
            name.into(),
        );
        let instance = Rc::clone(&target.instance);
        self.remember(&instance, slot, span, || {
            self.off_default(target.member.off_default, || {
                self.attribute_of(target, addr, name)
            })
        })
    }

    /// Guard under which a member exists, with that of its module.
    pub(crate) fn guard_of(&self, target: &Target) -> Guard {
        target
            .instance
            .guard
            .and(&target.member.guard)
            .unwrap_or_default()
    }
}

/// Whether a value is a default that holds nothing.
fn is_empty_default(val: &Val) -> bool {
    val.marks().has(Marks::FROM_DEFAULT)
        && match val.data() {
            Data::Null(_) => true,
            Data::Seq(seq) => seq.items.is_empty(),
            Data::Map(map) => map.entries.is_empty(),
            Data::Str(text) => text.is_empty(),
            _ => false,
        }
}

/// The name in an attribute step, or in an index step with a plain text.
fn attr_step(steps: &[Step], at: usize) -> Option<&str> {
    match &steps.get(at)?.kind {
        StepKind::Attr(name) => Some(name.as_str()),
        _ => None,
    }
}

/// `path.module`: the way from the root's directory to the module's.
fn module_path(root: &str, dir: &str) -> String {
    if root == dir {
        return ".".into();
    }
    let from: Vec<&str> = root.split('/').filter(|part| !part.is_empty()).collect();
    let to: Vec<&str> = dir.split('/').filter(|part| !part.is_empty()).collect();
    let common = from.iter().zip(&to).take_while(|(a, b)| a == b).count();
    let mut parts: Vec<&str> = vec![".."; from.len() - common];
    parts.extend(to.iter().skip(common));
    parts.join("/")
}
