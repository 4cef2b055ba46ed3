//! The output formats of overgrant.
