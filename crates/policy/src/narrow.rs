//! What conditions are worth: do they narrow a grant, and do they bind it to a tenant or network?
//!
//! Not for deciding requests. Invariant: `Must` is given only where a request that matters to an
//! attacker is surely refused; keys that every request carries, and values that everything
//! matches, give `No`.
//! Sources: AWS, "AWS global condition context keys"; "The meaning of public" in the S3 guide.

use crate::condition::{Condition, Conditions, SetOperator, Test, Value};
use crate::glob::{self, Token};
use crate::principal::is_account_id;
use crate::resource::ResourcePattern;
use overgrant_catalog::{Availability, catalog};
use overgrant_value::Answer;

/// Keys whose value says nothing about who calls or what is touched, or which the caller picks
/// without changing what the call does.
const IDLE: [&str; 7] = [
    "aws:securetransport",
    "aws:useragent",
    "aws:referer",
    "aws:epochtime",
    "s3:signatureversion",
    "s3:authtype",
    "s3:tlsversion",
];

/// Keys that name a tenant or network and that the caller cannot choose.
const BINDING: [&str; 27] = [
    "aws:principalorgid",
    "aws:principalorgpaths",
    "aws:principalaccount",
    "aws:principalarn",
    "aws:principalservicename",
    "aws:principalservicenameslist",
    "aws:principalisawsservice",
    "aws:userid",
    "aws:sourcevpc",
    "aws:sourcevpce",
    "aws:sourcevpcarn",
    "aws:vpceaccount",
    "aws:vpceorgid",
    "aws:vpceorgpaths",
    "aws:sourceip",
    "aws:vpcsourceip",
    "aws:sourcearn",
    "aws:sourceaccount",
    "aws:sourceowner",
    "aws:sourceorgid",
    "aws:sourceorgpaths",
    "aws:ec2instancesourcevpc",
    "s3:dataaccesspointaccount",
    "s3:dataaccesspointarn",
    "kms:calleraccount",
    "cognito-identity.amazonaws.com:aud",
    "elasticfilesystem:accessedviamounttarget",
];

impl Conditions {
    /// Whether the conditions surely shrink the set of requests in a way that matters: by tag,
    /// account, organization, source, network, MFA, passed service and the like.
    ///
    /// `No` for keys that hold for everybody (`aws:SecureTransport` alone), `ForAllValues` without
    /// a guard that the key is there, `…IfExists` on keys that may be absent, `*` as value, and
    /// an address range of the whole internet. `May` for lists of exceptions, for times, and for
    /// what is not known.
    #[must_use]
    pub fn narrows(&self) -> Answer {
        let open = if self.open { Answer::May } else { Answer::No };
        self.items
            .iter()
            .map(|condition| self.guarded(condition, self.narrows_by(condition)))
            .fold(open, Answer::or)
    }

    /// As [`Conditions::narrows`], without conditions that hold for every request inside the
    /// principal's own account and organization: what administration of an account hangs on.
    #[must_use]
    pub fn narrows_at_home(&self) -> Answer {
        let open = if self.open { Answer::May } else { Answer::No };
        self.items
            .iter()
            .filter(|condition| {
                !condition.key.spelling().is_some_and(|key| {
                    matches!(
                        key.as_str(),
                        "aws:resourceaccount"
                            | "aws:resourceorgid"
                            | "aws:resourceorgpaths"
                            | "aws:principalaccount"
                            | "aws:principalorgid"
                            | "aws:principalorgpaths"
                    )
                })
            })
            .map(|condition| self.guarded(condition, self.narrows_by(condition)))
            .fold(open, Answer::or)
    }

    /// Whether a condition binds the statement: a positive operator on a key that the caller
    /// cannot choose, every value of which pins a tenant (account, organization, principal of one
    /// account, source of one account) or a network (VPC, endpoint, limited address range).
    #[must_use]
    pub fn binds(&self) -> Answer {
        self.items
            .iter()
            .map(|condition| self.guarded(condition, self.binds_by(condition)))
            .fold(Answer::No, Answer::or)
    }

    /// A condition that really constrains the key: positive, certain, false when the key is
    /// absent, and no `*` among its values.
    #[must_use]
    pub fn constrain<'a>(&'a self, key: &str) -> Option<&'a Condition> {
        self.items.iter().find(|condition| {
            condition.key.is(key)
                && condition.guard.is_always()
                && !condition.open
                && condition.is_positive()
                && !self.absent_passes(condition)
                && !condition
                    .values
                    .iter()
                    .any(|value| condition.takes_any(value).possible())
        })
    }

    fn guarded(&self, condition: &Condition, answer: Answer) -> Answer {
        if condition.guard.is_always() {
            answer
        } else {
            answer.at_most_may()
        }
    }

    /// Whether the condition is true when its key is absent. A second condition on the key that
    /// is false then takes that away.
    fn absent_passes(&self, condition: &Condition) -> bool {
        condition.operator.holds_without_key()
            && !self.items.iter().any(|other| {
                !std::ptr::eq(other, condition)
                    && other.guard.is_always()
                    && other
                        .key
                        .text
                        .key()
                        .eq_ignore_ascii_case(&condition.key.text.key())
                    && other.needs_key()
            })
    }

    fn narrows_by(&self, condition: &Condition) -> Answer {
        let Some(key) = condition.key.spelling() else {
            return Answer::May;
        };
        if IDLE.contains(&key.as_str()) {
            return Answer::No;
        }
        if condition.operator.test == Test::Null {
            return match (key.as_str(), condition.needs_key()) {
                ("aws:multifactorauthage", true) => Answer::Must,
                // Only what one program made.
                (key, true) if is_mark(key) => Answer::May,
                // Only data of the service that encrypts with such a context.
                (key, true) if key.starts_with("kms:encryptioncontext:") => Answer::May,
                (_, true) => Answer::No,
                (_, false) => Answer::May,
            };
        }
        if condition.operator.test == Test::Unknown {
            return Answer::May;
        }
        if condition.operator.is_negated() {
            let nothing = condition.values.is_empty() && !condition.open;
            return if nothing { Answer::No } else { Answer::May };
        }
        if key == "aws:currenttime" {
            let ends = matches!(&condition.operator.test,
                Test::Date(rest) if rest.starts_with("less") || rest == "equals");
            return if ends { Answer::May } else { Answer::No };
        }
        if self.absent_passes(condition) && !always_there(&key) {
            // A service's own keys are mostly there whenever they mean anything.
            return if key.starts_with("aws:") || condition.operator.set.is_some() {
                Answer::No
            } else {
                Answer::May
            };
        }
        let refuses = condition.refuses_some(&key);
        if refuses == Answer::No && is_mark(&key) && condition.needs_key() {
            return Answer::May;
        }
        refuses
    }

    fn binds_by(&self, condition: &Condition) -> Answer {
        let Some(key) = condition.key.spelling() else {
            return Answer::No;
        };
        let subject = key.ends_with(":sub") && !key.starts_with("aws:");
        if !(subject || BINDING.contains(&key.as_str()))
            || !condition.is_positive()
            || self.absent_passes(condition)
        {
            return Answer::No;
        }
        if condition.values.is_empty() {
            return if condition.open {
                Answer::May
            } else {
                Answer::Must
            };
        }
        let pins = condition
            .values
            .iter()
            .map(|value| condition.pins(&key, value))
            .fold(Answer::Must, Answer::and);
        if condition.open {
            pins.at_most_may()
        } else {
            pins
        }
    }
}

/// Tags that nearly everything of an organization carries: that they are there tells nothing apart.
const COMMON_TAGS: [&str; 30] = [
    "app",
    "application",
    "billing",
    "businessunit",
    "component",
    "costcenter",
    "createdby",
    "customer",
    "department",
    "domain",
    "env",
    "environment",
    "group",
    "managedby",
    "name",
    "namespace",
    "organization",
    "owner",
    "platform",
    "product",
    "project",
    "role",
    "service",
    "stack",
    "stage",
    "system",
    "team",
    "tenant",
    "terraform",
    "workload",
];

/// Whether the key is a tag that marks what one program made, which all else lacks:
/// `elbv2.k8s.aws/cluster`, `CSIVolumeName`, `sagemaker:launch-source`; not one that everybody sets.
fn is_mark(key: &str) -> bool {
    let Some((_, tag)) = key.split_once(":resourcetag/") else {
        return false;
    };
    let plain: String = tag
        .chars()
        .filter(|letter| letter.is_ascii_alphanumeric())
        .collect();
    !plain.is_empty() && !COMMON_TAGS.contains(&plain.as_str()) && !tag.starts_with("aws:")
}

/// Whether every request that the key means anything for carries it.
fn always_there(key: &str) -> bool {
    key == "iam:passedtoservice"
        || catalog().condition_key(key).is_some_and(|key| {
            matches!(
                key.availability(),
                Availability::Always | Availability::Signed | Availability::MostActions
            )
        })
}

impl Condition {
    /// Whether the operator holds for listed values and says nothing about presence.
    fn is_positive(&self) -> bool {
        !self.operator.is_negated() && !matches!(self.operator.test, Test::Null | Test::Unknown)
    }

    /// Whether it is false for every request without the key.
    fn needs_key(&self) -> bool {
        if self.operator.test == Test::Null {
            return !self.open
                && !self.values.is_empty()
                && self.values.iter().all(|value| {
                    value
                        .known()
                        .is_some_and(|text| text.eq_ignore_ascii_case("false"))
                });
        }
        self.operator.test != Test::Unknown && !self.operator.holds_without_key()
    }

    /// Whether the value matches whatever the request carries.
    fn takes_any(&self, value: &Value) -> Answer {
        let tokens = value.pattern().tokens();
        match self.operator.test {
            Test::StringLike => glob::covers(tokens, &[Token::Run]),
            Test::ArnLike | Test::ArnEquals => {
                if value.pattern().is_star() {
                    return Answer::Must;
                }
                ResourcePattern::new(value.pattern().clone()).covers_everything()
            }
            Test::IpAddress => match value.known() {
                Some(text) => Answer::from_bool(prefix_is_wide(&text)),
                None => Answer::May,
            },
            _ => Answer::No,
        }
    }

    /// Whether a positive test, its key present, refuses requests that matter.
    fn refuses_some(&self, key: &str) -> Answer {
        if self.open {
            return Answer::May;
        }
        if self.operator.test == Test::Bool {
            let values = || self.values.iter().map(Value::known);
            let only = |wanted: &str| {
                values().all(|value| value.is_some_and(|value| value.eq_ignore_ascii_case(wanted)))
            };
            let both = values().any(|value| value.is_none()) || (!only("true") && !only("false"));
            return match key {
                _ if both && !self.values.is_empty() => Answer::May,
                // "Not through a service", "without MFA": what everybody does anyway.
                "aws:viaawsservice"
                | "aws:principalisawsservice"
                | "aws:multifactorauthpresent"
                    if only("false") && !self.values.is_empty() =>
                {
                    Answer::No
                }
                _ => Answer::Must,
            };
        }
        if self.operator.test == Test::IpAddress && self.is_wide_together() {
            return Answer::No;
        }
        self.values
            .iter()
            .map(|value| self.takes_any(value))
            .fold(Answer::No, Answer::or)
            .negate()
    }

    /// Whether the address ranges leave no more than a sliver of the internet out.
    fn is_wide_together(&self) -> bool {
        let mut share = 0.0_f64;
        for value in &self.values {
            if let Some((bits, false)) = value.known().and_then(|text| prefix_bits(&text)) {
                share += (-f64::from(bits)).exp2();
            }
        }
        share >= 0.5
    }

    /// Whether the value pins a tenant or a network.
    fn pins(&self, key: &str, value: &Value) -> Answer {
        let pattern = value.pattern();
        let wild = self.operator.has_wildcards();
        let known = value.known();
        // A variable is the caller's own attribute, unless it names the resource's owner.
        if let Some(text) = &known
            && text.contains("${")
        {
            let text = text.to_ascii_lowercase();
            return Answer::from_bool(matches!(
                text.as_str(),
                "${aws:resourceaccount}" | "${aws:resourceorgid}" | "${aws:resourceorgpaths}"
            ));
        }
        match key {
            "aws:sourceip" | "aws:vpcsourceip" => match known {
                Some(text) => Answer::from_bool(!prefix_is_wide(&text) && !self.is_wide_together()),
                None => Answer::May,
            },
            "aws:principalisawsservice" | "elasticfilesystem:accessedviamounttarget" => match known
            {
                Some(text) => Answer::from_bool(text.eq_ignore_ascii_case("true")),
                None => Answer::May,
            },
            "aws:principalarn" | "aws:sourcearn" | "aws:sourcevpcarn" | "s3:dataaccesspointarn" => {
                self.pins_arn(value)
            }
            "aws:userid" => {
                let id = pattern.text().leading();
                Answer::from_bool(
                    id.split([':', '*', '?'])
                        .next()
                        .is_some_and(|id| id.len() >= 12),
                )
            }
            "aws:principalorgpaths" | "aws:sourceorgpaths" | "aws:vpceorgpaths" => {
                let head = pattern.text().leading();
                let root = head.split('/').next().unwrap_or_default();
                if !wild
                    || (root.starts_with("o-") && !root.contains(['*', '?']) && head.contains('/'))
                {
                    Answer::Must
                } else if pattern.is_known() {
                    Answer::No
                } else {
                    Answer::May
                }
            }
            _ if key.ends_with(":sub") => match known {
                Some(_) if !wild => Answer::Must,
                _ => {
                    let head = pattern.text().leading();
                    let fixed = head.split(['*', '?']).next().unwrap_or_default();
                    Answer::from_bool(fixed.contains('/') || fixed.len() > 8)
                        .or(Answer::from_bool(!pattern.is_known()).at_most_may())
                }
            },
            _ if !wild => Answer::Must,
            _ if glob::is_single(pattern.tokens()) => {
                // One text; an open one may turn out to hold a wildcard.
                Answer::from_bool(glob::covers(pattern.tokens(), &[Token::Run]) == Answer::No)
                    .or(Answer::May)
            }
            _ => Answer::No,
        }
    }

    fn pins_arn(&self, value: &Value) -> Answer {
        let pattern = value.pattern();
        if !self.operator.has_wildcards() {
            return Answer::Must;
        }
        let arn = ResourcePattern::new(pattern.clone());
        let Some(parts) = arn.segments() else {
            // Open as a whole: an attribute of a resource is one ARN, a variable may be `*`.
            return match glob::covers(pattern.tokens(), &[Token::Run]) {
                Answer::No if glob::is_single(pattern.tokens()) => Answer::Must,
                Answer::No if glob::is_open(pattern.tokens()) => Answer::May,
                Answer::No | Answer::Must => Answer::No,
                Answer::May => Answer::May,
            };
        };
        if parts.account.is_empty() {
            // S3 buckets carry no account; their names are unique.
            let named = matches!(
                parts.resource.first(),
                Some(Token::Char(_) | Token::Open(_))
            );
            return Answer::from_bool(named && glob::is_single(&parts.service));
        }
        let literal = parts
            .account
            .iter()
            .all(|token| matches!(token, Token::Char(_)));
        if literal || glob::covers(&parts.account, &[Token::Run]) == Answer::No {
            Answer::from_bool(glob::is_single(&parts.account))
        } else if glob::is_run(&parts.account) {
            Answer::No
        } else {
            Answer::May
        }
    }

    /// The account ids among the values, where the key carries account ids (`aws:SourceAccount`).
    pub fn account_ids(&self) -> impl Iterator<Item = smol_str::SmolStr> + '_ {
        self.values
            .iter()
            .filter_map(Value::known)
            .filter(|text| is_account_id(text))
    }
}

/// The prefix length of an address or range, and whether it is IPv6.
fn prefix_bits(text: &str) -> Option<(u8, bool)> {
    let six = text.contains(':');
    let bits = match text.split_once('/') {
        Some((_, bits)) => bits.parse().ok()?,
        None if six => 128,
        None => 32,
    };
    Some((bits, six))
}

/// Whether a range is too wide to name a network: IPv4 wider than /8, IPv6 wider than /16.
fn prefix_is_wide(text: &str) -> bool {
    prefix_bits(text).is_some_and(|(bits, six)| bits < if six { 16 } else { 8 })
}

impl Conditions {
    /// Whether a set operator `ForAllValues` stands alone on a key, so that the absence of the key
    /// passes.
    #[must_use]
    pub fn passes_when_absent(&self) -> Option<&Condition> {
        self.items.iter().find(|condition| {
            condition.operator.set == Some(SetOperator::ForAllValues)
                && self.absent_passes(condition)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Document;
    use overgrant_value::{Src, Text, Val};

    fn conditions(json: &str) -> Conditions {
        let text = format!(
            r#"{{"Statement": [{{"Effect": "Allow", "Action": "*", "Resource": "*", "Condition": {json}}}]}}"#
        );
        let document = Document::from_val(&Val::text(Text::known(&text), Src::none()));
        assert_eq!(document.problems, [], "{json}");
        document.statements[0].conditions.clone()
    }

    #[test]
    fn what_narrows() {
        for (json, wanted) in [
            (r#"{}"#, Answer::No),
            (r#"{"Bool": {"aws:SecureTransport": "true"}}"#, Answer::No),
            (
                r#"{"Bool": {"aws:MultiFactorAuthPresent": "true"}}"#,
                Answer::Must,
            ),
            (
                r#"{"Bool": {"aws:MultiFactorAuthPresent": "false"}}"#,
                Answer::No,
            ),
            (
                r#"{"BoolIfExists": {"aws:MultiFactorAuthPresent": "true"}}"#,
                Answer::No,
            ),
            (
                r#"{"StringEquals": {"aws:ResourceTag/team": "${aws:PrincipalTag/team}"}}"#,
                Answer::Must,
            ),
            (
                r#"{"StringLike": {"aws:ResourceTag/team": "*"}}"#,
                Answer::No,
            ),
            (
                r#"{"StringLike": {"aws:ResourceTag/team": ["a", "**"]}}"#,
                Answer::No,
            ),
            (
                r#"{"StringEqualsIfExists": {"aws:SourceVpc": "vpc-1"}}"#,
                Answer::No,
            ),
            (
                r#"{"StringEqualsIfExists": {"aws:RequestedRegion": "eu-west-1"}}"#,
                Answer::Must,
            ),
            (
                r#"{"StringEquals": {"iam:PassedToService": "ec2.amazonaws.com"}}"#,
                Answer::Must,
            ),
            (
                r#"{"StringLike": {"iam:PassedToService": "*"}}"#,
                Answer::No,
            ),
            (
                r#"{"ForAllValues:StringEquals": {"aws:TagKeys": "a"}}"#,
                Answer::No,
            ),
            (
                r#"{"ForAllValues:StringEquals": {"aws:TagKeys": "a"}, "Null": {"aws:TagKeys": "false"}}"#,
                Answer::Must,
            ),
            (
                r#"{"ForAnyValue:StringEquals": {"aws:TagKeys": "a"}}"#,
                Answer::Must,
            ),
            (
                r#"{"IpAddress": {"aws:SourceIp": "0.0.0.0/0"}}"#,
                Answer::No,
            ),
            (
                r#"{"IpAddress": {"aws:SourceIp": ["0.0.0.0/1", "128.0.0.0/1"]}}"#,
                Answer::No,
            ),
            (
                r#"{"IpAddress": {"aws:SourceIp": "203.0.113.0/24"}}"#,
                Answer::Must,
            ),
            (
                r#"{"NotIpAddress": {"aws:SourceIp": "203.0.113.0/24"}}"#,
                Answer::May,
            ),
            (
                r#"{"Null": {"aws:MultiFactorAuthAge": "false"}}"#,
                Answer::Must,
            ),
            (
                r#"{"Null": {"aws:ResourceTag/Cost-Center": "false"}}"#,
                Answer::No,
            ),
            (
                r#"{"Null": {"ec2:ResourceTag/scan_workflow_id": "false"}}"#,
                Answer::May,
            ),
            (
                r#"{"StringLike": {"iam:ResourceTag/SCANNER": "*"}}"#,
                Answer::May,
            ),
            (
                r#"{"Null": {"kms:EncryptionContext:PARAMETER_ARN": "false"}}"#,
                Answer::May,
            ),
            (
                r#"{"Null": {"aws:ResourceTag/elbv2.k8s.aws/cluster": "false"}}"#,
                Answer::May,
            ),
            (
                r#"{"StringLike": {"aws:ResourceTag/CSIVolumeName": "*"}}"#,
                Answer::May,
            ),
            (
                r#"{"StringLike": {"ec2:ResourceTag/ManagedByAmazonSageMakerResource": "*"}}"#,
                Answer::May,
            ),
            (
                r#"{"Null": {"aws:RequestTag/elbv2.k8s.aws/cluster": "false"}}"#,
                Answer::No,
            ),
            (
                r#"{"StringEquals": {"aws:PrincipalOrgID": []}}"#,
                Answer::Must,
            ),
            (r#"{"ArnLike": {"aws:SourceArn": "arn:*"}}"#, Answer::No),
            (
                r#"{"ArnLike": {"aws:SourceArn": "arn:aws:s3:::b"}}"#,
                Answer::Must,
            ),
            (
                r#"{"DateGreaterThan": {"aws:CurrentTime": "2020-01-01"}}"#,
                Answer::No,
            ),
            (
                r#"{"DateLessThan": {"aws:CurrentTime": "2020-01-01"}}"#,
                Answer::May,
            ),
        ] {
            assert_eq!(conditions(json).narrows(), wanted, "{json}");
        }
        assert_eq!(
            conditions(r#"{"StringEquals": {"aws:ResourceAccount": "123456789012"}}"#)
                .narrows_at_home(),
            Answer::No
        );
    }

    #[test]
    fn what_binds() {
        for (json, wanted) in [
            (
                r#"{"StringEquals": {"aws:PrincipalOrgID": "o-abc"}}"#,
                Answer::Must,
            ),
            (
                r#"{"StringEquals": {"aws:PrincipalOrgID": "${aws:ResourceOrgID}"}}"#,
                Answer::Must,
            ),
            (
                r#"{"StringEquals": {"aws:PrincipalAccount": "${aws:PrincipalTag/a}"}}"#,
                Answer::No,
            ),
            (
                r#"{"StringLike": {"aws:PrincipalOrgID": "o-*"}}"#,
                Answer::No,
            ),
            (
                r#"{"StringEqualsIfExists": {"aws:PrincipalOrgID": "o-abc"}}"#,
                Answer::No,
            ),
            (
                r#"{"StringNotEquals": {"aws:PrincipalOrgID": "o-abc"}}"#,
                Answer::No,
            ),
            (
                r#"{"ArnLike": {"aws:PrincipalArn": "arn:aws:iam::*:role/x"}}"#,
                Answer::No,
            ),
            (
                r#"{"ArnLike": {"aws:PrincipalArn": "arn:aws:iam::123456789012:role/*"}}"#,
                Answer::Must,
            ),
            (
                r#"{"ArnLike": {"aws:SourceArn": "arn:aws:s3:::bucket"}}"#,
                Answer::Must,
            ),
            (
                r#"{"ArnLike": {"aws:SourceArn": "arn:aws:s3:::*"}}"#,
                Answer::No,
            ),
            (
                r#"{"ArnLike": {"aws:SourceArn": ["arn:aws:s3:::b", "arn:aws:sns:*:*:*"]}}"#,
                Answer::No,
            ),
            (
                r#"{"StringEquals": {"aws:SourceVpce": ["vpce-1", "vpce-2"]}}"#,
                Answer::Must,
            ),
            (
                r#"{"StringLike": {"aws:SourceVpce": "vpce-*"}}"#,
                Answer::No,
            ),
            (
                r#"{"IpAddress": {"aws:SourceIp": "0.0.0.0/0"}}"#,
                Answer::No,
            ),
            (
                r#"{"IpAddress": {"aws:SourceIp": "203.0.113.0/24"}}"#,
                Answer::Must,
            ),
            (
                r#"{"StringEquals": {"aws:PrincipalTag/x": "y"}}"#,
                Answer::No,
            ),
            (
                r#"{"StringLike": {"aws:userid": "AROAEXAMPLEID1234:*"}}"#,
                Answer::Must,
            ),
            (
                r#"{"ForAnyValue:StringLike": {"aws:PrincipalOrgPaths": "o-abc/r-1/*"}}"#,
                Answer::Must,
            ),
            (
                r#"{"ForAllValues:StringLike": {"aws:PrincipalOrgPaths": "o-abc/r-1/*"}}"#,
                Answer::No,
            ),
            (
                r#"{"Bool": {"elasticfilesystem:AccessedViaMountTarget": "true"}}"#,
                Answer::Must,
            ),
        ] {
            assert_eq!(conditions(json).binds(), wanted, "{json}");
        }
    }

    #[test]
    fn what_constrains_a_key() {
        let passed = "iam:passedToService";
        let yes = conditions(r#"{"StringEquals": {"iam:PassedToService": "ec2.amazonaws.com"}}"#);
        assert!(yes.constrain(passed).is_some());
        for json in [
            r#"{"StringLike": {"iam:PassedToService": "*"}}"#,
            r#"{"StringEqualsIfExists": {"iam:PassedToService": "x"}}"#,
            r#"{"StringNotEquals": {"iam:PassedToService": "x"}}"#,
            r#"{"ForAllValues:StringEquals": {"iam:PassedToService": "x"}}"#,
            r#"{"Null": {"iam:PassedToService": "false"}}"#,
        ] {
            assert!(conditions(json).constrain(passed).is_none(), "{json}");
        }
    }
}
