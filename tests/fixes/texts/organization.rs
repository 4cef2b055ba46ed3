//! Organization policies.

use super::Case;

pub(super) const CASES: &[Case] = &[Case {
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
}];
