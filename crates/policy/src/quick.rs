//! Coverage of patterns for the plain cases, without the subset construction of `glob`.
//!
//! Nearly all questions are plain: one member of the union covers the pattern token by token, or a
//! single word of the pattern is matched by none. Invariant: an answer is that of the construction
//! with open parts matched by themselves and by `*` only; what is not plain is `None`.

use crate::glob::Token;

/// A character that stands in no pattern here.
const FRESH: char = '\u{10ffff}';

/// Whether every text that `inner` matches is matched by one of `outer` at least, where that is
/// plain.
pub(crate) fn covers(outer: &[&[Token]], inner: &[Token]) -> Option<bool> {
    if outer.iter().any(|pattern| embraces(pattern, inner)) {
        return Some(true);
    }
    let fresh = Token::Char(FRESH);
    if inner.contains(&fresh) || outer.iter().any(|pattern| pattern.contains(&fresh)) {
        return None;
    }
    let longest = outer.iter().map(|pattern| pattern.len()).max().unwrap_or(0);
    for run in [0, longest + 1] {
        let mut word = Vec::with_capacity(inner.len() + run);
        for token in inner {
            match token {
                Token::Run => word.resize(word.len() + run, fresh),
                Token::One => word.push(fresh),
                Token::Char(_) | Token::Open(_) => word.push(*token),
            }
        }
        if !outer.iter().any(|pattern| embraces(pattern, &word)) {
            return Some(false);
        }
    }
    None
}

/// Whether `outer` matches `inner` with its wildcards taken as letters, which only `*` and, for `?`,
/// `?` itself match: enough for coverage, not needed for it.
fn embraces(outer: &[Token], inner: &[Token]) -> bool {
    let takes = |wanted: &Token, found: &Token| match (wanted, found) {
        (Token::Char(a), Token::Char(b)) => a == b,
        (Token::One, Token::Char(_) | Token::One) => true,
        (Token::Open(a), Token::Open(b)) => a.id == b.id,
        _ => false,
    };
    let (mut o, mut i) = (0, 0);
    // Only the last `*` is ever tried again.
    let mut back: Option<(usize, usize)> = None;
    while let Some(found) = inner.get(i) {
        match outer.get(o) {
            Some(Token::Run) => {
                back = Some((o, i));
                o += 1;
            }
            Some(wanted) if takes(wanted, found) => {
                o += 1;
                i += 1;
            }
            _ => {
                let Some((run, from)) = back else {
                    return false;
                };
                back = Some((run, from + 1));
                o = run + 1;
                i = from + 1;
            }
        }
    }
    outer
        .get(o..)
        .is_some_and(|rest| rest.iter().all(|token| *token == Token::Run))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::glob::{compile, subset};
    use overgrant_value::Text;

    /// Every pattern of up to four of these letters.
    fn patterns() -> Vec<Vec<Token>> {
        let mut all = vec![String::new()];
        let mut from = 0;
        for _ in 0..4 {
            let to = all.len();
            for at in from..to {
                for c in ['a', 'b', '?', '*'] {
                    all.push(format!("{}{c}", all[at]));
                }
            }
            from = to;
        }
        all.iter()
            .map(|text| compile(&Text::known(text), false))
            .collect()
    }

    #[test]
    fn plain_answers_are_those_of_the_construction() {
        let all = patterns();
        let (mut plain, mut asked) = (0, 0);
        for (at, inner) in all.iter().enumerate() {
            for (other, outer) in all.iter().enumerate() {
                let second = &all[(at * 7 + other * 3) % all.len()];
                let union = [outer.as_slice(), second.as_slice()];
                for outer in [&union[..1], &union] {
                    asked += 1;
                    if let Some(answer) = covers(outer, inner) {
                        plain += 1;
                        assert_eq!(answer, subset(inner, outer, false), "{inner:?} {outer:?}");
                    }
                }
            }
        }
        assert!(plain * 10 > asked * 9, "{plain} of {asked}");
    }
}
