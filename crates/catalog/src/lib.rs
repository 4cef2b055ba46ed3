//! AWS facts embedded at build time: actions, resource types, condition keys, managed policies,
//! service principals, identity providers, escalation paths, calls of several parts and quotas.
//!
//! Not for: judging anything. This crate knows no input format and no rule.
//! Invariant: nothing is built at start-up. Lookups are binary searches over static bytes; a
//! managed policy is inflated when it is first asked for.
//!
//! The tables are written by `cargo dev catalog` from `testdata/catalog`.

mod action;
mod call;
mod escalation;
mod generated;
mod glob;
mod issuer;
mod key;
pub mod layout;
mod managed;
mod principal;
mod published;
mod quota;
mod recent;
mod service;
mod store;
mod suggest;
mod tables;

pub use action::{AccessLevel, Action, ActionFlags, ActionId, ActionResource};
pub use call::{Call, CallPart, Need, call, calls};
pub use escalation::{
    Caller, Category, EscalationPath, Gain, Leg, Level, Precondition, Target, TargetKind,
    TrustedService, escalation_path, escalation_paths,
};
pub use generated::DATA_DATE;
pub use issuer::{Issuer, Tenancy, issuer, issuers};
pub use key::{Availability, ConditionKey, KeyScope, KeyType};
pub use managed::{ManagedPolicy, PolicyStatus};
pub use principal::ServicePrincipal;
pub use published::{PublishedPolicy, published_policies};
pub use quota::{Quota, quota, quotas};
pub use service::{ResourceType, Service};
pub use store::{AlreadySet, Catalog, CatalogError, catalog, set_catalog};

/// How well a row of a hand-kept table is supported by sources.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Confidence {
    /// One weak source, or none that can be cited.
    Low,
    /// One good source.
    Medium,
    /// A primary source, or several that agree.
    High,
}
