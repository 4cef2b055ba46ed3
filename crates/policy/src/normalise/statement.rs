//! One statement: its elements by name, and the effect.
//!
//! Not for the members of lists. Invariant: an element that is there twice, or beside its opposite, is
//! a problem, and one of the two is kept; one that differs by case makes a statement for each.

use super::{MOST_ITEMS, Reader, wrong_type};
use crate::action::Actions;
use crate::condition::Conditions;
use crate::document::{Effect, Resolution};
use crate::principal::Principals;
use crate::problem::ProblemKind;
use crate::resource::Resources;
use crate::statement::{Listed, Statement};
use overgrant_value::{Data, Entry, Guard, Map, Src, Text, Val};

const ELEMENTS: [&str; 9] = [
    "Sid",
    "Effect",
    "Principal",
    "NotPrincipal",
    "Action",
    "NotAction",
    "Resource",
    "NotResource",
    "Condition",
];

/// Elements that stand for each other: a statement has one of the two.
const OPPOSITES: [(&str, &str); 3] = [
    ("Action", "NotAction"),
    ("Resource", "NotResource"),
    ("Principal", "NotPrincipal"),
];

/// The place of an element that makes one statement several: an effect or a condition that is one of
/// two, or an element that is there in some cases only, beside its opposite.
fn splitting(entries: &[Entry]) -> Option<usize> {
    let several = |entry: &Entry| matches!(entry.val.data(), Data::OneOf(_));
    if !entries.iter().any(several) {
        return None;
    }
    let has = |name: &str| entries.iter().any(|entry| entry.key.is(name));
    entries.iter().position(|entry| {
        several(entry)
            && (entry.key.is("Effect")
                || entry.key.is("Condition")
                || OPPOSITES.iter().any(|(one, other)| {
                    entry.key.is(one) && has(other) || entry.key.is(other) && has(one)
                }))
    })
}

impl Reader {
    pub(super) fn one_statement(&mut self, val: &Val, guard: &Guard) {
        let Some(map) = val.as_map() else { return };
        let entries = &map.entries;
        if let Some(at) = splitting(entries)
            && let Some(entry) = entries.get(at)
        {
            for (inner, alternative) in entry.val.alternatives() {
                let Some(guard) = guard.and(&inner) else {
                    continue;
                };
                let mut entries = entries.clone();
                if alternative.is_null() {
                    entries.remove(at);
                } else if let Some(entry) = entries.get_mut(at) {
                    entry.val = alternative;
                }
                let map = Map {
                    entries,
                    ..map.clone()
                };
                let one = Val::new(Data::Map(map), val.src().clone()).marked(val.marks());
                // The other elements are what they are in this case.
                self.one_statement(&one.assuming(&inner).unwrap_or(one), &guard);
            }
            return;
        }
        let index = self.document.statements.len();
        if index >= MOST_ITEMS {
            self.too_large("Statement", val.src());
            self.lowered(Resolution::Unresolved);
            return;
        }
        self.statement = Some(index);
        let outer = std::mem::replace(&mut self.guard, guard.clone());
        self.duplicates(entries);
        let mut statement = Statement {
            index,
            sid: None,
            effect: Effect::Unknown,
            effect_src: val.src().clone(),
            principals: Principals(Listed::absent()),
            actions: Actions::new(Listed::absent()),
            resources: Resources(Listed::absent()),
            conditions: Conditions::default(),
            src: val.src().clone(),
            guard: guard.clone(),
            marks: val.marks(),
        };
        let mut has_effect = false;
        for entry in entries {
            let Some(name) = self.element(entry, &ELEMENTS, "statement") else {
                continue;
            };
            let inner = entry.val.under(val);
            let key_src = entry.key_src.under(val.src());
            if inner.is_null() {
                // `null` is what an absent optional attribute becomes; one that came from elsewhere
                // may be something there.
                if name == "Resource" && !inner.src().is_local() {
                    statement.resources.0.open = true;
                }
                continue;
            }
            match name {
                "Sid" => statement.sid = inner.to_text(),
                "Effect" => {
                    has_effect = true;
                    statement.effect_src = inner.src().clone();
                    statement.effect = self.effect(&inner);
                }
                "Action" | "NotAction" => {
                    let list = self.actions(&inner, name == "NotAction", key_src.clone());
                    let both = statement.actions.0.excludes(&list);
                    self.exclusive(both, "Action", "NotAction", &key_src);
                    if !statement.actions.0.present || list.is_firm() {
                        statement.actions = Actions::new(list);
                    }
                }
                "Resource" | "NotResource" => {
                    let list = self.resources(&inner, name == "NotResource", key_src.clone());
                    let both = statement.resources.0.excludes(&list);
                    self.exclusive(both, "Resource", "NotResource", &key_src);
                    if !statement.resources.0.present || list.is_firm() {
                        statement.resources = Resources(list);
                    }
                }
                "Principal" | "NotPrincipal" => {
                    let list = self.principals(&inner, name == "NotPrincipal", key_src.clone());
                    let both = statement.principals.0.excludes(&list);
                    self.exclusive(both, "Principal", "NotPrincipal", &key_src);
                    if !statement.principals.0.present || list.is_firm() {
                        statement.principals = Principals(list);
                    }
                }
                _ => statement.conditions = self.conditions(&inner),
            }
        }
        // A macro may add what is not here.
        let open = entries.iter().any(|entry| !entry.key.is_known());
        if !has_effect && !open {
            self.problem(ProblemKind::Missing("Effect".into()), val.src());
        }
        if !statement.actions.0.present && !open {
            self.problem(ProblemKind::Missing("Action".into()), val.src());
        }
        self.duplicate_sid(&statement);
        self.document.statements.push(statement);
        self.statement = None;
        self.guard = outer;
    }

    pub(super) fn duplicate_sid(&mut self, statement: &Statement) {
        let Some(sid) = statement.sid.as_ref().and_then(Text::as_known) else {
            return;
        };
        let other = self.document.statements.iter().find(|other| {
            other.sid.as_ref().is_some_and(|text| text.is(&sid))
                && other.guard.and(&statement.guard).is_some()
        });
        if let (false, Some(other)) = (sid.is_empty(), other) {
            let earlier = other.src.clone();
            self.twice(ProblemKind::DuplicateSid(sid), &statement.src, earlier);
        }
    }

    pub(super) fn effect(&mut self, val: &Val) -> Effect {
        match val.data() {
            Data::Unknown(unknown) => {
                self.note_unknown(&unknown.sym, Resolution::Unresolved);
                Effect::Unknown
            }
            Data::OneOf(_) => Effect::Unknown,
            _ => match val.to_text() {
                Some(text) => match text.as_known().as_deref() {
                    Some("Allow") => Effect::Allow,
                    Some("Deny") => Effect::Deny,
                    Some(other) => {
                        self.problem(ProblemKind::BadEffect(other.into()), val.src());
                        match other.to_ascii_lowercase().as_str() {
                            "allow" => Effect::Allow,
                            "deny" => Effect::Deny,
                            _ => Effect::Unknown,
                        }
                    }
                    None => {
                        self.note_text(&text);
                        self.lowered(Resolution::Unresolved);
                        Effect::Unknown
                    }
                },
                None => {
                    self.problem(wrong_type("Effect", "`Allow` or `Deny`"), val.src());
                    Effect::Unknown
                }
            },
        }
    }

    pub(super) fn exclusive(&mut self, both: bool, a: &str, b: &str, src: &Src) {
        if both {
            self.problem(ProblemKind::Exclusive(a.into(), b.into()), src);
        }
    }
}
