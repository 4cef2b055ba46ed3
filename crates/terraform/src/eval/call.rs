//! Calls of functions, and `try` and `can`, which see failures of their arguments.
//!
//! Not for what functions do. Invariant: a failure that may happen is an alternative of its own.

use super::access;
use super::expr::{Eval, FAILS, at, fail, fixed};
use super::instance::Evaluator;
use super::ops;
use super::scope::Scope;
use crate::functions;
use crate::syntax::tree::{Call, Expr, ExprKind};
use overgrant_source::Span;
use overgrant_value::{Data, Guard, Src, Sym, Ty, Val};

impl Evaluator<'_> {
    pub(crate) fn call(&self, scope: &Scope, call: &Call, span: Span) -> Eval {
        if scope.constant {
            return fail("values of variables cannot call functions", span);
        }
        match call.name.strip_prefix("core::").unwrap_or(&call.name) {
            "try" => return self.try_call(scope, &call.args, span),
            "can" => {
                let Some(arg) = call.args.first() else {
                    return fixed("`can` needs an argument", span);
                };
                let result = self.trying(|| self.expr(scope, arg));
                return match result {
                    Ok(val) if has_failure(&val) => {
                        Ok(ops::call("can", &[&val], Ty::Bool, Src::at(span)))
                    }
                    Ok(val) if val.is_unknown() => {
                        Ok(ops::call("can", &[&val], Ty::Bool, Src::at(span)))
                    }
                    Ok(_) => Ok(Val::bool(true, Src::at(span))),
                    Err(error) if error.fixed => Err(error),
                    Err(_) => Ok(Val::bool(false, Src::at(span))),
                };
            }
            "convert" if call.args.len() == 2 => {
                return self.convert_call(scope, &call.args, span);
            }
            "templatestring"
                if let Some(ExprKind::Template(_)) = call.args.first().map(|arg| &arg.kind) =>
            {
                return fixed(
                    "`templatestring` takes a reference to a template, not a text written here",
                    span,
                );
            }
            _ => {}
        }
        let mut args = Vec::with_capacity(call.args.len());
        for arg in &call.args {
            args.push(self.expr(scope, arg)?);
        }
        if call.expand
            && let Some(last) = args.pop()
        {
            return self.spread(&[last], |vals| {
                let mut args = args.clone();
                match vals {
                    [last] if last.is_unknown() || access::is_open(last) => {
                        args.push(last.clone());
                        let args: Vec<&Val> = args.iter().collect();
                        return Ok(ops::call(
                            &call.name,
                            &args,
                            functions::result(&call.name),
                            Src::at(span),
                        ));
                    }
                    [last] => match last.as_items() {
                        Some(items) => args.extend(items.iter().map(|item| item.under(last))),
                        None => return fail("only a sequence can be spread with `...`", span),
                    },
                    _ => {}
                }
                functions::call(self, scope, &call.name, &args, span)
            });
        }
        functions::call(self, scope, &call.name, &args, span)
    }

    /// `convert(value, type)` of newer versions: the second argument is a type, not a value.
    fn convert_call(&self, scope: &Scope, args: &[Expr], span: Span) -> Eval {
        let [value, ty] = args else {
            return fixed("`convert` needs a value and a type", span);
        };
        let Some(constraint) = self.constraint(ty) else {
            return fixed("this is no type", ty.span);
        };
        let val = self.expr(scope, value)?;
        self.spread(&[val], |vals| match vals {
            [val] => at(constraint.apply(val), value.span),
            _ => fixed("`convert` needs a value", span),
        })
    }

    fn try_call(&self, scope: &Scope, args: &[Expr], span: Span) -> Eval {
        let mut results: Vec<(Guard, Val)> = Vec::new();
        let mut last = None;
        for arg in args {
            match self.trying(|| self.expr(scope, arg)) {
                Err(error) if error.fixed => return Err(error),
                Err(error) => last = Some(error),
                Ok(val) => {
                    let alternatives = val.alternatives();
                    let failing = alternatives.iter().any(|(_, val)| is_failure(val));
                    if !failing && results.is_empty() {
                        return Ok(val);
                    }
                    let open: Vec<Guard> = if results.is_empty() {
                        vec![Guard::always()]
                    } else {
                        results
                            .iter()
                            .filter(|(_, v)| is_failure(v))
                            .map(|(g, _)| g.clone())
                            .collect()
                    };
                    results.retain(|(_, val)| !is_failure(val));
                    for guard in &open {
                        for (inner, val) in &alternatives {
                            if let Some(guard) = guard.and(inner) {
                                results.push((guard, val.clone()));
                            }
                        }
                    }
                    if !failing {
                        return Ok(Val::one_of(results, "one of many values", Src::at(span)));
                    }
                }
            }
        }
        results.retain(|(_, val)| !is_failure(val));
        if !results.is_empty() {
            return Ok(Val::one_of(results, "one of many values", Src::at(span)));
        }
        match last {
            Some(error) => Err(error),
            None => fail("no argument of `try` has a value", span),
        }
    }
}

pub(crate) fn is_failure(val: &Val) -> bool {
    matches!(val.data(), Data::Unknown(unknown)
        if matches!(&unknown.sym, Sym::Other { what, .. } if what == FAILS))
}

fn has_failure(val: &Val) -> bool {
    val.alternatives().iter().any(|(_, val)| is_failure(val))
}
