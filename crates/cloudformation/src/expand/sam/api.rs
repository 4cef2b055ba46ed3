//! `AWS::Serverless::Api`: the resource policy it is given and its authorizers' permissions.
//!
//! Not for routes. Invariant: a statement that SAM derives from a list points at that list.
//! <https://docs.aws.amazon.com/serverless-application-model/latest/developerguide/sam-property-api-resourcepolicystatement.html>

use super::{Builder, document};
use crate::syntax::{Entry, Kind, Node, make};
use overgrant_source::Span;
use std::sync::Arc;

impl Builder<'_> {
    pub(super) fn api(&mut self, entry: &Entry, properties: &Arc<Node>) {
        let auth = properties.get("Auth");
        let mut parts: Vec<Entry> = properties
            .entries()
            .iter()
            .filter(|part| part.key != "Auth")
            .map(|part| match part.key.as_str() {
                "DefinitionBody" => Entry {
                    key: "Body".into(),
                    ..part.clone()
                },
                _ => part.clone(),
            })
            .collect();
        if let Some(policy) = auth.and_then(|auth| auth.get("ResourcePolicy")) {
            let statements = statements(policy);
            if !statements.is_empty() && properties.get("Policy").is_none() {
                let document = document(statements, true, policy.span);
                parts.push(make::entry("Policy", document, policy.span));
            }
        }
        let made = make::map_of(parts, properties.span);
        self.replace(entry, "AWS::ApiGateway::RestApi", made);
        let authorizers = auth.and_then(|auth| auth.get("Authorizers"));
        for authorizer in authorizers.map(|node| node.entries()).unwrap_or_default() {
            let span = authorizer.key_span.to(authorizer.value.span);
            let Some(function) = authorizer.value.get("FunctionArn") else {
                continue;
            };
            if authorizer.value.get("FunctionInvokeRole").is_some() {
                continue;
            }
            let source = make::sub(
                &format!(
                    "arn:${{AWS::Partition}}:execute-api:${{AWS::Region}}:${{AWS::AccountId}}:${{{}}}/authorizers/*",
                    entry.key
                ),
                span,
            );
            self.generate(
                &format!("{}{}AuthorizerPermission", entry.key, authorizer.key),
                "AWS::Lambda::Permission",
                [
                    ("Action", make::text("lambda:InvokeFunction", span)),
                    ("FunctionName", Arc::clone(function)),
                    ("Principal", make::text("apigateway.amazonaws.com", span)),
                    ("SourceArn", source),
                ],
                span,
            );
        }
    }
}

/// The statements of `Auth.ResourcePolicy`.
fn statements(policy: &Node) -> Vec<Arc<Node>> {
    let mut all = Vec::new();
    for entry in policy.entries() {
        let span = entry.value.span;
        let value = &entry.value;
        match entry.key.as_str() {
            "AwsAccountWhitelist" => all.push(accounts("Allow", value, span)),
            "AwsAccountBlacklist" => all.push(accounts("Deny", value, span)),
            "IpRangeWhitelist" => {
                all.extend(limited("NotIpAddress", "aws:SourceIp", value, span));
            }
            "IpRangeBlacklist" => all.extend(limited("IpAddress", "aws:SourceIp", value, span)),
            "SourceVpcWhitelist" => all.extend(network("StringNotEquals", value, span)),
            "SourceVpcBlacklist" => all.extend(network("StringEquals", value, span)),
            "IntrinsicVpcWhitelist" => {
                all.extend(limited("StringNotEquals", "aws:SourceVpc", value, span));
            }
            "IntrinsicVpcBlacklist" => {
                all.extend(limited("StringEquals", "aws:SourceVpc", value, span));
            }
            "IntrinsicVpceWhitelist" => {
                all.extend(limited("StringNotEquals", "aws:SourceVpce", value, span));
            }
            "IntrinsicVpceBlacklist" => {
                all.extend(limited("StringEquals", "aws:SourceVpce", value, span));
            }
            "CustomStatements" => match &value.kind {
                Kind::Seq(items) if value.tag.is_none() => all.extend(items.iter().cloned()),
                _ => all.push(Arc::clone(value)),
            },
            _ => {}
        }
    }
    all
}

fn invoke(
    effect: &str,
    principal: Arc<Node>,
    condition: Option<Arc<Node>>,
    span: Span,
) -> Arc<Node> {
    let mut parts = vec![
        ("Effect", make::text(effect, span)),
        ("Principal", principal),
        ("Action", make::text("execute-api:Invoke", span)),
        ("Resource", make::text("execute-api:/*", span)),
    ];
    parts.extend(condition.map(|condition| ("Condition", condition)));
    make::map(parts, span)
}

fn accounts(effect: &str, list: &Arc<Node>, span: Span) -> Arc<Node> {
    invoke(
        effect,
        make::map([("AWS", Arc::clone(list))], span),
        None,
        span,
    )
}

/// Everybody is allowed, and everybody outside (or inside) of the list is denied.
fn limited(operator: &str, key: &str, list: &Arc<Node>, span: Span) -> [Arc<Node>; 2] {
    let everybody = || make::text("*", span);
    let condition = make::map(
        [(operator, make::map([(key, Arc::clone(list))], span))],
        span,
    );
    [
        invoke("Allow", everybody(), None, span),
        invoke("Deny", everybody(), Some(condition), span),
    ]
}

/// As [`limited`] for a list of VPCs and VPC endpoints told apart by their prefix.
fn network(operator: &str, list: &Arc<Node>, span: Span) -> Vec<Arc<Node>> {
    let of = |prefix: &str| {
        let items: Vec<Arc<Node>> = list
            .items()
            .iter()
            .filter(|item| item.text().is_some_and(|text| text.starts_with(prefix)))
            .cloned()
            .collect();
        (!items.is_empty()).then(|| make::seq(items, span))
    };
    let keys: Vec<(&str, Arc<Node>)> = [
        ("aws:SourceVpc", of("vpc-")),
        ("aws:SourceVpce", of("vpce-")),
    ]
    .into_iter()
    .filter_map(|(key, list)| Some((key, list?)))
    .collect();
    if keys.is_empty() {
        return Vec::new();
    }
    let condition = make::map([(operator, make::map(keys, span))], span);
    vec![
        invoke("Allow", make::text("*", span), None, span),
        invoke("Deny", make::text("*", span), Some(condition), span),
    ]
}
