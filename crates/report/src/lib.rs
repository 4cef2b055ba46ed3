//! The outputs: one file per format, from an outcome to text.
//!
//! Not for choosing findings, files and exit codes. Invariant: a report is a pure function of the
//! outcome and holds no clock value unless timing was asked for.

mod configuration;
mod diff;
mod escape;
mod github;
mod github_hash;
mod gitlab;
mod json;
mod junit;
mod markdown;
mod query;
mod rules;
mod sarif;
mod summary;
mod text;

pub use configuration::{configuration_json, configuration_text, pretty};
pub use diff::diff;
pub use github_hash::{LineHash, LineHashes};
pub use query::{
    Asked, access_json, access_text, can_json, can_text, paths_dot, paths_html, paths_json,
    paths_mermaid, paths_text, who_can_json, who_can_text,
};
pub use rules::{explain, rules_json, rules_markdown, rules_text};
pub use sarif::left_out as sarif_left_out;
pub use summary::summary_line;

use overgrant_engine::Outcome;
use std::str::FromStr;

/// An output format.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// For a terminal.
    Text,
    /// Our own, versioned.
    Json,
    /// SARIF 2.1.0 for code scanning.
    Sarif,
    /// Workflow commands that become annotations on GitHub.
    Github,
    /// A job summary or a comment.
    Markdown,
    /// JUnit XML.
    Junit,
    /// GitLab Code Quality.
    GitlabCodequality,
}

impl Format {
    /// All, in the order of the help.
    pub const ALL: [Self; 7] = [
        Self::Text,
        Self::Json,
        Self::Sarif,
        Self::Github,
        Self::Markdown,
        Self::Junit,
        Self::GitlabCodequality,
    ];

    /// The name on the command line.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::Json => "json",
            Self::Sarif => "sarif",
            Self::Github => "github",
            Self::Markdown => "markdown",
            Self::Junit => "junit",
            Self::GitlabCodequality => "gitlab-codequality",
        }
    }
}

/// A word that names no format.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnknownFormat;

impl FromStr for Format {
    type Err = UnknownFormat;
    fn from_str(text: &str) -> Result<Self, UnknownFormat> {
        Self::ALL
            .into_iter()
            .find(|format| format.as_str() == text)
            .ok_or(UnknownFormat)
    }
}

/// What a report says about the tool and how it is written.
#[derive(Debug, Clone)]
pub struct Style {
    /// Version of the tool.
    pub version: &'static str,
    /// Date of the AWS facts, `YYYY-MM-DD`.
    pub iam_data: String,
    /// Whether the text format may use colours.
    pub color: bool,
    /// Columns of the terminal.
    pub width: usize,
    /// Whether suppressed findings are reported too.
    pub show_suppressed: bool,
    /// Whether JSON holds the times of the stages.
    pub timing: bool,
}

/// Renders the outcome, with a line end at the end unless it is empty.
#[must_use]
pub fn render(format: Format, outcome: &Outcome, style: &Style) -> String {
    match format {
        Format::Text => text::render(outcome, style),
        Format::Json => json::render(outcome, style),
        Format::Sarif => sarif::render(outcome, style),
        Format::Github => github::render(outcome),
        Format::Markdown => markdown::render(outcome, style),
        Format::Junit => junit::render(outcome),
        Format::GitlabCodequality => gitlab::code_quality(outcome),
    }
}
