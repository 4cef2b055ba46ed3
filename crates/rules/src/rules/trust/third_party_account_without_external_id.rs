//! `third-party-account-without-external-id`: A role trusts a foreign account without an external id.

use crate::accounts::{Account, classify};
use crate::caller::{Caller, caller};
use crate::holder;
use crate::skeleton::{is_star, skeleton};
use crate::{Context, Family, Scope};
use overgrant_finding::{Confidence, Severity};
use overgrant_ir::{DocumentId, PolicyDocument};
use overgrant_policy::{Answer, Arn, Principal, PrincipalKind, Statement};
use overgrant_value::{Piece, Sym};

rule! {
    /// A role trusts a foreign account without an external id.
    ///
    /// The trust policy names an account of a vendor or of somebody else, and no condition tests
    /// `sts:ExternalId`.
    ///
    /// ## Why
    /// A vendor assumes roles for many customers. Another customer tells the vendor your role's ARN as if it
    /// were theirs, and the vendor works on your account on their behalf: the confused deputy.
    ///
    /// ## Bad
    /// ```terraform bad own_accounts:111122223333
    /// resource "aws_iam_role" "vendor" {
    ///   name = "vendor"
    ///   assume_role_policy = jsonencode({
    ///     Version = "2012-10-17"
    ///     Statement = [{
    ///       Effect    = "Allow"
    ///       Action    = "sts:AssumeRole"
    ///       Principal = { AWS = "arn:aws:iam::444455556666:root" } # <-- here
    ///     }]
    ///   })
    /// }
    /// ```
    /// ```cloudformation bad own_accounts:111122223333
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
    ///               AWS: "444455556666" # <-- here
    /// ```
    /// The same as JSON:
    /// ```terraform bad own_accounts:111122223333
    /// resource "aws_iam_role" "vendor" {
    ///   name = "vendor"
    ///   assume_role_policy = <<-JSON
    ///     {
    ///       "Version": "2012-10-17",
    ///       "Statement": [
    ///         {
    ///           "Effect": "Allow",
    ///           "Action": "sts:AssumeRole",
    ///           "Principal": {"AWS": "arn:aws:iam::444455556666:root"} # <-- here
    ///         }
    ///       ]
    ///     }
    ///   JSON
    /// }
    /// ```
    /// ## Good
    /// ```terraform good vendors:444455556666
    /// variable "external_id" {
    ///   type = string
    /// }
    ///
    /// resource "aws_iam_role" "vendor" {
    ///   name = "vendor"
    ///   assume_role_policy = jsonencode({
    ///     Version = "2012-10-17"
    ///     Statement = [{
    ///       Effect    = "Allow"
    ///       Action    = "sts:AssumeRole"
    ///       Principal = { AWS = "arn:aws:iam::444455556666:root" }
    ///       Condition = { StringEquals = { "sts:ExternalId" = var.external_id } }
    ///     }]
    ///   })
    /// }
    /// ```
    /// ```cloudformation good own_accounts:111122223333
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
    ///               AWS: arn:aws:iam::111122223333:role/report
    /// ```
    /// Accounts of AWS's own services, and who is held to the own organization:
    /// ```terraform good org_id:o-a1b2c3d4e5 vendors:444455556666
    /// resource "aws_iam_role" "logs" {
    ///   name = "logs"
    ///   assume_role_policy = jsonencode({
    ///     Version = "2012-10-17"
    ///     Statement = [
    ///       {
    ///         Effect    = "Allow"
    ///         Action    = "sts:AssumeRole"
    ///         Principal = { AWS = "arn:aws:iam::127311923021:root" }
    ///       },
    ///       {
    ///         Effect    = "Allow"
    ///         Action    = "sts:AssumeRole"
    ///         Principal = { AWS = "arn:aws:iam::444455556666:root" }
    ///         Condition = { StringEquals = { "aws:PrincipalOrgID" = "o-a1b2c3d4e5" } }
    ///       },
    ///     ]
    ///   })
    /// }
    /// ```
    /// An account that is not known, by value or to the configuration, is not called a third party; that a
    /// variable gives one is a note:
    /// ```terraform good at:info
    /// variable "account" { type = string }
    /// resource "aws_iam_role" "reader" {
    ///   name = "reader"
    ///   assume_role_policy = jsonencode({
    ///     Version = "2012-10-17"
    ///     Statement = [
    ///       { Effect = "Allow", Action = "sts:AssumeRole", Principal = { AWS = "arn:aws:iam::${var.account}:root" } },
    ///       { Effect = "Allow", Action = "sts:AssumeRole", Principal = { AWS = "arn:aws:iam::444455556666:root" } },
    ///     ]
    ///   })
    /// }
    /// ```
    /// ## How to fix
    /// Let the vendor generate an external id for you and test it with `StringEquals` on `sts:ExternalId`.
    /// Your own accounts belong into `own_accounts`: they need none.
    pub(crate) static THIRD_PARTY_ACCOUNT_WITHOUT_EXTERNAL_ID = Rule {
        id: "third-party-account-without-external-id",
        family: Family::Trust,
        severity: Severity::High,
        confidence: Confidence::High,
        scope: Scope::Module,
        since: "0.1.0",
        cwe: &[441],
        aliases: &[],
        mappings: &[("NIST", "IA-9"), ("ATT&CK", "T1199"), ("ATT&CK", "T1078.004")],
        references: &["https://docs.aws.amazon.com/IAM/latest/UserGuide/confused-deputy.html"],
        check: check,
    };
}

fn check(cx: &mut Context<'_>) {
    let model = cx.model;
    for (id, trust) in holder::trusts(model) {
        for statement in trust.document.allows() {
            if statement.conditions.open
                || statement.principals.listed().negated
                || has_external_id(statement)
                || matches!(caller(&statement.conditions), Caller::Bound)
            {
                continue;
            }
            for principal in &statement.principals {
                let Some(account) = principal.account() else {
                    unknown(cx, id, trust, statement, principal);
                    continue;
                };
                let class = classify(cx, &account);
                if !class.is_foreign() {
                    continue;
                }
                let role = holder::role(model, id);
                let whose = match class {
                    Account::Vendor(name) => format!("{name} (account `{account}`)"),
                    _ => format!("foreign account `{account}`"),
                };
                let report = cx
                    .finding(
                        &trust.place,
                        principal.src(),
                        format!("{role} trusts {whose} without an external id"),
                    )
                    .statement(statement)
                    .when(principal.guard())
                    .help("test sts:ExternalId with StringEquals, or add your own accounts to own_accounts");
                cx.report(report);
            }
        }
    }
}

/// Notes that an account is trusted that only a variable tells: it may be somebody else's.
fn unknown(cx: &mut Context<'_>, id: DocumentId, trust: &PolicyDocument, statement: &Statement, principal: &Principal) {
    let account = match principal.kind() {
        PrincipalKind::Account | PrincipalKind::Aws => Arn::parse(principal.reference()).map(|arn| arn.account),
        _ => None,
    };
    let given = account.is_some_and(|account| {
        matches!(account.pieces(), [Piece::Hole(hole)] if matches!(hole.sym, Sym::Input { .. }))
    });
    if !given {
        return;
    }
    let role = holder::role(cx.model, id);
    let report = cx
        .finding(
            &trust.place,
            principal.src(),
            format!("{role} trusts an account that is given from outside, without an external id"),
        )
        .statement(statement)
        .when(principal.guard())
        .severity(Severity::Info)
        .answer(Answer::May)
        .help("test sts:ExternalId with StringEquals if the account is not your own");
    cx.report(report);
}

/// A positive test of the external id that is not open to any value.
fn has_external_id(statement: &Statement) -> bool {
    statement.conditions.on("sts:ExternalId").any(|condition| {
        let wild = condition.operator.has_wildcards();
        !condition.operator.holds_without_key()
            && !condition
                .values
                .iter()
                .any(|value| is_star(&skeleton(value.text(), wild)))
    })
}
