//! `overgrant explain` and `overgrant rules`.
//!
//! Not for their texts, which are the rules' own. Invariant: an unknown name ends with the near one.

use crate::arguments::{Explain, ListFormat, Rules};
use crate::exit::Exit;
use anyhow::bail;
use std::io::Write as _;

pub(crate) fn explain(arguments: &Explain) -> anyhow::Result<Exit> {
    let Some(rule) = overgrant_rules::find(&arguments.rule) else {
        let near = overgrant_engine::near_rule(&arguments.rule)
            .map_or_else(String::new, |near| format!(" (did you mean `{near}`?)"));
        bail!(
            "there is no rule or alias `{}`{near}; `overgrant rules` lists them",
            arguments.rule
        );
    };
    let mut page = overgrant_report::explain(rule);
    let others: Vec<&str> = overgrant_rules::named(&arguments.rule)
        .map(|other| other.id)
        .filter(|id| *id != rule.id)
        .collect();
    if !others.is_empty() {
        page.push_str(&format!(
            "\n`{}` stands for these rules too: {}\n",
            arguments.rule,
            others.join(", ")
        ));
    }
    std::io::stdout().lock().write_all(page.as_bytes())?;
    Ok(Exit::Clean)
}

pub(crate) fn list(arguments: &Rules) -> anyhow::Result<Exit> {
    let mut rules = overgrant_rules::ALL.to_vec();
    rules.sort_by_key(|rule| rule.id);
    let text = match arguments.format {
        ListFormat::Text => overgrant_report::rules_text(&rules),
        ListFormat::Json => overgrant_report::rules_json(&rules),
        ListFormat::Markdown => overgrant_report::rules_markdown(&rules),
    };
    std::io::stdout().lock().write_all(text.as_bytes())?;
    Ok(Exit::Clean)
}
