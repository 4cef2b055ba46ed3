//! One cause, one finding: which finding silences which.
//!
//! The pairs are data (`data/subsumes.tsv`): winner, loser, and what both must share. Not for
//! merging contexts. Invariant: a finding is only silenced by one that is at least as sure, or
//! sure enough to be shown by default; where only the principal is shared, that holds for the severity
//! too.

use overgrant_finding::{Confidence, Entry, Finding, Judged, Severity};
use overgrant_source::Span;
use smol_str::SmolStr;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::OnceLock;

const DATA: &str = include_str!("../../data/subsumes.tsv");

/// What winner and loser must share.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Shared {
    Cell,
    Statement,
    Document,
    Attachment,
    Principal,
    Path,
    Resource,
    Account,
}

impl Shared {
    /// The words before the colon; what follows says why, for people.
    fn parse(text: &str) -> Option<Self> {
        let word = text.split_once(':').map_or(text, |(word, _)| word).trim();
        Some(match word {
            "same-cell" => Self::Cell,
            "same-statement" => Self::Statement,
            "same-document" => Self::Document,
            "same-attachment" => Self::Attachment,
            "same-principal" => Self::Principal,
            "same-path" => Self::Path,
            "same-resource" => Self::Resource,
            "same-account" => Self::Account,
            _ => return None,
        })
    }
}

/// Winners by loser.
fn table() -> &'static BTreeMap<&'static str, Vec<(&'static str, Shared)>> {
    static TABLE: OnceLock<BTreeMap<&'static str, Vec<(&'static str, Shared)>>> = OnceLock::new();
    TABLE.get_or_init(|| {
        let mut table: BTreeMap<_, Vec<_>> = BTreeMap::new();
        for line in DATA.lines().skip(1) {
            let mut cells = line.split('\t');
            if let (Some(winner), Some(loser), Some(shared)) = (
                cells.next(),
                cells.next(),
                cells.next().and_then(Shared::parse),
            ) {
                table.entry(loser).or_default().push((winner, shared));
            }
        }
        table
    })
}

/// Drops the findings that another one silences.
pub(crate) fn subsume(findings: Vec<Finding>) -> Vec<Finding> {
    let mut by_rule: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
    for (index, finding) in findings.iter().enumerate() {
        by_rule.entry(finding.rule).or_default().push(index);
    }
    let mut silenced: BTreeSet<usize> = BTreeSet::new();
    for (index, loser) in findings.iter().enumerate() {
        let winners: Vec<(&Finding, Shared)> = table()
            .get(loser.rule)
            .into_iter()
            .flatten()
            .flat_map(|(rule, shared)| {
                let of_rule = by_rule.get(rule).into_iter().flatten();
                of_rule.filter_map(|&index| Some((findings.get(index)?, *shared)))
            })
            .filter(|(winner, _)| winner.confidence >= loser.confidence.min(Confidence::Medium))
            .filter(|(winner, shared)| {
                *shared != Shared::Principal
                    || winner.severity >= loser.severity.min(Severity::Medium)
            })
            .collect();
        let lost = winners
            .iter()
            .any(|(winner, shared)| *shared != Shared::Cell && share(*shared, winner, loser))
            || lost_by_cells(
                loser,
                winners
                    .iter()
                    .filter(|(_, shared)| *shared == Shared::Cell)
                    .map(|(winner, _)| *winner),
            );
        if lost {
            silenced.insert(index);
        }
    }
    findings
        .into_iter()
        .enumerate()
        .filter(|(index, _)| !silenced.contains(index))
        .map(|(_, finding)| finding)
        .collect()
}

fn share(shared: Shared, winner: &Finding, loser: &Finding) -> bool {
    match shared {
        Shared::Cell => !cells(winner, loser).is_empty(),
        Shared::Statement => same_statement(winner, loser),
        Shared::Document => {
            same_holder(winner, loser)
                || (winner.primary.is_some() && winner.primary == loser.primary)
        }
        Shared::Attachment => same_attachment(winner, loser),
        Shared::Principal => same_principal(winner, loser),
        Shared::Path => same_principal(winner, loser) || same_path(winner, loser),
        Shared::Resource => same_holder(winner, loser) || related(winner, loser),
        Shared::Account => winner.root == loser.root,
    }
}

fn same_holder(a: &Finding, b: &Finding) -> bool {
    a.root == b.root && (a.holder == b.holder || a.address == b.address)
}

/// One policy on one identity. A resource that only attaches is one attachment; a role or a user may list
/// several policies and hold documents besides, and is told apart by the literal.
fn same_attachment(winner: &Finding, loser: &Finding) -> bool {
    let Some(literal) = loser.primary else {
        return same_holder(winner, loser);
    };
    let attaches = loser.kind.ends_with("_attachment");
    places(winner).contains(&literal)
        || same_holder(winner, loser) && (attaches || winner.primary.is_none())
}

fn related(a: &Finding, b: &Finding) -> bool {
    let names = |one: &Finding, other: &Finding| {
        one.related
            .iter()
            .any(|related| related.address.as_ref() == Some(&other.holder))
    };
    a.root == b.root && (names(a, b) || names(b, a))
}

/// Statements that a loop makes have the bytes of its body in common, but not their actions.
pub(super) fn share_actions(a: &Judged, b: &Judged) -> bool {
    let ([ours, ..], [theirs, ..]) = (&a.elements, &b.elements);
    ours.is_empty()
        || theirs.is_empty()
        || ours
            .iter()
            .any(|entry| theirs.iter().any(|other| entry.0 == other.0))
}

fn same_statement(a: &Finding, b: &Finding) -> bool {
    match (&a.judged, &b.judged) {
        (Some(left), Some(right)) if left.statement.is_some() || right.statement.is_some() => {
            left.statement == right.statement && share_actions(left, right)
        }
        _ => same_holder(a, b) && a.statement == b.statement && a.statement.is_some(),
    }
}

/// Every principal that the loser names is one of the winner; a side that names none speaks of the
/// resource it stands in.
fn same_principal(winner: &Finding, loser: &Finding) -> bool {
    fn subjects(finding: &Finding) -> BTreeSet<&SmolStr> {
        if finding.principals.is_empty() {
            [&finding.holder, &finding.address].into()
        } else {
            finding.principals.iter().collect()
        }
    }
    let (of_winner, of_loser) = (subjects(winner), subjects(loser));
    if winner.root != loser.root {
        return false;
    }
    // One literal for several principals, of which the loser counts more: an attachment.
    if winner.holder == loser.holder && winner.primary.is_some() && winner.primary == loser.primary
    {
        return true;
    }
    if loser.principals.is_empty() {
        of_loser.iter().any(|name| of_winner.contains(*name))
    } else {
        of_loser.is_subset(&of_winner)
    }
}

/// The same way of the same principal; a side that names none speaks of whoever holds the right.
fn same_path(winner: &Finding, loser: &Finding) -> bool {
    let by = |one: &Finding, other: &Finding| {
        one.principals.is_empty()
            || other.principals.is_empty()
            || one
                .principals
                .iter()
                .any(|name| other.principals.contains(name))
    };
    winner.paths.iter().any(|path| loser.paths.contains(path)) && by(winner, loser)
}

/// Whether the winners together speak of every action entry that the loser speaks of, or one that
/// is at least as bad speaks of some and wants the same literal changed.
fn lost_by_cells<'a>(loser: &Finding, winners: impl Iterator<Item = &'a Finding>) -> bool {
    let mut matched: BTreeSet<Option<Span>> = BTreeSet::new();
    for winner in winners {
        let cells = cells(winner, loser);
        let same_cause = winner.primary == loser.primary && winner.severity >= loser.severity;
        if !cells.is_empty() && same_cause {
            return true;
        }
        matched.extend(cells);
    }
    let all = actions(loser);
    !matched.is_empty()
        && (matched.contains(&None) || all.iter().all(|span| matched.contains(&Some(*span))))
}

/// The action entries that a finding speaks of.
fn actions(finding: &Finding) -> Vec<Span> {
    let Some(Judged {
        elements: [actions, ..],
        ..
    }) = &finding.judged
    else {
        return Vec::new();
    };
    touched(actions, &places(finding))
        .into_iter()
        .map(|entry| entry.0)
        .collect()
}

/// The loser's action entries of which the winner speaks too; `None` stands for all of them, where
/// one of the two names no actions. Nothing where they are not in one statement, or name different
/// entries of another element.
fn cells(winner: &Finding, loser: &Finding) -> Vec<Option<Span>> {
    let (Some(left), Some(right)) = (&winner.judged, &loser.judged) else {
        let same = same_holder(winner, loser) && overlap(winner.primary, loser.primary);
        return if same { vec![None] } else { Vec::new() };
    };
    if !same_statement(winner, loser) {
        return Vec::new();
    }
    let (of_winner, of_loser) = (places(winner), places(loser));
    let mut found = vec![None];
    for (at, (entries, same)) in left.elements.iter().zip(&right.elements).enumerate() {
        let ours = touched(entries, &of_winner);
        let theirs = touched(same, &of_loser);
        if ours.is_empty() || theirs.is_empty() {
            continue;
        }
        let both: Vec<Option<Span>> = theirs
            .iter()
            .filter(|other| {
                ours.iter()
                    .any(|entry| entry.0 == other.0 || covers(&entry.1, &other.1))
            })
            .map(|entry| Some(entry.0))
            .collect();
        if both.is_empty() {
            return both;
        }
        if at == 0 {
            found = both;
        }
    }
    found
}

fn places(finding: &Finding) -> Vec<Span> {
    let related = finding.related.iter().map(|related| related.span);
    let more = finding.covers.iter().copied();
    finding
        .primary
        .into_iter()
        .chain(related)
        .chain(more)
        .collect()
}

fn touched<'a>(entries: &'a [Entry], places: &[Span]) -> Vec<&'a Entry> {
    entries
        .iter()
        .filter(|(span, _)| places.iter().any(|place| span.contains(*place)))
        .collect()
}

fn overlap(a: Option<Span>, b: Option<Span>) -> bool {
    match (a, b) {
        (Some(a), Some(b)) => a.contains(b) || b.contains(a),
        _ => false,
    }
}

/// Whether the wildcard pattern `wide` matches the text `narrow`, letter case aside.
fn covers(wide: &str, narrow: &str) -> bool {
    let wide: Vec<char> = wide.to_lowercase().chars().collect();
    let narrow: Vec<char> = narrow.to_lowercase().chars().collect();
    let (mut at, mut in_text) = (0, 0);
    let mut star: Option<(usize, usize)> = None;
    while let Some(&c) = narrow.get(in_text) {
        match wide.get(at) {
            Some('*') => {
                star = Some((at, in_text));
                at += 1;
            }
            Some(&p) if p == c || p == '?' => {
                at += 1;
                in_text += 1;
            }
            _ => match star {
                Some((back, seen)) => {
                    at = back + 1;
                    in_text = seen + 1;
                    star = Some((back, seen + 1));
                }
                None => return false,
            },
        }
    }
    wide.get(at..).unwrap_or_default().iter().all(|&c| c == '*')
}

#[cfg(test)]
mod tests {
    use super::*;
    use overgrant_ir::{Format, Place};
    use overgrant_source::FileId;
    use overgrant_value::{Guard, Src};

    #[test]
    fn every_line_of_the_data_is_understood() {
        let pairs: usize = table().values().map(Vec::len).sum();
        assert_eq!(pairs, DATA.lines().count() - 1);
    }

    #[test]
    fn no_rule_silences_itself_and_no_pair_is_mutual() {
        for (loser, winners) in table() {
            for (winner, shared) in winners {
                assert_ne!(loser, winner);
                let back = table().get(winner).into_iter().flatten();
                assert!(
                    !back
                        .into_iter()
                        .any(|(other, again)| other == loser && again == shared),
                    "{winner} and {loser}"
                );
            }
        }
    }

    /// A finding about actions of one statement; the place is that of the resource list.
    fn about(rule: &'static str, severity: Severity, primary: u32, actions: &[u32]) -> Finding {
        let at = |start| Span::new(FileId(0), start, start + 1);
        let place = Place {
            root: "".into(),
            address: "r".into(),
            kind: "k".into(),
            format: Format::Terraform,
            logical_id: None,
            maker: overgrant_ir::Maker::Author,
            src: Src::none(),
            name_src: Src::none(),
            guard: Guard::always(),
            maybe: false,
        };
        let mut finding = Finding::new(
            rule,
            severity,
            Confidence::High,
            &place,
            &Src::at(at(primary)),
            rule,
        );
        let entries = (0..3).map(|index| (at(index), format!("s3:Put{index}")));
        finding.judged = Some(Judged {
            statement: Some(at(9)),
            elements: [entries.collect(), Vec::new(), Vec::new(), Vec::new()],
        });
        finding.covers = actions.iter().map(|index| at(*index)).collect();
        finding
    }

    #[test]
    fn what_is_hidden_silences_nothing_of_its_principal_that_is_shown() {
        let left = |severity| {
            let admin = about("managed-administratoraccess", severity, 1, &[0]);
            let star = about("star-resource-on-scopable-write", Severity::Medium, 5, &[1]);
            subsume(vec![admin, star]).len()
        };
        assert_eq!((left(Severity::High), left(Severity::Low)), (1, 2));
    }

    #[test]
    fn a_managed_policy_speaks_of_itself_alone() {
        let managed = |rule, place| {
            let mut finding = about(rule, Severity::High, place, &[]);
            finding.judged = None;
            finding
        };
        let left = |loser: Finding| {
            let winner = managed("managed-escalation-capable", 1);
            subsume(vec![winner, loser]).len()
        };
        let full = "managed-fullaccess-on-workload";
        assert_eq!(left(managed(full, 1)), 1);
        assert_eq!(left(managed(full, 2)), 2, "another policy of the role");
        let inline = about("service-wildcard-on-all", Severity::Medium, 5, &[0]);
        assert_eq!(left(inline), 2, "a document of the role");
        let mut attachment = managed(full, 2);
        attachment.kind = "aws_iam_role_policy_attachment".into();
        assert_eq!(left(attachment), 1);
    }

    #[test]
    fn a_loser_is_silent_once_all_its_actions_are_spoken_of() {
        let wild = |primary, actions: &[u32]| {
            about(
                "service-wildcard-on-all",
                Severity::Medium,
                primary,
                actions,
            )
        };
        let star = |severity, actions: &[u32]| {
            about("star-resource-on-scopable-write", severity, 5, actions)
        };
        let left = |findings| subsume(findings).len();
        assert_eq!(
            left(vec![wild(4, &[0, 1]), star(Severity::Medium, &[0, 1])]),
            1
        );
        assert_eq!(
            left(vec![wild(4, &[0]), star(Severity::Medium, &[0, 1])]),
            2
        );
        assert_eq!(
            left(vec![
                wild(4, &[0]),
                wild(4, &[1]),
                star(Severity::Medium, &[0, 1])
            ]),
            2
        );
        // The same literal has to change, and it is said already how bad it is.
        assert_eq!(
            left(vec![wild(5, &[0]), star(Severity::Medium, &[0, 1])]),
            1
        );
        assert_eq!(left(vec![wild(5, &[0]), star(Severity::High, &[0, 1])]), 2);
        assert_eq!(left(vec![wild(4, &[2]), star(Severity::Medium, &[0])]), 2);
    }

    #[test]
    fn patterns_cover_texts() {
        assert!(covers("*", "s3:DeleteBucket"));
        assert!(covers("s3:*", "S3:DeleteBucket"));
        assert!(covers("s3:Del*", "s3:Delete*"));
        assert!(!covers("s3:*", "iam:PassRole"));
    }
}
