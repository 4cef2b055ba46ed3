//! Values read out of text by the functions of Terraform's built-in provider.
//!
//! What they give is compared with Terraform's own answers in `testdata/oracles/terraform/tfvars.jsonl`.
//! Invariant tested: what is read keeps the place where it was written.

use super::{find, policy, run, shown};

#[test]
fn what_is_decoded_stands_where_it_was_written() {
    let text = r#"
locals {
  grants  = provider::terraform::decode_tfvars(file("${path.module}/grants.txt"))
  written = provider::terraform::decode_tfvars(provider::terraform::encode_tfvars(local.grants))
}
resource "aws_iam_policy" "p" {
  name   = local.written.name
  policy = jsonencode({
    Statement = [{ Effect = "Allow", Action = local.grants.actions, Resource = "*" }]
  })
}
"#;
    let grants = "name    = \"n\"\nactions = [\"s3:Get*\",\n  \"iam:PassRole\"]\n";
    let (sources, output) = run(&[("main.tf", text), ("grants.txt", grants)]);
    assert!(output.diagnostics.is_empty(), "{:?}", output.diagnostics);
    assert_eq!(shown(&output, "aws_iam_policy.p", "name"), "n");
    let document = policy(&find(&output, "aws_iam_policy.p").get("policy").unwrap());
    let statement = document.get("Statement").unwrap().listed().remove(0);
    let actions = statement.get("Action").unwrap().listed();
    let action = actions[1].to_text().unwrap();
    let span = action.span().unwrap();
    assert_eq!(sources.slice(span), "iam:PassRole");
    assert_eq!(sources.get(span.file).unwrap().path(), "grants.txt");
}

#[test]
fn text_that_is_no_list_of_values_is_told_once() {
    let text = r#"
locals { bad = provider::terraform::decode_tfvars("actions = [upper(\"s3:*\")]") }
resource "aws_iam_policy" "p" {
  name = try(local.bad.actions[0], "none")
  path = local.bad.actions[0]
}
"#;
    let (_, output) = run(&[("main.tf", text)]);
    assert_eq!(shown(&output, "aws_iam_policy.p", "name"), "none");
    let told: Vec<&str> = output
        .diagnostics
        .iter()
        .map(|d| d.message.as_str())
        .collect();
    assert_eq!(
        told,
        [
            "`provider::terraform::decode_tfvars`: values of variables cannot call functions; what depends on it is taken as unknown"
        ]
    );
}
