//! Runs of bytes, looked at eight at a time.
//!
//! Not for characters: bytes of UTF-8 beyond ASCII are bytes like others. Invariant: the answer is that
//! of a loop over single bytes.

const LANE: usize = size_of::<u64>();
const ONES: u64 = u64::from_le_bytes([1; LANE]);
const HIGH: u64 = u64::from_le_bytes([0x80; LANE]);
const BLANKS: u64 = u64::from_le_bytes([b' '; LANE]);
const QUOTES: u64 = u64::from_le_bytes([b'"'; LANE]);
const BACKSLASHES: u64 = u64::from_le_bytes([b'\\'; LANE]);

fn lane(bytes: &[u8], at: usize) -> Option<u64> {
    let lane: &[u8; LANE] = bytes.get(at..)?.first_chunk()?;
    Some(u64::from_le_bytes(*lane))
}

/// The number of blanks from `at` on.
pub(super) fn blanks(bytes: &[u8], at: usize) -> usize {
    let mut end = at;
    while let Some(lane) = lane(bytes, end) {
        let other = lane ^ BLANKS;
        if other != 0 {
            return end - at + other.trailing_zeros() as usize / 8;
        }
        end += LANE;
    }
    let rest = bytes.get(end..).unwrap_or_default();
    end - at + rest.iter().take_while(|byte| **byte == b' ').count()
}

/// Where the first quote, backslash or control character from `at` on stands, or the end.
pub(super) fn end_of_plain(bytes: &[u8], at: usize) -> usize {
    let mut end = at;
    while let Some(lane) = lane(bytes, end) {
        // The high bit of a byte that is 0, and of some behind the first such byte.
        let none = |lane: u64| lane.wrapping_sub(ONES) & !lane & HIGH;
        let control = lane.wrapping_sub(BLANKS) & !lane & HIGH;
        let hits = none(lane ^ QUOTES) | none(lane ^ BACKSLASHES) | control;
        if hits != 0 {
            return end + hits.trailing_zeros() as usize / 8;
        }
        end += LANE;
    }
    let rest = bytes.get(end..).unwrap_or_default();
    let plain = |byte: &&u8| !matches!(**byte, b'"' | b'\\' | 0..=0x1f);
    end + rest.iter().take_while(plain).count()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn as_a_loop_would_find(bytes in prop::collection::vec(
            prop_oneof![6 => Just(b' '), 3 => any::<u8>(), 3 => Just(b'a'), 1 => Just(b'"')],
            0..40,
        ), at in 0_usize..40) {
            let rest = bytes.get(at..).unwrap_or_default();
            let run = rest.iter().take_while(|byte| **byte == b' ').count();
            prop_assert_eq!(blanks(&bytes, at), run);
            let run = rest.iter().take_while(|byte| !b"\"\\".contains(byte) && **byte >= 0x20).count();
            prop_assert_eq!(end_of_plain(&bytes, at), at + run);
        }
    }
}
