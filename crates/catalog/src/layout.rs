//! The binary layout of the tables, shared by the reader here and the generator in `cargo dev`.
//!
//! Not for: reading or writing; only numbers. Invariant: a change of any number here changes
//! [`MAGIC`], so that a table written for another layout is refused.
//!
//! A catalog has three parts. *strings*: UTF-8 without separators; one string may lie inside another.
//! *tables*: a section directory (`count`, then `offset`, `length` each, all
//! `u32`), then the sections. *policies*: deflate streams. A catalog file is `MAGIC`, the three
//! lengths as `u32`, a checksum as `u64` over the three parts, and the parts. Integers are
//! little-endian. A text reference is a `u32`: offset into *strings*, then [`LENGTH_BITS`] of length.
//! A string reference is a `u16` index into [`STRINGS`].

/// First bytes of a catalog file; ends in the layout's version.
pub const MAGIC: [u8; 8] = *b"OGIAMDB1";
/// Bytes before the first part of a catalog file.
pub const HEADER: usize = 8 + 3 * 4 + 8;

/// One record: date (string reference).
pub const META: usize = 0;
/// Text references: the strings that records name by number.
pub const STRINGS: usize = 1;
/// [`SERVICE_SIZE`] records sorted by prefix, and one that ends the last ranges.
pub const SERVICES: usize = 2;
/// [`ACTION_SIZE`] records sorted by service, then lower-cased name.
pub const ACTIONS: usize = 3;
/// [`RESOURCE_SIZE`] records sorted by service, then lower-cased type.
pub const RESOURCES: usize = 4;
/// `u32` indexes into [`LISTS`], one more than there are lists.
pub const LIST_OFFSETS: usize = 5;
/// `u16` string references.
pub const LISTS: usize = 6;
/// `u32` indexes into [`TYPE_LISTS`], one more than there are lists.
pub const TYPE_LIST_OFFSETS: usize = 7;
/// [`TYPE_SIZE`] records: the resource types of actions.
pub const TYPE_LISTS: usize = 8;
/// [`KEY_SIZE`] records sorted by lower-cased name.
pub const KEYS: usize = 9;
/// `u16` indexes into [`KEYS`]: those with a placeholder.
pub const PLACEHOLDER_KEYS: usize = 10;
/// `u16` string references sorted by lower-cased text.
pub const EXTRA_ACTIONS: usize = 11;
/// [`PRINCIPAL_SIZE`] records sorted by name.
pub const PRINCIPALS: usize = 12;
/// [`POLICY_SIZE`] records sorted by name.
pub const POLICIES: usize = 13;
/// [`CHUNK_SIZE`] records.
pub const CHUNKS: usize = 14;
/// Number of sections.
pub const SECTIONS: usize = 15;

/// prefix u16, name u16, first action u32, first resource type u16, flags u16 (1 = RCP).
pub const SERVICE_SIZE: usize = 12;
/// name (text reference) u32, level u8 (low half: AWS's; high half: the override or 15), flags u8,
/// type list u16, key list u16, dependents list u16.
pub const ACTION_SIZE: usize = 12;
/// service u16, type u16, pattern u16, key list u16.
pub const RESOURCE_SIZE: usize = 8;
/// type name u16, resource type u16 or [`NONE`], key list u16, flags u16 (1 = required).
pub const TYPE_SIZE: usize = 8;
/// name u16, type u8, scope u8, availability u8, flags u8 (1 = services disagree on the type), list
/// of services u16.
pub const KEY_SIZE: usize = 8;
/// name u16, flags u16 (1 = China partition), passed u16, linked u16, key u16, via u16, mentions u32.
pub const PRINCIPAL_SIZE: usize = 16;
/// path and name u16, version u16, created u16, updated u16, status u16, chunk u16, offset u32,
/// length u32.
pub const POLICY_SIZE: usize = 20;
/// offset u32 and length u32 in *policies*, inflated length u32.
pub const CHUNK_SIZE: usize = 12;

/// Low bits of a text reference that hold the length, in bytes.
pub const LENGTH_BITS: u32 = 9;
/// The missing reference.
pub const NONE: u16 = u16::MAX;
/// The missing half of a level byte.
pub const NO_LEVEL: u8 = 15;
/// Longest inflated chunk, in bytes: a bound for tables from a file.
pub const MAX_CHUNK: usize = 1 << 20;

/// FNV-1a over `parts`: the checksum of a catalog file.
#[must_use]
pub fn checksum(parts: [&[u8]; 3]) -> u64 {
    let mut hash = 0xcbf2_9ce4_8422_2325_u64;
    for part in parts {
        for byte in part {
            hash = (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3);
        }
    }
    hash
}
