//! Expressions to values.
//!
//! Semantics of hashicorp/hcl (`hclsyntax`) over partly unknown values. Invariant: places of
//! literals survive every step, and an unknown condition gives both branches under guards.

use super::access::{self, Elements};
use super::instance::{Evaluator, Instance};
use super::ops;
use super::types::{self, convert, type_of, unify};
use crate::functions;
use crate::syntax::tree::{
    BinaryOp, Call, Expr, ExprKind, For, Item, Key, Literal, Part, Step, StepKind,
};
use overgrant_source::Span;
use overgrant_value::{
    Data, Entry, Guard, Lit, Map, Marks, Num, Piece, Relation, Seg, Seq, SeqKind, Src, Sym, Text,
    Ty, Val,
};
use smol_str::{SmolStr, format_smolstr};
use std::collections::BTreeMap;
use std::rc::Rc;

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

/// A name that a loop, an iterator or a template brings.
#[derive(Debug)]
pub(crate) struct Binding {
    name: SmolStr,
    val: Val,
    next: Option<Rc<Self>>,
}

/// `each` or `count` of an expanded block.
#[derive(Debug, Clone)]
pub(crate) enum Each {
    /// `count.index`.
    Count(Val),
    /// `each.key`, `each.value`.
    Pair(Val, Val),
}

/// Which names an expression sees.
#[derive(Debug, Clone)]
pub(crate) struct Scope {
    /// The module instance; `None` for values given from outside and inside template files.
    pub(crate) instance: Option<Rc<Instance>>,
    /// The module whose directory counts for files.
    pub(crate) home: Option<Rc<Instance>>,
    names: Option<Rc<Binding>>,
    pub(crate) each: Option<Rc<Each>>,
    /// Whether a condition that hangs on a default of the root is analysed both ways.
    pub(crate) branches: bool,
}

impl Scope {
    /// The names of a module instance.
    pub(crate) fn of(instance: &Rc<Instance>) -> Self {
        Self {
            instance: Some(Rc::clone(instance)),
            home: Some(Rc::clone(instance)),
            names: None,
            each: None,
            branches: false,
        }
    }

    /// No names but those that are bound.
    pub(crate) fn bare(home: Option<Rc<Instance>>) -> Self {
        Self {
            instance: None,
            home,
            names: None,
            each: None,
            branches: false,
        }
    }

    /// With `each` or `count`.
    pub(crate) fn with_each(mut self, each: Option<Rc<Each>>) -> Self {
        self.each = each;
        self
    }

    /// With one more name.
    pub(crate) fn bind(&self, name: &SmolStr, val: Val) -> Self {
        let mut scope = self.clone();
        scope.names = Some(Rc::new(Binding {
            name: name.clone(),
            val,
            next: self.names.clone(),
        }));
        scope
    }

    /// The value of a bound name.
    pub(crate) fn bound(&self, name: &str) -> Option<Val> {
        let mut next = self.names.as_ref();
        while let Some(binding) = next {
            if binding.name == name {
                return Some(binding.val.clone());
            }
            next = binding.next.as_ref();
        }
        None
    }
}

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

impl Evaluator<'_> {
    /// The value of an expression.
    pub(crate) fn expr(&self, scope: &Scope, expr: &Expr) -> Eval {
        if !self.spend(1) {
            return fail(
                "the evaluation of this root takes too many steps",
                expr.span,
            );
        }
        let Some(_level) = self.deeper() else {
            return fail("expressions refer to each other too deeply", expr.span);
        };
        stacker::maybe_grow(256 * 1024, 4 * 1024 * 1024, || self.kind(scope, expr))
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
                            Elements::Open(key, item) => {
                                let once =
                                    self.round(scope, &part.key_var, &part.value_var, key, item);
                                let body = self.template(&once, &part.body, span)?;
                                return Ok(ops::call(
                                    "%{for}",
                                    &[&body],
                                    Ty::String,
                                    Src::at(span),
                                ));
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

    fn round(
        &self,
        scope: &Scope,
        key_var: &Option<SmolStr>,
        value_var: &SmolStr,
        key: Val,
        item: Val,
    ) -> Scope {
        let scope = match key_var {
            Some(name) => scope.bind(name, key),
            None => scope.clone(),
        };
        scope.bind(value_var, item)
    }

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
                        (None, Some(literal)) => Some((x, literal)),
                        (Some(literal), None) => Some((y, literal)),
                        _ => None,
                    };
                    if let Some((subject, literal)) = pair
                        && let Data::Unknown(unknown) = subject.data()
                    {
                        let subject = subject_of(&unknown.sym);
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
            _ => {
                let text = self.sources().slice(cond.span);
                let words: Vec<&str> = text.split_whitespace().collect();
                let path = scope
                    .instance
                    .as_ref()
                    .map(|i| i.path.clone())
                    .unwrap_or_default();
                if path.is_empty() {
                    words.join(" ").into()
                } else {
                    format_smolstr!("{} in {path}", words.join(" "))
                }
            }
        };
        (
            Guard::atom(subject.clone(), Relation::Holds),
            Guard::atom(subject, Relation::Fails),
        )
    }

    fn conditional(&self, scope: &Scope, cond: &Expr, yes: &Expr, no: &Expr, span: Span) -> Eval {
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
    fn choose(
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

    fn for_expr(&self, scope: &Scope, inner: &For, span: Span) -> Eval {
        let collection = self.expr(scope, &inner.collection)?;
        self.spread(&[collection], |vals| {
            let [collection] = vals else {
                return fail("a loop without a collection", inner.collection.span);
            };
            let collection = &self.materialise(collection);
            let marks = inherited([collection]);
            let (rounds, open) = match at(access::elements(collection), inner.collection.span)? {
                Elements::All(rounds) => (rounds, false),
                Elements::Open(key, item) => (vec![(key, item.unmarked(Marks::MAYBE))], true),
            };
            if rounds.len() > 100_000 {
                return fail("this loop has too many rounds", span);
            }
            let mut items: Vec<Val> = Vec::new();
            let mut entries: Vec<Entry> = Vec::new();
            let mut maybe = open;
            for (key, item) in rounds {
                let round = self.round(scope, &inner.key_var, &inner.value_var, key, item);
                let mut this_maybe = false;
                if let Some(cond) = &inner.cond {
                    let val = self.expr(&round, cond)?;
                    match at(condition(&val), cond.span)? {
                        Some(true) => {}
                        Some(false) => continue,
                        None => this_maybe = true,
                    }
                }
                maybe |= this_maybe;
                let mut val = self.expr(&round, &inner.value)?;
                if this_maybe || open {
                    val = val.marked(Marks::MAYBE);
                }
                match &inner.key {
                    None => items.push(val),
                    Some(key_expr) => {
                        let key_val = self.expr(&round, key_expr)?;
                        if key_val.is_null() {
                            return fail("the key of an object is null", key_expr.span);
                        }
                        let key = self.key_text(&key_val, key_expr.span)?;
                        entries.push(Entry {
                            key,
                            key_src: key_val.src().clone(),
                            val,
                        });
                    }
                }
            }
            let result = if inner.key.is_none() {
                Val::tuple(items, Src::at(span))
            } else if inner.group {
                Val::new(Data::Map(Map::object(grouped(entries))), Src::at(span))
            } else {
                let count = entries.len();
                let sorted = types::sorted(entries);
                if sorted.len() != count {
                    return fail(
                        "two items of this loop have the same key; add `...` to group them",
                        span,
                    );
                }
                Val::new(Data::Map(Map::object(sorted)), Src::at(span))
            };
            Ok(result.marked(if maybe {
                marks.with(Marks::MAYBE)
            } else {
                marks
            }))
        })
    }

    /// Takes steps from a value.
    pub(crate) fn steps(&self, scope: &Scope, mut val: Val, steps: &[Step]) -> Eval {
        let mut rest = steps;
        while let Some((step, after)) = rest.split_first() {
            let here = step.span;
            val = match &step.kind {
                StepKind::Attr(name) => self.attribute(&val, name, here)?,
                StepKind::LegacyIndex(at) => {
                    let index = Val::new(
                        Data::Num(Num::parse(at).unwrap_or(Num::int(0))),
                        Src::at(here),
                    );
                    self.index(&val, &index, here)?
                }
                StepKind::Index(expr) => {
                    let index = self.expr(scope, expr)?;
                    self.index(&val, &index, here)?
                }
                StepKind::FullSplat => return self.splat(scope, &val, after, here),
                StepKind::AttrSplat => {
                    let within = after
                        .iter()
                        .take_while(|step| {
                            matches!(step.kind, StepKind::Attr(_) | StepKind::LegacyIndex(_))
                        })
                        .count();
                    let (inner, outer) = after.split_at_checked(within).unwrap_or((after, &[]));
                    let all = self.splat(scope, &val, inner, here)?;
                    return self.steps(scope, all, outer);
                }
            };
            rest = after;
        }
        Ok(val)
    }

    /// `val.name`.
    pub(crate) fn attribute(&self, val: &Val, name: &str, span: Span) -> Eval {
        self.spread(std::slice::from_ref(val), |vals| match vals {
            [val] => match self.resolve(val, name, span) {
                Some(result) => result,
                None => at(access::attribute(val, name), span),
            },
            _ => fail("a step from nothing", span),
        })
    }

    /// `val[key]`.
    pub(crate) fn index(&self, val: &Val, key: &Val, span: Span) -> Eval {
        self.spread(&[val.clone(), key.clone()], |vals| match vals {
            [val, key] => {
                if let Some(name) = super::text::of(key)
                    && val.is_unknown()
                    && let Some(result) = self.resolve(val, &name, span)
                {
                    return result;
                }
                at(access::index(val, key), span)
            }
            _ => fail("a step from nothing", span),
        })
    }

    fn splat(&self, scope: &Scope, val: &Val, steps: &[Step], span: Span) -> Eval {
        self.spread(std::slice::from_ref(val), |vals| {
            let [val] = vals else {
                return fail("a splat of nothing", span);
            };
            let src = val.src().with_span(Some(span));
            match val.data() {
                Data::Null(_) => Ok(Val::tuple(Vec::new(), src)),
                Data::Seq(seq) => {
                    let mut items = Vec::with_capacity(seq.items.len());
                    for item in &seq.items {
                        items.push(self.steps(scope, item.under(val), steps)?);
                    }
                    let kind = if seq.kind == SeqKind::Tuple {
                        SeqKind::Tuple
                    } else {
                        SeqKind::List
                    };
                    let elem = if kind == SeqKind::Tuple {
                        Ty::Dyn
                    } else {
                        items
                            .first()
                            .map(type_of)
                            .unwrap_or_else(|| splat_type(&seq.elem, steps))
                    };
                    Ok(Val::new(Data::Seq(Seq { kind, elem, items }), src).marked(val.marks()))
                }
                Data::Unknown(unknown) => {
                    let listed = matches!(unknown.ty, Ty::List(_) | Ty::Set(_) | Ty::Tuple(_));
                    if !listed
                        && (self.is_object(val)
                            || matches!(
                                unknown.ty,
                                Ty::Object(_) | Ty::Map(_) | Ty::String | Ty::Number | Ty::Bool
                            ))
                    {
                        return Ok(Val::tuple(
                            vec![self.steps(scope, val.clone(), steps)?],
                            src,
                        ));
                    }
                    let item = match access::elements(val) {
                        Ok(Elements::Open(_, item)) => item,
                        _ => val.clone(),
                    };
                    let item = self.steps(scope, item.marked(Marks::MAYBE), steps)?;
                    Ok(Val::tuple(vec![item], src).marked(Marks::MAYBE))
                }
                _ => Ok(Val::tuple(
                    vec![self.steps(scope, val.clone(), steps)?],
                    src,
                )),
            }
        })
    }

    fn call(&self, scope: &Scope, call: &Call, span: Span) -> Eval {
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

fn is_failure(val: &Val) -> bool {
    matches!(val.data(), Data::Unknown(unknown)
        if matches!(&unknown.sym, Sym::Other { what, .. } if what == FAILS))
}

fn has_failure(val: &Val) -> bool {
    val.alternatives().iter().any(|(_, val)| is_failure(val))
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
fn subject_of(sym: &Sym) -> SmolStr {
    match sym {
        Sym::Input { module, name, .. } if module.is_empty() => format_smolstr!("var.{name}"),
        Sym::Input { module, name, .. } => format_smolstr!("{module}.var.{name}"),
        other => other.describe().into(),
    }
}

fn splat_type(elem: &Ty, steps: &[Step]) -> Ty {
    let mut ty = elem.clone();
    for step in steps {
        ty = match (&ty, &step.kind) {
            (Ty::Object(fields), StepKind::Attr(name)) => fields
                .iter()
                .find(|field| field.name == *name)
                .map(|field| field.ty.clone())
                .unwrap_or_default(),
            (Ty::Map(inner) | Ty::List(inner), _) => (**inner).clone(),
            _ => Ty::Dyn,
        };
    }
    ty
}

/// Members of equal keys as one member with all values.
fn grouped(entries: Vec<Entry>) -> Vec<Entry> {
    let mut groups: BTreeMap<String, (Entry, Vec<Val>)> = BTreeMap::new();
    for entry in entries {
        let val = entry.val.clone();
        groups
            .entry(entry.key.key())
            .or_insert_with(|| (entry, Vec::new()))
            .1
            .push(val);
    }
    let entries = groups
        .into_values()
        .map(|(entry, vals)| {
            let src = entry.val.src().clone();
            Entry {
                val: Val::tuple(vals, src),
                ..entry
            }
        })
        .collect();
    types::sorted(entries)
}
