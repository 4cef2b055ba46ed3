//! Linking and effective access for overgrant.
