//! Sets of texts as globs, and the search for all ways in which a text can fall into them.
//!
//! Not for single texts: the point evaluator has its own matching. Invariants: a search that ran to
//! its end has visited every achievable combination of matching globs; one that hit its cap says so.
//!
//! An open part is one extra letter. Read *strictly*, a glob matches that letter by the same open
//! part and by `*` only, so that what it matches holds for every value. Read *loosely*, an open part
//! matches any text that it may stand for, on either side.

use crate::glob::Open;
use overgrant_value::{Piece, Sym, Text};
use rustc_hash::FxHashMap;
use smallvec::SmallVec;

/// One element of a glob.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Tok {
    Char(char),
    /// `?`; whether it may stand for a colon.
    One(bool),
    /// `*`; whether it may run over a colon.
    Run(bool),
    Open(Open),
}

/// One letter of a text with open parts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Letter {
    Char(char),
    /// A character that no glob of the question names.
    Fresh,
    Open(Open),
}

/// A compiled glob with the names of its open parts.
#[derive(Debug, Clone, Default)]
pub(crate) struct Glob {
    pub(crate) toks: Vec<Tok>,
    /// Open parts by id: what to print, and the key of a policy variable.
    pub(crate) names: SmallVec<[(u64, Name); 1]>,
    /// It can match nothing (a broken pattern).
    pub(crate) empty: bool,
}

/// What an open part is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Name {
    pub(crate) text: String,
    /// The context key of a policy variable.
    pub(crate) key: Option<String>,
}

/// How a text becomes a glob.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Reading {
    /// `*` and `?` are wildcards.
    pub(crate) wildcards: bool,
    /// Letters are made lower case.
    pub(crate) fold: bool,
    /// `${…}` is a policy variable.
    pub(crate) variables: bool,
    /// The first five colons cut it into segments, which a wildcard does not leave; missing ones
    /// are `*`.
    pub(crate) arn: bool,
}

impl Glob {
    pub(crate) fn read(text: &Text, reading: Reading) -> Self {
        let mut glob = Self::default();
        for piece in text.pieces() {
            match piece {
                Piece::Lit(lit) => glob.literal(lit.as_str(), reading),
                Piece::Hole(hole) => match &hole.sym {
                    Sym::Partition => glob.plain("aws", reading),
                    Sym::UrlSuffix => glob.plain("amazonaws.com", reading),
                    sym => glob.open(Open::new(sym, hole.shape), sym.to_string(), None),
                },
                Piece::Json(_) => glob.open(Open::UNKNOWN, "a document".to_owned(), None),
            }
        }
        if reading.arn {
            glob.cut();
        }
        glob
    }

    fn open(&mut self, open: Open, text: String, key: Option<String>) {
        self.toks.push(Tok::Open(open));
        self.names.push((open.id, Name { text, key }));
    }

    fn plain(&mut self, text: &str, reading: Reading) {
        self.toks.extend(text.chars().map(|c| match c {
            '*' if reading.wildcards => Tok::Run(true),
            '?' if reading.wildcards => Tok::One(true),
            c if reading.fold => Tok::Char(c.to_ascii_lowercase()),
            c => Tok::Char(c),
        }));
    }

    fn literal(&mut self, text: &str, reading: Reading) {
        let mut rest = text;
        while reading.variables
            && let Some((before, tail)) = rest.split_once("${")
            && let Some((name, after)) = tail.split_once('}')
        {
            self.plain(before, reading);
            if let "*" | "?" | "$" = name {
                self.toks.extend(name.chars().map(Tok::Char));
            } else {
                let key = name.split(',').next().unwrap_or_default().trim();
                let key = key.to_ascii_lowercase();
                self.open(Open::variable(&key), format!("${{{name}}}"), Some(key));
            }
            rest = after;
        }
        self.plain(rest, reading);
    }

    /// Keeps wildcards of the first five segments inside them, and pads a short ARN.
    fn cut(&mut self) {
        let arn = [
            Tok::Char('a'),
            Tok::Char('r'),
            Tok::Char('n'),
            Tok::Char(':'),
        ];
        if !self.toks.starts_with(&arn) {
            return;
        }
        let mut colons = 0;
        for tok in &mut self.toks {
            match tok {
                Tok::Char(':') => colons += 1,
                Tok::One(colon) | Tok::Run(colon) if colons < 5 => *colon = false,
                _ => {}
            }
        }
        while colons < 5 {
            colons += 1;
            self.toks.push(Tok::Char(':'));
            self.toks.push(Tok::Run(colons == 5));
        }
    }

    /// Everything.
    pub(crate) fn star() -> Self {
        Self {
            toks: vec![Tok::Run(true)],
            ..Self::default()
        }
    }

    pub(crate) fn is_star(&self) -> bool {
        !self.toks.is_empty() && self.toks.iter().all(|tok| *tok == Tok::Run(true))
    }

    /// Whether it is not `*`, and its resource part is: what may or may not take in the actions that
    /// know no resource.
    pub(crate) fn is_whole_service(&self) -> bool {
        !self.is_star() && self.toks.ends_with(&[Tok::Char(':'), Tok::Run(true)])
    }

    /// Whether a part is open.
    pub(crate) fn is_open(&self) -> bool {
        !self.names.is_empty()
    }

    /// Whether both begin with literal characters that differ, so that no text is in both.
    pub(crate) fn is_apart(&self, other: &Self) -> bool {
        for (a, b) in self.toks.iter().zip(&other.toks) {
            match (a, b) {
                (Tok::Char(a), Tok::Char(b)) if a != b => return true,
                (Tok::Char(_), Tok::Char(_)) => {}
                _ => return false,
            }
        }
        false
    }

    /// Whether a text is in the glob.
    pub(crate) fn contains(&self, word: &[Letter], loose: bool) -> bool {
        let atoms = [Atom::new(self, loose)];
        let mut state = start(&atoms);
        for letter in word {
            state = step(&atoms, &state, *letter);
            if state.is_empty() {
                return false;
            }
        }
        accepted(&atoms, &state).next().is_some()
    }

    /// Whether every text of `other` is in this glob, whatever the open parts are. Linear: a `*` of
    /// `other` may only be consumed by a `*` here, so that `false` is no proof of the opposite.
    pub(crate) fn surely_covers(&self, other: &Self) -> bool {
        if self.empty {
            return false;
        }
        let n = self.toks.len();
        let mut live = vec![false; n + 1];
        let close = |live: &mut Vec<bool>| {
            for at in 0..n {
                if live.get(at) == Some(&true)
                    && matches!(self.toks.get(at), Some(Tok::Run(_)))
                    && let Some(next) = live.get_mut(at + 1)
                {
                    *next = true;
                }
            }
        };
        if let Some(first) = live.first_mut() {
            *first = true;
        }
        close(&mut live);
        for tok in &other.toks {
            let mut next = vec![false; n + 1];
            for (at, mine) in self.toks.iter().enumerate() {
                if live.get(at) != Some(&true) {
                    continue;
                }
                let (stays, moves) = match (mine, tok) {
                    (Tok::Run(true), _) => (true, false),
                    (Tok::Run(false), Tok::Char(c)) => (*c != ':', false),
                    (Tok::Run(false), Tok::One(colon) | Tok::Run(colon)) => (!colon, false),
                    (Tok::Run(false), Tok::Open(open)) => (!open.fits(':'), false),
                    (Tok::One(any), Tok::Char(c)) => (false, *any || *c != ':'),
                    (Tok::One(any), Tok::One(colon)) => (false, *any || !colon),
                    (Tok::Char(a), Tok::Char(b)) => (false, a == b),
                    (Tok::Open(a), Tok::Open(b)) => (false, a.id == b.id && *a != Open::UNKNOWN),
                    _ => (false, false),
                };
                if stays && let Some(slot) = next.get_mut(at) {
                    *slot = true;
                }
                if moves && let Some(slot) = next.get_mut(at + 1) {
                    *slot = true;
                }
            }
            close(&mut next);
            live = next;
        }
        live.last() == Some(&true)
    }
}

/// A glob in one reading.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Atom<'a> {
    pub(crate) glob: &'a Glob,
    pub(crate) loose: bool,
    /// Whether an open part that is one fixed text is taken to differ from a fresh letter, which
    /// can always be chosen so.
    pub(crate) spare: bool,
}

impl<'a> Atom<'a> {
    pub(crate) fn new(glob: &'a Glob, loose: bool) -> Self {
        Self {
            glob,
            loose,
            spare: false,
        }
    }
}

/// Live positions, sorted: (atom, position).
type State = SmallVec<[(u16, u16); 12]>;

fn narrow(n: usize) -> u16 {
    u16::try_from(n).unwrap_or(u16::MAX)
}

fn start(atoms: &[Atom<'_>]) -> State {
    let mut state = State::new();
    for (index, atom) in atoms.iter().enumerate() {
        if !atom.glob.empty {
            state.push((narrow(index), 0));
        }
    }
    close(atoms, &mut state);
    state
}

fn tok_at<'a>(atoms: &'a [Atom<'_>], at: (u16, u16)) -> Option<&'a Tok> {
    atoms
        .get(usize::from(at.0))?
        .glob
        .toks
        .get(usize::from(at.1))
}

fn is_loose(atoms: &[Atom<'_>], atom: u16) -> bool {
    atoms.get(usize::from(atom)).is_some_and(|atom| atom.loose)
}

/// Adds the positions that are reached without a letter; sorts.
fn close(atoms: &[Atom<'_>], state: &mut State) {
    let mut index = 0;
    while let Some(&(atom, at)) = state.get(index) {
        let skips = match tok_at(atoms, (atom, at)) {
            Some(Tok::Run(_)) => true,
            Some(Tok::Open(open)) => is_loose(atoms, atom) && open.may_be_empty(),
            _ => false,
        };
        if skips {
            state.push((atom, at + 1));
        }
        index += 1;
    }
    state.sort_unstable();
    state.dedup();
}

fn step(atoms: &[Atom<'_>], state: &State, letter: Letter) -> State {
    let mut next = State::new();
    for &(atom, at) in state {
        let loose = is_loose(atoms, atom);
        if let (Letter::Open(open), true) = (letter, loose) {
            if is_aligned(atoms, state, atom, open) {
                // The same text on both sides, and nowhere else to put it.
                if tok_at(atoms, (atom, at)) == Some(&Tok::Open(open)) {
                    next.push((atom, at + 1));
                }
            } else {
                run_through(atoms, (atom, at), open, &mut next);
            }
            continue;
        }
        let Some(tok) = tok_at(atoms, (atom, at)) else {
            continue;
        };
        let (stays, moves) = match (tok, letter) {
            (Tok::Run(true), _) => (true, false),
            (Tok::Run(false), Letter::Char(c)) => (c != ':', false),
            (Tok::Run(false), Letter::Fresh) => (true, false),
            (Tok::Run(false), Letter::Open(open)) => (!open.fits(':'), false),
            (Tok::One(any), Letter::Char(c)) => (false, *any || c != ':'),
            (Tok::One(_), Letter::Fresh) => (false, true),
            (Tok::Char(p), Letter::Char(c)) => (false, *p == c),
            (Tok::Open(p), Letter::Open(open)) => (false, p.id == open.id),
            (Tok::Open(p), Letter::Char(c)) if loose => (p.fits(c), p.fits(c)),
            (Tok::Open(p), Letter::Fresh) if loose => {
                let spared = atoms.get(usize::from(atom)).is_some_and(|atom| atom.spare);
                let takes = p.may_be_wild() || !spared;
                (takes, takes)
            }
            _ => (false, false),
        };
        if stays {
            next.push((atom, at));
        }
        if moves {
            next.push((atom, at + 1));
        }
    }
    close(atoms, &mut next);
    next
}

/// Whether the atom stands at exactly one place, and that is the same open part.
fn is_aligned(atoms: &[Atom<'_>], state: &State, atom: u16, open: Open) -> bool {
    let mut own = state.iter().filter(|(which, _)| *which == atom);
    let Some(&first) = own.next() else {
        return false;
    };
    if open == Open::UNKNOWN || tok_at(atoms, first) != Some(&Tok::Open(open)) {
        return false;
    }
    let mut alone = State::new();
    alone.push(first);
    close(atoms, &mut alone);
    own.all(|at| alone.contains(at))
}

/// Where a glob may stand after a text that `open` may be.
fn run_through(atoms: &[Atom<'_>], from: (u16, u16), open: Open, next: &mut State) {
    let (atom, mut at) = from;
    if open.may_be_empty() {
        next.push((atom, at));
    }
    while let Some(tok) = tok_at(atoms, (atom, at)) {
        let (passes, stays) = match tok {
            Tok::Char(c) => (open.fits(*c), false),
            Tok::One(_) => (true, false),
            Tok::Run(_) | Tok::Open(_) => (true, true),
        };
        if !passes {
            return;
        }
        if stays {
            next.push((atom, at));
        }
        next.push((atom, at + 1));
        at += 1;
    }
}

fn accepted<'a>(atoms: &'a [Atom<'_>], state: &'a State) -> impl Iterator<Item = usize> + 'a {
    state.iter().filter_map(|&(atom, at)| {
        let index = usize::from(atom);
        atoms
            .get(index)
            .is_some_and(|atom| atom.glob.toks.len() == usize::from(at))
            .then_some(index)
    })
}

/// How a search ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum End {
    /// The visitor stopped it.
    Stopped,
    /// Every combination was visited.
    Complete,
    /// The cap was hit.
    Capped,
}

/// Most work of one question: positions that steps start from, a fraction of a microsecond each.
pub(crate) const MOST_WORK: usize = 100_000;

/// Visits, shortest text first, every combination of atoms that some text in all of `required`
/// falls into. The visitor gets the atoms and the text; it stops the search with `true`.
pub(crate) fn explore(
    atoms: &[Atom<'_>],
    required: &[usize],
    budget: &mut usize,
    mut visit: impl FnMut(&[usize], &dyn Fn() -> Vec<Letter>) -> bool,
) -> End {
    let mut seen: FxHashMap<State, ()> = FxHashMap::default();
    // The queue doubles as the tree of ways: (state, parent, letter).
    let mut queue: Vec<(State, usize, Letter)> = Vec::new();
    let first = start(atoms);
    seen.insert(first.clone(), ());
    queue.push((first, 0, Letter::Fresh));
    let mut at = 0;
    while at < queue.len() {
        let Some((state, _, _)) = queue.get(at) else {
            break;
        };
        let state = state.clone();
        let hits: SmallVec<[usize; 8]> = accepted(atoms, &state).collect();
        if required.iter().all(|wanted| hits.contains(wanted)) {
            let word = || {
                let mut word = Vec::new();
                let mut node = at;
                while node != 0 {
                    let Some((_, parent, letter)) = queue.get(node) else {
                        break;
                    };
                    word.push(*letter);
                    node = *parent;
                }
                word.reverse();
                word
            };
            if visit(&hits, &word) {
                return End::Stopped;
            }
        }
        for letter in letters(atoms, &state) {
            if *budget < state.len() {
                *budget = 0;
                return End::Capped;
            }
            *budget -= state.len();
            let next = step(atoms, &state, letter);
            let alive = required
                .iter()
                .all(|wanted| next.iter().any(|(atom, _)| usize::from(*atom) == *wanted));
            if !alive || seen.contains_key(&next) {
                continue;
            }
            seen.insert(next.clone(), ());
            queue.push((next, at, letter));
        }
        at += 1;
    }
    End::Complete
}

/// The letters that lead somewhere else than a fresh one.
fn letters(atoms: &[Atom<'_>], state: &State) -> SmallVec<[Letter; 8]> {
    let mut letters: SmallVec<[Letter; 8]> = SmallVec::new();
    letters.push(Letter::Fresh);
    let mut colon = false;
    for &at in state {
        let letter = match tok_at(atoms, at) {
            Some(Tok::Char(c)) => Letter::Char(*c),
            Some(Tok::Open(open)) => Letter::Open(*open),
            Some(Tok::One(false) | Tok::Run(false)) => {
                colon = true;
                continue;
            }
            _ => continue,
        };
        if !letters.contains(&letter) {
            letters.push(letter);
        }
    }
    if colon && !letters.contains(&Letter::Char(':')) {
        letters.push(Letter::Char(':'));
    }
    letters
}

/// Spells a text: open parts by name, fresh letters as a character that no glob names.
pub(crate) fn spell(word: &[Letter], globs: &[&Glob]) -> String {
    let named = |c: char| {
        globs.iter().any(|glob| {
            glob.toks
                .iter()
                .any(|tok| matches!(tok, Tok::Char(p) if p.eq_ignore_ascii_case(&c)))
        })
    };
    let fresh = "xyzqwvkj0123456789abcdefghilmnoprstu"
        .chars()
        .find(|c| !named(*c))
        .unwrap_or('\u{b7}');
    let mut text = String::new();
    for letter in word {
        match letter {
            Letter::Char(c) => text.push(*c),
            Letter::Fresh => text.push(fresh),
            Letter::Open(open) => {
                let name = globs
                    .iter()
                    .flat_map(|glob| &glob.names)
                    .find(|(id, _)| *id == open.id);
                match name {
                    Some((_, name)) if name.key.is_some() => text.push_str(&name.text),
                    Some((_, name)) => {
                        text.push_str("${");
                        text.push_str(&name.text);
                        text.push('}');
                    }
                    None => text.push_str("${?}"),
                }
            }
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    fn glob(pattern: &str) -> Glob {
        Glob::read(
            &Text::known(pattern),
            Reading {
                wildcards: true,
                fold: false,
                variables: true,
                arn: true,
            },
        )
    }

    fn letters_of(text: &str) -> Vec<Letter> {
        text.chars().map(Letter::Char).collect()
    }

    /// All texts over an alphabet up to a length.
    fn texts(alphabet: &str, most: usize) -> Vec<String> {
        let mut all = vec![String::new()];
        let mut from = 0;
        for _ in 0..most {
            let until = all.len();
            for at in from..until {
                for c in alphabet.chars() {
                    let longer = format!("{}{c}", all[at]);
                    all.push(longer);
                }
            }
            from = until;
        }
        all
    }

    /// Matching by the plainest recursion, to check the automata.
    fn plain(pattern: &[char], text: &[char]) -> bool {
        match pattern.split_first() {
            None => text.is_empty(),
            Some(('*', rest)) => (0..=text.len()).any(|n| plain(rest, &text[n..])),
            Some(('?', rest)) => !text.is_empty() && plain(rest, &text[1..]),
            Some((c, rest)) => text.first() == Some(c) && plain(rest, &text[1..]),
        }
    }

    #[test]
    fn every_combination_that_exists_is_found() {
        let patterns = ["a*", "*b", "*a?", "?b*", "ab", "*", "a*b", "**a", "??", ""];
        let words = texts("abc", 5);
        for first in patterns {
            for second in patterns {
                for third in ["*a*", "b?", "a"] {
                    let globs = [glob(first), glob(second), glob(third)];
                    let atoms = globs.each_ref().map(|glob| Atom::new(glob, false));
                    let mut found = BTreeSet::new();
                    let mut budget = MOST_WORK;
                    let end = explore(&atoms, &[], &mut budget, |hits, _| {
                        found.insert(hits.to_vec());
                        false
                    });
                    assert_eq!(end, End::Complete);
                    let mut wanted = BTreeSet::new();
                    for word in &words {
                        let chars: Vec<char> = word.chars().collect();
                        let hits: Vec<usize> = [first, second, third]
                            .iter()
                            .enumerate()
                            .filter(|(_, p)| plain(&p.chars().collect::<Vec<_>>(), &chars))
                            .map(|(n, _)| n)
                            .collect();
                        wanted.insert(hits);
                    }
                    assert_eq!(found, wanted, "{first} {second} {third}");
                }
            }
        }
    }

    #[test]
    fn a_sure_cover_is_a_cover() {
        let patterns = [
            "a*", "*b", "*a?", "?b*", "ab", "*", "a*b", "??", "", "a?", "*a*b*",
        ];
        let words = texts("abc", 5);
        let mut covers = 0;
        for outer in patterns {
            for inner in patterns {
                if !glob(outer).surely_covers(&glob(inner)) {
                    continue;
                }
                covers += 1;
                for word in &words {
                    let word = letters_of(word);
                    assert!(
                        !glob(inner).contains(&word, false) || glob(outer).contains(&word, false),
                        "{outer} {inner}"
                    );
                }
            }
        }
        assert!(
            covers > patterns.len(),
            "every pattern covers itself, `*` all"
        );
    }

    #[test]
    fn wildcards_stay_in_their_segment() {
        let arn = letters_of("arn:aws:iam::1:role/a:b/c");
        for (pattern, hit) in [
            ("*", true),
            ("arn:*", true),
            ("arn:aws:iam::*", true),
            ("arn:aws:i*:role/*", false),
            ("arn:aws:iam::*:role/*", true),
            ("arn:aws:*:*:*:*", true),
            ("arn:aws:iam::?:role/*", true),
            ("arn:aws:iam:?1:role/*", false),
        ] {
            assert_eq!(glob(pattern).contains(&arn, false), hit, "{pattern}");
        }
    }

    #[test]
    fn the_shortest_text_comes_first() {
        let globs = [glob("ab*"), glob("abc*"), glob("*d")];
        let atoms = globs.each_ref().map(|glob| Atom::new(glob, false));
        let mut found = None;
        explore(&atoms, &[0, 2], &mut 1_000, |hits, word| {
            if hits.contains(&1) {
                return false;
            }
            found = Some(spell(&word(), &globs.each_ref().map(|glob| glob)));
            true
        });
        assert_eq!(found.unwrap(), "abd");
    }

    #[test]
    fn variables_are_letters_of_their_own() {
        let home = glob("home/${aws:username}/*");
        let admin = glob("home/admin/*");
        let word = Glob::read(
            &Text::known("home/${aws:Username}/x"),
            Reading {
                wildcards: false,
                fold: false,
                variables: true,
                arn: false,
            },
        );
        let letters: Vec<Letter> = word
            .toks
            .iter()
            .map(|tok| match tok {
                Tok::Open(open) => Letter::Open(*open),
                Tok::Char(c) => Letter::Char(*c),
                _ => Letter::Fresh,
            })
            .collect();
        assert!(home.contains(&letters, false));
        assert!(!admin.contains(&letters, false) && admin.contains(&letters, true));
        assert!(!home.contains(&letters_of("home/admin/x"), false));
        assert!(home.contains(&letters_of("home/admin/x"), true));
        assert!(glob("home/*").surely_covers(&home));
        assert!(!home.surely_covers(&admin));
    }
}
