//! `.gitlab-ci.yml`: the jobs that ask for an ID token.
//!
//! With the files that it includes from the same repository, and the child pipelines among them. Not for
//! components, templates and other projects, which may hold more jobs: a pipeline that uses them is told to
//! be open. Invariant: a job that has a token is there, whether or not it is seen to assume a role.
//! Sources: GitLab, "OpenID Connect (OIDC) authentication using ID tokens", "CI/CD YAML syntax reference".

use super::merge::{Configuration, merge, nothing, texts};
use super::shell::{self, Variables};
use super::{Input, Job, load, refs};
use globset::GlobBuilder;
use overgrant_cloudformation::syntax::{Entry, Node};
use overgrant_source::Sources;
use overgrant_value::{Src, Val};
use std::collections::BTreeSet;
use std::sync::Arc;

const FILE: &str = ".gitlab-ci.yml";

/// The type of the resources that jobs become.
const KIND: &str = "gitlab_ci_job";

/// What gives a job its token.
const TOKENS: &str = "id_tokens";

/// Files that one configuration may include, as GitLab has it.
const MOST_FILES: usize = 150;

/// Keywords at the top of a file that are no jobs.
const NO_JOBS: [&str; 11] = [
    "after_script",
    "before_script",
    "cache",
    "default",
    "image",
    "include",
    "services",
    "spec",
    "stages",
    "variables",
    "workflow",
];

pub(super) fn read(input: &mut Input, sources: &Sources) {
    if !sources.exists(FILE) {
        return;
    }
    let concerns = |text: &str| {
        [TOKENS, "include", "trigger"]
            .iter()
            .any(|word| text.contains(word))
    };
    if !sources.peek(FILE).is_ok_and(|text| concerns(&text)) {
        return;
    }
    let mut waiting = vec![(FILE.to_owned(), false)];
    let mut seen = BTreeSet::new();
    let mut found = Vec::new();
    let mut open = false;
    while let Some((path, child)) = waiting.pop() {
        if seen.len() > MOST_FILES || !seen.insert(path.clone()) {
            continue;
        }
        let mut reader = Reader {
            input,
            sources,
            files: 0,
            open: false,
        };
        let Some(root) = reader.file(&path) else {
            open = true;
            continue;
        };
        let configuration = Configuration { root };
        let children = reader.children(&configuration);
        open |= reader.open;
        waiting.extend(children.into_iter().map(|path| (path, true)));
        found.push((path, child, configuration));
    }
    let before = input.resources.len();
    for (path, child, configuration) in &found {
        for entry in configuration.root.entries() {
            if !entry.key.starts_with('.') && !NO_JOBS.contains(&entry.key.as_str()) {
                job(input, sources, (path, *child), configuration, entry, open);
            }
        }
    }
    if input.resources.len() > before {
        input.files.insert(FILE.into());
    }
}

/// Reads a file with what it includes.
struct Reader<'a> {
    input: &'a mut Input,
    sources: &'a Sources,
    files: usize,
    /// Whether something is included that is not at hand.
    open: bool,
}

impl Reader<'_> {
    fn file(&mut self, path: &str) -> Option<Arc<Node>> {
        self.files += 1;
        if self.files > MOST_FILES {
            return None;
        }
        // Behind a header with inputs stands a document of its own, which whoever includes it fills.
        let own = load(self.input, self.sources, path, TOKENS)?;
        if own.get("spec").is_some() {
            return None;
        }
        let mut root = nothing(own.span);
        for path in own
            .get("include")
            .map(|node| self.included(node))
            .unwrap_or_default()
        {
            match self.file(&path) {
                Some(under) => root = merge(&root, &under),
                None => self.open = true,
            }
        }
        Some(merge(&root, &own))
    }

    /// The paths that `include` names in the repository.
    fn included(&mut self, node: &Node) -> Vec<String> {
        let mut found = Vec::new();
        let own = std::iter::once(node).filter(|node| node.items().is_empty());
        for one in node.items().iter().map(|item| &**item).chain(own) {
            let local = one.get("local").map_or(one.text(), |local| local.text());
            match local.filter(|path| !path.contains("://") && !path.contains('$')) {
                Some(path) => found.extend(self.matching(path.trim_start_matches('/'))),
                None => self.open = true,
            }
        }
        found
    }

    /// The files that a path with wildcards in its last part means.
    fn matching(&mut self, path: &str) -> Vec<String> {
        if !path.contains('*') {
            return vec![path.to_owned()];
        }
        let (folder, name) = path.rsplit_once('/').unwrap_or(("", path));
        let glob = GlobBuilder::new(name).build();
        let Some(glob) = glob
            .ok()
            .filter(|_| !folder.contains('*') && !name.contains("**"))
        else {
            self.open = true;
            return Vec::new();
        };
        let (glob, start) = (
            glob.compile_matcher(),
            if folder.is_empty() { "" } else { "/" },
        );
        let names = self
            .sources
            .list(folder)
            .into_iter()
            .filter(|name| glob.is_match(name));
        names.map(|name| format!("{folder}{start}{name}")).collect()
    }

    /// The files of the pipelines that jobs start in the same project.
    fn children(&mut self, configuration: &Configuration) -> Vec<String> {
        let mut found = Vec::new();
        for entry in configuration.root.entries() {
            let job = configuration.job(&entry.key);
            let include =
                job.and_then(|job| Some(job.node.get("trigger")?.get("include")?.clone()));
            if let Some(include) = include {
                found.extend(self.included(&include));
            }
        }
        found
    }
}

fn job(
    input: &mut Input,
    sources: &Sources,
    (path, child): (&str, bool),
    configuration: &Configuration,
    entry: &Entry,
    open: bool,
) {
    let Some(built) = configuration.job(&entry.key) else {
        return;
    };
    let job = &*built.node;
    let tokens = configuration.keyword(job, TOKENS);
    let resolved = tokens.as_ref().map(|node| configuration.resolve(node));
    let has_token = match &resolved {
        Some(Some(tokens)) => !tokens.entries().is_empty(),
        Some(None) => true,
        None => false,
    };
    if !has_token {
        return;
    }
    let refs = refs::Job {
        configuration,
        job,
        child,
    }
    .refs();
    if refs.is_empty() {
        return;
    }
    let mut commands = Vec::new();
    for key in ["before_script", "script", "after_script"] {
        if let Some(node) = configuration.keyword(job, key) {
            commands.extend(configuration.items(&node).0);
        }
    }
    let roles = shell::roles(variables(configuration, job), &commands);
    let refs = refs.iter().map(|one| Val::str(one, Src::none())).collect();
    let job = Job {
        kind: KIND,
        address: format!("{path}/{}", entry.key),
        name: &entry.key,
        name_span: entry.key_span,
        span: entry.value.span,
        more: vec![
            ("refs", Val::tuple(refs, Src::none())),
            ("open", Val::bool(open || !built.complete, Src::none())),
        ],
    };
    job.lower(input, sources, roles);
}

/// The variables that the files give a job.
fn variables(configuration: &Configuration, job: &Node) -> Variables {
    let mut variables = Variables::default();
    let inherit = job
        .get("inherit")
        .and_then(|inherit| inherit.get("variables"));
    let flag = inherit.and_then(|inherit| inherit.text());
    let listed = inherit
        .map(|inherit| texts(inherit))
        .filter(|_| flag.is_none());
    let inherits = |name: &str| {
        flag != Some("false")
            && listed
                .as_ref()
                .is_none_or(|names| names.iter().any(|one| one == name))
    };
    let resolved = |node: Option<&Arc<Node>>| node.and_then(|node| configuration.resolve(node));
    let own = resolved(job.get("variables"));
    if let Some(top) = resolved(configuration.root.get("variables")) {
        let kept = top.entries().iter().filter(|entry| inherits(&entry.key));
        kept.for_each(|entry| set(&mut variables, entry));
    }
    own.iter()
        .flat_map(|own| own.entries())
        .for_each(|entry| set(&mut variables, entry));
    // What rules and matrices give is one of several values.
    let rules = job
        .get("rules")
        .map(|rules| configuration.items(rules).0)
        .unwrap_or_default();
    let matrix = job
        .get("parallel")
        .and_then(|parallel| parallel.get("matrix"));
    let rows = matrix
        .map(|matrix| configuration.items(matrix).0)
        .unwrap_or_default();
    let by_rule = rules.iter().filter_map(|rule| rule.get("variables"));
    for node in by_rule
        .map(|node| &**node)
        .chain(rows.iter().map(|row| &**row))
    {
        node.entries()
            .iter()
            .for_each(|entry| variables.open(&entry.key));
    }
    variables
}

/// A variable as a text, or with its text under `value`.
fn set(variables: &mut Variables, entry: &Entry) {
    let value = entry.value.get("value").unwrap_or(&entry.value);
    match value.text() {
        Some(text) => variables.set(&entry.key, text, value.span),
        None => variables.open(&entry.key),
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{jobs, told};

    const ARN: &str = "arn:aws:iam::111122223333:role/deploy";

    fn refs(files: &[(&str, &str)]) -> Vec<(String, String, String)> {
        jobs(files, "refs")
    }

    #[test]
    fn jobs_with_tokens_are_kept_with_their_roles() {
        let text = format!(
            "default:\n  id_tokens: {{AWS: {{aud: sts.amazonaws.com}}}}\nvariables:\n  ROLE: {ARN}\n.aws:\n  before_script:\n    \
             - aws sts assume-role-with-web-identity --role-arn $ROLE --web-identity-token $AWS\ndeploy:\n  extends: .aws\n  \
             only: [tags]\nother:\n  script:\n    - !reference [.aws, before_script]\n  variables: {{ROLE: x}}\nalone:\n  \
             inherit: {{default: false}}\n  script: make\n"
        );
        assert_eq!(
            refs(&[(".gitlab-ci.yml", &text)]),
            told(&[
                (".gitlab-ci.yml/deploy", ARN, "tag:*"),
                (".gitlab-ci.yml/other", "x", "branch:* tag:*"),
            ])
        );
    }

    #[test]
    fn files_of_the_repository_are_included() {
        let main = "include:\n  - local: /ci/*.yml\n  - more.yml\ndeploy:\n  extends: .aws\n  only: [main]\n  except: [tags]\n";
        let aws = format!(
            ".aws:\n  id_tokens: {{T: {{aud: a}}}}\n  variables: {{AWS_ROLE_ARN: {ARN}, AWS_WEB_IDENTITY_TOKEN_FILE: t}}\n  script: make\n"
        );
        let more = "child:\n  trigger:\n    include: [{local: child.yml}]\n";
        let child = format!(
            "apply:\n  id_tokens: {{T: {{aud: a}}}}\n  script: aws sts assume-role-with-web-identity --role-arn {ARN}\n"
        );
        let files = [
            (".gitlab-ci.yml", main),
            ("ci/aws.yml", aws.as_str()),
            ("more.yml", more),
            ("child.yml", child.as_str()),
        ];
        let wanted = [
            (".gitlab-ci.yml/deploy", ARN, "branch:main"),
            ("child.yml/apply", ARN, "branch:* tag:*"),
        ];
        assert_eq!(refs(&files), told(&wanted));
        let open = |files: &[(&str, &str)]| -> Vec<String> {
            jobs(files, "open").into_iter().map(|job| job.2).collect()
        };
        assert_eq!(open(&files), ["false", "false"]);
        let header = format!("spec: {{inputs: {{a: {{}}}}}}\n---\n{child}");
        let with_header = format!("include: a.yml\n{child}");
        assert_eq!(
            open(&[(".gitlab-ci.yml", &with_header), ("a.yml", &header)]),
            ["true"]
        );
        let remote = format!("include: [{{project: a/b, file: c.yml}}]\n{child}");
        assert_eq!(open(&[(".gitlab-ci.yml", &remote)]), ["true"]);
        let lost = format!("{child}  extends: .elsewhere\n");
        assert_eq!(open(&[(".gitlab-ci.yml", &lost)]), ["true"]);
    }

    #[test]
    fn a_role_from_elsewhere_is_open_and_other_jobs_are_none() {
        let text = "include: []\na:\n  id_tokens: {T: {aud: a}}\n  script: aws sts assume-role-with-web-identity --role-arn $ROLE\nb:\n  \
                    id_tokens: {T: {aud: a}}\n  script: ./deploy.sh\nc:\n  script: make\nd:\n  id_tokens: {T: {aud: a}}\n  rules: [{when: never}]\n";
        let wanted = [
            (".gitlab-ci.yml/a", "?", "branch:* tag:*"),
            (".gitlab-ci.yml/b", "?", "branch:* tag:*"),
        ];
        assert_eq!(refs(&[(".gitlab-ci.yml", text)]), told(&wanted));
        // Includes in a circle end.
        let circle = "include: b.yml\n";
        assert_eq!(
            refs(&[
                (".gitlab-ci.yml", circle),
                ("b.yml", "include: .gitlab-ci.yml\n")
            ]),
            []
        );
    }
}
