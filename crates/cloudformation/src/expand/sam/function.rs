//! `AWS::Serverless::Function`: the role it is given, its URL, dead letters and destinations.
//!
//! Not for its events, which have a file of their own. Invariant: with `Role` set, `Policies` are
//! void, as SAM says.
//! <https://docs.aws.amazon.com/serverless-application-model/latest/developerguide/sam-resource-function.html>

use super::policies::{RolePolicies, aws_managed, branches, distinct, is_no_value};
use super::{Builder, allow, document, inline, is_set, is_word, trust};
use crate::syntax::{Entry, Node, make};
use overgrant_source::Span;
use std::sync::Arc;

/// Properties that SAM takes for itself.
const OWN: [&str; 15] = [
    "Policies",
    "Events",
    "FunctionUrlConfig",
    "EventInvokeConfig",
    "AutoPublishAlias",
    "AutoPublishAliasAllProperties",
    "AutoPublishCodeSha256",
    "DeploymentPreference",
    "AssumeRolePolicyDocument",
    "PermissionsBoundary",
    "RolePath",
    "Role",
    "DeadLetterQueue",
    "ProvisionedConcurrencyConfig",
    "Tracing",
];

impl Builder<'_> {
    pub(super) fn function(&mut self, entry: &Entry, properties: &Arc<Node>) {
        let id = entry.key.as_str();
        let span = entry.key_span;
        let role = self.role_of(id, properties, span);
        let mut parts: Vec<Entry> = properties
            .entries()
            .iter()
            .filter(|part| !OWN.contains(&part.key.as_str()))
            .cloned()
            .collect();
        let role_span = properties.entry("Role").map_or(span, |role| role.key_span);
        parts.push(make::entry("Role", role, role_span));
        let made = make::map_of(parts, properties.span);
        self.replace(entry, "AWS::Lambda::Function", made);
        let alias = self.alias(id, properties);
        self.url(id, alias.as_deref(), properties);
        self.destinations(id, properties);
        self.deployment(id, properties);
        self.event_resources(id, alias.as_deref(), properties);
    }

    /// The value of the function's `Role`; makes the role where it is not given.
    fn role_of(&mut self, id: &str, properties: &Arc<Node>, span: Span) -> Arc<Node> {
        let role_id = format!("{id}Role");
        let generated = make::attribute(&role_id, "Arn", span);
        let Some(given) = properties.get("Role").filter(|node| !node.is_null()) else {
            self.function_role(&role_id, id, properties, span);
            return generated;
        };
        // An Fn::If that gives nothing in one branch keeps the generated role there.
        let Some([condition, yes, no]) = branches(given) else {
            return Arc::clone(given);
        };
        if !is_no_value(yes) && !is_no_value(no) {
            return Arc::clone(given);
        }
        let pick = |node: &Arc<Node>| {
            if is_no_value(node) {
                Arc::clone(&generated)
            } else {
                Arc::clone(node)
            }
        };
        let list = make::seq(vec![Arc::clone(condition), pick(yes), pick(no)], given.span);
        let role = make::call("If", &list, given.span);
        self.function_role(&role_id, id, properties, span);
        role
    }

    fn function_role(&mut self, role: &str, id: &str, properties: &Arc<Node>, span: Span) {
        let place = |name: &str| {
            properties
                .entry(name)
                .map_or(span, |entry| entry.key_span.to(entry.value.span))
        };
        let basic = if is_set(properties, "DurableConfig") {
            "service-role/AWSLambdaBasicDurableExecutionRolePolicy"
        } else {
            "service-role/AWSLambdaBasicExecutionRole"
        };
        let mut all = RolePolicies {
            managed: vec![aws_managed(basic, span)],
            inline: Vec::new(),
        };
        let tracing = properties.get("Tracing").and_then(|node| node.text());
        if is_set(properties, "Tracing") && tracing != Some("Disabled") {
            all.managed
                .push(aws_managed("AWSXrayWriteOnlyAccess", place("Tracing")));
        }
        if is_set(properties, "VpcConfig") {
            let name = "service-role/AWSLambdaVPCAccessExecutionRole";
            all.managed.push(aws_managed(name, place("VpcConfig")));
        }
        if let Some(policies) = properties.get("Policies").filter(|node| !node.is_null()) {
            let sorted = self.policies(policies, role);
            all.managed.extend(sorted.managed);
            all.inline.extend(sorted.inline);
        }
        self.event_policies(id, properties, &mut all);
        if let Some(policy) = dead_letters(properties) {
            all.inline.push(policy);
        }
        all.inline.extend(destination_policies(id, properties));
        let trust = properties
            .get("AssumeRolePolicyDocument")
            .filter(|node| !node.is_null())
            .map_or_else(|| trust("lambda.amazonaws.com", span), Arc::clone);
        let mut parts = vec![make::entry(
            "AssumeRolePolicyDocument",
            trust,
            properties
                .entry("AssumeRolePolicyDocument")
                .map_or(span, |entry| entry.key_span),
        )];
        parts.push(make::entry(
            "ManagedPolicyArns",
            make::seq(distinct(all.managed), place("Policies")),
            span,
        ));
        if !all.inline.is_empty() {
            let policies = make::seq(all.inline, place("Policies"));
            parts.push(make::entry("Policies", policies, span));
        }
        for (from, to) in [
            ("RolePath", "Path"),
            ("PermissionsBoundary", "PermissionsBoundary"),
        ] {
            if let Some(entry) = properties.entry(from) {
                parts.push(make::entry(to, Arc::clone(&entry.value), entry.key_span));
            }
        }
        let made = make::map_of(parts, span);
        self.generate(
            role,
            "AWS::IAM::Role",
            made.entries()
                .iter()
                .map(|entry| (entry.key.as_str(), Arc::clone(&entry.value))),
            span,
        );
    }

    /// The alias of the version that is published with every deployment; its logical id.
    fn alias(&mut self, id: &str, properties: &Arc<Node>) -> Option<String> {
        let name = properties
            .get("AutoPublishAlias")
            .filter(|node| !node.is_null())?;
        let span = name.span;
        let suffix = name.text().unwrap_or_default();
        let alias = format!("{id}Alias{suffix}");
        let parts = [
            ("Name", Arc::clone(name)),
            ("FunctionName", make::reference(id, span)),
        ];
        self.generate(&alias, "AWS::Lambda::Alias", parts, span);
        Some(alias)
    }

    /// A URL without authentication gets two permissions for everybody.
    fn url(&mut self, id: &str, alias: Option<&str>, properties: &Arc<Node>) {
        let target = alias.unwrap_or(id);
        let Some(config) = properties.get("FunctionUrlConfig") else {
            return;
        };
        let Some(auth) = config.get("AuthType") else {
            return;
        };
        let span = auth.span;
        let mut parts = vec![
            ("AuthType", Arc::clone(auth)),
            ("TargetFunctionArn", make::reference(target, span)),
        ];
        for name in ["Cors", "InvokeMode"] {
            if let Some(node) = config.get(name) {
                parts.push((name, Arc::clone(node)));
            }
        }
        self.generate(&format!("{id}Url"), "AWS::Lambda::Url", parts, span);
        if auth.text() != Some("NONE") {
            return;
        }
        let permission = |action: &str, key: &'static str, value: Arc<Node>| {
            vec![
                ("Action", make::text(action, span)),
                ("FunctionName", make::reference(target, span)),
                ("Principal", make::text("*", span)),
                (key, value),
            ]
        };
        self.generate(
            &format!("{id}UrlPublicPermissions"),
            "AWS::Lambda::Permission",
            permission(
                "lambda:InvokeFunctionUrl",
                "FunctionUrlAuthType",
                make::text("NONE", span),
            ),
            span,
        );
        self.generate(
            &format!("{id}URLInvokeAllowPublicAccess"),
            "AWS::Lambda::Permission",
            permission(
                "lambda:InvokeFunction",
                "InvokedViaFunctionUrl",
                make::word("true", span),
            ),
            span,
        );
    }

    /// The queues and topics that destinations without a target get.
    fn destinations(&mut self, id: &str, properties: &Arc<Node>) {
        for (outcome, destination) in destinations(properties) {
            if is_set(&destination, "Destination") {
                continue;
            }
            let (suffix, kind) = match destination.get("Type").and_then(|node| node.text()) {
                Some("SQS") => ("Queue", "AWS::SQS::Queue"),
                Some("SNS") => ("Topic", "AWS::SNS::Topic"),
                _ => continue,
            };
            let name = format!("{id}EventInvokeConfig{outcome}{suffix}");
            self.generate(&name, kind, [], destination.span);
        }
    }

    /// Gradual deployment needs a role for CodeDeploy, one for the template.
    fn deployment(&mut self, id: &str, properties: &Arc<Node>) {
        let Some(preference) = properties.get("DeploymentPreference") else {
            return;
        };
        let disabled = is_word(preference, "Enabled", "false");
        if disabled || !is_set(properties, "AutoPublishAlias") {
            return;
        }
        let span = preference.span;
        let role = match preference.get("Role").filter(|node| !node.is_null()) {
            Some(role) => Arc::clone(role),
            None => {
                let policy = aws_managed("service-role/AWSCodeDeployRoleForLambda", span);
                let condition = self.current.condition.take();
                self.service_role(
                    "CodeDeployServiceRole",
                    "codedeploy.amazonaws.com",
                    [("ManagedPolicyArns", make::seq(vec![policy], span))],
                    span,
                );
                self.current.condition = condition;
                make::attribute("CodeDeployServiceRole", "Arn", span)
            }
        };
        self.generate(
            &format!("{id}DeploymentGroup"),
            "AWS::CodeDeploy::DeploymentGroup",
            [("ServiceRoleArn", role)],
            span,
        );
    }
}

fn dead_letters(properties: &Node) -> Option<Arc<Node>> {
    let queue = properties.get("DeadLetterQueue")?;
    let action = match queue.get("Type")?.text()? {
        "SQS" => "sqs:SendMessage",
        "SNS" => "sns:Publish",
        _ => return None,
    };
    let target = Arc::clone(queue.get("TargetArn")?);
    let span = queue.span;
    let statement = allow(&[action], target, span);
    Some(inline(
        "DeadLetterQueuePolicy",
        document(vec![statement], true, span),
        span,
    ))
}

/// Outcome and configuration of each destination.
fn destinations(properties: &Node) -> Vec<(&'static str, Arc<Node>)> {
    let config = properties
        .get("EventInvokeConfig")
        .and_then(|config| config.get("DestinationConfig"));
    ["OnSuccess", "OnFailure"]
        .into_iter()
        .filter_map(|outcome| Some((outcome, Arc::clone(config?.get(outcome)?))))
        .collect()
}

fn destination_policies(id: &str, properties: &Node) -> Vec<Arc<Node>> {
    let mut policies = Vec::new();
    for (outcome, destination) in destinations(properties) {
        let kind = destination.get("Type").and_then(|node| node.text());
        let (action, kind) = match kind {
            Some("SQS") => ("sqs:SendMessage", "SQS"),
            Some("SNS") => ("sns:publish", "SNS"),
            Some("Lambda") => ("lambda:InvokeFunction", "Lambda"),
            Some("EventBridge") => ("events:PutEvents", "EventBridge"),
            Some("S3Bucket") => ("s3:PutObject", "S3Bucket"),
            _ => continue,
        };
        let span = destination.span;
        let made = format!(
            "{id}EventInvokeConfig{outcome}{}",
            if kind == "SNS" { "Topic" } else { "Queue" }
        );
        let target = match destination
            .get("Destination")
            .filter(|node| !node.is_null())
        {
            Some(target) => Arc::clone(target),
            None if kind == "SNS" => make::reference(&made, span),
            None => make::attribute(&made, "Arn", span),
        };
        let statements = if kind == "S3Bucket" {
            let inside = make::seq(
                vec![
                    make::text("${Target}/*", span),
                    make::map([("Target", Arc::clone(&target))], span),
                ],
                span,
            );
            let objects = make::call("Sub", &inside, span);
            vec![
                allow(&["s3:PutObject"], objects, span),
                allow(&["s3:ListBucket"], target, span),
            ]
        } else {
            vec![allow(&[action], target, span)]
        };
        policies.push(inline(
            &format!("{id}EventInvokeConfig{outcome}{kind}Policy"),
            document(statements, false, span),
            span,
        ));
    }
    policies
}
