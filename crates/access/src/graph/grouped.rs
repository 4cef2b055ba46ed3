//! Steps to groups: whoever may act on what one list of patterns names gets one edge to a hub of it.
//!
//! Not for callers whose rights hang on conditions, Denies or limits: they walk one by one. Invariant: a
//! hub leads to what the walk one by one would find, and to the caller itself, which wins nothing.

use super::fits::{Fits, members_of};
use super::legs::Held;
use super::precondition::Chosen;
use super::rows::Plan;
use super::target::Shelf;
use super::walk::{Walk, runs_code};
use super::{Basis, Doubt, Evidence, Node};
use crate::{Boundary, Hint, StatementRef, decide};
use overgrant_ir::IdentityId;
use overgrant_policy::{Answer, Effect, ResourcePattern};
use overgrant_value::Text;

/// Members from which on a group gets a hub.
const MANY: usize = 8;

/// The patterns that alone decide on what the caller may use an action, and a statement with one.
struct Uniform<'a> {
    patterns: Vec<&'a ResourcePattern>,
    by: StatementRef,
}

impl Uniform<'_> {
    /// What of a shelf the patterns may name: at least what they do.
    fn near(&self, shelf: &Shelf) -> Vec<usize> {
        let mut found = Vec::new();
        for pattern in &self.patterns {
            match shelf.near(pattern) {
                Some(near) => found.extend(near),
                None => return shelf.all.clone(),
            }
        }
        found.sort_unstable();
        found.dedup();
        found
    }

    fn matches(&self, arns: &[&Text]) -> Answer {
        let each = self.patterns.iter();
        each.flat_map(|pattern| arns.iter().map(|arn| pattern.matches(arn)))
            .max()
            .unwrap_or(Answer::No)
    }
}

impl<'a> Walk<'_, 'a, '_> {
    /// `None` where anything but the patterns of certain Allows decides, or where no pattern is wide.
    fn uniform(&self, action: &'static str, hint: Hint<'_>) -> Option<Uniform<'a>> {
        let access = self.builder.access;
        if !matches!(access.boundary(self.caller), Boundary::None) || access.is_guarded() {
            return None;
        }
        let mut found: Option<Uniform<'a>> = None;
        for (attached, one) in access.policies(self.caller).iter().enumerate() {
            for (index, statement) in one.document.statements.iter().enumerate() {
                let selected = statement.actions.select(action);
                if selected == Answer::No {
                    continue;
                }
                let listed = statement.resources.listed();
                let free = statement.conditions.is_empty()
                    || decide::holds(&statement.conditions, hint) == Some(Answer::Must);
                let plain = statement.effect == Effect::Allow
                    && selected == Answer::Must
                    && statement.is_certain()
                    && one.is_certain()
                    && free
                    && !listed.negated
                    && !listed.open;
                if !plain {
                    return None;
                }
                let by = StatementRef {
                    identity: self.caller,
                    attached,
                    statement: index,
                };
                let known = found.get_or_insert_with(|| Uniform {
                    patterns: Vec::new(),
                    by,
                });
                known.patterns.extend(&listed.items);
            }
        }
        let wide = |one: &Uniform<'a>| {
            one.patterns
                .iter()
                .any(|item| item.pattern().has_wildcard())
        };
        found.filter(wide)
    }

    /// The patterns for each action, with the evidence, and a name of them all.
    fn lists(
        &self,
        actions: &[&'static str],
        hint: Hint<'_>,
    ) -> Option<(Vec<Uniform<'a>>, Held, String)> {
        let mut held = Held::sure();
        let mut lists = Vec::new();
        let mut names: Vec<String> = Vec::new();
        for action in actions {
            let list = self.uniform(action, hint)?;
            held.by.push(Evidence {
                action,
                basis: Basis::Policy(list.by),
            });
            let mut keys: Vec<String> = list.patterns.iter().map(ToString::to_string).collect();
            keys.sort();
            keys.dedup();
            let name = keys.join(" or ");
            if !names.contains(&name) {
                names.push(name);
            }
            lists.push(list);
        }
        (!lists.is_empty()).then(|| (lists, held, names.join(" and ")))
    }

    /// An edge to the hub of the roles that the statements name; `false` where they are walked one by
    /// one.
    pub(super) fn grouped_roles(
        &mut self,
        plan: &'static Plan,
        base: &Held,
        actions: &[&'static str],
        hint: Hint<'_>,
    ) -> bool {
        let Some((lists, held, name)) = self.lists(actions, hint) else {
            return false;
        };
        let zone = self.zone.clone();
        let what = format!("{} named {name}", members_of(plan.path));
        let hub = self.builder.hub(&zone, &what, MANY, |builder| {
            let fits = Fits {
                builder,
                caller: None,
            };
            let shelf = &builder.targets.of(&zone).roles;
            let near = lists.first().map(|list| list.near(shelf));
            let member = |at: usize| {
                let role = IdentityId(at);
                let arns = builder.access.arns_for(role, role);
                let named = matched(&lists, |list| list.matches(&arns));
                if named == Answer::No {
                    return None;
                }
                let held = fits.role(plan, role)?.given(named, Doubt::Open)?;
                Some((Node::Identity(role), held))
            };
            let all = near.into_iter().flatten();
            all.filter_map(member).collect()
        });
        let Some(hub) = hub else {
            return false;
        };
        self.add(plan, Node::Hub(hub), None, base.clone().and(held));
        true
    }

    /// The same for what runs with a role.
    pub(super) fn grouped_workloads(
        &mut self,
        plan: &'static Plan,
        base: &Held,
        actions: &[&'static str],
    ) -> bool {
        let Some((lists, mut held, name)) = self.lists(actions, Hint::default()) else {
            return false;
        };
        for action in actions {
            match held.given(self.anywhere.usable(action), Doubt::Condition) {
                Some(given) => held = given,
                None => return false,
            }
        }
        let zone = self.zone.clone();
        let computes: Vec<_> = actions
            .iter()
            .map(|action| self.builder.compute(&zone, action))
            .collect();
        let Some(first) = computes.first() else {
            return false;
        };
        let what = format!("target of {} named {name}", plan.path.id);
        let hub = self.builder.hub(&zone, &what, MANY, |builder| {
            let access = builder.access;
            let member = |at: &usize| {
                let workload = access.model().workloads.get(*at)?;
                let (role, kind) = (access.role_of(*at)?, builder.kinds.get(*at)?);
                if !runs_code(workload, kind) {
                    return None;
                }
                let mut named = Answer::Must;
                for (list, compute) in lists.iter().zip(&computes) {
                    named = named.and(list.matches(&[compute.arns.get(at)?]));
                }
                let mut held = Held::sure().given(named, Doubt::Open)?;
                let chosen = Chosen {
                    role: Some(role),
                    workload: Some(workload),
                    ..Chosen::default()
                };
                for precondition in plan.path.preconditions {
                    let answer = builder.state.holds(*precondition, role, &chosen);
                    held = held.given(answer, Doubt::State(*precondition))?;
                }
                Some((Node::Workload(*at), held))
            };
            let near = lists.first().map(|list| list.near(&first.shelf));
            let all = near.into_iter().flatten();
            all.filter_map(|at| member(&at)).collect()
        });
        let Some(hub) = hub else {
            return false;
        };
        self.add(plan, Node::Hub(hub), None, base.clone().and(held));
        true
    }
}

fn matched<'a>(lists: &[Uniform<'a>], one: impl Fn(&Uniform<'a>) -> Answer) -> Answer {
    lists.iter().map(one).fold(Answer::Must, Answer::and)
}
