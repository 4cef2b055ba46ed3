//! Severity and confidence.
//!
//! Not for exit codes. Invariant: both are ordered from less to more.

use std::fmt;
use std::str::FromStr;

/// How bad it is if the finding is true.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Severity {
    /// A notice.
    Info,
    /// Hygiene.
    Low,
    /// Worth a change soon.
    Medium,
    /// Worth a change before deployment.
    High,
    /// Gives the account away.
    Critical,
}

impl Severity {
    /// All, most severe first.
    pub const ALL: [Self; 5] = [
        Self::Critical,
        Self::High,
        Self::Medium,
        Self::Low,
        Self::Info,
    ];

    /// The word in every output.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Info => "info",
            Self::Low => "low",
            Self::Medium => "medium",
            Self::High => "high",
            Self::Critical => "critical",
        }
    }

    /// GitHub's `security-severity` of a rule with this base; none for info.
    #[must_use]
    pub fn security_severity(self) -> Option<&'static str> {
        match self {
            Self::Info => None,
            Self::Low => Some("2.5"),
            Self::Medium => Some("5.5"),
            Self::High => Some("8.0"),
            Self::Critical => Some("9.5"),
        }
    }

    /// One step less; info stays.
    #[must_use]
    pub fn lower(self) -> Self {
        match self {
            Self::Critical => Self::High,
            Self::High => Self::Medium,
            Self::Medium => Self::Low,
            Self::Low | Self::Info => Self::Info,
        }
    }

    /// One step more; critical stays.
    #[must_use]
    pub fn higher(self) -> Self {
        match self {
            Self::Info => Self::Low,
            Self::Low => Self::Medium,
            Self::Medium => Self::High,
            Self::High | Self::Critical => Self::Critical,
        }
    }
}

/// How likely the finding is true.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Confidence {
    /// It depends on something that is not known.
    Low,
    /// Usually.
    Medium,
    /// For every value of what is not known.
    High,
}

impl Confidence {
    /// The word in every output.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Low => "low",
            Self::Medium => "medium",
            Self::High => "high",
        }
    }

    /// One step less; low stays.
    #[must_use]
    pub fn lower(self) -> Self {
        match self {
            Self::High => Self::Medium,
            Self::Medium | Self::Low => Self::Low,
        }
    }
}

/// A word that names no grade.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnknownGrade;

impl fmt::Display for UnknownGrade {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("not a grade")
    }
}

impl std::error::Error for UnknownGrade {}

impl FromStr for Severity {
    type Err = UnknownGrade;
    fn from_str(text: &str) -> Result<Self, UnknownGrade> {
        Self::ALL
            .into_iter()
            .find(|grade| grade.as_str() == text)
            .ok_or(UnknownGrade)
    }
}

impl FromStr for Confidence {
    type Err = UnknownGrade;
    fn from_str(text: &str) -> Result<Self, UnknownGrade> {
        [Self::Low, Self::Medium, Self::High]
            .into_iter()
            .find(|grade| grade.as_str() == text)
            .ok_or(UnknownGrade)
    }
}

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Display for Confidence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
