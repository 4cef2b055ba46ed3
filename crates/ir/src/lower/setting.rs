//! Resources that rules read as they are.
//!
//! Not for anything that the model has a node for. Invariant: a type stands here because a rule
//! names it.

use super::Lowering;
use crate::{Place, Resource, Setting};

/// The kept types, sorted.
const KEPT: &[&str] = &[
    "AWS::AccessAnalyzer::Analyzer",
    "AWS::ApiGateway::Authorizer",
    "AWS::ApiGateway::Method",
    "AWS::ApiGateway::RestApi",
    "AWS::ApiGatewayV2::Api",
    "AWS::ApiGatewayV2::Route",
    "AWS::AppSync::GraphQLApi",
    "AWS::AutoScaling::LaunchConfiguration",
    "AWS::CloudFormation::Stack",
    "AWS::CloudFormation::StackSet",
    "AWS::CloudTrail::Trail",
    "AWS::CodeBuild::Project",
    "AWS::Cognito::IdentityPool",
    "AWS::Cognito::IdentityPoolRoleAttachment",
    "AWS::Cognito::UserPool",
    "AWS::Cognito::UserPoolClient",
    "AWS::Config::ConfigurationRecorder",
    "AWS::EC2::Instance",
    "AWS::EC2::LaunchTemplate",
    "AWS::EC2::VPCEndpoint",
    "AWS::ECR::Repository",
    "AWS::ECS::Service",
    "AWS::ECS::TaskDefinition",
    "AWS::EKS::AccessEntry",
    "AWS::EKS::Cluster",
    "AWS::EKS::PodIdentityAssociation",
    "AWS::GuardDuty::Detector",
    "AWS::IAM::ServerCertificate",
    "AWS::IAM::ServiceLinkedRole",
    "AWS::KMS::Key",
    "AWS::Lambda::Function",
    "AWS::Lambda::Url",
    "AWS::Logs::LogGroup",
    "AWS::OpenSearchService::Domain",
    "AWS::Organizations::Account",
    "AWS::Organizations::Organization",
    "AWS::Organizations::OrganizationalUnit",
    "AWS::RAM::ResourceShare",
    "AWS::RDS::DBCluster",
    "AWS::RDS::DBInstance",
    "AWS::RolesAnywhere::Profile",
    "AWS::RolesAnywhere::TrustAnchor",
    "AWS::S3::AccessPoint",
    "AWS::S3::Bucket",
    "AWS::SNS::Topic",
    "AWS::SQS::Queue",
    "AWS::SSM::Parameter",
    "AWS::SSO::Assignment",
    "AWS::SageMaker::NotebookInstance",
    "AWS::SecretsManager::Secret",
    "AWS::SecurityHub::Hub",
    "AWS::VpcLattice::Service",
    "AWS::VpcLattice::ServiceNetwork",
    "aws_accessanalyzer_analyzer",
    "aws_api_gateway_authorizer",
    "aws_api_gateway_method",
    "aws_api_gateway_rest_api",
    "aws_apigatewayv2_api",
    "aws_apigatewayv2_route",
    "aws_appsync_graphql_api",
    "aws_cloudformation_stack",
    "aws_cloudformation_stack_set",
    "aws_cloudtrail",
    "aws_codebuild_project",
    "aws_cognito_identity_pool",
    "aws_cognito_identity_pool_roles_attachment",
    "aws_cognito_user_pool",
    "aws_cognito_user_pool_client",
    "aws_config_configuration_recorder",
    "aws_config_configuration_recorder_status",
    "aws_db_cluster_snapshot",
    "aws_db_instance",
    "aws_db_snapshot",
    "aws_ec2_instance_metadata_defaults",
    "aws_ecr_repository",
    "aws_ecs_service",
    "aws_ecs_task_definition",
    "aws_eks_access_entry",
    "aws_eks_access_policy_association",
    "aws_eks_cluster",
    "aws_eks_pod_identity_association",
    "aws_guardduty_detector",
    "aws_iam_account_alias",
    "aws_iam_account_password_policy",
    "aws_iam_group_policies_exclusive",
    "aws_iam_organizations_features",
    "aws_iam_role_policies_exclusive",
    "aws_iam_security_token_service_preferences",
    "aws_iam_server_certificate",
    "aws_iam_service_linked_role",
    "aws_iam_user_policies_exclusive",
    "aws_iam_user_ssh_key",
    "aws_iam_virtual_mfa_device",
    "aws_instance",
    "aws_kms_external_key",
    "aws_kms_grant",
    "aws_kms_key",
    "aws_lambda_function",
    "aws_lambda_function_url",
    "aws_launch_configuration",
    "aws_launch_template",
    "aws_opensearch_domain",
    "aws_organizations_account",
    "aws_organizations_delegated_administrator",
    "aws_organizations_organization",
    "aws_organizations_organizational_unit",
    "aws_ram_principal_association",
    "aws_ram_resource_share",
    "aws_rds_cluster",
    "aws_rolesanywhere_profile",
    "aws_rolesanywhere_trust_anchor",
    "aws_s3_access_point",
    "aws_s3_bucket",
    "aws_s3_bucket_acl",
    "aws_s3_bucket_ownership_controls",
    "aws_sagemaker_notebook_instance",
    "aws_secretsmanager_secret",
    "aws_securityhub_account",
    "aws_sns_topic",
    "aws_sqs_queue",
    "aws_ssm_parameter",
    "aws_ssoadmin_account_assignment",
    "aws_ssoadmin_instance_access_control_attributes",
    "aws_vpc_endpoint",
    "aws_vpc_endpoint_service_allowed_principal",
    "aws_vpclattice_service",
    "aws_vpclattice_service_network",
];

pub(super) fn is_kept(kind: &str) -> bool {
    KEPT.binary_search(&kind).is_ok()
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
        assert!(KEPT.is_sorted());
        assert!(is_kept("aws_instance"));
        assert!(!is_kept("aws_vpc"));
    }
}
