//! What a run is asked to do, apart from the configuration file.
//!
//! Not for parsing arguments. Invariant: the default is what a run without flags does.

use overgrant_finding::{Confidence, Severity};
use std::path::PathBuf;

/// Options of one run.
#[derive(Debug, Clone)]
pub struct Options {
    /// Files and directories to check, as given; empty means the current directory.
    pub paths: Vec<PathBuf>,
    /// The base of the run; found from the first path where it is `None`.
    pub root: Option<PathBuf>,
    /// Directories outside the base that may be read.
    pub allow: Vec<PathBuf>,
    /// The configuration file; `overgrant.yaml` at the base where it is `None`.
    pub config: Option<PathBuf>,
    /// Rules, aliases or families to run; empty means all.
    pub select: Vec<String>,
    /// Rules, aliases or families to leave out.
    pub ignore: Vec<String>,
    /// Least severity shown.
    pub min_severity: Severity,
    /// Least confidence shown.
    pub min_confidence: Confidence,
    /// Terraform variables: `NAME=VALUE` or `ROOT//NAME=VALUE`.
    pub vars: Vec<String>,
    /// Terraform variable files: `FILE` or `ROOT//=FILE`.
    pub var_files: Vec<String>,
    /// CloudFormation parameter files.
    pub parameters: Vec<PathBuf>,
    /// Whether ignore files are left unread.
    pub no_ignore: bool,
    /// Whether CDK assemblies are read through their manifests.
    pub assemblies: bool,
    /// Number of threads; one per processor where it is `None`.
    pub threads: Option<usize>,
    /// Today as `YYYY-MM-DD`, for ignores that end; the system's date where it is `None`.
    pub today: Option<String>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            paths: Vec::new(),
            root: None,
            allow: Vec::new(),
            config: None,
            select: Vec::new(),
            ignore: Vec::new(),
            min_severity: Severity::Medium,
            min_confidence: Confidence::Medium,
            vars: Vec::new(),
            var_files: Vec::new(),
            parameters: Vec::new(),
            no_ignore: false,
            assemblies: true,
            threads: None,
            today: None,
        }
    }
}
