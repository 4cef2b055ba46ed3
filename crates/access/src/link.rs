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
    /// Name → things; see [`Index::sorted`].
    names: BTreeMap<String, Vec<usize>>,
    /// ARN without partition and account → (account, thing); see [`Index::sorted`].
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
        index.sorted()
    }

    /// The same index with the things of one root together in each list, so that those of a root are
    /// found without a look at the thousand others of the name.
    fn sorted(mut self) -> Self {
        let roots = &self.roots;
        for list in self.names.values_mut() {
            list.sort_by_key(|at| roots.get(*at));
        }
        for list in self.arns.values_mut() {
            list.sort_by_key(|(_, at)| roots.get(*at));
        }
        self
    }

    /// The same index with further names of some of its things.
    pub(crate) fn with_aliases(mut self, aliases: &[Alias]) -> Self {
        for alias in aliases {
            let own = (alias.root.clone(), alias.address.clone());
            for at in self.own.get(&own).cloned().unwrap_or_default() {
                self.known_by(at, Some(&alias.name), Some(&alias.arn));
            }
        }
        self.sorted()
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
        let sure = |index: &usize| {
            fits(*index).then_some(Match {
                index: *index,
                answer: Answer::Must,
            })
        };
        if let [Piece::Hole(hole)] = text.pieces()
            && let Sym::Attr { root, addr, .. } = &hole.sym
        {
            let own = self.own.get(&(root.clone(), addr.clone()));
            return own.into_iter().flatten().filter_map(sure).collect();
        }
        if let Some((key, account)) = arn_key(text) {
            let list = self.arns.get(&key).map(Vec::as_slice).unwrap_or_default();
            let meets = |(known, index): &(Account, usize)| {
                let answer = known.meets(&account);
                (answer.possible() && fits(*index)).then_some(Match {
                    index: *index,
                    answer,
                })
            };
            let found = self.nearest(list, root, |(_, index)| *index, meets);
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
        let list = self.names.get(&text.key());
        let list = list.map(Vec::as_slice).unwrap_or_default();
        self.nearest(list, root, |index| *index, sure)
    }

    /// Those of the same root; else the one of another, where it is alone.
    fn nearest<T>(
        &self,
        list: &[T],
        root: &str,
        index: impl Fn(&T) -> usize,
        found: impl Fn(&T) -> Option<Match>,
    ) -> Vec<Match> {
        let of = |one: &T| self.roots.get(index(one)).map_or("", SmolStr::as_str);
        let start = list.partition_point(|one| of(one) < root);
        let own = list.get(start..).unwrap_or_default();
        let own = own.iter().take_while(|one| of(one) == root);
        let here: Vec<Match> = own.filter_map(&found).collect();
        if !here.is_empty() {
            return here;
        }
        let mut others = list.iter().filter_map(&found);
        match (others.next(), others.next()) {
            // Equal names in two roots need not be one thing: they may be deployed to two accounts.
            (Some(one), None) => vec![Match {
                answer: one.answer.at_most_may(),
                ..one
            }],
            _ => Vec::new(),
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
