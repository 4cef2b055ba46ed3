//! The set engine: what a stack of policies allows, as sets of requests.
//!
//! Not for one request (see [`crate::point`]), and not for finding which policies belong to whom.
//! Invariant: an answer `Must` comes with a request that shows it, and `No` is given only after the
//! whole set of requests was covered; a search that was cut short gives `May` and says so.
//!
//! Every statement is a box, a product of independent sets: actions, resources, callers, and one
//! condition per key. Which statements a request matches is the intersection of what each dimension
//! allows, so a question about all requests is a search over the few combinations of statements
//! that each dimension can reach. Open parts are read twice, low and high, which gives the three
//! answers.
//!
//! # Is policy A tighter than policy B?
//!
//! ```
//! use overgrant_policy::{Answer, Document, Stack, engine};
//! use overgrant_value::{Src, Text, Val};
//!
//! let read = |json: &str| Document::from_val(&Val::text(Text::known(json), Src::none()));
//! let old = read(r#"{"Version": "2012-10-17", "Statement": [{"Effect": "Allow",
//!     "Action": "s3:*", "Resource": "arn:aws:s3:::logs/*"}]}"#);
//! let new = read(r#"{"Version": "2012-10-17", "Statement": [{"Effect": "Allow",
//!     "Action": ["s3:GetObject", "s3:PutObject"], "Resource": "arn:aws:s3:::logs/app/*"}]}"#);
//!
//! let (new, old) = (Stack::identity(vec![&new]), Stack::identity(vec![&old]));
//! // The new one allows nothing that the old one does not …
//! assert_eq!(engine::difference(&new, &old).answer, Answer::No);
//! // … but the old one allows more.
//! let more = engine::difference(&old, &new);
//! assert_eq!(more.answer, Answer::Must);
//! println!("{}", more.witness.unwrap().action);
//! ```

mod actions;
mod automaton;
mod build;
mod caller;
mod compile;
mod confirm;
mod context;
mod domain;
mod globs;
mod keys;
mod mask;
mod prepared;
mod questions;
mod resources;
mod side;
mod solve;
mod usable;

pub use compile::Compiled;
pub use prepared::Prepared;
pub use questions::{
    Difference, Exposure, Grant, Limits, Zone, allows, allows_prepared, covers, dead_statements,
    difference, difference_of, difference_prepared, external, normalise, public,
    redundant_statements,
};
pub use solve::Witness;
pub use usable::{Part, Usable, usable, usable_prepared};
