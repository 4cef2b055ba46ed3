//! GitHub workflow files: the jobs that assume a role of AWS.
//!
//! Only `.github/workflows/*.yml` of the base, which is where GitHub reads them. Not for what a step
//! runs. Invariant: an expression (`${{ … }}`) is unknown, and a file that is no workflow gives nothing.
//! Source: GitHub, "Workflow syntax for GitHub Actions"; the action `aws-actions/configure-aws-credentials`.

use super::Input;
use overgrant_cloudformation::syntax::{Entry, Node, parse_yaml};
use overgrant_ir::{Format, Maker, Mode, Resource};
use overgrant_source::{SourceFile, Sources, Span};
use overgrant_value::{Guard, Src, Val};
use std::sync::Arc;

const FOLDER: &str = ".github/workflows";

/// The type of the resources that jobs become.
const KIND: &str = "github_actions_job";

/// Adds the jobs of all workflow files of the base.
pub(super) fn read(input: &mut Input, sources: &Arc<Sources>) {
    for name in sources.list(FOLDER) {
        if !(name.ends_with(".yml") || name.ends_with(".yaml")) {
            continue;
        }
        let path = format!("{FOLDER}/{name}");
        // Most workflows have nothing to do with AWS.
        let concerns = sources
            .peek(&path)
            .is_ok_and(|text| text.contains("role-to-assume"));
        if !concerns {
            continue;
        }
        match sources.load(&path) {
            Ok(file) => match parse_yaml(&file) {
                Ok(parsed) => {
                    jobs(input, &file, &name, &parsed.root);
                    input.comments.push((file.id(), parsed.comments));
                    input.files.insert(path.as_str().into());
                }
                Err(diagnostic) => input.diagnostics.push(diagnostic),
            },
            Err(error) => input.diagnostics.push(super::unreadable(&path, &error)),
        }
    }
}

fn entry<'a>(node: &'a Node, key: &str) -> Option<&'a Entry> {
    node.entries().iter().find(|entry| entry.key == key)
}

fn jobs(input: &mut Input, file: &SourceFile, name: &str, workflow: &Node) {
    let (Some(on), Some(jobs)) = (entry(workflow, "on"), entry(workflow, "jobs")) else {
        return;
    };
    let triggers = triggers(on);
    let shared = entry(workflow, "permissions").map(|entry| &*entry.value);
    for job in jobs.value.entries() {
        let permissions = entry(&job.value, "permissions").map(|entry| &*entry.value);
        let Some(role) = role(&job.value) else {
            continue;
        };
        let mut attrs = vec![
            ("triggers", triggers.clone()),
            ("role", role),
            (
                "token",
                Val::bool(writes_token(permissions.or(shared)), Src::none()),
            ),
            ("workflow", Val::str(file.path(), Src::none())),
            ("job", Val::str(&job.key, Src::at(job.key_span))),
        ];
        if let Some(environment) = entry(&job.value, "environment") {
            let name =
                entry(&environment.value, "name").map_or(&environment.value, |one| &one.value);
            attrs.push(("environment", text(name)));
        }
        if let Some(condition) = entry(&job.value, "if") {
            attrs.push(("if", text(&condition.value)));
        }
        if let Some(head) = checks_out_head(&job.value) {
            attrs.push(("head", Val::bool(true, Src::at(head))));
        }
        input.resources.push(Resource {
            root: "".into(),
            address: format!("{name}/{}", job.key).into(),
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
        });
    }
}

/// The events that start the workflow: a word, a list, or the keys of a mapping.
fn triggers(on: &Entry) -> Val {
    let node = &*on.value;
    let word = |text: &str, span: Span| Val::str(text, Src::at(span));
    let words = match (node.text(), node.items(), node.entries()) {
        (Some(text), _, _) => vec![word(text, node.span)],
        (None, [], entries) => entries
            .iter()
            .map(|entry| word(&entry.key, entry.key_span))
            .collect(),
        (None, items, _) => items
            .iter()
            .filter_map(|item| Some(word(item.text()?, item.span)))
            .collect(),
    };
    Val::tuple(words, Src::at(on.key_span))
}

/// The role that a step of the job assumes.
fn role(job: &Node) -> Option<Val> {
    let steps = entry(job, "steps")?;
    steps.value.items().iter().find_map(|step| {
        let uses = entry(step, "uses")?.value.text()?;
        if !uses.contains("configure-aws-credentials") {
            return None;
        }
        let role = entry(&entry(step, "with")?.value, "role-to-assume")?;
        Some(text(&role.value))
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
        let head =
            text.contains("head.sha") || text.contains("head_ref") || text.contains("head.ref");
        head.then_some(reference.value.span)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read_text(text: &str) -> Vec<Resource> {
        let sources = Sources::new("/nowhere");
        let file = sources.add(".github/workflows/a.yml", text);
        let mut input = Input::default();
        jobs(&mut input, &file, "a.yml", &parse_yaml(&file).unwrap().root);
        input.resources
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
}
