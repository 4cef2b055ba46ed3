//! Pipelines of GitLab CI/CD and Bitbucket Pipelines: the jobs that assume a role of AWS with a token.
//!
//! Only the files at the base that the two services read there, and what they include from the same
//! repository. Not for GitHub (`workflows`), nor for what a command does beyond assuming a role.
//! Invariant: a file without tokens gives nothing, and what is written elsewhere (settings of the project,
//! other repositories, templates) is unknown.

mod bitbucket;
mod expression;
mod gitlab;
mod inputs;
mod merge;
mod refs;
mod shell;

use super::Input;
use overgrant_cloudformation::syntax::{Node, parse_yaml, parse_yaml_behind};
use overgrant_ir::{Format, Maker, Mode, Resource};
use overgrant_source::{FileId, SourceFile, Sources, Span};
use overgrant_value::{Guard, Src, Val};
use std::sync::Arc;

/// Adds the jobs of the base's pipelines.
pub(super) fn read(input: &mut Input, sources: &Arc<Sources>) {
    gitlab::read(input, sources);
    bitbucket::read(input, sources);
}

/// The tree of a file; `None` where there is none or it cannot be read. A file that asks for tokens counts
/// as configuration, and its problems are told.
fn load(input: &mut Input, sources: &Sources, path: &str, asks: &str) -> Option<Arc<Node>> {
    load_behind(input, sources, path, asks, 0)
}

/// The same for the document that begins at a byte.
fn load_behind(
    input: &mut Input,
    sources: &Sources,
    path: &str,
    asks: &str,
    start: usize,
) -> Option<Arc<Node>> {
    if !sources.exists(path) {
        return None;
    }
    let concerns = sources.peek(path).is_ok_and(|text| text.contains(asks));
    let file = match sources.load(path) {
        Ok(file) => file,
        Err(error) => {
            input.diagnostics.push(super::unreadable(path, &error));
            return None;
        }
    };
    let parsed = if start == 0 {
        parse_yaml(&file)
    } else {
        parse_yaml_behind(&file, start)
    };
    match parsed {
        Ok(parsed) => {
            if concerns && input.files.insert(file.path().into()) {
                input.comments.push((file.id(), parsed.comments));
            }
            Some(parsed.root)
        }
        Err(diagnostic) => {
            if concerns {
                input.diagnostics.push(diagnostic);
            }
            None
        }
    }
}

/// A job that has a token and may assume a role with it.
struct Job<'a> {
    /// The type of its resource.
    kind: &'static str,
    address: String,
    name: &'a str,
    /// Where its name stands.
    name_span: Span,
    span: Span,
    /// Further arguments.
    more: Vec<(&'static str, Val)>,
}

impl Job<'_> {
    /// One resource for each role that the job assumes; one with an open role where none is told.
    fn lower(self, input: &mut Input, sources: &Sources, roles: Vec<shell::Role>) {
        let file = |id: FileId| sources.get(id);
        let file: Option<Arc<SourceFile>> = file(self.span.file);
        let path = file.as_ref().map_or("", |file| file.path());
        let mut roles: Vec<Val> = roles.into_iter().map(shell::Role::into_val).collect();
        if roles.is_empty() {
            roles.push(Val::unknown_because(
                "a role that the job does not name",
                None,
            ));
        }
        for role in roles {
            let mut attrs = vec![
                ("role", role),
                ("token", Val::bool(true, Src::none())),
                ("workflow", Val::str(path, Src::none())),
                ("job", Val::str(self.name, Src::at(self.name_span))),
            ];
            attrs.extend(self.more.iter().cloned());
            input.resources.push(Resource {
                root: "".into(),
                address: self.address.as_str().into(),
                kind: self.kind.into(),
                mode: Mode::Managed,
                format: Format::Workflow,
                logical_id: None,
                origin: None,
                maker: Maker::Author,
                attrs: Val::object(attrs, Src::at(self.span)),
                src: Src::at(self.name_span.to(self.span)),
                name_src: Src::at(self.name_span),
                guard: Guard::always(),
                maybe: false,
            });
        }
    }
}

#[cfg(test)]
mod testing {
    //! What tests of the two services share.

    use super::*;

    /// The jobs of files: address, role, and the texts of a list or text among the arguments.
    pub(super) fn jobs(files: &[(&str, &str)], attr: &str) -> Vec<(String, String, String)> {
        let sources = Arc::new(Sources::new("/nowhere"));
        for (name, text) in files {
            sources.add(name, text);
        }
        let mut input = Input::default();
        read(&mut input, &sources);
        assert!(input.diagnostics.is_empty(), "{:?}", input.diagnostics);
        let text = |val: &Val| match (val.as_str(), val.as_bool()) {
            (Some(text), _) => text.to_string(),
            (None, Some(flag)) => flag.to_string(),
            (None, None) => "?".to_owned(),
        };
        let told = |job: &Resource| {
            let listed = job
                .attrs
                .get(attr)
                .map(|val| val.listed())
                .unwrap_or_default();
            let words: Vec<String> = listed.iter().map(text).collect();
            let role = job
                .attrs
                .get("role")
                .map_or_else(String::new, |role| text(&role));
            (job.address.to_string(), role, words.join(" "))
        };
        input.resources.iter().map(told).collect()
    }

    /// The same as owned texts, for comparing.
    pub(super) fn told(rows: &[(&str, &str, &str)]) -> Vec<(String, String, String)> {
        let owned =
            |(a, b, c): &(&str, &str, &str)| ((*a).to_owned(), (*b).to_owned(), (*c).to_owned());
        rows.iter().map(owned).collect()
    }
}
