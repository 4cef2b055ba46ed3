//! Fixes that no example has: other notations, other options.

mod boundaries;
mod conditions;
mod grammar;
mod organization;
mod resources;

use super::{fixed, problems};
use overgrant_rules::{Example, ExampleKind};

/// A text with a fix.
struct Case {
    rule: &'static str,
    /// Language and options of an example.
    language: &'static str,
    safe: bool,
    text: &'static str,
    /// What changes in the text.
    from: &'static str,
    /// What it changes into.
    to: &'static str,
}

const FAMILIES: &[&[Case]] = &[
    boundaries::CASES,
    conditions::CASES,
    grammar::CASES,
    organization::CASES,
    resources::CASES,
];

#[test]
fn fixes_keep_what_stands_around_them() {
    for case in FAMILIES.iter().copied().flatten() {
        let Case {
            rule,
            language,
            safe,
            text,
            from,
            to,
        } = case;
        let mut words = language.split(' ').map(str::to_owned);
        let example = Example {
            language: words.next().unwrap(),
            kind: ExampleKind::Bad,
            text: (*text).to_owned(),
            marked: None,
            options: words.collect(),
        };
        let problems = problems(rule, &example).unwrap_or_else(|| panic!("{rule}: no fix"));
        assert_eq!(problems, (*safe, Vec::new()), "{rule}");
        let changes = fixed(rule, &example).changes;
        assert_eq!(*changes[0].after, text.replace(from, to), "{rule}");
        assert_eq!(changes.len(), 1, "{rule}");
    }
}
