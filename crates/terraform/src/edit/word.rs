//! Words that an edit writes: texts, and values that are another one but for their end.
//!
//! Not for where they are written. Invariant: an expression is copied only to where everything it names
//! is there too, and its end is cut only where it is a literal.

use super::flow::{Notation, Tree, quoted};
use super::{Configuration, expressions, range};
use crate::syntax::tree::{Body, Expr, ExprKind, Part};
use overgrant_source::{Span, Word};

impl Configuration {
    /// A word for the place `at`.
    pub(super) fn word<'w>(
        &self,
        notation: Notation,
        word: &'w Word,
        at: Span,
    ) -> Option<Tree<'w>> {
        let (place, end, to) = match word {
            Word::Text(text) => return Some(Tree::Text(text)),
            Word::Like { place, end, to } => (*place, end.as_str(), to.as_str()),
        };
        if place.file != at.file || !is_reachable(&self.body, place, at) {
            return None;
        }
        let text = self.file.text();
        let written = match notation {
            Notation::Json => {
                let mut there = false;
                self.nodes(&mut |flow, node| {
                    there |= flow.notation() == notation && node.holds(&range(place));
                });
                let inner = text
                    .get(range(place))?
                    .strip_prefix('"')?
                    .strip_suffix('"')?;
                there.then_some(format!("\"{}{}\"", inner.strip_suffix(end)?, plain(to)?))
            }
            Notation::Hcl => {
                let mut found = None;
                expressions(&self.body, &mut |expr| {
                    if found.is_none() && expr.span == place {
                        found = Some(like(text, expr, end, to));
                    }
                });
                found?
            }
        };
        written.map(Tree::Written)
    }

    /// Several words; a single one is no list.
    pub(super) fn leaf<'w>(
        &self,
        notation: Notation,
        words: &'w [Word],
        at: Span,
    ) -> Option<Tree<'w>> {
        match words {
            [only] => self.word(notation, only, at),
            several => Some(Tree::List(self.words(notation, several, at)?)),
        }
    }

    pub(super) fn words<'w>(
        &self,
        notation: Notation,
        words: &'w [Word],
        at: Span,
    ) -> Option<Vec<Tree<'w>>> {
        let words = words.iter().map(|word| self.word(notation, word, at));
        words.collect()
    }

    /// Words as a list of HCL.
    pub(super) fn list(&self, words: &[Word], at: Span) -> Option<String> {
        let words = self.words(Notation::Hcl, words, at)?;
        let words: Vec<String> = words
            .into_iter()
            .map(|word| match word {
                Tree::Written(text) => text,
                Tree::Text(text) => quoted(text),
                Tree::List(_) | Tree::Map(_) => String::new(),
            })
            .collect();
        Some(format!("[{}]", words.join(", ")))
    }
}

/// The expression with another end.
fn like(text: &str, expr: &Expr, end: &str, to: &str) -> Option<String> {
    let written = text.get(range(expr.span))?;
    let to = plain(to)?;
    match &expr.kind {
        ExprKind::Template(parts) => {
            let inner = written.strip_prefix('"')?.strip_suffix('"')?;
            let kept = inner.strip_suffix(end)?;
            match parts.as_slice() {
                // Nothing but the interpolation is left of `"${x}/*"`.
                [Part::Interp(only), rest @ ..]
                    if to.is_empty() && rest.len() < 2 && kept.ends_with('}') =>
                {
                    text.get(range(only.span)).map(str::to_owned)
                }
                _ => Some(format!("\"{kept}{to}\"")),
            }
        }
        ExprKind::Traversal(..) | ExprKind::Root(_)
            if end.is_empty() && !written.contains('\n') =>
        {
            Some(match to {
                "" => written.to_owned(),
                to => format!("\"${{{written}}}{to}\""),
            })
        }
        _ => None,
    }
}

/// A text that needs no escapes in either notation.
fn plain(text: &str) -> Option<&str> {
    text.chars()
        .all(|c| c.is_ascii_alphanumeric() || "-_./:*?".contains(c))
        .then_some(text)
}

/// Whether the variables of every `dynamic` block and `for` around `place` are there at `at` too.
fn is_reachable(body: &Body, place: Span, at: Span) -> bool {
    let hides = |scope: Span| scope.contains(place) && !scope.contains(at);
    let mut reachable = true;
    expressions(body, &mut |expr| {
        reachable &= !(matches!(expr.kind, ExprKind::For(_)) && hides(expr.span));
    });
    reachable
        && !body
            .blocks
            .iter()
            .any(|block| hidden_by_dynamic(block, &hides))
}

fn hidden_by_dynamic(block: &crate::syntax::tree::Block, hides: &dyn Fn(Span) -> bool) -> bool {
    block.kind == "dynamic" && hides(block.span)
        || block
            .body
            .blocks
            .iter()
            .any(|inner| hidden_by_dynamic(inner, hides))
}
