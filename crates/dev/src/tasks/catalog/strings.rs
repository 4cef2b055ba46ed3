//! Strings and lists of the tables, each kept once.
//!
//! Not for: what they mean. Invariant: equal content has one number, and the text of a string is
//! found at its reference, if need be inside a longer string.

use anyhow::{Context as _, Result, ensure};
use overgrant_catalog::layout;
use std::collections::{BTreeMap, BTreeSet, HashMap};

/// Strings and lists, each kept once, numbered as they come.
#[derive(Default)]
pub(crate) struct Pool {
    numbers: HashMap<String, u16>,
    pub(crate) strings: Vec<String>,
    list_numbers: HashMap<Vec<u16>, u16>,
    pub(crate) lists: Vec<Vec<u16>>,
    type_numbers: HashMap<Vec<u8>, u16>,
    pub(crate) types: Vec<Vec<u8>>,
}

/// `count` as a reference, unless the layout is too narrow for it.
pub(crate) fn number(count: usize) -> Result<u16> {
    let number = u16::try_from(count)?;
    ensure!(
        number != layout::NONE,
        "more than 65,534 entries: the layout needs wider numbers"
    );
    Ok(number)
}

impl Pool {
    /// The reference of a string.
    pub(crate) fn string(&mut self, text: &str) -> Result<u16> {
        if let Some(found) = self.numbers.get(text) {
            return Ok(*found);
        }
        let new = number(self.strings.len())?;
        self.strings.push(text.to_owned());
        self.numbers.insert(text.to_owned(), new);
        Ok(new)
    }

    /// The reference of a list of strings.
    pub(crate) fn list(&mut self, parts: &[&str]) -> Result<u16> {
        let list = parts
            .iter()
            .map(|part| self.string(part))
            .collect::<Result<Vec<_>>>()?;
        if let Some(found) = self.list_numbers.get(&list) {
            return Ok(*found);
        }
        let new = number(self.lists.len())?;
        self.lists.push(list.clone());
        self.list_numbers.insert(list, new);
        Ok(new)
    }

    /// The reference of a list of resource type records.
    pub(crate) fn types(&mut self, records: Vec<u8>) -> Result<u16> {
        if let Some(found) = self.type_numbers.get(&records) {
            return Ok(*found);
        }
        let new = number(self.types.len())?;
        self.types.push(records.clone());
        self.type_numbers.insert(records, new);
        Ok(new)
    }
}

/// The text of all strings. A string that begins or ends another one is found inside it.
pub(crate) struct Blob {
    pub(crate) text: String,
    starts: BTreeMap<String, usize>,
}

impl Blob {
    pub(crate) fn of<'a>(strings: impl Iterator<Item = &'a str>) -> Result<Self> {
        let all: BTreeSet<&str> = strings.collect();
        let (heads, whole) = nested(all.iter().map(|string| (*string).to_owned()));
        let mirrored = |string: &String| string.chars().rev().collect::<String>();
        let (tails, roots) = nested(
            whole
                .iter()
                .map(mirrored)
                .collect::<BTreeSet<_>>()
                .into_iter(),
        );
        let mut blob = Self {
            text: String::new(),
            starts: BTreeMap::new(),
        };
        for root in roots.iter().map(mirrored) {
            let start = blob.text.len();
            blob.text.push_str(&root);
            blob.starts.insert(root, start);
        }
        for (part, longer) in tails.iter().rev() {
            let (part, longer) = (mirrored(part), mirrored(longer));
            let start = blob.start(&longer)? + (longer.len() - part.len());
            blob.starts.insert(part, start);
        }
        for (part, longer) in heads.iter().rev() {
            let start = blob.start(longer)?;
            blob.starts.insert(part.clone(), start);
        }
        Ok(blob)
    }

    fn start(&self, string: &str) -> Result<usize> {
        let start = self.starts.get(string).copied();
        start.with_context(|| format!("`{string}` was not collected"))
    }

    /// Where a string stands, as [`layout::STRINGS`] describes it.
    pub(crate) fn reference(&self, string: &str) -> Result<u32> {
        let start = self.start(string)?;
        let fits =
            start < 1 << (32 - layout::LENGTH_BITS) && string.len() < 1 << layout::LENGTH_BITS;
        ensure!(
            fits,
            "`{string}` is too long, or there are too many strings"
        );
        Ok(u32::try_from(start << layout::LENGTH_BITS | string.len())?)
    }
}

/// Of sorted strings: those that begin their successor, with it; and the others.
fn nested(sorted: impl Iterator<Item = String>) -> (Vec<(String, String)>, Vec<String>) {
    let (mut inside, mut whole) = (Vec::new(), Vec::new());
    let mut sorted = sorted.peekable();
    while let Some(string) = sorted.next() {
        match sorted.peek() {
            Some(next) if next.starts_with(&string) => inside.push((string, next.clone())),
            _ => whole.push(string),
        }
    }
    (inside, whole)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_strings_and_lists_share_a_number() {
        let mut pool = Pool::default();
        assert_eq!(pool.string("a").unwrap(), pool.string("a").unwrap());
        assert_eq!(
            pool.list(&["a", "b"]).unwrap(),
            pool.list(&["a", "b"]).unwrap()
        );
        assert_ne!(pool.list(&["a"]).unwrap(), pool.list(&["b"]).unwrap());
    }

    #[test]
    fn strings_inside_others_take_no_room() {
        let strings = ["Get", "GetObject", "Object", "ct", "", "Put"];
        let blob = Blob::of(strings.into_iter()).unwrap();
        assert_eq!(blob.text.len(), "GetObject".len() + "Put".len());
        for string in strings {
            let reference = blob.reference(string).unwrap() as usize;
            let start = reference >> layout::LENGTH_BITS;
            let length = reference & ((1 << layout::LENGTH_BITS) - 1);
            assert_eq!(blob.text.get(start..start + length), Some(string));
        }
        assert!(blob.reference("Nope").is_err());
    }
}
