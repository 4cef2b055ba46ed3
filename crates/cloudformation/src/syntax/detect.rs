//! Whether a file is a CloudFormation template, decided by its content.
//!
//! Not for discovery: names and ignore files are judged before. Invariant: a file that is no
//! template costs one search through its text and is passed over without a word; one that looks
//! like a template and cannot be read is a diagnostic.

use super::tree::{Node, Parsed};
use super::{parse_json, parse_yaml};
use overgrant_source::{Comment, Diagnostic, SourceFile};
use std::sync::Arc;

/// The notation of a template.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Format {
    /// YAML, with short forms of intrinsics.
    Yaml,
    /// JSON.
    Json,
}

/// A template's tree.
#[derive(Debug, Clone)]
pub struct Template {
    /// The file it was read from.
    pub file: Arc<SourceFile>,
    /// The root mapping.
    pub root: Arc<Node>,
    /// The notation it was written in.
    pub format: Format,
    /// All comments, in source order.
    pub comments: Vec<Comment>,
    /// Problems that did not lose the file.
    pub diagnostics: Vec<Diagnostic>,
}

/// What came of reading a file.
#[derive(Debug, Clone)]
pub enum TemplateRead {
    /// It is no template.
    No,
    /// It is one.
    Yes(Box<Template>),
    /// It looks like one and could not be read.
    Lost(Box<Diagnostic>),
}

/// Reads `file` if it is a template.
///
/// A text that opens with `{` is read as JSON first, whatever the file is called: YAML files hold
/// JSON often enough, and JSON allows tabs where YAML does not. Asking [`may_be_template`] first saves
/// the parsing of most other files.
#[must_use]
pub fn read(file: &Arc<SourceFile>) -> TemplateRead {
    let json = opens_object(file.text());
    let (parsed, format) = if json {
        match parse_json(file) {
            Ok(parsed) => (Ok(parsed), Format::Json),
            Err(error) if file.path().ends_with(".json") => (Err(error), Format::Json),
            Err(error) => match parse_yaml(file) {
                Ok(parsed) => (Ok(parsed), Format::Yaml),
                Err(_) => (Err(error), Format::Json),
            },
        }
    } else {
        (parse_yaml(file), Format::Yaml)
    };
    match parsed {
        Ok(parsed) if is_template(&parsed.root) => {
            TemplateRead::Yes(Box::new(template(file, parsed, format)))
        }
        Ok(_) => TemplateRead::No,
        Err(diagnostic) if looks_like_template(file.text()) => {
            TemplateRead::Lost(Box::new(diagnostic))
        }
        Err(_) => TemplateRead::No,
    }
}

fn template(file: &Arc<SourceFile>, parsed: Parsed, format: Format) -> Template {
    Template {
        file: Arc::clone(file),
        root: parsed.root,
        format,
        comments: parsed.comments,
        diagnostics: parsed.diagnostics,
    }
}

fn opens_object(text: &str) -> bool {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let text = text.trim_start();
    text.starts_with('{') || text.starts_with("//") || text.starts_with("/*")
}

/// Whether `text` could be a template at all: a few searches, no parsing.
#[must_use]
pub fn may_be_template(text: &str) -> bool {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text).trim_start();
    let first = text.strip_prefix('{').map(str::trim_start);
    if first.is_some_and(|rest| rest.starts_with('"')) {
        let named = text.contains("\"Resources\"") || text.contains("AWSTemplateFormatVersion");
        named && root_may_be_template(text)
    } else {
        mentions_template(text)
    }
}

fn mentions_template(text: &str) -> bool {
    if text.contains("AWSTemplateFormatVersion") {
        return true;
    }
    let section = text.match_indices("Resources").any(|(at, name)| {
        let rest = text.get(at + name.len()..).unwrap_or_default();
        let rest = rest.strip_prefix(['"', '\'']).unwrap_or(rest);
        rest.trim_start_matches([' ', '\t']).starts_with(':')
    });
    section && (text.contains("::") || text.contains("Transform"))
}

/// Whether the root of a JSON text has one of a template's sections. A text with comments may
/// always.
fn root_may_be_template(text: &str) -> bool {
    let bytes = text.as_bytes();
    let (mut at, mut depth) = (0, 0_usize);
    while let Some(byte) = bytes.get(at) {
        match byte {
            b'{' | b'[' => depth += 1,
            b'}' | b']' => depth = depth.saturating_sub(1),
            // A comment, in which a quote may stand.
            b'/' => return true,
            b'"' => {
                let start = at + 1;
                at = start;
                while let Some(byte) = bytes.get(at) {
                    match byte {
                        b'"' => break,
                        b'\\' => at += 2,
                        _ => at += 1,
                    }
                }
                let key = matches!(
                    text.get(start..at),
                    Some("AWSTemplateFormatVersion" | "Resources")
                );
                if depth == 1 && key {
                    return true;
                }
            }
            _ => {}
        }
        at += 1;
    }
    false
}

/// Whether a text that cannot be parsed was meant as a template: one of the sections stands as a
/// key at a line's start, and a resource type stands somewhere.
fn looks_like_template(text: &str) -> bool {
    let section = |name: &str| {
        text.lines().any(|line| {
            let line = line.trim_start_matches(['\u{feff}', '{', ' ', '\t']);
            let line = line.strip_prefix('"').unwrap_or(line);
            line.strip_prefix(name).is_some_and(|rest| {
                let rest = rest.strip_prefix('"').unwrap_or(rest);
                rest.trim_start().starts_with(':')
            })
        })
    };
    if section("AWSTemplateFormatVersion") {
        return true;
    }
    section("Resources") && (text.contains("AWS::") || text.contains("Custom::"))
}

/// Whether a tree is a template: it says its format version, or it has resources whose types have
/// the form `X::Y`, or resources and a transform.
#[must_use]
pub fn is_template(root: &Node) -> bool {
    if root.get("AWSTemplateFormatVersion").is_some() {
        return true;
    }
    let Some(resources) = root.get("Resources") else {
        return false;
    };
    if root.get("Transform").is_some() && !resources.entries().is_empty() {
        return true;
    }
    resources.entries().iter().any(|entry| {
        entry.key.starts_with("Fn::ForEach::")
            || entry
                .value
                .get("Type")
                .and_then(|kind| kind.text())
                .is_some_and(|kind| kind.contains("::"))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sections_count_at_the_root_of_json() {
        for (text, may) in [
            (r#"{"Resources": {"A": {"Type": "A::B"}}}"#, true),
            (r#"{"x": {"Resources": {"Type": "A::B"}}}"#, false),
            (r#"{"x": "\"", "y": ["\\", {"Resources": "::"}]}"#, false),
            (r#"{"x": "\\", "AWSTemplateFormatVersion": 1}"#, true),
            ("{\"x\": 1, // \"\n \"Resources\": {\"A\": \"::\"}}", true),
            ("{x: {Resources: 'A::B'}}", true),
        ] {
            assert_eq!(may_be_template(text), may, "{text}");
        }
    }
    use overgrant_source::Sources;

    fn check(name: &str, text: &str) -> &'static str {
        match read(&Sources::new(".").add(name, text)) {
            TemplateRead::No => "no",
            TemplateRead::Yes(template) if template.format == Format::Json => "json",
            TemplateRead::Yes(_) => "yaml",
            TemplateRead::Lost(diagnostic) => diagnostic.code,
        }
    }

    #[test]
    fn templates_are_known_by_content() {
        assert_eq!(
            check("a.yml", "AWSTemplateFormatVersion: 2010-09-09\n"),
            "yaml"
        );
        assert_eq!(
            check("a.yml", "Resources:\n  A:\n    Type: AWS::S3::Bucket\n"),
            "yaml"
        );
        assert_eq!(
            check("a.yml", "Resources:\n  A:\n    Type: Custom::Thing\n"),
            "yaml"
        );
        assert_eq!(
            check(
                "a.json",
                "{\"Resources\": {\"A\": {\"Type\": \"AWS::S3::Bucket\"}}}"
            ),
            "json"
        );
        assert_eq!(
            check(
                "a.yaml",
                "{\n\t\"Resources\": {\"A\": {\"Type\": \"AWS::S3::Bucket\"}}}"
            ),
            "json"
        );
        assert_eq!(
            check("a.template", "{Resources: {A: {Type: 'AWS::S3::Bucket'}}}"),
            "yaml"
        );
    }

    #[test]
    fn other_files_are_passed_over() {
        assert_eq!(check("a.yml", "apiVersion: v1\nkind: Pod\n"), "no");
        assert_eq!(check("a.yml", "Resources:\n  - a::b\n"), "no");
        assert_eq!(check("a.yml", "text: 'Resources of std::vec'\n"), "no");
        assert!(!may_be_template("text: 'Resources of std::vec'\n"));
        assert!(!may_be_template(
            r#"{"t": "{\"Resources\": {\"A\": \"x::y\"}}"}"#
        ));
        assert!(may_be_template("{'Resources' : {A: {Type: x::y}}}"));
        assert_eq!(
            check(
                "a.json",
                "{\"Resources\": {\"A\": {\"Type\": \"x\"}}, \"b\": \"::\"}"
            ),
            "no"
        );
        assert_eq!(check("a.yml", "{{ jinja }}\nResources: a::b\n"), "no");
    }

    #[test]
    fn a_broken_template_is_told() {
        assert_eq!(
            check(
                "a.yml",
                "AWSTemplateFormatVersion: '2010-09-09'\nResources:\n\tA: 1\n"
            ),
            "yaml-syntax"
        );
        assert_eq!(
            check(
                "a.json",
                "{\"Resources\": {\n\"A\": {\n\"Type\": \"AWS::S3::Bucket\"}"
            ),
            "json-syntax"
        );
    }
}
