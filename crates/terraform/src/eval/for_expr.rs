//! `for` expressions.
//!
//! Invariant: members come in Terraform's order, and one whose condition is not known is marked as
//! possible.

use super::access::{self, Elements};
use super::conditional::condition;
use super::expr::{Eval, at, fail, inherited};
use super::instance::Evaluator;
use super::limits::MAX_MEMBERS;
use super::scope::Scope;
use super::types;
use crate::syntax::tree::For;
use overgrant_source::Span;
use overgrant_value::{Data, Entry, Map, Marks, Src, Val};
use smol_str::SmolStr;
use std::collections::BTreeMap;

impl Evaluator<'_> {
    pub(crate) fn round(
        &self,
        scope: &Scope,
        key_var: &Option<SmolStr>,
        value_var: &SmolStr,
        key: Val,
        item: Val,
    ) -> Scope {
        let scope = match key_var {
            Some(name) => scope.bind(name, key),
            None => scope.clone(),
        };
        scope.bind(value_var, item)
    }

    pub(crate) fn for_expr(&self, scope: &Scope, inner: &For, span: Span) -> Eval {
        let collection = self.expr(scope, &inner.collection)?;
        self.spread(&[collection], |vals| {
            let [collection] = vals else {
                return fail("a loop without a collection", inner.collection.span);
            };
            let collection = &self.materialise(collection);
            let marks = inherited([collection]);
            let (rounds, open) = match at(access::elements(collection), inner.collection.span)? {
                Elements::All(rounds) => (rounds, false),
                Elements::Open(key, item) => (vec![(key, item.unmarked(Marks::MAYBE))], true),
            };
            if rounds.len() > MAX_MEMBERS {
                return fail("this loop has too many rounds", span);
            }
            let mut items: Vec<Val> = Vec::new();
            let mut entries: Vec<Entry> = Vec::new();
            let mut maybe = open;
            for (key, item) in rounds {
                let round = self.round(scope, &inner.key_var, &inner.value_var, key, item);
                let mut this_maybe = false;
                if let Some(cond) = &inner.cond {
                    let val = self.expr(&round, cond)?;
                    match at(condition(&val), cond.span)? {
                        Some(true) => {}
                        Some(false) => continue,
                        None => this_maybe = true,
                    }
                }
                maybe |= this_maybe;
                let mut val = self.expr(&round, &inner.value)?;
                if this_maybe || open {
                    val = val.marked(Marks::MAYBE);
                }
                match &inner.key {
                    None => items.push(val),
                    Some(key_expr) => {
                        let key_val = self.expr(&round, key_expr)?;
                        if key_val.is_null() {
                            return fail("the key of an object is null", key_expr.span);
                        }
                        let key = self.key_text(&key_val, key_expr.span)?;
                        entries.push(Entry {
                            key,
                            key_src: key_val.src().clone(),
                            val,
                        });
                    }
                }
            }
            let result = if inner.key.is_none() {
                Val::tuple(items, Src::at(span))
            } else if inner.group {
                Val::new(Data::Map(Map::object(grouped(entries))), Src::at(span))
            } else {
                let count = entries.len();
                let sorted = types::sorted(entries);
                if sorted.len() != count {
                    return fail(
                        "two items of this loop have the same key; add `...` to group them",
                        span,
                    );
                }
                Val::new(Data::Map(Map::object(sorted)), Src::at(span))
            };
            Ok(result.marked(if maybe {
                marks.with(Marks::MAYBE)
            } else {
                marks
            }))
        })
    }
}

/// Members of equal keys as one member with all values.
fn grouped(entries: Vec<Entry>) -> Vec<Entry> {
    let mut groups: BTreeMap<String, (Entry, Vec<Val>)> = BTreeMap::new();
    for entry in entries {
        let val = entry.val.clone();
        groups
            .entry(entry.key.key())
            .or_insert_with(|| (entry, Vec::new()))
            .1
            .push(val);
    }
    let entries = groups
        .into_values()
        .map(|(entry, vals)| {
            let src = entry.val.src().clone();
            Entry {
                val: Val::tuple(vals, src),
                ..entry
            }
        })
        .collect();
    types::sorted(entries)
}
