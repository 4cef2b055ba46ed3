//! `tree.json`: the classes of an assembly's constructs.
//!
//! Not for their places or properties. Invariant: a tree that cannot be read knows no class, and
//! nothing else depends on it.

use serde::Deserialize;
use smol_str::SmolStr;
use std::collections::BTreeMap;

#[derive(Deserialize)]
struct Tree {
    tree: Node,
}

#[derive(Deserialize)]
struct Node {
    #[serde(default)]
    path: String,
    #[serde(rename = "constructInfo")]
    info: Option<Info>,
    #[serde(default)]
    children: BTreeMap<String, Self>,
}

#[derive(Deserialize)]
struct Info {
    fqn: Option<String>,
}

/// The fully qualified classes of a tree by construct path (without a leading slash); none where
/// `text` is no tree.
pub(crate) fn classes(text: &str) -> BTreeMap<SmolStr, SmolStr> {
    let mut found = BTreeMap::new();
    let Ok(tree) = serde_json::from_str::<Tree>(text) else {
        return found;
    };
    let mut next = vec![tree.tree];
    while let Some(node) = next.pop() {
        if let Some(class) = node.info.and_then(|info| info.fqn) {
            found.insert(node.path.as_str().into(), class.into());
        }
        next.extend(node.children.into_values());
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn classes_by_path() {
        let tree = r#"{"version": "tree-0.9", "tree": {"id": "App", "path": "", "children": {
            "S": {"id": "S", "path": "S", "constructInfo": {"fqn": "aws-cdk-lib.Stack", "version": "2"}, "new": [1],
                  "children": {"R": {"id": "R", "path": "S/R", "attributes": {"a": {"path": "x"}}}}}}}}"#;
        let found: Vec<_> = classes(tree).into_iter().collect();
        assert_eq!(found, [("S".into(), "aws-cdk-lib.Stack".into())]);
        let deep = "{\"children\": {\"a\": ".repeat(100_000);
        for text in ["", "{}", "[1]", deep.as_str()] {
            assert!(classes(text).is_empty());
        }
    }
}
