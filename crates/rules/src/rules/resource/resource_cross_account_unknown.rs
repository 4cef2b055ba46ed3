//! `resource-cross-account-unknown`: A resource policy allows an account that nobody declared.

use crate::accounts::{Account, classify};
use crate::holder;
use crate::skeleton::is_wild;
use crate::{Context, Family, Scope};
use overgrant_finding::{Confidence, Severity};
use overgrant_policy::{Condition, Statement, Test, Value};
use smol_str::SmolStr;

rule! {
    /// A resource policy allows an account that nobody declared.
    ///
    /// The principal is a literal account id that is neither one of `own_accounts` nor a declared vendor
    /// nor AWS's own; or the principal is `*`, and a condition binds it to such an account.
    ///
    /// ## Why
    /// Accounts of former partners, copied examples and typing errors keep their access for years. Whoever
    /// holds that account, or gets into it, uses the resource.
    ///
    /// ## Bad
    /// ```terraform bad own_accounts:111122223333
    /// resource "aws_sqs_queue_policy" "orders" {
    ///   queue_url = "https://sqs.eu-west-1.amazonaws.com/111122223333/orders"
    ///   policy = jsonencode({
    ///     Version = "2012-10-17"
    ///     Statement = [{
    ///       Effect    = "Allow"
    ///       Action    = "sqs:SendMessage"
    ///       Resource  = "arn:aws:sqs:eu-west-1:111122223333:orders"
    ///       Principal = { AWS = "444455556666" } # <-- here
    ///     }]
    ///   })
    /// }
    /// ```
    /// ```cloudformation bad own_accounts:111122223333
    /// Resources:
    ///   OrdersPolicy:
    ///     Type: AWS::SQS::QueuePolicy
    ///     Properties:
    ///       Queues: ["https://sqs.eu-west-1.amazonaws.com/111122223333/orders"]
    ///       PolicyDocument:
    ///         Version: "2012-10-17"
    ///         Statement:
    ///           - Effect: Allow
    ///             Action: sqs:SendMessage
    ///             Resource: "*"
    ///             Principal:
    ///               AWS: arn:aws:iam::444455556666:root # <-- here
    /// ```
    /// The same as JSON:
    /// ```terraform bad own_accounts:111122223333
    /// resource "aws_sqs_queue_policy" "orders" {
    ///   queue_url = "https://sqs.eu-west-1.amazonaws.com/111122223333/orders"
    ///   policy = <<-JSON
    ///     {
    ///       "Version": "2012-10-17",
    ///       "Statement": [
    ///         {
    ///           "Effect": "Allow",
    ///           "Action": "sqs:SendMessage",
    ///           "Resource": "arn:aws:sqs:eu-west-1:111122223333:orders",
    ///           "Principal": {"AWS": "444455556666"} # <-- here
    ///         }
    ///       ]
    ///     }
    ///   JSON
    /// }
    /// ```
    /// ## Good
    /// ```terraform good own_accounts:111122223333
    /// resource "aws_sqs_queue_policy" "orders" {
    ///   queue_url = "https://sqs.eu-west-1.amazonaws.com/111122223333/orders"
    ///   policy = jsonencode({
    ///     Version = "2012-10-17"
    ///     Statement = [{
    ///       Effect    = "Allow"
    ///       Action    = "sqs:SendMessage"
    ///       Resource  = "arn:aws:sqs:eu-west-1:111122223333:orders"
    ///       Principal = { AWS = "arn:aws:iam::111122223333:role/shop" }
    ///     }]
    ///   })
    /// }
    /// ```
    /// ```cloudformation good own_accounts:111122223333
    /// Resources:
    ///   Logs:
    ///     Type: AWS::S3::BucketPolicy
    ///     Properties:
    ///       Bucket: acme-lb-logs
    ///       PolicyDocument:
    ///         Version: "2012-10-17"
    ///         Statement:
    ///           - Effect: Allow
    ///             Action: s3:PutObject
    ///             Resource: arn:aws:s3:::acme-lb-logs/*
    ///             Principal:
    ///               AWS: arn:aws:iam::127311923021:root
    /// ```
    /// Without a list of accounts an id may be the own one, and an identity of CloudFront is not an account:
    /// ```terraform good
    /// resource "aws_s3_bucket_policy" "site" {
    ///   bucket = "acme-site"
    ///   policy = jsonencode({
    ///     Version = "2012-10-17"
    ///     Statement = [
    ///       { Effect = "Allow", Action = "s3:GetObject", Resource = "arn:aws:s3:::acme-site/*", Principal = { AWS = "arn:aws:iam::444455556666:role/shop" } },
    ///       { Effect = "Allow", Action = "s3:GetObject", Resource = "arn:aws:s3:::acme-site/*", Principal = { AWS = "arn:aws:iam::cloudfront:user/CloudFront Origin Access Identity EH1HDMB1FH2TC" } },
    ///     ]
    ///   })
    /// }
    /// ```
    /// ```terraform good own_accounts:111122223333
    /// resource "aws_s3_bucket_policy" "site" {
    ///   bucket = "acme-site"
    ///   policy = jsonencode({
    ///     Version   = "2012-10-17"
    ///     Statement = [{ Effect = "Allow", Action = "s3:GetObject", Resource = "arn:aws:s3:::acme-site/*", Principal = { CanonicalUser = "79a59df900b949e55d96a1e698fbacedfd6e09d98eacf8f8d5218e7cd47ef2be" } }]
    ///   })
    /// }
    /// ```
    /// ## How to fix
    /// Add the account to `own_accounts` or `vendors` of the configuration, or remove the principal.
    pub(crate) static RESOURCE_CROSS_ACCOUNT_UNKNOWN = Rule {
        id: "resource-cross-account-unknown",
        family: Family::Resource,
        severity: Severity::Medium,
        confidence: Confidence::High,
        scope: Scope::Module,
        since: "0.1.0",
        cwe: &[284, 732],
        aliases: &[],
        mappings: &[("NIST", "AC-20"), ("ATT&CK", "T1530"), ("ATT&CK", "T1537")],
        references: &["https://docs.aws.amazon.com/IAM/latest/UserGuide/access_policies-cross-account-resource-access.html"],
        check: check,
    };
}

/// Keys by which a statement for everybody names accounts.
const ACCOUNTS: [&str; 5] = [
    "aws:PrincipalAccount",
    "aws:PrincipalArn",
    "aws:SourceAccount",
    "aws:SourceOwner",
    "kms:CallerAccount",
];

fn check(cx: &mut Context<'_>) {
    let model = cx.model;
    for (policy, service) in holder::resource_policies(model) {
        for statement in policy.document.allows() {
            if statement.principals.listed().negated || asks_for_own_organization(cx, statement) {
                continue;
            }
            let named = statement
                .principals
                .iter()
                .filter_map(|one| Some((one.account()?, one.src(), one.guard())));
            let bound = statement
                .principals
                .anyone()
                .into_iter()
                .flat_map(|_| bound_accounts(statement))
                .map(|(id, value)| (id, value.pattern().src(), value.pattern().guard()));
            for (id, src, guard) in named.chain(bound) {
                if classify(cx, &id) != Account::Foreign {
                    continue;
                }
                let what = holder::target(policy, service);
                let report = cx
                    .finding(
                        &policy.place,
                        src,
                        format!("account `{id}`, which is not declared, has access to {what}"),
                    )
                    .statement(statement)
                    .when(guard)
                    .help("add the account to own_accounts or vendors, or remove it");
                cx.report(report);
            }
        }
    }
}

/// The accounts that the conditions of a statement for everybody name.
fn bound_accounts(statement: &Statement) -> impl Iterator<Item = (SmolStr, &Value)> {
    let positive = |condition: &&Condition| {
        !condition.operator.is_negated()
            && ACCOUNTS.iter().any(|name| condition.key.is(name))
    };
    let conditions = statement.conditions.items.iter().filter(positive);
    conditions.flat_map(|condition| &condition.values).filter_map(|value| {
        let known = value.known()?;
        let account = match known.split(':').nth(4) {
            Some(account) => account,
            None => &known,
        };
        let digits = account.len() == "111122223333".len() && account.bytes().all(|byte| byte.is_ascii_digit());
        digits.then(|| (account.into(), value))
    })
}

/// Whether the caller has to be in the organization that is configured, or in a literal one where none is.
fn asks_for_own_organization(cx: &Context<'_>, statement: &Statement) -> bool {
    statement.conditions.on("aws:PrincipalOrgID").any(|condition| {
        !condition.operator.holds_without_key()
            && condition.operator.test != Test::Null
            && !condition.values.is_empty()
            && condition.values.iter().all(|value| match (value.known(), &cx.settings.org_id) {
                (Some(known), Some(own)) => known == own.as_str(),
                (Some(known), None) => !is_wild(&known),
                (None, _) => true,
            })
    })
}
