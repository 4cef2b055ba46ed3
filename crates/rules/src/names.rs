//! How messages name what they speak of: as its user wrote it, in backticks.
//!
//! Not for addresses in outputs, which findings carry. Invariant: a name that is not known, or not as a
//! whole, is replaced by the address, never by a guess.

use overgrant_ir::{DocumentRole, Identity, Place, PolicyDocument};
use overgrant_value::Text;

/// Whether a name says which thing it is: `-node-role` and `app--role` are left of names whose other parts
/// have empty defaults here and are given where the code is used.
pub(crate) fn is_whole(name: &str) -> bool {
    const JOINTS: [char; 4] = ['-', '_', '.', '/'];
    !name.trim().is_empty()
        && !name.starts_with(JOINTS)
        && !name.ends_with(JOINTS)
        && !name.contains("--")
}

/// A known name, else the address.
fn known(name: Option<&Text>, place: &Place) -> String {
    name.and_then(Text::as_known)
        .filter(|name| is_whole(name))
        .map_or_else(|| place.address.to_string(), Into::into)
}

/// ``policy `deploy` ``, ``the trust policy of `aws_iam_role.ci` ``: what a document is and whose.
#[must_use]
pub(crate) fn document(document: &PolicyDocument) -> String {
    let place = &document.place;
    match &document.role {
        DocumentRole::Managed | DocumentRole::Inline | DocumentRole::Iot => {
            format!("policy `{}`", known(document.name.as_ref(), place))
        }
        DocumentRole::Trust => format!("the trust policy of `{}`", place.address),
        DocumentRole::Resource { .. } => format!("the resource policy `{}`", place.address),
        DocumentRole::ServiceControl
        | DocumentRole::ResourceControl
        | DocumentRole::OtherOrganization => {
            format!(
                "organization policy `{}`",
                known(document.name.as_ref(), place)
            )
        }
        DocumentRole::Session => format!("the session policy of `{}`", place.address),
        DocumentRole::Endpoint => format!("the endpoint policy of `{}`", place.address),
    }
}

/// ``role `ci` ``: kind and name of an identity.
pub(crate) fn identity(identity: &Identity) -> String {
    let name = known(Some(&identity.name), &identity.place);
    format!("{} `{name}`", identity.kind.as_str())
}

/// The name of an identity without its kind and without backticks.
pub(crate) fn plain(identity: &Identity) -> String {
    known(Some(&identity.name), &identity.place)
}

#[cfg(test)]
mod tests {
    use super::is_whole;

    #[test]
    fn what_is_left_of_a_name_is_none() {
        for name in ["ci", "acme-ci", "AWS__x", "a.b@example.com"] {
            assert!(is_whole(name), "{name}");
        }
        for left in [
            "",
            " ",
            "--node-role",
            "-role",
            "role-",
            "acme--role",
            "/app",
        ] {
            assert!(!is_whole(left), "{left}");
        }
    }
}
