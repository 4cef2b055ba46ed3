//! Findings: what a rule says, where, how sure, and how to mend it.
//!
//! Not for how rules decide and how outputs look. Invariant: a finding's places are spans; paths,
//! lines and columns are derived when it is printed.

mod edit;
mod finding;
mod fingerprint;
mod grade;

pub use edit::{Edit, Fix};
pub use finding::{Entry, Finding, Judged, Related, Step};
pub use fingerprint::{assign, fingerprint, local_name};
pub use grade::{Confidence, Severity};
