//! `pipeline-subject-matches-no-job`: a trust for runs that no pipeline of the repository makes.

use crate::claims;
use crate::federation::Trusted;
use crate::skeleton::{is_open, is_wild};
use crate::workflow::{Job, Service, report, unmet};
use crate::{Context, Family, Scope};
use overgrant_finding::{Confidence, Severity};
use overgrant_policy::{Condition, Value};

rule! {
    /// Trusted subject matches no job of the pipeline that assumes the role.
    ///
    /// The trust policy pins a branch or tag of GitLab, or an environment of Bitbucket. The pipeline of this
    /// repository (`.gitlab-ci.yml` with the files that it includes from here, `bitbucket-pipelines.yml`)
    /// assumes the role, and none of its jobs runs with such a subject. A merge request of GitLab has the
    /// subject of its source branch. The same is said of the audience that GitLab's tokens are made for, where
    /// no job asks for one that the trust accepts. Nothing is said where the pipeline uses files of other repositories, or
    /// has a job with a token and a role that is not written there.
    ///
    /// ## Why
    /// Either the deployment fails, or the subject is for something that is gone: whoever may push a branch
    /// or tag of that name, or deploy to that environment, gets the role, and nobody expects it.
    ///
    /// ## Bad
    /// ```gitlab bad with:role
    /// deploy:
    ///   id_tokens:
    ///     AWS_TOKEN:
    ///       aud: https://gitlab.com
    ///   rules:
    ///     - if: $CI_COMMIT_TAG =~ /^v\d+/
    ///   script:
    ///     - aws sts assume-role-with-web-identity --role-arn arn:aws:iam::111122223333:role/deploy --role-session-name ci --web-identity-token $AWS_TOKEN
    /// ```
    /// where the role trusts `project_path:acme/shop:ref_type:branch:ref:main`.
    /// ```gitlab bad with:role
    /// deploy:
    ///   id_tokens:
    ///     AWS_TOKEN:
    ///       aud: sts.amazonaws.com
    ///   only: [main]
    ///   script:
    ///     - aws sts assume-role-with-web-identity --role-arn arn:aws:iam::111122223333:role/deploy --role-session-name ci --web-identity-token $AWS_TOKEN
    /// ```
    /// where the role trusts tokens for `https://gitlab.com`.
    /// ```bitbucket bad with:role
    /// pipelines:
    ///   branches:
    ///     main:
    ///       - step:
    ///           name: Deploy
    ///           oidc: true
    ///           script:
    ///             - pipe: atlassian/aws-s3-deploy:1.6.1
    ///               variables:
    ///                 AWS_OIDC_ROLE_ARN: arn:aws:iam::111122223333:role/deploy
    ///                 S3_BUCKET: acme-site
    /// ```
    /// where the role trusts the subject of an environment, `{REPOSITORY}:{ENVIRONMENT}:*`.
    ///
    /// ## Good
    /// ```gitlab good with:role
    /// .aws:
    ///   id_tokens:
    ///     AWS_TOKEN:
    ///       aud: https://gitlab.com
    ///   variables:
    ///     AWS_ROLE_ARN: arn:aws:iam::111122223333:role/deploy
    ///     AWS_WEB_IDENTITY_TOKEN_FILE: /tmp/token
    ///   before_script:
    ///     - echo $AWS_TOKEN > /tmp/token
    ///
    /// deploy:
    ///   extends: .aws
    ///   rules:
    ///     - if: $CI_COMMIT_BRANCH == "main"
    ///   script:
    ///     - make deploy
    /// ```
    /// ```bitbucket good with:role
    /// pipelines:
    ///   branches:
    ///     main:
    ///       - stage:
    ///           name: Deploy
    ///           deployment: production
    ///           steps:
    ///             - step:
    ///                 oidc: true
    ///                 script:
    ///                   - pipe: atlassian/aws-s3-deploy:1.6.1
    ///                     variables:
    ///                       AWS_OIDC_ROLE_ARN: arn:aws:iam::111122223333:role/deploy
    ///                       S3_BUCKET: acme-site
    /// ```
    /// An audience that is a variable of the project may be any:
    /// ```gitlab good with:role
    /// deploy:
    ///   id_tokens:
    ///     AWS_TOKEN:
    ///       aud: $AWS_AUDIENCE
    ///   only: [main]
    ///   script:
    ///     - aws sts assume-role-with-web-identity --role-arn arn:aws:iam::111122223333:role/deploy --role-session-name ci --web-identity-token $AWS_TOKEN
    /// ```
    /// A merge request may have any source branch:
    /// ```gitlab good with:role
    /// plan:
    ///   id_tokens:
    ///     AWS_TOKEN:
    ///       aud: https://gitlab.com
    ///   only: [merge_requests]
    ///   script:
    ///     - aws sts assume-role-with-web-identity --role-arn arn:aws:iam::111122223333:role/deploy --role-session-name ci --web-identity-token $AWS_TOKEN
    /// ```
    /// What other repositories add may run for the branch:
    /// ```gitlab good with:role
    /// include:
    ///   - project: acme/pipelines
    ///     file: deploy.yml
    ///
    /// release:
    ///   id_tokens:
    ///     AWS_TOKEN:
    ///       aud: https://gitlab.com
    ///   only: [tags]
    ///   script:
    ///     - aws sts assume-role-with-web-identity --role-arn arn:aws:iam::111122223333:role/deploy --role-session-name ci --web-identity-token $AWS_TOKEN
    /// ```
    /// So may a job whose role is a variable of the project:
    /// ```gitlab good with:role
    /// release:
    ///   id_tokens:
    ///     AWS_TOKEN:
    ///       aud: https://gitlab.com
    ///   only: [tags]
    ///   script:
    ///     - aws sts assume-role-with-web-identity --role-arn arn:aws:iam::111122223333:role/deploy --role-session-name ci --web-identity-token $AWS_TOKEN
    /// deploy:
    ///   id_tokens:
    ///     AWS_TOKEN:
    ///       aud: https://gitlab.com
    ///   only: [main]
    ///   script:
    ///     - aws sts assume-role-with-web-identity --role-arn $DEPLOY_ROLE --role-session-name ci --web-identity-token $AWS_TOKEN
    /// ```
    /// ## How to fix
    /// Trust the ref or environment that the job has, and remove the value if nothing uses it.
    pub(crate) static PIPELINE_SUBJECT_MATCHES_NO_JOB = Rule {
        id: "pipeline-subject-matches-no-job",
        family: Family::Federation,
        severity: Severity::Low,
        confidence: Confidence::Medium,
        scope: Scope::Module,
        since: "0.1.0",
        cwe: &[863],
        aliases: &[],
        mappings: &[("NIST", "CM-2")],
        references: &[
            "https://docs.gitlab.com/ci/secrets/id_token_authentication/",
            "https://support.atlassian.com/bitbucket-cloud/docs/deploy-on-aws-using-bitbucket-pipelines-openid-connect/",
        ],
        check: check,
    };
}

fn check(cx: &mut Context<'_>) {
    for service in [Service::GitLab, Service::Bitbucket] {
        for one in unmet(cx, service, "sub", may_have) {
            let role = one.trusted.role(cx.model);
            let text = format!(
                "{role} trusts `{}`, which no job of the pipeline here that assumes it can have",
                one.value
            );
            let report = report(cx, &one, text, "trust the ref or environment that the job has");
            cx.report(report);
        }
    }
    for one in unmet(cx, Service::GitLab, "aud", may_ask) {
        let role = one.trusted.role(cx.model);
        let text = format!(
            "{role} trusts tokens for `{}`, and no job of the pipeline here that assumes it asks for one",
            one.value
        );
        let report = report(cx, &one, text, "give `aud` of the job's token and of the trust the same value");
        cx.report(report);
    }
}

/// Whether a job may ask for a token with an audience that the condition lists.
fn may_ask(job: &Job<'_>, trusted: &Trusted<'_>, condition: &Condition, _: &Value) -> bool {
    let Some(audiences) = job.audiences() else {
        return true;
    };
    condition.open
        || condition.values.iter().any(|value| {
            let matches = |one: &String| value.pattern().matches(one).possible();
            is_open(&trusted.shape(condition, value)) || audiences.iter().any(matches)
        })
}

/// Whether a run of the job may have the subject; where it cannot be told, it may.
fn may_have(job: &Job<'_>, trusted: &Trusted<'_>, condition: &Condition, value: &Value) -> bool {
    let shape = trusted.shape(condition, value);
    if is_open(&shape) {
        return true;
    }
    match job.service {
        Service::GitLab => gitlab(&shape, &job.refs()),
        _ => job.has("environment") || !names_environment(&shape),
    }
}

/// Whether `project_path:PATH:ref_type:TYPE:ref:NAME` may be the subject of one of the refs. Neither paths
/// nor names of refs have colons; another form is one that the project has chosen.
fn gitlab(shape: &str, refs: &[String]) -> bool {
    let rest = shape.strip_prefix("project_path:");
    let Some((_, tail)) = rest.and_then(|rest| rest.split_once(":ref_type:")) else {
        return true;
    };
    refs.iter().filter_map(|one| one.split_once(':')).any(|(kind, name)| {
        let own = format!("{kind}:ref:{name}");
        !claims::meet(tail, &own).is_empty()
    })
}

/// Whether a subject of Bitbucket is `REPOSITORY:ENVIRONMENT:STEP`, not `REPOSITORY:STEP`.
fn names_environment(shape: &str) -> bool {
    let parts: Vec<&str> = shape.split(':').collect();
    matches!(parts.as_slice(), [repository, environment, _] if !is_wild(repository) && !is_wild(environment))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{Scene, quoted};

    #[test]
    fn subjects_of_gitlab_and_the_refs_of_jobs() {
        let main = "project_path:acme/shop:ref_type:branch:ref:main";
        let tags = "project_path:acme/*:ref_type:tag:ref:v*";
        for (subject, refs, wanted) in [
            (main, &["branch:*"][..], true),
            (main, &["branch:main"], true),
            (main, &["branch:dev", "tag:*"], false),
            (main, &["tag:main"], false),
            (tags, &["branch:*"], false),
            (tags, &["branch:main", "tag:v1"], true),
            (tags, &["tag:1"], false),
            ("project_path:acme/shop:ref_type:*:ref:main", &["tag:main"], true),
            ("project_path:acme/shop:ref_type:branch:*", &["tag:*"], false),
            ("project_path:acme/shop:*", &["tag:*"], true),
            ("project_path:acme/shop:environment:prod", &["tag:*"], true),
        ] {
            let refs: Vec<String> = refs.iter().map(|one| (*one).to_owned()).collect();
            assert_eq!(gitlab(subject, &refs), wanted, "{subject} {refs:?}");
        }
    }

    #[test]
    fn subjects_of_bitbucket_with_environments() {
        for (subject, wanted) in [
            ("{a}:{b}:*", true),
            ("{a}:{b}:{c}", true),
            ("{a}*:*", false),
            ("{a}:*", false),
            ("{a}:*:{c}", false),
            ("*:{b}:*", false),
        ] {
            assert_eq!(names_environment(subject), wanted, "{subject}");
        }
    }

    /// The places of a role with these subjects, and jobs that run for tags: roles and openness.
    fn places(subjects: &[&str], jobs: &[(&str, bool)]) -> Vec<String> {
        let values: Vec<String> = subjects
            .iter()
            .map(|one| format!(r#""project_path:acme/{one}""#))
            .collect();
        let trust = format!(
            r#"{{"Effect":"Allow","Action":"sts:AssumeRoleWithWebIdentity",
            "Principal":{{"Federated":"arn:aws:iam::111122223333:oidc-provider/gitlab.com"}},
            "Condition":{{"StringEquals":{{"gitlab.com:aud":"a","gitlab.com:sub":[{}]}}}}}}"#,
            values.join(",")
        );
        let role = format!(r#"{{"name":"ci","assume_role_policy":{}}}"#, quoted(&trust));
        let mut scene = Scene::new().resource("aws_iam_role", "ci", &role);
        for (number, (role, open)) in jobs.iter().enumerate() {
            let job = format!(r#"{{"token":true,"role":"{role}","open":{open},"refs":["tag:*"]}}"#);
            scene = scene.resource("gitlab_ci_job", &number.to_string(), &job);
        }
        scene.places(&PIPELINE_SUBJECT_MATCHES_NO_JOB)
    }

    #[test]
    fn only_where_all_jobs_and_the_project_are_known() {
        let role = "arn:aws:iam::111122223333:role/ci";
        let (main, tag) = ("shop:ref_type:branch:ref:main", "shop:ref_type:tag:ref:v1");
        let told = [format!(r#"\"project_path:acme/{main}\""#)];
        assert_eq!(places(&[tag, main], &[(role, false)]), told);
        assert!(places(&[tag], &[(role, false)]).is_empty());
        let silent = |subjects: &[&str], jobs: &[(&str, bool)]| {
            assert!(places(subjects, jobs).is_empty(), "{subjects:?} {jobs:?}");
        };
        silent(&[tag, main, "site:ref_type:tag:ref:v1"], &[(role, false)]);
        silent(&[main], &[(role, false), (role, true)]);
        silent(&[main], &[("arn:aws:iam::111122223333:role/other", false)]);
        silent(&[main], &[]);
    }
}
