//! `samconfig.toml` and `samconfig.yaml`: what each environment gives to the parameters of a template.
//!
//! Not for choosing between environments. Invariant: a value has the place of its text in the file.
//! <https://docs.aws.amazon.com/serverless-application-model/latest/developerguide/serverless-sam-cli-config.html>

use crate::eval::ParameterValues;
use crate::syntax::{Kind, Node, parse_yaml};
use overgrant_source::{Diagnostic, Level, SourceFile, Span};
use overgrant_value::{Src, Val};
use smol_str::SmolStr;
use std::ops::Range;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

/// A setting of either notation.
enum Setting {
    Text(String, Range<usize>),
    List(Vec<Self>),
    Table(Vec<(SmolStr, Self)>),
    Other,
}

impl Setting {
    fn get(&self, name: &str) -> Option<&Self> {
        match self {
            Self::Table(entries) => {
                let mut found = entries.iter().filter(|(key, _)| key == name);
                found.next_back().map(|(_, setting)| setting)
            }
            _ => None,
        }
    }

    fn of_toml(value: &Spanned<DeValue<'_>>) -> Self {
        match value.get_ref() {
            DeValue::String(text) => Self::Text(text.to_string(), value.span()),
            DeValue::Array(items) => Self::List(items.iter().map(Self::of_toml).collect()),
            DeValue::Table(table) => Self::of_table(table),
            _ => Self::Other,
        }
    }

    fn of_table(table: &DeTable<'_>) -> Self {
        let entries = table.iter();
        Self::Table(
            entries
                .map(|(key, value)| (SmolStr::from(key.get_ref().as_ref()), Self::of_toml(value)))
                .collect(),
        )
    }

    fn of_yaml(node: &Node) -> Self {
        match &node.kind {
            Kind::Scalar(scalar) if !node.is_null() => {
                Self::Text(scalar.text.to_string(), node.span.range())
            }
            Kind::Scalar(_) => Self::Other,
            Kind::Seq(items) => Self::List(items.iter().map(|item| Self::of_yaml(item)).collect()),
            Kind::Map(entries) => Self::Table(
                entries
                    .iter()
                    .map(|entry| (entry.key.clone(), Self::of_yaml(&entry.value)))
                    .collect(),
            ),
        }
    }
}

/// The values of each environment of a SAM configuration that deploys `template`, a file beside it.
///
/// # Errors
/// A `parameters` warning where the file cannot be read.
pub(crate) fn environments(
    file: &SourceFile,
    template: &str,
) -> Result<Vec<ParameterValues>, Diagnostic> {
    let root = if file.path().ends_with(".toml") {
        let table = DeTable::parse(file.text()).map_err(|error| {
            let at = error.span().unwrap_or_default();
            let message = format!("not valid TOML: {}", error.message());
            Diagnostic::new(Level::Warning, "parameters", message).at(file, file.span(at))
        })?;
        Setting::of_table(table.get_ref())
    } else {
        let parsed = parse_yaml(file).map_err(|error| Diagnostic {
            code: "parameters",
            not_parsed: false,
            ..error
        })?;
        Setting::of_yaml(&parsed.root)
    };
    let Setting::Table(environments) = root else {
        return Ok(Vec::new());
    };
    let mut sets = Vec::new();
    for (_, environment) in &environments {
        if !matches!(environment, Setting::Table(_)) {
            continue;
        }
        let of = |command: &str, name: &str| environment.get(command)?.get("parameters")?.get(name);
        let find = |name: &str| ["deploy", "global"].iter().find_map(|c| of(c, name));
        let named = ["template_file", "template"]
            .iter()
            .find_map(|name| find(name).or_else(|| of("build", name)));
        let wanted = match named {
            Some(Setting::Text(path, _)) => path.trim_start_matches("./") == template,
            _ => matches!(template, "template.yaml" | "template.yml" | "template.json"),
        };
        if !wanted {
            continue;
        }
        let mut values = ParameterValues::new();
        if let Some(overrides) = find("parameter_overrides") {
            read_overrides(file, overrides, &mut values);
        }
        sets.push(values);
    }
    Ok(sets)
}

/// `parameter_overrides`: a text or a list of texts with `Name=Value`, or a table.
fn read_overrides(file: &SourceFile, setting: &Setting, values: &mut ParameterValues) {
    match setting {
        Setting::Text(text, range) => {
            for (name, text) in overrides(text) {
                values.insert(name, placed(file, range, &text));
            }
        }
        Setting::List(items) => {
            for item in items {
                read_overrides(file, item, values);
            }
        }
        Setting::Table(members) => {
            for (name, member) in members {
                if let Setting::Text(text, range) = member {
                    values.insert(name.clone(), placed(file, range, text));
                }
            }
        }
        Setting::Other => {}
    }
}

/// The value where it stands in the file; the whole text where it cannot be found in it.
fn placed(file: &SourceFile, holder: &Range<usize>, text: &str) -> Val {
    let inside = file.text().get(holder.clone()).unwrap_or_default();
    let span: Span = match inside.match_indices(text).next() {
        Some((at, _)) if !text.is_empty() && inside.matches(text).count() == 1 => {
            let start = holder.start + at;
            file.span(start..start + text.len())
        }
        _ => file.span(holder.clone()),
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
