//! A panic in one part of a run stays there.
//!
//! Not for expected problems. Invariant: what was caught becomes a diagnostic with code `internal`.

use overgrant_source::{Diagnostic, Level};
use std::panic::{AssertUnwindSafe, catch_unwind};

/// The code of diagnostics about our own errors.
pub(crate) const INTERNAL: &str = "internal";

/// Runs `work`; a panic becomes a diagnostic that names `what` was running.
pub(crate) fn guarded<T>(what: &str, work: impl FnOnce() -> T) -> Result<T, Diagnostic> {
    // The state that `work` borrows is only read afterwards or thrown away.
    catch_unwind(AssertUnwindSafe(work)).map_err(|payload| {
        let words = payload
            .downcast_ref::<&str>()
            .map(|text| (*text).to_owned())
            .or_else(|| payload.downcast_ref::<String>().cloned())
            .unwrap_or_else(|| "no message".to_owned());
        Diagnostic::new(
            Level::Error,
            INTERNAL,
            format!("{what} stopped with an internal error ({words}); the rest of the run is complete; please report this"),
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_is_a_diagnostic() {
        assert_eq!(guarded("x", || 1), Ok(1));
        let caught = guarded("rule x", || -> u8 { panic!("bad {}", 7) }).unwrap_err();
        assert_eq!(caught.code, INTERNAL);
        assert!(caught.message.contains("rule x") && caught.message.contains("bad 7"));
    }
}
