//! The search for all ways in which a text can fall into globs.
//!
//! Not for single texts: the point evaluator has its own matching. Invariants: a search that ran to
//! its end has visited every achievable combination of matching globs; one that hit its cap says so.
//!
//! An open part is one extra letter. Read *strictly*, a glob matches that letter by the same open
//! part and by `*` only, so that what it matches holds for every value. Read *loosely*, an open part
//! matches any text that it may stand for, on either side.

use crate::engine::globs::{Glob, Letter, Tok};
use crate::glob::Open;
use indexmap::IndexMap;
use rustc_hash::FxBuildHasher;
use smallvec::{SmallVec, smallvec};
use std::cmp::Reverse;
use std::collections::BinaryHeap;

/// A glob in one reading.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Atom<'a> {
    pub(crate) glob: &'a Glob,
    pub(crate) loose: bool,
    /// Whether an open part that is one fixed text is taken to differ from a fresh letter, which
    /// can always be chosen so.
    spare: bool,
    /// Atoms of one group say the same: which of them matches does not matter. Its own by default.
    pub(crate) group: Option<u16>,
    /// The position from which every text is in the glob.
    tail: u16,
}

impl<'a> Atom<'a> {
    pub(crate) fn new(glob: &'a Glob, loose: bool) -> Self {
        let runs = glob
            .toks
            .iter()
            .rev()
            .take_while(|tok| **tok == Tok::Run(true));
        let tail = match runs.count() {
            0 => u16::MAX,
            runs => narrow(glob.toks.len() - runs),
        };
        Self {
            glob,
            loose,
            spare: false,
            group: None,
            tail,
        }
    }

    pub(crate) fn spare(mut self, spare: bool) -> Self {
        self.spare = spare;
        self
    }
}

/// Whether the automaton of the atoms accepts the text.
pub(crate) fn walk(atoms: &[Atom<'_>], word: &[Letter]) -> bool {
    let mut state = start(atoms);
    for letter in word {
        state = step(atoms, &state, *letter);
        if state.is_empty() {
            return false;
        }
    }
    accepted(atoms, &state).next().is_some()
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
    absorb(atoms, &mut state);
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
    absorb(atoms, &mut next);
    next
}

/// Drops what can change nothing: other positions of a group of which one glob holds whatever follows.
fn absorb(atoms: &[Atom<'_>], state: &mut State) {
    let mut held: SmallVec<[(Option<u16>, u16); 4]> = SmallVec::new();
    for &(atom, at) in state.iter() {
        let Some(own) = atoms.get(usize::from(atom)) else {
            continue;
        };
        if at >= own.tail && !held.iter().any(|one| same_group(own, atom, *one)) {
            held.push((own.group, atom));
        }
    }
    if held.is_empty() {
        return;
    }
    state.retain(|(atom, at)| {
        atoms.get(usize::from(*atom)).is_none_or(|own| {
            let holder = held.iter().find(|one| same_group(own, *atom, **one));
            holder.is_none_or(|(_, holder)| holder == atom && *at >= own.tail)
        })
    });
}

fn same_group(atom: &Atom<'_>, index: u16, held: (Option<u16>, u16)) -> bool {
    match atom.group {
        Some(_) => atom.group == held.0,
        None => index == held.1,
    }
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
pub(crate) const MOST_WORK: usize = 60_000;

/// Visits, shortest text first, every combination of atoms that some text in all of `required`
/// falls into. The visitor gets the atoms and the text; it stops the search with `true`.
pub(crate) fn explore(
    atoms: &[Atom<'_>],
    required: &[usize],
    budget: &mut usize,
    mut visit: impl FnMut(&[usize], &dyn Fn() -> Vec<Letter>) -> bool,
) -> End {
    let most = usize::from(u16::MAX);
    if atoms.len() >= most || atoms.iter().any(|atom| atom.glob.toks.len() >= most) {
        return End::Capped;
    }
    let mut tree = Tree::default();
    // The shortest text first; among equals the one that was found first.
    let mut open: BinaryHeap<Reverse<(usize, usize)>> = BinaryHeap::new();
    tree.add(start(atoms), 0, 0);
    open.push(Reverse((0, 0)));
    while let Some(Reverse((length, at))) = open.pop() {
        let Some(state) = tree.enter(at) else {
            continue;
        };
        let hits: SmallVec<[usize; 8]> = accepted(atoms, &state).collect();
        if required.iter().all(|wanted| hits.contains(wanted)) && visit(&hits, &|| tree.word(at)) {
            return End::Stopped;
        }
        // Behind an edge, no state is left with one way to go.
        let only = if at == 0 {
            forced(atoms, &state, required)
        } else {
            None
        };
        for letter in only.map_or_else(|| letters(atoms, &state), |only| smallvec![only]) {
            let from = tree.letters.len();
            let next = run(atoms, &state, letter, required, budget, &mut tree.letters);
            let length = length + tree.letters.len() - from;
            match next.and_then(|next| tree.add(next, at, from)) {
                Some(node) => open.push(Reverse((length, node))),
                None if *budget == 0 => return End::Capped,
                None => tree.letters.truncate(from),
            }
        }
    }
    End::Complete
}

/// The ways of a search. Each state is kept once and known by its number.
#[derive(Default)]
struct Tree {
    states: IndexMap<State, Visit, FxBuildHasher>,
    nodes: Vec<Node>,
    /// The letters of all edges, one after the other.
    letters: Vec<Letter>,
}

/// Whether a state was entered.
#[derive(PartialEq, Eq)]
enum Visit {
    Open,
    Done,
}

struct Node {
    state: usize,
    parent: usize,
    /// Its edge: where the letters begin, and how many there are.
    edge: (usize, usize),
}

impl Tree {
    /// A node at the end of the letters from `from` on; `None` where the state was entered before.
    fn add(&mut self, state: State, parent: usize, from: usize) -> Option<usize> {
        let entry = self.states.entry(state);
        let number = entry.index();
        if *entry.or_insert(Visit::Open) == Visit::Done {
            return None;
        }
        self.nodes.push(Node {
            state: number,
            parent,
            edge: (from, self.letters.len() - from),
        });
        Some(self.nodes.len() - 1)
    }

    /// The state of a node, the first time that one is taken up.
    fn enter(&mut self, at: usize) -> Option<State> {
        let (state, visit) = self.states.get_index_mut(self.nodes.get(at)?.state)?;
        (std::mem::replace(visit, Visit::Done) == Visit::Open).then(|| state.clone())
    }

    /// The text that leads to a node.
    fn word(&self, mut at: usize) -> Vec<Letter> {
        let mut edges = Vec::new();
        while let Some(node) = self.nodes.get(at).filter(|_| at != 0) {
            edges.push(node.edge);
            at = node.parent;
        }
        let letters = edges.into_iter().rev();
        letters
            .flat_map(|(from, length)| self.letters.iter().skip(from).take(length))
            .copied()
            .collect()
    }
}

/// Steps over a letter, and on while one letter alone keeps the required atoms alive. `None` where
/// they die, or where the budget is spent (it is 0 then).
fn run(
    atoms: &[Atom<'_>],
    from: &State,
    letter: Letter,
    required: &[usize],
    budget: &mut usize,
    spelled: &mut Vec<Letter>,
) -> Option<State> {
    let mut state = from.clone();
    let mut next = Some(letter);
    while let Some(letter) = next {
        if *budget <= state.len() {
            *budget = 0;
            return None;
        }
        *budget -= state.len();
        state = step(atoms, &state, letter);
        spelled.push(letter);
        let alive = |wanted: &usize| state.iter().any(|(atom, _)| usize::from(*atom) == *wanted);
        if !required.iter().all(alive) {
            return None;
        }
        next = forced(atoms, &state, required);
    }
    Some(state)
}

/// The only letter that does not kill a required atom, where one is at a single literal character.
/// No text ends there.
fn forced(atoms: &[Atom<'_>], state: &State, required: &[usize]) -> Option<Letter> {
    let open = || {
        state
            .iter()
            .any(|at| matches!(tok_at(atoms, *at), Some(Tok::Open(_))))
    };
    required.iter().find_map(|wanted| {
        let mut own = state
            .iter()
            .filter(|(atom, _)| usize::from(*atom) == *wanted);
        let (Some(at), None) = (own.next(), own.next()) else {
            return None;
        };
        let Some(Tok::Char(c)) = tok_at(atoms, *at) else {
            return None;
        };
        // An open part of another glob may stand for the characters of one that is read loosely.
        (!is_loose(atoms, at.0) || !open()).then_some(Letter::Char(*c))
    })
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
    const CHOICES: &str = "xyzqwvkj0123456789abcdefghilmnoprstu";
    let mut fresh = '\u{b7}';
    if word.contains(&Letter::Fresh) {
        let mut named = 0_u128;
        for tok in globs.iter().flat_map(|glob| &glob.toks) {
            if let Tok::Char(c) = tok
                && c.is_ascii()
            {
                named |= 1 << u32::from(c.to_ascii_lowercase());
            }
        }
        fresh = CHOICES
            .chars()
            .find(|c| named & (1 << u32::from(*c)) == 0)
            .unwrap_or(fresh);
    }
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
    use crate::engine::globs::{Reading, generic};
    use overgrant_value::Text;
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

    /// All combinations that a whole search finds.
    fn combinations(atoms: &[Atom<'_>], required: &[usize]) -> BTreeSet<Vec<usize>> {
        let mut found = BTreeSet::new();
        let end = explore(atoms, required, &mut MOST_WORK.clone(), |hits, _| {
            found.insert(hits.to_vec());
            false
        });
        assert_eq!(end, End::Complete);
        found
    }

    #[test]
    fn every_combination_that_exists_is_found() {
        let patterns = ["a*", "*b", "*a?", "?b*", "ab", "*", "a*b", "**a", "??", ""];
        let words = texts("abc", 5);
        for first in patterns {
            for second in patterns {
                for third in ["*a*", "b?", "a"] {
                    let globs = [glob(first), glob(second), glob(third)];
                    let mut atoms = globs.each_ref().map(|glob| Atom::new(glob, false));
                    let found = combinations(&atoms, &[]);
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
                    let with = |wanted: &BTreeSet<Vec<usize>>| {
                        let hits = wanted.iter().filter(|hits| hits.contains(&0));
                        hits.cloned().collect::<BTreeSet<_>>()
                    };
                    assert_eq!(
                        combinations(&atoms, &[0]),
                        with(&wanted),
                        "{first} {second} {third}"
                    );
                    // The second and the third as one set: which of them it is does not matter.
                    atoms[1].group = Some(0);
                    atoms[2].group = Some(0);
                    let one_of = |all: BTreeSet<Vec<usize>>| -> BTreeSet<(bool, bool)> {
                        let hits = all.into_iter();
                        hits.map(|hits| (hits.contains(&0), hits.iter().any(|hit| *hit > 0)))
                            .collect()
                    };
                    assert_eq!(one_of(combinations(&atoms, &[])), one_of(wanted.clone()));
                    assert_eq!(one_of(combinations(&atoms, &[0])), one_of(with(&wanted)));
                }
            }
        }
    }

    /// Every pair of patterns up to four characters, against every text up to eight.
    #[test]
    #[ignore = "takes a minute; `cargo dev slow` runs it"]
    fn brute_force_over_a_small_alphabet() {
        let patterns: Vec<String> = texts("ab*?", 3);
        let words = texts("ab:/", 8);
        let spelled: Vec<Vec<char>> = words.iter().map(|word| word.chars().collect()).collect();
        let members: Vec<Vec<bool>> = patterns
            .iter()
            .map(|pattern| {
                let pattern: Vec<char> = pattern.chars().collect();
                spelled.iter().map(|word| plain(&pattern, word)).collect()
            })
            .collect();
        for (first, one) in patterns.iter().zip(&members) {
            for (second, two) in patterns.iter().zip(&members) {
                let globs = [glob(first), glob(second)];
                let found = combinations(&globs.each_ref().map(|glob| Atom::new(glob, false)), &[]);
                let mut wanted = BTreeSet::new();
                for (a, b) in one.iter().zip(two) {
                    let hits = [(0, *a), (1, *b)];
                    wanted.insert(
                        hits.into_iter()
                            .filter(|(_, hit)| *hit)
                            .map(|(n, _)| n)
                            .collect::<Vec<_>>(),
                    );
                }
                assert_eq!(found, wanted, "{first} {second}");
                if globs[0].surely_covers(&globs[1]) {
                    assert!(!wanted.contains(&vec![1]), "{first} {second}");
                }
            }
        }
    }

    #[test]
    fn single_texts_are_matched_as_by_recursion() {
        let patterns = [
            "a*", "*b", "*a?", "?b*", "ab", "*", "a*b", "**a", "??", "", "*a*b*", "a*:?b", "*:*",
        ];
        for word in texts("ab:", 6) {
            let chars: Vec<char> = word.chars().collect();
            for pattern in patterns {
                let wanted = plain(&pattern.chars().collect::<Vec<_>>(), &chars);
                for loose in [false, true] {
                    let got = glob(pattern).contains(&letters_of(&word), loose);
                    assert_eq!(got, wanted, "{pattern} {word}");
                }
            }
        }
    }

    #[test]
    fn generic_texts_are_in_both_globs() {
        let patterns = [
            "*",
            "arn:aws:s3:::b/*",
            "arn:*:s3:::*",
            "arn:aws:iam::1:role/?*",
            "arn:aws:s3*",
            "arn:aws:s3:::?*/?*",
            "*x*",
            "arn:aws:sqs:*:*:q?",
        ];
        let mut found = 0;
        for focus in patterns {
            for domain in patterns {
                let Some(word) = generic(&glob(focus), false, &glob(domain)) else {
                    continue;
                };
                found += 1;
                for side in [focus, domain] {
                    let one = [glob(side)];
                    assert!(
                        walk(&[Atom::new(&one[0], false)], &word),
                        "{focus} {domain}"
                    );
                }
            }
        }
        assert!(found > 2 * patterns.len(), "{found}");
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
