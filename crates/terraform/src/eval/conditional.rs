//! `?:` and `%{ if }`.
//!
//! Invariant: an unknown condition gives both branches under its guards.

use super::expr::{Eval, Fail, at, fail, inherited};
use super::instance::Evaluator;
use super::scope::Scope;
use super::types::{convert, type_of, unify};
use crate::syntax::tree::{BinaryOp, Expr, ExprKind};
use overgrant_source::Span;
use overgrant_value::{Data, Guard, Marks, Relation, Src, Sym, Ty, Val};
use smol_str::{SmolStr, format_smolstr};

impl Evaluator<'_> {
    /// The guards under which a condition is true and false.
    fn guards(&self, scope: &Scope, cond: &Expr) -> (Guard, Guard) {
        match &cond.kind {
            ExprKind::Paren(inner) | ExprKind::Wrap(inner) => return self.guards(scope, inner),
            ExprKind::Unary(crate::syntax::tree::UnaryOp::Not, inner) => {
                let (yes, no) = self.guards(scope, inner);
                return (no, yes);
            }
            ExprKind::Binary(op @ (BinaryOp::Eq | BinaryOp::NotEq), operands) => {
                let [a, b] = operands.as_ref();
                if let (Ok(x), Ok(y)) = (self.expr(scope, a), self.expr(scope, b)) {
                    let pair = match (super::text::of(&x), super::text::of(&y)) {
                        (None, Some(literal)) => Some((x, a.span, literal)),
                        (Some(literal), None) => Some((y, b.span, literal)),
                        _ => None,
                    };
                    if let Some((subject, span, literal)) = pair
                        && let Data::Unknown(unknown) = subject.data()
                    {
                        let subject = match &unknown.sym {
                            // Calls are told apart by what they are given.
                            Sym::Call { .. } => self.written(scope, span),
                            sym => subject_of(sym),
                        };
                        let is = Guard::atom(subject.clone(), Relation::Is(literal.clone()));
                        let is_not = Guard::atom(subject, Relation::IsNot(literal));
                        return if *op == BinaryOp::Eq {
                            (is, is_not)
                        } else {
                            (is_not, is)
                        };
                    }
                }
            }
            _ => {}
        }
        let subject = match self.expr(scope, cond).as_ref().map(Val::data) {
            Ok(Data::Unknown(unknown)) if matches!(unknown.sym, Sym::Input { .. }) => {
                subject_of(&unknown.sym)
            }
            _ => self.written(scope, cond.span),
        };
        (
            Guard::atom(subject.clone(), Relation::Holds),
            Guard::atom(subject, Relation::Fails),
        )
    }

    /// An expression as it is written, with the module that it stands in.
    fn written(&self, scope: &Scope, span: Span) -> SmolStr {
        let text = self.sources().slice(span);
        let words: Vec<&str> = text.split_whitespace().collect();
        match scope.instance.as_ref().map(|instance| &instance.path) {
            Some(path) if !path.is_empty() => format_smolstr!("{} in {path}", words.join(" ")),
            _ => words.join(" ").into(),
        }
    }

    pub(crate) fn conditional(
        &self,
        scope: &Scope,
        cond: &Expr,
        yes: &Expr,
        no: &Expr,
        span: Span,
    ) -> Eval {
        let val = self.expr(scope, cond)?;
        let both = |known: Option<bool>| {
            // The branch that is not taken still gives its type; its errors do not count.
            let yes = (known != Some(false)).then(|| self.expr(scope, yes));
            let no = (known != Some(true)).then(|| self.expr(scope, no));
            (yes, no)
        };
        let known = at(condition(&val), cond.span)?;
        if let Some(taken) = known {
            let branching = scope.branches && val.marks().has(Marks::FROM_DEFAULT);
            let (yes_val, no_val) = both(if branching { None } else { known });
            if branching {
                let (Some(yes), Some(no)) = (yes_val, no_val) else {
                    return fail("a condition without branches", span);
                };
                return self.choose(
                    scope,
                    cond,
                    &Val::unknown_because("a default", None),
                    yes,
                    no,
                    span,
                );
            }
            let (chosen, other) = if taken { (yes_val, no) } else { (no_val, yes) };
            let chosen = chosen.unwrap_or_else(|| fail("a condition without branches", span))?;
            return Ok(self
                .as_branch(scope, &chosen, other)?
                .marked(inherited([&val])));
        }
        let (Some(yes), Some(no)) = both(None) else {
            return fail("a condition without branches", span);
        };
        self.choose(scope, cond, &val, yes, no, span)
    }

    /// The chosen branch converted to the type that both branches have in common.
    fn as_branch(&self, scope: &Scope, chosen: &Val, other: &Expr) -> Eval {
        let ty = type_of(chosen);
        let simple = matches!(&other.kind, ExprKind::Null);
        if simple || matches!(chosen.data(), Data::OneOf(_)) {
            return Ok(chosen.clone());
        }
        // Evaluating a branch for its type alone must not cost much nor report anything.
        let other = match self.quietly(|| self.expr(scope, other)) {
            Ok(val) => type_of(&val),
            Err(error) if error.fixed => return Err(error),
            Err(_) => Ty::Dyn,
        };
        if chosen.is_null() && ty == Ty::Dyn {
            return Ok(convert(chosen, &other).unwrap_or_else(|_| chosen.clone()));
        }
        if other == Ty::Dyn || other == ty || ty == Ty::Dyn {
            return Ok(chosen.clone());
        }
        match unify(&[ty, other]) {
            Some(ty) if ty != Ty::Dyn => match convert(chosen, &ty) {
                Ok(val) => Ok(val),
                Err(_) => Ok(chosen.clone()),
            },
            Some(_) => Ok(chosen.clone()),
            None => Err(Fail {
                message: "the branches of this condition have no type in common".into(),
                span: chosen.span(),
                fixed: false,
            }),
        }
    }

    /// Both branches under the guards of a condition that is not known.
    pub(crate) fn choose(
        &self,
        scope: &Scope,
        cond: &Expr,
        val: &Val,
        yes: Eval,
        no: Eval,
        span: Span,
    ) -> Eval {
        match at(condition(val), cond.span)? {
            Some(true) => return yes,
            Some(false) => return no,
            None => {}
        }
        if let Data::OneOf(alts) = val.data() {
            let mut results = Vec::new();
            for alt in alts {
                let chosen = match at(condition(&alt.val), cond.span) {
                    Ok(Some(true)) => yes.clone(),
                    Ok(Some(false)) => no.clone(),
                    _ => {
                        results.clear();
                        break;
                    }
                };
                if let Ok(val) = chosen {
                    results.push((alt.guard.clone(), val));
                }
            }
            if !results.is_empty() {
                return Ok(Val::one_of(results, "one of many values", Src::at(span)));
            }
        }
        let (holds, fails) = self.guards(scope, cond);
        let (yes, no) = match (yes, no) {
            (Ok(yes), Ok(no)) => (yes, no),
            (Ok(val), Err(error)) | (Err(error), Ok(val)) => {
                return if self.is_trying() {
                    Err(error)
                } else {
                    Ok(val)
                };
            }
            (Err(error), Err(_)) => return Err(error),
        };
        let (yes, no) = match unify(&[type_of(&yes), type_of(&no)]) {
            Some(ty)
                if ty != Ty::Dyn
                    && yes.data() != &Data::Null(Ty::Dyn)
                    && no.data() != &Data::Null(Ty::Dyn) =>
            {
                match (convert(&yes, &ty), convert(&no, &ty)) {
                    (Ok(yes), Ok(no)) => (yes, no),
                    _ => (yes, no),
                }
            }
            _ => (yes, no),
        };
        Ok(Val::one_of(
            vec![(holds, yes), (fails, no)],
            "one of many values",
            Src::at(span),
        ))
    }
}

/// The truth value of a condition; `None` where it is not known.
pub(crate) fn condition(val: &Val) -> Result<Option<bool>, String> {
    if val.is_null() {
        return Err("the condition is null".into());
    }
    if let Data::OneOf(alts) = val.data() {
        let mut answers = Vec::new();
        for alt in alts {
            answers.push(condition(&alt.val)?);
        }
        return Ok(match answers.first() {
            Some(first) if answers.iter().all(|answer| answer == first) => *first,
            _ => None,
        });
    }
    let val = convert(val, &Ty::Bool)?;
    Ok(val.as_bool())
}

/// How a guard names a symbol: as its user writes it.
pub(crate) fn subject_of(sym: &Sym) -> SmolStr {
    match sym {
        Sym::Input { module, name, .. } if module.is_empty() => format_smolstr!("var.{name}"),
        Sym::Input { module, name, .. } => format_smolstr!("{module}.var.{name}"),
        other => other.describe().into(),
    }
}
