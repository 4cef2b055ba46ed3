//! Values of parameters that stand beside a template: `samconfig.toml`, `NAME.params.json`.
//!
//! Not for files given on the command line, which win over these. Invariant: where several
//! environments or files say different things, nothing is said, and the parameter keeps its domain.
//! <https://docs.aws.amazon.com/serverless-application-model/latest/developerguide/serverless-sam-cli-config.html>

use crate::eval::ParameterValues;
use crate::expand::directory;
use crate::parameter_file::parameter_values;
use overgrant_source::{Diagnostic, Level, SourceFile, Sources, Span};
use overgrant_value::{Src, Val};
use smol_str::SmolStr;
use std::collections::BTreeMap;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

const SAM: &str = "samconfig.toml";
/// What stands between a template's name and its extension in the names of parameter files.
const ENDINGS: [&str; 2] = [".params.json", ".parameters.json"];

/// The values that files in a directory give to the templates there.
#[derive(Debug, Default)]
pub struct Beside {
    names: BTreeMap<String, Vec<String>>,
}

impl Beside {
    /// The values for the template at `path` (relative to the base) on which all files beside it
    /// agree, and what is wrong with those files.
    pub fn values(&mut self, sources: &Sources, path: &str) -> (ParameterValues, Vec<Diagnostic>) {
        let place = directory(path);
        let names = self
            .names
            .entry(place.clone())
            .or_insert_with(|| sources.list(&place));
        let template = path.strip_prefix(place.as_str()).unwrap_or(path);
        let stem = template.rsplit_once('.').map_or(template, |(stem, _)| stem);
        let mut sets = Vec::new();
        let mut diagnostics = Vec::new();
        for name in names {
            let ours = ENDINGS.iter().any(|ending| {
                // `app.params.json` and `app.prod.params.json` are both of `app.yaml`.
                name.strip_suffix(ending)
                    .and_then(|name| name.strip_prefix(stem))
                    .is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '-', '_']))
            });
            if !ours && name != SAM {
                continue;
            }
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

/// The values of each environment of a SAM configuration that deploys `template`.
fn environments(file: &SourceFile, template: &str) -> Result<Vec<ParameterValues>, Diagnostic> {
    let root = DeTable::parse(file.text()).map_err(|error| {
        let at = error.span().unwrap_or_default();
        let message = format!("not valid TOML: {}", error.message());
        Diagnostic::new(Level::Warning, "parameters", message).at(file, file.span(at))
    })?;
    let mut sets = Vec::new();
    for (_, environment) in root.get_ref() {
        let Some(environment) = environment.get_ref().as_table() else {
            continue;
        };
        let of = |command: &str, name: &str| {
            let command = environment.get(command)?.get_ref().as_table()?;
            let parameters = command.get("parameters")?.get_ref().as_table()?;
            parameters.get(name).cloned()
        };
        let find = |name: &str| ["deploy", "global"].iter().find_map(|c| of(c, name));
        let named = ["template_file", "template"]
            .iter()
            .find_map(|name| find(name).or_else(|| of("build", name)));
        let wanted = match named.as_ref().and_then(|name| name.get_ref().as_str()) {
            Some(path) => path.trim_start_matches("./") == template,
            None => matches!(template, "template.yaml" | "template.yml" | "template.json"),
        };
        if !wanted {
            continue;
        }
        let mut values = ParameterValues::new();
        if let Some(overrides) = find("parameter_overrides") {
            read_overrides(file, &overrides, &mut values);
        }
        sets.push(values);
    }
    Ok(sets)
}

/// `parameter_overrides`: a text or a list of texts with `Name=Value`, or a table.
fn read_overrides(file: &SourceFile, value: &Spanned<DeValue<'_>>, values: &mut ParameterValues) {
    match value.get_ref() {
        DeValue::String(text) => {
            for (name, text) in overrides(text) {
                values.insert(name, placed(file, value, &text));
            }
        }
        DeValue::Array(items) => {
            for item in items.iter() {
                read_overrides(file, item, values);
            }
        }
        DeValue::Table(members) => {
            for (name, member) in members {
                if let Some(text) = member.get_ref().as_str() {
                    let name = SmolStr::from(name.get_ref().as_ref());
                    values.insert(name, placed(file, member, text));
                }
            }
        }
        _ => {}
    }
}

/// The value where it stands in the file; the whole text where it cannot be found in it.
fn placed(file: &SourceFile, holder: &Spanned<DeValue<'_>>, text: &str) -> Val {
    let range = holder.span();
    let inside = file.text().get(range.clone()).unwrap_or_default();
    let span: Span = match inside.match_indices(text).next() {
        Some((at, _)) if !text.is_empty() && inside.matches(text).count() == 1 => {
            let start = range.start + at;
            file.span(start..start + text.len())
        }
        _ => file.span(range),
    };
    Val::str(text, Src::at(span))
}

/// `Name=Value` and `ParameterKey=Name,ParameterValue=Value`, with blanks between; quotes hold a
/// value with blanks together.
fn overrides(text: &str) -> Vec<(SmolStr, String)> {
    let mut words = Vec::new();
    let mut word = String::new();
    let mut quote = None;
    let mut escaped = false;
    for c in text.chars() {
        match (c, quote) {
            _ if escaped => {
                word.push(c);
                escaped = false;
            }
            ('\\', _) => escaped = true,
            (c, Some(open)) if c == open => quote = None,
            ('"' | '\'', None) => quote = Some(c),
            (c, None) if c.is_whitespace() => words.push(std::mem::take(&mut word)),
            _ => word.push(c),
        }
    }
    words.push(word);
    words
        .iter()
        .filter_map(|word| {
            let (name, value) = match word.strip_prefix("ParameterKey=") {
                Some(rest) => rest.split_once(",ParameterValue=")?,
                None => word.split_once('=')?,
            };
            Some((SmolStr::from(name), value.to_owned()))
        })
        .collect()
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
        for template in ["template.yaml", "t.yaml"] {
            let (values, diagnostics) = Beside::default().values(&sources, template);
            assert!(values.is_empty());
            assert!(diagnostics.iter().all(|told| told.code == "parameters"));
            assert!(!diagnostics.is_empty());
        }
    }
}
