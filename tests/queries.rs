//! Queries from outside: exit codes, answers, formats.

use crate::support::{Project, Ran};

/// A caller that can pass an administrator to a function, under MFA delete objects, and nothing else.
const MODEL: &str = r#"
resource "aws_iam_role" "admin" {
  name = "app-admin"
  assume_role_policy = jsonencode({
    Version   = "2012-10-17"
    Statement = [{ Effect = "Allow", Action = "sts:AssumeRole", Principal = { Service = "lambda.amazonaws.com" } }]
  })
}
resource "aws_iam_role_policy_attachment" "admin" {
  role       = aws_iam_role.admin.name
  policy_arn = "arn:aws:iam::aws:policy/AdministratorAccess"
}
resource "aws_iam_role" "deploy" {
  name = "deploy"
  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Action    = "sts:AssumeRoleWithWebIdentity"
      Principal = { Federated = "arn:aws:iam::111122223333:oidc-provider/token.actions.githubusercontent.com" }
      Condition = { StringEquals = {
        "token.actions.githubusercontent.com:sub" = "repo:acme/shop:environment:prod"
        "token.actions.githubusercontent.com:aud" = "sts.amazonaws.com"
      } }
    }]
  })
}
resource "aws_iam_role_policy" "deploy" {
  role = aws_iam_role.deploy.name
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      { Sid = "Run", Effect = "Allow", Action = ["iam:PassRole", "lambda:CreateFunction", "lambda:InvokeFunction"], Resource = "*" },
      { Sid = "Clean", Effect = "Allow", Action = "s3:DeleteObject", Resource = "arn:aws:s3:::acme-logs/*",
        Condition = { Bool = { "aws:MultiFactorAuthPresent" = "true" } } },
      { Sid = "Keep", Effect = "Deny", Action = "s3:*", Resource = "arn:aws:s3:::acme-logs/keep/*" },
    ]
  })
}
resource "aws_iam_user" "reader" {
  name = "reader"
}
"#;

fn project() -> Project {
    Project::new().file("main.tf", MODEL)
}

fn ask(project: &Project, arguments: &[&str], code: i32) -> Ran {
    let ran = project.run(arguments);
    assert_eq!(
        ran.code, code,
        "{arguments:?}\n{}{}",
        ran.stdout, ran.stderr
    );
    ran
}

#[test]
fn exit_codes_tell_the_answer() {
    let project = project();
    let log = "arn:aws:s3:::acme-logs/x";
    for (arguments, code) in [
        (&["can", "deploy", "iam:PassRole"][..], 0),
        (&["can", "deploy", "iam:PassRole", "app-admin"], 0),
        (&["can", "aws_iam_role.deploy", "lambda:InvokeFunction"], 0),
        (&["can", "deploy", "s3:DeleteObject", log], 4),
        (
            &[
                "can",
                "deploy",
                "s3:DeleteObject",
                log,
                "--context",
                "aws:MultiFactorAuthPresent=true",
            ],
            0,
        ),
        (
            &[
                "can",
                "deploy",
                "s3:DeleteObject",
                log,
                "--context",
                "aws:MultiFactorAuthPresent=false",
            ],
            1,
        ),
        (
            &[
                "can",
                "deploy",
                "s3:DeleteObject",
                "arn:aws:s3:::acme-logs/keep/x",
            ],
            1,
        ),
        (
            &["can", "deploy", "s3:DeleteObject", "arn:aws:s3:::other/x"],
            1,
        ),
        (&["can", "reader", "s3:GetObject"], 1),
        (&["can", "nobody", "s3:GetObject"], 2),
        (&["can", "reader", "s3:GetObjekt"], 2),
        (&["can", "reader", "s3:GetObject", "what"], 2),
        (&["who-can", "lambda:CreateFunction"], 0),
        (&["who-can", "s3:DeleteObject", log], 0),
        (&["access", "reader"], 1),
        (&["access", "deploy"], 0),
        (&["paths"], 0),
        (&["paths", "--from", "deploy", "--to", "admin"], 0),
        (&["paths", "--from", "deploy", "--to", "app-admin"], 0),
        (&["paths", "--from", "reader"], 1),
    ] {
        ask(&project, arguments, code);
    }
}

#[test]
fn answers_say_why_and_where() {
    let project = project();
    let ran = ask(
        &project,
        &[
            "can",
            "deploy",
            "s3:DeleteObject",
            "arn:aws:s3:::acme-logs/x",
        ],
        4,
    );
    for words in [
        "depends: allowed when aws:MultiFactorAuthPresent is true",
        "statement #Clean allows it under Bool aws:MultiFactorAuthPresent true (main.tf:34)",
        "not limited by a boundary",
        "no Deny applies",
    ] {
        assert!(ran.stdout.contains(words), "{words}\n{}", ran.stdout);
    }
    let denied = ask(
        &project,
        &[
            "can",
            "deploy",
            "s3:DeleteObject",
            "arn:aws:s3:::acme-logs/keep/x",
        ],
        1,
    );
    assert!(
        denied
            .stdout
            .starts_with("no: Deny #Keep forbids it (main.tf:36)"),
        "{}",
        denied.stdout
    );
    let near = ask(&project, &["can", "deplyo", "s3:GetObject"], 2);
    assert!(
        near.stderr
            .contains("did you mean `aws_iam_role.deploy` or `deploy`?"),
        "{}",
        near.stderr
    );
    let action = ask(&project, &["who-can", "s3:GetObjekt"], 2);
    assert!(
        action.stderr.contains("did you mean `s3:GetObject`?"),
        "{}",
        action.stderr
    );
    let access = ask(&project, &["access", "deploy"], 0);
    assert!(
        access
            .stdout
            .contains("DeleteObject on `arn:aws:s3:::acme-logs/*`, under conditions"),
        "{}",
        access.stdout
    );
}

#[test]
fn json_holds_what_the_text_says() {
    let project = project();
    let can = [
        "can",
        "deploy",
        "s3:DeleteObject",
        "arn:aws:s3:::acme-logs/x",
        "-f",
        "json",
    ];
    let can = ask(&project, &can, 4).json();
    assert_eq!(can["answer"], "depends");
    assert_eq!(can["principal"], "aws_iam_role.deploy");
    assert_eq!(can["reasons"][0]["place"]["path"], "main.tf");
    assert_eq!(can["reasons"][0]["place"]["statement"], "#Clean");
    let who = ask(
        &project,
        &["who-can", "lambda:CreateFunction", "-f", "json"],
        0,
    )
    .json();
    let names: Vec<&str> = who["principals"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| one["principal"].as_str().unwrap())
        .collect();
    assert_eq!(names, ["aws_iam_role.admin", "aws_iam_role.deploy"]);
    let access = ask(&project, &["access", "deploy", "-f", "json"], 0).json();
    let services: Vec<&str> = access["grants"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| one["service"].as_str().unwrap())
        .collect();
    assert_eq!(services, ["iam", "lambda", "s3"]);
    let paths = ask(&project, &["paths", "-f", "json"], 0).json();
    let paths = paths["paths"].as_array().unwrap();
    assert_eq!(paths.len(), 2, "CI, and the role itself");
    let steps = paths[0]["steps"].as_array().unwrap();
    assert_eq!(steps[0]["from"]["kind"], "ci");
    assert_eq!(steps[0]["kind"], "may-assume");
    assert_eq!(steps[1]["path"], "PE-LAMBDA-001");
    assert_eq!(steps[1]["rights"][0]["place"]["statement"], "#Run");
    assert!(!steps[1]["breaks"].as_array().unwrap().is_empty());
}

#[test]
fn pictures_hold_every_step_and_nothing_of_others() {
    let project = project();
    let of = |format: &str| ask(&project, &["paths", "-f", format], 0).stdout;
    let dot = of("dot");
    assert!(
        dot.starts_with("digraph") && dot.contains("PE-LAMBDA-001"),
        "{dot}"
    );
    let mermaid = of("mermaid");
    assert!(
        mermaid.starts_with("flowchart LR") && mermaid.contains("may-pass"),
        "{mermaid}"
    );
    let html = of("html");
    assert!(
        html.contains("<svg") && html.contains("aws_iam_role.admin"),
        "{html}"
    );
    for foreign in ["http://", "https://", "<script"] {
        assert!(!html.contains(foreign), "{foreign}");
    }
}

/// Two roots, a stack that a provider's session narrows, and pipelines that get in.
fn roots() -> Project {
    const APP: &str = r#"
provider "aws" {
  allowed_account_ids = ["111122223333"]
  assume_role {
    role_arn = "arn:aws:iam::111122223333:role/plan"
    policy   = jsonencode({ Version = "2012-10-17", Statement = [{ Effect = "Allow", Action = "s3:Get*", Resource = "*" }] })
  }
}
resource "aws_iam_role" "plan" {
  name = "plan"
  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Action    = "sts:AssumeRoleWithWebIdentity"
      Principal = { Federated = "arn:aws:iam::111122223333:oidc-provider/gitlab.com" }
      Condition = { StringEquals = { "gitlab.com:sub" = "project_path:acme/plan:ref_type:branch:ref:main", "gitlab.com:aud" = "x" } }
    }]
  })
}
resource "aws_iam_role_policy" "plan" {
  role   = aws_iam_role.plan.name
  policy = jsonencode({ Version = "2012-10-17", Statement = [
    { Effect = "Allow", Action = ["s3:*", "iam:UpdateAssumeRolePolicy"], Resource = "*" },
  ] })
}
"#;
    const STACK: &str = r#"
AWSTemplateFormatVersion: "2010-09-09"
Resources:
  Admin:
    Type: AWS::IAM::Role
    Properties:
      RoleName: app-admin
      AssumeRolePolicyDocument:
        Statement:
          - { Effect: Allow, Action: sts:AssumeRole, Principal: { Service: lambda.amazonaws.com } }
          - { Effect: Allow, Action: sts:AssumeRole, Principal: { AWS: "*" } }
      ManagedPolicyArns: [arn:aws:iam::aws:policy/AdministratorAccess]
"#;
    Project::new()
        .file("app/main.tf", APP)
        .file("stack.yaml", STACK)
}

#[test]
fn accounts_of_the_configuration_join_roots() {
    let paths = ["paths", "--from", "plan", "--to", "app-admin"];
    // Nobody says that the stack is in the account of the provider.
    ask(&roots(), &paths, 1);
    let one = roots().file("overgrant.yaml", "own_accounts: ['111122223333']\n");
    ask(&one, &paths, 0);
    let other = roots().file("overgrant.yaml", "own_accounts: ['444455556666']\n");
    ask(&other, &paths, 1);
}

#[test]
fn a_deny_of_something_else_makes_no_doubt() {
    let with = |statement: &str, code: i32| {
        let text = format!(
            r#"
data "aws_caller_identity" "me" {{}}
resource "aws_iam_role" "worker" {{
  name                 = "worker"
  permissions_boundary = "arn:aws:iam::aws:policy/PowerUserAccess"
  assume_role_policy = jsonencode({{
    Version   = "2012-10-17"
    Statement = [{{ Effect = "Allow", Action = "sts:AssumeRole", Principal = {{ Service = "lambda.amazonaws.com" }} }}]
  }})
}}
resource "aws_iam_role_policy" "worker" {{
  role = aws_iam_role.worker.name
  policy = jsonencode({{ Version = "2012-10-17", Statement = [
    {{ Effect = "Allow", Action = "sqs:SendMessage", Resource = "arn:aws:sqs:eu-west-1:${{data.aws_caller_identity.me.account_id}}:jobs" }},
    {statement}
  ] }})
}}
"#
        );
        let project = Project::new()
            .file("main.tf", text)
            .file("overgrant.yaml", "own_accounts: ['111122223333']\n");
        let queue = "arn:aws:sqs:eu-west-1:111122223333:jobs";
        ask(&project, &["can", "worker", "sqs:SendMessage", queue], code)
    };
    const ACCOUNT: &str = "${data.aws_caller_identity.me.account_id}";
    with("", 0);
    with(
        r#"{ Effect = "Deny", Action = "s3:DeleteBucket", Resource = "*" },"#,
        0,
    );
    let other = format!(
        r#"{{ Effect = "Deny", Action = "sqs:*", Resource = "arn:aws:sqs:eu-west-1:{ACCOUNT}:other" }},"#
    );
    with(&other, 0);
    let spared = format!(
        r#"{{ Effect = "Deny", Action = "sqs:*", NotResource = "arn:aws:sqs:eu-west-1:{ACCOUNT}:jobs" }},"#
    );
    with(&spared, 0);
    with(&other.replace(":other", ":jobs"), 1);
    let tls = r#"{ Effect = "Deny", Action = "*", Resource = "*", Condition = { Bool = { "aws:SecureTransport" = "false" } } },"#;
    with(tls, 4);
}

#[test]
fn a_session_is_asked_by_what_starts_it() {
    let project = roots();
    for (arguments, code) in [
        (
            &["can", "provider.aws", "s3:GetObject", "arn:aws:s3:::x/y"][..],
            0,
        ),
        (
            &["can", "provider.aws", "s3:PutObject", "arn:aws:s3:::x/y"],
            1,
        ),
        (&["can", "plan", "s3:PutObject", "arn:aws:s3:::x/y"], 0),
        (&["can", "provider.awz", "s3:PutObject"], 2),
    ] {
        ask(&project, arguments, code);
    }
    let why = ask(
        &project,
        &["can", "provider.aws", "s3:PutObject", "arn:aws:s3:::x/y"],
        1,
    );
    assert!(
        why.stdout
            .contains("its session policy does not allow it (app/main.tf:"),
        "{}",
        why.stdout
    );
    let access = ask(&project, &["access", "provider.aws"], 0).stdout;
    assert!(
        access.contains("narrowed by the session policy of provider.aws"),
        "{access}"
    );
    assert!(!access.contains("UpdateAssumeRolePolicy"), "{access}");
}

#[test]
fn paths_start_from_outside_and_from_several() {
    let project = roots().file("overgrant.yaml", "own_accounts: ['111122223333']\n");
    let from = |names: &[&str], code: i32| {
        let mut arguments = vec!["paths", "-f", "json"];
        for name in names {
            arguments.extend(["--from", name]);
        }
        let ran = ask(&project, &arguments, code).json();
        let paths = ran["paths"].as_array().unwrap().clone();
        let mut found: Vec<String> = paths
            .iter()
            .map(|path| path["from"].as_str().unwrap_or_default().to_owned())
            .collect();
        found.sort();
        found.dedup();
        found
    };
    assert_eq!(from(&["internet"], 0).len(), 1);
    assert_eq!(from(&["ci"], 0).len(), 1);
    assert_eq!(
        from(&["acme/plan"], 0),
        from(&["ci"], 0),
        "by a part of the subject"
    );
    assert_eq!(from(&["internet", "ci", "plan"], 0).len(), 3);
    assert_eq!(from(&["federated"], 1).len(), 0, "there is none");
    let near = ask(&project, &["paths", "--from", "internt"], 2);
    assert!(
        near.stderr.contains("did you mean `internet`"),
        "{}",
        near.stderr
    );
    let near = ask(&project, &["paths", "--to", "app-admn"], 2);
    assert!(near.stderr.contains("app-admin"), "{}", near.stderr);
    let near = ask(
        &project,
        &["who-can", "s3:GetObject", "aws_iam_role.pln"],
        2,
    );
    assert!(
        near.stderr.contains("did you mean `aws_iam_role.plan`"),
        "{}",
        near.stderr
    );
}

#[test]
fn shells_complete_names_of_the_model() {
    let project = roots();
    let complete = |words: &[&str]| {
        let index = (words.len() - 1).to_string();
        let mut arguments = vec!["--"];
        arguments.extend(words);
        let environment = [
            ("COMPLETE", "bash"),
            ("_CLAP_COMPLETE_INDEX", index.as_str()),
        ];
        project.run_with(&arguments, &environment).stdout
    };
    let principals = complete(&["overgrant", "can", "aws_iam"]);
    assert!(principals.contains("aws_iam_role.plan"), "{principals}");
    let actions = complete(&["overgrant", "can", "plan", "s3:GetObjectA"]);
    assert!(
        actions.contains("s3:GetObjectAcl") && !actions.contains("Put"),
        "{actions}"
    );
    let starts = complete(&["overgrant", "paths", "--from", "inter"]);
    assert!(starts.contains("internet"), "{starts}");
}
