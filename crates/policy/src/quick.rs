//! Coverage of patterns for the plain cases, without the subset construction of `glob`.
//!
//! Nearly all questions are plain: one member of the union covers the pattern token by token, or a
//! single word of the pattern is matched by none. Invariant: an answer is that of the construction
//! (of open parts too, see there); what is not plain is `None`.

use crate::glob::Token;

/// A character that stands in no pattern here.
const FRESH: char = '\u{10ffff}';

/// Whether every text that `inner` matches is matched by one of `outer` at least, where that is
/// plain.
pub(crate) fn covers(outer: &[&[Token]], inner: &[Token]) -> Option<bool> {
    if outer.iter().any(|pattern| embraces(pattern, inner)) {
        return Some(true);
    }
    refuted(outer, inner, embraces)
}

/// The same with open parts of `outer` taken at their widest.
pub(crate) fn covers_loosely(outer: &[&[Token]], inner: &[Token]) -> Option<bool> {
    if outer
        .iter()
        .any(|pattern| embraces(&widest(pattern), inner))
    {
        return Some(true);
    }
    refuted(outer, inner, matches_loosely)
}

/// `false` where some word of `inner` is matched by none of `outer`.
fn refuted(
    outer: &[&[Token]],
    inner: &[Token],
    matches: impl Fn(&[Token], &[Token]) -> bool,
) -> Option<bool> {
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
        if !outer.iter().any(|pattern| matches(pattern, &word)) {
            return Some(false);
        }
    }
    None
}

/// A pattern with wildcards in the place of the open parts that can be any text.
fn widest(pattern: &[Token]) -> Vec<Token> {
    let mut wide = Vec::with_capacity(pattern.len());
    for token in pattern {
        match token {
            Token::Open(open) if open.is_any_text() => {
                if !open.may_be_empty() {
                    wide.push(Token::One);
                }
                wide.push(Token::Run);
            }
            other => wide.push(*other),
        }
    }
    wide
}

/// Whether a pattern matches a word of characters and open parts, with its own open parts taken at
/// their widest.
fn matches_loosely(pattern: &[Token], word: &[Token]) -> bool {
    // Positions that are in reach, with those behind what may be empty.
    let mut reached = vec![false; pattern.len() + 1];
    let mut next = reached.clone();
    let reach = |set: &mut [bool], mut at: usize| {
        loop {
            match set.get_mut(at) {
                Some(slot) if !*slot => *slot = true,
                _ => return,
            }
            match pattern.get(at) {
                Some(Token::Run) => at += 1,
                Some(Token::Open(open)) if open.may_be_empty() => at += 1,
                _ => return,
            }
        }
    };
    reach(&mut reached, 0);
    for letter in word {
        next.fill(false);
        let mut alive = false;
        for (at, token) in pattern.iter().enumerate() {
            if reached.get(at) != Some(&true) {
                continue;
            }
            let (stays, moves) = match (token, letter) {
                (Token::Run, _) => (true, false),
                (Token::One, Token::Char(_)) => (false, true),
                (Token::Char(wanted), Token::Char(c)) => (false, wanted == c),
                (Token::Open(open), Token::Char(FRESH)) => (open.may_be_wild(), open.may_be_wild()),
                (Token::Open(open), Token::Char(c)) => (open.fits(*c), open.fits(*c)),
                (Token::Open(_), Token::Open(_)) => (true, true),
                _ => (false, false),
            };
            if stays {
                reach(&mut next, at);
            }
            if moves {
                reach(&mut next, at + 1);
            }
            alive |= stays || moves;
        }
        if !alive {
            return false;
        }
        std::mem::swap(&mut reached, &mut next);
    }
    reached.last() == Some(&true)
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
    use crate::glob::{Open, compile, subset};
    use overgrant_value::{Shape, Sym, Text};

    /// Open parts of three sorts: anything, an account, a name that AWS makes up.
    fn opens() -> [Token; 3] {
        let made = Sym::Attr {
            root: "r".into(),
            addr: "a".into(),
            path: "id".into(),
        };
        [
            Open::new(&Sym::Import("x".into()), Shape::ANY),
            Open::new(&Sym::Account, Sym::Account.shape()),
            Open::new(&made, made.shape()),
        ]
        .map(Token::Open)
    }

    /// Every pattern of up to `most` of these tokens.
    fn patterns(letters: &[Token], most: usize) -> Vec<Vec<Token>> {
        let mut all = vec![Vec::new()];
        let mut from = 0;
        for _ in 0..most {
            let to = all.len();
            for at in from..to {
                for letter in letters {
                    let mut longer: Vec<Token> = all[at].clone();
                    longer.push(*letter);
                    all.push(longer);
                }
            }
            from = to;
        }
        all
    }

    #[test]
    fn plain_answers_are_those_of_the_construction() {
        let letters = compile(&Text::known("ab?*"), false);
        let known = patterns(&letters, 4);
        let mut some = compile(&Text::known("a7/?*"), false);
        some.extend(opens());
        let open = patterns(&some, 3);
        for (all, loose) in [(&known, false), (&open, false), (&open, true)] {
            let (mut plain, mut asked) = (0, 0);
            for (at, inner) in all.iter().enumerate() {
                for (other, outer) in all.iter().enumerate().skip(at % 3).step_by(3) {
                    let second = &all[(at * 7 + other * 3) % all.len()];
                    let union = [outer.as_slice(), second.as_slice()];
                    for outer in [&union[..1], &union] {
                        asked += 1;
                        let answer = if loose {
                            covers_loosely(outer, inner)
                        } else {
                            covers(outer, inner)
                        };
                        if let Some(answer) = answer {
                            plain += 1;
                            assert_eq!(answer, subset(inner, outer, loose), "{inner:?} {outer:?}");
                        }
                    }
                }
            }
            assert!(plain * 10 > asked * 8, "{plain} of {asked}");
        }
    }
}
