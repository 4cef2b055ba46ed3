//! Every data source of the surface table, row by row.
//!
//! Invariant tested: an argument reads back as it is written; an attribute is what follows from the
//! arguments, or a symbol that names it. No reference is an error.

use super::{find, run};
use overgrant_value::{Data, Sym, Val, json};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

const TABLE: &str = include_str!("../../../../testdata/surface/terraform_data_sources.tsv");

/// Data sources whose results follow from more than plain texts: their arguments.
const WRITTEN: &[(&str, &str)] = &[
    ("aws_region", ""),
    ("aws_arn", "arn = \"arn:aws:iam::111122223333:role/r\""),
    ("aws_iam_policy", "name = \"ReadOnlyAccess\""),
    ("aws_service_principal", "service_name = \"s3\""),
    (
        "aws_iam_session_context",
        "arn = \"arn:aws:iam::111122223333:user/u\"",
    ),
    ("aws_iam_policy_document", DOCUMENT),
    ("aws_iam_policy_documents", DOCUMENT),
];

const DOCUMENT: &str = "statement {\n    actions   = [\"s3:Get*\"]\n    resources = [\"*\"]\n  }";
const STATEMENT: &str = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:Get*","Resource":"*"}]}"#;

/// What follows from the arguments, or is a symbol that all formats share.
fn known(source: &str, attribute: &str) -> Option<String> {
    let value = match (source, attribute) {
        ("aws_caller_identity", "account_id" | "id") => "${the account id}",
        ("aws_partition", "partition" | "id") => "${the partition}",
        ("aws_partition", "dns_suffix") => "${the DNS suffix}",
        ("aws_partition", "reverse_dns_prefix") => "com.amazonaws",
        ("aws_region", "id" | "name" | "region") => "${the region}",
        ("aws_arn", "partition") => "aws",
        ("aws_arn", "service") => "iam",
        ("aws_arn", "region") => "",
        ("aws_arn", "account") => "111122223333",
        ("aws_arn", "resource") => "role/r",
        ("aws_service_principal", "name") => "s3.amazonaws.com",
        ("aws_service_principal", "id") => "s3.${the region}.amazonaws.com",
        ("aws_service_principal", "suffix") => "amazonaws.com",
        ("aws_iam_session_context", "issuer_arn") => "arn:aws:iam::111122223333:user/u",
        ("aws_iam_policy", "id") => "arn:${the partition}:iam::aws:policy/ReadOnlyAccess",
        ("aws_iam_policy_document", "json" | "minified_json") => return Some(STATEMENT.into()),
        ("aws_iam_policy_documents", "json" | "minified_json") => {
            return Some(format!("[{STATEMENT}]"));
        }
        _ => return None,
    };
    Some(format!("\"{value}\""))
}

fn shown(val: &Val) -> String {
    match val.data() {
        Data::Str(text) if let Some(document) = text.as_json() => json::to_string(document),
        Data::Seq(seq) => {
            let items: Vec<String> = seq.items.iter().map(shown).collect();
            format!("[{}]", items.join(","))
        }
        _ => json::to_string(val),
    }
}

#[test]
fn every_row_is_a_value_or_a_symbol() {
    let mut arguments: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    let mut rows = Vec::new();
    for line in TABLE.lines().skip(1) {
        let cells: Vec<&str> = line.split('\t').collect();
        let [source, path, role, ty] = cells[..] else {
            panic!("{line}")
        };
        if source.contains("::") || path.contains(['.', '[', '(']) {
            continue;
        }
        if role == "argument" && ty == "string" && !WRITTEN.iter().any(|(of, _)| *of == source) {
            arguments.entry(source).or_default().insert(path);
        }
        rows.push((source, path, role));
    }
    let sources: BTreeSet<&str> = rows.iter().map(|(source, ..)| *source).collect();
    let mut text = String::new();
    for source in &sources {
        let _ = writeln!(text, "data \"{source}\" \"d\" {{");
        for name in arguments.get(source).into_iter().flatten() {
            let _ = writeln!(text, "  {name} = \"v-{name}\"");
        }
        for (_, written) in WRITTEN.iter().filter(|(of, _)| of == source) {
            let _ = writeln!(text, "  {written}");
        }
        text.push_str("}\n");
    }
    for (at, (source, path, _)) in rows.iter().enumerate() {
        let _ = writeln!(
            text,
            "resource \"aws_iam_policy\" \"q{at}\" {{\n  name = data.{source}.d.{path}\n}}"
        );
    }
    let (_, output) = run(&[("main.tf", &text)]);
    assert!(output.diagnostics.is_empty(), "{:?}", output.diagnostics);
    assert!(rows.len() > 450, "{}", rows.len());
    for (at, (source, path, role)) in rows.iter().enumerate() {
        let found = find(&output, &format!("aws_iam_policy.q{at}"))
            .attrs
            .get("name")
            .unwrap();
        let name = format!("{source}.{path}");
        let is_argument = arguments
            .get(source)
            .is_some_and(|names| names.contains(path));
        if let Some(wanted) = known(source, path) {
            assert_eq!(shown(&found), wanted, "{name}");
        } else if is_argument {
            assert_eq!(shown(&found), format!("\"v-{path}\""), "{name}");
        } else if *role == "attribute" {
            let own = format!("data.{source}.d");
            let symbol = matches!(found.data(), Data::Unknown(unknown)
                if matches!(&unknown.sym, Sym::Data { addr, path: of, .. } if *addr == own && of == path));
            // An ARN or id of the thing that is looked up.
            let identity = found.to_text().is_some_and(|text| !text.is_empty());
            assert!(symbol || identity, "{name}: {}", shown(&found));
        }
    }
}

#[test]
fn the_providers_tags_are_the_default_tags() {
    let text = r#"provider "aws" {
  default_tags { tags = { team = "a" } }
}
data "aws_default_tags" "d" {}
resource "aws_iam_policy" "p" { name = data.aws_default_tags.d.tags["team"] }
"#;
    let (_, output) = run(&[("main.tf", text)]);
    assert_eq!(super::shown(&output, "aws_iam_policy.p", "name"), "a");
}

#[test]
fn newer_conversions_and_long_lists_of_documents() {
    let long = "statement {\n    actions   = [for n in range(900) : \"s3:Get${n}\"]\n    resources = [\"*\"]\n  }";
    let text = format!(
        "data \"aws_iam_policy_documents\" \"d\" {{\n  {long}\n}}\nresource \"aws_iam_policy\" \"p\" {{\n  name = jsonencode([convert([1, 2], set(string)), length(data.aws_iam_policy_documents.d.json)])\n}}\n"
    );
    let (_, output) = run(&[("main.tf", &text)]);
    assert!(output.diagnostics.is_empty(), "{:?}", output.diagnostics);
    let shown = shown(&find(&output, "aws_iam_policy.p").get("name").unwrap());
    assert!(
        shown.starts_with("[[\"1\",\"2\"],${"),
        "the number of documents is open: {shown}"
    );
}

#[test]
fn a_placeholder_is_not_in_what_aws_makes_up() {
    let text = r#"resource "aws_s3_bucket" "b" {}
resource "aws_s3_directory_bucket" "d" {}
variable "v" { type = string }
locals {
  policy = jsonencode({ Resource = ["${aws_s3_bucket.b.arn}/_ID_*", "${aws_s3_bucket.b.arn}/*", "${var.v}/*"] })
}
resource "aws_iam_policy" "p" { name = replace(local.policy, "_ID_", "x") }
resource "aws_iam_policy" "open" { name = replace("a/_ID_/b", "_ID_", aws_s3_directory_bucket.d.arn) }
resource "aws_iam_policy" "unread" { name = replace(aws_s3_directory_bucket.d.location, "_ID_", "x") }
"#;
    let (_, output) = run(&[("main.tf", text)]);
    let val = find(&output, "aws_iam_policy.p").get("name").unwrap();
    let arn = "arn:${the partition}:s3:::${aws_s3_bucket.b.name}";
    let shown = shown(&val);
    assert!(
        shown.starts_with(&format!("{{\"Resource\":[\"{arn}/x*\",\"{arn}/*\",")),
        "{shown}"
    );
    assert!(shown.contains("replace"), "a variable may hold it: {shown}");
    let name = |address| find(&output, address).get("name").unwrap();
    let shown = super::shown(&output, "aws_iam_policy.open", "name");
    assert_eq!(shown, "a/${aws_s3_directory_bucket.d.arn}/b");
    assert!(name("aws_iam_policy.unread").is_unknown());
}

#[test]
fn the_service_of_an_arn_is_found_around_open_parts() {
    let text = r#"resource "aws_sqs_queue" "q" {}
variable "v" { type = string }
locals {
  sources = { queue = aws_sqs_queue.q.arn }
  found   = { for service in ["sqs", "kinesis"] : service => [
    for arn in values(local.sources) : arn if length(regexall(".*:${service}:.*", arn)) > 0
  ] }
}
resource "aws_iam_policy" "p" { name = "${length(local.found.sqs)}/${length(local.found.kinesis)}" }
resource "aws_iam_policy" "open" { name = length(regexall(".*:sqs:.*", "${var.v}/x")) }
resource "aws_iam_policy" "other" { name = length(regexall("q+", aws_sqs_queue.q.arn)) }
"#;
    let (_, output) = run(&[("main.tf", text)]);
    assert_eq!(super::shown(&output, "aws_iam_policy.p", "name"), "1/0");
    for address in ["aws_iam_policy.open", "aws_iam_policy.other"] {
        assert!(
            find(&output, address).get("name").unwrap().is_unknown(),
            "{address}"
        );
    }
}
