//! A statement as a box: the product of its actions, resources, principals and one test per key.
//!
//! Not for combining statements. Invariant: the box read low is contained in the statement for every
//! value of its open parts, and the box read high contains the statement for each.

use crate::action::ActionPattern;
use crate::action_set::ActionSet;
use crate::condition::{Condition, Operator, Test};
use crate::document::{Document, Effect, Resolution};
use crate::engine::globs::{Glob, Reading};
use crate::principal::Principals;
use crate::statement::{Listed, Statement};
use overgrant_catalog::{ActionId, catalog};
use overgrant_value::Marks;
use std::borrow::Cow;

/// A document ready for questions. Compile once, ask often.
#[derive(Debug)]
pub struct Compiled<'a> {
    pub(crate) boxes: Vec<StatementBox<'a>>,
}

/// One statement.
#[derive(Debug)]
pub(crate) struct StatementBox<'a> {
    /// 0-based; `None` stands for statements that could not be read.
    pub(crate) index: Option<usize>,
    pub(crate) statement: Option<&'a Statement>,
    pub(crate) effect: Effect,
    /// Whether it is there whatever the parameters are.
    pub(crate) certain: bool,
    pub(crate) low: Cow<'a, ActionSet>,
    /// `None`: the same as `low`.
    pub(crate) high: Option<Cow<'a, ActionSet>>,
    /// The first action of the high reading.
    pub(crate) first: Option<ActionId>,
    pub(crate) resources: Dimension,
    pub(crate) principals: Option<&'a Principals>,
    pub(crate) tests: Vec<KeyTest<'a>>,
    /// Whether conditions may be missing from `tests`.
    pub(crate) open: bool,
    /// Whether reading it low or high makes no difference.
    exact: bool,
}

/// A list of globs, or its complement.
#[derive(Debug, Default)]
pub(crate) struct Dimension {
    /// An absent element selects everything (the resource that the policy is on).
    pub(crate) present: bool,
    pub(crate) negated: bool,
    pub(crate) open: bool,
    pub(crate) items: Vec<Item>,
}

/// A member of a list.
#[derive(Debug)]
pub(crate) struct Item {
    pub(crate) glob: Glob,
    /// Whether it is in the list whatever the parameters are.
    pub(crate) certain: bool,
}

/// One operator on one key.
#[derive(Debug)]
pub(crate) struct KeyTest<'a> {
    /// Lower case.
    pub(crate) key: String,
    pub(crate) condition: &'a Condition,
    pub(crate) values: Vec<TestValue>,
    pub(crate) certain: bool,
}

/// One listed value.
#[derive(Debug)]
pub(crate) struct TestValue {
    pub(crate) glob: Glob,
    /// The text, where all of it is known and it holds no live variable.
    pub(crate) text: Option<String>,
    pub(crate) certain: bool,
}

/// The kinds of comparison that look at a value in the same way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Family {
    Text,
    Number,
    Date,
    Address,
    Bool,
    Bytes,
    Presence,
    Unknown,
}

impl KeyTest<'_> {
    pub(crate) fn operator(&self) -> &Operator {
        &self.condition.operator
    }

    pub(crate) fn family(&self) -> Family {
        family(&self.operator().test)
    }
}

fn family(test: &Test) -> Family {
    match test {
        Test::Numeric(_) => Family::Number,
        Test::Date(_) => Family::Date,
        Test::Bool => Family::Bool,
        Test::BinaryEquals => Family::Bytes,
        Test::IpAddress | Test::NotIpAddress => Family::Address,
        Test::Null => Family::Presence,
        Test::Unknown => Family::Unknown,
        _ => Family::Text,
    }
}

impl<'a> Compiled<'a> {
    /// Compiles a document.
    #[must_use]
    pub fn new(document: &'a Document) -> Self {
        let variables = document.has_variables();
        let mut boxes: Vec<StatementBox<'a>> = document
            .statements
            .iter()
            .map(|statement| compile(statement, variables))
            .collect();
        if document.resolution == Resolution::Unresolved {
            boxes.push(unread());
        }
        Self { boxes }
    }
}

fn unread<'a>() -> StatementBox<'a> {
    StatementBox {
        index: None,
        statement: None,
        effect: Effect::Unknown,
        certain: false,
        low: Cow::Owned(ActionSet::empty()),
        high: Some(Cow::Owned(ActionSet::all())),
        first: Some(ActionId(0)),
        resources: Dimension::default(),
        principals: None,
        tests: Vec::new(),
        open: true,
        exact: false,
    }
}

fn compile(statement: &Statement, variables: bool) -> StatementBox<'_> {
    let mut open = statement.conditions.open;
    let mut tests = Vec::new();
    for condition in &statement.conditions.items {
        let Some(key) = condition.key.spelling() else {
            open = true;
            continue;
        };
        tests.push(KeyTest {
            key,
            condition,
            values: condition
                .values
                .iter()
                .map(|value| read_value(value, &condition.operator, variables))
                .collect(),
            certain: condition.guard.is_always(),
        });
    }
    let (low, high) = statement.actions.selected();
    let high_first = high.iter().next();
    let mut made = StatementBox {
        index: Some(statement.index),
        statement: Some(statement),
        effect: statement.effect,
        certain: statement.guard.is_always() && !statement.marks.has(Marks::MAYBE),
        high: (!statement.actions.is_exact()).then_some(Cow::Borrowed(high)),
        low: Cow::Borrowed(low),
        first: high_first,
        resources: resources(statement.resources.listed(), variables),
        principals: statement
            .principals
            .listed()
            .present
            .then_some(&statement.principals),
        tests,
        open,
        exact: false,
    };
    made.exact = made.reads_the_same();
    made
}

fn resources(listed: &Listed<crate::ResourcePattern>, variables: bool) -> Dimension {
    let reading = Reading {
        wildcards: true,
        fold: false,
        variables,
        arn: true,
    };
    Dimension {
        present: listed.present,
        negated: listed.negated,
        open: listed.open,
        items: listed
            .items
            .iter()
            .map(|item| Item {
                glob: Glob::read(item.pattern.text(), reading),
                certain: item.pattern.guard().is_always(),
            })
            .collect(),
    }
}

fn read_value(value: &crate::Value, operator: &Operator, variables: bool) -> TestValue {
    let arn = matches!(
        operator.test,
        Test::ArnEquals | Test::ArnLike | Test::ArnNotEquals | Test::ArnNotLike
    );
    let fold = matches!(
        operator.test,
        Test::StringEqualsIgnoreCase | Test::StringNotEqualsIgnoreCase
    );
    let text = value.pattern().text();
    let mut glob = Glob::read(
        text,
        Reading {
            wildcards: operator.has_wildcards(),
            fold,
            variables,
            arn,
        },
    );
    if arn && !glob.is_open() {
        // What has fewer than six segments never matches an ARN.
        let colons = text.to_string().matches(':').count();
        glob.empty = colons < 5;
    }
    TestValue {
        text: value
            .known()
            .map(|text| text.to_string())
            .filter(|text| !(variables && text.contains("${"))),
        glob,
        certain: value.pattern().guard().is_always(),
    }
}

impl StatementBox<'_> {
    /// The catalog's actions, read high or low.
    pub(crate) fn actions(&self, high: bool) -> &ActionSet {
        match &self.high {
            Some(set) if high => set,
            _ => &self.low,
        }
    }

    /// Whether reading it low or high makes no difference.
    pub(crate) fn is_exact(&self) -> bool {
        self.exact
    }

    /// Whether resources or condition values contain policy variables.
    pub(crate) fn has_variables(&self) -> bool {
        let varied = |glob: &Glob| glob.names.iter().any(|(_, name)| name.key.is_some());
        self.resources.items.iter().any(|item| varied(&item.glob))
            || self
                .tests
                .iter()
                .flat_map(|test| &test.values)
                .any(|value| varied(&value.glob))
    }

    fn reads_the_same(&self) -> bool {
        let glob = |glob: &Glob| !glob.is_open();
        self.certain
            && self.effect != Effect::Unknown
            && self.high.is_none()
            && !self.open
            && !self.resources.open
            && self
                .resources
                .items
                .iter()
                .all(|item| item.certain && glob(&item.glob) && !item.glob.is_whole_service())
            && self.tests.iter().all(|test| {
                test.certain
                    && !test.condition.open
                    && test.family() != Family::Unknown
                    && test
                        .values
                        .iter()
                        .all(|value| value.certain && glob(&value.glob))
            })
    }

    /// Whether every request that `other` selects is selected here too, whatever the open parts
    /// of both are (equal open parts being equal). A proof, not a search: `false` proves nothing.
    pub(crate) fn surely_covers(&self, other: &Self) -> bool {
        self.certain
            && !self.open
            && self.effect != Effect::Unknown
            && other.first.is_none_or(|first| self.low.contains(first))
            && self.low.is_superset(other.actions(true))
            && self.resources.surely_covers(&other.resources)
            && same_or_wider_principals(self.principals, other.principals)
            && self.tests.iter().all(|mine| {
                mine.certain && other.tests.iter().any(|theirs| mine.is_implied_by(theirs))
            })
    }
}

impl StatementBox<'_> {
    /// Whether no request is selected by both, whatever the open parts are. A proof, not a search: `false`
    /// proves nothing.
    pub(crate) fn surely_apart(&self, other: &Self) -> bool {
        let (Some(mine), Some(theirs)) = (self.statement, other.statement) else {
            return false;
        };
        // Wildcards select actions too that do not exist yet.
        let exact = |statement: &Statement| {
            let listed = statement.actions.listed();
            let named = |item: &ActionPattern| {
                let name = item.pattern().text().as_known();
                name.is_some_and(|name| catalog().action_id(&name).is_some())
            };
            let plain = listed.present && !listed.negated && !listed.open;
            plain && listed.items.iter().all(named)
        };
        if !self.actions(true).intersects(other.actions(true)) && (exact(mine) || exact(theirs)) {
            return true;
        }
        if self.has_variables() || other.has_variables() {
            return false;
        }
        if self.resources.surely_spares(&other.resources)
            || other.resources.surely_spares(&self.resources)
        {
            return true;
        }
        let lists = [&self.resources, &other.resources];
        let listed = lists
            .iter()
            .all(|one| one.present && !one.negated && !one.open);
        listed
            && !mine.resources.listed().items.iter().any(|one| {
                let mut others = theirs.resources.listed().items.iter();
                others.any(|other| one.meets(other))
            })
    }
}

fn same_or_wider_principals(wide: Option<&Principals>, narrow: Option<&Principals>) -> bool {
    match (wide, narrow) {
        (None, None) => true,
        (Some(wide), Some(narrow)) => {
            let plain = !wide.listed().negated
                && wide
                    .iter()
                    .any(|item| item.is_anyone() && item.guard().is_always());
            plain || wide.key() == narrow.key() && !wide.listed().open && !narrow.listed().open
        }
        _ => false,
    }
}

impl Dimension {
    /// Whether it is a complement with a policy variable: a request in which the variable has no
    /// value is not selected.
    pub(crate) fn may_be_invalid(&self) -> bool {
        self.negated && self.variables().next().is_some()
    }

    /// The context keys of the policy variables in it.
    fn variables(&self) -> impl Iterator<Item = &str> {
        self.items
            .iter()
            .flat_map(|item| &item.glob.names)
            .filter_map(|(_, name)| name.key.as_deref())
    }

    /// Whether it is a complement of what the other lists.
    fn surely_spares(&self, other: &Self) -> bool {
        let listed = other.present && !other.negated && !other.open;
        self.present
            && self.negated
            && listed
            && other.items.iter().all(|item| {
                let mut spared = self.items.iter();
                spared.any(|mine| mine.certain && mine.glob.surely_covers(&item.glob))
            })
    }

    fn surely_covers(&self, other: &Self) -> bool {
        if !self.present {
            return true;
        }
        let covered = |by: &Self, item: &Item| {
            by.items
                .iter()
                .any(|mine| mine.certain && mine.glob.surely_covers(&item.glob))
        };
        match (self.negated, other.present, other.negated) {
            (false, false, _) => self
                .items
                .iter()
                .any(|item| item.certain && item.glob.is_star()),
            (false, true, false) => {
                !other.open && other.items.iter().all(|item| covered(self, item))
                    || self
                        .items
                        .iter()
                        .any(|item| item.certain && item.glob.is_star())
            }
            (false, true, true) => self
                .items
                .iter()
                .any(|item| item.certain && item.glob.is_star()),
            // Everything but A covers everything but B where B covers A.
            (true, true, true) => {
                !self.open
                    && self
                        .variables()
                        .all(|own| other.variables().any(|known| own == known))
                    && self.items.iter().all(|item| covered(other, item))
            }
            (true, _, _) => !self.open && self.items.is_empty(),
        }
    }
}

impl KeyTest<'_> {
    /// Whether this test holds wherever the other does: the same test, or a wider list of globs.
    fn is_implied_by(&self, other: &Self) -> bool {
        let (mine, theirs) = (self.operator(), other.operator());
        if self.key != other.key
            || mine.test != theirs.test
            || mine.set != theirs.set
            || (theirs.if_exists && !mine.if_exists)
            || self.condition.open
            || other.condition.open
            || !other.certain
        {
            return false;
        }
        let covers = |wide: &[TestValue], narrow: &[TestValue]| {
            narrow.iter().all(|value| {
                wide.iter().any(|mine| {
                    mine.certain
                        && (mine.glob.surely_covers(&value.glob)
                            || mine.text.is_some() && mine.text == value.text)
                })
            })
        };
        if mine.is_negated() {
            // Fewer exceptions hold more often.
            covers(&other.values, &self.values)
        } else {
            covers(&self.values, &other.values)
        }
    }
}
