//! Files, byte spans, line index, comments and diagnostics: everything about *where* something stands.
//!
//! Not for: what the text means. This crate knows no format and depends on nothing of ours.
//! Invariant: every [`Span`] is a half-open byte range in one file of a [`Sources`] set; lines and
//! columns are derived from it at the very end, when something is printed.

mod comment;
mod diagnostic;
mod edit;
mod file;
mod line_index;
mod set;
mod span;

pub use comment::{Comment, Marker, markers};
pub use diagnostic::{Diagnostic, Level};
pub use edit::{Draft, TextEdit, Word};
pub use file::SourceFile;
pub use line_index::{LineColumn, LineIndex};
pub use set::{Limits, ReadError, Sources};
pub use span::{FileId, Span};
