//! `policy-variable-misuse`: A policy variable is not replaced, or is never there.

use crate::{Context, Family, Scope, fixes, names};
use overgrant_access::How;
use overgrant_finding::{Confidence, Severity};
use overgrant_ir::{DocumentId, IdentityKind};
use overgrant_policy::{Pattern, Statement, Version};

rule! {
    /// A policy variable is not replaced, or is never there.
    ///
    /// Policy variables such as `${aws:username}` work only in documents of version `2012-10-17`, in the
    /// spelling `${…}`, and only where the caller has the value. Roles have no `aws:username`.
    ///
    /// ## Why
    /// What is not replaced stays as text: the Allow reaches nothing, or a Deny spares everybody.
    ///
    /// ## Bad
    /// ```terraform bad
    /// resource "aws_iam_policy" "home" {
    ///   name = "home"
    ///   policy = jsonencode({
    ///     Version = "2008-10-17"
    ///     Statement = [{
    ///       Effect   = "Allow"
    ///       Action   = "s3:GetObject"
    ///       Resource = "arn:aws:s3:::acme-home/$${aws:username}/*" # <-- here
    ///     }]
    ///   })
    /// }
    /// ```
    /// ```cloudformation bad
    /// Resources:
    ///   Home:
    ///     Type: AWS::IAM::ManagedPolicy
    ///     Properties:
    ///       PolicyDocument:
    ///         Statement:
    ///           - Effect: Allow
    ///             Action: s3:GetObject
    ///             Resource: "arn:aws:s3:::acme-home/${aws:username}/*" # <-- here
    /// ```
    /// The same as JSON:
    /// ```terraform bad
    /// resource "aws_iam_policy" "home" {
    ///   name = "home"
    ///   policy = <<-JSON
    ///     {
    ///       "Version": "2008-10-17",
    ///       "Statement": [
    ///         {
    ///           "Effect": "Allow",
    ///           "Action": "s3:GetObject",
    ///           "Resource": "arn:aws:s3:::acme-home/$${aws:username}/*" # <-- here
    ///         }
    ///       ]
    ///     }
    ///   JSON
    /// }
    /// ```
    /// ## Good
    /// ```terraform good
    /// data "aws_iam_policy_document" "home" {
    ///   statement {
    ///     actions   = ["s3:GetObject"]
    ///     resources = ["arn:aws:s3:::acme-home/&{aws:username}/*"]
    ///   }
    /// }
    ///
    /// resource "aws_iam_policy" "home" {
    ///   name   = "home"
    ///   policy = data.aws_iam_policy_document.home.json
    /// }
    /// ```
    /// ```cloudformation good
    /// Resources:
    ///   Home:
    ///     Type: AWS::IAM::ManagedPolicy
    ///     Properties:
    ///       PolicyDocument:
    ///         Version: "2012-10-17"
    ///         Statement:
    ///           - Effect: Allow
    ///             Action: s3:GetObject
    ///             Resource: "arn:aws:s3:::acme-home/${aws:username}/*"
    /// ```
    /// ## How to fix
    /// Write `Version: "2012-10-17"`. In Terraform strings write `$${aws:username}`; `&{…}` works in
    /// `aws_iam_policy_document` only. For roles use `aws:PrincipalTag/…` or `aws:userid`.
    pub(crate) static POLICY_VARIABLE_MISUSE = Rule {
        id: "policy-variable-misuse",
        family: Family::Condition,
        severity: Severity::Medium,
        confidence: Confidence::High,
        scope: Scope::Module,
        since: "0.1.0",
        cwe: &[697],
        aliases: &[],
        mappings: &[("NIST", "CM-6"), ("ATT&CK", "T1548")],
        references: &["https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_variables.html"],
        check: check,
    };
}

fn check(cx: &mut Context<'_>) {
    let model = cx.model;
    for (id, document) in model.all_documents() {
        let old = matches!(document.document.version, Version::Missing | Version::V2008);
        let roles = old || only_roles(cx, id);
        for statement in &document.document.statements {
            let found = patterns(statement).filter(|one| one.holds("{aws:")).find_map(|pattern| {
                let text = pattern.to_string();
                let misspelt = ["&{aws:", "$${aws:"].into_iter().find(|start| text.contains(start));
                let (problem, fix) = if let Some(start) = misspelt {
                    let edit = fixes::replace_part(pattern.src(), start, "${aws:");
                    let title = "Write the variable as `${…}`";
                    ("is not replaced: variables are written as `${…}`", edit.map(|edit| (title, edit)))
                } else if old && text.contains("${aws:") {
                    let edit = fixes::current_version(&document.document);
                    let title = "Write the policy in the language of 2012";
                    ("is not replaced: the document's version is not `2012-10-17`", edit.map(|edit| (title, edit)))
                } else if !old && roles && text.contains("${aws:username}") {
                    ("is never there: roles have no `aws:username`", None)
                } else {
                    return None;
                };
                Some((pattern, problem, fix))
            });
            let Some((pattern, problem, fix)) = found else {
                continue;
            };
            let report = cx
                .finding(
                    &document.place,
                    pattern.src(),
                    format!("the variable in `{pattern}` of {} {problem}", names::document(document)),
                )
                .statement(statement)
                .when(pattern.guard())
                .fix(fix.map(|(title, edit)| fixes::changing(title, [edit])))
                .help("write Version 2012-10-17 and ${…}, or use a key that the principal has");
            cx.report(report);
        }
    }
}

fn patterns(statement: &Statement) -> impl Iterator<Item = &Pattern> {
    let resources = statement.resources.listed().items.iter();
    let values = statement.conditions.items.iter().flat_map(|condition| &condition.values);
    resources
        .map(|resource| resource.pattern())
        .chain(values.map(|value| value.pattern()))
}

/// Whether a document is attached, and to roles only.
fn only_roles(cx: &Context<'_>, id: DocumentId) -> bool {
    let uses = cx.access.uses(id);
    !uses.is_empty()
        && uses.iter().all(|one| {
            one.how == How::Policy
                && cx
                    .model
                    .identity(one.identity)
                    .is_some_and(|identity| identity.kind == IdentityKind::Role)
        })
}
