//! Questions on the model: what a principal may do, whether it may do one thing, and who may.
//!
//! Not for names on a command line and layout. Invariant: YES and NO hold for every context that
//! agrees with what was given, and for every value of open parts; everything else is DEPENDS, with
//! what it depends on.

mod can;
mod grants;
mod reach;
mod stack;
mod who;

pub use can::{Can, Question};
pub use grants::{Granted, Limits};
pub use reach::Outsider;
pub use who::Able;

use crate::graph::Place;
use overgrant_policy::Answer;

/// The answer to "may it?".
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Verdict {
    /// In no case.
    No,
    /// In some cases.
    Depends,
    /// In every case.
    Yes,
}

impl Verdict {
    /// The word for outputs.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::No => "no",
            Self::Depends => "depends",
            Self::Yes => "yes",
        }
    }

    /// From "in some case" and "in every case".
    fn of(some: Answer, every: Answer) -> Self {
        match (some, every) {
            (Answer::No, _) => Self::No,
            (_, Answer::Must) => Self::Yes,
            _ => Self::Depends,
        }
    }
}

/// One part of an explanation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reason {
    /// A clause, without a full stop.
    pub text: String,
    /// Where it is written.
    pub place: Option<Place>,
}

impl Reason {
    fn new(text: impl Into<String>, place: Option<Place>) -> Self {
        Self {
            text: text.into(),
            place,
        }
    }
}

#[cfg(test)]
mod tests;
