//! `--fix` from outside: what is written, shown and reported.

use crate::support::{Project, Ran};
use std::collections::BTreeSet;

const MAIN: &str = r#"resource "aws_s3_bucket_public_access_block" "logs" {
  bucket                  = "acme-logs"
  block_public_acls       = true
  block_public_policy     = false # was needed once
  ignore_public_acls      = true
  # what is public is for later
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
   # what is public is for later
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
