//! The places of a literal's bytes.
//!
//! Not for what the bytes mean. Invariant: segments are in order and do not overlap, and one that
//! covers the whole literal takes no room of its own, as nearly every literal has just that one.

use overgrant_source::Span;

/// A run of a literal that stands in a source file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Seg {
    /// Offset in the literal, in bytes.
    pub at: u32,
    /// Length in the literal, in bytes.
    pub len: u32,
    /// The bytes in the source.
    pub span: Span,
    /// Whether the run is the source's bytes one to one (no escape, no function in between).
    pub exact: bool,
}

/// The runs of a literal, in order. They do not know the literal's length, which is given with it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Segs(Repr);

#[derive(Debug, Clone, Default, PartialEq, Eq)]
enum Repr {
    #[default]
    None,
    /// One run over all of it.
    Exact(Span),
    Derived(Span),
    Parts(Box<Parts>),
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Parts(Vec<Seg>);

impl Segs {
    /// No place at all.
    #[must_use]
    pub const fn none() -> Self {
        Self(Repr::None)
    }

    /// One run over the whole literal; see [`Seg::exact`].
    #[must_use]
    pub const fn whole(span: Span, exact: bool) -> Self {
        Self(if exact {
            Repr::Exact(span)
        } else {
            Repr::Derived(span)
        })
    }

    /// The runs of a literal of `len` bytes.
    #[must_use]
    pub fn new(runs: impl IntoIterator<Item = Seg>, len: usize) -> Self {
        let mut runs = runs.into_iter();
        let Some(first) = runs.next() else {
            return Self::none();
        };
        let Some(second) = runs.next() else {
            if first.at == 0 && first.len as usize == len {
                return Self::whole(first.span, first.exact);
            }
            return Self(Repr::Parts(Box::new(Parts(vec![first]))));
        };
        let mut parts = vec![first, second];
        parts.extend(runs);
        Self(Repr::Parts(Box::new(Parts(parts))))
    }

    /// The runs in order, for the literal of `len` bytes that they belong to.
    pub fn iter(&self, len: usize) -> impl DoubleEndedIterator<Item = Seg> + '_ {
        let one = |span, exact| Seg {
            at: 0,
            len: u32::try_from(len).unwrap_or(u32::MAX),
            span,
            exact,
        };
        let (whole, parts): (_, &[Seg]) = match &self.0 {
            Repr::None => (None, &[]),
            Repr::Exact(span) => (Some(one(*span, true)), &[]),
            Repr::Derived(span) => (Some(one(*span, false)), &[]),
            Repr::Parts(parts) => (None, &parts.0),
        };
        whole.into_iter().chain(parts.iter().copied())
    }

    /// Whether no byte has a place.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        matches!(self.0, Repr::None)
    }

    /// How many runs there are.
    #[must_use]
    pub fn count(&self) -> usize {
        match &self.0 {
            Repr::None => 0,
            Repr::Exact(_) | Repr::Derived(_) => 1,
            Repr::Parts(parts) => parts.0.len(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use overgrant_source::FileId;

    fn seg(at: u32, len: u32) -> Seg {
        Seg {
            at,
            len,
            span: Span::new(FileId(0), at + 10, at + 10 + len),
            exact: true,
        }
    }

    #[test]
    fn runs_come_back_as_they_were_given() {
        let cases: [&[Seg]; 5] = [
            &[],
            &[seg(0, 6)],
            &[seg(0, 5)],
            &[seg(1, 5)],
            &[seg(0, 2), seg(3, 3)],
        ];
        for runs in cases {
            let segs = Segs::new(runs.iter().copied(), 6);
            assert_eq!(segs.iter(6).collect::<Vec<_>>(), runs);
            assert_eq!(segs.count(), runs.len());
            assert_eq!(segs.is_empty(), runs.is_empty());
        }
    }

    #[test]
    fn one_run_over_all_needs_no_room_of_its_own() {
        assert_eq!(Segs::new([seg(0, 6)], 6), Segs::whole(seg(0, 6).span, true));
        assert_ne!(Segs::new([seg(0, 6)], 7), Segs::whole(seg(0, 6).span, true));
        assert_eq!(size_of::<Segs>(), 16);
    }
}
