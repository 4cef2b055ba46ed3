//! List-valued elements: actions, resources, principals, and values of conditions.
//!
//! Not for what the members mean. Invariant: a member that cannot be read leaves the list open or is a
//! problem.

use super::{MOST_ITEMS, Reader, is_nameable, wrong_type};
use crate::Pattern;
use crate::action::ActionPattern;
use crate::document::Resolution;
use crate::principal::{Principal, PrincipalKind};
use crate::problem::ProblemKind;
use crate::resource::ResourcePattern;
use crate::statement::Listed;
use overgrant_value::{Data, Entry, Guard, Marks, Src, Text, Val};

impl Reader {
    /// The texts of a list element with their guards; whether some could not be read.
    pub(super) fn texts(&mut self, element: &str, val: &Val) -> (Vec<(Text, Val, Guard)>, bool) {
        let mut texts = Vec::new();
        let mut open = false;
        for (outer, val) in val.alternatives() {
            if let Data::Unknown(unknown) = val.data() {
                // An unknown list and an unknown text look alike: as text it is one open member. What
                // names a resource is one text.
                self.note_open(&unknown.sym);
                if !matches!(unknown.ty, overgrant_value::Ty::String) && !is_nameable(&unknown.sym)
                {
                    open = true;
                    self.lowered(Resolution::Partial);
                    continue;
                }
            }
            for item in val.listed() {
                for (inner, item) in item.alternatives() {
                    let Some(guard) = outer.and(&inner) else {
                        continue;
                    };
                    match item.to_text() {
                        Some(text) => {
                            self.note_text(&text);
                            texts.push((text, item, guard));
                        }
                        None if item.is_null() => {}
                        // What a macro gives may be anything.
                        None if item.as_map().is_some_and(|map| map.has_open_keys()) => {
                            open = true;
                            self.lowered(Resolution::Partial);
                        }
                        None => match item.as_items() {
                            // A list in the list: half known results of `concat` and `flatten`.
                            Some(_) => {
                                let (more, also_open) = self.texts(element, &item);
                                open |= also_open;
                                texts.extend(more.into_iter().filter_map(|(text, val, inner)| {
                                    guard.and(&inner).map(|guard| (text, val, guard))
                                }));
                            }
                            None => self.problem(
                                wrong_type(element, "a text or a list of texts"),
                                item.src(),
                            ),
                        },
                    }
                }
            }
        }
        (texts, open)
    }

    pub(super) fn listed<T>(
        &mut self,
        element: &str,
        val: &Val,
        negated: bool,
        key_src: Src,
        make: impl Fn(Text, &Val, Guard) -> T,
    ) -> Listed<T> {
        let (mut texts, mut open) = self.texts(element, val);
        let filled_later = val.marks().has(Marks::MAYBE) || val.marks().has(Marks::FROM_DEFAULT);
        open |= texts.is_empty() && filled_later;
        if texts.len() > MOST_ITEMS {
            self.too_large(element, val.src());
            self.lowered(Resolution::Partial);
            texts.truncate(MOST_ITEMS);
            open = true;
        }
        Listed {
            present: true,
            negated,
            items: texts
                .into_iter()
                .map(|(text, val, guard)| make(text, &val, guard))
                .collect(),
            open,
            key_src,
            src: val.src().clone(),
        }
    }

    pub(super) fn actions(
        &mut self,
        val: &Val,
        negated: bool,
        key_src: Src,
    ) -> Listed<ActionPattern> {
        self.listed("Action", val, negated, key_src, |text, val, guard| {
            ActionPattern(Pattern::new(
                text,
                true,
                val.src().clone(),
                guard,
                val.marks(),
            ))
        })
    }

    pub(super) fn resources(
        &mut self,
        val: &Val,
        negated: bool,
        key_src: Src,
    ) -> Listed<ResourcePattern> {
        self.listed("Resource", val, negated, key_src, |text, val, guard| {
            ResourcePattern::new(Pattern::new(
                text,
                false,
                val.src().clone(),
                guard,
                val.marks(),
            ))
        })
    }

    pub(super) fn principals(
        &mut self,
        val: &Val,
        negated: bool,
        key_src: Src,
    ) -> Listed<Principal> {
        let mut list = Listed {
            present: true,
            negated,
            items: Vec::new(),
            open: val.marks().has(Marks::MAYBE),
            key_src,
            src: val.src().clone(),
        };
        for (guard, val) in val.alternatives() {
            self.principal_alternative(&val, &guard, &mut list);
        }
        list
    }

    pub(super) fn principal_alternative(
        &mut self,
        val: &Val,
        guard: &Guard,
        list: &mut Listed<Principal>,
    ) {
        match val.data() {
            Data::Unknown(unknown) => {
                self.note_unknown(&unknown.sym, Resolution::Partial);
                list.open = true;
            }
            Data::Map(map) => {
                let entries = map.entries.clone();
                self.duplicates(&entries);
                for entry in &entries {
                    let inner = entry.val.under(val);
                    self.principal_entry(entry, &inner, guard, list);
                }
            }
            Data::Null(_) => {}
            _ => match val.to_text() {
                Some(text) if text.is("*") => {
                    list.items
                        .push(Principal::aws(text, val.src().clone(), guard.clone()));
                }
                Some(text) => {
                    self.note_text(&text);
                    let known = text.is_known();
                    if known {
                        self.problem(
                            wrong_type("Principal", "`*` or an object such as {\"AWS\": …}"),
                            val.src(),
                        );
                    } else {
                        list.open = true;
                    }
                    list.items.push(Principal {
                        kind: PrincipalKind::Unknown,
                        text,
                        src: val.src().clone(),
                        guard: guard.clone(),
                    });
                }
                None => self.problem(wrong_type("Principal", "`*` or an object"), val.src()),
            },
        }
    }

    pub(super) fn principal_entry(
        &mut self,
        entry: &Entry,
        val: &Val,
        guard: &Guard,
        list: &mut Listed<Principal>,
    ) {
        const TYPES: [&str; 4] = ["AWS", "Service", "Federated", "CanonicalUser"];
        let known = entry.key.as_known();
        let kind = known.as_ref().and_then(|key| {
            TYPES
                .into_iter()
                .find(|name| name.eq_ignore_ascii_case(key))
        });
        if let (Some(key), Some(kind)) = (&known, kind)
            && key != kind
        {
            self.problem(
                ProblemKind::WrongCase(key.clone(), kind.into()),
                &entry.key_src,
            );
        }
        if kind.is_none() {
            match known {
                Some(key) => self.problem(ProblemKind::UnknownPrincipalType(key), &entry.key_src),
                None => list.open = true,
            }
        }
        let (texts, open) = self.texts("Principal", val);
        list.open |= open;
        for (text, val, inner) in texts {
            let Some(guard) = guard.and(&inner) else {
                continue;
            };
            let src = val.src().clone();
            list.items.push(match kind {
                Some("AWS") => Principal::aws(text, src, guard),
                kind => {
                    let made = match kind {
                        Some("Service") => PrincipalKind::Service,
                        Some("Federated") => PrincipalKind::Federated,
                        Some("CanonicalUser") => PrincipalKind::Canonical,
                        _ => PrincipalKind::Unknown,
                    };
                    Principal {
                        kind: made,
                        text,
                        src,
                        guard,
                    }
                }
            });
        }
    }
}
