//! A small random sequence; the same seed gives the same one everywhere.
//!
//! Not for secrets.

/// The sequence.
pub(crate) struct Dice(u64);

impl Dice {
    /// Starts the sequence of a seed.
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
    }

    /// A number below `n`; 0 for 0.
    pub(crate) fn below(&mut self, n: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        let wide = self.0 >> 11;
        usize::try_from(wide % (n.max(1) as u64)).unwrap_or(0)
    }

    /// Whether one of `of_ten` chances in ten came up.
    pub(crate) fn chance(&mut self, of_ten: usize) -> bool {
        self.below(10) < of_ten
    }

    /// One of the list; the default of an empty one.
    pub(crate) fn pick<T: Clone + Default>(&mut self, list: &[T]) -> T {
        let at = self.below(list.len());
        list.get(at).cloned().unwrap_or_default()
    }

    /// Puts a list into random order.
    pub(crate) fn shuffle<T>(&mut self, list: &mut [T]) {
        for end in (1..list.len()).rev() {
            list.swap(end, self.below(end + 1));
        }
    }
}
