//! `cargo dev deps`: the dependency arrows between our crates, and the licences of all others.
//!
//! Not for: advisories (`deny.toml` serves the hosted workflow). Invariant: an arrow that is not in
//! [`ARROWS`] is an error; development dependencies are free, since tests may look anywhere.

use crate::repository;
use anyhow::{Context as _, Result, bail};
use serde_json::Value;
use std::collections::BTreeSet;
use std::path::Path;
use std::process::Command;

/// Each package of ours and those of ours that it may depend on. Prefixes `overgrant-` left out;
/// the root package is `overgrant`.
const ARROWS: &[(&str, &[&str])] = &[
    ("source", &[]),
    ("value", &["source"]),
    ("catalog", &[]),
    ("policy", &["source", "value", "catalog"]),
    ("ir", &["source", "value", "catalog", "policy"]),
    ("access", &["source", "value", "catalog", "policy", "ir"]),
    ("finding", &["source", "value", "policy", "ir"]),
    ("terraform", &["source", "value", "catalog", "policy", "ir"]),
    (
        "cloudformation",
        &["source", "value", "catalog", "policy", "ir"],
    ),
    (
        "cdk",
        &["source", "value", "policy", "ir", "cloudformation"],
    ),
    (
        "rules",
        &[
            "source", "value", "catalog", "policy", "ir", "access", "finding",
        ],
    ),
    (
        "engine",
        &[
            "source",
            "value",
            "catalog",
            "policy",
            "ir",
            "access",
            "finding",
            "rules",
            "terraform",
            "cloudformation",
            "cdk",
        ],
    ),
    (
        "report",
        &[
            "source", "catalog", "policy", "ir", "access", "finding", "rules", "engine",
        ],
    ),
    (
        "overgrant",
        &[
            "source", "value", "catalog", "ir", "access", "finding", "rules", "engine", "report",
        ],
    ),
    (
        "dev",
        &[
            "source",
            "value",
            "catalog",
            "policy",
            "ir",
            "access",
            "finding",
            "terraform",
            "cloudformation",
            "cdk",
            "rules",
            "engine",
            "report",
            "overgrant",
        ],
    ),
];

/// Licences that the product may carry.
const LICENCES: &[&str] = &[
    "0BSD",
    "Apache-2.0",
    "BSD-2-Clause",
    "BSD-3-Clause",
    "BSL-1.0",
    "CC0-1.0",
    "ISC",
    "MIT",
    "MIT-0",
    "Unicode-3.0",
    "Unlicense",
    "Zlib",
];

#[derive(clap::Args)]
pub(crate) struct Arguments {}

pub(crate) fn run(_: &Arguments) -> Result<()> {
    let root = repository::root()?;
    let mut problems = arrows(&metadata(&root, &["--no-deps"])?);
    problems.extend(licences(&metadata(&root, &["--locked"])?));
    if !problems.is_empty() {
        bail!("{}", problems.join("\n"));
    }
    Ok(())
}

/// What `cargo metadata` says about the workspace at `root`.
fn metadata(root: &Path, options: &[&str]) -> Result<Value> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let output = Command::new(cargo)
        .args(["metadata", "--format-version", "1"])
        .args(options)
        .current_dir(root)
        .output()
        .context("cannot run cargo")?;
    if !output.status.success() {
        bail!(
            "cargo metadata: {}",
            String::from_utf8_lossy(&output.stderr).trim()
        );
    }
    Ok(serde_json::from_slice(&output.stdout)?)
}

fn list<'a>(value: &'a Value, key: &str) -> &'a [Value] {
    value
        .get(key)
        .and_then(Value::as_array)
        .map_or(&[], Vec::as_slice)
}

fn text<'a>(value: &'a Value, key: &str) -> &'a str {
    value.get(key).and_then(Value::as_str).unwrap_or_default()
}

/// Our name for a package without the common prefix.
fn short(name: &str) -> &str {
    name.strip_prefix("overgrant-").unwrap_or(name)
}

/// Arrows that are not allowed, packages that the table does not know, and rows without a package.
fn arrows(metadata: &Value) -> Vec<String> {
    let packages = list(metadata, "packages");
    let ours: BTreeSet<&str> = packages
        .iter()
        .map(|package| text(package, "name"))
        .collect();
    let mut problems = Vec::new();
    for package in packages {
        let name = short(text(package, "name"));
        let Some((_, allowed)) = ARROWS.iter().find(|(known, _)| *known == name) else {
            problems.push(format!("`{name}` has no row among the arrows"));
            continue;
        };
        for dependency in list(package, "dependencies") {
            let target = text(dependency, "name");
            let is_dev = text(dependency, "kind") == "dev";
            if ours.contains(target) && !is_dev && !allowed.contains(&short(target)) {
                problems.push(format!("`{name}` must not depend on `{}`", short(target)));
            }
        }
    }
    let missing = |name: &&str| !ours.iter().any(|known| short(known) == *name);
    let rows = ARROWS.iter().map(|(name, _)| *name).filter(missing);
    problems.extend(rows.map(|name| format!("the arrows name `{name}`, which is no package")));
    problems
}

/// Packages whose licence is missing or does not permit what ours does.
fn licences(metadata: &Value) -> Vec<String> {
    let outside = |package: &&Value| !package.get("source").is_none_or(Value::is_null);
    let mut problems = Vec::new();
    for package in list(metadata, "packages").iter().filter(outside) {
        let licence = text(package, "license");
        if !permits(licence) {
            let (name, version) = (text(package, "name"), text(package, "version"));
            problems.push(format!(
                "`{name}` {version}: the licence `{licence}` is not accepted"
            ));
        }
    }
    problems
}

/// Whether an SPDX expression can be met with accepted licences only; `/` is the old form of `OR`.
fn permits(expression: &str) -> bool {
    let spaced = expression
        .replace('(', " ( ")
        .replace(')', " ) ")
        .replace('/', " OR ");
    let tokens: Vec<&str> = spaced.split_whitespace().collect();
    let mut rest = tokens.as_slice();
    alternatives(&mut rest) == Some(true) && rest.is_empty()
}

/// Takes `word` off the front if it stands there.
fn take(rest: &mut &[&str], word: &str) -> bool {
    let found = rest.first() == Some(&word);
    if found {
        *rest = rest.get(1..).unwrap_or_default();
    }
    found
}

/// `a OR b`; `None` where the expression is broken.
fn alternatives(rest: &mut &[&str]) -> Option<bool> {
    let mut met = combination(rest)?;
    while take(rest, "OR") {
        met |= combination(rest)?;
    }
    Some(met)
}

fn combination(rest: &mut &[&str]) -> Option<bool> {
    let mut met = licence(rest)?;
    while take(rest, "AND") {
        met &= licence(rest)?;
    }
    Some(met)
}

fn licence(rest: &mut &[&str]) -> Option<bool> {
    if take(rest, "(") {
        let met = alternatives(rest)?;
        return take(rest, ")").then_some(met);
    }
    let (name, after) = rest.split_first()?;
    *rest = after;
    if take(rest, "WITH") {
        // An exception only adds permissions.
        *rest = rest.split_first()?.1;
    }
    Some(LICENCES.contains(name))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn the_arrows_of_the_workspace_hold() {
        let root = repository::root().unwrap();
        assert_eq!(
            arrows(&metadata(&root, &["--no-deps"]).unwrap()),
            Vec::<String>::new()
        );
    }

    #[test]
    fn the_allowed_arrows_have_no_cycle() {
        for (index, (name, allowed)) in ARROWS.iter().enumerate() {
            for target in *allowed {
                let place = ARROWS
                    .iter()
                    .position(|(known, _)| known == target)
                    .unwrap();
                assert!(
                    place < index,
                    "{name} and {target} stand in the wrong order"
                );
            }
        }
    }

    #[test]
    fn a_forbidden_arrow_and_an_unknown_package_are_reported() {
        let metadata = json!({ "packages": [
            { "name": "overgrant-terraform", "dependencies": [
                { "name": "overgrant-rules", "kind": null },
                { "name": "overgrant-finding", "kind": "dev" },
                { "name": "serde", "kind": null },
            ] },
            { "name": "overgrant-rules", "dependencies": [] },
            { "name": "overgrant-finding", "dependencies": [] },
            { "name": "overgrant-new", "dependencies": [] },
        ] });
        let problems = arrows(&metadata);
        assert!(problems.contains(&"`terraform` must not depend on `rules`".to_owned()));
        assert!(problems.contains(&"`new` has no row among the arrows".to_owned()));
        assert!(problems.contains(&"the arrows name `cdk`, which is no package".to_owned()));
        assert!(!problems.iter().any(|problem| problem.contains("finding`")));
    }

    #[test]
    fn licence_expressions() {
        for good in [
            "MIT",
            "MIT/Apache-2.0",
            "MIT OR GPL-3.0-only",
            "(MIT OR Apache-2.0) AND Unicode-3.0",
            "Apache-2.0 WITH LLVM-exception",
            "Zlib OR Apache-2.0 OR MIT",
        ] {
            assert!(permits(good), "{good}");
        }
        for bad in [
            "",
            "GPL-3.0-only",
            "AGPL-3.0-or-later",
            "MIT AND GPL-2.0-only",
            "(MIT",
            "MIT MIT",
            "MPL-2.0",
            "OR",
            "MIT OR",
            "(GPL-2.0-only OR MPL-2.0) AND MIT",
        ] {
            assert!(!permits(bad), "{bad}");
        }
    }

    #[test]
    fn a_package_without_an_accepted_licence_is_reported() {
        let metadata = json!({ "packages": [
            { "name": "ours", "version": "1.0.0", "license": null, "source": null },
            { "name": "good", "version": "1.0.0", "license": "ISC", "source": "registry" },
            { "name": "bare", "version": "2.0.0", "license": null, "source": "registry" },
        ] });
        assert_eq!(
            licences(&metadata),
            ["`bare` 2.0.0: the licence `` is not accepted"]
        );
    }
}
