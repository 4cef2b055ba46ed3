//! Written by `cargo dev tables` from `testdata/surface`; do not edit.

#[rustfmt::skip]
mod cloudformation;
#[rustfmt::skip]
mod terraform;

pub(super) use cloudformation::{CLOUDFORMATION, CLOUDFORMATION_SECRETS};
pub(super) use terraform::{TERRAFORM, TERRAFORM_SECRETS};
