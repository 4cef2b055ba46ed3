//! Changes of files as a unified diff, as `patch` and `git apply` read it.
//!
//! Not for the report of what is found. Invariant: applying it to the texts before gives those after.

use overgrant_engine::Change;
use similar::TextDiff;
use std::fmt::Write as _;

/// Unchanged lines around a change.
const CONTEXT: usize = 3;

/// The diff of all changes, in their order; empty without changes.
#[must_use]
pub fn diff(changes: &[Change]) -> String {
    let mut out = String::new();
    for change in changes {
        let lines = TextDiff::from_lines(&*change.before, &*change.after);
        let mut unified = lines.unified_diff();
        let (old, new) = (format!("a/{}", change.path), format!("b/{}", change.path));
        let _ = write!(
            out,
            "{}",
            unified.context_radius(CONTEXT).header(&old, &new)
        );
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hunks_have_three_lines_around() {
        let before = "1\n2\n3\n4\n5\n6\n7\n8\n9\n";
        let change = Change {
            path: "d/f.tf".into(),
            before: before.into(),
            after: before.replace('5', "five").into(),
        };
        assert_eq!(
            diff(&[change]),
            "--- a/d/f.tf\n+++ b/d/f.tf\n@@ -2,7 +2,7 @@\n 2\n 3\n 4\n-5\n+five\n 6\n 7\n 8\n"
        );
    }
}
