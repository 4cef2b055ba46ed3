//! What SAM's translator refuses and a template may still say.
//!
//! Each is told at its place and then taken for what it seems to mean, as far as access goes.
//! Invariant: what the translator accepts is not told of.

use super::Builder;
use super::events::referenced;
use crate::syntax::{Entry, Kind, Node, Style};
use overgrant_source::Span;

/// What a resource must say itself: the section of Globals, a word for its resources, properties.
const NOT_GLOBAL: [(&str, &str, &[&str]); 2] = [
    (
        "Function",
        "function",
        &["Role", "Policies", "Events", "FunctionName"],
    ),
    ("Api", "API", &["StageName"]),
];

impl Builder<'_> {
    /// What a resource must say itself is no global, and the deployment fails where it is one.
    pub(super) fn refuse_globals(&mut self) {
        for (section, noun, names) in NOT_GLOBAL {
            let globals = self.globals.as_ref().and_then(|all| all.get(section));
            let refused: Vec<Entry> = globals
                .map(|node| node.entries())
                .unwrap_or_default()
                .iter()
                .filter(|entry| names.contains(&entry.key.as_str()))
                .cloned()
                .collect();
            for entry in refused {
                self.tell(
                    "sam-globals",
                    entry.key_span,
                    format!(
                        "`{}` is not allowed in Globals; write it in each {noun}",
                        entry.key
                    ),
                );
            }
        }
    }

    /// The stage of an API is a text or a call; a REST API has to say one.
    pub(super) fn refuse_stage(&mut self, properties: &Node, id: Span, required: bool) {
        let stage = properties.get("StageName").filter(|node| !node.is_null());
        let (span, message) = match stage {
            None if required => (
                id,
                "`StageName` is missing, and SAM refuses an API without it".to_owned(),
            ),
            None => return,
            Some(node) => match other_than_text(node) {
                Some("list") => (
                    node.span,
                    "`StageName` is a list, and SAM takes only a text here".to_owned(),
                ),
                Some(kind) => (
                    node.span,
                    format!(
                        "`StageName` is a {kind}, and SAM takes only a text here; put it in quotes"
                    ),
                ),
                None => return,
            },
        };
        self.tell("sam-property", span, message);
    }

    /// An event names an API of the same template: its logical id or `Ref` to it.
    pub(super) fn refuse_api(&mut self, event: &Node, key: &str, rest: bool) {
        let Some(node) = event.get(key) else {
            return;
        };
        let name = referenced(node).or_else(|| node.text().map(str::to_owned));
        let named = name.and_then(|name| self.resources.get(&name));
        let kind = named.and_then(|resource| resource.get("Type")?.text());
        let fits = named.is_some() && !(rest && kind == Some("AWS::Serverless::HttpApi"));
        if fits {
            return;
        }
        let (span, of) = (
            node.full_span(),
            if rest { "a REST API" } else { "an HTTP API" },
        );
        self.tell(
            "sam-property",
            span,
            format!(
                "SAM refuses this `{key}`: it takes only `!Ref` to {of} of the same template; write the permission and the route out for one of another stack"
            ),
        );
    }
}

/// What a plain scalar is to YAML 1.1, or a list, where it is no text and no call.
fn other_than_text(node: &Node) -> Option<&'static str> {
    if node.tag.is_some() {
        return None;
    }
    match &node.kind {
        Kind::Seq(_) => Some("list"),
        Kind::Map(_) => None,
        Kind::Scalar(scalar) if scalar.style != Style::Plain => None,
        Kind::Scalar(scalar) => typed(&scalar.text),
    }
}

/// The type that YAML 1.1 gives an unquoted scalar, if it is none of text.
/// <https://yaml.org/type/>
fn typed(text: &str) -> Option<&'static str> {
    const TRUTHS: [&str; 6] = ["true", "false", "yes", "no", "on", "off"];
    let one_case = |word: &str| {
        let mut letters = word.chars();
        let first = letters.next();
        word == word.to_lowercase()
            || word == word.to_uppercase()
            || first.is_some_and(char::is_uppercase) && letters.all(char::is_lowercase)
    };
    if TRUTHS.iter().any(|word| word.eq_ignore_ascii_case(text)) && one_case(text) {
        return Some("truth value");
    }
    let mut parts = text.split(['T', 't', ' ']);
    if let Some(date) = parts.next()
        && date.len() == 10
        && date.bytes().enumerate().all(|(at, byte)| match at {
            4 | 7 => byte == b'-',
            _ => byte.is_ascii_digit(),
        })
        && parts.all(|part| part.starts_with(|c: char| c.is_ascii_digit() || c == 'Z' || c == '+'))
    {
        return Some("date");
    }
    let digits = text.strip_prefix(['+', '-']).unwrap_or(text);
    if matches!(digits, ".inf" | ".Inf" | ".INF") || matches!(text, ".nan" | ".NaN" | ".NAN") {
        return Some("number");
    }
    let all = |text: &str, allowed: &dyn Fn(u8) -> bool| {
        !text.is_empty() && text.bytes().all(|byte| byte == b'_' || allowed(byte))
    };
    let decimal = |byte: u8| byte.is_ascii_digit();
    let is_number = match digits.get(..2) {
        Some("0x") => all(digits.get(2..).unwrap_or_default(), &|byte| {
            byte.is_ascii_hexdigit()
        }),
        Some("0b") => all(digits.get(2..).unwrap_or_default(), &|byte| {
            matches!(byte, b'0' | b'1')
        }),
        _ => {
            let (mantissa, exponent) = digits.split_once(['e', 'E']).unwrap_or((digits, "+1"));
            let starts = |text: &str| text.starts_with(|c: char| c.is_ascii_digit());
            let point = mantissa.matches('.').count();
            let signed = exponent.strip_prefix(['+', '-']);
            if mantissa.contains(':') {
                starts(mantissa)
                    && mantissa.split(':').skip(1).all(|part| {
                        let part = part.split('.').next().unwrap_or(part);
                        matches!(part.len(), 1 | 2) && all(part, &decimal) && part < "60"
                    })
                    && all(mantissa, &|byte| {
                        decimal(byte) || matches!(byte, b':' | b'.')
                    })
            } else if point == 0 {
                // YAML 1.1 reads an exponent only behind a point, and 0 before octal digits only.
                mantissa.len() == digits.len()
                    && starts(mantissa)
                    && all(mantissa, &decimal)
                    && (!mantissa.starts_with('0')
                        || mantissa.len() == 1
                        || mantissa
                            .bytes()
                            .all(|byte| matches!(byte, b'0'..=b'7' | b'_')))
            } else {
                point == 1
                    && (starts(mantissa)
                        || mantissa
                            .strip_prefix('.')
                            .is_some_and(|rest| digits == text && starts(rest)))
                    && all(mantissa, &|byte| decimal(byte) || byte == b'.')
                    && signed.is_some_and(|digits| all(digits, &decimal))
            }
        }
    };
    is_number.then_some("number")
}

#[cfg(test)]
mod tests {
    use super::typed;
    use crate::testing::one;

    #[test]
    fn plain_scalars_have_the_types_of_yaml_1_1() {
        // As PyYAML, which the translator reads templates with, types them.
        for (kind, texts) in [
            (
                Some("number"),
                "1 -1 +1 0 012 0x1F 0b10 1_000 1.5 1. .5 1.0e+3 1:30 1:30:59 12:3.5 .inf -.Inf .nan 010 685_230.15",
            ),
            (Some("truth value"), "true True TRUE false yes No ON off"),
            (Some("date"), "2020-01-01 2001-12-14t21:59:43.10-05:00"),
            (
                None,
                "prod v1 1a 1e3 1.0e3 089 tRUE y n 1.2.3 2020-1-1 1:60 a:1 - + . _1 0x 0o17 2020-01-01x 1-1 -.5 $default 1:",
            ),
        ] {
            for text in texts.split(' ') {
                assert_eq!(typed(text), kind, "{text}");
            }
        }
        assert_eq!(typed(""), None);
        assert_eq!(typed("2001-12-14 21:59:43"), Some("date"));
    }

    fn told(body: &str) -> Vec<String> {
        let template = format!(
            "Transform: AWS::Serverless-2016-10-31\nParameters: {{P: {{Type: String}}}}\nResources:\n  Rest: {{Type: AWS::Serverless::Api, Properties: {{StageName: a}}}}\n  Http: {{Type: AWS::Serverless::HttpApi}}\n  Plain: {{Type: AWS::ApiGateway::RestApi}}\n{body}"
        );
        let found = one(&template);
        let span = |told: &overgrant_source::Diagnostic| {
            let span = told.span.unwrap();
            template.get(span.range()).unwrap().to_owned()
        };
        found
            .diagnostics
            .iter()
            .filter(|told| told.code == "sam-property")
            .map(span)
            .collect()
    }

    #[test]
    fn a_stage_that_sam_refuses_is_told_of() {
        // What aws-sam-translator 1.110.0 says of each.
        for (kind, stage, refused) in [
            ("Api", "{StageName: 1}", Some("1")),
            ("Api", "{StageName: 1.5}", Some("1.5")),
            ("Api", "{StageName: yes}", Some("yes")),
            ("Api", "{StageName: 2020-01-01}", Some("2020-01-01")),
            ("Api", "{StageName: [a]}", Some("[a]")),
            ("Api", "{}", Some("X")),
            ("Api", "{StageName: null}", Some("X")),
            ("Api", "{StageName: '1'}", None),
            ("Api", "{StageName: a-b}", None),
            ("Api", "{StageName: !Ref P}", None),
            ("Api", "{StageName: !ImportValue x}", None),
            ("HttpApi", "{StageName: 1}", Some("1")),
            ("HttpApi", "{StageName: [a]}", Some("[a]")),
            ("HttpApi", "{}", None),
            ("HttpApi", "{StageName: $default}", None),
        ] {
            let body = format!("  X: {{Type: AWS::Serverless::{kind}, Properties: {stage}}}\n");
            assert_eq!(
                told(&body).first().map(String::as_str),
                refused,
                "{kind} {stage}"
            );
        }
    }

    #[test]
    fn an_event_names_an_api_of_its_template() {
        // What aws-sam-translator 1.110.0 says of each.
        for (event, key, api, refused) in [
            ("Api", "RestApiId", "!Ref Rest", false),
            ("Api", "RestApiId", "{Ref: Plain}", false),
            ("Api", "RestApiId", "Rest", false),
            ("Api", "RestApiId", "!Ref Http", true),
            ("Api", "RestApiId", "!Ref P", true),
            ("Api", "RestApiId", "!Ref Missing", true),
            ("Api", "RestApiId", "!ImportValue shared", true),
            ("Api", "RestApiId", "{'Fn::ImportValue': shared}", true),
            ("Api", "RestApiId", "!Sub '${Rest}'", true),
            ("Api", "RestApiId", "abc123", true),
            ("HttpApi", "ApiId", "!Ref Http", false),
            ("HttpApi", "ApiId", "!ImportValue shared", true),
            ("HttpApi", "ApiId", "!Ref P", true),
        ] {
            let kinds = match event {
                "Api" => &["Function", "StateMachine"][..],
                _ => &["Function"],
            };
            for kind in kinds {
                let body = format!(
                    "  X: {{Type: AWS::Serverless::{kind}, Properties: {{Events: {{E: {{Type: {event}, Properties: {{Path: /a, Method: get, {key}: {api}}}}}}}}}}}\n"
                );
                let wanted: &[&str] = if refused { &[api] } else { &[] };
                assert_eq!(told(&body), wanted, "{kind} {api}");
            }
        }
    }
}
