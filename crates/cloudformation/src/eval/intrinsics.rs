//! What every intrinsic gives, and what it gives where it is used wrongly: hand-written rows.
//!
//! Sources: the AWS CloudFormation template reference, "Intrinsic function reference", "Pseudo
//! parameters" and "Dynamic references".

use crate::testing::one;
use overgrant_value::json;

/// The template around a property `V` of the resource `X`.
const AROUND: &str = r#"
Parameters:
  P: {Type: String, Default: d}
  E: {Type: String, AllowedValues: [dev, prod]}
  K: {Type: String, Default: a}
  KA: {Type: String, Default: b, AllowedValues: [b, c]}
  Num: {Type: Number, Default: 007}
  L: {Type: CommaDelimitedList, Default: 'x, y'}
  Open: {Type: String}
  S: {Type: 'AWS::SSM::Parameter::Value<String>', Default: /a/b}
Conditions:
  IsProd: !Equals [!Ref E, prod]
  Never: !Equals [a, b]
Mappings:
  M: {a: {k: 1, l: [p, q]}, b: {k: 2}}
Resources:
  B: {Type: AWS::S3::Bucket, Properties: {BucketName: bkt}}
  R: {Type: AWS::IAM::Role, Properties: {RoleName: rol, Path: /p/}}
  G: {Type: AWS::IAM::ManagedPolicy}
  Q: {Type: AWS::SQS::Queue, Properties: {QueueName: que}}
  T: {Type: AWS::SNS::Topic, Properties: {TopicName: top}}
  X: {Type: AWS::SNS::Topic, Properties: {V: %V%}}
"#;

/// The value in a template, written as JSON, and the codes of what was told.
fn value(around: &str, yaml: &str) -> (String, Vec<&'static str>) {
    let found = one(&around.replace("%V%", yaml));
    let resource = found.resources.iter().find(|r| r.address == "X").unwrap();
    let val = resource.get("V").map(|val| json::to_string(&val));
    let codes = found.diagnostics.iter().map(|told| told.code).collect();
    (val.unwrap_or_else(|| "absent".to_owned()), codes)
}

fn table(rows: &[(&str, &str, &[&str])]) {
    rows_of(AROUND, rows);
}

fn rows_of(around: &str, rows: &[(&str, &str, &[&str])]) {
    let mut wrong = String::new();
    for (yaml, wanted, codes) in rows {
        let (got, told) = value(around, yaml);
        if got != *wanted || told != *codes {
            wrong += &format!("{yaml}\n   wanted {wanted} {codes:?}\n   got    {got} {told:?}\n");
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
}

#[test]
fn references() {
    table(&[
        ("!Ref P", r#""d""#, &[]),
        ("!Ref Num", r#""007""#, &[]),
        ("!Ref L", r#"["x","y"]"#, &[]),
        ("!Ref Open", "${Open}", &[]),
        ("!Ref S", "${{{resolve:ssm:/a/b}}}", &[]),
        ("!Ref 'AWS::AccountId'", r#""${the account id}""#, &[]),
        ("!Ref 'AWS::Region'", r#""${the region}""#, &[]),
        ("!Ref 'AWS::Partition'", r#""${the partition}""#, &[]),
        ("!Ref 'AWS::URLSuffix'", r#""${the DNS suffix}""#, &[]),
        ("!Ref 'AWS::StackName'", r#""${AWS::StackName}""#, &[]),
        (
            "!Ref 'AWS::StackId'",
            r#""arn:${the partition}:cloudformation:${the region}:${the account id}:stack/${AWS::StackName}/${AWS::StackId}""#,
            &[],
        ),
        (
            "!Ref 'AWS::NotificationARNs'",
            "${AWS::NotificationARNs}",
            &[],
        ),
        ("!Ref 'AWS::NoValue'", "absent", &[]),
        ("!Ref B", r#""bkt""#, &[]),
        ("!Ref R", r#""rol""#, &[]),
        (
            "!Ref G",
            r#""arn:${the partition}:iam::${the account id}:policy/${G.name}""#,
            &[],
        ),
        ("!Ref Q", r#""${Q.Ref}""#, &[]),
        (
            "!Ref T",
            r#""arn:${the partition}:sns:${the region}:${the account id}:top""#,
            &[],
        ),
        ("!Ref Gone", "${Gone.Ref}", &["unknown-reference"]),
        (
            "{Ref: [P]}",
            "${a reference to a computed name}",
            &["function-form"],
        ),
        ("!GetAtt B.Arn", r#""arn:${the partition}:s3:::bkt""#, &[]),
        (
            "!GetAtt [R, Arn]",
            r#""arn:${the partition}:iam::${the account id}:role/p/rol""#,
            &[],
        ),
        (
            "{'Fn::GetAtt': Q.Arn}",
            r#""arn:${the partition}:sqs:${the region}:${the account id}:que""#,
            &[],
        ),
        ("!GetAtt T.TopicName", r#""top""#, &[]),
        (
            "!GetAtt Gone.Arn",
            r#""${Gone.Arn}""#,
            &["unknown-reference"],
        ),
        (
            "!GetAtt B",
            "${an attribute without a name}",
            &["function-form"],
        ),
    ]);
}

#[test]
fn texts() {
    table(&[
        ("!Sub 'a${P}${!P}$b'", r#""ad${P}$b""#, &[]),
        (
            "!Sub ['${A}-${P}-${B.Arn}', {A: !Join ['', [x, y]]}]",
            r#""xy-d-arn:${the partition}:s3:::bkt""#,
            &[],
        ),
        ("!Sub '${!aws:username}'", r#""${aws:username}""#, &[]),
        ("!Sub '${ P }'", r#""d""#, &[]),
        ("!Sub 'a${'", r#""a${""#, &[]),
        (
            "!Sub '${aws:username}'",
            r#""${aws:username.Ref}""#,
            &["unknown-reference"],
        ),
        ("!Sub '${Gone}'", r#""${Gone.Ref}""#, &["unknown-reference"]),
        (
            "!Sub [!Ref P, {}]",
            "${a computed Fn::Sub template}",
            &["function-form"],
        ),
        (
            "!Join ['-', [a, !Ref P, !Ref 'AWS::NoValue', 1]]",
            r#""a-d-1""#,
            &[],
        ),
        ("!Join [',', !Ref L]", r#""x,y""#, &[]),
        ("!Join [',', []]", r#""""#, &[]),
        ("!Join [',', !Split [':', 'a:b']]", r#""a,b""#, &[]),
        (
            "!Join [',', !Ref P]",
            r#""${Fn::Join ,(…)}""#,
            &["function-form"],
        ),
        ("!Join [',']", r#""${Fn::Join ,(…)}""#, &["function-form"]),
        ("!Split ['-', a-b--c]", r#"["a","b","","c"]"#, &[]),
        ("!Split ['-', abc]", r#"["abc"]"#, &[]),
        ("!Split [', ', 'a, b']", r#"["a","b"]"#, &[]),
        ("!Split [':', !Ref Open]", "${Fn::Split :(…)}", &[]),
        ("!Split [':']", "${Fn::Split :(…)}", &["function-form"]),
        ("!Split [':', [a]]", "${Fn::Split :(…)}", &["function-form"]),
        (
            "!Split [!Ref P, 'a:b']",
            "${Fn::Split (…)}",
            &["function-form"],
        ),
        ("!Join [!Ref P, [a, b]]", r#""ab""#, &["function-form"]),
        (
            "!Join [',', a]",
            r#""${Fn::Join ,(…)}""#,
            &["function-form"],
        ),
        (
            "!Sub [a]",
            "${a computed Fn::Sub template}",
            &["function-form"],
        ),
        (
            "!Sub ['${A}', [A]]",
            r#""${A.Ref}""#,
            &["function-form", "unknown-reference"],
        ),
        (
            "!Sub '${Gone.Arn}'",
            r#""${Gone.Arn}""#,
            &["unknown-reference"],
        ),
        ("!Base64 [a]", r#"["a"]"#, &["function-form"]),
        // What a packaging tool puts there.
        (
            "{'Fn::Sub': !Rain::Embed f.sh}",
            "${a computed Fn::Sub template}",
            &[],
        ),
        (
            "!Equals [a, b]",
            "${the result of Equals}",
            &["function-form"],
        ),
        ("!Select [0, [a, b]]", r#""a""#, &[]),
        ("!Select ['1', !Ref L]", r#""y""#, &[]),
        ("!Select [5, !Split [':', !GetAtt Q.Arn]]", r#""que""#, &[]),
        (
            "!Select [2, [a, b]]",
            "${an item that the list does not have}",
            &["select-index"],
        ),
        (
            "!Select [-1, [a, b]]",
            "${an item that the list does not have}",
            &["select-index"],
        ),
        (
            "!Select [x, [a, b]]",
            "${an item whose index is no number}",
            &["select-index"],
        ),
        ("!Select [0, !GetAZs '']", "${Fn::Select(…)}", &[]),
        ("!Select [0]", "${Fn::Select(…)}", &["function-form"]),
        ("!Select [0, 'a,b']", "${Fn::Select(…)}", &["function-form"]),
        (
            "!Select [0, !Ref P]",
            "${Fn::Select(…)}",
            &["function-form"],
        ),
        (
            "!Select [2, !Split [':', 'a:b']]",
            "${an item that the list does not have}",
            &["select-index"],
        ),
        // Another value of the parameter has more items, or names one that is there.
        (
            "!Select [2, !Ref L]",
            "${an item that the list does not have}",
            &[],
        ),
        (
            "!Select [1, !Split [':', !Ref P]]",
            "${an item that the list does not have}",
            &[],
        ),
        (
            "!Select [!Ref Num, [a, b]]",
            "${an item that the list does not have}",
            &[],
        ),
        // One of the items may be absent.
        (
            "!Select [1, [a, !If [IsProd, b, !Ref 'AWS::NoValue']]]",
            r#"${one of "b", null}"#,
            &[],
        ),
        ("!Base64 {'Fn::Sub': 'x${P}'}", r#""xd""#, &[]),
    ]);
}

#[test]
fn choices_and_lookups() {
    table(&[
        ("!If [IsProd, a, b]", r#"${one of "a", "b"}"#, &[]),
        ("!If [Never, a, b]", r#""b""#, &[]),
        ("!If [Never, !Ref Gone, b]", r#""b""#, &[]),
        ("!If [Never, a, !Ref 'AWS::NoValue']", "absent", &[]),
        ("[!If [Never, a, !Ref 'AWS::NoValue'], c]", r#"["c"]"#, &[]),
        (
            "!If [Gone, a, b]",
            r#"${one of "a", "b"}"#,
            &["unknown-condition"],
        ),
        (
            "!If [Never, a]",
            "${an Fn::If without its three members}",
            &["function-form"],
        ),
        ("!FindInMap [M, a, k]", "1", &[]),
        ("!FindInMap [M, a, l]", r#"["p","q"]"#, &[]),
        ("!FindInMap [M, !Ref Open, k]", "${one of 1, 2}", &[]),
        // A default is one of the members.
        ("!FindInMap [M, !Ref K, k]", "${one of 1, 2}", &[]),
        ("!FindInMap [M, !Ref KA, k]", "2", &[]),
        (
            "!FindInMap [M, c, k]",
            "${a key that no mapping has}",
            &["unknown-mapping"],
        ),
        (
            "!FindInMap [M, a, z]",
            "${a key that no mapping has}",
            &["unknown-mapping"],
        ),
        (
            "!FindInMap [M, !Ref Open, z]",
            "${a key that no mapping has}",
            &["unknown-mapping"],
        ),
        (
            "!FindInMap [M, !Ref 'AWS::Region', k]",
            "${one of 1, 2}",
            &[],
        ),
        // None of the allowed values is a key.
        (
            "!FindInMap [M, !Ref E, k]",
            "${a key that no mapping has}",
            &["unknown-mapping"],
        ),
        // A value may be given that is one.
        (
            "!FindInMap [M, !Sub '${P}', k]",
            "${a key that no mapping has}",
            &[],
        ),
        (
            "!If [IsProd, !FindInMap [M, c, k], b]",
            r#"${one of ${a key that no mapping has}, "b"}"#,
            &["unknown-mapping"],
        ),
        ("!If [Never, !FindInMap [M, c, k], b]", r#""b""#, &[]),
        (
            "!FindInMap [M, !If [IsProd, a, c], k]",
            "${one of 1, ${a key that no mapping has}}",
            &[],
        ),
        (
            "!FindInMap [Gone, a, k]",
            "${a key that no mapping has}",
            &["unknown-mapping"],
        ),
        (
            "!FindInMap [M, a]",
            "${an Fn::FindInMap without its three keys}",
            &["function-form"],
        ),
        ("!ImportValue name", r#""${import name}""#, &[]),
        (
            "!ImportValue {'Fn::Sub': '${P}-x'}",
            r#""${import d-x}""#,
            &[],
        ),
        (
            "!ImportValue [a]",
            "${an import with a computed name}",
            &["function-form"],
        ),
        (
            "!ImportValue {Ref: B}",
            r#""${import bkt}""#,
            &["function-form"],
        ),
        ("!ImportValue {Ref: P}", r#""${import d}""#, &[]),
        (
            "{'Fn::If': [!Ref E, a, b]}",
            "${an Fn::If with a computed condition}",
            &["function-form"],
        ),
        (
            "{'Fn::GetStackOutput': {StackName: s, OutputName: o}}",
            r#""${s.o}""#,
            &[],
        ),
    ]);
}

/// As [`table`], with the functions of `AWS::LanguageExtensions`.
fn extended(rows: &[(&str, &str, &[&str])]) {
    rows_of(&format!("Transform: AWS::LanguageExtensions{AROUND}"), rows);
}

#[test]
fn language_extensions() {
    extended(&[
        ("!Length [a, b, c]", "3", &[]),
        ("!Length {Ref: L}", "2", &[]),
        ("!Length {'Fn::Split': [',', 'a,b']}", "2", &[]),
        ("!Length a", "${Fn::Length(…)}", &["function-form"]),
        (
            "!ToJsonString {a: [1, !Ref P]}",
            r#""{\"a\":[1,\"d\"]}""#,
            &[],
        ),
        ("!ToJsonString a", r#""\"a\"""#, &["function-form"]),
        (
            "!FindInMap [M, !FindInMap [M, a, k], k, {DefaultValue: z}]",
            r#""z""#,
            &[],
        ),
        ("!FindInMap [Gone, a, k, {DefaultValue: z}]", r#""z""#, &[]),
        (
            "{Ref: {'Fn::Sub': P}}",
            "${a reference to a computed name}",
            &[],
        ),
    ]);
    table(&[
        ("!Length [a, b, c]", "3", &["needs-transform"]),
        (
            "!ToJsonString {a: b}",
            r#""{\"a\":\"b\"}""#,
            &["needs-transform"],
        ),
        (
            "!FindInMap [M, c, k, {DefaultValue: z}]",
            r#""z""#,
            &["needs-transform"],
        ),
    ]);
}

#[test]
fn lists_and_documents() {
    table(&[
        ("!GetAZs ''", "${Fn::GetAZs(…)}", &[]),
        ("!GetAZs [a]", "${Fn::GetAZs(…)}", &["function-form"]),
        ("!Cidr [10.0.0.0/16, 2, 8]", "${Fn::Cidr(…)}", &[]),
        ("!Cidr [!Ref Open, !Ref Num, 8]", "${Fn::Cidr(…)}", &[]),
        ("!Cidr [10.0.0.0/16]", "${Fn::Cidr(…)}", &["function-form"]),
        (
            "!Cidr [10.0.0.0, 2, 8]",
            "${Fn::Cidr(…)}",
            &["function-form"],
        ),
        (
            "!Cidr [10.0.0.0/16, 257, 8]",
            "${Fn::Cidr(…)}",
            &["function-form"],
        ),
        (
            "!Cidr [10.0.0.0/16, two, 8]",
            "${Fn::Cidr(…)}",
            &["function-form"],
        ),
        (
            "!Cidr [10.0.0.0/16, 2, x]",
            "${Fn::Cidr(…)}",
            &["function-form"],
        ),
        (
            "'{{resolve:ssm:/a/b}}'",
            r#""${{{resolve:ssm:/a/b}}}""#,
            &[],
        ),
        (
            "'x-{{resolve:secretsmanager:s:SecretString:k}}'",
            r#""x-${{{resolve:secretsmanager:s:SecretString:k}}}""#,
            &[],
        ),
        (
            "{'Fn::Transform': {Name: Mine}}",
            r#"{"${what a transform adds}":${what a transform adds}}"#,
            &["transform"],
        ),
        (
            "!Transform {Name: Mine}",
            r#"{"${what a transform adds}":${what a transform adds}}"#,
            &["transform"],
        ),
        (
            "{'Fn::Rain::Embed': x}",
            "${the result of Rain::Embed}",
            &["unknown-function"],
        ),
    ]);
}

/// When a resource under the condition exists; `absent` where it never does.
fn guard(condition: &str) -> String {
    let text = AROUND
        .replace("%V%", "1")
        .replace("Conditions:\n", &format!("Conditions:\n  C: {condition}\n"));
    let found = one(&text.replace("  G: {Type", "  G: {Condition: C, Type"));
    let resource = found.resources.iter().find(|r| r.address == "G");
    resource.map_or_else(|| "absent".to_owned(), |r| r.guard.to_string())
}

#[test]
fn conditions() {
    for (condition, wanted) in [
        ("!Equals [!Ref E, prod]", "parameter E = prod"),
        ("!Equals [prod, !Ref E]", "parameter E = prod"),
        ("!Equals [!Ref E, other]", "absent"),
        ("!Equals [A, a]", "absent"),
        ("!Equals [1, '1']", ""),
        ("!Equals [true, 'true']", ""),
        ("!Not [!Equals [!Ref E, prod]]", "parameter E = dev"),
        (
            "!And [{Condition: IsProd}, !Equals [a, a]]",
            "parameter E = prod",
        ),
        ("!And [{Condition: IsProd}, {Condition: Never}]", "absent"),
        (
            "!Or [{Condition: IsProd}, {Condition: Never}]",
            "parameter E = prod",
        ),
        ("!Or [{Condition: IsProd}, !Equals [a, a]]", ""),
        (
            "!Equals [!Ref 'AWS::Region', eu-west-1]",
            "region = eu-west-1",
        ),
        ("!Equals [!FindInMap [M, a, k], '1']", ""),
        ("!Equals [!Ref E]", "condition C"),
        ("!Not []", "condition C"),
        ("!And []", "condition C"),
        ("{Condition: Gone}", "condition Gone"),
        ("!Sub x", "condition C"),
    ] {
        assert_eq!(guard(condition), wanted, "{condition}");
    }
}

/// The places and messages of what a template is told.
fn told(template: &str) -> Vec<(String, String)> {
    one(template)
        .diagnostics
        .iter()
        .map(|told| {
            let place = template.get(told.span.unwrap().range()).unwrap();
            (place.to_owned(), told.message.clone())
        })
        .collect()
}

#[test]
fn what_is_refused_is_told_at_its_place() {
    for (value, place, words) in [
        (
            "!FindInMap [Gone, a, k]",
            "!FindInMap [Gone, a, k]",
            "there is no mapping `Gone`; declare it under Mappings",
        ),
        (
            "!FindInMap [M, c, k]",
            "!FindInMap [M, c, k]",
            "the mapping `M` has no key `c` here; add it, or name one that there is (a, b)",
        ),
        (
            "[!FindInMap [M, a, z]]",
            "!FindInMap [M, a, z]",
            "the mapping `M` has no key `z` here; add it, or name one that there is (k, l)",
        ),
        (
            "!Select [3, [a, b]]",
            "!Select [3, [a, b]]",
            "Fn::Select takes item 3, counted from 0, of a list of 2; correct the index",
        ),
        (
            "!Select [x, [a, b]]",
            "!Select [x, [a, b]]",
            "the index of Fn::Select is `x`; write a number from 0",
        ),
        (
            "!Sub 'a-${Gone}'",
            "${Gone}",
            "`Gone` is neither a parameter nor a resource of this template; declare it",
        ),
        (
            "!If [Gone, a, b]",
            "Gone",
            "no condition `Gone` is declared; add it to Conditions",
        ),
        (
            "!Cidr [10.0.0.0/16, 300]",
            "!Cidr [10.0.0.0/16, 300]",
            "the count of Fn::Cidr is a number from 1 to 256; correct it",
        ),
    ] {
        let told = told(&AROUND.replace("%V%", value));
        assert_eq!(told, [(place.to_owned(), words.to_owned())], "{value}");
    }
}

#[test]
fn resources_wait_for_resources() {
    let template = "Resources:
  A: {Type: AWS::EC2::VPC, DependsOn: [B, Gone]}
  B: {Type: AWS::EC2::VPC, DependsOn: B}
  C: {Type: AWS::EC2::VPC, DependsOn: [!Ref A]}
  D: {Type: AWS::EC2::VPC, DependsOn: A}
";
    let found = told(template);
    let places: Vec<_> = found.iter().map(|(place, _)| place.as_str()).collect();
    assert_eq!(places, ["Gone", "B", "!Ref A"], "{found:?}");
    assert!(
        told(&format!("Transform: Mine\n{template}"))
            .iter()
            .all(|(place, _)| place == "Mine")
    );
    let sam = "Transform: AWS::Serverless-2016-10-31\nResources:
  F: {Type: AWS::Serverless::Function, Properties: {Handler: h, Runtime: r, CodeUri: c}}
  A: {Type: AWS::EC2::VPC, DependsOn: [FRole, F, FAliaslive]}
";
    assert_eq!(told(sam), []);
}

#[test]
fn conditions_that_nothing_uses_are_decided() {
    let found = told(
        "Conditions:
  A: !Condition Gone
  B: !Not [!Condition C]
  C: !Not [!Condition B]
  D: !Equals [!Ref R, x]
Resources:
  R: {Type: AWS::EC2::VPC}
",
    );
    let words: Vec<_> = found.iter().map(|(_, words)| words.as_str()).collect();
    assert_eq!(
        words,
        [
            "no condition `Gone` is declared; add it to Conditions",
            "the condition `C` depends on itself through `B`",
            "the condition `D` refers to the resource `R`; only parameters and mappings are known when conditions are decided",
        ]
    );
}

#[test]
fn nothing_is_refused_where_a_macro_may_mend_it() {
    for head in [
        "Transform: Mine\n",
        "Transform: {Name: AWS::Include, Parameters: {Location: 's3://b/k'}}\n",
    ] {
        let body = AROUND.replace(
            "%V%",
            "[!FindInMap [Gone, a, k], !Select [9, [a]], !Join [a]]",
        );
        let codes: Vec<_> = one(&format!("{head}{body}"))
            .diagnostics
            .iter()
            .map(|told| told.code)
            .collect();
        assert!(
            codes
                .iter()
                .all(|code| matches!(*code, "macro" | "transform")),
            "{codes:?}"
        );
    }
    let body = "Mappings:\n  Fn::Transform: {Name: AWS::Include, Parameters: {Location: 's3://b/k'}}\nResources:\n  X: {Type: AWS::SNS::Topic, Properties: {V: !FindInMap [Gone, a, k]}}\n";
    let codes: Vec<_> = one(body).diagnostics.iter().map(|told| told.code).collect();
    assert!(!codes.contains(&"unknown-mapping"), "{codes:?}");
}
