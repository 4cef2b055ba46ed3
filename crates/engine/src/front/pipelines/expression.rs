//! Whether an `if` of GitLab CI/CD holds for a run.
//!
//! Invariant: what is not known of a run (variables of the project, values that a person gives) leaves the
//! answer open. Source: GitLab, "CI/CD job rules", "Predefined CI/CD variables reference".

use overgrant_value::Answer;
use regex::RegexBuilder;

/// What starts a pipeline.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// A branch: a push, a schedule, a person and the like.
    Branch,
    /// A tag.
    Tag,
    /// A merge request.
    MergeRequest,
}

/// One run, as far as it is chosen.
#[derive(Debug, Clone, Copy)]
pub(super) struct Run<'a> {
    pub(super) kind: Kind,
    /// The branch, the tag, or the source branch of the merge request; `None` for a name that is written
    /// nowhere in the conditions.
    pub(super) name: Option<&'a str>,
    /// Whether another pipeline of the project starts it.
    pub(super) child: bool,
}

/// What is known of a text.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Word {
    /// A variable that is not set.
    Null,
    Is(String),
    /// Any text but one that is written in the conditions.
    Other,
    /// Any text but this one.
    Not(&'static str),
    /// Any text, set and not empty.
    Some,
    /// Set or not, any text.
    Unknown,
}

const MERGE_REQUEST: &str = "merge_request_event";

impl Run<'_> {
    fn word(&self, name: &str) -> Word {
        let when = |kinds: &[Kind], word: Word| {
            if kinds.contains(&self.kind) {
                word
            } else {
                Word::Null
            }
        };
        let reference = || {
            self.name
                .map_or(Word::Other, |name| Word::Is(name.to_owned()))
        };
        match name {
            "CI_COMMIT_BRANCH" => when(&[Kind::Branch], reference()),
            "CI_COMMIT_TAG" => when(&[Kind::Tag], reference()),
            "CI_COMMIT_REF_NAME" => reference(),
            "CI_MERGE_REQUEST_SOURCE_BRANCH_NAME" => when(&[Kind::MergeRequest], reference()),
            "CI_DEFAULT_BRANCH" => Word::Some,
            "CI_PIPELINE_SOURCE" if self.child => Word::Some,
            "CI_PIPELINE_SOURCE" if self.kind == Kind::MergeRequest => {
                Word::Is(MERGE_REQUEST.to_owned())
            }
            "CI_PIPELINE_SOURCE" => Word::Not(MERGE_REQUEST),
            "CI_MERGE_REQUEST_ID"
            | "CI_MERGE_REQUEST_IID"
            | "CI_MERGE_REQUEST_TARGET_BRANCH_NAME" => when(&[Kind::MergeRequest], Word::Some),
            _ => Word::Unknown,
        }
    }

    /// Whether an expression holds; open where it is not understood.
    pub(super) fn holds(&self, text: &str) -> Answer {
        let mut parser = Parser {
            tokens: tokens(text),
            at: 0,
            run: self,
        };
        match parser.any() {
            Some(answer) if parser.at == parser.tokens.len() => answer,
            _ => Answer::May,
        }
    }
}

impl Word {
    fn is_set(&self) -> Answer {
        match self {
            Self::Null => Answer::No,
            Self::Is(text) => Answer::from_bool(!text.is_empty()),
            Self::Other | Self::Some => Answer::Must,
            Self::Not(_) | Self::Unknown => Answer::May,
        }
    }

    fn equals(&self, other: &Self) -> Answer {
        match (self, other) {
            (Self::Null, Self::Null) => Answer::Must,
            (Self::Is(a), Self::Is(b)) => Answer::from_bool(a == b),
            (Self::Other, Self::Is(_)) | (Self::Is(_), Self::Other) => Answer::No,
            (Self::Not(not), Self::Is(text)) | (Self::Is(text), Self::Not(not)) if text == not => {
                Answer::No
            }
            (Self::Null, Self::Unknown) | (Self::Unknown, Self::Null) => Answer::May,
            (Self::Null, _) | (_, Self::Null) => Answer::No,
            _ => Answer::May,
        }
    }

    fn matches(&self, pattern: &str, fold: bool) -> Answer {
        match self {
            Self::Null => Answer::No,
            Self::Is(text) => RegexBuilder::new(pattern)
                .case_insensitive(fold)
                .size_limit(1 << 20)
                .build()
                .map_or(Answer::May, |regex| Answer::from_bool(regex.is_match(text))),
            _ => Answer::May,
        }
    }
}

/// Whether a name matches `/pattern/flags`; open where that is no pattern.
pub(super) fn matches(name: Option<&str>, pattern: &str) -> Answer {
    match tokens(pattern).as_slice() {
        [Token::Pattern(pattern, fold)] => {
            let word = name.map_or(Word::Other, |name| Word::Is(name.to_owned()));
            word.matches(pattern, *fold)
        }
        _ => Answer::May,
    }
}

/// The texts that an expression compares with.
pub(super) fn literals(text: &str) -> Vec<String> {
    let found = tokens(text).into_iter().filter_map(|token| match token {
        Token::Text(text) => Some(text),
        _ => None,
    });
    found.collect()
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Token {
    Variable(String),
    Text(String),
    /// A pattern, and whether letter case counts for nothing.
    Pattern(String, bool),
    Null,
    Sign(&'static str),
    /// Something that is not understood.
    Other,
}

const SIGNS: [&str; 8] = ["==", "!=", "=~", "!~", "&&", "||", "(", ")"];

fn tokens(text: &str) -> Vec<Token> {
    let mut found = Vec::new();
    let mut rest = text.trim_start();
    while let Some(first) = rest.chars().next() {
        let (token, length) = token(rest, first);
        found.push(token);
        rest = rest.get(length..).unwrap_or_default().trim_start();
    }
    found
}

/// The first token and its bytes.
fn token(rest: &str, first: char) -> (Token, usize) {
    if let Some(sign) = SIGNS.iter().find(|sign| rest.starts_with(**sign)) {
        return (Token::Sign(sign), sign.len());
    }
    let after = rest.get(first.len_utf8()..).unwrap_or_default();
    let name = |text: &str| {
        text.find(|c: char| !(c.is_ascii_alphanumeric() || c == '_'))
            .unwrap_or(text.len())
    };
    match first {
        '$' => {
            let (open, inner) = after
                .strip_prefix('{')
                .map_or((0, after), |inner| (1, inner));
            let length = name(inner);
            let variable = inner.get(..length).unwrap_or_default().to_owned();
            (Token::Variable(variable), 1 + open * 2 + length)
        }
        '"' | '\'' => match after.split_once(first) {
            Some((text, _)) => (Token::Text(text.to_owned()), text.len() + 2),
            None => (Token::Other, rest.len()),
        },
        '/' => pattern(after).map_or((Token::Other, rest.len()), |(pattern, fold, length)| {
            (Token::Pattern(pattern, fold), length + 1)
        }),
        _ => match name(rest) {
            0 => (Token::Other, rest.len()),
            length if rest.get(..length) == Some("null") => (Token::Null, length),
            length => (Token::Other, length),
        },
    }
}

/// A pattern up to its `/`, whether it has the flag `i`, and the bytes of both.
fn pattern(text: &str) -> Option<(String, bool, usize)> {
    let mut escaped = false;
    let end = text.char_indices().find_map(|(at, c)| {
        let ends = c == '/' && !escaped;
        escaped = c == '\\' && !escaped;
        ends.then_some(at)
    })?;
    let (pattern, rest) = (text.get(..end)?, text.get(end + 1..)?);
    let flags = rest
        .find(|c: char| !c.is_ascii_alphabetic())
        .unwrap_or(rest.len());
    let fold = rest.get(..flags)?.contains('i');
    Some((pattern.replace("\\/", "/"), fold, end + 1 + flags))
}

struct Parser<'a> {
    tokens: Vec<Token>,
    at: usize,
    run: &'a Run<'a>,
}

impl Parser<'_> {
    fn next(&mut self) -> Option<Token> {
        let token = self.tokens.get(self.at).cloned();
        self.at += 1;
        token
    }

    fn sign(&mut self, wanted: &'static str) -> bool {
        let found = self.tokens.get(self.at) == Some(&Token::Sign(wanted));
        self.at += usize::from(found);
        found
    }

    fn any(&mut self) -> Option<Answer> {
        let mut answer = self.all()?;
        while self.sign("||") {
            answer = answer.or(self.all()?);
        }
        Some(answer)
    }

    fn all(&mut self) -> Option<Answer> {
        let mut answer = self.one()?;
        while self.sign("&&") {
            answer = answer.and(self.one()?);
        }
        Some(answer)
    }

    fn one(&mut self) -> Option<Answer> {
        if self.sign("(") {
            let answer = self.any()?;
            return self.sign(")").then_some(answer);
        }
        let left = self.word()?;
        if self.sign("==") {
            return Some(left.equals(&self.word()?));
        }
        if self.sign("!=") {
            return Some(left.equals(&self.word()?).negate());
        }
        let negated = self.sign("!~");
        if negated || self.sign("=~") {
            let answer = match self.next()? {
                Token::Pattern(pattern, fold) => left.matches(&pattern, fold),
                _ => Answer::May,
            };
            return Some(if negated { answer.negate() } else { answer });
        }
        Some(left.is_set())
    }

    fn word(&mut self) -> Option<Word> {
        match self.next()? {
            Token::Variable(name) => Some(self.run.word(&name)),
            Token::Text(text) => Some(Word::Is(text)),
            Token::Null => Some(Word::Null),
            Token::Pattern(..) | Token::Sign(_) | Token::Other => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn expressions_hold_for_runs() {
        use Answer::{May, Must, No};
        let run = |kind, name| Run {
            kind,
            name,
            child: false,
        };
        let main = run(Kind::Branch, Some("main"));
        let other = run(Kind::Branch, None);
        let tag = run(Kind::Tag, Some("v1.2"));
        let merge = run(Kind::MergeRequest, None);
        for (text, wanted) in [
            ("$CI_COMMIT_BRANCH", [Must, Must, No, No]),
            ("$CI_COMMIT_BRANCH == \"main\"", [Must, No, No, No]),
            (
                "$CI_COMMIT_BRANCH == $CI_DEFAULT_BRANCH",
                [May, May, No, No],
            ),
            (
                "$CI_COMMIT_BRANCH != null && $CI_COMMIT_BRANCH != 'main'",
                [No, Must, No, No],
            ),
            ("$CI_COMMIT_TAG", [No, No, Must, No]),
            ("$CI_COMMIT_TAG =~ /^v\\d+\\.\\d+$/", [No, No, Must, No]),
            ("$CI_COMMIT_TAG !~ /^V/i", [Must, Must, No, Must]),
            (
                "$CI_PIPELINE_SOURCE == \"merge_request_event\"",
                [No, No, No, Must],
            ),
            ("$CI_PIPELINE_SOURCE == \"schedule\"", [May, May, May, No]),
            (
                "($CI_COMMIT_TAG || $CI_MERGE_REQUEST_IID) && $DEPLOY",
                [No, No, May, May],
            ),
            ("$DEPLOY == \"yes\"", [May, May, May, May]),
            (
                "$CI_COMMIT_REF_NAME =~ /^(main|release\\/.*)$/",
                [Must, May, No, May],
            ),
            ("$CI_COMMIT_BRANCH ==", [May, May, May, May]),
            ("what is this", [May, May, May, May]),
        ] {
            let found = [main, other, tag, merge].map(|run| run.holds(text));
            assert_eq!(found, wanted, "{text}");
        }
        let child = Run {
            child: true,
            ..main
        };
        assert_eq!(
            child.holds("$CI_PIPELINE_SOURCE == \"merge_request_event\""),
            May
        );
    }
}
