//! What does not fit the policy grammar.
//!
//! Not for judgements about access. Invariant: a problem names the place and never loses the rest of
//! the document.

use overgrant_value::{Guard, Src};
use smol_str::SmolStr;

/// A kind of grammar problem.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum ProblemKind {
    /// The text is no JSON; the parser's words.
    NotJson(SmolStr),
    /// The text is a single word, put where a policy will stand.
    StandIn(SmolStr),
    /// The document is no object.
    NotAnObject,
    /// An element of the language in another letter case: (as written, canonical).
    WrongCase(SmolStr, SmolStr),
    /// An element that the language does not have.
    UnknownElement(SmolStr),
    /// The same key twice in one object.
    DuplicateKey(SmolStr),
    /// Two elements that exclude each other, e.g. `Action` and `NotAction`.
    Exclusive(SmolStr, SmolStr),
    /// An element that must be there is missing.
    Missing(SmolStr),
    /// An element has the wrong type: (element, what is expected).
    WrongType(SmolStr, SmolStr),
    /// `Effect` is neither `Allow` nor `Deny`.
    BadEffect(SmolStr),
    /// `Version` is none of the two that exist.
    BadVersion(SmolStr),
    /// A condition operator that does not exist.
    UnknownOperator(SmolStr),
    /// A principal type that does not exist.
    UnknownPrincipalType(SmolStr),
    /// The same `Sid` twice in one document.
    DuplicateSid(SmolStr),
    /// More than any policy may hold: what there is too much of. The rest is taken for unknown.
    TooLarge(SmolStr),
}

/// One grammar problem.
#[derive(Debug, Clone, PartialEq)]
pub struct Problem {
    /// What is wrong.
    pub kind: ProblemKind,
    /// Where.
    pub src: Src,
    /// The place before it, for what stands twice or excludes something.
    pub earlier: Option<Src>,
    /// Index of the statement it belongs to, 0-based; `None` for the document itself.
    pub statement: Option<usize>,
    /// When the document has it.
    pub guard: Guard,
}
