//! Values of parameters that stand beside a template: `samconfig.toml` (or YAML), `NAME.params.json`.
//!
//! Not for files given on the command line, which win over these. Invariant: where several
//! environments or files say different things, nothing is said, and the parameter keeps its domain.
//! <https://docs.aws.amazon.com/serverless-application-model/latest/developerguide/serverless-sam-cli-config.html>

use crate::eval::ParameterValues;
use crate::expand::directory;
use crate::parameter_file::parameter_values;
use crate::sam_config::environments;
use overgrant_source::{Diagnostic, Level, Sources};
use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

/// Names of SAM's configuration, in the order in which the CLI looks for one.
const SAM: [&str; 3] = ["samconfig.toml", "samconfig.yaml", "samconfig.yml"];
/// What stands between a template's name and its extension in the names of parameter files.
const ENDINGS: [&str; 2] = [".params.json", ".parameters.json"];

/// The values that files in a directory give to the templates there.
#[derive(Debug, Default)]
pub struct Beside {
    /// The names in a directory.
    names: Mutex<BTreeMap<String, Vec<String>>>,
}

impl Beside {
    /// The values for the template at `path` (relative to the base) on which all files beside it
    /// agree, and what is wrong with those files.
    #[must_use]
    pub fn values(&self, sources: &Sources, path: &str) -> (ParameterValues, Vec<Diagnostic>) {
        let place = directory(path);
        let template = path.strip_prefix(place.as_str()).unwrap_or(path);
        let mut sets = Vec::new();
        let mut diagnostics = Vec::new();
        for (name, ours) in self.files(sources, &place, template) {
            let Ok(file) = sources.load(&format!("{place}{name}")) else {
                continue;
            };
            let read = if ours {
                parameter_values(&file).map(|values| vec![values])
            } else {
                environments(&file, template)
            };
            match read {
                Ok(values) => sets.extend(values),
                Err(mut diagnostic) => {
                    diagnostic.level = Level::Warning;
                    diagnostics.push(diagnostic);
                }
            }
        }
        (agreed(&sets), diagnostics)
    }

    /// The names of the files in `place` that speak of `template`, and whether each is a parameter
    /// file of its own.
    fn files(&self, sources: &Sources, place: &str, template: &str) -> Vec<(String, bool)> {
        let stem = template.rsplit_once('.').map_or(template, |(stem, _)| stem);
        let mut known = self.names.lock().unwrap_or_else(PoisonError::into_inner);
        let names = known
            .entry(place.to_owned())
            .or_insert_with(|| sources.list(place));
        let sam = SAM
            .into_iter()
            .find(|sam| names.iter().any(|name| name == sam));
        names
            .iter()
            .filter_map(|name| {
                let ours = ENDINGS.iter().any(|ending| {
                    // `app.params.json` and `app.prod.params.json` are both of `app.yaml`.
                    name.strip_suffix(ending)
                        .and_then(|name| name.strip_prefix(stem))
                        .is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '-', '_']))
                });
                (ours || sam == Some(name.as_str())).then(|| (name.clone(), ours))
            })
            .collect()
    }
}

/// The values on which all sets agree that have them.
fn agreed(sets: &[ParameterValues]) -> ParameterValues {
    let mut values = ParameterValues::new();
    for (name, val) in sets.iter().flatten() {
        let others = sets.iter().filter_map(|set| set.get(name));
        if others.into_iter().all(|other| other.same_data(val)) {
            values.entry(name.clone()).or_insert_with(|| val.clone());
        }
    }
    values
}

#[cfg(test)]
mod tests {
    use super::*;

    fn values(files: &[(&str, &str)], template: &str) -> Vec<(String, String, String)> {
        let sources = Sources::new("/nowhere/at/all");
        for (path, text) in files {
            sources.add(path, text);
        }
        let (values, diagnostics) = Beside::default().values(&sources, template);
        assert!(diagnostics.is_empty(), "{diagnostics:?}");
        values
            .iter()
            .map(|(name, val)| {
                let place = val.span().map(|span| sources.slice(span));
                let text = val.as_str().unwrap_or_default();
                (
                    name.to_string(),
                    text.to_string(),
                    place.unwrap_or_default(),
                )
            })
            .collect()
    }

    fn named(all: &[(String, String, String)]) -> Vec<String> {
        all.iter()
            .map(|(name, text, _)| format!("{name}={text}"))
            .collect()
    }

    #[test]
    fn overrides_are_read_in_all_their_shapes() {
        for text in [
            r#"parameter_overrides = "A=x B=\"y z\" C=''""#,
            r#"parameter_overrides = ["A=x", "B='y z' C="]"#,
            r#"parameter_overrides = "ParameterKey=A,ParameterValue=x B='y z' C=""#,
            "parameter_overrides = {A = 'x', B = 'y z', C = ''}",
        ] {
            let text = format!("version = 0.1\n[default.deploy.parameters]\n{text}\n");
            let found = values(&[("d/samconfig.toml", &text)], "d/template.yaml");
            assert_eq!(named(&found), ["A=x", "B=y z", "C="], "{text}");
            assert_eq!(found[1].2.trim_matches('\''), "y z");
        }
    }

    #[test]
    fn a_configuration_may_be_yaml() {
        for overrides in [
            "A=x B=\"y z\" C=''",
            "\n        - A=x\n        - B='y z' C=",
            "\n        A: x\n        B: y z\n        C: ''",
        ] {
            let text = format!(
                "version: 0.1\ndefault:\n  deploy:\n    parameters:\n      parameter_overrides: {overrides}\n"
            );
            for name in ["d/samconfig.yaml", "d/samconfig.yml"] {
                let found = values(&[(name, &text)], "d/template.yaml");
                assert_eq!(named(&found), ["A=x", "B=y z", "C="], "{text}");
                assert_eq!(found[0].2, "x");
            }
        }
        let toml = "[default.deploy.parameters]\nparameter_overrides = \"A=t\"\n";
        let yaml = "default: {deploy: {parameters: {parameter_overrides: A=y}}}\n";
        let both = [("samconfig.yaml", yaml), ("samconfig.toml", toml)];
        assert_eq!(
            named(&values(&both, "template.yaml")),
            ["A=t"],
            "as the CLI"
        );
    }

    #[test]
    fn environments_that_disagree_say_nothing() {
        let text = "[dev.deploy.parameters]\nparameter_overrides = \"Env=dev Team=a\"\n[prod.deploy.parameters]\nparameter_overrides = \"Env=prod Team=a\"\n";
        let found = values(&[("samconfig.toml", text)], "template.yaml");
        assert_eq!(named(&found), ["Team=a"]);
    }

    #[test]
    fn a_configuration_is_for_the_template_it_names() {
        let text = "[default.build.parameters]\ntemplate_file = \"app.yaml\"\n[default.deploy.parameters]\nparameter_overrides = \"A=x\"\n";
        assert_eq!(values(&[("samconfig.toml", text)], "app.yaml").len(), 1);
        assert!(values(&[("samconfig.toml", text)], "template.yaml").is_empty());
    }

    #[test]
    fn parameter_files_are_found_by_the_template_s_name() {
        let files = [
            (
                "d/app.prod.params.json",
                r#"{"Parameters": {"Env": "prod"}}"#,
            ),
            (
                "d/other.params.json",
                r#"[{"ParameterKey": "Env", "ParameterValue": "x"}]"#,
            ),
        ];
        assert_eq!(named(&values(&files, "d/app.yaml")), ["Env=prod"]);
        assert!(values(&files, "d/ap.yaml").is_empty());
        let both = [files[0], ("d/app.dev.params.json", r#"{"Env": "dev"}"#)];
        assert!(values(&both, "d/app.yaml").is_empty());
    }

    #[test]
    fn a_broken_file_is_told_and_says_nothing() {
        let sources = Sources::new("/nowhere/at/all");
        sources.add("samconfig.toml", "[default\n");
        sources.add("t.params.json", "3");
        sources.add("y/samconfig.yaml", "a: [b\n");
        for template in ["template.yaml", "t.yaml", "y/template.yaml"] {
            let (values, diagnostics) = Beside::default().values(&sources, template);
            assert!(values.is_empty());
            assert!(diagnostics.iter().all(|told| told.code == "parameters"));
            assert!(!diagnostics.is_empty());
        }
    }
}
