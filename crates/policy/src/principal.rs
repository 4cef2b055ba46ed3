//! The `Principal` and `NotPrincipal` elements.
//!
//! Not for identities of a configuration, which the model links to these. Invariant: an AWS account
//! id, its root ARN and `arn:…:root` mean the same. Source: AWS, "AWS JSON policy elements:
//! Principal".

use crate::arn::{Arn, ArnLiterals};
use crate::statement::{Listed, joined_key, show};
use overgrant_value::{Answer, Guard, Piece, Src, Sym, Text};
use smol_str::SmolStr;
use std::fmt;

/// What kind of principal is named.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum PrincipalKind {
    /// `"*"` or `{"AWS": "*"}`: everybody, anonymous callers included.
    Anyone,
    /// An account, by id or root ARN: everybody whom that account allows.
    Account,
    /// A user, role, session or federated user of AWS, by ARN.
    Aws,
    /// A unique id (`AIDA…`, `AROA…`): a principal that was deleted.
    UniqueId,
    /// A service principal such as `lambda.amazonaws.com`.
    Service,
    /// An identity provider, by ARN or host.
    Federated,
    /// An S3 canonical user.
    Canonical,
    /// Something that cannot be told.
    Unknown,
}

/// One principal of a list.
#[derive(Debug, Clone)]
pub struct Principal {
    pub(crate) kind: PrincipalKind,
    pub(crate) text: Text,
    pub(crate) src: Src,
    pub(crate) guard: Guard,
}

impl Principal {
    pub(crate) fn aws(text: Text, src: Src, guard: Guard) -> Self {
        Self {
            kind: aws_kind(&text),
            text,
            src,
            guard,
        }
    }

    /// What is named.
    #[must_use]
    pub fn kind(&self) -> PrincipalKind {
        self.kind
    }

    /// The text, for joining it with the identity that it means; to judge it there are predicates.
    #[must_use]
    pub fn reference(&self) -> &Text {
        &self.text
    }

    /// Where it was written and how it came.
    #[must_use]
    pub fn src(&self) -> &Src {
        &self.src
    }

    /// When it is part of the list.
    #[must_use]
    pub fn guard(&self) -> &Guard {
        &self.guard
    }

    /// Whether everybody is meant.
    #[must_use]
    pub fn is_anyone(&self) -> bool {
        self.kind == PrincipalKind::Anyone
    }

    /// The 12-digit account id, where the principal is of AWS and its account is a known literal.
    #[must_use]
    pub fn account(&self) -> Option<SmolStr> {
        let id = match self.kind {
            PrincipalKind::Account => match Arn::parse(&self.text) {
                Some(arn) => arn.account.as_known()?,
                None => self.text.as_known()?,
            },
            PrincipalKind::Aws => Arn::parse(&self.text)?.account.as_known()?,
            _ => return None,
        };
        is_account_id(&id).then_some(id)
    }

    /// The service principal's name, where it is known. Services take `amazonaws.com` for the DNS
    /// suffix of any partition. Source: IAM User Guide, "AWS JSON policy elements: Principal".
    #[must_use]
    pub fn service(&self) -> Option<SmolStr> {
        if self.kind != PrincipalKind::Service {
            return None;
        }
        let spelled = |piece: &Piece| match piece {
            Piece::Lit(lit) => Some(lit.as_str().to_owned()),
            Piece::Hole(hole) if hole.sym == Sym::UrlSuffix => Some("amazonaws.com".to_owned()),
            Piece::Hole(_) | Piece::Json(_) => None,
        };
        let name: String = self
            .text
            .pieces()
            .iter()
            .map(spelled)
            .collect::<Option<_>>()?;
        Some(name.into())
    }

    /// Whether it is written as this text, open parts being equal to themselves.
    #[must_use]
    pub fn is(&self, text: &Text) -> bool {
        self.text.key() == text.key()
    }

    /// Equal for principals that are written alike, open parts by their symbols. For fingerprints.
    #[must_use]
    pub fn key(&self) -> String {
        self.text.key()
    }

    /// Bytes of its known parts.
    #[must_use]
    pub fn known_length(&self) -> usize {
        let literal = |piece: &Piece| match piece {
            Piece::Lit(lit) => lit.as_str().len(),
            Piece::Hole(_) | Piece::Json(_) => 0,
        };
        self.text.pieces().iter().map(literal).sum()
    }

    /// Whether it was put together of texts from several places.
    #[must_use]
    pub fn is_composed(&self) -> bool {
        let parts = |piece: &Piece| match piece {
            Piece::Lit(lit) => lit.segs().count(),
            Piece::Hole(_) | Piece::Json(_) => 1,
        };
        self.text.pieces().iter().map(parts).sum::<usize>() > 1
    }

    /// Where the account of its ARN is written, where that is known and has bytes outside those of the ARN: a
    /// value that was put into it.
    #[must_use]
    pub fn account_src(&self) -> Option<Src> {
        let account = Arn::parse(&self.text)?.account;
        let src = account.src_of(0..account.as_known()?.len())?;
        let whole = self.src.span?;
        src.span
            .is_some_and(|span| !whole.contains(span))
            .then_some(src)
    }

    /// Whether no part of it is open.
    #[must_use]
    pub fn is_known(&self) -> bool {
        self.text.is_known()
    }

    /// The literal segments of its ARN; `None` where it is no ARN of AWS.
    #[must_use]
    pub fn literals(&self) -> Option<ArnLiterals> {
        matches!(self.kind, PrincipalKind::Aws | PrincipalKind::Account)
            .then(|| Arn::parse(&self.text))
            .flatten()
            .map(|arn| ArnLiterals::of(&arn))
    }

    /// The host of a federated provider (`token.actions.githubusercontent.com`), from its ARN or its
    /// well-known name, where it is known.
    #[must_use]
    pub fn issuer(&self) -> Option<SmolStr> {
        if self.kind != PrincipalKind::Federated {
            return None;
        }
        let text = &self.text;
        match Arn::parse(text) {
            Some(arn) => {
                let resource = arn.resource.as_known()?;
                resource.strip_prefix("oidc-provider/").map(SmolStr::from)
            }
            None => text.as_known(),
        }
    }

    /// Whether a SAML provider is named.
    #[must_use]
    pub fn is_saml(&self) -> bool {
        self.kind == PrincipalKind::Federated
            && Arn::parse(&self.text)
                .is_some_and(|arn| arn.resource.starts_with("saml-provider/") == Answer::Must)
    }
}

/// Whether the text is 12 digits.
#[must_use]
pub(crate) fn is_account_id(text: &str) -> bool {
    text.len() == 12 && text.bytes().all(|byte| byte.is_ascii_digit())
}

fn aws_kind(text: &Text) -> PrincipalKind {
    if text.is("*") {
        return PrincipalKind::Anyone;
    }
    if let Some(arn) = Arn::parse(text) {
        return if arn.resource.is("root") {
            PrincipalKind::Account
        } else if arn.resource.is("*") && arn.account.is("*") {
            PrincipalKind::Unknown
        } else {
            PrincipalKind::Aws
        };
    }
    match text.as_known() {
        Some(known) if is_account_id(&known) => PrincipalKind::Account,
        Some(known)
            if known.len() >= 16
                && ["AIDA", "AROA", "AGPA", "ANPA"]
                    .iter()
                    .any(|p| known.starts_with(p)) =>
        {
            PrincipalKind::UniqueId
        }
        Some(_) => PrincipalKind::Unknown,
        None if text.pieces().len() == 1
            && text
                .holes()
                .any(|hole| hole.sym == overgrant_value::Sym::Account) =>
        {
            PrincipalKind::Account
        }
        None => PrincipalKind::Unknown,
    }
}

impl fmt::Display for Principal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.kind {
            PrincipalKind::Anyone => f.write_str("*"),
            _ => self.text.fmt(f),
        }
    }
}

/// `Principal` or `NotPrincipal`.
#[derive(Debug, Clone)]
pub struct Principals(pub(crate) Listed<Principal>);

impl Principals {
    /// The element of a statement that has none, such as those of identity policies.
    #[must_use]
    pub fn absent() -> Self {
        Self(Listed::absent())
    }

    /// The list behind it.
    #[must_use]
    pub fn listed(&self) -> &Listed<Principal> {
        &self.0
    }

    /// The members; for `NotPrincipal` those that are left out.
    pub fn iter(&self) -> std::slice::Iter<'_, Principal> {
        self.0.items.iter()
    }

    /// The member that means everybody, if the element is positive and has one.
    #[must_use]
    pub fn anyone(&self) -> Option<&Principal> {
        if self.0.negated {
            return None;
        }
        self.0.items.iter().find(|item| item.is_anyone())
    }

    pub(crate) fn key(&self) -> String {
        let keys = self.0.items.iter().map(|item| match item.kind {
            PrincipalKind::Anyone => "*".to_owned(),
            PrincipalKind::Account => format!(
                "account {}",
                item.account().map_or_else(|| item.text.key(), Into::into)
            ),
            _ => item.text.key(),
        });
        joined_key(self.0.negated, self.0.present, keys.collect())
    }
}

impl<'a> IntoIterator for &'a Principals {
    type Item = &'a Principal;
    type IntoIter = std::slice::Iter<'a, Principal>;
    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

impl fmt::Display for Principals {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        show(f, self.0.negated, &self.0.items, self.0.open)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn principal(text: &str) -> Principal {
        Principal::aws(Text::known(text), Src::none(), Guard::always())
    }

    #[test]
    fn forms_of_aws_principals() {
        assert!(principal("*").is_anyone());
        assert_eq!(principal("123456789012").account().unwrap(), "123456789012");
        assert_eq!(
            principal("arn:aws:iam::123456789012:root")
                .account()
                .unwrap(),
            "123456789012"
        );
        assert!(matches!(
            principal("arn:aws:iam::123456789012:root").kind(),
            PrincipalKind::Account
        ));
        assert!(matches!(
            principal("arn:aws:iam::1:role/x").kind(),
            PrincipalKind::Aws
        ));
        assert_eq!(
            principal("arn:aws:iam::1:role/x").account(),
            None,
            "not twelve digits"
        );
        assert!(matches!(
            principal("AIDAJQABLZS4A3QDU576Q").kind(),
            PrincipalKind::UniqueId
        ));
        assert!(matches!(
            principal("someone").kind(),
            PrincipalKind::Unknown
        ));
    }
}
