//! The steps of one caller: every row of the catalog tried on what the caller may do.
//!
//! Not for what follows from a step. Invariant: a row is tried only if each of its actions is in some
//! statement of the caller; of several ways to walk a row to one end the surest is kept.

use super::assume::ASSUME;
use super::build::Builder;
use super::command;
use super::fits::{Fits, members_of};
use super::legs::{Anywhere, Held, held, joint, patterns};
use super::precondition::Chosen;
use super::rows::{Plan, Select, rows};
use super::tags::Onto;
use super::target::{self, Shelf};
use super::{Doubt, Edge, EdgeKind, Node};
use crate::{Boundary, Hint};
use overgrant_catalog::{
    Caller, Category, EscalationPath, Gain, Level, Precondition, Target, TargetKind,
};
use overgrant_ir::{DocumentId, Identity, IdentityId, IdentityKind};
use overgrant_policy::Answer;
use overgrant_value::Text;
use smol_str::SmolStr;
use std::collections::BTreeMap;

/// One caller on its way through the rows.
pub(super) struct Walk<'b, 'a, 'm> {
    pub(super) builder: &'b mut Builder<'a, 'm>,
    pub(super) caller: IdentityId,
    identity: &'m Identity,
    /// The account that it acts in.
    pub(super) zone: SmolStr,
    /// Its rights on some resource.
    pub(super) anywhere: Anywhere<'a, 'm>,
    /// Joint tests of new objects, by their actions.
    joints: BTreeMap<Vec<&'static str>, Option<Held>>,
    /// Steps by row and end.
    found: BTreeMap<(&'static str, Node), Edge>,
}

impl<'b, 'a, 'm> Walk<'b, 'a, 'm> {
    pub(super) fn new(
        builder: &'b mut Builder<'a, 'm>,
        caller: IdentityId,
        identity: &'m Identity,
    ) -> Self {
        Self {
            zone: builder.access.zone(caller),
            anywhere: Anywhere::new(builder.access, caller),
            builder,
            caller,
            identity,
            joints: BTreeMap::new(),
            found: BTreeMap::new(),
        }
    }

    /// Tries every row.
    pub(super) fn all(mut self) {
        let possible = self.possible();
        let user = matches!(self.identity.kind, IdentityKind::User | IdentityKind::Group);
        for plan in &rows().plans {
            let walks = match plan.path.caller {
                Caller::Any => true,
                Caller::User => user,
                Caller::Role => self.identity.kind == IdentityKind::Role,
            };
            if walks
                && plan
                    .actions
                    .iter()
                    .all(|at| possible.get(*at) == Some(&true))
            {
                // `None` ends a row where something of it is missing.
                let _ = self.row(plan);
            }
        }
        let Self { builder, found, .. } = self;
        builder.edges.extend(found.into_values());
    }

    /// Which actions of the rows some statement of the caller may allow.
    fn possible(&self) -> Vec<bool> {
        let actions = &rows().actions;
        let mut possible = vec![false; actions.len()];
        for attached in self.builder.access.policies(self.caller) {
            for statement in attached.document.allows() {
                let may = statement.actions.may();
                for (is, (name, id)) in possible.iter_mut().zip(actions) {
                    *is |= match id {
                        Some(id) => may.contains(*id),
                        None => statement.actions.select(name).possible(),
                    };
                }
            }
        }
        // A trust that names the caller is enough to assume.
        for (is, (name, _)) in possible.iter_mut().zip(actions) {
            *is |= *name == ASSUME;
        }
        possible
    }

    fn row(&mut self, plan: &'static Plan) -> Option<()> {
        let mut base = Held::sure();
        if plan.path.level == Level::Own {
            base.doubt(Doubt::Unproven);
        }
        for (target, actions) in &plan.letters {
            if !is_selected(plan, *target) {
                base = base.and(self.support(plan, *target, actions)?);
            }
        }
        if plan.on(TargetKind::Existing).contains(&command::SEND) {
            base = base.given(
                command::sends(self.builder.access, self.caller),
                Doubt::Open,
            )?;
        }
        match plan.select {
            Select::Role => self.roles(plan, &base),
            Select::User => self.users(plan, &base),
            Select::Group => self.groups(plan, &base),
            Select::Policy => self.policies(plan, &base),
            Select::Existing => self.existing(plan, &base),
            Select::Nothing => self.nothing(plan, base),
        }
    }

    /// Rights on what is not chosen among.
    fn support(
        &mut self,
        plan: &'static Plan,
        target: Target,
        actions: &[&'static str],
    ) -> Option<Held> {
        match target.kind {
            TargetKind::Role => self.second_role(plan, target, actions),
            TargetKind::Group => {
                let groups = self.builder.targets.of(&self.zone);
                let strong = groups
                    .groups
                    .all
                    .iter()
                    .map(|id| IdentityId(*id))
                    .find(|id| self.builder.admins.get(id.0) == Some(&Answer::Must))?;
                self.on(strong, actions)
            }
            TargetKind::Existing => {
                let mut held = self.joint(actions)?;
                let kinds = actions
                    .first()
                    .map(|one| target::kinds(one))
                    .unwrap_or_default();
                let stack = kinds.contains(&"cloudformationstack")
                    && !self.identity.place.format.is_terraform();
                if !stack && !self.any_workload(actions) {
                    held.doubt(Doubt::Absent);
                }
                Some(held)
            }
            _ => self.joint(actions),
        }
    }

    /// Whether something that the actions change is in the root and within the caller's reach.
    fn any_workload(&mut self, actions: &[&'static str]) -> bool {
        let near = self.near_workloads(actions);
        near.into_iter()
            .any(|at| self.on_workload(at, actions, Hint::default()).is_some())
    }

    /// What the statements for the first action may name.
    fn near_workloads(&mut self, actions: &[&'static str]) -> Vec<usize> {
        let Some(first) = actions.first() else {
            return Vec::new();
        };
        let compute = self.builder.compute(&self.zone, first);
        let Some(list) = patterns(self.builder.access, self.caller, first) else {
            return compute.shelf.all.clone();
        };
        let mut found = Vec::new();
        for pattern in list {
            match compute.shelf.near(pattern) {
                Some(near) => found.extend(near),
                None => return compute.shelf.all.clone(),
            }
        }
        found.sort_unstable();
        found.dedup();
        found
    }

    /// The actions on a workload, each under the ARN that it knows.
    pub(super) fn on_workload(
        &mut self,
        at: usize,
        actions: &[&'static str],
        hint: Hint<'_>,
    ) -> Option<Held> {
        let mut held = Held::sure();
        for action in actions {
            let compute = self.builder.compute(&self.zone, action);
            let arn = compute.arns.get(&at)?;
            held = held.and(self.leg(action, Some(arn), hint)?);
        }
        Some(held)
    }

    /// A further role that has to be passed: any that fits.
    fn second_role(
        &self,
        plan: &'static Plan,
        target: Target,
        actions: &[&'static str],
    ) -> Option<Held> {
        let services: Vec<&str> = plan
            .path
            .services_all
            .iter()
            .filter(|one| one.role == target)
            .map(|one| one.principal)
            .collect();
        let roles = &self.builder.targets.of(&self.zone).roles.all;
        roles
            .iter()
            .filter_map(|at| {
                let role = IdentityId(*at);
                let held = self.trusted_by(role, &services, true)?;
                let hint = Hint {
                    passed_to: services.first().copied(),
                    ..Hint::default()
                };
                Some(held.and(self.with(role, actions, hint)?))
            })
            .max_by_key(|held| held.answer)
    }

    /// Whether the role lets the services assume it: all of them, or one.
    fn trusted_by(&self, role: IdentityId, services: &[&str], all: bool) -> Option<Held> {
        let trust = self.builder.state.trusts.get(role.0)?;
        let held = Held::sure();
        if services.is_empty() {
            return Some(held);
        }
        if !all {
            let (_, answer) = trust.service(services)?;
            return held.given(answer, Doubt::Trust);
        }
        services.iter().try_fold(held, |held, one| {
            let (_, answer) = trust.service(&[one])?;
            held.given(answer, Doubt::Trust)
        })
    }

    fn joint(&mut self, actions: &[&'static str]) -> Option<Held> {
        if let Some(known) = self.joints.get(actions) {
            return known.clone();
        }
        let found = joint(&mut self.anywhere, actions);
        self.joints.insert(actions.to_vec(), found.clone());
        found
    }

    fn leg(&self, action: &'static str, on: Option<&Text>, hint: Hint<'_>) -> Option<Held> {
        held(self.builder.access, self.caller, action, on, hint)
    }

    /// The actions on an identity.
    pub(super) fn on(&self, id: IdentityId, actions: &[&'static str]) -> Option<Held> {
        self.with(id, actions, Hint::default())
    }

    pub(super) fn with(
        &self,
        id: IdentityId,
        actions: &[&'static str],
        hint: Hint<'_>,
    ) -> Option<Held> {
        let arns = self.builder.access.arns_for(self.caller, id);
        actions.iter().try_fold(Held::sure(), |all, action| {
            let mut best: Option<Held> = None;
            for arn in &arns {
                let held = self.leg(action, Some(arn), hint)?;
                if best.as_ref().is_none_or(|best| held.answer > best.answer) {
                    best = Some(held);
                }
            }
            Some(all.and(best?))
        })
    }

    fn on_arn(&self, arn: &Text, actions: &[&'static str], hint: Hint<'_>) -> Option<Held> {
        actions.iter().try_fold(Held::sure(), |all, action| {
            Some(all.and(self.leg(action, Some(arn), hint)?))
        })
    }

    /// The preconditions of the row, given what is chosen.
    pub(super) fn state(&self, plan: &Plan, chosen: &Chosen<'_>, mut held: Held) -> Option<Held> {
        for precondition in plan.path.preconditions {
            let answer = self.builder.state.holds(*precondition, self.caller, chosen);
            held = held.given(answer, Doubt::State(*precondition))?;
        }
        Some(held)
    }

    pub(super) fn add(&mut self, plan: &Plan, to: Node, via: Option<Node>, held: Held) {
        let from = Node::Identity(self.caller);
        if to == from {
            return;
        }
        let edge = Edge {
            from,
            to,
            kind: kind(plan.path),
            path: Some(plan.path),
            answer: held.answer,
            by: held.by,
            doubts: held.doubts,
            via,
            tagging: None,
        };
        let slot = self.found.entry((plan.path.id, to));
        match slot {
            std::collections::btree_map::Entry::Vacant(slot) => {
                slot.insert(edge);
            }
            std::collections::btree_map::Entry::Occupied(mut slot) => {
                if edge.answer > slot.get().answer {
                    slot.insert(edge);
                }
            }
        }
    }

    fn roles(&mut self, plan: &'static Plan, base: &Held) -> Option<()> {
        let actions = plan.on(TargetKind::Role);
        let zone = self.zone.clone();
        if plan.needs(Precondition::TargetIsCaller) {
            let chosen = Chosen {
                role: Some(self.caller),
                action: actions.first().copied().unwrap_or_default(),
                ..Chosen::default()
            };
            let held = base.clone().and(self.on(self.caller, actions)?);
            let held = self.state(plan, &chosen, held)?;
            return self.on_itself(plan, held);
        }
        let by_trust = plan.needs(Precondition::RoleTrustsCaller);
        let alone = plan.on(TargetKind::Policy).is_empty();
        let profiled = plan.needs(Precondition::InstanceProfilePresent) && self.fills_profile();
        let plain = alone && !plan.writes_policy() && plan.path.gain != Gain::Guardrail;
        if plain && !profiled {
            let hint = Hint {
                passed_to: match plan.path.services_any {
                    [one] => Some(one),
                    _ => None,
                },
                ..Hint::default()
            };
            let every = self.on_arn(&target::any("role"), actions, hint);
            if let Some(every) = every.filter(|held| held.answer == Answer::Must) {
                let what = members_of(plan.path);
                let hub = self.builder.hub(&zone, &what, 1, |builder| {
                    let roles = builder.targets.of(&zone).roles.all.clone();
                    let walk = Fits {
                        builder,
                        caller: None,
                    };
                    roles
                        .into_iter()
                        .filter_map(|at| {
                            let held = walk.role(plan, IdentityId(at))?;
                            Some((Node::Identity(IdentityId(at)), held))
                        })
                        .collect()
                })?;
                let held = base.clone().and(every);
                self.add(plan, Node::Hub(hub), None, held);
                return Some(());
            }
            if self.grouped_roles(plan, base, actions, hint) {
                return Some(());
            }
        }
        let first = *actions.first()?;
        let mut roles = self.candidates(first, |shelves| &shelves.roles, true);
        if by_trust {
            let naming = self.builder.state.naming.get(&self.caller);
            roles.extend(naming.into_iter().flatten());
            roles.sort_unstable();
            roles.dedup();
        }
        for role in roles {
            if role != self.caller {
                let _ = self.role(plan, base, role, actions);
            }
        }
        Some(())
    }

    fn role(
        &mut self,
        plan: &'static Plan,
        base: &Held,
        role: IdentityId,
        actions: &[&'static str],
    ) -> Option<()> {
        let fits = Fits {
            builder: self.builder,
            caller: Some(self.caller),
        };
        let mut held = base.clone().and(fits.role(plan, role)?);
        let rest = held.clone();
        let services: Vec<&str> = plan.path.services_any.to_vec();
        let passed_to = self
            .builder
            .state
            .trusts
            .get(role.0)
            .and_then(|trust| trust.service(&services))
            .map(|(name, _)| name);
        let passed_to = passed_to.or_else(|| {
            let all = plan.path.services_all.iter();
            all.map(|one| one.principal).next()
        });
        for action in actions {
            let hint = Hint {
                passed_to,
                ..Hint::default()
            };
            let one = self.with(role, &[*action], hint);
            match one {
                Some(one) => held = held.and(one),
                // Where the trust names the caller, it needs no right to assume.
                None if *action == ASSUME && self.is_named_by(role) => {}
                None => return None,
            }
        }
        match self.builder.access.same_account(self.caller, role) {
            Answer::Must => {}
            Answer::May => held.doubt(Doubt::Account),
            // Between accounts a role is assumed, and nothing else.
            Answer::No if kind(plan.path) == EdgeKind::MayAssume => {}
            Answer::No => return None,
        }
        let policies = plan.on(TargetKind::Policy);
        if !policies.is_empty() {
            let (_, more) = target::attached(self.builder.access, role)
                .into_iter()
                .filter_map(|policy| Some((policy, self.on_policy(policy, policies)?)))
                .max_by_key(|(_, held)| held.answer)?;
            held = held.and(more);
        }
        if plan.path.gain == Gain::Guardrail {
            return self.freed(plan, role, held);
        }
        if plan.writes_policy() {
            let unbound = self.builder.access.unbound(role);
            let held = held.given(unbound, Doubt::Boundary)?;
            self.add(plan, Node::Admin, Some(Node::Identity(role)), held);
        } else {
            // A named role is assumed by the edge of its trust.
            if plan.path.id == "PE-STS-001" && self.is_named_by(role) {
                return None;
            }
            let same = self.builder.access.same_account(self.caller, role) == Answer::Must;
            let doubtful = held.answer == Answer::May && rest.answer == Answer::Must && same;
            if doubtful && kind(plan.path) == EdgeKind::MayAssume {
                let onto = Onto {
                    to: Node::Identity(role),
                    via: None,
                    own: role,
                    arn: self.builder.access.model().identity(role)?.arn.clone(),
                    kind: TargetKind::Role,
                };
                self.guarded(plan, onto, rest);
            }
            self.add(plan, Node::Identity(role), None, held);
        }
        Some(())
    }

    /// Whether the caller may put a role into an instance profile of the root.
    fn fills_profile(&self) -> bool {
        let fits = Fits {
            builder: self.builder,
            caller: Some(self.caller),
        };
        fits.profile_rights(&self.zone).is_some()
    }

    fn is_named_by(&self, role: IdentityId) -> bool {
        let trust = self.builder.state.trusts.get(role.0);
        trust.is_some_and(|trust| trust.direct.iter().any(|(id, _)| *id == self.caller))
    }

    fn on_policy(&self, policy: DocumentId, actions: &[&'static str]) -> Option<Held> {
        let model = self.builder.access.model();
        let arn = model.document(policy)?.arn.as_ref()?;
        self.on_arn(arn, actions, Hint::default())
    }

    /// Things of a shelf that the statements for an action may name.
    pub(super) fn candidates(
        &self,
        action: &'static str,
        shelf: impl Fn(&super::target::Shelves) -> &Shelf,
        elsewhere: bool,
    ) -> Vec<IdentityId> {
        let targets = &self.builder.targets;
        let shelf = shelf(targets.of(&self.zone));
        let every = || shelf.all.iter().map(|at| IdentityId(*at)).collect();
        let mut found = Vec::new();
        let Some(list) = patterns(self.builder.access, self.caller, action) else {
            return every();
        };
        for pattern in list {
            let Some(near) = shelf.near(pattern) else {
                return every();
            };
            let outside = near.is_empty() && elsewhere;
            found.extend(near.into_iter().map(IdentityId));
            if outside {
                found.extend(targets.elsewhere(pattern));
            }
        }
        found.sort_unstable();
        found.dedup();
        found
    }

    pub(super) fn on_itself(&mut self, plan: &'static Plan, held: Held) -> Option<()> {
        if plan.path.gain == Gain::Guardrail {
            return self.freed(plan, self.caller, held);
        }
        let unbound = self.builder.access.unbound(self.caller);
        let held = held.given(unbound, Doubt::Boundary)?;
        self.add(plan, Node::Admin, None, held);
        Some(())
    }

    /// What an identity may do once a limit is gone.
    fn freed(&mut self, plan: &'static Plan, id: IdentityId, held: Held) -> Option<()> {
        let about_boundary = !plan.needs(Precondition::PolicyCarriesDeny);
        let access = self.builder.access;
        if about_boundary && matches!(access.boundary(id), Boundary::None) {
            return None;
        }
        let own = if about_boundary {
            access.is_admin_unbound(id)
        } else {
            Answer::No
        };
        let via = (id != self.caller).then_some(Node::Identity(id));
        match held.clone().given(own, Doubt::Open) {
            Some(held) => self.add(plan, Node::Admin, via, held),
            None => self.add(plan, Node::Unbound, via, held),
        }
        Some(())
    }

    fn policies(&mut self, plan: &'static Plan, base: &Held) -> Option<()> {
        let actions = plan.on(TargetKind::Policy);
        let access = self.builder.access;
        let mut policies = target::attached(access, self.caller);
        if let Boundary::Document(boundary) = access.boundary(self.caller) {
            policies.push(boundary);
        }
        if plan.path.category == Category::GuardrailRemoval
            && !plan.needs(Precondition::PolicyIsBoundary)
        {
            // Policies of the organization: which one does not matter.
            let held = base.clone().and(self.joint(actions)?);
            return self.nothing(plan, held);
        }
        for policy in policies {
            let chosen = Chosen {
                policy: Some(policy),
                ..Chosen::default()
            };
            let Some(held) = self.on_policy(policy, actions) else {
                continue;
            };
            if let Some(held) = self.state(plan, &chosen, base.clone().and(held)) {
                self.on_itself(plan, held);
            }
        }
        Some(())
    }

    fn existing(&mut self, plan: &'static Plan, base: &Held) -> Option<()> {
        let actions = plan.on(TargetKind::Existing);
        let kinds = target::kinds(actions.first()?);
        if kinds.is_empty() {
            // Repositories, buckets and the like: what runs their contents is not in the model.
            let held = base.clone().and(self.joint(actions)?);
            return self.nothing(plan, held);
        }
        let alone = plan.on(TargetKind::Role).is_empty() && plan.on(TargetKind::Policy).is_empty();
        if alone && self.grouped_workloads(plan, base, actions) {
            return Some(());
        }
        for at in self.near_workloads(actions) {
            let _ = self.workload(plan, base, at, actions);
        }
        Some(())
    }

    fn workload(
        &mut self,
        plan: &'static Plan,
        base: &Held,
        at: usize,
        actions: &[&'static str],
    ) -> Option<()> {
        let access = self.builder.access;
        let workload = access.model().workloads.get(at)?;
        let role = access.role_of(at)?;
        let kind = self.builder.kinds.get(at)?;
        if role == self.caller || !runs_code(workload, kind) {
            return None;
        }
        let on = self.on_workload(at, actions, Hint::default())?;
        let mut rest = base.clone();
        for action in actions {
            rest = rest.given(self.anywhere.usable(action), Doubt::Condition)?;
        }
        let mut chosen = Chosen {
            role: Some(role),
            workload: Some(workload),
            ..Chosen::default()
        };
        let on_role = plan.on(TargetKind::Role);
        if !on_role.is_empty() {
            rest = rest.and(self.on(role, on_role)?);
        }
        let on_policy = plan.on(TargetKind::Policy);
        if !on_policy.is_empty() {
            let (policy, more) = target::attached(access, role)
                .into_iter()
                .filter_map(|policy| Some((policy, self.on_policy(policy, on_policy)?)))
                .max_by_key(|(_, held)| held.answer)?;
            chosen.policy = Some(policy);
            rest = rest.and(more);
        }
        let rest = self.state(plan, &chosen, rest)?;
        if plan.writes_policy() {
            let held = on.and(rest).given(access.unbound(role), Doubt::Boundary)?;
            self.add(plan, Node::Admin, Some(Node::Workload(at)), held);
        } else {
            let first = actions.first().copied().unwrap_or_default();
            let compute = self.builder.compute(&self.zone, first);
            let doubtful = on.answer == Answer::May && rest.answer == Answer::Must;
            if let (true, Some(arn)) = (doubtful, compute.arns.get(&at)) {
                let onto = Onto {
                    to: Node::Workload(at),
                    via: None,
                    own: role,
                    arn: arn.clone(),
                    kind: TargetKind::Existing,
                };
                self.guarded(plan, onto, rest.clone());
            }
            self.add(plan, Node::Workload(at), None, on.and(rest));
        }
        Some(())
    }

    fn nothing(&mut self, plan: &'static Plan, base: Held) -> Option<()> {
        let mut chosen = Chosen::default();
        let mut held = base;
        if plan.needs(Precondition::PermissionSetAssignedToCaller) {
            if self.identity.kind != IdentityKind::PermissionSet {
                return None;
            }
            chosen.role = Some(self.caller);
            for (_, actions) in &plan.letters {
                held = held.and(self.on(self.caller, actions)?);
            }
        }
        let held = self.state(plan, &chosen, held)?;
        let end = match plan.path.gain {
            Gain::Credentials => Node::Data,
            Gain::Guardrail => Node::Unbound,
            Gain::Own | Gain::AdminIfTarget => Node::Admin,
            Gain::Role | Gain::User
                if plan
                    .letters
                    .iter()
                    .any(|(one, _)| one.kind == TargetKind::New) =>
            {
                Node::Admin
            }
            Gain::Role | Gain::User => Node::Data,
        };
        self.add(plan, end, None, held);
        Some(())
    }
}

/// Whether the rights on a target are tested where it is chosen.
fn is_selected(plan: &Plan, target: Target) -> bool {
    if target.index != 1 {
        return false;
    }
    match plan.select {
        Select::Role => matches!(target.kind, TargetKind::Role | TargetKind::Policy),
        Select::User => target.kind == TargetKind::User,
        Select::Group => target.kind == TargetKind::Group,
        Select::Policy => target.kind == TargetKind::Policy,
        Select::Existing => matches!(
            target.kind,
            TargetKind::Existing | TargetKind::Role | TargetKind::Policy
        ),
        Select::Nothing => plan.needs(Precondition::PermissionSetAssignedToCaller),
    }
}

/// Whether code runs with the role of an argument, and not only what fetches and starts the code:
/// ECS and Batch have a role for each.
pub(super) fn runs_code(workload: &overgrant_ir::Workload, kind: &str) -> bool {
    let last = workload.attribute.rsplit('.').next().unwrap_or_default();
    let last = last.to_ascii_lowercase().replace('_', "");
    match last.as_str() {
        "executionrolearn" => !kind.starts_with("ecs") && !kind.starts_with("batch"),
        "accessrolearn" | "resourceaccessrole" => false,
        _ => true,
    }
}

pub(super) fn kind(path: &EscalationPath) -> EdgeKind {
    let passes = path
        .legs
        .iter()
        .flat_map(|group| group.iter())
        .any(|leg| leg.action == "iam:PassRole");
    let assumes = path
        .legs
        .iter()
        .all(|group| group.iter().all(|leg| leg.action == ASSUME));
    if passes {
        EdgeKind::MayPass
    } else if assumes {
        EdgeKind::MayAssume
    } else {
        EdgeKind::MayModify
    }
}
