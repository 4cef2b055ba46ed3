//! The `Resource` and `NotResource` elements.
//!
//! Not for which resource types an action knows: that is the catalog's. Invariant: matching heeds
//! letter case, and between the first five segments of an ARN a wildcard does not cross a colon.
//! Source: AWS, "IAM JSON policy elements: Resource".

use crate::Pattern;
use crate::arn::{Arn, ArnLiterals, ArnParts};
use crate::glob::{self, Token};
use crate::statement::{Listed, joined_key, show};
use overgrant_value::{Answer, Piece, Src, Text};
use smol_str::SmolStr;
use std::fmt;
use std::sync::OnceLock;

/// One resource pattern: `*` or an ARN with wildcards.
#[derive(Debug, Clone)]
pub struct ResourcePattern {
    pub(crate) pattern: Pattern,
    cut: OnceLock<Box<Cut>>,
    /// Whether it covers everything, once that was asked.
    pub(crate) everything: OnceLock<Answer>,
}

impl ResourcePattern {
    pub(crate) fn new(pattern: Pattern) -> Self {
        Self {
            pattern,
            cut: OnceLock::new(),
            everything: OnceLock::new(),
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

    /// Its literal segments, where it is a whole ARN.
    #[must_use]
    pub fn literals(&self) -> Option<ArnLiterals> {
        self.arn().map(ArnLiterals::of)
    }

    /// Its service, where it is a whole ARN that says it.
    #[must_use]
    pub fn service(&self) -> Option<SmolStr> {
        ArnLiterals::plain(&self.arn()?.service)
    }

    /// Whether it is an ARN of one account, written down or left to a parameter, not of any.
    #[must_use]
    pub fn names_account(&self) -> bool {
        self.arn()
            .is_some_and(|arn| !arn.account.is_empty() && arn.account.contains("*") != Answer::Must)
    }

    /// Where its account is written, where that is known and has bytes outside those of the ARN: a
    /// value that was put into it.
    #[must_use]
    pub fn account_src(&self) -> Option<Src> {
        let account = &self.arn()?.account;
        let src = account.src_of(0..account.as_known()?.len())?;
        let whole = self.pattern.src().span?;
        src.span
            .is_some_and(|span| !whole.contains(span))
            .then_some(src)
    }

    /// Whether it surely names objects of S3 buckets: no region, and a slash behind the bucket.
    #[must_use]
    pub fn names_objects(&self) -> bool {
        self.arn().is_some_and(|arn| {
            arn.service.is("s3")
                && arn.region.is_empty()
                && arn.resource.contains("/") == Answer::Must
        })
    }

    /// Whether it may take in every object of a bucket, by the shape of its resource part.
    #[must_use]
    pub fn may_cover_objects(&self) -> bool {
        self.tail()
            .is_none_or(|tail| tail.contains("/*") || tail == "*")
    }

    /// Whether it may take in a bucket itself, by the shape of its resource part.
    #[must_use]
    pub fn may_cover_bucket(&self) -> bool {
        self.tail()
            .is_none_or(|tail| !tail.contains('/') || tail == "*")
    }

    /// What is written behind the bucket of an ARN of S3, slash included: empty for the bucket itself,
    /// `None` where that is open or the bucket is any.
    #[must_use]
    pub fn below_bucket(&self) -> Option<String> {
        let arn = self.arn()?;
        if !(arn.service.is("s3") && arn.region.is_empty()) {
            return None;
        }
        let tail = self.tail()?;
        let at = tail.find('/').unwrap_or(tail.len());
        let (bucket, below) = tail.split_at_checked(at)?;
        let open = below.contains('\u{fffc}') || bucket.contains(['*', '?']) || bucket.is_empty();
        (!open).then(|| below.to_owned())
    }

    /// The resource part with one mark for each open part; empty for what surely is no ARN, `None` for what
    /// takes in everything or may be anything.
    fn tail(&self) -> Option<String> {
        let Some(arn) = self.arn() else {
            let anything = self.is_star() || !self.pattern.is_known();
            return (!anything).then(|| "/".to_owned());
        };
        let literal = |piece: &Piece| match piece {
            Piece::Lit(lit) => lit.as_str().to_owned(),
            Piece::Hole(_) | Piece::Json(_) => '\u{fffc}'.to_string(),
        };
        Some(arn.resource.pieces().iter().map(literal).collect())
    }

    /// Whether it matches the ARN (or ARN template with holes) `resource`.
    #[must_use]
    pub fn matches(&self, resource: &Text) -> Answer {
        if self.is_star() {
            return Answer::Must;
        }
        if self.pattern.text().same_text(resource) {
            return Answer::Must;
        }
        match (self.segments(), Cut::of(resource).segments) {
            (Some(pattern), Some(resource)) => segments_cover(pattern, &resource),
            _ => {
                let resource = glob::compile(resource, false);
                glob::covers(self.pattern.tokens(), &resource)
            }
        }
    }

    /// Whether some resource matches both, open parts taken at their widest.
    #[must_use]
    pub fn meets(&self, other: &Self) -> bool {
        let (Some(own), Some(theirs)) = (self.segments(), other.segments()) else {
            return glob::intersects(self.pattern.tokens(), other.pattern.tokens());
        };
        [
            (&own.partition, &theirs.partition),
            (&own.service, &theirs.service),
            (&own.region, &theirs.region),
            (&own.account, &theirs.account),
            (&own.resource, &theirs.resource),
        ]
        .into_iter()
        .all(|(a, b)| glob::intersects(a, b))
    }

    /// The compiled segments: of a whole ARN, or of a short one padded with `*`. `None` where the
    /// text does not surely begin with `arn:`.
    pub(crate) fn segments(&self) -> Option<&Segments> {
        self.cut().segments.as_ref()
    }

    fn arn(&self) -> Option<&Arn> {
        self.cut().arn.as_ref()
    }

    fn cut(&self) -> &Cut {
        self.cut
            .get_or_init(|| Box::new(Cut::of(self.pattern.text())))
    }
}

/// A pattern cut at its colons.
#[derive(Debug, Clone)]
struct Cut {
    /// Where it is a whole ARN.
    arn: Option<Arn>,
    /// Where it surely begins with `arn:`.
    segments: Option<Segments>,
}

/// Partition, service, region, account and resource, compiled.
pub(crate) type Segments = ArnParts<Vec<Token>>;

impl Cut {
    /// Cuts and compiles; missing segments of what begins with `arn:` are padded with `*`.
    fn of(text: &Text) -> Self {
        if text.starts_with("arn:") != Answer::Must {
            return Self {
                arn: None,
                segments: None,
            };
        }
        let compile = |text: &Text| glob::compile(text, false);
        if let Some(arn) = Arn::parse(text) {
            let segments = ArnParts {
                partition: compile(&arn.partition),
                service: compile(&arn.service),
                region: compile(&arn.region),
                account: compile(&arn.account),
                resource: compile(&arn.resource),
            };
            return Self {
                arn: Some(arn),
                segments: Some(segments),
            };
        }
        let mut parts = text.split_where_known(':').into_iter().skip(1);
        let mut next = || {
            parts
                .next()
                .map_or_else(|| vec![Token::Run], |part| compile(&part))
        };
        Self {
            arn: None,
            segments: Some(ArnParts {
                partition: next(),
                service: next(),
                region: next(),
                account: next(),
                resource: next(),
            }),
        }
    }
}

fn segments_cover(pattern: &Segments, resource: &Segments) -> Answer {
    let pairs = [
        (&pattern.partition, &resource.partition),
        (&pattern.service, &resource.service),
        (&pattern.region, &resource.region),
        (&pattern.account, &resource.account),
        (&pattern.resource, &resource.resource),
    ];
    let mut answer = Answer::Must;
    for (outer, inner) in pairs {
        answer = answer.and(glob::covers(outer, inner));
        if answer == Answer::No {
            break;
        }
    }
    answer
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
