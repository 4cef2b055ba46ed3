//! Whether a request found among texts with policy variables is one once the variables have values.
//!
//! Not for finding requests. Invariant: the search takes `${key}` for a letter of its own, which is
//! exact but where the same key has a value elsewhere in the request; a request found in spite of
//! that is never reported as sure.

use crate::document::Document;
use crate::engine::prepared::Prepared;
use crate::engine::solve::{Found, Witness};
use crate::point;
use crate::request::{Caller, Request, Stack};
use overgrant_value::{Answer, Src, Text, Val};
use std::sync::LazyLock;

/// Somebody; what is asked does not depend on who.
const CALLER: &str = "arn:aws:iam::111122223333:user/x";

/// Drops the requests that are none, where that can be told: no resource policy names the caller,
/// nothing but variables is open. False if none is left.
pub(super) fn confirm(new: &Prepared<'_>, old: Option<&Prepared<'_>>, found: &mut Found) -> bool {
    if !is_asked(new, old) {
        return true;
    }
    let stands = |hit: &Witness| holds(new, old, hit) != Answer::No;
    found.grants.retain(|(_, _, hit)| stands(hit));
    let first = found.witness.take().filter(stands);
    found.witness = first.or_else(|| found.grants.first().map(|(_, _, hit)| hit.clone()));
    found.witness.is_some()
}

/// Whether a request that was found with variables read in its favour is one with the values that it
/// gives them.
pub(super) fn proves(new: &Prepared<'_>, old: Option<&Prepared<'_>>, witness: &Witness) -> bool {
    is_asked(new, old) && holds(new, old, witness) == Answer::Must
}

/// Whether there are variables, and no resource policy that would name the caller.
fn is_asked(new: &Prepared<'_>, old: Option<&Prepared<'_>>) -> bool {
    let both = || [Some(new), old].into_iter().flatten();
    let has_variables = |side: &Prepared<'_>| side.boxes().any(|(_, boxed)| boxed.has_variables());
    !both().any(|side| side.has_resource) && both().any(has_variables)
}

/// What the point evaluator says.
fn holds(new: &Prepared<'_>, old: Option<&Prepared<'_>>, witness: &Witness) -> Answer {
    let request = witness.request(Caller::parse(CALLER));
    let before = old.map_or(Answer::No, |old| allowed(&old.stack, &request));
    allowed(&new.stack, &request).and(before.negate())
}

/// Whether the stack allows the request, on a key whose policy leaves access to the account.
fn allowed(stack: &Stack<'_>, request: &Request) -> Answer {
    static KEY: LazyLock<Document> = LazyLock::new(|| {
        let text = r#"{"Version": "2012-10-17", "Statement": {"Effect": "Allow",
            "Principal": {"AWS": "111122223333"}, "Action": "kms:*", "Resource": "*"}}"#;
        Document::from_val(&Val::text(Text::known(text), Src::none()))
    });
    let mut stack = stack.clone();
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
            assert_eq!(allowed(&new, &request), Answer::Must, "{request:?}");
            assert_eq!(allowed(&old, &request), Answer::No, "{request:?}");
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
