//! Amazon Resource Names, known or with open parts and wildcards.
//!
//! Not for building them per resource type: that is the model's. Invariant: the sixth segment keeps
//! all further colons. Source: AWS, "Identify AWS resources with Amazon Resource Names (ARNs)".

use overgrant_value::{Answer, Text};
use smol_str::SmolStr;

/// The segments of an ARN or ARN pattern.
#[derive(Debug, Clone, PartialEq)]
pub struct ArnParts<T> {
    /// `aws`, `aws-cn`, … or a pattern.
    pub partition: T,
    /// Service prefix.
    pub service: T,
    /// Region; often empty.
    pub region: T,
    /// Account id; often empty.
    pub account: T,
    /// Everything after the fifth colon.
    pub resource: T,
}

/// An ARN cut into segments.
pub type Arn = ArnParts<Text>;

/// The segments of an ARN that hold no wildcard, variable or open part; `None` for the others and for
/// empty ones.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ArnLiterals {
    /// `aws`, `aws-cn`, …
    pub partition: Option<SmolStr>,
    /// Service prefix.
    pub service: Option<SmolStr>,
    /// Account id, or an owner such as `aws`.
    pub account: Option<SmolStr>,
}

impl ArnLiterals {
    pub(crate) fn of(arn: &Arn) -> Self {
        Self {
            partition: Self::plain(&arn.partition),
            service: Self::plain(&arn.service),
            account: Self::plain(&arn.account),
        }
    }

    /// A segment that is known and names one thing.
    pub(crate) fn plain(segment: &Text) -> Option<SmolStr> {
        let known = segment.as_known()?;
        (!known.is_empty() && !known.contains(['*', '?', '$'])).then_some(known)
    }

    /// Those of a text; `None` where it is no whole ARN.
    #[must_use]
    pub fn parse(text: &Text) -> Option<Self> {
        Arn::parse(text).map(|arn| Self::of(&arn))
    }
}

impl Arn {
    /// Cuts a text that begins with `arn:`. A text with fewer than six segments is no ARN here;
    /// holes are taken to hold no colon unless the text has too few of its own.
    #[must_use]
    pub fn parse(text: &Text) -> Option<Self> {
        if text.starts_with("arn:") != Answer::Must {
            return None;
        }
        let mut parts = text.splitn_where_known(6, ':').into_iter();
        parts.next()?;
        let partition = parts.next()?;
        let service = parts.next()?;
        let region = parts.next()?;
        let account = parts.next()?;
        let resource = parts.next()?;
        Some(Self {
            partition,
            service,
            region,
            account,
            resource,
        })
    }
}

/// The pattern of an ARN format (`arn:${Partition}:sqs:${Region}:${Account}:${QueueName}`): every
/// placeholder replaced by what `with` gives for its name.
pub(crate) fn filled(format: &str, with: impl Fn(&str) -> &'static str) -> String {
    let mut pattern = String::with_capacity(format.len());
    let mut rest = format;
    while let Some((before, after)) = rest.split_once("${") {
        pattern.push_str(before);
        let (name, tail) = after.split_once('}').unwrap_or((after, ""));
        pattern.push_str(with(name));
        rest = tail;
    }
    pattern.push_str(rest);
    pattern
}

#[cfg(test)]
mod tests {
    use super::*;
    use overgrant_value::{Src, Sym};

    #[test]
    fn the_sixth_segment_keeps_colons() {
        let arn = Arn::parse(&Text::known("arn:aws:lambda:eu-west-1:1:function:f:1")).unwrap();
        assert!(arn.resource.is("function:f:1"));
        assert!(arn.account.is("1"));
        assert_eq!(Arn::parse(&Text::known("arn:aws:s3")), None);
        assert_eq!(Arn::parse(&Text::known("*")), None);
    }

    #[test]
    fn holes_are_segments() {
        let text = Text::known("arn:")
            .concat(&Text::hole(Sym::Partition, Src::none()))
            .concat(&Text::known(":iam::"))
            .concat(&Text::hole(Sym::Account, Src::none()))
            .concat(&Text::known(":root"));
        let arn = Arn::parse(&text).unwrap();
        assert!(arn.resource.is("root"));
        assert!(!arn.account.is_known());
    }

    #[test]
    fn placeholders_are_filled_by_name() {
        let with = |name: &str| if name == "Account" { "1" } else { "*" };
        let format = "arn:${Partition}:sqs:${Region}:${Account}:${Queue}";
        assert_eq!(filled(format, with), "arn:*:sqs:*:1:*");
        assert_eq!(filled("arn:aws:s3:::${Cut", with), "arn:aws:s3:::*");
    }
}
