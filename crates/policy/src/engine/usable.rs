//! Whether a call can be made at all: one that AWS authorises on several resources, or for several
//! actions, needs all of them.
//!
//! Not for breadth or exposure, where one resource is enough (see [`crate::engine::allows`]), and not
//! for which calls those are: the catalog keeps the table ([`overgrant_catalog::calls`]).
//! Invariant: `Must` comes with a request for every part that the call always takes.

use crate::arn::{Arn, filled};
use crate::document::Document;
use crate::engine::prepared::Prepared;
use crate::engine::questions::{Difference, allows_prepared};
use crate::request::Stack;
use overgrant_catalog::{Need, ResourceType, call, catalog};
use overgrant_value::{Answer, Src, Text, Val};
use smol_str::SmolStr;

/// One authorisation of a call, and whether the stack gives it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Part {
    /// The action, `service:Name`.
    pub action: SmolStr,
    /// The resource types of which one is needed; none: any that the action knows.
    pub types: &'static [&'static str],
    /// Whether the call always takes it.
    pub need: Need,
    /// Whether it is allowed, with a request that shows it.
    pub found: Difference,
}

/// Whether a call can be made, part by part.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Usable {
    /// The answer: `No` where a part that is always taken is never allowed, `May` where only one is
    /// missing that some forms of the call do without.
    pub answer: Answer,
    /// The parts, in the order of the table.
    pub parts: Vec<Part>,
}

impl Usable {
    /// The parts without which the call, or some form of it, fails.
    pub fn missing(&self) -> impl Iterator<Item = &Part> {
        self.parts
            .iter()
            .filter(|part| part.found.answer == Answer::No)
    }
}

/// Whether the stack lets a call be made: the API operation `service:Name`, in any letter case.
///
/// Each part is asked by itself and for any context, so conditions count only where they can never
/// hold; that one context satisfies all parts together is not asked. A call that the catalog does not
/// list is the action of its name on any one resource.
///
/// ```
/// use overgrant_policy::{Answer, Document, Stack, engine};
/// use overgrant_value::{Src, Text, Val};
///
/// let read = |json: &str| Document::from_val(&Val::text(Text::known(json), Src::none()));
/// let policy = read(r#"{"Version": "2012-10-17", "Statement": [{"Effect": "Allow",
///     "Action": "ec2:RunInstances", "Resource": "arn:aws:ec2:*:*:instance/*"}]}"#);
/// // Some resource of the action is allowed, yet nothing can be started.
/// let launch = engine::usable(&Stack::identity(vec![&policy]), "ec2:RunInstances");
/// assert_eq!(launch.answer, Answer::No);
/// assert!(launch.missing().any(|part| part.types == ["image"]));
/// ```
#[must_use]
pub fn usable(stack: &Stack<'_>, name: &str) -> Usable {
    usable_prepared(&Prepared::new(stack), name)
}

/// As [`usable`], for a stack that was compiled before.
#[must_use]
pub fn usable_prepared(stack: &Prepared<'_>, name: &str) -> Usable {
    let mut best: Option<Usable> = None;
    for partition in partitions(stack) {
        let found = in_partition(stack, name, &partition);
        if best.as_ref().is_none_or(|best| found.answer > best.answer) {
            best = Some(found);
        }
        if best
            .as_ref()
            .is_some_and(|best| best.answer == Answer::Must)
        {
            break;
        }
    }
    best.unwrap_or_else(|| in_partition(stack, name, &Text::known("aws")))
}

fn in_partition(stack: &Prepared<'_>, name: &str, partition: &Text) -> Usable {
    let listed: Vec<(SmolStr, &'static [&'static str], Need)> = match call(name) {
        Some(call) => call
            .parts
            .iter()
            .map(|part| (part.action.into(), part.types, part.need))
            .collect(),
        None => vec![(name.into(), &[], Need::Always)],
    };
    let mut answer = Answer::Must;
    let mut parts = Vec::with_capacity(listed.len());
    for (action, types, need) in listed {
        let found = allows_prepared(stack, &within(&action, types, partition));
        answer = answer.and(match need {
            Need::Always => found.answer,
            Need::Sometimes => found.answer.or(Answer::May),
        });
        parts.push(Part {
            action,
            types,
            need,
            found,
        });
    }
    Usable { answer, parts }
}

/// Where the call may be made: `aws`, and the partitions that Allow statements name or leave open.
/// One call stays in one partition.
fn partitions(stack: &Prepared<'_>) -> Vec<Text> {
    let mut found = vec![Text::known("aws")];
    let named = stack
        .boxes()
        .filter_map(|(_, boxed)| boxed.statement)
        .filter(|statement| statement.may_allow())
        .flat_map(|statement| &statement.resources.listed().items)
        .filter_map(|item| Arn::parse(item.pattern().text()))
        .map(|arn| arn.partition);
    for partition in named {
        let wild = partition
            .as_known()
            .is_some_and(|text| text.contains(['*', '?']));
        if !wild && !found.contains(&partition) {
            found.push(partition);
        }
    }
    found
}

/// The document that allows the action on every resource of the types, on everything where none are
/// given (or newer data lacks them).
fn within(action: &str, types: &[&str], partition: &Text) -> Document {
    let text = |text: &str| Val::str(text, Src::none());
    let mut resources: Vec<Val> = catalog()
        .find_action(action)
        .into_iter()
        .flat_map(|action| action.resources())
        .filter(|resource| types.contains(&resource.name()))
        .filter_map(|resource| resource.resource_type())
        .flat_map(ResourceType::arn_patterns)
        .filter_map(|format| {
            let rest = format.strip_prefix("arn:${Partition}")?;
            let rest = Text::known(&filled(rest, |_| "*"));
            let arn = Text::known("arn:").concat(partition).concat(&rest);
            Some(Val::text(arn, Src::none()))
        })
        .collect();
    if resources.is_empty() {
        resources.push(text("*"));
    }
    let statement = Val::object(
        vec![
            ("Effect", text("Allow")),
            ("Action", text(action)),
            ("Resource", Val::tuple(resources, Src::none())),
        ],
        Src::none(),
    );
    let fields = vec![("Version", text("2012-10-17")), ("Statement", statement)];
    Document::from_val(&Val::object(fields, Src::none()))
}
