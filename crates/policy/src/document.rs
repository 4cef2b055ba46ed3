//! A policy document: version, statements, and how much of it is known.
//!
//! Not for attachment: which principal or resource it belongs to is the model's.
//! Invariant: statements are in document order; an alternative (`Fn::If`, `?:`) appears as statements
//! with guards.

use crate::{Problem, Statement};
use overgrant_value::{Src, Sym, Text};
use smol_str::SmolStr;

/// The language version of a document.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Version {
    /// `2012-10-17`: policy variables are live.
    V2012,
    /// `2008-10-17`, written.
    V2008,
    /// Absent, which means `2008-10-17`.
    Missing,
    /// Something else.
    Other(SmolStr),
    /// Not known.
    Unknown,
}

/// What a statement does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Effect {
    /// Grants.
    Allow,
    /// Forbids.
    Deny,
    /// Not known.
    Unknown,
}

/// How much of a document is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Resolution {
    /// Everything, but for account, region, partition, policy variables and attributes of
    /// resources in the configuration.
    Resolved,
    /// Statements and effects, but not every element.
    Partial,
    /// Not even the list of statements.
    Unresolved,
}

/// A policy document.
#[derive(Debug, Clone)]
pub struct Document {
    /// Language version.
    pub version: Version,
    /// Where the version stands.
    pub version_src: Option<Src>,
    /// The `Id` element.
    pub id: Option<Text>,
    /// The statements in order.
    pub statements: Vec<Statement>,
    /// What does not fit the grammar.
    pub problems: Vec<Problem>,
    /// How much is known.
    pub resolution: Resolution,
    /// What is open, in order of appearance, each once.
    pub open: Vec<Sym>,
    /// Where the document stands.
    pub src: Src,
}

impl Document {
    /// Whether policy variables such as `${aws:username}` are live.
    #[must_use]
    pub fn has_variables(&self) -> bool {
        matches!(self.version, Version::V2012 | Version::Unknown)
    }

    /// The statements that allow, surely or perhaps.
    pub fn allows(&self) -> impl Iterator<Item = &Statement> {
        self.statements
            .iter()
            .filter(|statement| statement.effect != Effect::Deny)
    }

    /// The statements that deny, surely or perhaps.
    pub fn denies(&self) -> impl Iterator<Item = &Statement> {
        self.statements
            .iter()
            .filter(|statement| statement.effect != Effect::Allow)
    }
}
