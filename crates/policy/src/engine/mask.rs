//! Sets of the statements of one question, as bits.
//!
//! Not for actions. Invariant: bits beyond [`MOST_MEMBERS`] do not exist; a question with more statements
//! is not searched.

const WORDS: usize = 4;
/// Most statements of one question.
pub(crate) const MOST_MEMBERS: usize = WORDS * 64;

/// A set of statements of the question.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub(crate) struct Mask([u64; WORDS]);

impl Mask {
    pub(crate) fn set(&mut self, bit: usize) {
        if let Some(word) = self.0.get_mut(bit / 64) {
            *word |= 1 << (bit % 64);
        }
    }

    fn zip(self, other: Self, with: impl Fn(u64, u64) -> u64) -> Self {
        let mut out = self.0;
        for (a, b) in out.iter_mut().zip(other.0) {
            *a = with(*a, b);
        }
        Self(out)
    }

    pub(crate) fn and(self, other: Self) -> Self {
        self.zip(other, |a, b| a & b)
    }

    pub(crate) fn without(self, other: Self) -> Self {
        self.zip(other, |a, b| a & !b)
    }

    pub(crate) fn meets(self, other: Self) -> bool {
        self.and(other) != Self::default()
    }

    pub(crate) fn bits(self) -> impl Iterator<Item = usize> {
        self.0.into_iter().enumerate().flat_map(|(at, mut word)| {
            std::iter::from_fn(move || {
                (word != 0).then(|| {
                    let bit = word.trailing_zeros() as usize;
                    word &= word - 1;
                    at * 64 + bit
                })
            })
        })
    }
}
