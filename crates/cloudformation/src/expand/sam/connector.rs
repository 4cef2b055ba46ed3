//! `AWS::Serverless::Connector` and `Connectors`: grants by pair of types.
//!
//! Invariant: a pair or an end that is not known grants nothing and is told.
//! <https://docs.aws.amazon.com/serverless-application-model/latest/developerguide/sam-resource-connector.html>

use super::policies::from_facts;
use super::tables::{Carrier, Statement, profile};
use super::{Builder, document};
use crate::syntax::{Entry, Kind, Node, make};
use overgrant_source::Span;
use std::sync::Arc;

/// One end of a connector.
#[derive(Default)]
pub(super) struct End {
    pub(super) kind: String,
    pub(super) arn: Option<Arc<Node>>,
    pub(super) name: Option<Arc<Node>>,
    /// The name of its role.
    pub(super) role: Option<Arc<Node>>,
    /// Its `Ref`, where the identity is a resource id.
    pub(super) resource: Option<Arc<Node>>,
}

impl Builder<'_> {
    pub(super) fn connector(&mut self, entry: &Entry, properties: &Arc<Node>) {
        let Some(source) = properties.get("Source").cloned() else {
            return;
        };
        self.connect(entry, &source, properties);
    }

    /// A connector inside its source.
    pub(super) fn embedded_connector(&mut self, entry: &Entry) {
        let Some(properties) = entry.value.get("Properties").cloned() else {
            return;
        };
        let id = self.current.id.clone();
        let source = make::map([("Id", make::text(&id, entry.key_span))], entry.key_span);
        let named = Entry {
            key: format!("{id}{}", entry.key).into(),
            ..entry.clone()
        };
        self.connect(&named, &source, &properties);
    }

    fn connect(&mut self, entry: &Entry, source: &Node, properties: &Node) {
        let span = entry.key_span.to(entry.value.span);
        let Some(destination) = properties.get("Destination") else {
            return;
        };
        let permissions: Vec<&str> = properties
            .get("Permissions")
            .map(|node| node.items().iter().filter_map(|item| item.text()).collect())
            .unwrap_or_default();
        let single = [Arc::clone(destination)];
        let several = match &destination.kind {
            Kind::Seq(items) => items.as_slice(),
            _ => &single,
        };
        for (index, destination) in several.iter().enumerate() {
            let id = if index == 0 {
                entry.key.to_string()
            } else {
                format!("{}Destination{index}", entry.key)
            };
            let (from, to) = (self.end(source, span), self.end(destination, span));
            let Some(profile) = profile(&from.kind, &to.kind) else {
                self.tell(
                    "sam-connector",
                    entry.key_span,
                    format!(
                        "a connector from `{}` to `{}` was left out; SAM has none for this pair, or an end is not known",
                        from.kind, to.kind
                    ),
                );
                continue;
            };
            let mut statements: Vec<&Statement> = Vec::new();
            if permissions.contains(&"Read") {
                statements.extend(&profile.read);
            }
            if permissions.contains(&"Write") {
                statements.extend(&profile.write);
            }
            self.grant(&id, profile.carrier, &statements, &from, &to, span);
        }
    }

    fn grant(
        &mut self,
        id: &str,
        carrier: Carrier,
        statements: &[&Statement],
        from: &End,
        to: &End,
        span: Span,
    ) {
        let fill = |text: &str| filled(text, from, to, span);
        match carrier {
            Carrier::SourceRole | Carrier::DestinationRole => {
                let holder = if carrier == Carrier::SourceRole {
                    from
                } else {
                    to
                };
                self.role_grant(&format!("{id}Policy"), statements, holder, from, to, span);
            }
            Carrier::Permission => {
                for statement in statements {
                    let mut parts = vec![
                        ("Action", make::text("lambda:InvokeFunction", span)),
                        (
                            "Principal",
                            make::text(statement.principal.unwrap_or_default(), span),
                        ),
                    ];
                    parts.extend(to.arn.clone().map(|arn| ("FunctionName", arn)));
                    parts.extend(statement.source.map(|source| ("SourceArn", fill(source))));
                    if from.kind == "AWS::S3::Bucket" {
                        parts.push(("SourceAccount", make::reference("AWS::AccountId", span)));
                    }
                    let id = format!("{id}WriteLambdaPermission");
                    self.generate(&id, "AWS::Lambda::Permission", parts, span);
                }
            }
            Carrier::Topic | Carrier::Queue => {
                let (kind, list, suffix) = if carrier == Carrier::Topic {
                    ("AWS::SNS::TopicPolicy", "Topics", "TopicPolicy")
                } else {
                    ("AWS::SQS::QueuePolicy", "Queues", "QueuePolicy")
                };
                let targets: Vec<Arc<Node>> = to.resource.iter().cloned().collect();
                let parts = [
                    ("PolicyDocument", granting(statements, from, to, span)),
                    (list, make::seq(targets, span)),
                ];
                self.generate(&format!("{id}{suffix}"), kind, parts, span);
            }
        }
    }

    /// A managed policy on the role of one end.
    pub(super) fn role_grant(
        &mut self,
        id: &str,
        statements: &[&Statement],
        holder: &End,
        from: &End,
        to: &End,
        span: Span,
    ) {
        let Some(role) = &holder.role else {
            self.tell(
                "sam-connector",
                span,
                "the role of a connector's end is not in this template; its grant was left out"
                    .to_owned(),
            );
            return;
        };
        let parts = [
            ("PolicyDocument", granting(statements, from, to, span)),
            ("Roles", make::seq(vec![Arc::clone(role)], span)),
        ];
        self.generate(id, "AWS::IAM::ManagedPolicy", parts, span);
    }

    /// An end by logical id, or by type and ARN.
    fn end(&self, node: &Node, span: Span) -> End {
        let id = node
            .get("Id")
            .and_then(|node| node.text())
            .map(str::to_owned);
        let own = |name: &str| node.get(name).cloned();
        let mut end = End {
            kind: node
                .get("Type")
                .and_then(|node| node.text())
                .unwrap_or_default()
                .to_owned(),
            arn: own("Arn"),
            name: own("Name"),
            role: own("RoleName"),
            resource: own("QueueUrl")
                .or_else(|| own("ResourceId"))
                .or_else(|| own("Arn")),
        };
        let Some(id) = id else {
            return end;
        };
        let resource = self.resources.get(&id);
        let kind = resource
            .and_then(|resource| resource.get("Type"))
            .and_then(|node| node.text())
            .unwrap_or_default();
        kind_of(kind).clone_into(&mut end.kind);
        let properties = resource.and_then(|resource| resource.get("Properties"));
        let given = ["Role", "RoleArn", "ServiceRoleArn"]
            .iter()
            .find_map(|name| properties?.get(name));
        end.role = end.role.or_else(|| match given {
            Some(role) => role_name(role, span),
            None if kind.starts_with("AWS::Serverless::") => {
                Some(make::reference(&format!("{id}Role"), span))
            }
            None => None,
        });
        let by_reference = matches!(
            end.kind.as_str(),
            "AWS::SNS::Topic" | "AWS::StepFunctions::StateMachine"
        );
        end.arn = Some(if by_reference {
            make::reference(&id, span)
        } else {
            make::attribute(&id, "Arn", span)
        });
        end.name = Some(make::attribute(&id, "Name", span));
        end.resource = Some(make::reference(&id, span));
        end
    }
}

/// The type that a SAM type becomes.
fn kind_of(kind: &str) -> &str {
    match kind {
        "AWS::Serverless::Function" => "AWS::Lambda::Function",
        "AWS::Serverless::StateMachine" => "AWS::StepFunctions::StateMachine",
        "AWS::Serverless::SimpleTable" => "AWS::DynamoDB::Table",
        "AWS::Serverless::Api" => "AWS::ApiGateway::RestApi",
        "AWS::Serverless::HttpApi" => "AWS::ApiGatewayV2::Api",
        "AWS::Serverless::GraphQLApi" => "AWS::AppSync::GraphQLApi",
        other => other,
    }
}

/// `!Ref X` for a role given as `!GetAtt X.Arn`.
fn role_name(role: &Node, span: Span) -> Option<Arc<Node>> {
    let argument = match (&role.tag, role.entries()) {
        (Some(tag), _) if tag.name == "GetAtt" => role,
        (None, [only]) if only.key == "Fn::GetAtt" => &only.value,
        _ => return None,
    };
    let id = match (argument.scalar(), argument.items()) {
        (Some(scalar), _) => scalar.text.strip_suffix(".Arn")?.to_owned(),
        (None, [id, _]) => id.text()?.to_owned(),
        _ => return None,
    };
    Some(make::reference(&id, span))
}

/// The document of a connector's statements.
fn granting(statements: &[&Statement], from: &End, to: &End, span: Span) -> Arc<Node> {
    let fill = |text: &str| filled(text, from, to, span);
    let statements = statements
        .iter()
        .map(|statement| from_facts(statement, &fill, span))
        .collect();
    document(statements, true, span)
}

/// A template of the data with the ends' identities in place.
fn filled(text: &str, from: &End, to: &End, span: Span) -> Arc<Node> {
    let known = [
        ("{Source.Arn}", "SourceArn", &from.arn),
        ("{Source.ResourceId}", "SourceResourceId", &from.resource),
        ("{Destination.Arn}", "DestinationArn", &to.arn),
        ("{Destination.Name}", "DestinationName", &to.name),
    ];
    let mut template = text.replace("{Source.Qualifier}", "*");
    let mut used = Vec::new();
    for (mark, name, node) in known {
        let Some(node) = node else { continue };
        if template == mark {
            return Arc::clone(node);
        }
        if template.contains(mark) {
            template = template.replace(mark, &format!("${{{name}}}"));
            used.push((name, Arc::clone(node)));
        }
    }
    if used.is_empty() {
        return make::sub(&template, span);
    }
    let list = make::seq(
        vec![make::text(&template, span), make::map(used, span)],
        span,
    );
    make::call("Sub", &list, span)
}
