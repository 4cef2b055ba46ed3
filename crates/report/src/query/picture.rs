//! Paths as graphs: Graphviz and Mermaid.
//!
//! Invariant: a node stands once, an edge once, in the order of the paths; names are escaped.

use super::Asked;
use super::paths::node;
use overgrant_access::graph::{EdgeKind, Explained, Node};
use overgrant_policy::Answer;
use std::fmt::Write as _;

/// The nodes and edges of all paths, each once.
pub(super) struct Picture {
    pub(super) nodes: Vec<(Node, String, String)>,
    /// From, to, kind, label, whether sure.
    pub(super) edges: Vec<(usize, usize, EdgeKind, String, bool)>,
}

impl Picture {
    pub(super) fn new(asked: &Asked<'_>, paths: &[Explained]) -> Self {
        let mut picture = Self {
            nodes: Vec::new(),
            edges: Vec::new(),
        };
        for path in paths {
            for step in &path.steps {
                let from = picture.node(asked, step.ends.0);
                let to = picture.node(asked, step.ends.1);
                let row = step.path.unwrap_or(step.kind.as_str()).to_owned();
                let sure = path.answer == Answer::Must || step.depends.is_empty();
                let edge = (from, to, step.kind, row, sure);
                if !picture.edges.contains(&edge) {
                    picture.edges.push(edge);
                }
            }
        }
        picture
    }

    fn node(&mut self, asked: &Asked<'_>, wanted: Node) -> usize {
        if let Some(at) = self.nodes.iter().position(|(node, _, _)| *node == wanted) {
            return at;
        }
        let value = node(asked, wanted);
        let word = |key: &str| {
            value
                .get(key)
                .and_then(|one| one.as_str())
                .unwrap_or_default()
        };
        let (kind, name) = (word("kind").to_owned(), word("name").to_owned());
        self.nodes.push((wanted, kind, name));
        self.nodes.len() - 1
    }
}

/// Graphviz.
#[must_use]
pub fn paths_dot(asked: &Asked<'_>, paths: &[Explained]) -> String {
    let picture = Picture::new(asked, paths);
    let mut text = String::from(
        "digraph paths {\n  rankdir=LR;\n  node [shape=box, fontname=\"sans-serif\"];\n",
    );
    let escape = |text: &str| text.replace('\\', "\\\\").replace('"', "\\\"");
    for (at, (node, kind, name)) in picture.nodes.iter().enumerate() {
        let look = if *node == Node::Admin {
            ", color=red"
        } else {
            ""
        };
        let _ = writeln!(text, "  n{at} [label=\"{kind}\\n{}\"{look}];", escape(name));
    }
    for (from, to, kind, row, sure) in &picture.edges {
        let look = if *sure { "" } else { ", style=dashed" };
        let _ = writeln!(
            text,
            "  n{from} -> n{to} [label=\"{}\\n{}\"{look}];",
            kind.as_str(),
            escape(row)
        );
    }
    text.push_str("}\n");
    text
}

/// Mermaid, as Markdown on GitHub draws it.
#[must_use]
pub fn paths_mermaid(asked: &Asked<'_>, paths: &[Explained]) -> String {
    let picture = Picture::new(asked, paths);
    let mut text = String::from("flowchart LR\n");
    let escape = |text: &str| {
        text.replace('&', "&amp;")
            .replace('"', "&quot;")
            .replace('<', "&lt;")
            .replace('>', "&gt;")
            .replace('`', "'")
    };
    for (at, (_, kind, name)) in picture.nodes.iter().enumerate() {
        let _ = writeln!(text, "  n{at}[\"{kind}<br>{}\"]", escape(name));
    }
    for (from, to, kind, row, sure) in &picture.edges {
        let arrow = if *sure { "-->" } else { "-.->" };
        let _ = writeln!(
            text,
            "  n{from} {arrow}|\"{}<br>{}\"| n{to}",
            kind.as_str(),
            escape(row)
        );
    }
    text
}
