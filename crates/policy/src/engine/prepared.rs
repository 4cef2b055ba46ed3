//! Stacks of policies, compiled and laid out for questions.
//!
//! Not for asking. Invariant: every statement of the stack is in it once, with its place.

use crate::document::Document;
use crate::engine::compile::{Compiled, StatementBox};
use crate::request::{PolicyKind, Stack, StatementRef};

/// A stack, compiled: for asking about the same policies more than once.
#[derive(Debug)]
pub struct Prepared<'a> {
    pub(super) stack: Stack<'a>,
    pub(super) layers: Vec<Layer<'a>>,
}

/// A document of a stack, compiled.
#[derive(Debug)]
pub(super) struct Layer<'a> {
    pub(super) kind: PolicyKind,
    pub(super) level: usize,
    /// Its number among those of the kind and level.
    pub(super) index: usize,
    pub(super) document: &'a Document,
    pub(super) compiled: Compiled<'a>,
}

impl<'a> Prepared<'a> {
    /// Compiles every document of the stack.
    #[must_use]
    pub fn new(stack: &Stack<'a>) -> Self {
        let mut all = Self {
            stack: stack.clone(),
            layers: Vec::new(),
        };
        all.add(PolicyKind::Identity, 0, &stack.identity);
        for (kind, list) in [
            (PolicyKind::Boundary, &stack.boundary),
            (PolicyKind::Session, &stack.session),
            (PolicyKind::Endpoint, &stack.endpoint),
        ] {
            all.add(kind, 0, list.as_deref().unwrap_or_default());
        }
        all.add(PolicyKind::Resource, 0, stack.resource.as_slice());
        for (level, list) in stack.scp.iter().enumerate() {
            all.add(PolicyKind::Scp, level, list);
        }
        for (level, list) in stack.rcp.iter().enumerate() {
            all.add(PolicyKind::Rcp, level, list);
        }
        all
    }

    fn add(&mut self, kind: PolicyKind, level: usize, documents: &[&'a Document]) {
        let layers = documents.iter().enumerate();
        self.layers.extend(layers.map(|(index, document)| Layer {
            kind,
            level,
            index,
            document,
            compiled: Compiled::new(document),
        }));
    }

    pub(super) fn boxes(&self) -> impl Iterator<Item = (StatementRef, &StatementBox<'a>)> {
        self.layers.iter().flat_map(|layer| {
            layer.compiled.boxes.iter().map(move |boxed| {
                let at = StatementRef {
                    kind: layer.kind,
                    level: layer.level,
                    document: layer.index,
                    statement: boxed.index.unwrap_or(usize::MAX),
                };
                (at, boxed)
            })
        })
    }

    /// Whether policies of identities take part.
    pub(super) fn has_identity(&self) -> bool {
        !self.stack.identity.is_empty()
    }

    /// Whether a resource policy takes part.
    pub(super) fn has_resource(&self) -> bool {
        self.stack.resource.is_some()
    }

    /// Whether reading statements low or high makes no difference.
    pub(super) fn is_exact(&self) -> bool {
        self.boxes().all(|(_, boxed)| boxed.is_exact())
    }

    /// The groups of documents of which each has to allow: kind and level.
    pub(super) fn tiers(&self) -> Vec<(PolicyKind, usize)> {
        let stack = &self.stack;
        let mut tiers: Vec<(PolicyKind, usize)> = [
            (
                PolicyKind::Identity,
                self.has_identity() || !self.has_resource(),
            ),
            (PolicyKind::Resource, self.has_resource()),
            (PolicyKind::Boundary, stack.boundary.is_some()),
            (PolicyKind::Session, stack.session.is_some()),
            (PolicyKind::Endpoint, stack.endpoint.is_some()),
        ]
        .into_iter()
        .filter(|(_, takes_part)| *takes_part)
        .map(|(kind, _)| (kind, 0))
        .collect();
        tiers.extend((0..stack.scp.len()).map(|level| (PolicyKind::Scp, level)));
        tiers.extend((0..stack.rcp.len()).map(|level| (PolicyKind::Rcp, level)));
        tiers
    }

    /// Whether nothing but one group of identity policies, or one resource policy, decides.
    pub(super) fn is_plain(&self) -> bool {
        let stack = &self.stack;
        stack.boundary.is_none()
            && stack.session.is_none()
            && stack.endpoint.is_none()
            && stack.scp.is_empty()
            && stack.rcp.is_empty()
            && self.has_identity() != self.has_resource()
    }
}
