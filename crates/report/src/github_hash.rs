//! GitHub's line hash: `primaryLocationLineHash` of code scanning.
//!
//! Must give what github/codeql-action computes (`src/fingerprints.ts`), or alerts are taken for new
//! ones. Works on UTF-16 code units; blanks and tabs do not count. Invariant: one hash per line.

use std::collections::BTreeMap;
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

struct Rolling {
    window: [u64; WINDOW],
    /// Line that starts at each slot of the window, 0 for none.
    starts: [usize; WINDOW],
    slot: usize,
    hash: u64,
    /// FACTOR to the power of WINDOW.
    leaving: u64,
    line: usize,
    counts: BTreeMap<u64, u32>,
    hashes: Vec<LineHash>,
}

impl Rolling {
    fn flush(&mut self) {
        if let Some(start) = self.starts.get_mut(self.slot)
            && *start > 0
        {
            *start = 0;
            let count = self.counts.entry(self.hash).or_default();
            *count += 1;
            self.hashes.push(LineHash {
                hash: self.hash,
                count: *count,
            });
        }
    }

    fn begin_line(&mut self) {
        self.line += 1;
        if let Some(start) = self.starts.get_mut(self.slot) {
            *start = self.line;
        }
    }

    fn push(&mut self, unit: u16) {
        let unit = u64::from(unit);
        let left = self.window.get_mut(self.slot);
        let left = left.map_or(0, |place| std::mem::replace(place, unit));
        self.hash = FACTOR
            .wrapping_mul(self.hash)
            .wrapping_add(unit)
            .wrapping_sub(self.leaving.wrapping_mul(left));
        self.slot += 1;
        if self.slot == WINDOW {
            self.slot = 0;
        }
    }
}

/// The hashes of a text's lines, worked out as far as they are asked for.
pub struct LineHashes {
    text: Arc<str>,
    /// The next byte of the text; `None` once its end was hashed too.
    at: Option<usize>,
    at_start: bool,
    after_return: bool,
    rolling: Rolling,
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
            rolling: Rolling {
                window: [0; WINDOW],
                starts: [0; WINDOW],
                slot: 0,
                hash: 0,
                leaving: (0..WINDOW).fold(1_u64, |power, _| power.wrapping_mul(FACTOR)),
                line: 0,
                counts: BTreeMap::new(),
                hashes: Vec::new(),
            },
        }
    }

    /// The hash of the 1-based line; `None` past the end.
    pub fn line(&mut self, line: usize) -> Option<LineHash> {
        while self.rolling.hashes.len() < line {
            let at = self.at?;
            let next = self.text.get(at..).and_then(|rest| rest.chars().next());
            if let Some(next) = next {
                self.at = Some(at + next.len_utf8());
                let mut units = [0; 2];
                for unit in next.encode_utf16(&mut units) {
                    self.push(*unit);
                }
            } else {
                self.at = None;
                self.push(END);
                for _ in 0..WINDOW {
                    self.rolling.flush();
                    self.rolling.push(0);
                }
            }
        }
        self.rolling.hashes.get(line.checked_sub(1)?).copied()
    }

    fn push(&mut self, unit: u16) {
        let feed = unit == u16::from(b'\n');
        if unit == u16::from(b' ') || unit == u16::from(b'\t') || (self.after_return && feed) {
            self.after_return = false;
            return;
        }
        self.after_return = unit == u16::from(b'\r');
        let unit = if self.after_return {
            u16::from(b'\n')
        } else {
            unit
        };
        self.rolling.flush();
        if self.at_start {
            self.rolling.begin_line();
        }
        self.at_start = unit == u16::from(b'\n');
        self.rolling.push(unit);
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
