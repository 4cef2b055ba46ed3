//! The condition keys: values for which the function holds.
//!
//! Not for single tests (see [`super::keys`]). Invariant: keys are taken to be independent, but for those
//! that come and go together: by what AWS sends, or because one has the value of another.

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
            let mut choices: Vec<Choice> = Vec::new();
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
                let choice = Choice {
                    pass,
                    present: candidate != Candidate::Absent,
                    needs: keys::variables(&candidate, &only),
                    candidate,
                };
                if !choices.iter().any(|known| known.is_as_good_as(&choice)) {
                    choices.push(choice);
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
            if let Some(Choice { candidate, .. }) = dimension.choices.get(choice) {
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
        for (index, choice) in dimension.choices.iter().enumerate() {
            let made = || made(dimensions, chosen);
            if self.query.axioms && !goes_with(dimension.key, choice.present, made())
                || !is_filled(dimension.key, choice, made())
            {
                continue;
            }
            chosen.push(index);
            if self.choose(dimensions, mask.and(choice.pass), view, chosen, steps) {
                return true;
            }
            chosen.pop();
        }
        false
    }
}

/// The choices made so far, with their keys.
fn made<'c, 'k>(
    dimensions: &'c [KeyDimension<'k>],
    chosen: &'c [usize],
) -> impl Iterator<Item = (&'k str, &'c Choice)> {
    dimensions
        .iter()
        .zip(chosen)
        .filter_map(|(dimension, choice)| Some((dimension.key, dimension.choices.get(*choice)?)))
}

/// Whether presence of a key goes with the choices made: the keys of a VPC endpoint come together,
/// and then without a source address.
fn goes_with<'c, 'k: 'c>(
    key: &str,
    present: bool,
    mut made: impl Iterator<Item = (&'k str, &'c Choice)>,
) -> bool {
    let through_endpoint = |key: &str, present: bool| match key {
        "aws:sourcevpc" | "aws:sourcevpce" | "aws:vpcsourceip" => Some(present),
        "aws:sourceip" if present => Some(false),
        _ => None,
    };
    let Some(wanted) = through_endpoint(key, present) else {
        return true;
    };
    made.all(|(other, choice)| {
        through_endpoint(other, choice.present).is_none_or(|known| known == wanted)
    })
}

/// Whether no absent key is the variable that gives a present one its value.
fn is_filled<'c, 'k: 'c>(
    key: &str,
    choice: &Choice,
    mut made: impl Iterator<Item = (&'k str, &'c Choice)>,
) -> bool {
    made.all(|(other, known)| {
        (choice.present || !known.needs.iter().any(|need| need == key))
            && (known.present || !choice.needs.iter().any(|need| need == other))
    })
}

pub(super) struct KeyDimension<'k> {
    key: &'k str,
    tests: Vec<&'k KeyTest<'k>>,
    choices: Vec<Choice>,
}

/// A value that a key may have.
struct Choice {
    /// The statements that it passes.
    pass: Mask,
    candidate: Candidate,
    present: bool,
    /// The keys whose values it contains, lower case.
    needs: Vec<String>,
}

impl Choice {
    /// Whether the other adds nothing: equal for the statements, and this needs no key more.
    fn is_as_good_as(&self, other: &Self) -> bool {
        self.pass == other.pass
            && self.present == other.present
            && self.needs.iter().all(|need| other.needs.contains(need))
    }
}
