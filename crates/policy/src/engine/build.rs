//! From compiled stacks to one question for the search.
//!
//! Not for searching. Invariant: a statement that is left out of the question cannot decide it, whatever
//! the open parts are.

use crate::ActionSet;
use crate::document::Effect;
use crate::engine::caller::{self, Class};
use crate::engine::compile::{Compiled, StatementBox};
use crate::engine::keys::Source;
use crate::engine::mask::Mask;
use crate::engine::prepared::Prepared;
use crate::engine::questions::{Limits, Zone};
use crate::engine::side::Side;
use crate::engine::solve::{Member, Query};
use crate::request::{PolicyKind, StatementRef};

/// The level under which the domain of a question is kept: no level of any policy.
pub(super) const DOMAIN_LEVEL: usize = usize::MAX;

/// Which callers a question is about.
#[derive(Debug, Clone, Copy)]
pub(super) enum Callers<'z> {
    /// The holder of the identity policies, or everybody whom a resource policy may tell apart.
    Fitting,
    Strangers,
    Outside(&'z Zone),
}

/// Builds the question in one reading; `None` where nothing can be new.
pub(super) fn build<'q>(
    new: &'q Prepared<'_>,
    old: Option<&'q Prepared<'_>>,
    within: Option<&'q Compiled<'_>>,
    limits: &Limits,
    callers: Callers<'_>,
    source: Source,
    must: bool,
) -> Option<Query<'q>> {
    let mut members: Vec<Member<'q>> = Vec::new();
    let domain = within.and_then(named_actions);
    let add = |members: &mut Vec<Member<'q>>, layers: &'q Prepared<'_>, is_new: bool| {
        for (at, boxed) in layers.boxes() {
            // What says nothing of the actions in question decides nothing.
            if domain
                .as_ref()
                .is_some_and(|domain| !boxed.actions(true).intersects(domain))
            {
                continue;
            }
            for allow in [true, false] {
                let fits = match boxed.effect {
                    Effect::Allow => allow,
                    Effect::Deny => !allow,
                    Effect::Unknown => true,
                };
                // The reading that works against the answer, or in its favour.
                let high = (is_new == allow) != must;
                let low_is_empty = !boxed.certain
                    || boxed.effect == Effect::Unknown
                    || boxed.open
                    || boxed.resources.may_be_invalid();
                if fits && (high || !low_is_empty) {
                    members.push(Member {
                        new: is_new,
                        at,
                        allow,
                        high,
                        boxed,
                    });
                }
            }
        }
    };
    add(&mut members, new, true);
    if let Some(old) = old {
        add(&mut members, old, false);
        // Where nothing is open the search decides, and sooner than more than the plain proofs.
        let open = !new.is_exact();
        if new.is_plain() && within.is_none() && (open || old.is_plain()) {
            drop_settled(&mut members, &old.tiers(), open);
        }
    }
    if !members.iter().any(|member| member.new && member.allow) {
        return None;
    }
    let mut side_new = side(new, &members, true, limits);
    let side_old = old.map_or_else(
        || Side {
            absent: true,
            ..Side::default()
        },
        |old| side(old, &members, false, limits),
    );
    if let Some(within) = within {
        let mut cap = Mask::default();
        let open = !(new.is_exact() && within.boxes.iter().all(StatementBox::is_exact));
        for boxed in &within.boxes {
            // Those of the organization do not bind every caller and service.
            let binds = |kind| !matches!(kind, PolicyKind::Scp | PolicyKind::Rcp);
            let denied = open
                && members.iter().any(|member| {
                    !member.allow
                        && binds(member.at.kind)
                        && member.boxed.effect == Effect::Deny
                        && member.boxed.surely_covers(boxed)
                });
            if boxed.effect != Effect::Allow || denied {
                continue;
            }
            cap.set(members.len());
            members.push(Member {
                new: true,
                at: StatementRef {
                    kind: PolicyKind::Session,
                    level: DOMAIN_LEVEL,
                    document: 0,
                    statement: boxed.index.unwrap_or(usize::MAX),
                },
                allow: true,
                high: !must,
                boxed,
            });
        }
        side_new.caps.push((PolicyKind::Session, cap));
    }
    let classes = classes(new, old, limits, callers);
    Some(Query {
        members,
        new: side_new,
        old: side_old,
        classes,
        source,
        domain,
        axioms: limits.axioms,
        must,
        budget: limits.steps,
    })
}

/// The actions of a domain that names them all, each one of the catalog.
fn named_actions(domain: &Compiled<'_>) -> Option<ActionSet> {
    let mut all = ActionSet::empty();
    for boxed in &domain.boxes {
        let actions = boxed.statement?.actions.listed();
        let named = actions.present && !actions.negated && !actions.open;
        if !named || actions.items.iter().any(|item| item.action().is_none()) {
            return None;
        }
        all.add_all(boxed.actions(true));
    }
    Some(all)
}

/// Drops statements that cannot decide: a Deny of the old side that a Deny of the new side covers, or
/// that speaks of nothing which the new side allows, and an Allow of the new side that an Allow of the old side covers while no Deny of the old side
/// is left that could take it back: in each of the `tiers`, which all have to allow. Holds whatever the
/// open parts are.
fn drop_settled(members: &mut Vec<Member<'_>>, tiers: &[(PolicyKind, usize)], open: bool) {
    let settled_denies: Vec<bool> = members
        .iter()
        .map(|old| {
            if old.new || old.allow {
                return false;
            }
            let mut new_side = members.iter().filter(|one| one.new);
            let denied = new_side.clone().any(|new| {
                !new.allow && new.boxed.effect == Effect::Deny && new.boxed.surely_covers(old.boxed)
            });
            let apart = |new: &Member<'_>| !new.allow || new.boxed.surely_apart(old.boxed);
            denied || open && new_side.all(apart)
        })
        .collect();
    let mut index = 0;
    members.retain(|_| {
        index += 1;
        !settled_denies.get(index - 1).copied().unwrap_or(false)
    });
    if members.iter().any(|member| !member.new && !member.allow) {
        return;
    }
    let settled_allows: Vec<bool> = members
        .iter()
        .map(|new| {
            new.new
                && new.allow
                && tiers.iter().all(|(kind, level)| {
                    members.iter().any(|old| {
                        !old.new
                            && old.allow
                            && (old.at.kind, old.at.level) == (*kind, *level)
                            && old.boxed.effect == Effect::Allow
                            && old.boxed.surely_covers(new.boxed)
                    })
                })
        })
        .collect();
    let mut index = 0;
    members.retain(|_| {
        index += 1;
        !settled_allows.get(index - 1).copied().unwrap_or(false)
    });
}

fn side(layers: &Prepared<'_>, members: &[Member<'_>], is_new: bool, limits: &Limits) -> Side {
    let mask = |kind: PolicyKind, level: Option<usize>, allow: bool| {
        let mut mask = Mask::default();
        for (bit, member) in members.iter().enumerate() {
            let here = member.new == is_new
                && member.allow == allow
                && member.at.kind == kind
                && level.is_none_or(|level| member.at.level == level);
            if here {
                mask.set(bit);
            }
        }
        mask
    };
    let mut side = Side {
        identity: mask(PolicyKind::Identity, None, true),
        boundary: layers
            .stack
            .boundary
            .is_some()
            .then(|| mask(PolicyKind::Boundary, None, true)),
        session: layers
            .stack
            .session
            .is_some()
            .then(|| mask(PolicyKind::Session, None, true)),
        resource: layers
            .has_resource()
            .then(|| mask(PolicyKind::Resource, None, true)),
        only_resource: layers.has_resource() && !layers.has_identity() && limits.caller.is_none(),
        cross_account: limits.cross_account,
        ..Side::default()
    };
    for level in 0..layers.stack.scp.len() {
        let allows = mask(PolicyKind::Scp, Some(level), true);
        side.caps.push((PolicyKind::Scp, allows));
    }
    for level in 0..layers.stack.rcp.len() {
        let allows = mask(PolicyKind::Rcp, Some(level), true);
        side.caps.push((PolicyKind::Rcp, allows));
    }
    if layers.stack.endpoint.is_some() {
        let allows = mask(PolicyKind::Endpoint, None, true);
        side.caps.push((PolicyKind::Endpoint, allows));
    }
    for kind in [
        PolicyKind::Identity,
        PolicyKind::Boundary,
        PolicyKind::Session,
        PolicyKind::Resource,
        PolicyKind::Scp,
        PolicyKind::Rcp,
        PolicyKind::Endpoint,
    ] {
        let denies = mask(kind, None, false);
        if denies != Mask::default() {
            side.denies.push((kind, denies));
        }
    }
    side
}

fn classes(
    new: &Prepared<'_>,
    old: Option<&Prepared<'_>>,
    limits: &Limits,
    callers: Callers<'_>,
) -> Vec<Class> {
    if let Some(caller) = &limits.caller {
        return vec![Class::caller(caller)];
    }
    let documents = || {
        let sides = [Some(new), old].into_iter().flatten();
        sides.filter_map(|side| side.stack.resource)
    };
    match callers {
        Callers::Strangers => vec![Class::anonymous(), Class::stranger(), Class::any_service()],
        Callers::Outside(zone) => caller::named(documents())
            .into_iter()
            .filter(|class| {
                class
                    .account()
                    .is_some_and(|account| !zone.accounts.iter().any(|own| *own == account))
            })
            .collect(),
        Callers::Fitting if new.has_resource() && !new.has_identity() => {
            let mut classes = vec![Class::anonymous(), Class::stranger(), Class::any_service()];
            classes.extend(caller::named(documents()));
            classes
        }
        Callers::Fitting => vec![Class::holder()],
    }
}
