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
