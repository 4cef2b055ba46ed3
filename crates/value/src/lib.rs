//! The evaluated, partly unknown value of overgrant.
