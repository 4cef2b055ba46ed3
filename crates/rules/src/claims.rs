//! What the conditions on one claim accept together, as shapes of texts.
//!
//! Not for what a subject means, which the grammar of its issuer tells (`federation`). Invariant: what two
//! shapes have in common is never made smaller than it is, so that no gap is lost.

use crate::listed::matches;
use crate::skeleton::{HOLE, LITERAL, is_open, is_wild, skeleton};
use overgrant_value::Text;

/// The skeleton of a value: wildcards beside a `*` are part of it, since claims are never empty, and
/// policy variables are fixed text.
pub(crate) fn shape(text: &Text, wild: bool, variables: bool) -> String {
    let text = skeleton(text, wild);
    collapsed(&if variables {
        without_variables(&text)
    } else {
        text
    })
}

/// Runs of wildcards with a `*` as one `*`.
fn collapsed(text: &str) -> String {
    let mut result = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find(['*', '?']) {
        let (before, after) = rest.split_at(at);
        let end = after
            .find(|c| !matches!(c, '*' | '?'))
            .unwrap_or(after.len());
        let (run, next) = after.split_at(end);
        result.push_str(before);
        result.push_str(if run.contains('*') { "*" } else { run });
        rest = next;
    }
    result.push_str(rest);
    result
}

/// `${*}` and the like are the character, other variables are one text that is not known here.
fn without_variables(text: &str) -> String {
    let mut result = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("${") {
        let Some((name, next)) = after.split_once('}') else {
            break;
        };
        result.push_str(before);
        let mut characters = name.chars();
        let escape = matches!(
            (characters.next(), characters.next()),
            (Some('*' | '?' | '$' | LITERAL), None)
        );
        result.push(if escape { LITERAL } else { HOLE });
        rest = next;
    }
    result.push_str(rest);
    result
}

/// Shapes that hold all that both accept; none where they exclude each other.
pub(crate) fn meet(a: &str, b: &str) -> Vec<String> {
    let open = is_open(a) || is_open(b);
    match (is_wild(a), is_wild(b)) {
        (false, false) => (open || a == b).then(|| a.to_owned()).into_iter().collect(),
        (false, true) => (open || matches(b, a))
            .then(|| a.to_owned())
            .into_iter()
            .collect(),
        (true, false) => meet(b, a),
        (true, true) if open => vec![a.to_owned()],
        (true, true) => patterns(a, b),
    }
}

/// By what stands before the first wildcard and behind the last one.
fn patterns(a: &str, b: &str) -> Vec<String> {
    let start = |text: &str| text.split(['*', '?']).next().unwrap_or_default().to_owned();
    let end = |text: &str| {
        text.rsplit(['*', '?'])
            .next()
            .unwrap_or_default()
            .to_owned()
    };
    let ([short, start], [little, end]) =
        (by_length(start(a), start(b)), by_length(end(a), end(b)));
    if !start.starts_with(&short) || !end.ends_with(&little) {
        return Vec::new();
    }
    let mut shapes = vec![format!("{start}*{end}")];
    // The end may begin inside the start.
    for (at, c) in end.char_indices() {
        let (shared, rest) = end.split_at(at + c.len_utf8());
        if start.ends_with(shared) {
            shapes.push(format!("{start}{rest}"));
        }
    }
    shapes
}

fn by_length(a: String, b: String) -> [String; 2] {
    if a.len() <= b.len() { [a, b] } else { [b, a] }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wildcards_beside_a_star_are_the_star() {
        for (text, wanted) in [("?*", "*"), ("a*?*b", "a*b"), ("a??b", "a??b"), ("**", "*")] {
            assert_eq!(collapsed(text), wanted);
        }
    }

    #[test]
    fn variables_are_fixed_text() {
        let of = |text| shape(&Text::known(text), true, true);
        assert!(!is_wild(&of("repo:${*}/x")));
        assert!(is_open(&of("repo:${aws:PrincipalTag/owner}/x")));
        assert_eq!(of("a${b"), "a${b");
    }

    #[test]
    fn patterns_meet_in_start_and_end() {
        let both = |a, b| meet(a, b);
        assert_eq!(
            both("repo:acme/x:*", "*:prod"),
            ["repo:acme/x:*:prod", "repo:acme/x:prod"]
        );
        assert!(both("repo:acme/*", "repo:evil/*").is_empty());
        assert!(both("repo:acme/x", "repo:*").contains(&"repo:acme/x".to_owned()));
        assert!(both("repo:acme/x", "repo:acme/y").is_empty());
        assert!(both("a*b", "a*c").is_empty());
    }
}
