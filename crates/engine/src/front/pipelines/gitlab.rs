//! `.gitlab-ci.yml`: the jobs that ask for an ID token.
//!
//! With the files that it includes from the same repository, and the child pipelines among them. Not for
//! components, templates and other projects, which may hold more jobs: a pipeline that uses them is told to
//! be open. Invariant: a job that has a token is there, whether or not it is seen to assume a role.
//! Sources: GitLab, "OpenID Connect (OIDC) authentication using ID tokens", "CI/CD YAML syntax reference".

use super::inputs::{self, Inputs};
use super::merge::{Configuration, merge, nothing, texts};
use super::shell::{self, Variables};
use super::{Input, Job, load, load_behind, refs};
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

/// Folders below each other, and names, that are looked through for a path with wildcards.
const MOST_LEVELS: usize = 16;
const MOST_NAMES: usize = 10_000;

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
    let mut waiting = vec![(FILE.to_owned(), false, Inputs::new())];
    let mut seen = BTreeSet::new();
    let mut found = Vec::new();
    let mut open = false;
    while let Some((path, child, given)) = waiting.pop() {
        if seen.len() > MOST_FILES || !seen.insert(path.clone()) {
            continue;
        }
        let mut reader = Reader {
            input,
            sources,
            files: 0,
            above: Vec::new(),
            open: false,
        };
        let Some(root) = reader.file(&path, child.then_some(&given)) else {
            open = true;
            continue;
        };
        let configuration = Configuration { root };
        let children = reader.children(&configuration);
        open |= reader.open;
        waiting.extend(
            children
                .into_iter()
                .map(|(path, given)| (path, true, given)),
        );
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
    /// The files that include the one that is read.
    above: Vec<String>,
    /// Whether something is included that is not at hand.
    open: bool,
}

impl Reader<'_> {
    /// A file with what it includes; `given` are the inputs that an `include` sets. Whoever starts the
    /// pipeline itself may set others than the defaults.
    fn file(&mut self, path: &str, given: Option<&Inputs>) -> Option<Arc<Node>> {
        self.files += 1;
        if self.files > MOST_FILES {
            return None;
        }
        let mut own = load(self.input, self.sources, path, TOKENS)?;
        if own.get("spec").is_some() {
            let start = inputs::behind_header(&self.sources.peek(path).ok()?)?;
            let known = given.map(|given| inputs::inputs(&own, given));
            let body = load_behind(self.input, self.sources, path, TOKENS, start)?;
            own = inputs::fill(&body, &known.unwrap_or_default());
            if inputs::is_open(&own) {
                return None;
            }
        }
        let mut root = nothing(own.span);
        self.above.push(path.to_owned());
        for (path, given) in own
            .get("include")
            .map(|node| self.included(node))
            .unwrap_or_default()
        {
            // A circle adds nothing.
            if self.above.contains(&path) {
                continue;
            }
            match self.file(&path, Some(&given)) {
                Some(under) => root = merge(&root, &under),
                None => self.open = true,
            }
        }
        self.above.pop();
        Some(merge(&root, &own))
    }

    /// The paths that `include` names in the repository, with the inputs that it gives.
    fn included(&mut self, node: &Node) -> Vec<(String, Inputs)> {
        let mut found = Vec::new();
        let own = std::iter::once(node).filter(|node| node.items().is_empty());
        for one in node.items().iter().map(|item| &**item).chain(own) {
            let local = one.get("local").map_or(one.text(), |local| local.text());
            match local.filter(|path| !path.contains("://") && !path.contains('$')) {
                Some(path) => {
                    let given = inputs::given(one);
                    let paths = self.matching(path.trim_start_matches('/'));
                    found.extend(paths.into_iter().map(|path| (path, given.clone())));
                }
                None => self.open = true,
            }
        }
        found
    }

    /// The files that a path with wildcards means: `*` is any text within a part, `**` any text.
    fn matching(&mut self, path: &str) -> Vec<String> {
        let Some((start, _)) = path.split_once('*') else {
            return vec![path.to_owned()];
        };
        let folder = start.rsplit_once('/').map_or("", |(folder, _)| folder);
        let mut found = Vec::new();
        let mut waiting = vec![(folder.to_owned(), 0)];
        let mut seen = 0;
        let deep = path.get(folder.len()..).unwrap_or_default();
        let levels = if deep.contains("**") {
            MOST_LEVELS
        } else {
            deep.trim_start_matches('/').matches('/').count()
        };
        while let Some((folder, depth)) = waiting.pop() {
            for name in self.sources.list(&folder) {
                seen += 1;
                if seen > MOST_NAMES {
                    self.open = true;
                    return Vec::new();
                }
                let joint = if folder.is_empty() { "" } else { "/" };
                let inner = format!("{folder}{joint}{name}");
                if self.sources.exists(&inner) {
                    if fits(path.as_bytes(), inner.as_bytes()) {
                        found.push(inner);
                    }
                } else if depth < levels && name != ".git" {
                    waiting.push((inner, depth + 1));
                }
            }
        }
        found.sort();
        found
    }

    /// The files of the pipelines that jobs start in the same project.
    fn children(&mut self, configuration: &Configuration) -> Vec<(String, Inputs)> {
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

/// Whether a path is what a pattern with `*` and `**` means. Every place of the pattern that the path can
/// have come to is followed at once, so that no pattern takes longer than its length times the path's.
fn fits(pattern: &[u8], path: &[u8]) -> bool {
    let star = |at: usize| pattern.get(at) == Some(&b'*');
    // The places behind the wildcards at `at` count as reached too, as they may stand for nothing.
    let reach = |places: &mut Vec<bool>, mut at: usize| {
        loop {
            let Some(place) = places.get_mut(at) else {
                return;
            };
            *place = true;
            if !star(at) {
                return;
            }
            at += if star(at + 1) { 2 } else { 1 };
        }
    };
    let mut places = vec![false; pattern.len() + 1];
    reach(&mut places, 0);
    for byte in path {
        let mut next = vec![false; pattern.len() + 1];
        for at in (0..pattern.len()).filter(|at| places.get(*at) == Some(&true)) {
            if star(at) {
                if star(at + 1) || *byte != b'/' {
                    reach(&mut next, at);
                }
            } else if pattern.get(at) == Some(byte) {
                reach(&mut next, at + 1);
            }
        }
        places = next;
    }
    places.last() == Some(&true)
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
    let variables = variables(configuration, job);
    let audiences = audiences(configuration, resolved.flatten().as_deref(), &variables);
    let mut commands = Vec::new();
    for key in ["before_script", "script", "after_script"] {
        if let Some(node) = configuration.keyword(job, key) {
            commands.extend(configuration.items(&node).0);
        }
    }
    let roles = shell::roles(variables, &commands);
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
            ("audiences", audiences),
        ],
    };
    job.lower(input, sources, roles);
}

/// For whom the tokens of a job are: each `aud`, where all of them are texts at hand.
fn audiences(configuration: &Configuration, tokens: Option<&Node>, variables: &Variables) -> Val {
    let open = || Val::unknown_because("an audience that is not in the file", None);
    let Some(tokens) = tokens else {
        return open();
    };
    let mut found = Vec::new();
    for token in tokens.entries() {
        let token = configuration.resolve(&token.value);
        let Some(aud) = token.and_then(|token| token.get("aud").cloned()) else {
            return open();
        };
        let (items, complete) = configuration.items(&aud);
        for item in &items {
            let Some(text) = item.text().and_then(|text| variables.expanded(text)) else {
                return open();
            };
            found.push(Val::str(&text, Src::at(item.span)));
        }
        if !complete || items.is_empty() {
            return open();
        }
    }
    Val::tuple(found, Src::none())
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
        let remote = format!("include: [{{project: a/b, file: c.yml}}]\n{child}");
        assert_eq!(open(&[(".gitlab-ci.yml", &remote)]), ["true"]);
        let lost = format!("{child}  extends: .elsewhere\n");
        assert_eq!(open(&[(".gitlab-ci.yml", &lost)]), ["true"]);
    }

    #[test]
    fn wildcards_are_those_of_gitlab() {
        let included = |pattern: &str, path: &str| super::fits(pattern.as_bytes(), path.as_bytes());
        assert!(included("ci/*.yml", "ci/a.yml"));
        assert!(!included("ci/*.yml", "ci/aws/a.yml"));
        assert!(included("ci/**.yml", "ci/a.yml"));
        assert!(included("ci/**.yml", "ci/aws/a.yml"));
        assert!(included("ci/**/*.yml", "ci/aws/eu/a.yml"));
        assert!(
            !included("ci/**/*.yml", "ci/a.yml"),
            "in folders below only"
        );
        assert!(!included("ci/**.yml", "ci/a.yaml"));
        assert!(included("**", "ci/aws/a.yml") && !included("*", "ci/a.yml"));
        // Tried one way after the other, this would never end.
        assert!(!included(&"**a".repeat(40), &"a".repeat(39)));
        assert!(included(&"**a".repeat(40), &"a".repeat(300)));
        assert!(!included(
            &format!("{}b", "**a".repeat(40)),
            &"a".repeat(300)
        ));
    }

    /// Folders as they are on a disk: the texts of tests have none.
    #[test]
    fn folders_are_looked_through() {
        let dir = tempfile::tempdir().unwrap();
        std::fs::create_dir_all(dir.path().join("ci/aws")).unwrap();
        let job = format!(
            "JOB:\n  id_tokens: {{T: {{aud: a}}}}\n  script: aws sts assume-role-with-web-identity --role-arn {ARN}\n"
        );
        for (path, name) in [
            ("ci/aws/deep.yml", "deep"),
            ("ci/flat.yml", "flat"),
            ("other.yml", "other"),
        ] {
            std::fs::write(dir.path().join(path), job.replace("JOB", name)).unwrap();
        }
        let found = |pattern: &str| {
            let include = format!("include: /{pattern}\n");
            std::fs::write(dir.path().join(".gitlab-ci.yml"), include).unwrap();
            let sources = std::sync::Arc::new(overgrant_source::Sources::new(dir.path()));
            let mut input = super::Input::default();
            super::read(&mut input, &sources);
            let names = input.resources.iter().map(|one| one.address.to_string());
            names.collect::<Vec<_>>()
        };
        let of = |names: &[&str]| -> Vec<String> {
            names
                .iter()
                .map(|name| format!(".gitlab-ci.yml/{name}"))
                .collect()
        };
        assert_eq!(found("ci/**.yml"), of(&["deep", "flat"]));
        assert_eq!(found("ci/**/*.yml"), of(&["deep"]));
        assert_eq!(found("ci/*.yml"), of(&["flat"]));
        assert_eq!(found("**.yml").len(), 3);
    }

    #[test]
    fn inputs_fill_the_document_behind_the_header() {
        let header = "spec:\n  inputs:\n    role: {}\n    name: {default: deploy}\n    where:\n      default: [main]\n---\n";
        let body = "\"$[[ inputs.name ]]-it\":\n  id_tokens: {T: {aud: a}}\n  only: $[[ inputs.where ]]\n  script:\n    \
                    - aws sts assume-role-with-web-identity --role-arn arn:aws:iam::111122223333:role/$[[ inputs.role ]]\n";
        let template = format!("{header}{body}");
        let main = |inputs: &str| format!("include:\n  - local: a.yml\n    inputs: {inputs}\n");
        let with = |inputs: &str| refs(&[(".gitlab-ci.yml", &main(inputs)), ("a.yml", &template)]);
        assert_eq!(
            with("{role: deploy}"),
            told(&[(".gitlab-ci.yml/deploy-it", ARN, "branch:main tag:main")])
        );
        assert_eq!(
            with("{role: deploy, name: ship, where: [tags]}"),
            told(&[(".gitlab-ci.yml/ship-it", ARN, "tag:*")])
        );
        assert_eq!(with("{}"), [], "nobody gives the role");
        // Who starts the pipeline may give other inputs than the defaults.
        let own = template.replace("role: {}", "role: {default: deploy}");
        assert_eq!(refs(&[(".gitlab-ci.yml", &own)]), []);
        let unused = template
            .replace("$[[ inputs.name ]]", "x")
            .replace("$[[ inputs.where ]]", "[main]");
        let unused = unused.replace("$[[ inputs.role ]]", "deploy");
        assert_eq!(
            refs(&[(".gitlab-ci.yml", &unused)]),
            told(&[(".gitlab-ci.yml/x-it", ARN, "branch:main tag:main")])
        );
        let open = |files: &[(&str, &str)]| -> Vec<String> {
            jobs(files, "open").into_iter().map(|job| job.2).collect()
        };
        let child = format!(
            "include: a.yml\napply:\n  id_tokens: {{T: {{aud: a}}}}\n  script: aws sts assume-role-with-web-identity --role-arn {ARN}\n"
        );
        assert_eq!(
            open(&[(".gitlab-ci.yml", &child), ("a.yml", &template)]),
            ["true"]
        );
    }

    #[test]
    fn audiences_of_tokens_are_kept() {
        let audiences = |tokens: &str| -> Vec<String> {
            let text = format!(
                "variables: {{AUD: sts.amazonaws.com}}\na:\n  id_tokens: {tokens}\n  script: aws sts assume-role-with-web-identity --role-arn {ARN}\n"
            );
            let jobs = jobs(&[(".gitlab-ci.yml", &text)], "audiences");
            jobs.into_iter().map(|job| job.2).collect()
        };
        assert_eq!(
            audiences("{T: {aud: https://gitlab.com}}"),
            ["https://gitlab.com"]
        );
        assert_eq!(
            audiences("{T: {aud: [a, $AUD]}, U: {aud: b}}"),
            ["a sts.amazonaws.com b"]
        );
        assert_eq!(audiences("!reference [.elsewhere, id_tokens]"), ["?"]);
        assert_eq!(
            audiences("{T: {aud: a}, U: {aud: $CI_SERVER_URL}}"),
            ["?"],
            "it may be any"
        );
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
