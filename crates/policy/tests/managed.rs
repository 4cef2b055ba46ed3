//! Every policy that AWS manages goes through the engine.
//!
//! Not for what they grant. The figures of the ignored test are for people; run it with
//! `cargo test --release -p overgrant-policy --test managed -- --ignored --nocapture`.

use overgrant_catalog::Catalog;
use overgrant_policy::{Answer, Document, Resolution, Stack, engine};
use overgrant_value::{Src, Text, Val};
use std::time::{Duration, Instant};

fn documents() -> Vec<(String, Document)> {
    Catalog::embedded()
        .managed_policies()
        .map(|policy| {
            let text = Text::known(policy.document());
            let document = Document::from_val(&Val::text(text, Src::none()));
            (policy.name().to_owned(), document)
        })
        .collect()
}

#[test]
fn every_managed_policy_equals_itself() {
    let all = documents();
    assert!(all.len() > 1_500);
    for (name, document) in &all {
        assert_eq!(document.resolution, Resolution::Resolved, "{name}");
        let stack = Stack::identity(vec![document]);
        let found = engine::difference(&stack, &stack);
        assert_eq!(found.answer, Answer::No, "{name} {found:?}");
    }
}

#[test]
fn administration_is_more_than_power() {
    let all = documents();
    let find = |name: &str| &all.iter().find(|(own, _)| own == name).unwrap().1;
    let admin = Stack::identity(vec![find("AdministratorAccess")]);
    let power = Stack::identity(vec![find("PowerUserAccess")]);
    assert_eq!(engine::difference(&power, &admin).answer, Answer::No);
    let more = engine::difference(&admin, &power);
    assert_eq!(more.answer, Answer::Must);
    let read = Stack::identity(vec![find("AmazonS3ReadOnlyAccess")]);
    let full = Stack::identity(vec![find("AmazonS3FullAccess")]);
    assert_eq!(engine::difference(&read, &full).answer, Answer::No);
    assert_eq!(engine::difference(&full, &read).answer, Answer::Must);
}

#[test]
#[ignore = "prints figures"]
fn figures() {
    let all = documents();
    let mut compile: Vec<Duration> = Vec::new();
    for (_, document) in &all {
        let start = Instant::now();
        let compiled = engine::Compiled::new(document);
        compile.push(start.elapsed());
        drop(compiled);
    }
    let print = |what: &str, times: &mut Vec<Duration>| {
        times.sort();
        let at = |share: f64| times[((times.len() - 1) as f64 * share) as usize];
        println!(
            "{what}: p50 {:?} p90 {:?} p99 {:?} max {:?}",
            at(0.5),
            at(0.9),
            at(0.99),
            at(1.0)
        );
    };
    print("compile", &mut compile);
    let (mut pairs, mut worst) = (Vec::new(), Vec::new());
    let mut counts = [0_usize; 3];
    let (mut seed, mut capped) = (7_usize, 0);
    for _ in 0..20_000 {
        seed = seed
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        let a = &all[(seed >> 33) % all.len()];
        seed = seed
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        let b = &all[(seed >> 33) % all.len()];
        let new = engine::Prepared::new(&Stack::identity(vec![&a.1]));
        let old = engine::Prepared::new(&Stack::identity(vec![&b.1]));
        let limits = engine::Limits::default();
        let start = Instant::now();
        let found = engine::difference_prepared(&new, &old, &limits);
        let took = start.elapsed();
        counts[found.answer as usize] += 1;
        capped += usize::from(found.capped);
        pairs.push(took);
        worst.push((took, a.0.clone(), b.0.clone(), found.answer));
    }
    print("pair", &mut pairs);
    println!("no, may, must: {counts:?}, capped {capped}");
    worst.sort();
    for line in worst.iter().rev().take(8) {
        println!("{line:?}");
    }
    let mut own: Vec<Duration> = Vec::new();
    for (_, document) in &all {
        let stack = engine::Prepared::new(&Stack::identity(vec![document]));
        let start = Instant::now();
        let _ = engine::difference_prepared(&stack, &stack, &engine::Limits::default());
        own.push(start.elapsed());
    }
    print("self", &mut own);
}
