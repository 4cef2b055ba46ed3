//! Building the graph: steps that trust policies and workloads give, then those of each caller.
//!
//! Invariant: the cost grows with statements and with what they name; whoever may act on everything
//! of a kind gets one edge to a hub.

use super::assume::ASSUME;
use super::entry::{Entry, EntryKind};
use super::legs::Held;
use super::precondition::State;
use super::tags::{self, Guarded};
use super::target::{Compute, Targets, kinds, plain};
use super::walk::Walk;
use super::{Basis, Doubt, Edge, EdgeKind, Evidence, Graph, Hub, Node};
use crate::Access;
use crate::exposed::{Exposed, Openness};
use overgrant_ir::{IdentityId, IdentityKind};
use overgrant_policy::Answer;
use overgrant_value::Marks;
use smol_str::SmolStr;
use std::collections::BTreeMap;
use std::rc::Rc;

/// What is known while building.
pub(super) struct Builder<'a, 'm> {
    pub(super) access: &'a Access<'m>,
    pub(super) state: State<'a, 'm>,
    pub(super) targets: Targets,
    /// Per workload: its kind without format.
    pub(super) kinds: Vec<String>,
    pub(super) admins: Vec<Answer>,
    pub(super) edges: Vec<Edge>,
    pub(super) hubs: Vec<Hub>,
    /// What an action reaches in an account, worked out once.
    pub(super) compute: BTreeMap<(SmolStr, &'static str), Rc<Compute>>,
    /// Hubs by account and what they hold.
    pub(super) hub_of: BTreeMap<String, Option<usize>>,
    /// Steps that hang on nothing but tags of their target.
    pub(super) guarded: Vec<Guarded>,
}

impl Builder<'_, '_> {
    /// Adds an edge.
    pub(super) fn edge(&mut self, from: Node, to: Node, kind: EdgeKind, held: Held) -> &mut Edge {
        let at = self.edges.len();
        self.edges.push(Edge {
            from,
            to,
            kind,
            path: None,
            answer: held.answer,
            by: held.by,
            doubts: held.doubts,
            via: None,
            tagging: None,
        });
        #[expect(clippy::indexing_slicing, reason = "pushed in the line above")]
        &mut self.edges[at]
    }

    /// What runs with a role in an account and is of the kinds that an action reaches.
    pub(super) fn compute(&mut self, zone: &SmolStr, action: &'static str) -> Rc<Compute> {
        let key = (zone.clone(), action);
        if let Some(known) = self.compute.get(&key) {
            return Rc::clone(known);
        }
        let wanted = kinds(action);
        let fits = |at: &&usize| {
            let kind = self.kinds.get(**at);
            kind.is_some_and(|kind| wanted.contains(&kind.as_str()))
        };
        let all = &self.targets.of(zone).workloads;
        let workloads: Vec<usize> = all.iter().filter(fits).copied().collect();
        let compute = Rc::new(Compute::new(self.access.model(), &workloads, action));
        self.compute.insert(key, Rc::clone(&compute));
        compute
    }

    /// The hub of a name in an account, filled when first asked for; `None` where it would have
    /// fewer than `least` members.
    pub(super) fn hub(
        &mut self,
        zone: &str,
        what: &str,
        least: usize,
        members: impl FnOnce(&Self) -> Vec<(Node, Held)>,
    ) -> Option<usize> {
        let key = format!("{zone}//{what}");
        if let Some(known) = self.hub_of.get(&key) {
            return *known;
        }
        let members = members(self);
        let hub = (members.len() >= least).then(|| {
            self.hubs.push(Hub {
                what: what.to_owned(),
                size: members.len(),
            });
            self.hubs.len() - 1
        });
        if let Some(hub) = hub {
            for (node, held) in members {
                self.edge(Node::Hub(hub), node, EdgeKind::Member, held);
            }
        }
        self.hub_of.insert(key, hub);
        hub
    }
}

pub(super) fn build(access: &Access<'_>) -> Graph {
    let model = access.model();
    let state = State::new(access);
    let admins = (0..model.identities.len())
        .map(|id| access.is_admin(IdentityId(id)))
        .collect();
    let mut builder = Builder {
        access,
        state,
        targets: Targets::new(access),
        kinds: model
            .workloads
            .iter()
            .map(|one| plain(&one.place.kind))
            .collect(),
        admins,
        edges: Vec::new(),
        hubs: Vec::new(),
        compute: BTreeMap::new(),
        hub_of: BTreeMap::new(),
        guarded: Vec::new(),
    };
    let entries = trusted(&mut builder);
    running(&mut builder);
    for (at, identity) in model.identities.iter().enumerate() {
        let declared = builder.admins.get(at) == Some(&Answer::Must);
        if !declared {
            Walk::new(&mut builder, IdentityId(at), identity).all();
        }
    }
    tags::write(&mut builder);
    finish(builder, entries)
}

/// Steps of those whom trust policies name, and of outsiders.
fn trusted(builder: &mut Builder<'_, '_>) -> Vec<Entry> {
    let mut entries: Vec<Entry> = builder
        .state
        .trusts
        .iter()
        .flat_map(|trust| trust.entries.iter().map(|(entry, _, _)| entry.clone()))
        .collect();
    let doors = builder.access.exposed();
    let stranger = |door: &Exposed<'_>| Entry {
        kind: EntryKind::Internet,
        who: door.who.clone(),
    };
    entries.extend(doors.iter().map(stranger));
    entries.sort();
    entries.dedup();
    for (at, door) in doors.iter().enumerate() {
        let Ok(entry) = entries.binary_search(&stranger(door)) else {
            continue;
        };
        let mut held = Held::sure();
        held.by.push(Evidence {
            action: "entry",
            basis: Basis::Door(at),
        });
        let unsure = door.openness == Openness::Possible;
        if unsure || !door.workload.role.guard.is_always() || door.marks.has(Marks::MAYBE) {
            held.doubt(Doubt::Entry);
        }
        let (from, to) = (Node::Entry(entry), Node::Workload(door.at));
        builder.edge(from, to, EdgeKind::MayEnter, held);
    }
    let mut found = Vec::new();
    for (at, trust) in builder.state.trusts.iter().enumerate() {
        let role = IdentityId(at);
        for (entry, answer, statement) in &trust.entries {
            let mut held = Held::sure();
            held.by.push(Evidence {
                action: ASSUME,
                basis: Basis::Trust(role, *statement),
            });
            if let (Some(held), Ok(entry)) = (
                held.given(*answer, Doubt::Trust),
                entries.binary_search(entry),
            ) {
                found.push((Node::Entry(entry), role, held));
            }
        }
        for (caller, held) in &trust.direct {
            if let Some(held) = named(builder.access, *caller, role, held.clone()) {
                found.push((Node::Identity(*caller), role, held));
            }
        }
    }
    let direct = overgrant_catalog::escalation_path("PE-STS-001");
    for (from, role, held) in found {
        let edge = builder.edge(from, Node::Identity(role), EdgeKind::MayAssume, held);
        edge.path = direct.filter(|_| matches!(from, Node::Identity(_)));
    }
    entries
}

/// A trust that names the caller is enough in one account, unless its own side forbids it; between two
/// accounts its own side has to allow it too.
fn named(access: &Access<'_>, caller: IdentityId, role: IdentityId, held: Held) -> Option<Held> {
    if caller == role {
        return None;
    }
    let model = access.model();
    let own = model.identity(caller)?;
    let arns = access.arns_for(caller, role);
    let decisions = arns
        .iter()
        .map(|arn| access.allows(caller, ASSUME, Some(arn)));
    let decision = decisions.max_by_key(|one| one.answer)?;
    let mut held = held;
    let by = decision.by.filter(|_| decision.answer.possible());
    if let Some(by) = by {
        held.by.push(Evidence {
            action: ASSUME,
            basis: Basis::Policy(by),
        });
    }
    match access.same_account(caller, role) {
        Answer::Must => {}
        // With a right of its own it does not matter which accounts they are.
        Answer::May if by.is_some() => held = held.given(decision.answer, Doubt::Account)?,
        Answer::May => held.doubt(Doubt::Account),
        Answer::No => held = held.given(decision.answer, Doubt::Condition)?,
    }
    let denied = arns
        .iter()
        .map(|arn| access.denies(caller, ASSUME, arn).0)
        .fold(Answer::No, Answer::or);
    let mut held = held.given(denied.negate(), Doubt::Deny)?;
    // A boundary binds a role also where its ARN is named; a user it does not.
    if own.kind == IdentityKind::Role {
        let bounds = arns
            .iter()
            .map(|arn| access.bounds(caller, ASSUME, Some(arn)));
        let bound = bounds.max().unwrap_or(Answer::May);
        held = held.given(bound, Doubt::Boundary)?;
    }
    Some(held)
}

/// What runs with which role.
fn running(builder: &mut Builder<'_, '_>) {
    let model = builder.access.model();
    for at in 0..model.workloads.len() {
        let Some(role) = builder.access.role_of(at) else {
            continue;
        };
        let mut held = Held::sure();
        held.by.push(Evidence {
            action: "iam:PassRole",
            basis: Basis::Workload(at),
        });
        builder.edge(
            Node::Workload(at),
            Node::Identity(role),
            EdgeKind::RunsAs,
            held,
        );
    }
}

fn finish(builder: Builder<'_, '_>, entries: Vec<Entry>) -> Graph {
    let model = builder.access.model();
    let mut graph = Graph {
        edges: Vec::new(),
        starts: Vec::new(),
        entries,
        hubs: builder.hubs,
        identities: model.identities.len(),
        workloads: model.workloads.len(),
        admins: builder.admins,
        to_admin: Default::default(),
    };
    let mut edges = builder.edges;
    edges.sort_by_key(|edge| graph.index(edge.from));
    let mut starts = vec![0; graph.size() + 1];
    for edge in &edges {
        if let Some(count) = starts.get_mut(graph.index(edge.from) + 1) {
            *count += 1;
        }
    }
    let mut sum = 0;
    for start in &mut starts {
        sum += *start;
        *start = sum;
    }
    graph.edges = edges;
    graph.starts = starts;
    graph.to_admin = [graph.ways_to_admin(true), graph.ways_to_admin(false)];
    graph
}
