//! Laws that the set engine keeps for any policy.
//!
//! Not for single answers. A failure names the seed that repeats it.

#![expect(clippy::unwrap_used, reason = "a helper that panics fails its test")]

mod random;

use overgrant_policy::{Answer, Document, Stack, engine};
use overgrant_value::{Src, Sym, Text, Val};
use proptest::prelude::*;
use random::{Dice, policy, read, seeds, statement};

fn compare(new: &Document, old: &Document) -> engine::Difference {
    engine::difference(&Stack::identity(vec![new]), &Stack::identity(vec![old]))
}

/// Whether nothing new is shown: `No`, or a search that was cut short.
fn adds_nothing(new: &Document, old: &Document) -> bool {
    let found = compare(new, old);
    found.answer == Answer::No || found.capped
}

fn document(statements: &[&str]) -> Document {
    read(&format!(
        r#"{{"Version": "2012-10-17", "Statement": [{}]}}"#,
        statements.join(",")
    ))
}

/// A policy whose text has `HOLE` somewhere, with an open part or a text in its place.
fn filled(json: &str, with: Option<&str>) -> Document {
    let sym = || Sym::Attr {
        root: "r".into(),
        addr: "aws_thing.x".into(),
        path: "name".into(),
    };
    let mut text = Text::known("");
    for (index, part) in json.split("HOLE").enumerate() {
        if index > 0 {
            text = match with {
                Some(with) => text.concat(&Text::known(with)),
                None => text.concat(&Text::hole(sym(), Src::none())),
            };
        }
        text = text.concat(&Text::known(part));
    }
    Document::from_val(&Val::text(text, Src::none()))
}

#[test]
fn covering_is_transitive() {
    for seed in seeds(10, 10) {
        let mut dice = Dice::new(seed);
        let lists: Vec<String> = (0..3).map(|_| statement(&mut dice, false, false)).collect();
        let parts: Vec<&str> = lists.iter().map(String::as_str).collect();
        let (one, two, three) = (
            document(&parts[..1]),
            document(&parts[..2]),
            document(&parts),
        );
        assert!(
            adds_nothing(&one, &two) && adds_nothing(&two, &three),
            "{seed}"
        );
        assert!(adds_nothing(&one, &three), "{seed}");
        let other = read(&policy(&mut dice, true, false));
        if compare(&three, &other).answer == Answer::No {
            assert!(adds_nothing(&one, &other), "{seed}");
        }
    }
}

#[test]
fn a_list_and_its_complement_are_everything() {
    for seed in seeds(11, 10) {
        let mut dice = Dice::new(seed);
        let actions = dice.list(&["s3:*", "s3:Get*", "i?m:*Role", "sqs:*", "*:Get*"], 2);
        let resources = dice.list(
            &[
                "arn:aws:s3:::a*",
                "arn:aws:s3:::*/x",
                "arn:aws:iam::*:role/?",
            ],
            2,
        );
        let all = document(&[r#"{"Effect": "Allow", "Action": "*", "Resource": "*"}"#]);
        let by_action = document(&[
            &format!(r#"{{"Effect": "Allow", "Action": {actions}, "Resource": "*"}}"#),
            &format!(r#"{{"Effect": "Allow", "NotAction": {actions}, "Resource": "*"}}"#),
        ]);
        let by_resource = document(&[
            &format!(r#"{{"Effect": "Allow", "Action": "*", "Resource": {resources}}}"#),
            &format!(r#"{{"Effect": "Allow", "Action": "*", "NotResource": {resources}}}"#),
        ]);
        let nothing = document(&[
            r#"{"Effect": "Allow", "Action": "*", "Resource": "*"}"#,
            &format!(r#"{{"Effect": "Deny", "Action": {actions}, "Resource": "*"}}"#),
            &format!(r#"{{"Effect": "Deny", "NotAction": {actions}, "Resource": "*"}}"#),
        ]);
        for split in [&by_action, &by_resource] {
            assert!(
                adds_nothing(&all, split) && adds_nothing(split, &all),
                "{seed}"
            );
        }
        let none = Stack::default();
        let left = engine::difference(&Stack::identity(vec![&nothing]), &none);
        assert!(left.answer == Answer::No || left.capped, "{seed} {left:?}");
    }
}

#[test]
fn a_condition_never_widens_an_allow() {
    for seed in seeds(12, 5) {
        let mut dice = Dice::new(seed);
        let plain = statement(&mut dice, false, false);
        let mut json: serde_json::Value = serde_json::from_str(&plain).unwrap();
        let conditions = json.as_object_mut().unwrap().remove("Condition");
        let free = document(&[&json.to_string()]);
        let condition = conditions.unwrap_or_else(
            || serde_json::json!({"StringLike": {"aws:PrincipalTag/t": ["a*", "b"]}}),
        );
        json.as_object_mut()
            .unwrap()
            .insert("Condition".to_owned(), condition);
        let narrowed = document(&[&json.to_string()]);
        assert!(adds_nothing(&narrowed, &free), "{seed} {plain}");
    }
}

/// What holds with an open part holds with each text in its place; what cannot be with it cannot be
/// with any. (For values with which the ARN is one of a resource type: of others nothing is claimed.)
#[test]
fn any_value_of_a_hole_stays_within_the_answers() {
    let shapes = [
        "arn:aws:s3:::HOLE/*",
        "arn:aws:s3:::a/HOLE",
        "arn:aws:sqs:*:111122223333:HOLE",
    ];
    for seed in seeds(13, 5) {
        let mut dice = Dice::new(seed);
        let shape = dice.pick(&shapes);
        let json = format!(
            r#"{{"Version": "2012-10-17", "Statement": {{"Effect": "{}", "Action": {}, "Resource": ["{shape}"]}}}}"#,
            if dice.chance(7) { "Allow" } else { "Deny" },
            dice.list(&["s3:GetObject", "s3:*", "sqs:SendMessage", "*"], 2),
        );
        let other = read(&policy(&mut dice, true, false));
        let open = filled(&json, None);
        for statement in &open.statements {
            assert!(
                statement
                    .actions
                    .may()
                    .is_superset(&statement.actions.must())
            );
        }
        for value in ["a", "ab", "q", "x/y"] {
            let closed = filled(&json, Some(value));
            for (general, special) in [
                (compare(&open, &other), compare(&closed, &other)),
                (compare(&other, &open), compare(&other, &closed)),
            ] {
                let what = format!("{seed} {json} with {value}\n{general:?}\n{special:?}");
                if general.capped || special.capped {
                    continue;
                }
                match general.answer {
                    Answer::Must => assert_ne!(special.answer, Answer::No, "{what}"),
                    Answer::No => assert_ne!(special.answer, Answer::Must, "{what}"),
                    Answer::May => {}
                }
            }
        }
    }
}

/// Bytes of a policy with some of them changed.
fn mutated(seed: u64, changes: usize) -> Vec<u8> {
    let mut dice = Dice::new(seed);
    let mut bytes = policy(&mut dice, true, true).into_bytes();
    const BYTES: &[u8] = b"{}[]\":,*?$ \\u0x\xff\x00truefalsenull-1e9";
    for _ in 0..changes {
        let at = dice.below(bytes.len().saturating_sub(1));
        let byte = BYTES.get(dice.below(BYTES.len())).copied().unwrap_or(b' ');
        match dice.below(3) {
            0 => bytes.insert(at, byte),
            1 => {
                bytes.remove(at);
            }
            _ => {
                bytes.remove(at);
                bytes.insert(at, byte);
            }
        }
    }
    bytes
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, failure_persistence: None, ..ProptestConfig::default() })]

    /// Whatever the bytes are, there is a document, its problems have words, and it equals itself.
    #[test]
    fn any_bytes_are_a_document(seed in any::<u64>(), changes in 0_usize..12, noise in any::<Vec<u8>>()) {
        for bytes in [mutated(seed, changes), noise] {
            let text = String::from_utf8_lossy(&bytes);
            let document = Document::from_val(&Val::text(Text::known(&text), Src::none()));
            let stack = Stack::identity(vec![&document]);
            prop_assert!(engine::difference(&stack, &stack).answer != Answer::Must);
            let _ = engine::normalise(&document);
            let _ = engine::public(&Stack::resource(&document));
        }
    }
}
