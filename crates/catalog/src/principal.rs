//! Service principals: the names that roles and resource policies trust, and where each was seen.
//!
//! Not for: deciding whether a trust is right. Invariant: the table holds only names that were
//! seen; a name that is missing is not proven wrong.
//! Source: counted in AWS-managed policies and in public templates.

use crate::layout;
use crate::store::Catalog;
use crate::tables::Tables;

/// One service principal, as a view into its catalog.
#[derive(Debug, Clone, Copy)]
pub struct ServicePrincipal<'a> {
    catalog: &'a Catalog,
    record: usize,
}

impl<'a> ServicePrincipal<'a> {
    fn field(self, field: usize) -> u16 {
        let at = self.record * layout::PRINCIPAL_SIZE + field;
        self.catalog.tables.u16(layout::PRINCIPALS, at)
    }

    /// The name: `lambda.amazonaws.com`.
    #[must_use]
    pub fn name(self) -> &'a str {
        self.catalog.tables.string(self.field(0))
    }

    /// Whether it belongs to the China partition.
    #[must_use]
    pub fn is_china(self) -> bool {
        self.field(2) & 1 != 0
    }

    /// How often AWS's policies let a role be passed to it (`iam:PassedToService`).
    #[must_use]
    pub fn passed_to(self) -> u16 {
        self.field(4)
    }

    /// How often AWS's policies name it for a service-linked role (`iam:AWSServiceName`).
    #[must_use]
    pub fn service_linked(self) -> u16 {
        self.field(6)
    }

    /// How often AWS's policies name it as a principal.
    #[must_use]
    pub fn as_principal(self) -> u16 {
        self.field(8)
    }

    /// How often AWS's policies name it as the service that a call comes through.
    #[must_use]
    pub fn via_service(self) -> u16 {
        self.field(10)
    }

    /// How often public templates name it as a principal.
    #[must_use]
    pub fn mentions(self) -> u32 {
        let at = self.record * layout::PRINCIPAL_SIZE + 12;
        self.catalog.tables.u32(layout::PRINCIPALS, at)
    }
}

impl Catalog {
    /// All service principals, sorted by name.
    pub fn service_principals(
        &self,
    ) -> impl ExactSizeIterator<Item = ServicePrincipal<'_>> + Clone {
        (0..self
            .tables
            .count(layout::PRINCIPALS, layout::PRINCIPAL_SIZE))
            .map(|record| ServicePrincipal {
                catalog: self,
                record,
            })
    }

    /// The service principal of an exact name; principals compare with case.
    #[must_use]
    pub fn service_principal(&self, name: &str) -> Option<ServicePrincipal<'_>> {
        let principal = |record| ServicePrincipal {
            catalog: self,
            record,
        };
        let count = self
            .tables
            .count(layout::PRINCIPALS, layout::PRINCIPAL_SIZE);
        Tables::find(0..count, |record| principal(record).name().cmp(name)).map(principal)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_are_found() {
        let catalog = Catalog::embedded();
        assert_eq!(catalog.service_principals().len(), 271);
        for principal in catalog.service_principals() {
            let found = catalog.service_principal(principal.name()).unwrap();
            assert_eq!(found.name(), principal.name());
            assert_eq!(found.is_china(), found.name().ends_with(".cn"));
        }
        assert!(
            catalog
                .service_principal("lambda.amazonaws.com")
                .unwrap()
                .passed_to()
                > 0
        );
        assert!(catalog.service_principal("lambda.amazonaws").is_none());
    }
}
