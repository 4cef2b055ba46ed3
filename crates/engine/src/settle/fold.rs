//! One statement that is too wide, one finding; one text that makes several so, one too.
//!
//! A statement with `Resource: "*"` may be told by several rules: it writes, reads data, decrypts. One
//! change mends them all, so the worst leads and says what the others say. The default of a parameter that
//! several statements take as their resource is one change as well. Not for findings that say the
//! same with other words, which `subsume` silences, nor for what is worth no finding by default. Invariant:
//! what is folded is no worse and no surer than the finding that tells it, and nothing suppressed tells or
//! is told.

use super::subsume::share_actions;
use crate::outcome::Reported;
use overgrant_finding::{Confidence, Finding, Related, Severity};
use overgrant_source::Span;
use smol_str::{SmolStr, format_smolstr};
use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

/// The rules about what one statement opens; of equal severity the first leads.
const LEADS: [&str; 23] = [
    "admin-star-star",
    "admin-equivalent-union",
    "allow-notaction",
    "forallvalues-allow-without-null-guard",
    "ifexists-on-security-key-in-allow",
    "negated-operator-in-allow",
    "self-escalation-policy-write",
    "trust-policy-rewrite",
    "policy-write-plus-takeover-combo",
    "credential-creation-for-others",
    "passrole-new-compute",
    "existing-compute-code-injection",
    "remote-exec-on-privileged-compute",
    "delegated-iam-without-boundary-condition",
    "passrole-any-role-any-service",
    "service-wildcard-on-all",
    "assume-any-role",
    "secrets-and-parameters-read-all",
    "kms-decrypt-all-keys",
    "star-resource-on-scopable-write",
    "star-resource-on-data-read",
    "passrole-any-role-one-service",
    "boundary-or-deny-removal",
];

/// Rules about a condition that does not hold: what the statement opens, it opens by that.
const VOID: [&str; 3] = [
    "forallvalues-allow-without-null-guard",
    "ifexists-on-security-key-in-allow",
    "negated-operator-in-allow",
];

fn is_void(finding: &Finding) -> bool {
    VOID.contains(&finding.rule)
}

fn rank(finding: &Finding) -> Option<usize> {
    LEADS.iter().position(|rule| *rule == finding.rule)
}

/// Whether the finding is about what a statement opens.
pub(crate) fn is_grant(finding: &Finding) -> bool {
    rank(finding).is_some()
}

/// The statement that a finding is about: by its bytes, else by its name in a resource.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
enum Statement {
    At(Span),
    Named(SmolStr, SmolStr, String),
}

fn statement(finding: &Finding) -> Option<Statement> {
    let bytes = finding.judged.as_ref().and_then(|judged| judged.statement);
    bytes.map(Statement::At).or_else(|| {
        let name = finding.statement.clone()?;
        Some(Statement::Named(
            finding.root.clone(),
            finding.holder.clone(),
            name,
        ))
    })
}

/// Tells the findings about one statement, and those about one text, in the worst of them. The order of what
/// is left is kept.
pub(crate) fn fold(findings: Vec<Reported>) -> Vec<Reported> {
    by_literal(by_statement(findings))
}

/// Tells what one rule says of a text in several statements in the worst of it.
fn by_literal(mut findings: Vec<Reported>) -> Vec<Reported> {
    let mut groups: BTreeMap<(&str, Span), Vec<Graded>> = BTreeMap::new();
    for (at, reported) in findings.iter().enumerate() {
        let finding = &reported.finding;
        if let (Some(_), Some(span)) = (rank(finding), finding.primary) {
            let grade = Reverse((finding.severity, finding.confidence));
            groups
                .entry((finding.rule, span))
                .or_default()
                .push((grade, at));
        }
    }
    let mut told: BTreeSet<usize> = BTreeSet::new();
    for mut group in groups.into_values().filter(|group| group.len() > 1) {
        group.sort_unstable();
        let Some((first, rest)) = group.split_first() else {
            continue;
        };
        let Some(leader) = findings.get(first.1).map(|one| one.finding.clone()) else {
            continue;
        };
        let others: Vec<(usize, Finding)> = rest
            .iter()
            .filter_map(|(_, at)| Some((*at, findings.get(*at)?.finding.clone())))
            .filter(|(_, other)| shares_text(&leader, other))
            .collect();
        if let Some(one) = findings.get_mut(first.1).filter(|_| !others.is_empty()) {
            told.extend(others.iter().map(|(at, _)| *at));
            add(&mut one.finding, others.into_iter().map(|(_, other)| other));
        }
    }
    without(findings, &told)
}

/// Whether both are about the same text, in different statements, and the first may tell the other along.
fn shares_text(first: &Finding, other: &Finding) -> bool {
    let of = |finding: &Finding| finding.judged.as_ref().and_then(|judged| judged.statement);
    of(first).is_some()
        && of(other).is_some()
        && of(first) != of(other)
        && other.severity >= Severity::Medium
        && first.confidence >= other.confidence
        && (first.guard.is_none() || first.guard == other.guard)
}

/// Adds the statements that take the same text.
fn add(leader: &mut Finding, others: impl Iterator<Item = Finding>) {
    let mut count = 0;
    for other in others {
        count += 1;
        if let Some(span) = other.judged.as_ref().and_then(|judged| judged.statement) {
            leader.related.push(Related {
                span,
                label: format!("`{}` takes it too", other.address),
                address: Some(other.address.clone()),
            });
        }
        for principal in other.principals {
            if !leader.principals.contains(&principal) {
                leader.principals.push(principal);
            }
        }
        if other.address != leader.address && !leader.instances.contains(&other.address) {
            leader.instances.push(other.address);
        }
    }
    let more = if count == 1 {
        "statement takes"
    } else {
        "statements take"
    };
    leader
        .message
        .push_str(&format!("; {count} more {more} the same text"));
}

/// The findings but those at the indices, in their order.
pub(super) fn without(mut findings: Vec<Reported>, told: &BTreeSet<usize>) -> Vec<Reported> {
    let mut at = 0..;
    findings.retain(|_| at.next().is_some_and(|at| !told.contains(&at)));
    findings
}

fn by_statement(mut findings: Vec<Reported>) -> Vec<Reported> {
    let mut groups: BTreeMap<Statement, Vec<(Reverse<Grade>, usize, usize)>> = BTreeMap::new();
    for (at, reported) in findings.iter().enumerate() {
        let finding = &reported.finding;
        if let (Some(rank), Some(statement)) = (rank(finding), statement(finding)) {
            let grade = Reverse((finding.severity, finding.confidence));
            groups.entry(statement).or_default().push((grade, rank, at));
        }
    }
    let mut told: BTreeSet<usize> = BTreeSet::new();
    for mut group in groups.into_values().filter(|group| group.len() > 1) {
        group.sort_unstable();
        let mut leaders: Vec<(usize, Vec<Finding>)> = Vec::new();
        for (_, _, at) in group {
            let Some(other) = findings.get(at).map(|one| &one.finding) else {
                continue;
            };
            let leader = leaders.iter_mut().find(|(first, _)| {
                findings
                    .get(*first)
                    .is_some_and(|first| tells(&first.finding, other))
            });
            if let Some((_, others)) = leader {
                others.push(other.clone());
                told.insert(at);
            } else {
                leaders.push((at, Vec::new()));
            }
        }
        for (leader, others) in leaders {
            if let Some(one) = findings.get_mut(leader) {
                tell(&mut one.finding, others);
            }
        }
    }
    without(findings, &told)
}

type Grade = (Severity, Confidence);

/// A finding by its place in the list, the worst first.
type Graded = (Reverse<Grade>, usize);

/// Whether the first may tell the other along.
fn tells(first: &Finding, other: &Finding) -> bool {
    (other.deed.is_some() || is_void(other) && !is_void(first))
        && other.severity >= Severity::Medium
        && first.rule != other.rule
        && first.severity >= other.severity
        && first.confidence >= other.confidence
        && (first.guard.is_none() || first.guard == other.guard || is_wherever(first, other))
        && match (&first.judged, &other.judged) {
            (Some(first), Some(other)) => share_actions(first, other),
            _ => true,
        }
}

/// Whether the first holds in all uses of the other, and in more: its guard has the words of another use.
fn is_wherever(first: &Finding, other: &Finding) -> bool {
    let uses = |finding: &Finding| -> BTreeSet<SmolStr> {
        let full = |address: &SmolStr| match address.contains("//") {
            true => address.clone(),
            false => format_smolstr!("{}//{address}", finding.root),
        };
        let all = std::iter::once(&finding.address).chain(&finding.instances);
        all.map(full).collect()
    };
    let (ours, theirs) = (uses(first), uses(other));
    ours.len() > theirs.len() && ours.is_superset(&theirs)
}

fn tell(leader: &mut Finding, others: Vec<Finding>) {
    let mut deeds: Vec<String> = Vec::new();
    let mut void: Vec<String> = Vec::new();
    for other in others {
        if is_void(&other) {
            void.push(other.message);
        }
        deeds.extend(other.deed);
        for related in other.related {
            let known = |one: &Related| one.span == related.span;
            if Some(related.span) != leader.primary && !leader.related.iter().any(known) {
                leader.related.push(related);
            }
        }
        for path in other.paths {
            if !leader.paths.contains(&path) {
                leader.paths.push(path);
            }
        }
    }
    for message in void {
        leader.message.push_str(&format!("; {message}"));
    }
    let Some(last) = deeds.pop() else { return };
    let list = if deeds.is_empty() {
        last
    } else {
        format!("{}, and {last}", deeds.join(", "))
    };
    let lets = if is_void(leader) {
        "so the statement lets its holder"
    } else {
        "the statement also lets it"
    };
    leader.message.push_str(&format!("; {lets} {list}"));
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::outcome::Located;
    use overgrant_finding::Judged;
    use overgrant_ir::{Format, Maker, Place};
    use overgrant_source::FileId;
    use overgrant_value::{Guard, Src};

    const READ: &str = "star-resource-on-data-read";
    const WRITE: &str = "star-resource-on-scopable-write";

    fn about(rule: &'static str, severity: Severity, statement: u32) -> Finding {
        let at = |start| Span::new(FileId(0), start, start + 1);
        let place = Place {
            root: "".into(),
            address: "r".into(),
            kind: "k".into(),
            format: Format::Terraform,
            logical_id: None,
            maker: Maker::Author,
            src: Src::none(),
            name_src: Src::none(),
            guard: Guard::always(),
            maybe: false,
        };
        let src = Src::at(at(5));
        let mut finding = Finding::new(rule, severity, Confidence::High, &place, &src, rule);
        finding.deed = Some(format!("do {rule}"));
        finding.judged = Some(Judged {
            statement: Some(at(statement)),
            elements: [Vec::new(), Vec::new(), Vec::new(), Vec::new()],
        });
        finding
    }

    fn folded(findings: Vec<Finding>) -> Vec<String> {
        let reported = findings.into_iter().map(|finding| Reported {
            rule: overgrant_rules::find(finding.rule).unwrap(),
            place: Located::file("a".into()),
            fix: None,
            suppressed: None,
            finding,
        });
        fold(reported.collect())
            .into_iter()
            .map(|one| one.finding.message)
            .collect()
    }

    #[test]
    fn the_worst_of_a_statement_tells_the_others() {
        let both = |read, write| folded(vec![about(READ, read, 9), about(WRITE, write, 9)]);
        assert_eq!(
            both(Severity::Medium, Severity::Medium),
            [format!("{WRITE}; the statement also lets it do {READ}")]
        );
        assert_eq!(
            both(Severity::High, Severity::Medium),
            [format!("{READ}; the statement also lets it do {WRITE}")]
        );
        // What is not shown by default is not told along.
        assert_eq!(both(Severity::Low, Severity::Medium), [READ, WRITE]);
    }

    #[test]
    fn one_text_in_several_statements_is_told_once() {
        let with = |statement, confidence| {
            let mut finding = about(WRITE, Severity::Medium, statement);
            finding.confidence = confidence;
            finding
        };
        let high = |statement| with(statement, Confidence::High);
        assert_eq!(
            folded(vec![high(9), high(19), high(29)]),
            [format!("{WRITE}; 2 more statements take the same text")]
        );
        let mut guarded = high(9);
        guarded.guard = Some("var.a".into());
        assert_eq!(folded(vec![guarded, high(19)]).len(), 2);
    }

    #[test]
    fn what_differs_stays() {
        let (read, mut write) = (
            about(READ, Severity::Medium, 9),
            about(WRITE, Severity::Medium, 9),
        );
        write.guard = Some("var.a".into());
        assert_eq!(folded(vec![read.clone(), write.clone()]), [READ, WRITE]);
        // Where it holds in uses of which the other is one, the words of its own use do not count.
        let mut wide = write.clone();
        wide.instances = vec!["a".into(), "b//r".into()];
        let mut narrow = read.clone();
        (narrow.guard, narrow.address) = (Some("var.b".into()), "a".into());
        assert_eq!(folded(vec![narrow, wide]).len(), 1);
        write.guard = None;
        write.confidence = Confidence::Low;
        assert_eq!(
            folded(vec![read.clone(), write]),
            [format!("{READ}; the statement also lets it do {WRITE}")]
        );
        let made_by_loop = |rule, action| {
            let mut finding = about(rule, Severity::Medium, 9);
            let span = Span::new(FileId(0), action, action + 1);
            finding.judged.as_mut().unwrap().elements[0].push((span, "s3:*".into()));
            finding
        };
        let loops = |a, b| folded(vec![made_by_loop(READ, a), made_by_loop(WRITE, b)]).len();
        assert_eq!((loops(20, 30), loops(20, 20)), (2, 1));
        let other = about(WRITE, Severity::Medium, 7);
        assert_eq!(folded(vec![read.clone(), other]), [READ, WRITE]);
        let again = about(READ, Severity::Medium, 9);
        assert_eq!(folded(vec![read, again]), [READ, READ]);
    }
}
