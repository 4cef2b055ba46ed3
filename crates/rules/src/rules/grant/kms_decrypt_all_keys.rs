//! `kms-decrypt-all-keys`: decryption with every key of the account.

use crate::grants::{self, Wide};
use crate::{Context, Family, Scope};
use overgrant_catalog::Action;
use overgrant_finding::{Confidence, Severity};
use overgrant_policy::{ActionSet, Answer, Effect};

rule! {
    /// Data of every KMS key can be decrypted.
    ///
    /// `kms:Decrypt` or `kms:ReEncryptFrom` is allowed on all keys of the account.
    ///
    /// ## Why
    /// Keys whose policies leave access to IAM, as the default ones do, then open to this principal: who
    /// gets hold of it needs only the ciphertext, and encryption separates nothing any more.
    ///
    /// ## Bad
    /// ```terraform bad
    /// resource "aws_iam_policy" "app" {
    ///   name = "app"
    ///   policy = jsonencode({
    ///     Version = "2012-10-17"
    ///     Statement = [{
    ///       Effect   = "Allow"
    ///       Action   = ["kms:Decrypt", "kms:DescribeKey"]
    ///       Resource = "*" # <-- here
    ///     }]
    ///   })
    /// }
    /// ```
    /// ```cloudformation bad
    /// Resources:
    ///   App:
    ///     Type: AWS::IAM::ManagedPolicy
    ///     Properties:
    ///       PolicyDocument:
    ///         Version: "2012-10-17"
    ///         Statement:
    ///           - Effect: Allow
    ///             Action: kms:Decrypt
    ///             Resource: arn:aws:kms:*:123456789012:key/* # <-- here
    /// ```
    /// The same as JSON:
    /// ```terraform bad
    /// resource "aws_iam_policy" "app" {
    ///   name = "app"
    ///   policy = <<-JSON
    ///     {
    ///       "Version": "2012-10-17",
    ///       "Statement": [
    ///         {
    ///           "Effect": "Allow",
    ///           "Action": ["kms:Decrypt", "kms:DescribeKey"],
    ///           "Resource": "*" # <-- here
    ///         }
    ///       ]
    ///     }
    ///   JSON
    /// }
    /// ```
    /// ## Good
    /// ```terraform good
    /// resource "aws_kms_key" "app" {}
    /// resource "aws_iam_policy" "app" {
    ///   name = "app"
    ///   policy = jsonencode({
    ///     Version = "2012-10-17"
    ///     Statement = [{
    ///       Effect   = "Allow"
    ///       Action   = "kms:Decrypt"
    ///       Resource = aws_kms_key.app.arn
    ///     }]
    ///   })
    /// }
    /// ```
    /// Conditions on alias, service or encryption context limit the keys too:
    /// ```terraform good
    /// resource "aws_iam_policy" "app" {
    ///   name = "app"
    ///   policy = jsonencode({
    ///     Version = "2012-10-17"
    ///     Statement = [{
    ///       Effect    = "Allow"
    ///       Action    = "kms:Decrypt"
    ///       Resource  = "*"
    ///       Condition = { "ForAnyValue:StringEquals" = { "kms:ResourceAliases" = "alias/app" } }
    ///     }]
    ///   })
    /// }
    /// ```
    /// ```cloudformation good
    /// Resources:
    ///   App:
    ///     Type: AWS::IAM::ManagedPolicy
    ///     Properties:
    ///       PolicyDocument:
    ///         Version: "2012-10-17"
    ///         Statement:
    ///           - Effect: Allow
    ///             Action: kms:Decrypt
    ///             Resource: "*"
    ///             Condition:
    ///               StringEquals:
    ///                 kms:ViaService: !Sub s3.${AWS::Region}.amazonaws.com
    ///                 kms:CallerAccount: !Ref AWS::AccountId
    /// ```
    /// So do an encryption context and a tag:
    /// ```terraform good
    /// resource "aws_iam_policy" "app" {
    ///   name = "app"
    ///   policy = jsonencode({
    ///     Version = "2012-10-17"
    ///     Statement = [
    ///       {
    ///         Effect    = "Allow"
    ///         Action    = "kms:Decrypt"
    ///         Resource  = "*"
    ///         Condition = { StringEquals = { "kms:EncryptionContext:app" = "shop" } }
    ///       },
    ///       {
    ///         Effect    = "Allow"
    ///         Action    = "kms:Decrypt"
    ///         Resource  = "*"
    ///         Condition = { StringEquals = { "aws:ResourceTag/app" = "shop" } }
    ///       },
    ///     ]
    ///   })
    /// }
    /// ```
    /// ## How to fix
    /// Name the keys by their ARN; an alias in `Resource` names no key, use `kms:ResourceAliases`.
    pub(crate) static KMS_DECRYPT_ALL_KEYS = Rule {
        id: "kms-decrypt-all-keys",
        family: Family::Grant,
        severity: Severity::High,
        confidence: Confidence::High,
        scope: Scope::Module,
        since: "0.1.0",
        cwe: &[269],
        aliases: &["iam_inline_policy_no_full_access_to_kms", "iam_policy_no_full_access_to_kms"],
        mappings: &[
            ("FSBP", "KMS.1"),
            ("FSBP", "KMS.2"),
            ("NIST", "AC-6"),
            ("NIST", "AC-3"),
            ("ATT&CK", "T1078.004"),
        ],
        references: &[
            "https://docs.aws.amazon.com/kms/latest/developerguide/iam-policies-best-practices.html",
        ],
        check: check,
    };
}

fn check(cx: &mut Context<'_>) {
    let reads = ActionSet::matching("kms:decrypt").union(&ActionSet::matching("kms:reencryptfrom"));
    for grant in grants::grants(cx) {
        let statement = grant.statement;
        if statement.effect != Effect::Allow
            || statement.actions.covers_all() == Answer::Must
            || grant.is_narrowed()
        {
            continue;
        }
        let granted = grant.granted().intersection(&reads);
        let wide: Vec<(Wide, Action<'_>)> = granted
            .actions()
            .filter_map(|action| Some((grant.wide(action)?, action)))
            .collect();
        let Some((width, first)) = wide.iter().rev().max_by_key(|(width, _)| *width).copied() else {
            continue;
        };
        let (severity, place) = match width {
            Wide::Account => (Severity::High, "every key of the account"),
            Wide::Region => (Severity::Medium, "every key of a region"),
        };
        let report = grant
            .finding(cx, &grant.wide_src(first), format!("use `{first}` with {place}"))
            .severity(severity)
            .label(place)
            .help("name the keys, or add kms:ResourceAliases or kms:ViaService with kms:CallerAccount")
            .related(&grant.action_src(first), "grants decryption", None);
        cx.report(report);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::Scene;

    fn found(action: &str, resource: &str, condition: &str) -> Vec<Severity> {
        Scene::new()
            .statements(&format!(
                r#"{{"Effect":"Allow","Action":"{action}","Resource":"{resource}"{condition}}}"#
            ))
            .run(&KMS_DECRYPT_ALL_KEYS)
            .into_iter()
            .map(|(_, finding)| finding.severity)
            .collect()
    }

    #[test]
    fn an_account_is_no_limit_but_a_service_is() {
        assert_eq!(found("kms:*", "*", ""), [Severity::High]);
        let account = "arn:aws:kms:*:123456789012:key/*";
        assert_eq!(found("kms:Decrypt", account, ""), [Severity::High]);
        let region = "arn:aws:kms:eu-west-1:123456789012:key/*";
        assert_eq!(found("kms:Decrypt", region, ""), [Severity::Medium]);
        let key = "arn:aws:kms:eu-west-1:123456789012:key/1234abcd";
        assert_eq!(found("kms:Decrypt", key, ""), []);
        assert_eq!(found("kms:Encrypt", "*", ""), []);
        let via = r#","Condition":{"StringEquals":{"kms:ViaService":"s3.eu-west-1.amazonaws.com"}}"#;
        assert_eq!(found("kms:Decrypt", "*", via), []);
    }
}
