//! Functions on sets.
//!
//! Invariant: members keep their places and their ways.

use super::sequence::as_list;
use super::{Call, Function, Kind, MANY, Outcome, Stop, Takes, function};
use crate::eval::limits::seats;
use crate::eval::ops;
use crate::eval::types::{convert, distinct, type_of, unify};
use overgrant_value::{Answer, Data, Seq, SeqKind, Ty, Val};

pub(super) const TABLE: &[Function] = &[
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
];

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
        all.push(set.listed().into_vec());
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

pub(super) fn holds(items: &[Val], wanted: &Val) -> Answer {
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
        seats(rows.len().saturating_mul(items.len()))?;
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
