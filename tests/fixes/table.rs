//! Which rules have fixes, in which notations: against the catalogue.

use super::examples::bad;
use super::json::as_json;
use super::{notations, problems, texts};
use overgrant_rules::{ALL, Example};
use std::collections::{BTreeMap, BTreeSet};

/// Rules with a fix, whether all of theirs are safe, and how the texts are written that prove it: `hcl`
/// (`jsonencode`, arguments), `block` (policy documents of Terraform), `heredoc` (JSON in Terraform),
/// `yaml` and `json` (templates).
const FIXABLE: &[(&str, bool, &str)] = &[
    ("access-analyzer-missing", false, "hcl json yaml"),
    (
        "action-resource-mismatch",
        false,
        "block hcl heredoc json yaml",
    ),
    ("boundary-detachable", false, "block hcl heredoc json yaml"),
    (
        "boundary-iam-denylist-incomplete",
        false,
        "block hcl heredoc json yaml",
    ),
    (
        "boundary-or-deny-removal",
        false,
        "block hcl heredoc json yaml",
    ),
    (
        "boundary-policy-mutable",
        false,
        "block hcl heredoc json yaml",
    ),
    ("boundary-required-missing", false, "hcl json yaml"),
    ("cloudtrail-trail-incomplete", true, "hcl json yaml"),
    (
        "credential-creation-for-others",
        false,
        "block hcl heredoc json yaml",
    ),
    (
        "equals-operator-with-wildcard",
        false,
        "block hcl heredoc json yaml",
    ),
    (
        "forallvalues-allow-without-null-guard",
        false,
        "block hcl heredoc json yaml",
    ),
    (
        "force-mfa-policy-flawed",
        false,
        "block hcl heredoc json yaml",
    ),
    (
        "ifexists-on-security-key-in-allow",
        false,
        "block hcl heredoc json yaml",
    ),
    ("imdsv1-allowed", false, "hcl json yaml"),
    (
        "mfa-allow-boolifexists",
        false,
        "block hcl heredoc json yaml",
    ),
    (
        "mfa-deny-misses-long-term-keys",
        false,
        "block hcl heredoc json yaml",
    ),
    (
        "oidc-aud-missing-or-wide",
        false,
        "block hcl heredoc json yaml",
    ),
    (
        "oidc-condition-operator-unsafe",
        false,
        "block hcl heredoc json yaml",
    ),
    ("password-policy-missing-or-weak", false, "hcl"),
    ("permission-set-session-long", true, "hcl json yaml"),
    ("policy-grammar-invalid", true, "hcl heredoc json yaml"),
    (
        "policy-variable-misuse",
        false,
        "block hcl heredoc json yaml",
    ),
    (
        "policy-version-missing-or-old",
        false,
        "block hcl heredoc json yaml",
    ),
    ("s3-public-access-block-off", false, "hcl json yaml"),
    ("s3-tls-not-enforced", false, "block hcl heredoc json yaml"),
    (
        "scp-cloudtrail-guard-incomplete",
        false,
        "block hcl heredoc json yaml",
    ),
    (
        "scp-detective-service-guard-incomplete",
        false,
        "block hcl heredoc json yaml",
    ),
    (
        "scp-imdsv2-guard-incomplete",
        false,
        "block hcl heredoc json yaml",
    ),
    (
        "scp-region-deny-breaks-global-services",
        false,
        "block hcl heredoc json yaml",
    ),
    (
        "scp-root-user-not-restricted",
        false,
        "block hcl heredoc json yaml",
    ),
    ("secret-key-exposed-in-output", false, "hcl json yaml"),
    (
        "service-principal-without-source-guard",
        false,
        "block hcl heredoc json yaml",
    ),
    (
        "service-trust-confused-deputy",
        false,
        "block hcl heredoc json yaml",
    ),
    (
        "unknown-or-empty-action",
        false,
        "block hcl heredoc json yaml",
    ),
];

fn notation(example: &Example) -> &'static str {
    match example.language.as_str() {
        "terraform" if example.text.contains("<<") => "heredoc",
        "terraform" if example.text.contains("data \"aws_iam_policy_document\"") => "block",
        "terraform" => "hcl",
        _ if example.text.starts_with('{') => "json",
        _ => "yaml",
    }
}

#[test]
fn the_table_of_fixes_is_complete() {
    let mut found: BTreeMap<&str, (bool, BTreeSet<&str>)> = BTreeMap::new();
    let cases = texts::all().map(|case| (case.rule, case.example()));
    let examples = bad().map(|(rule, _, example)| (rule, example));
    for (rule, example) in examples.chain(cases).chain(notations::examples()) {
        for example in std::iter::once(example.clone()).chain(as_json(&example)) {
            if let Some((safe, _)) = problems(rule, &example) {
                let known = found.entry(rule).or_insert((true, BTreeSet::new()));
                known.0 &= safe;
                known.1.insert(notation(&example));
            }
        }
    }
    let line = |(rule, (safe, notations)): (&&str, &(bool, BTreeSet<&str>))| {
        let notations: Vec<&str> = notations.iter().copied().collect();
        format!("    ({rule:?}, {safe}, {:?}),\n", notations.join(" "))
    };
    let found: String = found.iter().map(line).collect();
    let wanted = FIXABLE.iter();
    let wanted: String = wanted
        .map(|(rule, safe, notations)| format!("    ({rule:?}, {safe}, {notations:?}),\n"))
        .collect();
    assert!(found == wanted, "found:\n{found}");
}

/// What the catalogue says of a rule's fix: `yes`, `partly`, `no`.
#[test]
fn every_fix_of_the_catalogue_is_there() {
    const TABLE: &str = include_str!("../../testdata/rules.tsv");
    let mut lines = TABLE
        .lines()
        .map(|line| line.split('\t').collect::<Vec<_>>());
    let header = lines.next().unwrap();
    let column = |name: &str| header.iter().position(|one| *one == name).unwrap();
    let (name, fix) = (column("name"), column("fix"));
    let mut promised = 0;
    for row in lines.filter(|row| ALL.iter().any(|rule| rule.id == row[name])) {
        let there = FIXABLE.iter().any(|(rule, ..)| *rule == row[name]);
        promised += usize::from(row[fix] == "yes");
        assert!(there || row[fix] != "yes", "{} has no fix", row[name]);
        assert!(!there || row[fix] != "no", "{} has a fix", row[name]);
    }
    assert!(promised > 25, "{promised}");
}

/// Where a fix is proved in fewer notations than the three that people write.
const FEWER: &[(&str, &str)] = &[(
    "password-policy-missing-or-weak",
    "CloudFormation has no type for it",
)];

#[test]
fn every_fix_is_proved_in_hcl_yaml_and_json() {
    for (rule, _, notations) in FIXABLE {
        let known: Vec<&str> = notations.split(' ').collect();
        let all = ["hcl", "yaml", "json"]
            .iter()
            .all(|one| known.contains(one));
        let excused = FEWER.iter().any(|(of, _)| of == rule);
        assert!(all != excused, "{rule}: {notations}");
    }
}
