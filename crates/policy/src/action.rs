//! The `Action` and `NotAction` elements.
//!
//! Not for what an action does: that is the catalog's. Invariant: matching ignores letter case, as
//! AWS documents for actions.

use crate::statement::{Listed, joined_key, show};
use crate::{ActionSet, Pattern};
use overgrant_catalog::{Action, catalog};
use overgrant_value::Answer;
use rustc_hash::FxHasher;
use std::collections::BTreeMap;
use std::fmt;
use std::hash::{Hash, Hasher as _};
use std::sync::{Arc, Mutex, OnceLock, PoisonError, Weak};

/// One action pattern, such as `s3:Get*`.
#[derive(Debug, Clone)]
pub struct ActionPattern(pub(crate) Pattern);

impl ActionPattern {
    /// The pattern (its text stays private; it prints).
    #[must_use]
    pub fn pattern(&self) -> &Pattern {
        &self.0
    }

    /// Whether it matches the action `service:Name`, letter case aside.
    #[must_use]
    pub fn matches(&self, action: &str) -> Answer {
        self.0.matches(&action.to_ascii_lowercase())
    }

    /// The service prefix, lower case, where it is known and has no wildcard.
    #[must_use]
    pub fn service(&self) -> Option<String> {
        let head = self.0.text().leading();
        let (service, _) = head.split_once(':')?;
        (!service.contains(['*', '?'])).then(|| service.to_ascii_lowercase())
    }

    /// The catalog's action of exactly this name, letter case aside; `None` for patterns.
    #[must_use]
    pub fn action(&self) -> Option<Action<'static>> {
        catalog().find_action(&self.spelling()?)
    }

    /// The lower-case spelling, where all of it is known.
    pub(crate) fn spelling(&self) -> Option<String> {
        self.0
            .text()
            .known_str()
            .map(|text| text.to_ascii_lowercase())
    }
}

impl fmt::Display for ActionPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// `Action` or `NotAction`.
#[derive(Debug, Clone)]
pub struct Actions(pub(crate) Listed<ActionPattern>, pub(crate) Selected);

/// The catalog's actions that an element selects, surely and perhaps, worked out on first use.
///
/// INVARIANT: whoever changes the list beside it puts a new one in its place.
#[derive(Debug, Clone, Default)]
pub(crate) struct Selected(OnceLock<Arc<Selection>>);

/// The second set is only there where it differs: most elements have no open part.
#[derive(Debug, PartialEq, Eq, Hash)]
struct Selection(ActionSet, Option<ActionSet>);

/// The selections that are in use, by hash: most elements of a run list what another one lists too.
static IN_USE: Mutex<BTreeMap<u64, Vec<Weak<Selection>>>> = Mutex::new(BTreeMap::new());

impl Selection {
    /// The one copy of this selection.
    fn shared(self) -> Arc<Self> {
        let mut hasher = FxHasher::default();
        self.hash(&mut hasher);
        let mut known = IN_USE.lock().unwrap_or_else(PoisonError::into_inner);
        let alike = known.entry(hasher.finish()).or_default();
        alike.retain(|one| one.strong_count() > 0);
        if let Some(same) = alike
            .iter()
            .filter_map(Weak::upgrade)
            .find(|one| **one == self)
        {
            return same;
        }
        let own = Arc::new(self);
        alike.push(Arc::downgrade(&own));
        own
    }
}

impl Selected {
    /// (surely, perhaps); `make` works them out, the second only where it differs.
    pub(crate) fn get(
        &self,
        make: impl FnOnce() -> (ActionSet, Option<ActionSet>),
    ) -> (&ActionSet, &ActionSet) {
        let selection = self.0.get_or_init(|| {
            let (surely, perhaps) = make();
            Selection(surely, perhaps).shared()
        });
        (&selection.0, selection.1.as_ref().unwrap_or(&selection.0))
    }
}

impl Actions {
    /// An element with this list.
    pub(crate) fn new(list: Listed<ActionPattern>) -> Self {
        Self(list, Selected::default())
    }

    /// The list behind it.
    #[must_use]
    pub fn listed(&self) -> &Listed<ActionPattern> {
        &self.0
    }

    /// Whether the element selects the action `service:Name`.
    #[must_use]
    pub fn select(&self, action: &str) -> Answer {
        if !self.0.present {
            return Answer::No;
        }
        if let Some(id) = catalog().action_id(action) {
            let (must, may) = self.selected();
            if must.contains(id) {
                return Answer::Must;
            }
            if !may.contains(id) {
                return Answer::No;
            }
        }
        let action = action.to_ascii_lowercase();
        let mut hit = Answer::No;
        for item in &self.0.items {
            let one = item.0.matches(&action);
            let one = if item.0.guard().is_always() {
                one
            } else {
                one.at_most_may()
            };
            hit = hit.or(one);
        }
        if self.0.open {
            hit = hit.or(Answer::May);
        }
        if self.0.negated { hit.negate() } else { hit }
    }

    /// The first pattern that surely or perhaps matches the action; `None` for `NotAction`.
    #[must_use]
    pub fn pattern_for(&self, action: &str) -> Option<&ActionPattern> {
        if self.0.negated {
            return None;
        }
        let hits = |wanted: Answer| {
            self.0
                .items
                .iter()
                .find(move |item| item.matches(action) == wanted)
        };
        hits(Answer::Must).or_else(|| hits(Answer::May))
    }

    pub(crate) fn key(&self) -> String {
        let keys = self
            .0
            .items
            .iter()
            .map(|item| item.0.key().to_ascii_lowercase());
        joined_key(self.0.negated, self.0.present, keys.collect())
    }
}

impl fmt::Display for Actions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        show(f, self.0.negated, &self.0.items, self.0.open)
    }
}
