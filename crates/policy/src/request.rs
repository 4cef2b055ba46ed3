//! A request, and the policies that decide it.
//!
//! Not for deciding. Invariant: context keys are lower case, as AWS ignores their case.
//! Source: AWS, "Policy evaluation logic".

use crate::principal::is_account_id;
use crate::{Answer, Document};
use smol_str::SmolStr;
use std::collections::BTreeMap;

/// Who calls.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Caller {
    /// Nobody: an unsigned request.
    Anonymous,
    /// An AWS service, by its principal name.
    Service(SmolStr),
    /// A user, role, role session or federated user, by ARN.
    Aws(SmolStr),
    /// A token of an identity provider, by the provider's ARN or host.
    Federated(SmolStr),
}

impl Caller {
    /// Reads `*` (anonymous), a service principal, a provider's ARN or host, or a principal's ARN.
    #[must_use]
    pub fn parse(text: &str) -> Self {
        if text == "*" {
            Self::Anonymous
        } else if text.contains(":oidc-provider/") || text.contains(":saml-provider/") {
            Self::Federated(text.into())
        } else if text.starts_with("arn:") {
            Self::Aws(text.into())
        } else if text.ends_with(".amazonaws.com") || text.ends_with(".amazonaws.com.cn") {
            Self::Service(text.into())
        } else {
            Self::Federated(text.into())
        }
    }

    /// The account of an AWS principal.
    #[must_use]
    pub fn account(&self) -> Option<&str> {
        match self {
            Self::Aws(arn) => arn.split(':').nth(4).filter(|id| is_account_id(id)),
            _ => None,
        }
    }
}

/// The value of a context key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ContextValue {
    /// A single-valued key.
    One(SmolStr),
    /// A multi-valued key.
    Many(Vec<SmolStr>),
}

impl ContextValue {
    /// The values in order.
    #[must_use]
    pub fn values(&self) -> &[SmolStr] {
        match self {
            Self::One(value) => std::slice::from_ref(value),
            Self::Many(values) => values,
        }
    }
}

/// The keys of a request. Keys that are not there are absent from the request.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Context(BTreeMap<SmolStr, ContextValue>);

impl Context {
    /// No key at all.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets a key.
    pub fn set(&mut self, key: &str, value: ContextValue) {
        self.0.insert(key.to_ascii_lowercase().into(), value);
    }

    /// The value of a key, letter case aside.
    #[must_use]
    pub fn get(&self, key: &str) -> Option<&ContextValue> {
        self.0.get(key.to_ascii_lowercase().as_str())
    }

    /// Keys (lower case) and values, sorted.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &ContextValue)> {
        self.0.iter().map(|(key, value)| (key.as_str(), value))
    }
}

/// One request for one action on one resource.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    /// Who calls.
    pub caller: Caller,
    /// `service:Name`, letter case aside.
    pub action: SmolStr,
    /// The ARN; `*` for an action without resource types.
    pub resource: SmolStr,
    /// The account that owns the resource; without it, the caller's.
    pub resource_account: Option<SmolStr>,
    /// The context keys.
    pub context: Context,
}

/// All policies that have a say in a request, by kind.
#[derive(Debug, Clone, Default)]
pub struct Stack<'a> {
    /// Inline, managed and group policies of the caller.
    pub identity: Vec<&'a Document>,
    /// The permissions boundary; `None` where none is set.
    pub boundary: Option<Vec<&'a Document>>,
    /// The session policy; `None` where none is passed.
    pub session: Option<Vec<&'a Document>>,
    /// The policy of the resource: bucket, queue, key, trust policy of the role…
    pub resource: Option<&'a Document>,
    /// Service control policies by level, from the root of the organization to the account.
    pub scp: Vec<Vec<&'a Document>>,
    /// Resource control policies by level.
    pub rcp: Vec<Vec<&'a Document>>,
    /// The policy of the VPC endpoint that the request runs through.
    pub endpoint: Option<Vec<&'a Document>>,
    /// Whether S3 Block Public Access is on for the bucket.
    pub block_public_access: bool,
}

impl<'a> Stack<'a> {
    /// The identity policies of one principal.
    #[must_use]
    pub fn identity(documents: Vec<&'a Document>) -> Self {
        Self {
            identity: documents,
            ..Self::default()
        }
    }

    /// The policy of one resource.
    #[must_use]
    pub fn resource(document: &'a Document) -> Self {
        Self {
            resource: Some(document),
            ..Self::default()
        }
    }
}

/// A kind of policy in a [`Stack`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum PolicyKind {
    /// Identity policies.
    Identity,
    /// Permissions boundary.
    Boundary,
    /// Session policy.
    Session,
    /// Resource policy.
    Resource,
    /// Service control policy.
    Scp,
    /// Resource control policy.
    Rcp,
    /// VPC endpoint policy.
    Endpoint,
}

/// A statement of a stack: where it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct StatementRef {
    /// Kind of policy.
    pub kind: PolicyKind,
    /// Level of the organization, 0-based; 0 for other kinds.
    pub level: usize,
    /// Index of the document among those of its kind and level, 0-based.
    pub document: usize,
    /// Index of the statement, 0-based.
    pub statement: usize,
}

/// The outcome of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Verdict {
    /// Granted.
    Allowed,
    /// Not granted.
    ImplicitlyDenied,
    /// A Deny matches.
    ExplicitlyDenied,
}

impl Verdict {
    /// As policy simulators print it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Allowed => "Allowed",
            Self::ImplicitlyDenied => "ImplicitlyDenied",
            Self::ExplicitlyDenied => "ExplicitlyDenied",
        }
    }
}

/// What a stack says about a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outcome {
    /// Whether the request is granted.
    pub allowed: Answer,
    /// Whether a Deny matches.
    pub denied: Answer,
    /// Statements that match: Deny ones if one is certain, else those that allow or may deny.
    pub by: Vec<StatementRef>,
    /// Kinds of policy that have no matching Allow although one is needed.
    pub blocked_by: Vec<PolicyKind>,
}

impl Outcome {
    /// The outcome in one word; what is only possible counts as not granted.
    #[must_use]
    pub fn verdict(&self) -> Verdict {
        match (self.denied, self.allowed) {
            (Answer::Must, _) => Verdict::ExplicitlyDenied,
            (_, Answer::Must) => Verdict::Allowed,
            _ => Verdict::ImplicitlyDenied,
        }
    }
}
