//! `github-subject-matches-no-workflow`: a trust for runs that no workflow of the repository makes.

use crate::workflow::{Job, Service, report, unmet};
use crate::{Context, Family, Scope};
use overgrant_finding::{Confidence, Severity};
use overgrant_policy::{Answer, Value};

rule! {
    /// Trusted subject matches no workflow that assumes the role.
    ///
    /// The trust policy pins an environment or event of GitHub Actions. Workflow files of this repository
    /// assume the role, and none of their jobs has such a subject.
    ///
    /// ## Why
    /// Either the deployment fails, or the subject is for something that is gone: whoever makes an
    /// environment or branch of that name gets the role, and nobody expects it.
    ///
    /// ## Bad
    /// ```workflow bad with:role
    /// on: push
    /// permissions:
    ///   id-token: write
    /// jobs:
    ///   deploy:
    ///     environment: production
    ///     runs-on: ubuntu-latest
    ///     steps:
    ///       - uses: aws-actions/configure-aws-credentials@v4
    ///         with:
    ///           role-to-assume: arn:aws:iam::111122223333:role/deploy
    ///           aws-region: eu-west-1
    /// ```
    /// where the role trusts `repo:acme/shop:environment:prod`.
    ///
    /// ## Good
    /// ```workflow good with:role
    /// on: push
    /// permissions:
    ///   id-token: write
    /// jobs:
    ///   deploy:
    ///     environment: prod
    ///     runs-on: ubuntu-latest
    ///     steps:
    ///       - uses: aws-actions/configure-aws-credentials@v4
    ///         with:
    ///           role-to-assume: arn:aws:iam::111122223333:role/deploy
    ///           aws-region: eu-west-1
    /// ```
    /// An environment that an expression names may be any:
    /// ```workflow good with:role
    /// on: push
    /// permissions:
    ///   id-token: write
    /// jobs:
    ///   deploy:
    ///     environment: ${{ inputs.stage }}
    ///     runs-on: ubuntu-latest
    ///     steps:
    ///       - uses: aws-actions/configure-aws-credentials@v4
    ///         with:
    ///           role-to-assume: arn:aws:iam::111122223333:role/deploy
    ///           aws-region: eu-west-1
    /// ```
    /// A role that the workflow does not name may be this one:
    /// ```workflow good with:role
    /// on: push
    /// permissions:
    ///   id-token: write
    /// jobs:
    ///   test:
    ///     runs-on: ubuntu-latest
    ///     steps:
    ///       - uses: aws-actions/configure-aws-credentials@v4
    ///         with:
    ///           role-to-assume: arn:aws:iam::111122223333:role/deploy
    ///           aws-region: eu-west-1
    ///   deploy:
    ///     environment: prod
    ///     runs-on: ubuntu-latest
    ///     steps:
    ///       - uses: aws-actions/configure-aws-credentials@v4
    ///         with:
    ///           role-to-assume: ${{ vars.ROLE }}
    ///           aws-region: eu-west-1
    /// ```
    /// ## How to fix
    /// Trust the environment that the job has, and remove the value if nothing uses it.
    pub(crate) static GITHUB_SUBJECT_MATCHES_NO_WORKFLOW = Rule {
        id: "github-subject-matches-no-workflow",
        family: Family::Federation,
        severity: Severity::Low,
        confidence: Confidence::Medium,
        scope: Scope::Module,
        since: "0.1.0",
        cwe: &[863],
        aliases: &[],
        mappings: &[("NIST", "CM-2")],
        references: &["https://docs.github.com/en/actions/reference/security/oidc"],
        check: check,
    };
}

fn check(cx: &mut Context<'_>) {
    for one in unmet(cx, Service::GitHub, "sub", |job, _, _, value| may_have(job, value)) {
        let role = one.trusted.role(cx.model);
        let text =
            format!("{role} trusts `{}`, which no workflow here that assumes it can have", one.value);
        let report = report(cx, &one, text, "trust the environment or branch that the job has");
        cx.report(report);
    }
}

/// Whether a run of the job may have the subject; where it cannot be told, it may.
fn may_have(job: &Job<'_>, value: &Value) -> bool {
    let Some(text) = value.known() else { return true };
    let parts: Vec<&str> = text.splitn(3, ':').collect();
    let ["repo", repository, tail] = parts.as_slice() else {
        return true;
    };
    if job.has("environment") {
        return job.known("environment").is_none_or(|environment| {
            let subject = format!("repo:{repository}:environment:{environment}");
            value.pattern().matches(&subject) != Answer::No
        });
    }
    if tail.starts_with("environment:") {
        return false;
    }
    let triggers = job.triggers();
    let by_pull_request = |name: &str| name == "pull_request";
    match *tail {
        // Who calls a workflow from elsewhere is not known.
        "pull_request" => triggers
            .iter()
            .any(|(name, _)| by_pull_request(name) || name == "workflow_call"),
        _ => !triggers.iter().all(|(name, _)| by_pull_request(name)) || tail.contains('*'),
    }
}
