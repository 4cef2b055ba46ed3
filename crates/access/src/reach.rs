//! The actions that a document touches, worked out once: large policies are attached again and
//! again, and most questions do not concern them.
//!
//! Not for decisions. Invariant: the sets are of one document, which never changes.

use overgrant_catalog::ActionId;
use overgrant_policy::{ActionSet, Answer, Document, Effect};
use std::sync::OnceLock;

/// Patterns from which on a document's sets are kept.
const LARGE: usize = 24;

/// The sets of one document, filled when first asked for.
#[derive(Debug, Default)]
pub(crate) struct Reach(OnceLock<Sets>);

/// What the statements of a document add up to.
#[derive(Debug)]
pub(crate) struct Sets {
    /// What some Allow may select.
    allow: ActionSet,
    /// What some Deny may select.
    pub(crate) deny: ActionSet,
    /// Whether one statement grants everything on everything.
    pub(crate) admin: Answer,
    /// What is surely granted on every resource.
    pub(crate) wide: ActionSet,
    /// The same by statements that may not be in force.
    pub(crate) wide_doubtful: ActionSet,
    /// What a Deny without condition may take away somewhere.
    pub(crate) taken: ActionSet,
    /// What is granted somewhere, conditions aside.
    pub(crate) granted: ActionSet,
    /// What is surely denied everywhere.
    pub(crate) forbidden: ActionSet,
}

impl Sets {
    fn of(document: &Document) -> Self {
        let mut sets = Self {
            allow: ActionSet::empty(),
            deny: ActionSet::empty(),
            admin: Answer::No,
            wide: ActionSet::empty(),
            wide_doubtful: ActionSet::empty(),
            taken: ActionSet::empty(),
            granted: ActionSet::empty(),
            forbidden: ActionSet::empty(),
        };
        for statement in &document.statements {
            let (must, may) = statement.actions.selected();
            let everywhere = statement.resources.covers_all() == Answer::Must;
            let certain = statement.is_certain();
            if statement.effect != Effect::Deny {
                sets.allow.add_all(may);
                sets.admin = sets.admin.or(statement.grants_admin());
            }
            if statement.effect == Effect::Allow {
                sets.granted.add_all(must);
                if everywhere && !statement.conditions.narrows_at_home().possible() {
                    let set = if certain {
                        &mut sets.wide
                    } else {
                        &mut sets.wide_doubtful
                    };
                    set.add_all(must);
                }
            }
            if statement.effect != Effect::Allow {
                sets.deny.add_all(may);
                if statement.conditions.is_empty() {
                    sets.taken.add_all(may);
                    if certain && everywhere && statement.effect == Effect::Deny {
                        sets.forbidden.add_all(must);
                    }
                }
            }
        }
        sets
    }
}

impl Reach {
    /// Asks something of the sets of `document`, which must be the one this was made for.
    pub(crate) fn ask<T>(&self, document: &Document, question: impl FnOnce(&Sets) -> T) -> T {
        if is_large(document) {
            question(self.0.get_or_init(|| Sets::of(document)))
        } else {
            question(&Sets::of(document))
        }
    }

    /// Whether some Allow of the document may select the action; a quick yes for small documents.
    pub(crate) fn may_allow(&self, document: &Document, action: Option<ActionId>) -> bool {
        self.touches(document, action, |sets| &sets.allow)
    }

    /// The same for its Denies.
    pub(crate) fn may_deny(&self, document: &Document, action: Option<ActionId>) -> bool {
        self.touches(document, action, |sets| &sets.deny)
    }

    fn touches(
        &self,
        document: &Document,
        action: Option<ActionId>,
        set: impl Fn(&Sets) -> &ActionSet,
    ) -> bool {
        match action {
            Some(action) if is_large(document) => {
                set(self.0.get_or_init(|| Sets::of(document))).contains(action)
            }
            // An action that the catalog does not know is matched by its name.
            _ => true,
        }
    }
}

fn is_large(document: &Document) -> bool {
    let patterns = |count: usize, statement: &overgrant_policy::Statement| {
        count + statement.actions.listed().items.len()
    };
    document.statements.iter().fold(0, patterns) >= LARGE
}
