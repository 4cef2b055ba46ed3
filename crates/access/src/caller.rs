//! Whether the conditions of a statement pin who calls.
//!
//! For statements that name everybody as principal. Not for claims of tokens (`federation`).
//! Invariant: a condition binds only if every one of its values does, for a request in which the
//! key may be absent; what is open counts as binding, so that nothing is reported on a guess.
//! Source: AWS, "How Amazon S3 blocks public access: the meaning of public" and the IAM user guide's
//! condition operators.

use crate::cidr::{Block, Reach};
use crate::skeleton::{is_open, is_star, is_wild, skeleton};
use overgrant_policy::{
    Answer, Condition, Conditions, Document, SetOperator, Statement, Test, Value,
};

/// What a condition leaves to chance.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Weakness {
    /// Holds for everybody but the values.
    Negated,
    /// Passes when the request lacks the key.
    Absent,
    /// The caller sends what is asked for.
    Spoofable,
    /// The values take in accounts of strangers.
    Loose,
    /// The key does not tell who calls.
    Unrelated,
}

impl Weakness {
    /// Why the condition `condition` does not help, as the end of a sentence.
    pub fn why(self, condition: &Condition) -> String {
        let (operator, key) = (&condition.operator.name, &condition.key);
        match self {
            Self::Negated => format!("`{operator}` on `{key}` lets in everybody else"),
            Self::Absent => format!("`{operator}` passes when the request has no `{key}`"),
            Self::Spoofable => format!("the caller chooses `{key}`"),
            Self::Loose => match condition.values.first() {
                Some(value) => format!("`{value}` in `{key}` matches strangers too"),
                None => format!("`{key}` matches strangers too"),
            },
            Self::Unrelated => format!("`{key}` does not say who calls"),
        }
    }
}

/// What the conditions of a statement say about the caller.
#[derive(Debug)]
pub enum Caller<'a> {
    /// At least one condition pins an account, organisation, network or principal.
    Bound,
    /// There are conditions, and none pins the caller.
    Weak(Vec<(&'a Condition, Weakness)>),
    /// There is no condition at all.
    Free,
}

/// Judges the conditions of a statement.
pub fn caller(conditions: &Conditions) -> Caller<'_> {
    if conditions.open {
        return Caller::Bound;
    }
    let mut weak = Vec::new();
    for condition in &conditions.items {
        match weakness(conditions, condition) {
            None => return Caller::Bound,
            Some(weakness) => weak.push((condition, weakness)),
        }
    }
    if weak.is_empty() {
        Caller::Free
    } else {
        weak.sort_by_key(|(_, weakness)| *weakness);
        Caller::Weak(weak)
    }
}

/// How the values of a key pin the caller.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Pin {
    Account,
    Organization,
    Arn,
    Id,
    /// Ids that AWS makes up, so that strangers' begin alike.
    MadeUp,
    Network,
    True,
    /// Where a topic delivers, which is what a subscription is about.
    Endpoint,
}

/// Keys that tell who calls or from where, and that strangers cannot choose.
const PINS: &[(&str, Pin)] = &[
    ("aws:principalaccount", Pin::Account),
    ("aws:principalarn", Pin::Arn),
    ("aws:principalisawsservice", Pin::True),
    ("aws:principalorgid", Pin::Organization),
    ("aws:principalorgpaths", Pin::Organization),
    ("aws:principalservicename", Pin::Id),
    ("aws:principalservicenameslist", Pin::Id),
    ("aws:sourceaccount", Pin::Account),
    ("aws:sourcearn", Pin::Arn),
    ("aws:sourceip", Pin::Network),
    ("aws:sourceorgid", Pin::Organization),
    ("aws:sourceorgpaths", Pin::Organization),
    ("aws:sourceowner", Pin::Account),
    ("aws:sourcevpc", Pin::MadeUp),
    ("aws:sourcevpcarn", Pin::Arn),
    ("aws:sourcevpce", Pin::MadeUp),
    ("aws:userid", Pin::Id),
    ("aws:vpceaccount", Pin::Account),
    ("aws:vpceorgid", Pin::Organization),
    ("aws:vpceorgpaths", Pin::Organization),
    ("elasticfilesystem:accessedviamounttarget", Pin::True),
    ("elasticfilesystem:accesspointarn", Pin::Arn),
    ("kms:calleraccount", Pin::Account),
    ("lambda:eventsourcetoken", Pin::Id),
    ("s3:dataaccesspointaccount", Pin::Account),
    ("s3:dataaccesspointarn", Pin::Arn),
    ("s3:x-amz-server-side-encryption-aws-kms-key-id", Pin::Arn),
    ("sns:endpoint", Pin::Endpoint),
];

/// Keys whose value is whatever the caller sends, or that any account can arrange.
const SPOOFABLE: &[&str] = &[
    "aws:principaltype",
    "aws:referer",
    "aws:useragent",
    "aws:vpcsourceip",
    "s3:prefix",
    "s3:x-amz-acl",
    "sts:externalid",
    "sts:rolesessionname",
    "sts:sourceidentity",
];

/// What is weak about a condition; `None` if it binds the caller (or may do so).
fn weakness(all: &Conditions, condition: &Condition) -> Option<Weakness> {
    let operator = &condition.operator;
    let key = condition.key.spelling()?;
    let Some((_, pin)) = PINS.iter().find(|(name, _)| *name == key) else {
        let tag = ["aws:principaltag/", "aws:requesttag/"]
            .iter()
            .any(|prefix| key.starts_with(prefix));
        return Some(if tag || SPOOFABLE.contains(&key.as_str()) {
            Weakness::Spoofable
        } else {
            Weakness::Unrelated
        });
    };
    if operator.test == Test::Null {
        // "The key is present" keeps anonymous callers out, nobody else.
        return Some(Weakness::Loose);
    }
    if operator.is_negated() {
        return Some(Weakness::Negated);
    }
    if (operator.if_exists || operator.set == Some(SetOperator::ForAllValues))
        && !surely_present(all, &key)
    {
        return Some(Weakness::Absent);
    }
    if operator.test == Test::Unknown || condition.values.is_empty() {
        return None;
    }
    let wild = operator.has_wildcards();
    condition
        .values
        .iter()
        .any(|value| !pins(*pin, value, wild))
        .then_some(Weakness::Loose)
}

/// Whether `Null: false` on the key stands beside.
pub fn surely_present(all: &Conditions, key: &str) -> bool {
    all.on(key).any(|condition| {
        condition.operator.test == Test::Null
            && condition.values.iter().all(|value| {
                value
                    .known()
                    .is_some_and(|v| v.eq_ignore_ascii_case("false"))
            })
    })
}

fn pins(pin: Pin, value: &Value, wild: bool) -> bool {
    let shape = skeleton(value.text(), wild);
    match pin {
        Pin::Account => !is_wild(&shape),
        Pin::Organization => {
            let id = shape.split('/').next().unwrap_or_default();
            !is_wild(id) || is_open(id)
        }
        Pin::Arn => arn_pins(&shape),
        Pin::Id => {
            let literal = shape.split(['*', '?']).next().unwrap_or_default();
            !is_wild(&shape) || is_open(literal) || literal.len() > "vpce-".len()
        }
        Pin::MadeUp => {
            /// `vpce-` and so many digits that nobody else has an id like it.
            const TELLING: usize = 13;
            let literal = shape.split(['*', '?']).next().unwrap_or_default();
            !is_wild(&shape) || is_open(literal) || literal.len() >= TELLING
        }
        Pin::Network => match Block::parse(&shape) {
            Some(block) => block.reach() != Reach::Everybody,
            None => true,
        },
        Pin::Endpoint => endpoint_pins(&shape),
        Pin::True => shape.eq_ignore_ascii_case("true") || is_open(&shape),
    }
}

/// Whether messages stay with one receiver: an ARN, a URL with its host, or mail to one domain.
fn endpoint_pins(shape: &str) -> bool {
    if shape.starts_with("arn:") {
        return arn_pins(shape);
    }
    let host = shape.split_once("://").map_or(shape, |(_, rest)| rest);
    let host = host.split('/').next().unwrap_or_default();
    let domain = host.rsplit('@').next().unwrap_or_default();
    !is_wild(domain) || is_open(domain)
}

/// Whether an ARN pattern pins an account, or a bucket, whose names are global.
fn arn_pins(shape: &str) -> bool {
    if is_star(shape) {
        return false;
    }
    let parts: Vec<&str> = shape.splitn(6, ':').collect();
    let [_, _, service, _, account, resource] = parts.as_slice() else {
        return !is_wild(shape) || is_open(shape);
    };
    if *service == "s3" && (account.is_empty() || is_wild(account)) {
        return !resource.starts_with(['*', '?']);
    }
    // The id of an API is made up by AWS and belongs to one account.
    if *service == "execute-api" && !resource.starts_with(['*', '?']) {
        return true;
    }
    !account.is_empty() && (!is_wild(account) || is_open(account))
}

/// Keys that say for whose resource a service acts.
const SOURCES: [&str; 12] = [
    "aws:sourcearn",
    "aws:sourceaccount",
    "aws:sourceowner",
    "aws:sourceorgid",
    "aws:sourceorgpaths",
    "aws:principalorgid",
    "aws:referer",
    "kms:calleraccount",
    "kms:viaservice",
    "lambda:eventsourcetoken",
    "lambda:functionurlauthtype",
    "s3:dataaccesspointaccount",
];

/// Whether a condition says for whose resource a service acts; what is open counts as such, and a
/// value that takes in the resources of strangers does not.
pub fn guards_source(conditions: &Conditions) -> bool {
    conditions.open
        || conditions.items.iter().any(|condition| {
            let Some(key) = condition.key.spelling() else {
                return true;
            };
            if !PINS.iter().any(|(name, _)| *name == key) {
                return SOURCES.contains(&key.as_str()) || key.starts_with("kms:encryptioncontext");
            }
            SOURCES.contains(&key.as_str()) && weakness(conditions, condition).is_none()
        })
}

/// Whether a Deny of the same document closes the statement for everybody who is not bound: it
/// reaches strangers, covers the same actions and resources, and spares at most pinned callers.
pub fn closed_by_deny(document: &Document, statement: &Statement) -> bool {
    document.denies().any(|deny| {
        reaches_strangers(deny)
            && deny.guard.is_always()
            && !deny.conditions.open
            && deny.conditions.items.iter().all(spares_pinned)
            && covers_actions(deny, statement)
            && covers_resources(deny, statement)
    })
}

/// Whether a Deny is for everybody, or for everybody but principals that it names.
fn reaches_strangers(deny: &Statement) -> bool {
    let principals = deny.principals.listed();
    let named = || !principals.open && principals.items.iter().all(|one| !one.is_anyone());
    deny.principals.anyone().is_some() || (principals.negated && named())
}

fn spares_pinned(condition: &Condition) -> bool {
    let Some(key) = condition.key.spelling() else {
        return false;
    };
    let Some((_, pin)) = PINS.iter().find(|(name, _)| *name == key) else {
        return false;
    };
    let wild = condition.operator.has_wildcards();
    match condition.operator.test {
        // Spares the services of AWS, which act for somebody.
        Test::Bool => key == "aws:principalisawsservice" || *pin == Pin::True,
        _ => {
            condition.operator.is_negated()
                && condition.operator.set != Some(SetOperator::ForAnyValue)
                && condition.values.iter().all(|value| pins(*pin, value, wild))
        }
    }
}

fn covers_actions(deny: &Statement, allow: &Statement) -> bool {
    let (denied, allowed) = (deny.actions.listed(), allow.actions.listed());
    !denied.negated
        && !allowed.negated
        && allowed.items.iter().all(|action| {
            denied
                .items
                .iter()
                .any(|wide| wide.pattern().covers(action.pattern()) == Answer::Must)
        })
}

fn covers_resources(deny: &Statement, allow: &Statement) -> bool {
    let (denied, allowed) = (deny.resources.listed(), allow.resources.listed());
    if !denied.present {
        return true;
    }
    !denied.negated
        && !allowed.negated
        && allowed.items.iter().all(|resource| {
            denied
                .items
                .iter()
                .any(|wide| wide.pattern().covers(resource.pattern()) == Answer::Must)
        })
}
