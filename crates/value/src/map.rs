//! Objects and maps: ordered entries whose keys may hold unknown parts.
//!
//! Not for Terraform's sorting, which its front end does before building one. Invariant: entries
//! keep the order they were given in, duplicates included; a lookup answers with the last one.

use crate::{Src, Text, Ty, Val};

/// Whether members may have different types.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum MapKind {
    /// Named attributes of any type.
    Object,
    /// One element type.
    Map,
}

/// One member.
#[derive(Debug, Clone, PartialEq)]
pub struct Entry {
    /// The key; usually known.
    pub key: Text,
    /// Where the key was written.
    pub key_src: Src,
    /// The value.
    pub val: Val,
}

/// An object or map.
#[derive(Debug, Clone, PartialEq)]
pub struct Map {
    /// Object or map.
    pub kind: MapKind,
    /// Element type of a map; [`Ty::Dyn`] for objects.
    pub elem: Ty,
    /// Members in order.
    pub entries: Vec<Entry>,
}

impl Map {
    /// An object with these members.
    #[must_use]
    pub fn object(entries: Vec<Entry>) -> Self {
        Self {
            kind: MapKind::Object,
            elem: Ty::Dyn,
            entries,
        }
    }

    /// The last member with the known key `key`.
    #[must_use]
    pub fn get(&self, key: &str) -> Option<&Val> {
        self.entry(key).map(|entry| &entry.val)
    }

    /// As [`Map::get`], with the key's place.
    #[must_use]
    pub fn entry(&self, key: &str) -> Option<&Entry> {
        self.entries.iter().rev().find(|entry| entry.key.is(key))
    }

    /// Whether some key is not fully known, so that a failed lookup proves nothing.
    #[must_use]
    pub fn has_open_keys(&self) -> bool {
        self.entries.iter().any(|entry| !entry.key.is_known())
    }
}
