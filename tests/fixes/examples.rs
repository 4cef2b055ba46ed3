//! The fixes of the bad examples, and of the same templates in JSON.

use super::json::as_json;
use super::{problems, texts};
use overgrant_rules::{ALL, Docs, Example, ExampleKind};

/// The bad examples of every rule, with a name.
pub(super) fn bad() -> impl Iterator<Item = (&'static str, String, Example)> {
    ALL.iter().flat_map(|rule| {
        let examples = Docs::of(rule).examples.into_iter().enumerate();
        let bad = examples.filter(|(_, example)| example.kind == ExampleKind::Bad);
        bad.map(|(index, example)| {
            (
                rule.id,
                format!("{} example {}", rule.id, index + 1),
                example,
            )
        })
    })
}

#[test]
fn a_fixed_finding_is_gone_and_nothing_new_appears() {
    let wrong: Vec<String> = bad()
        .filter_map(|(rule, name, example)| Some((name, problems(rule, &example)?.1)))
        .flat_map(|(name, wrong)| wrong.into_iter().map(move |what| format!("{name}: {what}")))
        .collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn a_template_is_fixed_in_json_as_in_yaml() {
    let cases = texts::all().map(|case| (case.rule, case.rule.to_owned(), case.example()));
    let mut tried = 0;
    for (rule, name, example) in bad().chain(cases) {
        let Some(json) = as_json(&example) else {
            continue;
        };
        let (yaml, json) = (problems(rule, &example), problems(rule, &json));
        assert_eq!(json, yaml, "{name}");
        tried += usize::from(json.is_some());
    }
    assert!(tried > 30, "{tried}");
}
