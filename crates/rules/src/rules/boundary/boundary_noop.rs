//! `boundary-noop`: a permissions boundary that limits nothing.

use crate::boundaries::{self, left_open};
use crate::grants::list_actions;
use crate::{Context, Family, Scope, names};
use overgrant_access::Boundary;
use overgrant_catalog::Action;
use overgrant_finding::{Confidence, Severity};
use overgrant_ir::IdentityId;
use overgrant_value::Src;

rule! {
    /// Permissions boundary does not limit.
    ///
    /// The boundary allows every action, or every step of a way to administration: rights to change
    /// policies, trust or credentials, or to pass any role. What is judged is what the document says, not
    /// what it is called.
    ///
    /// ## Why
    /// A boundary is put on so that a role cannot gain more than it should, whatever policies it is given.
    /// With such a one, whoever takes the role over raises his own rights as if there were none.
    ///
    /// ## Bad
    /// ```terraform bad
    /// resource "aws_iam_role" "team" {
    ///   name                 = "team"
    ///   permissions_boundary = "arn:aws:iam::aws:policy/AdministratorAccess" # <-- here
    ///   assume_role_policy = jsonencode({
    ///     Version   = "2012-10-17"
    ///     Statement = [{ Effect = "Allow", Action = "sts:AssumeRole", Principal = { Service = "ec2.amazonaws.com" } }]
    ///   })
    /// }
    /// ```
    /// ```cloudformation bad
    /// Resources:
    ///   Cap:
    ///     Type: AWS::IAM::ManagedPolicy
    ///     Properties:
    ///       PolicyDocument:
    ///         Version: "2012-10-17"
    ///         Statement:
    ///           - Effect: Allow
    ///             Action: ["s3:*", "iam:*"] # <-- here
    ///             Resource: "*"
    ///   Team:
    ///     Type: AWS::IAM::Role
    ///     Properties:
    ///       PermissionsBoundary: !Ref Cap
    ///       AssumeRolePolicyDocument:
    ///         Version: "2012-10-17"
    ///         Statement:
    ///           - Effect: Allow
    ///             Action: sts:AssumeRole
    ///             Principal:
    ///               Service: ec2.amazonaws.com
    /// ```
    /// ## Good
    /// A list of services without IAM closes every such way:
    /// ```terraform good
    /// resource "aws_iam_policy" "cap" {
    ///   name = "cap"
    ///   policy = jsonencode({
    ///     Version   = "2012-10-17"
    ///     Statement = [{ Effect = "Allow", Action = ["s3:*", "sqs:*", "logs:*"], Resource = "*" }]
    ///   })
    /// }
    /// resource "aws_iam_role" "team" {
    ///   name                 = "team"
    ///   permissions_boundary = aws_iam_policy.cap.arn
    ///   assume_role_policy = jsonencode({
    ///     Version   = "2012-10-17"
    ///     Statement = [{ Effect = "Allow", Action = "sts:AssumeRole", Principal = { Service = "ec2.amazonaws.com" } }]
    ///   })
    /// }
    /// ```
    /// So does `PowerUserAccess`, which leaves IAM out:
    /// ```cloudformation good
    /// Resources:
    ///   Team:
    ///     Type: AWS::IAM::Role
    ///     Properties:
    ///       PermissionsBoundary: arn:aws:iam::aws:policy/PowerUserAccess
    ///       AssumeRolePolicyDocument:
    ///         Version: "2012-10-17"
    ///         Statement:
    ///           - Effect: Allow
    ///             Action: sts:AssumeRole
    ///             Principal:
    ///               Service: ec2.amazonaws.com
    /// ```
    /// A Deny that closes every way:
    /// ```terraform good
    /// resource "aws_iam_policy" "cap" {
    ///   name = "cap"
    ///   policy = jsonencode({
    ///     Version = "2012-10-17"
    ///     Statement = [
    ///       { Effect = "Allow", Action = "*", Resource = "*" },
    ///       { Effect = "Deny", Action = "iam:*", Resource = "*" },
    ///     ]
    ///   })
    /// }
    /// resource "aws_iam_role" "team" {
    ///   name                 = "team"
    ///   permissions_boundary = aws_iam_policy.cap.arn
    ///   assume_role_policy = jsonencode({
    ///     Version   = "2012-10-17"
    ///     Statement = [{ Effect = "Allow", Action = "sts:AssumeRole", Principal = { Service = "ec2.amazonaws.com" } }]
    ///   })
    /// }
    /// ```
    /// Compute that is there already is what grants are judged by, not boundaries:
    /// ```terraform good
    /// resource "aws_iam_policy" "cap" {
    ///   name = "cap"
    ///   policy = jsonencode({
    ///     Version   = "2012-10-17"
    ///     Statement = [{ Effect = "Allow", Action = ["lambda:*", "ssm:*", "ec2:*"], Resource = "*" }]
    ///   })
    /// }
    /// resource "aws_iam_role" "team" {
    ///   name                 = "team"
    ///   permissions_boundary = aws_iam_policy.cap.arn
    ///   assume_role_policy = jsonencode({
    ///     Version   = "2012-10-17"
    ///     Statement = [{ Effect = "Allow", Action = "sts:AssumeRole", Principal = { Service = "ec2.amazonaws.com" } }]
    ///   })
    /// }
    /// ```
    /// A default that stands for none is low, for whoever deploys the code can give one:
    /// ```cloudformation good at:low
    /// Parameters:
    ///   Boundary:
    ///     Type: String
    ///     Default: arn:aws:iam::aws:policy/AdministratorAccess
    /// Resources:
    ///   Team:
    ///     Type: AWS::IAM::Role
    ///     Properties:
    ///       PermissionsBoundary: !Ref Boundary
    ///       AssumeRolePolicyDocument:
    ///         Version: "2012-10-17"
    ///         Statement:
    ///           - Effect: Allow
    ///             Action: sts:AssumeRole
    ///             Principal:
    ///               Service: ec2.amazonaws.com
    /// ```
    /// ```terraform good at:low
    /// variable "boundary" {
    ///   type    = string
    ///   default = "arn:aws:iam::aws:policy/AdministratorAccess"
    /// }
    /// resource "aws_iam_role" "team" {
    ///   name                 = "team"
    ///   permissions_boundary = var.boundary
    ///   assume_role_policy = jsonencode({
    ///     Version   = "2012-10-17"
    ///     Statement = [{ Effect = "Allow", Action = "sts:AssumeRole", Principal = { Service = "ec2.amazonaws.com" } }]
    ///   })
    /// }
    /// ```
    /// ## How to fix
    /// Allow the services that the role may ever use, and deny what changes identities, trust, boundaries
    /// and credentials.
    pub(crate) static BOUNDARY_NOOP = Rule {
        id: "boundary-noop",
        family: Family::Boundary,
        severity: Severity::Medium,
        confidence: Confidence::High,
        scope: Scope::Module,
        since: "0.1.0",
        cwe: &[269, 266],
        aliases: &[],
        mappings: &[("NIST", "AC-6"), ("ATT&CK", "T1098.003")],
        references: &["https://docs.aws.amazon.com/IAM/latest/UserGuide/access_policies_boundaries.html"],
        check: check,
    };
}

const HELP: &str = "allow the services that are needed, and deny changes of identities, trust, boundaries and credentials";

fn check(cx: &mut Context<'_>) {
    for limit in boundaries::limits(cx) {
        let document = &limit.policy.document;
        if document.denies().any(boundaries::denies_iam) {
            // `boundary-iam-denylist-incomplete` names what its Deny forgets.
            continue;
        }
        let open = left_open(document);
        let Some(action) = open.first() else { continue };
        let Some(statement) = document.allows().find(|one| {
            one.actions.select(&action.to_string()).possible() && one.is_certain()
        }) else {
            continue;
        };
        let actions = statement.actions.listed();
        let src = statement
            .actions
            .pattern_for(&action.to_string())
            .map_or(&actions.key_src, |item| item.pattern().src());
        let text = format!("{} does not limit: it leaves {}", limit.subject(), words(&open));
        let mut report = cx
            .finding(&limit.policy.place, src, text)
            .statement(statement)
            .help(HELP);
        for identity in &limit.limited {
            report = report.principal(&identity.place);
        }
        cx.report(report);
    }
    for (index, identity) in cx.model.identities.iter().enumerate() {
        let Boundary::AwsManaged { name, document } = cx.access.boundary(IdentityId(index)) else {
            continue;
        };
        let open = left_open(&document);
        let (Some(boundary), false) = (&identity.boundary, open.is_empty()) else {
            continue;
        };
        let who = names::identity(identity);
        let text = format!("boundary `{name}` does not limit {who}: it leaves {}", words(&open));
        let severity = if is_default(&boundary.src) {
            Severity::Low
        } else {
            Severity::Medium
        };
        let report = cx
            .finding(&identity.place, &boundary.src, text)
            .severity(severity)
            .when(&boundary.guard)
            .cell(name.as_str())
            .principal(&identity.place)
            .help(HELP);
        cx.report(report);
    }
}

/// Whether the value is the default of a parameter or variable, as the front ends label such a hop.
fn is_default(src: &Src) -> bool {
    src.hops().iter().any(|hop| hop.label.starts_with("default of "))
}

fn words(open: &[Action<'_>]) -> String {
    format!("{} open on every resource", list_actions(open))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::Scene;
    use overgrant_policy::managed_document;

    fn found(statements: &str) -> usize {
        Scene::new()
            .resource(
                "aws_iam_policy",
                "cap",
                &format!(r#"{{"name":"cap","policy":"{{\"Statement\":[{statements}]}}"}}"#),
            )
            .resource(
                "aws_iam_role",
                "r",
                r#"{"name":"r","permissions_boundary":"arn:aws:iam::123456789012:policy/cap"}"#,
            )
            .places(&BOUNDARY_NOOP)
            .len()
    }

    #[test]
    fn the_document_decides() {
        let allow = |action: &str, more: &str| {
            format!(r#"{{\"Effect\":\"Allow\",\"Action\":\"{action}\",\"Resource\":\"*\"{more}}}"#)
        };
        assert_eq!(found(&allow("*", "")), 1);
        assert_eq!(found(&allow("iam:*", "")), 1);
        assert_eq!(found(&allow("s3:*", "")), 0);
        // PassRole alone wins nothing.
        assert_eq!(found(&allow("iam:PassRole", "")), 0);
        let bounded = r#",\"Condition\":{\"StringEquals\":{\"iam:PermissionsBoundary\":\"arn:aws:iam::123456789012:policy/cap\"}}"#;
        assert_eq!(found(&allow("iam:*", bounded)), 0);
    }

    #[test]
    fn what_is_not_a_boundary_is_not_judged() {
        let found = Scene::new()
            .statements(r#"{"Effect":"Allow","Action":"*","Resource":"*"}"#)
            .places(&BOUNDARY_NOOP);
        assert!(found.is_empty());
    }

    #[test]
    fn aws_policies_are_read() {
        use overgrant_catalog::catalog;
        let document = |name: &str| {
            let policy = catalog().managed_policy(name).unwrap();
            managed_document(policy)
        };
        assert!(!left_open(&document("AdministratorAccess")).is_empty());
        assert!(!left_open(&document("IAMFullAccess")).is_empty());
        assert!(left_open(&document("PowerUserAccess")).is_empty());
        let pass = catalog().find_action("iam:PassRole").unwrap();
        assert!(boundaries::leaves(&document("AdministratorAccess"), pass));
    }
}
