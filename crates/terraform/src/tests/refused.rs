//! What Terraform refuses: told at its place, and it costs no more than that place.

use super::{addresses, find, policy, run};

#[test]
fn a_name_that_is_not_declared_costs_the_place_where_it_stands() {
    let text = r#"
module "m" { source = "./m" }
locals { part = "${local.gone}-x" }
resource "aws_iam_policy" "p" {
  policy = jsonencode({ Statement = [{
    Effect   = "Allow"
    Action   = "s3:*"
    Resource = [local.gone.arn, var.gone, module.m.gone, module.gone.arn, aws_sqs_queue.gone.arn, each.key, local.part]
  }] })
}
ephemeral "aws_secretsmanager_secret_version" "s" { secret_id = "s" }
resource "aws_iam_policy" "e" {
  name   = try(local.gone, "never")
  policy = jsonencode({ Id = ephemeral.aws_secretsmanager_secret_version.s.secret_string })
}
"#;
    let (sources, output) = run(&[("main.tf", text), ("m/main.tf", "output \"arn\" {}\n")]);
    let told: Vec<String> = output
        .diagnostics
        .iter()
        .map(|told| sources.slice(told.span.unwrap()))
        .collect();
    assert_eq!(
        told,
        [
            "local.gone",
            "local.gone",
            "var.gone",
            ".gone",
            "module.gone",
            "aws_sqs_queue.gone",
            "each",
            "local.gone",
        ]
    );
    let document = policy(&find(&output, "aws_iam_policy.p").get("policy").unwrap());
    let statement = document.get("Statement").unwrap().listed().remove(0);
    assert_eq!(statement.get("Action").unwrap().as_str().unwrap(), "s3:*");
    let resources = statement.get("Resource").unwrap().listed();
    assert_eq!(resources.len(), 7);
    assert!(resources[..6].iter().all(overgrant_value::Val::is_unknown));
    // `try` does not catch it.
    assert!(
        find(&output, "aws_iam_policy.e")
            .get("name")
            .unwrap()
            .is_unknown()
    );
}

#[test]
fn an_override_of_nothing_is_told_and_counts() {
    let main =
        "resource \"aws_iam_policy\" \"p\" { name = \"a\" }\nvariable \"v\" {}\nlocals { a = 1 }\n";
    let over = r#"resource "aws_iam_policy" "p" { name = "b" }
resource "aws_iam_policy" "q" { name = "c" }
variable "v" { default = 1 }
variable "w" {}
locals {
  a = 2
  b = 3
}
output "o" { value = 1 }
module "m" { source = "./m" }
provider "aws" { region = "eu-west-1" }
"#;
    let files = [
        ("main.tf", main),
        ("a_override.tf", over),
        ("m/main.tf", ""),
    ];
    let (sources, output) = run(&files);
    let told: Vec<String> = output
        .diagnostics
        .iter()
        .filter(|told| told.code == "overrides-nothing")
        .map(|told| sources.slice(told.span.unwrap()))
        .collect();
    assert_eq!(
        told,
        [
            "resource \"aws_iam_policy\" \"q\"",
            "variable \"w\"",
            "b",
            "output \"o\"",
            "module \"m\"",
        ]
    );
    let names = ["p", "q"].map(|name| {
        let resource = find(&output, &format!("aws_iam_policy.{name}"));
        resource.get("name").unwrap().as_str().unwrap().to_string()
    });
    assert_eq!(names, ["b", "c"], "{:?}", addresses(&output));
}

#[test]
fn a_default_that_cannot_be_taken_is_open_and_costs_no_text() {
    let text = r#"
variable "stage" {
  type    = string
  default = null
}
locals { bucket = var.stage }
module "m" {
  source = "./m"
  name   = null
}
resource "aws_iam_policy" "p" {
  name        = "${var.stage}-p"
  description = "x-${local.bucket}"
  path        = module.m.path
}
"#;
    let inner = "variable \"name\" {}\noutput \"path\" { value = \"/${var.name}/\" }\n";
    let (_, output) = run(&[("main.tf", text), ("m/main.tf", inner)]);
    let shown = |name: &str| super::shown(&output, "aws_iam_policy.p", name);
    assert_eq!(shown("name"), "${stage}-p");
    assert_eq!(
        shown("description"),
        "x-${a variable whose default is null}"
    );
    // A null that a module is given is Terraform's error and ours.
    let told: Vec<&str> = output
        .diagnostics
        .iter()
        .map(|d| d.message.as_str())
        .collect();
    assert_eq!(
        told,
        ["a null cannot be part of a text; what depends on it is taken as unknown"]
    );
}

#[test]
fn the_digest_of_a_file_that_is_no_text_is_open_and_no_error() {
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(dir.path().join("code.zip"), [0xff_u8, 0xfe, 0]).unwrap();
    let text = "resource \"aws_iam_policy\" \"p\" {\n  name = try(filebase64sha256(\"code.zip\"), \"none\")\n  path = filemd5(\"code.zip\")\n}\n";
    std::fs::write(dir.path().join("main.tf"), text).unwrap();
    let sources = overgrant_source::Sources::new(dir.path());
    let output = crate::evaluate(&sources, &[String::new()], &crate::Options::default());
    assert!(output.diagnostics.is_empty(), "{:?}", output.diagnostics);
    for name in ["name", "path"] {
        assert!(
            find(&output, "aws_iam_policy.p")
                .get(name)
                .unwrap()
                .is_unknown()
        );
    }
}

#[test]
fn arguments_of_modules_are_those_that_are_declared() {
    let text = r#"
module "a" {
  source    = "./m"
  version   = "1"
  count     = 2
  providers = {}
  name      = "x"
  nmae      = "y"
}
module "b" {
  source   = "./m"
  optional = 1
}
module "c" {
  source = "./broken"
  what   = 1
}
module "d" {
  source = "./none"
  what   = 1
}
"#;
    let inner = "variable \"name\" {}\nvariable \"optional\" { default = null }\nmodule \"x\" {\n  source = \"../n\"\n  p = 1\n}\n";
    let files = [
        ("main.tf", text),
        ("m/main.tf", inner),
        ("n/main.tf", "resource \"aws_iam_role\" \"r\" {}\n"),
        ("broken/main.tf", "variable \"what {}\n"),
    ];
    let (sources, output) = run(&files);
    let told: Vec<(String, &str)> = output
        .diagnostics
        .iter()
        .filter(|told| told.code == "module-argument")
        .map(|told| (sources.slice(told.span.unwrap()), told.message.as_str()))
        .collect();
    let refused = |name: &str, argument: &str| {
        format!(
            "module.{name} has no variable `{argument}`, and Terraform refuses this argument; declare the variable in the module, or take the argument out"
        )
    };
    assert_eq!(
        told,
        [
            ("p".to_owned(), refused("x", "p").as_str()),
            ("nmae".to_owned(), refused("a", "nmae").as_str()),
            (
                "module \"b\"".to_owned(),
                "module.b needs the argument `name`, whose variable has no default; give it one"
            ),
        ]
    );
}

#[test]
fn local_values_that_refer_to_themselves_are_told_once() {
    let text = r#"
locals {
  a    = "${local.b}-x"
  b    = true ? [local.c] : []
  c    = local.a
  own  = { (local.own) = 1 }
  uses = local.a
  each = [for local in [{ each = 1 }] : local.each]
}
resource "aws_iam_policy" "p" {
  name = local.uses
  path = "/${local.each[0]}/"
}
"#;
    let (sources, output) = run(&[("main.tf", text)]);
    let told: Vec<(String, &str)> = output
        .diagnostics
        .iter()
        .map(|told| (sources.slice(told.span.unwrap()), told.message.as_str()))
        .collect();
    assert_eq!(
        told,
        [
            (
                "a".to_owned(),
                "`local.a` refers to itself in a circle through `local.b`, `local.c`; take one of the references out"
            ),
            (
                "own".to_owned(),
                "`local.own` refers to itself in a circle; take one of the references out"
            ),
        ]
    );
    assert!(
        find(&output, "aws_iam_policy.p")
            .get("name")
            .unwrap()
            .is_unknown()
    );
    assert_eq!(super::shown(&output, "aws_iam_policy.p", "path"), "/1/");
}
