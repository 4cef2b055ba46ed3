//! Matching of `*` and `?` on texts that may have holes.
//!
//! Not for ARN segments, which `arn` cuts first. Invariant: no recursion; a hole stands for one
//! fixed run of characters, so it is covered by itself and by `*`, and covers only itself for sure.
//! The partition's hole is `aws` here: front ends replace it where something says otherwise.

use crate::quick;
use overgrant_value::{Answer, Piece, Shape, Sym, Text};
use rustc_hash::FxHashSet;
use std::hash::{DefaultHasher, Hash, Hasher};

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
    Open(Open),
}

/// A run holds a million of them.
const _: () = assert!(size_of::<Token>() == 8);

/// Which open part: equal for equal symbols. 48 bits, so that a token is as small as two characters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct OpenId([u16; 3]);

impl OpenId {
    fn of(what: impl Hash) -> Self {
        let mut hasher = DefaultHasher::new();
        what.hash(&mut hasher);
        let [a, b, c, d, e, f, ..] = hasher.finish().to_le_bytes();
        Self([[a, b], [c, d], [e, f]].map(u16::from_le_bytes))
    }
}

/// An open part: which one, and what is known of its characters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Open {
    pub(crate) id: OpenId,
    shape: Shape,
    class: Class,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Class {
    Any,
    /// Account ids.
    Digits,
    /// Regions.
    Region,
}

impl Open {
    /// A policy variable: any text, the same wherever the variable is named.
    pub(crate) fn variable(name: &str) -> Self {
        Self {
            id: OpenId::of(("policy variable", name)),
            shape: Shape::NO_WILDCARD,
            class: Class::Any,
        }
    }

    pub(crate) fn new(sym: &Sym, shape: Shape) -> Self {
        let class = match sym {
            Sym::Account => Class::Digits,
            Sym::Region => Class::Region,
            _ => Class::Any,
        };
        // What AWS makes up for a resource holds no wildcard.
        let shape = match sym {
            Sym::Attr { .. } => shape.with(Shape::NO_WILDCARD),
            _ => shape,
        };
        Self {
            id: OpenId::of(sym),
            shape,
            class,
        }
    }

    /// An open part of which nothing is known and that equals no other.
    pub(crate) const UNKNOWN: Self = Self {
        id: OpenId([0; 3]),
        shape: Shape::ANY,
        class: Class::Any,
    };

    pub(crate) fn fits(self, c: char) -> bool {
        let class = match self.class {
            Class::Any => true,
            Class::Digits => c.is_ascii_digit(),
            Class::Region => c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-',
        };
        class
            && !(c == ':' && self.shape.has(Shape::NO_COLON))
            && !(c == '/' && self.shape.has(Shape::NO_SLASH))
    }

    /// Whether nothing is known of its characters.
    pub(crate) fn is_any_text(self) -> bool {
        self.may_be_wild() && self.fits(':') && self.fits('/')
    }

    pub(crate) fn may_be_wild(self) -> bool {
        self.class == Class::Any && !self.shape.has(Shape::NO_WILDCARD)
    }

    /// Whether it may be any text at all.
    pub(crate) fn is_free(self) -> bool {
        self.class == Class::Any && self.shape == Shape::ANY
    }

    pub(crate) fn may_be_empty(self) -> bool {
        !self.shape.has(Shape::NOT_EMPTY)
    }
}

/// Compiles a pattern. `fold` makes letters lower case (actions ignore case).
pub(crate) fn compile(text: &Text, fold: bool) -> Vec<Token> {
    let mut tokens = Vec::new();
    for piece in text.pieces() {
        match piece {
            Piece::Lit(lit) => literal(lit.as_str(), fold, &mut tokens),
            Piece::Hole(hole) => match &hole.sym {
                Sym::Partition => literal("aws", fold, &mut tokens),
                Sym::UrlSuffix => literal("amazonaws.com", fold, &mut tokens),
                sym => tokens.push(Token::Open(Open::new(sym, hole.shape))),
            },
            Piece::Json(_) => tokens.push(Token::Open(Open::UNKNOWN)),
        }
    }
    // A run holds tens of thousands of patterns.
    tokens.shrink_to_fit();
    tokens
}

fn literal(text: &str, fold: bool, tokens: &mut Vec<Token>) {
    tokens.extend(text.chars().map(|c| match c {
        '*' => Token::Run,
        '?' => Token::One,
        c if fold => Token::Char(c.to_ascii_lowercase()),
        c => Token::Char(c),
    }));
}

/// Whether a part of the pattern is open.
pub(crate) fn is_open(pattern: &[Token]) -> bool {
    pattern.iter().any(|token| matches!(token, Token::Open(_)))
}

/// Whether the pattern is one literal or open text: it has no wildcard.
pub(crate) fn is_single(pattern: &[Token]) -> bool {
    !pattern
        .iter()
        .any(|token| matches!(token, Token::Run | Token::One))
}

/// Whether the pattern is `*` (or `**`).
pub(crate) fn is_run(pattern: &[Token]) -> bool {
    !pattern.is_empty() && pattern.iter().all(|token| *token == Token::Run)
}

/// Whether the pattern matches the known text. With holes it never does so for sure.
pub(crate) fn matches(pattern: &[Token], text: &str) -> Answer {
    if !is_open(pattern) {
        return Answer::from_bool(matches_known(pattern, text));
    }
    let mut states = Nfa::start(&[pattern], true);
    for c in text.chars() {
        states = Nfa::step(&[pattern], &states, Letter::Char(c), true);
        if states.is_empty() {
            return Answer::No;
        }
    }
    if Nfa::accepts(&[pattern], &states) {
        Answer::May
    } else {
        Answer::No
    }
}

/// Linear in pattern times text: only the last `*` is ever tried again.
fn matches_known(pattern: &[Token], text: &str) -> bool {
    // The characters before the first `*` or `?` rule out nearly all.
    let mut chars = text.chars();
    for token in pattern {
        match token {
            Token::Char(wanted) if chars.next() != Some(*wanted) => return false,
            Token::Char(_) => {}
            _ => break,
        }
    }
    let text: Vec<char> = text.chars().collect();
    let (mut p, mut t) = (0, 0);
    let mut back: Option<(usize, usize)> = None;
    while let Some(&c) = text.get(t) {
        match pattern.get(p) {
            Some(Token::Run) => {
                back = Some((p, t));
                p += 1;
            }
            Some(Token::One) => {
                p += 1;
                t += 1;
            }
            Some(Token::Char(wanted)) if *wanted == c => {
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
    pattern
        .get(p..)
        .is_some_and(|rest| rest.iter().all(|token| *token == Token::Run))
}

/// Whether every text that `inner` matches is matched by `outer` too (both may hold wildcards).
pub(crate) fn covers(outer: &[Token], inner: &[Token]) -> Answer {
    union_covers(&[outer], inner)
}

/// Whether every text that `inner` matches is matched by one of `outer` at least.
///
/// Exact for patterns without holes: the subset construction runs on the fly over the characters
/// that occur in any pattern, the holes, and one character that occurs in none.
pub(crate) fn union_covers(outer: &[&[Token]], inner: &[Token]) -> Answer {
    if outer.iter().any(|pattern| {
        is_run(pattern) || *pattern == inner && !inner.contains(&Token::Open(Open::UNKNOWN))
    }) {
        return Answer::Must;
    }
    let near: Vec<&[Token]> = outer
        .iter()
        .copied()
        .filter(|pattern| !differ(pattern, inner))
        .collect();
    let outer = near.as_slice();
    if outer.is_empty() {
        return Answer::No;
    }
    let covered = quick::covers(outer, inner);
    if covered.unwrap_or_else(|| subset(inner, outer, false)) {
        return Answer::Must;
    }
    let outer_open = outer.iter().any(|pattern| is_open(pattern));
    if is_open(inner) {
        // Some value of the open part may be covered.
        let common = outer.iter().any(|pattern| intersects(inner, pattern));
        return Answer::from_bool(common).at_most_may();
    }
    let loosely = || quick::covers_loosely(outer, inner);
    if outer_open && loosely().unwrap_or_else(|| subset(inner, outer, true)) {
        return Answer::May;
    }
    Answer::No
}

/// Whether the characters before the first wildcard or open part, or those behind the last, tell at
/// once that no text is matched by both.
fn differ(a: &[Token], b: &[Token]) -> bool {
    fn unlike<'a>(mut pairs: impl Iterator<Item = (&'a Token, &'a Token)>) -> bool {
        pairs.find_map(|pair| match pair {
            (Token::Char(a), Token::Char(b)) if a == b => None,
            (Token::Char(_), Token::Char(_)) => Some(true),
            _ => Some(false),
        }) == Some(true)
    }
    unlike(a.iter().zip(b)) || unlike(a.iter().rev().zip(b.iter().rev()))
}

/// Whether some text is matched by both, open parts standing for any run they can be.
pub(crate) fn intersects(a: &[Token], b: &[Token]) -> bool {
    let absorbs = |eater: Option<&Token>, eaten: Option<&Token>| match (eater, eaten) {
        (_, None) => false,
        (Some(Token::Run), _) => true,
        (Some(Token::Open(open)), Some(Token::Char(c))) => open.fits(*c),
        (Some(Token::Open(_)), _) => true,
        _ => false,
    };
    let skips = |token: Option<&Token>| match token {
        Some(Token::Run) => true,
        Some(Token::Open(open)) => open.may_be_empty(),
        _ => false,
    };
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
        if skips(x) {
            stack.push((i + 1, j));
        }
        if skips(y) {
            stack.push((i, j + 1));
        }
        if absorbs(x, y) {
            stack.extend([(i, j + 1), (i + 1, j + 1)]);
        }
        if absorbs(y, x) {
            stack.extend([(i + 1, j), (i + 1, j + 1)]);
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

/// One symbol of the words that patterns describe.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Letter {
    Char(char),
    /// The text of an open part, as a whole.
    Open(OpenId),
    /// A character that no pattern names.
    Fresh,
}

/// Positions in a union of patterns: (which, where).
type States = Vec<(usize, usize)>;

/// Steps of the position automaton. With `loose`, open parts may take any value that they can
/// have; without, each is matched by itself and by `*` only.
struct Nfa;

impl Nfa {
    fn start(patterns: &[&[Token]], loose: bool) -> States {
        let first = (0..patterns.len()).map(|which| (which, 0)).collect();
        Self::closure(patterns, first, loose)
    }

    fn closure(patterns: &[&[Token]], mut states: States, loose: bool) -> States {
        let mut index = 0;
        while let Some(&(which, at)) = states.get(index) {
            let skips = match patterns.get(which).and_then(|pattern| pattern.get(at)) {
                Some(Token::Run) => true,
                Some(Token::Open(open)) => loose && open.may_be_empty(),
                _ => false,
            };
            if skips && !states.contains(&(which, at + 1)) {
                states.push((which, at + 1));
            }
            index += 1;
        }
        states.sort_unstable();
        states.dedup();
        states
    }

    fn step(patterns: &[&[Token]], states: &States, letter: Letter, loose: bool) -> States {
        let mut next = States::new();
        for &(which, at) in states {
            let Some(token) = patterns.get(which).and_then(|pattern| pattern.get(at)) else {
                continue;
            };
            let (stays, moves) = match (token, letter) {
                (Token::Run, _) => (true, false),
                (Token::One, Letter::Char(_) | Letter::Fresh) => (false, true),
                (Token::Char(p), Letter::Char(c)) => (false, *p == c),
                (Token::Open(open), Letter::Open(id)) => (loose, open.id == id || loose),
                (Token::Open(open), Letter::Char(c)) if loose => (open.fits(c), open.fits(c)),
                (Token::Open(open), Letter::Fresh) if loose => {
                    (open.may_be_wild(), open.may_be_wild())
                }
                _ => (false, false),
            };
            if stays {
                next.push((which, at));
            }
            if moves {
                next.push((which, at + 1));
            }
        }
        next.sort_unstable();
        next.dedup();
        Self::closure(patterns, next, loose)
    }

    /// The tokens that come next.
    fn tokens<'a>(
        patterns: &'a [&'a [Token]],
        states: &'a States,
    ) -> impl Iterator<Item = &'a Token> {
        states
            .iter()
            .filter_map(|&(which, at)| patterns.get(which)?.get(at))
    }

    /// Whether a pattern has nothing but `*` left, at least one.
    fn absorbs(patterns: &[&[Token]], states: &States) -> bool {
        states.iter().any(|&(which, at)| {
            patterns
                .get(which)
                .and_then(|pattern| pattern.get(at..))
                .is_some_and(is_run)
        })
    }

    fn accepts(patterns: &[&[Token]], states: &States) -> bool {
        states.iter().any(|&(which, at)| {
            patterns
                .get(which)
                .is_some_and(|pattern| pattern.len() == at)
        })
    }
}

/// Language inclusion of a pattern in a union. Gives up (false) on very large ones.
pub(crate) fn subset(inner: &[Token], outer: &[&[Token]], loose: bool) -> bool {
    const MOST_STATES: usize = 20_000;
    let mut alphabet: Vec<Letter> = outer
        .iter()
        .flat_map(|pattern| pattern.iter())
        .chain(inner)
        .filter_map(|token| match token {
            Token::Char(c) => Some(Letter::Char(*c)),
            Token::Open(open) => Some(Letter::Open(open.id)),
            _ => None,
        })
        .collect();
    alphabet.push(Letter::Fresh);
    alphabet.sort_unstable();
    alphabet.dedup();
    let own = [inner];
    let mut seen = FxHashSet::default();
    let mut stack = vec![(Nfa::start(&own, false), Nfa::start(outer, loose))];
    while let Some(state) = stack.pop() {
        if seen.len() > MOST_STATES {
            return false;
        }
        let (a, b) = &state;
        if Nfa::accepts(&own, a) && !Nfa::accepts(outer, b) {
            return false;
        }
        // Whatever follows is matched.
        if Nfa::absorbs(outer, b) {
            continue;
        }
        let wild = Nfa::tokens(&own, a).any(|token| matches!(token, Token::Run | Token::One));
        for &letter in &alphabet {
            // Without a wildcard, only the letters that come next lead on.
            let next = |token: &Token| match (token, letter) {
                (Token::Char(p), Letter::Char(c)) => *p == c,
                (Token::Open(open), Letter::Open(id)) => open.id == id,
                _ => false,
            };
            if !wild && !Nfa::tokens(&own, a).any(next) {
                continue;
            }
            // Where nobody waits for this very character, it is as good as a fresh one.
            let plain = matches!(letter, Letter::Char(_)) && !loose;
            if plain && !Nfa::tokens(&own, a).chain(Nfa::tokens(outer, b)).any(next) {
                continue;
            }
            // A `*` of the inner pattern stands for characters, not for somebody's open part.
            if matches!(letter, Letter::Open(id) if !a.iter().any(|(_, at)| {
                matches!(inner.get(*at), Some(Token::Open(open)) if open.id == id)
            })) {
                continue;
            }
            let next = Nfa::step(&own, a, letter, false);
            if next.is_empty() {
                continue;
            }
            let next = (next, Nfa::step(outer, b, letter, loose));
            // The inner pattern can always be completed, and the others have given up.
            if next.1.is_empty() {
                return false;
            }
            if !seen.contains(&next) {
                seen.insert(next.clone());
                stack.push(next);
            }
        }
    }
    true
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

    fn input(name: &str) -> Text {
        let sym = Sym::Input {
            root: "r".into(),
            module: "".into(),
            name: name.into(),
        };
        Text::hole(sym, overgrant_value::Src::none())
    }

    fn attr(path: &str) -> Text {
        let sym = Sym::Attr {
            root: "r".into(),
            addr: "aws_s3_bucket.b".into(),
            path: path.into(),
        };
        Text::hole(sym, overgrant_value::Src::none())
    }

    fn compiled(text: &Text) -> Vec<Token> {
        compile(text, false)
    }

    #[test]
    fn a_hole_is_covered_by_itself_and_by_a_run() {
        let objects = attr("arn").concat(&Text::known("/*"));
        let logs = attr("arn").concat(&Text::known("/logs/*"));
        let other = attr("id").concat(&Text::known("/logs/*"));
        assert_eq!(covers(&compiled(&objects), &compiled(&logs)), Answer::Must);
        assert_eq!(covers(&compiled(&logs), &compiled(&objects)), Answer::May);
        assert_eq!(covers(&compiled(&objects), &compiled(&other)), Answer::May);
        assert_eq!(covers(&tokens("*/*"), &compiled(&logs)), Answer::Must);
        assert_eq!(covers(&tokens("a?"), &compiled(&attr("arn"))), Answer::May);
    }

    #[test]
    fn only_a_hole_that_may_hold_a_wildcard_may_cover_one() {
        let var = input("prefix").concat(&Text::known("x"));
        let fixed = attr("id").concat(&Text::known("x"));
        assert_eq!(covers(&compiled(&var), &tokens("*x")), Answer::May);
        assert_eq!(covers(&compiled(&fixed), &tokens("*x")), Answer::No);
        assert_eq!(covers(&compiled(&fixed), &tokens("abx")), Answer::May);
        assert_eq!(
            covers(&compiled(&fixed), &tokens("x")),
            Answer::No,
            "an id is not empty"
        );
    }

    #[test]
    fn the_shape_of_a_hole_rules_characters_out() {
        let account = Text::hole(Sym::Account, overgrant_value::Src::none());
        assert_eq!(matches(&compiled(&account), "123456789012"), Answer::May);
        assert_eq!(matches(&compiled(&account), "root"), Answer::No);
        assert!(!intersects(&compiled(&account), &tokens("a*")));
        let partition = Text::hole(Sym::Partition, overgrant_value::Src::none());
        assert_eq!(covers(&compiled(&partition), &tokens("aws")), Answer::Must);
        assert_eq!(covers(&compiled(&partition), &tokens("aws-cn")), Answer::No);
    }

    #[test]
    fn unlike_ends_rule_a_pattern_out() {
        for (a, b, unlike) in [
            ("arn:aws:s3:::*", "arn:aws:sqs:*", true),
            ("*/a", "*/b", true),
            ("ab", "abc", true),
            ("a?c", "abc", false),
            ("a*", "*a", false),
            ("", "a", false),
        ] {
            let (a, b) = (tokens(a), tokens(b));
            assert_eq!((differ(&a, &b), differ(&b, &a)), (unlike, unlike));
            assert!(!unlike || covers(&a, &b) == Answer::No && !intersects(&a, &b));
        }
    }

    #[test]
    fn unions_cover_together() {
        let (a, b) = (tokens("a*"), tokens("b*"));
        let union = [a.as_slice(), b.as_slice()];
        assert_eq!(union_covers(&union, &tokens("a?")), Answer::Must);
        assert_eq!(union_covers(&union, &tokens("?")), Answer::No);
        let (any, none) = (tokens("?*"), tokens(""));
        assert_eq!(union_covers(&[&any, &none], &tokens("*")), Answer::Must);
    }
}
