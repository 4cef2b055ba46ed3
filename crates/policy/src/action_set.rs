//! Sets of the catalog's actions, and what action elements cover.
//!
//! Not for actions that the catalog does not know: those are matched by pattern alone.
//! Invariant: a set holds ids of the catalog in force, and `must ⊆ may` for every element.

use crate::action::{ActionPattern, Actions};
use crate::glob::Token;
use fixedbitset::FixedBitSet;
use overgrant_catalog::{Action, ActionId, catalog};
use overgrant_value::Answer;
use std::fmt;

/// A set of actions of the catalog.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct ActionSet(FixedBitSet);

impl ActionSet {
    /// No action.
    #[must_use]
    pub fn empty() -> Self {
        Self(FixedBitSet::with_capacity(catalog().action_count()))
    }

    /// Every action of the catalog.
    #[must_use]
    pub fn all() -> Self {
        let mut set = Self::empty();
        set.0.insert_range(..);
        set
    }

    /// The actions that a pattern without open parts covers (`s3:Get*`, letter case aside).
    #[must_use]
    pub fn matching(pattern: &str) -> Self {
        let mut set = Self::empty();
        set.add(pattern);
        set
    }

    fn add(&mut self, pattern: &str) {
        for range in catalog().action_ranges(pattern) {
            self.0
                .insert_range(range.start as usize..range.end as usize);
        }
    }

    /// Adds one action; an id that the catalog does not have is ignored.
    pub fn insert(&mut self, action: ActionId) {
        if (action.0 as usize) < self.0.len() {
            self.0.insert(action.0 as usize);
        }
    }

    /// Whether the action is in the set.
    #[must_use]
    pub fn contains(&self, action: ActionId) -> bool {
        self.0.contains(action.0 as usize)
    }

    /// Number of actions.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.count_ones(..)
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_clear()
    }

    /// Whether every action of the catalog is in it.
    #[must_use]
    pub fn is_all(&self) -> bool {
        self.0.is_full()
    }

    /// Whether all of `other` is in this set.
    #[must_use]
    pub fn is_superset(&self, other: &Self) -> bool {
        other.0.is_subset(&self.0)
    }

    /// Whether the two have an action in common.
    #[must_use]
    pub fn intersects(&self, other: &Self) -> bool {
        !self.0.is_disjoint(&other.0)
    }

    /// Adds all of `other`.
    pub fn add_all(&mut self, other: &Self) {
        self.0.union_with(&other.0);
    }

    /// Actions in either.
    #[must_use]
    pub fn union(mut self, other: &Self) -> Self {
        self.0.union_with(&other.0);
        self
    }

    /// Actions in both.
    #[must_use]
    pub fn intersection(mut self, other: &Self) -> Self {
        self.0.intersect_with(&other.0);
        self
    }

    /// Actions of this set that are not in `other`.
    #[must_use]
    pub fn difference(mut self, other: &Self) -> Self {
        self.0.difference_with(&other.0);
        self
    }

    /// Every other action of the catalog.
    #[must_use]
    pub fn complement(mut self) -> Self {
        self.0.toggle_range(..);
        self
    }

    /// The bits in machine words, lowest id first.
    pub(crate) fn words(&self) -> &[usize] {
        self.0.as_slice()
    }

    /// The ids, ascending.
    pub fn iter(&self) -> impl Iterator<Item = ActionId> + '_ {
        self.0
            .ones()
            .filter_map(|id| u32::try_from(id).ok().map(ActionId))
    }

    /// The actions, in the catalog's order (service, then name).
    pub fn actions(&self) -> impl Iterator<Item = Action<'static>> + '_ {
        self.iter().filter_map(|id| catalog().action(id))
    }
}

impl Default for ActionSet {
    fn default() -> Self {
        Self::empty()
    }
}

impl FromIterator<ActionId> for ActionSet {
    fn from_iter<I: IntoIterator<Item = ActionId>>(ids: I) -> Self {
        let mut set = Self::empty();
        for id in ids {
            set.insert(id);
        }
        set
    }
}

impl fmt::Debug for ActionSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ActionSet({} actions)", self.len())
    }
}

impl ActionPattern {
    /// The catalog's actions that it matches for every value of its open parts.
    #[must_use]
    pub fn set(&self) -> ActionSet {
        self.spelling()
            .map_or_else(ActionSet::empty, |pattern| ActionSet::matching(&pattern))
    }

    /// The catalog's actions that it matches for some value of its open parts.
    #[must_use]
    pub fn may_set(&self) -> ActionSet {
        let (wide, bound) = self.widened();
        let set = ActionSet::matching(&wide);
        if !bound {
            return set;
        }
        // The widened pattern is filtered by what the open parts cannot be.
        set.actions()
            .filter(|action| self.matches(&action.to_string()).possible())
            .map(Action::id)
            .collect()
    }

    /// The pattern with `*` for its open parts, and whether one of them cannot be everything.
    fn widened(&self) -> (String, bool) {
        let mut bound = false;
        let letter = |token: &Token| match token {
            Token::Char(c) => *c,
            Token::One => '?',
            Token::Run => '*',
            Token::Open(open) => {
                bound |= !open.is_free();
                '*'
            }
        };
        (self.0.tokens().iter().map(letter).collect(), bound)
    }

    /// Whether it covers every action, known or future: `*`, `*:*`, `**`, `*?:*`.
    #[must_use]
    pub fn covers_all(&self) -> Answer {
        let Some(text) = self.0.text().known_str() else {
            let (wide, bound) = self.widened();
            let all = ActionSet::matching(&wide).is_all() && (!bound || self.may_set().is_all());
            return Answer::from_bool(all).at_most_may();
        };
        if !text.starts_with(['*', '?']) {
            return Answer::No;
        }
        let free = |part: &str| part.contains('*') && part.chars().all(|c| c == '*' || c == '?');
        // No service prefix or action name is shorter than two characters.
        let short = |part: &str| part.chars().filter(|c| *c == '?').count() < 3;
        let all = match text.split_once(':') {
            Some((service, name)) => free(service) && free(name) && short(service) && short(name),
            None => free(&text) && short(&text),
        };
        Answer::from_bool(all)
    }
}

impl Actions {
    /// The catalog's actions that the element selects for every value of its open parts.
    #[must_use]
    pub fn must(&self) -> ActionSet {
        self.selected().0.clone()
    }

    /// The catalog's actions that the element selects for some value of its open parts.
    #[must_use]
    pub fn may(&self) -> ActionSet {
        self.selected().1.clone()
    }

    /// What [`Self::must`] and [`Self::may`] give, worked out once.
    pub fn selected(&self) -> (&ActionSet, &ActionSet) {
        self.1.get(|| {
            let surely = self.surely();
            (surely, (!self.is_exact()).then(|| self.perhaps()))
        })
    }

    /// Whether nothing in the element is open, so that it selects the same in every reading.
    pub(crate) fn is_exact(&self) -> bool {
        let closed = |item: &ActionPattern| item.0.guard().is_always() && item.pattern().is_known();
        !self.0.open && self.0.items.iter().all(closed)
    }

    fn surely(&self) -> ActionSet {
        if !self.0.present {
            return ActionSet::empty();
        }
        if self.0.negated {
            return if self.0.open {
                ActionSet::empty()
            } else {
                self.upper().complement()
            };
        }
        self.lower()
    }

    fn perhaps(&self) -> ActionSet {
        if !self.0.present {
            return ActionSet::empty();
        }
        if self.0.negated {
            return self.lower().complement();
        }
        if self.0.open {
            return ActionSet::all();
        }
        self.upper()
    }

    fn lower(&self) -> ActionSet {
        let mut set = ActionSet::empty();
        for item in &self.0.items {
            if item.0.guard().is_always()
                && let Some(pattern) = item.spelling()
            {
                set.add(&pattern);
            }
        }
        set
    }

    fn upper(&self) -> ActionSet {
        self.0
            .items
            .iter()
            .fold(ActionSet::empty(), |set, item| match item.spelling() {
                Some(pattern) => {
                    let mut set = set;
                    set.add(&pattern);
                    set
                }
                None => set.union(&item.may_set()),
            })
    }

    /// Whether the element selects every action: `*`, `*:*`, `NotAction` of nothing, or a list
    /// that together covers the whole catalog.
    #[must_use]
    pub fn covers_all(&self) -> Answer {
        if !self.0.present {
            return Answer::No;
        }
        let plain = !self.0.negated
            && self
                .0
                .items
                .iter()
                .any(|item| item.0.guard().is_always() && item.covers_all() == Answer::Must);
        if plain || self.selected().0.is_all() {
            Answer::Must
        } else if self.selected().1.is_all() {
            Answer::May
        } else {
            Answer::No
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Document, Statement};
    use overgrant_value::{Src, Sym, Text, Val};

    fn statement(actions: &str) -> Statement {
        let text =
            format!(r#"{{"Statement": [{{"Effect": "Allow", {actions}, "Resource": "*"}}]}}"#);
        let document = Document::from_val(&Val::text(Text::known(&text), Src::none()));
        document.statements[0].clone()
    }

    #[test]
    fn everything_has_many_spellings() {
        for all in [
            r#""Action": "*""#,
            r#""Action": "*:*""#,
            r#""Action": ["s3:Get*", "**"]"#,
            r#""NotAction": []"#,
            r#""NotAction": ["nosuchservice:Nothing"]"#,
            r#""Action": ["*a*", "*e*", "*i*", "*o*", "*u*", "*y*", "*:*"]"#,
        ] {
            assert_eq!(statement(all).actions.covers_all(), Answer::Must, "{all}");
        }
        for less in [
            r#""Action": "i?m:*""#,
            r#""NotAction": "iam:*""#,
            r#""Action": []"#,
            r#""Action": "*:Get*""#,
        ] {
            assert_eq!(statement(less).actions.covers_all(), Answer::No, "{less}");
        }
    }

    #[test]
    fn sets_follow_the_algebra() {
        let iam = ActionSet::matching("i?m:*");
        assert_eq!(iam, ActionSet::matching("IAM:*"));
        let not = statement(r#""NotAction": "iam:*""#).actions;
        assert_eq!(not.must(), iam.clone().complement());
        assert_eq!(not.must().union(&iam), ActionSet::all());
        assert!(!not.must().intersects(&iam));
        let pass = catalog().action_id("iam:PassRole").unwrap();
        assert!(iam.contains(pass) && !not.may().contains(pass));
        assert_eq!(
            ActionSet::matching("iam:passrole")
                .iter()
                .collect::<Vec<_>>(),
            [pass]
        );
    }

    #[test]
    fn holes_widen_the_upper_bound_only() {
        let text = Text::known("s3:")
            .concat(&Text::hole(
                Sym::Input {
                    root: "r".into(),
                    module: "".into(),
                    name: "verb".into(),
                },
                Src::none(),
            ))
            .concat(&Text::known("Object"));
        let val = Val::object(
            vec![(
                "Statement",
                Val::object(
                    vec![
                        ("Effect", Val::str("Allow", Src::none())),
                        ("Action", Val::text(text, Src::none())),
                    ],
                    Src::none(),
                ),
            )],
            Src::none(),
        );
        let document = Document::from_val(&val);
        let actions = &document.statements[0].actions;
        assert!(actions.must().is_empty());
        assert_eq!(actions.may(), ActionSet::matching("s3:*Object"));
    }
}
