//! Lambda functions that everybody may invoke: by their policy, their URL, or an API.
//!
//! Not for what a function does with what it gets. Sources: Lambda, "Control access to Lambda function
//! URLs"; API Gateway, "Controlling and managing access to REST APIs".

use super::{Exposed, Openness, Target, any, finder, of_kinds, referred, refers, says};
use crate::caller::{Caller, caller};
use overgrant_ir::{DocumentRole, Model, Place, PolicyDocument, Setting};
use overgrant_policy::{Principal, Statement};
use overgrant_value::{Marks, Text, Val};
use std::collections::{BTreeMap, BTreeSet};

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
#[derive(Debug, Clone)]
pub struct PublicFunction<'a> {
    /// The function's policy.
    pub policy: &'a PolicyDocument,
    /// The statement.
    pub statement: &'a Statement,
    /// Its principal that means everybody.
    pub anyone: &'a Principal,
    /// Whether only through the function's URL.
    pub by_url: bool,
}

/// The statements that let everybody invoke functions, but those that go with a URL at hand.
#[must_use]
pub fn public_functions(model: &Model) -> Vec<PublicFunction<'_>> {
    let mut found = Vec::new();
    for policy in &model.documents {
        let of_function =
            matches!(&policy.role, DocumentRole::Resource { service } if service == "lambda");
        if !of_function {
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
pub fn open_urls(model: &Model) -> impl Iterator<Item = (&Setting, Val)> {
    model.settings_of(&URLS).filter_map(|setting| {
        let auth = any(&setting.attrs, &["authorization_type", "AuthType"])?;
        let none = auth.to_text().is_some_and(|text| text.is("NONE"));
        none.then_some((setting, auth))
    })
}

/// Functions by what texts may mean them.
struct Named<'a, 'b> {
    /// By root and address.
    places: BTreeMap<(&'b str, &'b str), Vec<&'b Target<'a>>>,
    /// By root and name, with its open parts as they print.
    names: BTreeMap<(&'b str, String), Vec<&'b Target<'a>>>,
}

impl<'a, 'b> Named<'a, 'b> {
    fn new(targets: &'b [Target<'a>]) -> Self {
        let mut all = Self {
            places: BTreeMap::new(),
            names: BTreeMap::new(),
        };
        for target in of_kinds(targets, &FUNCTIONS, &["role", "Role"]) {
            let place = &target.workload.place;
            let root = place.root.as_str();
            let at = (root, place.address.as_str());
            all.places.entry(at).or_default().push(target);
            let attrs = &target.workload.attrs;
            let name =
                any(attrs, &["function_name", "FunctionName"]).and_then(|name| name.to_text());
            if let Some(name) = name.filter(|name| !name.is_empty()) {
                let key = (root, name.to_string());
                all.names.entry(key).or_default().push(target);
            }
        }
        all
    }

    /// The functions that a text used in `root` means: by an attribute of one, its name, or an ARN with
    /// its name.
    fn meant(&self, text: &Text, root: &str) -> Vec<&'b Target<'a>> {
        let mut found: Vec<&'b Target<'a>> = referred(text, root)
            .filter_map(|address| self.places.get(&(root, address)))
            .flatten()
            .copied()
            .collect();
        let shown = text.to_string();
        let mut names = vec![shown.as_str()];
        if let Some((_, rest)) = shown.split_once(":function:") {
            names.push(rest);
            let ends = rest.match_indices([':', '/']);
            names.extend(ends.filter_map(|(end, _)| rest.get(..end)));
        }
        for name in names {
            let named = self.names.get(&(root, name.to_owned()));
            for target in named.into_iter().flatten() {
                if !found.iter().any(|known| known.at == target.at) {
                    found.push(*target);
                }
            }
        }
        found
    }
}

/// APIs of the roots with functions, each list gone through once.
struct Apis<'a> {
    model: &'a Model,
    apis: Vec<&'a Setting>,
    /// Integrations by root and address.
    integrations: BTreeMap<(&'a str, &'a str), &'a Setting>,
    /// Those for a method, by root, API, resource and verb.
    by_method: BTreeMap<(&'a str, Vec<String>), &'a Setting>,
}

/// The ways to functions.
pub(super) fn entries<'a>(model: &'a Model, targets: &[Target<'a>]) -> Vec<Exposed<'a>> {
    let mut found = Vec::new();
    let named = Named::new(targets);
    if named.places.is_empty() {
        return found;
    }
    let entry = |target: &Target<'a>, place: &'a Place, val: &Val, how: String| Exposed {
        role: target.role,
        at: target.at,
        workload: target.workload,
        place,
        src: val.src().clone(),
        marks: val.marks(),
        statement: None,
        who: finder(target.workload),
        how,
        openness: Openness::Open,
    };
    for (url, auth) in open_urls(model) {
        let text = function_of(url);
        for target in text
            .iter()
            .flat_map(|text| named.meant(text, &url.place.root))
        {
            let how = format!("URL `{}` asks for no sign-in", url.place.address);
            found.push(entry(target, &url.place, &auth, how));
        }
    }
    for one in public_functions(model) {
        let place = &one.policy.place;
        let to = one.policy.targets.first();
        for target in to.iter().flat_map(|to| named.meant(&to.text, &place.root)) {
            found.push(Exposed {
                src: one.anyone.src().clone(),
                marks: Marks::NONE,
                statement: Some(one.statement),
                how: "its policy lets everybody invoke it".to_owned(),
                ..entry(
                    target,
                    place,
                    &Val::null(one.anyone.src().clone()),
                    String::new(),
                )
            });
        }
    }
    let roots: BTreeSet<&str> = named.places.keys().map(|(root, _)| *root).collect();
    let here = |one: &&Setting| roots.contains(one.place.root.as_str());
    let of = |kinds: &'static [&'static str]| model.settings_of(kinds).filter(here);
    let mut apis = Apis {
        model,
        apis: of(&REST_APIS).chain(of(&APIS)).collect(),
        integrations: BTreeMap::new(),
        by_method: BTreeMap::new(),
    };
    for one in of(&INTEGRATIONS) {
        let root = one.place.root.as_str();
        apis.integrations
            .insert((root, one.place.address.as_str()), one);
        if let Some(key) = of_method(one) {
            apis.by_method.entry((root, key)).or_insert(one);
        }
    }
    let methods = of(&METHODS).filter_map(|method| apis.method(method));
    for (door, at, call) in methods.chain(of(&ROUTES).filter_map(|route| apis.route(route))) {
        for target in named.meant(&call, &door.place.root) {
            let how = format!("API `{}` asks for no sign-in", door.place.address);
            found.push(entry(target, &door.place, &at, how));
        }
    }
    found
}

/// What lets strangers in, the value that says so, and the text that names the function.
type Door<'a> = (&'a Setting, Val, Text);

impl<'a> Apis<'a> {
    /// A method of a public API that calls something for whoever asks.
    fn method(&self, method: &'a Setting) -> Option<Door<'a>> {
        let attrs = &method.attrs;
        let auth = any(attrs, &["authorization", "AuthorizationType"])?;
        let open = auth.to_text().is_some_and(|text| text.is("NONE"))
            && any(attrs, &["api_key_required", "ApiKeyRequired"])
                .is_none_or(|key| key.as_bool() == Some(false));
        if !open || !self.is_plain_rest_api(method) {
            return None;
        }
        let own = attrs
            .at(&["Integration", "Uri"])
            .and_then(|uri| uri.to_text());
        let beside = || {
            let key = (method.place.root.as_str(), of_method(method)?);
            called(self.by_method.get(&key)?)
        };
        let call = own.or_else(beside)?;
        Some((method, auth, call))
    }

    /// A route of an API over HTTP that calls something for whoever asks.
    fn route(&self, route: &'a Setting) -> Option<Door<'a>> {
        let auth = any(&route.attrs, &["authorization_type", "AuthorizationType"]);
        let none = |auth: &Val| auth.to_text().is_some_and(|text| text.is("NONE"));
        if auth.as_ref().is_some_and(|auth| !none(auth)) || !self.is_http_api(route) {
            return None;
        }
        let target = any(&route.attrs, &["target", "Target"])?;
        let text = target.to_text()?;
        let root = route.place.root.as_str();
        let mut joined = referred(&text, root);
        let call = joined.find_map(|address| called(self.integrations.get(&(root, address))?))?;
        Some((route, auth.unwrap_or(target), call))
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
        let mut policies = self
            .model
            .documents
            .iter()
            .filter(|document| matches!(document.role, DocumentRole::Resource { .. }));
        !is_private && !policies.any(refers_here)
    }

    /// Whether a route is of an API over HTTP.
    fn is_http_api(&self, route: &Setting) -> bool {
        self.api_of(route, &["api_id", "ApiId"], &APIS)
            .is_some_and(|api| says(&api.attrs, &["protocol_type", "ProtocolType"], "HTTP"))
    }
}

/// The API, resource and verb that a method or an integration is for.
fn of_method(setting: &Setting) -> Option<Vec<String>> {
    let names = ["rest_api_id", "resource_id", "http_method"];
    let keys = names
        .iter()
        .map(|name| Some(setting.attrs.get(name)?.to_text()?.key()));
    keys.collect()
}

/// What an integration calls.
fn called(integration: &Setting) -> Option<Text> {
    let names = ["uri", "integration_uri", "IntegrationUri"];
    any(&integration.attrs, &names)?.to_text()
}
