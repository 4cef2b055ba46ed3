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

/// The value, written as JSON, and the codes of what was told.
fn value(yaml: &str) -> (String, Vec<&'static str>) {
    let found = one(&AROUND.replace("%V%", yaml));
    let resource = found.resources.iter().find(|r| r.address == "X").unwrap();
    let val = resource.get("V").map(|val| json::to_string(&val));
    let codes = found.diagnostics.iter().map(|told| told.code).collect();
    (val.unwrap_or_else(|| "absent".to_owned()), codes)
}

fn table(rows: &[(&str, &str, &[&str])]) {
    let mut wrong = String::new();
    for (yaml, wanted, codes) in rows {
        let (got, told) = value(yaml);
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
        ("{Ref: [P]}", "${a reference to a computed name}", &[]),
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
        ("!GetAtt B", "${an attribute without a name}", &[]),
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
        ("!Sub [!Ref P, {}]", "${a computed Fn::Sub template}", &[]),
        (
            "!Join ['-', [a, !Ref P, !Ref 'AWS::NoValue', 1]]",
            r#""a-d-1""#,
            &[],
        ),
        ("!Join [',', !Ref L]", r#""x,y""#, &[]),
        ("!Join [',', []]", r#""""#, &[]),
        ("!Join [',', !Split [':', 'a:b']]", r#""a,b""#, &[]),
        ("!Join [',', !Ref P]", r#""${Fn::Join ,(…)}""#, &[]),
        ("!Join [',']", r#""${Fn::Join ,(…)}""#, &[]),
        ("!Split ['-', a-b--c]", r#"["a","b","","c"]"#, &[]),
        ("!Split ['-', abc]", r#"["abc"]"#, &[]),
        ("!Split [', ', 'a, b']", r#"["a","b"]"#, &[]),
        ("!Split [':', !Ref Open]", "${Fn::Split :(…)}", &[]),
        ("!Select [0, [a, b]]", r#""a""#, &[]),
        ("!Select ['1', !Ref L]", r#""y""#, &[]),
        ("!Select [5, !Split [':', !GetAtt Q.Arn]]", r#""que""#, &[]),
        (
            "!Select [2, [a, b]]",
            "${an item that the list does not have}",
            &[],
        ),
        (
            "!Select [-1, [a, b]]",
            "${an item that the list does not have}",
            &[],
        ),
        (
            "!Select [x, [a, b]]",
            "${an item whose index is no number}",
            &[],
        ),
        ("!Select [0, !GetAZs '']", "${Fn::Select(…)}", &[]),
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
            &[],
        ),
        ("!FindInMap [M, a, k]", "1", &[]),
        ("!FindInMap [M, a, l]", r#"["p","q"]"#, &[]),
        (
            "!FindInMap [M, !FindInMap [M, a, k], k, {DefaultValue: z}]",
            r#""z""#,
            &[],
        ),
        ("!FindInMap [M, !Ref Open, k]", "${one of 1, 2}", &[]),
        // A default is one of the members.
        ("!FindInMap [M, !Ref K, k]", "${one of 1, 2}", &[]),
        ("!FindInMap [M, !Ref KA, k]", "2", &[]),
        ("!FindInMap [M, c, k]", "${a key that no mapping has}", &[]),
        (
            "!FindInMap [Gone, a, k]",
            "${a key that no mapping has}",
            &[],
        ),
        (
            "!FindInMap [M, a]",
            "${an Fn::FindInMap without its three keys}",
            &[],
        ),
        ("!ImportValue name", r#""${import name}""#, &[]),
        (
            "!ImportValue {'Fn::Sub': '${P}-x'}",
            r#""${import d-x}""#,
            &[],
        ),
        (
            "{'Fn::GetStackOutput': {StackName: s, OutputName: o}}",
            r#""${s.o}""#,
            &[],
        ),
    ]);
}

#[test]
fn lists_sizes_and_documents() {
    table(&[
        ("!Length [a, b, c]", "3", &[]),
        ("!Length {Ref: L}", "2", &[]),
        ("!Length {'Fn::Split': [',', 'a,b']}", "2", &[]),
        ("!Length a", "${Fn::Length(…)}", &[]),
        (
            "!ToJsonString {a: [1, !Ref P]}",
            r#""{\"a\":[1,\"d\"]}""#,
            &[],
        ),
        ("!GetAZs ''", "${Fn::GetAZs(…)}", &[]),
        ("!Cidr [10.0.0.0/16, 2, 8]", "${Fn::Cidr(…)}", &[]),
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
