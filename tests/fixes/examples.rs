//! The fixes of the bad examples.

use super::problems;
use overgrant_rules::{ALL, Docs, ExampleKind};
use std::collections::BTreeMap;

/// Rules with a fix for one of their bad examples at least, and whether all of those are safe.
const FIXABLE: &[(&str, bool)] = &[
    ("action-resource-mismatch", false),
    ("boundary-detachable", false),
    ("boundary-iam-denylist-incomplete", false),
    ("boundary-or-deny-removal", false),
    ("boundary-policy-mutable", false),
    ("cloudtrail-trail-incomplete", true),
    ("equals-operator-with-wildcard", false),
    ("forallvalues-allow-without-null-guard", false),
    ("ifexists-on-security-key-in-allow", false),
    ("imdsv1-allowed", false),
    ("mfa-allow-boolifexists", false),
    ("mfa-deny-misses-long-term-keys", false),
    ("oidc-condition-operator-unsafe", false),
    ("password-policy-missing-or-weak", true),
    ("permission-set-session-long", true),
    ("policy-version-missing-or-old", false),
    ("s3-public-access-block-off", false),
    ("scp-cloudtrail-guard-incomplete", false),
    ("scp-detective-service-guard-incomplete", false),
    ("unknown-or-empty-action", false),
];

#[test]
fn a_fixed_finding_is_gone_and_nothing_new_appears() {
    let mut all = Vec::new();
    let mut fixable: BTreeMap<&str, bool> = BTreeMap::new();
    for rule in ALL {
        let examples = Docs::of(rule).examples;
        for (index, example) in examples.iter().enumerate() {
            if example.kind != ExampleKind::Bad {
                continue;
            }
            if let Some((safe, wrong)) = problems(rule.id, example) {
                *fixable.entry(rule.id).or_insert(true) &= safe;
                all.extend(
                    wrong
                        .iter()
                        .map(|what| format!("{} example {}: {what}", rule.id, index + 1)),
                );
            }
        }
    }
    assert!(all.is_empty(), "{}", all.join("\n"));
    let found: Vec<(&str, bool)> = fixable.into_iter().collect();
    assert_eq!(found, FIXABLE);
}
