//! `AWS::Serverless-2016-10-31`: the resources that SAM makes of its own types.
//!
//! Not for code, layers and deployment: what carries no access is passed on as it is. Invariant: a
//! generated resource has the logical id that SAM gives it, and its parts point at the entry of the
//! template that asked for them.
//! <https://docs.aws.amazon.com/serverless-application-model/latest/developerguide/sam-specification.html>

mod api;
mod connector;
mod events;
mod function;
mod graphql;
mod policies;
mod refused;
mod routes;
mod state_machine;
mod tables;

use crate::syntax::{Entry, Kind, Node, make};
use overgrant_source::{Diagnostic, Level, SourceFile, Span};
use smol_str::SmolStr;
use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;

const TRANSFORM: &str = "AWS::Serverless-2016-10-31";

/// What the transform made of the resources.
pub(super) struct Made {
    pub(super) resources: Arc<Node>,
    pub(super) origins: BTreeMap<SmolStr, SmolStr>,
}

/// Whether the template asks for SAM.
pub(super) fn applies(root: &Node) -> bool {
    root.get("Transform").is_some_and(|transform| {
        transform.text() == Some(TRANSFORM)
            || transform
                .items()
                .iter()
                .any(|item| item.text() == Some(TRANSFORM))
    })
}

/// The resources with SAM's types replaced.
pub(super) fn expand(
    file: &SourceFile,
    root: &Arc<Node>,
    diagnostics: &mut Vec<Diagnostic>,
) -> Made {
    let none = make::map([], root.span);
    let resources = root.get("Resources").unwrap_or(&none);
    let mut builder = Builder {
        file,
        globals: root.get("Globals").cloned(),
        resources: Arc::clone(resources),
        taken: resources
            .entries()
            .iter()
            .map(|entry| entry.key.clone())
            .collect(),
        diagnostics,
        entries: Vec::new(),
        origins: BTreeMap::new(),
        current: Current {
            id: SmolStr::default(),
            span: root.span,
            condition: None,
        },
    };
    builder.refuse_globals();
    for entry in resources.entries() {
        builder.resource(entry);
    }
    Made {
        resources: make::map_of(builder.entries, resources.span),
        origins: builder.origins,
    }
}

/// The entry that is being expanded.
struct Current {
    id: SmolStr,
    /// Its logical id.
    span: Span,
    condition: Option<Arc<Node>>,
}

struct Builder<'a> {
    file: &'a SourceFile,
    globals: Option<Arc<Node>>,
    /// The resources as written.
    resources: Arc<Node>,
    /// Logical ids that are taken.
    taken: HashSet<SmolStr>,
    diagnostics: &'a mut Vec<Diagnostic>,
    entries: Vec<Entry>,
    origins: BTreeMap<SmolStr, SmolStr>,
    current: Current,
}

impl Builder<'_> {
    fn resource(&mut self, entry: &Entry) {
        self.current = Current {
            id: entry.key.clone(),
            span: entry.key_span,
            condition: entry.value.get("Condition").cloned(),
        };
        let kind = entry
            .value
            .get("Type")
            .and_then(|node| node.text())
            .unwrap_or_default()
            .to_owned();
        let none = make::map([], entry.key_span);
        let own = entry.value.get("Properties").unwrap_or(&none);
        let section = kind.strip_prefix("AWS::Serverless::").unwrap_or_default();
        let global = self
            .globals
            .as_ref()
            .and_then(|globals| globals.get(section));
        let properties = match global {
            Some(global) => merged(global, own),
            None => Arc::clone(own),
        };
        match section {
            "Function" => self.function(entry, &properties),
            "StateMachine" => self.state_machine(entry, &properties),
            "Api" => self.api(entry, &properties),
            "HttpApi" => self.http_api(entry, properties),
            "CapacityProvider" => self.capacity_provider(entry, &properties),
            "SimpleTable" => self.replace(entry, "AWS::DynamoDB::Table", properties),
            "LayerVersion" => self.replace(entry, "AWS::Lambda::LayerVersion", properties),
            "Application" => self.application(entry, &properties),
            "Connector" => self.connector(entry, &properties),
            "GraphQLApi" => self.graphql(entry, &properties),
            _ => self.entries.push(entry.clone()),
        }
        if section.is_empty() || section == "Connector" {
            return;
        }
        let connectors = entry.value.get("Connectors").cloned();
        for connector in connectors.iter().flat_map(|node| node.entries()) {
            self.embedded_connector(connector);
        }
    }

    /// Passes the current entry on as another type.
    fn replace(&mut self, entry: &Entry, kind: &str, properties: Arc<Node>) {
        let span = entry.value.span;
        let mut entries = Vec::new();
        for part in entry.value.entries() {
            if part.key != "Type" && part.key != "Properties" {
                entries.push(part.clone());
            }
        }
        let type_span = entry.value.get("Type").map_or(span, |node| node.span);
        entries.push(make::entry("Type", make::text(kind, type_span), type_span));
        entries.push(make::entry("Properties", properties, span));
        self.entries.push(Entry {
            value: make::map_of(entries, span),
            ..entry.clone()
        });
    }

    /// Adds a generated resource, unless the template has one of that name.
    fn generate<'n>(
        &mut self,
        id: &str,
        kind: &str,
        properties: impl IntoIterator<Item = (&'n str, Arc<Node>)>,
        span: Span,
    ) {
        if !self.taken.insert(id.into()) {
            return;
        }
        let mut parts = vec![("Type", make::text(kind, span))];
        if let Some(condition) = &self.current.condition {
            parts.push(("Condition", Arc::clone(condition)));
        }
        parts.push(("Properties", make::map(properties, span)));
        self.entries.push(Entry {
            key: id.into(),
            key_span: self.current.span,
            value: make::map(parts, span),
            merged: false,
        });
        self.origins.insert(id.into(), self.current.id.clone());
    }

    /// A role that a service assumes.
    fn service_role<'n>(
        &mut self,
        id: &str,
        service: &str,
        more: impl IntoIterator<Item = (&'n str, Arc<Node>)>,
        span: Span,
    ) {
        let mut properties = vec![("AssumeRolePolicyDocument", trust(service, span))];
        properties.extend(more);
        self.generate(id, "AWS::IAM::Role", properties, span);
    }

    /// Instances that run functions, which an operator role of Lambda manages.
    fn capacity_provider(&mut self, entry: &Entry, properties: &Arc<Node>) {
        let span = entry.key_span;
        let given = properties
            .get("OperatorRole")
            .filter(|node| !node.is_null());
        let role = match given {
            Some(role) => Arc::clone(role),
            None => {
                let id = format!("{}OperatorRole", entry.key);
                let policy = policies::aws_managed("AWSLambdaManagedEC2ResourceOperator", span);
                let managed = make::seq(vec![policy], span);
                let parts = [("ManagedPolicyArns", managed)];
                self.service_role(&id, "lambda.amazonaws.com", parts, span);
                make::attribute(&id, "Arn", span)
            }
        };
        let config = make::map([("CapacityProviderOperatorRoleArn", role)], span);
        let mut parts = properties.entries().to_vec();
        parts.push(make::entry("PermissionsConfig", config, span));
        let made = make::map_of(parts, properties.span);
        self.replace(entry, "AWS::Lambda::CapacityProvider", made);
    }

    fn application(&mut self, entry: &Entry, properties: &Arc<Node>) {
        let mut parts = Vec::new();
        for part in properties.entries() {
            match part.key.as_str() {
                "Location" if part.value.scalar().is_some() => parts.push(Entry {
                    key: "TemplateURL".into(),
                    ..part.clone()
                }),
                "Location" => {}
                _ => parts.push(part.clone()),
            }
        }
        let properties = make::map_of(parts, properties.span);
        self.replace(entry, "AWS::CloudFormation::Stack", properties);
    }

    fn tell(&mut self, code: &'static str, at: Span, message: String) {
        self.diagnostics
            .push(Diagnostic::new(Level::Warning, code, message).at(self.file, at));
    }
}

/// A trust policy for one service, as SAM writes it.
fn trust(service: &str, span: Span) -> Arc<Node> {
    let statement = make::map(
        [
            ("Action", make::texts(["sts:AssumeRole"], span)),
            ("Effect", make::text("Allow", span)),
            (
                "Principal",
                make::map([("Service", make::texts([service], span))], span),
            ),
        ],
        span,
    );
    document(vec![statement], true, span)
}

/// A policy document; `versioned` ones say 2012-10-17, SAM's policy templates say nothing.
fn document(statements: Vec<Arc<Node>>, versioned: bool, span: Span) -> Arc<Node> {
    let mut parts = Vec::new();
    if versioned {
        parts.push(("Version", make::text("2012-10-17", span)));
    }
    parts.push(("Statement", make::seq(statements, span)));
    make::map(parts, span)
}

/// One allowing statement.
fn allow(actions: &[&str], resource: Arc<Node>, span: Span) -> Arc<Node> {
    let action = match actions {
        [only] => make::text(only, span),
        several => make::texts(several.iter().copied(), span),
    };
    make::map(
        [
            ("Effect", make::text("Allow", span)),
            ("Action", action),
            ("Resource", resource),
        ],
        span,
    )
}

/// An inline policy as an item of a role's `Policies`.
fn inline(name: &str, document: Arc<Node>, span: Span) -> Arc<Node> {
    make::map(
        [
            ("PolicyName", make::text(name, span)),
            ("PolicyDocument", document),
        ],
        span,
    )
}

/// Globals under a resource's own properties: mappings merge, lists are appended, the rest is
/// overridden.
fn merged(global: &Arc<Node>, own: &Arc<Node>) -> Arc<Node> {
    let plain = |node: &Node| {
        node.tag.is_none()
            && !node
                .entries()
                .iter()
                .any(|entry| entry.key == "Ref" || entry.key.starts_with("Fn::"))
    };
    if !plain(global) || !plain(own) {
        return Arc::clone(own);
    }
    match (&global.kind, &own.kind) {
        (Kind::Map(left), Kind::Map(right)) => {
            let mut entries: Vec<Entry> = left
                .iter()
                .filter(|entry| own.get(&entry.key).is_none())
                .cloned()
                .collect();
            entries.extend(right.iter().map(|entry| match global.get(&entry.key) {
                Some(value) => Entry {
                    value: merged(value, &entry.value),
                    ..entry.clone()
                },
                None => entry.clone(),
            }));
            make::map_of(entries, own.span)
        }
        (Kind::Seq(left), Kind::Seq(right)) => {
            make::seq(left.iter().chain(right).cloned().collect(), own.span)
        }
        _ => Arc::clone(own),
    }
}

/// Whether a property is set to something else than null.
fn is_set(properties: &Node, name: &str) -> bool {
    properties.get(name).is_some_and(|node| !node.is_null())
}

/// Whether a property is the word, in any letter case: `True` is one of YAML's spellings.
fn is_word(properties: &Node, name: &str, word: &str) -> bool {
    properties
        .get(name)
        .and_then(|node| node.text())
        .is_some_and(|text| text.eq_ignore_ascii_case(word))
}

#[cfg(test)]
mod tests {
    use crate::testing::one;
    use overgrant_ir::Resource;
    use overgrant_value::json;

    fn expand(body: &str) -> Vec<Resource> {
        one(&format!("Transform: AWS::Serverless-2016-10-31\n{body}")).resources
    }

    fn get<'a>(resources: &'a [Resource], id: &str) -> &'a Resource {
        resources
            .iter()
            .find(|r| r.address == id)
            .unwrap_or_else(|| {
                panic!(
                    "{id} of {:?}",
                    resources.iter().map(|r| &r.address).collect::<Vec<_>>()
                )
            })
    }

    fn text(resource: &Resource, name: &str) -> String {
        resource
            .get(name)
            .map_or_else(String::new, |val| json::to_string(&val))
    }

    const LAMBDA: &str =
        "arn:${the partition}:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole";

    #[test]
    fn a_function_gets_its_role() {
        let all = expand(
            "Resources: {Fn: {Type: AWS::Serverless::Function, Properties: {Handler: a.b}}}",
        );
        let role = get(&all, "FnRole");
        assert_eq!(role.origin.as_deref(), Some("Fn"));
        assert_eq!(text(role, "ManagedPolicyArns"), format!("[\"{LAMBDA}\"]"));
        assert_eq!(
            text(role, "AssumeRolePolicyDocument"),
            r#"{"Version":"2012-10-17","Statement":[{"Action":["sts:AssumeRole"],"Effect":"Allow","Principal":{"Service":["lambda.amazonaws.com"]}}]}"#
        );
        let function = get(&all, "Fn");
        assert_eq!(function.kind, "AWS::Lambda::Function");
        assert_eq!(
            text(function, "Role"),
            r#""arn:${the partition}:iam::${the account id}:role/${FnRole.name}""#
        );
    }

    #[test]
    fn a_given_role_voids_policies() {
        let all = expand(
            "Resources: {Fn: {Type: AWS::Serverless::Function, Properties: {Role: 'arn:x', Policies: [AmazonS3FullAccess]}}}",
        );
        assert_eq!(all.len(), 1);
        assert_eq!(text(get(&all, "Fn"), "Role"), r#""arn:x""#);
    }

    #[test]
    fn policies_are_sorted_by_what_they_are() {
        let all = expand(
            "Resources:
  Fn:
    Type: AWS::Serverless::Function
    Properties:
      Policies:
        - AWSLambdaExecute
        - NoSuchName
        - {Statement: [{Effect: Allow, Action: 's3:*', Resource: '*'}]}
        - S3ReadPolicy: {BucketName: b}
",
        );
        let role = get(&all, "FnRole");
        assert_eq!(
            text(role, "ManagedPolicyArns"),
            format!(
                "[\"{LAMBDA}\",\"arn:${{the partition}}:iam::aws:policy/AWSLambdaExecute\",\"NoSuchName\"]"
            )
        );
        let policies = text(role, "Policies");
        assert!(
            policies.contains(r#""PolicyName":"FnRolePolicy2""#),
            "{policies}"
        );
        assert!(policies.contains(r#""PolicyName":"FnRolePolicy3""#));
        assert!(policies.contains("arn:${the partition}:s3:::b/*"));
        assert!(
            !policies.contains(r#""Version""#),
            "SAM's templates have no version"
        );
    }

    #[test]
    fn an_if_keeps_its_branches() {
        let all = expand(
            "Parameters: {Env: {Type: String, AllowedValues: [dev, prod]}}
Conditions: {IsProd: !Equals [!Ref Env, prod]}
Resources:
  Fn:
    Type: AWS::Serverless::Function
    Properties:
      Policies:
        - !If [IsProd, AmazonS3FullAccess, !Ref 'AWS::NoValue']
        - !If [IsProd, {S3CrudPolicy: {BucketName: p}}, {S3ReadPolicy: {BucketName: d}}]
",
        );
        let role = get(&all, "FnRole");
        let managed = role.get("ManagedPolicyArns").unwrap();
        assert_eq!(managed.as_items().unwrap()[1].alternatives().len(), 2);
        let inline = role.get("Policies").unwrap();
        let alternatives = inline.as_items().unwrap()[0].alternatives();
        assert_eq!(alternatives[0].0.to_string(), "parameter Env = prod");
        assert!(json::to_string(&alternatives[0].1).contains("s3:DeleteObject"));
        assert!(!json::to_string(&alternatives[1].1).contains("s3:DeleteObject"));
    }

    #[test]
    fn globals_merge() {
        let all = expand(
            "Globals: {Function: {Tracing: Active, RolePath: /svc/, VpcConfig: {SubnetIds: [s]}, PermissionsBoundary: 'arn:pb', Environment: {Variables: {A: '1', B: g}}}}
Resources: {Fn: {Type: AWS::Serverless::Function, Properties: {Environment: {Variables: {B: l}}}}}",
        );
        let role = get(&all, "FnRole");
        assert_eq!(text(role, "Path"), r#""/svc/""#);
        assert_eq!(text(role, "PermissionsBoundary"), r#""arn:pb""#);
        assert_eq!(
            role.get("ManagedPolicyArns")
                .unwrap()
                .as_items()
                .unwrap()
                .len(),
            3
        );
        assert_eq!(
            text(get(&all, "Fn"), "Environment"),
            r#"{"Variables":{"A":"1","B":"l"}}"#
        );
    }

    #[test]
    fn an_open_url_has_two_public_permissions() {
        let all = expand(
            "Resources: {Fn: {Type: AWS::Serverless::Function, Properties: {FunctionUrlConfig: {AuthType: NONE}}}}",
        );
        for (id, action) in [
            ("FnUrlPublicPermissions", "lambda:InvokeFunctionUrl"),
            ("FnURLInvokeAllowPublicAccess", "lambda:InvokeFunction"),
        ] {
            let permission = get(&all, id);
            assert_eq!(text(permission, "Principal"), r#""*""#);
            assert_eq!(text(permission, "Action"), format!("\"{action}\""));
        }
        let all = expand(
            "Resources: {Fn: {Type: AWS::Serverless::Function, Properties: {FunctionUrlConfig: {AuthType: AWS_IAM}}}}",
        );
        assert_eq!(all.len(), 3);
    }

    #[test]
    fn events_make_permissions_and_roles() {
        let all = expand(
            "Resources:
  Fn:
    Type: AWS::Serverless::Function
    Properties:
      Events:
        Q: {Type: SQS, Properties: {Queue: 'arn:q'}}
        S: {Type: S3, Properties: {Bucket: !Ref B}}
        A: {Type: Api, Properties: {Path: '/x/{id}', Method: get}}
        V: {Type: ScheduleV2, Properties: {ScheduleExpression: rate(1 hour)}}
  B: {Type: AWS::S3::Bucket}
",
        );
        assert!(
            text(get(&all, "FnRole"), "ManagedPolicyArns")
                .contains("AWSLambdaSQSQueueExecutionRole")
        );
        assert_eq!(
            text(get(&all, "FnSPermission"), "SourceAccount"),
            r#""${the account id}""#
        );
        assert_eq!(text(get(&all, "FnSPermission"), "SourceArn"), "");
        assert!(text(get(&all, "FnAPermissionProd"), "SourceArn").ends_with(r#"/*/GET/x/*""#));
        assert_eq!(
            get(&all, "ServerlessRestApi").kind,
            "AWS::ApiGateway::RestApi"
        );
        assert!(
            text(get(&all, "FnVRole"), "AssumeRolePolicyDocument")
                .contains("scheduler.amazonaws.com")
        );
    }

    #[test]
    fn state_machines_apis_and_connectors() {
        let all = expand(
            "Resources:
  SM:
    Type: AWS::Serverless::StateMachine
    Properties: {Policies: [{LambdaInvokePolicy: {FunctionName: '*'}}], Events: {S: {Type: Schedule}}}
  Api:
    Type: AWS::Serverless::Api
    Properties: {StageName: p, Auth: {ResourcePolicy: {CustomStatements: [{Effect: Allow, Principal: '*', Action: x, Resource: y}], IpRangeWhitelist: [10.0.0.0/8]}}}
  Fn: {Type: AWS::Serverless::Function}
  T: {Type: AWS::Serverless::SimpleTable}
  Con: {Type: AWS::Serverless::Connector, Properties: {Source: {Id: Fn}, Destination: {Id: T}, Permissions: [Write]}}
",
        );
        assert!(text(get(&all, "SMRole"), "Policies").contains("function:*"));
        assert!(text(get(&all, "SMSRole"), "Policies").contains("states:StartExecution"));
        let policy = text(get(&all, "Api"), "Policy");
        assert!(
            policy.contains(r#""Deny""#) && policy.contains("NotIpAddress"),
            "{policy}"
        );
        let connector = get(&all, "ConPolicy");
        assert_eq!(text(connector, "Roles"), r#"["${FnRole.name}"]"#);
        assert!(text(connector, "PolicyDocument").contains("dynamodb:PutItem"));
        assert!(!text(connector, "PolicyDocument").contains("dynamodb:GetItem"));
    }

    #[test]
    fn a_graphql_api_gets_roles_for_its_data_sources() {
        let all = expand(
            "Resources:
  G: {Type: AWS::Serverless::GraphQLApi, Properties: {DataSources: {DynamoDb: {T: {TableArn: 'arn:t', Permissions: [Read]}}, Lambda: {F: {FunctionArn: 'arn:f', ServiceRoleArn: 'arn:r'}}}}}
",
        );
        assert!(
            text(get(&all, "GCloudWatchRole"), "ManagedPolicyArns")
                .contains("AWSAppSyncPushToCloudWatchLogs")
        );
        let policy = get(&all, "GTDynamoDBDataSourceToTableConnectorPolicy");
        assert!(text(policy, "PolicyDocument").contains(r#"["arn:t","arn:t/index/*"]"#));
        assert!(!text(policy, "PolicyDocument").contains("dynamodb:PutItem"));
        assert_eq!(
            text(policy, "Roles"),
            r#"["${GTDynamoDBDataSourceRole.name}"]"#
        );
        assert_eq!(
            text(get(&all, "GFLambdaDataSource"), "ServiceRoleArn"),
            r#""arn:r""#
        );
    }

    #[test]
    fn a_published_alias_is_what_events_invoke() {
        let all = expand(
            "Resources:
  Fn:
    Type: AWS::Serverless::Function
    Properties: {AutoPublishAlias: live, FunctionUrlConfig: {AuthType: NONE}, Events: {S: {Type: SNS, Properties: {Topic: 'arn:t'}}}}
  P: {Type: AWS::Lambda::Permission, Properties: {FunctionName: !Ref Fn.Alias}}
",
        );
        for id in ["FnSPermission", "FnUrlPublicPermissions", "P"] {
            let name = text(get(&all, id), "FunctionName");
            assert_eq!(name, r#""${FnAliaslive.Ref}""#, "{id}");
        }
    }

    #[test]
    fn statements_of_lists_are_about_the_routes() {
        let all = expand(
            "Globals: {Api: {Auth: {ResourcePolicy: {AwsAccountWhitelist: ['111111111111']}}}}
Resources:
  Fn:
    Type: AWS::Serverless::Function
    Properties:
      Events:
        A: {Type: Api, Properties: {Path: '/x/{id}', Method: get}}
        B: {Type: Api, Properties: {Path: /y, Method: any, Auth: {ResourcePolicy: {IpRangeBlacklist: [10.0.0.0/8]}}}}
",
        );
        let policy = text(get(&all, "ServerlessRestApi"), "Policy");
        assert!(
            policy.contains(r#"["execute-api:/Prod/GET/x/*"]"#),
            "{policy}"
        );
        assert_eq!(policy.matches(r#"["execute-api:/Prod/*/y"]"#).count(), 3);
        assert_eq!(policy.matches("IpAddress").count(), 1);
    }

    #[test]
    fn a_managed_policy_counts_once() {
        let all = expand(
            "Resources: {Fn: {Type: AWS::Serverless::Function, Properties: {Policies: [AWSLambdaBasicExecutionRole, 'arn:aws:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole']}}}",
        );
        let managed = text(get(&all, "FnRole"), "ManagedPolicyArns");
        assert_eq!(managed, format!("[\"{LAMBDA}\"]"));
    }

    #[test]
    fn what_is_no_global_is_told() {
        for globals in [
            "Function: {Policies: [AdministratorAccess]}",
            "Api: {StageName: prod}",
        ] {
            let found = one(&format!(
                "Transform: AWS::Serverless-2016-10-31\nGlobals: {{{globals}}}\nResources: {{Fn: {{Type: AWS::Serverless::Function}}}}"
            ));
            assert_eq!(found.diagnostics[0].code, "sam-globals", "{globals}");
        }
    }

    #[test]
    fn the_permission_of_an_api_is_named_after_its_stage() {
        for (stage, reference, id, api) in [
            (
                "StageName: prod",
                "!Ref A",
                "FnGetPermissionprod",
                "${A.name}",
            ),
            (
                "StageName: !Sub 'a${AWS::Region}'",
                "{Ref: A}",
                "FnGetPermissionStage",
                "${A.name}",
            ),
            ("Name: x", "!Ref A", "FnGetPermissionStage", "${A.name}"),
            (
                "StageName: v1-beta",
                "!Ref A",
                "FnGetPermission2817521297",
                "${A.name}",
            ),
            ("StageName: prod", "A", "FnGetPermissionprod", "A"),
        ] {
            let all = expand(&format!(
                "Resources:
  A: {{Type: AWS::Serverless::Api, Properties: {{{stage}}}}}
  Fn: {{Type: AWS::Serverless::Function, Properties: {{Events: {{Get: {{Type: Api, Properties: {{Path: /a, Method: get, RestApiId: {reference}}}}}}}}}}}"
            ));
            let source = text(get(&all, id), "SourceArn");
            assert!(
                source.contains(&format!(":{api}/*/GET/a")),
                "{stage} {source}"
            );
        }
    }

    #[test]
    fn a_generated_statement_points_at_its_entry() {
        let yaml = "Transform: AWS::Serverless-2016-10-31
Resources:
  Fn:
    Type: AWS::Serverless::Function
    Properties:
      Policies:
        - S3ReadPolicy:
            BucketName: b
";
        let all = one(yaml).resources;
        let policies = get(&all, "FnRole").get("Policies").unwrap();
        let document = policies.as_items().unwrap()[0]
            .get("PolicyDocument")
            .unwrap();
        let statement = document.get("Statement").unwrap().as_items().unwrap()[0].clone();
        let span = statement.get("Action").unwrap().as_items().unwrap()[0]
            .span()
            .unwrap();
        let source = yaml.get(span.range()).unwrap();
        assert!(
            source.starts_with("S3ReadPolicy:") && source.ends_with("BucketName: b"),
            "{source}"
        );
        let role = get(&all, "FnRole");
        assert_eq!(yaml.get(role.name_src.span.unwrap().range()), Some("Fn"));
    }

    #[test]
    fn an_unreadable_policy_entry_is_told() {
        let found = one(
            "Transform: AWS::Serverless-2016-10-31\nResources: {Fn: {Type: AWS::Serverless::Function, Properties: {Policies: [{NoSuchPolicy: {}}]}}}",
        );
        assert_eq!(found.diagnostics[0].code, "sam-policy");
    }
}
