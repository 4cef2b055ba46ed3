//! Statements that match a request, or miss it in exactly one element.
//!
//! Not for deciding. Invariant: whether an element matches is known from how it was written here, by
//! the rules of the language, never by asking an evaluator.

use super::dice::Dice;
use serde_json::{Map, Value, json};

/// What is asked for.
pub(crate) struct Asked {
    pub(crate) action: &'static str,
    /// An action of the same service that is not asked for.
    pub(crate) other_action: &'static str,
    pub(crate) resource: String,
    /// A resource of the same kind that is not asked for.
    pub(crate) other_resource: String,
    /// Which of the two contexts the request has.
    pub(crate) rich: bool,
}

/// Keys of a request from a console session, and of one with almost nothing.
pub(crate) fn context(rich: bool) -> Value {
    if rich {
        json!({
            "aws:SourceIp": "203.0.113.9",
            "aws:SecureTransport": "true",
            "aws:CurrentTime": "2026-03-01T12:00:00Z",
            "s3:max-keys": "10",
            "aws:RequestTag/team": "red",
            "aws:TagKeys": ["team", "stage"],
            "aws:SourceArn": "arn:aws:sns:eu-west-1:111122223333:topic",
        })
    } else {
        json!({
            "aws:SourceIp": "2001:db8::1",
            "aws:SecureTransport": "false",
            "aws:CurrentTime": "2024-03-01T12:00:00Z",
        })
    }
}

/// A condition and whether it holds in the rich and in the poor context.
struct Test(&'static str, bool, bool);

/// From the tables of "IAM JSON policy elements: Condition operators", one line for each rule.
const TESTS: [Test; 44] = [
    Test(r#"{"Bool": {"aws:SecureTransport": "true"}}"#, true, false),
    Test(
        r#"{"Bool": {"aws:SecureTransport": ["false"]}}"#,
        false,
        true,
    ),
    Test(
        r#"{"BoolIfExists": {"aws:MultiFactorAuthPresent": "true"}}"#,
        true,
        true,
    ),
    Test(
        r#"{"Bool": {"aws:MultiFactorAuthPresent": "false"}}"#,
        false,
        false,
    ),
    Test(
        r#"{"IpAddress": {"aws:SourceIp": "203.0.113.0/24"}}"#,
        true,
        false,
    ),
    Test(
        r#"{"IpAddress": {"aws:SourceIp": ["10.0.0.0/8", "2001:db8::/32"]}}"#,
        false,
        true,
    ),
    Test(
        r#"{"NotIpAddress": {"aws:SourceIp": "203.0.113.9"}}"#,
        false,
        true,
    ),
    Test(
        r#"{"NotIpAddress": {"aws:VpcSourceIp": "10.0.0.0/8"}}"#,
        true,
        true,
    ),
    Test(r#"{"NumericLessThan": {"s3:max-keys": "11"}}"#, true, false),
    Test(
        r#"{"NumericLessThanIfExists": {"s3:max-keys": "10"}}"#,
        false,
        true,
    ),
    Test(
        r#"{"NumericEquals": {"s3:max-keys": ["7", "10.0"]}}"#,
        true,
        false,
    ),
    Test(
        r#"{"NumericNotEquals": {"s3:max-keys": "10"}}"#,
        false,
        true,
    ),
    Test(
        r#"{"NumericGreaterThanEquals": {"S3:MAX-KEYS": 10}}"#,
        true,
        false,
    ),
    Test(
        r#"{"DateGreaterThan": {"aws:CurrentTime": "2025-01-01T00:00:00Z"}}"#,
        true,
        false,
    ),
    Test(
        r#"{"DateLessThanEquals": {"aws:CurrentTime": "2025-01-01"}}"#,
        false,
        true,
    ),
    Test(
        r#"{"DateLessThan": {"aws:TokenIssueTime": "2025-01-01"}}"#,
        false,
        false,
    ),
    Test(
        r#"{"DateLessThanIfExists": {"aws:TokenIssueTime": "2025-01-01"}}"#,
        true,
        true,
    ),
    Test(
        r#"{"StringEquals": {"aws:RequestTag/team": ["red", "blue"]}}"#,
        true,
        false,
    ),
    Test(
        r#"{"StringEquals": {"aws:RequestTag/team": "Red"}}"#,
        false,
        false,
    ),
    Test(
        r#"{"StringEquals": {"aws:RequestTag/team": "r*"}}"#,
        false,
        false,
    ),
    Test(
        r#"{"StringEqualsIfExists": {"aws:RequestTag/team": "blue"}}"#,
        false,
        true,
    ),
    Test(
        r#"{"StringNotEquals": {"aws:RequestTag/team": ["blue", "red"]}}"#,
        false,
        true,
    ),
    Test(
        r#"{"StringNotEquals": {"aws:RequestTag/team": "blue"}}"#,
        true,
        true,
    ),
    Test(
        r#"{"StringEqualsIgnoreCase": {"aws:RequestTag/team": "RED"}}"#,
        true,
        false,
    ),
    Test(
        r#"{"StringNotEqualsIgnoreCase": {"aws:RequestTag/team": "RED"}}"#,
        false,
        true,
    ),
    Test(
        r#"{"StringLike": {"aws:RequestTag/team": "r?d"}}"#,
        true,
        false,
    ),
    Test(
        r#"{"StringLike": {"aws:RequestTag/team": ["b*", "?"]}}"#,
        false,
        false,
    ),
    Test(
        r#"{"StringNotLike": {"aws:RequestTag/team": "*e*"}}"#,
        false,
        true,
    ),
    Test(
        r#"{"ArnLike": {"aws:SourceArn": "arn:aws:sns:*:111122223333:*"}}"#,
        true,
        false,
    ),
    Test(
        r#"{"ArnEquals": {"aws:SourceArn": "arn:aws:sns:*:topic"}}"#,
        false,
        false,
    ),
    Test(
        r#"{"ArnNotLike": {"aws:SourceArn": "arn:aws:sns:*:*:t*"}}"#,
        false,
        true,
    ),
    Test(
        r#"{"ArnLikeIfExists": {"aws:SourceArn": "arn:aws:sqs:*:*:*"}}"#,
        false,
        true,
    ),
    Test(r#"{"Null": {"aws:TagKeys": "false"}}"#, true, false),
    Test(r#"{"Null": {"aws:TagKeys": "true"}}"#, false, true),
    Test(
        r#"{"ForAllValues:StringEquals": {"aws:TagKeys": ["team", "stage", "x"]}}"#,
        true,
        true,
    ),
    Test(
        r#"{"ForAllValues:StringEquals": {"aws:TagKeys": "team"}}"#,
        false,
        true,
    ),
    Test(
        r#"{"ForAnyValue:StringEquals": {"aws:TagKeys": "team"}}"#,
        true,
        false,
    ),
    Test(
        r#"{"ForAnyValue:StringLike": {"aws:TagKeys": ["x*", "s*"]}}"#,
        true,
        false,
    ),
    Test(
        r#"{"ForAllValues:StringNotEquals": {"aws:TagKeys": "team"}}"#,
        false,
        true,
    ),
    Test(
        r#"{"ForAnyValue:StringNotEquals": {"aws:TagKeys": ["team"]}}"#,
        true,
        false,
    ),
    Test(
        r#"{"StringEquals": {"aws:RequestTag/team": "red"}, "Bool": {"aws:SecureTransport": "true"}}"#,
        true,
        false,
    ),
    Test(
        r#"{"StringNotEquals": {"aws:RequestTag/team": "blue"}, "Bool": {"aws:SecureTransport": "true"}}"#,
        true,
        false,
    ),
    Test(
        r#"{"StringLike": {"aws:RequestTag/team": "${aws:PrincipalTag/none, 'red'}"}}"#,
        true,
        false,
    ),
    Test(
        r#"{"StringLike": {"aws:RequestTag/team": "${aws:PrincipalTag/none}"}}"#,
        false,
        false,
    ),
];

impl Asked {
    /// A condition that holds, or one that does not.
    fn condition(&self, dice: &mut Dice, holds: bool) -> Value {
        let fitting: Vec<&str> = TESTS
            .iter()
            .filter(|Test(_, rich, poor)| holds == if self.rich { *rich } else { *poor })
            .map(|Test(text, _, _)| *text)
            .collect();
        serde_json::from_str(dice.pick(&fitting)).unwrap_or_default()
    }

    fn service(&self) -> &str {
        self.action.split(':').next().unwrap_or_default()
    }

    /// A pattern that matches the action.
    fn action_pattern(&self, dice: &mut Dice) -> String {
        let action = self.action;
        let service = self.service();
        let mut forms = vec![
            action.to_owned(),
            action.to_ascii_uppercase(),
            format!("{service}:*"),
            "*".to_owned(),
        ];
        let mut letters: Vec<char> = action.chars().collect();
        if let Some(last) = letters.last_mut() {
            *last = '?';
        }
        forms.push(letters.iter().collect());
        let name = action.split(':').nth(1).unwrap_or_default();
        let short: String = name.chars().take(4).collect();
        forms.push(format!("{service}:{short}*"));
        let long: String = name.chars().skip(2).collect();
        forms.push(format!("{service}:*{long}"));
        dice.pick(&forms)
    }

    /// A pattern that matches the resource. The first five segments of an ARN take wildcards within
    /// themselves, the last one everywhere.
    fn resource_pattern(&self, dice: &mut Dice) -> String {
        let mut segments: Vec<&str> = self.resource.splitn(6, ':').collect();
        let tail = segments.pop().unwrap_or_default();
        let head = segments.join(":");
        let mut letters: Vec<char> = tail.chars().collect();
        if let Some(last) = letters.last_mut() {
            *last = '?';
        }
        let question: String = letters.into_iter().collect();
        let start: String = tail.chars().take(tail.chars().count() / 2).collect();
        let service = segments.get(2).copied().unwrap_or_default();
        let forms = [
            self.resource.clone(),
            "*".to_owned(),
            format!("{head}:*"),
            format!("{head}:{start}*"),
            format!("{head}:{question}"),
            format!("arn:*:{service}:*:*:{tail}"),
            format!("arn:aws:{service}:*:*:{start}*"),
        ];
        dice.pick(&forms)
    }

    /// A statement without effect and principal. `misses`: one element does not match.
    pub(crate) fn statement(&self, dice: &mut Dice, misses: bool) -> Map<String, Value> {
        let miss = if misses { dice.below(3) } else { usize::MAX };
        let mut statement = Map::new();
        let (name, value) = self.action_element(dice, miss == 0);
        statement.insert(name.to_owned(), value);
        let (name, value) = self.resource_element(dice, miss == 1);
        statement.insert(name.to_owned(), value);
        if miss == 2 {
            statement.insert("Condition".to_owned(), self.condition(dice, false));
        } else if dice.chance(4) {
            statement.insert("Condition".to_owned(), self.condition(dice, true));
        }
        statement
    }

    fn action_element(&self, dice: &mut Dice, misses: bool) -> (&'static str, Value) {
        let others = [self.other_action, "ec2:StartInstances", "ec2:*"];
        if dice.chance(1) {
            let mut list = vec![dice.pick(&others)];
            let own = self.action_pattern(dice);
            if misses {
                list.push(&own);
            }
            return ("NotAction", json!(list));
        }
        let mut list: Vec<String> = Vec::new();
        if !misses {
            list.push(self.action_pattern(dice));
        }
        if misses || dice.chance(4) {
            list.push(dice.pick(&others).to_owned());
        }
        dice.shuffle(&mut list);
        ("Action", scalar_or_list(dice, list))
    }

    fn resource_element(&self, dice: &mut Dice, misses: bool) -> (&'static str, Value) {
        let others = [
            self.other_resource.clone(),
            "arn:aws:ec2:*:*:instance/*".to_owned(),
        ];
        if dice.chance(1) {
            let mut list = vec![dice.pick(&others)];
            if misses {
                list.push(self.resource_pattern(dice));
            }
            return ("NotResource", json!(list));
        }
        let mut list: Vec<String> = Vec::new();
        if !misses {
            list.push(self.resource_pattern(dice));
        }
        if misses || dice.chance(4) {
            list.push(dice.pick(&others));
        }
        dice.shuffle(&mut list);
        ("Resource", scalar_or_list(dice, list))
    }
}

/// A list of one may be written without brackets.
fn scalar_or_list(dice: &mut Dice, list: Vec<String>) -> Value {
    match list.as_slice() {
        [one] if dice.chance(5) => json!(one),
        _ => json!(list),
    }
}
