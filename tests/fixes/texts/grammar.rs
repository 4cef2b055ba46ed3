//! Documents that IAM refuses or reads otherwise than they are meant.

use super::Case;

pub(super) const CASES: &[Case] = &[
    Case {
        rule: "policy-grammar-invalid",
        language: "terraform",
        safe: true,
        text: r#"resource "aws_iam_policy" "p" {
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{ Effect = "allow", Action = "s3:GetObject", Resource = "arn:aws:s3:::acme/a" }]
  })
}
"#,
        from: "\"allow\"",
        to: "\"Allow\"",
    },
    Case {
        rule: "policy-version-missing-or-old",
        language: "terraform",
        safe: true,
        text: r#"resource "aws_iam_policy" "p" {
  policy = <<JSON
{"Version": "2008-10-17", "Statement": {"Effect": "Allow", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::acme/a"}}
JSON
}
"#,
        from: "2008-10-17",
        to: "2012-10-17",
    },
    Case {
        rule: "policy-version-missing-or-old",
        language: "cloudformation",
        safe: true,
        text: "Resources:
  P:
    Type: AWS::SSO::PermissionSet
    Properties:
      Name: p
      InlinePolicy: '{\"Version\": \"2008-10-17\", \"Statement\": {\"Effect\": \"Allow\", \"Action\": \"s3:GetObject\", \"Resource\": \"arn:aws:s3:::acme/a\"}}'
",
        from: "2008-10-17",
        to: "2012-10-17",
    },
    Case {
        rule: "action-resource-mismatch",
        language: "terraform",
        safe: false,
        text: r#"data "aws_iam_policy_document" "d" {
  statement {
    actions   = ["s3:GetObject"]
    resources = ["arn:aws:s3:::acme-data"]
  }
}
resource "aws_iam_policy" "p" {
  policy = data.aws_iam_policy_document.d.json
}
"#,
        from: "acme-data\"",
        to: "acme-data\", \"arn:aws:s3:::acme-data/*\"",
    },
];
