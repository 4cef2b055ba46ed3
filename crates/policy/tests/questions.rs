//! The questions on small policies, answer by answer.
//!
//! Not for agreement with the point evaluator (see `agreement.rs`).

use overgrant_policy::engine::{
    Difference, Zone, allows, covers, dead_statements, difference, external, normalise, public,
    redundant_statements, usable,
};
use overgrant_policy::{Answer, Document, Stack};
use overgrant_value::{Marks, Src, Sym, Text, Val};
fn document(statements: &str) -> Document {
    let text = format!(r#"{{"Version": "2012-10-17", "Statement": [{statements}]}}"#);
    let document = Document::from_val(&Val::text(Text::known(&text), Src::none()));
    assert_eq!(document.problems, [], "{statements}");
    document
}

fn allow(action: &str, resource: &str) -> Document {
    document(&format!(
        r#"{{"Effect": "Allow", "Action": {action}, "Resource": {resource}}}"#
    ))
}

fn compare(new: &Document, old: &Document) -> Difference {
    difference(&Stack::identity(vec![new]), &Stack::identity(vec![old]))
}

#[test]
fn narrower_policies_add_nothing() {
    let wide = allow(r#""s3:*""#, r#""arn:aws:s3:::logs/*""#);
    let narrow = allow(
        r#"["s3:GetObject", "s3:Put*"]"#,
        r#""arn:aws:s3:::logs/app/*""#,
    );
    assert_eq!(compare(&narrow, &wide).answer, Answer::No);
    let more = compare(&wide, &narrow);
    assert_eq!(more.answer, Answer::Must);
    let witness = more.witness.unwrap();
    assert!(
        witness.resource.starts_with("arn:aws:s3:::logs/"),
        "{witness:?}"
    );
    assert_eq!(witness.by[0].statement, 0);
}

#[test]
fn what_may_not_be_in_force_leaves_it_open() {
    let doubtful = |statements: &str| {
        let mut document = document(statements);
        for statement in &mut document.statements {
            statement.marks = statement.marks.with(Marks::MAYBE);
        }
        document
    };
    let wide = allow(r#""s3:*""#, r#""*""#);
    let narrow = allow(r#""s3:GetObject""#, r#""arn:aws:s3:::logs/*""#);
    let deny = doubtful(r#"{"Effect": "Deny", "Action": "*", "Resource": "arn:aws:s3:::logs/*"}"#);
    let under = Stack::identity(vec![&wide, &deny]);
    let asked = Stack::identity(vec![&narrow]);
    assert_eq!(
        difference(&asked, &under).answer,
        Answer::May,
        "the Deny may take it"
    );
    let maybe = doubtful(r#"{"Effect": "Allow", "Action": "s3:*", "Resource": "*"}"#);
    let found = allows(&Stack::identity(vec![&maybe]), &narrow);
    assert_eq!(found.answer, Answer::May, "no other statement allows it");
    assert_eq!(difference(&asked, &asked).answer, Answer::No);
}

#[test]
fn unions_and_complements_are_exact() {
    let star = allow(r#""sqs:*""#, r#""*""#);
    let halves = document(
        r#"{"Effect": "Allow", "Action": "sqs:*", "NotResource": "arn:aws:sqs:*:*:a*"},
           {"Effect": "Allow", "Action": "sqs:*", "Resource": ["arn:aws:sqs:*:*:a*", "*"]}"#,
    );
    assert_eq!(compare(&star, &halves).answer, Answer::No);
    let not = document(r#"{"Effect": "Allow", "NotAction": "iam:*", "Resource": "*"}"#);
    let all = allow(r#""*""#, r#""*""#);
    assert_eq!(compare(&not, &all).answer, Answer::No);
    let witness = compare(&all, &not).witness.unwrap();
    assert!(witness.action.starts_with("iam:"), "{witness:?}");
}

#[test]
fn a_deny_takes_back() {
    let all = allow(r#""s3:*""#, r#""*""#);
    let kept = document(
        r#"{"Effect": "Allow", "Action": "s3:*", "Resource": "*"},
           {"Effect": "Deny", "Action": "s3:Delete*", "Resource": "arn:aws:s3:::keep/*"}"#,
    );
    assert_eq!(compare(&kept, &all).answer, Answer::No);
    let back = compare(&all, &kept);
    assert_eq!(back.answer, Answer::Must);
    let witness = back.witness.unwrap();
    assert!(witness.action.starts_with("s3:Delete"), "{witness:?}");
    assert!(
        witness.resource.starts_with("arn:aws:s3:::keep/"),
        "{witness:?}"
    );
}

#[test]
fn conditions_are_compared_by_value() {
    let when = |json: &str| {
        document(&format!(
            r#"{{"Effect": "Allow", "Action": "s3:GetObject", "Resource": "*", "Condition": {json}}}"#
        ))
    };
    let free = allow(r#""s3:GetObject""#, r#""*""#);
    for (new, old, wanted) in [
        (
            r#"{"IpAddress": {"aws:SourceIp": "10.1.0.0/16"}}"#,
            r#"{"IpAddress": {"aws:SourceIp": "10.0.0.0/8"}}"#,
            Answer::No,
        ),
        (
            r#"{"IpAddress": {"aws:SourceIp": "10.0.0.0/8"}}"#,
            r#"{"IpAddress": {"aws:SourceIp": ["10.0.0.0/9", "10.128.0.0/9"]}}"#,
            Answer::No,
        ),
        (
            r#"{"IpAddress": {"aws:SourceIp": "10.0.0.0/8"}}"#,
            r#"{"IpAddress": {"aws:SourceIp": "10.0.0.0/9"}}"#,
            Answer::Must,
        ),
        (
            r#"{"NumericLessThan": {"s3:max-keys": "10"}}"#,
            r#"{"NumericLessThanEquals": {"s3:max-keys": "10"}}"#,
            Answer::No,
        ),
        (
            r#"{"NumericLessThanEquals": {"s3:max-keys": "10"}}"#,
            r#"{"NumericLessThan": {"s3:max-keys": "10"}}"#,
            Answer::Must,
        ),
        (
            r#"{"StringLike": {"aws:PrincipalTag/t": "ab*"}}"#,
            r#"{"StringLike": {"aws:PrincipalTag/t": ["a*"]}}"#,
            Answer::No,
        ),
        (
            r#"{"StringLike": {"aws:PrincipalTag/t": "a*"}}"#,
            r#"{"StringNotLike": {"aws:PrincipalTag/t": "b*"}}"#,
            Answer::No,
        ),
        (
            r#"{"StringEqualsIfExists": {"aws:PrincipalTag/t": "a"}}"#,
            r#"{"StringEquals": {"aws:PrincipalTag/t": "a"}}"#,
            Answer::Must,
        ),
        (
            r#"{"ForAllValues:StringEquals": {"aws:TagKeys": ["a"]}, "Null": {"aws:TagKeys": "false"}}"#,
            r#"{"ForAllValues:StringEquals": {"aws:TagKeys": ["a", "b"]}}"#,
            Answer::No,
        ),
        (
            r#"{"ForAllValues:StringEquals": {"aws:TagKeys": ["a"]}}"#,
            r#"{"ForAnyValue:StringEquals": {"aws:TagKeys": ["a"]}}"#,
            Answer::Must,
        ),
        (
            r#"{"Bool": {"aws:SecureTransport": "true"}}"#,
            r#"{"Bool": {"aws:SecureTransport": ["true", "false"]}}"#,
            Answer::No,
        ),
        (
            r#"{"DateLessThan": {"aws:CurrentTime": "2025-01-01T00:00:00Z"}}"#,
            r#"{"DateLessThan": {"aws:CurrentTime": "2026"}}"#,
            Answer::No,
        ),
    ] {
        let found = compare(&when(new), &when(old));
        assert_eq!(found.answer, wanted, "{new} {old} {found:?}");
        assert_eq!(compare(&when(new), &free).answer, Answer::No, "{new}");
    }
}

#[test]
fn keys_that_are_always_there_are_not_absent() {
    let if_exists = document(
        r#"{"Effect": "Allow", "Action": "s3:GetObject", "Resource": "*",
            "Condition": {"StringEqualsIfExists": {"aws:RequestedRegion": "eu-west-1"}}}"#,
    );
    let plain = document(
        r#"{"Effect": "Allow", "Action": "s3:GetObject", "Resource": "*",
            "Condition": {"StringEquals": {"aws:RequestedRegion": "eu-west-1"}}}"#,
    );
    assert_eq!(compare(&if_exists, &plain).answer, Answer::No);
}

#[test]
fn resources_count_within_their_domain_only() {
    // No object has an ARN without a slash.
    let bucket = allow(r#""s3:GetObject""#, r#""arn:aws:s3:::b""#);
    let nothing = allow(r#""s3:ListBucket""#, r#""arn:aws:s3:::c""#);
    assert_eq!(compare(&bucket, &nothing).answer, Answer::No);
    assert_eq!(dead_statements(&bucket), [0]);
    assert_eq!(dead_statements(&nothing), Vec::<usize>::new());
}

#[test]
fn a_deny_of_something_else_leaves_open_parts_equal() {
    let account = |before: &str, after: &str| {
        Text::known(before)
            .concat(&Text::hole(Sym::Account, Src::none()))
            .concat(&Text::known(after))
    };
    let one = |effect: &str, action: &str, resource: Text| {
        let text = |text: &str| Val::str(text, Src::none());
        let fields = vec![
            ("Effect", text(effect)),
            ("Action", text(action)),
            ("Resource", Val::text(resource, Src::none())),
        ];
        Val::object(fields, Src::none())
    };
    let of = |statements: Vec<Val>| {
        let fields = vec![
            ("Version", Val::str("2012-10-17", Src::none())),
            ("Statement", Val::tuple(statements, Src::none())),
        ];
        Document::from_val(&Val::object(fields, Src::none()))
    };
    let queue = |name: &str| account("arn:aws:sqs:eu-west-1:", &format!(":{name}"));
    let asked = of(vec![one("Allow", "sqs:SendMessage", queue("jobs"))]);
    let with = |action: &str, resource: Text| {
        let held = of(vec![
            one("Allow", "sqs:SendMessage", queue("jobs")),
            one("Deny", action, resource),
        ]);
        compare(&asked, &held).answer
    };
    // Nothing is lost by what speaks of other actions, or of other queues.
    assert_eq!(with("sqs:DeleteQueue", Text::known("*")), Answer::No);
    assert_eq!(with("s3:*", Text::known("*")), Answer::No);
    assert_eq!(with("sqs:*", queue("other")), Answer::No);
    assert_eq!(with("sqs:*", account("", ":jobs")), Answer::No, "no ARN");
    // A complement that leaves out what is asked for, and a boundary that allows it too.
    let both = |limit: &Document| {
        let stack = Stack {
            boundary: Some(vec![limit]),
            ..Stack::identity(vec![&asked])
        };
        difference(&Stack::identity(vec![&asked]), &stack).answer
    };
    assert_eq!(both(&allow(r#""sqs:*""#, r#""*""#)), Answer::No);
    assert_eq!(both(&asked), Answer::No);
    assert_ne!(both(&allow(r#""s3:*""#, r#""*""#)), Answer::No);
    let denied = Val::object(
        vec![
            ("Effect", Val::str("Deny", Src::none())),
            ("Action", Val::str("sqs:*", Src::none())),
            ("NotResource", Val::text(queue("jobs"), Src::none())),
        ],
        Src::none(),
    );
    let held = of(vec![one("Allow", "sqs:SendMessage", queue("jobs")), denied]);
    assert_eq!(compare(&asked, &held).answer, Answer::No);
    // What is denied as a whole is surely denied.
    let denied = of(vec![
        one("Allow", "sqs:*", Text::known("*")),
        one("Deny", "sqs:*", queue("jobs")),
    ]);
    let left = |within: &Document| allows(&Stack::identity(vec![&denied]), within).answer;
    assert_eq!(left(&asked), Answer::No);
    assert_eq!(
        left(&of(vec![one("Allow", "sqs:SendMessage", queue("other"))])),
        Answer::Must
    );
    // It may be the same queue.
    assert_ne!(with("sqs:*", queue("job?")), Answer::No);
    assert_ne!(with("sqs:Send*", Text::known("*")), Answer::No);
    let named = Text::known("arn:aws:sqs:eu-west-1:111122223333:jobs");
    assert_ne!(with("sqs:*", named), Answer::No);
    let variable = Text::known("arn:aws:sqs:*:*:${aws:username}");
    assert_ne!(with("sqs:*", variable), Answer::No);
}

#[test]
fn holes_are_equal_to_themselves() {
    let hole = |name: &str, tail: &str| {
        let sym = Sym::Attr {
            root: "r".into(),
            addr: name.into(),
            path: "arn".into(),
        };
        let text = Text::hole(sym, Src::none()).concat(&Text::known(tail));
        let val = Val::object(
            vec![
                ("Version", Val::str("2012-10-17", Src::none())),
                (
                    "Statement",
                    Val::object(
                        vec![
                            ("Effect", Val::str("Allow", Src::none())),
                            ("Action", Val::str("s3:GetObject", Src::none())),
                            ("Resource", Val::text(text, Src::none())),
                        ],
                        Src::none(),
                    ),
                ),
            ],
            Src::none(),
        );
        Document::from_val(&val)
    };
    let objects = hole("aws_s3_bucket.b", "/*");
    let logs = hole("aws_s3_bucket.b", "/logs/*");
    let other = hole("aws_s3_bucket.c", "/*");
    let star = allow(r#""s3:GetObject""#, r#""arn:aws:s3:::*""#);
    assert_eq!(compare(&objects, &objects).answer, Answer::No);
    assert_eq!(compare(&logs, &objects).answer, Answer::No);
    assert_eq!(compare(&objects, &logs).answer, Answer::Must);
    assert_eq!(compare(&other, &objects).answer, Answer::May);
    assert_eq!(compare(&star, &objects).answer, Answer::Must);
    assert_eq!(compare(&objects, &star).answer, Answer::May);
    let any = allow(r#""s3:*""#, r#""*""#);
    assert_eq!(compare(&objects, &any).answer, Answer::No);
}

#[test]
fn stacks_are_compared_whole() {
    let all = allow(r#""*""#, r#""*""#);
    let s3 = allow(r#""s3:*""#, r#""*""#);
    let capped = Stack {
        boundary: Some(vec![&s3]),
        ..Stack::identity(vec![&all])
    };
    let plain = Stack::identity(vec![&s3]);
    assert_eq!(difference(&capped, &plain).answer, Answer::No);
    assert_eq!(difference(&plain, &capped).answer, Answer::No);
    assert_eq!(covers(&capped, &s3), Answer::Must);
    assert_eq!(covers(&capped, &all), Answer::No);
    let pass = allow(r#""iam:PassRole""#, r#""*""#);
    assert_eq!(allows(&capped, &pass).answer, Answer::No);
    assert_eq!(
        allows(&Stack::identity(vec![&all]), &pass).answer,
        Answer::Must
    );
}

#[test]
fn who_may_come_from_outside() {
    let policy = |principal: &str, condition: &str| {
        document(&format!(
            r#"{{"Effect": "Allow", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::b/*",
                "Principal": {principal}, "Condition": {condition}}}"#
        ))
    };
    for (principal, condition, wanted) in [
        (r#""*""#, "{}", Answer::Must),
        (
            r#"{"AWS": "*"}"#,
            r#"{"StringLike": {"aws:Referer": "https://x/*"}}"#,
            Answer::Must,
        ),
        (
            r#""*""#,
            r#"{"StringEquals": {"aws:PrincipalOrgID": "o-1"}}"#,
            Answer::No,
        ),
        (
            r#""*""#,
            r#"{"StringLike": {"aws:PrincipalOrgID": "o-*"}}"#,
            Answer::Must,
        ),
        (
            r#""*""#,
            r#"{"StringEqualsIfExists": {"aws:PrincipalOrgID": "o-1"}}"#,
            Answer::Must,
        ),
        (
            r#""*""#,
            r#"{"IpAddress": {"aws:SourceIp": "203.0.113.0/24"}}"#,
            Answer::No,
        ),
        (
            r#""*""#,
            r#"{"IpAddress": {"aws:SourceIp": "0.0.0.0/0"}}"#,
            Answer::Must,
        ),
        (
            r#""*""#,
            r#"{"NotIpAddress": {"aws:SourceIp": "203.0.113.0/24"}}"#,
            Answer::Must,
        ),
        (
            r#""*""#,
            r#"{"StringEquals": {"aws:SourceVpce": "vpce-1"}}"#,
            Answer::No,
        ),
        (r#"{"AWS": "111122223333"}"#, "{}", Answer::No),
        (r#"{"Service": "sns.amazonaws.com"}"#, "{}", Answer::No),
    ] {
        let policy = policy(principal, condition);
        let stack = Stack::resource(&policy);
        let found = public(&stack);
        assert_eq!(found.answer, wanted, "{principal} {condition} {found:?}");
    }
    let named = policy(r#"{"AWS": ["111122223333", "444455556666"]}"#, "{}");
    let stack = Stack::resource(&named);
    let zone = Zone {
        accounts: vec!["111122223333".into()],
    };
    let found = external(&stack, &zone);
    assert_eq!(found.answer, Answer::Must);
    assert_eq!(
        found.witnesses[0].principal.as_deref(),
        Some("444455556666")
    );
    let own = policy(r#"{"AWS": "111122223333"}"#, "{}");
    assert_eq!(external(&Stack::resource(&own), &zone).answer, Answer::No);
    let closed = document(
        r#"{"Effect": "Allow", "Action": "s3:*", "Resource": "*", "Principal": "*"},
           {"Effect": "Deny", "Action": "s3:*", "Resource": "*", "Principal": "*",
            "Condition": {"StringNotEquals": {"aws:PrincipalOrgID": "o-1"}}}"#,
    );
    let stack = Stack::resource(&closed);
    assert_eq!(public(&stack).answer, Answer::No, "the Deny closes it");
    assert_eq!(closed.is_public_by_text(), Answer::Must, "S3 does not look");
}

#[test]
fn redundant_and_equal_statements() {
    let document = document(
        r#"{"Effect": "Allow", "Action": "s3:*", "Resource": "*"},
           {"Effect": "Allow", "Action": "s3:Get*", "Resource": "arn:aws:s3:::b/*"},
           {"Effect": "Deny", "Action": "iam:*", "Resource": "*"},
           {"Effect": "Deny", "Action": "s3:PutObject", "Resource": "*"}"#,
    );
    assert_eq!(redundant_statements(&document), [1, 2]);
    let a = allow(
        r#"["s3:Get*", "S3:GetObject"]"#,
        r#"["arn:aws:s3:::b/*", "*"]"#,
    );
    let b = allow(r#""s3:get*""#, r#""*""#);
    assert_eq!(normalise(&a), normalise(&b));
}

/// The launch of an instance, and what of it is missing.
fn launch(statements: &str) -> (Answer, Vec<String>) {
    let policy = document(statements);
    let found = usable(&Stack::identity(vec![&policy]), "EC2:runinstances");
    let missing = found.missing().map(|part| part.types.join("|")).collect();
    (found.answer, missing)
}

#[test]
fn a_call_needs_every_resource_that_it_touches() {
    let run = |resources: &str| {
        launch(&format!(
            r#"{{"Effect": "Allow", "Action": "ec2:Run*", "Resource": {resources}}}"#
        ))
    };
    assert_eq!(run(r#""*""#), (Answer::Must, vec![]));
    let (answer, missing) = run(r#""arn:aws:ec2:*:*:instance/*""#);
    assert_eq!(answer, Answer::No);
    assert_eq!(
        missing,
        [
            "image",
            "network-interface",
            "security-group",
            "subnet",
            "volume"
        ]
    );
    let most = r#"["arn:aws:ec2:*::image/ami-1", "arn:aws:ec2:eu-west-1:*:instance/*",
        "arn:aws:ec2:*:*:network-interface/*", "arn:aws:ec2:*:*:s*"]"#;
    // Some images need no volume.
    assert_eq!(run(most), (Answer::May, vec!["volume".to_owned()]));
    // In the partition that the policy is for.
    let china = run(r#""arn:aws-cn:ec2:*:*:*""#);
    assert_eq!(china, (Answer::Must, vec![]));
    // Several statements give it together, on conditions that can hold, and a Deny takes it back.
    let together = r#"{"Effect": "Allow", "Action": "ec2:*", "Resource": "arn:aws:ec2:*::image/*",
            "Condition": {"StringEquals": {"ec2:Owner": "amazon"}}},
        {"Effect": "Allow", "NotAction": "iam:*", "NotResource": "arn:aws:ec2:*::image/*"}"#;
    assert_eq!(launch(together), (Answer::Must, vec![]));
    let denied = format!(
        r#"{together}, {{"Effect": "Deny", "Action": "*", "Resource": "arn:aws:ec2:*:*:subnet/*"}}"#
    );
    assert_eq!(launch(&denied), (Answer::No, vec!["subnet".to_owned()]));
}

#[test]
fn a_call_needs_every_action_that_it_is_authorised_for() {
    for (statements, call, wanted) in [
        (
            r#"{"Effect": "Allow", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::from/*"}"#,
            "s3:CopyObject",
            Answer::No,
        ),
        (
            r#"{"Effect": "Allow", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::from/*"},
               {"Effect": "Allow", "Action": "s3:PutObject", "Resource": "arn:aws:s3:::to/*"}"#,
            "s3:CopyObject",
            Answer::Must,
        ),
        (
            r#"{"Effect": "Allow", "Action": "lambda:*", "Resource": "*"}"#,
            "lambda:CreateFunction",
            Answer::No,
        ),
        (
            r#"{"Effect": "Allow", "Action": ["lambda:*", "iam:PassRole"], "Resource": "*"}"#,
            "lambda:CreateFunction",
            Answer::Must,
        ),
        // One of two types is enough.
        (
            r#"{"Effect": "Allow", "Action": "ssm:SendCommand", "Resource":
                ["arn:aws:ssm:*:*:document/*", "arn:aws:ec2:*:*:instance/i-1"]}"#,
            "ssm:SendCommand",
            Answer::Must,
        ),
        // Not in the table: any one resource.
        (
            r#"{"Effect": "Allow", "Action": "s3:*", "Resource": "arn:aws:s3:::b/*"}"#,
            "s3:GetObject",
            Answer::Must,
        ),
        (
            r#"{"Effect": "Allow", "Action": "s3:*", "Resource": "arn:aws:s3:::b"}"#,
            "s3:GetObject",
            Answer::No,
        ),
    ] {
        let policy = document(statements);
        let found = usable(&Stack::identity(vec![&policy]), call);
        assert_eq!(found.answer, wanted, "{call} {statements}");
    }
}
