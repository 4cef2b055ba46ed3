//! Whether a fix lets somebody do more.

use crate::rule_examples::prepare;
use overgrant_engine::{Options, Texts, load_in};
use overgrant_ir::{Model, PolicyDocument};
use overgrant_policy::{Answer, Document, Stack, engine};
use overgrant_rules::Example;
use overgrant_value::{Src, Text, Val};
use std::collections::BTreeMap;
use std::sync::Arc;

/// What a Deny stops that it was not meant to, which is what these rules find: their fixes open that,
/// and nothing else.
const SPARED: [(&str, &str); 2] = [
    ("scp-imdsv2-guard-incomplete", r#""ec2:RunInstances""#),
    (
        "scp-region-deny-breaks-global-services",
        r#""iam:*", "organizations:*", "route53:*", "cloudfront:*", "support:*", "sts:*", "shield:*", "health:*", "budgets:*", "ce:*", "waf:*""#,
    ),
];

fn read(text: &str) -> Document {
    Document::from_val(&Val::text(Text::known(text), Src::none()))
}

/// The documents that allow more once the texts are in place.
pub(super) fn grown(rule: &str, texts: &Texts, example: &Example) -> Vec<String> {
    let options = Options {
        threads: Some(1),
        ..Options::default()
    };
    let load = |texts: &Texts| {
        let (sources, found) = prepare(texts, example);
        load_in(&sources, &found, &options).unwrap()
    };
    let (before, after) = (load(&Texts::new()), load(texts));
    let named = |model: &Model| -> BTreeMap<String, PolicyDocument> {
        let mut nth: BTreeMap<String, usize> = BTreeMap::new();
        let documents = model.documents.iter().map(|document| {
            let name = format!("{} {:?}", document.place.address, document.role);
            let count = nth.entry(name.clone()).or_default();
            *count += 1;
            (format!("{name} {count}"), document.clone())
        });
        documents.collect()
    };
    let known = named(&before.model);
    let everything = read(
        r#"{"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "*", "Resource": "*"}}"#,
    );
    let spared = SPARED.iter().find(|(of, _)| *of == rule);
    let spared = read(&spared.map_or_else(
        || r#"{"Version": "2012-10-17", "Statement": []}"#.to_owned(),
        |(_, actions)| format!(r#"{{"Version": "2012-10-17", "Statement": {{"Effect": "Deny", "Action": [{actions}], "Resource": "*"}}}}"#),
    ));
    let mut grown = Vec::new();
    for (name, new) in named(&after.model) {
        let Some(old) = known.get(&name) else {
            grown.push(format!("{name}: new"));
            continue;
        };
        let of = |held: &PolicyDocument| Arc::clone(&held.document);
        let (new_document, old_document) = (of(&new), of(old));
        let resource = !new.role.is_identity()
            && new_document
                .statements
                .iter()
                .any(|one| one.principals.listed().present);
        let mut pairs = vec![if resource {
            (
                Stack::resource(&new_document),
                Stack::resource(&old_document),
            )
        } else {
            (
                Stack::identity(vec![&new_document]),
                Stack::identity(vec![&old_document]),
            )
        }];
        // What a Deny takes away shows only beside something that allows.
        if !resource {
            pairs.push((
                Stack::identity(vec![&new_document, &everything, &spared]),
                Stack::identity(vec![&old_document, &everything, &spared]),
            ));
        }
        for (new_stack, old_stack) in pairs {
            let difference = engine::difference(&new_stack, &old_stack);
            if difference.answer == Answer::Must {
                grown.push(format!("{name}: {:?}", difference.witness));
            }
        }
    }
    grown
}
