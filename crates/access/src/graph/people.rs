//! Steps onto users and groups of the account.
//!
//! Invariant: as for all steps, see `walk`.

use super::legs::Held;
use super::precondition::Chosen;
use super::rows::Plan;
use super::tags::Onto;
use super::walk::Walk;
use super::{Doubt, Node};
use overgrant_catalog::{Gain, Precondition, TargetKind};
use overgrant_ir::IdentityId;
use overgrant_policy::Answer;

impl Walk<'_, '_, '_> {
    pub(super) fn users(&mut self, plan: &'static Plan, base: &Held) -> Option<()> {
        let actions = plan.on(TargetKind::User);
        if plan.needs(Precondition::TargetIsCaller) {
            let chosen = Chosen {
                user: Some(self.caller),
                action: actions.first().copied().unwrap_or_default(),
                ..Chosen::default()
            };
            let held = base.clone().and(self.on(self.caller, actions)?);
            let held = self.state(plan, &chosen, held)?;
            return self.on_itself(plan, held);
        }
        let first = *actions.first()?;
        for user in self.candidates(first, |shelves| &shelves.users, false) {
            if user != self.caller {
                let _ = self.user(plan, base, user, actions);
            }
        }
        Some(())
    }

    fn user(
        &mut self,
        plan: &'static Plan,
        base: &Held,
        user: IdentityId,
        actions: &[&'static str],
    ) -> Option<()> {
        let chosen = Chosen {
            user: Some(user),
            ..Chosen::default()
        };
        let on = self.on(user, actions)?;
        let mut rest = self.state(plan, &chosen, base.clone())?;
        let own = Node::Identity(user);
        let (to, via) = if plan.path.gain == Gain::Credentials {
            (Node::Data, Some(own))
        } else if plan.writes_policy() {
            rest = rest.given(self.builder.access.unbound(user), Doubt::Boundary)?;
            (Node::Admin, Some(own))
        } else {
            (own, None)
        };
        let identity = self.builder.access.model().identity(user)?;
        if on.answer == Answer::May && rest.answer == Answer::Must && to != Node::Data {
            let onto = Onto {
                to,
                via,
                own: user,
                arn: identity.arn.clone(),
                kind: TargetKind::User,
            };
            self.guarded(plan, onto, rest.clone());
        }
        self.add(plan, to, via, on.and(rest));
        Some(())
    }

    pub(super) fn groups(&mut self, plan: &'static Plan, base: &Held) -> Option<()> {
        let actions = plan.on(TargetKind::Group);
        let first = *actions.first()?;
        for group in self.candidates(first, |shelves| &shelves.groups, false) {
            let chosen = Chosen {
                group: Some(group),
                action: first,
                ..Chosen::default()
            };
            let Some(held) = self.on(group, actions) else {
                continue;
            };
            let Some(held) = self.state(plan, &chosen, base.clone().and(held)) else {
                continue;
            };
            if plan.path.gain == Gain::AdminIfTarget {
                self.add(plan, Node::Identity(group), None, held);
            } else {
                self.on_itself(plan, held);
            }
        }
        Some(())
    }
}
