//! What can be typed.
//!
//! Not for what it means: `check` turns arguments into options. Invariant: names and defaults are
//! stable from the first release.

use crate::complete;
use clap::{Args, Parser, Subcommand, ValueEnum};
use overgrant_engine::Options;
use overgrant_finding::{Confidence, Severity};
use overgrant_report::Format;
use std::path::PathBuf;
use std::str::FromStr;
use std::sync::LazyLock;

static VERSION: LazyLock<String> = LazyLock::new(|| {
    format!(
        "{} (IAM data of {})",
        env!("CARGO_PKG_VERSION"),
        // Not the catalog in force: it is chosen by these very arguments.
        overgrant_catalog::Catalog::embedded().date()
    )
});

/// Finds IAM access that goes too far in Terraform, CloudFormation, SAM and CDK.
#[derive(Debug, Parser)]
#[command(name = "overgrant", version = VERSION.as_str(), propagate_version = true)]
pub(crate) struct Arguments {
    /// Newer AWS facts than the embedded ones: a file of `cargo dev catalog --pack FILE`
    #[arg(long, global = true, value_name = "FILE")]
    pub(crate) iam_data: Option<PathBuf>,

    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Check files and directories
    Check(Box<Check>),
    /// Show the page of a rule
    Explain(Explain),
    /// List the rules
    Rules(Rules),
    /// Show what a principal may do, with where each grant is written
    Access(AccessOf),
    /// Tell whether a principal may do something, and why
    Can(CanDo),
    /// List who may do something
    WhoCan(WhoCan),
    /// Show how principals can gain rights
    Paths(Paths),
    /// Show the configuration that is in force, and where it comes from
    Config(Config),
}

/// Whether to colour text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Color {
    /// Where standard output is a terminal that wants it
    Auto,
    /// Always
    Always,
    /// Never
    Never,
}

/// Which fixes to apply.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Fixes {
    /// Those that neither grant anything nor take away access that is used
    Safe,
    /// All
    Unsafe,
}

/// A format and the file it goes to.
#[derive(Debug, Clone)]
pub(crate) struct Output {
    pub(crate) format: Format,
    pub(crate) path: PathBuf,
}

impl FromStr for Output {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        let (format, path) = text
            .split_once('=')
            .ok_or("write FORMAT=FILE, e.g. sarif=overgrant.sarif")?;
        if path.is_empty() {
            return Err("the file name is missing behind `=`".to_owned());
        }
        Ok(Self {
            format: format_of(format)?,
            path: path.into(),
        })
    }
}

fn format_of(text: &str) -> Result<Format, String> {
    text.parse().map_err(|_| {
        let names: Vec<_> = Format::ALL.into_iter().map(Format::as_str).collect();
        format!("no such format; one of {}", names.join(", "))
    })
}

fn severity(text: &str) -> Result<Severity, String> {
    text.parse()
        .map_err(|_| "one of info, low, medium, high, critical".to_owned())
}

fn confidence(text: &str) -> Result<Confidence, String> {
    text.parse()
        .map_err(|_| "one of low, medium, high".to_owned())
}

#[derive(Debug, Args)]
pub(crate) struct Check {
    /// Files and directories; the current directory by default
    #[arg(value_name = "PATH")]
    pub(crate) paths: Vec<PathBuf>,

    /// Format on standard output: text, json, sarif, github, markdown, junit, gitlab-codequality
    #[arg(short, long, value_name = "FORMAT", default_value = "text", value_parser = format_of, help_heading = "Output")]
    pub(crate) format: Format,

    /// Write a further format to a file; may be given several times
    #[arg(short, long, value_name = "FORMAT=FILE", help_heading = "Output")]
    pub(crate) output: Vec<Output>,

    /// Least severity shown: info, low, medium, high, critical
    #[arg(long, value_name = "SEVERITY", default_value = "medium", value_parser = severity, help_heading = "Selection")]
    pub(crate) min_severity: Severity,

    /// Least confidence shown: low, medium, high
    #[arg(long, value_name = "CONFIDENCE", default_value = "medium", value_parser = confidence, help_heading = "Selection")]
    pub(crate) min_confidence: Confidence,

    /// Run only these rules, aliases or families
    #[arg(
        long,
        value_name = "RULE",
        value_delimiter = ',',
        help_heading = "Selection"
    )]
    pub(crate) select: Vec<String>,

    /// Do not run these rules, aliases or families
    #[arg(
        long,
        value_name = "RULE",
        value_delimiter = ',',
        help_heading = "Selection"
    )]
    pub(crate) ignore: Vec<String>,

    /// Change files so that findings go away: only fixes that neither grant anything nor take away
    /// access that is used, or with `unsafe` all
    #[arg(long, value_enum, value_name = "safe|unsafe", num_args = 0..=1, require_equals = true, default_missing_value = "safe", help_heading = "Fixes")]
    pub(crate) fix: Option<Fixes>,

    /// Show the changes on standard output and write nothing
    #[arg(long, requires = "fix", help_heading = "Fixes")]
    pub(crate) preview: bool,

    /// Report findings that are suppressed too
    #[arg(long, help_heading = "Selection")]
    pub(crate) show_suppressed: bool,

    /// Least severity, among the findings shown, that ends with exit code 1
    #[arg(long, value_name = "SEVERITY", default_value = "medium", value_parser = severity, help_heading = "Exit code")]
    pub(crate) fail_on: Severity,

    /// End with exit code 0 also if there are findings
    #[arg(long, help_heading = "Exit code")]
    pub(crate) exit_zero: bool,

    /// End with exit code 2 if a file could not be parsed
    #[arg(long, help_heading = "Exit code")]
    pub(crate) strict: bool,

    #[command(flatten)]
    pub(crate) reading: Reading,

    /// Number of threads [default: one per processor]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=256))]
    pub(crate) threads: Option<u16>,

    /// No summary and no progress on standard error
    #[arg(short, long)]
    pub(crate) quiet: bool,

    /// Time per stage, in the summary and in JSON
    #[arg(long)]
    pub(crate) timing: bool,

    /// Colour: auto, always, never
    #[arg(long, value_enum, value_name = "WHEN", default_value = "auto")]
    pub(crate) color: Color,
}

#[derive(Debug, Args)]
pub(crate) struct Explain {
    /// A rule's name, or an alias such as CKV_AWS_63
    pub(crate) rule: String,
}

/// Format of the list of rules.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum ListFormat {
    /// One line a rule
    Text,
    /// With all metadata
    Json,
    /// A table
    Markdown,
}

#[derive(Debug, Args)]
pub(crate) struct Rules {
    /// Format
    #[arg(short, long, value_enum, default_value = "text")]
    pub(crate) format: ListFormat,
}

/// Format of answers that people and programs read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum AnswerFormat {
    /// For people
    Text,
    /// For programs
    Json,
}

/// How configurations are read, by checks and queries alike.
#[derive(Debug, Args)]
pub(crate) struct Reading {
    /// Base directory: paths are relative to it, and nothing outside is read [default: the
    /// repository that holds the first PATH]
    #[arg(long, value_name = "DIR", help_heading = "Input")]
    pub(crate) root: Option<PathBuf>,

    /// Another directory that may be read
    #[arg(long, value_name = "DIR", help_heading = "Input")]
    pub(crate) allow_path: Vec<PathBuf>,

    /// Value of a Terraform variable; ROOT//NAME=VALUE for one root module
    #[arg(long = "var", value_name = "NAME=VALUE", help_heading = "Input")]
    pub(crate) vars: Vec<String>,

    /// Terraform variables file; ROOT//=FILE for one root module
    #[arg(long = "var-file", value_name = "FILE", help_heading = "Input")]
    pub(crate) var_files: Vec<String>,

    /// CloudFormation parameter file
    #[arg(long, value_name = "FILE", help_heading = "Input")]
    pub(crate) parameters: Vec<PathBuf>,

    /// Configuration file [default: overgrant.yaml in the base]
    #[arg(long, value_name = "FILE", help_heading = "Input")]
    pub(crate) config: Option<PathBuf>,

    /// Read files that .gitignore and the like exclude
    #[arg(long, help_heading = "Input")]
    pub(crate) no_ignore: bool,

    /// Do not read CDK assemblies (cdk.out)
    #[arg(long, help_heading = "Input")]
    pub(crate) no_assemblies: bool,
}

impl Reading {
    /// Options that read these paths so.
    pub(crate) fn options(&self, paths: &[PathBuf]) -> Options {
        Options {
            paths: paths.to_vec(),
            root: self.root.clone(),
            allow: self.allow_path.clone(),
            config: self.config.clone(),
            vars: self.vars.clone(),
            var_files: self.var_files.clone(),
            parameters: self.parameters.clone(),
            no_ignore: self.no_ignore,
            assemblies: !self.no_assemblies,
            ..Options::default()
        }
    }
}

/// What queries read.
#[derive(Debug, Args)]
pub(crate) struct Input {
    /// File or directory to read; may be given several times [default: the current directory]
    #[arg(
        short = 'p',
        long = "path",
        value_name = "PATH",
        help_heading = "Input"
    )]
    pub(crate) paths: Vec<PathBuf>,

    #[command(flatten)]
    pub(crate) reading: Reading,
}

#[derive(Debug, Args)]
pub(crate) struct AccessOf {
    /// Address, ARN or name of a user, group, role or permission set, or the address of what starts a
    /// session of a role
    #[arg(add = complete::principals())]
    pub(crate) principal: String,

    /// Format
    #[arg(short, long, value_enum, default_value = "text")]
    pub(crate) format: AnswerFormat,

    #[command(flatten)]
    pub(crate) input: Input,
}

fn key_value(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((key, value)) if !key.is_empty() => Ok((key.to_owned(), value.to_owned())),
        _ => Err("write KEY=VALUE, e.g. aws:MultiFactorAuthPresent=true".to_owned()),
    }
}

/// What a question is about.
#[derive(Debug, Args)]
pub(crate) struct About {
    /// The action, e.g. s3:DeleteObject
    #[arg(add = complete::actions())]
    pub(crate) action: String,

    /// The resource: ARN, pattern or address [default: any]
    #[arg(add = complete::resources())]
    pub(crate) resource: Option<String>,

    /// A context key of the request; may be given several times
    #[arg(long, value_name = "KEY=VALUE", value_parser = key_value)]
    pub(crate) context: Vec<(String, String)>,
}

#[derive(Debug, Args)]
pub(crate) struct CanDo {
    /// Address, ARN or name of a user, group, role or permission set, or the address of what starts a
    /// session of a role
    #[arg(add = complete::principals())]
    pub(crate) principal: String,

    #[command(flatten)]
    pub(crate) about: About,

    /// Format
    #[arg(short, long, value_enum, default_value = "text")]
    pub(crate) format: AnswerFormat,

    #[command(flatten)]
    pub(crate) input: Input,
}

#[derive(Debug, Args)]
pub(crate) struct WhoCan {
    #[command(flatten)]
    pub(crate) about: About,

    /// Format
    #[arg(short, long, value_enum, default_value = "text")]
    pub(crate) format: AnswerFormat,

    #[command(flatten)]
    pub(crate) input: Input,
}

/// Format of paths.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum PathsFormat {
    /// Steps in words
    Text,
    /// For programs
    Json,
    /// Graphviz
    Dot,
    /// Mermaid, for Markdown
    Mermaid,
    /// A page with a picture, for a browser
    Html,
}

#[derive(Debug, Args)]
pub(crate) struct Paths {
    /// Who gains: address, ARN or name; internet, account, ci, federated, an account id or a part of a
    /// subject for those from outside; may be given several times [default: everybody, outsiders too,
    /// one path each]
    #[arg(long, value_name = "PRINCIPAL", add = complete::starts())]
    pub(crate) from: Vec<String>,

    /// What is gained: admin, or a principal
    #[arg(long, value_name = "admin|PRINCIPAL", add = complete::goals())]
    pub(crate) to: Option<String>,

    /// Show paths that depend on something too
    #[arg(long)]
    pub(crate) all: bool,

    /// Format
    #[arg(short, long, value_enum, default_value = "text")]
    pub(crate) format: PathsFormat,

    #[command(flatten)]
    pub(crate) input: Input,
}

#[derive(Debug, Args)]
pub(crate) struct Config {
    /// A file or directory of the run; the current directory by default
    #[arg(value_name = "PATH")]
    pub(crate) paths: Vec<PathBuf>,

    /// Print the JSON schema of overgrant.yaml instead
    #[arg(long)]
    pub(crate) schema: bool,

    /// Format: text (which is YAML that overgrant.yaml may hold) or json
    #[arg(short, long, value_enum, default_value = "text")]
    pub(crate) format: AnswerFormat,

    /// Base directory [default: the repository that holds the first PATH]
    #[arg(long, value_name = "DIR")]
    pub(crate) root: Option<PathBuf>,

    /// Configuration file [default: overgrant.yaml in the base]
    #[arg(long, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_definition_is_sound() {
        use clap::CommandFactory;
        Arguments::command().debug_assert();
    }

    #[test]
    fn outputs_are_format_and_file() {
        let output: Output = "sarif=a=b.sarif".parse().unwrap();
        assert_eq!(output.format, Format::Sarif);
        assert_eq!(output.path, PathBuf::from("a=b.sarif"));
        for wrong in ["sarif", "sarif=", "xml=a"] {
            assert!(wrong.parse::<Output>().is_err(), "{wrong}");
        }
    }
}
