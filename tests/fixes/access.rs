//! Whether a fix lets somebody do more.

use crate::rule_examples::prepare;
use overgrant_engine::{Options, Texts, load_in};
use overgrant_ir::{Model, PolicyDocument};
use overgrant_policy::{Answer, Stack, engine};
use overgrant_rules::Example;
use std::collections::BTreeMap;
use std::sync::Arc;

/// The documents that allow more once the texts are in place.
pub(super) fn grown(texts: &Texts, example: &Example) -> Vec<String> {
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
    let mut grown = Vec::new();
    for (name, new) in named(&after.model) {
        let Some(old) = known.get(&name) else {
            grown.push(format!("{name}: new"));
            continue;
        };
        let of = |held: &PolicyDocument| Arc::clone(&held.document);
        let (new_document, old_document) = (of(&new), of(old));
        let (new_stack, old_stack) = if !new.role.is_identity()
            && new_document
                .statements
                .iter()
                .any(|one| one.principals.listed().present)
        {
            (
                Stack::resource(&new_document),
                Stack::resource(&old_document),
            )
        } else {
            (
                Stack::identity(vec![&new_document]),
                Stack::identity(vec![&old_document]),
            )
        };
        let difference = engine::difference(&new_stack, &old_stack);
        if difference.answer == Answer::Must {
            grown.push(format!("{name}: {:?}", difference.witness));
        }
    }
    grown
}
