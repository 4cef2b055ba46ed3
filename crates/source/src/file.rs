//! One file that was read: its path, its text, its line index.
//!
//! Not for reading: see `set`. Invariant: the text is the whole file, a byte order mark included,
//! so that offsets always count from the first byte on disk.

use crate::{FileId, LineColumn, LineIndex, Span};
use std::sync::{Arc, OnceLock};

/// A file's text with everything needed to say where something stands in it.
#[derive(Debug)]
pub struct SourceFile {
    id: FileId,
    path: Arc<str>,
    text: Arc<str>,
    lines: OnceLock<LineIndex>,
}

impl SourceFile {
    pub(crate) fn new(id: FileId, path: Arc<str>, text: Arc<str>) -> Self {
        Self {
            id,
            path,
            text,
            lines: OnceLock::new(),
        }
    }

    /// The file's id in its set.
    #[must_use]
    pub fn id(&self) -> FileId {
        self.id
    }

    /// The path relative to the base of the run, with forward slashes.
    #[must_use]
    pub fn path(&self) -> &str {
        &self.path
    }

    /// The whole text, a byte order mark included if the file has one.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The text, shared.
    #[must_use]
    pub fn shared_text(&self) -> Arc<str> {
        Arc::clone(&self.text)
    }

    /// The text behind `span`; empty where the span does not lie in this file.
    #[must_use]
    pub fn slice(&self, span: Span) -> &str {
        if span.file == self.id {
            self.text.get(span.range()).unwrap_or("")
        } else {
            ""
        }
    }

    /// A span over the bytes `range` of this file.
    #[must_use]
    pub fn span(&self, range: std::ops::Range<usize>) -> Span {
        Span::of_range(self.id, range)
    }

    /// The line index, made on first use.
    pub fn lines(&self) -> &LineIndex {
        self.lines.get_or_init(|| LineIndex::new(&self.text))
    }

    /// Line and column (1-based, UTF-16) of a byte offset.
    #[must_use]
    pub fn place(&self, offset: u32) -> LineColumn {
        self.lines().place(&self.text, offset)
    }
}
