//! Resources of statements, and settings of resources.

use super::Case;

pub(super) const CASES: &[Case] = &[
    Case {
        rule: "s3-public-access-block-off",
        language: "terraform",
        safe: false,
        text: r#"resource "aws_s3_bucket_public_access_block" "logs" {
  bucket                  = "acme-logs"
  block_public_acls       = false
  block_public_policy     = false
  ignore_public_acls      = false
  restrict_public_buckets = false
}
"#,
        from: "false",
        to: "true",
    },
    Case {
        rule: "force-mfa-policy-flawed",
        language: "terraform",
        safe: false,
        text: r#"resource "aws_iam_policy" "mfa" {
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      { Effect = "Allow", Action = ["iam:EnableMFADevice", "iam:ListMFADevices"], Resource = ["*"] },
      {
        Effect    = "Deny"
        NotAction = ["iam:CreateVirtualMFADevice", "iam:EnableMFADevice", "iam:ListMFADevices", "iam:GetUser", "iam:ChangePassword", "sts:GetSessionToken"]
        Resource  = "*"
        Condition = { BoolIfExists = { "aws:MultiFactorAuthPresent" = "false" } }
      },
    ]
  })
}
"#,
        from: "[\"*\"]",
        to: "[\"arn:aws:iam::*:user/$${aws:username}\"]",
    },
    Case {
        rule: "credential-creation-for-others",
        language: "cloudformation",
        safe: false,
        text: "Resources:
  Own:
    Type: AWS::IAM::ManagedPolicy
    Properties:
      PolicyDocument:
        Version: '2012-10-17'
        Statement:
          - Sid: OwnKeys
            Effect: Allow
            Action: ['iam:CreateAccessKey', 'iam:DeleteAccessKey']
            Resource: '*'
",
        from: "'*'",
        to: "'arn:aws:iam::*:user/${aws:username}'",
    },
];
