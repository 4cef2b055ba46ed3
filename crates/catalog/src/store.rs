//! The catalog itself: the embedded one, one read from bytes, and the one in force.
//!
//! Not for: lookups; each table has its own file. Invariant: the catalog in force never changes
//! once it was asked for or set.

use crate::layout;
use crate::recent::Recent;
use crate::tables::{Tables, caseless};
use std::borrow::Cow;
use std::sync::{LazyLock, OnceLock};

/// AWS facts of one day. Lookups are methods, spread over the files of this crate.
#[derive(Debug)]
pub struct Catalog {
    pub(crate) tables: Tables,
    /// The inflated streams of managed policies.
    pub(crate) chunks: OnceLock<Box<[OnceLock<Box<str>>]>>,
    pub(crate) recent: Recent,
}

/// Why bytes are not a catalog.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CatalogError {
    /// The bytes do not begin as a catalog of this layout does.
    #[error("not an overgrant IAM data file, or one for another version of overgrant")]
    NotACatalog,
    /// The lengths or the checksum do not fit the bytes.
    #[error("the IAM data file is damaged: lengths or checksum do not fit")]
    Damaged,
    /// The tables contradict themselves.
    #[error("the IAM data file is damaged: {0}")]
    Inconsistent(&'static str),
}

/// The catalog in force had been set or used before.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the IAM data is already in use and cannot be replaced")]
pub struct AlreadySet;

static EMBEDDED: LazyLock<Catalog> = LazyLock::new(|| {
    let tables = Tables::new(
        Cow::Borrowed(crate::generated::STRINGS),
        Cow::Borrowed(crate::generated::TABLES),
        Cow::Borrowed(crate::generated::POLICIES),
    );
    Catalog::of(tables.unwrap_or_else(Tables::empty))
});
static IN_FORCE: OnceLock<&'static Catalog> = OnceLock::new();

/// The catalog in force: the one given to [`set_catalog`], else the embedded one.
#[must_use]
pub fn catalog() -> &'static Catalog {
    IN_FORCE.get_or_init(Catalog::embedded)
}

/// Puts `catalog` in force for the rest of the process; it is never freed.
///
/// # Errors
/// [`AlreadySet`] if a catalog was set before, or [`catalog`] was called.
pub fn set_catalog(catalog: Catalog) -> Result<(), AlreadySet> {
    if IN_FORCE.get().is_some() {
        return Err(AlreadySet);
    }
    IN_FORCE
        .set(Box::leak(Box::new(catalog)))
        .map_err(|_| AlreadySet)
}

impl Catalog {
    const fn of(tables: Tables) -> Self {
        Self {
            tables,
            chunks: OnceLock::new(),
            recent: Recent::new(),
        }
    }

    /// The catalog that was compiled in.
    #[must_use]
    pub fn embedded() -> &'static Self {
        &EMBEDDED
    }

    /// Reads a catalog file, as `cargo dev catalog --pack FILE` writes it.
    ///
    /// # Errors
    /// [`CatalogError`] if the bytes are of another layout, damaged or contradictory.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, CatalogError> {
        if bytes.get(..8) != Some(&layout::MAGIC[..]) {
            return Err(CatalogError::NotACatalog);
        }
        let word = |at: usize| -> Option<usize> {
            let four = bytes.get(at..at + 4)?;
            Some(u32::from_le_bytes(four.try_into().ok()?) as usize)
        };
        let part = |start: usize, length: usize| bytes.get(start..start.checked_add(length)?);
        let parts = || -> Option<[&[u8]; 3]> {
            let (first, second, third) = (word(8)?, word(12)?, word(16)?);
            let expected = u64::from_le_bytes(bytes.get(20..28)?.try_into().ok()?);
            let strings = part(layout::HEADER, first)?;
            let tables = part(layout::HEADER + first, second)?;
            let policies = part(layout::HEADER + first + second, third)?;
            let whole = bytes.len() == layout::HEADER + first + second + third;
            let parts = [strings, tables, policies];
            (whole && layout::checksum(parts) == expected).then_some(parts)
        };
        let [strings, tables, policies] = parts().ok_or(CatalogError::Damaged)?;
        let strings = str::from_utf8(strings).map_err(|_| CatalogError::Damaged)?;
        let tables = Tables::new(
            Cow::Owned(strings.to_owned()),
            Cow::Owned(tables.to_vec()),
            Cow::Owned(policies.to_vec()),
        )
        .ok_or(CatalogError::Damaged)?;
        tables.check().map_err(CatalogError::Inconsistent)?;
        let catalog = Self::of(tables);
        catalog.check_order().map_err(CatalogError::Inconsistent)?;
        Ok(catalog)
    }

    /// Whether the records stand as the binary searches expect them.
    fn check_order(&self) -> Result<(), &'static str> {
        let less = |one: &&str, other: &&str| caseless(one, other).is_lt();
        let name = |id: u32| self.action_name(id as usize);
        let keys = self.condition_keys().map(|key| key.name());
        let prefixes = self.services().map(|service| service.prefix());
        let ok = prefixes.is_sorted_by(less)
            && keys.is_sorted_by(less)
            && self.extra_actions().is_sorted_by(less)
            && self.services().all(|service| {
                let types = service.resource_types().map(|resource| resource.name());
                service.actions().map(name).is_sorted_by(less) && types.is_sorted_by(less)
            });
        ok.then_some(()).ok_or("the records are not in order")
    }

    /// The day that the action tables describe, `YYYY-MM-DD`.
    #[must_use]
    pub fn date(&self) -> &str {
        self.tables.string(self.tables.u16(layout::META, 0))
    }
}

#[cfg(test)]
pub(crate) fn packed() -> Vec<u8> {
    use crate::generated::{POLICIES, STRINGS, TABLES};
    pack([STRINGS.as_bytes(), TABLES, POLICIES])
}

#[cfg(test)]
fn pack(parts: [&[u8]; 3]) -> Vec<u8> {
    let mut bytes = layout::MAGIC.to_vec();
    for part in parts {
        bytes.extend(u32::try_from(part.len()).unwrap().to_le_bytes());
    }
    bytes.extend(layout::checksum(parts).to_le_bytes());
    parts.iter().for_each(|part| bytes.extend(*part));
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::generated::{POLICIES, STRINGS, TABLES};
    use proptest::prelude::*;

    #[test]
    fn embedded_tables_are_consistent_dated_and_small() {
        let embedded = Catalog::embedded();
        assert_eq!(embedded.tables.check(), Ok(()));
        assert_eq!(embedded.date(), crate::DATA_DATE);
        assert_eq!(crate::DATA_DATE, "2026-09-26");
        // 2 MB in the binary, with room for the statics and the code.
        assert!(packed().len() < 1_850_000, "{} bytes", packed().len());
    }

    #[test]
    fn a_catalog_file_answers_as_the_embedded_one() {
        let read = Catalog::from_bytes(&packed()).unwrap();
        let id = read.action_id("IAM:passROLE").unwrap();
        assert_eq!(read.action(id).unwrap().to_string(), "iam:PassRole");
        assert_eq!(Catalog::embedded().action_id("iam:PassRole"), Some(id));
    }

    #[test]
    fn foreign_cut_and_changed_files_are_refused() {
        let whole = packed();
        assert_eq!(
            Catalog::from_bytes(b"{}").unwrap_err(),
            CatalogError::NotACatalog
        );
        for cut in [8, 20, layout::HEADER, whole.len() / 2, whole.len() - 1] {
            assert_eq!(
                Catalog::from_bytes(&whole[..cut]).unwrap_err(),
                CatalogError::Damaged
            );
        }
        let mut changed = whole;
        let middle = changed.len() / 2;
        changed[middle] ^= 1;
        assert_eq!(
            Catalog::from_bytes(&changed).unwrap_err(),
            CatalogError::Damaged
        );
    }

    #[test]
    fn the_catalog_in_force_is_set_once() {
        assert_eq!(catalog().date(), crate::DATA_DATE);
        let other = Catalog::from_bytes(&packed()).unwrap();
        assert_eq!(set_catalog(other), Err(AlreadySet));
    }

    #[test]
    fn records_out_of_order_are_refused() {
        let mut tables = TABLES.to_vec();
        let at = 4 + layout::SERVICES * 8;
        let start = u32::from_le_bytes(tables[at..at + 4].try_into().unwrap()) as usize;
        tables.copy_within(
            start + layout::SERVICE_SIZE..start + layout::SERVICE_SIZE + 2,
            start,
        );
        let bytes = pack([STRINGS.as_bytes(), &tables, POLICIES]);
        assert_eq!(
            Catalog::from_bytes(&bytes).unwrap_err(),
            CatalogError::Inconsistent("the records are not in order")
        );
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]
        /// A file made wrong on purpose, checksum included, is refused or answers; it never panics.
        #[test]
        fn changed_tables_never_panic(
            changes in proptest::collection::vec((0..TABLES.len(), any::<u8>()), 1..8),
            head in proptest::collection::vec((0..4 + layout::SECTIONS * 8, any::<u8>()), 0..2),
        ) {
            let mut tables = TABLES.to_vec();
            for (at, byte) in changes.into_iter().chain(head) {
                tables[at] = byte;
            }
            if let Ok(catalog) = Catalog::from_bytes(&pack([STRINGS.as_bytes(), &tables, POLICIES])) {
                for id in catalog.action_ids() {
                    let action = catalog.action(id).unwrap();
                    let _ = (action.to_string(), action.level(), action.dependents().count());
                    for resource in action.resources() {
                        let _ = resource.resource_type().map(|kind| kind.arn_pattern());
                        let _ = resource.condition_keys().count();
                    }
                }
                for policy in catalog.managed_policies().step_by(100) {
                    let _ = (policy.arn(), policy.document());
                }
                let _ = catalog.action_ranges("*:Get*");
                let _ = catalog.condition_key("aws:RequestTag/a");
                let _ = catalog.suggest_action("s3:GetObjct");
            }
        }
    }
}
