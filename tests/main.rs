//! Integration tests: the program from outside, and every example in the rules' docs.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test fails by panicking; clippy knows only functions marked as tests"
)]

mod action;
mod bad_input;
mod command_line;
mod entries;
mod fixes;
mod json_contract;
mod place_of_cause;
mod queries;
mod registry;
mod rule_examples;
mod same_flaw;
mod sarif_contract;
mod support;
mod verdicts;
