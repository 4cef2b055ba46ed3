//! Whether an identity stands on a list of the configuration.
//!
//! Not for reading the configuration. Invariant: an entry is an address, a name or an ARN, with `*`
//! and `?` as wildcards; an identity whose name is open is listed by its address only.

use overgrant_ir::Identity;

/// Whether one of the entries means the identity.
pub(crate) fn is_listed(entries: &[String], identity: &Identity) -> bool {
    if entries.is_empty() {
        return false;
    }
    let name = identity.name.as_known();
    let arn = identity.arn.to_string();
    entries.iter().any(|entry| {
        matches(entry, &identity.place.address)
            || name.as_deref().is_some_and(|name| matches(entry, name))
            || name.is_some()
                && entry.rsplit('/').next().is_some_and(|end| {
                    // Account and partition of the ARN are mostly open: the end decides.
                    entry.starts_with("arn:")
                        && (entry.contains(":role/") || entry.contains(":user/"))
                        && arn.rsplit('/').next().is_some_and(|own| matches(end, own))
                })
    })
}

/// Whether the glob matches the text.
pub(crate) fn matches(pattern: &str, text: &str) -> bool {
    let pattern: Vec<char> = pattern.chars().collect();
    let text: Vec<char> = text.chars().collect();
    let (mut p, mut t) = (0, 0);
    let mut retry: Option<(usize, usize)> = None;
    while let Some(&c) = text.get(t) {
        match pattern.get(p) {
            Some('*') => {
                retry = Some((p, t));
                p += 1;
            }
            Some(&wanted) if wanted == '?' || wanted == c => {
                p += 1;
                t += 1;
            }
            _ => {
                let Some((star, from)) = retry else {
                    return false;
                };
                retry = Some((star, from + 1));
                p = star + 1;
                t = from + 1;
            }
        }
    }
    pattern.iter().skip(p).all(|&c| c == '*')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn globs_match_whole_texts() {
        assert!(matches("aws_iam_role.*", "aws_iam_role.ci"));
        assert!(matches("*-deploy?", "ci-deploy1"));
        assert!(!matches("ci", "ci-deploy"));
        assert!(matches(
            "module.*.aws_s3_bucket.*",
            "module.web.aws_s3_bucket.site"
        ));
        assert!(!matches("*.logs", "aws_s3_bucket.site"));
        assert!(matches("a*b*c", "aXbYbZc"));
        assert!(!matches("a*b*c", "aXbYbZ"));
    }
}
