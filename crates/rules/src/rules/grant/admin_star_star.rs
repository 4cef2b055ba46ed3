//! `admin-star-star`: one statement that grants everything.

use crate::grants::{self, Grant};
use crate::listed::is_listed;
use crate::{Context, Family, Scope};
use overgrant_finding::{Confidence, Severity};
use overgrant_ir::DocumentRole;
use overgrant_policy::{ActionSet, Answer, Effect};

rule! {
    /// Statement allows every action on every resource.
    ///
    /// One statement of an identity policy covers all actions, however they are spelt (`*`, `*:*`, a
    /// list that adds up to all), on all resources. Whoever holds it administers the account.
    ///
    /// ## Why
    /// A single leaked key, a flaw in the code that runs with the role or a careless command is then
    /// enough to take over the account, to delete it or to hide in it.
    ///
    /// ## Bad
    /// ```terraform bad
    /// resource "aws_iam_role" "deploy" {
    ///   name = "deploy"
    ///   assume_role_policy = jsonencode({
    ///     Version   = "2012-10-17"
    ///     Statement = [{ Effect = "Allow", Action = "sts:AssumeRole", Principal = { Service = "codebuild.amazonaws.com" } }]
    ///   })
    /// }
    /// resource "aws_iam_role_policy" "deploy" {
    ///   role = aws_iam_role.deploy.name
    ///   policy = jsonencode({
    ///     Version = "2012-10-17"
    ///     Statement = [{
    ///       Effect   = "Allow"
    ///       Action   = "*:*" # <-- here
    ///       Resource = "*"
    ///     }]
    ///   })
    /// }
    /// ```
    /// ```cloudformation bad
    /// Resources:
    ///   Deploy:
    ///     Type: AWS::IAM::Role
    ///     Properties:
    ///       AssumeRolePolicyDocument:
    ///         Version: "2012-10-17"
    ///         Statement:
    ///           - Effect: Allow
    ///             Action: sts:AssumeRole
    ///             Principal:
    ///               Service: codebuild.amazonaws.com
    ///       Policies:
    ///         - PolicyName: all
    ///           PolicyDocument:
    ///             Version: "2012-10-17"
    ///             Statement:
    ///               - Effect: Allow
    ///                 Action: "*" # <-- here
    ///                 Resource: "*"
    /// ```
    /// A condition lowers it to high:
    /// ```terraform bad at:high
    /// resource "aws_iam_role" "ops" {
    ///   name = "ops"
    ///   assume_role_policy = jsonencode({
    ///     Version   = "2012-10-17"
    ///     Statement = [{ Effect = "Allow", Action = "sts:AssumeRole", Principal = { Service = "codebuild.amazonaws.com" } }]
    ///   })
    /// }
    /// resource "aws_iam_role_policy" "ops" {
    ///   role = aws_iam_role.ops.name
    ///   policy = jsonencode({
    ///     Version = "2012-10-17"
    ///     Statement = [{
    ///       Effect    = "Allow"
    ///       Action    = "*" # <-- here
    ///       Resource  = "*"
    ///       Condition = { StringEquals = { "aws:SourceVpce" = "vpce-0a1b2c3d" } }
    ///     }]
    ///   })
    /// }
    /// ```
    /// A boundary, or a Deny that takes writing in IAM away, lowers it to medium:
    /// ```terraform bad at:medium
    /// resource "aws_iam_role" "build" {
    ///   name = "build"
    ///   assume_role_policy = jsonencode({
    ///     Version   = "2012-10-17"
    ///     Statement = [{ Effect = "Allow", Action = "sts:AssumeRole", Principal = { Service = "codebuild.amazonaws.com" } }]
    ///   })
    /// }
    /// resource "aws_iam_role_policy" "build" {
    ///   role = aws_iam_role.build.name
    ///   policy = jsonencode({
    ///     Version = "2012-10-17"
    ///     Statement = [
    ///       { Effect = "Allow", Action = "*", Resource = "*" }, # <-- here
    ///       { Effect = "Deny", Action = ["iam:*", "organizations:*"], Resource = "*" },
    ///     ]
    ///   })
    /// }
    /// ```
    /// A policy that nothing is attached to is medium:
    /// ```cloudformation bad at:medium
    /// Resources:
    ///   All:
    ///     Type: AWS::IAM::ManagedPolicy
    ///     Properties:
    ///       PolicyDocument:
    ///         Version: "2012-10-17"
    ///         Statement:
    ///           - Effect: Allow
    ///             Action: "*" # <-- here
    ///             Resource: "*"
    /// ```
    /// The same as JSON:
    /// ```terraform bad
    /// resource "aws_iam_role" "deploy" {
    ///   name = "deploy"
    ///   assume_role_policy = jsonencode({
    ///     Version   = "2012-10-17"
    ///     Statement = [{ Effect = "Allow", Action = "sts:AssumeRole", Principal = { Service = "codebuild.amazonaws.com" } }]
    ///   })
    /// }
    /// resource "aws_iam_role_policy" "deploy" {
    ///   role = aws_iam_role.deploy.name
    ///   policy = <<-JSON
    ///     {
    ///       "Version": "2012-10-17",
    ///       "Statement": [
    ///         {
    ///           "Effect": "Allow",
    ///           "Action": "*:*", # <-- here
    ///           "Resource": "*"
    ///         }
    ///       ]
    ///     }
    ///   JSON
    /// }
    /// ```
    /// A boundary that takes nothing away lowers nothing:
    /// ```terraform bad at:critical also:boundary-noop,managed-administratoraccess
    /// resource "aws_iam_role" "app" {
    ///   name                 = "app"
    ///   permissions_boundary = "arn:aws:iam::aws:policy/AdministratorAccess"
    ///   assume_role_policy = jsonencode({
    ///     Version   = "2012-10-17"
    ///     Statement = [{ Effect = "Allow", Action = "sts:AssumeRole", Principal = { Service = "ec2.amazonaws.com" } }]
    ///   })
    /// }
    /// resource "aws_iam_role_policy" "app" {
    ///   role = aws_iam_role.app.name
    ///   policy = jsonencode({
    ///     Version   = "2012-10-17"
    ///     Statement = [{ Effect = "Allow", Action = "*", Resource = "*" }] # <-- here
    ///   })
    /// }
    /// ```
    /// ## Good
    /// ```terraform good
    /// resource "aws_iam_policy" "publish" {
    ///   name = "publish"
    ///   policy = jsonencode({
    ///     Version = "2012-10-17"
    ///     Statement = [{
    ///       Effect   = "Allow"
    ///       Action   = ["s3:PutObject", "s3:DeleteObject"]
    ///       Resource = "arn:aws:s3:::acme-site/*"
    ///     }]
    ///   })
    /// }
    /// ```
    /// A permissions boundary grants nothing by itself:
    /// ```terraform good
    /// resource "aws_iam_policy" "boundary" {
    ///   name = "boundary"
    ///   policy = jsonencode({
    ///     Version = "2012-10-17"
    ///     Statement = [
    ///       { Effect = "Allow", Action = "*", Resource = "*" },
    ///       { Effect = "Deny", Action = ["iam:*", "organizations:*"], Resource = "*" },
    ///     ]
    ///   })
    /// }
    /// resource "aws_iam_role" "batch" {
    ///   name                 = "batch"
    ///   permissions_boundary = aws_iam_policy.boundary.arn
    ///   assume_role_policy = jsonencode({
    ///     Version   = "2012-10-17"
    ///     Statement = [{ Effect = "Allow", Action = "sts:AssumeRole", Principal = { Service = "ec2.amazonaws.com" } }]
    ///   })
    /// }
    /// ```
    /// ```cloudformation good
    /// Resources:
    ///   Key:
    ///     Type: AWS::KMS::Key
    ///     Properties:
    ///       KeyPolicy:
    ///         Version: "2012-10-17"
    ///         Statement:
    ///           - Effect: Allow
    ///             Action: kms:*
    ///             Resource: "*"
    ///             Principal:
    ///               AWS: !Sub arn:${AWS::Partition}:iam::${AWS::AccountId}:root
    /// ```
    /// Nor do the policies of an organization and of an endpoint grant by themselves:
    /// ```terraform good
    /// resource "aws_organizations_policy" "full" {
    ///   name = "full"
    ///   content = jsonencode({
    ///     Version   = "2012-10-17"
    ///     Statement = [{ Effect = "Allow", Action = "*", Resource = "*" }]
    ///   })
    /// }
    /// resource "aws_vpc_endpoint" "s3" {
    ///   vpc_id       = "vpc-0a1b2c3d"
    ///   service_name = "com.amazonaws.eu-west-1.s3"
    ///   policy = jsonencode({
    ///     Version   = "2012-10-17"
    ///     Statement = [{ Effect = "Allow", Action = "*", Resource = "*", Principal = "*", Condition = { StringEquals = { "aws:PrincipalOrgID" = "o-a1b2c3d4e5" } } }]
    ///   })
    /// }
    /// ```
    /// The emergency role is listed in the configuration:
    /// ```terraform good break_glass:emergency
    /// resource "aws_iam_role" "emergency" {
    ///   name = "emergency"
    ///   assume_role_policy = jsonencode({
    ///     Version = "2012-10-17"
    ///     Statement = [{
    ///       Effect    = "Allow"
    ///       Action    = "sts:AssumeRole"
    ///       Principal = { AWS = "arn:aws:iam::111122223333:root" }
    ///       Condition = { Bool = { "aws:MultiFactorAuthPresent" = "true" } }
    ///     }]
    ///   })
    /// }
    /// resource "aws_iam_role_policy" "emergency" {
    ///   role = aws_iam_role.emergency.name
    ///   policy = jsonencode({
    ///     Version   = "2012-10-17"
    ///     Statement = [{ Effect = "Allow", Action = "*", Resource = "*" }]
    ///   })
    /// }
    /// ```
    /// AWS's own policy is another rule's, and so is a permission set:
    /// ```terraform good also:managed-administratoraccess under:permission-set-admin
    /// resource "aws_iam_group" "admins" {
    ///   name = "admins"
    /// }
    /// resource "aws_iam_group_policy_attachment" "admins" {
    ///   group      = aws_iam_group.admins.name
    ///   policy_arn = "arn:aws:iam::aws:policy/AdministratorAccess"
    /// }
    /// resource "aws_ssoadmin_permission_set" "admin" {
    ///   name         = "admin"
    ///   instance_arn = "arn:aws:sso:::instance/ssoins-1111222233334444"
    /// }
    /// resource "aws_ssoadmin_permission_set_inline_policy" "admin" {
    ///   instance_arn       = aws_ssoadmin_permission_set.admin.instance_arn
    ///   permission_set_arn = aws_ssoadmin_permission_set.admin.arn
    ///   inline_policy = jsonencode({
    ///     Version   = "2012-10-17"
    ///     Statement = [{ Effect = "Allow", Action = "*", Resource = "*" }]
    ///   })
    /// }
    /// ```
    /// ## How to fix
    /// Grant the actions that the work needs on the resources that it touches. Keep one emergency role
    /// that wants MFA, and list it under `break_glass`.
    pub(crate) static ADMIN_STAR_STAR = Rule {
        id: "admin-star-star",
        family: Family::Grant,
        severity: Severity::Critical,
        confidence: Confidence::High,
        scope: Scope::Module,
        since: "0.1.0",
        cwe: &[269],
        aliases: &[
            "CKV_AWS_1",
            "CKV_AWS_62",
            "AWS-0057",
            "F3",
            "F4",
            "F5",
            "iam_inline_policy_no_administrative_privileges",
            "iam_customer_attached_policy_no_administrative_privileges",
            "iam-policy-no-statements-with-admin-access",
            "CKV_AWS_274",
            "W11",
            "W12",
            "W13",
            "AwsSolutions-IAM5",
        ],
        mappings: &[
            ("CIS5", "1.15"),
            ("CIS3", "1.16"),
            ("CIS7", "2.14"),
            ("FSBP", "IAM.1"),
            ("NIST", "AC-6"),
            ("NIST", "AC-3"),
            ("ATT&CK", "T1078.004"),
        ],
        references: &[
            "https://docs.aws.amazon.com/IAM/latest/UserGuide/best-practices.html#grant-least-privilege",
        ],
        check: check,
    };
}

fn check(cx: &mut Context<'_>) {
    for grant in grants::grants(cx) {
        let statement = grant.statement;
        let wide = statement
            .actions
            .covers_all()
            .and(statement.resources.covers_all());
        if wide != Answer::Must || statement.effect != Effect::Allow {
            continue;
        }
        let accepted = !grant.holders.is_empty()
            && grant
                .holders
                .iter()
                .all(|holder| is_listed(&cx.settings.break_glass, holder.identity));
        if accepted {
            continue;
        }
        let actions = statement.actions.listed();
        let src = actions
            .items
            .iter()
            .find(|item| item.covers_all() == Answer::Must)
            .map_or(&actions.src, |item| item.pattern().src());
        let text = format!("{} use every action on every resource", grant.subject());
        let (severity, note) = weight(cx, &grant);
        let mut report = cx
            .finding(&grant.document.place, src, text)
            .severity(severity)
            .help("grant the actions that are needed on the resources that they touch");
        if let Some(note) = note {
            report = report.note(note);
        }
        let report = grant.describe(report);
        cx.report(report);
    }
}

/// Severity in this code base, and the words for why it is not the base.
fn weight(cx: &Context<'_>, grant: &Grant<'_>) -> (Severity, Option<&'static str>) {
    if grant.holders.is_empty() && grant.document.role == DocumentRole::Managed {
        let note = "nothing in this code base is attached to it";
        return (Severity::Medium, Some(note));
    }
    let bounded = !grant.holders.is_empty()
        && grant
            .holders
            .iter()
            .all(|holder| holder.identity.boundary.is_some() && cx.access.is_admin(holder.id) != Answer::Must);
    if bounded {
        let note = "a permissions boundary limits every holder";
        return (Severity::Medium, Some(note));
    }
    if is_kept_from_iam(cx, grant) {
        let note = "a Deny takes writing in IAM away";
        return (Severity::Medium, Some(note));
    }
    if grant.statement.conditions.narrows_at_home().possible() {
        return (Severity::High, Some("a condition narrows the statement"));
    }
    (Severity::Critical, None)
}

/// Whether Denies leave no holder any action of IAM that changes something.
fn is_kept_from_iam(cx: &Context<'_>, grant: &Grant<'_>) -> bool {
    let writes = |set: ActionSet| {
        set.actions()
            .any(|action| action.service().prefix() == "iam" && grants::writes(action))
    };
    !grant.holders.is_empty()
        && grant
            .holders
            .iter()
            .all(|holder| !writes(cx.access.actions_on_something(holder.id)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::Scene;

    fn found(statement: &str) -> Vec<(String, Severity)> {
        Scene::new()
            .statements(statement)
            .run(&ADMIN_STAR_STAR)
            .into_iter()
            .map(|(bytes, finding)| (bytes, finding.severity))
            .collect()
    }

    #[test]
    fn every_spelling_is_found_at_the_action() {
        let medium = |bytes: &str| vec![(bytes.to_owned(), Severity::Medium)];
        assert_eq!(
            found(r#"{"Effect":"Allow","Action":["s3:Get*","*"],"Resource":["*"]}"#),
            medium(r#""*""#)
        );
        assert_eq!(
            found(r#"{"Effect":"Allow","Action":"*:*","Resource":"arn:aws:*:*:*:*"}"#),
            medium(r#""*:*""#)
        );
    }

    #[test]
    fn less_is_not_everything() {
        for statement in [
            r#"{"Effect":"Deny","Action":"*","Resource":"*"}"#,
            r#"{"Effect":"Allow","Action":"s3:*","Resource":"*"}"#,
            r#"{"Effect":"Allow","Action":"*","Resource":"arn:aws:s3:::*"}"#,
            r#"{"Effect":"Allow","NotAction":"iam:*","Resource":"*"}"#,
        ] {
            assert_eq!(found(statement), vec![], "{statement}");
        }
    }

    #[test]
    fn an_inline_policy_is_attached() {
        let text = r#"{"Statement":{"Effect":"Allow","Action":"*","Resource":"*"}}"#;
        let found = Scene::new()
            .document(DocumentRole::Inline, text)
            .run(&ADMIN_STAR_STAR);
        assert_eq!(found[0].1.severity, Severity::Critical);
    }
}
