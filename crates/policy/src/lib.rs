//! The IAM policy language of overgrant.
