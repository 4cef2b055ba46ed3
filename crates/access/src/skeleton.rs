//! The shape of a text: its literal characters, its wildcards and its open parts, as one string.
//!
//! For values with a grammar of their own (subjects of tokens, ids, ARNs in conditions). Not for
//! matching, which is the policy engine's. Invariant: `*` and `?` in a skeleton are wildcards,
//! [`HOLE`] is an open part, everything else stands for itself.

use overgrant_value::{Piece, Src, Text};

/// Stands for an open part of the text.
pub const HOLE: char = '\u{fffc}';
/// Stands for a `*` or `?` that is no wildcard.
pub const LITERAL: char = '\u{fffd}';

/// The skeleton of `text`; `wild` says whether `*` and `?` are wildcards for its operator.
pub fn skeleton(text: &Text, wild: bool) -> String {
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
pub fn is_wild(part: &str) -> bool {
    part.contains(['*', '?'])
}

/// Whether a part of a skeleton is nothing but `*`.
pub fn is_star(part: &str) -> bool {
    !part.is_empty() && part.chars().all(|c| c == '*')
}

/// Whether a part of a skeleton has an open part.
pub fn is_open(part: &str) -> bool {
    part.contains(HOLE)
}

/// Which wildcard of a text is meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Which {
    /// The one that comes first.
    First,
    /// The one that comes last.
    Last,
}

/// The place of a wildcard in `text`, or `whole` where it has no bytes of its own.
pub fn wildcard_src(text: &Text, whole: &Src, which: Which) -> Src {
    let places = text.pieces().iter().filter_map(|piece| {
        let Piece::Lit(lit) = piece else { return None };
        let wild = |c: char| matches!(c, '*' | '?');
        let characters = lit.as_str();
        let range = match which {
            Which::First => {
                let start = characters.find(wild)?;
                let rest = characters.get(start..)?;
                start..start + rest.find(|c| !wild(c)).unwrap_or(rest.len())
            }
            Which::Last => {
                let end = characters.rfind(wild)? + 1;
                let before = characters.get(..end)?;
                before.trim_end_matches(wild).len()..end
            }
        };
        lit.slice(range)
    });
    let place = match which {
        Which::First => places.into_iter().next(),
        Which::Last => places.into_iter().next_back(),
    };
    place
        .and_then(|lit| lit.segs().next().map(|seg| (seg.exact, lit.src())))
        .and_then(|(exact, src)| exact.then_some(src))
        .filter(|src| src.span.is_some())
        .map_or_else(|| whole.clone(), |src| src.under(&whole.with_span(None)))
}

/// Whether a text is a blank to be filled in before the code is applied: `<your ARN>`, `%ARN%`, words that ask
/// for it (`Put your role ARN here`), or a function of a tool that runs over templates
/// (`Fn::EnumTargetAccounts …`).
pub fn is_blank(text: &str) -> bool {
    let between = |open, close| text.len() > 1 && text.starts_with(open) && text.ends_with(close);
    between('<', '>') || between('%', '%') || text.starts_with("Fn::") || asks_for_value(text)
}

/// Whether the text is words to whoever applies the code. What has the punctuation of an ARN or a path is not,
/// and names of things may have `here` or `arn` in them where they are no sentence.
fn asks_for_value(text: &str) -> bool {
    const ASKS: [&str; 3] = ["changeme", "replace", "your"];
    const IN_SENTENCES: [&str; 2] = ["arn", "here"];
    let has = |known: &[&str]| {
        let mut words = text.split(|c: char| !c.is_ascii_alphabetic());
        words.any(|word| known.iter().any(|one| word.eq_ignore_ascii_case(one)))
    };
    let is_sentence = || text.split_ascii_whitespace().count() > 2;
    !text.contains([':', '/', '*']) && (has(&ASKS) || is_sentence() && has(&IN_SENTENCES))
}

#[cfg(test)]
mod tests {
    use super::*;
    use overgrant_value::Sym;

    #[test]
    fn wildcards_are_literal_for_equality() {
        let text = Text::known("repo:acme/*");
        assert!(is_wild(&skeleton(&text, true)));
        assert!(!is_wild(&skeleton(&text, false)));
    }

    #[test]
    fn words_to_the_reader_are_blanks() {
        for blank in [
            "<your ARN>",
            "%ARN%",
            "Put your role ARN here",
            "the ARN of the queue",
            "REPLACE_ME",
            "your-account-id",
        ] {
            assert!(is_blank(blank), "{blank}");
        }
        for named in [
            "",
            "orders here",
            "arn",
            "arn:aws:s3:::your-bucket",
            "your-bucket/*",
            "shop orders queue",
            "yourself",
        ] {
            assert!(!is_blank(named), "{named}");
        }
    }

    #[test]
    fn open_parts_are_one_character() {
        let text = Text::known("repo:")
            .concat(&Text::hole(Sym::Account, Src::none()))
            .concat(&Text::known("/x"));
        assert_eq!(skeleton(&text, true), format!("repo:{HOLE}/x"));
    }
}
