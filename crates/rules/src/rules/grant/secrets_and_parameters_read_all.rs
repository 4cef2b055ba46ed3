//! `secrets-and-parameters-read-all`: every secret or parameter of the account.

use crate::grants::{self, Wide};
use crate::{Context, Family, Scope};
use overgrant_catalog::Action;
use overgrant_finding::{Confidence, Severity};
use overgrant_policy::{ActionSet, Answer, Effect, Statement};

rule! {
    /// Every secret or parameter can be read.
    ///
    /// The statement allows reading values from Secrets Manager or from Parameter Store on all secrets or
    /// parameters of the account.
    ///
    /// ## Why
    /// Whoever gets hold of the principal has all passwords, keys and tokens that the account keeps, those
    /// of other applications included, and with them the databases and services behind.
    ///
    /// ## Bad
    /// ```terraform bad
    /// resource "aws_iam_policy" "app" {
    ///   name = "app"
    ///   policy = jsonencode({
    ///     Version = "2012-10-17"
    ///     Statement = [{
    ///       Effect   = "Allow"
    ///       Action   = "secretsmanager:GetSecretValue"
    ///       Resource = "*" # <-- here
    ///     }]
    ///   })
    /// }
    /// ```
    /// ```cloudformation bad
    /// Resources:
    ///   App:
    ///     Type: AWS::IAM::ManagedPolicy
    ///     Properties:
    ///       PolicyDocument:
    ///         Version: "2012-10-17"
    ///         Statement:
    ///           - Effect: Allow
    ///             Action: [ssm:GetParameter, ssm:GetParametersByPath]
    ///             Resource: "*" # <-- here
    /// ```
    /// The same as JSON:
    /// ```terraform bad
    /// resource "aws_iam_policy" "app" {
    ///   name = "app"
    ///   policy = <<-JSON
    ///     {
    ///       "Version": "2012-10-17",
    ///       "Statement": [
    ///         {
    ///           "Effect": "Allow",
    ///           "Action": "secretsmanager:GetSecretValue",
    ///           "Resource": "*" # <-- here
    ///         }
    ///       ]
    ///     }
    ///   JSON
    /// }
    /// ```
    /// ## Good
    /// ```terraform good
    /// resource "aws_secretsmanager_secret" "db" {
    ///   name = "app/db"
    /// }
    /// resource "aws_iam_policy" "app" {
    ///   name = "app"
    ///   policy = jsonencode({
    ///     Version = "2012-10-17"
    ///     Statement = [{
    ///       Effect   = "Allow"
    ///       Action   = "secretsmanager:GetSecretValue"
    ///       Resource = aws_secretsmanager_secret.db.arn
    ///     }]
    ///   })
    /// }
    /// ```
    /// A prefix of the application, or a tag, limits what is read:
    /// ```terraform good
    /// resource "aws_iam_policy" "app" {
    ///   name = "app"
    ///   policy = jsonencode({
    ///     Version = "2012-10-17"
    ///     Statement = [
    ///       { Effect = "Allow", Action = "ssm:GetParametersByPath", Resource = "arn:aws:ssm:*:*:parameter/app/*" },
    ///       {
    ///         Effect    = "Allow"
    ///         Action    = "secretsmanager:GetSecretValue"
    ///         Resource  = "*"
    ///         Condition = { StringEquals = { "aws:ResourceTag/app" = "shop" } }
    ///       },
    ///     ]
    ///   })
    /// }
    /// ```
    /// ```cloudformation good
    /// Resources:
    ///   App:
    ///     Type: AWS::IAM::ManagedPolicy
    ///     Properties:
    ///       PolicyDocument:
    ///         Version: "2012-10-17"
    ///         Statement:
    ///           - Effect: Allow
    ///             Action: [ssm:GetParameter, ssm:GetParametersByPath]
    ///             Resource: !Sub arn:${AWS::Partition}:ssm:${AWS::Region}:${AWS::AccountId}:parameter/app/*
    /// ```
    /// The role that starts the containers of a service reads their secrets by exact ARNs:
    /// ```terraform good
    /// resource "aws_iam_role" "execution" {
    ///   name = "shop-execution"
    ///   assume_role_policy = jsonencode({
    ///     Version   = "2012-10-17"
    ///     Statement = [{ Effect = "Allow", Action = "sts:AssumeRole", Principal = { Service = "ecs-tasks.amazonaws.com" } }]
    ///   })
    /// }
    /// resource "aws_iam_role_policy" "execution" {
    ///   role = aws_iam_role.execution.name
    ///   policy = jsonencode({
    ///     Version = "2012-10-17"
    ///     Statement = [{
    ///       Effect = "Allow"
    ///       Action = ["secretsmanager:GetSecretValue", "ssm:GetParameters"]
    ///       Resource = [
    ///         "arn:aws:secretsmanager:eu-west-1:111122223333:secret:shop/db-a1B2c3",
    ///         "arn:aws:ssm:eu-west-1:111122223333:parameter/shop/token",
    ///       ]
    ///     }]
    ///   })
    /// }
    /// ```
    /// A function that rotates is limited to the secrets that name it:
    /// ```cloudformation good
    /// Resources:
    ///   Rotate:
    ///     Type: AWS::IAM::ManagedPolicy
    ///     Properties:
    ///       PolicyDocument:
    ///         Version: "2012-10-17"
    ///         Statement:
    ///           - Effect: Allow
    ///             Action:
    ///               - secretsmanager:DescribeSecret
    ///               - secretsmanager:GetSecretValue
    ///               - secretsmanager:PutSecretValue
    ///               - secretsmanager:UpdateSecretVersionStage
    ///             Resource: "*"
    ///             Condition:
    ///               StringEquals:
    ///                 secretsmanager:resource/AllowRotationLambdaArn: !Sub arn:${AWS::Partition}:lambda:${AWS::Region}:${AWS::AccountId}:function:rotate
    /// ```
    /// The statement of `AmazonSSMManagedInstanceCore` in a policy of one's own is as good as that policy:
    /// ```terraform good at:low
    /// resource "aws_iam_policy" "agent" {
    ///   name = "agent"
    ///   policy = jsonencode({
    ///     Version = "2012-10-17"
    ///     Statement = [{
    ///       Effect = "Allow"
    ///       Action = [
    ///         "ssm:GetDeployablePatchSnapshotForInstance",
    ///         "ssm:GetManifest",
    ///         "ssm:GetParameter",
    ///         "ssm:GetParameters",
    ///         "ssm:ListInstanceAssociations",
    ///         "ssm:PutConfigurePackageResult",
    ///         "ssm:UpdateInstanceInformation",
    ///       ]
    ///       Resource = "*"
    ///     }]
    ///   })
    /// }
    /// ```
    /// ## How to fix
    /// Name the secrets (an ARN that is written out ends in `-??????`) or the prefix of the parameters.
    pub(crate) static SECRETS_AND_PARAMETERS_READ_ALL = Rule {
        id: "secrets-and-parameters-read-all",
        family: Family::Grant,
        severity: Severity::High,
        confidence: Confidence::High,
        scope: Scope::Module,
        since: "0.1.0",
        cwe: &[522],
        aliases: &["CKV_AWS_108", "CKV_AWS_288"],
        mappings: &[("ATT&CK", "T1555.006"), ("NIST", "AC-6"), ("NIST", "AC-3")],
        references: &[
            "https://docs.aws.amazon.com/secretsmanager/latest/userguide/auth-and-access_examples.html",
            "https://docs.aws.amazon.com/systems-manager/latest/userguide/sysman-paramstore-access.html",
        ],
        check: check,
    };
}

/// Actions that return secret values.
const READS: [&str; 6] = [
    "secretsmanager:batchgetsecretvalue",
    "secretsmanager:getsecretvalue",
    "ssm:getparameter",
    "ssm:getparameterhistory",
    "ssm:getparameters",
    "ssm:getparametersbypath",
];

fn check(cx: &mut Context<'_>) {
    let reads = READS
        .iter()
        .fold(ActionSet::empty(), |set, name| set.union(&ActionSet::matching(name)));
    for grant in grants::grants(cx) {
        let statement = grant.statement;
        if statement.effect != Effect::Allow
            || statement.actions.covers_all() == Answer::Must
            || grant.is_narrowed()
        {
            continue;
        }
        let granted = grant.granted().intersection(&reads);
        let wide: Vec<(Wide, Action<'_>)> = granted
            .actions()
            .filter(|action| !action.is_wildcard_only())
            .filter_map(|action| Some((grant.wide(action)?, action)))
            .collect();
        let Some((width, first)) = wide.iter().max_by_key(|(width, _)| *width).copied() else {
            continue;
        };
        let has = |service: &str| {
            wide.iter()
                .any(|(_, action)| action.service().prefix() == service)
        };
        let what = match (has("secretsmanager"), has("ssm")) {
            (true, true) => "every secret and every parameter",
            (true, false) => "every secret",
            _ => "every parameter",
        };
        let (severity, place) = match width {
            Wide::Account => (Severity::High, "of the account"),
            Wide::Region => (Severity::Medium, "of a region"),
        };
        // A copy of a policy that AWS keeps has no bytes here, and is as good as attached.
        let copied = statement.src.span.is_none() || is_agents(statement, &wide);
        let severity = if copied { Severity::Low } else { severity };
        let actions: Vec<Action<'_>> = wide.iter().map(|(_, action)| *action).collect();
        let deed = format!("read {what} {place} with {}", grants::list_actions(&actions));
        let report = grant
            .finding(cx, &grant.wide_src(first), deed)
            .severity(severity)
            .label(what)
            .help("name the secrets or the prefix of the parameters")
            .related(&grant.action_src(first), "these actions", None);
        cx.report(report);
    }
}

/// What nothing but the agent of Systems Manager calls.
const OF_AGENT: [&str; 4] = [
    "ssm:GetDeployablePatchSnapshotForInstance",
    "ssm:GetManifest",
    "ssm:PutConfigurePackageResult",
    "ssm:UpdateInstanceInformation",
];

/// Whether the statement is the one that AWS gives the agent on every instance, with no more reads than it has.
fn is_agents(statement: &Statement, wide: &[(Wide, Action<'_>)]) -> bool {
    const READS: [&str; 2] = ["GetParameter", "GetParameters"];
    let lists = |name: &&str| {
        let item = statement.actions.pattern_for(name);
        item.is_some_and(|item| !item.pattern().has_wildcard())
    };
    wide.iter()
        .all(|(_, action)| action.service().prefix() == "ssm" && READS.contains(&action.name()))
        && OF_AGENT.iter().all(lists)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::Scene;
    use overgrant_catalog::catalog;
    use overgrant_policy::managed_document;

    fn found(action: &str, resource: &str) -> Vec<Severity> {
        Scene::new()
            .statements(&format!(
                r#"{{"Effect":"Allow","Action":["{action}"],"Resource":"{resource}"}}"#
            ))
            .run(&SECRETS_AND_PARAMETERS_READ_ALL)
            .into_iter()
            .map(|(_, finding)| finding.severity)
            .collect()
    }

    #[test]
    fn a_region_is_less_than_the_account() {
        assert_eq!(found("secretsmanager:*", "*"), [Severity::High]);
        assert_eq!(found("ssm:Get*", "arn:aws:ssm:*:*:parameter/*"), [Severity::High]);
        let region = "arn:aws:secretsmanager:eu-west-1:123456789012:secret:*";
        assert_eq!(found("secretsmanager:GetSecretValue", region), [Severity::Medium]);
    }

    #[test]
    fn the_agent_reads_what_aws_gives_it() {
        let policy = catalog().managed_policy("AmazonSSMManagedInstanceCore").unwrap();
        let document = managed_document(policy);
        let lists = |name: &str| {
            let mut allows = document.allows();
            allows.any(|one| one.actions.pattern_for(name).is_some())
        };
        assert!(OF_AGENT.iter().all(|name| lists(name)));
        assert!(lists("ssm:GetParameter") && lists("ssm:GetParameters"));
        let agent = OF_AGENT.join(r#"",""#);
        for (reads, expected) in [
            (r#"ssm:GetParameters"#, Severity::Low),
            (r#"ssm:GetParametersByPath"#, Severity::High),
            (r#"ssm:GetParameter","secretsmanager:GetSecretValue"#, Severity::High),
        ] {
            assert_eq!(found(&format!(r#"{agent}","{reads}"#), "*"), [expected], "{reads}");
        }
        let less = OF_AGENT[1..].join(r#"",""#);
        assert_eq!(found(&format!(r#"{less}","ssm:GetParameter"#), "*"), [Severity::High]);
    }

    #[test]
    fn prefixes_and_names_are_silent() {
        assert_eq!(found("ssm:GetParameter", "arn:aws:ssm:*:*:parameter/app/*"), []);
        assert_eq!(found("secretsmanager:ListSecrets", "*"), []);
        assert_eq!(found("secretsmanager:GetRandomPassword", "*"), []);
        for name in READS {
            assert!(overgrant_catalog::catalog().action_id(name).is_some(), "{name}");
        }
    }
}
