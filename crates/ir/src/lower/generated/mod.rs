//! Written by `cargo dev tables` from `testdata/surface`; do not edit.

#[rustfmt::skip]
mod cloudformation;
#[rustfmt::skip]
mod terraform;

pub(super) use cloudformation::CLOUDFORMATION;
pub(super) use terraform::{SECRETS, TERRAFORM};
