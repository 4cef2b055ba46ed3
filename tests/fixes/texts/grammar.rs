//! Documents that IAM refuses or reads otherwise than they are meant.

use super::Case;

pub(super) const CASES: &[Case] = &[
    Case {
        rule: "policy-variable-misuse",
        language: "terraform",
        safe: false,
        text: r#"resource "aws_s3_bucket" "home" {
  bucket = "acme-home"
}
resource "aws_iam_policy" "p" {
  policy = jsonencode({
    Version   = "2012-10-17"
    Statement = [{ Effect = "Allow", Action = "s3:GetObject", Resource = "${aws_s3_bucket.home.arn}/&{aws:username}/&{aws:userid}" }]
  })
}
"#,
        from: "/&{aws:",
        to: "/$${aws:",
    },
    Case {
        rule: "policy-variable-misuse",
        language: "cloudformation",
        safe: false,
        text: "Resources:
  Home:
    Type: AWS::S3::Bucket
  P:
    Type: AWS::IAM::ManagedPolicy
    Properties:
      PolicyDocument:
        Version: '2012-10-17'
        Statement:
          - Effect: Allow
            Action: s3:GetObject
            Resource: !Sub '${Home.Arn}/&{aws:username}/*'
",
        from: "&{aws:",
        to: "${!aws:",
    },
    Case {
        rule: "policy-version-missing-or-old",
        language: "terraform",
        safe: true,
        text: r#"resource "aws_iam_policy" "p" {
  policy = jsonencode({ Statement = [{ Effect = "Allow", Action = "s3:GetObject", Resource = "arn:aws:s3:::acme/a" }] })
}
"#,
        from: "{ Statement",
        to: "{ Version = \"2012-10-17\", Statement",
    },
    Case {
        rule: "action-resource-mismatch",
        language: "terraform",
        safe: false,
        text: r#"resource "aws_s3_bucket" "data" {
  bucket = "acme-data"
}
resource "aws_iam_policy" "p" {
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect = "Allow"
      Action = ["s3:GetObject"]
      Resource = [
        aws_s3_bucket.data.arn,
      ]
    }]
  })
}
"#,
        from: "data.arn,\n",
        to: "data.arn,\n        \"${aws_s3_bucket.data.arn}/*\",\n",
    },
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
