//! `oidc-condition-operator-unsafe`: a tenant's claim under an operator that lets others through.

use crate::caller::surely_present;
use crate::federation::trusted;
use crate::{Context, Family, Scope, fixes};
use overgrant_finding::{Confidence, Severity};
use overgrant_policy::{Condition, Conditions, SetOperator, Test};

rule! {
    /// A tenant's claim is tested with an operator that lets others through.
    ///
    /// `ForAllValues` and `…IfExists` hold when the token lacks the claim, a negated operator holds for
    /// everybody else, and `Null` tests only that the claim is there.
    ///
    /// ## Why
    /// A token without the claim, or with any other value, meets the condition. The trust looks pinned and
    /// accepts strangers.
    ///
    /// ## Bad
    /// ```terraform bad
    /// resource "aws_iam_role" "ci" {
    ///   name = "ci"
    ///   assume_role_policy = jsonencode({
    ///     Version = "2012-10-17"
    ///     Statement = [{
    ///       Effect    = "Allow"
    ///       Action    = "sts:AssumeRoleWithWebIdentity"
    ///       Principal = { Federated = "arn:aws:iam::111122223333:oidc-provider/token.actions.githubusercontent.com" }
    ///       Condition = {
    ///         StringEquals = { "token.actions.githubusercontent.com:aud" = "sts.amazonaws.com" }
    ///         "ForAllValues:StringEquals" = { # <-- here
    ///           "token.actions.githubusercontent.com:sub" = "repo:acme/shop:environment:prod"
    ///         }
    ///       }
    ///     }]
    ///   })
    /// }
    /// ```
    /// ```cloudformation bad
    /// Resources:
    ///   Ci:
    ///     Type: AWS::IAM::Role
    ///     Properties:
    ///       AssumeRolePolicyDocument:
    ///         Version: "2012-10-17"
    ///         Statement:
    ///           - Effect: Allow
    ///             Action: sts:AssumeRoleWithWebIdentity
    ///             Principal:
    ///               Federated: arn:aws:iam::111122223333:oidc-provider/token.actions.githubusercontent.com
    ///             Condition:
    ///               StringEquals:
    ///                 token.actions.githubusercontent.com:aud: sts.amazonaws.com
    ///               StringLikeIfExists: # <-- here
    ///                 token.actions.githubusercontent.com:sub: repo:acme/shop:environment:prod
    /// ```
    /// The same as a policy document of Terraform:
    /// ```terraform bad
    /// data "aws_iam_policy_document" "ci" {
    ///   statement {
    ///     actions = ["sts:AssumeRoleWithWebIdentity"]
    ///     principals {
    ///       type        = "Federated"
    ///       identifiers = ["arn:aws:iam::111122223333:oidc-provider/token.actions.githubusercontent.com"]
    ///     }
    ///     condition {
    ///       test     = "StringEquals"
    ///       variable = "token.actions.githubusercontent.com:aud"
    ///       values   = ["sts.amazonaws.com"]
    ///     }
    ///     condition {
    ///       test     = "ForAllValues:StringEquals" # <-- here
    ///       variable = "token.actions.githubusercontent.com:sub"
    ///       values   = ["repo:acme/shop:environment:prod"]
    ///     }
    ///   }
    /// }
    /// resource "aws_iam_role" "ci" {
    ///   name = "ci"
    ///   assume_role_policy = data.aws_iam_policy_document.ci.json
    /// }
    /// ```
    /// ## Good
    /// ```terraform good
    /// resource "aws_iam_role" "ci" {
    ///   name = "ci"
    ///   assume_role_policy = jsonencode({
    ///     Version = "2012-10-17"
    ///     Statement = [{
    ///       Effect    = "Allow"
    ///       Action    = "sts:AssumeRoleWithWebIdentity"
    ///       Principal = { Federated = "arn:aws:iam::111122223333:oidc-provider/token.actions.githubusercontent.com" }
    ///       Condition = {
    ///         StringEquals = { "token.actions.githubusercontent.com:aud" = "sts.amazonaws.com" }
    ///         "ForAnyValue:StringEquals" = {
    ///           "token.actions.githubusercontent.com:sub" = "repo:acme/shop:environment:prod"
    ///         }
    ///       }
    ///     }]
    ///   })
    /// }
    /// ```
    /// ```cloudformation good
    /// Resources:
    ///   Ci:
    ///     Type: AWS::IAM::Role
    ///     Properties:
    ///       AssumeRolePolicyDocument:
    ///         Version: "2012-10-17"
    ///         Statement:
    ///           - Effect: Allow
    ///             Action: sts:AssumeRoleWithWebIdentity
    ///             Principal:
    ///               Federated: arn:aws:iam::111122223333:oidc-provider/token.actions.githubusercontent.com
    ///             Condition:
    ///               StringEquals:
    ///                 token.actions.githubusercontent.com:aud: sts.amazonaws.com
    ///                 token.actions.githubusercontent.com:sub: repo:acme/shop:environment:prod
    ///               StringNotEquals:
    ///                 token.actions.githubusercontent.com:sub: repo:acme/shop:pull_request
    /// ```
    /// ## How to fix
    /// Use `StringEquals`, or `StringLike` where the pattern pins the tenant.
    pub(crate) static OIDC_CONDITION_OPERATOR_UNSAFE = Rule {
        id: "oidc-condition-operator-unsafe",
        family: Family::Federation,
        severity: Severity::High,
        confidence: Confidence::High,
        scope: Scope::Module,
        since: "0.1.0",
        cwe: &[697],
        aliases: &["FORALLVALUES_WITH_SINGLE_VALUED_KEY"],
        mappings: &[
            ("NIST", "IA-2"),
            ("NIST", "IA-8"),
            ("NIST", "IA-9"),
            ("NIST", "AC-3"),
            ("ATT&CK", "T1078.004"),
            ("ATT&CK", "T1199"),
            ("ATT&CK", "T1550.001"),
        ],
        references: &["https://github.com/aws-actions/configure-aws-credentials#oidc"],
        check: check,
    };
}

fn check(cx: &mut Context<'_>) {
    let model = cx.model;
    for trusted in trusted(model) {
        let claim = match trusted.issuer.map(|issuer| issuer.required_claims) {
            Some(claims) if claims.contains(&"aud") => "aud",
            _ => "sub",
        };
        let conditions = trusted.claim(claim);
        let all = &trusted.statement.conditions;
        let is_unsafe = |condition: &Condition| is_unsafe(all, condition);
        let Some(condition) = conditions.iter().find(|condition| is_unsafe(condition)) else {
            continue;
        };
        let role = trusted.role(model);
        if conditions.iter().any(|condition| !is_unsafe(condition))
            || trusted.spared(claim).next().is_some()
            || trusted.pins_github_tenant()
        {
            continue;
        }
        let operator = &condition.operator;
        let effect = if operator.is_negated() {
            "accepts everybody but its values"
        } else if operator.test == Test::Null {
            "accepts every value"
        } else {
            "passes when the token lacks the claim"
        };
        let report = cx
            .finding(
                &trusted.document.place,
                &condition.operator_src,
                format!("{role} tests `{claim}` with `{}`, which {effect}", operator.name),
            )
            .statement(trusted.statement)
            .when(trusted.principal.guard())
            .when(&condition.guard)
            .help("use StringEquals, or StringLike with a pattern that pins the tenant");
        let edit = fixes::operator(trusted.statement, condition, fixes::bare(operator))
            .filter(|_| !operator.is_negated() && operator.test != Test::Null);
        cx.report(report.fix(edit.map(|edit| fixes::changing("Ask for the claim in every case", [edit]))));
    }
}

/// `Null: false` beside asks for the claim, and then the operators test it.
fn is_unsafe(all: &Conditions, condition: &Condition) -> bool {
    let operator = &condition.operator;
    let asked_for = || condition.key.spelling().is_some_and(|key| surely_present(all, &key));
    let without = operator.if_exists || operator.set == Some(SetOperator::ForAllValues);
    operator.is_negated() || operator.test == Test::Null || (without && !asked_for())
}
