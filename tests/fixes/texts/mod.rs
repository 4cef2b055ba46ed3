//! Fixes that no example has: other notations, other options.

mod boundaries;
mod conditions;
mod grammar;
mod organization;
mod resources;

use super::{fixed, problems};
use overgrant_rules::{Example, ExampleKind};

/// A text with a fix.
pub(super) struct Case {
    pub(super) rule: &'static str,
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

impl Case {
    pub(super) fn example(&self) -> Example {
        let mut words = self.language.split(' ').map(str::to_owned);
        Example {
            language: words.next().unwrap(),
            kind: ExampleKind::Bad,
            text: self.text.to_owned(),
            marked: None,
            options: words.collect(),
        }
    }
}

pub(super) fn all() -> impl Iterator<Item = &'static Case> {
    FAMILIES.iter().copied().flatten()
}

#[test]
fn fixes_keep_what_stands_around_them() {
    let mut wrong = Vec::new();
    for case in all() {
        let (rule, example) = (case.rule, case.example());
        let Some(problems) = problems(rule, &example) else {
            wrong.push(format!("{rule}: no fix for\n{}", case.text));
            continue;
        };
        if problems != (case.safe, Vec::new()) {
            wrong.push(format!("{rule}: {problems:?}"));
        }
        let changes = fixed(rule, &example).changes;
        let wanted = case.text.replace(case.from, case.to);
        if *changes[0].after != wanted || changes.len() != 1 {
            wrong.push(format!("{rule}:\n{}", changes[0].after));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// A transform makes documents of what is none itself: nothing is written into that.
#[test]
fn what_a_transform_makes_of_a_mapping_stays_as_it_is() {
    let example = Example {
        language: "sam".to_owned(),
        kind: ExampleKind::Bad,
        text: "Transform: AWS::Serverless-2016-10-31
Resources:
  Failed:
    Type: AWS::SQS::Queue
  Worker:
    Type: AWS::Serverless::Function
    Properties:
      Handler: index.handler
      Runtime: nodejs22.x
      CodeUri: src/
      EventInvokeConfig:
        DestinationConfig:
          OnFailure:
            Type: SQS
            Destination: !GetAtt Failed.Arn
"
        .to_owned(),
        marked: None,
        options: Vec::new(),
    };
    for rule in overgrant_rules::ALL {
        assert!(fixed(rule.id, &example).changes.is_empty(), "{}", rule.id);
    }
}
