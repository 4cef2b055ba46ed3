//! Whole configurations through [`evaluate`].
//!
//! Invariant tested: addresses as Terraform prints them, policies as structures with places, unknown
//! parts as symbols and guards.

mod data_sources;
mod frames;
mod limits;
mod loops;
mod refused;
mod tfvars;

use crate::{Given, Options, Output, evaluate};
use overgrant_ir::Resource;
use overgrant_source::Sources;
use overgrant_value::{Answer, Data, Marks, Val, json};

fn run_with(files: &[(&str, &str)], options: &Options) -> (Sources, Output) {
    let sources = Sources::new("/nowhere");
    let mut dirs: Vec<String> = Vec::new();
    for (path, text) in files {
        sources.add(path, text);
        dirs.push(path.rsplit_once('/').map_or("", |(dir, _)| dir).to_owned());
    }
    let output = evaluate(&sources, &dirs, options);
    (sources, output)
}

fn run(files: &[(&str, &str)]) -> (Sources, Output) {
    run_with(files, &Options::default())
}

fn addresses(output: &Output) -> Vec<String> {
    output
        .resources
        .iter()
        .map(|resource| resource.address.to_string())
        .collect()
}

fn find<'o>(output: &'o Output, address: &str) -> &'o Resource {
    output
        .resources
        .iter()
        .find(|resource| resource.address == address)
        .unwrap_or_else(|| panic!("{address} not in {:?}", addresses(output)))
}

fn policy(val: &Val) -> Val {
    let Data::Str(text) = val.data() else {
        panic!("{val:?}")
    };
    crate::functions::decode_json(text).unwrap()
}

fn shown(output: &Output, address: &str, name: &str) -> String {
    let val = find(output, address).get(name).unwrap();
    match val.data() {
        Data::Str(text) => text.to_string(),
        _ => json::to_string(&val),
    }
}

#[test]
fn a_policy_in_a_heredoc_keeps_its_places() {
    let text = r#"data "aws_caller_identity" "me" {}
resource "aws_iam_role_policy" "p" {
  role   = "r"
  policy = <<-EOT
    {"Statement": [{"Effect": "Allow", "Action": "s3:*",
      "Resource": "arn:aws:s3:::x-${data.aws_caller_identity.me.account_id}"}]}
  EOT
}
"#;
    let (sources, output) = run(&[("main.tf", text)]);
    assert!(output.diagnostics.is_empty(), "{:?}", output.diagnostics);
    let document = policy(
        &find(&output, "aws_iam_role_policy.p")
            .get("policy")
            .unwrap(),
    );
    let statement = document.get("Statement").unwrap().listed().remove(0);
    let action = statement.get("Action").unwrap();
    assert_eq!(sources.slice(action.span().unwrap()), "\"s3:*\"");
    let resource = statement.get("Resource").unwrap().to_text().unwrap();
    assert_eq!(resource.to_string(), "arn:aws:s3:::x-${the account id}");
}

#[test]
fn a_literal_that_came_through_locals_and_modules_keeps_its_place_and_way() {
    let main = r#"locals {
  actions = ["iam:PassRole"]
}
module "m" {
  source  = "./mod"
  actions = concat(local.actions, ["s3:Get*"])
}
resource "aws_iam_policy" "out" {
  policy = module.m.json
}
"#;
    let inner = r#"variable "actions" { type = list(string) }
data "aws_iam_policy_document" "d" {
  statement {
    actions   = [for a in var.actions : format("%s", a)]
    resources = ["*"]
  }
}
output "json" { value = data.aws_iam_policy_document.d.json }
"#;
    let (sources, output) = run(&[("main.tf", main), ("mod/main.tf", inner)]);
    assert!(output.diagnostics.is_empty(), "{:?}", output.diagnostics);
    assert_eq!(
        addresses(&output),
        [
            "aws_iam_policy.out",
            "module.m.data.aws_iam_policy_document.d"
        ]
    );
    assert_eq!(output.roots, [""]);
    let document = policy(&find(&output, "aws_iam_policy.out").get("policy").unwrap());
    let statement = document.get("Statement").unwrap().listed().remove(0);
    let actions = statement.get("Action").unwrap().listed();
    assert_eq!(actions[0].as_str().unwrap(), "s3:Get*");
    assert_eq!(actions[1].as_str().unwrap(), "iam:PassRole");
    let text = actions[1].to_text().unwrap();
    let src = text.src_of(0..3).unwrap();
    assert_eq!(sources.slice(src.span.unwrap()), "iam");
    let labels: Vec<String> = src.hops().iter().map(|hop| hop.label.to_string()).collect();
    let wanted = [
        "local.actions",
        "argument actions of module.m",
        "var.actions",
    ];
    let mut rest = labels.iter();
    for label in wanted {
        assert!(
            rest.any(|found| found == label),
            "{label} in order in {labels:?}"
        );
    }
}

#[test]
fn policy_documents_merge_as_the_provider_does() {
    let text = r#"
data "aws_iam_policy_document" "base" {
  statement {
    sid       = "A"
    actions   = ["s3:GetObject", "s3:PutObject", "s3:GetObject"]
    resources = ["arn:aws:s3:::b/&{aws:username}/*"]
  }
  statement {
    actions   = ["ec2:&{x}"]
    resources = ["*"]
  }
}
data "aws_iam_policy_document" "p" {
  source_policy_documents = [data.aws_iam_policy_document.base.json, ""]
  statement {
    sid    = "A"
    effect = "Deny"
    actions = ["iam:*"]
    principals {
      type        = "*"
      identifiers = ["*"]
    }
    condition {
      test     = "StringEquals"
      variable = "aws:PrincipalTag/a"
      values   = ["1"]
    }
    condition {
      test     = "StringEquals"
      variable = "aws:PrincipalTag/a"
      values   = ["0"]
    }
  }
  override_policy_documents = [jsonencode({
    Version   = "2012-10-17"
    Statement = [{ Sid = "Z", Effect = "Allow", Action = "a:b", Resource = "*",
      Condition = { NumericLessThan = { "aws:MultiFactorAuthAge" = 3600 } } }]
  })]
}
resource "aws_iam_policy" "p" { policy = data.aws_iam_policy_document.p.minified_json }
resource "aws_iam_policy" "base" { policy = data.aws_iam_policy_document.base.json }
"#;
    let (_, output) = run(&[("main.tf", text)]);
    assert_eq!(
        shown(&output, "aws_iam_policy.base", "policy"),
        r#"{"Version":"2012-10-17","Statement":[{"Sid":"A","Effect":"Allow","Action":["s3:PutObject","s3:GetObject"],"Resource":"arn:aws:s3:::b/${aws:username}/*"},{"Effect":"Allow","Action":"ec2:&{x}","Resource":"*"}]}"#
    );
    assert_eq!(
        shown(&output, "aws_iam_policy.p", "policy"),
        r#"{"Version":"2012-10-17","Statement":[{"Sid":"A","Effect":"Deny","Action":"iam:*","Principal":"*","Condition":{"StringEquals":{"aws:PrincipalTag/a":["1","0"]}}},{"Action":"ec2:&{x}","Effect":"Allow","Resource":"*"},{"Action":"a:b","Effect":"Allow","Resource":"*","Sid":"Z"}]}"#
    );
    let codes: Vec<_> = output.diagnostics.iter().map(|d| d.code).collect();
    assert_eq!(codes, ["condition-number-lost"]);
}

#[test]
fn a_document_knows_when_it_exists() {
    let text = r#"
variable "on" { type = bool }
variable "more" {}
locals { issuer = var.on ? "oidc.eks.eu-west-1.amazonaws.com/id/X" : "" }
data "aws_iam_policy_document" "p" {
  count = var.on ? 1 : 0
  statement {
    actions = ["sts:AssumeRoleWithWebIdentity"]
    condition {
      test     = "StringEquals"
      variable = "${local.issuer}:sub"
      values   = ["system:serviceaccount:a:b"]
    }
    dynamic "principals" {
      for_each = var.more
      content {
        type        = "AWS"
        identifiers = principals.value
      }
    }
    dynamic "not_principals" {
      for_each = var.more
      content {
        type        = "AWS"
        identifiers = not_principals.value
      }
    }
  }
}
resource "aws_iam_role" "r" {
  count              = var.on ? 1 : 0
  assume_role_policy = data.aws_iam_policy_document.p[0].json
}
"#;
    let (_, output) = run(&[("main.tf", text)]);
    let trust = find(&output, "aws_iam_role.r[0]")
        .get("assume_role_policy")
        .unwrap();
    let statement = policy(&trust).get("Statement").unwrap().listed().remove(0);
    let condition = statement.get("Condition").unwrap();
    assert_eq!(
        condition
            .at(&["StringEquals", "oidc.eks.eu-west-1.amazonaws.com/id/X:sub"])
            .and_then(|val| val.as_str()),
        Some("system:serviceaccount:a:b".into())
    );
    // Blocks of an unknown number are unknown, not an empty one of each.
    assert!(statement.get("Principal").unwrap().is_unknown());
    assert!(statement.get("NotPrincipal").unwrap().is_unknown());
}

#[test]
fn expansion_gives_terraforms_addresses() {
    let text = r#"
variable "names" { type = list(string) }
variable "create" { type = bool }
variable "extra" {
  type    = bool
  default = false
}
resource "aws_sqs_queue" "c" {
  count = 2
  name  = "q${count.index}"
}
resource "aws_sqs_queue" "e" {
  for_each = { eu = "x", "a\"b" = "y" }
  name     = each.value
}
resource "aws_sqs_queue" "u" {
  for_each = toset(var.names)
  name     = each.key
}
resource "aws_sqs_queue" "m" {
  count = var.create ? 1 : 0
  name  = "m"
}
resource "aws_sqs_queue" "x" {
  count = var.extra ? 1 : 0
  name  = "x"
}
resource "aws_sqs_queue" "zero" { count = 0 }
resource "aws_iam_policy" "p" {
  policy = jsonencode({
    first = aws_sqs_queue.c[*].arn
    one   = one(aws_sqs_queue.m[*].arn)
    got   = try(aws_sqs_queue.m[0].arn, "none")
    plain = aws_sqs_queue.m[0].name
    off   = try(aws_sqs_queue.x[0].arn, "none")
    zero  = try(aws_sqs_queue.zero[0].arn, "none")
    vals  = values(aws_sqs_queue.e)[*].name
  })
}
"#;
    let (_, output) = run(&[("main.tf", text)]);
    assert_eq!(
        addresses(&output),
        [
            "aws_iam_policy.p",
            "aws_sqs_queue.c[0]",
            "aws_sqs_queue.c[1]",
            "aws_sqs_queue.e[\"a\\\"b\"]",
            "aws_sqs_queue.e[\"eu\"]",
            "aws_sqs_queue.m[0]",
            "aws_sqs_queue.u[?]",
            "aws_sqs_queue.x[0]",
        ]
    );
    assert_eq!(
        find(&output, "aws_sqs_queue.m[0]").guard.to_string(),
        "var.create"
    );
    assert_eq!(
        find(&output, "aws_sqs_queue.x[0]").guard.to_string(),
        "var.extra"
    );
    assert!(find(&output, "aws_sqs_queue.u[?]").maybe);
    let document = policy(&find(&output, "aws_iam_policy.p").get("policy").unwrap());
    let arn = "arn:${the partition}:sqs:${the region}:${the account id}:";
    let first: Vec<String> = document
        .get("first")
        .unwrap()
        .listed()
        .iter()
        .map(|val| val.to_text().unwrap().to_string())
        .collect();
    assert_eq!(first, [format!("{arn}q0"), format!("{arn}q1")]);
    let cases = |name: &str| -> Vec<String> {
        document
            .get(name)
            .unwrap()
            .alternatives()
            .iter()
            .map(|(guard, val)| format!("{guard}: {}", json::to_string(val)))
            .collect()
    };
    let made = format!("var.create: \"{arn}m\"");
    assert_eq!(cases("one"), [made.as_str(), "not var.create: null"]);
    assert_eq!(cases("got"), [made.as_str(), "not var.create: \"none\""]);
    assert_eq!(cases("plain"), [": \"m\""]);
    assert_eq!(cases("off"), [": \"none\""]);
    assert_eq!(cases("zero"), [": \"none\""]);
    assert_eq!(
        json::to_string(&document.get("vals").unwrap()),
        r#"["y","x"]"#
    );
}

#[test]
fn unknown_lists_give_statements_that_may_exist() {
    let text = r#"
variable "accounts" { type = list(string) }
data "aws_iam_policy_document" "p" {
  dynamic "statement" {
    for_each = var.accounts
    content {
      actions   = ["sts:AssumeRole"]
      resources = ["arn:aws:iam::${statement.value}:role/x"]
    }
  }
  dynamic "statement" {
    for_each = [1, 2]
    iterator = it
    content {
      sid     = "S${it.key}"
      actions = ["a:${it.value}"]
    }
  }
}
resource "aws_iam_policy" "p" { policy = data.aws_iam_policy_document.p.json }
"#;
    let (_, output) = run(&[("main.tf", text)]);
    let document = policy(&find(&output, "aws_iam_policy.p").get("policy").unwrap());
    let statements = document.get("Statement").unwrap().listed();
    assert_eq!(statements.len(), 3);
    assert!(statements[0].marks().has(Marks::MAYBE));
    let resource = statements[0].get("Resource").unwrap().to_text().unwrap();
    assert_eq!(resource.starts_with("arn:aws:iam::"), Answer::Must);
    assert_eq!(resource.ends_with(":role/x"), Answer::Must);
    assert!(!statements[2].marks().has(Marks::MAYBE));
    assert_eq!(statements[2].get("Sid").unwrap().as_str().unwrap(), "S1");
}

#[test]
fn values_come_in_terraforms_order() {
    let main = "variable \"a\" {}\nvariable \"b\" { default = \"default\" }\nvariable \"n\" { type = number }\nresource \"aws_sqs_queue\" \"q\" {\n  name = \"${var.a}-${var.b}-${var.n}\"\n}\n";
    let files = [
        ("r/main.tf", main),
        ("r/terraform.tfvars", "a = \"file\"\nn = \"1\"\n"),
        ("r/x.auto.tfvars.json", r#"{"a": "auto${}", "b": "auto"}"#),
        ("r/other.tfvars", "b = \"other\"\n"),
    ];
    let name = |options: &Options| shown(&run_with(&files, options).1, "aws_sqs_queue.q", "name");
    assert_eq!(name(&Options::default()), "auto${}-auto-1");
    let options = Options {
        values: vec![
            Given::File {
                root: None,
                path: "r/other.tfvars".into(),
            },
            Given::Value {
                root: None,
                name: "n".into(),
                text: "1 + 1".into(),
            },
            Given::Value {
                root: Some("elsewhere".into()),
                name: "a".into(),
                text: "no".into(),
            },
            Given::Value {
                root: Some("r".into()),
                name: "a".into(),
                text: "1 + 1".into(),
            },
        ],
        ..Options::default()
    };
    assert_eq!(name(&options), "1 + 1-other-2");
}

#[test]
fn json_syntax_is_the_same_language() {
    let text = r#"{
  "//": "comment",
  "variable": {"p": {"type": "string", "default": "${literal}"}},
  "locals": {"x": "${upper(\"a\")}"},
  "data": {"aws_iam_policy_document": {"d": {
    "statement": [{"actions": ["s3:*"], "resources": ["arn:${local.x}"]}],
    "dynamic": {"statement": {"for_each": ["q"], "content": {"actions": ["${statement.value}:*"]}}}
  }}},
  "resource": {"aws_iam_policy": {"p": {"name": "${var.p}", "policy": "${data.aws_iam_policy_document.d.json}"}}}
}"#;
    let (sources, output) = run(&[("main.tf.json", text)]);
    assert!(output.diagnostics.is_empty(), "{:?}", output.diagnostics);
    assert_eq!(shown(&output, "aws_iam_policy.p", "name"), "${literal}");
    let document = policy(&find(&output, "aws_iam_policy.p").get("policy").unwrap());
    let statements = document.get("Statement").unwrap().listed();
    let actions: Vec<String> = statements
        .iter()
        .map(|statement| {
            statement
                .get("Action")
                .unwrap()
                .as_str()
                .unwrap()
                .to_string()
        })
        .collect();
    assert!(actions.contains(&"s3:*".to_owned()), "{actions:?}");
    let star = statements
        .iter()
        .filter_map(|statement| statement.get("Action"))
        .find(|action| action.as_str().is_some_and(|text| text == "s3:*"))
        .unwrap();
    let span = star.to_text().unwrap().span().unwrap();
    assert_eq!(sources.slice(span), "s3:*");
}

#[test]
fn circles_missing_modules_and_overrides() {
    let files = [
        (
            "main.tf",
            "locals {\n  a = local.b\n  b = local.a\n}\nmodule \"gone\" { source = \"hashicorp/x/aws\" }\nmodule \"me\" { source = \"./\" }\nresource \"aws_sqs_queue\" \"q\" {\n  name = local.a\n  policy = module.gone.policy\n}\n",
        ),
        (
            "x_override.tf",
            "resource \"aws_sqs_queue\" \"q\" {\n  fifo_queue = true\n}\n",
        ),
    ];
    let (_, output) = run(&files);
    let codes: Vec<_> = output.diagnostics.iter().map(|d| d.code).collect();
    assert!(codes.contains(&"local-circle"), "{codes:?}");
    assert!(codes.contains(&"module-missing"), "{codes:?}");
    assert!(codes.contains(&"module-recursion"), "{codes:?}");
    let queue = find(&output, "aws_sqs_queue.q");
    assert!(queue.get("name").unwrap().is_unknown());
    assert_eq!(
        json::to_string(&queue.get("policy").unwrap()),
        "${module.gone.policy}"
    );
    assert_eq!(queue.get("fifo_queue").unwrap().as_bool(), Some(true));
}

#[test]
fn modules_that_are_not_installed_are_told_once_a_source() {
    let call = |name: &str| format!("module \"{name}\" {{\n  source = \"a/label/null\"\n}}\n");
    let (first, second) = (call("x") + &call("y"), call("z"));
    let files = [("b/main.tf", first.as_str()), ("c/main.tf", &second)];
    let (sources, output) = run(&files);
    let [only] = output.diagnostics.as_slice() else {
        panic!("{:?}", output.diagnostics);
    };
    assert_eq!(only.path.as_deref(), Some("b/main.tf"));
    assert_eq!(sources.slice(only.span.unwrap()), "\"a/label/null\"");
    assert!(
        only.message.contains("(called 2 times more)"),
        "{}",
        only.message
    );
}

#[test]
fn data_sources_that_follow_from_their_arguments_are_known() {
    let text = r#"variable "region" { default = null }
data "aws_region" "r" { region = var.region }
data "aws_service_principal" "ec2" { service_name = "ec2" }
data "aws_partition" "p" {}
data "aws_arn" "a" { arn = "arn:${data.aws_partition.p.partition}:logs:eu-west-1:111122223333:log-group:/x:y" }
data "aws_iam_policy" "vpc" { arn = "arn:${data.aws_partition.p.partition}:iam::aws:policy/service-role/AWSLambdaENIManagementAccess" }
data "aws_iam_policy" "read" { name = "ReadOnlyAccess" }
data "terraform_remote_state" "s" {
  backend  = "local"
  config   = { path = "${path.module}/s.tfstate" }
  defaults = { b = "else" }
}
data "aws_iam_policy_document" "each" {
  count = length(aws_vpc.v.ids)
  statement { actions = ["s3:GetObject"] }
}
data "aws_iam_policy_document" "merged" {
  source_policy_documents = data.aws_iam_policy_document.each[*].json
}
resource "aws_sqs_queue" "q" {
  name   = "${data.aws_region.r.region}/${data.aws_service_principal.ec2.name}/${data.aws_arn.a.resource}/${data.aws_iam_policy.read.arn}"
  policy = data.aws_iam_policy.vpc.policy
  tags = {
    state  = "${data.terraform_remote_state.s.outputs.a}-${data.terraform_remote_state.s.outputs.b}"
    cwd    = basename(path.cwd)
    json   = replace(jsonencode({ A = "x-_NAME_-${data.aws_region.r.name}" }), "_NAME_", "y")
    merged = data.aws_iam_policy_document.merged.json
  }
}
resource "aws_vpc" "v" {}
"#;
    let state = r#"{"version": 4, "outputs": {"a": {"value": "here", "type": "string"}}}"#;
    let (_, output) = run(&[("live/main.tf", text), ("live/s.tfstate", state)]);
    assert!(output.diagnostics.is_empty(), "{:?}", output.diagnostics);
    assert_eq!(
        shown(&output, "aws_sqs_queue.q", "name"),
        "${the region}/ec2.amazonaws.com/log-group:/x:y/arn:${the partition}:iam::aws:policy/ReadOnlyAccess"
    );
    let queue = find(&output, "aws_sqs_queue.q");
    let vpc = policy(&queue.get("policy").unwrap());
    assert!(!vpc.get("Statement").unwrap().listed().is_empty());
    let tags = queue.get("tags").unwrap();
    let tag = |name: &str| tags.get(name).unwrap().to_text().unwrap();
    assert_eq!(tag("state").to_string(), "here-else");
    assert_eq!(tag("cwd").to_string(), "live");
    let json = tag("json").as_json().unwrap().get("A").unwrap();
    assert_eq!(json.to_text().unwrap().to_string(), "x-y-${the region}");
    let merged = policy(&tags.get("merged").unwrap());
    let statements = merged.get("Statement").unwrap().listed();
    assert_eq!(statements.len(), 1);
    assert!(statements[0].marks().has(Marks::MAYBE));
}

#[test]
fn what_exists_off_a_default_refers_to_what_does_too() {
    let text = r#"variable "mode" { default = null }
variable "arns" { default = [] }
data "aws_iam_policy_document" "xray" {
  count = var.mode != null ? 1 : 0
  statement {
    actions   = ["xray:PutTraceSegments"]
    resources = var.arns
  }
}
resource "aws_sqs_queue" "q" {
  count  = var.mode != null ? 1 : 0
  policy = data.aws_iam_policy_document.xray[0].json
}
resource "aws_sqs_queue" "always" {
  name = length(data.aws_iam_policy_document.xray)
}
"#;
    let (_, output) = run(&[("main.tf", text)]);
    assert!(output.diagnostics.is_empty(), "{:?}", output.diagnostics);
    let document = policy(&find(&output, "aws_sqs_queue.q[0]").get("policy").unwrap());
    let statement = document.get("Statement").unwrap().listed().remove(0);
    assert!(statement.get("Resource").unwrap().is_unknown());
    assert_eq!(shown(&output, "aws_sqs_queue.always", "name"), "0");
}

#[test]
fn a_validation_says_what_an_unset_variable_may_be() {
    let text = r#"variable "env" {
  type = string
  validation {
    condition     = contains(["dev", "prod"], var.env)
    error_message = "dev or prod"
  }
}
resource "aws_sqs_queue" "q" {
  name = var.env == "prod" ? "live" : "x-${var.env}"
}
"#;
    let (_, output) = run(&[("main.tf", text)]);
    let name = find(&output, "aws_sqs_queue.q").get("name").unwrap();
    let names: Vec<String> = name
        .alternatives()
        .iter()
        .map(|(guard, val)| format!("{guard}: {}", val.as_str().unwrap()))
        .collect();
    assert_eq!(names, ["var.env = dev: x-dev", "var.env = prod: live"]);
}

#[test]
fn providers_of_aws_are_resources() {
    let text = r#"provider "aws" {
  alias = "prod"
  assume_role { role_arn = "arn:aws:iam::111122223333:role/deploy" }
}
provider "google" { project = "p" }
"#;
    let (_, output) = run(&[("main.tf", text)]);
    assert_eq!(addresses(&output), ["provider.aws.prod"]);
    let role = find(&output, "provider.aws.prod").blocks("assume_role");
    assert!(role[0].get("role_arn").is_some());
}

#[test]
fn policies_for_modules_that_are_not_installed_are_kept() {
    let text = r#"module "a" {
  source = "acme/policy/aws"
  count  = 2
  name   = "a${count.index}"
  policy = data.aws_iam_policy_document.p.json
}
module "off" {
  source = "acme/policy/aws"
  count  = 0
  policy = data.aws_iam_policy_document.p.json
}
module "limit" {
  source = "acme/service-control-policies/aws"
  policy = data.aws_iam_policy_document.p.json
}
module "plain" {
  source = "acme/queue/aws"
  name   = "q"
}
module "here" {
  source = "./here"
  policy = data.aws_iam_policy_document.p.json
}
data "aws_iam_policy_document" "p" {
  statement {
    actions   = ["s3:GetObject"]
    resources = ["arn:aws:s3:::b/*"]
  }
}
"#;
    let (_, output) = run(&[
        ("main.tf", text),
        ("here/main.tf", "variable \"policy\" {}"),
    ]);
    let addresses = addresses(&output);
    let calls: Vec<&String> = addresses
        .iter()
        .filter(|one| one.starts_with("module."))
        .collect();
    assert_eq!(calls, ["module.a[0]", "module.a[1]"]);
    let call = find(&output, "module.a[0]");
    assert_eq!(call.kind, overgrant_ir::ABSENT_MODULE);
    assert!(call.get("policy").is_some() && call.get("name").is_none());
}
