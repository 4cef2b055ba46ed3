//! `manifest.json` of a cloud assembly, any schema version.
//!
//! Not for following what it names. Invariant: unknown fields are passed over, and an artifact of an
//! unknown type counts by what it names, so that a newer schema reads like an older one.
//! <https://docs.aws.amazon.com/cdk/api/v2/docs/cloud-assembly-schema-readme.html>

use serde_json::Value;

/// An artifact that this tool has a use for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Artifact {
    /// `aws:cloudformation:stack`
    Stack(Box<StackArtifact>),
    /// `cdk:cloud-assembly`: a stage in a directory of its own.
    Stage {
        /// The directory, relative to the manifest's.
        directory: String,
    },
    /// `cdk:asset-manifest`: where the assets of a stack stand.
    Assets {
        /// The file, relative to the manifest's directory.
        file: String,
    },
    /// `cdk:tree`: the tree of constructs.
    Tree {
        /// The file, relative to the manifest's directory.
        file: String,
    },
}

/// A stack of the assembly.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct StackArtifact {
    pub(crate) id: String,
    /// The template, relative to the manifest's directory.
    pub(crate) template: String,
    pub(crate) account: Option<String>,
    pub(crate) region: Option<String>,
    /// The stack's name; `None` where no manifest says it.
    pub(crate) stack_name: Option<String>,
    pub(crate) display_name: String,
    /// Values for the template's parameters.
    pub(crate) parameters: Vec<(String, String)>,
    /// The file with the metadata, where it is not in the manifest.
    pub(crate) metadata_file: Option<String>,
    /// The metadata in the manifest.
    pub(crate) metadata: Option<Value>,
}

/// The major version of the newest schema that this reader was made for.
const NEWEST: u64 = 55;

/// What a manifest says.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Manifest {
    /// The artifacts in the order of their ids.
    pub(crate) artifacts: Vec<Artifact>,
    /// The version of the schema, where it is newer than this reader.
    pub(crate) newer: Option<String>,
    /// Artifacts that are broken, in words.
    pub(crate) problems: Vec<String>,
}

impl Manifest {
    /// Whether it leads to a template, itself or through a stage.
    pub(crate) fn leads_on(&self) -> bool {
        let leads =
            |artifact: &Artifact| matches!(artifact, Artifact::Stack(_) | Artifact::Stage { .. });
        self.artifacts.iter().any(leads)
    }
}

/// Reads a manifest.
///
/// # Errors
/// In words, where the text is no manifest.
pub(crate) fn read(text: &str) -> Result<Manifest, String> {
    let manifest: Value = serde_json::from_str(text)
        .map_err(|error| format!("the manifest is not valid JSON: {error}"))?;
    let version = manifest.get("version").and_then(Value::as_str);
    let newer = version
        .filter(|version| {
            let major = version.split('.').next().unwrap_or_default();
            major.parse::<u64>().is_ok_and(|major| major > NEWEST)
        })
        .map(str::to_owned);
    let mut read = Manifest {
        newer,
        ..Manifest::default()
    };
    let Some(artifacts) = manifest.get("artifacts") else {
        // An assembly without artifacts has none of them in its manifest either.
        return if manifest.get("version").is_some() {
            Ok(read)
        } else {
            Err("the manifest has neither a version nor artifacts".to_owned())
        };
    };
    let Some(artifacts) = artifacts.as_object() else {
        return Err("the manifest's artifacts are no object".to_owned());
    };
    let mut sorted: Vec<(&String, &Value)> = artifacts.iter().collect();
    sorted.sort_by_key(|(id, _)| *id);
    for (id, value) in sorted {
        match artifact(id, value) {
            Ok(found) => read.artifacts.extend(found),
            Err(problem) => read.problems.push(problem),
        }
    }
    Ok(read)
}

/// One artifact; `None` where this tool has no use for it.
fn artifact(id: &str, artifact: &Value) -> Result<Option<Artifact>, String> {
    let properties = artifact.get("properties");
    let property = |name: &str| properties?.get(name)?.as_str();
    let wanted = |name: &str, what: &str| {
        let value = property(name).map(str::to_owned);
        value.ok_or_else(|| format!("the {what} `{id}` has no `{name}` and was not read"))
    };
    let found = match artifact.get("type").and_then(Value::as_str) {
        Some("aws:cloudformation:stack") => stack(id, artifact, wanted("templateFile", "stack")?),
        Some("cdk:cloud-assembly") => Artifact::Stage {
            directory: wanted("directoryName", "stage")?,
        },
        Some("cdk:asset-manifest") => Artifact::Assets {
            file: wanted("file", "asset manifest")?,
        },
        Some("cdk:tree") => Artifact::Tree {
            file: wanted("file", "tree")?,
        },
        // A type of a schema that is not known yet.
        _ => match (property("templateFile"), property("directoryName")) {
            (Some(template), _) => stack(id, artifact, template.to_owned()),
            (None, Some(directory)) => Artifact::Stage {
                directory: directory.to_owned(),
            },
            (None, None) => return Ok(None),
        },
    };
    Ok(Some(found))
}

fn stack(id: &str, artifact: &Value, template: String) -> Artifact {
    let properties = artifact.get("properties");
    let property = |name: &str| properties?.get(name)?.as_str();
    let environment = artifact.get("environment").and_then(Value::as_str);
    let (account, region) = environment.map_or((None, None), environment_of);
    let text = |name: &str| artifact.get(name).and_then(Value::as_str);
    let parameters = properties
        .and_then(|properties| properties.get("parameters"))
        .and_then(Value::as_object)
        .into_iter()
        .flatten()
        .filter_map(|(name, value)| Some((name.clone(), value.as_str()?.to_owned())))
        .collect();
    Artifact::Stack(Box::new(StackArtifact {
        id: id.to_owned(),
        template,
        account,
        region,
        stack_name: Some(property("stackName").unwrap_or(id).to_owned()),
        display_name: text("displayName").unwrap_or(id).to_owned(),
        parameters,
        metadata_file: text("additionalMetadataFile").map(str::to_owned),
        metadata: artifact.get("metadata").cloned(),
    }))
}

/// The files of an asset manifest: their names in the bucket, and where they stand beside it.
pub(crate) fn assets(text: &str) -> Vec<(String, String)> {
    let manifest: Value = serde_json::from_str(text).unwrap_or_default();
    let files = manifest.get("files").and_then(Value::as_object);
    let mut found = Vec::new();
    for asset in files.into_iter().flat_map(|files| files.values()) {
        let path = asset.pointer("/source/path").and_then(Value::as_str);
        let destinations = asset.get("destinations").and_then(Value::as_object);
        for destination in destinations.into_iter().flat_map(|all| all.values()) {
            let key = destination.get("objectKey").and_then(Value::as_str);
            if let (Some(key), Some(path)) = (key, path) {
                let name = key.rsplit('/').next().unwrap_or(key);
                found.push((name.to_owned(), path.to_owned()));
            }
        }
    }
    found
}

/// Account and region of `aws://ACCOUNT/REGION`; the words for unknown ones give nothing.
fn environment_of(environment: &str) -> (Option<String>, Option<String>) {
    let Some((account, region)) = environment
        .strip_prefix("aws://")
        .and_then(|rest| rest.split_once('/'))
    else {
        return (None, None);
    };
    let known =
        |text: &str| (!text.starts_with("unknown-") && !text.is_empty()).then(|| text.to_owned());
    (known(account), known(region))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_stacks_and_stages_of_any_version() {
        let found = read(
            r#"{"version": "99.0.0", "new": 1, "artifacts": {
                "B": {"type": "aws:cloudformation:stack", "environment": "aws://111111111111/eu-west-1", "more": [],
                      "properties": {"templateFile": "B.json", "parameters": {"P": "v"}}, "displayName": "X/B"},
                "A": {"type": "cdk:cloud-assembly", "properties": {"directoryName": "assembly-A"}},
                "Tree": {"type": "cdk:tree", "properties": {"file": "tree.json"}}}}"#,
        )
        .unwrap();
        assert_eq!(found.newer.as_deref(), Some("99.0.0"));
        let found = found.artifacts;
        assert_eq!(
            found[0],
            Artifact::Stage {
                directory: "assembly-A".into()
            }
        );
        let Artifact::Stack(stack) = &found[1] else {
            panic!("no stack");
        };
        assert_eq!(stack.account.as_deref(), Some("111111111111"));
        assert_eq!(stack.stack_name.as_deref(), Some("B"));
        assert_eq!(stack.display_name, "X/B");
        assert_eq!(stack.parameters, [("P".to_owned(), "v".to_owned())]);
    }

    #[test]
    fn an_environment_may_be_open() {
        assert_eq!(
            environment_of("aws://unknown-account/unknown-region"),
            (None, None)
        );
        assert_eq!(environment_of("nonsense"), (None, None));
    }

    #[test]
    fn artifacts_of_unknown_types_count_by_what_they_name() {
        let found = read(
            r#"{"version": "55.1.0", "artifacts": {
                "A": {"type": "aws:cloudformation:stack2", "properties": {"templateFile": "A.json"}},
                "B": {"type": "cdk:stage", "properties": {"directoryName": "assembly-B"}},
                "C": {"type": "cdk:feature-flag-report", "properties": {"file": "flags.json"}},
                "D": {"properties": {"templateFile": "D.json"}}}}"#,
        )
        .unwrap();
        assert_eq!(found.artifacts.len(), 3);
        assert!(found.leads_on());
        assert_eq!(found.newer, None);
        assert!(found.problems.is_empty());
    }

    #[test]
    fn broken_artifacts_are_told_and_the_others_read() {
        let found = read(
            r#"{"version": "1", "artifacts": {
                "A": {"type": "aws:cloudformation:stack", "properties": {}},
                "B": {"type": "cdk:cloud-assembly"},
                "C": {"type": "aws:cloudformation:stack", "properties": {"templateFile": "C.json"}}, "D": 1}}"#,
        )
        .unwrap();
        assert_eq!(found.artifacts.len(), 1);
        assert_eq!(
            found.problems,
            [
                "the stack `A` has no `templateFile` and was not read",
                "the stage `B` has no `directoryName` and was not read"
            ]
        );
    }

    #[test]
    fn what_is_no_manifest_is_an_error() {
        for text in ["", "[]", "{}", r#"{"artifacts": 1}"#] {
            assert!(read(text).is_err(), "{text}");
        }
        assert_eq!(read(r#"{"version": "1"}"#).unwrap(), Manifest::default());
    }
}
