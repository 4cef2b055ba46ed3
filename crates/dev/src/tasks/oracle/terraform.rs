//! Expressions and whole projects against what Terraform made of them.
//!
//! Not for places of values. Invariant: what we call known is Terraform's, apart from what
//! `testdata/oracles/terraform/known.tsv` names with a reason.

use anyhow::{Context as _, Result, ensure};
use overgrant_source::Sources;
use overgrant_terraform::console::{self, Answer};
use overgrant_terraform::{Given, Options};
use overgrant_value::{Data, Val};
use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

/// Names of cases with the reason why our answer is another.
const KNOWN: &str = include_str!("../../../../../testdata/oracles/terraform/known.tsv");

/// What came of a comparison.
#[derive(Debug, Default)]
pub(super) struct Tally {
    pub(super) agree: usize,
    /// Known differences by reason.
    pub(super) known: BTreeMap<String, usize>,
    /// Case and difference.
    pub(super) misses: Vec<(String, String)>,
}

/// Compares a file of cases, or a folder of projects.
///
/// # Errors
/// Where something cannot be read, or a known difference is none.
pub(super) fn compare(path: &Path) -> Result<Tally> {
    let mut known = BTreeMap::new();
    for line in KNOWN.lines().skip(1) {
        let (name, reason) = line.split_once('\t').context("two cells a line")?;
        known.insert(name, reason);
    }
    let results = if path.is_dir() {
        projects(path)?
    } else {
        cases(path)?
    };
    let mut tally = Tally::default();
    for (name, miss) in results {
        match (miss, known.get(name.as_str())) {
            (None, None) => tally.agree += 1,
            (Some(_), Some(reason)) => *tally.known.entry((*reason).to_owned()).or_default() += 1,
            (Some(miss), None) => tally.misses.push((name, miss)),
            (None, Some(_)) => {
                ensure!(false, "{name} agrees: take it out of known.tsv");
            }
        }
    }
    Ok(tally)
}

type Results = Vec<(String, Option<String>)>;

fn cases(path: &Path) -> Result<Results> {
    let text = fs::read_to_string(path).with_context(|| path.display().to_string())?;
    let base = path.parent().unwrap_or(Path::new("."));
    let mut texts = Vec::new();
    let mut cases = Vec::new();
    let mut results = Vec::new();
    for line in text.lines().filter(|line| !line.trim().is_empty()) {
        let Some(case) = console::decoded(line) else {
            let name = line.split("\"id\": \"").nth(1);
            let name = name.and_then(|rest| rest.split('"').next());
            let name = name.context("a line that is no case")?;
            results.push((
                name.to_owned(),
                Some("more digits than are read".to_owned()),
            ));
            continue;
        };
        let field = |name: &str| case.get(name).and_then(|field| field.as_str());
        let id = field("id").context("a case without id")?;
        let expr = field("expr").with_context(|| format!("{id}: no expression"))?;
        if case.get("volatile").is_some() {
            continue;
        }
        texts.push((id.to_string(), expr.to_string()));
        cases.push(case);
    }
    let sources = Sources::new(base);
    let answers = console::expressions(&sources, &texts);
    for (((id, expr), case), answer) in texts.into_iter().zip(&cases).zip(&answers) {
        let miss = difference(answer, case).map(|miss| format!("{expr}\n   {miss}"));
        results.push((id, miss));
    }
    Ok(results)
}

fn difference(answer: &Result<Answer, String>, case: &Val) -> Option<String> {
    let expected = case.get("expected");
    let (answer, expected) = match (answer, expected) {
        (Err(_), None) => return None,
        (Err(message), Some(_)) => return Some(format!("ours: an error, {message}")),
        (Ok(answer), None) => {
            return Some(format!("ours: {}, Terraform: an error", shown(answer)));
        }
        (Ok(answer), Some(expected)) => (answer, expected),
    };
    // Recorded for values that hold an infinite number somewhere.
    if expected.get("special").is_some() {
        return (!infinite(&answer.val)).then(|| format!("ours: {}", shown(answer)));
    }
    let wanted = expected.get("value").map(|val| console::answer(&val));
    let Some(found) = &answer.json else {
        // What is known after apply: at least what Terraform knows before it.
        let plan = case.get("plan");
        let covered = plan
            .and_then(|plan| plan.get("value").zip(plan.get("unknown")))
            .is_some_and(|(value, unknown)| covers(&answer.val, &value, &unknown));
        return (!covered).then(|| format!("ours: {}", shown(answer)));
    };
    let ty = expected.get("type").map(|ty| console::answer(&ty));
    let same_type = ty.and_then(|ty| ty.json) == Some(answer.ty.clone());
    let wanted = wanted.and_then(|wanted| wanted.json).unwrap_or_default();
    let same = *found == wanted || same_number(found, &wanted);
    (!(same && same_type)).then(|| format!("ours: {}, Terraform: {wanted}", shown(answer)))
}

fn shown(answer: &Answer) -> String {
    let value = overgrant_value::json::to_string(&answer.val);
    format!("{} {value}", answer.ty)
}

/// Numbers beyond double precision are rounded in Terraform's JSON.
fn same_number(a: &str, b: &str) -> bool {
    match (a.parse::<f64>(), b.parse::<f64>()) {
        (Ok(a), Ok(b)) => (a - b).abs() <= a.abs() * 1e-12,
        _ => false,
    }
}

fn infinite(val: &Val) -> bool {
    match val.data() {
        Data::Num(num) => !num.is_finite(),
        Data::Seq(seq) => seq.items.iter().any(infinite),
        Data::Map(map) => map.entries.iter().any(|entry| infinite(&entry.val)),
        _ => false,
    }
}

/// Whether a value has everything that Terraform knows before apply.
fn covers(ours: &Val, value: &Val, unknown: &Val) -> bool {
    if unknown.as_bool() == Some(true) {
        return true;
    }
    match value.data() {
        Data::Seq(seq) => {
            let (items, unknown) = (ours.as_items().unwrap_or_default(), unknown.listed());
            items.len() == seq.items.len()
                && seq.items.iter().enumerate().all(|(at, item)| {
                    let none = Val::bool(false, overgrant_value::Src::none());
                    items
                        .get(at)
                        .is_some_and(|ours| covers(ours, item, unknown.get(at).unwrap_or(&none)))
                })
        }
        Data::Map(map) => map.entries.iter().all(|entry| {
            let Some(key) = entry.key.as_known() else {
                return false;
            };
            let none = Val::bool(false, overgrant_value::Src::none());
            ours.get(&key)
                .is_some_and(|ours| covers(&ours, &entry.val, &unknown.get(&key).unwrap_or(none)))
        }),
        _ => console::answer(ours).json == console::answer(value).json,
    }
}

fn projects(path: &Path) -> Result<Results> {
    let mut dirs: Vec<_> = fs::read_dir(path)?
        .map(|entry| entry.map(|entry| entry.path()))
        .collect::<std::io::Result<_>>()?;
    dirs.retain(|dir| dir.join("expected.json").is_file());
    dirs.sort();
    let mut results = Vec::new();
    for dir in dirs {
        let name = dir.file_name().unwrap_or_default().to_string_lossy();
        let read = |file: &str| -> Result<Val> {
            let path = dir.join(file);
            let text = fs::read_to_string(&path).with_context(|| path.display().to_string())?;
            console::decoded(&text).with_context(|| format!("{name}: {file} is no JSON"))
        };
        let expected = read("expected.json")?;
        let options = options(&read("args.json")?);
        let sources = Sources::new(&dir);
        let (outputs, problems) = console::outputs(&sources, &options);
        let Some(wanted) = expected.get("outputs") else {
            let miss = problems
                .is_empty()
                .then(|| "Terraform refuses this".to_owned());
            results.push((name.to_string(), miss));
            continue;
        };
        for entry in wanted.as_map().map_or(&[][..], |map| &map.entries) {
            let Some(output) = entry.key.as_known() else {
                continue;
            };
            let wanted = entry
                .val
                .get("value")
                .and_then(|val| console::answer(&val).json);
            let miss = match outputs.get(&output) {
                Some(Ok(answer)) if answer.json == wanted => None,
                Some(Ok(answer)) => Some(format!(
                    "ours: {}, Terraform: {}",
                    shown(answer),
                    wanted.unwrap_or_default()
                )),
                Some(Err(message)) => Some(format!("ours: an error, {message}")),
                None => Some("no such output".to_owned()),
            };
            results.push((format!("{name}.{output}"), miss));
        }
    }
    Ok(results)
}

/// The command line and environment of a project.
fn options(args: &Val) -> Options {
    let mut options = Options::default();
    let env = args.get("env");
    for entry in env
        .as_ref()
        .and_then(Val::as_map)
        .map_or(&[][..], |map| &map.entries)
    {
        let name = entry.key.as_known();
        let name = name
            .as_deref()
            .and_then(|name| name.strip_prefix("TF_VAR_"));
        if let (Some(name), Some(text)) = (name, entry.val.as_str()) {
            options.environment.insert(name.into(), text.to_string());
        }
    }
    let args = args
        .get("args")
        .map_or_else(Vec::new, |args| args.listed().into_vec());
    let mut args = args.iter().filter_map(Val::as_str);
    while let Some(arg) = args.next() {
        if let Some(path) = arg.strip_prefix("-var-file=") {
            options.values.push(Given::File {
                root: None,
                path: path.to_owned(),
            });
        } else if arg == "-var"
            && let Some(value) = args.next()
            && let Some((name, text)) = value.split_once('=')
        {
            options.values.push(Given::Value {
                root: None,
                name: name.into(),
                text: text.to_owned(),
            });
        }
    }
    options
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn recorded_answers_are_ours() {
        let data = Path::new(concat!(
            env!("CARGO_MANIFEST_DIR"),
            "/../../testdata/oracles/terraform"
        ));
        for (path, least) in [
            ("cases.jsonl", 980),
            ("tfvars.jsonl", 120),
            ("projects", 19),
        ] {
            let tally = compare(&data.join(path)).unwrap();
            assert_eq!(tally.misses, [], "{path}");
            assert!(tally.agree >= least, "{path}: {}", tally.agree);
        }
    }
}
