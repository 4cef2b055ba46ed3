//! `s3-public-access-block-off`: A bucket's block of public access is switched off.

use crate::exposure::{self, truth};
use crate::exposure::PublicBlock;
use crate::{Context, Family, Scope, fixes, holder};
use crate::organization::resource_of;
use crate::caller::{Caller, caller, closed_by_deny};
use overgrant_finding::{Confidence, Severity};
use overgrant_ir::{Guardrail, GuardrailKind, Model, Place, ReferenceTo};
use overgrant_value::Src;

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
    ///   restrict_public_buckets = false
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
    /// It is worse where something uses the opening:
    /// ```terraform bad at:high also:public-resource-policy
    /// resource "aws_s3_bucket" "logs" {
    ///   bucket = "acme-logs"
    /// }
    ///
    /// resource "aws_s3_bucket_public_access_block" "logs" {
    ///   bucket                  = aws_s3_bucket.logs.id
    ///   block_public_acls       = true
    ///   block_public_policy     = false # <-- here
    ///   ignore_public_acls      = true
    ///   restrict_public_buckets = false
    /// }
    ///
    /// resource "aws_s3_bucket_policy" "logs" {
    ///   bucket = aws_s3_bucket.logs.id
    ///   policy = jsonencode({
    ///     Version   = "2012-10-17"
    ///     Statement = [{ Effect = "Allow", Action = "s3:GetObject", Resource = "${aws_s3_bucket.logs.arn}/*", Principal = "*" }]
    ///   })
    /// }
    /// ```
    /// ```cloudformation bad at:high
    /// Resources:
    ///   Site:
    ///     Type: AWS::S3::Bucket
    ///     Properties:
    ///       AccessControl: PublicRead
    ///       PublicAccessBlockConfiguration:
    ///         BlockPublicAcls: false # <-- here
    ///         BlockPublicPolicy: true
    ///         IgnorePublicAcls: false
    ///         RestrictPublicBuckets: true
    /// ```
    /// Not so where a website is served, whose objects everybody is to read:
    /// ```terraform bad at:medium
    /// resource "aws_s3_bucket" "site" {
    ///   bucket = "acme-site"
    /// }
    ///
    /// resource "aws_s3_bucket_website_configuration" "site" {
    ///   bucket = aws_s3_bucket.site.id
    ///   index_document {
    ///     suffix = "index.html"
    ///   }
    /// }
    ///
    /// resource "aws_s3_bucket_public_access_block" "site" {
    ///   bucket                  = aws_s3_bucket.site.id
    ///   block_public_acls       = true
    ///   block_public_policy     = false # <-- here
    ///   ignore_public_acls      = true
    ///   restrict_public_buckets = false
    /// }
    ///
    /// resource "aws_s3_bucket_policy" "site" {
    ///   bucket = aws_s3_bucket.site.id
    ///   policy = jsonencode({
    ///     Version   = "2012-10-17"
    ///     Statement = [{ Effect = "Allow", Action = "s3:GetObject", Resource = "${aws_s3_bucket.site.arn}/*", Principal = "*" }]
    ///   })
    /// }
    /// ```
    /// ## Good
    /// With `scope: account`, a note tells that the account has no block of its own:
    /// ```terraform good at:info scope:module,account
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
    /// What another setting takes the effect of is low:
    /// ```terraform good at:low
    /// resource "aws_s3_bucket_public_access_block" "docs" {
    ///   bucket                  = "acme-docs"
    ///   block_public_acls       = true
    ///   block_public_policy     = false
    ///   ignore_public_acls      = true
    ///   restrict_public_buckets = true
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

/// The block of a whole account, which only Terraform can define.
const ACCOUNT: &str = "aws_s3_account_public_access_block";

/// Access control lists of S3 that take in everybody, as Terraform and CloudFormation name them.
const PUBLIC: [&str; 5] = [
    "public-read", "public-read-write", "authenticated-read", "PublicRead", "PublicReadWrite",
];

fn check(cx: &mut Context<'_>) {
    let model = cx.model;
    whole_account(cx);
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
        if let Some((place, src)) = opened(model, block) {
            report = report
                .severity(Severity::High)
                .related(&src, "this opens the bucket to everybody", Some(place));
        } else if off.iter().all(|(name, _)| is_outdone(block, name)) {
            report = report
                .severity(Severity::Low)
                .note("what is not refused has no effect: the settings beside it see to that");
        }
        for (name, val) in off.iter().skip(1) {
            report = report.related(val.src(), format!("`{name}` is off too"), None);
        }
        cx.report(report);
    }
}

/// Notes that nothing blocks public access for the account, where one is described that has buckets.
fn whole_account(cx: &mut Context<'_>) {
    let model = cx.model;
    let blocked = model.guardrails.iter().any(|one| one.place.kind == ACCOUNT);
    let buckets = holder::resource_policies(model).any(|(_, service)| service == "s3")
        || model.guardrails.iter().any(|one| one.kind == GuardrailKind::PublicAccessBlock)
        || model.grants.iter().any(|grant| grant.service == "s3");
    if blocked || !buckets || !cx.settings.speaks(Scope::Account) {
        return;
    }
    let text = "each bucket blocks public access for itself: no block of the account is defined";
    if let Some(report) = cx.absence("no block of the account", text) {
        let help = "define aws_s3_account_public_access_block with all four settings true";
        cx.report(report.severity(Severity::Info).help(help));
    }
}

/// What opens the bucket to everybody, where the block lets it: a policy or an access control list.
fn opened<'a>(model: &'a Model, block: &'a Guardrail) -> Option<(&'a Place, Src)> {
    let off = |wanted: [&str; 2]| {
        let names = SETTINGS.iter().flatten().filter(|name| wanted.contains(name));
        let mut values = names.filter_map(|name| truth(block.attrs.get(name)?));
        values.next() == Some(false)
    };
    let policies = || {
        holder::resource_policies(model)
            .filter(|(policy, service)| *service == "s3" && concerns(block, &policy.place, policy.targets.iter()))
            .filter(|(policy, _)| exposure::public_block(model, policy) == PublicBlock::Off)
            .find_map(|(policy, _)| {
                let mut allows = policy.document.allows();
                let open = allows.find_map(|statement| {
                    let anyone = statement.principals.anyone()?;
                    let free = matches!(caller(&statement.conditions), Caller::Free)
                        && !closed_by_deny(&policy.document, statement)
                        && !exposure::serves_website(model, policy, statement);
                    free.then_some(anyone)
                })?;
                Some((&policy.place, open.src().clone()))
            })
    };
    let lists = || {
        let ignored = !(off(["block_public_acls", "BlockPublicAcls"])
            && off(["ignore_public_acls", "IgnorePublicAcls"]));
        let mut grants = model.grants.iter().filter(|grant| grant.service == "s3" && !ignored);
        grants.find_map(|grant| {
            let mut names = ["acl", "AccessControl"].iter();
            let acl = names.find_map(|name| grant.attrs.get(name))?;
            let public = acl.as_str().is_some_and(|acl| PUBLIC.contains(&acl.as_str()));
            let website = ["website", "WebsiteConfiguration"]
                .iter()
                .any(|name| grant.attrs.get(name).is_some_and(|val| !val.is_null()));
            (public && !website && concerns(block, &grant.place, grant.target.iter())).then(|| (&grant.place, acl.src().clone()))
        })
    };
    policies().or_else(lists)
}

/// Whether a block is that of one of these buckets, or of the resource that says it.
fn concerns<'a>(block: &Guardrail, place: &Place, mut buckets: impl Iterator<Item = &'a ReferenceTo>) -> bool {
    let Some(subject) = &block.subject else {
        return false;
    };
    let made_by = |bucket: &ReferenceTo| resource_of(&bucket.text).map(|(_, address)| address.clone());
    let named = made_by(subject);
    block.place.root == place.root
        && (block.place.address == place.address
            || buckets.any(|bucket| {
                bucket.text.key() == subject.text.key()
                    || made_by(bucket).is_some_and(|made| named.as_ref() == Some(&made) || made == block.place.address)
            }))
}

/// Whether a setting that is on takes the effect of what this one would refuse: policies of a restricted
/// bucket let no stranger in, and ACLs may be ignored. Source: as below.
fn is_outdone(block: &Guardrail, name: &str) -> bool {
    let by = match name {
        "block_public_policy" => "restrict_public_buckets",
        "BlockPublicPolicy" => "RestrictPublicBuckets",
        "block_public_acls" => "ignore_public_acls",
        "BlockPublicAcls" => "IgnorePublicAcls",
        _ => return false,
    };
    block.attrs.get(by).and_then(truth) == Some(true)
}

/// Whether the block of the whole account, in the same root, has the setting on. Source: Amazon S3,
/// "Blocking public access to your Amazon S3 storage" (the most restrictive combination holds).
fn is_on_for_account(model: &Model, bucket: &Guardrail, name: &str) -> bool {
    model.guardrails.iter().any(|one| {
        one.kind == GuardrailKind::PublicAccessBlock
            && one.place.kind == ACCOUNT
            && one.place.root == bucket.place.root
            && one.attrs.get(name).and_then(truth) == Some(true)
    })
}
