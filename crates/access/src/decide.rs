//! May an identity do something? Allow minus Deny over its policies, under its boundary.
//!
//! Not for resource policies and organization policies. Invariant: MUST holds for every value of
//! what is open; a condition that narrows makes MAY at most. Source: AWS, "Policy evaluation logic".

use crate::attach::{Attached, AttachedSource};
use crate::reach::Reach;
use overgrant_catalog::catalog;
use overgrant_ir::{DocumentId, IdentityId};
use overgrant_policy::point::condition_holds;
use overgrant_policy::{
    ActionSet, Answer, Conditions, ContextValue, Document, Effect, Resolution, Statement, Test,
};
use overgrant_value::Text;
use smol_str::SmolStr;

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
    /// The organization policy that takes the action away, or may.
    pub guarded: Option<DocumentId>,
    /// Whether a policy that could not be read may allow more.
    pub open: bool,
}

/// What is known of a request beside action and resource.
#[derive(Debug, Clone, Copy, Default)]
pub struct Hint<'a> {
    /// The service principal that a role is passed to (`iam:PassedToService`).
    pub passed_to: Option<&'a str>,
    /// What tags of the resource have been made to say.
    pub tags: &'a [Tag],
}

/// A tag of a resource.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Tag {
    /// Its name; letter case does not matter in conditions.
    pub name: SmolStr,
    /// What it says; `None` where it was taken off.
    pub value: Option<SmolStr>,
}

impl std::fmt::Display for Tag {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match &self.value {
            Some(value) => write!(f, "sets tag `{}` to `{value}`", self.name),
            None => write!(f, "takes off tag `{}`", self.name),
        }
    }
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
            guarded: None,
            open: false,
        }
    }
}

/// Whether the conditions hold for the hint: `None` where they look at anything else.
pub(crate) fn holds(conditions: &Conditions, hint: Hint<'_>) -> Option<Answer> {
    if hint.passed_to.is_none() && hint.tags.is_empty() {
        return None;
    }
    if conditions.open || conditions.items.is_empty() {
        return None;
    }
    let mut answer = Answer::Must;
    for condition in &conditions.items {
        if let Some(name) = condition.key.resource_tag() {
            let tag = |tag: &&Tag| tag.name.eq_ignore_ascii_case(&name);
            let tag = hint.tags.iter().find(tag)?;
            let value = tag.value.clone().map(ContextValue::One);
            answer = answer.and(condition_holds(condition, value));
            continue;
        }
        let service = hint.passed_to?;
        if !condition.key.is("iam:PassedToService") || condition.operator.test == Test::Null {
            return None;
        }
        let mut hit = if condition.open {
            Answer::May
        } else {
            Answer::No
        };
        for value in &condition.values {
            let one = value.pattern().matches(service);
            let sure = value.pattern().guard().is_always();
            hit = hit.or(if sure { one } else { one.at_most_may() });
        }
        if condition.operator.is_negated() {
            hit = hit.negate();
        }
        if !condition.guard.is_always() || condition.operator.test == Test::Unknown {
            hit = Answer::May;
        }
        answer = answer.and(hit);
    }
    Some(answer)
}

/// Whether the statement allows the action, with what the hint says about its conditions.
fn permits(allow: &Statement, action: &str, resource: Option<&Text>, hint: Hint<'_>) -> Answer {
    let plain = allow.allows(action, resource);
    let (true, Some(resource)) = (plain == Answer::May, resource) else {
        return plain;
    };
    match holds(&allow.conditions, hint) {
        Some(held) if allow.is_certain() && allow.effect == Effect::Allow => allow
            .actions
            .select(action)
            .and(allow.resources.select(resource))
            .and(held),
        Some(Answer::No) => Answer::No,
        _ => plain,
    }
}

/// What a Deny leaves of an Allow: without a resource it has to forbid all that the Allow grants.
fn forbids(
    deny: &Statement,
    allow: &Statement,
    action: &str,
    resource: Option<&Text>,
    hint: Hint<'_>,
) -> Answer {
    if let Some(resource) = resource {
        return match holds(&deny.conditions, hint) {
            Some(held) if deny.is_certain() && deny.effect == Effect::Deny => deny
                .actions
                .select(action)
                .and(deny.resources.select(resource))
                .and(held),
            Some(Answer::No) => Answer::No,
            _ => deny.denies(action, resource),
        };
    }
    let on = if deny.resources.covers_all() == Answer::Must {
        Answer::Must
    } else {
        let (theirs, ours) = (deny.resources.listed(), allow.resources.listed());
        let plain = !theirs.negated && !ours.negated && !ours.open && !ours.items.is_empty();
        let all_covered = plain
            && ours.items.iter().all(|granted| {
                let by = |item: &overgrant_policy::ResourcePattern| {
                    item.pattern().guard().is_always()
                        && item.pattern().covers(granted.pattern()) == Answer::Must
                };
                theirs.items.iter().any(by)
            });
        Answer::from_bool(all_covered)
    };
    let answer = deny.actions.select(action).and(on);
    let certain = deny.is_certain() && deny.effect == Effect::Deny && deny.conditions.is_empty();
    if certain {
        answer
    } else {
        answer.at_most_may()
    }
}

/// One document in force: its statements, and whether it surely is.
pub(crate) struct InForce<'a> {
    pub(crate) document: &'a Document,
    pub(crate) reach: &'a Reach,
    pub(crate) certain: bool,
}

impl<'a> InForce<'a> {
    /// A document that surely is.
    pub(crate) fn certain(document: &'a Document, reach: &'a Reach) -> Self {
        Self {
            document,
            reach,
            certain: true,
        }
    }
}

/// The outcome over several documents: answer, deciding Allow, deciding Deny (document, statement).
struct Outcome {
    answer: Answer,
    allowed_by: Option<(usize, usize)>,
    denied_by: Option<(usize, usize)>,
    conditional: bool,
}

fn outcome(
    documents: &[InForce<'_>],
    action: &str,
    resource: Option<&Text>,
    hint: Hint<'_>,
) -> Outcome {
    let mut best = Outcome {
        answer: Answer::No,
        allowed_by: None,
        denied_by: None,
        conditional: false,
    };
    let known = catalog().action_id(action);
    for (at, one) in documents.iter().enumerate() {
        if !one.reach.may_allow(one.document, known) {
            continue;
        }
        for (index, allow) in one.document.statements.iter().enumerate() {
            // Cheap, and No for nearly all: resources and conditions need not be looked at.
            if allow.effect == Effect::Deny || allow.actions.select(action) == Answer::No {
                continue;
            }
            let mut answer = permits(allow, action, resource, hint);
            if answer == Answer::No {
                continue;
            }
            if !one.certain {
                answer = answer.at_most_may();
            }
            let (denied, denied_by) = denial(documents, allow, action, resource, hint);
            let left = answer.and(denied.negate());
            let better = left > best.answer || (best.allowed_by.is_none() && left.possible());
            if better {
                best = Outcome {
                    answer: left,
                    allowed_by: Some((at, index)),
                    denied_by,
                    conditional: !allow.conditions.is_empty(),
                };
            } else if best.allowed_by.is_none() && best.denied_by.is_none() {
                best.denied_by = denied_by;
            }
        }
    }
    best
}

fn denial(
    documents: &[InForce<'_>],
    allow: &Statement,
    action: &str,
    resource: Option<&Text>,
    hint: Hint<'_>,
) -> (Answer, Option<(usize, usize)>) {
    let mut denied = (Answer::No, None);
    let known = catalog().action_id(action);
    for (at, one) in documents.iter().enumerate() {
        if !one.reach.may_deny(one.document, known) {
            continue;
        }
        for (index, deny) in one.document.statements.iter().enumerate() {
            if deny.effect == Effect::Allow || deny.actions.select(action) == Answer::No {
                continue;
            }
            // Both cannot be in force.
            if deny.guard.and(&allow.guard).is_none() {
                continue;
            }
            let mut answer = forbids(deny, allow, action, resource, hint);
            if !one.certain {
                answer = answer.at_most_may();
            }
            if answer > denied.0 {
                denied = (answer, Some((at, index)));
            }
        }
    }
    denied
}

fn is_open(document: &Document) -> bool {
    document.resolution == Resolution::Unresolved
}

/// Allow minus Deny of one document, such as a boundary.
pub(crate) fn document(
    one: InForce<'_>,
    action: &str,
    resource: Option<&Text>,
    hint: Hint<'_>,
) -> Answer {
    let open = is_open(one.document);
    let answer = outcome(&[one], action, resource, hint).answer;
    if open { answer.or(Answer::May) } else { answer }
}

/// Allow minus Deny over all policies of an identity.
pub(crate) fn policies(
    identity: IdentityId,
    policies: &[Attached],
    action: &str,
    resource: Option<&Text>,
    hint: Hint<'_>,
) -> Decision {
    let outcome = outcome(&in_force(policies), action, resource, hint);
    let reference = |(attached, statement)| StatementRef {
        identity,
        attached,
        statement,
    };
    let open = policies
        .iter()
        .any(|one| one.source == AttachedSource::Unresolved || is_open(&one.document));
    let silent = outcome.answer == Answer::No && outcome.denied_by.is_none();
    Decision {
        answer: if silent && open {
            Answer::May
        } else {
            outcome.answer
        },
        by: outcome.allowed_by.map(reference),
        denied_by: outcome.denied_by.map(reference),
        conditional: outcome.conditional,
        bounded: false,
        guarded: None,
        open,
    }
}

/// The surest Deny of the policies of an identity.
pub(crate) fn denies(
    identity: IdentityId,
    policies: &[Attached],
    action: &str,
    resource: &Text,
) -> (Answer, Option<StatementRef>) {
    let mut worst = (Answer::No, None);
    for (attached, one) in policies.iter().enumerate() {
        for (statement, deny) in one.document.statements.iter().enumerate() {
            if deny.effect == Effect::Allow || deny.actions.select(action) == Answer::No {
                continue;
            }
            let mut answer = deny.denies(action, resource);
            if !one.is_certain() {
                answer = answer.at_most_may();
            }
            if answer > worst.0 {
                let by = StatementRef {
                    identity,
                    attached,
                    statement,
                };
                worst = (answer, Some(by));
            }
        }
    }
    worst
}

pub(crate) fn in_force(policies: &[Attached]) -> Vec<InForce<'_>> {
    policies
        .iter()
        .map(|attached| InForce {
            document: &attached.document,
            reach: &attached.reach,
            certain: attached.is_certain(),
        })
        .collect()
}

/// The actions that documents surely grant on every resource of the account, less those that a Deny
/// may take away.
pub(crate) fn on_everything(documents: &[InForce<'_>]) -> ActionSet {
    let mut granted = ActionSet::empty();
    let mut taken = ActionSet::empty();
    for one in documents {
        (granted, taken) = one.reach.ask(one.document, |sets| {
            let granted = if one.certain {
                granted.union(&sets.wide)
            } else {
                granted
            };
            (granted, taken.union(&sets.taken))
        });
    }
    granted.difference(&taken)
}

/// The actions that documents surely grant on some resource, conditions aside, less those that are
/// denied on every resource.
pub(crate) fn on_something(documents: &[InForce<'_>]) -> ActionSet {
    let mut granted = ActionSet::empty();
    let mut taken = ActionSet::empty();
    for one in documents {
        (granted, taken) = one.reach.ask(one.document, |sets| {
            let taken = if one.certain {
                taken.union(&sets.forbidden)
            } else {
                taken
            };
            (granted.union(&sets.granted), taken)
        });
    }
    granted.difference(&taken)
}

/// The actions that documents grant somewhere and that a Deny of theirs touches.
pub(crate) fn denied(documents: &[InForce<'_>]) -> ActionSet {
    let mut granted = ActionSet::empty();
    let mut taken = ActionSet::empty();
    for one in documents {
        (granted, taken) = one.reach.ask(one.document, |sets| {
            (granted.union(&sets.granted), taken.union(&sets.deny))
        });
    }
    granted.intersection(&taken)
}

/// The rights to change rights. Who keeps one of them for every resource can undo a Deny of its own
/// and is an administrator in effect.
const REWRITES: [&str; 6] = [
    "iam:AttachRolePolicy",
    "iam:AttachUserPolicy",
    "iam:CreatePolicyVersion",
    "iam:PutRolePolicy",
    "iam:PutUserPolicy",
    "iam:UpdateAssumeRolePolicy",
];

/// Whether documents together grant every action on every resource, and no Deny takes away the last
/// right to change that.
pub(crate) fn administers(documents: &[InForce<'_>]) -> Answer {
    let mut declared = Answer::No;
    if !is_broad(documents) {
        return declared;
    }
    let mut all = ActionSet::empty();
    let mut all_may = ActionSet::empty();
    for one in documents {
        let (answer, sure, doubtful) = one.reach.ask(one.document, |sets| {
            if one.certain {
                let doubtful = all_may.clone().union(&sets.wide_doubtful);
                (sets.admin, all.clone().union(&sets.wide), doubtful)
            } else {
                let doubtful = all_may.clone().union(&sets.wide);
                (
                    sets.admin.at_most_may(),
                    all.clone(),
                    doubtful.union(&sets.wide_doubtful),
                )
            }
        });
        declared = declared.or(answer);
        all = sure;
        all_may = doubtful;
    }
    if all.is_all() {
        declared = Answer::Must;
    } else if all_may.union(&all).is_all() {
        declared = declared.or(Answer::May);
    }
    if declared == Answer::No {
        return declared;
    }
    let star = Text::known("*");
    let kept = REWRITES
        .iter()
        .map(|action| outcome(documents, action, Some(&star), Hint::default()).answer)
        .fold(Answer::No, Answer::or);
    declared.and(kept)
}

/// Whether what is granted on everything could add up to every action: as many actions, at least, as there
/// are.
fn is_broad(documents: &[InForce<'_>]) -> bool {
    let mut missing = catalog().action_count();
    let statements = documents.iter().flat_map(|one| &one.document.statements);
    for statement in statements {
        if statement.effect != Effect::Deny && statement.resources.covers_all().possible() {
            missing = missing.saturating_sub(statement.actions.selected().1.len());
        }
    }
    missing == 0
}
