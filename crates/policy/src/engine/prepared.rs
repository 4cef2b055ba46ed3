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
    pub(super) layers: Vec<(PolicyKind, usize, usize, Compiled<'a>)>,
    pub(super) documents: Vec<&'a Document>,
    pub(super) has_identity: bool,
    pub(super) has_boundary: bool,
    pub(super) has_session: bool,
    pub(super) has_endpoint: bool,
    pub(super) has_resource: bool,
    pub(super) scp_levels: usize,
    pub(super) rcp_levels: usize,
}

impl<'a> Prepared<'a> {
    /// Compiles every document of the stack.
    #[must_use]
    pub fn new(stack: &Stack<'a>) -> Self {
        let mut all = Self {
            stack: stack.clone(),
            layers: Vec::new(),
            documents: Vec::new(),
            has_identity: !stack.identity.is_empty(),
            has_boundary: stack.boundary.is_some(),
            has_session: stack.session.is_some(),
            has_endpoint: stack.endpoint.is_some(),
            has_resource: stack.resource.is_some(),
            scp_levels: stack.scp.len(),
            rcp_levels: stack.rcp.len(),
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
        for (index, document) in documents.iter().enumerate() {
            self.layers
                .push((kind, level, index, Compiled::new(document)));
            if kind == PolicyKind::Resource {
                self.documents.push(document);
            }
        }
    }

    /// Every document with its kind, level, number and boxes.
    pub(super) fn compiled(
        &self,
    ) -> impl Iterator<Item = (PolicyKind, usize, usize, &'a Document, &Compiled<'a>)> {
        self.layers
            .iter()
            .filter_map(|(kind, level, index, compiled)| {
                let list = match kind {
                    PolicyKind::Identity => Some(&self.stack.identity),
                    PolicyKind::Boundary => self.stack.boundary.as_ref(),
                    PolicyKind::Session => self.stack.session.as_ref(),
                    PolicyKind::Endpoint => self.stack.endpoint.as_ref(),
                    PolicyKind::Scp => self.stack.scp.get(*level),
                    PolicyKind::Rcp => self.stack.rcp.get(*level),
                    PolicyKind::Resource => None,
                };
                Some((*kind, *level, *index, *list?.get(*index)?, compiled))
            })
    }

    pub(super) fn boxes(&self) -> impl Iterator<Item = (StatementRef, &StatementBox<'a>)> {
        self.layers
            .iter()
            .flat_map(|(kind, level, document, compiled)| {
                compiled.boxes.iter().map(move |boxed| {
                    let at = StatementRef {
                        kind: *kind,
                        level: *level,
                        document: *document,
                        statement: boxed.index.unwrap_or(usize::MAX),
                    };
                    (at, boxed)
                })
            })
    }

    /// Whether nothing but one group of identity policies, or one resource policy, decides.
    pub(super) fn is_plain(&self) -> bool {
        !self.has_boundary
            && !self.has_session
            && !self.has_endpoint
            && self.scp_levels == 0
            && self.rcp_levels == 0
            && self.has_identity != self.has_resource
    }
}
