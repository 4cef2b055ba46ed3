//! The program from outside: exit codes, outputs, errors.

use crate::support::{ADMIN, Project, QUIET};

const BROKEN: &str = "AWSTemplateFormatVersion: x\nResources:\n  A: {Type: AWS::IAM::Role\n";

#[test]
fn exit_codes() {
    let project = Project::new()
        .file("loud/t.yaml", ADMIN)
        .file("quiet/t.yaml", QUIET)
        .file("broken/t.yaml", BROKEN)
        .file("mixed/a.yaml", ADMIN)
        .file("mixed/b.yaml", BROKEN)
        .file("nothing/readme.md", "x");
    for (arguments, code) in [
        (&["check", "quiet"][..], 0),
        (&["check", "loud"], 1),
        (&["check", "loud", "--exit-zero"], 0),
        (&["check", "loud", "--ignore", "grant,trust,escalation"], 0),
        (&["check", "broken"], 0),
        (&["check", "broken", "--strict"], 2),
        (&["check", "mixed"], 1),
        (&["check", "mixed", "--strict"], 2),
        (&["check", "mixed", "--strict", "--exit-zero"], 2),
        (&["check", "nothing"], 3),
        (&["check", "nothing", "--exit-zero"], 3),
        (&["check", "none"], 2),
        (&["check", "quiet", "--select", "no-such-rule"], 2),
        (&["check", "quiet", "--config", "none.yaml"], 2),
        (&["check", "quiet", "--root", "loud"], 2),
        (&["check", "--no-such-flag"], 2),
        (&["check", "loud", "-f", "sarif"], 1),
        (&["explain", "trust-anyone"], 0),
        (&["explain", "trust-anyon"], 2),
        (&["rules"], 0),
    ] {
        let ran = project.run(arguments);
        assert_eq!(
            ran.code, code,
            "{arguments:?}\n{}{}",
            ran.stdout, ran.stderr
        );
    }
}

#[test]
fn findings_below_the_thresholds_do_not_fail() {
    let project = Project::new().file("t.yaml", ADMIN);
    let config = "severity: {trust-anyone: low, admin-star-star: low}\n";
    let project = project.file("overgrant.yaml", config);
    let ran = project.run(&[
        "check",
        "--select",
        "trust-anyone,admin-star-star",
        "--fail-on",
        "info",
    ]);
    assert_eq!(ran.code, 0, "{}", ran.stdout);
    assert!(ran.stderr.contains("2 low not shown"), "{}", ran.stderr);
    let all = [
        "check",
        "--select",
        "trust-anyone,admin-star-star",
        "--min-severity",
        "low",
    ];
    assert_eq!(
        project.run(&all).code,
        0,
        "the default of --fail-on is medium"
    );
    let failing = [&all[..], &["--fail-on", "low"]].concat();
    assert_eq!(project.run(&failing).code, 1);
}

#[test]
fn errors_are_one_line_with_a_remedy() {
    let project = Project::new().file("t.yaml", QUIET);
    for (arguments, words) in [
        (&["check", "none"][..], "`none` does not exist"),
        (
            &["check", "--select", "trust-anyon"],
            "did you mean `trust-anyone`?",
        ),
        (&["explain", "trust-anyon"], "did you mean `trust-anyone`?"),
        (
            &["check", "--config", "none.yaml"],
            "none.yaml: cannot be read",
        ),
    ] {
        let ran = project.run(arguments);
        assert!(ran.stdout.is_empty(), "{arguments:?}");
        assert!(
            ran.stderr.starts_with("error: ") && ran.stderr.contains(words),
            "{}",
            ran.stderr
        );
        assert_eq!(ran.stderr.trim_end().lines().count(), 1, "{}", ran.stderr);
    }
    let project = project.file("overgrant.yaml", "own_acounts: []\n");
    let ran = project.run(&["check"]);
    assert_eq!(ran.code, 2);
    assert!(
        ran.stderr.contains("did you mean `own_accounts`?"),
        "{}",
        ran.stderr
    );
}

#[test]
fn several_outputs_in_one_run() {
    let project = Project::new().file("t.yaml", ADMIN);
    let ran = project.run(&[
        "check",
        "-f",
        "github",
        "-o",
        "sarif=o.sarif",
        "-o",
        "json=o.json",
        "-q",
    ]);
    assert_eq!(ran.code, 1);
    assert!(ran.stderr.is_empty(), "{}", ran.stderr);
    assert!(
        ran.stdout.starts_with("::error file=t.yaml,line="),
        "{}",
        ran.stdout
    );
    for name in ["o.sarif", "o.json"] {
        let text = std::fs::read_to_string(project.path().join(name)).unwrap();
        assert!(text.contains("admin-star-star"), "{name}");
    }
    let empty = Project::new().file("readme.md", "");
    assert_eq!(empty.run(&["check", "-o", "sarif=o.sarif"]).code, 3);
    assert!(
        empty.path().join("o.sarif").exists(),
        "requested outputs are written empty"
    );
}

#[test]
fn text_shows_place_help_and_summary() {
    let project = Project::new().file("t.yaml", ADMIN);
    let ran = project.run(&["check", "--select", "trust-anyone"]);
    assert!(
        ran.stdout.starts_with("error[trust-anyone]: "),
        "{}",
        ran.stdout
    );
    assert!(ran.stdout.contains("--> t.yaml:10:30"), "{}", ran.stdout);
    assert!(
        ran.stdout.contains("= help: ")
            && ran.stdout.contains("critical severity, high confidence")
    );
    assert!(!ran.stdout.contains('\u{1b}'), "no colours in a pipe");
    assert!(
        ran.stderr
            .starts_with("1 finding (1 critical) · 1 file · 2 policies: 2 resolved"),
        "{}",
        ran.stderr
    );
    let coloured = project.run(&["check", "--color", "always"]);
    assert!(coloured.stdout.contains('\u{1b}'));
}

#[test]
fn ids_of_other_tools_lead_to_rules() {
    let project = Project::new();
    for (id, rules) in [
        ("CKV_AWS_63", vec!["service-wildcard-on-all"]),
        (
            "ckv_aws_274",
            vec!["admin-star-star", "managed-administratoraccess"],
        ),
        ("AWS-0342", vec!["passrole-any-role-one-service"]),
        ("W14", vec!["allow-notaction"]),
    ] {
        let page = project.run(&["explain", id]);
        assert_eq!(page.code, 0, "{id}: {}", page.stderr);
        for rule in rules {
            assert!(page.stdout.contains(rule), "{id}: {}", page.stdout);
        }
    }
    let list = project.run(&["rules", "-f", "json"]).json();
    let rule = list
        .as_array()
        .unwrap()
        .iter()
        .find(|rule| rule["id"] == "admin-star-star")
        .unwrap();
    let text = rule.to_string();
    for mapped in ["CIS7", "IAM.1", "T1078.004", "269", "CKV_AWS_1"] {
        assert!(text.contains(mapped), "{mapped}: {text}");
    }
}

#[test]
fn rules_and_pages() {
    let project = Project::new();
    let list = project.run(&["rules", "-f", "json"]).json();
    let rules = list.as_array().unwrap();
    assert!(rules.iter().any(|rule| rule["id"] == "trust-anyone"));
    assert!(project.run(&["rules"]).stdout.contains("trust-anyone"));
    assert!(
        project
            .run(&["rules", "-f", "markdown"])
            .stdout
            .starts_with("| rule |")
    );
    let by_name = project.run(&["explain", "trust-anyone"]).stdout;
    assert_eq!(by_name, project.run(&["explain", "CKV_AWS_60"]).stdout);
    assert!(by_name.contains("## How to fix"));
    assert!(
        project
            .run(&["--version"])
            .stdout
            .contains("IAM data of 20")
    );
}

#[test]
fn many_notes_of_a_kind_are_folded() {
    let call = |name: &str| format!("module \"{name}\" {{\n  source = \"acme/{name}/aws\"\n}}\n");
    let calls: String = ["a", "b", "c", "d"].map(call).concat();
    let ran = Project::new()
        .file("main.tf", calls.as_str())
        .run(&["check"]);
    assert_eq!(
        ran.stdout.matches("is not installed").count(),
        2,
        "{}",
        ran.stdout
    );
    assert!(ran.stdout.contains("2 more of this kind"), "{}", ran.stdout);
}

#[test]
fn other_iam_data_is_named_or_refused() {
    let project = Project::new()
        .file("t.yaml", QUIET)
        .file("broken.bin", "no such data");
    let version = project.run(&["--version"]);
    assert!(
        version.stdout.contains("(IAM data of 20"),
        "{}",
        version.stdout
    );
    for (file, words) in [
        ("broken.bin", "not an overgrant IAM data file"),
        ("none.bin", "cannot read none.bin"),
    ] {
        let ran = project.run(&["check", "t.yaml", "--iam-data", file]);
        assert_eq!(ran.code, 2, "{}", ran.stdout);
        assert!(ran.stderr.contains(words), "{}", ran.stderr);
        assert_eq!(ran.stdout, "");
    }
}

#[test]
fn the_configuration_in_force() {
    let project = Project::new().file("t.yaml", QUIET).file(
        "overgrant.yaml",
        "# ours\nown_accounts: [111122223333]\nsession_max: {ci: 900}\n",
    );
    let ran = project.run(&["config"]);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    let own = "(overgrant.yaml:2)\nown_accounts: [\"111122223333\"]\n";
    assert!(ran.stdout.contains(own), "{}", ran.stdout);
    assert!(
        ran.stdout.contains("(default)\nscope: [\"module\"]\n"),
        "{}",
        ran.stdout
    );
    // What is printed means the same as what was read.
    let again = Project::new().file("overgrant.yaml", &ran.stdout);
    let values = |project: &Project| -> Vec<String> {
        let shown = project.run(&["config", "-f", "json"]).json();
        let keys = shown["config"].as_object().unwrap();
        keys.iter()
            .map(|(key, one)| format!("{key} {}", one["value"]))
            .collect()
    };
    assert_eq!(values(&project), values(&again));
    let schema = project.run(&["config", "--schema"]).json();
    assert_eq!(schema["additionalProperties"], false);
    for key in values(&project) {
        let key = key.split(' ').next().unwrap();
        assert!(
            schema["properties"][key]["description"].is_string(),
            "{key}"
        );
    }
    assert_eq!(project.run(&["config", "none"]).code, 2);
    let wrong = project.file("overgrant.yaml", "own_acounts: []\n");
    assert_eq!(wrong.run(&["config"]).code, 2);
    assert_eq!(wrong.run(&["config", "--schema"]).code, 0);
}
