//! Which roles the commands of a job assume.
//!
//! Not for running or understanding shell scripts: only the forms that AWS and the two services document
//! are known (`aws sts assume-role-with-web-identity --role-arn`, a profile with `role_arn` and
//! `web_identity_token_file`, the variables `AWS_ROLE_ARN` and `AWS_WEB_IDENTITY_TOKEN_FILE`). Invariant: a
//! role that hangs on a variable whose value is not written in the pipeline is unknown.
//! Sources: AWS CLI, "assume-role-with-web-identity" and "Using an IAM role"; GitLab, "Configure OpenID
//! Connect in AWS".

use overgrant_cloudformation::syntax::Node;
use overgrant_source::Span;
use overgrant_value::{Src, Val};
use std::collections::BTreeMap;
use std::sync::Arc;

const COMMAND: &str = "assume-role-with-web-identity";
const OPTION: &str = "--role-arn";
const PROFILE: &str = "role_arn";
const PROFILE_TOKEN: &str = "web_identity_token_file";
const VARIABLE: &str = "AWS_ROLE_ARN";
const VARIABLE_TOKEN: &str = "AWS_WEB_IDENTITY_TOKEN_FILE";

/// Variables in variables that are still followed.
const DEPTH: usize = 5;

/// A role that a job assumes: its ARN where it is told, and the place that tells it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Role {
    arn: Option<String>,
    span: Span,
}

impl Role {
    pub(super) fn into_val(self) -> Val {
        match self.arn {
            Some(arn) => Val::str(&arn, Src::at(self.span)),
            None => Val::unknown_because("a variable of the pipeline", Some(self.span)),
        }
    }
}

/// The variables of a job, by name; `None` where there is more than one value, or one from elsewhere.
#[derive(Debug, Default, Clone)]
pub(super) struct Variables(BTreeMap<String, Option<(String, Span)>>);

impl Variables {
    /// Sets a variable that a nearer place gives.
    pub(super) fn set(&mut self, name: &str, text: &str, span: Span) {
        self.0
            .insert(name.to_owned(), Some((text.to_owned(), span)));
    }

    /// A variable that may have any value.
    pub(super) fn open(&mut self, name: &str) {
        self.0.insert(name.to_owned(), None);
    }

    /// A variable that a command sets: another value than before leaves it open.
    fn assign(&mut self, name: &str, text: &str, span: Span) {
        let other = |known: &Option<(String, Span)>| known.as_ref().is_none_or(|one| one.0 != text);
        if self.0.get(name).is_some_and(other) {
            self.open(name);
        } else {
            self.set(name, text, span);
        }
    }

    /// A text with its variables replaced; `None` where one is not known.
    pub(super) fn expanded(&self, text: &str) -> Option<String> {
        self.expand(text, DEPTH)
    }

    fn expand(&self, text: &str, depth: usize) -> Option<String> {
        let Some((before, after)) = text.split_once('$') else {
            return Some(text.to_owned());
        };
        let (name, rest) = match after.strip_prefix('{') {
            Some(braced) => braced.split_once('}')?,
            None => after.split_at(name_length(after)),
        };
        if depth == 0 || name.is_empty() || name_length(name) != name.len() {
            return None;
        }
        let (value, _) = self.0.get(name)?.as_ref()?;
        let value = self.expand(value, depth - 1)?;
        Some(format!("{before}{value}{}", self.expand(rest, depth)?))
    }

    /// The role that a word stands for. A word that is one variable stands where that is set.
    fn role(&self, word: &str, span: Span) -> Role {
        let name = word
            .strip_prefix('$')
            .map(|name| name.trim_matches(['{', '}']));
        let set = name.and_then(|name| self.0.get(name)?.as_ref());
        Role {
            arn: self.expand(word, DEPTH).filter(|arn| !arn.contains("$[[")),
            span: set.map_or(span, |(_, span)| *span),
        }
    }
}

fn name_length(text: &str) -> usize {
    text.find(|c: char| !(c.is_ascii_alphanumeric() || c == '_'))
        .unwrap_or(text.len())
}

/// The roles that commands assume, each once, in their order.
pub(super) fn roles(mut variables: Variables, commands: &[Arc<Node>]) -> Vec<Role> {
    let texts = || {
        commands
            .iter()
            .filter_map(|node| Some((node, node.text()?)))
    };
    for (node, text) in texts() {
        assignments(&mut variables, node, text);
    }
    let says = |word: &str| texts().any(|(_, text)| text.contains(word));
    let profile = says(PROFILE_TOKEN);
    let mut found = Vec::new();
    for (node, text) in texts() {
        if text.contains(COMMAND) {
            words_after(text, OPTION)
                .for_each(|at| found.push(role_at(&variables, node, text, at)));
        }
        if profile {
            words_after(text, PROFILE)
                .for_each(|at| found.push(role_at(&variables, node, text, at)));
        }
    }
    let token = variables.0.contains_key(VARIABLE_TOKEN) || says(VARIABLE_TOKEN);
    if token && let Some(set) = variables.0.get(VARIABLE) {
        let known = set.as_ref();
        found.extend(known.map(|(text, span)| variables.role(text, *span)));
    }
    let mut once: Vec<Role> = Vec::new();
    for role in found {
        if !once.iter().any(|one| one.arn == role.arn) {
            once.push(role);
        }
    }
    once
}

/// A role that is written as such.
pub(super) fn written(variables: &Variables, node: &Node) -> Option<Role> {
    Some(variables.role(node.text()?, node.span))
}

/// Where the words begin and end that follow a name and a separator.
fn words_after<'a>(text: &'a str, name: &'a str) -> impl Iterator<Item = (usize, usize)> + 'a {
    text.match_indices(name).filter_map(move |(at, _)| {
        let rest = text.get(at + name.len()..)?;
        let word = rest.trim_start_matches([' ', '\t', '\n', '\r', '\\', '=', '"', '\'']);
        if word.len() == rest.len() {
            return None;
        }
        let start = text.len() - word.len();
        let length = word
            .find(|c: char| c.is_whitespace() || "\"'\\`);,".contains(c))
            .unwrap_or(word.len());
        (length > 0).then_some((start, start + length))
    })
}

fn role_at(variables: &Variables, node: &Node, text: &str, (start, end): (usize, usize)) -> Role {
    variables.role(
        text.get(start..end).unwrap_or_default(),
        part(node, start, end),
    )
}

/// The place of a part of a scalar.
fn part(node: &Node, start: usize, end: usize) -> Span {
    let part = node.scalar().and_then(|scalar| scalar.span_of(start..end));
    part.unwrap_or(node.span)
}

/// What `NAME=value` words of a command set.
fn assignments(variables: &mut Variables, node: &Node, text: &str) {
    let mut at = 0;
    for word in text.split([' ', '\t', '\n', ';']) {
        let start = at;
        at += word.len() + 1;
        let Some((name, value)) = word.split_once('=') else {
            continue;
        };
        if name.is_empty()
            || name_length(name) != name.len()
            || name.starts_with(|c: char| c.is_ascii_digit())
        {
            continue;
        }
        let bare = value.trim_matches(['"', '\'']);
        let from =
            start + name.len() + 1 + (value.len() - value.trim_start_matches(['"', '\'']).len());
        variables.assign(name, bare, part(node, from, from + bare.len()));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use overgrant_cloudformation::syntax::parse_yaml;
    use overgrant_source::Sources;

    const ARN: &str = "arn:aws:iam::111122223333:role/ci";

    fn found(commands: &str, given: &[(&str, &str)]) -> Vec<(Option<String>, String)> {
        let sources = Sources::new("/nowhere");
        let file = sources.add("a.yml", commands);
        let parsed = parse_yaml(&file).unwrap();
        let mut variables = Variables::default();
        for (name, text) in given {
            variables.set(name, text, parsed.root.span);
        }
        let roles = roles(variables, parsed.root.items());
        roles
            .into_iter()
            .map(|role| (role.arn, sources.slice(role.span)))
            .collect()
    }

    #[test]
    fn the_documented_ways_to_assume_a_role() {
        for commands in [
            format!(
                "- aws sts assume-role-with-web-identity --role-arn {ARN} --web-identity-token $T"
            ),
            format!(
                "- |\n  creds=$(aws sts assume-role-with-web-identity \\\n    --role-arn \"{ARN}\" \\\n    --output text)\n"
            ),
            format!(
                "- export AWS_ROLE_ARN={ARN}\n- export AWS_WEB_IDENTITY_TOKEN_FILE=$(pwd)/token\n"
            ),
            format!(
                "- 'echo -e \"[profile oidc]\\nrole_arn={ARN}\\nweb_identity_token_file=/tmp/token\" > ~/.aws/config'\n"
            ),
            format!(
                "- aws configure set web_identity_token_file /tmp/t\n- aws configure set role_arn {ARN}\n"
            ),
        ] {
            assert_eq!(
                found(&commands, &[]),
                [(Some(ARN.to_owned()), ARN.to_owned())],
                "{commands}"
            );
        }
        assert_eq!(found("- aws s3 ls\n- echo --role-arn x\n", &[]), []);
        assert_eq!(
            found(&format!("- export AWS_ROLE_ARN={ARN}\n"), &[]),
            [],
            "no token"
        );
    }

    #[test]
    fn variables_are_followed_where_they_are_written() {
        let use_of =
            |word: &str| format!("- aws sts assume-role-with-web-identity --role-arn {word}\n");
        let given = [
            ("ACCOUNT", "111122223333"),
            ("ROLE", "arn:aws:iam::${ACCOUNT}:role/ci"),
        ];
        for word in ["$ROLE", "${ROLE}", "\"arn:aws:iam::$ACCOUNT:role/ci\""] {
            let arns: Vec<_> = found(&use_of(word), &given)
                .into_iter()
                .map(|one| one.0)
                .collect();
            assert_eq!(arns, [Some(ARN.to_owned())], "{word}");
        }
        for word in ["$OTHER", "$(cat role)", "${ROLE:-x}"] {
            assert_eq!(found(&use_of(word), &given)[0].0, None, "{word}");
        }
        let twice = format!("- if x; then R=a; else R=b; fi\n{}", use_of("$R"));
        assert_eq!(found(&twice, &[])[0].0, None);
        let circle = [("A", "$B"), ("B", "$A")];
        assert_eq!(found(&use_of("$A"), &circle)[0].0, None);
    }
}
