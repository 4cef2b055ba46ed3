//! One condition against one request.
//!
//! Not for sets of requests. Invariant: an operator that does not exist, or a value that is not of
//! its type, is not taken for a match.

use crate::condition::{Condition, Conditions, SetOperator, Test, Value};
use crate::point::{Scope, glob};
use crate::request::ContextValue;
use crate::scalar;
use overgrant_value::Answer;

/// Whether all conditions hold.
pub(super) fn all(conditions: &Conditions, scope: &Scope<'_>) -> Answer {
    let open = if conditions.open {
        Answer::May
    } else {
        Answer::Must
    };
    conditions
        .items
        .iter()
        .map(|condition| alone(condition, scope))
        .fold(open, Answer::and)
}

/// Whether a condition holds in a scope, or is not part of the statement.
pub(super) fn alone(condition: &Condition, scope: &Scope<'_>) -> Answer {
    let holds = one(condition, scope);
    if condition.guard.is_always() {
        holds
    } else {
        // Without the condition nothing is asked.
        holds.or(Answer::May)
    }
}

fn one(condition: &Condition, scope: &Scope<'_>) -> Answer {
    let Some(key) = condition.key.spelling() else {
        return Answer::May;
    };
    let present = scope.context.get(&key);
    let operator = &condition.operator;
    if operator.test == Test::Unknown {
        return Answer::May;
    }
    if operator.test == Test::Null {
        let absent = present.is_none();
        return listed(condition, |value| match value.known() {
            Some(text) => Answer::from_bool(scalar::boolean(&text) == Some(absent)),
            None => Answer::May,
        });
    }
    let Some(present) = present else {
        return Answer::from_bool(operator.holds_without_key());
    };
    let single = |text: &str| {
        let hit = listed(condition, |value| matches(condition, value, text, scope));
        if operator.is_negated() {
            hit.negate()
        } else {
            hit
        }
    };
    match (operator.set, present) {
        (None, ContextValue::One(text)) => single(text),
        // A multi-valued key needs a set operator.
        (None, ContextValue::Many(_)) => Answer::No,
        (Some(SetOperator::ForAllValues), present) => present
            .values()
            .iter()
            .map(|text| single(text))
            .fold(Answer::Must, Answer::and),
        (Some(SetOperator::ForAnyValue), present) => present
            .values()
            .iter()
            .map(|text| single(text))
            .fold(Answer::No, Answer::or),
    }
}

/// Whether one of the listed values passes.
fn listed(condition: &Condition, pass: impl Fn(&Value) -> Answer) -> Answer {
    let open = if condition.open {
        Answer::May
    } else {
        Answer::No
    };
    condition
        .values
        .iter()
        .map(|value| {
            let hit = pass(value);
            if value.pattern().guard().is_always() {
                hit
            } else {
                hit.at_most_may()
            }
        })
        .fold(open, Answer::or)
}

/// Whether a listed value matches a value of the request, negation aside.
fn matches(condition: &Condition, value: &Value, text: &str, scope: &Scope<'_>) -> Answer {
    let test = &condition.operator.test;
    let pattern = value.pattern().text();
    let read = |wildcards: bool| glob::read(pattern, wildcards, scope);
    match test {
        Test::StringEquals | Test::StringNotEquals => {
            read(false).map_or(Answer::No, |parts| glob::matches(&parts, text))
        }
        Test::StringLike | Test::StringNotLike => {
            read(true).map_or(Answer::No, |parts| glob::matches(&parts, text))
        }
        Test::StringEqualsIgnoreCase | Test::StringNotEqualsIgnoreCase => {
            let Some(parts) = read(false) else {
                return Answer::No;
            };
            let lower: Vec<_> = parts
                .into_iter()
                .map(|part| match part {
                    glob::Part::Char(c) => glob::Part::Char(c.to_ascii_lowercase()),
                    other => other,
                })
                .collect();
            glob::matches(&lower, &text.to_ascii_lowercase())
        }
        Test::ArnEquals | Test::ArnLike | Test::ArnNotEquals | Test::ArnNotLike => {
            read(true).map_or(Answer::No, |parts| glob::arn(&parts, text))
        }
        Test::Bool => typed(value, scope, |wanted| {
            Some(scalar::boolean(&wanted)? == scalar::boolean(text)?)
        }),
        Test::Numeric(how) => typed(value, scope, |wanted| {
            compare(how, scalar::number(text)?.compare(scalar::number(&wanted)?))
        }),
        Test::Date(how) => typed(value, scope, |wanted| {
            compare(how, scalar::date(text)?.cmp(&scalar::date(&wanted)?))
        }),
        Test::BinaryEquals => typed(value, scope, |wanted| {
            Some(scalar::bytes(&wanted)? == scalar::bytes(text)?)
        }),
        Test::IpAddress | Test::NotIpAddress => typed(value, scope, |wanted| {
            let (six, bits) = scalar::address(text)?;
            Some(scalar::block(&wanted)?.contains(six, bits))
        }),
        Test::Null | Test::Unknown => Answer::No,
    }
}

/// A comparison of typed values: what is not of the type does not match, what is open may.
fn typed(value: &Value, scope: &Scope<'_>, test: impl Fn(String) -> Option<bool>) -> Answer {
    let Some(parts) = glob::read(value.pattern().text(), false, scope) else {
        return Answer::No;
    };
    let mut text = String::new();
    for part in parts {
        match part {
            glob::Part::Char(c) => text.push(c),
            _ => return Answer::May,
        }
    }
    Answer::from_bool(test(text).unwrap_or(false))
}

fn compare(how: &str, order: std::cmp::Ordering) -> Option<bool> {
    Some(match how {
        // Negation is the caller's.
        "equals" | "notequals" => order.is_eq(),
        "lessthan" => order.is_lt(),
        "lessthanequals" => order.is_le(),
        "greaterthan" => order.is_gt(),
        "greaterthanequals" => order.is_ge(),
        _ => return None,
    })
}
