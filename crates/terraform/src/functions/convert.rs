//! Conversions between types, and marks.
//!
//! Invariant: members keep their places and their ways.

use super::collection::first;
use super::{Call, Function, Kind, Outcome, Takes, function};
use crate::eval::types::convert;
use overgrant_value::{Marks, Ty, Val};

pub(super) const TABLE: &[Function] = &[
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
