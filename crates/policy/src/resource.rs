//! The `Resource` and `NotResource` elements.
//!
//! Not for which resource types an action knows: that is the catalog's. Invariant: matching heeds
//! letter case, and between the first five segments of an ARN a wildcard does not cross a colon.
//! Source: AWS, "IAM JSON policy elements: Resource".

use crate::Pattern;
use crate::arn::Arn;
use crate::glob;
use crate::statement::{Listed, joined_key, show};
use overgrant_value::{Answer, Text};
use std::fmt;

/// One resource pattern: `*` or an ARN with wildcards.
#[derive(Debug, Clone)]
pub struct ResourcePattern {
    pub(crate) pattern: Pattern,
    arn: Option<Arn>,
}

impl ResourcePattern {
    pub(crate) fn new(pattern: Pattern) -> Self {
        Self {
            arn: Arn::parse(pattern.text()),
            pattern,
        }
    }

    /// The pattern (its text stays private; it prints).
    #[must_use]
    pub fn pattern(&self) -> &Pattern {
        &self.pattern
    }

    /// Whether it is `*`, every resource.
    #[must_use]
    pub fn is_star(&self) -> bool {
        self.pattern.is_star()
    }

    /// The segments, where the pattern is a whole ARN.
    #[must_use]
    pub fn arn(&self) -> Option<&Arn> {
        self.arn.as_ref()
    }

    /// Whether it matches the ARN (or ARN template with holes) `resource`.
    #[must_use]
    pub fn matches(&self, resource: &Text) -> Answer {
        if self.is_star() {
            return Answer::Must;
        }
        if self.pattern.text().key() == resource.key() {
            return Answer::Must;
        }
        match (&self.arn, Arn::parse(resource)) {
            (Some(pattern), Some(resource)) => segments(pattern, &resource),
            _ => {
                let resource = glob::compile(resource, false);
                glob::covers(self.pattern.tokens(), &resource)
            }
        }
    }

    /// Whether it covers every resource of the ARN format `format` (`arn:${P}:s3:::${Bucket}/*`
    /// with every `${…}` written as `*`) in one account: the account may be a wildcard, empty, one
    /// literal or open. `star` in the catalogue's words. A region that is pinned gives
    /// [`Breadth::Region`].
    #[must_use]
    pub fn breadth(&self, format: &str) -> Breadth {
        if self.is_star() {
            return Breadth::All(Answer::Must);
        }
        let Some(format) = Arn::parse(&Text::known(format)) else {
            return Breadth::Part;
        };
        let wild = |text: &Text| {
            !text.is_empty() && text.as_known().is_some_and(|t| t.chars().all(|c| c == '*'))
        };
        let Some(arn) = &self.arn else {
            // A short pattern such as `arn:aws:s3*` is padded with `*` segments.
            let text = self.pattern.text();
            if !self.pattern.has_wildcard() {
                return Breadth::Part;
            }
            let whole = Text::known(&format!("arn:aws:{}:::x", format.service));
            return match self.pattern.matches(&whole.to_string()) {
                Answer::No => Breadth::Part,
                answer if text.trailing().ends_with('*') => Breadth::All(answer.and(Answer::May)),
                _ => Breadth::Part,
            };
        };
        let seg = |pattern: &Text, wanted: &Text| {
            glob::covers(
                &glob::compile(pattern, false),
                &glob::compile(wanted, false),
            )
        };
        let resource = seg(&arn.resource, &format.resource);
        let service = seg(&arn.service, &format.service);
        let all = service.and(resource);
        if all == Answer::No {
            return Breadth::Part;
        }
        let region_free = format.region.is_empty()
            || wild(&arn.region)
            || (arn.region.is_empty() && format.region.is_empty());
        if region_free {
            Breadth::All(all)
        } else {
            Breadth::Region(all)
        }
    }
}

/// How much of a resource type a pattern covers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Breadth {
    /// Every resource of the type in an account.
    All(Answer),
    /// Every one in a region.
    Region(Answer),
    /// Less.
    Part,
}

fn segments(pattern: &Arn, resource: &Arn) -> Answer {
    let seg = |a: &Text, b: &Text| {
        if a.key() == b.key() {
            Answer::Must
        } else {
            glob::covers(&glob::compile(a, false), &glob::compile(b, false))
        }
    };
    // The account symbol and a literal may be the same account.
    seg(&pattern.partition, &resource.partition)
        .and(seg(&pattern.service, &resource.service))
        .and(seg(&pattern.region, &resource.region))
        .and(seg(&pattern.account, &resource.account))
        .and(seg(&pattern.resource, &resource.resource))
}

impl fmt::Display for ResourcePattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.pattern.fmt(f)
    }
}

/// `Resource` or `NotResource`.
#[derive(Debug, Clone)]
pub struct Resources(pub(crate) Listed<ResourcePattern>);

impl Resources {
    /// The list behind it.
    #[must_use]
    pub fn listed(&self) -> &Listed<ResourcePattern> {
        &self.0
    }

    /// Whether the element selects the resource with this ARN (or ARN template).
    #[must_use]
    pub fn select(&self, resource: &Text) -> Answer {
        if !self.0.present {
            return Answer::No;
        }
        let mut hit = Answer::No;
        for item in &self.0.items {
            let one = item.matches(resource);
            let one = if item.pattern.guard().is_always() {
                one
            } else {
                one.at_most_may()
            };
            hit = hit.or(one);
        }
        if self.0.open {
            hit = hit.or(Answer::May);
        }
        if self.0.negated { hit.negate() } else { hit }
    }

    /// The member that is plainly `*`, if there is one.
    #[must_use]
    pub fn star(&self) -> Option<&ResourcePattern> {
        if self.0.negated {
            return None;
        }
        self.0.items.iter().find(|item| item.is_star())
    }

    pub(crate) fn key(&self) -> String {
        let keys = self.0.items.iter().map(|item| item.pattern.key());
        joined_key(self.0.negated, self.0.present, keys.collect())
    }
}

impl fmt::Display for Resources {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        show(f, self.0.negated, &self.0.items, self.0.open)
    }
}
