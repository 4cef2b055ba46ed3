//! Random policies for tests; every one follows from a seed.
//!
//! Not for requests. Invariant: the policies are valid and hold no open part.

use overgrant_policy::Document;
use overgrant_value::{Src, Text, Val};

/// A small generator; the same seed gives the same case everywhere.
pub(crate) struct Dice(u64);

impl Dice {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
    }

    pub(crate) fn below(&mut self, n: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from((self.0 >> 11) % n as u64).unwrap()
    }

    pub(crate) fn pick<'a>(&mut self, list: &[&'a str]) -> &'a str {
        let at = self.below(list.len());
        list.get(at).copied().unwrap_or_default()
    }

    pub(crate) fn chance(&mut self, of_ten: usize) -> bool {
        self.below(10) < of_ten
    }

    pub(crate) fn list(&mut self, from: &[&str], most: usize) -> String {
        let items: Vec<String> = (0..=self.below(most))
            .map(|_| format!("{:?}", self.pick(from)))
            .collect();
        format!("[{}]", items.join(","))
    }
}

/// A number from the environment, for long runs.
pub(crate) fn setting(name: &str, default: u64) -> u64 {
    std::env::var(name).map_or(default, |text| text.parse().unwrap())
}

/// Seeds of a test: its share of the cases of a run, apart from those of other tests.
pub(crate) fn seeds(test: u64, share: u64) -> std::ops::Range<u64> {
    let start = setting("OVERGRANT_SEED", 0) + (test << 32);
    start..start + (setting("OVERGRANT_CASES", 300) / share).max(1)
}

const ACTION_PATTERNS: [&str; 14] = [
    "s3:GetObject",
    "s3:*",
    "s3:Get*",
    "S3:*OBJECT",
    "sqs:*",
    "sqs:*Message",
    "*",
    "*:*",
    "iam:*Role",
    "i?m:*",
    "s3:List*",
    "*:Get*",
    "dynamodb:GetItem",
    "s3:???Object",
];
const RESOURCE_PATTERNS: [&str; 20] = [
    "*",
    "arn:aws:s3:::*",
    "arn:aws:s3:::a*",
    "arn:aws:s3:::a/*",
    "arn:aws:s3:::a",
    "arn:aws:s3:::?",
    "arn:aws:s3:::a?/x",
    "arn:aws:s3:::*/x",
    "arn:aws:s3:::*x*",
    "arn:aws:s3*",
    "arn:aws:sqs:*:*:*",
    "arn:aws:sqs:eu-*:111122223333:q",
    "arn:aws:sqs:*:111122223333:q*",
    "arn:*:sqs:us-east-1:*:?",
    "arn:aws:iam::*:role/*",
    "arn:aws:iam::111122223333:role/app",
    "arn:aws:iam::*:role/p/*",
    "arn:*",
    "arn:aws:dynamodb:*:*:table/*",
    "arn:aws:*:*:111122223333:*",
];
/// Operator, key, values.
const TESTS: [(&str, &str, &[&str]); 22] = [
    ("StringEquals", "aws:PrincipalTag/t", &["a", "ab", "b"]),
    ("StringNotEquals", "aws:PrincipalTag/t", &["a", "b"]),
    ("StringLike", "aws:PrincipalTag/t", &["a*", "*b", "?", "*"]),
    ("StringNotLike", "aws:PrincipalTag/t", &["a*", "?"]),
    ("StringLikeIfExists", "aws:PrincipalTag/t", &["a*", "b"]),
    ("StringEqualsIgnoreCase", "aws:PrincipalTag/u", &["A", "b"]),
    ("Null", "aws:PrincipalTag/t", &["true", "false"]),
    (
        "IpAddress",
        "aws:SourceIp",
        &["10.0.0.0/8", "10.1.0.0/16", "2001:db8::/32"],
    ),
    (
        "NotIpAddress",
        "aws:SourceIp",
        &["10.0.0.0/8", "10.1.0.0/16"],
    ),
    ("NumericLessThan", "s3:max-keys", &["5", "10"]),
    ("NumericGreaterThanEquals", "s3:max-keys", &["5", "10"]),
    ("NumericNotEquals", "s3:max-keys", &["5", "7.5"]),
    ("Bool", "aws:SecureTransport", &["true", "false"]),
    ("BoolIfExists", "aws:SecureTransport", &["true"]),
    (
        "DateLessThan",
        "aws:CurrentTime",
        &["2025-01-01", "2026-01-01T00:00:00Z"],
    ),
    (
        "DateGreaterThanIfExists",
        "aws:CurrentTime",
        &["2025-01-01"],
    ),
    (
        "ArnLike",
        "aws:SourceArn",
        &["arn:aws:s3:::*", "arn:aws:sns:*:*:t"],
    ),
    ("ArnNotEquals", "aws:SourceArn", &["arn:aws:s3:::a"]),
    ("ForAllValues:StringEquals", "aws:TagKeys", &["a", "b"]),
    ("ForAnyValue:StringEquals", "aws:TagKeys", &["a", "b"]),
    ("ForAllValues:StringNotLike", "aws:TagKeys", &["a*"]),
    ("ForAnyValue:StringNotEquals", "aws:TagKeys", &["a"]),
];
const PRINCIPALS: [&str; 6] = [
    r#""*""#,
    r#"{"AWS": "111122223333"}"#,
    r#"{"AWS": "arn:aws:iam::111122223333:user/alice"}"#,
    r#"{"AWS": ["arn:aws:iam::444455556666:role/r", "111122223333"]}"#,
    r#"{"Service": "sns.amazonaws.com"}"#,
    r#"{"AWS": "*"}"#,
];

pub(crate) fn statement(dice: &mut Dice, denies: bool, named: bool) -> String {
    let effect = if denies && dice.chance(3) {
        "Deny"
    } else {
        "Allow"
    };
    let action = if dice.chance(1) {
        "NotAction"
    } else {
        "Action"
    };
    let resource = if dice.chance(1) {
        "NotResource"
    } else {
        "Resource"
    };
    let mut text = format!(
        r#"{{"Effect": "{effect}", "{action}": {}, "{resource}": {}"#,
        dice.list(&ACTION_PATTERNS, 2),
        dice.list(&RESOURCE_PATTERNS, 3)
    );
    if named {
        let key = if effect == "Deny" && dice.chance(2) {
            "NotPrincipal"
        } else {
            "Principal"
        };
        text.push_str(&format!(r#", "{key}": {}"#, dice.pick(&PRINCIPALS)));
    }
    if dice.chance(4) {
        let mut seen = Vec::new();
        let mut tests = Vec::new();
        for _ in 0..=dice.below(2) {
            let at = dice.below(TESTS.len());
            let Some(&(operator, key, values)) = TESTS.get(at) else {
                continue;
            };
            if !seen.contains(&operator) {
                seen.push(operator);
                let values = dice.list(values, 2);
                tests.push(format!(r#""{operator}": {{"{key}": {values}}}"#));
            }
        }
        text.push_str(&format!(r#", "Condition": {{{}}}"#, tests.join(",")));
    }
    text.push('}');
    text
}

pub(crate) fn policy(dice: &mut Dice, denies: bool, named: bool) -> String {
    let statements: Vec<String> = (0..=dice.below(3))
        .map(|_| statement(dice, denies, named))
        .collect();
    format!(
        r#"{{"Version": "2012-10-17", "Statement": [{}]}}"#,
        statements.join(",")
    )
}

pub(crate) fn read(json: &str) -> Document {
    let document = Document::from_val(&Val::text(Text::known(json), Src::none()));
    assert_eq!(document.problems, [], "{json}");
    document
}
