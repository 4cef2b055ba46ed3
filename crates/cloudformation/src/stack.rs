//! From one template to resources: nested stacks, outputs, emission.
//!
//! Not for which templates are stacks (`project`), nor for single values. Invariant: a stack's resources come out in the order of the template, with
//! those of a nested stack behind it, whatever order they were evaluated in.

use crate::construct::{construct_paths, maker};
use crate::eval::{Evaluator, ParameterValues, Parameters, Placement, Sections, macros};
use crate::expand::{Expanded, expand};
use crate::nested::{Located, in_order, nested_path};
use crate::project::{Evaluated, Options, Project};
use crate::syntax::{Node, Template};
use overgrant_ir::{Format, Mode, Resource, is_relevant, read_of};
use overgrant_source::{Level, SourceFile, Span};
use overgrant_value::{Guard, Src, Val};
use smol_str::SmolStr;
use std::cell::Cell;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// Levels of nested stacks that are entered.
const MAX_NESTING: usize = 16;
/// Nested stacks that are entered for one stack, every use of a template counted anew.
const MAX_STACKS: usize = 500;

/// One evaluation of a stack with its nested stacks.
pub(crate) struct Run<'a> {
    project: &'a Project,
    options: &'a Options,
    exports: &'a BTreeMap<String, Val>,
    root: SmolStr,
    /// Nested stacks entered so far.
    entered: Cell<usize>,
}

/// A template made ready for evaluation.
struct Prepared {
    expanded: Expanded,
    sections: Sections,
    parameters: Parameters,
    addresses: BTreeMap<SmolStr, SmolStr>,
}

impl<'a> Run<'a> {
    pub(crate) fn new(
        project: &'a Project,
        options: &'a Options,
        exports: &'a BTreeMap<String, Val>,
        root: SmolStr,
    ) -> Self {
        Self {
            project,
            options,
            exports,
            root,
            entered: Cell::new(0),
        }
    }

    fn prepare(&self, template: &Template, given: &ParameterValues) -> Prepared {
        let section = template.root.get("Parameters").map(AsRef::as_ref);
        let parameters = Parameters::read(section, given);
        let expanded = expand(&self.project.sources, template, &parameters);
        let sections = Sections::of(&expanded.root);
        let addresses = if self.options.cdk {
            construct_paths(sections.resources.as_deref(), &self.options.construct_paths)
        } else {
            BTreeMap::new()
        };
        Prepared {
            expanded,
            sections,
            parameters,
            addresses,
        }
    }

    fn evaluator<'p>(
        &'p self,
        prepared: &'p Prepared,
        file: &'p SourceFile,
        prefix: &str,
    ) -> Evaluator<'p> {
        Evaluator::new(Placement {
            root: self.root.clone(),
            prefix: prefix.into(),
            addresses: &prepared.addresses,
            file,
            sections: &prepared.sections,
            parameters: &prepared.parameters,
            environment: &self.options.environment,
            exports: self.exports,
        })
    }

    /// What the stack of `template` comes to; `prefix` stands before its logical ids, `chain` holds the
    /// paths of the templates around it.
    pub(crate) fn stack(
        &self,
        template: &Template,
        prefix: &str,
        given: &ParameterValues,
        chain: &mut Vec<SmolStr>,
    ) -> Evaluated {
        let prepared = self.prepare(template, given);
        let mut evaluator = self.evaluator(&prepared, &template.file, prefix);
        let mut result = Evaluated {
            diagnostics: prepared.expanded.diagnostics.clone(),
            ..Evaluated::default()
        };
        tell_macros(&evaluator, &prepared.expanded.root);
        let mut inner = self.nested(&mut evaluator, &prepared, template, prefix, chain);
        let entries = prepared.sections.resources.as_deref();
        let mut seen = BTreeSet::new();
        for entry in entries.map(Node::entries).unwrap_or_default() {
            // Of duplicates the last counts.
            let last = prepared.sections.resource(&entry.key);
            if !last.is_some_and(|last| Arc::ptr_eq(last, &entry.value)) || !seen.insert(&entry.key)
            {
                continue;
            }
            let made = self.resource(
                &evaluator,
                &prepared,
                &entry.key,
                &entry.value,
                entry.key_span,
            );
            result.resources.extend(made);
            if let Some(nested) = inner.remove(&entry.key) {
                result.resources.extend(nested.resources);
                result.diagnostics.extend(nested.diagnostics);
            }
        }
        result.outputs = outputs(&evaluator, &prepared.sections);
        evaluator.decide_all();
        result
            .diagnostics
            .extend(evaluator.diagnostics.into_inner());
        result
    }

    /// Evaluates the nested stacks whose templates are here, each after those it takes outputs of.
    fn nested(
        &self,
        evaluator: &mut Evaluator<'_>,
        prepared: &Prepared,
        template: &Template,
        prefix: &str,
        chain: &mut Vec<SmolStr>,
    ) -> BTreeMap<SmolStr, Evaluated> {
        let mut results = BTreeMap::new();
        let stacks: Vec<(&SmolStr, &Arc<Node>, Located)> = prepared
            .sections
            .resources
            .as_deref()
            .map(Node::entries)
            .unwrap_or_default()
            .iter()
            .filter_map(|entry| {
                let mut located =
                    nested_path(template.file.path(), &entry.value, &self.options.assets)?;
                located.path = self.project.author_of(located.path);
                Some((&entry.key, &entry.value, located))
            })
            .collect();
        for index in in_order(&stacks) {
            let Some((id, node, located)) = stacks.get(index) else {
                continue;
            };
            if chain.len() >= MAX_NESTING || chain.contains(&located.path) {
                evaluator.tell(
                    Level::Warning,
                    "nested-template",
                    located.span,
                    "a template that nests itself was not entered again",
                );
                continue;
            }
            self.entered.set(self.entered.get() + 1);
            if self.entered.get() > MAX_STACKS {
                evaluator.tell(
                    Level::Warning,
                    "nested-template",
                    located.span,
                    &format!("more than {MAX_STACKS} nested stacks; the rest was not entered"),
                );
                break;
            }
            let child = match self.project.template(&located.path) {
                Ok(child) => child,
                Err(reason) => {
                    let reason = reason.map_or_else(
                        || format!("`{}` is no template", located.path),
                        |reason| reason.message,
                    );
                    evaluator.tell(
                        Level::Warning,
                        "nested-template",
                        located.span,
                        &format!("the nested stack was not read: {reason}"),
                    );
                    continue;
                }
            };
            let Some(guard) = guard_of(evaluator, node) else {
                continue;
            };
            let mut given = ParameterValues::new();
            let arguments = node.get("Properties").and_then(|p| p.get("Parameters"));
            for entry in arguments.map(|node| node.entries()).unwrap_or_default() {
                let val = evaluator.value(&entry.value, &guard);
                if !val.is_null() {
                    given.insert(entry.key.clone(), val);
                }
            }
            chain.push(located.path.clone());
            let mut result = self.stack(&child, &format!("{prefix}{id}/"), &given, chain);
            chain.pop();
            result.resources = result
                .resources
                .into_iter()
                .filter_map(|mut resource| {
                    resource.guard = guard.and(&resource.guard)?;
                    Some(resource)
                })
                .collect();
            evaluator
                .nested
                .insert((*id).clone(), result.outputs.clone());
            results.insert((*id).clone(), result);
        }
        results
    }

    fn resource(
        &self,
        evaluator: &Evaluator<'_>,
        prepared: &Prepared,
        id: &SmolStr,
        node: &Node,
        key_span: Span,
    ) -> Option<Resource> {
        let Some(kind) = node.get("Type").and_then(|node| node.text()) else {
            if id != "Fn::Transform" {
                evaluator.tell(
                    Level::Warning,
                    "resource-type",
                    key_span,
                    &format!("the resource `{id}` has no Type and was passed over; add one"),
                );
            }
            return None;
        };
        evaluator.refuse_depends_on(id, node);
        let guard = guard_of(evaluator, node)?;
        let attrs = node
            .get("Properties")
            // What nobody reads is not worked out.
            .filter(|_| is_relevant(kind))
            .map(|properties| evaluator.members(properties, &guard, read_of(kind)))
            .filter(|attrs| attrs.as_map().is_some())
            .unwrap_or_else(|| Val::object(Vec::new(), Src::at(node.span)));
        let address = evaluator.address(id);
        Some(Resource {
            root: self.root.clone(),
            logical_id: (address != *id).then(|| id.clone()),
            address,
            kind: kind.into(),
            mode: Mode::Managed,
            format: if self.options.cdk {
                Format::Cdk
            } else {
                Format::CloudFormation
            },
            origin: prepared.expanded.origins.get(id).cloned(),
            maker: maker(id, kind, node, prepared.addresses.get(id)),
            attrs,
            src: Src::at(key_span.to(node.span)),
            name_src: Src::at(key_span),
            guard,
            maybe: false,
        })
    }

    /// Names (by key) and values of what a template exports.
    pub(crate) fn exported(&self, template: &Template) -> Vec<(String, Val)> {
        let prepared = self.prepare(template, &self.options.parameters);
        let mut evaluator = self.evaluator(&prepared, &template.file, "");
        let mut chain = vec![SmolStr::from(template.file.path())];
        self.nested(&mut evaluator, &prepared, template, "", &mut chain);
        let values = outputs(&evaluator, &prepared.sections);
        let section = prepared.sections.outputs.as_deref();
        let mut exported = Vec::new();
        for entry in section.map(Node::entries).unwrap_or_default() {
            let name = entry
                .value
                .get("Export")
                .and_then(|export| export.get("Name"))
                .map(|node| evaluator.value(node, &Guard::always()))
                .and_then(|name| name.to_text());
            if let (Some(name), Some(val)) = (name, values.get(&entry.key)) {
                exported.push((name.key(), val.clone()));
            }
        }
        exported
    }
}

/// Tells about macros that this tool does not run.
fn tell_macros(evaluator: &Evaluator<'_>, root: &Node) {
    for (name, span) in macros(root) {
        evaluator.tell(
            Level::Note,
            "macro",
            span,
            &format!("the macro `{name}` was not run; what it changes is not checked"),
        );
    }
}

/// When a resource or output exists; `None`: never.
fn guard_of(evaluator: &Evaluator<'_>, node: &Node) -> Option<Guard> {
    match node.get("Condition") {
        Some(condition) => match condition.text() {
            Some(name) => evaluator.condition_or_open(name, condition).holds,
            None => Some(Guard::always()),
        },
        None => Some(Guard::always()),
    }
}

fn outputs(evaluator: &Evaluator<'_>, sections: &Sections) -> BTreeMap<SmolStr, Val> {
    let mut outputs = BTreeMap::new();
    let section = sections.outputs.as_deref();
    for entry in section.map(Node::entries).unwrap_or_default() {
        let Some(guard) = guard_of(evaluator, &entry.value) else {
            continue;
        };
        if let Some(value) = entry.value.get("Value") {
            outputs.insert(entry.key.clone(), evaluator.value(value, &guard));
        }
    }
    outputs
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::parameter_values;
    use crate::testing::{one, project};
    use overgrant_source::Sources;
    use overgrant_value::json;

    fn attrs(evaluated: &Evaluated, address: &str) -> String {
        let resource = evaluated
            .resources
            .iter()
            .find(|resource| resource.address == address)
            .unwrap();
        json::to_string(&resource.attrs)
    }

    #[test]
    fn nested_stacks_pass_parameters_and_outputs() {
        let files = [
            (
                "a/main.yaml",
                "Resources:
  Roles:
    Type: AWS::CloudFormation::Stack
    Condition: On
    Properties: {TemplateURL: ./roles.yaml, Parameters: {Bucket: !GetAtt Data.Outputs.Name}}
  Data:
    Type: AWS::CloudFormation::Stack
    Properties: {TemplateURL: ../data.yaml}
Conditions: {On: !Equals [!Ref 'AWS::Region', eu-west-1]}
",
            ),
            (
                "a/roles.yaml",
                "Parameters: {Bucket: {Type: String}}
Resources:
  R: {Type: AWS::IAM::Role, Properties: {D: !Sub 'arn:aws:s3:::${Bucket}/*'}}
",
            ),
            (
                "data.yaml",
                "Resources: {B: {Type: AWS::S3::Bucket, Properties: {BucketName: data}}}
Outputs: {Name: {Value: !Ref B}}
",
            ),
        ];
        let project = project(&files);
        assert_eq!(project.stacks(), ["a/main.yaml"]);
        let found = project.evaluate("a/main.yaml");
        let addresses: Vec<_> = found.resources.iter().map(|r| r.address.as_str()).collect();
        assert_eq!(addresses, ["Roles", "Roles/R", "Data", "Data/B"]);
        assert_eq!(attrs(&found, "Roles/R"), r#"{"D":"arn:aws:s3:::data/*"}"#);
        assert_eq!(found.resources[1].guard.to_string(), "region = eu-west-1");
        assert!(found.resources.iter().all(|r| r.root == "a/main.yaml"));
        assert!(found.diagnostics.is_empty(), "{:?}", found.diagnostics);
    }

    #[test]
    fn what_is_built_is_read_from_its_source() {
        let outer = "Resources: {N: {Type: AWS::CloudFormation::Stack, Properties: {TemplateURL: ../in/.aws-sam/build/template.yaml}}}";
        let inner = "Resources: {Q: {Type: AWS::SQS::Queue}}";
        let project = project(&[("out/t.yaml", outer), ("in/template.yml", inner)]);
        assert_eq!(project.stacks(), ["out/t.yaml"]);
        let found = project.evaluate("out/t.yaml");
        assert_eq!(found.diagnostics, []);
        let last = found.resources.last().unwrap();
        assert_eq!(
            (last.address.as_str(), last.kind.as_str()),
            ("N/Q", "AWS::SQS::Queue")
        );
    }

    #[test]
    fn templates_that_nest_each_other_are_still_read() {
        let nest = |other: &str| {
            format!(
                "Resources: {{N: {{Type: AWS::CloudFormation::Stack, Properties: {{TemplateURL: {other}}}}}}}"
            )
        };
        let (a, b) = (nest("b.yaml"), nest("a.yaml"));
        let project = project(&[("a.yaml", &a), ("b.yaml", &b)]);
        assert_eq!(project.stacks(), ["a.yaml"]);
        let found = project.evaluate("a.yaml");
        assert_eq!(found.resources.len(), 2);
        assert_eq!(found.diagnostics[0].code, "nested-template");
    }

    #[test]
    fn stacks_that_multiply_end() {
        let files: Vec<(String, String)> = (0..12)
            .map(|level| {
                let uses: String = (0..6)
                    .map(|n| format!("  S{n}: {{Type: AWS::CloudFormation::Stack, Properties: {{TemplateURL: n{}.yaml}}}}\n", level + 1))
                    .collect();
                (format!("n{level}.yaml"), format!("Resources:\n{uses}"))
            })
            .collect();
        let files: Vec<_> = files
            .iter()
            .map(|(a, b)| (a.as_str(), b.as_str()))
            .collect();
        let found = project(&files).evaluate("n0.yaml");
        assert!(found.resources.len() < 4_000);
        let told = found.diagnostics.iter();
        assert!(
            told.into_iter()
                .any(|told| told.message.contains("500 nested"))
        );
    }

    #[test]
    fn imports_resolve_to_exports_of_other_templates() {
        let files = [
            (
                "base.yaml",
                "Resources: {B: {Type: AWS::S3::Bucket}}
Outputs: {O: {Value: !GetAtt B.Arn, Export: {Name: !Sub 'x-${AWS::Region}'}}}",
            ),
            (
                "use.yaml",
                "Resources: {T: {Type: AWS::SNS::Topic, Properties: {V: !ImportValue {'Fn::Sub': 'x-${AWS::Region}'}}}}",
            ),
        ];
        let found = project(&files).evaluate("use.yaml");
        assert_eq!(
            attrs(&found, "T"),
            r#"{"V":"arn:${the partition}:s3:::${B.name}"}"#
        );
    }

    #[test]
    fn given_values_collapse_conditions_and_defaults() {
        let text = "Parameters: {Env: {Type: String, Default: dev}}
Conditions: {Prod: !Equals [!Ref Env, prod]}
Resources: {T: {Type: AWS::SNS::Topic, Properties: {A: !If [Prod, !Ref Env, x]}}}";
        let sources = Sources::new(".");
        for given in [
            r#"[{"ParameterKey": "Env", "ParameterValue": "prod"}]"#,
            r#"{"Parameters": {"Env": "prod"}}"#,
            r#"{"Env": "prod"}"#,
        ] {
            let file = sources.add(given, given);
            let options = Options {
                parameters: parameter_values(&file).unwrap(),
                ..Options::default()
            };
            let found = project(&[("t.yaml", text)])
                .with_options("t.yaml", options)
                .evaluate("t.yaml");
            assert_eq!(attrs(&found, "T"), r#"{"A":"prod"}"#);
        }
        assert!(parameter_values(&sources.add("x", "3")).is_err());
    }

    #[test]
    fn stacks_can_be_evaluated_on_several_threads() {
        let project = project(&[("t.yaml", "Resources: {T: {Type: AWS::SNS::Topic}}")]);
        std::thread::scope(|scope| {
            let runs: Vec<_> = (0..2)
                .map(|_| scope.spawn(|| project.evaluate("t.yaml").resources.len()))
                .collect();
            for run in runs {
                assert_eq!(run.join().unwrap(), 1);
            }
        });
    }

    #[test]
    fn properties_that_nothing_reads_are_not_evaluated() {
        let found = one("Resources:
  A: {Type: AWS::EC2::VPC, Properties: {CidrBlock: !Nope x}}
  B: {Type: AWS::SQS::Queue, Properties: {QueueName: !GetAtt A.CidrBlock}}
");
        assert!(found.diagnostics.is_empty(), "{:?}", found.diagnostics);
        assert_eq!(attrs(&found, "A"), "{}");
        assert_eq!(attrs(&found, "B"), r#"{"QueueName":"${A.CidrBlock}"}"#);
    }

    #[test]
    fn macros_are_told() {
        let found = one(
            "Transform: [AWS::LanguageExtensions, Mine]\nResources: {T: {Type: AWS::SNS::Topic}}\n",
        );
        let seen: Vec<_> = found.diagnostics.iter().map(|d| d.code).collect();
        assert_eq!(seen, ["macro"]);
    }

    #[test]
    fn duplicates_and_missing_types() {
        let found = one("Resources:
  A: {Type: AWS::SNS::Topic, Properties: {N: 1}}
  A: {Type: AWS::SNS::Topic, Properties: {N: 2}}
  B: {Properties: {}}
");
        assert_eq!(found.resources.len(), 1);
        assert_eq!(attrs(&found, "A"), r#"{"N":2}"#);
        assert_eq!(found.diagnostics[0].code, "resource-type");
    }

    #[test]
    fn construct_paths_are_addresses_and_symbols() {
        let text = r#"{"Resources": {
            "Role1": {"Type": "AWS::IAM::Role", "Metadata": {"aws:cdk:path": "S/Role/Resource"}},
            "P": {"Type": "AWS::IAM::Policy", "Metadata": {"aws:cdk:path": "S/P/Resource"},
                  "Properties": {"Roles": [{"Ref": "Role1"}]}}}}"#;
        let options = Options {
            cdk: true,
            root: Some("S".into()),
            ..Options::default()
        };
        let found = project(&[("S.template.json", text)])
            .with_options("S.template.json", options)
            .evaluate("S.template.json");
        assert_eq!(found.resources[0].address, "S/Role");
        assert_eq!(found.resources[0].logical_id.as_deref(), Some("Role1"));
        assert_eq!(found.resources[0].root, "S");
        assert_eq!(attrs(&found, "S/P"), r#"{"Roles":["${S/Role.name}"]}"#);
    }

    #[test]
    fn a_value_remembers_its_way() {
        let text = "Parameters: {Actions: {Type: String, Default: 's3:*'}}
Mappings: {M: {a: {k: 'm'}}}
Resources:
  N: {Type: AWS::CloudFormation::Stack, Properties: {TemplateURL: n.yaml, Parameters: {A: !Ref Actions}}}
";
        let inner = "Parameters: {A: {Type: String}}
Resources: {X: {Type: AWS::IAM::Role, Properties: {V: !Ref A}}}
";
        let found = project(&[("t.yaml", text), ("n.yaml", inner)]).evaluate("t.yaml");
        let val = found.resources[1].get("V").unwrap();
        assert_eq!(text.get(val.span().unwrap().range()), Some("'s3:*'"));
        let labels: Vec<_> = val.src().hops().into_iter().map(|hop| hop.label).collect();
        assert_eq!(labels, ["default of parameter Actions", "parameter A"]);
        assert!(val.marks().has(overgrant_value::Marks::FROM_DEFAULT));
        let piece = val.to_text().unwrap();
        assert_eq!(
            piece
                .src_of(0..4)
                .unwrap()
                .span
                .map(|s| text.get(s.range()).unwrap()),
            Some("s3:*")
        );
    }

    #[test]
    fn texts_of_texts_do_not_grow_without_end() {
        let mut text = String::from(
            "Resources:\n  T0: {Type: AWS::SNS::Topic, Properties: {TopicName: xxxxxxxxxx}}\n",
        );
        for n in 0..12 {
            text.push_str(&format!(
                "  T{}: {{Type: AWS::SNS::Topic, Properties: {{TopicName: !Join ['', [{}]]}}}}\n",
                n + 1,
                format!("!GetAtt T{n}.TopicName, ").repeat(30)
            ));
        }
        let found = one(&text);
        assert_eq!(found.resources.len(), 13);
        assert_eq!(found.diagnostics[0].code, "too-complex");
    }

    #[test]
    fn a_chain_of_names_does_not_overflow() {
        let mut text = String::from("Resources:\n");
        for n in 0..20_000 {
            text.push_str(&format!(
                "  B{n}: {{Type: AWS::S3::Bucket, Properties: {{BucketName: !Sub 'x${{B{}}}'}}}}\n",
                n + 1
            ));
        }
        assert_eq!(one(&text).resources.len(), 20_000);
    }
}
