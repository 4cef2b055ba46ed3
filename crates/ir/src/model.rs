//! The whole model and the simple questions about it.
//!
//! Not for joining nodes. Invariant: vectors are in the order of (root, address), whatever the order
//! in which front ends delivered.

use crate::node::{
    Attachment, Credential, DocumentId, Guardrail, Identity, IdentityId, IdentityKind, Membership,
    Place, PolicyDocument, PolicyRef, Provider, ReferenceTo, ResourceGrant, Setting, Workload,
};
use overgrant_source::Span;
use smol_str::SmolStr;
use std::collections::BTreeMap;

/// Everything that was found in a run.
#[derive(Debug, Default)]
pub struct Model {
    /// Users, groups, roles, permission sets.
    pub identities: Vec<Identity>,
    /// All policy documents.
    pub documents: Vec<PolicyDocument>,
    /// Managed policies attached to identities.
    pub attachments: Vec<Attachment>,
    /// Users in groups.
    pub memberships: Vec<Membership>,
    /// Permissions boundaries that are resources of their own: whose, and which.
    pub boundaries: Vec<(ReferenceTo, PolicyRef)>,
    /// Identity providers.
    pub providers: Vec<Provider>,
    /// What runs with a role.
    pub workloads: Vec<Workload>,
    /// Limits from outside.
    pub guardrails: Vec<Guardrail>,
    /// Long-lived credentials.
    pub credentials: Vec<Credential>,
    /// Grants that are single arguments.
    pub grants: Vec<ResourceGrant>,
    /// Resources kept as they are.
    pub settings: Vec<Setting>,
    /// Instance profiles: place, name and ARN texts, role.
    pub profiles: Vec<crate::lower::Profile>,
    /// Further names of IAM resources whose name is one of several.
    pub aliases: Vec<crate::lower::Alias>,
    /// Which accounts this is for.
    pub accounts: Accounts,
    /// Which block stands where.
    pub blocks: BlockIndex,
}

/// Which accounts the configuration is deployed into, as far as that is said.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Accounts {
    /// The user's account ids; empty where nobody listed them.
    pub own: Vec<SmolStr>,
    /// The account id of a root: of its provider, or of the stack's environment.
    pub roots: BTreeMap<SmolStr, SmolStr>,
}

impl Model {
    /// Gives back the room that the lists grew into and do not need.
    pub(crate) fn shrink(&mut self) {
        self.identities.shrink_to_fit();
        self.documents.shrink_to_fit();
        self.attachments.shrink_to_fit();
        self.workloads.shrink_to_fit();
        self.guardrails.shrink_to_fit();
        self.credentials.shrink_to_fit();
        self.grants.shrink_to_fit();
        self.settings.shrink_to_fit();
    }

    /// The identity with this id.
    #[must_use]
    pub fn identity(&self, id: IdentityId) -> Option<&Identity> {
        self.identities.get(id.0)
    }

    /// The document with this id.
    #[must_use]
    pub fn document(&self, id: DocumentId) -> Option<&PolicyDocument> {
        self.documents.get(id.0)
    }

    /// All identities of a kind with their ids.
    pub fn of_kind(&self, kind: IdentityKind) -> impl Iterator<Item = (IdentityId, &Identity)> {
        self.identities
            .iter()
            .enumerate()
            .filter(move |(_, identity)| identity.kind == kind)
            .map(|(index, identity)| (IdentityId(index), identity))
    }

    /// All documents with their ids.
    pub fn all_documents(&self) -> impl Iterator<Item = (DocumentId, &PolicyDocument)> {
        self.documents
            .iter()
            .enumerate()
            .map(|(index, document)| (DocumentId(index), document))
    }

    /// The settings of a resource type, by its Terraform or CloudFormation name.
    pub fn settings_of<'a>(&'a self, kinds: &'a [&'a str]) -> impl Iterator<Item = &'a Setting> {
        self.settings
            .iter()
            .filter(move |setting| kinds.contains(&setting.place.kind.as_str()))
    }
}

/// Finds the block that holds a place, to give a finding the address of the resource it stands in.
#[derive(Debug, Default)]
pub struct BlockIndex {
    blocks: Vec<(SmolStr, SmolStr, Span)>,
}

impl BlockIndex {
    pub(crate) fn push(&mut self, root: &SmolStr, address: &SmolStr, span: Span) {
        self.blocks.push((root.clone(), address.clone(), span));
    }

    pub(crate) fn finish(&mut self) {
        self.blocks
            .sort_by(|a, b| (a.2, &a.0, &a.1).cmp(&(b.2, &b.0, &b.1)));
        self.blocks.shrink_to_fit();
    }

    /// Whether a block begins where `span` does: a value with that place was made by the resource,
    /// and written by nobody.
    #[must_use]
    pub fn begins_at(&self, span: Span) -> bool {
        let begin = (span.file, span.start);
        let at = self
            .blocks
            .partition_point(|(_, _, block)| (block.file, block.start) < begin);
        self.blocks
            .get(at)
            .is_some_and(|(_, _, block)| (block.file, block.start) == begin)
    }

    /// The address of the block that holds `span`: `holder`'s own where it does, else that of a
    /// block of the same root, the one that shares most of the holder's module path first; the
    /// holder's where none does.
    #[must_use]
    pub fn address_at(&self, holder: &Place, span: Span) -> SmolStr {
        let inside = |block: &Span| block.contains(span);
        if holder.src.span.as_ref().is_some_and(inside) {
            return holder.address.clone();
        }
        let end = self
            .blocks
            .partition_point(|(_, _, block)| (block.file, block.start) <= (span.file, span.start));
        let shared = |address: &str| {
            address
                .split('.')
                .zip(holder.address.split('.'))
                .take_while(|(a, b)| a == b)
                .count()
        };
        let mut best: Option<(usize, &SmolStr)> = None;
        for (root, address, block) in self.blocks.get(..end).unwrap_or_default().iter().rev() {
            if block.file != span.file {
                break;
            }
            if *root != holder.root || !inside(block) {
                continue;
            }
            let score = shared(address);
            if best.is_none_or(|(known, other)| (score, other) > (known, address)) {
                best = Some((score, address));
            }
        }
        best.map_or_else(|| holder.address.clone(), |(_, address)| address.clone())
    }
}
