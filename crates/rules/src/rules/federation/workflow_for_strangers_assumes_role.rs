//! `workflow-for-strangers-assumes-role`: a workflow that anyone can start works with a role of AWS.

use crate::workflow::{Job, jobs};
use crate::{Context, Family, Scope, escalate, names};
use overgrant_finding::{Confidence, Severity};

rule! {
    /// Workflow that anyone can start assumes a role.
    ///
    /// A job of `.github/workflows` may ask for an identity token, assumes a role of AWS with it, and runs
    /// on an event that strangers cause: `pull_request_target`, `issue_comment`, `issues`, `discussion`, or
    /// the end of another workflow (`workflow_run`). Such runs have the rights of the repository itself,
    /// not those of a fork. The finding is high where the job also checks out what the stranger wrote. What
    /// follows another workflow runs the code of the default branch: that is low, unless it takes the
    /// stranger's code or files.
    /// A job of a reusable workflow starts with what starts the workflows that call it here. GitLab and
    /// Bitbucket have no event by which a stranger gets a token of the project.
    ///
    /// ## Why
    /// Anyone with an account at GitHub opens a pull request or writes a comment. What of it gets into the
    /// job, a script of the branch, a title in a shell line, runs with the role.
    ///
    /// ## Bad
    /// ```workflow bad
    /// on:
    ///   pull_request_target: # <-- here
    /// permissions:
    ///   id-token: write
    /// jobs:
    ///   preview:
    ///     runs-on: ubuntu-latest
    ///     steps:
    ///       - uses: actions/checkout@v4
    ///         with:
    ///           ref: ${{ github.event.pull_request.head.sha }}
    ///       - uses: aws-actions/configure-aws-credentials@v4
    ///         with:
    ///           role-to-assume: arn:aws:iam::111122223333:role/preview
    ///           aws-region: eu-west-1
    ///       - run: make preview
    /// ```
    /// The files of the run that it follows are the stranger's:
    /// ```workflow bad
    /// on:
    ///   workflow_run: # <-- here
    ///     workflows: [Test]
    ///     types: [completed]
    /// permissions:
    ///   id-token: write
    /// jobs:
    ///   publish:
    ///     runs-on: ubuntu-latest
    ///     steps:
    ///       - uses: actions/download-artifact@v4
    ///         with:
    ///           run-id: ${{ github.event.workflow_run.id }}
    ///       - uses: aws-actions/configure-aws-credentials@v4
    ///         with:
    ///           role-to-assume: arn:aws:iam::111122223333:role/publish
    ///           aws-region: eu-west-1
    ///       - run: make publish
    /// ```
    /// ## Good
    /// Pull requests from forks get no identity token on `pull_request`:
    /// ```workflow good
    /// on: [push, pull_request]
    /// permissions:
    ///   id-token: write
    /// jobs:
    ///   plan:
    ///     runs-on: ubuntu-latest
    ///     steps:
    ///       - uses: aws-actions/configure-aws-credentials@v4
    ///         with:
    ///           role-to-assume: arn:aws:iam::111122223333:role/plan
    ///           aws-region: eu-west-1
    /// ```
    /// What follows a pull request runs trusted code, and takes nothing from it:
    /// ```workflow good at:low
    /// on:
    ///   workflow_run:
    ///     workflows: [Test]
    ///     types: [completed]
    /// permissions:
    ///   id-token: write
    /// jobs:
    ///   plan:
    ///     runs-on: ubuntu-latest
    ///     steps:
    ///       - uses: actions/checkout@v4
    ///       - uses: aws-actions/configure-aws-credentials@v4
    ///         with:
    ///           role-to-assume: arn:aws:iam::111122223333:role/plan
    ///           aws-region: eu-west-1
    /// ```
    /// Without the permission there is no token, and without a role nothing of AWS:
    /// ```workflow good
    /// on: pull_request_target
    /// permissions:
    ///   contents: read
    /// jobs:
    ///   label:
    ///     runs-on: ubuntu-latest
    ///     steps:
    ///       - uses: aws-actions/configure-aws-credentials@v4
    ///         with:
    ///           role-to-assume: arn:aws:iam::111122223333:role/plan
    ///           aws-region: eu-west-1
    /// ```
    /// A merge request from a fork at GitLab runs in the fork, or with the path of the fork in its token:
    /// ```gitlab good with:role
    /// plan:
    ///   id_tokens:
    ///     AWS_TOKEN:
    ///       aud: https://gitlab.com
    ///   rules:
    ///     - if: $CI_PIPELINE_SOURCE == "merge_request_event"
    ///   script:
    ///     - aws sts assume-role-with-web-identity --role-arn arn:aws:iam::111122223333:role/deploy --role-session-name plan --web-identity-token $AWS_TOKEN
    /// ```
    /// Pull requests from forks at Bitbucket start no pipeline of the repository:
    /// ```bitbucket good with:role
    /// pipelines:
    ///   pull-requests:
    ///     '**':
    ///       - step:
    ///           oidc: true
    ///           deployment: staging
    ///           script:
    ///             - export AWS_ROLE_ARN=arn:aws:iam::111122223333:role/deploy
    ///             - export AWS_WEB_IDENTITY_TOKEN_FILE=$(pwd)/token
    ///             - echo $BITBUCKET_STEP_OIDC_TOKEN > $(pwd)/token
    ///             - make plan
    /// ```
    /// ## How to fix
    /// Run the part that needs AWS on `push` or `pull_request`, or behind an environment with reviewers,
    /// and trust only that environment in the role.
    pub(crate) static WORKFLOW_FOR_STRANGERS_ASSUMES_ROLE = Rule {
        id: "workflow-for-strangers-assumes-role",
        family: Family::Federation,
        severity: Severity::High,
        confidence: Confidence::Medium,
        scope: Scope::Module,
        since: "0.1.0",
        cwe: &[863],
        aliases: &[],
        mappings: &[("NIST", "AC-6"), ("ATT&CK", "T1195.002")],
        references: &["https://docs.github.com/en/actions/reference/workflows-and-actions/events-that-trigger-workflows#pull_request_target"],
        check: check,
    };
}

/// Events that strangers cause and that run with the rights of the repository, and how.
const OPEN: [(&str, &str); 7] = [
    ("pull_request_target", "opens a pull request"),
    ("issue_comment", "comments on an issue"),
    ("issues", "opens an issue"),
    ("discussion", "starts a discussion"),
    ("discussion_comment", "comments on a discussion"),
    ("fork", "forks the repository"),
    ("workflow_run", "starts the workflow that it follows"),
];

fn check(cx: &mut Context<'_>) {
    for job in jobs(cx.model) {
        let open = job.triggers().into_iter().find_map(|(name, src)| {
            let (_, how) = OPEN.iter().find(|(open, _)| *open == name)?;
            Some((name, src, *how))
        });
        if let Some((name, src, how)) = open {
            let report = report(cx, &job, &name, &src, how);
            cx.report(report);
        }
    }
}

fn report(
    cx: &Context<'_>,
    job: &Job<'_>,
    name: &str,
    src: &overgrant_value::Src,
    how: &str,
) -> crate::Report {
    let role = job.role_of(cx).map(|(id, _)| id);
    let identity = role.and_then(|id| cx.model.identity(id));
    let text = job.role.to_text().filter(|text| text.is_known());
    let assumed = match (identity, text) {
        (Some(identity), _) => names::identity(identity),
        (None, Some(text)) => format!("`{text}`"),
        (None, None) => "a role".to_owned(),
    };
    let message = format!("anyone who {how} starts {}, which assumes {assumed}", job.words());
    let strong = role.is_some_and(|id| escalate::reaches_admin(cx, id));
    // It runs the code of the default branch.
    let trusted = name == "workflow_run" && !job.has("head") && !job.has("artifact");
    let severity = match (trusted, job.has("head") || strong) {
        (true, _) => Severity::Low,
        (false, true) => Severity::High,
        (false, false) => Severity::Medium,
    };
    let mut report = cx
        .finding(&job.setting.place, src, message)
        .cell(name)
        .severity(severity)
        .related(job.role.src(), "the role", Some(&job.setting.place))
        .help("assume roles on push or pull_request, or behind an environment with reviewers");
    if let Some(head) = job.setting.attrs.get("head") {
        report = report.related(head.src(), "checks out what the stranger wrote", None);
    }
    if let Some(artifact) = job.setting.attrs.get("artifact") {
        report = report.related(artifact.src(), "takes files of the other run", None);
    }
    if let Some(identity) = identity {
        report = report.principal(&identity.place);
    }
    // A reviewer, or a test of who it was, may stand before.
    if job.has("environment") || job.has("if") {
        report = report.confidence(Confidence::Low);
    }
    report
}
