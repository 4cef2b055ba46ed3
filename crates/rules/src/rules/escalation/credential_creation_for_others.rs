//! `credential-creation-for-others`: keys and passwords for other users.

use crate::grants::{self, Grant};
use crate::{Context, Family, Scope, escalate, fixes, names};
use overgrant_catalog::{Action, catalog};
use overgrant_finding::{Confidence, Severity};
use overgrant_ir::{Identity, IdentityKind};
use overgrant_policy::{Answer, Effect, Statement, Test};

rule! {
    /// Principal can make credentials for other users.
    ///
    /// The statement allows creating access keys, passwords or other long-lived credentials of IAM users
    /// other than the caller. It is a notice where the whole account is described (`scope: account`), no user
    /// is among it, and nobody may create one.
    ///
    /// ## Why
    /// Whoever makes a key for a user acts as that user from then on, with all its rights, and keeps the
    /// access after the first hole is closed.
    ///
    /// ## Bad
    /// ```terraform bad
    /// resource "aws_iam_role" "helpdesk" {
    ///   name = "helpdesk"
    ///   assume_role_policy = jsonencode({
    ///     Version   = "2012-10-17"
    ///     Statement = [{ Effect = "Allow", Action = "sts:AssumeRole", Principal = { Service = "lambda.amazonaws.com" } }]
    ///   })
    /// }
    /// resource "aws_iam_role_policy" "helpdesk" {
    ///   role = aws_iam_role.helpdesk.name
    ///   policy = jsonencode({
    ///     Version = "2012-10-17"
    ///     Statement = [{
    ///       Effect   = "Allow"
    ///       Action   = ["iam:UpdateLoginProfile", "iam:CreateAccessKey"]
    ///       Resource = "*" # <-- here
    ///     }]
    ///   })
    /// }
    /// ```
    /// ```cloudformation bad
    /// Resources:
    ///   Helpdesk:
    ///     Type: AWS::IAM::ManagedPolicy
    ///     Properties:
    ///       PolicyDocument:
    ///         Version: "2012-10-17"
    ///         Statement:
    ///           - Effect: Allow
    ///             Action: iam:CreateAccessKey
    ///             Resource: !Sub arn:${AWS::Partition}:iam::${AWS::AccountId}:user/* # <-- here
    /// ```
    /// A tag that the principal may set itself narrows nothing:
    /// ```terraform bad
    /// resource "aws_iam_user" "manager" {
    ///   name = "manager"
    /// }
    /// resource "aws_iam_user_policy" "keys" {
    ///   name = "keys"
    ///   user = aws_iam_user.manager.name
    ///   policy = jsonencode({
    ///     Version = "2012-10-17"
    ///     Statement = [{
    ///       Effect    = "Allow"
    ///       Action    = "iam:CreateAccessKey"
    ///       Resource  = "arn:aws:iam::*:user/*" # <-- here
    ///       Condition = { StringEquals = { "aws:ResourceTag/team" = "web" } }
    ///     }]
    ///   })
    /// }
    /// resource "aws_iam_user_policy" "tags" {
    ///   name = "tags"
    ///   user = aws_iam_user.manager.name
    ///   policy = jsonencode({
    ///     Version   = "2012-10-17"
    ///     Statement = [{ Effect = "Allow", Action = "iam:TagUser", Resource = "*" }]
    ///   })
    /// }
    /// ```
    /// The same as JSON:
    /// ```terraform bad
    /// resource "aws_iam_role" "helpdesk" {
    ///   name = "helpdesk"
    ///   assume_role_policy = jsonencode({
    ///     Version   = "2012-10-17"
    ///     Statement = [{ Effect = "Allow", Action = "sts:AssumeRole", Principal = { Service = "lambda.amazonaws.com" } }]
    ///   })
    /// }
    /// resource "aws_iam_role_policy" "helpdesk" {
    ///   role = aws_iam_role.helpdesk.name
    ///   policy = <<-JSON
    ///     {
    ///       "Version": "2012-10-17",
    ///       "Statement": [
    ///         {
    ///           "Effect": "Allow",
    ///           "Action": ["iam:UpdateLoginProfile", "iam:CreateAccessKey"],
    ///           "Resource": "*" # <-- here
    ///         }
    ///       ]
    ///     }
    ///   JSON
    /// }
    /// ```
    /// ## Good
    /// ```terraform good
    /// resource "aws_iam_policy" "own_keys" {
    ///   name = "own-keys"
    ///   policy = jsonencode({
    ///     Version = "2012-10-17"
    ///     Statement = [{
    ///       Effect   = "Allow"
    ///       Action   = ["iam:CreateAccessKey", "iam:DeleteAccessKey"]
    ///       Resource = "arn:aws:iam::*:user/$${aws:username}"
    ///     }]
    ///   })
    /// }
    /// ```
    /// ```cloudformation good
    /// Resources:
    ///   OwnKeys:
    ///     Type: AWS::IAM::ManagedPolicy
    ///     Properties:
    ///       PolicyDocument:
    ///         Version: "2012-10-17"
    ///         Statement:
    ///           - Effect: Allow
    ///             Action: [iam:CreateAccessKey, iam:DeleteAccessKey]
    ///             Resource: arn:aws:iam::*:user/${aws:username}
    /// ```
    /// A tag that others set narrows:
    /// ```terraform good
    /// resource "aws_iam_policy" "team_keys" {
    ///   name = "team-keys"
    ///   policy = jsonencode({
    ///     Version = "2012-10-17"
    ///     Statement = [{
    ///       Effect    = "Allow"
    ///       Action    = "iam:CreateAccessKey"
    ///       Resource  = "arn:aws:iam::*:user/*"
    ///       Condition = { StringEquals = { "aws:ResourceTag/team" = "web" } }
    ///     }]
    ///   })
    /// }
    /// ```
    /// The account has no users, and none can be created:
    /// ```terraform good at:info scope:module,account
    /// resource "aws_iam_role" "helpdesk" {
    ///   name = "helpdesk"
    ///   assume_role_policy = jsonencode({
    ///     Version   = "2012-10-17"
    ///     Statement = [{ Effect = "Allow", Action = "sts:AssumeRole", Principal = { Service = "lambda.amazonaws.com" } }]
    ///   })
    /// }
    /// resource "aws_iam_role_policy" "helpdesk" {
    ///   role = aws_iam_role.helpdesk.name
    ///   policy = jsonencode({
    ///     Version   = "2012-10-17"
    ///     Statement = [{ Effect = "Allow", Action = "iam:CreateAccessKey", Resource = "*" }]
    ///   })
    /// }
    /// ```
    /// ## How to fix
    /// Limit the statement to `user/${aws:username}`, and let people use roles in place of users.
    pub(crate) static CREDENTIAL_CREATION_FOR_OTHERS = Rule {
        id: "credential-creation-for-others",
        family: Family::Escalation,
        severity: Severity::High,
        confidence: Confidence::High,
        scope: Scope::Module,
        since: "0.1.0",
        cwe: &[269, 250],
        aliases: &[],
        mappings: &[
            ("ATT&CK", "T1098.001"),
            ("NIST", "AC-6(5)"),
            ("NIST", "AC-6(10)"),
            ("NIST", "AC-2(7)"),
        ],
        references: &[
            "https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_examples_iam_credentials_console.html",
            "https://pathfinding.cloud",
        ],
        check: check,
    };
}

/// The actions, each with the path it belongs to.
const CREATES: [(&str, &str); 8] = [
    ("iam:CreateAccessKey", "PE-IAM-002"),
    ("iam:CreateLoginProfile", "PE-IAM-004"),
    ("iam:UpdateLoginProfile", "PE-IAM-006"),
    ("iam:CreateServiceSpecificCredential", "PE-IAM-SSC"),
    ("iam:ResetServiceSpecificCredential", "PE-IAM-SSC"),
    ("iam:UploadSSHPublicKey", "PE-IAM-SSHKEY"),
    ("iam:UploadSigningCertificate", ""),
    ("iam:UpdateAccessKey", "PE-IAM-KEY-REACTIVATE"),
];

/// The first three of [`CREATES`] give all rights of the user; the others those for one service.
const WHOLE: usize = 3;

/// The last of [`CREATES`] makes nothing, and is worth something to who has the secret of a disabled key.
const REVIVES: usize = CREATES.len() - 1;

fn check(cx: &mut Context<'_>) {
    let grants = grants::grants(cx);
    let nobody = nobody_to_be(cx, &grants);
    for grant in grants {
        let statement = grant.statement;
        if statement.effect != Effect::Allow
            || statement.actions.covers_all() == Answer::Must
            || grant.is_narrowed() && !by_own_tags(cx, &grant)
        {
            continue;
        }
        let hits: Vec<(usize, Action<'_>, &str)> = CREATES
            .iter()
            .enumerate()
            .filter(|(_, (action, _))| statement.actions.select(action) == Answer::Must)
            .filter_map(|(rank, (action, path))| Some((rank, catalog().find_action(action)?, *path)))
            .filter(|(_, action, _)| grant.leaves(*action))
            .collect();
        let Some((rank, first, _)) = hits.first().copied() else {
            continue;
        };
        let target = if grant.wide(first).is_some() {
            strongest(cx).map_or_else(
                || "every user".to_owned(),
                |user| format!("every user, the administrator `{}` among them", names::plain(user)),
            )
        } else {
            match other_user(cx, &grant) {
                Some(user) => format!("user `{}`", names::plain(user)),
                None => continue,
            }
        };
        let actions: Vec<Action<'_>> = hits.iter().map(|(_, action, _)| *action).collect();
        let deed = format!("make credentials of {target} with {}", grants::list_actions(&actions));
        let mut report = grant
            .finding(cx, &grant.wide_src(first), deed)
            .help("limit the statement to user/${aws:username}")
            .fix(fixes::own_user(statement).filter(|_| is_meant_for_oneself(statement)));
        if grant.is_narrowed() {
            report = report.note(format!("what the condition asks for it may set itself, with {TAG}"));
        }
        if rank == REVIVES {
            report = report
                .severity(Severity::Low)
                .note("only who has the secret of a disabled key gains by it");
        } else if rank >= WHOLE {
            report = report
                .severity(Severity::Medium)
                .note("these credentials open single services only");
        }
        if nobody {
            report = report
                .severity(Severity::Info)
                .note("the account has no user, and nobody may create one");
        }
        let mut report = grant
            .describe(report)
            .related(&grant.action_src(first), "these actions", None);
        let mut paths: Vec<&str> = hits.iter().map(|(_, _, path)| *path).collect();
        paths.dedup();
        for path in paths.into_iter().filter(|path| !path.is_empty()) {
            report = report.path(path);
        }
        cx.report(report);
    }
}

/// The action that gives a user any tag.
const TAG: &str = "iam:TagUser";

/// Whether the conditions ask for nothing but tags of the user, and every holder may give these to all
/// users. Source: IAM, "Controlling access to IAM resources with tags".
fn by_own_tags(cx: &Context<'_>, grant: &Grant<'_>) -> bool {
    let conditions = &grant.statement.conditions;
    let on_tags = conditions.items.iter().all(|condition| {
        let tag = |key: String| {
            key.starts_with("aws:resourcetag/") || key.starts_with("iam:resourcetag/")
        };
        condition.key.spelling().is_some_and(tag)
            && !condition.operator.is_negated()
            && condition.operator.test == Test::StringEquals
    });
    let Some(tag) = catalog().action_id(TAG) else {
        return false;
    };
    let mut holders = grant.holders.iter();
    on_tags
        && !conditions.open
        && !grant.holders.is_empty()
        && holders.all(|holder| cx.access.actions_on_everything(holder.id).contains(tag))
}

/// Whether the statement is for users who manage their own credentials, by what else it allows or by its
/// name.
fn is_meant_for_oneself(statement: &Statement) -> bool {
    let name = statement.name().to_ascii_lowercase();
    statement.actions.select("iam:ChangePassword") == Answer::Must
        || ["own", "self"].iter().any(|word| name.contains(word))
}

/// Whether the code describes the whole account, has no user in it, and lets nobody create one.
fn nobody_to_be(cx: &Context<'_>, grants: &[Grant<'_>]) -> bool {
    const CREATE: &str = "iam:CreateUser";
    if !cx.settings.speaks(Scope::Account) || cx.model.of_kind(IdentityKind::User).next().is_some() {
        return false;
    }
    let open = |grant: &Grant<'_>| {
        grant.holders.is_empty()
            && grant.statement.actions.select(CREATE).possible()
            && catalog().find_action(CREATE).is_none_or(|create| grant.leaves(create))
    };
    !grants.iter().any(open)
        && !escalate::callers(cx).any(|(id, _)| cx.access.allows(id, CREATE, None).answer.possible())
}

/// A user of the model that is or can become administrator.
fn strongest<'a>(cx: &Context<'a>) -> Option<&'a Identity> {
    let model = cx.model;
    model
        .of_kind(IdentityKind::User)
        .find(|(id, _)| escalate::reaches_admin(cx, *id))
        .map(|(_, user)| user)
}

/// A user of the model that the statement names and that does not hold it.
fn other_user<'a>(cx: &Context<'a>, grant: &Grant<'_>) -> Option<&'a Identity> {
    let model = cx.model;
    model
        .of_kind(IdentityKind::User)
        .map(|(_, user)| user)
        .filter(|user| {
            !grant
                .holders
                .iter()
                .any(|holder| holder.identity.place.address == user.place.address)
        })
        .find(|user| grant.statement.resources.select(&user.arn) == Answer::Must)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::Scene;

    fn found(action: &str, resource: &str) -> Vec<Severity> {
        Scene::new()
            .statements(&format!(
                r#"{{"Effect":"Allow","Action":"{action}","Resource":"{resource}"}}"#
            ))
            .run(&CREDENTIAL_CREATION_FOR_OTHERS)
            .into_iter()
            .map(|(_, finding)| finding.severity)
            .collect()
    }

    #[test]
    fn own_credentials_are_fine() {
        assert_eq!(found("iam:CreateAccessKey", "arn:aws:iam::*:user/${aws:username}"), []);
        assert_eq!(found("iam:*AccessKey*", "*"), [Severity::High]);
        assert_eq!(found("iam:UploadSSHPublicKey", "*"), [Severity::Medium]);
        assert_eq!(found("iam:UploadSigningCertificate", "*"), [Severity::Medium]);
        assert_eq!(found("iam:UpdateAccessKey", "*"), [Severity::Low]);
        assert_eq!(found("iam:ListAccessKeys", "*"), []);
        assert_eq!(found("iam:CreateAccessKey", "arn:aws:iam::*:user/mail/*"), []);
    }

    #[test]
    fn who_may_create_a_user_can_be_one() {
        let found = |more: &str| {
            let mut scene = Scene::new().statements(&format!(
                r#"{{"Effect":"Allow","Action":["iam:CreateAccessKey"{more}],"Resource":"*"}}"#
            ));
            scene.settings.scopes = vec![Scope::Module, Scope::Account];
            scene.run(&CREDENTIAL_CREATION_FOR_OTHERS)[0].1.severity
        };
        assert_eq!(found(""), Severity::Info);
        assert_eq!(found(r#","iam:CreateUser""#), Severity::High);
    }

    #[test]
    fn a_user_of_the_model_counts() {
        let found = Scene::new()
            .resource("aws_iam_user", "mail", r#"{"name":"mail","path":"/svc/"}"#)
            .statements(
                r#"{"Effect":"Allow","Action":"iam:CreateAccessKey","Resource":"arn:aws:iam::*:user/svc/*"}"#,
            )
            .run(&CREDENTIAL_CREATION_FOR_OTHERS);
        assert!(found[0].1.message.contains("user `mail`"), "{}", found[0].1.message);
    }
}
