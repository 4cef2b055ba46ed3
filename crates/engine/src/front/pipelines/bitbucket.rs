//! `bitbucket-pipelines.yml`: the steps that ask for a token.
//!
//! Not for pipelines that other repositories share (`import`), which leave the file open. Invariant: a step
//! that has a token is there, whether or not it is seen to assume a role. Sources: Atlassian, "Deploy on AWS
//! using Bitbucket Pipelines OpenID Connect", "Integrate Pipelines with resource servers using OIDC", "Step
//! options", "Pipeline start conditions".

use super::shell::{self, Variables};
use super::{Input, Job, load};
use overgrant_cloudformation::syntax::{Entry, Node};
use overgrant_source::{Sources, Span};
use overgrant_value::{Src, Val};
use std::sync::Arc;

const FILE: &str = "bitbucket-pipelines.yml";

/// The type of the resources that steps become.
const KIND: &str = "bitbucket_pipelines_step";

/// What gives a step its token.
const TOKEN: &str = "oidc";

/// The variable of pipes that assume a role with the step's token.
const PIPE_ROLE: &str = "AWS_OIDC_ROLE_ARN";

/// Sections of `pipelines` with a pipeline for each name.
const NAMED: [&str; 4] = ["branches", "tags", "pull-requests", "custom"];

pub(super) fn read(input: &mut Input, sources: &Sources) {
    if !sources.peek(FILE).is_ok_and(|text| text.contains(TOKEN)) {
        return;
    }
    let Some(root) = load(input, sources, FILE, TOKEN) else {
        return;
    };
    let Some(pipelines) = root.get("pipelines") else {
        return;
    };
    let mut steps = Steps {
        found: Vec::new(),
        open: root.get("export").is_some(),
    };
    for section in pipelines.entries() {
        if NAMED.contains(&section.key.as_str()) {
            for named in section.value.entries() {
                steps.pipeline(&format!("{}/{}", section.key, named.key), named);
            }
        } else {
            steps.pipeline(&section.key, section);
        }
    }
    let open = steps.open;
    for step in steps.found {
        lower(input, sources, &step, open);
    }
}

/// A step and where it is in the file.
struct Step {
    address: String,
    /// The word `step`.
    key_span: Span,
    node: Arc<Node>,
    /// The environment of the stage that it is in.
    stage: Option<Arc<Node>>,
}

struct Steps {
    found: Vec<Step>,
    /// Whether pipelines of other repositories are used.
    open: bool,
}

impl Steps {
    fn pipeline(&mut self, name: &str, entry: &Entry) {
        if entry.value.get("import").is_some() {
            self.open = true;
        }
        self.items(&format!("{FILE}/{name}"), &entry.value, None);
    }

    /// The items of a list: steps, and lists of steps under `parallel` and `stage`.
    fn items(&mut self, address: &str, list: &Node, stage: Option<&Arc<Node>>) {
        for item in list.items() {
            for entry in item.entries() {
                match entry.key.as_str() {
                    "step" => {
                        let number = self.found.len() + 1;
                        let name = entry.value.get("name").and_then(|name| name.text());
                        let name = name.map_or_else(|| format!("step {number}"), str::to_owned);
                        self.found.push(Step {
                            address: format!("{address}/{name}"),
                            key_span: entry.key_span,
                            node: entry.value.clone(),
                            stage: stage.cloned(),
                        });
                    }
                    "parallel" => {
                        let steps = entry.value.get("steps").unwrap_or(&entry.value);
                        self.items(address, steps, stage);
                    }
                    "stage" => {
                        let own = entry.value.get("deployment").or(stage);
                        if let Some(steps) = entry.value.get("steps") {
                            self.items(address, steps, own);
                        }
                    }
                    _ => {}
                }
            }
        }
    }
}

fn lower(input: &mut Input, sources: &Sources, step: &Step, open: bool) {
    // `oidc: true`, or a mapping with the audiences.
    let asks = |token: &Arc<Node>| token.text() == Some("true") || !token.entries().is_empty();
    if !step.node.get(TOKEN).is_some_and(asks) {
        return;
    }
    let mut more = vec![("open", Val::bool(open, Src::none()))];
    if let Some(environment) = step.node.get("deployment").or(step.stage.as_ref()) {
        let at = Src::at(environment.span);
        let name = environment.text().map_or_else(
            || Val::unknown_because("an environment", Some(environment.span)),
            |name| Val::str(name, at),
        );
        more.push(("environment", name));
    }
    let mut commands = Vec::new();
    let mut roles = Vec::new();
    for key in ["script", "after-script"] {
        for item in step
            .node
            .get(key)
            .map(|list| list.items())
            .unwrap_or_default()
        {
            if item.text().is_some() {
                commands.push(item.clone());
            }
            let variables = item.get("variables");
            let role = variables.and_then(|variables| variables.get(PIPE_ROLE));
            roles.extend(role.and_then(|role| shell::written(&Variables::default(), role)));
        }
    }
    roles.extend(shell::roles(Variables::default(), &commands));
    let name = step
        .address
        .rsplit('/')
        .next()
        .unwrap_or_default()
        .to_owned();
    let job = Job {
        kind: KIND,
        address: step.address.clone(),
        name: &name,
        name_span: step.key_span,
        span: step.node.span,
        more,
    };
    job.lower(input, sources, roles);
}

#[cfg(test)]
mod tests {
    use super::super::testing::{jobs, told};

    const ARN: &str = "arn:aws:iam::111122223333:role/deploy";

    #[test]
    fn steps_with_tokens_are_kept_with_their_roles() {
        let text = format!(
            "definitions:\n  steps:\n    - step: &deploy\n        name: Deploy\n        oidc: true\n        script:\n          \
             - export AWS_ROLE_ARN={ARN}\n          - export AWS_WEB_IDENTITY_TOKEN_FILE=$(pwd)/token\n          \
             - echo $BITBUCKET_STEP_OIDC_TOKEN > $(pwd)/token\npipelines:\n  default:\n    - step: {{script: [make]}}\n    \
             - step: *deploy\n  branches:\n    main:\n      - step:\n          <<: *deploy\n          deployment: production\n  \
             custom:\n    release:\n      - stage:\n          deployment: test\n          steps:\n            - step:\n                \
             oidc: {{audiences: [a]}}\n                script:\n                  - pipe: atlassian/aws-s3-deploy:1.1.0\n                    \
             variables: {{AWS_OIDC_ROLE_ARN: '{ARN}'}}\n  pull-requests:\n    '**':\n      - parallel:\n          steps:\n            \
             - step: {{oidc: true, script: [./deploy.sh]}}\n"
        );
        let wanted = [
            ("bitbucket-pipelines.yml/default/Deploy", ARN, ""),
            (
                "bitbucket-pipelines.yml/branches/main/Deploy",
                ARN,
                "production",
            ),
            ("bitbucket-pipelines.yml/custom/release/step 4", ARN, "test"),
            ("bitbucket-pipelines.yml/pull-requests/**/step 5", "?", ""),
        ];
        assert_eq!(
            jobs(&[("bitbucket-pipelines.yml", &text)], "environment"),
            told(&wanted)
        );
    }

    #[test]
    fn variables_of_the_repository_are_open_and_other_files_give_nothing() {
        let text = "pipelines:\n  default:\n    - step:\n        oidc: true\n        script:\n          - pipe: a/b:1\n            \
                    variables: {AWS_OIDC_ROLE_ARN: $ROLE}\n    - step: {oidc: false, script: [make]}\n";
        let file = "bitbucket-pipelines.yml";
        assert_eq!(
            jobs(&[(file, text)], "open"),
            told(&[("bitbucket-pipelines.yml/default/step 1", "?", "false")])
        );
        assert_eq!(jobs(&[(file, "oidc: 1\n")], "open"), []);
        let imported = format!("{text}  custom:\n    x: {{import: shared:main:x}}\n");
        assert_eq!(jobs(&[(file, &imported)], "open")[0].2, "true");
    }
}
