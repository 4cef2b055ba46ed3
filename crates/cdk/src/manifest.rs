//! `manifest.json` of a cloud assembly, any schema version.
//!
//! Not for following what it names. Invariant: unknown artifact types and fields are passed over, so
//! that a newer schema reads like an older one.
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
    pub(crate) stack_name: String,
    pub(crate) display_name: String,
    /// Values for the template's parameters.
    pub(crate) parameters: Vec<(String, String)>,
    /// The file with the metadata, where it is not in the manifest.
    pub(crate) metadata_file: Option<String>,
    /// The metadata in the manifest.
    pub(crate) metadata: Option<Value>,
}

/// Whether `text` is the manifest of an assembly of which a template or stage is there, or said to be
/// outside of it; `exists` tells whether a file stands beside the manifest.
#[must_use]
pub fn is_manifest(text: &str, exists: impl Fn(&str) -> bool) -> bool {
    // Other tools have files of this name, and most are small; parsing comes last.
    (text.contains("aws:cloudformation:stack") || text.contains("cdk:cloud-assembly"))
        && artifacts(text).is_ok_and(|found| {
            // One that leads out is told when the assembly is read.
            let is_there = |name: &str| name.split('/').any(|part| part == "..") || exists(name);
            found.iter().any(|artifact| match artifact {
                Artifact::Stack(stack) => is_there(&stack.template),
                Artifact::Stage { directory } => is_there(&format!("{directory}/manifest.json")),
                Artifact::Assets { .. } | Artifact::Tree { .. } => false,
            })
        })
}

/// The artifacts of a manifest in the order of their ids.
///
/// # Errors
/// In words, where the text is no manifest.
pub(crate) fn artifacts(text: &str) -> Result<Vec<Artifact>, String> {
    let manifest: Value = serde_json::from_str(text)
        .map_err(|error| format!("the manifest is not valid JSON: {error}"))?;
    let Some(artifacts) = manifest.get("artifacts") else {
        // An assembly without artifacts has none of them in its manifest either.
        return if manifest.get("version").is_some() {
            Ok(Vec::new())
        } else {
            Err("the manifest has neither a version nor artifacts".to_owned())
        };
    };
    let Some(artifacts) = artifacts.as_object() else {
        return Err("the manifest's artifacts are no object".to_owned());
    };
    let mut sorted: Vec<(&String, &Value)> = artifacts.iter().collect();
    sorted.sort_by_key(|(id, _)| *id);
    Ok(sorted
        .into_iter()
        .filter_map(|(id, artifact)| read(id, artifact))
        .collect())
}

fn read(id: &str, artifact: &Value) -> Option<Artifact> {
    let properties = artifact.get("properties");
    let property = |name: &str| properties?.get(name)?.as_str();
    match artifact.get("type")?.as_str()? {
        "aws:cloudformation:stack" => {
            let template = property("templateFile")?.to_owned();
            let environment = artifact.get("environment").and_then(Value::as_str);
            let (account, region) = environment.map_or((None, None), environment_of);
            let text = |name: &str| artifact.get(name).and_then(Value::as_str);
            let parameters = properties
                .and_then(|properties| properties.get("parameters"))
                .and_then(Value::as_object)
                .map(|parameters| {
                    parameters
                        .iter()
                        .filter_map(|(name, value)| {
                            Some((name.clone(), value.as_str()?.to_owned()))
                        })
                        .collect()
                })
                .unwrap_or_default();
            Some(Artifact::Stack(Box::new(StackArtifact {
                id: id.to_owned(),
                template,
                account,
                region,
                stack_name: property("stackName").unwrap_or(id).to_owned(),
                display_name: text("displayName").unwrap_or(id).to_owned(),
                parameters,
                metadata_file: text("additionalMetadataFile").map(str::to_owned),
                metadata: artifact.get("metadata").cloned(),
            })))
        }
        "cdk:cloud-assembly" => Some(Artifact::Stage {
            directory: property("directoryName")?.to_owned(),
        }),
        "cdk:asset-manifest" => Some(Artifact::Assets {
            file: property("file")?.to_owned(),
        }),
        "cdk:tree" => Some(Artifact::Tree {
            file: property("file")?.to_owned(),
        }),
        _ => None,
    }
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
        let found = artifacts(
            r#"{"version": "99.0.0", "new": 1, "artifacts": {
                "B": {"type": "aws:cloudformation:stack", "environment": "aws://111111111111/eu-west-1", "more": [],
                      "properties": {"templateFile": "B.json", "parameters": {"P": "v"}}, "displayName": "X/B"},
                "A": {"type": "cdk:cloud-assembly", "properties": {"directoryName": "assembly-A"}},
                "Tree": {"type": "cdk:tree", "properties": {"file": "tree.json"}}}}"#,
        )
        .unwrap();
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
        assert_eq!(stack.stack_name, "B");
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
    fn manifests_are_known_by_their_artifacts() {
        let stack = r#"{"artifacts": {"A": {"type": "aws:cloudformation:stack", "properties": {"templateFile": "t"}}}}"#;
        assert!(is_manifest(stack, |name| name == "t"));
        assert!(!is_manifest(stack, |_| false), "a stray manifest");
        let outside = stack.replace("\"t\"", "\"../t\"");
        assert!(is_manifest(&outside, |_| false), "it leads out");
        for text in [
            r#"{"name": "aws:cloudformation:stack"}"#,
            r#"{"artifacts": {"A": {"type": "cdk:tree", "properties": {"file": "cdk:cloud-assembly"}}}}"#,
            "aws:cloudformation:stack",
        ] {
            assert!(!is_manifest(text, |_| true), "{text}");
        }
    }

    #[test]
    fn what_is_no_manifest_is_an_error() {
        for text in ["", "[]", "{}", r#"{"artifacts": 1}"#] {
            assert!(artifacts(text).is_err(), "{text}");
        }
        assert_eq!(artifacts(r#"{"version": "1"}"#).unwrap(), []);
    }
}
