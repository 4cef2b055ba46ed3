//! Whether a request found among texts with policy variables is one once the variables have values.
//!
//! Not for finding requests. Invariant: the search takes `${key}` for a letter of its own, which is
//! exact but where the same key has a value elsewhere in the request; a request found in spite of
//! that is never reported as sure.

use crate::document::Document;
use crate::engine::compile::StatementBox;
use crate::engine::prepared::Prepared;
use crate::engine::solve::{Found, Witness};
use crate::point;
use crate::request::{Caller, PolicyKind, Request, Stack};
use overgrant_catalog::{Action, ActionId, catalog};
use overgrant_value::{Answer, Src, Text, Val};
use std::collections::BTreeMap;
use std::sync::LazyLock;

/// Somebody; what is asked does not depend on who.
const CALLER: &str = "arn:aws:iam::111122223333:user/x";

/// Drops the requests that are none, where that can be told: no resource policy names the caller,
/// nothing but variables is open. False if none is left.
pub(super) fn confirm(new: &Prepared<'_>, old: Option<&Prepared<'_>>, found: &mut Found) -> bool {
    let stands = |hit: &Witness| !is_asked(new, old, hit) || holds(new, old, hit) != Answer::No;
    found.grants.retain(|(_, _, hit)| stands(hit));
    let first = found.witness.take().filter(stands);
    found.witness = first.or_else(|| found.grants.first().map(|(_, _, hit)| hit.clone()));
    found.witness.is_some()
}

/// Whether a request that was found with variables read in its favour is one with the values that it
/// gives them.
pub(super) fn proves(new: &Prepared<'_>, old: Option<&Prepared<'_>>, witness: &Witness) -> bool {
    is_asked(new, old, witness) && holds(new, old, witness) == Answer::Must
}

/// Whether statements about the action have variables, and no resource policy names the caller.
fn is_asked(new: &Prepared<'_>, old: Option<&Prepared<'_>>, witness: &Witness) -> bool {
    let action = known(witness);
    let both = || [Some(new), old].into_iter().flatten();
    let varies = |side: &Prepared<'_>| {
        side.boxes()
            .any(|(_, boxed)| is_about(boxed, action) && boxed.has_variables())
    };
    !both().any(|side| side.has_resource()) && both().any(varies)
}

/// The action of the request, if the catalog has it.
fn known(witness: &Witness) -> Option<ActionId> {
    catalog().find_action(&witness.action).map(Action::id)
}

/// Whether the statement may select the action; one that the catalog lacks is looked for everywhere.
fn is_about(boxed: &StatementBox<'_>, action: Option<ActionId>) -> bool {
    let set = boxed.high.as_deref().unwrap_or(&boxed.low);
    action.is_none_or(|action| set.contains(action))
}

/// What the point evaluator says.
fn holds(new: &Prepared<'_>, old: Option<&Prepared<'_>>, witness: &Witness) -> Answer {
    let request = witness.request(Caller::parse(CALLER));
    let action = known(witness);
    let before = old.map_or(Answer::No, |old| Cut::new(old, action).allowed(&request));
    Cut::new(new, action).allowed(&request).and(before.negate())
}

/// A stack with the statements that are about one action only: most of a policy is not.
struct Cut<'p, 'a> {
    stack: &'p Stack<'a>,
    /// The documents by kind and level, in the order of the stack.
    layers: BTreeMap<(PolicyKind, usize), Vec<Document>>,
}

impl<'p, 'a> Cut<'p, 'a> {
    fn new(side: &'p Prepared<'a>, action: Option<ActionId>) -> Self {
        let mut layers: BTreeMap<(PolicyKind, usize), Vec<Document>> = BTreeMap::new();
        for layer in &side.layers {
            let document = layer.document;
            let boxes = layer.compiled.boxes.iter();
            let kept = boxes.filter(|boxed| is_about(boxed, action));
            let place = (layer.kind, layer.level);
            layers.entry(place).or_default().push(Document {
                version: document.version.clone(),
                version_src: None,
                id: None,
                statements: kept.filter_map(|boxed| boxed.statement.cloned()).collect(),
                problems: Vec::new(),
                resolution: document.resolution,
                open: Vec::new(),
                src: document.src.clone(),
            });
        }
        Self {
            stack: &side.stack,
            layers,
        }
    }

    fn allowed(&self, request: &Request) -> Answer {
        let of = |kind, level| -> Vec<&Document> {
            self.layers
                .get(&(kind, level))
                .into_iter()
                .flatten()
                .collect()
        };
        let optional = |is_there: bool, kind| is_there.then(|| of(kind, 0));
        let levels = |count: usize, kind| (0..count).map(|level| of(kind, level)).collect();
        allowed(
            Stack {
                identity: of(PolicyKind::Identity, 0),
                boundary: optional(self.stack.boundary.is_some(), PolicyKind::Boundary),
                session: optional(self.stack.session.is_some(), PolicyKind::Session),
                endpoint: optional(self.stack.endpoint.is_some(), PolicyKind::Endpoint),
                scp: levels(self.stack.scp.len(), PolicyKind::Scp),
                rcp: levels(self.stack.rcp.len(), PolicyKind::Rcp),
                resource: None,
                block_public_access: self.stack.block_public_access,
            },
            request,
        )
    }
}

/// Whether the stack allows the request, on a key whose policy leaves access to the account.
fn allowed(mut stack: Stack<'_>, request: &Request) -> Answer {
    static KEY: LazyLock<Document> = LazyLock::new(|| {
        let text = r#"{"Version": "2012-10-17", "Statement": {"Effect": "Allow",
            "Principal": {"AWS": "111122223333"}, "Action": "kms:*", "Resource": "*"}}"#;
        Document::from_val(&Val::text(Text::known(text), Src::none()))
    });
    if request.action.starts_with("kms:") {
        stack.resource = Some(&KEY);
    }
    let outcome = point::decide(&stack, request);
    match outcome.denied {
        Answer::Must => Answer::No,
        Answer::May => outcome.allowed.at_most_may(),
        Answer::No => outcome.allowed,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::difference;

    fn read(statements: &str) -> Document {
        let text = format!(r#"{{"Version": "2012-10-17", "Statement": [{statements}]}}"#);
        Document::from_val(&Val::text(Text::known(&text), Src::none()))
    }

    /// What the first list of statements allows beyond the second, with a request that shows it.
    fn check(new: &str, old: &str) -> Answer {
        let (new, old) = (read(new), read(old));
        let (new, old) = (Stack::identity(vec![&new]), Stack::identity(vec![&old]));
        let found = difference(&new, &old);
        if found.answer == Answer::Must {
            let request = found.witness.unwrap().request(Caller::parse(CALLER));
            assert_eq!(allowed(new, &request), Answer::Must, "{request:?}");
            assert_eq!(allowed(old, &request), Answer::No, "{request:?}");
        }
        found.answer
    }

    const HOME: &str = r#"{"Effect": "Allow", "Action": "s3:GetObject",
        "Resource": "arn:aws:s3:::home/${aws:PrincipalTag/who}"}"#;

    #[test]
    fn variables_have_values_that_differ() {
        let tagged = r#"{"Effect": "Allow", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::home/*",
            "Condition": {"StringEquals": {"s3:ExistingObjectTag/team": "${aws:PrincipalTag/team}"}}}"#;
        assert_eq!(check(tagged, HOME), Answer::Must);
        assert_eq!(check(HOME, tagged), Answer::Must);
    }

    #[test]
    fn a_value_settled_by_a_test_is_the_value_of_its_variable() {
        let alice = r#"{"Effect": "Allow", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::home/alice"}"#;
        let only_alice = r#"{"Effect": "Allow", "Action": "s3:GetObject",
            "Resource": "arn:aws:s3:::home/${aws:PrincipalTag/who}",
            "Condition": {"StringEquals": {"aws:PrincipalTag/who": "alice"}}}"#;
        // No request shows a difference, which the search alone does not see.
        assert_eq!(check(only_alice, alice), Answer::May);
        assert_eq!(check(HOME, alice), Answer::Must);
        assert_eq!(check(HOME, only_alice), Answer::Must);
    }

    #[test]
    fn a_key_without_value_gives_none_to_another() {
        let project = r#""aws:ResourceTag/p": "${aws:PrincipalTag/p}""#;
        let allow = r#"{"Effect": "Allow", "Action": "sqs:*", "Resource": "*"}"#;
        let deny = format!(
            r#"{{"Effect": "Deny", "Action": "sqs:*", "Resource": "*",
                "Condition": {{"Null": {{"aws:PrincipalTag/p": "false"}},
                    "StringNotEquals": {{{project}}}}}}}"#
        );
        let equal = format!(
            r#"{{"Effect": "Allow", "Action": "sqs:*", "Resource": "*",
                "Condition": {{"StringEquals": {{{project}}}}}}}"#
        );
        assert_eq!(check(&format!("{allow}, {deny}"), &equal), Answer::Must);
        let absent = r#"{"Effect": "Allow", "Action": "sqs:*", "Resource": "*",
            "Condition": {"Null": {"aws:PrincipalTag/p": "true"}}}"#;
        let both = format!("{absent}, {equal}");
        assert_eq!(check(&both, absent), Answer::Must);
        let never = format!(
            r#"{{"Effect": "Allow", "Action": "sqs:*", "Resource": "*",
                "Condition": {{"Null": {{"aws:PrincipalTag/p": "true"}},
                    "StringEquals": {{{project}}}}}}}"#
        );
        assert_ne!(check(&never, absent), Answer::Must);
        assert_ne!(
            check(
                &never,
                r#"{"Effect": "Allow", "Action": "sns:*", "Resource": "*"}"#
            ),
            Answer::Must
        );
    }
}
