//! Templates: literals, interpolations, `%{ if }` and `%{ for }` as one rope.
//!
//! Not for where literals begin and end, which the syntax tree says. Invariant: a part that is not
//! known is a hole, its neighbours stay.

use super::access::{self, Elements};
use super::expr::{Eval, at, fail, inherited, lit};
use super::instance::Evaluator;
use super::ops;
use super::scope::Scope;
use super::types::convert;
use crate::syntax::tree::{Expr, ExprKind, Part, StepKind};
use overgrant_source::Span;
use overgrant_value::{Marks, Piece, Src, Sym, Text, Ty, Val};

impl Evaluator<'_> {
    /// The text of a template.
    pub(crate) fn template(&self, scope: &Scope, parts: &[Part], span: Span) -> Eval {
        let mut vals = Vec::with_capacity(parts.len());
        for part in parts {
            let val = match part {
                Part::Literal(literal) => {
                    Val::text(Text::from(Piece::Lit(lit(literal))), Src::at(span))
                }
                Part::Interp(expr) => {
                    let val = self.expr(scope, expr)?;
                    self.spread(&[val], |vals| {
                        let [val] = vals else {
                            return fail("an interpolation without a value", expr.span);
                        };
                        if val.is_null() {
                            // A default that cannot be taken: whoever applies this sets it.
                            if val.marks().has(Marks::FROM_DEFAULT) {
                                return Ok(self.unset(scope, expr, val));
                            }
                            return fail("a null cannot be part of a text", expr.span);
                        }
                        at(convert(val, &Ty::String), expr.span)
                    })?
                }
                Part::If(part) => {
                    let cond = self.expr(scope, &part.cond)?;
                    let yes = self.template(scope, &part.then, span);
                    let no = self.template(scope, &part.otherwise, span);
                    self.choose(scope, &part.cond, &cond, yes, no, span)?
                }
                Part::For(part) => {
                    let collection = self.expr(scope, &part.collection)?;
                    self.spread(&[collection], |vals| {
                        let [collection] = vals else {
                            return fail("a loop without a collection", part.collection.span);
                        };
                        let rounds = match at(access::elements(collection), part.collection.span)? {
                            Elements::All(rounds) => rounds,
                            Elements::Open(rounds) => {
                                let mut all = Vec::with_capacity(rounds.len());
                                for (key, item) in rounds {
                                    let (name, value) = (&part.key_var, &part.value_var);
                                    let once = self.round(scope, name, value, key, item);
                                    all.push(self.template(&once, &part.body, span)?);
                                }
                                let all: Vec<&Val> = all.iter().collect();
                                let src = Src::at(span);
                                return Ok(ops::call("%{for}", &all, Ty::String, src));
                            }
                        };
                        let mut all = Vec::with_capacity(rounds.len());
                        for (key, item) in rounds {
                            let inner =
                                self.round(scope, &part.key_var, &part.value_var, key, item);
                            all.push(self.template(&inner, &part.body, span)?);
                        }
                        self.concatenate(&all, span)
                    })?
                }
            };
            vals.push(val);
        }
        self.concatenate(&vals, span)
    }

    /// The text that a variable of the root must be given where its default is null.
    fn unset(&self, scope: &Scope, expr: &Expr, val: &Val) -> Val {
        let named = match &expr.kind {
            ExprKind::Traversal(base, steps) => match (&base.kind, steps.as_slice()) {
                (ExprKind::Root(root), [step]) if root == "var" => match &step.kind {
                    StepKind::Attr(name) => Some(name),
                    _ => None,
                },
                _ => None,
            },
            _ => None,
        };
        let sym = match (named, &scope.instance) {
            (Some(name), Some(instance)) => self.input(instance, name),
            _ => Sym::Other {
                what: "a variable whose default is null".into(),
                at: Some(expr.span),
            },
        };
        Val::unknown_of(sym, Ty::String, val.src().clone()).marked(val.marks())
    }

    fn concatenate(&self, vals: &[Val], span: Span) -> Eval {
        self.spread(vals, |vals| {
            let mut text = Text::empty();
            for val in vals {
                match val.to_text() {
                    Some(part) => text.append(&part),
                    None => {
                        return fail(
                            "only texts, numbers and truth values can be part of a text",
                            span,
                        );
                    }
                }
            }
            if !self.spend_bytes(&text) {
                return fail("the texts of this root grow too large", span);
            }
            Ok(Val::text(text, Src::at(span)).marked(inherited(vals)))
        })
    }
}
