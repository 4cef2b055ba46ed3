//! A wildcard pattern with its origin: what actions, resources and condition values have in common.
//!
//! Not for reading its text: there is `Display` for people and predicates for code.
//! Invariant: `tokens` is `text` compiled, once that was asked for.

use crate::glob::{self, Token};
use overgrant_value::{Answer, Guard, Marks, Piece, Src, Sym, Text};
use std::fmt;
use std::sync::OnceLock;

/// A pattern of literal characters, `*`, `?` and open parts.
#[derive(Debug, Clone)]
pub struct Pattern {
    text: Text,
    /// Whether letters are compared without case.
    fold: bool,
    tokens: OnceLock<Box<[Token]>>,
    src: Src,
    guard: Guard,
    marks: Marks,
}

impl Pattern {
    pub(crate) fn new(text: Text, fold: bool, src: Src, guard: Guard, marks: Marks) -> Self {
        Self {
            text,
            fold,
            tokens: OnceLock::new(),
            src,
            guard,
            marks,
        }
    }

    pub(crate) fn text(&self) -> &Text {
        &self.text
    }

    pub(crate) fn tokens(&self) -> &[Token] {
        self.tokens
            .get_or_init(|| glob::compile(&self.text, self.fold).into_boxed_slice())
    }

    /// Where it was written (quotes included) and how it came.
    #[must_use]
    pub fn src(&self) -> &Src {
        &self.src
    }

    /// When it is part of its list.
    #[must_use]
    pub fn guard(&self) -> &Guard {
        &self.guard
    }

    /// Marks of the value it was read from.
    #[must_use]
    pub fn marks(&self) -> Marks {
        self.marks
    }

    /// Whether every character is known.
    #[must_use]
    pub fn is_known(&self) -> bool {
        self.text.is_known()
    }

    /// Whether it holds `*` or `?`.
    #[must_use]
    pub fn has_wildcard(&self) -> bool {
        self.literals().any(|text| text.contains(['*', '?']))
    }

    /// Whether it is nothing but `*`.
    #[must_use]
    pub fn is_star(&self) -> bool {
        !self.text.is_empty()
            && self.is_known()
            && self
                .literals()
                .all(|text| text.bytes().all(|byte| byte == b'*'))
    }

    /// Whether there are no characters at all, known or open.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.text.is_empty()
    }

    /// Whether `part` stands within one of its known parts.
    #[must_use]
    pub fn holds(&self, part: &str) -> bool {
        self.literals().any(|text| text.contains(part))
    }

    /// Whether the first character is known and one of these.
    #[must_use]
    pub fn begins_with(&self, any: &[char]) -> bool {
        match self.text.pieces().first() {
            Some(Piece::Lit(lit)) => lit.as_str().starts_with(any),
            _ => false,
        }
    }

    fn literals(&self) -> impl Iterator<Item = &str> {
        self.text.pieces().iter().filter_map(|piece| match piece {
            Piece::Lit(lit) => Some(lit.as_str()),
            Piece::Hole(_) | Piece::Json(_) => None,
        })
    }

    /// Whether it matches the known text.
    #[must_use]
    pub fn matches(&self, text: &str) -> Answer {
        glob::matches(self.tokens(), text)
    }

    /// Whether it matches everything that `other` matches.
    #[must_use]
    pub fn covers(&self, other: &Self) -> Answer {
        if self.text.same_text(&other.text) {
            return Answer::Must;
        }
        glob::covers(self.tokens(), other.tokens())
    }

    /// What its open parts stand for.
    pub fn open(&self) -> impl Iterator<Item = &Sym> {
        self.text.holes().map(|hole| &hole.sym)
    }

    /// The source of the first wildcard, where it has bytes of its own.
    #[must_use]
    pub fn wildcard_src(&self) -> Option<Src> {
        let text = self.text.as_known()?;
        let at = text.find(['*', '?'])?;
        self.text.src_of(at..at + 1)
    }

    /// A text that is equal for equal patterns (see `Text::key`), for fingerprints.
    #[must_use]
    pub fn key(&self) -> String {
        self.text.key()
    }
}

impl fmt::Display for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.text.fmt(f)
    }
}
