//! Resources of statements, and settings of resources.

use super::Case;

pub(super) const CASES: &[Case] = &[
    Case {
        rule: "s3-tls-not-enforced",
        language: "terraform",
        safe: false,
        text: r#"resource "aws_s3_bucket" "logs" {
  bucket = "acme-logs"
}
resource "aws_s3_bucket_policy" "logs" {
  bucket = aws_s3_bucket.logs.id
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      { # who ships
        Effect    = "Allow"
        Action    = "s3:PutObject"
        Resource  = "${aws_s3_bucket.logs.arn}/new/*"
        Principal = { AWS = "arn:aws:iam::111122223333:role/shipper" }
      },
    ]
  })
}
"#,
        from: "/shipper\" }\n      },\n",
        to: "/shipper\" }\n      },\n      {\n        Effect = \"Deny\"\n        Principal = \"*\"\n        Action = \"s3:*\"\n        Resource = [aws_s3_bucket.logs.arn, \"${aws_s3_bucket.logs.arn}/*\"]\n        Condition = {\n          Bool = {\n            \"aws:SecureTransport\" = \"false\"\n          }\n        }\n      },\n",
    },
    Case {
        rule: "s3-tls-not-enforced",
        language: "terraform",
        safe: false,
        text: r#"resource "aws_s3_bucket" "logs" {
  bucket = "acme-logs"
}
data "aws_iam_policy_document" "logs" {
  statement {
    actions   = ["s3:ListBucket"]
    resources = [aws_s3_bucket.logs.arn]
    principals {
      type        = "AWS"
      identifiers = ["arn:aws:iam::111122223333:role/reader"]
    }
  }
}
resource "aws_s3_bucket_policy" "logs" {
  bucket = aws_s3_bucket.logs.id
  policy = data.aws_iam_policy_document.logs.json
}
"#,
        from: "/reader\"]\n    }\n  }\n",
        to: "/reader\"]\n    }\n  }\n\n  statement {\n    effect    = \"Deny\"\n    actions   = [\"s3:*\"]\n    resources = [aws_s3_bucket.logs.arn, \"${aws_s3_bucket.logs.arn}/*\"]\n\n    principals {\n      type        = \"*\"\n      identifiers = [\"*\"]\n    }\n\n    condition {\n      test     = \"Bool\"\n      variable = \"aws:SecureTransport\"\n      values   = [\"false\"]\n    }\n  }\n",
    },
    Case {
        rule: "s3-tls-not-enforced",
        language: "terraform",
        safe: false,
        text: r#"resource "aws_s3_bucket" "logs" {
  bucket = "acme-logs"
}
resource "aws_s3_bucket_policy" "logs" {
  bucket = aws_s3_bucket.logs.id
  policy = <<EOT
{
  "Version": "2012-10-17",
  "Statement": {
    "Effect": "Allow",
    "Action": "s3:GetObject",
    "Resource": "${aws_s3_bucket.logs.arn}/*",
    "Principal": {"AWS": "arn:aws:iam::111122223333:role/reader"}
  }
}
EOT
}
"#,
        from: "{\n    \"Effect\": \"Allow\",\n    \"Action\": \"s3:GetObject\",\n    \"Resource\": \"${aws_s3_bucket.logs.arn}/*\",\n    \"Principal\": {\"AWS\": \"arn:aws:iam::111122223333:role/reader\"}\n  }",
        to: "[{\n    \"Effect\": \"Allow\",\n    \"Action\": \"s3:GetObject\",\n    \"Resource\": \"${aws_s3_bucket.logs.arn}/*\",\n    \"Principal\": {\"AWS\": \"arn:aws:iam::111122223333:role/reader\"}\n  }, {\n    \"Effect\": \"Deny\",\n    \"Principal\": \"*\",\n    \"Action\": \"s3:*\",\n    \"Resource\": [\"${aws_s3_bucket.logs.arn}\", \"${aws_s3_bucket.logs.arn}/*\"],\n    \"Condition\": {\n      \"Bool\": {\n        \"aws:SecureTransport\": \"false\"\n      }\n    }\n  }]",
    },
    Case {
        rule: "s3-tls-not-enforced",
        language: "cloudformation",
        safe: false,
        text: "Resources:
  Logs:
    Type: AWS::S3::Bucket
  Policy:
    Type: AWS::S3::BucketPolicy
    Properties:
      Bucket: !Ref Logs
      PolicyDocument:
        Version: '2012-10-17'
        Statement:
          Effect: Allow
          Action: s3:GetObject # read
          Resource: !Join ['', [!GetAtt Logs.Arn, /*]]
          Principal:
            AWS: arn:aws:iam::111122223333:role/reader # nightly
",
        from: "          Effect: Allow
          Action: s3:GetObject # read
          Resource: !Join ['', [!GetAtt Logs.Arn, /*]]
          Principal:
            AWS: arn:aws:iam::111122223333:role/reader # nightly
",
        to: "          - Effect: Allow
            Action: s3:GetObject # read
            Resource: !Join ['', [!GetAtt Logs.Arn, /*]]
            Principal:
              AWS: arn:aws:iam::111122223333:role/reader # nightly
          - Effect: \"Deny\"
            Principal: \"*\"
            Action: \"s3:*\"
            Resource: [!GetAtt Logs.Arn, !Sub \"${Logs.Arn}/*\"]
            Condition:
              Bool:
                \"aws:SecureTransport\": false
",
    },
    Case {
        rule: "s3-tls-not-enforced",
        language: "cloudformation",
        safe: false,
        text: "Resources:
  Logs:
    Type: AWS::S3::Bucket
  Policy:
    Type: AWS::S3::BucketPolicy
    Properties:
      Bucket: !Ref Logs
      PolicyDocument:
        Version: '2012-10-17'
        Statement:
          - Effect: Deny
            Action: s3:*
            Resource: !Sub arn:aws:s3:::${Logs}/*
            Principal: '*'
            Condition: {Bool: {aws:SecureTransport: 'false'}}
",
        from: "!Sub arn:aws:s3:::${Logs}/*\n",
        to: "[!Sub \"arn:aws:s3:::${Logs}/*\", !Sub \"arn:aws:s3:::${Logs}\"]\n",
    },
    Case {
        rule: "secret-key-exposed-in-output",
        language: "terraform",
        safe: false,
        text: r#"resource "aws_iam_access_key" "ci" {
  user = "ci"
}
output "secret" {
  value = aws_iam_access_key.ci.secret # for the pipeline
}
"#,
        from: "# for the pipeline\n",
        to: "# for the pipeline\n  sensitive = true\n",
    },
    Case {
        rule: "secret-key-exposed-in-output",
        language: "cloudformation",
        safe: false,
        text: "Resources:
  CiKey:
    Type: AWS::IAM::AccessKey
    Properties:
      UserName: ci
Outputs:
  Secret:
    Value: !GetAtt CiKey.SecretAccessKey
  Id:
    Value: !Ref CiKey
",
        from: "  Secret:\n    Value: !GetAtt CiKey.SecretAccessKey\n",
        to: "",
    },
    Case {
        rule: "password-policy-missing-or-weak",
        language: "terraform scope:module,account",
        safe: false,
        text: r#"resource "aws_iam_user" "ann" {
  name = "ann"
}

resource "aws_iam_user_login_profile" "ann" {
  user = aws_iam_user.ann.name
}
"#,
        from: ".ann.name\n}\n",
        to: ".ann.name\n}\n\nresource \"aws_iam_account_password_policy\" \"account\" {\n  minimum_password_length   = 14\n  password_reuse_prevention = 24\n}\n",
    },
    Case {
        rule: "access-analyzer-missing",
        language: "cloudformation scope:module,baseline",
        safe: false,
        text: "Resources:
  Queue: # orders
    Type: AWS::SQS::Queue
  Policy:
    Type: AWS::SQS::QueuePolicy
    Properties:
      Queues: [!Ref Queue]
      PolicyDocument:
        Version: '2012-10-17'
        Statement:
          - Effect: Deny
            Action: sqs:*
            Resource: !GetAtt Queue.Arn
            Principal: '*'
            Condition: {Bool: {aws:SecureTransport: 'false'}}
",
        from: "'false'}}\n",
        to: "'false'}}\n  ExternalAccess:\n    Type: AWS::AccessAnalyzer::Analyzer\n    Properties:\n      Type: ACCOUNT\n",
    },
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
