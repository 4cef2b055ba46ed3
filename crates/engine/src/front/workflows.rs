//! GitHub workflow files: the jobs that assume a role of AWS.
//!
//! Only `.github/workflows/*.yml` of the base, which is where GitHub reads them. A job of a reusable
//! workflow is one for each job that calls it, with what starts the caller. Not for what a step runs.
//! Invariant: an expression (`${{ … }}`) is unknown unless it is an input that the caller gives as text,
//! and a file that is no workflow gives nothing. Sources: GitHub, "Workflow syntax for GitHub Actions" and
//! "Reuse workflows"; the action `aws-actions/configure-aws-credentials`.

use super::Input;
use overgrant_cloudformation::syntax::{Entry, Node, parse_yaml};
use overgrant_ir::{Format, Maker, Mode, Resource};
use overgrant_source::{SourceFile, Sources, Span};
use overgrant_value::{Guard, Src, Val};
use std::sync::Arc;

const FOLDER: &str = ".github/workflows";

/// The type of the resources that jobs become.
const KIND: &str = "github_actions_job";

/// What a job that calls a workflow of the same repository uses.
const LOCAL: &str = "./.github/workflows/";

/// The event of a workflow that others call.
const CALLED: &str = "workflow_call";

/// A parsed file.
struct Workflow {
    name: String,
    file: Arc<SourceFile>,
    root: Arc<Node>,
}

/// A job that calls a workflow.
#[derive(Clone, Copy)]
struct Call<'a> {
    caller: &'a Workflow,
    job: &'a Entry,
}

/// Adds the jobs of all workflow files of the base.
pub(super) fn read(input: &mut Input, sources: &Arc<Sources>) {
    // Most workflows have nothing to do with AWS.
    let assumes = |text: &str| text.contains("role-to-assume");
    let mut all = load(input, sources, assumes);
    if all.iter().any(|one| words(one).any(|word| word == CALLED)) {
        let calls = |text: &str| text.contains(LOCAL) && !assumes(text);
        all.extend(load(input, sources, calls));
    }
    for workflow in &all {
        jobs(input, workflow, &all);
    }
}

fn load(
    input: &mut Input,
    sources: &Arc<Sources>,
    concerns: impl Fn(&str) -> bool,
) -> Vec<Workflow> {
    let mut all = Vec::new();
    for name in sources.list(FOLDER) {
        if !(name.ends_with(".yml") || name.ends_with(".yaml")) {
            continue;
        }
        let path = format!("{FOLDER}/{name}");
        if !sources.peek(&path).is_ok_and(|text| concerns(&text)) {
            continue;
        }
        match sources.load(&path) {
            Ok(file) => match parse_yaml(&file) {
                Ok(parsed) => {
                    input.comments.push((file.id(), parsed.comments));
                    input.files.insert(path.as_str().into());
                    all.push(Workflow {
                        name: name.to_string(),
                        file,
                        root: parsed.root,
                    });
                }
                Err(diagnostic) => input.diagnostics.push(diagnostic),
            },
            Err(error) => input.diagnostics.push(super::unreadable(&path, &error)),
        }
    }
    all
}

fn entry<'a>(node: &'a Node, key: &str) -> Option<&'a Entry> {
    node.entries().iter().find(|entry| entry.key == key)
}

fn jobs(input: &mut Input, workflow: &Workflow, all: &[Workflow]) {
    let (Some(_), Some(jobs)) = (entry(&workflow.root, "on"), entry(&workflow.root, "jobs")) else {
        return;
    };
    let calls = calls(workflow, all);
    let alone = calls.is_empty() || words(workflow).any(|word| word != CALLED);
    for job in jobs.value.entries() {
        let Some(role) = role(&job.value) else {
            continue;
        };
        if alone {
            let address = format!("{}/{}", workflow.name, job.key);
            input
                .resources
                .push(resource(address, workflow, job, role, None, all));
        }
        for call in &calls {
            let address = format!("{}/{}/{}", call.caller.name, call.job.key, job.key);
            input
                .resources
                .push(resource(address, workflow, job, role, Some(*call), all));
        }
    }
}

/// The jobs that call a workflow, where it can be called.
fn calls<'a>(workflow: &Workflow, all: &'a [Workflow]) -> Vec<Call<'a>> {
    if !words(workflow).any(|word| word == CALLED) {
        return Vec::new();
    }
    let wanted = format!("{LOCAL}{}", workflow.name);
    let callers = all.iter().flat_map(|caller| {
        let jobs = entry(&caller.root, "jobs").map(|jobs| jobs.value.entries());
        let jobs = jobs.unwrap_or_default().iter();
        jobs.map(move |job| Call { caller, job })
    });
    callers
        .filter(|call| {
            entry(&call.job.value, "uses").is_some_and(|uses| uses.value.text() == Some(&wanted))
        })
        .collect()
}

/// A job that assumes a role, by itself or for a call.
fn resource(
    address: String,
    workflow: &Workflow,
    job: &Entry,
    role: &Node,
    call: Option<Call<'_>>,
    all: &[Workflow],
) -> Resource {
    let given = |node: &Node| match call {
        Some(call) => text(given(node, call, workflow).unwrap_or(node)),
        None => text(node),
    };
    let on = entry(&workflow.root, "on");
    let events = match call {
        Some(call) => starts(call.caller, all),
        None => on.map(|on| events(&on.value)).unwrap_or_default(),
    };
    let on_src = call.map_or(on, |call| entry(&call.caller.root, "on"));
    let on_src = on_src.map_or_else(Src::none, |on| Src::at(on.key_span));
    let permissions = permissions(job, &workflow.root)
        .or_else(|| call.and_then(|call| permissions(call.job, &call.caller.root)));
    let mut attrs = vec![
        ("triggers", Val::tuple(events, on_src)),
        ("role", given(role)),
        ("token", Val::bool(writes_token(permissions), Src::none())),
        ("workflow", Val::str(workflow.file.path(), Src::none())),
        ("job", Val::str(&job.key, Src::at(job.key_span))),
    ];
    if let Some(environment) = entry(&job.value, "environment") {
        let name = entry(&environment.value, "name").map_or(&environment.value, |one| &one.value);
        attrs.push(("environment", given(name)));
    }
    let condition = entry(&job.value, "if").or_else(|| entry(&call?.job.value, "if"));
    if let Some(condition) = condition {
        attrs.push(("if", text(&condition.value)));
    }
    if let Some(head) = checks_out_head(&job.value) {
        attrs.push(("head", Val::bool(true, Src::at(head))));
    }
    if let Some(artifact) = takes_artifact(&job.value) {
        attrs.push(("artifact", Val::bool(true, Src::at(artifact))));
    }
    Resource {
        root: "".into(),
        address: address.into(),
        kind: KIND.into(),
        mode: Mode::Managed,
        format: Format::Workflow,
        logical_id: None,
        origin: None,
        maker: Maker::Author,
        attrs: Val::object(attrs, Src::at(job.value.span)),
        src: Src::at(job.key_span.to(job.value.span)),
        name_src: Src::at(job.key_span),
        guard: Guard::always(),
        maybe: false,
    }
}

/// What a job says of its token, or its workflow.
fn permissions<'a>(job: &'a Entry, workflow: &'a Node) -> Option<&'a Node> {
    let of = |node: &'a Node| entry(node, "permissions").map(|entry| &*entry.value);
    of(&job.value).or_else(|| of(workflow))
}

/// What `${{ inputs.NAME }}` is for a call: what the caller gives, or the default.
fn given<'a>(node: &Node, call: Call<'a>, workflow: &'a Workflow) -> Option<&'a Node> {
    let expression = node
        .text()?
        .trim()
        .strip_prefix("${{")?
        .strip_suffix("}}")?;
    let name = expression.trim().strip_prefix("inputs.")?;
    let written = entry(&call.job.value, "with").and_then(|with| entry(&with.value, name));
    let default = || {
        let on = entry(&workflow.root, "on")?;
        let called = entry(&on.value, CALLED)?;
        let inputs = entry(&called.value, "inputs")?;
        entry(&entry(&inputs.value, name)?.value, "default")
    };
    written.or_else(default).map(|entry| &*entry.value)
}

/// The events that start a workflow: its own, and where others call it, theirs.
fn starts(workflow: &Workflow, all: &[Workflow]) -> Vec<Val> {
    let mut seen = vec![&workflow.name];
    let mut waiting = vec![workflow];
    let mut found = Vec::new();
    while let Some(one) = waiting.pop() {
        let calls = calls(one, all);
        let own = entry(&one.root, "on").map(|on| events(&on.value));
        let known = |word: &Val| calls.is_empty() || word.as_str().as_deref() != Some(CALLED);
        found.extend(own.unwrap_or_default().into_iter().filter(known));
        for Call { caller, .. } in calls {
            if !seen.contains(&&caller.name) {
                seen.push(&caller.name);
                waiting.push(caller);
            }
        }
    }
    found
}

/// The names of a workflow's events.
fn words(workflow: &Workflow) -> impl Iterator<Item = String> {
    let events = entry(&workflow.root, "on").map(|on| events(&on.value));
    let words = events.unwrap_or_default().into_iter();
    words.filter_map(|word| Some(word.as_str()?.to_string()))
}

/// The events in `on`: a word, a list, or the keys of a mapping.
fn events(on: &Node) -> Vec<Val> {
    let word = |text: &str, span: Span| Val::str(text, Src::at(span));
    match (on.text(), on.items(), on.entries()) {
        (Some(text), _, _) => vec![word(text, on.span)],
        (None, [], entries) => entries
            .iter()
            .map(|entry| word(&entry.key, entry.key_span))
            .collect(),
        (None, items, _) => items
            .iter()
            .filter_map(|item| Some(word(item.text()?, item.span)))
            .collect(),
    }
}

/// The role that a step of the job assumes.
fn role(job: &Node) -> Option<&Node> {
    let steps = entry(job, "steps")?;
    steps.value.items().iter().find_map(|step| {
        let uses = entry(step, "uses")?.value.text()?;
        if !uses.contains("configure-aws-credentials") {
            return None;
        }
        let role = entry(&entry(step, "with")?.value, "role-to-assume")?;
        Some(&*role.value)
    })
}

/// The value of a scalar; unknown where it holds an expression.
fn text(node: &Node) -> Val {
    match node.text() {
        Some(text) if !text.contains("${{") => Val::str(text, Src::at(node.span)),
        _ => Val::unknown_because("a workflow expression", Some(node.span)),
    }
}

/// Whether the permissions let the job ask for an identity token.
fn writes_token(permissions: Option<&Node>) -> bool {
    permissions.is_some_and(|node| {
        node.text() == Some("write-all")
            || entry(node, "id-token").is_some_and(|one| one.value.text() == Some("write"))
    })
}

/// The place of a step that checks out what the author of a pull request wrote.
fn checks_out_head(job: &Node) -> Option<Span> {
    let steps = entry(job, "steps")?;
    steps.value.items().iter().find_map(|step| {
        let uses = entry(step, "uses")?.value.text()?;
        if !uses.contains("actions/checkout") {
            return None;
        }
        let reference = entry(&entry(step, "with")?.value, "ref")?;
        let text = reference.value.text()?;
        const HEAD: [&str; 5] = [
            "head.sha",
            "head.ref",
            "head_ref",
            "head_sha",
            "head_branch",
        ];
        let head = HEAD.iter().any(|name| text.contains(name));
        head.then_some(reference.value.span)
    })
}

/// The place of a step that takes files of another run.
fn takes_artifact(job: &Node) -> Option<Span> {
    let steps = entry(job, "steps")?;
    steps.value.items().iter().find_map(|step| {
        let uses = &entry(step, "uses")?.value;
        let name = uses.text()?;
        let of_another = name.contains("action-download-artifact")
            || name.contains("download-artifact")
                && entry(step, "with").is_some_and(|with| entry(&with.value, "run-id").is_some());
        of_another.then_some(uses.span)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read_files(files: &[(&str, &str)]) -> Vec<Resource> {
        let sources = Arc::new(Sources::new("/nowhere"));
        for (name, text) in files {
            sources.add(&format!("{FOLDER}/{name}"), text);
        }
        let mut input = Input::default();
        read(&mut input, &sources);
        input.resources
    }

    fn read_text(text: &str) -> Vec<Resource> {
        read_files(&[("a.yml", text)])
    }

    #[test]
    fn jobs_that_assume_roles_are_kept() {
        let jobs = read_text(
            "on: [push, pull_request_target]\npermissions: {id-token: write}\njobs:\n  test:\n    steps: [{run: make}]\n  \
             deploy:\n    environment: prod\n    steps:\n      - uses: actions/checkout@v4\n        with:\n          \
             ref: ${{ github.event.pull_request.head.sha }}\n      - uses: aws-actions/configure-aws-credentials@v4\n        \
             with: {role-to-assume: 'arn:aws:iam::111122223333:role/ci'}\n",
        );
        let [job] = jobs.as_slice() else {
            panic!("{jobs:?}")
        };
        assert_eq!(job.address, "a.yml/deploy");
        let triggers = job.attrs.get("triggers").unwrap().listed();
        assert_eq!(triggers[1].as_str().as_deref(), Some("pull_request_target"));
        assert_eq!(job.attrs.get("token").unwrap().as_bool(), Some(true));
        assert_eq!(job.attrs.get("head").unwrap().as_bool(), Some(true));
        assert_eq!(
            job.attrs.get("environment").unwrap().as_str().as_deref(),
            Some("prod")
        );
    }

    #[test]
    fn expressions_are_unknown_and_other_files_give_nothing() {
        let jobs = read_text(
            "on: push\njobs:\n  a:\n    steps:\n      - uses: aws-actions/configure-aws-credentials@v4\n        \
             with: {role-to-assume: '${{ secrets.ROLE }}'}\n",
        );
        assert!(jobs[0].attrs.get("role").unwrap().is_unknown());
        assert!(read_text("Resources: {}\n").is_empty());
    }

    #[test]
    fn a_called_job_is_one_for_each_caller() {
        let called = "on:\n  workflow_call:\n    inputs:\n      role: {type: string}\n      stage: {default: dev}\njobs:\n  \
                      deploy:\n    environment: ${{ inputs.stage }}\n    steps:\n      \
                      - uses: aws-actions/configure-aws-credentials@v4\n        with: {role-to-assume: '${{ inputs.role }}'}\n";
        let release = "on: push\npermissions: {id-token: write}\njobs:\n  ship:\n    uses: ./.github/workflows/deploy.yml\n    \
                       with: {role: 'arn:aws:iam::111122223333:role/ship', stage: prod}\n";
        let between =
            "on: workflow_call\njobs:\n  again:\n    uses: ./.github/workflows/deploy.yml\n";
        let outside =
            "on: [issue_comment]\njobs:\n  b:\n    uses: ./.github/workflows/between.yml\n";
        let files = [
            ("deploy.yml", called),
            ("release.yml", release),
            ("between.yml", between),
            ("outside.yml", outside),
        ];
        let jobs = read_files(&files);
        let told: Vec<_> = jobs
            .iter()
            .map(|job| {
                let word = |name| {
                    job.attrs
                        .get(name)
                        .unwrap()
                        .as_str()
                        .map(|text| text.to_string())
                };
                let events = job.attrs.get("triggers").unwrap().listed();
                let events: Vec<_> = events
                    .iter()
                    .filter_map(|one| Some(one.as_str()?.to_string()))
                    .collect();
                let token = job.attrs.get("token").unwrap().as_bool();
                (
                    job.address.to_string(),
                    events.join(" "),
                    word("role"),
                    word("environment"),
                    token,
                )
            })
            .collect();
        let role = Some("arn:aws:iam::111122223333:role/ship".to_owned());
        let text = |text: &str| text.to_owned();
        assert_eq!(
            told,
            [
                (
                    text("between.yml/again/deploy"),
                    text("issue_comment"),
                    None,
                    Some(text("dev")),
                    Some(false)
                ),
                (
                    text("release.yml/ship/deploy"),
                    text("push"),
                    role,
                    Some(text("prod")),
                    Some(true)
                ),
            ]
        );
        // Nobody here calls it: who does is not known.
        let [job] = &read_files(&files[..1])[..] else {
            panic!("one job")
        };
        assert_eq!(job.address, "deploy.yml/deploy");
        assert!(job.attrs.get("environment").unwrap().is_unknown());
        // Workflows that call each other end.
        let circle = |name: &str| {
            format!(
                "on: [workflow_call, push]\njobs:\n  a:\n    uses: ./.github/workflows/{name}\n  b:\n    steps: [{{uses: aws-actions/configure-aws-credentials@v4, with: {{role-to-assume: x}}}}]\n"
            )
        };
        let jobs = read_files(&[("a.yml", &circle("b.yml")), ("b.yml", &circle("a.yml"))]);
        assert_eq!(jobs.len(), 4);
    }
}
