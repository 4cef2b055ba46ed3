//! Which account a thing is in, and whether two things are in one.
//!
//! Not for judging accounts: rules do. Invariant: MUST and NO rest on ids that are said: by a provider,
//! by a stack's environment, by the list of the user's accounts, or by one thing that a root names both
//! by its own symbol and with a literal account. Everything else is MAY.

use crate::guardrails::is_account;
use overgrant_ir::{Identity, Model, Place};
use overgrant_policy::{Answer, Arn};
use overgrant_value::{Piece, Src, Sym, Text};
use smol_str::{SmolStr, format_smolstr};
use std::cell::LazyCell;
use std::collections::{BTreeMap, BTreeSet};

/// The account of a thing.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Whose {
    /// An id.
    Known(SmolStr),
    /// That of a root, which nobody says.
    Root(SmolStr),
    /// That of something else, such as another provider, by its symbol.
    Other(SmolStr),
}

/// The accounts of a model.
#[derive(Debug, Default)]
pub(crate) struct Accounts {
    own: Vec<SmolStr>,
    roots: BTreeMap<SmolStr, SmolStr>,
}

impl Accounts {
    pub(crate) fn new(model: &Model) -> Self {
        let mut all = Self {
            own: model.accounts.own.clone(),
            roots: named_both_ways(model),
        };
        // What is said goes before what follows.
        all.roots.extend(model.accounts.roots.clone());
        all
    }

    /// The account of a root: its own, or the only one that the user has.
    pub(crate) fn of_root(&self, root: &str) -> Option<&SmolStr> {
        self.roots.get(root).or(match self.own.as_slice() {
            [only] => Some(only),
            _ => None,
        })
    }

    /// Whether nothing is known of the accounts of roots.
    pub(crate) fn are_silent(&self) -> bool {
        self.roots.is_empty() && self.own.len() != 1
    }

    /// Whether an id is one of the user's, or of a root.
    pub(crate) fn is_own(&self, id: &str) -> bool {
        self.own.iter().any(|own| own == id) || self.roots.values().any(|own| own == id)
    }

    pub(crate) fn root(&self, root: &str) -> Whose {
        let known = self.of_root(root).cloned();
        known.map_or_else(|| Whose::Root(root.into()), Whose::Known)
    }

    /// The account field of an ARN that is used in a root.
    pub(crate) fn field(&self, account: &Text, root: &str) -> Whose {
        match (account.as_known(), account.pieces()) {
            (Some(id), _) if is_account(&id) => Whose::Known(id),
            (None, [Piece::Hole(hole)]) if hole.sym == Sym::Account => self.root(root),
            _ => Whose::Other(format_smolstr!("{root}#{}", account.key())),
        }
    }

    pub(crate) fn of(&self, identity: &Identity) -> Whose {
        let root = &identity.place.root;
        match Arn::parse(&identity.arn) {
            Some(arn) if arn.service.is("iam") => self.field(&arn.account, root),
            _ => self.root(root),
        }
    }

    /// The account id of an identity, where it is known.
    pub(crate) fn known(&self, identity: &Identity) -> Option<SmolStr> {
        match self.of(identity) {
            Whose::Known(id) => Some(id),
            _ => None,
        }
    }

    /// The ARN of an identity with its known account as a literal instead of the symbol, or as the
    /// symbol instead of the literal.
    pub(crate) fn also(&self, identity: &Identity) -> Option<Text> {
        let id = self.known(identity)?;
        let literal = is_literal(&identity.arn);
        if literal && self.of_root(&identity.place.root) != Some(&id) {
            return None;
        }
        let other = if literal {
            Text::hole(Sym::Account, Src::none())
        } else {
            Text::known(&id)
        };
        Some(with_account(&Arn::parse(&identity.arn)?, &other))
    }

    /// Whether two are one account.
    pub(crate) fn same(&self, a: &Whose, b: &Whose) -> Answer {
        match (a, b) {
            (Whose::Known(a), Whose::Known(b)) => Answer::from_bool(a == b),
            (a, b) if a == b => Answer::Must,
            // A root is deployed into an account of the user.
            (Whose::Known(id), Whose::Root(_)) | (Whose::Root(_), Whose::Known(id))
                if !self.own.is_empty() && !self.is_own(id) =>
            {
                Answer::No
            }
            _ => Answer::May,
        }
    }

    /// A name for everything that surely is in the account.
    pub(crate) fn zone(&self, whose: &Whose) -> SmolStr {
        match whose {
            Whose::Known(id) => format_smolstr!("#{id}"),
            Whose::Root(root) | Whose::Other(root) => root.clone(),
        }
    }
}

/// The roots in which one thing is named by its symbol and with a literal account, which then is the
/// root's; not where literals of several accounts mean things of the root.
fn named_both_ways(model: &Model) -> BTreeMap<SmolStr, SmolStr> {
    let own: LazyCell<BTreeMap<(&str, String), &str>, _> = LazyCell::new(|| {
        let named = model.identities.iter().filter_map(|identity| {
            let place = &identity.place;
            let arn = Arn::parse(&identity.arn)?;
            matches!(arn.account.pieces(), [Piece::Hole(hole)] if hole.sym == Sym::Account).then(
                || {
                    (
                        (place.root.as_str(), arn.resource.key()),
                        place.address.as_str(),
                    )
                },
            )
        });
        named.collect()
    });
    let mut symbols: BTreeSet<(&str, &str)> = BTreeSet::new();
    let mut literals: BTreeMap<&str, BTreeSet<(SmolStr, &str)>> = BTreeMap::new();
    for (
        text,
        Place {
            root, address: by, ..
        },
    ) in references(model)
    {
        let root = root.as_str();
        if let [Piece::Hole(hole)] = text.pieces() {
            if let Sym::Attr { root: of, addr, .. } = &hole.sym
                && of == root
                && addr != by
            {
                symbols.insert((of, addr));
            }
        } else if may_name_account(text)
            && let Some(arn) = Arn::parse(text)
            && let Some(id) = arn.account.as_known().filter(|id| is_account(id))
            && let Some(address) = own.get(&(root, arn.resource.key()))
        {
            literals.entry(root).or_default().insert((id, address));
        }
    }
    literals
        .into_iter()
        .filter_map(|(root, found)| {
            let ids: BTreeSet<&SmolStr> = found.iter().map(|(id, _)| id).collect();
            let both = found
                .iter()
                .any(|(_, address)| symbols.contains(&(root, address)));
            match ids.into_iter().collect::<Vec<_>>().as_slice() {
                [only] if both => Some((root.into(), (*only).clone())),
                _ => None,
            }
        })
        .collect()
}

/// Whether digits stand in the text, without which it names no account.
fn may_name_account(text: &Text) -> bool {
    text.pieces().iter().any(|piece| match piece {
        Piece::Lit(lit) => lit.as_str().contains(|c: char| c.is_ascii_digit()),
        Piece::Hole(_) | Piece::Json(_) => false,
    })
}

/// The references to identities, with what holds them.
fn references(model: &Model) -> impl Iterator<Item = (&Text, &Place)> {
    let workloads = model
        .workloads
        .iter()
        .map(|one| (&one.role.text, &one.place));
    let attachments = model
        .attachments
        .iter()
        .map(|one| (&one.identity.text, &one.place));
    let documents = model.documents.iter().flat_map(|one| {
        let targets = one.targets.iter().map(|target| (&target.text, &one.place));
        let statements = one.document.statements.iter();
        let principals = statements
            .flat_map(|statement| statement.principals.iter())
            .map(|principal| (principal.reference(), &one.place));
        targets.chain(principals)
    });
    workloads.chain(attachments).chain(documents)
}

/// Whether the account of an ARN is written as an id.
pub(crate) fn is_literal(arn: &Text) -> bool {
    let account = Arn::parse(arn).and_then(|arn| arn.account.as_known());
    account.is_some_and(|id| is_account(&id))
}

/// An ARN with another account.
pub(crate) fn with_account(arn: &Arn, account: &Text) -> Text {
    let colon = Text::known(":");
    let parts = [
        &arn.partition,
        &arn.service,
        &arn.region,
        account,
        &arn.resource,
    ];
    parts.into_iter().fold(Text::known("arn"), |text, part| {
        text.concat(&colon).concat(part)
    })
}
