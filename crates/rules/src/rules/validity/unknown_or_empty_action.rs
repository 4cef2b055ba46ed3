//! `unknown-or-empty-action`: action patterns that match no action of AWS.

use crate::{Context, Family, Scope, fixes, names};
use overgrant_catalog::{Catalog, catalog};
use overgrant_finding::{Confidence, Severity};
use overgrant_ir::DocumentRole;
use overgrant_policy::{ActionPattern, Effect, Statement};
use std::collections::{BTreeMap, HashMap};

rule! {
    /// Policy names an action that does not exist.
    ///
    /// The action, or every action that its wildcard could match, is not in AWS's authorization
    /// reference. Mostly it is the name of an API operation whose permission has another name, such as
    /// `s3:ListObjects` for `s3:ListBucket`, or a typing mistake.
    ///
    /// ## Why
    /// In an Allow the statement grants nothing, and the usual repair is a wildcard that grants too much.
    /// In a Deny the guardrail does not exist: whoever it should stop can go on.
    ///
    /// ## Bad
    /// ```terraform bad
    /// resource "aws_iam_policy" "reader" {
    ///   name = "reader"
    ///   policy = jsonencode({
    ///     Version = "2012-10-17"
    ///     Statement = [{
    ///       Effect = "Allow"
    ///       Action = [
    ///         "s3:GetObject",
    ///         "s3:ListObjects", # <-- here
    ///       ]
    ///       Resource = ["arn:aws:s3:::acme-reports", "arn:aws:s3:::acme-reports/*"]
    ///     }]
    ///   })
    /// }
    /// ```
    /// ```cloudformation bad
    /// Resources:
    ///   Invoker:
    ///     Type: AWS::IAM::ManagedPolicy
    ///     Properties:
    ///       PolicyDocument:
    ///         Version: "2012-10-17"
    ///         Statement:
    ///           - Effect: Allow
    ///             Action: lambda:Invoke # <-- here
    ///             Resource: !Sub arn:${AWS::Partition}:lambda:${AWS::Region}:${AWS::AccountId}:function:orders
    /// ```
    /// The same as JSON:
    /// ```terraform bad
    /// resource "aws_iam_policy" "reader" {
    ///   name = "reader"
    ///   policy = <<-JSON
    ///     {
    ///       "Version": "2012-10-17",
    ///       "Statement": [
    ///         {
    ///           "Effect": "Allow",
    ///           "Action": ["s3:GetObject", "s3:ListObjects"], # <-- here
    ///           "Resource": ["arn:aws:s3:::acme-reports", "arn:aws:s3:::acme-reports/*"]
    ///         }
    ///       ]
    ///     }
    ///   JSON
    /// }
    /// ```
    /// ## Good
    /// ```terraform good
    /// resource "aws_iam_policy" "reader" {
    ///   name = "reader"
    ///   policy = jsonencode({
    ///     Version = "2012-10-17"
    ///     Statement = [{
    ///       Effect   = "Allow"
    ///       Action   = ["s3:GetObject", "s3:ListBucket"]
    ///       Resource = ["arn:aws:s3:::acme-reports", "arn:aws:s3:::acme-reports/*"]
    ///     }]
    ///   })
    /// }
    /// ```
    /// ```cloudformation good
    /// Resources:
    ///   Invoker:
    ///     Type: AWS::IAM::ManagedPolicy
    ///     Properties:
    ///       PolicyDocument:
    ///         Version: "2012-10-17"
    ///         Statement:
    ///           - Effect: Allow
    ///             Action: lambda:InvokeFunction
    ///             Resource: !Sub arn:${AWS::Partition}:lambda:${AWS::Region}:${AWS::AccountId}:function:orders
    /// ```
    /// Permissions that are no API calls are actions too:
    /// ```terraform good
    /// resource "aws_iam_policy" "p" {
    ///   name = "permissions"
    ///   policy = jsonencode({
    ///     Version = "2012-10-17"
    ///     Statement = [
    ///       { Effect = "Allow", Action = "s3:ListBucket", Resource = "arn:aws:s3:::acme-data" },
    ///       { Effect = "Allow", Action = "ecr:GetAuthorizationToken", Resource = "*" },
    ///       { Effect = "Allow", Action = "lambda:InvokeFunction", Resource = "arn:aws:lambda:eu-west-1:111122223333:function:shop" },
    ///     ]
    ///   })
    /// }
    /// ```
    /// A service that is younger than the data of overgrant is told of with the date of that data, as low:
    /// ```terraform good at:low
    /// resource "aws_iam_policy" "p" {
    ///   name = "new"
    ///   policy = jsonencode({
    ///     Version   = "2012-10-17"
    ///     Statement = [{ Effect = "Allow", Action = "moonbase:StartLanding", Resource = "arn:aws:s3:::acme-data" }]
    ///   })
    /// }
    /// ```
    /// ## How to fix
    /// Look the operation up in the Service Authorization Reference and write the action that permits it.
    pub(crate) static UNKNOWN_OR_EMPTY_ACTION = Rule {
        id: "unknown-or-empty-action",
        family: Family::Validity,
        severity: Severity::Medium,
        confidence: Confidence::High,
        scope: Scope::Module,
        since: "0.1.0",
        cwe: &[1126, 1164, 697],
        aliases: &["UNKNOWN_ACTION"],
        mappings: &[("NIST", "CM-6")],
        references: &[
            "https://docs.aws.amazon.com/service-authorization/latest/reference/reference.html",
            "https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_action.html",
        ],
        check: check,
    };
}

/// Names of operations and of former actions, lower case, and the action that permits them.
const OTHER_NAMES: &[(&str, &str)] = &[
    ("dynamodb:queryitems", "dynamodb:Query"),
    ("lambda:invoke", "lambda:InvokeFunction"),
    ("s3:completemultipartupload", "s3:PutObject"),
    ("s3:copyobject", "s3:PutObject"),
    ("s3:createmultipartupload", "s3:PutObject"),
    ("s3:deletebucketencryption", "s3:PutEncryptionConfiguration"),
    ("s3:deletebucketlifecycle", "s3:PutLifecycleConfiguration"),
    ("s3:deleteobjects", "s3:DeleteObject"),
    ("s3:getbucketencryption", "s3:GetEncryptionConfiguration"),
    ("s3:getbucketlifecycle", "s3:GetLifecycleConfiguration"),
    ("s3:getbucketlifecycleconfiguration", "s3:GetLifecycleConfiguration"),
    ("s3:getbucketreplication", "s3:GetReplicationConfiguration"),
    ("s3:headbucket", "s3:ListBucket"),
    ("s3:headobject", "s3:GetObject"),
    ("s3:listbuckets", "s3:ListAllMyBuckets"),
    ("s3:listmultipartuploads", "s3:ListBucketMultipartUploads"),
    ("s3:listobjects", "s3:ListBucket"),
    ("s3:listobjectsv2", "s3:ListBucket"),
    ("s3:listobjectversions", "s3:ListBucketVersions"),
    ("s3:listparts", "s3:ListMultipartUploadParts"),
    ("s3:putbucketencryption", "s3:PutEncryptionConfiguration"),
    ("s3:putbucketlifecycle", "s3:PutLifecycleConfiguration"),
    ("s3:putbucketlifecycleconfiguration", "s3:PutLifecycleConfiguration"),
    ("s3:putbucketreplication", "s3:PutReplicationConfiguration"),
    ("s3:selectobjectcontent", "s3:GetObject"),
    ("s3:uploadpart", "s3:PutObject"),
];

fn check(cx: &mut Context<'_>) {
    let mut faults = Faults::default();
    for holder in &cx.model.documents {
        if holder.role == DocumentRole::OtherOrganization {
            continue;
        }
        for statement in &holder.document.statements {
            // A prefix that is wrong is one mistake, however many actions follow it.
            let mut prefixes: BTreeMap<String, usize> = BTreeMap::new();
            for item in &statement.actions.listed().items {
                if let Some(prefix) = faults.unknown_prefix(item) {
                    *prefixes.entry(prefix).or_default() += 1;
                }
            }
            for item in &statement.actions.listed().items {
                let Some(mut fault) = faults.of(item) else {
                    continue;
                };
                if let Some(prefix) = faults.unknown_prefix(item) {
                    match prefixes.remove(&prefix) {
                        None => continue,
                        Some(1) => {}
                        Some(count) => {
                            fault.text = format!(
                                "which matches no action, and {} more with the prefix `{prefix}`",
                                count - 1
                            );
                        }
                    }
                }
                let denies = statement.effect == Effect::Deny && !statement.actions.listed().negated;
                // The action that permits the operation is denied beside it.
                let doubled = denies && fault.sure && lists(statement, fault.instead.as_deref());
                let severity = match (&fault.instead, denies) {
                    (Some(_), true) if doubled => Severity::Low,
                    (Some(_), true) => Severity::High,
                    (Some(_), false) => Severity::Medium,
                    (None, _) => Severity::Low,
                };
                let name = names::document(holder);
                let text = if denies && !doubled {
                    format!("{name} denies `{item}`, {}, so nothing is denied", fault.text)
                } else {
                    format!("{name} names `{item}`, {}", fault.text)
                };
                let src = item.pattern().src();
                let mut report = cx
                    .finding(&holder.place, src, text)
                    .statement(statement)
                    .cell(item.pattern().key())
                    .severity(severity)
                    .marks(item.pattern().marks());
                match &fault.instead {
                    Some(instead) => report = report.help(format!("write `{instead}`")),
                    None => {
                        report = report.note(format!("AWS data of {}", catalog().date()));
                    }
                }
                if let Some(instead) = fault.instead.filter(|_| fault.sure) {
                    let edit = fixes::replace(src, &item.to_string(), &instead);
                    let title = format!("Write `{instead}`");
                    report = report.fix(edit.map(|edit| fixes::changing(title, [edit])));
                }
                cx.report(report);
            }
        }
    }
}

/// Whether the statement surely lists the action.
fn lists(statement: &Statement, action: Option<&str>) -> bool {
    action
        .and_then(|action| catalog().action_id(action))
        .is_some_and(|id| statement.actions.must().contains(id))
}

#[derive(Clone)]
struct Fault {
    text: String,
    instead: Option<String>,
    /// Whether `instead` is certainly meant.
    sure: bool,
}

/// What is wrong with a pattern in lower case.
fn fault(spelling: &str, has_wildcard: bool, catalog: &Catalog) -> Option<Fault> {
    // AWS's own policies use some of these names too, without effect.
    if let Some((_, instead)) = OTHER_NAMES.iter().find(|(name, _)| *name == spelling) {
        return Some(Fault {
            text: "which is an operation but no action".to_owned(),
            instead: Some((*instead).to_owned()),
            sure: true,
        });
    }
    if !catalog.action_ranges(spelling).is_empty() || catalog.is_extra_action(spelling) {
        return None;
    }
    if has_wildcard {
        let service = spelling.split(':').next().unwrap_or_default();
        let known = catalog.service(service).is_some();
        return Some(Fault {
            text: "which matches no action".to_owned(),
            instead: (!known && spelling.contains(':') && !service.contains(['*', '?']))
                .then(|| near_service(service, catalog))
                .flatten()
                .map(|near| spelling.replacen(service, near, 1)),
            sure: false,
        });
    }
    if !spelling.contains(':') {
        return Some(Fault {
            text: "which has no service prefix".to_owned(),
            instead: None,
            sure: false,
        });
    }
    Some(Fault {
        text: "which is no action that AWS documents".to_owned(),
        instead: catalog
            .suggest_action(spelling)
            .filter(|near| is_slip(spelling, &near.to_ascii_lowercase())),
        sure: false,
    })
}

/// What is wrong with each spelling, worked out once: the search for what was meant is long, and
/// policies repeat each other.
#[derive(Default)]
struct Faults(HashMap<String, Option<Fault>>);

impl Faults {
    fn of(&mut self, item: &ActionPattern) -> Option<Fault> {
        if !item.pattern().is_known() {
            return None;
        }
        let spelling = item.to_string().to_ascii_lowercase();
        if let Some(known) = self.0.get(&spelling) {
            return known.clone();
        }
        let found = fault(&spelling, item.pattern().has_wildcard(), catalog());
        self.0.insert(spelling, found.clone());
        found
    }

    /// The prefix of a pattern, if it is written out and no service has it.
    fn unknown_prefix(&mut self, item: &ActionPattern) -> Option<String> {
        self.of(item)?;
        let prefix = item.service()?;
        let known = prefix.contains(['*', '?']) || catalog().service(&prefix).is_some();
        (!known).then_some(prefix)
    }
}

fn near_service<'a>(service: &str, catalog: &'a Catalog) -> Option<&'a str> {
    catalog
        .suggest_service(service)
        .filter(|near| is_slip(service, near))
}

/// Whether one of the two is the other with at most two characters added at one place or changed:
/// what typing mistakes and plurals look like. Real names that AWS has retired differ by more.
fn is_slip(a: &str, b: &str) -> bool {
    const MOST: usize = 2;
    if a.len() < 4 {
        return false;
    }
    let front = a.bytes().zip(b.bytes()).take_while(|(a, b)| a == b).count();
    let shorter = a.len().min(b.len());
    let back = a
        .bytes()
        .rev()
        .zip(b.bytes().rev())
        .take(shorter - front)
        .take_while(|(a, b)| a == b)
        .count();
    a.len().max(b.len()) - front - back <= MOST
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::Scene;

    fn found(effect: &str, action: &str) -> Vec<(Severity, Option<String>)> {
        Scene::new()
            .statements(&format!(
                r#"{{"Effect":"{effect}","Action":"{action}","Resource":"*"}}"#
            ))
            .run(&UNKNOWN_OR_EMPTY_ACTION)
            .into_iter()
            .map(|(_, finding)| (finding.severity, finding.help))
            .collect()
    }

    #[test]
    fn names_of_operations_are_known() {
        for (name, instead) in OTHER_NAMES {
            assert_eq!(catalog().action_id(name), None, "{name}");
            assert!(catalog().action_id(instead).is_some(), "{instead}");
        }
        assert!(OTHER_NAMES.is_sorted());
        let help = Some("write `s3:ListBucket`".to_owned());
        assert_eq!(found("Allow", "s3:ListObjects"), [(Severity::Medium, help.clone())]);
        assert_eq!(found("Deny", "S3:listobjects"), [(Severity::High, help)]);
    }

    #[test]
    fn a_name_beside_the_action_it_means_is_low_in_a_deny() {
        let found = |effect: &str| {
            Scene::new()
                .statements(&format!(
                    r#"{{"Effect":"{effect}","Action":["s3:HeadObject","s3:GetObject"],"Resource":"*"}}"#
                ))
                .run(&UNKNOWN_OR_EMPTY_ACTION)
                .into_iter()
                .map(|(_, finding)| (finding.severity, finding.message.contains("nothing is denied")))
                .collect::<Vec<_>>()
        };
        assert_eq!(found("Deny"), [(Severity::Low, false)]);
        assert_eq!(found("Allow"), [(Severity::Medium, false)]);
    }

    #[test]
    fn slips_are_told_from_names_that_are_too_new() {
        let help = Some("write `iam:PassRole`".to_owned());
        assert_eq!(found("Allow", "iam:PassRoles"), [(Severity::Medium, help)]);
        assert_eq!(found("Allow", "brandnew:CreateThing"), [(Severity::Low, None)]);
        assert_eq!(found("Allow", "s3:Frobnicate*"), [(Severity::Low, None)]);
    }

    #[test]
    fn a_wrong_prefix_is_one_mistake() {
        let found = Scene::new()
            .statements(
                r#"{"Effect":"Allow","Action":["dynamo:Get*","dynamo:List*","s3:Get*"],"Resource":"*"}"#,
            )
            .run(&UNKNOWN_OR_EMPTY_ACTION);
        let [(bytes, finding)] = found.as_slice() else {
            panic!("{found:?}")
        };
        assert_eq!(bytes, r#""dynamo:Get*""#);
        assert!(finding.message.ends_with("and 1 more with the prefix `dynamo`"));
    }

    #[test]
    fn what_exists_is_silent() {
        for action in ["*", "s3:Get*", "S3:getobject", "iam:Pass?ole", "*:Describe*"] {
            assert_eq!(found("Allow", action), [], "{action}");
        }
    }
}
