//! `effectively-star-resource`: a resource that looks named and means every one.

use crate::grants;
use crate::{Context, Family, Scope};
use overgrant_catalog::{Action, ResourceType};
use overgrant_finding::{Confidence, Severity};
use overgrant_policy::{Answer, Effect, ResourcePattern};
use std::collections::BTreeSet;

rule! {
    /// Resource is written as an ARN and means every resource of its type.
    ///
    /// `arn:aws:s3:::*`, `arn:*:iam::*:role/*` and the like cover all that `*` covers for the actions of
    /// the statement. Every rule about breadth takes them for `*`; this one speaks where no other has a
    /// reason to.
    ///
    /// ## Why
    /// The statement reads as if it were limited, and nobody looks twice.
    ///
    /// ## Bad
    /// ```terraform bad
    /// resource "aws_iam_policy" "list" {
    ///   name = "list"
    ///   policy = jsonencode({
    ///     Version = "2012-10-17"
    ///     Statement = [{
    ///       Effect   = "Allow"
    ///       Action   = "s3:GetBucketTagging"
    ///       Resource = "arn:aws:s3:::*" # <-- here
    ///     }]
    ///   })
    /// }
    /// ```
    /// ```cloudformation bad
    /// Resources:
    ///   Look:
    ///     Type: AWS::IAM::ManagedPolicy
    ///     Properties:
    ///       PolicyDocument:
    ///         Version: "2012-10-17"
    ///         Statement:
    ///           - Effect: Allow
    ///             Action: iam:GetRole
    ///             Resource: !Sub arn:aws:iam::${AWS::AccountId}:role/* # <-- here
    /// ```
    /// The same as a policy document of Terraform:
    /// ```terraform bad
    /// data "aws_iam_policy_document" "list" {
    ///   statement {
    ///     actions   = ["s3:GetBucketTagging"]
    ///     resources = ["arn:aws:s3:::*"] # <-- here
    ///   }
    /// }
    /// resource "aws_iam_policy" "list" {
    ///   name = "list"
    ///   policy = data.aws_iam_policy_document.list.json
    /// }
    /// ```
    /// ## Good
    /// A name or path in front of the wildcard limits:
    /// ```terraform good
    /// resource "aws_iam_policy" "list" {
    ///   name = "list"
    ///   policy = jsonencode({
    ///     Version = "2012-10-17"
    ///     Statement = [
    ///       { Effect = "Allow", Action = "s3:GetBucketTagging", Resource = "arn:aws:s3:::acme-*" },
    ///       { Effect = "Allow", Action = "iam:GetRole", Resource = "arn:aws:iam::111122223333:role/team/*" },
    ///     ]
    ///   })
    /// }
    /// ```
    /// A plain `*` is what other rules judge:
    /// ```cloudformation good
    /// Resources:
    ///   Look:
    ///     Type: AWS::IAM::ManagedPolicy
    ///     Properties:
    ///       PolicyDocument:
    ///         Version: "2012-10-17"
    ///         Statement:
    ///           - Effect: Allow
    ///             Action: iam:GetRole
    ///             Resource: "*"
    /// ```
    /// So does a name with a beginning in the last part:
    /// ```terraform good
    /// resource "aws_iam_policy" "list" {
    ///   name = "list"
    ///   policy = jsonencode({
    ///     Version = "2012-10-17"
    ///     Statement = [
    ///       { Effect = "Allow", Action = "sqs:GetQueueAttributes", Resource = "arn:aws:sqs:*:111122223333:shop-*" },
    ///       { Effect = "Allow", Action = "dynamodb:DescribeTable", Resource = "arn:aws:dynamodb:*:*:table/shop-*" },
    ///     ]
    ///   })
    /// }
    /// ```
    /// ## How to fix
    /// Name the resource, and write the account into its ARN.
    pub(crate) static EFFECTIVELY_STAR_RESOURCE = Rule {
        id: "effectively-star-resource",
        family: Family::Grant,
        severity: Severity::Low,
        confidence: Confidence::High,
        scope: Scope::Module,
        since: "0.1.0",
        cwe: &[269],
        aliases: &["AWS-0057", "RESOURCE_EFFECTIVELY_STAR"],
        mappings: &[("NIST", "AC-6"), ("ATT&CK", "T1078.004")],
        references: &["https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_resource.html"],
        check: check,
    };
}

fn check(cx: &mut Context<'_>) {
    for grant in grants::grants(cx) {
        let statement = grant.statement;
        let listed = statement.resources.listed();
        if statement.effect != Effect::Allow
            || listed.negated
            || statement.resources.star().is_some()
            || !listed.items.iter().any(|item| item.pattern().has_wildcard())
            || grant.is_narrowed()
        {
            continue;
        }
        let granted = grant.granted();
        // Nothing can be named for the others; those of the same resource types are alike.
        let mut tried = BTreeSet::new();
        let mut scopable = granted
            .actions()
            .filter(|action| !action.is_wildcard_only())
            .filter(|action| tried.insert(types(*action)));
        let found = scopable.find_map(|action| {
            let star = statement.resources.star_for(action.id());
            let severity = if star.all() == Answer::Must {
                Severity::Low
            } else if star.regional() == Answer::Must {
                Severity::Info
            } else {
                return None;
            };
            Some((action, severity))
        });
        let Some((action, severity)) = found else { continue };
        let Some(item) = wide_item(&listed.items, action) else { continue };
        let text = format!(
            "{} use `{action}` on every resource of its type: `{item}` names none",
            grant.subject()
        );
        let report = cx
            .finding(&grant.document.place, item.pattern().src(), text)
            .severity(severity)
            .marks(item.pattern().marks())
            .help("name the resource");
        let report = grant.describe(report);
        cx.report(report);
    }
}

/// The formats of the resources that an action knows.
fn types(action: Action<'_>) -> Vec<&str> {
    action
        .resources()
        .filter_map(|resource| resource.resource_type())
        .flat_map(ResourceType::arn_patterns)
        .collect()
}

/// The member that means every resource of the action's type.
fn wide_item<'a>(items: &'a [ResourcePattern], action: Action<'_>) -> Option<&'a ResourcePattern> {
    let own = |item: &&ResourcePattern| {
        let service = item.literals().and_then(|arn| arn.service);
        service.is_none_or(|service| service == action.service().prefix())
    };
    items
        .iter()
        .filter(own)
        .find(|item| item.pattern().has_wildcard())
}
