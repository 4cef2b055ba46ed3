//! Fixes as semantic edits.
//!
//! Not for formatting: the front end of the file's format turns an edit into text. Invariant: an
//! edit names its place by the span of what exists, never by line numbers.

use overgrant_source::{Draft, Span, Word};

/// One change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Edit {
    /// Put another word in the place of a literal; quotes around it stay as they are.
    Replace {
        /// The literal, with or without its quotes.
        span: Span,
        /// The word that stands there.
        from: String,
        /// The word that comes.
        to: String,
    },
    /// Remove these bytes and the blanks and comma that belong to them.
    Remove {
        /// What goes.
        span: Span,
    },
    /// Add a condition to the statement at this place.
    AddCondition {
        /// The statement.
        statement: Span,
        /// Operator, e.g. `StringEquals`.
        operator: String,
        /// Key, e.g. `iam:PassedToService`.
        key: String,
        /// Values.
        values: Vec<String>,
    },
    /// Add values behind the one at this place, the only one or an item of a list.
    AddItems {
        /// The value that is there.
        beside: Span,
        /// The values to add.
        values: Vec<Word>,
    },
    /// Put values in the place of the one at this place, the only one or an item of a list.
    ReplaceItem {
        /// The value that goes.
        item: Span,
        /// The values that come.
        values: Vec<String>,
    },
    /// Turn the element whose name is at this place into the one for all but what it lists:
    /// `NotAction` for `Action`.
    NegateElement {
        /// The name.
        key: Span,
    },
    /// Put other words in the place of a part of a literal, wherever it stands in it.
    ReplacePart {
        /// The literal.
        span: Span,
        /// The part.
        from: String,
        /// What comes.
        to: String,
    },
    /// Add a statement behind the others of the document at this place.
    AppendStatement {
        /// The document.
        document: Span,
        /// The statement.
        draft: Draft,
    },
    /// Add an element in front of the others of the document at this place, which has none of the name.
    AddElement {
        /// The document.
        document: Span,
        /// Name, e.g. `Version`.
        name: &'static str,
        /// Value.
        value: &'static str,
    },
    /// Add a resource to the file that this place is in.
    AddResource {
        /// A place in the file.
        beside: Span,
        /// Type, in the words of the file's format.
        kind: &'static str,
        /// Name or logical id, which is free.
        name: &'static str,
        /// Arguments or properties with their literals.
        arguments: Vec<(&'static str, &'static str)>,
    },
    /// Set an argument of the block at this place to a literal.
    SetAttribute {
        /// The block.
        block: Span,
        /// Path of the argument, e.g. `metadata_options.http_tokens`.
        path: String,
        /// The new value as text.
        value: String,
    },
}

/// A fix.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fix {
    /// What it does, as an order: "Name the bucket".
    pub title: String,
    /// Whether it neither grants anything nor takes away access that is used.
    pub safe: bool,
    /// The changes; all or none.
    pub edits: Vec<Edit>,
}
