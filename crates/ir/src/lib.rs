//! The shared identity model: who exists, which documents apply to whom, what runs as whom.
//!
//! Front ends emit [`Resource`]s; [`lower`] turns them into a [`Model`] by tables, the same for every
//! format. Not for: HCL and YAML, linking by name (that is `access`), and judgement (that is `rules`).
//! Invariant: every node knows its address, its place and whether it exists for certain.

pub mod identity;
pub mod lower;
mod model;
mod node;
mod resource;

pub use lower::{
    ABSENT_MODULE, Output, is_relevant, lower, lower_outputs, may_attach, read_of, takes_policies,
};
pub use model::{Accounts, BlockIndex, Model};
pub use node::{
    Attachment, AttachmentStyle, Credential, CredentialKind, DocumentId, DocumentRole, Guardrail,
    GuardrailKind, Identity, IdentityId, IdentityKind, Membership, Place, PolicyDocument,
    PolicyRef, Provider, ProviderKind, ReferenceTo, ResourceGrant, Setting, Workload,
};
pub use resource::{Format, Maker, Mode, Resource};
