//! `managed-administratoraccess`: AWS's administrator policies.

use crate::listed::is_listed;
use crate::managed::{self, Managed, Usage};
use crate::{Context, Family, Scope};
use overgrant_finding::{Confidence, Severity};
use overgrant_policy::{Answer, managed_document};

rule! {
    /// AWS's AdministratorAccess is attached.
    ///
    /// A user, a group or a role that code or a pipeline runs with has an AWS managed policy that allows
    /// everything.
    ///
    /// ## Why
    /// A leaked key, a flaw in the code or a changed pipeline is then enough to take over the account.
    ///
    /// ## Bad
    /// ```terraform bad
    /// resource "aws_iam_role" "app" {
    ///   name = "app"
    ///   assume_role_policy = jsonencode({
    ///     Version   = "2012-10-17"
    ///     Statement = [{ Effect = "Allow", Action = "sts:AssumeRole", Principal = { Service = "lambda.amazonaws.com" } }]
    ///   })
    /// }
    /// resource "aws_iam_role_policy_attachment" "app" {
    ///   role       = aws_iam_role.app.name
    ///   policy_arn = "arn:aws:iam::aws:policy/AdministratorAccess" # <-- here
    /// }
    /// ```
    /// ```cloudformation bad
    /// Resources:
    ///   App:
    ///     Type: AWS::IAM::Role
    ///     Properties:
    ///       AssumeRolePolicyDocument:
    ///         Version: "2012-10-17"
    ///         Statement:
    ///           - Effect: Allow
    ///             Action: sts:AssumeRole
    ///             Principal:
    ///               Service: lambda.amazonaws.com
    ///       ManagedPolicyArns:
    ///         - !Sub arn:${AWS::Partition}:iam::aws:policy/AdministratorAccess # <-- here
    /// ```
    /// ## Good
    /// ```terraform good
    /// resource "aws_iam_role" "app" {
    ///   name = "app"
    ///   assume_role_policy = jsonencode({
    ///     Version   = "2012-10-17"
    ///     Statement = [{ Effect = "Allow", Action = "sts:AssumeRole", Principal = { Service = "lambda.amazonaws.com" } }]
    ///   })
    /// }
    /// resource "aws_iam_role_policy_attachment" "app" {
    ///   role       = aws_iam_role.app.name
    ///   policy_arn = "arn:aws:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole"
    /// }
    /// ```
    /// ```cloudformation good
    /// Resources:
    ///   App:
    ///     Type: AWS::IAM::Role
    ///     Properties:
    ///       AssumeRolePolicyDocument:
    ///         Version: "2012-10-17"
    ///         Statement:
    ///           - Effect: Allow
    ///             Action: sts:AssumeRole
    ///             Principal:
    ///               Service: lambda.amazonaws.com
    ///       ManagedPolicyArns:
    ///         - !Sub arn:${AWS::Partition}:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole
    /// ```
    /// The emergency role, the deployer and the role that Organizations makes in new accounts are meant to administer:
    /// ```terraform good break_glass:emergency deployer_roles:aws_iam_role.platform
    /// resource "aws_iam_role" "emergency" {
    ///   name = "emergency"
    ///   assume_role_policy = jsonencode({
    ///     Version   = "2012-10-17"
    ///     Statement = [{ Effect = "Allow", Action = "sts:AssumeRole", Principal = { Service = "ssm.amazonaws.com" } }]
    ///   })
    /// }
    /// resource "aws_iam_role_policy_attachment" "emergency" {
    ///   role       = aws_iam_role.emergency.name
    ///   policy_arn = "arn:aws:iam::aws:policy/AdministratorAccess"
    /// }
    /// resource "aws_iam_role" "platform" {
    ///   name = "platform"
    ///   assume_role_policy = jsonencode({
    ///     Version   = "2012-10-17"
    ///     Statement = [{ Effect = "Allow", Action = "sts:AssumeRole", Principal = { Service = "codebuild.amazonaws.com" } }]
    ///   })
    /// }
    /// resource "aws_iam_role_policy_attachment" "platform" {
    ///   role       = aws_iam_role.platform.name
    ///   policy_arn = "arn:aws:iam::aws:policy/AdministratorAccess"
    /// }
    /// resource "aws_iam_role" "organization" {
    ///   name = "OrganizationAccountAccessRole"
    ///   assume_role_policy = jsonencode({
    ///     Version   = "2012-10-17"
    ///     Statement = [{ Effect = "Allow", Action = "sts:AssumeRole", Principal = { AWS = "arn:aws:iam::111122223333:root" } }]
    ///   })
    /// }
    /// resource "aws_iam_role_policy_attachment" "organization" {
    ///   role       = aws_iam_role.organization.name
    ///   policy_arn = "arn:aws:iam::aws:policy/AdministratorAccess"
    /// }
    /// ```
    /// A permission set is another rule's:
    /// ```terraform good under:permission-set-admin
    /// resource "aws_ssoadmin_permission_set" "admin" {
    ///   name         = "admin"
    ///   instance_arn = "arn:aws:sso:::instance/ssoins-1111222233334444"
    /// }
    /// resource "aws_ssoadmin_managed_policy_attachment" "admin" {
    ///   instance_arn       = aws_ssoadmin_permission_set.admin.instance_arn
    ///   permission_set_arn = aws_ssoadmin_permission_set.admin.arn
    ///   managed_policy_arn = "arn:aws:iam::aws:policy/AdministratorAccess"
    /// }
    /// ```
    /// So is the role that the bootstrap of the CDK makes for CloudFormation:
    /// ```cloudformation good
    /// Resources:
    ///   CloudFormationExecutionRole:
    ///     Type: AWS::IAM::Role
    ///     Properties:
    ///       RoleName: !Sub cdk-hnb659fds-cfn-exec-role-${AWS::AccountId}-${AWS::Region}
    ///       AssumeRolePolicyDocument:
    ///         Version: "2012-10-17"
    ///         Statement:
    ///           - Effect: Allow
    ///             Action: sts:AssumeRole
    ///             Principal:
    ///               Service: cloudformation.amazonaws.com
    ///       ManagedPolicyArns:
    ///         - !Sub arn:${AWS::Partition}:iam::aws:policy/AdministratorAccess
    /// ```
    /// Control Tower demands a role of this name with the policy:
    /// ```terraform good
    /// resource "aws_iam_role" "control_tower" {
    ///   name = "AWSControlTowerExecution"
    ///   assume_role_policy = jsonencode({
    ///     Version   = "2012-10-17"
    ///     Statement = [{ Effect = "Allow", Action = "sts:AssumeRole", Principal = { AWS = "arn:aws:iam::111122223333:root" } }]
    ///   })
    /// }
    /// resource "aws_iam_role_policy_attachment" "control_tower" {
    ///   role       = aws_iam_role.control_tower.name
    ///   policy_arn = "arn:aws:iam::aws:policy/AdministratorAccess"
    /// }
    /// ```
    /// ## How to fix
    /// Write a policy with the actions that are needed. Where deployment needs nearly all of them, add a
    /// permissions boundary and list the role under `deployer_roles`.
    pub(crate) static MANAGED_ADMINISTRATORACCESS = Rule {
        id: "managed-administratoraccess",
        family: Family::Grant,
        severity: Severity::High,
        confidence: Confidence::High,
        scope: Scope::Module,
        since: "0.1.0",
        cwe: &[269],
        aliases: &["CKV_AWS_274", "W43", "iam_role_administratoraccess_policy"],
        mappings: &[
            ("CIS5", "1.15"),
            ("FSBP", "IAM.1"),
            ("NIST", "AC-6"),
            ("NIST", "AC-3"),
            ("ATT&CK", "T1078.004"),
        ],
        references: &[
            "https://docs.aws.amazon.com/aws-managed-policy/latest/reference/AdministratorAccess.html",
        ],
        check: check,
    };
}

fn check(cx: &mut Context<'_>) {
    for one in managed::attached(cx) {
        if !one.policy.name().starts_with("AdministratorAccess") || is_accepted(cx, &one) {
            continue;
        }
        let amplify = one.policy.name() != "AdministratorAccess" && !is_everything(&one);
        let (severity, note) = match one.usage(cx) {
            _ if one.is_bounded(cx) => (Severity::Medium, Some("a permissions boundary limits it")),
            Usage::People | Usage::Workload => (Severity::High, None),
            Usage::Assumed => (
                Severity::Low,
                Some("the role is assumed by principals of AWS or of a directory, as administrators' roles are"),
            ),
            Usage::Other => (Severity::Medium, None),
        };
        let what = match (one.is_bounded(cx), amplify) {
            (true, _) => "may do all that its boundary allows",
            (false, true) => "is nearly administrator",
            (false, false) => "is administrator",
        };
        let text = format!("{} {what}: it has `{}`", one.holder(), one.policy.name());
        let mut report = cx
            .finding(&one.attachment.place, &one.attachment.policy.src, text)
            .cell(one.policy.path_and_name())
            .when(&one.attachment.policy.guard)
            .severity(severity)
            .help("grant the actions that are needed");
        if let Some(note) = note {
            report = report.note(note);
        }
        if let Some((_, identity)) = one.identity {
            report = report.principal(&identity.place).related(
                &identity.place.name_src,
                format!("`{}`", identity.place.address),
                Some(&identity.place),
            );
        }
        cx.report(report);
    }
}

fn is_everything(one: &Managed<'_>) -> bool {
    managed_document(one.policy)
        .statements
        .iter()
        .any(|statement| statement.grants_admin() == Answer::Must)
}

/// Declared administrators, and roles that AWS and frameworks make as such.
fn is_accepted(cx: &Context<'_>, one: &Managed<'_>) -> bool {
    one.identity.is_some_and(|(_, identity)| {
        let name = &identity.name;
        let named = name.is("OrganizationAccountAccessRole")
            // Control Tower demands it with this policy. Source: AWS Control Tower, "How AWS Control Tower works
            // with roles to create and manage accounts".
            || name.is("AWSControlTowerExecution")
            || name.contains("-cfn-exec-role-") == Answer::Must;
        named
            || is_listed(&cx.settings.break_glass, identity)
            || is_listed(&cx.settings.deployer_roles, identity)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::Scene;

    fn found(policy: &str, principal: &str) -> Vec<Severity> {
        bounded(policy, principal, "")
    }

    fn bounded(policy: &str, principal: &str, more: &str) -> Vec<Severity> {
        let trust = format!(
            r#"{{\"Statement\":{{\"Effect\":\"Allow\",\"Action\":\"sts:AssumeRole\",\"Principal\":{principal}}}}}"#
        );
        Scene::new()
            .resource(
                "aws_iam_role",
                "app",
                &format!(r#"{{"name":"app","assume_role_policy":"{trust}"{more}}}"#),
            )
            .resource(
                "aws_iam_role_policy_attachment",
                "app",
                &format!(r#"{{"role":"app","policy_arn":"arn:aws:iam::aws:policy/{policy}"}}"#),
            )
            .run(&MANAGED_ADMINISTRATORACCESS)
            .into_iter()
            .map(|(_, finding)| finding.severity)
            .collect()
    }

    #[test]
    fn use_decides_the_weight() {
        let service = r#"{\"Service\":\"lambda.amazonaws.com\"}"#;
        let account = r#"{\"AWS\":\"arn:aws:iam::123456789012:root\"}"#;
        assert_eq!(found("AdministratorAccess", service), [Severity::High]);
        assert_eq!(found("AdministratorAccess-Amplify", service), [Severity::High]);
        assert_eq!(found("AdministratorAccess", account), [Severity::Low]);
        assert_eq!(found("ReadOnlyAccess", service), []);
    }

    #[test]
    fn a_boundary_that_allows_everything_is_none() {
        let service = r#"{\"Service\":\"lambda.amazonaws.com\"}"#;
        for (boundary, severity) in [
            ("PowerUserAccess", Severity::Medium),
            ("AdministratorAccess", Severity::High),
        ] {
            let more = format!(r#","permissions_boundary":"arn:aws:iam::aws:policy/{boundary}""#);
            assert_eq!(bounded("AdministratorAccess", service, &more), [severity], "{boundary}");
        }
    }
}
