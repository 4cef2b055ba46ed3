//! `condition-key-unknown-or-unsupported`: A condition tests a key that does not exist or that its actions never carry.

use crate::grants::list_actions;
use crate::names;
use crate::{Context, Family, Scope};
use overgrant_catalog::{Action, KeyScope, catalog};
use overgrant_finding::{Confidence, Severity};
use overgrant_ir::PolicyDocument;
use overgrant_policy::{Condition, Effect, Statement};
use std::cmp::Reverse;
use std::collections::BTreeMap;

rule! {
    /// A condition tests a key that does not exist or that its actions never carry.
    ///
    /// The key is in no list of AWS for its service, or no action of the statement supports it, so that no
    /// request ever has it.
    ///
    /// ## Why
    /// An Allow then grants nothing. A Deny never fires, and a negated or `IfExists` test always holds: the
    /// guardrail is not there.
    ///
    /// ## Bad
    /// ```terraform bad
    /// resource "aws_iam_policy" "p" {
    ///   name = "regions"
    ///   policy = jsonencode({
    ///     Version = "2012-10-17"
    ///     Statement = [{
    ///       Effect    = "Deny"
    ///       Action    = "ec2:*"
    ///       Resource  = "*"
    ///       Condition = { StringEquals = { "aws:RequestRegion" = "us-east-1" } } # <-- here
    ///     }]
    ///   })
    /// }
    /// ```
    /// ```cloudformation bad
    /// Resources:
    ///   P:
    ///     Type: AWS::IAM::ManagedPolicy
    ///     Properties:
    ///       PolicyDocument:
    ///         Version: "2012-10-17"
    ///         Statement:
    ///           - Effect: Allow
    ///             Action: s3:GetObject
    ///             Resource: arn:aws:s3:::acme-data/*
    ///             Condition:
    ///               StringEquals:
    ///                 iam:PassedToService: lambda.amazonaws.com # <-- here
    /// ```
    /// The same as a policy document of Terraform:
    /// ```terraform bad
    /// data "aws_iam_policy_document" "p" {
    ///   statement {
    ///     effect    = "Deny"
    ///     actions   = ["ec2:*"]
    ///     resources = ["*"]
    ///     condition {
    ///       test     = "StringEquals"
    ///       variable = "aws:RequestRegion" # <-- here
    ///       values   = ["us-east-1"]
    ///     }
    ///   }
    /// }
    /// resource "aws_iam_policy" "p" {
    ///   name = "regions"
    ///   policy = data.aws_iam_policy_document.p.json
    /// }
    /// ```
    /// ## Good
    /// ```terraform good
    /// resource "aws_iam_policy" "p" {
    ///   name = "regions"
    ///   policy = jsonencode({
    ///     Version = "2012-10-17"
    ///     Statement = [{
    ///       Effect    = "Deny"
    ///       Action    = "ec2:*"
    ///       Resource  = "*"
    ///       Condition = { StringNotEquals = { "aws:requestedregion" = "eu-west-1" } }
    ///     }]
    ///   })
    /// }
    /// ```
    /// An action beside those that know the key gets nothing, which is a note:
    /// ```cloudformation good at:info
    /// Resources:
    ///   P:
    ///     Type: AWS::IAM::ManagedPolicy
    ///     Properties:
    ///       PolicyDocument:
    ///         Version: "2012-10-17"
    ///         Statement:
    ///           - Effect: Allow
    ///             Action: [iam:PassRole, lambda:UpdateFunctionConfiguration]
    ///             Resource:
    ///               - arn:aws:iam::111122223333:role/shop
    ///               - arn:aws:lambda:eu-west-1:111122223333:function:shop
    ///             Condition:
    ///               StringEquals:
    ///                 iam:PassedToService: lambda.amazonaws.com
    /// ```
    /// Claims of an issuer and tags have any name:
    /// ```terraform good
    /// resource "aws_iam_role" "ci" {
    ///   name = "ci"
    ///   assume_role_policy = jsonencode({
    ///     Version = "2012-10-17"
    ///     Statement = [{
    ///       Effect    = "Allow"
    ///       Action    = "sts:AssumeRoleWithSAML"
    ///       Principal = { Federated = "arn:aws:iam::111122223333:saml-provider/corp" }
    ///       Condition = { StringEquals = { "SAML:aud" = "https://signin.aws.amazon.com/saml", "SAML:iss" = "https://idp.example.com" } }
    ///     }]
    ///   })
    /// }
    /// resource "aws_iam_policy" "p" {
    ///   name = "team"
    ///   policy = jsonencode({
    ///     Version = "2012-10-17"
    ///     Statement = [{
    ///       Effect    = "Allow"
    ///       Action    = "ec2:StopInstances"
    ///       Resource  = "arn:aws:ec2:eu-west-1:111122223333:instance/*"
    ///       Condition = { StringEquals = { "ec2:ResourceTag/team" = "shop", "aws:PrincipalTag/team" = "shop" } }
    ///     }]
    ///   })
    /// }
    /// ```
    /// Keys of policies that AWS keeps exist, though no list names them:
    /// ```terraform good
    /// resource "aws_iam_policy" "assign" {
    ///   name = "assign"
    ///   policy = jsonencode({
    ///     Version = "2012-10-17"
    ///     Statement = [{
    ///       Effect    = "Allow"
    ///       Action    = "iam:GetRole"
    ///       Resource  = "arn:aws:iam::*:role/aws-reserved/sso.amazonaws.com/*"
    ///       Condition = { StringEquals = { "aws:PrincipalOrgMasterAccountId" = "$${aws:PrincipalAccount}" } }
    ///     }]
    ///   })
    /// }
    /// ```
    /// ## How to fix
    /// Use the key's exact name, and put actions that do not support it into a statement of their own.
    pub(crate) static CONDITION_KEY_UNKNOWN_OR_UNSUPPORTED = Rule {
        id: "condition-key-unknown-or-unsupported",
        family: Family::Condition,
        severity: Severity::Medium,
        confidence: Confidence::High,
        scope: Scope::Module,
        since: "0.1.0",
        cwe: &[697],
        aliases: &["UNKNOWN_CONDITION_FOR_ACTION"],
        mappings: &[("NIST", "AC-3(7)"), ("NIST", "AC-16"), ("ATT&CK", "T1548")],
        references: &["https://docs.aws.amazon.com/service-authorization/latest/reference/reference_policies_actions-resources-contextkeys.html"],
        check: check,
    };
}

/// Keys that are in use and in no list.
const UNLISTED: [&str; 6] = [
    "aws:sourceowner",
    "s3:x-amz-content-sha256",
    "s3:signatureage",
    "aws:arn",
    // In policies that AWS keeps.
    "aws:principalorgmasteraccountid",
    "lakeformation:gluearn",
];

fn check(cx: &mut Context<'_>) {
    let model = cx.model;
    for document in &model.documents {
        for statement in &document.document.statements {
            let mut told: BTreeMap<String, Vec<&Condition>> = BTreeMap::new();
            for condition in &statement.conditions.items {
                if let Some(key) = condition.key.spelling() {
                    told.entry(key.to_string()).or_default().push(condition);
                }
            }
            for (key, tests) in told {
                // The worst test of a key leads: its name is one mistake.
                let Some(condition) = tests
                    .iter()
                    .max_by_key(|one| (severity(statement, one), Reverse(one.key.src().span)))
                else {
                    continue;
                };
                let Some(problem) = problem(&key, statement) else {
                    uncovered(cx, document, statement, condition);
                    continue;
                };
                let written = &condition.key;
                let what = names::document(document);
                let message = match problem {
                    Problem::Unknown => format!("condition key `{written}` in {what} does not exist"),
                    Problem::Unsupported => {
                        format!("no action of the statement in {what} supports condition key `{written}`")
                    }
                };
                let mut report = cx
                    .finding(&document.place, written.src(), message)
                    .statement(statement)
                    .when(&condition.guard)
                    .severity(severity(statement, condition))
                    .label(consequence(statement, condition));
                match (problem, catalog().suggest_condition_key(&key)) {
                    (Problem::Unknown, Some(near)) => report = report.help(format!("did you mean {near}?")),
                    // It may be younger than the data.
                    (Problem::Unknown, None) => {
                        report = report
                            .confidence(Confidence::Medium)
                            .note(format!("AWS data of {}", catalog().date()));
                    }
                    (Problem::Unsupported, _) => {}
                }
                for other in tests.iter().filter(|one| !std::ptr::eq(**one, *condition)) {
                    report = report.related(other.key.src(), "and here", None);
                }
                cx.report(report);
            }
        }
    }
}

/// Notes the actions of an Allow that get nothing, since the key is one of another service.
fn uncovered(cx: &mut Context<'_>, document: &PolicyDocument, statement: &Statement, condition: &Condition) {
    let known = condition.key.spelling().and_then(|key| catalog().condition_key(&key));
    let Some(key) = known.filter(|key| key.scope() == KeyScope::Service) else {
        return;
    };
    let actions = statement.actions.must();
    let sure = statement.effect == Effect::Allow
        && !holds(condition)
        && !statement.actions.listed().negated
        && !statement.actions.listed().open
        && actions == statement.actions.may();
    let prefix = key.name().split(':').next().unwrap_or_default();
    let of_another = |action: &Action<'_>| {
        action.service().prefix() != prefix && !supports(*action, key.name())
    };
    // A pattern that takes in others too is meant for those.
    let items = statement.actions.listed().items.iter().filter(|_| sure);
    let dead: Vec<Action<'_>> = items
        .map(|item| item.set())
        .filter(|set| set.actions().all(|action| of_another(&action)))
        .flat_map(|set| set.actions().collect::<Vec<_>>())
        .collect();
    if dead.is_empty() {
        return;
    }
    let report = cx
        .finding(
            &document.place,
            condition.key.src(),
            format!(
                "condition key `{}` in {} takes {} away, which do not know it",
                condition.key,
                names::document(document),
                list_actions(&dead)
            ),
        )
        .statement(statement)
        .when(&condition.guard)
        .severity(Severity::Info)
        .help("put them into a statement without this condition");
    cx.report(report);
}

/// Whether the data lists the key for the action, or for a type of resource that it acts on.
fn supports(action: Action<'_>, name: &str) -> bool {
    let is = |key: &str| key.eq_ignore_ascii_case(name);
    action.condition_keys().any(is)
        || action.resources().any(|resource| {
            resource.condition_keys().any(is)
                || resource.resource_type().is_some_and(|kind| kind.condition_keys().any(is))
        })
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Problem {
    Unknown,
    Unsupported,
}

fn problem(key: &str, statement: &Statement) -> Option<Problem> {
    let (prefix, _) = key.split_once(':')?;
    // Claims of identity providers have lists of their own.
    let claims = prefix.contains(['.', '/']) || prefix == "saml" || prefix.is_empty();
    if claims || UNLISTED.contains(&key) {
        return None;
    }
    let known = catalog().condition_key(key);
    let Some(known) = known else {
        let service = prefix == "aws" || catalog().service(prefix).is_some();
        return (service && !is_tag(key)).then_some(Problem::Unknown);
    };
    if known.scope() != KeyScope::Service {
        return None;
    }
    let actions = statement.actions.must();
    if statement.actions.listed().negated
        || statement.actions.listed().open
        || actions.is_empty()
        || actions != statement.actions.may()
    {
        return None;
    }
    let name = known.name();
    let supported = actions.actions().any(|action| supports(action, name));
    // The lists of a service are not always complete: only another service's key is sure.
    let own = actions
        .actions()
        .any(|action| action.name().split(':').next() == Some(prefix) || action.service().prefix() == prefix);
    (!supported && !own).then_some(Problem::Unsupported)
}

/// Whether the key is one of a family told apart behind a slash (`…:ResourceTag/team`), of which
/// the lists name some with a stand-in.
fn is_tag(key: &str) -> bool {
    key.split_once('/').is_some_and(|(family, _)| {
        catalog().condition_keys().any(|known| {
            known
                .name()
                .split_once('/')
                .is_some_and(|(name, _)| name.eq_ignore_ascii_case(family))
        })
    })
}

/// Whether the test holds although the key is never there.
fn holds(condition: &Condition) -> bool {
    condition.operator.holds_without_key()
}

fn severity(statement: &Statement, condition: &Condition) -> Severity {
    match (statement.effect, holds(condition)) {
        (Effect::Deny, false) | (Effect::Allow, true) => Severity::High,
        _ => Severity::Medium,
    }
}

fn consequence(statement: &Statement, condition: &Condition) -> &'static str {
    match (statement.effect, holds(condition)) {
        (Effect::Deny, false) => "so the Deny never fires",
        (Effect::Deny, true) => "so the Deny always fires",
        (_, false) => "so the statement grants nothing",
        (_, true) => "so the condition always holds",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use overgrant_policy::managed_document;

    #[test]
    fn keys_in_policies_of_aws_exist() {
        let mut unknown: Vec<String> = Vec::new();
        for policy in catalog().managed_policies() {
            for statement in &managed_document(policy).statements {
                for condition in &statement.conditions.items {
                    let Some(key) = condition.key.spelling() else {
                        continue;
                    };
                    let in_context = key.starts_with("kms:encryptioncontext:");
                    if !in_context && problem(&key, statement) == Some(Problem::Unknown) {
                        unknown.push(key.to_string());
                    }
                }
            }
        }
        unknown.sort();
        unknown.dedup();
        assert_eq!(unknown, Vec::<String>::new());
    }
}
