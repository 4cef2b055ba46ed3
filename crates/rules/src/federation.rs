//! Which identities of an OIDC provider a trust statement accepts.
//!
//! One place decides for all rules of the family: every condition on a claim must hold, any value
//! of a condition may, so the widest value of the narrowest condition decides. Not for SAML.
//! Invariant: `StringEquals` with a `*` accepts nothing, a negated operator limits nothing, and an
//! open part of a value is taken as fixed text, so that a finding holds whatever it stands for. A
//! statement that no token can meet is left out, and a Deny of all but some subjects limits like a test.
//! Source: AWS, "Create a role for OpenID Connect federation"; GitHub, "OpenID Connect reference".

use crate::claims;
use crate::holder;
use crate::skeleton::{HOLE, is_open, is_star, is_wild};
use overgrant_access::Access;
use overgrant_catalog::{AccessLevel, Action, Issuer, Tenancy};
use overgrant_finding::Severity;
use overgrant_ir::{DocumentId, IdentityId, IdentityKind, Model, PolicyDocument, Provider};
use overgrant_policy::{
    Answer, Condition, Principal, PrincipalKind, SetOperator, Statement, Test, Value,
};
use overgrant_source::Span;
use overgrant_value::Src;

/// The action that takes a token.
const ACTION: &str = "sts:AssumeRoleWithWebIdentity";

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
    /// Only lists, reads and reports what it sees of a visitor.
    Reads,
    /// Changes something.
    Writes,
}

/// The value that decides.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Decisive<'a> {
    pub(crate) value: &'a Value,
    pub(crate) width: Width,
    /// Whether what is accepted may end in anything.
    pub(crate) open_end: bool,
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
                || !statement.actions.select(ACTION).possible()
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
                if host
                    .as_deref()
                    .is_some_and(|host| accepts_nothing(statement, host))
                {
                    continue;
                }
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

/// Whether no token of an issuer meets the conditions: they ask for a key that only tokens of another
/// issuer bring, or none at all, or for a token without subject or audience.
fn accepts_nothing(statement: &Statement, host: &str) -> bool {
    let host = host.trim_end_matches('/');
    statement.conditions.items.iter().any(|condition| {
        let Some(key) = condition
            .key
            .spelling()
            .filter(|_| condition.guard.is_always())
        else {
            return false;
        };
        let operator = &condition.operator;
        let asks = !operator.is_negated()
            && !operator.holds_without_key()
            && !matches!(operator.test, Test::Null | Test::Unknown);
        if ["aws:", "sts:", "saml:"]
            .iter()
            .any(|prefix| key.starts_with(prefix))
        {
            return false;
        }
        let Some((issuer, claim)) = key.rsplit_once(':') else {
            return asks;
        };
        let issuer = issuer.trim_end_matches('/');
        if !issuer.eq_ignore_ascii_case(host) {
            return asks && issuer.contains('.');
        }
        // A test against an empty list is never met.
        if asks
            && condition.values.is_empty()
            && !condition.open
            && operator.set != Some(SetOperator::ForAllValues)
        {
            return true;
        }
        let absent = |value: &Value| {
            value
                .known()
                .is_some_and(|known| known.eq_ignore_ascii_case("true"))
        };
        operator.test == Test::Null
            && ["sub", "aud"].contains(&claim)
            && !condition.values.is_empty()
            && condition.values.iter().all(absent)
    })
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
        let items = self.statement.conditions.items.iter();
        items.filter(|one| self.is_on(one, name)).collect()
    }

    fn is_on(&self, condition: &Condition, name: &str) -> bool {
        let suffix = format!(":{name}");
        let full = self
            .host
            .as_ref()
            .map(|host| format!("{}{suffix}", host.to_ascii_lowercase()));
        match (condition.key.spelling(), &full) {
            (Some(key), Some(full)) => key == *full,
            (Some(key), None) => key.ends_with(&suffix) && !key.starts_with("aws:"),
            (None, _) => condition.key.ends_with(&suffix),
        }
    }

    /// The conditions on a claim that limit something: positive operators, and Deny statements that
    /// spare only their values.
    pub(crate) fn limits(&self, name: &str) -> Vec<&'a Condition> {
        let mut limits = self.claim(name);
        limits.retain(|condition| {
            !condition.operator.is_negated()
                && !matches!(condition.operator.test, Test::Null | Test::Unknown)
        });
        limits.extend(self.spared(name));
        limits
    }

    /// The conditions by which Deny statements refuse every token but those with their values.
    pub(crate) fn spared(&self, name: &str) -> impl Iterator<Item = &'a Condition> {
        let document = &self.document.document;
        let denies = document.denies().filter(|deny| {
            let mut named = deny.principals.iter();
            deny.guard.is_always()
                && !deny.conditions.open
                && !deny.principals.listed().negated
                && deny.actions.select(ACTION) == Answer::Must
                && (deny.principals.anyone().is_some()
                    || named.any(|one| one.key() == self.principal.key()))
        });
        denies.filter_map(move |deny| match deny.conditions.items.as_slice() {
            [one] if one.operator.is_negated() && one.operator.set.is_none() && !one.open => {
                self.is_on(one, name).then_some(one)
            }
            _ => None,
        })
    }

    /// A value as the shape that a grammar measures.
    pub(crate) fn shape(&self, condition: &Condition, value: &Value) -> String {
        let variables = self.document.document.has_variables();
        claims::shape(value.text(), condition.operator.has_wildcards(), variables)
    }

    /// Whether a literal (or open) value without a wildcard pins the claim.
    pub(crate) fn pins(&self, name: &str) -> bool {
        self.limits(name).iter().any(|condition| {
            let values = &condition.values;
            values
                .iter()
                .all(|value| !is_wild(&self.shape(condition, value)))
        })
    }

    /// The widest of the values that all conditions on a claim accept, by a grammar that measures
    /// values; `None` where no condition limits the claim.
    pub(crate) fn decisive(
        &self,
        name: &str,
        measure: impl Fn(&str) -> Width,
    ) -> Option<Decisive<'a>> {
        /// More values together than anybody writes; the narrower condition decides then.
        const MANY: usize = 1 << 12;
        type Accepted<'a> = Vec<(String, Width, &'a Value)>;
        let limits = self.limits(name);
        let mut sets = limits
            .iter()
            .filter(|one| !one.values.is_empty())
            .map(|condition| {
                let values = condition.values.iter();
                let accepted = values.map(|value| {
                    let shape = self.shape(condition, value);
                    let width = measure(&shape);
                    (shape, width, value)
                });
                accepted.collect::<Accepted<'a>>()
            });
        let widest = |set: &Accepted<'a>| set.iter().map(|one| one.1).max();
        let mut accepted = sets.next()?;
        let nothing = accepted.first().map(|one| one.2)?;
        for other in sets {
            if accepted.len() * other.len() > MANY {
                accepted = std::cmp::min_by_key(accepted, other, widest);
                continue;
            }
            let mut both = Accepted::new();
            for left in &accepted {
                for right in &other {
                    for shape in claims::meet(&left.0, &right.0) {
                        let width = measure(&shape);
                        let all = [left.clone(), right.clone(), (shape, width, left.2)];
                        both.extend(all.into_iter().rev().min_by_key(|one| one.1));
                    }
                }
            }
            accepted = both;
        }
        let decides = accepted.iter().rev().max_by_key(|one| one.1);
        Some(decides.map_or(
            Decisive {
                value: nothing,
                width: Width::Nothing,
                open_end: false,
            },
            |(shape, width, value)| Decisive {
                value,
                width: *width,
                open_end: shape.ends_with('*'),
            },
        ))
    }

    /// The first condition that pins one of the claims, as a width: what is accepted has that id.
    pub(crate) fn pinned_by(&self, claims: &[&str], width: Width) -> Option<Decisive<'a>> {
        let claim = claims.iter().find(|claim| self.pins(claim))?;
        let limits = self.limits(claim);
        let value = limits
            .iter()
            .find_map(|condition| condition.values.first())?;
        Some(Decisive {
            value,
            width,
            open_end: true,
        })
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

    /// What GitHub's subject accepts together with the claims that name the repository or its owner;
    /// `None` where no condition limits them.
    pub(crate) fn github_subject(&self) -> Option<Decisive<'a>> {
        let subject = self.decisive("sub", github_width);
        let repository = self.decisive("repository", |value| {
            github_width(&format!("repo:{value}:*"))
        });
        let tenant = repository
            .into_iter()
            .chain(self.pinned_by(&["repository_id"], Width::AnyRef))
            .chain(self.pinned_by(
                &[
                    "repository_owner_id",
                    "repository_owner",
                    "enterprise_id",
                    "enterprise",
                ],
                Width::Organization,
            ))
            .min_by_key(|one| one.width);
        let pinned = |one: Decisive<'a>| Decisive {
            width: one.width.min(Width::Pinned),
            ..one
        };
        match (subject, tenant) {
            (Some(subject), Some(tenant)) if tenant.width < subject.width => {
                // The subject may still say what runs.
                let any_run = subject.open_end && !self.says_what_runs();
                Some(if any_run { tenant } else { pinned(tenant) })
            }
            (None, Some(tenant)) if tenant.width < Width::Owner && self.says_what_runs() => {
                Some(pinned(tenant))
            }
            (None, tenant) => tenant,
            (subject, _) => subject,
        }
    }

    /// Whether a claim beside GitHub's subject pins the ref, the environment or the workflow.
    pub(crate) fn says_what_runs(&self) -> bool {
        ["environment", "ref", "job_workflow_ref", "workflow_ref"]
            .iter()
            .any(|claim| {
                let star = |value: &str| {
                    if is_star(value) {
                        Width::Everybody
                    } else {
                        Width::Pinned
                    }
                };
                self.decisive(claim, star)
                    .is_some_and(|one| one.width <= Width::Pinned)
            })
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

    /// Whether the role, whose policies are known, only takes what visitors report of themselves.
    pub(crate) fn only_hears_visitors(&self, access: &Access<'_>) -> bool {
        let role = self.role_id(access.model());
        role.is_some_and(|role| {
            let granted = access.actions_on_something(role);
            !granted.is_empty() && granted.actions().all(is_from_visitors)
        })
    }

    /// What the role is granted, as far as its policies are known.
    pub(crate) fn rights(&self, access: &Access<'_>) -> Rights {
        let role = self.role_id(access.model());
        let Some(role) = role.filter(|id| !access.policies(*id).is_empty()) else {
            return Rights::Unknown;
        };
        let writes = |action: Action<'_>| {
            !matches!(action.level(), AccessLevel::List | AccessLevel::Read)
                && !is_from_visitors(action)
        };
        let granted = access.actions_on_something(role);
        if granted.actions().any(writes) {
            Rights::Writes
        } else if granted.is_empty() {
            Rights::Unknown
        } else {
            Rights::Reads
        }
    }

    /// The place for "a condition is missing": the provider in the trust, where it is named there if
    /// it was written elsewhere, with the uses since.
    pub(crate) fn src(&self) -> Src {
        let src = self.principal.src();
        let within = |span: Span| {
            let statement = self.statement.src.span;
            statement.is_none_or(|statement| statement.contains(span))
        };
        if src.span.is_none_or(within) {
            return src.clone();
        }
        let hops = src.hops();
        let mut later = hops.into_iter().skip_while(|hop| !within(hop.span));
        let Some(named) = later.next() else {
            return src.clone();
        };
        // The way of the statement to the role goes on from there.
        later.fold(Src::at(named.span), |src, hop| {
            src.through(hop.span, hop.label)
        })
    }
}

/// What pages and apps report about their visitors, who need not sign in for it. Data that Cognito
/// Sync keeps is that of the visitor whose credentials are used, and its console writes
/// `cognito-sync:*` into the role of visitors. Source: Amazon Cognito, "Role trust and permissions". Calls that
/// get an identity are open to anyone without it, and a bot on a page is there to be talked to.
const FROM_VISITORS: [(&str, &str); 12] = [
    ("cognito-identity", "GetCredentialsForIdentity"),
    ("cognito-identity", "GetId"),
    ("cognito-identity", "GetOpenIdToken"),
    ("lex", "PostContent"),
    ("lex", "PostText"),
    ("lex", "RecognizeText"),
    ("lex", "RecognizeUtterance"),
    ("lex", "StartConversation"),
    ("mobileanalytics", "PutEvents"),
    ("mobiletargeting", "PutEvents"),
    ("mobiletargeting", "UpdateEndpoint"),
    ("rum", "PutRumEvents"),
];

fn is_from_visitors(action: Action<'_>) -> bool {
    let service = action.service().prefix();
    service == "cognito-sync" || FROM_VISITORS.contains(&(service, action.name()))
}

/// How far a subject pattern of GitHub Actions reaches: `repo:OWNER/REPO:REST`.
pub(crate) fn github_width(subject: &str) -> Width {
    const REPO: &str = "repo:";
    let literal = subject.split(['*', '?', HOLE]).next().unwrap_or_default();
    let rest = match subject.strip_prefix(REPO) {
        Some(rest) => rest,
        // A wildcard that swallows the start.
        None if REPO.starts_with(literal) => match subject.get(literal.len()..) {
            Some(rest) if rest.starts_with(['*', '?']) => rest,
            _ => return Width::Pinned,
        },
        // Another template.
        None => return Width::Pinned,
    };
    // Names and refs have no colon, and every ref has slashes.
    let (name, tail) = match rest.split_once(':') {
        Some((name, tail)) => (name, Some(tail)),
        None => (rest, None),
    };
    let Some((owner, repository)) = name.split_once('/') else {
        return without_slash(name, tail);
    };
    // `@` stands in no name: what follows it is a numeric id.
    let owner = owner.split('@').next().unwrap_or_default();
    match (is_star(owner), is_star(repository)) {
        (true, true) => return Width::Everybody,
        (false, true) if !is_wild(owner) => return Width::Organization,
        _ if is_wild(owner) => return Width::Owner,
        _ => {}
    }
    // The name of a repository has no slash.
    if repository.contains('/') && tail.is_some() {
        return Width::Nothing;
    }
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

/// A name without a slash: a wildcard or an open part has to bring it.
fn without_slash(name: &str, tail: Option<&str>) -> Width {
    if is_open(name) {
        // `repo:${var.repository}:*`.
        return match tail {
            Some(tail) if is_star(tail) && !is_wild(name) => Width::AnyRef,
            _ => Width::Pinned,
        };
    }
    match (is_star(name), is_wild(name)) {
        (true, _) => Width::Everybody,
        (false, true) => Width::Owner,
        (false, false) => Width::Nothing,
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
            ("repo:*:ref:refs/heads/main", Width::Everybody),
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
