//! The action dimension: which actions the statements of a question tell apart.
//!
//! Not for resources. Invariant: actions of one class are selected by the same statements.

use crate::ActionSet;
use crate::engine::mask::Mask;
use crate::engine::solve::Search;
use overgrant_catalog::{ActionId, catalog};
use rustc_hash::FxHashMap;
use smallvec::SmallVec;
use std::collections::BTreeMap;

/// Actions that the same statements select.
pub(super) struct ActionClass {
    pub(super) mask: Mask,
    pub(super) ids: Vec<u32>,
}

impl Search<'_, '_> {
    /// The first action of the nth asked statement, as a class of its own.
    pub(super) fn sample(&self, nth: usize) -> Option<ActionClass> {
        let members = &self.query.members;
        let own = members.get(self.focus.bits().nth(nth)?)?;
        let id = if let Some(domain) = &self.query.domain {
            let actions = own.boxed.actions(own.high);
            domain.iter().find(|id| actions.contains(*id))?
        } else if own.high {
            own.boxed.first?
        } else {
            own.boxed.actions(false).iter().next()?
        };
        let mut mask = Mask::default();
        for (bit, member) in members.iter().enumerate() {
            if member.boxed.actions(member.high).contains(id) {
                mask.set(bit);
            }
        }
        Some(ActionClass {
            mask,
            ids: vec![id.0],
        })
    }

    /// Groups the actions that the asked side allows somewhere by the statements that select them.
    pub(super) fn action_classes(&self) -> Vec<ActionClass> {
        let members = &self.query.members;
        let words: Vec<&[usize]> = members
            .iter()
            .map(|member| member.boxed.actions(member.high).words())
            .collect();
        let count = words.iter().map(|words| words.len()).max().unwrap_or(0);
        let asked: Vec<&[usize]> = self
            .focus
            .bits()
            .filter_map(|bit| words.get(bit).copied())
            .collect();
        let domain = self.query.domain.as_ref().map(ActionSet::words);
        let mut classes: FxHashMap<Mask, Vec<u32>> = FxHashMap::default();
        for at in 0..count {
            let word = |words: &[usize]| words.get(at).copied().unwrap_or(0);
            let any = asked.iter().fold(0, |any, words| any | word(words));
            let any = domain.map_or(any, |domain| any & word(domain));
            if any == 0 {
                continue;
            }
            let word = |bit: usize| words.get(bit).and_then(|w| w.get(at)).copied().unwrap_or(0);
            let mut parts: SmallVec<[(usize, Mask); 8]> = SmallVec::new();
            parts.push((any, Mask::default()));
            for bit in 0..members.len() {
                let own = word(bit) & any;
                if own == 0 {
                    continue;
                }
                let mut index = 0;
                while index < parts.len() {
                    let Some(part) = parts.get_mut(index) else {
                        break;
                    };
                    let inside = part.0 & own;
                    if inside == part.0 {
                        part.1.set(bit);
                    } else if inside != 0 {
                        let rest = (part.0 & !own, part.1);
                        part.0 = inside;
                        part.1.set(bit);
                        parts.insert(index + 1, rest);
                        index += 1;
                    }
                    index += 1;
                }
            }
            for (mut bits, mask) in parts {
                let ids = classes.entry(mask).or_default();
                while bits != 0 {
                    let id = at * usize::BITS as usize + bits.trailing_zeros() as usize;
                    ids.push(u32::try_from(id).unwrap_or(u32::MAX));
                    bits &= bits - 1;
                }
            }
        }
        let mut classes: Vec<ActionClass> = classes
            .into_iter()
            .map(|(mask, ids)| ActionClass { mask, ids })
            .collect();
        classes.sort_by(|a, b| a.ids.first().cmp(&b.ids.first()));
        // Where organization or trust rules depend on the service, a class has one answer to them.
        if self.by_service {
            classes = classes.into_iter().flat_map(split_by_service).collect();
        }
        classes
    }

    /// Action names outside the catalog that patterns of the asked side take in, and whether the
    /// name is made up.
    pub(super) fn other_actions(&self) -> Vec<(String, bool)> {
        if self.query.domain.is_some() {
            return Vec::new();
        }
        let mut names: BTreeMap<String, bool> = BTreeMap::new();
        for member in &self.query.members {
            if !(member.new && member.allow) {
                continue;
            }
            let Some(statement) = member.boxed.statement else {
                continue;
            };
            for item in &statement.actions.listed().items {
                let Some(text) = item.spelling() else {
                    continue;
                };
                if statement.actions.listed().negated {
                    continue;
                }
                let made_up = text.contains(['*', '?']);
                let mut name = text.replace(['*', '?'], "x");
                if !name.contains(':') {
                    name = format!("{name}:x");
                }
                if catalog().action_id(&name).is_none() {
                    names.entry(name).or_insert(made_up);
                }
            }
            if statement.actions.listed().negated {
                names.entry("x:x".to_owned()).or_insert(true);
            }
        }
        names.into_iter().collect()
    }
}

fn split_by_service(class: ActionClass) -> Vec<ActionClass> {
    let mut parts: BTreeMap<(bool, bool), Vec<u32>> = BTreeMap::new();
    for id in class.ids {
        let Some(action) = catalog().action(ActionId(id)) else {
            continue;
        };
        let service = action.service();
        let trust = service.prefix() == "kms"
            || service.prefix() == "sts" && action.name().starts_with("AssumeRole");
        parts
            .entry((service.supports_rcp(), trust))
            .or_default()
            .push(id);
    }
    parts
        .into_values()
        .map(|ids| ActionClass {
            mask: class.mask,
            ids,
        })
        .collect()
}
