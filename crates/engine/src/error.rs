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
    /// A principal that is not in the code, or that several are called.
    #[error("{}", principal(.name, .near, *.several))]
    UnknownPrincipal {
        /// The name as given.
        name: String,
        /// Near names; for `several` those that bear it.
        near: Vec<String>,
        /// Whether the name means several.
        several: bool,
    },
    /// An action that AWS does not have.
    #[error("there is no action `{name}`{}; write service:Action, without wildcards", did_you_mean(.near))]
    UnknownAction {
        /// The name as given.
        name: String,
        /// The closest one.
        near: Option<String>,
    },
    /// A resource that is neither an ARN nor an address of the code.
    #[error("`{name}` is no ARN and no address of this code that has one{}", any_of(.near))]
    UnknownResource {
        /// The name as given.
        name: String,
        /// Near addresses.
        near: Vec<String>,
    },
    /// A variable or parameter given on the command line that nothing declares, or a wrong form.
    #[error("{0}")]
    Value(String),
    /// A file that fixes could not be written to.
    #[error("`{path}` was not fixed: {reason}")]
    Write {
        /// The file.
        path: String,
        /// What stands in the way.
        reason: String,
    },
}

fn principal(name: &str, near: &[String], several: bool) -> String {
    let list: Vec<String> = near.iter().map(|one| format!("`{one}`")).collect();
    match (several, list.as_slice()) {
        (true, _) => format!(
            "`{name}` means several principals; name one of {}",
            list.join(", ")
        ),
        (false, []) => format!(
            "no user, role, group or permission set is called `{name}`; give an address, ARN or name"
        ),
        (false, _) => format!(
            "no user, role, group or permission set is called `{name}`{}",
            any_of(near)
        ),
    }
}

fn any_of(near: &[String]) -> String {
    let list: Vec<String> = near.iter().map(|one| format!("`{one}`")).collect();
    if list.is_empty() {
        String::new()
    } else {
        format!(" (did you mean {}?)", list.join(" or "))
    }
}

fn did_you_mean(near: &Option<String>) -> String {
    near.as_ref()
        .map_or_else(String::new, |near| format!(" (did you mean `{near}`?)"))
}
