//! What the CDK writes into templates: construct paths, and what it made for its own ends.
//!
//! Not for assemblies, which have a crate of their own. Invariant: no two resources of a template get
//! the same address.
//! <https://docs.aws.amazon.com/cdk/v2/guide/constructs.html>

use crate::syntax::Node;
use overgrant_ir::Maker;
use smol_str::SmolStr;
use std::collections::{BTreeMap, BTreeSet};

/// Construct paths by logical id, without a trailing `/Resource` where that leaves them distinct;
/// from the resources' metadata, else from `known`.
pub(crate) fn construct_paths(
    resources: Option<&Node>,
    known: &BTreeMap<SmolStr, SmolStr>,
) -> BTreeMap<SmolStr, SmolStr> {
    let paths: Vec<(&SmolStr, &str)> = resources
        .map(Node::entries)
        .unwrap_or_default()
        .iter()
        .filter_map(|entry| {
            let own = entry
                .value
                .get("Metadata")
                .and_then(|metadata| metadata.get("aws:cdk:path"))
                .and_then(|path| path.text());
            let path = own.or_else(|| known.get(&entry.key).map(SmolStr::as_str))?;
            Some((&entry.key, path))
        })
        .collect();
    let short = |path: &str| -> SmolStr { path.strip_suffix("/Resource").unwrap_or(path).into() };
    let mut count: BTreeMap<SmolStr, usize> = BTreeMap::new();
    for (_, path) in &paths {
        *count.entry(short(path)).or_default() += 1;
    }
    let mut taken = BTreeSet::new();
    paths
        .into_iter()
        .filter_map(|(id, path)| {
            let name = short(path);
            let name = if count.get(&name) == Some(&1) {
                name
            } else {
                SmolStr::from(path)
            };
            taken.insert(name.clone()).then(|| (id.clone(), name))
        })
        .collect()
}

/// Who made a resource, by its construct path (in its metadata, else `known`), and where a template
/// has lost its metadata by the logical id `id`.
///
/// The CDK makes custom resource providers, their handlers and the construct metadata for its own ends:
/// singletons near the top of a stack, or of a stage's stack. What grant methods give to a role, user
/// or group goes to a policy of its own below it, and to further ones where that grows too large.
pub(crate) fn maker(id: &str, kind: &str, node: &Node, known: Option<&SmolStr>) -> Maker {
    if kind == "AWS::CDK::Metadata" {
        return Maker::Framework;
    }
    let own = node
        .get("Metadata")
        .and_then(|metadata| metadata.get("aws:cdk:path"))
        .and_then(|path| path.text());
    let path = own.or(known.map(SmolStr::as_str)).unwrap_or_default();
    if path.split('/').skip(1).take(2).any(singleton) || path.is_empty() && below_singleton(id) {
        return Maker::Framework;
    }
    let id = path.strip_suffix("/Resource").unwrap_or(path);
    let id = id.rsplit_once('/').map_or("", |(_, id)| id);
    let policy = matches!(kind, "AWS::IAM::Policy" | "AWS::IAM::ManagedPolicy");
    if policy && (id == "DefaultPolicy" || id.starts_with("OverflowPolicy")) {
        Maker::CdkGrant
    } else {
        Maker::Author
    }
}

/// Whether a construct id is one that the library gives to its singletons.
fn singleton(id: &str) -> bool {
    let hashed = |name: &str| {
        id.strip_prefix(name)
            .is_some_and(|rest| rest.len() >= 32 && rest.bytes().all(|b| b.is_ascii_hexdigit()))
    };
    (id.starts_with("Custom::") && id.ends_with("CustomResourceProvider"))
        || id.starts_with("@aws-cdk--")
        || hashed("LogRetention")
        || hashed("BucketNotificationsHandler")
        || hashed("AWS")
}

/// Whether a logical id is that of a handler of the library or of its role and policy: name, hash of
/// the construct and what stands below it, without slashes.
fn below_singleton(id: &str) -> bool {
    ["LogRetention", "BucketNotificationsHandler"]
        .iter()
        .filter_map(|name| id.strip_prefix(name)?.as_bytes().get(..32))
        .any(|hash| {
            hash.iter()
                .all(|byte| byte.is_ascii_digit() || (b'a'..=b'f').contains(byte))
        })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::syntax::make;
    use overgrant_source::{FileId, Span};

    const AT: Span = Span {
        file: FileId(0),
        start: 0,
        end: 0,
    };

    #[test]
    fn singletons_of_the_library_are_known() {
        for id in [
            "Custom::S3AutoDeleteObjectsCustomResourceProvider",
            "LogRetentionaae0aa3c5b4d4f87b02d85b201efdd8a",
            "AWS679f53fac002430cb0da5b7982bd2287",
            "@aws-cdk--aws-eks.KubectlProvider",
        ] {
            assert!(singleton(id), "{id}");
        }
        for id in ["LogRetention", "AWSRole", "Custom::Mine", "Data"] {
            assert!(!singleton(id), "{id}");
        }
    }

    #[test]
    fn singletons_are_known_without_metadata() {
        let of = |id: &str| maker(id, "AWS::IAM::Policy", &make::map([], AT), None);
        let handler = "LogRetentionaae0aa3c5b4d4f87b02d85b201efdd8a";
        assert_eq!(
            of(&format!("{handler}ServiceRoleDefaultPolicyADDA7DEB")),
            Maker::Framework
        );
        assert_eq!(
            of("LogRetentionPolicyThatIsWrittenByTheAuthorOfIt"),
            Maker::Author
        );
    }

    #[test]
    fn grants_fill_policies_of_their_own() {
        let node = |path: &str| {
            let metadata = make::map([("aws:cdk:path", make::text(path, AT))], AT);
            make::map([("Metadata", metadata)], AT)
        };
        let policy = "AWS::IAM::Policy";
        for (kind, path, wanted) in [
            (policy, "S/Role/DefaultPolicy/Resource", Maker::CdkGrant),
            (
                policy,
                "S/Fn/ServiceRole/DefaultPolicy/Resource",
                Maker::CdkGrant,
            ),
            (
                "AWS::IAM::ManagedPolicy",
                "S/Role/OverflowPolicy1/Resource",
                Maker::CdkGrant,
            ),
            (policy, "S/Role/Policy/Resource", Maker::Author),
            ("AWS::IAM::Role", "S/DefaultPolicy/Resource", Maker::Author),
            (
                policy,
                "S/AWS679f53fac002430cb0da5b7982bd2287/ServiceRole/DefaultPolicy/Resource",
                Maker::Framework,
            ),
            (
                "AWS::CDK::Metadata",
                "S/CDKMetadata/Default",
                Maker::Framework,
            ),
        ] {
            assert_eq!(maker("Id", kind, &node(path), None), wanted, "{path}");
        }
        let known = SmolStr::from("S/Role/DefaultPolicy");
        assert_eq!(
            maker("Id", policy, &make::map([], AT), Some(&known)),
            Maker::CdkGrant
        );
    }
}
