//! Expressions to values.
//!
//! Semantics of hashicorp/hcl (`hclsyntax`) over partly unknown values. Invariant: places of
//! literals survive every step, and an unknown condition gives both branches under guards.

use super::call::is_failure;
use super::instance::Evaluator;
use super::ops;
use super::scope::Scope;
use super::types::{self, convert};
use crate::syntax::tree::{BinaryOp, Expr, ExprKind, Item, Key, Literal};
use overgrant_source::Span;
use overgrant_value::{Data, Entry, Lit, Map, Marks, Num, Seg, Src, Sym, Text, Ty, Val};

/// Why an expression has no value.
#[derive(Debug, Clone)]
pub(crate) struct Fail {
    /// In words, without text of the configuration.
    pub(crate) message: String,
    /// Where.
    pub(crate) span: Option<Span>,
    /// Whether `try` and `can` do not catch it (a name that is not declared).
    pub(crate) fixed: bool,
}

/// A value or the reason why there is none.
pub(crate) type Eval = Result<Val, Fail>;

/// What an alternative that fails stands for while `try` looks at it.
pub(crate) const FAILS: &str = "an error in this case";

/// A failure at a place.
pub(crate) fn fail<T>(message: impl Into<String>, span: Span) -> Result<T, Fail> {
    Err(Fail {
        message: message.into(),
        span: Some(span),
        fixed: false,
    })
}

/// A failure that `try` does not catch.
pub(crate) fn fixed<T>(message: impl Into<String>, span: Span) -> Result<T, Fail> {
    Err(Fail {
        message: message.into(),
        span: Some(span),
        fixed: true,
    })
}

/// Puts a place to a failure in words.
pub(crate) fn at<T>(result: Result<T, String>, span: Span) -> Result<T, Fail> {
    result.or_else(|message| fail(message, span))
}

/// The literal of the syntax tree as a rope's.
pub(crate) fn lit(literal: &Literal) -> Lit {
    Lit::new(
        literal.text.as_str(),
        literal.segments.iter().map(|segment| Seg {
            at: segment.offset,
            len: segment.len,
            span: segment.source,
            exact: segment.exact,
        }),
    )
}

/// The marks that a result takes over from what it is made of.
pub(crate) fn inherited<'v>(vals: impl IntoIterator<Item = &'v Val>) -> Marks {
    vals.into_iter().fold(Marks::NONE, |all, val| {
        let marks = val.marks().without(Marks::MAYBE);
        all.with(marks)
    })
}

/// What is said where the budget of steps is used up.
pub(crate) const TOO_MANY_STEPS: &str = "the evaluation of this root takes too many steps";

impl Evaluator<'_> {
    /// The value of an expression.
    pub(crate) fn expr(&self, scope: &Scope, expr: &Expr) -> Eval {
        if !self.spend(1) {
            return fail(TOO_MANY_STEPS, expr.span);
        }
        let Some(_level) = self.deeper() else {
            return fail("expressions refer to each other too deeply", expr.span);
        };
        let result = stacker::maybe_grow(256 * 1024, 4 * 1024 * 1024, || self.kind(scope, expr));
        self.fitting(result, expr.span)
    }

    fn kind(&self, scope: &Scope, expr: &Expr) -> Eval {
        let span = expr.span;
        let src = Src::at(span);
        match &expr.kind {
            ExprKind::Null => Ok(Val::null(src)),
            ExprKind::Bool(value) => Ok(Val::bool(*value, src)),
            ExprKind::Number(text) => Ok(match Num::parse(text) {
                Some(num) => Val::new(Data::Num(num), src),
                None => Val::unknown_of(
                    Sym::Call {
                        name: "number".into(),
                        args: text.clone(),
                    },
                    Ty::Number,
                    src,
                ),
            }),
            ExprKind::Template(parts) => self.template(scope, parts, span),
            ExprKind::Wrap(inner) | ExprKind::Paren(inner) => self.expr(scope, inner),
            ExprKind::Tuple(items) => {
                let items = items
                    .iter()
                    .map(|item| self.expr(scope, item))
                    .collect::<Result<_, _>>()?;
                Ok(Val::tuple(items, src))
            }
            ExprKind::Object(items) => self.object(scope, items, src),
            ExprKind::Root(name) => self.reference(scope, name, span, &[]),
            ExprKind::Traversal(base, steps) => match &base.kind {
                ExprKind::Root(name) => self.reference(scope, name, base.span, steps),
                _ => {
                    let base = self.expr(scope, base)?;
                    self.steps(scope, base, steps)
                }
            },
            ExprKind::Call(call) => self.call(scope, call, span),
            ExprKind::Conditional(parts) => {
                let [cond, yes, no] = parts.as_ref();
                self.conditional(scope, cond, yes, no, span)
            }
            ExprKind::Unary(op, operand) => {
                let val = self.expr(scope, operand)?;
                self.spread(&[val], |vals| match vals {
                    [val] => at(
                        ops::unary(*op, val, src.clone()).map(|r| r.marked(inherited([val]))),
                        span,
                    ),
                    _ => fail("an operator without operand", span),
                })
            }
            ExprKind::Binary(op, operands) => {
                let [a, b] = operands.as_ref();
                self.binary(scope, *op, a, b, span)
            }
            ExprKind::For(inner) => self.for_expr(scope, inner, span),
        }
    }

    /// Applies `f` to each combination of alternatives. An alternative that fails is left out,
    /// unless `try` is looking.
    pub(crate) fn spread(&self, vals: &[Val], mut f: impl FnMut(&[Val]) -> Eval) -> Eval {
        let trying = self.is_trying();
        // What follows a failure fails like it.
        let f = |vals: &[Val]| match vals.iter().find(|val| trying && is_failure(val)) {
            Some(failure) => Ok(failure.clone()),
            None => f(vals),
        };
        types::distribute(vals, "one of many values", f, |error: Fail| {
            (trying && !error.fixed).then(|| Val::unknown_because(FAILS, error.span))
        })
    }

    fn binary(&self, scope: &Scope, op: BinaryOp, a: &Expr, b: &Expr, span: Span) -> Eval {
        let left = self.expr(scope, a)?;
        if matches!(op, BinaryOp::And | BinaryOp::Or)
            && let Data::Bool(value) = left.data()
            && *value == (op == BinaryOp::Or)
        {
            return Ok(Val::bool(*value, Src::at(span)).marked(inherited([&left])));
        }
        let right = self.expr(scope, b)?;
        if !self.spend_on([&left, &right]) {
            return fail(TOO_MANY_STEPS, span);
        }
        self.spread(&[left, right], |vals| match vals {
            [a, b] => at(
                ops::binary(op, a, b, Src::at(span)).map(|r| r.marked(inherited([a, b]))),
                span,
            ),
            _ => fail("an operator without operands", span),
        })
    }

    fn object(&self, scope: &Scope, items: &[Item], src: Src) -> Eval {
        let mut entries = Vec::with_capacity(items.len());
        let mut choices: Vec<Val> = Vec::new();
        for item in items {
            let (key, key_src) = match &item.key {
                Key::Name(name) => (Text::exact(&name.text, name.span), Src::at(name.span)),
                Key::Expr(expr) => {
                    if matches!(expr.kind, ExprKind::Traversal(..)) {
                        return fixed(
                            "this key looks like a reference; put it in parentheses or quotes",
                            expr.span,
                        );
                    }
                    let val = self.expr(scope, expr)?;
                    if val.is_null() {
                        return fail("the key of an object is null", expr.span);
                    }
                    if let Data::OneOf(_) = val.data() {
                        choices.push(val.clone());
                    }
                    (
                        self.key_text(&val, expr.span)?,
                        val.src().with_span(Some(expr.span)),
                    )
                }
            };
            entries.push(Entry {
                key,
                key_src,
                val: self.expr(scope, &item.value)?,
            });
        }
        Ok(Val::new(
            Data::Map(Map::object(types::sorted(entries))),
            src,
        ))
    }

    /// A value as the key of an object.
    pub(crate) fn key_text(&self, val: &Val, span: Span) -> Result<Text, Fail> {
        if let Data::OneOf(_) = val.data() {
            return Ok(Text::hole(Sym::call("key", &[val]), val.src().clone()));
        }
        let val = at(convert(val, &Ty::String), span)?;
        match val.to_text() {
            Some(text) => Ok(super::text::spelled(&text)),
            None => fail("the key of an object must be a text", span),
        }
    }
}
