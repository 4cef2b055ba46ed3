//! The `Condition` element.
//!
//! Not for what operators mean. Invariant: no key of the element is lost.

use super::{Reader, wrong_type};
use crate::Pattern;
use crate::condition::{Condition, ConditionKey, Conditions, Operator, Test, Value};
use crate::document::Resolution;
use crate::problem::ProblemKind;
use overgrant_value::{Data, Entry, Guard, Val};
use smol_str::SmolStr;

impl Reader {
    pub(super) fn conditions(&mut self, val: &Val) -> Conditions {
        let mut conditions = Conditions {
            items: Vec::new(),
            open: false,
            src: val.src().clone(),
        };
        for (guard, val) in val.alternatives() {
            match val.data() {
                Data::Null(_) => {}
                Data::Map(map) => {
                    self.duplicates(&map.entries);
                    for entry in &map.entries {
                        self.operator(entry, &entry.val.under(&val), &guard, &mut conditions);
                    }
                }
                Data::Unknown(unknown) => {
                    self.note_unknown(&unknown.sym, Resolution::Partial);
                    conditions.open = true;
                }
                // An empty list is what PHP-like generators write for "none".
                Data::Seq(seq) if seq.items.is_empty() => {}
                _ => self.problem(wrong_type("Condition", "an object"), val.src()),
            }
        }
        conditions
    }

    pub(super) fn operator(
        &mut self,
        entry: &Entry,
        val: &Val,
        guard: &Guard,
        conditions: &mut Conditions,
    ) {
        let name = entry
            .key
            .as_known()
            .unwrap_or_else(|| SmolStr::from(entry.key.to_string()));
        let operator = Operator::parse(&name);
        if operator.test == Test::Unknown && entry.key.is_known() {
            self.problem(ProblemKind::UnknownOperator(name), &entry.key_src);
        }
        for (inner, val) in val.alternatives() {
            let Some(guard) = guard.and(&inner) else {
                continue;
            };
            match val.data() {
                Data::Null(_) => {}
                Data::Map(map) => {
                    self.duplicates(&map.entries);
                    for pair in &map.entries {
                        let values = pair.val.under(&val);
                        self.note_text(&pair.key);
                        let list = self.listed(
                            "Condition",
                            &values,
                            false,
                            pair.key_src.clone(),
                            |text, val, guard| {
                                Value(Pattern::new(
                                    text,
                                    false,
                                    val.src().clone(),
                                    guard,
                                    val.marks(),
                                ))
                            },
                        );
                        conditions.items.push(Condition {
                            operator: operator.clone(),
                            operator_src: entry.key_src.clone(),
                            key: ConditionKey {
                                text: pair.key.clone(),
                                src: pair.key_src.clone(),
                            },
                            values: list.items,
                            open: list.open,
                            src: list.src,
                            guard: guard.clone(),
                        });
                    }
                }
                Data::Unknown(unknown) => {
                    self.note_unknown(&unknown.sym, Resolution::Partial);
                    conditions.open = true;
                }
                _ => self.problem(
                    wrong_type("Condition", "an object of operators with keys"),
                    val.src(),
                ),
            }
        }
    }
}
