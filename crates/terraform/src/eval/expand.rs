//! `count` and `for_each`: which instances a block has.
//!
//! Not for what stands in them. An unknown expansion gives one symbolic instance `[?]`; a known empty
//! one that hangs on a default of the root gives the instances that other values would bring, under
//! guards. Invariant: members are in Terraform's order and at most a thousand.

use super::access::{self, Elements};
use super::expr::{Fail, TOO_MANY_STEPS, at, fail};
use super::instance::Evaluator;
use super::scope::{Each, Scope};
use super::types::{convert, type_of};
use crate::syntax::tree::{Body, Expr};
use overgrant_source::Level;
use overgrant_value::{Data, Guard, Marks, Relation, Sym, Text, Ty, Val};
use smol_str::{SmolStr, format_smolstr};
use std::rc::Rc;

/// Most instances of one block.
const MAX_MEMBERS: usize = 1_000;

/// How a block is expanded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Shape {
    Single,
    Count,
    ForEach,
}

/// One instance of a block.
#[derive(Debug, Clone)]
pub(crate) struct Member {
    /// `[0]`, `["eu"]`, `[?]` or nothing.
    pub(crate) suffix: SmolStr,
    /// The key as it is written in an index.
    pub(crate) key: Option<Text>,
    pub(crate) each: Option<Rc<Each>>,
    pub(crate) guard: Guard,
    pub(crate) maybe: bool,
    /// Whether it exists only if a default of the root is not taken.
    pub(crate) off_default: bool,
}

/// All instances of a block.
#[derive(Debug)]
pub(crate) struct Expanded {
    pub(crate) shape: Shape,
    pub(crate) members: Vec<Member>,
    /// What references see: the members (by position) that exist, by guard.
    pub(crate) cases: Vec<(Guard, Vec<usize>)>,
    /// Whether there may be none of the members, or more of them.
    pub(crate) open: bool,
}

impl Evaluator<'_> {
    /// The instances of a block with the address `address`.
    pub(crate) fn expand(&self, scope: &Scope, body: &Body, address: &str) -> Expanded {
        if let Some(attr) = body.attribute("count") {
            return self.expand_by(scope, &attr.value, Shape::Count, address);
        }
        if let Some(attr) = body.attribute("for_each") {
            return self.expand_by(scope, &attr.value, Shape::ForEach, address);
        }
        Expanded {
            shape: Shape::Single,
            members: vec![Member {
                suffix: SmolStr::default(),
                key: None,
                each: None,
                guard: Guard::always(),
                maybe: false,
                off_default: false,
            }],
            cases: vec![(Guard::always(), vec![0])],
            open: false,
        }
    }

    fn expand_by(&self, scope: &Scope, expr: &Expr, shape: Shape, address: &str) -> Expanded {
        let val = match self.expr(scope, expr) {
            Ok(val) => val,
            Err(error) => {
                self.settle(Err(error), expr.span);
                return self.symbolic(shape, address, Guard::always());
            }
        };
        let mut result = self.members_of(&val, shape, address, expr);
        if has_mark(&val, Marks::FROM_DEFAULT) && !result.open {
            self.add_off_default(scope, expr, &val, shape, address, &mut result);
        }
        result
    }

    /// Adds what exists only if a default of the root is not taken.
    fn add_off_default(
        &self,
        scope: &Scope,
        expr: &Expr,
        val: &Val,
        shape: Shape,
        address: &str,
        result: &mut Expanded,
    ) {
        let mut branching = scope.clone();
        branching.branches = true;
        let known: Vec<SmolStr> = result
            .members
            .iter()
            .map(|member| member.suffix.clone())
            .collect();
        if let Ok(other) = self.quietly(|| self.expr(&branching, expr))
            && matches!(other.data(), Data::OneOf(_))
        {
            let others = self.quietly(|| self.members_of(&other, shape, address, expr));
            for mut member in others.members {
                if !known.contains(&member.suffix) {
                    member.maybe |= member.guard.is_always();
                    member.off_default = true;
                    result.members.push(member);
                }
            }
            return;
        }
        let empty = matches!(val.data(), Data::Seq(_) | Data::Map(_) | Data::Num(_))
            && result.members.is_empty();
        if empty {
            let text = self.sources().slice(expr.span);
            let words: Vec<&str> = text.split_whitespace().collect();
            let guard = Guard::atom(words.join(" "), Relation::IsNot("the default".into()));
            let symbolic = self.symbolic(shape, address, guard);
            let members = symbolic.members.into_iter();
            result.members.extend(members.map(|member| Member {
                off_default: true,
                ..member
            }));
        }
    }

    fn members_of(&self, val: &Val, shape: Shape, address: &str, expr: &Expr) -> Expanded {
        let mut members: Vec<Member> = Vec::new();
        let mut cases = Vec::new();
        let mut open = false;
        for (guard, val) in val.alternatives() {
            open |= access::is_open(&val);
            let found = match shape {
                Shape::Count => self.counted(&val, expr),
                _ => self.keyed(&val, expr),
            };
            let found = match found {
                Ok(Some(found)) => found,
                Ok(None) => return self.symbolic(shape, address, Guard::always()),
                Err(error) => {
                    self.settle(Err(error), expr.span);
                    return self.symbolic(shape, address, Guard::always());
                }
            };
            // Members are held for as long as the root is.
            if !self.spend(10 * found.len() as u64) {
                self.settle(fail(TOO_MANY_STEPS, expr.span), expr.span);
                return self.symbolic(shape, address, Guard::always());
            }
            let mut positions = Vec::new();
            for mut member in found {
                let position = match members
                    .iter()
                    .position(|known| known.suffix == member.suffix)
                {
                    Some(position) => position,
                    None => {
                        if members.len() >= MAX_MEMBERS {
                            self.report(
                                Level::Warning,
                                "too-many-instances",
                                format!("this block has more than {MAX_MEMBERS} instances; the others are left out"),
                                Some(expr.span),
                            );
                            break;
                        }
                        member.guard = guard.clone();
                        members.push(member);
                        members.len() - 1
                    }
                };
                positions.push(position);
            }
            cases.push((guard, positions));
        }
        for (position, member) in members.iter_mut().enumerate() {
            let present = cases
                .iter()
                .filter(|(_, positions)| positions.contains(&position))
                .count();
            if present == cases.len() {
                member.guard = Guard::always();
            } else if present > 1 {
                member.guard = Guard::always();
                member.maybe = true;
            }
        }
        Expanded {
            shape,
            members,
            cases,
            open,
        }
    }

    fn counted(&self, val: &Val, expr: &Expr) -> Result<Option<Vec<Member>>, Fail> {
        if val.is_null() {
            return fail("`count` is null", expr.span);
        }
        let val = at(convert(val, &Ty::Number), expr.span)?;
        let Data::Num(num) = val.data() else {
            return Ok(None);
        };
        let Some(count) = num.to_i64().filter(|count| *count >= 0) else {
            return fail("`count` must be a whole number, zero or more", expr.span);
        };
        let count = usize::try_from(count)
            .unwrap_or(usize::MAX)
            .min(MAX_MEMBERS + 1);
        let members = (0..count)
            .map(|at| {
                let index = Val::int(i64::try_from(at).unwrap_or(i64::MAX), val.src().clone());
                Member {
                    suffix: format_smolstr!("[{at}]"),
                    key: None,
                    each: Some(Rc::new(Each::Count(index))),
                    guard: Guard::always(),
                    maybe: false,
                    off_default: false,
                }
            })
            .collect();
        Ok(Some(members))
    }

    fn keyed(&self, val: &Val, expr: &Expr) -> Result<Option<Vec<Member>>, Fail> {
        if val.is_null() {
            return fail("`for_each` is null", expr.span);
        }
        if val.is_unknown() {
            return Ok(None);
        }
        if matches!(type_of(val), Ty::Tuple(_) | Ty::List(_)) {
            return fail(
                "`for_each` takes a map or a set of texts; use `toset`",
                expr.span,
            );
        }
        let is_set = matches!(type_of(val), Ty::Set(_));
        let (rounds, open) = match at(access::elements(val), expr.span)? {
            Elements::All(rounds) => (rounds, false),
            Elements::Open(rounds) => (rounds, true),
        };
        let mut members = Vec::with_capacity(rounds.len());
        let mut unnamed = false;
        for (key, item) in rounds.into_iter().take(MAX_MEMBERS + 1) {
            let key = if is_set { item.clone() } else { key };
            if key.is_null() {
                return fail("`for_each` holds a null", expr.span);
            }
            let Some(text) = key.to_text() else {
                return Ok(None);
            };
            let maybe = item.marks().has(Marks::MAYBE);
            let suffix = if open && !text.is_known() {
                // One stands for all of unknown keys.
                if unnamed {
                    return Ok(None);
                }
                unnamed = true;
                SmolStr::new_static("[?]")
            } else {
                let shown = text.to_string();
                format_smolstr!("[\"{}\"]", shown.replace('\\', "\\\\").replace('"', "\\\""))
            };
            let each = if open {
                Each::Pair(access::present(&key), access::present(&item))
            } else {
                Each::Pair(key, item)
            };
            members.push(Member {
                suffix,
                maybe,
                off_default: false,
                key: Some(text),
                each: Some(Rc::new(each)),
                guard: Guard::always(),
            });
        }
        Ok(Some(members))
    }

    /// The one member that stands for any number.
    fn symbolic(&self, shape: Shape, address: &str, guard: Guard) -> Expanded {
        let sym = |what: &str| Sym::Each {
            root: self.root.clone(),
            addr: address.into(),
            what: what.into(),
        };
        let src = overgrant_value::Src::none();
        let (each, key) = match shape {
            Shape::Count => (
                Each::Count(Val::unknown_of(sym("index"), Ty::Number, src)),
                None,
            ),
            _ => (
                Each::Pair(
                    Val::unknown_of(sym("key"), Ty::String, src.clone()),
                    Val::unknown_of(sym("value"), Ty::Dyn, src.clone()),
                ),
                Some(Text::hole(sym("key"), src)),
            ),
        };
        Expanded {
            shape,
            members: vec![Member {
                suffix: "[?]".into(),
                key,
                each: Some(Rc::new(each)),
                guard,
                maybe: true,
                off_default: false,
            }],
            cases: vec![(Guard::always(), vec![0])],
            open: true,
        }
    }
}

/// Whether a value or one of its alternatives has a mark.
pub(crate) fn has_mark(val: &Val, mark: Marks) -> bool {
    val.marks().has(mark)
        || matches!(val.data(), Data::OneOf(alts) if alts.iter().any(|alt| alt.val.marks().has(mark)))
}
