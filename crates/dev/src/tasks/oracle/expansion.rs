//! Expansions of SAM templates and of loops against recorded ones.
//!
//! Both sides are evaluated by our own front end, so that two spellings of one value are equal. Not
//! for what is no access: of other resources only the roles they run with are compared. Invariant: a
//! template agrees if every resource on either side has an equal one on the other; where an error
//! was recorded, it agrees if we tell of a problem.

use anyhow::{Context as _, Result, bail};
use overgrant_cloudformation::{Project, TemplateRead, read};
use overgrant_source::{Diagnostic, Level, Sources};
use overgrant_value::{Data, Val};
use serde_json::{Map, Value};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// How a folder of expansions is laid out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Layout {
    /// `in/NAME.yaml`, `out/NAME.json` or `out/NAME.error.txt`.
    Sam,
    /// `NAME.yaml`, `NAME.expected.json` (with `errors` where there were any).
    Loops,
}

/// What a comparison came to.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Tally {
    pub(super) agree: usize,
    /// Name of the template, and the first difference.
    pub(super) misses: Vec<(String, String)>,
}

/// Compares every template of the folder.
///
/// # Errors
/// Where the folder or a file cannot be read.
pub(super) fn compare(layout: Layout, dir: &Path) -> Result<Tally> {
    let inputs = match layout {
        Layout::Sam => dir.join("in"),
        Layout::Loops => dir.to_owned(),
    };
    let mut paths: Vec<PathBuf> = std::fs::read_dir(&inputs)
        .with_context(|| inputs.display().to_string())?
        .map(|entry| entry.map(|entry| entry.path()))
        .collect::<std::io::Result<_>>()?;
    paths.retain(|path| path.extension().is_some_and(|kind| kind == "yaml"));
    paths.sort();
    if paths.is_empty() {
        bail!("{}: no template", inputs.display());
    }
    let mut tally = Tally::default();
    for path in paths {
        let name = path.file_stem().unwrap_or_default().to_string_lossy();
        let expected = match layout {
            Layout::Sam => dir.join(format!("out/{name}.json")),
            Layout::Loops => dir.join(format!("{name}.expected.json")),
        };
        let text =
            |path: &Path| std::fs::read_to_string(path).with_context(|| path.display().to_string());
        let expected = if expected.exists() {
            Some(text(&expected)?)
        } else {
            None
        };
        match difference(&text(&path)?, expected.as_deref()) {
            None => tally.agree += 1,
            Some(miss) => tally.misses.push((name.into_owned(), miss)),
        }
    }
    Ok(tally)
}

/// The first difference between our expansion of `text` and the recorded one; no record, or one that
/// tells of errors, wants a problem.
fn difference(text: &str, expected: Option<&str>) -> Option<String> {
    let (ours, problems) = access(text);
    let expected = expected.filter(|text| {
        let json: Option<Value> = serde_json::from_str(text).ok();
        json.is_none_or(|json| json.get("errors").is_none())
    });
    let Some(expected) = expected else {
        let told = problems.iter().any(|told| told.level <= Level::Warning);
        return (!told).then(|| "no problem was told".to_owned());
    };
    let (theirs, _) = access(expected);
    for (id, theirs) in &theirs {
        match ours.get(id) {
            None => return Some(format!("{id} is missing: {theirs}")),
            Some(ours) if ours != theirs => {
                return Some(format!("{id} differs\n  ours   {ours}\n  theirs {theirs}"));
            }
            Some(_) => {}
        }
    }
    let more = ours.iter().find(|(id, _)| !theirs.contains_key(*id));
    more.map(|(id, ours)| format!("{id} is not expected: {ours}"))
}

/// The access in a template by logical id, and what was told about it.
fn access(text: &str) -> (BTreeMap<String, Value>, Vec<Diagnostic>) {
    let sources = Arc::new(Sources::new("."));
    let file = sources.add("t.yaml", text);
    let template = match read(&file) {
        TemplateRead::Yes(template) => *template,
        TemplateRead::Lost(diagnostic) => return (BTreeMap::new(), vec![*diagnostic]),
        TemplateRead::No => return (BTreeMap::new(), Vec::new()),
    };
    let found = Project::new(sources, vec![template]).evaluate("t.yaml");
    let mut all = BTreeMap::new();
    for resource in found.resources {
        let mut attrs = plain(&resource.attrs);
        if !is_access(&resource.kind) {
            let mut roles = Map::new();
            roles_in(&attrs, "", &mut roles);
            if roles.is_empty() {
                continue;
            }
            attrs = Value::Object(roles);
        }
        if let Some(attrs) = attrs.as_object_mut() {
            attrs.remove("Tags");
            attrs.insert("Type".into(), resource.kind.as_str().into());
            if !resource.guard.is_always() {
                attrs.insert("When".into(), resource.guard.to_string().into());
            }
        }
        sort(&mut attrs);
        all.insert(resource.address.to_string(), attrs);
    }
    (all, found.diagnostics)
}

/// A value as JSON, with the place of deployment for which the expansions were recorded.
fn plain(val: &Val) -> Value {
    match val.data() {
        Data::Seq(seq) => seq.items.iter().map(plain).collect(),
        Data::Map(map) => {
            let members = map.entries.iter();
            members
                .map(|entry| (entry.key.to_string(), plain(&entry.val)))
                .collect()
        }
        Data::OneOf(alternatives) => alternatives
            .iter()
            .map(|one| (one.guard.to_string(), plain(&one.val)))
            .collect(),
        _ => val.to_text().map_or(Value::Null, |text| {
            let text = text.to_string();
            let text = text.replace("${the partition}", "aws");
            text.replace("${the region}", "eu-west-1").into()
        }),
    }
}

/// Whether all of a resource is access.
fn is_access(kind: &str) -> bool {
    kind.starts_with("AWS::IAM::")
        || matches!(
            kind,
            "AWS::Lambda::Permission"
                | "AWS::Lambda::Url"
                | "AWS::SQS::QueuePolicy"
                | "AWS::SNS::TopicPolicy"
        )
}

/// The members that name a role or hold a policy, by their path.
fn roles_in(value: &Value, path: &str, found: &mut Map<String, Value>) {
    match value {
        Value::Object(members) => {
            for (key, value) in members {
                let path = format!("{path}/{key}");
                if key.ends_with("Role") || key.ends_with("RoleArn") {
                    found.insert(path, value.clone());
                } else if (key == "Policy" || key == "x-amazon-apigateway-policy")
                    && value.get("Statement").is_some()
                {
                    // An API's policy may stand in its definition or beside it.
                    found.insert("Policy".into(), value.clone());
                } else {
                    roles_in(value, &path, found);
                }
            }
        }
        Value::Array(items) => {
            for (at, item) in items.iter().enumerate() {
                roles_in(item, &format!("{path}/{at}"), found);
            }
        }
        _ => {}
    }
}

/// Lists in the order of their text, and those of one item as the item: a policy means the same.
fn sort(value: &mut Value) {
    match value {
        Value::Array(items) => {
            items.iter_mut().for_each(sort);
            items.sort_by_cached_key(ToString::to_string);
            if items.len() == 1
                && let Some(only) = items.pop()
            {
                *value = only;
            }
        }
        Value::Object(members) => members.values_mut().for_each(sort),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn recorded(layout: Layout, name: &str) -> Tally {
        let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../testdata/oracles");
        compare(layout, &dir.join(name)).unwrap()
    }

    #[test]
    fn sam_expands_as_recorded() {
        let tally = recorded(Layout::Sam, "sam");
        assert_eq!(tally.misses, []);
        assert_eq!(tally.agree, 29);
    }

    #[test]
    fn loops_expand_as_recorded() {
        let tally = recorded(Layout::Loops, "foreach");
        assert_eq!(tally.misses, []);
        assert_eq!(tally.agree, 10);
    }

    #[test]
    fn differences_are_seen() {
        let role = |name: &str| {
            format!("Resources: {{R: {{Type: AWS::IAM::Role, Properties: {{RoleName: {name}}}}}}}")
        };
        assert_eq!(difference(&role("a"), Some(&role("a"))), None);
        assert!(difference(&role("a"), Some(&role("b"))).is_some());
        assert!(difference(&role("a"), Some("Resources: {}")).is_some());
        assert!(difference("Resources: {T: {Type: 'A::B'}}", Some(&role("a"))).is_some());
        assert!(difference(&role("a"), None).is_some());
        assert_eq!(
            difference("Resources: {T: {}, U: {Type: 'A::B'}}", None),
            None
        );
    }
}
