//! `Fn::FindInMap`.
//!
//! Not for what stands in the members, which are plain values. Invariant: a key that is open names
//! every member that it may, and a lookup is refused only where no value of its keys has a member.

use super::conditions::{function, subject_of};
use super::forms::{Refused, is_open};
use super::{Evaluator, Position};
use crate::syntax::Node;
use overgrant_source::Span;
use overgrant_value::{Guard, Piece, Relation, Src, Sym, Val};
use smol_str::SmolStr;
use std::sync::Arc;

impl Evaluator<'_> {
    /// `Fn::FindInMap`. A key that is a parameter without a given value names every member that it
    /// may, like the conditions do; where that is too much, the default's.
    pub(super) fn find_in_map(
        &self,
        items: &[Arc<Node>],
        span: Span,
        guard: &Guard,
        position: Position,
    ) -> Val {
        let parameters = items
            .iter()
            .skip(1)
            .take(2)
            .any(|key| self.is_parameter(key));
        if parameters && position == Position::Value {
            let val = self.looked_up(items, span, guard, (position, Position::Condition));
            if !val.is_unknown() {
                return val;
            }
        }
        self.looked_up(items, span, guard, (position, position))
    }

    /// Whether a node is a `Ref` of a parameter.
    fn is_parameter(&self, node: &Node) -> bool {
        let name = function(node);
        name.is_some_and(|(call, argument)| {
            let name = argument.scalar().map(|scalar| scalar.text.as_str());
            call == "Ref" && name.is_some_and(|name| self.parameters.get(name).is_some())
        })
    }

    /// [`Self::find_in_map`] with parameters as keys taken as the second position says.
    fn looked_up(
        &self,
        items: &[Arc<Node>],
        span: Span,
        guard: &Guard,
        (position, keys): (Position, Position),
    ) -> Val {
        let [map, first, second, rest @ ..] = items else {
            return self.open("an Fn::FindInMap without its three keys", span);
        };
        let default = rest.first().and_then(|node| node.get("DefaultValue"));
        // Where parameters are taken for their defaults, others may be given.
        let settled = || {
            [map, first, second].iter().all(|key| {
                self.is_settled(key) || (keys == Position::Condition && self.is_parameter(key))
            })
        };
        let keys: Vec<Val> = [map, first, second]
            .iter()
            .map(|node| {
                let position = if self.is_parameter(node) {
                    keys
                } else {
                    position
                };
                self.eval(node, guard, position)
            })
            .collect();
        self.combine_or_tell(&keys, span, settled, |keys| {
            let [map, first, second] = keys else {
                return Ok(self.open("an Fn::FindInMap without its three keys", span));
            };
            let missing = |refused: Refused| match default {
                Some(node) => Ok(self.eval(node, guard, position)),
                None => Err(refused),
            };
            let Some(name) = map.as_str() else {
                return Ok(self.open("a mapping with a computed name", span));
            };
            let all = self.sections.mappings.as_ref();
            let Some(map) = all.and_then(|all| all.get(&name)) else {
                let may_be_added = all.is_some_and(|all| is_open(all));
                return missing(Refused::mapping(&name, may_be_added));
            };
            let mut alternatives = Vec::new();
            let inners = self.choices(map, first, guard);
            for (first_guard, inner) in &inners {
                for (second_guard, node) in self.choices(inner, second, guard) {
                    if let Some(both) = first_guard.and(&second_guard) {
                        alternatives.push((both, self.plain(node, guard, position)));
                    }
                }
            }
            let Some((_, found)) = alternatives.first() else {
                return missing(match inners.as_slice() {
                    [] => Refused::key(&name, first, map),
                    [(_, inner)] => Refused::key(&name, second, inner),
                    _ => Refused::key(&name, second, map),
                });
            };
            let same = alternatives.iter().all(|(_, val)| val.same_data(found));
            let val = if same {
                found.clone()
            } else {
                Val::one_of(alternatives, "a mapping with many members", Src::at(span))
            };
            Ok(val.through(span, format!("mapping {name}")))
        })
    }

    /// The members of a mapping that `key` may name, each with its guard.
    fn choices<'n>(
        &self,
        map: &'n Arc<Node>,
        key: &Val,
        guard: &Guard,
    ) -> Vec<(Guard, &'n Arc<Node>)> {
        let Some(key) = key.to_text() else {
            return Vec::new();
        };
        self.spend(map.entries().len());
        let known = key.as_known().or_else(|| match key.pieces() {
            [Piece::Hole(hole)] => match &hole.sym {
                Sym::Region => self.environment.region.clone(),
                Sym::Account => self.environment.account.clone(),
                _ => None,
            },
            _ => None,
        });
        if let Some(known) = known {
            let member = map.get(&known);
            return member
                .map(|node| (Guard::always(), node))
                .into_iter()
                .collect();
        }
        let subject = match key.pieces() {
            [Piece::Hole(hole)] => subject_of(&hole.sym),
            _ => SmolStr::from(key.to_string()),
        };
        map.entries()
            .iter()
            .map(|entry| {
                let atom = Guard::atom(subject.clone(), Relation::Is(entry.key.clone()));
                (atom, &entry.value)
            })
            .filter(|(atom, _)| guard.and(atom).is_some_and(|both| self.possible(&both)))
            .collect()
    }
}
