//! Scenes for unit tests of checks: documents and resources given as JSON, findings as short texts.
//!
//! Not for examples in the docs of rules, which the engine runs through the real front ends.
//! Invariant: a scene has no file but the JSON texts it was given.

use crate::{Context, Rule, Settings};
use overgrant_access::Access;
use overgrant_finding::Finding;
use overgrant_ir::{DocumentRole, Format, Mode, Model, Place, PolicyDocument, Resource};
use overgrant_policy::Document;
use overgrant_source::Sources;
use overgrant_value::{Guard, Src, Text, Val, json};

/// Resources and documents of one test.
pub(crate) struct Scene {
    sources: Sources,
    resources: Vec<Resource>,
    documents: Vec<(DocumentRole, Val)>,
    /// What the run is told.
    pub(crate) settings: Settings,
}

impl Scene {
    /// Nothing yet.
    pub(crate) fn new() -> Self {
        Self {
            sources: Sources::new("/nowhere"),
            resources: Vec::new(),
            documents: Vec::new(),
            settings: Settings::default(),
        }
    }

    /// Adds a resource: type, name and arguments as a JSON object.
    pub(crate) fn resource(mut self, kind: &str, name: &str, attrs: &str) -> Self {
        let address = if kind.starts_with("AWS::") {
            name.to_owned()
        } else {
            format!("{kind}.{name}")
        };
        let attrs = self.parse(attrs);
        self.resources.push(Resource {
            root: "".into(),
            address: address.into(),
            kind: kind.into(),
            mode: Mode::Managed,
            format: if kind.starts_with("AWS::") {
                Format::CloudFormation
            } else {
                Format::Terraform
            },
            logical_id: None,
            origin: None,
            maker: overgrant_ir::Maker::Author,
            src: attrs.src().clone(),
            name_src: attrs.src().clone(),
            attrs,
            guard: Guard::always(),
            maybe: false,
        });
        self
    }

    /// Puts the resource that was added last into a root of its own: another way to deploy.
    pub(crate) fn in_root(mut self, root: &str) -> Self {
        if let Some(last) = self.resources.last_mut() {
            last.root = root.into();
        }
        self
    }

    /// Adds a document that no resource of the scene holds.
    pub(crate) fn document(mut self, role: DocumentRole, text: &str) -> Self {
        let val = self.parse(text);
        self.documents.push((role, val));
        self
    }

    /// A managed policy with these statements (JSON, comma-separated).
    pub(crate) fn statements(self, statements: &str) -> Self {
        let text = format!(r#"{{"Version":"2012-10-17","Statement":[{statements}]}}"#);
        self.document(DocumentRole::Managed, &text)
    }

    /// Runs a rule: (bytes under the primary place, finding).
    pub(crate) fn run(self, rule: &'static Rule) -> Vec<(String, Finding)> {
        let mut model: Model = overgrant_ir::lower(self.resources);
        for (index, (role, val)) in self.documents.iter().enumerate() {
            model.documents.push(PolicyDocument {
                place: place(index, val),
                role: role.clone(),
                document: std::sync::Arc::new(Document::from_val(val)),
                name: Some(Text::known("p")),
                arn: None,
                targets: Vec::new(),
                argument_src: val.src().clone(),
            });
        }
        let access = Access::new(&model);
        Context::new(rule, &access, &self.settings)
            .run()
            .into_iter()
            .map(|finding| {
                let bytes = finding
                    .primary
                    .map(|span| self.sources.slice(span))
                    .unwrap_or_default();
                (bytes, finding)
            })
            .collect()
    }

    /// Runs a rule and gives the bytes under the primary places.
    pub(crate) fn places(self, rule: &'static Rule) -> Vec<String> {
        self.run(rule).into_iter().map(|(bytes, _)| bytes).collect()
    }

    fn parse(&self, text: &str) -> Val {
        let path = format!("{}.json", self.sources.files().len());
        let file = self.sources.add(&path, text);
        json::parse_file(&file, json::Options::default()).expect("a JSON text")
    }
}

fn place(index: usize, val: &Val) -> Place {
    Place {
        root: "".into(),
        address: format!("aws_iam_policy.p{index}").into(),
        kind: "aws_iam_policy".into(),
        format: Format::Terraform,
        logical_id: None,
        maker: overgrant_ir::Maker::Author,
        src: val.src().clone(),
        name_src: Src::none(),
        guard: Guard::always(),
        maybe: false,
    }
}

/// The document with these statements (JSON, comma-separated) as a JSON string.
pub(crate) fn quoted(statements: &str) -> String {
    let text = format!(r#"{{"Version":"2012-10-17","Statement":[{statements}]}}"#);
    format!("{:?}", text.replace('\n', " "))
}

/// The arguments of a role that trusts a principal element.
pub(crate) fn trusting(name: &str, principal: &str) -> String {
    let trust =
        format!(r#"{{"Effect":"Allow","Action":"sts:AssumeRole","Principal":{principal}}}"#);
    format!(
        r#"{{"name":"{name}","assume_role_policy":{}}}"#,
        quoted(&trust)
    )
}

/// The arguments of an inline policy of a role.
pub(crate) fn inline(role: &str, statements: &str) -> String {
    format!(r#"{{"role":"{role}","policy":{}}}"#, quoted(statements))
}
