//! Files of a directory as one module: which objects it declares.
//!
//! Not for values. Invariant: what a directory declares does not depend on the order of reading.

mod circles;
pub(crate) mod json;
pub(crate) mod module;

pub(crate) use module::{Loader, Module, ResourceKey, Variable};
