//! `AWS::Include` of files that stand beside the template, before `aws cloudformation package`.
//!
//! Not for files in buckets: those stay open and are told by the evaluator. Invariant: reads go
//! through the run's file set, so nothing outside the base is opened.
//! <https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/transform-aws-include.html>

use crate::syntax::{Entry, Kind, Node, parse_json, parse_yaml};
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
        let parsed = if loaded.text().trim_start().starts_with('{') {
            parse_json(&loaded)
        } else {
            parse_yaml(&loaded)
        };
        match parsed {
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
    fn a_missing_file_is_told() {
        let found = project(&[("t.yaml", MAIN)]).evaluate("t.yaml");
        assert_eq!(found.diagnostics[0].code, "include");
    }
}
