//! Known differences from the other implementation, each as a way to read a case.
//!
//! Not a filter by looks: a difference counts as known only if the case, changed so that our
//! evaluator reads it as the other implementation is known to, gives exactly its decision.
//! Invariant: every reading is justified in `testdata/oracles/policy/known.tsv`.

use crate::tasks::policy::case::{Case, document};
use anyhow::{Result, bail};
use overgrant_policy::Answer;
use serde_json::{Map, Value, json};

/// The table of known differences: reading, what the other does, what AWS documents, where.
const TABLE: &str = include_str!("../../../../../testdata/oracles/policy/known.tsv");

/// One way to read a case.
#[derive(Clone, Copy)]
pub(crate) struct Reading {
    /// As in the table.
    pub(crate) name: &'static str,
    change: Change,
}

type Change = fn(&mut Value);

/// All readings.
///
/// # Errors
/// Where the table of reasons has another set of names.
pub(crate) fn readings() -> Result<Vec<Reading>> {
    let all: [(&'static str, Change); 11] = [
        ("wildcard-service", wildcard_service),
        ("variables-2008", variables_2008),
        ("session-named", session_named),
        ("not-principal-role", not_principal_role),
        ("epoch-seconds", epoch_seconds),
        ("binary-text", binary_text),
        ("leading-run", leading_run),
        ("address-family", address_family),
        ("scp-everybody", scp_everybody),
        ("rcp-everything", rcp_everything),
        ("public-explicit", public_explicit),
    ];
    let reasons: Vec<&str> = TABLE
        .lines()
        .skip(1)
        .filter_map(|line| line.split('\t').next())
        .collect();
    if reasons != all.map(|(name, _)| name) {
        bail!("testdata/oracles/policy/known.tsv has other names than the readings: {reasons:?}");
    }
    Ok(all.map(|(name, change)| Reading { name, change }).to_vec())
}

/// The fewest readings under which `decide` gives the expected decision; `None` where no set does.
pub(crate) fn explain(
    readings: &[Reading],
    case: &Value,
    expected: &str,
    decide: impl Fn(&Value) -> Option<String>,
) -> Option<Vec<&'static str>> {
    let useful: Vec<&Reading> = readings
        .iter()
        .filter(|reading| {
            let mut changed = case.clone();
            (reading.change)(&mut changed);
            changed != *case
        })
        .collect();
    let mut sets: Vec<usize> = (1..1_usize << useful.len()).collect();
    sets.sort_by_key(|set| (set.count_ones(), *set));
    sets.into_iter().find_map(|set| {
        let mut changed = case.clone();
        let mut names = Vec::new();
        for (index, reading) in useful.iter().enumerate() {
            if set & (1 << index) != 0 {
                (reading.change)(&mut changed);
                names.push(reading.name);
            }
        }
        (decide(&changed).as_deref() == Some(expected)).then_some(names)
    })
}

/// Our decision of a case. Beside its policies it may hold `gates`: groups of documents of which each
/// has to allow whoever calls whatever, and which only readings write.
pub(crate) fn decide(case: &Value) -> Option<String> {
    let verdict = |case: &Value| -> Option<&'static str> {
        Some(Case::of(case).ok()?.decide().ok()?.verdict().as_str())
    };
    let everything = json!({"Version": "2012-10-17", "Statement": {
        "Effect": "Allow", "Action": "*", "Resource": "*", "Principal": "*"}});
    let mut all = vec![verdict(case)?];
    for gate in case
        .get("gates")
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
    {
        let mut alone = Map::new();
        for name in [
            "principal",
            "action",
            "resource",
            "resource_account",
            "context",
        ] {
            if let Some(value) = case.get(name) {
                alone.insert(name.to_owned(), value.clone());
            }
        }
        let mut own = everything.clone();
        if let Some(statement) = own.get_mut("Statement").and_then(Value::as_object_mut) {
            statement.remove("Principal");
        }
        alone.insert("identity".to_owned(), json!([own]));
        alone.insert("resource_policy".to_owned(), everything.clone());
        alone.insert("vpce".to_owned(), gate.clone());
        all.push(verdict(&Value::Object(alone))?);
    }
    let worst = ["ExplicitlyDenied", "ImplicitlyDenied", "Allowed"]
        .into_iter()
        .find(|word| all.contains(word))?;
    Some(worst.to_owned())
}

/// Makes every level of a kind of policy a gate.
fn to_gates(case: &mut Value, kind: &str) {
    let Some(map) = case.as_object_mut() else {
        return;
    };
    let Some(Value::Array(levels)) = map.remove(kind) else {
        return;
    };
    let gates = map.entry("gates").or_insert_with(|| json!([]));
    if let Some(gates) = gates.as_array_mut() {
        gates.extend(levels);
    }
}

fn text<'a>(case: &'a Value, name: &str) -> &'a str {
    case.get(name).and_then(Value::as_str).unwrap_or_default()
}

fn scp_everybody(case: &mut Value) {
    let caller = text(case, "principal");
    if caller.contains("-provider/") || !caller.starts_with("arn:") {
        to_gates(case, "scp");
    }
}

fn rcp_everything(case: &mut Value) {
    to_gates(case, "rcp");
}

fn public_explicit(case: &mut Value) {
    let public = case
        .get("resource_policy")
        .is_some_and(|policy| document(policy).is_public_by_text() == Answer::Must);
    let shielded = case.get("s3_bpa").is_some_and(|on| *on == true);
    let caller = text(case, "principal");
    let account = caller.split(':').nth(4).unwrap_or_default();
    let foreign = caller.starts_with("arn:") && account != text(case, "resource_account");
    if public && shielded && (caller == "*" || foreign) {
        let deny = json!([{"Statement": {"Effect": "Deny", "Action": "*", "Resource": "*"}}]);
        if let Some(map) = case.as_object_mut() {
            map.insert("deny".to_owned(), json!([deny]));
            to_gates(case, "deny");
        }
    }
}

/// Every document of a case.
fn documents(case: &mut Value, change: &dyn Fn(&mut Map<String, Value>)) {
    fn walk(value: &mut Value, change: &dyn Fn(&mut Map<String, Value>)) {
        match value {
            Value::Array(list) => list.iter_mut().for_each(|value| walk(value, change)),
            Value::Object(document) => change(document),
            _ => {}
        }
    }
    for kind in [
        "identity",
        "boundary",
        "session",
        "resource_policy",
        "scp",
        "rcp",
        "vpce",
    ] {
        if let Some(value) = case.get_mut(kind) {
            walk(value, change);
        }
    }
}

fn statements(case: &mut Value, change: &dyn Fn(&mut Map<String, Value>)) {
    documents(case, &|document| match document.get_mut("Statement") {
        Some(Value::Array(list)) => {
            for statement in list.iter_mut().filter_map(Value::as_object_mut) {
                change(statement);
            }
        }
        Some(Value::Object(statement)) => change(statement),
        _ => {}
    });
}

/// Every text in a value, in whatever lists.
fn texts(value: &mut Value, change: &dyn Fn(&mut String)) {
    match value {
        Value::String(text) => change(text),
        Value::Array(list) => list.iter_mut().for_each(|value| texts(value, change)),
        Value::Object(map) => map.values_mut().for_each(|value| texts(value, change)),
        _ => {}
    }
}

fn elements(case: &mut Value, names: [&str; 2], change: &dyn Fn(&mut String)) {
    statements(case, &|statement| {
        for name in names {
            if let Some(value) = statement.get_mut(name) {
                texts(value, change);
            }
        }
    });
}

fn wildcard_service(case: &mut Value) {
    elements(case, ["Action", "NotAction"], &|text| {
        let wild = text
            .split_once(':')
            .is_some_and(|(service, _)| service.contains(['*', '?']));
        if wild {
            "none:None".clone_into(text);
        }
    });
}

fn variables_2008(case: &mut Value) {
    documents(case, &|document| {
        let live = Value::from("2012-10-17");
        let plain = serde_json::to_string(document).is_ok_and(|text| !text.contains("${"));
        if !plain {
            document.insert("Version".to_owned(), live);
        }
    });
}

/// The caller's ARN, and that of its role, if it is a role session.
fn session(case: &Value) -> Option<(String, String)> {
    let arn = case.get("principal")?.as_str()?;
    let (head, rest) = arn.split_once(":assumed-role/")?;
    let role = rest.split('/').next()?;
    let head = head.replacen(":sts:", ":iam:", 1);
    Some((arn.to_owned(), format!("{head}:role/{role}")))
}

/// Everybody counts as named, for whom the session policy has to allow.
fn session_named(case: &mut Value) {
    let Some((session, _)) = session(case) else {
        return;
    };
    statements(case, &|statement| {
        let allows = statement
            .get("Effect")
            .is_some_and(|effect| effect == "Allow");
        let names = statement
            .get("Principal")
            .is_some_and(|list| list.to_string().contains(&session));
        if allows && names {
            statement.insert("Principal".to_owned(), Value::from("*"));
        }
    });
}

fn not_principal_role(case: &mut Value) {
    let Some((session, role)) = session(case) else {
        return;
    };
    elements(case, ["NotPrincipal", "NotPrincipal"], &|text| {
        if *text == role {
            session.clone_into(text);
        }
    });
}

/// Every condition: operator name and the values of its keys.
fn conditions(case: &mut Value, change: &dyn Fn(&str, &mut Value) -> Option<String>) {
    statements(case, &|statement| {
        let Some(Value::Object(conditions)) = statement.get_mut("Condition") else {
            return;
        };
        let mut changed = Map::new();
        for (operator, mut keys) in std::mem::take(conditions) {
            let name = change(&operator, &mut keys).unwrap_or(operator);
            changed.insert(name, keys);
        }
        *conditions = changed;
    });
}

fn epoch_seconds(case: &mut Value) {
    conditions(case, &|operator, keys| {
        if operator.contains("Date") {
            texts(keys, &|text| {
                if let Ok(millis) = text.parse::<i64>() {
                    *text = millis.div_euclid(1_000).to_string();
                }
            });
        }
        None
    });
}

fn binary_text(case: &mut Value) {
    conditions(case, &|operator, _| {
        operator
            .contains("BinaryEquals")
            .then(|| operator.replace("BinaryEquals", "StringEquals"))
    });
}

/// A bare IPv4 address under `NotIpAddress` fails for an IPv6 client.
fn address_family(case: &mut Value) {
    let client = case
        .get("context")
        .and_then(|keys| keys.get("aws:SourceIp"));
    if !client.is_some_and(|address| address.to_string().contains(':')) {
        return;
    }
    conditions(case, &|operator, keys| {
        if operator.contains("NotIpAddress") {
            texts(keys, &|text| {
                if !text.contains(['/', ':']) {
                    "::/0".clone_into(text);
                }
            });
        }
        None
    });
}

fn leading_run(case: &mut Value) {
    elements(case, ["Resource", "NotResource"], &|text| {
        let tail = text.splitn(6, ':').nth(5).unwrap_or_default();
        let wild = tail
            .split_once('/')
            .is_some_and(|(head, _)| head.contains(['*', '?']));
        if wild {
            "arn:aws:none:::none".clone_into(text);
        }
    });
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_difference_is_known_by_its_reading_only() {
        let readings = readings().unwrap();
        let case = json!({
            "principal": "arn:aws:sts::111122223333:assumed-role/app/s",
            "identity": [{"Version": "2008-10-17", "Statement": {
                "Effect": "Allow", "Action": ["*:*"], "Resource": "${aws:username}"}}],
        });
        // Stands for an evaluator: allowed as long as the wildcard is there.
        let decide = |case: &Value| {
            let wild = case.to_string().contains("*:*");
            Some(if wild { "Allowed" } else { "ImplicitlyDenied" }.to_owned())
        };
        let found = explain(&readings, &case, "ImplicitlyDenied", decide);
        assert_eq!(found, Some(vec!["wildcard-service"]));
        assert_eq!(explain(&readings, &case, "ExplicitlyDenied", decide), None);
    }
}
