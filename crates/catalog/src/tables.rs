//! Reading numbers, strings and lists out of the three parts of a catalog.
//!
//! Not for: meaning. Invariant: a read outside a section gives zero or the empty string, never a
//! panic; [`Tables::check`] refuses tables in which that could happen.

use crate::layout;
use std::borrow::Cow;
use std::cmp::Ordering;
use std::ops::Range;

/// The three parts and the directory of sections.
#[derive(Debug)]
pub(crate) struct Tables {
    strings: Cow<'static, str>,
    tables: Cow<'static, [u8]>,
    pub(crate) policies: Cow<'static, [u8]>,
    sections: [Range<usize>; layout::SECTIONS],
}

fn u32_of(bytes: &[u8], at: usize) -> Option<u32> {
    let four = bytes.get(at..at.checked_add(4)?)?;
    Some(u32::from_le_bytes(four.try_into().ok()?))
}

impl Tables {
    /// Takes the parts; `None` if the directory does not fit the bytes.
    pub(crate) fn new(
        strings: Cow<'static, str>,
        tables: Cow<'static, [u8]>,
        policies: Cow<'static, [u8]>,
    ) -> Option<Self> {
        if u32_of(&tables, 0)? as usize != layout::SECTIONS {
            return None;
        }
        let mut sections = [const { 0..0 }; layout::SECTIONS];
        for (index, section) in sections.iter_mut().enumerate() {
            let start = u32_of(&tables, 4 + index * 8)? as usize;
            let end = start.checked_add(u32_of(&tables, 8 + index * 8)? as usize)?;
            tables.get(start..end)?;
            *section = start..end;
        }
        Some(Self {
            strings,
            tables,
            policies,
            sections,
        })
    }

    /// Tables without any record: every lookup fails.
    pub(crate) const fn empty() -> Self {
        Self {
            strings: Cow::Borrowed(""),
            tables: Cow::Borrowed(&[]),
            policies: Cow::Borrowed(&[]),
            sections: [const { 0..0 }; layout::SECTIONS],
        }
    }

    fn section(&self, section: usize) -> &[u8] {
        self.sections
            .get(section)
            .and_then(|range| self.tables.get(range.clone()))
            .unwrap_or_default()
    }

    /// Number of records of `size` bytes in a section.
    pub(crate) fn count(&self, section: usize, size: usize) -> usize {
        self.section(section).len().checked_div(size).unwrap_or(0)
    }

    pub(crate) fn u8(&self, section: usize, at: usize) -> u8 {
        self.section(section).get(at).copied().unwrap_or(0)
    }

    pub(crate) fn u16(&self, section: usize, at: usize) -> u16 {
        self.section(section)
            .get(at..at.saturating_add(2))
            .and_then(|two| two.try_into().ok())
            .map_or(0, u16::from_le_bytes)
    }

    pub(crate) fn u32(&self, section: usize, at: usize) -> u32 {
        u32_of(self.section(section), at).unwrap_or(0)
    }

    /// The first `u32` of every record of a range; faster than reading them one by one.
    pub(crate) fn first_words(
        &self,
        section: usize,
        size: usize,
        records: Range<usize>,
    ) -> impl Iterator<Item = u32> {
        let bytes = self.section(section);
        let some = bytes.get(records.start.saturating_mul(size)..records.end.saturating_mul(size));
        let words = some.unwrap_or_default().chunks_exact(size.max(1));
        words.map(|record| u32_of(record, 0).unwrap_or(0))
    }

    /// The range of the strings part that a text reference names.
    const fn place(reference: u32) -> Range<usize> {
        let start = (reference >> layout::LENGTH_BITS) as usize;
        let length = reference & ((1 << layout::LENGTH_BITS) - 1);
        start..start + length as usize
    }

    /// The text of a text reference.
    pub(crate) fn text(&self, reference: u32) -> &str {
        self.strings.get(Self::place(reference)).unwrap_or_default()
    }

    /// The bytes of a text reference.
    pub(crate) fn bytes(&self, reference: u32) -> &[u8] {
        let bytes = self.strings.as_bytes().get(Self::place(reference));
        bytes.unwrap_or_default()
    }

    /// The interned string behind a string reference.
    pub(crate) fn string(&self, reference: u16) -> &str {
        self.text(self.u32(layout::STRINGS, usize::from(reference) * 4))
    }

    /// The strings of a list.
    pub(crate) fn list(&self, list: u16) -> impl ExactSizeIterator<Item = &str> + Clone {
        self.span(layout::LIST_OFFSETS, list)
            .map(|index| self.string(self.u16(layout::LISTS, index * 2)))
    }

    /// The record numbers between two neighbours of an offset section.
    pub(crate) fn span(&self, offsets: usize, list: u16) -> Range<usize> {
        let at = usize::from(list) * 4;
        self.u32(offsets, at) as usize..self.u32(offsets, at + 4) as usize
    }

    /// The first record of `range` for which `order` (record against what is sought) is not less.
    pub(crate) fn lower_bound(
        range: Range<usize>,
        mut order: impl FnMut(usize) -> Ordering,
    ) -> usize {
        let (mut low, mut high) = (range.start, range.end);
        while low < high {
            let middle = low + (high - low) / 2;
            if order(middle) == Ordering::Less {
                low = middle + 1;
            } else {
                high = middle;
            }
        }
        low
    }

    /// The record of `range` that `order` calls equal.
    pub(crate) fn find(
        range: Range<usize>,
        mut order: impl FnMut(usize) -> Ordering,
    ) -> Option<usize> {
        let end = range.end;
        let at = Self::lower_bound(range, &mut order);
        (at < end && order(at) == Ordering::Equal).then_some(at)
    }

    /// Whether every offset, reference and length stays inside its part.
    pub(crate) fn check(&self) -> Result<(), &'static str> {
        use layout as l;
        for (section, size) in [
            (l::SERVICES, l::SERVICE_SIZE),
            (l::ACTIONS, l::ACTION_SIZE),
            (l::RESOURCES, l::RESOURCE_SIZE),
            (l::TYPE_LISTS, l::TYPE_SIZE),
            (l::KEYS, l::KEY_SIZE),
            (l::PRINCIPALS, l::PRINCIPAL_SIZE),
            (l::POLICIES, l::POLICY_SIZE),
            (l::CHUNKS, l::CHUNK_SIZE),
        ] {
            if !self.section(section).len().is_multiple_of(size) {
                return Err("a section is cut off");
            }
        }
        if self.count(l::SERVICES, l::SERVICE_SIZE) < 2
            || self.count(l::ACTIONS, l::ACTION_SIZE) == 0
        {
            return Err("there are no services or no actions");
        }
        for (section, size) in [(l::STRINGS, 4), (l::ACTIONS, l::ACTION_SIZE)] {
            let mut references =
                (0..self.count(section, size)).map(|i| self.u32(section, i * size));
            if references.any(|reference| self.strings.get(Self::place(reference)).is_none()) {
                return Err("a string lies outside the file");
            }
        }
        self.check_offsets(l::LIST_OFFSETS, 0, 4, self.count(l::LISTS, 2))?;
        self.check_offsets(
            l::TYPE_LIST_OFFSETS,
            0,
            4,
            self.count(l::TYPE_LISTS, l::TYPE_SIZE),
        )?;
        self.check_offsets(
            l::SERVICES,
            4,
            l::SERVICE_SIZE,
            self.count(l::ACTIONS, l::ACTION_SIZE),
        )?;
        for chunk in 0..self.count(l::CHUNKS, l::CHUNK_SIZE) {
            let at = chunk * l::CHUNK_SIZE;
            let start = self.u32(l::CHUNKS, at) as usize;
            let end = start.saturating_add(self.u32(l::CHUNKS, at + 4) as usize);
            if end > self.policies.len() || self.u32(l::CHUNKS, at + 8) as usize > l::MAX_CHUNK {
                return Err("a managed policy lies outside the file");
            }
        }
        Ok(())
    }

    /// Offsets must not fall and must not pass `limit`.
    fn check_offsets(
        &self,
        section: usize,
        at: usize,
        size: usize,
        limit: usize,
    ) -> Result<(), &'static str> {
        let mut last = 0;
        for record in 0..self.count(section, size) {
            let offset = self.u32(section, record * size + at) as usize;
            if offset < last || offset > limit {
                return Err("an offset points outside its table");
            }
            last = offset;
        }
        Ok(())
    }
}

/// Compares as AWS compares action and key names: ASCII letters without case.
pub(crate) fn caseless(left: &str, right: &str) -> Ordering {
    let (mut lefts, mut rights) = (left.as_bytes().iter(), right.as_bytes().iter());
    while let (Some(left), Some(right)) = (lefts.next(), rights.next()) {
        if left != right {
            let order = left.to_ascii_lowercase().cmp(&right.to_ascii_lowercase());
            if order != Ordering::Equal {
                return order;
            }
        }
    }
    left.len().cmp(&right.len())
}
