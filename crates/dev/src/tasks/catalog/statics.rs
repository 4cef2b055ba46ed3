//! Writing the hand-kept tables as Rust statics, so that a word outside a vocabulary does not
//! compile.
//!
//! Not for: the large tables. Invariant: one row is one line; cells are written as Rust literals.

use super::read::{Table, split};
use anyhow::{Context as _, Result, bail, ensure};
use std::fmt::Write as _;
use std::path::Path;

const HEAD: &str = "// Written by `cargo dev catalog` from `testdata/catalog`; do not edit.\n";

/// `generated/mod.rs`.
pub(crate) fn index(date: &str) -> String {
    format!(
        "//! Written by `cargo dev catalog` from `testdata/catalog`; do not edit.

#[rustfmt::skip]
mod calls;
#[rustfmt::skip]
mod escalation;
#[rustfmt::skip]
mod issuers;
#[rustfmt::skip]
mod quotas;

pub(crate) use calls::CALLS;
pub(crate) use escalation::ESCALATION_PATHS;
pub(crate) use issuers::ISSUERS;
pub(crate) use quotas::QUOTAS;

/// The day that the embedded action tables describe.
pub const DATA_DATE: &str = {date:?};
pub(crate) const STRINGS: &str = include_str!(\"strings.txt\");
pub(crate) const TABLES: &[u8] = include_bytes!(\"tables.bin\");
pub(crate) const POLICIES: &[u8] = include_bytes!(\"policies.bin\");
"
    )
}

/// A cell as a string literal; `-` is the empty string.
fn literal(cell: &str) -> String {
    format!("{:?}", if cell == "-" { "" } else { cell })
}

/// A list as a slice of string literals.
fn literals(parts: &[&str]) -> String {
    let parts: Vec<String> = parts.iter().map(|part| format!("{part:?}")).collect();
    format!("&[{}]", parts.join(", "))
}

/// `Type::Variant` for a kebab-case word.
fn variant(kind: &str, word: &str) -> String {
    let mut out = format!("{kind}::");
    for part in word.split(['-', '/']) {
        let mut letters = part.chars();
        out.extend(letters.next().map(|letter| letter.to_ascii_uppercase()));
        out.push_str(letters.as_str());
    }
    out
}

/// `generated/calls.rs`: rows of one call stand together, calls in the order of their lower-cased names.
pub(crate) fn calls(inputs: &Path) -> Result<String> {
    let header = ["call", "action", "types", "need", "evidence"];
    let table = Table::read(inputs, "calls.tsv", &header)?;
    let mut calls: Vec<(&str, Vec<String>)> = Vec::new();
    for (place, [call, action, types, need, evidence]) in table.rows()? {
        let before = calls.last().map_or("", |(name, _)| name);
        let order = before.to_ascii_lowercase().cmp(&call.to_ascii_lowercase());
        ensure!(order.is_le(), "{place}: {call} stands after {before}");
        if before != call {
            ensure!(order.is_lt(), "{place}: {call} and {before} are one call");
            calls.push((call, Vec::new()));
        }
        let part = format!(
            "CallPart {{ action: {action:?}, types: {}, need: {}, evidence: {evidence:?} }}",
            literals(&split(types, '|')),
            variant("Need", need),
        );
        calls.last_mut().context(place)?.1.push(part);
    }
    let mut out = format!("{HEAD}use crate::{{Call, CallPart, Need}};\n\n");
    out.push_str("pub(crate) const CALLS: &[Call] = &[\n");
    for (name, parts) in calls {
        let parts = parts.join(", ");
        writeln!(out, "    Call {{ name: {name:?}, parts: &[{parts}] }},")?;
    }
    out.push_str("];\n");
    Ok(out)
}

/// `generated/quotas.rs`.
pub(crate) fn quotas(inputs: &Path) -> Result<String> {
    let header = ["limit", "value", "as_of", "source", "confidence"];
    let table = Table::read(inputs, "quotas.tsv", &header)?;
    let mut out = format!("{HEAD}use crate::{{Confidence, Quota}};\n\n");
    out.push_str("pub(crate) const QUOTAS: &[Quota] = &[\n");
    for (place, [limit, value, as_of, source, confidence]) in table.rows()? {
        let value: u32 = value.parse().context(place)?;
        let confidence = variant("Confidence", confidence);
        writeln!(
            out,
            "    Quota {{ limit: {limit:?}, value: {value}, as_of: {as_of:?}, source: {source:?}, \
             confidence: {confidence} }},"
        )?;
    }
    out.push_str("];\n");
    Ok(out)
}

/// `generated/issuers.rs`.
pub(crate) fn issuers(inputs: &Path) -> Result<String> {
    let header = [
        "issuer",
        "provider",
        "tenancy",
        "aws_required_claim",
        "condition_keys",
        "safe_requirement",
        "unsafe_patterns",
        "audience",
        "recyclable_names",
        "notes",
        "evidence",
        "sub_grammar_confidence",
    ];
    let table = Table::read(inputs, "issuers.tsv", &header)?;
    let mut out = format!("{HEAD}use crate::{{Confidence, Issuer, Tenancy}};\n\n");
    out.push_str("pub(crate) const ISSUERS: &[Issuer] = &[\n");
    for (place, cells) in table.rows::<12>()? {
        let [
            issuer,
            provider,
            tenancy,
            claim,
            keys,
            safe,
            wide,
            audience,
            recyclable,
            notes,
            evidence,
            confidence,
        ] = cells;
        let confidence = match confidence {
            "H" => "Confidence::High",
            "M" => "Confidence::Medium",
            "L" => "Confidence::Low",
            other => bail!("{place}: `{other}` is no confidence"),
        };
        let tenancy = match tenancy {
            "n/a" => "Tenancy::NotApplicable".to_owned(),
            word => variant("Tenancy", word),
        };
        let patterns = host_patterns(issuer);
        let patterns: Vec<&str> = patterns.iter().map(String::as_str).collect();
        writeln!(
            out,
            "    Issuer {{ issuer: {issuer:?}, patterns: {}, provider: {provider:?}, tenancy: \
             {tenancy}, required_claims: {}, condition_keys: {}, safe_requirement: {}, \
             unsafe_patterns: {}, audience: {}, recyclable_names: {}, notes: {}, evidence: {}, \
             confidence: {confidence} }},",
            literals(&patterns),
            literals(&claims(claim)),
            literals(&split(keys, ',')),
            literal(safe),
            literal(wide),
            literal(audience),
            literal(recyclable),
            literal(notes),
            literal(evidence),
        )?;
    }
    out.push_str("];\n");
    Ok(out)
}

/// The claims that a cell names: `sub (x also accepted …)` is `sub` and `x`.
fn claims(cell: &str) -> Vec<&str> {
    let (first, rest) = cell.split_once(" (").unwrap_or((cell, ""));
    let mut claims = split(first, ',');
    claims.extend(rest.split_once(' ').map(|(other, _)| other));
    claims
}

/// Host and path patterns of an issuer cell, with `*` for every placeholder in capitals. Rows that
/// name no host (words, or a placeholder for the whole) have none.
fn host_patterns(cell: &str) -> Vec<String> {
    if cell.contains(' ') {
        return Vec::new();
    }
    let mut patterns = Vec::new();
    for alternative in cell.split('|') {
        let (mut pattern, mut inside) = (String::new(), false);
        let mut before = '.';
        for letter in alternative.chars() {
            let starts = !before.is_ascii_alphanumeric() && letter.is_ascii_uppercase();
            let goes_on = letter == '_' || letter.is_ascii_uppercase() || letter.is_ascii_digit();
            inside = starts || (inside && goes_on);
            match (inside, pattern.ends_with('*')) {
                (true, true) => {}
                (true, false) => pattern.push('*'),
                (false, _) => pattern.push(letter),
            }
            before = letter;
        }
        if pattern != "*" {
            patterns.push(pattern);
        }
    }
    patterns
}

/// `generated/escalation.rs`.
pub(crate) fn escalation(inputs: &Path) -> Result<String> {
    let header = [
        "path_id",
        "category",
        "caller",
        "legs",
        "services_any",
        "services_all",
        "preconditions",
        "gain",
        "level",
        "confidence",
        "helpful_actions",
        "rule",
        "pathfinding_id",
        "sources",
        "notes",
    ];
    let table = Table::read(inputs, "escalation.tsv", &header)?;
    let mut out = format!(
        "{HEAD}use crate::{{Caller, Category, Confidence, EscalationPath, Gain, Leg, Level, \
         Precondition, Target, TargetKind, TrustedService}};\n\n"
    );
    out.push_str("pub(crate) const ESCALATION_PATHS: &[EscalationPath] = &[\n");
    for (place, cells) in table.rows::<15>()? {
        let [
            id,
            category,
            caller,
            steps,
            any,
            all,
            preconditions,
            gain,
            level,
            confidence,
            helpful,
            rule,
            pathfinding,
            sources,
            notes,
        ] = cells;
        let gain = if gain == "self" { "own" } else { gain };
        let preconditions: Vec<String> = split(preconditions, ',')
            .into_iter()
            .filter(|word| *word != "none")
            .map(|word| variant("Precondition", word))
            .collect();
        let all: Vec<String> = split(all, ',')
            .into_iter()
            .map(|service| {
                let (principal, role) = service.split_once('@').unwrap_or((service, "R"));
                let role = target(role)?;
                Ok(format!(
                    "TrustedService {{ principal: {principal:?}, role: {role} }}"
                ))
            })
            .collect::<Result<_>>()
            .with_context(|| place.clone())?;
        ensure!(
            any == "-" || all.is_empty(),
            "{place}: both columns of services are filled"
        );
        writeln!(
            out,
            "    EscalationPath {{ id: {id:?}, category: {}, caller: {}, legs: {}, services_any: \
             {}, services_all: &[{}], preconditions: &[{}], gain: {}, level: {}, confidence: {}, \
             helpful: {}, rule: {rule:?}, pathfinding: {}, sources: {}, notes: {} }},",
            variant("Category", category),
            variant("Caller", caller),
            legs(steps).with_context(|| place.clone())?,
            literals(&split(any, ',')),
            all.join(", "),
            preconditions.join(", "),
            variant("Gain", gain),
            variant("Level", level),
            variant("Confidence", confidence),
            literals(&split(helpful, ',')),
            literals(
                &split(pathfinding, ';')
                    .iter()
                    .flat_map(|p| split(p, ','))
                    .collect::<Vec<_>>()
            ),
            literals(&split(sources, ';')),
            literal(notes),
        )?;
    }
    out.push_str("];\n");
    Ok(out)
}

/// Legs joined by `,`; a leg is `action@TARGET` or `(a@X|b@X)`.
fn legs(cell: &str) -> Result<String> {
    let mut groups = Vec::new();
    for group in split(cell, ',') {
        let inner = group
            .strip_prefix('(')
            .and_then(|rest| rest.strip_suffix(')'));
        let mut written = Vec::new();
        for leg in inner.unwrap_or(group).split('|') {
            let (action, on) = leg
                .split_once('@')
                .with_context(|| format!("`{leg}`: no target"))?;
            let name = |text: &str| {
                text.bytes()
                    .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
            };
            let whole = action
                .split_once(':')
                .is_some_and(|(service, n)| name(service) && name(n));
            ensure!(whole, "`{action}` is no action");
            written.push(format!(
                "Leg {{ action: {action:?}, target: {} }}",
                target(on)?
            ));
        }
        groups.push(format!("&[{}]", written.join(", ")));
    }
    ensure!(!groups.is_empty(), "no legs");
    Ok(format!("&[{}]", groups.join(", ")))
}

/// A letter, and a digit for a second or further one of its kind.
fn target(text: &str) -> Result<String> {
    let (letter, index) = text.split_at_checked(1).unwrap_or((text, ""));
    let index = match index {
        "" => 1,
        "2" | "3" | "4" => index.parse::<u8>()?,
        _ => bail!("`{text}` is no target"),
    };
    let kind = match letter {
        "R" => "Role",
        "U" => "User",
        "G" => "Group",
        "P" => "Policy",
        "F" => "Existing",
        "N" => "New",
        "*" => "Any",
        _ => bail!("`{text}` is no target"),
    };
    Ok(format!(
        "Target {{ kind: TargetKind::{kind}, index: {index} }}"
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn placeholders_become_wildcards() {
        assert_eq!(
            host_patterns("oidc.eks.REGION.amazonaws.com/id/ID"),
            ["oidc.eks.*.amazonaws.com/id/*"]
        );
        assert_eq!(
            host_patterns("OIDC_REGION.oic.prod-aks.azure.com/TENANT/GUID"),
            ["*.oic.prod-aks.azure.com/*/*"]
        );
        assert_eq!(
            host_patterns("sts.windows.net/33e01921-4d64"),
            ["sts.windows.net/33e01921-4d64"]
        );
        assert_eq!(host_patterns("a.io|X.a.io"), ["a.io", "*.a.io"]);
        assert!(host_patterns("GITLAB_HOST").is_empty());
        assert!(host_patterns("SAML provider ARN").is_empty());
    }

    #[test]
    fn claims_in_words() {
        assert_eq!(
            claims("sub (job_workflow_ref also accepted)"),
            ["sub", "job_workflow_ref"]
        );
        assert!(claims("-").is_empty());
    }

    #[test]
    fn broken_legs_are_refused() {
        assert!(legs("iam:PassRole@R,(a:B@F|a:C@F)").is_ok());
        for broken in ["", "iam:PassRole", "iam:PassRole@Z", "iam:*@R", "iam@R"] {
            assert!(legs(broken).is_err(), "{broken}");
        }
    }
}
