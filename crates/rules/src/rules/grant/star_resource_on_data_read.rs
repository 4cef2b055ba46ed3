//! `star-resource-on-data-read`: reads of stored data on every resource.

use crate::grants::{self, Grant, Wide};
use crate::listed::is_listed;
use crate::usual::Usual;
use crate::{Context, Family, Scope, whole};
use overgrant_catalog::Action;
use overgrant_finding::{Confidence, Severity};
use overgrant_policy::{ActionSet, Answer, Effect};
use std::collections::BTreeSet;

rule! {
    /// Stored data can be read on every resource.
    ///
    /// The statement allows actions that return the contents of buckets, tables, queues or streams, on
    /// all of them in the account.
    ///
    /// ## Why
    /// Whoever gets hold of the principal can copy all data of that kind: backups, exports, personal data
    /// and the secrets that lie in objects and messages.
    ///
    /// ## Bad
    /// ```terraform bad
    /// resource "aws_iam_policy" "reports" {
    ///   name = "reports"
    ///   policy = jsonencode({
    ///     Version = "2012-10-17"
    ///     Statement = [{
    ///       Effect   = "Allow"
    ///       Action   = ["s3:GetObject", "s3:ListBucket"]
    ///       Resource = "*" # <-- here
    ///     }]
    ///   })
    /// }
    /// ```
    /// ```cloudformation bad
    /// Resources:
    ///   Reports:
    ///     Type: AWS::IAM::ManagedPolicy
    ///     Properties:
    ///       PolicyDocument:
    ///         Version: "2012-10-17"
    ///         Statement:
    ///           - Effect: Allow
    ///             Action: [dynamodb:Query, dynamodb:GetItem]
    ///             Resource: "*" # <-- here
    /// ```
    /// The same as JSON:
    /// ```terraform bad
    /// resource "aws_iam_policy" "reports" {
    ///   name = "reports"
    ///   policy = <<-JSON
    ///     {
    ///       "Version": "2012-10-17",
    ///       "Statement": [
    ///         {
    ///           "Effect": "Allow",
    ///           "Action": ["s3:GetObject", "s3:ListBucket"],
    ///           "Resource": "*" # <-- here
    ///         }
    ///       ]
    ///     }
    ///   JSON
    /// }
    /// ```
    /// ## Good
    /// ```terraform good
    /// resource "aws_iam_policy" "reports" {
    ///   name = "reports"
    ///   policy = jsonencode({
    ///     Version = "2012-10-17"
    ///     Statement = [
    ///       { Effect = "Allow", Action = "s3:GetObject", Resource = "arn:aws:s3:::acme-reports/*" },
    ///       { Effect = "Allow", Action = "s3:ListBucket", Resource = "arn:aws:s3:::acme-reports" },
    ///     ]
    ///   })
    /// }
    /// ```
    /// Buckets whose names begin with the application's, and data with the caller's tag:
    /// ```terraform good
    /// resource "aws_iam_policy" "reports" {
    ///   name = "reports"
    ///   policy = jsonencode({
    ///     Version = "2012-10-17"
    ///     Statement = [
    ///       { Effect = "Allow", Action = "s3:GetObject", Resource = "arn:aws:s3:::acme-reports-*" },
    ///       {
    ///         Effect    = "Allow"
    ///         Action    = "dynamodb:GetItem"
    ///         Resource  = "*"
    ///         Condition = { StringEquals = { "aws:ResourceTag/team" = "$${aws:PrincipalTag/team}" } }
    ///       },
    ///     ]
    ///   })
    /// }
    /// ```
    /// ```cloudformation good
    /// Resources:
    ///   Reports:
    ///     Type: AWS::IAM::ManagedPolicy
    ///     Properties:
    ///       PolicyDocument:
    ///         Version: "2012-10-17"
    ///         Statement:
    ///           - Effect: Allow
    ///             Action: [dynamodb:Query, dynamodb:GetItem]
    ///             Resource: !Sub arn:${AWS::Partition}:dynamodb:${AWS::Region}:${AWS::AccountId}:table/reports
    /// ```
    /// Auditors are listed in the configuration:
    /// ```terraform good security_roles:auditor
    /// resource "aws_iam_role" "auditor" {
    ///   name = "auditor"
    ///   assume_role_policy = jsonencode({
    ///     Version   = "2012-10-17"
    ///     Statement = [{ Effect = "Allow", Action = "sts:AssumeRole", Principal = { Service = "ec2.amazonaws.com" } }]
    ///   })
    /// }
    /// resource "aws_iam_role_policy" "auditor" {
    ///   role = aws_iam_role.auditor.name
    ///   policy = jsonencode({
    ///     Version   = "2012-10-17"
    ///     Statement = [{ Effect = "Allow", Action = "s3:GetObject", Resource = "*" }]
    ///   })
    /// }
    /// ```
    /// What AWS itself grants to every role of the service is low:
    /// ```terraform good at:low
    /// resource "aws_iam_role" "deploy" {
    ///   name = "deploy"
    ///   assume_role_policy = jsonencode({
    ///     Version   = "2012-10-17"
    ///     Statement = [{ Effect = "Allow", Action = "sts:AssumeRole", Principal = { Service = "codedeploy.amazonaws.com" } }]
    ///   })
    /// }
    /// resource "aws_iam_role_policy" "deploy" {
    ///   role = aws_iam_role.deploy.name
    ///   policy = jsonencode({
    ///     Version   = "2012-10-17"
    ///     Statement = [{ Effect = "Allow", Action = ["ecs:DescribeServices", "s3:GetObject"], Resource = "*" }]
    ///   })
    /// }
    /// ```
    /// ## How to fix
    /// Name the resources; for S3 name the bucket for listing and `bucket/*` for its objects.
    pub(crate) static STAR_RESOURCE_ON_DATA_READ = Rule {
        id: "star-resource-on-data-read",
        family: Family::Grant,
        severity: Severity::Medium,
        confidence: Confidence::High,
        scope: Scope::Module,
        since: "0.1.0",
        cwe: &[269],
        aliases: &["CKV_AWS_108", "CKV_AWS_288", "AWS-0346"],
        mappings: &[("FSBP", "IAM.21"), ("ATT&CK", "T1530"), ("NIST", "AC-6"), ("NIST", "AC-3")],
        references: &[
            "https://docs.aws.amazon.com/IAM/latest/UserGuide/best-practices.html#grant-least-privilege",
        ],
        check: check,
    };
}

/// Actions that return stored data.
const READS: [&str; 20] = [
    "athena:getqueryresults",
    "codecommit:gitpull",
    "dynamodb:batchgetitem",
    "dynamodb:getitem",
    "dynamodb:getrecords",
    "dynamodb:partiqlselect",
    "dynamodb:query",
    "dynamodb:scan",
    "ebs:getsnapshotblock",
    "ecr:batchgetimage",
    "ecr:getdownloadurlforlayer",
    "es:eshttpget",
    "kinesis:getrecords",
    "rds-data:batchexecutestatement",
    "rds-data:executestatement",
    "redshift-data:getstatementresult",
    "s3:getobject",
    "s3:getobjecttorrent",
    "s3:getobjectversion",
    "sqs:receivemessage",
];

fn check(cx: &mut Context<'_>) {
    let mut usual = Usual::default();
    let reads = READS
        .iter()
        .fold(ActionSet::empty(), |set, name| set.union(&ActionSet::matching(name)));
    for grant in grants::grants(cx) {
        let statement = grant.statement;
        if statement.effect != Effect::Allow
            || statement.actions.listed().negated
            || statement.actions.covers_all() == Answer::Must
            || grant.is_narrowed()
        {
            continue;
        }
        let auditors = !grant.holders.is_empty()
            && grant
                .holders
                .iter()
                .all(|holder| is_listed(&cx.settings.security_roles, holder.identity));
        if auditors {
            continue;
        }
        let (granted, whole) = whole::others(&grant, &usual.whole_services(cx, &grant));
        let granted = granted.intersection(&reads);
        let mut judged: Vec<(Severity, Wide, Action<'_>)> = granted
            .actions()
            // Nothing can be named for the others.
            .filter(|action| !action.is_wildcard_only())
            .filter_map(|action| Some((severity(action), grant.wide(action)?, action)))
            .collect();
        if judged.is_empty() {
            continue;
        }
        // A copy of a policy that AWS keeps has no bytes here, and is as good as attached.
        let copied = statement.src.span.is_none() || is_read_only(&grant);
        for (severity, _, action) in &mut judged {
            if copied || usual.is_usual(cx, &grant, *action) {
                *severity = Severity::Low;
            }
        }
        judged.sort_by_key(|(severity, wide, _)| std::cmp::Reverse((*severity, *wide)));
        let Some((worst, wide, first)) = judged.first().copied() else {
            continue;
        };
        let named: Vec<Action<'_>> = judged
            .iter()
            .filter(|(severity, _, _)| *severity == worst)
            .map(|(_, _, action)| *action)
            .collect();
        let place = grant.extent(wide);
        let severity = match wide {
            Wide::Account => worst,
            Wide::Region => worst.lower(),
        };
        // A whole service on everything in the same statement is the same cause, and tells it along from
        // medium up.
        if severity < Severity::Medium && whole.is_some_and(|whole| whole >= severity) {
            continue;
        }
        let list = grants::list_actions(&named);
        let mut report = grant
            .finding(cx, &grant.wide_src(first), format!("read data with {list} {place}"))
            .severity(severity)
            .help("name the resources whose data is needed")
            .related(&grant.action_src(first), "these actions", None);
        for action in &named {
            report = report.covers(&grant.action_src(*action));
        }
        cx.report(report);
    }
}

/// Whether the statement reads most services and changes none: a copy of `ReadOnlyAccess`, which is as
/// good as attached.
fn is_read_only(grant: &Grant<'_>) -> bool {
    const MOST: usize = 50;
    let items = &grant.statement.actions.listed().items;
    if items.len() < MOST {
        return false;
    }
    let services: BTreeSet<String> = items.iter().filter_map(|item| item.service()).collect();
    services.len() >= MOST && !grant.granted().actions().any(|action| grants::writes(action) && !action.name().starts_with("Get"))
}

/// Images of the own registry are seldom secret, and every cluster pulls them.
fn severity(action: Action<'_>) -> Severity {
    if action.service().prefix() == "ecr" {
        Severity::Low
    } else {
        Severity::Medium
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::Scene;

    fn found(action: &str, resource: &str) -> Vec<Severity> {
        Scene::new()
            .statements(&format!(
                r#"{{"Effect":"Allow","Action":"{action}","Resource":"{resource}"}}"#
            ))
            .run(&STAR_RESOURCE_ON_DATA_READ)
            .into_iter()
            .map(|(_, finding)| finding.severity)
            .collect()
    }

    #[test]
    fn every_listed_action_exists() {
        for name in READS {
            assert!(overgrant_catalog::catalog().action_id(name).is_some(), "{name}");
        }
        assert!(READS.is_sorted());
    }

    #[test]
    fn a_copy_of_the_policy_that_reads_all_is_as_good_as_attached() {
        let services: Vec<&str> = overgrant_catalog::catalog()
            .services()
            .map(|service| service.prefix())
            .filter(|prefix| !["athena", "codecommit", "ebs", "ecr", "kinesis"].contains(prefix))
            .take(80)
            .collect();
        let found = |services: &[&str]| {
            let lists = services.iter().map(|prefix| format!(r#""{prefix}:List*","#));
            let actions = lists.collect::<String>() + r#""s3:Get*""#;
            Scene::new()
                .statements(&format!(
                    r#"{{"Effect":"Allow","Action":[{actions}],"Resource":"*"}}"#
                ))
                .run(&STAR_RESOURCE_ON_DATA_READ)
                .into_iter()
                .map(|(_, finding)| finding.severity)
                .collect::<Vec<_>>()
        };
        assert_eq!(found(&services), [Severity::Low]);
        assert_eq!(found(&services[..9]), [Severity::Medium]);
    }

    #[test]
    fn data_is_told_from_metadata() {
        assert_eq!(found("s3:Get*", "*"), [Severity::Medium]);
        assert_eq!(found("s3:GetObject", "arn:aws:s3:::*/*"), [Severity::Medium]);
        assert_eq!(found("ecr:*Image", "*"), [Severity::Low]);
        assert_eq!(found("s3:GetBucketPolicy", "*"), []);
        assert_eq!(found("s3:GetObject", "arn:aws:s3:::acme-*"), []);
        assert_eq!(found("*", "*"), []);
        assert_eq!(found("redshift-data:GetStatementResult", "*"), []);
    }
}
