//! Scalars as ropes, and the dynamic references in them.
//!
//! Not for `Fn::Sub`'s holes: see `functions`. Invariant: the literal rest of a string with a
//! dynamic reference keeps its places.

use crate::syntax::Scalar;
use overgrant_value::{Lit, Marks, Piece, Src, Sym, Text, Val};

/// The scalar's text with its places.
pub(crate) fn of_scalar(scalar: &Scalar) -> Text {
    Text::from(Piece::Lit(Lit::placed(
        scalar.text.clone(),
        scalar.places.clone(),
    )))
}

/// The value of a text in which `{{resolve:service:reference}}` may stand; such a part is a hole,
/// and a value that holds a secret is marked.
///
/// <https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/dynamic-references.html>
pub(crate) fn with_dynamic_references(text: Text, src: Src) -> Val {
    const OPEN: &str = "{{resolve:";
    let mut out = Text::empty();
    // The reference that was opened and not closed yet: its words so far and its first place.
    let mut open: Option<(String, Src)> = None;
    let mut secret = false;
    for piece in text.pieces() {
        let Piece::Lit(lit) = piece else {
            match &mut open {
                Some((words, _)) => {
                    words.push_str(&Text::from(piece.clone()).to_string());
                }
                None => out.push(piece.clone()),
            }
            continue;
        };
        let all = lit.as_str();
        let mut at = 0;
        while at < all.len() {
            let rest = all.get(at..).unwrap_or_default();
            if let Some((words, from)) = &mut open {
                let Some((inside, _)) = rest.split_once("}}") else {
                    words.push_str(rest);
                    break;
                };
                words.push_str(inside);
                secret |= words.starts_with("ssm-secure:") || words.starts_with("secretsmanager:");
                out.append(&Text::hole(
                    Sym::Dynamic(words.as_str().into()),
                    from.clone(),
                ));
                at += inside.len() + 2;
                open = None;
                continue;
            }
            let Some((before, _)) = rest.split_once(OPEN) else {
                if let Some(lit) = lit.slice(at..all.len()) {
                    out.push(Piece::Lit(lit));
                }
                break;
            };
            let start = at + before.len();
            if let Some(lit) = lit.slice(at..start) {
                out.push(Piece::Lit(lit));
            }
            let end = rest
                .get(before.len()..)
                .and_then(|tail| tail.find("}}"))
                .map_or(all.len(), |len| start + len + 2);
            let place = lit
                .slice(start..end)
                .map_or_else(Src::none, |lit| lit.src());
            open = Some((String::new(), place));
            at = start + OPEN.len();
        }
    }
    if let Some((words, from)) = open {
        out.append(&Text::hole(Sym::Dynamic(words.into()), from));
    }
    let val = Val::text(out, src);
    if secret {
        val.marked(Marks::SENSITIVE)
    } else {
        val
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use overgrant_source::{FileId, Span};

    fn resolve(text: &str) -> (String, bool) {
        let span = Span::new(FileId(0), 0, u32::try_from(text.len()).unwrap());
        let val = with_dynamic_references(Text::exact(text, span), Src::none());
        let secret = val.marks().has(Marks::SENSITIVE);
        (val.to_text().unwrap().to_string(), secret)
    }

    #[test]
    fn references_are_holes_and_the_rest_stays() {
        assert_eq!(
            resolve("a{{resolve:ssm:/x:1}}b{{resolve:secretsmanager:s:SecretString:k}}"),
            (
                "a${{{resolve:ssm:/x:1}}}b${{{resolve:secretsmanager:s:SecretString:k}}}".into(),
                true
            )
        );
        assert_eq!(
            resolve("{{resolve:ssm:/x"),
            ("${{{resolve:ssm:/x}}}".into(), false)
        );
    }

    #[test]
    fn a_reference_may_hold_a_hole() {
        let text = Text::known("x{{resolve:ssm:/")
            .concat(&Text::hole(Sym::Region, Src::none()))
            .concat(&Text::known("/y}}z"));
        let val = with_dynamic_references(text, Src::none());
        assert_eq!(val.to_text().unwrap().holes().count(), 1);
        assert!(val.to_text().unwrap().to_string().ends_with("}}}z"));
    }
}
