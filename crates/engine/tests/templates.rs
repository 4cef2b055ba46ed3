//! Templates that are evaluated as they are read, although others need them.
//!
//! Invariant tested: a nested template is told in its parent's stack alone, and an exported value
//! reaches its importer, in whatever order and on however many threads the files are read.

#![expect(
    clippy::unwrap_used,
    reason = "a test may end at what it does not expect"
)]

use overgrant_engine::{Discovery, Options, check_in};
use overgrant_source::Sources;
use std::sync::Arc;

fn role(resource: &str) -> String {
    format!(
        "Type: AWS::IAM::Role
    Properties:
      AssumeRolePolicyDocument: {{Statement: [{{Effect: Allow, Principal: {{Service: lambda.amazonaws.com}}, Action: 'sts:AssumeRole'}}]}}
      Policies: [{{PolicyName: p, PolicyDocument: {{Statement: [{{Effect: Allow, Action: 'dynamodb:PutItem', Resource: {resource}}}]}}}}]
"
    )
}

/// The root and address of every finding, on this many threads.
fn found(threads: usize) -> Vec<(String, String)> {
    let star = role("!Ref Tables");
    let table = role("!ImportValue tables");
    let files = [
        (
            "child.yaml",
            format!("Parameters: {{Tables: {{Type: String}}}}\nResources:\n  R:\n    {star}"),
        ),
        (
            "parent.yaml",
            "Resources: {N: {Type: AWS::CloudFormation::Stack, Properties: {TemplateURL: child.yaml, Parameters: {Tables: '*'}}}}\n".to_owned(),
        ),
        (
            "exporter.yaml",
            "Resources: {T: {Type: AWS::SNS::Topic}}\nOutputs: {O: {Value: '*', Export: {Name: tables}}}\n".to_owned(),
        ),
        ("importer.yaml", format!("Resources:\n  R:\n    {table}")),
        ("apart.yaml", format!("Resources:\n  R:\n    {}", role("'*'"))),
    ];
    let sources = Arc::new(Sources::new("/nowhere/at/all"));
    for (path, text) in &files {
        sources.add(path, text);
    }
    let found = Discovery {
        selected: vec![String::new()],
        documents: files.iter().map(|(path, _)| (*path).to_owned()).collect(),
        ..Discovery::default()
    };
    let options = Options {
        select: vec!["star-resource-on-scopable-write".to_owned()],
        threads: Some(threads),
        ..Options::default()
    };
    let outcome = check_in(&sources, &found, &options).unwrap();
    assert_eq!(outcome.diagnostics, []);
    assert_eq!(outcome.summary.files, files.len());
    let findings = outcome.findings.iter().map(|reported| &reported.finding);
    findings
        .map(|finding| (finding.root.to_string(), finding.address.to_string()))
        .collect()
}

#[test]
fn nested_and_exporting_templates_are_told_once() {
    let expected = [
        ("apart.yaml", "R"),
        // The parent gives the `*`.
        ("parent.yaml", "N"),
        ("importer.yaml", "R"),
    ]
    .map(|(root, address)| (root.to_owned(), address.to_owned()));
    for threads in [1, 4] {
        let mut found = found(threads);
        found.sort();
        let mut expected = expected.to_vec();
        expected.sort();
        assert_eq!(found, expected, "{threads} threads");
    }
}
