//! Globs: sets of texts with wildcards and open parts, and what can be said of them without a search.
//!
//! Not for searches over several globs. Invariant: a cover or an instance that is given is one; none
//! given proves nothing.

use crate::engine::automaton::{Atom, walk};
use crate::glob::{Open, OpenId};
use overgrant_value::{Piece, Sym, Text};
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
    pub(crate) names: SmallVec<[(OpenId, Name); 1]>,
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
        if self.empty {
            return false;
        }
        if self.names.is_empty() {
            return closed_contains(&self.toks, word, loose);
        }
        walk(&[Atom::new(self, loose)], word)
    }

    /// Whether every text of `other` is in this glob, whatever the open parts are. Linear: a `*` of
    /// `other` may only be consumed by a `*` here, so that `false` is no proof of the opposite.
    pub(crate) fn surely_covers(&self, other: &Self) -> bool {
        if self.empty {
            return false;
        }
        greedy(&self.toks, &other.toks, |mine, theirs| {
            match (mine, theirs) {
                (Tok::Run(true), _) => true,
                (Tok::Run(false), Tok::Char(c)) => c != ':',
                (Tok::Run(false), Tok::One(colon) | Tok::Run(colon)) => !colon,
                (Tok::Run(false), Tok::Open(open)) => !open.fits(':'),
                (Tok::One(any), Tok::Char(c)) => *any || c != ':',
                (Tok::One(any), Tok::One(colon)) => *any || !colon,
                (Tok::Char(a), Tok::Char(b)) => *a == b,
                (Tok::Open(a), Tok::Open(b)) => a.id == b.id && *a != Open::UNKNOWN,
                _ => false,
            }
        })
    }
}

/// Whether a text is in a glob without open parts, by the last wildcard that may take more. That is
/// enough: wildcards that stop at colons stand between colons, so that each segment of the text has
/// one segment of the glob to match.
fn closed_contains(toks: &[Tok], word: &[Letter], loose: bool) -> bool {
    if loose && word.iter().any(|letter| matches!(letter, Letter::Open(_))) {
        // An open letter may be any number of characters.
        let glob = Glob {
            toks: toks.to_vec(),
            ..Glob::default()
        };
        let atoms = [Atom::new(&glob, loose)];
        return walk(&atoms, word);
    }
    let takes = |tok: &Tok, letter: Letter| match (tok, letter) {
        (Tok::Run(true) | Tok::One(true), _) => {
            !matches!((tok, letter), (Tok::One(_), Letter::Open(_)))
        }
        (Tok::Run(false), Letter::Char(c)) | (Tok::One(false), Letter::Char(c)) => c != ':',
        (Tok::Run(false) | Tok::One(false), Letter::Fresh) => true,
        (Tok::Run(false), Letter::Open(open)) => !open.fits(':'),
        (Tok::Char(own), Letter::Char(c)) => *own == c,
        _ => false,
    };
    greedy(toks, word, takes)
}

/// Matches letters against tokens; only the last run is ever widened.
fn greedy<L: Copy>(toks: &[Tok], word: &[L], takes: impl Fn(&Tok, L) -> bool) -> bool {
    let (mut at, mut tok) = (0, 0);
    // The last run: its token, and how much of the text it has taken.
    let mut run: Option<(usize, usize)> = None;
    while let Some(letter) = word.get(at).copied() {
        match toks.get(tok) {
            Some(Tok::Run(_)) => {
                run = Some((tok, at));
                tok += 1;
                continue;
            }
            Some(own) if takes(own, letter) => {
                at += 1;
                tok += 1;
                continue;
            }
            _ => {}
        }
        let Some((star, taken)) = run else {
            return false;
        };
        let more = match (toks.get(star), word.get(taken)) {
            (Some(star), Some(letter)) => takes(star, *letter),
            _ => false,
        };
        if !more {
            return false;
        }
        run = Some((star, taken + 1));
        at = taken + 1;
        tok = star + 1;
    }
    toks.iter().skip(tok).all(|tok| matches!(tok, Tok::Run(_)))
}

/// A text in both globs, each wildcard a fresh letter: what shows most differences at once. `None`
/// proves nothing. Segments of ARNs are put together one by one.
pub(crate) fn generic(focus: &Glob, loose: bool, domain: &Glob) -> Option<Vec<Letter>> {
    let fits = |word: &[Letter]| focus.contains(word, loose) && domain.contains(word, true);
    if !focus.is_star() {
        let own = instance(&focus.toks);
        if fits(&own) {
            return Some(own);
        }
    }
    let whole = instance(&domain.toks);
    if fits(&whole) {
        return Some(whole);
    }
    let colon = |tok: &Tok| *tok == Tok::Char(':');
    let mut word = Vec::with_capacity(focus.toks.len() + domain.toks.len());
    let mut others = domain.toks.splitn(6, colon);
    for (index, own) in focus.toks.splitn(6, colon).enumerate() {
        let other = others.next()?;
        if index > 0 {
            word.push(Letter::Char(':'));
        }
        let wild = own.iter().all(|tok| matches!(tok, Tok::Run(_)));
        word.extend(instance(if wild { other } else { own }));
    }
    (others.next().is_none() && fits(&word)).then_some(word)
}

/// The tokens as a text; wildcards side by side give one letter.
fn instance(toks: &[Tok]) -> Vec<Letter> {
    let mut word: Vec<Letter> = Vec::with_capacity(toks.len());
    let mut wild = false;
    for tok in toks {
        match tok {
            Tok::Char(c) => word.push(Letter::Char(*c)),
            Tok::Open(open) => word.push(Letter::Open(*open)),
            Tok::One(_) => word.push(Letter::Fresh),
            Tok::Run(_) if !wild => word.push(Letter::Fresh),
            Tok::Run(_) => {}
        }
        wild = matches!(tok, Tok::One(_) | Tok::Run(_));
    }
    word
}
