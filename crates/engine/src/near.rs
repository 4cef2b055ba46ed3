//! The name that was probably meant.
//!
//! Invariant: the answer does not depend on the order of the candidates.

/// The candidate closest to `name`, if one is close; equal distance goes to the first by name.
pub(crate) fn near<'a>(
    name: &str,
    candidates: impl IntoIterator<Item = &'a str>,
) -> Option<&'a str> {
    const CLOSE: f64 = 0.84;
    let name = name.to_ascii_lowercase();
    let mut best: Option<(f64, &str)> = None;
    for candidate in candidates {
        let score = strsim::jaro_winkler(&name, &candidate.to_ascii_lowercase());
        if score < CLOSE {
            continue;
        }
        let better = best.is_none_or(|(known, other)| {
            score > known || ((score - known).abs() < f64::EPSILON && candidate < other)
        });
        if better {
            best = Some((score, candidate));
        }
    }
    best.map(|(_, candidate)| candidate)
}

/// The closest candidates, most alike first: those that are close, or hold the name.
pub(crate) fn nearest<'a>(
    name: &str,
    candidates: impl IntoIterator<Item = &'a str>,
    most: usize,
) -> Vec<String> {
    const CLOSE: f64 = 0.75;
    let name = name.to_ascii_lowercase();
    let mut scored: Vec<(u64, &str)> = candidates
        .into_iter()
        .filter_map(|candidate| {
            let lower = candidate.to_ascii_lowercase();
            // An address is compared by its last part too.
            let last = lower.rsplit(['.', '/']).next().unwrap_or(&lower);
            let score = strsim::jaro_winkler(&name, &lower).max(strsim::jaro_winkler(&name, last));
            let holds = name.len() > 2 && lower.contains(&name);
            let score = if holds { score.max(0.9) } else { score };
            (score >= CLOSE).then_some(((score * 1e6) as u64, candidate))
        })
        .collect();
    scored.sort_by(|a, b| b.0.cmp(&a.0).then(a.1.cmp(b.1)));
    scored.dedup_by(|a, b| a.1 == b.1);
    scored
        .into_iter()
        .take(most)
        .map(|(_, candidate)| candidate.to_owned())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::{near, nearest};

    #[test]
    fn addresses_are_found_by_their_ends() {
        let names = [
            "module.ci.aws_iam_role.deploy",
            "aws_iam_user.bob",
            "deploy-eu",
        ];
        let found = nearest("deplyo", names, 2);
        assert_eq!(found, ["module.ci.aws_iam_role.deploy", "deploy-eu"]);
        assert!(nearest("zzz", names, 2).is_empty());
    }

    #[test]
    fn finds_typing_errors_only() {
        let names = ["admin-star-star", "trust-anyone", "own_accounts"];
        assert_eq!(near("admin-star-sta", names), Some("admin-star-star"));
        assert_eq!(near("own-accounts", names), Some("own_accounts"));
        assert_eq!(near("zzz", names), None);
    }
}
