//! The three answers to every question about a partly unknown thing.
//!
//! Not for confidence of findings, which is derived from it. Invariant: `Must` and `No` hold for
//! every value of the unknown parts.

/// MUST, MAY or NO.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Answer {
    /// For no value of the unknown parts.
    No,
    /// For some values of the unknown parts, or not decidable.
    May,
    /// For every value of the unknown parts.
    Must,
}

impl Answer {
    /// `Must` for true, `No` for false.
    #[must_use]
    pub fn from_bool(holds: bool) -> Self {
        if holds { Self::Must } else { Self::No }
    }

    /// Both hold.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        self.min(other)
    }

    /// At least one holds.
    #[must_use]
    pub fn or(self, other: Self) -> Self {
        self.max(other)
    }

    /// `Must` and `No` change places.
    #[must_use]
    pub fn negate(self) -> Self {
        match self {
            Self::No => Self::Must,
            Self::May => Self::May,
            Self::Must => Self::No,
        }
    }

    /// At least possible.
    #[must_use]
    pub fn possible(self) -> bool {
        self != Self::No
    }

    /// Certain.
    #[must_use]
    pub fn certain(self) -> bool {
        self == Self::Must
    }

    /// At most `May`: for what hangs on something that itself only may hold.
    #[must_use]
    pub fn at_most_may(self) -> Self {
        self.min(Self::May)
    }
}
