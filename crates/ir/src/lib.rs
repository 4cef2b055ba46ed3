//! The shared identity model of overgrant.
