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

/// A user or role with policies, perhaps with a group, a boundary, a session policy, levels of SCPs and a
/// policy on the bucket.
#[derive(Default)]
struct Case {
    resources: Vec<Resource>,
    user: bool,
    identity: Vec<Document>,
    boundary: Option<Document>,
    session: Option<Document>,
    bucket: Option<Document>,
    /// Of the account itself.
    account: Vec<Document>,
    /// Of a unit in which the account may be.
    unit: Vec<Document>,
}

const ACCOUNT: &str = "111122223333";
const EVERYTHING: &str = r#"{"Effect":"Allow","Action":"*","Resource":"*"}"#;

impl Case {
    fn add(&mut self, kind: &str, name: &str, attrs: &str) {
        let address = format!("{kind}.{name}");
        self.resources.push(resource("", kind, &address, attrs));
    }

    fn caller(&self) -> String {
        let kind = if self.user { "user" } else { "role" };
        format!("arn:aws:iam::{ACCOUNT}:{kind}/r")
    }

    fn policies(&mut self, dice: &mut Dice) {
        let kind = if self.user { "user" } else { "role" };
        for at in 0..1 + dice.roll(2) {
            let text = statements(dice, "");
            let attrs = format!(r#"{{"{kind}":"r","policy":{}}}"#, quoted(&text));
            self.add(&format!("aws_iam_{kind}_policy"), &format!("p{at}"), &attrs);
            self.identity.push(read(&text));
        }
        if self.user && dice.roll(2) == 0 {
            let text = statements(dice, "");
            let attrs = format!(r#"{{"group":"g","policy":{}}}"#, quoted(&text));
            self.add("aws_iam_group", "g", r#"{"name":"g"}"#);
            self.add("aws_iam_group_policy", "g", &attrs);
            let member = r#"{"user":"r","groups":["g"]}"#;
            self.add("aws_iam_user_group_membership", "g", member);
            self.identity.push(read(&text));
        }
    }

    fn limits(&mut self, dice: &mut Dice) {
        let kind = if self.user { "user" } else { "role" };
        let mut bound = "";
        if dice.roll(3) == 0 {
            let text = statements(dice, "");
            let attrs = format!(r#"{{"name":"b","policy":{}}}"#, quoted(&text));
            self.add("aws_iam_policy", "b", &attrs);
            self.boundary = Some(read(&text));
            bound = r#","permissions_boundary":"b""#;
        }
        let attrs = format!(r#"{{"name":"r","arn":"{}"{bound}}}"#, self.caller());
        self.add(&format!("aws_iam_{kind}"), "r", &attrs);
        if !self.user && dice.roll(3) == 0 {
            let text = statements(dice, "");
            let attrs = format!(
                r#"{{"role_arns":["{}"],"session_policy":{}}}"#,
                self.caller(),
                quoted(&text)
            );
            self.add("aws_rolesanywhere_profile", "s", &attrs);
            self.session = Some(read(&text));
        }
    }

    /// SCPs on a target; with `full`, beside `FullAWSAccess`.
    fn organization(&mut self, dice: &mut Dice, target: &str) -> Vec<Document> {
        let mut level = Vec::new();
        let mut allows = false;
        for at in 0..dice.roll(3) {
            let text = statements(dice, "");
            let name = format!("{target}-{at}");
            let attrs = format!(
                r#"{{"Name":"{name}","Type":"SERVICE_CONTROL_POLICY","Content":{{"Version":"2012-10-17","Statement":[{text}]}},"TargetIds":["{target}"]}}"#
            );
            self.add("AWS::Organizations::Policy", &name, &attrs);
            allows |= text.contains(r#""Effect":"Allow""#);
            level.push(read(&text));
        }
        let full = dice.roll(4) == 0;
        if full {
            let attrs = format!(r#"{{"policy_id":"p-FullAWSAccess","target_id":"{target}"}}"#);
            self.add("aws_organizations_policy_attachment", target, &attrs);
        }
        if full || !allows {
            level.push(read(EVERYTHING));
        }
        level
    }

    fn bucket(&mut self, dice: &mut Dice) {
        if dice.roll(3) == 0 {
            let who = ["*".to_owned(), self.caller()][dice.roll(2)].clone();
            let principal = if who == "*" {
                r#","Principal":"*""#.to_owned()
            } else {
                format!(r#","Principal":{{"AWS":"{who}"}}"#)
            };
            let text = statements(dice, &principal);
            let attrs = format!(r#"{{"bucket":"logs","policy":{}}}"#, quoted(&text));
            self.add("aws_s3_bucket_policy", "b", &attrs);
            self.bucket = Some(read(&text));
        }
    }
}

fn case(dice: &mut Dice) -> Case {
    let mut case = Case {
        user: dice.roll(3) == 0,
        ..Case::default()
    };
    case.policies(dice);
    case.limits(dice);
    case.account = case.organization(dice, ACCOUNT);
    if dice.roll(2) == 0 {
        case.unit = case.organization(dice, "ou-1234-abcdefgh");
    } else {
        case.unit.push(read(EVERYTHING));
    }
    case.bucket(dice);
    case
}

#[test]
fn can_agrees_with_the_point_evaluator() {
    let mut dice = Dice(7);
    let mut seen = [0; 3];
    for round in 0..1500 {
        let case = case(&mut dice);
        let model: Model = lower(case.resources.clone());
        let access = Access::new(&model);
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
        if case.user {
            context.set("aws:username", ContextValue::One("r".into()));
        }
        let question = Question {
            action: action.to_owned(),
            resource: Some(Text::known(on)),
            context: given,
        };
        let session = access.session("aws_rolesanywhere_profile.s");
        assert_eq!(session.is_some(), case.session.is_some());
        let can = access.can_in(named(&model, "r"), session.as_ref(), &question);
        let request = Request {
            caller: Caller::parse(&case.caller()),
            action: action.into(),
            resource: on.into(),
            resource_account: None,
            context,
        };
        let bucket = case
            .bucket
            .as_ref()
            .filter(|_| on.starts_with("arn:aws:s3:::logs"));
        // Nobody says whether the account is in the unit.
        let ask = |in_unit: bool| {
            let mut scp: Vec<Vec<&Document>> = vec![case.account.iter().collect()];
            if in_unit {
                scp.push(case.unit.iter().collect());
            }
            let stack = Stack {
                boundary: case.boundary.as_ref().map(|one| vec![one]),
                session: case.session.as_ref().map(|one| vec![one]),
                resource: bucket,
                scp,
                ..Stack::identity(case.identity.iter().collect())
            };
            point::decide(&stack, &request).allowed
        };
        let outcomes = [ask(false), ask(true)];
        let words = || format!("round {round}: {question:?}\n{outcomes:?}\n{can:?}");
        match can.verdict {
            Verdict::Yes => assert_eq!(outcomes, [Answer::Must; 2], "{}", words()),
            Verdict::No => assert_eq!(outcomes, [Answer::No; 2], "{}", words()),
            Verdict::Depends => assert!(
                !all || outcomes[0] != outcomes[1],
                "nothing is left open: {}",
                words()
            ),
        }
        seen[can.verdict as usize] += 1;
    }
    assert!(seen.iter().all(|count| *count > 20), "{seen:?}");
}

#[test]
fn allow_lists_of_the_organization_narrow() {
    let scp = |name: &str, target: &str, actions: &str| {
        let attrs = format!(
            r#"{{"Name":"{name}","Content":{{"Statement":[{{"Effect":"Allow","Action":[{actions}],"Resource":"*"}}]}},"TargetIds":["{target}"]}}"#
        );
        resource("org.yaml", "AWS::Organizations::Policy", name, &attrs)
    };
    let ask = |more: Vec<Resource>, action: &str| {
        let mut resources = vec![
            resource(
                "",
                "aws_iam_role",
                "aws_iam_role.r",
                r#"{"name":"r","arn":"arn:aws:iam::111122223333:role/r"}"#,
            ),
            resource(
                "",
                "aws_iam_role_policy",
                "aws_iam_role_policy.r",
                &format!(r#"{{"role":"r","policy":{}}}"#, quoted(EVERYTHING)),
            ),
        ];
        resources.extend(more);
        let model = lower(resources);
        let access = Access::new(&model);
        let id = named(&model, "r");
        let question = Question {
            action: action.to_owned(),
            resource: Some(Text::known("*")),
            context: Vec::new(),
        };
        let decision = access.allows(id, action, Some(&Text::known("*")));
        let verdict = access.can(id, &question).verdict;
        let listed = access.grants(id).iter().any(|one| one.service == "sqs");
        (verdict, decision.answer, listed)
    };
    let s3 = r#""s3:*""#;
    let own = || scp("own", ACCOUNT, s3);
    assert_eq!(ask(vec![own()], "s3:ListAllMyBuckets").0, Verdict::Yes);
    assert_eq!(
        ask(vec![own()], "sqs:ListQueues"),
        (Verdict::No, Answer::No, false)
    );
    let more = scp("more", ACCOUNT, r#""sqs:*""#);
    assert_eq!(
        ask(vec![own(), more], "sqs:ListQueues"),
        (Verdict::Yes, Answer::Must, true),
        "one level allows what any of its policies does"
    );
    let unit = scp("unit", "ou-1234-abcdefgh", s3);
    assert_eq!(
        ask(vec![unit], "sqs:ListQueues"),
        (Verdict::Depends, Answer::May, true),
        "nobody says that the account is in the unit"
    );
    let full = resource(
        "",
        "aws_organizations_policy_attachment",
        "full",
        r#"{"policy_id":"p-FullAWSAccess","target_id":"111122223333"}"#,
    );
    assert_eq!(ask(vec![own(), full], "sqs:ListQueues").0, Verdict::Yes);
    let other = scp("other", "999999999999", s3);
    assert_eq!(ask(vec![other], "sqs:ListQueues").0, Verdict::Yes);
}

#[test]
fn sessions_are_narrowed_by_their_policies() {
    let role = r#"{"name":"r"}"#;
    let rights = format!(r#"{{"role":"r","policy":{}}}"#, quoted(EVERYTHING));
    let read = quoted(r#"{"Effect":"Allow","Action":"s3:Get*","Resource":"*"}"#);
    let provider = format!(r#"{{"assume_role":[{{"role_arn":"r","policy":{read}}}]}}"#);
    let managed = r#"{"assume_role":[{"role_arn":"r","policy_arns":["arn:aws:iam::aws:policy/AmazonSQSReadOnlyAccess"]}]}"#;
    let unknown = r#"{"assume_role":[{"role_arn":"r","policy_arns":["arn:aws:iam::111122223333:policy/gone"]}]}"#;
    let plain = r#"{"assume_role":[{"role_arn":"r"}]}"#;
    let user = format!(r#"{{"Role":"r","Policy":{read}}}"#);
    for (kind, attrs, action, verdict) in [
        (
            "provider.aws",
            provider.as_str(),
            "s3:GetObject",
            Verdict::Yes,
        ),
        ("provider.aws", &provider, "s3:PutObject", Verdict::No),
        ("provider.aws", managed, "sqs:ListQueues", Verdict::Yes),
        ("provider.aws", managed, "sqs:SendMessage", Verdict::No),
        ("provider.aws", unknown, "s3:GetObject", Verdict::Depends),
        ("provider.aws", plain, "s3:PutObject", Verdict::Yes),
        ("AWS::Transfer::User", &user, "s3:GetObject", Verdict::Yes),
        ("AWS::Transfer::User", &user, "s3:PutObject", Verdict::No),
    ] {
        let model = lower(vec![
            resource("", "aws_iam_role", "aws_iam_role.r", role),
            resource("", "aws_iam_role_policy", "p", &rights),
            resource("", kind, "start", attrs),
        ]);
        let access = Access::new(&model);
        let question = Question {
            action: action.to_owned(),
            resource: Some(Text::known("*")),
            context: Vec::new(),
        };
        let session = access.session("start").unwrap();
        let can = access.can_in(session.identity, Some(&session), &question);
        assert_eq!(can.verdict, verdict, "{kind} {attrs} {action}: {can:?}");
        let own = access.can(session.identity, &question);
        assert_eq!(own.verdict, Verdict::Yes, "the role itself is not narrowed");
    }
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
