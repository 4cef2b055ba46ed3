//! Terraform and OpenTofu front end of overgrant.
