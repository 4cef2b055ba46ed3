//! The page of a rule in Markdown: one text for `docs/rules/`, `overgrant explain` and SARIF's help.
//!
//! Not for terminals, which style it. Invariant: a function of the rule alone.

use crate::{Docs, Rule};
use std::fmt::Write as _;

/// The page: heading, grades, the documentation, mappings, aliases, references.
#[must_use]
pub fn page(rule: &Rule) -> String {
    let docs = Docs::of(rule);
    let mut page = format!("# {}\n\n", rule.id);
    let _ = writeln!(
        page,
        "{} severity, {} confidence, family {}, since {}\n",
        rule.severity,
        rule.confidence,
        rule.family.as_str(),
        rule.since
    );
    page.push_str(docs.markdown.trim_end());
    page.push('\n');
    let controls: Vec<String> = rule
        .mappings
        .iter()
        .map(|(framework, control)| format!("{framework} {control}"))
        .chain(rule.cwe.iter().map(|cwe| format!("CWE-{cwe}")))
        .collect();
    if !controls.is_empty() {
        let _ = write!(page, "\n## Controls\n{}\n", controls.join(", "));
    }
    if !rule.aliases.is_empty() {
        let names: Vec<String> = rule
            .aliases
            .iter()
            .map(|alias| format!("`{alias}`"))
            .collect();
        let _ = write!(page, "\n## Also known as\n{}\n", names.join(", "));
    }
    if !rule.references.is_empty() {
        page.push_str("\n## References\n");
        for reference in rule.references {
            let _ = writeln!(page, "- <{reference}>");
        }
    }
    page
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_rule_has_a_whole_page() {
        for rule in crate::ALL {
            let page = page(rule);
            for part in ["# ", "## Why", "## Bad", "## Good", "## How to fix"] {
                assert!(page.contains(part), "{} lacks {part}", rule.id);
            }
            assert!(!page.contains("<-- here"), "{} shows a marker", rule.id);
        }
    }
}
