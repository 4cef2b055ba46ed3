//! `s3-tls-not-enforced`: A bucket policy does not refuse requests without TLS.

use crate::holder;
use crate::{Context, Family, Scope, fixes};
use overgrant_finding::{Confidence, Fix, Severity};
use overgrant_ir::DocumentRole;
use overgrant_policy::{Answer, Condition, Document, Resolution, Statement, Test};
use overgrant_value::Guard;

rule! {
    /// A bucket policy does not refuse requests without TLS.
    ///
    /// The policy has no Deny for `aws:SecureTransport` = `false` that reaches everybody and covers both
    /// the bucket and its objects.
    ///
    /// ## Why
    /// S3 still answers plain HTTP. A client that is configured wrongly sends objects and signed requests
    /// in the clear.
    ///
    /// ## Bad
    /// ```terraform bad
    /// resource "aws_s3_bucket_policy" "logs" {
    ///   bucket = "acme-logs"
    ///   policy = jsonencode({ # <-- here
    ///     Version = "2012-10-17"
    ///     Statement = [{
    ///       Effect    = "Allow"
    ///       Action    = "s3:PutObject"
    ///       Resource  = "arn:aws:s3:::acme-logs/*"
    ///       Principal = { AWS = "arn:aws:iam::111122223333:role/shipper" }
    ///     }]
    ///   })
    /// }
    /// ```
    /// ```cloudformation bad
    /// Resources:
    ///   Logs:
    ///     Type: AWS::S3::BucketPolicy
    ///     Properties:
    ///       Bucket: acme-logs
    ///       PolicyDocument:
    ///         Version: "2012-10-17"
    ///         Statement:
    ///           - Effect: Deny
    ///             Action: s3:*
    ///             Resource: arn:aws:s3:::acme-logs/* # <-- here
    ///             Principal: "*"
    ///             Condition:
    ///               Bool:
    ///                 aws:SecureTransport: "false"
    /// ```
    /// The same as JSON:
    /// ```terraform bad
    /// resource "aws_s3_bucket_policy" "logs" {
    ///   bucket = "acme-logs"
    ///   policy = <<-JSON # <-- here
    ///     {
    ///       "Version": "2012-10-17",
    ///       "Statement": [
    ///         {
    ///           "Effect": "Allow",
    ///           "Action": "s3:PutObject",
    ///           "Resource": "arn:aws:s3:::acme-logs/*",
    ///           "Principal": {"AWS": "arn:aws:iam::111122223333:role/shipper"}
    ///         }
    ///       ]
    ///     }
    ///   JSON
    /// }
    /// ```
    /// ## Good
    /// ```terraform good
    /// resource "aws_s3_bucket_policy" "logs" {
    ///   bucket = "acme-logs"
    ///   policy = jsonencode({
    ///     Version = "2012-10-17"
    ///     Statement = [{
    ///       Effect    = "Deny"
    ///       Action    = "s3:*"
    ///       Resource  = ["arn:aws:s3:::acme-logs", "arn:aws:s3:::acme-logs/*"]
    ///       Principal = "*"
    ///       Condition = { Bool = { "aws:SecureTransport" = "false" } }
    ///     }]
    ///   })
    /// }
    /// ```
    /// ```cloudformation good
    /// Resources:
    ///   Logs:
    ///     Type: AWS::S3::BucketPolicy
    ///     Properties:
    ///       Bucket: acme-logs
    ///       PolicyDocument:
    ///         Version: "2012-10-17"
    ///         Statement:
    ///           - Effect: Deny
    ///             Action: s3:*
    ///             Resource: [arn:aws:s3:::acme-logs, arn:aws:s3:::acme-logs/*]
    ///             Principal: "*"
    ///             Condition:
    ///               NumericLessThan:
    ///                 s3:TlsVersion: "1.2"
    /// ```
    /// A resource control policy of the organization does it for all buckets:
    /// ```terraform good
    /// resource "aws_organizations_policy" "tls" {
    ///   name = "tls"
    ///   type = "RESOURCE_CONTROL_POLICY"
    ///   content = jsonencode({
    ///     Version = "2012-10-17"
    ///     Statement = [{
    ///       Effect    = "Deny"
    ///       Action    = "s3:*"
    ///       Resource  = "*"
    ///       Principal = "*"
    ///       Condition = { BoolIfExists = { "aws:SecureTransport" = "false" } }
    ///     }]
    ///   })
    /// }
    /// resource "aws_organizations_policy_attachment" "tls" {
    ///   policy_id = aws_organizations_policy.tls.id
    ///   target_id = "r-k3m9"
    /// }
    /// resource "aws_s3_bucket" "logs" {
    ///   bucket = "acme-logs"
    /// }
    /// resource "aws_s3_bucket_policy" "logs" {
    ///   bucket = aws_s3_bucket.logs.id
    ///   policy = jsonencode({
    ///     Version   = "2012-10-17"
    ///     Statement = [{ Effect = "Allow", Action = "s3:GetObject", Resource = "${aws_s3_bucket.logs.arn}/*", Principal = { AWS = "arn:aws:iam::111122223333:role/reader" } }]
    ///   })
    /// }
    /// ```
    /// A policy that is not at hand may do it:
    /// ```terraform good
    /// variable "policy" { type = string }
    /// resource "aws_s3_bucket_policy" "logs" {
    ///   bucket = "acme-logs"
    ///   policy = var.policy
    /// }
    /// ```
    /// ## How to fix
    /// Add a Deny on `s3:*` for `*` over the bucket and `/*` with `Bool` `aws:SecureTransport` = `false`.
    pub(crate) static S3_TLS_NOT_ENFORCED = Rule {
        id: "s3-tls-not-enforced",
        family: Family::Resource,
        severity: Severity::Low,
        confidence: Confidence::High,
        scope: Scope::Module,
        since: "0.1.0",
        cwe: &[284, 732],
        aliases: &["CKV_AWS_379", "AwsSolutions-S10", "s3_bucket_secure_transport_policy"],
        mappings: &[
            ("FSBP", "S3.5"),
            ("CIS5", "2.1.1"),
            ("NIST", "SC-8"),
            ("ATT&CK", "T1530"),
            ("ATT&CK", "T1537"),
        ],
        references: &["https://docs.aws.amazon.com/AmazonS3/latest/userguide/security-best-practices.html"],
        check: check,
    };
}

fn check(cx: &mut Context<'_>) {
    let model = cx.model;
    let by_organization = model.documents.iter().any(|policy| {
        let all = policy.role == DocumentRole::ServiceControl;
        let guardrail = all || policy.role == DocumentRole::ResourceControl;
        guardrail
            && policy.document.denies().any(|deny| {
                let everybody = all || deny.principals.anyone().is_some();
                everybody && refuses_plain(deny) && covers(deny, false) && covers(deny, true)
            })
    });
    if by_organization {
        return;
    }
    for (policy, service) in holder::resource_policies(model) {
        let document = &policy.document;
        if service != "s3" || !is_bucket(&policy.place.kind) || document.resolution == Resolution::Unresolved || document.statements.is_empty() {
            continue;
        }
        let denies: Vec<&Statement> = document.denies().filter(|deny| deny.principals.anyone().is_some() && refuses_plain(deny)).collect();
        let whole = denies.iter().any(|deny| covers(deny, false) && covers(deny, true));
        let parts = denies.iter().any(|deny| covers(deny, false)) && denies.iter().any(|deny| covers(deny, true));
        if whole || parts {
            continue;
        }
        let what = holder::target(policy, service);
        let report = match denies.first() {
            Some(deny) => {
                let missing = if covers(deny, true) { "the bucket itself" } else { "its objects" };
                cx.finding(
                    &policy.place,
                    &deny.resources.listed().src,
                    format!("{what} refuses requests without TLS, but not for {missing}"),
                )
                .statement(deny)
                .fix(reach_all(deny))
            }
            None => cx
                .finding(
                    &policy.place,
                    &policy.argument_src,
                    format!("{what} accepts requests without TLS"),
                )
                .cell("no deny")
                .fix(deny_plain(document)),
        };
        cx.report(report.help("deny s3:* over the bucket and its objects where aws:SecureTransport is false"));
    }
}

/// The bucket or its objects, whichever a Deny leaves out.
fn reach_all(deny: &Statement) -> Option<Fix> {
    let listed = deny.resources.listed();
    let known = listed.items.iter().find(|one| one.below_bucket().is_some())?;
    let other = fixes::of_bucket(known, !covers(deny, true))?;
    let edit = fixes::add(listed.items.last()?.pattern().src(), [other])?;
    Some(fixes::changing("Refuse requests without TLS for all of the bucket", [edit]))
}

/// A Deny for everybody without TLS, of the bucket that the document names already.
fn deny_plain(document: &Document) -> Option<Fix> {
    let statements = document.statements.iter();
    let mut named = statements.flat_map(|statement| &statement.resources.listed().items);
    let resources = named.find_map(|one| Some(vec![fixes::of_bucket(one, false)?, fixes::of_bucket(one, true)?]))?;
    let mut draft = fixes::denial(&["s3:*"], resources, Some(("Bool", "aws:SecureTransport", "false")));
    draft.elements.insert(1, ("Principal", vec!["*".into()]));
    Some(fixes::changing("Refuse requests without TLS", [fixes::append(document, draft)?]))
}

/// Whether a policy stands on a bucket and not on an access point, behind which the bucket's still holds.
fn is_bucket(kind: &str) -> bool {
    !kind.contains("access_point") && !kind.contains("AccessPoint")
}

/// A Deny whose only condition is a request without (current) TLS.
fn refuses_plain(deny: &Statement) -> bool {
    let plain = |condition: &Condition| {
        let value = |wanted: &str| {
            condition
                .values
                .iter()
                .any(|value| value.known().is_some_and(|known| known.eq_ignore_ascii_case(wanted)))
        };
        match &condition.operator.test {
            Test::Bool => condition.key.is("aws:SecureTransport") && value("false"),
            Test::StringEquals => condition.key.is("aws:SecureTransport") && value("false"),
            Test::Numeric(rest) => condition.key.is("s3:TlsVersion") && rest.starts_with("lessthan"),
            _ => false,
        }
    };
    deny.guard == Guard::always()
        && !deny.conditions.open
        && !deny.conditions.items.is_empty()
        && deny.conditions.items.iter().all(plain)
        && deny.actions.select("s3:GetObject") == Answer::Must
        && deny.actions.select("s3:PutObject") == Answer::Must
}

/// Whether the statement covers the objects, or the bucket itself.
fn covers(deny: &Statement, objects: bool) -> bool {
    let resources = deny.resources.listed();
    resources.negated
        || resources.open
        || resources.items.iter().any(|resource| {
            if objects {
                resource.may_cover_objects()
            } else {
                resource.may_cover_bucket()
            }
        })
}
