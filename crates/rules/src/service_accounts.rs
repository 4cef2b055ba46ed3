//! Which service accounts of a Kubernetes cluster a subject means: `system:serviceaccount:NAMESPACE:NAME`.
//!
//! Not for which issuers are clusters (`federation`). Invariant: an open part is taken as fixed text.
//! Source: EKS, "IAM roles for service accounts".

use crate::federation::{Trusted, Width};
use crate::skeleton::{HOLE, is_wild};

const PREFIX: &str = "system:serviceaccount:";

/// Whether a trust lets in service accounts of more than one namespace.
pub(crate) fn lets_in_namespaces(trusted: &Trusted<'_>) -> bool {
    let subject = trusted.decisive("sub", width);
    subject.is_none_or(|subject| subject.width >= Width::Owner)
}

/// The namespace of a subject.
pub(crate) fn namespace(subject: &str) -> &str {
    let rest = subject.strip_prefix(PREFIX).unwrap_or(subject);
    rest.split(':').next().unwrap_or(rest)
}

/// `Everybody`: every service account; `Owner`: several namespaces; `Organization`: one namespace;
/// `AnyRef`: names with a fixed start.
pub(crate) fn width(value: &str) -> Width {
    if !is_wild(value) {
        return Width::Pinned;
    }
    let Some(rest) = value.strip_prefix(PREFIX) else {
        let literal = value.split(['*', '?', HOLE]).next().unwrap_or_default();
        return if PREFIX.starts_with(literal) && !value.starts_with(HOLE) {
            Width::Everybody
        } else {
            Width::Pinned
        };
    };
    match rest.split_once(':') {
        None if rest.contains(HOLE) => Width::Pinned,
        None if rest.starts_with('*') => Width::Everybody,
        None => Width::Owner,
        Some((namespace, name)) if is_wild(namespace) => {
            if namespace == "*" && name == "*" {
                Width::Everybody
            } else {
                Width::Owner
            }
        }
        Some((_, name)) if name.starts_with(['*', '?']) => Width::Organization,
        Some((_, name)) if is_wild(name) => Width::AnyRef,
        Some(_) => Width::Pinned,
    }
}

#[cfg(test)]
mod tests {
    use super::{Width, width};

    #[test]
    fn subjects_of_clusters() {
        for (value, wanted) in [
            ("*", Width::Everybody),
            ("system:serviceaccount:*", Width::Everybody),
            ("system:serviceaccount:*:*", Width::Everybody),
            ("system:serviceaccount:*:dns", Width::Owner),
            ("system:serviceaccount:team-*", Width::Owner),
            ("system:serviceaccount:dns:*", Width::Organization),
            (
                "system:serviceaccount:emr:emr-containers-sa-*",
                Width::AnyRef,
            ),
            ("system:serviceaccount:dns:dns", Width::Pinned),
        ] {
            assert_eq!(width(value), wanted, "{value}");
        }
    }
}
