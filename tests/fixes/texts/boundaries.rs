//! Permissions boundaries.

use super::Case;

pub(super) const CASES: &[Case] = &[
    Case {
        rule: "boundary-required-missing",
        language: "terraform boundary_required:aws_iam_role.*=arn:aws:iam::111122223333:policy/cap",
        safe: false,
        text: r#"resource "aws_iam_role" "r" {
  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Action    = "sts:AssumeRole"
      Principal = { Service = "ec2.amazonaws.com" }
    }]
  })
}
"#,
        from: "  })\n}",
        to: "  })\n  permissions_boundary = \"arn:aws:iam::111122223333:policy/cap\"\n}",
    },
    Case {
        rule: "boundary-required-missing",
        language: "cloudformation boundary_required:R=arn:aws:iam::111122223333:policy/cap",
        safe: false,
        text: "Resources:
  R:
    Type: AWS::IAM::Role
    Properties:
      PermissionsBoundary: arn:aws:iam::111122223333:policy/old-cap
      AssumeRolePolicyDocument:
        Version: '2012-10-17'
        Statement:
          - Effect: Allow
            Action: sts:AssumeRole
            Principal: {Service: ec2.amazonaws.com}
",
        from: "old-cap",
        to: "cap",
    },
    Case {
        rule: "boundary-iam-denylist-incomplete",
        language: "terraform",
        safe: false,
        text: r#"resource "aws_iam_policy" "cap" {
  policy = <<-JSON
    {
      "Version": "2012-10-17",
      "Statement": [
        {"Effect": "Allow", "Action": ["iam:Attach*", "iam:CreatePolicyVersion", "s3:*"], "Resource": "*"},
        {"Effect": "Deny", "Action": "iam:Attach*", "Resource": "*"}
      ]
    }
  JSON
}
resource "aws_iam_role" "team" {
  permissions_boundary = aws_iam_policy.cap.arn
  assume_role_policy = jsonencode({
    Version   = "2012-10-17"
    Statement = [{ Effect = "Allow", Action = "sts:AssumeRole", Principal = { Service = "ec2.amazonaws.com" } }]
  })
}
"#,
        from: "\"Deny\", \"Action\": \"iam:Attach*\"",
        to: "\"Deny\", \"Action\": [\"iam:Attach*\", \"iam:CreatePolicyVersion\"]",
    },
    Case {
        rule: "boundary-detachable",
        language: "cloudformation",
        safe: false,
        text: "Resources:
  Delegate:
    Type: AWS::IAM::ManagedPolicy
    Properties:
      PolicyDocument:
        Version: '2012-10-17'
        Statement:
          - Effect: Allow
            Action: [iam:CreateRole, iam:PutRolePolicy]
            Resource: arn:aws:iam::111122223333:role/team/*
            Condition:
              StringEquals:
                iam:PermissionsBoundary: arn:aws:iam::111122223333:policy/team-cap
          - Effect: Allow
            Action: iam:DeleteRolePermissionsBoundary
            Resource: arn:aws:iam::111122223333:role/team/* # the team's
  Other:
    Type: AWS::SQS::Queue
",
        from: "the team's\n  Other",
        to: "the team's\n          - Effect: \"Deny\"\n            Action: \"iam:DeleteRolePermissionsBoundary\"\n            Resource: \"*\"\n  Other",
    },
    Case {
        rule: "boundary-detachable",
        language: "terraform",
        safe: false,
        text: r#"data "aws_iam_policy_document" "delegate" {
  statement {
    actions   = ["iam:CreateRole"]
    resources = ["arn:aws:iam::111122223333:role/team/*"]
    condition {
      test     = "StringEquals"
      variable = "iam:PermissionsBoundary"
      values   = ["arn:aws:iam::111122223333:policy/team-cap"]
    }
  }
  statement {
    actions   = ["iam:DeleteRolePermissionsBoundary"]
    resources = ["arn:aws:iam::111122223333:role/team/*"]
  }
}
resource "aws_iam_policy" "delegate" {
  policy = data.aws_iam_policy_document.delegate.json
}
"#,
        from: "team/*\"]\n  }\n}",
        to: "team/*\"]\n  }\n\n  statement {\n    effect    = \"Deny\"\n    actions   = [\"iam:DeleteRolePermissionsBoundary\"]\n    resources = [\"*\"]\n  }\n}",
    },
];
