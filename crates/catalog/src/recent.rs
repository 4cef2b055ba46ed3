//! Actions that were looked up before, by a hash of their spelling.
//!
//! Not for: facts; a miss is searched in the tables. Invariant: a slot is a guess that the reader
//! checks against the tables, so what another thread wrote into it costs time at most.

use std::sync::atomic::{AtomicU64, Ordering};

const SLOTS: usize = 1 << 12;

/// One guess for each hash: the number of a service and the id of an action, packed.
#[derive(Debug)]
pub(crate) struct Recent([AtomicU64; SLOTS]);

impl Recent {
    pub(crate) const fn new() -> Self {
        Self([const { AtomicU64::new(0) }; SLOTS])
    }

    fn slot(&self, full: &str) -> Option<&AtomicU64> {
        // FNV-1a without letter case, folded to the number of slots.
        let hash = full.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
            (hash ^ u64::from(byte | 0x20)).wrapping_mul(0x0100_0000_01b3)
        });
        self.0.get((hash ^ (hash >> 32)) as usize % SLOTS)
    }

    /// The service record and the action id that may be those of `full`.
    pub(crate) fn guess(&self, full: &str) -> Option<(usize, u32)> {
        let packed = self.slot(full)?.load(Ordering::Relaxed);
        let id = u32::try_from(packed & 0xffff_ffff).ok()?.checked_sub(1)?;
        Some((usize::try_from(packed >> 32).ok()?, id))
    }

    /// Keeps what a search found.
    pub(crate) fn keep(&self, full: &str, service: usize, id: u32) {
        if let Some(slot) = self.slot(full) {
            let packed = (service as u64) << 32 | (u64::from(id) + 1);
            slot.store(packed, Ordering::Relaxed);
        }
    }
}
