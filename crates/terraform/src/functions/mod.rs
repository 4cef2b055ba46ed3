//! Terraform's functions, one file per family, each with a table: adding one is one line there.
//!
//! Semantics of Terraform's `internal/lang/funcs` and go-cty's `stdlib`. Not for `try` and `can`,
//! which see failures and live in the evaluator. Invariant: a function gets plain values (no
//! alternatives at the top), and what it cannot decide is an unknown value named after the call.

mod collection;
mod convert;
mod encoding;
mod files;
mod format;
mod hash;
mod network;
mod number;
mod provider;
mod regexes;
mod sequence;
mod set;
mod string;
mod tfvars;
mod time;
mod yaml;

pub(crate) use provider::arn_parts;

use crate::eval::access::is_open;
use crate::eval::types::{self, convert};
use crate::eval::{Eval, Evaluator, Fail, Scope, TOO_MANY_STEPS, inherited, ops, text};
use overgrant_source::{Level, Span};
use overgrant_value::{Data, Marks, Num, Src, Text, Ty, Val, json};
use smol_str::SmolStr;

/// Why a function has no value.
#[derive(Debug)]
pub(crate) enum Stop {
    /// Terraform would refuse.
    Fail(Fail),
    /// A part is not known.
    Open,
}

impl From<Fail> for Stop {
    fn from(fail: Fail) -> Self {
        Self::Fail(fail)
    }
}

impl From<String> for Stop {
    fn from(message: String) -> Self {
        Self::Fail(Fail {
            message,
            span: None,
            fixed: false,
        })
    }
}

impl From<&str> for Stop {
    fn from(message: &str) -> Self {
        message.to_owned().into()
    }
}

pub(crate) type Outcome = Result<Val, Stop>;

/// One function.
pub(crate) struct Function {
    name: &'static str,
    least: usize,
    most: usize,
    /// The type of an unknown result.
    result: Kind,
    /// How it takes nulls, unknown and open arguments.
    takes: Takes,
    run: fn(&Call<'_, '_>, &[Val]) -> Outcome,
}

/// Types of results, as constants.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Any,
    String,
    Number,
    Bool,
    Strings,
    StringSet,
}

/// What arguments a function is called with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Takes {
    /// Known values that are not null.
    Known,
    /// Known values and nulls.
    Nulls,
    /// As `Known`, and collections that stand for any number of members.
    Open,
    /// Everything.
    All,
}

/// No upper bound of arguments.
const MANY: usize = usize::MAX;

const fn function(
    name: &'static str,
    arity: (usize, usize),
    result: Kind,
    takes: Takes,
    run: fn(&Call<'_, '_>, &[Val]) -> Outcome,
) -> Function {
    Function {
        name,
        least: arity.0,
        most: arity.1,
        result,
        takes,
        run,
    }
}

/// One call.
pub(crate) struct Call<'c, 'e> {
    pub(crate) evaluator: &'c Evaluator<'e>,
    pub(crate) scope: &'c Scope,
    pub(crate) span: Span,
}

impl Call<'_, '_> {
    fn src(&self) -> Src {
        Src::at(self.span)
    }

    /// The characters of an argument that must be text.
    fn string(&self, val: &Val) -> Result<SmolStr, Stop> {
        if val.is_null() {
            return Err("an argument is null".into());
        }
        let val = convert(val, &Ty::String)?;
        val.to_text()
            .and_then(|text| text::known(&text))
            .ok_or(Stop::Open)
    }

    /// An argument that must be text, as a rope.
    fn text(&self, val: &Val) -> Result<Text, Stop> {
        if val.is_null() {
            return Err("an argument is null".into());
        }
        let val = convert(val, &Ty::String)?;
        val.to_text()
            .map(|text| text::spelled(&text))
            .ok_or(Stop::Open)
    }

    fn number(&self, val: &Val) -> Result<Num, Stop> {
        if val.is_null() {
            return Err("an argument is null".into());
        }
        match convert(val, &Ty::Number)?.data() {
            Data::Num(num) => Ok(*num),
            _ => Err(Stop::Open),
        }
    }

    fn integer(&self, val: &Val) -> Result<i64, Stop> {
        self.number(val)?
            .to_i64()
            .ok_or_else(|| "a whole number is needed".into())
    }

    fn truth(&self, val: &Val) -> Result<bool, Stop> {
        match convert(val, &Ty::Bool)?.data() {
            Data::Bool(value) => Ok(*value),
            _ => Err(Stop::Open),
        }
    }

    /// The members of a sequence, with its uses.
    fn items(&self, val: &Val) -> Result<Vec<Val>, Stop> {
        match val.data() {
            Data::Seq(seq) => Ok(seq.items.iter().map(|item| item.under(val)).collect()),
            Data::Unknown(_) | Data::OneOf(_) => Err(Stop::Open),
            _ => Err(format!(
                "a list is needed, this is a {}",
                types::name(&types::type_of(val))
            )
            .into()),
        }
    }

    /// The members of a list of texts.
    fn strings(&self, val: &Val) -> Result<Vec<SmolStr>, Stop> {
        self.items(val)?
            .iter()
            .map(|item| self.string(item))
            .collect()
    }

    fn known(&self, value: &str) -> Val {
        Val::str(value, self.src())
    }

    fn yes_no(&self, value: bool) -> Val {
        Val::bool(value, self.src())
    }

    fn list(&self, elem: Ty, items: Vec<Val>) -> Val {
        Val::new(
            Data::Seq(overgrant_value::Seq {
                kind: overgrant_value::SeqKind::List,
                elem,
                items,
            }),
            self.src(),
        )
    }

    fn string_list<S: AsRef<str>>(&self, items: impl IntoIterator<Item = S>) -> Val {
        let items = items
            .into_iter()
            .map(|item| self.known(item.as_ref()))
            .collect();
        self.list(Ty::String, items)
    }
}

fn tables() -> [&'static [Function]; 15] {
    [
        collection::TABLE,
        sequence::TABLE,
        set::TABLE,
        convert::TABLE,
        string::TABLE,
        encoding::TABLE,
        number::TABLE,
        regexes::TABLE,
        format::TABLE,
        files::TABLE,
        hash::TABLE,
        network::TABLE,
        time::TABLE,
        provider::TABLE,
        tfvars::TABLE,
    ]
}

fn find(name: &str) -> Option<&'static Function> {
    let name = name.strip_prefix("core::").unwrap_or(name);
    tables()
        .into_iter()
        .flatten()
        .find(|function| function.name == name)
}

fn ty(kind: Kind) -> Ty {
    match kind {
        Kind::Any => Ty::Dyn,
        Kind::String => Ty::String,
        Kind::Number => Ty::Number,
        Kind::Bool => Ty::Bool,
        Kind::Strings => Ty::List(Box::new(Ty::String)),
        Kind::StringSet => Ty::Set(Box::new(Ty::String)),
    }
}

/// The type of a function's result, as far as it does not depend on arguments.
pub(crate) fn result(name: &str) -> Ty {
    find(name)
        .map(|function| ty(function.result))
        .unwrap_or_default()
}

/// Calls a function.
pub(crate) fn call(
    evaluator: &Evaluator<'_>,
    scope: &Scope,
    name: &str,
    args: &[Val],
    span: Span,
) -> Eval {
    let refs: Vec<&Val> = args.iter().collect();
    let src = Src::at(span);
    let refining = provider::REFINING.iter().find(|(known, _)| *known == name);
    if let (Some((_, more)), Some(val)) = (refining, args.first())
        && args.len() == more + 1
    {
        return Ok(val.clone());
    }
    let Some(function) = find(name) else {
        if !name.starts_with("provider::") {
            evaluator.report(
                Level::Warning,
                "unknown-function",
                format!("the function `{name}` is not known; its result is taken as unknown"),
                Some(span),
            );
        }
        return Ok(ops::call(name, &refs, Ty::Dyn, src));
    };
    if args.len() < function.least || args.len() > function.most {
        return Err(Fail {
            message: format!("`{name}` does not take {} arguments", args.len()),
            span: Some(span),
            fixed: true,
        });
    }
    let args: Vec<Val> = args.iter().map(|arg| evaluator.materialise(arg)).collect();
    if !evaluator.spend_on(&args) {
        return Err(Fail {
            message: TOO_MANY_STEPS.into(),
            span: Some(span),
            fixed: false,
        });
    }
    evaluator.spread(&args, |args| {
        let call = Call {
            evaluator,
            scope,
            span,
        };
        let open = args.iter().any(is_open);
        let refs: Vec<&Val> = args.iter().collect();
        let unknown = || ops::call(name, &refs, ty(function.result), src.clone());
        if matches!(function.takes, Takes::Known | Takes::Open) && args.iter().any(Val::is_null) {
            return Err(Fail {
                message: format!("an argument of `{name}` is null"),
                span: Some(span),
                fixed: false,
            });
        }
        let mut marks = inherited(args);
        if matches!(function.name, "nonsensitive" | "issensitive") {
            marks = marks.without(Marks::SENSITIVE);
        }
        if function.takes != Takes::All
            && (args.iter().any(Val::is_unknown) || (open && function.takes != Takes::Open))
        {
            return Ok(unknown().marked(marks));
        }
        let result = match (function.run)(&call, args) {
            Ok(val) => val,
            Err(Stop::Open) => unknown(),
            Err(Stop::Fail(fail)) => {
                return Err(Fail {
                    message: format!("`{name}`: {}", fail.message),
                    span: fail.span.or(Some(span)),
                    ..fail
                });
            }
        };
        let container = matches!(result.data(), Data::Seq(_) | Data::Map(_));
        let result = if open && container {
            result.marked(Marks::MAYBE)
        } else {
            result
        };
        Ok(result.marked(marks))
    })
}

/// A JSON text as Terraform's `jsondecode` reads it: objects and tuples, a repeated key once.
///
/// # Errors
/// What is wrong with the text, in words.
pub(crate) fn decode_json(text: &Text) -> Result<Val, String> {
    if let Some(val) = text.as_json() {
        return Ok(plain(val));
    }
    let text = text::spelled(text);
    json::parse(&text)
        .map(|val| plain(&val))
        .map_err(|error| error.message.to_owned())
}

/// A value with JSON's types only.
pub(crate) fn plain(val: &Val) -> Val {
    let same = |data: Data| Val::new(data, val.src().clone()).marked(val.marks());
    match val.data() {
        Data::Seq(seq) => same(Data::Seq(overgrant_value::Seq {
            kind: overgrant_value::SeqKind::Tuple,
            elem: Ty::Dyn,
            items: seq.items.iter().map(plain).collect(),
        })),
        Data::Map(map) => {
            let entries = map
                .entries
                .iter()
                .map(|entry| overgrant_value::Entry {
                    val: plain(&entry.val),
                    ..entry.clone()
                })
                .collect();
            same(Data::Map(overgrant_value::Map::object(types::sorted(
                entries,
            ))))
        }
        Data::Null(_) => same(Data::Null(Ty::Dyn)),
        _ => val.clone(),
    }
}
