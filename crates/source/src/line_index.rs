//! From byte offsets to lines and UTF-16 columns, as SARIF and editors count.
//!
//! Not for display widths. Invariant: lines end after `\n`; a `\r` before it belongs to the line.

/// A place for people and for other programs: both numbers 1-based, the column in UTF-16 code units.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct LineColumn {
    /// 1-based line.
    pub line: u32,
    /// 1-based column in UTF-16 code units.
    pub column: u32,
}

/// The byte offset of each line's first byte.
#[derive(Debug, Clone)]
pub struct LineIndex {
    starts: Vec<u32>,
}

impl LineIndex {
    /// Indexes `text`.
    #[must_use]
    pub fn new(text: &str) -> Self {
        let after = |at| u32::try_from(at + 1).unwrap_or(u32::MAX);
        let ends = || memchr::memchr_iter(b'\n', text.as_bytes());
        let mut starts = Vec::with_capacity(ends().count() + 1);
        starts.push(0);
        starts.extend(ends().map(after));
        Self { starts }
    }

    /// Number of lines; an empty text has one.
    #[must_use]
    pub fn lines(&self) -> u32 {
        u32::try_from(self.starts.len()).unwrap_or(u32::MAX)
    }

    /// The 1-based line that holds the byte `offset`.
    #[must_use]
    pub fn line_of(&self, offset: u32) -> u32 {
        let after = self.starts.partition_point(|&start| start <= offset);
        u32::try_from(after.max(1)).unwrap_or(u32::MAX)
    }

    /// Byte offset of the first byte of a 1-based line, or `None` past the end.
    #[must_use]
    pub fn line_start(&self, line: u32) -> Option<u32> {
        let index = usize::try_from(line.checked_sub(1)?).ok()?;
        self.starts.get(index).copied()
    }

    /// The place of the byte `offset` in `text` (the text that was indexed). An offset past the end
    /// counts as the end; one inside a character counts as the start of that character.
    #[must_use]
    pub fn place(&self, text: &str, offset: u32) -> LineColumn {
        let mut at = (offset as usize).min(text.len());
        while !text.is_char_boundary(at) {
            at -= 1;
        }
        let at32 = u32::try_from(at).unwrap_or(u32::MAX);
        let line = self.line_of(at32);
        let start = self.line_start(line).unwrap_or(0) as usize;
        let before = text.get(start..at).unwrap_or("");
        let units = before.encode_utf16().count();
        LineColumn {
            line,
            column: u32::try_from(units).unwrap_or(u32::MAX - 1) + 1,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_count_utf16_units() {
        let text = "a\n\u{1F600}x\n";
        let index = LineIndex::new(text);
        let at = |offset| {
            let place = index.place(text, offset);
            (place.line, place.column)
        };
        assert_eq!(at(0), (1, 1));
        assert_eq!(at(1), (1, 2));
        assert_eq!(at(2), (2, 1));
        assert_eq!(at(6), (2, 3), "an astral character is two units");
        assert_eq!(at(4), (2, 1), "inside a character counts as its start");
        assert_eq!(at(8), (3, 1));
        assert_eq!(at(99), (3, 1), "past the end is the end");
        assert_eq!(index.lines(), 3);
    }

    #[test]
    fn empty_text_has_one_line() {
        let index = LineIndex::new("");
        assert_eq!(index.place("", 0), LineColumn { line: 1, column: 1 });
    }
}
