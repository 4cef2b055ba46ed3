//! Loops over collections of which some members may be missing.
//!
//! Invariant tested: what is known of the other members stays, and a member that may be missing is
//! never taken for one that is there.

use super::{addresses, find, policy, run, shown};
use overgrant_value::{Marks, Val};

fn maybe(val: &Val) -> bool {
    val.marks().has(Marks::MAYBE)
}

#[test]
fn a_member_that_may_be_missing_leaves_the_others_as_they_are() {
    let text = r#"
variable "target" {}
locals {
  actions = {
    sqs    = ["sqs:SendMessage"]
    lambda = ["lambda:InvokeFunction"]
    sns    = ["sns:Publish"]
    logs   = ["logs:PutLogEvents"]
  }
  arns = {
    sqs    = ["arn:aws:sqs:eu-west-1:111122223333:q"]
    lambda = [for arn in ["arn:aws:lambda:eu-west-1:111122223333:function:f"] : arn if arn == var.target]
    sns    = [for arn in ["arn:aws:sns:eu-west-1:111122223333:t"] : arn if arn == var.target]
    logs   = []
  }
}
data "aws_iam_policy_document" "d" {
  dynamic "statement" {
    for_each = { for service, arns in local.arns : service => arns if length(arns) > 0 }
    content {
      sid       = statement.key
      actions   = local.actions[statement.key]
      resources = tolist(statement.value)
    }
  }
}
resource "aws_iam_policy" "p" { policy = data.aws_iam_policy_document.d.json }
"#;
    let (_, output) = run(&[("main.tf", text)]);
    assert!(output.diagnostics.is_empty(), "{:?}", output.diagnostics);
    let document = policy(&find(&output, "aws_iam_policy.p").get("policy").unwrap());
    let statements = document.get("Statement").unwrap().listed();
    let told: Vec<(String, String, bool)> = statements
        .iter()
        .map(|statement| {
            let text = |name: &str| statement.get(name).unwrap().as_str().unwrap().to_string();
            (text("Sid"), text("Action"), maybe(statement))
        })
        .collect();
    let wanted = [
        ("lambda", "lambda:InvokeFunction", true),
        ("sns", "sns:Publish", true),
        ("sqs", "sqs:SendMessage", false),
    ];
    assert_eq!(
        told,
        wanted.map(|(sid, action, maybe)| (sid.to_owned(), action.to_owned(), maybe))
    );
    // The list of which all members may be missing is no list of one text.
    let open = statements[0].get("Resource").unwrap();
    assert!(maybe(&open));
    assert_eq!(open.as_items().unwrap().len(), 1);
    assert!(statements[2].get("Resource").unwrap().as_str().is_some());
}

#[test]
fn instances_whose_keys_are_known_are_told_apart() {
    let text = r#"
variable "on" {}
variable "more" { type = map(string) }
locals {
  all = { a = "s3:Get*", b = "s3:*" }
  some = { for name, action in local.all : name => action if contains(var.on, name) }
}
resource "aws_iam_policy" "p" {
  for_each = local.some
  policy   = jsonencode({ Statement = [{ Effect = "Allow", Action = each.value, Resource = "*" }] })
}
resource "aws_iam_policy" "q" {
  for_each = merge({ for name, arn in var.more : name => "s3:List*" }, { a = "s3:Put*" })
  name     = each.key
  policy   = jsonencode({ Statement = [{ Effect = "Allow", Action = each.value, Resource = "*" }] })
}
resource "aws_iam_policy" "count" {
  name   = "n"
  policy = jsonencode({
    Statement = [{ Effect = "Allow", Action = "s3:*", Resource = "*" }]
    Id        = length(aws_iam_policy.p) == 2 ? "two" : "other"
  })
}
"#;
    let (_, output) = run(&[("main.tf", text)]);
    assert!(output.diagnostics.is_empty(), "{:?}", output.diagnostics);
    assert_eq!(
        addresses(&output),
        [
            "aws_iam_policy.count",
            "aws_iam_policy.p[\"a\"]",
            "aws_iam_policy.p[\"b\"]",
            "aws_iam_policy.q[\"a\"]",
            "aws_iam_policy.q[?]",
        ]
    );
    for (address, action, maybe) in [
        ("aws_iam_policy.p[\"a\"]", "s3:Get*", true),
        ("aws_iam_policy.p[\"b\"]", "s3:*", true),
        ("aws_iam_policy.q[?]", "s3:List*", true),
    ] {
        let resource = find(&output, address);
        assert_eq!(resource.maybe, maybe, "{address}");
        let document = policy(&resource.get("policy").unwrap());
        let statement = document.get("Statement").unwrap().listed().remove(0);
        assert_eq!(statement.get("Action").unwrap().as_str().unwrap(), action);
    }
    // How many there are is open.
    let id = policy(&find(&output, "aws_iam_policy.count").get("policy").unwrap())
        .get("Id")
        .unwrap();
    assert_eq!(id.alternatives().len(), 2);
}

#[test]
fn what_may_override_does_not_hide_what_it_may_leave() {
    let text = r#"
variable "wide" {}
locals {
  actions = merge({ a = "s3:*" }, { for name in ["a"] : name => "s3:Get*" if name == var.wide })
  either  = { for name in ["x", "y"] : "z" => name if name == var.wide }
  grouped = { for name in ["x", "y"] : "z" => name... if name == var.wide }
}
resource "aws_iam_policy" "p" {
  name        = local.actions.a
  description = local.either.z
  path        = length(local.grouped["z"]) == 2 ? "both" : "fewer"
}
"#;
    let (_, output) = run(&[("main.tf", text)]);
    assert!(output.diagnostics.is_empty(), "{:?}", output.diagnostics);
    let values = |name: &str| -> Vec<String> {
        let val = find(&output, "aws_iam_policy.p").get(name).unwrap();
        let alternatives = val.alternatives();
        let texts = alternatives.iter().map(|(_, val)| val.as_str().unwrap());
        texts.map(|text| text.to_string()).collect()
    };
    assert_eq!(values("name"), ["s3:*", "s3:Get*"]);
    assert_eq!(values("description"), ["x", "y"]);
    assert_eq!(values("path"), ["both", "fewer"]);
}

#[test]
fn a_loop_over_possible_members_keeps_those_that_surely_fit() {
    let text = r#"
variable "u" {}
locals {
  open  = [for name in ["p", "q", "r"] : name if name != var.u]
  only  = [for name in local.open : name if name == "z"]
  wide  = { for name in local.open : name => "${name}*" }
}
resource "aws_iam_policy" "p" {
  name        = length(local.only) == 0 ? "none" : "some"
  description = local.wide["q"]
  policy      = jsonencode(local.open) == "[\"p\",\"q\",\"r\"]" ? "all" : "not all"
  path        = local.open == [] ? "none" : "some"
}
"#;
    let (_, output) = run(&[("main.tf", text)]);
    assert!(output.diagnostics.is_empty(), "{:?}", output.diagnostics);
    assert_eq!(shown(&output, "aws_iam_policy.p", "name"), "none");
    assert_eq!(shown(&output, "aws_iam_policy.p", "description"), "q*");
    // Neither its text nor whether it is empty is known, although all that may stand in it is.
    for name in ["policy", "path"] {
        let val = find(&output, "aws_iam_policy.p").get(name).unwrap();
        assert_eq!(val.alternatives().len(), 2, "{name}");
    }
}

#[test]
fn parts_before_a_hole_are_known_whatever_the_hole_holds() {
    let text = r#"
variable "name" {}
variable "sep" {}
locals {
  arn   = "arn:aws:sqs:eu-west-1:111122223333:${var.name}"
  parts = split(":", local.arn)
}
resource "aws_iam_policy" "p" {
  name        = local.parts[2]
  description = element(split(":", local.arn), 4)
  path        = contains(["sns"], split(":", local.arn)[2]) ? "topic" : "queue"
  policy      = jsonencode({
    a = local.parts[5]
    b = length(local.parts)
    c = split(var.sep, local.arn)[0]
    d = split(":", var.name)[0]
    e = local.parts[6]
  })
}
"#;
    let (_, output) = run(&[("main.tf", text)]);
    assert!(output.diagnostics.is_empty(), "{:?}", output.diagnostics);
    assert_eq!(shown(&output, "aws_iam_policy.p", "name"), "sqs");
    assert_eq!(
        shown(&output, "aws_iam_policy.p", "description"),
        "111122223333"
    );
    assert_eq!(shown(&output, "aws_iam_policy.p", "path"), "queue");
    let open = policy(&find(&output, "aws_iam_policy.p").get("policy").unwrap());
    for name in ["a", "b", "c", "d", "e"] {
        assert!(open.get(name).unwrap().is_unknown(), "{name}");
    }
}
