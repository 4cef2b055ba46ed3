//! `s3-public-access-block-off`: A bucket's block of public access is switched off.

use crate::exposure::truth;
use crate::{Context, Family, Scope, fixes};
use overgrant_finding::{Confidence, Severity};
use overgrant_ir::{Guardrail, GuardrailKind, Model};

rule! {
    /// A bucket's block of public access is switched off.
    ///
    /// One of the four settings of S3 Block Public Access is `false`. Buckets start with all four on.
    ///
    /// ## Why
    /// From here on a single ACL or policy statement makes objects public, and nothing refuses it.
    ///
    /// ## Bad
    /// ```terraform bad
    /// resource "aws_s3_bucket" "logs" {
    ///   bucket = "acme-logs"
    /// }
    ///
    /// resource "aws_s3_bucket_public_access_block" "logs" {
    ///   bucket                  = aws_s3_bucket.logs.id
    ///   block_public_acls       = true
    ///   block_public_policy     = false # <-- here
    ///   ignore_public_acls      = true
    ///   restrict_public_buckets = true
    /// }
    /// ```
    /// ```cloudformation bad
    /// Resources:
    ///   Logs:
    ///     Type: AWS::S3::Bucket
    ///     Properties:
    ///       PublicAccessBlockConfiguration:
    ///         BlockPublicAcls: true
    ///         BlockPublicPolicy: true
    ///         IgnorePublicAcls: true
    ///         RestrictPublicBuckets: false # <-- here
    /// ```
    /// ## Good
    /// ```terraform good
    /// resource "aws_s3_bucket" "logs" {
    ///   bucket = "acme-logs"
    /// }
    ///
    /// resource "aws_s3_bucket_public_access_block" "logs" {
    ///   bucket                  = aws_s3_bucket.logs.id
    ///   block_public_acls       = true
    ///   block_public_policy     = true
    ///   ignore_public_acls      = true
    ///   restrict_public_buckets = true
    /// }
    /// ```
    /// ```cloudformation good
    /// Resources:
    ///   Logs:
    ///     Type: AWS::S3::Bucket
    ///     Properties:
    ///       BucketName: acme-logs
    /// ```
    /// A site that is meant to be public stands in the configuration:
    /// ```terraform good public_ok:aws_s3_bucket_public_access_block.site
    /// resource "aws_s3_bucket_public_access_block" "site" {
    ///   bucket                  = "acme-site"
    ///   block_public_acls       = true
    ///   block_public_policy     = false
    ///   ignore_public_acls      = true
    ///   restrict_public_buckets = false
    /// }
    /// ```
    /// The block of the account holds for every bucket:
    /// ```terraform good
    /// resource "aws_s3_account_public_access_block" "all" {
    ///   block_public_acls       = true
    ///   block_public_policy     = true
    ///   ignore_public_acls      = true
    ///   restrict_public_buckets = true
    /// }
    /// resource "aws_s3_bucket_public_access_block" "data" {
    ///   bucket                  = "acme-data"
    ///   block_public_acls       = true
    ///   block_public_policy     = false
    ///   ignore_public_acls      = true
    ///   restrict_public_buckets = false
    /// }
    /// ```
    /// ## How to fix
    /// Set all four to `true`, or leave the block out: new buckets have it on.
    pub(crate) static S3_PUBLIC_ACCESS_BLOCK_OFF = Rule {
        id: "s3-public-access-block-off",
        family: Family::Resource,
        severity: Severity::Medium,
        confidence: Confidence::High,
        scope: Scope::Module,
        since: "0.1.0",
        cwe: &[284, 732],
        aliases: &[
            "CKV_AWS_53",
            "CKV_AWS_54",
            "CKV_AWS_55",
            "CKV_AWS_56",
            "AWS-0086",
            "AWS-0087",
            "AWS-0088",
            "AWS-0089",
            "AWS-0090",
            "AWS-0091",
            "AWS-0092",
            "AWS-0093",
            "AWS-0094",
            "AwsSolutions-S2",
        ],
        mappings: &[
            ("FSBP", "S3.1"),
            ("FSBP", "S3.8"),
            ("CIS5", "2.1.4"),
            ("NIST", "AC-3"),
            ("NIST", "AC-4"),
            ("NIST", "AC-6"),
            ("NIST", "SC-7"),
            ("ATT&CK", "T1530"),
            ("ATT&CK", "T1537"),
        ],
        references: &["https://docs.aws.amazon.com/AmazonS3/latest/userguide/access-control-block-public-access.html"],
        check: check,
    };
}

const SETTINGS: [[&str; 2]; 4] = [
    ["block_public_acls", "BlockPublicAcls"],
    ["block_public_policy", "BlockPublicPolicy"],
    ["ignore_public_acls", "IgnorePublicAcls"],
    ["restrict_public_buckets", "RestrictPublicBuckets"],
];

fn check(cx: &mut Context<'_>) {
    let model = cx.model;
    for block in &model.guardrails {
        if block.kind != GuardrailKind::PublicAccessBlock
            || cx.settings.is_public_ok(&block.place.address)
        {
            continue;
        }
        let off: Vec<_> = SETTINGS
            .iter()
            .flatten()
            .filter_map(|name| Some((*name, block.attrs.get(name)?)))
            .filter(|(_, val)| truth(val.clone()) == Some(false))
            .filter(|(name, _)| !is_on_for_account(model, block, name))
            .collect();
        let Some((first, val)) = off.first() else {
            continue;
        };
        let others = match off.len() {
            1 => String::new(),
            more => format!(" and {} more of the four settings", more - 1),
        };
        let edits: Option<Vec<_>> = off
            .iter()
            .map(|(_, val)| fixes::replace(val.src(), "false", "true"))
            .collect();
        let mut report = cx
            .finding(
                &block.place,
                val.src(),
                format!(
                    "`{first}`{others} of `{}` {} off",
                    block.place.address,
                    if off.len() > 1 { "are" } else { "is" }
                ),
            )
            .cell(off.iter().map(|(name, _)| *name).collect::<Vec<_>>().join(","))
            .marks(val.marks())
            .fix(edits.map(|edits| fixes::changing("Block public access", edits)))
            .help("set all four to true");
        for (name, val) in off.iter().skip(1) {
            report = report.related(val.src(), format!("`{name}` is off too"), None);
        }
        cx.report(report);
    }
}

/// Whether the block of the whole account, in the same root, has the setting on. Source: Amazon S3,
/// "Blocking public access to your Amazon S3 storage" (the most restrictive combination holds).
fn is_on_for_account(model: &Model, bucket: &Guardrail, name: &str) -> bool {
    model.guardrails.iter().any(|one| {
        one.kind == GuardrailKind::PublicAccessBlock
            && one.place.kind == "aws_s3_account_public_access_block"
            && one.place.root == bucket.place.root
            && one.attrs.get(name).and_then(truth) == Some(true)
    })
}
