//! Planned values with the places of evaluated ones.
//!
//! Not for deciding which of both is right: a known planned value always is. Invariant: the result
//! has the plan's contents, and the evaluation's where the plan has a hole.

use crate::functions::decode_json;
use overgrant_source::Span;
use overgrant_value::{Answer, Data, Marks, Piece, Seq, Src, Text, Val};

/// The planned value `planned` with the places of `evaluated`.
pub(super) fn values(evaluated: Option<&Val>, planned: &Val) -> Val {
    let Some(evaluated) = evaluated else {
        return planned.clone();
    };
    if let Data::OneOf(alts) = evaluated.data() {
        let same = alts.iter().find(|alt| alt.val.same_data(planned));
        let like = same.or_else(|| alts.iter().find(|alt| is_like(&alt.val, planned)));
        return values(like.map(|alt| &alt.val), planned);
    }
    if planned.is_unknown() || planned.to_text().is_some_and(|text| is_hole(&text)) {
        return match evaluated.is_null() {
            true => planned.clone(),
            false => evaluated.clone(),
        };
    }
    let src = evaluated.src().clone();
    let marks = evaluated
        .marks()
        .without(Marks::MAYBE.with(Marks::FROM_DEFAULT));
    let val = match (evaluated.data(), planned.data()) {
        (_, Data::Str(text)) => match evaluated.to_text() {
            Some(written) => Val::text(texts(&written, text), src),
            None => placed(planned, evaluated),
        },
        (Data::Seq(written), Data::Seq(seq)) => {
            let items = seq
                .items
                .iter()
                .enumerate()
                .map(|(at, item)| values(counterpart(written, seq, at, item), item))
                .collect();
            let seq = Seq {
                items,
                ..seq.clone()
            };
            Val::new(Data::Seq(seq), src)
        }
        (Data::Seq(written), _) if written.items.len() == 1 => {
            return values(written.items.first(), planned);
        }
        (Data::Map(written), Data::Map(map)) => {
            let mut map = map.clone();
            for entry in &mut map.entries {
                let known = entry.key.as_known();
                let same = known.as_ref().and_then(|key| written.entry(key));
                if let Some(same) = same {
                    entry.key_src = same.key_src.clone();
                    entry.val = values(Some(&same.val), &entry.val);
                } else {
                    entry.val = placed(&entry.val, evaluated);
                }
            }
            Val::new(Data::Map(map), src)
        }
        (_, Data::Seq(seq)) => {
            let items = seq
                .items
                .iter()
                .map(|item| values(Some(evaluated), item))
                .collect();
            let seq = Seq {
                items,
                ..seq.clone()
            };
            Val::new(Data::Seq(seq), src)
        }
        _ => placed(planned, evaluated),
    };
    val.marked(marks)
}

/// Whether two values may be the same document or text.
fn is_like(a: &Val, b: &Val) -> bool {
    match (a.data(), b.data()) {
        (Data::Map(_), Data::Map(_)) | (Data::Seq(_), Data::Seq(_)) => true,
        (Data::Str(a), Data::Str(b)) => {
            decode_json(a).is_ok() && decode_json(b).is_ok() || a.equals(b) != Answer::No
        }
        _ => false,
    }
}

fn is_hole(text: &Text) -> bool {
    matches!(text.pieces(), [Piece::Hole(_)])
}

/// The evaluated item that a planned one comes from.
fn counterpart<'s>(written: &'s Seq, planned: &Seq, at: usize, item: &Val) -> Option<&'s Val> {
    if let Some(text) = item.to_text() {
        let same = written
            .items
            .iter()
            .find(|one| one.to_text().is_some_and(|one| one.same_text(&text)));
        if same.is_some() {
            return same;
        }
    }
    match written.items.as_slice() {
        [only] => Some(only),
        items if items.len() == planned.items.len() => items.get(at),
        items => items.iter().find(|one| is_like(one, item)),
    }
}

/// The planned value at the evaluated one's place.
fn placed(planned: &Val, evaluated: &Val) -> Val {
    match evaluated.span() {
        Some(span) => at(planned, span).with_src(evaluated.src().clone()),
        None => planned.clone(),
    }
}

/// The value with all its parts at one place.
pub(super) fn at(val: &Val, span: Span) -> Val {
    let data = match val.data() {
        Data::Str(text) => match text.as_known() {
            Some(known) => Data::Str(Text::derived(&known, span)),
            None => Data::Str(text.clone()),
        },
        Data::Seq(seq) => Data::Seq(Seq {
            items: seq.items.iter().map(|item| at(item, span)).collect(),
            ..seq.clone()
        }),
        Data::Map(map) => {
            let mut map = map.clone();
            for entry in &mut map.entries {
                entry.val = at(&entry.val, span);
            }
            Data::Map(map)
        }
        data => data.clone(),
    };
    Val::new(data, Src::at(span)).marked(val.marks())
}

/// A planned text with the places of the evaluated one: as a document where both are one, else run by
/// run.
fn texts(written: &Text, planned: &Text) -> Text {
    if let (Ok(theirs), Ok(ours)) = (decode_json(planned), decode_json(written))
        && theirs.as_map().is_some()
    {
        return Text::json(values(Some(&ours), &theirs));
    }
    if written.same_text(planned) {
        return written.clone();
    }
    aligned(written, planned).unwrap_or_else(|| match (planned.as_known(), written.span()) {
        (Some(known), Some(span)) => Text::derived(&known, span),
        _ => planned.clone(),
    })
}

/// The planned text with the literals of the written one, where they stand in it in order.
fn aligned(written: &Text, planned: &Text) -> Option<Text> {
    let known = planned.as_known()?;
    let mut out = Text::empty();
    let mut rest: &str = &known;
    let mut gap = true;
    for (position, piece) in written.pieces().iter().enumerate() {
        let Piece::Lit(lit) = piece else {
            gap = true;
            continue;
        };
        let at = rest.find(lit.as_str())?;
        if at > 0 && (!gap || position == 0) {
            return None;
        }
        let (before, after) = rest.split_at_checked(at)?;
        out.append(&match written.span() {
            Some(span) => Text::derived(before, span),
            None => Text::known(before),
        });
        out.push(piece.clone());
        rest = after.get(lit.as_str().len()..)?;
        gap = false;
    }
    if !rest.is_empty() {
        if !gap {
            return None;
        }
        out.append(&match written.span() {
            Some(span) => Text::derived(rest, span),
            None => Text::known(rest),
        });
    }
    Some(out)
}
