//! The Allow statements of identity policies with whom they reach: what rules about grants walk.
//!
//! Not for effective access, which the `access` crate answers. Invariant: documents that are used
//! only as a permissions boundary are left out, since those grant nothing.

use crate::context::Report;
use crate::{Context, names};
use overgrant_access::How;
use overgrant_catalog::{AccessLevel, Action};
use overgrant_ir::{Identity, IdentityId, PolicyDocument};
use overgrant_policy::{Answer, ResourcePattern, Statement};
use overgrant_value::Src;

/// One Allow statement of an identity policy.
pub(crate) struct Grant<'a> {
    /// The document with the resource that holds it.
    pub(crate) document: &'a PolicyDocument,
    /// The statement.
    pub(crate) statement: &'a Statement,
    /// The identities it is attached to, with the place of the link.
    pub(crate) holders: Vec<Holder<'a>>,
}

/// An identity that a document is attached to.
#[derive(Clone)]
pub(crate) struct Holder<'a> {
    /// Its id.
    pub(crate) id: IdentityId,
    /// The identity.
    pub(crate) identity: &'a Identity,
    /// Where the link stands.
    pub(crate) link: Src,
}

/// All grants of the model, in its order.
pub(crate) fn grants<'a>(cx: &Context<'a>) -> Vec<Grant<'a>> {
    let mut grants = Vec::new();
    for (id, document) in cx.access.identity_documents() {
        let holders: Vec<Holder<'a>> = cx
            .access
            .uses(id)
            .iter()
            .filter(|one| one.how == How::Policy)
            .filter_map(|one| {
                Some(Holder {
                    id: one.identity,
                    identity: cx.model.identity(one.identity)?,
                    link: one.src.clone(),
                })
            })
            .collect();
        // A policy that nobody holds and that is named a boundary is put on by others.
        if holders.is_empty() && is_named_boundary(document) {
            continue;
        }
        for statement in document.document.allows() {
            grants.push(Grant {
                document,
                statement,
                holders: holders.clone(),
            });
        }
    }
    grants
}

fn is_named_boundary(document: &PolicyDocument) -> bool {
    names::document(document)
        .to_ascii_lowercase()
        .contains("boundary")
}

impl Grant<'_> {
    /// ``role `ci` may`` where there is one holder, else ``policy `p` lets its holder``.
    pub(crate) fn subject(&self) -> String {
        match self.holders.as_slice() {
            [one] => format!("{} may", names::identity(one.identity)),
            _ => format!("{} lets its holder", names::document(self.document)),
        }
    }

    /// Whether a condition surely or perhaps narrows the statement.
    pub(crate) fn is_narrowed(&self) -> bool {
        self.statement.conditions.narrows().possible()
    }

    /// The resource member that makes the statement wide for an action: `*` itself, else a member
    /// that covers the type alone, else the whole list.
    pub(crate) fn wide_src(&self, action: Action<'_>) -> Src {
        let resources = &self.statement.resources;
        let listed = resources.listed();
        if listed.negated {
            return listed.key_src.clone();
        }
        if let Some(star) = resources.star() {
            return star.pattern().src().clone();
        }
        listed
            .items
            .iter()
            .find(|item| {
                let service = item.arn().map(|arn| &arn.service);
                let own = service.is_none_or(|text| {
                    text.as_known()
                        .is_none_or(|text| text.contains('*') || text == action.service().prefix())
                });
                own && item.pattern().has_wildcard()
            })
            .map_or_else(|| listed.src.clone(), |item| item.pattern().src().clone())
    }

    /// Where the action is granted: the pattern, or the key of `NotAction`.
    pub(crate) fn action_src(&self, action: Action<'_>) -> Src {
        let actions = &self.statement.actions;
        actions.pattern_for(&action.to_string()).map_or_else(
            || actions.listed().key_src.clone(),
            |item| item.pattern().src().clone(),
        )
    }

    /// Adds what every finding about a grant shows: statement, attachments, principals.
    pub(crate) fn describe(&self, report: Report) -> Report {
        let mut report = report.statement(self.statement);
        for holder in &self.holders {
            let place = &holder.identity.place;
            report = report
                .related(
                    &holder.link,
                    format!("attached to `{}`", place.address),
                    Some(place),
                )
                .principal(place);
        }
        report
    }
}

/// Names up to three actions and counts the rest: `` `a`, `b`, `c` and 4 more``.
pub(crate) fn list_actions(actions: &[Action<'_>]) -> String {
    const SHOWN: usize = 3;
    let mut words = actions
        .iter()
        .take(SHOWN)
        .map(|action| format!("`{action}`"))
        .collect::<Vec<_>>();
    if actions.len() > SHOWN {
        let more = actions.len() - SHOWN;
        return format!("{} and {more} more", words.join(", "));
    }
    match words.pop() {
        Some(last) if !words.is_empty() => format!("{} and {last}", words.join(", ")),
        Some(only) => only,
        None => String::new(),
    }
}

/// Whether an action changes something.
pub(crate) fn writes(action: Action<'_>) -> bool {
    action.level() >= AccessLevel::Write
}

/// How wide the resources of a statement are for an action.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Wide {
    /// Every resource of the type in one region.
    Region,
    /// Every one in the account.
    Account,
}

/// Whether the statement surely covers a whole resource type of the action.
pub(crate) fn wide(statement: &Statement, action: Action<'_>) -> Option<Wide> {
    let resources = &statement.resources;
    let listed = resources.listed();
    let hopeless = |item: &ResourcePattern| {
        !item.pattern().has_wildcard() || names_another_service(item, action)
    };
    if !listed.negated && listed.items.iter().all(hopeless) {
        return None;
    }
    let star = resources.star_for(action.id());
    if star.all() == Answer::Must {
        Some(Wide::Account)
    } else if star.regional() == Answer::Must {
        Some(Wide::Region)
    } else {
        None
    }
}

/// Whether the member is an ARN of a service that no resource type of the action belongs to.
fn names_another_service(item: &ResourcePattern, action: Action<'_>) -> bool {
    let Some(service) = item.arn().and_then(|arn| arn.service.as_known()) else {
        return false;
    };
    !service.contains(['*', '?'])
        && !action
            .resources()
            .filter_map(|resource| resource.resource_type())
            .any(|kind| kind.arn_pattern().split(':').nth(2) == Some(service.as_str()))
}
