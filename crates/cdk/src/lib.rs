//! CDK cloud assembly front end of overgrant.
//!
//! An assembly is what `cdk synth` leaves behind: a manifest, templates, nested templates, stages.
//! Not for templates as such, which `overgrant-cloudformation` reads. Invariant: everything is found
//! through the manifest, and what it names and is not there is told; where the manifest leads to
//! nothing, that is told and the templates beside it are read.

mod assembly;
mod detect;
mod manifest;
mod reader;
mod trace;
mod tree;

pub use assembly::{Assembly, Stack, Synthesized};
pub use detect::{Directory, Found, MARKS, detect};
pub use trace::Construct;
