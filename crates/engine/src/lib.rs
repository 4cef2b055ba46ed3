//! The pipeline of overgrant.
