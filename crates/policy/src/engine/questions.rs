//! The questions that the rest of the product asks the engine.
//!
//! Not for the search itself. Invariant: `Must` holds with every open part read against the answer,
//! `May` with every open part read in its favour.

use crate::action::Actions;
use crate::document::{Document, Effect};
use crate::engine::automaton::MOST_WORK;
use crate::engine::build::{Callers, build};
use crate::engine::compile::Compiled;
use crate::engine::confirm::{confirm, proves};
use crate::engine::keys::Source;
use crate::engine::prepared::Prepared;
use crate::engine::solve::{Found, Witness};
use crate::request::{Caller, Stack, StatementRef};
use overgrant_catalog::ActionId;
use overgrant_value::Answer;
use smol_str::SmolStr;
use std::collections::BTreeSet;

/// How long a search may be, and what is taken for granted.
#[derive(Debug, Clone)]
pub struct Limits {
    /// Steps of automata that one reading of the question may take, a fraction of a microsecond each.
    pub steps: usize,
    /// Whether keys that AWS puts in every request are taken to be there.
    pub axioms: bool,
    /// Who calls, where both identity and resource policies are in the stack.
    pub caller: Option<Caller>,
    /// Whether caller and resource are of different accounts.
    pub cross_account: bool,
    /// Whether to go on after the first request found, and report one per statement.
    pub all: bool,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            steps: MOST_WORK,
            axioms: true,
            caller: None,
            cross_account: false,
            all: false,
        }
    }
}

/// What one statement newly allows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Grant {
    /// The statement.
    pub by: StatementRef,
    /// The actions that the same statements select, and of which the witness is one.
    pub actions: Vec<ActionId>,
    /// A request.
    pub witness: Witness,
}

/// What one stack allows and another does not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Difference {
    /// Whether there is such a request.
    pub answer: Answer,
    /// One such request, for an answer other than `No` and a search that was not cut short.
    pub witness: Option<Witness>,
    /// One per statement and class of actions, where all were asked for.
    pub grants: Vec<Grant>,
    /// A request for an action that does not exist yet, allowed by a wildcard.
    pub future: Option<Witness>,
    /// Whether the search was cut short, so that `May` stands for "not known".
    pub capped: bool,
    /// Steps that the search took, the same on every machine: a measure of its cost.
    pub steps: usize,
}

impl Difference {
    fn nothing() -> Self {
        Self {
            answer: Answer::No,
            witness: None,
            grants: Vec::new(),
            future: None,
            capped: false,
            steps: 0,
        }
    }
}

/// Whether the new stack allows a request that the old one does not.
#[must_use]
pub fn difference(new: &Stack<'_>, old: &Stack<'_>) -> Difference {
    difference_of(new, old, &Limits::default())
}

/// As [`difference`], within limits.
#[must_use]
pub fn difference_of(new: &Stack<'_>, old: &Stack<'_>, limits: &Limits) -> Difference {
    if is_one(new, old) {
        return Difference::nothing();
    }
    difference_prepared(&Prepared::new(new), &Prepared::new(old), limits)
}

/// Whether both are the very same documents, of which nothing can differ whatever is open in them.
fn is_one(new: &Stack<'_>, old: &Stack<'_>) -> bool {
    let lists = |stack: &Stack<'_>| {
        let list = |documents: &[&Document]| -> Vec<*const Document> {
            documents
                .iter()
                .map(|one| std::ptr::from_ref(*one))
                .collect()
        };
        let one = |documents: &Option<Vec<&Document>>| documents.as_deref().map(list);
        (
            list(&stack.identity),
            [
                one(&stack.boundary),
                one(&stack.session),
                one(&stack.endpoint),
            ],
            list(stack.resource.as_slice()),
            [&stack.scp, &stack.rcp]
                .map(|levels| levels.iter().map(|one| list(one)).collect::<Vec<_>>()),
            stack.block_public_access,
        )
    };
    lists(new) == lists(old)
}

/// As [`difference_of`], for stacks that were compiled before.
#[must_use]
pub fn difference_prepared(new: &Prepared<'_>, old: &Prepared<'_>, limits: &Limits) -> Difference {
    ask(new, Some(old), None, limits, Callers::Fitting, Source::Any)
}

/// Whether the stack allows every request that `wanted` (an identity document) does: `Must` if it
/// surely does.
#[must_use]
pub fn covers(stack: &Stack<'_>, wanted: &Document) -> Answer {
    difference(&Stack::identity(vec![wanted]), stack)
        .answer
        .negate()
}

/// Whether the stack allows some request that `within` (an identity document) does, with a witness.
#[must_use]
pub fn allows(stack: &Stack<'_>, within: &Document) -> Difference {
    allows_prepared(&Prepared::new(stack), within)
}

/// As [`allows`], for a stack that was compiled before.
#[must_use]
pub fn allows_prepared(stack: &Prepared<'_>, within: &Document) -> Difference {
    let within = Compiled::new(within);
    let limits = Limits::default();
    ask(
        stack,
        None,
        Some(&within),
        &limits,
        Callers::Fitting,
        Source::Any,
    )
}

/// Who belongs to us.
#[derive(Debug, Clone, Default)]
pub struct Zone {
    /// Account ids beside the account that is deployed into.
    pub accounts: Vec<SmolStr>,
}

/// Access from outside.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Exposure {
    /// Whether there is any.
    pub answer: Answer,
    /// One request per kind of caller.
    pub witnesses: Vec<Witness>,
    /// Whether the search was cut short.
    pub capped: bool,
}

/// Whether a stranger can use the resource that the stack's resource policy is on: an anonymous
/// caller, a principal of an account that nobody named, or a service acting for one. Keys that name a
/// tenant or network are absent or carry values that nobody wrote down; all others are the stranger's
/// to choose. Deny statements and RCPs count. Compare [`Document::is_public_by_text`], by which S3
/// goes.
#[must_use]
pub fn public(stack: &Stack<'_>) -> Exposure {
    exposure(stack, Callers::Strangers)
}

/// As [`public`], and whether a principal of an account outside the zone that *is* named can.
#[must_use]
pub fn external(stack: &Stack<'_>, zone: &Zone) -> Exposure {
    let open = public(stack);
    let named = exposure(stack, Callers::Outside(zone));
    Exposure {
        answer: open.answer.or(named.answer),
        witnesses: open.witnesses.into_iter().chain(named.witnesses).collect(),
        capped: open.capped || named.capped,
    }
}

fn exposure(stack: &Stack<'_>, callers: Callers<'_>) -> Exposure {
    let only = Stack {
        identity: Vec::new(),
        boundary: None,
        session: None,
        ..stack.clone()
    };
    let layers = Prepared::new(&only);
    let source = match callers {
        Callers::Strangers => Source::Stranger,
        _ => Source::Any,
    };
    let limits = Limits {
        all: true,
        ..Limits::default()
    };
    let found = ask(&layers, None, None, &limits, callers, source);
    let mut seen = BTreeSet::new();
    let witnesses = found
        .grants
        .into_iter()
        .map(|grant| grant.witness)
        .filter(|witness| seen.insert(witness.principal.clone()))
        .collect();
    Exposure {
        answer: found.answer,
        witnesses,
        capped: found.capped,
    }
}

/// The statements (indexes, 0-based) that match no request at all.
#[must_use]
pub fn dead_statements(document: &Document) -> Vec<usize> {
    let mut dead = Vec::new();
    for statement in &document.statements {
        let mut alone = statement.clone();
        alone.effect = Effect::Allow;
        let single = only(document, vec![alone]);
        let stack = stack_of(&single, statement.principals.listed().present);
        let found = difference(&stack, &Stack::default());
        if found.answer == Answer::No && found.future.is_none() {
            dead.push(statement.index);
        }
    }
    dead
}

/// The statements (indexes, 0-based) without which the document would decide every request in the
/// same way. Each is redundant as long as all others stay.
#[must_use]
pub fn redundant_statements(document: &Document) -> Vec<usize> {
    let named = document
        .statements
        .iter()
        .any(|statement| statement.principals.listed().present);
    let mut redundant = Vec::new();
    for statement in &document.statements {
        let rest = document
            .statements
            .iter()
            .filter(|other| other.index != statement.index)
            .cloned()
            .collect();
        let without = only(document, rest);
        let (whole, without) = (stack_of(document, named), stack_of(&without, named));
        let changed = match statement.effect {
            Effect::Allow => difference(&whole, &without),
            Effect::Deny => difference(&without, &whole),
            Effect::Unknown => continue,
        };
        if changed.answer == Answer::No && changed.future.is_none() {
            redundant.push(statement.index);
        }
    }
    redundant
}

fn stack_of(document: &Document, is_resource: bool) -> Stack<'_> {
    if is_resource {
        Stack::resource(document)
    } else {
        Stack::identity(vec![document])
    }
}

fn only(document: &Document, statements: Vec<crate::Statement>) -> Document {
    Document {
        statements,
        ..document.clone()
    }
}

/// The document as sorted canonical statements: equal for documents that differ in order, letter
/// case of actions, Sids, and members that other members of the same list cover.
#[must_use]
pub fn normalise(document: &Document) -> Vec<String> {
    let mut cells: Vec<String> = document
        .statements
        .iter()
        .map(|statement| {
            let mut statement = statement.clone();
            let mut actions = statement.actions.listed().clone();
            actions.items = uncovered(actions.items, |wide, narrow| {
                wide.pattern().guard().is_always()
                    && wide.pattern().covers(narrow.pattern()) == Answer::Must
            });
            statement.actions = Actions::new(actions);
            let resources = std::mem::take(&mut statement.resources.0.items);
            statement.resources.0.items = uncovered(resources, |wide, narrow| {
                wide.pattern.guard().is_always()
                    && (wide.is_star() || wide.matches(narrow.pattern.text()) == Answer::Must)
            });
            statement.cell_key()
        })
        .collect();
    cells.sort();
    cells.dedup();
    cells
}

/// Drops the members that an earlier or a wider one covers.
fn uncovered<T: Clone>(items: Vec<T>, covers: impl Fn(&T, &T) -> bool) -> Vec<T> {
    let mut kept: Vec<T> = Vec::new();
    for item in items {
        if kept.iter().any(|wide| covers(wide, &item)) {
            continue;
        }
        kept.retain(|narrow| !covers(&item, narrow));
        kept.push(item);
    }
    kept
}

fn ask(
    new: &Prepared<'_>,
    old: Option<&Prepared<'_>>,
    within: Option<&Compiled<'_>>,
    limits: &Limits,
    callers: Callers<'_>,
    source: Source,
) -> Difference {
    let all_exact = new.is_exact() && old.is_none_or(Prepared::is_exact);
    let reading = |must: bool| {
        let query = build(new, old, within, limits, callers, source, must)?;
        Some(query.solve(limits.all))
    };
    let mut before = 0;
    match reading(true) {
        Some(mut sure) if sure.witness.is_some() => {
            let unsure = sure.witness.clone();
            if confirm(new, old, &mut sure) {
                return answer(Answer::Must, sure);
            }
            return Difference {
                witness: unsure,
                ..answer(Answer::May, sure)
            };
        }
        Some(sure) if all_exact => {
            let answer_is = if sure.complete {
                Answer::No
            } else {
                Answer::May
            };
            return answer(answer_is, sure);
        }
        None if all_exact => return Difference::nothing(),
        // Nothing surely; what is left open may still decide.
        Some(sure) => before = sure.steps,
        None => {}
    }
    let Some(loose) = reading(false) else {
        return Difference::nothing();
    };
    let possible = match &loose.witness {
        Some(witness) if within.is_none() && proves(new, old, witness) => Answer::Must,
        Some(_) => Answer::May,
        None => Answer::from_bool(!loose.complete).at_most_may(),
    };
    let mut found = answer(possible, loose);
    found.steps += before;
    found
}

fn answer(answer: Answer, found: Found) -> Difference {
    Difference {
        answer,
        capped: !found.complete,
        steps: found.steps,
        witness: found.witness,
        grants: found
            .grants
            .into_iter()
            .map(|(by, ids, witness)| Grant {
                by,
                actions: ids.into_iter().map(ActionId).collect(),
                witness,
            })
            .collect(),
        future: found.future,
    }
}
