//! CodeBuild projects that build what strangers propose.
//!
//! Not for what the build does. Invariant: where the repository lies, and so whether strangers see it, is not
//! known, so that an entry is sure only for a project with public builds. Sources: CodeBuild, "Filter webhook
//! events", "Pull request comment approval", "Get public build project URLs".

use super::{Exposed, Openness, Target, any, of_kinds, refers, says};
use overgrant_ir::{Model, Place, Setting, Workload};
use overgrant_value::{Text, Val};

const PROJECTS: [&str; 2] = ["aws_codebuild_project", "AWS::CodeBuild::Project"];
const WEBHOOKS: [&str; 1] = ["aws_codebuild_webhook"];

/// Events of a pull request that its author causes.
const BY_AUTHOR: [&str; 3] = [
    "PULL_REQUEST_CREATED",
    "PULL_REQUEST_REOPENED",
    "PULL_REQUEST_UPDATED",
];

/// Sources on a server of one's own, where there are no strangers.
const OWN_SERVERS: [&str; 2] = ["GITHUB_ENTERPRISE", "GITLAB_SELF_MANAGED"];

pub(super) fn entries<'a>(model: &'a Model, targets: &[Target<'a>]) -> Vec<Exposed<'a>> {
    let mut found = Vec::new();
    let projects = of_kinds(targets, &PROJECTS, &["service_role", "ServiceRole"]);
    for Target { role, at, workload } in projects {
        let source = any(&workload.attrs, &["source", "Source"]);
        let source = source.iter().flat_map(Val::listed).next();
        let is_own = |source: &Val| {
            OWN_SERVERS
                .iter()
                .any(|kind| says(source, &["type", "Type"], kind))
        };
        if source.is_some_and(|source| is_own(&source)) {
            continue;
        }
        let public = says(
            &workload.attrs,
            &["project_visibility", "Visibility"],
            "PUBLIC_READ",
        );
        for hook in hooks(model, workload) {
            found.push(Exposed {
                role: *role,
                at: *at,
                workload,
                place: hook.place,
                src: hook.at.src().clone(),
                marks: hook.at.marks(),
                statement: None,
                who: "whoever opens a pull request".to_owned(),
                how: format!(
                    "`{}` builds it {}",
                    workload.place.address,
                    if hook.sure {
                        "without approval"
                    } else {
                        "and asks for no approval here"
                    }
                ),
                openness: if public && hook.sure {
                    Openness::Likely
                } else {
                    Openness::Possible
                },
            });
        }
    }
    found
}

/// A webhook that starts builds for strangers.
struct Hook<'a> {
    place: &'a Place,
    /// The value that lets them.
    at: Val,
    /// Whether it says that no approval is needed.
    sure: bool,
}

fn hooks<'a>(model: &'a Model, workload: &'a Workload) -> Vec<Hook<'a>> {
    let name = any(&workload.attrs, &["name", "Name"]).and_then(|name| name.to_text());
    let is_of = |hook: &&Setting| {
        let named = hook
            .attrs
            .get("project_name")
            .and_then(|name| name.to_text());
        let same = |named: &Text| {
            let by_name = name.as_ref().is_some_and(|name| name.same_text(named));
            by_name && hook.place.root == workload.place.root
                || refers(named, &hook.place.root, &workload.place)
        };
        named.is_some_and(|named| same(&named))
    };
    let mut found = Vec::new();
    for hook in model.settings_of(&WEBHOOKS).filter(is_of) {
        found.extend(of_triggers(&hook.place, &hook.attrs));
    }
    if let Some(triggers) = workload
        .attrs
        .get("Triggers")
        .filter(|one| one.get("Webhook").and_then(|on| on.as_bool()) == Some(true))
    {
        found.extend(of_triggers(&workload.place, &triggers));
    }
    found
}

/// What a webhook starts: everything where it has no filters.
fn of_triggers<'a>(place: &'a Place, attrs: &Val) -> Option<Hook<'a>> {
    let policy = any(
        attrs,
        &["pull_request_build_policy", "PullRequestBuildPolicy"],
    );
    let policy = policy.iter().flat_map(Val::listed).next();
    let disabled = |policy: &Val| {
        says(
            policy,
            &["requires_comment_approval", "RequiresCommentApproval"],
            "DISABLED",
        )
    };
    let sure = policy.as_ref().is_some_and(disabled);
    if policy.is_some() && !sure {
        return None;
    }
    let groups = any(attrs, &["filter_group", "FilterGroups"]);
    let at = match groups {
        None => attrs.clone(),
        Some(groups) => groups
            .listed()
            .into_iter()
            .find_map(|group| for_strangers(&group))?,
    };
    Some(Hook { place, at, sure })
}

/// The filter for events of a group that strangers can cause, if nothing in it says who they are.
fn for_strangers(group: &Val) -> Option<Val> {
    let filters = any(group, &["filter"])
        .unwrap_or_else(|| group.clone())
        .listed();
    let kind = |filter: &Val| any(filter, &["type", "Type"])?.as_str();
    if filters
        .iter()
        .any(|filter| kind(filter).is_none_or(|kind| kind.contains("ACTOR")))
    {
        return None;
    }
    let events = filters
        .iter()
        .find(|filter| kind(filter).is_some_and(|kind| kind == "EVENT"))?;
    let pattern = any(events, &["pattern", "Pattern"])?;
    let text = pattern.as_str()?;
    let named = text
        .split(',')
        .any(|event| BY_AUTHOR.contains(&event.trim()));
    named.then_some(pattern)
}
