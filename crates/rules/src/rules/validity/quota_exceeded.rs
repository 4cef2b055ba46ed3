//! `quota-exceeded`: policies that are too long, and too many of them.

use crate::{Context, Family, Scope, names};
use crate::length::{Over, least_length, over};
use overgrant_finding::{Confidence, Severity};
use overgrant_ir::{DocumentRole, Identity, IdentityId, IdentityKind, PolicyDocument};
use overgrant_policy::Answer;
use std::collections::BTreeMap;

rule! {
    /// Policy is longer than AWS allows, or too many are attached.
    ///
    /// The document has more characters than its kind may have, or more managed policies are attached to
    /// a principal than may be. Parts that are not known count as nothing.
    ///
    /// ## Why
    /// The deployment fails half-way, and the usual repair is to shorten lists of actions and resources by
    /// wildcards, which grants more than was meant.
    ///
    /// ## Bad
    /// ```terraform bad
    /// resource "aws_iam_policy" "many" {
    ///   name = "many"
    ///   policy = jsonencode({ # <-- here
    ///     Version = "2012-10-17"
    ///     Statement = [{
    ///       Effect   = "Allow"
    ///       Action   = "sqs:SendMessage"
    ///       Resource = [for n in range(200) : "arn:aws:sqs:eu-west-1:123456789012:orders-${n}"]
    ///     }]
    ///   })
    /// }
    /// ```
    /// A group can have ten managed policies:
    /// ```cloudformation bad
    /// Resources:
    ///   Everybody: # <-- here
    ///     Type: AWS::IAM::Group
    ///     Properties:
    ///       ManagedPolicyArns:
    ///         - arn:aws:iam::aws:policy/AmazonSQSReadOnlyAccess
    ///         - arn:aws:iam::aws:policy/AmazonSNSReadOnlyAccess
    ///         - arn:aws:iam::aws:policy/AmazonS3ReadOnlyAccess
    ///         - arn:aws:iam::aws:policy/AmazonEC2ReadOnlyAccess
    ///         - arn:aws:iam::aws:policy/AmazonRDSReadOnlyAccess
    ///         - arn:aws:iam::aws:policy/AmazonVPCReadOnlyAccess
    ///         - arn:aws:iam::aws:policy/AmazonDynamoDBReadOnlyAccess
    ///         - arn:aws:iam::aws:policy/AmazonKinesisReadOnlyAccess
    ///         - arn:aws:iam::aws:policy/AmazonRoute53ReadOnlyAccess
    ///         - arn:aws:iam::aws:policy/CloudWatchReadOnlyAccess
    ///         - arn:aws:iam::aws:policy/SecurityAudit
    /// ```
    /// ## Good
    /// ```terraform good
    /// resource "aws_iam_policy" "few" {
    ///   name = "few"
    ///   policy = jsonencode({
    ///     Version = "2012-10-17"
    ///     Statement = [{
    ///       Effect   = "Allow"
    ///       Action   = "sqs:SendMessage"
    ///       Resource = "arn:aws:sqs:eu-west-1:123456789012:orders-*"
    ///     }]
    ///   })
    /// }
    /// ```
    /// ```cloudformation good
    /// Resources:
    ///   Few:
    ///     Type: AWS::IAM::ManagedPolicy
    ///     Properties:
    ///       PolicyDocument:
    ///         Version: "2012-10-17"
    ///         Statement:
    ///           - Effect: Allow
    ///             Action: sqs:SendMessage
    ///             Resource: arn:aws:sqs:eu-west-1:123456789012:orders-*
    /// ```
    /// Parts that are not known count with the least that they can be:
    /// ```terraform good
    /// variable "names" { type = list(string) }
    /// resource "aws_iam_policy" "many" {
    ///   name = "many"
    ///   policy = jsonencode({
    ///     Version   = "2012-10-17"
    ///     Statement = [{ Effect = "Allow", Action = "sqs:SendMessage", Resource = [for name in var.names : "arn:aws:sqs:eu-west-1:123456789012:${name}"] }]
    ///   })
    /// }
    /// ```
    /// ## How to fix
    /// Split the policy, or limit it by a tag or a name prefix in place of a list.
    pub(crate) static QUOTA_EXCEEDED = Rule {
        id: "quota-exceeded",
        family: Family::Validity,
        severity: Severity::Medium,
        confidence: Confidence::High,
        scope: Scope::Module,
        since: "0.1.0",
        cwe: &[1126, 1164, 697],
        aliases: &[],
        mappings: &[("NIST", "CM-6")],
        references: &[
            "https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html",
        ],
        check: check,
    };
}

fn check(cx: &mut Context<'_>) {
    for holder in &cx.model.documents {
        if let Some(limit) = limit_of(holder) {
            length(cx, holder, limit);
        }
    }
    let counts = attached(cx);
    for kind in [IdentityKind::Role, IdentityKind::User, IdentityKind::Group] {
        let model = cx.model;
        for (id, identity) in model.of_kind(kind) {
            let count = counts.get(&id).copied().unwrap_or_default();
            attachments(cx, identity, kind, count);
        }
    }
}

/// How many managed policies are surely attached to each identity.
fn attached(cx: &Context<'_>) -> BTreeMap<IdentityId, usize> {
    let mut counts = BTreeMap::new();
    for attachment in &cx.model.attachments {
        if attachment.place.maybe || !attachment.policy.guard.is_always() {
            continue;
        }
        let identity = &attachment.identity.text;
        let root = &attachment.place.root;
        if let Some((id, Answer::Must)) = cx.access.link(identity, root, attachment.identity_kind) {
            *counts.entry(id).or_default() += 1;
        }
    }
    counts
}

fn limit_of(holder: &PolicyDocument) -> Option<&'static str> {
    Some(match &holder.role {
        DocumentRole::Managed => "iam.managed-policy.chars",
        DocumentRole::Trust => "iam.role-trust.chars",
        DocumentRole::Session => "sts.session-policy.chars",
        DocumentRole::Resource { service } if service == "s3" => "s3.bucket-policy.bytes",
        DocumentRole::Resource { service } if service == "kms" => "kms.key-policy.bytes",
        _ => return None,
    })
}

fn length(cx: &mut Context<'_>, holder: &PolicyDocument, limit: &str) {
    let count = least_length(&holder.document);
    let Some(over) = over(limit, count) else {
        return;
    };
    let name = names::document(holder);
    let (text, severity) = match over {
        Over::All(most) => (
            format!("{name} has {count} characters without blanks, and {most} are allowed"),
            Severity::Medium,
        ),
        Over::First { value, most } => (
            format!(
                "{name} has {count} characters without blanks; {value} are allowed, {most} on request"
            ),
            Severity::Info,
        ),
    };
    let report = cx
        .finding(&holder.place, &holder.argument_src, text)
        .cell(limit)
        .severity(severity)
        .help("split the policy, or limit it by a tag or a name prefix");
    cx.report(report);
}

fn attachments(cx: &mut Context<'_>, identity: &Identity, kind: IdentityKind, count: usize) {
    let limit = format!("iam.managed-policies-per-{}.count", kind.as_str());
    let Some(over) = over(&limit, count) else {
        return;
    };
    let name = names::identity(identity);
    let (text, severity) = match over {
        Over::All(most) => (
            format!("{name} has {count} managed policies, and {most} are allowed"),
            Severity::Medium,
        ),
        Over::First { value, most } => (
            format!("{name} has {count} managed policies; {value} are allowed, {most} on request"),
            Severity::Info,
        ),
    };
    let report = cx
        .finding(&identity.place, &identity.place.name_src, text)
        .cell(limit)
        .severity(severity)
        .help("merge policies that belong together");
    cx.report(report);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::Scene;

    fn found(role: DocumentRole, count: usize) -> Vec<Severity> {
        let list = (0..count)
            .map(|n| format!(r#""arn:aws:sqs:eu-west-1:123456789012:q{n:03}""#))
            .collect::<Vec<_>>()
            .join(",");
        let text = format!(
            r#"{{"Version":"2012-10-17","Statement":[{{"Effect":"Allow","Action":"sqs:*","Resource":[{list}]}}]}}"#
        );
        Scene::new()
            .document(role, &text)
            .run(&QUOTA_EXCEEDED)
            .into_iter()
            .map(|(_, finding)| finding.severity)
            .collect()
    }

    #[test]
    fn the_greatest_value_decides() {
        assert_eq!(found(DocumentRole::Managed, 100), []);
        assert_eq!(found(DocumentRole::Managed, 150), [Severity::Medium]);
        assert_eq!(found(DocumentRole::Trust, 60), [Severity::Info]);
        assert_eq!(found(DocumentRole::Trust, 250), [Severity::Medium]);
    }

    #[test]
    fn attachments_are_counted() {
        let mut scene = Scene::new().resource("aws_iam_group", "g", r#"{"name":"g"}"#);
        for n in 0..11 {
            scene = scene.resource(
                "aws_iam_group_policy_attachment",
                &format!("a{n}"),
                &format!(r#"{{"group":"g","policy_arn":"arn:aws:iam::aws:policy/P{n}"}}"#),
            );
        }
        let found = scene.run(&QUOTA_EXCEEDED);
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].1.severity, Severity::Medium);
    }
}
