//! Matching a name against a pattern with `*` (any run) and `?` (one character), without case.
//!
//! Not for: resources, whose wildcards stop at segments (`policy` owns those). Invariant: linear
//! space and at worst quadratic time, whatever the pattern.

/// Whether the whole of `name` matches `pattern`; ASCII letters compare without case.
pub(crate) fn matches(pattern: &[u8], name: &[u8]) -> bool {
    let (mut at, mut pos) = (0, 0);
    // Where the last `*` stood, and how far into the name it reaches so far.
    let mut star: Option<(usize, usize)> = None;
    while let Some(byte) = name.get(pos) {
        match pattern.get(at) {
            Some(b'*') => {
                star = Some((at, pos));
                at += 1;
            }
            Some(p) if *p == b'?' || p.eq_ignore_ascii_case(byte) => {
                at += 1;
                pos += 1;
            }
            _ => {
                let Some((star_at, reach)) = star else {
                    return false;
                };
                // The byte after the `*` says where the match can go on at all.
                let Some(next) = pattern.get(star_at + 1) else {
                    return true;
                };
                let rest = name.get(reach + 1..).unwrap_or_default();
                let fits = |byte: &u8| *next == b'?' || next.eq_ignore_ascii_case(byte);
                let Some(skip) = rest.iter().position(fits) else {
                    return false;
                };
                star = Some((star_at, reach + 1 + skip));
                at = star_at + 1;
                pos = reach + 1 + skip;
            }
        }
    }
    pattern
        .get(at..)
        .unwrap_or_default()
        .iter()
        .all(|p| *p == b'*')
}

/// Whether the text holds a wildcard.
pub(crate) fn is_pattern(text: &[u8]) -> bool {
    text.iter().any(|byte| matches!(byte, b'*' | b'?'))
}

/// The text before the first wildcard, and the rest.
pub(crate) fn split(pattern: &str) -> (&str, &str) {
    let at = pattern.find(['*', '?']).unwrap_or(pattern.len());
    pattern.split_at_checked(at).unwrap_or((pattern, ""))
}

/// What stands after the last wildcard: every match ends with it.
pub(crate) fn literal_suffix(pattern: &[u8]) -> &[u8] {
    pattern
        .rsplit(|byte| matches!(byte, b'*' | b'?'))
        .next()
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wildcards_and_case() {
        let ok = |p: &str, n: &str| matches(p.as_bytes(), n.as_bytes());
        assert!(ok("Get*", "getObject"));
        assert!(ok("*", ""));
        assert!(ok("G?tO*t", "GetObject"));
        assert!(ok("*Object*", "GetObjectAcl"));
        assert!(ok("a*b*c", "aXbXbXc"));
        assert_eq!(literal_suffix(b"a*b?cd"), b"cd");
        assert_eq!(literal_suffix(b"ab"), b"ab");
        assert_eq!(literal_suffix(b"a*"), b"");
        assert!(!ok("Get", "GetObject"));
        assert!(!ok("?", ""));
        assert!(!ok("a*b*c", "aXbXbX"));
    }
}
