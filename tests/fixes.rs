//! `--fix`: every fix of every example, and the program from outside.

use crate::rule_examples::{EVERYTHING, check_with, prepare, show};
use crate::support::{Project, Ran};
use overgrant_engine::{Fixed, Fixing, Options, Outcome, Texts, fix_by, load_in};
use overgrant_finding::{Confidence, Severity};
use overgrant_ir::{Model, PolicyDocument};
use overgrant_policy::{Answer, Stack, engine};
use overgrant_rules::{ALL, Docs, Example, ExampleKind};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// Rules with a fix for one of their bad examples at least, and whether all of those are safe.
const FIXABLE: &[(&str, bool)] = &[
    ("action-resource-mismatch", false),
    ("boundary-detachable", false),
    ("boundary-iam-denylist-incomplete", false),
    ("boundary-or-deny-removal", false),
    ("boundary-policy-mutable", false),
    ("cloudtrail-trail-incomplete", true),
    ("equals-operator-with-wildcard", false),
    ("forallvalues-allow-without-null-guard", false),
    ("ifexists-on-security-key-in-allow", false),
    ("imdsv1-allowed", false),
    ("mfa-allow-boolifexists", false),
    ("mfa-deny-misses-long-term-keys", false),
    ("oidc-condition-operator-unsafe", false),
    ("password-policy-missing-or-weak", true),
    ("permission-set-session-long", true),
    ("policy-version-missing-or-old", false),
    ("s3-public-access-block-off", false),
    ("scp-cloudtrail-guard-incomplete", false),
    ("scp-detective-service-guard-incomplete", false),
    ("unknown-or-empty-action", false),
];

/// Texts whose fixes no example has: rule, language and options,
/// whether the fix is safe, the text, what changes in it, and into what.
const MORE: &[(&str, &str, bool, &str, &str, &str)] = &[
    (
        "policy-grammar-invalid",
        "terraform",
        true,
        r#"resource "aws_iam_policy" "p" {
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{ Effect = "allow", Action = "s3:GetObject", Resource = "arn:aws:s3:::acme/a" }]
  })
}
"#,
        "\"allow\"",
        "\"Allow\"",
    ),
    (
        "policy-version-missing-or-old",
        "terraform",
        true,
        r#"resource "aws_iam_policy" "p" {
  policy = <<JSON
{"Version": "2008-10-17", "Statement": {"Effect": "Allow", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::acme/a"}}
JSON
}
"#,
        "2008-10-17",
        "2012-10-17",
    ),
    (
        "policy-version-missing-or-old",
        "cloudformation",
        true,
        "Resources:
  P:
    Type: AWS::SSO::PermissionSet
    Properties:
      Name: p
      InlinePolicy: '{\"Version\": \"2008-10-17\", \"Statement\": {\"Effect\": \"Allow\", \"Action\": \"s3:GetObject\", \"Resource\": \"arn:aws:s3:::acme/a\"}}'
",
        "2008-10-17",
        "2012-10-17",
    ),
    (
        "mfa-allow-boolifexists",
        "terraform",
        false,
        r#"data "aws_iam_policy_document" "p" {
  statement {
    actions   = ["ec2:StopInstances"]
    resources = ["arn:aws:ec2:eu-west-1:111122223333:instance/*"]
    condition {
      test     = "BoolIfExists"
      variable = "aws:MultiFactorAuthPresent"
      values   = ["true"]
    }
  }
}
resource "aws_iam_policy" "p" {
  policy = data.aws_iam_policy_document.p.json
}
"#,
        "BoolIfExists",
        "Bool",
    ),
    (
        "oidc-aud-missing-or-wide",
        "cloudformation",
        false,
        "Resources:
  Provider:
    Type: AWS::IAM::OIDCProvider
    Properties:
      Url: https://token.actions.githubusercontent.com
      ClientIdList: [sts.amazonaws.com]
  Role:
    Type: AWS::IAM::Role
    Properties:
      AssumeRolePolicyDocument:
        Version: '2012-10-17'
        Statement:
          - Effect: Allow
            Action: sts:AssumeRoleWithWebIdentity
            Principal: {Federated: !Ref Provider}
            Condition:
              StringEquals:
                token.actions.githubusercontent.com:sub: repo:acme/shop:environment:prod
",
        "environment:prod\n",
        "environment:prod\n                \"token.actions.githubusercontent.com:aud\": sts.amazonaws.com\n",
    ),
    (
        "s3-public-access-block-off",
        "terraform",
        false,
        r#"resource "aws_s3_bucket_public_access_block" "logs" {
  bucket                  = "acme-logs"
  block_public_acls       = false
  block_public_policy     = false
  ignore_public_acls      = false
  restrict_public_buckets = false
}
"#,
        "false",
        "true",
    ),
    (
        "service-trust-confused-deputy",
        "terraform own_accounts:111122223333",
        false,
        r#"resource "aws_iam_role" "r" {
  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Action    = "sts:AssumeRole"
      Principal = { Service = "config.amazonaws.com" }
    }]
  })
}
"#,
        "amazonaws.com\" }\n",
        "amazonaws.com\" }\n      Condition = {\n        StringEquals = {\n          \"aws:SourceAccount\" = \"111122223333\"\n        }\n      }\n",
    ),
    (
        "service-principal-without-source-guard",
        "cloudformation own_accounts:111122223333",
        false,
        "Resources:
  Topic:
    Type: AWS::SNS::Topic
  Policy:
    Type: AWS::SNS::TopicPolicy
    Properties:
      Topics: [!Ref Topic]
      PolicyDocument:
        Version: '2012-10-17'
        Statement:
          - Effect: Allow
            Principal: {Service: s3.amazonaws.com}
            Action: sns:Publish
            Resource: !Ref Topic
",
        "Resource: !Ref Topic\n",
        "Resource: !Ref Topic\n            Condition:\n              StringEquals:\n                \"aws:SourceAccount\": \"111122223333\"\n",
    ),
    (
        "boundary-required-missing",
        "terraform boundary_required:aws_iam_role.*=arn:aws:iam::111122223333:policy/cap",
        false,
        r#"resource "aws_iam_role" "r" {
  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Action    = "sts:AssumeRole"
      Principal = { Service = "ec2.amazonaws.com" }
    }]
  })
}
"#,
        "  })\n}",
        "  })\n  permissions_boundary = \"arn:aws:iam::111122223333:policy/cap\"\n}",
    ),
    (
        "boundary-required-missing",
        "cloudformation boundary_required:R=arn:aws:iam::111122223333:policy/cap",
        false,
        "Resources:
  R:
    Type: AWS::IAM::Role
    Properties:
      PermissionsBoundary: arn:aws:iam::111122223333:policy/old-cap
      AssumeRolePolicyDocument:
        Version: '2012-10-17'
        Statement:
          - Effect: Allow
            Action: sts:AssumeRole
            Principal: {Service: ec2.amazonaws.com}
",
        "old-cap",
        "cap",
    ),
    (
        "force-mfa-policy-flawed",
        "terraform",
        false,
        r#"resource "aws_iam_policy" "mfa" {
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      { Effect = "Allow", Action = ["iam:EnableMFADevice", "iam:ListMFADevices"], Resource = ["*"] },
      {
        Effect    = "Deny"
        NotAction = ["iam:CreateVirtualMFADevice", "iam:EnableMFADevice", "iam:ListMFADevices", "iam:GetUser", "iam:ChangePassword", "sts:GetSessionToken"]
        Resource  = "*"
        Condition = { BoolIfExists = { "aws:MultiFactorAuthPresent" = "false" } }
      },
    ]
  })
}
"#,
        "[\"*\"]",
        "[\"arn:aws:iam::*:user/$${aws:username}\"]",
    ),
    (
        "credential-creation-for-others",
        "cloudformation",
        false,
        "Resources:
  Own:
    Type: AWS::IAM::ManagedPolicy
    Properties:
      PolicyDocument:
        Version: '2012-10-17'
        Statement:
          - Sid: OwnKeys
            Effect: Allow
            Action: ['iam:CreateAccessKey', 'iam:DeleteAccessKey']
            Resource: '*'
",
        "'*'",
        "'arn:aws:iam::*:user/${aws:username}'",
    ),
    (
        "boundary-iam-denylist-incomplete",
        "terraform",
        false,
        r#"resource "aws_iam_policy" "cap" {
  policy = <<-JSON
    {
      "Version": "2012-10-17",
      "Statement": [
        {"Effect": "Allow", "Action": ["iam:Attach*", "iam:CreatePolicyVersion", "s3:*"], "Resource": "*"},
        {"Effect": "Deny", "Action": "iam:Attach*", "Resource": "*"}
      ]
    }
  JSON
}
resource "aws_iam_role" "team" {
  permissions_boundary = aws_iam_policy.cap.arn
  assume_role_policy = jsonencode({
    Version   = "2012-10-17"
    Statement = [{ Effect = "Allow", Action = "sts:AssumeRole", Principal = { Service = "ec2.amazonaws.com" } }]
  })
}
"#,
        "\"Deny\", \"Action\": \"iam:Attach*\"",
        "\"Deny\", \"Action\": [\"iam:Attach*\", \"iam:CreatePolicyVersion\"]",
    ),
    (
        "scp-cloudtrail-guard-incomplete",
        "cloudformation scope:module,organization",
        false,
        "Resources:
  Trail:
    Type: AWS::Organizations::Policy
    Properties:
      Name: trail
      Type: SERVICE_CONTROL_POLICY
      TargetIds: [ou-k3m9-p7q2r4s8]
      Content:
        Version: '2012-10-17'
        Statement:
          - Effect: Deny
            Action:
              - cloudtrail:Stop*
              - cloudtrail:Delete* # trails and stores
              - cloudtrail:Update*
              - cloudtrail:PutEventSelectors
            Resource: '*'
",
        "PutEventSelectors\n",
        "PutEventSelectors\n              - \"cloudtrail:PutInsightSelectors\"\n",
    ),
    (
        "boundary-detachable",
        "cloudformation",
        false,
        "Resources:
  Delegate:
    Type: AWS::IAM::ManagedPolicy
    Properties:
      PolicyDocument:
        Version: '2012-10-17'
        Statement:
          - Effect: Allow
            Action: [iam:CreateRole, iam:PutRolePolicy]
            Resource: arn:aws:iam::111122223333:role/team/*
            Condition:
              StringEquals:
                iam:PermissionsBoundary: arn:aws:iam::111122223333:policy/team-cap
          - Effect: Allow
            Action: iam:DeleteRolePermissionsBoundary
            Resource: arn:aws:iam::111122223333:role/team/*
  Other:
    Type: AWS::SQS::Queue
",
        "role/team/*\n  Other",
        "role/team/*\n          - Effect: \"Deny\"\n            Action: \"iam:DeleteRolePermissionsBoundary\"\n            Resource: \"*\"\n  Other",
    ),
    (
        "action-resource-mismatch",
        "terraform",
        false,
        r#"data "aws_iam_policy_document" "d" {
  statement {
    actions   = ["s3:GetObject"]
    resources = ["arn:aws:s3:::acme-data"]
  }
}
resource "aws_iam_policy" "p" {
  policy = data.aws_iam_policy_document.d.json
}
"#,
        "acme-data\"",
        "acme-data\", \"arn:aws:s3:::acme-data/*\"",
    ),
    (
        "boundary-detachable",
        "terraform",
        false,
        r#"data "aws_iam_policy_document" "delegate" {
  statement {
    actions   = ["iam:CreateRole"]
    resources = ["arn:aws:iam::111122223333:role/team/*"]
    condition {
      test     = "StringEquals"
      variable = "iam:PermissionsBoundary"
      values   = ["arn:aws:iam::111122223333:policy/team-cap"]
    }
  }
  statement {
    actions   = ["iam:DeleteRolePermissionsBoundary"]
    resources = ["arn:aws:iam::111122223333:role/team/*"]
  }
}
resource "aws_iam_policy" "delegate" {
  policy = data.aws_iam_policy_document.delegate.json
}
"#,
        "team/*\"]\n  }\n}",
        "team/*\"]\n  }\n\n  statement {\n    effect    = \"Deny\"\n    actions   = [\"iam:DeleteRolePermissionsBoundary\"]\n    resources = [\"*\"]\n  }\n}",
    ),
    (
        "equals-operator-with-wildcard",
        "terraform",
        false,
        r#"data "aws_iam_policy_document" "d" {
  statement {
    effect    = "Deny"
    actions   = ["s3:GetObject"]
    resources = ["arn:aws:s3:::acme-data/*"]
    condition {
      test     = "StringEquals"
      variable = "aws:PrincipalTag/team"
      values   = ["shop-*"]
    }
  }
}
resource "aws_iam_policy" "p" {
  policy = data.aws_iam_policy_document.d.json
}
"#,
        "StringEquals",
        "StringLike",
    ),
];

fn fixed(rule: &str, example: &Example) -> Fixed {
    let select = [rule.to_owned()];
    fix_by(Fixing::All, &|texts| {
        Ok(check_with(texts, example, EVERYTHING, &select))
    })
    .unwrap()
}

/// Rules that mend documents which IAM refuses or reads otherwise than they are meant: their fixes let
/// the access begin that is written down.
const REPAIRS: [&str; 4] = [
    "action-resource-mismatch",
    "policy-grammar-invalid",
    "policy-version-missing-or-old",
    "unknown-or-empty-action",
];

/// The documents that allow more once the texts are in place.
fn grown(texts: &Texts, example: &Example) -> Vec<String> {
    let options = Options {
        threads: Some(1),
        ..Options::default()
    };
    let load = |texts: &Texts| {
        let (sources, found) = prepare(texts, example);
        load_in(&sources, &found, &options).unwrap()
    };
    let (before, after) = (load(&Texts::new()), load(texts));
    let named = |model: &Model| -> BTreeMap<String, PolicyDocument> {
        let mut nth: BTreeMap<String, usize> = BTreeMap::new();
        let documents = model.documents.iter().map(|document| {
            let name = format!("{} {:?}", document.place.address, document.role);
            let count = nth.entry(name.clone()).or_default();
            *count += 1;
            (format!("{name} {count}"), document.clone())
        });
        documents.collect()
    };
    let known = named(&before.model);
    let mut grown = Vec::new();
    for (name, new) in named(&after.model) {
        let Some(old) = known.get(&name) else {
            grown.push(format!("{name}: new"));
            continue;
        };
        let of = |held: &PolicyDocument| Arc::clone(&held.document);
        let (new_document, old_document) = (of(&new), of(old));
        let (new_stack, old_stack) = if !new.role.is_identity()
            && new_document
                .statements
                .iter()
                .any(|one| one.principals.listed().present)
        {
            (
                Stack::resource(&new_document),
                Stack::resource(&old_document),
            )
        } else {
            (
                Stack::identity(vec![&new_document]),
                Stack::identity(vec![&old_document]),
            )
        };
        let difference = engine::difference(&new_stack, &old_stack);
        if difference.answer == Answer::Must {
            grown.push(format!("{name}: {:?}", difference.witness));
        }
    }
    grown
}

/// What speaks against the fixes of one text; `None` where it has none.
fn problems(rule: &str, example: &Example) -> Option<(bool, Vec<String>)> {
    let fixed = fixed(rule, example);
    if fixed.count == 0 {
        return None;
    }
    let mut wrong = Vec::new();
    let fixes = || fixed.before.findings.iter().filter(|one| one.fix.is_some());
    let gone: BTreeSet<String> = fixes().map(show).collect();
    let left = fixed.after.findings.iter().map(show);
    wrong.extend(
        left.filter(|one| gone.contains(one))
            .map(|one| format!("left: {one}")),
    );
    let texts: Texts = fixed
        .changes
        .iter()
        .map(|change| (Arc::clone(&change.path), Arc::clone(&change.after)))
        .collect();
    let shown = (Severity::Medium, Confidence::Medium);
    let all = |texts: &Texts| names(&check_with(texts, example, shown, &[]));
    let known = all(&Texts::new());
    for (name, shown) in all(&texts) {
        if !known.contains_key(&name) {
            wrong.push(format!("new: {shown}"));
        }
    }
    if !REPAIRS.contains(&rule) {
        wrong.extend(
            grown(&texts, example)
                .iter()
                .map(|what| format!("allows more: {what}")),
        );
    }
    let safe = fixes().all(|one| one.fix.as_ref().is_some_and(|fix| fix.safe));
    Some((safe, wrong))
}

/// Rule and address of every finding, with what it says.
fn names(outcome: &Outcome) -> BTreeMap<(&'static str, String), String> {
    let findings = outcome.findings.iter();
    findings
        .map(|one| {
            (
                (one.finding.rule, one.finding.address.to_string()),
                show(one),
            )
        })
        .collect()
}

#[test]
fn a_fixed_finding_is_gone_and_nothing_new_appears() {
    let mut all = Vec::new();
    let mut fixable: BTreeMap<&str, bool> = BTreeMap::new();
    for rule in ALL {
        let examples = Docs::of(rule).examples;
        for (index, example) in examples.iter().enumerate() {
            if example.kind != ExampleKind::Bad {
                continue;
            }
            if let Some((safe, wrong)) = problems(rule.id, example) {
                *fixable.entry(rule.id).or_insert(true) &= safe;
                all.extend(
                    wrong
                        .iter()
                        .map(|what| format!("{} example {}: {what}", rule.id, index + 1)),
                );
            }
        }
    }
    assert!(all.is_empty(), "{}", all.join("\n"));
    let found: Vec<(&str, bool)> = fixable.into_iter().collect();
    assert_eq!(found, FIXABLE);
}

#[test]
fn fixes_keep_what_stands_around_them() {
    for (rule, language, safe, text, from, to) in MORE {
        let mut words = language.split(' ').map(str::to_owned);
        let example = Example {
            language: words.next().unwrap(),
            kind: ExampleKind::Bad,
            text: (*text).to_owned(),
            marked: None,
            options: words.collect(),
        };
        let problems = problems(rule, &example).unwrap_or_else(|| panic!("{rule}: no fix"));
        assert_eq!(problems, (*safe, Vec::new()), "{rule}");
        let changes = fixed(rule, &example).changes;
        assert_eq!(*changes[0].after, text.replace(from, to), "{rule}");
        assert_eq!(changes.len(), 1, "{rule}");
    }
}

const MAIN: &str = r#"resource "aws_s3_bucket_public_access_block" "logs" {
  bucket                  = "acme-logs"
  block_public_acls       = true
  block_public_policy     = false # was needed once
  ignore_public_acls      = true
  restrict_public_buckets = true
}

resource "aws_iam_policy" "reader" {
  policy = <<-JSON
    {
      "Version": "2008-10-17",
      "Statement": {"Effect": "Allow", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::acme-logs/*"}
    }
  JSON
}
"#;

const TEMPLATE: &str = "AWSTemplateFormatVersion: '2010-09-09'
Resources:
  Reader:
    Type: AWS::IAM::ManagedPolicy
    Properties:
      PolicyDocument:
        Version: 2008-10-17 # old
        Statement:
          - effect: Allow
            Action: s3:GetObject
            Resource: 'arn:aws:s3:::acme-logs/*'
";

const PREVIEW: &str = r#"--- a/main.tf
+++ b/main.tf
@@ -1,7 +1,7 @@
 resource "aws_s3_bucket_public_access_block" "logs" {
   bucket                  = "acme-logs"
   block_public_acls       = true
-  block_public_policy     = false # was needed once
+  block_public_policy     = true # was needed once
   ignore_public_acls      = true
   restrict_public_buckets = true
 }
@@ -9,7 +9,7 @@
 resource "aws_iam_policy" "reader" {
   policy = <<-JSON
     {
-      "Version": "2008-10-17",
+      "Version": "2012-10-17",
       "Statement": {"Effect": "Allow", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::acme-logs/*"}
     }
   JSON
--- a/t.yaml
+++ b/t.yaml
@@ -4,8 +4,8 @@
     Type: AWS::IAM::ManagedPolicy
     Properties:
       PolicyDocument:
-        Version: 2008-10-17 # old
+        Version: 2012-10-17 # old
         Statement:
-          - effect: Allow
+          - Effect: Allow
             Action: s3:GetObject
             Resource: 'arn:aws:s3:::acme-logs/*'
"#;

fn project() -> Project {
    Project::new()
        .file("main.tf", MAIN)
        .file("t.yaml", TEMPLATE)
        .file("cdk.out/t.template.json", "{}")
        .file(".terraform/modules/m/main.tf", MAIN)
}

fn read(project: &Project, path: &str) -> String {
    std::fs::read_to_string(project.path().join(path)).unwrap()
}

fn fix(project: &Project, more: &[&str]) -> Ran {
    project.run(&[&["check", "--min-severity", "low"], more].concat())
}

#[test]
fn files_are_fixed_and_what_is_left_is_reported() {
    let project = project();
    let ran = fix(&project, &["--fix"]);
    assert_eq!(
        ran.stderr.lines().next().unwrap(),
        "fixed 3 findings in 2 files, 1 left (1 more with --fix=unsafe)"
    );
    assert_eq!(ran.code, 1, "{}", ran.stdout);
    assert!(
        ran.stdout.contains("s3-public-access-block-off"),
        "{}",
        ran.stdout
    );
    assert_eq!(read(&project, "main.tf"), MAIN.replace("2008", "2012"));
    assert_eq!(
        read(&project, "t.yaml"),
        TEMPLATE
            .replace("2008", "2012")
            .replace("effect:", "Effect:")
    );
    let ran = fix(&project, &["--fix=unsafe"]);
    assert_eq!(
        ran.stderr.lines().next().unwrap(),
        "fixed 1 finding in 1 file, 0 left"
    );
    assert_eq!((ran.code, ran.stdout.as_str()), (0, ""));
    assert_eq!(
        read(&project, "main.tf"),
        MAIN.replace("2008", "2012").replace("false", "true")
    );
    let ran = fix(&project, &["--fix=unsafe"]);
    assert_eq!(
        ran.stderr.lines().next().unwrap(),
        "fixed 0 findings, 0 left"
    );
    assert_eq!(read(&project, ".terraform/modules/m/main.tf"), MAIN);
    let names: BTreeSet<_> = std::fs::read_dir(project.path())
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    assert_eq!(
        names.iter().map(String::as_str).collect::<Vec<_>>(),
        [".git", ".terraform", "cdk.out", "main.tf", "t.yaml"]
    );
}

#[test]
fn a_preview_is_a_diff_and_writes_nothing() {
    let project = project();
    let ran = fix(&project, &["--fix=unsafe", "--preview"]);
    assert_eq!(ran.stdout, PREVIEW);
    assert_eq!(ran.code, 1, "as without --fix");
    assert_eq!(
        ran.stderr.lines().next().unwrap(),
        "would fix 4 findings in 2 files, 0 left"
    );
    assert_eq!(read(&project, "main.tf"), MAIN);
    assert_eq!(read(&project, "t.yaml"), TEMPLATE);
    assert_eq!(project.run(&["check", "--preview"]).code, 2);
}

#[test]
fn fixes_stand_in_json_and_sarif() {
    let project = project();
    let json = fix(&project, &["-f", "json"]).json();
    let found = json["findings"].as_array().unwrap();
    let fix_of = |rule: &str| {
        let one = found.iter().find(|one| one["rule"] == rule).unwrap();
        one["fix"].clone()
    };
    let wanted = serde_json::json!({
        "title": "Block public access",
        "safe": false,
        "edits": [{
            "path": "main.tf",
            "start": {"line": 4, "column": 29},
            "end": {"line": 4, "column": 34},
            "text": "true",
        }],
    });
    assert_eq!(fix_of("s3-public-access-block-off"), wanted);
    let sarif = fix(&project, &["-f", "sarif"]).json();
    let results = sarif["runs"][0]["results"].as_array().unwrap();
    let one = results
        .iter()
        .find(|one| one["ruleId"] == "s3-public-access-block-off")
        .unwrap();
    let wanted = serde_json::json!([{
        "description": {"text": "Block public access"},
        "artifactChanges": [{
            "artifactLocation": {"uri": "main.tf", "uriBaseId": "%SRCROOT%"},
            "replacements": [{
                "deletedRegion": {"startLine": 4, "startColumn": 29, "endLine": 4, "endColumn": 34},
                "insertedContent": {"text": "true"},
            }],
        }],
    }]);
    assert_eq!(one["fixes"], wanted);
}
