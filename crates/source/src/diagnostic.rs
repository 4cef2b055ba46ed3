//! What went wrong with an input: told to the user, never a reason to stop.
//!
//! Not for findings about access. Invariant: the message names the thing and the remedy; it never
//! holds text of a file that may be secret.

use crate::Span;
use std::sync::Arc;

/// How much a diagnostic matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Level {
    /// Worth knowing; the result is complete.
    Note,
    /// A part was not understood; the result may lack something there.
    Warning,
    /// A file or block was lost.
    Error,
}

impl Level {
    /// The word used in every output.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Note => "note",
            Self::Warning => "warning",
            Self::Error => "error",
        }
    }
}

/// One problem with an input.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Diagnostic {
    /// How much it matters.
    pub level: Level,
    /// A stable kebab-case name for the kind of problem, e.g. `hcl-syntax`.
    pub code: &'static str,
    /// One sentence that names the thing, then what to do.
    pub message: String,
    /// The file, relative to the base; `None` where no file is concerned.
    pub path: Option<Arc<str>>,
    /// The place in that file; `None` where the file as a whole is meant.
    pub span: Option<Span>,
    /// Whether a file that looks like configuration could not be read because of this.
    pub not_parsed: bool,
}

impl Diagnostic {
    /// A diagnostic without a place.
    #[must_use]
    pub fn new(level: Level, code: &'static str, message: impl Into<String>) -> Self {
        Self {
            level,
            code,
            message: message.into(),
            path: None,
            span: None,
            not_parsed: false,
        }
    }

    /// About a file as a whole (path relative to the base).
    #[must_use]
    pub fn in_file(mut self, path: impl Into<Arc<str>>) -> Self {
        self.path = Some(path.into());
        self
    }

    /// At a place of `file`.
    #[must_use]
    pub fn at(mut self, file: &crate::SourceFile, span: Span) -> Self {
        self.path = Some(file.path().into());
        self.span = Some(span);
        self
    }

    /// Marks the whole file as not parsed, so that it is counted in `not_parsed`.
    #[must_use]
    pub fn losing_file(mut self) -> Self {
        self.not_parsed = true;
        self
    }
}
