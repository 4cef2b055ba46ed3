//! Resources that rules read as they are.
//!
//! Not for anything that the model has a node for. Invariant: a type stands here because a rule or a
//! query names it, or as its argument is about IAM and has no node.

use super::Lowering;
use crate::{Place, Resource, Setting};

/// The kept types, sorted.
const KEPT: &[&str] = &[
    "AWS::AccessAnalyzer::Analyzer",
    "AWS::ApiGateway::Method",
    "AWS::ApiGateway::RestApi",
    "AWS::ApiGatewayV2::Api",
    "AWS::ApiGatewayV2::Integration",
    "AWS::ApiGatewayV2::Route",
    "AWS::AutoScaling::LaunchConfiguration",
    "AWS::Batch::JobDefinition",
    "AWS::Chatbot::SlackChannelConfiguration",
    "AWS::CloudFormation::StackSet",
    "AWS::CloudTrail::EventDataStore",
    "AWS::CloudTrail::Trail",
    "AWS::CodeBuild::Project",
    "AWS::Cognito::IdentityPool",
    "AWS::EC2::Instance",
    "AWS::EC2::LaunchTemplate",
    "AWS::EC2::SecurityGroup",
    "AWS::EC2::SecurityGroupIngress",
    "AWS::ECS::Service",
    "AWS::ECS::TaskDefinition",
    "AWS::EKS::AccessEntry",
    "AWS::EKS::PodIdentityAssociation",
    "AWS::ElasticBeanstalk::Environment",
    "AWS::IAM::ServiceLinkedRole",
    "AWS::Lambda::CodeSigningConfig",
    "AWS::Lambda::Function",
    "AWS::Lambda::Url",
    "AWS::Macie::Session",
    "AWS::OpenSearchService::Domain",
    "AWS::Organizations::Account",
    "AWS::Organizations::Organization",
    "AWS::Organizations::OrganizationalUnit",
    "AWS::Organizations::Policy",
    "AWS::RolesAnywhere::Profile",
    "AWS::RolesAnywhere::TrustAnchor",
    "AWS::SSM::Parameter",
    "AWS::SSO::Assignment",
    "AWS::SageMaker::Domain",
    "AWS::SageMaker::NotebookInstance",
    "aws_accessanalyzer_analyzer",
    "aws_accessanalyzer_archive_rule",
    "aws_ami",
    "aws_api_gateway_integration",
    "aws_api_gateway_method",
    "aws_api_gateway_rest_api",
    "aws_apigatewayv2_api",
    "aws_apigatewayv2_integration",
    "aws_apigatewayv2_route",
    "aws_batch_job_definition",
    "aws_chatbot_slack_channel_configuration",
    "aws_cloudformation_stack",
    "aws_cloudformation_stack_set",
    "aws_cloudtrail",
    "aws_cloudtrail_event_data_store",
    "aws_codebuild_project",
    "aws_codebuild_webhook",
    "aws_cognito_identity_pool",
    "aws_ec2_instance_metadata_defaults",
    "aws_ecs_service",
    "aws_ecs_task_definition",
    "aws_eks_access_entry",
    "aws_eks_access_policy_association",
    "aws_eks_pod_identity_association",
    "aws_elastic_beanstalk_environment",
    "aws_iam_account_alias",
    "aws_iam_account_password_policy",
    "aws_iam_group_policies_exclusive",
    "aws_iam_organizations_features",
    "aws_iam_role_policies_exclusive",
    "aws_iam_security_token_service_preferences",
    "aws_iam_service_linked_role",
    "aws_iam_user_policies_exclusive",
    "aws_iam_virtual_mfa_device",
    "aws_identitystore_group_membership",
    "aws_inspector2_enabler",
    "aws_instance",
    "aws_lambda_code_signing_config",
    "aws_lambda_function",
    "aws_lambda_function_url",
    "aws_launch_configuration",
    "aws_launch_template",
    "aws_macie2_account",
    "aws_opensearch_domain",
    "aws_organizations_account",
    "aws_organizations_delegated_administrator",
    "aws_organizations_organization",
    "aws_organizations_organizational_unit",
    "aws_organizations_policy",
    "aws_rolesanywhere_profile",
    "aws_rolesanywhere_trust_anchor",
    "aws_sagemaker_domain",
    "aws_sagemaker_notebook_instance",
    "aws_security_group",
    "aws_security_group_rule",
    "aws_ssm_parameter",
    "aws_ssoadmin_account_assignment",
    "aws_ssoadmin_application",
    "aws_ssoadmin_instance_access_control_attributes",
    "aws_vpc_security_group_ingress_rule",
    "bitbucket_pipelines_step",
    "github_actions_job",
    "gitlab_ci_job",
];

/// Types that no rule reads and queries name, sorted: of their arguments those are kept that name the
/// resource.
const NAMED: &[&str] = &[
    "AWS::AppSync::GraphQLApi",
    "AWS::AutoScaling::AutoScalingGroup",
    "AWS::CloudFormation::Stack",
    "AWS::CloudWatch::Alarm",
    "AWS::Cognito::UserPool",
    "AWS::ECR::Repository",
    "AWS::EKS::Cluster",
    "AWS::Events::Rule",
    "AWS::KMS::Key",
    "AWS::Logs::LogGroup",
    "AWS::RDS::DBCluster",
    "AWS::RDS::DBInstance",
    "AWS::S3::AccessPoint",
    "AWS::S3::Bucket",
    "AWS::SNS::Topic",
    "AWS::SQS::Queue",
    "AWS::SecretsManager::Secret",
    "aws_appsync_graphql_api",
    "aws_autoscaling_group",
    "aws_cloudwatch_event_rule",
    "aws_cloudwatch_metric_alarm",
    "aws_cognito_user_pool",
    "aws_db_instance",
    "aws_ecr_repository",
    "aws_eks_cluster",
    "aws_kms_key",
    "aws_rds_cluster",
    "aws_s3_access_point",
    "aws_s3_bucket",
    "aws_secretsmanager_secret",
    "aws_sns_topic",
    "aws_sqs_queue",
];

pub(super) fn is_kept(kind: &str) -> bool {
    KEPT.binary_search(&kind).is_ok() || is_named(kind)
}

/// Whether the type is kept for its name alone.
pub(super) fn is_named(kind: &str) -> bool {
    NAMED.binary_search(&kind).is_ok()
}

pub(super) fn lower(lowering: &mut Lowering, resource: &Resource) {
    if is_kept(&resource.kind) {
        lowering.model.settings.push(Setting {
            place: Place::of(resource),
            attrs: resource.attrs.clone(),
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_list_is_sorted() {
        assert!(KEPT.is_sorted() && NAMED.is_sorted());
        assert!(
            NAMED
                .iter()
                .all(|kind| crate::identity::row(kind).is_some())
        );
        assert!(is_kept("aws_instance"));
        assert!(!is_kept("aws_vpc"));
    }
}
