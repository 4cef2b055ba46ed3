//! Accounts and regions of providers.
//!
//! Invariant tested: what the root's own provider deploys into is the shared symbol; another provider
//! shares it only if it works with the same credentials.

use super::{run, shown};

/// The names of the root's queues show what a data source or resource has.
fn names(text: &str, files: &[(&str, &str)]) -> Vec<String> {
    let mut all = vec![("main.tf", text)];
    all.extend(files);
    let (_, output) = run(&all);
    assert!(output.diagnostics.is_empty(), "{:?}", output.diagnostics);
    (0..)
        .map(|n| format!("aws_iam_policy.q{n}"))
        .take_while(|address| output.resources.iter().any(|r| r.address == *address))
        .map(|address| shown(&output, &address, "name"))
        .collect()
}

fn with_names(text: &str, exprs: &[&str]) -> String {
    let queues = exprs.iter().enumerate().map(|(n, expr)| {
        format!("resource \"aws_iam_policy\" \"q{n}\" {{\n  name = \"{expr}\"\n}}\n")
    });
    format!("{text}\n{}", queues.collect::<String>())
}

const PROVIDERS: &str = r#"
variable "hub" { type = string }
provider "aws" { region = "eu-west-1" }
provider "aws" {
  alias  = "east"
  region = "us-east-1"
}
provider "aws" {
  alias = "log"
  assume_role { role_arn = "arn:aws:iam::222233334444:role/deploy" }
}
provider "aws" {
  alias  = "hub"
  region = var.hub
  assume_role { role_arn = var.hub }
}
provider "aws" {
  alias               = "only"
  allowed_account_ids = ["333344445555"]
}
"#;

#[test]
fn a_provider_has_an_account_and_a_region() {
    let providers = ["aws", "aws.east", "aws.log", "aws.hub", "aws.only"];
    let mut text = String::from(PROVIDERS);
    let mut exprs = Vec::new();
    for (n, provider) in providers.iter().enumerate() {
        text.push_str(&format!(
            "data \"aws_caller_identity\" \"c{n}\" {{\n  provider = {provider}\n}}\ndata \"aws_region\" \"r{n}\" {{\n  provider = {provider}\n}}\nresource \"aws_sqs_queue\" \"s{n}\" {{\n  provider = {provider}\n  name = \"s\"\n}}\n"
        ));
        exprs.push(format!(
            "${{data.aws_caller_identity.c{n}.account_id}} ${{data.aws_region.r{n}.name}} ${{aws_sqs_queue.s{n}.arn}}"
        ));
    }
    text.push_str(
        "resource \"aws_sqs_queue\" \"own\" {\n  region = \"eu-north-1\"\n  name = \"s\"\n}\n",
    );
    exprs.push("${aws_sqs_queue.own.arn}".into());
    let exprs: Vec<&str> = exprs.iter().map(String::as_str).collect();
    let account = "${the account id}";
    let hub = "${provider.aws.hub.account_id}";
    let elsewhere = "${provider.aws.hub.region}";
    assert_eq!(
        names(&with_names(&text, &exprs), &[]),
        [
            format!("{account} eu-west-1 arn:${{the partition}}:sqs:eu-west-1:{account}:s"),
            format!("{account} us-east-1 arn:${{the partition}}:sqs:us-east-1:{account}:s"),
            "222233334444 ${the region} arn:${the partition}:sqs:${the region}:222233334444:s"
                .into(),
            format!("{hub} {elsewhere} arn:${{the partition}}:sqs:{elsewhere}:{hub}:s"),
            "333344445555 ${the region} arn:${the partition}:sqs:${the region}:333344445555:s"
                .into(),
            format!("arn:${{the partition}}:sqs:eu-north-1:{account}:s"),
        ]
    );
}

#[test]
fn modules_get_their_providers_from_the_call() {
    let module = r#"
data "aws_caller_identity" "me" {}
data "aws_caller_identity" "peer" { provider = aws.peer }
output "me" { value = data.aws_caller_identity.me.account_id }
output "peer" { value = data.aws_caller_identity.peer.account_id }
"#;
    let outer = "module \"in\" {\n  source    = \"./in\"\n  providers = { aws = aws, aws.peer = aws.peer }\n}\noutput \"me\" { value = module.in.me }\noutput \"peer\" { value = module.in.peer }\n";
    let text = format!(
        r#"{PROVIDERS}
module "given" {{
  source    = "./m"
  providers = {{
    aws      = aws.log
    aws.peer = aws.only
  }}
}}
module "inherited" {{
  source    = "./m/in"
  providers = {{ aws.peer = aws.east }}
}}
"#
    );
    let exprs = [
        "${module.given.me} ${module.given.peer}",
        "${module.inherited.me} ${module.inherited.peer}",
    ];
    assert_eq!(
        names(
            &with_names(&text, &exprs),
            &[("m/main.tf", outer), ("m/in/main.tf", module)]
        ),
        [
            "222233334444 333344445555",
            "${the account id} ${the account id}"
        ]
    );
}

#[test]
fn a_role_of_another_account_has_its_own_arn() {
    let text = format!(
        "{PROVIDERS}resource \"aws_iam_role\" \"r\" {{\n  provider = aws.log\n  name = \"r\"\n}}\nresource \"aws_iam_role\" \"own\" {{\n  name = \"r\"\n}}\n"
    );
    let (_, output) = run(&[("main.tf", &text)]);
    assert_eq!(
        shown(&output, "aws_iam_role.r", "arn"),
        "arn:${the partition}:iam::222233334444:role/r"
    );
    let own = output
        .resources
        .iter()
        .find(|one| one.address == "aws_iam_role.own");
    assert!(
        own.unwrap().get("arn").is_none(),
        "its type tells the ARN: roles have no region"
    );
}
