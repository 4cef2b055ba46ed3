//! Fingerprints that survive moves and rewordings.
//!
//! Not GitHub's line hash, which `report` makes. Invariant: made of rule, resource type and name,
//! the judged cell and an ordinal; never of paths, lines, Sids, roots, module paths or instance keys.

use crate::Finding;
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;

/// The fingerprint of one finding with its ordinal among equals.
#[must_use]
pub fn fingerprint(finding: &Finding, ordinal: usize) -> String {
    let mut hash = Sha256::new();
    for part in [
        finding.rule,
        &finding.kind,
        &local_name(&finding.address),
        &finding.cell,
    ] {
        hash.update(part.as_bytes());
        hash.update([0]);
    }
    hash.update(ordinal.to_string().as_bytes());
    let digest = hash.finalize();
    let hex: String = digest
        .iter()
        .take(8)
        .map(|byte| format!("{byte:02x}"))
        .collect();
    format!("og1:{hex}")
}

/// Gives every finding its fingerprint. The findings must be in (path, start) order.
pub fn assign<'a>(findings: impl IntoIterator<Item = &'a mut Finding>) {
    let mut seen: BTreeMap<(String, String, String, String), usize> = BTreeMap::new();
    for finding in findings {
        let key = (
            finding.rule.to_owned(),
            finding.kind.to_string(),
            local_name(&finding.address),
            finding.cell.clone(),
        );
        let ordinal = seen.entry(key).or_default();
        finding.fingerprint = fingerprint(finding, *ordinal);
        *ordinal += 1;
    }
}

/// The address without module path and instance keys: `module.a["x"].aws_iam_role.r[0]` gives
/// `aws_iam_role.r`. Dots inside brackets do not count; other formats have neither.
#[must_use]
pub fn local_name(address: &str) -> String {
    let mut depth = 0_usize;
    let mut parts: Vec<String> = vec![String::new()];
    for c in address.chars() {
        match c {
            '[' => depth += 1,
            ']' => depth = depth.saturating_sub(1),
            '.' if depth == 0 => parts.push(String::new()),
            c if depth == 0 => {
                if let Some(part) = parts.last_mut() {
                    part.push(c);
                }
            }
            _ => {}
        }
    }
    let mut rest = parts.as_slice();
    while let [module, _, more @ ..] = rest
        && module == "module"
        && !more.is_empty()
    {
        rest = more;
    }
    rest.join(".")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_lose_modules_and_keys() {
        assert_eq!(
            local_name(r#"module.a["x.y"].module.b[0].aws_iam_role.r["k"]"#),
            "aws_iam_role.r"
        );
        assert_eq!(
            local_name("data.aws_iam_policy_document.p"),
            "data.aws_iam_policy_document.p"
        );
        assert_eq!(local_name("Nested/Logical"), "Nested/Logical");
    }
}
