//! Identity providers that roles trust: which claim names the tenant, and what a safe trust needs.
//!
//! Not for: judging a trust policy. Invariant: a whole-host placeholder (a self-hosted server)
//! never matches by host alone, so that an unknown host stays unknown.
//! Source: the providers' and AWS's documentation, named per row.

use crate::{Confidence, generated, glob};

/// Who can get a token from an issuer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Tenancy {
    /// Anybody with an account: the subject has to name the tenant.
    Shared,
    /// One tenant; the issuer names it.
    PerTenant,
    /// One organisation's own server.
    Private,
    /// AWS itself.
    Service,
    /// Not an issuer of tokens.
    NotApplicable,
}

/// One provider.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Issuer {
    /// The issuer as documented, placeholders in capitals.
    pub issuer: &'static str,
    /// Host and path patterns; `*` stands for one path segment or part of a host. Empty for what
    /// is not told by its host.
    pub patterns: &'static [&'static str],
    /// The provider's name.
    pub provider: &'static str,
    /// Who can get a token.
    pub tenancy: Tenancy,
    /// The claims of which AWS requires one in a new trust policy; empty where none.
    pub required_claims: &'static [&'static str],
    /// Claims usable as condition keys, without the issuer prefix unless they carry another.
    pub condition_keys: &'static [&'static str],
    /// What binds a trust to one tenant; empty where nothing is known.
    pub safe_requirement: &'static str,
    /// Patterns that are too wide, by severity; empty where nothing is known.
    pub unsafe_patterns: &'static str,
    /// The usual audience; empty where none is known.
    pub audience: &'static str,
    /// Whether names in the subject can be taken over by others; empty where unknown.
    pub recyclable_names: &'static str,
    /// Further facts; empty where none.
    pub notes: &'static str,
    /// Who documents it.
    pub evidence: &'static str,
    /// How sure the grammar of the subject is.
    pub confidence: Confidence,
}

impl Issuer {
    /// Whether a claim is usable as a condition key of this issuer; compared without case.
    #[must_use]
    pub fn has_claim(&self, claim: &str) -> bool {
        self.condition_keys
            .iter()
            .any(|key| key.eq_ignore_ascii_case(claim))
    }
}

/// All providers.
#[must_use]
pub const fn issuers() -> &'static [Issuer] {
    generated::ISSUERS
}

/// The provider of an issuer, given as URL or as host and path; the most literal pattern wins.
#[must_use]
pub fn issuer(url: &str) -> Option<&'static Issuer> {
    let url = url.strip_prefix("https://").unwrap_or(url);
    let url = url.strip_suffix('/').unwrap_or(url);
    let literal = |pattern: &str| pattern.bytes().filter(|byte| *byte != b'*').count();
    issuers()
        .iter()
        .flat_map(|row| row.patterns.iter().map(move |pattern| (row, pattern)))
        .filter(|(_, pattern)| matches(pattern, url))
        // `max_by_key` keeps the last of equals; reversed, that is the first row.
        .rev()
        .max_by_key(|(_, pattern)| literal(pattern))
        .map(|(row, _)| row)
}

/// Segment by segment, so that `*` does not cross a slash; a placeholder is never empty.
fn matches(pattern: &str, url: &str) -> bool {
    let (mut wanted, mut given) = (pattern.split('/'), url.split('/'));
    loop {
        match (wanted.next(), given.next()) {
            (None, None) => return true,
            (Some(p), Some(g)) if !g.is_empty() && glob::matches(p.as_bytes(), g.as_bytes()) => {}
            _ => return false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_find_their_provider() {
        let provider = |url: &str| issuer(url).map(|row| row.issuer);
        assert_eq!(issuers().len(), 47);
        assert_eq!(
            provider("https://token.actions.githubusercontent.com"),
            Some("token.actions.githubusercontent.com")
        );
        assert_eq!(
            provider("token.actions.githubusercontent.com/acme/"),
            Some("token.actions.githubusercontent.com/ENTERPRISE")
        );
        assert_eq!(
            provider("oidc.eks.eu-west-1.amazonaws.com/id/0123ABCD"),
            Some("oidc.eks.REGION.amazonaws.com/id/ID")
        );
        assert_eq!(provider("GitLab.com"), Some("gitlab.com"));
        assert_eq!(
            provider("acme.app.spacelift.io"),
            Some("ACCOUNT.app.spacelift.io")
        );
        for unknown in [
            "",
            "/",
            "example.com",
            "token.actions.githubusercontent.com/a/b",
        ] {
            assert_eq!(provider(unknown), None, "{unknown}");
        }
    }

    #[test]
    fn every_literal_issuer_finds_itself() {
        for row in issuers() {
            for pattern in row.patterns.iter().filter(|pattern| !pattern.contains('*')) {
                assert_eq!(issuer(pattern).unwrap().issuer, row.issuer);
            }
            assert!(row.patterns.iter().all(|pattern| *pattern != "*"));
        }
    }

    #[test]
    fn the_shared_ones_say_what_binds_the_tenant() {
        for row in issuers()
            .iter()
            .filter(|row| row.tenancy == Tenancy::Shared)
        {
            assert!(!row.safe_requirement.is_empty(), "{}", row.issuer);
        }
        let github = issuer("token.actions.githubusercontent.com").unwrap();
        assert!(github.has_claim("SUB") && !github.has_claim("nope"));
        assert!(github.required_claims.contains(&"sub"));
    }
}
