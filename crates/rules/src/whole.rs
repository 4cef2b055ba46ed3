//! Services whose writing actions a statement grants all together.
//!
//! Not for messages. Invariant: only what a statement surely grants on everything counts, and a
//! statement that is limited by a condition grants nothing here.

use crate::grants::{self, Grant, Wide};
use overgrant_catalog::{Action, ActionId, Service, catalog};
use overgrant_finding::Severity;
use overgrant_policy::{ActionPattern, ActionSet, Answer, Effect};
use std::collections::BTreeSet;

/// Services whose control is most of the account's.
const WEIGHTY: [&str; 9] = [
    "ec2",
    "iam",
    "kms",
    "lambda",
    "organizations",
    "s3",
    "secretsmanager",
    "ssm",
    "sts",
];

/// Services that take in measurements and little else.
const TELEMETRY: [&str; 1] = ["xray"];

/// Services that are one application of the account, with users and rights of its own: who administers it
/// has all of it.
const APPLICATIONS: [&str; 1] = ["quicksight"];

/// A service that a statement grants as a whole.
pub(crate) struct Whole<'a> {
    /// How much the service weighs.
    pub(crate) severity: Severity,
    /// On how much of it.
    pub(crate) width: Wide,
    /// The member that grants most of it.
    pub(crate) item: &'a ActionPattern,
    /// The service.
    pub(crate) service: Service<'static>,
    /// An action with resources that could be named.
    pub(crate) scopable: Option<Action<'static>>,
}

/// The services that a statement grants as a whole, by prefix.
pub(crate) fn services<'a>(grant: &Grant<'a>) -> Vec<Whole<'a>> {
    let statement = grant.statement;
    // Everything at once is `admin-star-star`, or for `NotAction` `allow-notaction`.
    if statement.effect != Effect::Allow
        || statement.actions.listed().negated
        || statement.actions.covers_all() == Answer::Must
        || grant.is_narrowed()
    {
        return Vec::new();
    }
    let prefixes: BTreeSet<String> = statement
        .actions
        .listed()
        .items
        .iter()
        .filter(|item| item.pattern().has_wildcard())
        .filter_map(|item| item.service())
        .collect();
    prefixes
        .iter()
        .filter_map(|prefix| whole_service(grant, catalog().service(prefix)?))
        .collect()
}

/// What a statement grants beside the services that it grants as a whole, which are another rule's,
/// and how bad those are.
pub(crate) fn others(grant: &Grant<'_>, services: &[Whole<'_>]) -> (ActionSet, Option<Severity>) {
    let rest = services.iter().fold(grant.granted(), |rest, one| {
        let service = format!("{}:*", one.service.prefix());
        rest.difference(&ActionSet::matching(&service))
    });
    (rest, services.iter().map(|one| one.severity).max())
}

fn whole_service<'a>(grant: &Grant<'a>, service: Service<'static>) -> Option<Whole<'a>> {
    let statement = grant.statement;
    let granted = grant.granted();
    let mut writes: Vec<Action<'static>> = Vec::new();
    for id in service.actions() {
        let action = catalog().action(ActionId(id))?;
        if grants::writes(action) {
            if !granted.contains(action.id()) {
                return None;
            }
            writes.push(action);
        }
    }
    if writes.is_empty() {
        return None;
    }
    let scopable: Vec<Action<'static>> = writes
        .iter()
        .copied()
        .filter(|action| !action.is_wildcard_only())
        .collect();
    let width = width(grant, &writes, &scopable)?;
    let item = statement
        .actions
        .listed()
        .items
        .iter()
        .filter(|item| item.service().is_some_and(|own| own == service.prefix()))
        .max_by_key(|item| item.set().len())?;
    let base = if TELEMETRY.contains(&service.prefix()) {
        Severity::Info
    } else if scopable.is_empty() || APPLICATIONS.contains(&service.prefix()) {
        // There is nothing to name.
        Severity::Low
    } else if WEIGHTY.contains(&service.prefix()) {
        Severity::High
    } else {
        Severity::Medium
    };
    Some(Whole {
        severity: match width {
            Wide::Account => base,
            Wide::Region => base.lower(),
        },
        width,
        item,
        service,
        scopable: scopable.first().copied(),
    })
}

/// The writes of buckets and objects, which are what S3 is there for: who has all of them has it,
/// whatever else the service names. Nothing for other services.
fn stored<'a>(scopable: &[Action<'a>]) -> Vec<Action<'a>> {
    scopable
        .iter()
        .copied()
        .filter(|action| {
            action.service().prefix() == "s3"
                && action
                    .resources()
                    .filter_map(|resource| resource.resource_type())
                    .any(|kind| kind.arn_pattern().contains(":s3:::"))
        })
        .collect()
}

/// How wide the statement is for the service: nine in ten of its scopable writes decide.
fn width(grant: &Grant<'_>, writes: &[Action<'_>], scopable: &[Action<'_>]) -> Option<Wide> {
    if grant.statement.resources.covers_all() == Answer::Must {
        return Some(Wide::Account);
    }
    let stored = stored(scopable);
    let asked = match (stored.is_empty(), scopable.is_empty()) {
        (false, _) => stored.as_slice(),
        (true, false) => scopable,
        (true, true) => writes,
    };
    let most = |count: usize| count * 10 >= asked.len() * 9;
    let (mut account, mut narrow) = (0, 0);
    for action in asked {
        match grant.wide(*action) {
            Some(Wide::Account) => account += 1,
            Some(Wide::Region) => {}
            None => narrow += 1,
        }
        // The others cannot make up for so many.
        if !most(asked.len() - narrow) {
            return None;
        }
    }
    Some(if most(account) {
        Wide::Account
    } else {
        Wide::Region
    })
}
