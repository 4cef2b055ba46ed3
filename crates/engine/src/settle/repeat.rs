//! One cause that several statements share, one finding.
//!
//! A default of `*` may be what two statements of a policy stand on, and a statement may be written twice.
//! One change mends what stands at one place, and the second copy adds nothing. Not for statements that
//! several contexts use, which `merge` joins, nor for rules about anything but what a statement opens.
//! Invariant: what is left out is no worse and no surer than what tells it.

use super::fold::{is_grant, without};
use crate::outcome::Reported;
use overgrant_finding::{Finding, Related};
use overgrant_source::Span;
use smol_str::SmolStr;
use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

/// What makes two findings the same.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
enum Cause {
    /// A literal outside the statements, in one resource or as the default of a variable.
    Literal(&'static str, Span, Option<(SmolStr, SmolStr)>),
    /// Equal statements of one resource.
    Twin(&'static str, SmolStr, SmolStr, String, String),
}

/// Leaves one finding of those with one cause. The order of what is left is kept.
pub(crate) fn once_each(mut findings: Vec<Reported>) -> Vec<Reported> {
    for causes in [literal, twin] {
        findings = tell_first(findings, causes);
    }
    findings
}

fn tell_first(mut findings: Vec<Reported>, cause: fn(&Finding) -> Option<Cause>) -> Vec<Reported> {
    let mut groups: BTreeMap<Cause, Vec<usize>> = BTreeMap::new();
    for (at, reported) in findings.iter().enumerate() {
        if let Some(cause) = cause(&reported.finding).filter(|_| is_grant(&reported.finding)) {
            groups.entry(cause).or_default().push(at);
        }
    }
    let mut told: BTreeSet<usize> = BTreeSet::new();
    for mut group in groups.into_values().filter(|group| group.len() > 1) {
        group.sort_by_key(|at| {
            let finding = findings.get(*at).map(|one| &one.finding);
            Reverse(finding.map(|one| (one.severity, one.confidence, one.guard.is_none())))
        });
        let mut leaders: Vec<(usize, Vec<Finding>)> = Vec::new();
        for at in group {
            let Some(other) = findings.get(at).map(|one| &one.finding) else {
                continue;
            };
            let leader = leaders.iter_mut().find(|(first, _)| {
                let first = findings.get(*first).map(|one| &one.finding);
                first.is_some_and(|first| covers(first, other))
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
                others
                    .into_iter()
                    .for_each(|other| tell(&mut one.finding, other));
            }
        }
    }
    without(findings, &told)
}

/// The literal, where it stands outside the statement that is judged.
fn literal(finding: &Finding) -> Option<Cause> {
    let primary = finding.primary?;
    let statement = finding.judged.as_ref()?.statement?;
    if statement.contains(primary) {
        return None;
    }
    let default = finding
        .flow
        .iter()
        .any(|step| step.label.starts_with("default of "));
    let within = (!default).then(|| (finding.root.clone(), finding.holder.clone()));
    Some(Cause::Literal(finding.rule, primary, within))
}

/// The statement, where it is told by what it says.
fn twin(finding: &Finding) -> Option<Cause> {
    finding.judged.as_ref()?.statement?;
    let (root, holder) = (finding.root.clone(), finding.holder.clone());
    let said = (finding.message.clone(), finding.cell.clone());
    (!finding.cell.is_empty()).then_some(Cause::Twin(finding.rule, root, holder, said.0, said.1))
}

/// Whether the first holds wherever the other does.
fn covers(first: &Finding, other: &Finding) -> bool {
    first.confidence >= other.confidence && (first.guard.is_none() || first.guard == other.guard)
}

/// Names the other's place, and what it says where that is something else.
fn tell(leader: &mut Finding, other: Finding) {
    let same = other.message == leader.message;
    let place = if same {
        other.primary
    } else {
        other.related.first().map(|one| one.span)
    };
    let label = if same {
        "written again".to_owned()
    } else {
        other.message
    };
    if let Some(span) = place.or(other.primary)
        && !leader
            .related
            .iter()
            .any(|one| one.span == span && one.label == label)
    {
        let address = (other.address != leader.address).then(|| other.address.clone());
        leader.related.push(Related {
            span,
            label,
            address,
        });
    }
    let moved = other.address != leader.address || other.root != leader.root;
    if moved && !leader.instances.contains(&other.address) {
        leader.instances.push(other.address);
    }
    for principal in other.principals {
        if !leader.principals.contains(&principal) {
            leader.principals.push(principal);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::outcome::Located;
    use overgrant_finding::{Confidence, Judged, Severity, Step};
    use overgrant_ir::{Format, Maker, Place};
    use overgrant_source::FileId;
    use overgrant_value::{Guard, Src};

    const RULE: &str = "star-resource-on-scopable-write";

    fn at(start: u32) -> Span {
        Span::new(FileId(0), start, start + 10)
    }

    fn about(holder: &str, literal: u32, statement: u32, message: &str) -> Finding {
        let place = Place {
            root: "".into(),
            address: holder.into(),
            kind: "k".into(),
            format: Format::Terraform,
            logical_id: None,
            maker: Maker::Author,
            src: Src::none(),
            name_src: Src::none(),
            guard: Guard::always(),
            maybe: false,
        };
        let literal = Src::at(at(literal));
        let mut finding = Finding::new(
            RULE,
            Severity::Medium,
            Confidence::High,
            &place,
            &literal,
            message,
        );
        finding.judged = Some(Judged {
            statement: Some(at(statement)),
            elements: [Vec::new(), Vec::new(), Vec::new(), Vec::new()],
        });
        finding.cell = message.to_owned();
        finding
    }

    fn left(findings: Vec<Finding>) -> Vec<Finding> {
        let reported = findings.into_iter().map(|finding| Reported {
            rule: overgrant_rules::find(finding.rule).unwrap(),
            place: Located::file("a".into()),
            fix: None,
            suppressed: None,
            finding,
        });
        once_each(reported.collect())
            .into_iter()
            .map(|one| one.finding)
            .collect()
    }

    #[test]
    fn a_literal_of_two_statements_is_told_once() {
        let both = || vec![about("p", 0, 100, "writes"), about("p", 0, 200, "sends")];
        let [one] = <[Finding; 1]>::try_from(left(both())).unwrap();
        assert_eq!(one.message, "writes");
        assert_eq!(one.related.last().unwrap().label, "sends");
        // Two policies may share a local and mean it; a default is changed for all.
        let mut apart = vec![about("p", 0, 100, "writes"), about("q", 0, 200, "sends")];
        assert_eq!(left(apart.clone()).len(), 2);
        for finding in &mut apart {
            let label = "default of var.arns".to_owned();
            finding.flow.push(Step { span: at(0), label });
        }
        let [one] = <[Finding; 1]>::try_from(left(apart)).unwrap();
        assert_eq!(one.instances, ["q"]);
    }

    #[test]
    fn a_statement_written_twice_is_told_once() {
        let twins = vec![
            about("p", 100, 100, "writes"),
            about("p", 200, 200, "writes"),
        ];
        let [one] = <[Finding; 1]>::try_from(left(twins)).unwrap();
        assert_eq!(one.primary, Some(at(100)));
        assert_eq!(one.related.last().unwrap().span, at(200));
        let others = vec![
            about("p", 100, 100, "writes"),
            about("p", 200, 200, "sends"),
        ];
        assert_eq!(left(others).len(), 2);
        let elsewhere = vec![
            about("p", 100, 100, "writes"),
            about("q", 200, 200, "writes"),
        ];
        assert_eq!(left(elsewhere).len(), 2);
    }

    #[test]
    fn a_doubt_tells_nothing_that_is_sure() {
        let mut guarded = about("p", 0, 100, "writes");
        guarded.severity = Severity::High;
        guarded.guard = Some("var.on".to_owned());
        assert_eq!(left(vec![guarded, about("p", 0, 200, "sends")]).len(), 2);
    }
}
