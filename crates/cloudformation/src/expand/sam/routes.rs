//! Which paths and methods a REST API has, from the events that name it and its own definition.
//!
//! Not for HTTP APIs, which have no resource policy. Invariant: an API whose routes are not in the
//! template has none here, and what is said of all its routes is said of `*`.

use super::events::{events, referenced};
use crate::syntax::{Node, make};
use overgrant_source::Span;
use std::collections::BTreeMap;
use std::sync::Arc;

/// The API that SAM makes for events which name none.
pub(super) const IMPLICIT: &str = "ServerlessRestApi";

/// One path.
#[derive(Default)]
pub(super) struct Route {
    methods: Vec<String>,
    /// What events say about who may call it.
    pub(super) policies: Vec<Arc<Node>>,
}

/// The routes of the API `id` by path.
pub(super) fn routes(resources: &Node, id: &str) -> BTreeMap<String, Route> {
    let mut routes: BTreeMap<String, Route> = BTreeMap::new();
    let properties = |id| resources.get(id).and_then(|node| node.get("Properties"));
    let paths = properties(id)
        .and_then(|own| own.get("DefinitionBody")?.get("paths"))
        .map(|node| node.entries())
        .unwrap_or_default();
    for path in paths {
        let route = routes.entry(path.key.to_string()).or_default();
        for method in path.value.entries() {
            route.add(&method.key);
        }
    }
    for resource in resources.entries() {
        let Some(properties) = resource.value.get("Properties") else {
            continue;
        };
        for event in events(properties) {
            let Some(own) = event.value.get("Properties") else {
                continue;
            };
            if event.value.get("Type").and_then(|node| node.text()) != Some("Api") {
                continue;
            }
            let api = own.get("RestApiId").filter(|node| !node.is_null());
            let ours = match api {
                Some(node) => referenced(node).as_deref() == Some(id),
                None => id == IMPLICIT,
            };
            let Some(path) = own.get("Path").and_then(|node| node.text()) else {
                continue;
            };
            if ours {
                let route = routes.entry(path.to_owned()).or_default();
                let method = own.get("Method").and_then(|node| node.text());
                route.add(method.unwrap_or("any"));
                let policy = own.get("Auth").and_then(|auth| auth.get("ResourcePolicy"));
                route.policies.extend(policy.cloned());
            }
        }
    }
    routes
}

impl Route {
    fn add(&mut self, method: &str) {
        let any = matches!(
            method.to_ascii_lowercase().as_str(),
            "any" | "x-amazon-apigateway-any-method"
        );
        let method = if any {
            "*".to_owned()
        } else {
            method.to_ascii_uppercase()
        };
        if !self.methods.contains(&method) {
            self.methods.push(method);
        }
    }

    /// The route's resources in a policy: one for each method of the path in the stage.
    pub(super) fn resources(&self, path: &str, stage: Option<&Arc<Node>>, span: Span) -> Arc<Node> {
        let path: String = path
            .split('/')
            .map(|part| if part.starts_with('{') { "*" } else { part })
            .collect::<Vec<_>>()
            .join("/");
        let path = path.trim_start_matches('/');
        let all = self.methods.iter().map(|method| match stage {
            None => make::text(&format!("execute-api:/*/{method}/{path}"), span),
            Some(stage) => match stage.text() {
                Some(name) => make::text(&format!("execute-api:/{name}/{method}/{path}"), span),
                None => {
                    let text = format!("execute-api:/${{Stage}}/{method}/{path}");
                    let names = make::map([("Stage", Arc::clone(stage))], span);
                    make::call(
                        "Sub",
                        &make::seq(vec![make::text(&text, span), names], span),
                        span,
                    )
                }
            },
        });
        make::seq(all.collect(), span)
    }
}
