//! Operations on ropes that keep what is known: comparison, affixes, splitting, replacing, case.
//!
//! Not for the functions of one language with their errors: front ends build those on these.
//! Invariant: an answer `Must` or `No` and every returned text hold for all values of the holes;
//! `None` means that the result cannot be told.

use crate::{Answer, Lit, Piece, Shape, Sym, Text};

impl Text {
    /// Whether both texts are equal for all, some or no values of their holes.
    #[must_use]
    pub fn equals(&self, other: &Self) -> Answer {
        if self.same_text(other) {
            return Answer::Must;
        }
        if self.is_known() && other.is_known() {
            return Answer::No;
        }
        let (a, b) = (self.leading(), other.leading());
        let (x, y) = (self.trailing(), other.trailing());
        let heads = a.starts_with(&b) || b.starts_with(&a);
        let tails = x.ends_with(&y) || y.ends_with(&x);
        if heads && tails && self.may_have_text_of(other) && other.may_have_text_of(self) {
            Answer::May
        } else {
            Answer::No
        }
    }

    /// Whether a known `other` can arise from this text: shapes of holes rule some out.
    fn may_have_text_of(&self, other: &Self) -> bool {
        let Some(known) = other.as_known() else {
            return true;
        };
        let least: usize = self
            .pieces()
            .iter()
            .map(|piece| match piece {
                Piece::Lit(lit) => lit.as_str().len(),
                Piece::Hole(hole) => usize::from(hole.shape.has(Shape::NOT_EMPTY)),
                Piece::Json(_) => 1,
            })
            .sum();
        let count = |c: char| -> usize {
            self.pieces()
                .iter()
                .map(|piece| match piece {
                    Piece::Lit(lit) => lit.as_str().matches(c).count(),
                    _ => 0,
                })
                .sum()
        };
        let closed = |shape: Shape| {
            self.pieces().iter().all(|piece| match piece {
                Piece::Lit(_) => true,
                Piece::Hole(hole) => hole.shape.has(shape),
                Piece::Json(_) => false,
            })
        };
        least <= known.len()
            && (!closed(Shape::NO_COLON) || count(':') == known.matches(':').count())
            && (!closed(Shape::NO_SLASH) || count('/') == known.matches('/').count())
    }

    /// The known characters before the first hole.
    #[must_use]
    pub fn leading(&self) -> String {
        let known = self.pieces().iter().map_while(|piece| match piece {
            Piece::Lit(lit) => Some(lit.as_str()),
            _ => None,
        });
        known.collect()
    }

    /// The known characters after the last hole.
    #[must_use]
    pub fn trailing(&self) -> String {
        let mut parts: Vec<&str> = self
            .pieces()
            .iter()
            .rev()
            .map_while(|piece| match piece {
                Piece::Lit(lit) => Some(lit.as_str()),
                _ => None,
            })
            .collect();
        parts.reverse();
        parts.concat()
    }

    /// Whether the text begins with `prefix`.
    #[must_use]
    pub fn starts_with(&self, prefix: &str) -> Answer {
        let head = self.leading();
        if head.starts_with(prefix) {
            Answer::Must
        } else if self.is_known() || !prefix.starts_with(&head) {
            Answer::No
        } else {
            Answer::May
        }
    }

    /// Whether the text ends with `suffix`.
    #[must_use]
    pub fn ends_with(&self, suffix: &str) -> Answer {
        let tail = self.trailing();
        if tail.ends_with(suffix) {
            Answer::Must
        } else if self.is_known() || !suffix.ends_with(&tail) {
            Answer::No
        } else {
            Answer::May
        }
    }

    /// Whether the text contains `needle`.
    #[must_use]
    pub fn contains(&self, needle: &str) -> Answer {
        if self.literal_runs().iter().any(|run| run.contains(needle)) {
            Answer::Must
        } else if self.is_known() || self.no_hole_can_hold(needle) {
            Answer::No
        } else {
            Answer::May
        }
    }

    /// Whether the text is empty.
    #[must_use]
    pub fn emptiness(&self) -> Answer {
        if self.pieces().is_empty() {
            return Answer::Must;
        }
        let filled = self.pieces().iter().any(|piece| match piece {
            Piece::Lit(_) | Piece::Json(_) => true,
            Piece::Hole(hole) => hole.shape.has(Shape::NOT_EMPTY),
        });
        if filled { Answer::No } else { Answer::May }
    }

    /// Whether no match of `needle` can take a character from a hole: one character that holes do not
    /// have, or a marker such as `_NAME_` beside holes for account, region and partition.
    fn no_hole_can_hold(&self, needle: &str) -> bool {
        let mut chars = needle.chars();
        let (Some(c), None) = (chars.next(), chars.next()) else {
            return is_marker(needle)
                && self.pieces().iter().all(|piece| match piece {
                    Piece::Lit(_) => true,
                    Piece::Hole(hole) => matches!(
                        hole.sym,
                        Sym::Account | Sym::Region | Sym::Partition | Sym::UrlSuffix
                    ),
                    Piece::Json(_) => false,
                });
        };
        let shape = match c {
            ':' => Shape::NO_COLON,
            '/' => Shape::NO_SLASH,
            '*' | '?' => Shape::NO_WILDCARD,
            _ => return false,
        };
        self.pieces().iter().all(|piece| match piece {
            Piece::Lit(_) => true,
            Piece::Hole(hole) => hole.shape.has(shape),
            Piece::Json(_) => false,
        })
    }

    /// The literal characters between holes, adjacent literals joined.
    fn literal_runs(&self) -> Vec<String> {
        let mut runs = vec![String::new()];
        for piece in self.pieces() {
            match piece {
                Piece::Lit(lit) => {
                    if let Some(run) = runs.last_mut() {
                        run.push_str(lit.as_str());
                    }
                }
                _ => runs.push(String::new()),
            }
        }
        runs
    }

    /// Splits at a one-character separator. `None` where a hole might hold it.
    #[must_use]
    pub fn split(&self, separator: char) -> Option<Vec<Self>> {
        let needle = separator.to_string();
        if !self.is_known() && !self.no_hole_can_hold(&needle) {
            return None;
        }
        Some(self.split_where_known(separator))
    }

    /// Splits at the separators that stand in literals, taking holes to hold none.
    #[must_use]
    pub fn split_where_known(&self, separator: char) -> Vec<Self> {
        self.splitn_where_known(usize::MAX, separator)
    }

    /// As [`Self::split_where_known`], into `most` parts at most: the last one keeps what follows.
    #[must_use]
    pub fn splitn_where_known(&self, most: usize, separator: char) -> Vec<Self> {
        let mut parts = vec![Self::empty()];
        for piece in self.pieces() {
            let Piece::Lit(lit) = piece else {
                if let Some(part) = parts.last_mut() {
                    part.push(piece.clone());
                }
                continue;
            };
            let mut from = 0;
            let left = (most - parts.len()).saturating_add(1);
            for (index, run) in lit.as_str().splitn(left, separator).enumerate() {
                if index > 0 {
                    parts.push(Self::empty());
                }
                let cut = match run.len() {
                    0 => None,
                    length if length == lit.as_str().len() => Some(lit.clone()),
                    length => lit.slice(from..from + length),
                };
                if let (Some(part), Some(cut)) = (parts.last_mut(), cut) {
                    part.push(Piece::Lit(cut));
                }
                from += run.len() + separator.len_utf8();
            }
        }
        parts
    }

    /// The bytes `range` of a fully known text, with their places.
    #[must_use]
    pub fn slice(&self, range: std::ops::Range<usize>) -> Option<Self> {
        let mut result = Self::empty();
        let mut at = 0;
        for piece in self.pieces() {
            let Piece::Lit(lit) = piece else { return None };
            let end = at + lit.as_str().len();
            let (from, to) = (range.start.max(at), range.end.min(end));
            if from < to {
                result.push(Piece::Lit(lit.slice(from - at..to - at)?));
            }
            at = end;
        }
        (range.end <= at && range.start <= range.end).then_some(result)
    }

    /// Cuts `count` bytes off the front; `None` where they are not all known.
    #[must_use]
    pub fn without_prefix(&self, count: usize) -> Option<Self> {
        let mut left = count;
        let mut result = Self::empty();
        for piece in self.pieces() {
            match piece {
                Piece::Lit(lit) if left > 0 => {
                    let cut = left.min(lit.as_str().len());
                    result.push(Piece::Lit(lit.slice(cut..lit.as_str().len())?));
                    left -= cut;
                }
                _ if left > 0 => return None,
                other => result.push(other.clone()),
            }
        }
        (left == 0).then_some(result)
    }

    /// Cuts `count` bytes off the end; `None` where they are not all known.
    #[must_use]
    pub fn without_suffix(&self, count: usize) -> Option<Self> {
        let mut left = count;
        let mut kept: Vec<Piece> = Vec::new();
        for piece in self.pieces().iter().rev() {
            match piece {
                Piece::Lit(lit) if left > 0 => {
                    let length = lit.as_str().len();
                    let cut = left.min(length);
                    kept.push(Piece::Lit(lit.slice(0..length - cut)?));
                    left -= cut;
                }
                _ if left > 0 => return None,
                other => kept.push(other.clone()),
            }
        }
        (left == 0).then(|| kept.into_iter().rev().collect())
    }

    /// Applies `change` to every literal; `change` says whether byte n of the result comes from
    /// byte n. `None` where there is a hole.
    #[must_use]
    pub fn map_known(&self, change: impl Fn(&str) -> (String, bool)) -> Option<Self> {
        self.pieces()
            .iter()
            .map(|piece| match piece {
                Piece::Lit(lit) => {
                    let (text, same) = change(lit.as_str());
                    Some(Piece::Lit(lit.mapped(text, same)))
                }
                _ => None,
            })
            .collect()
    }

    /// Replaces a literal needle in a fully known text, or in the literals of one whose holes
    /// cannot take part in a match (a needle of one character that no hole can hold).
    #[must_use]
    pub fn replace(&self, needle: &str, with: &Self) -> Option<Self> {
        if needle.is_empty() || (!self.is_known() && !self.no_hole_can_hold(needle)) {
            return None;
        }
        if !self.is_known() {
            return Some(self.replace_in_literals(needle, with));
        }
        let text = self.as_known()?;
        let mut result = Self::empty();
        let mut from = 0;
        for (at, found) in text.match_indices(needle) {
            result.append(&self.slice(from..at)?);
            result.append(with);
            from = at + found.len();
        }
        result.append(&self.slice(from..text.len())?);
        Some(result)
    }

    fn replace_in_literals(&self, needle: &str, with: &Self) -> Self {
        let mut result = Self::empty();
        for piece in self.pieces() {
            let Piece::Lit(lit) = piece else {
                result.push(piece.clone());
                continue;
            };
            let mut from = 0;
            for (at, found) in lit.as_str().match_indices(needle) {
                push_cut(&mut result, lit, from..at);
                result.append(with);
                from = at + found.len();
            }
            push_cut(&mut result, lit, from..lit.as_str().len());
        }
        result
    }
}

/// Whether a text neither begins nor ends with a character of account ids, regions, partitions and
/// DNS suffixes, nor holds one of them: 12 digits, `-`, `aws`, `.`.
fn is_marker(text: &str) -> bool {
    let theirs = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-' || c == '.';
    let digits = text.split(|c: char| !c.is_ascii_digit());
    !text.starts_with(theirs)
        && !text.ends_with(theirs)
        && !text.contains(['-', '.'])
        && !text.contains("aws")
        && digits.into_iter().all(|run| run.len() < 12)
}

fn push_cut(text: &mut Text, lit: &Lit, range: std::ops::Range<usize>) {
    if let Some(cut) = lit.slice(range) {
        text.push(Piece::Lit(cut));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Src, Sym};
    use overgrant_source::{FileId, Span};

    fn hole(sym: Sym) -> Text {
        Text::hole(sym, Src::none())
    }

    fn open() -> Text {
        hole(Sym::Input {
            root: "r".into(),
            module: "".into(),
            name: "x".into(),
        })
    }

    #[test]
    fn comparison_keeps_to_what_is_sure() {
        let arn = Text::known("arn:aws:iam::")
            .concat(&hole(Sym::Account))
            .concat(&Text::known(":root"));
        assert_eq!(arn.equals(&arn.clone()), Answer::Must);
        assert_eq!(
            arn.equals(&Text::known("arn:aws:iam::123456789012:root")),
            Answer::May
        );
        assert_eq!(
            arn.equals(&Text::known("arn:aws:iam::1:2:root")),
            Answer::No
        );
        assert_eq!(arn.equals(&Text::known("arn:aws:s3:::b")), Answer::No);
        assert_eq!(arn.starts_with("arn:aws:"), Answer::Must);
        assert_eq!(arn.starts_with("arn:aws:iam::1"), Answer::May);
        assert_eq!(arn.ends_with(":root"), Answer::Must);
        assert_eq!(arn.contains("*"), Answer::No);
        assert_eq!(open().contains("*"), Answer::May);
        assert_eq!(open().emptiness(), Answer::May);
        assert_eq!(hole(Sym::Account).emptiness(), Answer::No);
    }

    #[test]
    fn splitting_needs_holes_that_cannot_hold_the_separator() {
        let arn = Text::known("a:b")
            .concat(&hole(Sym::Region))
            .concat(&Text::known(":c"));
        let parts: Vec<String> = arn
            .split(':')
            .unwrap()
            .iter()
            .map(ToString::to_string)
            .collect();
        assert_eq!(parts, ["a", "b${the region}", "c"]);
        assert_eq!(open().split(':'), None);
    }

    #[test]
    fn places_survive_cutting() {
        let text = Text::exact("hello-world", Span::new(FileId(0), 10, 21));
        let cut = text.slice(6..11).unwrap();
        assert_eq!(cut.span(), Some(Span::new(FileId(0), 16, 21)));
        let swapped = text.replace("world", &Text::known("all")).unwrap();
        assert!(swapped.is("hello-all"));
        assert_eq!(swapped.span(), Some(Span::new(FileId(0), 10, 16)));
        assert_eq!(
            text.without_prefix(6).unwrap().span(),
            Some(Span::new(FileId(0), 16, 21))
        );
        assert_eq!(text.without_suffix(6).unwrap().as_known().unwrap(), "hello");
        assert_eq!(
            text.src_of(1..3).unwrap().span,
            Some(Span::new(FileId(0), 11, 13))
        );
    }
}
