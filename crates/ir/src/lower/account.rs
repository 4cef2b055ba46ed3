//! The account that a Terraform root is deployed into, where its provider says it.
//!
//! Not for providers with an alias, whose resources carry their account in their ARNs. Invariant: two
//! statements that differ say nothing. Source: the Terraform AWS provider's reference
//! (`allowed_account_ids`, `assume_role`).

use super::Lowering;
use super::read::{blocks, member};
use crate::Resource;
use overgrant_policy::Arn;
use overgrant_value::Val;
use smol_str::SmolStr;

/// The root's own provider.
const MAIN: &str = "provider.aws";

pub(super) fn lower(lowering: &mut Lowering, resource: &Resource) {
    if resource.kind == MAIN
        && resource.address == MAIN
        && let Some(account) = of_provider(resource)
    {
        let roots = &mut lowering.model.accounts.roots;
        roots.insert(resource.root.clone(), account);
    }
}

fn of_provider(resource: &Resource) -> Option<SmolStr> {
    let allowed =
        resource
            .get("allowed_account_ids")
            .and_then(|val| match val.listed().as_slice() {
                [only] => id(only.as_str()?.as_str()),
                _ => None,
            });
    // Roles are assumed one after the other; the last one counts.
    let assumed = blocks(resource, &["assume_role"])
        .pop()
        .filter(|(guard, _)| guard.is_always())
        .and_then(|(_, block)| arn(&member(&block, &["role_arn"])?));
    match (allowed, assumed) {
        (Some(allowed), Some(assumed)) => (allowed == assumed).then_some(allowed),
        (allowed, assumed) => allowed.or(assumed),
    }
}

fn arn(val: &Val) -> Option<SmolStr> {
    id(Arn::parse(&val.to_text()?)?.account.as_known()?.as_str())
}

fn id(text: &str) -> Option<SmolStr> {
    let is = text.len() == 12 && text.bytes().all(|byte| byte.is_ascii_digit());
    is.then(|| text.into())
}
