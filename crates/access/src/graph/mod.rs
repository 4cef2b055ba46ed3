//! The escalation graph: who can become whom, and by what.
//!
//! Nodes are identities, what runs with a role, entries from outside, and ends (administration,
//! stored data). An edge is one step: assuming, passing a role to new compute, changing what exists,
//! running as. Not for judging steps: rules do. Invariant: an edge is MUST only where every right and
//! every condition of its row is surely given; what the code does not show makes it MAY and is named
//! in [`Edge::doubts`]. Hubs stand for "every role that …", so that the number of edges grows with
//! the statements and not with the square of the roles.

mod assume;
mod build;
mod command;
mod entry;
mod explain;
mod fits;
mod grouped;
mod legs;
mod people;
mod precondition;
mod rows;
mod search;
mod tags;
mod target;
mod walk;

pub use command::COMMAND_DOCUMENTS;
pub use entry::{Entry, EntryKind};
pub use explain::{Explained, Place, Right, Step};

pub use search::{Goal, Route};

use crate::{Access, StatementRef, Tag};
use overgrant_catalog::{EscalationPath, Precondition};
use overgrant_ir::{DocumentId, IdentityId};
use overgrant_policy::Answer;

/// A node.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Node {
    /// A user, group, role or permission set of the model.
    Identity(IdentityId),
    /// What runs with a role: index into `Model::workloads`.
    Workload(usize),
    /// Somebody outside: index into [`Graph::entries`].
    Entry(usize),
    /// All of a group of roles, users or workloads: index into the graph's hubs.
    Hub(usize),
    /// Every action on every resource of the account.
    Admin,
    /// Stored data, secrets, or credentials for one service.
    Data,
    /// The caller's own rights without the limit that it removes.
    Unbound,
}

/// What a step is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum EdgeKind {
    /// Assumes a role.
    MayAssume,
    /// Passes a role to compute that it creates or changes.
    MayPass,
    /// Changes an identity, a policy, or what runs with a role.
    MayModify,
    /// Gets into what runs with a role, from outside.
    MayEnter,
    /// Runs with the role.
    RunsAs,
    /// Is one of the hub's.
    Member,
}

impl EdgeKind {
    /// The word for outputs.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::MayAssume => "may-assume",
            Self::MayPass => "may-pass",
            Self::MayModify => "may-modify",
            Self::MayEnter => "may-enter",
            Self::RunsAs => "runs-as",
            Self::Member => "member",
        }
    }
}

/// Why a step is not sure.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Doubt {
    /// A condition of the statement narrows it.
    Condition,
    /// A part of the policy is open, or holds under a guard only.
    Open,
    /// The boundary is not known, or may not allow it.
    Boundary,
    /// An organization policy of the code may forbid it.
    Organization(DocumentId),
    /// A Deny may apply.
    Deny,
    /// State outside the caller's rights that the code does not show.
    State(Precondition),
    /// Both are in different roots, which may be different accounts.
    Account,
    /// What it acts on is not in the code.
    Absent,
    /// The trust policy has a condition, or an open part.
    Trust,
    /// Nobody but the catalog documents the row.
    Unproven,
    /// How far strangers get is not in the code.
    Entry,
}

/// Where a right comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Basis {
    /// A statement of an identity policy.
    Policy(StatementRef),
    /// A statement (0-based) of the trust policy of a role.
    Trust(IdentityId, usize),
    /// The configuration of a workload.
    Workload(usize),
    /// What lets strangers in: index into [`Access::exposed`].
    Door(usize),
    /// Policies that could not be read.
    Unread,
}

/// One right that a step uses.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Evidence {
    /// `service:Name`.
    pub action: &'static str,
    /// What gives it.
    pub basis: Basis,
}

/// One step.
#[derive(Debug, Clone)]
pub struct Edge {
    /// Who takes it.
    pub from: Node,
    /// What is won.
    pub to: Node,
    /// What it is.
    pub kind: EdgeKind,
    /// The row of the catalog, where it is one.
    pub path: Option<&'static EscalationPath>,
    /// How sure it is.
    pub answer: Answer,
    /// The rights that it uses.
    pub by: Vec<Evidence>,
    /// Why it is not MUST; empty for MUST.
    pub doubts: Vec<Doubt>,
    /// What is changed on the way, where that is not the end.
    pub via: Option<Node>,
    /// What a condition asks of the target's tags, where the step writes them itself.
    pub tagging: Option<Tagging>,
}

/// Tags that a step writes so that a condition holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tagging {
    /// Who has the right that hangs on the tags: the caller, or somebody whom it surely can become.
    pub holder: IdentityId,
    /// The statement whose condition asks for them.
    pub guard: StatementRef,
    /// What the tags are made to say.
    pub tags: Vec<Tag>,
}

/// A hub: all of its members can be reached by whoever reaches it.
#[derive(Debug, Clone)]
pub struct Hub {
    /// What its members are, as the end of "every …".
    pub what: String,
    /// How many there are.
    pub size: usize,
}

/// All steps of a model.
#[derive(Debug)]
pub struct Graph {
    edges: Vec<Edge>,
    /// Index of the first edge of each node, by [`Graph::index`]; one more at the end.
    starts: Vec<usize>,
    entries: Vec<Entry>,
    hubs: Vec<Hub>,
    identities: usize,
    workloads: usize,
    /// Per identity: whether it is declared administrator.
    admins: Vec<Answer>,
    /// Shortest ways to administration by sure steps, and by any.
    to_admin: [search::Ways; 2],
}

impl Graph {
    /// Builds the graph of a linked model.
    pub(crate) fn new(access: &Access<'_>) -> Self {
        build::build(access)
    }

    /// Every step; those of one node stand together.
    #[must_use]
    pub fn edges(&self) -> &[Edge] {
        &self.edges
    }

    /// The steps that a node can take.
    #[must_use]
    pub fn from(&self, node: Node) -> &[Edge] {
        let at = self.index(node);
        let (Some(&start), Some(&end)) = (self.starts.get(at), self.starts.get(at + 1)) else {
            return &[];
        };
        self.edges.get(start..end).unwrap_or_default()
    }

    /// Somebody outside whom some role lets in.
    #[must_use]
    pub fn entries(&self) -> &[Entry] {
        &self.entries
    }

    /// The hub behind [`Node::Hub`].
    #[must_use]
    pub fn hub(&self, hub: usize) -> Option<&Hub> {
        self.hubs.get(hub)
    }

    /// Whether an identity is declared administrator.
    #[must_use]
    pub fn is_admin(&self, id: IdentityId) -> Answer {
        self.admins.get(id.0).copied().unwrap_or(Answer::No)
    }

    /// Whether an identity is surely declared administrator.
    #[must_use]
    pub fn declares(&self, id: IdentityId) -> bool {
        self.is_admin(id) == Answer::Must
    }

    /// Whether an identity is administrator or can become it.
    #[must_use]
    pub fn reaches_admin(&self, id: IdentityId) -> Answer {
        self.is_admin(id).or(self.reaches(Node::Identity(id)))
    }

    /// Whether some way leads from the node to administration.
    #[must_use]
    pub fn reaches(&self, node: Node) -> Answer {
        let at = self.index(node);
        let [sure, any] = &self.to_admin;
        if sure.reaches(at) {
            Answer::Must
        } else if any.reaches(at) {
            Answer::May
        } else {
            Answer::No
        }
    }

    /// Number of nodes, hubs and ends included.
    #[must_use]
    pub fn size(&self) -> usize {
        self.identities + self.workloads + self.entries.len() + self.hubs.len() + ENDS
    }

    fn index(&self, node: Node) -> usize {
        let entries = self.identities + self.workloads;
        let hubs = entries + self.entries.len();
        let ends = hubs + self.hubs.len();
        match node {
            Node::Identity(id) => id.0,
            Node::Workload(workload) => self.identities + workload,
            Node::Entry(entry) => entries + entry,
            Node::Hub(hub) => hubs + hub,
            Node::Admin => ends,
            Node::Data => ends + 1,
            Node::Unbound => ends + 2,
        }
    }
}

/// Nodes that nothing leaves.
const ENDS: usize = 3;

#[cfg(test)]
mod tests;
