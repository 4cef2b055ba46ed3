//! Services and the ARN formats of their resource types.
//!
//! Not for: matching ARNs (`policy` does that). Invariant: services are sorted by prefix; the
//! actions and the resource types of one service are one range each.
//! Source: the Service Authorization Reference.

use crate::store::Catalog;
use crate::tables::{Tables, caseless};
use crate::{ActionId, layout};
use std::ops::Range;

/// One service, as a view into its catalog.
#[derive(Debug, Clone, Copy)]
pub struct Service<'a> {
    catalog: &'a Catalog,
    record: usize,
}

impl<'a> Service<'a> {
    const fn at(self, field: usize) -> usize {
        self.record * layout::SERVICE_SIZE + field
    }

    /// Its number among the services of its catalog.
    pub(crate) const fn record(self) -> usize {
        self.record
    }

    /// The prefix of its actions: `s3`.
    #[must_use]
    pub fn prefix(self) -> &'a str {
        self.catalog.service_prefix(self.record)
    }

    /// Its name in words: `Amazon S3`; the prefix where the reference does not name it.
    #[must_use]
    pub fn name(self) -> &'a str {
        let tables = &self.catalog.tables;
        tables.string(tables.u16(layout::SERVICES, self.at(2)))
    }

    /// Whether resource control policies apply to it.
    #[must_use]
    pub fn supports_rcp(self) -> bool {
        self.catalog.tables.u16(layout::SERVICES, self.at(10)) & 1 != 0
    }

    /// The ids of its actions; inside it they are sorted by lower-cased name.
    #[must_use]
    pub fn actions(self) -> Range<u32> {
        let tables = &self.catalog.tables;
        tables.u32(layout::SERVICES, self.at(4))
            ..tables.u32(layout::SERVICES, self.at(4 + layout::SERVICE_SIZE))
    }

    fn resource_range(self) -> Range<usize> {
        let tables = &self.catalog.tables;
        tables.u16(layout::SERVICES, self.at(8)).into()
            ..tables
                .u16(layout::SERVICES, self.at(8 + layout::SERVICE_SIZE))
                .into()
    }

    /// Its resource types, sorted by lower-cased name.
    pub fn resource_types(self) -> impl ExactSizeIterator<Item = ResourceType<'a>> + Clone {
        let catalog = self.catalog;
        self.resource_range()
            .map(move |record| ResourceType { catalog, record })
    }

    /// The resource type of a name, in any case.
    #[must_use]
    pub fn resource_type(self, name: &str) -> Option<ResourceType<'a>> {
        let catalog = self.catalog;
        let record = Tables::find(self.resource_range(), |record| {
            caseless(catalog.resource_at(record).name(), name)
        })?;
        Some(catalog.resource_at(record))
    }
}

/// One resource type, as a view into its catalog.
#[derive(Debug, Clone, Copy)]
pub struct ResourceType<'a> {
    catalog: &'a Catalog,
    record: usize,
}

impl<'a> ResourceType<'a> {
    fn field(self, field: usize) -> u16 {
        let at = self.record * layout::RESOURCE_SIZE + field;
        self.catalog.tables.u16(layout::RESOURCES, at)
    }

    /// The service that owns it.
    #[must_use]
    pub fn service(self) -> Service<'a> {
        Service {
            catalog: self.catalog,
            record: self.field(0).into(),
        }
    }

    /// The name of the type: `bucket`.
    #[must_use]
    pub fn name(self) -> &'a str {
        self.catalog.tables.string(self.field(2))
    }

    /// Its ARN with placeholders: `arn:${Partition}:s3:::${BucketName}`; the first of them, where the
    /// type has more.
    #[must_use]
    pub fn arn_pattern(self) -> &'a str {
        self.arn_patterns().next().unwrap_or_default()
    }

    /// The ARNs of the type with placeholders. The reference gives some types two in one cell: an alias of
    /// a bot is `bot-alias/${BotId}/${BotAliasId}`, and in the first version of Lex
    /// `bot:${BotName}:${BotAlias}`.
    pub fn arn_patterns(self) -> impl Iterator<Item = &'a str> + Clone {
        self.catalog.tables.string(self.field(4)).split(", ")
    }

    /// The condition keys that describe such a resource.
    pub fn condition_keys(self) -> impl ExactSizeIterator<Item = &'a str> + Clone {
        self.catalog.tables.list(self.field(6))
    }
}

impl Catalog {
    fn service_count(&self) -> usize {
        self.tables
            .count(layout::SERVICES, layout::SERVICE_SIZE)
            .saturating_sub(1)
    }

    pub(crate) fn service_prefix(&self, record: usize) -> &str {
        let at = record * layout::SERVICE_SIZE;
        self.tables.string(self.tables.u16(layout::SERVICES, at))
    }

    /// All services, sorted by prefix.
    pub fn services(&self) -> impl ExactSizeIterator<Item = Service<'_>> + Clone {
        (0..self.service_count()).map(|record| Service {
            catalog: self,
            record,
        })
    }

    /// The service of an action prefix, in any case.
    #[must_use]
    pub fn service(&self, prefix: &str) -> Option<Service<'_>> {
        let order = |record: usize| caseless(self.service_prefix(record), prefix);
        let record = Tables::find(0..self.service_count(), order)?;
        Some(Service {
            catalog: self,
            record,
        })
    }

    pub(crate) fn service_of(&self, id: ActionId) -> Service<'_> {
        let past = Tables::lower_bound(0..self.service_count(), |record| {
            let at = record * layout::SERVICE_SIZE + 4;
            if self.tables.u32(layout::SERVICES, at) <= id.0 {
                std::cmp::Ordering::Less
            } else {
                std::cmp::Ordering::Greater
            }
        });
        Service {
            catalog: self,
            record: past.saturating_sub(1),
        }
    }

    pub(crate) const fn resource_at(&self, record: usize) -> ResourceType<'_> {
        ResourceType {
            catalog: self,
            record,
        }
    }

    /// All resource types, sorted by service and name.
    pub fn resource_types(&self) -> impl ExactSizeIterator<Item = ResourceType<'_>> + Clone {
        (0..self.tables.count(layout::RESOURCES, layout::RESOURCE_SIZE))
            .map(|record| self.resource_at(record))
    }

    /// The resource type of a service, both in any case: `("s3", "bucket")`.
    #[must_use]
    pub fn resource_type(&self, service: &str, name: &str) -> Option<ResourceType<'_>> {
        self.service(service)?.resource_type(name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_are_those_of_the_sources() {
        let catalog = Catalog::embedded();
        // 456 of the reference, and `aws-mcp`, which only actions of another source name.
        assert_eq!(catalog.services().len(), 457);
        assert_eq!(catalog.service("aws-mcp").unwrap().name(), "aws-mcp");
        assert_eq!(catalog.resource_types().len(), 2_334);
        let ids: u32 = catalog
            .services()
            .map(|s| s.actions().end - s.actions().start)
            .sum();
        assert_eq!(ids as usize, catalog.action_count());
    }

    #[test]
    fn services_and_types_are_found_in_any_case() {
        let catalog = Catalog::embedded();
        for service in catalog.services() {
            let upper = service.prefix().to_uppercase();
            assert_eq!(catalog.service(&upper).unwrap().prefix(), service.prefix());
            for id in service.actions() {
                assert_eq!(catalog.service_of(ActionId(id)).prefix(), service.prefix());
            }
            for kind in service.resource_types() {
                assert_eq!(kind.service().prefix(), service.prefix());
                let found = service.resource_type(&kind.name().to_uppercase()).unwrap();
                assert!(found.name().eq_ignore_ascii_case(kind.name()));
            }
        }
        assert!(catalog.service("s33").is_none());
        assert!(catalog.resource_type("s3", "nope").is_none());
    }

    #[test]
    fn details_of_a_known_service() {
        let catalog = Catalog::embedded();
        let s3 = catalog.service("S3").unwrap();
        assert_eq!(s3.name(), "Amazon S3");
        assert!(s3.supports_rcp());
        assert!(!catalog.service("ec2").unwrap().supports_rcp());
        let bucket = catalog.resource_type("s3", "Bucket").unwrap();
        assert_eq!(bucket.arn_pattern(), "arn:${Partition}:s3:::${BucketName}");
        assert_eq!(bucket.arn_patterns().count(), 1);
        let alias = catalog.resource_type("lex", "bot alias").unwrap();
        let both: Vec<&str> = alias.arn_patterns().collect();
        let head = "arn:${Partition}:lex:${Region}:${Account}";
        assert_eq!(
            both,
            [
                format!("{head}:bot-alias/${{BotId}}/${{BotAliasId}}"),
                format!("{head}:bot:${{BotName}}:${{BotAlias}}")
            ]
        );
        assert!(
            bucket
                .condition_keys()
                .any(|key| key == "aws:ResourceTag/${TagKey}")
        );
    }
}
