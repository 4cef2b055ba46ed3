//! Joining references to what they mean: identities, managed policies, providers, profiles.
//!
//! Not for questions about access. Invariant: a reference is joined by a hole of the thing itself, or
//! by an equal name or ARN; the same root goes first, and another root's thing is taken only where
//! one alone fits. Partitions are never compared; accounts are where both sides are known, and else
//! give MAY.

use crate::account::{Accounts, Whose};
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
    arns: BTreeMap<String, Vec<(Whose, usize)>>,
}

impl Index {
    pub(crate) fn new<'a>(accounts: &Accounts, things: impl Iterator<Item = Known<'a>>) -> Self {
        let mut index = Self::default();
        for (at, thing) in things.enumerate() {
            let place = thing.place;
            index.roots.push(place.root.clone());
            let own = (place.root.clone(), place.address.clone());
            index.own.entry(own).or_default().push(at);
            index.known_by(accounts, at, thing.name, thing.arn);
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
    pub(crate) fn with_aliases(mut self, accounts: &Accounts, aliases: &[Alias]) -> Self {
        for alias in aliases {
            let own = (alias.root.clone(), alias.address.clone());
            for at in self.own.get(&own).cloned().unwrap_or_default() {
                self.known_by(accounts, at, Some(&alias.name), Some(&alias.arn));
            }
        }
        self.sorted()
    }

    fn known_by(
        &mut self,
        accounts: &Accounts,
        at: usize,
        name: Option<&Text>,
        arn: Option<&Text>,
    ) {
        if let Some(name) = name {
            self.names.entry(name.key()).or_default().push(at);
        }
        if let (Some((key, account)), Some(root)) = (arn.and_then(arn_key), self.roots.get(at)) {
            let whose = accounts.field(&account, root);
            self.arns.entry(key).or_default().push((whose, at));
        }
    }

    /// The things that `text` means, used in `root`; of `fits` ones only.
    pub(crate) fn find(
        &self,
        accounts: &Accounts,
        text: &Text,
        root: &str,
        fits: &dyn Fn(usize) -> bool,
    ) -> Vec<Match> {
        let with = |index: usize, answer: Answer| {
            (answer.possible() && fits(index)).then_some(Match { index, answer })
        };
        if let [Piece::Hole(hole)] = text.pieces()
            && let Sym::Attr { root, addr, .. } = &hole.sym
        {
            let own = self.own.get(&(root.clone(), addr.clone()));
            let own = own.into_iter().flatten();
            return own.filter_map(|at| with(*at, Answer::Must)).collect();
        }
        if let Some((key, account)) = arn_key(text) {
            let account = accounts.field(&account, root);
            let list = self.arns.get(&key).map(Vec::as_slice).unwrap_or_default();
            let meets =
                |(known, index): &(Whose, usize)| with(*index, accounts.same(known, &account));
            let found = self.nearest(accounts, list, root, |(_, index)| *index, meets);
            if !found.is_empty() {
                return found;
            }
            // An ARN that ends in the resource's own made-up name, built by hand.
            return match text.pieces().last() {
                Some(Piece::Hole(hole)) if matches!(hole.sym, Sym::Attr { .. }) => {
                    let name = Text::from(Piece::Hole(hole.clone()));
                    self.find(accounts, &name, root, fits)
                }
                _ => Vec::new(),
            };
        }
        let list = self.names.get(&text.key());
        let list = list.map(Vec::as_slice).unwrap_or_default();
        let own = accounts.root(root);
        let named = |index: &usize| match self.roots.get(*index) {
            Some(other) if other != root => {
                with(*index, accounts.same(&own, &accounts.root(other)))
            }
            _ => with(*index, Answer::Must),
        };
        self.nearest(accounts, list, root, |index| *index, named)
    }

    /// The sure ones of the same root; else the sure one of another, else what is possible: here, or
    /// elsewhere where it is alone. Equal names in two roots need not be one thing.
    fn nearest<T>(
        &self,
        accounts: &Accounts,
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
        let is_sure = |one: &Match| one.answer == Answer::Must;
        // Without accounts nothing elsewhere is surer.
        if here.iter().any(is_sure) || !here.is_empty() && accounts.are_silent() {
            return here;
        }
        let (mut all, mut sure): (Vec<Match>, Vec<Match>) = (Vec::new(), Vec::new());
        for one in list.iter().filter(|one| of(one) != root).filter_map(&found) {
            if is_sure(&one) {
                sure.push(one);
            }
            all.push(one);
            if all.len() > 1 && accounts.are_silent() {
                break;
            }
        }
        match (sure.as_slice(), all.as_slice()) {
            ([_], _) => sure,
            _ if !here.is_empty() => here,
            (_, [_]) => all,
            _ => Vec::new(),
        }
    }
}

/// An ARN without what is not compared, and its account.
fn arn_key(text: &Text) -> Option<(String, Text)> {
    let arn = Arn::parse(text)?;
    let key = format!(
        "{}:{}:{}",
        arn.service.key(),
        arn.region.key(),
        arn.resource.key()
    );
    Some((key, arn.account))
}
