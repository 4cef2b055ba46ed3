//! Inputs made to take all time or memory end soon, with words.
//!
//! Invariant tested: every limit gives a diagnostic or an unknown value, and what stands beside the
//! hostile part is still evaluated.

use super::{find, run};
use crate::{Options, evaluate};
use overgrant_source::Sources;
use std::fmt::Write as _;
use std::time::{Duration, Instant};

/// A good resource, which must be found whatever stands beside it.
const GOOD: &str = "resource \"aws_iam_policy\" \"good\" {\n  name = \"good\"\n}\n";
/// Far more than any case takes, far less than one without its limit.
const SOON: Duration = Duration::from_secs(30);

/// A queue whose name is an expression, with locals.
fn queue(locals: &str, name: &str) -> String {
    format!("locals {{\n{locals}\n}}\nresource \"aws_sqs_queue\" \"q\" {{\n  name = {name}\n}}\n")
}

/// `l0`, and `count` more locals that are each made of the one before.
fn chain(first: &str, count: usize, next: impl Fn(&str) -> String) -> String {
    let mut text = format!("  l0 = {first}\n");
    for n in 1..=count {
        let _ = writeln!(text, "  l{n} = {}", next(&format!("local.l{}", n - 1)));
    }
    text
}

fn text_of(bytes: usize) -> String {
    format!("\"{}\"", "x".repeat(bytes))
}

/// Name, configuration and a part of what is said.
fn cases() -> Vec<(&'static str, String, &'static str)> {
    let doubled = |with: &str| {
        let with = with.to_owned();
        move |last: &str| with.replace('_', last)
    };
    vec![
        (
            "nested loops",
            queue(
                "  x = [for a in range(1000) : [for b in range(1000) : [for c in range(1000) : a]]]",
                "local.x",
            ),
            "too many steps",
        ),
        (
            "a loop over many",
            queue(
                "  s = split(\"\", join(\"\", [for a in range(1000) : \"0123456789012345678901234567890123456789012345678901234567890123456789012345678901234567890123456789012345\"]))",
                "[for c in local.s : c]",
            ),
            "too many members",
        ),
        (
            "count",
            "resource \"aws_sqs_queue\" \"q\" {\n  count = 100000000\n}\n".into(),
            "more than 1000 instances",
        ),
        (
            "for_each",
            "resource \"aws_sqs_queue\" \"q\" {\n  for_each = toset([for p in setproduct(range(50), range(50)) : join(\"-\", p)])\n}\n".into(),
            "more than 1000 instances",
        ),
        (
            "resources",
            (0..12)
                .map(|n| format!("resource \"aws_sqs_queue\" \"q{n}\" {{\n  count = 900\n}}\n"))
                .collect(),
            "more than 5000 resource instances",
        ),
        (
            "doubled templates",
            queue(&chain("\"xxxxxxxxxx\"", 60, doubled("\"${_}${_}\"")), "local.l60"),
            "too large",
        ),
        (
            "doubled joins",
            queue(&chain(&text_of(1000), 40, doubled("join(\"\", [_, _])")), "local.l40"),
            "too large",
        ),
        (
            "a long separator",
            queue(
                &format!("  s = {}\n", text_of(50_000)),
                "join(local.s, range(1000))",
            ),
            "too large",
        ),
        (
            "replaced letters",
            queue(&chain(&text_of(5000), 8, doubled("replace(_, \"x\", _)")), "local.l8"),
            "too large",
        ),
        (
            "replaced by a pattern",
            queue(&chain(&text_of(5000), 8, doubled("replace(_, \"/x/\", _)")), "local.l8"),
            "too large",
        ),
        (
            "replaced nothings",
            queue(&chain(&text_of(5000), 8, doubled("replace(_, \"\", _)")), "local.l8"),
            "too large",
        ),
        (
            "indented lines",
            queue("  t = join(\"\\n\", range(1000))", "indent(10000, local.t)"),
            "too large",
        ),
        (
            "padded formats",
            queue(
                "  t = [for n in range(1000) : format(\"%100000s\", n)]",
                "join(\"\", local.t)",
            ),
            "too large",
        ),
        (
            "doubled lists",
            queue(&chain("[1]", 60, doubled("concat(_, _)")), "local.l60"),
            "too many members",
        ),
        (
            "a product of sets",
            queue("  r = range(1000)", "length(setproduct(local.r, local.r, local.r))"),
            "too many members",
        ),
        (
            "all matches of nothing",
            queue(&chain(&text_of(1000), 8, doubled("\"${_}${_}\"")), "regexall(\"\", local.l8)"),
            "too many members",
        ),
        (
            "shared members",
            queue(
                &chain("[1]", 60, doubled("[_, _]")),
                "jsonencode(local.l60)",
            ),
            "too large",
        ),
        (
            "shared attributes",
            queue(
                &chain("{a = 1}", 60, doubled("{ a = _, b = _ }")),
                "jsonencode(local.l60)",
            ),
            "too large",
        ),
        (
            "nested members",
            queue(&chain("[1]", 300, doubled("[_]")), "jsonencode(local.l300)"),
            "nested too deeply",
        ),
        (
            "a long chain",
            queue(&chain("1", 5000, doubled("_")), "local.l5000"),
            "too deeply",
        ),
        (
            "work on a large value",
            queue(
                "  big = [for p in setproduct(range(100), range(100)) : p]",
                "[for n in range(1000) : length(jsonencode(local.big))]",
            ),
            "too many steps",
        ),
        (
            "an alias bomb in YAML",
            {
                let mut yaml = String::from("a0: &a0 [x, x, x, x]\n");
                for n in 1..22 {
                    let last = n - 1;
                    let _ = writeln!(yaml, "a{n}: &a{n} [*a{last}, *a{last}, *a{last}, *a{last}]");
                }
                format!(
                    "resource \"aws_sqs_queue\" \"q\" {{\n  name = yamldecode(<<EOT\n{yaml}EOT\n  )\n}}\n"
                )
            },
            "yamldecode",
        ),
        (
            "deep YAML",
            queue("", &format!("yamldecode(\"{}\")", "[".repeat(5000))),
            "yamldecode",
        ),
        (
            "deep JSON",
            queue("", &format!("jsondecode(\"{}\")", "[".repeat(5000))),
            "jsondecode",
        ),
        (
            "a large pattern",
            queue("", "regexall(\"(((a{100}){100}){100}){100}\", \"a\")"),
            "too large",
        ),
        (
            "a range",
            queue("", "range(100000)"),
            "1024",
        ),
        (
            "brackets",
            queue("", &format!("{}1{}", "[".repeat(20_000), "]".repeat(20_000))),
            "deep",
        ),
        (
            "negations",
            queue("", &format!("{}true", "!".repeat(20_000))),
            "deep",
        ),
        (
            "nested templates",
            queue("", &format!("{}1{}", "\"${".repeat(5_000), "}\"".repeat(5_000))),
            "deep",
        ),
        (
            "a byte of zero",
            "resource \"aws_sqs_queue\" \"q\" {\n  name = \0\n}\n".into(),
            "not valid",
        ),
        (
            "circles",
            queue("  a = local.b\n  b = local.a\n", "local.a"),
            "circle",
        ),
    ]
}

#[test]
fn one_file_cannot_take_all() {
    for (name, text, words) in cases() {
        let start = Instant::now();
        let (_, output) = run(&[("main.tf", &text), ("good.tf", GOOD)]);
        assert!(start.elapsed() < SOON, "{name}: {:?}", start.elapsed());
        let said: Vec<&str> = output
            .diagnostics
            .iter()
            .map(|d| d.message.as_str())
            .collect();
        assert!(said.iter().any(|m| m.contains(words)), "{name}: {said:?}");
        let shown = find(&output, "aws_iam_policy.good").get("name").unwrap();
        // The budget of steps is the root's; other limits cost what met them.
        if words != "too many steps" && words != "more than 5000 resource instances" {
            assert_eq!(shown.as_str().as_deref(), Some("good"), "{name}");
        }
        assert!(output.resources.len() <= 5_000, "{name}");
    }
}

/// Calls of the module `to` from a module, each twice.
fn calls(to: &str, more: &str) -> String {
    format!(
        "module \"a\" {{\n  source = \"{to}\"\n{more}}}\nmodule \"b\" {{\n  source = \"{to}\"\n{more}}}\n"
    )
}

/// Name, files and a part of what is said.
type Tree<'t> = (&'t str, Vec<(&'t str, &'t str)>, &'t str);

#[test]
fn modules_cannot_multiply_without_end() {
    // Forty levels, two calls in each: 2^40 instances, and deeper than modules go.
    let levels: Vec<(String, String)> = (0..40)
        .map(|n| {
            (
                format!("m{n}/main.tf"),
                calls(&format!("../m{}", n + 1), ""),
            )
        })
        .collect();
    let mut tree: Vec<(&str, &str)> = vec![("main.tf", GOOD), ("m40/main.tf", GOOD)];
    tree.extend(
        levels
            .iter()
            .map(|(path, text)| (path.as_str(), text.as_str())),
    );
    let again = format!("{}{GOOD}", calls("./", ""));
    let fan = calls("./m", "  count = 1000\n");
    let inner = format!("{}{GOOD}", calls("./m", "  count = 1000\n"));
    let cases: [Tree<'_>; 3] = [
        ("levels", tree, "too many module instances"),
        ("itself", vec![("main.tf", &again)], "leads back to itself"),
        (
            "fans",
            vec![
                ("main.tf", &fan),
                ("m/main.tf", &inner),
                ("m/m/main.tf", &inner),
                ("m/m/m/main.tf", GOOD),
            ],
            "too many module instances",
        ),
    ];
    for (name, files, words) in cases {
        let start = Instant::now();
        let (_, output) = run(&files);
        assert!(start.elapsed() < SOON, "{name}: {:?}", start.elapsed());
        let said: Vec<&str> = output
            .diagnostics
            .iter()
            .map(|d| d.message.as_str())
            .collect();
        assert!(said.iter().any(|m| m.contains(words)), "{name}: {said:?}");
        assert!(!output.resources.is_empty(), "{name}");
    }
}

#[test]
fn a_template_cannot_render_itself_without_end() {
    let main = "resource \"aws_sqs_queue\" \"q\" {\n  name = templatefile(\"t.tftpl\", {})\n}\n";
    let template = "a${templatefile(\"t.tftpl\", {})}${templatefile(\"t.tftpl\", {})}";
    let (_, output) = run(&[("main.tf", main), ("t.tftpl", template)]);
    assert!(
        output
            .diagnostics
            .iter()
            .any(|d| d.message.contains("too deeply")),
        "{:?}",
        output.diagnostics
    );
}

#[cfg(unix)]
#[test]
fn files_outside_pipes_and_large_files_are_not_read() {
    let outside = tempfile::tempdir().unwrap();
    std::fs::write(outside.path().join("secret.txt"), "hush").unwrap();
    let base = tempfile::tempdir().unwrap();
    std::os::unix::fs::symlink(
        outside.path().join("secret.txt"),
        base.path().join("link.txt"),
    )
    .unwrap();
    std::fs::write(base.path().join("large.txt"), "x".repeat(5 << 20)).unwrap();
    let pipe = std::process::Command::new("mkfifo")
        .arg(base.path().join("pipe"))
        .status()
        .unwrap();
    assert!(pipe.success());
    let name = outside.path().file_name().unwrap().to_str().unwrap();
    let up = format!("../{name}/secret.txt");
    for (path, words) in [
        ("/etc/hostname", "inside the base"),
        (up.as_str(), "outside the base"),
        ("~/.ssh/id_rsa", "inside the base"),
        ("link.txt", "outside the base"),
        ("large.txt", "too large"),
        ("pipe", "not a file"),
    ] {
        let text = format!("resource \"aws_sqs_queue\" \"q\" {{\n  name = file(\"{path}\")\n}}\n");
        std::fs::write(base.path().join("main.tf"), text).unwrap();
        let sources = Sources::new(base.path());
        let output = evaluate(&sources, &[String::new()], &Options::default());
        let said: Vec<&str> = output
            .diagnostics
            .iter()
            .map(|d| d.message.as_str())
            .collect();
        assert!(said.iter().any(|m| m.contains(words)), "{path}: {said:?}");
        let shown = find(&output, "aws_sqs_queue.q").get("name").unwrap();
        assert!(
            shown.is_unknown() || shown.to_text().is_some_and(|t| !t.is_known()),
            "{path}"
        );
    }
}
