//! One finding for all contexts of one place.
//!
//! A module that is called ten times is evaluated ten times, and a literal may be used by several
//! policies. Invariant: the worst that is not only a doubt leads (of equals, the least address), the others are its
//! `instances`, nothing of them is lost but repeated words.

use super::name_hash;
use overgrant_finding::{Confidence, Finding};
use overgrant_ir::Resource;
use overgrant_source::Span;
use smol_str::{SmolStr, format_smolstr};
use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet, HashMap};

/// Rule, place, statement; where a finding has no place, its resource.
type Key = (&'static str, Option<Span>, String, Within);

/// The statement: by its bytes, else by its name. Its number in a document differs between uses of a
/// module that puts statements in front.
type Within = (Option<Span>, Option<String>);

/// One literal in one statement is one cause, whatever policies use it.
fn key(finding: &Finding) -> Key {
    let name = if finding.primary.is_some() {
        String::new()
    } else {
        format!("{}//{}", finding.root, finding.address)
    };
    let bytes = finding.judged.as_ref().and_then(|judged| judged.statement);
    let label = finding.statement.clone().filter(|_| bytes.is_none());
    (finding.rule, finding.primary, name, (bytes, label))
}

/// Merges equal findings of several contexts. `resources` say how often each block is used.
pub(crate) fn merge(findings: Vec<Finding>, resources: &Uses) -> Vec<Finding> {
    let mut groups: BTreeMap<Key, Vec<Finding>> = BTreeMap::new();
    for finding in once(findings) {
        groups.entry(key(&finding)).or_default().push(finding);
    }
    groups
        .into_values()
        .filter_map(|group| join(group, resources))
        .collect()
}

/// Takes what is said twice of one place in one context as said once: statements may share a literal (an
/// alias of YAML, a local). The first statement leads.
fn once(findings: Vec<Finding>) -> Vec<Finding> {
    let mut known: BTreeMap<(&'static str, Span, SmolStr, SmolStr, String), usize> =
        BTreeMap::new();
    let mut kept: Vec<Finding> = Vec::new();
    for finding in findings {
        let Some(span) = finding.primary else {
            kept.push(finding);
            continue;
        };
        let (root, holder) = (finding.root.clone(), finding.holder.clone());
        let said = (finding.rule, span, root, holder, finding.message.clone());
        match known.get(&said).and_then(|at| kept.get_mut(*at)) {
            Some(first) => {
                first.guard = first.guard.take().filter(|_| finding.guard.is_some());
                first.severity = first.severity.max(finding.severity);
                first.confidence = first.confidence.max(finding.confidence);
                absorb(first, finding);
            }
            None => {
                known.insert(said, kept.len());
                kept.push(finding);
            }
        }
    }
    kept
}

/// Adds what another finding at the same place concerns.
fn absorb(first: &mut Finding, other: Finding) {
    for span in other.covers {
        if !first.covers.contains(&span) {
            first.covers.push(span);
        }
    }
    extend(&mut first.principals, other.principals);
    extend(&mut first.paths, other.paths);
    if let Some(judged) = &first.judged
        && other
            .judged
            .as_ref()
            .is_some_and(|theirs| theirs.statement != judged.statement)
    {
        first.judged = None;
    }
}

fn join(mut group: Vec<Finding>, uses: &Uses) -> Option<Finding> {
    group.sort_by_cached_key(|finding| {
        // A severe doubt does not hide what is sure.
        let sure = finding.confidence > Confidence::Low;
        let rank = Reverse((sure, finding.severity, finding.confidence));
        let address = (finding.address.clone(), finding.root.clone());
        (
            rank,
            address,
            finding.holder.clone(),
            finding.message.clone(),
        )
    });
    let contexts: BTreeSet<(&SmolStr, &SmolStr)> =
        group.iter().map(|f| (&f.root, &f.holder)).collect();
    let used = group.first().map_or(0, |f| uses.of(&f.root, &f.holder));
    let partly = (used > contexts.len()).then(|| format!("in {} of {used} uses", contexts.len()));
    let several = contexts.len() > 1;
    let always = group.iter().any(|finding| finding.guard.is_none());
    let mut rest = group.into_iter();
    let mut first = rest.next()?;
    let mut addresses: BTreeSet<(SmolStr, SmolStr)> = BTreeSet::new();
    for other in rest {
        if (&other.root, &other.address) != (&first.root, &first.address) {
            addresses.insert((other.address.clone(), other.root.clone()));
        }
        absorb(&mut first, other);
    }
    let root = first.root.clone();
    first.instances = addresses
        .into_iter()
        .map(|(address, other)| {
            if other == root {
                address
            } else {
                SmolStr::from(format!("{other}//{address}"))
            }
        })
        .collect();
    if several && always {
        first.guard = None;
    }
    if let Some(partly) = partly {
        first.guard = Some(match first.guard.take() {
            Some(guard) => format!("{guard}; {partly}"),
            None => partly,
        });
    }
    Some(first)
}

fn extend<T: PartialEq>(list: &mut Vec<T>, more: Vec<T>) {
    for item in more {
        if !list.contains(&item) {
            list.push(item);
        }
    }
}

/// How many instances the block behind an address has.
#[derive(Debug, Default)]
pub(crate) struct Uses {
    /// By a hash of root and address, where it is more than one. What a transform made of one resource
    /// is one instance.
    instances: HashMap<u64, usize>,
}

impl Uses {
    /// Counts the resources of a run.
    pub(crate) fn new(resources: &[Resource]) -> Self {
        let mut all: Vec<(Span, u64, u64)> = resources
            .iter()
            .filter_map(|resource| {
                let span = resource.src.span?;
                let stack = resource.address.rsplit_once('/').map(|(stack, _)| stack);
                let instance = match (&resource.origin, stack) {
                    (Some(origin), Some(stack)) => format_smolstr!("{stack}/{origin}"),
                    (Some(origin), None) => origin.clone(),
                    (None, _) => resource.address.clone(),
                };
                let instance = name_hash(&resource.root, &instance);
                Some((span, instance, name_hash(&resource.root, &resource.address)))
            })
            .collect();
        all.sort_unstable();
        let mut uses = Self::default();
        for block in all.chunk_by(|a, b| a.0 == b.0) {
            let instances = block.chunk_by(|a, b| a.1 == b.1).count();
            if instances < 2 {
                continue;
            }
            let addresses = block.iter().map(|(_, _, address)| (*address, instances));
            uses.instances.extend(addresses);
        }
        uses
    }

    fn of(&self, root: &SmolStr, address: &SmolStr) -> usize {
        self.instances
            .get(&name_hash(root, address))
            .copied()
            .unwrap_or(1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use overgrant_finding::Severity;
    use overgrant_ir::{Format, Place};
    use overgrant_source::FileId;
    use overgrant_value::{Guard, Src};

    #[test]
    fn a_doubt_does_not_hide_what_is_sure() {
        let finding = |severity, confidence, address: &str| {
            let place = Place {
                root: "".into(),
                address: address.into(),
                kind: "k".into(),
                format: Format::Terraform,
                logical_id: None,
                maker: overgrant_ir::Maker::Author,
                src: Src::none(),
                name_src: Src::none(),
                guard: Guard::always(),
                maybe: false,
            };
            let src = Src::at(Span::new(FileId(0), 0, 1));
            Finding::new("r", severity, confidence, &place, &src, address)
        };
        let merged = merge(
            vec![
                finding(Severity::Critical, Confidence::Low, "a"),
                finding(Severity::Medium, Confidence::High, "b"),
                finding(Severity::High, Confidence::Medium, "c"),
            ],
            &Uses::default(),
        );
        let [one] = merged.as_slice() else {
            panic!("{merged:?}")
        };
        assert_eq!((one.message.as_str(), one.severity), ("c", Severity::High));
        assert_eq!(one.instances, ["a", "b"]);
    }
}
