//! What a principal may do, by service and access level, with where each grant is written.
//!
//! Invariant: what a Deny without condition takes away everywhere, and what the boundary does not
//! leave, is not listed; what only may be granted is marked.

use crate::graph::Place;
use crate::{Access, AttachedSource, Session};
use overgrant_catalog::{AccessLevel, Action};
use overgrant_ir::IdentityId;
use overgrant_policy::{ActionSet, Answer};
use std::collections::BTreeMap;

/// Actions of one service and level that one statement grants.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Granted {
    /// IAM service prefix.
    pub service: String,
    /// Access level.
    pub level: AccessLevel,
    /// The actions, without the service.
    pub actions: Vec<String>,
    /// Whether these are all actions of the service at that level.
    pub all: bool,
    /// On what, in words.
    pub resources: String,
    /// Whether conditions narrow the grant.
    pub conditional: bool,
    /// Whether it is surely granted, conditions aside.
    pub certain: bool,
    /// What gives it, in words.
    pub from: String,
    /// Where that is written.
    pub place: Option<Place>,
}

/// What limits a principal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limits {
    /// The boundary's address or name; `?` where it is not in the code.
    pub boundary: Option<String>,
    /// What narrows the session, by address or name; empty where it is no session.
    pub session: Vec<String>,
    /// Organization policies of the code that may bind it, by address.
    pub organization: Vec<String>,
    /// Deny statements: words and place.
    pub denies: Vec<(String, Option<Place>)>,
    /// Attached policies that are not in the code or could not be read.
    pub unread: Vec<String>,
    /// Whether it is administrator.
    pub admin: Answer,
}

impl Access<'_> {
    /// The grants of an identity, sorted by service, level and place in its policies.
    #[must_use]
    pub fn grants(&self, id: IdentityId) -> Vec<Granted> {
        self.grants_in(id, None)
    }

    /// The same for a session of the identity.
    #[must_use]
    pub fn grants_in(&self, id: IdentityId, session: Option<&Session<'_>>) -> Vec<Granted> {
        let narrowed = session.map_or_else(ActionSet::all, Session::actions);
        let left = self.actions_on_something(id).intersection(&narrowed);
        let mut found = Vec::new();
        for attached in self.policies(id) {
            for statement in attached.document.allows() {
                let (must, may) = (statement.actions.must(), statement.actions.may());
                let certain = attached.is_certain() && statement.is_certain();
                let held = may.intersection(&left.clone().union(&must.complement()));
                let held = held.intersection(&narrowed);
                let from = match &attached.source {
                    AttachedSource::AwsManaged { name, .. } => format!("AWS managed policy {name}"),
                    _ => format!("statement {}", statement.name()),
                };
                let from = match attached
                    .group
                    .and_then(|group| self.model().identity(group))
                {
                    Some(group) => format!("{from}, by group `{}`", self.address(&group.place)),
                    None => from,
                };
                let holder = match attached.source {
                    AttachedSource::Model(document) => {
                        self.model().document(document).map(|one| &one.place)
                    }
                    _ => attached.place.as_ref(),
                };
                let place = holder.map(|place| Place {
                    address: self.address(place).into(),
                    root: place.root.clone(),
                    statement: Some(statement.name()),
                    span: statement.src.span.or(place.src.span),
                });
                for ((service, level), actions) in by_level(&held) {
                    let all = is_whole(&service, level, actions.len());
                    found.push(Granted {
                        service,
                        level,
                        actions,
                        all,
                        resources: statement.resources.to_string(),
                        conditional: statement.conditions.narrows().possible(),
                        certain,
                        from: from.clone(),
                        place: place.clone(),
                    });
                }
            }
        }
        found.sort_by(|a, b| (&a.service, a.level).cmp(&(&b.service, b.level)));
        found
    }

    fn session_names(&self, session: &Session<'_>) -> Vec<String> {
        let named = session.policies.iter().filter_map(|one| {
            let held = one.place.map(|place| self.address(place));
            one.aws.clone().or(held)
        });
        let mut names: Vec<String> = named.collect();
        names.dedup();
        names
    }

    /// What limits an identity.
    #[must_use]
    pub fn limits(&self, id: IdentityId) -> Limits {
        self.limits_in(id, None)
    }

    /// The same for a session of the identity.
    #[must_use]
    pub fn limits_in(&self, id: IdentityId, session: Option<&Session<'_>>) -> Limits {
        let model = self.model();
        let mut limits = Limits {
            boundary: None,
            session: session
                .map(|one| self.session_names(one))
                .unwrap_or_default(),
            organization: Vec::new(),
            denies: Vec::new(),
            unread: Vec::new(),
            admin: self.is_admin(id),
        };
        limits.boundary = match self.boundary(id) {
            crate::Boundary::None => None,
            crate::Boundary::Document(document) => {
                model.document(document).map(|one| self.address(&one.place))
            }
            crate::Boundary::AwsManaged { name, .. } => Some(name.to_string()),
            crate::Boundary::Unresolved(named) => Some(format!("{} (not in the code)", named.text)),
        };
        for (policy, _) in self.guardrails.service_control(self.account_of(id)) {
            let policy = model.document(policy).map(|one| self.address(&one.place));
            limits.organization.extend(policy);
        }
        for attached in self.policies(id) {
            let holder = match attached.source {
                AttachedSource::Model(document) => model.document(document).map(|one| &one.place),
                _ => attached.place.as_ref(),
            };
            if attached.document.resolution == overgrant_policy::Resolution::Unresolved {
                let name = attached.text.as_ref().map(ToString::to_string);
                let address = holder.map(|place| self.address(place));
                limits.unread.extend(name.or(address));
            }
            for statement in attached.document.denies() {
                let place = holder.map(|place| Place {
                    address: self.address(place).into(),
                    root: place.root.clone(),
                    statement: Some(statement.name()),
                    span: statement.src.span,
                });
                let under = if statement.conditions.is_empty() {
                    ""
                } else {
                    ", under conditions"
                };
                let words = format!("{} on {}{under}", statement.actions, statement.resources);
                limits.denies.push((words, place));
            }
        }
        limits
    }
}

fn by_level(set: &ActionSet) -> BTreeMap<(String, AccessLevel), Vec<String>> {
    let mut found: BTreeMap<(String, AccessLevel), Vec<String>> = BTreeMap::new();
    for action in set.actions() {
        let key = (action.service().prefix().to_owned(), action.level());
        found.entry(key).or_default().push(action.name().to_owned());
    }
    found
}

fn is_whole(service: &str, level: AccessLevel, count: usize) -> bool {
    let catalog = overgrant_catalog::catalog();
    let Some(service) = catalog.service(service) else {
        return false;
    };
    let of_level = |action: &Action<'_>| action.level() == level;
    let all = service
        .actions()
        .filter_map(|id| catalog.action(overgrant_catalog::ActionId(id)))
        .filter(of_level)
        .count();
    all == count
}
