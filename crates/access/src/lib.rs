//! Who may do what: joins the model's nodes, and answers questions about effective access.
//!
//! Not for formats and judgement. Invariant: every positive answer names the statements that decide
//! it, and an open link gives MAY.

use overgrant_ir::Model;

/// The linked model.
#[derive(Debug)]
pub struct Access<'a> {
    model: &'a Model,
}

impl<'a> Access<'a> {
    /// Links a model.
    #[must_use]
    pub fn new(model: &'a Model) -> Self {
        Self { model }
    }

    /// The model behind it.
    #[must_use]
    pub fn model(&self) -> &'a Model {
        self.model
    }
}
