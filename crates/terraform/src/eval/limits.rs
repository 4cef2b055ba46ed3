//! How much one root may take: steps, depth, bytes of text, size of values, module instances.
//!
//! Not for what a file may hold: the scanner, the readers of JSON and YAML and `Sources` have limits
//! of their own. Invariant: whatever a root says, its evaluation ends in bounded time and memory, and
//! what is cut off is told.

use super::expr::{Eval, fail};
use super::instance::Evaluator;
use overgrant_source::Span;
use overgrant_value::{Data, Text, Val};
use std::cell::Cell;

/// Steps that one root may take.
const MAX_STEPS: u64 = if cfg!(test) { 200_000 } else { 5_000_000 };
/// Bytes of text that one root may build.
const MAX_BYTES: u64 = 64 * 1024 * 1024;
/// How deep expressions and references may go.
const MAX_DEPTH: usize = 2_000;
/// How deep modules may call each other.
pub(crate) const MAX_MODULES: usize = 32;
/// Module instances of one root.
const MAX_INSTANCES: usize = if cfg!(test) { 2_000 } else { 20_000 };
/// Bytes of one text.
const MAX_TEXT: usize = 8 * 1024 * 1024;
/// Members of one collection, rounds of one loop.
pub(crate) const MAX_MEMBERS: usize = 100_000;
/// Nodes of one value, see [`overgrant_value::Size`].
const MAX_WEIGHT: u32 = 1_000_000;
/// How deep the nodes of one value may stand in each other.
const MAX_NESTING: u16 = 256;
/// Templates that may render each other.
const MAX_TEMPLATES: usize = 16;
/// Bytes of a file that `file` and the like read.
pub(crate) const MAX_FILE: usize = 4 * 1024 * 1024;

/// Goes one level up again when dropped.
pub(crate) struct Level1<'e>(&'e Cell<usize>);

impl Drop for Level1<'_> {
    fn drop(&mut self) {
        self.0.set(self.0.get().saturating_sub(1));
    }
}

fn enter(depth: &Cell<usize>, most: usize) -> Option<Level1<'_>> {
    if depth.get() >= most {
        return None;
    }
    depth.set(depth.get() + 1);
    Some(Level1(depth))
}

impl Evaluator<'_> {
    /// Takes steps from the budget; false where it is used up.
    pub(crate) fn spend(&self, steps: u64) -> bool {
        let all = self.steps.get().saturating_add(steps);
        self.steps.set(all);
        all <= MAX_STEPS
    }

    /// Takes what it costs to go through values from the budget; false where it is used up.
    pub(crate) fn spend_on<'v>(&self, vals: impl IntoIterator<Item = &'v Val>) -> bool {
        let weight: u64 = vals
            .into_iter()
            .map(|val| u64::from(val.size().weight))
            .sum();
        self.spend(weight / 16)
    }

    /// Takes the bytes of a text from the budget; false where it is used up.
    pub(crate) fn spend_bytes(&self, text: &Text) -> bool {
        let all = self.bytes.get() + text.len() as u64;
        self.bytes.set(all);
        all <= MAX_BYTES
    }

    /// One level deeper, for as long as the result lives; `None` where it is too deep.
    pub(crate) fn deeper(&self) -> Option<Level1<'_>> {
        enter(&self.depth, MAX_DEPTH)
    }

    /// One template in another, for as long as the result lives; `None` where it is too deep.
    pub(crate) fn in_template(&self) -> Option<Level1<'_>> {
        enter(&self.templates_deep, MAX_TEMPLATES)
    }

    /// Whether the root has all the module instances that it may have.
    pub(crate) fn is_full(&self) -> bool {
        self.instances.borrow().len() >= MAX_INSTANCES
    }

    /// A result that is not too large.
    pub(crate) fn fitting(&self, result: Eval, span: Span) -> Eval {
        let val = result?;
        match too_large(&val) {
            Some(words) => fail(words, span),
            None => Ok(val),
        }
    }
}

fn too_large(val: &Val) -> Option<&'static str> {
    let size = val.size();
    let members = match val.data() {
        Data::Str(text) if text.len() > MAX_TEXT => return Some("this text is too large"),
        Data::Seq(seq) => seq.items.len(),
        Data::Map(map) => map.entries.len(),
        _ => 0,
    };
    if members > MAX_MEMBERS {
        Some("this collection has too many members")
    } else if size.weight > MAX_WEIGHT {
        Some("this value is too large")
    } else if size.depth > MAX_NESTING {
        Some("this value is nested too deeply")
    } else {
        None
    }
}

/// Whether a text may have this many bytes.
///
/// # Errors
/// That it would be too large, in words.
pub(crate) fn room(bytes: usize) -> Result<(), &'static str> {
    match bytes > MAX_TEXT {
        true => Err("the text grows too large"),
        false => Ok(()),
    }
}

/// Whether a collection may have this many members.
///
/// # Errors
/// That it would have too many, in words.
pub(crate) fn seats(members: usize) -> Result<(), &'static str> {
    match members > MAX_MEMBERS {
        true => Err("the result has too many members"),
        false => Ok(()),
    }
}
