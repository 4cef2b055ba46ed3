//! Findings, fingerprints and fixes of overgrant.
