//! `can` against the point evaluator on random models, and the answers around it.

use super::{Question, Verdict};
use crate::Access;
use crate::tests::{named, quoted, resource};
use overgrant_ir::{Model, Resource, lower};
use overgrant_policy::{Answer, Caller, Context, ContextValue, Document, Request, Stack, point};
use overgrant_value::{Src, Text, Val};

/// A sequence of numbers that is the same on every machine.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: usize) -> usize {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).unwrap() % sides
    }

    fn pick<'a>(&mut self, list: &[&'a str]) -> &'a str {
        list[self.roll(list.len())]
    }
}

const ACTIONS: [&str; 6] = [
    "s3:GetObject",
    "s3:Get*",
    "s3:*",
    "s3:PutObject",
    "*",
    "s3:P?tObject",
];
const RESOURCES: [&str; 5] = [
    "*",
    "arn:aws:s3:::logs/*",
    "arn:aws:s3:::logs/a/*",
    "arn:aws:s3:::logs/a/b",
    "arn:aws:s3:::other/*",
];
const CONDITIONS: [&str; 10] = [
    r#"{"Bool":{"aws:MultiFactorAuthPresent":"true"}}"#,
    r#"{"BoolIfExists":{"aws:MultiFactorAuthPresent":"false"}}"#,
    r#"{"StringEquals":{"aws:PrincipalTag/team":"red"}}"#,
    r#"{"StringLike":{"aws:PrincipalTag/team":["r*","bl?e"]}}"#,
    r#"{"StringNotEquals":{"aws:PrincipalTag/team":"red"}}"#,
    r#"{"IpAddress":{"aws:SourceIp":"10.0.0.0/8"}}"#,
    r#"{"NotIpAddress":{"aws:SourceIp":"10.1.0.0/16"}}"#,
    r#"{"NumericLessThan":{"s3:max-keys":"10"}}"#,
    r#"{"Null":{"aws:PrincipalTag/team":"true"}}"#,
    r#"{"Bool":{"aws:SecureTransport":"true"},"StringEquals":{"aws:PrincipalTag/team":"blue"}}"#,
];
const KEYS: [(&str, &[&str]); 5] = [
    ("aws:MultiFactorAuthPresent", &["true", "false"]),
    ("aws:PrincipalTag/team", &["red", "blue", "green"]),
    ("aws:SourceIp", &["10.1.2.3", "10.2.0.1", "203.0.113.9"]),
    ("s3:max-keys", &["5", "10"]),
    ("aws:SecureTransport", &["true", "false"]),
];

fn statement(dice: &mut Dice, principal: &str) -> String {
    let effect = if dice.roll(4) == 0 { "Deny" } else { "Allow" };
    let condition = if dice.roll(2) == 0 {
        format!(r#","Condition":{}"#, dice.pick(&CONDITIONS))
    } else {
        String::new()
    };
    let not = if dice.roll(8) == 0 {
        "NotResource"
    } else {
        "Resource"
    };
    format!(
        r#"{{"Effect":"{effect}"{principal},"Action":"{}","{not}":"{}"{condition}}}"#,
        dice.pick(&ACTIONS),
        dice.pick(&RESOURCES)
    )
}

fn statements(dice: &mut Dice, principal: &str) -> String {
    let count = 1 + dice.roll(3);
    let list: Vec<String> = (0..count).map(|_| statement(dice, principal)).collect();
    list.join(",")
}

fn read(statements: &str) -> Document {
    let text = format!(r#"{{"Version":"2012-10-17","Statement":[{statements}]}}"#);
    Document::from_val(&Val::text(Text::known(&text), Src::none()))
}

/// A role with policies, perhaps a boundary and a policy on the bucket.
struct Case {
    model: Model,
    identity: Vec<Document>,
    boundary: Option<Document>,
    bucket: Option<Document>,
}

fn case(dice: &mut Dice) -> Case {
    let mut resources: Vec<Resource> = Vec::new();
    let mut identity = Vec::new();
    for at in 0..1 + dice.roll(2) {
        let text = statements(dice, "");
        let attrs = format!(r#"{{"role":"r","policy":{}}}"#, quoted(&text));
        let address = format!("aws_iam_role_policy.p{at}");
        resources.push(resource("", "aws_iam_role_policy", &address, &attrs));
        identity.push(read(&text));
    }
    let boundary = (dice.roll(3) == 0).then(|| statements(dice, ""));
    let bound = boundary.as_ref().map_or("", |text| {
        let attrs = format!(r#"{{"name":"b","policy":{}}}"#, quoted(text));
        resources.push(resource("", "aws_iam_policy", "aws_iam_policy.b", &attrs));
        r#","permissions_boundary":"b""#
    });
    resources.push(resource(
        "",
        "aws_iam_role",
        "aws_iam_role.r",
        &format!(r#"{{"name":"r"{bound}}}"#),
    ));
    let bucket = (dice.roll(3) == 0).then(|| statements(dice, r#","Principal":"*""#));
    if let Some(text) = &bucket {
        let attrs = format!(r#"{{"bucket":"logs","policy":{}}}"#, quoted(text));
        resources.push(resource(
            "",
            "aws_s3_bucket_policy",
            "aws_s3_bucket_policy.b",
            &attrs,
        ));
    }
    Case {
        model: lower(resources),
        identity,
        boundary: boundary.as_deref().map(read),
        bucket: bucket.as_deref().map(read),
    }
}

#[test]
fn can_agrees_with_the_point_evaluator() {
    let mut dice = Dice(7);
    let mut seen = [0; 3];
    for round in 0..1000 {
        let case = case(&mut dice);
        let access = Access::new(&case.model);
        let action = dice.pick(&["s3:GetObject", "s3:PutObject"]);
        let on = dice.pick(&[
            "arn:aws:s3:::logs/a/b",
            "arn:aws:s3:::logs/c",
            "arn:aws:s3:::other/x",
        ]);
        let all = dice.roll(2) == 0;
        let mut given: Vec<(String, Vec<String>)> = Vec::new();
        let mut context = Context::new();
        for (key, values) in KEYS {
            if all || dice.roll(2) == 0 {
                let value = dice.pick(values);
                given.push((key.to_owned(), vec![value.to_owned()]));
                context.set(key, ContextValue::One(value.into()));
            }
        }
        let question = Question {
            action: action.to_owned(),
            resource: Some(Text::known(on)),
            context: given,
        };
        let can = access.can(named(&case.model, "r"), &question);
        let request = Request {
            caller: Caller::parse("arn:aws:iam::111122223333:role/r"),
            action: action.into(),
            resource: on.into(),
            resource_account: None,
            context,
        };
        let bucket = case
            .bucket
            .as_ref()
            .filter(|_| on.starts_with("arn:aws:s3:::logs"));
        let stack = Stack {
            boundary: case.boundary.as_ref().map(|one| vec![one]),
            resource: bucket,
            ..Stack::identity(case.identity.iter().collect())
        };
        let outcome = point::decide(&stack, &request);
        let words = || {
            format!(
                "round {round}: {question:?}\n{:?}\n{outcome:?}\n{can:?}",
                case.identity
            )
        };
        match can.verdict {
            Verdict::Yes => assert_eq!(outcome.allowed, Answer::Must, "{}", words()),
            Verdict::No => assert_eq!(outcome.allowed, Answer::No, "{}", words()),
            Verdict::Depends => assert!(!all, "nothing is left open: {}", words()),
        }
        seen[can.verdict as usize] += 1;
    }
    assert!(seen.iter().all(|count| *count > 20), "{seen:?}");
}

#[test]
fn resource_policies_let_in_and_keep_out() {
    let queue = |policy: &str| {
        let attrs = format!(r#"{{"queue_url":"orders","policy":{}}}"#, quoted(policy));
        resource("", "aws_sqs_queue_policy", "aws_sqs_queue_policy.q", &attrs)
    };
    let ask = |policy: &str, resource_of: &str| {
        let model = lower(vec![
            resource("", "aws_iam_role", "aws_iam_role.r", r#"{"name":"r"}"#),
            queue(policy),
        ]);
        let access = Access::new(&model);
        let question = Question {
            action: "sqs:SendMessage".to_owned(),
            resource: Some(Text::known(resource_of)),
            context: Vec::new(),
        };
        let outside = access.outsiders(&question.action, question.resource.as_ref().unwrap());
        (
            access.can(named(&model, "r"), &question).verdict,
            outside.len(),
        )
    };
    let orders = "arn:aws:sqs:eu-west-1:111122223333:orders";
    let anyone = r#"{"Effect":"Allow","Principal":"*","Action":"sqs:SendMessage","Resource":"*"}"#;
    assert_eq!(ask(anyone, orders), (Verdict::Yes, 1));
    assert_eq!(
        ask(anyone, "arn:aws:sqs:eu-west-1:111122223333:other"),
        (Verdict::No, 0)
    );
    let foreign =
        r#"{"Effect":"Allow","Principal":{"AWS":"444455556666"},"Action":"sqs:*","Resource":"*"}"#;
    // Who deploys is not known: the account that is let in may be the own one, which grants nothing.
    assert_eq!(ask(foreign, orders), (Verdict::No, 1));
    let service = r#"{"Effect":"Allow","Principal":{"Service":"sns.amazonaws.com"},"Action":"sqs:*","Resource":"*"}"#;
    assert_eq!(ask(service, orders), (Verdict::No, 1));
}
