//! GitHub's line hash: `primaryLocationLineHash` of code scanning.
//!
//! Must give what github/codeql-action computes (`src/fingerprints.ts`), or alerts are taken for new
//! ones. Works on UTF-16 code units; blanks and tabs do not count. Invariant: one hash per line.

use std::collections::{BTreeMap, VecDeque};
use std::fmt;
use std::sync::Arc;

const WINDOW: usize = 100;
const FACTOR: u64 = 37;
const END: u16 = 0xffff;

/// The hash of a line; prints as GitHub has it: hexadecimal hash, `:`, how often it occurred so far.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LineHash {
    hash: u64,
    count: u32,
}

impl fmt::Display for LineHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:x}:{}", self.hash, self.count)
    }
}

/// A polynomial over all units so far: the hash of a window is the difference of two such sums, so that
/// only the sums at the starts of lines are kept.
struct Sum {
    /// Of all units so far.
    sum: u64,
    /// Number of units so far.
    units: usize,
    /// Where the open lines start and the sum before them, the oldest first.
    open: VecDeque<(usize, u64)>,
    /// The number of units at which the oldest open line has its window.
    due: usize,
    /// FACTOR to the power of WINDOW.
    leaving: u64,
    counts: BTreeMap<u64, u32>,
    hashes: Vec<LineHash>,
}

impl Sum {
    fn new() -> Self {
        Self {
            sum: 0,
            units: 0,
            open: VecDeque::new(),
            due: usize::MAX,
            leaving: (0..WINDOW).fold(1_u64, |power, _| power.wrapping_mul(FACTOR)),
            counts: BTreeMap::new(),
            hashes: Vec::new(),
        }
    }

    fn begin_line(&mut self) {
        self.open.push_back((self.units, self.sum));
        self.due = self.due.min(self.units + WINDOW);
    }

    fn push(&mut self, unit: u16) {
        self.sum = FACTOR.wrapping_mul(self.sum).wrapping_add(unit.into());
        self.units += 1;
        if self.units == self.due {
            self.end_window();
        }
    }

    /// The window of the oldest open line is full.
    fn end_window(&mut self) {
        if let Some((_, before)) = self.open.pop_front() {
            let hash = self.sum.wrapping_sub(self.leaving.wrapping_mul(before));
            let count = self.counts.entry(hash).or_default();
            *count += 1;
            let count = *count;
            self.hashes.push(LineHash { hash, count });
        }
        let next = self.open.front();
        self.due = next.map_or(usize::MAX, |(start, _)| start + WINDOW);
    }
}

/// The hashes of a text's lines, worked out as far as they are asked for.
pub struct LineHashes {
    text: Arc<str>,
    /// The next byte of the text; `None` once its end was hashed too.
    at: Option<usize>,
    at_start: bool,
    after_return: bool,
    sum: Sum,
}

impl LineHashes {
    /// Those of `text`.
    #[must_use]
    pub fn new(text: Arc<str>) -> Self {
        Self {
            text,
            at: Some(0),
            at_start: true,
            after_return: false,
            sum: Sum::new(),
        }
    }

    /// The hash of the 1-based line; `None` past the end.
    pub fn line(&mut self, line: usize) -> Option<LineHash> {
        while self.sum.hashes.len() < line {
            let at = self.at?;
            self.at = self.next(at);
        }
        self.sum.hashes.get(line.checked_sub(1)?).copied()
    }

    /// Hashes the character at byte `at`; gives the byte behind it, nothing once the end is hashed.
    fn next(&mut self, at: usize) -> Option<usize> {
        match self.text.as_bytes().get(at) {
            Some(byte) if byte.is_ascii() => {
                self.push(u16::from(*byte));
                Some(at + 1)
            }
            Some(_) => {
                let next = self.text.get(at..)?.chars().next()?;
                for unit in next.encode_utf16(&mut [0; 2]) {
                    self.push(*unit);
                }
                Some(at + next.len_utf8())
            }
            None => {
                self.push(END);
                for _ in 0..WINDOW {
                    self.sum.push(0);
                }
                None
            }
        }
    }

    fn push(&mut self, unit: u16) {
        const BLANK: u16 = b' ' as u16;
        const TAB: u16 = b'\t' as u16;
        const FEED: u16 = b'\n' as u16;
        const RETURN: u16 = b'\r' as u16;
        if unit == BLANK || unit == TAB || (self.after_return && unit == FEED) {
            self.after_return = false;
            return;
        }
        self.after_return = unit == RETURN;
        let unit = if self.after_return { FEED } else { unit };
        if self.at_start {
            self.sum.begin_line();
        }
        self.at_start = unit == FEED;
        self.sum.push(unit);
    }
}

#[cfg(test)]
mod tests {
    fn line_hashes(text: &str) -> Vec<String> {
        let mut hashes = super::LineHashes::new(text.into());
        (1..)
            .map_while(|line| hashes.line(line))
            .map(|hash| hash.to_string())
            .collect()
    }

    #[test]
    fn published_vectors() {
        assert_eq!(line_hashes(""), ["c129715d7a2bc9a3:1"]);
        assert_eq!(
            line_hashes(" a\nb\n  \t\tc\n d"),
            [
                "271789c17abda88f:1",
                "54703d4cd895b18:1",
                "180aee12dab6264:1",
                "a23a3dc5e078b07b:1"
            ]
        );
    }

    #[test]
    fn line_ends_and_blanks_do_not_count() {
        assert_eq!(line_hashes("a\r\nb\r\n"), line_hashes(" a\n\tb\n"));
        let repeated = line_hashes(&"x\n".repeat(300));
        assert_eq!(repeated[0].split(':').next(), repeated[1].split(':').next());
        assert!(repeated[1].ends_with(":2"));
    }
}
