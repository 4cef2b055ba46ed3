//! Jobs of pipelines that assume roles: GitHub Actions, GitLab CI/CD, Bitbucket Pipelines.
//!
//! Not for reading the files, which a front end does. Invariant: what an expression or a setting of the
//! project gives is unknown, and never decides.

use crate::federation::{Trusted, trusted};
use crate::{Context, Report};
use overgrant_ir::{IdentityId, IdentityKind, Model, Setting};
use overgrant_policy::{Answer, Condition, Value};
use overgrant_value::{Src, Val};
use std::collections::BTreeSet;

const JOBS: &[&str] = &[
    "bitbucket_pipelines_step",
    "github_actions_job",
    "gitlab_ci_job",
];

/// Where a job runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Service {
    GitHub,
    GitLab,
    Bitbucket,
}

impl Service {
    /// The service that issues the tokens which a statement accepts.
    pub(crate) fn of(trusted: &Trusted<'_>) -> Option<Self> {
        let host = trusted.host.as_deref().unwrap_or_default();
        if trusted.is_github() {
            Some(Self::GitHub)
        } else if host == "gitlab.com" || trusted.has_subject_like("project_path:") {
            Some(Self::GitLab)
        } else {
            let own = host.starts_with("api.bitbucket.org/2.0/workspaces/");
            own.then_some(Self::Bitbucket)
        }
    }

    /// The part of a subject that names the project, up to the colon that ends it.
    fn project(self, subject: &str) -> &str {
        let (start, rest) = match self {
            Self::GitHub => ("repo:", subject.strip_prefix("repo:")),
            Self::GitLab => ("project_path:", subject.strip_prefix("project_path:")),
            Self::Bitbucket => ("", Some(subject)),
        };
        let length = rest.map(|rest| start.len() + rest.find(':').unwrap_or(rest.len()));
        subject
            .get(..length.unwrap_or(subject.len()))
            .unwrap_or(subject)
    }
}

/// A job.
pub(crate) struct Job<'a> {
    pub(crate) service: Service,
    /// Place and arguments.
    pub(crate) setting: &'a Setting,
    /// The role that it assumes.
    pub(crate) role: Val,
}

/// The jobs of the repository that assume a role with a token of their own.
pub(crate) fn jobs(model: &Model) -> impl Iterator<Item = Job<'_>> {
    model.settings_of(JOBS).filter_map(|setting| {
        let token = setting.attrs.get("token")?.as_bool()?;
        let role = setting.attrs.get("role")?;
        let service = match setting.place.kind.as_str() {
            "github_actions_job" => Service::GitHub,
            "gitlab_ci_job" => Service::GitLab,
            _ => Service::Bitbucket,
        };
        token.then_some(Job {
            service,
            setting,
            role,
        })
    })
}

impl Job<'_> {
    /// The events that start it, each with its place.
    pub(crate) fn triggers(&self) -> Vec<(String, Src)> {
        let words = self.listed("triggers");
        words
            .iter()
            .filter_map(|val| Some((val.as_str()?.to_string(), val.src().clone())))
            .collect()
    }

    /// The branches and tags that it runs for, as `branch:NAME` and `tag:NAME`, `*` being any name.
    pub(crate) fn refs(&self) -> Vec<String> {
        let words = self.listed("refs");
        words
            .iter()
            .filter_map(|val| Some(val.as_str()?.to_string()))
            .collect()
    }

    /// For whom its tokens are; `None` where that is not known.
    pub(crate) fn audiences(&self) -> Option<Vec<String>> {
        let audiences = self.setting.attrs.get("audiences")?;
        let all = audiences.listed();
        if audiences.is_unknown() {
            return None;
        }
        all.iter()
            .map(|one| Some(one.as_str()?.to_string()))
            .collect()
    }

    fn listed(&self, name: &str) -> Vec<Val> {
        let listed = self
            .setting
            .attrs
            .get(name)
            .map(|val| val.listed().into_vec());
        listed.unwrap_or_default()
    }

    /// An argument as known text.
    pub(crate) fn known(&self, name: &str) -> Option<String> {
        Some(self.setting.attrs.get(name)?.as_str()?.to_string())
    }

    /// Whether the argument is set, known or not.
    pub(crate) fn has(&self, name: &str) -> bool {
        self.setting.attrs.get(name).is_some()
    }

    /// Whether its pipeline has parts that are not at hand.
    fn is_open(&self) -> bool {
        let open = self.setting.attrs.get("open");
        open.and_then(|open| open.as_bool()) == Some(true)
    }

    /// ``job `deploy` of `.github/workflows/ci.yml` ``.
    pub(crate) fn words(&self) -> String {
        format!(
            "job `{}` of `{}`",
            self.known("job").unwrap_or_default(),
            self.known("workflow").unwrap_or_default()
        )
    }

    /// The role of the model that the job assumes: by its ARN, in whatever root it is made.
    pub(crate) fn role_of(&self, cx: &Context<'_>) -> Option<(IdentityId, Answer)> {
        let text = self.role.to_text().filter(|text| text.is_known())?;
        let place = &self.setting.place;
        cx.access.link(&text, &place.root, Some(IdentityKind::Role))
    }

    fn has_open_role(&self) -> bool {
        !self.role.to_text().is_some_and(|text| text.is_known())
    }
}

/// Lists the jobs here that assume a role.
pub(crate) fn with_jobs(cx: &Context<'_>, mut report: Report, role: Option<IdentityId>) -> Report {
    let mut seen = BTreeSet::new();
    for job in jobs(cx.model) {
        let assumes = role.is_some() && job.role_of(cx).map(|(id, _)| id) == role;
        if assumes && seen.insert(job.role.span()) {
            report = report.related(job.role.src(), "assumes the role", Some(&job.setting.place));
        }
    }
    report
}

/// A value of a claim that a role trusts, and that no job here has which assumes the role.
pub(crate) struct Unmet<'a> {
    pub(crate) trusted: Trusted<'a>,
    pub(crate) role: IdentityId,
    pub(crate) value: &'a Value,
}

/// The values of a claim of a service's tokens that no job has, one for each statement. Silent where it is
/// not sure that all jobs are known which may assume the role, or that the subjects are those of this
/// repository.
pub(crate) fn unmet<'a>(
    cx: &Context<'a>,
    service: Service,
    claim: &str,
    may_have: impl Fn(&Job<'_>, &Trusted<'_>, &Condition, &Value) -> bool,
) -> Vec<Unmet<'a>> {
    let of_service: Vec<Job<'_>> = jobs(cx.model)
        .filter(|job| job.service == service)
        .collect();
    if of_service.iter().any(|job| job.is_open()) {
        return Vec::new();
    }
    let all: Vec<(Trusted<'a>, IdentityId)> = trusted(cx.model)
        .into_iter()
        .filter(|trusted| Service::of(trusted) == Some(service))
        .filter_map(|trusted| {
            let role = trusted.role_id(cx.model)?;
            Some((trusted, role))
        })
        .collect();
    let mut projects: Vec<(IdentityId, BTreeSet<String>)> = Vec::new();
    for (trusted, role) in &all {
        let limits = trusted.limits("sub");
        let values = limits.iter().flat_map(|condition| &condition.values);
        let named = values.map(|value| service.project(&value.to_string()).to_owned());
        match projects.iter_mut().find(|known| known.0 == *role) {
            Some((_, known)) => known.extend(named),
            None => projects.push((*role, named.collect())),
        }
    }
    let mut found = Vec::new();
    for (trusted, role) in all {
        if projects
            .iter()
            .any(|(id, named)| *id == role && named.len() > 1)
        {
            continue;
        }
        let own = |job: &&Job<'_>| job.role_of(cx).is_some_and(|(id, _)| id == role);
        let candidates: Vec<&Job<'_>> = of_service
            .iter()
            .filter(|job| own(job) || job.has_open_role())
            .collect();
        if !candidates.iter().any(own) {
            continue;
        }
        let limits = trusted.limits(claim);
        let mut values = limits
            .iter()
            .flat_map(|one| one.values.iter().map(move |value| (*one, value)));
        let unmet = values.find(|(condition, value)| {
            candidates
                .iter()
                .all(|job| !may_have(job, &trusted, condition, value))
        });
        if let Some((_, value)) = unmet {
            found.push(Unmet {
                trusted,
                role,
                value,
            });
        }
    }
    found
}

/// The finding of a value that no job has.
pub(crate) fn report(
    cx: &Context<'_>,
    unmet: &Unmet<'_>,
    message: String,
    help: &'static str,
) -> Report {
    let Unmet {
        trusted,
        role,
        value,
    } = unmet;
    let report = cx
        .finding(&trusted.document.place, value.pattern().src(), message)
        .statement(trusted.statement)
        .when(value.pattern().guard())
        .marks(value.pattern().marks())
        .help(help);
    with_jobs(cx, report, Some(*role))
}
