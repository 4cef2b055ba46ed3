//! A change of a file as text.
//!
//! Not for deciding what to change, nor for writing files. Invariant: the span lies in one file.

use crate::Span;

/// Replace the bytes of `span` by `text`; an empty span inserts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TextEdit {
    /// What goes.
    pub span: Span,
    /// What comes.
    pub text: String,
}
