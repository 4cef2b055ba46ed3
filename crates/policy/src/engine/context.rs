//! The condition keys: values for which the function holds.
//!
//! Not for single tests (see [`super::keys`]). Invariant: keys are taken to be independent, but for those
//! that come and go together.

use crate::engine::caller::Class;
use crate::engine::compile::KeyTest;
use crate::engine::keys::{self, Candidate};
use crate::engine::mask::Mask;
use crate::engine::side::View;
use crate::engine::solve::{Context, Search, Shown};
use std::collections::BTreeMap;

impl<'q> Search<'_, 'q> {
    /// Whether the condition keys can have values such that the function holds for the statements
    /// that match action, caller and resource.
    pub(super) fn settle(&mut self, mask: Mask, view: &View, caller: usize) -> Option<Context> {
        if !self.may_hold(mask, view) {
            return None;
        }
        if let Some(known) = self.memo.get(&(caller, view.rcp, view.trust, mask)) {
            return known.clone();
        }
        let result = self.keys(mask, view, caller);
        self.memo
            .insert((caller, view.rcp, view.trust, mask), result.clone());
        result
    }

    pub(super) fn keys(&mut self, mask: Mask, view: &View, caller: usize) -> Option<Context> {
        let query = self.query;
        let mut by_key: BTreeMap<&str, Vec<(usize, &KeyTest<'q>)>> = BTreeMap::new();
        for bit in mask.bits() {
            if let Some(member) = query.members.get(bit) {
                for test in &member.boxed.tests {
                    by_key.entry(&test.key).or_default().push((bit, test));
                }
            }
        }
        if by_key.is_empty() {
            return self.holds(mask, view).then(Context::new);
        }
        let signed = query.classes.get(caller).is_none_or(Class::is_signed);
        let mut dimensions: Vec<KeyDimension<'_>> = Vec::new();
        for (key, tests) in by_key {
            let only: Vec<&KeyTest<'_>> = tests.iter().map(|(_, test)| *test).collect();
            let found = keys::candidates(
                key,
                &only,
                query.source,
                signed,
                query.axioms,
                &mut self.budget,
            );
            if !found.complete {
                self.incomplete = true;
            }
            let tried = found.list.len() * tests.len();
            self.budget = self.budget.saturating_sub(tried);
            let mut choices: Vec<(Mask, Candidate)> = Vec::new();
            for candidate in found.list {
                let mut pass = mask;
                for (bit, test) in &tests {
                    let high = query.members.get(*bit).is_some_and(|member| member.high);
                    if !keys::holds(test, &candidate, high) {
                        let mut bad = Mask::default();
                        bad.set(*bit);
                        pass = pass.without(bad);
                    }
                }
                let kind = |candidate: &Candidate| *candidate == Candidate::Absent;
                let known = choices
                    .iter()
                    .any(|(other, own)| *other == pass && kind(own) == kind(&candidate));
                if !known {
                    choices.push((pass, candidate));
                }
            }
            dimensions.push(KeyDimension {
                key,
                tests: only,
                choices,
            });
        }
        let mut chosen = Vec::new();
        let most = self.budget.min(20_000);
        let mut steps = most;
        let hit = self.choose(&dimensions, mask, view, &mut chosen, &mut steps);
        self.budget -= most - steps;
        if steps == 0 && !hit {
            self.incomplete = true;
        }
        if !hit {
            return None;
        }
        let mut context = Context::new();
        for (dimension, choice) in dimensions.iter().zip(chosen) {
            if let Some((_, candidate)) = dimension.choices.get(choice) {
                let shown = Shown {
                    values: keys::show(candidate, &dimension.tests).unwrap_or_default(),
                    set: matches!(candidate, Candidate::Many(_)),
                };
                context.insert(dimension.key.to_owned(), shown);
            }
        }
        Some(context)
    }

    pub(super) fn choose(
        &self,
        dimensions: &[KeyDimension<'_>],
        mask: Mask,
        view: &View,
        chosen: &mut Vec<usize>,
        steps: &mut usize,
    ) -> bool {
        if *steps == 0 {
            return false;
        }
        *steps -= 1;
        if !self.may_hold(mask, view) {
            return false;
        }
        let Some(dimension) = dimensions.get(chosen.len()) else {
            return self.holds(mask, view);
        };
        for (index, (pass, candidate)) in dimension.choices.iter().enumerate() {
            let present = *candidate != Candidate::Absent;
            if self.query.axioms && !goes_with(dimension.key, present, dimensions, chosen) {
                continue;
            }
            chosen.push(index);
            if self.choose(dimensions, mask.and(*pass), view, chosen, steps) {
                return true;
            }
            chosen.pop();
        }
        false
    }
}

/// Whether presence of a key goes with the choices made: the keys of a VPC endpoint come together,
/// and then without a source address.
fn goes_with(key: &str, present: bool, dimensions: &[KeyDimension<'_>], chosen: &[usize]) -> bool {
    let through_endpoint = |key: &str, present: bool| match key {
        "aws:sourcevpc" | "aws:sourcevpce" | "aws:vpcsourceip" => Some(present),
        "aws:sourceip" if present => Some(false),
        _ => None,
    };
    let Some(wanted) = through_endpoint(key, present) else {
        return true;
    };
    dimensions.iter().zip(chosen).all(|(dimension, choice)| {
        let candidate = dimension
            .choices
            .get(*choice)
            .map(|(_, candidate)| candidate);
        let there = candidate.is_some_and(|candidate| *candidate != Candidate::Absent);
        through_endpoint(dimension.key, there).is_none_or(|known| known == wanted)
    })
}

pub(super) struct KeyDimension<'k> {
    key: &'k str,
    tests: Vec<&'k KeyTest<'k>>,
    choices: Vec<(Mask, Candidate)>,
}
