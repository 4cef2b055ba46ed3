//! `cargo dev new-rule FAMILY NAME`: a rule's file and its line in the registry.
//!
//! Not for: its documentation and check, which the author writes; the skeleton fails the tests until
//! then. Invariant: an existing file is never overwritten.

use crate::repository;
use anyhow::{Context as _, Result, bail};
use overgrant_rules::Family;

#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// Family, e.g. grant
    family: String,
    /// Kebab-case name; "allow NAME" should read as English
    name: String,
}

const REGISTRY: &str = "crates/rules/src/rules/mod.rs";

pub(crate) fn run(arguments: &Arguments) -> Result<()> {
    let Some(family) = Family::ALL
        .into_iter()
        .find(|family| family.as_str() == arguments.family)
    else {
        let names: Vec<_> = Family::ALL.into_iter().map(Family::as_str).collect();
        bail!(
            "no family `{}`; one of {}",
            arguments.family,
            names.join(", ")
        );
    };
    let name = arguments.name.as_str();
    let kebab = |part: &str| {
        !part.is_empty()
            && part
                .bytes()
                .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit())
    };
    if !name.split('-').all(kebab) {
        bail!("`{name}` is not kebab-case");
    }
    if overgrant_rules::find(name).is_some() {
        bail!("there is a rule or alias `{name}` already");
    }
    let root = repository::root()?;
    let module = name.replace('-', "_");
    let path = format!("crates/rules/src/rules/{}/{module}.rs", family.folder());
    let file = root.join(&path);
    if file.exists() {
        bail!("{path} exists");
    }
    if let Some(folder) = file.parent() {
        std::fs::create_dir_all(folder)?;
    }
    let registry = root.join(REGISTRY);
    let text = std::fs::read_to_string(&registry)?;
    let text =
        registered(&text, &family.folder(), &module).context("the registry has another layout")?;
    std::fs::write(&file, skeleton(family, name, &module))?;
    std::fs::write(registry, text)?;
    #[expect(clippy::print_stdout, reason = "the task's answer")]
    {
        println!("{path}\n{REGISTRY}");
    }
    Ok(())
}

/// The registry with the line in its sorted place; the family's block is made where there is none.
fn registered(text: &str, folder: &str, module: &str) -> Option<String> {
    let line = format!("        {module}::{},", module.to_uppercase());
    let mut lines: Vec<&str> = text.lines().collect();
    let open = format!("    {folder} {{");
    if !lines.contains(&open.as_str()) {
        let is_block = |line: &&str| {
            line.starts_with("    ") && !line.starts_with("     ") && line.ends_with('{')
        };
        let at = lines
            .iter()
            .position(|line| is_block(line) && *line > open.as_str())
            .or_else(|| lines.iter().rposition(|line| *line == "}"))?;
        lines.splice(at..at, [open.as_str(), "    }"]);
    }
    let start = lines.iter().position(|line| *line == open)? + 1;
    let length = lines.iter().skip(start).position(|line| *line == "    }")?;
    let at = lines
        .iter()
        .skip(start)
        .take(length)
        .position(|known| *known > line.as_str())
        .unwrap_or(length);
    lines.insert(start + at, &line);
    Some(lines.join("\n") + "\n")
}

fn skeleton(family: Family, name: &str, module: &str) -> String {
    let variant: String = family
        .as_str()
        .split('-')
        .map(|word| {
            let mut letters = word.chars();
            letters.next().map_or_else(String::new, |first| {
                first.to_uppercase().collect::<String>() + letters.as_str()
            })
        })
        .collect();
    format!(
        r#"//! `{name}`: what it finds, in one line.

use crate::{{Context, Family, Scope}};
use overgrant_finding::{{Confidence, Severity}};

rule! {{
    /// Summary of at most 80 characters.
    ///
    /// One paragraph: what the rule looks at.
    ///
    /// ## Why
    /// What an attacker gains.
    ///
    /// ## Bad
    /// ```terraform bad
    /// ```
    /// ```cloudformation bad
    /// ```
    /// ## Good
    /// ```terraform good
    /// ```
    /// ```cloudformation good
    /// ```
    /// ## How to fix
    /// What to change.
    pub(crate) static {constant} = Rule {{
        id: "{name}",
        family: Family::{variant},
        severity: Severity::Medium,
        confidence: Confidence::High,
        scope: Scope::Module,
        since: "{version}",
        cwe: &[269],
        aliases: &[],
        mappings: &[],
        references: &[],
        check: check,
    }};
}}

fn check(cx: &mut Context<'_>) {{
    let _ = cx.model;
}}
"#,
        constant = module.to_uppercase(),
        version = env!("CARGO_PKG_VERSION"),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "//! All.\n\nrules! {\n    grant {\n        a::A,\n        c::C,\n    }\n    trust {\n    }\n}\n";

    #[test]
    fn lines_stay_sorted() {
        let text = registered(TEXT, "grant", "b").unwrap();
        assert!(
            text.contains("        a::A,\n        b::B,\n        c::C,\n"),
            "{text}"
        );
        let text = registered(TEXT, "trust", "z").unwrap();
        assert!(
            text.contains("    trust {\n        z::Z,\n    }\n"),
            "{text}"
        );
    }

    #[test]
    fn a_new_family_gets_its_place() {
        let text = registered(TEXT, "resource", "r").unwrap();
        assert!(
            text.contains("    }\n    resource {\n        r::R,\n    }\n    trust {"),
            "{text}"
        );
        let text = registered(TEXT, "validity", "v").unwrap();
        assert!(
            text.ends_with("    validity {\n        v::V,\n    }\n}\n"),
            "{text}"
        );
    }
}
