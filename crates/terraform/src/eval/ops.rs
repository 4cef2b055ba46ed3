//! Operators: equality, order, arithmetic, logic.
//!
//! Rules of hashicorp/hcl (`hclsyntax/expression_ops.go`) and go-cty; `&&` and `||` drop the side
//! that does not decide, as newer Terraform does. Invariant: an answer holds for every value of the
//! unknown parts, otherwise the result is an unknown value.

use super::access::is_open;
use super::types::{convert, type_of};
use crate::syntax::tree::{BinaryOp, UnaryOp};
use overgrant_value::{Answer, Data, MapKind, Num, SeqKind, Src, Sym, Ty, Val};

/// Whether two values are equal, with types: `1 == "1"` is false.
pub(crate) fn equals(a: &Val, b: &Val) -> Answer {
    match (a.data(), b.data()) {
        (Data::OneOf(_), _) | (_, Data::OneOf(_)) => {
            let mut answers = Vec::new();
            for (guard, a) in a.alternatives() {
                for (inner, b) in b.alternatives() {
                    if guard.and(&inner).is_some() {
                        answers.push(equals(&a, &b));
                    }
                }
            }
            match answers.first() {
                Some(first) if answers.iter().all(|answer| answer == first) => *first,
                _ => Answer::May,
            }
        }
        (Data::Unknown(x), Data::Unknown(y)) if x.sym == y.sym => Answer::Must,
        (Data::Unknown(unknown), Data::Null(_)) | (Data::Null(_), Data::Unknown(unknown))
            if unknown.not_null =>
        {
            Answer::No
        }
        (Data::Unknown(_), _) | (_, Data::Unknown(_)) => {
            // A text with holes may still rule an unknown text out; nothing else does.
            match (a.to_text(), b.to_text()) {
                (Some(x), Some(y)) if type_of(a) == Ty::String && type_of(b) == Ty::String => {
                    x.equals(&y)
                }
                _ => Answer::May,
            }
        }
        (Data::Null(_), Data::Null(_)) => Answer::Must,
        (Data::Null(_), _) | (_, Data::Null(_)) => Answer::No,
        (Data::Bool(x), Data::Bool(y)) => Answer::from_bool(x == y),
        (Data::Num(x), Data::Num(y)) => Answer::from_bool(x == y),
        (Data::Str(x), Data::Str(y)) => {
            let (x, y) = (super::text::spelled(x), super::text::spelled(y));
            match x.equals(&y) {
                // A document of which members may be missing is no known text.
                Answer::Must if x.is_known() != y.is_known() => Answer::May,
                answer => answer,
            }
        }
        (Data::Seq(x), Data::Seq(y)) => {
            let kinds = x.kind == y.kind
                && (x.kind == SeqKind::Tuple
                    || x.elem == y.elem
                    || x.elem == Ty::Dyn
                    || y.elem == Ty::Dyn);
            if !kinds {
                return Answer::No;
            }
            if is_open(a) || is_open(b) {
                return Answer::May;
            }
            if x.items.len() != y.items.len() {
                return Answer::No;
            }
            all(x.items.iter().zip(&y.items).map(|(x, y)| equals(x, y)))
        }
        (Data::Map(x), Data::Map(y)) => {
            if x.kind != y.kind || (x.kind == MapKind::Map && x.elem != y.elem) {
                return Answer::No;
            }
            if x.has_open_keys() || y.has_open_keys() || is_open(a) || is_open(b) {
                return Answer::May;
            }
            if x.entries.len() != y.entries.len() {
                return Answer::No;
            }
            all(x
                .entries
                .iter()
                .zip(&y.entries)
                .map(|(x, y)| x.key.equals(&y.key).and(equals(&x.val, &y.val))))
        }
        _ => Answer::No,
    }
}

fn all(answers: impl Iterator<Item = Answer>) -> Answer {
    answers.fold(Answer::Must, Answer::and)
}

/// A truth value, or an unknown one for `May`.
pub(crate) fn answer(answer: Answer, name: &str, args: &[&Val], src: Src) -> Val {
    match answer {
        Answer::Must => Val::bool(true, src),
        Answer::No => Val::bool(false, src),
        Answer::May => call(name, args, Ty::Bool, src),
    }
}

/// The unknown result of a function or operator.
pub(crate) fn call(name: &str, args: &[&Val], ty: Ty, src: Src) -> Val {
    Val::unknown_of(Sym::call(name, args), ty, src)
}

fn operand(val: &Val, ty: &Ty) -> Result<Val, String> {
    if val.is_null() {
        return Err("an operand is null".into());
    }
    convert(val, ty)
}

/// `!a`, `-a`.
///
/// # Errors
/// A value of the wrong type, in words.
pub(crate) fn unary(op: UnaryOp, val: &Val, src: Src) -> Result<Val, String> {
    match op {
        UnaryOp::Not => {
            let val = operand(val, &Ty::Bool)?;
            Ok(match val.data() {
                Data::Bool(value) => Val::bool(!value, src),
                _ => call("!", &[&val], Ty::Bool, src),
            })
        }
        UnaryOp::Neg => {
            let val = operand(val, &Ty::Number)?;
            Ok(match val.data() {
                Data::Num(num) => Val::new(Data::Num(num.negate()), src),
                _ => call("-", &[&val], Ty::Number, src),
            })
        }
    }
}

/// The operator as written.
pub(crate) fn sign(op: BinaryOp) -> &'static str {
    match op {
        BinaryOp::Or => "||",
        BinaryOp::And => "&&",
        BinaryOp::Eq => "==",
        BinaryOp::NotEq => "!=",
        BinaryOp::Greater => ">",
        BinaryOp::GreaterEq => ">=",
        BinaryOp::Less => "<",
        BinaryOp::LessEq => "<=",
        BinaryOp::Plus => "+",
        BinaryOp::Minus => "-",
        BinaryOp::Times => "*",
        BinaryOp::Div => "/",
        BinaryOp::Mod => "%",
    }
}

/// Any operator of two operands but `&&` and `||`, whose right side may not be evaluated.
///
/// # Errors
/// Values of wrong types, in words.
pub(crate) fn binary(op: BinaryOp, a: &Val, b: &Val, src: Src) -> Result<Val, String> {
    match op {
        BinaryOp::Eq => Ok(answer(equals(a, b), "==", &[a, b], src)),
        BinaryOp::NotEq => Ok(answer(equals(a, b).negate(), "!=", &[a, b], src)),
        BinaryOp::Or | BinaryOp::And => {
            let (a, b) = (operand(a, &Ty::Bool)?, operand(b, &Ty::Bool)?);
            let decides = op == BinaryOp::Or;
            Ok(match (a.as_bool(), b.as_bool()) {
                (Some(x), _) if x == decides => Val::bool(decides, src),
                (_, Some(y)) if y == decides => Val::bool(decides, src),
                (Some(_), Some(_)) => Val::bool(!decides, src),
                (Some(_), None) => b,
                (None, Some(_)) => a,
                (None, None) => call(sign(op), &[&a, &b], Ty::Bool, src),
            })
        }
        BinaryOp::Greater | BinaryOp::GreaterEq | BinaryOp::Less | BinaryOp::LessEq => {
            let (a, b) = (operand(a, &Ty::Number)?, operand(b, &Ty::Number)?);
            let (Data::Num(x), Data::Num(y)) = (a.data(), b.data()) else {
                return Ok(call(sign(op), &[&a, &b], Ty::Bool, src));
            };
            let order = x.compare(*y);
            Ok(Val::bool(
                match op {
                    BinaryOp::Greater => order.is_gt(),
                    BinaryOp::GreaterEq => order.is_ge(),
                    BinaryOp::Less => order.is_lt(),
                    _ => order.is_le(),
                },
                src,
            ))
        }
        BinaryOp::Plus | BinaryOp::Minus | BinaryOp::Times | BinaryOp::Div | BinaryOp::Mod => {
            let (a, b) = (operand(a, &Ty::Number)?, operand(b, &Ty::Number)?);
            let (Data::Num(x), Data::Num(y)) = (a.data(), b.data()) else {
                return Ok(call(sign(op), &[&a, &b], Ty::Number, src));
            };
            let zero = Num::int(0);
            if op == BinaryOp::Mod && *y == zero {
                return Err("division by zero".into());
            }
            if op == BinaryOp::Div && *x == zero && *y == zero {
                return Err("zero divided by zero".into());
            }
            let result = match op {
                BinaryOp::Plus => x.checked_add(*y),
                BinaryOp::Minus => x.checked_add(y.negate()),
                BinaryOp::Times => x.checked_mul(*y),
                BinaryOp::Div => x.checked_div(*y),
                _ => x.checked_rem(*y),
            };
            Ok(match result {
                Some(num) => Val::new(Data::Num(num), src),
                None => call(sign(op), &[&a, &b], Ty::Number, src),
            })
        }
    }
}
