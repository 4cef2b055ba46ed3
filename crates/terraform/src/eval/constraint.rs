//! Type constraints of variables: `object({ a = string, b = optional(number, 3) })`.
//!
//! Rules: developer.hashicorp.com/terraform/language/expressions/type-constraints. Invariant: defaults of
//! optional attributes are filled in before conversion, at every depth.

use super::instance::Evaluator;
use super::scope::Scope;
use super::types::convert;
use crate::syntax::tree::{Expr, ExprKind, Key, Part};
use overgrant_value::{Data, Entry, Field, Map, Seq, Text, Ty, Val};
use smol_str::SmolStr;

/// A declared type.
#[derive(Debug, Clone)]
pub(crate) enum Constraint {
    Plain(Ty),
    List(Box<Self>),
    Set(Box<Self>),
    Map(Box<Self>),
    Tuple(Vec<Self>),
    Object(Vec<Attr>),
}

/// An attribute of an object type.
#[derive(Debug, Clone)]
pub(crate) struct Attr {
    name: SmolStr,
    of: Constraint,
    optional: bool,
    default: Option<Val>,
}

impl Constraint {
    /// The type without defaults.
    pub(crate) fn ty(&self) -> Ty {
        match self {
            Self::Plain(ty) => ty.clone(),
            Self::List(of) => Ty::List(Box::new(of.ty())),
            Self::Set(of) => Ty::Set(Box::new(of.ty())),
            Self::Map(of) => Ty::Map(Box::new(of.ty())),
            Self::Tuple(of) => Ty::Tuple(of.iter().map(Self::ty).collect()),
            Self::Object(attrs) => {
                let mut fields: Vec<Field> = attrs
                    .iter()
                    .map(|attr| Field {
                        name: attr.name.clone(),
                        ty: attr.of.ty(),
                        optional: attr.optional,
                    })
                    .collect();
                fields.sort_by(|a, b| a.name.cmp(&b.name));
                Ty::Object(fields)
            }
        }
    }

    /// The value with defaults filled in, as a value of the type.
    ///
    /// # Errors
    /// A value that does not fit, in words.
    pub(crate) fn apply(&self, val: &Val) -> Result<Val, String> {
        convert(&self.fill(val), &self.ty())
    }

    fn fill(&self, val: &Val) -> Val {
        let same = |data: Data| Val::new(data, val.src().clone()).marked(val.marks());
        if let Data::OneOf(alts) = val.data() {
            let filled = alts
                .iter()
                .map(|alt| (alt.guard.clone(), self.fill(&alt.val)))
                .collect();
            return Val::one_of(filled, "one of many values", val.src().clone());
        }
        match (self, val.data()) {
            (Self::List(of) | Self::Set(of), Data::Seq(seq)) => same(Data::Seq(Seq {
                items: seq.items.iter().map(|item| of.fill(item)).collect(),
                ..seq.clone()
            })),
            (Self::Tuple(of), Data::Seq(seq)) if of.len() == seq.items.len() => {
                same(Data::Seq(Seq {
                    items: seq
                        .items
                        .iter()
                        .zip(of)
                        .map(|(item, of)| of.fill(item))
                        .collect(),
                    ..seq.clone()
                }))
            }
            (Self::Map(of), Data::Map(map)) => same(Data::Map(Map {
                entries: map
                    .entries
                    .iter()
                    .map(|entry| Entry {
                        val: of.fill(&entry.val),
                        ..entry.clone()
                    })
                    .collect(),
                ..map.clone()
            })),
            (Self::Object(attrs), Data::Map(map)) => {
                let mut entries = map.entries.clone();
                for attr in attrs {
                    let found = entries.iter_mut().find(|entry| entry.key.is(&attr.name));
                    match (found, &attr.default) {
                        (Some(entry), default) => {
                            if entry.val.is_null()
                                && let Some(default) = default
                            {
                                entry.val = default.clone();
                            }
                            entry.val = attr.of.fill(&entry.val);
                        }
                        (None, Some(default)) => entries.push(Entry {
                            key: Text::known(&attr.name),
                            key_src: default.src().clone(),
                            val: attr.of.fill(default),
                        }),
                        (None, None) => {}
                    }
                }
                same(Data::Map(Map {
                    entries: super::types::sorted(entries),
                    ..map.clone()
                }))
            }
            _ => val.clone(),
        }
    }
}

impl Evaluator<'_> {
    /// The constraint that a `type` argument writes; `None` where it is not understood.
    pub(crate) fn constraint(&self, expr: &Expr) -> Option<Constraint> {
        let plain = |ty| Some(Constraint::Plain(ty));
        match &expr.kind {
            ExprKind::Root(name) => match name.as_str() {
                "string" => plain(Ty::String),
                "number" => plain(Ty::Number),
                "bool" => plain(Ty::Bool),
                "any" => plain(Ty::Dyn),
                "list" => Some(Constraint::List(Box::new(Constraint::Plain(Ty::Dyn)))),
                "map" => Some(Constraint::Map(Box::new(Constraint::Plain(Ty::Dyn)))),
                _ => None,
            },
            ExprKind::Paren(inner) => self.constraint(inner),
            ExprKind::Template(parts) => match parts.as_slice() {
                [Part::Literal(literal)] => written(&literal.text),
                _ => None,
            },
            ExprKind::Call(call) => {
                let arg = call.args.first()?;
                match call.name.as_str() {
                    "list" => Some(Constraint::List(Box::new(self.constraint(arg)?))),
                    "set" => Some(Constraint::Set(Box::new(self.constraint(arg)?))),
                    "map" => Some(Constraint::Map(Box::new(self.constraint(arg)?))),
                    "tuple" => match &arg.kind {
                        ExprKind::Tuple(items) => Some(Constraint::Tuple(
                            items
                                .iter()
                                .map(|item| self.constraint(item))
                                .collect::<Option<_>>()?,
                        )),
                        _ => None,
                    },
                    "object" => match &arg.kind {
                        ExprKind::Object(items) => {
                            let mut attrs = Vec::with_capacity(items.len());
                            for item in items {
                                let name = match &item.key {
                                    Key::Name(name) => name.text.clone(),
                                    Key::Expr(expr) => {
                                        self.expr(&Scope::bare(None), expr).ok()?.as_str()?
                                    }
                                };
                                attrs.push(self.attr(name, &item.value)?);
                            }
                            Some(Constraint::Object(attrs))
                        }
                        _ => None,
                    },
                    _ => None,
                }
            }
            _ => None,
        }
    }

    fn attr(&self, name: SmolStr, expr: &Expr) -> Option<Attr> {
        if let ExprKind::Call(call) = &expr.kind
            && call.name == "optional"
        {
            let default = match call.args.get(1) {
                Some(default) => Some(self.expr(&Scope::bare(None), default).ok()?),
                None => None,
            };
            return Some(Attr {
                name,
                of: self.constraint(call.args.first()?)?,
                optional: true,
                default,
            });
        }
        Some(Attr {
            name,
            of: self.constraint(expr)?,
            optional: false,
            default: None,
        })
    }
}

/// A type in quotes, as old configurations and JSON write it.
fn written(text: &str) -> Option<Constraint> {
    let text = text.trim();
    let plain = match text {
        "string" => Some(Ty::String),
        "number" => Some(Ty::Number),
        "bool" => Some(Ty::Bool),
        "any" => Some(Ty::Dyn),
        _ => None,
    };
    if let Some(ty) = plain {
        return Some(Constraint::Plain(ty));
    }
    let (kind, inner) = match text.split_once('(') {
        Some((kind, inner)) => (kind.trim(), written(inner.strip_suffix(')')?)?),
        None => (text, Constraint::Plain(Ty::Dyn)),
    };
    match kind {
        "list" => Some(Constraint::List(Box::new(inner))),
        "set" => Some(Constraint::Set(Box::new(inner))),
        "map" => Some(Constraint::Map(Box::new(inner))),
        _ => None,
    }
}
