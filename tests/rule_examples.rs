//! Every example in the docs of the rules, through the whole pipeline.
//!
//! A `bad` example fires its rule, at the marked line if one is marked; a `good` one is silent for
//! its rule and without findings of others at medium severity and confidence, unless `also:` names
//! them. What lowers a finding is shown by one that says `at:` which severity it has (a `good` one is
//! then silent in a run without flags); what belongs to another rule, by one that says `under:` which
//! rule speaks in its place. What a reader sees for the bad ones is kept in `tests/snapshots`.

use overgrant_engine::{Discovery, Options, Outcome, Reported, Texts, check_in};
use overgrant_finding::{Confidence, Severity};
use overgrant_report::{Format, Style, render};
use overgrant_rules::{ALL, Docs, Example, ExampleKind, Rule};
use overgrant_source::Sources;
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::Arc;

/// `key:value,value` words behind the kind of an example.
fn words<'a>(example: &'a Example, key: &str) -> Vec<&'a str> {
    let values = example.options.iter().filter_map(|option| {
        let (name, values) = option.split_once([':', '='])?;
        (name == key).then_some(values)
    });
    values.flat_map(|values| values.split(',')).collect()
}

fn check(example: &Example, min: (Severity, Confidence), select: &[String]) -> Outcome {
    check_with(&Texts::new(), example, min, select)
}

/// [`check`] with other texts in the place of its files.
pub(crate) fn check_with(
    texts: &Texts,
    example: &Example,
    min: (Severity, Confidence),
    select: &[String],
) -> Outcome {
    let (sources, found) = prepare(texts, example);
    let options = Options {
        min_severity: min.0,
        min_confidence: min.1,
        select: select.to_vec(),
        threads: Some(1),
        ..Options::default()
    };
    check_in(&sources, &found, &options).unwrap()
}

/// The files of an example, with other texts in the place of some.
pub(crate) fn prepare(texts: &Texts, example: &Example) -> (Arc<Sources>, Discovery) {
    let sources = Sources::new("/nowhere/at/all");
    let mut found = Discovery {
        selected: vec![String::new()],
        ..Discovery::default()
    };
    match example.language.as_str() {
        "terraform" => {
            sources.add("main.tf", &example.text);
            found
                .terraform
                .insert(String::new(), vec!["main.tf".to_owned()]);
        }
        "cloudformation" | "sam" => {
            sources.add("template.yaml", &example.text);
            found.documents.push("template.yaml".to_owned());
        }
        "workflow" | "gitlab" | "bitbucket" => {
            let (path, role) = pipeline(&example.language);
            sources.add(path, &example.text);
            let with_role = words(example, "with").contains(&"role");
            sources.add("main.tf", &if with_role { role } else { String::new() });
            found
                .terraform
                .insert(String::new(), vec!["main.tf".to_owned()]);
        }
        "json" => {
            sources.add("policy.json", &example.text);
            sources.add(
                "main.tf",
                "resource \"aws_iam_policy\" \"example\" {\n  policy = file(\"policy.json\")\n}\n",
            );
            found
                .terraform
                .insert(String::new(), vec!["main.tf".to_owned()]);
        }
        other => panic!("no such language: {other}"),
    }
    let mut config = String::new();
    for key in [
        "own_accounts",
        "approved_issuers",
        "public_ok",
        "scope",
        "deployer_roles",
        "break_glass",
        "security_roles",
    ] {
        let values = words(example, key);
        if !values.is_empty() {
            let quoted: Vec<String> = values.iter().map(|value| format!("\"{value}\"")).collect();
            let _ = writeln!(config, "{key}: [{}]", quoted.join(", "));
        }
    }
    for pair in words(example, "boundary_required") {
        let (select, policy) = pair.split_once('=').unwrap();
        let _ = writeln!(
            config,
            "boundary_required: [{{select: '{select}', policy: '{policy}'}}]"
        );
    }
    for pair in words(example, "session_max") {
        let (kind, seconds) = pair.split_once('=').unwrap();
        let _ = writeln!(config, "session_max: {{{kind}: {seconds}}}");
    }
    let vendors = words(example, "vendors");
    if !vendors.is_empty() {
        let named: Vec<String> = vendors
            .iter()
            .map(|id| format!("\"{id}\": a vendor"))
            .collect();
        let _ = writeln!(config, "vendors: {{{}}}", named.join(", "));
    }
    if let [org] = words(example, "org_id").as_slice() {
        let _ = writeln!(config, "org_id: {org}");
    }
    if !config.is_empty() {
        sources.add("overgrant.yaml", &config);
    }
    for (path, text) in texts {
        sources.add(path, text);
    }
    (Arc::new(sources), found)
}

/// The file of a service's pipeline, and the role that pipelines of examples assume.
fn pipeline(service: &str) -> (&'static str, String) {
    let (path, issuer, audience, subject) = match service {
        "workflow" => (
            ".github/workflows/ci.yml",
            "token.actions.githubusercontent.com",
            "sts.amazonaws.com",
            "repo:acme/shop:environment:prod",
        ),
        "gitlab" => (
            ".gitlab-ci.yml",
            "gitlab.com",
            "https://gitlab.com",
            "project_path:acme/shop:ref_type:branch:ref:main",
        ),
        _ => (
            "bitbucket-pipelines.yml",
            "api.bitbucket.org/2.0/workspaces/acme/pipelines-config/identity/oidc",
            "ari:cloud:bitbucket::workspace/1e4a6c0d-5b7f-4f0e-9d3c-8a2b6e9f1c47",
            "{6f1d2c3b-8a4e-4b7d-9c5f-0e1a2b3c4d5e}:{0b9a8c7d-6e5f-4a3b-8c2d-1e0f9a8b7c6d}:*",
        ),
    };
    let role = format!(
        r#"
resource "aws_iam_role" "deploy" {{
  name = "deploy"
  assume_role_policy = jsonencode({{
    Version = "2012-10-17"
    Statement = [{{
      Effect    = "Allow"
      Action    = "sts:AssumeRoleWithWebIdentity"
      Principal = {{ Federated = "arn:aws:iam::111122223333:oidc-provider/{issuer}" }}
      Condition = {{
        StringEquals = {{ "{issuer}:aud" = "{audience}" }}
        StringLike   = {{ "{issuer}:sub" = "{subject}" }}
      }}
    }}]
  }})
}}
"#
    );
    (path, role)
}

pub(crate) const EVERYTHING: (Severity, Confidence) = (Severity::Info, Confidence::Low);

/// The rule alone: other rules may be stronger on the same cause.
fn alone(rule: &Rule, example: &Example) -> Outcome {
    check(example, EVERYTHING, &[rule.id.to_owned()])
}

pub(crate) fn show(reported: &Reported) -> String {
    format!(
        "{} at line {} ({}, {}): {}",
        reported.finding.rule,
        reported.place.line(),
        reported.finding.severity,
        reported.finding.confidence,
        reported.finding.message
    )
}

fn problems(rule: &'static Rule, number: usize, example: &Example) -> Vec<String> {
    let mut problems = Vec::new();
    let mut wrong = |what: String| {
        problems.push(format!(
            "{} example {number} ({} {:?}): {what}",
            rule.id, example.language, example.kind
        ));
    };
    let outcome = alone(rule, example);
    for diagnostic in outcome
        .diagnostics
        .iter()
        .filter(|d| d.not_parsed || d.code == "internal")
    {
        wrong(format!("{}: {}", diagnostic.code, diagnostic.message));
    }
    let lines: Vec<u32> = outcome.findings.iter().map(|r| r.place.line()).collect();
    let at = words(example, "at");
    if !at.is_empty() && lines.is_empty() {
        wrong("is silent".to_owned());
    }
    for reported in &outcome.findings {
        if !at.is_empty() && !at.contains(&reported.finding.severity.to_string().as_str()) {
            wrong(show(reported));
        }
    }
    match example.kind {
        ExampleKind::Bad if lines.is_empty() => wrong("is silent".to_owned()),
        ExampleKind::Bad => {
            if let Some(marked) = example.marked
                && !lines.contains(&marked)
            {
                wrong(format!(
                    "fires at {lines:?}, not at the marked line {marked}"
                ));
            }
        }
        ExampleKind::Unknown => {
            let sure = outcome
                .findings
                .iter()
                .filter(|r| r.finding.confidence > Confidence::Low);
            sure.for_each(|reported| wrong(show(reported)));
        }
        ExampleKind::Good => {
            let also = words(example, "also");
            let under = words(example, "under");
            if at.is_empty() && under.is_empty() {
                let own = outcome.findings.iter();
                own.for_each(|reported| wrong(show(reported)));
            }
            let default = Options::default();
            let all = check(example, (default.min_severity, default.min_confidence), &[]);
            for reported in &all.findings {
                let id = reported.finding.rule;
                if !also.contains(&id) && !under.contains(&id) {
                    wrong(show(reported));
                }
            }
            for other in under {
                let speaks = all.findings.iter().any(|one| one.finding.rule == other);
                if !speaks || lines.is_empty() {
                    wrong(format!("{other} has no finding of it to speak for"));
                }
            }
        }
    }
    problems
}

#[test]
fn examples_do_what_they_say() {
    let mut all = Vec::new();
    for rule in ALL {
        for (index, example) in Docs::of(rule).examples.iter().enumerate() {
            all.extend(problems(rule, index + 1, example));
        }
    }
    assert!(
        all.is_empty(),
        "{} problems:\n{}",
        all.len(),
        all.join("\n")
    );
}

/// What a reader sees of each bad example, one file per rule. `UPDATE_SNAPSHOTS=1` writes them.
#[test]
fn bad_examples_look_as_before() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/snapshots");
    let style = Style {
        version: "0.0.0",
        iam_data: String::new(),
        color: false,
        width: 120,
        show_suppressed: false,
        timing: false,
    };
    let mut wanted: BTreeMap<String, String> = BTreeMap::new();
    for rule in ALL {
        let mut text = String::new();
        let docs = Docs::of(rule);
        let bad = docs.examples.iter().filter(|e| e.kind == ExampleKind::Bad);
        for example in bad {
            let _ = writeln!(text, "## {}\n", example.language);
            text.push_str(&render(Format::Text, &alone(rule, example), &style));
            text.push('\n');
        }
        wanted.insert(format!("{}.txt", rule.id), text);
    }
    if std::env::var_os("UPDATE_SNAPSHOTS").is_some() {
        std::fs::create_dir_all(&folder).unwrap();
        for entry in std::fs::read_dir(&folder).unwrap().flatten() {
            std::fs::remove_file(entry.path()).unwrap();
        }
        for (name, text) in &wanted {
            std::fs::write(folder.join(name), text).unwrap();
        }
        return;
    }
    let mut stale = Vec::new();
    for (name, text) in &wanted {
        let kept = std::fs::read_to_string(folder.join(name)).unwrap_or_default();
        if kept != *text {
            stale.push(format!("{name}:\n{text}"));
        }
    }
    assert!(
        stale.is_empty(),
        "{} snapshots differ; look at them and run with UPDATE_SNAPSHOTS=1\n{}",
        stale.len(),
        stale.join("\n")
    );
    let stray: Vec<String> = std::fs::read_dir(&folder)
        .unwrap()
        .flatten()
        .filter_map(|entry| entry.file_name().into_string().ok())
        .filter(|name| !wanted.contains_key(name))
        .collect();
    assert!(stray.is_empty(), "snapshots without a rule: {stray:?}");
}
