//! The line format of policy cases: one JSON object with policies and a request.
//!
//! Not for the product's own formats. Invariant: a line that cannot be read is an error that names
//! what is missing.

use anyhow::{Context as _, Result, bail};
use overgrant_policy::{Caller, Context, ContextValue, Document, Outcome, Request, Stack, point};
use overgrant_value::{Src, Text, Val};
use serde_json::Value;

/// The policies of a case, read.
#[derive(Default)]
pub(crate) struct Case {
    pub(crate) id: String,
    pub(crate) identity: Vec<Document>,
    pub(crate) boundary: Option<Vec<Document>>,
    pub(crate) session: Option<Vec<Document>>,
    pub(crate) resource: Option<Document>,
    pub(crate) scp: Vec<Vec<Document>>,
    pub(crate) rcp: Vec<Vec<Document>>,
    pub(crate) endpoint: Option<Vec<Document>>,
    pub(crate) block_public_access: bool,
    pub(crate) request: Option<Request>,
    pub(crate) expect: Option<String>,
}

/// Reads a policy from its JSON.
pub(crate) fn document(json: &Value) -> Document {
    Document::from_val(&Val::text(Text::known(&json.to_string()), Src::none()))
}

fn documents(json: Option<&Value>) -> Option<Vec<Document>> {
    match json? {
        Value::Null => None,
        Value::Array(list) => Some(list.iter().map(document).collect()),
        one => Some(vec![document(one)]),
    }
}

fn levels(json: Option<&Value>) -> Vec<Vec<Document>> {
    let Some(Value::Array(levels)) = json else {
        return Vec::new();
    };
    levels
        .iter()
        .filter_map(|level| documents(Some(level)))
        .collect()
}

impl Case {
    /// Reads one line.
    ///
    /// # Errors
    /// Where the line is no JSON object, or its request lacks principal, action or resource.
    pub(crate) fn read(line: &str) -> Result<Self> {
        let json: Value = serde_json::from_str(line).context("the line is no JSON")?;
        Self::of(&json)
    }

    /// Reads a line that was parsed.
    ///
    /// # Errors
    /// Where it is no JSON object.
    pub(crate) fn of(json: &Value) -> Result<Self> {
        if !json.is_object() {
            bail!("the line is no JSON object");
        }
        let text = |name: &str| json.get(name).and_then(Value::as_str);
        let request = text("action").map(|action| Request {
            caller: Caller::parse(text("principal").unwrap_or("*")),
            action: action.into(),
            resource: text("resource").unwrap_or("*").into(),
            resource_account: text("resource_account").map(Into::into),
            context: context(json.get("context")),
        });
        Ok(Self {
            id: match json.get("id") {
                Some(Value::String(id)) => id.clone(),
                Some(id) => id.to_string(),
                None => String::new(),
            },
            identity: documents(json.get("identity")).unwrap_or_default(),
            boundary: documents(json.get("boundary")),
            session: documents(json.get("session")),
            resource: json
                .get("resource_policy")
                .filter(|policy| !policy.is_null())
                .map(document),
            scp: levels(json.get("scp")),
            rcp: levels(json.get("rcp")),
            endpoint: documents(json.get("vpce")),
            block_public_access: json
                .get("s3_bpa")
                .and_then(Value::as_bool)
                .unwrap_or_default(),
            request,
            expect: text("expect").or(text("decision")).map(Into::into),
        })
    }

    /// The stack over the read policies.
    pub(crate) fn stack(&self) -> Stack<'_> {
        Stack {
            identity: self.identity.iter().collect(),
            boundary: self.boundary.as_ref().map(|list| list.iter().collect()),
            session: self.session.as_ref().map(|list| list.iter().collect()),
            resource: self.resource.as_ref(),
            scp: self.scp.iter().map(|list| list.iter().collect()).collect(),
            rcp: self.rcp.iter().map(|list| list.iter().collect()).collect(),
            endpoint: self.endpoint.as_ref().map(|list| list.iter().collect()),
            block_public_access: self.block_public_access,
        }
    }

    /// The decision of the case's request.
    ///
    /// # Errors
    /// Where the line holds no request.
    pub(crate) fn decide(&self) -> Result<Outcome> {
        let request = self.request.as_ref().context("the case has no action")?;
        Ok(point::decide(&self.stack(), request))
    }
}

fn context(json: Option<&Value>) -> Context {
    let mut context = Context::new();
    let plain = |value: &Value| match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    };
    if let Some(Value::Object(keys)) = json {
        for (key, value) in keys {
            let value = match value {
                Value::Array(list) => {
                    ContextValue::Many(list.iter().map(|value| plain(value).into()).collect())
                }
                one => ContextValue::One(plain(one).into()),
            };
            context.set(key, value);
        }
    }
    context
}
