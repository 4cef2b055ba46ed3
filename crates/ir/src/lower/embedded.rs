//! Roles and policies inside JSON documents of other grammars: container properties, SSM
//! documents, OpenAPI bodies.
//!
//! Not for whole templates in strings. Invariant: a text that is no JSON (YAML bodies) is left alone.
//! Sources: AWS Batch `RegisterJobDefinition`; Systems Manager "Data elements and parameters";
//! API Gateway "OpenAPI extensions"; Step Functions "Accessing resources in other accounts"; Amazon EKS
//! "IAM roles for service accounts".

use super::read::{itself, members, references};
use super::{Holding, Lowering};
use crate::node::Workload;
use crate::{DocumentRole, Place, Resource};
use overgrant_value::{Data, Guard, Val, json};

/// Deepest value that is searched for a key.
const MOST_LEVELS: usize = 24;

/// A key in the JSON of an argument that names a role: type, argument, key, service (empty where
/// another role or a cluster assumes it), compute.
type Role = (&'static str, &'static str, &'static str, &'static str, bool);

const ROLES: [Role; 13] = [
    ("aws_sfn_state_machine", "definition", "RoleArn", "", false),
    (
        "AWS::StepFunctions::StateMachine",
        "DefinitionString",
        "RoleArn",
        "",
        false,
    ),
    (
        "aws_servicecatalog_constraint",
        "parameters",
        "RoleArn",
        "servicecatalog.amazonaws.com",
        false,
    ),
    (
        "kubernetes_service_account",
        "metadata",
        "eks.amazonaws.com/role-arn",
        "",
        true,
    ),
    (
        "kubernetes_service_account_v1",
        "metadata",
        "eks.amazonaws.com/role-arn",
        "",
        true,
    ),
    (
        "aws_batch_job_definition",
        "container_properties",
        "jobRoleArn",
        "ecs-tasks.amazonaws.com",
        true,
    ),
    (
        "aws_batch_job_definition",
        "container_properties",
        "executionRoleArn",
        "ecs-tasks.amazonaws.com",
        false,
    ),
    (
        "aws_ssm_document",
        "content",
        "assumeRole",
        "ssm.amazonaws.com",
        true,
    ),
    (
        "AWS::SSM::Document",
        "Content",
        "assumeRole",
        "ssm.amazonaws.com",
        true,
    ),
    (
        "aws_api_gateway_rest_api",
        "body",
        "credentials",
        "apigateway.amazonaws.com",
        false,
    ),
    (
        "AWS::ApiGateway::RestApi",
        "Body",
        "credentials",
        "apigateway.amazonaws.com",
        false,
    ),
    (
        "aws_apigatewayv2_api",
        "body",
        "credentials",
        "apigateway.amazonaws.com",
        false,
    ),
    (
        "AWS::ApiGatewayV2::Api",
        "Body",
        "credentials",
        "apigateway.amazonaws.com",
        false,
    ),
];

/// Where an OpenAPI body may hold the API's resource policy: type, argument.
const BODIES: [(&str, &str); 2] = [
    ("aws_api_gateway_rest_api", "body"),
    ("AWS::ApiGateway::RestApi", "Body"),
];

pub(super) fn knows(kind: &str) -> bool {
    ROLES.iter().any(|(of, ..)| *of == kind)
}

pub(super) fn lower(lowering: &mut Lowering, resource: &Resource) {
    for (kind, argument, key, service, compute) in ROLES {
        if kind != resource.kind {
            continue;
        }
        for (guard, val) in parsed(resource, argument) {
            let mut found = Vec::new();
            search(&val, key, 0, &mut found);
            for val in found {
                for mut role in references(resource, &val) {
                    let Some(both) = role.guard.and(&guard) else {
                        continue;
                    };
                    role.guard = both;
                    // `{{ AutomationAssumeRole }}` is a parameter of the document.
                    if role.text.is_empty() || role.text.leading().starts_with("{{") {
                        continue;
                    }
                    lowering.model.workloads.push(Workload {
                        place: Place::of(resource),
                        attribute: format!("{argument}.{key}").into(),
                        role,
                        service: (!service.is_empty()).then(|| service.into()),
                        compute,
                        attrs: resource.attrs.clone(),
                    });
                }
            }
        }
    }
    for (kind, argument) in BODIES {
        if kind != resource.kind {
            continue;
        }
        for (guard, val) in parsed(resource, argument) {
            let Some(policy) = val.get("x-amazon-apigateway-policy") else {
                continue;
            };
            let service = "execute-api".into();
            let mut holding = Holding::new(resource, DocumentRole::Resource { service });
            holding.guard = guard;
            holding.targets = vec![itself(resource)];
            lowering.document(holding, &policy);
        }
    }
}

/// The objects that an argument holds: as such, or as JSON text.
fn parsed(resource: &Resource, argument: &str) -> Vec<(Guard, Val)> {
    let Some(val) = resource.get(argument) else {
        return Vec::new();
    };
    members(&val)
        .into_iter()
        .filter_map(|(guard, val)| match val.data() {
            Data::Map(_) | Data::Seq(_) => Some((guard, val)),
            Data::Str(text) => Some((guard, json::parse(text).ok()?.under(&val))),
            _ => None,
        })
        .collect()
}

fn search(val: &Val, key: &str, level: usize, found: &mut Vec<Val>) {
    if level > MOST_LEVELS {
        return;
    }
    match val.data() {
        Data::Map(map) => {
            for entry in &map.entries {
                let inner = entry.val.under(val);
                if entry.key.is(key) {
                    found.push(inner);
                } else {
                    search(&inner, key, level + 1, found);
                }
            }
        }
        Data::Seq(_) => {
            for item in val.listed() {
                search(&item, key, level + 1, found);
            }
        }
        Data::OneOf(_) => {
            for (_, inner) in val.alternatives() {
                search(&inner, key, level + 1, found);
            }
        }
        _ => {}
    }
}
