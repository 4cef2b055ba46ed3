//! The IAM policy language: documents, statements, patterns, principals, conditions, and what they
//! allow.
//!
//! Not for: formats, files and resources of a configuration. [`Document::from_val`] is the only
//! place that sees an evaluated value; the text of actions, resources and principals stays private,
//! and everybody else asks predicates or prints.
//! Invariant: what is open in a document makes answers [`Answer::May`], never `Must` or `No`.
//! Source for the language: AWS, "IAM JSON policy elements reference".
//!
//! # Which question for what
//!
//! | to know | ask |
//! | --- | --- |
//! | how one request is decided | [`point::decide`] with a [`Request`] and a [`Stack`] |
//! | whether a policy is tighter than another | [`engine::difference`], both ways round |
//! | whether a stack allows all, or some, of what a policy does | [`engine::covers`], [`engine::allows`] |
//! | whether a call that touches several resources can be made at all | [`engine::usable`] |
//! | who can come from outside | [`engine::public`], [`engine::external`] |
//! | which statements do nothing | [`engine::dead_statements`], [`engine::redundant_statements`] |
//! | whether two documents say the same in other words | [`engine::normalise`], then compare |
//!
//! [`engine`] answers "is policy A tighter than policy B?" in its first example; without writing any
//! Rust, `cargo dev policy diff OLD NEW` does so for two JSON files (`new_is` in its output).
//!
//! # Decide a request
//!
//! ```
//! use overgrant_policy::{Caller, Context, Document, Request, Stack, Verdict, point};
//! use overgrant_value::{Src, Text, Val};
//!
//! let read = |json: &str| Document::from_val(&Val::text(Text::known(json), Src::none()));
//! let mine = read(r#"{"Version": "2012-10-17", "Statement": [{"Effect": "Allow",
//!     "Action": "s3:*", "Resource": "arn:aws:s3:::logs/*"}]}"#);
//! let boundary = read(r#"{"Version": "2012-10-17", "Statement": [{"Effect": "Allow",
//!     "Action": "s3:Get*", "Resource": "*"}]}"#);
//! let stack = Stack {
//!     boundary: Some(vec![&boundary]),
//!     ..Stack::identity(vec![&mine])
//! };
//! let ask = |action: &str| {
//!     let request = Request {
//!         caller: Caller::parse("arn:aws:iam::111122223333:user/alice"),
//!         action: action.into(),
//!         resource: "arn:aws:s3:::logs/today".into(),
//!         resource_account: Some("111122223333".into()),
//!         context: Context::new(),
//!     };
//!     point::decide(&stack, &request).verdict()
//! };
//! assert_eq!(ask("s3:GetObject"), Verdict::Allowed);
//! // The boundary does not allow it.
//! assert_eq!(ask("s3:PutObject"), Verdict::ImplicitlyDenied);
//! ```

mod action;
mod action_set;
mod arn;
mod ask;
mod condition;
mod document;
pub mod engine;
mod glob;
mod managed;
mod narrow;
mod normalise;
mod pattern;
pub mod point;
mod principal;
mod problem;
mod quick;
mod request;
mod resource;
mod scalar;
mod star;
mod statement;

pub use action::{ActionPattern, Actions};
pub use action_set::ActionSet;
pub use arn::{Arn, ArnLiterals, ArnParts};
pub use ask::DocumentDecision;
pub use condition::{Condition, ConditionKey, Conditions, Operator, SetOperator, Test, Value};
pub use document::{Document, Effect, Resolution, Version};
pub use managed::managed_document;
pub use normalise::is_nameable;
pub use overgrant_value::Answer;
pub use pattern::Pattern;
pub use principal::{Principal, PrincipalKind, Principals};
pub use problem::{Problem, ProblemKind};
pub use request::{
    Caller, Context, ContextValue, Outcome, PolicyKind, Request, Stack, StatementRef, Verdict,
};
pub use resource::{ResourcePattern, Resources};
pub use star::{Star, has_name};
pub use statement::{Listed, Statement};
