//! An assembly: its stacks with their templates, stages included.
//!
//! Not for the values in them. Invariant: addresses are construct paths, roots are artifact ids below
//! the assembly's directory, and each template is read once.

use crate::reader::Reader;
use crate::trace::{Construct, Traces};
use overgrant_cloudformation::{Environment, Project, Template};
use overgrant_ir::{Maker, Resource};
use overgrant_source::{Diagnostic, Sources, Span};
use overgrant_value::{Src, Val};
use smol_str::SmolStr;
use std::collections::BTreeMap;
use std::sync::Arc;

/// One assembly, read and ready for evaluation.
#[derive(Debug)]
pub struct Assembly {
    sources: Arc<Sources>,
    directories: Vec<String>,
    stacks: Vec<Stack>,
    project: Project,
    traces: Traces,
    diagnostics: Vec<Diagnostic>,
}

/// One stack of an assembly.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stack {
    /// The root in addresses and symbols: the artifact id below its directory, relative to the base.
    pub root: SmolStr,
    /// The path by which the CDK shows it, e.g. `Prod/StageStack`.
    pub display_name: SmolStr,
    /// Its template, relative to the base.
    pub template: SmolStr,
    /// Account, region and name, where the app says them.
    pub environment: Environment,
}

/// What a stack came to.
#[derive(Debug, Default)]
pub struct Synthesized {
    /// Its resources and those of its nested stacks.
    pub resources: Vec<Resource>,
    /// Its outputs.
    pub outputs: BTreeMap<SmolStr, Val>,
    /// The places in the app, for the resources of which they are known, in the resources' order.
    pub constructs: Vec<Construct>,
    /// The classes of the constructs by address, for those that the tree of the assembly knows, e.g.
    /// `aws-cdk-lib.aws_iam.Role`.
    pub classes: BTreeMap<SmolStr, SmolStr>,
    /// What went wrong on the way.
    pub diagnostics: Vec<Diagnostic>,
}

impl Assembly {
    /// Reads the assembly in `directory` (relative to the base).
    #[must_use]
    pub fn read(sources: Arc<Sources>, directory: &str) -> Self {
        let Reader {
            directories,
            stacks,
            options,
            templates,
            traces,
            diagnostics,
            ..
        } = Reader::read(&sources, directory);
        let mut project = Project::new(Arc::clone(&sources), templates.into_values().collect());
        for (template, options) in options {
            project = project.with_options(template, options);
        }
        Self {
            sources,
            directories,
            stacks,
            project,
            traces,
            diagnostics,
        }
    }

    /// The stacks, in the order of directories and artifact ids.
    #[must_use]
    pub fn stacks(&self) -> &[Stack] {
        &self.stacks
    }

    /// The directories of the assembly and its stages, relative to the base.
    #[must_use]
    pub fn directories(&self) -> &[String] {
        &self.directories
    }

    /// The templates that were read for it.
    pub fn templates(&self) -> impl Iterator<Item = Arc<Template>> {
        self.project.templates()
    }

    /// What went wrong while reading the assembly itself.
    #[must_use]
    pub fn diagnostics(&self) -> &[Diagnostic] {
        &self.diagnostics
    }

    /// Evaluates one stack. Stacks can be evaluated on several threads.
    ///
    /// A resource whose construct's place in the app is known has that place as its `name_src`, with
    /// the logical id in the template as a hop.
    #[must_use]
    pub fn evaluate(&self, stack: &Stack) -> Synthesized {
        let found = self.project.evaluate(&stack.template);
        let mut constructs = Vec::new();
        let mut classes = BTreeMap::new();
        let resources = found
            .resources
            .into_iter()
            .map(|mut resource| {
                if self.traces.is_framework(&resource.address) {
                    resource.maker = Maker::Framework;
                }
                let class = self.traces.class(&resource.address);
                if let Some(class) = class {
                    classes.insert(resource.address.clone(), class.clone());
                }
                let place = self.traces.place(&self.sources, &resource.address);
                if let (Some((source, own)), Some(template), Some(key)) =
                    (place, resource.src.span, resource.name_src.span)
                {
                    let class = class.map(|class| format!(" ({class})"));
                    let label = format!(
                        "construct {}{}",
                        resource.address,
                        class.unwrap_or_default()
                    );
                    resource.name_src = Src::at(source).through(key, label);
                    constructs.push(Construct {
                        path: resource.address.clone(),
                        template,
                        source,
                        own,
                    });
                }
                resource
            })
            .collect();
        Synthesized {
            resources,
            outputs: found.outputs,
            constructs,
            classes,
            diagnostics: found.diagnostics,
        }
    }
}

impl Synthesized {
    /// The construct in whose resource of a template `span` stands, if its place in the app is known.
    #[must_use]
    pub fn construct_at(&self, span: Span) -> Option<&Construct> {
        self.constructs
            .iter()
            .filter(|construct| construct.template.contains(span))
            .min_by_key(|construct| construct.template.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::reader::MAX_STAGES;
    use overgrant_source::Level;
    use overgrant_value::json;

    const MANIFEST: &str = r#"{"version": "55.0.0", "artifacts": {
        "App": {"type": "aws:cloudformation:stack", "environment": "aws://111111111111/eu-west-1",
                "properties": {"templateFile": "App.template.json", "stackName": "app-prod"},
                "additionalMetadataFile": "App.metadata.json", "displayName": "App"},
        "Gone": {"type": "aws:cloudformation:stack", "properties": {"templateFile": "Gone.template.json"}},
        "assembly-Prod": {"type": "cdk:cloud-assembly", "properties": {"directoryName": "assembly-Prod"}}}}"#;
    const APP: &str = r#"{
 "Conditions": {"Here": {"Fn::Equals": [{"Ref": "AWS::Region"}, "eu-west-1"]}},
 "Resources": {
  "Role1": {"Type": "AWS::IAM::Role", "Condition": "Here", "Metadata": {"aws:cdk:path": "App/Role/Resource"}},
  "Policy1": {"Type": "AWS::IAM::Policy", "Properties": {"Roles": [{"Ref": "Role1"}]},
   "Metadata": {"aws:cdk:path": "App/Role/DefaultPolicy/Resource"}},
  "Handler": {"Type": "AWS::IAM::Role", "Metadata": {"aws:cdk:path": "App/Custom::XCustomResourceProvider/Role"}},
  "Nested1": {"Type": "AWS::CloudFormation::Stack", "Properties": {"TemplateURL": {"Fn::Sub": "https://s3/x"}},
   "Metadata": {"aws:cdk:path": "App/Inner.NestedStack/Inner.NestedStackResource",
    "aws:asset:path": "Inner.nested.template.json", "aws:asset:property": "TemplateURL"}}},
 "Outputs": {"Ex": {"Value": {"Fn::GetAtt": ["Role1", "Arn"]}, "Export": {"Name": "App:Role"}}}
}"#;
    const INNER: &str = r#"{"Resources": {"R": {"Type": "AWS::IAM::Role", "Metadata": {"aws:cdk:path": "App/Inner/R/Resource"}}}}"#;
    const METADATA: &str = r#"{"/App/Role/Resource": [{"type": "aws:cdk:logicalId", "data": "Role1"},
        {"type": "aws:cdk:creationStack", "data": ["...new Role2 in aws-cdk-lib...", "new App (/ci/repo/infra/app.ts:2:5)"]}],
        "/App/Custom::XCustomResourceProvider": [{"type": "aws:cdk:is-custom-resource-handler-customResourceProvider", "data": true}]}"#;
    const STAGE: &str = r#"{"version": "55.0.0", "artifacts": {
        "S": {"type": "aws:cloudformation:stack", "environment": "aws://unknown-account/unknown-region",
              "properties": {"templateFile": "S.template.json"}, "displayName": "Prod/S"}}}"#;
    const IN_STAGE: &str = r#"{"Resources": {"T": {"Type": "AWS::SNS::Topic", "Properties": {"V": {"Fn::ImportValue": "App:Role"}},
        "Metadata": {"aws:cdk:path": "Prod/S/T/Resource"}}}}"#;

    fn assembly() -> (Arc<Sources>, Assembly) {
        let sources = Arc::new(Sources::new("."));
        for (path, text) in [
            ("infra/cdk.out/manifest.json", MANIFEST),
            ("infra/cdk.out/cdk.out", "{}"),
            ("infra/cdk.out/App.template.json", APP),
            ("infra/cdk.out/App.metadata.json", METADATA),
            ("infra/cdk.out/Inner.nested.template.json", INNER),
            ("infra/cdk.out/assembly-Prod/manifest.json", STAGE),
            ("infra/cdk.out/assembly-Prod/S.template.json", IN_STAGE),
            ("infra/app.ts", "class App {\n    new Role(this, 'Role');\n"),
        ] {
            sources.add(path, text);
        }
        let assembly = Assembly::read(Arc::clone(&sources), "infra/cdk.out");
        (sources, assembly)
    }

    #[test]
    fn stacks_stages_and_what_is_missing() {
        let (_, assembly) = assembly();
        let names: Vec<_> = assembly.stacks().iter().map(|s| s.root.as_str()).collect();
        assert_eq!(
            names,
            ["infra/cdk.out/App", "infra/cdk.out/assembly-Prod/S"]
        );
        assert_eq!(
            assembly.stacks()[0].environment.account.as_deref(),
            Some("111111111111")
        );
        assert_eq!(assembly.stacks()[1].environment.account, None);
        assert_eq!(assembly.directories().len(), 2);
        let codes: Vec<_> = assembly.diagnostics().iter().map(|d| d.code).collect();
        assert_eq!(codes, ["cdk-missing-file"]);
        assert!(assembly.diagnostics()[0].not_parsed);
    }

    #[test]
    fn addresses_places_and_framework() {
        let (sources, assembly) = assembly();
        let found = assembly.evaluate(&assembly.stacks()[0]);
        let seen: Vec<_> = found
            .resources
            .iter()
            .map(|r| (r.address.as_str(), r.maker))
            .collect();
        assert_eq!(
            seen,
            [
                ("App/Role", Maker::Author),
                ("App/Role/DefaultPolicy", Maker::CdkGrant),
                ("App/Custom::XCustomResourceProvider/Role", Maker::Framework),
                (
                    "App/Inner.NestedStack/Inner.NestedStackResource",
                    Maker::Author
                ),
                ("App/Inner/R", Maker::Author),
            ]
        );
        let role = &found.resources[0];
        assert!(role.guard.is_always(), "the region is known");
        assert_eq!(role.logical_id.as_deref(), Some("Role1"));
        let source = sources.slice(role.name_src.span.unwrap());
        assert_eq!(source, "new Role(this, 'Role');");
        assert_eq!(role.name_src.hops()[0].label, "construct App/Role");
        let own: Vec<_> = found
            .constructs
            .iter()
            .map(|c| (c.path.as_str(), c.own))
            .collect();
        assert_eq!(own, [("App/Role", true), ("App/Role/DefaultPolicy", false)]);
        assert_eq!(
            json::to_string(&found.resources[1].attrs),
            r#"{"Roles":["${App/Role.name}"]}"#
        );
        let place = found.resources[1].attrs.span().unwrap();
        let construct = found.construct_at(place).unwrap();
        assert_eq!(construct.path, "App/Role/DefaultPolicy");
        let place = found.resources[2].src.span.unwrap();
        assert_eq!(found.construct_at(place), None, "no frame was recorded");
    }

    #[test]
    fn stacks_import_from_each_other() {
        let (_, assembly) = assembly();
        let found = assembly.evaluate(&assembly.stacks()[1]);
        assert_eq!(
            json::to_string(&found.resources[0].attrs),
            r#"{"V":"arn:${the partition}:iam::${the account id}:role/${App/Role.name}"}"#
        );
    }

    #[test]
    fn paths_come_from_the_metadata_where_templates_have_none() {
        let sources = Arc::new(Sources::new("."));
        sources.add(
            "o/manifest.json",
            r#"{"version": "1", "artifacts": {"A": {"type": "aws:cloudformation:stack", "properties": {"templateFile": "A.json"},
                "metadata": {"/A/Role/Resource": [{"type": "aws:cdk:logicalId", "data": "Role1"}],
                             "/A/X": [{"type": "aws:cdk:logicalId", "data": "Twice"}], "/A/Y": [{"type": "aws:cdk:logicalId", "data": "Twice"}]}}}}"#,
        );
        sources.add(
            "o/A.json",
            r#"{"Resources": {"Role1": {"Type": "AWS::IAM::Role"}, "Twice": {"Type": "AWS::SNS::Topic"}}}"#,
        );
        let assembly = Assembly::read(sources, "o");
        let found = assembly.evaluate(&assembly.stacks()[0]);
        let addresses: Vec<_> = found.resources.iter().map(|r| r.address.as_str()).collect();
        assert_eq!(addresses, ["A/Role", "Twice"]);
    }

    #[test]
    fn a_manifest_does_not_lead_out() {
        let sources = Arc::new(Sources::new("."));
        let manifest = r#"{"version": "1", "artifacts": {
            "S": {"type": "aws:cloudformation:stack", "properties": {"templateFile": "../../etc/passwd"}},
            "T": {"type": "cdk:cloud-assembly", "properties": {"directoryName": "../x"}}}}"#;
        sources.add("x/manifest.json", manifest);
        let assembly = Assembly::read(Arc::clone(&sources), "x");
        let codes: Vec<_> = assembly.diagnostics().iter().map(|d| d.code).collect();
        assert_eq!(codes, ["cdk-manifest", "cdk-manifest"]);
        assert_eq!(assembly.directories(), ["x"]);
        let words = &assembly.diagnostics()[1].message;
        assert!(words.contains("`../x` lies outside"), "{words}");
    }

    #[test]
    fn stages_that_hold_each_other_end() {
        let sources = Arc::new(Sources::new("."));
        let mut directory = String::from("x");
        for _ in 0..40 {
            let manifest = r#"{"version": "1", "artifacts": {"T": {"type": "cdk:cloud-assembly", "properties": {"directoryName": "s"}},
                "U": {"type": "cdk:cloud-assembly", "properties": {"directoryName": "."}}}}"#;
            sources.add(&format!("{directory}/manifest.json"), manifest);
            directory.push_str("/s");
        }
        let assembly = Assembly::read(Arc::clone(&sources), "x");
        assert_eq!(assembly.directories().len(), MAX_STAGES + 1);
        let told = assembly.diagnostics();
        assert!(told.iter().all(|told| told.code == "cdk-manifest"));
        assert!(
            told.iter()
                .any(|told| told.message.contains("inside each other"))
        );
    }

    #[test]
    fn names_in_a_manifest_are_resolved() {
        let sources = Arc::new(Sources::new("."));
        sources.add(
            "x/manifest.json",
            r#"{"version": "1", "artifacts": {"T": {"type": "cdk:cloud-assembly", "properties": {"directoryName": "a/../assembly-P"}}}}"#,
        );
        sources.add("x/assembly-P/manifest.json", STAGE);
        sources.add("x/assembly-P/S.template.json", IN_STAGE);
        let assembly = Assembly::read(Arc::clone(&sources), "x");
        assert_eq!(assembly.directories(), ["x", "x/assembly-P"]);
        assert_eq!(assembly.stacks()[0].root, "x/assembly-P/S");
    }

    #[test]
    fn a_broken_manifest_is_told() {
        let sources = Arc::new(Sources::new("."));
        sources.add("cdk.out/manifest.json", "{");
        let assembly = Assembly::read(sources, "cdk.out");
        assert_eq!(assembly.diagnostics()[0].code, "cdk-manifest");
    }

    #[test]
    fn templates_are_read_where_the_manifest_leads_to_nothing() {
        let role = r#"{"Resources": {"R": {"Type": "AWS::IAM::Role"}}}"#;
        for (manifest, level, lost) in [
            (Some("{"), Level::Error, true),
            (
                Some(r#"{"version": "1", "artifacts": []}"#),
                Level::Error,
                true,
            ),
            (
                Some(r#"{"version": "1", "stacks": {}}"#),
                Level::Warning,
                false,
            ),
            (
                Some(r#"{"version": "1", "artifacts": {"Tree": {"type": "cdk:tree"}}}"#),
                Level::Warning,
                false,
            ),
            (None, Level::Warning, false),
        ] {
            let sources = Arc::new(Sources::new("."));
            if let Some(manifest) = manifest {
                sources.add("x/manifest.json", manifest);
            }
            sources.add("x/tree.json", "{}");
            sources.add("x/Inner.nested.template.json", role);
            sources.add("x/App.assets.json", "{}");
            sources.add("x/App.template.json", APP);
            sources.add("x/App.metadata.json", METADATA);
            sources.add("x/odd.json", role);
            let assembly = Assembly::read(sources, "x");
            let roots: Vec<_> = assembly.stacks().iter().map(|s| s.root.as_str()).collect();
            assert_eq!(roots, ["x/App", "x/odd"], "{manifest:?}");
            let found = assembly.evaluate(&assembly.stacks()[0]);
            assert_eq!(found.resources[0].address, "App/Role", "{manifest:?}");
            let told = assembly.diagnostics().last().unwrap();
            assert_eq!(
                (told.code, told.level, told.not_parsed),
                ("cdk-manifest", level, lost)
            );
            assert!(
                told.message.contains("were read without it"),
                "{}",
                told.message
            );
        }
    }

    #[test]
    fn an_assembly_is_never_passed_over_in_silence() {
        for (beside, code, level) in [
            (("tree.json", "{}"), "cdk-manifest", Level::Note),
            (("S.template.json", "{}"), "cdk-manifest", Level::Note),
        ] {
            let sources = Arc::new(Sources::new("."));
            sources.add("x/manifest.json", r#"{"version": "1"}"#);
            sources.add(&format!("x/{}", beside.0), beside.1);
            let assembly = Assembly::read(sources, "x");
            let told: Vec<_> = assembly
                .diagnostics()
                .iter()
                .map(|d| (d.code, d.level))
                .collect();
            assert_eq!(told, [(code, level)], "{beside:?}");
        }
        let sources = Arc::new(Sources::new("."));
        sources.add("x/manifest.json", r#"{"version": "1", "artifacts": {"A": {"type": "aws:cloudformation:stack", "properties": {"templateFile": "A.json"}}}}"#);
        sources.add("x/A.json", "no template");
        let assembly = Assembly::read(sources, "x");
        assert_eq!(assembly.diagnostics()[0].code, "cdk-template");
    }

    #[test]
    fn a_newer_schema_is_read_and_told_once() {
        let (_, assembly) = assembly();
        assert!(
            assembly
                .diagnostics()
                .iter()
                .all(|d| d.code != "cdk-version")
        );
        let sources = Arc::new(Sources::new("."));
        sources.add("x/manifest.json", &MANIFEST.replace("55.0.0", "1234.0.0"));
        sources.add("x/App.template.json", APP);
        sources.add("x/App.metadata.json", METADATA);
        sources.add(
            "x/assembly-Prod/manifest.json",
            &STAGE.replace("55.0.0", "1234.0.0"),
        );
        sources.add("x/assembly-Prod/S.template.json", IN_STAGE);
        let assembly = Assembly::read(sources, "x");
        assert_eq!(assembly.stacks().len(), 2);
        let told = assembly.diagnostics().iter();
        assert_eq!(told.filter(|d| d.code == "cdk-version").count(), 1);
    }
}
