//! CDK cloud assembly front end of overgrant.
