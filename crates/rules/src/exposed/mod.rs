//! What runs with a role and is reached by strangers: functions, builds, instances.
//!
//! Not for what the role may do, nor for flaws in what runs. Invariant: an entry is there only where the
//! configuration itself lets strangers in; who could do so by other means is left out.

mod builds;
mod functions;
mod instances;

pub(crate) use functions::{PublicFunction, open_urls, public_functions};

use crate::{Context, escalate};
use overgrant_finding::Confidence;
use overgrant_ir::{IdentityId, Place, Workload};
use overgrant_policy::Statement;
use overgrant_value::{Marks, Src, Sym, Text, Val};

/// A way for strangers to something that runs with a role.
pub(crate) struct Exposed<'a> {
    /// The role.
    pub(crate) role: IdentityId,
    /// What runs with it.
    pub(crate) workload: &'a Workload,
    /// What lets strangers in.
    pub(crate) place: &'a Place,
    /// The value that does.
    pub(crate) src: Src,
    pub(crate) marks: Marks,
    /// The statement, where it is one of a policy.
    pub(crate) statement: Option<&'a Statement>,
    /// Who comes in, as "whoever opens a pull request".
    pub(crate) who: String,
    /// How, as "URL `hook` asks for no sign-in".
    pub(crate) how: String,
    pub(crate) confidence: Confidence,
}

/// Something that runs with a role that is administrator or surely becomes it.
struct Target<'a> {
    role: IdentityId,
    workload: &'a Workload,
}

/// All ways to roles that are administrator or surely become it.
pub(crate) fn to_admin<'a>(cx: &Context<'a>) -> Vec<Exposed<'a>> {
    let workloads = cx.model.workloads.iter().enumerate();
    let strong: Vec<Target<'a>> = workloads
        .filter_map(|(index, workload)| {
            let role = cx.access.role_of(index)?;
            escalate::reaches_admin(cx, role).then_some(Target { role, workload })
        })
        .collect();
    if strong.is_empty() {
        return Vec::new();
    }
    let mut found = functions::entries(cx, &strong);
    found.extend(builds::entries(cx, &strong));
    found.extend(instances::entries(cx, &strong));
    found
}

/// Who comes in by something that has to be found first.
fn finder(workload: &Workload) -> String {
    format!("anyone who finds a flaw in `{}`", workload.place.address)
}

/// The targets of some types, by an argument that names the role.
fn of_kinds<'a, 'b>(
    targets: &'b [Target<'a>],
    kinds: &'b [&'b str],
    attributes: &'b [&'b str],
) -> impl Iterator<Item = &'b Target<'a>> {
    targets.iter().filter(move |target| {
        kinds.contains(&target.workload.place.kind.as_str())
            && attributes.contains(&target.workload.attribute.as_str())
    })
}

/// An argument under the name that one of the formats has for it.
fn any(attrs: &Val, names: &[&str]) -> Option<Val> {
    names
        .iter()
        .find_map(|name| attrs.get(name))
        .filter(|val| !val.is_null())
}

/// Whether an argument is this text, whatever its letter case.
fn says(attrs: &Val, names: &[&str], wanted: &str) -> bool {
    let known = any(attrs, names).and_then(|val| val.to_text()?.as_known());
    known.is_some_and(|known| known.eq_ignore_ascii_case(wanted))
}

/// Whether a text, used in `root`, stands for a resource by an attribute of it.
fn refers(text: &Text, root: &str, place: &Place) -> bool {
    place.root == root
        && text.holes().any(
            |hole| matches!(&hole.sym, Sym::Attr { root, addr, .. } if *root == place.root && *addr == place.address),
        )
}

#[cfg(test)]
mod tests {
    use crate::rules::escalation::external_entry_to_admin::EXTERNAL_ENTRY_TO_ADMIN;
    use crate::testing::Scene;
    use overgrant_finding::Confidence;

    const ROLE: &str = "arn:aws:iam::123456789012:role/app";

    /// A function, a project and an instance that run as administrator, with more resources.
    fn found(more: &[(&str, &str, &str)]) -> Vec<(String, Confidence)> {
        let function = format!(r#"{{"function_name":"app","role":"{ROLE}"}}"#);
        let project = format!(
            r#"{{"name":"build","service_role":"{ROLE}","project_visibility":"PUBLIC_READ","source":[{{"type":"GITHUB"}}]}}"#
        );
        let mut scene = Scene::new()
            .resource("aws_iam_role", "app", r#"{"name":"app"}"#)
            .resource(
                "aws_iam_role_policy_attachment",
                "app",
                r#"{"role":"app","policy_arn":"arn:aws:iam::aws:policy/AdministratorAccess"}"#,
            )
            .resource("aws_lambda_function", "app", &function)
            .resource("aws_codebuild_project", "build", &project);
        for (kind, name, attrs) in more {
            scene = scene.resource(kind, name, attrs);
        }
        let found = scene.run(&EXTERNAL_ENTRY_TO_ADMIN);
        found
            .into_iter()
            .map(|(place, finding)| (place, finding.confidence))
            .collect()
    }

    fn url(attrs: &str) -> Vec<String> {
        found(&[("aws_lambda_function_url", "app", attrs)])
            .into_iter()
            .map(|one| one.0)
            .collect()
    }

    #[test]
    fn urls_and_permissions_of_the_function() {
        let none = [r#""NONE""#];
        assert_eq!(
            url(r#"{"function_name":"app","authorization_type":"NONE"}"#),
            none
        );
        let arn = r#"{"function_name":"arn:aws:lambda:eu-west-1:123456789012:function:app","authorization_type":"NONE"}"#;
        assert_eq!(url(arn), none);
        assert!(url(r#"{"function_name":"app","authorization_type":"AWS_IAM"}"#).is_empty());
        assert!(url(r#"{"function_name":"apple","authorization_type":"NONE"}"#).is_empty());
        let permission = |principal: &str| {
            let attrs = format!(
                r#"{{"function_name":"app","action":"lambda:InvokeFunction","principal":"{principal}"}}"#
            );
            found(&[("aws_lambda_permission", "app", &attrs)]).len()
        };
        assert_eq!(permission("*"), 1);
        assert_eq!(permission("events.amazonaws.com"), 0);
    }

    #[test]
    fn webhooks_that_build_what_strangers_propose() {
        let hook = |policy: &str, filters: &str| {
            let attrs = format!(
                r#"{{"project_name":"build","pull_request_build_policy":[{policy}],"filter_group":[{{"filter":[{filters}]}}]}}"#
            );
            let attrs = attrs.replace(r#""pull_request_build_policy":[],"#, "");
            found(&[("aws_codebuild_webhook", "build", &attrs)])
                .into_iter()
                .map(|one| one.1)
                .collect::<Vec<_>>()
        };
        let event = |name: &str| format!(r#"{{"type":"EVENT","pattern":"{name}"}}"#);
        let disabled = r#"{"requires_comment_approval":"DISABLED"}"#;
        let forks = r#"{"requires_comment_approval":"FORK_PULL_REQUESTS"}"#;
        let opened = event("PULL_REQUEST_CREATED");
        assert_eq!(hook(disabled, &opened), [Confidence::Medium]);
        assert_eq!(
            hook("", &opened),
            [Confidence::Low],
            "the default is not sure"
        );
        assert_eq!(hook(forks, &opened), []);
        assert_eq!(hook(disabled, &event("PUSH,PULL_REQUEST_MERGED")), []);
        let known = format!(r#"{opened},{{"type":"ACTOR_ACCOUNT_ID","pattern":"^1$"}}"#);
        assert_eq!(hook(disabled, &known), []);
    }
}
