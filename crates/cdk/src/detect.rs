//! Whether a directory holds a cloud assembly, decided by what stands in it.
//!
//! `cdk synth` writes a manifest, a file `cdk.out` with the version, `tree.json` and templates; what is
//! kept of them in a repository may be less. Not for reading them. Invariant: a directory is an
//! assembly only where a template is read, or missed, through it; in any other one templates are
//! ordinary files.

use crate::manifest::{Artifact, read};
use serde_json::Value;

/// What a directory is to the CDK.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Found {
    /// An assembly, complete or not.
    Assembly,
    /// A manifest or a version file, and nothing that belongs to it.
    Remains,
    /// Neither.
    Nothing,
}

/// A directory that is asked about its files.
pub trait Directory {
    /// The names in it.
    fn list(&self) -> Vec<String>;
    /// Whether a file stands at `path` below it.
    fn has(&self, path: &str) -> bool;
    /// The text of the file at `path` below it.
    fn text(&self, path: &str) -> Option<String>;
}

/// The files by which an assembly is known, and by which it can be named.
pub const MARKS: [&str; 3] = ["manifest.json", "cdk.out", "tree.json"];

/// What `directory` is.
#[must_use]
pub fn detect(directory: &impl Directory) -> Found {
    let versioned = || directory.has("cdk.out");
    let Some(text) = directory
        .has("manifest.json")
        .then(|| directory.text("manifest.json"))
        .flatten()
    else {
        let meant = versioned() || is_tree(directory);
        return if meant && has_template(directory) {
            Found::Assembly
        } else if directory
            .text("cdk.out")
            .is_some_and(|text| is_version(&text))
        {
            Found::Remains
        } else {
            Found::Nothing
        };
    };
    // Other tools have files of this name, and most are small; parsing comes last.
    let speaks = text.contains("aws:cloudformation:stack") || text.contains("cdk:cloud-assembly");
    if speaks && let Ok(manifest) = read(&text) {
        // One that leads out is told when the assembly is read.
        let is_there =
            |name: &str| name.split(['/', '\\']).any(|part| part == "..") || directory.has(name);
        let leads = |artifact: &Artifact| match artifact {
            Artifact::Stack(stack) => is_there(&stack.template),
            Artifact::Stage { directory } => is_there(&format!("{directory}/manifest.json")),
            Artifact::Assets { .. } | Artifact::Tree { .. } => false,
        };
        if manifest.artifacts.iter().any(leads) {
            return Found::Assembly;
        }
        if manifest.leads_on() && !versioned() {
            return Found::Remains;
        }
    }
    let meant = versioned() || speaks || is_tree(directory) || is_bare(&text);
    if versioned() || (meant && has_template(directory)) {
        Found::Assembly
    } else {
        Found::Nothing
    }
}

/// Whether `name` is that of a template as the CDK writes them.
fn is_template(name: &str) -> bool {
    name.ends_with(".template.json")
}

fn has_template(directory: &impl Directory) -> bool {
    directory.list().iter().any(|name| is_template(name))
}

/// Whether a `tree.json` of constructs stands in the directory.
fn is_tree(directory: &impl Directory) -> bool {
    directory.has("tree.json")
        && directory
            .text("tree.json")
            .is_some_and(|text| text.contains("\"tree-"))
}

/// Whether `text` is what the CDK writes into the file `cdk.out`.
fn is_version(text: &str) -> bool {
    let version: Option<Value> = serde_json::from_str(text).ok();
    version.is_some_and(|value| value.get("version").is_some_and(Value::is_string))
}

/// Whether `text` is a manifest of which only the frame is left.
fn is_bare(text: &str) -> bool {
    const OWN: [&str; 5] = [
        "version",
        "artifacts",
        "minimumCliVersion",
        "missing",
        "runtime",
    ];
    let manifest: Option<Value> = serde_json::from_str(text).ok();
    manifest
        .as_ref()
        .and_then(Value::as_object)
        .is_some_and(|manifest| {
            manifest.get("version").is_some_and(Value::is_string)
                && manifest.keys().all(|key| OWN.contains(&key.as_str()))
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Files<'a>(&'a [(&'a str, &'a str)]);

    impl Directory for Files<'_> {
        fn list(&self) -> Vec<String> {
            self.0.iter().map(|(name, _)| (*name).to_owned()).collect()
        }
        fn has(&self, path: &str) -> bool {
            self.text(path).is_some()
        }
        fn text(&self, path: &str) -> Option<String> {
            let file = self.0.iter().find(|(name, _)| *name == path);
            file.map(|(_, text)| (*text).to_owned())
        }
    }

    const STACK: &str = r#"{"version": "1.0.0", "artifacts": {"A": {"type": "aws:cloudformation:stack", "properties": {"templateFile": "A.template.json"}}}}"#;
    const CUT: &str = r#"{"artifacts": {"A": {"type": "aws:cloudformation:stack", "prop"#;
    const OUT: &str = r#"{"artifacts": {"A": {"type": "aws:cloudformation:stack", "properties": {"templateFile": "../A.json"}}}}"#;
    const BARE: &str = r#"{"version": "54.0.0"}"#;
    const TREE: &str = r#"{"version": "tree-0.1", "tree": {"id": "App", "path": ""}}"#;
    const WEB: &str = r#"{"version": "1.0", "name": "a page"}"#;

    #[test]
    fn assemblies_are_known_by_what_is_left_of_them() {
        let (m, v, t, a) = ("manifest.json", "cdk.out", "tree.json", "A.template.json");
        for (files, wanted) in [
            (&[(m, STACK), (v, BARE), (a, "{}")][..], Found::Assembly),
            (&[(m, STACK), (a, "{}")], Found::Assembly),
            (&[(m, STACK)], Found::Remains),
            (&[(m, STACK), (v, BARE)], Found::Assembly),
            (&[(m, OUT)], Found::Assembly),
            (&[(m, BARE), (v, BARE)], Found::Assembly),
            (&[(m, BARE), (a, "{}")], Found::Assembly),
            (&[(m, BARE)], Found::Nothing),
            (&[(m, "{"), (v, "")], Found::Assembly),
            (&[(m, "{"), (t, TREE), (a, "{}")], Found::Assembly),
            (&[(m, CUT), (a, "{}")], Found::Assembly),
            (&[(m, "{"), (a, "{}")], Found::Nothing),
            (&[(m, WEB), (a, "{}")], Found::Nothing),
            (
                &[(m, r#"{"name": "aws:cloudformation:stack"}"#)],
                Found::Nothing,
            ),
            (&[(t, TREE), (a, "{}")], Found::Assembly),
            (&[(t, "{}"), (a, "{}")], Found::Nothing),
            (&[(t, TREE)], Found::Nothing),
            (&[(v, BARE), (a, "{}")], Found::Assembly),
            (&[(v, BARE)], Found::Remains),
            (&[(v, "words")], Found::Nothing),
            (&[(a, "{}")], Found::Nothing),
            (&[], Found::Nothing),
        ] {
            assert_eq!(detect(&Files(files)), wanted, "{files:?}");
        }
    }
}
