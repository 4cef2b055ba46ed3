//! `action-resource-mismatch`: actions on resources that they do not know.

use crate::grants;
use crate::published::is_published;
use crate::{Context, Family, Scope, fixes};
use overgrant_catalog::{Action, ResourceType};
use overgrant_finding::{Confidence, Fix, Severity};
use overgrant_ir::Maker;
use overgrant_policy::{ActionPattern, Answer, Effect, ResourcePattern};
use overgrant_value::Marks;

rule! {
    /// Action is granted on resources that it does not know.
    ///
    /// None of the resources of the statement is of a type that the action acts on, such as
    /// `s3:ListBucket` on the objects of a bucket, or `s3:GetObject` on the bucket itself. The grant has
    /// no effect.
    ///
    /// ## Why
    /// What does not work is soon widened to `*`, which then grants far more than was meant.
    ///
    /// ## Bad
    /// ```terraform bad
    /// resource "aws_iam_policy" "reader" {
    ///   name = "reader"
    ///   policy = jsonencode({
    ///     Version = "2012-10-17"
    ///     Statement = [{
    ///       Effect   = "Allow"
    ///       Action   = ["s3:GetObject", "s3:ListBucket"] # <-- here
    ///       Resource = "arn:aws:s3:::acme-reports/*"
    ///     }]
    ///   })
    /// }
    /// ```
    /// ```cloudformation bad
    /// Resources:
    ///   Reader:
    ///     Type: AWS::IAM::ManagedPolicy
    ///     Properties:
    ///       PolicyDocument:
    ///         Version: "2012-10-17"
    ///         Statement:
    ///           - Effect: Allow
    ///             Action: s3:GetObject # <-- here
    ///             Resource: arn:aws:s3:::acme-reports
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
    ///           "Action": ["s3:GetObject", "s3:ListBucket"], # <-- here
    ///           "Resource": "arn:aws:s3:::acme-reports/*"
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
    ///   Reader:
    ///     Type: AWS::IAM::ManagedPolicy
    ///     Properties:
    ///       PolicyDocument:
    ///         Version: "2012-10-17"
    ///         Statement:
    ///           - Effect: Allow
    ///             Action: s3:GetObject
    ///             Resource: arn:aws:s3:::acme-reports/*
    /// ```
    /// A statement for several actions needs each ARN for one of them only:
    /// ```terraform good
    /// resource "aws_iam_policy" "worker" {
    ///   name = "worker"
    ///   policy = jsonencode({
    ///     Version = "2012-10-17"
    ///     Statement = [{
    ///       Effect   = "Allow"
    ///       Action   = ["sqs:ReceiveMessage", "dynamodb:Query"]
    ///       Resource = ["arn:aws:sqs:eu-west-1:111122223333:orders", "arn:aws:dynamodb:eu-west-1:111122223333:table/orders"]
    ///     }]
    ///   })
    /// }
    /// ```
    /// A change set that runs a transform is made on the transform too:
    /// ```cloudformation good
    /// Resources:
    ///   Deploy:
    ///     Type: AWS::IAM::ManagedPolicy
    ///     Properties:
    ///       PolicyDocument:
    ///         Version: "2012-10-17"
    ///         Statement:
    ///           - Effect: Allow
    ///             Action: cloudformation:CreateChangeSet
    ///             Resource: !Sub "arn:aws:cloudformation:${AWS::Region}:aws:transform/Serverless-2016-10-31"
    /// ```
    /// Parameters that are blank by default are filled in before the ARN means anything:
    /// ```cloudformation good
    /// Parameters:
    ///   BotId:
    ///     Type: String
    ///     Default: ""
    ///   AliasId:
    ///     Type: String
    ///     Default: ""
    /// Resources:
    ///   Chat:
    ///     Type: AWS::IAM::ManagedPolicy
    ///     Properties:
    ///       PolicyDocument:
    ///         Version: "2012-10-17"
    ///         Statement:
    ///           - Effect: Allow
    ///             Action: lex:RecognizeText
    ///             Resource: !Sub arn:aws:lex:${AWS::Region}:${AWS::AccountId}:bot-alias/${BotId}/${AliasId}
    /// ```
    /// Words of AWS's own policies (here `AmazonEMRServicePolicy_v2`) are none to mend:
    /// ```terraform good at:low
    /// resource "aws_iam_policy" "emr" {
    ///   name = "emr"
    ///   policy = jsonencode({
    ///     Version = "2012-10-17"
    ///     Statement = [{
    ///       Effect    = "Allow"
    ///       Action    = ["ec2:RunInstances", "ec2:CreateFleet", "ec2:CreateLaunchTemplate"]
    ///       Resource  = ["arn:aws:ec2:*:*:security-group/*"]
    ///       Condition = { StringEquals = { "aws:ResourceTag/for-use-with-amazon-emr-managed-policies" = "true" } }
    ///     }]
    ///   })
    /// }
    /// ```
    /// ## How to fix
    /// Add the ARN of the type that the action acts on: the bucket for listing, `bucket/*` for objects, `*`
    /// in a statement of its own for actions that know no resources.
    pub(crate) static ACTION_RESOURCE_MISMATCH = Rule {
        id: "action-resource-mismatch",
        family: Family::Validity,
        severity: Severity::Medium,
        confidence: Confidence::High,
        scope: Scope::Module,
        since: "0.1.0",
        cwe: &[1126, 1164, 697],
        aliases: &["RESOURCE_MISMATCH"],
        mappings: &[("NIST", "CM-6")],
        references: &[
            "https://docs.aws.amazon.com/service-authorization/latest/reference/reference_policies_actions-resources-contextkeys.html",
        ],
        check: check,
    };
}

fn check(cx: &mut Context<'_>) {
    for grant in grants::grants(cx) {
        let statement = grant.statement;
        let resources = statement.resources.listed();
        if statement.effect != Effect::Allow
            || statement.actions.listed().negated
            || resources.negated
            || resources.open
            || resources.items.is_empty()
            || statement.resources.star().is_some()
            // An empty text is a value that was not given.
            || resources.items.iter().any(|item| item.pattern().is_empty() || is_unfilled(item))
        {
            continue;
        }
        let dead: Vec<(&ActionPattern, Action<'_>)> = statement
            .actions
            .listed()
            .items
            .iter()
            .filter(|item| !item.pattern().has_wildcard())
            .filter_map(|item| Some((item, item.action()?)))
            .filter(|(_, action)| {
                statement.resources.some_of(*action) == Answer::No
                    || wants_bucket(*action, &resources.items)
            })
            .filter(|(_, action)| !transforms(*action, &resources.items))
            .collect();
        let dead = without_doubtful(dead, &resources.items);
        let Some((item, first)) = dead.first().copied() else {
            continue;
        };
        let actions: Vec<Action<'_>> = dead.iter().map(|(_, action)| *action).collect();
        let text = format!(
            "{} grants {} on {}, where it has no effect",
            crate::names::document(grant.document),
            grants::list_actions(&actions),
            statement.resources
        );
        let mut report = cx
            .finding(&grant.document.place, item.pattern().src(), text)
            .help(needs(first));
        if dead
            .iter()
            .all(|(_, action)| {
 action.is_wildcard_only() || acts_elsewhere(*action) || makes_such(*action, &resources.items)
})
        {
            // The reference is slow to list resource types that an action has gained.
            report = report.confidence(Confidence::Medium).severity(Severity::Low);
        }
        // One statement for targets of several services is how modules are written.
        let mixed = dead.len() < statement.actions.listed().items.len()
            && dead.iter().all(|(_, action)| {
                resources.items.iter().all(|item| {
                    item.literals().is_some_and(|arn| {
                        arn.service.as_deref() != Some(action.service().prefix())
                    })
                })
            });
        // An ARN that is written to match nothing has no effect on purpose.
        let meant = resources.items.iter().all(stands_for_none);
        // What a grant of the CDK or a policy template of SAM lists, nobody can take out of it.
        let given = grant.document.place.maker == Maker::CdkGrant
            || statement.src.span.is_some() && item.pattern().src().span == statement.src.span;
        let of_aws = || {
            dead.iter()
                .all(|(_, action)| is_published(*action, &resources.items))
        };
        if mixed || meant || given || of_aws() {
            report = report.severity(Severity::Low);
        }
        let report = grant
            .describe(report)
            .fix(sibling(&resources.items, &actions))
            .related(&resources.src, "these resources", None);
        cx.report(report);
    }
}

/// Without what is perhaps asked on the kind of resource that is named, where something else is surely dead.
fn without_doubtful<'a>(
    dead: Vec<(&'a ActionPattern, Action<'a>)>,
    resources: &[ResourcePattern],
) -> Vec<(&'a ActionPattern, Action<'a>)> {
    let (doubtful, sure): (Vec<_>, Vec<_>) = dead
        .into_iter()
        .partition(|(_, action)| is_of_kind(*action, resources));
    if sure.is_empty() { doubtful } else { sure }
}

/// Whether the action knows no resources, by the reference, but makes or lists one of the kinds that are
/// named: `eks:ListClusters` is asked on `cluster/*`, and `eks:CreateCluster` on the cluster to be.
fn is_of_kind(action: Action<'_>, resources: &[ResourcePattern]) -> bool {
    let name = action.name();
    let makes = name.strip_prefix("Create");
    let lists = name.strip_prefix("List").and_then(|kinds| kinds.strip_suffix('s'));
    action.is_wildcard_only()
        && resources.iter().any(|item| {
            let kind = kind_of(action, item);
            let every = || item.pattern().to_string().ends_with("/*");
            kind.is_some_and(|kind| {
                makes.is_some_and(|made| kind.eq_ignore_ascii_case(made))
                    || lists.is_some_and(|listed| kind.eq_ignore_ascii_case(listed)) && every()
            })
        })
}

/// The word for the kind of resource in an ARN of the action's own service, without hyphens.
fn kind_of(action: Action<'_>, resource: &ResourcePattern) -> Option<String> {
    resource
        .service()
        .filter(|own| own == action.service().prefix())?;
    let text = resource.pattern().to_string();
    let name = text.rsplit(':').next().unwrap_or_default();
    Some(name.split('/').next().unwrap_or_default().replace('-', ""))
}

/// The bucket beside its objects, or the objects beside their bucket, where one of them is all that is
/// named and the actions want the other.
fn sibling(resources: &[ResourcePattern], actions: &[Action<'_>]) -> Option<Fix> {
    let [only] = resources else { return None };
    let below = only.below_bucket()?;
    let on_objects = |action: &Action<'_>| {
        let mut types = action.resources().filter_map(|resource| resource.resource_type());
        action.service().prefix() == "s3" && types.any(|kind| kind.name() == "object")
    };
    let objects = below.is_empty();
    let title = if objects && actions.iter().all(on_objects) {
        "Name the objects too"
    } else if !objects && actions.iter().all(|action| wants_bucket(*action, resources)) {
        "Name the bucket too"
    } else {
        return None;
    };
    let other = fixes::of_bucket(only, objects)?;
    Some(fixes::changing(title, [fixes::add(only.pattern().src(), [other])?]))
}

/// Whether the action makes change sets and the resource is a transform of AWS that they may run.
/// Source: AWS CloudFormation, "Control CloudFormation access with IAM".
fn transforms(action: Action<'_>, resources: &[ResourcePattern]) -> bool {
    action.service().prefix() == "cloudformation"
        && action.name().ends_with("ChangeSet")
        && resources
            .iter()
            .any(|item| item.pattern().to_string().contains(":aws:transform/"))
}

/// Whether the action acts on buckets only and every resource is an object of a bucket: names of
/// buckets have no slash, and access points have a region.
fn wants_bucket(action: Action<'_>, resources: &[ResourcePattern]) -> bool {
    let mut types = action
        .resources()
        .filter_map(|resource| resource.resource_type());
    action.service().prefix() == "s3"
        && !action.is_wildcard_only()
        && types.all(|kind| matches!(kind.name(), "bucket" | "accesspoint"))
        && resources.iter().all(ResourcePattern::names_objects)
}

/// Whether the ARN only holds the place of one that was not given: `arn:aws:kms:::KEY_NOT_IN_USE`.
fn stands_for_none(item: &ResourcePattern) -> bool {
    let pattern = item.pattern();
    let text = pattern.to_string();
    let parts: Vec<&str> = text.splitn(6, ':').collect();
    let [_, _, _, "", "", resource] = parts.as_slice() else {
        return false;
    };
    pattern.is_known()
        && resource.contains('_')
        && resource.bytes().all(|byte| byte.is_ascii_uppercase() || byte == b'_')
}

/// Whether every ARN is of the kind that the action makes, by the names of both:
/// `bedrock:CreateGuardrail` on `guardrail/*`. The reference may list only what it is made of.
fn makes_such(action: Action<'_>, resources: &[ResourcePattern]) -> bool {
    let Some(made) = action.name().strip_prefix("Create") else {
        return false;
    };
    resources
        .iter()
        .all(|item| kind_of(action, item).is_some_and(|kind| kind.eq_ignore_ascii_case(made)))
}

/// Whether a part of the ARN is a variable or parameter that is blank by default, so that the ARN is not the
/// one that will be there.
fn is_unfilled(item: &ResourcePattern) -> bool {
    let pattern = item.pattern();
    pattern.begins_with(&['/', ':'])
        || pattern.marks().has(Marks::FROM_DEFAULT) && pattern.to_string().contains("//")
}

/// Whether every resource type of the action belongs to another service.
fn acts_elsewhere(action: Action<'_>) -> bool {
    let own = action.service().prefix();
    action
        .resources()
        .filter_map(|resource| resource.resource_type())
        .all(|kind| kind.arn_pattern().split(':').nth(2) != Some(own))
}

/// What the action wants in `Resource`.
fn needs(action: Action<'_>) -> String {
    let formats: Vec<&str> = action
        .resources()
        .filter_map(|resource| resource.resource_type())
        .flat_map(ResourceType::arn_patterns)
        .take(2)
        .collect();
    if formats.is_empty() {
        format!("`{action}` knows no resources: grant it on `*`")
    } else {
        format!("`{action}` acts on `{}`", formats.join("` or `"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::Scene;

    #[test]
    fn a_type_may_have_two_arns() {
        let alias = |rest: &str| {
            let arn = format!(r#""arn:aws:lex:eu-west-1:111122223333:{rest}""#);
            found(r#""lex:RecognizeText""#, &arn).len()
        };
        assert_eq!(alias("bot-alias/SHOPBOT123/TSTALIASID"), 0);
        assert_eq!(alias("bot:shop:prod"), 0);
        assert_eq!(alias("slottype:size:1"), 1);
    }

    fn found(action: &str, resource: &str) -> Vec<(String, Severity)> {
        Scene::new()
            .statements(&format!(
                r#"{{"Effect":"Allow","Action":[{action}],"Resource":[{resource}]}}"#
            ))
            .run(&ACTION_RESOURCE_MISMATCH)
            .into_iter()
            .map(|(bytes, finding)| (bytes, finding.severity))
            .collect()
    }

    #[test]
    fn types_have_to_meet() {
        let medium = |bytes: &str| vec![(bytes.to_owned(), Severity::Medium)];
        let objects = r#""arn:aws:s3:::b/*""#;
        assert_eq!(
            found(r#""s3:GetObject","s3:ListBucket""#, objects),
            medium(r#""s3:ListBucket""#)
        );
        assert_eq!(
            found(r#""iam:PassRole""#, r#""arn:aws:iam::123456789012:instance-profile/x""#),
            medium(r#""iam:PassRole""#)
        );
        let describe = found(r#""ec2:DescribeInstances""#, r#""arn:aws:ec2:*:*:instance/i-1""#);
        assert_eq!(describe[0].1, Severity::Low);
        let shift = found(
            r#""arc-zonal-shift:GetManagedResource""#,
            r#""arn:aws:eks:eu-west-1:123456789012:cluster/c""#,
        );
        assert!(shift.iter().all(|(_, severity)| *severity == Severity::Low));
        assert_eq!(found(r#""kms:Decrypt""#, r#""""#), vec![]);
        for (action, arn) in [
            ("kms:Decrypt", "arn:aws:kms:::KEY_NOT_IN_USE"),
            ("bedrock:CreateGuardrail", "arn:aws:bedrock:eu-west-1:123456789012:guardrail/*"),
        ] {
            let low = found(&format!("\"{action}\""), &format!("\"{arn}\""));
            assert_eq!(low, [(format!("\"{action}\""), Severity::Low)], "{arn}");
        }
    }

    #[test]
    fn what_makes_or_lists_the_kind_is_not_counted() {
        let report = |actions: &str, resource: &str| {
            let statement = format!(
                r#"{{"Effect":"Allow","Action":[{actions}],"Resource":"arn:aws:eks:*:*:{resource}"}}"#
            );
            let scene = Scene::new().statements(&statement);
            let mut found = scene.run(&ACTION_RESOURCE_MISMATCH).into_iter();
            found.next().map(|(_, finding)| (finding.severity, finding.message))
        };
        let actions = r#""eks:ListClusters","eks:CreateCluster","eks:DescribeIdentityProviderConfig""#;
        let (severity, message) = report(actions, "cluster/*").unwrap();
        assert_eq!(severity, Severity::Medium);
        assert!(message.contains("grants `eks:DescribeIdentityProviderConfig` on"), "{message}");
        // The list is asked on all clusters, not on one.
        let (_, message) = report(actions, "cluster/c").unwrap();
        assert!(message.contains("`eks:ListClusters`"), "{message}");
        // What describes is asked on everything.
        let both = found(
            r#""ec2:DescribeSnapshots","ec2:DeleteVpc""#,
            r#""arn:aws:ec2:*:*:snapshot/*""#,
        );
        assert_eq!(both[0].0, r#""ec2:DescribeSnapshots""#);
        assert_eq!(report(r#""eks:CreateCluster""#, "cluster/c").unwrap().0, Severity::Low);
    }

    #[test]
    fn what_aws_writes_itself_is_low() {
        let on = |resource: &str| found(r#""states:UpdateStateMachine""#, resource)[0].1;
        let aws = r#""arn:aws:states:*:*:statemachine:*sagemaker*","arn:aws:states:*:*:execution:*sagemaker*:*""#;
        assert_eq!(on(aws), Severity::Low);
        assert_eq!(on(r#""arn:aws:states:*:*:statemachine:*orders*""#), Severity::Medium);
    }

    #[test]
    fn what_may_work_is_silent() {
        for (action, resource) in [
            (r#""s3:GetObject""#, r#""*""#),
            (r#""s3:GetObject""#, r#""arn:aws:s3:::b*""#),
            (r#""s3:*""#, r#""arn:aws:s3:::b""#),
            (r#""s3:ListAllMyBuckets""#, r#""arn:aws:s3:::*""#),
            (r#""s3:GetObject","s3:ListBucket""#, r#""arn:aws:s3:::b","arn:aws:s3:::b/*""#),
        ] {
            assert_eq!(found(action, resource), vec![], "{action} on {resource}");
        }
    }
}
