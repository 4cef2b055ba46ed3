//! The evaluator against Terraform's own answers (testdata/oracles/terraform).
//!
//! Not for places of values. Invariant: a value that we call known is Terraform's; the floor of equal
//! answers only rises.

use super::types::type_of;
use super::{Evaluator, Scope};
use crate::config::Loader;
use crate::syntax::parse_file;
use overgrant_source::Sources;
use overgrant_value::{Data, Text, Ty, Val, json};
use std::collections::BTreeMap;

const DATA: &str = concat!(
    env!("CARGO_MANIFEST_DIR"),
    "/../../testdata/oracles/terraform"
);

/// Cases with an answer of ours that is known and differs.
const WRONG: &[&str] = &[];
/// Cases with Terraform's value and type, or its refusal.
const FLOOR: usize = 935;

/// Functions whose results stay unknown: not written yet, clock, chance and secrets, the working
/// directory, bytes that are no text, and names that Terraform 1.11 does not have.
const UNSUPPORTED: &[&str] = &[
    "abspath(",
    "base64gzip(",
    "bcrypt(",
    "defaults(",
    "filebase64(\"files/bad.bin",
    "list(",
    "map(",
    "nosuch",
    "plantimestamp(",
    "provider::",
    "rsadecrypt(",
    "textencodebase64(\"hi\", \"nope",
    "timestamp(",
    "type(",
    "uuid(",
];
/// Other reasons for an open answer: what is known after apply only, and numbers without a short
/// decimal form.
const OPEN: &[&str] = &[
    "terraform_data.",
    "terraform.",
    "self.",
    "/ 3",
    "/3",
    "%g",
    "1e21",
];

#[derive(Debug, PartialEq, Eq, PartialOrd, Ord, Clone, Copy)]
enum Verdict {
    Equal,
    Open,
    Lenient,
    Wrong,
}

fn notation(ty: &Ty) -> String {
    match ty {
        Ty::Dyn => "\"dynamic\"".into(),
        Ty::Bool => "\"bool\"".into(),
        Ty::Number => "\"number\"".into(),
        Ty::String => "\"string\"".into(),
        Ty::List(of) => format!("[\"list\",{}]", notation(of)),
        Ty::Set(of) => format!("[\"set\",{}]", notation(of)),
        Ty::Map(of) => format!("[\"map\",{}]", notation(of)),
        Ty::Tuple(of) => {
            let of: Vec<String> = of.iter().map(notation).collect();
            format!("[\"tuple\",[{}]]", of.join(","))
        }
        Ty::Object(fields) => {
            let fields: Vec<String> = fields
                .iter()
                .map(|field| format!("\"{}\":{}", field.name, notation(&field.ty)))
                .collect();
            format!("[\"object\",{{{}}}]", fields.join(","))
        }
    }
}

fn compact(val: &Val) -> String {
    let mut out = String::new();
    super::text::write(val, &mut out).unwrap();
    out
}

fn sorted(val: &Val) -> Val {
    match super::super::functions::decode_json(&Text::json(val.clone())) {
        Ok(val) => val,
        Err(message) => panic!("{message}"),
    }
}

fn written(val: &Val) -> Option<String> {
    let mut out = String::new();
    super::text::write(val, &mut out)?;
    // Numbers beyond double precision are rounded in the oracle's JSON.
    Some(out)
}

fn same_number(a: &str, b: &str) -> bool {
    match (a.parse::<f64>(), b.parse::<f64>()) {
        (Ok(a), Ok(b)) => (a - b).abs() <= a.abs() * 1e-12,
        _ => false,
    }
}

fn verdict(result: &Result<Val, String>, case: &Val) -> Verdict {
    let expected = case.get("expected");
    match (result, expected) {
        (Err(_), None) => Verdict::Equal,
        (Err(_), Some(_)) => Verdict::Wrong,
        (Ok(val), None) if written(val).is_none() => Verdict::Open,
        (Ok(_), None) => Verdict::Lenient,
        (Ok(val), Some(expected)) => {
            if expected.get("special").is_some() {
                // Recorded for whole values that hold an infinite number somewhere.
                return match val.data() {
                    Data::Unknown(_) => Verdict::Open,
                    _ if compact(val).contains("Inf") => Verdict::Equal,
                    _ => Verdict::Wrong,
                };
            }
            let Some(found) = written(val) else {
                return Verdict::Open;
            };
            let wanted = compact(&sorted(&expected.get("value").unwrap()));
            let wanted_type = compact(&sorted(&expected.get("type").unwrap()));
            if (found == wanted || same_number(&found, &wanted))
                && notation(&type_of(val)) == wanted_type
            {
                Verdict::Equal
            } else {
                Verdict::Wrong
            }
        }
    }
}

#[test]
fn agrees_with_terraform() {
    let text = std::fs::read_to_string(format!("{DATA}/cases.jsonl")).unwrap();
    let sources = Sources::new(DATA);
    let loader = Loader::new(&sources);
    let evaluator = Evaluator::new(&loader, "", BTreeMap::new(), BTreeMap::new());
    let root = evaluator.root_instance();
    let mut counts: BTreeMap<Verdict, usize> = BTreeMap::new();
    let mut details = String::new();
    let mut beyond = 0;
    for line in text.lines() {
        let Ok(case) = json::parse(&Text::known(line)) else {
            // An answer with more digits than our numbers have.
            beyond += 1;
            continue;
        };
        let id = case.get("id").unwrap().as_str().unwrap();
        if case.get("volatile").is_some() {
            continue;
        }
        let expr = case.get("expr").unwrap().as_str().unwrap();
        let file = sources.add(&format!("cases/{id}.tf"), &format!("x = {expr}\n"));
        let parsed = parse_file(&file);
        let result = match parsed.diagnostics.first() {
            Some(problem) => Err(problem.message.clone()),
            None => evaluator
                .expr(&Scope::of(&root), &parsed.body.attributes[0].value)
                .map_err(|fail| fail.message),
        };
        let result = result.map(|val| {
            if evaluator.is_object(&val) {
                Val::unknown_because("whole", None)
            } else {
                val
            }
        });
        let verdict = verdict(&result, &case);
        *counts.entry(verdict).or_default() += 1;
        if verdict == Verdict::Open {
            let explained = UNSUPPORTED
                .iter()
                .chain(OPEN)
                .any(|name| expr.contains(name));
            assert!(
                explained,
                "{id}: {expr} is open for no reason that is named"
            );
        }
        if verdict != Verdict::Equal {
            let shown = match &result {
                Ok(val) => format!("{} {}", notation(&type_of(val)), json::to_string(val)),
                Err(message) => format!("error {message}"),
            };
            let wanted = case
                .get("expected")
                .or_else(|| case.get("error"))
                .map_or_else(String::new, |val| json::to_string(&val));
            details.push_str(&format!(
                "{verdict:?} {id}: {expr}\n   ours: {shown}\n   terraform: {wanted}\n"
            ));
        }
    }
    println!("{counts:?} beyond {beyond}\n{details}");
    // All wrong ones would be cases that Terraform accepts; none is left but those named here.
    let wrong: Vec<&str> = details
        .lines()
        .filter_map(|line| line.strip_prefix("Wrong "))
        .filter_map(|line| line.split(':').next())
        .collect();
    assert_eq!(wrong, WRONG, "{details}");
    assert!(counts[&Verdict::Equal] >= FLOOR, "{counts:?}");
}

/// Projects whose outputs need a command line or an environment.
const NOT_RUN: &[&str] = &["workspace_and_path"];

/// Outputs of ours that differ: an id that AWS makes up stays a symbol, and a file that is only in the
/// module's own directory is read from there.
const DIFFERING: &[&str] = &["count_foreach_unknown.o", "file_relative_is_cwd.o"];

/// A value with every module in it as an object of its outputs.
fn whole(evaluator: &Evaluator<'_>, val: &Val) -> Val {
    let val = evaluator.materialise(val);
    let data = match val.data() {
        Data::Seq(seq) => Data::Seq(overgrant_value::Seq {
            items: seq
                .items
                .iter()
                .map(|item| whole(evaluator, item))
                .collect(),
            ..seq.clone()
        }),
        Data::Map(map) => {
            let mut map = map.clone();
            for entry in &mut map.entries {
                entry.val = whole(evaluator, &entry.val);
            }
            Data::Map(map)
        }
        _ => return val,
    };
    Val::new(data, val.src().clone())
}

#[test]
fn outputs_of_whole_projects_are_terraforms() {
    let mut equal = 0;
    let mut differing = Vec::new();
    for entry in std::fs::read_dir(format!("{DATA}/projects")).unwrap() {
        let dir = entry.unwrap().path();
        let name = dir.file_name().unwrap().to_str().unwrap().to_owned();
        let read = |file: &str| {
            let text = std::fs::read_to_string(dir.join(file)).unwrap_or_default();
            json::parse(&Text::known(&text)).ok()
        };
        let plain = read("args.json").is_some_and(|args| {
            let none = |name: &str| {
                args.get(name)
                    .is_none_or(|val| ["[]", "{}"].contains(&json::to_string(&val).as_str()))
            };
            none("args") && none("env")
        });
        let Some(outputs) = read("expected.json").and_then(|expected| expected.get("outputs"))
        else {
            continue;
        };
        if !plain || NOT_RUN.contains(&name.as_str()) {
            continue;
        }
        let sources = Sources::new(&dir);
        let loader = Loader::new(&sources);
        let given = crate::roots::given_by_files(&sources, &loader.module(""));
        let evaluator = Evaluator::new(&loader, "", given, BTreeMap::new());
        let root = evaluator.root_instance();
        for entry in &outputs.as_map().unwrap().entries {
            let output = entry.key.as_known().unwrap();
            let span = root.module.outputs[&output].header;
            let val = evaluator
                .output(&root, &output, span)
                .map(|val| whole(&evaluator, &val));
            let found = val.as_ref().ok().and_then(written);
            let wanted = compact(&sorted(&entry.val.get("value").unwrap()));
            if found.as_deref() == Some(wanted.as_str()) {
                equal += 1;
            } else {
                differing.push(format!("{name}.{output}"));
                let shown = val.as_ref().map(json::to_string);
                println!("{name}.{output}\n   {shown:?}\n   {wanted}");
            }
        }
    }
    differing.sort();
    assert_eq!(differing, DIFFERING);
    assert!(equal >= 10, "{equal}");
    println!("{equal} equal outputs");
}
