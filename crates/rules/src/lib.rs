//! The rules of overgrant.
