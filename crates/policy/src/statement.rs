//! One statement: effect, principal, action, resource, condition.
//!
//! Not for whole documents. Invariant: an element that the statement does not have is
//! `Listed::absent`, not an empty list.

use crate::{Actions, Conditions, Effect, Principals, Resources};
use overgrant_value::{Guard, Marks, Src, Text};
use std::fmt;

/// A positive or negated list of patterns (`Action` or `NotAction`, …).
#[derive(Debug, Clone)]
pub struct Listed<T> {
    /// Whether the element is there at all.
    pub present: bool,
    /// `NotAction`, `NotResource`, `NotPrincipal`.
    pub negated: bool,
    /// The members that are known to be in the list.
    pub items: Vec<T>,
    /// Whether more members may exist that could not be read.
    pub open: bool,
    /// Where the key stands (`Action`, `not_actions`).
    pub key_src: Src,
    /// Where the whole list stands.
    pub src: Src,
}

impl<T> Listed<T> {
    /// An element that the statement does not have.
    #[must_use]
    pub fn absent() -> Self {
        Self {
            present: false,
            negated: false,
            items: Vec::new(),
            open: false,
            key_src: Src::none(),
            src: Src::none(),
        }
    }

    /// Whether the element surely stands in the statement: an attribute that could not be read at
    /// all may turn out to be absent.
    #[must_use]
    pub fn is_firm(&self) -> bool {
        self.present && (!self.open || !self.items.is_empty())
    }

    /// Whether the two surely stand in one statement and are opposites (`Action` and `NotAction`).
    pub(crate) fn excludes(&self, other: &Self) -> bool {
        self.is_firm() && other.is_firm() && self.negated != other.negated
    }
}

/// A statement.
#[derive(Debug, Clone)]
pub struct Statement {
    /// Position in its document, 0-based.
    pub index: usize,
    /// The `Sid`, if there is one.
    pub sid: Option<Text>,
    /// Allow or Deny.
    pub effect: Effect,
    /// Where the effect stands.
    pub effect_src: Src,
    /// Who.
    pub principals: Principals,
    /// What.
    pub actions: Actions,
    /// On what.
    pub resources: Resources,
    /// Under which conditions.
    pub conditions: Conditions,
    /// Where the statement stands.
    pub src: Src,
    /// When it is part of the document.
    pub guard: Guard,
    /// Marks of the value it was read from.
    pub marks: Marks,
}

impl Statement {
    /// `#Sid` where there is a known one, else `#n` (0-based): how a statement is named everywhere.
    #[must_use]
    pub fn name(&self) -> String {
        match self.sid.as_ref().and_then(Text::as_known) {
            Some(sid) if !sid.is_empty() => format!("#{sid}"),
            _ => format!("#{}", self.index),
        }
    }

    /// Whether it allows, surely or perhaps.
    #[must_use]
    pub fn may_allow(&self) -> bool {
        self.effect != Effect::Deny
    }

    /// Whether it surely allows whenever its document is in force: known effect and no guard.
    #[must_use]
    pub fn is_certain(&self) -> bool {
        self.effect != Effect::Unknown && self.guard.is_always() && !self.marks.has(Marks::MAYBE)
    }

    /// Canonical text of the cell that rules judge: effect, sorted actions, resources, principals,
    /// conditions, holes by symbol. For fingerprints.
    #[must_use]
    pub fn cell_key(&self) -> String {
        format!(
            "{:?}|{}|{}|{}|{}",
            self.effect,
            self.actions.key(),
            self.resources.key(),
            self.principals.key(),
            self.conditions.key()
        )
    }
}

impl fmt::Display for Statement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} {:?} {} on {}",
            self.name(),
            self.effect,
            self.actions,
            self.resources
        )
    }
}

/// Joins keys of patterns: sorted, so that order in the source does not matter.
pub(crate) fn joined_key(negated: bool, present: bool, mut keys: Vec<String>) -> String {
    if !present {
        return "-".to_owned();
    }
    keys.sort();
    keys.dedup();
    format!("{}{}", if negated { "!" } else { "" }, keys.join(","))
}

/// Joins patterns for people: `a`, `b` and 3 more.
pub(crate) fn show(
    f: &mut fmt::Formatter<'_>,
    negated: bool,
    items: &[impl fmt::Display],
    open: bool,
) -> fmt::Result {
    const SHOWN: usize = 3;
    if negated {
        f.write_str("everything but ")?;
    }
    for (index, item) in items.iter().take(SHOWN).enumerate() {
        if index > 0 {
            f.write_str(", ")?;
        }
        write!(f, "`{item}`")?;
    }
    match items.len().saturating_sub(SHOWN) {
        0 if open && items.is_empty() => f.write_str("an unknown list"),
        0 => Ok(()),
        more => write!(f, " and {more} more"),
    }
}
