//! Joining references to what they mean: identities, managed policies, providers, profiles.
//!
//! Not for questions about access. Invariant: a reference is joined by a hole of the thing itself, or
//! by an equal name or ARN; the same root goes first, and another root's thing is taken only where
//! one alone fits. Partitions are never compared; a literal account that meets the account of the
//! deployment gives MAY.

use overgrant_ir::Place;
use overgrant_ir::lower::Alias;
use overgrant_policy::{Answer, Arn};
use overgrant_value::{Piece, Sym, Text};
use smol_str::SmolStr;
use std::collections::BTreeMap;

/// What a thing is known by.
pub(crate) struct Known<'a> {
    pub(crate) place: &'a Place,
    pub(crate) name: Option<&'a Text>,
    pub(crate) arn: Option<&'a Text>,
}

/// One match: the thing's index and how sure the match is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Match {
    pub(crate) index: usize,
    pub(crate) answer: Answer,
}

/// An index over things of one sort.
#[derive(Debug, Default)]
pub(crate) struct Index {
    roots: Vec<SmolStr>,
    /// (root, address) → things.
    own: BTreeMap<(SmolStr, SmolStr), Vec<usize>>,
    names: BTreeMap<String, Vec<usize>>,
    /// ARN without partition and account → (account, thing).
    arns: BTreeMap<String, Vec<(Account, usize)>>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Account {
    Own,
    Literal(SmolStr),
    Other(String),
}

impl Account {
    fn of(text: &Text) -> Self {
        match (text.as_known(), text.pieces()) {
            (Some(known), _) => Self::Literal(known),
            (None, [Piece::Hole(hole)]) if hole.sym == Sym::Account => Self::Own,
            _ => Self::Other(text.key()),
        }
    }

    fn meets(&self, other: &Self) -> Answer {
        match (self, other) {
            (a, b) if a == b => Answer::Must,
            (Self::Literal(_), Self::Literal(_)) => Answer::No,
            _ => Answer::May,
        }
    }
}

impl Index {
    pub(crate) fn new<'a>(things: impl Iterator<Item = Known<'a>>) -> Self {
        let mut index = Self::default();
        for (at, thing) in things.enumerate() {
            let place = thing.place;
            index.roots.push(place.root.clone());
            let own = (place.root.clone(), place.address.clone());
            index.own.entry(own).or_default().push(at);
            index.known_by(at, thing.name, thing.arn);
        }
        index
    }

    /// The same index with further names of some of its things.
    pub(crate) fn with_aliases(mut self, aliases: &[Alias]) -> Self {
        for alias in aliases {
            let own = (alias.root.clone(), alias.address.clone());
            for at in self.own.get(&own).cloned().unwrap_or_default() {
                self.known_by(at, Some(&alias.name), Some(&alias.arn));
            }
        }
        self
    }

    fn known_by(&mut self, at: usize, name: Option<&Text>, arn: Option<&Text>) {
        if let Some(name) = name {
            self.names.entry(name.key()).or_default().push(at);
        }
        if let Some((key, account)) = arn.and_then(arn_key) {
            self.arns.entry(key).or_default().push((account, at));
        }
    }

    /// The things that `text` means, used in `root`; of `fits` ones only.
    pub(crate) fn find(&self, text: &Text, root: &str, fits: &dyn Fn(usize) -> bool) -> Vec<Match> {
        let sure = |things: &Vec<usize>| -> Vec<Match> {
            things
                .iter()
                .filter(|index| fits(**index))
                .map(|index| Match {
                    index: *index,
                    answer: Answer::Must,
                })
                .collect()
        };
        if let [Piece::Hole(hole)] = text.pieces()
            && let Sym::Attr { root, addr, .. } = &hole.sym
        {
            let own = self.own.get(&(root.clone(), addr.clone()));
            return own.map(sure).unwrap_or_default();
        }
        if let Some((key, account)) = arn_key(text) {
            let found = self
                .arns
                .get(&key)
                .into_iter()
                .flatten()
                .filter(|(_, index)| fits(*index))
                .map(|(known, index)| Match {
                    index: *index,
                    answer: known.meets(&account),
                })
                .filter(|found| found.answer.possible())
                .collect();
            let found = self.nearest(found, root);
            if !found.is_empty() {
                return found;
            }
            // An ARN that ends in the resource's own made-up name, built by hand.
            return match text.pieces().last() {
                Some(Piece::Hole(hole)) if matches!(hole.sym, Sym::Attr { .. }) => {
                    let name = Text::from(Piece::Hole(hole.clone()));
                    self.find(&name, root, fits)
                }
                _ => Vec::new(),
            };
        }
        let named = self.names.get(&text.key()).map(sure).unwrap_or_default();
        self.nearest(named, root)
    }

    /// Those of the same root; else the one of another, where it is alone.
    fn nearest(&self, found: Vec<Match>, root: &str) -> Vec<Match> {
        let here: Vec<Match> = found
            .iter()
            .filter(|found| self.roots.get(found.index).is_some_and(|at| at == root))
            .copied()
            .collect();
        match (here.is_empty(), found.as_slice()) {
            (false, _) => here,
            // Equal names in two roots need not be one thing: they may be deployed to two accounts.
            (true, [one]) => vec![Match {
                answer: one.answer.at_most_may(),
                ..*one
            }],
            (true, _) => Vec::new(),
        }
    }
}

/// An ARN without what is not compared, and its account.
fn arn_key(text: &Text) -> Option<(String, Account)> {
    let arn = Arn::parse(text)?;
    let account = Account::of(&arn.account);
    let key = format!(
        "{}:{}:{}",
        arn.service.key(),
        arn.region.key(),
        arn.resource.key()
    );
    Some((key, account))
}
