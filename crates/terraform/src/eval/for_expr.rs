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
                Elements::Open(rounds) => (rounds, true),
            };
            if rounds.len() > MAX_MEMBERS {
                return fail("this loop has too many rounds", span);
            }
            let mut items: Vec<Val> = Vec::new();
            let mut entries: Vec<Entry> = Vec::new();
            let mut maybe = false;
            for (mut key, mut item) in rounds {
                let mut this_maybe = open && item.marks().has(Marks::MAYBE);
                if open {
                    key = key.unmarked(Marks::MAYBE);
                    item = access::present(&item);
                }
                let round = self.round(scope, &inner.key_var, &inner.value_var, key, item);
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
                if this_maybe {
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
                match distinct_keys(entries) {
                    Some(entries) => Val::new(Data::Map(Map::object(entries)), Src::at(span)),
                    None => {
                        return fail(
                            "two items of this loop have the same key; add `...` to group them",
                            span,
                        );
                    }
                }
            };
            Ok(result.marked(if maybe {
                marks.with(Marks::MAYBE)
            } else {
                marks
            }))
        })
    }
}

/// Members in order, each key once. Of members with one key, those that may be missing stand for each
/// other; `None` where two are there for sure.
fn distinct_keys(entries: Vec<Entry>) -> Option<Vec<Entry>> {
    let count = entries.len();
    let sorted = types::sorted(entries.clone());
    if sorted.len() == count {
        return Some(sorted);
    }
    let mut groups: BTreeMap<String, Vec<Entry>> = BTreeMap::new();
    for entry in entries {
        groups.entry(entry.key.key()).or_default().push(entry);
    }
    let mut kept = Vec::with_capacity(groups.len());
    for group in groups.into_values() {
        let sure = group.iter().filter(|entry| !access::is_open(&entry.val));
        let vals: Vec<Val> = match sure.clone().count() {
            0 => group.iter().map(|entry| entry.val.clone()).collect(),
            // The others cannot be there as well.
            1 => sure.map(|entry| entry.val.clone()).collect(),
            _ => return None,
        };
        let first = group.into_iter().next()?;
        let key = Val::text(first.key.clone(), first.key_src.clone());
        let val = access::any_of(&first.val, &vals, &key);
        kept.push(Entry {
            val: match vals.len() {
                1 => val,
                _ => val.marked(Marks::MAYBE),
            },
            ..first
        });
    }
    Some(types::sorted(kept))
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
            let open = vals.iter().any(access::is_open);
            let val = Val::tuple(vals, entry.val.src().clone());
            Entry {
                val: if open { val.marked(Marks::MAYBE) } else { val },
                ..entry
            }
        })
        .collect();
    types::sorted(entries)
}
