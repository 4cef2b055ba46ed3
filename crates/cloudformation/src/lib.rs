//! CloudFormation and SAM front end of overgrant.
