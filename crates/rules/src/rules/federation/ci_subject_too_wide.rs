//! `ci-subject-too-wide`: a CI issuer other than GitHub whose subject names the tenant and little more.

use crate::federation::{Rights, Trusted, Width, trusted};
use crate::skeleton::{HOLE, Which, is_star, is_wild, wildcard_src};
use crate::workflow::with_jobs;
use crate::{Context, Family, Scope};
use overgrant_finding::{Confidence, Severity};
use overgrant_policy::Value;

rule! {
    /// Any project, workspace or branch of the tenant can assume the role.
    ///
    /// The subject of a CI service (GitLab, HCP Terraform, Buildkite, CircleCI, Bitbucket, Spacelift and
    /// others) pins the customer, and leaves the project, workspace or stack open; or it pins that too, and
    /// leaves branch, tag or run phase open on a role that writes.
    ///
    /// ## Why
    /// Everybody who may create a project or push a branch there runs code with the role, far fewer eyes
    /// than production has.
    ///
    /// ## Bad
    /// ```terraform bad
    /// resource "aws_iam_role" "deploy" {
    ///   name = "deploy"
    ///   assume_role_policy = jsonencode({
    ///     Version = "2012-10-17"
    ///     Statement = [{
    ///       Effect    = "Allow"
    ///       Action    = "sts:AssumeRoleWithWebIdentity"
    ///       Principal = { Federated = "arn:aws:iam::111122223333:oidc-provider/gitlab.com" }
    ///       Condition = {
    ///         StringLike = { "gitlab.com:sub" = "project_path:acme/*" } # <-- here
    ///       }
    ///     }]
    ///   })
    /// }
    /// ```
    /// ```cloudformation bad
    /// Resources:
    ///   Deploy:
    ///     Type: AWS::IAM::Role
    ///     Properties:
    ///       AssumeRolePolicyDocument:
    ///         Version: "2012-10-17"
    ///         Statement:
    ///           - Effect: Allow
    ///             Action: sts:AssumeRoleWithWebIdentity
    ///             Principal:
    ///               Federated: arn:aws:iam::111122223333:oidc-provider/app.terraform.io
    ///             Condition:
    ///               StringEquals:
    ///                 app.terraform.io:aud: aws.workload.identity
    ///               StringLike:
    ///                 app.terraform.io:sub: organization:acme:project:web:workspace:*:run_phase:apply # <-- here
    /// ```
    /// The same as JSON:
    /// ```terraform bad
    /// resource "aws_iam_role" "deploy" {
    ///   name = "deploy"
    ///   assume_role_policy = <<-JSON
    ///     {
    ///       "Version": "2012-10-17",
    ///       "Statement": [
    ///         {
    ///           "Effect": "Allow",
    ///           "Action": "sts:AssumeRoleWithWebIdentity",
    ///           "Principal": {"Federated": "arn:aws:iam::111122223333:oidc-provider/gitlab.com"},
    ///           "Condition": {
    ///             "StringLike": {"gitlab.com:sub": "project_path:acme/*"} # <-- here
    ///           }
    ///         }
    ///       ]
    ///     }
    ///   JSON
    /// }
    /// ```
    /// ## Good
    /// ```terraform good
    /// resource "aws_iam_role" "deploy" {
    ///   name = "deploy"
    ///   assume_role_policy = jsonencode({
    ///     Version = "2012-10-17"
    ///     Statement = [{
    ///       Effect    = "Allow"
    ///       Action    = "sts:AssumeRoleWithWebIdentity"
    ///       Principal = { Federated = "arn:aws:iam::111122223333:oidc-provider/gitlab.com" }
    ///       Condition = {
    ///         StringEquals = {
    ///           "gitlab.com:aud" = "https://gitlab.com"
    ///           "gitlab.com:sub" = "project_path:acme/shop:ref_type:branch:ref:main"
    ///         }
    ///       }
    ///     }]
    ///   })
    /// }
    /// ```
    /// A role that plans only reads, and may run in every phase:
    /// ```cloudformation good
    /// Resources:
    ///   Plan:
    ///     Type: AWS::IAM::Role
    ///     Properties:
    ///       AssumeRolePolicyDocument:
    ///         Version: "2012-10-17"
    ///         Statement:
    ///           - Effect: Allow
    ///             Action: sts:AssumeRoleWithWebIdentity
    ///             Principal:
    ///               Federated: arn:aws:iam::111122223333:oidc-provider/app.terraform.io
    ///             Condition:
    ///               StringEquals:
    ///                 app.terraform.io:aud: aws.workload.identity
    ///               StringLike:
    ///                 app.terraform.io:sub: "organization:acme:project:web:workspace:prod:run_phase:*"
    ///       Policies:
    ///         - PolicyName: read
    ///           PolicyDocument:
    ///             Version: "2012-10-17"
    ///             Statement:
    ///               - Effect: Allow
    ///                 Action: ec2:DescribeVpcs
    ///                 Resource: "*"
    /// ```
    /// Who only reads is a lesser finding:
    /// ```terraform good at:low
    /// resource "aws_iam_role" "plan" {
    ///   name = "plan"
    ///   assume_role_policy = jsonencode({
    ///     Version = "2012-10-17"
    ///     Statement = [{
    ///       Effect    = "Allow"
    ///       Action    = "sts:AssumeRoleWithWebIdentity"
    ///       Principal = { Federated = "arn:aws:iam::111122223333:oidc-provider/app.terraform.io" }
    ///       Condition = {
    ///         StringEquals = { "app.terraform.io:aud" = "aws.workload.identity" }
    ///         StringLike   = { "app.terraform.io:sub" = "organization:acme:project:*:workspace:*:run_phase:plan" }
    ///       }
    ///     }]
    ///   })
    /// }
    /// resource "aws_iam_role_policy" "plan" {
    ///   role = aws_iam_role.plan.name
    ///   policy = jsonencode({
    ///     Version   = "2012-10-17"
    ///     Statement = [{ Effect = "Allow", Action = ["ec2:Describe*", "iam:List*"], Resource = "*" }]
    ///   })
    /// }
    /// ```
    /// ## How to fix
    /// Write the project, workspace or stack, and the branch or phase, in full.
    pub(crate) static CI_SUBJECT_TOO_WIDE = Rule {
        id: "ci-subject-too-wide",
        family: Family::Federation,
        severity: Severity::Medium,
        confidence: Confidence::High,
        scope: Scope::Module,
        since: "0.1.0",
        cwe: &[1220],
        aliases: &["other-ci-subject-weak", "FED-015"],
        mappings: &[
            ("NIST", "IA-2"),
            ("NIST", "IA-8"),
            ("NIST", "IA-9"),
            ("NIST", "AC-3"),
            ("ATT&CK", "T1078.004"),
            ("ATT&CK", "T1199"),
            ("ATT&CK", "T1550.001"),
        ],
        references: &["https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_providers_create_oidc.html"],
        check: check,
    };
}

/// A subject of `key:value` pairs: the keys that name what runs, and those that name how.
struct Pairs {
    host: &'static str,
    project: &'static [&'static str],
    phase: &'static [&'static str],
}

const PAIRS: [Pairs; 7] = [
    Pairs {
        host: "app.terraform.io",
        project: &["project", "workspace"],
        phase: &["run_phase"],
    },
    Pairs {
        host: "agent.buildkite.com",
        project: &["pipeline"],
        phase: &["ref"],
    },
    Pairs {
        host: "oidc.codefresh.io",
        project: &["pipeline"],
        phase: &[],
    },
    Pairs {
        host: "scalr.io",
        project: &["environment", "workspace"],
        phase: &[],
    },
    Pairs {
        host: ".app.spacelift.io",
        project: &["space", "stack"],
        phase: &["run_type", "scope"],
    },
    Pairs {
        host: "oidc.vercel.com",
        project: &["project"],
        phase: &["environment"],
    },
    Pairs {
        host: "api.pulumi.com",
        project: &["project", "stack"],
        phase: &[],
    },
];

/// Claims that pin the project whatever the subject says.
const PROJECTS: [&str; 3] = ["project_id", "pipeline_id", "pipeline_slug"];
/// CircleCI's, whose subjects name no ref.
const CIRCLECI: &str = "oidc.circleci.com/project-id";
/// Claims that pin the tenant.
const TENANTS: [&str; 3] = ["namespace_id", "organization_id", "organization_slug"];

/// What a trust leaves open.
struct Gap<'a> {
    /// Every project, not only every ref or phase of one.
    project: bool,
    /// What decides; `None` where nothing limits the subject.
    value: Option<&'a Value>,
}

fn gap<'a>(trusted: &Trusted<'a>) -> Option<Gap<'a>> {
    let subject = trusted.decisive("sub", |value| width(trusted, value));
    let id = trusted
        .pinned_by(&PROJECTS, Width::AnyRef)
        .or_else(|| trusted.pinned_by(&TENANTS, Width::Organization));
    let of = |project: bool, value| Some(Gap { project, value: Some(value) });
    if trusted.pins(CIRCLECI) {
        return None;
    }
    match (subject, id) {
        (None, Some(id)) => of(id.width == Width::Organization, id.value),
        (None, None) => (!trusted.is_shared()).then_some(Gap { project: true, value: None }),
        (Some(subject), Some(id)) if subject.width > id.width => {
            let project = id.width == Width::Organization;
            (project || subject.open_end).then_some(Gap { project, value: Some(id.value) })
        }
        (Some(subject), _) => match subject.width {
            // Another customer's is `ci-subject-tenant-open`.
            Width::Everybody if trusted.is_shared() => None,
            Width::Everybody | Width::Organization => of(true, subject.value),
            Width::AnyRef => of(false, subject.value),
            _ => None,
        },
    }
}

fn check(cx: &mut Context<'_>) {
    let model = cx.model;
    for trusted in trusted(model) {
        if !trusted.is_pipeline() || trusted.is_github() {
            continue;
        }
        let Some(Gap { project, value }) = gap(&trusted) else {
            continue;
        };
        let protected = trusted.pins("ref_protected") || trusted.pins("build_branch");
        let any_tag = value.is_some_and(|value| is_any_tag(&value.to_string()));
        let severity = match (trusted.rights(cx.access), project) {
            (Rights::Writes, true) if value.is_none() => Severity::Medium,
            (Rights::Writes, true) => Severity::High,
            (Rights::Writes, false) if protected => continue,
            // What a plan needs.
            (Rights::Reads, false) => continue,
            (Rights::Writes, false) if any_tag => Severity::High,
            (Rights::Writes, false) | (Rights::Unknown, true) => Severity::Medium,
            (Rights::Reads, true) | (Rights::Unknown, false) => Severity::Low,
        };
        let open = if project { "any project or workspace" } else { "any branch, tag or run phase" };
        let (role, name) = (trusted.role(model), trusted.name());
        let (src, message) = match value {
            Some(value) => (
                wildcard_src(value.text(), value.pattern().src(), Which::Last),
                format!("{open} of {name} that `{value}` means can assume {role}"),
            ),
            None => (
                trusted.src(),
                format!("{open} of the tenant of {name} can assume {role}: no condition tests `sub`"),
            ),
        };
        let mut report = cx
            .finding(&trusted.document.place, &src, message)
            .statement(trusted.statement)
            .when(trusted.principal.guard())
            .severity(severity)
            .help("write project and branch or phase in full");
        if let Some(value) = value {
            report = report.when(value.pattern().guard()).marks(value.pattern().marks());
        }
        if let Some(issuer) = trusted.issuer
            && !issuer.safe_requirement.is_empty()
        {
            report = report.note(format!("what is narrow for {name}: {}", issuer.safe_requirement));
        }
        let report = with_jobs(cx, report, trusted.role_id(model));
        cx.report(report);
    }
}

/// How far a subject of the issuer reaches inside its tenant.
fn width(trusted: &Trusted<'_>, subject: &str) -> Width {
    let host = trusted.host.as_deref().unwrap_or_default();
    if host == "gitlab.com" || subject.starts_with("project_path:") {
        return gitlab(subject);
    }
    if host.starts_with("oidc.circleci.com/") {
        return circleci(subject);
    }
    if host.starts_with("api.bitbucket.org/") {
        // The UUID of an environment or step belongs to one repository, too.
        let open = subject.starts_with(['*', '?']) && !subject.contains('{');
        return if open { Width::Organization } else { Width::Pinned };
    }
    PAIRS
        .iter()
        .find(|row| host.starts_with(row.host) || host.ends_with(row.host))
        .map_or(Width::Pinned, |row| pairs(subject, row))
}

/// `project_path:GROUP/PROJECT:ref_type:TYPE:ref:REF`.
fn gitlab(subject: &str) -> Width {
    const START: &str = "project_path:";
    let Some(rest) = subject.strip_prefix(START) else {
        let literal = subject.split(['*', '?', HOLE]).next().unwrap_or_default();
        let swallows = START.starts_with(literal) && !subject.starts_with(HOLE) && is_wild(subject);
        return if swallows { Width::Everybody } else { Width::Pinned };
    };
    let (path, tail) = match rest.split_once(":ref_type:") {
        Some((path, tail)) => (path, Some(tail)),
        None => (rest, None),
    };
    let Some((group, project)) = path.split_once('/') else {
        let open = is_wild(path) && !path.contains(HOLE);
        return if open { Width::Everybody } else { Width::Pinned };
    };
    if is_wild(group) {
        return Width::Everybody;
    }
    let project = project.split(':').next().unwrap_or(project);
    if project.split('/').any(|part| part.starts_with('*')) {
        return Width::Organization;
    }
    match tail {
        None if path.ends_with('*') => Width::AnyRef,
        None => Width::Pinned,
        Some(tail) => {
            let (kind, reference) = tail.split_once(":ref:").unwrap_or((tail, ""));
            let open = is_star(kind) || is_star(reference);
            if open { Width::AnyRef } else { Width::Pinned }
        }
    }
}

/// `org/ORG/project/PROJECT/user/USER`.
fn circleci(subject: &str) -> Width {
    let parts: Vec<&str> = subject.split('/').collect();
    let at = parts.iter().position(|part| *part == "project");
    let project = at.and_then(|at| parts.get(at + 1));
    match project {
        Some(project) if is_star(project) => Width::Organization,
        Some(_) => Width::Pinned,
        None if is_wild(subject) && !subject.contains(HOLE) => Width::Organization,
        None => Width::Pinned,
    }
}

/// `key:value:key:value`.
fn pairs(subject: &str, row: &Pairs) -> Width {
    let parts: Vec<&str> = subject.split(':').collect();
    let value = |key: &str| {
        let at = parts.iter().position(|part| *part == key)?;
        parts.get(at + 1).copied()
    };
    // A wildcard at the end stands for the pairs that are not written.
    let swallowed = subject.ends_with('*') && !subject.contains(HOLE);
    let open = |keys: &[&str]| {
        keys.iter().any(|key| match value(key) {
            Some(value) => is_star(value),
            None => swallowed,
        })
    };
    let tenant = parts.get(1).copied().unwrap_or_default();
    if is_wild(tenant) && !row.project.contains(&parts.first().copied().unwrap_or_default()) {
        Width::Everybody
    } else if open(row.project) {
        Width::Organization
    } else if open(row.phase) {
        Width::AnyRef
    } else {
        Width::Pinned
    }
}

/// Whether every tag is accepted, which anybody who may push can set where tags are not protected.
fn is_any_tag(subject: &str) -> bool {
    subject.contains(":ref_type:tag:ref:*")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn subjects_of_gitlab() {
        for (subject, width) in [
            ("project_path:acme/*", Width::Organization),
            ("project_path:acme/*:ref_type:branch:ref:main", Width::Organization),
            ("project_path:acme/team/*:ref_type:branch:ref:main", Width::Organization),
            ("project_path:acme/shop:*", Width::AnyRef),
            ("project_path:acme/shop:ref_type:*:ref:*", Width::AnyRef),
            ("project_path:acme/shop:ref_type:branch:ref:*", Width::AnyRef),
            ("project_path:acme/shop:ref_type:branch:ref:main", Width::Pinned),
            ("project_path:acme/shop:ref_type:branch:ref:release-*", Width::Pinned),
            ("project_path:*", Width::Everybody),
        ] {
            assert_eq!(gitlab(subject), width, "{subject}");
        }
    }

    #[test]
    fn subjects_of_pairs_and_paths() {
        let of = |host: &str, subject: &str| {
            let row = PAIRS.iter().find(|row| row.host == host).unwrap();
            pairs(subject, row)
        };
        let terraform = "app.terraform.io";
        for (subject, width) in [
            ("organization:acme:*", Width::Organization),
            ("organization:acme:project:*:workspace:web:run_phase:apply", Width::Organization),
            ("organization:acme:project:web:workspace:prod:run_phase:*", Width::AnyRef),
            ("organization:acme:project:web:workspace:prod:*", Width::AnyRef),
            ("organization:acme:project:web:workspace:prod:run_phase:apply", Width::Pinned),
            ("organization:*", Width::Everybody),
        ] {
            assert_eq!(of(terraform, subject), width, "{subject}");
        }
        let spacelift = ".app.spacelift.io";
        assert_eq!(of(spacelift, "space:*:stack:web:run_type:TRACKED:scope:write"), Width::Organization);
        assert_eq!(of(spacelift, "space:root:stack:web:run_type:*:scope:write"), Width::AnyRef);
        assert_eq!(circleci("org/1/project/*/user/*"), Width::Organization);
        assert_eq!(circleci("org/1/*"), Width::Organization);
        assert_eq!(circleci("org/1/project/2/user/*"), Width::Pinned);
    }
}
