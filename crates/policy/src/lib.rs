//! The IAM policy language: documents, statements, patterns, principals, conditions, and what they
//! allow.
//!
//! Not for: formats, files and resources of a configuration. [`Document::from_val`] is the only
//! place that sees an evaluated value; the text of actions, resources and principals stays private,
//! and everybody else asks predicates or prints.
//! Invariant: what is open in a document makes answers [`Answer::May`], never `Must` or `No`.
//! Source for the language: AWS, "IAM JSON policy elements reference".

mod action;
mod action_set;
mod arn;
mod ask;
mod condition;
mod document;
pub mod engine;
mod glob;
mod narrow;
mod normalise;
mod pattern;
pub mod point;
mod principal;
mod problem;
mod request;
mod resource;
mod scalar;
mod star;
mod statement;

pub use action::{ActionPattern, Actions};
pub use action_set::ActionSet;
pub use arn::{Arn, ArnParts};
pub use ask::DocumentDecision;
pub use condition::{Condition, ConditionKey, Conditions, Operator, SetOperator, Test, Value};
pub use document::{Document, Effect, Resolution, Version};
pub use overgrant_value::Answer;
pub use pattern::Pattern;
pub use principal::{Principal, PrincipalKind, Principals};
pub use problem::{Problem, ProblemKind};
pub use request::{
    Caller, Context, ContextValue, Outcome, PolicyKind, Request, Stack, StatementRef, Verdict,
};
pub use resource::{ResourcePattern, Resources};
pub use star::Star;
pub use statement::{Listed, Statement};
