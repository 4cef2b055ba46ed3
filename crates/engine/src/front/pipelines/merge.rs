//! Configuration of GitLab CI/CD from several places: `include`, `extends`, `default`, `!reference`.
//!
//! Not for what a job means. Invariant: what is named and not written in the files at hand leaves the
//! result incomplete, which is told. Source: GitLab, "CI/CD YAML syntax reference" and "Optimize
//! configuration files".

use overgrant_cloudformation::syntax::{Entry, Kind, Node};
use overgrant_source::Span;
use smol_str::SmolStr;
use std::sync::Arc;

/// Levels of `extends` and `!reference` that GitLab follows.
const DEPTH: usize = 11;

/// Mappings merged key by key, others replaced, as `include` and `extends` do.
pub(super) fn merge(under: &Arc<Node>, over: &Arc<Node>) -> Arc<Node> {
    let (Kind::Map(base), Kind::Map(own)) = (&under.kind, &over.kind) else {
        return over.clone();
    };
    if base.is_empty() {
        return over.clone();
    }
    let mut entries: Vec<Entry> = base.clone();
    for entry in own {
        match entries.iter_mut().find(|one| one.key == entry.key) {
            Some(known) => {
                let value = merge(&known.value, &entry.value);
                *known = Entry {
                    value,
                    ..entry.clone()
                };
            }
            None => entries.push(entry.clone()),
        }
    }
    Arc::new(Node {
        kind: Kind::Map(entries),
        tag: over.tag.clone(),
        span: over.span,
    })
}

/// A node and whether all that it is made of is at hand.
pub(super) struct Built {
    pub(super) node: Arc<Node>,
    pub(super) complete: bool,
}

/// All files of a pipeline as one.
pub(super) struct Configuration {
    pub(super) root: Arc<Node>,
}

impl Configuration {
    /// A job with what it extends.
    pub(super) fn job(&self, name: &str) -> Option<Built> {
        self.extended(name, DEPTH)
    }

    fn extended(&self, name: &str, depth: usize) -> Option<Built> {
        let own = self.root.get(name)?;
        let Some(extends) = own.get("extends") else {
            return Some(Built {
                node: own.clone(),
                complete: true,
            });
        };
        let mut complete = depth > 0;
        let mut node: Option<Arc<Node>> = None;
        for name in texts(extends).into_iter().filter(|_| depth > 0) {
            match self.extended(&name, depth - 1) {
                Some(one) => {
                    complete &= one.complete;
                    node = Some(
                        node.map_or_else(|| one.node.clone(), |under| merge(&under, &one.node)),
                    );
                }
                None => complete = false,
            }
        }
        let node = node.map_or_else(|| own.clone(), |under| merge(&under, own));
        Some(Built { node, complete })
    }

    /// What a job says of a keyword: itself, or `default` and the top of the file.
    pub(super) fn keyword(&self, job: &Node, key: &str) -> Option<Arc<Node>> {
        let inherits = match job
            .get("inherit")
            .and_then(|inherit| inherit.get("default"))
        {
            Some(listed) if !listed.items().is_empty() => {
                texts(listed).iter().any(|one| one == key)
            }
            Some(flag) => flag.text() != Some("false"),
            None => true,
        };
        let default = || {
            self.root
                .get("default")
                .and_then(|default| default.get(key))
        };
        let top = || {
            self.root
                .get(key)
                .filter(|_| matches!(key, "before_script" | "after_script"))
        };
        let found = job
            .get(key)
            .or_else(|| default().or_else(top).filter(|_| inherits))?;
        Some(found.clone())
    }

    /// A node that `!reference [name, key, …]` may stand for; `None` where that is not at hand.
    pub(super) fn resolve(&self, node: &Arc<Node>) -> Option<Arc<Node>> {
        let mut node = node.clone();
        for _ in 0..DEPTH {
            match &node.tag {
                None => return Some(node),
                Some(tag) if tag.name == "reference" => {
                    let path: Vec<SmolStr> = node
                        .items()
                        .iter()
                        .filter_map(|one| Some(one.text()?.into()))
                        .collect();
                    let (name, keys) = path.split_first()?;
                    let job = self.extended(name, DEPTH)?.node;
                    node = keys
                        .iter()
                        .try_fold(job, |node, key| node.get(key).cloned())?;
                }
                Some(_) => return None,
            }
        }
        None
    }

    /// The items of a list with the lists among them laid out, and whether all were at hand.
    pub(super) fn items(&self, node: &Arc<Node>) -> (Vec<Arc<Node>>, bool) {
        let mut found = Vec::new();
        let complete = self.lay_out(node, &mut found, DEPTH);
        (found, complete)
    }

    fn lay_out(&self, node: &Arc<Node>, found: &mut Vec<Arc<Node>>, depth: usize) -> bool {
        let Some(node) = self.resolve(node).filter(|_| depth > 0) else {
            return false;
        };
        match &node.kind {
            Kind::Seq(items) => {
                let all: Vec<bool> = items
                    .iter()
                    .map(|one| self.lay_out(one, found, depth - 1))
                    .collect();
                all.into_iter().all(|complete| complete)
            }
            Kind::Scalar(_) | Kind::Map(_) => {
                found.push(node);
                true
            }
        }
    }
}

/// A mapping without entries, to begin with.
pub(super) fn nothing(span: Span) -> Arc<Node> {
    Arc::new(Node {
        kind: Kind::Map(Vec::new()),
        tag: None,
        span,
    })
}

/// A text, or the texts of a list.
pub(super) fn texts(node: &Node) -> Vec<SmolStr> {
    let items = node.items().iter().filter_map(|item| item.text());
    node.text()
        .into_iter()
        .chain(items)
        .map(SmolStr::from)
        .collect()
}
