//! `external-entry-to-admin`: administration for somebody outside.

use crate::accounts::classify;
use crate::escalate;
use crate::federation::{Width, trusted};
use crate::listed::is_listed;
use crate::{Context, Family, Scope, names};
use overgrant_access::graph::{Basis, EntryKind, Node};
use overgrant_finding::{Confidence, Severity};
use overgrant_ir::{Identity, IdentityId, PolicyDocument};
use overgrant_policy::{Answer, Principal, PrincipalKind, Statement};

rule! {
    /// Somebody outside can become administrator.
    ///
    /// A trust policy lets in another account, jobs of a CI system or anybody, and from the role that they get
    /// certain steps lead to administration; often there is none to take.
    ///
    /// ## Why
    /// Whoever controls the account, the repository or the pipeline controls the whole account, and what happens
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
            // Pods of the own cluster are no strangers, nor are the users of an own directory.
            if token.is_cluster() || !token.is_shared() && !token.is_pipeline() {
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
    let end = if escalate::is_admin(cx, door.role) {
        format!("it may assume {role}, which is administrator")
    } else {
        format!("it may assume {role}, which can make itself one")
    };
    let mut report = cx
        .finding(
            &door.trust.place,
            door.principal.src(),
            format!("{who} can become administrator: {end}"),
        )
        .statement(door.statement)
        .when(door.principal.guard())
        .severity(severity)
        .principal(&door.identity.place)
        .help("give each pipeline or partner a role with the rights of its task, under a permissions boundary");
    if let Some(route) = cx.access.graph().route_to_admin(Node::Identity(door.role)) {
        let told = cx.access.explain(&route);
        for (number, step) in told.steps.iter().enumerate() {
            report = report.note(format!("step {}: {}", number + 2, step.text));
            report = step.path.iter().fold(report, |report, path| report.path(*path));
        }
    }
    for attached in cx.access.policies(door.role) {
        report = report.related(&attached.src, "its rights", attached.place.as_ref());
    }
    cx.report(report);
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
