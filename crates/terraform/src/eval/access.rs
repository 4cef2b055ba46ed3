//! Steps into values: attributes, indexes.
//!
//! Not for references to names, see `reference`. Rules of go-cty (`hcl.Index`, `hcl.GetAttr`).
//! Invariant: a step into an unknown value gives a symbol that names the step, so that two equal
//! references stay equal.

use super::ops;
use super::types::{convert, name, type_of};
use overgrant_value::{Data, Field, Marks, SeqKind, Src, Sym, Ty, Unknown, Val};
use smol_str::{SmolStr, format_smolstr};

/// Whether the members of a collection stand for any number of members.
pub(crate) fn is_open(val: &Val) -> bool {
    val.marks().has(Marks::MAYBE)
}

/// The value of `.name`.
///
/// # Errors
/// A value without such an attribute, in words.
pub(crate) fn attribute(val: &Val, wanted: &str) -> Result<Val, String> {
    match val.data() {
        Data::Map(map) => match map.get(wanted) {
            Some(found) => Ok(found.under(val)),
            None if is_open(val) && map.entries.len() == 1 => Ok(map
                .entries
                .first()
                .map_or_else(|| member_of(val, wanted), |entry| entry.val.under(val))),
            None if map.has_open_keys() || is_open(val) => Ok(member_of(val, wanted)),
            None => Err(format!("there is no attribute `{wanted}`")),
        },
        Data::Unknown(unknown) => Ok(below(unknown, wanted, val)),
        Data::Null(_) => Err(format!("null has no attribute `{wanted}`")),
        _ => Err(format!(
            "a {} has no attributes; `{wanted}` was asked for",
            name(&type_of(val))
        )),
    }
}

/// The value of `[key]`.
///
/// # Errors
/// A key that is not there or of the wrong type, in words.
pub(crate) fn index(val: &Val, key: &Val) -> Result<Val, String> {
    if key.is_null() {
        return Err("the index is null".into());
    }
    match val.data() {
        Data::Seq(seq) => {
            if seq.kind == SeqKind::Set {
                return Err("a set has no indexes".into());
            }
            let key = convert(key, &Ty::Number)?;
            let Data::Num(num) = key.data() else {
                return Ok(any_of(val, &seq.items, &key));
            };
            let at = num.to_i64().and_then(|n| usize::try_from(n).ok());
            if is_open(val) {
                // Members before the first that may be missing stand where they are.
                let sure = seq.items.iter().take_while(|item| !is_open(item)).count();
                return Ok(
                    match at.filter(|at| *at < sure).and_then(|at| seq.items.get(at)) {
                        Some(item) => item.under(&val.unmarked(Marks::MAYBE)),
                        None => any_of(val, seq.items.get(sure..).unwrap_or_default(), &key),
                    },
                );
            }
            match at.and_then(|at| seq.items.get(at)) {
                Some(item) => Ok(item.under(val)),
                None => Err(format!(
                    "the index {num} is outside of a sequence of {} elements",
                    seq.items.len()
                )),
            }
        }
        Data::Map(map) => {
            let key = convert(key, &Ty::String)?;
            match key.to_text().and_then(|text| super::text::known(&text)) {
                Some(key) => {
                    attribute(val, &key).map_err(|_| "the given key is not in the map".to_owned())
                }
                None => {
                    // A key with holes may still be the very key of a member.
                    if let Some(text) = key.to_text()
                        && let Some(entry) =
                            map.entries.iter().find(|entry| entry.key.same_text(&text))
                    {
                        return Ok(entry.val.under(val));
                    }
                    let items: Vec<Val> =
                        map.entries.iter().map(|entry| entry.val.clone()).collect();
                    Ok(any_of(val, &items, &key))
                }
            }
        }
        Data::Unknown(unknown) => Ok(match key.to_text().and_then(|t| super::text::known(&t)) {
            Some(key) => below(unknown, &key, val),
            None => ops::call(
                "[]",
                &[val, key],
                element_type(&unknown.ty),
                val.src().clone(),
            ),
        }),
        Data::Null(_) => Err("null has no members".into()),
        _ => Err(format!("a {} has no members", name(&type_of(val)))),
    }
}

/// One of several members, which one is not known.
pub(crate) fn any_of(val: &Val, items: &[Val], key: &Val) -> Val {
    let open = ops::call("[]", &[val, key], Ty::Dyn, val.src().clone());
    let Some(first) = items.first() else {
        return open;
    };
    if items.iter().all(|item| item.same_data(first)) {
        return first.under(val);
    }
    let subject = overgrant_value::json::to_string(key);
    let alternatives = items
        .iter()
        .enumerate()
        .map(|(at, item)| {
            let guard = overgrant_value::Guard::atom(
                format!("index {subject}"),
                overgrant_value::Relation::Is(format_smolstr!("member {at}")),
            );
            (guard, item.under(val))
        })
        .collect();
    Val::one_of(
        alternatives,
        "a member with an unknown key",
        val.src().clone(),
    )
}

fn member_of(val: &Val, wanted: &str) -> Val {
    ops::call(
        "[]",
        &[val, &Val::str(wanted, Src::none())],
        Ty::Dyn,
        val.src().clone(),
    )
}

fn element_type(ty: &Ty) -> Ty {
    match ty {
        Ty::List(elem) | Ty::Set(elem) | Ty::Map(elem) => (**elem).clone(),
        _ => Ty::Dyn,
    }
}

/// A member of an unknown value.
fn below(unknown: &Unknown, step: &str, val: &Val) -> Val {
    let ty = match &unknown.ty {
        Ty::Object(fields) => fields
            .iter()
            .find(|field: &&Field| field.name == step)
            .map(|field| field.ty.clone())
            .unwrap_or_default(),
        Ty::Tuple(types) => step
            .parse::<usize>()
            .ok()
            .and_then(|at| types.get(at).cloned())
            .unwrap_or_default(),
        other => element_type(other),
    };
    Val::unknown_of(step_of(&unknown.sym, step), ty, val.src().clone()).marked(val.marks())
}

/// The symbol one step below a symbol.
pub(crate) fn step_of(sym: &Sym, step: &str) -> Sym {
    let join = |path: &SmolStr| {
        if path.is_empty() {
            SmolStr::from(step)
        } else {
            format_smolstr!("{path}.{step}")
        }
    };
    match sym {
        Sym::Attr { root, addr, path } => Sym::Attr {
            root: root.clone(),
            addr: addr.clone(),
            path: join(path),
        },
        Sym::Data { root, addr, path } => Sym::Data {
            root: root.clone(),
            addr: addr.clone(),
            path: join(path),
        },
        Sym::Input { root, module, name } => Sym::Input {
            root: root.clone(),
            module: module.clone(),
            name: join(name),
        },
        Sym::Output { root, module, name } => Sym::Output {
            root: root.clone(),
            module: module.clone(),
            name: join(name),
        },
        Sym::Each { root, addr, what } => Sym::Each {
            root: root.clone(),
            addr: addr.clone(),
            what: join(what),
        },
        other => other.member(step),
    }
}

/// The elements of a value that a loop goes through, in Terraform's order: (key, value).
pub(crate) enum Elements {
    /// All of them.
    All(Vec<(Val, Val)>),
    /// Each that is marked `MAYBE` stands for any number, none included.
    Open(Vec<(Val, Val)>),
}

/// A member of an open collection, taken to be there. A list of which members may be missing stays
/// open.
pub(crate) fn present(item: &Val) -> Val {
    match item.data() {
        Data::Seq(seq) if seq.items.iter().any(is_open) => item.clone(),
        _ => item.unmarked(Marks::MAYBE),
    }
}

/// What a loop over `val` goes through.
///
/// # Errors
/// A value that is no collection, in words.
pub(crate) fn elements(val: &Val) -> Result<Elements, String> {
    let open = is_open(val);
    // What may be missing is told by the kind of elements.
    let sure = val.unmarked(Marks::MAYBE);
    let own = if open { &sure } else { val };
    let found: Vec<(Val, Val)> = match val.data() {
        Data::Seq(seq) => seq
            .items
            .iter()
            .enumerate()
            .map(|(at, item)| {
                let item = item.under(own);
                if seq.kind == SeqKind::Set {
                    return (item.clone(), item);
                }
                let at = Val::int(i64::try_from(at).unwrap_or(i64::MAX), item.src().clone());
                let key = if open {
                    ops::call("index", &[val, &at], Ty::Number, item.src().clone())
                } else {
                    at
                };
                (key, item)
            })
            .collect(),
        Data::Map(map) => map
            .entries
            .iter()
            .map(|entry| {
                (
                    Val::text(entry.key.under(val.src()), entry.key_src.clone()),
                    entry.val.under(own),
                )
            })
            .collect(),
        Data::Unknown(unknown) => {
            let key_ty = match unknown.ty {
                Ty::List(_) | Ty::Tuple(_) => Ty::Number,
                Ty::Map(_) | Ty::Object(_) => Ty::String,
                _ => Ty::Dyn,
            };
            let member = |what: &str, ty: Ty| {
                Val::unknown_of(step_of(&unknown.sym, what), ty, val.src().clone())
                    .marked(val.marks().with(Marks::MAYBE))
            };
            let elem = element_type(&unknown.ty);
            let pair = if let Ty::Set(_) = unknown.ty {
                let item = member("[each]", elem);
                (item.clone(), item)
            } else {
                (member("[key]", key_ty), member("[each]", elem))
            };
            return Ok(Elements::Open(vec![pair]));
        }
        Data::Null(_) => return Err("null cannot be gone through".into()),
        _ => return Err(format!("a {} cannot be gone through", name(&type_of(val)))),
    };
    Ok(if open {
        Elements::Open(found)
    } else {
        Elements::All(found)
    })
}
