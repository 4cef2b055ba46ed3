//! `cargo dev policy`: the policy engine on plain JSON policies, for people and for test drivers.
//!
//! Not for configurations: that is `overgrant check`. Invariant: JSON lines in, JSON lines out, in
//! the same order.

pub(crate) mod case;
