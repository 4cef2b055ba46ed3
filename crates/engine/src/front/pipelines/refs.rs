//! For which branches and tags a job of GitLab CI/CD runs: `rules`, `only`, `except`, `workflow`.
//!
//! Not for what a condition means (`expression`). Invariant: the answer is never smaller than what runs, so
//! that a ref that is missing never has the job. Source: GitLab, "CI/CD YAML syntax reference".

use super::expression::{self, Kind, Run};
use super::merge::{Configuration, texts};
use overgrant_cloudformation::syntax::Node;
use overgrant_value::Answer;
use std::collections::BTreeSet;
use std::sync::Arc;

/// A job with its pipeline.
pub(super) struct Job<'a> {
    pub(super) configuration: &'a Configuration,
    pub(super) job: &'a Node,
    /// Whether another pipeline of the project starts it.
    pub(super) child: bool,
}

/// Words of `only` and `except` for what starts a pipeline of a branch or tag.
const SOURCES: [&str; 8] = [
    "api",
    "chat",
    "external",
    "pipelines",
    "pushes",
    "schedules",
    "triggers",
    "web",
];

impl Job<'_> {
    /// What the job runs for, as `branch:NAME` and `tag:NAME` with `*` for any name. The token of a merge
    /// request has the source branch, so that is a branch like others.
    pub(super) fn refs(&self) -> Vec<String> {
        let names = self.names();
        let mut found = BTreeSet::new();
        for kind in [Kind::Branch, Kind::MergeRequest, Kind::Tag] {
            let word = if kind == Kind::Tag { "tag" } else { "branch" };
            let runs = |name| {
                self.runs(Run {
                    kind,
                    name,
                    child: self.child,
                })
            };
            if runs(None).possible() {
                found.insert(format!("{word}:*"));
                continue;
            }
            let named = names.iter().filter(|name| runs(Some(name)).possible());
            found.extend(named.map(|name| format!("{word}:{name}")));
        }
        for word in ["branch", "tag"] {
            let any = format!("{word}:*");
            if found.contains(&any) {
                let own = format!("{word}:");
                found.retain(|one| *one == any || !one.starts_with(&own));
            }
        }
        found.into_iter().collect()
    }

    /// The names that conditions of the job and its pipeline write out.
    fn names(&self) -> BTreeSet<String> {
        let mut names = BTreeSet::new();
        for rules in self.all_rules() {
            for rule in self.configuration.items(&rules).0 {
                if let Some(text) = rule.get("if").and_then(|one| one.text()) {
                    names.extend(expression::literals(text));
                }
            }
        }
        for key in ["only", "except"] {
            if let Some(node) = self.job.get(key) {
                let plain = refs_of(node)
                    .into_iter()
                    .filter(|word| !word.starts_with('/'));
                names.extend(plain.map(|word| name_of(&word).to_owned()));
            }
        }
        names
    }

    fn all_rules(&self) -> Vec<Arc<Node>> {
        let workflow = self
            .configuration
            .root
            .get("workflow")
            .and_then(|one| one.get("rules"));
        self.job
            .get("rules")
            .into_iter()
            .chain(workflow)
            .cloned()
            .collect()
    }

    /// Whether the job is in the pipeline of a run.
    fn runs(&self, run: Run<'_>) -> Answer {
        let workflow = self
            .configuration
            .root
            .get("workflow")
            .and_then(|one| one.get("rules"));
        let pipeline = workflow.map_or(Answer::Must, |rules| self.rules(rules, run));
        pipeline.and(match self.job.get("rules") {
            Some(rules) => self.rules(rules, run),
            None => self.lists(run, workflow.is_some()),
        })
    }

    /// The first rule that applies decides.
    fn rules(&self, rules: &Arc<Node>, run: Run<'_>) -> Answer {
        let (rules, complete) = self.configuration.items(rules);
        if !complete {
            return Answer::May;
        }
        let mut answer = Answer::No;
        for rule in rules {
            let condition = rule.get("if").map_or(Answer::Must, |node| {
                node.text().map_or(Answer::May, |text| run.holds(text))
            });
            let on_files = rule.get("changes").is_some() || rule.get("exists").is_some();
            let applies = if on_files {
                condition.at_most_may()
            } else {
                condition
            };
            let never = rule
                .get("when")
                .is_some_and(|when| when.text() == Some("never"));
            match (applies, never) {
                (Answer::No, _) | (Answer::May, true) => {}
                (Answer::May, false) => answer = Answer::May,
                (Answer::Must, true) => return answer,
                (Answer::Must, false) => return answer.or(Answer::Must),
            }
        }
        answer
    }

    /// `only` and `except`, and what holds without them.
    fn lists(&self, run: Run<'_>, has_workflow: bool) -> Answer {
        let only = self.job.get("only");
        let except = self.job.get("except");
        let included = match only {
            Some(only) => {
                let words = refs_of(only);
                let named = words.iter().map(|word| listed(word, run)).max();
                let answer = named.unwrap_or(default(run, has_workflow));
                if narrows(only) {
                    answer.at_most_may()
                } else {
                    answer
                }
            }
            None => default(run, has_workflow),
        };
        let excluded = match except {
            Some(except) if !narrows(except) => refs_of(except)
                .iter()
                .map(|word| listed(word, run))
                .max()
                .unwrap_or(Answer::No),
            _ => Answer::No,
        };
        included.and(excluded.negate())
    }
}

/// Jobs without conditions run for branches and tags, and for merge requests where a workflow has them.
fn default(run: Run<'_>, has_workflow: bool) -> Answer {
    match run.kind {
        Kind::Branch | Kind::Tag => Answer::Must,
        Kind::MergeRequest => Answer::from_bool(has_workflow).at_most_may(),
    }
}

/// The words of `only` and `except`, which stand in a list or under `refs`.
fn refs_of(node: &Node) -> Vec<String> {
    let listed = node
        .get("refs")
        .map_or_else(|| texts(node), |refs| texts(refs));
    listed.into_iter().map(|word| word.to_string()).collect()
}

/// Whether something beside refs is asked for.
fn narrows(node: &Node) -> bool {
    node.entries().iter().any(|entry| entry.key != "refs")
        || refs_of(node).iter().any(|word| word.contains('@'))
}

/// A name without the path of its project.
fn name_of(word: &str) -> &str {
    word.split('@').next().unwrap_or(word)
}

/// Whether a word of `only` or `except` means a run.
fn listed(word: &str, run: Run<'_>) -> Answer {
    let of_ref = run.kind != Kind::MergeRequest;
    match word {
        "branches" => Answer::from_bool(run.kind == Kind::Branch),
        "tags" => Answer::from_bool(run.kind == Kind::Tag),
        "merge_requests" => Answer::from_bool(!of_ref),
        "external_pull_requests" => Answer::May,
        _ if !of_ref => Answer::No,
        word if SOURCES.contains(&word) => Answer::May,
        word if word.starts_with('/') => expression::matches(run.name, name_of(word)),
        word if word.contains('$') => Answer::May,
        word => Answer::from_bool(run.name == Some(name_of(word))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use overgrant_cloudformation::syntax::parse_yaml;
    use overgrant_source::Sources;

    fn refs(text: &str) -> String {
        let sources = Sources::new("/nowhere");
        let file = sources.add(".gitlab-ci.yml", text);
        let configuration = Configuration {
            root: parse_yaml(&file).unwrap().root,
        };
        let job = configuration.job("job").unwrap().node;
        let job = Job {
            configuration: &configuration,
            job: &job,
            child: false,
        };
        job.refs().join(" ")
    }

    #[test]
    fn jobs_run_for_the_refs_of_their_conditions() {
        for (text, wanted) in [
            ("job: {script: x}", "branch:* tag:*"),
            ("job: {only: [tags]}", "tag:*"),
            ("job: {only: [main, merge_requests]}", "branch:* tag:main"),
            ("job: {only: [main]}", "branch:main tag:main"),
            ("job: {only: [branches], except: [main]}", "branch:*"),
            ("job: {except: [tags]}", "branch:*"),
            ("job: {except: [branches]}", "tag:*"),
            ("job: {only: {refs: [tags], variables: [$X]}}", "tag:*"),
            (
                "job: {except: {refs: [tags], changes: [a]}}",
                "branch:* tag:*",
            ),
            ("job: {only: [/^v/], except: [branches]}", "tag:*"),
            ("job: {rules: [{if: $CI_COMMIT_TAG}]}", "tag:*"),
            (
                "job: {rules: [{if: $CI_COMMIT_TAG, when: never}, {when: manual}]}",
                "branch:*",
            ),
            (
                "job: {rules: [{if: '$CI_COMMIT_BRANCH == \"main\"', changes: [a]}]}",
                "branch:main",
            ),
            (
                "job: {rules: [{if: '$CI_PIPELINE_SOURCE == \"merge_request_event\"'}]}",
                "branch:*",
            ),
            ("job: {rules: [{when: never}]}", ""),
            (
                ".r: {rules: [{if: $CI_COMMIT_TAG}]}\njob: {rules: [!reference [.r, rules], {when: never}]}",
                "tag:*",
            ),
            (
                "job: {rules: [!reference [.gone, rules], {when: never}]}",
                "branch:* tag:*",
            ),
            (
                "workflow: {rules: [{if: $CI_COMMIT_TAG}]}\njob: {script: x}",
                "tag:*",
            ),
            (
                "workflow: {rules: [{if: $CI_MERGE_REQUEST_IID}]}\njob: {script: x}",
                "branch:*",
            ),
        ] {
            assert_eq!(refs(text), wanted, "{text}");
        }
    }
}
