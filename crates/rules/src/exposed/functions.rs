//! Lambda functions that everybody may invoke: by their policy, their URL, or an API.
//!
//! Not for what a function does with what it gets. Sources: Lambda, "Control access to Lambda function
//! URLs"; API Gateway, "Controlling and managing access to REST APIs".

use super::{Exposed, Target, any, finder, of_kinds, refers, says};
use crate::caller::{Caller, caller};
use crate::{Context, holder};
use overgrant_finding::Confidence;
use overgrant_ir::{Model, Place, PolicyDocument, Setting, Workload};
use overgrant_policy::{Principal, Statement};
use overgrant_value::{Marks, Text, Val};
use std::collections::BTreeSet;

const URLS: [&str; 2] = ["aws_lambda_function_url", "AWS::Lambda::Url"];
const FUNCTIONS: [&str; 2] = ["aws_lambda_function", "AWS::Lambda::Function"];
const METHODS: [&str; 2] = ["aws_api_gateway_method", "AWS::ApiGateway::Method"];
const ROUTES: [&str; 2] = ["aws_apigatewayv2_route", "AWS::ApiGatewayV2::Route"];
const APIS: [&str; 2] = ["aws_apigatewayv2_api", "AWS::ApiGatewayV2::Api"];
const REST_APIS: [&str; 2] = ["aws_api_gateway_rest_api", "AWS::ApiGateway::RestApi"];
const INTEGRATIONS: [&str; 3] = [
    "AWS::ApiGatewayV2::Integration",
    "aws_api_gateway_integration",
    "aws_apigatewayv2_integration",
];

/// A statement that lets everybody invoke a function.
pub(crate) struct PublicFunction<'a> {
    pub(crate) policy: &'a PolicyDocument,
    pub(crate) statement: &'a Statement,
    pub(crate) anyone: &'a Principal,
    /// Whether only through the function's URL.
    pub(crate) by_url: bool,
}

/// The statements that let everybody invoke functions, but those that go with a URL at hand.
pub(crate) fn public_functions<'a>(cx: &Context<'a>) -> Vec<PublicFunction<'a>> {
    let model = cx.model;
    let mut found = Vec::new();
    for (policy, service) in holder::resource_policies(model) {
        if service != "lambda" {
            continue;
        }
        for statement in policy.document.allows() {
            let Some(anyone) = statement.principals.anyone() else {
                continue;
            };
            let layer = statement
                .actions
                .select("lambda:GetLayerVersion")
                .possible();
            if layer || matches!(caller(&statement.conditions), Caller::Bound) {
                continue;
            }
            let by_url = statement
                .conditions
                .on("lambda:FunctionUrlAuthType")
                .any(|condition| {
                    condition
                        .values
                        .iter()
                        .all(|value| value.known().as_deref() == Some("NONE"))
                })
                || statement
                    .conditions
                    .on("lambda:InvokedViaFunctionUrl")
                    .next()
                    .is_some();
            // The URL itself is the cause where it is in the same configuration.
            let same =
                |url: &Setting| url.place.root == policy.place.root && may_be_same(url, policy);
            if by_url && open_urls(model).any(|(url, _)| same(url)) {
                continue;
            }
            found.push(PublicFunction {
                policy,
                statement,
                anyone,
                by_url,
            });
        }
    }
    found
}

/// Whether a URL may be that of the function whose policy this is: not where both are named, and
/// otherwise.
fn may_be_same(url: &Setting, policy: &PolicyDocument) -> bool {
    let named = function_of(url).and_then(|text| text.as_known());
    let target = policy.targets.first().and_then(|to| to.text.as_known());
    let (Some(named), Some(target)) = (named, target) else {
        return true;
    };
    // Either may be an ARN.
    let name = |text: &str| text.rsplit(':').next().map(str::to_owned);
    name(&named) == name(&target)
}

/// The function that a URL names.
fn function_of(url: &Setting) -> Option<Text> {
    any(&url.attrs, &["function_name", "TargetFunctionArn"])?.to_text()
}

/// Function URLs without authorization, and the value that says so.
pub(crate) fn open_urls(model: &Model) -> impl Iterator<Item = (&Setting, Val)> {
    model.settings_of(&URLS).filter_map(|setting| {
        let auth = any(&setting.attrs, &["authorization_type", "AuthType"])?;
        let none = auth.to_text().is_some_and(|text| text.is("NONE"));
        none.then_some((setting, auth))
    })
}

/// What may lead to functions in the roots of some of them, each list gone through once.
struct Doors<'a> {
    model: &'a Model,
    urls: Vec<(&'a Setting, Val)>,
    public: Vec<PublicFunction<'a>>,
    /// Methods that ask for no sign-in, with the value that says so.
    methods: Vec<(&'a Setting, Val)>,
    routes: Vec<&'a Setting>,
    apis: Vec<&'a Setting>,
    integrations: Vec<&'a Setting>,
}

impl<'a> Doors<'a> {
    fn new(cx: &Context<'a>, roots: &BTreeSet<&str>) -> Self {
        let model = cx.model;
        let here = |one: &&Setting| roots.contains(one.place.root.as_str());
        let of = |kinds: &'static [&'static str]| model.settings_of(kinds).filter(here);
        let open = |method: &'a Setting| {
            let attrs = &method.attrs;
            let auth = any(attrs, &["authorization", "AuthorizationType"])?;
            let open = auth.to_text().is_some_and(|text| text.is("NONE"))
                && any(attrs, &["api_key_required", "ApiKeyRequired"])
                    .is_none_or(|key| key.as_bool() == Some(false));
            open.then_some((method, auth))
        };
        Self {
            model,
            urls: open_urls(model).collect(),
            public: public_functions(cx),
            methods: of(&METHODS).filter_map(open).collect(),
            routes: of(&ROUTES).collect(),
            apis: of(&REST_APIS).chain(of(&APIS)).collect(),
            integrations: of(&INTEGRATIONS).collect(),
        }
    }
}

/// The ways to functions.
pub(super) fn entries<'a>(cx: &Context<'a>, targets: &[Target<'a>]) -> Vec<Exposed<'a>> {
    let mut found = Vec::new();
    let functions: Vec<_> = of_kinds(targets, &FUNCTIONS, &["role", "Role"]).collect();
    let roots = functions.iter().map(|one| one.workload.place.root.as_str());
    let roots: BTreeSet<&str> = roots.collect();
    if roots.is_empty() {
        return found;
    }
    let doors = Doors::new(cx, &roots);
    for Target { role, workload } in functions {
        let entry = |place: &'a Place, val: &Val, how: String| Exposed {
            role: *role,
            workload,
            place,
            src: val.src().clone(),
            marks: val.marks(),
            statement: None,
            who: finder(workload),
            how,
            confidence: Confidence::High,
        };
        for (url, auth) in &doors.urls {
            let root = &url.place.root;
            if function_of(url).is_some_and(|text| means(&text, root, workload)) {
                let how = format!("URL `{}` asks for no sign-in", url.place.address);
                found.push(entry(&url.place, auth, how));
            }
        }
        for one in &doors.public {
            let place = &one.policy.place;
            let target = one.policy.targets.first();
            if target.is_some_and(|to| means(&to.text, &place.root, workload)) {
                found.push(Exposed {
                    role: *role,
                    workload,
                    place,
                    src: one.anyone.src().clone(),
                    marks: Marks::NONE,
                    statement: Some(one.statement),
                    who: finder(workload),
                    how: "its policy lets everybody invoke it".to_owned(),
                    confidence: Confidence::High,
                });
            }
        }
        for (setting, at) in doors.to(workload) {
            let how = format!("API `{}` asks for no sign-in", setting.place.address);
            found.push(entry(&setting.place, &at, how));
        }
    }
    found
}

/// Whether a text means a function: an attribute of it, its name, or an ARN with its name.
fn means(text: &Text, root: &str, function: &Workload) -> bool {
    let place = &function.place;
    if refers(text, root, place) {
        return true;
    }
    let name =
        any(&function.attrs, &["function_name", "FunctionName"]).and_then(|name| name.to_text());
    let Some(name) = name.filter(|name| place.root == root && !name.is_empty()) else {
        return false;
    };
    let (text, name) = (text.to_string(), name.to_string());
    let part = format!(":function:{name}");
    text == name
        || text
            .split_once(&part)
            .is_some_and(|(_, rest)| rest.is_empty() || rest.starts_with([':', '/']))
}

impl<'a> Doors<'a> {
    /// Methods and routes of public APIs that call a function for whoever asks, with the value that
    /// says so.
    fn to(&self, function: &Workload) -> Vec<(&'a Setting, Val)> {
        let near = |one: &Setting| one.place.root == function.place.root;
        let methods = self.methods.iter().filter(|(method, _)| near(method));
        let mut found: Vec<(&'a Setting, Val)> = methods
            .filter(|(method, _)| self.calls(method, function) && self.is_plain_rest_api(method))
            .cloned()
            .collect();
        for route in self.routes.iter().filter(|route| near(route)) {
            let auth = any(&route.attrs, &["authorization_type", "AuthorizationType"]);
            let none = |auth: &Val| auth.to_text().is_some_and(|text| text.is("NONE"));
            if auth.as_ref().is_some_and(|auth| !none(auth)) {
                continue;
            }
            let Some(target) = any(&route.attrs, &["target", "Target"]) else {
                continue;
            };
            let text = target.to_text();
            let calls = self.integrations.iter().any(|one| {
                let joined = text
                    .as_ref()
                    .is_some_and(|text| refers(text, &route.place.root, &one.place));
                joined && integrates(one, function)
            });
            if calls && self.is_http_api(route) {
                found.push((route, auth.unwrap_or(target)));
            }
        }
        found
    }

    /// The API that a method or route belongs to, where it is at hand.
    fn api_of(&self, one: &Setting, names: &[&str], kinds: &[&str]) -> Option<&'a Setting> {
        let id = any(&one.attrs, names)?.to_text()?;
        let mut apis = self.apis.iter().copied();
        apis.find(|api| {
            kinds.contains(&api.place.kind.as_str()) && refers(&id, &one.place.root, &api.place)
        })
    }

    /// Whether a method is of an API of the internet without a policy.
    fn is_plain_rest_api(&self, method: &Setting) -> bool {
        let Some(api) = self.api_of(method, &["rest_api_id", "RestApiId"], &REST_APIS) else {
            return false;
        };
        let configured = any(
            &api.attrs,
            &["endpoint_configuration", "EndpointConfiguration"],
        );
        let is_private = configured.iter().flat_map(Val::listed).any(|one| {
            let types = any(&one, &["types", "Types"]).map(|types| types.listed());
            one.is_unknown()
                || types
                    .unwrap_or_default()
                    .iter()
                    .any(|kind| kind.as_str().is_none_or(|kind| kind == "PRIVATE"))
        });
        let refers_here = |policy: &PolicyDocument| {
            policy.place.address == api.place.address && policy.place.root == api.place.root
                || policy
                    .targets
                    .iter()
                    .any(|to| refers(&to.text, &policy.place.root, &api.place))
        };
        !is_private && !holder::resource_policies(self.model).any(|(policy, _)| refers_here(policy))
    }

    /// Whether a route is of an API over HTTP.
    fn is_http_api(&self, route: &Setting) -> bool {
        self.api_of(route, &["api_id", "ApiId"], &APIS)
            .is_some_and(|api| says(&api.attrs, &["protocol_type", "ProtocolType"], "HTTP"))
    }

    /// Whether a method calls a function: by its own integration, or by one for the same method.
    fn calls(&self, method: &Setting, function: &Workload) -> bool {
        let root = &method.place.root;
        let own = method
            .attrs
            .at(&["Integration", "Uri"])
            .and_then(|uri| uri.to_text());
        if own.is_some_and(|uri| means(&uri, root, function)) {
            return true;
        }
        let same = |one: &Setting| {
            ["rest_api_id", "resource_id", "http_method"]
                .iter()
                .all(|name| {
                    let key = |setting: &Setting| Some(setting.attrs.get(name)?.to_text()?.key());
                    key(one).is_some() && key(one) == key(method)
                })
        };
        let mut integrations = self.integrations.iter();
        integrations.any(|one| one.place.root == *root && same(one) && integrates(one, function))
    }
}

fn integrates(integration: &Setting, function: &Workload) -> bool {
    let uri = any(
        &integration.attrs,
        &["uri", "integration_uri", "IntegrationUri"],
    );
    let uri = uri.and_then(|uri| uri.to_text());
    uri.is_some_and(|uri| means(&uri, &integration.place.root, function))
}
