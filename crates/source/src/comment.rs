//! Comments with their places, and the markers in them that speak to this tool.
//!
//! Not for finding comments in a format: each front end's scanner knows its own strings and
//! heredocs. Invariant: a comment's span covers its opening sign.

use crate::Span;
use smol_str::SmolStr;

/// One comment, its opening (`#`, `//`, `/*`) included in the span and left out of the text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Comment {
    /// The whole comment, signs included, line end excluded.
    pub span: Span,
    /// What stands between the signs, trimmed.
    pub text: SmolStr,
    /// Whether something other than blanks stands before it on its line.
    pub trailing: bool,
}

/// A comment that asks for findings to be ignored: `overgrant:ignore[rule, rule] reason`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Marker {
    /// The comment it stands in.
    pub span: Span,
    /// The rules named, in order, as written.
    pub rules: Vec<SmolStr>,
    /// The text behind the bracket; `None` where nothing stands there.
    pub reason: Option<SmolStr>,
    /// As [`Comment::trailing`].
    pub trailing: bool,
}

const OPEN: &str = "overgrant:ignore[";

/// The markers in `comments`, in their order. A marker without a closing bracket or without a name
/// is none.
#[must_use]
pub fn markers(comments: &[Comment]) -> Vec<Marker> {
    comments.iter().filter_map(marker).collect()
}

fn marker(comment: &Comment) -> Option<Marker> {
    let (_, rest) = comment.text.split_once(OPEN)?;
    let (names, reason) = rest.split_once(']')?;
    let rules: Vec<SmolStr> = names
        .split(',')
        .map(str::trim)
        .filter(|name| !name.is_empty())
        .map(SmolStr::from)
        .collect();
    let reason = reason.trim();
    (!rules.is_empty()).then(|| Marker {
        span: comment.span,
        rules,
        reason: (!reason.is_empty()).then(|| reason.into()),
        trailing: comment.trailing,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::FileId;

    fn comment(text: &str) -> Comment {
        Comment {
            span: Span::new(FileId(0), 0, 1),
            text: text.into(),
            trailing: false,
        }
    }

    #[test]
    fn reads_rules_and_reason() {
        let found = markers(&[comment("overgrant:ignore[a-b, c] because of X")]);
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].rules, ["a-b", "c"]);
        assert_eq!(found[0].reason.as_deref(), Some("because of X"));
    }

    #[test]
    fn ignores_what_is_no_marker() {
        for text in [
            "",
            "overgrant:ignore",
            "overgrant:ignore[",
            "overgrant:ignore[] x",
            "ignore[a]",
        ] {
            assert!(markers(&[comment(text)]).is_empty(), "{text}");
        }
    }
}
