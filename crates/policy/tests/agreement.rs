//! The set engine and the point evaluator check each other on random policies and requests.
//!
//! Not for agreement with AWS: that is the oracle's. Every case follows from a seed, so that a
//! failure names the one line that repeats it.

#![expect(clippy::unwrap_used, reason = "a helper that panics fails its test")]

mod random;

use overgrant_policy::{
    Answer, Caller, Context, ContextValue, Document, Request, Stack, Verdict, engine, point,
};
use overgrant_value::{Src, Text, Val};
use proptest::prelude::*;
use random::{Dice, policy, read, seeds, statement};

const ACTIONS: [&str; 9] = [
    "s3:GetObject",
    "s3:PutObject",
    "s3:ListBucket",
    "s3:ListAllMyBuckets",
    "sqs:SendMessage",
    "sqs:ReceiveMessage",
    "iam:PassRole",
    "iam:GetRole",
    "dynamodb:GetItem",
];
const RESOURCES: [&str; 12] = [
    "arn:aws:s3:::a",
    "arn:aws:s3:::ab",
    "arn:aws:s3:::a/x",
    "arn:aws:s3:::a/x/y",
    "arn:aws:s3:::ab/x",
    "arn:aws:sqs:eu-west-1:111122223333:q",
    "arn:aws:sqs:us-east-1:111122223333:qq",
    "arn:aws:sqs:us-east-1:444455556666:q",
    "arn:aws:iam::111122223333:role/app",
    "arn:aws:iam::111122223333:role/p/app",
    "arn:aws:dynamodb:eu-west-1:111122223333:table/k",
    "*",
];
fn context(dice: &mut Dice) -> Context {
    let mut context = Context::new();
    for (key, values) in [
        ("aws:PrincipalTag/t", ["a", "ab", "b", "x"].as_slice()),
        ("aws:PrincipalTag/u", &["a", "A", "B", "c"]),
        (
            "aws:SourceIp",
            &["10.0.0.1", "10.1.2.3", "203.0.113.9", "2001:db8::1", "::1"],
        ),
        ("s3:max-keys", &["4", "5", "7.5", "9", "10", "11"]),
        ("aws:SecureTransport", &["true", "false"]),
        (
            "aws:CurrentTime",
            &[
                "2024-06-01T00:00:00Z",
                "2025-06-01T00:00:00Z",
                "2027-01-01T00:00:00Z",
            ],
        ),
        (
            "aws:SourceArn",
            &[
                "arn:aws:s3:::a",
                "arn:aws:s3:::b",
                "arn:aws:sns:eu-west-1:1:t",
                "junk",
            ],
        ),
    ] {
        if dice.chance(6) {
            context.set(key, ContextValue::One(dice.pick(values).into()));
        }
    }
    if dice.chance(6) {
        let values = (0..dice.below(3)).map(|_| dice.pick(&["a", "b", "ab"]).into());
        context.set("aws:TagKeys", ContextValue::Many(values.collect()));
    }
    context
}

/// Requests that AWS could be asked: the resource is one that the action knows.
fn request(dice: &mut Dice, caller: &str) -> Request {
    loop {
        let (action, resource) = (dice.pick(&ACTIONS), dice.pick(&RESOURCES));
        let service = action.split(':').next().unwrap();
        let object = resource.contains("s3:::") && resource.contains('/');
        let fits = match action {
            "s3:ListAllMyBuckets" => resource == "*",
            "s3:ListBucket" => resource.contains(":s3:") && !object,
            "s3:GetObject" | "s3:PutObject" => object,
            _ => resource.contains(&format!(":{service}:")),
        };
        if fits {
            return Request {
                caller: Caller::parse(caller),
                action: action.into(),
                resource: resource.into(),
                resource_account: Some("111122223333".into()),
                context: context(dice),
            };
        }
    }
}

/// Whether the stack allows it. Where it has no policy of the resource, a key has the one that leaves all
/// to the policies of its account: a question about such a stack is one about those.
fn allowed(stack: &Stack<'_>, request: &Request) -> bool {
    let delegating = read(
        r#"{"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Principal": {"AWS": "111122223333"}, "Action": "kms:*", "Resource": "*"}}"#,
    );
    let of_key = request.action.starts_with("kms:") && stack.resource.is_none();
    let stack = Stack {
        resource: if of_key {
            Some(&delegating)
        } else {
            stack.resource
        },
        ..stack.clone()
    };
    let outcome = point::decide(&stack, request);
    assert!(outcome.allowed != Answer::May, "nothing is open");
    outcome.verdict() == Verdict::Allowed
}

const USER: &str = "arn:aws:iam::111122223333:user/alice";

fn limits() -> engine::Limits {
    engine::Limits {
        axioms: false,
        steps: 400_000,
        ..engine::Limits::default()
    }
}

/// Checks one pair of stacks both ways: a witness must be one, and where there is none, no request
/// may show the opposite.
fn check(
    new: &Stack<'_>,
    old: &Stack<'_>,
    limits: &engine::Limits,
    dice: &mut Dice,
    what: &str,
) -> Answer {
    let found = engine::difference_of(new, old, limits);
    if let (Answer::Must, Some(witness)) = (found.answer, &found.witness) {
        let request = witness.request(Caller::parse(USER));
        assert!(
            allowed(new, &request),
            "{what}\nnew does not allow {witness:?}"
        );
        assert!(!allowed(old, &request), "{what}\nold allows {witness:?}");
    }
    if found.answer == Answer::No {
        for _ in 0..60 {
            let request = request(dice, USER);
            assert!(
                !allowed(new, &request) || allowed(old, &request),
                "{what}\nnew alone allows {request:?}"
            );
        }
    }
    found.answer
}

fn pair(seed: u64) -> Answer {
    let mut dice = Dice::new(seed);
    let (new, old) = (
        policy(&mut dice, true, false),
        policy(&mut dice, true, false),
    );
    let what = format!("seed {seed}\nnew {new}\nold {old}");
    let (new, old) = (read(&new), read(&old));
    let (new, old) = (Stack::identity(vec![&new]), Stack::identity(vec![&old]));
    check(&new, &old, &limits(), &mut dice, &what)
}

#[test]
fn differences_of_identity_policies() {
    let mut answers = [0_usize; 3];
    for seed in seeds(0, 1) {
        answers[pair(seed) as usize] += 1;
    }
    let [no, may, must] = answers;
    let all = no + may + must;
    assert!(no * 60 > all && must * 3 > all, "{answers:?}");
    // Whether an ARN of a whole service takes in actions without resource types is not known.
    assert!(may * 3 < all, "too many open answers: {answers:?}");
}

#[test]
fn differences_of_whole_stacks() {
    for seed in seeds(1, 4) {
        let mut dice = Dice::new(seed);
        let texts: Vec<String> = (0..8)
            .map(|index| policy(&mut dice, true, index >= 6))
            .collect();
        let what = format!("seed {seed}\n{texts:#?}");
        let documents: Vec<Document> = texts.iter().map(|text| read(text)).collect();
        let full = read(
            r#"{"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "*", "Resource": "*"}}"#,
        );
        let stack = |identity: usize, other: usize, dice: &mut Dice| Stack {
            boundary: dice.chance(5).then(|| vec![&documents[other]]),
            session: dice.chance(3).then(|| vec![&documents[other + 2]]),
            scp: if dice.chance(4) {
                vec![vec![&full], vec![&full, &documents[other + 1]]]
            } else {
                Vec::new()
            },
            resource: dice.chance(5).then(|| &documents[6 + identity]),
            ..Stack::identity(vec![&documents[identity]])
        };
        let new = stack(0, 2, &mut dice);
        let old = stack(1, 3, &mut dice);
        let limits = engine::Limits {
            caller: Some(Caller::parse(USER)),
            ..limits()
        };
        check(&new, &old, &limits, &mut dice, &what);
    }
}

#[test]
fn more_allow_is_wider_and_more_deny_is_narrower() {
    for seed in seeds(2, 4) {
        let mut dice = Dice::new(seed);
        let text = policy(&mut dice, true, false);
        let (allow, deny) = (
            statement(&mut dice, false, false),
            statement(&mut dice, false, false),
        );
        let deny = deny.replacen("Allow", "Deny", 1);
        let base = read(&text);
        let more = read(&text.replacen('[', &format!("[{allow},"), 1));
        let less = read(&text.replacen('[', &format!("[{deny},"), 1));
        let stack = |document| Stack::identity(vec![document]);
        for (narrow, wide) in [(&base, &more), (&less, &base), (&base, &base)] {
            let found = engine::difference(&stack(narrow), &stack(wide));
            assert!(
                found.answer == Answer::No || found.capped,
                "seed {seed} {text}\n{found:?}"
            );
        }
    }
}

#[test]
fn order_and_splitting_change_nothing() {
    for seed in seeds(3, 8) {
        let mut dice = Dice::new(seed);
        let statements: Vec<String> = (0..3).map(|_| statement(&mut dice, true, false)).collect();
        let text = |list: &[String]| {
            format!(
                r#"{{"Version": "2012-10-17", "Statement": [{}]}}"#,
                list.join(",")
            )
        };
        let whole = read(&text(&statements));
        let turned: Vec<String> = statements.iter().rev().cloned().collect();
        let mut turned = read(&text(&turned));
        // Each statement with a plain list of actions becomes one per action.
        let mut split = Vec::new();
        for statement in &statements {
            let json: serde_json::Value = serde_json::from_str(statement).unwrap();
            match json.get("Action") {
                Some(serde_json::Value::Array(actions)) => {
                    for action in actions {
                        let mut one = json.clone();
                        one["Action"] = action.clone();
                        split.push(one.to_string());
                    }
                }
                _ => split.push(statement.clone()),
            }
        }
        let split = read(&text(&split));
        turned.problems.clear();
        let stack = |document| Stack::identity(vec![document]);
        for other in [&turned, &split] {
            for (a, b) in [(&whole, other), (other, &whole)] {
                let found = engine::difference(&stack(a), &stack(b));
                assert!(
                    found.answer == Answer::No || found.capped,
                    "seed {seed} {found:?}"
                );
            }
        }
    }
}

#[test]
#[ignore = "prints figures"]
fn slowest() {
    let mut times: Vec<_> = seeds(0, 1)
        .map(|seed| {
            let mut dice = Dice::new(seed);
            let (new, old) = (
                policy(&mut dice, true, false),
                policy(&mut dice, true, false),
            );
            let (new, old) = (read(&new), read(&old));
            let (new, old) = (Stack::identity(vec![&new]), Stack::identity(vec![&old]));
            let start = std::time::Instant::now();
            let found = engine::difference_of(&new, &old, &limits());
            (start.elapsed(), seed, found.answer, found.capped)
        })
        .collect();
    times.sort();
    for line in times.iter().rev().take(12) {
        println!("{line:?}");
    }
    println!("median {:?}", times[times.len() / 2]);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn differences_of_any_pair(seed in any::<u64>()) {
        pair(seed);
    }

    #[test]
    fn any_text_is_a_document(text in ".{0,200}") {
        let document = Document::from_val(&Val::text(Text::known(&text), Src::none()));
        let stack = Stack::identity(vec![&document]);
        prop_assert!(engine::difference(&stack, &stack).witness.is_none());
    }
}
