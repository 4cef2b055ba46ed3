//! Functions on lists and tuples.
//!
//! Invariant: members keep their places and their ways.

use super::collection::{first, two};
use super::set::holds;
use super::{Call, Function, Kind, MANY, Outcome, Stop, Takes, function};
use crate::eval::access;
use crate::eval::ops;
use crate::eval::types::{convert, type_of};
use overgrant_value::{Answer, Data, Marks, Num, SeqKind, Ty, Val};

pub(super) const TABLE: &[Function] = &[
    function("concat", (1, MANY), Kind::Any, Takes::All, concat),
    function("flatten", (1, 1), Kind::Any, Takes::Open, flatten),
    function("compact", (1, 1), Kind::Strings, Takes::Open, compact),
    function("element", (2, 2), Kind::Any, Takes::All, element),
    function("slice", (3, 3), Kind::Any, Takes::Known, slice),
    function("distinct", (1, 1), Kind::Any, Takes::Open, distinct_call),
    function("sort", (1, 1), Kind::Strings, Takes::Open, sort),
    function("reverse", (1, 1), Kind::Any, Takes::Open, reverse),
    function("index", (2, 2), Kind::Number, Takes::Known, index),
    function("range", (1, 3), Kind::Any, Takes::Known, range),
    function("chunklist", (2, 2), Kind::Any, Takes::Known, chunklist),
    function("matchkeys", (3, 3), Kind::Any, Takes::Known, matchkeys),
    function("alltrue", (1, 1), Kind::Bool, Takes::Known, alltrue),
    function("anytrue", (1, 1), Kind::Bool, Takes::Known, anytrue),
];

fn concat(call: &Call<'_, '_>, args: &[Val]) -> Outcome {
    let mut items = Vec::new();
    let mut elem: Option<Ty> = None;
    let mut lists = true;
    let mut open = false;
    for arg in args {
        match arg.data() {
            Data::Seq(seq) if seq.kind != SeqKind::Set => {
                open |= access::is_open(arg);
                lists &= seq.kind == SeqKind::List;
                match &elem {
                    None => elem = Some(seq.elem.clone()),
                    Some(known) if *known == seq.elem => {}
                    Some(_) => lists = false,
                }
                items.extend(seq.items.iter().map(|item| item.under(arg)));
            }
            Data::Unknown(_) => {
                // Any number of elements that are not known.
                open = true;
                lists = false;
                if let Ok(access::Elements::Open(rounds)) = access::elements(arg) {
                    items.extend(rounds.into_iter().map(|(_, item)| item));
                }
            }
            Data::Null(_) => return Err("an argument is null".into()),
            _ => return Err("only lists and tuples can be joined".into()),
        }
    }
    let val = if lists {
        call.list(elem.unwrap_or_default(), items)
    } else {
        Val::tuple(items, call.src())
    };
    Ok(if open { val.marked(Marks::MAYBE) } else { val })
}

fn flatten(call: &Call<'_, '_>, args: &[Val]) -> Outcome {
    let val = first(args)?;
    let mut open = access::is_open(&val);
    let mut items = Vec::new();
    if val.as_items().is_none() {
        return Err("only lists, sets and tuples can be flattened".into());
    }
    into_flat(&val, &mut items, &mut open, 0)?;
    // Alternatives among the elements become alternatives of the whole.
    if items.iter().any(|item| matches!(item.data(), Data::OneOf(alts) if alts.iter().any(|alt| alt.val.as_items().is_some()))) {
        let result = call.evaluator.spread(&items, |items| {
            let mut flat = Vec::new();
            let mut maybe = open;
            for item in items {
                if item.as_items().is_some() {
                    let _ = into_flat(item, &mut flat, &mut maybe, 0);
                } else {
                    flat.push(item.clone());
                }
            }
            let val = Val::tuple(flat, call.src());
            Ok(if maybe { val.marked(Marks::MAYBE) } else { val })
        });
        return Ok(result?);
    }
    let result = Val::tuple(items, call.src());
    Ok(if open {
        result.marked(Marks::MAYBE)
    } else {
        result
    })
}

fn into_flat(val: &Val, items: &mut Vec<Val>, open: &mut bool, depth: usize) -> Result<(), Stop> {
    if depth > 64 {
        return Err("lists stand too deep in each other".into());
    }
    for item in val.as_items().unwrap_or_default() {
        let item = item.under(val);
        match item.data() {
            Data::Seq(_) => {
                *open |= access::is_open(&item);
                into_flat(&item, items, open, depth + 1)?;
            }
            Data::Unknown(unknown)
                if matches!(
                    unknown.ty,
                    Ty::Dyn | Ty::List(_) | Ty::Set(_) | Ty::Tuple(_)
                ) =>
            {
                *open = true;
                items.push(item.marked(Marks::MAYBE));
            }
            _ => items.push(item),
        }
    }
    Ok(())
}

fn compact(call: &Call<'_, '_>, args: &[Val]) -> Outcome {
    let val = first(args)?;
    let items = call.items(&val)?;
    let result = call.evaluator.spread(&items, |items| {
        let mut kept = Vec::new();
        let mut maybe = false;
        for item in items {
            if item.is_null() {
                continue;
            }
            let item = convert(item, &Ty::String).map_err(|message| crate::eval::Fail {
                message,
                span: Some(call.span),
                fixed: false,
            })?;
            match item.to_text().map(|text| text.emptiness()) {
                Some(Answer::Must) => {}
                Some(Answer::No) => kept.push(item),
                _ => {
                    maybe = true;
                    kept.push(item.marked(Marks::MAYBE));
                }
            }
        }
        let list = call.list(Ty::String, kept);
        Ok(if maybe {
            list.marked(Marks::MAYBE)
        } else {
            list
        })
    });
    Ok(result?)
}

fn element(call: &Call<'_, '_>, args: &[Val]) -> Outcome {
    let (list, at) = two(args)?;
    if list.is_null() || at.is_null() {
        return Err("an argument is null".into());
    }
    if let Data::Seq(seq) = list.data() {
        if seq.kind == SeqKind::Set {
            return Err("a set has no positions".into());
        }
        if access::is_open(list) {
            return Ok(access::index(list, at)?);
        }
        let at = call.integer(at)?;
        let len = i64::try_from(seq.items.len()).unwrap_or(i64::MAX);
        if len == 0 {
            return Err("the list is empty".into());
        }
        let at = usize::try_from(at.rem_euclid(len)).unwrap_or(0);
        return seq
            .items
            .get(at)
            .map(|item| item.under(list))
            .ok_or(Stop::Open);
    }
    if list.is_unknown() {
        return Ok(access::index(list, at)?);
    }
    Err("only lists and tuples have positions".into())
}

/// A sequence of the same kind as `like` with other elements.
fn like(call: &Call<'_, '_>, like: &Val, items: Vec<Val>) -> Val {
    match like.data() {
        Data::Seq(seq) if seq.kind != SeqKind::Tuple => call.list(seq.elem.clone(), items),
        _ => Val::tuple(items, call.src()),
    }
}

fn slice(call: &Call<'_, '_>, args: &[Val]) -> Outcome {
    let [list, from, to] = args else {
        return Err("an argument is missing".into());
    };
    if matches!(type_of(list), Ty::Set(_)) {
        return Err("a set has no positions".into());
    }
    let items = call.items(list)?;
    let from = usize::try_from(call.integer(from)?).map_err(|_| "the start is negative")?;
    let to = usize::try_from(call.integer(to)?).map_err(|_| "the end is negative")?;
    match items.get(from..to) {
        Some(part) => Ok(like(call, list, part.to_vec())),
        None => Err("the range is outside of the list".into()),
    }
}

pub(super) fn as_list(val: &Val) -> Outcome {
    Ok(convert(val, &Ty::List(Box::new(Ty::Dyn)))?)
}

fn distinct_call(call: &Call<'_, '_>, args: &[Val]) -> Outcome {
    let list = as_list(&first(args)?)?;
    let mut kept: Vec<Val> = Vec::new();
    for item in call.items(&list)? {
        if !kept
            .iter()
            .any(|known| ops::equals(known, &item) == Answer::Must)
        {
            kept.push(item);
        }
    }
    Ok(like(call, &list, kept))
}

fn sort(call: &Call<'_, '_>, args: &[Val]) -> Outcome {
    let list = convert(&first(args)?, &Ty::List(Box::new(Ty::String)))?;
    let mut items = call.items(&list)?;
    if items.iter().any(Val::is_null) {
        return Err("an element is null".into());
    }
    // An open text sorts by what is known of it; every element is kept.
    items.sort_by_cached_key(|item| item.to_text().map(|text| text.to_string()));
    Ok(call.list(Ty::String, items))
}

fn reverse(call: &Call<'_, '_>, args: &[Val]) -> Outcome {
    let val = first(args)?;
    let mut items = call.items(&val)?;
    items.reverse();
    Ok(like(call, &val, items))
}

fn index(call: &Call<'_, '_>, args: &[Val]) -> Outcome {
    let (list, needle) = two(args)?;
    for (at, item) in call.items(list)?.iter().enumerate() {
        match ops::equals(item, needle) {
            Answer::Must => return Ok(Val::int(i64::try_from(at).unwrap_or(i64::MAX), call.src())),
            Answer::May => return Err(Stop::Open),
            Answer::No => {}
        }
    }
    Err("the element is not in the list".into())
}

fn range(call: &Call<'_, '_>, args: &[Val]) -> Outcome {
    let zero = Num::int(0);
    let numbers = args
        .iter()
        .map(|arg| call.number(arg))
        .collect::<Result<Vec<_>, _>>()?;
    let (start, end, step) = match numbers.as_slice() {
        [end] => (zero, *end, None),
        [start, end] => (*start, *end, None),
        [start, end, step] => (*start, *end, Some(*step)),
        _ => return Err("one to three arguments are needed".into()),
    };
    let down = end.compare(start).is_lt();
    let step = step.unwrap_or_else(|| Num::int(if down { -1 } else { 1 }));
    if step == zero {
        return Err("the step is zero".into());
    }
    let step_down = step.compare(zero).is_lt();
    if step_down != down && start != end {
        return if numbers.len() == 3 {
            Err("the step leads away from the end".into())
        } else {
            Ok(call.list(Ty::Number, Vec::new()))
        };
    }
    let mut items = Vec::new();
    let mut at = start;
    while if step_down {
        at.compare(end).is_gt()
    } else {
        at.compare(end).is_lt()
    } {
        if items.len() >= 1024 {
            return Err("more than 1024 numbers".into());
        }
        items.push(Val::new(Data::Num(at), call.src()));
        at = at.checked_add(step).ok_or(Stop::Open)?;
    }
    Ok(call.list(Ty::Number, items))
}

fn truths(call: &Call<'_, '_>, args: &[Val], decides: bool) -> Outcome {
    let mut open = false;
    for item in call.items(&first(args)?)? {
        if item.is_null() {
            if !decides {
                return Ok(call.yes_no(false));
            }
            continue;
        }
        match call.truth(&item) {
            Ok(value) if value == decides => return Ok(call.yes_no(decides)),
            Ok(_) => {}
            Err(Stop::Open) => open = true,
            Err(stop) => return Err(stop),
        }
    }
    if open {
        Err(Stop::Open)
    } else {
        Ok(call.yes_no(!decides))
    }
}

fn alltrue(call: &Call<'_, '_>, args: &[Val]) -> Outcome {
    truths(call, args, false)
}

fn anytrue(call: &Call<'_, '_>, args: &[Val]) -> Outcome {
    truths(call, args, true)
}

fn chunklist(call: &Call<'_, '_>, args: &[Val]) -> Outcome {
    let (list, size) = two(args)?;
    let list = as_list(list)?;
    let items = call.items(&list)?;
    let size = usize::try_from(call.integer(size)?).map_err(|_| "the size is negative")?;
    let elem = type_of(&list);
    let size = if size == 0 { items.len().max(1) } else { size };
    let chunks = items
        .chunks(size)
        .map(|chunk| like(call, &list, chunk.to_vec()))
        .collect();
    Ok(call.list(elem, chunks))
}

fn matchkeys(call: &Call<'_, '_>, args: &[Val]) -> Outcome {
    let [vals, keys, wanted] = args else {
        return Err("three arguments are needed".into());
    };
    let vals = as_list(vals)?;
    let (items, keys, wanted) = (call.items(&vals)?, call.items(keys)?, call.items(wanted)?);
    if items.len() != keys.len() {
        return Err("both lists must have the same length".into());
    }
    let mut kept = Vec::new();
    for (item, key) in items.into_iter().zip(&keys) {
        match holds(&wanted, key) {
            Answer::Must => kept.push(item),
            Answer::May => return Err(Stop::Open),
            Answer::No => {}
        }
    }
    Ok(like(call, &vals, kept))
}
