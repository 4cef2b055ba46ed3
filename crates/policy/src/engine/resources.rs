//! The resource dimension: a resource of a domain for which the function holds.
//!
//! Not for condition keys. Invariant: a search without a hit has looked at every combination of globs
//! that a text can fall into, or says that it was cut short.

use crate::engine::automaton::{Atom, End, MOST_WORK, explore};
use crate::engine::compile::Item;
use crate::engine::domain::{Domain, domain_glob, star_selects};
use crate::engine::globs::{Glob, Letter, Tok, generic};
use crate::engine::mask::Mask;
use crate::engine::side::View;
use crate::engine::solve::{Context, Search};
use rustc_hash::{FxHashMap, FxHashSet};
use smallvec::SmallVec;
use std::sync::LazyLock;

impl<'q> Search<'_, 'q> {
    /// A resource in the domain for which the function can be made true.
    pub(super) fn resources(
        &mut self,
        alive: Mask,
        view: &View,
        caller: usize,
        domain: &Domain<'_>,
    ) -> Option<(Vec<Letter>, Mask, Context)> {
        if let Domain::Star(service) = domain {
            // The reference lags behind: an ARN of the service whose resource part is `*` may take
            // in the resource `*`, but then for every statement.
            let must = self.query.must;
            let mut reading = |roots: bool| {
                let mut mask = Mask::default();
                for bit in alive.bits() {
                    if let Some(member) = self.query.members.get(bit)
                        && star_selects(&member.boxed.resources, service, member.high, roots)
                    {
                        mask.set(bit);
                    }
                }
                let context = self.settle(mask, view, caller)?;
                Some((vec![Letter::Char('*')], mask, context))
            };
            let strict = reading(false);
            return match (strict, must) {
                (Some(hit), true) => reading(true).map(|_| hit),
                (None, true) => None,
                (hit, false) => hit.or_else(|| reading(true)),
            };
        }
        let star = Glob::star();
        let mut seen: FxHashSet<Mask> = FxHashSet::default();
        for bit in alive.and(self.focus).bits() {
            let Some(member) = self.query.members.get(bit) else {
                continue;
            };
            let own = &member.boxed.resources;
            let foci: Vec<&Glob> = if own.present && !own.negated && !(own.open && member.high) {
                own.items
                    .iter()
                    .filter(|item| item.certain || member.high)
                    .map(|item| &item.glob)
                    .collect()
            } else {
                vec![&star]
            };
            for focus in foci {
                let high = member.high;
                let hit = self.focus(focus, high, alive, view, caller, domain, &mut seen);
                if hit.is_some() {
                    return hit;
                }
            }
        }
        None
    }

    /// A resource in the domain that shows a hit without a search; `None` proves nothing.
    pub(super) fn at_once(
        &mut self,
        alive: Mask,
        view: &View,
        caller: usize,
        domain: &Domain<'_>,
    ) -> Option<(Vec<Letter>, Mask, Context)> {
        const TRIED: usize = 3;
        let Domain::Type(glob) = domain else {
            return None;
        };
        let query = self.query;
        for bit in alive.and(self.focus).bits().take(TRIED) {
            let own = query.members.get(bit)?;
            let list = &own.boxed.resources;
            if !list.present || list.negated {
                continue;
            }
            let certain = |item: &&Item| item.certain || own.high;
            for item in list.items.iter().filter(certain).take(TRIED) {
                if glob.is_apart(&item.glob) {
                    continue;
                }
                if let Some(word) = generic(&item.glob, own.high, glob)
                    && let Some(hit) = self.try_word(word, alive, view, caller)
                {
                    return Some(hit);
                }
            }
        }
        None
    }

    /// Whether this very text is a hit.
    fn try_word(
        &mut self,
        word: Vec<Letter>,
        alive: Mask,
        view: &View,
        caller: usize,
    ) -> Option<(Vec<Letter>, Mask, Context)> {
        let mut mask = Mask::default();
        for bit in alive.bits() {
            let Some(member) = self.query.members.get(bit) else {
                continue;
            };
            let own = &member.boxed.resources;
            let high = member.high != own.negated;
            self.budget = self.budget.saturating_sub(1 + own.items.len());
            let hit = |item: &Item| (item.certain || high) && item.glob.contains(&word, high);
            let any = !own.present || own.open && high || own.items.iter().any(hit);
            if any != (own.present && own.negated) {
                mask.set(bit);
            }
        }
        let context = self.settle(mask, view, caller)?;
        Some((word, mask, context))
    }

    /// The same below one glob.
    #[expect(
        clippy::too_many_arguments,
        reason = "the parts of one search; a struct for them would be used once"
    )]
    pub(super) fn focus(
        &mut self,
        focus: &Glob,
        high: bool,
        alive: Mask,
        view: &View,
        caller: usize,
        domain: &Domain<'_>,
        seen: &mut FxHashSet<Mask>,
    ) -> Option<(Vec<Letter>, Mask, Context)> {
        let query = self.query;
        let mut atoms: Vec<Atom<'_>> = vec![Atom::new(focus, high)];
        let mut required: SmallVec<[usize; 2]> = SmallVec::new();
        required.push(0);
        static ARN: LazyLock<Glob> =
            LazyLock::new(|| domain_glob("arn:${Partition}:${Service}:*:*:${Resource}"));
        let glob = match domain {
            Domain::Type(glob) => glob,
            _ => &*ARN,
        };
        if glob.is_apart(focus) {
            return None;
        }
        if let Some(word) = generic(focus, high, glob)
            && let Some(hit) = self.try_word(word, alive, view, caller)
        {
            return Some(hit);
        }
        // Setting a search up is work too.
        let set_up = 20 + 2 * query.members.len();
        if self.budget < set_up {
            self.budget = 0;
            self.incomplete = true;
            return None;
        }
        self.budget -= set_up;
        required.push(atoms.len());
        atoms.push(Atom::new(glob, true));
        let mut ids: FxHashMap<(&[Tok], bool), usize> = FxHashMap::default();
        ids.insert((&focus.toks, high), 0);
        // For each member what selects a text: nothing, everything, or some of the atoms.
        let mut shapes: Vec<(usize, Selects)> = Vec::new();
        for bit in alive.bits() {
            let Some(member) = query.members.get(bit) else {
                continue;
            };
            let own = &member.boxed.resources;
            let read_high = member.high != own.negated;
            let mut selects = Selects::default();
            if !own.present || (own.open && read_high) {
                selects.always = true;
            } else {
                for item in &own.items {
                    if (!item.certain && !read_high) || item.glob.empty {
                        continue;
                    }
                    if item.glob.is_apart(focus) {
                        continue;
                    }
                    if item.glob.surely_covers(focus) && !high {
                        selects.always = true;
                        break;
                    }
                    let id = *ids.entry((&item.glob.toks, read_high)).or_insert_with(|| {
                        atoms.push(Atom::new(&item.glob, read_high).spare(query.must));
                        atoms.len() - 1
                    });
                    selects.atoms.push(id);
                }
            }
            selects.negated = own.present && own.negated;
            shapes.push((bit, selects));
        }
        let crossing = shapes
            .iter()
            .any(|(_, selects)| !selects.always && selects.atoms.iter().any(|id| *id != 0));
        let free = matches!(domain, Domain::Any);
        if !crossing && free {
            let mask = mask_of(&shapes, &[0]);
            if !seen.insert(mask) {
                return None;
            }
            let context = self.settle(mask, view, caller)?;
            let mut word = Vec::new();
            explore(&atoms, &required, &mut MOST_WORK.clone(), |_, spelled| {
                word = spelled();
                true
            });
            return Some((word, mask, context));
        }
        group(&mut atoms, &shapes, &required);
        let mut budget = self.budget;
        let mut hit = None;
        let end = explore(&atoms, &required, &mut budget, |hits, spelled| {
            let mask = mask_of(&shapes, hits);
            if free && !seen.insert(mask) {
                return false;
            }
            let Some(context) = self.settle(mask, view, caller) else {
                return false;
            };
            hit = Some((spelled(), mask, context));
            true
        });
        self.budget = self.budget.min(budget);
        if end == End::Capped {
            self.incomplete = true;
        }
        hit
    }
}

/// What selects a text for one member.
#[derive(Debug, Default)]
struct Selects {
    always: bool,
    negated: bool,
    atoms: SmallVec<[usize; 4]>,
}

/// Makes one group of the atoms that select the same members: by what selected them so far, and the
/// next member that does.
fn group(atoms: &mut [Atom<'_>], shapes: &[(usize, Selects)], required: &[usize]) {
    // Few globs are no work to keep apart.
    const FEW: usize = 4;
    if atoms.len() <= FEW {
        return;
    }
    let mut groups: FxHashMap<(Option<u16>, usize), u16> = FxHashMap::default();
    for (bit, selects) in shapes.iter().filter(|(_, selects)| !selects.always) {
        for id in selects.atoms.iter().filter(|id| !required.contains(id)) {
            if let Some(atom) = atoms.get_mut(*id) {
                let next = u16::try_from(groups.len()).unwrap_or(u16::MAX);
                atom.group = Some(*groups.entry((atom.group, *bit)).or_insert(next));
            }
        }
    }
}

fn mask_of(shapes: &[(usize, Selects)], hits: &[usize]) -> Mask {
    let mut mask = Mask::default();
    for (bit, selects) in shapes {
        let any = selects.always || selects.atoms.iter().any(|id| hits.contains(id));
        if any != selects.negated {
            mask.set(*bit);
        }
    }
    mask
}
