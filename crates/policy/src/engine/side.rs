//! How the statements of one side decide: the boolean function over the matching ones.
//!
//! Not for finding which match. Invariant: it is monotone: more Allow and fewer Deny never take access
//! away. Source: AWS, "Policy evaluation logic".

use crate::engine::mask::Mask;
use crate::request::PolicyKind;

/// How one side combines its statements.
#[derive(Debug, Clone, Default)]
pub(crate) struct Side {
    /// Groups of which each has to allow, with the kind (SCPs bind principals of accounts only).
    pub(crate) caps: Vec<(PolicyKind, Mask)>,
    pub(crate) denies: Vec<(PolicyKind, Mask)>,
    pub(crate) identity: Mask,
    pub(crate) boundary: Option<Mask>,
    pub(crate) session: Option<Mask>,
    pub(crate) resource: Option<Mask>,
    /// Whether the caller's own side is taken to allow everything.
    pub(crate) only_resource: bool,
    /// Whether caller and resource are of different accounts.
    pub(crate) cross_account: bool,
    /// Whether the side allows nothing at all.
    pub(crate) absent: bool,
}

/// Everything about a class of callers that the function needs.
pub(crate) struct View {
    /// Statements whose principals name the class.
    pub(crate) named: Mask,
    pub(crate) direct: Mask,
    pub(crate) anyone: Mask,
    pub(crate) role: Mask,
    pub(crate) account: Mask,
    pub(crate) is_aws: bool,
    pub(crate) rcp: bool,
    pub(crate) trust: bool,
}

pub(crate) fn allowed(side: &Side, mask: Mask, view: &View) -> bool {
    if side.absent {
        return false;
    }
    let mask = mask.and(view.named);
    let binds = |kind: PolicyKind| match kind {
        PolicyKind::Scp => view.is_aws,
        PolicyKind::Rcp => view.rcp,
        _ => true,
    };
    let denied = side
        .denies
        .iter()
        .any(|(kind, denies)| binds(*kind) && mask.meets(*denies));
    let capped = side
        .caps
        .iter()
        .any(|(kind, allows)| binds(*kind) && !mask.meets(*allows));
    if denied || capped {
        return false;
    }
    let resource = side.resource.map(|allows| mask.and(allows));
    if side.only_resource || !view.is_aws {
        return resource.is_some_and(|hits| hits != Mask::default());
    }
    let own = |cap: Option<Mask>| cap.is_none_or(|allows| mask.meets(allows));
    let own_side = own(side.boundary) && own(side.session);
    let by_identity = mask.meets(side.identity) && own_side;
    let Some(hits) = resource else {
        return by_identity;
    };
    if side.cross_account {
        return by_identity && hits != Mask::default();
    }
    by_identity && (!view.trust || hits != Mask::default())
        || hits.meets(view.direct)
        || hits.meets(view.anyone) && own(side.session)
        || hits.meets(view.role) && own_side
}
