//! `AWS::Serverless::GraphQLApi`: the roles of its logging and its data sources.
//!
//! Not for schemas and resolvers. Invariant: a given role is never replaced.
//! <https://docs.aws.amazon.com/serverless-application-model/latest/developerguide/sam-resource-graphqlapi.html>

use super::Builder;
use super::connector::End;
use super::policies::aws_managed;
use super::tables::{Statement, profile};
use crate::syntax::{Entry, Node, make};
use std::sync::Arc;

/// The service that assumes all of them.
const SERVICE: &str = "appsync.amazonaws.com";

impl Builder<'_> {
    pub(super) fn graphql(&mut self, entry: &Entry, properties: &Arc<Node>) {
        let id = entry.key.clone();
        let logging = properties.get("Logging");
        let off = logging.and_then(|node| node.text()) == Some("false");
        let mut parts = properties.entries().to_vec();
        if !off {
            let span = logging.map_or(entry.key_span, |node| node.span);
            let name = format!("{id}CloudWatchRole");
            let given = logging
                .and_then(|logging| logging.get("CloudWatchLogsRoleArn"))
                .filter(|node| !node.is_null());
            let role = given.map_or_else(|| make::attribute(&name, "Arn", span), Arc::clone);
            if given.is_none() {
                let policy = aws_managed("service-role/AWSAppSyncPushToCloudWatchLogs", span);
                let managed = make::seq(vec![policy], span);
                self.service_role(&name, SERVICE, [("ManagedPolicyArns", managed)], span);
            }
            let config = make::map([("CloudWatchLogsRoleArn", role)], span);
            parts.push(make::entry("LogConfig", config, span));
        }
        let made = make::map_of(parts, properties.span);
        self.replace(entry, "AWS::AppSync::GraphQLApi", made);
        let sources = properties.get("DataSources");
        for (section, kind, arn, suffix, to) in [
            (
                "DynamoDb",
                "AWS::DynamoDB::Table",
                "TableArn",
                "DynamoDBDataSource",
                "ToTableConnectorPolicy",
            ),
            (
                "Lambda",
                "AWS::Lambda::Function",
                "FunctionArn",
                "LambdaDataSource",
                "ToLambdaConnectorPolicy",
            ),
        ] {
            let all = sources.and_then(|sources| sources.get(section)).cloned();
            for source in all.iter().flat_map(|node| node.entries()) {
                let name = format!("{id}{}{suffix}", source.key);
                self.data_source(&name, source, kind, arn, to);
            }
        }
    }

    fn data_source(&mut self, name: &str, source: &Entry, kind: &str, arn: &str, to: &str) {
        let span = source.key_span.to(source.value.span);
        let given = source.value.get("ServiceRoleArn").filter(|n| !n.is_null());
        let role_arn = match given {
            Some(role) => Arc::clone(role),
            None => {
                let role = format!("{name}Role");
                self.service_role(&role, SERVICE, [], span);
                let target = source.value.get(arn).cloned();
                if let (Some(arn), Some(profile)) =
                    (target, profile("AWS::AppSync::DataSource", kind))
                {
                    let permissions: Option<Vec<&str>> = source
                        .value
                        .get("Permissions")
                        .map(|node| node.items().iter().filter_map(|item| item.text()).collect());
                    let wanted = |name: &str| {
                        permissions
                            .as_ref()
                            .is_none_or(|permissions| permissions.contains(&name))
                    };
                    let mut statements: Vec<&Statement> = Vec::new();
                    if wanted("Read") {
                        statements.extend(&profile.read);
                    }
                    if wanted("Write") {
                        statements.extend(&profile.write);
                    }
                    let from = End {
                        role: Some(make::reference(&role, span)),
                        ..End::default()
                    };
                    let destination = End {
                        arn: Some(arn),
                        ..End::default()
                    };
                    self.role_grant(
                        &format!("{name}{to}"),
                        &statements,
                        &from,
                        &from,
                        &destination,
                        span,
                    );
                }
                make::attribute(&role, "Arn", span)
            }
        };
        let parts = [("ServiceRoleArn", role_arn)];
        self.generate(name, "AWS::AppSync::DataSource", parts, span);
    }
}
