//! Written by `cargo dev catalog` from `testdata/catalog`; do not edit.

#[rustfmt::skip]
mod calls;
#[rustfmt::skip]
mod escalation;
#[rustfmt::skip]
mod issuers;
#[rustfmt::skip]
mod quotas;

pub(crate) use calls::CALLS;
pub(crate) use escalation::ESCALATION_PATHS;
pub(crate) use issuers::ISSUERS;
pub(crate) use quotas::QUOTAS;

/// The day that the embedded action tables describe.
pub const DATA_DATE: &str = "2026-09-26";
pub(crate) const STRINGS: &str = include_str!("strings.txt");
pub(crate) const TABLES: &[u8] = include_bytes!("tables.bin");
pub(crate) const POLICIES: &[u8] = include_bytes!("policies.bin");
