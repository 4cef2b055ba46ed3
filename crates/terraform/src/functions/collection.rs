//! Functions on maps and objects, and those on any collection.
//!
//! Invariant: members keep their places and their ways.

use super::{Call, Function, Kind, MANY, Outcome, Stop, Takes, function};
use crate::eval::access;
use crate::eval::ops;
use crate::eval::types::{convert, sorted, type_of, unify};
use overgrant_value::{Answer, Data, Entry, Map, MapKind, Marks, SeqKind, Text, Ty, Val};
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
    function("keys", (1, 1), Kind::Any, Takes::Open, keys),
    function("values", (1, 1), Kind::Any, Takes::Open, values),
    function("zipmap", (2, 2), Kind::Any, Takes::Known, zipmap),
    function("transpose", (1, 1), Kind::Any, Takes::Known, transpose),
];

pub(super) fn first(args: &[Val]) -> Outcome {
    args.first()
        .cloned()
        .ok_or_else(|| "an argument is missing".into())
}

pub(super) fn two(args: &[Val]) -> Result<(&Val, &Val), Stop> {
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
                    let val = entry.val.under(arg);
                    let before = access::is_open(arg)
                        .then(|| {
                            entries
                                .iter()
                                .rfind(|known| known.key.same_text(&entry.key))
                        })
                        .flatten();
                    entries.push(Entry {
                        // Where this one is missing, the one before it counts.
                        val: match before {
                            Some(before) => {
                                let key = Val::text(entry.key.clone(), entry.key_src.clone());
                                access::any_of(&val, &[before.val.clone(), val.clone()], &key)
                            }
                            None => val,
                        },
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
