//! Inputs that are broken: told with place and remedy, never an end of the run.

use crate::support::{ADMIN, Project};

/// Runs over the project and gives the codes of the diagnostics; the good template must be found.
fn codes(project: &Project) -> Vec<String> {
    let ran = project.run(&["check", "-f", "json"]);
    assert!(ran.code == 1, "{}\n{}", ran.code, ran.stderr);
    let report = ran.json();
    let rules = report["findings"].to_string();
    assert!(
        rules.contains("admin-star-star"),
        "the rest of the run is lost: {report:#}"
    );
    let diagnostics = report["diagnostics"].as_array().unwrap();
    diagnostics
        .iter()
        .map(|d| d["code"].as_str().unwrap().to_owned())
        .collect()
}

fn with_good() -> Project {
    Project::new().file("good.yaml", ADMIN)
}

#[test]
fn broken_files_cost_themselves() {
    let broken = "AWSTemplateFormatVersion: x\nResources:\n  A: {Type: AWS::IAM::Role\n";
    assert_eq!(codes(&with_good().file("b.yaml", broken)).len(), 1);
    assert!(!codes(&with_good().file("b.tf", "resource \"a\" \"b\" {\n")).is_empty());
    assert_eq!(
        codes(&with_good().file("b.template", [0xff, 0xfe])),
        ["unreadable"]
    );
    assert_eq!(codes(&with_good().file("c.tf", [b'a', 0xff])).len(), 1);
}

#[test]
fn what_is_no_configuration_is_passed_over() {
    let project = with_good()
        .file("empty.tf", "")
        .file("empty.yaml", "")
        .file("other.yaml", "a: [1, 2]\n")
        .file("image.json", [0xff, 0xfe]);
    assert!(codes(&project).is_empty(), "{:?}", codes(&project));
    let named = project
        .run(&["check", "other.yaml", "good.yaml", "-f", "json"])
        .json();
    assert_eq!(named["diagnostics"][0]["code"], "not-configuration");
}

#[test]
fn broken_references_are_unknown_not_fatal() {
    let modules = with_good().file(
        "m/main.tf",
        "module \"x\" {\n  source = \"./none\"\n}\nmodule \"y\" {\n  source = \"acme/none/aws\"\n}\n",
    );
    let _ = codes(&modules);
    let cycle = with_good().file(
        "c/main.tf",
        "locals {\n  a = local.b\n  b = local.a\n}\nresource \"aws_iam_policy\" \"p\" {\n  policy = local.a\n}\n",
    );
    let _ = codes(&cycle);
    let assembly = with_good()
        .file("app/cdk.out/cdk.out", "{\"version\":\"38.0.0\"}")
        .file(
            "app/cdk.out/manifest.json",
            r#"{"version":"38.0.0","artifacts":{"S":{"type":"aws:cloudformation:stack","properties":{"templateFile":"S.template.json"}}}}"#,
        );
    assert!(!codes(&assembly).is_empty());
}

/// What is left of an assembly, under any name: the roles in it are found, or what is missing is told.
#[test]
fn assemblies_that_are_not_complete() {
    const MANIFEST: &str = r#"{"version":"38.0.0","artifacts":{"S":{"type":"aws:cloudformation:stack","properties":{"templateFile":"S.template.json"}}}}"#;
    const DOTTED: &str = r#"{"version":"38.0.0","artifacts":{"T":{"type":"cdk:cloud-assembly","properties":{"directoryName":"."}},
        "S":{"type":"aws:cloudformation:stack","properties":{"templateFile":"S.template.json"}}}}"#;
    const TREE: &str = r#"{"version":"tree-0.1","tree":{"id":"App","path":""}}"#;
    const VERSION: &str = r#"{"version":"38.0.0"}"#;
    let template = r#"{"Resources":{"R":{"Type":"AWS::IAM::Policy","Metadata":{"aws:cdk:path":"S/P/Resource"},"Properties":{
        "PolicyDocument":{"Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]}}}}}"#;
    let broken = MANIFEST.trim_end_matches('}');
    let (m, v, t, s) = ("manifest.json", "cdk.out", "tree.json", "S.template.json");
    for (files, found, code) in [
        (&[(m, MANIFEST), (v, VERSION), (s, template)][..], true, ""),
        (&[(m, MANIFEST), (s, template)], true, ""),
        (&[(v, VERSION), (s, template)], true, "cdk-manifest"),
        (&[(t, TREE), (s, template)], true, "cdk-manifest"),
        (
            &[(m, VERSION), (v, VERSION), (s, template)],
            true,
            "cdk-manifest",
        ),
        (&[(m, VERSION), (s, template)], true, "cdk-manifest"),
        (
            &[(m, broken), (v, VERSION), (s, template)],
            true,
            "cdk-manifest",
        ),
        (&[(m, broken), (s, template)], true, "cdk-manifest"),
        (&[(m, DOTTED), (s, template)], true, "cdk-manifest"),
        (&[(m, MANIFEST)], false, "cdk-missing-file"),
        (&[(m, MANIFEST), (v, VERSION)], false, "cdk-missing-file"),
        (&[(v, VERSION)], false, "cdk-missing-file"),
    ] {
        for directory in ["cdk.out", "synth"] {
            let mut project = Project::new();
            for (name, text) in files {
                project = project.file(&format!("app/{directory}/{name}"), *text);
            }
            let first = format!("app/{directory}/{}", files[0].0);
            for path in [".", &format!("app/{directory}"), &first] {
                let report = project.run(&["check", path, "-f", "json"]).json();
                let findings = report["findings"].to_string();
                assert_eq!(
                    findings.contains("admin-star-star"),
                    found,
                    "{path} {files:?}\n{report:#}"
                );
                let address = findings.contains(r#""address":"S/P""#);
                assert_eq!(address, found, "{path} {files:?}\n{report:#}");
                let told = report["diagnostics"].as_array().unwrap();
                let told = told.iter().map(|d| d["code"].as_str().unwrap());
                let told: Vec<_> = told.filter(|told| *told != "not-configuration").collect();
                assert_eq!(
                    told,
                    Vec::from_iter((!code.is_empty()).then_some(code)),
                    "{path} {files:?}"
                );
            }
        }
    }
}

#[cfg(unix)]
#[test]
fn links_do_not_loop_or_lead_out() {
    let outside = tempfile::tempdir().unwrap();
    std::fs::write(outside.path().join("secret.yaml"), ADMIN).unwrap();
    let project = with_good();
    std::os::unix::fs::symlink(project.path(), project.path().join("loop")).unwrap();
    std::os::unix::fs::symlink(
        outside.path().join("secret.yaml"),
        project.path().join("link.yaml"),
    )
    .unwrap();
    let report = project.run(&["check", "-f", "json"]).json();
    assert_eq!(report["summary"]["files"], 1, "{report:#}");
}

#[test]
fn deep_nesting_ends() {
    let deep = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
    let text = format!("{{\"AWSTemplateFormatVersion\": \"x\", \"Resources\": {deep}}}");
    let _ = codes(&with_good().file("deep.json", text));
    let hcl = format!(
        "locals {{\n  a = {}1{}\n}}\n",
        "(".repeat(50_000),
        ")".repeat(50_000)
    );
    let _ = codes(&with_good().file("deep.tf", hcl));
}

/// Each ends soon, with a diagnostic, and costs no other file.
#[test]
fn hostile_documents_are_told() {
    let head = "AWSTemplateFormatVersion: '2010-09-09'\n";
    let topic = "Resources: {A: {Type: AWS::SNS::Topic}}\n";
    let mut bomb = format!("{head}a0: &a0 [x, x, x, x]\n");
    for level in 1..40 {
        let last = format!("*a{}", level - 1);
        bomb.push_str(&format!("a{level}: &a{level} [{last}, {last}, {last}]\n"));
    }
    let items: Vec<String> = (0..300).map(|n| format!("i{n}")).collect();
    let items = items.join(", ");
    let loops = format!(
        "Transform: AWS::LanguageExtensions\nResources:\n  Fn::ForEach::A:\n    - A\n    - [{items}]\n    - Fn::ForEach::B:\n        - B\n        - [{items}]\n        - 'T${{A}}${{B}}': {{Type: AWS::SNS::Topic}}\n"
    );
    let nested =
        "Resources: {N: {Type: AWS::CloudFormation::Stack, Properties: {TemplateURL: h.yaml}}}\n";
    let name = "x".repeat(100_000);
    let uses = "${A.TopicName}".repeat(20_000);
    let grows = format!(
        "Resources:\n  A: {{Type: AWS::SNS::Topic, Properties: {{TopicName: {name}}}}}\n  B: {{Type: AWS::SNS::Topic, Properties: {{TopicName: !Sub '{uses}'}}}}\n"
    );
    let line = format!(
        r#"{{"Resources": {{"A": {{"Type": "AWS::SNS::Topic", "Properties": {{"T": "{}"}}}}}}}}"#,
        "x".repeat(50_000_000)
    );
    let not_utf8 = [head.as_bytes(), b"Description: \xff\n", topic.as_bytes()].concat();
    let wide: Vec<u8> = [0xff, 0xfe]
        .into_iter()
        .chain(
            format!("{head}{topic}")
                .encode_utf16()
                .flat_map(u16::to_le_bytes),
        )
        .collect();
    let outside = r#"{"version": "55.0.0", "artifacts": {"S": {"type": "aws:cloudformation:stack", "properties": {"templateFile": "../../good.yaml"}}}}"#;
    let itself = r#"{"version": "55.0.0", "artifacts": {"T": {"type": "cdk:cloud-assembly", "properties": {"directoryName": "../cdk.out"}}}}"#;
    for (path, text, code) in [
        ("h.yaml", bomb.into_bytes(), "yaml-limit"),
        (
            "h.yaml",
            format!("{head}A: {}", "[".repeat(100_000)).into_bytes(),
            "yaml-syntax",
        ),
        ("h.yaml", loops.into_bytes(), "for-each"),
        ("h.yaml", nested.into(), "nested-template"),
        ("h.yaml", grows.into_bytes(), "too-complex"),
        ("h.json", line.into_bytes(), "unreadable"),
        ("h.yaml", not_utf8, "unreadable"),
        ("h.yaml", wide, "unreadable"),
        ("cdk.out/manifest.json", outside.into(), "cdk-manifest"),
        ("cdk.out/manifest.json", itself.into(), "cdk-manifest"),
    ] {
        let told = codes(&with_good().file(path, text));
        assert!(told.iter().any(|told| told == code), "{code}: {told:?}");
    }
}

#[test]
fn a_plan_written_by_windows_powershell_is_read() {
    let policy =
        r#"{\"Statement\": [{\"Effect\": \"Allow\", \"Action\": \"*\", \"Resource\": \"*\"}]}"#;
    let plan = format!(
        r#"{{"format_version": "1.2", "terraform_version": "1.11.4", "planned_values": {{}}, "resource_changes": [
  {{"address": "aws_iam_policy.p", "mode": "managed", "type": "aws_iam_policy", "name": "p",
   "change": {{"actions": ["create"], "after_unknown": {{}}, "after": {{"name": "p",
    "policy": "{policy}"}}}}}}
], "configuration": {{"root_module": {{}}}}}}
"#
    );
    let mut bytes = vec![0xff, 0xfe];
    bytes.extend(plan.encode_utf16().flat_map(u16::to_le_bytes));
    let project = Project::new().file("plan.json", bytes);
    let report = project.run(&["check", "plan.json", "-f", "json"]).json();
    let finding = &report["findings"][0];
    assert_eq!(finding["rule"], "admin-star-star", "{report:#}");
    assert_eq!(finding["start"]["line"], 4);
}

#[test]
fn what_a_macro_may_add_is_not_missed() {
    let statement = |first: &str| {
        format!(
            "Resources:\n  P:\n    Type: AWS::IAM::ManagedPolicy\n    Properties:\n      PolicyDocument:\n        Version: '2012-10-17'\n        Statement:\n          - {first}\n            Effect: Allow\n            Resource: '*'\n"
        )
    };
    for (first, found) in [("Fn::Transform: {Name: Mine}", false), ("Sid: Mine", true)] {
        let project = Project::new().file("t.yaml", statement(first));
        let report = project.run(&["check", "-f", "json"]).json();
        let told = report["findings"]
            .to_string()
            .contains("policy-grammar-invalid");
        assert_eq!(told, found, "{report:#}");
    }
}

#[test]
fn messages_stay_on_their_line() {
    let evil = ADMIN.replace("  Ci:", "  \"Ci\\n::error::x\":");
    let ran = Project::new()
        .file("t.yaml", evil)
        .run(&["check", "-f", "github"]);
    for line in ran.stdout.lines() {
        assert!(!line.starts_with("::error::x"), "{}", ran.stdout);
    }
}
