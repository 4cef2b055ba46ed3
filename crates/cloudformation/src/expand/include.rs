//! Files that stand beside the template, before `aws cloudformation package`: those of `AWS::Include`
//! and the definitions of APIs.
//!
//! Not for files in buckets: those stay open and are told by the evaluator. Invariant: reads go
//! through the run's file set, so nothing outside the base is opened.
//! <https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/transform-aws-include.html>

use super::with_section;
use crate::syntax::{Entry, Kind, Node, Parsed, make, parse_json, parse_yaml};
use overgrant_source::{Diagnostic, Level, SourceFile, Sources};
use std::sync::Arc;

/// Levels of files that include files.
const MAX_DEPTH: usize = 8;

/// The tree with local files in place of their `Fn::Transform`.
pub(super) fn expand(
    sources: &Sources,
    file: &SourceFile,
    root: &Arc<Node>,
    diagnostics: &mut Vec<Diagnostic>,
) -> Arc<Node> {
    let mut includer = Includer {
        sources,
        directory: directory(file.path()),
        file,
        diagnostics,
        depth: 0,
    };
    includer.node(root)
}

/// Where an API's definition may be a file, and the property that holds it where it is written out.
const DEFINED_BY: [(&str, &str, &str); 4] = [
    ("AWS::Serverless::Api", "DefinitionUri", "DefinitionBody"),
    (
        "AWS::Serverless::HttpApi",
        "DefinitionUri",
        "DefinitionBody",
    ),
    ("AWS::ApiGateway::RestApi", "BodyS3Location", "Body"),
    ("AWS::ApiGatewayV2::Api", "BodyS3Location", "Body"),
];

/// The tree with the definitions of APIs in place of the local files that hold them.
pub(super) fn definitions(
    sources: &Sources,
    file: &SourceFile,
    root: &Arc<Node>,
    diagnostics: &mut Vec<Diagnostic>,
) -> Arc<Node> {
    let Some(resources) = root.get("Resources") else {
        return Arc::clone(root);
    };
    let directory = directory(file.path());
    let mut define = |resource: &Entry| -> Option<Arc<Node>> {
        let kind = resource.value.get("Type")?.text()?;
        let (_, from, to) = DEFINED_BY.iter().find(|(of, ..)| *of == kind)?;
        let properties = resource.value.get("Properties")?;
        let entry = properties.entry(from)?;
        let path = entry.value.text().filter(|path| is_local(path))?;
        let read = match sources.load(&format!("{directory}{path}")) {
            Ok(loaded) => parse(&loaded).map_err(|problem| problem.message),
            Err(error) => Err(error.to_string()),
        };
        let body = match read {
            Ok(parsed) => parsed.root,
            Err(problem) => {
                let message = format!("{problem}; what the definition says is not checked");
                diagnostics.push(
                    Diagnostic::new(Level::Note, "include", message).at(file, entry.value.span),
                );
                return None;
            }
        };
        let mut parts: Vec<Entry> = properties.entries().to_vec();
        parts.retain(|part| part.key != *from);
        parts.push(Entry {
            key: (*to).into(),
            value: body,
            ..entry.clone()
        });
        let properties = make::map_of(parts, properties.span);
        Some(with_section(&resource.value, "Properties", properties))
    };
    let mut changed = false;
    let entries = resources.entries().iter().map(|entry| {
        let defined = define(entry);
        changed |= defined.is_some();
        Entry {
            value: defined.unwrap_or_else(|| Arc::clone(&entry.value)),
            ..entry.clone()
        }
    });
    let resources = make::map_of(entries.collect(), resources.span);
    if !changed {
        return Arc::clone(root);
    }
    with_section(root, "Resources", resources)
}

fn parse(file: &SourceFile) -> Result<Parsed, Diagnostic> {
    if file.text().trim_start().starts_with('{') {
        parse_json(file)
    } else {
        parse_yaml(file)
    }
}

/// The directory part of a path relative to the base.
pub(crate) fn directory(path: &str) -> String {
    match path.rsplit_once('/') {
        Some((directory, _)) => format!("{directory}/"),
        None => String::new(),
    }
}

/// Whether a location names a file beside the template.
pub(crate) fn is_local(location: &str) -> bool {
    !location.is_empty()
        && !location.contains("://")
        && !location.contains("${")
        && !location.starts_with("arn:")
        && !location.starts_with('/')
}

struct Includer<'a> {
    sources: &'a Sources,
    directory: String,
    file: &'a SourceFile,
    diagnostics: &'a mut Vec<Diagnostic>,
    depth: usize,
}

impl Includer<'_> {
    fn node(&mut self, node: &Arc<Node>) -> Arc<Node> {
        let kind = match &node.kind {
            Kind::Scalar(_) => return Arc::clone(node),
            Kind::Seq(items) => Kind::Seq(items.iter().map(|item| self.node(item)).collect()),
            Kind::Map(entries) => {
                let mut all = Vec::with_capacity(entries.len());
                for entry in entries {
                    if entry.key == "Fn::Transform"
                        && let Some(included) = self.included(&entry.value)
                    {
                        all.extend(included.entries().iter().cloned());
                        continue;
                    }
                    all.push(Entry {
                        value: self.node(&entry.value),
                        ..entry.clone()
                    });
                }
                Kind::Map(all)
            }
        };
        Arc::new(Node {
            kind,
            tag: node.tag.clone(),
            span: node.span,
        })
    }

    fn included(&mut self, call: &Node) -> Option<Arc<Node>> {
        if call.get("Name")?.text()? != "AWS::Include" || self.depth >= MAX_DEPTH {
            return None;
        }
        let location = call.get("Parameters")?.get("Location")?;
        let path = location.text().filter(|path| is_local(path))?;
        let path = format!("{}{path}", self.directory);
        let loaded = match self.sources.load(&path) {
            Ok(loaded) => loaded,
            Err(error) => {
                self.diagnostics.push(
                    Diagnostic::new(Level::Warning, "include", error.to_string())
                        .at(self.file, location.span),
                );
                return None;
            }
        };
        match parse(&loaded) {
            Ok(parsed) => {
                self.diagnostics.extend(parsed.diagnostics);
                self.depth += 1;
                let node = self.node(&parsed.root);
                self.depth -= 1;
                Some(node)
            }
            Err(diagnostic) => {
                self.diagnostics.push(diagnostic);
                None
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::testing::project;
    use crate::{Project, TemplateRead, read};
    use overgrant_source::Sources;
    use overgrant_value::json;
    use std::sync::Arc;

    const MAIN: &str = "Resources:
  X:
    Type: AWS::SNS::Topic
    Properties:
      A: 1
      Fn::Transform: {Name: AWS::Include, Parameters: {Location: inc/part.yaml}}
";

    #[test]
    fn local_files_are_merged_into_the_mapping() {
        let sources = Arc::new(Sources::new("."));
        sources.add("inc/part.yaml", "B: !Ref AWS::Region\n");
        let TemplateRead::Yes(template) = read(&sources.add("t.yaml", MAIN)) else {
            panic!("no template");
        };
        let project = Project::new(sources, vec![*template]);
        let found = project.evaluate("t.yaml");
        assert_eq!(
            json::to_string(&found.resources[0].attrs),
            r#"{"A":1,"B":"${the region}"}"#
        );
    }

    #[test]
    fn an_api_is_defined_by_the_file_beside_the_template() {
        let main = "Transform: AWS::Serverless-2016-10-31
Resources:
  A: {Type: AWS::Serverless::Api, Properties: {StageName: p, DefinitionUri: ./api.yaml}}
  B: {Type: AWS::ApiGateway::RestApi, Properties: {BodyS3Location: api.json}}
  C: {Type: AWS::Serverless::Api, Properties: {StageName: p, DefinitionUri: s3://a/api.yaml}}
  D: {Type: AWS::Serverless::Api, Properties: {StageName: p, DefinitionUri: gone.yaml}}
  E: {Type: AWS::Serverless::StateMachine, Properties: {DefinitionUri: api.yaml}}
";
        let yaml = "x-amazon-apigateway-policy: {Statement: {Principal: '*'}}\n";
        let sources = Arc::new(Sources::new("."));
        sources.add("dir/api.yaml", yaml);
        sources.add("dir/api.json", "{\"info\": {}}");
        let TemplateRead::Yes(template) = read(&sources.add("dir/t.yaml", main)) else {
            panic!("no template");
        };
        let project = Project::new(Arc::clone(&sources), vec![*template]);
        let found = project.evaluate("dir/t.yaml");
        let body = |id: &str| {
            let resource = found
                .resources
                .iter()
                .find(|one| one.address == id)
                .unwrap();
            resource.get("Body").map(|body| json::to_string(&body))
        };
        let policy = r#"{"x-amazon-apigateway-policy":{"Statement":{"Principal":"*"}}}"#;
        let bodies = ["A", "B", "C", "D", "E"].map(body);
        let wanted = [Some(policy), Some(r#"{"info":{}}"#), None, None, None];
        assert_eq!(bodies, wanted.map(|body| body.map(str::to_owned)));
        let api = found
            .resources
            .iter()
            .find(|one| one.address == "A")
            .unwrap();
        let everybody = api
            .get("Body")
            .and_then(|body| body.at(&["x-amazon-apigateway-policy", "Statement", "Principal"]));
        let span = everybody.and_then(|val| val.span()).unwrap();
        assert_eq!(sources.get(span.file).unwrap().path(), "dir/api.yaml");
        let told: Vec<_> = found.diagnostics.iter().map(|told| told.code).collect();
        assert_eq!(told, ["include"]);
    }

    #[test]
    fn a_missing_file_is_told() {
        let found = project(&[("t.yaml", MAIN)]).evaluate("t.yaml");
        assert_eq!(found.diagnostics[0].code, "include");
    }
}
