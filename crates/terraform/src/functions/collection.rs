//! Functions on lists, sets, maps and objects, and conversions between types.
//!
//! Invariant: members keep their places and their ways.

use super::{Call, Function, Kind, MANY, Outcome, Stop, Takes, function};
use crate::eval::access;
use crate::eval::ops;
use crate::eval::types::{convert, distinct, sorted, type_of, unify};
use overgrant_value::{Answer, Data, Entry, Map, MapKind, Marks, Num, Seq, SeqKind, Text, Ty, Val};
use unicode_segmentation::UnicodeSegmentation;

pub(super) const TABLE: &[Function] = &[
    function("merge", (0, MANY), Kind::Any, Takes::All, merge),
    function("length", (1, 1), Kind::Number, Takes::All, length),
    function("lookup", (2, 3), Kind::Any, Takes::All, lookup),
    function("contains", (2, 2), Kind::Bool, Takes::All, contains),
    function("one", (1, 1), Kind::Any, Takes::Known, one),
    function("coalesce", (1, MANY), Kind::Any, Takes::All, coalesce),
    function(
        "coalescelist",
        (1, MANY),
        Kind::Any,
        Takes::Nulls,
        coalescelist,
    ),
    function("concat", (1, MANY), Kind::Any, Takes::All, concat),
    function("flatten", (1, 1), Kind::Any, Takes::Open, flatten),
    function("compact", (1, 1), Kind::Strings, Takes::Open, compact),
    function("element", (2, 2), Kind::Any, Takes::All, element),
    function("keys", (1, 1), Kind::Any, Takes::Open, keys),
    function("values", (1, 1), Kind::Any, Takes::Open, values),
    function("slice", (3, 3), Kind::Any, Takes::Known, slice),
    function("distinct", (1, 1), Kind::Any, Takes::Open, distinct_call),
    function("sort", (1, 1), Kind::Strings, Takes::Open, sort),
    function("reverse", (1, 1), Kind::Any, Takes::Open, reverse),
    function("index", (2, 2), Kind::Number, Takes::Known, index),
    function("range", (1, 3), Kind::Any, Takes::Known, range),
    function("zipmap", (2, 2), Kind::Any, Takes::Known, zipmap),
    function("alltrue", (1, 1), Kind::Bool, Takes::Known, alltrue),
    function("anytrue", (1, 1), Kind::Bool, Takes::Known, anytrue),
    function("setunion", (1, MANY), Kind::Any, Takes::Open, setunion),
    function(
        "setintersection",
        (1, MANY),
        Kind::Any,
        Takes::Known,
        setintersection,
    ),
    function("setsubtract", (2, 2), Kind::Any, Takes::Known, setsubtract),
    function("setproduct", (1, MANY), Kind::Any, Takes::Open, setproduct),
    function("chunklist", (2, 2), Kind::Any, Takes::Known, chunklist),
    function("matchkeys", (3, 3), Kind::Any, Takes::Known, matchkeys),
    function("transpose", (1, 1), Kind::Any, Takes::Known, transpose),
    function("tostring", (1, 1), Kind::String, Takes::All, tostring),
    function("tonumber", (1, 1), Kind::Number, Takes::All, tonumber),
    function("tobool", (1, 1), Kind::Bool, Takes::All, tobool),
    function("tolist", (1, 1), Kind::Any, Takes::All, tolist),
    function("toset", (1, 1), Kind::Any, Takes::All, toset),
    function("tomap", (1, 1), Kind::Any, Takes::All, tomap),
    function("sensitive", (1, 1), Kind::Any, Takes::All, sensitive),
    function("nonsensitive", (1, 1), Kind::Any, Takes::All, nonsensitive),
    function("issensitive", (1, 1), Kind::Bool, Takes::All, issensitive),
    function(
        "ephemeralasnull",
        (1, 1),
        Kind::Any,
        Takes::All,
        |_, args| first(args),
    ),
];

pub(super) fn first(args: &[Val]) -> Outcome {
    args.first()
        .cloned()
        .ok_or_else(|| "an argument is missing".into())
}

fn two(args: &[Val]) -> Result<(&Val, &Val), Stop> {
    match args {
        [a, b, ..] => Ok((a, b)),
        _ => Err("an argument is missing".into()),
    }
}

fn merge(call: &Call<'_, '_>, args: &[Val]) -> Outcome {
    let mut entries: Vec<Entry> = Vec::new();
    let mut open = false;
    let mut maps: Vec<&Map> = Vec::new();
    for arg in args {
        match arg.data() {
            Data::Null(_) => {}
            Data::Map(map) => {
                open |= access::is_open(arg);
                maps.push(map);
                for entry in &map.entries {
                    entries.push(Entry {
                        val: entry.val.under(arg),
                        ..entry.clone()
                    });
                }
            }
            Data::Unknown(_) => return Err(Stop::Open),
            _ => return Err("only maps and objects can be merged".into()),
        }
    }
    let same = match maps.first() {
        Some(first)
            if maps
                .iter()
                .all(|map| map.kind == MapKind::Map && map.elem == first.elem) =>
        {
            Some(first.elem.clone())
        }
        _ => None,
    };
    let (kind, elem) = match same {
        Some(elem) => (MapKind::Map, elem),
        None => (MapKind::Object, Ty::Dyn),
    };
    if maps.is_empty() && !args.is_empty() {
        return Ok(args
            .first()
            .cloned()
            .unwrap_or_else(|| Val::null(call.src())));
    }
    let val = Val::new(
        Data::Map(Map {
            kind,
            elem,
            entries: sorted(entries),
        }),
        call.src(),
    );
    Ok(if open { val.marked(Marks::MAYBE) } else { val })
}

fn length(call: &Call<'_, '_>, args: &[Val]) -> Outcome {
    let val = first(args)?;
    if access::is_open(&val) && !matches!(val.data(), Data::Str(_)) {
        return Err(Stop::Open);
    }
    let count = match val.data() {
        Data::Str(_) => call.string(&val)?.graphemes(true).count(),
        Data::Seq(seq) => {
            if seq.kind == SeqKind::Set && seq.items.len() > 1 && seq.items.iter().any(holds_open) {
                return Err(Stop::Open);
            }
            seq.items.len()
        }
        Data::Map(map) if !map.has_open_keys() || map.entries.len() < 2 => map.entries.len(),
        Data::Map(_) | Data::Unknown(_) => return Err(Stop::Open),
        _ => return Err("only texts and collections have a length".into()),
    };
    Ok(Val::int(
        i64::try_from(count).unwrap_or(i64::MAX),
        call.src(),
    ))
}

/// Whether a part of the value is not known.
fn holds_open(val: &Val) -> bool {
    match val.data() {
        Data::Unknown(_) | Data::OneOf(_) => true,
        Data::Str(text) => crate::eval::text::known(text).is_none(),
        Data::Seq(seq) => seq.items.iter().any(holds_open),
        Data::Map(map) => {
            map.has_open_keys() || map.entries.iter().any(|entry| holds_open(&entry.val))
        }
        _ => false,
    }
}

fn lookup(call: &Call<'_, '_>, args: &[Val]) -> Outcome {
    let (map, key) = two(args)?;
    let default = args.get(2);
    if map.is_null() || key.is_null() {
        return Err("an argument is null".into());
    }
    let Data::Map(inner) = map.data() else {
        return if map.is_unknown() {
            Err(Stop::Open)
        } else {
            Err("the first argument must be a map".into())
        };
    };
    let Ok(key_text) = call.string(key) else {
        // Any member, or the default.
        let found = access::index(map, key)?;
        return match default {
            None => Ok(found),
            Some(default) if inner.entries.is_empty() => Ok(default.clone()),
            Some(_) => Err(Stop::Open),
        };
    };
    if let Some(found) = inner.get(&key_text) {
        return Ok(found.under(map));
    }
    if inner.has_open_keys() || access::is_open(map) {
        return Err(Stop::Open);
    }
    match default {
        Some(default) if inner.kind == MapKind::Map => Ok(convert(default, &inner.elem)?),
        Some(default) => Ok(default.clone()),
        None => Err("the key is not in the map and no default is given".into()),
    }
}

fn contains(call: &Call<'_, '_>, args: &[Val]) -> Outcome {
    let (list, needle) = two(args)?;
    if needle.is_null() || list.is_null() {
        return Err("an argument is null".into());
    }
    let items = call.items(list)?;
    let found = items
        .iter()
        .fold(Answer::No, |all, item| all.or(ops::equals(item, needle)));
    let found = if access::is_open(list) {
        found.max(Answer::May).min(Answer::May)
    } else {
        found
    };
    Ok(ops::answer(found, "contains", &[list, needle], call.src()))
}

fn one(call: &Call<'_, '_>, args: &[Val]) -> Outcome {
    let val = first(args)?;
    let items = call.items(&val)?;
    match items.as_slice() {
        [] => Ok(Val::null(call.src())),
        [only] => Ok(only.clone()),
        _ => Err("there is more than one element".into()),
    }
}

fn coalesce(call: &Call<'_, '_>, args: &[Val]) -> Outcome {
    let types: Vec<Ty> = args
        .iter()
        .filter(|arg| !matches!(arg.data(), Data::Null(Ty::Dyn)))
        .map(type_of)
        .collect();
    let untyped = args.len() > types.len();
    let common =
        unify(&types).filter(|ty| !untyped || matches!(ty, Ty::Bool | Ty::Number | Ty::String));
    for arg in args {
        if arg.is_null() {
            continue;
        }
        match arg.data() {
            Data::Unknown(unknown) => {
                if unknown.not_null && unknown.sym.shape().has(overgrant_value::Shape::NOT_EMPTY) {
                    return Ok(arg.clone());
                }
                return Err(Stop::Open);
            }
            Data::Str(text) => match text.emptiness() {
                Answer::Must => continue,
                Answer::May => return Err(Stop::Open),
                Answer::No => {}
            },
            _ => {}
        }
        return Ok(match &common {
            Some(ty) => convert(arg, ty).unwrap_or_else(|_| arg.clone()),
            None => arg.clone(),
        });
    }
    let _ = call;
    Err("all arguments are null or empty".into())
}

fn coalescelist(call: &Call<'_, '_>, args: &[Val]) -> Outcome {
    for arg in args {
        if !arg.is_null() && !call.items(arg)?.is_empty() {
            return Ok(arg.clone());
        }
    }
    Err("all lists are empty".into())
}

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
                items.push(match access::elements(arg) {
                    Ok(access::Elements::Open(_, item)) => item.marked(Marks::MAYBE),
                    _ => arg.clone(),
                });
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

fn keys(call: &Call<'_, '_>, args: &[Val]) -> Outcome {
    let val = first(args)?;
    let Data::Map(map) = val.data() else {
        return Err("only maps and objects have keys".into());
    };
    let items = map
        .entries
        .iter()
        .map(|entry| Val::text(entry.key.clone(), entry.key_src.clone()))
        .collect();
    Ok(match map.kind {
        MapKind::Map => call.list(Ty::String, items),
        MapKind::Object => Val::tuple(items, call.src()),
    })
}

fn values(call: &Call<'_, '_>, args: &[Val]) -> Outcome {
    let val = first(args)?;
    let Data::Map(map) = val.data() else {
        return Err("only maps and objects have values".into());
    };
    let items = map
        .entries
        .iter()
        .map(|entry| entry.val.under(&val))
        .collect();
    Ok(match map.kind {
        MapKind::Map => call.list(map.elem.clone(), items),
        MapKind::Object => Val::tuple(items, call.src()),
    })
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

fn as_list(val: &Val) -> Outcome {
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

fn zipmap(call: &Call<'_, '_>, args: &[Val]) -> Outcome {
    let (keys, vals) = two(args)?;
    let (names, items) = (call.items(keys)?, call.items(vals)?);
    if names.len() != items.len() {
        return Err("both lists must have the same length".into());
    }
    let mut entries = Vec::new();
    for (name, val) in names.iter().zip(items) {
        entries.push(Entry {
            key: call.text(name)?,
            key_src: name.src().clone(),
            val,
        });
    }
    let (kind, elem) = match vals.data() {
        Data::Seq(seq) if seq.kind == SeqKind::List => (MapKind::Map, seq.elem.clone()),
        _ => (MapKind::Object, Ty::Dyn),
    };
    Ok(Val::new(
        Data::Map(Map {
            kind,
            elem,
            entries: sorted(entries),
        }),
        call.src(),
    ))
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

/// All arguments as sets of one element type.
fn sets(args: &[Val]) -> Result<(Ty, Vec<Vec<Val>>), Stop> {
    let mut converted = Vec::new();
    for arg in args {
        converted.push(convert(arg, &Ty::Set(Box::new(Ty::Dyn)))?);
    }
    let types: Vec<Ty> = converted
        .iter()
        .filter_map(|set| match set.data() {
            Data::Seq(seq) if !seq.items.is_empty() || seq.elem != Ty::Dyn => {
                Some(seq.elem.clone())
            }
            _ => None,
        })
        .collect();
    let elem = unify(&types).ok_or("the sets have no element type in common")?;
    let mut all = Vec::new();
    for set in &converted {
        let set = convert(set, &Ty::Set(Box::new(elem.clone())))?;
        all.push(set.listed());
    }
    Ok((elem, all))
}

fn set(call: &Call<'_, '_>, elem: Ty, items: Vec<Val>) -> Val {
    Val::new(
        Data::Seq(Seq {
            kind: SeqKind::Set,
            elem,
            items: distinct(items),
        }),
        call.src(),
    )
}

fn setunion(call: &Call<'_, '_>, args: &[Val]) -> Outcome {
    let (elem, all) = sets(args)?;
    Ok(set(call, elem, all.into_iter().flatten().collect()))
}

fn holds(items: &[Val], wanted: &Val) -> Answer {
    items
        .iter()
        .fold(Answer::No, |all, item| all.or(ops::equals(item, wanted)))
}

fn setintersection(call: &Call<'_, '_>, args: &[Val]) -> Outcome {
    let (elem, all) = sets(args)?;
    let Some((first, others)) = all.split_first() else {
        return Err("an argument is missing".into());
    };
    let mut kept = Vec::new();
    for item in first {
        let answer = others
            .iter()
            .fold(Answer::Must, |answer, other| answer.and(holds(other, item)));
        match answer {
            Answer::Must => kept.push(item.clone()),
            Answer::May => return Err(Stop::Open),
            Answer::No => {}
        }
    }
    Ok(set(call, elem, kept))
}

fn setsubtract(call: &Call<'_, '_>, args: &[Val]) -> Outcome {
    let (elem, all) = sets(args)?;
    let [from, without] = all.as_slice() else {
        return Err("two arguments are needed".into());
    };
    let mut kept = Vec::new();
    for item in from {
        match holds(without, item) {
            Answer::No => kept.push(item.clone()),
            Answer::May => return Err(Stop::Open),
            Answer::Must => {}
        }
    }
    Ok(set(call, elem, kept))
}

fn setproduct(call: &Call<'_, '_>, args: &[Val]) -> Outcome {
    if args.len() < 2 {
        return Err("at least two arguments are needed".into());
    }
    let mut rows: Vec<Vec<Val>> = vec![Vec::new()];
    let mut elems = Vec::new();
    let mut ordered = true;
    let mut typed = false;
    for arg in args {
        let ty = type_of(arg);
        ordered &= !matches!(ty, Ty::Set(_));
        typed |= matches!(ty, Ty::Set(_) | Ty::List(_));
        let list = as_list(arg)?;
        let elem = match list.data() {
            Data::Seq(seq) => seq.elem.clone(),
            _ => Ty::Dyn,
        };
        elems.push(elem);
        let items = call.items(&list)?;
        if rows.len().saturating_mul(items.len()) > 100_000 {
            return Err("too many combinations".into());
        }
        rows = rows
            .iter()
            .flat_map(|row| {
                items.iter().map(|item| {
                    let mut row = row.clone();
                    row.push(item.clone());
                    row
                })
            })
            .collect();
    }
    let _ = typed;
    let items: Vec<Val> = rows
        .into_iter()
        .map(|row| Val::tuple(row, call.src()))
        .collect();
    let elem = Ty::Tuple(elems);
    Ok(if ordered {
        call.list(elem, items)
    } else {
        set(call, elem, items)
    })
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

fn transpose(call: &Call<'_, '_>, args: &[Val]) -> Outcome {
    let strings = Ty::List(Box::new(Ty::String));
    let map = convert(&first(args)?, &Ty::Map(Box::new(strings.clone())))?;
    let Data::Map(map) = map.data() else {
        return Err(Stop::Open);
    };
    let mut pairs = Vec::new();
    for entry in &map.entries {
        let key = entry.key.as_known().ok_or(Stop::Open)?;
        for item in call.strings(&entry.val)? {
            pairs.push((item, key.clone()));
        }
    }
    pairs.sort();
    let mut entries: Vec<(smol_str::SmolStr, Vec<Val>)> = Vec::new();
    for (item, key) in pairs {
        let key = call.known(&key);
        match entries.last_mut() {
            Some((known, keys)) if *known == item => keys.push(key),
            _ => entries.push((item, vec![key])),
        }
    }
    let entries = entries
        .into_iter()
        .map(|(item, keys)| Entry {
            key: Text::known(&item),
            key_src: call.src(),
            val: call.list(Ty::String, keys),
        })
        .collect();
    Ok(Val::new(
        Data::Map(Map {
            kind: MapKind::Map,
            elem: strings,
            entries,
        }),
        call.src(),
    ))
}

fn to(args: &[Val], ty: &Ty) -> Outcome {
    Ok(convert(&first(args)?, ty)?)
}

fn tostring(_: &Call<'_, '_>, args: &[Val]) -> Outcome {
    to(args, &Ty::String)
}

fn tonumber(_: &Call<'_, '_>, args: &[Val]) -> Outcome {
    to(args, &Ty::Number)
}

fn tobool(_: &Call<'_, '_>, args: &[Val]) -> Outcome {
    to(args, &Ty::Bool)
}

fn tolist(_: &Call<'_, '_>, args: &[Val]) -> Outcome {
    to(args, &Ty::List(Box::new(Ty::Dyn)))
}

fn toset(_: &Call<'_, '_>, args: &[Val]) -> Outcome {
    to(args, &Ty::Set(Box::new(Ty::Dyn)))
}

fn tomap(_: &Call<'_, '_>, args: &[Val]) -> Outcome {
    to(args, &Ty::Map(Box::new(Ty::Dyn)))
}

fn sensitive(_: &Call<'_, '_>, args: &[Val]) -> Outcome {
    Ok(first(args)?.marked(Marks::SENSITIVE))
}

fn nonsensitive(_: &Call<'_, '_>, args: &[Val]) -> Outcome {
    Ok(first(args)?.unmarked(Marks::SENSITIVE))
}

fn issensitive(call: &Call<'_, '_>, args: &[Val]) -> Outcome {
    Ok(call.yes_no(first(args)?.marks().has(Marks::SENSITIVE)))
}
