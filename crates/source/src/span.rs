//! Byte ranges in files.
//!
//! Not for lines and columns: see `line_index`. Invariant: `start <= end`.

/// Names one file of a [`crate::Sources`] set.
///
/// Ids are handed out in the order of reading, which may differ between runs: never sort by them,
/// sort by path.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct FileId(pub u32);

/// A half-open range of bytes (0-based, end exclusive) in one file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Span {
    /// The file.
    pub file: FileId,
    /// First byte, 0-based.
    pub start: u32,
    /// One past the last byte.
    pub end: u32,
}

impl Span {
    /// A span over `start..end`; swapped ends are put in order.
    #[must_use]
    pub fn new(file: FileId, start: u32, end: u32) -> Self {
        if start <= end {
            Self { file, start, end }
        } else {
            Self {
                file,
                start: end,
                end: start,
            }
        }
    }

    /// A span over a `usize` range, clamped to what `u32` holds (files are far smaller).
    #[must_use]
    pub fn of_range(file: FileId, range: std::ops::Range<usize>) -> Self {
        let clamp = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
        Self::new(file, clamp(range.start), clamp(range.end))
    }

    /// The range as `usize`, for slicing text.
    #[must_use]
    pub fn range(self) -> std::ops::Range<usize> {
        self.start as usize..self.end as usize
    }

    /// Number of bytes.
    #[must_use]
    pub fn len(self) -> u32 {
        self.end - self.start
    }

    /// Whether no byte is covered.
    #[must_use]
    pub fn is_empty(self) -> bool {
        self.start == self.end
    }

    /// The smallest span over both; the left one where the files differ.
    #[must_use]
    pub fn to(self, other: Self) -> Self {
        if self.file == other.file {
            Self::new(
                self.file,
                self.start.min(other.start),
                self.end.max(other.end),
            )
        } else {
            self
        }
    }

    /// Whether `other` lies inside this span, in the same file.
    #[must_use]
    pub fn contains(self, other: Self) -> bool {
        self.file == other.file && self.start <= other.start && other.end <= self.end
    }
}
