//! From evaluated resources to the model, by tables and a little code per IAM type.
//!
//! Not for linking: references stay texts. Invariant: resources are lowered in the order of
//! (root, address), so that the model does not depend on how they were read.

use crate::node::{Place, ReferenceTo};
use crate::{Model, Resource};
use overgrant_value::Text;

/// An instance profile: the bridge between an instance and a role.
#[derive(Debug, Clone)]
pub struct Profile {
    /// Where it is.
    pub place: Place,
    /// Its name.
    pub name: Text,
    /// Its ARN.
    pub arn: Text,
    /// The role in it.
    pub role: Option<ReferenceTo>,
}

/// Builds the model of all resources of a run.
#[must_use]
pub fn lower(mut resources: Vec<Resource>) -> Model {
    resources.sort_by(|a, b| (&a.root, &a.address, a.format).cmp(&(&b.root, &b.address, b.format)));
    let mut model = Model::default();
    for resource in &resources {
        if let Some(span) = resource.src.span {
            model.blocks.push(&resource.root, &resource.address, span);
        }
    }
    model.blocks.finish();
    model
}
