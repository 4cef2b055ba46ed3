//! Classes of callers: one for every way in which a resource policy can tell callers apart.
//!
//! Not for the caller of one request. Invariant: two callers of one class are named by the same
//! statements in the same way.

use crate::document::Document;
use crate::principal::{Principal, PrincipalKind, Principals};
use crate::request::Caller;
use overgrant_value::Text;

/// How a statement names the class.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Naming {
    Direct,
    Anyone,
    Role,
    Account,
}

/// Callers that no statement tells apart.
#[derive(Debug, Clone)]
pub(crate) struct Class {
    pub(crate) label: String,
    who: Who,
}

#[derive(Debug, Clone)]
enum Who {
    Anonymous,
    /// A principal of an account that nobody names.
    Stranger,
    /// A service that nobody names.
    AnyService,
    /// A principal that is named.
    Named(Box<Principal>),
    /// The one caller that is asked about.
    Caller(Caller),
    /// Whoever holds the identity policies; nobody knows the name.
    Holder,
}

impl Class {
    pub(crate) fn anonymous() -> Self {
        Self {
            label: "anonymous".to_owned(),
            who: Who::Anonymous,
        }
    }

    pub(crate) fn stranger() -> Self {
        Self {
            label: "any AWS account".to_owned(),
            who: Who::Stranger,
        }
    }

    pub(crate) fn any_service() -> Self {
        Self {
            label: "any AWS service".to_owned(),
            who: Who::AnyService,
        }
    }

    pub(crate) fn holder() -> Self {
        Self {
            label: String::new(),
            who: Who::Holder,
        }
    }

    pub(crate) fn caller(caller: &Caller) -> Self {
        Self {
            label: match caller {
                Caller::Anonymous => "anonymous".to_owned(),
                Caller::Aws(text) | Caller::Service(text) | Caller::Federated(text) => {
                    text.to_string()
                }
            },
            who: Who::Caller(caller.clone()),
        }
    }

    fn named(principal: &Principal) -> Self {
        Self {
            label: principal.text.to_string(),
            who: Who::Named(Box::new(principal.clone())),
        }
    }

    /// Whether SCPs may bind it and requests are signed by a principal of an account.
    pub(crate) fn is_aws(&self) -> bool {
        match &self.who {
            Who::Anonymous | Who::AnyService => false,
            Who::Stranger | Who::Holder => true,
            Who::Caller(caller) => matches!(caller, Caller::Aws(_)),
            Who::Named(principal) => matches!(
                principal.kind(),
                PrincipalKind::Aws | PrincipalKind::Account | PrincipalKind::Unknown
            ),
        }
    }

    pub(crate) fn is_signed(&self) -> bool {
        !matches!(self.who, Who::Anonymous)
    }

    /// The literal account of a named AWS principal.
    pub(crate) fn account(&self) -> Option<String> {
        match &self.who {
            Who::Named(principal) => principal.account().map(|id| id.to_string()),
            _ => None,
        }
    }

    /// Whether the element names the class for every value of open parts, or (`high`) for some.
    pub(crate) fn is_named(&self, list: &Principals, high: bool) -> Option<Naming> {
        let listed = list.listed();
        if listed.negated {
            let excluded = listed
                .items
                .iter()
                .filter(|item| !high || item.guard().is_always())
                .any(|item| self.names(item, !high).is_some());
            let open = !high && listed.open;
            return (!excluded && !open).then_some(Naming::Anyone);
        }
        let best = listed
            .items
            .iter()
            .filter(|item| high || item.guard().is_always())
            .filter_map(|item| self.names(item, high))
            .min_by_key(|naming| *naming as u8);
        best.or((high && listed.open).then_some(Naming::Direct))
    }

    fn names(&self, item: &Principal, high: bool) -> Option<Naming> {
        if item.is_anyone() {
            return Some(Naming::Anyone);
        }
        if item.kind() == PrincipalKind::Unknown {
            return (high && !item.text.is_known()).then_some(Naming::Direct);
        }
        match &self.who {
            Who::Anonymous | Who::Stranger | Who::AnyService => {
                // An open principal may turn out to be `*`.
                let open = matches!(item.kind(), PrincipalKind::Aws | PrincipalKind::Account)
                    && !item.text.is_known()
                    && item.text.leading().is_empty();
                (high && open).then_some(Naming::Anyone)
            }
            Who::Holder => high.then_some(Naming::Direct),
            Who::Named(own) => {
                let same = own.text.key() == item.text.key() && own.kind() == item.kind();
                if same {
                    return Some(naming_of(item));
                }
                if item.kind() == PrincipalKind::Account {
                    let equal = match (own.account(), item.account()) {
                        (Some(a), Some(b)) => a == b,
                        _ => high && own.text.starts_with("arn:").possible(),
                    };
                    return (equal
                        && matches!(own.kind(), PrincipalKind::Aws | PrincipalKind::Account))
                    .then_some(Naming::Account);
                }
                let may =
                    high && own.kind() == item.kind() && own.text.equals(&item.text).possible();
                may.then(|| naming_of(item))
            }
            Who::Caller(caller) => {
                let (naming, answer) = crate::point::names(item, caller);
                let hit = if high {
                    answer.possible()
                } else {
                    answer.certain()
                };
                hit.then_some(match naming {
                    crate::point::Naming::Direct => Naming::Direct,
                    crate::point::Naming::Anyone => Naming::Anyone,
                    crate::point::Naming::Role => Naming::Role,
                    crate::point::Naming::Account => Naming::Account,
                })
            }
        }
    }
}

fn naming_of(principal: &Principal) -> Naming {
    match principal.kind() {
        PrincipalKind::Account => Naming::Account,
        PrincipalKind::Aws => {
            let has = |part: &str| Text::contains(&principal.text, part).possible();
            if has(":role/") {
                Naming::Role
            } else if has(":user/") {
                Naming::Anyone
            } else {
                Naming::Direct
            }
        }
        _ => Naming::Direct,
    }
}

/// One class for each principal that a document names.
pub(crate) fn named<'a>(documents: impl Iterator<Item = &'a Document>) -> Vec<Class> {
    let mut keys = std::collections::BTreeSet::new();
    let mut classes = Vec::new();
    for document in documents {
        for statement in &document.statements {
            for principal in &statement.principals {
                let anyone = principal.is_anyone();
                let kind = principal.kind();
                if !anyone && keys.insert(format!("{kind:?}{}", principal.text.key())) {
                    classes.push(Class::named(principal));
                }
            }
        }
    }
    classes
}
