//! Matching of `*` and `?` on texts that may have holes.
//!
//! Not for ARN segments, which `arn` cuts first. Invariant: linear in pattern times text, no
//! recursion; a hole may be any run of characters its shape allows, so it never gives `Must` by
//! itself unless a `*` faces it.

use overgrant_value::{Answer, Piece, Shape, Text};

/// One element of a compiled pattern.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Token {
    /// This character.
    Char(char),
    /// Any one character (`?`).
    One,
    /// Any run of characters (`*`).
    Run,
    /// An unknown run of characters that is fixed, though not known.
    Open(Shape),
}

/// Compiles a pattern. `fold` makes letters lower case (actions ignore case).
pub(crate) fn compile(text: &Text, fold: bool) -> Vec<Token> {
    let mut tokens = Vec::new();
    for piece in text.pieces() {
        match piece {
            Piece::Lit(lit) => tokens.extend(lit.as_str().chars().map(|c| match c {
                '*' => Token::Run,
                '?' => Token::One,
                c if fold => Token::Char(c.to_ascii_lowercase()),
                c => Token::Char(c),
            })),
            Piece::Hole(hole) => tokens.push(Token::Open(hole.shape)),
            Piece::Json(_) => tokens.push(Token::Open(Shape::ANY)),
        }
    }
    tokens
}

/// Whether the pattern matches the known text.
pub(crate) fn matches(pattern: &[Token], text: &str) -> Answer {
    let sure = !pattern.iter().any(|token| matches!(token, Token::Open(_)));
    let chars: Vec<char> = text.chars().collect();
    if !possible(pattern, &chars) {
        return Answer::No;
    }
    if sure {
        return Answer::Must;
    }
    // With holes: sure only if it matches whatever the holes hold, which a `*` next to each hole
    // would give. Taking holes as impossible is a lower bound.
    Answer::May
}

/// Whether the pattern can match, an open part standing for any run.
fn possible(pattern: &[Token], text: &[char]) -> bool {
    let fits = |token: Token, c: char| match token {
        Token::Char(p) => p == c,
        Token::One => true,
        Token::Run | Token::Open(_) => false,
    };
    let (mut p, mut t) = (0, 0);
    let mut back: Option<(usize, usize)> = None;
    while let Some(&c) = text.get(t) {
        match pattern.get(p) {
            Some(Token::Run | Token::Open(_)) => {
                back = Some((p, t));
                p += 1;
            }
            Some(&token) if fits(token, c) => {
                p += 1;
                t += 1;
            }
            _ => {
                let Some((run, from)) = back else {
                    return false;
                };
                back = Some((run, from + 1));
                p = run + 1;
                t = from + 1;
            }
        }
    }
    pattern.get(p..).is_some_and(|rest| {
        rest.iter()
            .all(|token| matches!(token, Token::Run | Token::Open(_)))
    })
}

/// Whether every text that `inner` matches is matched by `outer` too (both may hold wildcards).
///
/// Exact for patterns without holes: the subset construction runs on the fly over the characters
/// that occur in either pattern and one that occurs in none.
pub(crate) fn covers(outer: &[Token], inner: &[Token]) -> Answer {
    if outer.iter().all(|token| *token == Token::Run) && !outer.is_empty() {
        return Answer::Must;
    }
    let open = |tokens: &[Token]| tokens.iter().any(|token| matches!(token, Token::Open(_)));
    // Inner open parts are widened to `*`: then a positive answer holds for every value. Outer open
    // parts match only themselves, which is lost here: at most May.
    let widened: Vec<Token> = inner
        .iter()
        .map(|token| {
            if matches!(token, Token::Open(_)) {
                Token::Run
            } else {
                *token
            }
        })
        .collect();
    if !open(outer) && subset(&widened, outer) {
        return Answer::Must;
    }
    if outer == inner {
        return Answer::Must;
    }
    if !open(outer) && !open(inner) {
        return Answer::No;
    }
    let loose: Vec<Token> = outer
        .iter()
        .map(|token| {
            if matches!(token, Token::Open(_)) {
                Token::Run
            } else {
                *token
            }
        })
        .collect();
    if open(outer) && !open(inner) && !subset(inner, &loose) {
        return Answer::No;
    }
    if intersects(inner, outer) {
        Answer::May
    } else {
        Answer::No
    }
}

/// Whether some text is matched by both, open parts standing for any run.
pub(crate) fn intersects(a: &[Token], b: &[Token]) -> bool {
    let wild = |token: Option<&Token>| matches!(token, Some(Token::Run | Token::Open(_)));
    let width = b.len() + 1;
    let mut seen = vec![false; (a.len() + 1) * width];
    let mut stack = vec![(0_usize, 0_usize)];
    while let Some((i, j)) = stack.pop() {
        let Some(slot) = seen.get_mut(i * width + j) else {
            continue;
        };
        if std::mem::replace(slot, true) {
            continue;
        }
        let (x, y) = (a.get(i), b.get(j));
        if x.is_none() && y.is_none() {
            return true;
        }
        if wild(x) {
            stack.push((i + 1, j));
            if y.is_some() {
                stack.push((i, j + 1));
            }
        }
        if wild(y) {
            stack.push((i, j + 1));
            if x.is_some() {
                stack.push((i + 1, j));
            }
        }
        let step = match (x, y) {
            (Some(Token::Char(c)), Some(Token::Char(d))) => c == d,
            (Some(Token::Char(_) | Token::One), Some(Token::One))
            | (Some(Token::One), Some(Token::Char(_))) => true,
            _ => false,
        };
        if step {
            stack.push((i + 1, j + 1));
        }
    }
    false
}

/// Language inclusion of two patterns without open parts. Gives up (false) on very large ones.
fn subset(inner: &[Token], outer: &[Token]) -> bool {
    const MOST_STATES: usize = 20_000;
    let mut alphabet: Vec<Option<char>> = inner
        .iter()
        .chain(outer)
        .filter_map(|token| match token {
            Token::Char(c) => Some(Some(*c)),
            _ => None,
        })
        .collect();
    alphabet.sort_unstable();
    alphabet.dedup();
    alphabet.push(None);
    let start = (closure(inner, vec![0]), closure(outer, vec![0]));
    let mut seen = std::collections::BTreeSet::new();
    let mut stack = vec![start];
    while let Some(state) = stack.pop() {
        if !seen.insert(state.clone()) {
            continue;
        }
        if seen.len() > MOST_STATES {
            return false;
        }
        let (a, b) = &state;
        if a.contains(&inner.len()) && !b.contains(&outer.len()) {
            return false;
        }
        for &c in &alphabet {
            let next = step(inner, a, c);
            if !next.is_empty() {
                stack.push((next, step(outer, b, c)));
            }
        }
    }
    true
}

fn closure(pattern: &[Token], mut states: Vec<usize>) -> Vec<usize> {
    let mut index = 0;
    while let Some(&state) = states.get(index) {
        if matches!(pattern.get(state), Some(Token::Run)) && !states.contains(&(state + 1)) {
            states.push(state + 1);
        }
        index += 1;
    }
    states.sort_unstable();
    states.dedup();
    states
}

/// The states after the character `c` (`None`: one that no pattern names).
fn step(pattern: &[Token], states: &[usize], c: Option<char>) -> Vec<usize> {
    let next = states
        .iter()
        .filter_map(|&state| match pattern.get(state)? {
            Token::Run => Some(state),
            Token::One => Some(state + 1),
            Token::Char(p) if Some(*p) == c => Some(state + 1),
            Token::Char(_) | Token::Open(_) => None,
        })
        .collect();
    closure(pattern, next)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tokens(pattern: &str) -> Vec<Token> {
        compile(&Text::known(pattern), false)
    }

    #[test]
    fn wildcards_match() {
        for (pattern, text, hit) in [
            ("s3:Get*", "s3:GetObject", true),
            ("s3:Get?", "s3:Get", false),
            ("*a*b", "xxaxxbxb", true),
            ("*", "", true),
            ("a**b", "ab", true),
            ("a?c", "abc", true),
            ("abc", "abcd", false),
        ] {
            assert_eq!(
                matches(&tokens(pattern), text),
                Answer::from_bool(hit),
                "{pattern} {text}"
            );
        }
    }

    #[test]
    fn inclusion_is_exact() {
        for (outer, inner, hit) in [
            ("*", "a", true),
            ("a*", "ab*", true),
            ("ab*", "a*", false),
            ("*a*", "?a?", true),
            ("?*", "*", false),
            ("*?", "?*", true),
            ("a*b", "a?b", true),
            ("a?b", "a*b", false),
        ] {
            assert_eq!(
                covers(&tokens(outer), &tokens(inner)),
                Answer::from_bool(hit),
                "{outer} over {inner}"
            );
        }
    }

    #[test]
    fn intersection_finds_common_texts() {
        assert!(intersects(&tokens("a*"), &tokens("*b")));
        assert!(!intersects(&tokens("a*"), &tokens("b*")));
        assert!(intersects(&tokens("a?"), &tokens("?b")));
        assert!(!intersects(&tokens("a"), &tokens("a?")));
    }
}
