//! The pipeline: from paths to settled findings.
//!
//! Configuration, discovery, running front ends and rules, merging, subsumption, suppression, order.
//! Not for output formats and the command line. Invariant: the same input gives the same
//! [`Outcome`], whatever the number of threads; a problem in one file, root or rule never loses the
//! rest.

mod config;
mod discover;
mod error;
mod fix;
mod front;
mod near;
mod options;
mod outcome;
mod query;
mod run;
mod select;
mod settle;
mod unwind;

pub use config::{Config, Ignore, InForce, Origin};
pub use discover::{Discovery, discover};
pub use error::Error;
pub use fix::{Change, Fixed, Fixing, Texts, fix, fix_by, write};
pub use options::Options;
pub use outcome::{
    Counts, Located, Outcome, Policies, Reported, Stage, Summary, Suppressed, TextFix,
};
pub use query::{
    Loaded, Subject, action, actors, load, load_in, names, principal, resource, starts, subject,
};
pub use run::{check, check_in, configuration};
pub use select::{Selection, near_rule};
