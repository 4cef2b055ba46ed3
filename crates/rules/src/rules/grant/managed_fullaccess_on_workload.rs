//! `managed-fullaccess-on-workload`: a whole service by AWS-managed policy.

use crate::grants;
use crate::managed::{self, Usage};
use crate::{Context, Family, Scope};
use overgrant_catalog::{ActionId, Service, catalog};
use overgrant_finding::{Confidence, Severity};
use overgrant_policy::{ActionSet, Answer, Document, Statement, managed_document};
use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

rule! {
    /// Workload or user has full access to a service by AWS managed policy.
    ///
    /// The attached policy of AWS allows nine in ten or more of the actions that change something in a
    /// service, on all its resources, and the principal is a user or a role that code runs with. Of policies
    /// that AWS calls full access or administration half is enough: services grow faster than they.
    ///
    /// Roles of a sandbox go on the list `ignore` of the configuration, by address.
    ///
    /// ## Why
    /// Code seldom needs more than a few actions on a few resources. Whoever gets hold of it can read,
    /// change and destroy everything of that service in the account.
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
    ///   policy_arn = "arn:aws:iam::aws:policy/AmazonS3FullAccess" # <-- here
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
    ///         - arn:aws:iam::aws:policy/AmazonSQSFullAccess # <-- here
    /// ```
    /// Patterns of ARNs that mean every API:
    /// ```terraform bad
    /// resource "aws_iam_user" "ci" {
    ///   name = "ci"
    /// }
    /// resource "aws_iam_user_policy_attachment" "ci" {
    ///   user       = aws_iam_user.ci.name
    ///   policy_arn = "arn:aws:iam::aws:policy/AmazonAPIGatewayAdministrator" # <-- here
    /// }
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
    ///         - arn:aws:iam::aws:policy/service-role/AWSLambdaSQSQueueExecutionRole
    /// ```
    /// Policies that only read, and the least that a service needs:
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
    ///   policy_arn = "arn:aws:iam::aws:policy/AmazonSQSReadOnlyAccess"
    /// }
    /// ```
    /// People of a directory hold the role, whatever the name of its provider:
    /// ```terraform good
    /// variable "provider_arn" { type = string }
    /// resource "aws_iam_role" "database" {
    ///   name = "database"
    ///   assume_role_policy = jsonencode({
    ///     Version = "2012-10-17"
    ///     Statement = [{
    ///       Effect    = "Allow"
    ///       Action    = "sts:AssumeRoleWithSAML"
    ///       Principal = { Federated = var.provider_arn }
    ///       Condition = { StringEquals = { "SAML:aud" = "https://signin.aws.amazon.com/saml" } }
    ///     }]
    ///   })
    /// }
    /// resource "aws_iam_role_policy_attachment" "database" {
    ///   role       = aws_iam_role.database.name
    ///   policy_arn = "arn:aws:iam::aws:policy/job-function/DatabaseAdministrator"
    /// }
    /// ```
    /// What AWS prescribes for the role of a service is low:
    /// ```cloudformation good at:low
    /// Resources:
    ///   Automation:
    ///     Type: AWS::IAM::Role
    ///     Properties:
    ///       AssumeRolePolicyDocument:
    ///         Version: "2012-10-17"
    ///         Statement:
    ///           - Effect: Allow
    ///             Action: sts:AssumeRole
    ///             Principal:
    ///               Service: ssm.amazonaws.com
    ///             Condition:
    ///               StringEquals:
    ///                 aws:SourceAccount: !Ref AWS::AccountId
    ///       ManagedPolicyArns:
    ///         - arn:aws:iam::aws:policy/service-role/AmazonSSMAutomationRole
    ///   Spectrum:
    ///     Type: AWS::IAM::Role
    ///     Properties:
    ///       AssumeRolePolicyDocument:
    ///         Version: "2012-10-17"
    ///         Statement:
    ///           - Effect: Allow
    ///             Action: sts:AssumeRole
    ///             Principal:
    ///               Service: redshift.amazonaws.com
    ///       ManagedPolicyArns:
    ///         - arn:aws:iam::aws:policy/AWSGlueConsoleFullAccess
    /// ```
    /// A policy that also leads to more rights is reported for that:
    /// ```terraform good under:managed-escalation-capable
    /// resource "aws_iam_role" "app" {
    ///   name = "app"
    ///   assume_role_policy = jsonencode({
    ///     Version   = "2012-10-17"
    ///     Statement = [{ Effect = "Allow", Action = "sts:AssumeRole", Principal = { Service = "lambda.amazonaws.com" } }]
    ///   })
    /// }
    /// resource "aws_iam_role_policy_attachment" "app" {
    ///   role       = aws_iam_role.app.name
    ///   policy_arn = "arn:aws:iam::aws:policy/IAMFullAccess"
    /// }
    /// ```
    /// ## How to fix
    /// Write a policy with the actions that are used on the resources that are touched.
    pub(crate) static MANAGED_FULLACCESS_ON_WORKLOAD = Rule {
        id: "managed-fullaccess-on-workload",
        family: Family::Grant,
        severity: Severity::Medium,
        confidence: Confidence::High,
        scope: Scope::Module,
        since: "0.1.0",
        cwe: &[269],
        aliases: &["AWS-0345", "AwsSolutions-IAM4"],
        mappings: &[
            ("FSBP", "IAM.21"),
            ("NIST", "AC-6"),
            ("NIST", "AC-3"),
            ("ATT&CK", "T1078.004"),
        ],
        references: &[
            "https://docs.aws.amazon.com/IAM/latest/UserGuide/best-practices.html#bp-use-aws-defined-policies",
        ],
        check: check,
    };
}

/// Services whose control is most of the account's.
const WEIGHTY: [&str; 9] = [
    "ec2", "iam", "kms", "lambda", "organizations", "s3", "secretsmanager", "ssm", "sts",
];

fn check(cx: &mut Context<'_>) {
    let mut known: BTreeMap<&str, Option<Covered>> = BTreeMap::new();
    for one in managed::attached(cx) {
        let name = one.policy.path_and_name();
        if one.is_bounded(cx) || !matches!(one.usage(cx), Usage::People | Usage::Workload) {
            continue;
        }
        let covered = *known
            .entry(name)
            .or_insert_with(|| covered(&managed_document(one.policy), one.policy.name()));
        let Some(Covered { service, part }) = covered else { continue };
        let made = one.is_made_for_its_service(cx);
        // What AWS files under service roles is for nothing else, though another service assumes the role too.
        let of_role = name.starts_with("service-role/") && (made || one.is_for_a_service_of(cx));
        let severity = match (WEIGHTY.contains(&service), made) {
            _ if of_role || one.is_prescribed(cx) => Severity::Low,
            (true, false) => Severity::High,
            (false, true) => Severity::Low,
            _ => Severity::Medium,
        };
        let text = format!(
            "{} may change {} `{service}`: it has `{}`",
            one.holder(),
            match part {
                Part::All => "everything in",
                Part::NearlyAll => "nearly everything in",
                Part::Most => "most of",
            },
            one.policy.name()
        );
        let mut report = cx
            .finding(&one.attachment.place, &one.attachment.policy.src, text)
            .cell(name)
            .when(&one.attachment.policy.guard)
            .severity(severity)
            .help("write a policy with the actions that are used on the resources that are touched");
        if let Some((_, identity)) = one.identity {
            report = report.principal(&identity.place);
        }
        cx.report(report);
    }
}

/// A service that a policy opens.
#[derive(Clone, Copy)]
struct Covered {
    service: &'static str,
    part: Part,
}

/// How many of the writes of a service are open.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Part {
    All,
    /// Nine in ten or more.
    NearlyAll,
    /// Half or more.
    Most,
}

/// The weightiest service whose writes the document covers on all resources, of equals the one
/// that the policy is named after, or the one with most writes; `None` too where it allows
/// everything, which is another rule's.
fn covered(document: &Document, name: &str) -> Option<Covered> {
    if document
        .statements
        .iter()
        .any(|statement| statement.grants_admin() == Answer::Must)
    {
        return None;
    }
    let open: Vec<(&Statement, ActionSet)> = document
        .allows()
        .filter(|statement| !statement.conditions.narrows().possible())
        .map(|statement| (statement, statement.actions.must()))
        .collect();
    let wildcards: BTreeSet<String> = document
        .allows()
        .flat_map(|statement| &statement.actions.listed().items)
        .filter(|item| item.pattern().has_wildcard())
        .filter_map(|item| Some(item.service()?.to_string()))
        .collect();
    let mut services: Vec<Service<'static>> = open
        .iter()
        .flat_map(|(_, actions)| actions.actions())
        .map(|action| action.service())
        .collect();
    services.sort_by_key(|service| service.prefix());
    services.dedup_by_key(|service| service.prefix());
    let name = name.to_ascii_lowercase();
    let named = FULL.iter().any(|word| name.contains(word));
    let mut found: Vec<(Covered, usize)> = services
        .into_iter()
        .filter_map(|service| {
            let extent = Extent::of(&open, service);
            // A list of single actions is what a task needs, though the service has few more.
            let listed = !wildcards.contains(service.prefix());
            if listed && !(named && extent.writes >= FEW) {
                return None;
            }
            let half = named && extent.writes >= FEW && extent.is_at_least(1, 2);
            let part = if extent.is_at_least(1, 1) {
                Part::All
            } else if extent.is_at_least(9, 10) {
                Part::NearlyAll
            } else if half {
                Part::Most
            } else {
                return None;
            };
            Some((Covered { service: service.prefix(), part }, extent.writes))
        })
        .collect();
    found.sort_by_key(|(one, writes)| {
        let named = name.contains(one.service);
        let weighty = WEIGHTY.contains(&one.service);
        (!weighty, one.part == Part::Most, !named, Reverse(*writes))
    });
    found.first().map(|(one, _)| *one)
}

/// Words in the names of policies that AWS means to open a service as a whole.
const FULL: [&str; 3] = ["fullaccess", "full_access", "administrator"];

/// Fewer writes than this are no service to speak of.
const FEW: usize = 5;

/// How far statements reach into a service.
struct Extent {
    /// Writing actions that know resources.
    writes: usize,
    /// Those that are open on everything, or on every resource of some type.
    free: usize,
    /// Their pairs of action and type of resource.
    pairs: usize,
    /// Those pairs that are open on every resource of the type.
    open: usize,
}

impl Extent {
    fn of(open: &[(&Statement, ActionSet)], service: Service<'static>) -> Self {
        let mut extent = Self { writes: 0, free: 0, pairs: 0, open: 0 };
        let writes = service
            .actions()
            .filter_map(|id| catalog().action(ActionId(id)))
            .filter(|action| grants::writes(*action) && !action.is_wildcard_only());
        for action in writes {
            extent.writes += 1;
            let statements: Vec<&Statement> = open
                .iter()
                .filter(|(_, actions)| actions.contains(action.id()))
                .map(|(statement, _)| *statement)
                .collect();
            let all = |statement: &&Statement| statement.resources.covers_all() == Answer::Must;
            let everything = statements.iter().any(all);
            let before = extent.open;
            for kind in action.resources().filter_map(|resource| resource.resource_type()) {
                extent.pairs += 1;
                let whole_type = |statement: &&Statement| {
                    kind.arn_patterns().any(|format| {
                        statement.resources.star_of_type(format).all() == Answer::Must
                    })
                };
                extent.open += usize::from(everything || statements.iter().any(whole_type));
            }
            extent.free += usize::from(everything || extent.open > before);
        }
        extent
    }

    /// Whether that share of the actions, or of their pairs with types, is open.
    fn is_at_least(&self, part: usize, of: usize) -> bool {
        let reaches = |open: usize, all: usize| all > 0 && open * of >= all * part;
        reaches(self.free, self.writes) || reaches(self.open, self.pairs)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{Scene, trusting};

    fn found(policy: &str) -> Vec<Severity> {
        told(policy).into_iter().map(|(severity, _)| severity).collect()
    }

    fn told(policy: &str) -> Vec<(Severity, String)> {
        Scene::new()
            .resource("aws_iam_user", "u", r#"{"name":"u"}"#)
            .resource(
                "aws_iam_user_policy_attachment",
                "u",
                &format!(r#"{{"user":"u","policy_arn":"arn:aws:iam::aws:policy/{policy}"}}"#),
            )
            .run(&MANAGED_FULLACCESS_ON_WORKLOAD)
            .into_iter()
            .map(|(_, finding)| (finding.severity, finding.message))
            .collect()
    }

    #[test]
    fn what_is_made_for_roles_of_a_service_is_low_on_them() {
        let on = |services: &str| {
            let attached = r#"{"role":"r","policy_arn":"arn:aws:iam::aws:policy/service-role/AWSGlueServiceRole"}"#;
            Scene::new()
                .resource("aws_iam_role", "r", &trusting("r", &format!(r#"{{"Service":[{services}]}}"#)))
                .resource("aws_iam_role_policy_attachment", "r", attached)
                .run(&MANAGED_FULLACCESS_ON_WORKLOAD)
                .into_iter()
                .map(|(_, finding)| finding.severity)
                .collect::<Vec<_>>()
        };
        assert_eq!(on(r#""glue.amazonaws.com""#), [Severity::Low]);
        assert_eq!(on(r#""lambda.amazonaws.com","glue.amazonaws.com""#), [Severity::Low]);
        assert_eq!(on(r#""lambda.amazonaws.com""#), [Severity::Medium]);
    }

    #[test]
    fn of_equal_services_the_largest_is_named() {
        let [(severity, message)] = told("AmazonCognitoPowerUser").try_into().unwrap();
        assert_eq!(severity, Severity::Medium);
        assert!(message.contains("`cognito-idp`"), "{message}");
    }

    #[test]
    fn full_access_is_computed() {
        assert_eq!(found("AmazonS3FullAccess"), [Severity::High]);
        for medium in [
            "AmazonSQSFullAccess",
            "AmazonAPIGatewayAdministrator",
            "AmazonOpenSearchIngestionFullAccess",
            "AmazonElasticFileSystemFullAccess",
            "AWSWAFFullAccess",
            "AIOpsConsoleAdminPolicy",
        ] {
            assert_eq!(found(medium), [Severity::Medium], "{medium}");
        }
        for quiet in [
            "AmazonS3ReadOnlyAccess",
            "AdministratorAccess",
            "AmazonSSMManagedInstanceCore",
            "service-role/AWSLambdaBasicExecutionRole",
            "ResourceGroupsTaggingAPITagUntagSupportedResources",
        ] {
            assert_eq!(found(quiet), [], "{quiet}");
        }
    }
}
