//! Reading an assembly: from its manifest to templates, metadata and stages.
//!
//! Not for the values in the templates. Invariant: nothing is read that lies outside the assembly, and
//! what is named and is not there is told; a manifest that leads to nothing does not keep the templates
//! beside it from being read.

use crate::assembly::Stack;
use crate::manifest::{self, Artifact, StackArtifact, assets};
use crate::trace::Traces;
use crate::tree::classes;
use overgrant_cloudformation::{
    Environment, Options, ParameterValues, Template, TemplateRead, read,
};
use overgrant_source::{Diagnostic, Level, Sources};
use overgrant_value::{Src, Val};
use smol_str::SmolStr;
use std::collections::BTreeMap;
use std::sync::Arc;

/// Stages inside stages that are followed.
pub(crate) const MAX_STAGES: usize = 8;

/// What becomes of templates to which no manifest leads.
const BESIDE: &str = "the templates beside it were read without it, so their accounts, regions and parameters are not known; run `cdk synth` again";

/// What was read so far.
pub(crate) struct Reader<'a> {
    sources: &'a Arc<Sources>,
    pub(crate) directories: Vec<String>,
    pub(crate) stacks: Vec<Stack>,
    pub(crate) options: Vec<(SmolStr, Options)>,
    pub(crate) templates: BTreeMap<SmolStr, Template>,
    pub(crate) traces: Traces,
    pub(crate) diagnostics: Vec<Diagnostic>,
}

impl<'a> Reader<'a> {
    /// Reads the assembly in `directory` (relative to the base).
    pub(crate) fn read(sources: &'a Arc<Sources>, directory: &str) -> Self {
        let directory = directory.trim_end_matches('/');
        let app = match directory.rsplit_once('/') {
            Some((parent, _)) => format!("{parent}/"),
            None => String::new(),
        };
        let mut reader = Self {
            sources,
            directories: Vec::new(),
            stacks: Vec::new(),
            options: Vec::new(),
            templates: BTreeMap::new(),
            traces: Traces::new(app),
            diagnostics: Vec::new(),
        };
        reader.manifest(directory, 0);
        reader
    }

    fn manifest(&mut self, directory: &str, depth: usize) {
        if self.directories.iter().any(|known| known == directory) {
            return;
        }
        if depth > MAX_STAGES {
            let words = format!(
                "more than {MAX_STAGES} stages stand inside each other; the inner ones were not read, run `cdk synth` again"
            );
            self.tell(Level::Warning, "cdk-manifest", directory, &words);
            return;
        }
        self.directories.push(directory.to_owned());
        let slash = with_slash(directory);
        let path = format!("{slash}manifest.json");
        let text = match self.sources.peek(&path) {
            Ok(text) => text,
            Err(error) => {
                if self.beside(directory, depth) {
                    let words = format!("the assembly has no manifest; {BESIDE}");
                    self.tell(Level::Warning, "cdk-manifest", &path, &words);
                } else {
                    self.missing(&path, &error.to_string());
                }
                return;
            }
        };
        let manifest = match manifest::read(&text) {
            Ok(manifest) => manifest,
            Err(message) => {
                let rest = if self.beside(directory, depth) {
                    BESIDE
                } else {
                    "run `cdk synth` again"
                };
                self.diagnostics.push(
                    Diagnostic::new(Level::Error, "cdk-manifest", format!("{message}; {rest}"))
                        .in_file(path.as_str())
                        .losing_file(),
                );
                return;
            }
        };
        if let Some(version) = manifest.newer.as_ref().filter(|_| depth == 0) {
            let words = format!(
                "this assembly is of schema {version}, which is newer than this program; what is new in it was passed over, so look for a newer overgrant"
            );
            self.tell(Level::Note, "cdk-version", &path, &words);
        }
        for problem in &manifest.problems {
            let words = format!("{problem}; run `cdk synth` again");
            self.tell(Level::Warning, "cdk-manifest", &path, &words);
        }
        if manifest.leads_on() {
            self.artifacts(&slash, &path, manifest.artifacts, depth);
        } else if self.beside(directory, depth) {
            let words = format!("the manifest names no stack; {BESIDE}");
            self.tell(Level::Warning, "cdk-manifest", &path, &words);
        } else {
            let words = "the manifest names no stack, and no template stands beside it; nothing was checked, so run `cdk synth` again if the app has stacks";
            self.tell(Level::Note, "cdk-manifest", &path, words);
        }
    }

    /// Follows the artifacts of one manifest.
    fn artifacts(&mut self, slash: &str, path: &str, artifacts: Vec<Artifact>, depth: usize) {
        let assets = self.assets(slash, path, &artifacts);
        for artifact in artifacts {
            match artifact {
                Artifact::Stack(mut stack) => {
                    if let Some(template) = self.inside(path, &stack.template) {
                        stack.template = template;
                        self.stack(slash, path, *stack, &assets);
                    }
                }
                Artifact::Stage { directory } => {
                    if let Some(directory) = self.inside(path, &directory) {
                        self.manifest(&format!("{slash}{directory}"), depth + 1);
                    }
                }
                // Read before, as stacks need them.
                Artifact::Assets { .. } => {}
                Artifact::Tree { file } => {
                    if let Some(file) = self.inside(path, &file) {
                        self.tree(&format!("{slash}{file}"));
                    }
                }
            }
        }
    }

    /// Reads what stands beside a manifest that leads to nothing: templates as stacks, directories of
    /// stages. Gives whether there was any.
    fn beside(&mut self, directory: &str, depth: usize) -> bool {
        let slash = with_slash(directory);
        let manifest = format!("{slash}manifest.json");
        let names = self.sources.list(directory);
        let files = names.iter().filter(|name| name.ends_with(".assets.json"));
        let files = files.map(|file| Artifact::Assets { file: file.clone() });
        let assets = self.assets(&slash, &manifest, &files.collect::<Vec<_>>());
        if names.iter().any(|name| name == "tree.json") {
            self.tree(&format!("{slash}tree.json"));
        }
        let before = (self.stacks.len(), self.directories.len());
        for name in &names {
            if name.starts_with("assembly-") {
                let inner = format!("{slash}{name}");
                if !self.sources.list(&inner).is_empty() {
                    self.manifest(&inner, depth + 1);
                }
            } else if let Some(id) = stack_of(name) {
                let path = format!("{slash}{name}");
                let wanted = overgrant_cloudformation::may_be_template;
                if matches!(self.sources.load_if(&path, wanted), Ok(None)) {
                    continue;
                }
                let metadata = format!("{id}.metadata.json");
                let artifact = StackArtifact {
                    id: id.to_owned(),
                    template: name.clone(),
                    account: None,
                    region: None,
                    stack_name: None,
                    display_name: id.to_owned(),
                    parameters: Vec::new(),
                    metadata_file: names.contains(&metadata).then_some(metadata),
                    metadata: None,
                };
                self.stack(&slash, &manifest, artifact, &assets);
            }
        }
        (self.stacks.len(), self.directories.len()) != before
    }

    fn stack(
        &mut self,
        slash: &str,
        manifest: &str,
        artifact: StackArtifact,
        assets: &BTreeMap<SmolStr, SmolStr>,
    ) {
        let path = SmolStr::from(format!("{slash}{}", artifact.template));
        if !self.template(&path, manifest) {
            return;
        }
        let mut construct_paths = BTreeMap::new();
        if let Some(metadata) = &artifact.metadata {
            construct_paths.extend(self.traces.add(metadata));
        }
        let metadata = artifact.metadata_file.as_ref();
        if let Some(name) = metadata.and_then(|name| self.inside(manifest, name)) {
            construct_paths.extend(self.metadata(&format!("{slash}{name}")));
        }
        let environment = Environment {
            account: artifact.account.map(SmolStr::from),
            region: artifact.region.map(SmolStr::from),
            stack_name: artifact.stack_name.map(SmolStr::from),
        };
        let root = SmolStr::from(format!("{slash}{}", artifact.id));
        let parameters: ParameterValues = artifact
            .parameters
            .iter()
            .map(|(name, value)| (SmolStr::from(name), Val::str(value, Src::none())))
            .collect();
        self.options.push((
            path.clone(),
            Options {
                parameters,
                environment: environment.clone(),
                cdk: true,
                root: Some(root.clone()),
                construct_paths,
                assets: assets.clone(),
            },
        ));
        self.stacks.push(Stack {
            root,
            display_name: artifact.display_name.into(),
            template: path,
            environment,
        });
    }

    /// Reads a template and, for their places, nested ones when they are evaluated.
    fn template(&mut self, path: &SmolStr, manifest: &str) -> bool {
        if self.templates.contains_key(path) {
            return true;
        }
        let file = match self.sources.load(path) {
            Ok(file) => file,
            Err(error) => {
                self.missing(manifest, &error.to_string());
                return false;
            }
        };
        match read(&file) {
            TemplateRead::Yes(template) => {
                self.diagnostics.extend(template.diagnostics.clone());
                self.templates.insert(path.clone(), *template);
                true
            }
            TemplateRead::Lost(diagnostic) => {
                self.diagnostics.push(*diagnostic);
                false
            }
            // A stack without resources is an empty template.
            TemplateRead::No => {
                if !is_object(file.text()) {
                    let words = format!(
                        "`{path}` is no template, and what the stack makes was not checked; run `cdk synth` again"
                    );
                    self.tell(Level::Warning, "cdk-template", path, &words);
                }
                false
            }
        }
    }

    fn metadata(&mut self, path: &str) -> BTreeMap<SmolStr, SmolStr> {
        let Ok(text) = self.sources.peek(path) else {
            self.missing(path, &format!("`{path}` does not exist"));
            return BTreeMap::new();
        };
        match serde_json::from_str(&text) {
            Ok(metadata) => return self.traces.add(&metadata),
            Err(error) => self.diagnostics.push(
                Diagnostic::new(
                    Level::Warning,
                    "cdk-metadata",
                    format!(
                        "the metadata is not valid JSON ({error}); places in the app are not known"
                    ),
                )
                .in_file(path),
            ),
        }
        BTreeMap::new()
    }

    /// The assets of the stacks in one directory, by their names in the bucket; those that lie outside
    /// are left out.
    fn assets(
        &mut self,
        slash: &str,
        manifest: &str,
        artifacts: &[Artifact],
    ) -> BTreeMap<SmolStr, SmolStr> {
        let mut found = BTreeMap::new();
        for artifact in artifacts {
            let Artifact::Assets { file } = artifact else {
                continue;
            };
            let Some(name) = self.inside(manifest, file) else {
                continue;
            };
            // Only nested templates without metadata are looked for there.
            if let Ok(text) = self.sources.peek(&format!("{slash}{name}")) {
                let files = assets(&text).into_iter();
                found.extend(
                    files.filter_map(|(name, path)| Some((name.into(), below(&path).ok()?.into()))),
                );
            }
        }
        found
    }

    /// Reads the classes of the constructs; without them only the classes are not told.
    fn tree(&mut self, path: &str) {
        if let Ok(text) = self.sources.peek(path) {
            self.traces.classes.extend(classes(&text));
        }
    }

    /// A name in a manifest as a path below the manifest's directory; one that is none is told.
    fn inside(&mut self, manifest: &str, name: &str) -> Option<String> {
        match below(name) {
            Ok(path) => Some(path),
            Err(reason) => {
                let words = format!("`{name}` {reason} and was not read; run `cdk synth` again");
                self.tell(Level::Error, "cdk-manifest", manifest, &words);
                None
            }
        }
    }

    fn tell(&mut self, level: Level, code: &'static str, path: &str, words: &str) {
        let told = Diagnostic::new(level, code, words).in_file(path);
        self.diagnostics.push(told);
    }

    fn missing(&mut self, named_by: &str, reason: &str) {
        self.diagnostics.push(
            Diagnostic::new(
                Level::Error,
                "cdk-missing-file",
                format!("the assembly is not complete: {reason}; run `cdk synth` again"),
            )
            .in_file(named_by)
            .losing_file(),
        );
    }
}

/// A name in a manifest with `.` and `..` taken out; what it names instead where it does not lead
/// below the manifest's directory.
fn below(name: &str) -> Result<String, &'static str> {
    const OUTSIDE: &str = "lies outside the assembly";
    if name.starts_with(['/', '\\']) {
        return Err(OUTSIDE);
    }
    let mut parts = Vec::new();
    for part in name.split(['/', '\\']) {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop().ok_or(OUTSIDE)?;
            }
            part => parts.push(part),
        }
    }
    if parts.is_empty() {
        return Err("is the directory of the manifest itself");
    }
    Ok(parts.join("/"))
}

/// The id of the stack whose template a file may be, by its name; `None` for nested templates, which
/// their stacks lead to, and for what else the CDK writes.
fn stack_of(name: &str) -> Option<&str> {
    const OTHER: [&str; 4] = [
        ".nested.template.json",
        ".metadata.json",
        ".assets.json",
        ".nag.json",
    ];
    if OTHER.iter().any(|end| name.ends_with(end))
        || matches!(
            name,
            "manifest.json" | "tree.json" | "cdk.out" | "validation-report.json"
        )
    {
        return None;
    }
    let endings = [
        ".template.json",
        ".template.yaml",
        ".json",
        ".yaml",
        ".yml",
        ".template",
    ];
    endings.iter().find_map(|end| name.strip_suffix(end))
}

/// Whether a text is an object of JSON.
fn is_object(text: &str) -> bool {
    serde_json::from_str::<serde_json::Map<_, serde_json::Value>>(text).is_ok()
}

fn with_slash(directory: &str) -> String {
    match directory.trim_end_matches('/') {
        "" | "." => String::new(),
        directory => format!("{directory}/"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_in_a_manifest_are_resolved() {
        let (outside, itself) = (
            Err("lies outside the assembly"),
            Err("is the directory of the manifest itself"),
        );
        for (name, wanted) in [
            ("assembly-P", Ok("assembly-P")),
            ("./a//b/", Ok("a/b")),
            ("a/../b", Ok("b")),
            ("a\\..\\b", Ok("b")),
            ("a/../../b", outside),
            ("../b", outside),
            ("/etc", outside),
            ("a/..", itself),
            (".", itself),
            ("", itself),
        ] {
            assert_eq!(
                below(name).as_deref().map_err(|told| *told),
                wanted,
                "{name}"
            );
        }
    }

    #[test]
    fn stacks_are_told_from_what_else_is_written() {
        for (name, wanted) in [
            ("App.template.json", Some("App")),
            ("app.yaml", Some("app")),
            ("Inner.nested.template.json", None),
            ("App.assets.json", None),
            ("manifest.json", None),
            ("asset.zip", None),
        ] {
            assert_eq!(stack_of(name), wanted, "{name}");
        }
    }
}
