//! Edits of templates in block style, flow style and JSON.

use super::*;
use crate::syntax::{TemplateRead, read};
use overgrant_source::Sources;

fn template(text: &str) -> Template {
    match read(&Sources::new(".").add("t", text)) {
        TemplateRead::Yes(template) => *template,
        other => panic!("{other:?}"),
    }
}

/// The text after an edit, which must still be a template.
fn applied(text: &str, edit: Option<TextEdit>) -> String {
    let edit = edit.unwrap();
    let mut out = text.to_owned();
    out.replace_range(edit.span.range(), &edit.text);
    template(&out);
    out
}

fn statement(template: &Template) -> Span {
    let document = template
        .root
        .get("Resources")
        .and_then(|node| node.get("P"))
        .and_then(|node| node.get("Properties"))
        .and_then(|node| node.get("PolicyDocument"))
        .unwrap();
    let statement = document.get("Statement").unwrap();
    statement.items().first().unwrap_or(statement).span
}

fn with_condition(text: &str) -> String {
    let template = template(text);
    let values = ["lambda.amazonaws.com".to_owned()];
    let place = statement(&template);
    applied(
        text,
        add_condition(
            &template,
            place,
            "StringEquals",
            "iam:PassedToService",
            &values,
        ),
    )
}

const BLOCK: &str = "Resources:
  P:
    Type: AWS::IAM::ManagedPolicy
    Properties:
      PolicyDocument:
        Statement:
          - Effect: Allow
            Action: iam:PassRole # why
            Resource: '*' # all
          - Effect: Deny
            Action: x
            Resource: '*'
";

#[test]
fn a_condition_in_block_style() {
    assert_eq!(
        with_condition(BLOCK),
        BLOCK.replace(
            "            Resource: '*' # all\n",
            "            Resource: '*' # all\n            Condition:\n              StringEquals:\n                \"iam:PassedToService\": lambda.amazonaws.com\n"
        )
    );
}

#[test]
fn a_condition_in_flow_style_and_json() {
    let text = "Resources: {P: {Type: AWS::IAM::ManagedPolicy, Properties: {PolicyDocument: {Statement: [{Effect: Allow, Action: a}]}}}}";
    assert!(with_condition(text).contains(
        r#"{Effect: Allow, Action: a, "Condition": {"StringEquals": {"iam:PassedToService": "lambda.amazonaws.com"}}}"#
    ));
    let text = "{\"Resources\": {\"P\": {\"Type\": \"AWS::IAM::ManagedPolicy\", \"Properties\": {\"PolicyDocument\": {\"Statement\": {\n  \"Effect\": \"Allow\",\n  \"Action\": \"a\"\n}}}}}}";
    assert!(with_condition(text).contains(
        "\"a\",\n  \"Condition\": {\"StringEquals\": {\"iam:PassedToService\": \"lambda.amazonaws.com\"}}\n}"
    ));
}

#[test]
fn a_condition_joins_the_one_that_is_there() {
    let text = BLOCK.replace(
        "# all\n",
        "# all\n            Condition:\n              StringEquals:\n                a: b\n",
    );
    assert!(
        with_condition(&text)
            .contains("a: b\n                \"iam:PassedToService\": lambda.amazonaws.com\n")
    );
    let text = BLOCK.replace(
        "# all\n",
        "# all\n            Condition: {Bool: {a: true}}\n",
    );
    assert!(with_condition(&text).contains(r#"{Bool: {a: true}, "StringEquals": {"#));
    let text = text.replace(
        "{Bool: {a: true}}",
        "{StringEquals: {'iam:passedtoservice': x}}",
    );
    let template = template(&text);
    let values = ["y".to_owned()];
    let place = statement(&template);
    assert_eq!(
        add_condition(
            &template,
            place,
            "StringEquals",
            "iam:PassedToService",
            &values
        ),
        None
    );
}

#[test]
fn text_inside_a_string_gets_no_edit() {
    let text = "Resources:\n  P:\n    Type: AWS::IAM::ManagedPolicy\n    Properties:\n      PolicyDocument: '{\"Statement\": {\"Effect\": \"Allow\"}}'\n";
    let template = template(text);
    let at = u32::try_from(text.find("{\"Effect").unwrap()).unwrap();
    let place = Span::new(template.file.id(), at, at + 19);
    assert_eq!(add_condition(&template, place, "Bool", "k", &[]), None);
}

#[test]
fn properties_are_set_and_made() {
    let text = "Resources:
  I:
    Type: AWS::EC2::Instance
    Properties:
      A: !Ref X
      M:
        H: optional
  J:
    Type: AWS::EC2::Instance
";
    let template = template(text);
    let entries = template.root.get("Resources").unwrap().entries();
    let block = |n: usize| entries[n].key_span.to(entries[n].value.span);
    assert!(
        applied(text, set_property(&template, block(0), "M.H", "required"))
            .contains("H: required\n")
    );
    assert!(applied(text, set_property(&template, block(0), "A", "true")).contains("A: true\n"));
    assert!(
        applied(text, set_property(&template, block(0), "M.T", "1"))
            .contains("H: optional\n        T: 1\n")
    );
    assert!(
        applied(
            text,
            set_property(&template, entries[1].key_span, "M.T", "yes")
        )
        .ends_with("    Type: AWS::EC2::Instance\n    Properties:\n      M:\n        T: \"yes\"\n")
    );
    assert_eq!(set_property(&template, block(0), "A.B", "1"), None);
}

#[test]
fn items_are_removed_with_what_belongs_to_them() {
    let place = |template: &Template, text: &str, item: &str| {
        let at = u32::try_from(text.find(item).unwrap()).unwrap();
        Span::new(
            template.file.id(),
            at,
            at + u32::try_from(item.len()).unwrap(),
        )
    };
    let text = "Resources:\n  A:\n    Type: X::Y\n    Properties:\n      L:\n        - one\n        - 'two' # c\n      M: [a, b, c]\n      O: [x]\n";
    let template = template(text);
    let removed = |item: &str| {
        let span = place(&template, text, item);
        remove(&template, span).map(|edit| applied(text, Some(edit)))
    };
    assert!(removed("'two'").unwrap().contains("- one\n      M"));
    assert!(
        removed("one")
            .unwrap()
            .contains("L:\n        - 'two' # c\n")
    );
    assert!(removed("b").unwrap().contains("[a, c]"));
    assert!(removed("c]").is_none());
    assert_eq!(removed("x"), None, "the only item stays");
}

#[test]
fn lines_end_as_those_of_the_file() {
    let text = BLOCK.replace('\n', "\r\n");
    let new = with_condition(&text);
    assert_eq!(new, with_condition(BLOCK).replace('\n', "\r\n"));
}

#[test]
fn only_a_document_gets_an_element() {
    let template = template(BLOCK);
    let resource = template
        .root
        .get("Resources")
        .and_then(|node| node.get("P"));
    let properties = resource.and_then(|node| node.get("Properties")).unwrap();
    let document = properties.get("PolicyDocument").unwrap();
    let add = |node: &Node| add_element(&template, node.span, "Version", "2012-10-17");
    assert_eq!(add(properties), None);
    assert!(
        applied(BLOCK, add(document))
            .contains("PolicyDocument:\n        Version: \"2012-10-17\"\n        Statement:")
    );
    assert_eq!(
        add_condition(&template, document.span, "Bool", "k", &["v".to_owned()]),
        None
    );
}
