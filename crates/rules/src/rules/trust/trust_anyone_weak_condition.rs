//! `trust-anyone-weak-condition`: a role open to every account behind a condition that binds nobody.

use crate::caller::{Caller, caller, closed_by_deny};
use crate::holder;
use crate::{Context, Family, Scope};
use overgrant_finding::{Confidence, Severity};
use overgrant_ir::{DocumentId, PolicyDocument};
use overgrant_policy::Statement;

rule! {
    /// A role trusts every AWS account behind a condition that binds nobody.
    ///
    /// The trust policy allows `*`, and its conditions test only what a stranger can send, arrange or
    /// lack: an external id, a session name, a negated operator, an operator that passes when the key is
    /// absent, an organisation or account with a wildcard.
    ///
    /// ## Why
    /// The condition looks like a limit and is none. An attacker calls `sts:AssumeRole` from an account
    /// of their own, sends the value that is asked for or simply is not on the list, and holds the rights
    /// of the role.
    ///
    /// ## Bad
    /// ```terraform bad
    /// resource "aws_iam_role" "partner" {
    ///   name = "partner"
    ///   assume_role_policy = jsonencode({
    ///     Version = "2012-10-17"
    ///     Statement = [{
    ///       Effect    = "Allow"
    ///       Action    = "sts:AssumeRole"
    ///       Principal = { AWS = "*" }
    ///       Condition = {
    ///         StringNotEquals = { "aws:PrincipalAccount" = "111122223333" } # <-- here
    ///       }
    ///     }]
    ///   })
    /// }
    /// ```
    /// ```cloudformation bad
    /// Resources:
    ///   Partner:
    ///     Type: AWS::IAM::Role
    ///     Properties:
    ///       AssumeRolePolicyDocument:
    ///         Version: "2012-10-17"
    ///         Statement:
    ///           - Effect: Allow
    ///             Action: sts:AssumeRole
    ///             Principal: { AWS: "*" }
    ///             Condition:
    ///               StringEquals:
    ///                 sts:ExternalId: partner-7 # <-- here
    /// ```
    /// The same as JSON:
    /// ```terraform bad
    /// resource "aws_iam_role" "partner" {
    ///   name = "partner"
    ///   assume_role_policy = <<-JSON
    ///     {
    ///       "Version": "2012-10-17",
    ///       "Statement": [
    ///         {
    ///           "Effect": "Allow",
    ///           "Action": "sts:AssumeRole",
    ///           "Principal": {"AWS": "*"},
    ///           "Condition": {
    ///             "StringNotEquals": {"aws:PrincipalAccount": "111122223333"} # <-- here
    ///           }
    ///         }
    ///       ]
    ///     }
    ///   JSON
    /// }
    /// ```
    /// ## Good
    /// ```terraform good
    /// resource "aws_iam_role" "partner" {
    ///   name = "partner"
    ///   assume_role_policy = jsonencode({
    ///     Version = "2012-10-17"
    ///     Statement = [{
    ///       Effect    = "Allow"
    ///       Action    = "sts:AssumeRole"
    ///       Principal = { AWS = "*" }
    ///       Condition = {
    ///         StringEquals = { "aws:PrincipalOrgID" = "o-a1b2c3d4e5" }
    ///         StringLike   = { "sts:RoleSessionName" = "ci-*" }
    ///       }
    ///     }]
    ///   })
    /// }
    /// ```
    /// ```cloudformation good
    /// Resources:
    ///   Partner:
    ///     Type: AWS::IAM::Role
    ///     Properties:
    ///       AssumeRolePolicyDocument:
    ///         Version: "2012-10-17"
    ///         Statement:
    ///           - Effect: Allow
    ///             Action: sts:AssumeRole
    ///             Principal: { AWS: "*" }
    ///             Condition:
    ///               ArnLike:
    ///                 aws:PrincipalArn: !Sub "arn:aws:iam::${AWS::AccountId}:role/deploy-*"
    /// ```
    /// The roles of one account are not anybody. That who may make roles there chooses names is a note:
    /// ```terraform good at:info
    /// resource "aws_iam_role" "reader" {
    ///   name = "reader"
    ///   assume_role_policy = jsonencode({
    ///     Version = "2012-10-17"
    ///     Statement = [{
    ///       Effect    = "Allow"
    ///       Action    = "sts:AssumeRole"
    ///       Principal = { AWS = "*" }
    ///       Condition = { ArnLike = { "aws:PrincipalArn" = "arn:aws:iam::111122223333:role/*" } }
    ///     }]
    ///   })
    /// }
    /// ```
    /// ## How to fix
    /// Name the principals, or test `aws:PrincipalOrgID` (`StringEquals`) and `aws:PrincipalArn`
    /// (`ArnLike`, with a literal account).
    pub(crate) static TRUST_ANYONE_WEAK_CONDITION = Rule {
        id: "trust-anyone-weak-condition",
        family: Family::Trust,
        severity: Severity::High,
        confidence: Confidence::High,
        scope: Scope::Module,
        since: "0.1.0",
        cwe: &[284, 863],
        aliases: &[],
        mappings: &[
            ("CIS7", "2.21"),
            ("NIST", "AC-3"),
            ("NIST", "AC-6"),
            ("NIST", "IA-2"),
            ("NIST", "AC-17"),
            ("ATT&CK", "T1199"),
            ("ATT&CK", "T1078.004"),
        ],
        references: &["https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html"],
        check: check,
    };
}

fn check(cx: &mut Context<'_>) {
    let model = cx.model;
    for (id, trust) in holder::trusts(model) {
        for statement in trust.document.allows() {
            let Some(anyone) = statement.principals.anyone() else {
                continue;
            };
            let Caller::Weak(weak) = caller(&statement.conditions) else {
                by_name(cx, id, trust, statement);
                continue;
            };
            let Some((condition, weakness)) = weak.first() else {
                continue;
            };
            if closed_by_deny(&trust.document, statement) {
                continue;
            }
            let role = holder::role(model, id);
            let report = cx
                .finding(
                    &trust.place,
                    &condition.src,
                    format!("any AWS account can assume {role}: {}", weakness.why(condition)),
                )
                .statement(statement)
                .when(anyone.guard())
                .related(anyone.src(), "trusts everybody", Some(&trust.place))
                .help("test aws:PrincipalOrgID with StringEquals, or name the principals");
            cx.report(report);
        }
    }
}

/// Notes that everybody of an account is trusted whose name has a form: who may make roles there may
/// choose it.
fn by_name(cx: &mut Context<'_>, id: DocumentId, trust: &PolicyDocument, statement: &Statement) {
    let [only] = statement.conditions.items.as_slice() else {
        return;
    };
    let wild = only.values.iter().find(|value| {
        let arn = value.known().filter(|_| only.operator.has_wildcards());
        arn.is_some_and(|arn| {
            let mut parts = arn.splitn(6, ':').skip(4);
            let account = parts.next().is_some_and(|id| !id.is_empty() && !id.contains(['*', '?']));
            account && parts.next().is_some_and(|name| name.contains(['*', '?']))
        })
    });
    let (Some(value), true) = (wild, only.key.is("aws:PrincipalArn")) else {
        return;
    };
    let role = holder::role(cx.model, id);
    let text = format!("whoever may be named like `{value}` can assume {role}");
    let report = cx
        .finding(&trust.place, value.pattern().src(), text)
        .statement(statement)
        .severity(Severity::Info)
        .help("name the principals, or see who may make such names in that account");
    cx.report(report);
}
