//! Matching one text against one pattern, by the book.
//!
//! Not for speed and not for sets of texts: the engine has its own automata, and the two check each
//! other. Invariant: with no open part the answer is never `May`.

use crate::point::Scope;
use overgrant_value::{Answer, Piece, Shape, Sym, Text};
use smol_str::SmolStr;

/// One element of a pattern.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Part {
    Char(char),
    One,
    Run,
    /// An open part that has no character of its own.
    Open {
        colon: bool,
        slash: bool,
    },
}

/// Reads a pattern; policy variables are replaced by their values. `None` where a variable has
/// none and no default.
pub(super) fn read(text: &Text, wildcards: bool, scope: &Scope<'_>) -> Option<Vec<Part>> {
    let mut parts = Vec::new();
    for piece in text.pieces() {
        match piece {
            Piece::Lit(lit) => literal(lit.as_str(), wildcards, scope, &mut parts)?,
            Piece::Hole(hole) => match hole.sym {
                Sym::Partition => parts.extend("aws".chars().map(Part::Char)),
                Sym::UrlSuffix => parts.extend("amazonaws.com".chars().map(Part::Char)),
                _ => parts.push(Part::Open {
                    colon: !hole.shape.has(Shape::NO_COLON),
                    slash: !hole.shape.has(Shape::NO_SLASH),
                }),
            },
            Piece::Json(_) => parts.push(Part::Open {
                colon: true,
                slash: true,
            }),
        }
    }
    Some(parts)
}

fn literal(text: &str, wildcards: bool, scope: &Scope<'_>, parts: &mut Vec<Part>) -> Option<()> {
    let mut rest = text;
    loop {
        let (plain, variable) = match rest.split_once("${") {
            Some((plain, tail)) if scope.variables => match tail.split_once('}') {
                Some((name, after)) => (plain, Some((name, after))),
                None => (rest, None),
            },
            _ => (rest, None),
        };
        parts.extend(plain.chars().map(|c| match c {
            '*' if wildcards => Part::Run,
            '?' if wildcards => Part::One,
            c => Part::Char(c),
        }));
        let Some((name, after)) = variable else {
            return Some(());
        };
        parts.extend(value(name, scope)?.chars().map(Part::Char));
        rest = after;
    }
}

/// The value of a policy variable: `${*}`, `${?}` and `${$}` are characters, `${key, 'default'}`
/// has a default, and a multi-valued key has no value.
fn value(name: &str, scope: &Scope<'_>) -> Option<SmolStr> {
    if matches!(name, "*" | "?" | "$") {
        return Some(name.into());
    }
    let (key, default) = match name.split_once(',') {
        Some((key, default)) => (key.trim(), Some(default.trim())),
        None => (name.trim(), None),
    };
    match scope.context.get(key) {
        Some(crate::request::ContextValue::One(value)) => Some(value.clone()),
        _ => default.map(|text| {
            text.strip_prefix('\'')
                .and_then(|text| text.strip_suffix('\''))
                .unwrap_or(text)
                .into()
        }),
    }
}

/// Whether the pattern matches the whole text: every prefix of the pattern against every prefix of
/// the text.
pub(super) fn matches(pattern: &[Part], text: &str) -> Answer {
    let text: Vec<char> = text.chars().collect();
    // row[n]: whether the pattern so far matches the first n characters.
    let mut row = vec![false; text.len() + 1];
    if let Some(first) = row.first_mut() {
        *first = true;
    }
    for part in pattern {
        let mut next = vec![false; text.len() + 1];
        for (n, slot) in next.iter_mut().enumerate() {
            let before = n.checked_sub(1);
            let c = before.and_then(|n| text.get(n)).copied();
            let at = |n: Option<usize>| n.and_then(|n| row.get(n)).copied().unwrap_or(false);
            *slot = match part {
                Part::Char(p) => at(before) && c == Some(*p),
                Part::One => at(before),
                Part::Run => row.iter().take(n + 1).any(|hit| *hit),
                Part::Open { colon, slash } => (0..=n).any(|from| {
                    at(Some(from))
                        && text
                            .get(from..n)
                            .unwrap_or_default()
                            .iter()
                            .all(|c| (*c != ':' || *colon) && (*c != '/' || *slash))
                }),
            };
        }
        row = next;
    }
    let hit = row.last().copied().unwrap_or(false);
    let open = pattern.iter().any(|part| matches!(part, Part::Open { .. }));
    if open {
        Answer::from_bool(hit).at_most_may()
    } else {
        Answer::from_bool(hit)
    }
}

/// Cuts a pattern at its first five colons; fewer segments than six come back as they are.
fn segments(pattern: &[Part]) -> Vec<&[Part]> {
    pattern.splitn(6, |part| *part == Part::Char(':')).collect()
}

/// Whether a resource pattern matches the resource of a request. A `*` between the first five
/// colons stays in its segment, missing segments are `*`.
pub(super) fn resource(pattern: &[Part], resource: &str) -> Answer {
    if !pattern.is_empty() && pattern.iter().all(|part| *part == Part::Run) {
        return Answer::Must;
    }
    let wanted: Vec<&str> = resource.splitn(6, ':').collect();
    let cut = segments(pattern);
    let first_is_open = cut
        .first()
        .is_some_and(|first| first.iter().any(|part| matches!(part, Part::Open { .. })));
    if first_is_open || wanted.len() < 6 || cut.first().is_none_or(|first| !is_arn(first)) {
        return matches(pattern, resource);
    }
    wanted
        .iter()
        .enumerate()
        .map(|(n, wanted)| {
            cut.get(n)
                .map_or(Answer::Must, |part| matches(part, wanted))
        })
        .fold(Answer::Must, Answer::and)
}

/// Whether the pattern has a variable without a value in its resource part while its other segments
/// match: nobody can say then what the pattern selects.
pub(super) fn is_invalid_for(text: &Text, resource: &str, scope: &Scope<'_>) -> bool {
    if read(text, true, scope).is_some() {
        return false;
    }
    let plain = Scope {
        context: scope.context,
        variables: false,
    };
    let pattern = read(text, true, &plain).unwrap_or_default();
    let cut = segments(&pattern);
    resource
        .splitn(6, ':')
        .zip(cut)
        .take(5)
        .all(|(wanted, part)| matches(part, wanted).possible())
}

fn is_arn(segment: &[Part]) -> bool {
    segment == [Part::Char('a'), Part::Char('r'), Part::Char('n')]
}

/// As [`resource`], for `ArnEquals` and `ArnLike`: what is no ARN never matches.
pub(super) fn arn(pattern: &[Part], value: &str) -> Answer {
    let wanted: Vec<&str> = value.splitn(6, ':').collect();
    let cut = segments(pattern);
    if wanted.len() < 6 || wanted.first() != Some(&"arn") {
        return Answer::No;
    }
    if pattern
        .iter()
        .any(|part| matches!(part, Part::Open { colon: true, .. }))
    {
        return matches(pattern, value);
    }
    if cut.len() < 6 {
        return Answer::No;
    }
    wanted
        .iter()
        .zip(cut)
        .map(|(wanted, part)| matches(part, wanted))
        .fold(Answer::Must, Answer::and)
}
