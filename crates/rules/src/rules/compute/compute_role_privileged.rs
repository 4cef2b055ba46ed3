//! `compute-role-privileged`: code that runs as administrator.

use crate::escalate;
use crate::{Context, Family, Scope, names};
use overgrant_access::graph::Node;
use overgrant_finding::{Confidence, Severity};
use overgrant_ir::{IdentityKind, Workload};

rule! {
    /// Code runs with an administrator's role.
    ///
    /// A function, instance, task, build or the like runs with a role that is administrator of the
    /// account or can make itself one.
    ///
    /// ## Why
    /// A flaw in the code or in one of its libraries, or a request that reaches the credentials of the
    /// role, then hands over the account and not only the application.
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
    ///   policy_arn = "arn:aws:iam::aws:policy/AdministratorAccess"
    /// }
    /// resource "aws_lambda_function" "app" {
    ///   function_name = "app"
    ///   role          = aws_iam_role.app.arn
    ///   handler       = "main.handler"
    ///   runtime       = "python3.13"
    ///   filename      = "app.zip"
    /// }
    /// ```
    /// ```cloudformation bad
    /// Resources:
    ///   Role:
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
    ///         - arn:aws:iam::aws:policy/AdministratorAccess
    ///   App:
    ///     Type: AWS::Lambda::Function
    ///     Properties:
    ///       Role: !GetAtt Role.Arn
    ///       Handler: main.handler
    ///       Runtime: python3.13
    ///       Code:
    ///         S3Bucket: acme-code
    ///         S3Key: app.zip
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
    /// resource "aws_lambda_function" "app" {
    ///   function_name = "app"
    ///   role          = aws_iam_role.app.arn
    ///   handler       = "main.handler"
    ///   runtime       = "python3.13"
    ///   filename      = "app.zip"
    /// }
    /// ```
    /// ```cloudformation good
    /// Resources:
    ///   Role:
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
    ///         - arn:aws:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole
    ///   App:
    ///     Type: AWS::Lambda::Function
    ///     Properties:
    ///       Role: !GetAtt Role.Arn
    ///       Handler: main.handler
    ///       Runtime: python3.13
    ///       Code:
    ///         S3Bucket: acme-code
    ///         S3Key: app.zip
    /// ```
    /// Runners that deploy stand in the configuration, and patching needs no more than AWS's policy for it:
    /// ```terraform good
    /// resource "aws_iam_role" "patched" {
    ///   name = "patched"
    ///   assume_role_policy = jsonencode({
    ///     Version   = "2012-10-17"
    ///     Statement = [{ Effect = "Allow", Action = "sts:AssumeRole", Principal = { Service = "ec2.amazonaws.com" } }]
    ///   })
    /// }
    /// resource "aws_iam_role_policy_attachment" "patched" {
    ///   role       = aws_iam_role.patched.name
    ///   policy_arn = "arn:aws:iam::aws:policy/AmazonSSMManagedInstanceCore"
    /// }
    /// resource "aws_iam_instance_profile" "patched" {
    ///   role = aws_iam_role.patched.name
    /// }
    /// resource "aws_instance" "patched" {
    ///   ami                  = "ami-0123456789abcdef0"
    ///   instance_type        = "t3.small"
    ///   iam_instance_profile = aws_iam_instance_profile.patched.name
    ///   metadata_options { http_tokens = "required" }
    /// }
    /// ```
    /// ## How to fix
    /// Give the code a role of its own with the actions that it uses.
    pub(crate) static COMPUTE_ROLE_PRIVILEGED = Rule {
        id: "compute-role-privileged",
        family: Family::Compute,
        severity: Severity::High,
        confidence: Confidence::High,
        scope: Scope::Module,
        since: "0.1.0",
        cwe: &[250, 918],
        aliases: &[],
        mappings: &[
            ("CIS5", "1.17"),
            ("NIST", "AC-6"),
            ("ATT&CK", "T1552.005"),
            ("ATT&CK", "T1078.004"),
            ("ATT&CK", "T1610"),
            ("NIST", "CM-7"),
        ],
        references: &[
            "https://docs.aws.amazon.com/IAM/latest/UserGuide/best-practices.html#bp-workloads-use-roles",
        ],
        check: check,
    };
}

fn check(cx: &mut Context<'_>) {
    let model = cx.model;
    for (id, role) in model.of_kind(IdentityKind::Role) {
        let workloads: Vec<&Workload> = cx
            .access
            .workloads(id)
            .iter()
            .filter_map(|index| model.workloads.get(*index))
            .filter(|workload| workload.compute && workload.place.maker != overgrant_ir::Maker::Framework)
            .collect();
        let Some((first, rest)) = workloads.split_first() else {
            continue;
        };
        let how = if escalate::is_admin(cx, id) {
            "which is administrator"
        } else if escalate::reaches_admin(cx, id) {
            "which can make itself administrator"
        } else {
            continue;
        };
        // A role of another root is told there.
        if escalate::is_admin(cx, id) && first.place.root != role.place.root {
            continue;
        }
        let text = format!(
            "`{}` runs with role `{}`, {how}",
            first.place.address,
            names::plain(role)
        );
        let mut report = cx
            .finding(&first.place, &first.role.src, text)
            .when(&first.role.guard)
            .cell(role.name.key())
            .principal(&role.place)
            .related(
                &role.place.name_src,
                format!("`{}`", role.place.address),
                Some(&role.place),
            )
            .help("give the code a role of its own with the actions that it uses");
        let route = || cx.access.graph().route_to_admin(Node::Identity(id));
        if !escalate::is_admin(cx, id)
            && route().is_some_and(|route| escalate::only_starts_builds(cx, id, &route))
        {
            report = report.severity(Severity::Low);
        }
        for other in rest {
            report = report.related(
                &other.role.src,
                format!("`{}` runs with it too", other.place.address),
                Some(&other.place),
            );
        }
        cx.report(report);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{Scene, inline, trusting};

    fn found(policy: &str) -> Vec<String> {
        Scene::new()
            .resource("aws_iam_role", "app", r#"{"name":"app"}"#)
            .resource(
                "aws_iam_role_policy_attachment",
                "app",
                &format!(r#"{{"role":"app","policy_arn":"arn:aws:iam::aws:policy/{policy}"}}"#),
            )
            .resource(
                "aws_lambda_function",
                "app",
                r#"{"function_name":"app","role":"arn:aws:iam::123456789012:role/app"}"#,
            )
            .places(&COMPUTE_ROLE_PRIVILEGED)
    }

    #[test]
    fn administrators_are_found_at_the_workload() {
        let place = r#""arn:aws:iam::123456789012:role/app""#;
        assert_eq!(found("AdministratorAccess"), [place]);
        assert_eq!(found("IAMFullAccess"), [place]);
        assert_eq!(found("ReadOnlyAccess"), Vec::<String>::new());
    }

    #[test]
    fn a_pipeline_that_starts_its_build_is_low() {
        let found = |service: &str, project: &str| {
            let start = format!(
                r#"{{"Effect":"Allow","Action":"codebuild:StartBuild","Resource":"arn:aws:codebuild:*:*:project/{project}"}}"#
            );
            let writes = r#"{"Effect":"Allow","Action":"iam:PutRolePolicy","Resource":"*"}"#;
            let of = |service: &str| format!(r#"{{"Service":"{service}.amazonaws.com"}}"#);
            let role = |name: &str| format!("arn:aws:iam::123456789012:role/{name}");
            Scene::new()
                .resource("aws_iam_role", "build", &trusting("build", &of("codebuild")))
                .resource("aws_iam_role_policy", "build", &inline("build", writes))
                .resource(
                    "aws_codebuild_project",
                    "release",
                    &format!(r#"{{"name":"release","service_role":"{}"}}"#, role("build")),
                )
                .resource("aws_iam_role", "start", &trusting("start", &of(service)))
                .resource("aws_iam_role_policy", "start", &inline("start", &start))
                .resource(
                    "aws_codepipeline",
                    "release",
                    &format!(r#"{{"name":"release","role_arn":"{}"}}"#, role("start")),
                )
                .run(&COMPUTE_ROLE_PRIVILEGED)
                .into_iter()
                .filter(|(_, finding)| finding.message.contains("`start`"))
                .map(|(_, finding)| finding.severity)
                .collect::<Vec<_>>()
        };
        assert_eq!(found("codepipeline", "release"), [Severity::Low]);
        assert_eq!(found("codepipeline", "*"), [Severity::High]);
        assert_eq!(found("lambda", "release"), [Severity::High]);
    }
}
