//! Types of values: finding them, finding one for several, converting to one.
//!
//! Terraform's rules (zclconf/go-cty, `cty/convert`). Not for declared constraints with defaults,
//! see `constraint`. Invariant: a conversion that cannot be told because a part is unknown gives an
//! unknown value, and one that Terraform refuses gives an error, never a guess.

use super::text;
use overgrant_value::{
    Alt, Data, Entry, Field, Guard, Map, MapKind, Num, Seq, SeqKind, Sym, Text, Ty, Val,
};
use std::cmp::Ordering;

/// The type of a value; [`Ty::Dyn`] where that is not known.
pub(crate) fn type_of(val: &Val) -> Ty {
    match val.data() {
        Data::Null(ty) => ty.clone(),
        Data::Bool(_) => Ty::Bool,
        Data::Num(_) => Ty::Number,
        Data::Str(_) => Ty::String,
        Data::Seq(seq) => match seq.kind {
            SeqKind::Tuple => Ty::Tuple(seq.items.iter().map(type_of).collect()),
            SeqKind::List => Ty::List(Box::new(seq.elem.clone())),
            SeqKind::Set => Ty::Set(Box::new(seq.elem.clone())),
        },
        Data::Map(map) => match map.kind {
            MapKind::Map => Ty::Map(Box::new(map.elem.clone())),
            MapKind::Object => {
                let mut fields: Vec<Field> = map
                    .entries
                    .iter()
                    .filter_map(|entry| {
                        Some(Field {
                            name: entry.key.as_known()?,
                            ty: type_of(&entry.val),
                            optional: false,
                        })
                    })
                    .collect();
                fields.sort_by(|a, b| a.name.cmp(&b.name));
                Ty::Object(fields)
            }
        },
        Data::Unknown(unknown) => unknown.ty.clone(),
        Data::OneOf(alts) => {
            let mut types = alts.iter().map(|alt| type_of(&alt.val));
            let first = types.next().unwrap_or_default();
            if types.all(|ty| ty == first) {
                first
            } else {
                Ty::Dyn
            }
        }
    }
}

/// The type that all of `types` can be converted to without loss, if there is one
/// (go-cty, `convert.UnifyUnsafe`).
pub(crate) fn unify(types: &[Ty]) -> Option<Ty> {
    let known: Vec<&Ty> = types.iter().filter(|ty| **ty != Ty::Dyn).collect();
    let Some(first) = known.first() else {
        return Some(Ty::Dyn);
    };
    if known.len() < types.len() && known.iter().any(|ty| is_container(ty)) {
        return Some(Ty::Dyn);
    }
    if known.iter().all(|ty| ty == first) {
        return Some((*first).clone());
    }
    if known
        .iter()
        .all(|ty| matches!(ty, Ty::Bool | Ty::Number | Ty::String))
    {
        // Numbers and truth values have only text in common.
        return Some(Ty::String);
    }
    if known.iter().all(|ty| matches!(ty, Ty::Object(_))) {
        return unify_objects(&known);
    }
    if known
        .iter()
        .all(|ty| matches!(ty, Ty::Object(_) | Ty::Map(_)))
    {
        let mut inner = Vec::new();
        for ty in &known {
            match ty {
                Ty::Object(fields) => inner.extend(fields.iter().map(|field| field.ty.clone())),
                Ty::Map(elem) => inner.push((**elem).clone()),
                _ => {}
            }
        }
        return unify(&inner).map(|elem| Ty::Map(Box::new(elem)));
    }
    if known.iter().all(|ty| matches!(ty, Ty::Tuple(_))) {
        return unify_tuples(&known);
    }
    if known
        .iter()
        .all(|ty| matches!(ty, Ty::Tuple(_) | Ty::List(_) | Ty::Set(_)))
    {
        let mut inner = Vec::new();
        let mut list = false;
        for ty in &known {
            match ty {
                Ty::Tuple(types) => inner.extend(types.iter().cloned()),
                Ty::List(elem) => {
                    list = true;
                    inner.push((**elem).clone());
                }
                Ty::Set(elem) => inner.push((**elem).clone()),
                _ => {}
            }
        }
        let elem = Box::new(unify(&inner)?);
        return Some(
            if list || !known.iter().any(|ty| matches!(ty, Ty::Set(_))) {
                Ty::List(elem)
            } else {
                Ty::Set(elem)
            },
        );
    }
    None
}

fn is_container(ty: &Ty) -> bool {
    !matches!(ty, Ty::Bool | Ty::Number | Ty::String | Ty::Dyn)
}

fn unify_objects(types: &[&Ty]) -> Option<Ty> {
    let all: Vec<&Vec<Field>> = types
        .iter()
        .filter_map(|ty| match ty {
            Ty::Object(fields) => Some(fields),
            _ => None,
        })
        .collect();
    let first = all.first()?;
    let same_names = all.iter().all(|fields| {
        fields.len() == first.len()
            && fields
                .iter()
                .zip(first.iter())
                .all(|(a, b)| a.name == b.name)
    });
    if !same_names {
        let inner: Vec<Ty> = all
            .iter()
            .flat_map(|fields| fields.iter().map(|field| field.ty.clone()))
            .collect();
        return unify(&inner).map(|elem| Ty::Map(Box::new(elem)));
    }
    let mut result = Vec::new();
    for (index, field) in first.iter().enumerate() {
        let column: Vec<Ty> = all
            .iter()
            .filter_map(|fields| fields.get(index).map(|field| field.ty.clone()))
            .collect();
        result.push(Field {
            name: field.name.clone(),
            ty: unify(&column)?,
            optional: false,
        });
    }
    Some(Ty::Object(result))
}

fn unify_tuples(types: &[&Ty]) -> Option<Ty> {
    let all: Vec<&Vec<Ty>> = types
        .iter()
        .filter_map(|ty| match ty {
            Ty::Tuple(types) => Some(types),
            _ => None,
        })
        .collect();
    let first = all.first()?;
    if all.iter().any(|types| types.len() != first.len()) {
        let inner: Vec<Ty> = all.iter().flat_map(|types| types.iter().cloned()).collect();
        return unify(&inner).map(|elem| Ty::List(Box::new(elem)));
    }
    let mut result = Vec::new();
    for index in 0..first.len() {
        let column: Vec<Ty> = all
            .iter()
            .filter_map(|types| types.get(index).cloned())
            .collect();
        result.push(unify(&column)?);
    }
    Some(Ty::Tuple(result))
}

/// A type as Terraform's messages name it.
pub(crate) fn name(ty: &Ty) -> &'static str {
    match ty {
        Ty::Dyn => "dynamic",
        Ty::Bool => "bool",
        Ty::Number => "number",
        Ty::String => "string",
        Ty::List(_) => "list",
        Ty::Set(_) => "set",
        Ty::Map(_) => "map",
        Ty::Tuple(_) => "tuple",
        Ty::Object(_) => "object",
    }
}

/// The value as a value of type `ty`.
///
/// # Errors
/// What cannot be converted, in words.
pub(crate) fn convert(val: &Val, ty: &Ty) -> Result<Val, String> {
    let same = |data: Data| Val::new(data, val.src().clone()).marked(val.marks());
    match (val.data(), ty) {
        (_, Ty::Dyn) => return Ok(val.clone()),
        (Data::Null(_), _) => return Ok(same(Data::Null(ty.clone()))),
        (Data::Unknown(unknown), _) => {
            let mut unknown = unknown.clone();
            if unknown.ty == Ty::Dyn || !is_container(ty) {
                unknown.ty = ty.clone();
            }
            return Ok(same(Data::Unknown(unknown)));
        }
        (Data::OneOf(alts), _) => {
            let mut converted = Vec::new();
            let mut error = None;
            for Alt { guard, val } in alts {
                match convert(val, ty) {
                    Ok(val) => converted.push((guard.clone(), val)),
                    Err(message) => error = Some(message),
                }
            }
            return match (converted.is_empty(), error) {
                (true, Some(message)) => Err(message),
                _ => Ok(
                    Val::one_of(converted, "a value of several types", val.src().clone())
                        .marked(val.marks()),
                ),
            };
        }
        _ => {}
    }
    let refuse = || {
        Err(format!(
            "a {} is needed, this is a {}",
            name(ty),
            name(&type_of(val))
        ))
    };
    match (ty, val.data()) {
        (Ty::String, Data::Str(_)) | (Ty::Number, Data::Num(_)) | (Ty::Bool, Data::Bool(_)) => {
            Ok(val.clone())
        }
        (Ty::String, Data::Num(_) | Data::Bool(_)) => match val.to_text() {
            Some(text) => Ok(same(Data::Str(text))),
            None => refuse(),
        },
        (Ty::Number, Data::Str(known)) => match text::known(known) {
            Some(known) => match Num::parse(&known) {
                Some(num) if !known.starts_with('+') => Ok(same(Data::Num(num))),
                _ => Err("a number is needed, this text is none".into()),
            },
            None => Ok(open(val, "tonumber", ty)),
        },
        (Ty::Bool, Data::Str(known)) => match text::known(known).as_deref() {
            Some("true") => Ok(same(Data::Bool(true))),
            Some("false") => Ok(same(Data::Bool(false))),
            Some(_) => Err("a bool is needed: true or false".into()),
            None => Ok(open(val, "tobool", ty)),
        },
        (Ty::List(elem) | Ty::Set(elem), Data::Seq(seq)) => {
            let elem = element_type(elem, seq.items.iter())?;
            let mut items = Vec::with_capacity(seq.items.len());
            for item in &seq.items {
                items.push(convert(&item.under(val), &elem)?);
            }
            let kind = if matches!(ty, Ty::Set(_)) {
                SeqKind::Set
            } else {
                SeqKind::List
            };
            if kind == SeqKind::Set {
                items = distinct(items);
            }
            let elem = if seq.items.is_empty() && seq.kind != SeqKind::Tuple && elem == Ty::Dyn {
                seq.elem.clone()
            } else {
                elem
            };
            Ok(same(Data::Seq(Seq { kind, elem, items })))
        }
        (Ty::Map(elem), Data::Map(map)) => {
            let elem = element_type(elem, map.entries.iter().map(|entry| &entry.val))?;
            let mut entries = Vec::with_capacity(map.entries.len());
            for entry in &map.entries {
                entries.push(Entry {
                    val: convert(&entry.val, &elem)?,
                    ..entry.clone()
                });
            }
            let elem = if map.entries.is_empty() && map.kind == MapKind::Map && elem == Ty::Dyn {
                map.elem.clone()
            } else {
                elem
            };
            Ok(same(Data::Map(Map {
                kind: MapKind::Map,
                elem,
                entries,
            })))
        }
        (Ty::Tuple(types), Data::Seq(seq)) if seq.kind != SeqKind::Set => {
            if types.len() != seq.items.len() {
                return Err(format!("a tuple of {} elements is needed", types.len()));
            }
            let mut items = Vec::with_capacity(types.len());
            for (item, ty) in seq.items.iter().zip(types) {
                items.push(convert(item, ty)?);
            }
            Ok(same(Data::Seq(Seq {
                kind: SeqKind::Tuple,
                elem: Ty::Dyn,
                items,
            })))
        }
        (Ty::Object(fields), Data::Map(map)) => {
            let mut entries = Vec::with_capacity(fields.len());
            for field in fields {
                let entry = match map.entry(&field.name) {
                    Some(entry) => Entry {
                        val: convert(&entry.val, &field.ty)?,
                        ..entry.clone()
                    },
                    None if field.optional => Entry {
                        key: Text::known(&field.name),
                        key_src: val.src().clone(),
                        val: Val::new(Data::Null(field.ty.clone()), val.src().clone()),
                    },
                    None if map.has_open_keys() => continue,
                    None => return Err(format!("the attribute `{}` is missing", field.name)),
                };
                entries.push(entry);
            }
            Ok(same(Data::Map(Map::object(entries))))
        }
        _ => refuse(),
    }
}

fn element_type<'a>(declared: &Ty, items: impl Iterator<Item = &'a Val>) -> Result<Ty, String> {
    if *declared != Ty::Dyn {
        return Ok(declared.clone());
    }
    // A null without a type takes the type of the others.
    let types: Vec<Ty> = items
        .filter(|item| !matches!(item.data(), Data::Null(Ty::Dyn)))
        .map(type_of)
        .collect();
    unify(&types).ok_or_else(|| "all elements must have one type".to_owned())
}

/// The unknown result of a conversion.
fn open(val: &Val, function: &str, ty: &Ty) -> Val {
    Val::unknown_of(Sym::call(function, &[val]), ty.clone(), val.src().clone())
}

/// Sorts as Terraform sorts sets, and drops equal elements.
pub(crate) fn distinct(items: Vec<Val>) -> Vec<Val> {
    let mut keyed: Vec<(String, Val)> = items
        .into_iter()
        .map(|item| (overgrant_value::json::to_key(&item), item))
        .collect();
    keyed.sort_by(|(a_key, a), (b_key, b)| order(a, b).then_with(|| a_key.cmp(b_key)));
    keyed.dedup_by(|(a, _), (b, _)| a == b);
    keyed.into_iter().map(|(_, item)| item).collect()
}

fn order(a: &Val, b: &Val) -> Ordering {
    match (a.data(), b.data()) {
        (Data::Num(a), Data::Num(b)) => a.compare(*b),
        (Data::Bool(a), Data::Bool(b)) => a.cmp(b),
        (Data::Str(a), Data::Str(b)) => match (text::known(a), text::known(b)) {
            (Some(a), Some(b)) => a.cmp(&b),
            (Some(_), None) => Ordering::Less,
            (None, Some(_)) => Ordering::Greater,
            (None, None) => Ordering::Equal,
        },
        _ => Ordering::Equal,
    }
}

/// Puts the members of an object or map in Terraform's order: by key, a repeated key once with its
/// last value, open keys last.
pub(crate) fn sorted(mut entries: Vec<Entry>) -> Vec<Entry> {
    entries.sort_by(|a, b| match (a.key.known_str(), b.key.known_str()) {
        (Some(a), Some(b)) => a.cmp(&b),
        (Some(_), None) => Ordering::Less,
        (None, Some(_)) => Ordering::Greater,
        (None, None) => Ordering::Equal,
    });
    entries.dedup_by(|later, kept| {
        let key = later.key.known_str();
        let same = key.is_some() && key == kept.key.known_str();
        drop(key);
        if same {
            std::mem::swap(later, kept);
        }
        same
    });
    entries.shrink_to_fit();
    entries
}

/// Applies `f` to each combination of the alternatives of `vals`; a plain value is its own one
/// alternative. More than eight results become unknown.
///
/// # Errors
/// That of `f`, where every combination fails.
pub(crate) fn distribute<E>(
    vals: &[Val],
    what: &str,
    mut f: impl FnMut(&[Val]) -> Result<Val, E>,
    on_error: impl Fn(E) -> Option<Val>,
) -> Result<Val, E> {
    if !vals.iter().any(|val| matches!(val.data(), Data::OneOf(_))) {
        return f(vals);
    }
    let mut rows: Vec<(Guard, Vec<Val>)> = vec![(Guard::always(), Vec::new())];
    for val in vals {
        let alternatives = val.alternatives();
        let mut next = Vec::new();
        for (guard, row) in &rows {
            for (inner, val) in &alternatives {
                if let Some(guard) = guard.and(inner) {
                    let mut row = row.clone();
                    row.push(val.clone());
                    next.push((guard, row));
                }
            }
        }
        rows = next;
        if rows.len() > 64 {
            let src = vals
                .first()
                .map(|val| val.src().clone())
                .unwrap_or_default();
            return Ok(Val::unknown_because(what, src.span));
        }
    }
    let mut results = Vec::new();
    let mut last = None;
    for (guard, row) in rows {
        match f(&row) {
            Ok(val) => results.push((guard, val)),
            Err(error) => match on_error(error) {
                Some(val) => results.push((guard, val)),
                None => last = Some(row),
            },
        }
    }
    if let Some(row) = last {
        if results.is_empty() {
            return f(&row);
        }
        // Where the others cannot be applied at all, the one that is left needs no guard.
        if results.len() == 1
            && let Some((_, val)) = results.pop()
        {
            return Ok(val);
        }
    }
    let src = vals
        .first()
        .map(|val| val.src().clone())
        .unwrap_or_default();
    Ok(Val::one_of(results, what, src))
}
