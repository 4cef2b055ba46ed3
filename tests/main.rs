//! Integration tests: the program from outside, and every example in the rules' docs.

mod action;
mod bad_input;
mod command_line;
mod json_contract;
mod registry;
mod rule_examples;
mod sarif_contract;
mod support;
