//! Conditions that a statement gets or that change.

use super::Case;

pub(super) const CASES: &[Case] = &[
    Case {
        rule: "mfa-allow-boolifexists",
        language: "terraform",
        safe: false,
        text: r#"data "aws_iam_policy_document" "p" {
  statement {
    actions   = ["ec2:StopInstances"]
    resources = ["arn:aws:ec2:eu-west-1:111122223333:instance/*"]
    condition {
      test     = "BoolIfExists"
      variable = "aws:MultiFactorAuthPresent"
      values   = ["true"]
    }
  }
}
resource "aws_iam_policy" "p" {
  policy = data.aws_iam_policy_document.p.json
}
"#,
        from: "BoolIfExists",
        to: "Bool",
    },
    Case {
        rule: "oidc-aud-missing-or-wide",
        language: "cloudformation",
        safe: false,
        text: "Resources:
  Provider:
    Type: AWS::IAM::OIDCProvider
    Properties:
      Url: https://token.actions.githubusercontent.com
      ClientIdList: [sts.amazonaws.com]
  Role:
    Type: AWS::IAM::Role
    Properties:
      AssumeRolePolicyDocument:
        Version: '2012-10-17'
        Statement:
          - Effect: Allow
            Action: sts:AssumeRoleWithWebIdentity
            Principal: {Federated: !Ref Provider}
            Condition:
              StringEquals:
                token.actions.githubusercontent.com:sub: repo:acme/shop:environment:prod
",
        from: "environment:prod\n",
        to: "environment:prod\n                \"token.actions.githubusercontent.com:aud\": sts.amazonaws.com\n",
    },
    Case {
        rule: "service-trust-confused-deputy",
        language: "terraform own_accounts:111122223333",
        safe: false,
        text: r#"resource "aws_iam_role" "r" {
  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Action    = "sts:AssumeRole"
      Principal = { Service = "config.amazonaws.com" }
    }]
  })
}
"#,
        from: "amazonaws.com\" }\n",
        to: "amazonaws.com\" }\n      Condition = {\n        StringEquals = {\n          \"aws:SourceAccount\" = \"111122223333\"\n        }\n      }\n",
    },
    Case {
        rule: "service-principal-without-source-guard",
        language: "cloudformation own_accounts:111122223333",
        safe: false,
        text: "Resources:
  Topic:
    Type: AWS::SNS::Topic
  Policy:
    Type: AWS::SNS::TopicPolicy
    Properties:
      Topics: [!Ref Topic]
      PolicyDocument:
        Version: '2012-10-17'
        Statement:
          - Effect: Allow
            Principal: {Service: s3.amazonaws.com}
            Action: sns:Publish
            Resource: !Ref Topic
",
        from: "Resource: !Ref Topic\n",
        to: "Resource: !Ref Topic\n            Condition:\n              StringEquals:\n                \"aws:SourceAccount\": \"111122223333\"\n",
    },
    Case {
        rule: "equals-operator-with-wildcard",
        language: "terraform",
        safe: false,
        text: r#"data "aws_iam_policy_document" "d" {
  statement {
    effect    = "Deny"
    actions   = ["s3:GetObject"]
    resources = ["arn:aws:s3:::acme-data/*"]
    condition {
      test     = "StringEquals"
      variable = "aws:PrincipalTag/team"
      values   = ["shop-*"]
    }
  }
}
resource "aws_iam_policy" "p" {
  policy = data.aws_iam_policy_document.d.json
}
"#,
        from: "StringEquals",
        to: "StringLike",
    },
];
