//! The tasks, one file each.

pub(crate) mod catalog;
pub(crate) mod deps;
pub(crate) mod tables;
