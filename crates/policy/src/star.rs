//! Breadth of the `Resource` element: does it cover a whole resource type of the own account?
//!
//! Not for single resources. Invariant: an answer is about the element as a whole (the union of its
//! members, or the complement for `NotResource`), for at least one account value, and an open part
//! never gives `Must`.
//! Sources: AWS, "IAM JSON policy elements: Resource"; the resource types of the catalog.

use crate::arn::{ArnParts, filled};
use crate::glob::{self, Token};
use crate::resource::{ResourcePattern, Resources, Segments};
use overgrant_catalog::{ActionId, ResourceType, catalog};
use overgrant_value::{Answer, Src, Sym, Text};
use std::collections::BTreeMap;
use std::sync::{Arc, PoisonError, RwLock};

/// How much of a resource type a `Resource` element covers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Star {
    /// Every resource of the type in an account.
    All(Answer),
    /// Every one in one region.
    Region(Answer),
    /// Less.
    Part,
}

impl Star {
    /// Whether a whole account is covered.
    #[must_use]
    pub fn all(self) -> Answer {
        match self {
            Self::All(answer) => answer,
            Self::Region(_) | Self::Part => Answer::No,
        }
    }

    /// Whether at least a whole region is covered.
    #[must_use]
    pub fn regional(self) -> Answer {
        match self {
            Self::All(answer) | Self::Region(answer) => answer,
            Self::Part => Answer::No,
        }
    }

    fn rank(self) -> u8 {
        match self {
            Self::All(Answer::Must) => 4,
            Self::Region(Answer::Must) => 3,
            Self::All(Answer::May) => 2,
            Self::Region(Answer::May) => 1,
            Self::All(Answer::No) | Self::Region(Answer::No) | Self::Part => 0,
        }
    }

    /// The wider of two; certainty counts before width.
    #[must_use]
    pub fn widest(self, other: Self) -> Self {
        if other.rank() > self.rank() {
            other
        } else {
            self
        }
    }
}

/// The ARNs of a resource type (`arn:${Partition}:sqs:${Region}:${Account}:${QueueName}`), every
/// placeholder read as `*`.
pub(crate) struct Domain {
    /// All segments as one pattern.
    whole: Vec<Token>,
    segments: Segments,
}

/// Domains by the format of their type, compiled once in a run.
static DOMAINS: RwLock<BTreeMap<&'static str, Option<Arc<Domain>>>> = RwLock::new(BTreeMap::new());

impl Domain {
    /// The domain of a format of the catalog; `None` where it is no ARN.
    pub(crate) fn of(format: &'static str) -> Option<Arc<Self>> {
        let known = DOMAINS.read().unwrap_or_else(PoisonError::into_inner);
        if let Some(domain) = known.get(format) {
            return domain.clone();
        }
        drop(known);
        let domain = Self::new(format).map(Arc::new);
        let mut known = DOMAINS.write().unwrap_or_else(PoisonError::into_inner);
        known.entry(format).or_insert(domain).clone()
    }

    fn new(format: &str) -> Option<Self> {
        let wide = filled(format, |_| "*");
        let compile = |part: &str| glob::compile(&Text::known(part), false);
        let mut parts = wide.splitn(6, ':').skip(1);
        let mut next = || parts.next().map(compile);
        Some(Self {
            segments: ArnParts {
                partition: next()?,
                service: next()?,
                region: next()?,
                account: next()?,
                resource: next()?,
            },
            whole: compile(&wide),
        })
    }

    /// Whether some resource of the type matches the pattern, open parts taken at their widest.
    pub(crate) fn meets(&self, item: &ResourcePattern) -> bool {
        let Some(arn) = item.segments() else {
            return glob::intersects(item.pattern.tokens(), &self.whole);
        };
        let own = &self.segments;
        // The service tells most apart.
        glob::intersects(&arn.service, &own.service)
            && glob::intersects(&arn.partition, &own.partition)
            && glob::intersects(&arn.region, &own.region)
            && glob::intersects(&arn.account, &own.account)
            && glob::intersects(&arn.resource, &own.resource)
    }

    /// Whether the pattern covers every resource of the type, whatever partition and account.
    pub(crate) fn is_covered_by(&self, item: &ResourcePattern) -> Answer {
        let Some(arn) = item.segments() else {
            return glob::covers(item.pattern.tokens(), &self.whole);
        };
        let own = &self.segments;
        glob::covers(&arn.service, &own.service)
            .and(glob::covers(&arn.region, &own.region))
            .and(glob::covers(&arn.account, &own.account))
            .and(glob::covers(&arn.resource, &own.resource))
    }

    /// The account values to try: the own one, and each one that a member names.
    fn account_candidates(&self, items: &[&Segments]) -> Vec<Vec<Token>> {
        if self.segments.account.is_empty() {
            return vec![Vec::new()];
        }
        let mut candidates = vec![own_account()];
        for item in items {
            let named = glob::is_single(&item.account) && !item.account.is_empty();
            if named && !candidates.contains(&item.account) {
                candidates.push(item.account.clone());
            }
        }
        candidates
    }
}

/// Whether an ARN format names one resource among several: something is filled in after the account.
#[must_use]
pub fn has_name(format: &str) -> bool {
    format
        .splitn(6, ':')
        .nth(5)
        .is_some_and(|resource| resource.contains("${") || resource.contains('*'))
}

fn own_account() -> Vec<Token> {
    glob::compile(&Text::hole(Sym::Account, Src::none()), false)
}

/// The partitions to try: that of the model, and each one that a member names.
fn partition_candidates(items: &[&Segments]) -> Vec<Vec<Token>> {
    let mut candidates = vec![glob::compile(&Text::known("aws"), false)];
    for item in items {
        if glob::is_single(&item.partition)
            && !item.partition.is_empty()
            && !candidates.contains(&item.partition)
        {
            candidates.push(item.partition.clone());
        }
    }
    candidates
}

impl ResourcePattern {
    /// Whether it may name a resource that the action acts on, by the types of the action. An action
    /// without types acts on anything of its service.
    #[must_use]
    pub fn suits(&self, action: ActionId) -> bool {
        let Some(action) = catalog().action(action) else {
            return false;
        };
        if action.is_wildcard_only() {
            return self
                .service()
                .is_none_or(|own| own == action.service().prefix());
        }
        action
            .resources()
            .filter_map(|resource| resource.resource_type())
            .flat_map(ResourceType::arn_patterns)
            .filter_map(Domain::of)
            .any(|domain| domain.meets(self))
    }
}

impl Resources {
    /// Whether the element covers a whole resource type of the action in the principal's own
    /// account (any one account that a member names counts as that). An action without resource
    /// types is authorised on `*`; an ARN of its service that ends in `*` may cover it too. A
    /// statement without the element (a trust or resource policy) gives [`Star::Part`].
    #[must_use]
    pub fn star_for(&self, action: ActionId) -> Star {
        let Some(action) = catalog().action(action) else {
            return Star::Part;
        };
        if !self.0.present {
            return Star::Part;
        }
        if self.covers_all() == Answer::Must {
            return Star::All(Answer::Must);
        }
        let mut star = if action.is_wildcard_only() {
            self.star_without_types(action.service().prefix())
        } else {
            let formats: Vec<&'static str> = action
                .resources()
                .filter_map(|resource| resource.resource_type())
                .flat_map(ResourceType::arn_patterns)
                .collect();
            // Of a catalog or a registry there is one: naming it is no breadth beside what has names.
            let named = formats.iter().any(|format| has_name(format));
            formats
                .into_iter()
                .filter(|format| !named || has_name(format))
                .filter_map(Domain::of)
                .fold(Star::Part, |star, domain| star.widest(self.covers(&domain)))
        };
        if self.0.open && !self.0.negated {
            star = star.widest(Star::All(Answer::May));
        }
        star
    }

    /// Whether the element covers the whole resource type with this ARN format
    /// (`arn:${Partition}:sqs:${Region}:${Account}:${QueueName}`), accounts as in [`Self::star_for`].
    #[must_use]
    pub fn star_of_type(&self, arn_format: &'static str) -> Star {
        match Domain::of(arn_format) {
            Some(domain) if self.0.present => self.covers(&domain),
            _ => Star::Part,
        }
    }

    /// Whether it selects every resource: `*`, `arn:*`, `arn:aws:*:*:*:*`, `NotResource` of nothing.
    #[must_use]
    pub fn covers_all(&self) -> Answer {
        if !self.0.present {
            return Answer::No;
        }
        if self.0.negated {
            let some = self.0.items.iter().any(certain);
            return match (some, self.0.items.is_empty() && !self.0.open) {
                (_, true) => Answer::Must,
                (true, _) => Answer::No,
                (false, false) => Answer::May,
            };
        }
        let mut all = if self.0.open { Answer::May } else { Answer::No };
        for item in &self.0.items {
            let one = item.covers_everything();
            all = all.or(if certain(item) {
                one
            } else {
                one.at_most_may()
            });
        }
        all
    }

    fn star_without_types(&self, service: &str) -> Star {
        let star: Vec<Token> = vec![Token::Char('*')];
        if self.0.negated {
            // The resource of such a request is the text `*`.
            let hit = self
                .0
                .items
                .iter()
                .map(|item| glob::covers(item.pattern.tokens(), &star))
                .fold(Answer::No, Answer::or);
            let free = hit.negate();
            let free = if self.0.open {
                free.at_most_may()
            } else {
                free
            };
            return if free == Answer::No {
                Star::Part
            } else {
                Star::All(free)
            };
        }
        let service = glob::compile(&Text::known(service), false);
        let root = self.0.items.iter().any(|item| {
            item.segments().is_some_and(|arn| {
                glob::covers(&arn.service, &service).possible() && glob::is_run(&arn.resource)
            }) || item.covers_everything().possible()
        });
        if root {
            Star::All(Answer::May)
        } else {
            Star::Part
        }
    }

    fn covers(&self, domain: &Domain) -> Star {
        if self.0.negated {
            return self.leaves(domain);
        }
        // Most types belong to a service that no member names.
        let near = |item: &ResourcePattern| {
            let own = &domain.segments.service;
            let arn = item.segments();
            arn.is_none_or(|arn| glob::covers(&arn.service, own).possible())
        };
        if !self.0.items.iter().any(near) {
            return Star::Part;
        }
        let whole: Vec<&[Token]> = self
            .0
            .items
            .iter()
            .filter(|item| item.segments().is_none())
            .map(|item| item.pattern.tokens())
            .collect();
        let sure: Vec<&Segments> = self
            .0
            .items
            .iter()
            .filter(|item| certain(item))
            .filter_map(ResourcePattern::segments)
            .collect();
        let any: Vec<&Segments> = self
            .0
            .items
            .iter()
            .filter_map(ResourcePattern::segments)
            .collect();
        let mut star = union_star(&sure, domain, Answer::Must);
        if star.rank() < Star::All(Answer::Must).rank() {
            star = star.widest(union_star(&any, domain, Answer::May));
            let plain = !whole.is_empty() && self.0.items.iter().all(certain);
            let all = glob::union_covers(&whole, &domain.whole);
            let all = if plain { all } else { all.at_most_may() };
            if all != Answer::No {
                star = star.widest(Star::All(all));
            }
        }
        star
    }

    /// `NotResource`: what is left of the domain in the own account.
    fn leaves(&self, domain: &Domain) -> Star {
        let own = if domain.segments.account.is_empty() {
            Vec::new()
        } else {
            own_account()
        };
        let aws = glob::compile(&Text::known("aws"), false);
        let mut star = Star::All(if self.0.open {
            Answer::May
        } else {
            Answer::Must
        });
        for item in &self.0.items {
            let Some(arn) = item.segments() else {
                if !glob::intersects(item.pattern.tokens(), &domain.whole) {
                    continue;
                }
                let open = glob::is_open(item.pattern.tokens()) || !certain(item);
                star = lesser(
                    star,
                    if open {
                        Star::All(Answer::May)
                    } else {
                        Star::Part
                    },
                );
                continue;
            };
            let common = [
                (&arn.partition, &aws),
                (&arn.service, &domain.segments.service),
                (&arn.region, &domain.segments.region),
                (&arn.account, &own),
                (&arn.resource, &domain.segments.resource),
            ]
            .iter()
            .all(|(item, wanted)| glob::intersects(item, wanted));
            if !common {
                continue;
            }
            let regional = !domain.segments.region.is_empty()
                && glob::covers(&arn.region, &domain.segments.region) == Answer::No;
            let other_account = glob::is_single(&arn.account) && arn.account != own;
            let open = !certain(item) || other_account || glob::is_open(&arn.resource);
            star = lesser(
                star,
                match (regional, open) {
                    (true, _) => Star::Region(Answer::Must),
                    (false, true) => Star::All(Answer::May),
                    (false, false) => Star::Part,
                },
            );
        }
        star
    }
}

fn lesser(a: Star, b: Star) -> Star {
    if b.rank() < a.rank() { b } else { a }
}

/// Whether the member is in the list whatever parameters are.
fn certain(item: &ResourcePattern) -> bool {
    item.pattern.guard().is_always()
}

impl ResourcePattern {
    /// Whether it is `*` in one of its spellings.
    pub(crate) fn covers_everything(&self) -> Answer {
        *self.everything.get_or_init(|| self.is_everything())
    }

    fn is_everything(&self) -> Answer {
        let Some(arn) = self.segments() else {
            let every = glob::compile(&Text::known("arn:*:*:*:*:*"), false);
            return if self.is_star() {
                Answer::Must
            } else {
                glob::covers(self.pattern.tokens(), &every)
            };
        };
        let run = [Token::Run];
        let aws = glob::compile(&Text::known("aws"), false);
        glob::covers(&arn.partition, &aws)
            .and(glob::covers(&arn.service, &run))
            .and(glob::covers(&arn.region, &run))
            .and(glob::covers(&arn.account, &run))
            .and(glob::covers(&arn.resource, &run))
    }
}

/// What the members together cover, asked at one certainty: `Must` or `May`.
fn union_star(items: &[&Segments], domain: &Domain, at: Answer) -> Star {
    let wanted = |answer: Answer| answer >= at;
    let mut star = Star::Part;
    let near: Vec<&Segments> = items
        .iter()
        .copied()
        .filter(|item| wanted(glob::covers(&item.service, &domain.segments.service)))
        .collect();
    if near.is_empty() {
        return star;
    }
    for partition in partition_candidates(items) {
        for account in domain.account_candidates(items) {
            let here: Vec<&Segments> = near
                .iter()
                .copied()
                .filter(|item| {
                    wanted(glob::covers(&item.partition, &partition))
                        && (glob::covers(&item.account, &account) == Answer::Must
                            || at == Answer::May
                                && glob::is_open(&item.account)
                                && glob::covers(&item.account, &account).possible())
                })
                .collect();
            let tails = |in_region: &dyn Fn(&Segments) -> bool| {
                let tails: Vec<&[Token]> = here
                    .iter()
                    .filter(|item| in_region(item))
                    .map(|item| item.resource.as_slice())
                    .collect();
                !tails.is_empty() && wanted(glob::union_covers(&tails, &domain.segments.resource))
            };
            if tails(&|item| wanted(glob::covers(&item.region, &domain.segments.region))) {
                return Star::All(at);
            }
            if domain.segments.region.is_empty() {
                continue;
            }
            for region in &here {
                let named = !region.region.is_empty();
                if named && tails(&|item| wanted(glob::covers(&item.region, &region.region))) {
                    star = star.widest(Star::Region(at));
                }
            }
        }
    }
    star
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Document;
    use overgrant_value::Val;

    fn resources(element: &str, members: Vec<Text>) -> Resources {
        let list = members
            .into_iter()
            .map(|text| Val::text(text, Src::none()))
            .collect();
        let val = Val::object(
            vec![(
                "Statement",
                Val::object(
                    vec![
                        ("Effect", Val::str("Allow", Src::none())),
                        ("Action", Val::str("*", Src::none())),
                        (element, Val::tuple(list, Src::none())),
                    ],
                    Src::none(),
                ),
            )],
            Src::none(),
        );
        Document::from_val(&val).statements[0].resources.clone()
    }

    fn known(members: &[&str]) -> Resources {
        resources("Resource", members.iter().map(|m| Text::known(m)).collect())
    }

    fn not(members: &[&str]) -> Resources {
        resources(
            "NotResource",
            members.iter().map(|m| Text::known(m)).collect(),
        )
    }

    fn star(resources: &Resources, action: &str) -> Star {
        resources.star_for(catalog().action_id(action).unwrap())
    }

    const ALL: Star = Star::All(Answer::Must);
    const REGION: Star = Star::Region(Answer::Must);

    #[test]
    fn the_own_account_may_be_spelled_out() {
        for (member, action, wanted) in [
            ("*", "iam:PassRole", ALL),
            ("arn:*", "iam:PassRole", ALL),
            ("arn:aws:iam::*:role/*", "iam:PassRole", ALL),
            ("arn:aws:iam::123456789012:role/*", "iam:PassRole", ALL),
            ("arn:aws:iam::123456789012:*", "iam:PassRole", ALL),
            ("arn:aws-us-gov:iam::*:role/*", "iam:PassRole", ALL),
            ("arn:aws:iam::*:role/app-*", "iam:PassRole", Star::Part),
            ("arn:aws:iam::*:user/*", "iam:PassRole", Star::Part),
            ("arn:aws:s3:::*", "s3:GetObject", ALL),
            ("arn:aws:s3:::*/*", "s3:GetObject", ALL),
            ("arn:aws:s3:::*/*", "s3:ListBucket", Star::Part),
            ("arn:aws:s3:::b/*", "s3:GetObject", Star::Part),
            ("arn:aws:s3*", "s3:GetObject", ALL),
            ("*/*", "s3:GetObject", ALL),
            (
                "arn:aws:secretsmanager:eu-west-1:123456789012:secret:*",
                "secretsmanager:GetSecretValue",
                REGION,
            ),
            (
                "arn:aws:secretsmanager:*:*:secret:*",
                "secretsmanager:GetSecretValue",
                ALL,
            ),
            (
                "arn:aws:sqs:*:*:*",
                "secretsmanager:GetSecretValue",
                Star::Part,
            ),
        ] {
            assert_eq!(star(&known(&[member]), action), wanted, "{member} {action}");
        }
    }

    #[test]
    fn members_cover_together() {
        let halves = known(&[
            "arn:aws:sqs:eu-west-1:1:*a*",
            "arn:aws:sqs:eu-west-1:1:*",
            "arn:aws:iam::123456789012:role/?*",
            "arn:aws:iam::123456789012:role/",
        ]);
        assert_eq!(star(&halves, "iam:PassRole"), ALL);
        let accounts = known(&[
            "arn:aws:iam::123456789012:role/?*",
            "arn:aws:iam::222222222222:role/",
        ]);
        assert_eq!(star(&accounts, "iam:PassRole"), Star::Part);
        assert_eq!(star(&known(&[]), "iam:PassRole"), Star::Part);
    }

    #[test]
    fn holes_pin_regions_and_accounts() {
        let arn = Text::known("arn:")
            .concat(&Text::hole(Sym::Partition, Src::none()))
            .concat(&Text::known(":sqs:"))
            .concat(&Text::hole(Sym::Region, Src::none()))
            .concat(&Text::known(":"))
            .concat(&Text::hole(Sym::Account, Src::none()))
            .concat(&Text::known(":*"));
        let list = resources("Resource", vec![arn]);
        assert_eq!(star(&list, "sqs:SendMessage"), REGION);
    }

    #[test]
    fn an_open_prefix_is_no_certain_star() {
        let input = Text::hole(
            Sym::Input {
                root: "r".into(),
                module: "".into(),
                name: "prefix".into(),
            },
            Src::none(),
        );
        let attr = Text::hole(
            Sym::Attr {
                root: "r".into(),
                addr: "aws_s3_bucket.b".into(),
                path: "arn".into(),
            },
            Src::none(),
        );
        let prefixed = Text::known("arn:aws:s3:::")
            .concat(&input)
            .concat(&Text::known("*"));
        assert_eq!(
            star(&resources("Resource", vec![prefixed]), "s3:GetObject"),
            Star::All(Answer::May)
        );
        let below = attr.concat(&Text::known("/*"));
        assert_eq!(
            star(&resources("Resource", vec![below]), "s3:GetObject"),
            Star::Part
        );
        assert_eq!(
            star(&resources("Resource", vec![input]), "s3:GetObject"),
            Star::All(Answer::May)
        );
    }

    #[test]
    fn actions_without_types_need_the_star() {
        assert_eq!(star(&known(&["*"]), "s3:ListAllMyBuckets"), ALL);
        assert_eq!(
            star(&known(&["arn:aws:s3:::*"]), "s3:ListAllMyBuckets"),
            Star::All(Answer::May)
        );
        assert_eq!(
            star(&known(&["arn:aws:s3:::b"]), "s3:ListAllMyBuckets"),
            Star::Part
        );
        assert_eq!(star(&not(&["arn:aws:s3:::b"]), "s3:ListAllMyBuckets"), ALL);
    }

    #[test]
    fn complements_leave_whole_types() {
        assert_eq!(star(&not(&["arn:aws:s3:::b"]), "iam:PassRole"), ALL);
        assert_eq!(
            star(&not(&["arn:aws:sqs:*:*:q"]), "sqs:SendMessage"),
            Star::Part
        );
        assert_eq!(
            star(&not(&["arn:aws:iam::*:role/adm"]), "iam:PassRole"),
            Star::Part
        );
        assert_eq!(
            star(
                &not(&["arn:aws:iam::123456789012:role/adm"]),
                "iam:PassRole"
            ),
            Star::All(Answer::May)
        );
        assert_eq!(
            star(&not(&["arn:aws:sqs:us-east-1:*:*"]), "sqs:SendMessage"),
            REGION
        );
        assert_eq!(star(&not(&["*"]), "sqs:SendMessage"), Star::Part);
        assert_eq!(not(&[]).covers_all(), Answer::Must);
        assert_eq!(known(&[]).covers_all(), Answer::No);
    }
}
