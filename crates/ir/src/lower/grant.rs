//! Single arguments that AWS turns into a statement, or that decide public access.
//!
//! Not for documents written as such (`table`). Invariant: a Lambda permission is judged as the one
//! statement that AWS adds to the function's policy. Sources: AWS Lambda API reference,
//! `AddPermission` and `AddLayerVersionPermission`; EventBridge `PutPermission`.

use super::read::{itself, named};
use super::{Holding, Lowering};
use crate::node::{GuardrailKind, ResourceGrant};
use crate::{DocumentId, DocumentRole, Place, Resource};
use overgrant_value::{Answer, Data, Piece, Src, Sym, Text, Val};

#[derive(Clone, Copy)]
enum Type {
    /// A statement of its own: service prefix, target arguments.
    Statement(&'static str, &'static [&'static str]),
    /// Only an argument: service prefix, target arguments.
    Argument(&'static str, &'static [&'static str]),
    PublicAccessBlock,
    Bucket,
}

fn type_of(kind: &str) -> Option<Type> {
    Some(match kind {
        "aws_lambda_permission" | "AWS::Lambda::Permission" => {
            Type::Statement("lambda", &["function_name", "FunctionName"])
        }
        "aws_lambda_layer_version_permission" => Type::Statement("lambda", &["layer_name"]),
        "AWS::Lambda::LayerVersionPermission" => Type::Statement("lambda", &["LayerVersionArn"]),
        "aws_cloudwatch_event_permission" => Type::Statement("events", &["event_bus_name"]),
        "AWS::Events::EventBusPolicy" => Type::Statement("events", &["EventBusName"]),
        "aws_lambda_function_url" => Type::Argument("lambda", &["function_name"]),
        "AWS::Lambda::Url" => Type::Argument("lambda", &["TargetFunctionArn"]),
        "aws_s3_bucket_acl"
        | "aws_s3_bucket_ownership_controls"
        | "aws_s3_bucket_website_configuration" => Type::Argument("s3", &["bucket"]),
        "aws_s3_bucket" | "AWS::S3::Bucket" => Type::Bucket,
        "aws_s3_object" => Type::Argument("s3", &["bucket"]),
        "aws_kms_grant" => Type::Argument("kms", &["key_id"]),
        "aws_ami_launch_permission" => Type::Argument("ec2", &["image_id"]),
        "aws_snapshot_create_volume_permission" => Type::Argument("ec2", &["snapshot_id"]),
        "aws_vpc_endpoint_service_allowed_principal" => {
            Type::Argument("ec2", &["vpc_endpoint_service_id"])
        }
        "AWS::EC2::VPCEndpointServicePermissions" => Type::Argument("ec2", &["ServiceId"]),
        "aws_ram_principal_association" => Type::Argument("ram", &["resource_share_arn"]),
        "aws_s3_bucket_public_access_block" | "aws_s3_account_public_access_block" => {
            Type::PublicAccessBlock
        }
        _ => return None,
    })
}

pub(super) fn knows(kind: &str) -> bool {
    type_of(kind).is_some()
}

pub(super) fn lower(lowering: &mut Lowering, resource: &Resource) {
    match type_of(&resource.kind) {
        Some(Type::Statement(service, target)) => {
            let document = statement(resource).and_then(|val| {
                let role = DocumentRole::Resource {
                    service: service.into(),
                };
                let mut holding = Holding::new(resource, role);
                holding.targets = named(resource, target);
                lowering.document(holding, &val)
            });
            grant(lowering, resource, service, target, document);
        }
        Some(Type::Argument(service, target)) => grant(lowering, resource, service, target, None),
        Some(Type::PublicAccessBlock) => {
            let subject = named(resource, &["bucket"]).into_iter().next();
            lowering.guardrail(
                resource,
                GuardrailKind::PublicAccessBlock,
                subject,
                None,
                &resource.attrs,
            );
        }
        Some(Type::Bucket) => {
            if let Some(block) = resource.get("PublicAccessBlockConfiguration") {
                // A policy names the bucket by its name where it has one.
                let subject = named(resource, &["BucketName"]).into_iter().next();
                let subject = subject.or_else(|| Some(itself(resource)));
                lowering.guardrail(
                    resource,
                    GuardrailKind::PublicAccessBlock,
                    subject,
                    None,
                    &block,
                );
            }
            let decides = [
                "acl",
                "grant",
                "website",
                "AccessControl",
                "OwnershipControls",
                "WebsiteConfiguration",
            ];
            if resource.get_any(&decides).is_some() {
                lowering.model.grants.push(ResourceGrant {
                    place: Place::of(resource),
                    service: "s3".into(),
                    target: Some(itself(resource)),
                    document: None,
                    attrs: resource.attrs.clone(),
                });
            }
        }
        None => {}
    }
}

fn grant(
    lowering: &mut Lowering,
    resource: &Resource,
    service: &str,
    target: &[&str],
    document: Option<DocumentId>,
) {
    lowering.model.grants.push(ResourceGrant {
        place: Place::of(resource),
        service: service.into(),
        target: named(resource, target).into_iter().next(),
        document,
        attrs: resource.attrs.clone(),
    });
}

/// The conditions that arguments stand for: arguments, operator, key.
const CONDITIONS: [(&[&str], &str, &str); 6] = [
    (&["source_arn", "SourceArn"], "ArnLike", "aws:SourceArn"),
    (
        &["source_account", "SourceAccount"],
        "StringEquals",
        "aws:SourceAccount",
    ),
    (
        &[
            "principal_org_id",
            "PrincipalOrgID",
            "organization_id",
            "OrganizationId",
        ],
        "StringEquals",
        "aws:PrincipalOrgID",
    ),
    (
        &["function_url_auth_type", "FunctionUrlAuthType"],
        "StringEquals",
        "lambda:FunctionUrlAuthType",
    ),
    (
        &["event_source_token", "EventSourceToken"],
        "StringEquals",
        "lambda:EventSourceToken",
    ),
    (
        &["invoked_via_function_url", "InvokedViaFunctionUrl"],
        "Bool",
        "lambda:InvokedViaFunctionUrl",
    ),
];

/// The document with the one statement that the arguments of a permission amount to.
fn statement(resource: &Resource) -> Option<Val> {
    let src = &resource.name_src;
    let principal = resource.get_any(&["principal", "Principal"])?;
    let action = match resource.get_any(&["action", "Action"]) {
        Some(action) => action,
        None if resource.kind == "aws_cloudwatch_event_permission" => {
            Val::str("events:PutEvents", src.clone())
        }
        None => return None,
    };
    let mut conditions: Vec<(&str, Val)> = Vec::new();
    for (names, operator, key) in CONDITIONS {
        let Some(val) = resource.get_any(names) else {
            continue;
        };
        let made = val.src().clone();
        conditions.push((operator, Val::object(vec![(key, val)], made)));
    }
    if let Some((_, block)) = super::read::blocks(resource, &["condition", "Condition"])
        .into_iter()
        .next()
    {
        // EventBridge: one block with type, key and value.
        let part = |names: [&str; 2]| names.iter().find_map(|name| block.get(name));
        let word = |names| part(names).and_then(|val| val.as_str());
        if let (Some(operator), Some(key), Some(value)) = (
            word(["type", "Type"]),
            word(["key", "Key"]),
            part(["value", "Value"]),
        ) {
            let inner = Val::object(vec![(&key, value)], block.src().clone());
            conditions.push((
                if operator == "StringEquals" {
                    "StringEquals"
                } else {
                    "StringLike"
                },
                inner,
            ));
        }
    }
    let resource_val = resource
        .get_any(&["function_name", "FunctionName", "LayerVersionArn"])
        .map(|val| function_arn(&val));
    let mut entries = vec![
        ("Effect", Val::str("Allow", src.clone())),
        ("Principal", principal_of(&principal)),
        ("Action", action),
        (
            "Resource",
            resource_val.unwrap_or_else(|| Val::str("*", src.clone())),
        ),
    ];
    if let Some(sid) = resource.get_any(&["statement_id", "StatementId"]) {
        entries.insert(0, ("Sid", sid));
    }
    if !conditions.is_empty() {
        entries.push(("Condition", merged(conditions, src)));
    }
    let statement = Val::object(entries, src.clone());
    Some(Val::object(
        vec![
            ("Version", Val::str("2012-10-17", src.clone())),
            ("Statement", Val::tuple(vec![statement], src.clone())),
        ],
        src.clone(),
    ))
}

/// A function's name as the ARN that AWS puts into the statement; ARNs stay, and so does what may
/// be one.
fn function_arn(val: &Val) -> Val {
    if matches!(val.data(), Data::OneOf(_)) {
        let each = val.alternatives().into_iter();
        let arns = each.map(|(guard, name)| (guard, function_arn(&name)));
        return Val::one_of(
            arns.collect(),
            "one of several functions",
            val.src().clone(),
        );
    }
    let Some(name) = val.to_text() else {
        return val.clone();
    };
    let open_start = matches!(name.pieces().first(), Some(Piece::Hole(_) | Piece::Json(_)));
    if name.is_empty() || open_start || name.starts_with("arn:") != Answer::No {
        return val.clone();
    }
    let hole = |sym| Text::hole(sym, Src::none());
    let text = Text::known("arn:")
        .concat(&hole(Sym::Partition))
        .concat(&Text::known(":lambda:"))
        .concat(&hole(Sym::Region))
        .concat(&Text::known(":"))
        .concat(&hole(Sym::Account))
        .concat(&Text::known(":function:"))
        .concat(&name);
    Val::text(text, val.src().clone()).marked(val.marks())
}

/// One entry per operator, its keys together.
fn merged(conditions: Vec<(&str, Val)>, src: &Src) -> Val {
    let mut operators: Vec<(&str, Vec<overgrant_value::Entry>)> = Vec::new();
    for (operator, val) in conditions {
        let entries = val.as_map().map(|map| map.entries.clone());
        match operators.iter_mut().find(|(known, _)| *known == operator) {
            Some((_, known)) => known.extend(entries.unwrap_or_default()),
            None => operators.push((operator, entries.unwrap_or_default())),
        }
    }
    let operators = operators
        .into_iter()
        .map(|(operator, entries)| {
            let map = overgrant_value::Map::object(entries);
            (operator, Val::new(Data::Map(map), src.clone()))
        })
        .collect();
    Val::object(operators, src.clone())
}

/// A permission names its principal by text alone: `*`, a service, an account or an ARN.
fn principal_of(val: &Val) -> Val {
    let src = val.src().clone();
    let alternatives = val.alternatives();
    if alternatives.len() > 1 {
        let made = alternatives
            .into_iter()
            .map(|(guard, val)| (guard, principal_of(&val)))
            .collect();
        return Val::one_of(made, "the principal of a permission", src);
    }
    let Some(text) = val.to_text() else {
        return val.clone();
    };
    if text.is("*") || val.is_unknown() {
        return val.clone();
    }
    let kind = if is_service(&text) { "Service" } else { "AWS" };
    Val::object(vec![(kind, val.clone())], src)
}

fn is_service(text: &Text) -> bool {
    let end = |suffix: &str| text.ends_with(suffix) == Answer::Must;
    end(".amazonaws.com")
        || end(".amazonaws.com.cn")
        || end(".amazon.com")
        || text
            .as_known()
            .is_some_and(|known| known.contains('.') && !known.starts_with("arn:"))
        || text.holes().last().is_some_and(|hole| {
            hole.sym == overgrant_value::Sym::UrlSuffix && text.trailing().is_empty()
        })
}
