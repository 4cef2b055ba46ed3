//! CDK cloud assembly front end of overgrant.
//!
//! An assembly is what `cdk synth` leaves behind: a manifest, templates, nested templates, stages.
//! Not for templates as such, which `overgrant-cloudformation` reads. Invariant: everything is found
//! through the manifest, and what it names and is not there is told.

mod assembly;
mod manifest;
mod trace;
mod tree;

pub use assembly::{Assembly, Stack, Synthesized, is_assembly};
pub use manifest::is_manifest;
pub use trace::Construct;
