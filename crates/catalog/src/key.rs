//! Condition keys: type, scope, and the requests in which a global key is present.
//!
//! Not for: operators and values (`policy` owns those). Invariant: keys compare without case, and
//! a placeholder in a key (`aws:RequestTag/${TagKey}`) stands for one character or more.
//! Source: the Service Authorization Reference; presence from the IAM user guide's key pages.

use crate::store::Catalog;
use crate::tables::{Tables, caseless};
use crate::{glob, layout};

/// The type of a key's value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum KeyType {
    /// One string.
    String,
    /// Several strings.
    ArrayOfString,
    /// One ARN.
    Arn,
    /// Several ARNs.
    ArrayOfArn,
    /// `true` or `false`.
    Bool,
    /// Several of them.
    ArrayOfBool,
    /// A number.
    Numeric,
    /// A point in time.
    Date,
    /// An IP address.
    IpAddress,
}

impl KeyType {
    const fn of(code: u8) -> Self {
        match code {
            1 => Self::ArrayOfString,
            2 => Self::Arn,
            3 => Self::ArrayOfArn,
            4 => Self::Bool,
            5 => Self::ArrayOfBool,
            6 => Self::Numeric,
            7 => Self::Date,
            8 => Self::IpAddress,
            _ => Self::String,
        }
    }

    /// Whether the key holds several values, so that a set operator is needed to test it.
    #[must_use]
    pub const fn is_multivalued(self) -> bool {
        matches!(
            self,
            Self::ArrayOfString | Self::ArrayOfArn | Self::ArrayOfBool
        )
    }
}

/// Who defines a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum KeyScope {
    /// AWS, for all services.
    Global,
    /// The service that its prefix names, or a federation provider.
    Service,
    /// An `aws:` key that only some services support.
    Tag,
}

/// In which requests a global key is present; names follow the user guide's statements.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[expect(
    missing_docs,
    reason = "each name says the request in which the key is present"
)]
pub enum Availability {
    /// A service key: nothing is known in general.
    Unstated,
    Always,
    Signed,
    MostActions,
    AssumeRootSession,
    BrowserReferer,
    ChatbotSession,
    DeprecatedServiceCall,
    Ec2RoleCredentials,
    FederatedSession,
    ForwardAccessSession,
    GlueRoleCredentials,
    IamUserOnly,
    IdentityCenterSession,
    LambdaRoleCredentials,
    McpCall,
    MfaSession,
    NotViaVpceNorService,
    PrincipalInOrg,
    PrincipalTagged,
    RequestPassesTags,
    ResourceInOrg,
    ResourceTaggedAndSupported,
    ServicePrincipalCall,
    ServicePrincipalCallInOrg,
    SessionWithSourceIdentity,
    SignInSession,
    SsmRoleCredentials,
    TemporaryCredentials,
    TemporaryDelegation,
    ViaVpce,
    ViaVpceSomeServices,
}

impl Availability {
    /// All of them, in the order of their codes, with their words in the table.
    pub const ALL: [(Self, &'static str); 32] = [
        (Self::Unstated, ""),
        (Self::Always, "always"),
        (Self::Signed, "signed"),
        (Self::MostActions, "most-actions"),
        (Self::AssumeRootSession, "assume-root-session"),
        (Self::BrowserReferer, "browser-referer"),
        (Self::ChatbotSession, "chatbot-session"),
        (Self::DeprecatedServiceCall, "deprecated-service-call"),
        (Self::Ec2RoleCredentials, "ec2-role-credentials"),
        (Self::FederatedSession, "federated-session"),
        (Self::ForwardAccessSession, "forward-access-session"),
        (Self::GlueRoleCredentials, "glue-role-credentials"),
        (Self::IamUserOnly, "iam-user-only"),
        (Self::IdentityCenterSession, "identity-center-session"),
        (Self::LambdaRoleCredentials, "lambda-role-credentials"),
        (Self::McpCall, "mcp-call"),
        (Self::MfaSession, "mfa-session"),
        (Self::NotViaVpceNorService, "not-via-vpce-nor-service"),
        (Self::PrincipalInOrg, "principal-in-org"),
        (Self::PrincipalTagged, "principal-tagged"),
        (Self::RequestPassesTags, "request-passes-tags"),
        (Self::ResourceInOrg, "resource-in-org"),
        (
            Self::ResourceTaggedAndSupported,
            "resource-tagged-and-supported",
        ),
        (Self::ServicePrincipalCall, "service-principal-call"),
        (
            Self::ServicePrincipalCallInOrg,
            "service-principal-call-in-org",
        ),
        (
            Self::SessionWithSourceIdentity,
            "session-with-source-identity",
        ),
        (Self::SignInSession, "sign-in-session"),
        (Self::SsmRoleCredentials, "ssm-role-credentials"),
        (Self::TemporaryCredentials, "temporary-credentials"),
        (Self::TemporaryDelegation, "temporary-delegation"),
        (Self::ViaVpce, "via-vpce"),
        (Self::ViaVpceSomeServices, "via-vpce-some-services"),
    ];

    fn of(code: u8) -> Self {
        Self::ALL
            .get(usize::from(code))
            .map_or(Self::Unstated, |(availability, _)| *availability)
    }
}

/// One condition key, as a view into its catalog.
#[derive(Debug, Clone, Copy)]
pub struct ConditionKey<'a> {
    catalog: &'a Catalog,
    record: usize,
}

impl<'a> ConditionKey<'a> {
    const fn at(self, field: usize) -> usize {
        self.record * layout::KEY_SIZE + field
    }

    /// The name in AWS's spelling, placeholders as `${Name}`.
    #[must_use]
    pub fn name(self) -> &'a str {
        self.catalog.key_name(self.record)
    }

    /// The type of its value; the most common one where services disagree.
    #[must_use]
    pub fn key_type(self) -> KeyType {
        KeyType::of(self.catalog.tables.u8(layout::KEYS, self.at(2)))
    }

    /// Whether services document different types for it.
    #[must_use]
    pub fn is_type_disputed(self) -> bool {
        self.catalog.tables.u8(layout::KEYS, self.at(5)) & 1 != 0
    }

    /// Who defines it.
    #[must_use]
    pub fn scope(self) -> KeyScope {
        match self.catalog.tables.u8(layout::KEYS, self.at(3)) {
            0 => KeyScope::Global,
            1 => KeyScope::Service,
            _ => KeyScope::Tag,
        }
    }

    /// When it is present.
    #[must_use]
    pub fn availability(self) -> Availability {
        Availability::of(self.catalog.tables.u8(layout::KEYS, self.at(4)))
    }

    /// The services that support a service key.
    pub fn services(self) -> impl ExactSizeIterator<Item = &'a str> + Clone {
        let list = self.catalog.tables.u16(layout::KEYS, self.at(6));
        self.catalog.tables.list(list)
    }

    /// Whether its name holds a placeholder.
    #[must_use]
    pub fn has_placeholder(self) -> bool {
        self.name().contains("${")
    }
}

impl Catalog {
    fn key_count(&self) -> usize {
        self.tables.count(layout::KEYS, layout::KEY_SIZE)
    }

    fn key_name(&self, record: usize) -> &str {
        let at = record * layout::KEY_SIZE;
        self.tables.string(self.tables.u16(layout::KEYS, at))
    }

    /// All keys, sorted by lower-cased name.
    pub fn condition_keys(&self) -> impl ExactSizeIterator<Item = ConditionKey<'_>> + Clone {
        (0..self.key_count()).map(|record| ConditionKey {
            catalog: self,
            record,
        })
    }

    /// The key of a name in any case: `aws:requesttag/team` gives `aws:RequestTag/${TagKey}`.
    #[must_use]
    pub fn condition_key(&self, name: &str) -> Option<ConditionKey<'_>> {
        let order = |record: usize| caseless(self.key_name(record), name);
        let record = Tables::find(0..self.key_count(), order).or_else(|| {
            (0..self.tables.count(layout::PLACEHOLDER_KEYS, 2))
                .map(|index| usize::from(self.tables.u16(layout::PLACEHOLDER_KEYS, index * 2)))
                .find(|record| fills(self.key_name(*record), name))
        });
        // A few services write the placeholder as the plain word `tag-key`.
        let record = record.or_else(|| {
            let (service, tag) = name.split_once('/')?;
            let named = format!("{service}/tag-key");
            let order = |record: usize| caseless(self.key_name(record), &named);
            Tables::find(0..self.key_count(), order).filter(|_| !tag.is_empty())
        })?;
        Some(ConditionKey {
            catalog: self,
            record,
        })
    }
}

/// Whether `name` is `key` with one character or more in place of every `${…}`.
fn fills(key: &str, name: &str) -> bool {
    let mut pattern = String::with_capacity(key.len());
    let mut rest = key;
    while let Some((before, after)) = rest.split_once("${") {
        pattern.push_str(before);
        pattern.push_str("?*");
        rest = after.split_once('}').map_or("", |(_, tail)| tail);
    }
    pattern.push_str(rest);
    glob::matches(pattern.as_bytes(), name.as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_are_those_of_the_sources() {
        let keys = || Catalog::embedded().condition_keys();
        let count = |kind| keys().filter(|key| key.key_type() == kind).count();
        assert_eq!(keys().len(), 1_631);
        assert_eq!(count(KeyType::String), 1_026);
        assert_eq!(count(KeyType::ArrayOfString), 182);
        assert_eq!(count(KeyType::Arn), 174);
        assert_eq!(count(KeyType::IpAddress), 4);
        let global = keys().filter(|key| key.scope() == KeyScope::Global);
        assert_eq!(global.clone().count(), 61);
        assert!(
            global
                .clone()
                .all(|key| key.availability() != Availability::Unstated)
        );
        let always = |key: &ConditionKey<'_>| key.availability() == Availability::Always;
        assert_eq!(global.filter(always).count(), 9);
    }

    #[test]
    fn every_key_is_found_in_any_case() {
        for key in Catalog::embedded().condition_keys() {
            let upper = key.name().to_uppercase();
            let found = Catalog::embedded().condition_key(&upper).unwrap();
            assert_eq!(found.name(), key.name());
        }
    }

    #[test]
    fn placeholders_stand_for_something() {
        let name = |text: &str| {
            Catalog::embedded()
                .condition_key(text)
                .map(|key| key.name())
        };
        assert_eq!(
            name("aws:requesttag/team"),
            Some("aws:RequestTag/${TagKey}")
        );
        assert_eq!(
            name("secretsmanager:ResourceTag/app"),
            Some("secretsmanager:ResourceTag/tag-key")
        );
        assert_eq!(
            name("aws:ResourceTag/a/b"),
            Some("aws:ResourceTag/${TagKey}")
        );
        assert_eq!(name("aws:RequestTag/"), None);
        assert_eq!(name("aws:RequestTag"), None);
        assert_eq!(
            name("agent.acme.buildkite.dev:cluster_id"),
            Some("agent.${Domain}.buildkite.dev:cluster_id")
        );
        assert_eq!(name("aws:Nope"), None);
    }

    #[test]
    fn codes_are_positions() {
        for (code, (availability, _)) in Availability::ALL.iter().enumerate() {
            assert_eq!(Availability::of(u8::try_from(code).unwrap()), *availability);
        }
    }

    #[test]
    fn multivalued_types() {
        let key = |text: &str| Catalog::embedded().condition_key(text).unwrap();
        assert!(key("aws:TagKeys").key_type().is_multivalued());
        assert!(!key("aws:SourceIp").key_type().is_multivalued());
        assert_eq!(key("aws:SourceIp").key_type(), KeyType::IpAddress);
        assert_eq!(key("aws:SecureTransport").key_type(), KeyType::Bool);
    }
}
