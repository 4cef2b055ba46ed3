//! `kms-key-policy-too-open`: a key policy that hands the key to a foreign account.

use crate::accounts::classify;
use crate::holder;
use crate::{Context, Family, Scope};
use overgrant_finding::{Confidence, Severity};
use overgrant_policy::Answer;

rule! {
    /// A key policy hands the use of a key to a foreign account.
    ///
    /// The key policy allows an account that is not the user's own to decrypt with the key or to administer
    /// it, and no condition limits that.
    ///
    /// ## Why
    /// Everybody whom that account allows reads what the key protects, or changes the key's policy and
    /// shuts the owner out.
    ///
    /// ## Bad
    /// ```terraform bad own_accounts:111122223333
    /// resource "aws_kms_key" "data" {
    ///   description = "data"
    ///   policy = jsonencode({
    ///     Version = "2012-10-17"
    ///     Statement = [{
    ///       Effect    = "Allow"
    ///       Action    = "kms:*" # <-- here
    ///       Resource  = "*"
    ///       Principal = { AWS = "arn:aws:iam::444455556666:root" }
    ///     }]
    ///   })
    /// }
    /// ```
    /// ```cloudformation bad own_accounts:111122223333
    /// Resources:
    ///   Data:
    ///     Type: AWS::KMS::Key
    ///     Properties:
    ///       KeyPolicy:
    ///         Version: "2012-10-17"
    ///         Statement:
    ///           - Effect: Allow
    ///             Action: kms:Decrypt # <-- here
    ///             Resource: "*"
    ///             Principal:
    ///               AWS: arn:aws:iam::444455556666:root
    /// ```
    /// The same as JSON:
    /// ```terraform bad own_accounts:111122223333
    /// resource "aws_kms_key" "data" {
    ///   description = "data"
    ///   policy = <<-JSON
    ///     {
    ///       "Version": "2012-10-17",
    ///       "Statement": [
    ///         {
    ///           "Effect": "Allow",
    ///           "Action": "kms:*", # <-- here
    ///           "Resource": "*",
    ///           "Principal": {"AWS": "arn:aws:iam::444455556666:root"}
    ///         }
    ///       ]
    ///     }
    ///   JSON
    /// }
    /// ```
    /// ## Good
    /// ```terraform good
    /// data "aws_caller_identity" "this" {}
    ///
    /// resource "aws_kms_key" "data" {
    ///   description = "data"
    ///   policy = jsonencode({
    ///     Version = "2012-10-17"
    ///     Statement = [{
    ///       Effect    = "Allow"
    ///       Action    = "kms:*"
    ///       Resource  = "*"
    ///       Principal = { AWS = "arn:aws:iam::${data.aws_caller_identity.this.account_id}:root" }
    ///     }]
    ///   })
    /// }
    /// ```
    /// ```cloudformation good own_accounts:111122223333
    /// Resources:
    ///   Data:
    ///     Type: AWS::KMS::Key
    ///     Properties:
    ///       KeyPolicy:
    ///         Version: "2012-10-17"
    ///         Statement:
    ///           - Effect: Allow
    ///             Action: kms:*
    ///             Resource: "*"
    ///             Principal:
    ///               AWS: arn:aws:iam::111122223333:root
    ///           - Effect: Allow
    ///             Action: [kms:Decrypt, kms:GenerateDataKey]
    ///             Resource: "*"
    ///             Principal:
    ///               AWS: "*"
    ///             Condition:
    ///               StringEquals:
    ///                 kms:CallerAccount: !Ref AWS::AccountId
    ///                 kms:ViaService: !Sub "secretsmanager.${AWS::Region}.amazonaws.com"
    /// ```
    /// A service may use the key for the own account:
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
    /// ## How to fix
    /// Name the role of the other account that needs the key, allow it only what it uses, and add
    /// `kms:ViaService` or an encryption context.
    pub(crate) static KMS_KEY_POLICY_TOO_OPEN = Rule {
        id: "kms-key-policy-too-open",
        family: Family::Resource,
        severity: Severity::High,
        confidence: Confidence::High,
        scope: Scope::Module,
        since: "0.1.0",
        cwe: &[284, 732],
        aliases: &["CKV_AWS_33", "F76", "kms_key_not_publicly_accessible"],
        mappings: &[
            ("FSBP", "KMS.5"),
            ("CIS5", "3.6"),
            ("NIST", "AC-3"),
            ("NIST", "AC-4"),
            ("NIST", "AC-6"),
            ("NIST", "SC-7"),
            ("ATT&CK", "T1530"),
            ("ATT&CK", "T1537"),
        ],
        references: &["https://docs.aws.amazon.com/kms/latest/developerguide/key-policy-modifying-external-accounts.html"],
        check: check,
    };
}

/// Use of what the key protects, and administration of the key.
const GRAVE: [&str; 4] = ["kms:PutKeyPolicy", "kms:Decrypt", "kms:CreateGrant", "kms:ReEncryptFrom"];

fn check(cx: &mut Context<'_>) {
    let model = cx.model;
    for (policy, service) in holder::resource_policies(model) {
        if service != "kms" {
            continue;
        }
        for statement in policy.document.allows() {
            if !statement.conditions.is_empty() || statement.principals.listed().negated {
                continue;
            }
            let Some(grave) = GRAVE
                .iter()
                .find(|action| statement.actions.select(action) == Answer::Must)
            else {
                continue;
            };
            let place = statement
                .actions
                .pattern_for(grave)
                .map_or(&statement.actions.listed().key_src, |action| action.pattern().src());
            for principal in &statement.principals {
                let foreign = principal
                    .account()
                    .filter(|account| classify(cx, account).is_foreign());
                let Some(account) = foreign else {
                    continue;
                };
                let what = holder::target(policy, service);
                let may = if *grave == "kms:PutKeyPolicy" { "administer" } else { "decrypt with" };
                let report = cx
                    .finding(
                        &policy.place,
                        place,
                        format!("foreign account `{account}` can {may} {what}"),
                    )
                    .statement(statement)
                    .when(principal.guard())
                    .related(principal.src(), "the foreign principal", Some(&policy.place))
                    .help("name the role that needs the key and allow only what it uses");
                cx.report(report);
            }
        }
    }
}
