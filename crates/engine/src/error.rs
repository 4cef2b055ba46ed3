//! What ends a run before it starts: wrong usage or configuration.
//!
//! Not for problems with inputs, which are diagnostics. Invariant: the text is one line and says
//! what to do.

/// A usage or configuration error; the command line ends with exit code 2.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// A PATH that is not there.
    #[error("`{0}` does not exist; name a file or directory to check")]
    MissingPath(String),
    /// A PATH that the system refuses to open.
    #[error("`{path}` cannot be read: {reason}")]
    UnreadablePath {
        /// The path as given.
        path: String,
        /// The system's words.
        reason: String,
    },
    /// A PATH outside the base.
    #[error("`{path}` lies outside the base `{base}`; give --root DIR with a directory above both")]
    OutsideBase {
        /// The path as given.
        path: String,
        /// The base directory.
        base: String,
    },
    /// `--select`, `--ignore` or the configuration names a rule that does not exist.
    #[error("there is no rule, alias or family `{name}`{}; `overgrant rules` lists them", did_you_mean(.near))]
    UnknownRule {
        /// The name as given.
        name: String,
        /// The closest name.
        near: Option<String>,
    },
    /// The configuration file.
    #[error("{path}: {message}")]
    Config {
        /// The file.
        path: String,
        /// What is wrong and what to do.
        message: String,
    },
    /// A variable or parameter given on the command line that nothing declares, or a wrong form.
    #[error("{0}")]
    Value(String),
}

fn did_you_mean(near: &Option<String>) -> String {
    near.as_ref()
        .map_or_else(String::new, |near| format!(" (did you mean `{near}`?)"))
}
