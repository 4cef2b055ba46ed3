//! Differences between the versions of real policies, checked by the point evaluator.
//!
//! Not for deciding which version is better. Invariant: a verdict counts as wrong if one request shows
//! the opposite: a witness that is none, or access without a difference.

use anyhow::{Context as _, Result, bail};
use overgrant_catalog::Action;
use overgrant_policy::{Answer, Caller, Document, Request, Stack, Verdict, engine, point};
use overgrant_value::Text;
use serde_json::Value;
use std::io::Write as _;
use std::path::Path;
use std::sync::LazyLock;

use crate::tasks::policy::case;

/// Requests that are tried against one verdict of no difference.
const TRIED: usize = 40;
/// Who asks: the policies name their own account only in resources.
const CALLER: &str = "arn:aws:iam::111122223333:user/alice";

/// One version of a policy.
struct Version {
    json: Value,
    document: Document,
}

/// Compares each version with the next one, both ways.
///
/// # Errors
/// Where the file is no history, or a verdict is wrong.
pub(super) fn compare(file: &Path) -> Result<()> {
    let text = std::fs::read_to_string(file).with_context(|| file.display().to_string())?;
    let history: serde_json::Map<String, Value> =
        serde_json::from_str(&text).with_context(|| file.display().to_string())?;
    let (mut agree, mut disagree, mut open, mut tried, mut versions_read) = (0, 0, 0, 0, 0);
    let mut out = std::io::stdout().lock();
    for (name, policy) in &history {
        let versions = versions(policy).with_context(|| format!("no versions of {name}"))?;
        versions_read += versions.len();
        for (from, to) in versions.iter().zip(versions.iter().skip(1)) {
            for (new, old) in [(to, from), (from, to)] {
                match wrong(new, old, &mut tried) {
                    Ok(Answer::May) => open += 1,
                    Ok(_) => agree += 1,
                    Err(what) => {
                        disagree += 1;
                        writeln!(out, "{name}: {what}")?;
                    }
                }
            }
        }
    }
    writeln!(
        out,
        "{versions_read} versions; {open} differences not settled; {tried} requests tried against \
         verdicts of no difference"
    )?;
    writeln!(out, "agree {agree} disagree {disagree}")?;
    if disagree > 0 {
        bail!("{disagree} verdicts are wrong");
    }
    Ok(())
}

/// The versions in the order of their numbers.
fn versions(policy: &Value) -> Option<Vec<Version>> {
    let mut numbered: Vec<(u32, &Value)> = policy
        .get("versions")?
        .as_object()?
        .iter()
        .filter_map(|(id, version)| {
            let number = id.strip_prefix('v')?.parse().ok()?;
            Some((number, version.get("document")?))
        })
        .collect();
    numbered.sort_by_key(|(number, _)| *number);
    let read = |(_, json): (u32, &Value)| Version {
        json: json.clone(),
        document: case::document(json),
    };
    Some(numbered.into_iter().map(read).collect())
}

/// The verdict on what `new` allows beyond `old`.
///
/// # Errors
/// A request that shows the opposite.
fn wrong(new: &Version, old: &Version, tried: &mut usize) -> Result<Answer, String> {
    let new_stack = Stack::identity(vec![&new.document]);
    let old_stack = Stack::identity(vec![&old.document]);
    let limits = engine::Limits {
        axioms: false,
        ..engine::Limits::default()
    };
    let found = engine::difference_of(&new_stack, &old_stack, &limits);
    if let (Answer::Must, Some(witness)) = (found.answer, &found.witness) {
        let request = witness.request(Caller::parse(CALLER));
        if !allowed(&new_stack, &request) {
            return Err(format!("does not allow {witness:?}"));
        }
        if allowed(&old_stack, &request) {
            return Err(format!("allowed before: {witness:?}"));
        }
    }
    if found.answer == Answer::No {
        for request in requests(new).into_iter().take(TRIED) {
            *tried += 1;
            if allowed(&new_stack, &request) && !allowed(&old_stack, &request) {
                return Err(format!("no difference, but {request:?}"));
            }
        }
    }
    Ok(found.answer)
}

/// Whether the stack allows the request; keys have a policy that leaves access to the account.
fn allowed(stack: &Stack<'_>, request: &Request) -> bool {
    static KEY: LazyLock<Document> = LazyLock::new(|| {
        case::document(&serde_json::json!({
            "Version": "2012-10-17",
            "Statement": {
                "Effect": "Allow", "Principal": {"AWS": "111122223333"},
                "Action": "kms:*", "Resource": "*",
            },
        }))
    });
    let mut stack = stack.clone();
    if request.action.starts_with("kms:") {
        stack.resource = Some(&KEY);
    }
    point::decide(&stack, request).verdict() == Verdict::Allowed
}

/// The resources that an action knows, as a pattern each; `None` where it knows none but `*`.
fn known(action: Action<'_>) -> Option<Document> {
    let resources: Vec<String> = action
        .resources()
        .filter_map(|resource| resource.resource_type())
        .map(|kind| {
            let mut parts = kind.arn_pattern().split("${");
            let head = parts.next().unwrap_or_default().to_owned();
            parts.fold(head, |text, part| {
                let rest = part.split_once('}').map_or("", |(_, rest)| rest);
                text + "*" + rest
            })
        })
        .collect();
    (!resources.is_empty()).then(|| {
        case::document(&serde_json::json!({
            "Version": "2012-10-17",
            "Statement": {"Effect": "Allow", "Action": "*", "Resource": resources},
        }))
    })
}

/// Requests that statements of the version are about: some of their actions, on their resources with
/// every wildcard filled in where the action knows such a resource, without any context key.
fn requests(version: &Version) -> Vec<Request> {
    const ACTIONS: usize = 4;
    let statements = match version.json.get("Statement") {
        Some(Value::Array(list)) => list.iter().collect(),
        Some(one) => vec![one],
        None => Vec::new(),
    };
    let mut all = Vec::new();
    for (json, read) in statements.into_iter().zip(&version.document.statements) {
        let resources: Vec<&str> = match json.get("Resource") {
            Some(Value::Array(list)) => list.iter().filter_map(Value::as_str).collect(),
            Some(Value::String(one)) => vec![one],
            _ => Vec::new(),
        };
        let actions = read.actions.must();
        let step = (actions.len() / ACTIONS).max(1);
        for action in actions.actions().step_by(step) {
            let known = known(action);
            for resource in &resources {
                let resource = match *resource {
                    "*" => "*".to_owned(),
                    pattern => pattern.replace(['*', '?'], "x"),
                };
                let text = Text::known(&resource);
                let fits = known.as_ref().map_or(resource == "*", |known| {
                    let mut statements = known.statements.iter();
                    statements.any(|known| known.resources.select(&text) == Answer::Must)
                });
                if !fits {
                    continue;
                }
                all.push(Request {
                    caller: Caller::parse(CALLER),
                    action: format!("{}:{}", action.service().prefix(), action.name()).into(),
                    resource: resource.into(),
                    resource_account: None,
                    context: overgrant_policy::Context::new(),
                });
            }
        }
    }
    all
}
