//! `public-resource-policy`: A resource policy opens a resource to everybody.

use crate::caller::{Caller, caller, closed_by_deny};
use crate::exposure::{serves_website, 
    PublicBlock, Reach, can_be_public, is_public_anyway, public_block, switched_off,
};
use crate::holder;
use crate::{Context, Family, Scope};
use overgrant_finding::{Confidence, Severity};

rule! {
    /// A resource policy opens a resource to everybody.
    ///
    /// The policy allows `*`, no condition says who is meant, and no Deny of the same policy closes it.
    ///
    /// ## Why
    /// Every AWS account, and mostly everybody on the internet, reads, writes or administers the resource
    /// as the statement says. Names of buckets, queues and topics are found by scanners.
    ///
    /// ## Bad
    /// ```terraform bad
    /// resource "aws_sqs_queue" "orders" {
    ///   name = "orders"
    /// }
    ///
    /// resource "aws_sqs_queue_policy" "orders" {
    ///   queue_url = aws_sqs_queue.orders.id
    ///   policy = jsonencode({
    ///     Version = "2012-10-17"
    ///     Statement = [{
    ///       Effect    = "Allow"
    ///       Action    = "sqs:SendMessage"
    ///       Resource  = aws_sqs_queue.orders.arn
    ///       Principal = "*" # <-- here
    ///     }]
    ///   })
    /// }
    /// ```
    /// ```cloudformation bad
    /// Resources:
    ///   Orders:
    ///     Type: AWS::SQS::Queue
    ///   OrdersPolicy:
    ///     Type: AWS::SQS::QueuePolicy
    ///     Properties:
    ///       Queues: [!Ref Orders]
    ///       PolicyDocument:
    ///         Version: "2012-10-17"
    ///         Statement:
    ///           - Effect: Allow
    ///             Action: sqs:SendMessage
    ///             Resource: !GetAtt Orders.Arn
    ///             Principal: "*" # <-- here
    /// ```
    /// The same as JSON:
    /// ```terraform bad
    /// resource "aws_sqs_queue" "orders" {
    ///   name = "orders"
    /// }
    ///
    /// resource "aws_sqs_queue_policy" "orders" {
    ///   queue_url = aws_sqs_queue.orders.id
    ///   policy = <<-JSON
    ///     {
    ///       "Version": "2012-10-17",
    ///       "Statement": [
    ///         {
    ///           "Effect": "Allow",
    ///           "Action": "sqs:SendMessage",
    ///           "Resource": "${aws_sqs_queue.orders.arn}",
    ///           "Principal": "*" # <-- here
    ///         }
    ///       ]
    ///     }
    ///   JSON
    /// }
    /// ```
    /// ## Good
    /// ```terraform good
    /// resource "aws_s3_bucket" "site" {
    ///   bucket = "acme-site"
    /// }
    ///
    /// resource "aws_s3_bucket_public_access_block" "site" {
    ///   bucket                  = aws_s3_bucket.site.id
    ///   block_public_acls       = true
    ///   block_public_policy     = true
    ///   ignore_public_acls      = true
    ///   restrict_public_buckets = true
    /// }
    ///
    /// resource "aws_s3_bucket_policy" "site" {
    ///   bucket = aws_s3_bucket.site.id
    ///   policy = jsonencode({
    ///     Version = "2012-10-17"
    ///     Statement = [{
    ///       Effect    = "Allow"
    ///       Action    = "s3:GetObject"
    ///       Resource  = "${aws_s3_bucket.site.arn}/*"
    ///       Principal = { AWS = "*" }
    ///       Condition = { StringEquals = { "aws:PrincipalOrgID" = "o-a1b2c3d4e5" } }
    ///     }]
    ///   })
    /// }
    /// ```
    /// What a public repository shows anyway:
    /// ```terraform good
    /// resource "aws_ecrpublic_repository" "tools" {
    ///   repository_name = "tools"
    /// }
    ///
    /// resource "aws_ecrpublic_repository_policy" "tools" {
    ///   repository_name = aws_ecrpublic_repository.tools.repository_name
    ///   policy = jsonencode({
    ///     Version = "2012-10-17"
    ///     Statement = [{
    ///       Effect    = "Allow"
    ///       Action    = ["ecr-public:BatchGetImage", "ecr-public:GetDownloadUrlForLayer"]
    ///       Principal = "*"
    ///     }]
    ///   })
    /// }
    /// ```
    /// ```cloudformation good
    /// Resources:
    ///   Orders:
    ///     Type: AWS::SQS::Queue
    ///   OrdersPolicy:
    ///     Type: AWS::SQS::QueuePolicy
    ///     Properties:
    ///       Queues: [!Ref Orders]
    ///       PolicyDocument:
    ///         Version: "2012-10-17"
    ///         Statement:
    ///           - Effect: Allow
    ///             Action: sqs:SendMessage
    ///             Resource: !GetAtt Orders.Arn
    ///             Principal: "*"
    ///             Condition:
    ///               ArnEquals:
    ///                 aws:SourceArn: !Sub "arn:aws:sns:${AWS::Region}:${AWS::AccountId}:orders"
    /// ```
    /// A Deny shuts everybody out, and conditions of some services bind as well:
    /// ```terraform good
    /// resource "aws_sqs_queue_policy" "orders" {
    ///   queue_url = "https://sqs.eu-west-1.amazonaws.com/111122223333/orders"
    ///   policy = jsonencode({
    ///     Version = "2012-10-17"
    ///     Statement = [{
    ///       Effect    = "Deny"
    ///       Action    = "sqs:*"
    ///       Resource  = "arn:aws:sqs:eu-west-1:111122223333:orders"
    ///       Principal = "*"
    ///       Condition = { Bool = { "aws:SecureTransport" = "false" } }
    ///     }]
    ///   })
    /// }
    /// ```
    /// ```terraform good
    /// resource "aws_kms_key" "data" {
    ///   policy = jsonencode({
    ///     Version = "2012-10-17"
    ///     Statement = [
    ///       { Effect = "Allow", Action = "kms:*", Resource = "*", Principal = { AWS = "arn:aws:iam::111122223333:root" } },
    ///       {
    ///         Effect    = "Allow"
    ///         Action    = ["kms:Decrypt", "kms:GenerateDataKey*"]
    ///         Resource  = "*"
    ///         Principal = { AWS = "*" }
    ///         Condition = { StringEquals = { "kms:CallerAccount" = "111122223333", "kms:ViaService" = "s3.eu-west-1.amazonaws.com" } }
    ///       },
    ///     ]
    ///   })
    /// }
    /// ```
    /// ```terraform good
    /// resource "aws_efs_file_system_policy" "shared" {
    ///   file_system_id = "fs-0a1b2c3d"
    ///   policy = jsonencode({
    ///     Version = "2012-10-17"
    ///     Statement = [{
    ///       Effect    = "Allow"
    ///       Action    = ["elasticfilesystem:ClientMount", "elasticfilesystem:ClientWrite"]
    ///       Resource  = "arn:aws:elasticfilesystem:eu-west-1:111122223333:file-system/fs-0a1b2c3d"
    ///       Principal = { AWS = "*" }
    ///       Condition = { Bool = { "elasticfilesystem:AccessedViaMountTarget" = "true" } }
    ///     }]
    ///   })
    /// }
    /// ```
    /// A site that is meant to be read by all stands in the configuration:
    /// ```terraform good public_ok:aws_s3_bucket_policy.site
    /// resource "aws_s3_bucket" "site" {
    ///   bucket = "acme-site"
    /// }
    /// resource "aws_s3_bucket_policy" "site" {
    ///   bucket = aws_s3_bucket.site.id
    ///   policy = jsonencode({
    ///     Version   = "2012-10-17"
    ///     Statement = [{ Effect = "Allow", Action = "s3:GetObject", Resource = "${aws_s3_bucket.site.arn}/*", Principal = "*" }]
    ///   })
    /// }
    /// ```
    /// The block of the bucket keeps the public out of what its policy says:
    /// ```cloudformation good
    /// Resources:
    ///   Site:
    ///     Type: AWS::S3::Bucket
    ///     Properties:
    ///       PublicAccessBlockConfiguration:
    ///         BlockPublicAcls: true
    ///         BlockPublicPolicy: true
    ///         IgnorePublicAcls: true
    ///         RestrictPublicBuckets: true
    ///   SitePolicy:
    ///     Type: AWS::S3::BucketPolicy
    ///     Properties:
    ///       Bucket: !Ref Site
    ///       PolicyDocument:
    ///         Version: "2012-10-17"
    ///         Statement:
    ///           - Effect: Allow
    ///             Action: s3:GetObject
    ///             Resource: !Sub "${Site.Arn}/*"
    ///             Principal: "*"
    /// ```
    /// Objects of a website are there to be read by anyone:
    /// ```terraform good at:low
    /// resource "aws_s3_bucket" "site" {
    ///   bucket = "acme-site"
    /// }
    /// resource "aws_s3_bucket_website_configuration" "site" {
    ///   bucket = aws_s3_bucket.site.id
    ///   index_document {
    ///     suffix = "index.html"
    ///   }
    /// }
    /// resource "aws_s3_bucket_policy" "site" {
    ///   bucket = aws_s3_bucket.site.id
    ///   policy = jsonencode({
    ///     Version   = "2012-10-17"
    ///     Statement = [{ Effect = "Allow", Action = "s3:GetObject", Resource = "${aws_s3_bucket.site.arn}/*", Principal = "*" }]
    ///   })
    /// }
    /// ```
    /// ```cloudformation good at:low
    /// Resources:
    ///   Site:
    ///     Type: AWS::S3::Bucket
    ///     Properties:
    ///       BucketName: acme-site
    ///       WebsiteConfiguration:
    ///         IndexDocument: index.html
    ///   SitePolicy:
    ///     Type: AWS::S3::BucketPolicy
    ///     Properties:
    ///       Bucket: !Ref Site
    ///       PolicyDocument:
    ///         Version: "2012-10-17"
    ///         Statement:
    ///           - Effect: Allow
    ///             Action: s3:GetObject
    ///             Resource: !Sub ${Site.Arn}/*
    ///             Principal: "*"
    /// ```
    /// ## How to fix
    /// Name the principals, or add `StringEquals` on `aws:PrincipalOrgID` or `aws:SourceAccount`. A bucket
    /// that is meant to be public goes into `public_ok` of the configuration.
    pub(crate) static PUBLIC_RESOURCE_POLICY = Rule {
        id: "public-resource-policy",
        family: Family::Resource,
        severity: Severity::Critical,
        confidence: Confidence::High,
        scope: Scope::Module,
        since: "0.1.0",
        cwe: &[284, 732],
        aliases: &[
            "CKV_AWS_70",
            "CKV_AWS_93",
            "CKV_AWS_168",
            "CKV_AWS_169",
            "CKV_AWS_283",
            "F16",
            "F18",
            "F21",
        ],
        mappings: &[
            ("FSBP", "S3.2"),
            ("FSBP", "S3.3"),
            ("FSBP", "SQS.3"),
            ("FSBP", "SNS.4"),
            ("FSBP", "KMS.5"),
            ("FSBP", "Lambda.1"),
            ("CIS5", "2.1.4"),
            ("CIS7", "2.21"),
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

fn check(cx: &mut Context<'_>) {
    let model = cx.model;
    for (policy, service) in holder::resource_policies(model) {
        if !can_be_public(model, policy, service) || cx.settings.is_public_ok(&policy.place.address) {
            continue;
        }
        for statement in policy.document.allows() {
            let Some(anyone) = statement.principals.anyone() else {
                continue;
            };
            if !matches!(caller(&statement.conditions), Caller::Free)
                || is_public_anyway(statement)
                || closed_by_deny(&policy.document, statement)
            {
                continue;
            }
            let reach = Reach::of(statement);
            let what = holder::target(policy, service);
            let mut report = cx
                .finding(
                    &policy.place,
                    anyone.src(),
                    format!("anyone can {} {what}", reach.verb(service)),
                )
                .statement(statement)
                .when(anyone.guard())
                .severity(reach.severity())
                .help("name the principals, or add StringEquals on aws:PrincipalOrgID");
            match (service, public_block(model, policy)) {
                ("s3", PublicBlock::On) => continue,
                ("s3", PublicBlock::Off) => {
                    if let Some((block, val)) = switched_off(model, policy) {
                        report = report.related(val.src(), "public policies are not blocked", Some(&block.place));
                    }
                }
                ("s3", PublicBlock::Default) => {
                    report = report
                        .severity(Severity::High)
                        .confidence(Confidence::Medium)
                        .note("buckets block public policies unless block_public_policy is switched off, so the apply fails");
                }
                ("elasticfilesystem", _) => {
                    report = report
                        .severity(Severity::Medium)
                        .note("clients still need network access to a mount target");
                }
                _ => {}
            }
            if service == "s3" && serves_website(model, policy, statement) {
                report = report
                    .severity(Severity::Low)
                    .note("the bucket serves a website, whose objects anyone is to read");
            }
            cx.report(report);
        }
    }
}
