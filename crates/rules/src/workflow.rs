//! Jobs of workflow files that assume roles.
//!
//! Not for reading the files, which a front end does. Invariant: what an expression gives is unknown,
//! and never decides.

use crate::Context;
use overgrant_ir::{IdentityId, IdentityKind, Model, Setting};
use overgrant_policy::Answer;
use overgrant_value::{Src, Val};

const JOBS: &[&str] = &["github_actions_job"];

/// A job.
pub(crate) struct Job<'a> {
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
        token.then_some(Job { setting, role })
    })
}

impl Job<'_> {
    /// The events that start it, each with its place.
    pub(crate) fn triggers(&self) -> Vec<(String, Src)> {
        let listed = self.setting.attrs.get("triggers").map(|val| val.listed());
        let words = listed.unwrap_or_default();
        words
            .iter()
            .filter_map(|val| Some((val.as_str()?.to_string(), val.src().clone())))
            .collect()
    }

    /// An argument as known text.
    pub(crate) fn known(&self, name: &str) -> Option<String> {
        Some(self.setting.attrs.get(name)?.as_str()?.to_string())
    }

    /// Whether the argument is set, known or not.
    pub(crate) fn has(&self, name: &str) -> bool {
        self.setting.attrs.get(name).is_some()
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
}
