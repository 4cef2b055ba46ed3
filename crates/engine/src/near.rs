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

#[cfg(test)]
mod tests {
    use super::near;

    #[test]
    fn finds_typing_errors_only() {
        let names = ["admin-star-star", "trust-anyone", "own_accounts"];
        assert_eq!(near("admin-star-sta", names), Some("admin-star-star"));
        assert_eq!(near("own-accounts", names), Some("own_accounts"));
        assert_eq!(near("zzz", names), None);
    }
}
