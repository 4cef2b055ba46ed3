//! The tasks, one file each.

pub(crate) mod bench;
pub(crate) mod bench_model;
pub(crate) mod cases;
pub(crate) mod catalog;
pub(crate) mod coverage;
pub(crate) mod deps;
pub(crate) mod docs;
pub(crate) mod new_rule;
pub(crate) mod oracle;
pub(crate) mod policy;
pub(crate) mod seeds;
pub(crate) mod slow;
pub(crate) mod tables;
