//! Which identities of an OIDC provider a trust statement accepts.
//!
//! One place decides for all rules of the family: every condition on a claim must hold, any value
//! of a condition may, so the widest value of the narrowest condition decides. Not for SAML.
//! Invariant: `StringEquals` with a `*` accepts nothing, a negated operator limits nothing, and an
//! open part of a value is taken as fixed text, so that a finding holds whatever it stands for.
//! Source: AWS, "Create a role for OpenID Connect federation"; GitHub, "OpenID Connect reference".

use crate::holder;
use crate::skeleton::{HOLE, is_open, is_star, is_wild, skeleton};
use overgrant_access::Access;
use overgrant_catalog::{AccessLevel, Issuer, Tenancy};
use overgrant_finding::Severity;
use overgrant_ir::{DocumentId, IdentityId, IdentityKind, Model, PolicyDocument, Provider};
use overgrant_policy::{Condition, Principal, PrincipalKind, Statement, Test, Value};
use overgrant_value::Src;

/// GitHub's shared issuer and the start of its per-enterprise ones.
const GITHUB: &str = "token.actions.githubusercontent.com";

/// How far the subjects that a statement accepts reach, least first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Width {
    /// No token has such a subject.
    Nothing,
    /// Pinned as far as can be told.
    Pinned,
    /// One repository, whatever runs in it.
    AnyRef,
    /// Every repository of an owner.
    Organization,
    /// The owner is a pattern that others can match.
    Owner,
    /// Everybody at the issuer.
    Everybody,
}

/// What a role may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Rights {
    /// No policy is known.
    Unknown,
    /// Only lists and reads.
    Reads,
    /// Changes something.
    Writes,
}

/// The value that decides.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Decisive<'a> {
    pub(crate) value: &'a Value,
    pub(crate) width: Width,
}

/// One provider that a trust statement accepts tokens of.
#[derive(Debug)]
pub(crate) struct Trusted<'a> {
    pub(crate) id: DocumentId,
    pub(crate) document: &'a PolicyDocument,
    pub(crate) statement: &'a Statement,
    pub(crate) principal: &'a Principal,
    /// Host and path without scheme, where they are known.
    pub(crate) host: Option<String>,
    /// The row of the table.
    pub(crate) issuer: Option<&'static Issuer>,
    /// The provider, if the configuration makes it.
    pub(crate) provider: Option<&'a Provider>,
}

/// All of a model, in the order of documents.
pub(crate) fn trusted(model: &Model) -> Vec<Trusted<'_>> {
    let mut all = Vec::new();
    for (id, document) in holder::trusts(model) {
        for statement in document.document.allows() {
            if has_unread_claim(statement)
                || statement.principals.listed().negated
                || !statement
                    .actions
                    .select("sts:AssumeRoleWithWebIdentity")
                    .possible()
            {
                continue;
            }
            for principal in &statement.principals {
                if !matches!(principal.kind(), PrincipalKind::Federated) || principal.is_saml() {
                    continue;
                }
                let provider = model
                    .providers
                    .iter()
                    .find(|provider| principal.is(&provider.arn));
                let host = principal
                    .issuer()
                    .map(Into::into)
                    .or_else(|| Some(provider?.url.as_ref()?.as_known()?.into()))
                    .or_else(|| host_of_keys(statement))
                    .map(|host: String| host.trim_start_matches("https://").to_owned());
                all.push(Trusted {
                    id,
                    document,
                    statement,
                    principal,
                    issuer: host.as_deref().and_then(overgrant_catalog::issuer),
                    host,
                    provider,
                });
            }
        }
    }
    all
}

/// Whether a statement accepts service accounts of a Kubernetes cluster: by the form of a subject
/// that it tests.
pub(crate) fn accepts_service_accounts(statement: &Statement) -> bool {
    statement
        .conditions
        .items
        .iter()
        .flat_map(|condition| &condition.values)
        .any(|value| value.leading().starts_with("system:serviceaccount:"))
}

/// Whether claims are tested with values that could not be read: nothing is known then.
fn has_unread_claim(statement: &Statement) -> bool {
    statement.conditions.open
        || statement
            .conditions
            .items
            .iter()
            .any(|condition| condition.open && condition.values.is_empty())
}

/// The issuer that the keys of the conditions name, where the principal is open.
fn host_of_keys(statement: &Statement) -> Option<String> {
    statement.conditions.items.iter().find_map(|condition| {
        let key = condition.key.spelling()?;
        let (host, _) = key.rsplit_once(':')?;
        overgrant_catalog::issuer(host).map(|_| host.to_owned())
    })
}

impl<'a> Trusted<'a> {
    /// "role `ci`".
    pub(crate) fn role(&self, model: &Model) -> String {
        holder::role(model, self.id)
    }

    /// Whether tokens come from GitHub Actions, shared or of one enterprise.
    pub(crate) fn is_github(&self) -> bool {
        let host = self.host.as_deref().unwrap_or_default();
        host == GITHUB
            || host
                .strip_prefix(GITHUB)
                .is_some_and(|rest| rest.starts_with('/'))
            || (host.starts_with("token.actions.") && host.ends_with(".ghe.com"))
            || host.ends_with("/_services/token")
    }

    /// Whether tokens come from Cognito identity pools.
    pub(crate) fn is_cognito(&self) -> bool {
        self.host.as_deref() == Some("cognito-identity.amazonaws.com")
    }

    /// Whether tokens come from a service that builds, tests or deploys: by the issuer, or where it is
    /// somebody's own server by the form of the subject.
    pub(crate) fn is_pipeline(&self) -> bool {
        const OTHERS: [&str; 11] = [
            "accounts.google.com",
            "cognito-identity.amazonaws.com",
            "container.googleapis.com",
            "graph.facebook.com",
            "idcs-",
            "issuer.enforce.dev",
            "login.microsoftonline.com",
            "oidc-configuration.audit-log.githubusercontent.com",
            "rh-oidc.s3",
            "sts.windows.net",
            "www.amazon.com",
        ];
        let host = self.host.as_deref().unwrap_or_default();
        let by_issuer = self.issuer.is_some()
            && !self.is_cluster()
            && !OTHERS.iter().any(|other| host.starts_with(other));
        self.is_github() || by_issuer || self.has_subject_like("project_path:")
    }

    /// Whether a value of the subject begins like this.
    pub(crate) fn has_subject_like(&self, start: &str) -> bool {
        self.claim("sub").iter().any(|condition| {
            let values = &condition.values;
            values
                .iter()
                .any(|value| value.leading().starts_with(start))
        })
    }

    /// Whether strangers get tokens from the issuer too.
    pub(crate) fn is_shared(&self) -> bool {
        self.issuer
            .is_some_and(|issuer| issuer.tenancy == Tenancy::Shared)
    }

    /// Whether tokens come from a Kubernetes cluster: by issuer, or by the form of the subject.
    pub(crate) fn is_cluster(&self) -> bool {
        let host = self.host.as_deref().unwrap_or_default();
        host.starts_with("oidc.eks.")
            || host.starts_with("container.googleapis.com/")
            || host.contains(".oic.prod-aks.azure.com/")
            || (self.issuer.is_none()
                && self.claim("sub").iter().any(|condition| {
                    condition
                        .values
                        .iter()
                        .any(|value| value.leading().starts_with("system:serviceaccount:"))
                }))
    }

    /// The provider's name for messages.
    pub(crate) fn name(&self) -> String {
        match (self.issuer, &self.host) {
            (Some(issuer), _) => issuer.provider.to_owned(),
            (None, Some(host)) => format!("`{host}`"),
            (None, None) => format!("`{}`", self.principal),
        }
    }

    /// The role whose trust policy this is.
    pub(crate) fn role_id(&self, model: &Model) -> Option<IdentityId> {
        model
            .of_kind(IdentityKind::Role)
            .find(|(_, role)| role.trust == Some(self.id))
            .map(|(id, _)| id)
    }

    /// The conditions on a claim of this issuer, whatever their operator.
    pub(crate) fn claim(&self, name: &str) -> Vec<&'a Condition> {
        let suffix = format!(":{name}");
        let full = self
            .host
            .as_ref()
            .map(|host| format!("{}{suffix}", host.to_ascii_lowercase()));
        self.statement
            .conditions
            .items
            .iter()
            .filter(|condition| match (condition.key.spelling(), &full) {
                (Some(key), Some(full)) => key == *full,
                (Some(key), None) => key.ends_with(&suffix) && !key.starts_with("aws:"),
                (None, _) => condition.key.ends_with(&suffix),
            })
            .collect()
    }

    /// The conditions on a claim that limit something: positive operators.
    pub(crate) fn limits(&self, name: &str) -> Vec<&'a Condition> {
        let mut limits = self.claim(name);
        limits.retain(|condition| {
            !condition.operator.is_negated()
                && !matches!(condition.operator.test, Test::Null | Test::Unknown)
        });
        limits
    }

    /// Whether a literal (or open) value without a wildcard pins the claim.
    pub(crate) fn pins(&self, name: &str) -> bool {
        self.limits(name).iter().any(|condition| {
            let wild = condition.operator.has_wildcards();
            condition
                .values
                .iter()
                .all(|value| !is_wild(&skeleton(value.text(), wild)))
        })
    }

    /// The widest value of the narrowest condition on a claim, by a grammar that measures values.
    pub(crate) fn decisive(
        &self,
        name: &str,
        measure: impl Fn(&str) -> Width,
    ) -> Option<Decisive<'a>> {
        self.limits(name)
            .into_iter()
            .filter_map(|condition| {
                let wild = condition.operator.has_wildcards();
                condition
                    .values
                    .iter()
                    .map(|value| Decisive {
                        value,
                        width: measure(&skeleton(value.text(), wild)),
                    })
                    .rev()
                    .max_by_key(|decisive| decisive.width)
            })
            .min_by_key(|decisive| decisive.width)
    }

    /// Whether an id of the owner, the enterprise or the repository pins a GitHub tenant beside the
    /// subject.
    pub(crate) fn pins_github_tenant(&self) -> bool {
        [
            "repository_id",
            "repository_owner_id",
            "enterprise_id",
            "repository",
            "repository_owner",
            "enterprise",
            "actor_id",
        ]
        .iter()
        .any(|claim| self.pins(claim))
    }

    /// What GitHub's subject accepts; `None` where no condition limits it.
    pub(crate) fn github_subject(&self) -> Option<Decisive<'a>> {
        self.decisive("sub", github_width)
    }

    /// A shared issuer's findings keep the base severity; where the issuer is one tenant's, only
    /// its own members can use the gap.
    pub(crate) fn severity(&self, base: Severity) -> Severity {
        if self.is_shared() {
            base
        } else {
            base.min(Severity::Medium)
        }
    }

    /// What the role is granted, as far as its policies are known.
    pub(crate) fn rights(&self, access: &Access<'_>) -> Rights {
        let role = self.role_id(access.model());
        let Some(role) = role.filter(|id| !access.policies(*id).is_empty()) else {
            return Rights::Unknown;
        };
        let writes = |level| !matches!(level, AccessLevel::List | AccessLevel::Read);
        let granted = access.actions_on_something(role);
        if granted.actions().any(|action| writes(action.level())) {
            Rights::Writes
        } else if granted.is_empty() {
            Rights::Unknown
        } else {
            Rights::Reads
        }
    }

    /// The place for "a condition is missing": the provider in the trust.
    pub(crate) fn src(&self) -> &'a Src {
        self.principal.src()
    }
}

/// How far a subject pattern of GitHub Actions reaches: `repo:OWNER/REPO:REST`.
pub(crate) fn github_width(subject: &str) -> Width {
    const REPO: &str = "repo:";
    let literal = subject.split(['*', '?', HOLE]).next().unwrap_or_default();
    let Some(rest) = subject.strip_prefix(REPO) else {
        // Another template, an open start, or a wildcard that swallows the prefix.
        let early = REPO.starts_with(literal) && !subject.starts_with(HOLE);
        let wild = subject
            .get(literal.len()..)
            .is_some_and(|rest| rest.starts_with(['*', '?']));
        return match (early && wild, subject.contains('/')) {
            (true, true) => Width::Owner,
            (true, false) => Width::Everybody,
            (false, _) => Width::Pinned,
        };
    };
    let Some((owner, rest)) = rest.split_once('/') else {
        return without_slash(rest);
    };
    // `@` stands in no name: what follows it is a numeric id.
    let name = owner.split('@').next().unwrap_or_default();
    if is_wild(name) {
        return Width::Owner;
    }
    let (repository, tail) = match rest.split_once(':') {
        Some((repository, tail)) => (repository, Some(tail)),
        None => (rest, None),
    };
    if repository.starts_with('*') {
        return Width::Organization;
    }
    match tail {
        // A wildcard at the end of the repository swallows the tail too.
        None if repository.ends_with('*') => Width::AnyRef,
        None if is_open(repository) => Width::Pinned,
        None => Width::Nothing,
        Some(tail) if is_star(tail) => Width::AnyRef,
        Some(_) => Width::Pinned,
    }
}

/// A subject without a slash: a wildcard or an open part has to bring it.
fn without_slash(rest: &str) -> Width {
    let head = rest.split(':').next().unwrap_or_default();
    let tail = rest.split_once(':').map(|(_, tail)| tail);
    if is_open(head) {
        // `repo:${var.repository}:*`.
        return match tail {
            Some(tail) if is_star(tail) && !is_wild(head) => Width::AnyRef,
            _ => Width::Pinned,
        };
    }
    match (is_wild(head), head.starts_with('*')) {
        (true, true) => Width::Everybody,
        (true, false) => Width::Owner,
        (false, _) => Width::Nothing,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn subjects_of_github() {
        for (subject, width) in [
            ("*", Width::Everybody),
            ("repo:*", Width::Everybody),
            ("r*", Width::Everybody),
            ("repo:*:ref:refs/heads/main", Width::Owner),
            ("repo:acme*", Width::Owner),
            ("repo:acme*/app*:*", Width::Owner),
            ("repo:*/app:*", Width::Owner),
            ("*/app:*", Width::Owner),
            ("repo:acme/*", Width::Organization),
            ("repo:acme/*:ref:refs/heads/main", Width::Organization),
            ("repo:acme/app*", Width::AnyRef),
            ("repo:acme/app:*", Width::AnyRef),
            ("repo:acme@*/app@*:*", Width::AnyRef),
            ("repo:acme/app:ref:refs/heads/*", Width::Pinned),
            ("repo:acme/app:environment:prod", Width::Pinned),
            ("repo:acme/app", Width::Nothing),
            ("repo:acme", Width::Nothing),
            ("repository_owner_id:1234:*", Width::Pinned),
        ] {
            assert_eq!(github_width(subject), width, "{subject}");
        }
    }

    #[test]
    fn open_parts_stand_for_fixed_text() {
        let of = |text: &str| github_width(&text.replace('#', &HOLE.to_string()));
        assert_eq!(of("repo:#/app:*"), Width::AnyRef);
        assert_eq!(of("repo:#/*"), Width::Organization);
        assert_eq!(of("repo:#:*"), Width::AnyRef);
        assert_eq!(of("repo:#*"), Width::Pinned);
        assert_eq!(of("repo:#"), Width::Pinned);
        assert_eq!(of("#"), Width::Pinned);
        assert_eq!(of("#*"), Width::Pinned);
    }
}
