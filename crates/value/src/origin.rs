//! Where a value was written and through which uses it came.
//!
//! Not for output: flows are made from this when a finding is reported. Invariant: hops are kept
//! newest first and handed out oldest first (the literal's side before the policy's side).

use overgrant_source::Span;
use smol_str::SmolStr;
use std::sync::Arc;

/// One use on a value's way: `local.x` in a policy, a module argument, a parameter default.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hop {
    /// The expression that uses the value.
    pub span: Span,
    /// What the use is, in words: `local.actions`, `argument policy of module.app`.
    pub label: SmolStr,
}

/// A chain of uses. Values share chains, so that a part of a value costs one link however many uses
/// the value has.
#[derive(Debug)]
enum Via {
    /// One more use after `older`.
    Hop { hop: Hop, older: Option<Arc<Self>> },
    /// All of `older`, then all of `newer`.
    Both { older: Arc<Self>, newer: Arc<Self> },
}

/// Uses that are told of one value; chains share their parts and can stand for more than any memory
/// holds.
const MOST_HOPS: usize = 1_000;

impl Via {
    /// Hands out the hops, newest first.
    fn newest_first<'a>(&'a self, mut each: impl FnMut(&'a Hop)) {
        let mut left = vec![self];
        let mut told = 0;
        while let Some(via) = left.pop().filter(|_| told < MOST_HOPS) {
            match via {
                Self::Hop { hop, older } => {
                    each(hop);
                    told += 1;
                    left.extend(older.as_deref());
                }
                Self::Both { older, newer } => left.extend([&**older, &**newer]),
            }
        }
    }
}

impl PartialEq for Via {
    fn eq(&self, other: &Self) -> bool {
        if std::ptr::eq(self, other) {
            return true;
        }
        let hops = |via: &Self| {
            let mut all = Vec::new();
            via.newest_first(|hop| all.push(hop.clone()));
            all
        };
        hops(self) == hops(other)
    }
}

impl Eq for Via {}

/// The uses of something whose place is told elsewhere.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Way(Option<Arc<Via>>);

impl Way {
    /// The uses together with a place.
    pub(crate) fn at(&self, span: Option<Span>) -> Src {
        Src {
            span,
            via: self.0.clone(),
        }
    }

    /// The same uses after all those of the value that contains it.
    pub(crate) fn under(&self, container: &Src) -> Self {
        Self(self.at(None).under(container).via)
    }
}

/// Origin of a value: the bytes that wrote it and its hops since.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Src {
    /// The literal's own bytes (quotes included), or the expression that made the value.
    pub span: Option<Span>,
    via: Option<Arc<Via>>,
}

impl Src {
    /// Written at `span`, no hops.
    #[must_use]
    pub fn at(span: Span) -> Self {
        Self {
            span: Some(span),
            via: None,
        }
    }

    /// No place: made by the tool or given on the command line.
    #[must_use]
    pub fn none() -> Self {
        Self::default()
    }

    /// The same origin after one more use.
    #[must_use]
    pub fn through(&self, span: Span, label: impl Into<SmolStr>) -> Self {
        Self {
            span: self.span,
            via: Some(Arc::new(Via::Hop {
                hop: Hop {
                    span,
                    label: label.into(),
                },
                older: self.via.clone(),
            })),
        }
    }

    /// The same origin after all uses of the value that contains it.
    #[must_use]
    pub fn under(&self, container: &Self) -> Self {
        let via = match (&self.via, &container.via) {
            (Some(older), Some(newer)) => Some(Arc::new(Via::Both {
                older: Arc::clone(older),
                newer: Arc::clone(newer),
            })),
            (own, others) => own.as_ref().or(others.as_ref()).cloned(),
        };
        Self {
            span: self.span,
            via,
        }
    }

    /// The hops, oldest (next to the literal) first.
    #[must_use]
    pub fn hops(&self) -> Vec<Hop> {
        let mut hops = Vec::new();
        if let Some(via) = &self.via {
            via.newest_first(|hop| hops.push(hop.clone()));
        }
        hops.reverse();
        hops
    }

    /// Whether the value was used where it was written.
    #[must_use]
    pub fn is_local(&self) -> bool {
        self.via.is_none()
    }

    /// The same hops at another place.
    #[must_use]
    pub fn with_span(&self, span: Option<Span>) -> Self {
        Self {
            span,
            via: self.via.clone(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use overgrant_source::FileId;

    #[test]
    fn hops_are_oldest_first_and_nest() {
        let span = |n| Span::new(FileId(0), n, n + 1);
        let leaf = Src::at(span(0)).through(span(1), "local.a");
        let container = Src::at(span(9))
            .through(span(2), "local.b")
            .through(span(3), "var.c");
        let all = leaf.under(&container);
        let labels: Vec<_> = all.hops().into_iter().map(|hop| hop.label).collect();
        assert_eq!(labels, ["local.a", "local.b", "var.c"]);
        assert_eq!(all.span, Some(span(0)));
        let again = leaf.through(span(2), "local.b").through(span(3), "var.c");
        assert_eq!(all, again, "however the chain was made");
        assert_ne!(all, leaf.under(&container.through(span(4), "local.d")));
    }

    #[test]
    fn chains_of_chains_are_told_in_part() {
        let span = Span::new(FileId(0), 0, 1);
        let mut src = Src::at(span).through(span, "local.a");
        for _ in 0..64 {
            src = src.under(&src);
        }
        assert_eq!(src.hops().len(), MOST_HOPS);
    }
}
