//! GitHub's line hash: `primaryLocationLineHash` of code scanning.
//!
//! Must give what github/codeql-action computes (`src/fingerprints.ts`), or alerts are taken for new
//! ones. Works on UTF-16 code units; blanks and tabs do not count. Invariant: one hash per line.

use std::collections::BTreeMap;
use std::fmt;

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

/// The hash of every line of `text`, in order.
#[must_use]
pub fn line_hashes(text: &str) -> Vec<LineHash> {
    let mut rolling = Rolling {
        window: [0; WINDOW],
        starts: [0; WINDOW],
        slot: 0,
        hash: 0,
        leaving: (0..WINDOW).fold(1_u64, |power, _| power.wrapping_mul(FACTOR)),
        line: 0,
        counts: BTreeMap::new(),
        hashes: Vec::new(),
    };
    let (mut at_start, mut after_return) = (true, false);
    let units = text.encode_utf16().chain([END]);
    for unit in units {
        let feed = unit == u16::from(b'\n');
        if unit == u16::from(b' ') || unit == u16::from(b'\t') || (after_return && feed) {
            after_return = false;
            continue;
        }
        after_return = unit == u16::from(b'\r');
        let unit = if after_return { u16::from(b'\n') } else { unit };
        rolling.flush();
        if at_start {
            rolling.begin_line();
        }
        at_start = unit == u16::from(b'\n');
        rolling.push(unit);
    }
    for _ in 0..WINDOW {
        rolling.flush();
        rolling.push(0);
    }
    rolling.hashes
}

#[cfg(test)]
mod tests {
    fn line_hashes(text: &str) -> Vec<String> {
        let hashes = super::line_hashes(text);
        hashes.iter().map(ToString::to_string).collect()
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
