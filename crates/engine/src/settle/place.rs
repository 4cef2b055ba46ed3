//! Findings stand in files that their reader can change.
//!
//! A finding inside a registry module under `.terraform` or outside the base moves to the calling
//! block: to the argument that carries the value, else to the call. One in a template of a CDK
//! assembly moves to the construct in the app. Not for local modules.
//! Invariant: the inner place stays in the flow.

use super::name_hash;
use crate::discover::within;
use overgrant_finding::{Finding, Step};
use overgrant_ir::Resource;
use overgrant_source::{Sources, Span};
use smol_str::SmolStr;

/// A module call or construct: its address in a root, and where it stands.
#[derive(Debug, Clone)]
pub(crate) struct Call {
    /// Root module directory.
    pub(crate) root: SmolStr,
    /// `module.a["x"].module.b`, or a construct path.
    pub(crate) module: SmolStr,
    /// The `source` argument, or the header of the block.
    pub(crate) span: Span,
}

/// Whether the file behind a span belongs to the repository: not fetched, not generated.
pub(crate) fn is_ours(sources: &Sources, generated: &[String], span: Span) -> bool {
    sources.get(span.file).is_some_and(|file| {
        let path = file.path();
        !is_foreign(path) && !generated.iter().any(|dir| within(path, dir))
    })
}

/// Whether a path lies outside the base or in a directory that a tool fills.
pub(crate) fn is_foreign(path: &str) -> bool {
    path.starts_with("../")
        || path.starts_with('/')
        || path
            .split('/')
            .any(|part| part == ".terraform" || part == "node_modules")
}

/// Moves the finding to a file of the repository, where it stands in none.
pub(crate) fn move_into_repository(
    sources: &Sources,
    generated: &[String],
    calls: &[Call],
    finding: &mut Finding,
) {
    let is_ours = |span: Span| is_ours(sources, generated, span);
    let Some(inner) = finding.primary else {
        return;
    };
    if is_ours(inner) {
        return;
    }
    let carried = finding
        .flow
        .iter()
        .map(|step| step.span)
        .find(|&span| is_ours(span));
    let target = carried.or_else(|| {
        let holders = [&finding.address, &finding.holder];
        calls
            .iter()
            .filter(|call| call.root == finding.root && is_ours(call.span))
            .filter(|call| {
                holders.iter().any(|address| {
                    address
                        .strip_prefix(call.module.as_str())
                        .is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '/']))
                })
            })
            .max_by_key(|call| call.module.len())
            .map(|call| call.span)
    });
    let Some(target) = target else {
        return;
    };
    if !finding.flow.iter().any(|step| step.span == inner) {
        finding.flow.insert(
            0,
            Step {
                span: inner,
                label: finding
                    .label
                    .take()
                    .unwrap_or_else(|| "in effect here".to_owned()),
            },
        );
    }
    if finding.flow.last().is_none_or(|step| step.span != target) {
        finding.flow.push(Step {
            span: target,
            label: "comes from here".to_owned(),
        });
    }
    finding.primary = Some(target);
}

/// Moves a finding off the header of another resource: a reference to what that resource makes is
/// written where it is used, and that is what must change.
pub(crate) fn move_to_use(headers: &Headers, finding: &mut Finding) {
    let Some(primary) = finding.primary else {
        return;
    };
    if !headers.is_of_another(primary, &finding.holder) {
        return;
    }
    if let Some(first) = finding.flow.iter().find(|step| step.span != primary) {
        finding.primary = Some(first.span);
        finding.address = finding.holder.clone();
    }
}

/// The headers of resources with the hashes of their addresses, sorted.
pub(crate) struct Headers(Vec<(Span, u64)>);

impl Headers {
    /// The headers of all resources.
    pub(crate) fn new(resources: &[Resource]) -> Self {
        let header = |resource: &Resource| {
            let span = resource.name_src.span?;
            Some((span, name_hash("", &resource.address)))
        };
        let mut all: Vec<(Span, u64)> = resources.iter().filter_map(header).collect();
        all.sort_unstable();
        all.dedup();
        Self(all)
    }

    /// Whether a header stands at `span`, and none of the resources made there has the address.
    fn is_of_another(&self, span: Span, address: &str) -> bool {
        let from = self.0.partition_point(|(one, _)| *one < span);
        let made = self.0.get(from..).unwrap_or_default();
        let mut made = made.iter().take_while(|(one, _)| *one == span).peekable();
        let address = name_hash("", address);
        made.peek().is_some() && made.all(|(_, one)| *one != address)
    }
}

#[cfg(test)]
mod tests {
    use super::is_foreign;

    #[test]
    fn knows_whose_file_it_is() {
        assert!(is_foreign("a/.terraform/modules/x/main.tf"));
        assert!(is_foreign("../x/main.tf"));
        assert!(!is_foreign("a/terraform/main.tf"));
    }
}
