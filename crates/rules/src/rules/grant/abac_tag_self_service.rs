//! `abac-tag-self-service`: a condition on a tag limits somebody who writes that tag.

use crate::escalate::{Gain, Granted};
use crate::{Context, Family, Scope, escalate, names};
use overgrant_access::StatementRef;
use overgrant_access::graph::{Basis, Edge, Goal, Node, Tagging};
use overgrant_finding::{Confidence, Severity};
use overgrant_ir::{Identity, IdentityId, Workload};
use overgrant_policy::Answer;
use std::collections::BTreeMap;

rule! {
    /// Right hangs on a tag that whoever it should limit can write.
    ///
    /// A statement gives a way into what runs with a role, to a role, or to a user's credentials, on resources
    /// with a certain tag only. Its holder, or somebody who can become its holder, may write that tag on a
    /// resource which the condition should keep out, and gains rights by that. Silent where the tag is written
    /// by administrators only, where a condition limits which tags may be written, and for a resource that has
    /// the tag.
    ///
    /// ## Why
    /// A condition on `aws:ResourceTag` is worth as much as the right to tag. `ec2:CreateTags` on every
    /// instance, often granted so that launched machines get a name, opens every instance to a session that
    /// only some of them should accept.
    ///
    /// ## Bad
    /// Sessions by tag, and the right to tag beside it:
    /// ```terraform bad also:managed-administratoraccess,compute-role-privileged,star-resource-on-scopable-write
    /// resource "aws_iam_role" "deploy" {
    ///   name = "deploy"
    ///   assume_role_policy = jsonencode({
    ///     Version   = "2012-10-17"
    ///     Statement = [{ Effect = "Allow", Action = "sts:AssumeRole", Principal = { Service = "ec2.amazonaws.com" } }]
    ///   })
    /// }
    /// resource "aws_iam_role_policy_attachment" "deploy" {
    ///   role       = aws_iam_role.deploy.name
    ///   policy_arn = "arn:aws:iam::aws:policy/AdministratorAccess"
    /// }
    /// resource "aws_iam_instance_profile" "deploy" {
    ///   name = "deploy"
    ///   role = aws_iam_role.deploy.name
    /// }
    /// resource "aws_instance" "deploy" {
    ///   ami                  = "ami-0123456789abcdef0"
    ///   instance_type        = "t3.small"
    ///   iam_instance_profile = aws_iam_instance_profile.deploy.name
    ///   tags                 = { team = "platform" }
    ///   metadata_options { http_tokens = "required" }
    /// }
    /// resource "aws_iam_user" "web" {
    ///   name = "web"
    /// }
    /// resource "aws_iam_user_policy" "web" {
    ///   user = aws_iam_user.web.name
    ///   policy = jsonencode({
    ///     Version = "2012-10-17"
    ///     Statement = [
    ///       {
    ///         Effect    = "Allow"
    ///         Action    = "ssm:StartSession"
    ///         Resource  = "arn:aws:ec2:*:*:instance/*"
    ///         Condition = { StringEquals = { "aws:ResourceTag/team" = "web" } } # <-- here
    ///       },
    ///       { Effect = "Allow", Action = "ec2:CreateTags", Resource = "*" },
    ///     ]
    ///   })
    /// }
    /// ```
    /// The right to tag is with a user who can assume the role that the tag limits:
    /// ```cloudformation bad also:managed-administratoraccess,compute-role-privileged,star-resource-on-scopable-write
    /// Resources:
    ///   Deploy:
    ///     Type: AWS::IAM::Role
    ///     Properties:
    ///       AssumeRolePolicyDocument:
    ///         Version: "2012-10-17"
    ///         Statement:
    ///           - { Effect: Allow, Action: sts:AssumeRole, Principal: { Service: ec2.amazonaws.com } }
    ///       ManagedPolicyArns:
    ///         - arn:aws:iam::aws:policy/AdministratorAccess
    ///   Profile:
    ///     Type: AWS::IAM::InstanceProfile
    ///     Properties:
    ///       Roles: [!Ref Deploy]
    ///   Instance:
    ///     Type: AWS::EC2::Instance
    ///     Properties:
    ///       ImageId: ami-0123456789abcdef0
    ///       IamInstanceProfile: !Ref Profile
    ///   Operator:
    ///     Type: AWS::IAM::Role
    ///     Properties:
    ///       AssumeRolePolicyDocument:
    ///         Version: "2012-10-17"
    ///         Statement:
    ///           - { Effect: Allow, Action: sts:AssumeRole, Principal: { AWS: !GetAtt Developer.Arn } }
    ///       Policies:
    ///         - PolicyName: restart
    ///           PolicyDocument:
    ///             Version: "2012-10-17"
    ///             Statement:
    ///               - Effect: Deny
    ///                 Action: ec2:*
    ///                 Resource: "*"
    ///                 Condition:
    ///                   StringEquals:
    ///                     aws:ResourceTag/protected: "true" # <-- here
    ///               - Effect: Allow
    ///                 Action: [ec2:StartInstances, ec2:StopInstances, ec2:ModifyInstanceAttribute]
    ///                 Resource: !Sub arn:${AWS::Partition}:ec2:${AWS::Region}:${AWS::AccountId}:instance/*
    ///   Developer:
    ///     Type: AWS::IAM::User
    ///     Properties:
    ///       Policies:
    ///         - PolicyName: tags
    ///           PolicyDocument:
    ///             Version: "2012-10-17"
    ///             Statement:
    ///               - { Effect: Allow, Action: ec2:DeleteTags, Resource: "*" }
    /// ```
    /// ## Good
    /// The tag that matters is not among those that may be written:
    /// ```terraform good also:managed-administratoraccess,compute-role-privileged,star-resource-on-scopable-write
    /// resource "aws_iam_role" "deploy" {
    ///   name = "deploy"
    ///   assume_role_policy = jsonencode({
    ///     Version   = "2012-10-17"
    ///     Statement = [{ Effect = "Allow", Action = "sts:AssumeRole", Principal = { Service = "ec2.amazonaws.com" } }]
    ///   })
    /// }
    /// resource "aws_iam_role_policy_attachment" "deploy" {
    ///   role       = aws_iam_role.deploy.name
    ///   policy_arn = "arn:aws:iam::aws:policy/AdministratorAccess"
    /// }
    /// resource "aws_iam_instance_profile" "deploy" {
    ///   name = "deploy"
    ///   role = aws_iam_role.deploy.name
    /// }
    /// resource "aws_instance" "deploy" {
    ///   ami                  = "ami-0123456789abcdef0"
    ///   instance_type        = "t3.small"
    ///   iam_instance_profile = aws_iam_instance_profile.deploy.name
    ///   metadata_options { http_tokens = "required" }
    /// }
    /// resource "aws_iam_user" "web" {
    ///   name = "web"
    /// }
    /// resource "aws_iam_user_policy" "web" {
    ///   user = aws_iam_user.web.name
    ///   policy = jsonencode({
    ///     Version = "2012-10-17"
    ///     Statement = [
    ///       {
    ///         Effect    = "Allow"
    ///         Action    = "ssm:StartSession"
    ///         Resource  = "arn:aws:ec2:*:*:instance/*"
    ///         Condition = { StringEquals = { "aws:ResourceTag/team" = "web" } }
    ///       },
    ///       {
    ///         Effect    = "Allow"
    ///         Action    = "ec2:CreateTags"
    ///         Resource  = "*"
    ///         Condition = { "ForAllValues:StringEquals" = { "aws:TagKeys" = ["Name"] } }
    ///       },
    ///     ]
    ///   })
    /// }
    /// ```
    /// The tag is written by somebody who cannot get at the right:
    /// ```cloudformation good also:managed-administratoraccess,compute-role-privileged,star-resource-on-scopable-write
    /// Resources:
    ///   Deploy:
    ///     Type: AWS::IAM::Role
    ///     Properties:
    ///       AssumeRolePolicyDocument:
    ///         Version: "2012-10-17"
    ///         Statement:
    ///           - { Effect: Allow, Action: sts:AssumeRole, Principal: { Service: ec2.amazonaws.com } }
    ///       ManagedPolicyArns:
    ///         - arn:aws:iam::aws:policy/AdministratorAccess
    ///   Profile:
    ///     Type: AWS::IAM::InstanceProfile
    ///     Properties:
    ///       Roles: [!Ref Deploy]
    ///   Instance:
    ///     Type: AWS::EC2::Instance
    ///     Properties:
    ///       ImageId: ami-0123456789abcdef0
    ///       IamInstanceProfile: !Ref Profile
    ///   Web:
    ///     Type: AWS::IAM::User
    ///     Properties:
    ///       Policies:
    ///         - PolicyName: session
    ///           PolicyDocument:
    ///             Version: "2012-10-17"
    ///             Statement:
    ///               - Effect: Allow
    ///                 Action: ssm:StartSession
    ///                 Resource: !Sub arn:${AWS::Partition}:ec2:${AWS::Region}:${AWS::AccountId}:instance/*
    ///                 Condition:
    ///                   StringEquals: { ssm:resourceTag/team: web }
    ///   Launcher:
    ///     Type: AWS::IAM::User
    ///     Properties:
    ///       Policies:
    ///         - PolicyName: tags
    ///           PolicyDocument:
    ///             Version: "2012-10-17"
    ///             Statement:
    ///               - { Effect: Allow, Action: ec2:CreateTags, Resource: "*" }
    /// ```
    /// ## How to fix
    /// Keep the tag out of reach: allow tagging under `aws:TagKeys` or `aws:RequestTag` without this tag, only
    /// while something is made (`ec2:CreateAction`), or deny it for this tag to all but administrators.
    pub(crate) static ABAC_TAG_SELF_SERVICE = Rule {
        id: "abac-tag-self-service",
        family: Family::Grant,
        severity: Severity::High,
        confidence: Confidence::Medium,
        scope: Scope::Module,
        since: "0.1.0",
        cwe: &[269],
        aliases: &[],
        mappings: &[("ATT&CK", "T1098"), ("NIST", "AC-3(13)")],
        references: &[
            "https://docs.aws.amazon.com/IAM/latest/UserGuide/access_tags.html",
            "https://docs.aws.amazon.com/IAM/latest/UserGuide/introduction_attribute-based-access-control.html",
        ],
        check: check,
    };
}

/// A step that writes the tags first.
struct Found<'a> {
    /// What is won: administration, dangerous actions, or any.
    gain: Option<Gain>,
    caller: IdentityId,
    edge: &'a Edge,
    tagging: &'a Tagging,
    /// What runs with the role that is won, where that is acted on.
    workload: Option<&'a Workload>,
    /// The identity that is won.
    won: &'a Identity,
}

fn check(cx: &mut Context<'_>) {
    let mut granted = Granted::default();
    // The best step by each statement, with all who can take one.
    let mut by_guard: BTreeMap<StatementRef, (Found<'_>, Vec<IdentityId>)> = BTreeMap::new();
    for (caller, identity) in escalate::callers(cx) {
        if escalate::is_exempt(cx, caller, identity) {
            continue;
        }
        for edge in cx.access.graph().from(Node::Identity(caller)) {
            let Some(found) = found(cx, &mut granted, caller, edge) else {
                continue;
            };
            match by_guard.get_mut(&found.tagging.guard) {
                None => {
                    by_guard.insert(found.tagging.guard, (found, vec![caller]));
                }
                Some((known, callers)) => {
                    if !callers.contains(&caller) {
                        callers.push(caller);
                    }
                    if found.gain > known.gain {
                        *known = found;
                    }
                }
            }
        }
    }
    for (found, callers) in by_guard.into_values() {
        report(cx, &found, &callers);
    }
}

/// A step with what it wins; `None` where it writes no tags, or wins nothing.
fn found<'a>(
    cx: &Context<'a>,
    granted: &mut Granted,
    caller: IdentityId,
    edge: &'a Edge,
) -> Option<Found<'a>> {
    let tagging = edge.tagging.as_ref().filter(|_| edge.answer == Answer::Must)?;
    let (id, workload) = match (edge.to, edge.via) {
        (Node::Workload(at), _) => (cx.access.role_of(at)?, cx.model.workloads.get(at)),
        (Node::Identity(id), _) | (Node::Admin, Some(Node::Identity(id))) => (id, None),
        _ => return None,
    };
    let gain = if edge.to == Node::Admin {
        Some(Gain::Admin)
    } else {
        granted.gain(cx, caller, id)
    };
    if gain.is_none() && granted.lesser(cx, caller, id).is_empty() {
        return None;
    }
    Some(Found {
        gain,
        caller,
        edge,
        tagging,
        workload,
        won: cx.model.identity(id)?,
    })
}

fn report(cx: &mut Context<'_>, found: &Found<'_>, callers: &[IdentityId]) {
    let holder = found.tagging.holder;
    let (Some(caller), Some(limited), Some(guard)) = (
        cx.model.identity(found.caller),
        cx.model.identity(holder),
        escalate::written(cx, &found.tagging.guard),
    ) else {
        return;
    };
    let rights = escalate::rights(cx, found.edge);
    let of_holder = |action: &str| {
        found.edge.by.iter().any(|one| {
            let of = matches!(one.basis, Basis::Policy(by) if by.identity == holder);
            one.action == action && of
        })
    };
    let is_tagging = |action: &str| action.to_ascii_lowercase().contains("tag");
    let used = rights.iter().find(|(action, _)| of_holder(action) && !is_tagging(action));
    let writes = rights.iter().find(|(action, _)| is_tagging(action));
    let (Some((used, _)), Some((writes, writer))) = (used, writes) else {
        return;
    };
    let asking = guard.statement.conditions.items.iter().find(|one| {
        let name = one.key.resource_tag();
        name.is_some_and(|name| found.tagging.tags.iter().any(|tag| tag.name.eq_ignore_ascii_case(&name)))
    });
    let (Some(place), Some(asking)) = (guard.place, asking) else {
        return;
    };
    let own = names::identity(found.won);
    let target = found
        .workload
        .map_or(own.clone(), |workload| format!("`{}`", workload.place.address));
    let whose = if holder == found.caller {
        format!("its right to `{used}` covers it")
    } else {
        format!(
            "{}, which it can become, may use `{used}` on it",
            names::identity(limited)
        )
    };
    let end = match found.gain {
        Some(Gain::Admin) => "and so become administrator".to_owned(),
        _ if found.workload.is_none() => "and so take on its rights".to_owned(),
        _ => format!("and so take on the rights of {own}"),
    };
    let text = format!(
        "{} can change the tags of {target} so that {whose}, {end}",
        names::identity(caller)
    );
    let severity = if found.gain.is_some() {
        Severity::High
    } else {
        Severity::Medium
    };
    let mut report = cx
        .finding(place, asking.key.src(), text)
        .statement(guard.statement)
        .severity(severity)
        .label("asks for a tag that the caller writes");
    if let Some(path) = found.edge.path {
        report = report.path(path.id).confidence(escalate::confidence(path));
    }
    report = report.related(&writer.action_src(writes), "writes the tag", writer.place);
    for (number, step) in way(cx, found).into_iter().enumerate() {
        report = report.note(format!("step {}: {step}", number + 1));
    }
    if let Some(workload) = found.workload {
        let words = format!("{target} runs with `{}`", names::plain(found.won));
        report = report.related(&workload.role.src, words, Some(&workload.place));
    }
    let kind = found.won.kind.as_str();
    report = report
        .related(
            &found.won.place.name_src,
            format!("the {kind} that is won"),
            Some(&found.won.place),
        )
        .principal(&limited.place)
        .help(format!(
            "limit `{writes}` by aws:TagKeys to other tags than `{}`, or deny it for this one",
            asking.key.resource_tag().unwrap_or_default()
        ));
    for caller in callers {
        if let Some(caller) = cx.model.identity(*caller) {
            report = report.principal(&caller.place);
        }
    }
    cx.report(report);
}

/// The way in words: how the caller becomes the holder, what it writes, and as what it ends.
fn way(cx: &Context<'_>, found: &Found<'_>) -> Vec<String> {
    let graph = cx.access.graph();
    let (from, holder) = (Node::Identity(found.caller), found.tagging.holder);
    let mut steps = Vec::new();
    if holder != found.caller
        && let Some(route) = graph.routes(from, Goal::Identity(holder)).first()
    {
        let told = cx.access.explain(route);
        steps.extend(told.steps.into_iter().map(|step| step.text));
    }
    steps.push(cx.access.sentence(found.edge, found.edge.to));
    steps
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{Scene, inline, trusting};

    /// Findings where `ops` has `own` and the instance's role `power`; `user` can assume `ops` and has `more`.
    fn found(own: &str, more: &str, power: &str) -> Vec<(Severity, String)> {
        Scene::new()
            .resource("aws_iam_role", "vm", &trusting("vm", r#"{"Service":"ec2.amazonaws.com"}"#))
            .resource("aws_iam_role_policy", "vm", &inline("vm", power))
            .resource("aws_iam_instance_profile", "vm", r#"{"name":"vm","role":"vm"}"#)
            .resource("aws_instance", "vm", r#"{"iam_instance_profile":"vm"}"#)
            .resource("aws_iam_role", "ops", &trusting("ops", r#"{"AWS":"user"}"#))
            .resource("aws_iam_role_policy", "ops", &inline("ops", own))
            .resource("aws_iam_role", "user", &trusting("user", r#"{"Service":"lambda.amazonaws.com"}"#))
            .resource("aws_iam_role_policy", "user", &inline("user", more))
            .run(&ABAC_TAG_SELF_SERVICE)
            .into_iter()
            .map(|(_, finding)| (finding.severity, finding.message))
            .collect()
    }

    fn allow(action: &str, condition: &str) -> String {
        format!(
            r#"{{"Effect":"Allow","Action":"{action}","Resource":"*"{}{condition}}}"#,
            if condition.is_empty() { "" } else { r#","Condition":"# }
        )
    }

    const TEAM: &str = r#"{"StringEquals":{"ssm:resourceTag/team":"web"}}"#;

    #[test]
    fn whoever_writes_the_tag_is_not_limited_by_it() {
        let (all, read) = (allow("*", ""), allow("s3:GetObject", ""));
        let session = allow("ssm:StartSession", TEAM);
        let both = format!("{session},{}", allow("ec2:CreateTags", ""));
        let of = |found: Vec<(Severity, String)>| found.into_iter().map(|(_, text)| text).collect::<Vec<_>>();
        let own = "role `ops` can change the tags of `aws_instance.vm` so that its right to `ssm:StartSession` covers it, and so become administrator";
        assert_eq!(of(found(&both, &read, &all)), [own]);
        let other = "role `user` can change the tags of `aws_instance.vm` so that role `ops`, which it can become, may use `ssm:StartSession` on it, and so become administrator";
        assert_eq!(of(found(&session, &allow("ec2:CreateTags", ""), &all)), [other]);
        assert_eq!(found(&session, &read, &all), [], "nobody writes it");
        assert_eq!(found(&session, &allow("ec2:DeleteTags", ""), &all), [], "the tag has to be there");
        assert_eq!(found(&session, &allow("ssm:AddTagsToResource", ""), &all), [], "not of instances");
        assert_eq!(found(&session, &allow("*", ""), &all), [], "an administrator writes it");
    }

    #[test]
    fn what_limits_the_writing_counts() {
        let all = allow("*", "");
        let session = allow("ssm:StartSession", TEAM);
        let names = r#"{"ForAllValues:StringEquals":{"aws:TagKeys":["Name"]}}"#;
        let made = r#"{"StringEquals":{"ec2:CreateAction":"RunInstances"}}"#;
        for condition in [names, made] {
            let both = format!("{session},{}", allow("ec2:CreateTags", condition));
            assert_eq!(found(&both, &session, &all), [], "{condition}");
        }
        let more = r#"{"StringEquals":{"ssm:resourceTag/team":"web","aws:SourceVpc":"vpc-1"}}"#;
        let both = format!("{},{}", allow("ssm:StartSession", more), allow("ec2:CreateTags", ""));
        assert_eq!(found(&both, &session, &all), [], "the tag is not all");
    }

    #[test]
    fn exceptions_by_tag_are_taken_off() {
        let all = allow("*", "");
        let spared = r#"{"StringNotEquals":{"aws:ResourceTag/Name":"admin"}}"#;
        let starts: Vec<String> = ["StartInstances", "StopInstances", "ModifyInstanceAttribute"]
            .iter()
            .map(|name| allow(&format!("ec2:{name}"), spared))
            .collect();
        let starts = starts.join(",");
        for writer in ["ec2:DeleteTags", "ec2:CreateTags"] {
            assert_eq!(found(&starts, &allow(writer, ""), &all).len(), 1, "{writer}");
        }
        let free: Vec<String> = ["StartInstances", "StopInstances", "ModifyInstanceAttribute"]
            .iter()
            .map(|name| allow(&format!("ec2:{name}"), ""))
            .collect();
        let denied = format!(
            r#"{},{{"Effect":"Deny","Action":"ec2:*","Resource":"*","Condition":{{"StringEquals":{{"ec2:ResourceTag/Name":"admin"}}}}}}"#,
            free.join(",")
        );
        assert_eq!(found(&denied, &allow("ec2:DeleteTags", ""), &all).len(), 1);
        assert_eq!(found(&denied, &allow("s3:GetObject", ""), &all), []);
    }

    #[test]
    fn what_has_the_tag_is_meant() {
        let (all, tagging) = (allow("*", ""), allow("ec2:CreateTags", ""));
        let both = format!("{},{tagging}", allow("ssm:StartSession", TEAM));
        let with = |kind: &str, attrs: &str| {
            Scene::new()
                .resource("aws_iam_role", "vm", &trusting("vm", r#"{"Service":"ec2.amazonaws.com"}"#))
                .resource("aws_iam_role_policy", "vm", &inline("vm", &all))
                .resource("aws_iam_instance_profile", "vm", r#"{"name":"vm","role":"vm"}"#)
                .resource(kind, "vm", attrs)
                .resource("aws_iam_role", "ops", &trusting("ops", r#"{"Service":"lambda.amazonaws.com"}"#))
                .resource("aws_iam_role_policy", "ops", &inline("ops", &both))
                .run(&ABAC_TAG_SELF_SERVICE)
                .len()
        };
        let vm = |team: &str| format!(r#"{{"iam_instance_profile":"vm","tags":{{"team":"{team}"}}}}"#);
        assert_eq!(with("aws_instance", &vm("web")), 0);
        assert_eq!(with("aws_instance", &vm("db")), 1);
        let stack = |team: &str| {
            format!(r#"{{"IamInstanceProfile":"vm","Tags":[{{"Key":"team","Value":"{team}"}}]}}"#)
        };
        assert_eq!(with("AWS::EC2::Instance", &stack("web")), 0);
        assert_eq!(with("AWS::EC2::Instance", &stack("db")), 1);
    }

    #[test]
    fn roles_and_users_by_tag() {
        let all = allow("*", "");
        let team = r#"{"StringEquals":{"aws:ResourceTag/team":"web"}}"#;
        let role = |name: &str, principal: &str| {
            let arn = format!(r#"{{"arn":"arn:aws:iam::123456789012:role/{name}","#);
            trusting(name, principal).replacen('{', &arn, 1)
        };
        let run = |policy: &str| -> Vec<String> {
            let account = r#"{"AWS":"arn:aws:iam::123456789012:root"}"#;
            let function = r#"{"Service":"lambda.amazonaws.com"}"#;
            Scene::new()
                .resource("aws_iam_role", "admin", &role("admin", account))
                .resource("aws_iam_role_policy", "admin", &inline("admin", &all))
                .resource(
                    "aws_iam_user",
                    "root",
                    r#"{"name":"root","arn":"arn:aws:iam::123456789012:user/root"}"#,
                )
                .resource(
                    "aws_iam_user_policy_attachment",
                    "root",
                    r#"{"user":"root","policy_arn":"arn:aws:iam::aws:policy/AdministratorAccess"}"#,
                )
                .resource("aws_iam_role", "ops", &role("ops", function))
                .resource("aws_iam_role_policy", "ops", &inline("ops", policy))
                .run(&ABAC_TAG_SELF_SERVICE)
                .into_iter()
                .map(|(_, finding)| finding.message)
                .collect()
        };
        let assume = allow("sts:AssumeRole", team);
        let by_role = "role `ops` can change the tags of role `admin` so that its right to `sts:AssumeRole` covers it, and so become administrator";
        assert_eq!(run(&format!("{assume},{}", allow("iam:TagRole", ""))), [by_role]);
        assert_eq!(run(&format!("{assume},{}", allow("iam:TagUser", ""))), [""; 0], "of users only");
        let keys = allow("iam:CreateAccessKey", team);
        let user = "role `ops` can change the tags of user `root` so that its right to `iam:CreateAccessKey` covers it, and so become administrator";
        assert_eq!(run(&format!("{keys},{}", allow("iam:TagUser", ""))), [user]);
        assert_eq!(run(&keys), [""; 0]);
    }

    #[test]
    fn what_is_won_grades_it() {
        let session = format!("{},{}", allow("ssm:StartSession", TEAM), allow("ec2:CreateTags", ""));
        let read = allow("s3:GetObject", "");
        let graded = |power: &str| found(&session, &read, power).into_iter().map(|(severity, _)| severity).collect::<Vec<_>>();
        let managed = allow("ssm:UpdateInstanceInformation", "");
        assert_eq!(graded(&format!("{managed},{}", allow("iam:CreateAccessKey", ""))), [Severity::High]);
        assert_eq!(graded(&format!("{managed},{}", allow("elasticfilesystem:ClientMount", ""))), [Severity::Medium]);
        assert_eq!(graded(&allow("elasticfilesystem:ClientMount", "")), [], "no session: not managed");
    }
}
