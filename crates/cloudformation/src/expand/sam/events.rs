//! Events of functions: what the role may read, who may invoke, and the rules in between.
//!
//! Not for the APIs themselves. Invariant: an event whose source is not known grants nothing here;
//! it is passed over.
//! <https://docs.aws.amazon.com/serverless-application-model/latest/developerguide/sam-property-function-eventsource.html>

use super::policies::{RolePolicies, aws_managed};
use super::{Builder, allow, document, inline, is_set};
use crate::syntax::{Entry, Node, make};
use overgrant_source::Span;
use std::sync::Arc;

/// What a function needs for network interfaces in its event source's VPC.
const NETWORK: [&str; 6] = [
    "ec2:CreateNetworkInterface",
    "ec2:DescribeNetworkInterfaces",
    "ec2:DeleteNetworkInterface",
    "ec2:DescribeVpcs",
    "ec2:DescribeSubnets",
    "ec2:DescribeSecurityGroups",
];

/// The events in the order in which SAM works through them.
pub(super) fn events(properties: &Node) -> Vec<Entry> {
    let mut events: Vec<Entry> = properties
        .get("Events")
        .map(|node| node.entries().to_vec())
        .unwrap_or_default();
    events.sort_by(|a, b| a.key.cmp(&b.key));
    events
}

fn kind(event: &Entry) -> &str {
    event
        .value
        .get("Type")
        .and_then(|node| node.text())
        .unwrap_or_default()
}

impl Builder<'_> {
    /// The policies that events add to the function's role.
    pub(super) fn event_policies(
        &mut self,
        function: &str,
        properties: &Node,
        all: &mut RolePolicies,
    ) {
        let mut seen = Vec::new();
        for event in events(properties) {
            all.inline.extend(failure_policy(function, &event));
            let name = match kind(&event) {
                "Kinesis" => "service-role/AWSLambdaKinesisExecutionRole",
                "DynamoDB" => "service-role/AWSLambdaDynamoDBExecutionRole",
                "SQS" => "service-role/AWSLambdaSQSQueueExecutionRole",
                "SNS" if queue_of(&event).is_some() => {
                    "service-role/AWSLambdaSQSQueueExecutionRole"
                }
                "MSK" => "service-role/AWSLambdaMSKExecutionRole",
                "MQ" | "SelfManagedKafka" | "DocumentDB" => {
                    all.inline.extend(broker_policy(&event));
                    continue;
                }
                _ => continue,
            };
            if !seen.contains(&name) {
                seen.push(name);
                all.managed
                    .push(aws_managed(name, event.key_span.to(event.value.span)));
            }
        }
    }

    /// The permissions, rules and roles that events make.
    ///
    /// With a published alias, events reach the function through it.
    pub(super) fn event_resources(
        &mut self,
        function: &str,
        alias: Option<&str>,
        properties: &Node,
    ) {
        for event in events(properties) {
            let span = event.key_span.to(event.value.span);
            let none = make::map([], span);
            let own = Arc::clone(event.value.get("Properties").unwrap_or(&none));
            let id = format!("{function}{}", event.key);
            let target = match alias {
                Some(alias) => make::reference(alias, span),
                None => make::attribute(function, "Arn", span),
            };
            let invoked = alias.unwrap_or(function);
            match kind(&event) {
                "SQS" | "Kinesis" | "DynamoDB" | "MSK" | "MQ" | "DocumentDB" => {
                    let source = ["Queue", "Stream", "Broker", "Cluster"]
                        .iter()
                        .find_map(|name| own.get(name));
                    if let Some(source) = source {
                        let parts = [
                            ("FunctionName", make::reference(invoked, span)),
                            ("EventSourceArn", Arc::clone(source)),
                        ];
                        self.generate(&id, "AWS::Lambda::EventSourceMapping", parts, span);
                    }
                }
                "S3" => {
                    let account = make::reference("AWS::AccountId", span);
                    self.permission(
                        &id,
                        invoked,
                        "s3.amazonaws.com",
                        Some(("SourceAccount", account)),
                        span,
                    );
                }
                "SNS" if queue_of(&event).is_some() => self.queued_topic(&id, invoked, &event),
                "SNS" => {
                    let topic = own.get("Topic").map(|node| ("SourceArn", Arc::clone(node)));
                    self.permission(&id, invoked, "sns.amazonaws.com", topic, span);
                }
                "Schedule" | "EventBridgeRule" | "CloudWatchEvent" => {
                    self.rule(&id, target, None, span);
                    let source = ("SourceArn", make::attribute(&id, "Arn", span));
                    let service = "events.amazonaws.com";
                    self.permission(&id, invoked, service, Some(source), span);
                }
                "ScheduleV2" => {
                    self.schedule(&id, &own, target, "lambda:InvokeFunction", span);
                }
                "CloudWatchLogs" => {
                    let group = own.get("LogGroupName").map(|name| {
                        let list = make::seq(
                            vec![
                                make::text("arn:${AWS::Partition}:logs:${AWS::Region}:${AWS::AccountId}:log-group:${Group}:*", span),
                                make::map([("Group", Arc::clone(name))], span),
                            ],
                            span,
                        );
                        ("SourceArn", make::call("Sub", &list, span))
                    });
                    self.permission(&id, invoked, "logs.amazonaws.com", group, span);
                }
                "IoTRule" => {
                    self.generate(&id, "AWS::IoT::TopicRule", [], span);
                    let source = make::sub(
                        &format!(
                            "arn:${{AWS::Partition}}:iot:${{AWS::Region}}:${{AWS::AccountId}}:rule/${{{id}}}"
                        ),
                        span,
                    );
                    self.permission(
                        &id,
                        invoked,
                        "iot.amazonaws.com",
                        [
                            ("SourceArn", source),
                            ("SourceAccount", make::reference("AWS::AccountId", span)),
                        ],
                        span,
                    );
                }
                "AlexaSkill" => {
                    let token = own
                        .get("SkillId")
                        .map(|node| ("EventSourceToken", Arc::clone(node)));
                    self.permission(&id, invoked, "alexa-appkit.amazon.com", token, span);
                }
                "Cognito" => {
                    let pool = own
                        .get("UserPool")
                        .and_then(|pool| referenced(pool))
                        .map(|pool| ("SourceArn", make::attribute(&pool, "Arn", span)));
                    self.permission(&id, invoked, "cognito-idp.amazonaws.com", pool, span);
                }
                "Api" => self.api_event(&id, invoked, &own, "RestApiId", "ServerlessRestApi", span),
                "HttpApi" => self.api_event(&id, invoked, &own, "ApiId", "ServerlessHttpApi", span),
                _ => {}
            }
        }
    }

    /// A topic that reaches the function through a queue: the queue where none is given, what lets
    /// the topic send to it, and the mapping that reads it.
    fn queued_topic(&mut self, id: &str, invoked: &str, event: &Entry) {
        let span = event.key_span.to(event.value.span);
        let given = queue_of(event).filter(|queue| !queue.entries().is_empty());
        let own = |name: &str| given.as_ref().and_then(|queue| queue.get(name)).cloned();
        let name = format!("{id}Queue");
        let (arn, url) = match (own("QueueArn"), own("QueueUrl")) {
            (Some(arn), Some(url)) => (arn, url),
            _ => {
                self.generate(&name, "AWS::SQS::Queue", [], span);
                let arn = make::attribute(&name, "Arn", span);
                (arn, make::reference(&name, span))
            }
        };
        let mut parts = vec![
            ("Effect", make::text("Allow", span)),
            ("Action", make::text("sqs:SendMessage", span)),
            ("Resource", Arc::clone(&arn)),
            (
                "Principal",
                make::map([("Service", make::text("sns.amazonaws.com", span))], span),
            ),
        ];
        let topic = event
            .value
            .get("Properties")
            .and_then(|own| own.get("Topic"));
        if let Some(topic) = topic {
            let source = make::map([("aws:SourceArn", Arc::clone(topic))], span);
            parts.push(("Condition", make::map([("ArnEquals", source)], span)));
        }
        let statement = make::map(parts, span);
        let policy = own("QueuePolicyLogicalId")
            .and_then(|name| name.text().map(str::to_owned))
            .unwrap_or_else(|| format!("{id}QueuePolicy"));
        let parts = [
            ("PolicyDocument", document(vec![statement], true, span)),
            ("Queues", make::seq(vec![url], span)),
        ];
        self.generate(&policy, "AWS::SQS::QueuePolicy", parts, span);
        let parts = [
            ("FunctionName", make::reference(invoked, span)),
            ("EventSourceArn", arn),
        ];
        let mapping = format!("{id}EventSourceMapping");
        self.generate(&mapping, "AWS::Lambda::EventSourceMapping", parts, span);
    }

    /// A permission to invoke the function.
    pub(super) fn permission(
        &mut self,
        id: &str,
        function: &str,
        principal: &str,
        source: impl IntoIterator<Item = (&'static str, Arc<Node>)>,
        span: Span,
    ) {
        let mut parts = vec![
            ("Action", make::text("lambda:InvokeFunction", span)),
            ("FunctionName", make::reference(function, span)),
            ("Principal", make::text(principal, span)),
        ];
        parts.extend(source);
        self.generate(
            &format!("{id}Permission"),
            "AWS::Lambda::Permission",
            parts,
            span,
        );
    }

    /// An event rule with one target.
    pub(super) fn rule(
        &mut self,
        id: &str,
        target: Arc<Node>,
        role: Option<Arc<Node>>,
        span: Span,
    ) {
        let mut parts = vec![
            ("Id", make::text(&format!("{id}Target"), span)),
            ("Arn", target),
        ];
        parts.extend(role.map(|role| ("RoleArn", role)));
        let targets = make::seq(vec![make::map(parts, span)], span);
        self.generate(id, "AWS::Events::Rule", [("Targets", targets)], span);
    }

    /// A schedule with its role, unless one is given.
    pub(super) fn schedule(
        &mut self,
        id: &str,
        own: &Node,
        target: Arc<Node>,
        action: &str,
        span: Span,
    ) {
        let role = match own.get("RoleArn").filter(|node| !node.is_null()) {
            Some(role) => Arc::clone(role),
            None => {
                let name = if action.starts_with("states:") {
                    format!("{id}StartExecutionPolicy")
                } else {
                    format!("{id}LambdaPolicy")
                };
                let statement = allow(&[action], Arc::clone(&target), span);
                let policy = inline(&name, document(vec![statement], false, span), span);
                let mut parts = vec![("Policies", make::seq(vec![policy], span))];
                if let Some(boundary) = own.get("PermissionsBoundary") {
                    parts.push(("PermissionsBoundary", Arc::clone(boundary)));
                }
                let role = format!("{id}Role");
                self.service_role(&role, "scheduler.amazonaws.com", parts, span);
                make::attribute(&role, "Arn", span)
            }
        };
        let target = make::map([("Arn", target), ("RoleArn", role)], span);
        self.generate(id, "AWS::Scheduler::Schedule", [("Target", target)], span);
    }

    /// The API of events that name none.
    pub(super) fn implicit_api(&mut self, implicit: &str, span: Span) {
        let rest = implicit == "ServerlessRestApi";
        let kind = if rest {
            "AWS::ApiGateway::RestApi"
        } else {
            "AWS::ApiGatewayV2::Api"
        };
        let condition = self.current.condition.take();
        let auth = self
            .globals
            .as_ref()
            .and_then(|all| all.get("Api")?.get("Auth"));
        let mut own = vec![("StageName", make::text("Prod", span))];
        own.extend(auth.map(|auth| ("Auth", Arc::clone(auth))));
        let own = make::map(own, span);
        let policy = rest.then(|| self.api_policy(implicit, &own)).flatten();
        let parts = policy.map(|policy| ("Policy", policy));
        self.generate(implicit, kind, parts, span);
        self.current.condition = condition;
    }

    /// The permission for an API, and the implicit API where none is named.
    fn api_event(
        &mut self,
        id: &str,
        function: &str,
        own: &Node,
        key: &str,
        implicit: &str,
        span: Span,
    ) {
        let rest = implicit == "ServerlessRestApi";
        self.refuse_api(own, key, rest);
        let named = own.get(key).filter(|node| !node.is_null());
        let (api, suffix) = match named {
            Some(node) => {
                let name = referenced(node).or_else(|| node.text().map(str::to_owned));
                let stage = name.and_then(|name| {
                    let api = self.resources.get(&name)?.get("Properties")?;
                    Some(api.get("StageName")?.text()?.to_owned())
                });
                (
                    Arc::clone(node),
                    stage.unwrap_or_else(|| "Stage".to_owned()),
                )
            }
            None => {
                self.implicit_api(implicit, span);
                (make::reference(implicit, span), "Prod".to_owned())
            }
        };
        let method = match own.get("Method").and_then(|node| node.text()) {
            Some(method) if !method.eq_ignore_ascii_case("any") => method.to_ascii_uppercase(),
            _ => "*".to_owned(),
        };
        let path = own.get("Path").and_then(|node| node.text());
        // Path parameters stand for anything.
        let end = match path {
            Some(path) => {
                let parts: Vec<&str> = path
                    .trim_end_matches('/')
                    .split('/')
                    .map(|part| if part.starts_with('{') { "*" } else { part })
                    .collect();
                let path = parts.join("/");
                let path = if path.is_empty() {
                    "/".to_owned()
                } else {
                    path
                };
                if !rest && path == "/$default" && method == "*" {
                    "$default".to_owned()
                } else {
                    format!("{method}{path}")
                }
            }
            None => "*".to_owned(),
        };
        let list = make::seq(
            vec![
                make::text(
                    &format!(
                        "arn:${{AWS::Partition}}:execute-api:${{AWS::Region}}:${{AWS::AccountId}}:${{Api}}/*/{end}"
                    ),
                    span,
                ),
                make::map([("Api", api)], span),
            ],
            span,
        );
        let source = ("SourceArn", make::call("Sub", &list, span));
        let mut parts = vec![
            ("Action", make::text("lambda:InvokeFunction", span)),
            ("FunctionName", make::reference(function, span)),
            ("Principal", make::text("apigateway.amazonaws.com", span)),
        ];
        parts.push(source);
        let suffix = match suffix.as_str() {
            _ if !rest => String::new(),
            word if word.chars().all(char::is_alphanumeric) => suffix,
            // What a logical id may not hold is hashed, as the translator does.
            other => short_hash(other),
        };
        self.generate(
            &format!("{id}Permission{suffix}"),
            "AWS::Lambda::Permission",
            parts,
            span,
        );
    }
}

/// The first ten digits of the SHA-1.
fn short_hash(text: &str) -> String {
    use sha1::Digest as _;
    let bytes = sha1::Sha1::digest(text.as_bytes());
    let digits = bytes.iter().take(5).map(|byte| format!("{byte:02x}"));
    digits.collect()
}

/// The logical id that a `Ref` names.
pub(super) fn referenced(node: &Node) -> Option<String> {
    let scalar = match (&node.tag, node.entries()) {
        (Some(tag), _) if tag.name == "Ref" => node.scalar(),
        (None, [only]) if only.key == "Ref" => only.value.scalar(),
        _ => None,
    };
    scalar.map(|scalar| scalar.text.to_string())
}

/// What the role needs to tell of records that could not be worked through.
fn failure_policy(function: &str, event: &Entry) -> Option<Arc<Node>> {
    let failure = event
        .value
        .get("Properties")?
        .get("DestinationConfig")?
        .get("OnFailure")?;
    let kind = failure.get("Type")?.text()?;
    let target = Arc::clone(failure.get("Destination")?);
    let span = failure.span;
    let statements = match kind {
        "SQS" => vec![allow(&["sqs:SendMessage"], target, span)],
        "SNS" => vec![allow(&["sns:publish"], target, span)],
        "S3" => {
            let parts = make::seq(vec![Arc::clone(&target), make::text("*", span)], span);
            let objects = make::seq(vec![make::text("/", span), parts], span);
            vec![
                allow(&["s3:PutObject"], make::call("Join", &objects, span), span),
                allow(&["s3:ListBucket"], target, span),
            ]
        }
        _ => return None,
    };
    let name = format!("{function}{}{kind}Policy", event.key);
    Some(inline(&name, document(statements, false, span), span))
}

/// What `SqsSubscription` of a topic's event says, unless it says no.
fn queue_of(event: &Entry) -> Option<Arc<Node>> {
    let queue = event.value.get("Properties")?.get("SqsSubscription")?;
    let wanted = !queue.entries().is_empty() || queue.text() == Some("true");
    wanted.then(|| Arc::clone(queue))
}

/// The inline policy for a broker or cluster with credentials in Secrets Manager.
fn broker_policy(event: &Entry) -> Option<Arc<Node>> {
    let own = event.value.get("Properties")?;
    let span = event.key_span.to(event.value.span);
    let mut statements = Vec::new();
    let access = own.get("SourceAccessConfigurations");
    let mut network = false;
    for item in access.map(|node| node.items()).unwrap_or_default() {
        let kind = item.get("Type").and_then(|node| node.text());
        let kind = kind.unwrap_or_default();
        network |= kind.starts_with("VPC_");
        let secret =
            kind == "BASIC_AUTH" || kind.starts_with("SASL_") || kind.contains("CERTIFICATE");
        if let (true, Some(uri)) = (secret, item.get("URI")) {
            let action = ["secretsmanager:GetSecretValue"];
            statements.push(allow(&action, Arc::clone(uri), item.span));
        }
    }
    if let Some(key) = own.get("SecretsManagerKmsKeyId") {
        let list = make::seq(
            vec![
                make::text(
                    "arn:${AWS::Partition}:kms:${AWS::Region}:${AWS::AccountId}:key/${Key}",
                    span,
                ),
                make::map([("Key", Arc::clone(key))], span),
            ],
            span,
        );
        statements.push(allow(
            &["kms:Decrypt"],
            make::call("Sub", &list, span),
            span,
        ));
    }
    let name = match kind(event) {
        "MQ" => {
            if let Some(broker) = own.get("Broker") {
                statements.push(allow(&["mq:DescribeBroker"], Arc::clone(broker), span));
            }
            "SamAutoGeneratedAMQPolicy"
        }
        "DocumentDB" => {
            let arn = |what: &str| {
                make::sub(
                    &format!(
                        "arn:${{AWS::Partition}}:rds:${{AWS::Region}}:${{AWS::AccountId}}:{what}:*"
                    ),
                    span,
                )
            };
            statements.push(allow(
                &["rds:DescribeDBClusterParameters"],
                arn("cluster-pg"),
                span,
            ));
            statements.push(allow(&["rds:DescribeDBSubnetGroups"], arn("subgrp"), span));
            if let Some(cluster) = own.get("Cluster") {
                statements.push(allow(
                    &["rds:DescribeDBClusters"],
                    Arc::clone(cluster),
                    span,
                ));
            }
            network = true;
            "SamAutoGeneratedDocumentDBPolicy"
        }
        _ => "SelfManagedKafkaExecutionRolePolicy",
    };
    if network {
        statements.push(allow(&NETWORK, make::text("*", span), span));
    }
    (!statements.is_empty() && is_set(&event.value, "Properties"))
        .then(|| inline(name, document(statements, false, span), span))
}
