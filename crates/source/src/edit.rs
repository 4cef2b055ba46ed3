//! A change of a file as text, and what a change may write in the notation of a file.
//!
//! Not for deciding what to change, nor for writing files. Invariant: a span lies in one file.

use crate::Span;

/// Replace the bytes of `span` by `text`; an empty span inserts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TextEdit {
    /// What goes.
    pub span: Span,
    /// What comes.
    pub text: String,
}

/// A value that is to be written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Word {
    /// This text.
    Text(String),
    /// The value that is written at a place, with another end: an expression stays one.
    Like {
        /// The value.
        place: Span,
        /// Its last letters, which go.
        end: String,
        /// What comes in their place.
        to: String,
    },
}

impl From<&str> for Word {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl From<String> for Word {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}

/// A statement that is to be written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Draft {
    /// Its elements with their values: `Sid`, `Effect`, `Principal` (everybody only), `Action`,
    /// `NotAction`, `Resource`, `NotResource`.
    pub elements: Vec<(&'static str, Vec<Word>)>,
    /// Operator, key and value of its only condition.
    pub condition: Option<(&'static str, &'static str, &'static str)>,
}
