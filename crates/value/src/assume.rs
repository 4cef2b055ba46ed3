//! What is left of a value once a guard is known to hold.
//!
//! A resource that exists only when `var.on` never meets the values that hold when `var.on` is
//! false. Not a solver: it drops what [`Guard::and`] sees as a contradiction. Invariant: nothing is
//! added, and a value without affected alternatives is left as it is.

use crate::{Alt, Data, Entry, Guard, Map, Piece, Seq, Text, Val};

impl Val {
    /// The value where `guard` holds: alternatives that contradict it are dropped, at every depth,
    /// and the others lose the atoms it implies. `None` where that changes nothing.
    #[must_use]
    pub fn assuming(&self, guard: &Guard) -> Option<Self> {
        if !self.size().choices {
            return None;
        }
        let src = self.src().clone();
        let data = match self.data() {
            Data::OneOf(alts) => return one_of(self, alts, guard),
            Data::Seq(seq) => Data::Seq(Seq {
                kind: seq.kind,
                elem: seq.elem.clone(),
                items: each(&seq.items, |item| item.assuming(guard))?,
            }),
            Data::Map(map) => Data::Map(Map {
                kind: map.kind,
                elem: map.elem.clone(),
                entries: each(&map.entries, |entry| {
                    Some(Entry {
                        val: entry.val.assuming(guard)?,
                        ..entry.clone()
                    })
                })?,
            }),
            Data::Str(text) => Data::Str(documents(text, guard)?),
            _ => return None,
        };
        Some(Self::new(data, src).marked(self.marks()))
    }
}

fn one_of(whole: &Val, alts: &[Alt], guard: &Guard) -> Option<Val> {
    if guard.is_always() && alts.iter().all(|alt| alt.guard.is_always()) {
        return None;
    }
    let mut changed = false;
    let mut kept = Vec::with_capacity(alts.len());
    for alt in alts {
        let Some(both) = guard.and(&alt.guard) else {
            changed = true;
            continue;
        };
        let rest = alt.guard.without(guard);
        let val = alt.val.assuming(&both);
        changed |= val.is_some() || rest != alt.guard;
        kept.push((rest, val.unwrap_or_else(|| alt.val.clone()).under(whole)));
    }
    // Where nothing is left the guards were finer than what is told here.
    (changed && !kept.is_empty()).then(|| Val::one_of(kept, "a value", whole.src().clone()))
}

/// The JSON documents of a text.
fn documents(text: &Text, guard: &Guard) -> Option<Text> {
    let pieces = each(text.pieces(), |piece| match piece {
        Piece::Json(val) => val.assuming(guard).map(Piece::Json),
        _ => None,
    })?;
    let mut text = Text::empty();
    for piece in pieces {
        text.push(piece);
    }
    Some(text)
}

/// All members, changed or not; `None` where none changes.
fn each<T: Clone>(members: &[T], change: impl Fn(&T) -> Option<T>) -> Option<Vec<T>> {
    let mut all: Option<Vec<T>> = None;
    for (index, member) in members.iter().enumerate() {
        match (change(member), &mut all) {
            (Some(member), Some(all)) => all.push(member),
            (Some(member), None) => {
                let mut before: Vec<T> = members.iter().take(index).cloned().collect();
                before.push(member);
                all = Some(before);
            }
            (None, Some(all)) => all.push(member.clone()),
            (None, None) => {}
        }
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Relation, Src};

    fn text(text: &str) -> Val {
        Val::str(text, Src::none())
    }

    fn on(relation: Relation) -> Guard {
        Guard::atom("var.on", relation)
    }

    fn choice(yes: Val, no: Val) -> Val {
        let alternatives = vec![(on(Relation::Holds), yes), (on(Relation::Fails), no)];
        Val::one_of(alternatives, "choice", Src::none())
    }

    #[test]
    fn the_other_branch_is_dropped_at_every_depth() {
        let inner = Val::tuple(vec![text("x"), choice(text("a"), text("b"))], Src::none());
        let document = Val::text(
            Text::json(Val::object(vec![("Action", inner)], Src::none())),
            Src::none(),
        );
        let left = document.assuming(&on(Relation::Holds)).unwrap();
        let Data::Str(left) = left.data() else {
            panic!("a text")
        };
        let action = left.as_json().unwrap().get("Action").unwrap();
        assert_eq!(
            action
                .as_items()
                .unwrap()
                .iter()
                .map(Val::as_str)
                .collect::<Vec<_>>(),
            [Some("x".into()), Some("a".into())]
        );
    }

    #[test]
    fn nested_choices_know_the_outer_one() {
        let other = Guard::atom("var.b", Relation::Holds);
        let nested = Val::one_of(
            vec![
                (
                    other.clone(),
                    Val::tuple(vec![choice(text("a"), text("b"))], Src::none()),
                ),
                (Guard::atom("var.b", Relation::Fails), text("c")),
            ],
            "choice",
            Src::none(),
        );
        let left = nested.assuming(&on(Relation::Fails)).unwrap();
        let alternatives = left.alternatives();
        assert_eq!(alternatives.len(), 2);
        let (guard, first) = &alternatives[0];
        assert_eq!(*guard, other);
        assert_eq!(first.as_items().unwrap()[0].as_str(), Some("b".into()));
    }

    #[test]
    fn what_the_guard_does_not_touch_is_left() {
        let plain = Val::tuple(vec![text("a")], Src::none());
        assert!(plain.assuming(&on(Relation::Holds)).is_none());
        let other = Guard::atom("var.b", Relation::Holds);
        assert!(choice(text("a"), text("b")).assuming(&other).is_none());
    }
}
