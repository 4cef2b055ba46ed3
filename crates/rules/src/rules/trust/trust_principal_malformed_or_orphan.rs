//! `trust-principal-malformed-or-orphan`: A trust policy names a principal that does not exist or is not valid.

use crate::accounts::is_counted;
use crate::holder;
use crate::skeleton::is_blank;
use crate::{Context, Family, Scope};
use overgrant_finding::{Confidence, Severity};
use overgrant_ir::PolicyDocument;
use overgrant_policy::{Principal, PrincipalKind, ProblemKind};

rule! {
    /// A trust policy names a principal that does not exist or is not valid.
    ///
    /// The principal is the unique id of a deleted user or role (`AIDA…`, `AROA…`), an ARN with a wildcard,
    /// an account id that has not twelve digits, or no principal at all.
    ///
    /// ## Why
    /// IAM refuses the policy, or keeps an entry that nobody recognises. A wildcard in an ARN is not
    /// expanded here: what was meant is often written as something wider later.
    ///
    /// ## Bad
    /// ```terraform bad
    /// resource "aws_iam_role" "ops" {
    ///   name = "ops"
    ///   assume_role_policy = jsonencode({
    ///     Version = "2012-10-17"
    ///     Statement = [{
    ///       Effect    = "Allow"
    ///       Action    = "sts:AssumeRole"
    ///       Principal = { AWS = "arn:aws:iam::111122223333:role/*" } # <-- here
    ///     }]
    ///   })
    /// }
    /// ```
    /// ```cloudformation bad
    /// Resources:
    ///   Ops:
    ///     Type: AWS::IAM::Role
    ///     Properties:
    ///       AssumeRolePolicyDocument:
    ///         Version: "2012-10-17"
    ///         Statement:
    ///           - Effect: Allow
    ///             Action: sts:AssumeRole
    ///             Principal:
    ///               AWS:
    ///                 - AROAJQABLZS4A3QDU576Q # <-- here
    ///                 - arn:aws:iam::111122223333:role/ops
    /// ```
    /// The same as JSON:
    /// ```terraform bad
    /// resource "aws_iam_role" "ops" {
    ///   name = "ops"
    ///   assume_role_policy = <<-JSON
    ///     {
    ///       "Version": "2012-10-17",
    ///       "Statement": [
    ///         {
    ///           "Effect": "Allow",
    ///           "Action": "sts:AssumeRole",
    ///           "Principal": {"AWS": "arn:aws:iam::111122223333:role/*"} # <-- here
    ///         }
    ///       ]
    ///     }
    ///   JSON
    /// }
    /// ```
    /// An account that is put into several ARNs is told once, where it is written:
    /// ```terraform bad
    /// locals {
    ///   account = "11112222333" # <-- here
    /// }
    /// resource "aws_iam_role" "reader" {
    ///   name = "reader"
    ///   assume_role_policy = jsonencode({
    ///     Version   = "2012-10-17"
    ///     Statement = [{ Effect = "Allow", Action = "sts:AssumeRole", Principal = { AWS = "arn:aws:iam::${local.account}:role/app" } }]
    ///   })
    /// }
    /// resource "aws_iam_role" "writer" {
    ///   name = "writer"
    ///   assume_role_policy = jsonencode({
    ///     Version   = "2012-10-17"
    ///     Statement = [{ Effect = "Allow", Action = "sts:AssumeRole", Principal = { AWS = "arn:aws:iam::${local.account}:role/ops" } }]
    ///   })
    /// }
    /// ```
    /// ## Good
    /// ```terraform good
    /// resource "aws_iam_role" "ops" {
    ///   name = "ops"
    ///   assume_role_policy = jsonencode({
    ///     Version = "2012-10-17"
    ///     Statement = [{
    ///       Effect    = "Allow"
    ///       Action    = "sts:AssumeRole"
    ///       Principal = { AWS = "arn:aws:sts::111122223333:assumed-role/ops/session" }
    ///     }]
    ///   })
    /// }
    /// ```
    /// ```cloudformation good
    /// Resources:
    ///   Source:
    ///     Type: AWS::IAM::Role
    ///     Properties:
    ///       AssumeRolePolicyDocument:
    ///         Version: "2012-10-17"
    ///         Statement:
    ///           - Effect: Allow
    ///             Action: sts:AssumeRole
    ///             Principal: { Service: lambda.amazonaws.com }
    ///   Ops:
    ///     Type: AWS::IAM::Role
    ///     Properties:
    ///       AssumeRolePolicyDocument:
    ///         Version: "2012-10-17"
    ///         Statement:
    ///           - Effect: Allow
    ///             Action: sts:AssumeRole
    ///             Principal:
    ///               AWS: !GetAtt Source.Arn
    ///             Condition:
    ///               StringLike:
    ///                 aws:userid: AROAJQABLZS4A3QDU576Q:*
    /// ```
    /// A reference to a role gives its name, of which the template makes the ARN:
    /// ```cloudformation good
    /// Resources:
    ///   Source:
    ///     Type: AWS::IAM::Role
    ///     Properties:
    ///       AssumeRolePolicyDocument:
    ///         Version: "2012-10-17"
    ///         Statement:
    ///           - Effect: Allow
    ///             Action: sts:AssumeRole
    ///             Principal: { Service: lambda.amazonaws.com }
    ///   Ops:
    ///     Type: AWS::IAM::Role
    ///     Properties:
    ///       AssumeRolePolicyDocument:
    ///         Version: "2012-10-17"
    ///         Statement:
    ///           - Effect: Allow
    ///             Action: sts:AssumeRole
    ///             Principal:
    ///               AWS: !Sub arn:${AWS::Partition}:iam::${AWS::AccountId}:role/${Source}
    /// ```
    /// A parameter whose default is empty, or a blank, gets its account where the code is applied:
    /// ```cloudformation good at:low
    /// Parameters:
    ///   Central:
    ///     Type: String
    ///     Default: ""
    ///   Reader:
    ///     Type: String
    ///     Default: <<reader>>
    /// Resources:
    ///   Patch:
    ///     Type: AWS::IAM::Role
    ///     Properties:
    ///       AssumeRolePolicyDocument:
    ///         Version: "2012-10-17"
    ///         Statement:
    ///           - Effect: Allow
    ///             Action: sts:AssumeRole
    ///             Principal:
    ///               AWS:
    ///                 - !Join ["", ["arn:aws:iam::", !Ref Central, ":root"]]
    ///                 - !Ref Reader
    /// ```
    /// Digits that only count hold the place of an account; that is low:
    /// ```terraform good at:low
    /// resource "aws_iam_role" "reader" {
    ///   name = "reader"
    ///   assume_role_policy = jsonencode({
    ///     Version   = "2012-10-17"
    ///     Statement = [{ Effect = "Allow", Action = "sts:AssumeRole", Principal = { AWS = "arn:aws:iam::987654321:role/app" } }]
    ///   })
    /// }
    /// ```
    /// ## How to fix
    /// Write the ARN of the role. For "any role whose name begins so", name the account and test
    /// `aws:PrincipalArn` with `ArnLike`.
    pub(crate) static TRUST_PRINCIPAL_MALFORMED_OR_ORPHAN = Rule {
        id: "trust-principal-malformed-or-orphan",
        family: Family::Trust,
        severity: Severity::Medium,
        confidence: Confidence::High,
        scope: Scope::Module,
        since: "0.1.0",
        cwe: &[284, 863],
        aliases: &["UNKNOWN_PRINCIPAL"],
        mappings: &[("NIST", "CM-2"), ("ATT&CK", "T1199"), ("ATT&CK", "T1078.004")],
        references: &["https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_principal.html"],
        check: check,
    };
}

fn check(cx: &mut Context<'_>) {
    let model = cx.model;
    for (id, trust) in holder::trusts(model) {
        for statement in trust.document.allows() {
            for principal in &statement.principals {
                let Some(problem) = problem(principal) else {
                    continue;
                };
                // What stands under a type that does not exist is no principal: `policy-grammar-invalid`.
                if principal.kind() == PrincipalKind::Unknown && has_strange_type(trust) {
                    continue;
                }
                let role = holder::role(model, id);
                // An account that was put into the ARN is told once, where it is written.
                let put_in = principal.account_src().filter(|_| problem == OF_ACCOUNT);
                let src = put_in.as_ref().unwrap_or_else(|| principal.src());
                let text = format!("{role} trusts `{principal}`, {problem}");
                let mut report = cx.finding(&trust.place, src, text).when(&statement.guard);
                if put_in.is_none() {
                    report = report.statement(statement);
                }
                let report = report
                    .when(principal.guard())
                    .severity(if stands_for_another(principal) { Severity::Low } else { Severity::Medium })
                    .help("write the ARN of the role, or the account with ArnLike on aws:PrincipalArn");
                cx.report(report);
            }
        }
    }
}

fn has_strange_type(trust: &PolicyDocument) -> bool {
    let mut problems = trust.document.problems.iter();
    problems.any(|problem| matches!(problem.kind, ProblemKind::UnknownPrincipalType(_)))
}

/// Whether the text only stands for one that whoever applies the code fills in: an account in crosses,
/// or of digits that only count, or a blank in brackets.
fn stands_for_another(principal: &Principal) -> bool {
    let text = principal.to_string();
    match text.strip_prefix("arn:") {
        Some(rest) => rest.split(':').nth(3).is_some_and(|account| {
            is_counted(account) || account.bytes().all(|byte| matches!(byte, b'X' | b'x'))
        }),
        None => is_blank(&text) || is_counted(&text),
    }
}

const OF_ACCOUNT: &str = "whose account id has not twelve digits";

fn problem(principal: &Principal) -> Option<&'static str> {
    const DIGITS: usize = 12;
    if principal.kind() == PrincipalKind::UniqueId {
        return Some("the id of a principal that was deleted");
    }
    if !matches!(
        principal.kind(),
        PrincipalKind::Aws | PrincipalKind::Account | PrincipalKind::Unknown
    ) {
        return None;
    }
    if !principal.is_known() {
        return None;
    }
    let text = principal.to_string();
    if text.is_empty() {
        return None;
    }
    if text.contains(['*', '?']) {
        return Some("and a wildcard is not valid in a principal");
    }
    let mut parts = text.splitn(6, ':');
    if parts.next() != Some("arn") {
        return match text.bytes().all(|byte| byte.is_ascii_digit()) {
            true if text.len() == DIGITS => None,
            true => Some("which has not the twelve digits of an account id"),
            false => Some("which is no ARN, account id or `*`"),
        };
    }
    let (service, account, resource) = (parts.nth(1)?, parts.nth(1)?, parts.next()?);
    // An empty default stands for an account that whoever applies the code gives.
    if account.is_empty() && principal.is_composed() {
        return None;
    }
    if account.len() != DIGITS || !account.bytes().all(|byte| byte.is_ascii_digit()) {
        return (account != "aws").then_some(OF_ACCOUNT);
    }
    (service == "iam" && resource.starts_with("assumed-role/"))
        .then_some("and sessions are named by `arn:aws:sts:`")
}
