//! `AWS::Serverless::StateMachine`: its role and the roles of what starts it.
//!
//! Invariant: as for functions, a given `Role` makes `Policies` void.
//! <https://docs.aws.amazon.com/serverless-application-model/latest/developerguide/sam-resource-statemachine.html>

use super::events::events;
use super::policies::{RolePolicies, aws_managed, distinct};
use super::routes::IMPLICIT;
use super::{Builder, allow, document, inline, is_set, is_word};
use crate::syntax::{Entry, Node, make};
use std::sync::Arc;

impl Builder<'_> {
    pub(super) fn state_machine(&mut self, entry: &Entry, properties: &Arc<Node>) {
        let id = entry.key.as_str();
        let span = entry.key_span;
        let given = properties.get("Role").filter(|node| !node.is_null());
        let role = match given {
            Some(role) => Arc::clone(role),
            None => {
                let role = format!("{id}Role");
                self.machine_role(&role, properties, span);
                make::attribute(&role, "Arn", span)
            }
        };
        let role_span = properties.entry("Role").map_or(span, |role| role.key_span);
        let mut parts = Vec::new();
        for part in properties.entries() {
            let key = match part.key.as_str() {
                "Role" | "Policies" | "Events" | "PermissionsBoundary" | "RolePath" => continue,
                "Name" => "StateMachineName",
                "Type" => "StateMachineType",
                "Tracing" => "TracingConfiguration",
                "Logging" => "LoggingConfiguration",
                other => other,
            };
            parts.push(Entry {
                key: key.into(),
                ..part.clone()
            });
        }
        parts.push(make::entry("RoleArn", role, role_span));
        let made = make::map_of(parts, properties.span);
        self.replace(entry, "AWS::StepFunctions::StateMachine", made);
        self.machine_events(id, properties);
    }

    fn machine_role(&mut self, role: &str, properties: &Arc<Node>, span: overgrant_source::Span) {
        let mut all = RolePolicies::default();
        if let Some(tracing) = properties.get("Tracing")
            && is_word(tracing, "Enabled", "true")
        {
            all.managed
                .push(aws_managed("AWSXrayWriteOnlyAccess", tracing.span));
        }
        if let Some(policies) = properties.get("Policies").filter(|node| !node.is_null()) {
            let sorted = self.policies(policies, role);
            all.managed.extend(sorted.managed);
            all.inline.extend(sorted.inline);
        }
        let place = properties.get("Policies").map_or(span, |node| node.span);
        let mut parts = vec![("ManagedPolicyArns", make::seq(distinct(all.managed), place))];
        if !all.inline.is_empty() {
            parts.push(("Policies", make::seq(all.inline, place)));
        }
        for (from, to) in [
            ("RolePath", "Path"),
            ("PermissionsBoundary", "PermissionsBoundary"),
        ] {
            if let Some(node) = properties.get(from) {
                parts.push((to, Arc::clone(node)));
            }
        }
        self.service_role(role, "states.amazonaws.com", parts, span);
    }

    fn machine_events(&mut self, machine: &str, properties: &Node) {
        for event in events(properties) {
            let span = event.key_span.to(event.value.span);
            let none = make::map([], span);
            let own = Arc::clone(event.value.get("Properties").unwrap_or(&none));
            let id = format!("{machine}{}", event.key);
            let target = make::reference(machine, span);
            let kind = event.value.get("Type").and_then(|node| node.text());
            let service = match kind {
                Some("Schedule" | "EventBridgeRule" | "CloudWatchEvent") => "events.amazonaws.com",
                Some("Api") => {
                    self.refuse_api(&own, "RestApiId", true);
                    if own.get("RestApiId").is_none_or(|node| node.is_null()) {
                        self.implicit_api(IMPLICIT, span);
                    }
                    "apigateway.amazonaws.com"
                }
                Some("ScheduleV2") => {
                    self.schedule(&id, &own, target, "states:StartExecution", span);
                    continue;
                }
                _ => continue,
            };
            let role = match own.get("RoleArn").filter(|node| !node.is_null()) {
                Some(role) => Arc::clone(role),
                None => {
                    let role = format!("{id}Role");
                    let statement = allow(&["states:StartExecution"], Arc::clone(&target), span);
                    let name = format!("{role}StartExecutionPolicy");
                    let policy = inline(&name, document(vec![statement], false, span), span);
                    let mut parts = vec![("Policies", make::seq(vec![policy], span))];
                    if is_set(&own, "PermissionsBoundary")
                        && let Some(boundary) = own.get("PermissionsBoundary")
                    {
                        parts.push(("PermissionsBoundary", Arc::clone(boundary)));
                    }
                    self.service_role(&role, service, parts, span);
                    make::attribute(&role, "Arn", span)
                }
            };
            if service == "events.amazonaws.com" {
                self.rule(&id, target, Some(role), span);
            }
        }
    }
}
