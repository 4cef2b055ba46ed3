//! Rights that a row needs: each leg on its target, and legs on one new object together.
//!
//! Not for state outside the caller's rights. Invariant: a policy that could not be read gives no
//! right here, so that it does not give all of them.

use super::{Basis, Doubt, Evidence};
use crate::{Access, Decision, Hint};
use overgrant_catalog::call;
use overgrant_ir::IdentityId;
use overgrant_policy::{Answer, ResourcePattern};
use overgrant_value::Text;
use std::collections::BTreeMap;

/// What is held of a row so far.
#[derive(Debug, Clone)]
pub(super) struct Held {
    pub(super) answer: Answer,
    pub(super) by: Vec<Evidence>,
    pub(super) doubts: Vec<Doubt>,
}

impl Held {
    pub(super) fn sure() -> Self {
        Self {
            answer: Answer::Must,
            by: Vec::new(),
            doubts: Vec::new(),
        }
    }

    /// Both; `None` where one is not held.
    pub(super) fn and(mut self, other: Self) -> Self {
        self.answer = self.answer.and(other.answer);
        for one in other.by {
            if !self.by.contains(&one) {
                self.by.push(one);
            }
        }
        for one in other.doubts {
            self.doubt(one);
        }
        self
    }

    pub(super) fn doubt(&mut self, doubt: Doubt) {
        self.answer = self.answer.at_most_may();
        if !self.doubts.contains(&doubt) {
            self.doubts.push(doubt);
        }
    }

    /// With a condition of its own: `None` for NO.
    pub(super) fn given(mut self, answer: Answer, doubt: Doubt) -> Option<Self> {
        match answer {
            Answer::No => None,
            Answer::May => {
                self.doubt(doubt);
                Some(self)
            }
            Answer::Must => Some(self),
        }
    }
}

/// Whether the caller may do `action` on the resource, or on some resource.
pub(super) fn held(
    access: &Access<'_>,
    caller: IdentityId,
    action: &'static str,
    resource: Option<&Text>,
    hint: Hint<'_>,
) -> Option<Held> {
    let decision = access.allows_with(caller, action, resource, hint);
    let by = decision.by.filter(|_| decision.answer.possible())?;
    let mut held = Held {
        answer: decision.answer,
        by: vec![Evidence {
            action,
            basis: Basis::Policy(by),
        }],
        doubts: Vec::new(),
    };
    if decision.answer != Answer::Must {
        held.doubts = doubts(&decision);
    }
    Some(held)
}

fn doubts(decision: &Decision) -> Vec<Doubt> {
    let mut doubts = Vec::new();
    if decision.conditional {
        doubts.push(Doubt::Condition);
    }
    if decision.denied_by.is_some() {
        doubts.push(Doubt::Deny);
    }
    if decision.bounded {
        doubts.push(Doubt::Boundary);
    }
    doubts.extend(decision.guarded.map(Doubt::Organization));
    if doubts.is_empty() {
        doubts.push(Doubt::Open);
    }
    doubts
}

/// What one caller may do on some resource, each action worked out once: rows repeat them.
pub(super) struct Anywhere<'a, 'm> {
    access: &'a Access<'m>,
    caller: IdentityId,
    held: BTreeMap<&'static str, Option<Held>>,
    usable: BTreeMap<&'static str, Answer>,
}

impl<'a, 'm> Anywhere<'a, 'm> {
    pub(super) const fn new(access: &'a Access<'m>, caller: IdentityId) -> Self {
        Self {
            access,
            caller,
            held: BTreeMap::new(),
            usable: BTreeMap::new(),
        }
    }

    /// Whether the caller can make the call behind the action, as a whole.
    pub(super) fn usable(&mut self, action: &'static str) -> Answer {
        if call(action).is_none() {
            return Answer::Must;
        }
        let (access, caller) = (self.access, self.caller);
        *self
            .usable
            .entry(action)
            .or_insert_with(|| access.usable(caller, action).answer)
    }

    fn held(&mut self, action: &'static str) -> Option<Held> {
        let (access, caller) = (self.access, self.caller);
        self.held
            .entry(action)
            .or_insert_with(|| held(access, caller, action, None, Hint::default()))
            .clone()
    }
}

/// Whether the caller may do all of `actions` on one object that it names itself.
pub(super) fn joint(anywhere: &mut Anywhere<'_, '_>, actions: &[&'static str]) -> Option<Held> {
    let (access, caller) = (anywhere.access, anywhere.caller);
    let mut all = Held::sure();
    for &action in actions {
        all = all.and(anywhere.held(action)?);
    }
    for &action in actions {
        all = all.given(anywhere.usable(action), Doubt::Condition)?;
    }
    let [first, rest @ ..] = actions else {
        return Some(all);
    };
    if rest.is_empty() {
        return Some(all);
    }
    let of = |action: &str| patterns(access, caller, action);
    let rest: Vec<_> = rest.iter().map(|action| of(action)).collect();
    let Some(first) = of(first) else {
        // Everything but a list: some name is left.
        let meets = rest.iter().flatten().all(|list| !list.is_empty());
        return meets.then_some(all);
    };
    let together = first.iter().any(|one| {
        rest.iter().all(|list| {
            let Some(list) = list else { return true };
            list.iter().any(|other| one.meets(other))
        })
    });
    together.then_some(all)
}

/// The resource patterns of the caller's statements that may allow an action; `None` where one is a
/// complement or open, so that everything has to be looked at.
pub(super) fn patterns<'a>(
    access: &'a Access<'_>,
    caller: IdentityId,
    action: &str,
) -> Option<Vec<&'a ResourcePattern>> {
    let mut found = Vec::new();
    for attached in access.policies(caller) {
        for statement in attached.document.allows() {
            if !statement.actions.select(action).possible() {
                continue;
            }
            let listed = statement.resources.listed();
            if listed.negated || listed.open {
                return None;
            }
            found.extend(&listed.items);
        }
    }
    Some(found)
}
