//! May an identity do something? Allow minus Deny over its policies, under its boundary.
//!
//! Not for resource policies and organisation policies. Invariant: MUST holds for every value of
//! what is open; conditions are never taken to hold for certain. Source: AWS, "Policy evaluation
//! logic".

use crate::attach::{Attached, AttachedSource};
use overgrant_ir::IdentityId;
use overgrant_policy::{Answer, Document, Effect, Statement};
use overgrant_value::Text;

/// A statement of an attached policy.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct StatementRef {
    /// Whose policy it is.
    pub identity: IdentityId,
    /// Which of [`crate::Access::policies`].
    pub attached: usize,
    /// Which of its statements.
    pub statement: usize,
}

/// Whether something is allowed, and why.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Decision {
    /// The answer.
    pub answer: Answer,
    /// The statement that allows it; `None` where nothing that is known does.
    pub by: Option<StatementRef>,
    /// The statement that forbids it, or may.
    pub denied_by: Option<StatementRef>,
    /// Whether the allowing statement has conditions.
    pub conditional: bool,
    /// Whether the boundary is why the answer is not MUST.
    pub bounded: bool,
    /// Whether a policy that could not be read may allow more.
    pub open: bool,
}

impl Decision {
    /// NO, for no reason but that nothing allows it.
    #[must_use]
    pub fn no() -> Self {
        Self {
            answer: Answer::No,
            by: None,
            denied_by: None,
            conditional: false,
            bounded: false,
            open: false,
        }
    }
}

/// What a statement says about a request, its effect aside.
pub(crate) fn applies(statement: &Statement, action: &str, resource: Option<&Text>) -> Answer {
    let on = match resource {
        Some(resource) => statement.resources.select(resource),
        // On some resource: a list selects one, unless it is `NotResource: *`.
        None if !statement.resources.listed().present => Answer::No,
        None => {
            let list = statement.resources.listed();
            let none = list.negated && list.items.iter().any(|item| item.is_star());
            Answer::from_bool(!none && (list.negated || list.open || !list.items.is_empty()))
        }
    };
    statement.actions.select(action).and(on)
}

/// What a Deny says about a request: without a resource it has to forbid them all.
fn forbids(statement: &Statement, action: &str, resource: Option<&Text>) -> Answer {
    let on = match resource {
        Some(resource) => statement.resources.select(resource),
        None if statement.resources.star().is_some() => Answer::Must,
        None => return Answer::No,
    };
    let answer = statement.actions.select(action).and(on);
    let certain = statement.is_certain() && statement.conditions.is_empty();
    if certain {
        answer
    } else {
        answer.at_most_may()
    }
}

/// Allow minus Deny of one document, conditions as MAY.
pub(crate) fn document(document: &Document, action: &str, resource: Option<&Text>) -> Answer {
    let allowed = document
        .allows()
        .map(|statement| {
            let answer = applies(statement, action, resource);
            let certain = statement.is_certain() && statement.conditions.is_empty();
            if certain {
                answer
            } else {
                answer.at_most_may()
            }
        })
        .fold(Answer::No, Answer::or);
    let denied = document
        .denies()
        .map(|statement| forbids(statement, action, resource))
        .fold(Answer::No, Answer::or);
    let open = document.resolution == overgrant_policy::Resolution::Unresolved;
    let allowed = if open {
        allowed.or(Answer::May)
    } else {
        allowed
    };
    allowed.and(denied.negate())
}

/// Allow minus Deny over all policies of an identity.
pub(crate) fn policies(
    identity: IdentityId,
    policies: &[Attached],
    action: &str,
    resource: Option<&Text>,
) -> Decision {
    let mut decision = Decision::no();
    let mut denied = Answer::No;
    for (attached_index, attached) in policies.iter().enumerate() {
        let at = |index: usize| StatementRef {
            identity,
            attached: attached_index,
            statement: index,
        };
        decision.open |= attached.source == AttachedSource::Unresolved
            || attached.document.resolution == overgrant_policy::Resolution::Unresolved;
        for (index, statement) in attached.document.statements.iter().enumerate() {
            if statement.effect != Effect::Allow {
                let mut answer = forbids(statement, action, resource);
                if !attached.is_certain() {
                    answer = answer.at_most_may();
                }
                if answer > denied {
                    denied = answer;
                    decision.denied_by = Some(at(index));
                }
            }
            if statement.effect != Effect::Deny {
                let mut answer = applies(statement, action, resource);
                let conditional = !statement.conditions.is_empty();
                if conditional || !statement.is_certain() || !attached.is_certain() {
                    answer = answer.at_most_may();
                }
                if answer > decision.answer {
                    decision.answer = answer;
                    decision.by = Some(at(index));
                    decision.conditional = conditional;
                }
            }
        }
    }
    decision.answer = decision.answer.and(denied.negate());
    if decision.answer == Answer::No && denied != Answer::Must && decision.open {
        decision.answer = Answer::May;
    }
    decision
}
