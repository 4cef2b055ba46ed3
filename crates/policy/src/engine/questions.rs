//! The questions that the rest of the product asks the engine.
//!
//! Not for the search itself. Invariant: `Must` holds with every open part read against the answer,
//! `May` with every open part read in its favour.

use crate::action::Actions;
use crate::document::{Document, Effect};
use crate::engine::automaton::MOST_WORK;
use crate::engine::caller::{self, Class};
use crate::engine::compile::{Compiled, StatementBox};
use crate::engine::keys::Source;
use crate::engine::solve::{Found, Mask, Member, Query, Side, Witness};
use crate::request::{Caller, PolicyKind, Stack, StatementRef};
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
}

impl Difference {
    fn nothing() -> Self {
        Self {
            answer: Answer::No,
            witness: None,
            grants: Vec::new(),
            future: None,
            capped: false,
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
    difference_prepared(&Prepared::new(new), &Prepared::new(old), limits)
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
    let layers = Prepared::new(stack);
    let within = Compiled::new(within);
    let limits = Limits::default();
    ask(
        &layers,
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

/// A stack, compiled: for asking about the same policies more than once.
#[derive(Debug)]
pub struct Prepared<'a> {
    layers: Vec<(PolicyKind, usize, usize, Compiled<'a>)>,
    documents: Vec<&'a Document>,
    has_identity: bool,
    has_boundary: bool,
    has_session: bool,
    has_endpoint: bool,
    has_resource: bool,
    scp_levels: usize,
    rcp_levels: usize,
}

impl<'a> Prepared<'a> {
    /// Compiles every document of the stack.
    #[must_use]
    pub fn new(stack: &Stack<'a>) -> Self {
        let mut all = Self {
            layers: Vec::new(),
            documents: Vec::new(),
            has_identity: !stack.identity.is_empty(),
            has_boundary: stack.boundary.is_some(),
            has_session: stack.session.is_some(),
            has_endpoint: stack.endpoint.is_some(),
            has_resource: stack.resource.is_some(),
            scp_levels: stack.scp.len(),
            rcp_levels: stack.rcp.len(),
        };
        all.add(PolicyKind::Identity, 0, &stack.identity);
        for (kind, list) in [
            (PolicyKind::Boundary, &stack.boundary),
            (PolicyKind::Session, &stack.session),
            (PolicyKind::Endpoint, &stack.endpoint),
        ] {
            all.add(kind, 0, list.as_deref().unwrap_or_default());
        }
        all.add(PolicyKind::Resource, 0, stack.resource.as_slice());
        for (level, list) in stack.scp.iter().enumerate() {
            all.add(PolicyKind::Scp, level, list);
        }
        for (level, list) in stack.rcp.iter().enumerate() {
            all.add(PolicyKind::Rcp, level, list);
        }
        all
    }

    fn add(&mut self, kind: PolicyKind, level: usize, documents: &[&'a Document]) {
        for (index, document) in documents.iter().enumerate() {
            self.layers
                .push((kind, level, index, Compiled::new(document)));
            if kind == PolicyKind::Resource {
                self.documents.push(document);
            }
        }
    }

    fn boxes(&self) -> impl Iterator<Item = (StatementRef, &StatementBox<'a>)> {
        self.layers
            .iter()
            .flat_map(|(kind, level, document, compiled)| {
                compiled.boxes.iter().map(move |boxed| {
                    let at = StatementRef {
                        kind: *kind,
                        level: *level,
                        document: *document,
                        statement: boxed.index.unwrap_or(usize::MAX),
                    };
                    (at, boxed)
                })
            })
    }

    /// Whether nothing but one group of identity policies, or one resource policy, decides.
    fn is_plain(&self) -> bool {
        !self.has_boundary
            && !self.has_session
            && !self.has_endpoint
            && self.scp_levels == 0
            && self.rcp_levels == 0
            && self.has_identity != self.has_resource
    }
}

/// Which callers a question is about.
#[derive(Debug, Clone, Copy)]
enum Callers<'z> {
    /// The holder of the identity policies, or everybody whom a resource policy may tell apart.
    Fitting,
    Strangers,
    Outside(&'z Zone),
}

fn ask(
    new: &Prepared<'_>,
    old: Option<&Prepared<'_>>,
    within: Option<&Compiled<'_>>,
    limits: &Limits,
    callers: Callers<'_>,
    source: Source,
) -> Difference {
    let exact = |layers: &Prepared<'_>| layers.boxes().all(|(_, boxed)| boxed.is_exact());
    let all_exact = exact(new) && old.is_none_or(exact);
    let reading = |must: bool| {
        let mut query = build(new, old, within, limits, callers, source, must)?;
        Some(query.solve(limits.all))
    };
    let Some(sure) = reading(true) else {
        return Difference::nothing();
    };
    if sure.witness.is_some() {
        return answer(Answer::Must, sure);
    }
    if all_exact {
        let answer_is = if sure.complete {
            Answer::No
        } else {
            Answer::May
        };
        return answer(answer_is, sure);
    }
    let Some(loose) = reading(false) else {
        return Difference::nothing();
    };
    let possible = loose.witness.is_some() || !loose.complete;
    answer(if possible { Answer::May } else { Answer::No }, loose)
}

fn answer(answer: Answer, found: Found) -> Difference {
    Difference {
        answer,
        capped: !found.complete,
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

/// Builds the question in one reading; `None` where nothing can be new.
fn build<'q>(
    new: &'q Prepared<'_>,
    old: Option<&'q Prepared<'_>>,
    within: Option<&'q Compiled<'_>>,
    limits: &Limits,
    callers: Callers<'_>,
    source: Source,
    must: bool,
) -> Option<Query<'q>> {
    let mut members: Vec<Member<'q>> = Vec::new();
    let add = |members: &mut Vec<Member<'q>>, layers: &'q Prepared<'_>, is_new: bool| {
        for (at, boxed) in layers.boxes() {
            for allow in [true, false] {
                let fits = match boxed.effect {
                    Effect::Allow => allow,
                    Effect::Deny => !allow,
                    Effect::Unknown => true,
                };
                // The reading that works against the answer, or in its favour.
                let high = (is_new == allow) != must;
                let low_is_empty = !boxed.certain
                    || boxed.effect == Effect::Unknown
                    || boxed.open
                    || boxed.resources.may_be_invalid();
                if fits && (high || !low_is_empty) {
                    members.push(Member {
                        new: is_new,
                        at,
                        allow,
                        high,
                        boxed,
                    });
                }
            }
        }
    };
    add(&mut members, new, true);
    if let Some(old) = old {
        add(&mut members, old, false);
        if new.is_plain() && old.is_plain() && within.is_none() {
            drop_settled(&mut members);
        }
    }
    if !members.iter().any(|member| member.new && member.allow) {
        return None;
    }
    let mut side_new = side(new, &members, true, limits);
    let side_old = old.map_or_else(
        || Side {
            absent: true,
            ..Side::default()
        },
        |old| side(old, &members, false, limits),
    );
    if let Some(within) = within {
        let mut cap = Mask::default();
        for boxed in &within.boxes {
            if boxed.effect != Effect::Allow {
                continue;
            }
            cap.set(members.len());
            members.push(Member {
                new: true,
                at: StatementRef {
                    kind: PolicyKind::Session,
                    level: usize::MAX,
                    document: 0,
                    statement: boxed.index.unwrap_or(usize::MAX),
                },
                allow: true,
                high: !must,
                boxed,
            });
        }
        side_new.caps.push((PolicyKind::Session, cap));
    }
    let classes = classes(new, old, limits, callers);
    Some(Query {
        members,
        new: side_new,
        old: side_old,
        classes,
        source,
        axioms: limits.axioms,
        must,
        budget: limits.steps,
    })
}

/// Drops statements that cannot decide: a Deny of the old side that a Deny of the new side covers,
/// and an Allow of the new side that an Allow of the old side covers while no Deny of the old side
/// is left that could take it back. Holds whatever the open parts are.
fn drop_settled(members: &mut Vec<Member<'_>>) {
    let settled_denies: Vec<bool> = members
        .iter()
        .map(|old| {
            !old.new
                && !old.allow
                && members.iter().any(|new| {
                    new.new
                        && !new.allow
                        && new.boxed.effect == Effect::Deny
                        && new.boxed.surely_covers(old.boxed)
                })
        })
        .collect();
    let mut index = 0;
    members.retain(|_| {
        index += 1;
        !settled_denies.get(index - 1).copied().unwrap_or(false)
    });
    if members.iter().any(|member| !member.new && !member.allow) {
        return;
    }
    let settled_allows: Vec<bool> = members
        .iter()
        .map(|new| {
            new.new
                && new.allow
                && members.iter().any(|old| {
                    !old.new
                        && old.allow
                        && old.boxed.effect == Effect::Allow
                        && old.boxed.surely_covers(new.boxed)
                })
        })
        .collect();
    let mut index = 0;
    members.retain(|_| {
        index += 1;
        !settled_allows.get(index - 1).copied().unwrap_or(false)
    });
}

fn side(layers: &Prepared<'_>, members: &[Member<'_>], is_new: bool, limits: &Limits) -> Side {
    let mask = |kind: PolicyKind, level: Option<usize>, allow: bool| {
        let mut mask = Mask::default();
        for (bit, member) in members.iter().enumerate() {
            let here = member.new == is_new
                && member.allow == allow
                && member.at.kind == kind
                && level.is_none_or(|level| member.at.level == level);
            if here {
                mask.set(bit);
            }
        }
        mask
    };
    let mut side = Side {
        identity: mask(PolicyKind::Identity, None, true),
        boundary: layers
            .has_boundary
            .then(|| mask(PolicyKind::Boundary, None, true)),
        session: layers
            .has_session
            .then(|| mask(PolicyKind::Session, None, true)),
        resource: layers
            .has_resource
            .then(|| mask(PolicyKind::Resource, None, true)),
        only_resource: layers.has_resource && !layers.has_identity && limits.caller.is_none(),
        cross_account: limits.cross_account,
        ..Side::default()
    };
    for level in 0..layers.scp_levels {
        let allows = mask(PolicyKind::Scp, Some(level), true);
        side.caps.push((PolicyKind::Scp, allows));
    }
    for level in 0..layers.rcp_levels {
        let allows = mask(PolicyKind::Rcp, Some(level), true);
        side.caps.push((PolicyKind::Rcp, allows));
    }
    if layers.has_endpoint {
        let allows = mask(PolicyKind::Endpoint, None, true);
        side.caps.push((PolicyKind::Endpoint, allows));
    }
    for kind in [
        PolicyKind::Identity,
        PolicyKind::Boundary,
        PolicyKind::Session,
        PolicyKind::Resource,
        PolicyKind::Scp,
        PolicyKind::Rcp,
        PolicyKind::Endpoint,
    ] {
        let denies = mask(kind, None, false);
        if denies != Mask::default() {
            side.denies.push((kind, denies));
        }
    }
    side
}

fn classes(
    new: &Prepared<'_>,
    old: Option<&Prepared<'_>>,
    limits: &Limits,
    callers: Callers<'_>,
) -> Vec<Class> {
    if let Some(caller) = &limits.caller {
        return vec![Class::caller(caller)];
    }
    let documents = || {
        new.documents
            .iter()
            .chain(old.iter().flat_map(|old| &old.documents))
            .copied()
    };
    match callers {
        Callers::Strangers => vec![Class::anonymous(), Class::stranger(), Class::any_service()],
        Callers::Outside(zone) => caller::named(documents())
            .into_iter()
            .filter(|class| {
                class
                    .account()
                    .is_some_and(|account| !zone.accounts.iter().any(|own| *own == account))
            })
            .collect(),
        Callers::Fitting if new.has_resource && !new.has_identity => {
            let mut classes = vec![Class::anonymous(), Class::stranger(), Class::any_service()];
            classes.extend(caller::named(documents()));
            classes
        }
        Callers::Fitting => vec![Class::holder()],
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use overgrant_value::{Src, Sym, Text, Val};

    fn document(statements: &str) -> Document {
        let text = format!(r#"{{"Version": "2012-10-17", "Statement": [{statements}]}}"#);
        let document = Document::from_val(&Val::text(Text::known(&text), Src::none()));
        assert_eq!(document.problems, [], "{statements}");
        document
    }

    fn allow(action: &str, resource: &str) -> Document {
        document(&format!(
            r#"{{"Effect": "Allow", "Action": {action}, "Resource": {resource}}}"#
        ))
    }

    fn compare(new: &Document, old: &Document) -> Difference {
        difference(&Stack::identity(vec![new]), &Stack::identity(vec![old]))
    }

    #[test]
    fn narrower_policies_add_nothing() {
        let wide = allow(r#""s3:*""#, r#""arn:aws:s3:::logs/*""#);
        let narrow = allow(
            r#"["s3:GetObject", "s3:Put*"]"#,
            r#""arn:aws:s3:::logs/app/*""#,
        );
        assert_eq!(compare(&narrow, &wide).answer, Answer::No);
        let more = compare(&wide, &narrow);
        assert_eq!(more.answer, Answer::Must);
        let witness = more.witness.unwrap();
        assert!(
            witness.resource.starts_with("arn:aws:s3:::logs/"),
            "{witness:?}"
        );
        assert_eq!(witness.by[0].statement, 0);
    }

    #[test]
    fn unions_and_complements_are_exact() {
        let star = allow(r#""sqs:*""#, r#""*""#);
        let halves = document(
            r#"{"Effect": "Allow", "Action": "sqs:*", "NotResource": "arn:aws:sqs:*:*:a*"},
               {"Effect": "Allow", "Action": "sqs:*", "Resource": ["arn:aws:sqs:*:*:a*", "*"]}"#,
        );
        assert_eq!(compare(&star, &halves).answer, Answer::No);
        let not = document(r#"{"Effect": "Allow", "NotAction": "iam:*", "Resource": "*"}"#);
        let all = allow(r#""*""#, r#""*""#);
        assert_eq!(compare(&not, &all).answer, Answer::No);
        let witness = compare(&all, &not).witness.unwrap();
        assert!(witness.action.starts_with("iam:"), "{witness:?}");
    }

    #[test]
    fn a_deny_takes_back() {
        let all = allow(r#""s3:*""#, r#""*""#);
        let kept = document(
            r#"{"Effect": "Allow", "Action": "s3:*", "Resource": "*"},
               {"Effect": "Deny", "Action": "s3:Delete*", "Resource": "arn:aws:s3:::keep/*"}"#,
        );
        assert_eq!(compare(&kept, &all).answer, Answer::No);
        let back = compare(&all, &kept);
        assert_eq!(back.answer, Answer::Must);
        let witness = back.witness.unwrap();
        assert!(witness.action.starts_with("s3:Delete"), "{witness:?}");
        assert!(
            witness.resource.starts_with("arn:aws:s3:::keep/"),
            "{witness:?}"
        );
    }

    #[test]
    fn conditions_are_compared_by_value() {
        let when = |json: &str| {
            document(&format!(
                r#"{{"Effect": "Allow", "Action": "s3:GetObject", "Resource": "*", "Condition": {json}}}"#
            ))
        };
        let free = allow(r#""s3:GetObject""#, r#""*""#);
        for (new, old, wanted) in [
            (
                r#"{"IpAddress": {"aws:SourceIp": "10.1.0.0/16"}}"#,
                r#"{"IpAddress": {"aws:SourceIp": "10.0.0.0/8"}}"#,
                Answer::No,
            ),
            (
                r#"{"IpAddress": {"aws:SourceIp": "10.0.0.0/8"}}"#,
                r#"{"IpAddress": {"aws:SourceIp": ["10.0.0.0/9", "10.128.0.0/9"]}}"#,
                Answer::No,
            ),
            (
                r#"{"IpAddress": {"aws:SourceIp": "10.0.0.0/8"}}"#,
                r#"{"IpAddress": {"aws:SourceIp": "10.0.0.0/9"}}"#,
                Answer::Must,
            ),
            (
                r#"{"NumericLessThan": {"s3:max-keys": "10"}}"#,
                r#"{"NumericLessThanEquals": {"s3:max-keys": "10"}}"#,
                Answer::No,
            ),
            (
                r#"{"NumericLessThanEquals": {"s3:max-keys": "10"}}"#,
                r#"{"NumericLessThan": {"s3:max-keys": "10"}}"#,
                Answer::Must,
            ),
            (
                r#"{"StringLike": {"aws:PrincipalTag/t": "ab*"}}"#,
                r#"{"StringLike": {"aws:PrincipalTag/t": ["a*"]}}"#,
                Answer::No,
            ),
            (
                r#"{"StringLike": {"aws:PrincipalTag/t": "a*"}}"#,
                r#"{"StringNotLike": {"aws:PrincipalTag/t": "b*"}}"#,
                Answer::No,
            ),
            (
                r#"{"StringEqualsIfExists": {"aws:PrincipalTag/t": "a"}}"#,
                r#"{"StringEquals": {"aws:PrincipalTag/t": "a"}}"#,
                Answer::Must,
            ),
            (
                r#"{"ForAllValues:StringEquals": {"aws:TagKeys": ["a"]}, "Null": {"aws:TagKeys": "false"}}"#,
                r#"{"ForAllValues:StringEquals": {"aws:TagKeys": ["a", "b"]}}"#,
                Answer::No,
            ),
            (
                r#"{"ForAllValues:StringEquals": {"aws:TagKeys": ["a"]}}"#,
                r#"{"ForAnyValue:StringEquals": {"aws:TagKeys": ["a"]}}"#,
                Answer::Must,
            ),
            (
                r#"{"Bool": {"aws:SecureTransport": "true"}}"#,
                r#"{"Bool": {"aws:SecureTransport": ["true", "false"]}}"#,
                Answer::No,
            ),
            (
                r#"{"DateLessThan": {"aws:CurrentTime": "2025-01-01T00:00:00Z"}}"#,
                r#"{"DateLessThan": {"aws:CurrentTime": "2026"}}"#,
                Answer::No,
            ),
        ] {
            let found = compare(&when(new), &when(old));
            assert_eq!(found.answer, wanted, "{new} {old} {found:?}");
            assert_eq!(compare(&when(new), &free).answer, Answer::No, "{new}");
        }
    }

    #[test]
    fn keys_that_are_always_there_are_not_absent() {
        let if_exists = document(
            r#"{"Effect": "Allow", "Action": "s3:GetObject", "Resource": "*",
                "Condition": {"StringEqualsIfExists": {"aws:RequestedRegion": "eu-west-1"}}}"#,
        );
        let plain = document(
            r#"{"Effect": "Allow", "Action": "s3:GetObject", "Resource": "*",
                "Condition": {"StringEquals": {"aws:RequestedRegion": "eu-west-1"}}}"#,
        );
        assert_eq!(compare(&if_exists, &plain).answer, Answer::No);
    }

    #[test]
    fn resources_count_within_their_domain_only() {
        // No object has an ARN without a slash.
        let bucket = allow(r#""s3:GetObject""#, r#""arn:aws:s3:::b""#);
        let nothing = allow(r#""s3:ListBucket""#, r#""arn:aws:s3:::c""#);
        assert_eq!(compare(&bucket, &nothing).answer, Answer::No);
        assert_eq!(dead_statements(&bucket), [0]);
        assert_eq!(dead_statements(&nothing), Vec::<usize>::new());
    }

    #[test]
    fn holes_are_equal_to_themselves() {
        let hole = |name: &str, tail: &str| {
            let sym = Sym::Attr {
                root: "r".into(),
                addr: name.into(),
                path: "arn".into(),
            };
            let text = Text::hole(sym, Src::none()).concat(&Text::known(tail));
            let val = Val::object(
                vec![
                    ("Version", Val::str("2012-10-17", Src::none())),
                    (
                        "Statement",
                        Val::object(
                            vec![
                                ("Effect", Val::str("Allow", Src::none())),
                                ("Action", Val::str("s3:GetObject", Src::none())),
                                ("Resource", Val::text(text, Src::none())),
                            ],
                            Src::none(),
                        ),
                    ),
                ],
                Src::none(),
            );
            Document::from_val(&val)
        };
        let objects = hole("aws_s3_bucket.b", "/*");
        let logs = hole("aws_s3_bucket.b", "/logs/*");
        let other = hole("aws_s3_bucket.c", "/*");
        let star = allow(r#""s3:GetObject""#, r#""arn:aws:s3:::*""#);
        assert_eq!(compare(&objects, &objects).answer, Answer::No);
        assert_eq!(compare(&logs, &objects).answer, Answer::No);
        assert_eq!(compare(&objects, &logs).answer, Answer::Must);
        assert_eq!(compare(&other, &objects).answer, Answer::May);
        assert_eq!(compare(&star, &objects).answer, Answer::Must);
        assert_eq!(compare(&objects, &star).answer, Answer::May);
        let any = allow(r#""s3:*""#, r#""*""#);
        assert_eq!(compare(&objects, &any).answer, Answer::No);
    }

    #[test]
    fn stacks_are_compared_whole() {
        let all = allow(r#""*""#, r#""*""#);
        let s3 = allow(r#""s3:*""#, r#""*""#);
        let capped = Stack {
            boundary: Some(vec![&s3]),
            ..Stack::identity(vec![&all])
        };
        let plain = Stack::identity(vec![&s3]);
        assert_eq!(difference(&capped, &plain).answer, Answer::No);
        assert_eq!(difference(&plain, &capped).answer, Answer::No);
        assert_eq!(covers(&capped, &s3), Answer::Must);
        assert_eq!(covers(&capped, &all), Answer::No);
        let pass = allow(r#""iam:PassRole""#, r#""*""#);
        assert_eq!(allows(&capped, &pass).answer, Answer::No);
        assert_eq!(
            allows(&Stack::identity(vec![&all]), &pass).answer,
            Answer::Must
        );
    }

    #[test]
    fn who_may_come_from_outside() {
        let policy = |principal: &str, condition: &str| {
            document(&format!(
                r#"{{"Effect": "Allow", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::b/*",
                    "Principal": {principal}, "Condition": {condition}}}"#
            ))
        };
        for (principal, condition, wanted) in [
            (r#""*""#, "{}", Answer::Must),
            (
                r#"{"AWS": "*"}"#,
                r#"{"StringLike": {"aws:Referer": "https://x/*"}}"#,
                Answer::Must,
            ),
            (
                r#""*""#,
                r#"{"StringEquals": {"aws:PrincipalOrgID": "o-1"}}"#,
                Answer::No,
            ),
            (
                r#""*""#,
                r#"{"StringLike": {"aws:PrincipalOrgID": "o-*"}}"#,
                Answer::Must,
            ),
            (
                r#""*""#,
                r#"{"StringEqualsIfExists": {"aws:PrincipalOrgID": "o-1"}}"#,
                Answer::Must,
            ),
            (
                r#""*""#,
                r#"{"IpAddress": {"aws:SourceIp": "203.0.113.0/24"}}"#,
                Answer::No,
            ),
            (
                r#""*""#,
                r#"{"IpAddress": {"aws:SourceIp": "0.0.0.0/0"}}"#,
                Answer::Must,
            ),
            (
                r#""*""#,
                r#"{"NotIpAddress": {"aws:SourceIp": "203.0.113.0/24"}}"#,
                Answer::Must,
            ),
            (
                r#""*""#,
                r#"{"StringEquals": {"aws:SourceVpce": "vpce-1"}}"#,
                Answer::No,
            ),
            (r#"{"AWS": "111122223333"}"#, "{}", Answer::No),
            (r#"{"Service": "sns.amazonaws.com"}"#, "{}", Answer::No),
        ] {
            let policy = policy(principal, condition);
            let stack = Stack::resource(&policy);
            let found = public(&stack);
            assert_eq!(found.answer, wanted, "{principal} {condition} {found:?}");
        }
        let named = policy(r#"{"AWS": ["111122223333", "444455556666"]}"#, "{}");
        let stack = Stack::resource(&named);
        let zone = Zone {
            accounts: vec!["111122223333".into()],
        };
        let found = external(&stack, &zone);
        assert_eq!(found.answer, Answer::Must);
        assert_eq!(
            found.witnesses[0].principal.as_deref(),
            Some("444455556666")
        );
        let own = policy(r#"{"AWS": "111122223333"}"#, "{}");
        assert_eq!(external(&Stack::resource(&own), &zone).answer, Answer::No);
        let closed = document(
            r#"{"Effect": "Allow", "Action": "s3:*", "Resource": "*", "Principal": "*"},
               {"Effect": "Deny", "Action": "s3:*", "Resource": "*", "Principal": "*",
                "Condition": {"StringNotEquals": {"aws:PrincipalOrgID": "o-1"}}}"#,
        );
        let stack = Stack::resource(&closed);
        assert_eq!(public(&stack).answer, Answer::No, "the Deny closes it");
        assert_eq!(closed.is_public_by_text(), Answer::Must, "S3 does not look");
    }

    #[test]
    fn redundant_and_equal_statements() {
        let document = document(
            r#"{"Effect": "Allow", "Action": "s3:*", "Resource": "*"},
               {"Effect": "Allow", "Action": "s3:Get*", "Resource": "arn:aws:s3:::b/*"},
               {"Effect": "Deny", "Action": "iam:*", "Resource": "*"},
               {"Effect": "Deny", "Action": "s3:PutObject", "Resource": "*"}"#,
        );
        assert_eq!(redundant_statements(&document), [1, 2]);
        let a = allow(
            r#"["s3:Get*", "S3:GetObject"]"#,
            r#"["arn:aws:s3:::b/*", "*"]"#,
        );
        let b = allow(r#""s3:get*""#, r#""*""#);
        assert_eq!(normalise(&a), normalise(&b));
    }
}
