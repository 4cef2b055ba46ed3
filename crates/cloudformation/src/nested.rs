//! Nested stacks: where their templates stand, and in which order they can be evaluated.
//!
//! Not for evaluating them. Invariant: only paths beside a template are followed, never URLs.

use crate::expand::{directory, is_local};
use crate::syntax::{Kind, Node, Template};
use overgrant_source::Span;
use smol_str::{SmolStr, format_smolstr};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// Where the template of a nested stack stands.
pub(crate) struct Located {
    pub(crate) path: SmolStr,
    pub(crate) span: Span,
}

/// The local template of a nested stack: the asset of a CDK assembly, else a `TemplateURL` that is a
/// path beside the template or ends in the name of one of the `assets`.
pub(crate) fn nested_path(
    template: &str,
    node: &Node,
    assets: &BTreeMap<SmolStr, SmolStr>,
) -> Option<Located> {
    if node.get("Type")?.text()? != "AWS::CloudFormation::Stack" {
        return None;
    }
    let metadata = node.get("Metadata");
    let asset = metadata
        .filter(|metadata| {
            metadata
                .get("aws:asset:property")
                .and_then(|node| node.text())
                .is_some_and(|property| property == "TemplateURL")
        })
        .and_then(|metadata| metadata.get("aws:asset:path"));
    let url = node.get("Properties").and_then(|p| p.get("TemplateURL"));
    let node = asset.or(url)?;
    let local = node.text().filter(|text| is_local(text));
    let text = local.or_else(|| asset_of(node, assets).map(SmolStr::as_str))?;
    Some(Located {
        path: normalised(&format!("{}{text}", directory(template))),
        span: node.span,
    })
}

/// The asset whose name ends one of the texts in a URL.
fn asset_of<'a>(url: &Node, assets: &'a BTreeMap<SmolStr, SmolStr>) -> Option<&'a SmolStr> {
    if assets.is_empty() {
        return None;
    }
    if let Some(scalar) = url.scalar() {
        let name = scalar.text.rsplit('/').next()?;
        return assets.get(name);
    }
    let entries = url.entries().iter().map(|entry| &entry.value);
    let mut inner = entries.chain(url.items());
    inner.find_map(|node| asset_of(node, assets))
}

/// The templates of which one is what `sam build` wrote the template at `path` from.
pub(crate) fn built_from(path: &str) -> Vec<SmolStr> {
    const BUILT: &str = ".aws-sam/build/template.yaml";
    let Some(folder) = path.strip_suffix(BUILT) else {
        return Vec::new();
    };
    ["template.yaml", "template.yml"]
        .map(|name| format_smolstr!("{folder}{name}"))
        .into()
}

/// Where templates that it nests may stand: what is built, and what that is built from.
pub(crate) fn nested_paths(template: &Template) -> Vec<SmolStr> {
    let resources = template.root.get("Resources");
    let entries = resources.map(|node| node.entries()).unwrap_or_default();
    entries
        .iter()
        .filter_map(|entry| {
            nested_path(template.file.path(), &entry.value, &BTreeMap::new())
                .or_else(|| application_path(template.file.path(), &entry.value))
        })
        .flat_map(|located| {
            let sources = built_from(&located.path);
            std::iter::once(located.path).chain(sources)
        })
        .collect()
}

/// The local template of a SAM application.
fn application_path(template: &str, node: &Node) -> Option<Located> {
    if node.get("Type")?.text()? != "AWS::Serverless::Application" {
        return None;
    }
    let location = node.get("Properties")?.get("Location")?;
    let text = location.text().filter(|text| is_local(text))?;
    Some(Located {
        path: normalised(&format!("{}{text}", directory(template))),
        span: location.span,
    })
}

/// `.` and inner `..` resolved.
fn normalised(path: &str) -> SmolStr {
    let mut parts: Vec<&str> = Vec::new();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." if parts.last().is_some_and(|last| *last != "..") => {
                parts.pop();
            }
            part => parts.push(part),
        }
    }
    parts.join("/").into()
}

/// Indices of nested stacks, each after those whose outputs it is given.
pub(crate) fn in_order(stacks: &[(&SmolStr, &Arc<Node>, Located)]) -> Vec<usize> {
    let index_of: BTreeMap<&str, usize> = stacks
        .iter()
        .enumerate()
        .map(|(index, (id, _, _))| (id.as_str(), index))
        .collect();
    let uses: Vec<Vec<usize>> = stacks
        .iter()
        .enumerate()
        .map(|(own, (_, node, _))| {
            let mut used = BTreeSet::new();
            mentioned(node, &mut |name| used.extend(index_of.get(name).copied()));
            used.remove(&own);
            used.into_iter().collect()
        })
        .collect();
    let mut order = Vec::new();
    let mut entered = vec![false; stacks.len()];
    for start in 0..stacks.len() {
        // A depth-first walk without recursion; a cycle ends where it closes.
        let mut path = vec![(start, 0)];
        while let Some((index, next)) = path.pop() {
            if next == 0 {
                match entered.get_mut(index) {
                    Some(entered) if !*entered => *entered = true,
                    _ => continue,
                }
            }
            match uses.get(index).and_then(|uses| uses.get(next)) {
                Some(other) => {
                    path.push((index, next + 1));
                    path.push((*other, 0));
                }
                None => order.push(index),
            }
        }
    }
    order
}

/// Calls `found` with every name that a scalar below `node` may refer to: the whole text, what
/// stands before its first dot, and the same inside `${…}`.
fn mentioned<'n>(node: &'n Node, found: &mut impl FnMut(&'n str)) {
    match &node.kind {
        Kind::Scalar(scalar) => {
            let text = scalar.text.as_str();
            found(text.split('.').next().unwrap_or_default());
            for part in text.split("${").skip(1) {
                found(part.split(['.', '}']).next().unwrap_or_default());
            }
        }
        Kind::Seq(items) => items.iter().for_each(|item| mentioned(item, found)),
        Kind::Map(entries) => entries
            .iter()
            .for_each(|entry| mentioned(&entry.value, found)),
    }
}
