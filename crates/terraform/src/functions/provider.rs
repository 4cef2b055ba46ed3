//! Functions of the AWS provider, and those of OpenTofu that only refine their argument.
//!
//! Source: hashicorp/terraform-provider-aws, `docs/functions`. Not for the built-in provider, see
//! `tfvars`, nor for others, whose results stay unknown. Invariant: the parts of an ARN keep their places and holes.

use super::collection::first;
use super::{Call, Function, Kind, Outcome, Stop, Takes, function};
use overgrant_value::{Piece, Shape, Text, Val};

pub(super) const TABLE: &[Function] = &[
    function(
        "provider::aws::arn_parse",
        (1, 1),
        Kind::Any,
        Takes::Known,
        arn_parse,
    ),
    function(
        "provider::aws::arn_build",
        (5, 5),
        Kind::String,
        Takes::Known,
        arn_build,
    ),
    function(
        "provider::aws::trim_iam_role_path",
        (1, 1),
        Kind::String,
        Takes::Known,
        trim_iam_role_path,
    ),
];

/// Arguments of OpenTofu's `assume…` functions behind the value itself.
pub(super) const REFINING: &[(&str, usize)] = &[
    ("assumeequal", 1),
    ("assumelistlength", 1),
    ("assumelistlengthmax", 1),
    ("assumelistlengthmin", 1),
    ("assumemaplength", 1),
    ("assumemaplengthmax", 1),
    ("assumemaplengthmin", 1),
    ("assumenotnull", 0),
    ("assumesetlength", 1),
    ("assumesetlengthmax", 1),
    ("assumesetlengthmin", 1),
    ("assumestringprefix", 1),
];

fn parts(call: &Call<'_, '_>, args: &[Val]) -> Result<[Text; 5], Stop> {
    arn_parts(&call.text(&first(args)?)?)
}

/// The five parts of an ARN behind `arn`: partition, service, region, account, resource.
///
/// # Errors
/// Where the text is no ARN, or where that is not known.
pub(crate) fn arn_parts(text: &Text) -> Result<[Text; 5], Stop> {
    const FIELDS: usize = 6;
    let mut parts = vec![Text::empty()];
    for piece in text.pieces() {
        let inside = parts.len() < FIELDS;
        let mut rest = piece.clone();
        if inside {
            match piece {
                Piece::Lit(lit) => {
                    let mut from = 0;
                    for (at, _) in lit.as_str().match_indices(':') {
                        if parts.len() < FIELDS {
                            if let (Some(cut), Some(part)) = (lit.slice(from..at), parts.last_mut())
                            {
                                part.push(Piece::Lit(cut));
                            }
                            parts.push(Text::empty());
                            from = at + 1;
                        }
                    }
                    let Some(cut) = lit.slice(from..lit.as_str().len()) else {
                        continue;
                    };
                    rest = Piece::Lit(cut);
                }
                Piece::Hole(hole) if hole.shape.has(Shape::NO_COLON) => {}
                // It may hold any number of fields.
                _ => return Err(Stop::Open),
            }
        }
        if let Some(part) = parts.last_mut() {
            part.push(rest);
        }
    }
    let Ok([arn, partition, service, region, account, resource]) =
        <[Text; FIELDS]>::try_from(parts)
    else {
        return Err("the text is no ARN".into());
    };
    match arn.as_known() {
        Some(arn) if arn == "arn" => Ok([partition, service, region, account, resource]),
        Some(_) => Err("the text is no ARN".into()),
        None => Err(Stop::Open),
    }
}

fn arn_parse(call: &Call<'_, '_>, args: &[Val]) -> Outcome {
    let [partition, service, region, account, resource] = parts(call, args)?;
    let val = |text: Text| Val::text(text, call.src());
    Ok(Val::object(
        vec![
            ("account_id", val(account)),
            ("partition", val(partition)),
            ("region", val(region)),
            ("resource", val(resource)),
            ("service", val(service)),
        ],
        call.src(),
    ))
}

fn joined(call: &Call<'_, '_>, parts: &[Text]) -> Val {
    let mut arn = Text::known("arn");
    for part in parts {
        arn.append(&Text::known(":"));
        arn.append(part);
    }
    Val::text(arn, call.src())
}

fn arn_build(call: &Call<'_, '_>, args: &[Val]) -> Outcome {
    let parts: Vec<Text> = args
        .iter()
        .map(|arg| call.text(arg))
        .collect::<Result<_, _>>()?;
    Ok(joined(call, &parts))
}

fn trim_iam_role_path(call: &Call<'_, '_>, args: &[Val]) -> Outcome {
    let [partition, service, region, account, resource] = parts(call, args)?;
    let steps = resource.split('/').ok_or(Stop::Open)?;
    let (Some(kind), Some(name)) = (steps.first(), steps.last()) else {
        return Err("the text is no ARN of a role".into());
    };
    if service.as_known().is_some_and(|service| service != "iam")
        || kind.as_known().is_some_and(|kind| kind != "role")
        || steps.len() < 2
    {
        return Err("the text is no ARN of a role".into());
    }
    let role = kind.clone().concat(&Text::known("/")).concat(name);
    Ok(joined(call, &[partition, service, region, account, role]))
}
