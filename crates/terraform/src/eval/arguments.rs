//! What Terraform refuses about the arguments of a module call.
//!
//! Not for their values, nor for modules that are not at hand. Invariant: nothing is told of a module
//! of which a part could not be read.

use super::instance::Evaluator;
use crate::config::Module;
use crate::syntax::tree::Block;
use overgrant_source::Level;

/// Arguments that Terraform itself reads.
const META: [&str; 6] = [
    "source",
    "version",
    "count",
    "for_each",
    "depends_on",
    "providers",
];

impl Evaluator<'_> {
    /// Tells of arguments that the called module does not declare, and of those that it needs. Each
    /// call is looked at once.
    pub(super) fn refuse_arguments(&self, call: &str, block: &Block, module: &Module) {
        if self.is_quiet() || !self.checked.borrow_mut().insert(block.header) {
            return;
        }
        let lost = |level: Level| level == Level::Error;
        if module.files.is_empty() || module.diagnostics.iter().any(|told| lost(told.level)) {
            return;
        }
        for attr in &block.body.attributes {
            let name = attr.name.as_str();
            if META.contains(&name) || module.variables.contains_key(name) {
                continue;
            }
            self.report(
                Level::Warning,
                "module-argument",
                format!("module.{call} has no variable `{name}`, and Terraform refuses this argument; declare the variable in the module, or take the argument out"),
                Some(attr.name_span),
            );
        }
        for (name, variable) in &module.variables {
            let needed = variable.block.body.attribute("default").is_none()
                && block.body.attribute(name).is_none();
            if needed {
                self.report(
                    Level::Warning,
                    "module-argument",
                    format!("module.{call} needs the argument `{name}`, whose variable has no default; give it one"),
                    Some(block.header),
                );
            }
        }
    }
}
