//! The `Condition` element, parsed into operators, keys and values.
//!
//! Not for deciding requests. Invariant: an operator that does not exist is kept as
//! [`Test::Unknown`], so that nobody takes the statement for unconditioned. Source: AWS, "IAM JSON
//! policy elements: Condition operators".

use crate::Pattern;
use overgrant_value::{Answer, Guard, Src, Text};
use smol_str::SmolStr;
use std::fmt;

/// What an operator compares.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Test {
    /// `StringEquals`.
    StringEquals,
    /// `StringNotEquals`.
    StringNotEquals,
    /// `StringEqualsIgnoreCase`.
    StringEqualsIgnoreCase,
    /// `StringNotEqualsIgnoreCase`.
    StringNotEqualsIgnoreCase,
    /// `StringLike`.
    StringLike,
    /// `StringNotLike`.
    StringNotLike,
    /// `Numeric…`, by the rest of the name.
    Numeric(SmolStr),
    /// `Date…`, by the rest of the name.
    Date(SmolStr),
    /// `Bool`.
    Bool,
    /// `BinaryEquals`.
    BinaryEquals,
    /// `IpAddress`.
    IpAddress,
    /// `NotIpAddress`.
    NotIpAddress,
    /// `ArnEquals`.
    ArnEquals,
    /// `ArnLike`.
    ArnLike,
    /// `ArnNotEquals`.
    ArnNotEquals,
    /// `ArnNotLike`.
    ArnNotLike,
    /// `Null`.
    Null,
    /// None that exists.
    Unknown,
}

/// `ForAllValues` and `ForAnyValue`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum SetOperator {
    /// Every value of the request matches; true when the key is absent.
    ForAllValues,
    /// At least one matches.
    ForAnyValue,
}

/// A whole operator, e.g. `ForAnyValue:StringLikeIfExists`.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Operator {
    /// Set operator in front.
    pub set: Option<SetOperator>,
    /// The comparison.
    pub test: Test,
    /// `IfExists` behind.
    pub if_exists: bool,
    /// As written.
    pub name: SmolStr,
}

impl Operator {
    /// Reads an operator name; letter case is ignored as AWS does.
    #[must_use]
    pub fn parse(name: &str) -> Self {
        let lower = name.to_ascii_lowercase();
        let (set, rest) = match lower.split_once(':') {
            Some(("forallvalues", rest)) => (Some(SetOperator::ForAllValues), rest),
            Some(("foranyvalue", rest)) => (Some(SetOperator::ForAnyValue), rest),
            _ => (None, lower.as_str()),
        };
        let (rest, if_exists) = match rest.strip_suffix("ifexists") {
            Some(rest) => (rest, true),
            None => (rest, false),
        };
        let compare = |rest: &str| {
            [
                "equals",
                "notequals",
                "lessthan",
                "lessthanequals",
                "greaterthan",
                "greaterthanequals",
            ]
            .contains(&rest)
        };
        let test = match rest {
            "stringequals" => Test::StringEquals,
            "stringnotequals" => Test::StringNotEquals,
            "stringequalsignorecase" => Test::StringEqualsIgnoreCase,
            "stringnotequalsignorecase" => Test::StringNotEqualsIgnoreCase,
            "stringlike" => Test::StringLike,
            "stringnotlike" => Test::StringNotLike,
            "bool" => Test::Bool,
            "binaryequals" => Test::BinaryEquals,
            "ipaddress" => Test::IpAddress,
            "notipaddress" => Test::NotIpAddress,
            "arnequals" => Test::ArnEquals,
            "arnlike" => Test::ArnLike,
            "arnnotequals" => Test::ArnNotEquals,
            "arnnotlike" => Test::ArnNotLike,
            "null" => Test::Null,
            _ => match (rest.strip_prefix("numeric"), rest.strip_prefix("date")) {
                (Some(rest), _) if compare(rest) => Test::Numeric(rest.into()),
                (_, Some(rest)) if compare(rest) => Test::Date(rest.into()),
                _ => Test::Unknown,
            },
        };
        Self {
            set,
            test,
            if_exists,
            name: name.into(),
        }
    }

    /// Whether the operator holds for values *outside* its list.
    #[must_use]
    pub fn is_negated(&self) -> bool {
        match &self.test {
            Test::StringNotEquals
            | Test::StringNotEqualsIgnoreCase
            | Test::StringNotLike
            | Test::NotIpAddress
            | Test::ArnNotEquals
            | Test::ArnNotLike => true,
            Test::Numeric(rest) | Test::Date(rest) => rest == "notequals",
            _ => false,
        }
    }

    /// Whether `*` and `?` in its values are wildcards.
    #[must_use]
    pub fn has_wildcards(&self) -> bool {
        matches!(
            self.test,
            Test::StringLike
                | Test::StringNotLike
                | Test::ArnEquals
                | Test::ArnLike
                | Test::ArnNotEquals
                | Test::ArnNotLike
        )
    }

    /// Whether the condition is true when the key is absent from the request.
    #[must_use]
    pub fn holds_without_key(&self) -> bool {
        // `ForAnyValue` asks for a value that is there, whatever else is written.
        match self.set {
            Some(SetOperator::ForAllValues) => true,
            Some(SetOperator::ForAnyValue) => false,
            None => self.if_exists || self.is_negated(),
        }
    }
}

/// A condition key such as `aws:SourceArn`; letter case does not matter.
#[derive(Debug, Clone)]
pub struct ConditionKey {
    pub(crate) text: Text,
    pub(crate) src: Src,
}

impl ConditionKey {
    /// Whether this is the key `name`, letter case aside.
    #[must_use]
    pub fn is(&self, name: &str) -> bool {
        self.text
            .as_known()
            .is_some_and(|text| text.eq_ignore_ascii_case(name))
    }

    /// Whether the key ends with `suffix` (`:sub`, `:aud`), letter case aside; open keys count by
    /// their known end.
    #[must_use]
    pub fn ends_with(&self, suffix: &str) -> bool {
        let tail = self.text.trailing().to_ascii_lowercase();
        tail.ends_with(&suffix.to_ascii_lowercase())
    }

    /// The lower-case spelling where all of it is known.
    #[must_use]
    pub fn spelling(&self) -> Option<String> {
        self.text.as_known().map(|text| text.to_ascii_lowercase())
    }

    /// The tag of the resource that the key is about, as written (`aws:ResourceTag/team`,
    /// `ssm:resourceTag/team`); `None` for other keys, and for a tag whose name is open.
    #[must_use]
    pub fn resource_tag(&self) -> Option<SmolStr> {
        let text = self.text.as_known()?;
        let (kind, tag) = text.split_once('/')?;
        let (_, kind) = kind.split_once(':')?;
        let named = !tag.is_empty() && !tag.contains("${");
        (kind.eq_ignore_ascii_case("ResourceTag") && named).then(|| tag.into())
    }

    /// Where it was written.
    #[must_use]
    pub fn src(&self) -> &Src {
        &self.src
    }

    /// What stands before the last `:` as a rope (an issuer in OIDC keys), with its text private.
    #[must_use]
    pub fn issuer_matches(&self, issuer: &str) -> Answer {
        let wanted = format!("{issuer}:");
        self.text.starts_with(&wanted)
    }
}

impl fmt::Display for ConditionKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.text.fmt(f)
    }
}

/// One value of a condition.
#[derive(Debug, Clone)]
pub struct Value(pub(crate) Pattern);

impl Value {
    /// The value as a pattern (its text stays private; it prints).
    #[must_use]
    pub fn pattern(&self) -> &Pattern {
        &self.0
    }

    /// The text with its open parts: claims and ids have grammars of their own, which are read by
    /// those who know the key.
    #[must_use]
    pub fn text(&self) -> &Text {
        self.0.text()
    }

    /// The text, where all of it is known.
    #[must_use]
    pub fn known(&self) -> Option<SmolStr> {
        self.0.text().as_known()
    }

    /// Known characters before the first open part.
    #[must_use]
    pub fn leading(&self) -> String {
        self.0.text().leading()
    }

    /// Whether it is empty, surely, perhaps or not.
    #[must_use]
    pub fn is_empty(&self) -> Answer {
        self.0.text().emptiness()
    }
}

impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// One operator on one key.
#[derive(Debug, Clone)]
pub struct Condition {
    /// The operator.
    pub operator: Operator,
    /// Where the operator was written.
    pub operator_src: Src,
    /// The key.
    pub key: ConditionKey,
    /// The values; any of them may match (none may, for negated operators).
    pub values: Vec<Value>,
    /// Whether more values may exist that could not be read.
    pub open: bool,
    /// Where the values stand.
    pub src: Src,
    /// When the condition is part of the statement.
    pub guard: Guard,
}

/// All conditions of a statement; every one must hold.
#[derive(Debug, Clone, Default)]
pub struct Conditions {
    /// In order.
    pub items: Vec<Condition>,
    /// Whether there is a `Condition` element that could not be read.
    pub open: bool,
    /// Where the element stands.
    pub src: Src,
}

impl Conditions {
    /// Whether the statement has no condition at all.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.items.is_empty() && !self.open
    }

    /// The conditions on the key `name`.
    pub fn on<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a Condition> {
        self.items
            .iter()
            .filter(move |condition| condition.key.is(name))
    }

    /// The conditions on keys that end with `suffix`.
    pub fn on_suffix<'a>(&'a self, suffix: &'a str) -> impl Iterator<Item = &'a Condition> {
        self.items
            .iter()
            .filter(move |condition| condition.key.ends_with(suffix))
    }

    pub(crate) fn key(&self) -> String {
        let mut keys: Vec<String> = self
            .items
            .iter()
            .map(|condition| {
                let mut values: Vec<String> =
                    condition.values.iter().map(|value| value.0.key()).collect();
                values.sort();
                format!(
                    "{}:{}={}",
                    condition.operator.name.to_ascii_lowercase(),
                    condition.key.text.key().to_ascii_lowercase(),
                    values.join(",")
                )
            })
            .collect();
        keys.sort();
        if self.open {
            keys.push("?".to_owned());
        }
        keys.join(";")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn operators_are_read_in_any_case() {
        let operator = Operator::parse("forAnyValue:stringlikeifexists");
        assert_eq!(operator.set, Some(SetOperator::ForAnyValue));
        assert_eq!(operator.test, Test::StringLike);
        assert!(operator.if_exists && operator.has_wildcards() && !operator.holds_without_key());
        assert!(Operator::parse("StringNotEquals").is_negated());
        assert!(Operator::parse("NumericNotEquals").is_negated());
        assert_eq!(Operator::parse("NumericAbout").test, Test::Unknown);
        assert_eq!(Operator::parse("StringMatches").test, Test::Unknown);
        assert!(!Operator::parse("Bool").holds_without_key());
        assert!(Operator::parse("ForAllValues:StringEquals").holds_without_key());
    }
}
