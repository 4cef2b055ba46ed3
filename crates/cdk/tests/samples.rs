//! One app, synthesised by several versions of the library: every role and policy has its construct,
//! its class, and its line where the version records one.
//!
//! The files stand in `testdata/cdk-sample`. Some versions left only a manifest or metadata there;
//! the templates of the newest one stand in for theirs, as the app is the same.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a test")]

use overgrant_cdk::Assembly;
use overgrant_source::Sources;
use std::fmt::Write as _;
use std::sync::Arc;

const NEWEST: [(&str, &str); 8] = [
    ("manifest.json", "cdk.out/manifest.json"),
    ("tree.json", "cdk.out/tree.json"),
    (
        "SampleStack.template.json",
        "cdk.out/SampleStack.template.json",
    ),
    (
        "SampleStack.metadata.json",
        "cdk.out/SampleStack.metadata.json",
    ),
    (
        "SampleStackInner2E14CE08.nested.template.json",
        "cdk.out/SampleStackInner2E14CE08.nested.template.json",
    ),
    (
        "assembly-Prod/manifest.json",
        "cdk.out/assembly-Prod/manifest.json",
    ),
    (
        "assembly-Prod/ProdStageStack38EB85C0.template.json",
        "cdk.out/assembly-Prod/ProdStageStack38EB85C0.template.json",
    ),
    (
        "assembly-Prod/ProdStageStack38EB85C0.metadata.json",
        "cdk.out/assembly-Prod/ProdStageStack38EB85C0.metadata.json",
    ),
];

fn read(name: &str) -> String {
    let directory = concat!(env!("CARGO_MANIFEST_DIR"), "/../../testdata/cdk-sample/");
    let path = format!("{directory}{name}");
    std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// The newest sample with some files replaced: name in the assembly and text.
fn sample(replaced: &[(&str, String)]) -> Arc<Sources> {
    let sources = Arc::new(Sources::new("."));
    sources.add("app/app.ts", &read("app.ts"));
    for (name, file) in NEWEST {
        let other = replaced.iter().find(|(replaced, _)| *replaced == name);
        let text = other.map_or_else(|| read(file), |(_, text)| text.clone());
        sources.add(&format!("app/cdk.out/{name}"), &text);
    }
    for (name, text) in replaced {
        if !NEWEST.iter().any(|(known, _)| known == name) {
            sources.add(&format!("app/cdk.out/{name}"), text);
        }
    }
    sources
}

/// A line per role and policy: address, class, and line of the app with `~` where it is that of the
/// construct around it.
fn constructs(sources: &Arc<Sources>) -> String {
    let assembly = Assembly::read(Arc::clone(sources), "app/cdk.out");
    let mut lines = String::new();
    for told in assembly.diagnostics() {
        writeln!(lines, "{}: {}", told.code, told.message).unwrap();
    }
    for stack in assembly.stacks() {
        let found = assembly.evaluate(stack);
        for resource in &found.resources {
            if !matches!(
                resource.kind.as_str(),
                "AWS::IAM::Role" | "AWS::IAM::Policy" | "AWS::IAM::ManagedPolicy"
            ) {
                continue;
            }
            let class = found.classes.get(&resource.address);
            let class = class.map_or("-", |class| class.as_str());
            let class = class.strip_prefix("aws-cdk-lib.").unwrap_or(class);
            write!(lines, "{} {class}", resource.address).unwrap();
            let place = found.constructs.iter().find(|c| c.path == resource.address);
            if let Some(place) = place {
                let (path, start, _) = sources.locate(place.source).unwrap();
                assert_eq!(&*path, "app/app.ts");
                let sign = if place.own { "" } else { "~" };
                write!(lines, " {sign}{}", start.line).unwrap();
            }
            lines.push('\n');
        }
    }
    lines
}

/// What every version knows, with `lines` behind the constructs they name.
fn expected(lines: &[(&str, &str)]) -> String {
    let all = [
        ("SampleStack/Platform/Fn/ServiceRole", "aws_iam.Role"),
        (
            "SampleStack/Platform/Fn/ServiceRole/DefaultPolicy",
            "aws_iam.Policy",
        ),
        (
            "SampleStack/Custom::AWSCDKOpenIdConnectProviderCustomResourceProvider/Role",
            "CfnResource",
        ),
        ("SampleStack/DeployRole", "aws_iam.Role"),
        ("SampleStack/CrossAccount", "aws_iam.Role"),
        ("SampleStack/Shared", "aws_iam.ManagedPolicy"),
        ("SampleStack/Task/TaskRole", "aws_iam.Role"),
        ("SampleStack/Task/ExecutionRole", "aws_iam.Role"),
        (
            "SampleStack/Task/ExecutionRole/DefaultPolicy",
            "aws_iam.Policy",
        ),
        ("SampleStack/Inner/NestedRole", "aws_iam.Role"),
        (
            "SampleStack/Inner/NestedRole/DefaultPolicy",
            "aws_iam.Policy",
        ),
        ("Prod/StageStack/StageRole", "aws_iam.Role"),
    ];
    let mut text = String::new();
    for (path, class) in all {
        let line = lines.iter().find(|(end, _)| path.ends_with(end));
        let line = line.map_or(String::new(), |(_, line)| format!(" {line}"));
        writeln!(text, "{path} {class}{line}").unwrap();
    }
    text
}

/// What the newest version records without further options.
const DEFAULT: [(&str, &str); 12] = [
    ("Fn/ServiceRole", "27"),
    // A grant: the function around it.
    ("Fn/ServiceRole/DefaultPolicy", "~27"),
    ("CustomResourceProvider/Role", "47"),
    ("DeployRole", "51"),
    ("CrossAccount", "58"),
    ("Shared", "59"),
    ("TaskRole", "64"),
    ("ExecutionRole", "~64"),
    ("ExecutionRole/DefaultPolicy", "~64"),
    ("NestedRole", "14"),
    ("NestedRole/DefaultPolicy", "~14"),
    ("StageRole", "74"),
];

/// With enough frames, or complete ones, a grant has its own line.
const COMPLETE: [(&str, &str); 12] = [
    ("Fn/ServiceRole", "27"),
    ("Fn/ServiceRole/DefaultPolicy", "42"),
    ("CustomResourceProvider/Role", "47"),
    ("DeployRole", "51"),
    ("CrossAccount", "58"),
    ("Shared", "59"),
    ("TaskRole", "64"),
    ("ExecutionRole", "65"),
    ("ExecutionRole/DefaultPolicy", "65"),
    ("NestedRole", "14"),
    ("NestedRole/DefaultPolicy", "18"),
    ("StageRole", "74"),
];

#[test]
fn every_version_maps_roles_and_policies_to_their_constructs() {
    let metadata = |name: &str| vec![("SampleStack.metadata.json", read(name))];
    let manifest = || read("cdk.out/manifest.json");
    let newer = manifest().replace("55.0.0", "1234.0.0").replace(
        "\"Tree\": {",
        "\"New\": {\"type\": \"aws:new\", \"properties\": 1}, \"Tree\": {",
    );
    assert!(newer.contains("1234.0.0") && newer.contains("aws:new"));
    // Its nested template is only to be found through the assets.
    let assets = r#"{"files": {"h": {"source": {"path": "SampleStackInner2E14CE08.nested.template.json"},
        "destinations": {"d": {"objectKey": "p/75fa0f944b782fea13faa3ac59e5bfb11cc1e066732fa274db1df9a51816835d.json"}}}}}"#;
    for (version, replaced, lines) in [
        ("2.276", Vec::new(), DEFAULT),
        (
            "debug",
            metadata("debug/SampleStack.metadata.json"),
            DEFAULT,
        ),
        (
            "60 frames",
            metadata("limit60/SampleStack.metadata.json"),
            COMPLETE,
        ),
        (
            "2.260",
            vec![
                ("manifest.json", read("2.260/manifest.json")),
                (
                    "SampleStack.metadata.json",
                    read("2.260/SampleStack.metadata.json"),
                ),
            ],
            DEFAULT,
        ),
        (
            "2.225 with debug",
            vec![
                ("manifest.json", read("2.225/manifest.json")),
                (
                    "SampleStack.template.json",
                    read("2.225/SampleStack.template.json"),
                ),
                ("SampleStack.assets.json", assets.to_owned()),
            ],
            COMPLETE,
        ),
        ("unseen", vec![("manifest.json", newer)], DEFAULT),
    ] {
        let found = constructs(&sample(&replaced));
        let (told, found) = match found.split_once('\n') {
            Some((first, rest)) if version == "unseen" => (first, rest),
            _ => ("", found.as_str()),
        };
        assert_eq!(found, expected(&lines), "{version}");
        let is_newer = told.starts_with("cdk-version: this assembly is of schema 1234.0.0");
        assert_eq!(is_newer, version == "unseen", "{told}");
    }
}

#[test]
fn without_lines_the_construct_is_all_there_is() {
    let sources = Arc::new(Sources::new("."));
    for (name, text) in [
        (
            "manifest.json",
            r#"{"version": "55.0.0", "artifacts": {"PySample": {"type": "aws:cloudformation:stack",
                "properties": {"templateFile": "t.json"}, "additionalMetadataFile": "m.json"}}}"#,
        ),
        (
            "t.json",
            r#"{"Resources": {"Deploy7B206E61": {"Type": "AWS::IAM::Role"},
                "DeployDefaultPolicy91C373CD": {"Type": "AWS::IAM::Policy"}}}"#,
        ),
        ("m.json", &read("python/PySample.metadata.json")),
    ] {
        sources.add(&format!("app/cdk.out/{name}"), text);
    }
    let lines = "PySample/Deploy -\nPySample/Deploy/DefaultPolicy -\n";
    assert_eq!(constructs(&sources), lines);
}
