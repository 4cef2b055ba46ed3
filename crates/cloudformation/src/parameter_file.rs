//! Files with values for parameters, in the three shapes that AWS tools use.
//!
//! Not for deciding which stack they are for. Invariant: a value keeps its place in the file.
//! <https://docs.aws.amazon.com/cli/latest/reference/cloudformation/deploy/>

use crate::eval::{ParameterValues, of_scalar};
use crate::syntax::{Kind, Node, parse_json};
use overgrant_source::{Diagnostic, Level, SourceFile};
use overgrant_value::{Src, Val};

/// Reads a file of parameter values: the array of the AWS CLI, an object with `Parameters`, or a
/// plain object of names and values.
///
/// # Errors
/// A diagnostic where the file is no JSON or has another shape.
pub fn parameter_values(file: &SourceFile) -> Result<ParameterValues, Diagnostic> {
    let root = parse_json(file)?.root;
    let value = |node: &Node| match (&node.kind, node.scalar()) {
        (_, Some(scalar)) => Some(Val::text(of_scalar(scalar), Src::at(node.span))),
        (Kind::Seq(items), _) => {
            let texts: Vec<&str> = items.iter().filter_map(|item| item.text()).collect();
            Some(Val::str(&texts.join(","), Src::at(node.span)))
        }
        _ => None,
    };
    let mut values = ParameterValues::new();
    match &root.kind {
        Kind::Seq(items) => {
            for item in items {
                let name = item.get("ParameterKey").and_then(|node| node.text());
                let val = item.get("ParameterValue").and_then(|node| value(node));
                if let (Some(name), Some(val)) = (name, val) {
                    values.insert(name.into(), val);
                }
            }
        }
        Kind::Map(_) => {
            let holder = root
                .get("Parameters")
                .filter(|node| node.scalar().is_none());
            for entry in holder.unwrap_or(&root).entries() {
                if let Some(val) = value(&entry.value) {
                    values.insert(entry.key.clone(), val);
                }
            }
        }
        Kind::Scalar(_) => {
            return Err(Diagnostic::new(
                Level::Error,
                "parameters",
                "a file of parameters holds an array or an object; write `{\"Name\": \"value\"}`",
            )
            .at(file, root.span));
        }
    }
    Ok(values)
}
