//! Which policies are permissions boundaries, and which ways to more rights they leave open.
//!
//! Use in the model decides: a policy is a boundary where an identity has it as one, or where a
//! condition on `iam:PermissionsBoundary` asks for it. Only a policy that nothing in the model attaches
//! to anybody goes by its name. Not for the rights of an identity under its boundary, which `access`
//! knows. Invariant: a policy that is attached as a policy is never taken for a boundary by its name.

use crate::grants::Grant;
use crate::{Context, names};
use overgrant_access::{Boundary, How};
use overgrant_catalog::{Action, Category, Confidence, catalog, escalation_paths};
use overgrant_ir::{DocumentId, Identity, PolicyDocument};
use overgrant_policy::{Answer, Document, Effect, Statement};
use std::collections::BTreeSet;

/// The key that says which boundary a principal has, or is given.
pub(crate) const KEY: &str = "iam:permissionsboundary";

/// A policy of the model that limits somebody.
pub(crate) struct Limit<'a> {
    /// The policy.
    pub(crate) policy: &'a PolicyDocument,
    /// Whom it limits, as far as that is in the model.
    pub(crate) limited: Vec<&'a Identity>,
}

/// The policies that conditions ask for as boundaries.
pub(crate) fn demanded(cx: &Context<'_>) -> BTreeSet<DocumentId> {
    let mut found = BTreeSet::new();
    for holder in &cx.model.documents {
        let statements = &holder.document.statements;
        for condition in statements.iter().flat_map(|one| one.conditions.on(KEY)) {
            let named = condition.values.iter();
            found.extend(
                named.filter_map(|value| cx.access.policy(value.text(), &holder.place.root)),
            );
        }
    }
    found
}

/// Whether a policy that no identity of the model holds is a boundary.
pub(crate) fn is_unheld_boundary(
    cx: &Context<'_>,
    demanded: &BTreeSet<DocumentId>,
    id: DocumentId,
) -> bool {
    demanded.contains(&id)
        || cx.model.document(id).is_some_and(is_named_boundary)
            && !cx.model.attachments.iter().any(|attachment| {
                cx.access
                    .policy(&attachment.policy.text, &attachment.place.root)
                    == Some(id)
            })
}

fn is_named_boundary(document: &PolicyDocument) -> bool {
    names::document(document)
        .to_ascii_lowercase()
        .contains("boundary")
}

/// The boundaries among the policies of the model.
pub(crate) fn limits<'a>(cx: &Context<'a>) -> Vec<Limit<'a>> {
    let demanded = demanded(cx);
    cx.model
        .all_documents()
        .filter(|(_, policy)| policy.role == overgrant_ir::DocumentRole::Managed)
        .filter_map(|(id, policy)| {
            let uses = cx.access.uses(id);
            let limited: Vec<&Identity> = uses
                .iter()
                .filter(|one| one.how == How::Boundary)
                .filter_map(|one| cx.model.identity(one.identity))
                .collect();
            let held = uses.iter().any(|one| one.how == How::Policy);
            let is_boundary =
                !limited.is_empty() || (!held && is_unheld_boundary(cx, &demanded, id));
            is_boundary.then_some(Limit { policy, limited })
        })
        .collect()
}

impl Limit<'_> {
    /// ``boundary `cap` `` with whom it limits: `` of role `team` ``.
    pub(crate) fn subject(&self) -> String {
        let policy = names::document(self.policy).replacen("policy ", "boundary ", 1);
        match self.limited.as_slice() {
            [] => policy,
            [one] => format!("{policy} of {}", names::identity(one)),
            [one, rest @ ..] => format!(
                "{policy} of {} and {} more",
                names::identity(one),
                rest.len()
            ),
        }
    }
}

/// Whether the identity has a boundary, known or not.
pub(crate) fn is_limited(cx: &Context<'_>, id: overgrant_ir::IdentityId) -> bool {
    !matches!(cx.access.boundary(id), Boundary::None)
}

/// Whether a statement asks for a boundary.
pub(crate) fn asks_for_boundary(statement: &Statement) -> bool {
    statement.conditions.on(KEY).next().is_some()
}

/// The IAM actions by which somebody under a boundary that says this gets out of it or gains rights
/// all the same: the steps of ways that it leaves open on every resource, without a condition. In the
/// order of the catalog.
pub(crate) fn left_open(document: &Document) -> Vec<Action<'static>> {
    let mut open: Vec<Action<'static>> = Vec::new();
    for path in escalation_paths() {
        let counts = matches!(
            path.category,
            Category::SelfEscalation
                | Category::PrincipalAccess
                | Category::NewPassrole
                | Category::GuardrailRemoval
        );
        if !counts || path.confidence == Confidence::Low {
            continue;
        }
        let steps: Option<Vec<Action<'static>>> = path
            .legs
            .iter()
            .map(|group| {
                group.iter().find_map(|leg| {
                    let action = catalog().find_action(leg.action)?;
                    leaves(document, action).then_some(action)
                })
            })
            .collect();
        let steps = steps.into_iter().flatten();
        open.extend(steps.filter(|action| action.service().prefix() == "iam"));
    }
    open.sort_by_key(|action| action.id());
    open.dedup_by_key(|action| action.id());
    open
}

/// Whether a boundary lets the action through on every resource and without a condition. A Deny with
/// a condition is taken to close it, and so is one that keeps versions of some policies: the
/// boundary's own are what matters.
pub(crate) fn leaves(document: &Document, action: Action<'_>) -> bool {
    let name = action.to_string();
    let on_all = |statement: &Statement| statement.resources.star_for(action.id()).all();
    document.statements.iter().any(|statement| {
        statement.effect == Effect::Allow
            && statement.is_certain()
            && statement.actions.select(&name) == Answer::Must
            && on_all(statement) == Answer::Must
            && !statement.conditions.narrows().possible()
    }) && !document.denies().any(|statement| {
        statement.actions.select(&name).possible()
            && (on_all(statement).possible() || action.name().ends_with("PolicyVersion"))
    })
}

/// Whether a Deny takes away some change of identities on every resource.
pub(crate) fn denies_iam(statement: &Statement) -> bool {
    statement.effect == Effect::Deny
        && statement.actions.must().actions().any(|action| {
            action.service().prefix() == "iam"
                && action.flags().escalation()
                && statement.resources.star_for(action.id()).all().possible()
        })
}

/// Whether a grant is part of a delegation: its document tests `iam:PermissionsBoundary`, or every
/// holder has a boundary. Administrators delegate, and are not delegated to.
pub(crate) fn is_delegated(cx: &Context<'_>, grant: &Grant<'_>) -> bool {
    let limited =
        !grant.holders.is_empty() && grant.holders.iter().all(|holder| is_limited(cx, holder.id));
    let statements = &grant.document.document.statements;
    (limited || statements.iter().any(asks_for_boundary))
        && !grant
            .holders
            .iter()
            .any(|holder| cx.access.is_admin(holder.id) == Answer::Must)
}
