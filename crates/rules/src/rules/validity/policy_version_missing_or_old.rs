//! `policy-version-missing-or-old`: documents in the language of 2008.

use crate::{Context, Family, Scope, fixes, names};
use overgrant_finding::{Confidence, Fix, Severity};
use overgrant_ir::DocumentRole;
use overgrant_policy::{Document, Version};

rule! {
    /// Policy has no version or the one of 2008.
    ///
    /// A document without `Version`, or with `2008-10-17`, is read in the old policy language, in which
    /// `${aws:username}` and all other policy variables are plain text.
    ///
    /// ## Why
    /// A statement that should confine everybody to their own prefix or user then names a resource that
    /// does not exist. An Allow fails, which is noticed; a Deny never fires, which is not, and whoever it
    /// should have stopped goes on.
    ///
    /// ## Bad
    /// ```terraform bad
    /// resource "aws_iam_group_policy" "own_home" {
    ///   name  = "own-home"
    ///   group = "staff"
    ///   policy = jsonencode({
    ///     Version = "2008-10-17" # <-- here
    ///     Statement = [{
    ///       Effect   = "Allow"
    ///       Action   = "s3:GetObject"
    ///       Resource = "arn:aws:s3:::acme-homes/reports/*"
    ///     }]
    ///   })
    /// }
    /// ```
    /// ```cloudformation bad
    /// Resources:
    ///   OwnHome:
    ///     Type: AWS::IAM::ManagedPolicy
    ///     Properties:
    ///       PolicyDocument:
    ///         Version: "2008-10-17" # <-- here
    ///         Statement:
    ///           - Effect: Allow
    ///             Action: s3:GetObject
    ///             Resource: arn:aws:s3:::acme-homes/${aws:username}/*
    /// ```
    /// The same as JSON:
    /// ```terraform bad
    /// resource "aws_iam_group_policy" "own_home" {
    ///   name  = "own-home"
    ///   group = "staff"
    ///   policy = <<-JSON
    ///     {
    ///       "Version": "2008-10-17", # <-- here
    ///       "Statement": [
    ///         {
    ///           "Effect": "Allow",
    ///           "Action": "s3:GetObject",
    ///           "Resource": "arn:aws:s3:::acme-homes/reports/*"
    ///         }
    ///       ]
    ///     }
    ///   JSON
    /// }
    /// ```
    /// ## Good
    /// ```terraform good
    /// resource "aws_iam_group_policy" "own_home" {
    ///   name  = "own-home"
    ///   group = "staff"
    ///   policy = jsonencode({
    ///     Version = "2012-10-17"
    ///     Statement = [{
    ///       Effect   = "Allow"
    ///       Action   = "s3:GetObject"
    ///       Resource = "arn:aws:s3:::acme-homes/$${aws:username}/*"
    ///     }]
    ///   })
    /// }
    /// ```
    /// The policy document data source writes the current version by itself:
    /// ```terraform good
    /// data "aws_iam_policy_document" "reader" {
    ///   statement {
    ///     actions   = ["s3:GetObject"]
    ///     resources = ["arn:aws:s3:::acme-homes/reports/*"]
    ///   }
    /// }
    /// resource "aws_iam_policy" "reader" {
    ///   policy = data.aws_iam_policy_document.reader.json
    /// }
    /// ```
    /// ```cloudformation good
    /// Resources:
    ///   OwnHome:
    ///     Type: AWS::IAM::ManagedPolicy
    ///     Properties:
    ///       PolicyDocument:
    ///         Version: "2012-10-17"
    ///         Statement:
    ///           - Effect: Allow
    ///             Action: s3:GetObject
    ///             Resource: arn:aws:s3:::acme-homes/${aws:username}/*
    /// ```
    /// The policy that AWS writes for a new queue or topic has the old version:
    /// ```terraform good at:low
    /// resource "aws_sns_topic_policy" "alerts" {
    ///   arn = "arn:aws:sns:eu-west-1:111122223333:alerts"
    ///   policy = jsonencode({
    ///     Version = "2008-10-17"
    ///     Id      = "__default_policy_ID"
    ///     Statement = [{
    ///       Sid       = "__default_statement_ID"
    ///       Effect    = "Allow"
    ///       Action    = ["SNS:Publish", "SNS:Subscribe"]
    ///       Resource  = "arn:aws:sns:eu-west-1:111122223333:alerts"
    ///       Principal = { AWS = "*" }
    ///       Condition = { StringEquals = { "AWS:SourceOwner" = "111122223333" } }
    ///     }]
    ///   })
    /// }
    /// ```
    /// Nobody writes the policies that SAM makes for destinations:
    /// ```sam good
    /// Transform: AWS::Serverless-2016-10-31
    /// Resources:
    ///   Failed:
    ///     Type: AWS::SQS::Queue
    ///   Worker:
    ///     Type: AWS::Serverless::Function
    ///     Properties:
    ///       Handler: index.handler
    ///       Runtime: nodejs22.x
    ///       CodeUri: src/
    ///       EventInvokeConfig:
    ///         DestinationConfig:
    ///           OnFailure:
    ///             Type: SQS
    ///             Destination: !GetAtt Failed.Arn
    /// ```
    /// ## How to fix
    /// Write `"Version": "2012-10-17"`. If the document holds `${…}` that is meant as plain text, write
    /// `${$}` for the dollar sign.
    pub(crate) static POLICY_VERSION_MISSING_OR_OLD = Rule {
        id: "policy-version-missing-or-old",
        family: Family::Validity,
        severity: Severity::Low,
        confidence: Confidence::High,
        scope: Scope::Module,
        since: "0.1.0",
        cwe: &[1126, 1164, 697],
        aliases: &["NO_VERSION", "OLD_VERSION"],
        mappings: &[("NIST", "CM-6")],
        references: &[
            "https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_version.html",
        ],
        check: check,
    };
}

fn check(cx: &mut Context<'_>) {
    for holder in &cx.model.documents {
        let document = &holder.document;
        if holder.role == DocumentRole::OtherOrganization || document.statements.is_empty() {
            continue;
        }
        // What a transform makes has no statements of its own in the text, and nobody can add to it.
        let mut statements = document.statements.iter();
        if document.src.span.is_some() && statements.all(|one| one.src.span == document.src.span) {
            continue;
        }
        let name = names::document(holder);
        let (src, what) = match (&document.version, &document.version_src) {
            (Version::V2008, Some(src)) => (src, "is written in the policy language of 2008"),
            (Version::Missing, _) => (
                &document.src,
                "has no `Version` and is read in the policy language of 2008",
            ),
            _ => continue,
        };
        let variables = uses_variables(document);
        let text = if variables {
            format!("{name} {what}, in which its policy variables are plain text")
        } else {
            format!("{name} {what}")
        };
        let mut report = cx
            .finding(&holder.place, src, text)
            .cell("version")
            .help("write \"Version\": \"2012-10-17\"");
        if variables {
            report = report.severity(Severity::Medium);
        }
        let title = "Write the policy in the language of 2012";
        let fix = fixes::current_version(document).map(|edit| Fix {
            // Without variables both languages say the same.
            safe: !texts(document).any(|text| text.contains('$')),
            ..fixes::changing(title, [edit])
        });
        report = report.fix(fix);
        cx.report(report);
    }
}

/// Whether a resource or a condition value holds a policy variable.
fn uses_variables(document: &Document) -> bool {
    texts(document).any(|text| {
        ["${aws:", "${saml:", "${cognito-identity", "${iam:", "${sts:"]
            .iter()
            .any(|start| text.contains(start))
    })
}

/// Resources and condition values: where policy variables can stand.
fn texts(document: &Document) -> impl Iterator<Item = String> {
    document.statements.iter().flat_map(|statement| {
        let resources = statement.resources.listed().items.iter();
        let conditions = statement.conditions.items.iter();
        let values = conditions.flat_map(|condition| &condition.values);
        resources
            .map(ToString::to_string)
            .chain(values.map(ToString::to_string))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::Scene;

    fn severities(version: &str, resource: &str) -> Vec<Severity> {
        let text = format!(
            r#"{{{version} "Statement":{{"Effect":"Allow","Action":"s3:GetObject","Resource":"{resource}"}}}}"#
        );
        Scene::new()
            .document(DocumentRole::Managed, &text)
            .run(&POLICY_VERSION_MISSING_OR_OLD)
            .into_iter()
            .map(|(_, finding)| finding.severity)
            .collect()
    }

    #[test]
    fn variables_make_it_worse() {
        assert_eq!(severities("", "arn:aws:s3:::b/*"), [Severity::Low]);
        let old = r#""Version":"2008-10-17","#;
        assert_eq!(severities(old, "arn:aws:s3:::b/*"), [Severity::Low]);
        assert_eq!(
            severities(old, "arn:aws:s3:::b/${aws:username}/*"),
            [Severity::Medium]
        );
        let new = r#""Version":"2012-10-17","#;
        assert_eq!(severities(new, "arn:aws:s3:::b/${aws:username}/*"), []);
    }
}
