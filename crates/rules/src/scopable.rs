//! Which writes can be limited to named resources, and how bad it is where they are not.
//!
//! Not for who holds them: `usual` knows what a service needs. Invariant: an action is judged by what AWS
//! says of it, whatever the statement names.

use crate::grants::Grant;
use overgrant_catalog::{AccessLevel, Action, ResourceType};
use overgrant_finding::Severity;
use overgrant_policy::{Answer, Statement, has_name};

/// Whether the action is filed under writes, changes next to nothing and is meant by a pattern of reads
/// (`states:Get*`) alone.
pub(crate) fn is_look(grant: &Grant<'_>, action: Action<'_>) -> bool {
    const LOOKS: [(&str, &str); 2] = [("iot", "GetConnection"), ("states", "GetActivityTask")];
    LOOKS.contains(&(action.service().prefix(), action.name()))
        && grant
            .statement
            .actions
            .pattern_for(&action.to_string())
            .is_some_and(|item| item.pattern().has_wildcard())
}

/// Types of which a call takes one, although none is marked as required: objects of buckets and of access
/// points, rules of either bus, search domains, and what a session is opened on.
const EITHER: [(&str, &[&str]); 4] = [
    ("es", &["domain"]),
    (
        "events",
        &["rule-on-custom-event-bus", "rule-on-default-event-bus"],
    ),
    ("s3", &["accesspointobject", "object"]),
    ("ssm", &["document", "instance", "managed-instance", "task"]),
];

/// Whether some resource type of the action must be there, so that it can be named.
pub(crate) fn is_scopable(action: Action<'_>) -> bool {
    let either = |(service, types): &(&str, &[&str])| {
        action.service().prefix() == *service
            && action.resources().len() == types.len()
            && action
                .resources()
                .all(|resource| types.contains(&resource.name()))
    };
    let named = |kind: ResourceType<'_>| has_name(kind.arn_pattern());
    let mut required = action.resources().filter(|resource| resource.is_required());
    required.any(|resource| resource.resource_type().is_none_or(named)) || EITHER.iter().any(either)
}

/// Whether what a call must name is named, and only what it may name besides is open (`stackset/shop-*` beside
/// `type/*`). A command of Systems Manager has to name its document, and runs on what it may name.
pub(crate) fn names_what_it_needs(statement: &Statement, action: Action<'static>) -> bool {
    if action.service().prefix() == "ssm" || statement.resources.covers_all() == Answer::Must {
        return false;
    }
    let required: Vec<&'static str> = action
        .resources()
        .filter(|resource| resource.is_required())
        .filter_map(|resource| resource.resource_type())
        .flat_map(ResourceType::arn_patterns)
        .filter(|format| has_name(format))
        .collect();
    let open = |format: &&'static str| {
        statement
            .resources
            .star_of_type(format)
            .regional()
            .possible()
    };
    !required.is_empty() && !required.iter().any(open)
}

/// How bad it is to have a write on everything.
pub(crate) fn severity(action: Action<'_>) -> Severity {
    // An own MFA device has any name, a service-linked role is what AWS wrote it to be, and nobody
    // changes the password of another with the call for the own one.
    let harmless = [
        "ChangePassword",
        "CreateServiceLinkedRole",
        "CreateVirtualMFADevice",
    ];
    if action.service().prefix() == "iam" && harmless.contains(&action.name()) {
        return Severity::Low;
    }
    // An address more does no harm to an interface.
    let addresses = ["AssignIpv6Addresses", "AssignPrivateIpAddresses"];
    if action.service().prefix() == "ec2" && addresses.contains(&action.name()) {
        return Severity::Low;
    }
    // A stack policy says which resources an update may touch, and grants nothing.
    if action.service().prefix() == "cloudformation" && action.name() == "SetStackPolicy" {
        return Severity::Medium;
    }
    // Nor do the description and the length of sessions of a role, and certificates of servers.
    let granting_nothing = [
        "DeleteServerCertificate",
        "UpdateRole",
        "UpdateRoleDescription",
        "UpdateServerCertificate",
        "UploadServerCertificate",
    ];
    if action.service().prefix() == "iam" && granting_nothing.contains(&action.name()) {
        return Severity::Medium;
    }
    // Whom it is made for has the permission set from then on.
    if action.service().prefix() == "sso" && action.name() == "CreateAccountAssignment" {
        return Severity::High;
    }
    // A session of reading changes nothing, and a new placement group nothing that is there; nor does an empty
    // cluster, for which the guide of Amazon ECS writes `*`.
    let beginnings = [
        ("appconfig", "StartConfigurationSession"),
        ("ec2", "CreatePlacementGroup"),
        ("ecs", "CreateCluster"),
    ];
    if beginnings.contains(&(action.service().prefix(), action.name())) {
        return Severity::Low;
    }
    // By this a pipeline reads a repository; it changes nothing there. Source: AWS CodeCommit, "CodeCommit
    // permissions reference".
    if action.service().prefix() == "codecommit" && action.name() == "UploadArchive" {
        return Severity::Low;
    }
    if is_of_the_account(action) {
        return Severity::Low;
    }
    // The access policy is one of many settings of a domain.
    let domain = ["UpdateDomainConfig", "UpdateElasticsearchDomainConfig"];
    if action.service().prefix() == "es" && domain.contains(&action.name()) {
        return Severity::Medium;
    }
    // What it creates grants nothing to anybody yet.
    if action.level() == AccessLevel::PermissionsManagement && !action.name().starts_with("Create")
    {
        return Severity::High;
    }
    let logs = action.service().prefix() == "logs"
        && ["CreateLogGroup", "CreateLogStream", "PutLogEvents"].contains(&action.name());
    if logs || makes_its_id(action) || action.level() == AccessLevel::Tagging {
        return Severity::Low;
    }
    Severity::Medium
}

/// Whether the action sets what an account has one of: the recorder of AWS Config and the channel it delivers
/// by, of which each region has one, and the reports on the bill. A name narrows nothing there. Sources: AWS
/// Config, "Working with the configuration recorder"; AWS Billing, "AWS Billing policy examples".
fn is_of_the_account(action: Action<'_>) -> bool {
    const ONE_EACH: [(&str, &str); 5] = [
        ("config", "ConfigurationRecorder"),
        ("config", "DeliveryChannel"),
        ("cur", "DeleteReportDefinition"),
        ("cur", "ModifyReportDefinition"),
        ("cur", "PutReportDefinition"),
    ];
    ONE_EACH.iter().any(|(service, what)| {
        action.service().prefix() == *service && action.name().ends_with(what)
    })
}

/// Whether the action creates something whose ARN ends in an id that the service makes up: it
/// cannot be named before it exists.
fn makes_its_id(action: Action<'_>) -> bool {
    const VERBS: [&str; 9] = [
        "Allocate", "Build", "Copy", "Create", "Import", "Purchase", "Register", "Request", "Run",
    ];
    let creates = VERBS.iter().any(|verb| action.name().starts_with(verb));
    action
        .resources()
        .filter(|resource| {
            resource.is_required() && (creates || is_job_started(action, resource.name()))
        })
        .filter_map(|resource| resource.resource_type())
        .any(|kind| {
            let format = kind.arn_pattern();
            let placeholder = format
                .rsplit_once("${")
                .and_then(|(_, rest)| rest.strip_suffix('}'));
            placeholder.is_some_and(|name| name.ends_with("Id") || name.ends_with("ID"))
        })
}

/// Whether the action starts a new job of the type: `StartTopicsDetectionJob` makes a
/// `topics-detection-job`.
fn is_job_started(action: Action<'_>, kind: &str) -> bool {
    action
        .name()
        .strip_prefix("Start")
        .is_some_and(|job| job.ends_with("Job") && job.eq_ignore_ascii_case(&kind.replace('-', "")))
}
