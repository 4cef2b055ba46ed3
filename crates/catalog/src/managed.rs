//! AWS-managed policies: found by name or ARN, inflated when a document is first asked for.
//!
//! Not for: the meaning of a document. Invariant: a document is one JSON text; a stream is inflated
//! once, and asking for the index costs no inflation.

use crate::layout;
use crate::store::Catalog;
use crate::tables::Tables;
use std::sync::OnceLock;

/// Whether a managed policy can still be attached.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum PolicyStatus {
    /// AWS lists it.
    Current,
    /// The newest list does not hold it; it may have been deprecated.
    NotListed,
    /// AWS has deprecated it: it cannot be attached anew.
    Deprecated,
}

/// One AWS-managed policy, as a view into its catalog.
#[derive(Debug, Clone, Copy)]
pub struct ManagedPolicy<'a> {
    catalog: &'a Catalog,
    record: usize,
}

impl<'a> ManagedPolicy<'a> {
    const fn at(self, field: usize) -> usize {
        self.record * layout::POLICY_SIZE + field
    }

    fn text(self, field: usize) -> &'a str {
        let tables = &self.catalog.tables;
        tables.string(tables.u16(layout::POLICIES, self.at(field)))
    }

    /// Its number among the policies of its catalog, which are sorted by name.
    #[must_use]
    pub const fn number(self) -> usize {
        self.record
    }

    /// Whether it is of the catalog in force.
    #[must_use]
    pub fn is_in_force(self) -> bool {
        std::ptr::eq(self.catalog, crate::catalog())
    }

    /// Path and name without the leading slash: `service-role/AWSLambdaBasicExecutionRole`.
    #[must_use]
    pub fn path_and_name(self) -> &'a str {
        self.text(0)
    }

    /// The name: `AWSLambdaBasicExecutionRole`.
    #[must_use]
    pub fn name(self) -> &'a str {
        name_of(self.path_and_name())
    }

    /// The ARN in the `aws` partition.
    #[must_use]
    pub fn arn(self) -> String {
        format!("{PREFIX}{}", self.path_and_name())
    }

    /// The version of the document, `v1`; empty where the source does not say.
    #[must_use]
    pub fn version(self) -> &'a str {
        self.text(2)
    }

    /// The day it was created, `YYYY-MM-DD`; empty where the source does not say.
    #[must_use]
    pub fn created(self) -> &'a str {
        self.text(4)
    }

    /// The day of its last change, `YYYY-MM-DD`; empty where the source does not say.
    #[must_use]
    pub fn updated(self) -> &'a str {
        self.text(6)
    }

    /// Whether it can still be attached.
    #[must_use]
    pub fn status(self) -> PolicyStatus {
        match self.catalog.tables.u16(layout::POLICIES, self.at(8)) {
            0 => PolicyStatus::Current,
            1 => PolicyStatus::NotListed,
            _ => PolicyStatus::Deprecated,
        }
    }

    /// Its JSON text; inflated on the first call, together with its neighbours. Empty if the tables
    /// came from a file whose streams are damaged.
    #[must_use]
    pub fn document(self) -> &'a str {
        let tables = &self.catalog.tables;
        let number = usize::from(tables.u16(layout::POLICIES, self.at(10)));
        let from = tables.u32(layout::POLICIES, self.at(12)) as usize;
        let length = tables.u32(layout::POLICIES, self.at(16)) as usize;
        let text = self.catalog.chunk(number);
        from.checked_add(length)
            .and_then(|to| text.get(from..to))
            .unwrap_or_default()
    }
}

const PREFIX: &str = "arn:aws:iam::aws:policy/";

fn name_of(path_and_name: &str) -> &str {
    path_and_name
        .rsplit_once('/')
        .map_or(path_and_name, |(_, name)| name)
}

/// The path and name of an AWS-managed policy's ARN in any partition; `None` for other ARNs.
fn path_of_arn(arn: &str) -> Option<&str> {
    let mut parts = arn.splitn(6, ':');
    let fixed = parts.next()? == "arn"
        && parts.next().is_some()
        && parts.next()? == "iam"
        && parts.next()?.is_empty()
        && parts.next()? == "aws";
    parts.next()?.strip_prefix("policy/").filter(|_| fixed)
}

impl Catalog {
    /// The documents of one stream behind each other; inflated on the first call.
    fn chunk(&self, number: usize) -> &str {
        let chunks = self.chunks.get_or_init(|| {
            let count = self.tables.count(layout::CHUNKS, layout::CHUNK_SIZE);
            (0..count).map(|_| OnceLock::new()).collect()
        });
        chunks.get(number).map_or("", |chunk| {
            chunk.get_or_init(|| self.inflate(number).unwrap_or_default())
        })
    }

    fn inflate(&self, number: usize) -> Option<Box<str>> {
        let at = number * layout::CHUNK_SIZE;
        let start = self.tables.u32(layout::CHUNKS, at) as usize;
        let end = start.checked_add(self.tables.u32(layout::CHUNKS, at + 4) as usize)?;
        let stream = self.tables.policies.get(start..end)?;
        let limit = (self.tables.u32(layout::CHUNKS, at + 8) as usize).min(layout::MAX_CHUNK);
        let inflated = miniz_oxide::inflate::decompress_to_vec_with_limit(stream, limit).ok()?;
        Some(String::from_utf8(inflated).ok()?.into_boxed_str())
    }

    fn managed_policy_count(&self) -> usize {
        self.tables.count(layout::POLICIES, layout::POLICY_SIZE)
    }

    /// All AWS-managed policies, sorted by name.
    pub fn managed_policies(&self) -> impl ExactSizeIterator<Item = ManagedPolicy<'_>> + Clone {
        (0..self.managed_policy_count()).map(|record| ManagedPolicy {
            catalog: self,
            record,
        })
    }

    /// The AWS-managed policy of an ARN (any partition), of path and name, or of a bare name. A
    /// path, where given, has to be the policy's; IAM compares both with case.
    #[must_use]
    pub fn managed_policy(&self, arn_or_name: &str) -> Option<ManagedPolicy<'_>> {
        let is_arn = arn_or_name.starts_with("arn:");
        let wanted = if is_arn {
            path_of_arn(arn_or_name)?
        } else {
            arn_or_name
        };
        let policy = |record| ManagedPolicy {
            catalog: self,
            record,
        };
        let record = Tables::find(0..self.managed_policy_count(), |record| {
            policy(record).name().cmp(name_of(wanted))
        })?;
        let found = policy(record);
        let with_path = is_arn || wanted.contains('/');
        (!with_path || found.path_and_name() == wanted).then_some(found)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_policy_inflates_to_a_document_and_is_found() {
        let catalog = Catalog::embedded();
        assert_eq!(catalog.managed_policies().len(), 1_613);
        let status = |status| {
            let has = |policy: &ManagedPolicy<'_>| policy.status() == status;
            catalog.managed_policies().filter(has).count()
        };
        assert_eq!(status(PolicyStatus::Current), 1_582);
        assert_eq!(status(PolicyStatus::NotListed), 29);
        assert_eq!(status(PolicyStatus::Deprecated), 2);
        for policy in catalog.managed_policies() {
            let document: serde_json::Value = serde_json::from_str(policy.document()).unwrap();
            assert!(document.get("Statement").is_some(), "{}", policy.name());
            for spelling in [policy.name(), policy.path_and_name(), &policy.arn()] {
                let found = catalog.managed_policy(spelling).unwrap();
                assert_eq!(found.path_and_name(), policy.path_and_name());
            }
        }
    }

    #[test]
    fn arns_of_other_partitions_and_paths() {
        let catalog = Catalog::embedded();
        let name = |text: &str| catalog.managed_policy(text).map(|policy| policy.name());
        let admin = Some("AdministratorAccess");
        assert_eq!(
            name("arn:aws-cn:iam::aws:policy/AdministratorAccess"),
            admin
        );
        assert_eq!(
            name("arn:aws:iam::aws:policy/service-role/AdministratorAccess"),
            None
        );
        assert_eq!(
            name("arn:aws:iam::123456789012:policy/AdministratorAccess"),
            None
        );
        assert_eq!(
            name("arn:aws:iam::aws:policy/AWSLambdaBasicExecutionRole"),
            None
        );
        assert_eq!(
            name("AWSLambdaBasicExecutionRole"),
            Some("AWSLambdaBasicExecutionRole")
        );
        assert_eq!(name("administratoraccess"), None);
        for broken in ["", "arn:", "arn:aws:iam::aws:policy/", "/"] {
            assert_eq!(name(broken), None, "{broken}");
        }
    }

    #[test]
    fn a_document_is_inflated_once() {
        let policy = Catalog::embedded()
            .managed_policy("AdministratorAccess")
            .unwrap();
        assert!(policy.document().contains(r#""Action":"*""#));
        assert!(std::ptr::eq(policy.document(), policy.document()));
    }
}
