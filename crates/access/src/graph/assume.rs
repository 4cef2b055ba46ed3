//! Who is let in by trust policies: identities of the model, the own account, services, outsiders.
//!
//! Not for the caller's own rights. Invariant: a trust that names an identity itself needs no further
//! right in the same account; one that names the account needs `sts:AssumeRole` as well. Source: AWS,
//! "Policy evaluation logic" (single account), "AWS JSON policy elements: Principal".

use super::entry::{self, Entry};
use super::legs::Held;
use super::{Basis, Doubt, Evidence};
use crate::Access;
use crate::guardrails::is_account;
use overgrant_ir::{Identity, IdentityId, IdentityKind};
use overgrant_policy::{Answer, Arn, Effect, Principal, PrincipalKind, Statement};
use overgrant_value::{Piece, Sym, Text};
use smol_str::SmolStr;

pub(super) const ASSUME: &str = "sts:AssumeRole";

/// Whom the trust policy of one role lets in.
#[derive(Debug, Default)]
pub(super) struct Trust {
    /// Identities that are named.
    pub(super) direct: Vec<(IdentityId, Held)>,
    /// Whoever the own account allows.
    pub(super) account: Option<Held>,
    /// Whoever another account allows, by its id.
    others: Vec<(SmolStr, Held)>,
    /// Outsiders, with the answer and the statement.
    pub(super) entries: Vec<(Entry, Answer, usize)>,
    /// Service principals that are let in.
    services: Vec<(String, Answer)>,
}

impl Trust {
    pub(super) fn new(access: &Access<'_>, id: IdentityId) -> Self {
        let mut trust = Self::default();
        let (Some(role), Some((_, document))) = (access.model().identity(id), access.trust(id))
        else {
            return trust;
        };
        let assumes = |statement: &Statement| {
            [
                "AssumeRole",
                "AssumeRoleWithWebIdentity",
                "AssumeRoleWithSAML",
            ]
            .iter()
            .map(|action| statement.actions.select(&format!("sts:{action}")))
            .fold(Answer::No, Answer::or)
        };
        let denied = document
            .document
            .denies()
            .any(|statement| assumes(statement).possible());
        for statement in &document.document.statements {
            let answer = assumes(statement);
            if statement.effect == Effect::Deny || answer == Answer::No {
                continue;
            }
            let mut held = Held::sure();
            held.by.push(Evidence {
                action: ASSUME,
                basis: Basis::Trust(id, statement.index),
            });
            if answer != Answer::Must || !statement.is_certain() {
                held.doubt(Doubt::Open);
            }
            if denied {
                held.doubt(Doubt::Deny);
            }
            if statement.principals.listed().negated {
                continue;
            }
            for principal in &statement.principals {
                let mut held = held.clone();
                if !principal.guard().is_always() {
                    held.doubt(Doubt::Open);
                }
                trust.principal(access, role, statement, principal, held);
            }
        }
        trust
    }

    fn principal(
        &mut self,
        access: &Access<'_>,
        role: &Identity,
        statement: &Statement,
        principal: &Principal,
        mut held: Held,
    ) {
        let own = own_account(access, role);
        let is_own = |id: &str| own.as_deref() == Some(id) || access.is_own_account(id);
        if let Some((entry, answer)) = entry::of(statement, principal, is_own) {
            let answer = answer.and(held.answer);
            self.entries.push((entry, answer, statement.index));
        }
        let narrowed = statement.conditions.narrows().possible();
        match principal.kind() {
            PrincipalKind::Service => {
                if let Some(name) = service(principal) {
                    self.services.push((name, held.answer));
                }
            }
            PrincipalKind::Anyone | PrincipalKind::Account => {
                if narrowed {
                    held.doubt(Doubt::Trust);
                }
                match principal.account() {
                    Some(id) if own.as_ref() != Some(&id) => {
                        self.others.push((id.clone(), held.clone()));
                        // It is another one, or may be the own one under its id.
                        if own.is_some() || !is_account(&id) {
                            return;
                        }
                        held.doubt(Doubt::Account);
                    }
                    _ => {}
                }
                let better = self
                    .account
                    .as_ref()
                    .is_none_or(|known| held.answer > known.answer);
                if better {
                    self.account = Some(held);
                }
            }
            PrincipalKind::Aws | PrincipalKind::Unknown => {
                let Some((id, answer)) = named(access, principal, &role.place.root) else {
                    return;
                };
                if narrowed {
                    held.doubt(Doubt::Trust);
                }
                if let Some(held) = held.given(answer, Doubt::Account) {
                    self.direct.push((id, held));
                }
            }
            PrincipalKind::UniqueId | PrincipalKind::Federated | PrincipalKind::Canonical => {}
        }
    }

    /// Whether it admits whoever another account allows, by what is known of that account.
    pub(super) fn other(&self, account: Option<&SmolStr>) -> Answer {
        let of = |(id, held): &(SmolStr, Held)| match account {
            Some(account) if account == id => held.answer,
            Some(_) => Answer::No,
            None => held.answer.at_most_may(),
        };
        self.others.iter().map(of).fold(Answer::No, Answer::or)
    }

    /// Whether one of the services may assume the role, and which.
    pub(super) fn service<'s>(&self, services: &[&'s str]) -> Option<(&'s str, Answer)> {
        let mut best: Option<(&'s str, Answer)> = None;
        for wanted in services {
            let answer = self
                .services
                .iter()
                .filter(|(name, _)| name == wanted)
                .map(|(_, answer)| *answer)
                .fold(Answer::No, Answer::or);
            if answer.possible() && best.is_none_or(|(_, known)| answer > known) {
                best = Some((wanted, answer));
            }
        }
        best
    }
}

/// The account of an identity, where it is known.
pub(super) fn own_account(access: &Access<'_>, identity: &Identity) -> Option<SmolStr> {
    access.links.accounts.known(identity)
}

/// The identity that a principal names: a user or role, or the role of a session.
fn named(access: &Access<'_>, principal: &Principal, root: &str) -> Option<(IdentityId, Answer)> {
    let text = principal.reference();
    let find = |text: &Text| {
        [IdentityKind::Role, IdentityKind::User]
            .into_iter()
            .find_map(|kind| access.link(text, root, Some(kind)))
    };
    if let Some(found) = find(text) {
        return Some(found);
    }
    let arn = Arn::parse(text)?;
    let resource = arn.resource.as_known()?;
    let name = resource.strip_prefix("assumed-role/")?.split('/').next()?;
    find(&Text::known(name)).map(|(id, answer)| (id, answer.at_most_may()))
}

/// The name of a service principal as `service.amazonaws.com`, whatever the partition's suffix and
/// the region.
fn service(principal: &Principal) -> Option<String> {
    let text = principal.reference();
    if let Some(known) = text.as_known() {
        let known = known.strip_suffix(".cn").unwrap_or(&known);
        let Some(rest) = known.strip_suffix(".amazonaws.com") else {
            return Some(known.to_owned());
        };
        let parts: Vec<&str> = rest.split('.').collect();
        let regional = parts.iter().position(|part| {
            part.matches('-').count() >= 2 && part.ends_with(|c: char| c.is_ascii_digit())
        });
        let rest = match regional {
            Some(at) if at > 0 => parts.get(..at)?.join("."),
            _ => rest.to_owned(),
        };
        return Some(format!("{rest}.amazonaws.com"));
    }
    match text.pieces() {
        [Piece::Lit(lit), Piece::Hole(hole)] if hole.sym == Sym::UrlSuffix => {
            Some(format!("{}amazonaws.com", lit.as_str()))
        }
        [Piece::Lit(lit), Piece::Hole(hole), Piece::Lit(end)]
            if hole.sym == Sym::Region && end.as_str() == ".amazonaws.com" =>
        {
            Some(format!("{}amazonaws.com", lit.as_str()))
        }
        _ => None,
    }
}
