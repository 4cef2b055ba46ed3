//! Pages about rules: one rule in the terminal, all rules as a list.
//!
//! Not for SARIF's rule objects. Invariant: everything comes from the rule and its doc comment.

use overgrant_rules::{Docs, Rule};
use serde::Serialize;

/// The page of one rule, as text for a terminal.
#[must_use]
pub fn explain(rule: &Rule) -> String {
    let docs = Docs::of(rule);
    let mut out = format!(
        "{}\n{} severity, {} confidence, family {}, since {}\n\n{}\n",
        rule.id,
        rule.severity,
        rule.confidence,
        rule.family.as_str(),
        rule.since,
        docs.markdown.trim()
    );
    if !rule.mappings.is_empty() {
        let words = rule.mappings.iter();
        let words: Vec<String> = words.map(|(name, id)| format!("{name} {id}")).collect();
        out.push_str(&format!("\nMapped to: {}\n", words.join("; ")));
    }
    if !rule.aliases.is_empty() {
        out.push_str(&format!("\nAliases: {}\n", rule.aliases.join(", ")));
    }
    if !rule.references.is_empty() {
        out.push_str("\nReferences:\n");
        for reference in rule.references {
            out.push_str(&format!("- {reference}\n"));
        }
    }
    out.push_str(&format!(
        "\nTo accept one finding, write a comment on its line or the line above:\n  # overgrant:ignore[{}] reason\n",
        rule.id
    ));
    out
}

/// A list for people: id, severity, summary.
#[must_use]
pub fn rules_text(rules: &[&Rule]) -> String {
    let width = rules.iter().map(|rule| rule.id.len()).max().unwrap_or(0);
    let mut out = String::new();
    for rule in rules {
        out.push_str(&format!(
            "{:width$}  {:8}  {}\n",
            rule.id,
            rule.severity.as_str(),
            Docs::of(rule).summary
        ));
    }
    out
}

/// A table in Markdown.
#[must_use]
pub fn rules_markdown(rules: &[&Rule]) -> String {
    let mut out =
        "| rule | family | severity | confidence | what it finds |\n| --- | --- | --- | --- | --- |\n"
            .to_owned();
    for rule in rules {
        out.push_str(&format!(
            "| `{}` | {} | {} | {} | {} |\n",
            rule.id,
            rule.family.as_str(),
            rule.severity,
            rule.confidence,
            Docs::of(rule).summary.replace('|', "\\|")
        ));
    }
    out
}

#[derive(Serialize)]
struct RuleOut<'a> {
    id: &'a str,
    family: &'a str,
    severity: &'a str,
    confidence: &'a str,
    scope: &'a str,
    since: &'a str,
    summary: String,
    docs: String,
    cwe: &'a [u16],
    aliases: &'a [&'a str],
    mappings: Vec<String>,
    references: &'a [&'a str],
}

/// All facts as JSON.
#[must_use]
pub fn rules_json(rules: &[&Rule]) -> String {
    let rules: Vec<RuleOut<'_>> = rules
        .iter()
        .map(|rule| {
            let docs = Docs::of(rule);
            RuleOut {
                id: rule.id,
                family: rule.family.as_str(),
                severity: rule.severity.as_str(),
                confidence: rule.confidence.as_str(),
                scope: rule.scope.as_str(),
                since: rule.since,
                summary: docs.summary,
                docs: docs.markdown,
                cwe: rule.cwe,
                aliases: rule.aliases,
                mappings: rule
                    .mappings
                    .iter()
                    .map(|(name, id)| format!("{name} {id}"))
                    .collect(),
                references: rule.references,
            }
        })
        .collect();
    crate::json::to_text(&rules)
}
