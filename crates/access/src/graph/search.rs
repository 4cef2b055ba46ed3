//! Ways through the graph: shortest to administration for all nodes at once, or from one node.
//!
//! Invariant: a search looks at every edge at most once, so cycles cost nothing; equal lengths are
//! decided by the order of the edges, which is that of the model.

use super::{Edge, EdgeKind, Graph, Node};
use overgrant_ir::IdentityId;
use overgrant_policy::Answer;
use std::collections::VecDeque;

/// For every node: how far administration is, and the first step.
#[derive(Debug, Default)]
pub(super) struct Ways {
    /// Steps, `u32::MAX` where there is no way; 0 for administrators.
    distance: Vec<u32>,
    /// Index of the first edge of a shortest way.
    next: Vec<Option<usize>>,
}

impl Ways {
    pub(super) fn reaches(&self, node: usize) -> bool {
        self.distance
            .get(node)
            .is_some_and(|steps| *steps != u32::MAX)
    }

    fn next(&self, node: usize) -> Option<usize> {
        self.next.get(node).copied().flatten()
    }

    fn steps(&self, node: usize) -> u32 {
        self.distance.get(node).copied().unwrap_or(u32::MAX)
    }
}

/// Where a way is to end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Goal {
    /// Administration, declared or won.
    Admin,
    /// This identity.
    Identity(IdentityId),
}

/// A way: its edges in order, hubs left out.
#[derive(Debug, Clone)]
pub struct Route {
    /// Indexes into [`Graph::edges`]; steps into a hub's member are not among them.
    pub edges: Vec<usize>,
    /// The nodes on the way, one more than edges.
    pub nodes: Vec<Node>,
    /// How sure the whole way is.
    pub answer: Answer,
}

impl Route {
    /// Whether every step is sure.
    #[must_use]
    pub fn is_sure(&self) -> bool {
        self.answer == Answer::Must
    }
}

impl Graph {
    /// The ways to administration.
    pub(super) fn ways_to_admin(&self, sure: bool) -> Ways {
        let admins = self.admins.iter().enumerate();
        let ends = admins
            .filter(|(_, answer)| **answer == Answer::Must || !sure && answer.possible())
            .map(|(id, _)| id)
            .chain([self.index(Node::Admin)]);
        self.ways(ends, sure)
    }

    /// The ways to any of some nodes; `sure` looks at sure edges only.
    fn ways(&self, ends: impl Iterator<Item = usize>, sure: bool) -> Ways {
        let size = self.size();
        let mut incoming: Vec<Vec<u32>> = vec![Vec::new(); size];
        for (at, edge) in self.edges().iter().enumerate() {
            if (!sure || edge.answer == Answer::Must)
                && let Some(list) = incoming.get_mut(self.index(edge.to))
                && let Ok(at) = u32::try_from(at)
            {
                list.push(at);
            }
        }
        let mut ways = Ways {
            distance: vec![u32::MAX; size],
            next: vec![None; size],
        };
        let mut queue = VecDeque::new();
        for node in ends {
            if let Some(distance) = ways.distance.get_mut(node) {
                *distance = 0;
                queue.push_back(node);
            }
        }
        while let Some(node) = queue.pop_front() {
            let steps = ways.steps(node);
            for at in incoming.get(node).into_iter().flatten() {
                let at = *at as usize;
                let Some(edge) = self.edges().get(at) else {
                    continue;
                };
                let from = self.index(edge.from);
                if let (Some(distance), Some(next)) =
                    (ways.distance.get_mut(from), ways.next.get_mut(from))
                    && *distance == u32::MAX
                {
                    *distance = steps + 1;
                    *next = Some(at);
                    queue.push_back(from);
                }
            }
        }
        ways
    }

    /// A shortest way from the node to administration, by sure steps where there is one. `None`
    /// for an administrator, and where there is no way.
    #[must_use]
    pub fn route_to_admin(&self, node: Node) -> Option<Route> {
        let start = self.index(node);
        let [sure, any] = &self.to_admin;
        let ways = if sure.reaches(start) { sure } else { any };
        let edges = follow(self, ways, start)?;
        self.route(node, edges)
    }

    /// The ways from a node to a goal, one for each first step that leads there, the sure and short
    /// ones first.
    #[must_use]
    pub fn routes(&self, node: Node, goal: Goal) -> Vec<Route> {
        let target;
        let [sure, any] = match goal {
            Goal::Admin => &self.to_admin,
            Goal::Identity(id) => {
                target = [true, false].map(|sure| self.ways([id.0].into_iter(), sure));
                &target
            }
        };
        let mut found = Vec::new();
        for (first, edge) in self.first_steps(node) {
            let next = self.index(edge.to);
            let ways = if sure.reaches(next) { sure } else { any };
            if !ways.reaches(next) {
                continue;
            }
            let Some(rest) = follow(self, ways, next) else {
                continue;
            };
            let mut edges = vec![first];
            edges.extend(rest);
            // A way that comes back is a longer form of another one.
            if let Some(route) = self.route(node, edges)
                && route.nodes.iter().filter(|one| **one == node).count() == 1
            {
                found.push(route);
            }
        }
        found.sort_by_key(|route| (route.answer != Answer::Must, route.edges.len()));
        found
    }

    fn first_steps(&self, node: Node) -> impl Iterator<Item = (usize, &Edge)> {
        let start = self.starts.get(self.index(node)).copied().unwrap_or(0);
        self.from(node)
            .iter()
            .enumerate()
            .map(move |(at, edge)| (start + at, edge))
    }

    fn route(&self, start: Node, edges: Vec<usize>) -> Option<Route> {
        let mut route = Route {
            edges: Vec::new(),
            nodes: vec![start],
            answer: Answer::Must,
        };
        for at in edges {
            let edge = self.edges().get(at)?;
            route.answer = route.answer.and(edge.answer);
            let hub = matches!(edge.to, Node::Hub(_));
            if edge.kind == EdgeKind::Member {
                route.nodes.push(edge.to);
                continue;
            }
            route.edges.push(at);
            if !hub {
                route.nodes.push(edge.to);
            }
        }
        if let Some(Node::Identity(end)) = route.nodes.last() {
            let admin = self.is_admin(*end);
            if admin == Answer::May && self.reaches(Node::Identity(*end)) != Answer::Must {
                route.answer = route.answer.at_most_may();
            }
        }
        (!route.edges.is_empty()).then_some(route)
    }
}

fn follow(graph: &Graph, ways: &Ways, start: usize) -> Option<Vec<usize>> {
    let mut edges = Vec::new();
    let mut node = start;
    while let Some(at) = ways.next(node) {
        edges.push(at);
        node = graph.index(graph.edges().get(at)?.to);
        if edges.len() > graph.size() {
            return None;
        }
    }
    Some(edges)
}
