//! `AWS::Serverless::Api`: the resource policy it is given and its authorizers' permissions.
//!
//! Not for routes. Invariant: a statement that SAM derives from a list points at that list.
//! <https://docs.aws.amazon.com/serverless-application-model/latest/developerguide/sam-property-api-resourcepolicystatement.html>

use super::routes::routes;
use super::{Builder, document, is_word};
use crate::syntax::{Entry, Kind, Node, make};
use overgrant_source::Span;
use std::sync::Arc;

impl Builder<'_> {
    pub(super) fn api(&mut self, entry: &Entry, properties: &Arc<Node>) {
        self.refuse_stage(properties, entry.key_span, true);
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
        if properties.get("Policy").is_none()
            && let Some(policy) = self.api_policy(&entry.key, properties)
        {
            parts.push(make::entry("Policy", Arc::clone(&policy), policy.span));
        }
        let made = make::map_of(parts, properties.span);
        self.replace(entry, "AWS::ApiGateway::RestApi", made);
        self.authorizer_permissions(&entry.key, auth, true);
    }

    pub(super) fn http_api(&mut self, entry: &Entry, properties: Arc<Node>) {
        self.refuse_stage(&properties, entry.key_span, false);
        let auth = properties.get("Auth").cloned();
        self.replace(entry, "AWS::ApiGatewayV2::Api", properties);
        self.authorizer_permissions(&entry.key, auth.as_ref(), false);
    }

    /// The permissions of an API to call its authorizers; those of HTTP APIs are asked for.
    fn authorizer_permissions(&mut self, api: &str, auth: Option<&Arc<Node>>, rest: bool) {
        let authorizers = auth.and_then(|auth| auth.get("Authorizers"));
        for authorizer in authorizers.map(|node| node.entries()).unwrap_or_default() {
            let span = authorizer.key_span.to(authorizer.value.span);
            let Some(function) = authorizer.value.get("FunctionArn") else {
                continue;
            };
            let asked = is_word(
                &authorizer.value,
                "EnableFunctionDefaultPermissions",
                "true",
            );
            if authorizer.value.get("FunctionInvokeRole").is_some() || !(rest || asked) {
                continue;
            }
            let source = make::sub(
                &format!(
                    "arn:${{AWS::Partition}}:execute-api:${{AWS::Region}}:${{AWS::AccountId}}:${{{api}}}/authorizers/*"
                ),
                span,
            );
            self.generate(
                &format!("{api}{}AuthorizerPermission", authorizer.key),
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

impl Builder<'_> {
    /// The resource policy that SAM makes for an API: of its own `Auth` for every route, and of the
    /// `Auth` of events for theirs.
    pub(super) fn api_policy(&self, id: &str, properties: &Node) -> Option<Arc<Node>> {
        let stage = properties.get("StageName");
        let own = properties
            .get("Auth")
            .and_then(|auth| auth.get("ResourcePolicy"));
        let routes = routes(&self.resources, id);
        let mut all = Vec::new();
        let mut first = None;
        if let Some(policy) = own {
            first = Some(policy.span);
            for (path, route) in &routes {
                let resources = route.resources(path, stage, policy.span);
                all.extend(statements(policy, &resources));
            }
            if routes.is_empty() {
                all.extend(statements(
                    policy,
                    &make::text("execute-api:/*", policy.span),
                ));
            }
            all.extend(custom(policy));
        }
        for (path, route) in &routes {
            for policy in &route.policies {
                first = first.or(Some(policy.span));
                let resources = route.resources(path, stage, policy.span);
                all.extend(statements(policy, &resources));
                all.extend(custom(policy));
            }
        }
        let span = first.filter(|_| !all.is_empty())?;
        Some(document(all, true, span))
    }
}

/// The statements that are written out in `ResourcePolicy`.
fn custom(policy: &Node) -> Vec<Arc<Node>> {
    match policy.get("CustomStatements") {
        None => Vec::new(),
        Some(value) => match &value.kind {
            Kind::Seq(items) if value.tag.is_none() => items.clone(),
            _ => vec![Arc::clone(value)],
        },
    }
}

/// The statements that the lists of `ResourcePolicy` stand for, about these resources.
fn statements(policy: &Node, resources: &Arc<Node>) -> Vec<Arc<Node>> {
    let mut all = Vec::new();
    let limited = |operator: &str, key: &str, list: &Arc<Node>, span: Span| {
        limited(operator, key, list, resources, span)
    };
    let accounts = |effect: &str, list: &Arc<Node>, span: Span| {
        let principal = make::map([("AWS", Arc::clone(list))], span);
        invoke(effect, principal, resources, None, span)
    };
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
            "SourceVpcWhitelist" => {
                all.extend(network("StringNotEquals", value, resources, span));
            }
            "SourceVpcBlacklist" => {
                all.extend(network("StringEquals", value, resources, span));
            }
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
            _ => {}
        }
    }
    all
}

fn invoke(
    effect: &str,
    principal: Arc<Node>,
    resources: &Arc<Node>,
    condition: Option<Arc<Node>>,
    span: Span,
) -> Arc<Node> {
    let mut parts = vec![
        ("Effect", make::text(effect, span)),
        ("Principal", principal),
        ("Action", make::text("execute-api:Invoke", span)),
        ("Resource", Arc::clone(resources)),
    ];
    parts.extend(condition.map(|condition| ("Condition", condition)));
    make::map(parts, span)
}

/// Everybody is allowed, and everybody outside (or inside) of the list is denied.
fn limited(
    operator: &str,
    key: &str,
    list: &Arc<Node>,
    resources: &Arc<Node>,
    span: Span,
) -> [Arc<Node>; 2] {
    let everybody = || make::text("*", span);
    let condition = make::map(
        [(operator, make::map([(key, Arc::clone(list))], span))],
        span,
    );
    [
        invoke("Allow", everybody(), resources, None, span),
        invoke("Deny", everybody(), resources, Some(condition), span),
    ]
}

/// As [`limited`] for a list of VPCs and VPC endpoints told apart by their prefix.
fn network(operator: &str, list: &Arc<Node>, resources: &Arc<Node>, span: Span) -> Vec<Arc<Node>> {
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
        invoke("Allow", make::text("*", span), resources, None, span),
        invoke(
            "Deny",
            make::text("*", span),
            resources,
            Some(condition),
            span,
        ),
    ]
}
