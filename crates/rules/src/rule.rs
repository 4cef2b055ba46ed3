//! What a rule is.
//!
//! Not for its text, which `docs` cuts into sections. Invariant: `id` is the catalogue's kebab name
//! and never changes its meaning.

use crate::Context;
use overgrant_finding::{Confidence, Severity};

/// A group of rules: a tag in outputs and a folder here.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Family {
    /// What identity policies hand out.
    Grant,
    /// Ways to gain more.
    Escalation,
    /// Who may assume roles.
    Trust,
    /// OIDC and SAML.
    Federation,
    /// Policies on resources.
    Resource,
    /// Condition blocks.
    Condition,
    /// Permissions boundaries.
    Boundary,
    /// Organisation policies.
    Organization,
    /// Keys, passwords, secrets.
    Credential,
    /// What runs with a role.
    Compute,
    /// Permission sets.
    IdentityCenter,
    /// Account-wide logging and review.
    Governance,
    /// Grammar and facts.
    Validity,
}

impl Family {
    /// The name in outputs and on the command line.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Grant => "grant",
            Self::Escalation => "escalation",
            Self::Trust => "trust",
            Self::Federation => "federation",
            Self::Resource => "resource",
            Self::Condition => "condition",
            Self::Boundary => "boundary",
            Self::Organization => "organization",
            Self::Credential => "credential",
            Self::Compute => "compute",
            Self::IdentityCenter => "identity-center",
            Self::Governance => "governance",
            Self::Validity => "validity",
        }
    }

    /// The folder of its rules.
    #[must_use]
    pub fn folder(self) -> String {
        self.as_str().replace('-', "_")
    }

    /// All families in the order of the catalogue.
    pub const ALL: [Self; 13] = [
        Self::Grant,
        Self::Escalation,
        Self::Trust,
        Self::Federation,
        Self::Resource,
        Self::Condition,
        Self::Boundary,
        Self::Organization,
        Self::Credential,
        Self::Compute,
        Self::IdentityCenter,
        Self::Governance,
        Self::Validity,
    ];
}

/// Where a rule about something absent may speak.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Scope {
    /// Always.
    Module,
    /// Where the configuration describes an account.
    Account,
    /// Where it describes an account's baseline.
    Baseline,
    /// Where it describes an organisation.
    Organization,
}

impl Scope {
    /// The word in the configuration.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Module => "module",
            Self::Account => "account",
            Self::Baseline => "baseline",
            Self::Organization => "organization",
        }
    }
}

/// A control of a benchmark or framework: (`CIS5`, `1.15`).
pub type Mapping = (&'static str, &'static str);

/// A rule.
#[derive(Debug)]
pub struct Rule {
    /// Kebab-case name.
    pub id: &'static str,
    /// Its group.
    pub family: Family,
    /// Base severity, the same in every run.
    pub severity: Severity,
    /// Share of true positives to expect.
    pub confidence: Confidence,
    /// Where it may speak.
    pub scope: Scope,
    /// First release that has it.
    pub since: &'static str,
    /// CWE numbers.
    pub cwe: &'static [u16],
    /// Earlier names and the ids of other tools.
    pub aliases: &'static [&'static str],
    /// Benchmarks and frameworks.
    pub mappings: &'static [Mapping],
    /// Pages to read.
    pub references: &'static [&'static str],
    /// The doc comment: see [`crate::Docs`].
    pub docs: &'static str,
    /// The check.
    pub check: fn(&mut Context<'_>),
}

impl Rule {
    /// Most controls that are tags; GitHub shows ten.
    const MOST_TAGS: usize = 10;

    /// Tags of the rule in SARIF: at most ten.
    #[must_use]
    pub fn tags(&self) -> Vec<String> {
        let mut tags: Vec<String> = ["security", "aws", "iam", self.family.as_str()]
            .map(str::to_owned)
            .into();
        tags.extend(self.cwe.iter().map(|cwe| format!("external/cwe/cwe-{cwe}")));
        tags.truncate(Self::MOST_TAGS);
        tags
    }
}
