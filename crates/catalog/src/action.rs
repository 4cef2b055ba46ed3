//! Actions: identity, spelling, access level, what they act on, and the expansion of patterns.
//!
//! Not for: statements. Invariant: ids are `0..action_count()`, ordered by service and then by
//! lower-cased name, so that a service, and a prefix within it, is one range of ids.
//! Source: the Service Authorization Reference, with community overrides of access levels.

use crate::store::Catalog;
use crate::tables::{Tables, caseless};
use crate::{ResourceType, Service, glob, layout};
use std::cmp::Ordering;
use std::fmt;
use std::ops::Range;

/// An action of one catalog; not comparable between catalogs of different days.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ActionId(pub u32);

/// What an action does, least first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum AccessLevel {
    /// Names resources.
    List,
    /// Reads contents or configuration.
    Read,
    /// Creates, changes or deletes.
    Write,
    /// Changes tags only.
    Tagging,
    /// Changes who may do what.
    PermissionsManagement,
}

impl AccessLevel {
    const fn of(code: u8) -> Option<Self> {
        Some(match code {
            0 => Self::List,
            1 => Self::Read,
            2 => Self::Write,
            3 => Self::Tagging,
            4 => Self::PermissionsManagement,
            _ => return None,
        })
    }

    /// The words of the Service Authorization Reference.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::List => "List",
            Self::Read => "Read",
            Self::Write => "Write",
            Self::Tagging => "Tagging",
            Self::PermissionsManagement => "Permissions management",
        }
    }
}

/// What is known to be dangerous about an action.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct ActionFlags(pub(crate) u8);

impl ActionFlags {
    /// Returns credentials to the caller.
    #[must_use]
    pub const fn credentials(self) -> bool {
        self.0 & 1 != 0
    }
    /// May widen the rights of the caller.
    #[must_use]
    pub const fn escalation(self) -> bool {
        self.0 & 2 != 0
    }
    /// Can expose a resource to others.
    #[must_use]
    pub const fn exposure(self) -> bool {
        self.0 & 4 != 0
    }
    /// Edits a resource policy.
    #[must_use]
    pub const fn resource_policy(self) -> bool {
        self.0 & 8 != 0
    }
    /// Whether any flag is set.
    #[must_use]
    pub const fn any(self) -> bool {
        self.0 != 0
    }
}

/// One action, as a view into its catalog. `Display` gives `service:Name` in AWS's spelling.
#[derive(Debug, Clone, Copy)]
pub struct Action<'a> {
    catalog: &'a Catalog,
    id: ActionId,
}

/// A resource type that an action acts on.
#[derive(Debug, Clone, Copy)]
pub struct ActionResource<'a> {
    catalog: &'a Catalog,
    record: usize,
}

impl<'a> Action<'a> {
    fn at(self, field: usize) -> usize {
        self.id.0 as usize * layout::ACTION_SIZE + field
    }

    /// The id in this catalog.
    #[must_use]
    pub const fn id(self) -> ActionId {
        self.id
    }

    /// The name without its service, in AWS's spelling: `GetObject`.
    #[must_use]
    pub fn name(self) -> &'a str {
        self.catalog.action_name(self.id.0 as usize)
    }

    /// The service that owns the action.
    #[must_use]
    pub fn service(self) -> Service<'a> {
        self.catalog.service_of(self.id)
    }

    /// The level to judge by: the community override where there is one, else AWS's.
    #[must_use]
    pub fn level(self) -> AccessLevel {
        let code = self.catalog.tables.u8(layout::ACTIONS, self.at(4)) >> 4;
        AccessLevel::of(code).unwrap_or_else(|| self.aws_level())
    }

    /// The level that AWS documents: the one to show.
    #[must_use]
    pub fn aws_level(self) -> AccessLevel {
        let code = self.catalog.tables.u8(layout::ACTIONS, self.at(4)) & 15;
        AccessLevel::of(code).unwrap_or(AccessLevel::Write)
    }

    /// Known dangers.
    #[must_use]
    pub fn flags(self) -> ActionFlags {
        ActionFlags(self.catalog.tables.u8(layout::ACTIONS, self.at(5)))
    }

    /// The resource types it acts on. None: the action is authorised on `*` only.
    pub fn resources(self) -> impl ExactSizeIterator<Item = ActionResource<'a>> + Clone {
        let catalog = self.catalog;
        let list = catalog.tables.u16(layout::ACTIONS, self.at(6));
        catalog
            .tables
            .span(layout::TYPE_LIST_OFFSETS, list)
            .map(move |record| ActionResource { catalog, record })
    }

    /// Whether the action has no resource-level permissions, so that its resource is exactly `*`.
    #[must_use]
    pub fn is_wildcard_only(self) -> bool {
        self.resources().len() == 0
    }

    /// The service condition keys valid for the action as a whole; global keys are not listed.
    pub fn condition_keys(self) -> impl ExactSizeIterator<Item = &'a str> + Clone {
        let list = self.catalog.tables.u16(layout::ACTIONS, self.at(8));
        self.catalog.tables.list(list)
    }

    /// Actions that the caller needs as well, as `service:Name`.
    pub fn dependents(self) -> impl ExactSizeIterator<Item = &'a str> + Clone {
        let list = self.catalog.tables.u16(layout::ACTIONS, self.at(10));
        self.catalog.tables.list(list)
    }
}

impl fmt::Display for Action<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.service().prefix(), self.name())
    }
}

impl<'a> ActionResource<'a> {
    fn field(self, field: usize) -> u16 {
        let at = self.record * layout::TYPE_SIZE + field;
        self.catalog.tables.u16(layout::TYPE_LISTS, at)
    }

    /// The name of the type: `bucket`.
    #[must_use]
    pub fn name(self) -> &'a str {
        self.catalog.tables.string(self.field(0))
    }

    /// Its ARN format; `None` where the reference names a type that it does not define.
    #[must_use]
    pub fn resource_type(self) -> Option<ResourceType<'a>> {
        let record = self.field(2);
        (record != layout::NONE).then(|| self.catalog.resource_at(record.into()))
    }

    /// Whether the reference marks the type as required. Several required types of one action are
    /// alternatives for some actions and are all touched by others.
    #[must_use]
    pub fn is_required(self) -> bool {
        self.field(6) & 1 != 0
    }

    /// Keys valid only together with this type.
    pub fn condition_keys(self) -> impl ExactSizeIterator<Item = &'a str> + Clone {
        self.catalog.tables.list(self.field(4))
    }
}

impl Catalog {
    /// Number of actions; ids are below it.
    #[must_use]
    pub fn action_count(&self) -> usize {
        self.tables.count(layout::ACTIONS, layout::ACTION_SIZE)
    }

    /// All ids in order.
    pub fn action_ids(&self) -> impl ExactSizeIterator<Item = ActionId> + Clone + use<> {
        (0..u32::try_from(self.action_count()).unwrap_or(0)).map(ActionId)
    }

    pub(crate) fn action_name(&self, index: usize) -> &str {
        let at = index * layout::ACTION_SIZE;
        self.tables.text(self.tables.u32(layout::ACTIONS, at))
    }

    /// The action with an id of this catalog; `None` for an id beyond its end.
    #[must_use]
    pub fn action(&self, id: ActionId) -> Option<Action<'_>> {
        ((id.0 as usize) < self.action_count()).then_some(Action { catalog: self, id })
    }

    /// The id of `service:name` in any letter case; no wildcards.
    #[must_use]
    pub fn action_id(&self, full: &str) -> Option<ActionId> {
        let (prefix, name) = full.split_once(':')?;
        if let Some((record, id)) = self.recent.guess(full) {
            let known = self.action_name(id as usize).eq_ignore_ascii_case(name)
                && self.service_prefix(record).eq_ignore_ascii_case(prefix);
            if known {
                return Some(ActionId(id));
            }
        }
        let service = self.service(prefix)?;
        let id = self.action_of(service, name)?;
        self.recent.keep(full, service.record(), id.0);
        Some(id)
    }

    /// The id of the action of a service with this name in any letter case.
    pub(crate) fn action_of(&self, service: Service<'_>, name: &str) -> Option<ActionId> {
        let ids = service.actions();
        let range = ids.start as usize..ids.end as usize;
        let index = Tables::find(range, |index| caseless(self.action_name(index), name))?;
        u32::try_from(index).ok().map(ActionId)
    }

    /// The action of `service:name` in any letter case; no wildcards.
    #[must_use]
    pub fn find_action(&self, full: &str) -> Option<Action<'_>> {
        self.action(self.action_id(full)?)
    }

    /// Whether AWS's own policies use this literal action although no reference lists it. Any case.
    #[must_use]
    pub fn is_extra_action(&self, full: &str) -> bool {
        let count = self.tables.count(layout::EXTRA_ACTIONS, 2);
        let text = |index: usize| {
            let reference = self.tables.u16(layout::EXTRA_ACTIONS, index * 2);
            self.tables.string(reference)
        };
        Tables::find(0..count, |index| caseless(text(index), full)).is_some()
    }

    /// The undocumented actions that AWS's own policies use, sorted without case.
    pub fn extra_actions(&self) -> impl ExactSizeIterator<Item = &str> + Clone {
        (0..self.tables.count(layout::EXTRA_ACTIONS, 2)).map(|index| {
            let reference = self.tables.u16(layout::EXTRA_ACTIONS, index * 2);
            self.tables.string(reference)
        })
    }

    /// The ids that a pattern covers, as ascending ranges that do not touch.
    ///
    /// The pattern is matched against the whole of `service:name`, without letter case; `*` stands
    /// for any run and `?` for one character. `*` and `*:*` are everything. A pattern without a
    /// wildcard gives one id or none.
    #[must_use]
    pub fn action_ranges(&self, pattern: &str) -> Vec<Range<u32>> {
        let mut found = Ranges::default();
        if !glob::is_pattern(pattern.as_bytes()) {
            let id = self.action_id(pattern);
            return id.map(|id| id.0..id.0 + 1).into_iter().collect();
        }
        let Some((service_part, name_part)) = pattern.split_once(':') else {
            self.match_without_colon(pattern, &mut found);
            return found.0;
        };
        if glob::is_pattern(service_part.as_bytes()) {
            for service in self.services() {
                if glob::matches(service_part.as_bytes(), service.prefix().as_bytes()) {
                    self.match_names(service.actions(), name_part, &mut found);
                }
            }
        } else if let Some(service) = self.service(service_part) {
            self.match_names(service.actions(), name_part, &mut found);
        }
        found.0
    }

    /// The ids of [`Catalog::action_ranges`], one by one.
    pub fn actions_matching(&self, pattern: &str) -> impl Iterator<Item = ActionId> + use<> {
        self.action_ranges(pattern)
            .into_iter()
            .flatten()
            .map(ActionId)
    }

    /// Without a colon a wildcard has to stand for it, so every full name is a candidate.
    fn match_without_colon(&self, pattern: &str, found: &mut Ranges) {
        if pattern.bytes().all(|byte| byte == b'*') {
            found.push(0..u32::try_from(self.action_count()).unwrap_or(0));
            return;
        }
        let mut full = Vec::new();
        for service in self.services() {
            full.clear();
            full.extend(service.prefix().bytes());
            full.push(b':');
            let prefix = full.len();
            self.for_each_name(service.actions(), |id, name| {
                full.truncate(prefix);
                full.extend(name);
                if glob::matches(pattern.as_bytes(), &full) {
                    found.push(id..id + 1);
                }
            });
        }
    }

    /// Calls `f` with every id of a range and its name.
    fn for_each_name(&self, ids: Range<u32>, mut f: impl FnMut(u32, &[u8])) {
        let range = ids.start as usize..ids.end as usize;
        let references = self
            .tables
            .first_words(layout::ACTIONS, layout::ACTION_SIZE, range);
        for (id, reference) in ids.zip(references) {
            f(id, self.tables.bytes(reference));
        }
    }

    /// Narrows by the literal prefix first; what follows it is matched name by name.
    fn match_names(&self, ids: Range<u32>, pattern: &str, found: &mut Ranges) {
        let (prefix, rest) = glob::split(pattern);
        let against = |index: usize| {
            let name = self.action_name(index);
            let head = name.get(..prefix.len().min(name.len())).unwrap_or(name);
            caseless(head, prefix)
        };
        let range = ids.start as usize..ids.end as usize;
        let low = Tables::lower_bound(range.clone(), against);
        let high = Tables::lower_bound(low..range.end, |index| match against(index) {
            Ordering::Equal => Ordering::Less,
            other => other,
        });
        let (Ok(first), Ok(last)) = (u32::try_from(low), u32::try_from(high)) else {
            return;
        };
        if !rest.is_empty() && rest.bytes().all(|byte| byte == b'*') {
            found.push(first..last);
            return;
        }
        let suffix = glob::literal_suffix(pattern.as_bytes());
        self.for_each_name(first..last, |id, name| {
            let tail = name
                .len()
                .checked_sub(suffix.len())
                .and_then(|at| name.get(at..));
            let may = tail.is_some_and(|tail| tail.eq_ignore_ascii_case(suffix));
            if may && glob::matches(pattern.as_bytes(), name) {
                found.push(id..id + 1);
            }
        });
    }
}

/// Ascending ranges, joined where they touch.
#[derive(Default)]
struct Ranges(Vec<Range<u32>>);

impl Ranges {
    fn push(&mut self, range: Range<u32>) {
        if range.is_empty() {
            return;
        }
        match self.0.last_mut() {
            Some(last) if last.end == range.start => last.end = range.end,
            _ => self.0.push(range),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn embedded() -> &'static Catalog {
        Catalog::embedded()
    }

    fn expand(pattern: &str) -> Vec<String> {
        embedded()
            .actions_matching(pattern)
            .map(|id| embedded().action(id).unwrap().to_string())
            .collect()
    }

    /// The definition, by recursion, to hold the efficient one against.
    fn naive(pattern: &[u8], name: &[u8]) -> bool {
        match (pattern.split_first(), name.split_first()) {
            (None, None) => true,
            (Some((b'*', rest)), None) => naive(rest, name),
            (Some((b'*', rest)), Some((_, tail))) => naive(rest, name) || naive(pattern, tail),
            (Some((b'?', rest)), Some((_, tail))) => naive(rest, tail),
            (Some((p, rest)), Some((n, tail))) => p.eq_ignore_ascii_case(n) && naive(rest, tail),
            _ => false,
        }
    }

    #[test]
    fn counts_are_those_of_the_sources() {
        let levels = |level| {
            let has = |id: &ActionId| embedded().action(*id).unwrap().aws_level() == level;
            embedded().action_ids().filter(has).count()
        };
        assert_eq!(embedded().action_count(), 22_108);
        assert_eq!(levels(AccessLevel::List), 3_720);
        assert_eq!(levels(AccessLevel::Read), 5_880);
        assert_eq!(levels(AccessLevel::Write), 11_364);
        assert_eq!(levels(AccessLevel::Tagging), 719);
        assert_eq!(levels(AccessLevel::PermissionsManagement), 425);
        let all = || {
            embedded()
                .action_ids()
                .filter_map(|id| embedded().action(id))
        };
        assert_eq!(all().filter(|a| a.flags().any()).count(), 282);
        assert_eq!(all().filter(|a| a.is_wildcard_only()).count(), 6_741);
        assert_eq!(embedded().extra_actions().len(), 301);
    }

    #[test]
    fn every_action_is_found_by_its_name_in_any_case() {
        for id in embedded().action_ids() {
            let full = embedded().action(id).unwrap().to_string();
            assert_eq!(embedded().action_id(&full), Some(id), "{full}");
            assert_eq!(embedded().action_id(&full.to_uppercase()), Some(id));
        }
    }

    #[test]
    fn ids_beyond_the_end_and_unknown_names_give_nothing() {
        let end = u32::try_from(embedded().action_count()).unwrap();
        assert!(embedded().action(ActionId(end)).is_none());
        assert!(embedded().action(ActionId(u32::MAX)).is_none());
        for name in [
            "",
            ":",
            "s3",
            "s3:",
            "s3:Nope",
            "nope:GetObject",
            "s3:GetObject:x",
        ] {
            assert_eq!(embedded().action_id(name), None, "{name}");
        }
    }

    #[test]
    fn details_of_known_actions() {
        let pass = embedded().find_action("iam:passrole").unwrap();
        assert_eq!(pass.aws_level(), AccessLevel::Write);
        assert_eq!(pass.level(), AccessLevel::PermissionsManagement);
        assert!(
            pass.condition_keys()
                .any(|key| key == "iam:PassedToService")
        );
        let role = pass.resources().next().unwrap();
        assert_eq!((role.name(), role.is_required()), ("role", true));
        let format = role.resource_type().unwrap().arn_pattern();
        assert_eq!(
            format,
            "arn:${Partition}:iam::${Account}:role/${RoleNameWithPath}"
        );
        let list = embedded().find_action("s3:ListAllMyBuckets").unwrap();
        assert!(list.is_wildcard_only());
        let run = embedded().find_action("lambda:CreateFunction").unwrap();
        assert!(run.dependents().any(|action| action == "iam:PassRole"));
        let put = embedded().find_action("s3:PutBucketPolicy").unwrap();
        assert!(put.flags().resource_policy());
    }

    #[test]
    fn undocumented_actions_are_known_in_any_case() {
        assert!(embedded().is_extra_action("ACCOUNT:getChallengeQuestions"));
        assert!(!embedded().is_extra_action("s3:GetObject"));
    }

    #[test]
    fn patterns_expand() {
        let all = 0..u32::try_from(embedded().action_count()).unwrap();
        for everything in ["*", "**", "*:*", "*:**"] {
            assert_eq!(embedded().action_ranges(everything), vec![all.clone()]);
        }
        assert_eq!(expand("s3:getobject"), ["s3:GetObject"]);
        assert_eq!(expand("i?m:passrol?"), ["iam:PassRole"]);
        assert_eq!(embedded().action_ranges("S3:Get*").len(), 1);
        assert!(expand("s3:*Object").contains(&"s3:PutObject".to_owned()));
        assert!(expand("ec2:*").iter().all(|name| name.starts_with("ec2:")));
        for nothing in ["", "s3", "s3:", "s3:Nope*", "nope:*", "s3:Get*:x", "s3::*"] {
            assert!(expand(nothing).is_empty(), "{nothing}");
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(48))]
        #[test]
        fn expansion_equals_the_definition(
            index in 0usize..22_108,
            edits in proptest::collection::vec((0usize..40, 0usize..6, 0u8..4), 0..4),
        ) {
            let catalog = embedded();
            let mut pattern = catalog.action(ActionId(u32::try_from(index).unwrap())).unwrap().to_string();
            for (at, length, kind) in edits {
                let start = at % (pattern.len() + 1);
                let end = (start + length).min(pattern.len());
                let new = ["*", "?", "**", "*?"][usize::from(kind)];
                pattern.replace_range(start..end, new);
            }
            let got: Vec<ActionId> = catalog.actions_matching(&pattern).collect();
            let want: Vec<ActionId> = catalog
                .action_ids()
                .filter(|id| {
                    let name = catalog.action(*id).unwrap().to_string();
                    naive(pattern.as_bytes(), name.as_bytes())
                })
                .collect();
            prop_assert_eq!(got, want, "{}", pattern);
        }
    }
}
