//! Evaluation of one root module and what it calls, on demand.
//!
//! Nothing is evaluated before something asks for it, and nothing twice: a memo per module instance
//! holds variables, locals, outputs, expansions and single arguments of resources. Not for what
//! arguments mean to AWS. Invariant: an error in an expression is a diagnostic and an unknown value
//! in its place; only `try` and `can` see it before.

pub(crate) mod access;
mod arguments;
mod block;
mod call;
mod conditional;
mod constraint;
mod data;
mod expand;
mod expr;
mod for_expr;
mod frame;
mod instance;
pub(crate) mod limits;
mod modules;
pub(crate) mod ops;
mod policy_document;
mod reference;
mod scope;
mod steps;
mod template;
pub(crate) mod text;
pub(crate) mod types;

pub(crate) use block::is_read;
pub(crate) use expr::{Eval, Fail, TOO_MANY_STEPS, inherited};
pub(crate) use instance::{Evaluator, Instance, Missing};
pub(crate) use scope::Scope;
