//! One statement: its elements by name, and the effect.
//!
//! Not for the members of lists. Invariant: an element that is there twice, or beside its opposite, is
//! a problem, and one of the two is kept.

use super::{MOST_ITEMS, Reader, wrong_type};
use crate::action::Actions;
use crate::condition::Conditions;
use crate::document::{Effect, Resolution};
use crate::principal::Principals;
use crate::problem::ProblemKind;
use crate::resource::Resources;
use crate::statement::{Listed, Statement};
use overgrant_value::{Data, Guard, Src, Text, Val};

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

impl Reader {
    pub(super) fn one_statement(&mut self, val: &Val, guard: &Guard) {
        let Some(map) = val.as_map() else { return };
        let entries = &map.entries;
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
