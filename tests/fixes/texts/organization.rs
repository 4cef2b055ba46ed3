//! Organization policies.

use super::Case;

pub(super) const CASES: &[Case] = &[
    Case {
        rule: "scp-imdsv2-guard-incomplete",
        language: "terraform scope:module,organization",
        safe: false,
        text: r#"resource "aws_organizations_policy" "tokens" {
  name = "tokens"
  content = jsonencode({
    Version = "2012-10-17"
    Statement = [
      { Effect = "Deny", Action = ["ec2:RunInstances"], Resource = "*", Condition = { StringNotEquals = { "ec2:MetadataHttpTokens" = "required" } } },
      { Effect = "Deny", Action = "ec2:ModifyInstanceMetadataOptions", Resource = "arn:aws:ec2:*:*:instance/*" },
    ]
  })
}
resource "aws_organizations_policy_attachment" "tokens" {
  policy_id = aws_organizations_policy.tokens.id
  target_id = "ou-k3m9-p7q2r4s8"
}
"#,
        from: "Resource = \"*\", Cond",
        to: "Resource = \"arn:*:ec2:*:*:instance/*\", Cond",
    },
    Case {
        rule: "scp-region-deny-breaks-global-services",
        language: "terraform",
        safe: false,
        text: r#"resource "aws_organizations_policy" "regions" {
  name = "regions"
  content = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Deny"
      Action    = ["*"] # everything
      Resource  = "*"
      Condition = { StringNotEquals = { "aws:RequestedRegion" = "eu-central-1" } }
    }]
  })
}
"#,
        from: "Action    = [\"*\"]",
        to: "NotAction    = [\"iam:*\", \"organizations:*\", \"route53:*\", \"cloudfront:*\", \"support:*\", \"sts:*\", \"shield:*\", \"health:*\", \"budgets:*\", \"ce:*\", \"waf:*\"]",
    },
    Case {
        rule: "scp-cloudtrail-guard-incomplete",
        language: "cloudformation scope:module,organization",
        safe: false,
        text: "Resources:
  Trail:
    Type: AWS::Organizations::Policy
    Properties:
      Name: trail
      Type: SERVICE_CONTROL_POLICY
      TargetIds: [ou-k3m9-p7q2r4s8]
      Content:
        Version: '2012-10-17'
        Statement:
          - Effect: Deny
            Action:
              - cloudtrail:Stop*
              - cloudtrail:Delete* # trails and stores
              - cloudtrail:Update*
              - cloudtrail:PutEventSelectors
            Resource: '*'
",
        from: "PutEventSelectors\n",
        to: "PutEventSelectors\n              - \"cloudtrail:PutInsightSelectors\"\n",
    },
];
