//! `trust-anyone`: a role that every AWS account may assume.

use crate::caller::{Caller, caller, closed_by_deny};
use crate::holder;
use crate::{Context, Family, Scope};
use overgrant_finding::{Confidence, Severity};
use overgrant_policy::PrincipalKind;

rule! {
    /// A role trusts every AWS account.
    ///
    /// The trust policy allows `*` to assume the role, and no condition says which accounts,
    /// organisation or principals are meant. `*` is not "everybody in this account": it is every
    /// account of AWS.
    ///
    /// ## Why
    /// Whoever knows the account id and guesses the role's name calls `sts:AssumeRole` from an
    /// account of their own and holds all rights of the role. Role names are guessed by scripts.
    ///
    /// ## Bad
    /// ```terraform bad
    /// resource "aws_iam_role" "reader" {
    ///   name = "reader"
    ///   assume_role_policy = jsonencode({
    ///     Version = "2012-10-17"
    ///     Statement = [{
    ///       Effect    = "Allow"
    ///       Action    = "sts:AssumeRole"
    ///       Principal = { AWS = "*" } # <-- here
    ///     }]
    ///   })
    /// }
    /// ```
    /// ```cloudformation bad
    /// Resources:
    ///   Reader:
    ///     Type: AWS::IAM::Role
    ///     Properties:
    ///       AssumeRolePolicyDocument:
    ///         Version: "2012-10-17"
    ///         Statement:
    ///           - Effect: Allow
    ///             Action: sts:AssumeRole
    ///             Principal:
    ///               AWS: "*" # <-- here
    /// ```
    /// The same as a policy document of Terraform:
    /// ```terraform bad
    /// data "aws_iam_policy_document" "reader" {
    ///   statement {
    ///     actions = ["sts:AssumeRole"]
    ///     principals {
    ///       type        = "AWS"
    ///       identifiers = ["*"] # <-- here
    ///     }
    ///   }
    /// }
    /// resource "aws_iam_role" "reader" {
    ///   name = "reader"
    ///   assume_role_policy = data.aws_iam_policy_document.reader.json
    /// }
    /// ```
    /// ## Good
    /// ```terraform good
    /// data "aws_iam_policy_document" "trust" {
    ///   statement {
    ///     actions = ["sts:AssumeRole"]
    ///     principals {
    ///       type        = "AWS"
    ///       identifiers = ["*"]
    ///     }
    ///     condition {
    ///       test     = "StringEquals"
    ///       variable = "aws:PrincipalOrgID"
    ///       values   = ["o-a1b2c3d4e5"]
    ///     }
    ///     condition {
    ///       test     = "ArnLike"
    ///       variable = "aws:PrincipalArn"
    ///       values   = ["arn:aws:iam::*:role/report-reader"]
    ///     }
    ///   }
    /// }
    ///
    /// resource "aws_iam_role" "reader" {
    ///   name               = "reader"
    ///   assume_role_policy = data.aws_iam_policy_document.trust.json
    /// }
    /// ```
    /// ```cloudformation good
    /// Resources:
    ///   Reader:
    ///     Type: AWS::IAM::Role
    ///     Properties:
    ///       AssumeRolePolicyDocument:
    ///         Version: "2012-10-17"
    ///         Statement:
    ///           - Effect: Deny
    ///             Action: sts:AssumeRole
    ///             Principal: { AWS: "*" }
    ///             Condition:
    ///               Bool: { "aws:SecureTransport": "false" }
    ///           - Effect: Allow
    ///             Action: sts:AssumeRole
    ///             Principal: { AWS: !Sub "arn:${AWS::Partition}:iam::${AWS::AccountId}:role/report" }
    /// ```
    /// Who comes from a provider of identities is what the rules about federation judge:
    /// ```terraform good
    /// resource "aws_iam_role" "visitor" {
    ///   name = "visitor"
    ///   assume_role_policy = jsonencode({
    ///     Version = "2012-10-17"
    ///     Statement = [{
    ///       Effect    = "Allow"
    ///       Action    = "sts:AssumeRoleWithWebIdentity"
    ///       Principal = { Federated = "cognito-identity.amazonaws.com" }
    ///       Condition = {
    ///         StringEquals             = { "cognito-identity.amazonaws.com:aud" = "eu-west-1:12345678-1234-1234-1234-123456789012" }
    ///         "ForAnyValue:StringLike" = { "cognito-identity.amazonaws.com:amr" = "authenticated" }
    ///       }
    ///     }]
    ///   })
    /// }
    /// ```
    /// ## How to fix
    /// Name the roles or accounts that need the role. Where a whole organisation does, keep `*` and
    /// add `StringEquals` on `aws:PrincipalOrgID` and `ArnLike` on `aws:PrincipalArn`.
    pub(crate) static TRUST_ANYONE = Rule {
        id: "trust-anyone",
        family: Family::Trust,
        severity: Severity::Critical,
        confidence: Confidence::High,
        scope: Scope::Module,
        since: "0.1.0",
        cwe: &[284, 863],
        aliases: &["CKV_AWS_60"],
        mappings: &[
            ("CIS7", "2.21"),
            ("NIST", "AC-3"),
            ("NIST", "AC-6"),
            ("NIST", "IA-2"),
            ("NIST", "AC-17"),
            ("ATT&CK", "T1199"),
            ("ATT&CK", "T1078.004"),
        ],
        references: &["https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_principal.html"],
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
            if !matches!(caller(&statement.conditions), Caller::Free) || closed_by_deny(&trust.document, statement) {
                continue;
            }
            let role = holder::role(model, id);
            let mut report = cx
                .finding(
                    &trust.place,
                    anyone.src(),
                    format!("any AWS account can assume {role}"),
                )
                .statement(statement)
                .when(anyone.guard())
                .label("every principal of every account")
                .help("name the accounts or roles, or add StringEquals on aws:PrincipalOrgID");
            let plain = anyone.src().span.is_some()
                && anyone.src().span == statement.principals.listed().src.span;
            if plain && matches!(anyone.kind(), PrincipalKind::Anyone) {
                report = report
                    .confidence(Confidence::Medium)
                    .note("IAM refuses `\"Principal\": \"*\"` in a trust policy, so the apply fails; `{\"AWS\": \"*\"}` goes live");
            }
            cx.report(report);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::TRUST_ANYONE;
    use crate::testing::Scene;
    use overgrant_ir::DocumentRole;

    fn places(statement: &str) -> Vec<String> {
        let text = format!(r#"{{"Version":"2012-10-17","Statement":[{statement}]}}"#);
        Scene::new()
            .document(DocumentRole::Trust, &text)
            .places(&TRUST_ANYONE)
    }

    #[test]
    fn everybody_without_a_condition() {
        let open =
            r#"{"Effect":"Allow","Action":"sts:AssumeRole","Principal":{"AWS":["*","111122223333"]}}"#;
        assert_eq!(places(open), [r#""*""#]);
        let bound = r#"{"Effect":"Allow","Action":"sts:AssumeRole","Principal":{"AWS":"*"},
            "Condition":{"StringEquals":{"aws:PrincipalOrgID":"o-a1b2c3d4e5"}}}"#;
        assert!(places(bound).is_empty());
        let weak = r#"{"Effect":"Allow","Action":"sts:AssumeRole","Principal":{"AWS":"*"},
            "Condition":{"StringEquals":{"sts:ExternalId":"x"}}}"#;
        assert!(places(weak).is_empty(), "another rule's case");
    }
}
