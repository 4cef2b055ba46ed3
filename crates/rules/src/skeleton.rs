//! The shape of a text: its literal characters, its wildcards and its open parts, as one string.
//!
//! For values with a grammar of their own (subjects of tokens, ids, ARNs in conditions). Not for
//! matching, which is the policy engine's. Invariant: `*` and `?` in a skeleton are wildcards,
//! [`HOLE`] is an open part, everything else stands for itself.

use overgrant_value::{Piece, Text};

/// Stands for an open part of the text.
pub(crate) const HOLE: char = '\u{fffc}';
/// Stands for a `*` or `?` that is no wildcard.
const LITERAL: char = '\u{fffd}';

/// The skeleton of `text`; `wild` says whether `*` and `?` are wildcards for its operator.
pub(crate) fn skeleton(text: &Text, wild: bool) -> String {
    let mut result = String::new();
    for piece in text.pieces() {
        match piece {
            Piece::Lit(lit) if wild => result.push_str(lit.as_str()),
            Piece::Lit(lit) => result.extend(lit.as_str().chars().map(|c| match c {
                '*' | '?' => LITERAL,
                c => c,
            })),
            Piece::Hole(_) | Piece::Json(_) => result.push(HOLE),
        }
    }
    result
}

/// Whether a part of a skeleton has a wildcard.
pub(crate) fn is_wild(part: &str) -> bool {
    part.contains(['*', '?'])
}

/// Whether a part of a skeleton is nothing but `*`.
pub(crate) fn is_star(part: &str) -> bool {
    !part.is_empty() && part.chars().all(|c| c == '*')
}

/// Whether a part of a skeleton has an open part.
pub(crate) fn is_open(part: &str) -> bool {
    part.contains(HOLE)
}

#[cfg(test)]
mod tests {
    use super::*;
    use overgrant_value::{Src, Sym};

    #[test]
    fn wildcards_are_literal_for_equality() {
        let text = Text::known("repo:acme/*");
        assert!(is_wild(&skeleton(&text, true)));
        assert!(!is_wild(&skeleton(&text, false)));
    }

    #[test]
    fn open_parts_are_one_character() {
        let text = Text::known("repo:")
            .concat(&Text::hole(Sym::Account, Src::none()))
            .concat(&Text::known("/x"));
        assert_eq!(skeleton(&text, true), format!("repo:{HOLE}/x"));
    }
}
