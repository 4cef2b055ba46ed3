//! Names and ARNs of resources as templates over their own arguments.
//!
//! Both formats resolve `.arn`, `.id`, `Ref` and `Fn::GetAtt` through this one table, so that a
//! reference equals the resource it means, across formats. Not for attributes that only AWS knows:
//! those stay holes. Source: AWS Service Authorization Reference (ARN formats), the Terraform AWS
//! provider's and CloudFormation's attribute references.

use overgrant_value::{Answer, Sym, Text};
use smol_str::SmolStr;

/// One resource type of the table.
#[derive(Debug, Clone, Copy)]
pub struct Identified {
    /// Terraform type.
    pub terraform: &'static str,
    /// CloudFormation type.
    pub cloudformation: &'static str,
    /// Argument with the physical name: (Terraform, CloudFormation).
    pub name: (&'static str, &'static str),
    /// ARN with `{P}`, `{R}`, `{A}` for partition, region, account, `{path}` and `{name}`;
    /// `{/name}` is the name with exactly one slash before it, `{host}` the name without `https://`,
    /// `{own}` a part that AWS makes up.
    pub arn: &'static str,
    /// What Terraform's `id` is.
    pub id: Identifies,
    /// What CloudFormation's `Ref` is.
    pub reference: Identifies,
}

/// What an identifier of a resource holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Identifies {
    /// The physical name.
    Name,
    /// The ARN.
    Arn,
    /// Something that AWS makes up: a hole.
    Opaque,
}

/// What an attribute of a resource is worth.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Wanted {
    Name,
    Arn,
}

/// The text of the identity attribute `attribute` of a resource, or `None` where the table does not
/// know it (the caller then makes a hole [`Sym::Attr`]).
///
/// `kind` is the resource type of either format, `argument` gives the evaluated text of one of the
/// resource's own arguments (`None` where it is absent). A name that is absent becomes a hole of the
/// resource itself.
#[must_use]
pub fn attribute(
    kind: &str,
    attribute: &str,
    root: &str,
    address: &str,
    argument: &dyn Fn(&str) -> Option<Text>,
) -> Option<Text> {
    let row = row(kind)?;
    let terraform = row.terraform == kind;
    let further = FURTHER
        .iter()
        .find(|(of, name, _)| *of == kind && *name == attribute);
    if let Some((_, _, template)) = further {
        return Some(fill(template, row, terraform, root, address, argument));
    }
    let wanted = match (terraform, attribute) {
        (true, "arn") | (false, "Arn") => Wanted::Arn,
        (true, "id") => wanted(row.id)?,
        (false, "Ref") => wanted(row.reference)?,
        (true, name) if name == row.name.0 => Wanted::Name,
        (false, name) if name == row.name.1 => Wanted::Name,
        (false, "TopicArn" | "PolicyArn" | "StateMachineArn") => Wanted::Arn,
        _ => return None,
    };
    Some(text(row, terraform, wanted, root, address, argument))
}

fn wanted(identifies: Identifies) -> Option<Wanted> {
    match identifies {
        Identifies::Name => Some(Wanted::Name),
        Identifies::Arn => Some(Wanted::Arn),
        Identifies::Opaque => None,
    }
}

/// The row of a resource type of either format.
#[must_use]
pub fn row(kind: &str) -> Option<&'static Identified> {
    TABLE
        .iter()
        .find(|row| row.terraform == kind || row.cloudformation == kind)
}

fn text(
    row: &Identified,
    terraform: bool,
    wanted: Wanted,
    root: &str,
    address: &str,
    argument: &dyn Fn(&str) -> Option<Text>,
) -> Text {
    let template = match wanted {
        Wanted::Name => "{name}",
        Wanted::Arn => row.arn,
    };
    fill(template, row, terraform, root, address, argument)
}

/// A template with its fields filled.
fn fill(
    template: &str,
    row: &Identified,
    terraform: bool,
    root: &str,
    address: &str,
    argument: &dyn Fn(&str) -> Option<Text>,
) -> Text {
    let name_argument = if terraform { row.name.0 } else { row.name.1 };
    let own = |path: &'static str| {
        hole(Sym::Attr {
            root: root.into(),
            addr: address.into(),
            path: SmolStr::new_static(path),
        })
    };
    let name = || {
        argument(name_argument).unwrap_or_else(|| {
            let prefix = terraform.then(|| argument(&format!("{name_argument}_prefix")));
            match prefix.flatten() {
                Some(prefix) => prefix.concat(&own("name")),
                None => own("name"),
            }
        })
    };
    let mut result = Text::empty();
    let mut rest = template;
    while let Some((literal, after)) = rest.split_once('{') {
        result.append(&Text::known(literal));
        let Some((field, after)) = after.split_once('}') else {
            break;
        };
        result.append(&match field {
            "P" => hole(Sym::Partition),
            "R" => hole(Sym::Region),
            "A" => hole(Sym::Account),
            "path" => argument(if terraform { "path" } else { "Path" })
                .unwrap_or_else(|| Text::known("/")),
            "host" => host(name()),
            "own" => own("suffix"),
            "/name" => {
                let name = name();
                match name.starts_with("/") {
                    Answer::Must => name,
                    Answer::No => Text::known("/").concat(&name),
                    Answer::May => own("name with its slash"),
                }
            }
            _ => name(),
        });
        rest = after;
    }
    result.concat(&Text::known(rest))
}

/// An issuer's URL as IAM writes it in ARNs and condition keys: without scheme.
fn host(url: Text) -> Text {
    const SCHEME: &str = "https://";
    match url.starts_with(SCHEME) {
        Answer::Must => url.without_prefix(SCHEME.len()).unwrap_or(url),
        _ => url,
    }
}

fn hole(sym: Sym) -> Text {
    Text::hole(sym, overgrant_value::Src::none())
}

const fn known(
    terraform: &'static str,
    cloudformation: &'static str,
    name: (&'static str, &'static str),
    arn: &'static str,
    id: Identifies,
    reference: Identifies,
) -> Identified {
    Identified {
        terraform,
        cloudformation,
        name,
        arn,
        id,
        reference,
    }
}

use Identifies::{Arn, Name, Opaque};

/// The types whose identity is a template.
pub const TABLE: &[Identified] = &[
    known(
        "aws_iam_role",
        "AWS::IAM::Role",
        ("name", "RoleName"),
        "arn:{P}:iam::{A}:role{path}{name}",
        Name,
        Name,
    ),
    known(
        "aws_iam_user",
        "AWS::IAM::User",
        ("name", "UserName"),
        "arn:{P}:iam::{A}:user{path}{name}",
        Name,
        Name,
    ),
    known(
        "aws_iam_group",
        "AWS::IAM::Group",
        ("name", "GroupName"),
        "arn:{P}:iam::{A}:group{path}{name}",
        Name,
        Name,
    ),
    known(
        "aws_iam_policy",
        "AWS::IAM::ManagedPolicy",
        ("name", "ManagedPolicyName"),
        "arn:{P}:iam::{A}:policy{path}{name}",
        Arn,
        Arn,
    ),
    known(
        "aws_iam_instance_profile",
        "AWS::IAM::InstanceProfile",
        ("name", "InstanceProfileName"),
        "arn:{P}:iam::{A}:instance-profile{path}{name}",
        Name,
        Name,
    ),
    known(
        "aws_s3_bucket",
        "AWS::S3::Bucket",
        ("bucket", "BucketName"),
        "arn:{P}:s3:::{name}",
        Name,
        Name,
    ),
    known(
        "aws_sqs_queue",
        "AWS::SQS::Queue",
        ("name", "QueueName"),
        "arn:{P}:sqs:{R}:{A}:{name}",
        Opaque,
        Opaque,
    ),
    known(
        "aws_sns_topic",
        "AWS::SNS::Topic",
        ("name", "TopicName"),
        "arn:{P}:sns:{R}:{A}:{name}",
        Arn,
        Arn,
    ),
    known(
        "aws_lambda_function",
        "AWS::Lambda::Function",
        ("function_name", "FunctionName"),
        "arn:{P}:lambda:{R}:{A}:function:{name}",
        Name,
        Name,
    ),
    known(
        "aws_dynamodb_table",
        "AWS::DynamoDB::Table",
        ("name", "TableName"),
        "arn:{P}:dynamodb:{R}:{A}:table/{name}",
        Name,
        Name,
    ),
    known(
        "aws_cloudwatch_log_group",
        "AWS::Logs::LogGroup",
        ("name", "LogGroupName"),
        "arn:{P}:logs:{R}:{A}:log-group:{name}",
        Name,
        Name,
    ),
    known(
        "aws_kinesis_stream",
        "AWS::Kinesis::Stream",
        ("name", "Name"),
        "arn:{P}:kinesis:{R}:{A}:stream/{name}",
        Arn,
        Name,
    ),
    known(
        "aws_kinesis_firehose_delivery_stream",
        "AWS::KinesisFirehose::DeliveryStream",
        ("name", "DeliveryStreamName"),
        "arn:{P}:firehose:{R}:{A}:deliverystream/{name}",
        Arn,
        Name,
    ),
    known(
        "aws_ecr_repository",
        "AWS::ECR::Repository",
        ("name", "RepositoryName"),
        "arn:{P}:ecr:{R}:{A}:repository/{name}",
        Name,
        Name,
    ),
    known(
        "aws_ecs_cluster",
        "AWS::ECS::Cluster",
        ("name", "ClusterName"),
        "arn:{P}:ecs:{R}:{A}:cluster/{name}",
        Arn,
        Name,
    ),
    known(
        "aws_eks_cluster",
        "AWS::EKS::Cluster",
        ("name", "Name"),
        "arn:{P}:eks:{R}:{A}:cluster/{name}",
        Name,
        Name,
    ),
    known(
        "aws_ssm_parameter",
        "AWS::SSM::Parameter",
        ("name", "Name"),
        "arn:{P}:ssm:{R}:{A}:parameter{/name}",
        Name,
        Name,
    ),
    known(
        "aws_codebuild_project",
        "AWS::CodeBuild::Project",
        ("name", "Name"),
        "arn:{P}:codebuild:{R}:{A}:project/{name}",
        Arn,
        Name,
    ),
    known(
        "aws_codepipeline",
        "AWS::CodePipeline::Pipeline",
        ("name", "Name"),
        "arn:{P}:codepipeline:{R}:{A}:{name}",
        Name,
        Name,
    ),
    known(
        "aws_codecommit_repository",
        "AWS::CodeCommit::Repository",
        ("repository_name", "RepositoryName"),
        "arn:{P}:codecommit:{R}:{A}:{name}",
        Name,
        Opaque,
    ),
    known(
        "aws_cloudwatch_event_bus",
        "AWS::Events::EventBus",
        ("name", "Name"),
        "arn:{P}:events:{R}:{A}:event-bus/{name}",
        Name,
        Name,
    ),
    known(
        "aws_cloudwatch_event_rule",
        "AWS::Events::Rule",
        ("name", "Name"),
        "arn:{P}:events:{R}:{A}:rule/{name}",
        Name,
        Name,
    ),
    known(
        "aws_sfn_state_machine",
        "AWS::StepFunctions::StateMachine",
        ("name", "StateMachineName"),
        "arn:{P}:states:{R}:{A}:stateMachine:{name}",
        Arn,
        Arn,
    ),
    known(
        "aws_glue_catalog_database",
        "AWS::Glue::Database",
        ("name", "DatabaseName"),
        "arn:{P}:glue:{R}:{A}:database/{name}",
        Opaque,
        Name,
    ),
    known(
        "aws_athena_workgroup",
        "AWS::Athena::WorkGroup",
        ("name", "Name"),
        "arn:{P}:athena:{R}:{A}:workgroup/{name}",
        Name,
        Name,
    ),
    known(
        "aws_redshift_cluster",
        "AWS::Redshift::Cluster",
        ("cluster_identifier", "ClusterIdentifier"),
        "arn:{P}:redshift:{R}:{A}:cluster:{name}",
        Name,
        Name,
    ),
    known(
        "aws_cloudtrail",
        "AWS::CloudTrail::Trail",
        ("name", "TrailName"),
        "arn:{P}:cloudtrail:{R}:{A}:trail/{name}",
        Arn,
        Name,
    ),
    known(
        "aws_backup_vault",
        "AWS::Backup::BackupVault",
        ("name", "BackupVaultName"),
        "arn:{P}:backup:{R}:{A}:backup-vault:{name}",
        Name,
        Name,
    ),
    known(
        "aws_iam_saml_provider",
        "AWS::IAM::SAMLProvider",
        ("name", "Name"),
        "arn:{P}:iam::{A}:saml-provider/{name}",
        Arn,
        Arn,
    ),
    known(
        "aws_iam_openid_connect_provider",
        "AWS::IAM::OIDCProvider",
        ("url", "Url"),
        "arn:{P}:iam::{A}:oidc-provider/{host}",
        Arn,
        Arn,
    ),
    known(
        "",
        "Custom::AWSCDKOpenIdConnectProvider",
        ("", "Url"),
        "arn:{P}:iam::{A}:oidc-provider/{host}",
        Opaque,
        Arn,
    ),
    known(
        "aws_kms_key",
        "AWS::KMS::Key",
        ("key_id", "KeyId"),
        "arn:{P}:kms:{R}:{A}:key/{name}",
        Name,
        Name,
    ),
    known(
        "aws_kms_alias",
        "AWS::KMS::Alias",
        ("name", "AliasName"),
        "arn:{P}:kms:{R}:{A}:{name}",
        Name,
        Name,
    ),
    known(
        "aws_secretsmanager_secret",
        "AWS::SecretsManager::Secret",
        ("name", "Name"),
        "arn:{P}:secretsmanager:{R}:{A}:secret:{name}-{own}",
        Arn,
        Arn,
    ),
    known(
        "aws_ecs_task_definition",
        "AWS::ECS::TaskDefinition",
        ("family", "Family"),
        "arn:{P}:ecs:{R}:{A}:task-definition/{name}:{own}",
        Name,
        Arn,
    ),
    known(
        "aws_efs_file_system",
        "AWS::EFS::FileSystem",
        ("id", "FileSystemId"),
        "arn:{P}:elasticfilesystem:{R}:{A}:file-system/{name}",
        Name,
        Name,
    ),
    known(
        "aws_db_instance",
        "AWS::RDS::DBInstance",
        ("identifier", "DBInstanceIdentifier"),
        "arn:{P}:rds:{R}:{A}:db:{name}",
        Opaque,
        Name,
    ),
    known(
        "aws_rds_cluster",
        "AWS::RDS::DBCluster",
        ("cluster_identifier", "DBClusterIdentifier"),
        "arn:{P}:rds:{R}:{A}:cluster:{name}",
        Name,
        Name,
    ),
    known(
        "aws_elasticache_replication_group",
        "AWS::ElastiCache::ReplicationGroup",
        ("replication_group_id", "ReplicationGroupId"),
        "arn:{P}:elasticache:{R}:{A}:replicationgroup:{name}",
        Name,
        Name,
    ),
    known(
        "aws_opensearch_domain",
        "AWS::OpenSearchService::Domain",
        ("domain_name", "DomainName"),
        "arn:{P}:es:{R}:{A}:domain/{name}",
        Arn,
        Name,
    ),
    known(
        "aws_elasticsearch_domain",
        "AWS::Elasticsearch::Domain",
        ("domain_name", "DomainName"),
        "arn:{P}:es:{R}:{A}:domain/{name}",
        Arn,
        Name,
    ),
    known(
        "aws_api_gateway_rest_api",
        "AWS::ApiGateway::RestApi",
        ("id", "RestApiId"),
        "arn:{P}:apigateway:{R}::/restapis/{name}",
        Name,
        Name,
    ),
    known(
        "aws_apigatewayv2_api",
        "AWS::ApiGatewayV2::Api",
        ("id", "ApiId"),
        "arn:{P}:apigateway:{R}::/apis/{name}",
        Name,
        Name,
    ),
    known(
        "aws_instance",
        "AWS::EC2::Instance",
        ("id", "InstanceId"),
        "arn:{P}:ec2:{R}:{A}:instance/{name}",
        Name,
        Name,
    ),
    known(
        "aws_launch_template",
        "AWS::EC2::LaunchTemplate",
        ("id", "LaunchTemplateId"),
        "arn:{P}:ec2:{R}:{A}:launch-template/{name}",
        Name,
        Name,
    ),
    known(
        "aws_cognito_user_pool",
        "AWS::Cognito::UserPool",
        ("id", "UserPoolId"),
        "arn:{P}:cognito-idp:{R}:{A}:userpool/{name}",
        Name,
        Name,
    ),
    known(
        "aws_cognito_identity_pool",
        "AWS::Cognito::IdentityPool",
        ("id", "Id"),
        "arn:{P}:cognito-identity:{R}:{A}:identitypool/{name}",
        Name,
        Name,
    ),
    known(
        "aws_acm_certificate",
        "AWS::CertificateManager::Certificate",
        ("", ""),
        "arn:{P}:acm:{R}:{A}:certificate/{own}",
        Arn,
        Arn,
    ),
    known(
        "aws_cloudfront_distribution",
        "AWS::CloudFront::Distribution",
        ("id", "Id"),
        "arn:{P}:cloudfront::{A}:distribution/{name}",
        Name,
        Name,
    ),
    known(
        "aws_route53_zone",
        "AWS::Route53::HostedZone",
        ("zone_id", "Id"),
        "arn:{P}:route53:::hostedzone/{name}",
        Name,
        Name,
    ),
    known(
        "aws_cloudwatch_metric_alarm",
        "AWS::CloudWatch::Alarm",
        ("alarm_name", "AlarmName"),
        "arn:{P}:cloudwatch:{R}:{A}:alarm:{name}",
        Name,
        Name,
    ),
    known(
        "aws_scheduler_schedule_group",
        "AWS::Scheduler::ScheduleGroup",
        ("name", "Name"),
        "arn:{P}:scheduler:{R}:{A}:schedule-group/{name}",
        Name,
        Name,
    ),
    known(
        "aws_codeartifact_domain",
        "AWS::CodeArtifact::Domain",
        ("domain", "DomainName"),
        "arn:{P}:codeartifact:{R}:{A}:domain/{name}",
        Arn,
        Arn,
    ),
    known(
        "aws_glue_job",
        "AWS::Glue::Job",
        ("name", "Name"),
        "arn:{P}:glue:{R}:{A}:job/{name}",
        Name,
        Name,
    ),
    known(
        "aws_glue_crawler",
        "AWS::Glue::Crawler",
        ("name", "Name"),
        "arn:{P}:glue:{R}:{A}:crawler/{name}",
        Name,
        Name,
    ),
    known(
        "aws_sagemaker_notebook_instance",
        "AWS::SageMaker::NotebookInstance",
        ("name", "NotebookInstanceName"),
        "arn:{P}:sagemaker:{R}:{A}:notebook-instance/{name}",
        Name,
        Opaque,
    ),
    known(
        "aws_batch_job_queue",
        "AWS::Batch::JobQueue",
        ("name", "JobQueueName"),
        "arn:{P}:batch:{R}:{A}:job-queue/{name}",
        Arn,
        Arn,
    ),
    known(
        "aws_batch_job_definition",
        "AWS::Batch::JobDefinition",
        ("name", "JobDefinitionName"),
        "arn:{P}:batch:{R}:{A}:job-definition/{name}:{own}",
        Arn,
        Arn,
    ),
    known(
        "aws_msk_cluster",
        "AWS::MSK::Cluster",
        ("cluster_name", "ClusterName"),
        "arn:{P}:kafka:{R}:{A}:cluster/{name}/{own}",
        Arn,
        Arn,
    ),
    known(
        "aws_transfer_server",
        "AWS::Transfer::Server",
        ("id", "ServerId"),
        "arn:{P}:transfer:{R}:{A}:server/{name}",
        Name,
        Arn,
    ),
    known(
        "aws_codedeploy_app",
        "AWS::CodeDeploy::Application",
        ("name", "ApplicationName"),
        "arn:{P}:codedeploy:{R}:{A}:application:{name}",
        Opaque,
        Name,
    ),
    known(
        "aws_appsync_graphql_api",
        "AWS::AppSync::GraphQLApi",
        ("id", "ApiId"),
        "arn:{P}:appsync:{R}:{A}:apis/{name}",
        Name,
        Arn,
    ),
    known(
        "aws_kinesisanalyticsv2_application",
        "AWS::KinesisAnalyticsV2::Application",
        ("name", "ApplicationName"),
        "arn:{P}:kinesisanalytics:{R}:{A}:application/{name}",
        Arn,
        Name,
    ),
    known(
        "aws_cloudformation_stack",
        "AWS::CloudFormation::Stack",
        ("name", "StackName"),
        "arn:{P}:cloudformation:{R}:{A}:stack/{name}/{own}",
        Arn,
        Arn,
    ),
    known(
        "aws_ssm_document",
        "AWS::SSM::Document",
        ("name", "Name"),
        "arn:{P}:ssm:{R}:{A}:document/{name}",
        Name,
        Name,
    ),
    known(
        "aws_s3_access_point",
        "AWS::S3::AccessPoint",
        ("name", "Name"),
        "arn:{P}:s3:{R}:{A}:accesspoint/{name}",
        Opaque,
        Name,
    ),
    known(
        "aws_accessanalyzer_analyzer",
        "AWS::AccessAnalyzer::Analyzer",
        ("analyzer_name", "AnalyzerName"),
        "arn:{P}:access-analyzer:{R}:{A}:analyzer/{name}",
        Name,
        Arn,
    ),
    known(
        "aws_autoscaling_group",
        "AWS::AutoScaling::AutoScalingGroup",
        ("name", "AutoScalingGroupName"),
        "arn:{P}:autoscaling:{R}:{A}:autoScalingGroup:{own}:autoScalingGroupName/{name}",
        Name,
        Name,
    ),
];

/// Attributes beside name, id and ARN: type, attribute, template over the type's row.
const FURTHER: &[(&str, &str, &str)] = &[
    (
        "AWS::Logs::LogGroup",
        "Arn",
        "arn:{P}:logs:{R}:{A}:log-group:{name}:*",
    ),
    (
        "AWS::DynamoDB::Table",
        "StreamArn",
        "arn:{P}:dynamodb:{R}:{A}:table/{name}/stream/{own}",
    ),
    (
        "aws_dynamodb_table",
        "stream_arn",
        "arn:{P}:dynamodb:{R}:{A}:table/{name}/stream/{own}",
    ),
    (
        "aws_api_gateway_rest_api",
        "execution_arn",
        "arn:{P}:execute-api:{R}:{A}:{name}",
    ),
    (
        "aws_apigatewayv2_api",
        "execution_arn",
        "arn:{P}:execute-api:{R}:{A}:{name}",
    ),
    (
        "aws_lambda_function",
        "qualified_arn",
        "arn:{P}:lambda:{R}:{A}:function:{name}:{own}",
    ),
    (
        "aws_s3_bucket",
        "bucket_domain_name",
        "{name}.s3.amazonaws.com",
    ),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_formats_give_equal_arns() {
        let argument = |name: &str| matches!(name, "name" | "RoleName").then(|| Text::known("ci"));
        let a = attribute("aws_iam_role", "arn", "r", "aws_iam_role.ci", &argument).unwrap();
        let b = attribute("AWS::IAM::Role", "Arn", "t", "Ci", &argument).unwrap();
        assert_eq!(a.key(), b.key());
        assert_eq!(
            a.to_string(),
            "arn:${the partition}:iam::${the account id}:role/ci"
        );
    }

    #[test]
    fn a_name_that_aws_makes_is_a_hole_of_the_resource() {
        let none = |_: &str| None;
        let a = attribute("aws_sqs_queue", "arn", "r", "aws_sqs_queue.q", &none).unwrap();
        assert_eq!(a.holes().count(), 4);
        assert_eq!(
            attribute("aws_sqs_queue", "id", "r", "aws_sqs_queue.q", &none),
            None
        );
        assert_eq!(attribute("aws_vpc", "id", "r", "aws_vpc.v", &none), None);
    }

    #[test]
    fn slashes_suffixes_and_issuers() {
        let given =
            |value: &'static str| move |name: &str| (name == "name").then(|| Text::known(value));
        for name in ["a/b", "/a/b"] {
            let arn = attribute("aws_ssm_parameter", "arn", "r", "x", &given(name)).unwrap();
            assert!(arn.to_string().ends_with(":parameter/a/b"), "{name}");
        }
        let secret = attribute("aws_secretsmanager_secret", "id", "r", "s", &given("n")).unwrap();
        assert!(secret.to_string().ends_with(":secret:n-${s.suffix}"));
        let url = |name: &str| (name == "url").then(|| Text::known("https://a.example/b"));
        let kind = "aws_iam_openid_connect_provider";
        let provider = attribute(kind, "arn", "r", "o", &url).unwrap();
        assert!(provider.to_string().ends_with(":oidc-provider/a.example/b"));
        let prefix = |name: &str| (name == "name_prefix").then(|| Text::known("ci-"));
        let role = attribute("aws_iam_role", "name", "r", "x", &prefix).unwrap();
        assert_eq!(role.to_string(), "ci-${x.name}");
        let logs = |name: &str| (name == "LogGroupName").then(|| Text::known("l"));
        let group = attribute("AWS::Logs::LogGroup", "Arn", "t", "L", &logs).unwrap();
        assert!(group.to_string().ends_with(":log-group:l:*"));
    }

    #[test]
    fn the_table_has_each_type_once() {
        for pick in [
            |row: &Identified| row.terraform,
            |row: &Identified| row.cloudformation,
        ] {
            let mut names: Vec<_> = TABLE.iter().map(pick).collect();
            names.sort_unstable();
            let count = names.len();
            names.dedup();
            assert_eq!(names.len(), count);
        }
    }
}
