//! Entries from outside: who is let in by the trust policies of roles.
//!
//! Invariant: entries are equal only where they mean the same people: the same account, or the same
//! issuer with the same tested subject.

use overgrant_catalog::{Tenancy, issuer};
use overgrant_policy::{Answer, Principal, PrincipalKind, Statement};
use smol_str::SmolStr;

/// What kind of outsider.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum EntryKind {
    /// Anybody.
    Internet,
    /// Another account, or one that is not known to be the own one.
    Account,
    /// A job of a CI system, by its token.
    Ci,
    /// A subject of another identity provider.
    Federated,
}

impl EntryKind {
    /// The word for outputs.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Internet => "internet",
            Self::Account => "account",
            Self::Ci => "ci",
            Self::Federated => "federated",
        }
    }
}

/// Somebody outside.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Entry {
    /// What kind.
    pub kind: EntryKind,
    /// Who, in words: an account id, an issuer with the subjects that are let in.
    pub who: String,
}

/// Who of outside a principal of a trust statement is, with how sure it is that they get in.
/// `own` are the accounts that are known to be the role's own.
pub(super) fn of(
    statement: &Statement,
    principal: &Principal,
    is_own: impl Fn(&str) -> bool,
) -> Option<(Entry, Answer)> {
    let narrowed = statement.conditions.narrows();
    match principal.kind() {
        PrincipalKind::Anyone => {
            let entry = Entry {
                kind: EntryKind::Internet,
                who: "anyone with an AWS account".to_owned(),
            };
            Some((
                entry,
                if narrowed.possible() {
                    Answer::May
                } else {
                    Answer::Must
                },
            ))
        }
        PrincipalKind::Account | PrincipalKind::Aws => {
            let account = principal.account().filter(|id| !is_own(id))?;
            let entry = Entry {
                kind: EntryKind::Account,
                who: format!("account {account}"),
            };
            // Whoever is let in knows the external id: it keeps others out.
            let conditions = &statement.conditions;
            let told = !conditions.open
                && conditions
                    .items
                    .iter()
                    .all(|one| one.key.is("sts:ExternalId"));
            Some((
                entry,
                if narrowed.possible() && !told {
                    Answer::May
                } else {
                    Answer::Must
                },
            ))
        }
        PrincipalKind::Federated => Some(federated(statement, principal)),
        PrincipalKind::UniqueId
        | PrincipalKind::Service
        | PrincipalKind::Canonical
        | PrincipalKind::Unknown => None,
    }
}

/// Issuers of CI systems have jobs for subjects; the catalog marks them as shared by many tenants.
fn federated(statement: &Statement, principal: &Principal) -> (Entry, Answer) {
    if principal.is_saml() {
        let entry = Entry {
            kind: EntryKind::Federated,
            who: format!("users of {principal}"),
        };
        return (entry, Answer::Must);
    }
    let host: SmolStr = principal
        .issuer()
        .unwrap_or_else(|| principal.to_string().into());
    let mut subjects = Vec::new();
    let mut anonymous = false;
    for condition in &statement.conditions.items {
        if condition.operator.is_negated() {
            continue;
        }
        if condition.key.ends_with(":sub") {
            subjects.extend(condition.values.iter().map(ToString::to_string));
        }
        if condition.key.ends_with(":amr") {
            anonymous |= condition
                .values
                .iter()
                .any(|value| value.pattern().matches("unauthenticated").possible());
        }
    }
    subjects.sort();
    subjects.dedup();
    if host == "cognito-identity.amazonaws.com" && anonymous {
        let entry = Entry {
            kind: EntryKind::Internet,
            who: "guests of the Cognito identity pool".to_owned(),
        };
        return (entry, Answer::Must);
    }
    let row = issuer(&host);
    let provider = row.map_or_else(|| host.to_string(), |row| row.provider.to_owned());
    let everybody = subjects.is_empty() && row.is_some_and(|row| row.tenancy == Tenancy::Shared);
    let is_ci = row.is_some_and(|row| is_ci(row.issuer));
    let kind = match (is_ci, everybody) {
        (true, _) => EntryKind::Ci,
        (false, true) => EntryKind::Internet,
        (false, false) => EntryKind::Federated,
    };
    let who = if subjects.is_empty() {
        format!("any subject of {provider}")
    } else {
        format!("{provider} {}", subjects.join(", "))
    };
    (Entry { kind, who }, Answer::Must)
}

/// Hosts that issue tokens to jobs.
const CI: [&str; 9] = [
    "token.actions.githubusercontent.com",
    "gitlab",
    "circleci",
    "bitbucket",
    "buildkite",
    "terraform.io",
    "vstoken.dev.azure.com",
    "codefresh",
    "spacelift",
];

fn is_ci(issuer: &str) -> bool {
    CI.iter().any(|part| issuer.contains(part))
}
