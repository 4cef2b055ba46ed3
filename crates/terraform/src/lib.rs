//! Terraform and OpenTofu front end of overgrant.

pub mod syntax;
