//! Entries over hand-made resources. Those that are known by references alone go through the front ends
//! (`tests/entries.rs`).

use super::Openness;
use crate::Access;
use crate::tests::resource;
use overgrant_ir::lower;

const ROLE: &str = "arn:aws:iam::123456789012:role/app";

/// Entries to a function and a project that run with a role, with more resources: the resource that
/// lets strangers in, and how sure that is.
fn found(more: &[(&str, &str)]) -> Vec<(String, Openness)> {
    let function = format!(r#"{{"function_name":"app","role":"{ROLE}"}}"#);
    let project = format!(
        r#"{{"name":"build","service_role":"{ROLE}","project_visibility":"PUBLIC_READ","source":[{{"type":"GITHUB"}}]}}"#
    );
    let mut resources = vec![
        resource("a", "aws_iam_role", "aws_iam_role.app", r#"{"name":"app"}"#),
        resource(
            "a",
            "aws_lambda_function",
            "aws_lambda_function.app",
            &function,
        ),
        resource(
            "a",
            "aws_codebuild_project",
            "aws_codebuild_project.build",
            &project,
        ),
    ];
    for (kind, attrs) in more {
        resources.push(resource("a", kind, &format!("{kind}.door"), attrs));
    }
    let model = lower(resources);
    let access = Access::new(&model);
    let exposed = access.exposed().iter();
    exposed
        .map(|one| (one.place.kind.to_string(), one.openness))
        .collect()
}

fn doors(more: &[(&str, &str)]) -> Vec<String> {
    found(more).into_iter().map(|one| one.0).collect()
}

#[test]
fn urls_and_permissions_of_the_function() {
    let url = |attrs: &str| doors(&[("aws_lambda_function_url", attrs)]).len();
    assert_eq!(
        url(r#"{"function_name":"app","authorization_type":"NONE"}"#),
        1
    );
    let arn = r#"{"function_name":"arn:aws:lambda:eu-west-1:123456789012:function:app:live","authorization_type":"NONE"}"#;
    assert_eq!(url(arn), 1);
    assert_eq!(
        url(r#"{"function_name":"app","authorization_type":"AWS_IAM"}"#),
        0
    );
    assert_eq!(
        url(r#"{"function_name":"apple","authorization_type":"NONE"}"#),
        0
    );
    let permission = |principal: &str| {
        let attrs = format!(
            r#"{{"function_name":"app","action":"lambda:InvokeFunction","principal":"{principal}"}}"#
        );
        found(&[("aws_lambda_permission", &attrs)])
    };
    let sure = permission("*").into_iter().map(|one| one.1);
    assert_eq!(sure.collect::<Vec<_>>(), [Openness::Open]);
    assert_eq!(permission("events.amazonaws.com"), []);
}

#[test]
fn webhooks_that_build_what_strangers_propose() {
    let hook = |policy: &str, filters: &str| {
        let attrs = format!(
            r#"{{"project_name":"build","pull_request_build_policy":[{policy}],"filter_group":[{{"filter":[{filters}]}}]}}"#
        );
        let attrs = attrs.replace(r#""pull_request_build_policy":[],"#, "");
        let found = found(&[("aws_codebuild_webhook", &attrs)]).into_iter();
        found.map(|one| one.1).collect::<Vec<_>>()
    };
    let event = |name: &str| format!(r#"{{"type":"EVENT","pattern":"{name}"}}"#);
    let disabled = r#"{"requires_comment_approval":"DISABLED"}"#;
    let forks = r#"{"requires_comment_approval":"FORK_PULL_REQUESTS"}"#;
    let opened = event("PULL_REQUEST_CREATED");
    assert_eq!(hook(disabled, &opened), [Openness::Likely]);
    assert_eq!(
        hook("", &opened),
        [Openness::Possible],
        "the default is not sure"
    );
    assert_eq!(hook(forks, &opened), []);
    assert_eq!(hook(disabled, &event("PUSH,PULL_REQUEST_MERGED")), []);
    let known = format!(r#"{opened},{{"type":"ACTOR_ACCOUNT_ID","pattern":"^1$"}}"#);
    assert_eq!(hook(disabled, &known), []);
}
