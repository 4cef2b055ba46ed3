//! `external-entry-to-admin`: administration for somebody outside.

use crate::accounts::classify;
use crate::escalate;
use crate::federation::{Width, trusted};
use crate::listed::is_listed;
use crate::service_accounts::lets_in_namespaces;
use crate::{Context, Family, Report, Scope, names};
use overgrant_access::exposed::{Exposed, Openness};
use overgrant_access::graph::{Basis, EntryKind, Node};
use overgrant_finding::{Confidence, Severity};
use overgrant_ir::{Identity, IdentityId, PolicyDocument};
use overgrant_policy::{Answer, Principal, PrincipalKind, Statement};

rule! {
    /// Somebody outside can become administrator.
    ///
    /// A trust policy lets in another account, jobs of a CI system or anybody, or strangers reach code that runs
    /// with a role, and from that role certain steps lead to administration; often there is none to take.
    ///
    /// ## Why
    /// Whoever controls the account, the repository, the pipeline or the code controls the whole account, and what happens
    /// there is outside of what this code can guard.
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
    ///       Principal = { Federated = "arn:aws:iam::111122223333:oidc-provider/token.actions.githubusercontent.com" } # <-- here
    ///       Condition = {
    ///         StringEquals = { "token.actions.githubusercontent.com:aud" = "sts.amazonaws.com" }
    ///         StringLike   = { "token.actions.githubusercontent.com:sub" = "repo:acme/shop:*" }
    ///       }
    ///     }]
    ///   })
    /// }
    /// resource "aws_iam_role_policy" "deploy" {
    ///   role = aws_iam_role.deploy.name
    ///   policy = jsonencode({
    ///     Version   = "2012-10-17"
    ///     Statement = [{ Effect = "Allow", Action = "iam:PutRolePolicy", Resource = "*" }]
    ///   })
    /// }
    /// ```
    /// ```cloudformation bad vendors:444455556666
    /// Resources:
    ///   Vendor:
    ///     Type: AWS::IAM::Role
    ///     Properties:
    ///       AssumeRolePolicyDocument:
    ///         Version: "2012-10-17"
    ///         Statement:
    ///           - Effect: Allow
    ///             Action: sts:AssumeRole
    ///             Principal:
    ///               AWS: arn:aws:iam::444455556666:root # <-- here
    ///       ManagedPolicyArns:
    ///         - arn:aws:iam::aws:policy/AdministratorAccess
    /// ```
    /// An environment that is protected is a gate, which makes it high:
    /// ```terraform bad at:high
    /// resource "aws_iam_role" "deploy" {
    ///   name = "deploy"
    ///   assume_role_policy = jsonencode({
    ///     Version = "2012-10-17"
    ///     Statement = [{
    ///       Effect    = "Allow"
    ///       Action    = "sts:AssumeRoleWithWebIdentity"
    ///       Principal = { Federated = "arn:aws:iam::111122223333:oidc-provider/token.actions.githubusercontent.com" }
    ///       Condition = {
    ///         StringEquals = {
    ///           "token.actions.githubusercontent.com:aud" = "sts.amazonaws.com"
    ///           "token.actions.githubusercontent.com:sub" = "repo:acme/shop:environment:prod"
    ///         }
    ///       }
    ///     }]
    ///   })
    /// }
    /// resource "aws_iam_role_policy_attachment" "deploy" {
    ///   role       = aws_iam_role.deploy.name
    ///   policy_arn = "arn:aws:iam::aws:policy/AdministratorAccess"
    /// }
    /// ```
    /// Code that strangers reach is an entry too: a function behind a URL or an API without sign-in, or one that
    /// its policy lets everybody invoke, and builds of everybody's pull requests. How good the code is, is not seen.
    /// ```cloudformation bad
    /// Resources:
    ///   Role:
    ///     Type: AWS::IAM::Role
    ///     Properties:
    ///       AssumeRolePolicyDocument:
    ///         Version: "2012-10-17"
    ///         Statement:
    ///           - Effect: Allow
    ///             Action: sts:AssumeRole
    ///             Principal:
    ///               Service: lambda.amazonaws.com
    ///       ManagedPolicyArns:
    ///         - arn:aws:iam::aws:policy/AdministratorAccess
    ///   Hook:
    ///     Type: AWS::Lambda::Function
    ///     Properties:
    ///       Handler: index.handler
    ///       Runtime: nodejs22.x
    ///       Role: !GetAtt Role.Arn
    ///       Code:
    ///         S3Bucket: acme-code
    ///         S3Key: hook.zip
    ///   Url:
    ///     Type: AWS::Lambda::Url
    ///     Properties:
    ///       TargetFunctionArn: !Ref Hook
    ///       AuthType: NONE # <-- here
    /// ```
    /// ```terraform bad
    /// resource "aws_iam_role" "worker" {
    ///   name = "worker"
    ///   assume_role_policy = jsonencode({
    ///     Version   = "2012-10-17"
    ///     Statement = [{ Effect = "Allow", Action = "sts:AssumeRole", Principal = { Service = "codebuild.amazonaws.com" } }]
    ///   })
    /// }
    /// resource "aws_iam_role_policy_attachment" "worker" {
    ///   role       = aws_iam_role.worker.name
    ///   policy_arn = "arn:aws:iam::aws:policy/AdministratorAccess"
    /// }
    ///
    /// resource "aws_codebuild_project" "test" {
    ///   name               = "test"
    ///   service_role       = aws_iam_role.worker.arn
    ///   project_visibility = "PUBLIC_READ"
    ///   source {
    ///     type     = "GITHUB"
    ///     location = "https://github.com/acme/shop"
    ///   }
    ///   artifacts {
    ///     type = "NO_ARTIFACTS"
    ///   }
    ///   environment {
    ///     compute_type = "BUILD_GENERAL1_SMALL"
    ///     image        = "aws/codebuild/standard:7.0"
    ///     type         = "LINUX_CONTAINER"
    ///   }
    /// }
    /// resource "aws_codebuild_webhook" "test" {
    ///   project_name = aws_codebuild_project.test.name
    ///   pull_request_build_policy {
    ///     requires_comment_approval = "DISABLED"
    ///   }
    ///   filter_group {
    ///     filter {
    ///       type    = "EVENT"
    ///       pattern = "PUSH, PULL_REQUEST_CREATED, PULL_REQUEST_UPDATED" # <-- here
    ///     }
    ///   }
    /// }
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
    ///           "Principal": {"Federated": "arn:aws:iam::111122223333:oidc-provider/token.actions.githubusercontent.com"}, # <-- here
    ///           "Condition": {
    ///             "StringEquals": {"token.actions.githubusercontent.com:aud": "sts.amazonaws.com"},
    ///             "StringLike": {"token.actions.githubusercontent.com:sub": "repo:acme/shop:*"}
    ///           }
    ///         }
    ///       ]
    ///     }
    ///   JSON
    /// }
    /// resource "aws_iam_role_policy" "deploy" {
    ///   role = aws_iam_role.deploy.name
    ///   policy = jsonencode({
    ///     Version   = "2012-10-17"
    ///     Statement = [{ Effect = "Allow", Action = "iam:PutRolePolicy", Resource = "*" }]
    ///   })
    /// }
    /// ```
    /// ## Good
    /// Another account of the own organization:
    /// ```cloudformation good own_accounts:111122223333,444455556666 also:managed-administratoraccess
    /// Resources:
    ///   Operators:
    ///     Type: AWS::IAM::Role
    ///     Properties:
    ///       AssumeRolePolicyDocument:
    ///         Version: "2012-10-17"
    ///         Statement:
    ///           - Effect: Allow
    ///             Action: sts:AssumeRole
    ///             Principal:
    ///               AWS: arn:aws:iam::444455556666:role/operators
    ///       ManagedPolicyArns:
    ///         - arn:aws:iam::aws:policy/AdministratorAccess
    /// ```
    /// A role with the rights of its task:
    /// ```terraform good
    /// resource "aws_iam_role" "deploy" {
    ///   name = "deploy"
    ///   assume_role_policy = jsonencode({
    ///     Version = "2012-10-17"
    ///     Statement = [{
    ///       Effect    = "Allow"
    ///       Action    = "sts:AssumeRoleWithWebIdentity"
    ///       Principal = { Federated = "arn:aws:iam::111122223333:oidc-provider/token.actions.githubusercontent.com" }
    ///       Condition = {
    ///         StringEquals = {
    ///           "token.actions.githubusercontent.com:aud" = "sts.amazonaws.com"
    ///           "token.actions.githubusercontent.com:sub" = "repo:acme/shop:environment:prod"
    ///         }
    ///       }
    ///     }]
    ///   })
    /// }
    /// resource "aws_iam_role_policy" "deploy" {
    ///   role = aws_iam_role.deploy.name
    ///   policy = jsonencode({
    ///     Version   = "2012-10-17"
    ///     Statement = [{ Effect = "Allow", Action = "s3:PutObject", Resource = "arn:aws:s3:::acme-site/*" }]
    ///   })
    /// }
    /// ```
    /// Accounts of the own organization are no entry from outside:
    /// ```terraform good own_accounts:111122223333,444455556666
    /// resource "aws_iam_role" "admin" {
    ///   name = "admin"
    ///   assume_role_policy = jsonencode({
    ///     Version   = "2012-10-17"
    ///     Statement = [{ Effect = "Allow", Action = "sts:AssumeRole", Principal = { AWS = "arn:aws:iam::444455556666:role/operators" } }]
    ///   })
    /// }
    /// resource "aws_iam_role_policy_attachment" "admin" {
    ///   role       = aws_iam_role.admin.name
    ///   policy_arn = "arn:aws:iam::aws:policy/AdministratorAccess"
    /// }
    /// ```
    /// A URL that asks for a signature:
    /// ```cloudformation good also:managed-administratoraccess,compute-role-privileged
    /// Resources:
    ///   Role:
    ///     Type: AWS::IAM::Role
    ///     Properties:
    ///       AssumeRolePolicyDocument:
    ///         Version: "2012-10-17"
    ///         Statement:
    ///           - Effect: Allow
    ///             Action: sts:AssumeRole
    ///             Principal:
    ///               Service: lambda.amazonaws.com
    ///       ManagedPolicyArns:
    ///         - arn:aws:iam::aws:policy/AdministratorAccess
    ///   Hook:
    ///     Type: AWS::Lambda::Function
    ///     Properties:
    ///       Handler: index.handler
    ///       Runtime: nodejs22.x
    ///       Role: !GetAtt Role.Arn
    ///       Code:
    ///         S3Bucket: acme-code
    ///         S3Key: hook.zip
    ///   Url:
    ///     Type: AWS::Lambda::Url
    ///     Properties:
    ///       TargetFunctionArn: !Ref Hook
    ///       AuthType: AWS_IAM
    /// ```
    /// Builds of forks that somebody of the team has to approve:
    /// ```terraform good also:managed-administratoraccess,compute-role-privileged
    /// resource "aws_iam_role" "worker" {
    ///   name = "worker"
    ///   assume_role_policy = jsonencode({
    ///     Version   = "2012-10-17"
    ///     Statement = [{ Effect = "Allow", Action = "sts:AssumeRole", Principal = { Service = "codebuild.amazonaws.com" } }]
    ///   })
    /// }
    /// resource "aws_iam_role_policy_attachment" "worker" {
    ///   role       = aws_iam_role.worker.name
    ///   policy_arn = "arn:aws:iam::aws:policy/AdministratorAccess"
    /// }
    ///
    /// resource "aws_codebuild_project" "test" {
    ///   name               = "test"
    ///   service_role       = aws_iam_role.worker.arn
    ///   project_visibility = "PUBLIC_READ"
    ///   source {
    ///     type     = "GITHUB"
    ///     location = "https://github.com/acme/shop"
    ///   }
    ///   artifacts {
    ///     type = "NO_ARTIFACTS"
    ///   }
    ///   environment {
    ///     compute_type = "BUILD_GENERAL1_SMALL"
    ///     image        = "aws/codebuild/standard:7.0"
    ///     type         = "LINUX_CONTAINER"
    ///   }
    /// }
    /// resource "aws_codebuild_webhook" "test" {
    ///   project_name = aws_codebuild_project.test.name
    ///   pull_request_build_policy {
    ///     requires_comment_approval = "FORK_PULL_REQUESTS"
    ///   }
    ///   filter_group {
    ///     filter {
    ///       type    = "EVENT"
    ///       pattern = "PUSH, PULL_REQUEST_CREATED, PULL_REQUEST_UPDATED"
    ///     }
    ///   }
    /// }
    /// ```
    /// An instance with an open port is an entry only if what listens there has a flaw (confidence low):
    /// ```terraform unknown
    /// resource "aws_iam_role" "worker" {
    ///   name = "worker"
    ///   assume_role_policy = jsonencode({
    ///     Version   = "2012-10-17"
    ///     Statement = [{ Effect = "Allow", Action = "sts:AssumeRole", Principal = { Service = "ec2.amazonaws.com" } }]
    ///   })
    /// }
    /// resource "aws_iam_role_policy_attachment" "worker" {
    ///   role       = aws_iam_role.worker.name
    ///   policy_arn = "arn:aws:iam::aws:policy/AdministratorAccess"
    /// }
    ///
    /// resource "aws_security_group" "web" {
    ///   ingress {
    ///     from_port   = 443
    ///     to_port     = 443
    ///     protocol    = "tcp"
    ///     cidr_blocks = ["0.0.0.0/0"]
    ///   }
    /// }
    /// resource "aws_iam_instance_profile" "worker" {
    ///   role = aws_iam_role.worker.name
    /// }
    /// resource "aws_instance" "web" {
    ///   ami                         = "ami-0123456789abcdef0"
    ///   instance_type               = "t3.micro"
    ///   iam_instance_profile        = aws_iam_instance_profile.worker.name
    ///   vpc_security_group_ids      = [aws_security_group.web.id]
    ///   associate_public_ip_address = true
    ///   metadata_options {
    ///     http_tokens = "required"
    ///   }
    /// }
    /// ```
    /// ## How to fix
    /// Cut at the entry: one role for each pipeline or partner, with the rights of its task, under a permissions
    /// boundary. A subject that pins a protected branch or environment lowers the severity by one step.
    ///
    /// ## Options
    /// `own_accounts`: accounts of the user; without them only the accounts of `vendors` are outside.
    /// `deployer_roles`: roles that are meant to administer; a pinned entry to one gives a notice.
    pub(crate) static EXTERNAL_ENTRY_TO_ADMIN = Rule {
        id: "external-entry-to-admin",
        family: Family::Escalation,
        severity: Severity::Critical,
        confidence: Confidence::High,
        scope: Scope::Module,
        since: "0.1.0",
        cwe: &[269, 250],
        aliases: &[],
        mappings: &[
            ("ATT&CK", "T1199"),
            ("ATT&CK", "T1078.004"),
            ("NIST", "AC-6(5)"),
            ("NIST", "AC-6(10)"),
            ("NIST", "AC-2(7)"),
        ],
        references: &[
            "https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_providers_create_oidc.html",
            "https://pathfinding.cloud",
        ],
        check: check,
    };
}

/// A way in.
struct Door<'a> {
    role: IdentityId,
    identity: &'a Identity,
    trust: &'a PolicyDocument,
    statement: &'a Statement,
    principal: &'a Principal,
    who: &'a str,
    kind: EntryKind,
}

fn check(cx: &mut Context<'_>) {
    for door in doors(cx) {
        if is_listed(&cx.settings.break_glass, door.identity) {
            continue;
        }
        if let Some(severity) = severity(cx, &door) {
            finding(cx, &door, severity);
        }
    }
    for one in cx.access.exposed() {
        if escalate::reaches_admin(cx, one.role) {
            reached(cx, one);
        }
    }
}

/// Something that strangers reach and that runs with a strong role.
fn reached(cx: &mut Context<'_>, one: &Exposed<'_>) {
    let Some(identity) = cx.model.identity(one.role) else {
        return;
    };
    if is_listed(&cx.settings.break_glass, identity) {
        return;
    }
    let meant = is_listed(&cx.settings.deployer_roles, identity);
    let message = format!(
        "{} can become administrator: {}, and it runs with {}, {}",
        one.who,
        one.how,
        names::identity(identity),
        end(cx, one.role)
    );
    let mut report = cx
        .finding(one.place, &one.src, message)
        .cell(one.workload.place.address.as_str())
        .severity(if meant { Severity::High } else { Severity::Critical })
        .confidence(confidence(one.openness))
        .marks(one.marks)
        .when(&one.workload.role.guard)
        .related(&one.workload.role.src, "runs with the role", Some(&one.workload.place))
        .help("give it a role with the rights of its task, or let in only who signs in");
    if let Some(statement) = one.statement {
        report = report.statement(statement);
    }
    let report = with_way(cx, report, one.role, identity);
    cx.report(report);
}

fn confidence(openness: Openness) -> Confidence {
    match openness {
        Openness::Open => Confidence::High,
        Openness::Likely => Confidence::Medium,
        Openness::Possible => Confidence::Low,
    }
}

/// How strong a role is.
fn end(cx: &Context<'_>, role: IdentityId) -> &'static str {
    if escalate::is_admin(cx, role) {
        "which is administrator"
    } else {
        "which can make itself one"
    }
}

/// The sure entries to roles that are administrator or surely become it.
fn doors<'a>(cx: &Context<'a>) -> Vec<Door<'a>> {
    let graph = cx.access.graph();
    let mut found = Vec::new();
    for (at, entry) in graph.entries().iter().enumerate() {
        for edge in graph.from(Node::Entry(at)) {
            let (Node::Identity(role), Answer::Must) = (edge.to, edge.answer) else {
                continue;
            };
            let index = edge.by.iter().find_map(|one| match one.basis {
                Basis::Trust(_, index) => Some(index),
                _ => None,
            });
            let (Some(identity), Some((_, trust)), Some(index)) =
                (cx.model.identity(role), cx.access.trust(role), index)
            else {
                continue;
            };
            let Some(statement) = trust.document.statements.get(index) else {
                continue;
            };
            let fits = |principal: &&Principal| match entry.kind {
                EntryKind::Internet => {
                    principal.is_anyone() || principal.kind() == PrincipalKind::Federated
                }
                EntryKind::Account => principal
                    .account()
                    .is_some_and(|id| entry.who.ends_with(id.as_str())),
                EntryKind::Ci | EntryKind::Federated => principal.kind() == PrincipalKind::Federated,
            };
            let Some(principal) = statement.principals.iter().find(fits) else {
                continue;
            };
            if escalate::reaches_admin(cx, role) {
                found.push(Door {
                    role,
                    identity,
                    trust,
                    statement,
                    principal,
                    who: &entry.who,
                    kind: entry.kind,
                });
            }
        }
    }
    found
}

/// How bad the door is; `None` where it is the user's own, or opens for nobody.
fn severity(cx: &Context<'_>, door: &Door<'_>) -> Option<Severity> {
    let meant = is_listed(&cx.settings.deployer_roles, door.identity);
    let gated = match door.kind {
        EntryKind::Account => {
            let account = door.principal.account()?;
            if !classify(cx, &account).is_foreign() {
                return None;
            }
            false
        }
        _ if door.principal.is_anyone() => false,
        _ if door.principal.is_saml() => return None,
        _ => {
            let all = trusted(cx.model);
            let token = all.into_iter().find(|one| {
                std::ptr::eq(one.statement, door.statement) && std::ptr::eq(one.principal, door.principal)
            })?;
            // Pods of the own cluster are no strangers, unless any of them will do; nor are the users of an
            // own directory.
            if token.is_cluster() && !lets_in_namespaces(&token) {
                return None;
            }
            if !token.is_cluster() && !token.is_shared() && !token.is_pipeline() {
                return None;
            }
            match token.github_subject().filter(|_| token.is_github()) {
                Some(subject) if subject.width == Width::Nothing => return None,
                Some(subject) => subject.width == Width::Pinned,
                None => token.pins("sub"),
            }
        }
    };
    Some(match (meant, gated) {
        (true, true) => Severity::Info,
        (true, false) | (false, true) => Severity::High,
        (false, false) => Severity::Critical,
    })
}

fn finding(cx: &mut Context<'_>, door: &Door<'_>, severity: Severity) {
    let role = names::identity(door.identity);
    let who = match door.kind {
        EntryKind::Ci => format!("a job of {}", door.who),
        EntryKind::Federated => format!("whoever gets a token of {}", door.who),
        EntryKind::Account | EntryKind::Internet => door.who.to_owned(),
    };
    let end = format!("it may assume {role}, {}", end(cx, door.role));
    let report = cx
        .finding(
            &door.trust.place,
            door.principal.src(),
            format!("{who} can become administrator: {end}"),
        )
        .statement(door.statement)
        .when(door.principal.guard())
        .severity(severity)
        .help("give each pipeline or partner a role with the rights of its task, under a permissions boundary");
    let report = with_way(cx, report, door.role, door.identity);
    cx.report(report);
}

/// The steps from a role to administration, and its rights.
fn with_way(cx: &Context<'_>, report: Report, role: IdentityId, identity: &Identity) -> Report {
    let mut report = report.principal(&identity.place);
    if let Some(route) = cx.access.graph().route_to_admin(Node::Identity(role)) {
        let told = cx.access.explain(&route);
        for (number, step) in told.steps.iter().enumerate() {
            report = report.note(format!("step {}: {}", number + 2, step.text));
            report = step.path.iter().fold(report, |report, path| report.path(*path));
        }
    }
    for attached in cx.access.policies(role) {
        report = report.related(&attached.src, "its rights", attached.place.as_ref());
    }
    report
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{Scene, inline, quoted, trusting};

    const ALL: &str = r#"{"Effect":"Allow","Action":"*","Resource":"*"}"#;

    fn found(role: &str, rights: &str, own: &[&str]) -> Vec<Severity> {
        let mut scene = Scene::new()
            .resource("aws_iam_role", "r", role)
            .resource("aws_iam_role_policy", "r", &inline("r", rights));
        scene.settings.own_accounts = own.iter().map(|id| (*id).to_owned()).collect();
        scene.settings.vendors = vec![("444455556666".to_owned(), "a vendor".to_owned())];
        let found = scene.run(&EXTERNAL_ENTRY_TO_ADMIN);
        found.into_iter().map(|(_, finding)| finding.severity).collect()
    }

    #[test]
    fn accounts_are_outside_if_that_is_known() {
        let account = |id: &str| trusting("r", &format!(r#"{{"AWS":"{id}"}}"#));
        assert_eq!(found(&account("444455556666"), ALL, &[]), [Severity::Critical]);
        assert_eq!(found(&account("111122223333"), ALL, &[]), []);
        assert_eq!(found(&account("111122223333"), ALL, &["999999999999"]), [Severity::Critical]);
        assert_eq!(found(&account("111122223333"), ALL, &["111122223333"]), []);
        let read = r#"{"Effect":"Allow","Action":"s3:GetObject","Resource":"*"}"#;
        assert_eq!(found(&account("444455556666"), read, &[]), []);
    }

    #[test]
    fn a_pinned_subject_is_one_step_better() {
        let role = |subject: &str| {
            let hub = "token.actions.githubusercontent.com";
            let trust = format!(
                r#"{{"Effect":"Allow","Action":"sts:AssumeRoleWithWebIdentity",
                "Principal":{{"Federated":"arn:aws:iam::111122223333:oidc-provider/{hub}"}},
                "Condition":{{"StringLike":{{"{hub}:sub":"{subject}","{hub}:aud":"sts.amazonaws.com"}}}}}}"#
            );
            format!(r#"{{"name":"r","assume_role_policy":{}}}"#, quoted(&trust))
        };
        assert_eq!(found(&role("repo:acme/shop:environment:prod"), ALL, &[]), [Severity::High]);
        assert_eq!(found(&role("repo:acme/shop:*"), ALL, &[]), [Severity::Critical]);
        assert_eq!(found(&role("repo:acme/shop"), ALL, &[]), [], "no token has that subject");
    }
}
